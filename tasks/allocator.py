"""How the allocator of Polars is set, which reads it when Polars is imported."""

import os
from collections.abc import Mapping

_VARIABLE = "_RJEM_MALLOC_CONF"
_KEEP_MS = 10_000
_SETTING = f"dirty_decay_ms:{_KEEP_MS},muzzy_decay_ms:{_KEEP_MS}"


def keep_freed_memory() -> None:
    """Keep freed memory for seconds, since the next batch wants as much again.

    Polars gives it back after half a second, and each page of it that is asked for again is a fault. On a
    virtual machine these were a tenth of the CPU time of loading 336,776 flights. What the environment says
    goes first.
    """
    os.environ.setdefault(_VARIABLE, _SETTING)


def helper_environment() -> Mapping[str, str]:
    """The environment of the helper, which does not work in batches and would only hold the memory."""
    # Polars has written its own settings in front of it.
    is_ours = os.environ.get(_VARIABLE, "").endswith(_SETTING)
    return {name: value for name, value in os.environ.items() if not (is_ours and name == _VARIABLE)}
