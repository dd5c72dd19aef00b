"""How jobs read pairs: those of record_similarity, and delimited lines of other programs."""

import csv
from collections.abc import Iterator
from functools import cached_property
from operator import eq
from typing import Any

import numpy as np

from pehchan.clustering.decisions import Decision, check_decisions, read_decisions
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.records import Rejected, RejectedLine, decode_line
from pehchan.mrjobs.coded import name_of
from pehchan.mrjobs.job import PehchanJob, file_name, input_file
from pehchan.mrjobs.wire import PAIRS, TAGS, Pair, Pairs

#: Delimited lines that are read together.
DELIMITED_AT_ONCE = 10_000

DIGITS = "+-_0123456789"


class ReadsPairs(PehchanJob):
    """Mapper that reads pairs at or under a cutoff; a mixin of the jobs that work on pairs."""

    def configure_args(self) -> None:
        super().configure_args()
        self.add_passthru_arg(
            "--cutoff", type=int, help="pairs at or under this distance belong together (required)"
        )
        self.add_passthru_arg("--delimiter", default=",", help="between the columns of delimited lines")
        self.add_file_arg(
            "--decisions",
            help="a file of what people decided of two records (pehchan.clustering.decisions), which comes before "
            "any distance",
        )
        self.arg_parser.add_argument("--properties", help="properties file that may hold the cutoff")

    def make_runner(self) -> Any:
        """A runner for this job; the cutoff may stand in the properties. Decisions must not contradict each other."""
        mistakes = Mistakes()
        check_decisions(self.decisions, mistakes)
        mistakes.raise_if_any()
        if self.options.cutoff is None:
            from pehchan.mrjobs.planner import cutoff_for_job

            self.options.cutoff = cutoff_for_job(self.options.properties)
            self._cl_args = [*self._cl_args, "--cutoff", str(self.options.cutoff)]
        return super().make_runner()

    @cached_property
    def decisions(self) -> list[Decision]:
        """What people decided, the same in all tasks: each of two records once, in order."""
        if not self.options.decisions:
            return []
        told = {each.in_order() for each in read_decisions(self.options.decisions)}
        return sorted(told, key=lambda each: (each.a, each.b, each.same))

    @cached_property
    def decided_names(self) -> tuple[list[str], list[str]]:
        """Of each decision the names of both records."""
        decisions = self.decisions
        return [name_of(*each.a) for each in decisions], [name_of(*each.b) for each in decisions]

    def read_pairs(self, pairs: Pairs) -> Iterator[tuple[bytes, bytes]]:
        """What is sent of pairs at or under the cutoff."""
        raise NotImplementedError

    def read_other(self, tag: bytes, payload: bytes) -> Iterator[tuple[bytes, bytes]]:
        """What is sent of a tagged line that holds no pairs."""
        yield from ()

    def set_aside(self, rejected: Rejected) -> Iterator[tuple[bytes, bytes]]:
        """What is sent of a line that is no pair."""
        yield from ()

    def read_line(self, _: None, line: bytes) -> Iterator[tuple[bytes, bytes]]:
        """A line -> what is sent of its pairs, or of what else it holds; delimited ones wait for others."""
        tag, _tab, payload = line.partition(b"\t")
        if tag == PAIRS:
            yield from self.read_pairs(Pairs.decode(payload).within(self.options.cutoff))
            return
        if tag in TAGS:
            yield from self.read_other(tag, payload)
            return
        self._waiting.append(line)
        if len(self._waiting) >= DELIMITED_AT_ONCE:
            yield from self.read_waiting()

    @cached_property
    def _waiting(self) -> list[bytes]:
        """Delimited lines that were not read yet."""
        return []

    def read_waiting(self) -> Iterator[tuple[bytes, bytes]]:
        """Delimited lines that wait -> what is sent of their pairs; to be called after the last line as well."""
        lines, self._waiting = self._waiting, []
        if not lines:
            return
        found = plain_pairs(lines, self.options.delimiter)
        if found is not None:
            self.count("Pairs", "Read", len(found))
            yield from self.read_pairs(found.within(self.options.cutoff))
            return
        found = Pairs()
        # Some runners end lines at a bare CR and others do not, so that all of them do here.
        for single in (single for line in lines for single in line.split(b"\r")):
            if not single.strip():
                continue
            try:
                pair = self._delimited_pair(single)
            except RejectedLine as reason:
                self.count("Pairs", "Rejected")
                text = single.decode("utf-8", "backslashreplace")
                yield from self.set_aside(Rejected(text, file_name(input_file()), str(reason)))
                continue
            self.count("Pairs", "Read")
            if pair.distance <= self.options.cutoff:
                found.append(pair)
        yield from self.read_pairs(found)

    def _delimited_pair(self, line: bytes) -> Pair:
        text, delimiter = decode_line(line), self.options.delimiter
        if len(delimiter) == 1 and '"' in text:
            try:
                columns = next(csv.reader([text], delimiter=delimiter))
            except csv.Error as error:
                raise RejectedLine(f"not CSV: {error}") from None
        else:
            columns = text.split(delimiter)
        if len(columns) < 3:
            raise RejectedLine(f"expected id{delimiter}id{delimiter}distance, found {len(columns)} columns")
        try:
            distance = int(columns[-1])
        except ValueError:
            raise RejectedLine("the last column is no whole number where the distance was expected") from None
        if distance < 0:
            raise RejectedLine("the distance is below 0")
        if not (columns[0] and columns[1]):
            raise RejectedLine("no id where that of a record was expected")
        if columns[0] == columns[1]:
            raise RejectedLine("a pair of a record with itself")
        return Pair(("", columns[0]), ("", columns[1]), distance)


def plain_pairs(lines: list[bytes], delimiter: str) -> Pairs | None:
    """The pairs of lines of id, id and distance with nothing to unquote or to set aside; None where one is not so."""
    text = b"\n".join(lines) + b"\n"
    if (
        len(delimiter.encode()) != 1
        or delimiter in DIGITS
        or any(mark in text for mark in (b'"', b"\r", b"\0"))
    ):
        return None
    letters = np.frombuffer(text, dtype=np.uint8)
    marks = letters[(letters == ord(delimiter)) | (letters == ord("\n"))]
    if (
        len(marks) != 3 * len(lines)
        or (marks[2::3] != ord("\n")).any()
        or (marks == ord("\n")).sum() != len(lines)
    ):
        return None
    try:
        columns = text.decode().replace("\n", delimiter).split(delimiter)
        distances = list(map(int, columns[2::3]))
    except ValueError:
        return None
    firsts, seconds = columns[:-1:3], columns[1::3]
    if any(map(eq, firsts, seconds)) or not (all(firsts) and all(seconds)) or min(distances) < 0:
        return None
    no_set = [""] * len(lines)
    return Pairs(no_set, firsts, no_set, seconds, distances)
