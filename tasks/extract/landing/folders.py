"""Where landed files lie: a folder of this machine, or any URL that fsspec knows."""

from collections.abc import Iterable
from typing import Protocol

from tasks.extract.landing.addresses import as_local_path
from tasks.extract.landing.local import LocalFolder
from tasks.extract.landing.remote import RemoteFolder


class Folder(Protocol):
    """A folder of landed files, each written once, whole or not at all, and never changed.

    Every failure is a `PipelineError` that names the folder.
    """

    where: str

    def list_names(self) -> list[str]:
        """Names of what is in it; none when there is no such folder."""

    def read(self, name: str) -> bytes | None:
        """A file's content, None when there is no such file."""

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all."""

    def delete(self, names: Iterable[str]) -> None:
        """Delete files, those that are there."""

    def measure(self) -> int:
        """How much all below it takes, in bytes."""

    def delete_all(self) -> None:
        """Delete the folder and all below it."""


def open_folder(address: str) -> Folder:
    """The folder at a path or URL; it comes to be with its first file.

    Raises:
        ConfigurationError: No such kind of URL is known, or what it needs is not installed.
    """
    if (path := as_local_path(address)) is not None:
        return LocalFolder(path)
    return RemoteFolder(address)
