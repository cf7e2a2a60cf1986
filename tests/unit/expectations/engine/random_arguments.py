"""Arguments of expectations, as suites have them: columns, values, bounds, conditions, result formats."""

from __future__ import annotations

from typing import Any

from great_expectations.expectations.row_conditions import Column
from hypothesis import strategies as st

from tests.unit.expectations.engine.random_frames import KINDS, Sample

Draw = st.DrawFn
ANY = ("number", "text", "bool", "moment", "time", "duration", "nested", "other")

IN_SUITES = [0, 1, -1, 2.5, 1.1, True, "a", "", "12", "2024-02-29", "2024-02-29 12:00:00", "x", None, 10**20]
MOSTLY = st.sampled_from([1, 1, 0.5, 0, 0.9])
FLAGS = st.sampled_from([None, True, False])
REGEXES = [
    "a",
    "^a",
    "b$",
    r"^\d+$",
    r"(?=b)",
    r"(a)\1",
    "(",
    "é",
    r"\.",
    "^$",
    "(?i)A",
    r"\bA\b",
    "[",
    ".*",
]
FORMATS = ["%Y-%m-%d", "%d", "%H:%M", "%d.%m.%Y", "%Y", ""]
SCHEMAS = [
    {"type": "object"},
    {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    {"type": "integer"},
    {},
]
TYPES = [
    "int",
    "int64",
    "Int64",
    "float",
    "float64",
    "str",
    "string",
    "object",
    "bool",
    "datetime64",
    "date",
]
LENGTHS = st.none() | st.integers(0, 3)
CONDITIONS = [
    Column("g") == "x",
    Column("n") > 0,
    Column("n") != 1,
    (Column("g") == "x") & (Column("n") <= 2),
    (Column("g") == "y") | (Column("n") < 0),
    Column("a").is_not_null(),
    Column("a").is_null(),
    Column("n").is_in([0, 1, 2]),
    Column("g").is_not_in(["x"]),
    'g == "x"',
    "n > 0 and g != 'y'",
    "n in [0, 1]",
    "not (n == 1) | g == 'x'",
    "a.notnull()",
]

RESULT_FORMATS = st.sampled_from(
    [
        "BOOLEAN_ONLY",
        "BASIC",
        "SUMMARY",
        "COMPLETE",
        {"result_format": "COMPLETE"},
        {"result_format": "SUMMARY", "partial_unexpected_count": 2},
        {"result_format": "BASIC", "partial_unexpected_count": 0},
        {"result_format": "COMPLETE", "unexpected_index_column_names": ["n", "g"]},
        {"result_format": "SUMMARY", "unexpected_index_column_names": ["n"]},
        {
            "result_format": "COMPLETE",
            "unexpected_index_column_names": ["n"],
            "exclude_unexpected_values": True,
        },
        {"result_format": "BASIC", "include_unexpected_rows": True},
        {
            "result_format": "COMPLETE",
            "include_unexpected_rows": True,
            "return_unexpected_index_query": False,
        },
        {"result_format": "BOOLEAN_ONLY", "return_unexpected_index_query": True},
    ]
)


def draw_column(draw: Draw, sample: Sample, *families: str) -> str:
    """A column of a family, now and then of any."""
    fitting = [name for name, kind in sample.kinds.items() if KINDS[kind].family in families]
    if not fitting or draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(list(sample.kinds)))
    return draw(st.sampled_from(fitting))


def draw_value(draw: Draw, sample: Sample, column: str) -> Any:
    """A value as a suite would name it for this column, now and then any."""
    kind = KINDS[sample.kinds[column]]
    if draw(st.integers(0, 5)) == 0 or kind.family in {"nested", "other"}:
        return draw(st.sampled_from(IN_SUITES))
    value = draw(kind.cells)
    if kind.family == "moment" and draw(st.booleans()):
        return value.isoformat()
    if kind.family in {"duration", "time"}:
        return str(value)
    return float(value) if sample.kinds[column] == "decimal" else value


def draw_values(draw: Draw, sample: Sample, column: str) -> list[Any]:
    return [draw_value(draw, sample, column) for _ in range(draw(st.integers(0, 4)))]


def draw_bounds(draw: Draw, sample: Sample, column: str) -> dict[str, Any]:
    low = draw_value(draw, sample, column) if draw(st.booleans()) else None
    high = draw_value(draw, sample, column) if draw(st.booleans()) else None
    return {
        "min_value": low,
        "max_value": high,
        "strict_min": draw(st.booleans()),
        "strict_max": draw(st.booleans()),
    }


def draw_number_bounds(draw: Draw) -> dict[str, Any]:
    bounds = st.none() | st.integers(-1, 4) | st.sampled_from([0.5, 0.0, 1.0])
    return {
        "min_value": draw(bounds),
        "max_value": draw(bounds),
        "strict_min": draw(st.booleans()),
        "strict_max": draw(st.booleans()),
    }


def draw_condition(draw: Draw) -> dict[str, Any]:
    """A row condition, one time in three."""
    if draw(st.integers(0, 2)):
        return {}
    condition = draw(st.sampled_from(CONDITIONS))
    return {"row_condition": condition} | (
        {"condition_parser": "pandas"} if isinstance(condition, str) else {}
    )


def draw_rows(draw: Draw) -> dict[str, Any]:
    return {"mostly": draw(MOSTLY), **draw_condition(draw)}
