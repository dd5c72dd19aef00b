"""JSON of a configuration, in which $NAME$ stands for a variable of the environment.

In a template (a name that ends in .env) it may stand anywhere; elsewhere only as a whole value, "$NAME$" or, for
numbers and true or false, $NAME$ without quotes: a password may hold a $.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pehchan.metadata.mistakes import Mistake, Mistakes, MistakesError

_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)\$")
_STRING_OR_VARIABLE = re.compile(r'"(?:[^"\\]|\\.)*"|' + _VARIABLE.pattern)


def read_json(path: str, environment: Mapping[str, str]) -> Any:
    """What a file of JSON holds. Raises MistakesError with all that is wrong with it."""
    mistakes = Mistakes()
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _mistake(
            path, f"cannot be read: {error.strerror}.", "Name a configuration with --conf."
        ) from None
    except UnicodeDecodeError:
        raise _mistake(path, "not UTF-8.", "Save it as UTF-8.") from None
    text = filled(text, environment, path, mistakes, anywhere=path.endswith(".env"))
    mistakes.raise_if_any()

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        for key in found:
            if sum(key == name for name, _ in pairs) > 1:
                mistakes.add(path, f'the key "{key}" is there twice in one place.', "Keep one.")
        return found

    try:
        data = json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        what = f"not JSON: {error.msg} (column {error.colno})."
        raise _mistake(
            f"{path} line {error.lineno}", what, "Look at the commas and quotes there, and just before."
        ) from None
    mistakes.raise_if_any()
    return data


def filled(
    text: str, environment: Mapping[str, str], where: str, mistakes: Mistakes, anywhere: bool = False
) -> str:
    """JSON with the values of variables; a mistake for each that is not set.

    anywhere  also within texts
    """
    missing: dict[str, None] = {}

    def value(found: re.Match[str], quoted: bool) -> str:
        name = found[1]
        if name not in environment:
            missing[name] = None
            return found[0]
        return json.dumps(environment[name])[1:-1] if quoted else environment[name]

    def token(found: re.Match[str]) -> str:
        if found[1]:
            return value(found, quoted=False)
        inside = found[0][1:-1]
        if anywhere or _VARIABLE.fullmatch(inside):
            return f'"{_VARIABLE.sub(lambda each: value(each, quoted=True), inside)}"'
        return found[0]

    text = _STRING_OR_VARIABLE.sub(token, text)
    for name in missing:
        mistakes.add(where, f"${name}$: the environment has no {name}.", f"Set it: export {name}=…")
    return text


def _mistake(where: str, what: str, right: str) -> MistakesError:
    return MistakesError([Mistake(where, what, right)])
