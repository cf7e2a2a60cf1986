"""Landed files in a folder of this machine."""

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tasks.errors import ConfigurationError, DiskFullError, PipelineError, RetriableError

_TEMPORARY: Final = ".writing-"
FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN: Final = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}


class LocalFolder:
    """A folder of this machine."""

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        self._path = path
        self._is_made = False

    def list_names(self) -> list[str]:
        """Names of what is in it; what a killed process left half written is deleted."""
        with self._explained():
            try:
                names = os.listdir(self._path)  # noqa: PTH208  names are wanted, not paths
            except FileNotFoundError:
                return []
            for name in names:
                if name.startswith(_TEMPORARY):
                    (self._path / name).unlink(missing_ok=True)
            return [name for name in names if not name.startswith(_TEMPORARY)]

    def read(self, name: str) -> bytes | None:
        """A file's content, None when there is no such file."""
        with self._explained():
            try:
                return (self._path / name).read_bytes()
            except FileNotFoundError:
                return None

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all: renamed once it is on the disk."""
        temporary = self._path / f"{_TEMPORARY}{os.getpid()}-{name}"
        with self._explained():
            if not self._is_made:
                self._path.mkdir(parents=True, exist_ok=True)
                self._is_made = True
            try:
                with temporary.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(self._path / name)
            except BaseException:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
                raise

    def delete(self, names: Iterable[str]) -> None:
        """Delete files, those that are there."""
        with self._explained():
            for name in names:
                (self._path / name).unlink(missing_ok=True)

    def measure(self) -> int:
        """How much all below it takes, in bytes."""
        with self._explained():
            return sum(file.stat().st_size for file in self._path.rglob("*") if file.is_file())

    def delete_all(self) -> None:
        """Delete the folder and all below it."""
        with self._explained(), contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._path)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as exc:
            raise _explain_local(exc, self._path) from exc


def _explain_local(exc: OSError, path: Path) -> PipelineError:
    reason = exc.strerror or str(exc)
    if exc.errno in FULL:
        return DiskFullError(
            f"Landing zone: {path} cannot be written, the disk is full ({reason}{measure_free(path)}). Make "
            "room, by `assay prune --keep-days 30` for example, then run again: what is landed is kept."
        )
    if exc.errno in _FORBIDDEN:
        return ConfigurationError(
            f"Landing zone: {path}: {reason}. Set ASSAY_HOME or ASSAY_LANDING_URL to a folder that this user "
            "may write, or to s3://bucket/prefix."
        )
    return RetriableError(f"Landing zone: {path}: {reason}.")


def measure_free(path: Path) -> str:
    """How much room there is, in words; the largest file that may be written can be less."""
    for folder in (path, *path.parents):
        with contextlib.suppress(OSError):
            return f", {shutil.disk_usage(folder).free / 1e6:,.0f} MB free"
    return ""
