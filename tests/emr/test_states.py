"""States on S3: their manifests are written where there is none, by requests that a stand-in for AWS answers."""

import csv
import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("boto3")
pytest.importorskip("moto")

from emr.stand_in import BUCKET, StandIn
from emr.test_emr import aws, conf  # noqa: F401

from pehchan.console.command import main
from pehchan.identity.entities import current_entities
from pehchan.identity.state import StateChanged, next_version, open_state
from pehchan.mrjobs.places import place

STATE = f"s3://{BUCKET}/state"


def write(path: Path, rows: list[list[str]]) -> str:
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([["id", "name"], *rows])
    return str(path)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A state of three records on this machine, and what comes later."""
    base = write(tmp_path / "base.csv", [["1", "aaaa"], ["2", "aaab"], ["3", "bbbb"]])
    write(tmp_path / "new.csv", [["3", "bbba"], ["4", "bbbb"]])
    schema = tmp_path / "schema.json"
    fields = {"name": {"measure": "levenshtein"}}
    given = {"id": "id", "fields": fields, "blocking": ["prefix(name, 1)"], "cutoff": 300}
    schema.write_text(json.dumps(given))
    asked = ["dedupe", base, "-s", str(schema), "-o", str(tmp_path / "out"), "--no-report", "-q"]
    assert main([*asked, "--state", str(tmp_path / "state")]) == 0
    return tmp_path / "state"


def upload(state: Path) -> None:
    for path in state.rglob("*"):
        if path.is_file():
            place(f"{STATE}/{path.relative_to(state)}").put(path)


@pytest.mark.parametrize("removes", [True, False])
def test_a_manifest_on_s3_is_never_replaced(
    removes: bool,
    aws: StandIn,  # noqa: F811
    made: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether or not the one that came first has already removed what the other wrote."""
    if not removes:
        monkeypatch.setattr("pehchan.identity.state._remove_unneeded", lambda *arguments: None)
    upload(made)
    before = open_state(STATE)

    def both() -> None:
        with next_version(before.folder, before) as two:
            two.write("log", iter([b'{"version": 2}']))
            with next_version(before.folder, before) as one:
                one.write("log", iter([b'{"version": 1}']))
                assert one.commit(before.manifest).number == 2
            two.commit(before.manifest)

    with pytest.raises(StateChanged, match="Run it again"):
        both()
    puts = [each for each in aws.of("PutObject") if each["Key"] == "state/manifests/000002.json"]
    assert [each["IfNoneMatch"] for each in puts] == ["*"] * (1 if removes else 2)
    after = open_state(STATE)
    assert list(after.lines("log")) == [b'{"version": 1}\n']
    # Nothing of the other one is left.
    assert place(f"{STATE}/parts").sizes().keys() == after.manifest.parts.keys()


def test_a_state_on_s3_is_read_from_here_and_changed_by_a_cluster(
    aws: StandIn,  # noqa: F811
    made: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upload(made)
    assert current_entities(open_state(STATE)) == current_entities(open_state(str(made)))
    assert main(["history", STATE]) == 0
    assert main(["diff", str(made), STATE]) == 0
    assert "2 before, 2 now, 2 the same" in capsys.readouterr().out
    for runner in ("inline", "local"):
        assert main(["update", STATE, str(made.parent / "new.csv"), "-r", runner]) == 2
        assert f"{STATE}: -r {runner} does not reach it." in capsys.readouterr().err


def test_parts_that_are_gone_from_s3_are_missed(
    aws: StandIn,  # noqa: F811
    made: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upload(made)
    (name,) = open_state(STATE).manifest.parts
    place(f"{STATE}/parts/{name}/pairs").remove()
    assert main(["history", STATE]) == 2
    assert "was written with" in capsys.readouterr().err


@pytest.mark.slow
def test_a_state_on_s3_is_brought_up_to_date_as_here(
    aws: StandIn,  # noqa: F811
    conf: Path,  # noqa: F811
    made: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upload(made)
    shutil.copytree(made, tmp_path / "after")
    new = str(tmp_path / "new.csv")
    assert main(["update", str(tmp_path / "after"), new, "-q"]) == 0
    on_emr = ["-r", "emr", "--conf-path", str(conf), "-q"]
    assert main(["update", STATE, new, *on_emr]) == 0, capsys.readouterr().err
    after, here = open_state(STATE), open_state(str(tmp_path / "after"))
    for kind in ("records", "members", "pairs", "log"):
        assert list(after.lines(kind)) == list(here.lines(kind))
    assert after.manifest.counts == here.manifest.counts
    assert main(["update", STATE, new, *on_emr]) == 0, capsys.readouterr().err
    assert open_state(STATE).number == 2
