"""Configurations that name another one, and what a phase of entities reads and writes besides it."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pehchan.metadata.mistakes import Mistakes, nearest
from pehchan.zingg.configuration import Configuration, read_configuration, read_pipes_of
from pehchan.zingg.environment import read_json

#: The key of the configuration that is named, and those of pipes: one, or a list of them.
PARENT = "config"
PIPES = (
    *("incrementalData", "deletedData", "outputTmp"),
    *("lookupData", "lookupOutput"),
    *("transformedOutputPath", "explainOutput"),
)
#: Keys of another configuration that the first is compared with, whose entities were there before.
ORIGINALS = ("compareTo", "originalZinggId")


def read(data: Any, where: str, environment: Mapping[str, str] = os.environ) -> Configuration:
    """The configuration that JSON holds, as it was parsed, or the one that it names, with its own pipes besides.

    Raises MistakesError with all that is wrong with it.
    """
    if not isinstance(data, Mapping) or PARENT not in data:
        return read_configuration(data, where)
    mistakes = Mistakes()
    for key in data:
        if key not in (PARENT, *PIPES, *ORIGINALS):
            mistakes.add(where, f'unknown key "{key}".', nearest(key, (PARENT, *PIPES, *ORIGINALS)))
    given = {key: data[key] if isinstance(data[key], list) else [data[key]] for key in PIPES if key in data}
    pipes = {key: read_pipes_of(given, key, where, mistakes) for key in given}
    originals = [_named(data[key], f"{where} {key}", where, environment) for key in ORIGINALS if key in data]
    mistakes.raise_if_any()
    parent = _named(data[PARENT], f"{where} {PARENT}", where, environment)
    return replace(parent, more=pipes, original=originals[0] if originals else None)


def read_configuration_file(path: str, environment: Mapping[str, str] = os.environ) -> Configuration:
    """The same of a file, with $NAME$ from the environment."""
    return read(read_json(path, environment), path, environment)


def _named(value: Any, where: str, named_in: str, environment: Mapping[str, str]) -> Configuration:
    """The configuration of a file, or one that stands there itself."""
    if isinstance(value, Mapping):
        return read(value, where, environment)
    if not isinstance(value, str) or not value:
        mistakes = Mistakes()
        mistakes.add(where, f"{value!r} names no file.", "Name the configuration of the phase match.")
        mistakes.raise_if_any()
    path = Path(value)
    beside = Path(named_in).parent / path
    # Zingg takes it from where it is run, as the paths of pipes; files are often beside each other.
    return read_configuration_file(
        str(beside if not path.exists() and beside.exists() else path), environment
    )
