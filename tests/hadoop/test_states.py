"""A state on HDFS, and one on this machine with its jobs on YARN, are brought up to date as one process does it."""

import csv
import json
import shutil

import pytest
from batches import check_batches

from pehchan.console.command import main
from pehchan.identity.entities import current_entities
from pehchan.identity.state import NextVersion, StateChanged, open_state


def write(path, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([["id", "name"], *rows])
    return path


NAMES = ["maria", "marie", "miguel", "tobias", "tobiaz", "johann", "helene", "helena"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A state of a few records, what comes later, and the state that has it."""
    folder = tmp_path_factory.mktemp("made")
    rows = [[f"r{k}", NAMES[k % 8] + "abc"[k % 3] * (k % 5)] for k in range(60)]
    base, new, gone = (
        write(folder / "base.csv", rows[:40]),
        write(folder / "new.csv", rows[35:]),
        folder / "gone",
    )
    gone.write_text("r1\nr2\nnone\n")
    schema = folder / "schema.json"
    fields = {"name": {"measure": "levenshtein"}}
    schema.write_text(
        json.dumps({"id": "id", "fields": fields, "blocking": ["prefix(name, 1)"], "cutoff": 300})
    )
    asked = ["dedupe", base, "-s", schema, "-o", folder / "out", "--no-report", "-q"]
    more = ["-D", "cluster.by=average", "-D", "cluster.absent=computed"]
    assert main([*map(str, [*asked, *more, "--state", folder / "state"])]) == 0
    shutil.copytree(folder / "state", folder / "after")
    assert main(["update", str(folder / "after"), str(new), "--deleted", str(gone), "-q"]) == 0
    return folder


def part_of(state):
    """The lines that the second version added."""
    (name,) = set(state.manifest.parts) - {
        name for name in state.manifest.parts if name.startswith("000001-")
    }
    part = state.folder / "parts" / name
    return {kind: list((part / kind).lines()) for kind in ("records", "members", "pairs", "log")}


def test_a_state_on_the_cluster_is_brought_up_to_date_as_here(hadoop, made):
    uri = hadoop.put(made / "state", "hdfs:///states/state")
    conf = hadoop.conf("quick", mapreduce_job_ubertask_enable="true")
    on_cluster = ["-r", "hadoop", "--conf-path", conf, "-q"]
    done = hadoop.pehchan("update", uri, made / "new.csv", "--deleted", made / "gone", *on_cluster)
    assert done.returncode == 0, done.stderr
    assert "20 new" in done.stdout
    after, here = open_state(uri), open_state(str(made / "after"))
    assert part_of(after) == part_of(here)
    assert current_entities(after) == current_entities(here)
    assert after.manifest.counts == here.manifest.counts
    # A second one who makes this version is told, and leaves nothing.
    version = NextVersion(after.folder, open_state(f"{uri}@1"), 2)
    version.write("log", iter([b"{}"]))
    with pytest.raises(StateChanged, match="Run it again"):
        version.commit(here.manifest)


@pytest.mark.slow
def test_a_state_on_this_machine_is_brought_up_to_date_with_jobs_on_the_cluster(hadoop, made, tmp_path):
    shutil.copytree(made / "state", tmp_path / "state")
    conf = hadoop.conf("quick", mapreduce_job_ubertask_enable="true")
    on_cluster = ["-r", "hadoop", "--conf-path", conf, "-q"]
    asked = [tmp_path / "state", made / "new.csv", "--deleted", made / "gone"]
    done = hadoop.pehchan("update", *asked, *on_cluster)
    assert done.returncode == 0, done.stderr
    assert part_of(open_state(str(tmp_path / "state"))) == part_of(open_state(str(made / "after")))


@pytest.mark.slow
def test_a_state_made_and_renewed_on_the_cluster_is_that_made_here(hadoop, made):
    conf = hadoop.conf("quick", mapreduce_job_ubertask_enable="true")
    on_cluster = ["-r", "hadoop", "--conf-path", conf, "-q"]
    uri = "hdfs:///states/made"
    asked = [
        "dedupe",
        made / "base.csv",
        "-s",
        made / "schema.json",
        "-o",
        "hdfs:///states/out",
        "--no-report",
    ]
    more = ["-D", "cluster.by=average", "-D", "cluster.absent=computed", "--state", uri]
    done = hadoop.pehchan(*asked, *more, *on_cluster)
    assert done.returncode == 0, done.stderr
    assert current_entities(open_state(uri)) == current_entities(open_state(str(made / "state")))
    done = hadoop.pehchan("decide", uri, "--same", "r0", "r3", *on_cluster)
    assert done.returncode == 0, done.stderr
    done = hadoop.pehchan("update", uri, "--refreeze", *on_cluster)
    assert done.returncode == 0, done.stderr
    state = open_state(uri)
    assert state.number == 3
    entities = current_entities(state)
    assert entities["r0"] == entities["r3"]


@pytest.mark.slow
def test_batches_on_the_cluster_give_the_entities_of_one_run(hadoop, record_sets, tmp_path):
    conf = hadoop.conf("batches", mapreduce_job_ubertask_enable="true")

    def run(*arguments):
        done = hadoop.pehchan(*arguments, "-r", "hadoop", "--conf-path", conf, "-q")
        assert done.returncode == 0, done.stderr

    records = record_sets / "febrl120k" / "records.csv"
    check_batches(records, 10, tmp_path, "hdfs:///states/batches", run)
