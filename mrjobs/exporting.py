"""What users read: pairs as sifarish writes them, clusters, and lines set aside."""

from collections.abc import Callable, Iterator, Sequence

import orjson

from pehchan.metadata.plan import Plan
from pehchan.mrjobs.wire import CLUSTERED, GROUP, PAIRS, REJECTED, Pair, Pairs


class PairExport:
    """Lines `id1,id2,distance` with the output options of the properties.

    A value that holds the delimiter, a quote or a line end is quoted as in CSV; with compat nothing is quoted,
    and delimiters stand where sifarish puts them.
    """

    def __init__(self, plan: Plan):
        self.plan = plan
        settings = plan.settings
        self._delimiter = settings.output_delimiter
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
        distances = list(map(str, pairs.distances))
        columns = [pairs.first_ids, pairs.second_ids, distances]
        if not self.plan.settings.compat:
            columns = [self._quoted(column) for column in columns]
        return map(self._delimiter.join, zip(*columns, strict=True))

    def _quoted(self, values: list[str]) -> list[str]:
        """The values as CSV fields."""
        # Where all together hold nothing to quote, none does.
        if quoted(text := "".join(values), self._delimiter) == text:
            return values
        return [quoted(value, self._delimiter) for value in values]

    def line(self, pair: Pair) -> str:
        """The line of a pair."""
        settings = self.plan.settings
        both = (pair.first_items, pair.second_items)
        ids = [self._id(pair.first[1], pair.first_items), self._id(pair.second[1], pair.second_items)]
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


def cluster_line(payload: bytes, with_sets: bool) -> str:
    """`cluster_id,record_id,min_distance,max_distance,pairs`; ids as `set:id` with_sets."""
    _, cluster_set, cluster_id, set_name, record_id, nearest, farthest, mates = orjson.loads(payload)
    return ",".join(
        [
            quoted(f"{cluster_set}:{cluster_id}" if with_sets else cluster_id, ","),
            quoted(f"{set_name}:{record_id}" if with_sets else record_id, ","),
            "" if nearest is None else str(nearest),
            "" if farthest is None else str(farthest),
            str(mates),
        ]
    )


def exporter(tag: bytes, plan: Plan | None) -> Callable[[bytes], Iterator[str]]:
    """The function that turns the payload of a tag into lines for users."""
    if tag == PAIRS:
        if plan is None:
            raise ValueError("pairs are written as the plan says, and none was given")
        return PairExport(plan).lines
    if tag == CLUSTERED:
        # Where the set is told by the id, the id says it all.
        with_sets = plan is not None and len(plan.sets) == 2
        return lambda payload: iter((cluster_line(payload, with_sets),))
    if tag in (REJECTED, GROUP):
        return lambda payload: iter((payload.decode("ascii"),))
    raise ValueError(f"no export for lines tagged {tag.decode()!r}")
