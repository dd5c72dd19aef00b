"""What all tests share: how hard the property tests try, and where the record sets with known truth lie."""

import os
import signal
from pathlib import Path

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

#: What is started once, and so needs all tests that use it in one process.
STARTED_ONCE = ("hadoop", "spark", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the tests out, those of one cluster, or browser, go to one of them."""
    for item in items:
        for name in STARTED_ONCE:
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(name))


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
