"""Clusters of records from their pairs.

in   tagged lines (`pairs` of record_similarity, `records` of settle_records for records that may be alone), or
     delimited lines id1,id2,...,distance; with --decisions a file of what people decided of two records: the same
     ones are a pair 0 apart and always in one cluster, different ones are no pair and never in one
out  tagged lines: `clustered`, every record once with its cluster; `shape`, how the clusters of two records or more
     hold together; `rejected`, lines set aside, and records that only pairs name where all should be there

Between tasks records are codes (pehchan.mrjobs.coded), and their names travel beside the pairs. Where the counter
`Same code` of `Clusters` is not 0, two records had one code, and the clusters of some are missing: to be run again
with another --salt.

Decisions are read by each task, and only their numbers travel, to the part that has both records. `Same` and
`Different` of `Decisions` count those that were followed, each once, and `Of absent records` those of which a record
is neither among the records nor in a pair at or under the cutoff: these are ignored.
"""

from collections.abc import Iterator

import numpy as np
from mrjob.step import MRStep
from numpy.typing import NDArray

from pehchan.clustering.clusters import Clustering, Decided
from pehchan.clustering.cutting import WAYS
from pehchan.metadata.plan import Plan
from pehchan.metadata.records import Records, Rejected, ascii_json
from pehchan.mrjobs.clustering_part import Part, each_named_once
from pehchan.mrjobs.coded import CodedPairs, Codes64, Coding, Named, as_bytes, codes_of, in_parts, names_of
from pehchan.mrjobs.exporting import with_set
from pehchan.mrjobs.joins.all_pairs import hashed
from pehchan.mrjobs.reading_pairs import ReadsPairs
from pehchan.mrjobs.wire import CLUSTERED, EDGES, RECORDS, REJECTED, SHAPE, Pairs

#: Pairs, or records, that a mapper gathers before it sends them on.
GATHERED = 200_000

ASIDE = b"x"


