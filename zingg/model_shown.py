"""Phases exportModel, peekModel and assessModel: what is known of a model, as a file and in words."""

import csv
import io
import json
import shlex
from collections import Counter
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from pehchan.learning.labels import ANSWERS, MODEL_FILE
from pehchan.learning.model import Model
from pehchan.learning.whole_files import write_whole
from pehchan.metadata.mistakes import Mistake, MistakesError
from pehchan.zingg.labelling import NAMES, shown
from pehchan.zingg.marking import ANSWER, CLUSTER, PREDICTION, Marking, Pair, counts

if TYPE_CHECKING:
    from pehchan.zingg.running import Run

EXPORTED_FILE = "exportedData.csv"

_PREDICTIONS = {1.0: NAMES[1], 0.0: NAMES[0]}
_WIDTH = 110


def export_model(run: "Run") -> str:
    """Write the marked pairs into a file of training samples, for other models."""
    location = run.asked.location
    if not location:
        raise MistakesError([Mistake("--location", "no folder is named.", "Give --location DIR.")])
    if "://" in location:
        raise MistakesError([Mistake("--location", f"{location} is no folder of this machine.", "Name one.")])
    marking = marked(run)
    names = [each.name for each in run.configuration.fields]
    columns = [name for name in names if name in marking.fields] or list(marking.fields)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([CLUSTER, ANSWER, *columns])
    for pair in marking.marked:
        for row in pair.rows:
            writer.writerow([pair.cluster, pair.answer, *(shown(row.get(name)) for name in columns)])
    path = Path(location) / EXPORTED_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.getvalue().encode())
    props = {"location": str(path), "header": "true"}
    sample = json.dumps({"name": "samples", "format": "csv", "props": props}, ensure_ascii=False)
    return (
        f"{len(marking.marked):,} pairs written to {path}\n"
        f'To learn from them elsewhere, in a configuration:\n  "trainingSamples": [{sample}]\n'
        f"or without one:\n  pehchan match FILE --labels {shlex.quote(str(path))}"
    )


def marked(run: "Run") -> Marking:
    """The marked pairs of a model. Raises MistakesError where there are none."""
    data = run.training_data
    marking = Marking(data)
    if not marking.marked:
        right = f"Label some: {run.asked.next('findAndLabel')}"
        raise MistakesError([Mistake(str(data.marked), "no pair is labelled yet.", right)])
    for reason in marking.odd:
        run.asked.tell(f"warning: {reason}")
    return marking


def read_model(run: "Run") -> Model:
    """The learnt model. Raises MistakesError where there is none."""
    try:
        return Model.read(run.model)
    except ValueError as error:
        what = str(error).partition("\n")[0]
        raise MistakesError([Mistake("", what, f"Learn one: {run.asked.next('train')}")]) from None


def peek_model(run: "Run") -> str:
    """What the model learnt, in words."""
    model = read_model(run)
    lines = [f"The model of {run.model / MODEL_FILE}:"]
    for text in model.findings:
        lines += wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="    ")
    for text in model.warnings:
        lines += wrap(f"warning: {text}", _WIDTH)
    lines.append("How often values are the same, of two records that match and of two strangers:")
    rows = agreements(model)
    width = max(len(name) for name, _, _ in rows)
    lines += [f"  {name:{width}}  {matches:8.1%}  {strangers:8.1%}" for name, matches, strangers in rows]
    lines.append("Records are compared that share one of:")
    keys = model.keys.texts(model.fields)
    lines += wrap("; ".join(keys), _WIDTH, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(lines)


def agreements(model: Model) -> list[tuple[str, float, float]]:
    """Of each field how often its values are the same, in [0, 1], of matches and of strangers: the last level."""
    return [
        (field.name, float(model.estimate.m[place][-1]), float(model.estimate.u[place][-1]))
        for place, field in enumerate(model.fields)
    ]


def assess_model(run: "Run") -> str:
    """How many pairs are marked, and how often the model that chose them had thought the same."""
    data = run.training_data
    marking = Marking(data)
    found = counts(marking.marked)
    rows = [
        ("marked", len(marking.marked)),
        *((f"  {ANSWERS[answer]}", count) for answer, count in found.items()),
        ("unmarked", len(marking.waiting)),
    ]
    lines = [f"{name:12}{count:6,}" for name, count in rows]
    predicted = [pair for pair in marking.marked if pair.probability is not None]
    if not predicted:
        lines.append("No marked pair was chosen by a model, so there is nothing to compare answers with.")
        return "\n".join(lines)
    lines += [
        "",
        f"{len(predicted):,} of them were chosen by a model; answers (rows), and what it had thought:",
    ]
    lines.append(" " * 14 + "".join(f"{name:>14}" for name in _PREDICTIONS.values()))
    table = Counter((pair.answer, _prediction(pair)) for pair in predicted)
    for answer, name in NAMES.items():
        cells = "".join(f"{table[answer, each]:14,}" for each in _PREDICTIONS)
        lines.append(f"{name:14}{cells}")
    lines.append("These pairs were the hardest to tell: of all pairs a model gets far more right.")
    return "\n".join(lines)


def _prediction(pair: Pair) -> float:
    return float(pair.rows[0][PREDICTION])
