"""A stand-in for AWS: moto for S3 and EMR's requests, and this machine for what a cluster does with a step.

What it shows is that the requests are well formed and that their steps, with nothing but the files they name,
give the right output. What it cannot show: that EMR accepts the requests, that the nodes have what the bootstrap
asks for, how YARN shares its memory, what it costs.
"""

import io
import os
import shlex
import subprocess
import sys
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import botocore.client
from botocore.exceptions import EndpointConnectionError
from botocore.validate import ParamValidator
from moto.backends import get_backend

REGION = "us-east-1"
BUCKET = "pehchan-test"


class StandIn:
    """Records what is asked of AWS, and does the streaming steps where they are submitted."""

    def __init__(self, folder: Path, executes: bool = True):
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.executes = executes
        self.failing: str | None = None
        #: Whether EMR is out of reach, for those who want to cancel steps.
        self.unreachable = False
        #: The counters of all steps.
        self.counted: Counter[tuple[str, str]] = Counter()
        self._folder = folder
        self._hdfs: dict[str, bytes] = {}
        self._seen: set[str] = set()
        self._call = botocore.client.BaseClient._make_api_call

    def call(self, client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        """In the place of botocore's own."""
        self.requests.append((operation, parameters))
        if operation == "CancelSteps":
            return self._cancel_steps(client, parameters)
        response = self._call(client, operation, parameters)
        if operation == "DescribeCluster":
            # moto loses their names.
            response["Cluster"]["Applications"] = [{"Name": "Hadoop", "Version": "3.4.1-amzn-4"}]
            # Real clusters always say it; mrjob compares it with what is asked for.
            response["Cluster"]["EbsRootVolumeSize"] = self.of("RunJobFlow")[0].get("EbsRootVolumeSize", 15)
        if operation == "DescribeStep" and parameters["StepId"] not in self._seen and self.executes:
            # A step here is done at once. Only of one that it saw running does mrjob let the next job come to
            # the cluster; else that waits a minute until the first one's lock runs out.
            self._seen.add(parameters["StepId"])
            response["Step"]["Status"]["State"] = "RUNNING"
        if operation == "AddJobFlowSteps" and self.executes:
            self._do_steps(parameters["JobFlowId"], parameters["Steps"], response["StepIds"])
        return response

    def of(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of the requests of an operation."""
        return [parameters for name, parameters in self.requests if name == operation]

    @property
    def steps(self) -> list[dict[str, Any]]:
        return [step for request in self.of("AddJobFlowSteps") for step in request["Steps"]]

    # what moto lacks

    def _cancel_steps(self, client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        shape = client.meta.service_model.operation_model("CancelSteps").input_shape
        report = ParamValidator().validate(parameters, shape)
        assert not report.has_errors(), report.generate_report()
        if self.unreachable:
            raise EndpointConnectionError(endpoint_url="https://elasticmapreduce")
        for step in self.cluster_steps(parameters["ClusterId"]):
            if step.id in parameters["StepIds"]:
                step.state = "CANCELLED"
        return {"CancelStepsInfoList": []}

    def cluster_steps(self, cluster_id: str) -> list[Any]:
        """The steps of a cluster, as moto has them."""
        return list(get_backend("emr")["123456789012"][REGION].clusters[cluster_id].steps)

    # what a cluster does

    def _do_steps(self, cluster_id: str, steps: list[dict[str, Any]], ids: list[str]) -> None:
        cluster = get_backend("emr")["123456789012"][REGION].clusters[cluster_id]
        by_id = {step.id: step for step in cluster.steps}
        for step, step_id in zip(steps, ids, strict=True):
            by_id[step_id].state = self._do_step(
                step, f"{cluster.log_uri}{cluster_id}/steps/{step_id}/syslog"
            )
        cluster.state = "WAITING"

    def _do_step(self, step: dict[str, Any], log: str) -> str:
        arguments = step["HadoopJarStep"]["Args"]
        counters: Counter[tuple[str, str]] = Counter()
        if self.failing and any(self.failing in argument for argument in arguments):
            return "FAILED"
        work = Path(self._folder) / f"step-{len(list(self._folder.iterdir()))}"
        work.mkdir()
        self._bring_files(arguments, work)
        (mapper,) = option(arguments, "-mapper")
        task = partial(
            self._task, work, counters, dict(each.split("=", 1) for each in option(arguments, "-cmdenv"))
        )
        mapped = [
            task(mapper, content, mapreduce_map_input_file=name)
            for uri in option(arguments, "-input")
            for name, content in self._input(uri)
        ]
        (output,) = option(arguments, "-output")
        there = [name for name, _ in self._input(output)]
        assert not there, f"Hadoop refuses an output that exists: {there}"
        reducer = option(arguments, "-reducer")
        if reducer:
            count = int(jobconf(arguments).get("mapreduce.job.reduces") or self._reducers())
            parts = [task(reducer[0], part) for part in shuffled(b"".join(mapped), count)]
        else:
            reducers = jobconf(arguments)["mapreduce.job.reduces"]
            assert reducers == "0", f"{reducers} reducers of a job that only maps put a tab behind each line"
            parts = mapped
        for number, part in enumerate(parts):
            self._put(f"{output.rstrip('/')}/part-{number:05d}", part)
        self._put(f"{output.rstrip('/')}/_SUCCESS", b"")
        self._put(log, log_of(counters))
        self.counted.update(counters)
        return "COMPLETED"

    def _reducers(self) -> str:
        sites = self.of("RunJobFlow")[0]["Configurations"]
        (site,) = [site["Properties"] for site in sites if site["Classification"] == "mapred-site"]
        return str(site["mapreduce.job.reduces"])

    def _bring_files(self, arguments: list[str], work: Path) -> None:
        for named in ",".join(option(arguments, "-files")).split(","):
            uri, _, name = named.partition("#")
            (work / name).write_bytes(self._get(uri))
        for named in filter(None, ",".join(option(arguments, "-archives")).split(",")):
            uri, _, name = named.partition("#")
            with tarfile.open(fileobj=io.BytesIO(self._get(uri))) as archive:
                archive.extractall(work / name, filter="data")

    def _task(
        self,
        work: Path,
        counters: Counter[tuple[str, str]],
        environment: dict[str, str],
        command: str,
        lines: bytes,
        **more: str,
    ) -> bytes:
        # This machine's Python in the place of the nodes'.
        words = [sys.executable if word == "python3.11" else word for word in shlex.split(command)]
        ran = subprocess.run(
            words, cwd=work, input=lines, capture_output=True, env={**os.environ, **environment, **more}
        )
        assert ran.returncode == 0, ran.stderr.decode()
        for line in ran.stderr.decode().splitlines():
            if line.startswith("reporter:counter:"):
                group, name, amount = line.removeprefix("reporter:counter:").rsplit(",", 2)
                counters[group, name] += int(amount)
        return ran.stdout

    def _input(self, uri: str) -> Iterator[tuple[str, bytes]]:
        if uri.startswith("hdfs://"):
            names = sorted(name for name in self._hdfs if name.startswith(uri.rstrip("/") + "/"))
        else:
            bucket, _, prefix = uri.removeprefix("s3://").partition("/")
            listed = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix.rstrip("/"))
            keys = [each["Key"] for each in listed.get("Contents", [])]
            folder = prefix.rstrip("/") + "/"
            names = [f"s3://{bucket}/{key}" for key in keys if key == prefix or key.startswith(folder)]
        for name in names:
            if not name.rpartition("/")[2].startswith(("_", ".")):
                yield name, self._get(name)

    def _get(self, uri: str) -> bytes:
        if uri.startswith("hdfs://"):
            return self._hdfs[uri]
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        content: bytes = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return content

    def _put(self, uri: str, content: bytes) -> None:
        if uri.startswith("hdfs://"):
            self._hdfs[uri] = content
        else:
            bucket, _, key = uri.removeprefix("s3://").partition("/")
            boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=content)


def option(arguments: list[str], name: str) -> list[str]:
    """The values of an option of a step."""
    return [value for key, value in pairwise(arguments) if key == name]


def jobconf(arguments: list[str]) -> dict[str, str]:
    """The -D options of a step; the last wins."""
    return dict(value.split("=", 1) for value in option(arguments, "-D"))


def shuffled(lines: bytes, count: int) -> Iterator[bytes]:
    """The lines as each of `count` reducers reads them: those of a key together."""
    parts: list[list[bytes]] = [[] for _ in range(count)]
    for line in lines.splitlines(keepends=True):
        parts[zlib.crc32(line.partition(b"\t")[0].rstrip(b"\n")) % count].append(line)
    for part in parts:
        yield b"".join(sorted(part))


def log_of(counters: Counter[tuple[str, str]]) -> bytes:
    """The log of a step, as far as mrjob reads counters from it."""
    lines = [
        f"2026-01-01 00:00:00,000 INFO org.apache.hadoop.mapreduce.Job (main): Counters: {len(counters)}"
    ]
    groups: dict[str, list[str]] = {}
    for (group, name), amount in sorted(counters.items()):
        groups.setdefault(group, []).append(f"\t\t{name}={amount}")
    for group, names in groups.items():
        lines += [f"\t{group}", *names]
    return ("\n".join(lines) + "\n").encode()
