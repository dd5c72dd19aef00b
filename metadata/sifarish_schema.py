"""sifarish's JSON schemas: read into the one model of a schema, and written back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isfinite
from typing import Any

from pehchan.metadata.mistakes import Mistakes, nearest
from pehchan.metadata.properties import KEYS, Settings
from pehchan.metadata.schema import CURVES, Curve, Field, Schema

#: Spellings of the aggregations; sifarish itself knows Minkowski's only misspelt.
AGGREGATIONS = {
    "euclidean": "euclidean",
    "manhattan": "manhattan",
    "minkwoski": "minkowski",
    "minkowski": "minkowski",
}

#: textMatchingAlgorithm and the measure it means; the last three are additions.
TEXT_MEASURES = {
    "editDistance": "edit",
    "jaccard": "jaccard",
    "cosine": "cosine",
    "dice": "dice",
    "charPair": "char-pair",
    "levenshtein": "levenshtein",
    "damerauLevenshtein": "damerau-levenshtein",
    "jaroWinkler": "jaro-winkler",
}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError("text")


def _number(value: Any) -> float:
    if not isinstance(value, bool) and isinstance(value, str | int | float):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = float("nan")
        if isfinite(number):
            return number
    raise ValueError("a number")


def _whole(value: Any) -> int:
    if not isinstance(value, bool) and isinstance(value, str | int | float):
        try:
            # Jackson cuts the fraction off a number, but refuses it in a text.
            return int(value)
        except (ValueError, OverflowError):
            pass
    raise ValueError("a whole number")


def _flag(value: Any) -> bool:
    if isinstance(value, int):
        return bool(value)
    if value in ("true", "false"):
        return value == "true"
    raise ValueError("true or false")


def _numbers(value: Any) -> list[float]:
    if not isinstance(value, list):
        raise ValueError("a list of numbers")
    return [_number(each) for each in value]


def _three_numbers(value: Any) -> list[float]:
    if not isinstance(value, list) or len(value) != 3:
        raise ValueError("a list of three numbers")
    return _numbers(value)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("an object in braces")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("a list in brackets")
    return value


def _anything(value: Any) -> Any:
    return value


Keys = Mapping[str, Callable[[Any], Any]]

SCHEMA_KEYS: Keys = {
    "distAlgorithm": _text,
    "minkowskiParam": _number,
    "numericDiffThreshold": _number,
    "missingValueHandler": _text,
    "textMatchingAlgorithm": _text,
    "srcNonMatchingTermWeight": _number,
    "trgNonMatchingTermWeight": _number,
    "locationComponentWeights": _three_numbers,
    "eventComponentWeights": _three_numbers,
    "entity": _object,
    "entities": _list,
    "partitioningColumn": _whole,
    "conf": _anything,
}

ENTITY_KEYS: Keys = {
    "name": _text,
    "fields": _list,
    "fieldExtractors": _list,
    # For the job that compares two kinds of records.
    "type": _anything,
    "fieldCount": _anything,
    "filePrefix": _anything,
}

FIELD_KEYS: Keys = {
    "name": _text,
    "ordinal": _whole,
    "id": _flag,
    "classAttribute": _flag,
    "dataType": _text,
    "min": _whole,
    "max": _whole,
    "unit": _text,
    "weight": _number,
    "categoricalDistances": _list,
    "conceptHierarchy": _object,
    "distAlgorithm": _text,
    "componentWeights": _three_numbers,
    "distThreshold": _number,
    "maxDistance": _whole,
    "maxTimeWindow": _whole,
    "contAttrDistanceFunction": _text,
    "functionThreshold": _number,
    "implodeThreshold": _number,
    "explodeThreshold": _number,
    # Of other jobs, or of none.
    "type": _anything,
    "dataSubType": _anything,
    "textDataSubTypeFormat": _anything,
    "matchingOrdinal": _anything,
    "mappings": _anything,
    "numDistFunction": _anything,
    "partWeights": _anything,
    "distStrategy": _anything,
}

CATEGORICAL_KEYS: Keys = {"thisValue": _text, "thatValue": _text, "distance": _number}
HIERARCHY_KEYS: Keys = {"concepts": _list}
CONCEPT_KEYS: Keys = {"parent": _text, "children": _list}


def read_sifarish(data: Mapping[str, Any], where: str, settings: Settings, mistakes: Mistakes) -> Schema:
    """The schema of sifarish's JSON (as json.loads gives it), for the job that compares records of one kind.

    The id and class attributes are left out of its fields. With settings.compat, what sifarish makes of keys
    in the wrong place or out of range holds.
    """
    values = _read(data, SCHEMA_KEYS, where, mistakes)
    if "entities" in values:
        mistakes.add(
            where,
            '"entities" is for the job that compares two kinds of records; it is not built yet.',
            'Give one "entity".',
        )
        return Schema((), where=where, lines=True)
    entity = _read(values.get("entity", {}), ENTITY_KEYS, f"{where} entity", mistakes)
    if entity.get("fieldExtractors"):
        mistakes.add(
            f"{where} entity",
            '"fieldExtractors" is not built.',
            "Extract the fields beforehand, and give the columns that come of it.",
        )
    reader = _SchemaReader(values, settings, where, mistakes)
    fields, id_field = reader.fields(entity.get("fields", []))
    partition_ordinal = reader.partition_ordinal()
    return Schema(
        fields=fields,
        entity=entity.get("name", "record"),
        id=id_field.name if id_field else None,
        id_ordinal=id_field.ordinal if id_field else None,
        aggregation=reader.aggregation(),
        power=reader.power(),
        partition=next((f.name for f in fields if f.ordinal == partition_ordinal), None),
        partition_ordinal=partition_ordinal,
        id_counted=settings.id_counted,
        lines=True,
        where=where,
    )


def _read(data: Any, keys: Keys, where: str, mistakes: Mistakes) -> dict[str, Any]:
    """The values of an object, coerced as Jackson coerces them, in its order; null counts as not given."""
    if not isinstance(data, dict):
        mistakes.add(where, f"{data!r} stands where an object in braces is expected.")
        return {}
    values = {}
    for key, value in data.items():
        if key not in keys:
            mistakes.add(where, f'unknown key "{key}".', nearest(key, keys))
        elif value is not None:
            try:
                values[key] = keys[key](value)
            except ValueError as error:
                mistakes.add(where, f'"{key}": {value!r} cannot be read.', f"Give {error}.")
    return values


@dataclass
class _SchemaReader:
    """Reads the parts of a schema whose top-level values are known."""

    values: Mapping[str, Any]
    settings: Settings
    where: str
    mistakes: Mistakes

    def aggregation(self) -> str:
        name = self.values.get("distAlgorithm")
        if name not in AGGREGATIONS:
            what = '"distAlgorithm" is missing.' if name is None else f'unknown "distAlgorithm" "{name}".'
            self.mistakes.add(self.where, what, 'Give "euclidean", "manhattan" or "minkowski".')
            return "manhattan"
        return AGGREGATIONS[name]

    def power(self) -> float:
        if AGGREGATIONS.get(self.values.get("distAlgorithm", "")) != "minkowski":
            return 1.0
        power: float = self.values.get("minkowskiParam", 0.0)
        if power > 0 or (power == 0 and self.settings.compat):
            return power
        self.mistakes.add(
            self.where,
            f'"minkowskiParam" is {power:g}: no pair would have a distance.',
            "Give the power, a number above 0.",
        )
        return 1.0

    def partition_ordinal(self) -> int | None:
        ordinal: int = self.values.get("partitioningColumn", -1)
        if ordinal < -1:
            self.mistakes.add(
                self.where,
                f'"partitioningColumn" is {ordinal}.',
                "Give the number of a column from 0, or -1 for none.",
            )
        return ordinal if ordinal >= 0 else None

    def missing(self) -> str:
        handler = self.values.get("missingValueHandler", "default")
        known = {"default": "max", "skip": "skip"}
        if handler in known:
            return known[handler]
        what = f'unknown "missingValueHandler" "{handler}".'
        right = 'Give "default" (a missing value is as far as can be) or "skip" (the field is not counted).'
        if self.settings.compat:
            self.mistakes.warn(self.where, f"{what} The distance of the field before is taken.", right)
            return "previous"
        self.mistakes.add(self.where, what, right)
        return "max"

    @cached_property
    def text_measure(self) -> str:
        """The measure of all text fields; asked for only where there are any."""
        algorithm = self.values.get("textMatchingAlgorithm", "")
        if algorithm not in TEXT_MEASURES:
            what = f'unknown "textMatchingAlgorithm" "{algorithm}".'
            if not algorithm:
                what = '"textMatchingAlgorithm" is missing, but there are text fields.'
            self.mistakes.add(self.where, what, f"Known: {', '.join(TEXT_MEASURES)}.")
        return TEXT_MEASURES.get(algorithm, "zero")

    def fields(self, data: Sequence[Any]) -> tuple[tuple[Field, ...], Field | None]:
        """The compared fields, and the id field."""
        missing = self.missing()
        compared: list[Field] = []
        ids: list[Field] = []
        names: set[str] = set()
        for number, each in enumerate(data):
            name = each.get("name") if isinstance(each, dict) else None
            where = (
                f'{self.where} field "{name}"' if name else f"{self.where} field {number} (counted from 0)"
            )
            values = _read(each, FIELD_KEYS, where, self.mistakes)
            ordinal = self._ordinal(values, where)
            name = values.get("name") or f"column{ordinal}"
            while name in names:
                name = f"{name}_{ordinal}"
            names.add(name)
            if values.get("id"):
                ids.append(Field(name, ordinal, "zero", where=where))
            elif not values.get("classAttribute"):
                compared.append(replace(self._field(values, name, where), ordinal=ordinal, missing=missing))
        if not compared:
            self.mistakes.add(self.where, "no field is compared.", 'Give "fields" in "entity" beside the id.')
        if not ids:
            self.mistakes.warn(
                self.where,
                "no field is the id; ids are made from the content.",
                'Give "id": true to a field.',
            )
        for extra in ids[1:]:
            self.mistakes.add(extra.where, "a second id field.", 'Give "id": true to one field.')
        for each in compared:
            if ids and each.ordinal == ids[0].ordinal:
                what = f'"ordinal" {each.ordinal} is the one of the id.'
                self.mistakes.add(each.where, what, "Give every field the number of its own column.")
        return tuple(compared), ids[0] if ids else None

    def _ordinal(self, values: Mapping[str, Any], where: str) -> int:
        ordinal: int = values.get("ordinal", -1)
        if ordinal < 0:
            what = f'"ordinal" is {ordinal}.' if "ordinal" in values else '"ordinal" is missing.'
            self.mistakes.add(where, what, "Give the number of the column, counted from 0.")
        return max(ordinal, 0)

    def _field(self, values: Mapping[str, Any], name: str, where: str) -> Field:
        data_type = values.get("dataType")
        if data_type in DATA_TYPES:
            measure, parameters = DATA_TYPES[data_type](self, values, where)
        else:
            what = '"dataType" is missing.' if data_type is None else f'unknown dataType "{data_type}".'
            self.mistakes.add(where, what, f"Known: {', '.join(DATA_TYPES)}.")
            measure, parameters = "zero", {}
        threshold: float = values.get("distThreshold", -1.0)
        return Field(
            name,
            None,
            measure,
            parameters,
            curve=self._curve(values, where),
            threshold=threshold if threshold > 0 else None,
            implode=values.get("implodeThreshold", -0.1),
            explode=values.get("explodeThreshold", 1.1),
            where=where,
        )

    def _curve(self, values: Mapping[str, Any], where: str) -> Curve:
        """The curve; sifarish takes "weight" for one too, and the last of the two keys for the one meant."""
        kind = values.get("contAttrDistanceFunction", "nonLinear" if "weight" in values else "none")
        if self.settings.compat:
            last = [key for key in values if key in ("weight", "contAttrDistanceFunction")][-1:]
            kind = "nonLinear" if last == ["weight"] else kind
        if kind not in CURVES:
            known = ", ".join(CURVES)
            self.mistakes.add(where, f'unknown "contAttrDistanceFunction" "{kind}".', f"Known: {known}.")
            return Curve()
        w, t = values.get("weight", 1.0), values.get("functionThreshold", 0.5)
        if w <= 0:
            self.mistakes.add(where, f'"weight" is {w:g}.', "Give a number above 0; 1 changes nothing.")
            return Curve()
        if not 0 <= t <= 1:
            self.mistakes.add(where, f'"functionThreshold" is {t:g}.', "Give a number from 0 to 1.")
            return Curve()
        bent, cut = kind in ("nonLinear", "sigmoid"), kind in ("sigmoid", "step", "ramp")
        return Curve(kind, w if bent else 1.0, t if cut else 0.5)


Measure = tuple[str, dict[str, Any]]


def _read_text(reader: _SchemaReader, values: Mapping[str, Any], where: str) -> Measure:
    measure = reader.text_measure
    parameters: dict[str, dict[str, Any]] = {
        "edit": {} if reader.settings.edit_tokens else {"tokens": False},
        "jaccard": {
            "a_weight": reader.values.get("srcNonMatchingTermWeight", 1.0),
            "b_weight": reader.values.get("trgNonMatchingTermWeight", 1.0),
        },
    }
    return measure, parameters.get(measure, {})


def _read_number(reader: _SchemaReader, values: Mapping[str, Any], where: str) -> Measure:
    low, high = values.get("min", 0), values.get("max", 0)
    if high <= low and ("min" in values or "max" in values):
        reader.mistakes.warn(
            where,
            f'"min" {low} and "max" {high} are no range; the schema\'s "numericDiffThreshold" is used.',
            'Give a "max" above "min".',
        )
    parameters = {
        "min": low,
        "max": high,
        "ratio_threshold": reader.values.get("numericDiffThreshold", 0.0),
        "unit": values.get("unit", ""),
    }
    whole = values["dataType"] == "int"
    return "number", {"integer": whole, **{key: value for key, value in parameters.items() if value}}


def _read_categorical(reader: _SchemaReader, values: Mapping[str, Any], where: str) -> Measure:
    distances = []
    for each in values.get("categoricalDistances", []):
        pair = _read(each, CATEGORICAL_KEYS, f"{where} categoricalDistances", reader.mistakes)
        if len(pair) == 3:
            distances.append([pair["thisValue"], pair["thatValue"], pair["distance"]])
        else:
            right = 'Give "thisValue", "thatValue" and "distance".'
            reader.mistakes.add(where, f'"categoricalDistances": {each!r} is not complete.', right)
    hierarchy = _read(
        values.get("conceptHierarchy", {}), HIERARCHY_KEYS, f"{where} conceptHierarchy", reader.mistakes
    )
    concepts = []
    for each in hierarchy.get("concepts", []):
        concept = _read(each, CONCEPT_KEYS, f"{where} conceptHierarchy", reader.mistakes)
        concepts.append([concept.get("parent", ""), [str(child) for child in concept.get("children", [])]])
    parameters = {"distances": distances, "hierarchy": concepts}
    return "categorical", {key: value for key, value in parameters.items() if value}


def _read_string(reader: _SchemaReader, values: Mapping[str, Any], where: str) -> Measure:
    reader.mistakes.warn(
        where,
        "dataType string is never compared, but counted as distance 0: it brings all pairs closer.",
        "Leave the field out, or make it text or categorical.",
    )
    return "zero", {}


def _max_minutes(reader: _SchemaReader, values: Mapping[str, Any], where: str) -> dict[str, Any]:
    minutes: int = values.get("maxTimeWindow", 0)
    if minutes <= 0:
        reader.mistakes.warn(
            where,
            f'"maxTimeWindow" is {minutes}: windows that overlap at all are 0 apart.',
            "Give the minutes of overlap that count as the same.",
        )
    return {"max_minutes": minutes, "delimiter": reader.settings.sub_delimiter}


def _read_time_window(reader: _SchemaReader, values: Mapping[str, Any], where: str) -> Measure:
    return "time-window", _max_minutes(reader, values, where)


def _read_hour_window(reader: _SchemaReader, values: Mapping[str, Any], where: str) -> Measure:
    return "hour-window", _max_minutes(reader, values, where)


def _read_location(reader: _SchemaReader, values: Mapping[str, Any], where: str) -> Measure:
    by = values.get("distAlgorithm")
    if by not in ("euclidean", "manhattan"):
        reader.mistakes.add(
            where,
            f'a location needs a "distAlgorithm" of its own{f", not {by!r}" if by else ""}.',
            'Give "euclidean" or "manhattan".',
        )
    if "componentWeights" not in values:
        right = 'Give "componentWeights": three numbers, for landmark, city and state.'
        reader.mistakes.add(where, "a location needs the weights of its parts.", right)
    return "location", {
        "weights": values.get("componentWeights", [1.0, 1.0, 1.0]),
        "by": by,
        "delimiter": reader.settings.sub_delimiter,
    }


def _read_geo(reader: _SchemaReader, values: Mapping[str, Any], where: str) -> Measure:
    max_km: int = values.get("maxDistance", 0)
    if max_km <= 0 and not reader.settings.compat:
        reader.mistakes.add(
            where,
            f'"maxDistance" is {max_km}: even equal places would be as far apart as can be.',
            "Give the kilometres that count as farthest, 1 or more.",
        )
    return "geo", {"max_km": max_km}


def _read_event(reader: _SchemaReader, values: Mapping[str, Any], where: str) -> Measure:
    weights = reader.values.get("eventComponentWeights", [1.0, 1.0, 1.0])
    return "event", {"weights": weights, **_max_minutes(reader, values, where)}


#: dataType and what reads its measure.
DATA_TYPES: dict[str, Callable[[_SchemaReader, Mapping[str, Any], str], Measure]] = {
    "text": _read_text,
    "categorical": _read_categorical,
    "int": _read_number,
    "double": _read_number,
    "timeWindow": _read_time_window,
    "hourWindow": _read_hour_window,
    "location": _read_location,
    "geoLocation": _read_geo,
    "event": _read_event,
    "string": _read_string,
}


def write_sifarish(schema: Schema, settings: Settings | None = None) -> dict[str, Any]:
    """The schema in sifarish's JSON, to be used with these settings.

    Raises ValueError, which lists all that its JSON cannot say.
    """
    writer = _SchemaWriter(settings or Settings())
    fields = [writer.field_keys(each) for each in schema.fields]
    if schema.id is not None:
        ordinal = writer.ordinal(f'id "{schema.id}"', schema.id_ordinal)
        fields.insert(0, {"name": schema.id, "ordinal": ordinal, "id": True, "dataType": "string"})
    if schema.cutoff is not None:
        writer.set_in_properties("", "cutoff", schema.cutoff)
    writer.set_in_properties("", "id_counted", schema.id_counted)
    # sifarish itself takes this spelling only.
    aggregation = {"minkowski": "minkwoski"}.get(schema.aggregation, schema.aggregation)
    data: dict[str, Any] = {"distAlgorithm": aggregation}
    if schema.aggregation == "minkowski":
        data["minkowskiParam"] = schema.power
    if schema.partition_ordinal is not None:
        data["partitioningColumn"] = schema.partition_ordinal
    elif schema.partition is not None:
        writer.ordinal(f'partition "{schema.partition}"', None)
    writer.unsaid += [f'blocking key "{key.text}"' for key in schema.blocking]
    writer.unsaid += [f'rule "{key.text}"' for key in (*schema.must_link, *schema.cannot_link)]
    if writer.unsaid:
        raise ValueError("sifarish's JSON cannot say:\n" + "\n".join(f"  {each}" for each in writer.unsaid))
    if writer.shared.get("missingValueHandler") == "default":
        del writer.shared["missingValueHandler"]
    return {**data, **writer.shared, "entity": {"name": schema.entity, "fields": fields}}


@dataclass
class _SchemaWriter:
    """Writes fields, and gathers what all of them share and what cannot be said."""

    settings: Settings
    shared: dict[str, Any] = field(default_factory=dict)
    unsaid: list[str] = field(default_factory=list)

    def share(self, where: str, key: str, value: Any) -> None:
        """Set a key of the schema; sifarish has one for all fields."""
        if self.shared.setdefault(key, value) != value:
            self.unsaid.append(f'{where}: "{key}" {value!r}, where others have {self.shared[key]!r}')

    def set_in_properties(self, where: str, attribute: str, value: Any) -> None:
        """Check that the settings say what sifarish keeps in the properties."""
        if value != getattr(self.settings, attribute):
            place = f"{where}: " if where else ""
            self.unsaid.append(f"{place}{attribute} {value!r}; set {KEYS[attribute].name} in the properties")

    def ordinal(self, where: str, ordinal: int | None) -> int:
        if ordinal is None:
            self.unsaid.append(f"{where}: a column by its name; its number is needed")
        return ordinal or 0

    def field_keys(self, each: Field) -> dict[str, Any]:
        where = f'field "{each.name}"'
        parameters = dict(each.parameters)
        data: dict[str, Any] = {"name": each.name, "ordinal": self.ordinal(where, each.ordinal)}
        if each.measure in _WRITERS:
            data.update(_WRITERS[each.measure](self, where, each.measure, parameters))
        else:
            self.unsaid.append(f"{where}: the measure {each.measure}")
            parameters = {}
        self.unsaid += [f"{where}: {key} {value!r}" for key, value in parameters.items()]
        if each.curve.kind in ("nonLinear", "sigmoid"):
            data["weight"] = each.curve.w
        if each.curve.kind in ("sigmoid", "step", "ramp"):
            data["contAttrDistanceFunction"] = each.curve.kind
            data["functionThreshold"] = each.curve.t
        if each.threshold is not None:
            data["distThreshold"] = each.threshold
        if each.implode != -0.1:
            data["implodeThreshold"] = each.implode
        if each.explode != 1.1:
            data["explodeThreshold"] = each.explode
        self.share(where, "missingValueHandler", {"max": "default"}.get(each.missing, each.missing))
        if each.weight != 1:
            self.unsaid.append(f"{where}: weight {each.weight:g} in the mean (sifarish's weight is a curve)")
        if each.fold:
            self.unsaid.append(f"{where}: fold {', '.join(each.fold)}")
        if each.threshold == 0:
            self.unsaid.append(f"{where}: threshold 0 (it means none there)")
        if each.missing == "previous" and not self.settings.compat:
            self.set_in_properties(where, "compat", True)
        return data


Parameters = dict[str, Any]


def _write_text(writer: _SchemaWriter, where: str, measure: str, parameters: Parameters) -> Parameters:
    algorithm = next(name for name, known in TEXT_MEASURES.items() if known == measure)
    writer.share(where, "textMatchingAlgorithm", algorithm)
    if measure == "edit":
        writer.set_in_properties(where, "edit_tokens", parameters.pop("tokens", True))
    if measure == "jaccard":
        writer.share(where, "srcNonMatchingTermWeight", parameters.pop("a_weight", 1.0))
        writer.share(where, "trgNonMatchingTermWeight", parameters.pop("b_weight", 1.0))
    return {"dataType": "text"}


def _write_number(writer: _SchemaWriter, where: str, measure: str, parameters: Parameters) -> Parameters:
    writer.share(where, "numericDiffThreshold", parameters.pop("ratio_threshold", 0.0))
    data = {"dataType": "int" if parameters.pop("integer", False) else "double"}
    data |= {
        key: parameters.pop(key) for key in ("min", "max") if float(parameters.get(key, 0.5)).is_integer()
    }
    unit = parameters.pop("unit", "")
    return {**data, "unit": unit} if unit else data


def _write_categorical(writer: _SchemaWriter, where: str, measure: str, parameters: Parameters) -> Parameters:
    data: Parameters = {"dataType": "categorical"}
    if distances := parameters.pop("distances", []):
        keys = ("thisValue", "thatValue", "distance")
        data["categoricalDistances"] = [dict(zip(keys, each, strict=True)) for each in distances]
    if hierarchy := parameters.pop("hierarchy", []):
        concepts = [{"parent": parent, "children": list(children)} for parent, children in hierarchy]
        data["conceptHierarchy"] = {"concepts": concepts}
    return data


def _write_window(writer: _SchemaWriter, where: str, measure: str, parameters: Parameters) -> Parameters:
    writer.set_in_properties(where, "sub_delimiter", parameters.pop("delimiter", "::"))
    data_type = {"time-window": "timeWindow", "hour-window": "hourWindow", "event": "event"}[measure]
    if measure == "event" and "weights" in parameters:
        writer.share(where, "eventComponentWeights", list(parameters.pop("weights")))
    return {"dataType": data_type, "maxTimeWindow": parameters.pop("max_minutes", 0)}


def _write_location(writer: _SchemaWriter, where: str, measure: str, parameters: Parameters) -> Parameters:
    writer.set_in_properties(where, "sub_delimiter", parameters.pop("delimiter", "::"))
    weights = list(parameters.pop("weights", [1.0, 1.0, 1.0]))
    by = parameters.pop("by", "euclidean")
    return {"dataType": "location", "distAlgorithm": by, "componentWeights": weights}


def _write_geo(writer: _SchemaWriter, where: str, measure: str, parameters: Parameters) -> Parameters:
    whole = float(parameters.get("max_km", 0)).is_integer()
    return {"dataType": "geoLocation", "maxDistance": parameters.pop("max_km", 0) if whole else 0}


def _write_string(writer: _SchemaWriter, where: str, measure: str, parameters: Parameters) -> Parameters:
    return {"dataType": "string"}


#: Measure and what writes its dataType; it takes the parameters it can say out of those given.
_WRITERS: dict[str, Callable[[_SchemaWriter, str, str, Parameters], Parameters]] = {
    **dict.fromkeys(TEXT_MEASURES.values(), _write_text),
    "number": _write_number,
    "categorical": _write_categorical,
    "exact": _write_categorical,
    "time-window": _write_window,
    "hour-window": _write_window,
    "event": _write_window,
    "location": _write_location,
    "geo": _write_geo,
    "zero": _write_string,
}
