"""A real HDFS and YARN for the tests of this folder, started once."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hadoop.cluster import Cluster

GOLDEN = Path(__file__).parents[1] / "golden"


@dataclass
class Hadoop:
    """The cluster, and how the command and the jobs are run on it."""

    cluster: Cluster
    folder: Path

    def conf(self, name: str = "plain", python: str = sys.executable, **jobconf: object) -> Path:
        """A configuration whose tasks run with a Python of this machine, so that nothing has to be shipped."""
        settings = {
            # No second attempt beside a slow one: the machine is small.
            "mapreduce.map.speculative": "false",
            "mapreduce.reduce.speculative": "false",
            "mapreduce.job.maps": "1",
            **{key.replace("_", "."): value for key, value in jobconf.items()},
        }
        lines = [
            "runners:",
            "  hadoop:",
            "    bootstrap_mrjob: false",
            "    read_logs: false",
            f"    task_python_bin: {python}",
            "    jobconf:",
            *(f"      {key}: '{value}'" for key, value in settings.items()),
        ]
        path = self.folder / f"{name}.conf"
        path.write_text("\n".join(lines) + "\n")
        return path

    def start(self, *arguments: object, folder: Path | None = None) -> "subprocess.Popen[str]":
        """Start the pehchan command."""
        return subprocess.Popen(
            [sys.executable, "-m", "pehchan.console.command", *map(str, arguments)],
            cwd=folder or self.folder,
            env=self.cluster.env(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def pehchan(self, *arguments: object, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
        """Run the pehchan command to its end."""
        running = self.start(*arguments, folder=folder)
        out, err = running.communicate(timeout=900)
        return subprocess.CompletedProcess(running.args, running.returncode, out, err)

    def put(self, local: Path, uri: str) -> str:
        """Copy a file or folder to HDFS."""
        self.cluster.hadoop("fs", "-mkdir", "-p", uri.rpartition("/")[0])
        self.cluster.hadoop("fs", "-put", local, uri)
        return uri


@pytest.fixture(scope="session")
def hadoop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hadoop]:
    missing = [name for name in ("java", "mvn") if not shutil.which(name)]
    if missing and not os.environ.get("HADOOP_HOME"):
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI=true requires Hadoop, and there is no {' and no '.join(missing)}")
        pytest.skip(f"no {' and no '.join(missing)} to run Hadoop with")
    # A node that is silent for so long is lost; long enough that no busy machine loses one that is not.
    settings = {"yarn.nm.liveness-monitor.expiry-interval-ms": "10000"}
    with Cluster(
        node_managers=2, memory=2304, container=768, block_size=1 << 20, settings=settings
    ) as cluster:
        before = dict(os.environ)
        os.environ.update(cluster.variables())
        yield Hadoop(cluster, tmp_path_factory.mktemp("hadoop"))
        os.environ.clear()
        os.environ.update(before)
