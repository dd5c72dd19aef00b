"""Jobs that show what mrjob's own Spark runner does."""

import os

from mrjob.job import MRJob
from mrjob.protocol import JSONProtocol
from mrjob.step import MRStep


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
