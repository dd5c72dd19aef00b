"""The commands of a state: records that come later, decisions of people, and what became of entities."""

import argparse
from typing import TYPE_CHECKING, Any

from pehchan.console.options import add_progress_options, add_runner_options, command, count

if TYPE_CHECKING:
    from pehchan.console.updating import Updated


def add_commands(commands: Any) -> None:
    """Add them to the commands of pehchan."""
    update = command(commands, "update", run_update, "bring new, changed and deleted records into a state")
    _add_state(update)
    update.add_argument(
        "inputs", nargs="*", metavar="NEW", help="files or folders of new and changed records"
    )
    update.add_argument(
        "--deleted", default="", metavar="FILE", help="ids of records that are gone, one a line"
    )
    _add_keep(update)
    add_runner_options(update)
    add_progress_options(update)


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "state", metavar="STATE", help="folder of a state, as match or dedupe --state made it"
    )


def _add_keep(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keep", type=count, default=10, metavar="N", help="versions of the state that are kept (10)"
    )


def run_update(options: argparse.Namespace) -> int:
    """Bring records into a state."""
    from pehchan.console.pipeline import quiet_mrjob
    from pehchan.console.progress import Progress
    from pehchan.console.updating import UpdateRequest, run_update
    from pehchan.metadata.mistakes import Mistake, MistakesError

    if not options.inputs and not options.deleted:
        raise MistakesError(
            [Mistake("update", "nothing to bring in.", "Name files of records, or give --deleted FILE.")]
        )
    quiet_mrjob(options.verbose)
    request = UpdateRequest(
        options.state, options.inputs, options.deleted, options.runner, options.conf_path, options.keep
    )
    print(updated_text(run_update(request, Progress(quiet=options.quiet))))
    return 0


def updated_text(updated: "Updated") -> str:
    """What an update changed, for a person."""
    counts = updated.update.counts
    lines = [f"warning: {warning}" for warning in updated.warnings]
    names = ("new", "changed", "unchanged", "deleted")
    lines.append("records: " + ", ".join(f"{counts.get(name, 0):,} {name}" for name in names))
    if counts.get("not there"):
        lines.append(f"{counts['not there']:,} ids to delete are not in the state")
    if updated.rejected:
        lines.append(f"{updated.rejected:,} lines set aside ({updated.rejected_in})")
    state = updated.state
    if not updated.update.changes:
        lines.append(f"{state.folder} is as it was, at version {state.number}")
        return "\n".join(lines)
    became: dict[str, int] = {}
    for entry in updated.update.log:
        became[entry["change"]] = became.get(entry["change"], 0) + 1
    told = ", ".join(f"{number:,} {what}" for what, number in became.items()) or "none changed"
    lines.append(f"entities: {told}")
    of_all = state.manifest.counts
    lines.append(
        f"{state.folder} is at version {state.number}: {of_all['records']:,} records, {of_all['entities']:,} entities"
    )
    return "\n".join(lines)
