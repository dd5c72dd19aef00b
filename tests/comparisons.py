"""Records and schemas of all kinds, made by chance, that ours and the oracle compare side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from random import Random
from typing import Any

import numpy as np
import plain
from texts import SCRIPTS, SIZES, near_copy

from pehchan.distance.index import Index
from pehchan.distance.jaro_winkler import JaroWinkler
from pehchan.distance.record import RecordDistance
from pehchan.metadata.schema import Curve, Field, Schema


def text(algorithm: str, **parameters: object) -> dict[str, object]:
    return {"dataType": "text", "textMatchingAlgorithm": algorithm, **parameters}


#: Blanks, words of one letter, letters composed and not, capitals; two that are missing once they are folded.
WORDS = ["Al Bo", "Al Ba", "Bo Al", " Al Bo", "Al", "A", "l Bo", "B Bo", "  ", "AL BO", "Ál Bo", "A\u0301l Bo",
         "Al  Bo ", "é", "e\u0301", "x", "a a b", "b", "A B", "night", "nacht", "night night", "\u0301",
         "\u0300"]  # fmt: skip
WHOLE = ["0", "3", "4", "10", "12", "25", "-2", " 5", "5.5", "x", "+7", "60"]
DECIMAL = ["0", "1", "1.2", "-1", "2 kg", "2", "1e3", "kg", "3 lb", ".5", "-0", "7.25"]
WINDOWS = ["2024-02-28 10:00:00::2024-02-28 11:00:00", "2024-02-28 10:20:07::2024-02-28 10:59:03",
           "2024-02-28 10:45:00::2024-03-01 09:00:00", "2024-02-29 10:00:00::2024-02-29 10:00:00", "?",
           "2024-02-28 11:00:00::2024-02-28 10:00:00",
           "2024-02-28 11:00:00 :: 2024-02-28 12:30:00"]  # fmt: skip
HOURS = [
    "0900::1700",
    "0900::1000",
    "0930::1230",
    "2200::0200",
    "0000::2400",
    "0115::0117",
    "1200::1200",
    "9::17",
]
PLACES = ["Hall::Fresno::CA", "hall::Fresno::CA", "Park::Fresno::CA", "Park::Oslo::NO", "Park ::  Oslo::", "Oslo",
          "São::Luís::MA", "Sa\u0303o::Luis::MA"]  # fmt: skip
POINTS = ["50:5", "50.01:5", "50.02:5.03", "50.031:4.96", "-50:175", "50:5:5", "x:y"]
EVENTS = [f"{what}::{PLACES[place]}::{WINDOWS[window]}" for what, place, window in
          [("Fair", 0, 0), ("Book Fair", 1, 1), ("Bok Fair", 1, 2), ("", 2, 0), (" Fair", 3, 6),
           ("Fair", 0, 5)]]  # fmt: skip
DATES = ["2024-02-29", "2024-03-01", "2023-12-24", " 2021-07-04", "1999-01-01", "2023-02-29", "?"]

#: Of each kind of field: what its schema says to the oracle, the measure, its parameters, and values; None: texts.
KINDS = {
    "words": (text("editDistance"), "edit", {}, None),
    "whole": (text("editDistance", tokens=False), "edit", {"tokens": False}, None),
    # Words in any order are not for compat.
    "aligned": (text("aligned"), "edit", {"align": True}, WORDS),
    "levenshtein": (text("levenshtein"), "levenshtein", {}, None),
    "damerau": (text("damerauLevenshtein"), "damerau-levenshtein", {}, None),
    "jaro-winkler": (text("jaroWinkler"), "jaro-winkler", {}, None),
    "char-pair": (text("charPair"), "char-pair", {}, None),
    "jaccard": (text("jaccard"), "jaccard", {}, None),
    "lopsided": (text("jaccard", srcNonMatchingTermWeight=2.0, trgNonMatchingTermWeight=0.5),
                 "jaccard", {"a_weight": 2.0, "b_weight": 0.5}, None),
    "dice": (text("dice"), "dice", {}, None),
    "cosine": (text("cosine"), "cosine", {}, None),
    "exact": ({"dataType": "exact"}, "exact", {}, None),
    "zero": ({"dataType": "string"}, "zero", {}, None),
    "colours": ({"dataType": "categorical",
                 "categoricalDistances": [{"thisValue": "red", "thatValue": "pink", "distance": 0.25}],
                 "conceptHierarchy": {"concepts": [{"parent": "blue", "children": ["navy", "sky"]}]}},
                "categorical", {"distances": [["red", "pink", 0.25]], "hierarchy": [["blue", ["navy", "sky"]]]},
                ["red", "pink", "blue", "navy", "sky", "Red"]),
    "integer": ({"dataType": "int", "max": 10}, "number", {"integer": True, "max": 10.0}, WHOLE),
    "double": ({"dataType": "double", "min": -10, "max": 20}, "number", {"min": -10.0, "max": 20.0},
               WHOLE + DECIMAL),
    "ratio": ({"dataType": "double", "numericDiffThreshold": 0.25, "unit": "kg"},
              "number", {"ratio_threshold": 0.25, "unit": "kg"}, DECIMAL),
    "window": ({"dataType": "timeWindow"}, "time-window", {}, WINDOWS),
    "90 minutes": ({"dataType": "timeWindow", "maxTimeWindow": 90}, "time-window", {"max_minutes": 90}, WINDOWS),
    "hours": ({"dataType": "hourWindow"}, "hour-window", {}, HOURS),
    "77 minutes": ({"dataType": "hourWindow", "maxTimeWindow": 77}, "hour-window", {"max_minutes": 77}, HOURS),
    "place": ({"dataType": "location", "distAlgorithm": "euclidean"}, "location", {}, PLACES),
    "parts": ({"dataType": "location", "distAlgorithm": "manhattan"}, "location", {"by": "manhattan"}, PLACES),
    "geo": ({"dataType": "geoLocation", "maxDistance": 7}, "geo", {"max_km": 7}, POINTS),
    "event": ({"dataType": "event", "maxTimeWindow": 90, "partWeights": (0.5, 1.0, 2.0)},
              "event", {"max_minutes": 90, "weights": [0.5, 1.0, 2.0]}, EVENTS),
    "date": ({"dataType": "date", "maxDays": 1000}, "date", {"max_days": 1000}, DATES),
}  # fmt: skip

# Of this measure the last bits are rapidfuzz's own; its test sees that they are no more than that.
plain.TEXT["jaroWinkler"] = lambda a, b, field: JaroWinkler().distance(a, b)

CURVES = [*[None] * 4, ("nonLinear", 2.0, 0.5), ("nonLinear", 0.4, 0.5), ("nonLinear", 0.8, 0.5),
          ("sigmoid", 4.0, 0.4), ("sigmoid", 20.0, 0.0), ("step", 1.0, 0.5), ("ramp", 1.0, 0.3)]  # fmt: skip
WEIGHTS = [1.0, 1.0, 2.0, 0.5, 0.1, 7.3]
THRESHOLDS = [None, 0.2, 0.25, 1 / 3, 0.4, 0.5, 2 / 3, 1.0, 1.2]
EDGES = [(-0.1, 1.1), (0.2, 0.9), (0.0, 1.0), (-0.1, 0.6), (0.5, 0.4)]
FOLDS = [(), (), ("case",), ("accents",), ("case", "accents")]
POWERS = [3.0, 0.5, 2.5, 10.0, 300.0, 0.001, 0.0]
AGGREGATIONS = [("manhattan", 1.0), ("euclidean", 1.0)] * 3 + [("minkowski", power) for power in POWERS]
SCALES = [1000, 1000, 100_000, 100, 7, 1]
MISSING = {"max": "default", "skip": "skip", "previous": "custom"}
#: A cutoff that keeps every pair.
FAR = 2**31 - 1


@dataclass(frozen=True)
class Comparison:
    """Records to be compared as a schema says: as the oracle reads it, with its properties, and as ours is.

    The first item of a record is its id, and its rank, in three digits.
    """

    schema: dict[str, Any]
    properties: dict[str, str]
    ours: Schema
    records: list[tuple[str, ...]]

    @cached_property
    def expected(self) -> dict[tuple[str, str], int]:
        """{(first id, second id): distance} by the oracle, however far apart."""
        return plain.plain_pairs(self.records, self.schema, self.properties)

    def within(self, cutoff: int) -> dict[tuple[str, str], int]:
        return {pair: apart for pair, apart in self.expected.items() if apart <= cutoff}

    def cutoffs(self, chance: Random, count: int) -> list[int]:
        """Some cutoffs: at distances that there are, just below them, and such as keep next to nothing or all."""
        found = {0, self.scale // 10, self.scale - 1, self.scale, FAR}
        found |= {cutoff for apart in self.expected.values() for cutoff in (apart, apart - 1) if cutoff >= 0}
        return chance.sample(sorted(found), min(count, len(found)))

    @property
    def scale(self) -> int:
        return int(self.properties["sts.distance.scale"])

    def by(self, cutoff: int, search: str = "auto", index: Index | None = None) -> RecordDistance:
        """A fresh one of ours."""
        compat = self.properties["sifarish.compat"] == "true"
        return RecordDistance(self.ours, self.scale, cutoff, compat, search, index=index)


@dataclass(frozen=True)
class Compared:
    """A field of a comparison, for both sides."""

    kind: str
    weight: float = 1.0
    curve: tuple[str, float, float] | None = None
    threshold: float | None = None
    missing: str = "max"
    fold: tuple[str, ...] = ()
    edges: tuple[float, float] = (-0.1, 1.1)

    def ours(self, ordinal: int) -> Field:
        _, measure, parameters, _ = KINDS[self.kind]
        curve = Curve(*self.curve) if self.curve else Curve()
        return Field(f"f{ordinal}", ordinal, measure, parameters, self.weight, curve, self.threshold,
                     self.missing, self.fold, *self.edges)  # fmt: skip

    def for_the_oracle(self, ordinal: int) -> dict[str, Any]:
        said = {**KINDS[self.kind][0], "ordinal": ordinal, "share": self.weight, "fold": self.fold}
        said |= {"missingValueHandler": MISSING[self.missing], "distThreshold": self.threshold or -1}
        said |= {"implodeThreshold": self.edges[0], "explodeThreshold": self.edges[1]}
        if self.curve:
            kind, w, t = self.curve
            said |= {"weight": w, "functionThreshold": t}
            said |= {} if kind == "nonLinear" else {"contAttrDistanceFunction": kind}
        return said

    def distances(self, a: str, b: str, compat: bool) -> tuple[float, float]:
        """By the oracle, the raw and the effective distance of two values; 1 of those that cannot be read."""
        alone = comparison_of([self], [], [], compat=compat)
        (field,) = plain.fields_of(alone.schema, alone.properties)
        found = plain.value_distance(a, b, field)
        raw = 1.0 if found is None else abs(found)
        return raw, plain.effective(raw, field)


def comparison_of(
    fields: list[Compared],
    records: list[list[str]],
    ids: list[int],
    aggregation: str = "manhattan",
    power: float = 1.0,
    scale: int = 1000,
    id_counted: bool = False,
    compat: bool = False,
) -> Comparison:
    schema = {"distAlgorithm": aggregation, "minkowskiParam": power}
    theirs = [field.for_the_oracle(ordinal) for ordinal, field in enumerate(fields, 1)]
    schema["entity"] = {"fields": [{"id": True, "ordinal": 0}, *theirs]}
    properties = {
        "sts.distance.scale": str(scale),
        "sts.dist.threshold": str(FAR),
        "sifarish.compat": str(compat).lower(),
        "sifarish.id.counted": str(id_counted).lower(),
        # One bucket: Java then leaves the order of pairs open, and here the smaller id comes first.
        "sts.bucket.count": "1",
    }
    ours = Schema(tuple(field.ours(ordinal) for ordinal, field in enumerate(fields, 1)), id="id", id_ordinal=0,
                  aggregation=aggregation, power=power, id_counted=id_counted)  # fmt: skip
    named = [(f"{number:03}", *record) for number, record in zip(ids, records, strict=True)]
    return Comparison(schema, properties, ours, named)


def some_comparison(
    chance: Random, compat: bool, most: int = 7, kinds: Sequence[str] = tuple(KINDS)
) -> Comparison:
    """A comparison of a few records by fields of mixed kinds."""
    kinds = [kind for kind in kinds if kind != "aligned" or not compat]
    # sifarish has one handler of missing values for all fields.
    handlers = chance.choice([["max", "skip"], ["max", "skip"], ["max"], ["previous"]])
    # Of too many thresholds and edges nothing is left to be compared.
    thresholds, edges = (chance.choice([some[:1], some[:1], some]) for some in (THRESHOLDS, EDGES))
    # Of the infinite distances that there are with compat, curves that shrink make nothing that can be compared.
    curves = [curve for curve in CURVES if not (compat and curve and curve[1] < 1)]
    fields, columns = [], []
    for _ in range(chance.randint(1, 5)):
        choices = (kinds, WEIGHTS, curves, thresholds, handlers, FOLDS, edges)
        field = Compared(*map(chance.choice, choices))
        known = KINDS[field.kind][3]
        there = chance.sample(known, min(len(known), 5)) if known else some_texts(chance)
        raw, effective = field.distances(chance.choice(there), chance.choice(there), compat)
        # At a distance that there is its last bit counts.
        if field.threshold and chance.random() < 0.5 and 0 < raw < inf:
            field = replace(field, threshold=raw)
        if len(edges) > 1 and chance.random() < 0.3:
            field = replace(field, edges=chance.choice([(-0.1, effective), (effective, 1.1)]))
        fields.append(field)
        # Often no value is missing, now and then all are.
        columns.append(chance.choice([there, there, ["", *there], ["", *there], [""]]))
    count = chance.choice([most, most, most - 2, 4, 3, 2, 1, 0])
    records = [[chance.choice(column) for column in columns] for _ in range(count)]
    aggregation, power = chance.choice(AGGREGATIONS)
    # The ids need not be in the order of the records.
    return comparison_of(fields, records, chance.sample(range(count), count), aggregation, power,
                         chance.choice(SCALES), chance.random() < 0.5, compat)  # fmt: skip


def some_texts(chance: Random) -> list[str]:
    """Texts of one field, which a measure compares side by side: long ones that are alike, words, or both."""
    script, size = chance.choice(SCRIPTS), chance.choice(SIZES)
    long = [near_copy(script, chance.choice([size, size, *SIZES]), chance) for _ in range(4)]
    return chance.choice([long, chance.sample(WORDS, 5), long[:3] + chance.sample(WORDS, 3)])


def block_of(distance, records, ranks=None):
    """The block of records; their ids are their ranks, unless there are others."""
    columns = ([record[k + 1] for record in records] for k in range(len(distance.fields)))
    ranks = [int(record[0]) for record in records] if ranks is None else ranks
    return distance.block(columns, np.array(ranks, dtype=np.int64))


def pairs_within(distance, records, **tile):
    """{(first id, second id): distance} of one block with itself, and how often pairs were compared."""
    block = block_of(distance, records)
    return pairs_of(distance, block, records, block, records, **tile)


def pairs_of(distance, rows, left, columns, right, **tile):
    found, compared = {}, 0
    for part in distance.compare(rows, columns, **tile):
        compared += part.compared
        for i, j, apart in zip(part.rows, part.columns, part.distances, strict=True):
            (_, first), (_, second) = sorted([(rows.rank[i], left[i][0]), (columns.rank[j], right[j][0])])
            assert (first, second) not in found, "a pair came twice"
            found[first, second] = int(apart)
    return found, compared


def parts_of(block, cut):
    """The first so many records of a block, and the others."""
    places = np.arange(len(block))
    return block.take(places[:cut]), block.take(places[cut:])


def crowd(count):
    """Records few of which are close: every third is one of those before it, with something else in one field."""
    chance = Random(count)
    syllables = ["an", "be", "ri", "lo", "né", "to", "ma", "x", "łe", "ó😀", "e\u0301"]

    def word():
        return "".join(chance.choices(syllables, k=chance.randrange(1, 5)))

    codes = [word() for _ in range(50)]
    long = [near_copy(SCRIPTS[1], size, chance) for size in (70, 129, 130, 260, 300) for _ in range(4)]
    colours = KINDS["colours"][3]
    records = []
    for number in range(count):
        new = [chance.choice(codes), chance.choice(colours), f"{word()} {word()}", str(chance.randrange(13)),
               f"202{chance.randrange(5)}-0{chance.randrange(1, 7)}-11", chance.choice(long)]  # fmt: skip
        if number % 3 == 2:
            old = list(chance.choice(records))
            place = chance.randrange(len(old))
            old[place] = new[place] if place != 2 else old[place] + chance.choice("aé ")
            new = old
        records.append(["" if chance.random() < 0.04 else value for value in new])
    return records


#: For the fields of a crowd. What costs most, and what hardly cuts, comes first, for the cascade to put off.
CROWDED = {
    "manhattan": [
        Compared("damerau", missing="skip"),
        Compared("colours", 0.5),
        Compared("words", 2.0, curve=("sigmoid", 3.0, 0.1), missing="skip"),
        Compared("integer", 0.5),
        Compared("date", missing="skip"),
        Compared("whole"),
    ],
    "euclidean": [
        Compared("jaro-winkler", 0.5, threshold=0.9),
        Compared("exact", 0.1, missing="skip"),
        Compared("lopsided", curve=("nonLinear", 0.4, 0.5)),
        Compared("double", threshold=0.3),
        Compared("date", curve=("sigmoid", 4.0, 0.4), missing="skip"),
        Compared("words", missing="skip"),
    ],
    "minkowski": [
        Compared("char-pair"),
        Compared("zero", 0.1),
        Compared("levenshtein", 2.0, curve=("ramp", 1.0, 0.3), fold=("case", "accents")),
        Compared("ratio", missing="skip"),
        Compared("date"),
        Compared("cosine", curve=("nonLinear", 2.0, 0.5), missing="skip"),
    ],
}


#: Values that are as far apart as a bound says, or nearly: a limit that is too low loses them.
SHORT = [
    "a",
    "b",
    "c",
    "ab",
    "ac",
    "aa",
    "aab",
    "abb",
    "a b",
    "a c",
    "aa b",
    "b a",
    "abc abd",
    "abc aed",
    "a b c",
]


def comparison_at_the_edge(chance: Random, kinds: Sequence[str]) -> Comparison:
    """Few records of short values, some of which are missing."""
    fields = [
        Compared(
            chance.choice(kinds),
            weight=chance.choice([1.0, 1.0, 0.3, 5.0]),
            curve=chance.choice([*[None] * 6, ("ramp", 1.0, 0.5), ("nonLinear", 2.0, 0.5)]),
            missing=chance.choice(["max", "skip"]),
            fold=chance.choice([(), ("case",)]),
        )
        for _ in range(chance.randint(1, 3))
    ]
    values = [chance.sample(SHORT, 4) + [""] * (chance.random() < 0.3) for _ in fields]
    records = [[chance.choice(some) for some in values] for _ in range(7)]
    aggregation, power = chance.choice(AGGREGATIONS)
    return comparison_of(
        fields, records, list(range(7)), aggregation, power, id_counted=chance.random() < 0.2
    )
