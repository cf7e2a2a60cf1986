"""Landed files at a URL that fsspec knows.

Importing this module loads no client of any cloud, which takes a second: opening a URL does.
"""

import posixpath
import threading
import uuid
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, NoReturn, TypeVar
from urllib.parse import urlsplit

from tasks import s3
from tasks.errors import ConfigurationError, PipelineError, RetriableError
from tasks.extract.landing.addresses import join

_S3: Final = {"s3", "s3a"}
_PUT_IS_ATOMIC: Final = _S3 | {"gs", "gcs", "az", "abfs", "abfss", "adl", "memory"}
_RIGHTS: Final = "s3:PutObject, s3:GetObject, s3:ListBucket and s3:DeleteObject"
_CONNECTING: Final = threading.Lock()
T = TypeVar("T")


class RemoteFolder:
    """A folder at a URL; files are put and read whole.

    Never by `open(…, "wb")`: its context publishes what was written so far when an exception ends it.
    """

    def __init__(self, url: str) -> None:
        self.where = url
        self._files, self._root = _connect(url)

    def list_names(self) -> list[str]:
        """Names of what is in it."""

        def find() -> list[str]:
            self._files.invalidate_cache()
            return [posixpath.basename(path.rstrip("/")) for path in self._files.ls(self._root, detail=False)]

        return self._ask(find) or []

    def read(self, name: str) -> bytes | None:
        """A file's content, None when there is no such file."""
        return self._ask(lambda: bytes(self._files.cat_file(join(self._root, name))))

    def write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all."""
        path = join(self._root, name)
        try:
            if _protocols(self._files) & _PUT_IS_ATOMIC:
                self._files.pipe_file(path, data)
            else:
                self._write_and_move(path, data)
        except Exception as exc:  # noqa: BLE001  every file system has errors of its own
            self._raise_clear(exc)

    def delete(self, names: Iterable[str]) -> None:
        """Delete files, those that are there."""
        for name in names:
            self._ask(partial(self._files.rm_file, join(self._root, name)))

    def measure(self) -> int:
        """How much all below it takes, in bytes."""
        return self._ask(lambda: int(self._files.du(self._root))) or 0

    def delete_all(self) -> None:
        """Delete the folder and all below it."""
        self._ask(partial(self._files.rm, self._root, recursive=True))

    def _write_and_move(self, path: str, data: bytes) -> None:
        self._files.makedirs(self._root, exist_ok=True)
        temporary = join(self._root, f".writing-{uuid.uuid4().hex}")
        self._files.pipe_file(temporary, data)
        self._files.mv(temporary, path)

    def _ask(self, question: Callable[[], T]) -> T | None:
        """The answer of the file system, None when what is asked for is not there."""
        try:
            return question()
        except FileNotFoundError:
            return None
        except Exception as exc:  # noqa: BLE001  every file system has errors of its own
            self._raise_clear(exc)

    def _raise_clear(self, exc: Exception) -> NoReturn:
        raise _explain_remote(exc, self.where, _protocols(self._files)) from None


def _connect(url: str) -> tuple[Any, str]:
    import fsspec  # noqa: PLC0415  see the module

    scheme = urlsplit(url).scheme
    options: dict[str, Any] = {"use_listings_cache": False}
    if scheme in _S3:
        # With one connection a read asks for the object at once, not for its size first.
        options |= {"config_kwargs": s3.client_options(), "max_concurrency": 1}
    try:
        # fsspec keeps the client for all folders of a process, but does not mind two threads making one.
        with _CONNECTING:
            files, root = fsspec.url_to_fs(url, **options)
    except (ImportError, ValueError) as exc:
        raise ConfigurationError(
            f"ASSAY_LANDING_URL: cannot land at {scheme}:// addresses: {str(exc).rstrip('.')}. "
            "Use a folder or s3://bucket/prefix."
        ) from exc
    if scheme in _S3:
        files.retries = 1  # botocore tries again already; both together take minutes to give up
    return files, root


def _protocols(files: Any) -> set[str]:
    return {files.protocol} if isinstance(files.protocol, str) else set(files.protocol)


def _explain_remote(exc: Exception, where: str, protocols: set[str]) -> PipelineError:
    named = f"Landing zone at {where}"
    if protocols & _S3:
        return s3.explain(exc, named, setting="ASSAY_LANDING_URL", rights=_RIGHTS)
    problem = f"{named}: {type(exc).__name__}: {exc}"
    return ConfigurationError(problem) if isinstance(exc, PermissionError) else RetriableError(problem)
