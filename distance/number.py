"""Distance of two numbers: their difference, as a share of a range, or judged against their size."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pehchan.distance.elementwise import Elementwise, Readings
from pehchan.distance.measure import Distances
from pehchan.distance.near import Near, Window
from pehchan.distance.tokens import BLANKS, java_tokens

# What Java's Integer.parseInt and Double.parseDouble read, the latter without NaN and Infinity.
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[fFdD]?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(NaN|Infinity)")

# What sifarish makes of a value: it reads a number, fails to, or does not look at it at all.
_READ, _UNREAD, _UNSEEN = 0, 1, 2


@dataclass(frozen=True)
class Number(Elementwise):
    """Distance of two numbers.

    With max above min |a - b| / (max - min), which is more than 1 for numbers outside; else 1 where
    |a - b| / max(|a|, |b|) is above ratio_threshold, 0 where it is not.

    integer          only whole numbers are numbers
    min, max         the range; both 0 for none
    ratio_threshold  the largest such share at which two numbers still are 0 apart
    unit             may follow the number ("12 oz"); a number without it counts as in that unit
    compat           what sifarish computes: values are 0 apart where one is no number, or where not both or
                     neither have the unit; NaN and Infinity are numbers; a whole number has 32 bits; the
                     difference is divided by max(a, b), which may be negative
    """

    integer: bool = False
    min: float = 0
    max: float = 0
    ratio_threshold: float = 0.0
    unit: str = ""
    compat: bool = False

    cost = 0.004
    listed_cost = 0.01

    @property
    def bounded(self) -> bool:
        return not self._ranged

    @property
    def zero_on_equal(self) -> bool:
        if not self.compat:
            return True
        # With compat NaN and Infinity are NaN away from themselves in a range.
        return self.ratio_threshold >= 0 and (self.integer or not self._ranged)

    def check(self) -> str | None:
        if self.compat:
            return None
        if self.max < self.min:
            return f"max {self.max} is below min {self.min}"
        if math.isinf(self.max - self.min):
            return f"the range from min {self.min} to max {self.max} is too large"
        if self.max == self.min != 0:
            return f"min and max are both {self.min}: a range needs two different numbers"
        if self.ratio_threshold < 0:
            return f"ratio_threshold {self.ratio_threshold} is negative: then no two numbers are close"
        if self.unit != self.unit.strip(BLANKS):
            return f"unit {self.unit!r} begins or ends with a blank"
        return None

    def fault(self, value: str) -> str | None:
        if self.compat or math.isfinite(self._number(value)):
            return None
        kind = "whole number" if self.integer else "number"
        return f"{value!r} is not a {kind}" + (f' in "{self.unit}"' if self.unit else "")

    def format_error(self, value: str) -> bool:
        if not self.compat:
            return self.fault(value) is not None
        return self._as_java(value)[0] == _UNREAD

    def format_errors(self, a: Sequence[str], b: Sequence[str]) -> NDArray[np.bool_]:
        """bool[n]: which of the pairs a[k], b[k] count under "Invalid Data Format".

        With compat a pair does not count where sifarish does not come to read the numbers, because one value
        has several words or only one has the unit.
        """
        if not self.compat:
            return super().format_errors(a, b)
        left = [self._as_java(value) for value in a]
        right = [self._as_java(value) for value in b]
        return np.array(
            [
                _UNSEEN not in (x[0], y[0]) and x[1] == y[1] and _UNREAD in (x[0], y[0])
                for x, y in zip(left, right, strict=True)
            ],
            dtype=bool,
        )

    def read(self, values: Sequence[str]) -> Readings:
        if self.compat:
            states, has_unit, numbers = zip(*map(self._as_java, values), strict=True) if values else ((),) * 3
            return (
                np.array(numbers, dtype=np.float64),
                np.array(states) == _READ,
                np.array(has_unit, dtype=bool),
            )
        found = np.array([self._number(value) for value in values], dtype=np.float64)
        if not np.isfinite(found).all():
            raise ValueError(self.fault(values[int(np.isfinite(found).argmin())]))
        return (found,)

    def near(self, values: Readings, limit: float) -> Near | None:
        if self.compat or not self._ranged:
            return None
        return Window(values[0], limit * (self.max - self.min))

    def between(self, a: Readings, b: Readings) -> Distances:
        with np.errstate(all="ignore"):
            apart = np.abs(a[0] - b[0])
            if self._ranged:
                result = apart / (self.max - self.min)
            else:
                largest = np.maximum(a[0], b[0]) if self.compat else np.maximum(np.abs(a[0]), np.abs(b[0]))
                # 0/0 is NaN, and as such not above the threshold.
                result = (apart / largest > self.ratio_threshold).astype(np.float64)
        if self.compat:
            readable = a[1] & b[1] & (a[2] == b[2])
            return np.where(readable, result, 0.0)
        return result

    @property
    def _ranged(self) -> bool:
        return self.max > self.min

    def _number(self, value: str) -> float:
        """The number of a value; NaN where it is none."""
        text = value.strip(BLANKS)
        if self.unit and text.endswith(self.unit) and not self._pattern.fullmatch(text):
            text = text[: -len(self.unit)].rstrip(BLANKS)
        return self._parsed(text)

    def _as_java(self, value: str) -> tuple[int, bool, float]:
        """Whether sifarish reads the value, whether it has the unit, and its number (0 where not read)."""
        words = java_tokens(value)
        if len(words) == 1:
            has_unit = False
        elif len(words) == 2 and words[1] == self.unit:
            has_unit = True
        else:
            return _UNSEEN, False, 0.0
        if not self.integer and _NOT_FINITE.fullmatch(words[0]):
            return _READ, has_unit, float(words[0])
        if not self._pattern.fullmatch(words[0]):
            return _UNREAD, has_unit, 0.0
        number = self._parsed(words[0])
        if self.integer and not -(2**31) <= number < 2**31:
            return _UNREAD, has_unit, 0.0
        return _READ, has_unit, number

    def _parsed(self, text: str) -> float:
        return float(text.rstrip("fFdD")) if self._pattern.fullmatch(text) else math.nan

    @property
    def _pattern(self) -> re.Pattern[str]:
        return _INTEGER if self.integer else _DECIMAL
