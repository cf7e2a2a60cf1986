"""GX's words for its results, for every expectation that it ships."""

import great_expectations.expectations as gxe
import pytest
from great_expectations.expectations.expectation import Expectation
from markupsafe import Markup

from tasks.publish.gx_content import render_content, render_result

HOSTILE = "<script>alert(1)</script>"
ARGUMENTS = {
    "column": HOSTILE,
    "column_A": HOSTILE,
    "column_B": "b",
    "column_list": [HOSTILE, "b"],
    "column_set": [HOSTILE],
    "column_index": 1,
    "value_set": [HOSTILE, 1],
    "value_pairs_set": [[1, HOSTILE]],
    "min_value": 0,
    "max_value": 10,
    "value": 3,
    "regex": HOSTILE,
    "regex_list": [HOSTILE],
    "like_pattern": HOSTILE,
    "like_pattern_list": [HOSTILE],
    "type_": "int",
    "type_list": [HOSTILE],
    "strftime_format": "%Y",
    "json_schema": {"pattern": HOSTILE},
    "quantile_ranges": {"quantiles": [0.5], "value_ranges": [[0, 9]]},
    "threshold": 3,
    "double_sided": True,
    "sum_total": 10,
    "unexpected_rows_query": f"SELECT '{HOSTILE}' FROM {{batch}}",
    "other_table_name": HOSTILE,
    "base_query": f"SELECT '{HOSTILE}'",
    "comparison_data_source_name": HOSTILE,
    "comparison_query": f"SELECT '{HOSTILE}'",
    "mostly": 0.9,
}
UNEXPECTED = {
    "element_count": 4,
    "unexpected_count": 1,
    "unexpected_percent": 25.0,
    "partial_unexpected_list": [HOSTILE],
    "partial_unexpected_counts": [{"value": HOSTILE, "count": 1}],
    "observed_value": HOSTILE,
}
SHIPPED = sorted(
    {
        expectation
        for expectation in vars(gxe).values()
        if isinstance(expectation, type)
        and issubclass(expectation, Expectation)
        and expectation.expectation_type
    },
    key=lambda expectation: expectation.__name__,
)


@pytest.mark.parametrize("expectation", SHIPPED, ids=lambda expectation: expectation.__name__)
def test_every_shipped_expectation_renders_without_live_values(expectation: type[Expectation]) -> None:
    names = expectation.model_fields if hasattr(expectation, "model_fields") else expectation.__fields__
    kwargs = {name: value for name, value in ARGUMENTS.items() if name in names}
    config = {"type": expectation.expectation_type, "kwargs": kwargs, "meta": {}}
    rendered = render_result({"success": False, "expectation_config": config, "result": UNEXPECTED})
    assert "<script" not in "".join(rendered)
    assert rendered.sentence


def test_parameter_is_not_expanded_twice() -> None:
    block = {
        "content_block_type": "string_template",
        "string_template": {"template": "$a costs $$5 of $b", "params": {"a": "$b", "b": "<x>"}},
    }
    assert render_content(block).striptags() == "$b costs $$5 of <x>"


def test_parts_of_a_compound_value_are_kept_apart() -> None:
    assert render_content(["EWR", 46, None]) == Markup("EWR, 46, <i>null</i>")


def test_json_schema_is_shown_as_it_is_written() -> None:
    config = {
        "type": "expect_column_values_to_match_json_schema",
        "kwargs": {"column": "doc", "json_schema": {"pattern": "<b>"}},
        "meta": {},
    }
    sentence = render_result({"success": True, "expectation_config": config, "result": {}}).sentence
    assert "&lt;b&gt;" in sentence
    assert "&amp;lt;" not in sentence


def test_content_that_is_not_drawn_is_named() -> None:
    assert "graph" in render_content({"content_block_type": "graph", "graph": {}})
