"""A stand-in of a module loads it once, at its first use, and is seen by nobody but its importer."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from expectations.engine.lazy_modules import loaded_when_used

SLOW = "import time; time.sleep(0.05); TIMES_LOADED = globals().get('TIMES_LOADED', 0) + 1; KEY = object()"


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "slow_package").mkdir()
    (tmp_path / "slow_package" / "__init__.py").write_text("")
    (tmp_path / "slow_package" / "slow_module.py").write_text(SLOW)
    (tmp_path / "slow_package" / "broken.py").write_text("import a_module_that_is_nowhere")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("slow_package")]:
        monkeypatch.delitem(sys.modules, name)


def imported(name: str = "slow_package.slow_module") -> ModuleType:
    """The module as one who imports it lazily has it."""
    with loaded_when_used(name):
        return import_module(name)


def test_a_module_is_not_loaded_before_an_attribute_is_asked_for() -> None:
    module = imported()
    assert "slow_package.slow_module" not in sys.modules
    assert module.KEY is sys.modules["slow_package.slow_module"].KEY


def test_others_import_the_module_itself() -> None:
    stand_in = imported()
    module = import_module("slow_package.slow_module")
    assert module is not stand_in
    assert module is sys.modules["slow_package"].slow_module
    assert module.KEY is stand_in.KEY


def test_a_module_that_is_used_at_once_is_loaded_at_once() -> None:
    with loaded_when_used("slow_package.slow_module"):
        from slow_package.slow_module import KEY  # type: ignore[import-not-found]  # noqa: PLC0415
    assert KEY is sys.modules["slow_package.slow_module"].KEY


def test_a_module_that_is_loaded_is_given_as_it_is() -> None:
    module = import_module("slow_package.slow_module")
    assert imported() is module


def test_threads_that_use_it_at_once_load_it_once() -> None:
    module = imported()
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: module.KEY, range(8)))
    assert len(set(keys)) == 1
    assert module.TIMES_LOADED == 1


def test_an_attribute_that_is_not_there_is_missed_as_ever() -> None:
    module = imported()
    with pytest.raises(AttributeError, match=r"module 'slow_package.slow_module' has no attribute 'KEYS'"):
        _ = module.KEYS


def test_a_module_that_does_not_load_says_so_when_it_is_used() -> None:
    module = imported("slow_package.broken")
    for _ in range(2):
        with pytest.raises(ModuleNotFoundError, match="a_module_that_is_nowhere"):
            _ = module.anything
