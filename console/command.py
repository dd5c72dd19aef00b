"""The pehchan command.

Exit codes: 0 all went well; 1 the run failed, and nothing was written; 2 what was given is wrong, and nothing
was run; 3 the output could not be written (disk full, no permission); 130 interrupted.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pehchan
from pehchan.clustering.cutting import WAYS
from pehchan.console.going_on import DEFAULT_OUT, Origin
from pehchan.console.identity_command import add_commands
from pehchan.console.options import add_progress_options, add_runner_options, command, count
from pehchan.metadata.mistakes import Mistake, Mistakes, MistakesError
from pehchan.mrjobs import interrupts

if TYPE_CHECKING:
    from pehchan.console.pipeline import Request, Result

OK, FAILED, MISTAKEN, UNWRITABLE, INTERRUPTED = 0, 1, 2, 3, 130


#: Adds a command, of a room above this one, to those of the parser.
AddCommand = Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None]


def main(arguments: Sequence[str] | None = None, more: Iterable[AddCommand] = ()) -> int:
    """Run the command, which has some commands more; returns the exit code."""
    parser = build_parser(more)
    options = _options(parser, arguments)
    interrupts.heed()
    try:
        code = int(options.run(options) or OK)
        # Here, and not when Python ends, so that a full disk is told.
        sys.stdout.flush()
        return code
    except (Exception, KeyboardInterrupt) as error:
        return _told(error)


#: Where the arguments are of which a command takes several.
SEVERAL = ("inputs", "pairs", "ids", "values")


def _options(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> argparse.Namespace:
    """What is asked for. argparse wants the inputs in one row; here some may also stand behind an option."""
    options, behind = parser.parse_known_args(arguments)
    several = next((name for name in SEVERAL if hasattr(options, name)), None)
    if behind and (several is None or any(each.startswith("-") for each in behind)):
        parser.error(f"unrecognized arguments: {' '.join(behind)}")
    if several is not None:
        setattr(options, several, [*getattr(options, several), *behind])
    return options


def _told(error: BaseException) -> int:
    """Say an error on stderr; returns the exit code. Raises one that nobody foresaw."""
    if isinstance(error, KeyboardInterrupt) or interrupts.heard():
        # Python's own threads and locks answer an interrupt with errors of theirs.
        print("\nInterrupted; nothing half-written was left.", file=sys.stderr)
        return INTERRUPTED
    if isinstance(error, MistakesError):
        print(error, file=sys.stderr)
        return MISTAKEN
    if isinstance(error, BrokenPipeError):
        # Whoever read our output has gone; there is nobody to tell.
        _drop_output()
        return OK
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        print(f"{where}{error.strerror or error}. Nothing half-written was left.", file=sys.stderr)
        try:
            sys.stdout.flush()
        except OSError:
            _drop_output()
        return UNWRITABLE
    if isinstance(error, _run_errors()):
        print(error, file=sys.stderr)
        return FAILED
    if isinstance(error, _wire_error()):
        print(
            f"{error}: a file of pehchan's own was changed, or cut short.\n"
            "  Bring it back from a copy, or make it anew.",
            file=sys.stderr,
        )
        return FAILED
    raise error


def _drop_output() -> None:
    """Where standard output takes no more, keep Python from trying again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run_errors() -> tuple[type[BaseException], ...]:
    # Only once something went wrong: the pipeline is slow to import, and not all subcommands need it.
    from pehchan.console.output import RunError
    from pehchan.identity.state import StateError

    return RunError, StateError


def _wire_error() -> type[BaseException]:
    from pehchan.mrjobs.wire import WireError

    return WireError


