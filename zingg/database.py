"""Tables and queries of PostgreSQL and SQLite databases, under the URLs that Spark's format `jdbc` has for them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from pehchan.console.output import RunError
from pehchan.metadata.mistakes import Mistake, Mistakes, MistakesError, nearest
from pehchan.zingg.configuration import Column, Pipe
from pehchan.zingg.data_types import data_type_of
from pehchan.zingg.extras import library
from pehchan.zingg.options import Options
from pehchan.zingg.spooling import BATCH_ROWS, SourceRow, guess_columns

PROPS = ("url", "dbtable", "table", "query", "user", "password")
_WITHOUT_EFFECT = ("driver", "fetchsize", "batchsize")

_POSTGRESQL = re.compile(
    r"jdbc:postgresql:(?://(?P<host>\[[^\]]+\]|[^:/?,]*)(?::(?P<port>\d+))?/)?"
    r"(?P<database>[^?/]*)(?:\?(?P<query>.*))?"
)
_NAME_PART = re.compile(r'"((?:[^"]|"")+)"|([^".\s()]+)')

# PostgreSQL's names of its types, and those that a declaration in SQLite begins with.
_POSTGRESQL_TYPES = {
    "bool": "boolean",
    "int2": "short",
    "int4": "integer",
    "int8": "long",
    "float4": "float",
    "float8": "double",
    "date": "date",
    "timestamp": "timestamp_ntz",
    "timestamptz": "timestamp",
    "bytea": "binary",
}
# What has no order, and so is no column to sort by.
_UNSORTED = {"JSON", "XML", "POINT", "BOX", "LSEG", "PATH", "POLYGON", "CIRCLE", "LINE", "NULL"}
_SQLITE_TYPES = {"BOOL": "boolean", "DATETIME": "timestamp_ntz", "TIMESTAMP": "timestamp_ntz", "DATE": "date"}


def check_database(pipe: Pipe, mistakes: Mistakes, output: bool = False) -> None:
    """Add what is wrong with how a pipe names a database, without asking it."""
    options = Options(pipe)
    where = f"{options.where}.props"
    options.warn_unused((*PROPS, *_WITHOUT_EFFECT), mistakes)
    try:
        _url(options)
    except ValueError as error:
        right = "Write jdbc:postgresql://HOST:PORT/DATABASE or jdbc:sqlite:FILE."
        mistakes.add(f"{where}.url", str(error), right)
    table, query = options.get("dbtable", "table"), options.get("query")
    if output and (query or not table):
        mistakes.add(where, "no table to write to.", 'Give "dbtable".')
    elif not output and bool(table) == bool(query):
        said = "dbtable and query are both given." if table else "neither dbtable nor query is given."
        mistakes.add(where, said, "Give one of them.")
    elif output and _table_name(options) is None:
        mistakes.add(f"{where}.dbtable", f"{table} is no name of a table.", "Write table, or schema.table.")


def _url(options: Options) -> Any:
    """SQLAlchemy's URL of a JDBC one. Raises ValueError."""
    url = options.get("url").strip()
    make = library("sqlalchemy.engine").URL.create
    if url.lower().startswith("jdbc:sqlite:"):
        file = url[len("jdbc:sqlite:") :].removeprefix("file:")
        if not file or file.startswith(":memory:"):
            raise ValueError(f'"{url}" names no file.')
        return make("sqlite", database=file)
    found = _POSTGRESQL.fullmatch(url)
    if not found:
        kind = ":".join(url.split(":")[:2])
        raise ValueError(f'"{kind}:" is no database that is read here.' if url else "no url.")
    given = dict(parse_qsl(found["query"] or "", keep_blank_values=True))
    user = options.get("user") or given.pop("user", "")
    password = options.get("password") or given.pop("password", "")
    given = {name: value for name, value in given.items() if name not in ("user", "password")}
    if "currentSchema" in given:
        given["options"] = f"-csearch_path={given.pop('currentSchema')}"
    if given.pop("ssl", "") == "true":
        given.setdefault("sslmode", "require")
    unknown = sorted(
        set(given) - {"options", "sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout"}
    )
    if unknown:
        raise ValueError(f"not understood in the url: {', '.join(unknown)}.")
    library("psycopg")
    return make(
        "postgresql+psycopg",
        username=user or None,
        password=password or None,
        host=(found["host"] or "").strip("[]") or "localhost",
        port=int(found["port"] or 5432),
        database=found["database"] or user or None,
        query=given,
    )


