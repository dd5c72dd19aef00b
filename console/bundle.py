"""The bundle: all that a node of a cluster needs besides Python, in one archive that travels with each job.

A tar.gz whose root goes on PYTHONPATH. It holds
  bundle.json  for which Python and platform it was made, and the versions in it
  pehchan/     the package as it is imported here
  and what it requires, from wheels for the nodes, in the versions of this machine
The same versions give the same bytes.
"""

import gzip
import hashlib
import importlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from mrjob.conf import combine_lists, combine_opts, combine_path_lists, load_opts_from_mrjob_confs
from mrjob.setup import parse_setup_cmd

import pehchan
from pehchan.console.output import RunError
from pehchan.metadata.mistakes import Mistakes, nearest
from pehchan.mrjobs.places import place

#: Where conf/mrjob/hadoop.conf looks for the bundle.
DEFAULT_BUNDLE = "~/.pehchan/bundle.tar.gz"

#: The packages in pehchan; tasks import only the first ones.
TASK_ROOMS = ("metadata", "distance", "clustering", "learning", "mrjobs", "identity")
ROOMS = (*TASK_ROOMS, "console", "zingg", "zinggEC", "zinggES", "conf")

MANIFEST = "bundle.json"
MANIFEST_VERSION = 1

MACHINES = ("x86_64", "aarch64", "ppc64le", "s390x", "i686", "armv7l")

#: The glibc of the nodes where only their machine is named: that of RHEL 8, Debian 10 and Ubuntu 20.04.
USUAL_GLIBC = 28

#: The glibc that the older names of platforms stand for.
OLDER_NAMES = {"manylinux2014": 17, "manylinux2010": 12, "manylinux1": 5}

#: The time of all files: the first that every archive format can say.
LONG_AGO = 315532800

#: What of an installed package no task needs.
_LEFT_OUT = re.compile(
    r"(^|/)(tests|__pycache__)/|^bin/|\.pyi$|\.dist-info/(RECORD|REQUESTED|INSTALLER|direct_url)"
)

_NO_NETWORK = re.compile(
    r"NewConnectionError|ConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|name resolution"
)
_NO_WHEEL = re.compile(r"No matching distribution found for (\S+)")


