"""Codes of distinct values."""

import random

import numpy as np
import pytest

from pehchan.distance import arrays
from pehchan.distance.arrays import distinct, uncollected


def in_order_of_appearance(values):
    return list(dict.fromkeys(values))


@pytest.mark.parametrize("different", [3, 15_000, 1_000_000])
def test_many_values_are_numbered_in_order_of_appearance(different):
    chance = random.Random(different)
    values = [f"{chance.randrange(different)}é" for _ in range(arrays.WORTH_SORTING)] + ["", "", "last"]
    known, codes = distinct(values)
    assert known == in_order_of_appearance(values)
    assert [known[code] for code in codes.tolist()] == values


def test_different_values_of_one_hash_stay_different(monkeypatch):
    monkeypatch.setattr(arrays, "hash", lambda value: len(value), raising=False)
    values = [str(number) for number in range(arrays.WORTH_SORTING)] * 2
    known, codes = distinct(values)
    assert known == in_order_of_appearance(values)
    assert np.array_equal(codes, np.tile(np.arange(arrays.WORTH_SORTING), 2))


def test_the_garbage_collector_is_as_it_was_also_after_an_error():
    @uncollected()
    def fails():
        assert not arrays.gc.isenabled()
        raise ValueError("within")

    assert arrays.gc.isenabled()
    with pytest.raises(ValueError, match="within"):
        fails()
    assert arrays.gc.isenabled()
