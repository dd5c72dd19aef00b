"""Records as columns of distinct normal values."""

from hypothesis import given
from hypothesis import strategies as st
from made_up_persons import table_of

from pehchan.learning.fields import LearntField
from pehchan.learning.table import Column, normal_values

_VALUES = st.lists(
    st.sampled_from(["", "A.", "a", "B-1", "b 1", "é", "1971-06-24", "n/a", "3.50"]), max_size=12
)


@given(_VALUES, st.sampled_from(["name", "digits", "date", "number"]))
def test_a_column_has_the_normal_value_of_each_record(raw: list[str], kind: str) -> None:
    column = Column.of(LearntField("c", 0, kind, 1.0, 2, 0.5, 2), raw)
    assert column.values[0] == ""
    assert len(set(column.values)) == len(column.values)
    assert [column.values[code] for code in column.codes] == normal_values(kind, raw)


def test_a_sample_does_not_depend_on_the_order_of_the_records() -> None:
    table = table_of([[f"a{k % 7}" for k in range(50)]])
    backwards = table.take(table.sample(50)[::-1])
    sample = table.take(table.sample(10))
    assert sample.ids == backwards.take(backwards.sample(10)).ids
    assert len(set(sample.ids)) == 10
    column = sample.columns[0]
    assert [column.values[code] for code in column.codes] == [f"a{int(each[1:]) % 7}" for each in sample.ids]


def test_what_is_cached_of_values_is_made_once() -> None:
    table = table_of([["a", "b", "a"]])
    made = table.columns[0].cached("x", lambda column: [value.upper() for value in column.values])
    assert made == ["", "A", "B"]
    assert table.take(table.sample(2)).columns[0].cached("x", lambda column: []) is made
