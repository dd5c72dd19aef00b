"""The commands of a state: records that come later, decisions of people, and what became of entities."""

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pehchan.console.options import add_progress_options, add_runner_options, command, count
from pehchan.metadata.mistakes import Mistake, MistakesError

if TYPE_CHECKING:
    from pehchan.console.reassigning import Difference
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
    update.add_argument(
        "--refreeze",
        action="store_true",
        help="look at all records anew, by the same model or rules: how frequent values are, and which blocks "
        "are too large; entities keep their ids",
    )
    _add_keep(update)
    add_runner_options(update)
    add_progress_options(update)

    decide = command(
        commands, "decide", run_decide, "say of two records that they are the same thing, or different ones"
    )
    _add_state(decide)
    for name, text in (
        ("same", "the records A and B are one entity"),
        ("different", "they are not"),
        ("undo", "nothing is said of them any more"),
    ):
        decide.add_argument(
            f"--{name}",
            nargs=2,
            action="append",
            default=[],
            metavar=("A", "B"),
            help=f"{text}; may be given again",
        )
    decide.add_argument(
        "--file",
        default="",
        metavar="FILE.csv",
        help="decisions as columns id_a,id_b,decision: same or different",
    )
    _add_keep(decide)
    add_runner_options(decide)
    add_progress_options(decide)

    entities = command(
        commands,
        "entities",
        run_entities,
        "write which record is in which entity, and one record to keep of each",
    )
    _add_state(entities)
    entities.add_argument("-o", "--out", required=True, metavar="OUT", help="output folder")
    entities.add_argument(
        "--since", type=int, metavar="N", help="only entities that changed after version N of the state"
    )
    entities.add_argument("--overwrite", action="store_true", help="replace the output of an earlier run")
    add_runner_options(entities)
    add_progress_options(entities)

    reassign = command(
        commands, "reassign", run_reassign, "give the entities of a state the ids of those that they continue"
    )
    _add_state(reassign)
    reassign.add_argument(
        "--from", dest="earlier", required=True, metavar="OLD_STATE", help="the state whose ids go on"
    )
    _add_keep(reassign)
    _add_shown(reassign)

    diff = command(commands, "diff", run_diff, "what became of the entities of one state in another")
    diff.add_argument("before", metavar="A", help="a state, or as STATE@N version N of it")
    diff.add_argument("after", metavar="B", help="another state, or version")
    _add_shown(diff)

    history = command(commands, "history", run_history, "what changed in a state, and why")
    _add_state(history)
    history.add_argument("id", nargs="?", metavar="ID", help="of an entity or a record; default: of all")
    _add_shown(history)

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


