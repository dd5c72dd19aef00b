"""The native form of a schema: fields by their names, each with its measure, read from YAML or JSON.

    entity: customer
    id: custID
    fields:
      name: {measure: edit, threshold: 0.4}
      city: {measure: jaro-winkler, weight: 2, fold: [case, accents]}
      phone: levenshtein
    cutoff: 100
    blocking:
      - soundex(name) + city

It can hold every schema, also one read from sifarish's JSON, and so carries the schema in a plan.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import inf, isfinite
from typing import Any

from pehchan.metadata.blocking_keys import FORM, NEIGHBOURS, SEVERAL, BlockingKey, KeyPart, parse_key
from pehchan.metadata.keeping import KeptColumn, Rule, read_rule, write_rule
from pehchan.metadata.mistakes import Mistakes, nearest
from pehchan.metadata.schema import KINDS, Curve, Field, Schema

#: The keys of a schema. The last three are for schemas that were sifarish's; "sifarish" admits what it makes
#: of values out of range: missing: previous, thresholds above 1, a power of 0.
SCHEMA_KEYS = (
    *("entity", "id", "columns", "fields", "aggregate", "missing", "partition", "blocking", "cutoff"),
    *("must_link", "cannot_link", "keep", "golden"),
    *("lines", "id_counted", "sifarish"),
)

#: What a field's mapping holds beside the parameters of its measure.
FIELD_KEYS = (
    *("measure", "column", "weight", "threshold", "curve", "missing", "fold"),
    *("implode", "explode", "kind", "keep"),
)

FOLDS = ("case", "accents")

#: The curves, and what stands behind their names.
CURVE_FORMS = {"nonLinear": ("w",), "sigmoid": ("w", "t"), "step": ("t",), "ramp": ("t",)}

#: What an id given by its number only is called.
NUMBERED_ID = "id"


def read_native(data: Any, where: str, mistakes: Mistakes) -> Schema:
    """The schema of a native form (what a YAML or JSON parser makes of it).

    Where it names its columns, ordinals are filled in; else `resolve` fills them from a header.
    """
    return _Reader(where, mistakes).schema(data)


def resolve(schema: Schema, header: Sequence[str], mistakes: Mistakes) -> Schema:
    """The schema with the column numbers of a file with this header; where it is empty, of its own columns.

    Columns that the schema knows by name are found by name, others keep their number.
    """
    columns = tuple(header) or schema.columns
    if not columns:
        ordinals = [field.ordinal for field in schema.fields]
        ordinals += [part.ordinal for key in schema.keys for part in key.parts]
        if None in ordinals or (schema.id is not None and schema.id_ordinal is None):
            mistakes.add(
                schema.where,
                "it names its columns, but the input has no header.",
                "Add the names of all columns in the order of the file: columns: [id, name, …].",
            )
        return schema

    def find(where: str, name: str | None, ordinal: int | None) -> int | None:
        if ordinal is not None and schema.columns != columns and ordinal < len(schema.columns):
            name, ordinal = schema.columns[ordinal], None
        if ordinal is not None:
            if ordinal >= len(columns):
                what = f"there is no column {ordinal} (counted from 0)."
                mistakes.add(where, what, f"The input has {len(columns)} columns.")
            return ordinal
        if name is None:
            return None
        if columns.count(name) == 1:
            return columns.index(name)
        if name in columns:
            what = f'there are {columns.count(name)} columns "{name}".'
            mistakes.add(where, what, "Give the number of the one that is meant, counted from 0.")
        else:
            mistakes.add(where, f'there is no column "{name}".', nearest(name, columns))
        return None

    id_ordinal = find(f"{schema.where} id", schema.id, schema.id_ordinal)
    partition_ordinal = find(f"{schema.where} partition", schema.partition, schema.partition_ordinal)
    partition = schema.partition
    if partition is None and partition_ordinal is not None and partition_ordinal < len(columns):
        partition = columns[partition_ordinal]

    def resolved(keys: Sequence[BlockingKey]) -> tuple[BlockingKey, ...]:
        return tuple(
            replace(
                key,
                parts=tuple(
                    replace(part, ordinal=find(key.where, part.column, part.ordinal)) for part in key.parts
                ),
            )
            for key in keys
        )

    def resolved_rule(where: str, rule: Rule) -> Rule:
        ordinal = find(where, rule.column, rule.ordinal)
        if ordinal is None or ordinal >= len(columns):
            return replace(rule, ordinal=ordinal)
        return replace(rule, column=columns[ordinal], ordinal=ordinal)

    def resolved_field(field: Field) -> Field:
        where = field.where or f'{schema.where} field "{field.name}"'
        keep = None if field.keep is None else resolved_rule(where, field.keep)
        return replace(field, ordinal=find(where, field.column or field.name, field.ordinal), keep=keep)

    def resolved_column(kept: KeptColumn) -> KeptColumn:
        ordinal = find(kept.where, kept.name, kept.ordinal)
        name = columns[ordinal] if ordinal is not None and ordinal < len(columns) else kept.name
        return replace(kept, name=name, ordinal=ordinal, rule=resolved_rule(kept.where, kept.rule))

    found = replace(
        schema,
        columns=columns,
        id_ordinal=id_ordinal,
        partition=partition,
        partition_ordinal=partition_ordinal,
        blocking=resolved(schema.blocking),
        must_link=resolved(schema.must_link),
        cannot_link=resolved(schema.cannot_link),
        fields=tuple(map(resolved_field, schema.fields)),
        keep=None if schema.keep is None else resolved_rule(f"{schema.where} keep", schema.keep),
        golden=tuple(map(resolved_column, schema.golden)),
    )
    _check_kept(found, mistakes)
    return found


def _check_kept(schema: Schema, mistakes: Mistakes) -> None:
    """A column has one rule."""
    seen: dict[int, str] = {}
    for each in schema.kept:
        if each.ordinal is None:
            continue
        if each.ordinal in seen:
            what = f'{seen[each.ordinal]} has a rule for column "{each.name}" as well.'
            mistakes.add(each.where, what, "Keep one.")
        seen[each.ordinal] = each.where


class _Reader:
    """Reads one native form; `where` is the file."""

    def __init__(self, where: str, mistakes: Mistakes):
        self.where = where
        self.mistakes = mistakes
        self.columns: tuple[str, ...] = ()
        self.sifarish = False

    def unusable(self, where: str, key: str, value: Any, right: str) -> None:
        self.mistakes.add(where, f"{key}: {value!r} cannot be used.", f"Give {right}.")

    def schema(self, data: Any) -> Schema:
        where = self.where
        if not isinstance(data, Mapping):
            right = "Give entity, id, fields and so on, each with its value."
            self.mistakes.add(where, "it holds no keys.", right)
            return Schema((), where=where)
        for key in data:
            if key not in SCHEMA_KEYS:
                self.mistakes.add(where, f'unknown key "{key}".', nearest(str(key), SCHEMA_KEYS))
        self.sifarish = self.flag(data, "sifarish")
        self.columns = self.names(data.get("columns", []))
        id_name, id_ordinal = self.reference(where, "id", data.get("id"))
        if id_ordinal is not None and id_name is None:
            id_name = NUMBERED_ID
        partition, partition_ordinal = self.reference(where, "partition", data.get("partition"))
        aggregation, power = self.aggregate(data.get("aggregate", "manhattan"))
        cutoff = data.get("cutoff")
        if cutoff is not None and not _is_ordinal(cutoff):
            self.unusable(where, "cutoff", cutoff, "a whole number of 0 or more")
            cutoff = None
        entity = data.get("entity", "record")
        if not isinstance(entity, str):
            self.unusable(where, "entity", entity, "what a record is, as text")
            entity = "record"
        schema = Schema(
            fields=self.fields(data),
            entity=entity,
            columns=self.columns,
            id=id_name,
            id_ordinal=id_ordinal,
            aggregation=aggregation,
            power=power,
            partition=partition,
            partition_ordinal=partition_ordinal,
            blocking=self.blocking(data),
            must_link=self.rules(data, "must_link"),
            cannot_link=self.rules(data, "cannot_link"),
            keep=self.keep(where, data),
            golden=self.golden(data),
            cutoff=cutoff,
            id_counted=self.flag(data, "id_counted"),
            lines=self.flag(data, "lines"),
            where=where,
        )
        return resolve(schema, (), self.mistakes) if self.columns else schema

    def flag(self, data: Mapping[str, Any], key: str) -> bool:
        value = data.get(key, False)
        if not isinstance(value, bool):
            self.unusable(self.where, key, value, "true or false, without quotes")
        return value is True

    def number(
        self, where: str, data: Mapping[str, Any], key: str, accepts: str, fits: Callable[[float], bool]
    ) -> float | None:
        value = data.get(key)
        if value is None or (_is_number(value) and fits(value)):
            return None if value is None else float(value)
        self.unusable(where, key, value, accepts)
        return None

    def names(self, value: Any) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(name, str) for name in value):
            return tuple(value)
        right = "a list of the names of all columns in the order of the file; quote names such as no and 1"
        self.unusable(self.where, "columns", value, right)
        return ()

    def reference(self, where: str, key: str, value: Any) -> tuple[str | None, int | None]:
        """The name and number of a column given as one of them, or as both: {name: …, column: …}."""
        if value is None or isinstance(value, str):
            return value, None
        if _is_ordinal(value):
            return self.columns[value] if value < len(self.columns) else None, value
        if isinstance(value, Mapping) and set(value) == {"name", "column"}:
            name, ordinal = value["name"], value["column"]
            if isinstance(name, str) and _is_ordinal(ordinal):
                return name, ordinal
        right = "the name of a column (in quotes where it looks like something else) or its number from 0"
        self.unusable(where, key, value, right)
        return None, None

    def aggregate(self, value: Any) -> tuple[str, float]:
        if value in ("manhattan", "euclidean"):
            return value, 1.0
        if isinstance(value, Mapping) and set(value) == {"minkowski"} and _is_number(value["minkowski"]):
            power = float(value["minkowski"])
            if power > 0 or (power == 0 and self.sifarish):
                return "minkowski", power
        right = "manhattan, euclidean, or {minkowski: p} with p above 0"
        self.unusable(self.where, "aggregate", value, right)
        return "manhattan", 1.0

    def missing(self, where: str, value: Any) -> str:
        if value in ("max", "skip") or (value == "previous" and self.sifarish):
            return str(value)
        right = "max (a missing value is as far as can be) or skip (the field is not counted)"
        self.unusable(where, "missing", value, right)
        return "max"

    def blocking(self, data: Mapping[str, Any]) -> tuple[BlockingKey, ...]:
        return self.keys(data, "blocking", "for all pairs leave blocking out")

    def rules(self, data: Mapping[str, Any], name: str) -> tuple[BlockingKey, ...]:
        """Keys of which a value decides about two records: such as make one value."""
        keys = self.keys(data, name, f"leave {name} out where there is no such rule")
        for key in keys:
            several = [part.function for part in key.parts if part.function in SEVERAL]
            if several or key.following is not None:
                what = f"{several[0]} makes several values of one" if several else f"{NEIGHBOURS} makes none"
                self.mistakes.add(
                    key.where, f"{what}, and a rule needs one.", "Name a column, or digits(phone)."
                )
        return keys

    def keys(self, data: Mapping[str, Any], name: str, otherwise: str) -> tuple[BlockingKey, ...]:
        if name not in data:
            return ()
        given = data[name]
        if not isinstance(given, list) or not given:
            right = f"Give a list of keys, one a line after a dash; {otherwise}. {FORM}"
            self.mistakes.add(f"{self.where} {name}", "it holds no keys.", right)
            return ()
        found: dict[tuple[tuple[KeyPart, ...], bool], BlockingKey] = {}
        for each in given:
            # YAML reads a column that is given by its number as a number.
            text = str(each) if _is_ordinal(each) else each
            where = f'{self.where} {name} key "{text}"'
            if not isinstance(text, str):
                self.mistakes.add(f"{self.where} {name}", f"{each!r} is no key.", FORM)
                continue
            try:
                key = parse_key(text, where)
            except ValueError as error:
                self.mistakes.add(where, *str(error).split("\n"))
                continue
            same = key.parts, key.following is None
            if same in found:
                self.mistakes.add(where, "it is there twice.", "Keep one.")
            found[same] = key
        return tuple(found.values())

    def fields(self, data: Mapping[str, Any]) -> tuple[Field, ...]:
        missing = self.missing(self.where, data.get("missing", "max"))
        fields = data.get("fields")
        if not isinstance(fields, Mapping) or not fields:
            right = "Give fields: and under it the name and measure of each, such as name: edit."
            self.mistakes.add(self.where, "no field is compared.", right)
            return ()
        found: dict[str, Field] = {}
        for key, value in fields.items():
            where = f'{self.where} field "{key}"'
            name = str(key) if _is_whole(key) else key
            if not isinstance(name, str):
                right = "Put it in quotes; YAML reads a bare no, yes, on or off as true or false."
                self.mistakes.add(where, "its name is not text.", right)
            elif name in found:
                self.mistakes.add(where, "it is there twice.", "Give one another name, and its column.")
            else:
                found[name] = self.field(name, value, where, missing)
        return tuple(found.values())

    def field(self, name: str, value: Any, where: str, missing: str) -> Field:
        data = {"measure": value} if isinstance(value, str) else value
        if not isinstance(data, Mapping) or not isinstance(data.get("measure"), str):
            right = f"Give it, such as {name}: edit or {name}: {{measure: edit, threshold: 0.4}}."
            self.mistakes.add(where, "it has no measure.", right)
            return Field(name, None, "zero", where=where)
        column, ordinal = self.reference(where, "column", data.get("column"))
        parameters = {key: each for key, each in data.items() if key not in FIELD_KEYS}
        for key, each in parameters.items():
            if not isinstance(key, str) or not _is_plain(each):
                self.unusable(where, str(key), each, "text (in quotes where need be), numbers or lists")
        numbers = {
            "weight": self.number(where, data, "weight", "a number above 0", lambda weight: weight > 0),
            "threshold": self.number(
                where,
                data,
                "threshold",
                "a number from 0 to 1",
                lambda t: 0 <= t <= (inf if self.sifarish else 1),
            ),
            "implode": self.number(where, data, "implode", "a number", isfinite),
            "explode": self.number(where, data, "explode", "a number", isfinite),
        }
        given: dict[str, Any] = {key: number for key, number in numbers.items() if number is not None}
        return Field(
            name=name,
            ordinal=ordinal,
            measure=data["measure"],
            parameters=parameters,
            curve=self.curve(where, data.get("curve")),
            missing=self.missing(where, data.get("missing", missing)),
            fold=self.fold(where, data.get("fold", [])),
            where=where,
            column=column if ordinal is None else None,
            kinds=self.kinds(where, data.get("kind", [])),
            keep=self.keep(where, data),
            **given,
        )

    def kinds(self, where: str, value: Any) -> tuple[str, ...]:
        kinds = value if isinstance(value, list) else [value]
        for kind in kinds:
            if kind not in KINDS:
                self.mistakes.add(where, f"kind: {kind!r} is no kind of field.", nearest(str(kind), KINDS))
        return tuple(kind for kind in kinds if kind in KINDS)

    def keep(self, where: str, data: Mapping[str, Any]) -> Rule | None:
        return read_rule(data["keep"], where, self.reference, self.mistakes) if "keep" in data else None

    def golden(self, data: Mapping[str, Any]) -> tuple[KeptColumn, ...]:
        if "golden" not in data:
            return ()
        given, found = data["golden"], {}
        if not isinstance(given, Mapping) or not given:
            right = "Give columns under it and the rule of each, such as email: longest; for one rule, keep: longest."
            self.mistakes.add(f"{self.where} golden", "it names no column.", right)
            return ()
        for key, value in given.items():
            where = f'{self.where} golden column "{key}"'
            name = str(key) if _is_whole(key) else key
            if not isinstance(name, str):
                right = "Put it in quotes; YAML reads a bare no, yes, on or off as true or false."
                self.mistakes.add(where, "its name is not text.", right)
            elif name in found:
                self.mistakes.add(where, "it is there twice.", "Keep one.")
            elif rule := read_rule(value, where, self.reference, self.mistakes):
                found[name] = KeptColumn(name, None, rule, where)
        return tuple(found.values())

    def fold(self, where: str, value: Any) -> tuple[str, ...]:
        folds = [value] if isinstance(value, str) else value
        if isinstance(folds, list) and all(fold in FOLDS for fold in folds):
            return tuple(dict.fromkeys(folds))
        self.unusable(where, "fold", value, "case, accents, or [case, accents]")
        return ()

    def curve(self, where: str, value: Any) -> Curve:
        if value is None:
            return Curve()
        if isinstance(value, Mapping) and len(value) == 1:
            kind, given = next(iter(value.items()))
            numbers = given if isinstance(given, list) else [given]
            parts = CURVE_FORMS.get(kind, ())
            if len(parts) == len(numbers) and all(map(_is_number, numbers)):
                curve = Curve(kind, **{part: float(each) for part, each in zip(parts, numbers, strict=True)})
                if parts and curve.w > 0 and 0 <= curve.t <= 1:
                    return curve
        right = "{nonLinear: w}, {sigmoid: [w, t]}, {step: t} or {ramp: t}, w above 0 and t from 0 to 1"
        self.unusable(where, "curve", value, right)
        return Curve()


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_ordinal(value: Any) -> bool:
    return _is_whole(value) and value >= 0


def _is_number(value: Any) -> bool:
    return (_is_whole(value) or isinstance(value, float)) and -1e300 < value < 1e300


def _is_plain(value: Any) -> bool:
    """What JSON can hold and give back."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    return value is None or isinstance(value, str | bool) or _is_number(value)


