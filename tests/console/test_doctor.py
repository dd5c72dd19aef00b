"""The doctor names what is wrong, says how to mend it, and never hangs."""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from pehchan.console import bundle, doctor
from pehchan.console.command import main

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"

#: What a healthy cluster says; a test puts something else in place of a line.
ANSWERS = {
    "version": "echo 'Hadoop 3.4.2'",
    "fs -ls hdfs:///": "echo 'Found 0 items'",
    "fs -mkdir": "exit 0",
    "fs -rm": "exit 0",
    "jar": "exit 0",
    "fs -ls": 'for path; do :; done; echo "-rw-r--r--   1 me us  9 2026-01-01 00:00 ${path%/}/part-00000"',
    "fs -cat": "echo '{}'",
    "fs": "exit 0",
}
NODES = "echo 'Total Nodes:2'"


@pytest.fixture
def surroundings(tmp_path, monkeypatch):
    """A machine with a healthy cluster and a bundle; `hadoop(line=answer)` makes it ill."""
    folder = tmp_path / "hadoop"
    (folder / "bin").mkdir(parents=True)
    (folder / "hadoop-streaming-3.4.2.jar").touch()
    for name in ("HADOOP_PREFIX", "HADOOP_INSTALL", "HADOOP_MAPRED_HOME", "JAVA_HOME", "MRJOB_CONF"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HADOOP_HOME", str(folder))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    _command(tmp_path / "bin" / "java", "echo 'openjdk version \"17.0.1\"' >&2")
    for name in ("sh", "sort", "sleep", "env"):
        found = shutil.which(name)
        assert found
        (tmp_path / "bin" / name).symlink_to(found)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    manifest = bundle.Manifest(
        bundle.MANIFEST_VERSION, bundle.pehchan.__version__, bundle.sources_fingerprint(), HERE, "x", {}
    )
    (tmp_path / ".pehchan").mkdir()
    with open(tmp_path / ".pehchan" / "bundle.tar.gz", "wb") as file:
        bundle._write_archive(file, manifest, {})

    def hadoop(answers=None, nodes=NODES):
        cases = "\n".join(
            f'"{line}"*) {answer} ;;' for line, answer in {**ANSWERS, **(answers or {})}.items()
        )
        _command(folder / "bin" / "hadoop", f'case "$*" in\n{cases}\nesac')
        _command(folder / "bin" / "yarn", nodes)

    hadoop()
    return hadoop


def _command(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def examine(capsys, *switches, code=1):
    assert main(["doctor", "-r", "hadoop", *switches]) == code
    return capsys.readouterr().out


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_this_machine_is_well(runner, capsys):
    assert main(["doctor", "-r", runner]) == 0
    assert "All is well." in capsys.readouterr().out


def test_a_healthy_cluster_is_well(surroundings, capsys):
    said = examine(capsys, code=0)
    assert "ok     hadoop           3.4.2" in said
    assert "ok     java             17.0.1" in said
    assert "ok     yarn             2 nodes" in said
    assert "--     nodes            not looked at: give --deep" in said


def test_no_java(surroundings, capsys, tmp_path):
    (tmp_path / "bin" / "java").unlink()
    surroundings({"version": "echo 'JAVA_HOME is not set and could not be found.' >&2; exit 1"})
    said = examine(capsys)
    assert "wrong  java             no java on PATH and no JAVA_HOME" in said
    assert "--     name node        not looked at: needs hadoop" in said


def test_a_java_that_only_hadoop_knows_is_enough(surroundings, capsys, tmp_path):
    (tmp_path / "bin" / "java").unlink()
    assert "ok     java             that of the hadoop command" in examine(capsys, code=0)


def test_java_home_without_java(surroundings, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", f"{tmp_path}/none")
    assert f"JAVA_HOME={tmp_path}/none holds no bin/java" in examine(capsys)


def test_no_hadoop_command(surroundings, capsys, monkeypatch):
    monkeypatch.delenv("HADOOP_HOME")
    said = examine(capsys)
    assert "wrong  hadoop           no hadoop command" in said
    assert "Put Hadoop's bin folder on PATH, or set HADOOP_HOME" in said
    assert "ok     bundle" in said


def test_no_streaming_jar(surroundings, capsys, tmp_path):
    (tmp_path / "hadoop" / "hadoop-streaming-3.4.2.jar").unlink()
    said = examine(capsys)
    assert "wrong  streaming jar    no hadoop-streaming jar found" in said
    assert "Set hadoop_streaming_jar" in said


def test_a_name_node_that_refuses(surroundings, capsys):
    refused = "ls: Call From vm to vm:9000 failed on connection exception: Connection refused"
    surroundings({"fs -ls hdfs:///": f"echo '{refused}' >&2; exit 1"})
    said = examine(capsys)
    assert f"wrong  name node        `hadoop fs -ls hdfs:///` failed: {refused}" in said
    assert "fs.defaultFS" in said
    assert "--     folder for jobs  not looked at: needs name node" in said


def test_a_name_node_that_never_answers_is_not_waited_for(surroundings, capsys, monkeypatch):
    monkeypatch.setattr(doctor, "COMMAND_SECONDS", 1.0)
    # Not by exec: what the command starts must end with it.
    surroundings({"fs -ls hdfs:///": "sleep 60; exit 0"})
    began = time.monotonic()
    assert "`hadoop fs -ls hdfs:///` gave no answer in 1 s" in examine(capsys)
    assert time.monotonic() - began < 20


def test_a_home_folder_that_may_not_be_made(surroundings, capsys):
    denied = 'mkdir: Permission denied: user=me, access=WRITE, inode="/user"'
    surroundings({"fs -mkdir": f"echo '{denied}' >&2; exit 1"})
    said = examine(capsys)
    assert denied in said
    assert "Have your home folder made" in said


@pytest.mark.parametrize("nodes", ["echo 'Total Nodes:0'", "echo 'Connection refused' >&2; exit 1"])
def test_yarn_without_nodes(surroundings, capsys, nodes):
    surroundings(nodes=nodes)
    assert "wrong  yarn " in examine(capsys)


def test_no_bundle(surroundings, capsys, tmp_path):
    (tmp_path / ".pehchan" / "bundle.tar.gz").unlink()
    said = examine(capsys, "--deep")
    assert "bundle.tar.gz is not there\n                        Make it: pehchan bundle\n" in said
    assert "--     nodes            not looked at: needs bundle" in said


def test_half_a_bundle(surroundings, capsys, tmp_path):
    path = tmp_path / ".pehchan" / "bundle.tar.gz"
    path.write_bytes(path.read_bytes()[:20])
    assert "bundle.tar.gz is no bundle" in examine(capsys)


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ("3.10.2", "does not import the jobs: ImportError: no numpy"),
        ("3.10.2", "pehchan bundle --python-version 3.10 --platform manylinux_2_31_aarch64"),
        ("3.6.9", "Python 3.6.9 (/usr/bin/python3), and pehchan needs "),
    ],
)
def test_a_python_on_the_nodes_that_the_bundle_is_not_for(surroundings, capsys, python, said):
    report = {
        **{"node": "node7", "python": python, "executable": "/usr/bin/python3", "machine": "aarch64"},
        **{"glibc": "2.31", "error": "ImportError: no numpy"},
    }
    surroundings({"fs -cat": f"echo '{json.dumps(report)}'"})
    assert said in examine(capsys, "--deep")


def test_a_job_that_fails_on_the_nodes(surroundings, capsys):
    surroundings({"jar": "echo 'Streaming Command Failed!' >&2; exit 1"})
    said = examine(capsys, "--deep")
    assert "no task ran `python3` to its end" in said
    assert "Have a python3 on every node" in said


def test_a_runner_that_is_none(capsys):
    assert main(["doctor", "-r", "hadop"]) == 2
    assert 'Did you mean "hadoop"?' in capsys.readouterr().err


def test_the_node_report_names_this_python_and_no_error(capsys):
    from pehchan.console.node_report import report

    found = json.loads(report())
    assert found["python"].startswith(HERE)
    assert found["error"] == ""
    assert os.path.exists(found["executable"])
