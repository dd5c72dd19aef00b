"""Tables of what the Java original computes, for the tests of the measures."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

TABLES = Path(__file__).parent.parent / "golden" / "unit"


@pytest.fixture(scope="session")
def java_table() -> Callable[[str], list[list[str]]]:
    """The rows of a table by its name, without the heading."""

    def rows(name: str) -> list[list[str]]:
        with open(TABLES / f"{name}.tsv", encoding="utf-8", newline="") as lines:
            return list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]

    return rows


@pytest.fixture(scope="session")
def java_distances(java_table) -> Callable[[str], list[tuple[str, str, float]]]:
    """(first, second, distance) for the rows of one text algorithm at which Java did not fail."""

    def rows(algorithm: str) -> list[tuple[str, str, float]]:
        found = [row[1:] for row in java_table("textsim") if row[0] == algorithm]
        return [(a, b, float(d)) for a, b, d in found if not d.startswith("ERR")]

    return rows