def build_parser(more: Iterable[AddCommand] = ()) -> argparse.ArgumentParser:
    """The parser of the command line, with some commands more."""
    parser = argparse.ArgumentParser(
        prog="pehchan",
        description="Finds the records that stand for the same person, product or place.",
        epilog="Exit codes: 0 all went well, 1 the run failed, 2 something given is wrong and nothing was run, "
        "3 the output could not be written, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"pehchan {pehchan.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    dedupe = command(commands, "dedupe", run_dedupe, "find pairs, cluster them, and sum up")
    dedupe.add_argument("inputs", nargs="+", metavar="INPUT", help="files or folders of records")
    _add_run_options(dedupe)
    _add_cluster_options(dedupe)
    _add_state_option(dedupe)

    link = command(
        commands, "link", run_dedupe, "the same for several sets: only records of different sets meet"
    )
    link.add_argument("inputs", action="append", metavar="A", help="the first set, a file or folder")
    link.add_argument("inputs", nargs="+", action="extend", metavar="B", help="the second set, and others")
    _add_run_options(link)
    _add_cluster_options(link)
    _add_link_kinds(link)
    for each in (dedupe, link):
        _add_decisions_option(each)
        _add_report_options(each)

    match = command(
        commands,
        "match",
        run_match,
        "learn from the records themselves which match, and cluster them",
    )
    match.add_argument("inputs", nargs="+", metavar="INPUT", help="files or folders of records")
    match.add_argument(
        "--link", action="store_true", help="the two inputs are two sets: only records of different sets meet"
    )
    _add_learning_options(
        match,
        "folder of the model: one that is there is used, or learnt anew if labels came since (default: OUT/model, "
        "learnt anew)",
    )
    match.add_argument(
        "--anew",
        action="store_true",
        help="learn anew, whatever the folder of --model holds; its labels are kept",
    )
    _add_run_options(match)
    _add_decisions_option(match)
    match.add_argument(
        "--show", type=int, default=0, metavar="N", help="show the first N clusters side by side"
    )
    _add_link_kinds(match)
    _add_state_option(match)
    _add_like_option(match)
    _add_report_options(match)

    learn = command(commands, "learn", run_learn, "learn a model as match does, without matching")
    ask = command(commands, "ask", run_ask, "choose the pairs of which a label helps a model most, for label")
    for each in (learn, ask):
        each.add_argument("inputs", nargs="+", metavar="INPUT", help="files or folders of records")
        each.add_argument(
            "--link",
            action="store_true",
            help="the two inputs are two sets: only records of different sets match",
        )
        _add_learning_options(each, "folder of the model (required)", required=True)
        _add_properties_options(each)
        _add_link_kinds(each)
        _add_schema_option(each)
        add_runner_options(each)
        add_progress_options(each)
    ask.add_argument("-n", type=count, default=20, metavar="N", help="how many (20)")

    similarity = command(commands, "similarity", run_similarity, "distances of record pairs")
    similarity.add_argument("inputs", nargs="+", metavar="INPUT", help="files or folders of records")
    _add_run_options(similarity)

    plan = command(commands, "plan", run_plan, "what similarity would do, and how long it would take")
    plan.add_argument("inputs", nargs="+", metavar="INPUT", help="files or folders of records")
    _add_properties_options(plan)
    _add_schema_option(plan)
    add_runner_options(plan)
    plan.add_argument(
        "--link", action="store_true", help="each input is a set: only records of different sets meet"
    )
    plan.add_argument("--explain", action="store_true", help="also say why")
    plan.add_argument(
        "--blocks", action="store_true", help="also list the largest blocks of the blocking keys"
    )
    plan.add_argument(
        "--recall",
        action="store_true",
        help="also compare some records with all, to see what share of the pairs the blocking keys keep",
    )

    cluster = command(commands, "cluster", run_cluster, "clusters of the pairs under a cutoff")
    cluster.add_argument(
        "pairs",
        nargs="+",
        metavar="PAIRS",
        help="outputs of similarity or dedupe, or files of id1,id2,distance",
    )
    cluster.add_argument("--cutoff", type=int, required=True, metavar="N", help="largest distance of a pair")
    cluster.add_argument(
        "--records",
        metavar="RECORDS",
        help="the records, so that those without a pair are there too: an output of pehchan, or a file whose "
        "first column is the id (a .csv has a header)",
    )
    cluster.add_argument(
        "--by", choices=list(WAYS), default="", help="how pairs make clusters; default: as in the run"
    )
    cluster.add_argument(
        "--clean-set",
        action="append",
        default=[],
        metavar="SET",
        help="a set without duplicates, of an output with several: a cluster holds at most one of its records; "
        "default: as in the run",
    )
    cluster.add_argument(
        "--mean",
        type=int,
        metavar="N",
        help="of --by average: largest mean distance of clusters that are merged",
    )
    cluster.add_argument(
        "--absent",
        choices=("unrelated", "computed"),
        default="",
        help="of --by average: what no pair is kept of",
    )
    cluster.add_argument("--delimiter", default=",", help="between the columns of files (,)")
    _add_decisions_option(cluster)
    _add_output_options(cluster)

    review = command(commands, "review", run_review, "the clusters that are worth a look first")
    review.add_argument("out", metavar="OUT", help="an output of dedupe, link, match or cluster")
    review.add_argument("-n", type=int, default=10, metavar="N", help="how many (10)")
    review.add_argument(
        "--csv",
        metavar="FILE",
        help="write them to a file for spreadsheets, one record a row, in which no value becomes a formula",
    )
    review.add_argument("--overwrite", action="store_true", help="with --csv: replace a file that is there")
    review.add_argument(
        "--mask", action="store_true", help="with --csv: masks in the place of values and ids"
    )

    golden = command(commands, "golden", run_golden, "the golden records of a run as CSV")
    golden.add_argument("out", metavar="OUT", help="an output of dedupe, link, match or cluster")
    golden.add_argument(
        "--origins",
        action="store_true",
        help="after each column also the record that its value came from",
    )

    evaluate = command(commands, "evaluate", run_evaluate, "precision, recall and F1 against the truth")
    evaluate.add_argument(
        "out", metavar="OUT", help="an output of match, dedupe, link, similarity or cluster, or a state"
    )
    evaluate.add_argument(
        "--truth", required=True, metavar="TRUTH.csv", help="a file of id,cluster or of id_a,id_b"
    )
    evaluate.add_argument(
        "--partial",
        action="store_true",
        help="the truth is of some records, or pairs, alone: nothing is right or wrong about others",
    )
    evaluate.add_argument(
        "--sizes", action="store_true", help="also how many clusters there are of each size, and should be"
    )
    evaluate.add_argument("--curve", action="store_true", help="also for other cutoffs")
    evaluate.add_argument(
        "--errors", type=int, default=0, metavar="N", help="also show N wrong pairs and N missed ones"
    )
    evaluate.add_argument("--json", action="store_true", help="as JSON, with the curve")
    evaluate.add_argument(
        "--report",
        action="store_true",
        help="also write OUT/report.html anew, with these measures and the curve",
    )
    evaluate.add_argument("--mask", action="store_true", help="of --report: masks in the place of values")

    explain = command(commands, "explain", run_explain, "why two records are as far apart as they are")
    explain.add_argument("out", metavar="OUT", help="an output of dedupe, link or match, or a state")
    explain.add_argument(
        "ids",
        nargs="+",
        metavar="ID",
        help="of one record, to see all that it has a pair with, or of two; of two sets as SET:ID",
    )

    label = command(
        commands, "label", run_label, "ask of pairs of records whether they match, and keep the answers"
    )
    label.add_argument(
        "--model", required=True, metavar="DIR", help="folder of a model, with the pairs that ask chose"
    )
    label.add_argument("--show", action="store_true", help="show the labels so far, and ask for none")
    label.add_argument(
        "--web",
        action="store_true",
        help="ask in a browser: serves a page to this machine alone, until Ctrl-C",
    )
    label.add_argument(
        "--port", type=int, metavar="P", help="with --web: listen there (default: a free port)"
    )
    label.add_argument(
        "--host",
        metavar="H",
        help="with --web: an address of this machine, to open the page to others (default: 127.0.0.1, to nobody)",
    )

    schema = commands.add_parser("schema", help="check, convert or guess a schema")
    actions = schema.add_subparsers(title="actions", required=True, metavar="ACTION")
    check = command(
        actions, "check", run_schema_check, "everything that is wrong with a schema and properties"
    )
    check.add_argument("schema", nargs="?", metavar="SCHEMA", help="without it the properties name one")
    _add_properties_options(check)
    convert = command(actions, "convert", run_schema_convert, "sifarish's form to the native one, or back")
    convert.add_argument("schema", metavar="SCHEMA")
    _add_properties_options(convert)
    convert.add_argument("--to", choices=("native", "sifarish"), help="default: the other form")
    guess = command(actions, "guess", run_schema_guess, "a first schema from a look at the data")
    guess.add_argument("input", metavar="FILE", help="a .csv, .tsv or .jsonl file with named columns")
    _add_properties_options(guess)

    command(
        actions, "measures", run_schema_measures, "the measures that a schema may name, with their parameters"
    )

    command(commands, "properties", run_properties, "all keys of a properties file, with their meaning")

    bundle = command(
        commands, "bundle", run_bundle, "pack all that the nodes of a cluster need besides Python"
    )
    bundle.add_argument("-o", "--out", metavar="FILE", help="default: ~/.pehchan/bundle.tar.gz")
    bundle.add_argument(
        "--platform",
        metavar="P",
        help="of the nodes: x86_64, aarch64, or as wheels name it (manylinux_2_17_x86_64); default: as here",
    )
    bundle.add_argument("--python-version", metavar="V", help="of the nodes, as 3.11; default: as here")

    doctor = command(commands, "doctor", run_doctor, "check what a runner needs, and say how to mend it")
    add_runner_options(doctor)
    doctor.add_argument(
        "--deep", action="store_true", help="also run a small job on the nodes (hadoop), or ask AWS (emr)"
    )
    for add in (add_commands, *more):
        add(commands)
    return parser


def _add_properties_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-p", "--properties", metavar="FILE", help="properties file of the job")
    parser.add_argument(
        "-D",
        dest="defines",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a property, over the file's",
    )


def _add_output_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--out", default=DEFAULT_OUT, metavar="OUT", help=f"output folder ({DEFAULT_OUT})"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the output of an earlier run")
    add_runner_options(parser)
    add_progress_options(parser)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    _add_properties_options(parser)
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run to OUT in which a job failed, after the last that did not",
    )
    _add_schema_option(parser)
    _add_output_options(parser)


