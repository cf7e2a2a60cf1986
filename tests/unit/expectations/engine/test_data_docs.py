"""The page that GX builds of a validation shows the same for Polars as for pandas."""

from __future__ import annotations

import difflib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import great_expectations as gx
import polars as pl
from great_expectations.checkpoint.actions import UpdateDataDocsAction
from great_expectations.core import ExpectationSuite

from expectations.engine.to_pandas import to_pandas
from tests.unit.expectations.engine.frames import MIXED, aggregates, gxe, row_level

# Without nulls among integers, which pandas makes floats of, and with one null among floats, since pandas
# counts each for itself. Pairs of numbers with nulls are left out too. See docs/engine.md.
FRAME = MIXED.with_columns(pl.col("i", "f").fill_null(5))
_NULLS_BESIDE_NUMBERS = "f"


def suite() -> ExpectationSuite:
    expectations: Any = [
        *row_level(),
        *aggregates(),
        *divergences(),
        gxe.ExpectColumnToExist(column="missing"),
    ]
    return ExpectationSuite(name="suite", expectations=[each for each in expectations if is_comparable(each)])


def divergences() -> list[Any]:
    """Expectations that are shown as charts: met, missed, of bins, and of any distribution."""
    met = {"values": ["x", "y"], "weights": [0.6, 0.4]}
    missed = {"values": ["x", "y", "z"], "weights": [0.2, 0.2, 0.6]}
    bins = {"bins": [-1, 0, 1, 2, 3], "weights": [0.1, 0.4, 0.3, 0.2]}
    expected = {"tail_weight_holdout": 0.01, "internal_weight_holdout": 0.01}
    divergence = gxe.ExpectColumnKLDivergenceToBeLessThan
    return [
        divergence(column="g", partition_object=met, threshold=0.1),
        divergence(column="g", partition_object=missed, threshold=0.1),
        divergence(column="j", partition_object=bins, threshold=0.1, **expected),
        divergence(column="j", partition_object=None),
    ]


def is_comparable(expectation: Any) -> bool:
    """GX on pandas cannot store the result of quantiles."""
    is_of_quantiles = expectation.expectation_type == "expect_column_quantile_values_to_be_between"
    return not is_of_quantiles and not pairs_nulls_with_numbers(expectation)


def pairs_nulls_with_numbers(expectation: Any) -> bool:
    columns = getattr(expectation, "column_list", None) or [
        getattr(expectation, name, None) for name in ("column_A", "column_B")
    ]
    return _NULLS_BESIDE_NUMBERS in columns


def build_page(kind: str, frame: Any, folder: Path) -> Path:
    context: Any = gx.get_context(mode="file", project_root_dir=folder)
    context.variables.progress_bars = {"globally": False}
    asset = getattr(context.data_sources, f"add_{kind}")("frames").add_dataframe_asset("rows")
    definition = gx.ValidationDefinition(
        name="rows",
        data=asset.add_batch_definition_whole_dataframe("whole"),
        suite=context.suites.add(suite()),
    )
    checkpoint = gx.Checkpoint(
        name="rows",
        validation_definitions=[context.validation_definitions.add(definition)],
        actions=[UpdateDataDocsAction(name="pages")],
        result_format="COMPLETE",
    )
    context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": frame})
    [page] = folder.rglob("validations/**/frames-rows.html")
    return page


class _Text(HTMLParser):
    """What a reader sees."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        del attrs
        self._hidden += tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.lines.append(" ".join(data.split()))


def shown(page: Path) -> list[str]:
    """The text of a page, less what differs between any two runs and the names of the engines."""
    parser = _Text()
    parser.feed(page.read_text(encoding="utf-8"))
    text = "\n".join(parser.lines)
    text = re.sub(r"pandas_data_fingerprint\n\w+\n", "", text)
    text = re.sub(r"\d{4}-?\d\d-?\d\dT\d\d:?\d\d:?\d\d(\.\d+)?Z", "TIME", text)
    text = re.sub(r"df\.filter\(items=(\[.*\]), axis=0\)|df\[(\[.*\])\]", r"rows \1\2", text)
    text = re.sub(r"\b(Pandas|Polars)DataFrame\b", "DataFrame", text)
    return re.sub(r"\bNaT\b|\bnan\b", "null", text).splitlines()


def charts(page: Path) -> list[str]:
    """The charts that a page has drawn in the browser."""
    return re.findall(r"vlSpec = (.*)", page.read_text(encoding="utf-8"))


def test_the_page_of_a_run_on_polars_shows_what_that_on_pandas_shows(tmp_path: Path) -> None:
    our_page = build_page("polars", FRAME, tmp_path / "polars")
    their_page = build_page("pandas", to_pandas(FRAME), tmp_path / "pandas")
    ours, theirs = shown(our_page), shown(their_page)
    assert len(theirs) > 500
    assert list(difflib.unified_diff(theirs, ours, "pandas", "polars", n=1)) == []
    assert len(charts(their_page)) == 7
    assert charts(our_page) == charts(their_page)
