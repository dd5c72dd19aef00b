"""A CSV file of what people decided of two records."""

import os
import re
from collections.abc import Sequence

from pehchan.clustering.decisions import DIFFERENT, MOST_MISTAKES, SAME, Decision, check_decisions
from pehchan.clustering.truth import RecordKey
from pehchan.metadata.csv_rows import csv_rows
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.metadata.plan import Plan

#: Columns, by their names in lower case without what is neither letter nor digit; the last two need not be there.
COLUMNS = {
    "ida": "id_a",
    "idb": "id_b",
    "decision": "decision",
    "seta": "set_a",
    "setb": "set_b",
}
NEEDED = ("id_a", "id_b", "decision")


def decisions_of(path: str | os.PathLike[str], plan: Plan | None, mistakes: Mistakes) -> list[Decision]:
    """The decisions of a file with a header of id_a, id_b and decision, which is `same` or `different`.

    Ids are as clusters/ has them. With several sets they are set:id, unless columns set_a and set_b name the sets;
    other columns are for people. Blanks around a value are no part of it.

    plan  of the run that knows the sets; None: there is one
    """
    found: list[Decision] = []
    try:
        rows = [(line, [value.strip() for value in row]) for line, row in csv_rows(path)]
    except MistakesError as error:
        mistakes.found.extend(error.mistakes)
        return found
    line, header = rows[0] if rows else (1, [])
    names = [re.sub("[^a-z0-9]", "", name.lower()) for name in header]
    place = {column: names.index(name) for name, column in COLUMNS.items() if name in names}
    missing = [column for column in NEEDED if column not in place]
    if ("set_a" in place) != ("set_b" in place):
        missing.append("set_b" if "set_a" in place else "set_a")
    if missing:
        what = f"no column {' and no column '.join(missing)}."
        mistakes.add(f"{path} line {line}", what, f"Give a header: {','.join(NEEDED)}.")
        return found
    own = Mistakes()
    for line, row in rows[1:]:
        where = f"{path} line {line}"
        if len(row) != len(header):
            own.add(where, f"{len(row)} values under {len(header)} columns.", "Quote a value with a comma.")
        else:
            values = {column: row[at] for column, at in place.items()}
            decision = _decision(values, plan, where, own)
            if decision is not None:
                found.append(decision)
        if len(own.found) >= MOST_MISTAKES:
            break
    if not own.found:
        check_decisions(found, own)
    mistakes.found.extend(own.found)
    return found


def _decision(values: dict[str, str], plan: Plan | None, where: str, mistakes: Mistakes) -> Decision | None:
    before = len(mistakes.found)
    word = values["decision"].lower()
    if word not in (SAME, DIFFERENT):
        mistakes.add(where, f"unknown decision {values['decision']!r}.", f"Give {SAME} or {DIFFERENT}.")
    a, b = (
        _record(values[f"id_{side}"], values.get(f"set_{side}"), f"id_{side}", plan, where, mistakes)
        for side in "ab"
    )
    if a is not None and a == b:
        mistakes.add(where, "a record with itself.", "Give the ids of two records.")
    if len(mistakes.found) > before or a is None or b is None:
        return None
    return Decision(a, b, word == SAME, where)


def _record(
    record_id: str, set_name: str | None, column: str, plan: Plan | None, where: str, mistakes: Mistakes
) -> RecordKey | None:
    """Who is meant by an id, and the name of a set where there is a column for it."""
    sets: Sequence[str] = ("",) if plan is None else plan.sets
    if not record_id:
        mistakes.add(where, f"no {column}.", "Give the ids of both records.")
        return None
    if plan is not None and plan.set_from == "id":
        # The id says it all.
        return record_id[: plan.settings.set_id_size], record_id
    if len(sets) < 2:
        if set_name:
            mistakes.add(where, f"a set {set_name!r}, but there is one set.", "Leave its name out.")
        return "".join(sets), record_id
    right = f"Give set:id, with one of {', '.join(sets)}; or the sets in columns set_a and set_b."
    if set_name is None:
        set_name, colon, rest = record_id.partition(":")
        if not colon or not rest:
            mistakes.add(where, f"{column} {record_id!r} does not say of which set it is.", right)
            return None
        record_id = rest
    if set_name not in sets:
        mistakes.add(where, f"{column}: no set {set_name!r}.", right)
        return None
    return set_name, record_id