def _add_schema_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-s", "--schema", metavar="FILE", help="schema, over the one the properties name")


def _add_cluster_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cutoff", type=int, metavar="N", help="largest distance of two records of a cluster"
    )
    parser.add_argument(
        "--by",
        dest="defines",
        type="cluster.by={}".format,
        action="append",
        metavar="WAY",
        help="how pairs make clusters: connected, centre, average, pivot or assignment",
    )
    parser.add_argument(
        "--mean",
        dest="defines",
        type="cluster.mean={}".format,
        action="append",
        metavar="N",
        help="of --by average: largest mean distance of clusters that are merged",
    )
    parser.add_argument(
        "--absent",
        dest="defines",
        type="cluster.absent={}".format,
        action="append",
        metavar="WHAT",
        help="of --by average, two records without a pair: unrelated, or computed from their values",
    )
    parser.add_argument(
        "--show", type=int, default=0, metavar="N", help="show the first N clusters side by side"
    )


def _add_decisions_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--decisions",
        metavar="FILE.csv",
        help="what people decided of two records, with a header of id_a,id_b,decision (same or different): it comes "
        "before any distance",
    )


def _add_report_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-report", action="store_true", help="do without report.html")
    parser.add_argument(
        "--mask",
        action="store_true",
        help="masks in the place of values in report.html and in the lines set aside, to show them to others",
    )


