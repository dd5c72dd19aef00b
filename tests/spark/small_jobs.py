"""Jobs that show what mrjob's own Spark runner does."""

import os
from pathlib import Path

from mrjob.job import MRJob
from mrjob.protocol import JSONProtocol
from mrjob.step import MRStep

from pehchan.mrjobs.job import PehchanJob


class DifferingSteps(MRJob):
    """Two steps that differ in their jobconf: counts the words, then says how many words there are of each count."""

    def steps(self):
        return [
            MRStep(mapper=self.words, reducer=self.count),
            MRStep(mapper=self.by_count, reducer=self.count, jobconf={"spark.task.maxFailures": "2"}),
        ]

    def words(self, _, line):
        for word in line.split():
            yield word, 1

    def by_count(self, word, count):
        yield count, 1

    def count(self, key, ones):
        yield key, sum(ones)


class OneWord(MRJob):
    """Takes a switch without a value, and counts lines."""

    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--loud", action="store_true")

    def mapper(self, _, line):
        yield "lines", 1

    def reducer(self, key, ones):
        yield key, sum(ones)


class CombinesLists(MRJob):
    """A combiner, and lists for keys."""

    INTERNAL_PROTOCOL = JSONProtocol

    def mapper(self, _, line):
        for word in line.split():
            yield [word, len(word)], 1

    def combiner(self, key, ones):
        yield key, sum(ones)

    def reducer(self, key, ones):
        yield key, sum(ones)


class NamesFiles(MRJob):
    """Each line with the name of its file."""

    def mapper(self, _, line):
        yield os.environ["mapreduce_map_input_file"].rpartition("/")[2], line  # noqa: SIM112


class RunsAgain(PehchanJob):
    """Counts the lines by their last digit. Once, a mapper fails, or what mappers have made is lost."""

    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--what", choices=["fail", "lose"])
        self.add_passthru_arg("--once", help="a file that is made when it has happened")
        self.add_passthru_arg("--shuffled", help="the folder in which Spark keeps what mappers have made")

    def mapper(self, _, line):
        self.increment_counter("Tests", "lines")
        yield line[-1:], b"1"

    def mapper_final(self):
        if self.options.what == "fail" and not os.path.exists(self.options.once):
            Path(self.options.once).touch()
            raise ValueError("as it was told to")

    def reducer(self, key, ones):
        if self.options.what == "lose" and not os.path.exists(self.options.once):
            Path(self.options.once).touch()
            for made in Path(self.options.shuffled).glob("**/shuffle_*"):
                made.unlink()
        self.increment_counter("Tests", "keys")
        yield key, b"%d" % len(list(ones))
