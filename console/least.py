"""The few least of very many things, as they come by in columns."""

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class Least(Generic[T]):
    """The things with the least keys, whatever the order in which they come; of equal keys the least things."""

    def __init__(self, number: int):
        self._number = number
        self._kept: list[tuple[int, T]] = []

    def offer(self, keys: NDArray[np.int64] | NDArray[np.uint64], thing: Callable[[int], T]) -> None:
        """Some more, with these keys; `thing` gives the one at a position, and is asked for few of them."""
        some = np.arange(len(keys))
        if len(self._kept) == self._number:
            some = np.flatnonzero(keys <= self._kept[-1][0]) if self._number else some[:0]
        elif len(keys) > self._number:
            bound = np.partition(keys, self._number - 1)[self._number - 1] if self._number else 0
            some = np.flatnonzero(keys <= bound) if self._number else some[:0]
        if len(some):
            found = [(int(keys[k]), thing(k)) for k in some.tolist()]
            self._kept = sorted([*self._kept, *found])[: self._number]

    @property
    def things(self) -> list[T]:
        """Those with the least keys, in their order."""
        return [thing for _, thing in self._kept]
