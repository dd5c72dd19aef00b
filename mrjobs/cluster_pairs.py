"""Clusters of records from their pairs.

in   tagged lines (`pairs` of record_similarity, `records` of settle_records for records that may be alone), or
     delimited lines id1,id2,...,distance
out  tagged lines: `clustered`, every record once with its cluster; `shape`, how every cluster of two records or more
     holds together; `rejected`, lines set aside
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple

from mrjob.step import MRStep

from pehchan.clustering.clusters import Cluster, Clustering, Member
from pehchan.clustering.cutting import WAYS
from pehchan.metadata.records import Records, Rejected, ascii_json
from pehchan.mrjobs.by_part import ByPart, part_of
from pehchan.mrjobs.joins.all_pairs import hashed
from pehchan.mrjobs.reading_pairs import ReadsPairs
from pehchan.mrjobs.wire import (
    CLUSTERED,
    EDGES,
    RECORDS,
    REJECTED,
    SHAPE,
    Edges,
    Identities,
    Identity,
    Pairs,
)

MEMBER_VERSION = 2
SHAPE_VERSION = 1

#: Pairs or records that a mapper gathers before it sends them on.
GATHERED = 1000

ASIDE = b"x"


class _Parts:
    """Pairs, records and edges that wait to be sent, by the part of the record that decides where they go."""

    def __init__(self, number: int, of: Callable[[Identity], Identity] = lambda record: record):
        self._number, self._of = number, of
        self._pairs = ByPart(Pairs, GATHERED, b"p")
        self._records = ByPart(Identities, GATHERED, b"r")
        self._edges = ByPart(Edges, GATHERED, b"e")

    def _part(self, record: Identity) -> int:
        return part_of(self._of(record), self._number) if self._number > 1 else 0

    def pairs(self, pairs: Pairs) -> Iterator[tuple[bytes, bytes]]:
        """Pairs, to the part of the first record of each."""
        if self._number == 1:
            self._pairs[0].extend(pairs)
            yield from self._pairs.if_enough(0)
            return
        for pair in pairs:
            part = self._part(pair.first)
            self._pairs[part].append(pair)
            yield from self._pairs.if_enough(part)

    def records(self, records: Iterable[Identity]) -> Iterator[tuple[bytes, bytes]]:
        """Records that may be alone."""
        for record in records:
            part = self._part(record)
            self._records[part].append(record)
            yield from self._records.if_enough(part)

    def edges(self, edges: Edges) -> Iterator[tuple[bytes, bytes]]:
        """Records, each with the smallest one of its component."""
        for record, smallest in edges:
            part = self._part(record)
            self._edges[part].append(record, smallest)
            yield from self._edges.if_enough(part)

    def rest(self) -> Iterator[tuple[bytes, bytes]]:
        """What has not been sent yet."""
        for waiting in (self._pairs, self._records, self._edges):
            yield from waiting.rest()


class ClusterPairs(ReadsPairs):
    def configure_args(self) -> None:
        super().configure_args()
        self.add_passthru_arg("--by", choices=sorted(WAYS), default="connected", help="how clusters are made")
        self.add_passthru_arg(
            "--far", type=int, default=1000, help="the distance of two records without a pair (1000)"
        )
        self.add_passthru_arg(
            "--clean-set",
            action="append",
            default=[],
            help="a set without duplicates: a cluster holds at most one of its records",
        )
        self.add_passthru_arg(
            "--parts",
            type=int,
            default=1,
            help="how many reducers' worth of pairs there are; of more than one, `edges` of components must be "
            "among the input",
        )

    def steps(self) -> list[MRStep]:
        read = {
            "mapper_init": self.start_reading,
            "mapper": self.read_line,
            "mapper_final": self.stop_reading,
        }
        make = {"reducer": self.cluster, "reducer_final": self.send_counters}
        if self.options.parts == 1:
            return [MRStep(**read, **make)]
        return [MRStep(**read, reducer=self.to_components), MRStep(**make)]

    def start_reading(self) -> None:
        self._by_part = _Parts(self.options.parts)

    def read_other(self, tag: bytes, payload: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Records, edges and lines set aside."""
        if tag == RECORDS:
            records = Records.decode(payload)
            yield from self._by_part.records((records.set, record_id) for record_id in records.ids)
        elif tag == EDGES:
            yield from self._by_part.edges(Edges.decode(payload))
        elif tag == REJECTED:
            yield ASIDE, payload

    def read_pairs(self, pairs: Pairs) -> Iterator[tuple[bytes, bytes]]:
        """Pairs at or under the cutoff, to the part of their first record."""
        yield from self._by_part.pairs(pairs)

    def set_aside(self, rejected: Rejected) -> Iterator[tuple[bytes, bytes]]:
        """A line that is no pair."""
        yield ASIDE, rejected.encode()

    def stop_reading(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self._by_part.rest()
        self.send_counters()

    def to_components(self, key: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Pairs, records and edges of some records -> the first two, to the part of their component."""
        if key == ASIDE:
            yield from ((ASIDE, value) for value in values)
            return
        smallest: dict[Identity, Identity] = {}
        pairs, records = [], []
        for value in values:
            if value[:1] == b"e":
                smallest.update(Edges.decode(value[1:]))
            elif value[:1] == b"r":
                records += Identities.decode(value[1:])
            else:
                pairs.append(Pairs.decode(value[1:]))
        parts = _Parts(self.options.parts, lambda record: smallest.get(record, record))
        for some in pairs:
            yield from parts.pairs(some)
        yield from parts.records(records)
        yield from parts.rest()

    def cluster(self, key: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """All pairs and records of some components -> every record with its cluster."""
        if key == ASIDE:
            yield from ((REJECTED, value) for value in values)
            return
        # Identities are compared by id first: the smallest id of a cluster names it.
        records: list[Identity] = []
        pairs: list[tuple[Identity, Identity, int]] = []
        for value in values:
            if value[:1] == b"r":
                records.extend((record_id, set_name) for set_name, record_id in Identities.decode(value[1:]))
            else:
                more = Pairs.decode(value[1:])
                firsts = zip(more.first_ids, more.first_sets, strict=True)
                seconds = zip(more.second_ids, more.second_sets, strict=True)
                pairs.extend(zip(firsts, seconds, more.distances, strict=True))
        if records:
            named = {record for pair in pairs for record in pair[:2]}
            self.count("Clusters", "Records of pairs alone", len(named.difference(records)))
        for cluster in self._clustering().clusters(records, pairs):
            yield from self._lines(cluster)

    def _clustering(self) -> Clustering[Identity]:
        options = self.options
        clean = frozenset(options.clean_set)
        return Clustering(
            options.by,
            options.cutoff,
            max(options.far, options.cutoff),
            lambda record: hashed(f"{record[1]}\0{record[0]}"),
            (lambda record: record[1] if record[1] in clean else None) if clean else None,
        )

    def _lines(self, cluster: Cluster) -> Iterator[tuple[bytes, bytes]]:
        self.count("Clusters", "All")
        if cluster.shape is not None:
            size = len(cluster.members)
            self.count("Clusters", "Of two or more")
            self.count("Clusters", "Records that duplicate another", size - 1)
            name, set_name = cluster.members[0].cluster
            yield SHAPE, ascii_json([SHAPE_VERSION, set_name, name, *astuple(cluster.shape)])
        for member in cluster.members:
            yield CLUSTERED, encode_member(member)


def encode_member(member: Member) -> bytes:
    """A record in its cluster as [version, cluster set, cluster id, set, id, nearest, farthest, mates]."""
    of_cluster, of_record = member.cluster[::-1], member.record[::-1]
    return ascii_json(
        [MEMBER_VERSION, *of_cluster, *of_record, member.nearest, member.farthest, member.mates]
    )


if __name__ == "__main__":
    ClusterPairs.run()
