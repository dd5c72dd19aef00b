"""What a runner needs, looked at one by one, each with how to mend it."""

import importlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from mrjob.fs.hadoop import HadoopFilesystem
from mrjob.hadoop import HadoopJobRunner, fully_qualify_hdfs_path
from mrjob.job import MRJob
from mrjob.step import MRStep, StepFailedException

import pehchan
from pehchan.console import node_report
from pehchan.console.bundle import command_for, pythons, read_manifest, runs_on, shipped_archives
from pehchan.console.configurations import (
    check_configurations,
    configured_hadoop,
    runner_configurations,
    runner_options,
)
from pehchan.console.jobs import RUNNERS
from pehchan.console.yarn import yarn_command
from pehchan.metadata.mistakes import Mistakes, nearest
from pehchan.mrjobs.spark import missing_for_spark

#: Seconds until a command counts as hanging.
COMMAND_SECONDS = 60.0

#: Seconds until the small job on the nodes does; it may have to wait for room on the cluster.
JOB_SECONDS = 600.0

#: Bytes that temporary files should have at least.
ENOUGH_SPACE = 1 << 30


class WrongError(Exception):
    """Something is not as a run needs it; said with how to mend it."""

    def __init__(self, what: str, mend: str):
        super().__init__(what)
        self.mend = mend


@dataclass(frozen=True)
class Check:
    """One thing a runner needs.

    look    says how it is; raises WrongError
    needs   the checks without which it says nothing
    deep    whether it takes long or leaves this machine, and so waits to be asked for
    """

    name: str
    look: Callable[["Surroundings"], str]
    needs: tuple[str, ...] = ()
    deep: bool = False


class Surroundings:
    """The configuration of the runner, and what the checks find out for each other."""

    def __init__(self, runner: str, conf_path: str | None):
        self.runner = runner
        self.conf_paths = runner_configurations(runner, conf_path)

    @cached_property
    def options(self) -> dict[str, Any]:
        """The options of the runner, later configurations over earlier."""
        return runner_options(self.runner, self.conf_paths)

    @cached_property
    def hadoop_bin(self) -> list[str]:
        """The command that mrjob takes for hadoop."""
        return configured_hadoop(self.options) or HadoopFilesystem().get_hadoop_bin()


def examine(runner: str, conf_path: str | None, deep: bool, say: Callable[[str], None]) -> bool:
    """Look at all that a runner needs, say it line by line; whether all of it is well.

    Raises MistakesError where there is no such runner, or its configuration cannot be used.
    """
    mistakes = Mistakes()
    if runner not in CHECKS:
        mistakes.add(f"-r {runner}", "no such runner.", nearest(runner, RUNNERS))
    check_configurations(runner, conf_path, mistakes)
    mistakes.raise_if_any()
    surroundings = Surroundings(runner, conf_path)
    say(f"pehchan {pehchan.__version__}, -r {runner}; configuration: {_spoken(surroundings.conf_paths)}")
    wrong: list[str] = []
    left: list[str] = []
    for check in CHECKS[runner]:
        lacking = [name for name in check.needs if name in wrong or name in left]
        if lacking:
            left.append(check.name)
            say(_line("--", check.name, f"not looked at: needs {' and '.join(lacking)}"))
        elif check.deep and not deep:
            say(_line("--", check.name, "not looked at: give --deep"))
        else:
            try:
                say(_line("ok", check.name, check.look(surroundings)))
            except WrongError as found:
                wrong.append(check.name)
                say(_line("wrong", check.name, str(found), found.mend))
    if wrong:
        say(
            f"{len(wrong)} of {len(CHECKS[runner])} {'is' if len(wrong) == 1 else 'are'} wrong: {', '.join(wrong)}."
        )
    else:
        say("All is well.")
    return not wrong


def _line(state: str, name: str, text: str, mend: str = "") -> str:
    indent = "\n" + " " * 24
    lines = [*text.splitlines(), *mend.splitlines()]
    return f"{state:7}{name:17}{indent.join(lines)}"


def _spoken(paths: Sequence[str]) -> str:
    return ", ".join(paths) or "none"


def ask(command: Sequence[str], mend: str, seconds: float | None = None, called: str = "") -> str:
    """What a command writes to stdout. Raises WrongError where it fails, or takes longer than it may."""
    limit = COMMAND_SECONDS if seconds is None else seconds
    shown = called or f"`{' '.join([os.path.basename(command[0]), *command[1:]])}`"
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise WrongError(f"{shown} does not start: {error.strerror}", mend) from error
    try:
        out, said = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired as error:
        # With all that it started, which would keep its pipes open.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise WrongError(f"{shown} gave no answer in {limit:.0f} s", mend) from error
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode:
        raise WrongError(f"{shown} failed: {_reason(said) or f'exit code {process.returncode}'}", mend)
    # java -version writes to stderr.
    return out or said


