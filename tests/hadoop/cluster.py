#!/usr/bin/env python3
"""A real HDFS and YARN on this machine, to test jobs on and to try them out.

Starts a NameNode, a DataNode, a ResourceManager, a NodeManager (or several) and the JobHistoryServer as small
processes of their own, with everything they write in one folder. Needs Java 11 or 17, and Maven the first
time: it then fetches Hadoop's jars (about 100 MB) into ~/.cache/pehchan. A Hadoop that HADOOP_HOME names is
used instead.

    python tests/hadoop/cluster.py start            about 20 seconds; again while it runs: says so (make hadoop)
    eval "$(python tests/hadoop/cluster.py env)"    hadoop, hdfs and yarn on PATH, and mrjob finds them

    hadoop fs -put customers.csv /customers.csv
    python job.py -r hadoop hdfs:///customers.csv
    yarn application -list
    yarn logs -applicationId application_...        what the tasks wrote; while a job runs, and after it

    python tests/hadoop/cluster.py status
    python tests/hadoop/cluster.py stop             ends every process and removes the folder (make hadoop-stop)

`--folder` names another folder than the usual one, for a second cluster beside the first. `-D name=value`
sets any property of Hadoop, and `--node-managers 2`, `--block-size 1048576`, `--memory 4096` the common ones:
`start --help`. `status` names the pages to look at; the logs are in FOLDER/hadoop/logs.

From Python, for instance in a fixture:

    with Cluster(node_managers=2, block_size=1 << 20) as cluster:
        cluster.hadoop("fs", "-put", "customers.csv", "/customers.csv")
        subprocess.run([sys.executable, "job.py", "-r", "hadoop", ...], env=cluster.env())
        cluster.kill("nodemanager-2")
        cluster.launch("nodemanager-2")

Such a cluster ends with its block. Where the process that started it died first, the next start ends it.
"""

import argparse
import fcntl
import getpass
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

HERE = Path(__file__).resolve().parent
HOST = "127.0.0.1"

#: Seconds until all daemons must be of use, and until they must have ended.
START_SECONDS = 120
STOP_SECONDS = 10

#: What Hadoop reaches into, which Java 17 keeps closed.
OPENED = (
    "java.io java.lang java.lang.reflect java.math java.net java.nio java.text java.util java.util.concurrent"
)
OPENS = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED.split()]

#: Small and quick to start rather than fast.
JVM = ["-Djava.net.preferIPv4Stack=true", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]

#: Daemon -> its class, and its heap in MB.
DAEMONS = {
    "namenode": ("org.apache.hadoop.hdfs.server.namenode.NameNode", 256),
    "datanode": ("org.apache.hadoop.hdfs.server.datanode.DataNode", 256),
    "resourcemanager": ("org.apache.hadoop.yarn.server.resourcemanager.ResourceManager", 384),
    "nodemanager": ("org.apache.hadoop.yarn.server.nodemanager.NodeManager", 256),
    "jobhistory": ("org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer", 256),
}

#: What containers need to find the cluster; the rest of the starter's environment would only confuse them.
KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")

COMMANDS = """\
#!/bin/sh
# The commands of Hadoop that jobs and people need, for the cluster in {folder}
export HADOOP_CONF_DIR="${{HADOOP_CONF_DIR:-{conf}}}"
export JAVA_HOME={java_home}
export LANG="${{LANG:-C.UTF-8}}"
command="${{0##*/}} ${{1:-}}"
case "$command" in
    "hadoop version" | "hdfs version" | "yarn version") class=org.apache.hadoop.util.VersionInfo ;;
    "hadoop fs" | "hadoop dfs" | "hdfs dfs") class=org.apache.hadoop.fs.FsShell ;;
    "hadoop jar" | "yarn jar") class=org.apache.hadoop.util.RunJar ;;
    "hadoop classpath") echo "$HADOOP_CONF_DIR":{classpath}; exit ;;
    "hdfs fsck") class=org.apache.hadoop.hdfs.tools.DFSck ;;
    "hdfs dfsadmin") class=org.apache.hadoop.hdfs.tools.DFSAdmin ;;
    "yarn app" | "yarn application") class=org.apache.hadoop.yarn.client.cli.ApplicationCLI ;;
    "yarn node") class=org.apache.hadoop.yarn.client.cli.NodeCLI ;;
    "yarn logs") class=org.apache.hadoop.yarn.client.cli.LogsCLI ;;
    "mapred job") class=org.apache.hadoop.mapred.JobClient ;;
    *) echo "$command: not one of the commands of this small Hadoop; see $0" >&2; exit 1 ;;
esac
# The command line of an application names itself, that of all others does not.
case "$command" in "yarn app"*) ;; *) shift ;; esac
exec "$JAVA_HOME/bin/java" {options} $HADOOP_CLIENT_OPTS \\
    -Dhadoop.root.logger="${{HADOOP_ROOT_LOGGER:-INFO,console}}" \\
    -cp "$HADOOP_CONF_DIR":{classpath}"${{HADOOP_CLASSPATH:+:$HADOOP_CLASSPATH}}" "$class" "$@"
"""

