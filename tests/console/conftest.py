"""What the tests of the console share."""

import pytest

from pehchan.console.command import main


@pytest.fixture
def called(capsys):
    """Run the command: (exit code, stdout, stderr)."""

    def run(*arguments):
        code = main([*map(str, arguments)])
        return (code, *capsys.readouterr())

    return run
