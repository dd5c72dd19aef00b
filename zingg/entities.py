"""Phases of entities that stay: match with a primary key keeps them as a state, and runIncremental, diff and
reassignZinggId go on from it.
"""

import csv
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pehchan.clustering.decisions import DIFFERENT, SAME
from pehchan.console.identity_command import difference_text, entry_text, updated_text
from pehchan.console.learning_run import Learning
from pehchan.console.output import replace_folder
from pehchan.console.pipeline import Result, run_pipeline
from pehchan.console.reassigning import Difference, difference, reassign
from pehchan.console.updating import UpdateRequest, run_update
from pehchan.identity.entities import by_entity, current_entities
from pehchan.identity.state import State, is_state, open_newest, open_state
from pehchan.learning.labels import MODEL_FILE
from pehchan.learning.model import Model
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.places import whole_path
from pehchan.zingg.configuration import Configuration, Pipe
from pehchan.zingg.data_types import arrow_type
from pehchan.zingg.entity_rows import ROWS, EntityRows
from pehchan.zingg.extras import library
from pehchan.zingg.kept_rows import KeptRows
from pehchan.zingg.keys import values_of, with_keys
from pehchan.zingg.records import ID
from pehchan.zingg.running import Run, state_of
from pehchan.zingg.sources import Sources
from pehchan.zingg.values import conversion
from pehchan.zingg.writing import renewing

pa = library("pyarrow")

#: What of a model tells it from others.
_LEARNT = ("learnt from", "threshold", "intercept", "coefficients", "share of matches")

#: Entities of a difference that are shown.
SHOWN = 5


def match_entities(run: Run, sources: Sources, keys: Sequence[str], learning: Learning) -> tuple[Result, str]:
    """Match records with a primary key, keep their entities, and write them; where, for a person.

    Entities that were there go on with their ids, and what people decided of them still holds.
    """
    rows = KeptRows.of(sources, run.configuration.fields)
    records = run.records(range(len(sources.each)), sources, keys=keys, rows=rows)
    request = run.request("match", [records], str(run.here / "matched"))
    before = open_newest(str(run.state)) if is_state(str(run.state)) else None
    unfinished = run.state.with_name(f"state.{uuid.uuid4().hex[:8]}.unfinished")
    request.state = str(unfinished)
    if before is not None:
        request.decisions = _decisions(before, run.here)
    try:
        result = run_pipeline(request, run.progress, run.announce, learning)
        if rejected := result.counts["Records", "Rejected"]:
            run.asked.tell(f"{rejected:,} records could not be compared, and are in no entity.")
        if before is not None and not current_entities(before).keys().isdisjoint(keys):
            found = reassign(str(unfinished), str(run.state))
            told = f"Entities that were there go on with their ids; {difference_text(found, 0)}"
            if gone := len(current_entities(before).keys() - set(keys)):
                told += f"\n{gone:,} records that were there are not in data, and in no entity any more"
            run.asked.tell(told)
        replace_folder(whole_path(str(unfinished)), whole_path(str(run.state)))
    finally:
        whole_path(str(unfinished)).remove()
    return result, run.write(lambda: _batches(run.configuration, EntityRows(open_state(str(run.state)))))


def _batches(
    configuration: Configuration, rows: EntityRows, entities: frozenset[str] | None = None
) -> tuple[Iterator[Any], Any]:
    return rows.batches([each.name for each in configuration.fields], entities)


def _decisions(state: State, here: Path) -> str | None:
    """A file of what people decided of the records of a state."""
    decided = state.read_decisions()
    if not decided:
        return None
    path = here / "decided.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        written = csv.writer(file)
        written.writerow(["id_a", "id_b", "decision"])
        written.writerows([each.a[1], each.b[1], SAME if each.same else DIFFERENT] for each in decided)
    return str(path)


