"""What the tests on Spark share."""

import os

import pytest

from pehchan.mrjobs.spark import missing_for_spark


@pytest.fixture(scope="session")
def spark():
    """A test with it is skipped where Spark or Java is missing."""
    missing = list(missing_for_spark())
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{missing}, and CI=true requires Spark")
        pytest.skip(missing[0][0])
    pytest.importorskip("pyspark")
