"""What a pipe is given, it gives back: values, types and order, in every format."""

import csv
import io
import json
from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal

import pandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pehchan.zingg.configuration import Column, Pipe
from pehchan.zingg.data_types import arrow_schema
from pehchan.zingg.reading import read_pipe
from pehchan.zingg.writing import write_pipe

COLUMNS = tuple(
    Column(name, name)
    for name in ("string", "integer", "long", "short", "byte", "double", "float", "boolean", "date")
)
SCHEMA = arrow_schema(COLUMNS)

#: No NUL, which no csv and no database of text holds; no lone surrogates, which are no text.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.text(
    '"\\,\t\n\r =_x0A', max_size=6
)
rows = st.lists(
    st.tuples(
        texts,
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-(2**63), 2**63 - 1),
        st.integers(-(2**15), 2**15 - 1),
        st.integers(-128, 127),
        st.floats(allow_nan=False, allow_infinity=False),
        st.floats(width=32, allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.dates(),
    ).flatmap(lambda row: st.tuples(*[st.just(value) | st.none() for value in row])),
    max_size=6,
)
AWKWARD = [
    ('say "hi", \\"', 0, 0, 0, 0, 0.1, 0.1, True, date(1, 1, 1)),
    ("\\", -1, 2**62, 1, 1, 1e300, 1e-30, False, date(1900, 2, 28)),
    ("a,b\\", 1, 1, 1, 1, 1e22, 1.5, None, date(9999, 12, 31)),
    ("\\\\server\\share", 1, 1, 1, 1, -0.0, 1.5, None, date(1900, 1, 1)),
    ("=1+1", 1, 1, 1, 1, 5.0, 1.5, None, date(2024, 2, 29)),
    ("_x0041_", None, None, None, None, None, None, None, None),
    (" two\r\nlines\v\x1f\ufffe ", None, None, None, None, None, None, None, None),
    ("#N/A", None, None, None, None, None, None, None, None),
    ("true", None, None, None, None, None, None, None, None),
]


def table(rows, schema=SCHEMA):
    return (
        pa.table(
            [
                pa.array(list(column), field.type)
                for column, field in zip(zip(*rows, strict=True), schema, strict=True)
            ],
            schema,
        )
        if rows
        else schema.empty_table()
    )


def round_trip(folder, pipe, given_table, model_id="1"):
    """Write a table to a pipe and read the pipe: what was read, and what was set aside."""
    assert (
        write_pipe(replace(pipe, mode="overwrite"), given_table.to_batches(), given_table.schema, model_id)
        == given_table.num_rows
    )
    return read(folder, pipe)


def read(folder, pipe):
    aside = io.BytesIO()
    counts = read_pipe(pipe, folder / "spool.parquet", aside)
    spooled = pq.read_table(folder / "spool.parquet")
    assert counts.records == spooled.num_rows
    rejected = [json.loads(line) for line in aside.getvalue().splitlines()]
    assert counts.rejected == len(rejected)
    return spooled, rejected


def without_empty_texts(given_table):
    """Where formats have nothing for an empty text, it is a missing one."""
    columns = []
    for column in given_table.columns:
        values = column.to_pylist()
        columns.append(pa.array([None if value == "" else value for value in values], column.type))
    return pa.table(columns, given_table.schema)


def without_signs_of_zeros(row):
    return tuple(0.0 if isinstance(value, float) and value == 0 else value for value in row)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pipes")


def same(found, expected):
    """Equal in their types and values, to the sign of a zero."""
    assert found.schema == expected.schema
    assert list(map(repr, found.to_pylist())) == list(map(repr, expected.to_pylist()))


