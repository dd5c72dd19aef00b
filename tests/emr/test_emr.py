"""Runs with -r emr and conf/mrjob/emr.conf, against a stand-in: the requests are checked, not AWS."""

import csv
import gzip
import json
import random
import tarfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path

import pytest
import yaml

pytest.importorskip("boto3")
moto = pytest.importorskip("moto")

import boto3  # noqa: E402
import botocore.client  # noqa: E402
from botocore.validate import ParamValidator  # noqa: E402
from emr.stand_in import BUCKET, REGION, StandIn, jobconf, option  # noqa: E402
from mrjob.emr import EMRJobRunner  # noqa: E402
from mrjob.fs.s3 import S3Filesystem  # noqa: E402

import pehchan.mrjobs.places  # noqa: E402
from pehchan.console.command import main  # noqa: E402
from pehchan.console.output import whole_folder  # noqa: E402
from pehchan.metadata.mistakes import MistakesError  # noqa: E402
from pehchan.mrjobs.places import S3Place, place  # noqa: E402
from pehchan.mrjobs.record_similarity import RecordSimilarity  # noqa: E402

CONF = Path(__file__).parents[2] / "conf" / "mrjob" / "emr.conf"
NAMES = ["maria", "miguel", "marion", "tobias", "tomasz", "johann", "joanna", "helene", "helena", "ingrid"]
SCHEMA = "id: id\nfields:\n  name: levenshtein\n  city: levenshtein\ncutoff: 250\n"


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        # Where the bundle and users' own files of mrjob are looked for.
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    pehchan.mrjobs.places._s3.cache_clear()
    work = tmp_path / "cluster"
    work.mkdir()
    bundle = tmp_path / ".pehchan" / "bundle.tar.gz"
    bundle.parent.mkdir()
    # A module that Python loads by itself tells that the bundle is on the path of a task.
    module = tmp_path / "sitecustomize.py"
    module.write_text('import sys\nprint("reporter:counter:Bundle,Tasks,1", file=sys.stderr)\n')
    with tarfile.open(bundle, "w:gz") as archive:
        archive.add(module, module.name)
    # A wait is ten minutes for the logs.
    monkeypatch.setattr("mrjob.emr.time.sleep", lambda seconds: None)
    # Each look at S3 makes clients anew, which takes longer than the look.
    monkeypatch.setattr(boto3, "client", cache(boto3.client))
    monkeypatch.setattr(S3Filesystem, "make_s3_resource", cache(S3Filesystem.make_s3_resource))
    with moto.mock_aws():
        stand_in = StandIn(work)
        monkeypatch.setattr(
            botocore.client.BaseClient,
            "_make_api_call",
            lambda client, operation, parameters: stand_in.call(client, operation, parameters),
        )
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield stand_in
    pehchan.mrjobs.places._s3.cache_clear()


@pytest.fixture
def conf(aws: StandIn, tmp_path: Path) -> Path:
    """The configuration file with what its CHANGE lines ask for, as a user would make it."""
    subnet = boto3.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    text = CONF.read_text(encoding="utf-8")
    text = text.replace("CHANGE-my-bucket", BUCKET).replace("subnet-CHANGE", subnet)
    text = text.replace("mapreduce.job.reduces: '8'", "mapreduce.job.reduces: '2'")
    path = tmp_path / "my-emr.conf"
    path.write_text(text, encoding="utf-8")
    return path


def records(count: int, seed: int = 5) -> list[str]:
    """Lines id,name,city, some of them alike."""
    chosen = random.Random(seed)
    return [
        f"{1000 + number},{chosen.choice(NAMES)}{chosen.choice(' abc')},{chosen.choice(NAMES[:3])}"
        for number in range(count)
    ]


def put(key: str, lines: list[str]) -> str:
    boto3.client("s3").put_object(
        Bucket=BUCKET, Key=key, Body="".join(f"{line}\n" for line in lines).encode()
    )
    return f"s3://{BUCKET}/{key}"


def keys(prefix: str) -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [each["Key"] for each in listed.get("Contents", [])]


