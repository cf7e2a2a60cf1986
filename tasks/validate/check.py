"""Validate a file against a suite, outside any pipeline: what `assay check` does."""

import glob
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
from great_expectations import ExpectationSuite
from msgspec import Struct

from expectations.engine import validate_frame
from tasks.errors import ConfigurationError
from tasks.handover import ExpectationOutcome
from tasks.validate.outcomes import judge_diverting, judge_result
from tasks.validate.suites import find_suite, read_suite, split_suite

READERS: Mapping[str, Callable[[str], pl.LazyFrame]] = {
    ".parquet": pl.scan_parquet,
    ".csv": lambda path: pl.scan_csv(path, try_parse_dates=True, infer_schema_length=None),
    ".ndjson": lambda path: pl.scan_ndjson(path, infer_schema_length=None),
    ".jsonl": lambda path: pl.scan_ndjson(path, infer_schema_length=None),
}


class Checked(Struct, frozen=True):
    """A file's rows and what a suite says of them; `skipped` counts expectations about merged tables."""

    file: str
    suite: str
    success: bool
    rows: int
    skipped: int
    outcomes: list[ExpectationOutcome]


def check_file(path: Path, suite: str) -> Checked:
    """Validate a Parquet, CSV or NDJSON file against a suite, by name or by file.

    Expectations that would divert rows at the gate are judged with their budgets. Table-scoped ones need the
    merged tables and are skipped.

    Raises:
        ConfigurationError: The file or the suite cannot be read.
    """
    frame, rows = _scan(path)
    suite_path = Path(suite) if suite.endswith(".json") else find_suite(suite)
    split = split_suite(read_suite(suite_path), path.stem)
    expectations = [*(d.expectation for d in split.diverting), *split.judging]
    plain = ExpectationSuite(name=split.name, expectations=expectations, suite_parameters=split.parameters)
    results = validate_frame(frame, plain).results if expectations else []
    diverting = results[: len(split.diverting)]
    outcomes = [
        judge_diverting(split, d, result, rows_seen=rows)
        for d, result in zip(split.diverting, diverting, strict=True)
    ]
    outcomes += [
        judge_result(split, result, rows_seen=rows, seen="remaining")
        for result in results[len(split.diverting) :]
    ]
    success = all(outcome.state in {"passed", "quarantined"} for outcome in outcomes)
    return Checked(str(path), split.name, success, rows, len(split.checks), outcomes)


def _scan(path: Path) -> tuple[pl.LazyFrame, int]:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise ConfigurationError(
            f"{path}: a {path.suffix or 'nameless'} file is none of {', '.join(READERS)}."
        )
    if not path.is_file():
        raise ConfigurationError(f"{path}: there is no such file.")
    try:
        frame = reader(glob.escape(str(path)))
        # All columns are read once: a damaged line must not pass because nobody asks for its fields.
        rows = sum(batch.height for batch in frame.collect_batches(maintain_order=False))
    except (pl.exceptions.PolarsError, OSError) as exc:
        raise ConfigurationError(f"{path} cannot be read: {exc}") from exc
    return frame, rows
