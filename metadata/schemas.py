"""Schema files: YAML or JSON, in the native form or in sifarish's."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import yaml

from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.native_schema import read_native
from pehchan.metadata.properties import Settings
from pehchan.metadata.schema import Schema
from pehchan.metadata.sifarish_schema import read_sifarish


def load_schema(
    path: str | None, settings: Settings, mistakes: Mistakes, properties_path: str | None = None
) -> Schema | None:
    """The schema of a file, with what the settings say about it; None where none can be read.

    What is wrong with it is added to the mistakes; what could be read is returned all the same, so that more can
    be checked at once.
    A path that leads nowhere from the current folder is tried from the folder of the properties file.
    """
    if not path:
        right = "Name a schema file: sts.same.schema.file.path=customer.json."
        mistakes.add(properties_path or "", "no schema is given.", right)
        return None
    if properties_path and not os.path.exists(path):
        beside = os.path.join(os.path.dirname(properties_path), path)
        path = beside if os.path.exists(beside) else path
    before = len(mistakes.found)
    data = read_data(path, mistakes)
    if len(mistakes.found) > before:
        return None
    if is_sifarish(data):
        schema = read_sifarish(data, path, settings, mistakes)
    else:
        schema = read_native(data, path, mistakes)
    if settings.id_counted:
        schema = replace(schema, id_counted=True)
    if schema.cutoff is not None and schema.cutoff > settings.scale:
        what = f"cutoff: {schema.cutoff} is above sts.distance.scale={settings.scale}."
        mistakes.add(path, what, f"Every pair would qualify. Give a value from 0 to {settings.scale}.")
    return facet(schema, settings, mistakes)


def is_sifarish(data: Any) -> bool:
    """Whether this is sifarish's form of a schema, not the native one."""
    return isinstance(data, Mapping) and (
        "distAlgorithm" in data or "entities" in data or isinstance(data.get("entity"), Mapping)
    )


def facet(schema: Schema, settings: Settings, mistakes: Mistakes) -> Schema:
    """The schema with only the fields of the columns that sts.faceted.field.ordinal names."""
    if settings.faceted is None:
        return schema
    ordinals = {field.ordinal for field in schema.fields}
    if None in ordinals:
        mistakes.add(
            "sts.faceted.field.ordinal",
            "it numbers columns, but the schema names them and says not where they stand.",
            "Leave the fields out of the schema, or name all columns in it.",
        )
        return schema
    for ordinal in settings.faceted:
        if ordinal not in ordinals:
            known = ", ".join(str(each) for each in sorted(ordinals, key=str))
            what = f"column {ordinal} is none that the schema compares."
            mistakes.warn("sts.faceted.field.ordinal", what, f"Compared: {known}.")
    fields = tuple(field for field in schema.fields if field.ordinal in settings.faceted)
    if schema.fields and not fields:
        right = "Give columns that the schema compares, or leave it blank for all."
        mistakes.add("sts.faceted.field.ordinal", "no field is left to compare.", right)
    # What is not compared is kept all the same.
    others = replace(schema, fields=tuple(field for field in schema.fields if field not in fields))
    return replace(schema, fields=fields, golden=others.kept)


def read_data(path: str, mistakes: Mistakes) -> Any:
    """What stands in a YAML (.yaml, .yml) or JSON file, as plain Python; None and a mistake if unreadable."""
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8-sig")
    except OSError as error:
        mistakes.add(path, f"the file cannot be read: {error.strerror}.", "Give a schema in JSON or YAML.")
        return None
    except UnicodeDecodeError as error:
        mistakes.add(path, f"it is not UTF-8 (byte {error.start}).", "Save the file as UTF-8.")
        return None
    if not text.strip():
        mistakes.add(path, "the file is empty.", "Give a schema in JSON or YAML.")
        return None
    read = _read_yaml if path.lower().endswith((".yaml", ".yml")) else _read_json
    return read(text, path, mistakes)


def native_text(data: Mapping[str, Any]) -> str:
    """A native form as YAML for people: a field a line."""
    lines = []
    for key, value in data.items():
        if key == "fields":
            lines.append("fields:")
            lines += [f"  {_flow({name: field})}" for name, field in value.items()]
        else:
            lines.append(_flow({key: value}))
    text = "\n".join(lines) + "\n"
    if _read_yaml(text, "", Mistakes()) == data:
        return text
    # Names longer than a key on one line may be, or with characters that YAML reads as others.
    return yaml.safe_dump(dict(data), sort_keys=False)


def _flow(data: Mapping[str, Any]) -> str:
    """One key and its value on one line."""
    text = yaml.safe_dump(data, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return text.strip()[1:-1]


def _read_json(text: str, path: str, mistakes: Mistakes) -> Any:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key, value in items:
            if key in data:
                mistakes.warn(path, f'key "{key}" is there twice.', "Keep one; the last is used.")
            data[key] = value
        return data

    def constant(name: str) -> Any:
        mistakes.add(path, f"{name} is no JSON.", "Give a number.")

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=constant)
    except json.JSONDecodeError as error:
        where = f"{path} line {error.lineno} column {error.colno}"
        mistakes.add(where, f"it is not JSON: {error.msg}.", "Mend it, or name the file .yaml if it is YAML.")
    except RecursionError:
        mistakes.add(path, "it is nested too deeply.", "Give a schema in JSON or YAML.")
    return None


class _Loader(yaml.SafeLoader):
    """YAML's safe types; a key that stands twice in a mapping is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = []
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if key in keys:
                problem = f'key "{key}" is there twice'
                raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
            keys.append(key)
        return super().construct_mapping(node, deep)


def _read_yaml(text: str, path: str, mistakes: Mistakes) -> Any:
    with yaml_mistakes(path, mistakes):
        return yaml.load(text, _Loader)
    return None


@contextmanager
def yaml_mistakes(path: str, mistakes: Mistakes) -> Iterator[None]:
    """Add a mistake where the YAML of a file that is loaded within is none; what comes after goes on."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path} line {mark.line + 1} column {mark.column + 1}" if mark else path
        mistakes.add(where, f"it is not YAML: {error.problem or error.context}.", "Mend it.")
    except yaml.YAMLError as error:
        mistakes.add(path, f"it is not YAML: {error}", "Save the file as plain text.")
    except (RecursionError, ValueError) as error:
        mistakes.add(path, f"it cannot be read: {error}", "Save the file as plain YAML.")
