"""Files and folders on this machine, on a Hadoop file system, or on S3, behind one interface."""

import os
import re
import shutil
import subprocess
import tempfile
import uuid
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from mrjob.fs.hadoop import HadoopFilesystem
from mrjob.parse import parse_s3_uri
from mrjob.util import to_lines

from pehchan.learning.whole_files import sync_folder, write_whole

#: How many files one command reads; each is a part of its command line.
FILES_A_COMMAND = 200

#: The modes of what its owner alone reads.
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600


class Place(ABC):
    """A file or a folder; `str` gives its path or URI."""

    #: Whether a folder can be renamed, so that it appears whole; else it is whole once its last file is there.
    renames = True

    @property
    @abstractmethod
    def name(self) -> str:
        """The last part of the path."""

    @property
    @abstractmethod
    def parent(self) -> "Place":
        """The folder it is in."""

    @abstractmethod
    def __truediv__(self, name: str) -> "Place":
        """A file or folder in this folder."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is a file or folder."""

    @abstractmethod
    def files(self) -> list["Place"]:
        """The files in the folder, and in those in it, but hidden ones and empty ones; sorted."""

    @abstractmethod
    def size(self) -> int:
        """Bytes of the file as it lies there, packed or not."""

    @abstractmethod
    def chunks(self) -> Iterator[bytes]:
        """The content of the file."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Make the file, with this content."""

    @abstractmethod
    def create(self, data: bytes) -> bool:
        """Make the file, with this content, unless there is one already: False, and nothing changes. Of several
        programs that try it at the same time one is told True.
        """

    @abstractmethod
    def sizes(self) -> dict[str, int]:
        """Of each file and folder in the folder, by name, the bytes that lie in it."""

    @abstractmethod
    def put(self, local: Path) -> None:
        """Make the file, with the content of a file of this machine."""

    @abstractmethod
    def make(self) -> None:
        """Make the folder, and those it is in, where they are not there."""

    @abstractmethod
    def rename(self, to: "Place") -> None:
        """Call the folder another name on the same file system, where nothing is called so."""

    @abstractmethod
    def remove(self) -> None:
        """Remove the file, or the folder with all in it; nothing where there is none."""

    @abstractmethod
    def keep_private(self, names: Sequence[str] = ()) -> None:
        """Let nobody but the owner read the folder; or of the files and folders in it those with these names,
        as far as they are there.
        """

    @abstractmethod
    def share(self) -> None:
        """Let others read the folder as they may read any new one."""

    @abstractmethod
    def fetch(self, folder: Path) -> Path:
        """Copy the file into a folder of this machine; a file of this machine stays where it is."""

    def read(self) -> bytes:
        """The content of the file. Raises FileNotFoundError."""
        return b"".join(self.chunks())

    def lines(self) -> Iterator[bytes]:
        """The lines of the files in the folder."""
        for file in self.files():
            yield from to_lines(file.chunks())

    def some_lines(self, number: int) -> Iterator[bytes]:
        """Some of the lines, not many more than a number: the first."""
        return islice(self.lines(), number)


class LocalPlace(Place):
    """On this machine."""

    def __init__(self, path: str | Path):
        self.path = Path(path)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def parent(self) -> "LocalPlace":
        return LocalPlace(self.path.parent)

    def __truediv__(self, name: str) -> "LocalPlace":
        return LocalPlace(self.path / name)

    def exists(self) -> bool:
        return self.path.exists()

    def files(self) -> list[Place]:
        found = []
        for folder, folders, names in os.walk(self.path):
            folders[:] = [name for name in folders if not _hidden(name)]
            found += [Path(folder) / name for name in names if not _hidden(name)]
        return [LocalPlace(path) for path in sorted(found) if path.stat().st_size]

    def size(self) -> int:
        return self.path.stat().st_size

    def chunks(self) -> Iterator[bytes]:
        with open(self.path, "rb") as file:
            while chunk := file.read(1 << 20):
                yield chunk

    def some_lines(self, number: int) -> Iterator[bytes]:
        """The same, spread over all files, none of them packed: those behind places that are equally far apart."""
        files = [LocalPlace(str(file)) for file in self.files()]
        total = sum(file.size() for file in files)
        step = max(1, total // max(1, number))
        begins = 0
        for file in files:
            with open(file.path, "rb") as opened:
                size = file.size()
                last = -1
                for start in range(-begins % step, size, step):
                    # From here to the end of a line another one is cut.
                    opened.seek(max(0, start - 1))
                    if start:
                        opened.readline()
                    place = opened.tell()
                    if place > last and (line := opened.readline()):
                        last = place
                        yield line
            begins += size

    def write(self, data: bytes) -> None:
        self.path.write_bytes(data)

    def create(self, data: bytes) -> bool:
        aside = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}.unfinished")
        try:
            write_whole(aside, data)
            os.link(aside, self.path)
        except FileExistsError:
            return False
        except FileNotFoundError:
            # Whoever made the file before us takes away what others wrote aside.
            if not self.exists():
                raise
            return False
        finally:
            aside.unlink(missing_ok=True)
        sync_folder(self.path.parent)
        # Of programs that were killed.
        for left in self.path.parent.glob(f".*{self.path.name}.*.unfinished"):
            left.unlink(missing_ok=True)
        return True

    def sizes(self) -> dict[str, int]:
        if not self.path.is_dir():
            return {}
        return {
            inside.name: sum(
                _size(Path(folder, name)) for folder, _, names in os.walk(inside) for name in names
            )
            if inside.is_dir()
            else _size(inside)
            for inside in self.path.iterdir()
            if not _hidden(inside.name)
        }

    def put(self, local: Path) -> None:
        shutil.copyfile(local, self.path)

    def make(self) -> None:
        self.path.mkdir(parents=True, exist_ok=True)

    def rename(self, to: Place) -> None:
        assert isinstance(to, LocalPlace)
        os.rename(self.path, to.path)

    def keep_private(self, names: Sequence[str] = ()) -> None:
        if not names:
            self.path.chmod(PRIVATE_FOLDER)
        for name in names:
            top = self.path / name
            for path in [top, *top.rglob("*")] if top.exists() else []:
                path.chmod(PRIVATE_FOLDER if path.is_dir() else PRIVATE_FILE)

    def share(self) -> None:
        mask = os.umask(0)
        os.umask(mask)
        self.path.chmod(0o777 & ~mask)

    def remove(self) -> None:
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path, ignore_errors=True)
        else:
            self.path.unlink(missing_ok=True)

    def fetch(self, folder: Path) -> Path:
        return self.path


