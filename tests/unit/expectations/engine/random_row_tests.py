"""Expectations about single rows, with any arguments, on a random frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import great_expectations.expectations as _gxe
from hypothesis import strategies as st

from tests.unit.expectations.engine.random_arguments import (
    ANY,
    FLAGS,
    FORMATS,
    LENGTHS,
    REGEXES,
    SCHEMAS,
    Draw,
    draw_bounds,
    draw_column,
    draw_rows,
    draw_value,
    draw_values,
)
from tests.unit.expectations.engine.random_frames import KINDS, Sample

gxe: Any = _gxe  # GX does not mark its expectations as exported

Build = Callable[[Draw, Sample], Any]
ROW_LEVEL: list[Build] = []


def _row_level(build: Build) -> Build:
    ROW_LEVEL.append(build)
    return build


# ---- values of one column


@_row_level
def _not_null(draw: Draw, sample: Sample) -> Any:
    return gxe.ExpectColumnValuesToNotBeNull(column=draw_column(draw, sample, *ANY), **draw_rows(draw))


@_row_level
def _null(draw: Draw, sample: Sample) -> Any:
    return gxe.ExpectColumnValuesToBeNull(column=draw_column(draw, sample, *ANY), **draw_rows(draw))


@_row_level
def _unique(draw: Draw, sample: Sample) -> Any:
    return gxe.ExpectColumnValuesToBeUnique(column=draw_column(draw, sample, *ANY), **draw_rows(draw))


@_row_level
def _in_set(draw: Draw, sample: Sample) -> Any:
    make = draw(st.sampled_from([gxe.ExpectColumnValuesToBeInSet, gxe.ExpectColumnValuesToNotBeInSet]))
    column = draw_column(draw, sample, *ANY)
    return make(column=column, value_set=draw_values(draw, sample, column), **draw_rows(draw))


@_row_level
def _between(draw: Draw, sample: Sample) -> Any:
    column = draw_column(draw, sample, "number", "moment", "duration", "text")
    return gxe.ExpectColumnValuesToBeBetween(
        column=column, **draw_bounds(draw, sample, column), **draw_rows(draw)
    )


@_row_level
def _ordered(draw: Draw, sample: Sample) -> Any:
    make = draw(st.sampled_from([gxe.ExpectColumnValuesToBeIncreasing, gxe.ExpectColumnValuesToBeDecreasing]))
    column = draw_column(draw, sample, "number", "moment", "duration", "bool")
    return make(column=column, strictly=draw(FLAGS), **draw_rows(draw))


@_row_level
def _lengths(draw: Draw, sample: Sample) -> Any:
    column = draw_column(draw, sample, "text")
    if draw(st.booleans()):
        return gxe.ExpectColumnValueLengthsToEqual(
            column=column, value=draw(st.integers(0, 3)), **draw_rows(draw)
        )
    return gxe.ExpectColumnValueLengthsToBeBetween(
        column=column,
        min_value=draw(LENGTHS),
        max_value=draw(LENGTHS),
        strict_min=draw(st.booleans()),
        strict_max=draw(st.booleans()),
        **draw_rows(draw),
    )


@_row_level
def _regex(draw: Draw, sample: Sample) -> Any:
    make = draw(st.sampled_from([gxe.ExpectColumnValuesToMatchRegex, gxe.ExpectColumnValuesToNotMatchRegex]))
    return make(
        column=draw_column(draw, sample, "text"), regex=draw(st.sampled_from(REGEXES)), **draw_rows(draw)
    )


@_row_level
def _regex_list(draw: Draw, sample: Sample) -> Any:
    column = draw_column(draw, sample, "text")
    regexes = draw(st.lists(st.sampled_from(REGEXES), max_size=3))
    if draw(st.booleans()):
        return gxe.ExpectColumnValuesToNotMatchRegexList(column=column, regex_list=regexes, **draw_rows(draw))
    match_on = draw(st.sampled_from(["any", "all"]))
    return gxe.ExpectColumnValuesToMatchRegexList(
        column=column, regex_list=regexes, match_on=match_on, **draw_rows(draw)
    )


@_row_level
def _parsed(draw: Draw, sample: Sample) -> Any:
    column = draw_column(draw, sample, "text")
    match draw(st.integers(0, 3)):
        case 0:
            return gxe.ExpectColumnValuesToBeDateutilParseable(column=column, **draw_rows(draw))
        case 1:
            return gxe.ExpectColumnValuesToBeJsonParseable(column=column, **draw_rows(draw))
        case 2:
            schema = draw(st.sampled_from(SCHEMAS))
            return gxe.ExpectColumnValuesToMatchJsonSchema(
                column=column, json_schema=schema, **draw_rows(draw)
            )
    return gxe.ExpectColumnValuesToMatchStrftimeFormat(
        column=column, strftime_format=draw(st.sampled_from(FORMATS)), **draw_rows(draw)
    )


@_row_level
def _z_score(draw: Draw, sample: Sample) -> Any:
    return gxe.ExpectColumnValueZScoresToBeLessThan(
        column=draw_column(draw, sample, "number"),
        threshold=draw(st.sampled_from([0.5, 1, 2, -0.5])),
        double_sided=draw(st.booleans()),
        **draw_rows(draw),
    )


@_row_level
def _outliers(draw: Draw, sample: Sample) -> Any:
    return gxe.ExpectColumnValuesToNotBeOutliers(
        column=draw_column(draw, sample, "number"),
        method=draw(st.sampled_from(["iqr", "std"])),
        multiplier=draw(st.sampled_from([0.5, 1, 1.5, 3])),
        **draw_rows(draw),
    )


# ---- pairs and lists of columns


@_row_level
def _pair(draw: Draw, sample: Sample) -> Any:
    left = draw_column(draw, sample, *ANY)
    right = draw_column(draw, sample, KINDS[sample.kinds[left]].family)
    names = {"column_A": left, "column_B": right, **draw_rows(draw)}
    if draw(st.booleans()):
        ignore = ["both_values_are_missing", "either_value_is_missing", "neither"]
        names["ignore_row_if"] = draw(st.sampled_from(ignore))
    match draw(st.integers(0, 2)):
        case 0:
            return gxe.ExpectColumnPairValuesToBeEqual(**names)
        case 1:
            return gxe.ExpectColumnPairValuesAToBeGreaterThanB(or_equal=draw(FLAGS), **names)
    pairs = [
        (draw_value(draw, sample, left), draw_value(draw, sample, right))
        for _ in range(draw(st.integers(0, 3)))
    ]
    return gxe.ExpectColumnPairValuesToBeInSet(value_pairs_set=pairs, **names)


@_row_level
def _list_of_columns(draw: Draw, sample: Sample) -> Any:
    first = draw_column(draw, sample, *ANY)
    more = [
        draw_column(draw, sample, KINDS[sample.kinds[first]].family) for _ in range(draw(st.integers(1, 2)))
    ]
    names = {"column_list": list(dict.fromkeys([first, *more])), **draw_rows(draw)}
    if draw(st.booleans()):
        ignore = ["all_values_are_missing", "any_value_is_missing", "never"]
        names["ignore_row_if"] = draw(st.sampled_from(ignore))
    match draw(st.integers(0, 3)):
        case 0:
            return gxe.ExpectCompoundColumnsToBeUnique(**names)
        case 1:
            return gxe.ExpectMulticolumnSumToEqual(sum_total=draw(st.sampled_from([0, 1, 2, 3.3])), **names)
        case 2:
            return gxe.ExpectMulticolumnValuesToBeEqual(**names)
    return gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord(**names)
