"""Stand-in until pipes come."""

from pehchan.metadata.mistakes import Mistakes
from pehchan.zingg.configuration import Column

_ALIASES = {"int": "integer", "bigint": "long"}


def read_schema(text: str, where: str, mistakes: Mistakes) -> tuple[Column, ...]:
    columns = []
    for each in text.split(","):
        name, _, kind = each.strip().partition(" ")
        kind = kind.strip().lower()
        columns.append(Column(name, _ALIASES.get(kind, kind)))
    return tuple(columns)