def _add_state_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        default="",
        metavar="DIR",
        help="also keep the result as a state, into which update brings records that come later",
    )


def _add_like_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--like",
        default="",
        metavar="STATE",
        help="with the model of a state, and all that is frozen in it, as if the records had been brought into it",
    )


def _add_link_kinds(parser: argparse.ArgumentParser) -> None:
    as_what = parser.add_mutually_exclusive_group()
    for kind, text in (
        ("one-to-one", "no set holds duplicates (the default)"),
        ("many-to-one", "all but the first hold none: a record of the first belongs to at most one of each"),
        ("many-to-many", "all sets may hold duplicates"),
    ):
        as_what.add_argument(
            f"--{kind}", dest="defines", action="append_const", const=f"link.as={kind}", help=text
        )


def _add_learning_options(parser: argparse.ArgumentParser, model: str, required: bool = False) -> None:
    parser.add_argument("--model", default="", required=required, metavar="DIR", help=model)
    parser.add_argument(
        "--labels",
        action="append",
        default=[],
        metavar="FILE",
        help="labelled pairs from elsewhere, as CSV in the form of Zingg's training samples; may be given again",
    )


def run_dedupe(options: argparse.Namespace) -> int:
    link = options.command == "link"
    if link:
        _check_sets(options)
    return _run(options, clusters=True, link=link)


