"""Pipes to tables of a real PostgreSQL, and of SQLite where that is no matter of the server."""

import io
import json
import sqlite3
from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pehchan.console.output import RunError
from pehchan.metadata.mistakes import Mistakes, MistakesError
from pehchan.zingg.configuration import Column, Pipe
from pehchan.zingg.reading import check_pipe_in, read_pipe
from pehchan.zingg.writing import check_pipe_out, write_pipe

RESULT = pa.table({"z_cluster": pa.array([0, 0, 1], pa.int64()), "Name": ["Ann", "Anne", None]})


def read(folder, pipe):
    aside = io.BytesIO()
    read_pipe(pipe, folder / "spool.parquet", aside)
    return pq.read_table(folder / "spool.parquet"), [
        json.loads(line) for line in aside.getvalue().splitlines()
    ]


def write(pipe, table=RESULT, model_id="1"):
    return write_pipe(pipe, table.to_batches(), table.schema, model_id)


def refused(pipe, **arguments):
    mistakes = Mistakes()
    check_pipe_out(pipe, "1", mistakes, **arguments)
    return "\n".join(map(str, mistakes.found))


def test_a_table_keeps_its_types(postgresql, tmp_path):
    postgresql.run(
        "CREATE TABLE kinds (id bigint PRIMARY KEY, s text, v varchar(9), i integer, h smallint, b boolean, "
        "d date, f double precision, r real, n numeric(8,2), m numeric, t timestamp, z timestamptz, "
        "u uuid, j jsonb, a int[])"
    )
    postgresql.run(
        "INSERT INTO kinds VALUES (2, 'Ann: \"%s\"', 'x', 1, 2, true, '2024-02-29', 0.1, 0.5, 1.5, 1.50,"
        " '2024-02-29 08:30', '2024-02-29 08:30+02', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',"
        " '{\"k\": [1]}', '{1,2}'),"
        " (1, '', null, null, null, null, null, null, null, null, null, null, null, null, null, null)"
    )
    found, aside = read(tmp_path, Pipe("p", "jdbc", postgresql.props(dbtable="kinds")))
    assert aside == []
    text, moment = pa.string(), pa.timestamp("us")
    assert found.schema.types == [
        *(
            pa.int64(),
            text,
            text,
            pa.int32(),
            pa.int16(),
            pa.bool_(),
            pa.date32(),
            pa.float64(),
            pa.float32(),
        ),
        *(pa.decimal128(8, 2), text, moment, pa.timestamp("us", "UTC"), text, text, text),
    ]
    empty, full = found.to_pylist()
    assert list(empty.values()) == [1, "", *[None] * 14]
    assert list(full.values()) == [
        *(2, 'Ann: "%s"', "x", 1, 2, True, date(2024, 2, 29), 0.1, 0.5, Decimal("1.50"), "1.50"),
        *(datetime(2024, 2, 29, 8, 30), datetime(2024, 2, 29, 6, 30, tzinfo=timezone.utc)),
        *("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", '{"k":[1]}', "[1,2]"),
    ]


def test_what_is_written_is_there_with_its_types_and_comes_back(postgresql, tmp_path):
    schema = pa.schema(
        {"z_cluster": pa.int64(), "Name": pa.string(), "b": pa.bool_(), "d": pa.date32(), "s": pa.float64()}
    )
    table = pa.table(
        [[0, 1], ['Ann "A"\n\\', None], [True, None], [date(2024, 2, 29), None], [0.1, None]], schema
    )
    pipe = Pipe("p", "jdbc", postgresql.props(dbtable="public.Written"))
    assert write(pipe, table) == 2
    assert read(tmp_path, pipe)[0] == table
    # A name without quotes is in lower case for the server; names of columns are as they are.
    kinds = postgresql.run(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'written'"
    )
    assert dict(kinds) == {
        "z_cluster": "bigint",
        "Name": "text",
        "b": "boolean",
        "d": "date",
        "s": "double precision",
    }


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_a_second_append_is_refused_and_overwrite_replaces(kind, tmp_path, request):
    props = {"url": f"jdbc:sqlite:{tmp_path / 'a.db'}"}
    if kind == "postgresql":
        props = request.getfixturevalue("postgresql").props()
    pipe = Pipe("out", "jdbc", {**props, "dbtable": "modes"}, where="c.json output[0]")
    assert refused(pipe) == ""
    assert not (tmp_path / "a.db").exists()
    assert write(pipe) == 3
    what = "c.json output[0]: the table modes holds a result, and mode append would add a second one to it."
    assert what in refused(pipe)
    assert "Give mode overwrite" in refused(pipe)
    with pytest.raises(MistakesError, match="holds a result"):
        write(pipe)
    assert "the table modes exists" in refused(replace(pipe, mode="ErrorIfExists"))
    assert write(replace(pipe, mode="ignore")) is None
    assert write(replace(pipe, mode="Overwrite"), RESULT.slice(0, 1)) == 1
    assert read(tmp_path, pipe)[0] == RESULT.slice(0, 1)
    assert "is also an input: in" in refused(pipe, inputs=[replace(pipe, name="in")])


