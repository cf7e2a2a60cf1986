"""A fluent GX datasource for Polars: `context.data_sources.add_polars("polars")`.

Defining the class is what registers it: GX gives every data context an `add_polars`, and stores and loads the
datasource by its `type`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Literal, TypeVar

from great_expectations.datasource.fluent.interfaces import DataAsset, Datasource

from expectations.engine.assets import (
    PolarsAsset,
    PolarsCSVAsset,
    PolarsDataFrameAsset,
    PolarsNDJSONAsset,
    PolarsParquetAsset,
    PolarsPathAsset,
)
from expectations.engine.execution_engine import PolarsExecutionEngine
from expectations.engine.paths import Path

# Inside of a datasource `type` is the field that GX stores.
ExecutionEngineType = type[PolarsExecutionEngine]
PathAsset = TypeVar("PathAsset", bound=PolarsPathAsset)
Metadata = dict[str, Any] | None


class PolarsDatasource(Datasource):  # type: ignore[type-arg]  # generic over engines; its engine is below
    """A datasource whose assets are Polars frames, or files that Polars scans.

    Validations at the same time never see each other: each batch has an execution engine of its own.
    """

    asset_types: ClassVar[Sequence[type[DataAsset]]] = [  # type: ignore[type-arg]  # as above
        PolarsDataFrameAsset,
        PolarsParquetAsset,
        PolarsCSVAsset,
        PolarsNDJSONAsset,
    ]

    type: Literal["polars"] = "polars"
    assets: list[PolarsAsset] = []  # noqa: RUF012  (Pydantic copies it)

    @property
    def execution_engine_type(self) -> ExecutionEngineType:
        """The engine that its batches are validated with."""
        return PolarsExecutionEngine

    def get_execution_engine(self) -> PolarsExecutionEngine:
        """A new engine. GX shares one among all runs on a datasource, which then answer for each other."""
        return PolarsExecutionEngine()

    def test_connection(self, test_assets: bool = True) -> None:
        """Look whether its files are there.

        Raises:
            AssetError: those of an asset are not.
        """
        for asset in self.assets if test_assets else ():
            asset._datasource = self  # noqa: SLF001  (as GX does before it tests)
            asset.test_connection()

    def add_dataframe_asset(self, name: str, batch_metadata: Metadata = None) -> PolarsDataFrameAsset:
        """Add an asset for frames (`pl.DataFrame`, `pl.LazyFrame`) that are handed over with each run."""
        asset = PolarsDataFrameAsset(name=name, batch_metadata=batch_metadata or {})
        added: PolarsDataFrameAsset = self._add_asset(asset)
        return added

    def add_parquet_asset(
        self, name: str, path: Path, *, batch_metadata: Metadata = None, **scan_options: Any
    ) -> PolarsParquetAsset:
        """Add Parquet files; options are those of `polars.scan_parquet`.

        Raises:
            AssetError: there is nothing at the path.
            ValidationError: Polars has no such option, or a configuration file could not hold its value.
        """
        return self._add_path(PolarsParquetAsset, name, path, batch_metadata, scan_options)

    def add_csv_asset(
        self, name: str, path: Path, *, batch_metadata: Metadata = None, **scan_options: Any
    ) -> PolarsCSVAsset:
        """Add CSV files; options are those of `polars.scan_csv`. Raises as `add_parquet_asset`."""
        return self._add_path(PolarsCSVAsset, name, path, batch_metadata, scan_options)

    def add_ndjson_asset(
        self, name: str, path: Path, *, batch_metadata: Metadata = None, **scan_options: Any
    ) -> PolarsNDJSONAsset:
        """Add JSON lines; options are those of `polars.scan_ndjson`. Raises as `add_parquet_asset`."""
        return self._add_path(PolarsNDJSONAsset, name, path, batch_metadata, scan_options)

    def _add_path(
        self,
        kind: Callable[..., PathAsset],
        name: str,
        path: Path,
        metadata: Metadata,
        options: dict[str, Any],
    ) -> PathAsset:
        asset = kind(name=name, path=path, batch_metadata=metadata or {}, scan_options=options)
        added: PathAsset = self._add_asset(asset)
        return added
