"""What is installed lies under one name, whole, and works from there."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("metadata", "distance", "clustering", "learning", "mrjobs", "identity", "console", "zingg")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # A copy, so that building leaves nothing in the sources.
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in files.splitlines():
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, source], check=True
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_module_and_example_under_pehchan_and_nothing_else(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {"pehchan/__init__.py", "pehchan/main.py", "pehchan/py.typed"}
    for names in ("zinggEC", "zinggES"):
        inside_of = (ROOT / "src" / "pehchan" / names).rglob("*.py")
        expected |= {str(path.relative_to(ROOT / "src")) for path in inside_of}
    for room in ROOMS:
        expected |= {f"pehchan/{path.relative_to(ROOT)}" for path in (ROOT / room).rglob("*.py")}
    expected |= {f"pehchan/{path.relative_to(ROOT)}" for path in (ROOT / "metadata" / "schemas").iterdir()}
    expected |= {f"pehchan/{path.relative_to(ROOT)}" for path in (ROOT / "console" / "web").iterdir()}
    expected |= {f"pehchan/{path.relative_to(ROOT)}" for path in (ROOT / "zingg" / "templates").iterdir()}
    templates = ROOT / "console" / "templates"
    expected |= {f"pehchan/{path.relative_to(ROOT)}" for path in templates.iterdir()}
    conf = [
        ROOT / "conf" / "__init__.py",
        *(ROOT / "conf").glob("*.properties"),
        *(ROOT / "conf").glob("mrjob/*.conf"),
    ]
    expected |= {f"pehchan/{path.relative_to(ROOT)}" for path in conf}
    assert inside == expected


def test_the_installed_wheel_runs_jobs_of_its_own_and_not_of_the_sources(wheel, tmp_path):
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel], check=True
    )
    (tmp_path / "a.csv").write_text("id,name\n1,Ann Smith\n2,Ann Smyth\n3,Bob\n")
    done = subprocess.run(
        [
            *(sys.executable, "-c", "import sys; from pehchan.main import main; sys.exit(main())"),
            *("dedupe", "a.csv", "-r", "local", "-v"),
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "2 clusters" in done.stdout
