"""The formats of pipes by name, and what to do about those that are not read here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pehchan.console.output import RunError
from pehchan.metadata.mistakes import Mistake, Mistakes, MistakesError, nearest
from pehchan.mrjobs.places import Place, place
from pehchan.zingg.configuration import Pipe
from pehchan.zingg.database import check_database
from pehchan.zingg.delimited import check_dialect
from pehchan.zingg.excel import check_excel
from pehchan.zingg.json_rows import check_json
from pehchan.zingg.options import Options
from pehchan.zingg.parquet import check_parquet
from pehchan.zingg.plain_text import check_text

#: Other names of formats that are read.
_OTHER_NAMES = {
    "com.crealytics.spark.excel": "excel",
    "dev.mauch.spark.excel": "excel",
    "xlsx": "excel",
    "jsonl": "json",
    "ndjson": "json",
    "com.databricks.spark.csv": "csv",
}

#: What is looked at before a pipe of files is used.
_CHECKS: dict[str, Callable[[Pipe, Mistakes], None]] = {
    "csv": check_dialect,
    "tsv": check_dialect,
    "json": check_json,
    "parquet": check_parquet,
    "excel": check_excel,
    "text": check_text,
}

FORMATS = (*_CHECKS, "jdbc")

_FILES = "write the table to a folder of Parquet or csv files, and give that folder as the pipe"
_ELSEWHERE = {
    "avro": f"With Spark or another tool, {_FILES}.",
    "delta": f"Its files alone would bring deleted rows back; with Spark, {_FILES}.",
    "orc": f"With Spark, {_FILES}.",
    "bigquery": "EXPORT DATA with format='PARQUET' writes such files; copy them here, or to s3:// or hdfs://.",
    "snowflake": "COPY INTO a stage with TYPE = PARQUET writes such files; give their folder as a pipe of parquet.",
    "net.snowflake.spark.snowflake": "COPY INTO a stage with TYPE = PARQUET writes such files; give their folder.",
    "exasol": "EXPORT … INTO CSV writes such files; give their folder as a pipe of csv.",
    "com.exasol.spark": "EXPORT … INTO CSV writes such files; give their folder as a pipe of csv.",
    "cassandra": f"With Spark or dsbulk, {_FILES}.",
    "org.apache.spark.sql.cassandra": f"With Spark or dsbulk, {_FILES}.",
    "elasticsearch": "Write the index to JSON lines, and give these as a pipe of json.",
    "org.elasticsearch.spark.sql": "Write the index to JSON lines, and give these as a pipe of json.",
}


def format_name(format: str) -> str:
    """The one name of a format: com.crealytics.spark.excel is excel; unknown ones as they are."""
    name = format.strip().lower()
    return _OTHER_NAMES.get(name, name)


def check_pipe(pipe: Pipe, mistakes: Mistakes, output: bool = False) -> bool:
    """Add what is wrong with a pipe, without looking at what it names; whether that can be looked at."""
    before = len(mistakes.found)
    name, where = format_name(pipe.format), Options(pipe).where
    if name not in FORMATS:
        reads = f"Formats that work: {', '.join(FORMATS)}."
        if name in _ELSEWHERE:
            mistakes.add(
                f"{where}.format", f"{pipe.format} is not read or written.", f"{_ELSEWHERE[name]} {reads}"
            )
        else:
            mistakes.add(f"{where}.format", f'unknown format "{pipe.format}".', nearest(name, FORMATS))
        return False
    pipe = replace(pipe, format=name)
    if name == "jdbc":
        check_database(pipe, mistakes, output)
    else:
        _CHECKS[name](pipe, mistakes)
        Options(pipe).check_path(mistakes)
    return len(mistakes.found) == before


@contextmanager
def told_of(path: str) -> Iterator[None]:
    """What a place elsewhere answers when it cannot be reached, as a mistake in words."""
    try:
        yield
    except (MistakesError, RunError):
        raise
    except Exception as error:
        # Each file system, and each library of one, has errors of its own.
        if "://" not in path:
            raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise MistakesError([Mistake(path, f"cannot be reached: {reason}")]) from error


def local_or_remote(path: str) -> Place:
    """The place of a path, from the root where it is on this machine."""
    return place(path if "://" in path else str(Path(path).absolute()))
