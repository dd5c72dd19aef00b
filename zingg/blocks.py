"""Which records the learnt keys make meet: the blocks of each key, and the largest of them."""

import numpy as np

from pehchan.learning.candidates import CAP
from pehchan.learning.key_hashes import KeyHashes
from pehchan.learning.model import Model
from pehchan.learning.predicates import PREDICATES, Key
from pehchan.learning.table import normal_values
from pehchan.zingg.records import Columns, StopWords, texts_of
from pehchan.zingg.sources import Sources

#: Blocks that are shown.
SHOWN = 10


def blocks_text(model: Model, sources: Sources, columns: Columns, stop_words: StopWords) -> str:
    """The largest blocks of the keys of a model, and how many candidate pairs each key makes.

    It holds 8 bytes a record and key.
    """
    of_name = {each.name: each for each in columns}
    used = [of_name[field.name] for field in model.fields]
    keys = model.keys.keys
    hashing = KeyHashes(model.fields, keys)
    hashes = np.zeros((sources.rows, len(keys)), np.uint64)
    for source in sources.each:
        for start, batch in source.batches(list(dict.fromkeys(each.field.name for each in used))):
            texts = [array.to_pylist() for array in texts_of(batch, used, stop_words)]
            hashes[start : start + len(batch)] = hashing.of(texts)
    lines, largest, pairs = [], [], 0
    for k, key in enumerate(keys):
        there = np.flatnonzero(hashes[:, k])
        _, first, sizes = np.unique(hashes[there, k], return_index=True, return_counts=True)
        order = np.lexsort((there[first], -sizes))[:SHOWN]
        largest += [(int(sizes[at]), k, int(there[first[at]])) for at in order.tolist() if sizes[at] > 1]
        within = sizes[sizes <= CAP]
        met, blocks, most = (
            int((within * (within - 1) // 2).sum()),
            int((sizes > 1).sum()),
            max(sizes, default=0),
        )
        pairs += met
        split = int((sizes > CAP).sum())
        more = f", {split:,} of more than {CAP} records, which are divided" if split else ""
        lines.append(
            f"  {key.text(model.fields)}: {met:,} pairs in {blocks:,} blocks, the largest of {most:,}{more}"
        )
    all_pairs = sources.rows * (sources.rows - 1) // 2
    share = f"{pairs / all_pairs:.3%}" if all_pairs else "none"
    shown = sorted(largest, key=lambda each: (-each[0], each[1], each[2]))[:SHOWN]
    rows = sources.take(
        sorted({row for _, _, row in shown}), list(dict.fromkeys(each.field.name for each in used))
    )
    raw = [array.to_pylist() for array in texts_of(rows, used, stop_words)]
    place = {row: at for at, row in enumerate(sorted({row for _, _, row in shown}))}
    named = []
    for size, k, row in shown:
        value = _value(model, keys[k], [each[place[row]] for each in raw])
        named.append(f"  {size:,} records: {keys[k].text(model.fields)} = {value}")
    return "\n".join(
        [
            f"{pairs:,} candidate pairs of {len(keys)} keys, {share} of all {all_pairs:,} pairs; one that shares "
            "several keys counts for each of them:",
            *lines,
            *(["The largest blocks:", *named] if named else []),
        ]
    )


def _value(model: Model, key: Key, raw: list[str]) -> str:
    """What the key makes of a record."""
    parts = []
    for part in key.parts:
        field = model.fields[part.field]
        values = normal_values(field.kind, [raw[part.field]])
        parts += PREDICATES[part.predicate].texts(values, field)
    return " + ".join(parts)
