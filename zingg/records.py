"""What is compared of records: a column of text for each field and match type, as pehchan's own pipeline reads it."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pehchan.zingg.configuration import FieldDefinition, Pipe
from pehchan.zingg.extras import library
from pehchan.zingg.kept_rows import KeptRows
from pehchan.zingg.match_types import MATCH_TYPES
from pehchan.zingg.reading import read_pipe
from pehchan.zingg.sources import Source

pa = library("pyarrow")
pc = library("pyarrow.compute")
arrow_csv = library("pyarrow.csv")
parquet = library("pyarrow.parquet")

#: The id of a record.
ID = "z_zid"

#: The words of each field that are left out, by its name.
StopWords = Mapping[str, re.Pattern[str]]


@dataclass(frozen=True)
class Compared:
    """A column of what is compared: of a field, what one of its match types makes of it."""

    name: str
    field: FieldDefinition
    match_type: str

    @property
    def kinds(self) -> tuple[str, ...]:
        """How learning may compare it; () where it finds out."""
        return MATCH_TYPES[self.match_type].kinds_of(self.field.data_type)


Columns = Sequence[Compared]


def compared(fields: Sequence[FieldDefinition]) -> Columns:
    """The columns, named like the field where it has one match type, else like both."""
    found: list[Compared] = []
    taken = {field.name.strip() for field in fields}
    for field in fields:
        for match_type in field.match_types:
            name = field.name.strip()
            if len(field.match_types) > 1:
                name = f"{name} {match_type.lower()}"
                while name in taken:
                    # A field may be called so.
                    name += "'"
                taken.add(name)
            found.append(Compared(name, field, match_type))
    return tuple(found)


def write_schema(columns: Columns, path: Path) -> None:
    """The native schema of the columns."""
    fields = {
        each.name: {"measure": "exact", **({"kind": list(each.kinds)} if each.kinds else {})}
        for each in columns
    }
    path.write_text(json.dumps({"id": ID, "fields": fields}), encoding="utf-8")


def write_records(
    sources: Sequence[Source],
    columns: Columns,
    stop_words: StopWords,
    path: Path,
    keys: Sequence[str] | None = None,
    rows: KeptRows | None = None,
) -> None:
    """A CSV file of the records of pipes: z_zid and the columns.

    keys  of all records, which take the place of z_zid
    rows  make a text of a whole row, which is a column more
    """
    id_type = pa.int64() if keys is None else pa.string()
    fields = [(ID, id_type), *((each.name, pa.string()) for each in columns)]
    if rows is not None:
        fields.append((rows.column, pa.string()))
    schema = pa.schema(fields)
    names = None if rows is not None else list(dict.fromkeys(each.field.name for each in columns))
    with arrow_csv.CSVWriter(path, schema) as writer:
        for source in sources:
            for start, batch in source.batches(names):
                end = start + len(batch)
                ids = pa.array(np.arange(start, end) if keys is None else keys[start:end])
                texts = [ids, *texts_of(batch, columns, stop_words)]
                if rows is not None:
                    texts.append(rows.texts(batch))
                writer.write_batch(pa.RecordBatch.from_arrays(texts, schema=schema))


def texts_of(batch: pa.RecordBatch | pa.Table, columns: Columns, stop_words: StopWords) -> list[pa.Array]:
    """Of each column the texts of some records, "" where a value is missing."""
    plain: dict[str, pa.Array] = {}
    found = []
    for each in columns:
        name = each.field.name
        if name not in plain:
            plain[name] = _plain(batch, name, stop_words.get(name))
        found.append(_mapped(plain[name], MATCH_TYPES[each.match_type].text))
    return found


def _plain(batch: pa.RecordBatch | pa.Table, name: str, stop_words: re.Pattern[str] | None) -> pa.Array:
    """The values of a field as text: trimmed, in lower case, without stop words."""
    if name not in batch.schema.names:
        return pa.array([""] * len(batch), pa.string())
    values = batch.column(name)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(texts_as_written(values)))
    if stop_words is not None:
        texts = _mapped(texts, lambda value: " ".join(stop_words.sub("", value).split()))
    return texts


def texts_as_written(values: pa.Array) -> pa.Array:
    """Values of any type as text, "" where there is none. Numbers have all their digits, and no exponent."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_finite(values), values, None)
        texts = _mapped(values.cast(pa.string()).fill_null(""), _without_exponent)
    else:
        texts = values.cast(pa.string()).fill_null("")
    # No line of a file holds it.
    return pc.replace_substring(texts, "\0", " ")


def _without_exponent(number: str) -> str:
    if "e" in number:
        return np.format_float_positional(float(number), trim="-")
    return number.removesuffix(".0")


def _mapped(texts: pa.Array, function: Callable[[str], str]) -> pa.Array:
    """What a function makes of each text; it is called once for each distinct one."""
    coded = texts.dictionary_encode()
    made = pa.array([function(value) for value in coded.dictionary.to_pylist()], pa.string())
    return made.take(coded.indices)


def read_stop_words(fields: Sequence[FieldDefinition], folder: Path) -> StopWords:
    """The stop words of the fields: files of CSV under a header, in a column z_stopword or else the first.

    Raises MistakesError where one cannot be read.
    """
    found = {}
    for number, field in enumerate(fields):
        if field.stop_words is None or not field.match_types:
            continue
        props = {"location": field.stop_words, "header": "true"}
        spool = folder / f"stop-words-{number}.parquet"
        with open(folder / "stop-words-rejected.jsonl", "wb") as aside:
            read_pipe(Pipe("stopWords", "csv", props, where=f"{field.where} stopWords"), spool, aside)
        table = parquet.read_table(spool)
        column = "z_stopword" if "z_stopword" in table.column_names else 0
        words = {str(word).strip().lower() for word in table.column(column).to_pylist() if word is not None}
        words.discard("")
        if words:
            # The longest first: "of the" before "of".
            either = "|".join(map(re.escape, sorted(words, key=lambda word: (-len(word), word))))
            found[field.name] = re.compile(rf"(?<!\w)(?:{either})(?!\w)")
    return found
