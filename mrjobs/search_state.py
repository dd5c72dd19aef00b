"""Rows of a state of entities that are looked for: a map-only job, so that it runs where the state lies.

in   lines of state_lines
out  the same, with the rows that are looked for
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from mrjob.protocol import BytesValueProtocol
from mrjob.step import MRStep

from pehchan.mrjobs.job import PehchanJob
from pehchan.mrjobs.state_lines import Search


class SearchState(PehchanJob):
    OUTPUT_PROTOCOL = BytesValueProtocol

    #: Hadoop takes a line for a key and a value, and writes a tab between the two; here the whole line is the key.
    JOBCONF: ClassVar = {"stream.map.output": "keyonlytext"}

    def configure_args(self) -> None:
        super().configure_args()
        self.add_file_arg("--search", help="what is looked for, as state_lines.Search writes it")

    def steps(self) -> list[MRStep]:
        return [MRStep(mapper_init=self.start, mapper=self.search)]

    def start(self) -> None:
        self._search = Search.decode(Path(self.options.search).read_bytes())

    def search(self, _: None, line: bytes) -> Iterator[tuple[None, bytes]]:
        """A line -> its rows that are looked for."""
        found = self._search.in_line(line)
        if found is not None:
            yield None, found.encode()


if __name__ == "__main__":
    SearchState.run()