def with_column_names(schema: Schema) -> Schema:
    """A schema of numbered columns with a name for each: that of its field, "column N" where it has none.

    As a person would write it; a schema that names its columns already stays as it is.
    """
    if schema.columns:
        return schema
    named = {field.ordinal: field.name for field in reversed(schema.fields) if field.ordinal is not None}
    for name, ordinal in ((schema.partition, schema.partition_ordinal), (schema.id, schema.id_ordinal)):
        if ordinal is not None and ordinal not in named:
            named[ordinal] = name or f"column {ordinal}"
    columns = tuple(named.get(ordinal, f"column {ordinal}") for ordinal in range(max(named, default=-1) + 1))
    return replace(
        schema,
        columns=columns,
        id=None if schema.id_ordinal is None else columns[schema.id_ordinal],
        partition=None if schema.partition_ordinal is None else columns[schema.partition_ordinal],
    )


def write_native(schema: Schema) -> dict[str, Any]:
    """The native form of a schema, as JSON can hold it; defaults are left out."""
    missing = {field.missing for field in schema.fields}
    common = missing.pop() if len(missing) == 1 else "max"
    data: dict[str, Any] = {}
    if schema.entity != "record":
        data["entity"] = schema.entity
    if schema.id is not None or schema.id_ordinal is not None:
        named = schema.id_ordinal is not None and schema.id == NUMBERED_ID and not schema.columns
        data["id"] = _written_reference(schema, None if named else schema.id, schema.id_ordinal)
    if schema.columns:
        data["columns"] = list(schema.columns)
    data["fields"] = {field.name: _written_field(schema, field, common) for field in schema.fields}
    if schema.aggregation == "minkowski":
        data["aggregate"] = {"minkowski": _short(schema.power)}
    elif schema.aggregation != "manhattan":
        data["aggregate"] = schema.aggregation
    if common != "max":
        data["missing"] = common
    if schema.partition is not None or schema.partition_ordinal is not None:
        data["partition"] = _written_reference(schema, schema.partition, schema.partition_ordinal)
    for name, keys in (
        ("blocking", schema.blocking),
        ("must_link", schema.must_link),
        ("cannot_link", schema.cannot_link),
    ):
        if keys:
            data[name] = [key.text for key in keys]
    if schema.keep is not None:
        data["keep"] = write_rule(schema.keep)
    if schema.golden:
        data["golden"] = {each.name: write_rule(each.rule) for each in schema.golden}
    if schema.cutoff is not None:
        data["cutoff"] = schema.cutoff
    if schema.id_counted:
        data["id_counted"] = True
    if schema.lines:
        data["lines"] = True
    if _needs_sifarish(schema):
        data["sifarish"] = True
    return data


