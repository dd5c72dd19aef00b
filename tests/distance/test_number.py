import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.number import Number

whole = st.integers(-1000, 1000)


@given(whole, whole)
def test_with_a_range_the_difference_is_a_share_of_it(a, b):
    assert Number(min=0, max=300).distance(str(a), str(b)) == float(Fraction(abs(a - b), 300))


@given(whole, whole, st.sampled_from([0, 0.25, 0.5]))
def test_without_a_range_it_is_1_above_the_ratio_threshold(a, b, threshold):
    above = a != b and Fraction(abs(a - b), max(abs(a), abs(b))) > Fraction(threshold)
    assert Number(ratio_threshold=threshold).distance(str(a), str(b)) == above


def test_the_ratio_threshold_itself_is_close_enough():
    assert Number(ratio_threshold=0.5).distance("1", "2") == 0
    assert Number(ratio_threshold=0.5 - 1e-12).distance("1", "2") == 1


def test_numbers_outside_the_range_are_more_than_1_apart():
    assert Number(max=10).distance("0", "25") == 2.5
    assert not Number(max=10).bounded
    assert Number().bounded


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("5", 5),
        ("+5", 5),
        ("-5", -5),
        (" 5\t", 5),
        ("2.5", 2.5),
        (".5", 0.5),
        ("5.", 5),
        ("1e3", 1000),
        ("1E-2", 0.01),
        ("2.5f", 2.5),
        ("2.5D", 2.5),
        ("007", 7),
    ],
)
def test_numbers_as_java_writes_them(value, number):
    assert Number().fault(value) is None
    assert Number(max=1).distance(value, "0") == abs(number)


@pytest.mark.parametrize(
    "value", ["abc", "", " ", "0x10", "1,000", "5 6", "1_0", "NaN", "Infinity", "1e999", "--5", "٣"]
)
def test_what_is_no_number_is_a_fault(value):
    assert repr(value) in Number().fault(value)
    assert Number().format_error(value)
    with pytest.raises(ValueError, match="is not a number"):
        Number().distance(value, "1")


@pytest.mark.parametrize("value", ["5.5", "1e3", "5f"])
def test_a_whole_number_has_no_fraction(value):
    assert "whole number" in Number(integer=True).fault(value)
    assert Number(integer=True).fault("+5") is None


def test_a_unit_may_follow_and_another_may_not():
    ounces = Number(max=10, unit="oz")
    assert ounces.distance("12 oz", "7oz") == 0.5
    assert ounces.distance("12", "7 oz") == 0.5
    assert '"oz"' in ounces.fault("12 kg")
    assert ounces.fault("oz")
    assert ounces.fault("12 oz oz")
    assert Number().fault("12 oz")
    # Where the number can be read with the letter, the letter is Java's suffix.
    assert Number(max=1, unit="d").distance("2d", "2") == 0


def test_zero_and_zero_are_0_apart_and_zero_is_far_from_all_else():
    assert Number().distance("0", "-0.0") == 0
    assert Number(ratio_threshold=0.9).distance("0", "1e-300") == 1


def test_numbers_too_large_to_subtract_are_far_apart():
    assert Number().distance("1e308", "-1e308") == 1
    assert Number(max=1).distance("1e308", "-1e308") == math.inf


@pytest.mark.parametrize(
    "wrong",
    [
        {"min": 5, "max": 1},
        {"min": 3, "max": 3},
        {"ratio_threshold": -1},
        {"unit": " oz"},
        {"min": -1e308, "max": 1e308},
    ],
)
def test_parameters_that_make_no_distance_are_refused(wrong):
    assert Number(**wrong).check()
    assert Number(**wrong, compat=True).check() is None


class TestCompat:
    """What golden/same_numeric_parse and golden/same_numeric_thr show, and the rules behind it."""

    ranged = Number(integer=True, max=100, compat=True)
    ratio = Number(integer=True, ratio_threshold=0.1, compat=True)

    def test_what_cannot_be_read_is_0_apart_and_no_fault(self):
        for value in ["5.5", " 9", "12 kg", " ", "abc"]:
            assert self.ranged.fault(value) is None
            assert self.ranged.distance(value, "99") == 0
        assert self.ranged.distance("+7", "99") == 0.92

    def test_a_pair_is_a_format_error_only_where_java_came_to_read_its_numbers(self):
        values = ["5", "5.5", "+7", " 9", "12 kg", "99"]
        pairs = [(a, b) for i, a in enumerate(values) for b in values[i + 1 :]]
        assert sum(self.ranged.format_errors(*zip(*pairs, strict=True))) == 3
        values = ["5", "7", "-3", "0", "0", "150", "abc", " 5", "5.5", "+5"]
        pairs = [(a, b) for i, a in enumerate(values) for b in values[i + 1 :]]
        assert sum(self.ratio.format_errors(*zip(*pairs, strict=True))) == 15
        values = ["2.5", "2.6", "-2.5", "0", "0.0", "1e3", "x", "2.50", "3", "0x10"]
        pairs = [(a, b) for i, a in enumerate(values) for b in values[i + 1 :]]
        assert sum(Number(compat=True).format_errors(*zip(*pairs, strict=True))) == 17
        assert Number().format_errors(["abc", "1", "1"], [" 5", "x", "2"]).tolist() == [True, True, False]
        assert not self.ranged.format_error(" 9")
        assert not self.ranged.format_error("5")
        assert self.ranged.format_error("5.5")

    def test_the_larger_number_divides_with_its_sign(self):
        assert self.ratio.distance("-3", "-5") == 0
        assert Number(integer=True, ratio_threshold=0.1).distance("-3", "-5") == 1
        assert self.ratio.distance("0", "-3") == 1
        assert self.ratio.distance("0", "0") == 0

    def test_the_unit_is_needed_in_both_or_neither(self):
        ounces = Number(max=10, unit="oz", compat=True)
        assert ounces.distance("12 oz", "7 oz") == 0.5
        assert ounces.distance("12", "7") == 0.5
        assert ounces.distance("12", "7 oz") == 0
        assert not ounces.format_errors(["x"], ["7 oz"])[0]
        assert ounces.format_errors(["x oz"], ["7 oz"])[0]

    def test_a_whole_number_has_32_bits(self):
        assert self.ranged.distance("2147483647", "2147483547") == 1
        assert self.ranged.distance("2147483648", "2147483547") == 0
        assert self.ranged.format_error("2147483648")

    def test_nan_and_infinity_are_numbers(self):
        assert math.isnan(Number(max=1, compat=True).distance("NaN", "1"))
        assert Number(compat=True).distance("NaN", "1") == 0
        assert math.isnan(Number(max=1, compat=True).distance("Infinity", "Infinity"))
        assert self.ranged.format_error("NaN")
