from hypothesis import given
from hypothesis import strategies as st

from pehchan.distance.damerau_levenshtein import DamerauLevenshtein

texts = st.text("abc", min_size=1, max_size=7)


def edits(a, b):
    """Lowrance and Wagner's algorithm."""
    far = len(a) + len(b)
    table = {(-1, j): far for j in range(-1, len(b) + 1)} | {(i, -1): far for i in range(len(a) + 1)}
    table |= {(i, 0): i for i in range(len(a) + 1)} | {(0, j): j for j in range(len(b) + 1)}
    last_row = dict.fromkeys(a + b, 0)
    for i in range(1, len(a) + 1):
        last_column = 0
        for j in range(1, len(b) + 1):
            row, column = last_row[b[j - 1]], last_column
            if a[i - 1] == b[j - 1]:
                last_column = j
            table[i, j] = min(
                table[i - 1, j - 1] + (a[i - 1] != b[j - 1]),
                table[i, j - 1] + 1,
                table[i - 1, j] + 1,
                table[row - 1, column - 1] + (i - row - 1) + 1 + (j - column - 1),
            )
        last_row[a[i - 1]] = i
    return table[len(a), len(b)]


@given(texts, texts)
def test_edits_divided_by_the_longer_length(a, b):
    assert DamerauLevenshtein().distance(a, b) == edits(a, b) / max(len(a), len(b))


def test_a_swap_takes_one_edit():
    assert DamerauLevenshtein().distance("ab", "ba") == 0.5


def test_letters_between_swapped_ones_may_be_edited():
    assert DamerauLevenshtein().distance("ca", "abc") == 2 / 3