def run_similarity(options: argparse.Namespace) -> int:
    return _run(options, clusters=False, link=False)


def run_match(options: argparse.Namespace) -> int:
    from pehchan.console.clusters_shown import first_clusters
    from pehchan.console.learning_run import Learning
    from pehchan.console.learnt_text import found_text, next_text
    from pehchan.console.pipeline import quiet_mrjob, run_pipeline
    from pehchan.console.progress import Progress
    from pehchan.console.summary import summary
    from pehchan.mrjobs.places import place

    _check_link(options)
    quiet_mrjob(options.verbose)
    request = _request(
        options,
        out=options.out,
        overwrite=options.overwrite,
        resume=options.resume,
        link=options.link,
        report=not options.no_report,
        mask=options.mask,
        decisions=options.decisions,
    )
    origin = _origin(options)
    if options.like:
        return _match_like(options, request)
    learning = Learning(options.model, options.labels, options.anew, out=options.out, origin=origin)
    result = run_pipeline(request, Progress(quiet=options.quiet), _announce_match, learning)
    assert learning.found is not None
    print(found_text(learning.found))
    print(summary(result, place(options.out)))
    if options.show:
        print(first_clusters(place(options.out), options.show), end="")
    print(next_text(learning.found, origin))
    return OK


def _match_like(options: argparse.Namespace, request: "Request") -> int:
    """Match as a state does. Raises MistakesError where something is asked that the state says already."""
    from pehchan.console.clusters_shown import first_clusters
    from pehchan.console.learning_run import KnownModel
    from pehchan.console.pipeline import run_pipeline
    from pehchan.console.progress import Progress
    from pehchan.console.summary import summary
    from pehchan.identity.state import open_state
    from pehchan.mrjobs.places import place

    mistakes = Mistakes()
    for name in ("model", "labels", "anew", "link", "schema", "properties", "defines"):
        if getattr(options, name):
            mistakes.add(f"--{name}", "the state of --like says it.", "Leave it out, or leave --like out.")
    like = open_state(options.like).read_plan()
    if not like.frozen:
        mistakes.add("--like", f"{options.like} was made by rules.", "Use dedupe with the same schema.")
    mistakes.raise_if_any()
    known = KnownModel(like, like.frozen or {})
    result = run_pipeline(request, Progress(quiet=options.quiet), _announce_match, known)
    print(summary(result, place(options.out)))
    if options.show:
        print(first_clusters(place(options.out), options.show), end="")
    return OK


def _origin(options: argparse.Namespace) -> Origin:
    """What a command needs to go on from this one."""
    out = getattr(options, "out", "")
    records = [
        *(["--link"] if options.link else []),
        *options.inputs,
        *(["-p", options.properties] if options.properties else []),
        *(part for define in options.defines for part in ("-D", define)),
        *(["-s", options.schema] if options.schema else []),
        *(part for file in options.labels for part in ("--labels", file)),
        *(["-r", options.runner] if options.runner != "inline" else []),
        *(["--conf-path", options.conf_path] if options.conf_path else []),
    ]
    decisions = getattr(options, "decisions", None) or ""
    state = getattr(options, "state", "")
    return Origin(tuple(records), options.model or f"{out}/model", out, decisions, state)


def run_learn(options: argparse.Namespace) -> int:
    return _learn(options, anew=True, ask=20)


def run_ask(options: argparse.Namespace) -> int:
    return _learn(options, anew=False, ask=options.n)


def _learn(options: argparse.Namespace, anew: bool, ask: int) -> int:
    from pehchan.console.learning_run import Learning, run_learning
    from pehchan.console.learnt_text import found_text, next_text
    from pehchan.console.pipeline import quiet_mrjob
    from pehchan.console.progress import Progress

    _check_link(options)
    quiet_mrjob(options.verbose)
    origin = _origin(options)
    learning = Learning(options.model, options.labels, anew, ask, origin=origin)
    request = _request(options, out="", link=options.link)
    run_learning(request, learning, Progress(quiet=options.quiet), _announce_match)
    assert learning.found is not None
    if anew:
        print(found_text(learning.found))
    print(next_text(learning.found, origin))
    return OK


