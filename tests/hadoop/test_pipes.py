"""Pipes of files on HDFS."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hadoop.conftest import Hadoop

from pehchan.metadata.mistakes import Mistakes
from pehchan.zingg.configuration import Column, Pipe
from pehchan.zingg.reading import read_pipe
from pehchan.zingg.writing import check_pipe_out, write_pipe


# Some twenty commands, each with a Java of its own.
@pytest.mark.slow
def test_a_pipe_to_hdfs_gives_back_what_it_was_given(hadoop: Hadoop, tmp_path: Path) -> None:
    table = pa.table({"z_cluster": pa.array([0, 1], pa.int64()), "name": ["Ann", "Bob"]})
    columns = (Column("z_cluster", "long"), Column("name"))
    pipe = Pipe("p", "csv", {"path": "hdfs:///pipes/out"}, columns, mode="overwrite")
    for part in (table, table.slice(1)):
        write_pipe(pipe, part.to_batches(), part.schema, "1")
    read_pipe(pipe, tmp_path / "spool", io.BytesIO())
    assert pq.read_table(tmp_path / "spool") == table.slice(1)
    mistakes = Mistakes()
    check_pipe_out(Pipe("p", "csv", pipe.props), "1", mistakes)
    assert "holds a result of the model 1" in str(mistakes.found[0])
