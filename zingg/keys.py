"""The primary key of records: it says which record of one run is which of another."""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pehchan.console.text_lines import shown
from pehchan.metadata.records import Rejected
from pehchan.zingg.extras import library
from pehchan.zingg.options import Options
from pehchan.zingg.records import texts_as_written
from pehchan.zingg.sources import Source, Sources

pa = library("pyarrow")
parquet = library("pyarrow.parquet")

#: What an id cannot hold: it is a part of lines.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

#: Where rows are kept whose key is of no use, in the folder of what is set aside.
ASIDE = "keys-rejected.jsonl"


def keys_of(batch: Any, names: Sequence[str]) -> list[str]:
    """Of each row what identifies it: the value of the key as text or, of several fields, a JSON list of these.

    "" where a value is missing.
    """
    columns = [texts_as_written(batch.column(name)).to_pylist() for name in names]
    if len(columns) == 1:
        return [value if value.strip() else "" for value in columns[0]]
    return [
        json.dumps(values, ensure_ascii=False, separators=(",", ":")) if all(map(str.strip, values)) else ""
        for values in zip(*columns, strict=True)
    ]


def values_of(key: str, names: Sequence[str]) -> list[str]:
    """The values of the fields that a key was made of."""
    return [key] if len(names) == 1 else list(json.loads(key))


def with_keys(
    sources: Sources, names: Sequence[str], kept: Path, tell: Callable[[str], None]
) -> tuple[Sources, list[str]]:
    """The records that have a key which none before them has, and the keys in their order.

    The others are set aside with a reason, in a folder, and told.
    """
    keys: dict[str, None] = {}
    aside: list[Rejected] = []
    found: list[Source] = []
    for source in sources.each:
        path = source.path.with_suffix(".keyed.parquet")
        first = len(keys)
        with parquet.ParquetWriter(path, source.schema, compression="zstd") as written:
            for start, batch in source.batches():
                good = []
                for number, key in enumerate(keys_of(batch, names), start - source.first + 1):
                    reason = _wrong(key, names, keys)
                    good.append(not reason)
                    if reason:
                        row = batch.slice(number - 1 - (start - source.first), 1).to_pylist()[0]
                        aside.append(Rejected(shown(_line(row.values())), _place(source), reason, number))
                    else:
                        keys[key] = None
                written.write_batch(batch if all(good) else batch.filter(pa.array(good)))
        found.append(replace(source, path=path, first=first, rows=len(keys) - first))
    if aside:
        kept.mkdir(parents=True, exist_ok=True)
        (kept / ASIDE).write_bytes(b"".join(each.encode() + b"\n" for each in aside))
        rows = "1 record was" if len(aside) == 1 else f"{len(aside):,} records were"
        first_one = f"{aside[0].file} record {aside[0].number}: {aside[0].reason}"
        tell(
            f"{rows} set aside for the primary key, with the reasons in {kept / ASIDE}; the first is {first_one}"
        )
    return Sources(tuple(found)), list(keys)


def _wrong(key: str, names: Sequence[str], before: dict[str, None]) -> str:
    if not key:
        return f"no {' or no '.join(names)}"
    if _CONTROL.search(key):
        return f"a control character in {' or '.join(names)}"
    return f"{' and '.join(names)} of a record before: {key}" if key in before else ""


def _line(values: Iterable[Any]) -> str:
    return "\t".join("" if value is None else str(value) for value in values)


def _place(source: Source) -> str:
    return Options(source.pipe).path() or source.pipe.name
