"""Whole pipelines with -r local: the same answers as inline."""

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