def _check_link(options: argparse.Namespace) -> None:
    """Raises MistakesError where sets are to be told apart of which something is learnt, and there are not two."""
    if not options.link or len(options.inputs) == 2:
        return
    right = "Give the two sets."
    if len(options.inputs) > 2:
        right = (
            "What is learnt is of two sets: give each two of them in a run of their own, or write in a schema how "
            "records compare, and use pehchan link."
        )
    raise MistakesError([Mistake("--link", f"{len(options.inputs)} inputs, not two.", right)])


def _check_sets(options: argparse.Namespace) -> None:
    """Raises MistakesError where there are not as many inputs as sets can be told apart."""
    from pehchan.console.inputs import LINK_SETS

    number, most = len(options.inputs), len(LINK_SETS)
    if not 2 <= number <= most:
        what = f"{number} input{'s' if number > 1 else ''}, and not from 2 to {most}."
        raise MistakesError([Mistake("link", what, "Give each set, a file or folder.")])


def _announce_match(result: "Result") -> None:
    """Say what is known before work starts: warnings. What is learnt from is told with what was learnt."""
    for warning in result.warnings:
        print(f"warning: {warning}", file=sys.stderr)


def _run(options: argparse.Namespace, clusters: bool, link: bool) -> int:
    from pehchan.console.clusters_shown import first_clusters
    from pehchan.console.pipeline import quiet_mrjob, run_pipeline
    from pehchan.console.progress import Progress
    from pehchan.console.summary import summary
    from pehchan.mrjobs.places import place

    quiet_mrjob(options.verbose)
    request = _request(
        options,
        out=options.out,
        overwrite=options.overwrite,
        resume=options.resume,
        link=link,
        clusters=clusters,
        report=clusters and not options.no_report,
        mask=clusters and options.mask,
        cutoff=getattr(options, "cutoff", None),
        decisions=getattr(options, "decisions", None),
    )
    result = run_pipeline(request, Progress(quiet=options.quiet), _announce)
    print(summary(result, place(options.out)))
    if clusters and options.show:
        print(first_clusters(place(options.out), options.show), end="")
    return OK


def _request(options: argparse.Namespace, **more: Any) -> "Request":
    """What is asked of the records of some inputs."""
    from pehchan.console.pipeline import Request

    return Request(
        command=options.command,
        inputs=options.inputs,
        properties=options.properties,
        schema=options.schema,
        defines=options.defines,
        runner=options.runner,
        conf_path=options.conf_path,
        state=getattr(options, "state", ""),
        **more,
    )


def _announce(result: "Result") -> None:
    """Say what is known before work starts: warnings, and the schema where it was guessed."""
    from pehchan.console.summary import guess_text

    for warning in result.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if result.guessed is not None:
        print(guess_text(result), flush=True)


def run_plan(options: argparse.Namespace) -> int:
    from pehchan.console.pipeline import quiet_mrjob
    from pehchan.console.plan_text import blocks_text, plan_text
    from pehchan.console.planning import forecast
    from pehchan.console.recall import recall_text

    if options.link:
        _check_sets(options)
    quiet_mrjob(False)
    result, found = forecast(_request(options, out="", link=options.link, clusters=False), options.recall)
    if options.blocks and found.plan.join != "blocking":
        raise MistakesError(
            [Mistake("--blocks", "records do not meet by blocking keys.", "Give blocking: in the schema.")]
        )
    _announce(result)
    print(plan_text(found, options.runner, options.explain))
    if options.blocks:
        print(blocks_text(found))
    if found.recall is not None:
        print(recall_text(found.plan, found.recall))
    return OK


