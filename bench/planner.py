"""What is planned beside what is then done, for ten settings, and the search that is chosen beside the others.

    make bench-planner, or python bench/planner.py [--share 0.3] [--runs 3]

Of each setting: the pairs that the plan expects to be compared and those that were; its seconds and those that were
taken, both with the start; and the seconds beside those of all pairs (join=tiles), or of an index wherever there is
one (join=signatures), whichever is quicker.
"""

import argparse
import csv
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from customers import GENERATORS, Record, write
from planned import Asked

#: What is to be reached: pairs off by a tenth or by so many standard errors of the sample, and times as long.
PAIRS_OFF, STANDARD_ERRORS = 0.1, 3
SECONDS_OFF, SLOWER = 2.0, 1.5

SCHEMA = """\
id: id
columns: [{columns}]
lines: true
missing: max
aggregate: {aggregate}
fields:
"""
CUSTOMERS = ("name", "address", "city", "phone")


@dataclass(frozen=True)
class Setting:
    """Records of a kind, and how they are compared.

    fields   field -> how, as in a schema
    numbers  customers with their house as a number and the end of their phone as a date, not with address and phone
    two_sets half of the records against the other half
    """

    kind: str
    records: int
    cutoff: int
    fields: tuple[tuple[str, str], ...]
    aggregate: str = "manhattan"
    numbers: bool = False
    two_sets: bool = False

    def __str__(self) -> str:
        measures = dict.fromkeys(how for _, how in self.fields)
        said = [
            f"{self.kind} {self.records:,}",
            f"cutoff {self.cutoff}",
            *(how.strip("{}") for how in measures),
        ]
        said += [self.aggregate] if self.aggregate != "manhattan" else []
        return ", ".join(said + (["two sets"] if self.two_sets else []))

    def asked(self, folder: Path, share: float) -> Asked:
        """What is asked of pehchan, with a share of the records, written to a folder."""
        folder.mkdir()
        columns = ["id", *(name for name, _ in self.fields)]
        schema = SCHEMA.format(columns=", ".join(columns), aggregate=self.aggregate)
        schema += "".join(f"  {name}: {{measure: {how}}}\n" for name, how in self.fields)
        (folder / "schema.yaml").write_text(schema)
        number = round(self.records * share)
        records = GENERATORS[self.kind](number, 1)
        defines = (f"sts.dist.threshold={self.cutoff}",)
        inputs = (folder / "records.csv",)
        if self.two_sets:
            inputs = folder / "base.csv", folder / "other.csv"
            defines += ("sts.inter.set.matching=true", "sts.base.set.split.prefix=base")
            write(islice(records, number // 2), inputs[0], None)
            write(records, inputs[1], None)
        else:
            write(with_numbers(records) if self.numbers else records, inputs[0], None)
        return Asked(inputs, schema=folder / "schema.yaml", defines=defines)


def with_numbers(records: Iterator[Record]) -> Iterator[Record]:
    """Name, house, a day and city of customers: typos change numbers and days."""
    for line, cluster, household in records:
        name, address, city, phone = next(csv.reader([line]))
        house, digits = (
            "".join(letter for letter in text if letter.isdigit())
            for text in (address.split(" ")[0], phone[-4:])
        )
        day = date(1950, 1, 1) + timedelta(int(digits)) if digits else ""
        yield f"{name},{house},{day},{city}", cluster, household


def text(how: str, **others: str) -> tuple[tuple[str, str], ...]:
    """All fields of customers compared in one way, or some in another."""
    return tuple((name, others.get(name, how)) for name in CUSTOMERS)


WORDS, WHOLE = "edit", "edit, tokens: false"
SETTINGS = (
    Setting("easy", 50_000, 30, text(WORDS)),
    Setting("easy", 50_000, 50, text(WHOLE)),
    Setting("easy", 100_000, 100, text(WORDS)),
    Setting("easy", 50_000, 50, text(WHOLE), aggregate="euclidean"),
    Setting("easy", 50_000, 100, text(WHOLE), two_sets=True),
    Setting("households", 50_000, 50, text(WORDS)),
    Setting("households", 50_000, 100, text(WHOLE)),
    Setting("households", 20_000, 150, text(WORDS)),
    Setting("households", 50_000, 100, text("levenshtein", phone="levenshtein, threshold: 0.2")),
    Setting(
        "households",
        50_000,
        100,
        (
            ("name", "jaro-winkler"),
            ("house", "number, min: 0, max: 10000"),
            ("day", "date, max_days: 3650"),
            ("city", "exact"),
        ),
        numbers=True,
    ),
)


def row(setting: Setting, folder: Path, share: float, runs: int, start: float) -> tuple[str, list[bool]]:
    """A line of the table, and whether pairs, seconds and search are as they are to be."""
    asked = setting.asked(folder, share)
    planned = asked.planned()
    tried = {"auto": asked}
    for join in ("tiles", "signatures"):
        tried[join] = replace(asked, defines=(*asked.defines, f"join={join}"))
    taken: dict[str, list[float]] = {join: [] for join in tried}
    compared = 0
    for _ in range(runs):
        for join, each in tried.items():
            done = each.run(folder)
            taken[join].append(done.seconds)
            compared = done.compared if join == "auto" else compared
    seconds = {join: statistics.median(each) for join, each in taken.items()}
    off, error = planned.candidates / max(1, compared), planned.error / max(1, compared)
    expected = planned.seconds + start
    best = min(("tiles", "signatures"), key=lambda join: seconds[join])
    reached = [
        abs(off - 1) <= max(PAIRS_OFF, STANDARD_ERRORS * error),
        1 / SECONDS_OFF <= expected / seconds["auto"] <= SECONDS_OFF,
        seconds["auto"] <= SLOWER * seconds[best],
    ]
    pairs, times, search = ("yes" if each else "no" for each in reached)
    line = (
        f"| {setting} | {planned.search} | {planned.candidates / planned.records:,.2f} "
        f"| {compared / planned.records:,.2f} | {off:.2f}, {pairs} (standard error {error:.0%}) "
        f"| {expected:,.1f} | {seconds['auto']:,.1f} | {expected / seconds['auto']:.2f}, {times} "
        f"| {best} {seconds[best]:,.1f} | {seconds['auto'] / seconds[best]:.2f}, {search} |"
    )
    return line, reached


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--share", type=float, default=1.0, help="of the records of each setting; for a trial"
    )
    parser.add_argument("--runs", type=int, default=1, help="of each, of which the middle one counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
        folder = Path(place)
        few = Setting("easy", 10, 50, text(WORDS)).asked(folder / "start", 1.0)
        start = statistics.median(few.run(folder / "start").seconds for _ in range(3))
        print(
            f"The start takes {start:.1f} s.\n\n"
            "| setting | search | pairs a record, as planned | as compared | off | s, as planned | s | off "
            "| best by hand, s | times |\n|---|---|---|---|---|---|---|---|---|---|"
        )
        rows = []
        for number, setting in enumerate(SETTINGS):
            line, reached = row(setting, folder / str(number), options.share, options.runs, start)
            rows.append(reached)
            print(line, flush=True)
        pairs, seconds, search = (sum(column) for column in zip(*rows, strict=True))
        print(
            f"\nOf {len(rows)}: pairs within a tenth, or {STANDARD_ERRORS} standard errors of the sample, {pairs}; "
            f"seconds within {SECONDS_OFF:g} times {seconds}; at most {SLOWER:g} times as long as the best by hand "
            f"{search}."
        )


if __name__ == "__main__":
    main()
