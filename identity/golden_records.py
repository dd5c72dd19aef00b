"""Golden records: one record to keep of each cluster, as the schema of a plan asks for.

in   tagged lines: `records` of settle_records, and `clustered` of cluster_pairs or `members` of
     current_members
out  tagged lines: `golden`, a JSON object each: {"entity": cluster, "records": [...], "values": {...}, "from": {...}}

Records find their clusters by a hash of their ids, and then those of a cluster each other by a hash of its id: a
reducer holds one of 1024 parts of all records, or one cluster where that is larger. Of records in no cluster, and of
members of clusters that are not among the records, nothing is kept.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from operator import itemgetter

import orjson
from mrjob.step import MRStep

from pehchan.identity.golden import golden_of
from pehchan.metadata.records import Record, Records, ascii_json
from pehchan.mrjobs.exporting import with_set
from pehchan.mrjobs.job import PlannedJob
from pehchan.mrjobs.settling import BATCHES_HELD, drawer_of
from pehchan.mrjobs.wire import CLUSTERED, GOLDEN, MEMBERS, RECORDS, Clustered, Identity, Members, tagged

#: First in what travels to where records find their clusters: records, and their clusters.
RECORD, CLUSTER = b"r", b"c"

#: The counter of dates that decide, and cannot be read.
UNREAD = "Dates that cannot be read"


class GoldenRecords(PlannedJob):
    @property
    def reads_files(self) -> bool:
        """The input is lines of jobs."""
        return False

    def steps(self) -> list[MRStep]:
        return [
            MRStep(
                mapper_init=self.start,
                mapper=self.read_line,
                mapper_final=self.send_all,
                reducer_init=self.start,
                reducer=self.find_clusters,
                reducer_final=self.send_all,
            ),
            MRStep(reducer_init=self.start_keeping, reducer=self.keep, reducer_final=self.send_counters),
        ]

    def start(self) -> None:
        #: (part, set, strings a record) -> records that wait
        self._records: dict[tuple[int, str, int], list[str]] = defaultdict(list)
        #: part -> set and id of clusters, and set and id of their records, one after the other, that wait
        self._clusters: dict[int, list[str]] = defaultdict(list)
        #: Bytes of the lines that they came in.
        self._gathered = 0
        self._most = self.plan.settings.batch_bytes * BATCHES_HELD

    def read_line(self, _: None, line: bytes) -> Iterator[tuple[bytes, bytes]] | None:
        """Records, and records in clusters -> to the part of each record, many together."""
        tag, payload = tagged(line)
        if tag == RECORDS:
            records = Records.decode(payload)
            for record in records:
                gathered = self._records[drawer_of(record.id), records.set, records.width]
                gathered.append(record.id)
                gathered += record.items
        elif tag in (CLUSTERED, MEMBERS):
            for cluster, member in (Clustered if tag == CLUSTERED else Members).decode(payload):
                self._clusters[drawer_of(member[1])] += (*cluster, *member)
        else:
            return None
        return self._enough(len(payload))

    def _enough(self, size: int) -> Iterator[tuple[bytes, bytes]] | None:
        """What is sent, once there is enough of it with so many bytes more."""
        self._gathered += size
        return self.send_all() if self._gathered >= self._most else None

    def send_all(self) -> Iterator[tuple[bytes, bytes]]:
        """All that waits."""
        for (part, set_name, width), values in self._records.items():
            yield b"%d" % part, RECORD + Records(set_name, width, values).encode()
        for part, identities in self._clusters.items():
            yield b"%d" % part, CLUSTER + ascii_json(identities)
        self._records.clear()
        self._clusters.clear()
        self._gathered = 0

    def find_clusters(self, _: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """A part of the records, and their clusters -> to the part of each cluster, records that begin with it."""
        cluster_of: dict[Identity, Identity] = {}
        lines = []
        for value in values:
            if value[:1] == RECORD:
                lines.append(value[1:])
                continue
            found = orjson.loads(value[1:])
            clusters, records = (
                zip(found[::4], found[1::4], strict=True),
                zip(found[2::4], found[3::4], strict=True),
            )
            cluster_of.update(zip(records, clusters, strict=True))
        for line in lines:
            for set_name, record_id, items in Records.decode(line):
                cluster = cluster_of.get((set_name, record_id))
                if cluster is not None:
                    gathered = self._records[drawer_of(cluster[1]), set_name, 3 + len(items)]
                    gathered += (record_id, *cluster)
                    gathered += items
            yield from self._enough(len(line)) or ()

    def start_keeping(self) -> None:
        schema = self.plan.schema
        self._columns, self._rules = schema.columns, schema.rules
        several = len(self.plan.sets) > 1
        self._named: Callable[[Identity], str] = (lambda each: with_set(*each)) if several else itemgetter(1)

    def keep(self, _: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The records of some clusters -> the golden record of each."""
        members: dict[Identity, list[Record]] = defaultdict(list)
        for value in values:
            for set_name, record_id, (cluster_set, cluster_id, *items) in Records.decode(value[1:]):
                members[cluster_set, cluster_id].append(Record(set_name, record_id, items))
        for cluster in sorted(members):
            golden = golden_of(self._columns, self._rules, members[cluster])
            self.count("Golden", "Records")
            if golden.unread:
                self.count("Golden", UNREAD, golden.unread)
            yield GOLDEN, ascii_json({"entity": self._named(cluster), **golden.to_dict(self._named)})


if __name__ == "__main__":
    GoldenRecords.run()