def _reason(said: str) -> str:
    """The line of what a command of Hadoop wrote that says most."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("\tat ")]
    telling = [line for line in lines if re.search(r"Exception|refused|denied|rror|not found|unknown", line)]
    return (telling or lines or [""])[-1][:300]


# what all runners need


def look_at_python(surroundings: Surroundings) -> str:
    versions = [
        f"{name} {importlib.metadata.version(name)}" for name in ("mrjob", "numpy", "rapidfuzz", "orjson")
    ]
    return f"{platform.python_version()} ({sys.executable}); {', '.join(versions)}"


def look_at_space(surroundings: Surroundings) -> str:
    """Where temporary files go."""
    folder = str(surroundings.options.get("local_tmp_dir") or tempfile.gettempdir())
    mend = "Set TMPDIR to a folder with room (or local_tmp_dir in the configuration)."
    try:
        with tempfile.TemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free
    except OSError as error:
        raise WrongError(f"{folder}: {error.strerror}", mend) from error
    if free < ENOUGH_SPACE:
        raise WrongError(f"{folder}: only {free / 1e9:.1f} GB free", mend)
    return f"{folder}, {free / 1e9:.0f} GB free"


# the local runner


def look_at_cores(surroundings: Surroundings) -> str:
    cores = os.cpu_count() or 1
    tasks = surroundings.options.get("num_cores") or cores
    return f"{cores}, {tasks} tasks at a time"


def look_at_sort(surroundings: Surroundings) -> str:
    mend = "It comes with coreutils; put it on PATH. mrjob sorts with it what mappers send to reducers."
    found = shutil.which("sort")
    if found is None:
        raise WrongError("no sort command on PATH", mend)
    ask([found, os.devnull], mend)
    return found


# Hadoop


def look_at_hadoop(surroundings: Surroundings) -> str:
    mend = "Put Hadoop's bin folder on PATH, or set HADOOP_HOME to where Hadoop is installed."
    found = shutil.which(surroundings.hadoop_bin[0])
    if found is None:
        raise WrongError("no hadoop command", mend)
    said = ask([*surroundings.hadoop_bin, "version"], f"Is it a whole Hadoop, with its own Java? {mend}")
    match = re.search(r"^Hadoop (\S+)", said, re.MULTILINE)
    if match is None:
        raise WrongError(f"{found} is no Hadoop: `hadoop version` names no version", mend)
    return f"{match[1]} ({found})"


def look_at_java(surroundings: Surroundings) -> str:
    mend = "Install a Java (8, 11 or 17: as your Hadoop asks), and set JAVA_HOME to its folder."
    home = os.environ.get("JAVA_HOME")
    if home:
        java = os.path.join(home, "bin", "java")
        if not os.access(java, os.X_OK):
            raise WrongError(f"JAVA_HOME={home} holds no bin/java", mend)
    else:
        java = shutil.which("java") or ""
    if java:
        return f"{_java_version(ask([java, '-version'], mend))} ({java})"
    if surroundings.runner == "hadoop" and shutil.which(surroundings.hadoop_bin[0]):
        try:
            ask([*surroundings.hadoop_bin, "version"], mend)
        except WrongError as error:
            raise WrongError(f"no java on PATH and no JAVA_HOME; {error}", mend) from error
        return "that of the hadoop command"
    raise WrongError("no java on PATH, and JAVA_HOME is not set", mend)


def _java_version(said: str) -> str:
    match = re.search(r'version "([^"]+)"', said)
    return match[1] if match else said.splitlines()[0]


def look_at_streaming_jar(surroundings: Surroundings) -> str:
    """The jar that runs programs as tasks, as mrjob finds it."""
    mend = (
        "Set hadoop_streaming_jar in the configuration to it; in a Hadoop from Apache it is\n"
        "share/hadoop/tools/lib/hadoop-streaming-VERSION.jar, and HADOOP_HOME leads there."
    )
    jar = surroundings.options.get("hadoop_streaming_jar")
    jar = jar or HadoopJobRunner(conf_paths=surroundings.conf_paths).get_hadoop_streaming_jar()
    if not jar:
        raise WrongError("no hadoop-streaming jar found", mend)
    if "://" not in jar and not os.path.exists(os.path.expanduser(os.path.expandvars(jar))):
        raise WrongError(f"{jar}: no such file", mend)
    return str(jar)


def look_at_name_node(surroundings: Surroundings) -> str:
    ask(
        [*surroundings.hadoop_bin, "fs", "-ls", "hdfs:///"],
        "Does HDFS run, and does fs.defaultFS in core-site.xml (in HADOOP_CONF_DIR) name it? On a cluster\n"
        "with Kerberos: kinit.",
    )
    return "answers"


def look_at_folder(surroundings: Surroundings) -> str:
    """Where mrjob puts what it sends."""
    folder = fully_qualify_hdfs_path(surroundings.options.get("hadoop_tmp_dir") or "tmp/mrjob")
    mend = (
        "Have your home folder made: hadoop fs -mkdir -p /user/YOU, then hadoop fs -chown YOU /user/YOU, as\n"
        "HDFS's superuser; or set hadoop_tmp_dir in the configuration."
    )
    probe = f"{folder}/pehchan-doctor-{uuid.uuid4().hex[:8]}"
    ask([*surroundings.hadoop_bin, "fs", "-mkdir", "-p", probe], mend)
    ask([*surroundings.hadoop_bin, "fs", "-rm", "-r", "-f", "-skipTrash", probe], mend)
    return f"{folder} is writable"


def look_at_yarn(surroundings: Surroundings) -> str:
    mend = "Does YARN run, and does yarn-site.xml (in HADOOP_CONF_DIR) name its ResourceManager?"
    said = ask([yarn_command(surroundings.hadoop_bin), "node", "-list"], mend)
    match = re.search(r"Total Nodes:\s*(\d+)", said)
    nodes = int(match[1]) if match else len(re.findall(r"\bRUNNING\b", said))
    if not nodes:
        raise WrongError(
            "no node runs", "Start NodeManagers; yarn node -list -all shows those that were lost."
        )
    return f"{nodes} {'node' if nodes == 1 else 'nodes'}"


def look_at_bundle(surroundings: Surroundings) -> str:
    """What travels to the nodes."""
    archives = shipped_archives(surroundings.runner, surroundings.conf_paths)
    if not archives:
        return "none is sent: the nodes have pehchan, or --deep says that they do not"
    said = []
    for archive in archives:
        if "://" in archive and not archive.startswith("file://"):
            if surroundings.runner != "hadoop":
                said.append(f"{archive} (not looked at)")
                continue
            mend = f"pehchan bundle -o FILE; hadoop fs -put FILE {archive}"
            try:
                ask([*surroundings.hadoop_bin, "fs", "-test", "-e", archive], mend)
            except WrongError as error:
                raise WrongError(f"{archive} is not there, or not to be reached", mend) from error
            said.append(archive)
            continue
        path = archive.removeprefix("file://")
        try:
            manifest = read_manifest(path)
        except FileNotFoundError as error:
            raise WrongError(f"{path} is not there", f"Make it: {command_for(path)}") from error
        except (OSError, ValueError) as error:
            raise WrongError(f"{path} is no bundle: {error}", f"Make it: {command_for(path)}") from error
        if differences := manifest.differences():
            raise WrongError(
                f"{path} {'; '.join(differences)}", f"Make it again: {command_for(path, manifest)}"
            )
        size = os.path.getsize(path) / 1e6
        said.append(f"{path}, {size:.0f} MB, for Python {manifest.python} on {manifest.platform}")
    return "\n".join(said)


class NodeReport(MRJob):
    """Runs node_report.py on a node, with all that the configuration sends there."""

    python: ClassVar[str] = "python3"

    def steps(self) -> list[MRStep]:
        return [MRStep(mapper_cmd=f"{self.python} {Path(node_report.__file__).name}")]


def look_at_nodes(surroundings: Surroundings) -> str:
    """Run a small job, which says what Python is there and whether it imports what tasks need."""
    python = surroundings.options.get("task_python_bin") or "python3"
    python = python if isinstance(python, str) else " ".join(python)
    with tempfile.TemporaryDirectory(prefix="pehchan-doctor-") as folder:
        (Path(folder) / "line").write_text("line\n")
        switches = [arg for path in surroundings.conf_paths for arg in ("--conf-path", path)]
        # In a process of its own, so that it ends when its time is over.
        program = (
            "import sys; from pehchan.console.doctor import report_of_nodes; "
            "report_of_nodes(sys.argv[1], sys.argv[2:])"
        )
        mend = (
            f"Have a {python} on every node, of the version that the bundle is for; task_python_bin in the\n"
            "configuration names another. yarn logs -applicationId ... shows what the task wrote."
        )
        said = ask(
            [
                *(sys.executable, "-c", program, python, "-r", surroundings.runner, *switches),
                *("--files", node_report.__file__, f"{folder}/line"),
            ],
            mend,
            JOB_SECONDS,
            "the small job",
        )
    reports = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    if not reports:
        raise WrongError("the small job gave no answer", mend)
    return "\n".join(sorted({_judge(each, surroundings) for each in reports}))


def report_of_nodes(python: str, arguments: Sequence[str]) -> None:
    """Run the small job, and print what the nodes say."""
    NodeReport.python = python
    job = NodeReport(list(arguments))
    with job.make_runner() as runner:
        try:
            runner.run()
        except StepFailedException:
            sys.exit(f"Error: no task ran `{python}` to its end")
        sys.stdout.buffer.write(b"".join(runner.cat_output()))


def _judge(report: dict[str, str], surroundings: Surroundings) -> str:
    """What a node says, in words. Raises WrongError where its Python does not run the jobs."""
    shown = f"{report['node']}: Python {report['python']} ({report['executable']})"
    if not report["error"]:
        return f"{shown} imports the jobs"
    minor = ".".join(report["python"].split(".")[:2])
    if not runs_on(minor):
        raise WrongError(
            f"{shown}, and pehchan needs {pythons()}",
            "Install such a Python on all nodes, and name it with task_python_bin in the configuration.",
        )
    glibc = f"manylinux_{report['glibc'].replace('.', '_')}_" if report["glibc"] else ""
    switches = f"--python-version {minor} --platform {glibc}{report['machine']}"
    bundles = [
        path for path in shipped_archives(surroundings.runner, surroundings.conf_paths) if "://" not in path
    ]
    path = f" -o {bundles[0]}" if bundles and command_for(bundles[0]) != "pehchan bundle" else ""
    raise WrongError(
        f"{shown} does not import the jobs: {report['error']}",
        f"Make a bundle for it: pehchan bundle{path} {switches}\n"
        "or name a Python of the bundle's version with task_python_bin in the configuration.",
    )


# Spark and EMR


def look_at_spark(surroundings: Surroundings) -> str:
    for what, right in missing_for_spark():
        raise WrongError(what.removesuffix("."), right)
    home = os.environ.get("SPARK_HOME")
    found = shutil.which("spark-submit", path=os.path.join(home, "bin") if home else None)
    return found or f"pyspark {importlib.metadata.version('pyspark')}"


def look_at_boto3(surroundings: Surroundings) -> str:
    if importlib.util.find_spec("boto3") is None:
        raise WrongError("boto3 is not installed", f"{sys.executable} -m pip install boto3")
    return importlib.metadata.version("boto3")


def look_at_credentials(surroundings: Surroundings) -> str:
    """Whether there are credentials; asks nobody but this machine."""
    import boto3

    before = os.environ.get("AWS_EC2_METADATA_DISABLED")
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    try:
        found = boto3.Session().get_credentials()
    finally:
        if before is None:
            del os.environ["AWS_EC2_METADATA_DISABLED"]
        else:
            os.environ["AWS_EC2_METADATA_DISABLED"] = before
    if found is None and not surroundings.options.get("aws_access_key_id"):
        raise WrongError(
            "no credentials of AWS", "aws configure, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    return f"found ({found.method if found else 'configuration'})"


def look_at_account(surroundings: Surroundings) -> str:
    """Whose credentials they are, as AWS says."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    # One region is as good as another to answer that.
    region = surroundings.options.get("region") or boto3.Session().region_name or "us-east-1"
    limits = Config(connect_timeout=10, read_timeout=10, retries={"max_attempts": 1})
    try:
        return str(boto3.client("sts", region_name=region, config=limits).get_caller_identity()["Arn"])
    except (BotoCoreError, ClientError) as error:
        raise WrongError(
            f"AWS does not take them: {error}", "Are they of use, and is AWS reached from here?"
        ) from error