class RemotePlace(Place):
    """Behind one of mrjob's file systems."""

    def __init__(self, uri: str, files: Any):
        scheme, _, rest = uri.partition("://")
        host, _, path = rest.partition("/")
        self._root = f"{scheme}://{host}/"
        self.uri = self._root + path.strip("/")
        self._files = files

    def __str__(self) -> str:
        return self.uri

    @property
    def name(self) -> str:
        return self.uri.rpartition("/")[2]

    @property
    def parent(self) -> "RemotePlace":
        return type(self)(self._root + self.uri.removeprefix(self._root).rpartition("/")[0], self._files)

    def __truediv__(self, name: str) -> "RemotePlace":
        return type(self)(f"{self.uri}/{name}", self._files)

    def exists(self) -> bool:
        return bool(self._files.exists(self.uri))

    def files(self) -> list[Place]:
        found = [
            uri for uri in self._uris() if not any(_hidden(part) for part in self._inside(uri).split("/"))
        ]
        return [type(self)(uri, self._files) for uri in sorted(found)]

    def _inside(self, uri: str) -> str:
        """What the URI of a file adds to that of this folder."""
        if self.uri in uri:
            return uri[uri.index(self.uri) + len(self.uri) :]
        return "/" + uri.rpartition("/")[2]

    def _uris(self) -> Iterator[str]:
        yield from self._files.ls(self.uri)

    def size(self) -> int:
        return int(self._files.du(self.uri))

    def chunks(self) -> Iterator[bytes]:
        for chunk in self._files.cat(self.uri):
            # mrjob puts an empty chunk between files.
            if chunk:
                yield chunk

    def read(self) -> bytes:
        if not self.exists():
            raise FileNotFoundError(self.uri)
        return super().read()

    def write(self, data: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / "data"
            local.write_bytes(data)
            self.put(local)

    def put(self, local: Path) -> None:
        self._files.put(str(local), self.uri)

    def make(self) -> None:
        self._files.mkdir(self.uri)

    def remove(self) -> None:
        self._files.rm(self.uri)

    def fetch(self, folder: Path) -> Path:
        local = folder / self.name
        with open(local, "wb") as file:
            for chunk in self.chunks():
                file.write(chunk)
        return local

    def rename(self, to: Place) -> None:
        raise NotImplementedError

    def keep_private(self, names: Sequence[str] = ()) -> None:
        # Who may read there is not said by modes.
        return

    def share(self) -> None:
        return


#: What Hadoop says of a folder that is not there, which is no fault.
_ABSENT = re.compile(rb".*No such file or directory", re.DOTALL)


class HadoopPlace(RemotePlace):
    """On what the `hadoop fs` command reaches."""

    def lines(self) -> Iterator[bytes]:
        # Each command starts a Java, and each reducer leaves a file: those that need no unpacking go in one.
        plain = []
        for file in self.files():
            if file.name.endswith((".gz", ".bz2")):
                yield from to_lines(file.chunks())
            else:
                plain.append(str(file))
        for start in range(0, len(plain), FILES_A_COMMAND):
            yield from self._cat(plain[start : start + FILES_A_COMMAND])

    def parts_of(self, folders: Sequence[Place]) -> Iterator[bytes]:
        """As `lines_of`, by one command, which unpacks what is packed."""
        return self._cat([f"{folder}/part-*" for folder in folders], "-text")

    def _cat(self, uris: Sequence[str], by: str = "-cat") -> Iterator[bytes]:
        """The lines of files whose last lines are ended, as Hadoop writes them."""
        with tempfile.TemporaryFile() as said:
            command = [*self._files.get_hadoop_bin(), "fs", by, *uris]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said) as running:
                assert running.stdout is not None
                yield from running.stdout
            if running.returncode:
                said.seek(0)
                reason = said.read().decode("utf-8", "replace").strip()
                raise OSError(f"{self.uri} cannot be read: {reason}")

    def create(self, data: bytes) -> bool:
        # A file that is renamed never takes the place of another.
        aside = self.parent / f"_{self.name}.{uuid.uuid4().hex}"
        aside.write(data)
        try:
            self._files.invoke_hadoop(["fs", "-mv", str(aside), self.uri])
        except subprocess.CalledProcessError as error:
            aside.remove()
            if self.exists():
                return False
            raise OSError(f"{self.uri} cannot be written") from error
        return True

    def sizes(self) -> dict[str, int]:
        try:
            said = self._files.invoke_hadoop(["fs", "-du", self.uri], return_stdout=True, ok_stderr=[_ABSENT])
        except subprocess.CalledProcessError:
            return {}
        # Bytes, bytes on all disks, and the path.
        lines = (line.split(None, 2) for line in said.decode("utf-8", "replace").splitlines())
        found = ((words[-1].rpartition("/")[2], int(words[0])) for words in lines if len(words) > 1)
        return {name: size for name, size in found if not _hidden(name)}

    def put(self, local: Path) -> None:
        try:
            self._files.invoke_hadoop(["fs", "-put", "-f", str(local), self.uri])
        except subprocess.CalledProcessError as error:
            raise OSError(f"{self.uri} cannot be written") from error

    def keep_private(self, names: Sequence[str] = ()) -> None:
        # Two commands, as each starts a Java; the folder itself is not shut while its tasks run.
        inside = {self._inside(uri).strip("/").partition("/")[0] for uri in self._uris()} if names else set()
        there = [str(self / name) for name in names if name in inside]
        if there:
            self._files.invoke_hadoop(["fs", "-chmod", "-R", "go-rwx", *there])

    def rename(self, to: Place) -> None:
        try:
            self._files.invoke_hadoop(["fs", "-mv", self.uri, str(to)])
        except subprocess.CalledProcessError as error:
            raise OSError(f"{self.uri} cannot be renamed to {to}") from error