def run_cluster(options: argparse.Namespace) -> int:
    from pehchan.console.clustering_run import Clusters, run_clustering
    from pehchan.console.pipeline import Request, quiet_mrjob
    from pehchan.console.progress import Progress
    from pehchan.console.summary import summary
    from pehchan.mrjobs.places import place

    quiet_mrjob(options.verbose)
    request = Request(
        command=options.command,
        inputs=options.pairs,
        out=options.out,
        runner=options.runner,
        conf_path=options.conf_path,
        overwrite=options.overwrite,
        decisions=options.decisions,
    )
    asked = Clusters(options.cutoff, options.by, options.clean_set, options.mean, options.absent)
    result = run_clustering(request, asked, options.records, options.delimiter, Progress(quiet=options.quiet))
    _announce(result)
    print(summary(result, place(options.out)))
    return OK


def run_review(options: argparse.Namespace) -> int:
    from pehchan.console.clusters_shown import doubtful_clusters
    from pehchan.console.masking import Masking
    from pehchan.console.review_csv import write_review
    from pehchan.mrjobs.places import place

    if options.csv:
        masking = Masking() if options.mask else None
        print(write_review(place(options.out), options.n, options.csv, options.overwrite, masking))
        return OK
    if options.overwrite or options.mask:
        raise MistakesError([Mistake("--overwrite, --mask", "are for --csv alone.", "Add --csv FILE.")])
    print(doubtful_clusters(place(options.out), options.n), end="")
    return OK


def run_golden(options: argparse.Namespace) -> int:
    from pehchan.console.golden import golden_table
    from pehchan.mrjobs.places import place

    rows = golden_table(place(options.out), options.origins)
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)
    return OK


def run_evaluate(options: argparse.Namespace) -> int:
    from pehchan.clustering.evaluation import format_curve, format_scores, format_sizes
    from pehchan.console.evaluating import Evaluation
    from pehchan.identity.state import is_state
    from pehchan.mrjobs.places import place

    if options.report and is_state(options.out):
        what = "--report is of the output of a run, and this is a state."
        raise MistakesError([Mistake(options.out, what, "Leave it out.")])
    found = Evaluation(options.out, options.truth, options.partial)
    if options.mask and not options.report:
        raise MistakesError([Mistake("--mask", "it is of --report.", "Give that, too.")])
    if options.report:
        from pehchan.console.masking import Masking
        from pehchan.console.reporting import report_anew

        report_anew(place(options.out), found, Masking() if options.mask else None)
    if options.json:
        print(json.dumps(found.to_dict(), indent=1))
        return OK
    measures = found.measures
    texts = [format_scores(found.scores, measures)]
    if options.sizes and measures is not None:
        texts.append(format_sizes(measures))
    if options.curve:
        texts.append(format_curve(found.curve))
    if options.errors:
        texts.append(found.errors_text(options.errors))
    print("\n".join(texts), end="")
    return OK


def run_explain(options: argparse.Namespace) -> int:
    from pehchan.console.explained_text import explained_text

    if len(options.ids) > 2:
        raise MistakesError([Mistake("ID", f"{len(options.ids)} of them.", "Give one, or two.")])
    print(explained_text(options.out, options.ids), end="")
    return OK


def run_label(options: argparse.Namespace) -> int:
    from pehchan.console.labelling import (
        NoAnswer,
        answers_from,
        ask_pairs,
        labels_text,
        session,
        session_text,
    )

    if options.show:
        print(labels_text(options.model, sys.stdout), end="")
        return OK
    if options.web:
        return _label_in_browser(options)
    if options.host is not None or options.port is not None:
        raise MistakesError([Mistake("--host, --port", "are for --web alone.", "Add --web.")])
    code = OK
    with session(options.model) as labelling:
        try:
            ask_pairs(labelling, answers_from(sys.stdin), sys.stdout)
        except KeyboardInterrupt:
            print()
            code = INTERRUPTED
        except NoAnswer as error:
            print(error, file=sys.stderr)
            code = MISTAKEN
        print(session_text(labelling, options.model), end="")
    return code


def _label_in_browser(options: argparse.Namespace) -> int:
    from pehchan.console.label_web import LOOPBACK, serve
    from pehchan.console.labelling import session, session_text

    with session(options.model) as labelling:
        # Ctrl-C is how it ends.
        serve(labelling, options.model, options.host or LOOPBACK, options.port or 0, sys.stdout)
        print(session_text(labelling, options.model), end="")
    return OK


