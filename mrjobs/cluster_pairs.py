"""Clusters of records from their pairs.

in   tagged lines (`pairs` of record_similarity, `records` of settle_records for records that may be alone), or
     delimited lines id1,id2,...,distance
out  tagged lines: `clustered`, every record once with its cluster; `rejected`, lines set aside
"""

import csv
from collections.abc import Iterator
from typing import Any

import orjson
from mrjob.step import MRStep

from pehchan.clustering.clusters import connected_clusters
from pehchan.metadata.records import Records, Rejected, RejectedLine, ascii_json, decode_line
from pehchan.mrjobs.job import PehchanJob, file_name, input_file
from pehchan.mrjobs.wire import (
    CLUSTERED,
    GROUP,
    PAIRS,
    PAIRS_VERSION,
    RECORDS,
    REJECTED,
    Identity,
    Pair,
    Pairs,
)

#: Pairs or records that a mapper gathers before it sends them on.
GATHERED = 1000

#: All pairs meet in one reducer.
TOGETHER = b"g"
ASIDE = b"x"


class ClusterPairs(PehchanJob):
    def configure_args(self) -> None:
        super().configure_args()
        self.add_passthru_arg(
            "--cutoff", type=int, help="pairs at or under this distance belong together (required)"
        )
        self.add_passthru_arg("--delimiter", default=",", help="between the columns of delimited lines")
        self.arg_parser.add_argument("--properties", help="properties file that may hold the cutoff")

    def steps(self) -> list[MRStep]:
        return [
            MRStep(
                mapper_init=self.start_reading,
                mapper=self.read_line,
                mapper_final=self.stop_reading,
                reducer=self.cluster,
                reducer_final=self.send_counters,
            )
        ]

    def make_runner(self) -> Any:
        """A runner for this job; the cutoff may stand in the properties."""
        if self.options.cutoff is None:
            from pehchan.mrjobs.planner import cutoff_for_job

            self.options.cutoff = cutoff_for_job(self.options.properties)
            self._cl_args = [*self._cl_args, "--cutoff", str(self.options.cutoff)]
        return super().make_runner()

    def start_reading(self) -> None:
        self._pairs = Pairs()
        self._records: list[Identity] = []

    def read_line(self, _: None, line: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs at or under the cutoff and records, gathered, to the one reducer."""
        tag, _tab, payload = line.partition(b"\t")
        if tag == RECORDS:
            records = Records.decode(payload)
            self._records += [(records.set, record_id) for record_id in records.ids]
        elif tag == PAIRS:
            self._pairs.extend(Pairs.decode(payload).within(self.options.cutoff))
        elif tag == REJECTED:
            yield ASIDE, payload
        elif tag != GROUP:
            # Some runners end lines at a bare CR and others do not, so that all of them do here.
            for single in line.split(b"\r"):
                if not single.strip():
                    continue
                try:
                    pair = self._delimited_pair(single)
                    if pair.distance <= self.options.cutoff:
                        self._pairs.append(pair)
                    self.count("Pairs", "Read")
                except RejectedLine as reason:
                    self.count("Pairs", "Rejected")
                    text = single.decode("utf-8", "backslashreplace")
                    yield ASIDE, Rejected(text, file_name(input_file()), str(reason)).encode()
        if len(self._pairs) >= GATHERED or len(self._records) >= GATHERED:
            yield from self._send()

    def _delimited_pair(self, line: bytes) -> Pair:
        text, delimiter = decode_line(line), self.options.delimiter
        if len(delimiter) == 1 and '"' in text:
            columns = next(csv.reader([text], delimiter=delimiter))
        else:
            columns = text.split(delimiter)
        if len(columns) < 3:
            raise RejectedLine(f"expected id{delimiter}id{delimiter}distance, found {len(columns)} columns")
        try:
            distance = int(columns[-1])
        except ValueError:
            raise RejectedLine("the last column is no whole number where the distance was expected") from None
        return Pair(("", columns[0]), ("", columns[1]), distance)

    def _send(self) -> Iterator[tuple[bytes, bytes]]:
        if self._pairs:
            yield TOGETHER, b"p" + self._pairs.encode()
            self._pairs = Pairs()
        if self._records:
            yield TOGETHER, b"r" + ascii_json(self._records)
            self._records = []

    def stop_reading(self) -> Iterator[tuple[bytes, bytes]]:
        yield from self._send()
        self.send_counters()

    def cluster(self, key: bytes, values: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """All pairs and records -> every record with its cluster."""
        if key == ASIDE:
            yield from ((REJECTED, value) for value in values)
            return
        # Identities are compared by id first: the smallest id of a cluster names it.
        records: list[tuple[str, str]] = []
        pairs: list[tuple[tuple[str, str], tuple[str, str], int]] = []
        for value in values:
            if value[:1] == b"r":
                records.extend((record_id, set_name) for set_name, record_id in orjson.loads(value[1:]))
            else:
                more = Pairs.decode(value[1:])
                firsts = zip(more.first_ids, more.first_sets, strict=True)
                pairs.extend(
                    zip(
                        firsts,
                        zip(more.second_ids, more.second_sets, strict=True),
                        more.distances,
                        strict=True,
                    )
                )
        size = 0
        previous = None
        for member in connected_clusters(records, pairs):
            size = size + 1 if member.cluster == previous else 1
            if size == 1:
                self.count("Clusters", "All")
            elif size == 2:
                self.count("Clusters", "Of two or more")
            if size >= 2:
                self.count("Clusters", "Records that duplicate another")
            previous = member.cluster
            yield (
                CLUSTERED,
                encode_member(member.cluster[::-1], member.record[::-1], member.nearest, member.farthest),
            )


def encode_member(cluster: Identity, record: Identity, nearest: int | None, farthest: int | None) -> bytes:
    """A record in its cluster as [version, cluster set, cluster id, set, id, nearest, farthest]."""
    return ascii_json([PAIRS_VERSION, *cluster, *record, nearest, farthest])


if __name__ == "__main__":
    ClusterPairs.run()
