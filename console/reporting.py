"""Writing the report of a run, at its end or anew."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pehchan.console.masking import Masking
from pehchan.console.output import REPORT, read_run
from pehchan.learning.whole_files import write_whole
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.plan import Plan
from pehchan.mrjobs.places import LocalPlace, Place

if TYPE_CHECKING:
    from pehchan.console.evaluating import Evaluation
    from pehchan.console.report import Output

#: What pages and plots are made with; all of it comes with pehchan[report].
NEEDED = ("jinja2", "vl_convert")
HOW_TO_GET = "pip install 'pehchan[report]'"


def report_of_run(
    out: Place, run: Mapping[str, Any], plan: Plan, records: Sequence[Place], masking: Masking | None
) -> bool:
    """Write the report of a run that is otherwise done, whose settled records lie there; whether that went well.

    Where not, one line on stderr says why: the result of the run is worth more than its report.
    """
    if not can_report():
        print(
            f"No report was made; to have one: {HOW_TO_GET}. --no-report says none is wanted.",
            file=sys.stderr,
        )
        return False
    try:
        # Only here, as this is slow to import and not all runs want it.
        from pehchan.console.report import Output

        _write(Output(out, plan, records), run, masking)
    except Exception as error:
        print(f"No report could be made, all else is there: {type(error).__name__}: {error}", file=sys.stderr)
        with suppress(OSError):
            (out / REPORT).remove()
        return False
    return True


def can_report() -> bool:
    """Whether what it takes is installed."""
    return all(find_spec(name) is not None for name in NEEDED)


def report_anew(out: Place, evaluation: "Evaluation", masking: Masking | None = None) -> None:
    """Write the report of an output anew, with what an evaluation found. Raises MistakesError."""
    run = read_run(out)
    if not can_report():
        mistakes = Mistakes()
        mistakes.add("--report", "what writes reports is not installed.", f"{HOW_TO_GET}")
        mistakes.raise_if_any()
    from pehchan.console.report import look_at_output

    _write(look_at_output(out, run), run, masking, evaluation)
    out.keep_private([REPORT])


def _write(
    output: "Output", run: Mapping[str, Any], masking: Masking | None, evaluation: "Evaluation | None" = None
) -> None:
    from pehchan.console.report import Truth, gather
    from pehchan.console.report_page import page

    truth = None
    if evaluation is not None:
        truth = Truth(evaluation.scores, evaluation.measures, evaluation.curve)
    made = page(gather(output, run, truth), masking)
    file = output.folder / REPORT
    if isinstance(file, LocalPlace):
        write_whole(file.path, made)
    else:
        file.write(made)
