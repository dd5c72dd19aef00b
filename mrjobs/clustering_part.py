"""What a reducer of cluster_pairs has of some components: their records and pairs, and the clusters of these."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import orjson
from numpy.typing import NDArray

from pehchan.clustering.clusters import Clustering, Clusters, Decided, Links
from pehchan.mrjobs.coded import CodedPairs, Codes64, Named, as_bytes, codes_of, identity_of, text_array
from pehchan.mrjobs.wire import Clustered, ClusterShapes, Identity

#: Records or clusters of a line.
A_LINE = 1000


@dataclass(frozen=True)
class Part:
    """Records, numbered in the order of their names, and pairs of them.

    names      bytes[n]
    known      bool[n]: those that are of the records, and not only of pairs
    links      the pairs
    columns    a list of values a compared field, "" where a record brought none; none where they were not asked for
    decisions  the numbers of those that were sent here
    """

    names: NDArray[np.bytes_]
    known: NDArray[np.bool_]
    links: Links
    columns: Sequence[list[str]]
    decisions: frozenset[int] = frozenset()

    @classmethod
    def of(cls, lines: Iterable[bytes]) -> "Part | None":
        """Of encoded records, of which one may be there several times (n), encoded pairs of them (p), and numbers of
        decisions, as JSON or nothing (d).

        None where two records have one code, so that nobody knows whose the pairs are.
        """
        names, codes, known = [text_array([])], [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=bool)]
        columns: list[list[str]] = []
        # As arrays at once: many lines of them take no more room than these.
        pairs: list[CodedPairs] = []
        decisions: set[int] = set()
        read = 0
        for line in lines:
            if line[:1] == b"d":
                decisions.update(orjson.loads(line[1:] or b"[]"))
                continue
            if line[:1] == b"p":
                pairs.append(_narrow(CodedPairs.decode(line[1:])))
                continue
            each = Named.decode(line[1:])
            names.append(text_array(as_bytes(each.names)))
            codes.append(each.codes)
            known.append(np.full(len(each.codes), each.known))
            columns = columns or [[""] * read for _ in each.columns]
            for column, more in zip(
                columns, each.columns or [[""] * len(each.codes)] * len(columns), strict=True
            ):
                column += more
            read += len(each.codes)
        every = np.concatenate(names)
        del names
        order = np.argsort(every, kind="stable")
        every = every[order]
        first = np.ones(len(every), dtype=bool)
        first[1:] = every[1:] != every[:-1]
        every = every if first.all() else every[first]
        is_known = np.zeros(len(every), dtype=bool)
        number = np.cumsum(first, dtype=np.int32) - 1
        np.logical_or.at(is_known, number, np.concatenate(known)[order])
        values = [_first_there(column, order, number) for column in columns]
        code = np.concatenate(codes)[order[first]]
        del order, number, first, codes, known, columns
        by_code = np.argsort(code, kind="stable").astype(np.int32)
        code = code[by_code]
        if (code[1:] == code[:-1]).any():
            return None
        links = _links(pairs, by_code, code)
        return cls(every, is_known, links, values, frozenset(decisions))

    def number_of(self, name: bytes) -> int | None:
        """The number of a record with this name; None where there is none."""
        place = bisect_left(self.names, name)
        return place if place < len(self.names) and self.names[place] == name else None

    def identity(self, number: int) -> Identity:
        """The set and id of a record."""
        return identity_of(bytes(self.names[number]).decode("utf-8", "surrogatepass"))

    def identities(self, numbers: NDArray[np.int64]) -> tuple[list[str], list[str]]:
        """The sets and ids of records."""
        names = self.names[numbers].tolist()
        text = b"\n".join(names)
        if b"\0" not in text and text.count(b"\n") == len(names) - 1:
            return [""] * len(names), text.decode("utf-8", "surrogatepass").split("\n")
        both = [identity_of(name.decode("utf-8", "surrogatepass")) for name in names]
        return [each[0] for each in both], [each[1] for each in both]

    def clusters(self, clustering: Clustering, decided: Decided | None = None) -> Clusters:
        """The clusters of all records."""
        return clustering.clusters(len(self.names), self.links, decided)

    def lines(self, clusters: Clusters, salt: int | None = None) -> Iterator[Clustered]:
        """Every record with its cluster; with a salt also with its component, as the code of its smallest record."""
        order = np.argsort(clusters.cluster, kind="stable")
        for start in range(0, len(order), A_LINE):
            some = order[start : start + A_LINE]
            mates = clusters.mates[some].tolist()
            nearest, farthest = (
                [distance if number else None for distance, number in zip(column, mates, strict=True)]
                for column in (clusters.nearest[some].tolist(), clusters.farthest[some].tolist())
            )
            of_clusters = self.identities(clusters.cluster[some])
            joined: list[int] = []
            if salt is not None:
                joined = codes_of(self.names[clusters.component[some]].tolist(), salt).tolist()
            yield Clustered(*of_clusters, *self.identities(some), nearest, farthest, mates, joined)

    def shapes(self, clusters: Clusters) -> Iterator[ClusterShapes]:
        """Every cluster of two records or more."""
        shapes = clusters.shapes
        for start in range(0, len(shapes.first), A_LINE):
            some = slice(start, start + A_LINE)
            columns = (shapes.size, shapes.pairs, shapes.farthest, shapes.bridges)
            yield ClusterShapes(
                *self.identities(shapes.first[some]), *(column[some].tolist() for column in columns)
            )


def _narrow(pairs: CodedPairs) -> CodedPairs:
    """The same, with distances of 32 bits where these will do."""
    assert pairs.distance is not None
    small = not len(pairs.distance) or np.abs(pairs.distance).max() < 2**31 - 1
    return replace(pairs, distance=pairs.distance.astype(np.int32)) if small else pairs


def _links(pairs: list[CodedPairs], by_code: NDArray[np.int32], codes: Codes64) -> Links:
    """The pairs, with the numbers of records in place of their codes, which ascend. Uses the list up."""
    nothing = np.zeros(0, dtype=np.int32)
    a, b, distances = [nothing], [nothing], [nothing]
    while pairs:
        some = pairs.pop()
        for side, found in ((some.a, a), (some.b, b)):
            found.append(by_code[np.searchsorted(codes, side)])
        distances.append(some.distance)
    return Links.of(np.concatenate(a), np.concatenate(b), np.concatenate(distances))


def _first_there(column: Sequence[str], order: NDArray[np.int64], number: NDArray[np.int64]) -> list[str]:
    """A value a record, of those that it brought."""
    found = [""] * (int(number[-1]) + 1 if len(number) else 0)
    for place, record in zip(order.tolist(), number.tolist(), strict=True):
        found[record] = found[record] or column[place]
    return found


def each_named_once(named: Sequence[Named]) -> Iterator[Named]:
    """The same records, those that only pairs name no more than once, and not where the records have them."""
    known = [each for each in named if each.known]
    yield from known
    others = [each for each in named if not each.known]
    if not others:
        return
    both = [*known, *others]
    codes = np.concatenate([each.codes for each in both])
    names = np.concatenate([text_array(as_bytes(each.names)) for each in both])
    order = np.argsort(codes, kind="stable")
    kept = np.ones(len(codes), dtype=bool)
    # Two records of one code both stay, so that it is noticed.
    kept[order[1:]] = (codes[order[1:]] != codes[order[:-1]]) | (names[order[1:]] != names[order[:-1]])
    start = sum(len(each.codes) for each in known)
    for each in others:
        end = start + len(each.codes)
        yield each.take(np.flatnonzero(kept[start:end]))
        start = end
