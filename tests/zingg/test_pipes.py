"""Files that are not as their pipe says, and places that must not be written: what is said, and nothing is lost."""

import io
import json
import os
import sys
from dataclasses import replace

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pehchan.console.output import RunError
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.mrjobs.places import use_hadoop_command
from pehchan.zingg.configuration import Column, Pipe
from pehchan.zingg.reading import check_pipe_in, read_pipe
from pehchan.zingg.writing import check_pipe_out, write_pipe

COLUMNS = (Column("id", "integer"), Column("name"), Column("born", "date"))
TABLE = pa.table({"z_cluster": pa.array([0, 0, 1], pa.int64()), "name": ["Ann", "Anne", "Bob"]})


def read(tmp_path, format, content, columns=COLUMNS, **props):
    """Read a file of this content: its rows, and what was set aside."""
    file = tmp_path / f"in.{format}"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    aside = io.BytesIO()
    counts = read_pipe(
        Pipe("in", format, {"path": str(file), **props}, columns, where="data[0]"), tmp_path / "spool", aside
    )
    rows = pq.read_table(tmp_path / "spool").to_pylist()
    rejected = [json.loads(line) for line in aside.getvalue().splitlines()]
    assert (counts.records, counts.rejected) == (len(rows), len(rejected))
    assert all(row["file"] == str(file) for row in rejected)
    return [tuple(row.values()) for row in rows], [
        (r["line_number"], r["reason"], r["line"]) for r in rejected
    ]


def read_mistakes(pipe):
    mistakes = Mistakes()
    check_pipe_in(pipe, mistakes)
    return "\n".join(map(str, mistakes.found))


def out_mistakes(pipe, model_id="1", **arguments):
    mistakes = Mistakes()
    check_pipe_out(pipe, model_id, mistakes, **arguments)
    return "\n".join(map(str, mistakes.found))


def write(pipe, table=TABLE, model_id="1"):
    return write_pipe(pipe, table.to_batches(), table.schema, model_id)


def test_rows_that_do_not_fit_are_set_aside_with_line_and_reason(tmp_path):
    content = '1,Ann,2024-02-29\n2,Bob\n3,"C,\nD",2024-02-30\n\n4,E,,\nx5,F,\n6,"G\n'
    rows, aside = read(tmp_path, "csv", content)
    assert [row[:2] for row in rows] == [(1, "Ann")]
    assert aside == [
        (2, "expected 3 columns, found 2", "2,Bob"),
        (3, 'column "born": "2024-02-30" is no day of the calendar', '3,"C,\nD",2024-02-30'),
        (6, "expected 3 columns, found 4", "4,E,,"),
        (7, 'column "id": "x5" is no integer', "x5,F,"),
        (8, "the quote opened on line 8 is never closed; the rest of the file is in it", '6,"G'),
    ]


@pytest.mark.parametrize(
    ("data_type", "good", "bad"),
    [
        ("integer", ["1", " -2 ", "+3", "2147483647"], ["1.0", "2147483648", "1_0", "0x1", "१", "9" * 5000]),
        ("long", ["9223372036854775807"], ["9223372036854775808", "1e3"]),
        ("byte", ["-128"], ["128"]),
        ("double", ["1", "1.5", ".5", "1e5", "NaN", "-Infinity"], ["1,5", "1_0", "one", "0x1p3"]),
        ("boolean", ["true", "FALSE"], ["1", "yes", "t"]),
        ("date", ["2024-02-29"], ["20240229", "2024-W01-1", "29.02.2024", "2023-02-29", "2024-02-29T00:00"]),
        (
            "timestamp",
            ["2024-02-29 08:30", "2024-02-29T08:30:00.5Z", "2024-02-29"],
            ["08:30", "2024-02-29T25:00:00"],
        ),
        ("decimal(4,2)", ["12.34", "-1", "1e1"], ["123.4", "1.234", "NaN", "x"]),
    ],
)
def test_what_is_a_value_of_a_data_type(tmp_path, data_type, good, bad):
    columns = (Column("n"), Column("v", data_type))
    rows, aside = read(
        tmp_path, "csv", "".join(f"x;{value}\n" for value in [*good, *bad, ""]), columns, sep=";"
    )
    assert len(rows) == len(good) + 1
    assert rows[-1] == ("x", None)
    assert [number for number, _, _ in aside] == [len(good) + at for at in range(1, len(bad) + 1)]


