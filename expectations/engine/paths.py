"""Paths of files to validate: batch parameters in braces, and a clear word when nothing is there."""

from __future__ import annotations

import difflib
import glob
import os
import re
from collections.abc import Mapping
from pathlib import Path as LocalPath
from string import Formatter
from typing import Any

from expectations.engine.errors import AssetError

Path = str | list[str]

_VARIABLE = re.compile(r"(\$\{\w+\})")  # of GX's configuration, not of the batch


def plain_path(path: Any) -> Path:
    """Write paths as text, which is what a configuration file holds.

    Raises:
        ValueError: no path, or braces that do not close.
    """
    if isinstance(path, (list, tuple)) and path:
        return [str(plain_path(entry)) for entry in path]
    if not isinstance(path, (str, os.PathLike)) or not str(path):
        raise ValueError(f"{path!r} is no path. Give a path, a glob, a URL, or a list of these.")
    batch_parameters(str(path))
    return str(path)


def batch_parameters(path: Path) -> tuple[str, ...]:
    """Names in braces, in the order of the path: `{year}`, `{month:02}`; `{{` is a brace.

    Raises:
        ValueError: braces without a name, or that do not close.
    """
    text = _VARIABLE.sub("", "\n".join(_each(path)))
    names = list(dict.fromkeys(name for _, name, _, _ in Formatter().parse(text) if name is not None))
    if wrong := [name for name in names if not name.isidentifier()]:
        raise ValueError(
            f"{path!r}: {{{wrong[0]}}} is no batch parameter. Write a name, or {{{{ for a brace."
        )
    return tuple(names)


def fill_in(path: Path, options: Mapping[str, Any], *, configured: bool = True) -> Path:
    """Put batch parameters into their places."""
    if isinstance(path, list):
        return [str(fill_in(entry, options, configured=configured)) for entry in path]
    if configured:
        return path.format(**options)
    return "".join(
        part if _VARIABLE.fullmatch(part) else part.format(**options) for part in _VARIABLE.split(path)
    )


def check_path(asset: str, path: Path) -> None:
    """Refuse a path where nothing is; URLs are left to Polars.

    Raises:
        AssetError: no file at a path, or none that a glob matches; with the nearest name there is.
    """
    for entry in _each(path):
        if "://" in entry or LocalPath(entry).exists():
            continue
        if not glob.has_magic(entry):
            raise AssetError(asset, f"there is no {entry!r}{_from(entry)}.{_nearest(entry)}")
        if not glob.glob(entry, recursive=True):  # noqa: PTH207  (of an absolute path too)
            raise AssetError(asset, f"no file matches {entry!r}{_from(entry)}.")


def _each(path: Path) -> list[str]:
    return [path] if isinstance(path, str) else path


def _from(path: str) -> str:
    return "" if LocalPath(path).is_absolute() else f" in {LocalPath.cwd()}"


def _nearest(path: str) -> str:
    """The nearest name in the deepest folder that exists."""
    missing = LocalPath(path)
    while not missing.parent.exists():
        missing = missing.parent
    names = [entry.name for entry in missing.parent.iterdir()] if missing.parent.is_dir() else []
    matches = difflib.get_close_matches(missing.name, names, n=1)
    return f" Did you mean {str(missing.parent / matches[0])!r}?" if matches else ""
