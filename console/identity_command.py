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

    lookup = command(commands, "lookup", run_lookup, "tell which entities of a state a record may belong to")
    _add_state(lookup)
    lookup.add_argument("values", nargs="*", metavar="FIELD=VALUE", help="the values of one record")
    lookup.add_argument(
        "--file",
        metavar="FILE",
        help="many records: a CSV, TSV or JSON-lines file with named columns, or - for JSON lines on standard input, "
        "each of which is answered at once",
    )
    lookup.add_argument(
        "-o", "--out", default="", metavar="OUT", help="with --file, a file for the answers (default: shown)"
    )
    lookup.add_argument("--json", action="store_true", help="answers as JSON, one object a record")


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


def run_lookup(options: argparse.Namespace) -> int:
    """Tell which entities a record, or those of a file, may belong to."""
    from pehchan.console.looking_up import look_up, look_up_file
    from pehchan.metadata.mistakes import Mistakes

    mistakes = Mistakes()
    if bool(options.values) == bool(options.file):
        mistakes.add(
            "lookup",
            "one record, or a file of them.",
            "Give field=value of each field that is known, or --file FILE.",
        )
    elif options.out and not options.file:
        mistakes.add("--out", "it is for the answers to a file.", "Give --file as well, or leave it out.")
    mistakes.raise_if_any()
    if options.file:
        look_up_file(options.state, options.file, options.out, options.json)
    else:
        print(look_up(options.state, options.values, options.json))
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
