"""One of the outputs of a job, for people to read: a map-only job, so that it runs where the data lies.

in   tagged lines
out  the lines of one tag as users read them: pairs, clustered, shape, members, golden, rejected or group
"""

from collections.abc import Iterator
from typing import ClassVar

from mrjob.protocol import BytesValueProtocol
from mrjob.step import MRStep

from pehchan.metadata.plan import Plan
from pehchan.mrjobs.exporting import exporter
from pehchan.mrjobs.job import PehchanJob
from pehchan.mrjobs.wire import CLUSTERED, GOLDEN, GROUP, MEMBERS, PAIRS, REJECTED, SHAPE


class SelectOutput(PehchanJob):
    OUTPUT_PROTOCOL = BytesValueProtocol

    #: Hadoop takes a line for a key and a value, and writes a tab between the two; here the whole line is the key.
    JOBCONF: ClassVar = {"stream.map.output": "keyonlytext"}

    def configure_args(self) -> None:
        super().configure_args()
        self.add_passthru_arg(
            "--select",
            choices=[tag.decode() for tag in (PAIRS, CLUSTERED, SHAPE, MEMBERS, GOLDEN, REJECTED, GROUP)],
            help="which output",
        )
        self.add_file_arg("--plan", help="the plan of the run; pairs are written as it says")

    def steps(self) -> list[MRStep]:
        return [MRStep(mapper_init=self.start, mapper=self.select)]

    def start(self) -> None:
        self._tag = self.options.select.encode()
        self._lines = exporter(self._tag, Plan.read(self.options.plan) if self.options.plan else None)

    def select(self, _: None, line: bytes) -> Iterator[tuple[None, bytes]]:
        """Tagged line -> lines for users, all of them as one value, if it has the tag."""
        tag, _tab, payload = line.partition(b"\t")
        if tag == self._tag and (text := "\n".join(self._lines(payload))):
            yield None, text.encode()


if __name__ == "__main__":
    SelectOutput.run()
