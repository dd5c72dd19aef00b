"""The join by blocking keys: every two records that share one are compared, once, however they are cut."""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import replace
from itertools import combinations, product
from unittest.mock import patch

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from settled import settled_lines

from pehchan.distance.record import RecordDistance
from pehchan.metadata.blocking_keys import parse_key
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.metadata.properties import read_settings
from pehchan.metadata.records import Record, encode_record
from pehchan.metadata.schemas import load_schema
from pehchan.mrjobs import comparing
from pehchan.mrjobs import listed as listed_module
from pehchan.mrjobs.count_parts import CountParts
from pehchan.mrjobs.joins import join_of
from pehchan.mrjobs.joins.blocking import Blocking, is_divisible, is_part, key_text, number_and_value
from pehchan.mrjobs.joins.neighbours import order_of
from pehchan.mrjobs.listed import pairs_of
from pehchan.mrjobs.met_before import MetBefore
from pehchan.mrjobs.planner import Counted, divide, plan_join, with_buckets
from pehchan.mrjobs.record_similarity import RecordSimilarity
from pehchan.mrjobs.settle_records import SettleRecords
from pehchan.mrjobs.wire import Pairs, read_tagged

SCHEMA = """\
id: id
columns: [id, name, street, state]
fields:
  name: {measure: jaro-winkler, fold: case}
  street: {measure: edit, tokens: false, missing: skip}
cutoff: 300
"""

#: Without commas, at which the lines of the files are split.
NAMES = ["Ann Lee", "ANN LEE", "Lee; Anne", "Bob Ray", "Bob Roy", "Zoë Åkerø", "zoe akerø", "漢字", "", "x"]
STREETS = ["1 Main St", "1 Main Street", "2 Oak", "", "é 5", "No. 1-1"]
IDS = st.text(alphabet="abc1~#é漢😀 ", min_size=1, max_size=4).filter(str.strip)
RECORDS = st.lists(
    st.tuples(IDS, st.sampled_from(NAMES), st.sampled_from(STREETS), st.sampled_from(["TX", "tx", "CA", ""])),
    max_size=14,
    unique_by=lambda record: record[0],
)

SOUNDS = {"Ann Lee": "A540", "ANN LEE": "A540", "Lee; Anne": "L500", "Bob Ray": "B160", "Bob Roy": "B160",
          "Zoë Åkerø": "Z260", "zoe akerø": "Z260", "x": "X000"}  # fmt: skip


def plain(value):
    """The value as people would write it without care for case and accents."""
    marked = unicodedata.normalize("NFKD", value.lower())
    return "".join(letter for letter in marked if not unicodedata.combining(letter))


def there(*parts):
    return [parts] if all(parts) else []


#: Keys as a schema writes them, and in plain Python the values that a record (id, name, street, state) has of them.
KEYS = {
    "state": lambda record: there(plain(record[3])),
    "name": lambda record: there(plain(record[1])),
    "prefix(name, 1) + state": lambda record: there(plain(record[1])[:1], plain(record[3])),
    "tokens(name)": lambda record: [(word,) for word in re.split(r"\W+", plain(record[1])) if word],
    "tokens(name) + tokens(street)": lambda record: [
        pair for pair in product(*(re.split(r"\W+", plain(record[k])) for k in (1, 2))) if all(pair)
    ],
    "qgrams(street, 3)": lambda record: [
        (street[k : k + 3],)
        for street in [plain(record[2])]
        for k in range(max(bool(street), len(street) - 2))
    ],
    "digits(street)": lambda record: there("".join(c for c in record[2] if c in "0123456789")),
    "soundex(name)": lambda record: there(SOUNDS.get(record[1], "")),
}
KEY_LISTS = st.lists(st.sampled_from(sorted(KEYS)), min_size=1, max_size=4, unique=True)


def share_a_key(keys, a, b):
    return any(set(KEYS[key](a)) & set(KEYS[key](b)) for key in keys)


def content(records):
    return "".join(",".join(record) + "\n" for record in records).encode()


def schema_of(folder, keys, more=""):
    text = SCHEMA + more + "blocking:\n" + "".join(f"  - '{key}'\n" for key in keys)
    (folder / "schema.yaml").write_text(text, encoding="utf-8")
    mistakes = Mistakes()
    return load_schema(str(folder / "schema.yaml"), read_settings(None, [], mistakes), mistakes)


def plan_of(folder, keys, more="", **properties):
    mistakes = Mistakes()
    schema = schema_of(folder, keys, more)
    given_ = [f"{name.replace('_', '.')}={value}" for name, value in properties.items()]
    plan = plan_join(schema, read_settings(None, given_, mistakes), mistakes, "lines")
    mistakes.raise_if_any()
    return plan


