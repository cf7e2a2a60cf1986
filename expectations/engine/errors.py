"""What a caller of the engine may have to handle, beside GX's own exceptions."""

from __future__ import annotations

from great_expectations.datasource.fluent.interfaces import TestConnectionError


class NotRowLevelError(ValueError):
    """The expectation judges a table or a column as a whole, so no row can be named as unexpected."""


class AssetError(TestConnectionError):
    """The files of an asset are not there, or cannot be read.

    Attributes:
        asset: name of datasource and asset.
    """

    def __init__(self, asset: str, problem: str) -> None:
        super().__init__(f"{asset}: {problem}")
        self.asset = asset


class QueryError(ValueError):
    """A query in SQL cannot be answered.

    Attributes:
        query: its text, as it was run.
    """

    def __init__(self, query: str, problem: str) -> None:
        super().__init__(f"{problem} Query: {query}")
        self.query = query


class RowConditionError(ValueError):
    """A `row_condition` cannot be turned into a Polars expression."""


class SuiteFileError(ValueError):
    """A suite file is not a valid GX suite.

    Attributes:
        path: the file as it was given.
        index: position of the faulty expectation, counted from 0, or None when the file itself is at fault.
    """

    def __init__(self, path: str, problem: str, index: int | None = None) -> None:
        where = path if index is None else f"{path}: expectation {index}"
        super().__init__(f"{where}: {problem}")
        self.path = path
        self.index = index
