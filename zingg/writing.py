"""Stand-in until pipes come."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from pehchan.zingg.configuration import Pipe


def check_pipe_out(pipe: Pipe) -> None:
    pass


def write_pipe(pipe: Pipe, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> None:
    folder = Path(pipe.props.get("location") or pipe.props.get("path"))
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    if pipe.format == "parquet":
        with pq.ParquetWriter(folder / "part-00000.parquet", schema) as w:
            for b in batches:
                w.write_batch(b)
    else:
        with pc.CSVWriter(
            folder / "part-00000.csv",
            schema,
            write_options=pc.WriteOptions(include_header=pipe.props.get("header") == "true"),
        ) as w:
            for b in batches:
                w.write_batch(b)
