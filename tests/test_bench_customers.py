"""The made-up customers of the measurements: the same every time, and as their shares say."""

import hashlib
import importlib.util
from collections import Counter, defaultdict
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "bench" / "customers.py"
specification = importlib.util.spec_from_file_location("bench_customers", SCRIPT)
customers = importlib.util.module_from_spec(specification)
specification.loader.exec_module(customers)


@pytest.fixture(scope="module")
def persons():
    """Household -> cluster -> the values of its records."""
    found = defaultdict(lambda: defaultdict(list))
    for line, cluster, household in customers.households(20_000, seed=3):
        found[household][cluster].append(line.split(","))
    return found


@pytest.mark.parametrize(
    ("kind", "digest"), [("easy", "6aa87400e5d95327"), ("households", "dc910afa7c986f71")]
)
def test_a_seed_gives_the_same_files_always(tmp_path, kind, digest):
    output, truth = tmp_path / "customers.csv", tmp_path / "truth.csv"
    customers.write(customers.GENERATORS[kind](5000, 1), output, truth)
    assert hashlib.sha256(output.read_bytes() + truth.read_bytes()).hexdigest()[:16] == digest
    lines = output.read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == [str(number) for number in range(5000)]
    assert all(line.count(",") == 4 for line in lines)


def test_half_of_the_easy_records_are_copies():
    clusters = Counter(cluster for _, cluster, _ in customers.easy(4001, 2))
    assert set(clusters) == set(range(2001))


def test_households_have_as_many_persons_and_records_as_said(persons):
    # The last household may be cut off.
    living = Counter(len(household) for household in persons.values())
    times = Counter(len(records) for household in persons.values() for records in household.values())
    for counts, hundredths in ((living, customers.TOGETHER), (times, customers.TIMES)):
        shares = [100 * counts[number + 1] / counts.total() for number in range(len(hundredths))]
        assert shares == pytest.approx(hundredths, abs=1.5)


def test_persons_of_a_household_share_what_is_said(persons):
    alone = [
        [records[0] for records in household.values()]
        for household in persons.values()
        if len(household) > 1 and all(len(records) == 1 for records in household.values())
    ]
    assert len(alone) > 300
    assert all(len({address for _, address, _, _ in household}) == 1 for household in alone)
    others = [(household[0], other) for household in alone for other in household[1:]]
    named = [other[0].split()[1] == eldest[0].split()[1] for eldest, other in others]
    juniors = [other[0] == eldest[0] + " jr" for eldest, other in others]
    assert sum(named) / len(others) == pytest.approx(customers.SAME_LAST_NAME, abs=0.05)
    assert sum(juniors) / len(others) == pytest.approx(customers.JUNIORS, abs=0.015)


def test_later_records_differ_as_said(persons):
    every = [records for household in persons.values() for records in household.values()]
    later = sum(len(records) - 1 for records in every)
    without = sum(not phone for records in every for *_, phone in records)
    assert without / later == pytest.approx(customers.HAPPENS["no phone"], abs=0.01)
    # Of two records the later one stands first as often; what the two have in common tells it.
    pairs = [records for records in every if len(records) == 2]
    equal = sum(first == second for first, second in pairs) / len(pairs)
    unchanged = customers.TYPOS[0] / 100
    for what, share in customers.HAPPENS.items():
        # Most first names have no nickname.
        unchanged *= 1 - share * (0.33 if what == "nickname" else 1)
    assert equal == pytest.approx(unchanged, abs=0.03)
