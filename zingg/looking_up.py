"""Phase runLookup: which entities records belong to, without bringing them in."""

from collections.abc import Iterator
from typing import Any

from pehchan.identity.lookup import Lookup
from pehchan.metadata.mistakes import Mistake, MistakesError, nearest
from pehchan.zingg.entities import entities_of
from pehchan.zingg.entity_rows import DECIMALS, ZINGG_ID
from pehchan.zingg.extras import library
from pehchan.zingg.keys import keys_of
from pehchan.zingg.records import ID, texts_of
from pehchan.zingg.running import Run
from pehchan.zingg.sources import Sources, in_columns
from pehchan.zingg.writing import renewing

pa = library("pyarrow")


def run_lookup(run: Run) -> str:
    """Find the entity of each record of the lookup pipes, and write them with it."""
    configuration = run.configuration
    state, _ = entities_of(run, configuration)
    inputs, outputs = (configuration.more.get(key, ()) for key in ("lookupData", "lookupOutput"))
    for key, named in (("lookupData", inputs), ("lookupOutput", outputs)):
        if not named:
            right = f'Give {{"config": "FILE.json", "{key}": [{{"name": …, "format": …, "props": …}}], …}}.'
            raise MistakesError([Mistake(key, "no pipe is named.", right)])
    pipes = [renewing(pipe, configuration.model_id) for pipe in outputs]
    run.check_pipes_of(inputs, pipes)
    sources = run.read_of(inputs, "lookup", ())
    names = {each.field.name for each in run.columns}
    for source in sources.each:
        if names.isdisjoint(source.schema.names):
            what = f'pipe "{source.pipe.name}" has no column that is compared.'
            right = (
                f"It has: {', '.join(source.schema.names)}. {nearest(source.schema.names[0], sorted(names))}"
            )
            raise MistakesError([Mistake(source.pipe.where, what, right)])
    found = _Found(run, Lookup(state))
    with run.progress.stage("look up"):
        written = run.write(lambda: found.batches(sources), pipes)
    return (
        f"{sources.rows:,} records looked up among {len(found.lookup):,}: {found.known:,} are there already, "
        f"{found.matched:,} belong to an entity, {sources.rows - found.known - found.matched:,} to none\n{written}"
    )


class _Found:
    """Entities of records, and how many there were of each kind."""

    def __init__(self, run: Run, lookup: Lookup):
        self.run, self.lookup = run, lookup
        self.known = self.matched = 0

    def batches(self, sources: Sources) -> tuple[Iterator[Any], Any]:
        """The records as they came behind ZINGG_ID and z_score, and their schema."""
        columns = sources.schema(())
        schema = pa.schema([(ZINGG_ID, pa.string()), ("z_score", pa.float64()), *columns])
        self.known = self.matched = 0

        def batches() -> Iterator[Any]:
            for source in sources.each:
                for _, batch in source.batches():
                    found = self._entities(batch)
                    arrays = [
                        pa.array([entity for entity, _ in found], pa.string()),
                        pa.array([score for _, score in found], pa.float64()),
                        *in_columns(batch, columns).columns,
                    ]
                    yield pa.RecordBatch.from_arrays(arrays, schema=schema)

        return batches(), schema

    def _entities(self, batch: Any) -> list[tuple[str | None, float | None]]:
        """Of each record its entity, and how surely it is of it; None where it is of none."""
        run = self.run
        names = [each.name for each in run.columns]
        texts = [array.to_pylist() for array in texts_of(batch, run.columns, run.stop_words)]
        key = run.configuration.primary_key
        keys = keys_of(batch, key) if set(key) <= set(batch.schema.names) else [""] * len(batch)
        found: list[tuple[str | None, float | None]] = []
        for own, values in zip(keys, zip(*texts, strict=True), strict=True):
            entity = self.lookup.entity_of(own) if own else ""
            if entity:
                self.known += 1
                found.append((entity, 1.0))
                continue
            record = self.lookup.record({ID: own, **dict(zip(names, values, strict=True))})
            near = [each for each in self.lookup.find_record(record) if each.matches]
            self.matched += bool(near)
            found.append((near[0].entity, _score(near[0].probability)) if near else (None, None))
        return found


def _score(probability: float | None) -> float | None:
    return None if probability is None else round(probability, DECIMALS)
