"""Polars' scan functions, with options that a configuration file can hold."""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from expectations.engine.paths import Path
from expectations.engine.schemas import schema_from_text, schema_to_text

_SCANS: dict[str, Callable[..., pl.LazyFrame]] = {
    "parquet": pl.scan_parquet,
    "csv": pl.scan_csv,
    "ndjson": pl.scan_ndjson,
}
_SCHEMAS = frozenset({"schema", "schema_overrides", "hive_schema"})


def scan(kind: str, path: Path, options: Mapping[str, Any]) -> pl.LazyFrame:
    """Scan files of a kind."""
    typed = {
        key: schema_from_text(value) if key in _SCHEMAS and isinstance(value, dict) else value
        for key, value in options.items()
    }
    return _SCANS[kind](path, **typed)


def check_options(kind: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Give the options as a configuration file can hold them.

    Raises:
        ValueError: the scan function has no such option, or the file could not hold its value.
    """
    function = f"polars.scan_{kind}"
    known = [name for name in inspect.signature(_SCANS[kind]).parameters if not name.startswith("_")][1:]
    for name in options:
        if name not in known:
            raise ValueError(f"{function} has no option {name!r}.{_nearest(name, known)}")
    return {name: _as_configuration(function, name, value) for name, value in options.items()}


def _as_configuration(function: str, name: str, value: Any) -> Any:
    if name in _SCHEMAS and isinstance(value, Mapping):
        return schema_to_text(value)
    try:
        plain = json.loads(json.dumps(value))
    except (TypeError, ValueError) as exc:
        raise ValueError(
            f"{function}: a configuration file cannot hold {name}={value!r}. "
            "Scan yourself, and hand the LazyFrame to a dataframe asset."
        ) from exc
    return plain


def _nearest(name: str, known: list[str]) -> str:
    matches = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {matches[0]!r}?" if matches else ""
