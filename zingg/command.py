"""pehchan zingg: the phases, with the options that Zingg's users know."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pehchan.console.options import add_progress_options, add_runner_options

if TYPE_CHECKING:
    from pehchan.zingg.configuration import Configuration

#: Options that are taken as Zingg takes them, and that nothing here needs.
NOT_NEEDED = {
    "license": "there is none to show",
    "email": "nothing is sent anywhere",
    "format": "pipes say their format",
    "remote": "-r says where it runs",
    "preprocess": "stop words are those of the fields",
    "jobId": "a run needs no number",
    "collectMetrics": "no event is ever sent anywhere",
    "log": "-v shows the log of the runner",
    "properties-file": "there is no Spark to be set up",
}


def add_command(commands: Any) -> None:
    """Add it to the commands of pehchan."""
    text = "the phases, configuration and names that Zingg's users know"
    parser = commands.add_parser(
        "zingg", help=text, description=f"Runs {text}; tutorial/zingg.md tells more."
    )
    parser.set_defaults(run=run_zingg, command="zingg")
    parser.add_argument(
        "--phase", required=True, metavar="PHASE", help="what to do: findTrainingData, match, …"
    )
    parser.add_argument(
        "--conf", required=True, metavar="FILE.json", help="the configuration, as Zingg has it"
    )
    for name, metavar, help_text in (
        ("zinggDir", "DIR", "folder of models, over the configuration's"),
        ("modelId", "ID", "name of the model, over the configuration's"),
        ("column", "COLUMN", "of recommend: where to look for stop words"),
        ("location", "DIR", "of exportModel: where to"),
        ("cluster", "N[,M]", "of explain: a z_cluster or ZINGG_ID of the result, or two of them"),
        ("zinggid", "ID", "of explain: the same, as Zingg has it"),
        ("compareTo", "FILE.json", "of diff: the configuration whose entities were there before"),
        ("originalZinggId", "FILE.json", "of reassignZinggId: the configuration whose ids go on"),
    ):
        parser.add_argument(f"--{name}", metavar=metavar, help=help_text)
    parser.add_argument(
        "--showConcise",
        nargs="?",
        const="true",
        metavar="true|false",
        help="of generateDocs: leave out fields that are not used",
    )
    add_runner_options(parser)
    add_progress_options(parser)
    parser.add_argument("--h", action="help", help=argparse.SUPPRESS)
    for name in NOT_NEEDED:
        parser.add_argument(f"--{name}", nargs="?", const="", help=argparse.SUPPRESS)


def run_zingg(options: argparse.Namespace) -> int:
    """Run a phase."""
    from pehchan.console.pipeline import quiet_mrjob
    from pehchan.zingg.phases import run_phase
    from pehchan.zingg.running import Asked
    from pehchan.zingg.wrapped import read_configuration_file

    quiet_mrjob(options.verbose)
    configuration = with_options(read_configuration_file(options.conf), options)
    asked = Asked(
        runner=options.runner,
        conf_path=options.conf_path,
        quiet=options.quiet,
        location=options.location,
        clusters=clusters_of(options.cluster or options.zinggid),
        command=_again(options),
        tell=_tell,
    )
    print(run_phase(options.phase, configuration, asked))
    return 0


def clusters_of(given: str | None) -> list[str]:
    """The clusters that are named, two at the most."""
    return [each.strip() for each in (given or "").split(",") if each.strip()][:2]


def with_options(configuration: "Configuration", options: argparse.Namespace) -> "Configuration":
    """The configuration with what the command line says otherwise; what is not needed is named."""
    from pehchan.zingg.configuration import checked
    from pehchan.zingg.wrapped import read_configuration_file

    original = options.compareTo or options.originalZinggId
    if original is not None:
        configuration = replace(configuration, original=read_configuration_file(original))
    given = {
        "zinggDir": options.zinggDir,
        "modelId": options.modelId,
        "column": options.column,
        "showConcise": options.showConcise,
    }
    configuration = checked(configuration, {key: value for key, value in given.items() if value is not None})
    named = [name for name in NOT_NEEDED if getattr(options, name.replace("-", "_")) is not None]
    if named:
        told = "; ".join(f"--{name} ({NOT_NEEDED[name]})" for name in named)
        notices = (*configuration.notices, f"not needed here, and left out: {told}.")
        configuration = replace(configuration, notices=notices)
    return configuration


def _tell(text: str) -> None:
    import sys

    print(text, file=sys.stderr)


def _again(options: argparse.Namespace) -> Sequence[str]:
    """The command without its phase."""
    words = ["pehchan", "zingg", "--conf", options.conf]
    for name, value in (("--zinggDir", options.zinggDir), ("--modelId", options.modelId)):
        words += [name, value] if value is not None else []
    words += ["-r", options.runner] if options.runner != "inline" else []
    return [*words, *(["--conf-path", options.conf_path] if options.conf_path else [])]
