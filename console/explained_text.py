"""What a run says of two records, or of one and all that it has a pair with, on the terminal."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from shutil import get_terminal_size
from textwrap import wrap

import numpy as np

from pehchan.clustering.decisions import DECISIONS, DIFFERENT, SAME, Decision, decode_decisions
from pehchan.console.clusters_shown import Values, clustered, compared_columns, items_of
from pehchan.console.evaluating import kept_pairs
from pehchan.console.explaining import Why, explain
from pehchan.console.output import read_plan, read_run, record_folders, tagged_lines
from pehchan.console.scale_words import ScaleWords
from pehchan.console.side_by_side import in_color, marked, show_cluster
from pehchan.console.tables import table
from pehchan.console.updating import HereSource
from pehchan.identity.rows import Rows, holding
from pehchan.identity.state import State, is_state, open_state
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Records
from pehchan.mrjobs.exporting import with_set
from pehchan.mrjobs.places import Place, place
from pehchan.mrjobs.wire import RECORDS, Identity

#: Pairs of one record that are shown.
SHOWN = 10

#: Two records and their distance, by pair.
Kept = Mapping[tuple[Identity, Identity], int]


@dataclass(frozen=True)
class _Known:
    """What is known of the records that are asked for, and of those that they have a pair with.

    asked    one record, or two
    kept     the pairs of the one, or that of both, as far as they are there
    shown    the pairs that are shown
    names    of the columns that are compared, of which each record has its values
    groups   by record the cluster or entity that it is in
    called   what one of these is called, and two
    decided  what people decided of two records
    """

    plan: Plan
    cutoff: int
    asked: Sequence[Identity]
    kept: Kept
    shown: Sequence[tuple[Identity, Identity]]
    names: Sequence[str]
    values: Values
    groups: Mapping[Identity, str]
    called: tuple[str, str]
    decided: Iterable[Decision]


def explained_text(path: str, ids: Sequence[str]) -> str:
    """Why two records are as far apart as they are; of one, the same of each pair that it has, the nearest first.

    path  of the output of a run, or of a state, or one of its versions

    Raises MistakesError where that holds no records, or none with such an id.
    """
    given = list(dict.fromkeys(ids))
    known = _in_state(open_state(path), given) if is_state(path) else _in_output(place(path), given)
    shown = _Shown(known)
    lines = [] if len(known.asked) == 2 else [shown.alone()]
    return "\n".join([*lines, *shown.pairs()])


def _in_output(out: Place, ids: Sequence[str]) -> _Known:
    run = read_run(out)
    mistakes = Mistakes()
    plan = read_plan(out)
    if plan is None or not record_folders(out, plan) or not (out / "internal" / "pairs").exists():
        right = "Name an output of dedupe, link or match, or a state."
        mistakes.add(str(out), "holds no records and pairs.", right)
        raise MistakesError(mistakes.found)
    cutoff = plan.cutoff if run["cluster_cutoff"] is None else int(run["cluster_cutoff"])
    asked = _records_of(out, plan, ids, mistakes)
    mistakes.raise_if_any()
    kept: dict[tuple[Identity, Identity], int] = {}
    for (one, two), distance in kept_pairs(out):
        if asked[0] in (one, two) and asked[-1] in (one, two):
            kept[one, two] = distance
    shown = _pairs_shown(asked, kept)
    names, values = items_of(out, plan, _all_of(asked, shown))
    with_sets = len(plan.sets) > 1
    clusters = {
        record: with_set(*cluster) if with_sets else cluster[1]
        for cluster, record in clustered(out)
        if record in values
    }
    told = out / "internal" / DECISIONS
    decisions = decode_decisions(told.read(), str(told)) if told.exists() else []
    return _Known(
        plan, cutoff, asked, kept, shown, names, values, clusters, ("cluster", "clusters"), decisions
    )


def _in_state(state: State, ids: Sequence[str]) -> _Known:
    plan, rows, mistakes = state.read_plan(), Rows(HereSource(state), state.manifest.salt), Mistakes()
    codes = dict(zip(ids, rows.codes(ids), strict=True))
    found = list(rows.bring_pairs(codes.values()))
    rows.bring_members({*codes.values(), *(end for pair in found for end in pair[:2])})
    for record_id, code in codes.items():
        member = rows.member(code)
        if member is None or member.id != record_id:
            mistakes.add(
                record_id, f"no record of {state.folder} has this id.", "Give one as entities has it."
            )
    mistakes.raise_if_any()
    asked: list[Identity] = [("", record_id) for record_id in ids]
    kept: dict[tuple[Identity, Identity], int] = {}
    for one, two, distance in holding(found, rows.members):
        pair = ("", one.id), ("", two.id)
        if asked[0] in pair and asked[-1] in pair:
            kept[pair] = distance
    shown = _pairs_shown(asked, kept)
    columns = compared_columns(plan)
    wanted = rows.codes([record_id for _, record_id in _all_of(asked, shown)])
    rows.bring_records(wanted)
    values: Values = {}
    entities: dict[Identity, str] = {}
    for code in wanted:
        record, member = rows.record(code), rows.member(code)
        assert record is not None
        assert member is not None
        values["", record.id] = [record.items[ordinal] for _, ordinal in columns]
        entities["", record.id] = member.entity
    names, decisions = [name for name, _ in columns], state.read_decisions()
    return _Known(
        plan, plan.cutoff, asked, kept, shown, names, values, entities, ("entity", "entities"), decisions
    )


def _pairs_shown(asked: Sequence[Identity], kept: Kept) -> list[tuple[Identity, Identity]]:
    """That of two records, or the nearest that the one has, which stands first."""
    if len(asked) == 2:
        return [(asked[0], asked[1])]
    near = sorted(kept, key=lambda pair: (kept[pair], pair))[:SHOWN]
    return [(asked[0], two if one == asked[0] else one) for one, two in near]


def _all_of(asked: Sequence[Identity], pairs: Sequence[tuple[Identity, Identity]]) -> list[Identity]:
    return sorted({record for pair in pairs for record in pair} | set(asked))


def _records_of(out: Place, plan: Plan, ids: Sequence[str], mistakes: Mistakes) -> list[Identity]:
    """The records with these ids, or with these sets and ids."""
    found: dict[str, list[Identity]] = {given: [] for given in ids}
    named = {given: given.partition(":")[::2] for given in ids}
    for tag, payload in tagged_lines(record_folders(out, plan)):
        if tag != RECORDS:
            continue
        records = Records.decode(payload)
        there = set(records.ids)
        for given, (set_name, record_id) in named.items():
            if given in there:
                found[given].append((records.set, given))
            elif records.set and set_name == records.set and record_id in there:
                found[given].append((records.set, record_id))
    for given, records_found in found.items():
        if not records_found:
            mistakes.add(given, f"no record of {out} has this id.", "Give one as clusters/ has it.")
        elif len(records_found) > 1:
            sets = " or ".join(f"{set_name}:{record_id}" for set_name, record_id in sorted(records_found))
            mistakes.add(given, "several sets have a record with this id.", f"Give {sets}.")
    return [records_found[0] for records_found in found.values() if records_found]


class _Shown:
    """Pairs of some records, as text."""

    def __init__(self, known: _Known):
        self._known = known
        self._kept = {frozenset(pair) for pair in known.kept}
        self._decided = {frozenset((each.a, each.b)): each for each in known.decided}
        self._scale = ScaleWords(known.plan, known.cutoff)
        self._width = get_terminal_size((110, 40)).columns

    def alone(self) -> str:
        """What is said of one record."""
        number = len(self._kept)
        said = f"{self._id(self._known.asked[0])}: "
        if not number:
            return said + f"has no pair {self._scale.within}.\n"
        said += "1 pair" if number == 1 else f"{number:,} pairs"
        return said + (f", the nearest {SHOWN} of them:\n" if number > SHOWN else ":\n")

    def pairs(self) -> list[str]:
        """Each of the pairs side by side, and what makes its distance."""
        pairs, values = self._known.shown, self._known.values
        if not pairs:
            return []
        records = _all_of((), pairs)
        number = {record: at for at, record in enumerate(records)}
        i, j = (np.array([number[pair[side]] for pair in pairs], dtype=np.int64) for side in (0, 1))
        found = explain(self._known.plan, [values[record] for record in records], i, j)
        return [self._pair(pair, found.why(k)) for k, pair in enumerate(pairs)]

    def _pair(self, pair: tuple[Identity, Identity], why: Why) -> str:
        rows = [(self._id(record), self._known.values[record]) for record in pair]
        _, _, beside = show_cluster("", self._known.names, rows, in_color(sys.stdout), self._width).partition(
            "\n"
        )
        where = (
            f"{self._where(why, frozenset(pair) in self._kept)}{self._decision(pair)}{self._together(pair)}"
        )
        head = f"{rows[0][0]} and {rows[1][0]}: {where}"
        running, lines = 0.0, [("", "distance", self._scale.adds, "together", "")]
        for part in why.parts:
            running += part.share
            apart = "" if part.distance is None else f"{part.distance:.3f}"
            lines.append(
                (part.name, apart, self._scale.points(part.share), self._scale.points(running), part.said)
            )
        said = "".join(f"{text}\n" for text in why.said)
        return "\n".join([*wrap(head, self._width), beside, *table(lines), said])

    def _where(self, why: Why, kept: bool) -> str:
        if why.distance is None:
            return "a field is beyond its threshold"
        said = self._scale.shown(why.distance)
        said += " apart" if self._known.plan.model is None else ""
        if why.distance > self._known.cutoff:
            return f"{said}, beyond the cutoff ({self._scale.cutoff})"
        return f"{said}, within the cutoff ({self._scale.cutoff})" + ("" if kept else ", but never compared")

    def _decision(self, pair: tuple[Identity, Identity]) -> str:
        decision = self._decided.get(frozenset(pair))
        return "" if decision is None else f"; decided: {SAME if decision.same else DIFFERENT}"

    def _together(self, pair: tuple[Identity, Identity]) -> str:
        one, two = (self._known.groups.get(record) for record in pair)
        if one is None or two is None:
            return ""
        group, groups = self._known.called
        return f"; in one {group}, {_visible(one)}" if one == two else f"; in two {groups}"

    def _id(self, record: Identity) -> str:
        set_name, record_id = record[0], _visible(record[1])
        return with_set(set_name, record_id) if len(self._known.plan.sets) > 1 else record_id


def _visible(text: str) -> str:
    """A text in which what a terminal would obey is shown as an escape."""
    return "".join(part for part, _ in marked(text, text))