def _add_shown(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-n", type=int, default=10, metavar="N", help="how many entities are shown (10)")
    parser.add_argument("--json", action="store_true", help="all of them, as a JSON object a line")


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

    if options.refreeze and not options.inputs and not options.deleted:
        return _refreeze(options)
    if not options.inputs and not options.deleted:
        raise MistakesError(
            [Mistake("update", "nothing to bring in.", "Name files of records, or give --deleted FILE.")]
        )
    quiet_mrjob(options.verbose)
    request = UpdateRequest(
        options.state, options.inputs, options.deleted, options.runner, options.conf_path, options.keep
    )
    print(updated_text(run_update(request, Progress(quiet=options.quiet)), options.state))
    return _refreeze(options) if options.refreeze else 0


def _refreeze(options: argparse.Namespace) -> int:
    from pehchan.console.pipeline import quiet_mrjob
    from pehchan.console.progress import Progress
    from pehchan.console.renewing import refreeze

    quiet_mrjob(options.verbose)
    progress = Progress(quiet=options.quiet)
    found = refreeze(options.state, progress, options.runner, options.conf_path, options.keep)
    print(difference_text(found, 0))
    assert found.state is not None
    print(f"{options.state} is renewed, at version {found.state.number}")
    return 0


def run_decide(options: argparse.Namespace) -> int:
    """Keep decisions."""
    from pehchan.console.deciding import DecideRequest, run_decide
    from pehchan.console.pipeline import quiet_mrjob
    from pehchan.console.progress import Progress

    if not (options.same or options.different or options.undo or options.file):
        right = "Give --same A B, --different A B, --undo A B or --file FILE.csv."
        raise MistakesError([Mistake("decide", "nothing is decided.", right)])
    quiet_mrjob(options.verbose)
    request = DecideRequest(
        options.state,
        options.same,
        options.different,
        options.undo,
        options.file,
        options.runner,
        options.conf_path,
        options.keep,
    )
    print(updated_text(run_decide(request, Progress(quiet=options.quiet)), options.state))
    return 0


def run_entities(options: argparse.Namespace) -> int:
    """Write the entities of a state."""
    from pehchan.console.entities import EntitiesRequest, run_entities
    from pehchan.console.pipeline import quiet_mrjob
    from pehchan.console.progress import Progress

    quiet_mrjob(options.verbose)
    request = EntitiesRequest(
        options.state, options.out, options.since, options.overwrite, options.runner, options.conf_path
    )
    written = run_entities(request, Progress(quiet=options.quiet))
    since = "" if options.since is None else f" that changed since version {options.since}"
    print(
        f"{written.entities:,} entities of {written.records:,} records{since}, at version {written.state.number}"
    )
    if written.gone:
        gone = "1 entity is" if written.gone == 1 else f"{written.gone:,} entities are"
        print(f"{gone} there no more")
    print(f"written to {options.out}: members/, entities/{', gone/' if since else ''}, run.json")
    return 0


def run_reassign(options: argparse.Namespace) -> int:
    """Let entities keep their ids in a new state."""
    from pehchan.console.reassigning import reassign

    found = reassign(options.state, options.earlier, options.keep)
    _print_difference(found, options)
    if not options.json and found.state is not None:
        print(f"{options.state} is at version {found.state.number}, with the ids of {options.earlier}")
        if found.decided:
            print(f"{found.decided:,} decisions of {options.earlier} hold in it from now on")
    return 0


def run_diff(options: argparse.Namespace) -> int:
    """Compare two states."""
    from pehchan.console.reassigning import difference

    _print_difference(difference(options.before, options.after), options)
    return 0


def _print_difference(found: "Difference", options: argparse.Namespace) -> None:
    if options.json:
        for entry in found.entries:
            print(json.dumps(entry))
    else:
        print(difference_text(found, options.n))


def run_history(options: argparse.Namespace) -> int:
    """Show the log of a state."""
    from pehchan.identity.entities import current_entities
    from pehchan.identity.state import open_state

    state = open_state(options.state)
    # Of a record also what became of the entity that it is in.
    ids = {options.id, *([current_entities(state).get(options.id)] if options.id else [])}
    named = ("entity", "from", "to", "came", "left", "changed")
    entries = [
        entry
        for entry in state.log()
        if options.id is None or any(not ids.isdisjoint(each) for each in _listed(entry, named))
    ]
    if options.json:
        for entry in entries:
            print(json.dumps(entry))
        return 0
    for entry in entries[-options.n :] if options.n else []:
        print(entry_text(entry))
    if not entries:
        what = f"{options.id} never changed" if options.id else "nothing changed"
        print(f"{what} since the first version of {options.state}")
    elif len(entries) > options.n:
        print(f"and {len(entries) - options.n:,} before these (-n, or --json for all)")
    return 0


def _listed(entry: dict[str, Any], names: Sequence[str]) -> Iterator[Sequence[str]]:
    for name in names:
        value = entry.get(name, [])
        yield [value] if isinstance(value, str) else value


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


def updated_text(updated: "Updated", name: str) -> str:
    """What an update changed in the state of a name, for a person."""
    counts = updated.update.counts
    lines = [f"warning: {warning}" for warning in updated.warnings]
    kinds = [kind for kind in ("new", "changed", "unchanged", "deleted") if counts.get(kind)]
    if kinds:
        lines.append("records: " + ", ".join(f"{counts[kind]:,} {kind}" for kind in kinds))
    if counts.get("not there"):
        lines.append(f"{counts['not there']:,} ids to delete are not in the state")
    if updated.rejected:
        lines.append(f"{updated.rejected:,} lines set aside ({updated.rejected_in})")
    state = updated.state
    if not updated.update.changes:
        lines.append(f"{name} is as it was, at version {state.number}")
        return "\n".join(lines)
    became: dict[str, int] = {}
    for entry in updated.update.log:
        became[entry["change"]] = became.get(entry["change"], 0) + 1
    told = ", ".join(f"{number:,} {what}" for what, number in became.items()) or "none changed"
    lines.append(f"entities: {told}")
    of_all = state.manifest.counts
    lines.append(
        f"{name} is at version {state.number}: {of_all['records']:,} records, {of_all['entities']:,} entities"
    )
    return "\n".join(lines)


def difference_text(found: "Difference", shown: int, reassign: str = "reassign") -> str:
    """What became of entities, for a person: the first ones in full.

    reassign  what the command is called that gives entities the ids of others
    """
    lines = [
        f"entities: {found.before:,} before, {found.after:,} now, {found.same:,} the same",
        *(f"  {number:,} {what}" for what, number in sorted(found.kinds.items())),
    ]
    if found.same < found.alike:
        lines.append(
            f"{found.alike:,} groups of records are one entity in both; {reassign} gives them the same ids."
        )
    for entry in found.entries[:shown]:
        lines.append(entry_text(entry))
    if 0 < shown < len(found.entries):
        lines.append(f"and {len(found.entries) - shown:,} more (-n, or --json for all)")
    return "\n".join(lines)


def entry_text(entry: dict[str, Any]) -> str:
    """An entry of a log in a line or some."""
    lines = [f"version {entry['version']}: {entry['entity']} {entry['change']}"]
    for name in ("from", "to", "came", "left", "changed"):
        if name in entry:
            lines.append(f"  {name}: {', '.join(entry[name])}")
    for name, one in (("pairs", "pair"), ("pairs no longer", "no pair any more"), ("decisions", "decided")):
        for a, b, said in entry.get(name, ()):
            what = "probability " if isinstance(said, float) else "distance " if isinstance(said, int) else ""
            lines.append(f"  {one}: {a} and {b}, {what}{said}")
    return "\n".join(lines)
