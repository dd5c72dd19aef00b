"""The example schemas find what they should on public record sets with truth."""

import json

import pytest

from pehchan.console.command import main

# The F1 over pairs in clusters that Splink, or Zingg on its own example, reaches there without labels.
PEERS = [
    ("febrl3", "febrl.yaml", 0.994),
    ("fodors_zagat", "restaurants.yaml", 0.933),
    ("zingg_febrl65", "zingg_febrl.yaml", 0.840),
]


@pytest.mark.parametrize(("name", "schema", "peer"), PEERS)
def test_a_schema_by_hand_is_at_least_as_good_as_a_peer(
    record_sets, examples, name, schema, peer, tmp_path, capsys
):
    records, out = record_sets / name / "records.csv", tmp_path / "out"
    assert main(["dedupe", str(records), "-s", str(examples / schema), "-o", str(out), "-q"]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(out), "--truth", str(record_sets / name / "clusters.csv"), "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["pairs within clusters"]["f1"] >= peer


@pytest.mark.parametrize("name", ["febrl3", "fodors_zagat", "zingg_febrl65"])
def test_a_guessed_schema_joins_no_strangers_to_speak_of(record_sets, name, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["dedupe", str(record_sets / name / "records.csv"), "-o", str(out), "-q"]) == 0
    capsys.readouterr()
    main(["evaluate", str(out), "--truth", str(record_sets / name / "clusters.csv"), "--json"])
    scores = json.loads(capsys.readouterr().out)["pairs within clusters"]
    assert scores["precision"] >= 0.95
    assert scores["recall"] >= 0.4
