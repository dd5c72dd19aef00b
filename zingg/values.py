"""Single values, as files and databases give them, brought to the data type of their column."""

import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal, DecimalException, localcontext
from typing import Any

from pehchan.console.json_lines import Number, item_text

#: Makes a value of a data type of one that is not None. Raises ValueError, whose text ends "… is no <data type>".
Conversion = Callable[[Any], Any]

_INTEGER = re.compile(r"[+-]?[0-9]+")
_FLOATING = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOT_FINITE = {"nan": math.nan, "infinity": math.inf, "inf": math.inf}
_BOOLEANS = {"true": True, "false": False}
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?:\.([0-9]{1,9}))?"
    r"\s?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_SIZES = {"byte": 8, "short": 16, "integer": 32, "long": 64}
# More than that is no number that anyone counts with, and its digits take time that grows with their square.
_LONGEST_NUMBER = 400


def conversion(data_type: str) -> Conversion:
    """What brings values to a data type: text as csv has it, or what JSON, workbooks and databases have."""
    if data_type.startswith("decimal("):
        precision, scale = map(int, data_type.removeprefix("decimal(").rstrip(")").split(","))
        return lambda value: _decimal(value, precision, scale)
    if data_type in _SIZES:
        limit = 1 << _SIZES[data_type] - 1
        return lambda value: _integer(value, limit, data_type)
    return _CONVERSIONS[data_type]


def text(value: Any) -> str:
    """A value as the text that csv has for it: true, 2024-02-29, 1.5."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return floating_text(value)
    if isinstance(value, list | dict):
        try:
            return item_text(value)
        except TypeError:
            # Dates and the like within it.
            return str(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value)


def floating_text(value: float) -> str:
    """The shortest digits that stand for a number, and Spark's words for those that are none."""
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _no(value: Any, what: str) -> ValueError:
    shown = text(value)
    shown = json.dumps(shown if len(shown) <= 40 else shown[:40] + "…", ensure_ascii=False)
    return ValueError(f"{shown} is no {what}")


def _integer(value: Any, limit: int, what: str) -> int:
    number = None
    if isinstance(value, bool):
        pass
    elif isinstance(value, int):
        number = value
    elif isinstance(value, str):
        digits = value.strip()
        if _INTEGER.fullmatch(digits) and len(digits) < _LONGEST_NUMBER:
            number = int(digits)
    elif isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        # A workbook and a database may have no other numbers.
        number = int(value)
    if number is None:
        raise _no(value, what)
    if not -limit <= number < limit:
        raise ValueError(f"{number} is no {what}: those go from {-limit} to {limit - 1}")
    return number


def _floating(value: Any) -> float:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise _no(value, "double") from None
    if isinstance(value, str):
        digits = value.strip()
        if _FLOATING.fullmatch(digits):
            return float(digits)
        word = digits.lower().lstrip("+-")
        if word in _NOT_FINITE:
            return -_NOT_FINITE[word] if digits.startswith("-") else _NOT_FINITE[word]
    raise _no(value, "number")


def _decimal(value: Any, precision: int, scale: int) -> Decimal:
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
            raise _no(value, "decimal number")
        # Of a float the digits that are shown, not those of its binary fraction.
        digits = value.strip() if isinstance(value, str) else text(value)
        with localcontext() as context:
            context.prec = 400
            number = Decimal(digits)
            fitting = number.quantize(Decimal(1).scaleb(-scale))
    except DecimalException:
        raise _no(value, "decimal number") from None
    if fitting != number or len(fitting.as_tuple().digits) > precision:
        raise _no(value, f"decimal number of {precision} digits, {scale} of them behind the point")
    return fitting


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and value in (0, 1):
        # SQLite has no other.
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in _BOOLEANS:
        return _BOOLEANS[value.strip().lower()]
    raise _no(value, "boolean: true or false")


def _date(value: Any) -> date:
    if isinstance(value, datetime):
        # A workbook has no date without a time.
        if (value.hour, value.minute, value.second, value.microsecond) != (0, 0, 0, 0):
            raise _no(value, "date: it has a time")
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise _no(value, "day of the calendar") from None
    raise _no(value, "date: 2024-02-29 is one")


def _moment(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        if found := _MOMENT.fullmatch(value.strip()):
            day, clock, fraction, zone = found.groups()
            clock = clock if len(clock) > 5 else f"{clock}:00"
            zone = "+00:00" if zone == "Z" else zone or ""
            zone = f"{zone[:3]}:{zone[-2:] if len(zone) > 3 else '00'}" if zone else ""
            try:
                return datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{zone}")
            except ValueError:
                raise _no(value, "moment of the calendar") from None
        if _DATE.fullmatch(value.strip()):
            return _moment(_date(value))
    raise _no(value, "timestamp: 2024-02-29T08:30:00Z is one")


def _with_zone(value: Any) -> datetime:
    moment = _moment(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _without_zone(value: Any) -> datetime:
    moment = _moment(value)
    return moment.astimezone(timezone.utc).replace(tzinfo=None) if moment.tzinfo else moment


def _binary(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise _no(value, "binary value")


_CONVERSIONS: dict[str, Conversion] = {
    "string": text,
    "double": _floating,
    "float": _floating,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _with_zone,
    "timestamp_ntz": _without_zone,
    "binary": _binary,
}


def kind_of(value: Any) -> str:
    """The data type that a value, not None, has by itself."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, Number):
        return "long" if _INTEGER.fullmatch(value) and abs(int(value[:30])) < 1 << 63 else "double"
    if isinstance(value, int):
        return "long" if -(1 << 63) <= value < 1 << 63 else "double"
    if isinstance(value, float | Decimal):
        return "double"
    if isinstance(value, datetime):
        return "timestamp" if value.tzinfo else "timestamp_ntz"
    if isinstance(value, date):
        return "date"
    if isinstance(value, bytes | bytearray | memoryview):
        return "binary"
    return "string"


def common_kind(kinds: set[str]) -> str:
    """The data type that holds values of all these; text where there is none, as text holds all."""
    if len(kinds) == 1:
        return next(iter(kinds))
    if kinds and kinds <= {"long", "double"}:
        return "double"
    if kinds and kinds <= {"date", "timestamp_ntz"}:
        return "timestamp_ntz"
    return "string"
