import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.jaro_winkler import JaroWinkler

texts = st.text("abc", min_size=1, max_size=9)


def jaro(a, b):
    window = max(max(len(a), len(b)) // 2 - 1, 0)
    taken = [False] * len(b)
    matched_a = []
    for i, x in enumerate(a):
        for j in range(max(0, i - window), min(len(b), i + window + 1)):
            if not taken[j] and b[j] == x:
                taken[j] = True
                matched_a.append(x)
                break
    if not matched_a:
        return 0.0
    matched_b = [y for y, there in zip(b, taken, strict=True) if there]
    m = len(matched_a)
    swapped = sum(x != y for x, y in zip(matched_a, matched_b, strict=True)) // 2
    return (m / len(a) + m / len(b) + (m - swapped) / m) / 3


def jaro_winkler(a, b, weight=0.1):
    similarity = jaro(a, b)
    if similarity <= 0.7:
        return similarity
    prefix = 0
    while prefix < min(4, len(a), len(b)) and a[prefix] == b[prefix]:
        prefix += 1
    return similarity + prefix * weight * (1 - similarity)


@given(texts, texts, st.sampled_from([0.0, 0.1, 0.25]))
def test_one_minus_the_similarity(a, b, weight):
    expected = 1 - jaro_winkler(a, b, weight)
    assert JaroWinkler(weight).distance(a, b) == pytest.approx(expected, abs=1e-12)


def test_winklers_examples():
    assert round(JaroWinkler().distance("MARTHA", "MARHTA"), 4) == round(1 - 0.9611, 4)
    assert round(JaroWinkler().distance("DWAYNE", "DUANE"), 4) == round(1 - 0.84, 4)
    assert round(JaroWinkler(0).distance("DIXON", "DICKSONX"), 4) == round(1 - 0.7667, 4)


@pytest.mark.parametrize("weight", [-0.1, 0.26])
def test_a_prefix_weight_that_leaves_the_unit_interval_is_refused(weight):
    assert "prefix_weight" in JaroWinkler(weight).check()
    assert JaroWinkler(0.25).check() is None
