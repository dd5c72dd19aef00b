"""What the tests of the console share."""

import os
import shutil
from collections.abc import Iterator

import pytest
from selenium import webdriver

from pehchan.console.command import main


@pytest.fixture
def called(capsys):
    """Run the command: (exit code, stdout, stderr)."""

    def run(*arguments):
        code = main([*map(str, arguments)])
        return (code, *capsys.readouterr())

    return run


@pytest.fixture
def pehchan(called):
    """Run the command, which is to go well; what it says on stdout."""

    def run(*arguments):
        code, out, err = called(*arguments)
        assert code == 0, err
        return out

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[webdriver.Chrome]:
    """A Chromium without a window, that keeps what pages say and ask for.

    Debian's packages are chromium and chromium-driver. Where they are not tests are skipped, unless CI=true.
    """
    program = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not program or not driver:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no chromium and chromedriver, and CI=true requires them")
        pytest.skip("there is no chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (
        "headless=new",
        "disable-gpu",
        "disable-dev-shm-usage",
        "window-size=1000,900",
        "no-first-run",
    ):
        options.add_argument(f"--{flag}")
    if os.geteuid() == 0:
        # It has no sandbox where it runs as root.
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    started.set_page_load_timeout(60)
    yield started
    started.quit()
