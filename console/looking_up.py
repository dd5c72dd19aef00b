"""pehchan lookup: the entities of a state that a record may belong to, for a person, a file or a program."""

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import get_terminal_size
from typing import Any, BinaryIO, NamedTuple, TextIO

from pehchan.console.ingest import detect_format, read_header, read_values
from pehchan.console.inputs import column_delimiter, find_files
from pehchan.console.json_lines import item_text, json_object, json_objects
from pehchan.console.side_by_side import in_color, show_cluster
from pehchan.console.tables import table
from pehchan.console.text_lines import NOT_TEXT, Lines, Row
from pehchan.identity.lookup import Found, Lookup, columns_of
from pehchan.identity.state import open_state
from pehchan.learning.whole_files import write_whole
from pehchan.metadata.mistakes import Mistakes, nearest
from pehchan.metadata.records import Record, RejectedLine, decode_line

#: Entities of which the nearest record is shown beside the one that is looked up.
SIDE_BY_SIDE = 3
#: Ids of records that are named in a line for people.
NAMED = 5

NO_VALUES = "no value of a column of the state"


class Asked(NamedTuple):
    """A line with a record that is looked up.

    values   by column; None where the line holds none
    unknown  columns that the state does not have
    reason   why there are no values
    """

    number: int
    values: Mapping[str, str] | None
    unknown: Sequence[str] = ()
    reason: str = ""


def values_of(given: Sequence[str], columns: Sequence[str], mistakes: Mistakes) -> dict[str, str]:
    """The values of field=value on the command line, by column."""
    values: dict[str, str] = {}
    for text in given:
        # The name of a column may hold = as well as its value.
        name = max((each for each in columns if text.startswith(f"{each}=")), key=len, default=None)
        if name is None:
            name, separator, _ = text.partition("=")
            if not separator:
                mistakes.add(text, "not a field with its value.", f"Write it as field={text}.")
            else:
                mistakes.add(text, f'there is no column "{name}".', nearest(name, columns))
            continue
        if name in values:
            mistakes.add(text, f'"{name}" is given twice.', "Give a field one value.")
        values[name] = text[len(name) + 1 :]
        if NOT_TEXT.search(values[name]):
            mistakes.add(f"{name}=", "the value is not text.", "Give it in the encoding of the terminal.")
    if not mistakes.found and not any(values.values()):
        mistakes.add("lookup", "all values are empty.", f"Give a value of one of: {', '.join(columns)}.")
    return values


def look_up(path: str, given: Sequence[str], as_json: bool) -> str:
    """The answer to one record, as text. Raises MistakesError."""
    state = open_state(path)
    plan, mistakes = state.read_plan(), Mistakes()
    values = values_of(given, list(columns_of(plan)), mistakes)
    mistakes.raise_if_any()
    lookup = Lookup(state, plan)
    answer = Answer.of(lookup, lookup.record(values))
    return json.dumps(answer.to_dict(), ensure_ascii=False) if as_json else answer.text(lookup, path)


