"""Golden records of one entity: each rule by hand, and what holds for all of them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.identity.golden import GoldenRecord, golden_of, read_date
from pehchan.metadata.keeping import RULES, Rule
from pehchan.metadata.records import Record

COLUMNS = ("name", "updated", "system")
NEWEST = Rule("newest", "updated", 1)
SOURCE = Rule("source", "system", 2, order=("crm", "web"))
SET = Rule("source", order=("b", "a"))


def records(table, set_name=""):
    """Records of lines `id name|updated|system`, of which the last columns may be left out."""
    found = []
    for line in table:
        record_id, _, rest = line.partition(" ")
        found.append(Record(set_name, record_id, rest.split("|")))
    return found


def name_by(rule, table, set_name=""):
    """What is kept of the name by a rule, and the ids of the records that it came from."""
    golden = golden_of(COLUMNS, [rule, Rule(), Rule()], records(table, set_name))
    found = golden.to_dict()
    return found["values"]["name"], found["from"].get("name")


@pytest.mark.parametrize(
    ("rule", "table", "value", "origin"),
    [
        # The value that most records have, wherever they stand; it came from the first of them.
        ("most-frequent", ["1 Ann", "2 Anne", "3 Anne"], "Anne", "2"),
        ("most-frequent", ["1 Anne", "2 Ann", "3 Ann"], "Ann", "2"),
        # As many of each: the longer one; as long: the first.
        ("most-frequent", ["1 Ann", "2 Anne"], "Anne", "2"),
        ("most-frequent", ["1 Bob", "2 Ann"], "Bob", "1"),
        ("most-frequent", ["2 Bob", "1 Ann"], "Ann", "1"),
        ("most-frequent", ["1 Bob", "2 Anne", "3 Bob", "4 Anne"], "Anne", "2"),
        # A longer one does not go before one that more have.
        ("most-frequent", ["1 Ann", "2 Ann", "3 Annabel Lee"], "Ann", "1"),
        # However many are missing.
        ("most-frequent", ["1 ", "2  ", "3 \t", "4 Ann"], "Ann", "4"),
        ("most-frequent", ["1 ", "2 "], "", None),
        ("most-frequent", ["1 Ann"], "Ann", "1"),
        # Case counts, and so do blanks.
        ("most-frequent", ["1 ann", "2 ANN", "3 ANN"], "ANN", "2"),
        # Ids are texts: 10 comes before 9.
        ("most-frequent", ["9 Bob", "10 Ann"], "Ann", "10"),
        ("longest", ["1 Ann", "2 Ann", "3 Annabel"], "Annabel", "3"),
        # As long: that more have, then the first.
        ("longest", ["1 Bob", "2 Ann", "3 Ann"], "Ann", "2"),
        ("longest", ["1 Bob", "2 Ann"], "Bob", "1"),
        ("longest", ["1          ", "2 A"], "A", "2"),
        # Characters, not bytes.
        ("longest", ["1 äöü", "2 abcd"], "abcd", "2"),
        ("longest", ["1 "], "", None),
        ("first", ["2 Bob", "1 Ann", "3 Bob"], "Ann", "1"),
        ("first", ["1 ", "2 Bob", "3 Ann"], "Bob", "2"),
        ("first", ["1 ", "2  "], "", None),
        ("all", ["3 Ann", "1 Bob", "2 Ann", "4 ", "5 Cy"], ["Bob", "Ann", "Cy"], ["1", "2", "5"]),
        ("all", ["1 Ann", "2 Ann"], ["Ann"], ["1"]),
        ("all", ["1 Ann"], ["Ann"], ["1"]),
        ("all", ["1 ", "2 "], [], []),
    ],
)
def test_which_value_a_rule_keeps_and_where_it_came_from(rule, table, value, origin):
    assert name_by(Rule(rule), table) == (value, origin)


@pytest.mark.parametrize(
    ("table", "value", "origin"),
    [
        (["1 Ann|2024-01-02", "2 Anne|2024-05-31", "3 Ann|2023-12-31"], "Anne", "2"),
        # The newest record has none: that of the next one.
        (["1 Ann|2024-01-02", "2 |2024-05-31", "3 Annabel|2023-12-31"], "Ann", "1"),
        # No date, and none that can be read, are older than all others.
        (["1 Ann|", "2 Anne|yesterday", "3 Bob|1900-01-01"], "Bob", "3"),
        (["1 Ann|2024-02-30", "2 Bob|1900-01-01"], "Bob", "2"),
        # Among themselves these are equal: that more have, the longer, the first.
        (["1 Ann|", "2 Anne|soon"], "Anne", "2"),
        (["1 Anne|", "2 Ann|soon", "3 Ann|"], "Ann", "2"),
        (["1 Bob|", "2 Ann|"], "Bob", "1"),
        # Equally new.
        (["1 Ann|2024-01-02", "2 Anne|2024-01-02"], "Anne", "2"),
        (["1 Bob|2024-01-02", "2 Ann|2024-01-02", "3 Ann|2020-01-01"], "Ann", "2"),
        # A day with a time is later than the day, and zones count.
        (["1 Ann|2024-01-02T00:00:01", "2 Anne|2024-01-02"], "Ann", "1"),
        (["1 Ann|2024-01-02 10:00+02:00", "2 Bob|2024-01-02 09:00Z"], "Bob", "2"),
        # A record without the column.
        (["1 Ann", "2 Bob|1900-01-01"], "Bob", "2"),
        # Of equal values that of the newest record.
        (["1 Ann|2024-01-01", "2 Ann|2024-01-02"], "Ann", "2"),
        (["1 |2024-01-01", "2 |2024-01-02"], "", None),
    ],
)
def test_newest_goes_by_the_date_of_the_record(table, value, origin):
    assert name_by(NEWEST, table) == (value, origin)


def test_dates_are_read_in_the_format_of_the_rule():
    table = ["1 Ann|01.12.2023", "2 Bob|02.01.2024", "3 Cyril|2025-01-01"]
    assert name_by(Rule("newest", "updated", 1, format="%d.%m.%Y"), table) == ("Bob", "2")
    assert name_by(NEWEST, table) == ("Cyril", "3")


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("1970-01-02", 86_400_000_000),
        (" 1970-01-01T00:00:01 ", 1_000_000),
        ("1970-01-01 00:01", 60_000_000),
        ("1970-01-01t00:00:00.250z", 250_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("9999-12-31T23:59:59-10:00", 253402336799000000),
        *((text, None) for text in ("", "1970", "19700102", "1970-W01-1", "1970-01-01T24:00", "1970-13-01")),
        *(
            (text, None)
            for text in ("1970-01-01T10", "1970-01-01T10:00+1", "١٩٧٠-٠١-٠١", "1970-01-01 10:00 Z")
        ),
    ],
)
def test_dates_of_iso_8601_are_those_that_every_python_reads(text, microseconds):
    assert read_date(text) == microseconds


@pytest.mark.parametrize(
    ("table", "value", "origin"),
    [
        (["1 Ann|x|web", "2 Anne|x|crm", "3 Ann|x|web"], "Anne", "2"),
        # Of the best source nothing is there.
        (["1 Ann|x|web", "2 |x|crm"], "Ann", "1"),
        # Sources that nobody named come last, and are equal.
        (["1 Annabel|x|erp", "2 Annabel|x|erp", "3 Ann|x|web"], "Ann", "3"),
        (["1 Ann|x|erp", "2 Anne|x|", "3 Ann|x"], "Ann", "1"),
        # Several of the best.
        (["1 Bob|x|crm", "2 Ann|x|crm", "3 Ann|x|web"], "Ann", "2"),
        (["1 Ann|x|crm", "2 Anne|x| crm "], "Anne", "2"),
        (["1 Bob|x|crm", "2 Ann|x|crm"], "Bob", "1"),
        (["1 Ann|x|web", "2 Ann|x|crm"], "Ann", "2"),
        (["1 |x|crm"], "", None),
    ],
)
def test_source_goes_by_a_column(table, value, origin):
    assert name_by(SOURCE, table) == (value, origin)


def test_source_goes_by_the_set_of_the_record():
    both = [*records(["1 Ann", "2 Ann"], "a"), *records(["1 Bob"], "b"), *records(["0 Cyril"], "c")]
    golden = golden_of(COLUMNS, [SET, Rule(), Rule()], both)
    assert golden.columns["name"].values == ("Bob",)
    assert golden.columns["name"].origins == (("b", "1"),)
    assert golden.to_dict(":".join)["from"]["name"] == "b:1"


def test_of_equal_ids_the_set_that_comes_first_goes_first():
    both = [*records(["1 Bob"], "b"), *records(["1 Ann"], "a")]
    golden = golden_of(COLUMNS, [Rule("first")] * 3, both)
    assert golden.columns["name"].origins == (("a", "1"),)
    assert golden.records == (("a", "1"), ("b", "1"))


def test_each_column_by_its_own_rule_and_what_is_not_there_missing():
    golden = golden_of(
        (*COLUMNS, "more"),
        [Rule("longest"), NEWEST, Rule("all"), Rule()],
        records(["2 Anne|2024-01-01|web|beyond|the columns", "1 Ann|2024-02-01"]),
    )
    assert golden.to_dict() == {
        "records": ["1", "2"],
        "values": {"name": "Anne", "updated": "2024-02-01", "system": ["web"], "more": "beyond"},
        "from": {"name": "2", "updated": "1", "system": ["2"], "more": "2"},
    }


def test_dates_that_cannot_be_read_are_counted_once_a_column_that_decides():
    table = ["1 Ann|soon", "2 Bob|2024-01-01", "3 Cy| ", "4 Dan|never", "5 Eve"]
    assert golden_of(COLUMNS, [NEWEST, NEWEST, Rule()], records(table)).unread == 2
    assert golden_of(COLUMNS, [Rule()] * 3, records(table)).unread == 0


def test_a_cluster_of_ten_thousand_records():
    chance = random.Random(3)
    table = [
        f"{number:05} name {number % 7}|20{number % 90 + 10}-01-01|s{number % 3}" for number in range(10_000)
    ]
    chance.shuffle(table)
    # Names 0 to 3 are there once more than 4 to 6; 269 is the first with one of them whose number ends a round of 90.
    assert name_by(Rule(), table) == ("name 0", "00000")
    assert name_by(NEWEST, table) == ("name 3", "00269")
    assert name_by(Rule("source", "system", 2, ("s2", "s0")), table) == ("name 2", "00002")
    assert name_by(Rule("all"), table)[0] == [f"name {number}" for number in range(7)]


VALUES = st.sampled_from(["", " ", "a", "b", "ab", "ba", "abc", "é"])
DATES = st.sampled_from(["", "soon", "2024-01-01", "2024-01-02", "2024-01-01T00:00:00Z", "1999-12-31"])
SOURCES = st.sampled_from(["crm", "web", "erp", ""])


def entities(values):
    """Records of one entity with these names."""
    return st.dictionaries(
        st.tuples(st.sampled_from(["a", "b"]), st.sampled_from("123456")),
        st.tuples(values, DATES, SOURCES),
        min_size=1,
        max_size=7,
    ).map(lambda found: [Record(*identity, list(items)) for identity, items in found.items()])


# Of few names many are equal.
ENTITIES = entities(VALUES) | entities(st.sampled_from(["", "a"]))
RULE = st.sampled_from([NEWEST, SOURCE, SET, *map(Rule, ("most-frequent", "longest", "first", "all"))])


def kept_by_hand(rule, entity):
    """(value, set, id) of what is kept, by leaving out one after the other what is worse."""

    def best(left, how):
        most = max(map(how, left), default=None)
        return [each for each in left if how(each) == most]

    days = {"1999-12-31": 1, "2024-01-01": 2, "2024-01-01T00:00:00Z": 2, "2024-01-02": 3}
    preferred = {
        "most-frequent": lambda each: 0,
        "longest": lambda each: len(each.items[0]),
        "newest": lambda each: days.get(each.items[1], 0),
        "first": lambda each: 0,
        "all": lambda each: 0,
    }
    there = [each for each in entity if each.items[0].strip()]
    if rule == SOURCE:
        left = best(there, lambda each: {"crm": 2, "web": 1}.get(each.items[2], 0))
    elif rule == SET:
        left = best(there, lambda each: {"b": 2, "a": 1}.get(each.set, 0))
    else:
        left = best(there, preferred[rule.name])
    in_order = sorted(left, key=lambda each: (each.id, each.set))
    if rule.name == "all":
        return [
            (value, *next((e.set, e.id) for e in in_order if e.items[0] == value))
            for value in dict.fromkeys(each.items[0] for each in in_order)
        ]
    if rule.name != "first":
        left = best(left, lambda each: sum(other.items[0] == each.items[0] for other in there))
        left = best(left, lambda each: len(each.items[0]))
        in_order = sorted(left, key=lambda each: (each.id, each.set))
    return [(each.items[0], each.set, each.id) for each in in_order[:1]]


@given(ENTITIES, RULE)
def test_what_is_kept_is_what_is_left_when_all_that_is_worse_is_taken_out(entity, rule):
    kept = golden_of(COLUMNS, [rule, Rule(), Rule()], entity).columns["name"]
    found = [(value, *origin) for value, origin in zip(kept.values, kept.origins, strict=True)]
    assert found == kept_by_hand(rule, entity)


@given(ENTITIES, st.lists(RULE, min_size=3, max_size=3), st.randoms())
def test_the_order_of_the_records_does_not_matter(entity, rules, chance):
    shuffled = chance.sample(entity, len(entity))
    assert golden_of(COLUMNS, rules, shuffled) == golden_of(COLUMNS, rules, entity)


@given(ENTITIES, st.lists(RULE, min_size=3, max_size=3))
def test_each_value_is_that_of_the_record_it_is_said_to_come_from(entity, rules):
    golden = golden_of(COLUMNS, rules, entity)
    items = {(each.set, each.id): each.items for each in entity}
    assert isinstance(golden, GoldenRecord)
    assert set(golden.records) == set(items)
    for ordinal, column in enumerate(COLUMNS):
        kept = golden.columns[column]
        assert [items[origin][ordinal] for origin in kept.origins] == list(kept.values)
        there = {each[ordinal] for each in items.values() if each[ordinal].strip()}
        # A missing value never is kept where another is there.
        assert bool(kept.values) == bool(there)
        assert set(kept.values) <= there
        assert golden.columns[column].several == (rules[ordinal].name == "all")
        if golden.columns[column].several:
            assert set(kept.values) == there


def test_every_rule_of_schemas_is_known():
    for name in RULES:
        rule = Rule(name, "updated", 1)
        assert name_by(rule, ["1 Ann|2024-01-01", "2 Ann|2024-01-01"])[0] in ("Ann", ["Ann"])
