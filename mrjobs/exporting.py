"""What users read: pairs as sifarish writes them, clusters, members of entities, golden records, and lines set
aside.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial

from pehchan.clustering.shape import Shape
from pehchan.learning.odds import log_odds_of, probability_of, steps_of
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.wire import (
    CLUSTERED,
    GOLDEN,
    GROUP,
    MEMBERS,
    PAIRS,
    REJECTED,
    SHAPE,
    Clustered,
    ClusterShapes,
    Members,
    Pair,
    Pairs,
)


class PairExport:
    """Lines `id1,id2,distance` with the output options of the properties.

    A value that holds the delimiter, a quote or a line end is quoted as in CSV; with compat nothing is quoted,
    and delimiters stand where sifarish puts them.
    """

    def __init__(self, plan: Plan):
        self.plan = plan
        settings = plan.settings
        self._delimiter = settings.output_delimiter
        # Of two the first id is of the first set; of more nobody could tell.
        self._with_sets = len(plan.sets) > 2
        schema = plan.schema
        active = {field.ordinal for field in schema.fields}
        if not settings.compat and schema.id_ordinal is not None:
            # The ids stand in the line already.
            active.add(schema.id_ordinal)
        self._active = active

    def lines(self, payload: bytes) -> Iterator[str]:
        """One line a pair of encoded pairs."""
        pairs = Pairs.decode(payload)
        if pairs.first_items:
            return map(self.line, pairs)
        ids = [pairs.first_ids, pairs.second_ids]
        if self._with_sets:
            ids = [
                list(map(with_set, pairs.first_sets, ids[0])),
                list(map(with_set, pairs.second_sets, ids[1])),
            ]
        columns = [*ids, *self._numbers(pairs.distances)]
        if not self.plan.settings.compat:
            columns = [all_quoted(column, self._delimiter) for column in columns]
        return map(self._delimiter.join, zip(*columns, strict=True))

    def _numbers(self, distances: Sequence[int]) -> list[list[str]]:
        """What a line has of the distances; of those of a model the probability and the log odds."""
        steps = log_odds_steps(self.plan)
        if not steps:
            return [list(map(str, distances))]
        return [
            [_probability(distance, steps) for distance in distances],
            [f"{log_odds_of(distance, steps):.2f}" for distance in distances],
        ]

    def line(self, pair: Pair) -> str:
        """The line of a pair."""
        settings = self.plan.settings
        both = (pair.first_items, pair.second_items)
        ids = [self._id(pair.first[1], pair.first_items), self._id(pair.second[1], pair.second_items)]
        if self._with_sets:
            ids = [with_set(pair.first[0], ids[0]), with_set(pair.second[0], ids[1])]
        passive: list[str] = []
        if settings.passive_fields:
            passive = [
                value for items in both for column, value in enumerate(items) if column not in self._active
            ]
        more: list[str] = []
        if settings.extra_fields:
            more = [
                items[column] if column < len(items) else ""
                for items in both
                for column in settings.extra_fields
            ]
        elif settings.output_record:
            more = [value for items in both for value in items]
        front = [*ids, *passive] if settings.ids_first else [*passive, *ids]
        if settings.compat and more:
            return (
                self._join(front) + self._delimiter + self._delimiter + self._join(more) + str(pair.distance)
            )
        return self._join([*front, *more, str(pair.distance)])

    def _id(self, settled: str, items: Sequence[str]) -> str:
        ordinal = self.plan.schema.id_ordinal
        # sifarish knows no suffixes of duplicate ids.
        if self.plan.settings.compat and items and ordinal is not None and items[ordinal]:
            return items[ordinal]
        return settled

    def _join(self, values: Sequence[str]) -> str:
        if self.plan.settings.compat:
            return self._delimiter.join(values)
        return self._delimiter.join(quoted(value, self._delimiter) for value in values)


def quoted(value: str, delimiter: str) -> str:
    """The value as a CSV field: quoted where it holds the delimiter, a quote or a line end."""
    if delimiter in value or '"' in value or "\n" in value or "\r" in value:
        return '"' + value.replace('"', '""') + '"'
    return value


def all_quoted(values: list[str], delimiter: str) -> list[str]:
    """The values as CSV fields."""
    # Where all together hold nothing to quote, none does.
    if quoted(text := "".join(values), delimiter) == text:
        return values
    return [quoted(value, delimiter) for value in values]


def log_odds_steps(plan: Plan | None) -> int:
    """Distances to one of the log odds, 0 where no model made them."""
    return 0 if plan is None or plan.model is None else steps_of(bool(plan.model["without duplicates"]))


def cluster_lines(payload: bytes, with_sets: bool, steps: int = 0) -> Iterator[str]:
    """`cluster_id,record_id,min_distance,max_distance,pairs` of records in clusters; ids as `set:id` with_sets.

    steps  distances to one of the log odds: the least and the largest probability in the place of the distances
    """
    records = Clustered.decode(payload)
    clusters = _ids(records.cluster_sets, records.cluster_ids, with_sets)
    ids = _ids(records.sets, records.ids, with_sets)
    columns = (records.farthest, records.nearest) if steps else (records.nearest, records.farthest)
    told: Callable[[int], str] = partial(_probability, steps=steps) if steps else str
    distances = (["" if distance is None else told(distance) for distance in column] for column in columns)
    return map(",".join, zip(clusters, ids, *distances, map(str, records.mates), strict=True))


def shape_lines(payload: bytes, with_sets: bool, steps: int = 0) -> Iterator[str]:
    """`cluster_id,records,pairs,density,max_distance,bridges` of clusters; ids as `set:id` with_sets.

    steps  distances to one of the log odds: the least probability in the place of the distance
    """
    shapes = ClusterShapes.decode(payload)
    ids = _ids(shapes.sets, shapes.ids, with_sets)
    for cluster, (_, found) in zip(ids, shapes, strict=True):
        shape = Shape(*found)
        farthest = _probability(shape.farthest, steps) if steps else shape.farthest
        numbers = f"{shape.size},{shape.pairs},{shape.density:.6f},{farthest},{shape.bridges}"
        yield f"{cluster},{numbers}"


def member_lines(payload: bytes) -> Iterator[str]:
    """`record_id,entity_id` of records in entities."""
    members = Members.decode(payload)
    return map(",".join, zip(all_quoted(members.ids, ","), all_quoted(members.entities, ","), strict=True))


@cache
def _probability(distance: int, steps: int) -> str:
    """That of a match, of a distance of a model."""
    return f"{probability_of(distance, steps):.6f}"


def with_set(set_name: str, record_id: str) -> str:
    """How a record of one of several sets is written."""
    return f"{set_name}:{record_id}"


def _ids(sets: list[str], ids: list[str], with_sets: bool) -> list[str]:
    if with_sets:
        ids = list(map(with_set, sets, ids))
    return all_quoted(ids, ",")


def exporter(tag: bytes, plan: Plan | None) -> Callable[[bytes], Iterator[str]]:
    """The function that turns the payload of a tag into lines for users."""
    if tag == PAIRS:
        if plan is None:
            raise ValueError("pairs are written as the plan says, and none was given")
        return PairExport(plan).lines
    if tag in (CLUSTERED, SHAPE):
        # Where the set is told by the id, the id says it all.
        lines = cluster_lines if tag == CLUSTERED else shape_lines
        with_sets = plan is not None and len(plan.sets) > 1
        return partial(lines, with_sets=with_sets, steps=log_odds_steps(plan))
    if tag == MEMBERS:
        return member_lines
    if tag in (REJECTED, GROUP, GOLDEN):
        return lambda payload: iter((payload.decode("ascii"),))
    raise ValueError(f"no export for lines tagged {tag.decode()!r}")