def test_bytes_that_are_no_text_and_values_in_another_encoding(tmp_path):
    columns = (Column("a"), Column("b"))
    rows, aside = read(tmp_path, "csv", b"1,Ren\xe9\n2,b\n", columns)
    assert rows == [("2", "b")]
    assert aside[0][1].startswith("byte 0xe9 is not utf-8")
    assert read(tmp_path, "csv", b"1,Ren\xe9\n", columns, encoding="latin-1") == ([("1", "René")], [])
    assert read(tmp_path, "csv", b"1|NA\n", columns, delimiter="|", nullValue="NA")[0] == [("1", None)]


def test_a_header_is_skipped_under_a_schema_but_not_in_another_order(tmp_path):
    assert read(tmp_path, "csv", "no,who,day\n1,Ann,\n", header="true")[0] == [(1, "Ann", None)]
    with pytest.raises(MistakesError, match="in another order, and a schema goes by position"):
        read(tmp_path, "csv", "name,id,born\nAnn,1,\n", header="true")
    with pytest.raises(MistakesError, match='more than one column is named "a", "A"'):
        read(tmp_path, "csv", "a,A\n1,2\n", None, header="true")
    with pytest.raises(MistakesError, match="no name for column 2"):
        read(tmp_path, "csv", "a,,c\n1,2,3\n", None, header="true")


def test_part_files_with_other_headers_are_refused(tmp_path):
    for name, content in {"part-0": "a,b\n1,2\n", "part-1": "b,a\n1,2\n"}.items():
        (tmp_path / name).write_text(content)
    pipe = Pipe("in", "csv", {"path": str(tmp_path), "header": "true"})
    with pytest.raises(MistakesError, match="part-1 line 1: its header is not that of the first file: b,a"):
        read_pipe(pipe, tmp_path / "_spool", io.BytesIO())


def test_json_goes_by_name_and_keeps_numbers_as_they_are(tmp_path):
    content = '{"name": "", "id": 1}\n{"id": "2", "name": 1.50, "more": [1]}\n{"id": [3]}\nno\n'
    content += '{"name": {"a": true}}\n'
    rows, aside = read(tmp_path, "json", content)
    assert rows == [(1, "", None), (2, "1.50", None), (None, '{"a":true}', None)]
    assert [(number, reason.partition(" is no")[0]) for number, reason, _ in aside] == [
        (3, 'column "id": "[3]"'),
        (4, "not JSON: Expecting value at character 1"),
    ]
    content = '{"a": 1, "b": true, "c": 1}\n{"a": null, "c": 2.5, "d": "x", "e": 99999999999999999999}\n'
    assert read(tmp_path, "json", content, None)[0] == [
        (1, True, 1.0, None, None),
        (None, None, 2.5, "x", 99999999999999999999.0),
    ]
    with pytest.raises(MistakesError, match="no line is a JSON object with a key"):
        read(tmp_path, "json", "[1]\n", None)


