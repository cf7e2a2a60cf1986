"""What can be validated through the Polars datasource: frames in memory, and files that Polars scans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import polars as pl
from great_expectations.compatibility import pydantic
from great_expectations.core.batch import LegacyBatchDefinition
from great_expectations.core.batch_spec import PathBatchSpec, RuntimeDataBatchSpec
from great_expectations.core.id_dict import BatchSpec, IDDict
from great_expectations.datasource.fluent.batch_identifier_util import make_batch_identifier
from great_expectations.datasource.fluent.batch_request import BatchRequest
from great_expectations.datasource.fluent.constants import _DATA_CONNECTOR_NAME
from great_expectations.datasource.fluent.interfaces import Batch, DataAsset
from great_expectations.exceptions.exceptions import BuildBatchRequestError

from expectations.engine.errors import AssetError
from expectations.engine.paths import Path, batch_parameters, check_path, fill_in, plain_path
from expectations.engine.scanning import check_options, scan

Frame = pl.DataFrame | pl.LazyFrame

# GX names the batch parameter of frames so, and looks for it by this name.
_FRAME = "dataframe"


class PolarsAsset(DataAsset):  # type: ignore[type-arg]  # generic over partitioners, of which it has none
    """One batch of rows: a frame, or what a path leads to.

    Not abstract, and open to any field: GX loads each asset as this class first, then looks at its `type`.
    """

    type: str

    class Config:
        """See above."""

        extra = pydantic.Extra.allow

    def read(self, options: Mapping[str, Any]) -> Frame:
        """The rows that batch parameters stand for."""
        raise NotImplementedError

    def describe(self, options: Mapping[str, Any]) -> BatchSpec:
        """What the result's meta says about where the rows came from."""
        raise NotImplementedError

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Refuse batch parameters that name no batch.

        Raises:
            BuildBatchRequestError: they say too little or too much.
        """
        wanted, given = self.get_batch_parameters_keys(), tuple(options)
        if set(wanted) != set(given):
            raise BuildBatchRequestError(
                message=f"batch_parameters of asset {self.name!r} are {_list(wanted)}, not {_list(given)}."
            )

    @property
    def context_name(self) -> str:
        """Where it belongs, for messages."""
        return f"{self.datasource.name}.{self.name}"

    def test_connection(self) -> None:
        """Nothing to connect to."""

    def get_batch_identifiers_list(self, batch_request: BatchRequest[Any]) -> list[dict[str, Any]]:
        """One batch."""
        return [IDDict(batch_request.options)]

    def build_batch_request(
        self, options: dict[str, Any] | None = None, batch_slice: Any = None, partitioner: Any = None
    ) -> BatchRequest[Any]:
        """Ask for the one batch that batch parameters stand for.

        Raises:
            BuildBatchRequestError: the batch parameters are not those of the asset, or only a part is wanted.
        """
        if batch_slice is not None or partitioner is not None:
            raise BuildBatchRequestError(
                message=f"Asset {self.name!r} is one batch: it has no batch_slice and no partitioner."
            )
        self.check_options(options or {})
        return BatchRequest(
            datasource_name=self.datasource.name, data_asset_name=self.name, options=options or {}
        )

    def _validate_batch_request(self, batch_request: BatchRequest[Any]) -> None:
        self.check_options(batch_request.options)

    def get_batch(self, batch_request: BatchRequest[Any]) -> Batch:
        """Make the batch of a request, with an execution engine of its own."""
        self._validate_batch_request(batch_request)
        options = batch_request.options
        frame = RuntimeDataBatchSpec(batch_data=self.read(options))
        data, markers = self.datasource.get_execution_engine().get_batch_data_and_markers(batch_spec=frame)
        return Batch(
            datasource=self.datasource,
            data_asset=self,
            batch_request=batch_request,
            data=data,
            metadata=self._get_batch_metadata_from_batch_request(batch_request, ignore_options=(_FRAME,)),
            batch_markers=markers,
            batch_spec=self.describe(options),
            batch_definition=LegacyBatchDefinition(
                datasource_name=self.datasource.name,
                data_connector_name=_DATA_CONNECTOR_NAME,
                data_asset_name=self.name,
                batch_identifiers=make_batch_identifier(options),
                batch_spec_passthrough=None,
            ),
        )


class PolarsDataFrameAsset(PolarsAsset):
    """A frame in memory or a query, handed over with each run: `batch_parameters={"dataframe": frame}`."""

    type: Literal["dataframe"] = "dataframe"

    class Config:
        """Refuse settings that do not exist."""

        extra = pydantic.Extra.forbid

    def get_batch_parameters_keys(self, partitioner: Any = None) -> tuple[str, ...]:
        """Names of the batch parameters."""
        del partitioner
        return (_FRAME,)

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Refuse anything but one Polars frame.

        Raises:
            BuildBatchRequestError: there is none.
        """
        if set(options) != {_FRAME} or not isinstance(options[_FRAME], (pl.DataFrame, pl.LazyFrame)):
            given = ", ".join(f"{key}: {type(value).__name__}" for key, value in options.items())
            raise BuildBatchRequestError(
                message=f"batch_parameters of asset {self.name!r} must be {{'{_FRAME}': a Polars frame}}, "
                f"not {{{given}}}."
            )

    def read(self, options: Mapping[str, Any]) -> Frame:
        """The frame that was handed over."""
        frame: Frame = options[_FRAME]
        return frame

    def describe(self, options: Mapping[str, Any]) -> BatchSpec:
        """It has no origin that could be named."""
        del options
        return RuntimeDataBatchSpec(batch_data="PolarsDataFrame")

    def add_batch_definition_whole_dataframe(self, name: str) -> Any:
        """Add the batch definition that a `ValidationDefinition` needs."""
        return self.add_batch_definition(name=name, partitioner=None)


