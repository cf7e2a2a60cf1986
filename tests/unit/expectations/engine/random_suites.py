"""Any expectation that GX has for pandas, with any arguments, on a random frame."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import great_expectations.expectations as _gxe
from great_expectations.expectations.expectation import Expectation
from hypothesis import strategies as st

from tests.unit.expectations.engine.random_arguments import (
    ANY,
    FLAGS,
    LENGTHS,
    TYPES,
    Draw,
    draw_bounds,
    draw_column,
    draw_condition,
    draw_number_bounds,
    draw_rows,
    draw_value,
    draw_values,
)
from tests.unit.expectations.engine.random_frames import Sample
from tests.unit.expectations.engine.random_row_tests import ROW_LEVEL, Build

gxe: Any = _gxe  # GX does not mark its expectations as exported

OTHERS: list[Build] = []


def _other(build: Build) -> Build:
    OTHERS.append(build)
    return build


def questions(sample: Sample) -> st.SearchStrategy[Expectation]:
    """Draw one expectation that GX accepts."""

    @st.composite
    def build(draw: Draw) -> Any:
        make = draw(st.sampled_from(ROW_LEVEL + OTHERS))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # row conditions as strings
            try:
                return make(draw, sample)
            except ValueError:
                return None  # GX refuses the arguments

    return build().filter(lambda found: found is not None)


# ---- a column as a whole


@_other
def _extreme(draw: Draw, sample: Sample) -> Any:
    column = draw_column(draw, sample, "number", "moment", "duration", "text")
    make = draw(st.sampled_from([gxe.ExpectColumnMaxToBeBetween, gxe.ExpectColumnMinToBeBetween]))
    return make(column=column, **draw_bounds(draw, sample, column), **draw_condition(draw))


@_other
def _statistic(draw: Draw, sample: Sample) -> Any:
    of_values = [gxe.ExpectColumnMeanToBeBetween, gxe.ExpectColumnMedianToBeBetween]
    others = [gxe.ExpectColumnSumToBeBetween, gxe.ExpectColumnStdevToBeBetween]
    column = draw_column(draw, sample, "number")
    return draw(st.sampled_from(of_values + others))(
        column=column, **draw_number_bounds(draw), **draw_condition(draw)
    )


@_other
def _count(draw: Draw, sample: Sample) -> Any:
    make = draw(
        st.sampled_from(
            [
                gxe.ExpectColumnUniqueValueCountToBeBetween,
                gxe.ExpectColumnProportionOfUniqueValuesToBeBetween,
                gxe.ExpectColumnProportionOfNonNullValuesToBeBetween,
            ]
        )
    )
    return make(column=draw_column(draw, sample, *ANY), **draw_number_bounds(draw), **draw_condition(draw))


@_other
def _quantiles(draw: Draw, sample: Sample) -> Any:
    column = draw_column(draw, sample, "number", "moment", "duration")
    points = sorted(draw(st.sets(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0]), min_size=1)))
    ranges = [[draw_value(draw, sample, column), draw_value(draw, sample, column)] for _ in points]
    how = draw(st.sampled_from([False, "nearest", "linear", "lower", "higher", "midpoint", True]))
    return gxe.ExpectColumnQuantileValuesToBeBetween(
        column=column,
        quantile_ranges={"quantiles": points, "value_ranges": ranges},
        allow_relative_error=how,
        **draw_condition(draw),
    )


@_other
def _distinct(draw: Draw, sample: Sample) -> Any:
    column = draw_column(draw, sample, *ANY)
    make = draw(
        st.sampled_from(
            [
                gxe.ExpectColumnDistinctValuesToBeInSet,
                gxe.ExpectColumnDistinctValuesToContainSet,
                gxe.ExpectColumnDistinctValuesToEqualSet,
            ]
        )
    )
    return make(column=column, value_set=draw_values(draw, sample, column), **draw_condition(draw))


@_other
def _most_common(draw: Draw, sample: Sample) -> Any:
    column = draw_column(draw, sample, *ANY)
    return gxe.ExpectColumnMostCommonValueToBeInSet(
        column=column,
        value_set=draw_values(draw, sample, column),
        ties_okay=draw(FLAGS),
        **draw_condition(draw),
    )


@_other
def _divergence(draw: Draw, sample: Sample) -> Any:
    column = draw_column(draw, sample, "number", "text", "bool")
    if draw(st.booleans()):
        partition: dict[str, Any] = {"bins": [-2, 0, 2, 5], "weights": [0.25, 0.5, 0.25]}
    else:
        values = draw(st.lists(st.sampled_from(["a", "ab", 1, 2]), min_size=2, max_size=2, unique=True))
        partition = {"values": values, "weights": [0.5, 0.5]}
    return gxe.ExpectColumnKLDivergenceToBeLessThan(
        column=column,
        partition_object=draw(st.just(partition) | st.none()),
        threshold=draw(st.sampled_from([0.1, 1, None])),
        tail_weight_holdout=draw(st.sampled_from([0, 0.01])),
        internal_weight_holdout=draw(st.sampled_from([0, 0.01])),
        **draw_condition(draw),
    )


@_other
def _type(draw: Draw, sample: Sample) -> Any:
    column = draw_column(draw, sample, *ANY)
    match draw(st.integers(0, 2)):
        case 0:
            types = draw(st.lists(st.sampled_from(TYPES), max_size=3))
            return gxe.ExpectColumnValuesToBeInTypeList(column=column, type_list=types, **draw_rows(draw))
        case 1:
            return gxe.ExpectColumnTypeToBe(column=column, type_=draw(st.sampled_from(TYPES)))
    return gxe.ExpectColumnValuesToBeOfType(
        column=column, type_=draw(st.sampled_from(TYPES)), **draw_rows(draw)
    )


# ---- the table


@_other
def _table(draw: Draw, sample: Sample) -> Any:
    names = list(sample.frame.columns)
    some = draw(st.permutations(names))[: draw(st.integers(1, len(names)))]
    number = draw(st.integers(0, 6))
    choices: list[Callable[[], Any]] = [
        lambda: gxe.ExpectTableRowCountToEqual(value=number, **draw_condition(draw)),
        lambda: gxe.ExpectTableRowCountToBeBetween(**draw_number_bounds(draw), **draw_condition(draw)),
        lambda: gxe.ExpectTableColumnCountToEqual(value=number),
        lambda: gxe.ExpectTableColumnCountToBeBetween(min_value=number, max_value=draw(LENGTHS)),
        lambda: gxe.ExpectTableColumnsToMatchOrderedList(column_list=draw(st.just(names) | st.just(some))),
        lambda: gxe.ExpectTableColumnsToMatchSet(column_set=some, exact_match=draw(FLAGS)),
        lambda: gxe.ExpectColumnToExist(column=draw(st.sampled_from([*names, "nope"])), column_index=number),
        lambda: gxe.ExpectColumnToExist(column=draw(st.sampled_from([*names, "nope"]))),
        lambda: gxe.ExpectColumnValuesToBeUnique(column="nope"),
    ]
    return draw(st.sampled_from(choices))()
