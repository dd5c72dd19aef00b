"""A round of the search for what a chain of pairs joins, where there are too many pairs for one reducer.

in   tagged lines: `pairs` of record_similarity, or `edges` of an earlier round; or delimited lines of pairs;
     in the first round, and no later one, decisions: each two records of one, also different ones, are in one
     component, so that one reducer has both
out  tagged lines: `edges`, records each with another one of its component that has a smaller code

Records are codes (pehchan.mrjobs.coded), and tasks join arrays of them. A mapper leaves of what it sees, some
millions of edges at a time, a tree a component, each record with the smallest. With one part a reducer does the same
with all that is left, and that is the end. With several, large-star and small-star of R. Kiveris et al., "Connected
Components in MapReduce and Beyond", 2014: a record hands its larger neighbours the smallest of all, and then its
smaller ones. Rounds are run until the counter `Changed` of `Components` is 0; then each edge is a record with the
smallest one of its component. The counter `Edges` says how many are left.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from mrjob.step import MRStep
from numpy.typing import NDArray

from pehchan.clustering.components import components
from pehchan.mrjobs.coded import A_LINE, CodedPairs, Codes64, Coding, in_parts, names_of
from pehchan.mrjobs.reading_pairs import ReadsPairs
from pehchan.mrjobs.wire import EDGES, Pairs

#: Edges that a mapper joins by itself, before it sends on what is left of them; pairs of them whose names are made
#: codes together.
JOINED, CODED = 2_000_000, 100_000


class Components(ReadsPairs):
    def configure_args(self) -> None:
        super().configure_args()
        self.add_passthru_arg("--parts", type=int, default=1, help="how many parts the records are in")
        self.add_passthru_arg("--salt", type=int, default=0, help="of the codes of records")

    def steps(self) -> list[MRStep]:
        first = {
            "mapper_init": self.start,
            "mapper": self.read_line,
            "mapper_final": self.join_rest,
            "reducer_final": self.send_counters,
        }
        if self.options.parts == 1:
            return [MRStep(**first, reducer=self.join_all)]
        return [
            MRStep(**first, reducer=self.large_star),
            MRStep(
                mapper_init=self.start,
                mapper=self.to_larger,
                mapper_final=self.to_larger_rest,
                reducer=self.small_star,
                reducer_final=self.send_counters,
            ),
        ]

    def start(self) -> None:
        self._coding = Coding(self.options.salt)
        self._edges: list[CodedPairs] = []
        self._held = 0

    def read_pairs(self, pairs: Pairs) -> Iterator[tuple[bytes, bytes]]:
        """Pairs at or under the cutoff -> from time to time what is left of them, to both of their records."""
        firsts = names_of(pairs.first_sets, pairs.first_ids)
        self._coding.add(firsts, names_of(pairs.second_sets, pairs.second_ids), pairs.distances)
        if self._coding.pairs >= CODED:
            yield from self._hold(self._coding.take()[1])

    def read_other(self, tag: bytes, payload: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The same of edges."""
        if tag == EDGES:
            yield from self._hold(CodedPairs.decode(payload))

    def _hold(self, edges: CodedPairs) -> Iterator[tuple[bytes, bytes]]:
        self._edges.append(edges)
        self._held += len(edges.a)
        if self._held >= JOINED:
            yield from self._join()

    def _join(self) -> Iterator[tuple[bytes, bytes]]:
        edges, self._edges, self._held = self._edges, [], 0
        trees = joined(edges)
        if self.options.parts == 1:
            yield from ((b"0", trees.take(which).encode()) for which in _lines(len(trees.a)))
            return
        for one in (trees, CodedPairs(trees.b, trees.a)):
            for key, which in in_parts(one.a, self.options.parts):
                yield key, one.take(which).encode()

    def join_rest(self) -> Iterator[tuple[bytes, bytes]]:
        """What is left of the last edges."""
        yield from self.read_waiting()
        firsts, seconds = self.decided_names
        self._coding.add(firsts, seconds, [0] * len(firsts))
        yield from self._hold(self._coding.take()[1])
        yield from self._join()

    def join_all(self, _: bytes, values: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """All edges -> each record with the smallest of its component."""
        yield from self._left(joined(list(map(CodedPairs.decode, values))))

    def large_star(self, _: bytes, values: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The neighbours of records -> the larger ones, each with the smallest of all."""
        lines = list(values)
        record, smallest = _smallest(map(CodedPairs.decode, lines), with_record=True)
        # Line by line, as all of a component may be neighbours of one record.
        for line in lines:
            edges = CodedPairs.decode(line)
            least = smallest[np.searchsorted(record, edges.a)]
            larger = edges.b > edges.a
            self.count("Components", "Changed", int(np.count_nonzero(larger & (least != edges.a))))
            if larger.any():
                yield EDGES, CodedPairs(edges.b[larger], least[larger]).encode()

    def to_larger(self, _: bytes, payload: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Edges -> to the larger record of each."""
        edges = CodedPairs.decode(payload)
        self._edges.append(edges)
        self._held += len(edges.a)
        if self._held >= JOINED:
            yield from self.to_larger_rest()

    def to_larger_rest(self) -> Iterator[tuple[bytes, bytes]]:
        """Edges that were not sent yet, each once."""
        edges, self._edges, self._held = self._edges, [], 0
        once = _each_once(both_sides(edges))
        for key, which in in_parts(once.a, self.options.parts):
            yield key, once.take(which).encode()

    def small_star(self, _: bytes, values: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The smaller neighbours of records -> these and the record, each with the smallest of them."""
        edges = _each_once(both_sides(list(map(CodedPairs.decode, values))))
        record, smallest = _smallest([edges], with_record=False)
        least = smallest[np.searchsorted(record, edges.a)]
        others = edges.b != least
        self.count("Components", "Changed", int(np.count_nonzero(others)))
        a = np.concatenate([record, edges.b[others]])
        yield from self._left(CodedPairs(a, np.concatenate([smallest, least[others]])))

    def _left(self, edges: CodedPairs) -> Iterator[tuple[bytes, bytes]]:
        self.count("Components", "Edges", len(edges.a))
        for which in _lines(len(edges.a)):
            yield EDGES, edges.take(which).encode()


def joined(edges: list[CodedPairs]) -> CodedPairs:
    """Of records that edges join, each but the smallest of a component with that one. Uses the list up."""
    codes, places = _numbered(both_sides(edges))
    a, b = places[: len(places) // 2], places[len(places) // 2 :]
    smallest = components(len(codes), a, b)
    del a, b, places
    others = np.flatnonzero(smallest != np.arange(len(codes), dtype=np.int32))
    return CodedPairs(codes[others], codes[smallest[others]])


def both_sides(edges: list[CodedPairs]) -> CodedPairs:
    """All edges as one. Uses the list up, so that they are not held twice."""
    nothing = [np.zeros(0, dtype=np.uint64)]
    a, b = [each.a for each in edges], [each.b for each in edges]
    edges.clear()
    a = [np.concatenate(a or nothing)]
    return CodedPairs(a[0], np.concatenate(b or nothing))


def _numbered(edges: CodedPairs) -> tuple[Codes64, NDArray[np.int32]]:
    """The codes of edges, ascending, and the number of each end among them, those of all a before those of all b."""
    ends = np.concatenate([edges.a, edges.b])
    # By order, as to look each up takes longer, and so does numpy's unique, which hashes.
    order = np.argsort(ends)
    ends = ends[order]
    first = np.ones(len(ends), dtype=bool)
    first[1:] = ends[1:] != ends[:-1]
    codes = ends[first]
    del ends
    places = np.empty(len(order), dtype=np.int32)
    places[order] = np.cumsum(first, dtype=np.int32) - 1
    return codes, places


def _each_once(edges: CodedPairs) -> CodedPairs:
    order = np.lexsort((edges.b, edges.a))
    a, b = edges.a[order], edges.b[order]
    first = np.ones(len(a), dtype=bool)
    first[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    return CodedPairs(a[first], b[first])


def _smallest(edges: Iterable[CodedPairs], with_record: bool) -> tuple[Codes64, Codes64]:
    """The records a of edges, ascending, and the smallest of its neighbours, and of itself where asked, for each."""
    of_lines = [
        _least(each.a, np.minimum(each.a, each.b) if with_record else each.b) for each in edges if len(each.a)
    ]
    nothing = [np.zeros(0, dtype=np.uint64)]
    record, smallest = (np.concatenate([each[side] for each in of_lines] or nothing) for side in (0, 1))
    return _least(record, smallest)


def _least(record: Codes64, others: Codes64) -> tuple[Codes64, Codes64]:
    record, place = np.unique(record, return_inverse=True)
    least = np.full(len(record), np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(least, place, others)
    return record, least


def _lines(number: int) -> Iterator[NDArray[np.int64]]:
    """The places of so many edges, some at a time."""
    for start in range(0, number, A_LINE):
        yield np.arange(start, min(number, start + A_LINE))


if __name__ == "__main__":
    Components.run()
