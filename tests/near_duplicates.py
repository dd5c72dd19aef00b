"""Records of which many are near duplicates, with fields of several measures: written to files, for whole runs."""

import csv
import random
from pathlib import Path

SCHEMA = """\
id: id
columns: [id, name, address, phone, price, kind]
lines: true
fields:
  name: {measure: edit, fold: [case]}
  address: {measure: edit, tokens: false}
  phone: levenshtein
  price: {measure: number, min: 0, max: 1000}
  kind: {measure: exact, weight: 0.5}
cutoff: 60
"""

LETTERS = "abcdefghijklmnopqrstuvwxyzäé中🙂"


def written(folder: Path, records: int = 3000) -> tuple[Path, Path]:
    """The files of so many records, which are always the same, and of their schema."""
    choice = random.Random(11)

    def word(least: int, most: int) -> str:
        return "".join(choice.choices(LETTERS, k=choice.randint(least, most)))

    def near(value: str) -> str:
        place = choice.randrange(len(value) + 1)
        return value[:place] + choice.choice(["", word(1, 1)]) + value[place + choice.randint(0, 1) :]

    rows: list[list[str]] = []
    for number in range(records):
        if number % 2:
            _, *values = choice.choice(rows)
            changed = choice.randrange(4)
            values[changed] = f"{choice.randrange(1000)}" if changed == 3 else near(values[changed])
            if choice.random() < 0.1:
                values[choice.randrange(5)] = ""
        else:
            values = [
                f"{word(2, 7)} {word(1, 9)}",
                f"{choice.randrange(200)} {word(3, 12)} st",
                "".join(choice.choices("0123456789", k=10)),
                str(choice.randrange(1000)),
                choice.choice("abc"),
            ]
        rows.append([str(number), *values])
    data, schema = folder / "near.csv", folder / "near.yaml"
    with data.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    schema.write_text(SCHEMA)
    return data, schema
