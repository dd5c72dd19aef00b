"""What a run says of two records, or of one and all that it has a pair with, on the terminal."""

import sys
from collections.abc import Mapping, Sequence
from shutil import get_terminal_size
from textwrap import wrap

import numpy as np

from pehchan.clustering.decisions import DECISIONS, DIFFERENT, SAME, Decision, decode_decisions
from pehchan.console.clusters_shown import Values, clustered, items_of
from pehchan.console.evaluating import kept_pairs
from pehchan.console.explaining import Why, explain
from pehchan.console.output import read_plan, read_run, record_folders, tagged_lines
from pehchan.console.scale_words import ScaleWords
from pehchan.console.side_by_side import in_color, marked, show_cluster
from pehchan.console.tables import table
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Records
from pehchan.mrjobs.places import Place
from pehchan.mrjobs.wire import RECORDS, Identity

#: Pairs of one record that are shown.
SHOWN = 10


def explained_text(out: Place, ids: Sequence[str]) -> str:
    """Why two records are as far apart as they are; of one, the same of each pair that it has, the nearest first.

    Raises MistakesError where the output holds no records, or none with such an id.
    """
    run = read_run(out)
    mistakes = Mistakes()
    plan = read_plan(out)
    if plan is None or not record_folders(out, plan) or not (out / "internal" / "pairs").exists():
        mistakes.add(str(out), "holds no records and pairs.", "Name an output of dedupe, link or match.")
        raise MistakesError(mistakes.found)
    cutoff = plan.cutoff if run["cluster_cutoff"] is None else int(run["cluster_cutoff"])
    given = list(dict.fromkeys(ids))
    asked = _records_of(out, plan, given, mistakes)
    mistakes.raise_if_any()
    kept: dict[tuple[Identity, Identity], int] = {}
    for (one, two), distance in kept_pairs(out):
        if asked[0] in (one, two) and asked[-1] in (one, two):
            kept[one, two] = distance
    if len(asked) == 2:
        pairs = [(asked[0], asked[1])]
    else:
        near = sorted(kept, key=lambda pair: (kept[pair], pair))[:SHOWN]
        pairs = [(asked[0], two if one == asked[0] else one) for one, two in near]
    records = sorted({record for pair in pairs for record in pair} | set(asked))
    names, values = items_of(out, plan, records)
    clusters = {record: cluster for cluster, record in clustered(out) if record in values}
    told = out / "internal" / DECISIONS
    decisions = decode_decisions(told.read(), str(told)) if told.exists() else []
    decided = {frozenset((each.a, each.b)): each for each in decisions}
    shown = _Shown(plan, cutoff, names, values, clusters, decided)
    lines = [] if len(asked) == 2 else [shown.alone(asked[0], kept)]
    known = {frozenset(pair) for pair in kept}
    lines += shown.pairs(pairs, known)
    return "\n".join(lines)


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

    def __init__(
        self,
        plan: Plan,
        cutoff: int,
        names: Sequence[str],
        values: Values,
        clusters: Mapping[Identity, Identity],
        decided: Mapping[frozenset[Identity], Decision],
    ):
        self._plan, self._cutoff = plan, cutoff
        self._names, self._values, self._clusters = names, values, clusters
        self._decided = decided
        self._scale = ScaleWords(plan, cutoff)
        self._width = get_terminal_size((110, 40)).columns

    def alone(self, record: Identity, kept: Mapping[tuple[Identity, Identity], int]) -> str:
        """What is said of one record."""
        number = len(kept)
        said = f"{self._id(record)}: "
        if not number:
            return said + f"has no pair {self._scale.within}.\n"
        said += "1 pair" if number == 1 else f"{number:,} pairs"
        return said + (f", the nearest {SHOWN} of them:\n" if number > SHOWN else ":\n")

    def pairs(self, pairs: Sequence[tuple[Identity, Identity]], kept: set[frozenset[Identity]]) -> list[str]:
        """Each of some pairs side by side, and what makes its distance."""
        if not pairs:
            return []
        records = sorted({record for pair in pairs for record in pair})
        place = {record: number for number, record in enumerate(records)}
        i, j = (np.array([place[pair[side]] for pair in pairs], dtype=np.int64) for side in (0, 1))
        found = explain(self._plan, [self._values[record] for record in records], i, j)
        return [self._pair(pair, found.why(k), frozenset(pair) in kept) for k, pair in enumerate(pairs)]

    def _pair(self, pair: tuple[Identity, Identity], why: Why, kept: bool) -> str:
        rows = [(self._id(record), self._values[record]) for record in pair]
        _, _, beside = show_cluster("", self._names, rows, in_color(sys.stdout), self._width).partition("\n")
        where = f"{self._where(why, kept)}{self._decision(pair)}{self._together(pair)}"
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
        said += " apart" if self._plan.model is None else ""
        if why.distance > self._cutoff:
            return f"{said}, beyond the cutoff ({self._scale.cutoff})"
        return f"{said}, within the cutoff ({self._scale.cutoff})" + ("" if kept else ", but never compared")

    def _decision(self, pair: tuple[Identity, Identity]) -> str:
        decision = self._decided.get(frozenset(pair))
        return "" if decision is None else f"; decided: {SAME if decision.same else DIFFERENT}"

    def _together(self, pair: tuple[Identity, Identity]) -> str:
        one, two = (self._clusters.get(record) for record in pair)
        if one is None or two is None:
            return ""
        return f"; in one cluster, {self._id(one)}" if one == two else "; in two clusters"

    def _id(self, record: Identity) -> str:
        set_name, record_id = record
        # What a terminal would obey is shown as an escape.
        record_id = "".join(text for text, _ in marked(record_id, record_id))
        return f"{set_name}:{record_id}" if len(self._plan.sets) > 1 else record_id