@pytest.fixture
def submitted(aws: StandIn, conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """RecordSimilarity submitted by itself, and not carried out."""
    aws.executes = False
    monkeypatch.setattr(EMRJobRunner, "_finish_run", lambda runner: None)
    schema = tmp_path / "schema.json"
    schema.write_text(
        '{"distAlgorithm": "euclidean", "entity": {"fields": ['
        '{"name": "id", "ordinal": 0, "dataType": "string", "id": true}, '
        '{"name": "name", "ordinal": 1, "dataType": "string"}]}}'
    )
    (tmp_path / "job.properties").write_text(
        f"same.schema.file.path={schema}\nfield.delim.regex=,\nsts.dist.threshold=300\nnum.reducer=6\n"
    )
    where = put("in/part-0", records(20))
    switches = "-r emr --conf-path my-emr.conf --properties job.properties --cleanup NONE --output-dir"
    job = RecordSimilarity([*switches.split(), f"s3://{BUCKET}/out", where])
    with job.make_runner() as runner:
        runner.run()
    return aws


def test_the_cluster_asked_for_is_that_of_the_conf(submitted: StandIn) -> None:
    (cluster,) = submitted.of("RunJobFlow")
    assert cluster["ReleaseLabel"].startswith("emr-7.")
    assert cluster["Applications"] == [{"Name": "Hadoop"}]
    assert (cluster["ServiceRole"], cluster["JobFlowRole"]) == ("EMR_DefaultRole", "EMR_EC2_DefaultRole")
    assert cluster["LogUri"] == f"s3://{BUCKET}/pehchan/logs/"
    groups = {group["InstanceRole"]: group for group in cluster["Instances"]["InstanceGroups"]}
    assert {role: group["InstanceCount"] for role, group in groups.items()} == {"MASTER": 1, "CORE": 2}
    assert {group["Market"] for group in groups.values()} == {"ON_DEMAND"}
    # The bundle is for one processor architecture: m6i is Intel's.
    assert {group["InstanceType"] for group in groups.values()} == {"m6i.xlarge"}


def test_the_cluster_bears_the_tag_that_users_with_amazons_policy_must_give_it(submitted: StandIn) -> None:
    (cluster,) = submitted.of("RunJobFlow")
    assert cluster["Tags"] == [{"Key": "for-use-with-amazon-emr-managed-policies", "Value": "true"}]


def test_a_cluster_left_alone_ends(submitted: StandIn) -> None:
    (cluster,) = submitted.of("RunJobFlow")
    assert cluster["Instances"]["KeepJobFlowAliveWhenNoSteps"] is True
    assert cluster["AutoTerminationPolicy"] == {"IdleTimeout": 1800}
    idle = {action["Name"]: action["ScriptBootstrapAction"] for action in cluster["BootstrapActions"]}[
        "idle timeout"
    ]
    assert idle["Path"].endswith("terminate_idle_cluster_emr.sh")
    assert idle["Args"] == ["900"]


def test_the_fleets_in_the_comments_are_such_as_emr_takes(aws: StandIn) -> None:
    commented = [line.removeprefix("    # ") for line in CONF.read_text(encoding="utf-8").splitlines()]
    start = commented.index("instance_fleets:")
    block = takewhile(lambda line: line.startswith("  "), commented[start + 1 :])
    fleets = yaml.safe_load("\n".join(block))
    shape = boto3.client("emr").meta.service_model.operation_model("RunJobFlow").input_shape
    report = ParamValidator().validate({"Name": "x", "Instances": {"InstanceFleets": fleets}}, shape)
    assert not report.has_errors(), report.generate_report()
    assert [fleet["InstanceFleetType"] for fleet in fleets] == ["MASTER", "CORE", "TASK"]


def test_the_bootstrap_brings_the_python_that_tasks_run_with(submitted: StandIn) -> None:
    (cluster,) = submitted.of("RunJobFlow")
    master = {each["Name"]: each["ScriptBootstrapAction"] for each in cluster["BootstrapActions"]}["master"]
    script = place(master["Path"]).read().decode()
    assert "sudo dnf install -y python3.11" in script
    for step in submitted.steps:
        (mapper,) = option(step["HadoopJarStep"]["Args"], "-mapper")
        assert mapper.startswith("python3.11 ")


def test_the_steps_name_what_the_tasks_need_and_it_lies_on_s3(submitted: StandIn) -> None:
    settle, compare = submitted.steps
    for number, step in enumerate((settle, compare)):
        assert step["HadoopJarStep"]["Jar"] == "command-runner.jar"
        arguments = step["HadoopJarStep"]["Args"]
        assert arguments[0] == "hadoop-streaming"
        files = dict(reversed(each.split("#")) for each in option(arguments, "-files")[0].split(","))
        assert set(files) == {"plan.json", "record_similarity.py"}
        (archive,) = option(arguments, "-archives")
        uri_of_bundle, _, name = archive.partition("#")
        for uri in [*files.values(), uri_of_bundle]:
            assert place(uri).read()
        assert f"PYTHONPATH={name}" in option(arguments, "-cmdenv")
        for task in ("mapper", "reducer"):
            (command,) = option(arguments, f"-{task}")
            assert command == f"python3.11 record_similarity.py --step-num={number} --{task} --plan plan.json"
        assert jobconf(arguments)["mapreduce.job.reduces"] == "6"
        assert step["ActionOnFailure"] == "CANCEL_AND_WAIT"
    first, second = settle["HadoopJarStep"]["Args"], compare["HadoopJarStep"]["Args"]
    assert option(first, "-input") == [f"s3://{BUCKET}/in/part-0"]
    assert option(first, "-output") == option(second, "-input")
    assert option(second, "-output") == [f"s3://{BUCKET}/out/"]


def test_the_steps_of_a_job_go_in_one_request(submitted: StandIn) -> None:
    assert len(submitted.of("AddJobFlowSteps")) == 1


def test_no_credentials_are_in_the_requests_or_in_what_is_uploaded(submitted: StandIn) -> None:
    assert "testing" not in str(submitted.of("RunJobFlow")) + str(submitted.steps)
    for key in keys("pehchan/tmp/"):
        assert b"testing" not in place(f"s3://{BUCKET}/{key}").read()


# whole runs, their steps done by this machine


def dedupe(conf: Path, *arguments: str) -> int:
    return main(["dedupe", *arguments, "-s", "schema.yaml", "-r", "emr", "--conf-path", str(conf)])


def output(folder: str) -> dict[str, list[str]]:
    """The lines of pairs and clusters, whatever part they are in."""
    return {
        name: sorted(line.decode() for line in (place(folder) / name).lines())
        for name in ("pairs", "clusters")
    }


def by_members(lines: list[str]) -> set[frozenset[str]]:
    clusters: dict[str, set[str]] = {}
    for cluster_id, record_id, *_ in csv.reader(lines):
        clusters.setdefault(cluster_id, set()).add(record_id)
    return {frozenset(members) for members in clusters.values()}


def test_a_run_on_s3_gives_what_it_gives_here(aws: StandIn, conf: Path, tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    with gzip.open(tmp_path / "customers.csv.gz", "wt") as file:
        file.writelines(f"{line}\n" for line in ["id,name,city", *records(60)])
    boto3.client("s3").upload_file("customers.csv.gz", BUCKET, "in/customers.csv.gz")
    assert main(["dedupe", "customers.csv.gz", "-s", "schema.yaml", "-o", "here"]) == 0
    assert dedupe(conf, f"s3://{BUCKET}/in/", "-o", f"s3://{BUCKET}/out") == 0
    there, here = output(f"s3://{BUCKET}/out"), output("here")
    assert there["pairs"] == here["pairs"]
    assert here["pairs"]
    assert by_members(there["clusters"]) == by_members(here["clusters"])
    counters = json.loads((place(f"s3://{BUCKET}/out") / "run.json").read())["counters"]
    assert counters["Records"]["Read"] == 60
    assert aws.counted["Bundle", "Tasks"] > 0
    # One cluster for all the jobs, and nothing left in the temporary folder.
    assert len(aws.of("RunJobFlow")) == 1
    assert len(aws.of("AddJobFlowSteps")) > 3
    assert keys("pehchan/tmp/") == []


def test_a_run_that_broke_off_goes_on_where_it_was(
    aws: StandIn, conf: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "schema.yaml").write_text(SCHEMA.replace("id: id", "id: id\ncolumns: [id, name, city]"))
    where, out = put("in/customers.txt", records(20)), f"s3://{BUCKET}/out"
    conf.write_text(conf.read_text().replace("mapreduce.job.reduces: '2'", "mapreduce.job.reduces: '1'"))
    # Records without a header are read where they lie.
    wanted = [where, "-D", "input.format=lines", "-o", out]
    aws.failing = "record_similarity.py"
    assert dedupe(conf, *wanted) == 1
    assert "RecordSimilarity failed" in capsys.readouterr().err
    assert not (place(out) / "run.json").exists()
    aws.failing = None
    done = len(aws.of("AddJobFlowSteps"))
    assert dedupe(conf, *wanted, "--resume") == 0
    assert (place(out) / "run.json").exists()
    again = str(aws.of("AddJobFlowSteps")[done:])
    assert "record_similarity.py" in again
    assert "settle_records.py" not in again


def test_the_output_can_lie_here(aws: StandIn, conf: Path, tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    (tmp_path / "customers.csv").write_text("".join(f"{line}\n" for line in ["id,name,city", *records(20)]))
    assert dedupe(conf, "customers.csv", "-o", "there") == 0
    assert main(["dedupe", "customers.csv", "-s", "schema.yaml", "-o", "here"]) == 0
    assert output("there")["pairs"] == output("here")["pairs"]
    assert keys("pehchan/tmp/") == []


@pytest.fixture
def interrupted(
    aws: StandIn, conf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    """A run that is interrupted while it waits for its first step, or before it could note that it has one."""

    def wait(runner: EMRJobRunner) -> None:
        raise KeyboardInterrupt

    def add_and_forget(runner: EMRJobRunner, steps: list[dict[str, object]]) -> None:
        boto3.client("emr").add_job_flow_steps(JobFlowId=runner.get_cluster_id(), Steps=steps)
        raise KeyboardInterrupt

    def run(noted: bool = True) -> int:
        if noted:
            monkeypatch.setattr(EMRJobRunner, "_wait_for_steps_to_complete", wait)
        else:
            monkeypatch.setattr(EMRJobRunner, "_add_steps_to_cluster", add_and_forget)
        where = put("in/customers.txt", records(20))
        return dedupe(conf, where, "-D", "input.format=lines", "-o", f"s3://{BUCKET}/out")

    aws.executes = False
    (tmp_path / "schema.yaml").write_text(SCHEMA.replace("id: id", "id: id\ncolumns: [id, name, city]"))
    return run


@pytest.mark.parametrize("noted", [True, False])
def test_an_interrupt_cancels_the_steps_that_were_submitted(
    aws: StandIn, interrupted: Callable[..., int], capsys: pytest.CaptureFixture[str], noted: bool
) -> None:
    assert interrupted(noted) == 130
    (request,) = aws.of("AddJobFlowSteps")
    (cancelled,) = aws.of("CancelSteps")
    steps = aws.cluster_steps(request["JobFlowId"])
    assert cancelled == {"ClusterId": request["JobFlowId"], "StepIds": [step.id for step in steps]}
    said = capsys.readouterr().err
    assert steps[0].id in said
    # The cluster is one of a pool, and stays.
    assert f"aws emr terminate-clusters --cluster-ids {request['JobFlowId']}" in said
    assert aws.of("TerminateJobFlows") == []
    assert keys("pehchan/tmp/") == []
    assert not place(f"s3://{BUCKET}/out").exists()


def test_an_interrupt_leaves_the_steps_of_others(
    aws: StandIn, interrupted: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    add = EMRJobRunner._add_steps_to_cluster

    def add_beside_another(runner: EMRJobRunner, steps: list[dict[str, object]]) -> None:
        boto3.client("emr").add_job_flow_steps(
            JobFlowId=runner.get_cluster_id(), Steps=[{**steps[0], "Name": "another: Step 1 of 1"}]
        )
        add(runner, steps)

    monkeypatch.setattr(EMRJobRunner, "_add_steps_to_cluster", add_beside_another)
    assert interrupted() == 130
    left = aws.cluster_steps(aws.of("CancelSteps")[0]["ClusterId"])
    assert [step.name for step in left if step.state != "CANCELLED"] == ["another: Step 1 of 1"]


def test_a_cluster_of_one_job_ends_with_it(
    aws: StandIn, conf: Path, interrupted: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    conf.write_text(conf.read_text().replace("pool_clusters: true", "pool_clusters: false"))
    assert interrupted() == 130
    (request,) = aws.of("AddJobFlowSteps")
    assert aws.of("TerminateJobFlows") == [{"JobFlowIds": [request["JobFlowId"]]}]
    assert "stays up" not in capsys.readouterr().err


def test_steps_that_cannot_be_cancelled_are_told(
    aws: StandIn, interrupted: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    aws.unreachable = True
    assert interrupted() == 130
    cluster = aws.of("AddJobFlowSteps")[0]["JobFlowId"]
    steps = " ".join(step.id for step in aws.cluster_steps(cluster))
    said = capsys.readouterr().err
    assert f"aws emr cancel-steps --cluster-id {cluster} --step-ids {steps}" in said
    assert "Could not connect" in said


# files and folders on S3


def test_a_place_on_s3_is_there_once_it_is_written(aws: StandIn, tmp_path: Path) -> None:
    file = place(f"s3://{BUCKET}/out/run.json")
    assert isinstance(file, S3Place)
    assert (file.name, str(file.parent)) == ("run.json", f"s3://{BUCKET}/out")
    assert not file.exists()
    with pytest.raises(FileNotFoundError):
        file.read()
    file.write(b"{}")
    assert file.exists()
    assert file.parent.exists()
    assert file.read() == b"{}"
    assert file.fetch(tmp_path).read_bytes() == b"{}"
    file.write(b"[]")
    assert file.read() == b"[]"
    file.remove()
    assert not file.parent.exists()
    file.remove()


def test_a_bucket_that_is_not_there_holds_nothing(aws: StandIn) -> None:
    assert not place("s3://pehchan-nobody/out").exists()


def test_the_root_of_a_bucket_is_a_folder(aws: StandIn) -> None:
    put("out/part-0", ["x"])
    root = place(f"s3://{BUCKET}/out").parent
    assert [str(file) for file in root.files()] == [f"s3://{BUCKET}/out/part-0"]
    assert (root / "out").exists()


def test_the_files_of_a_folder_are_those_in_it_with_content(aws: StandIn) -> None:
    put("out/pairs/part-00001", ["b"])
    put("out/pairs/part-00000", ["a"])
    for neighbour in ("out/pairs-old/part-0", "out/pairs.txt", "out/pairs/_logs/x", "out/pairs/.hidden"):
        put(neighbour, ["x"])
    for empty in ("out/pairs/", "out/pairs/_SUCCESS", "out/pairs/more_$folder$", "out/pairs/part-00002"):
        put(empty, [])
    pairs = place(f"s3://{BUCKET}/out/pairs")
    assert [file.name for file in pairs.files()] == ["part-00000", "part-00001"]
    assert list(pairs.lines()) == [b"a\n", b"b\n"]
    pairs.remove()
    assert keys("out/") == ["out/pairs-old/part-0", "out/pairs.txt"]


def test_an_output_on_s3_is_whole_or_not_there(aws: StandIn) -> None:
    out = f"s3://{BUCKET}/out"
    with pytest.raises(ZeroDivisionError), whole_folder(out, overwrite=False) as folder:  # noqa: PT012
        (folder / "pairs" / "part-0").write(b"x")
        raise ZeroDivisionError
    assert keys("out") == []
    with whole_folder(out, overwrite=False) as folder:
        (folder / "run.json").write(b"{}")
    assert keys("out") == ["out/run.json"]
    with pytest.raises(MistakesError), whole_folder(out, overwrite=False):
        pass
    assert keys("out") == ["out/run.json"]
    with whole_folder(out, overwrite=True) as folder:
        (folder / "pairs" / "part-0").write(b"x")
    assert keys("out") == ["out/pairs/part-0"]


def test_an_output_of_others_on_s3_is_not_replaced(aws: StandIn) -> None:
    put("out/important", ["x"])
    with pytest.raises(MistakesError), whole_folder(f"s3://{BUCKET}/out", overwrite=True):
        pass
    assert keys("out") == ["out/important"]
