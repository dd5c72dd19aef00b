"""The measures by the names that schemas know them by."""

import dataclasses
import difflib
import inspect
import math
import re
import textwrap
from collections.abc import Mapping
from typing import Any, get_origin, get_type_hints

from pehchan.distance.categorical import Categorical
from pehchan.distance.char_pair import CharPair
from pehchan.distance.cosine import Cosine
from pehchan.distance.damerau_levenshtein import DamerauLevenshtein
from pehchan.distance.date import Date
from pehchan.distance.dice import Dice
from pehchan.distance.edit import Edit
from pehchan.distance.event import Event
from pehchan.distance.exact import Exact
from pehchan.distance.geo import Geo
from pehchan.distance.hour_window import HourWindow
from pehchan.distance.jaccard import Jaccard
from pehchan.distance.jaro_winkler import JaroWinkler
from pehchan.distance.levenshtein import Levenshtein
from pehchan.distance.location import Location
from pehchan.distance.measure import Measure
from pehchan.distance.number import Number
from pehchan.distance.time_window import TimeWindow
from pehchan.distance.zero import Zero

MEASURES: dict[str, type[Measure]] = {
    "edit": Edit,
    "levenshtein": Levenshtein,
    "damerau-levenshtein": DamerauLevenshtein,
    "jaro-winkler": JaroWinkler,
    "char-pair": CharPair,
    "jaccard": Jaccard,
    "dice": Dice,
    "cosine": Cosine,
    "number": Number,
    "categorical": Categorical,
    "exact": Exact,
    "zero": Zero,
    "time-window": TimeWindow,
    "hour-window": HourWindow,
    "location": Location,
    "geo": Geo,
    "event": Event,
    "date": Date,
}

_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", tuple: "a list"}


def build(name: str, parameters: Mapping[str, Any], compat: bool = False) -> Measure:
    """The measure of a name with the parameters that a schema gives.

    compat asks for what sifarish computes; measures that do not differ from sifarish's ignore it.
    Raises ValueError, with a text for a person, for an unknown name or parameter, for a parameter of another
    type, and for one that the measure refuses.
    """
    if name not in MEASURES:
        raise ValueError(f'unknown measure "{name}".{_nearest(name, MEASURES)} Known: {", ".join(MEASURES)}.')
    kind = MEASURES[name]
    types = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    takes_compat = fields.pop("compat", None) is not None
    for key, value in parameters.items():
        if key not in fields:
            known = f"Known: {', '.join(fields)}." if fields else "It has none."
            raise ValueError(f'measure "{name}": unknown parameter "{key}".{_nearest(key, fields)} {known}')
        wanted = get_origin(types[key]) or types[key]
        if not _fits(value, wanted):
            raise ValueError(f'measure "{name}": {key} is {value!r}, not {_KINDS[wanted]}')
    for key, field in fields.items():
        if field.default is dataclasses.MISSING and key not in parameters:
            raise ValueError(f'measure "{name}": {key} is missing')
    try:
        measure = kind(**parameters, **({"compat": compat} if takes_compat else {}))
        mistake = measure.check()
    except ValueError as error:
        mistake = str(error)
    if mistake is not None:
        raise ValueError(f'measure "{name}": {mistake}')
    return measure


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(str(name).lower(), known, n=1)
    return f' Did you mean "{close[0]}"?' if close else ""


def _fits(value: Any, wanted: type) -> bool:
    if wanted is tuple:
        return isinstance(value, list | tuple | Mapping)
    if isinstance(value, bool):
        return wanted is bool
    if wanted is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, wanted)


def describe_measures() -> str:
    """Every measure by its name, with what its class says of itself and its parameters."""
    texts = []
    for name, measure in MEASURES.items():
        text = inspect.cleandoc(measure.__doc__ or "")
        defaults = ", ".join(
            field.name if field.default is dataclasses.MISSING else f"{field.name}={field.default!r}"
            for field in dataclasses.fields(measure)  # type: ignore[arg-type]
            if field.name != "compat"
        )
        # compat is asked for by the properties, not by a schema, and the last that a class explains.
        said = re.split(r"\ncompat  +", text)[0]
        texts.append(f"{name}({defaults})\n{textwrap.indent(said, '  ')}\n")
    return "\n".join(texts)
