"""Settled records as the jobs hand them on."""

from collections.abc import Sequence

from pehchan.metadata.records import Records
from pehchan.mrjobs.wire import RECORDS


def settled_lines(rows: Sequence[Sequence[str]], set_name: str = "") -> bytes:
    """One line of records of a set, by their items, of which the first is the id."""
    values = [value for row in rows for value in (row[0], *row)]
    return RECORDS + b"\t" + Records(set_name, 1 + len(rows[0]), values).encode() + b"\n"
