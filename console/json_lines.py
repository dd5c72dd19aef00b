"""JSON objects, one a line, with their numbers as they were written."""

import json
from collections.abc import Iterator
from typing import Any

from pehchan.console.text_lines import NOT_TEXT, Lines, Row


class Number(str):
    """A JSON number as it was written: no digit of a long id is lost, 1.50 stays 1.50."""

    __slots__ = ()


def json_objects(lines: Lines) -> Iterator[tuple[Row, dict[str, Any] | None]]:
    """Each line and its object; None where the line is blank or is set aside, and then the row says why."""
    lines.begin_row()
    for line in lines:
        value, reason = None, ""
        if line.strip():
            value, reason = json_object(line)
        row = lines.row(None, reason)
        yield row, None if row.reason else value
        lines.begin_row()


def json_object(line: str) -> tuple[dict[str, Any] | None, str]:
    """The object of a line, or the reason why there is none."""
    try:
        value = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        return None, f"not JSON: {error.msg} at character {error.pos + 1}"
    except RecursionError:
        return None, "JSON nested too deeply"
    except ValueError as error:
        return None, str(error)
    if not isinstance(value, dict):
        return None, "JSON, but not an object with a key for every column"
    for name in value:
        if not name or NOT_TEXT.search(name):
            return None, f"the key {name!a} cannot name a column"
    return value, ""


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!a} is there twice in one object")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"not JSON: {name} is no JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once_each, parse_float=Number, parse_int=Number, parse_constant=_refuse_constant
)


def item_text(value: Any) -> str:
    """A JSON value as an item: "" for null, text as it is, all else as compact JSON."""
    if value is None:
        return ""
    return str(value) if isinstance(value, str) else _compact(value)


def _compact(value: Any) -> str:
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{_compact(name)}:{_compact(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_compact, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
