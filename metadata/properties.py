"""The settings of a job: Java properties files, -D overrides, and the table of every key.

sifarish's names of today (sts.…) and its older ones are read alike; each key is one attribute of Settings.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from math import inf
from typing import Any

import javaproperties

from pehchan.metadata.mistakes import Mistakes, nearest
from pehchan.metadata.records import splitter


@dataclass(frozen=True)
class Kind:
    """What the value of a key may be.

    accepts   for messages, after "Give …"
    read      the value of a text; raises ValueError, whose message (if any) says more than `accepts`
    verbatim  blanks around the value belong to it
    nothing   a value that has come to mean "none given"
    """

    accepts: str
    read: Callable[[str], Any]
    verbatim: bool = False
    nothing: str | None = None


def _in_range(value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError


def _whole(low: int, high: float = inf) -> Kind:
    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise ValueError
        _in_range(int(text), low, high)
        return int(text)

    return Kind(
        f"a whole number of {low} or more" if high == inf else f"a whole number from {low} to {high}", read
    )


def _number(low: float, high: float) -> Kind:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError from None
        _in_range(value, low, high)
        return value

    return Kind(f"a number from {low:g} to {high:g}", read)


def _choice(*words: str) -> Kind:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError
        return text.lower()

    return Kind("one of " + ", ".join(words), read)


def _read_flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError
    return text.lower() == "true"


def _read_ordinals(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch("[0-9]{1,9}", part) for part in parts):
        raise ValueError
    return tuple(map(int, parts))


def _read_names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _read_regex(text: str) -> str:
    splitter(text)
    return text


def _read_delimiter(text: str) -> str:
    # Written with -D a tab arrives as two characters.
    text = text.replace("\\t", "\t")
    if "\n" in text or "\r" in text:
        raise ValueError
    return text


def _read_encoding(text: str) -> str:
    try:
        "a".encode(text)
    except (LookupError, ValueError):
        raise ValueError(f"Python knows no encoding of text {text!r}") from None
    return text


FLAG = Kind("true or false", _read_flag)
TEXT = Kind("text", str)
NAMES = Kind("names, separated by commas", _read_names)
ORDINALS = Kind("column numbers from 0, separated by commas", _read_ordinals, nothing="-1")
REGEX = Kind("a regular expression as Java writes it", _read_regex, verbatim=True)
DELIMITER = Kind("text without a line end", _read_delimiter, verbatim=True)
ENCODING = Kind("the name of a text encoding, such as utf-8, latin-1 or cp1252", _read_encoding)


@dataclass(frozen=True)
class Key:
    """A key of a properties file: its name, its older names (the newest first), its values, its meaning."""

    name: str
    aliases: tuple[str, ...]
    kind: Kind
    meaning: str


def _key(name: str, kind: Kind, default: Any, meaning: str, aliases: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"key": Key(name, aliases, kind, meaning)})


@dataclass(frozen=True)
class Settings:
    """What the properties of a job say: an attribute a key, with its default."""

    schema_path: str | None = _key(
        "sts.same.schema.file.path",
        TEXT,
        None,
        "the schema: how records compare",
        ("same.schema.file.path",),
    )
    bucket_count: int | None = _key(
        "sts.bucket.count",
        _whole(1),
        None,
        "hashed buckets of the join over all pairs; blank: chosen from the size of the input",
        ("bucket.count",),
    )
    scale: int = _key(
        "sts.distance.scale",
        _whole(1),
        1000,
        "the distance of records with nothing in common",
        ("distance.scale",),
    )
    cutoff: int | None = _key(
        "sts.dist.threshold",
        _whole(0),
        None,
        "pairs up to this distance are written; blank: as the schema says, else the scale",
        ("dist.threshold",),
    )
    two_sets: bool = _key(
        "sts.inter.set.matching",
        FLAG,
        False,
        "compare the records of one set of files with those of another, never two of the same set",
    )
    base_prefix: str = _key(
        "sts.base.set.split.prefix",
        TEXT,
        "base",
        "with two sets of files: those whose name starts with it are the first set",
        ("base.set.split.prefix",),
    )
    same_id: bool = _key(
        "sts.mixed.in.sets",
        FLAG,
        False,
        "compare only records whose ids agree once the set id in front is taken off",
        ("mixed.in.sets", "inter.set.matching"),
    )
    set_id_size: int = _key(
        "sts.set.ID.size", _whole(0), 0, "length of the set id in front of a record's id", ("set.ID.size",)
    )
    faceted: tuple[int, ...] | None = _key(
        "sts.faceted.field.ordinal",
        ORDINALS,
        None,
        "compare these columns only; blank: all fields of the schema",
        ("faceted.field.ordinal",),
    )
    passive_fields: bool = _key(
        "sts.include.passive.fields",
        FLAG,
        False,
        "add the columns that are not compared to the output",
        ("include.passive.fields",),
    )
    extra_fields: tuple[int, ...] = _key(
        "sts.extra.output.field",
        ORDINALS,
        (),
        "add these columns to the output; wins over sts.output.record",
        ("extra.output.field",),
    )
    output_record: bool = _key(
        "sts.output.record", FLAG, False, "add both records to the output", ("output.record",)
    )
    ids_first: bool = _key(
        "sts.output.id.first",
        FLAG,
        True,
        "both ids stand before the passive columns (false: after them)",
        ("output.id.first",),
    )
    sub_delimiter: str = _key(
        "sts.sub.field.delim.regex",
        REGEX,
        "::",
        "parts the pieces of a time window, hour window, location or event",
        ("sub.field.delim.regex",),
    )
    auto_id: bool = _key(
        "sts.auto.generate.id", FLAG, False, "make the ids from the content of records", ("auto.generate.id",)
    )
    reducers: int | None = _key(
        "sts.num.reducer",
        _whole(1),
        None,
        "number of reduce tasks; blank: the runner's choice",
        ("num.reducer",),
    )
    input_delimiter: str | None = _key(
        "field.delim.regex", REGEX, None, "parts the columns of a line; blank: a comma"
    )
    output_delimiter: str = _key("field.delim", DELIMITER, ",", "parts the columns of the output")
    edit_tokens: bool = _key(
        "edit.dist.token", FLAG, True, "edit distance word by word (false: over the whole field)"
    )
    debug: bool = _key("debug.on", FLAG, False, "log more")
    compat: bool = _key(
        "sifarish.compat", FLAG, False, "give sifarish's answer also where it is known to be wrong"
    )
    id_counted: bool = _key(
        "sifarish.id.counted",
        FLAG,
        False,
        "count the id as a field of distance 0, as sifarish did in 2013",
    )
    rejected_max_share: float = _key(
        "rejected.max.share",
        _number(0, 1),
        0.01,
        "the job fails where more lines than this share are set aside",
    )
    cluster_cutoff: int | None = _key(
        "cluster.cutoff",
        _whole(0),
        None,
        "pairs up to this distance join two records into one entity; blank: as sts.dist.threshold",
    )
    cluster_by: str = _key(
        "cluster.by",
        _choice("connected", "centre", "average", "pivot", "assignment"),
        "connected",
        "how pairs make clusters: connected: all that a chain of pairs joins; centre: all records of a cluster have "
        "a pair with one of them; average: clusters are merged while their mean distance is at most cluster.mean; "
        "pivot: a record takes all that it has a pair with; assignment: of two sets without duplicates "
        "the pairs that together are nearest",
    )
    cluster_mean: int | None = _key(
        "cluster.mean",
        _whole(0),
        None,
        "of cluster.by=average: the largest mean distance of two clusters that are merged; blank: the cutoff of the "
        "clusters",
    )
    cluster_absent: str = _key(
        "cluster.absent",
        _choice("unrelated", "computed"),
        "unrelated",
        "of cluster.by=average: what two records without a pair are: unrelated: as far apart as can be; computed: as "
        "far as their values say, which are compared for it",
    )
    clean_sets: tuple[str, ...] = _key(
        "clean.sets",
        NAMES,
        (),
        "sets that hold no duplicates: a cluster holds at most one record of each of them",
    )
    link_as: str = _key(
        "link.as",
        _choice("one-to-one", "many-to-one", "many-to-many"),
        "one-to-one",
        "of pehchan link: one-to-one: no set holds duplicates; many-to-one: none does but the first; "
        "many-to-many: all may",
    )
    input_format: str = _key(
        "input.format",
        _choice("auto", "lines", "csv", "tsv", "jsonl"),
        "auto",
        "what the input files are; lines: delimited, without a header; auto: by schema, name and content",
    )
    input_encoding: str = _key("input.encoding", ENCODING, "utf-8", "encoding of the input files")
    search: str = _key(
        "join",
        _choice("auto", "tiles", "signatures"),
        "auto",
        "how the pairs under the cutoff are found: tiles: all are compared; signatures: by an index wherever "
        "there is one; auto: what costs less",
    )
    blocking: bool = _key(
        "blocking",
        FLAG,
        True,
        "records meet only where they share a blocking key, if the schema holds keys (false: all the same)",
    )
    blocking_max_records: int = _key(
        "blocking.max.records", _whole(2), 10_000, "the most records of a block that all meet each other"
    )
    blocking_large: str = _key(
        "blocking.large",
        _choice("refuse", "split", "window"),
        "refuse",
        "a block of more records: refuse: the run stops before it compares, and names it; split: those of its "
        "records meet that share the next key as well; window: of its records in the order of their values each "
        "meets those that follow",
    )
    blocking_window: int = _key(
        "blocking.window",
        _whole(1, 1000),
        10,
        "with blocking.large=window, how many following records each meets",
    )
    bucket_records: int | None = _key(
        "bucket.records",
        _whole(1),
        None,
        "the most records a reducer holds at a time; blank: 20000, with an index what memory.mb allows",
    )
    memory_mb: int = _key(
        "memory.mb",
        _whole(256),
        768,
        "megabytes of memory that a task may take; what it holds at a time is cut so that it does",
    )
    batch_bytes: int = _key(
        "batch.bytes", _whole(1), 262144, "bytes of records a mapper gathers before it sends them on"
    )

    def to_dict(self) -> dict[str, Any]:
        """The settings as JSON can hold them."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Settings":
        """The settings that to_dict gave."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**values)


#: Every key, by the attribute of Settings that it sets.
KEYS: dict[str, Key] = {each.name: each.metadata["key"] for each in fields(Settings)}

_ATTRIBUTES = {name: attribute for attribute, key in KEYS.items() for name in (key.name, *key.aliases)}

_OTHER_JOBS = (
    *("dts.", "tom.", "tea.", "text.", "raw.schema.", "consolidate.field", "nearest.by.", "top.match."),
    *("record.in.output", "compact.output"),
)
_HADOOP = ("mapred.", "mapreduce.", "fs.", "dfs.", "yarn.", "io.", "hadoop.", "conf.path")


@dataclass(frozen=True)
class _Entry:
    key: str
    value: str
    where: str


def read_settings(path: str | None, overrides: Sequence[str], mistakes: Mistakes) -> Settings:
    """The settings of a properties file (None: the defaults), with overrides ("key=value") that win over it.

    Values that cannot be used are added to the mistakes, and stand at their default in what is returned.
    """
    given: dict[str, _Entry] = {}
    if path is not None:
        given.update(_by_attribute(_file_entries(path, mistakes), mistakes))
    given.update(_by_attribute(_override_entries(overrides, mistakes), mistakes))

    values: dict[str, Any] = {}
    unread: set[str] = set()
    for attribute, entry in given.items():
        kind = KEYS[attribute].kind
        text = entry.value if kind.verbatim else entry.value.strip()
        if text == "":
            continue
        if text == kind.nothing:
            mistakes.warn(entry.where, f"{entry.key}={text} is read as no column.", "Leave the value blank.")
            continue
        try:
            values[attribute] = kind.read(text)
        except ValueError as error:
            what = f"{entry.key}={text} is not {kind.accepts}."
            mistakes.add(entry.where, what, f"{error}. Give {kind.accepts}." if str(error) else "")
            unread.add(attribute)
    return _agreed(Settings(**values), given, unread, mistakes)


def describe_keys() -> str:
    """All keys as a table in Markdown."""
    lines = ["| key | older names | values | default | meaning |", "|---|---|---|---|---|"]
    for attribute, key in KEYS.items():
        default = getattr(Settings(), attribute)
        text = str(default).lower() if isinstance(default, bool) else str(default)
        shown = "" if default in (None, ()) else f"`{text}`"
        aliases = ", ".join(f"`{alias}`" for alias in key.aliases)
        lines.append(f"| `{key.name}` | {aliases} | {key.kind.accepts} | {shown} | {key.meaning} |")
    return "\n".join(lines) + "\n"


def _file_entries(path: str, mistakes: Mistakes) -> list[_Entry]:
    entries: list[_Entry] = []
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        mistakes.add(
            path, f"the properties file cannot be read: {error.strerror}.", "Give a Java properties file."
        )
        return entries
    utf8 = _is_utf8(data)
    line = 1
    try:
        for element in javaproperties.parse(data):
            where = f"{path} line {line}"
            if isinstance(element, javaproperties.KeyValue):
                entries.append(_Entry(element.key, element.value, where))
                if utf8 and not element.source.isascii():
                    mistakes.warn(
                        where,
                        f"{element.key}: the file is UTF-8, but properties files are read as ISO-8859-1.",
                        "Write letters outside ASCII as \\uXXXX.",
                    )
            line += len(re.findall(r"\r\n|\r|\n", element.source))
    except javaproperties.InvalidUEscapeError as error:
        mistakes.add(
            f"{path} line {line}",
            f"{error.escape} is no \\u escape.",
            "Give four hexadecimal digits after \\u, or write \\\\u for a backslash and a u.",
        )
    return entries


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _override_entries(overrides: Sequence[str], mistakes: Mistakes) -> list[_Entry]:
    entries = []
    for override in overrides:
        key, equals, value = override.partition("=")
        if equals:
            entries.append(_Entry(key.strip(), value, f"-D {key.strip()}"))
        else:
            mistakes.add(f"-D {override}", "there is no = in it.", "Give -D key=value.")
    return entries


def _by_attribute(entries: Iterable[_Entry], mistakes: Mistakes) -> dict[str, _Entry]:
    """The entry of each attribute among those of one source: the newest name wins, then the last line."""
    entries = list(entries)
    attributes = dict(_ATTRIBUTES)
    if any(entry.key == "mixed.in.sets" for entry in entries):
        # From 2014 on this name stood for two sets of files; mixed.in.sets had taken over its old meaning.
        attributes["inter.set.matching"] = "two_sets"
    found: dict[str, _Entry] = {}
    for entry in entries:
        attribute = attributes.get(entry.key)
        if attribute is None:
            _unknown(entry, mistakes)
            continue
        if entry.key == "inter.set.matching" and entry.value.strip().lower() == "true":
            mistakes.warn(
                entry.where,
                f"inter.set.matching is read as {KEYS[attribute].name}.",
                "Write sts.mixed.in.sets for equal ids behind a set id (its meaning in 2013), "
                "sts.inter.set.matching for two sets of files.",
            )
        other = found.get(attribute)
        if other is None:
            found[attribute] = entry
            continue
        names = (KEYS[attribute].name, *KEYS[attribute].aliases)
        age = {name: number for number, name in enumerate(names)}
        winner, loser = (other, entry) if age.get(other.key, 9) < age.get(entry.key, 9) else (entry, other)
        found[attribute] = winner
        mistakes.warn(
            loser.where,
            f"{loser.key}={loser.value} is not used: {winner.key}={winner.value} says the same thing at "
            f"{winner.where}.",
            f"Keep one; the name of today is {names[0]}.",
        )
    return found


def _unknown(entry: _Entry, mistakes: Mistakes) -> None:
    if entry.key.startswith(_OTHER_JOBS):
        mistakes.warn(
            entry.where, f"{entry.key} belongs to another sifarish job; it is not used by this one."
        )
    elif entry.key.startswith(_HADOOP):
        mistakes.warn(
            entry.where, f"{entry.key} is Hadoop's; it is not used from here.", "Give it to the runner."
        )
    else:
        known = [key.name for key in KEYS.values()]
        mistakes.add(entry.where, f"unknown key {entry.key}.", nearest(entry.key, known))


def _agreed(
    settings: Settings, given: Mapping[str, _Entry], unread: Collection[str], mistakes: Mistakes
) -> Settings:
    """The settings, after a look for those that contradict each other."""
    for attribute in ("cutoff", "cluster_cutoff"):
        value = getattr(settings, attribute)
        if value is None or value <= settings.scale or "scale" in unread:
            continue
        entry = given[attribute]
        what = f"{entry.key}={value} is above sts.distance.scale={settings.scale}."
        right = f"Every pair would qualify. Give a value from 0 to {settings.scale}."
        (mistakes.warn if settings.compat else mistakes.add)(entry.where, what, right)
    cutoff, cluster_cutoff = settings.cutoff, settings.cluster_cutoff
    if cutoff is not None and cluster_cutoff is not None and cutoff < cluster_cutoff <= settings.scale:
        mistakes.add(
            given["cluster_cutoff"].where,
            f"cluster.cutoff={cluster_cutoff} is above sts.dist.threshold={cutoff}.",
            f"Pairs that far apart are not looked for. Give a value from 0 to {cutoff}.",
        )
    if settings.two_sets and settings.same_id:
        mistakes.add(
            given["same_id"].where,
            f"{given['same_id'].key} and {given['two_sets'].key} are both true.",
            "Set sts.inter.set.matching for two sets of files, sts.mixed.in.sets for records of several sets "
            "with equal ids behind the set id.",
        )
    if settings.same_id and settings.set_id_size == 0 and "set_id_size" not in unread:
        mistakes.add(
            given["same_id"].where,
            f"{given['same_id'].key}=true, but no set id is in front of the ids.",
            "Set sts.set.ID.size to its length, 1 or more.",
        )
    if settings.extra_fields and settings.output_record:
        mistakes.warn(
            given["output_record"].where,
            f"{given['output_record'].key}=true is not used: {given['extra_fields'].key} wins over it.",
        )
        return replace(settings, output_record=False)
    return settings
