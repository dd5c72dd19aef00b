"""The records of a cluster under one another, with what differs from the first of them marked.

For a terminal (colour) or a plain pipe (brackets):

    cluster 7
    id      name             address            phone
    106379  Richard Gomez    2934 Encino Pt     210 4811932
    206379  Richard Gom[]z   293[5] Encino Pt   []

Brackets enclose what the first record does not have there; empty ones stand where something of it is
missing.
"""

import os
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, TextIO

from rapidfuzz.distance import Levenshtein, Postfix, Prefix

_GAP = "  "
_ELLIPSIS = "…"
_NARROWEST = 20
# Where not all columns fit side by side, a column gets at most this many cells.
_WIDEST_COLUMN = 40
# Longer values are not aligned letter by letter: the time grows with the square.
_LONGEST_ALIGNED = 1000
_RED_BOLD_UNDERLINED = "\x1b[1;4;31m"
_RESET = "\x1b[0m"


def in_color(stream: TextIO) -> bool:
    """Whether marks are colours: on a terminal, unless NO_COLOR is set (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def show_cluster(
    title: str,
    columns: Sequence[str],
    records: Sequence[tuple[str, Sequence[str]]],
    color: bool = False,
    width: int = 80,
) -> str:
    """The table of a cluster's records, each (id, items); no line is wider than `width` (at least 20).

    Columns that do not fit beside one another go on in a further band of lines. A value that is still too
    long is cut before the first difference of its column and behind it; a marked ellipsis hides differences.
    Control characters, and others that a terminal obeys instead of showing, are shown as escapes.
    """
    width = max(width, _NARROWEST)
    ids = _Column("id", [_short_id(record_id, width // 3) for record_id, _ in records], (), color, width // 3)
    room = width - ids.cells - len(_GAP)
    shown = []
    for at, name in enumerate(columns):
        values = [items[at] for _, items in records]
        spans = [_changed(values[0], value) for value in values]
        shown.append(_Column(name, values, spans, color, room))
    if sum(column.cells + len(_GAP) for column in shown) - len(_GAP) > room:
        for column in shown:
            column.narrow(_WIDEST_COLUMN)
    lines = [_Column(title, (), (), color, width).heading()]
    for number, band in enumerate(_bands(shown, room)):
        lines += [""] * (number > 0)
        lines.append(_GAP.join(column.heading() for column in [ids, *band]))
        lines += [_GAP.join(column.cell(at) for column in [ids, *band]) for at in range(len(records))]
    return "".join(line.rstrip(" ") + "\n" for line in lines)


def marked(reference: str, value: str) -> list[tuple[str, bool]]:
    """The parts of a value as they are shown, and whether the reference lacks each; "" where it has more."""
    spans = _changed(reference, value)
    missing = {first for first, last in spans if first == last}
    signs = []
    for at in range(len(value) + 1):
        if at in missing:
            signs.append(_Sign("", 0, True))
        if at < len(value):
            signs.append(_sign(value[at], any(first <= at < last for first, last in spans)))
    runs = groupby(signs, key=lambda sign: sign.changed)
    return [("".join(sign.shown for sign in run), changed) for changed, run in runs]


class _Sign(NamedTuple):
    """One character as it is shown, and the cells it takes; "" stands for what is missing there."""

    shown: str
    cells: int
    changed: bool
    cut: bool = False


Spans = Sequence[tuple[int, int]]


@dataclass
class _Column:
    """The values of a column, cut to the same part of each, and as wide as the widest of them."""

    name: str
    values: Sequence[str]
    spans: Sequence[Spans]
    color: bool
    limit: int

    def __post_init__(self) -> None:
        self.spans = self.spans or [()] * len(self.values)
        self.narrow(self.limit)

    def narrow(self, limit: int) -> None:
        """Take at most `limit` cells."""
        self.limit = min(limit, self.limit)
        self.start = self._start()
        widths = [_cells(self._signs(at, self.start), self.color) for at in range(len(self.values))]
        self.cells = max([_cells(self._heading(), self.color), *widths])

    def heading(self) -> str:
        return _rendered(self._heading(), self.cells, self.color)

    def cell(self, at: int) -> str:
        return _rendered(self._signs(at, self.start), self.cells, self.color)

    def _heading(self) -> list[_Sign]:
        return _part(self.name, (), 0, self.limit, self.color)

    def _signs(self, at: int, start: int) -> list[_Sign]:
        return _part(self.values[at], self.spans[at], start, self.limit, self.color)

    def _start(self) -> int:
        """Where the values begin to be shown: 0 if they fit, else a little before they first differ."""
        if not any(self.spans):
            return 0
        shared = min(Prefix.similarity(self.values[0], value) for value in self.values)
        start = max(0, shared - self.limit // 3)
        return max(self._leftmost(at, start) for at in range(len(self.values)))

    def _leftmost(self, at: int, start: int) -> int:
        """A start before the given one from which the value is still shown to its end, if there is one."""
        return bisect_left(range(start), True, key=lambda place: not self._signs(at, place)[-1].cut)


def _short_id(record_id: str, limit: int) -> str:
    """A long id without its middle: what tells ids apart is mostly their end."""
    if len(record_id) <= limit:
        return record_id
    return record_id[: limit // 3] + _ELLIPSIS + record_id[limit // 3 + 1 - limit :]


def _bands(columns: Sequence[_Column], room: int) -> list[list[_Column]]:
    """The columns in their order, as many in a band as have room."""
    bands: list[list[_Column]] = []
    used = room + 1
    for column in columns:
        if used + column.cells > room:
            bands.append([])
            used = 0
        bands[-1].append(column)
        used += column.cells + len(_GAP)
    return bands


def _changed(reference: str, value: str) -> Spans:
    """The spans of a value that the reference has not, an empty one where it lacks something."""
    if reference == value:
        return ()
    head = Prefix.similarity(reference, value)
    tail = Postfix.similarity(reference[head:], value[head:])
    if max(len(reference), len(value)) - head - tail > _LONGEST_ALIGNED:
        return [(head, len(value) - tail)]
    edits = Levenshtein.editops(reference, value)
    # The letters that two different values happen to share would only confuse.
    if 2 * len(edits) > max(len(reference), len(value)):
        return [(0, len(value))]
    return [(edit.dest_pos, edit.dest_pos + (edit.tag != "delete")) for edit in edits]


def _part(text: str, spans: Spans, start: int, limit: int, color: bool) -> list[_Sign]:
    """What of a text from `start` on fits into `limit` cells, with an ellipsis for what is left out."""
    signs = [_ellipsis(any(first < start for first, _ in spans))] if start else []
    missing = {first for first, last in spans if first == last}
    at, cells = start, 0
    # Combining characters take no cells; a flood of them is cut as well.
    while at <= len(text) and cells <= limit and at < start + 4 * limit:
        if at in missing:
            signs.append(_Sign("", 0, True))
        if at < len(text):
            signs.append(_sign(text[at], any(first <= at < last for first, last in spans)))
            cells += signs[-1].cells
        at += 1
    if at > len(text) and _cells(signs, color) <= limit:
        return signs
    hidden = any(first >= at or last > at for first, last in spans)
    while _cells([*signs, _ellipsis(hidden)], color) > limit:
        hidden = signs.pop().changed or hidden
    return [*signs, _ellipsis(hidden)]


def _ellipsis(changed: bool) -> _Sign:
    return _Sign(_ELLIPSIS, 1, changed, True)


def _sign(character: str, changed: bool) -> _Sign:
    if character.isascii() and character.isprintable():
        return _Sign(character, 1, changed)
    category = unicodedata.category(character)
    if category in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        escape = character.encode("unicode_escape").decode("ascii")
        return _Sign(escape, len(escape), changed)
    if category in ("Mn", "Me"):
        return _Sign(character, 0, changed)
    return _Sign(character, 2 if unicodedata.east_asian_width(character) in "WF" else 1, changed)


def _runs(signs: Sequence[_Sign], color: bool) -> list[tuple[str, int]]:
    """What is written and the cells it takes, for every run of equally marked signs."""
    runs = []
    for changed, run in groupby(signs, key=lambda sign: sign.changed):
        members = list(run)
        text = "".join(sign.shown for sign in members)
        cells = sum(sign.cells for sign in members)
        if changed and (not color or not text):
            text, cells = f"[{text}]", cells + 2
        runs.append((f"{_RED_BOLD_UNDERLINED}{text}{_RESET}" if changed and color else text, cells))
    return runs


def _cells(signs: Sequence[_Sign], color: bool) -> int:
    return sum(cells for _, cells in _runs(signs, color))


def _rendered(signs: Sequence[_Sign], cells: int, color: bool) -> str:
    runs = _runs(signs, color)
    return "".join(text for text, _ in runs) + " " * (cells - sum(taken for _, taken in runs))
