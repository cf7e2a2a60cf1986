"""The command `assay`: one module a group of verbs, each of which imports what it needs when it is called."""

from flows.cli import (  # noqa: F401  (each registers its commands)
    checks,
    database,
    loads,
    local,
    quarantine,
    retention,
    runs,
    schemas,
)
from flows.cli.app import app, exit_code, main

__all__ = ["app", "exit_code", "main"]
