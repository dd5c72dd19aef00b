"""The data types of columns: Spark's names for them, its schema strings, and pyarrow's types."""

import re
from collections.abc import Sequence
from typing import Any

from pehchan.metadata.mistakes import Mistakes, nearest
from pehchan.zingg.configuration import Column
from pehchan.zingg.extras import library

pa = library("pyarrow")

#: pyarrow's type of each data type that has no parameters.
ARROW_TYPES = {
    "string": pa.string(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "double": pa.float64(),
    "float": pa.float32(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
    "short": pa.int16(),
    "byte": pa.int8(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "timestamp_ntz": pa.timestamp("us"),
    "binary": pa.binary(),
}

# What else Spark, and SQL, call them.
_OTHER_NAMES = {
    "int": "integer",
    "bigint": "long",
    "real": "float",
    "smallint": "short",
    "tinyint": "byte",
    "bool": "boolean",
    "text": "string",
    "timestamp_ltz": "timestamp",
    "dec": "decimal",
    "numeric": "decimal",
}

_DECIMAL = re.compile(r"(?:decimal|dec|numeric)(?:\((\d+)(?:,(\d+))?\))?")
_TEXT_OF_A_LENGTH = re.compile(r"(?:var)?char\(\d+\)")
# A name, in backticks where it is not plain, a colon or not, the type, and what Spark allows behind it.
_COLUMN = re.compile(
    r"""\s*(?:`(?P<quoted>(?:[^`]|``)+)`|(?P<name>[^\s:`]+))\s*:?\s*
        (?P<type>.*?)
        (?:\s+not\s+null)?(?:\s+comment\s+(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))?\s*""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def known_data_type(name: str) -> str | None:
    """The name of a data type as Column has it: "BigInt" is long, "decimal(8, 2)" decimal(8,2); None: unknown."""
    name = re.sub(r"\s+", "", name.lower())
    if found := _DECIMAL.fullmatch(name):
        precision, scale = int(found[1] or 10), int(found[2] or 0)
        return f"decimal({precision},{scale})" if scale <= precision <= 38 and precision else None
    if _TEXT_OF_A_LENGTH.fullmatch(name):
        return "string"
    name = _OTHER_NAMES.get(name, name)
    return name if name in ARROW_TYPES else None


def check_data_type(name: str, where: str, mistakes: Mistakes) -> str | None:
    """The one name of a data type; None, and a mistake, where it is none that can be read."""
    known = known_data_type(name)
    if known is not None:
        return known
    plain = re.sub(r"\s+", "", name.lower())
    if plain.startswith(("array<", "map<", "struct<")):
        reason = "It compares embeddings, which pehchan does not." if plain.startswith("array<") else ""
        right = "Leave the column out, or give it as text: string."
        mistakes.add(where, f"the data type {name} is not read.", f"{reason} {right}".strip())
    else:
        mistakes.add(where, f'unknown data type "{name}".', nearest(plain, [*ARROW_TYPES, *_OTHER_NAMES]))
    return None


def parse_schema(text: str, where: str, mistakes: Mistakes) -> tuple[Column, ...]:
    """The columns of a schema string of Spark: "id string, age int, born date".

    All that is wrong in it becomes mistakes; what is returned then lacks columns.
    """
    columns: list[Column] = []
    if not text.strip():
        mistakes.add(
            where, "the schema is empty.", 'Name the columns in their order: "id string, name string".'
        )
        return ()
    for number, part in enumerate(_parts(text), 1):
        found = _COLUMN.fullmatch(part)
        if not part.strip():
            mistakes.add(where, f"column {number} of the schema is empty.", "Is there a comma too many?")
            continue
        if found is None or not found["type"]:
            what = f'column {number} of the schema, "{part.strip()}", is not a name and a data type.'
            mistakes.add(where, what, 'Write both, for example "age integer".')
            continue
        name = found["quoted"].replace("``", "`") if found["quoted"] else found["name"]
        data_type = check_data_type(found["type"], f'{where}, column "{name}"', mistakes)
        columns.append(Column(name, data_type or "string"))
    report_twice([column.name for column in columns], where, mistakes)
    return tuple(columns)


def report_twice(names: Sequence[str], where: str, mistakes: Mistakes) -> None:
    """Add a mistake where columns share a name, whatever its case, as Spark sees it."""
    lower = [name.lower() for name in names]
    twice = dict.fromkeys(name for name in names if lower.count(name.lower()) > 1)
    if twice:
        shown = ", ".join(f'"{name}"' for name in twice)
        mistakes.add(where, f"more than one column is named {shown}.", "Give every column a name of its own.")


def _parts(text: str) -> list[str]:
    """What stands between the commas, but those within (), <>, backticks and quotes."""
    pieces = re.findall(r"`(?:[^`]|``)*`|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|.", text, re.DOTALL)
    parts, depth = [""], 0
    for piece in pieces:
        depth += (piece in "(<") - (piece in ")>")
        if piece == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def arrow_type(data_type: str) -> Any:
    """pyarrow's type of a data type as known_data_type names it."""
    if found := _DECIMAL.fullmatch(data_type):
        return pa.decimal128(int(found[1]), int(found[2]))
    return ARROW_TYPES[data_type]


def arrow_schema(columns: Sequence[Column]) -> Any:
    """The columns as a pyarrow schema."""
    return pa.schema([(column.name, arrow_type(column.data_type)) for column in columns])


def data_type_of(arrow: Any) -> str | None:
    """The data type of a pyarrow type, the narrowest that holds it; None where there is none (lists, structs, …)."""
    if pa.types.is_large_string(arrow) or pa.types.is_string_view(arrow):
        return "string"
    if pa.types.is_dictionary(arrow):
        return data_type_of(arrow.value_type)
    if pa.types.is_decimal(arrow):
        return f"decimal({arrow.precision},{arrow.scale})" if arrow.precision <= 38 else None
    if pa.types.is_timestamp(arrow):
        return "timestamp" if arrow.tz else "timestamp_ntz"
    if pa.types.is_unsigned_integer(arrow):
        return {8: "short", 16: "integer", 32: "long"}.get(arrow.bit_width)
    if pa.types.is_date64(arrow):
        return "date"
    if pa.types.is_large_binary(arrow) or pa.types.is_fixed_size_binary(arrow):
        return "binary"
    if pa.types.is_float16(arrow):
        return "float"
    if pa.types.is_null(arrow):
        return "string"
    return next((name for name, known in ARROW_TYPES.items() if known == arrow), None)