def run_incremental(run: Run) -> str:
    """Bring records into the state that match has made, and write all records, and those of changed entities."""
    configuration = run.configuration
    state, rows = entities_of(run, configuration)
    inputs, gone = (configuration.more.get(key, ()) for key in ("incrementalData", "deletedData"))
    if not inputs and not gone:
        right = 'Give {"config": "FILE.json", "incrementalData": [{"name": …, "format": …, "props": …}]}.'
        raise MistakesError([Mistake("incrementalData", "no pipe says which records to bring in.", right)])
    _check_columns(run, state.read_plan())
    model_id = configuration.model_id
    outputs, changed = (
        [renewing(pipe, model_id) for pipe in pipes]
        for pipes in (configuration.output, configuration.more.get("outputTmp", ()))
    )
    run.check_pipes_of([*inputs, *gone], [*outputs, *changed])
    request = UpdateRequest(str(run.state), runner=run.asked.runner, conf_path=run.asked.conf_path)
    deleted = dict.fromkeys(_keys_in(run, gone))
    if inputs:
        sources = run.read_of(inputs, "incremental", configuration.fields)
        rows.check(sources)
        if unknown := rows.unknown(sources):
            run.asked.tell(f"left out, as records from before have no such column: {', '.join(unknown)}.")
        sources, keys = with_keys(sources, configuration.primary_key, run.folder / "rejected", run.asked.tell)
        if both := [key for key in keys if key in deleted]:
            what = f"{len(both):,} records are also among the new ones: {', '.join(both[:3])}."
            raise MistakesError([Mistake(gone[0].where, what, "Leave them out of one of the two.")])
        request.inputs = [run.records(range(len(sources.each)), sources, keys=keys, rows=rows)]
    if deleted:
        request.deleted = str(run.here / "deleted.txt")
        Path(request.deleted).write_text("".join(f"{key}\n" for key in deleted), encoding="utf-8")
    updated = run_update(request, run.progress)
    told = [updated_text(updated, str(run.state))]
    all_rows = EntityRows(updated.state)
    told.append(run.write(lambda: _batches(configuration, all_rows), outputs))
    if changed:
        entities = frozenset(entry["entity"] for entry in updated.update.log)
        written = run.write(lambda: _batches(configuration, all_rows, entities), changed)
        told.append(f"records of changed entities: {written}")
    return "\n".join(filter(None, told))


def _keys_in(run: Run, pipes: Sequence[Pipe]) -> list[str]:
    """The keys of the records of some pipes, which need no other columns."""
    if not pipes:
        return []
    fields = [each for each in run.configuration.fields if each.primary_key]
    sources = run.read_of(pipes, "keys", fields)
    return with_keys(sources, run.configuration.primary_key, run.folder / "rejected", run.asked.tell)[1]


def entities_of(run: Run, configuration: Configuration) -> tuple[State, KeptRows]:
    """The state of a configuration. Raises MistakesError where there is none, or one that no phase made."""
    where = configuration.data[0].where.partition(" ")[0] if configuration.data else "config"
    if not configuration.primary_key:
        what = "no field is the primary key, which says which record is which in every run."
        right = 'Add "primaryKey": true to one of fieldDefinition (setPrimaryKey(True)), and run match.'
        raise MistakesError([Mistake(f"{where} fieldDefinition", what, right)])
    folder = str(state_of(configuration))
    if not is_state(folder):
        what = f"there are no entities of the model {configuration.model_id} yet."
        right = f"Make them first: {run.asked.next('trainMatch')}, with {where}."
        raise MistakesError([Mistake(folder, what, right)])
    state = open_state(folder)
    rows = KeptRows.in_columns(state.read_plan().schema.columns)
    if rows is None:
        what = "it keeps no whole rows, as states that pehchan's own commands make."
        raise MistakesError([Mistake(folder, what, "Make one with the phase match, in another zinggDir.")])
    return state, rows


def _check_columns(run: Run, plan: Plan) -> None:
    """Raises MistakesError where the state was made with other fields, or with another model than there is now."""
    anew = f"Match anew with {run.asked.next('trainMatch')}, whose entities keep their ids."
    now = [ID, *(each.name for each in run.columns)]
    kinds = {each.name: tuple(each.kinds) for each in run.columns}
    before = {each.name: tuple(each.kinds or ()) for each in plan.schema.fields}
    if list(plan.schema.columns[:-1]) != now or before != kinds:
        what = "fieldDefinition compares other columns than those that the entities were made with."
        raise MistakesError([Mistake(str(run.state), what, anew)])
    if (run.model / MODEL_FILE).exists() and not _same_model(
        Model.read(run.model).to_dict(), plan.model or {}
    ):
        what = f"the model in {run.model} is another one than that which made the entities."
        raise MistakesError([Mistake(str(run.state), what, anew)])