def _needs_sifarish(schema: Schema) -> bool:
    return schema.power == 0 or any(
        field.missing == "previous" or (field.threshold or 0) > 1 for field in schema.fields
    )


def _written_reference(schema: Schema, name: str | None, ordinal: int | None) -> Any:
    if ordinal is None:
        return name
    if name is None:
        return ordinal
    if ordinal < len(schema.columns) and schema.columns[ordinal] == name:
        return name if schema.columns.count(name) == 1 else ordinal
    return {"name": name, "column": ordinal}


def _written_field(schema: Schema, field: Field, missing: str) -> Any:
    data: dict[str, Any] = {"measure": field.measure, **field.parameters}
    name = field.column or field.name
    named = field.ordinal is not None and [name] == [
        column for number, column in enumerate(schema.columns) if number == field.ordinal or column == name
    ]
    if field.ordinal is not None and not named:
        data["column"] = field.ordinal
    elif field.column is not None:
        data["column"] = field.column
    if field.weight != 1:
        data["weight"] = _short(field.weight)
    if field.threshold is not None:
        data["threshold"] = _short(field.threshold)
    if field.curve.kind != "none":
        numbers = [_short(getattr(field.curve, part)) for part in CURVE_FORMS[field.curve.kind]]
        data["curve"] = {field.curve.kind: numbers[0] if len(numbers) == 1 else numbers}
    if field.missing != missing:
        data["missing"] = field.missing
    if field.fold:
        data["fold"] = list(field.fold)
    if field.implode != -0.1:
        data["implode"] = _short(field.implode)
    if field.explode != 1.1:
        data["explode"] = _short(field.explode)
    if field.kinds:
        data["kind"] = field.kinds[0] if len(field.kinds) == 1 else list(field.kinds)
    if field.keep is not None:
        data["keep"] = write_rule(field.keep)
    return field.measure if len(data) == 1 else data


def _short(number: float) -> float:
    """1.0 as 1."""
    return int(number) if float(number).is_integer() else number