def _shown(options: Options) -> str:
    """The database as messages name it, without a password."""
    return options.get("url").partition("?")[0]


def _table_name(options: Options) -> tuple[str | None, str] | None:
    """(schema or None, table) of dbtable; None where it is no name but something to select from."""
    given = options.get("dbtable", "table").strip()
    parts = list(_NAME_PART.finditer(given))
    if not 1 <= len(parts) <= 2 or ".".join(part.group() for part in parts) != given:
        return None
    names = [part[1].replace('""', '"') if part[1] else part[2] for part in parts]
    if options.get("url").lower().startswith("jdbc:postgresql:"):
        # As the server does with names that are not quoted.
        names = [name if part[1] else name.lower() for name, part in zip(names, parts, strict=True)]
    return (names[0] if len(names) == 2 else None), names[-1]


@contextmanager
def _connected(pipe: Pipe, writing: bool = False) -> Iterator[Any]:
    """A connection in a transaction, which is kept where all went well; what a database refuses is told in words."""
    options = Options(pipe)
    sqlalchemy = library("sqlalchemy")
    url = _url(options)
    is_sqlite = url.drivername == "sqlite"
    if is_sqlite and not writing and not Path(url.database).is_file():
        raise MistakesError([Mistake(options.where, f"there is no such database: {url.database}.")])
    if is_sqlite and writing and not Path(url.database).absolute().parent.is_dir():
        raise MistakesError([Mistake(options.where, f"there is no folder for the database {url.database}.")])
    engine = sqlalchemy.create_engine(url, poolclass=library("sqlalchemy.pool").NullPool)
    if is_sqlite:
        # Else Python's module leaves the making of tables out of transactions.
        sqlalchemy.event.listen(engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
        sqlalchemy.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    try:
        with engine.begin() as connection:
            yield connection
    except sqlalchemy.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        if writing:
            what = f"{_shown(options)} refuses: {reason}"
            raise RunError(f"{options.where}: {what}\n  Nothing was written to it.") from None
        raise MistakesError([Mistake(options.where, f"{_shown(options)} refuses: {reason}")]) from None
    finally:
        engine.dispose()


@contextmanager
def database_source(pipe: Pipe) -> Iterator[tuple[tuple[Column, ...], Iterator[SourceRow]]]:
    """The columns and rows of a table or query, by name where the pipe has a schema; open as long as the block.

    Rows of a table come in the order of its key, and of all columns where it has none; those of a query as it says.
    """
    options = Options(pipe)
    with _connected(pipe) as connection:
        statement, declared = _statement(options, connection)
        stream = connection.execution_options(stream_results=True, yield_per=BATCH_ROWS)
        result = stream.execute(_sql(statement))
        names = list(result.keys())
        if connection.dialect.name == "postgresql":
            own = tuple(map(Column, names, map(_postgresql_type, result.cursor.description)))
        else:
            own = guess_columns(names, iter(result))
            own = tuple(Column(c.name, declared.get(c.name, c.data_type)) for c in own)
            result = stream.execute(_sql(statement))
        columns = pipe.schema or own
        mistakes = Mistakes()
        for column in columns:
            if column.name not in names:
                mistakes.add(
                    options.where, f'there is no column "{column.name}".', nearest(column.name, names)
                )
        mistakes.raise_if_any()
        order = [names.index(column.name) for column in columns]
        source = f"{_shown(options)} {options.get('dbtable', 'table', 'query')}"
        yield columns, _rows(result, order, source)


def _sql(statement: str) -> Any:
    """A statement as it is: a colon in it names no parameter."""
    return library("sqlalchemy").text(statement.replace(":", "\\:"))


def _rows(result: Iterable[Any], order: Sequence[int], source: str) -> Iterator[SourceRow]:
    for number, row in enumerate(result, 1):
        values = [row[at] for at in order]
        yield SourceRow(source, number, "", values)


def _postgresql_type(described: Any) -> str:
    info = library("psycopg").adapters.types.get(described.type_code)
    # Arrays go by the name of what is in them.
    name = info.name if info and info.oid == described.type_code else ""
    if name == "numeric" and described.precision:
        return f"decimal({min(described.precision, 38)},{described.scale or 0})"
    return _POSTGRESQL_TYPES.get(name, "string")


def _statement(options: Options, connection: Any) -> tuple[str, dict[str, str]]:
    """What to ask a database, and the data types that a table of SQLite declares where its values do not tell."""
    if query := options.get("query"):
        return query.strip().rstrip(";"), {}
    table = options.get("dbtable", "table").strip()
    name = _table_name(options)
    if name is None:
        # As Spark takes it: anything that may follow FROM.
        return f"SELECT * FROM {table}", {}
    inspector = library("sqlalchemy").inspect(connection)
    if not inspector.has_table(name[1], name[0]) and name[1] not in inspector.get_view_names(name[0]):
        there = [*inspector.get_table_names(name[0]), *inspector.get_view_names(name[0])]
        what = f"{_shown(options)} has no table {table}."
        raise MistakesError(
            [Mistake(options.where, what, nearest(name[1], there) if there else "It is empty.")]
        )
    found = inspector.get_columns(name[1], name[0])
    quote = connection.dialect.identifier_preparer.quote
    key = inspector.get_pk_constraint(name[1], name[0])["constrained_columns"]
    key = key or [column["name"] for column in found if str(column["type"]).upper() not in _UNSORTED]
    from_name = quote(name[1]) if name[0] is None else f"{quote(name[0])}.{quote(name[1])}"
    order = f" ORDER BY {', '.join(map(quote, key))}" if key else ""
    declared = {}
    if connection.dialect.name == "sqlite":
        for column in found:
            kind = str(column["type"]).upper()
            ours = next((ours for word, ours in _SQLITE_TYPES.items() if kind.startswith(word)), None)
            if ours:
                declared[column["name"]] = ours
    return f"SELECT * FROM {from_name}{order}", declared


def table_state(pipe: Pipe) -> tuple[list[str], bool] | None:
    """The columns of the table of an output and whether it has rows; None where there is no table."""
    options = Options(pipe)
    sqlalchemy = library("sqlalchemy")
    name = _table_name(options)
    assert name is not None
    url = _url(options)
    if url.drivername == "sqlite" and not Path(url.database).exists() and Path(url.database).parent.is_dir():
        # To look into it would make it.
        return None
    with _connected(pipe, writing=True) as connection:
        inspector = sqlalchemy.inspect(connection)
        if not inspector.has_table(name[1], name[0]):
            return None
        names = [column["name"] for column in inspector.get_columns(name[1], name[0])]
        table = sqlalchemy.table(name[1], schema=name[0])
        found = connection.execute(
            sqlalchemy.select(sqlalchemy.literal(1)).select_from(table).limit(1)
        ).first()
        return names, found is not None


def write_table(batches: Iterable[Any], schema: Any, pipe: Pipe) -> None:
    """Write pyarrow.RecordBatches to a table in one transaction: all of them or none. Raises RunError."""
    sqlalchemy = library("sqlalchemy")
    name = _table_name(Options(pipe))
    assert name is not None
    columns = [sqlalchemy.Column(field.name, _sql_type(field.type)) for field in schema]
    table = sqlalchemy.Table(name[1], sqlalchemy.MetaData(), *columns, schema=name[0])
    with _connected(pipe, writing=True) as connection:
        if pipe.mode == "overwrite":
            table.drop(connection, checkfirst=True)
        table.create(connection, checkfirst=True)
        for batch in batches:
            rows = (_without_decimals(batch) if connection.dialect.name == "sqlite" else batch).to_pylist()
            if rows:
                connection.execute(table.insert(), rows)


def _without_decimals(batch: Any) -> Any:
    """Rows as SQLite holds them, which knows no decimal numbers."""
    pa = library("pyarrow")
    plain = [
        pa.field(field.name, pa.float64()) if pa.types.is_decimal(field.type) else field
        for field in batch.schema
    ]
    return batch.cast(pa.schema(plain))


def _sql_type(arrow: Any) -> Any:
    types = library("sqlalchemy.types")
    data_type = data_type_of(arrow)
    if data_type and data_type.startswith("decimal("):
        return types.Numeric(arrow.precision, arrow.scale)
    return {
        "boolean": types.Boolean(),
        "byte": types.SmallInteger(),
        "short": types.SmallInteger(),
        "integer": types.Integer(),
        "long": types.BigInteger(),
        "float": types.REAL(),
        "double": types.Double(),
        "date": types.Date(),
        "timestamp": types.DateTime(timezone=True),
        "timestamp_ntz": types.DateTime(),
        "binary": types.LargeBinary(),
    }.get(data_type or "string", types.Text())