@dataclass(frozen=True)
class Target:
    """What a bundle is made for.

    python     its version, as 3.11
    platform   as wheels name it: manylinux_2_28_x86_64
    here       whether that is this interpreter, so that pip knows best which wheels fit
    """

    python: str
    platform: str
    here: bool

    @property
    def platforms(self) -> list[str]:
        """The platforms whose wheels run there, the best first."""
        kind, minor, machine = _parts(self.platform)
        names = {number: name for name, number in OLDER_NAMES.items()}
        found = []
        for number in range(minor, 4 if kind == "manylinux_2" else -1, -1):
            found.append(f"{kind}_{number}_{machine}")
            if kind == "manylinux_2" and number in names:
                found.append(f"{names[number]}_{machine}")
        return found

    def environment(self) -> dict[str, str]:
        """What the markers of requirements ask about, there."""
        if self.here:
            return {"extra": ""}
        return {
            "extra": "",
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": _parts(self.platform)[2],
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    sources    fingerprint of the modules that tasks import
    packages   name -> version
    """

    version: int
    pehchan: str
    sources: str
    python: str
    platform: str
    packages: Mapping[str, str]

    def differences(self) -> list[str]:
        """In what it differs from this machine; a run would mix both."""
        if self.version != MANIFEST_VERSION:
            return [f"is of format {self.version}, this pehchan reads {MANIFEST_VERSION}"]
        if self.pehchan != pehchan.__version__:
            return [f"holds pehchan {self.pehchan}, this is {pehchan.__version__}"]
        if self.sources != sources_fingerprint():
            return [f"holds another state of pehchan {self.pehchan} than is installed here"]
        found = []
        for name, there in self.packages.items():
            here = _installed_version(name)
            if here not in (there, None):
                found.append(f"holds {name} {there}, here is {here}")
        return found


def find_target(python: str | None, platform_name: str | None, mistakes: Mistakes) -> Target:
    """The target of the options; what is not given is as on this machine."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    version = here
    if python is not None:
        match = re.fullmatch(r"(3\.\d+)(\.\d+)?", python)
        if match is None or not runs_on(match[1]):
            mistakes.add("--python-version", f"{python}: pehchan needs {pythons()}.", "Give it as 3.11.")
        else:
            version = match[1]
    if platform_name is None:
        if sys.platform != "linux":
            mistakes.add(
                "--platform", "nodes run Linux, and this machine does not.", "Name theirs: x86_64, aarch64."
            )
        if version == here:
            return Target(version, _this_platform(), here=True)
        platform_name = _this_platform()
    return Target(version, _full_platform(platform_name, mistakes), here=False)


def pythons() -> str:
    """The versions of Python that pehchan runs on."""
    return str(importlib.metadata.metadata("pehchan")["Requires-Python"])


def runs_on(python: str) -> bool:
    """Whether pehchan runs on a version of Python."""
    return python in _packaging("specifiers").SpecifierSet(pythons())


def _this_platform() -> str:
    kind, version = platform.libc_ver()
    machine = platform.machine()
    if sys.platform == "linux" and kind == "glibc":
        return f"manylinux_{'_'.join(version.split('.')[:2])}_{machine}"
    return f"{sys.platform}_{machine}"


def _full_platform(name: str, mistakes: Mistakes) -> str:
    """A platform as wheels name it, from that or from what a person writes: x86_64, linux_x86_64."""
    machine = name.removeprefix("linux_").removeprefix("linux-")
    if machine in MACHINES:
        return f"manylinux_2_{USUAL_GLIBC}_{machine}"
    if _parts(name)[2] not in MACHINES:
        mistakes.add(
            "--platform",
            f"{name}: no platform of Linux nodes. {nearest(name, MACHINES)}",
            f"Name their machine, for glibc 2.{USUAL_GLIBC} or later, or the platform as wheels do: "
            "manylinux_2_17_x86_64, manylinux2014_aarch64, musllinux_1_2_x86_64.",
        )
    return name


def _parts(name: str) -> tuple[str, int, str]:
    """(kind, minor version of the C library, machine) of a platform; the machine is "" where it is none."""
    match = re.fullmatch(r"(manylinux_2|musllinux_1)_(\d+)_(\w+)", name)
    if match:
        return match[1], int(match[2]), match[3]
    older, _, machine = name.partition("_")
    return ("manylinux_2", OLDER_NAMES[older], machine) if older in OLDER_NAMES else ("", 0, "")


def make_bundle(path: str | Path, target: Target) -> Manifest:
    """Write the bundle for a target; the file appears whole or not at all. Raises RunError."""
    path = Path(path).expanduser()
    if path.is_dir():
        raise RunError(f"{path}: a folder. Name a file with -o.")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.unfinished")
    with tempfile.TemporaryDirectory(prefix="pehchan-bundle-") as folder:
        site = Path(folder) / "site"
        site.mkdir()
        packages = _install_requirements(site, target)
        _uncover_distutils(site)
        manifest = Manifest(
            version=MANIFEST_VERSION,
            pehchan=pehchan.__version__,
            sources=sources_fingerprint(),
            python=target.python,
            platform=target.platform,
            packages=packages,
        )
        files = {str(file.relative_to(site)): file for file in site.rglob("*") if file.is_file()}
        members = {name: file for name, file in files.items() if not _LEFT_OUT.search(name)}
        members |= dict(pehchan_files(ROOMS))
        try:
            with open(unfinished, "wb") as file:
                _write_archive(file, manifest, members)
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
    return manifest


def pehchan_files(rooms: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """(name below PYTHONPATH, file) of the package, from wherever each part of it is imported."""
    seen = set()
    for package in ("pehchan", *(f"pehchan.{room}" for room in rooms)):
        below = package.replace(".", "/")
        for folder in map(Path, importlib.import_module(package).__path__):
            for file in sorted(folder.rglob("*")):
                inside = file.relative_to(folder)
                # Of pehchan itself only its own files: a plain install has all the rooms below it.
                if not file.is_file() or (package == "pehchan" and len(inside.parts) > 1):
                    continue
                if any(part.startswith((".", "__pycache__")) for part in inside.parts):
                    continue
                name = f"{below}/{inside.as_posix()}"
                if name not in seen:
                    seen.add(name)
                    yield name, file


def sources_fingerprint() -> str:
    """What the modules that tasks import hold, in a few letters."""
    digest = hashlib.blake2b(digest_size=8)
    for name, file in sorted(pehchan_files(TASK_ROOMS)):
        content = file.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


# what pehchan requires


def _packaging(name: str) -> Any:
    """A module of packaging, which pip brings along."""
    try:
        with warnings.catch_warnings():
            # setuptools warns where distutils was imported before pip.
            warnings.simplefilter("ignore")
            return importlib.import_module(f"pip._vendor.packaging.{name}")
    except ImportError as error:
        raise RunError(f"{sys.executable} has no pip. Bring it: {sys.executable} -m ensurepip") from error


def _installed_version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _install_requirements(site: Path, target: Target) -> dict[str, str]:
    """Install what pehchan requires, and what that requires, on the target; name -> version."""
    needed = _needs(importlib.metadata.requires("pehchan") or [], target)
    found: dict[str, str] = {}
    while missing := [needed[name] for name in sorted(needed) if name not in found]:
        _pip_install(missing, site, target)
        found = {}
        for package in importlib.metadata.distributions(path=[str(site)]):
            found[_canonical(package.metadata["Name"])] = package.version
            needed |= _needs(package.requires or [], target)
        if still := [name for name in map(_canonical, map(_bare, missing)) if name not in found]:
            raise RunError(f"pip installed no {', '.join(still)}.")
    return dict(sorted(found.items()))


def _needs(requirements: Sequence[str], target: Target) -> dict[str, str]:
    """Name -> requirement, of those that hold on the target; in the version that is installed here."""
    needed = {}
    for text in requirements:
        requirement = _packaging("requirements").Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(target.environment()):
            version = _installed_version(requirement.name)
            # A requirement of another Python need not be installed here; then the newest has to do.
            pinned = f"=={version}" if version else str(requirement.specifier)
            needed[_canonical(requirement.name)] = requirement.name + pinned
    return needed


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _bare(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]


def _pip_install(requirements: Sequence[str], site: Path, target: Target) -> None:
    switches = []
    if not target.here:
        switches = ["--python-version", target.python, "--implementation", "cp"]
        for name in target.platforms:
            switches += ["--platform", name]
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--no-input", "--retries", "2", "--no-compile", "--no-deps", "--only-binary=:all:"),
        *("--target", str(site), *switches, *requirements),
    ]
    done = subprocess.run(
        command,
        # A folder of its own and the user's would exclude each other.
        env={**os.environ, "PIP_USER": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode == 0:
        return
    said = done.stderr.strip()
    if "No module named pip" in said:
        raise RunError(f"{sys.executable} has no pip. Bring it: {sys.executable} -m ensurepip")
    if _NO_NETWORK.search(said):
        raise RunError(
            "The package index was not reached; no bundle was made.\n"
            "  pip asks where its configuration says (pip config list; PIP_INDEX_URL, PIP_FIND_LINKS, HTTPS_PROXY).\n"
            f"  It said: {said.splitlines()[-1]}"
        )
    if match := _NO_WHEEL.search(said):
        raise RunError(
            f"There is no wheel of {match[1]} for Python {target.python} on {target.platform}; no bundle was "
            "made.\n  Install here a version of it that has one, or name another --platform or --python-version."
        )
    raise RunError(f"pip failed; no bundle was made. It said:\n{said}")


def _uncover_distutils(site: Path) -> None:
    """Put setuptools' distutils, which mrjob imports, under its own name.

    setuptools does that with a .pth file, and those count only in the site-packages of an interpreter.
    """
    if (site / "setuptools" / "_distutils").is_dir():
        (site / "setuptools" / "_distutils").rename(site / "distutils")
        for name in ("setuptools", "pkg_resources", "_distutils_hack"):
            shutil.rmtree(site / name, ignore_errors=True)
        (site / "distutils-precedence.pth").unlink(missing_ok=True)


# the archive


def _write_archive(file: BinaryIO, manifest: Manifest, members: Mapping[str, Path]) -> None:
    with (
        gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=LONG_AGO) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        tempfile.TemporaryDirectory() as folder,
    ):
        first = Path(folder) / MANIFEST
        first.write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")
        # The manifest comes first, so that it is read without unpacking the rest.
        for name, path in [(MANIFEST, first), *sorted(members.items())]:
            member = tarfile.TarInfo(name)
            member.size = path.stat().st_size
            member.mtime = LONG_AGO
            member.mode = 0o755 if path.suffix == ".so" else 0o644
            with open(path, "rb") as content:
                archive.addfile(member, content)


def read_manifest(path: str | Path) -> Manifest:
    """What a bundle says of itself. Raises FileNotFoundError, or ValueError where it is none."""
    with open(Path(path).expanduser(), "rb") as file:
        try:
            with tarfile.open(fileobj=file, mode="r|gz") as archive:
                first = archive.next()
                content = archive.extractfile(first) if first and first.name == MANIFEST else None
                if content is None:
                    raise ValueError(f"it holds no {MANIFEST}")
                return Manifest(**json.loads(content.read()))
        except (tarfile.TarError, OSError, EOFError, TypeError) as error:
            raise ValueError(str(error)) from error


# before a run


def shipped_archives(runner: str, conf_paths: Sequence[str]) -> list[str]:
    """The archives that the configurations of a runner send to the nodes, without their names there."""
    options = [found for _, found in load_opts_from_mrjob_confs(runner, list(conf_paths)) if found]
    combiners = {"upload_archives": combine_path_lists, "setup": combine_lists}
    combined = combine_opts(combiners, *options)
    archives = [archive.partition("#")[0] for archive in combined.get("upload_archives") or []]
    for command in combined.get("setup") or []:
        parts = parse_setup_cmd(command) if isinstance(command, str) else command
        archives += [part["path"] for part in parts if isinstance(part, dict) and part["type"] == "archive"]
    return archives


def check_shipping(runner: str, conf_paths: Sequence[str], mistakes: Mistakes) -> None:
    """Add a mistake where what the configurations send to the nodes is not there, or is not what runs here."""
    if runner in ("inline", "local"):
        return
    for archive in shipped_archives(runner, conf_paths):
        if "://" in archive and not archive.startswith("file://"):
            if not place(archive).exists():
                mistakes.add(archive, f"{runner}'s configuration sends it to the nodes, and it is not there.")
            continue
        path = archive.removeprefix("file://")
        if not os.path.exists(path):
            mistakes.add(
                path,
                "the nodes need it, and it is not there.",
                f"Make it: {command_for(path)} (where their Python or platform is another than here, see --help).",
            )
        elif Path(path).name.endswith(".tar.gz"):
            _check_bundle(path, mistakes)


def _check_bundle(path: str, mistakes: Mistakes) -> None:
    try:
        manifest = read_manifest(path)
    except ValueError:
        # Some other archive of the user's.
        return
    differences = manifest.differences()
    again = f"Make it again: {command_for(path, manifest)}"
    if manifest.pehchan != pehchan.__version__ or manifest.sources != sources_fingerprint():
        mistakes.add(path, f"the bundle {differences[0]}.", again)
    elif differences:
        mistakes.warn(path, f"the bundle {'; '.join(differences)}.", again)


def command_for(path: str, manifest: Manifest | None = None) -> str:
    """The command that makes a bundle, or makes it again."""
    parts = ["pehchan bundle"]
    if os.path.abspath(path) != os.path.expanduser(DEFAULT_BUNDLE):
        parts.append(f"-o {path}")
    if manifest is not None:
        here = find_target(None, None, Mistakes())
        if manifest.platform != here.platform:
            parts.append(f"--platform {manifest.platform}")
        if manifest.python != here.python:
            parts.append(f"--python-version {manifest.python}")
    return " ".join(parts)
