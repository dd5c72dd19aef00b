"""Whole pipelines with -r local: the same answers as inline."""

import near_duplicates
import pytest
from golden_cases import CASES, answer, run_golden

from pehchan.console.command import main


@pytest.mark.parametrize("case", CASES)
def test_a_golden_case_has_the_answer_on_all_cores_that_it_has_inline(case, tmp_path, monkeypatch):
    expected = run_golden("similarity", case, tmp_path / "inline", monkeypatch)
    assert expected[0]["pairs"]
    assert run_golden("similarity", case, tmp_path / "local", monkeypatch, "-r", "local") == expected


def test_febrl3_has_the_answer_on_all_cores_that_it_has_inline(record_sets, examples, tmp_path):
    asked = ["dedupe", record_sets / "febrl3" / "records.csv", "-s", examples / "febrl.yaml", "-q"]
    asked += ["-D", "bucket.records=1000"]
    for runner in ("inline", "local"):
        assert main([*map(str, asked), "-r", runner, "-o", str(tmp_path / runner)]) == 0
    found = answer(tmp_path / "local")
    assert len(found[0]["clusters"]) == 5000
    assert found == answer(tmp_path / "inline")


def test_near_duplicates_found_by_signatures_are_those_of_all_pairs_on_all_cores(tmp_path):
    data, schema = near_duplicates.written(tmp_path)
    asked = ["similarity", str(data), "-s", str(schema), "-q", "-D", "sts.bucket.count=3"]
    answers = {}
    for search, runner in (("tiles", "inline"), ("signatures", "inline"), ("signatures", "local")):
        out = tmp_path / f"{search}-{runner}"
        assert main([*asked, "-D", f"join={search}", "-r", runner, "-o", str(out)]) == 0
        answers[search, runner] = answer(out)
    assert answers["signatures", "inline"] == answers["signatures", "local"]
    (expected, of_tiles), (found, of_signatures) = answers["tiles", "inline"], answers["signatures", "local"]
    assert len(expected["pairs"]) > 1000
    assert found == expected
    # All else that was counted is the same.
    assert of_tiles["Pairs"].pop("Compared") == 3000 * 2999 // 2
    assert of_signatures["Pairs"].pop("Compared") < 3000 * 300
    assert of_signatures == of_tiles
