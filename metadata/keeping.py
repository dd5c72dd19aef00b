"""Which value of a column is kept of all records of one entity: the rules of golden records, and their native form.

    most-frequent    longest    first    all
    {newest: updated}    {newest: {column: updated, format: "%d.%m.%Y"}}
    {source: [crm, web]}    {source: {column: system, order: [crm, web]}}

`pehchan.identity.golden` says what each of them does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pehchan.metadata.mistakes import Mistakes, nearest

#: The rules, and what stands with each: first what it needs, then what it may have.
RULES: Mapping[str, tuple[str, ...]] = {
    "most-frequent": (),
    "longest": (),
    "newest": ("column", "format"),
    "source": ("order", "column"),
    "first": (),
    "all": (),
}

#: What a rule looks like that needs something, for a person.
FORMS = {
    "newest": "{newest: updated} with the column of the date, or {newest: {column: updated, format: '%d.%m.%Y'}}",
    "source": "{source: [crm, web]} with the sets, the best first, or {source: {column: system, order: [crm, web]}}",
}


@dataclass(frozen=True)
class Rule:
    """Which value of a column is kept.

    name     of RULES
    column   newest: of the date; source: of what says the source, None: the set of the record does. Its name
    ordinal  its number from 0, None until known
    order    source: the sources, the best first
    format   newest: of the dates, as in Python's strptime; "" for ISO 8601
    """

    name: str = "most-frequent"
    column: str | None = None
    ordinal: int | None = None
    order: tuple[str, ...] = ()
    format: str = ""


@dataclass(frozen=True)
class KeptColumn:
    """A column, by its name, that has a rule of its own; its number from 0, None until known."""

    name: str
    ordinal: int | None
    rule: Rule
    where: str = field(default="", compare=False)


#: Reads a column given by its name or number.
Reference = Callable[[str, str, Any], tuple[str | None, int | None]]


def read_rule(value: Any, where: str, reference: Reference, mistakes: Mistakes) -> Rule | None:
    """The rule of a native form; None, and a mistake, where it is none."""
    name, given = value, dict[str, Any]()
    if isinstance(value, Mapping) and len(value) == 1:
        name, given = next(iter(value.items()))
        if isinstance(given, list):
            given = {"order": given}
        elif not isinstance(given, Mapping):
            given = {"column": given}
    if not isinstance(name, str) or name not in RULES:
        what = f"keep: {name!r} is no rule." if isinstance(name, str) else f"keep: {value!r} cannot be used."
        mistakes.add(where, what, nearest(str(name), RULES))
        return None
    takes = RULES[name]
    if not takes:
        if given:
            mistakes.add(where, f"keep: {name} stands alone.", f"Give keep: {name}.")
        return Rule(name)
    order, form = given.get("order", []), given.get("format", "")
    unknown = [key for key in given if key not in takes]
    if unknown or given.get(takes[0]) in (None, []):
        what = f"{unknown[0]} does not belong to it" if unknown else f"it has no {takes[0]}"
        mistakes.add(where, f"keep: {name}: {what}.", f"Give {FORMS[name]}.")
        return None
    column, ordinal = reference(where, f"keep: {name}: column", given.get("column"))
    if not _are_sources(order):
        right = "Give each source once, as text, the best first."
        mistakes.add(where, f"keep: {name}: order: {order!r} cannot be used.", right)
        return None
    if not _is_format(form):
        right = (
            "Give it as in Python's strptime, such as '%d.%m.%Y'; without one dates are such as 2024-05-31."
        )
        mistakes.add(where, f"keep: {name}: format: {form!r} is no format of dates.", right)
        return None
    return Rule(name, column, ordinal, tuple(map(str, order)), form)


def write_rule(rule: Rule) -> Any:
    """The native form of a rule."""
    parts = {
        "column": rule.ordinal if rule.column is None else rule.column,
        "format": rule.format or None,
        "order": list(rule.order) or None,
    }
    given = {key: part for key, part in parts.items() if part is not None}
    if not given:
        return rule.name
    return {rule.name: next(iter(given.values())) if len(given) == 1 else given}


def _are_sources(order: Any) -> bool:
    # YAML reads a source that is given by its number as a number.
    plain = isinstance(order, list) and all(
        isinstance(each, str | int) and not isinstance(each, bool) for each in order
    )
    return plain and len(set(map(str, order))) == len(order)


def _is_format(form: Any) -> bool:
    if not isinstance(form, str):
        return False
    try:
        datetime.strptime(datetime(2000, 2, 3, 4, 5, 6).strftime(form), form)
    except ValueError:
        return False
    return True
