"""What a run in Zingg's words is asked for: where records come from and go to, and how their fields compare."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pehchan.learning.labels import RESERVED
from pehchan.metadata.mistakes import Mistakes, nearest
from pehchan.zingg.match_types import DONT_USE, MATCH_TYPES, NAMES


@dataclass(frozen=True)
class Column:
    """A column of a pipe.

    data_type  as Spark's schema strings name it, in lower case: string, integer, long, double, date, boolean, …
    """

    name: str
    data_type: str = "string"


@dataclass(frozen=True)
class Pipe:
    """Where records come from or go to.

    name    of the source, as z_zsource has it
    format  csv, tsv, json, parquet, excel, jdbc, … in lower case
    props   path or location, delimiter, header, url, dbtable, … as they were given
    schema  the columns in their order, None: as the source itself says
    mode    of an output: append, overwrite, error or ignore
    where   file and key, for messages
    """

    name: str
    format: str
    props: Mapping[str, str] = field(default_factory=dict)
    schema: tuple[Column, ...] | None = None
    mode: str = "append"
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class FieldDefinition:
    """A field of the records, and how it is compared.

    match_types  names of match_types.MATCH_TYPES, in upper case; none: the field is not compared
    stop_words   path of a file of words to leave out, None for none
    primary_key  whether it says which record is which, alone or with others
    where        file and key, for messages
    """

    name: str
    match_types: tuple[str, ...]
    data_type: str = "string"
    stop_words: str | None = None
    primary_key: bool = False
    where: str = field(default="", compare=False)


@dataclass(frozen=True)
class Configuration:
    """All that a phase is asked for.

    fields              in their order, also those that are not used
    label_sample_size   share of the records that training pairs are sought in, in (0, 1]
    stop_words_cutoff   share of all words of a column from which a word is one to leave out, in (0, 1)
    column              that `recommend` looks at
    show_concise        whether documents leave fields out that are not used
    notices             what was given and is not needed, or taken otherwise, for a person
    more                pipes of phases of entities, by their keys
    original            another configuration, whose entities were there before
    """

    fields: tuple[FieldDefinition, ...]
    data: tuple[Pipe, ...]
    output: tuple[Pipe, ...] = ()
    training_samples: tuple[Pipe, ...] = ()
    model_id: str = "1"
    zingg_dir: str = "zingg"
    label_sample_size: float = 0.01
    stop_words_cutoff: float = 0.1
    column: str | None = None
    show_concise: bool = False
    notices: tuple[str, ...] = field(default=(), compare=False)
    more: Mapping[str, tuple[Pipe, ...]] = field(default_factory=dict)
    original: "Configuration | None" = None

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The names of the fields that say which record is which; () where none does."""
        return tuple(each.name for each in self.fields if each.primary_key)


#: What the keys of a configuration are called, those that are used first.
_USED = (
    *("modelId", "zinggDir", "data", "output", "trainingSamples", "fieldDefinition"),
    *("labelDataSampleSize", "stopWordsCutoff", "column", "showConcise"),
)
_FIELD_USED = ("fieldName", "matchType", "dataType", "stopWords", "primaryKey")
_PIPE_USED = ("name", "format", "props", "schema", "mode")

#: Keys that nothing asks for, and why.
_NOT_NEEDED = {
    "numPartitions": "how many tasks there are follows from the runner",
    "blockSize": "keys are learnt to fit the records",
    "threshold": "from where on pairs match is learnt",
    "jobId": "a run needs no number",
    "collectMetrics": "no event is ever sent anywhere",
    "blockingModel": "keys are learnt until they lose next to no match",
    "outputStats": "the summary of a phase has the numbers",
}
#: Keys that would change the result, and are not built.
_NOT_BUILT = {
    "deterministicMatching": "Leave it out: equal values make a match as far as the records bear it out. A native "
    "schema has must_link, for pehchan match.",
    "passthroughExpr": "Leave those records out of the data pipes.",
    "postProcessors": "Leave it out, and bring values to one form afterwards.",
}
_FIELD_NOT_NEEDED = {
    "fields": "fieldName says which column it is",
    "abbreviations": "what is short for what is learnt from the records",
}
_PIPE_NOT_NEEDED = {"id": "the name says it", "preprocessors": "stop words are those of the fields"}


