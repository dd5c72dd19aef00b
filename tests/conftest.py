"""What all tests share: how hard the property tests try, and where the record sets with known truth lie."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("default"), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # In the background of a script it is ignored, and would be by all that the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tables are as wide as the terminal, and that of whoever runs the tests may be any.
os.environ["COLUMNS"] = "110"

#: Parts of the paths of tests that use something that is started once in a process: a cluster, a browser.
TOGETHER = ("tests/hadoop/", "tests/spark/", "_browser.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where several processes share the tests out, one takes all of a cluster, and others go on meanwhile."""
    from xdist.scheduler import LoadScopeScheduling

    class Sharing(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return next((part for part in TOGETHER if part in file), nodeid)

    return Sharing(config, log)


@pytest.fixture(scope="session")
def record_sets() -> Path:
    """The folder of record sets with truth; a test that needs it is skipped where PEHCHAN_DATA names none."""
    folder = os.environ.get("PEHCHAN_DATA")
    if not folder:
        if os.environ.get("CI") == "true":
            pytest.fail("PEHCHAN_DATA is not set, and CI=true requires the record sets")
        pytest.skip("PEHCHAN_DATA names no folder of record sets")
    return Path(folder)


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder of example schemas."""
    return Path(__file__).parents[1] / "metadata" / "schemas"
