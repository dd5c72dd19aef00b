"""The phases: what pehchan zingg --phase P, and Python programs, run."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pehchan.console.jobs import RUNNERS, local_folder
from pehchan.console.learning_run import Learning, Learnt, run_learning
from pehchan.console.learnt_text import found_text
from pehchan.console.pipeline import Result, run_pipeline
from pehchan.learning.asked import QUESTIONS_FILE, read_questions
from pehchan.learning.labels import MATCH, MODEL_FILE, NO_MATCH, name_pair
from pehchan.learning.model import Model
from pehchan.metadata.mistakes import Mistake, MistakesError, nearest
from pehchan.zingg.blocks import blocks_text
from pehchan.zingg.configuration import Configuration, Pipe
from pehchan.zingg.documents import generate_docs
from pehchan.zingg.entities import (
    diff,
    entities_of,
    match_entities,
    pairs_of_entity,
    reassign_zingg_id,
    run_incremental,
)
from pehchan.zingg.entity_rows import EntityRows
from pehchan.zingg.explaining import explained
from pehchan.zingg.keys import with_keys
from pehchan.zingg.labelling import label, update_label
from pehchan.zingg.labels import Answers
from pehchan.zingg.looking_up import run_lookup
from pehchan.zingg.model_shown import assess_model, export_model, peek_model, read_model
from pehchan.zingg.recommending import recommended
from pehchan.zingg.results import Clusters, clustered_batches, linked_batches, read_clusters
from pehchan.zingg.running import Asked, Run
from pehchan.zingg.sources import Sources
from pehchan.zingg.training_data import pairs_table
from pehchan.zingg.writing import renewing, write_pipe

#: Pairs that are found at a time.
FOUND = 20

#: How records of another pipe may be linked with those of the first; the second is tried where the first links only
#: a small share of the records of the smaller pipe: it finds links of records that are hardly alike.
LINKED_AS, FEW = ("many-to-one", "one-to-one"), 0.01

#: Labels of either kind that make a model surer; Zingg asked for them.
ENOUGH = 5


def run_phase(name: str, configuration: Configuration, asked: Asked | None = None) -> str:
    """Run a phase; what was done and what to do next, for a person.

    Raises MistakesError where something given is wrong, before work starts, and RunError after it.
    """
    asked = asked or Asked()
    phase = find_phase(name)
    if asked.runner in RUNNERS and "" not in RUNNERS[asked.runner]:
        # The records are on this machine once they are read, and so are models and entities.
        what = f"phases run on this machine, whose files {asked.runner} does not read."
        right = (
            "Use -r local, which takes all cores; or pehchan match, with files where the cluster reads them."
        )
        raise MistakesError([Mistake(f"-r {asked.runner}", what, right)])
    for notice in configuration.notices:
        asked.tell(notice)
    with local_folder() as here:
        return phase.run(Run(configuration, asked, here))


def train(run: Run) -> str:
    run.check_pipes()
    sources = run.read()
    answers = run.answers(sources)
    _warn_of_few(run, answers)
    records = run.records(range(len(sources.each)), sources)
    learning = Learning(str(run.model), answers.write(run.here / "labels.csv"), anew=True, ask=0)
    run_learning(run.request("train", [records]), learning, run.progress, run.announce)
    shutil.rmtree(run.model / "link", ignore_errors=True)
    return f"{_found(learning)}\nThe model is in {run.model}. To match with it:\n  {run.asked.next('match')}"


def match(run: Run) -> str:
    return _match(run, anew=False)


def train_match(run: Run) -> str:
    return _match(run, anew=True)


def _match(run: Run, anew: bool) -> str:
    run.check_pipes(output=True)
    known = (run.model / MODEL_FILE).exists()
    sources = run.read()
    key, keys = run.configuration.primary_key, list[str]()
    if key:
        sources, keys = with_keys(sources, key, run.folder / "rejected", run.asked.tell)
        if not keys:
            where, what = run.configuration.data[0].where, f"no record has a {' and a '.join(key)}."
            raise MistakesError([Mistake(where, what, "Name the field that says which record is which.")])
    labels: list[str] = []
    if anew or not known:
        answers = run.answers(sources)
        if not anew:
            run.asked.tell(f"There is no model in {run.model} yet; it is learnt now, as trainMatch does.")
        _warn_of_few(run, answers)
        labels = answers.write(run.here / "labels.csv")
    learning = Learning(str(run.model), labels, anew, ask=0)
    if key:
        result, written = match_entities(run, sources, keys, learning)
    else:
        result, written = _match_clusters(run, sources, learning)
    counts = result.counts
    several, doubled = (
        counts["Clusters", name] for name in ("Of two or more", "Records that duplicate another")
    )
    count = sources.rows - doubled
    goes_on = ""
    if key:
        goes_on = (
            f"The entities are kept in {run.state}: records that come later join them with runIncremental.\n"
        )
    return (
        f"{_found(learning)}\n"
        f"{sources.rows:,} records in {count:,} {'entities' if key else 'clusters'}: {several:,} of two or more "
        f"records ({several + doubled:,} records), {count - several:,} of one\n"
        f"{written}\n{goes_on}"
        f"Where it is not right, answer questions, and match again{_anew(run)}:\n"
        f"  {run.asked.next('findAndLabel')}\n  {run.asked.next('trainMatch')}"
    )


def _match_clusters(run: Run, sources: Sources, learning: Learning) -> tuple[Result, str]:
    """Match records that nothing identifies in other runs, and write their clusters; where, for a person."""
    records = run.records(range(len(sources.each)), sources)
    out = str(run.here / "matched")
    result = run_pipeline(run.request("match", [records], out), run.progress, run.announce, learning)
    clusters = Clusters.of_run(sources.rows, read_clusters(Path(out) / "clusters"))
    if result.counts["Records", "Rejected"]:
        run.asked.tell(
            f"{result.counts['Records', 'Rejected']:,} records could not be compared, and stay alone."
        )
    schema = sources.schema(run.configuration.fields)
    return result, run.write(lambda: clustered_batches(sources, clusters, schema))


def link(run: Run) -> str:
    if len(run.configuration.data) < 2:
        where = run.configuration.data[0].where if run.configuration.data else "data"
        right = "Name the pipe whose records are linked first, and those they are linked with after it."
        raise MistakesError([Mistake(where, "link needs two pipes of data or more.", right)])
    run.check_pipes(output=True)
    sources = run.read()
    for source in sources.each:
        if not source.rows:
            raise MistakesError([Mistake(source.pipe.where, "no records.", "Give pipes that hold some.")])
    answers = run.answers(sources)
    _warn_of_few(run, answers)
    labels = answers.write(run.here / "labels.csv")
    first = run.records([0], sources, "first")
    clusters = Clusters(sources.rows)
    told = []
    for number, source in enumerate(sources.each[1:], 1):
        # The pipes after the first may hold the same things, so that they are linked one by one.
        records = [run.records([number], sources, f"other-{number}"), first]
        both = f'"{sources.each[0].pipe.name}" and "{source.pipe.name}"'
        few = FEW * min(source.rows, sources.each[0].rows)
        learning, out = _linked(run, records, number, labels, both, few)
        clusters.add_links(read_clusters(out / "clusters"), sources.each[0].rows)
        told.append(f"{both}: {_found(learning)}")
    schema = sources.schema(run.configuration.fields)
    written = run.write(lambda: linked_batches(sources, clusters, schema))
    linked, others = clusters.linked(sources.each[0].rows)
    return "\n".join(
        [
            *told,
            f'{linked:,} of {sources.each[0].rows:,} records of "{sources.each[0].pipe.name}" are linked with '
            f"{others:,} of {sources.rows - sources.each[0].rows:,} others",
            written,
        ]
    )


def _linked(
    run: Run, records: Sequence[str], number: int, labels: Sequence[str], both: str, few: float
) -> tuple[Learning, Path]:
    """What was learnt of the links of the records of a pipe with those of the first, and the output of the run.

    few  links that are so few that another way is tried
    """
    found: list[tuple[int, Learning, Path]] = []
    for kind in LINKED_AS:
        learning = Learning(str(run.model / "link" / f"{number}-{kind}"), labels, ask=0)
        out = run.here / f"linked-{number}-{kind}"
        request = run.request("match", records, str(out), kind)
        result = run_pipeline(request, run.progress, run.announce, learning)
        found.append((result.counts["Pairs", "Kept"], learning, out))
        if found[-1][0] >= few:
            break
    # The first of those with as many.
    _, learning, out = max(found, key=lambda each: each[0])
    if learning is not found[0][1]:
        run.asked.tell(
            f"{both}: hardly a pair matches where several records may belong to one of the first; so neither pipe is "
            "taken to hold duplicates."
        )
    return learning, out


def find_training_data(run: Run) -> str:
    run.check_pipes()
    sources = run.read()
    answers = run.answers(sources, with_waiting=True)
    records = run.records(range(len(sources.each)), sources)
    folder = run.here / "model"
    folder.mkdir()
    if (run.model / MODEL_FILE).exists():
        # The model of the phase match stays what train made it.
        shutil.copy(run.model / MODEL_FILE, folder)
    # Samples may be among the records, and nobody knows which they are.
    learning = Learning(str(folder), answers.write(run.here / "labels.csv"), ask=FOUND + len(answers.labels))
    run_learning(run.request("findTrainingData", [records]), learning, run.progress, run.announce)
    asked = read_questions(folder / QUESTIONS_FILE)
    known = answers.known()
    pairs: list[tuple[str, float, int, int]] = []
    for question in asked.questions:
        texts = frozenset(tuple(record.items) for record in (question.first, question.second))
        if texts not in known and len(pairs) < FOUND:
            known.add(texts)
            name = name_pair(asked.columns, question.first, question.second)
            pairs.append((name, question.probability or 0.0, int(question.first.id), int(question.second.id)))
    if not pairs:
        return f"No pair is left to ask about.\n  {run.asked.next('train')}"
    numbers = sorted({number for pair in pairs for number in pair[2:]})
    fields = [each.name for each in run.configuration.fields]
    data = run.training_data
    data.add_unmarked(pairs_table(pairs, sources.take(numbers, fields), numbers))
    waiting = f"{len(pairs):,} pairs found"
    if answers.waiting:
        waiting += f"; {answers.waiting:,} from before still wait"
    return f"{waiting}: {data.unmarked}\nTo answer them:\n  {run.asked.next('label')}"


def recommend(run: Run) -> str:
    configuration = run.configuration
    names = [each.name for each in configuration.fields]
    if configuration.column not in names:
        what = f'no field "{configuration.column}".' if configuration.column else "no column is named."
        right = f"Give --column. {nearest(configuration.column or '', names)}"
        raise MistakesError([Mistake("--column", what, right)])
    run.check_pipes()
    sources = run.read()
    words = recommended(sources, configuration.column, configuration.stop_words_cutoff)
    if not words:
        share = f"{configuration.stop_words_cutoff:.3g}"
        return f"No word is more than {share} of all words of {configuration.column} (stopWordsCutoff)."
    path = run.folder / "stopWords" / configuration.column
    shutil.rmtree(path, ignore_errors=True)
    pipe = Pipe("stopWords", "csv", {"location": str(path), "header": "true"}, mode="overwrite")
    write_pipe(pipe, [words], words.schema, configuration.model_id)
    shown = ", ".join(f"{word} ({count:,})" for word, count in zip(*words.to_pydict().values(), strict=True))
    return (
        f"{words.num_rows:,} words of {configuration.column} that tell little: {shown}\n"
        f"They stand in {path}; leave in it what is to be left out of the comparison, and name it for the field "
        f'{configuration.column}:\n  "stopWords": "{path}"'
    )


def verify_blocking(run: Run) -> str:
    model = _model(run)
    run.check_pipes()
    return blocks_text(model, run.read(), run.columns, run.stop_words)


def explain(run: Run) -> str:
    model, output = _model(run), run.configuration.output
    told = []
    if pipes := run.configuration.more.get("explainOutput"):
        told.append(_explained_pairs(run, pipes))
    if not run.asked.clusters or not output:
        what = "no z_cluster is named, and no ZINGG_ID." if output else "no output holds a result."
        right = (
            "Give --cluster with one of the result, or with two of them, as 3,7, to see why they are not one."
        )
        raise MistakesError([Mistake("--cluster", what, right)])
    told.insert(0, explained(output[0], run.asked.clusters, model, run.columns, run.stop_words, run.here))
    return "\n".join(told)


def _explained_pairs(run: Run, pipes: Sequence[Pipe]) -> str:
    """Write the pairs of an entity that match; where they are, for a person."""
    state, _ = entities_of(run, run.configuration)
    rows = EntityRows(state)
    named = run.asked.clusters
    if not named or named[0] not in rows.entities:
        what = f"there is no entity {named[0]}." if named else "no entity is named."
        raise MistakesError(
            [Mistake("--zinggid", what, "The column ZINGG_ID of the result has those that there are.")]
        )
    outputs = [renewing(pipe, run.configuration.model_id) for pipe in pipes]
    run.check_pipes_of((), outputs)
    return run.write(lambda: pairs_of_entity(rows, named[0]), outputs)


def _model(run: Run) -> Model:
    """The model that there is. Raises MistakesError where there is none, or it compares something else."""
    model = read_model(run)
    names = {each.name for each in run.columns}
    if missing := [field.name for field in model.fields if field.name not in names]:
        what = f"the model compares {', '.join(missing)}, which fieldDefinition does not."
        raise MistakesError([Mistake(str(run.model), what, f"Learn it anew: {run.asked.next('train')}")])
    return model


def _warn_of_few(run: Run, answers: Answers) -> None:
    yes, no = answers.count(MATCH), answers.count(NO_MATCH)
    if min(yes, no) >= ENOUGH:
        return
    run.asked.tell(
        f"There are labels of {yes:,} matches and {no:,} others. What matches is learnt from the records themselves; "
        f"a model is surer with {ENOUGH} labels of each or more. To give some:\n  {run.asked.next('findAndLabel')}"
    )


def _found(learning: Learning) -> str:
    found: Learnt | None = learning.found
    assert found is not None
    return found_text(found).rstrip("\n")


def _anew(run: Run) -> str:
    """What else it takes to write a result in the place of one."""
    modes = {pipe.mode for pipe in run.configuration.output}
    return (
        "" if modes <= {"overwrite"} else ' (with "mode": "overwrite" in output, which replaces this result)'
    )


def find_and_label(run: Run) -> str:
    run.asked.tell(find_training_data(run))
    return label(run)


class Phase(NamedTuple):
    """A phase, and what it does in a few words."""

    run: Callable[[Run], str]
    text: str


#: By name.
PHASES: dict[str, Phase] = {
    "findTrainingData": Phase(find_training_data, "find pairs whose answers help most"),
    "label": Phase(label, "ask of the pairs that were found whether they match"),
    "findAndLabel": Phase(find_and_label, "findTrainingData, then label"),
    "updateLabel": Phase(update_label, "change answers"),
    "train": Phase(train, "learn a model from the records, and from answers"),
    "match": Phase(match, "cluster the records with the model"),
    "trainMatch": Phase(train_match, "train, then match"),
    "link": Phase(link, "link the records of the first pipe with those of the others"),
    "recommend": Phase(recommend, "find words of a column that tell little"),
    "verifyBlocking": Phase(verify_blocking, "show what the learnt keys make meet"),
    "runIncremental": Phase(run_incremental, "bring records that come later into the entities of match"),
    "runLookup": Phase(run_lookup, "find the entities that records belong to"),
    "diff": Phase(diff, "say what became of the entities of --compareTo"),
    "reassignZinggId": Phase(reassign_zingg_id, "let the ids of --originalZinggId go on"),
    "explain": Phase(explain, "show what each field says of the records of a cluster, or of two"),
    "explainOutput": Phase(explain, "the same"),
    "generateDocs": Phase(generate_docs, "write pages about the labelled pairs, the model and the data"),
    "exportModel": Phase(export_model, "write the labelled pairs as training samples, with --location"),
    "peekModel": Phase(peek_model, "say what the model learnt"),
    "assessModel": Phase(assess_model, "compare answers with what the model had thought"),
}

#: Phases of Zingg that are not here, and what to do instead.
ELSEWHERE = {
    "approve": "pehchan decide of zinggDir/modelId/state keeps what people say of two records.",
    "transform": "Give a pipe of another format as output.",
    "stats": "The summary of match has the numbers.",
    "outputStats": "The summary of match has the numbers.",
}


def find_phase(name: str) -> Phase:
    """A phase by its name in any case. Raises MistakesError where there is none."""
    by_name = {each.lower(): phase for each, phase in PHASES.items()}
    if name.lower() in by_name:
        return by_name[name.lower()]
    for known, instead in ELSEWHERE.items():
        if name.lower() == known.lower():
            raise MistakesError([Mistake("--phase", f"{known} is not built.", instead)])
    raise MistakesError([Mistake("--phase", f'unknown phase "{name}".', nearest(name, PHASES))])
