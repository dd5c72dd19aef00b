"""What became of the entities that were there, and why: the log of a state, and what two states differ in."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from pehchan.clustering.decisions import DIFFERENT, SAME, Decision

#: What becomes of an entity that is there no more.
GONE, MERGED_INTO = "gone", "merged into another"

#: Pairs that an entry names at the most.
MOST_PAIRS = 10

#: Two records by their ids, the smaller one first, and how far they are apart.
Pair = tuple[str, str, int]

#: The same as the log tells it: with the distance, a whole number, or the probability that a model gives it.
TellingPair = tuple[str, str, float]


@dataclass(frozen=True)
class Reasons:
    """Why entities are others than before.

    pairs      that are accepted since
    no_longer  that were accepted before
    decided    decisions of people, that are made or taken back
    """

    pairs: Sequence[TellingPair] = ()
    no_longer: Sequence[TellingPair] = ()
    decided: Sequence[Decision] = ()


def changes(
    version: int,
    before: Mapping[str, str],
    after: Mapping[str, str],
    changed: Set[str] = frozenset(),
    reasons: Reasons | None = None,
) -> Iterator[dict[str, Any]]:
    """An entry, for JSON, of each entity that is not as it was, in the order of their ids.

    version        that has it so
    before, after  by record its entity
    changed        records that are there as before, with other values
    """
    reasons = reasons or Reasons()
    was, now = _by_entity(before), _by_entity(after)
    because, no_longer, said = (defaultdict(list) for _ in range(3))
    for found, of, pairs in ((because, after, reasons.pairs), (no_longer, before, reasons.no_longer)):
        for pair in pairs:
            for entity in {of[pair[0]], of[pair[1]]}:
                found[entity].append(list(pair))
    for each in reasons.decided:
        ends = each.a[1], each.b[1]
        for entity in {of[end] for of in (before, after) for end in ends if end in of}:
            said[entity].append([*ends, SAME if each.same else DIFFERENT])
    for entity in sorted({*was, *now}):
        old, new = was.get(entity, frozenset()), now.get(entity, frozenset())
        if old == new and not new & changed:
            continue
        came_from = sorted({before[record] for record in new if record in before} - {entity})
        went_to = sorted({after[record] for record in old if record in after} - {entity})
        entry: dict[str, Any] = {
            "version": version,
            "entity": entity,
            "change": _change(old, new, came_from, went_to),
        }
        for name, value in (
            ("from", came_from),
            ("to", went_to),
            ("came", sorted(new - old)),
            ("left", sorted(old - new)),
            ("changed", sorted(new & old & changed)),
            ("pairs", because[entity][:MOST_PAIRS]),
            ("pairs no longer", no_longer[entity][:MOST_PAIRS]),
            ("decisions", said[entity]),
        ):
            if value:
                entry[name] = value
        yield entry


def _change(
    old: frozenset[str], new: frozenset[str], came_from: Sequence[str], went_to: Sequence[str]
) -> str:
    """One word for what became of an entity."""
    if not old:
        return "split off" if came_from else "new"
    if not new:
        return MERGED_INTO if went_to else GONE
    if came_from:
        return "merged"
    return "split" if went_to else "grown" if new > old else "shrunk" if new < old else "changed"


def _by_entity(entities: Mapping[str, str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for record, entity in entities.items():
        found[entity].add(record)
    return {entity: frozenset(records) for entity, records in found.items()}