#: The layouts are those that Hadoop brings, since mrjob reads what its commands write.
LOG4J = """\
hadoop.root.logger=INFO,console
log4j.rootLogger=${hadoop.root.logger}
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n
log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR
"""


class ClusterError(Exception):
    """The cluster did not start, or there is none."""


class Cluster:
    """HDFS and YARN in a folder of their own.

    folder          where everything lies; without one, a new folder in the folder for temporary files
    node_managers   how many nodes run tasks; they are named nodemanager-1, nodemanager-2, ...
    memory          MB that the containers of a node may have together
    container       MB of the container of a task; memory // container tasks run at a time on a node
    block_size      of files in HDFS, in bytes, a multiple of 512; small ones make many splits of small files
    settings        other properties of Hadoop, over those that are set here
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        node_managers: int = 1,
        memory: int = 3072,
        container: int = 768,
        block_size: int | None = None,
        settings: Mapping[str, str] | None = None,
    ):
        self.folder = Path(os.path.abspath(folder)) if folder else None
        self._own_folder = folder is None
        self._node_managers = node_managers
        self._memory = memory
        self._container = container
        self._block_size = block_size
        self._settings = dict(settings or {})
        self._state: dict[str, Any] = {}

    @classmethod
    def at(cls, folder: str | Path) -> "Cluster":
        """The cluster that was started in a folder. Raises ClusterError where there is none."""
        cluster = cls(folder)
        try:
            cluster._state = json.loads((Path(folder) / "cluster.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ClusterError(f"{folder}: no cluster was started here.") from None
        return cluster

    def __enter__(self) -> "Cluster":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # start and stop

    def start(self) -> None:
        """Start everything, and wait until it is of use. Raises ClusterError with the reason if it is not."""
        stop_orphans()
        if self._own_folder:
            self.folder = Path(tempfile.mkdtemp(prefix=_prefix() + "-"))
        assert self.folder is not None
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.folder.stat().st_uid != os.getuid():
            raise ClusterError(f"{self.folder}: belongs to someone else.")
        with _locked(self.folder):
            if (self.folder / "cluster.json").exists():
                raise ClusterError(f"{self.folder}: a cluster was started here already; stop that one first.")
            if any(path.name != "lock" for path in self.folder.iterdir()):
                raise ClusterError(f"{self.folder}: not empty, and not the folder of a cluster.")
            try:
                self._start()
            except BaseException:
                self._stop()
                raise

    def _start(self) -> None:
        java_home = find_java()
        hadoop, classpath, streaming = find_hadoop()
        # The ports are held until all are known, so that no two are the same.
        names = ["namenode", "namenode_http", "datanode", "datanode_ipc", "datanode_http"]
        names += ["resourcemanager", "scheduler", "tracker", "admin", "resourcemanager_http"]
        names += ["history", "history_http", "history_admin"]
        for number in range(1, self._node_managers + 1):
            names += [f"nodemanager-{number}{part}" for part in ("", "_localizer", "_http")]
        held = [socket.create_server((HOST, 0)) for _ in names]
        self._state = {
            "ports": {name: server.getsockname()[1] for name, server in zip(names, held, strict=True)},
            "owner": _identity(os.getpid()) if self._own_folder else None,
            "node_managers": self._node_managers,
            "java_home": java_home,
            "classpath": classpath,
            "streaming": streaming.name,
            "hadoop": hadoop,
        }
        self._write_folder(streaming)
        for server in held:
            server.close()
        self._run_java("namenode", "-format", "-nonInteractive")
        for daemon in self.daemons:
            self.launch(daemon, wait=False)
        self.wait()
        for path, permission in (("/tmp", "1777"), (f"/user/{getpass.getuser()}", "755")):
            for operation in ("MKDIRS", "SETPERMISSION"):  # one that is there already keeps its permissions
                self._ask_hdfs(path, operation, permission=permission)

    def _ask_hdfs(self, path: str, operation: str, **query: str) -> None:
        query = {"op": operation, "user.name": getpass.getuser(), **query}
        _ask(f"http://{HOST}:{self._port('namenode_http')}/webhdfs/v1{path}?{urlencode(query)}", "PUT")

    def stop(self) -> None:
        """End every process, those of jobs as well, and remove the folder."""
        if self.folder is not None and self.folder.exists():
            with _locked(self.folder):
                self._stop()

    def _stop(self) -> None:
        assert self.folder is not None
        # The nodes go first: they end the tasks.
        for name in ("nodemanager-*", "*"):
            _end(sorted((self.folder / "pids").glob(name)))
        _end_tasks(self.folder)
        # A task that is just ending may still write.
        for _ in range(5):
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists():
                break
            time.sleep(0.2)

    @property
    def daemons(self) -> list[str]:
        """The names of the daemons: namenode, datanode, resourcemanager, jobhistory, nodemanager-1, ..."""
        nodes = [f"nodemanager-{number}" for number in range(1, self._state["node_managers"] + 1)]
        return [name for name in DAEMONS if name != "nodemanager"] + nodes

    def launch(self, daemon: str, wait: bool = True) -> None:
        """Start a daemon that does not run."""
        assert self.folder is not None
        if self.running(daemon):
            raise ClusterError(f"{daemon} runs already.")
        logs = self._home / "logs"
        options: list[str] = []
        if daemon.startswith("nodemanager"):
            place = self.folder / daemon
            options = [
                f"-Dyarn.nodemanager.{name}={value}"
                for name, value in {
                    "address": f"{HOST}:{self._port(daemon)}",
                    "localizer.address": f"{HOST}:{self._port(daemon + '_localizer')}",
                    "webapp.address": f"{HOST}:{self._port(daemon + '_http')}",
                    "local-dirs": place,
                    # One folder for all nodes, where mrjob looks for it.
                    "log-dirs": logs / "userlogs",
                }.items()
            ]
        with open(logs / f"{daemon}.log", "ab") as log:
            process = subprocess.Popen(
                [*self._java(daemon), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self._daemon_env(),
                start_new_session=True,
            )
        _children[process.pid] = process
        (self.folder / "pids" / daemon).write_text(json.dumps(_identity(process.pid)), encoding="ascii")
        if wait:
            self.wait()

    def kill(self, daemon: str) -> None:
        """End a daemon at once, as a power cut would; for a node manager, with the tasks of its node."""
        assert self.folder is not None
        _end([self.folder / "pids" / daemon], at_once=True)
        if daemon.startswith("nodemanager"):
            _end_tasks(self.folder / daemon)

    def running(self, daemon: str) -> bool:
        """Whether the process of a daemon runs."""
        assert self.folder is not None
        return _read_pid(self.folder / "pids" / daemon) is not None

    def wait(self) -> None:
        """Wait until every daemon is of use. Raises ClusterError with the end of its log if one ends."""
        until = time.monotonic() + START_SECONDS
        checks: dict[str, Callable[[], bool]] = {
            "datanode": self._hdfs_ready,
            "resourcemanager": self._yarn_ready,
            "jobhistory": self._history_ready,
        }
        while checks:
            for daemon in self.daemons:
                if not self.running(daemon):
                    raise ClusterError(f"{daemon} ended.\n{self._end_of_log(daemon)}")
            for daemon, ready in list(checks.items()):
                with suppress(OSError, ValueError, KeyError, TypeError, IndexError):
                    if ready():
                        del checks[daemon]
            if checks and time.monotonic() > until:
                logs = "\n".join(self._end_of_log(daemon) for daemon in checks)
                raise ClusterError(f"not of use after {START_SECONDS} s: {', '.join(checks)}\n{logs}")
            time.sleep(0.2)

    def _hdfs_ready(self) -> bool:
        name = self._port("namenode_http")
        state = _ask(f"http://{HOST}:{name}/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState")["beans"][
            0
        ]
        return bool(state["NumLiveDataNodes"] == 1 and state["FSState"] == "Operational")

    def _yarn_ready(self) -> bool:
        """Whether the ResourceManager has heard of every node since that was started."""
        assert self.folder is not None
        heard = {
            node["nodeHTTPAddress"].rpartition(":")[2]: node["lastHealthUpdate"]
            for node in self.nodes("RUNNING")
        }
        return all(
            heard.get(str(self._port(f"{node}_http")), 0)
            > 1000 * (self.folder / "pids" / node).stat().st_mtime
            for node in self.daemons
            if node.startswith("nodemanager")
        )

    def _history_ready(self) -> bool:
        return bool(_ask(f"http://{HOST}:{self._port('history_http')}/ws/v1/history/info")["historyInfo"])

    # use

    def env(self) -> dict[str, str]:
        """The environment in which `hadoop` is this cluster's and mrjob finds it."""
        own = self.variables()
        path = os.environ.get("PATH", os.defpath)
        return {**os.environ, **own, "PATH": f"{self._home / 'bin'}{os.pathsep}{path}"}

    def variables(self) -> dict[str, str]:
        """The environment variables that name this cluster, but for PATH."""
        return {
            "HADOOP_HOME": str(self._home),
            "HADOOP_CONF_DIR": str(self._conf),
            "HADOOP_STREAMING_JAR": str(self.streaming_jar),
        }

    @property
    def streaming_jar(self) -> Path:
        """The jar that runs commands as mappers and reducers."""
        return self._home / "share" / "hadoop" / "tools" / "lib" / str(self._state["streaming"])

    @property
    def uri(self) -> str:
        """Where HDFS is: hdfs://127.0.0.1:port."""
        return f"hdfs://{HOST}:{self._port('namenode')}"

    def hadoop(self, *arguments: str | Path, check: bool = True) -> "subprocess.CompletedProcess[bytes]":
        """Run a hadoop command; its output is in stdout and stderr."""
        command = [str(self._home / "bin" / "hadoop"), *map(str, arguments)]
        return subprocess.run(command, env=self.env(), capture_output=True, check=check)

    def nodes(self, *states: str) -> list[dict[str, Any]]:
        """The nodes as the ResourceManager sees them, those in some states or all: RUNNING, LOST, ..."""
        return self._of_resource_manager("nodes", "node", states)

    def applications(self, *states: str) -> list[dict[str, Any]]:
        """The applications, those in some states or all: ACCEPTED, RUNNING, FINISHED, FAILED, KILLED."""
        return self._of_resource_manager("apps", "app", states)

    def _of_resource_manager(self, many: str, one: str, states: Sequence[str]) -> list[dict[str, Any]]:
        query = f"?states={','.join(states)}" if states else ""
        answer = _ask(f"{self.pages()['YARN']}/ws/v1/cluster/{many}{query}")
        return list((answer[many] or {}).get(one, []))

    def pages(self) -> dict[str, str]:
        """The pages to look at: of jobs that run, and of those that ended."""
        ports = {"YARN": "resourcemanager_http", "ended jobs": "history_http"}
        return {what: f"http://{HOST}:{self._port(name)}" for what, name in ports.items()}

    # the folder

    @property
    def _home(self) -> Path:
        assert self.folder is not None
        return self.folder / "hadoop"

    @property
    def _conf(self) -> Path:
        return self._home / "etc" / "hadoop"

    @property
    def _pages(self) -> Path:
        return self._home / "share" / "hadoop" / "hdfs"

    def _port(self, name: str) -> int:
        if not self._state:
            raise ClusterError("the cluster was not started.")
        return int(self._state["ports"][name])

    def _write_folder(self, streaming: Path) -> None:
        assert self.folder is not None
        # The pages of HDFS are in no jar; it does without, but not without their folders.
        pages = [self._pages / "webapps" / daemon for daemon in ("hdfs", "datanode")]
        for place in (self._home / "bin", self._conf, self._home / "logs", self.streaming_jar.parent, *pages):
            place.mkdir(parents=True)
        (self.folder / "pids").mkdir()
        # mrjob looks below HADOOP_HOME.
        self.streaming_jar.symlink_to(streaming)
        for name, properties in self._properties().items():
            lines = [
                f"  <property><name>{escape(key)}</name><value>{escape(value)}</value></property>"
                for key, value in properties.items()
            ]
            text = "\n".join(['<?xml version="1.0"?>', "<configuration>", *lines, "</configuration>", ""])
            (self._conf / name).write_text(text, encoding="utf-8")
        (self._conf / "log4j.properties").write_text(LOG4J, encoding="ascii")
        command = self._home / "bin" / "hadoop"
        command.write_text(
            COMMANDS.format(
                folder=self.folder,
                conf=self._conf,
                java_home=shlex.quote(self._state["java_home"]),
                classpath=shlex.quote(self._state["classpath"]),
                options=" ".join([*JVM, "-Xshare:auto", "-Xmx512m", *OPENS]),
            ),
            encoding="utf-8",
        )
        command.chmod(0o755)
        for name in ("hdfs", "yarn", "mapred"):
            (command.parent / name).symlink_to("hadoop")
        state = self.folder / "cluster.json"
        state.write_text(json.dumps(self._state, indent=1) + "\n", encoding="utf-8")

    def _properties(self) -> dict[str, dict[str, str]]:
        """File -> property -> value."""

        def at(name: str) -> str:
            return f"{HOST}:{self._port(name)}"

        data = f"file://{self.folder}/data"
        container = str(self._container)
        heap = f"-Xmx{self._container // 3}m {' '.join([*JVM, *OPENS])}"
        classpath = ",".join([str(self._conf), *self._state["classpath"].split(":")])
        core = {
            "fs.defaultFS": self.uri,
            "hadoop.tmp.dir": f"{self.folder}/tmp",
            "hadoop.http.staticuser.user": getpass.getuser(),
        }
        hdfs = {
            "dfs.namenode.name.dir": f"{data}/name",
            "dfs.namenode.http-address": at("namenode_http"),
            "dfs.namenode.fs-limits.min-block-size": "1",
            "dfs.namenode.safemode.extension": "0",
            "dfs.namenode.resource.du.reserved": "0",
            "dfs.datanode.data.dir": f"{data}/node",
            "dfs.datanode.address": at("datanode"),
            "dfs.datanode.ipc.address": at("datanode_ipc"),
            "dfs.datanode.http.address": at("datanode_http"),
            "dfs.datanode.hostname": HOST,
            "dfs.replication": "1",
            "dfs.client.block.write.replace-datanode-on-failure.enable": "false",
        }
        if self._block_size:
            hdfs["dfs.blocksize"] = str(self._block_size)
        yarn = {
            "yarn.resourcemanager.hostname": HOST,
            "yarn.resourcemanager.address": at("resourcemanager"),
            "yarn.resourcemanager.scheduler.address": at("scheduler"),
            "yarn.resourcemanager.resource-tracker.address": at("tracker"),
            "yarn.resourcemanager.admin.address": at("admin"),
            "yarn.resourcemanager.webapp.address": at("resourcemanager_http"),
            "yarn.node-attribute.fs-store.root-dir": f"file://{self.folder}/node-attribute",
            "yarn.scheduler.minimum-allocation-mb": "128",
            "yarn.scheduler.maximum-allocation-mb": str(self._memory),
            # A node that was cut off is given up soon, not after ten minutes and three.
            "yarn.nm.liveness-monitor.expiry-interval-ms": "20000",
            "yarn.client.nodemanager-connect.max-wait-ms": "10000",
            "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": "250",
            "yarn.nodemanager.hostname": HOST,
            "yarn.nodemanager.resource.memory-mb": str(self._memory),
            "yarn.nodemanager.resource.cpu-vcores": "8",
            "yarn.nodemanager.vmem-check-enabled": "false",
            "yarn.nodemanager.disk-health-checker.enable": "false",
            "yarn.nodemanager.aux-services": "mapreduce_shuffle",
            "yarn.nodemanager.sleep-delay-before-sigkill.ms": "1000",
            "yarn.nodemanager.env-whitelist": "JAVA_HOME,PATH,LANG,LC_ALL,LC_CTYPE,TZ,LD_LIBRARY_PATH",
            "yarn.application.classpath": classpath,
            # As on most clusters: what tasks wrote is in HDFS soon after the job, for `yarn logs`.
            "yarn.log-aggregation-enable": "true",
            "yarn.log.server.url": f"http://{at('history_http')}/jobhistory/logs",
        }
        mapred = {
            "mapreduce.framework.name": "yarn",
            "mapreduce.application.classpath": classpath,
            "mapreduce.shuffle.port": "0",
            "mapreduce.jobhistory.address": at("history"),
            "mapreduce.jobhistory.webapp.address": at("history_http"),
            "mapreduce.jobhistory.admin.address": at("history_admin"),
            "mapreduce.map.memory.mb": container,
            "mapreduce.reduce.memory.mb": container,
            "mapreduce.map.java.opts": heap,
            "mapreduce.reduce.java.opts": heap,
            "mapreduce.task.io.sort.mb": "32",
            "yarn.app.mapreduce.am.resource.mb": "512",
            "yarn.app.mapreduce.am.command-opts": f"-Xmx256m {' '.join([*JVM, *OPENS])}",
            "yarn.app.mapreduce.am.scheduler.heartbeat.interval-ms": "250",
        }
        scheduler = {
            "yarn.scheduler.capacity.root.queues": "default",
            "yarn.scheduler.capacity.root.default.capacity": "100",
            "yarn.scheduler.capacity.maximum-am-resource-percent": "0.5",
        }
        files = {
            "core-site.xml": core,
            "hdfs-site.xml": hdfs,
            "yarn-site.xml": yarn,
            "mapred-site.xml": mapred,
            "capacity-scheduler.xml": scheduler,
        }
        for name, value in self._settings.items():
            file = next((file for file, properties in files.items() if name in properties), None)
            files[file or _file_of(name)][name] = value
        return files

    def _java(self, daemon: str) -> list[str]:
        """The command that runs a daemon."""
        name, heap = DAEMONS[re.sub(r"-\d+$", "", daemon)]
        classpath = f"{self._conf}:{self._state['classpath']}:{self._pages}"
        java = f"{self._state['java_home']}/bin/java"
        return [java, f"-Dproc_{daemon}", f"-Xmx{heap}m", *JVM, *OPENS, "-cp", classpath, name]

    def _run_java(self, daemon: str, *arguments: str) -> None:
        """Run the class of a daemon to its end. Raises ClusterError with what it wrote if that fails."""
        done = subprocess.run(
            [*self._java(daemon), *arguments],
            env=self._daemon_env(),
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise ClusterError(f"{daemon} {' '.join(arguments)} failed.\n{done.stdout}{done.stderr}")

    def _daemon_env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        own = {"JAVA_HOME": self._state["java_home"], "HADOOP_LOG_DIR": str(self._home / "logs")}
        # Java needs a locale to find files by their names.
        return {"LANG": "C.UTF-8", **kept, **self.variables(), **own}

    def _end_of_log(self, daemon: str) -> str:
        path = self._home / "logs" / f"{daemon}.log"
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        return "\n".join([f"{path}:", *(line[:300] for line in lines[-30:])])


# Java, and Hadoop's jars


def find_java() -> str:
    """The folder of the Java to use."""
    home = os.environ.get("JAVA_HOME")
    if home and os.access(f"{home}/bin/java", os.X_OK):
        return home
    java = shutil.which("java")
    if not java:
        raise ClusterError("no Java: neither JAVA_HOME nor PATH names one.")
    return str(Path(java).resolve().parent.parent)


def find_hadoop() -> tuple[str, str, Path]:
    """Where Hadoop is, its classpath, and the streaming jar: of HADOOP_HOME, else from Maven."""
    home = os.environ.get("HADOOP_HOME")
    if home and os.access(f"{home}/bin/hadoop", os.X_OK):
        answer = subprocess.run([f"{home}/bin/hadoop", "classpath"], capture_output=True, text=True)
        found = sorted(
            path
            for path in Path(home).glob("share/hadoop/tools/lib/hadoop-streaming*.jar")
            if not path.name.endswith("-sources.jar")
        )
        if answer.returncode or not found:
            raise ClusterError(f"HADOOP_HOME={home}: no classpath or no streaming jar. {answer.stderr}")
        # Its conf folder speaks of another cluster.
        conf = {os.environ.get("HADOOP_CONF_DIR"), f"{home}/etc/hadoop"}
        parts = [part for part in answer.stdout.strip().split(":") if part and part.rstrip("/") not in conf]
        return home, ":".join(parts), found[0].resolve()
    jars = fetch_jars()
    return str(jars), f"{jars}/*", next(jars.glob("hadoop-streaming-*.jar"))


def fetch_jars() -> Path:
    """The folder of Hadoop's jars; Maven copies them there once."""
    pom = (HERE / "pom.xml").read_bytes()
    version = re.search(rb"<hadoop\.version>(.+?)</", pom)
    assert version
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pehchan"
    # Another pom.xml may mean other jars.
    digest = hashlib.sha256(pom).hexdigest()[:8]
    jars = cache / f"hadoop-{version[1].decode()}-{digest}"
    if jars.is_dir():
        return jars
    if not shutil.which("mvn"):
        raise ClusterError("no Maven on PATH to fetch Hadoop with, and HADOOP_HOME names no Hadoop.")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix=".hadoop-") as unfinished:
        # Maven may write beside the pom.
        shutil.copy(HERE / "pom.xml", unfinished)
        print("fetching Hadoop's jars, once ...", file=sys.stderr)
        fetched = Path(unfinished) / "jars"
        command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"]
        done = subprocess.run(
            [*command, f"-DoutputDirectory={fetched}"], cwd=unfinished, capture_output=True, text=True
        )
        if done.returncode:
            raise ClusterError(f"Maven could not fetch Hadoop.\n{done.stdout}{done.stderr}")
        with suppress(OSError):  # someone else was first
            fetched.rename(jars)
    return jars


