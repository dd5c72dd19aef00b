"""Clusters of a run of pehchan, and the rows that Zingg's users read: their columns behind those of the cluster."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pehchan.zingg.extras import library
from pehchan.zingg.sources import Sources, in_columns

pa = library("pyarrow")
pc = library("pyarrow.compute")
arrow_csv = library("pyarrow.csv")

#: Probabilities have so many decimals; they are kept as whole numbers of millionths, -1 for none.
_DECIMALS = 1_000_000

_CLUSTER_COLUMNS = {
    "cluster": "string",
    "record": "string",
    "least": "float64",
    "most": "float64",
    "mates": "int64",
}


class ClusterRows(NamedTuple):
    """Some records of clusters: of each z_zid the z_zid of the record that stands for its cluster, and the least and
    the largest probability in millionths, -1 where it is alone.
    """

    records: NDArray[np.int64]
    clusters: NDArray[np.int64]
    least: NDArray[np.int32]
    most: NDArray[np.int32]


def read_clusters(folder: Path) -> Iterator[ClusterRows]:
    """The records of the clusters of a run, some at a time; their ids are z_zid, behind the set if there are two."""
    for file in sorted(folder.iterdir()):
        if not file.stat().st_size:
            continue
        with arrow_csv.open_csv(
            file,
            read_options=arrow_csv.ReadOptions(column_names=list(_CLUSTER_COLUMNS)),
            convert_options=arrow_csv.ConvertOptions(column_types=_CLUSTER_COLUMNS),
        ) as batches:
            for batch in batches:
                yield ClusterRows(
                    _numbers(batch.column("record")),
                    _numbers(batch.column("cluster")),
                    _millionths(batch.column("least")),
                    _millionths(batch.column("most")),
                )


def _numbers(ids: "pa.Array") -> NDArray[np.int64]:
    return pc.replace_substring_regex(ids, "^[ab]:", "").cast(pa.int64()).to_numpy()


def _millionths(probabilities: "pa.Array") -> NDArray[np.int32]:
    numbers = probabilities.fill_null(-1 / _DECIMALS).to_numpy(zero_copy_only=False)
    return np.rint(numbers * _DECIMALS).astype(np.int32)


class Clusters:
    """Of each record by its z_zid the number of its cluster, and how sure it is of its mates: 16 bytes a record."""

    def __init__(self, rows: int):
        self.of = np.full(rows, -1, np.int64)
        self.least = np.full(rows, -1, np.int32)
        self.most = np.full(rows, -1, np.int32)
        self.count = 0

    @classmethod
    def of_run(cls, rows: int, found: Iterator[ClusterRows]) -> "Clusters":
        """Of a match: a cluster's number is its rank by the least z_zid."""
        self = cls(rows)
        # Whom the run set aside stays alone.
        self.of = np.arange(rows)
        for some in found:
            self.of[some.records] = some.clusters
            self.least[some.records], self.most[some.records] = some.least, some.most
        first = np.full(rows, rows, np.int64)
        np.minimum.at(first, self.of, np.arange(rows))
        heads = first[self.of]
        ranks = np.cumsum(heads == np.arange(rows)) - 1
        self.of = ranks[heads]
        self.count = int(ranks[-1]) + 1 if rows else 0
        return self

    def add_links(self, found: Iterator[ClusterRows], firsts: int) -> None:
        """Of a link of the first source, which has so many records, with another.

        A cluster's number is the z_zid of the record of the first.
        """
        parts = list(found)
        if not parts:
            return
        rows = ClusterRows(*(np.concatenate(each) for each in zip(*parts, strict=True)))
        linked = rows.most >= 0
        rows = ClusterRows(*(each[linked] for each in rows))
        of_first = rows.records < firsts
        head = dict(zip(rows.clusters[of_first].tolist(), rows.records[of_first].tolist(), strict=True))
        self.of[rows.records] = [head[cluster] for cluster in rows.clusters.tolist()]
        self.most[rows.records] = np.maximum(self.most[rows.records], rows.most)

    def linked(self, firsts: int) -> tuple[int, int]:
        """How many records of the first source, and of the others, are linked."""
        there = self.of >= 0
        return int(there[:firsts].sum()), int(there[firsts:].sum())


def clustered_batches(
    sources: Sources, clusters: Clusters, schema: "pa.Schema"
) -> tuple[Iterator["pa.RecordBatch"], "pa.Schema"]:
    """All records as they came, behind z_minScore, z_maxScore and z_cluster."""
    front = [("z_minScore", pa.float64()), ("z_maxScore", pa.float64()), ("z_cluster", pa.int64())]
    written = pa.schema([*front, *schema])

    def batches() -> Iterator["pa.RecordBatch"]:
        for source in sources.each:
            for start, batch in source.batches():
                rows = slice(start, start + len(batch))
                columns = [
                    _scores(clusters.least[rows]),
                    _scores(clusters.most[rows]),
                    pa.array(clusters.of[rows]),
                    *in_columns(batch, schema).columns,
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=written)

    return batches(), written


def linked_batches(
    sources: Sources, clusters: Clusters, schema: "pa.Schema"
) -> tuple[Iterator["pa.RecordBatch"], "pa.Schema"]:
    """The records that are linked as they came, between z_cluster and z_score, and z_zsource."""
    front = [("z_cluster", pa.int64()), ("z_score", pa.float64())]
    written = pa.schema([*front, *schema, ("z_zsource", pa.string())])

    def batches() -> Iterator["pa.RecordBatch"]:
        for source in sources.each:
            for start, batch in source.batches():
                rows = slice(start, start + len(batch))
                there = pa.array(clusters.of[rows] >= 0)
                columns = [
                    pa.array(clusters.of[rows]),
                    _scores(clusters.most[rows]),
                    *in_columns(batch, schema).columns,
                    pa.array([source.pipe.name] * len(batch), pa.string()),
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=written).filter(there)

    return batches(), written


def _scores(millionths: NDArray[np.int32]) -> "pa.Array":
    return pa.array(millionths / _DECIMALS, mask=millionths < 0)
