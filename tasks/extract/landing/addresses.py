"""Addresses of landing zones: a path of this machine, or a URL."""

from pathlib import Path
from urllib.parse import unquote, urlsplit


def as_local_path(address: str) -> Path | None:
    """The path that a path or `file://` URL stands for, None for other URLs."""
    if "://" not in address:
        return Path(address)
    parts = urlsplit(address)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def join(address: str, *names: str) -> str:
    """The address of something below a path or URL."""
    return "/".join((address.rstrip("/"), *names))
