"""The command `assay`: one module a group of verbs, each of which imports what it needs when it is called."""

from flows.cli import checks, loads, local, quarantine, retention, runs  # noqa: F401  (each registers its commands)
from flows.cli.app import app, exit_code, main

__all__ = ["app", "exit_code", "main"]