def _same_model(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two models were learnt as one; what is counted of values changes with --refreeze."""
    return all(one[key] == other.get(key) for key in _LEARNT)


def _original(run: Run, option: str) -> Configuration:
    original = run.configuration.original
    if original is None:
        right = f"Give {option} FILE.json, the configuration whose entities were there before."
        raise MistakesError([Mistake(option, "no configuration is named.", right)])
    return original


def _difference_told(found: Difference) -> str:
    """What became of entities, for a person: the first ones in full."""
    lines = [difference_text(found, 0, "reassignZinggId"), *map(entry_text, found.entries[:SHOWN])]
    if len(found.entries) > SHOWN:
        lines.append(f"and {len(found.entries) - SHOWN:,} more")
    return "\n".join(lines)


def diff(run: Run) -> str:
    """What became of the entities of another configuration in those of this one."""
    configuration, original = run.configuration, _original(run, "--compareTo")
    after, _ = entities_of(run, configuration)
    before, _ = entities_of(run, original)
    pipes = [
        renewing(pipe, configuration.model_id) for pipe in configuration.more.get("transformedOutputPath", ())
    ]
    run.check_pipes_of((), pipes)
    told = [_difference_told(difference(str(before.folder), str(after.folder)))]
    if pipes:
        was, now = current_entities(before), current_entities(after)
        told.append(run.write(lambda: _moved(configuration, was, now), pipes))
    return "\n".join(told)


def _moved(
    configuration: Configuration, was: Mapping[str, str], now: Mapping[str, str]
) -> tuple[Iterator[Any], Any]:
    """The keys of records that are together with others than before, and their entities then and now."""
    fields = [each for each in configuration.fields if each.primary_key]
    schema = pa.schema(
        [
            *((each.name, arrow_type(each.data_type)) for each in fields),
            ("ZINGG_ID_UPDATED", pa.string()),
            ("ZINGG_ID_ORIGINAL", pa.string()),
        ]
    )
    mates_then, mates_now = (
        {record: records for records in by_entity(entities).values() for record in records}
        for entities in (was, now)
    )
    moved = [key for key in sorted({*was, *now}) if mates_then.get(key) != mates_now.get(key)]

    def batches() -> Iterator[Any]:
        for start in range(0, len(moved), ROWS):
            some = moved[start : start + ROWS]
            keys = list(zip(*(values_of(key, [each.name for each in fields]) for key in some), strict=True))
            columns = [
                [conversion(each.data_type)(value) for value in values]
                for each, values in zip(fields, keys, strict=True)
            ]
            columns += [[entities.get(key) for key in some] for entities in (now, was)]
            arrays = [pa.array(values, column.type) for values, column in zip(columns, schema, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return batches(), schema


def reassign_zingg_id(run: Run) -> str:
    """Give the entities of this configuration the ids of those of another one that they continue."""
    configuration, original = run.configuration, _original(run, "--originalZinggId")
    entities_of(run, configuration)
    before, _ = entities_of(run, original)
    outputs = configuration.more.get("transformedOutputPath", ()) or configuration.output
    pipes = [renewing(pipe, configuration.model_id) for pipe in outputs]
    run.check_pipes_of((), pipes)
    found: Difference = reassign(str(run.state), str(before.folder))
    assert found.state is not None
    rows = EntityRows(found.state)
    return (
        f"{_difference_told(found)}\n"
        f"{run.state} is at version {found.state.number}, with the ids of {state_of(original)}\n"
        f"{run.write(lambda: _batches(configuration, rows), pipes)}"
    )


def pairs_of_entity(rows: EntityRows, entity: str) -> tuple[Iterator[Any], Any]:
    """The pairs of records of an entity that match: pk1, pk2 and z_score, the surest first."""
    schema = pa.schema([("pk1", pa.string()), ("pk2", pa.string()), ("z_score", pa.float64())])
    a, b, scores = rows.pairs()
    found = sorted(
        (-score, *sorted((rows.keys[i], rows.keys[j])))
        for i, j, score in zip(a.tolist(), b.tolist(), scores.tolist(), strict=True)
        if rows.entities[i] == entity
    )
    columns = ([pair[1] for pair in found], [pair[2] for pair in found], [-pair[0] for pair in found])
    arrays = [pa.array(values, column.type) for values, column in zip(columns, schema, strict=True)]
    return iter([pa.RecordBatch.from_arrays(arrays, schema=schema)]), schema