def look_at_release(surroundings: Surroundings) -> str:
    label = surroundings.options.get("release_label")
    if not label:
        raise WrongError(
            "no release_label is set, and mrjob's own is of 2020",
            "Set release_label in the configuration: emr-7.0.0 or later.",
        )
    return str(label)


_HERE = (Check("python", look_at_python), Check("temporary space", look_at_space))

#: What each runner needs, in the order in which it is looked at.
CHECKS: dict[str, tuple[Check, ...]] = {
    "inline": _HERE,
    "local": (*_HERE, Check("cores", look_at_cores), Check("sort", look_at_sort)),
    "hadoop": (
        *_HERE,
        Check("java", look_at_java),
        Check("hadoop", look_at_hadoop, ("java",)),
        Check("streaming jar", look_at_streaming_jar, ("hadoop",)),
        Check("name node", look_at_name_node, ("hadoop",)),
        Check("folder for jobs", look_at_folder, ("name node",)),
        Check("yarn", look_at_yarn, ("hadoop",)),
        Check("bundle", look_at_bundle),
        Check("nodes", look_at_nodes, ("streaming jar", "folder for jobs", "yarn", "bundle"), deep=True),
    ),
    "spark": (*_HERE, Check("spark", look_at_spark)),
    "emr": (
        *_HERE,
        Check("boto3", look_at_boto3),
        Check("credentials", look_at_credentials, ("boto3",)),
        Check("account", look_at_account, ("credentials",), deep=True),
        Check("release", look_at_release),
        Check("bundle", look_at_bundle),
    ),
}