class S3Place(RemotePlace):
    """On S3, which knows keys and no folders, and so cannot rename one."""

    renames = False

    def exists(self) -> bool:
        return any(True for _ in self._files.ls(self.uri))

    def _uris(self) -> Iterator[str]:
        # The console of AWS and EMR itself put empty keys where a folder is to be seen.
        for uri, key in self._files._ls(self.uri):
            if key.size:
                yield uri

    def make(self) -> None:
        # A key makes the folders in its name.
        return

    def create(self, data: bytes) -> bool:
        # boto3 is an extra: only who uses S3 needs it.
        from botocore.exceptions import ClientError

        bucket, key = parse_s3_uri(self.uri)
        client = self._files.get_bucket(bucket).meta.client
        try:
            client.put_object(Bucket=bucket, Key=key, Body=data, IfNoneMatch="*")
        except ClientError as error:
            # There is one, or another program is writing it.
            if error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
                return False
            raise OSError(f"{self.uri} cannot be written: {error}") from error
        return True

    def sizes(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for uri, key in self._files._ls(self.uri):
            found[self._inside(uri).strip("/").partition("/")[0]] += key.size
        return {name: size for name, size in found.items() if not _hidden(name)}


def place(path: str) -> Place:
    """The place of a path or URI."""
    scheme, separator, _ = path.partition("://")
    if not separator or scheme == "file":
        return LocalPlace(path.removeprefix("file://"))
    if scheme == "s3":
        return S3Place(path, _s3())
    return HadoopPlace(path, _hadoop())


def lines_of(folders: Sequence[Place]) -> Iterator[bytes]:
    """The lines of some folders of one file system, one after the other; all have files, which are parts of an output
    of jobs.
    """
    if folders and isinstance(folders[0], HadoopPlace):
        yield from folders[0].parts_of(folders)
        return
    for folder in folders:
        yield from folder.lines()


def whole_path(path: str) -> Place:
    """The place of a path, from the root where it is on this machine."""
    return place(path if "://" in path else os.path.abspath(path))


def use_hadoop_command(words: Sequence[str] | None) -> None:
    """Reach Hadoop with this command from here on; None: with one that mrjob finds."""
    _hadoop().set_hadoop_bin(words and list(words))


def hadoop_command() -> list[str]:
    """The hadoop command, with its first arguments."""
    return list(_hadoop().get_hadoop_bin())


@cache
def _hadoop() -> Any:
    return HadoopFilesystem()


@cache
def _s3() -> Any:
    # boto3 is an extra: only who uses S3 needs it.
    from mrjob.fs.s3 import S3Filesystem

    return S3Filesystem()


def _size(path: Path) -> int:
    """Bytes of a file; 0 of one that somebody removed just now."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _hidden(name: str) -> bool:
    return name.startswith((".", "_"))
