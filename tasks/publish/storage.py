"""A folder as the store of report files."""

import os
import tempfile
from pathlib import Path, PurePosixPath

from tasks.errors import ConfigurationError


class FolderStore:
    """Report files in a folder of this machine; a reader sees a file whole or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def put(self, path: str, body: bytes, content_type: str) -> None:  # noqa: ARG002 - a folder has none
        """Write one file whole, under a relative path with forward slashes.

        Raises:
            ConfigurationError: The path leaves the folder, or the folder cannot be written.
        """
        target = self._root / check_path(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _replace(target, body)
        except OSError as exc:
            raise ConfigurationError(
                f"Reports: cannot write {target}: {exc.strerror}. Set ASSAY_REPORTS_URL to a folder that "
                "this user may write, or to s3://bucket/prefix."
            ) from exc

    def url(self, path: str) -> str:
        """The file as a `file://` address."""
        return (self._root / check_path(path)).as_uri()


def check_path(path: str) -> str:
    """`path` itself, when it is relative, with forward slashes, and stays below its root.

    Raises:
        ConfigurationError: It is not.
    """
    parts = path.split("/")
    if PurePosixPath(path).is_absolute() or "\\" in path or "\0" in path or {"", ".", ".."} & set(parts):
        raise ConfigurationError(f"Reports: {path!r} is not a relative path below the store's root.")
    return path


def _replace(target: Path, body: bytes) -> None:
    # In the same folder, so that the rename stays on one file system.
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
