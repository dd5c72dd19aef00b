"""A state: the entities of records that keep coming, in a folder, version after version.

STATE holds
  manifests/  000001.json, 000002.json, ...: what each version consists of; the last one is the state
  parts/      what a version added, in a folder of its own: records/, members/ and pairs/ (lines of
              pehchan.mrjobs.state_lines), log/ (JSON lines: what changed, and why), and plan.json and
              decisions.json where these are new

A version is there as soon as its manifest is, which is written last and never changed; so it is whole while
the next one is made, and a run that is killed leaves the one before. Two runs that make the same version are
told apart when they write its manifest: one of them is refused.
"""

import json
import platform
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from typing import Any

import pehchan
from pehchan.clustering.decisions import DECISIONS, Decision, decode_decisions, encode_decisions
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.places import LocalPlace, Place, lines_of, whole_path

STATE_VERSION = 1

#: Versions that are kept, unless somebody asks for more or fewer.
KEPT = 10

#: Parts behind the first one, from which on the next version joins them to one: a job would read each with a task of
#: its own.
MOST_PARTS = 20

RECORDS, MEMBERS, PAIRS, LOG = "records", "members", "pairs", "log"
PLAN = "plan.json"

#: What a state holds.
FOLDERS = {"manifests", "parts"}

_MANIFEST = re.compile(r"(\d{6,})\.json")
_PART = re.compile(r"(\d{6,})-[0-9a-f]{8}")


class StateError(RuntimeError):
    """A version that could not be made, and nothing was changed; its text says why, for a person."""


class StateChanged(StateError):
    """Somebody else made the version that a run was about to make."""


@dataclass(frozen=True)
class Manifest:
    """What a version of a state consists of.

    number     of the version, from 1
    made       when, in UTC
    by         the command that made it
    parts      names of the folders in parts/, the oldest first, each with its bytes
    plan       name of the part that holds the plan: schema, settings, model, and what is frozen
    decisions  name of the part that holds the decisions of people; "" where there are none
    salt       of the codes of records
    lineage    of the ids of entities
    older      what the ids of new entities add to the number of a version: those of a state whose ids go on here
               are older than all that is new
    counts     records, entities, and what the version changed
    versions   of the libraries that made it
    kinds      by part the kinds of lines that it has; a commit says it
    """

    number: int
    made: str
    by: str
    parts: Mapping[str, int]
    plan: str
    decisions: str = ""
    salt: int = 0
    lineage: str = ""
    older: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def encode(self) -> bytes:
        return (json.dumps({"version": STATE_VERSION, **asdict(self)}, indent=1) + "\n").encode("ascii")

    @classmethod
    def decode(cls, text: bytes) -> "Manifest":
        """Raises ValueError, for a person, where it is none, or of another version of pehchan's."""
        try:
            given = json.loads(text)
            version = given.pop("version")
            if version != STATE_VERSION:
                raise ValueError(
                    f"a state of version {version!r}, and this pehchan reads version {STATE_VERSION}."
                )
            manifest = cls(**given)
            if not isinstance(manifest.parts, dict):
                raise TypeError("parts without their bytes")
            return manifest
        except (TypeError, KeyError, AttributeError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"not a whole manifest: {error}.") from None


@dataclass(frozen=True)
class State:
    """One version of a state."""

    folder: Place
    manifest: Manifest

    @property
    def number(self) -> int:
        return self.manifest.number

    def parts(self, kind: str) -> list[Place]:
        """The folders of lines of one kind, the oldest first."""
        manifest = self.manifest
        return [
            self.folder / "parts" / name / kind for name in manifest.parts if kind in manifest.kinds[name]
        ]

    def folders(self, kind: str) -> list[str]:
        """The same as inputs of jobs."""
        return list(map(str, self.parts(kind)))

    def lines(self, kind: str) -> Iterator[bytes]:
        """The lines of one kind."""
        return lines_of(self.parts(kind))

    def read_plan(self) -> Plan:
        """Schema, settings, model, and what is frozen. Raises MistakesError for one of another version."""
        path = self.folder / "parts" / self.manifest.plan / PLAN
        mistakes = Mistakes()
        try:
            return Plan.from_dict(json.loads(path.read()))
        except (OSError, ValueError, KeyError) as error:
            mistakes.add(str(path), f"not a plan that this pehchan reads: {error}.", _ANEW)
        mistakes.raise_if_any()
        raise AssertionError

    def read_decisions(self) -> list[Decision]:
        """What people decided. Raises MistakesError for what cannot be read."""
        if not self.manifest.decisions:
            return []
        path = self.folder / "parts" / self.manifest.decisions / DECISIONS
        return [replace(each, where=str(self.folder)) for each in decode_decisions(path.read(), str(path))]

    def log(self) -> Iterator[dict[str, Any]]:
        """What changed, the oldest first."""
        return (json.loads(line) for line in self.lines(LOG))


