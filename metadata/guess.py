"""A first schema from a look at the data: which column is the id, how each of the others compares.

Cautious: the cutoff is low, so that little that is not the same is called so. A person corrects the rest.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

#: Distance up to which a guess calls two records the same, of 1000.
CUTOFF = 150

_FOLD = ["case", "accents"]

#: Words in the names of columns (in lower case, parted at _ . - blanks and humps).
_KEY_WORDS = {
    "id",
    "ids",
    "key",
    "uuid",
    "guid",
    "pk",
    "rowid",
    "recid",
    "recordid",
    "index",
    "rownum",
    "sku",
}
_TRUTH_WORDS = {"cluster", "clusterid", "entityid", "truth", "matchid"}
_IDENTITY_WORDS = {
    *("phone", "tel", "telephone", "mobile", "cell", "fax", "ssn", "soc", "social", "tax", "vat", "passport"),
    *("licence", "license", "isbn", "issn", "ean", "upc", "gtin", "asin", "iban", "email", "mail", "zip"),
    *("postcode", "postal", "plz", "areacode", "dob", "birth", "birthdate", "date", "year", "number", "no"),
}
_QUANTITY_WORDS = {
    *("price", "cost", "amount", "total", "salary", "income", "revenue", "fee", "rate", "rating", "score"),
    *("weight", "height", "width", "length", "depth", "size", "area", "quantity", "qty", "count", "age"),
    *("latitude", "longitude", "lat", "lon", "lng"),
}


@dataclass(frozen=True)
class _Column:
    """A column of the sample: its name, its number, its values that are not blank, the share of those."""

    name: str
    ordinal: int
    values: Sequence[str]
    filled: float

    @property
    def words(self) -> set[str]:
        humps = re.sub(r"([a-z])([A-Z])", r"\1 \2", self.name)
        return set(re.split(r"[^a-z0-9]+", humps.lower())) | {self.name.lower()}

    @property
    def distinct(self) -> int:
        return len(set(self.values))

    @property
    def unique(self) -> bool:
        return self.filled == 1 and self.distinct == len(self.values)

    def share(self, fits: Callable[[str], Any]) -> float:
        """The share of the values that fit."""
        return sum(bool(fits(value)) for value in self.values) / max(len(self.values), 1)

    def mean(self, size: Callable[[str], int]) -> float:
        return sum(map(size, self.values)) / max(len(self.values), 1)


def guess_schema(header: Sequence[str], sample_rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """A schema in the native form for data with this header, of which these are some rows.

    The same sample gives the same schema. Without an id column ids will be made from the content.
    """
    columns = []
    for ordinal, name in enumerate(header):
        cells = [row[ordinal].strip() if ordinal < len(row) else "" for row in sample_rows]
        values = [cell for cell in cells if cell]
        columns.append(_Column(name, ordinal, values, len(values) / max(len(cells), 1)))

    keys = [column for column in columns if _is_key(column)]
    ids = [column for column in keys if column.unique]
    names = list(header)
    data: dict[str, Any] = {}
    if ids:
        best = min(ids, key=lambda column: (column.name.lower() != "id", column.ordinal))
        data["id"] = best.name if names.count(best.name) == 1 else best.ordinal
    rest = [column for column in columns if column not in keys]
    compared = [column for column in rest if column.distinct > 1 and column.filled >= 0.1]
    fields: dict[str, Any] = {}
    for column in compared or rest:
        field = _field(column)
        name = column.name
        if not name or names.count(name) > 1:
            name = f"{name or 'column'} {column.ordinal}"
            field["column"] = column.ordinal
        fields[name] = field["measure"] if len(field) == 1 else field
    return {**data, "fields": fields, "cutoff": CUTOFF}


def _is_key(column: _Column) -> bool:
    """Whether the column only says which record this is (or, in test data, which are the same)."""
    if column.words & _TRUTH_WORDS:
        return True
    if column.words & _IDENTITY_WORDS or _is_quantity(column):
        return False
    if column.words & _KEY_WORDS or re.search(r"[a-z](ID|Id)$", column.name):
        return True
    numbered = column.share(lambda value: re.fullmatch(r"\S*[0-9]\S*", value))
    return column.ordinal == 0 and column.unique and len(column.values) > 1 and numbered == 1


def _field(column: _Column) -> dict[str, Any]:
    """How two values of the column compare: the first kind that fits."""
    field = next(build(column) for fits, build in _KINDS if fits(column))
    if column.filled < 0.5:
        # Where most values are missing, a missing one says nothing.
        field |= {"missing": "skip", "weight": 0.5}
    return field


def _is_quantity(column: _Column) -> bool:
    numeric = column.share(lambda value: _number(value) is not None)
    decimal = column.share(lambda value: re.fullmatch(r"[^.]*\d*\.\d{1,2}", value))
    named = bool(column.words & _QUANTITY_WORDS)
    return numeric >= 0.9 and (named or (decimal >= 0.5 and not column.words & _IDENTITY_WORDS))


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text, re.ASCII) else None


def _quantity(column: _Column) -> dict[str, Any]:
    numbers = [number for number in map(_number, column.values) if number is not None]
    low, high = math.floor(min(numbers)), math.ceil(max(numbers))
    return {"measure": "number", "min": low, "max": max(high, low + 1)}


def _is_identifier(column: _Column) -> bool:
    """Phones, postcodes, dates, mail addresses, house numbers: a digit more or less is a typing error."""
    digits = column.share(lambda value: sum(map(str.isdigit, value)) * 2 >= len(value))
    return digits >= 0.8 or column.share(lambda value: "@" in value) >= 0.8


def _identifier(column: _Column) -> dict[str, Any]:
    letters = column.share(lambda value: any(map(str.isalpha, value))) > 0
    return {"measure": "levenshtein", "fold": ["case"]} if letters else {"measure": "levenshtein"}


def _is_category(column: _Column) -> bool:
    few = column.distinct <= min(50, len(column.values) / 10)
    return few and column.mean(len) <= 20


def _category(column: _Column) -> dict[str, Any]:
    # Many records share a category without being the same.
    return {"measure": "categorical", "weight": 0.5}


def _is_long(column: _Column) -> bool:
    return column.mean(len) >= 60 or column.mean(lambda value: len(value.split())) >= 8


def _is_one_word(column: _Column) -> bool:
    return column.mean(lambda value: len(value.split())) <= 1.5 and column.mean(len) <= 20


#: Kinds of columns and how they compare; the last takes all that are left.
_KINDS: list[tuple[Callable[[_Column], bool], Callable[[_Column], dict[str, Any]]]] = [
    (_is_quantity, _quantity),
    (_is_identifier, _identifier),
    (_is_category, _category),
    (_is_long, lambda column: {"measure": "jaccard", "fold": list(_FOLD)}),
    (_is_one_word, lambda column: {"measure": "jaro-winkler", "fold": list(_FOLD)}),
    (lambda column: True, lambda column: {"measure": "edit", "tokens": False, "fold": list(_FOLD)}),
]
