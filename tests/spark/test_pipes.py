"""What Spark writes, pipes read, and what pipes write, Spark reads: values as awkward as chance makes them."""

import io
import json
import os
import random
import subprocess
import sys
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pehchan.metadata.mistakes import Mistakes
from pehchan.zingg.configuration import Pipe
from pehchan.zingg.data_types import parse_schema
from pehchan.zingg.reading import read_pipe
from pehchan.zingg.writing import write_pipe

pytestmark = pytest.mark.slow

SCHEMA = "i int, v string, b boolean, d date, x double, m string"

# Reads what lies in ours_<format>, says it as JSON, and writes the same to spark_<format>.
PROGRAM = f"""
import json
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
found = {{}}
for format in ("csv", "json", "parquet"):
    reader = spark.read.option("multiLine", "true") if format == "csv" else spark.read
    frame = reader.schema("{SCHEMA}").format(format).load("ours_" + format)
    found[format] = [[str(value) for value in row] for row in frame.orderBy("i").collect()]
    writer = frame.write.option("ignoreLeadingWhiteSpace", "false").option("ignoreTrailingWhiteSpace", "false")
    writer.format(format).save("spark_" + format)
json.dump(found, open("found.json", "w"))
"""


@pytest.mark.usefixtures("spark")
def test_spark_and_pipes_read_each_other(tmp_path: Path) -> None:
    chance = random.Random(5)
    values = ["".join(chance.choices("\",\\ab \t\n'é", k=chance.randrange(1, 9))) for _ in range(2000)]
    count = len(values)
    table = pa.table(
        {
            "i": pa.array(range(count), pa.int32()),
            "v": values,
            "b": [True] * count,
            "d": [date(2024, 2, 29)] * count,
            "x": [0.1] * count,
            "m": pa.array([None] * count, pa.string()),
        }
    )
    for format in ("csv", "json", "parquet"):
        pipe = Pipe("p", format, {"path": str(tmp_path / f"ours_{format}")})
        write_pipe(pipe, table.to_batches(), table.schema, "1")
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    expected = [[str(value) for value in row.values()] for row in table.to_pylist()]
    found = json.loads((tmp_path / "found.json").read_text())
    columns = parse_schema(SCHEMA, "", Mistakes())
    for format in ("csv", "json", "parquet"):
        assert found[format] == expected, format
        pipe = Pipe("p", format, {"path": str(tmp_path / f"spark_{format}")}, columns)
        read_pipe(pipe, tmp_path / "spool", io.BytesIO())
        assert pq.read_table(tmp_path / "spool") == table, format
