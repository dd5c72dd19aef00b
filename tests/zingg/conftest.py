"""A real PostgreSQL for the tests of this folder, started once, on a port of this machine."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

USER, PASSWORD = "tester", "opensesame"


@dataclass(frozen=True)
class PostgreSQL:
    """A server with an empty database."""

    port: int

    @property
    def url(self) -> str:
        return f"jdbc:postgresql://127.0.0.1:{self.port}/postgres"

    def props(self, **more: str) -> dict[str, str]:
        """The props of a pipe to it."""
        return {"url": self.url, "user": USER, "password": PASSWORD, **more}

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """What the server answers, none of pehchan between."""
        import psycopg

        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname="postgres"
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _programs() -> Path | None:
    """Where initdb and postgres are; Debian does not put them on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    programs = _programs()
    if programs is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI=true requires PostgreSQL, and there is no initdb")
        pytest.skip("no PostgreSQL: no initdb in /usr/lib/postgresql/*/bin or on the path")
    folder = Path(tempfile.mkdtemp(prefix="pehchan-postgresql-"))
    # It refuses to run as root.
    other_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
        other_user = {"user": "nobody", "extra_groups": []}
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    data = folder / "data"
    try:
        subprocess.run(
            [
                *(programs / "initdb", "-D", data, "-U", USER, "-A", "scram-sha-256", "--pwfile", secret),
                *("-E", "UTF8", "--locale", "C", "--no-sync"),
            ],
            cwd=folder,
            check=True,
            capture_output=True,
            **other_user,
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        settings = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "shared_buffers=16MB",
        ]
        options = [part for setting in settings for part in ("-c", setting)]
        with open(folder / "log", "wb") as log:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, "-p", str(port), *options],
                cwd=folder,
                stdout=log,
                stderr=log,
                **other_user,
            )
        try:
            running = PostgreSQL(port)
            _wait_for(running, server, folder / "log")
            yield running
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(running: PostgreSQL, server: "subprocess.Popen[bytes]", log: Path) -> None:
    import psycopg

    end = time.monotonic() + 60
    while True:
        try:
            running.run("SELECT 1")
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > end:
                pytest.fail(f"PostgreSQL did not start: {log.read_text(errors='replace')}")
            time.sleep(0.1)
