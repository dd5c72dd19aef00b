"""Pairs of records that wait for an answer, and those that have one: trainingData/unmarked and trainingData/marked.

Both are folders of Parquet files with two rows a pair, as Zingg has them:

    z_zid         number of the record when the pair was found
    z_cluster     the same in both rows, and in no others
    z_prediction  1.0: taken for a match, 0.0: not; -1.0: there was no model
    z_score       how likely it is a match, from 0 to 1
    z_isMatch     1 match, 0 no match, 2 not sure; -1: not answered
    ...           the fields, as they were read
    z_zsource     name of the pipe
"""

import os
from collections.abc import Sequence
from pathlib import Path

from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.zingg.extras import library

pa = library("pyarrow")
pc = library("pyarrow.compute")
parquet = library("pyarrow.parquet")

_FRONT = (
    ("z_zid", pa.int64()),
    ("z_cluster", pa.string()),
    ("z_prediction", pa.float64()),
    ("z_score", pa.float64()),
    ("z_isMatch", pa.int32()),
)


class TrainingData:
    """The pairs of a model.

    folder  zinggDir/modelId/trainingData
    """

    def __init__(self, folder: Path):
        self.unmarked, self.marked = folder / "unmarked", folder / "marked"

    def read_unmarked(self) -> pa.Table | None:
        """All that were found, answered or not; None where there is none."""
        return _read(self.unmarked)

    def read_marked(self) -> pa.Table | None:
        """Those with an answer; None where there is none."""
        return _read(self.marked)

    def waiting(self) -> pa.Table | None:
        """Those without an answer; None where there is none."""
        found, marked = self.read_unmarked(), self.read_marked()
        if found is None or marked is None:
            return found
        answered = pc.is_in(found["z_cluster"], value_set=marked["z_cluster"].combine_chunks())
        found = found.filter(pc.invert(answered))
        return found if len(found) else None

    def add_unmarked(self, pairs: pa.Table) -> None:
        _add(self.unmarked, pairs)

    def add_marked(self, pairs: pa.Table) -> None:
        _add(self.marked, pairs)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if file.is_file() and file.name[0] not in "._")


def _read(folder: Path) -> pa.Table | None:
    tables = []
    for file in _files(folder):
        try:
            table = parquet.read_table(file)
        except (pa.ArrowException, OSError) as error:
            what = f"cannot be read as Parquet: {str(error).splitlines()[0]}"
            raise MistakesError([Mistake(str(file), what, "Move it away, or bring it anew.")]) from None
        missing = [name for name in ("z_cluster", "z_isMatch") if name not in table.column_names]
        if missing:
            what = f"holds no pairs of records: no column {' and no column '.join(missing)}."
            raise MistakesError([Mistake(str(file), what, "Move it away.")])
        tables.append(table)
    if not tables:
        return None
    try:
        found = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        what = f"its files have columns of different types: {str(error).splitlines()[0]}"
        raise MistakesError(
            [Mistake(str(folder), what, "Bring them to one type, or move some away.")]
        ) from None
    return found.set_column(
        found.schema.get_field_index("z_cluster"), "z_cluster", found["z_cluster"].cast(pa.string())
    )


def _add(folder: Path, pairs: pa.Table) -> None:
    """A file more in a folder, which is there whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 0
    while (path := folder / f"part-{number:05d}.parquet").exists():
        number += 1
    aside = folder / f".{path.name}.unfinished"
    parquet.write_table(pairs, aside)
    os.replace(aside, path)


def pairs_table(
    pairs: Sequence[tuple[str, float, int, int]], records: pa.Table, numbers: Sequence[int]
) -> pa.Table:
    """Pairs (z_cluster, z_score, z_zid, z_zid) without an answer, as a table.

    records, numbers  the fields and z_zsource of all of them, and the z_zid of each
    """
    place = {number: at for at, number in enumerate(numbers)}
    ids = [record for _, _, *both in pairs for record in sorted(both)]
    clusters = [cluster for cluster, *_ in pairs for _ in range(2)]
    scores = [score for _, score, *_ in pairs for _ in range(2)]
    front = [ids, clusters, [float(score >= 0.5) for score in scores], scores, [-1] * len(ids)]
    found = records.take([place[record] for record in ids])
    columns = [pa.array(values, kind) for values, (_, kind) in zip(front, _FRONT, strict=True)]
    return pa.Table.from_arrays(
        [*columns, *found.columns], names=[*(name for name, _ in _FRONT), *found.column_names]
    )
