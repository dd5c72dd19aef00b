"""What a person sees of what was learnt, and what to do next."""

import shlex
from collections.abc import Sequence
from shutil import get_terminal_size
from textwrap import wrap

from pehchan.console.learning_run import Learnt
from pehchan.learning.labels import ANSWERS, MATCH, NO_MATCH


def found_text(found: Learnt) -> str:
    """What the model knows, and what is not safe about it."""
    model, width = found.model, get_terminal_size((110, 40)).columns
    if found.again:
        records = model.learnt_from.get("records", 0)
        head = f"Learnt from {records:,} records"
        if found.labels is not None:
            counts = found.labels.counts()
            head += f" and {counts[MATCH]:,} labels of {ANSWERS[MATCH]}, {counts[NO_MATCH]:,} of {ANSWERS[NO_MATCH]}"
        head += ":"
    else:
        head = "The model that there is was taken:"
    lines = [head, *(_item(text, width) for text in model.findings)]
    if found.left_out:
        columns = "; ".join(f"{name} ({reason})" for name, reason in found.left_out.items())
        lines.append(_item(f"Not learnt from: {columns}.", width))
    for warning in model.warnings:
        lines.append("\n".join(wrap(f"warning: {warning}", width)))
    return "\n".join(lines) + "\n"


def _item(text: str, width: int) -> str:
    return "\n".join(wrap(text, width, initial_indent="  ", subsequent_indent="    "))


def next_text(found: Learnt, model: str, inputs: Sequence[str], link: bool) -> str:
    """What to do next."""
    if not found.questions:
        return f"No pair waits for an answer in {model}."
    again = shlex.join(["pehchan", "match", *(["--link"] if link else []), *inputs, "--model", model])
    return (
        f"{found.questions:,} pairs that are worth a label wait in {model}:\n"
        f"  pehchan label --model {shlex.quote(model)}\n  {again}"
    )