class PolarsPathAsset(PolarsAsset):
    """Files that a Polars scan function reads: a path, a folder, a glob, a URL, or a list of these.

    Attributes:
        path: relative ones count from the working directory. `{name}` in it is a batch parameter, and `$NAME`
            is filled in from GX's configuration variables or the environment.
        scan_options: keyword arguments of the scan function; types as text, `$NAME` as above.
    """

    path: str | list[str]
    scan_options: dict[str, Any] = {}  # noqa: RUF012  (Pydantic copies it)

    class Config:
        """Refuse settings that do not exist."""

        extra = pydantic.Extra.forbid

    @pydantic.validator("path", pre=True)
    def _plain_path(cls, path: Any) -> Path:  # noqa: N805  (Pydantic calls it with the class)
        return plain_path(path)

    @pydantic.validator("scan_options", pre=True)
    def _check_options(cls, options: Any) -> dict[str, Any]:  # noqa: N805  (Pydantic calls it with the class)
        return check_options(cls.__fields__["type"].default, options or {})

    def get_batch_parameters_keys(self, partitioner: Any = None) -> tuple[str, ...]:
        """Names in braces in the path."""
        del partitioner
        return batch_parameters(self._configured(self.path))

    def test_connection(self) -> None:
        """Look whether there is something at the path.

        Raises:
            AssetError: there is nothing. A path with batch parameters, or a URL, is not looked at.
        """
        if not self.get_batch_parameters_keys():
            check_path(self.context_name, fill_in(self._configured(self.path), {}))

    def read(self, options: Mapping[str, Any]) -> Frame:
        """Scan the files, their schema included.

        Raises:
            AssetError: there are none, or they cannot be read so.
        """
        path = fill_in(self._configured(self.path), options)
        check_path(self.context_name, path)
        try:
            frame = scan(self.type, path, self._configured(self.scan_options))
            frame.collect_schema()
        except (OSError, ValueError, TypeError, pl.exceptions.PolarsError) as exc:
            raise AssetError(self.context_name, f"{path!r} cannot be read as {self.type}: {exc}") from exc
        return frame

    def describe(self, options: Mapping[str, Any]) -> BatchSpec:
        """Path and options as they are declared: secrets are filled in only where they are used."""
        path = fill_in(self.path, options, configured=False)
        return PathBatchSpec(
            path=path if isinstance(path, str) else ", ".join(path),
            reader_method=f"scan_{self.type}",
            reader_options=self.scan_options,
        )

    def add_batch_definition_whole_path(self, name: str) -> Any:
        """Add the batch definition that a `ValidationDefinition` needs: all files, as one batch."""
        return self.add_batch_definition(name=name, partitioner=None)

    def _configured(self, value: Any) -> Any:
        """Fill in `$NAME`, as GX does in its own configuration."""
        provider = self.datasource._config_provider  # noqa: SLF001  (GX has no other way to it)
        return value if provider is None else provider.substitute_config(value)


class PolarsParquetAsset(PolarsPathAsset):
    """Parquet files."""

    type: Literal["parquet"] = "parquet"


class PolarsCSVAsset(PolarsPathAsset):
    """CSV files."""

    type: Literal["csv"] = "csv"


class PolarsNDJSONAsset(PolarsPathAsset):
    """Files of one JSON object a line."""

    type: Literal["ndjson"] = "ndjson"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(map(repr, names)) or "none"