def run_schema_check(options: argparse.Namespace) -> int:
    from pehchan.distance.record import check_measures
    from pehchan.mrjobs.planner import load_schema_and_settings

    mistakes = Mistakes()
    schema, settings = load_schema_and_settings(options.properties, options.schema, options.defines, mistakes)
    if schema is not None:
        check_measures(schema, settings.compat, mistakes)
    elif not options.schema and not settings.schema_path:
        mistakes.add(options.properties or "", "no schema is named.", "Give SCHEMA, or name one in -p.")
    for warning in mistakes.warnings:
        print(f"warning: {warning}")
    if mistakes.found:
        print("\n".join(map(str, mistakes.found)))
        print("1 mistake." if len(mistakes.found) == 1 else f"{len(mistakes.found)} mistakes.")
        return MISTAKEN
    assert schema is not None
    compared = ", ".join(field.name for field in schema.fields)
    print(f"{schema.where}: well. Compares {compared}.")
    return OK


def run_schema_convert(options: argparse.Namespace) -> int:
    from pehchan.distance.record import check_measures
    from pehchan.metadata.native_schema import with_column_names, write_native
    from pehchan.metadata.schemas import is_sifarish, native_text, read_data
    from pehchan.metadata.sifarish_schema import write_sifarish
    from pehchan.mrjobs.planner import load_schema_and_settings

    mistakes = Mistakes()
    schema, settings = load_schema_and_settings(options.properties, options.schema, options.defines, mistakes)
    if schema is not None:
        check_measures(schema, settings.compat, mistakes)
    mistakes.raise_if_any()
    assert schema is not None
    for warning in mistakes.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    given = "sifarish" if is_sifarish(read_data(schema.where, Mistakes())) else "native"
    to = options.to or ("native" if given == "sifarish" else "sifarish")
    if to == "native":
        print(native_text(write_native(with_column_names(schema))), end="")
        return OK
    try:
        print(json.dumps(write_sifarish(schema, settings), indent=1))
    except ValueError as error:
        mistakes.add(options.schema, f"sifarish's form cannot say all of it:\n{error}")
        mistakes.raise_if_any()
    return OK


def run_schema_guess(options: argparse.Namespace) -> int:
    from pehchan.console.inputs import InputFile, find_files, format_of, look_at
    from pehchan.metadata.properties import read_settings
    from pehchan.metadata.schemas import native_text

    mistakes = Mistakes()
    settings = read_settings(options.properties, options.defines, mistakes)
    files = find_files([options.input], mistakes)
    inputs = [InputFile(path, format_of(path, settings, None)) for path in files]
    prepared = look_at(inputs, settings, None, mistakes)
    mistakes.raise_if_any()
    assert prepared is not None
    assert prepared.guessed is not None
    print(native_text(prepared.guessed), end="")
    return OK


def run_schema_measures(options: argparse.Namespace) -> int:
    from pehchan.distance.registry import describe_measures

    print(describe_measures(), end="")
    return OK


def run_properties(options: argparse.Namespace) -> int:
    from pehchan.metadata.properties import describe_keys

    print(describe_keys(), end="")
    return OK


def run_bundle(options: argparse.Namespace) -> int:
    from pehchan.console.bundle import DEFAULT_BUNDLE, find_target, make_bundle

    mistakes = Mistakes()
    target = find_target(options.python_version, options.platform, mistakes)
    mistakes.raise_if_any()
    path = os.path.expanduser(options.out or DEFAULT_BUNDLE)
    manifest = make_bundle(path, target)
    packages = ", ".join(f"{name} {number}" for name, number in manifest.packages.items())
    print(f"pehchan {manifest.pehchan} with {packages}")
    print(f"for Python {manifest.python} on {manifest.platform}")
    print(f"written to {path}: {os.path.getsize(path) / 1e6:.1f} MB")
    return OK


def run_doctor(options: argparse.Namespace) -> int:
    from pehchan.console.doctor import examine
    from pehchan.console.pipeline import quiet_mrjob

    quiet_mrjob(False)
    well = examine(options.runner, options.conf_path, options.deep, lambda line: print(line, flush=True))
    return OK if well else FAILED


if __name__ == "__main__":
    sys.exit(main())