@dataclass(frozen=True)
class Answer:
    """What was found of a record.

    given_id  that of the record; "" where it has none
    is_in     the entity of the record of the state that has this id; "" where there is none
    """

    record: Record
    given_id: str
    is_in: str
    found: Sequence[Found]

    @classmethod
    def of(cls, lookup: Lookup, record: Record) -> "Answer":
        given = lookup.given_id(record)
        return cls(record, given, lookup.entity_of(given) if given else "", lookup.find_record(record))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.given_id,
            "is_in": self.is_in,
            "found": [
                {
                    "entity": each.entity,
                    **_measured(each.distance, each.probability),
                    "matches": each.matches,
                    "records": [
                        {"id": near.record.id, **_measured(near.distance, near.probability)}
                        for near in each.records
                    ],
                }
                for each in self.found
            ],
        }

    def rows(self, number: int) -> Iterator[list[str]]:
        """For CSV, a row an entity; one without an entity where none was found."""
        if not self.found:
            yield [str(number), self.given_id, self.is_in, "", "", "", ""]
        for each in self.found:
            ids = ";".join(near.record.id for near in each.records)
            matches = "yes" if each.matches else "no"
            yield [str(number), self.given_id, self.is_in, each.entity, _said(each), matches, ids]

    def text(self, lookup: Lookup, state: str) -> str:
        """For a person."""
        lines = []
        if self.is_in:
            lines += [f"{self.given_id} is in {state}, in entity {self.is_in}; besides itself:", ""]
        if not self.found:
            return "\n".join([*lines, f"None of the {len(lookup):,} records of {state} is near it."])
        told = [
            [each.entity, _said(each), "yes" if each.matches else "no", _named(each)] for each in self.found
        ]
        lines += table([["entity", measure_of(lookup), "matches", "records"], *told])
        names = lookup.columns
        shown = [("asked", self.record.items)]
        shown += [(each.records[0].record.id, each.records[0].record.items) for each in self.found]
        width = get_terminal_size((110, 40)).columns
        # The id is in front of the values already.
        places = [k for k, name in enumerate(names) if name != lookup.plan.schema.id]
        side = show_cluster(
            "",
            [names[k] for k in places],
            [(each, [lookup.items(items)[k] for k in places]) for each, items in shown[: 1 + SIDE_BY_SIDE]],
            in_color(sys.stdout),
            width,
        )
        return "\n".join([*lines, side.rstrip("\n")])


def measure_of(lookup: Lookup) -> str:
    """What tells how sure a match is."""
    return "probability" if lookup.plan.model is not None else "distance"


def _measured(distance: int, probability: float | None) -> dict[str, float]:
    return {"distance": distance} if probability is None else {"probability": round(probability, 6)}


def _said(found: Found) -> str:
    return str(found.distance) if found.probability is None else f"{found.probability:.6f}"


def _named(found: Found) -> str:
    ids = [each.record.id for each in found.records[:NAMED]]
    more = len(found.records) - len(ids)
    return " ".join([*ids, *([f"and {more:,} more"] if more else [])])


def look_up_file(path: str, file: str, out: str, as_json: bool) -> None:
    """Answer all records of a file, or those of standard input one by one. Raises MistakesError before the first."""
    mistakes = Mistakes()
    if file != "-":
        find_files([file], mistakes)
        if not mistakes.found and os.path.isdir(file):
            mistakes.add(file, "a folder.", "Name a file.")
        elif not mistakes.found and detect_format(file) == "lines":
            mistakes.add(file, "nothing names its columns.", "Give a .csv, .tsv or .jsonl file.")
    if out:
        _check_out(out, file, mistakes)
    mistakes.raise_if_any()
    lookup = Lookup(open_state(path))
    if file == "-":
        asked: Iterable[Asked] = _of_stream(sys.stdin.buffer, lookup.columns)
        where = "standard input"
    else:
        asked, where = _of_file(file, lookup), file
    as_json = as_json or (file == "-" and not out)
    if not out:
        _answer(lookup, asked, where, as_json, sys.stdout)
        return
    text = io.StringIO(newline="")
    _answer(lookup, asked, where, as_json, text)
    write_whole(Path(out), text.getvalue().encode("utf-8", "surrogatepass"))


def _check_out(out: str, file: str, mistakes: Mistakes) -> None:
    if os.path.isdir(out):
        mistakes.add(out, "a folder.", "Name a file to write.")
    elif not os.path.isdir(os.path.dirname(out) or "."):
        mistakes.add(out, f"there is no folder {os.path.dirname(out)}.", "Make it, or name another one.")
    elif os.path.exists(file) and os.path.exists(out) and os.path.samefile(out, file):
        mistakes.add(out, "the file that is read.", "Name another one.")