def read_configuration(data: Any, where: str) -> Configuration:
    """The configuration that JSON holds, as it was parsed. Raises MistakesError with all that is wrong with it.

    where  the file, or what else it came from
    """
    mistakes = Mistakes()
    configuration = _Reader(where, mistakes).configuration(data)
    mistakes.raise_if_any()
    return configuration


def read_pipes_of(data: Mapping[str, Any], key: str, where: str, mistakes: Mistakes) -> tuple[Pipe, ...]:
    """The pipes of a list of a configuration; all that is wrong with them becomes mistakes."""
    return _Reader(where, mistakes).pipes(data, key)


def checked(configuration: Configuration, given: Mapping[str, str]) -> Configuration:
    """The configuration with what a command line gives for zinggDir, modelId, column and showConcise instead."""
    mistakes = Mistakes()
    reader = _Reader("--", mistakes)
    taken: dict[str, Any] = {}
    if "zinggDir" in given:
        taken["zingg_dir"] = reader.folder(given["zinggDir"])
    if "modelId" in given:
        taken["model_id"] = reader.model_id(given["modelId"])
    if "column" in given:
        taken["column"] = reader.text("--", given, "column")
    if "showConcise" in given:
        taken["show_concise"] = reader.truth(given, "showConcise")
    mistakes.raise_if_any()
    return replace(configuration, **taken)


