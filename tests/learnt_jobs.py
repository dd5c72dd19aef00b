"""The jobs that learn and score, run by themselves on records of a test."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from settled import settled_lines

from pehchan.learning.fields import LearntField, kinds_of
from pehchan.learning.odds import CUTOFF, SCALE
from pehchan.learning.profile import Profile
from pehchan.learning.table import Table
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import read_native
from pehchan.metadata.plan import Plan
from pehchan.metadata.properties import Settings
from pehchan.mrjobs.job import PlannedJob
from pehchan.mrjobs.wire import read_tagged


@dataclass(frozen=True)
class Records:
    """Records of a test: names of the columns, and of each record its set, id and values."""

    names: Sequence[str]
    rows: Sequence[tuple[str, str, Sequence[str]]]
    sets: tuple[str, ...] = ("",)

    @classmethod
    def of(
        cls, names: Sequence[str], columns: Sequence[Sequence[str]], sets: tuple[str, ...] = ("",)
    ) -> "Records":
        """Of columns, with the ids r0, r1 ...; of two sets every other record is in the second."""
        rows = [
            (sets[k % len(sets)], f"r{k}", list(values))
            for k, values in enumerate(zip(*columns, strict=True))
        ]
        return cls(names, rows, sets)

    @property
    def set_numbers(self) -> list[int]:
        return [self.sets.index(set_name) for set_name, _, _ in self.rows]

    @property
    def columns(self) -> list[list[str]]:
        return [[values[k] for _, _, values in self.rows] for k in range(len(self.names))]

    def profile(self) -> Profile:
        return Profile.of(self.names, self.columns, self.set_numbers)

    def table(self, known: Sequence[LearntField] = ()) -> Table:
        """Of the fields that are known, by their names, or those that these records make."""
        fields = known or kinds_of(self.profile()).fields
        columns = [self.columns[self.names.index(field.name)] for field in fields]
        return Table.of(
            fields, columns, [each for _, each, _ in self.rows], np.array(self.set_numbers, np.int8)
        )

    def plan(self, **rules: Sequence[str]) -> Plan:
        """A plan that reads these records settled: the id stands in front of the values."""
        mistakes = Mistakes()
        given = {
            "id": "id",
            "columns": ["id", *self.names],
            "fields": dict.fromkeys(self.names, "exact"),
            **rules,
        }
        schema = read_native(given, "the schema of a test", mistakes)
        mistakes.raise_if_any()
        return Plan(schema, Settings(scale=SCALE), CUTOFF, "settled", "learnt", self.sets)

    def files(self, chance: random.Random, number: int) -> list[bytes]:
        """The records in any order as the lines of so many files, some lines with more of them than others."""
        rows = list(self.rows)
        chance.shuffle(rows)
        files = [b""] * number
        while rows:
            set_name = rows[-1][0]
            line = []
            for _ in range(chance.choice((1, 3, 40))):
                if rows and rows[-1][0] == set_name:
                    _, record_id, values = rows.pop()
                    line.append([record_id, *values])
            files[chance.randrange(number)] += settled_lines(line, set_name)
        return files


def run_job(
    job_class: type[PlannedJob], plan: Plan, files: Sequence[bytes], folder: Path, *switches: str
) -> tuple[list[tuple[bytes, bytes]], Counter[tuple[str, str]]]:
    """What a job writes, tag and payload of each line, and its counters."""
    plan.write(folder / "plan.json")
    paths = [folder / f"part-{number}" for number in range(len(files))]
    for path, content in zip(paths, files, strict=True):
        path.write_bytes(content)
    arguments = ["-r", "inline", "--no-conf", "--plan", str(folder / "plan.json"), *switches]
    job = job_class([*arguments, *map(str, paths)])
    counters: Counter[tuple[str, str]] = Counter()
    with job.make_runner() as running:
        running.run()
        for step in running.counters():
            for group, of_group in step.items():
                counters.update({(group, name): amount for name, amount in of_group.items()})
        return list(read_tagged(b"".join(running.cat_output()).splitlines())), counters