class ClusterPairs(ReadsPairs):
    def configure_args(self) -> None:
        super().configure_args()
        self.add_passthru_arg("--by", choices=sorted(WAYS), default="connected", help="how clusters are made")
        self.add_passthru_arg(
            "--mean", type=int, help="the largest mean distance of clusters that average merges (the cutoff)"
        )
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
            help="how many reducers' worth of pairs there are; of more than one, `edges` of components, made with "
            "the same decisions, must be among the input",
        )
        self.add_passthru_arg("--salt", type=int, default=0, help="of the codes of records")
        self.add_passthru_arg(
            "--with-records",
            action="store_true",
            help="all records are among the input: those that only pairs name are counted, and named",
        )
        self.add_passthru_arg(
            "--components", action="store_true", help="say of each record which others pairs join to it"
        )
        self.add_file_arg(
            "--plan",
            help="the plan of the run that found the pairs: average measures the pairs that are absent",
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
        self._coding = Coding(self.options.salt)
        self._plan = Plan.read(self.options.plan) if self.options.plan else None
        self._known: list[str] = []
        self._values: list[list[str]] = [[] for _ in self._plan.schema.fields] if self._plan else []

    def read_other(self, tag: bytes, payload: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Records, edges and lines set aside."""
        if tag == RECORDS:
            records = Records.decode(payload)
            self._known += names_of([records.set] * len(records), records.ids)
            if self._plan is not None:
                for field, values in zip(self._plan.schema.fields, self._values, strict=True):
                    values += records.column(field.ordinal or 0)
            if len(self._known) >= GATHERED:
                yield from self._send_known()
        elif tag == EDGES and self.options.parts > 1:
            edges = CodedPairs.decode(payload)
            for key, which in self._in_parts(edges.a):
                yield key, b"e" + edges.take(which).encode()
        elif tag == REJECTED:
            yield ASIDE, payload

    def read_pairs(self, pairs: Pairs) -> Iterator[tuple[bytes, bytes]]:
        """Pairs at or under the cutoff, to the part of their first record."""
        firsts = names_of(pairs.first_sets, pairs.first_ids)
        self._coding.add(firsts, names_of(pairs.second_sets, pairs.second_ids), pairs.distances)
        if self._coding.pairs >= GATHERED:
            yield from self._send_pairs()

    def set_aside(self, rejected: Rejected) -> Iterator[tuple[bytes, bytes]]:
        """A line that is no pair."""
        yield ASIDE, rejected.encode()

    def stop_reading(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self.read_waiting()
        yield from self._send_pairs()
        yield from self._send_known()
        if self.decisions:
            # So that each part has a task that looks at its own.
            yield from ((b"%d" % part, b"d") for part in range(self.options.parts))
        self.send_counters()

    def _in_parts(self, codes: Codes64) -> Iterator[tuple[bytes, NDArray[np.int64]]]:
        return in_parts(codes, self.options.parts)

    def _send_pairs(self) -> Iterator[tuple[bytes, bytes]]:
        named, pairs = self._coding.take()
        yield from self._send(named, named.codes)
        for key, which in self._in_parts(pairs.a):
            yield key, b"p" + pairs.take(which).encode()

    def _send_known(self) -> Iterator[tuple[bytes, bytes]]:
        codes = codes_of(as_bytes(self._known), self.options.salt)
        yield from self._send(Named(True, codes, self._known, self._values), codes)
        self._known, self._values = [], [[] for _ in self._values]

    def _send(self, named: Named, to: Codes64) -> Iterator[tuple[bytes, bytes]]:
        """Records, to the parts of some codes."""
        for key, which in self._in_parts(to):
            yield key, b"n" + named.take(which).encode()

    def to_components(self, key: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Pairs, records and edges of some records -> the first two, to the part of their component; and the numbers
        of the decisions of which these records are the first.
        """
        if key == ASIDE:
            yield from ((ASIDE, value) for value in values)
            return
        lines = _by_kind(values)
        edges = CodedPairs.all(lines[b"e"])
        order = np.argsort(edges.a, kind="stable")
        record, smallest = edges.a[order], edges.b[order]
        for named in each_named_once(list(map(Named.decode, lines[b"n"]))):
            yield from self._send(named, _component(named.codes, record, smallest))
        for pairs in map(CodedPairs.decode, lines[b"p"]):
            for to, which in self._in_parts(_component(pairs.a, record, smallest)):
                yield to, b"p" + pairs.take(which).encode()
        if self.decisions:
            codes = codes_of(as_bytes(self.decided_names[0]), self.options.salt)
            own = np.flatnonzero(codes % np.uint64(self.options.parts) == np.uint64(int(key)))
            for to, which in self._in_parts(_component(codes[own], record, smallest)):
                yield to, b"d" + ascii_json(own[which].tolist())

    def cluster(self, key: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """All pairs and records of some components -> every record with its cluster."""
        if key == ASIDE:
            yield from ((REJECTED, value) for value in values)
            return
        part = Part.of(values)
        if part is None:
            self.count("Clusters", "Same code")
            return
        if self.options.with_records:
            yield from self._unknown(part)
        clusters = part.clusters(self._clustering(part), self._decided(part))
        if not len(part.names):
            return
        sizes = clusters.shapes.size
        alone = len(part.names) - int(sizes.sum())
        self.count("Clusters", "All", alone + len(sizes))
        if len(sizes):
            self.count("Clusters", "Of two or more", len(sizes))
            self.count("Clusters", "Records that duplicate another", int(sizes.sum()) - len(sizes))
        yield from ((SHAPE, shapes.encode()) for shapes in part.shapes(clusters))
        salt = self.options.salt if self.options.components else None
        yield from ((CLUSTERED, records.encode()) for records in part.lines(clusters, salt))

    def _decided(self, part: Part) -> Decided | None:
        """What was decided of the records of a part."""
        if not self.decisions:
            return None
        everything = range(len(self.decisions))
        firsts, seconds = map(as_bytes, self.decided_names)
        pairs: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
        for number in sorted(part.decisions) if self.options.parts > 1 else everything:
            same = self.decisions[number].same
            a, b = part.number_of(firsts[number]), part.number_of(seconds[number])
            if a is None or b is None:
                self.count("Decisions", "Of absent records")
                continue
            self.count("Decisions", "Same" if same else "Different")
            pairs[same].append((a, b))
        together, apart = (np.array(pairs[same], dtype=np.int64).reshape(-1, 2) for same in (True, False))
        return Decided(together, apart)

    def _unknown(self, part: Part) -> Iterator[tuple[bytes, bytes]]:
        """Those of which a pair is all that is known."""
        for set_name, record_id in map(part.identity, np.flatnonzero(~part.known).tolist()):
            self.count("Clusters", "Records of pairs alone")
            name = with_set(set_name, record_id) if set_name else record_id
            yield REJECTED, Rejected(name, "", "in a pair, but not among the records").encode()

    def _clustering(self, part: Part) -> Clustering:
        options = self.options
        clean = frozenset(options.clean_set)

        def source_of(number: int) -> str | None:
            set_name = part.identity(number)[0]
            return set_name if set_name in clean else None

        mean = options.cutoff if options.mean is None else options.mean
        far = max(options.far, options.cutoff)
        return Clustering(
            options.by,
            options.cutoff,
            mean,
            far,
            lambda number: hashed("\0".join(part.identity(number))),
            source_of if clean else None,
            self._measure(part, far) if options.plan and options.by == "average" else None,
        )

    def _measure(self, part: Part, far: int):  # type: ignore[no-untyped-def]
        # Here, as the measures take a task longer to import than all else.
        from pehchan.clustering.measuring import measure_of
        from pehchan.mrjobs.learnt import comparison_of

        plan = Plan.read(self.options.plan)
        comparison = comparison_of(plan)
        columns = part.columns or [[""] * len(part.names) for _ in plan.schema.fields]
        # Others are alone, and nobody asks how far they are from anything.
        known = np.zeros(len(part.names), dtype=bool)
        known[part.links.a] = known[part.links.b] = True
        known &= part.known
        asked = known.tolist()
        columns = [
            [value if there else "" for value, there in zip(column, asked, strict=True)] for column in columns
        ]
        return measure_of(comparison, columns, known, far)


def _by_kind(values: Iterator[bytes]) -> dict[bytes, list[bytes]]:
    """Lines by their first letter."""
    found: dict[bytes, list[bytes]] = {b"d": [], b"e": [], b"n": [], b"p": []}
    for value in values:
        found[value[:1]].append(value[1:])
    return found


def _component(codes: Codes64, record: Codes64, smallest: Codes64) -> Codes64:
    """What the components of records go by; that of one without an edge by itself."""
    if not len(record):
        return codes
    places = np.minimum(np.searchsorted(record, codes), len(record) - 1)
    return np.where(record[places] == codes, smallest[places], codes)


if __name__ == "__main__":
    ClusterPairs.run()
