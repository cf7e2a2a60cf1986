"""A fluent GX datasource for Polars frames: `context.data_sources.add_polars("polars")`.

Defining the class is what registers it: GX gives every data context an `add_polars`, and stores and loads the
datasource by its `type`. Assets that read files belong beside `PolarsDataFrameAsset`, in `asset_types`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import polars as pl
from great_expectations.compatibility import pydantic
from great_expectations.core.batch import LegacyBatchDefinition
from great_expectations.core.batch_spec import RuntimeDataBatchSpec
from great_expectations.core.id_dict import IDDict
from great_expectations.datasource.fluent.batch_identifier_util import make_batch_identifier
from great_expectations.datasource.fluent.batch_request import BatchRequest
from great_expectations.datasource.fluent.constants import _DATA_CONNECTOR_NAME
from great_expectations.datasource.fluent.interfaces import Batch, DataAsset, Datasource
from great_expectations.exceptions.exceptions import BuildBatchRequestError

from expectations.engine.execution_engine import PolarsExecutionEngine

# GX names the batch parameter of frames so, and looks for it by this name.
_FRAME = "dataframe"


class PolarsDataFrameAsset(DataAsset):  # type: ignore[type-arg]  # generic over partitioners, of which it has none
    """A frame in memory, handed over with each run: `batch_parameters={"dataframe": frame}`."""

    type: Literal["polars_dataframe"] = "polars_dataframe"

    class Config:
        """Refuse settings that do not exist."""

        extra = pydantic.Extra.forbid

    def test_connection(self) -> None:
        """Nothing to connect to."""

    def get_batch_parameters_keys(self, partitioner: Any = None) -> tuple[str, ...]:
        """Names of the batch parameters."""
        del partitioner
        return (_FRAME,)

    def get_batch_identifiers_list(self, batch_request: BatchRequest[Any]) -> list[dict[str, Any]]:
        """One batch: the frame."""
        return [IDDict(batch_request.options)]

    def build_batch_request(
        self, options: dict[str, Any] | None = None, batch_slice: Any = None, partitioner: Any = None
    ) -> BatchRequest[Any]:
        """Ask for the batch that is this frame.

        Raises:
            BuildBatchRequestError: anything but one Polars frame was given.
        """
        if batch_slice is not None or partitioner is not None:
            raise BuildBatchRequestError(message="A frame has no batch_slice and no partitioner.")
        if (
            not options
            or set(options) != {_FRAME}
            or not isinstance(options[_FRAME], (pl.DataFrame, pl.LazyFrame))
        ):
            raise BuildBatchRequestError(message=f"options must be {{'{_FRAME}': a Polars frame}}.")
        return BatchRequest(datasource_name=self.datasource.name, data_asset_name=self.name, options=options)

    def _validate_batch_request(self, batch_request: BatchRequest[Any]) -> None:
        self.build_batch_request(batch_request.options)

    def get_batch(self, batch_request: BatchRequest[Any]) -> Batch:
        """Load the frame of a request into the engine."""
        self._validate_batch_request(batch_request)
        spec = RuntimeDataBatchSpec(batch_data=batch_request.options[_FRAME])
        data, markers = self.datasource.get_execution_engine().get_batch_data_and_markers(batch_spec=spec)
        return Batch(
            datasource=self.datasource,
            data_asset=self,
            batch_request=batch_request,
            data=data,
            metadata=self._get_batch_metadata_from_batch_request(batch_request, ignore_options=(_FRAME,)),
            batch_markers=markers,
            batch_spec=spec,
            batch_definition=LegacyBatchDefinition(
                datasource_name=self.datasource.name,
                data_connector_name=_DATA_CONNECTOR_NAME,
                data_asset_name=self.name,
                batch_identifiers=make_batch_identifier(batch_request.options),
                batch_spec_passthrough=None,
            ),
        )

    def add_batch_definition_whole_dataframe(self, name: str) -> Any:
        """Add the batch definition that a `ValidationDefinition` needs."""
        return self.add_batch_definition(name=name, partitioner=None)


# Inside of a datasource `type` is the field that GX stores.
ExecutionEngineType = type[PolarsExecutionEngine]


class PolarsDatasource(Datasource):  # type: ignore[type-arg]  # generic over engines; its engine is below
    """A datasource whose assets are Polars frames."""

    asset_types: ClassVar[Sequence[type[DataAsset]]] = [PolarsDataFrameAsset]  # type: ignore[type-arg]  # as above

    type: Literal["polars"] = "polars"
    assets: list[PolarsDataFrameAsset] = []  # noqa: RUF012  (Pydantic copies it)

    @property
    def execution_engine_type(self) -> ExecutionEngineType:
        """The engine that its batches are validated with."""
        return PolarsExecutionEngine

    def test_connection(self, test_assets: bool = True) -> None:
        """Nothing to connect to."""

    def add_dataframe_asset(
        self, name: str, batch_metadata: dict[str, Any] | None = None
    ) -> PolarsDataFrameAsset:
        """Add an asset for frames that are handed over with each run."""
        asset = PolarsDataFrameAsset(name=name, batch_metadata=batch_metadata or {})
        added: PolarsDataFrameAsset = self._add_asset(asset)
        return added
