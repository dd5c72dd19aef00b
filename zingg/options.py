"""The props of a pipe, read as Spark reads its options: whatever the case of their names."""

from collections.abc import Collection

from pehchan.metadata.mistakes import Mistakes
from pehchan.zingg.configuration import Pipe

#: Where files lie.
PATHS = ("path", "location")
_YES_NO = {"true": True, "false": False}


class Options:
    """The props of a pipe."""

    def __init__(self, pipe: Pipe):
        self.where = pipe.where or f'pipe "{pipe.name}"'
        self._values = {name.lower(): str(value) for name, value in pipe.props.items()}

    def get(self, *names: str, default: str = "") -> str:
        """The value of the first of these names that is given."""
        return next((self._values[name.lower()] for name in names if name.lower() in self._values), default)

    def yes(self, *names: str, default: bool = False) -> bool:
        """The same, of one that is true or false; what is neither is for `check_yes_no` to find."""
        return _YES_NO.get(self.get(*names).strip().lower(), default)

    def check_yes_no(self, mistakes: Mistakes, *names: str) -> None:
        """Add a mistake for each of these that is neither true nor false."""
        for name in names:
            if self.get(name, default="true").strip().lower() not in _YES_NO:
                mistakes.add(f"{self.where}.props.{name}", f'"{self.get(name)}" is neither true nor false.')

    def path(self) -> str:
        """Where the files lie."""
        return self.get(*PATHS).removeprefix("file://")

    def check_path(self, mistakes: Mistakes) -> bool:
        """Whether there is a path; a mistake where there is none, or one that nothing here reaches."""
        path = self.path()
        if not path:
            mistakes.add(f"{self.where}.props", "no path.", 'Add "path" (or "location"): a file or a folder.')
            return False
        scheme, separator, _ = path.partition("://")
        scheme = scheme.lower()
        if separator and scheme not in ("hdfs", "s3"):
            if scheme in ("s3a", "s3n"):
                right = f"Write s3://{path.partition('://')[2]}"
            else:
                right = "Files lie on this machine, on hdfs:// or on s3://; copy them to one of these."
            mistakes.add(f"{self.where}.props.path", f"{scheme}:// is not reached from here: {path}.", right)
            return False
        return True

    def warn_unused(self, known: Collection[str], mistakes: Mistakes) -> None:
        """Add a warning that names the props that nothing here reads."""
        names = {name.lower() for name in (*known, *PATHS)}
        unused = sorted(name for name in self._values if name not in names)
        if unused:
            mistakes.warn(f"{self.where}.props", f"not used here: {', '.join(unused)}.")
