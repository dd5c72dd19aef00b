"""The largest resident memory of any task beside the setting that bounds it, as the input grows.

make bench-memory
"""

import json
import random
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from running import customers
from watching import watch

#: Compared by measures that are quick, as many records meet.
CUSTOMERS = """\
id: id
columns: [id, name, address, city, phone]
lines: true
cutoff: 0
fields:
  name: {measure: exact}
  address: {measure: exact}
  city: {measure: exact}
  phone: {measure: exact}
"""
#: Compared by its name alone, and written out whole: so all of a record travels.
LONG = """\
id: id
columns: [id, name, note]
lines: true
cutoff: 150
fields: {name: {measure: levenshtein}}
"""
#: The measures that hold most for a character: each value as its words, or as its pairs of letters.
PARTS = """\
id: id
columns: [id, name, note]
lines: true
cutoff: 10
fields: {name: {measure: exact}, note: {measure: char-pair}}
"""
#: Many fields, none of which cuts a pair by itself.
FIELDS = 40
WIDE = (
    "id: id\ncutoff: 990\nlines: true\n"
    f"columns: {['id', *(f'f{number}' for number in range(FIELDS))]}\n"
    f"fields: {{{', '.join(f'f{number}: {{measure: exact}}' for number in range(FIELDS))}}}\n"
)
#: All pairs are written out, with both records.
ALL = LONG.replace("150", "1000")

LETTERS = "abcdefghijklmnop "
#: Beyond U+FFFF is the last one: with it Python holds a text in 4 bytes a letter.
CHINESE = "\u6c49\u5b57" * 8 + "\U00020bb7"


def written(folder: Path, records: int, characters: int, letters: str = LETTERS) -> Path:
    """A file of records with a name, and a note of so many characters that is like no other."""
    shuffle = random.Random(1)
    path = folder / "records.txt"
    with path.open("w") as file:
        for number in range(records):
            name = "".join(shuffle.choices("abcdefgh", k=10))
            # A few hundred letters, again and again: drawing all of them would take longer than the job.
            note = "".join(shuffle.choices(letters, k=500)) * (characters // 500 + 1)
            file.write(f"{number},{name},{note[:characters]}\n")
    return path


def numbers(folder: Path, records: int) -> Path:
    """A file of records of many fields, with a number in each that is like no other."""
    path = folder / "records.txt"
    with path.open("w") as file:
        for record in range(records):
            values = (str(record * FIELDS + number) for number in range(FIELDS))
            file.write(f"{record},{','.join(values)}\n")
    return path


class Case(NamedTuple):
    """What the records are, and for which numbers of them and megabytes of memory it is measured."""

    what: str
    schema: str
    input: Callable[[Path, int], Path]
    sizes: tuple[tuple[int, int], ...]
    defines: tuple[str, ...] = ()


WHOLE = ("sts.output.record=true",)
CASES = (
    Case(
        "customers",
        CUSTOMERS,
        customers,
        ((5_000, 256), (20_000, 256), (80_000, 256), (80_000, 512), (80_000, 768)),
    ),
    Case(
        "records of 20 kB, written out whole",
        LONG,
        partial(written, characters=20_000),
        ((500, 256), (1_000, 256), (5_000, 512), (10_000, 768), (20_000, 768)),
        WHOLE,
    ),
    Case(
        "records of 20,000 Chinese letters, written out whole",
        LONG,
        partial(written, characters=20_000, letters=CHINESE),
        ((500, 256), (2_000, 512)),
        WHOLE,
    ),
    Case(
        "records of 1 kB, compared by pairs of letters",
        PARTS,
        partial(written, characters=1_000),
        ((1_000, 256), (4_000, 512)),
    ),
    Case(f"records of {FIELDS} fields", WIDE, numbers, ((2_000, 256), (8_000, 256), (8_000, 768))),
    Case(
        "records of 100 kB, all pairs written out whole",
        ALL,
        partial(written, characters=100_000),
        ((20, 256), (40, 256)),
        WHOLE,
    ),
)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pehchan-bench-") as place:
        folder = Path(place)
        print(
            "| records | memory.mb | buckets | largest task, MB | of memory.mb | s |\n|---|---|---|---|---|---|"
        )
        for case in CASES:
            (folder / "schema.yaml").write_text(case.schema)
            for records, megabytes in case.sizes:
                path = case.input(folder, records)
                defines = [
                    word for each in (f"memory.mb={megabytes}", *case.defines) for word in ("-D", each)
                ]
                seconds, (largest, *_) = watch(
                    ["similarity", str(path), "-s", "schema.yaml", "--overwrite", "-o", "out", *defines],
                    folder,
                )
                (buckets,) = json.loads((folder / "out" / "internal" / "plan.json").read_text())[
                    "default_buckets"
                ]
                print(
                    f"| {records:,} {case.what} | {megabytes} | {buckets} | {largest} | "
                    f"{largest.megabytes / megabytes:.0%} | {seconds:.0f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