_ANEW = "Make the state anew with match or dedupe and --state, and give its entities their ids with reassign."


def open_state(path: str) -> State:
    """The state in a folder, or as PATH@N version N of it. Raises MistakesError where it is not whole."""
    mistakes = Mistakes()
    where, number = _at_version(path)
    folder = whole_path(where)
    manifests = _manifests(folder)
    if not manifests:
        mistakes.add(
            path,
            "not a state of pehchan: it holds no manifests.",
            "Make one with match or dedupe and --state.",
        )
    elif number is not None and number not in manifests:
        kept = ", ".join(map(str, sorted(manifests)))
        mistakes.add(path, f"version {number} is not there.", f"There are: {kept}.")
    mistakes.raise_if_any()
    number = max(manifests) if number is None else number
    file = folder / "manifests" / manifests[number]
    try:
        manifest = Manifest.decode(file.read())
    except ValueError as error:
        mistakes.add(str(file), str(error), _ANEW)
    mistakes.raise_if_any()
    _check_parts(folder, manifest, sorted(set(manifests) - {number}), mistakes)
    mistakes.raise_if_any()
    return State(folder, manifest)


def open_newest(path: str) -> State:
    """The state in a folder, to make its next version. Raises MistakesError for an older version as well."""
    state = open_state(path)
    if str(whole_path(path)) != str(state.folder):
        mistakes = Mistakes()
        mistakes.add(path, "an older version cannot be changed.", f"Name the state alone: {state.folder}.")
        mistakes.raise_if_any()
    return state


def _check_parts(folder: Place, manifest: Manifest, others: Sequence[int], mistakes: Mistakes) -> None:
    """Add a mistake for each part that is not there as it was written."""
    sizes = (folder / "parts").sizes()
    right = "Bring it back from a copy, or make the state anew with match or dedupe and --state."
    if others:
        newest = folder / "manifests" / f"{manifest.number:06d}.json"
        right = (
            f"Bring it back from a copy, or go on from version {others[-1]}: remove {newest}, if that is the "
            "newest one, and do again what was done since."
        )
    for name, size in manifest.parts.items():
        part = folder / "parts" / name
        if name not in sizes:
            mistakes.add(str(part), f"it is missing, and version {manifest.number} needs it.", right)
        elif sizes[name] != size:
            what = f"it has {sizes[name]:,} bytes, and version {manifest.number} was written with {size:,}."
            mistakes.add(str(part), what, right)


def _at_version(path: str) -> tuple[str, int | None]:
    """The folder and the version of PATH@N."""
    where, separator, number = path.rpartition("@")
    if separator and number.isdecimal() and not whole_path(path).exists():
        return where, int(number)
    return path, None


def _manifests(folder: Place) -> dict[int, str]:
    """The files of the manifests, by version."""
    names = (folder / "manifests").sizes()
    return {int(found[1]): name for name in names if (found := _MANIFEST.fullmatch(name))}


def is_state(path: str) -> bool:
    """Whether a folder holds a state, whole or not; also of PATH@N."""
    return bool(_manifests(whole_path(_at_version(path)[0])))


def versions_in_use() -> dict[str, str]:
    """What makes a version: those that its numbers may depend on."""
    libraries = {name: version(name) for name in ("rapidfuzz", "numpy", "orjson")}
    return {"pehchan": pehchan.__version__, "python": platform.python_version(), **libraries}


