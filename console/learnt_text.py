"""What a person sees of what was learnt, and what to do next."""

from shutil import get_terminal_size
from textwrap import wrap

from pehchan.console.going_on import Origin, label_command, match_command
from pehchan.console.learning_run import Learnt
from pehchan.learning.labels import ANSWERS, MATCH, NO_MATCH


def found_text(found: Learnt) -> str:
    """What the model knows, and what is not safe about it."""
    model, width = found.model, get_terminal_size((110, 40)).columns
    if found.again:
        records = model.learnt_from.get("records", 0)
        head = f"Learnt from {records:,} record{'' if records == 1 else 's'}"
        if found.labels is not None:
            counts = found.labels.counts()
            head += (
                f" and labels ({counts[MATCH]:,} {ANSWERS[MATCH]}, {counts[NO_MATCH]:,} {ANSWERS[NO_MATCH]})"
            )
        head += ":"
    else:
        head = "Matched with the model that was there, which says:"
    lines = [head, *(_item(text, width) for text in model.findings)]
    if found.left_out:
        columns = "; ".join(f"{name} ({reason})" for name, reason in found.left_out.items())
        lines.append(_item(f"Left out: {columns}.", width))
    for warning in model.warnings:
        lines.append("\n".join(wrap(f"warning: {warning}", width)))
    return "\n".join(lines) + "\n"


def _item(text: str, width: int) -> str:
    return "\n".join(wrap(text, width, initial_indent="  ", subsequent_indent="    "))


def next_text(found: Learnt, origin: Origin) -> str:
    """What to do next, after a command."""
    model = origin.model
    if not found.questions:
        return f"No pair waits for an answer in {model}."
    waiting = "1 pair waits" if found.questions == 1 else f"{found.questions:,} pairs wait"
    if "://" in model:
        return f"{waiting} for an answer in {model}; to label them, match with a --model of this machine."
    return (
        f"{waiting} for an answer, from which it learns most. To answer, and to match with the answers:\n"
        f"  {label_command(model)}\n  {match_command(origin)}"
    )
