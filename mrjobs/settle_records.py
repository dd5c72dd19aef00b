"""Records with settled ids, from lines.

in   delimited lines, or record lines of ingest, as the plan says
out  tagged lines: `records` some of them, `rejected` a line set aside with its reason, `group` the number of
     records, characters and bytes of a group too large for one bucket
"""

from mrjob.step import MRStep

from pehchan.mrjobs.settling import SettlesRecords


class SettleRecords(SettlesRecords):
    def steps(self) -> list[MRStep]:
        return [self.settle_step()]


if __name__ == "__main__":
    SettleRecords.run()
