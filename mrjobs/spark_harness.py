"""mrjob's Spark harness, which spark-submit runs, with four parts of its own.

* Lines come as the bytes they are. Spark's text files are strings, in which bytes that are no UTF-8 are replaced,
  so that a line that is set aside elsewhere would be a record here.
* A mapper reads one file, as on every other runner. Spark lets a task read several, or none of any.
* There are more reducers than cores, however few parts the input has.
* A task counts once. Spark adds up what each run of it has counted, where it runs one again because a node is lost
  with its output.

Runs without pehchan, so that the driver need not find it.
"""

import os
from itertools import groupby
from operator import itemgetter
from urllib.parse import unquote

from mrjob.spark import harness

#: Reducers a core where the job does not say how many: large cells do not hold up the others.
REDUCERS_A_CORE = 3


def lines_with_path(context, source):
    """RDD of (file, line) of `files:` and the quoted path of a file or a folder.

    Of `lines:` and a path the lines are ASCII, and nobody asks for their file: that takes less time to start.
    """
    from pyspark.sql import SparkSession, functions

    kind, _, quoted = source.partition(":")
    path = unquote(quoted)
    if kind == "lines" and "," not in path:
        return context.textFile(path, use_unicode=False).map(lambda line: ("", line))
    lines = SparkSession(context).read.option("lineSep", "\n").text(path)
    # A string of Spark's holds the bytes of the file until it leaves the JVM; as binary it stays so.
    columns = lines.select(functions.input_file_name(), functions.col("value").cast("binary"))
    return columns.rdd.map(lambda row: (row[0], bytes(row[1]).rstrip(b"\r\n")))


def run_mapper(make_job, step_num, lines, with_path, plain=harness._run_mapper):
    """RDD of what the job's mapper makes of an RDD of lines."""
    if not with_path:
        return plain(make_job, step_num, lines, with_path)

    def map_files(lines):
        for path, of_file in groupby(lines, key=itemgetter(0)):
            os.environ["mapreduce_map_input_file"] = unquote(path)  # noqa: SIM112
            job = make_job("mapper", step_num)
            read, write = job.pick_protocols(step_num, "mapper")
            for key, value in job.map_pairs((read(line) for _, line in of_file), step_num):
                yield write(key, value)

    return lines.mapPartitions(map_files)


def shuffle(lines, num_reducers=None, plain=harness._shuffle_and_sort, **options):
    """RDD of the lines with those of a key together."""
    enough = max(lines.getNumPartitions(), REDUCERS_A_CORE * lines.ctx.defaultParallelism)
    return plain(lines, num_reducers=num_reducers or enough, **options)


class CountedOnce:
    """Adds up the counters of tasks, for an accumulator of Spark's: those of each part of each stage once.

    In a task they are {(stage, part): {group: {name: amount}}}, in the driver {group: {name: amount}}.
    """

    def __init__(self):
        #: (stage, part) of the tasks that the driver has counted.
        self.counted = set()

    def zero(self, value):
        return {}

    def addInPlace(self, counters, more):
        from pyspark import TaskContext

        task = TaskContext.get()
        if task is not None:
            # A stage that runs again keeps its number.
            _add(counters.setdefault((task.stageId(), task.partitionId()), {}), more)
            return counters
        for part, amounts in more.items():
            if part not in self.counted:
                self.counted.add(part)
                _add(counters, amounts)
        return counters


def _add(counters, more):
    for group, amounts in more.items():
        for name, amount in amounts.items():
            of_group = counters.setdefault(group, {})
            of_group[name] = of_group.get(name, 0) + amount


def main(arguments=None):
    """mrjob's harness with these parts."""
    harness._text_file_with_path = lines_with_path
    harness._run_mapper = run_mapper
    harness._shuffle_and_sort = shuffle
    harness.CounterAccumulator = CountedOnce
    harness.main(arguments)


if __name__ == "__main__":
    main()
    from pyspark import SparkContext

    # Spark's workers would else be found dead, and its log speak of lost executors after a run that went well.
    SparkContext.getOrCreate().stop()
