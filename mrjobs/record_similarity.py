"""Distances of record pairs.

in   settled records (tagged lines of settle_records), or lines as the schema says: then they are settled first
out  tagged lines: `pairs`, batches of pairs at or under the cutoff, each pair of records once; `rejected`,
     lines set aside with their reason
"""

from mrjob.step import MRStep

from pehchan.mrjobs.comparing import ComparesRecords
from pehchan.mrjobs.settling import SettlesRecords


class RecordSimilarity(SettlesRecords, ComparesRecords):
    def steps(self) -> list[MRStep]:
        compare = MRStep(
            mapper_init=self.start_routing,
            mapper=self.route_record,
            mapper_final=self.stop_routing,
            reducer_init=self.start_comparing,
            reducer=self.compare_cell,
            reducer_final=self.stop_comparing,
        )
        return [compare] if self.plan.input == "settled" else [self.settle_step(), compare]


if __name__ == "__main__":
    RecordSimilarity.run()
