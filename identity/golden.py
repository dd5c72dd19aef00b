"""Golden records: of all records of one entity the values to keep, and the records that they came from.

Of the values of a column those that are missing, empty or blank, are never kept where another is there. Which of the
others is, its rule says:

    most-frequent  that most records have
    longest        of the most characters
    newest         of the record of the newest date; one that is missing or cannot be read is older than all others
    source         of the record of the best source; one that is not named is worse than all others
    first          of the record whose id comes first
    all            every distinct one, each once, in the order of the ids of the first records that have them

Where two records are equal by that, the value is kept that more records have, then the longer one, then that of the
record whose id comes first; of equal ids that of the set that comes first. Values are equal where they are the same,
character for character. Nothing depends on the order in which the records come.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from pehchan.distance.windows import moment
from pehchan.metadata.keeping import Rule
from pehchan.metadata.records import Record

#: A record's set and id.
Identity = tuple[str, str]

#: The records of one entity and, of one column, their values and its rule -> a number a record: the smallest is best.
Preference = Callable[[Sequence[Record], Sequence[str], Rule], Sequence[float]]

#: What every Python from 3.10 on reads alike; other forms of ISO 8601, and 24:00, only newer ones read.
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d([Tt ]([01]\d|2[0-3]):\d\d(:\d\d(\.\d{3}(\d{3})?)?)?([+-]\d\d:\d\d)?)?", re.ASCII
)


class Kept(NamedTuple):
    """What is kept of a column: values, and of each the record that it came from; none where all are missing.

    several  whether all values are kept, and not one
    """

    values: tuple[str, ...]
    origins: tuple[Identity, ...]
    several: bool = False


@dataclass(frozen=True)
class GoldenRecord:
    """One record to keep of an entity.

    records  those of the entity, in the order of their ids
    columns  what is kept, by the name of the column
    unread   dates that decide and are there, but cannot be read
    """

    records: tuple[Identity, ...]
    columns: Mapping[str, Kept]
    unread: int = 0

    def to_dict(self, named: Callable[[Identity], str] = itemgetter(1)) -> dict[str, Any]:
        """JSON-safe: {"records": [name], "values": {column: value}, "from": {column: name}}.

        named  how a record is called: by its id, unless sets share ids

        Of a column of which all values are kept both are lists, of the same length. A missing value is "", and comes
        from nowhere.
        """
        values: dict[str, Any] = {}
        origins: dict[str, Any] = {}
        for column, kept in self.columns.items():
            if kept.several:
                values[column] = list(kept.values)
                origins[column] = list(map(named, kept.origins))
            elif kept.values:
                values[column] = kept.values[0]
                origins[column] = named(kept.origins[0])
            else:
                values[column] = ""
        return {"records": list(map(named, self.records)), "values": values, "from": origins}


def golden_of(columns: Sequence[str], rules: Sequence[Rule], records: Sequence[Record]) -> GoldenRecord:
    """The golden record of the records of one entity.

    columns  names of the columns, all different
    rules    how each of them is kept; `Schema.rules` has them
    records  at least one; items beyond the last column are not kept, and those that are not there are missing
    """
    ordered = sorted(records, key=attrgetter("id", "set")) if len(records) > 1 else records
    identities = tuple((record.set, record.id) for record in ordered)
    kept: dict[str, Kept] = {}
    table = zip(*(_filled(record.items, len(columns)) for record in ordered), strict=True)
    for column, rule, values in zip(columns, rules, table, strict=True):
        several = rule.name == "all"
        there = [place for place, value in enumerate(values) if value and not value.isspace()]
        if len(there) > 1:
            there = _every(values, there) if several else [_best(ordered, values, there, rule)]
        if len(there) == 1:
            place = there[0]
            kept[column] = Kept((values[place],), (identities[place],), several)
        else:
            some = itemgetter(*there) if there else lambda _: ()
            kept[column] = Kept(some(values), some(identities), several)
    return GoldenRecord(identities, kept, _unread(ordered, rules))


def _filled(items: Sequence[str], width: int) -> Sequence[str]:
    """So many items, "" for those that are not there."""
    return items if len(items) == width else [*items, *[""] * width][:width]


def _column(records: Sequence[Record], ordinal: int) -> list[str]:
    return [record.items[ordinal] if ordinal < len(record.items) else "" for record in records]


def _every(values: Sequence[str], there: Sequence[int]) -> list[int]:
    """The first place of each distinct value."""
    first: dict[str, int] = {}
    for place in there:
        first.setdefault(values[place], place)
    return list(first.values())


def _best(records: Sequence[Record], values: Sequence[str], there: Sequence[int], rule: Rule) -> int:
    """The place of the value that is kept, of some of which there are two or more."""
    found = [values[place] for place in there]
    count = Counter(found)
    if len(count) == 1 and rule.name not in _OF_RECORDS:
        return there[0]
    preferred = _PREFERENCES[rule.name]([records[place] for place in there], found, rule)
    ranked = zip(preferred, ((-count[value], -len(value)) for value in found), there, strict=True)
    return min(ranked)[-1]


def _none(records: Sequence[Record], values: Sequence[str], rule: Rule) -> Sequence[float]:
    return [0] * len(values)


def _longest(records: Sequence[Record], values: Sequence[str], rule: Rule) -> Sequence[float]:
    return [-len(value) for value in values]


def _newest(records: Sequence[Record], values: Sequence[str], rule: Rule) -> Sequence[float]:
    dates = (read_date(text, rule.format) for text in _column(records, rule.ordinal or 0))
    return [float("inf") if date is None else -date for date in dates]


def _source(records: Sequence[Record], values: Sequence[str], rule: Rule) -> Sequence[float]:
    ranks = {name: rank for rank, name in enumerate(rule.order)}
    sources = [record.set for record in records] if rule.ordinal is None else _column(records, rule.ordinal)
    return [ranks.get(source.strip(), len(ranks)) for source in sources]


def _first(records: Sequence[Record], values: Sequence[str], rule: Rule) -> Sequence[float]:
    return range(len(values))


#: Of each rule that keeps one value what it prefers.
_PREFERENCES: Mapping[str, Preference] = {
    "most-frequent": _none,
    "longest": _longest,
    "newest": _newest,
    "source": _source,
    "first": _first,
}

#: Those that do not go by the values, so that it matters which of some equal ones is kept.
_OF_RECORDS = ("newest", "source")


def _unread(records: Sequence[Record], rules: Sequence[Rule]) -> int:
    """Dates of the records, by which some rule decides, that are there but cannot be read."""
    asked = {(rule.ordinal or 0, rule.format) for rule in rules if rule.name == "newest"}
    return sum(
        bool(text.strip()) and read_date(text, form) is None
        for ordinal, form in asked
        for text in _column(records, ordinal)
    )


@lru_cache(100_000)
def read_date(text: str, form: str = "") -> int | None:
    """Microseconds since 1970 of a date, or a date and a time; None where it cannot be read.

    form  as in Python's strptime; "": ISO 8601, as 2024-05-31 or 2024-05-31T17:30:00Z

    Without a zone it is taken for UTC.
    """
    text = text.strip()
    if form:
        try:
            return moment(text, form)
        except (ValueError, OverflowError):
            return None
    if text[-1:] in ("Z", "z"):
        text = f"{text[:-1]}+00:00"
    if not _ISO.fullmatch(text):
        return None
    try:
        date = datetime.fromisoformat(text.upper())
        if date.tzinfo is None:
            date = date.replace(tzinfo=timezone.utc)
        return (date - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None
