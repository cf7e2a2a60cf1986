"""The first import of GX, without the warnings that its own imports raise."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # It imports `sre_constants`, deprecated since Python 3.11: fatal where warnings are errors.
    warnings.simplefilter("ignore", DeprecationWarning)
    import great_expectations

__all__ = ["great_expectations"]