class Outcome:
    def __init__(self, folder, plan, files, runner="inline", job_class=RecordSimilarity):
        plan.write(folder / "plan.json")
        paths = [folder / name for name in files]
        for path in paths:
            path.write_bytes(files[path.name])
        job = job_class(["-r", runner, "--no-conf", "--plan", str(folder / "plan.json"), *map(str, paths)])
        with job.make_runner() as running:
            running.run()
            self.counters = Counter()
            for step in running.counters():
                for group, of_group in step.items():
                    self.counters.update({(group, name): amount for name, amount in of_group.items()})
            self.lines = sorted(b"".join(running.cat_output()).splitlines())
        found = [
            (frozenset((pair.first, pair.second)), pair.distance)
            for tag, payload in read_tagged(self.lines)
            if tag == b"pairs"
            for pair in Pairs.decode(payload)
        ]
        self.distances = dict(found)
        assert len(found) == len(self.distances), "a pair is there twice"
        self.groups = [json.loads(payload) for tag, payload in read_tagged(self.lines) if tag == b"group"]

    @property
    def compared(self):
        return self.counters.get(("Pairs", "Compared"), 0)


def distances(folder, records, fits, cutoff=300):
    """Distances of the pairs of records (set, id, items) that fit, at or under the cutoff; how many pairs fit."""
    ordered = sorted(records)
    distance = RecordDistance(schema_of(folder, ["state"]), 1000, cutoff)
    columns = ([items[k] for _, _, items in ordered] for k in (1, 2))
    block = distance.block(columns, np.arange(len(ordered), dtype=np.int64))
    found = {}
    for part in distance.compare(block, block):
        for i, j, apart in zip(part.rows, part.columns, part.distances, strict=True):
            if fits(ordered[i], ordered[j]):
                found[frozenset((ordered[i][:2], ordered[j][:2]))] = int(apart)
    return found, sum(fits(a, b) for a, b in combinations(ordered, 2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder for a test with examples: files may be written over."""
    return tmp_path_factory.mktemp("blocking")


def cut(plan, records, chance):
    """The plan with cells and buckets at random, for some of the blocks."""
    join = Blocking(plan.sets, plan.schema.partition_ordinal, {}, (1, 1), plan.schema.blocking)
    blocks = sorted({block for _, record in records for block in join.groups(Record("", "", record))})
    buckets = {
        block: tuple(chance.randint(1, 4) for _ in range(max(1, len(plan.sets))))
        for block in blocks
        if chance.random() < 0.5
    }
    return replace(
        plan,
        buckets=buckets,
        default_buckets=(1,) * max(1, len(plan.sets)),
        shared_cells=chance.choice([1, 2, 7]),
    )


@settings(max_examples=40)
@given(
    records=RECORDS,
    keys=KEY_LISTS,
    at=st.integers(0, 14),
    batch_bytes=st.sampled_from([1, 30, 262144]),
    chance=st.randoms(use_true_random=False),
    listed=st.sampled_from([0, 3, 20_000]),
)
def test_the_pairs_are_those_that_share_a_key_each_compared_once_for_any_cut(
    folder, records, keys, at, batch_bytes, chance, listed
):
    chance.shuffle(records)
    plan = cut(plan_of(folder, keys, batch_bytes=batch_bytes), [("", record) for record in records], chance)
    with patch.object(comparing, "LISTED_PAIRS", listed):
        outcome = Outcome(folder, plan, {"part-0": content(records[:at]), "part-1": content(records[at:])})
    expected, fitting = distances(
        folder, [("", r[0], r) for r in records], lambda a, b: share_a_key(keys, a[2], b[2])
    )
    assert outcome.distances == expected
    assert outcome.counters.get(("Pairs", "Kept"), 0) == len(expected)
    assert outcome.compared == fitting
    again = sum(
        len(set(KEYS[key](a)) & set(KEYS[key](b))) for key in keys for a, b in combinations(records, 2)
    )
    assert outcome.counters.get(("Pairs", "Met before"), 0) == again - fitting
    without = sum(not any(KEYS[key](record) for key in keys) for record in records)
    assert outcome.counters.get(("Records", "Without blocking key"), 0) == without


@settings(max_examples=15)
@given(records=RECORDS, keys=KEY_LISTS, chance=st.randoms(use_true_random=False))
def test_an_index_within_large_blocks_finds_the_same_pairs(folder, records, keys, chance):
    plan = cut(plan_of(folder, keys, join="signatures"), [("", record) for record in records], chance)
    with patch.object(comparing, "LISTED_PAIRS", 0):
        outcome = Outcome(folder, plan, {"a": content(records)})
    expected, _ = distances(
        folder, [("", r[0], r) for r in records], lambda a, b: share_a_key(keys, a[2], b[2])
    )
    assert outcome.distances == expected


def check_sets(folder, outcome, records, keys):
    """Of records with their sets, those of different ones that share a key have met."""
    expected, fitting = distances(
        folder,
        [(name, record[0], record) for name, record in records],
        lambda a, b: a[0] != b[0] and share_a_key(keys, a[2], b[2]),
    )
    assert outcome.distances == expected
    assert outcome.compared == fitting


@settings(max_examples=15)
@given(
    base=RECORDS,
    other=RECORDS,
    keys=KEY_LISTS,
    chance=st.randoms(use_true_random=False),
    from_ids=st.booleans(),
)
def test_two_sets_meet_by_their_keys_and_not_within_themselves(folder, base, other, keys, chance, from_ids):
    mark = (lambda name, record_id: name[0] + record_id) if from_ids else (lambda name, record_id: record_id)
    base = [(mark("base", record[0]), *record[1:]) for record in base]
    other = [(mark("other", record[0]), *record[1:]) for record in other]
    more = {"sts_set_ID_size": 1} if from_ids else {}
    names = ("b", "o") if from_ids else ("base", "other")
    records = [(names[0], record) for record in base] + [(names[1], record) for record in other]
    plan = cut(plan_of(folder, keys, sts_inter_set_matching="true", **more), records, chance)
    outcome = Outcome(folder, plan, {"base1": content(base), "more": content(other)})
    check_sets(folder, outcome, records, keys)


@settings(max_examples=15)
@given(records=st.lists(RECORDS, min_size=3, max_size=3), keys=KEY_LISTS, chance=st.randoms())
def test_several_sets_told_by_their_ids_meet_by_their_keys(folder, records, keys, chance):
    marked = [
        (name, (name + record[0], *record[1:]))
        for name, of_set in zip("ABC", records, strict=True)
        for record in of_set
    ]
    plan = plan_of(folder, keys, sts_inter_set_matching="true", sts_set_ID_size=1)
    outcome = Outcome(folder, cut(plan, marked, chance), {"a": content([record for _, record in marked])})
    check_sets(folder, outcome, marked, keys)


@settings(max_examples=12)
@given(
    records=st.lists(RECORDS, min_size=3, max_size=4),
    keys=KEY_LISTS,
    chance=st.randoms(use_true_random=False),
    join=st.sampled_from(["auto", "signatures"]),
    listed=st.sampled_from([0, 20_000]),
)
def test_tables_that_are_linked_meet_by_their_keys_or_all_and_not_within_themselves(
    folder, records, keys, chance, join, listed
):
    named = [(name, record) for name, of_set in zip("abcd", records, strict=False) for record in of_set]
    lines = [encode_record(Record(name, "", record)) + b"\n" for name, record in named]
    chance.shuffle(lines)
    sets = tuple("abcd"[: len(records)])
    plan = replace(plan_of(folder, keys, join=join), sets=sets, set_from="line", input="records")
    with patch.object(comparing, "LISTED_PAIRS", listed):
        outcome = Outcome(folder, cut(plan, named, chance), {"part": b"".join(lines)})
    by_sets = [(name, record[0], record) for name, record in named]
    expected, fitting = distances(
        folder, by_sets, lambda a, b: a[0] != b[0] and share_a_key(keys, a[2], b[2])
    )
    assert outcome.distances == expected
    assert join == "signatures" or outcome.compared == fitting

    buckets = (chance.randint(1, 4),)
    plan = replace(plan, join="all_pairs", buckets={}, default_buckets=buckets)
    outcome = Outcome(folder, plan, {"part": b"".join(lines)})
    expected, fitting = distances(folder, by_sets, lambda a, b: a[0] != b[0])
    assert outcome.distances == expected
    assert join == "signatures" or outcome.compared == fitting
    assert {outcome.counters.get(("Records", f"Set {name}"), 0) for name in sets} == {*map(len, records)}


@settings(max_examples=15)
@given(records=RECORDS, keys=KEY_LISTS, chance=st.randoms(use_true_random=False))
def test_records_of_one_partition_only_meet_by_their_keys(folder, records, keys, chance):
    plan = cut(plan_of(folder, keys, "partition: state\n"), [("", record) for record in records], chance)
    outcome = Outcome(folder, plan, {"a": content(records)})
    expected, fitting = distances(
        folder,
        [("", record[0], record) for record in records],
        lambda a, b: a[2][3] == b[2][3] and share_a_key(keys, a[2], b[2]),
    )
    assert outcome.distances == expected
    assert outcome.compared == fitting


def divided_by_definition(records, keys, most):
    """The blocks and parts of more than `most` records as (number, values), those at the end of keys among them;
    and whether two records meet, by the plain definition.
    """
    count = len(keys)

    def members(number, values):
        return [
            record
            for record in records
            if all(value in KEYS[keys[(number + k) % count]](record) for k, value in enumerate(values))
        ]

    too_large = set()
    level = {(number, (value,)) for number, key in enumerate(keys) for r in records for value in KEYS[key](r)}
    while level:
        now = {(number, values) for number, values in level if len(members(number, values)) > most}
        too_large |= now
        level = {
            (number, (*values, value))
            for number, values in now
            if len(values) < count
            for record in members(number, values)
            for value in KEYS[keys[(number + len(values)) % count]](record)
        }

    def meet(a, b, number=None, values=()):
        if number is None:
            return any(meet(a, b, number) for number in range(count))
        if values and (number, values) not in too_large:
            return True
        if len(values) == count:
            return False
        following = KEYS[keys[(number + len(values)) % count]]
        return any(meet(a, b, number, (*values, value)) for value in set(following(a)) & set(following(b)))

    return too_large, meet


@settings(max_examples=30)
@given(records=RECORDS, keys=st.lists(st.sampled_from(sorted(KEYS)), min_size=2, max_size=4, unique=True),
       most=st.integers(2, 6), chance=st.randoms(use_true_random=False))  # fmt: skip
def test_of_a_divided_block_those_meet_that_share_the_next_key_and_so_on(folder, records, keys, most, chance):
    too_large, meet = divided_by_definition(records, keys, most)
    divided = tuple(
        sorted(orjson.dumps([number, "", *map(list, values)]).decode() for number, values in too_large)
    )
    # Parts beyond the last key are refused by the plan.
    if any(len(values) == len(keys) for _, values in too_large):
        return
    plan = replace(cut(plan_of(folder, keys), [("", record) for record in records], chance), divided=divided)
    outcome = Outcome(folder, plan, {"a": content(records)})
    expected, fitting = distances(
        folder, [("", record[0], record) for record in records], lambda a, b: meet(a[2], b[2])
    )
    assert outcome.distances == expected
    assert outcome.compared == fitting


# neighbours


def expected_neighbours(records, keys, too_large, ahead):
    """Pairs that share a block, and pairs that are neighbours in an order, by order, by the plain definition.

    keys are names of KEYS, or (name, following) for the neighbours of a key with one value a record.
    """
    sharing, near = set(), []
    orders = defaultdict(list)
    for record in records:
        for number, key in enumerate(keys):
            name, following = key if isinstance(key, tuple) else (key, None)
            for value in set(KEYS[name](record)):
                order = number if following else (number, value)
                orders[order].append((value if following else (), plain_blanks(record), record[0]))
    for order, members in orders.items():
        ids = [record_id for *_, record_id in sorted(members)]
        if isinstance(order, int):
            window = keys[order][1]
        elif order in too_large:
            window = ahead
        else:
            sharing |= {frozenset(two) for two in combinations(ids, 2)}
            continue
        near.append({frozenset((a, b)) for k, a in enumerate(ids) for b in ids[k + 1 : k + 1 + window]})
    return sharing, near


def plain_blanks(record):
    return [" ".join(plain(value).split()) for value in record[1:3]]


ONE_VALUE = ["state", "name", "prefix(name, 1) + state", "digits(street)", "soundex(name)"]
NEAR = st.lists(
    st.one_of(st.sampled_from(sorted(KEYS)), st.tuples(st.sampled_from(ONE_VALUE), st.integers(1, 4))),
    min_size=1,
    max_size=3,
    # A schema holds the neighbours of a key once.
    unique_by=lambda key: (key[0], True) if isinstance(key, tuple) else (key, False),
)


def as_written(key):
    return f"neighbours({key[0]}, {key[1]})" if isinstance(key, tuple) else key


def in_ranges(plan, records, chance, too_large, number=0):
    """The plan with these blocks in windows, and with ranges at random in all orders."""
    blocks = [orjson.dumps([number, "", list(value)]).decode() for number, value in sorted(too_large)]
    join = join_of(replace(plan, ranges=dict.fromkeys(blocks, ())))
    orders = defaultdict(list)
    for record in records:
        record = Record("", record[0], record)
        for block, own in join.blocks(record)[1]:
            orders[block].append(order_of(own, plan.compared(record), record.id, ""))
    ranges = {}
    for block in sorted({*orders, *blocks}):
        members = orders[block]
        begins = sorted(chance.sample(members, min(len(members), chance.randint(0, 4))))
        if begins or block in blocks:
            ranges[block] = begins
    return replace(plan, ranges=ranges)


@settings(max_examples=40)
@given(
    records=RECORDS,
    keys=NEAR,
    most=st.integers(2, 5),
    ahead=st.integers(1, 3),
    at=st.integers(0, 14),
    batch_bytes=st.sampled_from([1, 30, 262144]),
    properties=st.sampled_from([{}, {}, {"sifarish_compat": "true"}]),
    chance=st.randoms(use_true_random=False),
)
def test_neighbours_meet_in_their_order_for_any_ranges_and_each_pair_is_there_once(
    folder, records, keys, most, ahead, at, batch_bytes, properties, chance
):
    chance.shuffle(records)
    plan = plan_of(
        folder, list(map(as_written, keys)), batch_bytes=batch_bytes, blocking_window=ahead, **properties
    )
    sizes = Counter(
        (number, value)
        for record in records
        for number, key in enumerate(keys)
        if not isinstance(key, tuple)
        for value in set(KEYS[key](record))
    )
    too_large = {block for block, size in sizes.items() if size > most}
    plan = in_ranges(plan, records, chance, too_large)
    outcome = Outcome(folder, plan, {"part-0": content(records[:at]), "part-1": content(records[at:])})
    sharing, near = expected_neighbours(records, keys, too_large, ahead)
    meet = sharing.union(*near)
    expected, _ = distances(
        folder, [("", r[0], r) for r in records], lambda a, b: frozenset((a[1], b[1])) in meet
    )
    assert outcome.distances == expected
    assert outcome.counters.get(("Pairs", "Kept"), 0) == len(expected)
    # Who are neighbours in several orders are compared in each.
    assert outcome.compared == len(sharing) + sum(len(each - sharing) for each in near)


def people(count):
    """Records with many near duplicates, the same on every run."""
    return [
        (f"c{number}", NAMES[number * 7 % len(NAMES)], STREETS[number * 5 % len(STREETS)], "TX")
        for number in range(count)
    ]


def test_inline_and_local_give_the_same_bytes_for_any_order_of_lines_and_number_of_reducers(tmp_path):
    keys = ["tokens(name)", "digits(street)", "soundex(name) + state"]
    records = people(40)
    first = Outcome(tmp_path, plan_of(tmp_path, keys), {"a": content(records)})
    assert first.distances
    assert first.counters["Pairs", "Met before"]
    plan = replace(plan_of(tmp_path, keys, batch_bytes=100, sts_num_reducer=3), shared_cells=5)
    inline = Outcome(tmp_path, plan, {"a": content(records[::-1])})
    local = Outcome(tmp_path, plan, {"a": content(records)}, "local")
    assert local.lines == inline.lines
    assert local.counters == inline.counters
    assert local.distances == first.distances


@pytest.mark.parametrize("reducers", [1, 2, 5])
def test_neighbours_have_the_same_lines_inline_and_local_for_any_number_of_reducers(tmp_path, reducers):
    keys = ["neighbours(name, 3)", "soundex(name) + state", "neighbours(street, 2)", "tokens(street)"]
    records = people(40)
    plan = plan_of(tmp_path, keys, batch_bytes=100, blocking_window=2, sts_num_reducer=reducers)
    # Two windows of keys, and one of a block that is too large.
    ranges = {'[3,"",["st"]]': []}
    join = join_of(replace(plan, ranges=ranges))
    for record in records:
        for block, own in join.blocks(Record("", record[0], record))[1]:
            order = order_of(own, plan.compared(Record("", record[0], record)), record[0], "")
            ranges.setdefault(block, []).append(order)
    cut = replace(plan, ranges={block: sorted(orders)[2::5] for block, orders in ranges.items()})
    whole = replace(plan, ranges={'[3,"",["st"]]': []})
    once = Outcome(tmp_path, whole, {"a": content(records)})
    inline = Outcome(tmp_path, cut, {"a": content(records[::-1])})
    local = Outcome(tmp_path, cut, {"a": content(records)}, "local")
    assert local.lines == inline.lines
    assert local.counters == inline.counters
    assert local.distances == once.distances
    assert len(once.distances) > 60
    assert once.counters["Pairs", "Compared"] == inline.counters["Pairs", "Compared"]


def test_a_large_block_counts_and_finds_the_same_as_if_its_pairs_were_listed(tmp_path):
    # In the second block some pairs met in one of the first, and others of the same records did not.
    plan = plan_of(tmp_path, ["tokens(name)", "state"], join="tiles")
    files = {"a": content(people(40))}
    listed = Outcome(tmp_path, plan, files)
    with patch.object(comparing, "LISTED_PAIRS", 0):
        compared = Outcome(tmp_path, plan, files)
    assert compared.distances == listed.distances
    pairs = {key: amount for key, amount in listed.counters.items() if key[0] == "Pairs"}
    assert pairs == {key: amount for key, amount in compared.counters.items() if key[0] == "Pairs"}
    assert compared.compared == 40 * 39 // 2
    assert pairs["Pairs", "Met before"] > 100


@pytest.mark.parametrize("properties", [{}, {"sifarish_compat": "true"}])
def test_distances_and_what_is_missing_are_as_where_all_pairs_meet(tmp_path, properties):
    # One letter each, so that all records are in one block of one key or the other.
    records = [
        (f"c{number}", f"a {name}", STREETS[number % 5], "TX") for number, name in enumerate(NAMES * 2)
    ]
    blocked = Outcome(
        tmp_path, plan_of(tmp_path, ["prefix(name, 1)", "state"], **properties), {"a": content(records)}
    )
    everyone = Outcome(
        tmp_path, plan_of(tmp_path, ["state"], blocking="false", **properties), {"a": content(records)}
    )
    assert blocked.distances == everyone.distances
    assert len(blocked.distances) > 20
    assert blocked.counters["Missing Data", "FieldSkipped"]
    if not properties:
        del blocked.counters["Pairs", "Met before"]
        same = {key: amount for key, amount in blocked.counters.items() if key[0] != "Blocks"}
        assert same == everyone.counters


def test_a_line_without_the_column_of_a_key_is_set_aside(tmp_path):
    outcome = Outcome(
        tmp_path, plan_of(tmp_path, ["state"]), {"a": b"1,Ann,1 Oak,TX\n2,Ann,1 Oak\n3,Ann,1 Oak,TX\n"}
    )
    assert outcome.counters["Records", "Rejected"] == 1
    assert len(outcome.distances) == 1


def test_the_smaller_id_comes_first(tmp_path):
    outcome = Outcome(
        tmp_path, plan_of(tmp_path, ["tokens(name)", "state"]), {"a": content(people(12)[::-1])}
    )
    pairs = [
        pair
        for tag, payload in read_tagged(outcome.lines)
        if tag == b"pairs"
        for pair in Pairs.decode(payload)
    ]
    assert pairs
    assert all(pair.first < pair.second for pair in pairs)


# who met before

EARLIER = st.lists(st.lists(st.sampled_from("abcdef"), unique=True, max_size=3), min_size=1, max_size=9)


@given(EARLIER, st.data())
def test_who_shares_an_earlier_block_met_before(earlier, data):
    met_before = MetBefore(earlier)
    number = st.integers(0, len(earlier) - 1)
    pairs = data.draw(st.lists(st.tuples(number, number), max_size=20))
    a, b = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    expected = [bool(set(earlier[i]) & set(earlier[j])) for i, j in pairs]
    # Of a block that no other record has it does not matter whether a record shares it with itself.
    other = a != b
    assert met_before.met(a, b)[other].tolist() == np.array(expected, dtype=bool)[other].tolist()


@given(EARLIER, st.data())
def test_who_met_all_others_before_is_left_out_and_the_other_pairs_are_counted(earlier, data):
    met_before = MetBefore(earlier)
    split = data.draw(st.one_of(st.none(), st.integers(0, len(earlier))))
    everyone = np.arange(len(earlier))
    rows, columns = (everyone, everyone) if split is None else (everyone[:split], everyone[split:])

    def pairs(rows, columns):
        if split is None:
            return list(combinations(rows.tolist(), 2))
        return list(product(rows.tolist(), columns.tolist()))

    def new(pair):
        return not set(earlier[pair[0]]) & set(earlier[pair[1]])

    kept_rows, kept_columns, again = met_before.unmet(rows, columns)
    kept, wanted = pairs(kept_rows, kept_columns), list(filter(new, pairs(rows, columns)))
    assert set(wanted) <= set(kept)
    assert len(kept) - again == len(wanted)
    if any(map(set, earlier)) and split is None and not wanted:
        assert len(kept_rows) <= 1 or again == 0


def test_many_pairs_are_looked_at_in_parts(monkeypatch):
    monkeypatch.setattr("pehchan.mrjobs.met_before.AT_ONCE", 3)
    met_before = MetBefore([["x", "a"], ["a"], ["b"], ["b", "x"]])
    a, b = np.array([0, 0, 0, 1, 1, 2, 0]), np.array([1, 2, 3, 2, 3, 3, 1])
    assert met_before.met(a, b).tolist() == [True, False, True, False, False, True, True]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 5)), max_size=8), st.sampled_from([1, 7, 200_000])
)
def test_the_pairs_of_small_meetings_are_listed_once(sizes, at_once):
    meetings, expected, first = [], Counter(), 0
    for height, width in sizes:
        left = np.arange(first, first + height)
        right = left if width == -1 else np.arange(first + height, first + height + width)
        meetings.append((left, right))
        expected.update(combinations(left, 2) if width == -1 else product(left, right))
        first += height + max(0, width)
    with patch.object(listed_module, "AT_ONCE", at_once):
        found = Counter(pair for i, j in pairs_of(meetings) for pair in zip(i, j, strict=True))
    assert found == expected


# counting and planning


def test_blocks_that_are_large_are_counted_when_records_are_settled_with_all_sets_together(tmp_path):
    plan = plan_of(tmp_path, ["state", "tokens(name)"], blocking_max_records=4, sts_inter_set_matching="true")
    records = [(f"{k}", "Ann", "", "TX" if k < 6 else "CA") for k in range(9)]
    files = {"base1": content(records[:4]), "more": content(records[4:])}
    outcome = Outcome(tmp_path, plan, files, job_class=SettleRecords)
    assert [group[:3] for group in outcome.groups] == [
        ['[0,"",["tx"]]', "base", 4],
        ['[0,"",["tx"]]', "other", 2],
        ['[1,"",["ann"]]', "base", 4],
        ['[1,"",["ann"]]', "other", 5],
    ]
    assert outcome.counters["Blocks", "Members"] == 18


def test_the_parts_of_divided_blocks_are_counted(tmp_path):
    plan = plan_of(tmp_path, ["state", "tokens(name)"], blocking_max_records=2, blocking_large="split")
    records = [[f"{k}", "Ann" if k < 3 else "Bob", "", "TX"] for k in range(5)]
    lines = settled_lines(records[:2]) + settled_lines(records[2:])
    divided = ('[0,"",["tx"]]', '[1,"",["ann"]]')
    plan = replace(plan, divided=divided, input="settled")
    outcome = Outcome(tmp_path, plan, {"a": lines}, job_class=CountParts)
    # Of bob's only two are there, and his block is whole.
    assert [group[:3] for group in outcome.groups] == [
        ['[0,"",["tx"],["ann"]]', "", 3],
        ['[1,"",["ann"],["tx"]]', "", 3],
    ]


def counted(records):
    return Counted({"": records}, records, 100 * records)


def test_too_large_blocks_are_refused_or_divided_until_no_key_is_left(tmp_path):
    def plan(large, *keys):
        return plan_of(tmp_path, keys, blocking_max_records=10, blocking_large=large)

    blocks = {
        '[0,""]': counted(40),
        '[1,"",["a"]]': counted(11),
        '[1,"",["b"]]': counted(10),
        '[2,"",["c"]]': counted(12),
    }
    keys = ["neighbours(street)", "name", "state"]
    refuse = divide(plan("refuse", *keys), blocks)
    assert list(refuse.refused) == ['[1,"",["a"]]', '[2,"",["c"]]']
    assert (list(refuse.large), list(refuse.windows)) == (['[1,"",["b"]]'], ['[0,""]'])
    window = divide(plan("window", *keys), blocks)
    assert list(window.windows) == ['[0,""]', '[1,"",["a"]]', '[2,"",["c"]]']
    assert (list(window.large), window.refused) == (['[1,"",["b"]]'], {})
    split_plan = plan("split", *keys)
    split = divide(split_plan, blocks)
    assert split.blocks == ('[1,"",["a"]]', '[2,"",["c"]]')
    assert (split.counts, split.refused, list(split.windows)) == (True, {}, ['[0,""]'])
    small = {'[1,"",["a"],["c"]]': counted(9), '[2,"",["c"],["a"]]': counted(9)}
    parts = divide(split_plan, small, split)
    assert (parts.blocks, parts.counts) == (split.blocks, False)
    assert sorted(parts.large) == ['[1,"",["a"],["c"]]', '[1,"",["b"]]', '[2,"",["c"],["a"]]']
    # Neighbours have nothing in common by which to divide.
    still = divide(split_plan, {**small, '[1,"",["a"],["c"]]': counted(11)}, split)
    assert (list(still.refused), still.counts) == (['[1,"",["a"],["c"]]'], False)
    deeper = divide(plan("split", "street", "name", "state"), {'[1,"",["a"],["c"]]': counted(11)}, split)
    assert (deeper.refused, deeper.counts) == ({}, True)
    assert '[1,"",["a"],["c"]]' in deeper.blocks
    alone = divide(plan("split", "name"), {'[0,"",["a"]]': counted(11)})
    assert list(alone.refused) == ['[0,"",["a"]]']


def test_large_blocks_get_buckets_and_the_others_share_as_many_cells_as_memory_asks_for(tmp_path):
    plan = plan_of(tmp_path, ["name"], bucket_records=100)
    large = {'[0,"",["a"]]': counted(400), '[0,"",["b"]]': counted(50)}
    planned = with_buckets(plan, counted(1450), large)
    assert planned.buckets == {'[0,"",["a"]]': (8,), '[0,"",["b"]]': (1,)}
    # 1,000 others, and half of what fits in a cell.
    assert planned.shared_cells == 20
    assert with_buckets(plan_of(tmp_path, ["name"]), counted(5000), {}, tasks=4).shared_cells == 12


@pytest.mark.parametrize(
    ("more", "properties", "said"),
    [
        ("", ["blocking=false"], "all_pairs"),
        ("", ["blocking=true"], "blocking"),
        ("", [], "blocking"),
        ("", ["sts.mixed.in.sets=true", "sts.set.ID.size=1"], "records meet by their ids"),
        ("", ["sts.mixed.in.sets=true", "sts.set.ID.size=1", "blocking=false"], "same_id"),
        ("", ["blocking=some"], "blocking=some is not true or false."),
        ("", ["blocking.large=cut"], "blocking.large=cut is not one of refuse, split, window."),
        ("", ["blocking.window=0"], "blocking.window=0 is not a whole number from 1 to 1000."),
    ],
)
def test_keys_in_the_schema_choose_the_join_and_a_property_overrides_it(tmp_path, more, properties, said):
    mistakes = Mistakes()
    given_ = read_settings(None, properties, mistakes)
    plan = plan_join(schema_of(tmp_path, ["state"], more), given_, mistakes, "lines")
    if mistakes.found:
        assert said in str(MistakesError(mistakes.found))
    else:
        assert plan.join == said


def test_a_block_says_its_key_and_value():
    keys = (parse_key("0 + 1"), parse_key("neighbours(0)"), parse_key("1"))
    divided = frozenset({'[0,"",["ann","tx"]]', '[2,"",["tx"]]'})
    join = Blocking(("",), None, {}, (1,), keys, divided=divided)
    blocks = join.groups(Record("", "", ["Ann", "TX"]))
    assert [(is_part(block), key_text(keys, block), *number_and_value(block)) for block in blocks] == [
        (True, "0 + 1 / 1", 0, "ann + tx / tx"),
        (True, "1 / 0 + 1", 2, "tx / ann + tx"),
        (False, "neighbours(0)", 1, ""),
    ]
    assert not any(is_divisible(keys, block) for block in blocks[:2])
    assert all(is_divisible(keys, block) for block in divided)


@given(st.lists(st.tuples(IDS, st.sampled_from(["", "a", "b", "a b"]), st.sampled_from(["", "x", "y"])),
                unique_by=lambda record: record[0], max_size=20))  # fmt: skip
def test_a_record_goes_to_each_of_its_blocks_once_and_brings_those_before(records):
    join = Blocking(("",), None, {'[0,"",["a"]]': (3,)}, (1,), (parse_key("tokens(1)"), parse_key("2")))
    by_block = defaultdict(set)
    for record in records:
        earlier = []
        for route, before in join.routes(Record("", record[0], record)):
            cells = list(join.cells(route))
            block = before[-1]
            own = block == '[0,"",["a"]]'
            assert len(cells) == len(set(cells)) == (3 if own else 1)
            assert route[0] == (block if own else "")
            assert before[:-1] == earlier
            earlier = before
            by_block[block].add(record[0])
        assert len(earlier) == len(set(record[1].split())) + bool(record[2])
    for block, ids in by_block.items():
        value = number_and_value(block)[1]
        assert ids == {record[0] for record in records if value in (*record[1].split(), record[2])}
