"""The README and the tutorial say what happens: their console blocks are run, and give what stands there.

`python tests/test_docs.py [PAGE ...]` writes what the commands print into the pages, for whoever changed one.
"""

import doctest
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "tutorial").glob("*.md"))]
_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```)", re.MULTILINE | re.DOTALL)

# What differs from run to run: seconds and what follows from them.
_TIMES = re.compile(
    r" in [\d.]+ s(?: \([\d,]+ a second\))?"
    r"|(?:less than|about) [\d,]+ (?:s|min|h)\b|about [\d,]+ pairs a second|pairs took [\d.]+ s"
)


def commands(block: str) -> Iterator[tuple[str, str]]:
    """(command, output as it stands there) of a console block, in order."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        # A line that ends in a backslash goes on in the next.
        match = re.match(r"((?:.*\\\n)*.*)\n?", part)
        assert match
        yield match[1], part[match.end() :]


def run(command: str, folder: Path) -> str:
    """What a command prints; a mistake is shown by what it prints, wherever it prints it."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "110",
        "LC_ALL": "C.UTF-8",
    }
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return ran.stdout if ran.returncode == 0 else ran.stdout + ran.stderr


def prepare(folder: Path) -> None:
    """Give a folder what a clone of the project has for the pages."""
    for name in ("conf", "metadata", "tutorial"):
        (folder / name).symlink_to(ROOT / name)


def runs_here(command: str) -> bool:
    """Whether a command of a page is run by the tests: not those that install or fetch the project itself."""
    return not command.startswith(("make ", "git "))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_the_page_shows_is_what_happens(page: Path, tmp_path: Path) -> None:
    prepare(tmp_path)
    shown = [
        each
        for block in _BLOCK.findall(page.read_text(encoding="utf-8"))
        for each in commands(block)
        if runs_here(each[0])
    ]
    assert shown, "a page without a command that runs"
    for command, expected in shown:
        output = run(command, tmp_path)
        got, want = _TIMES.sub("", output), _TIMES.sub("", expected)
        assert doctest.OutputChecker().check_output(
            want, got, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        ), f"{page.name}: $ {command}\nshould print\n{want}\nand prints\n{got}"


def _written(block: str, folder: Path) -> str:
    """The block with what its commands print; output with a line of "..." stays as it is."""
    parts = []
    for command, expected in commands(block):
        output = run(command, folder) if runs_here(command) else expected
        left_out = "..." in expected.splitlines()
        parts.append(f"$ {command}\n{expected if left_out else output}")
    return "".join(parts)


if __name__ == "__main__":
    for each in [Path(name) for name in sys.argv[1:]] or PAGES:
        with tempfile.TemporaryDirectory() as place:
            prepare(Path(place))
            text = each.read_text(encoding="utf-8")
            pieces = _BLOCK.split(text)
            written = [_written(block, Path(place)) for block in _BLOCK.findall(text)]
            joined = "".join(piece + block for piece, block in zip(pieces, [*written, ""], strict=True))
            each.write_text(joined, encoding="utf-8")