def _answer(lookup: Lookup, asked: Iterable[Asked], where: str, as_json: bool, out: TextIO) -> None:
    """Write the answers, each at once, as JSON lines or CSV."""
    rows = csv.writer(out, lineterminator="\n")
    if not as_json:
        rows.writerow(["line", "id", "is_in", "entity", measure_of(lookup), "matches", "records"])
    aside = 0
    for line in asked:
        reason = line.reason
        if line.values is not None and not any(line.values.values()):
            reason = NO_VALUES
        told = [f'there is no column "{name}", which is left out' for name in line.unknown]
        for each in [] if as_json else [*told, *([reason] if reason else [])]:
            print(f"{where} line {line.number}: {each}", file=sys.stderr)
        answer = None
        if line.values is not None and not reason:
            answer = Answer.of(lookup, lookup.record(line.values))
        aside += answer is None
        if as_json:
            content = answer.to_dict() if answer is not None else {"error": reason}
            warnings = {"warnings": told} if told else {}
            print(json.dumps({"line": line.number, **content, **warnings}, ensure_ascii=False), file=out)
        elif answer is not None:
            rows.writerows(answer.rows(line.number))
        out.flush()
    if aside:
        print(f"{where}: {aside:,} {'line' if aside == 1 else 'lines'} without an answer", file=sys.stderr)


def _of_file(file: str, lookup: Lookup) -> Iterator[Asked]:
    """The records of a file. Raises MistakesError for one that cannot be read, or has none of the columns."""
    settings, columns, format = lookup.plan.settings, lookup.columns, detect_format(file)
    if format == "jsonl":
        return _of_json_lines(file, settings.input_encoding, columns)
    delimiter = column_delimiter(format, settings)
    header = read_header(file, format, settings.input_encoding, delimiter)
    known = [name for name in header if name in columns]
    if not known:
        mistakes = Mistakes()
        mistakes.add(file, "no column of the state is in it.", f"The state has: {', '.join(columns)}.")
        mistakes.raise_if_any()
    unknown = [name for name in header if name not in columns]
    return _of_rows(read_values(file, format, settings.input_encoding, known, delimiter), known, unknown)


def _of_json_lines(file: str, encoding: str, columns: Sequence[str]) -> Iterator[Asked]:
    with Lines(file, encoding, "\n") as lines:
        for row, value in json_objects(lines):
            if value is not None or row.reason:
                yield _of_object(row.number, value, row.reason, columns)


def _of_rows(rows: Iterable[Row], known: Sequence[str], unknown: Sequence[str]) -> Iterator[Asked]:
    for row in rows:
        if row.values is not None:
            yield Asked(row.number, dict(zip(known, row.values, strict=True)), unknown)
            # Told once.
            unknown = ()
        elif row.reason:
            yield Asked(row.number, None, (), row.reason)


def _of_stream(lines: BinaryIO, columns: Sequence[str]) -> Iterator[Asked]:
    """The records of JSON lines, as they come."""
    for number, line in enumerate(lines, 1):
        try:
            text = decode_line(line).removeprefix("\ufeff")
        except RejectedLine as rejected:
            yield Asked(number, None, (), str(rejected))
            continue
        if text.strip():
            value, reason = json_object(text)
            yield _of_object(number, value, reason, columns)


def _of_object(number: int, value: Mapping[str, Any] | None, reason: str, columns: Sequence[str]) -> Asked:
    if value is None:
        return Asked(number, None, (), reason)
    known = set(columns)
    try:
        values = {name: item_text(each) for name, each in value.items() if name in known}
    except RecursionError:
        return Asked(number, None, (), "JSON nested too deeply")
    unknown = [name for name in value if name not in known]
    if bad := NOT_TEXT.search("".join(values.values())):
        return Asked(
            number, None, unknown, f"\\u{ord(bad.group()):04x} by itself is not a character of a text"
        )
    return Asked(number, values, unknown)