def test_rows_of_another_kind_are_added_to_and_a_missing_column_is_said_before(postgresql, tmp_path):
    postgresql.run("CREATE TABLE others (\"Name\" text, z_cluster bigint DEFAULT 7, note text DEFAULT 'old')")
    pipe = Pipe("out", "jdbc", postgresql.props(dbtable="others"))
    assert refused(pipe, columns=["z_cluster", "Name"]) == ""
    assert "has no column z_score" in refused(pipe, columns=["z_cluster", "z_score"])
    assert write(pipe) == 3
    assert len(postgresql.run("SELECT * FROM others WHERE note = 'old'")) == 3


def test_a_table_is_written_whole_or_not_at_all(postgresql, tmp_path):
    for props in (postgresql.props(), {"url": f"jdbc:sqlite:{tmp_path / 'whole.db'}"}):
        pipe = Pipe("out", "jdbc", {**props, "dbtable": "whole"})
        write(pipe)

        def broken():
            yield RESULT.slice(0, 1).to_batches()[0]
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_pipe(replace(pipe, mode="overwrite"), broken(), RESULT.schema, "1")
        assert read(tmp_path, pipe)[0].num_rows == 3
    nul = pa.table({"z_cluster": [1], "Name": ["\0"]})
    pipe = Pipe("out", "jdbc", postgresql.props(dbtable="whole"), mode="overwrite")
    with pytest.raises(RunError, match=r"refuses: .*NUL.*\n  Nothing was written"):
        write(pipe, nul)
    assert read(tmp_path, pipe)[0].num_rows == 3


def test_rows_come_in_the_order_of_the_key_however_they_lie_in_the_table(postgresql, tmp_path):
    postgresql.run(
        "CREATE TABLE keyed (b int, a int PRIMARY KEY); CREATE TABLE keyless (b int, a int, j json)"
    )
    postgresql.run("INSERT INTO keyed VALUES (1, 3), (2, 2), (3, 1); UPDATE keyed SET b = 9 WHERE a = 1")
    postgresql.run("INSERT INTO keyless VALUES (2, 1, '1'), (1, 2, '1'), (1, 1, '1')")
    found, _ = read(tmp_path, Pipe("p", "jdbc", postgresql.props(dbtable="keyed")))
    assert found["a"].to_pylist() == [1, 2, 3]
    found, _ = read(tmp_path, Pipe("p", "jdbc", postgresql.props(dbtable="keyless")))
    assert found.select(["b", "a"]).to_pylist() == [{"b": 1, "a": 1}, {"b": 1, "a": 2}, {"b": 2, "a": 1}]


@pytest.mark.parametrize(
    "props",
    [
        {"query": "SELECT a, b::text AS b, ':x %s' AS c FROM asked WHERE a > 1 ORDER BY a DESC;"},
        {"dbtable": "(SELECT a, b::text AS b, ':x %s' AS c FROM asked WHERE a > 1 ORDER BY a DESC) q"},
    ],
)
def test_a_query_is_asked_as_it_is(postgresql, tmp_path, props):
    postgresql.run("CREATE TABLE IF NOT EXISTS asked AS SELECT a, a * 2 AS b FROM generate_series(1, 3) AS a")
    found, _ = read(tmp_path, Pipe("p", "jdbc", postgresql.props(**props)))
    assert found.to_pydict() == {"a": [3, 2], "b": ["6", "4"], "c": [":x %s"] * 2}


