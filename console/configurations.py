"""The configuration files of mrjob's runners, and what they say of one."""

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mrjob.conf import _conf_object_at_path, combine_dicts, find_mrjob_conf, load_opts_from_mrjob_confs
from mrjob.util import expand_path

import pehchan.conf
from pehchan.metadata.mistakes import Mistakes
from pehchan.metadata.schemas import yaml_mistakes

#: Where those that come with pehchan lie.
INSTALLED = Path(next(iter(pehchan.conf.__path__))) / "mrjob"

#: What to say beside one that cannot be used.
RIGHT = f'Give YAML such as "runners: {{local: {{num_cores: 2}}}}"; examples lie in {INSTALLED}.'


def runner_configurations(runner: str, conf_path: str | None) -> list[str]:
    """The configuration files for a runner, later ones over earlier: the project's, then the user's own.

    conf/mrjob/RUNNER.conf below the current folder stands in for the one that is installed with pehchan.
    """
    if conf_path:
        return [conf_path]
    here = Path("conf") / "mrjob" / f"{runner}.conf"
    installed = INSTALLED / f"{runner}.conf"
    ours = [str(path) for path in (here, installed) if path.is_file()][:1]
    users = find_mrjob_conf()
    return [*ours, *([users] if users else [])]


def check_configurations(runner: str, conf_path: str | None, mistakes: Mistakes) -> bool:
    """Whether mrjob can use the configurations of a runner; adds a mistake for each that it cannot.

    Those that they include are looked at as well.
    """
    before = len(mistakes.found)
    seen: set[str] = set()
    for path in runner_configurations(runner, conf_path):
        where = f"--conf-path {path}" if conf_path else path
        _check_file(expand_path(path), where, runner, mistakes, seen)
    return len(mistakes.found) == before


def _check_file(path: str, where: str, runner: str, mistakes: Mistakes, seen: set[str]) -> None:
    path = os.path.realpath(path)
    if path in seen:
        return
    seen.add(path)
    data = None
    try:
        with yaml_mistakes(where, mistakes):
            data = _conf_object_at_path(path)
    except OSError as error:
        mistakes.add(where, f"the file cannot be read: {error.strerror}.", RIGHT)
    if data is None:
        # Also where nothing but comments stands in it, which is as good as no configuration.
        return
    if not isinstance(data, dict) or not data.keys() & {"runners", "include"}:
        mistakes.add(where, "it says nothing of runners.", RIGHT)
        return
    # mrjob takes a key without a value for one that is not there.
    runners = data.get("runners") or {}
    if not isinstance(runners, dict) or not isinstance(runners.get(runner) or {}, dict):
        mistakes.add(where, f"what it says of {runner} in runners is no mapping.", RIGHT)
    included = data.get("include") or []
    included = [included] if isinstance(included, str) else included
    if not isinstance(included, list) or not all(isinstance(name, str) for name in included):
        mistakes.add(where, "include names no files.", "Give the name of a file, or a list of them.")
        return
    for name in included:
        beside = os.path.join(os.path.dirname(path), expand_path(name))
        _check_file(beside, f"{beside} (included by {where})", runner, mistakes, seen)


def runner_options(runner: str, conf_paths: Sequence[str]) -> dict[str, Any]:
    """What the configurations say of a runner, later ones over earlier."""
    found = [options for _, options in load_opts_from_mrjob_confs(runner, list(conf_paths)) if options]
    return dict(combine_dicts(*found))


def configured_hadoop(options: Mapping[str, Any]) -> list[str] | None:
    """The hadoop command that the options of a runner name, as mrjob reads it; None where they name none."""
    given = options.get("hadoop_bin")
    return (shlex.split(given) if isinstance(given, str) else list(given)) if given else None