def fewer(share):
    """A part of the examples of the profile: each writes and reads files."""
    return settings(max_examples=settings.default.max_examples // share)


@pytest.mark.parametrize(
    ("format", "props"),
    [
        ("csv", {}),
        ("csv", {"header": "true", "escape": '"', "delimiter": "|"}),
        ("csv", {"nullValue": "NULL", "quote": "'", "encoding": "utf-16"}),
        ("tsv", {"header": "true"}),
        ("com.crealytics.spark.excel", {}),
    ],
)
@fewer(6)
@given(rows=rows)
@example(AWKWARD)
@example([])
def test_any_rows_come_back_from_files_whose_empty_texts_are_missing(folder, format, props, rows):
    pipe = Pipe("p", format, {**props, "path": str(folder / format / "out.xlsx")}, COLUMNS)
    rows = [row if row[0] != "NULL" else (None, *row[1:]) for row in rows]
    # A row without any value is a blank one in a workbook, where a zero has no sign either.
    rows = [row for row in rows if any(value not in (None, "") for value in row)]
    if format not in ("csv", "tsv"):
        rows = [without_signs_of_zeros(row) for row in rows]
    found, rejected = round_trip(folder, pipe, table(rows))
    assert rejected == []
    same(found, without_empty_texts(table(rows)))


@pytest.mark.parametrize("format", ["json", "parquet"])
@fewer(5)
@given(rows=rows)
@example(AWKWARD)
@example([])
def test_any_rows_come_back_from_files_that_know_empty_texts(folder, format, rows):
    pipe = Pipe("p", format, {"location": str(folder / format)}, COLUMNS)
    found, rejected = round_trip(folder, pipe, table(rows))
    assert rejected == []
    same(found, table(rows))


@fewer(6)
@given(rows=rows)
@example(AWKWARD)
@example([])
def test_any_rows_come_back_from_a_table_in_the_order_of_its_columns(folder, rows):
    pipe = Pipe("p", "jdbc", {"url": f"jdbc:sqlite:{folder / 'a.db'}", "dbtable": "t"}, COLUMNS)
    # Rows of a table have no order of their own, and in SQLite a zero no sign.
    rows = [without_signs_of_zeros(row) for row in rows]
    found, rejected = round_trip(folder, pipe, table(rows))
    assert rejected == []
    assert found.schema == SCHEMA
    assert sorted(map(repr, found.to_pylist())) == sorted(map(repr, table(rows).to_pylist()))


def test_types_are_kept_where_no_schema_names_them(folder):
    given_table = table(AWKWARD).select(["string", "long", "double", "boolean", "date"])
    for format, kept in {"parquet": 5, "excel": 5, "json": 4, "jdbc": 5}.items():
        props = {"path": str(folder / f"typed.{format}")}
        if format == "jdbc":
            props = {"url": f"jdbc:sqlite:{folder / 'typed.db'}", "dbtable": "t"}
        small = given_table.slice(0, 5).set_column(1, "long", [[1, 2, 3, 4, None]])
        found, rejected = round_trip(folder, Pipe("p", format, props), small.cast(given_table.schema))
        assert rejected == []
        # JSON has no dates; a workbook none before 1900.
        expected = [*given_table.schema.types[:kept], *[pa.string()] * (5 - kept)]
        if format == "excel":
            expected[4] = pa.string()
        assert found.schema.types == expected, format


def test_moments_and_decimal_numbers_are_kept_by_parquet_and_said_in_words_by_csv(folder):
    schema = pa.schema(
        {
            "a": pa.timestamp("us", "UTC"),
            "b": pa.decimal128(8, 2),
            "c": pa.timestamp("us"),
            "d": pa.large_string(),
        }
    )
    row = [datetime(2024, 2, 29, 8, 30, tzinfo=timezone.utc), Decimal("1.50"), datetime(2024, 2, 29, 8), "x"]
    given_table = pa.table([[value] for value in row], schema)
    found, _ = round_trip(folder, Pipe("p", "parquet", {"path": str(folder / "p")}), given_table)
    assert found.schema.types == [*schema.types[:3], pa.string()]
    assert list(found.to_pylist()[0].values()) == row
    columns = (
        Column("a", "timestamp"),
        Column("b", "decimal(8,2)"),
        Column("c", "timestamp_ntz"),
        Column("d"),
    )
    found, rejected = round_trip(folder, Pipe("p", "csv", {"path": str(folder / "q")}, columns), given_table)
    assert (rejected, list(found.to_pylist()[0].values())) == ([], row)
    assert (
        next((folder / "q").glob("part-*")).read_text() == "2024-02-29T08:30:00Z,1.50,2024-02-29T08:00:00,x\n"
    )


def test_csv_is_what_spark_writes(folder):
    # Written by Spark 3.5.
    values = [
        "plain",
        "a,b",
        'say "hi"',
        "a\\b",
        "a,b\\",
        "end\\",
        '\\"',
        '"',
        "a\\\\,b",
        "",
        None,
        "é",
        "x\ny",
    ]
    written = [
        *("plain", '"a,b"', r'"say \"hi\""', r"a\b", r'"a,b\\"', "end\\", r'"\\\""', r'"\""', r'"a\\\\,b"'),
        *('""', "", "é", '"x\ny"'),
    ]
    schema = pa.schema({"n": pa.int32(), "v": pa.string(), "b": pa.bool_(), "d": pa.date32()})
    given_table = pa.table([range(13), values, [True] * 13, [date(1, 1, 2)] * 13], schema)
    pipe = Pipe("p", "csv", {"path": str(folder / "spark")})
    round_trip(folder, pipe, given_table)
    lines = "".join(f"{number},{value},true,0001-01-02\n" for number, value in enumerate(written))
    assert next((folder / "spark").glob("part-*")).read_text() == lines
    assert sorted(path.name for path in (folder / "spark").iterdir()) == [
        "_SUCCESS",
        "part-00000-pehchan-1.csv",
    ]


def test_what_spark_reads_of_escapes_and_quotes(folder):
    # Read by Spark 3.5, but for the doubled quote, which it leaves as it is and takes apart at a comma.
    cases = {
        r'"Ann \"A\" Lee"': 'Ann "A" Lee',
        r'"a, ""b"", c"': 'a, "b", c',
        r"5\" pipe": r"5\" pipe",
        r"C:\temp": r"C:\temp",
        r'"C:\temp"': r"C:\temp",
        r'"C:\\temp, b"': r"C:\temp, b",
        r'"a,b\\"': "a,b\\",
        r'"a\\\"b"': r"a\"b",
        r'"a\\\\b,"': r"a\\b,",
        r"a\\b": r"a\\b",
        '5" pipe': '5" pipe',
        '""': None,
        " lead ": " lead ",
    }
    (folder / "in.csv").write_text("".join(f"{value},{value},x\n" for value in cases))
    columns = (Column("a"), Column("b"), Column("c"))
    found, rejected = read(folder, Pipe("p", "csv", {"path": str(folder / "in.csv")}, columns))
    assert rejected == []
    expected = list(cases.values())
    assert (found["a"].to_pylist(), found["b"].to_pylist()) == (expected, expected)


def test_pandas_reads_what_is_written(folder):
    given_table = table(AWKWARD[:5]).select(["string", "integer", "boolean", "date"])
    props = {"path": str(folder / "pandas"), "header": "true", "escape": '"'}
    round_trip(folder, Pipe("p", "csv", props), given_table)
    frame = pandas.read_csv(next((folder / "pandas").glob("part-*")))
    assert frame["string"].tolist() == given_table["string"].to_pylist()
    round_trip(folder, Pipe("p", "parquet", {"path": str(folder / "pandas2")}), given_table)
    assert pandas.read_parquet(folder / "pandas2")["string"].tolist() == given_table["string"].to_pylist()


@pytest.mark.parametrize("format", ["csv", "json", "parquet", "excel"])
def test_the_same_rows_are_the_same_bytes(folder, format, monkeypatch):
    made = []
    for name in ("one", "two"):
        path = folder / name / f"out.{format}"
        write_pipe(
            Pipe("p", format, {"path": str(path)}, mode="overwrite"), table(AWKWARD).to_batches(), SCHEMA, "1"
        )
        made.append((path if path.is_file() else next(path.glob("part-*"))).read_bytes())
        # A clock that does not stand still.
        monkeypatch.setattr("time.time", lambda: 1e9)
        monkeypatch.setattr("time.localtime", lambda *_: (2030, 1, 1, 0, 0, 0, 0, 1, 0))
    assert made[0] == made[1]


def test_a_csv_without_a_schema_has_numbered_columns_as_in_spark(folder):
    (folder / "plain.csv").write_text("1,Ann\n2,Bob\n")
    found, _ = read(folder, Pipe("p", "csv", {"path": str(folder / "plain.csv")}))
    assert found.to_pydict() == {"_c0": ["1", "2"], "_c1": ["Ann", "Bob"]}
    headed, _ = read(folder, Pipe("p", "CSV", {"Path": str(folder / "plain.csv"), "HEADER": "True"}))
    assert headed.to_pydict() == {"1": ["2"], "Ann": ["Bob"]}


def test_a_folder_of_part_files_is_read_in_the_order_of_their_names(folder):
    parts = folder / "parts"
    parts.mkdir()
    for name, content in {
        "part-2": "3\n",
        "part-1": "1\n2\n",
        "part-0": "",
        "_SUCCESS": "",
        ".x.crc": "9",
    }.items():
        (parts / name).write_text(content)
    pipe = Pipe("p", "csv", {"path": str(parts)}, (Column("n", "integer"),))
    assert read(folder, pipe)[0].to_pydict() == {"n": [1, 2, 3]}
    pattern = replace(pipe, props={"path": f"{parts}/part-[12]"})
    assert read(folder, pattern)[0].to_pydict() == {"n": [1, 2, 3]}


def test_lines_of_text_are_a_column_named_value(folder):
    (folder / "a.txt").write_text('one, "two"\n\nthree\n')
    assert read(folder, Pipe("p", "text", {"path": str(folder / "a.txt")}))[0].to_pydict() == {
        "value": ['one, "two"', "three"]
    }


def test_csv_of_the_module_csv_is_read_with_its_quotes(folder):
    text = io.StringIO(newline="")
    values = ['a "b"', "c,d", "e\nf", "plain", ' "g']
    csv.writer(text).writerows([value, value] for value in values)
    (folder / "module.csv").write_text(text.getvalue(), newline="")
    found, rejected = read(folder, Pipe("p", "csv", {"path": str(folder / "module.csv"), "escape": '"'}))
    assert (found["_c1"].to_pylist(), rejected) == (values, [])
