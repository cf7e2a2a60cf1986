"""From a suite to the metrics that it needs, without GX's repetitions.

While GX plans an expectation, it makes its configuration a hundred times, the expectation anew from it nine
times, it follows a metric's dependencies again for every metric that needs it, and it writes the same twenty
arguments as JSON, whose hash is a metric's id, five hundred times. Most of the time of a small validation
would go there.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from great_expectations.core.id_dict import IDDict
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.metric_configuration import MetricConfigurationID as MetricId
from great_expectations.validator.validation_graph import MetricEdge, ValidationGraph

# By identity; the object itself is kept too, so that no other takes its number.
_Configurations = dict[int, tuple[Expectation, ExpectationConfiguration]]
_Expectations = dict[int, tuple[ExpectationConfiguration, Expectation]]
_remembered: ContextVar[tuple[_Configurations, _Expectations] | None] = ContextVar("remembered", default=None)
_ids: ContextVar[dict[Hashable, Any] | None] = ContextVar("ids", default=None)

_make_configuration: Any = Expectation.__dict__["configuration"].fget
_make_expectation: Any = ExpectationConfiguration.to_domain_obj
_make_id: Any = IDDict.to_id
_PLAIN = (str, int, bool, type(None))


@contextmanager
def configurations_remembered() -> Iterator[None]:
    """Make each expectation's configuration once for as long as this lasts, in this thread.

    Planning only reads configurations. What a result holds must be made outside.
    """
    token = _remembered.set(({}, {}))
    try:
        yield
    finally:
        _remembered.reset(token)


@contextmanager
def ids_remembered() -> Iterator[None]:
    """Make the id of the same arguments once for as long as this lasts, in this thread."""
    token = _ids.set({})
    try:
        yield
    finally:
        _ids.reset(token)


def apply_planning() -> None:
    """Let GX look at what is remembered; a second time does nothing."""
    setattr(Expectation, "configuration", property(_configuration))  # noqa: B010  (its type is another)
    setattr(ExpectationConfiguration, "to_domain_obj", _to_domain_obj)  # noqa: B010
    setattr(IDDict, "to_id", _to_id)  # noqa: B010


def _configuration(expectation: Expectation) -> ExpectationConfiguration:
    if (remembered := _remembered.get()) is None:
        return _make_configuration(expectation)  # type: ignore[no-any-return]
    configurations, expectations = remembered
    if id(expectation) not in configurations:
        configuration = _make_configuration(expectation)
        configurations[id(expectation)] = expectation, configuration
        expectations[id(configuration)] = configuration, expectation
    return configurations[id(expectation)][1]


def _to_domain_obj(configuration: ExpectationConfiguration) -> Expectation:
    if (remembered := _remembered.get()) is not None and id(configuration) in remembered[1]:
        return remembered[1][id(configuration)][1]
    return _make_expectation(configuration)  # type: ignore[no-any-return]


def _to_id(arguments: IDDict, id_keys: Any = None, id_ignore_keys: Any = None) -> Any:
    # Those of a kind of its own leave some of the keys out, and of a single argument it is quickly made.
    is_plain = type(arguments) is IDDict and id_keys is None and id_ignore_keys is None
    if (ids := _ids.get()) is None or not is_plain or len(arguments) < 2:
        return _make_id(arguments, id_keys, id_ignore_keys)
    try:
        content = _freeze(arguments)
    except TypeError:
        return _make_id(arguments)
    if content not in ids:
        ids[content] = _make_id(arguments)
    return ids[content]


def _freeze(value: Any) -> Hashable:
    """The same for the same JSON; 1, 1.0 and true, which are equal in Python, apart.

    Raises:
        TypeError: It holds what JSON has no form of its own for.
    """
    kind = type(value)
    if kind in _PLAIN:
        return kind, value
    if kind is float:
        return kind, repr(value)
    if kind is list:
        return kind, tuple(map(_freeze, value))
    if isinstance(value, dict) and all(type(name) is str for name in value):
        return dict, frozenset((name, _freeze(each)) for name, each in value.items())
    raise TypeError(kind)


class MetricGraph(ValidationGraph):
    """GX's graph of metrics; the dependencies of each are looked up once."""

    def __init__(self, execution_engine: Any) -> None:
        super().__init__(execution_engine)
        self._needs: dict[MetricId, list[MetricId]] = {}

    def add_metrics(self, metrics: Iterable[MetricConfiguration], runtime: dict[str, Any]) -> set[MetricId]:
        """Add metrics and all that they depend on, whose ids are returned.

        If one of them cannot be had, this raises and none of them is added.
        """
        added: dict[MetricId, list[MetricConfiguration]] = {}
        edges: list[MetricEdge] = []
        reached: set[MetricId] = set()
        waiting = list(metrics)
        while waiting:
            metric = waiting.pop()
            reached.add(metric.id)
            if metric.id in self._needs:
                reached |= self._reach(metric.id)
            elif metric.id not in added:
                added[metric.id] = needed = self._look_up_needs(metric, runtime)
                edges += [MetricEdge(metric, other) for other in needed] or [MetricEdge(metric)]
                waiting += needed
        self._needs |= {metric_id: [other.id for other in needed] for metric_id, needed in added.items()}
        for edge in edges:
            self.add(edge)
        return reached

    def _look_up_needs(
        self, metric: MetricConfiguration, runtime: dict[str, Any]
    ) -> list[MetricConfiguration]:
        metric_class, _ = self.set_metric_configuration_default_kwargs_if_absent(metric)
        metric.metric_dependencies = metric_class.get_evaluation_dependencies(
            metric=metric, execution_engine=self._execution_engine, runtime_configuration=runtime
        )
        return [other for other in metric.metric_dependencies.values() if other.id != metric.id]

    def _reach(self, metric_id: MetricId) -> set[MetricId]:
        reached: set[MetricId] = set()
        waiting = [metric_id]
        while waiting:
            if (each := waiting.pop()) not in reached:
                reached.add(each)
                waiting += self._needs[each]
        return reached
