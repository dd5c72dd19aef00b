"""The one model of a schema: how records of an entity compare.

sifarish's JSON and the native form are two spellings of it (sifarish_schema.py, native_schema.py);
everything past metadata/ knows only this.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pehchan.metadata.blocking_keys import BlockingKey
from pehchan.metadata.keeping import KeptColumn, Rule

CURVES = ("none", "nonLinear", "sigmoid", "step", "ramp")
AGGREGATIONS = ("manhattan", "euclidean", "minkowski")
MISSING = ("max", "skip", "previous")

#: Kinds of fields, as learning compares them. name: one word mostly; words: a few; text: many; category: few values;
#: digits: numbers that identify, such as a phone; date; number: a quantity, such as a price; exact: equal or not, and
#: nothing between.
KINDS = ("name", "words", "text", "category", "digits", "date", "number", "exact")


@dataclass(frozen=True)
class Curve:
    """How a raw attribute distance d becomes the effective distance e that enters the sum.

    none e = d; nonLinear e = d/w + (1 - 1/w) d^2; sigmoid e = 1/(1 + exp(-w (d - t)));
    step e = 0 below t, else 1; ramp e = 0 below t, else d. w > 0 bends (w > 1 shrinks), t is in [0, 1].
    """

    kind: str = "none"
    w: float = 1.0
    t: float = 0.5


@dataclass(frozen=True)
class Field:
    """One column of a record and how two of its values compare.

    name       as the schema says; unique within the schema
    ordinal    column number from 0, None until the columns of the input are known
    measure    a name of the registry in pehchan.distance.registry, e.g. "edit"
    parameters of the measure, as its dataclass names them
    weight     share in the mean, > 0 (1 for every sifarish schema)
    threshold  a pair with a raw distance above it is cut; None for no threshold
    missing    "max": a missing value is 1 apart; "skip": the field is not counted;
               "previous": the distance of the field before it (sifarish's answer to an unknown handler)
    fold       any of "case", "accents": folded away before values are compared
    implode    effective distances below it mark the pair imploded, above explode exploded (see
               pehchan.distance.aggregation)
    where      file and key, for messages
    column     name of the column where it differs from the field's name, else None
    kinds      of KINDS those that the values may be of, for what is learnt; () for any
    keep       which of its column's values golden records have; None: as the others
    """

    name: str
    ordinal: int | None
    measure: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0
    curve: Curve = Curve()
    threshold: float | None = None
    missing: str = "max"
    fold: tuple[str, ...] = ()
    implode: float = -0.1
    explode: float = 1.1
    where: str = field(default="", compare=False)
    column: str | None = None
    kinds: tuple[str, ...] = ()
    keep: Rule | None = None


@dataclass(frozen=True)
class Schema:
    """How records compare.

    fields       the compared fields only, in schema order
    columns      names of the columns in file order; () where only ordinals are known
    id           column name of the record id, None: ids are made from the content
    id_ordinal   its number from 0, None until known (or where there is no id column)
    aggregation  "manhattan" (L1), "euclidean" (L2), "minkowski" (Lp, p = power)
    partition_ordinal  column whose value splits the records into partitions that never meet; None for none
    blocking     keys of which records must share one to meet; () where every two records do
    must_link    keys of which two records that share a value are one entity, whatever a model says
    cannot_link  keys of which two records with different values are not
    keep         which value of a column golden records have where nothing else is said of it; None: nothing is
    golden       columns with a rule of their own besides those that are compared
    cutoff       scaled distance up to which pairs are kept, None where the schema says nothing
    id_counted   True: the id counts as a field of distance 0 (how sifarish counted in 2013)
    lines        True: meant for headerless delimited lines (all sifarish schemas)
    where        the file, for messages
    """

    fields: tuple[Field, ...]
    entity: str = "record"
    columns: tuple[str, ...] = ()
    id: str | None = None
    id_ordinal: int | None = None
    aggregation: str = "manhattan"
    power: float = 1.0
    partition: str | None = None
    partition_ordinal: int | None = None
    blocking: tuple[BlockingKey, ...] = ()
    must_link: tuple[BlockingKey, ...] = ()
    cannot_link: tuple[BlockingKey, ...] = ()
    keep: Rule | None = None
    golden: tuple[KeptColumn, ...] = ()
    cutoff: int | None = None
    id_counted: bool = False
    lines: bool = False
    where: str = field(default="", compare=False)

    @property
    def keys(self) -> tuple[BlockingKey, ...]:
        """All keys, whatever they are for."""
        return (*self.blocking, *self.must_link, *self.cannot_link)

    @property
    def kept(self) -> tuple[KeptColumn, ...]:
        """The columns that have a rule of their own in golden records."""
        compared = (
            KeptColumn(field.column or field.name, field.ordinal, field.keep, field.where)
            for field in self.fields
            if field.keep is not None
        )
        return (*compared, *self.golden)

    @property
    def keeps(self) -> bool:
        """Whether golden records are asked for."""
        return self.keep is not None or bool(self.kept)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """How the value of each column is kept, one a column."""
        found = {each.ordinal: each.rule for each in self.kept}
        if self.id_ordinal is not None:
            # So that it is that of the entity.
            found.setdefault(self.id_ordinal, Rule("first"))
        return tuple(found.get(ordinal, self.keep or Rule()) for ordinal in range(len(self.columns)))
