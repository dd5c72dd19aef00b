"""Whole rows as texts that a state keeps with its records, and back: results also have rows of earlier runs."""

from collections.abc import Sequence
from typing import Any

import orjson

from pehchan.metadata.mistakes import Mistake, Mistakes, MistakesError
from pehchan.zingg.configuration import Column
from pehchan.zingg.data_types import arrow_schema, arrow_type, data_type_of, parse_schema
from pehchan.zingg.extras import library
from pehchan.zingg.sources import Sources
from pehchan.zingg.values import conversion, text

pa = library("pyarrow")

#: The name of the column of a state that has the rows begins so; behind it stand their columns as a schema.
_COLUMN = "z_record "

#: Columns of a result that a state gives, in lower case; those of an earlier one that is read again are left out.
MADE = ("zingg_id", "z_minscore", "z_maxscore")


class KeptRows:
    """Rows with these columns, as JSON lists of texts; null where a value is missing."""

    def __init__(self, columns: Sequence[Column]):
        self.columns = tuple(columns)

    @classmethod
    def of(cls, sources: Sources, fields: Sequence[Any]) -> "KeptRows":
        """Of all columns of some records. Raises MistakesError where one is of a type that no text stands for."""
        mistakes = Mistakes()
        found = []
        for column in sources.schema(fields):
            if column.name.lower() in MADE:
                continue
            data_type = data_type_of(column.type)
            if data_type is None:
                where = ", ".join(source.pipe.where for source in sources.each)
                what = f'the column "{column.name}" is {column.type}, which is not kept with entities.'
                mistakes.add(where, what, "Leave it out, or give it as text.")
            found.append(Column(column.name, data_type or "string"))
        mistakes.raise_if_any()
        return cls(found)

    @classmethod
    def in_columns(cls, names: Sequence[str]) -> "KeptRows | None":
        """Those that a state with columns of these names has; None where it was not made by a phase."""
        for name in names:
            if name.startswith(_COLUMN):
                return cls(parse_schema(name.removeprefix(_COLUMN), name, Mistakes()))
        return None

    @property
    def column(self) -> str:
        """The name of the column that has them."""
        quoted = (f"`{each.name.replace('`', '``')}` {each.data_type}" for each in self.columns)
        return _COLUMN + ", ".join(quoted)

    @property
    def schema(self) -> Any:
        """The columns as a pyarrow schema."""
        return arrow_schema(self.columns)

    def texts(self, batch: Any) -> Any:
        """A text of each row of a pyarrow.RecordBatch; columns that it lacks are missing in all."""
        columns = []
        for each in self.columns:
            if each.name not in batch.schema.names:
                columns.append([None] * len(batch))
                continue
            values = batch.column(each.name).to_pylist()
            if each.data_type != "string":
                values = [None if value is None else text(value) for value in values]
            columns.append(values)
        return pa.array([orjson.dumps(row).decode() for row in zip(*columns, strict=True)], pa.string())

    def batch(self, texts: Sequence[str]) -> Any:
        """The rows of texts, as a pyarrow.RecordBatch."""
        rows = list(map(orjson.loads, texts))
        arrays = []
        for at, each in enumerate(self.columns):
            values = [row[at] for row in rows]
            if each.data_type != "string":
                back = bytes.fromhex if each.data_type == "binary" else conversion(each.data_type)
                values = [None if value is None else back(value) for value in values]
            arrays.append(pa.array(values, arrow_type(each.data_type)))
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def check(self, sources: Sources) -> None:
        """Raises MistakesError where records have other types than these rows."""
        types = {each.name: each.data_type for each in self.columns}
        for source in sources.each:
            for column in source.schema:
                known, given = types.get(column.name), data_type_of(column.type)
                if known is not None and given != known and not pa.types.is_null(column.type):
                    what = f'the column "{column.name}" is {given or column.type} in pipe "{source.pipe.name}", and '
                    what += f"{known} in the records that are there."
                    raise MistakesError([Mistake(source.pipe.where, what, "Give a schema with that type.")])

    def unknown(self, sources: Sources) -> list[str]:
        """Columns of records that these rows do not have."""
        names = {each.name for each in self.columns}
        found = [column.name for source in sources.each for column in source.schema]
        return [name for name in dict.fromkeys(found) if name not in names and name.lower() not in MADE]
