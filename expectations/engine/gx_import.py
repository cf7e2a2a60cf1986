"""The first import of GX, without the warnings that its own imports raise, and in half of the time.

GX and what it brings are half a million objects that live as long as the process. Python's garbage collector
walks over them again and again while they are made and once more at the end of the process: 1 s of CPU of
3.4. So it rests during the import, and what was made is then left out of its rounds (`gc.freeze`). What few
expectations need is loaded by the first of them, which saves 0.7 s and 80 MB.
"""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from expectations.engine.lazy_modules import loaded_when_used

# The divergence of distributions and its chart, Kolmogorov-Smirnov tests, JSON schemas.
RARELY_USED = ("scipy.stats", "altair", "jsonschema")


@contextmanager
def _made_to_stay() -> Iterator[None]:
    """Keep the garbage collector away from what is made in here, now and later."""
    gc.collect()  # what is garbage by now is not to stay
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


if "great_expectations" not in sys.modules:
    with _made_to_stay(), loaded_when_used(*RARELY_USED), warnings.catch_warnings():
        # It imports `sre_constants`, deprecated since Python 3.11: fatal where warnings are errors.
        warnings.simplefilter("ignore", DeprecationWarning)
        from expectations.engine.field_copies import quick_field_copies

        with quick_field_copies():
            import great_expectations  # noqa: F401
