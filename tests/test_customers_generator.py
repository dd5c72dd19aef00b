"""The made-up customers: as many as asked for, doubles as close as promised, the same every time."""

import importlib.util
import os
import random
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

SCRIPT = Path(__file__).parents[1] / "tutorial" / "customers.py"
specification = importlib.util.spec_from_file_location("customers", SCRIPT)
module = importlib.util.module_from_spec(specification)
specification.loader.exec_module(module)


def run(*arguments, **environment):
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **environment}
    ).stdout


@pytest.fixture(scope="module")
def found():
    return list(module.customers(3000, seed=7, duplicates=0.4, missing_phones=0.1))


def test_a_seed_gives_the_same_file_always():
    lines = run("--records", 5, "--seed", 1, "--duplicates", 0.6, PYTHONHASHSEED="1")
    assert lines == run("--records", 5, "--seed", 1, "--duplicates", 0.6, PYTHONHASHSEED="2")
    assert lines != run("--records", 5, "--seed", 2, "--duplicates", 0.6)
    assert lines == EXPECTED


EXPECTED = """\
208271,Roy Wright,6175 Oak Grove St,Anchorage AK 99583,907 2213455
217611,Nicholas Schneider,7365 Timber Cir,Oklahoma City OK 73126,405 8616291
108271,Roy Wright,1675 Oak Grove St,Anchorage AK 99583,907 2213455
133432,Martha Wood,8124 Jasmine Ct,Honolulu HI 96828,808 7677817
117611,Nicholas Schneider,7365 Timber Cir,Oklahoma City OK 73126,405 8616291
174606,Laura Kelley,9953 Acorn Pt,Salt Lake City UT 84192,801 4234142
115455,Jason Williams,353 Saddleback Pkwy,Boston MA 02180,617 3559494
"""


def test_lines_have_five_values_without_commas_or_quotes(found):
    for customer in found:
        assert len(customer) == 5
        assert not set(',"\n') & set("".join(customer))
        assert all(value == value.strip() for value in customer)
        assert all(customer[:4])


def test_values_look_as_they_should(found):
    for customer in found:
        if customer.id.startswith("1"):
            assert re.fullmatch(r"1\d{5}", customer.id)
            assert re.fullmatch(r"\d{1,4} [A-Z][A-Za-z ]+ [A-Z][a-z]+", customer.address)
            assert re.fullmatch(r"[A-Z][A-Za-z ]+ [A-Z]{2} \d{5}", customer.city)
            assert re.fullmatch(r"\d{3} \d{7}", customer.phone)


def test_originals_differ_and_ids_are_given_once(found):
    originals = [customer for customer in found if customer.id.startswith("1")]
    assert len(originals) == 3000
    assert len({customer[1:] for customer in originals}) == 3000
    assert len({customer.id for customer in found}) == len(found)
    assert len({customer.name for customer in originals}) > 2500


def test_a_customer_that_comes_up_again_is_made_up_anew(monkeypatch):
    monkeypatch.setattr(module, "_made_up", lambda rng: (str(rng.randrange(30)),) * 4)
    assert len({customer[1:] for customer in module.customers(25, 1, duplicates=0)}) == 25


def test_a_second_record_has_its_first_and_at_most_two_typos(found):
    originals = {customer.cluster: customer for customer in found if customer.id.startswith("1")}
    seconds = [customer for customer in found if customer.id.startswith("2")]
    assert 0.35 * 3000 < len(seconds) < 0.45 * 3000
    typos = Counter()
    for customer in seconds:
        first = originals[customer.cluster]
        pairs = list(zip(first[1:-1], customer[1:-1], strict=True))
        if customer.phone:
            pairs.append((first.phone, customer.phone))
        typos[sum(OSA.distance(a, b) for a, b in pairs)] += 1
    # A deleted one-digit house number takes its blank along, so a typo may count two.
    assert max(typos) <= 3
    assert sum(typos[many] for many in (0, 1, 2)) > 0.99 * len(seconds)
    assert min(typos[0], typos[1], typos[2]) > 0.2 * len(seconds)
    lacking = sum(not customer.phone for customer in seconds)
    assert 0.05 * len(seconds) < lacking < 0.15 * len(seconds)


def test_the_order_tells_nothing(found):
    places = [at for at, customer in enumerate(found) if customer.id.startswith("2")]
    assert sum(places) / len(places) == pytest.approx(len(found) / 2, rel=0.05)
    assert sum(a.cluster == b.cluster for a, b in pairwise(found)) < 10


words = st.text("aB3", min_size=2, max_size=4)


@given(one=words, other=words, seed=st.integers(0, 1000))
def test_a_typo_is_one_edit(one, other, seed):
    value = f"{one} {other}"
    assert OSA.distance(value, module.with_typo(random.Random(seed), value)) == 1


def test_a_house_number_that_is_left_out_takes_its_blank_along():
    typed = {module.with_typo(random.Random(seed), "5 Elm") for seed in range(200)}
    assert "Elm" in typed
    assert not any(value.startswith(" ") for value in typed)


def test_all_kinds_of_typos_occur():
    rng = random.Random(3)
    typed = {module.with_typo(rng, "abc") for _ in range(2000)}
    assert {"bac", "acb", "ab", "bc", "ac"} <= typed
    assert any(len(value) == 4 for value in typed)
    assert any(
        len(value) == 3 and OSA.distance("abc", value) == 1 and set(value) - set("abc") for value in typed
    )


def test_the_shares_may_be_nothing_or_all():
    assert len(list(module.customers(50, 1, duplicates=0))) == 50
    everyone = list(module.customers(50, 1, duplicates=1, missing_phones=1))
    assert len(everyone) == 100
    assert sum(not customer.phone for customer in everyone) == 50


def test_more_than_a_hundred_thousand_customers_get_longer_ids():
    found = list(module.customers(100_001, 1, duplicates=0))
    assert len({customer.id for customer in found}) == 100_001
    assert {len(customer.id) for customer in found} == {7}


def test_one_file_with_its_truth(tmp_path):
    output, truth = tmp_path / "customers.csv", tmp_path / "truth.csv"
    assert run("--records", 200, "--header", "--output", output, "--truth", truth) == ""
    header, *lines = output.read_text().splitlines()
    assert header == "id,name,address,city,phone"
    assert "\n".join(lines) + "\n" == run("--records", 200)
    header, *rows = truth.read_text().splitlines()
    assert header == "id,cluster"
    assert rows == [f"{line[:6]},{line[1:6]}" for line in lines]


def test_two_sets_with_their_truth(tmp_path):
    run("--records", 200, "--two-sets", "--output-dir", tmp_path / "new", "--truth", tmp_path / "truth.csv")
    first = (tmp_path / "new" / "first.csv").read_text().splitlines()
    second = (tmp_path / "new" / "second.csv").read_text().splitlines()
    assert len(first) == 200
    assert sorted([*first, *second]) == sorted(run("--records", 200).splitlines())
    assert {line[0] for line in first} == {"1"}
    assert {line[0] for line in second} == {"2"}
    header, *rows = (tmp_path / "truth.csv").read_text().splitlines()
    assert header == "id_a,id_b"
    assert sorted(rows) == sorted(f"1{line[1:6]},{line[:6]}" for line in second)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--records", "0"],
        ["--duplicates", "1.5"],
        ["--missing-phones", "-1"],
        ["--two-sets"],
        ["--output-dir", "x"],
        ["--two-sets", "--output-dir", "x", "--output", "y"],
    ],
)
def test_options_that_make_no_sense_are_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        module.main(arguments)
    assert "error: --" in capsys.readouterr().err
