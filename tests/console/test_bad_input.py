"""What goes wrong is told: where, what, and what would be right; nothing half-written stays."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pehchan.console import pipeline
from pehchan.mrjobs.select_output import SelectOutput

SCHEMA = """\
id: id
columns: [id, name, phone]
fields:
  name: edit
  phone: {measure: levenshtein, threshold: 0.5}
cutoff: 200
"""
LINES = "1,Ann Lee,210 4811932\n2,Ann Leee,210 4811932\n3,Bob Ray,512 7778181\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(SCHEMA)
    return tmp_path


def unfinished():
    """What a run that failed must not leave: an output, or part of one."""
    return [
        path.name for path in Path().iterdir() if path.name.startswith((".", "out")) and "out" in path.name
    ]


@pytest.fixture
def refused(called):
    """Run the command, which is to end with exit code 2 and this on stderr."""

    def run(message, *arguments):
        code, out, err = called(*arguments)
        assert (code, out) == (2, "")
        assert message in err
        assert err.rstrip().endswith("nothing was run.")
        assert not unfinished()
        return err

    return run


def write(name, content):
    Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return name


def rows(folder):
    """The lines of an output folder for users."""
    return sorted(line for part in Path(folder).glob("*") for line in part.read_text("utf-8").splitlines())


# inputs


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty.csv", "empty.csv: no header: the file is empty\n  Its first line names the columns."),
        ("empty.jsonl", "empty.jsonl: no header: the file is empty\n  Give one JSON object a line."),
        ("empty.txt", "empty.txt: the file is empty.\n  Give a file with a record a line."),
    ],
)
def test_an_empty_file_is_refused(refused, name, message):
    write(name, "")
    refused(message, "dedupe", name, "-s", "s.yaml", "-o", "out")


def test_an_empty_part_among_others_is_no_mistake(called):
    write("part-0", "")
    write("part-1", LINES)
    assert called("dedupe", "part-0", "part-1", "-s", "s.yaml", "-o", "out")[0] == 0
    assert rows("out/pairs") == ["1,2,35"]


def test_a_file_that_is_not_there_is_named(refused):
    refused("gone.csv: there is no such file.", "dedupe", "gone.csv", "-o", "out")


def test_a_folder_without_files_is_refused(refused):
    Path("empty").mkdir()
    write("empty/.hidden", "x")
    refused(
        "empty: a folder without files.\n  Name a file, or a folder that holds some.",
        *("dedupe", "empty", "-s", "s.yaml", "-o", "out"),
    )


def test_lines_without_a_schema_are_refused(refused):
    write("a.txt", LINES)
    refused(
        "a.txt: lines without a header need a schema.\n  Give -s SCHEMA or -p PROPERTIES",
        *("dedupe", "a.txt", "-o", "out"),
    )


def test_files_with_and_without_a_header_do_not_mix(refused):
    write("a.txt", LINES)
    write("a.csv", "id,name,phone\n" + LINES)
    refused(
        "files with and without a header do not mix.", "dedupe", "a.txt", "a.csv", "-s", "s.yaml", "-o", "out"
    )


def test_a_header_that_lacks_a_column_of_the_schema_is_refused(refused):
    write("a.csv", "id,name,fone\n" + LINES)
    err = refused('there is no column "phone".', "dedupe", "a.csv", "-s", "s.yaml", "-o", "out")
    assert 'Did you mean "fone"?' in err


def test_a_second_file_that_lacks_a_column_of_the_schema_is_refused(called):
    write("a.csv", "id,name,phone\n" + LINES)
    write("b.csv", "id,name\n4,Dan\n")
    code, _, err = called("dedupe", "a.csv", "b.csv", "-s", "s.yaml", "-o", "out")
    assert code == 2
    assert 'b.csv: no column "phone", which the schema needs.\n  It has: id, name.' in err
    assert not unfinished()


def test_files_may_bring_columns_that_the_schema_does_not_need(called):
    write("a.csv", "id,name,phone,shop\n1,Ann Smith,123,x\n")
    write("b.csv", "phone,colour,id,name\n123,red,2,Ann Smith\n")
    for order in (["a.csv", "b.csv"], ["b.csv", "a.csv"]):
        code, out, _ = called("dedupe", *order, "-s", "s.yaml", "-o", "out", "--overwrite")
        assert code == 0
        assert "1 clusters" in out


def test_a_damaged_archive_is_refused(refused):
    write("a.csv.gz", b"\x1f\x8b\x08\x00broken")
    refused("a.csv.gz: cannot be read past line 0", "dedupe", "a.csv.gz", "-o", "out")


# lines: set aside, and the rest goes on

MANY = "".join(f"{n},N{n * 7919},{n * 104729}\n" for n in range(1000, 1300))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"short", "expected at least 3 columns, found 1"),
        (b"9,J\xfcrgen,1", "not UTF-8 at byte 3 (0xfc)"),
        (b"9,A\0nn,1", "a NUL byte in the line"),
    ],
)
def test_a_bad_line_is_set_aside_and_the_rest_goes_on(called, line, reason):
    write("a.txt", (LINES + MANY).encode() + line + b"\n")
    code, out, _ = called("dedupe", "a.txt", "-s", "s.yaml", "-o", "out")
    assert code == 0
    assert "303 records read, 1 lines set aside (out/rejected)" in out
    (rejected,) = rows("out/rejected")
    assert reason in rejected
    assert "1,2,35" in rows("out/pairs")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"short", "expected 3 columns, found 1"),
        (b"9,J\xfcrgen,1", "byte 0xfc is not utf-8"),
        (b"9,A\0nn,1", "a NUL byte"),
        (b'9,"Ann" x,1', "a quote is neither doubled nor at the end of its value"),
    ],
)
def test_a_bad_row_of_a_csv_file_is_set_aside_and_the_rest_goes_on(called, line, reason):
    write("a.csv", b"id,name,phone\n" + (LINES + MANY).encode() + line + b"\n")
    code, out, _ = called("dedupe", "a.csv", "-s", "s.yaml", "-o", "out")
    assert code == 0
    assert "303 records read, 1 lines set aside" in out
    (rejected,) = rows("out/rejected")
    assert reason in rejected
    assert '"line_number": 305' in rejected


@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
def test_a_file_in_another_encoding_is_read_once_that_is_named(called, name):
    header = "id,name,phone\n" if name == "a.csv" else ""
    write(name, (header + "1,Jürgen,5\n2,Jürgen,5\n").encode("latin-1"))
    code, _, err = called("dedupe", name, "-s", "s.yaml", "-o", "out")
    assert code == 1
    assert "2 of 2 lines were set aside (100.0%)" in err
    assert "input.encoding" in Path("out.rejected.jsonl").read_text()
    assert called("dedupe", name, "-s", "s.yaml", "-o", "done", "-D", "input.encoding=latin-1")[0] == 0
    assert rows("done/pairs") == ["1,2,0"]


@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
def test_what_is_odd_but_not_wrong_is_read(called, name):
    header = "id,name,phone\r\n" if name == "a.csv" else ""
    write(name, header + "1,Ann Lee,5\r\n\r\n2,Ann Lee,\r\n   \r\n2,Ann Lee,5")
    code, out, _ = called("dedupe", name, "-s", "s.yaml", "-o", "out")
    assert code == 0
    assert "3 records read" in out
    assert "1 records had the id of another" in out
    assert "set aside" not in out
    # An empty phone is as far from every phone as can be.
    assert rows("out/pairs") == ["1,2~2,0"]


def test_a_very_long_line_is_a_record_like_any_other(called):
    write("a.txt", LINES + "4," + "x" * 5_000_000 + ",9\n")
    schema = write(
        "exact.yaml", "id: id\ncolumns: [id, name, phone]\nfields: {name: exact, phone: exact}\ncutoff: 500\n"
    )
    code, out, _ = called("dedupe", "a.txt", "-s", schema, "-o", "out")
    assert code == 0
    assert "4 records read" in out
    assert rows("out/pairs") == ["1,2,500"]


def test_too_many_lines_set_aside_fail_the_run_but_are_kept(called):
    write("a.txt", LINES + "short\n")
    code, _, err = called("dedupe", "a.txt", "-s", "s.yaml", "-o", "out")
    assert code == 1
    assert "1 of 4 lines were set aside (25.0%), and rejected.max.share allows 1.0%." in err
    kept = Path("out.rejected.jsonl").absolute()
    assert f"They stand with their reasons in {kept}" in err
    assert '"line": "short"' in kept.read_text()
    kept.unlink()
    assert not unfinished()
    assert called("dedupe", "a.txt", "-s", "s.yaml", "-o", "out", "-D", "rejected.max.share=0.25")[0] == 0


# schema and properties


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (SCHEMA + "colour: red\n", 'unknown key "colour".'),
        (SCHEMA.replace("name: edit", "name: edti"), "edti"),
        (SCHEMA.replace("0.5", "high"), "threshold: 'high' cannot be used."),
        (SCHEMA.replace("cutoff: 200", "cutoff: 2000"), "cutoff: 2000 is above sts.distance.scale=1000."),
        (SCHEMA.replace("cutoff: 200", "cutoff: '200'"), "cutoff: '200' cannot be used."),
        ("fields: [", "it is not YAML"),
    ],
)
def test_a_mistake_in_the_schema_is_told_before_anything_runs(refused, schema, message):
    write("a.txt", LINES)
    write("bad.yaml", schema)
    assert "bad.yaml" in refused(message, "dedupe", "a.txt", "-s", "bad.yaml", "-o", "out")


def test_a_schema_that_is_not_there_is_named(refused):
    write("a.txt", LINES)
    refused("gone.yaml: the file cannot be read", "dedupe", "a.txt", "-s", "gone.yaml", "-o", "out")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sts.dist.treshold=10", "unknown key sts.dist.treshold."),
        ("sts.dist.threshold=ten", "sts.dist.threshold=ten is not a whole number of 0 or more."),
        ("sts.dist.threshold=1500", "sts.dist.threshold=1500 is above sts.distance.scale=1000."),
        ("sts.inter.set.matching=yes", "sts.inter.set.matching=yes is not true or false."),
    ],
)
def test_a_mistake_in_the_properties_is_told_with_its_line(refused, line, message):
    write("a.txt", LINES)
    write("job.properties", f"# comment\n{line}\n")
    err = refused(message, "dedupe", "a.txt", "-s", "s.yaml", "-p", "job.properties", "-o", "out")
    assert "job.properties line 2: " in err


def test_all_mistakes_are_told_at_once(refused):
    write("job.properties", "sts.dist.treshold=10\nsts.bucket.count=0\n")
    Path("taken").mkdir()
    write("taken/file", "x")
    arguments = ("-s", "s.yaml", "-p", "job.properties", "-r", "spork", "-o", "taken")
    err = refused("5 mistakes; nothing was run.", "dedupe", "gone.txt", *arguments)
    for part in ("sts.dist.treshold", "sts.bucket.count", "gone.txt", "-r spork", "taken"):
        assert part in err


@pytest.mark.parametrize("cutoff", ["-1", "1001"])
def test_a_cutoff_out_of_range_is_refused(refused, cutoff):
    write("a.txt", LINES)
    refused(
        f"--cutoff: {cutoff} is not from 0 to 1000.",
        *("dedupe", "a.txt", "-s", "s.yaml", f"--cutoff={cutoff}", "-o", "out"),
    )


def test_a_cutoff_above_the_threshold_of_the_pairs_is_refused(refused):
    write("a.txt", LINES)
    refused(
        "--cutoff: 50 is above sts.dist.threshold=40, up to which pairs are kept.",
        *("dedupe", "a.txt", "-s", "s.yaml", "-D", "sts.dist.threshold=40", "--cutoff", "50", "-o", "out"),
    )


def test_dedupe_without_any_cutoff_is_refused(refused):
    write("a.txt", LINES)
    write("open.yaml", SCHEMA.replace("cutoff: 200\n", ""))
    refused(
        "no cutoff is given, and without one every pair would make a duplicate.\n  Give --cutoff N",
        *("dedupe", "a.txt", "-s", "open.yaml", "-o", "out"),
    )


# configurations of runners


@pytest.fixture
def home(folder, monkeypatch):
    """The home folder, in which mrjob looks for a configuration, is the one that tests run in."""
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("MRJOB_CONF", raising=False)


COMMANDS = [
    ("dedupe", "a.txt", "-s", "s.yaml", "-o", "out"),
    ("cluster", "pairs.txt", "--cutoff", "100", "-o", "out"),
    ("doctor",),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.conf", "gone.conf: the file cannot be read: No such file or directory.\n  Give YAML such as"),
        ("folder", "folder: the file cannot be read: Is a directory."),
        ("loop", "loop: the file cannot be read: Too many levels of symbolic links."),
        ("no.conf", "no.conf line 2 column 1: it is not YAML: "),
    ],
)
def test_a_configuration_that_cannot_be_read_is_refused(refused, command, name, message):
    write("a.txt", LINES)
    write("pairs.txt", "1,2,5\n")
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")
    write("no.conf", "runners: [\n")
    refused(f"--conf-path {message}", *command, "--conf-path", name)


@pytest.mark.parametrize(
    ("conf", "message"),
    [
        (b"runners: \xff", "my.conf: it cannot be read: "),
        ("- runners", "my.conf: it says nothing of runners.\n  Give YAML such as"),
        ("id: id", "my.conf: it says nothing of runners."),
        ("runners: [inline]", "my.conf: what it says of inline in runners is no mapping."),
        ("runners: {inline: [num_cores]}", "my.conf: what it says of inline in runners is no mapping."),
        ("include: 5", "my.conf: include names no files."),
        ("include: [a: b]", "my.conf: include names no files."),
        ("include: gone", "gone (included by --conf-path my.conf): the file cannot be read: No such file"),
        ("include: [s.yaml]", "s.yaml (included by --conf-path my.conf): it says nothing of runners."),
    ],
)
def test_a_configuration_that_mrjob_cannot_use_is_refused(refused, conf, message):
    write("a.txt", LINES)
    write("my.conf", conf)
    refused(message, *COMMANDS[0], "--conf-path", "my.conf")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("name", [".mrjob.conf", "conf/mrjob/inline.conf"])
def test_a_configuration_that_is_found_and_not_given_is_named_as_well(home, refused, command, name):
    write("a.txt", LINES)
    write("pairs.txt", "1,2,5\n")
    Path("conf/mrjob").mkdir(parents=True)
    write(name, "runners:\n  inline: {\n")
    refused(f"{name} line 3 column 1: it is not YAML: ", *command)


@pytest.mark.parametrize(
    "conf", ["", "# runners:\n", "runners:\n", "runners: {inline: , spark: 5}", "include: my.conf"]
)
def test_a_configuration_that_says_nothing_of_the_runner_is_no_mistake(called, conf):
    write("a.txt", LINES)
    write("my.conf", conf)
    assert called(*COMMANDS[0], "--conf-path", "my.conf")[0] == 0
    assert rows("out/pairs") == ["1,2,35"]


def test_a_configuration_in_the_home_folder_is_found_by_its_short_name(home, called):
    write("a.txt", LINES)
    write("my.conf", "runners: {inline: {}}")
    assert called(*COMMANDS[0], "--conf-path", "~/my.conf")[0] == 0
    assert called("doctor", "--conf-path", "~/my.conf")[0] == 0


def test_hadoop_is_not_asked_before_its_configuration_can_be_read(refused, monkeypatch):
    monkeypatch.setenv("PATH", "")
    refused("--conf-path gone.conf", "dedupe", "hdfs:///in", "-r", "hadoop", "--conf-path", "gone.conf")


# outputs


def test_an_output_that_exists_is_refused_and_replaced_only_when_asked(called):
    write("a.txt", LINES)
    assert called("dedupe", "a.txt", "-s", "s.yaml", "-o", "done")[0] == 0
    code, _, err = called("dedupe", "a.txt", "-s", "s.yaml", "-o", "done", "--cutoff", "0")
    assert code == 2
    assert "done: the output exists.\n  Give --overwrite to replace it, or another -o." in err
    assert rows("done/pairs") == ["1,2,35"]
    assert called("dedupe", "a.txt", "-s", "s.yaml", "-o", "done", "--cutoff", "0", "--overwrite")[0] == 0
    assert rows("done/pairs") == []
    assert sorted(path.name for path in Path().iterdir()) == ["a.txt", "done", "s.yaml"]


def test_a_folder_of_something_else_is_never_replaced(called):
    write("a.txt", LINES)
    Path("photos").mkdir()
    write("photos/cat", "x")
    for more in ((), ("--overwrite",)):
        code, _, err = called("dedupe", "a.txt", "-s", "s.yaml", "-o", "photos", *more)
        assert code == 2
        assert "photos: the output exists, and is not one of pehchan.\n  Give another -o." in err
    assert os.listdir("photos") == ["cat"]
    assert called("dedupe", "a.txt", "-s", "s.yaml", "-o", "a.txt", "--overwrite")[0] == 2
    assert Path("a.txt").read_text() == LINES


def test_an_output_is_never_replaced_by_a_run_that_reads_it(called):
    write("a.txt", LINES)
    assert called("similarity", "a.txt", "-s", "s.yaml", "-o", "done")[0] == 0
    code, _, err = called("cluster", "done", "--cutoff", "100", "-o", "done", "--overwrite")
    assert code == 2
    assert "done: the output is also an input.\n  Give another -o." in err
    assert rows("done/pairs") == ["1,2,35"]


def test_a_run_that_fails_leaves_the_output_that_it_was_to_replace(called):
    write("a.txt", LINES)
    assert called("dedupe", "a.txt", "-s", "s.yaml", "-o", "done")[0] == 0
    write("a.txt", LINES + "short\n")
    assert called("dedupe", "a.txt", "-s", "s.yaml", "-o", "done", "--overwrite")[0] == 1
    assert rows("done/pairs") == ["1,2,35"]
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


def test_an_empty_folder_may_be_the_output(called):
    write("a.txt", LINES)
    Path("out").mkdir()
    assert called("dedupe", "a.txt", "-s", "s.yaml", "-o", "out")[0] == 0
    assert rows("out/pairs") == ["1,2,35"]


@pytest.mark.parametrize("where", ["a job", "the end"])
def test_a_full_disk_ends_the_run_without_an_output(called, monkeypatch, where):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write("a.txt", LINES)
    if where == "a job":
        monkeypatch.setattr(SelectOutput, "select", full)
    else:
        monkeypatch.setattr(pipeline, "write_run", full)
    code, _, err = called("dedupe", "a.txt", "-s", "s.yaml", "-o", "out")
    assert code == 3
    assert err.rstrip().endswith("No space left on device. Nothing half-written was left.")
    assert not unfinished()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_full_disk_behind_standard_output_is_told():
    write("a.txt", LINES)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pehchan.console.command", "similarity", "a.txt", "-q", "-s", "s.yaml"],
            # Buffered, as it is without a terminal, so that the disk is found full at the end.
            env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 3
    assert done.stderr == "No space left on device. Nothing half-written was left.\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told(called):
    write("a.txt", LINES)
    Path("locked").mkdir(mode=0o500)
    code, _, err = called("dedupe", "a.txt", "-s", "s.yaml", "-o", "locked/out")
    assert code == 3
    assert "Permission denied" in err


# interrupted


def processes_of(session):
    """The commands of the living processes of a session."""
    if not Path("/proc/self/stat").exists():
        found = subprocess.run(
            ["ps", "-e", "-o", "sess=,stat=,args="], capture_output=True, text=True, check=True
        )
        lines = [line.split(None, 2) for line in found.stdout.splitlines()]
        return [line[2] for line in lines if line[0] == str(session) and not line[1].startswith("Z")]
    commands = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name) state parent group session ...; the name may hold anything
            state, _, _, number = stat.read_text().rpartition(")")[2].split()[:4]
            if number == str(session) and state != "Z":
                commands.append((stat.parent / "cmdline").read_text())
        except OSError:
            continue
    return commands


@pytest.mark.parametrize(
    ("runner", "number", "begun"),
    [
        ("inline", signal.SIGINT, "record_similarity*/step/000/reducer"),
        ("inline", signal.SIGTERM, "settle_records*/step"),
        ("local", signal.SIGINT, "record_similarity*/step/000/reducer"),
        ("local", signal.SIGTERM, "settle_records*/step"),
    ],
)
def test_an_interrupted_run_leaves_no_output_no_temporary_files_and_no_processes(
    tmp_path, runner, number, begun
):
    shuffle = random.Random(1)
    text = "".join(
        f"{n},{''.join(shuffle.choices('abcdefgh', k=40))} x,{shuffle.randrange(10**12)}\n"
        for n in range(16_000)
    )
    write("a.txt", text)
    write("slow.yaml", SCHEMA.replace("name: edit", "name: {measure: edit, tokens: false}"))
    Path("tmp").mkdir()
    running = subprocess.Popen(
        [
            *(sys.executable, "-m", "pehchan.console.command", "dedupe", "a.txt", "-s", "slow.yaml"),
            *("-o", "out", "-r", runner),
        ],
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not list(Path("tmp").glob(begun)) and time.monotonic() < deadline:
        time.sleep(0.02)
    if runner == "local":
        # Until tasks run in processes of their own.
        time.sleep(1.5)
    assert running.poll() is None
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert out == ""
    assert "Interrupted; nothing half-written was left." in err
    assert "Traceback" not in err
    # By themselves the tasks would go on for longer.
    deadline = time.monotonic() + 5
    while processes_of(running.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not processes_of(running.pid)
    assert not unfinished()
    assert not list(Path("tmp").iterdir())
