"""The bundle holds all that a node needs, for the nodes' Python, and a run without it does not start."""

import configparser
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from pehchan.console import bundle
from pehchan.console.bundle import DEFAULT_BUNDLE, check_shipping, find_target, make_bundle, read_manifest
from pehchan.console.command import main
from pehchan.console.output import RunError
from pehchan.metadata.mistakes import Mistakes

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "tutorial"
HADOOP_CONF = ROOT / "conf" / "mrjob" / "hadoop.conf"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A real bundle for this machine; it asks the package index."""
    path = tmp_path_factory.mktemp("bundle") / "bundle.tar.gz"
    return path, make_bundle(path, find_target(None, None, Mistakes()))


@pytest.fixture(scope="module")
def unpacked(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(made[0]) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def little_pip(monkeypatch):
    """Stands in for pip: installs a module for each requirement; the requirements it was given."""
    asked = []

    def install(requirements, site, target):
        asked.extend(requirements)
        for number, requirement in enumerate(requirements):
            name, _, version = requirement.partition("==")
            info = site / f"{name}-{version or 9}.dist-info"
            info.mkdir(parents=True)
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version or 9}\n")
            (info / "RECORD").write_text(f"../../bin/{name},{id(asked)},\n")
            (site / f"{name}.py").write_text(f"{number = }\n")
        (site / "bin").mkdir(exist_ok=True)
        (site / "bin" / "tool").write_text(f"#!{site}/python\n")

    monkeypatch.setattr(bundle, "_pip_install", install)
    return asked


def test_a_python_without_packages_runs_a_job_with_nothing_but_the_bundle(unpacked, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    arguments = [
        *("-m", "pehchan.mrjobs.record_similarity", "-r", "inline", "--no-conf"),
        *("--properties", "tutorial/customers_2013.properties", "tutorial/post.csv"),
    ]
    outputs = []
    for python, path in ((tmp_path / "bare" / "bin" / "python", unpacked), (sys.executable, None)):
        environment = {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C",
            **({"PYTHONPATH": str(path)} if path else {}),
        }
        done = subprocess.run([python, *arguments], cwd=ROOT, env=environment, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1]
    assert outputs[0]


def test_the_bundle_holds_every_package_of_pehchan_with_its_data_and_nothing_of_this_machine(made, unpacked):
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    for package in setup["options"]["packages"].split():
        assert (unpacked / package.replace(".", "/") / "__init__.py").is_file(), package
    assert (unpacked / "pehchan" / "metadata" / "schemas" / "customer.json").is_file()
    with tarfile.open(made[0]) as archive:
        names = archive.getnames()
    assert not [name for name in names if name.startswith("bin/")]
    assert not [name for name in names if name.endswith((".pyc", "/RECORD", "/direct_url.json"))]


def test_the_bundle_says_what_it_was_made_for_and_what_is_in_it(made, unpacked):
    path, manifest = made
    assert read_manifest(path) == manifest
    assert json.loads((unpacked / "bundle.json").read_text())["python"] == HERE
    assert set(manifest.packages) >= {"mrjob", "numpy", "orjson", "rapidfuzz", "pyyaml", "javaproperties"}
    assert manifest.differences() == []


def test_the_same_versions_give_the_same_bytes(little_pip, tmp_path):
    target = find_target(None, None, Mistakes())
    contents = []
    for name in ("a", "b"):
        make_bundle(tmp_path / name, target)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize(
    ("python", "expected"),
    [("3.11", set()), ("3.12", {"setuptools"}), ("3.13", {"setuptools", "standard-pipes"})],
)
def test_what_is_required_follows_the_python_of_the_nodes_and_not_that_of_this_machine(
    little_pip, tmp_path, python, expected
):
    make_bundle(tmp_path / "b.tar.gz", find_target(python, "x86_64", Mistakes()))
    names = {bundle._bare(requirement) for requirement in little_pip}
    assert names & {"setuptools", "standard-pipes"} == expected


def test_wheels_for_older_nodes_fit_newer_ones():
    platforms = find_target("3.12", "x86_64", Mistakes()).platforms
    assert platforms[0] == "manylinux_2_28_x86_64"
    assert "manylinux2014_x86_64" in platforms
    assert "manylinux_2_29_x86_64" not in platforms
    assert "manylinux_2_28_aarch64" not in platforms
    assert find_target(None, "manylinux2014_aarch64", Mistakes()).platforms[0] == "manylinux_2_17_aarch64"


@pytest.mark.parametrize(
    ("switches", "said"),
    [
        (["--platform", "sparc"], "--platform: sparc: no platform of Linux nodes."),
        (["--platform", "aarch46"], 'Did you mean "aarch64"?'),
        (["--python-version", "2.7"], "--python-version: 2.7: pehchan needs"),
        (["--python-version", "3"], "Give it as 3.11."),
    ],
)
def test_options_that_name_no_nodes_are_refused_before_anything_is_fetched(switches, said, capsys, tmp_path):
    assert main(["bundle", "-o", str(tmp_path / "b.tar.gz"), *switches]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_an_index_that_is_not_reached_is_told_and_the_earlier_bundle_stays(monkeypatch, capsys, tmp_path):
    path = tmp_path / "b.tar.gz"
    path.write_bytes(b"earlier")
    for name, value in {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_PROXY": "",
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    assert main(["bundle", "-o", str(path)]) == 1
    assert "The package index was not reached; no bundle was made." in capsys.readouterr().err
    assert path.read_bytes() == b"earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["b.tar.gz"]


def test_a_package_without_a_wheel_for_the_nodes_is_named(monkeypatch, capsys, tmp_path):
    for name, value in {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}.items():
        monkeypatch.setenv(name, value)
    assert main(["bundle", "-o", str(tmp_path / "b.tar.gz"), "--platform", "s390x"]) == 1
    assert "There is no wheel of " in (said := capsys.readouterr().err)
    assert "on manylinux_2_28_s390x; no bundle was made." in said
    assert not list(tmp_path.iterdir())


def test_a_folder_is_not_written_over(tmp_path):
    with pytest.raises(RunError, match="a folder"):
        make_bundle(tmp_path, find_target(None, None, Mistakes()))


def write_bundle(path, **changes):
    """A bundle that says of itself what a real one would, but for the changes."""
    manifest = bundle.Manifest(
        bundle.MANIFEST_VERSION, bundle.pehchan.__version__, bundle.sources_fingerprint(), HERE, "x", {}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        bundle._write_archive(file, replace(manifest, **changes), {})


def check(monkeypatch, home):
    monkeypatch.setenv("HOME", str(home))
    mistakes = Mistakes()
    check_shipping("hadoop", [str(HADOOP_CONF)], mistakes)
    return "\n".join(map(str, mistakes.found)), "\n".join(map(str, mistakes.warnings))


def test_the_configuration_for_hadoop_sends_the_bundle_that_is_made_by_default(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert bundle.shipped_archives("hadoop", [str(HADOOP_CONF)]) == [os.path.expanduser(DEFAULT_BUNDLE)]


def test_a_run_without_the_bundle_is_refused_with_the_command_that_makes_it(monkeypatch, tmp_path):
    found, _ = check(monkeypatch, tmp_path)
    assert "bundle.tar.gz: the nodes need it, and it is not there.\n  Make it: pehchan bundle" in found


def test_a_bundle_like_this_machine_is_taken(monkeypatch, tmp_path):
    write_bundle(tmp_path / ".pehchan" / "bundle.tar.gz")
    assert check(monkeypatch, tmp_path) == ("", "")


def test_a_bundle_of_another_pehchan_is_refused(monkeypatch, tmp_path):
    write_bundle(tmp_path / ".pehchan" / "bundle.tar.gz", pehchan="0.0.1")
    assert "the bundle holds pehchan 0.0.1, this is" in check(monkeypatch, tmp_path)[0]
    write_bundle(tmp_path / ".pehchan" / "bundle.tar.gz", sources="")
    found, _ = check(monkeypatch, tmp_path)
    assert "the bundle holds another state of pehchan" in found
    assert "Make it again: pehchan bundle" in found


def test_a_bundle_with_another_numpy_is_warned_of(monkeypatch, tmp_path):
    write_bundle(tmp_path / ".pehchan" / "bundle.tar.gz", packages={"numpy": "1.0"})
    found, warned = check(monkeypatch, tmp_path)
    assert not found
    assert "the bundle holds numpy 1.0, here is" in warned


def test_an_archive_of_ones_own_beside_the_bundle_is_no_mistake(tmp_path):
    with tarfile.open(tmp_path / "own.tar.gz", "w:gz") as archive:
        archive.add(__file__, "names.txt")
    conf = tmp_path / "mrjob.conf"
    conf.write_text(f"runners: {{hadoop: {{upload_archives: ['{tmp_path}/own.tar.gz#own']}}}}\n")
    mistakes = Mistakes()
    check_shipping("hadoop", [str(conf)], mistakes)
    assert not mistakes.found


def test_an_archive_that_a_setup_line_sends_is_looked_at_as_well(tmp_path):
    conf = tmp_path / "mrjob.conf"
    conf.write_text("runners: {emr: {setup: ['export PYTHONPATH=/none/bundle.tar.gz#/:$PYTHONPATH']}}\n")
    mistakes = Mistakes()
    check_shipping("emr", [str(conf)], mistakes)
    assert "/none/bundle.tar.gz: the nodes need it" in str(mistakes.found[0])
    assert "pehchan bundle -o /none/bundle.tar.gz" in str(mistakes.found[0])
