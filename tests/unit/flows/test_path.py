"""The path: what each step gets, which failure is raised, and that all of it ends."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import path
from flows.path import follow_path, plain_steps
from tasks.errors import FatalError


class World:
    """Steps that note their calls instead of working; those of `failing` fail, by step and name."""

    def __init__(self, resources: int, tables: int, failing: frozenset[str] = frozenset()) -> None:
        self.resources = tuple(SimpleNamespace(name=f"r{number}", parent=None) for number in range(resources))
        self.tables = tuple(SimpleNamespace(name=f"t{number}") for number in range(tables))
        self.failing = failing
        self.calls: dict[str, tuple[Any, ...]] = {}
        self.running = 0
        self.hooks: dict[str, Callable[[], None]] = {}
        pipeline = SimpleNamespace(
            resources=self.resources,
            tables=self.tables,
            in_order=lambda: self.resources,
            streamable=False,
        )
        self.run: Any = SimpleNamespace(
            pipeline=pipeline, load="load", client="client", helper="helper", target="target"
        )

    def step(self, kind: str) -> Callable[..., str]:
        def work(*arguments: Any) -> str:
            named = next((a.name for a in arguments[:3] if a in self.resources + self.tables), "")
            name = f"{kind} {named}".strip()
            self.running += 1
            try:
                self.calls[name] = arguments
                self.hooks.get(name, lambda: None)()
                if name in self.failing:
                    raise FatalError(name)
                return f"{name} done"
            finally:
                self.running -= 1

        return work

    def follow(self, threads: int) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            for kind in (
                "extract_resource",
                "transform_tables",
                "validate_table",
                "stage_table",
                "load_tables",
            ):
                patch.setattr(path, kind, self.step(kind.partition("_")[0]))
            with plain_steps(threads) as steps:
                try:
                    return follow_path(self.run, steps)
                finally:
                    assert self.running == 0


def test_results_are_handed_on_in_order() -> None:
    world = World(2, 2)
    assert world.follow(8) == "load done"
    extracted = ["extract r0 done", "extract r1 done"]
    verdicts = ["validate t0 done", "validate t1 done"]
    staged = ["stage t0 done", "stage t1 done"]
    pipeline = world.run.pipeline
    assert world.calls == {
        "extract r0": ("client", world.resources[0], "load", None, None),
        "extract r1": ("client", world.resources[1], "load", None, None),
        "transform": (pipeline, "load", extracted),
        "validate t0": (pipeline, world.tables[0], "load", "transform done", extracted, "helper"),
        "validate t1": (pipeline, world.tables[1], "load", "transform done", extracted, "helper"),
        "stage t0": ("target", pipeline, world.tables[0], "load", "transform done", verdicts[0]),
        "stage t1": ("target", pipeline, world.tables[1], "load", "transform done", verdicts[1]),
        "load": ("target", pipeline, "load", verdicts, extracted, staged),
    }


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_a_child_waits_for_its_parent_and_receives_its_extraction(threads: int) -> None:
    world = World(3, 1)
    child, parent, other = world.resources
    child.parent = SimpleNamespace(resource=parent.name)
    world.run.pipeline.in_order = lambda: [parent, other, child]
    world.hooks["extract r1"] = lambda: time.sleep(0.05)
    assert world.follow(threads) == "load done"
    assert world.calls["extract r0"] == ("client", child, "load", "extract r1 done", None)
    assert world.calls["transform"][2] == ["extract r0 done", "extract r1 done", "extract r2 done"]


def test_the_failure_of_a_parent_is_the_one_that_is_raised() -> None:
    world = World(2, 1, frozenset({"extract r1"}))
    child, parent = world.resources
    child.parent = SimpleNamespace(resource=parent.name)
    world.run.pipeline.in_order = lambda: [parent, child]
    with pytest.raises(FatalError, match="extract r1"):
        world.follow(2)
    assert set(world.calls) == {"extract r1"}


@settings(max_examples=60)
@given(st.data(), st.integers(1, 8), st.integers(1, 5), st.integers(1, 5))
def test_first_failure_of_the_path_is_raised_once_all_has_ended(
    data: st.DataObject, threads: int, resources: int, tables: int
) -> None:
    names = [f"extract r{n}" for n in range(resources)] + ["transform"]
    names += [f"{kind} t{n}" for kind in ("validate", "stage") for n in range(tables)] + ["load"]
    failing = data.draw(st.frozensets(st.sampled_from(names), max_size=3))
    world = World(resources, tables, failing)
    if not failing:
        assert world.follow(threads) == "load done"
        assert sorted(world.calls) == sorted(names)
        return
    with pytest.raises(FatalError) as caught:
        world.follow(threads)
    assert str(caught.value) == min(failing, key=names.index)
    assert "load" not in world.calls or failing == {"load"}


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_all_steps_end_before_the_failure_is_raised(threads: int) -> None:
    world = World(3, 1, frozenset({"extract r0"}))
    world.hooks["extract r2"] = lambda: time.sleep(0.2)
    with pytest.raises(FatalError, match="extract r0"):
        world.follow(threads)
    assert set(world.calls) == {"extract r0", "extract r1", "extract r2"}


def test_panic_of_polars_waits_for_the_others_too() -> None:
    def panic() -> None:
        raise pl.exceptions.PanicException("index out of bounds")

    world = World(2, 1)
    world.hooks = {"extract r0": panic, "extract r1": lambda: time.sleep(0.2)}
    with pytest.raises(pl.exceptions.PanicException, match="index out of bounds"):
        world.follow(2)
    assert "transform" not in world.calls


def test_interrupted_run_starts_no_further_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes while a table is staged; the load that waits for it must not publish."""
    world, interrupted = World(1, 1), threading.Event()
    staging = threading.Event()

    def stage() -> None:
        staging.set()
        assert interrupted.wait(10)

    def interrupt(_: Any) -> Any:
        assert staging.wait(10)
        raise KeyboardInterrupt

    world.hooks["stage t0"] = stage
    monkeypatch.setattr(path, "_wait_for", interrupt)
    for kind in ("extract_resource", "transform_tables", "validate_table", "stage_table", "load_tables"):
        monkeypatch.setattr(path, kind, world.step(kind.partition("_")[0]))
    with plain_steps(8) as steps:
        with pytest.raises(KeyboardInterrupt):
            follow_path(world.run, steps)
        interrupted.set()
    assert "stage t0" in world.calls
    assert "load" not in world.calls
