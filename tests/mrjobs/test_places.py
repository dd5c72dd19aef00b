"""Hadoop is reached with the command that the configuration names, by the runs as by mrjob's runner."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pehchan.console import yarn
from pehchan.console.command import main
from pehchan.mrjobs.places import LocalPlace, hadoop_command, place, use_hadoop_command


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


def answering(tmp_path, names, cat):
    """A hadoop that lists files in /out, and does something to show them."""
    listed = "\n".join(f"-rw-r--r-- 1 me us 9 2026-01-01 00:00 /out/{name}" for name in names)
    command = tmp_path / "my hadoop" / "hadoop"
    command.write_text(
        '#!/bin/sh\ncase "$*" in\nversion) echo Hadoop 3.4.2 ;;\n'
        f"*-ls*) cat <<END\n{listed}\nEND\n;;\n*) {cat} ;;\nesac\n"
    )
    use_hadoop_command([str(command)])


def test_the_lines_of_a_folder_come_with_one_command(hadoop, tmp_path):
    answering(tmp_path, ["part-0", "part-1"], 'echo "$@"; echo two')
    asked = b"fs -cat hdfs://name/out/part-0 hdfs://name/out/part-1\n"
    assert list(place("hdfs://name/out").lines()) == [asked, b"two\n"]


def test_lines_that_cannot_be_read_are_an_error_with_its_reason(hadoop, tmp_path):
    answering(tmp_path, ["part-0"], 'echo one; echo "no block" >&2; exit 1')
    with pytest.raises(OSError, match="hdfs://name/out cannot be read: no block"):
        list(place("hdfs://name/out").lines())


@given(
    st.lists(st.lists(st.binary(max_size=9).filter(lambda line: b"\n" not in line), max_size=30), max_size=4),
    st.integers(1, 40),
)
def test_some_lines_of_a_folder_here_are_spread_over_it_and_none_comes_twice(files, number):
    with tempfile.TemporaryDirectory() as folder:
        numbered = [
            [b"%d.%d:%s\n" % (k, place, line) for place, line in enumerate(lines)]
            for k, lines in enumerate(files)
        ]
        for k, lines in enumerate(numbered):
            (Path(folder) / f"part-{k}").write_bytes(b"".join(lines))
        everything = [line for lines in numbered for line in lines]
        found = list(LocalPlace(folder).some_lines(number))
    assert found == [line for line in everything if line in set(found)]
    assert len(set(found)) == len(found)
    if number >= sum(map(len, everything)):
        assert found == everything
    if everything and number > 1:
        longest = max(map(len, everything))
        # A step may end in a line, or behind the last one of a file, and so lead to none.
        step = sum(map(len, everything)) // number + longest
        gaps = [sum(map(len, part)) for part in _between(everything, set(found))]
        assert max(gaps) <= 2 * (step + longest)


def _between(lines, found):
    """The lines that follow each other and are not among those found."""
    part = []
    for line in lines:
        if line in found:
            yield part
            part = []
        else:
            part.append(line)
    yield part