class NextVersion:
    """A version that is being made: its part is written, and then its manifest.

    folder  of the state, which need not be there
    before  the version that it follows, None for the first one
    """

    def __init__(self, folder: Place, before: State | None, number: int):
        self.number, self._folder, self._before = number, folder, before
        self.name = f"{number:06d}-{uuid.uuid4().hex[:8]}"
        self.part = folder / "parts" / self.name

    def write(self, kind: str, lines: Iterator[bytes]) -> None:
        """Write lines of one kind, if there are any."""
        self._write(kind, "part-00001", lines)

    def write_decisions(self, decisions: Sequence[Decision]) -> None:
        """Write all that people decided."""
        (self.part / DECISIONS).write(encode_decisions(decisions))

    def _write(self, kind: str, name: str, lines: Iterator[bytes]) -> None:
        text = b"".join(line.rstrip(b"\r\n") + b"\n" for line in lines)
        if text:
            (self.part / kind).make()
            (self.part / kind / name).write(text)

    def _join(self, manifest: Manifest) -> Manifest:
        """Take all that is in parts behind the first one into this one, where they are many."""
        first, *later = [name for name in manifest.parts if name != self.name] or [self.name]
        if self._before is None or len(later) < MOST_PARTS:
            return manifest
        for kind in (RECORDS, MEMBERS, PAIRS, LOG):
            parts = [part for part in self._before.parts(kind) if part.parent.name in later]
            # In front of what is newer.
            self._write(kind, "part-00000", lines_of(parts))
        if manifest.decisions in later:
            self.write_decisions(self._before.read_decisions())
            manifest = replace(manifest, decisions=self.name)
        return replace(manifest, parts={first: manifest.parts[first]})

    def kept(self) -> Manifest | None:
        """The version of this number, whoever made it; None where there is none."""
        found = _manifests(self._folder).get(self.number)
        return Manifest.decode((self._folder / "manifests" / found).read()) if found else None

    def changed(self) -> StateChanged:
        """What is told where somebody else made this version."""
        return StateChanged(
            f"{self._folder}: version {self.number} was made by somebody else meanwhile, and nothing "
            "of this run was kept.\n  Run it again, on what is there now."
        )

    def commit(self, manifest: Manifest, keep: int = KEPT) -> State:
        """Make it the state, and remove what no version that is kept needs. Raises StateChanged."""
        manifest = self._join(manifest)
        self.part.keep_private()
        size = (self._folder / "parts").sizes().get(self.name)
        if size is None and self.kept() is not None:
            raise self.changed()
        if size is None:
            raise OSError(f"{self.part} cannot be read")
        known = self._before.manifest.kinds if self._before is not None else {}
        written_here = self.part.sizes()
        kinds = [kind for kind in (RECORDS, MEMBERS, PAIRS, LOG) if kind in written_here]
        parts = {name: each for name, each in manifest.parts.items() if name in known}
        manifest = replace(
            manifest,
            number=self.number,
            parts={**parts, self.name: size},
            kinds={**{name: known[name] for name in parts}, self.name: kinds},
        )
        (self._folder / "manifests").make()
        written = self._folder / "manifests" / f"{self.number:06d}.json"
        if not written.create(manifest.encode()):
            raise self.changed()
        # The version is there, whether others are removed or not.
        with suppress(OSError):
            _remove_unneeded(self._folder, self.number, keep)
        return State(self._folder, manifest)


@contextmanager
def next_version(folder: Place, before: State | None) -> Iterator[NextVersion]:
    """A version to be made, whose part is gone again where it is not. Raises StateChanged."""
    made = NextVersion(folder, before, before.number + 1 if before is not None else 1)
    made.part.make()
    if before is None and isinstance(folder, LocalPlace):
        folder.keep_private()
    try:
        yield made
    except BaseException as error:
        kept = made.kept()
        if kept is None or made.name not in kept.parts:
            made.part.remove()
        # Whoever made the version took our part away, so that anything may have failed.
        if isinstance(error, Exception) and not isinstance(error, StateError) and kept is not None:
            raise made.changed() from error
        raise


def _remove_unneeded(folder: Place, newest: int, keep: int) -> None:
    """Remove older versions than are kept, and parts that none needs.

    Parts of newer versions are somebody's who is at work; those of this one and older ones are of runs that
    were killed or will be refused.
    """
    manifests = _manifests(folder)
    for number in sorted(manifests)[: -max(1, keep)]:
        (folder / "manifests" / manifests.pop(number)).remove()
    needed: set[str] = set()
    for name in manifests.values():
        try:
            manifest = Manifest.decode((folder / "manifests" / name).read())
        except (ValueError, OSError):
            # Nobody knows what it needs.
            return
        needed |= {*manifest.parts, manifest.plan, manifest.decisions}
    for name in (folder / "parts").sizes():
        if name not in needed and (found := _PART.fullmatch(name)) and int(found[1]) <= newest:
            (folder / "parts" / name).remove()
