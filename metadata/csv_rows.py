"""Rows of a CSV file that people made, with the lines on which they begin, so that what is wrong can be found."""

import csv
import os

from pehchan.metadata.mistakes import Mistake, MistakesError

# Characters of one value; more than that is a quote that was never closed.
_VALUE_LIMIT = 1 << 25


def csv_rows(path: str | os.PathLike[str]) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of its first line.

    Raises MistakesError for what cannot be read, is not UTF-8 or not CSV as RFC 4180 has it.
    """
    rows = []
    line = 1
    csv.field_size_limit(_VALUE_LIMIT)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for row in reader:
                if row:
                    rows.append((line, row))
                line = reader.line_num + 1
    except OSError as error:
        raise _mistake(path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _mistake(path, "not UTF-8", "Save it as UTF-8.") from None
    except csv.Error as error:
        raise _mistake(f"{path} line {line}", f"not CSV: {error}") from None
    return rows


def _mistake(where: object, what: str, right: str = "") -> MistakesError:
    return MistakesError([Mistake(str(where), what, right)])
