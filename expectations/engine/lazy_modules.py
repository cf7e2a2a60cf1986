"""Modules that are loaded when they are first used, not when they are imported.

Not by `importlib.util.LazyLoader`: that leaves the module in `sys.modules` unloaded, where the next import of
it, or whatever looks through all modules (`inspect`), loads it after all, and before Python 3.12 two threads
may do so at once. Here only those who imported it meanwhile keep a stand-in, everybody else imports the
module itself, and Python's own import lock does the rest.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


@contextmanager
def loaded_when_used(*names: str) -> Iterator[None]:
    """Give stand-ins of these modules to whoever imports them in here, unless they are loaded already."""
    stand_ins = {name: _StandIn(name) for name in names if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for stand_in in stand_ins.values():
            _withdraw(stand_in)


class _StandIn(ModuleType):
    """Has the attributes of the module whose name it bears, and loads it for the first of them."""

    def __getattr__(self, attribute: str) -> Any:
        _withdraw(self)
        return getattr(import_module(self.__name__), attribute)


_withdrawing = threading.Lock()


def _withdraw(stand_in: _StandIn) -> None:
    with _withdrawing:  # two that find it there must not both remove something
        if sys.modules.get(stand_in.__name__) is stand_in:
            del sys.modules[stand_in.__name__]
