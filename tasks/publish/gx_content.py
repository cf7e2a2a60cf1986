"""Great Expectations' own words for a result, as safe HTML.

GX renders a result to a tree of content blocks (its words, numbers and tables), and those to HTML. The
words are taken and the HTML is not: it lets hostile column names, notes and values through, and needs 13
files from outside hosts. Import this module only where the seconds of importing GX do not matter.
"""

import html
import re
from collections.abc import Mapping, Sequence
from string import Template
from typing import Any, Final, NamedTuple

from great_expectations.core import ExpectationValidationResult
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.render.renderer.content_block.validation_results_table_content_block import (
    ValidationResultsTableContentBlockRenderer,
)
from markupsafe import Markup, escape

_TEXT_LENGTH: Final = 2000
_TABLE_ROWS: Final = 20
# GX's tags for its strings, and ours.
_ELEMENTS: Final = {
    "span": Markup("<span>{}</span>"),
    "strong": Markup("<p class=finding>{}</p>"),
    "code": Markup("<pre>{}</pre>"),
}


class RenderedResult(NamedTuple):
    """What GX says of one result: the expectation as a sentence, what was found, and the observed value."""

    sentence: Markup
    findings: Markup
    observed: Markup


def render_result(result: Mapping[str, Any]) -> RenderedResult:
    """GX's rendering of one `ExpectationValidationResult`, given as its JSON."""
    block: Any = ValidationResultsTableContentBlockRenderer.render([rebuild_result(result)])
    _status_icon, expectation, observed, *_ = block.to_json_dict()["table"][0]
    sentence, *findings = expectation if isinstance(expectation, list) else [expectation]
    return RenderedResult(render_content(sentence), render_content(findings), render_content(observed))


def rebuild_result(result: Mapping[str, Any]) -> ExpectationValidationResult:
    """The result object of which `result` is the JSON."""
    config = result["expectation_config"]
    names = ("type", "kwargs", "meta", "notes", "description", "severity")
    kwargs = {name: value for name, value in config["kwargs"].items() if name != "batch_id"}
    return ExpectationValidationResult(
        success=result["success"],
        expectation_config=ExpectationConfiguration(
            **{name: config[name] for name in names if name in config} | {"kwargs": kwargs}
        ),
        result=dict(result.get("result") or {}),
        exception_info=_complete(result.get("exception_info") or {}),
    )


def _complete(exception_info: Mapping[str, Any]) -> dict[str, Any]:
    # GX knows two shapes: the facts themselves, or the facts by metric. It reads three keys unasked.
    absent = {"raised_exception": False, "exception_message": "", "exception_traceback": ""}
    if "raised_exception" in exception_info or not exception_info:
        return {**absent, **exception_info}
    return {metric: {**absent, **info} for metric, info in exception_info.items()}


def render_content(block: Any) -> Markup:
    """A tree of GX content blocks as HTML; every text in it is escaped."""
    if isinstance(block, Mapping) and "content_block_type" in block:
        return _render_block(block)
    if isinstance(block, Sequence) and not isinstance(block, str):
        # Scalars in a list are the parts of one value, as of a compound key.
        is_value = not any(isinstance(part, Mapping | list) for part in block)
        glue = Markup(", ") if is_value else Markup("")
        return glue.join(render_content(part) for part in block)
    return _render_value(block)


def _render_block(block: Mapping[str, Any]) -> Markup:
    match block["content_block_type"]:
        case "string_template":
            return _render_string(block["string_template"])
        case "table":
            return _render_table(block)
        case "collapse":
            return Markup("<details><summary>{}</summary>{}</details>").format(
                render_content(block["collapse_toggle_link"]), render_content(block["collapse"])
            )
        case "bullet_list" | "value_list" | "text" | "markdown" as kind:
            return Markup("<p>{}</p>").format(render_content(block[kind]))
        case kind:
            return Markup("<p class=quiet>GX has a {} here, which this page does not draw.</p>").format(kind)


def _render_string(string: Mapping[str, Any]) -> Markup:
    text, tag = str(string.get("template", "")).strip(), string.get("tag", "span")
    params = string.get("params") or {}
    if params:
        # GX means two or more dollar signs literally, and `$PARAMETER` as a word.
        text = re.sub(r"\${2,}", lambda match: match[0] * 2, text).replace("$PARAMETER", "$$PARAMETER")
        values = {name: str(_render_param(name, value)) for name, value in params.items()}
        text = Template(str(escape(text))).safe_substitute(values)
    else:
        text = str(escape(text))
    return _ELEMENTS.get(tag, _ELEMENTS["span"]).format(Markup(text))  # noqa: S704 - escaped above


def _render_param(name: str, value: Any) -> Markup:
    if name == "formatted_json":
        # The one parameter that GX gives as HTML: <pre> around escaped JSON.
        return Markup("<pre>{}</pre>").format(html.unescape(re.sub(r"</?pre>", "", str(value))))
    kind = "column" if name == "column" or name.startswith("column_") else "value"
    return Markup('<span class="{}">{}</span>').format(kind, _render_value(value))


def _render_table(block: Mapping[str, Any]) -> Markup:
    rows = block["table"]
    head = Markup("").join(
        Markup("<th>{}</th>").format(render_content(c)) for c in block.get("header_row") or ()
    )
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup("<td>{}</td>").format(render_content(cell)) for cell in row)
        )
        for row in rows[:_TABLE_ROWS]
    )
    more = Markup("<p class=quiet>… and {} more</p>").format(len(rows) - _TABLE_ROWS)
    return Markup("<table class=examples><thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}").format(
        head, body, more if len(rows) > _TABLE_ROWS else ""
    )


def _render_value(value: Any) -> Markup:
    if value is None:
        return Markup("<i>null</i>")
    text = str(value)
    return escape(text if len(text) <= _TEXT_LENGTH else text[: _TEXT_LENGTH - 1] + "…")
