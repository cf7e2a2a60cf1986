"""Loads the engine before any test module does: it knows how to import GX where warnings are errors."""

from __future__ import annotations

import expectations.engine  # noqa: F401
