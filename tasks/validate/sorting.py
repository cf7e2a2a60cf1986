"""Sort rows into clean and diverted ones."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
from great_expectations.core import ExpectationValidationResult
from great_expectations.expectations.expectation import Expectation

from expectations.engine import unexpected_rows_expr
from expectations.engine.preparing import prepare
from tasks.validate.quarantine import state_reason, with_reasons
from tasks.validate.suites import GatedSuite

FLAG = "__assay_unexpected_{}"


def sort_rows(
    suite: GatedSuite,
    remaining: pl.LazyFrame,
    results: Sequence[ExpectationValidationResult],
    clean_file: Path,
) -> tuple[pl.LazyFrame, pl.DataFrame]:
    """Divert the rows that any expectation flags, with the reasons; a verdict of null does not flag.

    The clean rows are written in the same pass, so that whoever reads them asks for no verdict again. Where
    no row is flagged, nothing is written: the clean rows are the remaining ones.

    Args:
        suite: says which expectations divert.
        remaining: the rows.
        results: what was found of the suite's diverting expectations, in their order.
        clean_file: where the clean rows go.
    """
    flagging = [
        diverting.expectation
        for diverting, result in zip(suite.diverting, results, strict=True)
        if result.result.get("unexpected_count")  # an expectation that erred has none
    ]
    if not flagging:
        return remaining, with_reasons(remaining.head(0).collect(), [])
    schema = remaining.collect_schema()
    flags = {
        FLAG.format(position): unexpected_rows_expr(prepare(expectation, suite.parameters), schema)
        for position, expectation in enumerate(flagging)
    }
    diverted = _part(remaining.with_columns(**flags), list(flags), clean_file)
    diverted = with_reasons(diverted, _reasons(flags, flagging)).drop(list(flags))
    return pl.scan_parquet(clean_file, glob=False), diverted


def _part(flagged: pl.LazyFrame, flags: list[str], clean_file: Path) -> pl.DataFrame:
    """Write the rows without a flag, and give those with one, in one pass."""
    is_unexpected = pl.any_horizontal(flags)
    clean = flagged.filter(~is_unexpected).drop(flags)
    writing = clean.sink_parquet(clean_file, compression="lz4", lazy=True)
    _, diverted = pl.collect_all([writing, flagged.filter(is_unexpected)], engine="streaming")
    return diverted


def _reasons(flags: dict[str, pl.Expr], flagging: Sequence[Expectation]) -> list[pl.Expr]:
    return [
        pl.when(flag).then(pl.lit(state_reason(expectation)))
        for flag, expectation in zip(flags, flagging, strict=True)
    ]