def test_a_schema_names_columns_and_their_types(postgresql, tmp_path):
    postgresql.run("CREATE TABLE typed (a text, b text)")
    postgresql.run("INSERT INTO typed VALUES ('1', 'x'), ('two', 'y')")
    pipe = Pipe("p", "jdbc", postgresql.props(dbtable="typed"), (Column("b"), Column("a", "integer")))
    found, aside = read(tmp_path, pipe)
    assert found.to_pydict() == {"b": ["x"], "a": [1]}
    assert [(row["line_number"], row["reason"], row["line"]) for row in aside] == [
        (2, 'column "a": "two" is no integer', "y\ttwo")
    ]
    with pytest.raises(MistakesError, match='there is no column "c"'):
        read(tmp_path, replace(pipe, schema=(Column("c"),)))


def test_a_database_that_refuses_says_why(postgresql, tmp_path):
    def said(**props):
        with pytest.raises(MistakesError) as caught:
            read(tmp_path, Pipe("p", "jdbc", {**postgresql.props(), **props}, where="c.json data[0]"))
        assert "opensesame" not in str(caught.value)
        return str(caught.value)

    assert "c.json data[0]: " in said(dbtable="nowhere")
    assert "has no table nowhere" in said(dbtable="nowhere")
    assert "password authentication failed" in said(dbtable="t", password="wrong")
    assert 'relation "nowhere" does not exist' in said(query="SELECT * FROM nowhere")
    assert "syntax error" in said(query="SELEKT 1")
    assert "refuses: " in said(dbtable="t", url="jdbc:postgresql://127.0.0.1:1/postgres")
    out = Pipe("p", "jdbc", {**postgresql.props(), "dbtable": "t", "password": "wrong"})
    assert "password authentication failed" in refused(out)
    assert not (tmp_path / "spool.parquet").exists()


@pytest.mark.parametrize(
    ("props", "what"),
    [
        ({}, "no url."),
        ({"url": "jdbc:mysql://h/d", "dbtable": "t"}, '"jdbc:mysql:" is no database that is read here.'),
        ({"url": "jdbc:sqlite:", "dbtable": "t"}, "names no file"),
        ({"url": "jdbc:sqlite:a.db"}, "neither dbtable nor query is given."),
        ({"url": "jdbc:sqlite:a.db", "dbtable": "t", "query": "q"}, "dbtable and query are both given."),
        ({"url": "jdbc:postgresql://h/d?speed=9", "dbtable": "t"}, "not understood in the url: speed."),
    ],
)
def test_a_pipe_that_names_no_table_is_refused(props, what):
    mistakes = Mistakes()
    check_pipe_in(Pipe("p", "jdbc", props), mistakes)
    assert what in "\n".join(map(str, mistakes.found))


def test_tables_of_sqlite_from_elsewhere_are_read_by_what_they_declare_and_hold(tmp_path):
    with sqlite3.connect(tmp_path / "b.db") as made:
        made.execute(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, name, born DATE, ok BOOLEAN, n NUMERIC, at DATETIME)"
        )
        rows = [(2, "Ann", "2024-02-29", 1, 1.5, "2024-02-29 08:30:00"), (1, 5, "soon", 0, 2, None)]
        made.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", rows)
    found, aside = read(
        tmp_path, Pipe("p", "jdbc", {"url": f"jdbc:sqlite:{tmp_path / 'b.db'}", "dbtable": "t"})
    )
    assert [list(row.values()) for row in found.to_pylist()] == [
        [2, "Ann", date(2024, 2, 29), True, 1.5, datetime(2024, 2, 29, 8, 30)]
    ]
    assert [row["reason"] for row in aside] == ['column "born": "soon" is no date: 2024-02-29 is one']
    with pytest.raises(MistakesError, match="there is no such database"):
        read(tmp_path, Pipe("p", "jdbc", {"url": f"jdbc:sqlite:{tmp_path / 'none.db'}", "dbtable": "t"}))