def test_a_parquet_file_that_is_damaged_or_lacks_a_column_is_refused_whole(tmp_path):
    whole = io.BytesIO()
    pq.write_table(pa.table({"id": list(range(50000)), "name": [f"name {n}" for n in range(50000)]}), whole)
    content = whole.getvalue()
    for broken in (
        content[:-50],
        content[: len(content) // 2],
        b"",
        b"id,name\n",
        content[:4] + b"\xff" * 2000 + content[2004:],
    ):
        with pytest.raises(
            MistakesError, match=r"in\.parquet: cannot be read as Parquet: .*\n  The file is damaged"
        ):
            read(tmp_path, "parquet", broken, None)
        assert not list(tmp_path.glob("spool*"))
    with pytest.raises(MistakesError, match=r'no column "nam"\.\n  Did you mean "name"'):
        read(tmp_path, "parquet", content, (Column("nam"),))
    with pytest.raises(MistakesError, match='column "name" is string, and not all of it is int32'):
        read(tmp_path, "parquet", content, (Column("name", "integer"),))
    assert read(tmp_path, "parquet", content, (Column("name"), Column("id")))[0][7] == ("name 7", "7")


def book(rows, title="Data"):
    made = openpyxl.Workbook()
    made.active.title = title
    for row in rows:
        made.active.append(row)
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def test_a_sheet_is_read_by_its_name_and_place_and_its_errors_set_aside(tmp_path):
    content = book(
        [[], ["", "id", "name"], ["", 1, "Ann"], [], ["", 2, "Bob", "more"], ["", "#N/A", "Cid"], ["", 3]]
    )
    address = {"dataAddress": "'Data'!B2"}
    rows, aside = read(tmp_path, "com.crealytics.spark.excel", content, None, **address)
    assert rows == [(1, "Ann"), (3, None)]
    assert [(number, reason) for number, reason, _ in aside] == [
        (5, "expected 2 columns, found 3"),
        (6, "the cell B6 holds the error #N/A"),
    ]
    assert read(tmp_path, "excel", content, None, dataAddress="Data!B2:C3") == ([(1, "Ann")], [])
    numbers = (Column("a", "integer"), Column("b"))
    assert read(tmp_path, "excel", book([[1, 2.5], [2.0, True]]), numbers, header="false")[0] == [
        (1, "2.5"),
        (2, "true"),
    ]
    with pytest.raises(MistakesError, match=r'no sheet is named "Dat"\.\n  Did you mean "Data"'):
        read(tmp_path, "excel", content, None, sheetName="Dat")
    for broken in (content[: len(content) // 2], b"", b"id,name\n"):
        with pytest.raises(MistakesError, match="cannot be read as a workbook"):
            read(tmp_path, "excel", broken, None)


@pytest.mark.parametrize(
    ("pipe", "what"),
    [
        (Pipe("p", "csv", {"path": "nowhere.csv"}), 'pipe "p": nowhere.csv: there is no such file.'),
        (Pipe("p", "csv", {"path": "no*.csv"}), "no*.csv: no file has a name like that."),
        (
            Pipe("p", "csv", {}, where="c.json data[0]"),
            'c.json data[0].props: no path.\n  Add "path" (or "location")',
        ),
        (Pipe("p", "cvs", {"path": "x"}), 'unknown format "cvs".\n  Did you mean "csv"?'),
        (Pipe("p", "avro", {"path": "x"}), "avro is not read or written.\n  With Spark or another tool"),
        (Pipe("p", "net.snowflake.spark.snowflake", {}), "COPY INTO a stage with TYPE = PARQUET"),
        (Pipe("p", "delta", {"path": "x"}), "Formats that work: csv, tsv, json, parquet, excel, text, jdbc."),
        (Pipe("p", "csv", {"path": "abfss://a@b/c"}), "abfss:// is not reached from here"),
        (Pipe("p", "csv", {"path": "s3a://b/c"}), "Write s3://b/c"),
        (Pipe("p", "csv", {"path": "x", "delimiter": "||"}), "the delimiter '||' cannot divide columns."),
        (Pipe("p", "csv", {"path": "x", "header": "yes"}), 'props.header: "yes" is neither true nor false.'),
        (Pipe("p", "csv", {"path": "x", "encoding": "utf-9"}), "no text encoding is named 'utf-9'."),
        (Pipe("p", "csv", {"path": "x", "quote": "''"}), "\"''\" cannot be the quote."),
        (Pipe("p", "json", {"path": "x", "multiLine": "true"}), "Give one object a line"),
        (Pipe("p", "text", {"path": "x"}, COLUMNS), "a line of text is one column of text."),
        (
            Pipe("p", "excel", {"path": "x", "dataAddress": "A1:B2:C3"}),
            '"A1:B2:C3" is no place in a workbook.',
        ),
    ],
)
def test_a_pipe_that_cannot_be_read_is_refused_before_work(pipe, what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert what in read_mistakes(pipe)
    with pytest.raises(MistakesError):
        read_pipe(pipe, tmp_path / "spool", io.BytesIO())


def test_folders_in_folders_are_not_passed_over(tmp_path):
    (tmp_path / "year=2024").mkdir()
    (tmp_path / "a.csv").write_text("1\n")
    assert "a folder with folders in it, such as year=2024" in read_mistakes(
        Pipe("p", "csv", {"path": str(tmp_path)})
    )


def test_props_that_nothing_reads_are_named():
    mistakes = Mistakes()
    check_pipe_in(Pipe("p", "csv", {"path": __file__, "dateFormat": "d.M.y", "Delimiter": ";"}), mistakes)
    assert [str(warning) for warning in mistakes.warnings] == ['pipe "p".props: not used here: dateformat.']


@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
def test_a_second_append_of_a_model_is_refused_and_another_model_adds(tmp_path, format):
    out = tmp_path / "new" / "out"
    pipe = Pipe("out", format, {"path": str(out)}, where="output[0]")
    assert out_mistakes(pipe) == ""
    assert write(pipe) == 3
    assert (
        f"output[0]: {out} holds a result of the model 1, and mode append would add it a second"
        in out_mistakes(pipe)
    )
    with pytest.raises(MistakesError, match="Give mode overwrite"):
        write(pipe)
    assert write(pipe, model_id="1.5/x") == 3
    assert write(pipe, model_id="1.5") == 3
    assert "holds a result of the model 1.5/x" in out_mistakes(pipe, "1.5/x")
    names = sorted(
        path.name.partition(".c")[0].partition(".j")[0].partition(".s")[0] for path in out.iterdir()
    )
    assert names == [
        "_SUCCESS",
        "part-00000-pehchan-1",
        "part-00001-pehchan-1.5%2Fx",
        "part-00002-pehchan-1.5",
    ]
    assert write(replace(pipe, mode="Overwrite"), TABLE.slice(0, 1)) == 1
    assert len(list(out.glob("part-*"))) == 1
    assert write(replace(pipe, mode="ignore")) is None
    assert "exists" in out_mistakes(replace(pipe, mode="errorifexists"))
    assert 'unknown mode "upsert"' in out_mistakes(replace(pipe, mode="upsert"))
    assert os.listdir(out.parent) == ["out"]


def test_a_workbook_is_written_once_or_replaced(tmp_path):
    pipe = Pipe("out", "excel", {"path": str(tmp_path / "out.xlsx")})
    write(pipe)
    assert "nothing is added to a workbook" in out_mistakes(pipe)
    assert write(replace(pipe, mode="overwrite")) == 3
    assert out_mistakes(replace(pipe, props={"path": str(tmp_path)}, mode="overwrite")).endswith(
        "such as out.xlsx."
    )


def test_what_must_not_be_written_is_said_before(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.docx").write_text("years of work")
    file = tmp_path / "a.csv"
    file.write_text("1\n")
    over = Pipe("out", "csv", {"path": str(tmp_path / "mine")}, mode="overwrite")
    assert "holds what no run has written, such as thesis.docx" in out_mistakes(over)
    assert "is a file, and csv goes to a folder" in out_mistakes(replace(over, props={"path": str(file)}))
    assert "is a file, and" in out_mistakes(replace(over, props={"path": str(file / "out")}))
    read = Pipe("in", "csv", {"path": str(file)})
    assert "is also read, as in." in out_mistakes(replace(over, props={"path": str(tmp_path)}), inputs=[read])
    assert "a format that is read only" in out_mistakes(replace(over, format="text"))
    assert "without quotes no delimiter can be in a value" in out_mistakes(
        replace(over, props={"path": "x", "quote": "\\0"})
    )
    lists = pa.table({"a": [[1]]})
    with pytest.raises(MistakesError, match=r"list<.*>, which csv cannot hold"):
        write(Pipe("out", "csv", {"path": str(tmp_path / "lists")}), lists)
    assert write(Pipe("out", "parquet", {"path": str(tmp_path / "lists")}), lists) == 1


@pytest.mark.parametrize("format", ["csv", "json", "parquet", "excel"])
def test_an_output_is_whole_or_as_it_was(tmp_path, format):
    path = tmp_path / "out"
    pipe = Pipe("out", format, {"path": str(path)}, mode="overwrite")

    def state():
        return {str(file): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    def broken():
        yield TABLE.to_batches()[0]
        raise KeyboardInterrupt

    for _ in range(2):
        before = state()
        with pytest.raises(KeyboardInterrupt):
            write_pipe(pipe, broken(), TABLE.schema, "1")
        assert state() == before
        assert len(list(tmp_path.iterdir())) == bool(before)
        write(pipe)


def test_text_that_an_encoding_or_a_cell_cannot_hold_leaves_what_was_there(tmp_path):
    pipe = Pipe("out", "csv", {"path": str(tmp_path / "out"), "encoding": "latin-1"}, mode="overwrite")
    write(pipe)
    with pytest.raises(RunError, match="the encoding latin-1 has no 'Ł': give utf-8"):
        write(pipe, pa.table({"name": ["Łódź"]}))
    assert (tmp_path / "out" / "part-00000-pehchan-1.csv").read_text() == "0,Ann\n0,Anne\n1,Bob\n"
    with pytest.raises(RunError, match="a cell of a workbook holds 32,767 characters"):
        write(Pipe("out", "excel", {"path": str(tmp_path / "o.xlsx")}), pa.table({"name": ["x" * 40000]}))


def test_a_missing_library_is_said_with_what_installs_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(
        MistakesError, match=r"openpyxl: this library is missing.*\n.*pip install 'pehchan\[zingg\]'"
    ):
        read(tmp_path, "excel", b"", None)


def test_a_file_system_that_is_not_reached_is_named(tmp_path):
    use_hadoop_command(["/nowhere/hadoop"])
    try:
        pipe = Pipe("p", "csv", {"path": "hdfs:///x"})
        for check in (read_mistakes, out_mistakes):
            with pytest.raises(MistakesError, match=r"hdfs:///x: cannot be reached: .*'/nowhere/hadoop'"):
                check(pipe)
    finally:
        use_hadoop_command(None)


@pytest.fixture
def bucket(monkeypatch):
    moto = pytest.importorskip("moto")
    boto3 = pytest.importorskip("boto3")
    import pehchan.mrjobs.places

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    pehchan.mrjobs.places._s3.cache_clear()
    with moto.mock_aws():
        boto3.client("s3").create_bucket(Bucket="pipes")
        yield "s3://pipes"
    pehchan.mrjobs.places._s3.cache_clear()


def test_pipes_on_s3(bucket, tmp_path):
    pipe = Pipe("p", "csv", {"path": f"{bucket}/a/out"}, (Column("z_cluster", "long"), Column("name")))
    assert out_mistakes(pipe) == ""
    assert write(pipe) == 3
    assert "holds a result of the model 1" in out_mistakes(pipe)
    write(replace(pipe, mode="overwrite", format="json"), TABLE.slice(1))
    rows = read_pipe(replace(pipe, format="json"), tmp_path / "spool", io.BytesIO())
    assert (rows.records, pq.read_table(tmp_path / "spool")) == (2, TABLE.slice(1))
    wrong = replace(pipe, format="csv")
    aside = io.BytesIO()
    assert read_pipe(wrong, tmp_path / "spool", aside).rejected == 2
    assert json.loads(aside.getvalue().splitlines()[0])["file"] == f"{bucket}/a/out/part-00000-pehchan-1.json"
    assert "there is no such file" in read_mistakes(replace(pipe, props={"path": f"{bucket}/none"}))
