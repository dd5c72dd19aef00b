"""Learning within a run: records are profiled, a model is learnt from a sample of them, and pairs that are worth a
label are left where `pehchan label` finds them.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson

from pehchan.console.going_on import Origin
from pehchan.console.inputs import Prepared
from pehchan.console.jobs import Jobs, local_folder
from pehchan.console.labelling import alone
from pehchan.console.output import tagged_lines, whole_folder
from pehchan.console.pipeline import (
    Request,
    Result,
    check,
    clean_sets,
    machine_memory,
    read_records,
    settled_records,
    tasks_at_once,
)
from pehchan.console.progress import Progress
from pehchan.learning.asked import (
    AT_RANDOM,
    LIKELY_MATCH,
    QUESTIONS_FILE,
    UNCERTAIN,
    Question,
    Questions,
    write_questions,
)
from pehchan.learning.asking import to_ask
from pehchan.learning.em import sigmoid
from pehchan.learning.fields import LearntField, kinds_of
from pehchan.learning.in_memory import candidates_of, learn_of
from pehchan.learning.labelled import LabelledPairs
from pehchan.learning.labels import LABELS_FILE, MODEL_FILE, Labels, read_labels
from pehchan.learning.learn import Pairs
from pehchan.learning.model import Model
from pehchan.learning.neighbours import wanted
from pehchan.learning.odds import CUTOFF, SCALE, STEPS
from pehchan.learning.patterns import Floats, Positions
from pehchan.learning.profile import Profile, merged
from pehchan.learning.table import Table
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.plan import TASK_MEGABYTES, Plan
from pehchan.metadata.properties import Settings
from pehchan.metadata.records import Record, Records
from pehchan.metadata.schema import Field
from pehchan.mrjobs.learnt import model_of, ordinals_of
from pehchan.mrjobs.places import LocalPlace, Place, place, whole_path
from pehchan.mrjobs.profile_records import ProfileRecords
from pehchan.mrjobs.wire import PROFILE, RECORDS

#: Records that are learnt from at the most: a sample by the hash of their ids, so that learning takes no longer, and
#: no more memory, however many there are.
LEARNT_FROM = 40_000

#: Clusters are merged up to this mean of the distances of all their pairs: two log odds beyond the threshold.
MEAN = CUTOFF + 2 * STEPS

#: Records from which on several tasks share the keys, though one could hold them all.
WORTH_SHARING = 200_000

#: How many times the bytes that a record takes where it is compared it takes where it is scored, about.
SCORED = 1.5

#: Records of a bucket where texts have neighbours, and so meet all others.
TEXTS_A_BUCKET = 10_000

#: Cells at the most: from some times as many as keys on, more of them hold hardly fewer records each.
MOST_CELLS = 4096

#: Megabytes of a task on this machine where memory.mb is not set, if it has four times as much.
LOCAL_MEGABYTES = 2_000

#: Probabilities beyond which a pair that is asked about is a likely match, or there by chance.
LIKELY, UNLIKELY = 0.9, 0.1


@dataclass
class Learnt:
    """What came of learning.

    model      that was learnt, or read
    again      whether it was learnt in this run
    labels     what people said, if they were asked
    questions  how many pairs were left to be answered
    left_out   why columns are not learnt from, by name
    """

    model: Model
    again: bool
    labels: Labels | None = None
    questions: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)


class _Sample(NamedTuple):
    """Some records, as they were read, and what is counted of all."""

    profile: Profile
    records: list[Record]


@dataclass
class Learning:
    """What is asked of learning, and what came of it.

    folder   of the model; "" for one in the output
    files    of labels, besides those of the folder
    anew     learn although there is a model that knows these labels
    ask      pairs to ask about; 0 for none
    out      the output of the run, if it has one; labels of a model in an earlier one are kept
    origin   the command, for those that go on from its questions
    """

    folder: str = ""
    files: Sequence[str] = ()
    anew: bool = False
    ask: int = 20
    out: str = ""
    origin: Origin | None = None
    found: Learnt | None = None

    def check(self, plan: Plan, prepared: Prepared, mistakes: Mistakes) -> Plan:
        """The plan of a run that learns; adds a mistake for all that stands in its way."""
        schema = plan.schema
        if not self._check_folder(mistakes):
            return plan
        if schema.partition_ordinal is not None or not plan.sets or plan.join == "same_id":
            mistakes.add(
                schema.where,
                "what is learnt knows no partitions, and no sets that are told by ids.",
                "Use dedupe or link, or take these out of the schema and the properties.",
            )
        if plan.items_needed:
            mistakes.add(
                "output",
                "match writes no other columns of the records, and knows no sifarish.compat.",
                "Take sts.output.record, sts.extra.output.field, sts.include.passive.fields and sifarish.compat out.",
            )
        if schema.blocking:
            mistakes.warn(schema.where, "blocking: is not used.", "The keys are learnt.")
        if plan.settings.cutoff is not None or plan.settings.cluster_cutoff is not None:
            mistakes.warn(
                "sts.dist.threshold, cluster.cutoff", "not used.", "From where on pairs match is learnt."
            )
        named = {each.ordinal for each in schema.fields}
        for key in (*schema.must_link, *schema.cannot_link):
            for part in key.parts:
                if part.ordinal is not None and part.ordinal not in named:
                    mistakes.add(
                        key.where, f"{part.column or part.ordinal} is none of the fields.", "Add it to them."
                    )
        self._labels = None
        paths = [Path(path) for path in self.files]
        if self._earlier is not None and (self._earlier / LABELS_FILE).exists():
            paths.append(self._earlier / LABELS_FILE)
        if paths:
            names = [each.column or each.name for each in schema.fields]
            self._labels = read_labels(paths, schema.id or "", names)
            for warning in self._labels.warnings():
                mistakes.warn("labels", warning, "They are left out.")
        self._known = None
        if self._named and self._earlier is not None and (self._earlier / MODEL_FILE).exists():
            try:
                self._known = Model.read(self._earlier)
            except ValueError as error:
                what, _, right = str(error).partition("\n")
                if not self.anew:
                    mistakes.add("--model", what, right + " --anew does.")
        if self._known is not None and not self._to_learn:
            if self._known.clean != _clean(plan):
                mistakes.warn(
                    "--model",
                    f"it was learnt for {_partners(self._known.clean)}, and is used for {_partners(_clean(plan))}.",
                    "From where on pairs match may be off; --anew learns it for these.",
                )
            schema = replace(schema, fields=self._fields_of_model(schema.fields, prepared, mistakes))
        settings = replace(plan.settings, scale=SCALE)
        if not clean_sets(plan) and settings.cluster_by == Settings().cluster_by:
            # The pairs of a component are few, and all that is known of them counts.
            settings = replace(settings, cluster_by="average", cluster_mean=MEAN, cluster_absent="computed")
        return replace(plan, schema=schema, settings=settings, cutoff=CUTOFF, join="learnt")

    def _check_folder(self, mistakes: Mistakes) -> bool:
        """Find where a model, or labels, may lie already; a mistake, and False, where no model can."""
        self._named, self._earlier = bool(self.folder), None
        inside = whole_path(self.out) / "model" if self.out else None
        if self.folder:
            folder = Path(self.folder)
            if "://" in self.folder or (folder.exists() and not folder.is_dir()):
                right = "Name one; it is made if need be."
                mistakes.add("--model", f"{self.folder} is no folder of this machine.", right)
                return False
            where = str(whole_path(self.folder))
            if inside is None or where != str(inside):
                if self.out and f"{where}/".startswith(f"{whole_path(self.out)}/"):
                    right = f"Name one elsewhere, or {self.out}/model."
                    mistakes.add("--model", f"{self.folder} is in the output, which is written anew.", right)
                    return False
                self._earlier = folder
                return True
            self.folder = ""
        if isinstance(inside, LocalPlace):
            self._earlier = inside.path
        return True

    @property
    def _to_learn(self) -> bool:
        """Whether there is no model that knows these labels."""
        return (
            self.anew
            or self._known is None
            or (self._labels is not None and self._known.learnt_from.get(DIGEST) != _digest(self._labels))
        )

    def _fields_of_model(
        self, fields: Sequence[Field], prepared: Prepared, mistakes: Mistakes
    ) -> tuple[Field, ...]:
        """Those of the schema, and columns that the model knows besides."""
        assert self._known is not None
        by_name = {each.name: each for each in fields}
        for each in self._known.fields:
            if each.name in by_name:
                continue
            if each.name in prepared.columns:
                by_name[each.name] = Field(each.name, prepared.columns.index(each.name), "exact")
            else:
                mistakes.add(
                    "--model",
                    f'the model knows a column "{each.name}", which the input lacks.',
                    f"It has: {', '.join(prepared.columns or by_name)}. Name another --model, or give --anew.",
                )
        return tuple(by_name.values())

    def plan(self, plan: Plan, records: Mapping[str, Place], jobs: Jobs, here: Path, work: Place) -> Plan:
        """Learn from settled records, by set, or take the model that there is; the plan that scores by it."""
        if self._to_learn or self.ask:
            sample = _look(plan, records, jobs, here, work)
            self._learn(plan, sample, here)
        else:
            assert self._known is not None
            self.found = Learnt(self._known, False, self._labels)
        found = self.found
        assert found is not None
        if not self.folder:
            (work / "model").make()
            for file in sorted((here / "model").iterdir()):
                (work / "model" / file.name).write(file.read_bytes())
        return with_model(plan, found.model, jobs)

    def resume(self, plan: Plan, work: Place) -> None:
        """Take what a run learnt that broke off later; `plan` is the one that scores by it."""
        model = Model.from_dict(plan.model or {})
        file = (place(self.folder) if self.folder else work / "model") / QUESTIONS_FILE
        questions = len(json.loads(file.read())["questions"]) if file.exists() else 0
        self.found = Learnt(model, False, self._labels, questions)

    def _learn(self, plan: Plan, sample: _Sample, here: Path) -> None:
        """Learn from a sample, and write the model and what to ask."""
        chosen = kinds_of(sample.profile, {each.name: each.kinds for each in plan.schema.fields})
        again = self._to_learn
        fields = chosen.fields if again or self._known is None else self._known.fields
        table = _table(plan, fields, sample.records)
        labels = None if self._labels is None else _labelled(plan, fields, self._labels)
        if again:
            model, pairs, _, _ = learn_of(sample.profile, table, labels, _clean(plan))
            if self._labels is not None:
                learnt_from = {**model.learnt_from, DIGEST: _digest(self._labels)}
                model = replace(model, learnt_from=learnt_from)
        else:
            assert self._known is not None
            model = self._known
            pairs = candidates_of(model, table)
        folder = Path(self.folder) if self.folder else here / "model"
        folder.mkdir(parents=True, exist_ok=True)
        if not self.folder and self._earlier is not None and (self._earlier / LABELS_FILE).exists():
            # The output is replaced, and answers of people are not.
            with alone(self._earlier):
                (folder / LABELS_FILE).write_bytes((self._earlier / LABELS_FILE).read_bytes())
        asked = to_ask(model, pairs, labels, self.ask) if self.ask else np.zeros(0, np.int64)
        log_odds = model.log_odds(pairs.table, pairs.i[asked], pairs.j[asked]) - model.threshold
        questions = _questions(plan, sample.records, pairs, asked, log_odds)
        with alone(folder):
            if again or not self.folder:
                model.write(folder)
            if self.ask:
                write_questions(folder / QUESTIONS_FILE, questions)
                if self.origin is not None:
                    self.origin.write(folder)
        self.found = Learnt(model, again, self._labels, len(asked), chosen.left_out)


def _look(plan: Plan, records: Mapping[str, Place], jobs: Jobs, here: Path, work: Place) -> _Sample:
    """A sample of settled records, by set, and what is counted of all."""
    path, out = here / "plan-to-profile.json", work / "internal" / "profile"
    replace(plan, input="settled").write(path)
    folders = list(map(str, records.values()))
    jobs.run(ProfileRecords, folders, out, ["--plan", str(path), "--sample", str(LEARNT_FROM)])
    parts, sampled = [], []
    for tag, payload in tagged_lines([out]):
        if tag == PROFILE:
            parts.append(Profile.from_dict(orjson.loads(payload)))
        elif tag == RECORDS:
            sampled += Records.decode(payload)
    names = [each.name for each in plan.schema.fields]
    profile = merged(parts).trimmed() if parts else Profile.of(names, [[] for _ in names], [])
    return _Sample(profile, sampled)


@dataclass
class KnownModel:
    """A model that a run takes as it is, where `Learning` learns one.

    like    the plan that has it
    frozen  what candidacy depends on: as in that plan, or {} to be found out
    counts  whether the values of all records are counted anew: the rarer a value is, the more it tells that two
            records have it
    """

    like: Plan
    frozen: Mapping[str, Any]
    counts: bool = False

    def check(self, plan: Plan, prepared: Prepared, mistakes: Mistakes) -> Plan:
        """The plan of a run of the same columns; adds a mistake where there are others."""
        schema = self.like.schema
        lacking = [name for name in schema.columns if prepared.columns and name not in prepared.columns]
        if lacking:
            mistakes.add(
                "--like",
                f"the input lacks columns of the state: {', '.join(lacking)}.",
                "Give files that have them.",
            )
        if prepared.columns and list(prepared.columns) != list(schema.columns):
            mistakes.add(
                "--like",
                f"the state has the columns {', '.join(schema.columns)}, in this order.",
                "Give the files that it was made of, or such as are like them.",
            )
        return replace(self.like, input=plan.input, frozen=self.frozen)

    def plan(self, plan: Plan, records: Mapping[str, Place], jobs: Jobs, here: Path, work: Place) -> Plan:
        """The plan that scores settled records, by set, with the model."""
        model = model_of(self.like)
        if self.counts:
            profile = _look(plan, records, jobs, here, work).profile
            counted = {
                each.name: each
                for each in kinds_of(profile, {each.name: (each.kind,) for each in model.fields}).fields
            }
            fields = [
                replace(counted[each.name], ordinal=each.ordinal)
                if each.name in counted and counted[each.name].kind == each.kind
                else each
                for each in model.fields
            ]
            model = replace(model, fields=tuple(fields))
        return with_model(plan, model, jobs)

    def resume(self, plan: Plan, work: Place) -> None:
        """Nothing was learnt."""


#: What of a model tells the labels that it knows.
DIGEST = "digest of labels"


def _digest(labels: Labels) -> str:
    """What changes with the labels."""
    told = sorted(
        [label.pair, label.answer, *sorted([list(label.first), list(label.second)])]
        for label in labels.labels
    )
    return hashlib.blake2b(orjson.dumps(told), digest_size=8).hexdigest()


def _clean(plan: Plan) -> tuple[int, ...]:
    """Of two sets, the numbers of those without duplicates."""
    return tuple(plan.sets.index(name) for name in clean_sets(plan)) if len(plan.sets) == 2 else ()


def _partners(clean: Sequence[int]) -> str:
    """What two sets hold of which these are without duplicates."""
    if len(clean) == 2:
        return "two sets without duplicates"
    if clean:
        return f"two sets of which the {('first', 'second')[clean[0]]} is without duplicates"
    return "records among which there may be any number of duplicates"


def _table(plan: Plan, fields: Sequence[LearntField], records: Sequence[Record]) -> Table:
    ordinals = ordinals_of(plan, fields)
    columns = [[record.items[ordinal] for record in records] for ordinal in ordinals]
    return Table.of(fields, columns, [record.id for record in records], plan.set_numbers(records))


def _labelled(plan: Plan, fields: Sequence[LearntField], labels: Labels) -> LabelledPairs:
    """Labels as pairs of a table of their own; a column that they lack is missing in all of its records."""
    places = {name: place for place, name in enumerate(labels.columns)}
    columns_of = {each.name: each.column or each.name for each in plan.schema.fields}
    wanted_places = [places.get(columns_of[each.name], places.get(each.name)) for each in fields]
    records = [record for label in labels.labels for record in (label.first, label.second)]
    columns = [
        ["" if place is None else record.items[place] for record in records] for place in wanted_places
    ]
    # Those without an id are of nobody else.
    ids = [record.id or f"label {number}" for number, record in enumerate(records)]
    known = {name: number for number, name in enumerate(plan.sets)}
    sets = [known.get(record.set, 0) for record in records]
    first = np.arange(0, len(records), 2, dtype=np.int64)
    answers = np.array([label.answer for label in labels.labels], dtype=np.int8)
    return LabelledPairs(Table.of(fields, columns, ids, sets), first, first + 1, answers)


def _questions(
    plan: Plan, records: Sequence[Record], pairs: Pairs, asked: Positions, log_odds: Floats
) -> Questions:
    fields = plan.schema.fields

    def shown(row: int) -> Record:
        record = records[row]
        return record._replace(items=[record.items[each.ordinal or 0] for each in fields])

    return Questions(
        tuple(each.column or each.name for each in fields),
        tuple(
            Question(
                shown(int(pairs.i[place])),
                shown(int(pairs.j[place])),
                LIKELY_MATCH if likely > LIKELY else AT_RANDOM if likely < UNLIKELY else UNCERTAIN,
                likely,
            )
            for place, likely in zip(asked.tolist(), sigmoid(log_odds).tolist(), strict=True)
        ),
    )


def with_model(plan: Plan, model: Model, jobs: Jobs) -> Plan:
    """The plan that scores by a model, with as many cells as memory asks for."""
    records, held = jobs.counts["Records", "Read"], SCORED * jobs.counts["Records", "Bytes held"]
    tasks = tasks_at_once(jobs.runner, plan)
    room = _room(plan.settings, jobs.runner, tasks)
    cells = tasks if records >= WORTH_SHARING else 1
    # A record goes to the cell of each of its keys.
    keys = max(1, len(model.keys.keys))
    while held * (1 - (1 - 1 / cells) ** keys) > room and cells < MOST_CELLS:
        cells += max(1, cells // 2)
    buckets = 1
    if plan.frozen is not None and wanted(model.fields):
        # The words of a record are in no key, so that one cell has all records.
        cells = 1
    elif wanted(model.fields):
        # Where cells share the records, none of them has all that may be near one: buckets do.
        buckets = max(1 if cells == 1 else 2, -(-records // TEXTS_A_BUCKET))
    return replace(
        plan, model=model.to_dict(), shared_cells=cells, default_buckets=(buckets,) * len(plan.sets)
    )


def _room(settings: Settings, runner: str, tasks: int) -> float:
    """Bytes that a task has for records."""
    megabytes = settings.memory_mb
    if runner in ("inline", "local") and megabytes == Settings().memory_mb:
        of_machine = (machine_memory() or 0) / 1e6 / 2 / tasks
        megabytes = max(megabytes, min(LOCAL_MEGABYTES, int(of_machine)))
    return max(1, megabytes - TASK_MEGABYTES) * 1e6


def run_learning(
    request: Request, learning: Learning, progress: Progress, announce: Callable[[Result], None]
) -> None:
    """Learn a model, or choose pairs to ask about; nothing but the folder of the model is written.

    Raises MistakesError before work starts, RunError after it.
    """
    result = Result(request)
    with local_folder() as here:
        inputs, prepared, plan = check(request, result, here, learning=learning)
        announce(result)
        jobs = Jobs(request.runner, request.conf_path, progress)
        with whole_folder(str(here / "learning"), False) as folder, jobs.workplace(folder) as work:
            with progress.stage("read"):
                read_records(prepared, inputs, plan, jobs, here, work)
            with progress.stage("learn"):
                learning.plan(plan, settled_records(prepared, work), jobs, here, work)
