"""The configuration files of mrjob's runners, and what they say of one."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mrjob.conf import combine_dicts, find_mrjob_conf, load_opts_from_mrjob_confs

import pehchan.conf


def runner_configurations(runner: str, conf_path: str | None) -> list[str]:
    """The configuration files for a runner, later ones over earlier: the project's, then the user's own.

    conf/mrjob/RUNNER.conf below the current folder stands in for the one that is installed with pehchan.
    """
    if conf_path:
        return [conf_path]
    here = Path("conf") / "mrjob" / f"{runner}.conf"
    installed = Path(next(iter(pehchan.conf.__path__))) / "mrjob" / f"{runner}.conf"
    ours = [str(path) for path in (here, installed) if path.is_file()][:1]
    users = find_mrjob_conf()
    return [*ours, *([users] if users else [])]


def runner_options(runner: str, conf_paths: Sequence[str]) -> dict[str, Any]:
    """What the configurations say of a runner, later ones over earlier."""
    found = [options for _, options in load_opts_from_mrjob_confs(runner, list(conf_paths)) if options]
    return dict(combine_dicts(*found))


def configured_hadoop(options: Mapping[str, Any]) -> list[str] | None:
    """The hadoop command that the options of a runner name, as mrjob reads it; None where they name none."""
    given = options.get("hadoop_bin")
    return (shlex.split(given) if isinstance(given, str) else list(given)) if given else None
