"""Commands that go on from where another one ended, as they can be copied to a shell."""

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path

from pehchan.learning.whole_files import write_whole

DEFAULT_OUT = "pehchan-out"

#: In the folder of a model: the command that left its questions. No part of what is learnt, which is the same whoever
#: calls for it.
ORIGIN_FILE = "command.json"


@dataclass(frozen=True)
class Origin:
    """Of a command that learns, what others need to go on from it.

    records    arguments that name the records and how they are read
    model      the folder of the model, as it was named
    output     of match, as it was named; "" where it was not
    decisions  of match, the file as it was named; "" where none was
    state      that match made, as it was named; "" where it made none
    """

    records: tuple[str, ...]
    model: str
    output: str = ""
    decisions: str = ""
    state: str = ""

    def write(self, folder: Path) -> None:
        write_whole(folder / ORIGIN_FILE, (json.dumps(asdict(self)) + "\n").encode())


def unknown(model: str) -> Origin:
    """Where nothing but the model is known."""
    return Origin(("INPUT...",), model)


def origin_of(model: str) -> Origin:
    """What the folder of a model tells of the command that left its questions; unknown where that is of no use."""
    try:
        data = json.loads((Path(model) / ORIGIN_FILE).read_bytes())
        records = tuple(map(str, data["records"]))
        others = (str(data.get(name, "")) for name in ("decisions", "state"))
        found = Origin(records, str(data["model"]), str(data["output"]), *others)
    except (OSError, ValueError, KeyError, TypeError):
        return unknown(model)
    # Called from another folder, nothing would be found under the names given there.
    return found if Path(found.model) == Path(model) else unknown(model)


def match_command(origin: Origin) -> str:
    """The command that matches the records, with the answers that there are by then; where a state was made, into
    another one whose entities go on with the ids of that.
    """
    out, state = origin.output or DEFAULT_OUT, origin.state.rstrip("/")
    anew = _anew(state)
    command = shlex.join(
        [
            *("pehchan", "match", *origin.records),
            *(["--decisions", origin.decisions] if origin.decisions else []),
            *(["--model", origin.model] if origin.model != f"{out}/model" else []),
            *(["-o", out] if out != DEFAULT_OUT else []),
            # What lies elsewhere was written by the command that is gone on from.
            *(["--overwrite"] if "://" in out or Path(out).exists() else []),
            *(["--state", anew] if state else []),
        ]
    )
    if state:
        command += f" && {shlex.join(['pehchan', 'reassign', anew, '--from', state])}"
    return command


def _anew(state: str) -> str:
    """A name for the state that follows: NAME-anew, and then NAME-anew2 and so on."""
    name, anew, number = state.rpartition("-anew")
    if anew and (not number or number.isdecimal()):
        return f"{name}-anew{int(number or 1) + 1}"
    return f"{state}-anew"


def label_command(model: str) -> str:
    return shlex.join(["pehchan", "label", "--model", model])


def ask_command(origin: Origin) -> str:
    """The command that chooses other pairs to ask about."""
    return shlex.join(["pehchan", "ask", *origin.records, "--model", origin.model])
