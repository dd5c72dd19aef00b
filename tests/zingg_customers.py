"""Made-up customers in the columns of Zingg's febrl examples, of whom it is known who is who."""

import csv
from pathlib import Path

from people import people

COLUMNS = ("rec_id", "fname", "lname", "stNo", "add1", "add2", "city", "state", "areacode", "dob", "ssn")


def customers(persons: int, seed: int = 1) -> list[list[str]]:
    """Rows with COLUMNS. rec_id tells the truth: rec-7-org, and rec-7-dup for the same person again."""
    columns, _, pairs = people(persons, seed)
    second = {j: i for i, j in pairs}
    rows = []
    for number, (first, last, street, city, birth, phone) in enumerate(zip(*columns, strict=True)):
        of = second.get(number, number)
        number_of_street, _, name = street.partition(" ")
        kind = "dup" if number in second else "org"
        state = ("nsw", "vic", "qld")[len(city) % 3]
        rows.append(
            [
                *(f"rec-{of}-{kind}", first, last, number_of_street, name, "", city, state),
                *(str(2000 + of % 97), birth.replace("-", ""), phone),
            ]
        )
    return rows


def person(rec_id: str) -> str:
    """Who it is."""
    return rec_id.rsplit("-", 1)[0]


def write(path: Path, rows: list[list[str]]) -> None:
    """CSV without a header, as Zingg reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
