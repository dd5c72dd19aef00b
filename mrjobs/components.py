"""A round of the search for what a chain of pairs joins, where there are too many pairs for one reducer.

in   tagged lines: `pairs` of record_similarity, or `edges` of an earlier round
out  tagged lines: `edges`, records each with a smaller one of its component

Large-star and small-star of R. Kiveris et al., "Connected Components in MapReduce and Beyond", 2014: a record hands
its larger neighbours the smallest of all, and then its smaller ones. Rounds are run until the counter `Changed` of
`Components` is 0; then each edge is a record with the smallest one of its component. Reducers have many records each,
by a hash, and mappers join what they see themselves, so that little is left after the first round.
"""

from collections.abc import Iterable, Iterator

from mrjob.step import MRStep

from pehchan.clustering.components import smallest_joined
from pehchan.mrjobs.by_part import ByPart, part_of
from pehchan.mrjobs.reading_pairs import ReadsPairs
from pehchan.mrjobs.wire import EDGES, Edges, Identity, Pairs

#: Edges that a mapper joins by itself, before it sends on what is left of them; edges of a line.
JOINED, A_LINE = 200_000, 1000


class Components(ReadsPairs):
    def configure_args(self) -> None:
        super().configure_args()
        self.add_passthru_arg("--parts", type=int, default=1, help="how many parts the records are in")

    def steps(self) -> list[MRStep]:
        return [
            MRStep(
                mapper_init=self.start,
                mapper=self.read_line,
                mapper_final=self.send_both_ways,
                reducer=self.large_star,
                reducer_final=self.send_counters,
            ),
            MRStep(
                mapper_init=self.start,
                mapper=self.to_larger,
                mapper_final=self.send,
                reducer=self.small_star,
                reducer_final=self.send_counters,
            ),
        ]

    def start(self) -> None:
        self._edges: list[tuple[Identity, Identity]] = []
        self._by_part = ByPart(Edges, A_LINE)

    def read_pairs(self, pairs: Pairs) -> Iterator[tuple[bytes, bytes]]:
        """Pairs at or under the cutoff -> from time to time what is left of them, to both of their records."""
        self._edges += [(pair.first, pair.second) for pair in pairs]
        if len(self._edges) >= JOINED:
            yield from self._join_edges()

    def read_other(self, tag: bytes, payload: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The same of edges."""
        if tag == EDGES:
            self._edges += Edges.decode(payload)
        if len(self._edges) >= JOINED:
            yield from self._join_edges()

    def _join_edges(self) -> Iterator[tuple[bytes, bytes]]:
        for record, smallest in smallest_joined(self._edges, in_order).items():
            if record != smallest:
                yield from self._send_to(record, smallest)
                yield from self._send_to(smallest, record)
        self._edges = []

    def _send_to(self, to: Identity, other: Identity) -> Iterator[tuple[bytes, bytes]]:
        part = part_of(to, self.options.parts)
        self._by_part[part].append(to, other)
        yield from self._by_part.if_enough(part)

    def send_both_ways(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self._join_edges()
        yield from self.send()

    def send(self) -> Iterator[tuple[bytes, bytes]]:
        """What has not been sent yet."""
        yield from self._by_part.rest()

    def large_star(self, _: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The neighbours of records -> the larger ones, each with the smallest of all."""
        found = Edges()
        for record, others in _neighbours(values).items():
            smallest = min(min(others, key=in_order), record, key=in_order)
            larger = [other for other in others if in_order(other) > in_order(record)]
            if smallest != record:
                self.count("Components", "Changed", len(larger))
            for other in larger:
                found.append(other, smallest)
        yield from _lines(found)

    def to_larger(self, _: bytes, payload: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Edges -> to the larger record of each."""
        for larger, smaller in Edges.decode(payload):
            yield from self._send_to(larger, smaller)

    def small_star(self, _: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The smaller neighbours of records -> these and the record, each with the smallest of them."""
        found = Edges()
        for record, others in _neighbours(values).items():
            smallest = min(others, key=in_order)
            found.append(record, smallest)
            self.count("Components", "Changed", len(others) - 1)
            for other in others:
                if other != smallest:
                    found.append(other, smallest)
        yield from _lines(found)


def in_order(record: Identity) -> tuple[str, str]:
    """What records are compared by: the id first, as the smallest id of a cluster names it."""
    return record[1], record[0]


def _neighbours(values: Iterable[bytes]) -> dict[Identity, set[Identity]]:
    found: dict[Identity, set[Identity]] = {}
    for value in values:
        for record, other in Edges.decode(value):
            found.setdefault(record, set()).add(other)
    return found


def _lines(edges: Edges) -> Iterator[tuple[bytes, bytes]]:
    yield from ((EDGES, some.encode()) for some in edges.cut(A_LINE))


if __name__ == "__main__":
    Components.run()
