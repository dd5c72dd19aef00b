"""Which of the entities that were there goes on as which of those that are there now.

Every entity, the oldest first, goes on where most of its records are, unless an older one does so there; then
where most of the others are, and so on. So where entities become one, the id of the oldest survives, and
where one falls apart, the largest part keeps the id. Of entities of one age the larger one comes first, and
of those the smaller id; of parts of one size the one with the smallest record.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from pehchan.mrjobs.entity_ids import age_of


def continued(clusters: Sequence[Sequence[str]], before: Mapping[str, str]) -> list[str | None]:
    """Of each cluster, whose records are in their order, the id of the entity that goes on as it; None for a new one.

    before  by record the entity that it was in; those that are gone have no say
    """
    parts: dict[str, Counter[int]] = defaultdict(Counter)
    for number, records in enumerate(clusters):
        for record in records:
            if record in before:
                parts[before[record]][number] += 1
    found: list[str | None] = [None] * len(clusters)
    for entity in sorted(parts, key=lambda each: (age_of(each), -parts[each].total(), each)):
        for number, _ in sorted(parts[entity].items(), key=lambda part: (-part[1], clusters[part[0]][0])):
            if found[number] is None:
                found[number] = entity
                break
    return found
