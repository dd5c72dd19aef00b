"""Hadoop is reached with the command that the configuration names, by the runs as by mrjob's runner."""

import pytest

from pehchan.console import yarn
from pehchan.console.command import main
from pehchan.console.places import hadoop_command, place, use_hadoop_command


@pytest.fixture
def hadoop(tmp_path, monkeypatch):
    """A hadoop and a yarn command, not on PATH, that note what they are asked, and a configuration with them."""
    for name in ("hadoop", "yarn"):
        command = tmp_path / "my hadoop" / name
        command.parent.mkdir(exist_ok=True)
        refusal = "ls: No such file or directory"
        command.write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/asked\necho "{refusal}" >&2\nexit 1\n')
        command.chmod(0o755)
    conf = tmp_path / "mrjob.conf"
    # With an argument and a blank, as mrjob takes it.
    conf.write_text(
        "runners:\n  hadoop:\n    bootstrap_mrjob: false\n"
        f"    hadoop_bin: \"'{tmp_path}/my hadoop/hadoop' --loglevel ERROR\"\n"
    )
    for name in ("HADOOP_HOME", "HADOOP_PREFIX", "HADOOP_INSTALL", "HADOOP_MAPRED_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    yield conf
    use_hadoop_command(None)


def test_inputs_are_looked_for_with_the_configured_hadoop(hadoop, tmp_path, capsys):
    assert main(["dedupe", "hdfs:///a.csv", "-r", "hadoop", "--conf-path", str(hadoop)]) == 2
    assert "hdfs:///a.csv: there is no such file." in capsys.readouterr().err
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked
    assert all(line.startswith("hadoop --loglevel ERROR ") for line in asked)


def test_the_yarn_beside_it_ends_applications(hadoop, tmp_path, capsys):
    assert main(["cluster", "hdfs:///p", "--cutoff", "9", "-r", "hadoop", "--conf-path", str(hadoop)]) == 2
    (tmp_path / "asked").unlink()
    yarn.end_application("application_1_2")
    assert (tmp_path / "asked").read_text() == "yarn application -kill application_1_2\n"
    assert "application_1_2 may still run: yarn application -kill application_1_2" in capsys.readouterr().err


def test_a_run_without_it_forgets_it(hadoop):
    place("hdfs:///a")
    use_hadoop_command(["/somewhere/hadoop"])
    assert main(["dedupe", "none.csv"]) == 2
    assert hadoop_command() != ["/somewhere/hadoop"]