class _Reader:
    """Reads one configuration; `where` is the file."""

    def __init__(self, where: str, mistakes: Mistakes):
        self.where, self.mistakes = where, mistakes
        self.not_needed: dict[str, str] = {}
        self.notices: list[str] = []

    def unusable(self, where: str, key: str, value: Any, right: str) -> None:
        self.mistakes.add(f"{where} {key}", f"{value!r} cannot be used.", f"Give {right}.")

    def configuration(self, data: Any) -> Configuration:
        where = self.where
        if not isinstance(data, Mapping):
            self.mistakes.add(where, "it holds no keys.", "Give fieldDefinition, data, output and so on.")
            return Configuration((), ())
        self.keys(where, data, _USED, _NOT_NEEDED)
        data_pipes = self.pipes(data, "data")
        fields = self.fields(data)
        if not data_pipes and not data.get("data"):
            self.mistakes.add(f"{where} data", "no pipe says where the records come from.", _PIPE_FORM)
        for each in fields:
            self.check_column(each, data_pipes)
        configuration = Configuration(
            fields,
            data_pipes,
            self.pipes(data, "output"),
            self.pipes(data, "trainingSamples"),
            self.model_id(data.get("modelId")),
            self.folder(data.get("zinggDir")),
            self.share(data, "labelDataSampleSize", Configuration.label_sample_size, whole=True),
            self.share(data, "stopWordsCutoff", Configuration.stop_words_cutoff),
            self.text(where, data, "column"),
            self.truth(data, "showConcise"),
        )
        if "labelDataSampleSize" in data:
            self.not_needed["labelDataSampleSize"] = "questions are sought among up to 40,000 records anyway"
        if self.not_needed:
            told = "; ".join(f"{key} ({reason})" for key, reason in self.not_needed.items())
            self.notices.insert(0, f"{where}: not needed here, and left out: {told}.")
        return replace(configuration, notices=tuple(self.notices))

    def keys(
        self, where: str, data: Mapping[str, Any], used: Sequence[str], not_needed: Mapping[str, str]
    ) -> None:
        """A mistake for each unknown key; those that are not needed are remembered."""
        for key in data:
            if key == "fields" and data[key] == data.get("fieldName"):
                # Every configuration says so, and it changes nothing.
                continue
            if key in not_needed:
                self.not_needed[key] = not_needed[key]
            elif key in _NOT_BUILT:
                self.mistakes.add(where, f'"{key}" is not built.', _NOT_BUILT[key])
            elif key not in used:
                self.mistakes.add(where, f'unknown key "{key}".', nearest(key, (*used, *not_needed)))

    def text(self, where: str, data: Mapping[str, Any], key: str) -> str | None:
        value = data.get(key)
        if value is None or isinstance(value, str):
            # "" is what templates leave of what was not given.
            return value or None
        self.unusable(where, key, value, "text, in quotes")
        return None

    def model_id(self, value: Any) -> str:
        if value is None:
            return Configuration.model_id
        if isinstance(value, str | int) and not isinstance(value, bool):
            name = str(value)
            if name and name not in (".", "..") and "/" not in name and "\0" not in name:
                return name
        self.unusable(self.where, "modelId", value, "the name of a folder in zinggDir")
        return Configuration.model_id

    def folder(self, value: Any) -> str:
        if value is None:
            return Configuration.zingg_dir
        if isinstance(value, str) and value:
            local = value.removeprefix("file://")
            if "://" not in local and not local.startswith("dbfs:"):
                return local
        self.unusable(
            self.where, "zinggDir", value, "a folder of this machine; models and answers are kept there"
        )
        return Configuration.zingg_dir

    def share(self, data: Mapping[str, Any], key: str, default: float, whole: bool = False) -> float:
        value = data.get(key, default)
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = -1.0
        if 0 < number < 1 or (whole and number == 1):
            return number
        self.unusable(self.where, key, value, "a number above 0 and " + ("up to 1" if whole else "below 1"))
        return default

    def truth(self, data: Mapping[str, Any], key: str, where: str = "") -> bool:
        value = data.get(key, False)
        told = {"true": True, "false": False}.get(str(value).lower())
        if told is None:
            self.unusable(where or self.where, key, value, "true or false")
        return bool(told)

    def listed(self, data: Mapping[str, Any], key: str, form: str) -> list[tuple[str, Mapping[str, Any]]]:
        """The objects of a list, each with its place."""
        value = data.get(key)
        if value is None:
            return []
        if not isinstance(value, Sequence) or isinstance(value, str):
            self.mistakes.add(f"{self.where} {key}", "it is no list.", form)
            return []
        found = []
        for number, each in enumerate(value):
            where = f"{self.where} {key}[{number}]"
            if isinstance(each, Mapping):
                found.append((where, each))
            else:
                self.mistakes.add(where, f"{each!r} cannot be used.", form)
        return found

    def pipes(self, data: Mapping[str, Any], key: str) -> tuple[Pipe, ...]:
        return tuple(self.pipe(where, each) for where, each in self.listed(data, key, _PIPE_FORM))

    def pipe(self, where: str, data: Mapping[str, Any]) -> Pipe:
        self.keys(where, data, _PIPE_USED, _PIPE_NOT_NEEDED)
        name, form = self.text(where, data, "name"), self.text(where, data, "format")
        for key, value in (("name", name), ("format", form)):
            if value is None and not data.get(key):
                self.mistakes.add(where, f"it has no {key}.", _PIPE_FORM)
        props = data.get("props")
        if props is not None and not isinstance(props, Mapping):
            self.unusable(
                where, "props", props, 'an object, such as {"location": "customers.csv", "header": true}'
            )
            props = None
        return Pipe(
            name or "",
            (form or "").lower(),
            {str(key): _plain(value) for key, value in (props or {}).items()},
            self.schema(f"{where} schema", data.get("schema")),
            (self.text(where, data, "mode") or Pipe.mode).lower(),
            where,
        )

    def schema(self, where: str, value: Any) -> tuple[Column, ...] | None:
        # Here, as data types make the columns of above.
        from pehchan.zingg.data_types import parse_schema

        if value is None or value == "":
            return None
        if isinstance(value, str) and value.lstrip().startswith("{"):
            # As Spark writes schemas in JSON, and as Zingg's first versions had them.
            try:
                fields = json.loads(value)["fields"]
                value = ", ".join(f"`{each['name']}` {each['type']}" for each in fields)
            except (ValueError, KeyError, TypeError):
                self.mistakes.add(where, "no schema in Spark's JSON.", _SCHEMA_FORM)
                return None
        if not isinstance(value, str):
            self.mistakes.add(where, f"{value!r} cannot be used.", _SCHEMA_FORM)
            return None
        return parse_schema(value, where, self.mistakes)

    def fields(self, data: Mapping[str, Any]) -> tuple[FieldDefinition, ...]:
        found: dict[str, FieldDefinition] = {}
        listed = self.listed(data, "fieldDefinition", _FIELD_FORM)
        for where, each in listed:
            definition = self.field(where, each)
            if definition.name in found:
                what = f'the field "{definition.name}" is there twice.'
                self.mistakes.add(where, what, 'Give one matchType: "FUZZY,EXACT".')
            found[definition.name] = definition
        if not listed and not data.get("fieldDefinition"):
            self.mistakes.add(f"{self.where} fieldDefinition", "no field is compared.", _FIELD_FORM)
        elif listed and not self.mistakes.found and not any(each.match_types for each in found.values()):
            what = "no field is compared: all are DONT_USE."
            self.mistakes.add(f"{self.where} fieldDefinition", what, f"Known: {', '.join(NAMES)}.")
        return tuple(found.values())

    def field(self, where: str, data: Mapping[str, Any]) -> FieldDefinition:
        from pehchan.zingg.data_types import check_data_type

        self.keys(where, data, _FIELD_USED, _FIELD_NOT_NEEDED)
        name = self.text(where, data, "fieldName")
        if not name:
            self.mistakes.add(where, "it has no fieldName.", _FIELD_FORM)
        elif name.lower() in (*RESERVED, *_MADE):
            self.mistakes.add(where, f'"{name}" is a column that is made.', "Rename it in the data.")
        # Zingg's first versions wrote types in quotes of their own.
        given = (self.text(where, data, "dataType") or "string").strip().strip('"')
        data_type = check_data_type(given, f"{where} dataType", self.mistakes)
        match_types = self.match_types(f'{where} "{name}" matchType', data.get("matchType"), data_type)
        return FieldDefinition(
            name or "",
            match_types,
            data_type or "string",
            self.text(where, data, "stopWords"),
            self.truth(data, "primaryKey", where),
            where,
        )

    def match_types(self, where: str, value: Any, data_type: str | None) -> tuple[str, ...]:
        words = value.split(",") if isinstance(value, str) else value
        if not words or not isinstance(words, Sequence) or not all(isinstance(each, str) for each in words):
            self.mistakes.add(where, "no match type is given.", f"Known: {', '.join(NAMES)}.")
            return ()
        found: dict[str, None] = {}
        for word in words:
            name = self.match_type(where, word.strip().upper())
            if name is None:
                continue
            found[name] = None
            if name != DONT_USE and data_type is not None and not MATCH_TYPES[name].compares(data_type):
                right = [each for each, row in MATCH_TYPES.items() if row.compares(data_type)] or [DONT_USE]
                what = f"{name} does not compare values of type {data_type}."
                self.mistakes.add(where, what, f"Use {' or '.join(right)}.")
        if DONT_USE in found:
            if len(found) > 1:
                self.notices.append(
                    f"{where}: with DONT_USE the field is not compared, whatever else is said."
                )
            return ()
        return tuple(found)

    def match_type(self, where: str, name: str) -> str | None:
        plain = name.removesuffix("_OPTIMISED").removesuffix("_OPTIMIZED")
        known = _MEANT.get(plain, plain)
        if known in NAMES:
            if known != name and known != plain:
                self.notices.append(f"{where}: {name} is no match type, and taken as {known}.")
            elif known != name:
                self.notices.append(f"{where}: {name} is taken as {known}, which is as fast.")
            return known
        if name.startswith("MAPPING_"):
            what = f"{name}: files of what is short for what are not built."
            self.mistakes.add(where, what, "Use FUZZY; what often differs in matches is learnt from labels.")
        else:
            self.mistakes.add(where, f'unknown match type "{name}".', nearest(name, NAMES))
        return None

    def check_column(self, definition: FieldDefinition, pipes: Sequence[Pipe]) -> None:
        """A mistake where a pipe tells its columns, and the field is none of them."""
        for pipe in pipes:
            names = [column.name for column in pipe.schema or ()]
            if pipe.schema and definition.name and definition.name not in names:
                what = f'no column "{definition.name}", which fieldDefinition names.'
                self.mistakes.add(f"{pipe.where} schema", what, nearest(definition.name, names))


#: Columns of a result besides those that training data has, in lower case.
_MADE = ("zingg_id",)

#: Spelled so in configurations that go around.
_MEANT = {"NUMBER_WITH_UNITS": "NUMERIC_WITH_UNITS", "NUMBER_WITH_UNIT": "NUMERIC_WITH_UNITS"}

_PIPE_FORM = (
    'Give, for example, [{"name": "customers", "format": "csv", "props": {"location": "customers.csv", '
    '"header": "true"}}].'
)
_FIELD_FORM = (
    'Give an object a field, for example [{"fieldName": "name", "dataType": "string", "matchType": "FUZZY"}].'
)
_SCHEMA_FORM = 'Give names and types: "id string, name string, born date".'


def _plain(value: Any) -> str:
    """As Spark's options have it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
