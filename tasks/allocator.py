"""How the allocator of Polars is set; before Polars is imported, which reads it then."""

import os

_VARIABLE = "_RJEM_MALLOC_CONF"
_KEEP_MS = 10_000


def keep_freed_memory() -> None:
    """Keep freed memory for seconds, since the next batch wants as much again.

    Polars gives it back after half a second, and each page of it that is asked for again is a fault. On a
    virtual machine these were a tenth of the CPU time of loading 336,776 flights. What the environment says
    goes first.
    """
    os.environ.setdefault(_VARIABLE, f"dirty_decay_ms:{_KEEP_MS},muzzy_decay_ms:{_KEEP_MS}")