def _file_of(name: str) -> str:
    """The file in which a property belongs."""
    if name.startswith("yarn.scheduler.capacity."):
        return "capacity-scheduler.xml"
    if name.startswith("yarn.") and not name.startswith("yarn.app.mapreduce."):
        return "yarn-site.xml"
    if name.startswith(("mapreduce.", "yarn.app.mapreduce.", "mapred.")):
        return "mapred-site.xml"
    return "hdfs-site.xml" if name.startswith("dfs.") else "core-site.xml"


def _ask(url: str, method: str = "GET") -> Any:
    # No proxy leads to this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, method=method, headers={"Accept": "application/json"})
    with opener.open(request, timeout=5) as answer:
        text = answer.read()
    return json.loads(text) if text else None


# processes

#: Our own children, which must be waited for: until then they count as alive.
_children: dict[int, "subprocess.Popen[bytes]"] = {}


def _identity(pid: int) -> list[str]:
    """A process, and since when it runs: its number alone may come to be another's. Empty if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        fields = stat.rpartition(")")[2].split()
        state, started = fields[0], fields[19]
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return []
        command = ["ps", "-o", "stat=,lstart=", "-p", str(pid)]
        state, _, started = (
            subprocess.run(command, capture_output=True, text=True).stdout.strip().partition(" ")
        )
    return [str(pid), started.strip()] if state and not state.startswith("Z") else []


def _alive(identity: Sequence[str]) -> bool:
    pid = int(identity[0])
    if pid in _children and _children[pid].poll() is not None:
        return False
    return _identity(pid) == list(identity)


def _read_pid(path: Path) -> int | None:
    """The number of the process of a pid file, if it runs."""
    try:
        identity = json.loads(path.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
    return int(identity[0]) if _alive(identity) else None


def _end(files: Sequence[Path], at_once: bool = False) -> None:
    """End the processes of pid files, and remove these."""
    until = time.monotonic() + (0 if at_once else STOP_SECONDS)
    pids = {path: pid for path in files if (pid := _read_pid(path)) is not None}
    for pid in pids.values():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL if at_once else signal.SIGTERM)
    while pids:
        pids = {path: pid for path, pid in pids.items() if _read_pid(path) is not None}
        if pids and time.monotonic() > until:
            for pid in pids.values():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    for path in files:
        path.unlink(missing_ok=True)


def _end_tasks(folder: Path) -> None:
    """End the processes of containers with files below a folder; a node that was killed leaves them."""
    marks = [f"LOCAL_DIRS={folder}/".encode(), f"\0LOCAL_DIRS={folder}/".encode()]
    for _ in range(3):  # one may just be starting another
        found = False
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                environ = (process / "environ").read_bytes()
                if environ.startswith(marks[0]) or marks[1] in environ:
                    os.kill(int(process.name), signal.SIGKILL)
                    found = True
        if not found:
            return
        time.sleep(0.1)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let nobody else start or stop a cluster in a folder meanwhile."""
    with open(folder / "lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prefix() -> str:
    return f"pehchan-hadoop-{os.getuid()}"


def usual_folder() -> Path:
    """Where the cluster lies that is started by hand."""
    return Path(tempfile.gettempdir()) / _prefix()


def stop_orphans() -> None:
    """Stop the clusters whose starter has died without stopping them."""
    for file in Path(tempfile.gettempdir()).glob(f"{_prefix()}-*/cluster.json"):
        with suppress(OSError, ValueError, ClusterError):
            owner = json.loads(file.read_text(encoding="utf-8"))["owner"]
            if file.stat().st_uid == os.getuid() and owner and not _alive(owner):
                Cluster.at(file.parent).stop()


# the commands


def start(options: argparse.Namespace) -> int:
    with suppress(ClusterError):
        if _is_up(Cluster.at(options.folder)):
            print(f"{options.folder}: runs already. In a shell:\n  {_eval_line(options.folder)}")
            return 0
        Cluster.at(options.folder).stop()
    began = time.monotonic()
    settings = dict(setting.split("=", 1) for setting in options.settings)
    cluster = Cluster(
        options.folder,
        node_managers=options.node_managers,
        memory=options.memory,
        container=options.container,
        block_size=options.block_size,
        settings=settings,
    )
    cluster.start()
    print(f"started in {time.monotonic() - began:.0f} s. In a shell:\n  {_eval_line(options.folder)}")
    return 0


def _eval_line(folder: Path) -> str:
    """What makes a shell, wherever it is, find the cluster of a folder."""
    script = shlex.join([sys.executable, os.path.abspath(sys.argv[0]), "--folder", str(folder)])
    return f'eval "$({script} env)"'


def stop(options: argparse.Namespace) -> int:
    stop_orphans()
    Cluster.at(options.folder).stop()
    return 0


def status(options: argparse.Namespace) -> int:
    cluster = Cluster.at(options.folder)
    for daemon in cluster.daemons:
        print(f"{daemon:16}{'runs' if cluster.running(daemon) else 'ended'}")
    print(f"{'files':16}{cluster.uri}")
    for what, page in cluster.pages().items():
        print(f"{what:16}{page}")
    return 0 if _is_up(cluster) else 1


def env(options: argparse.Namespace) -> int:
    cluster = Cluster.at(options.folder)
    for name, value in cluster.variables().items():
        print(f"export {name}={shlex.quote(value)}")
    print(f'export PATH={shlex.quote(str(cluster.folder))}/hadoop/bin:"$PATH"')
    return 0


def _is_up(cluster: Cluster) -> bool:
    return all(cluster.running(daemon) for daemon in cluster.daemons)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--folder", type=Path, default=usual_folder(), help="instead of %(default)s")
    commands = parser.add_subparsers(required=True, metavar="start | stop | status | env")
    for command in (start, stop, status, env):
        chosen = commands.add_parser(command.__name__)
        chosen.set_defaults(command=command)
        chosen.add_argument("--folder", type=Path, default=argparse.SUPPRESS)
        if command is start:
            chosen.add_argument("--node-managers", type=int, default=1, metavar="N")
            chosen.add_argument("--memory", type=int, default=3072, metavar="MB", help="of a node")
            chosen.add_argument("--container", type=int, default=768, metavar="MB", help="of a task")
            chosen.add_argument("--block-size", type=int, metavar="BYTES", help="of HDFS; a multiple of 512")
            chosen.add_argument("-D", action="append", default=[], dest="settings", metavar="NAME=VALUE")
    options = parser.parse_args(arguments)
    options.folder = Path(os.path.abspath(options.folder))
    try:
        return int(options.command(options))
    except ClusterError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
