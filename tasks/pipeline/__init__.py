"""The vocabulary in which a pipeline is declared.

Every model is frozen and forbids unknown fields, so that a mistyped word is an error at import and not a
silent default. A pipeline file in `flows/pipelines/` holds one `pipeline = Pipeline(...)`.
"""

from tasks.pipeline.auth import (
    ApiKey,
    Basic,
    Bearer,
    OAuth2,
    SecretHeaders,
    Signature,
    Signed,
    Unsigned,
)
from tasks.pipeline.incremental import Incremental, SyncToken
from tasks.pipeline.paging import (
    Cursor,
    CustomPages,
    Header,
    LastRecord,
    LinkHeader,
    NextLink,
    Offset,
    PageInfo,
    PageNumber,
    SinglePage,
)
from tasks.pipeline.parent import Parent
from tasks.pipeline.pipeline import Frames, Pipeline, Transform
from tasks.pipeline.records import (
    BodyError,
    ColumnArrays,
    CsvBody,
    GeoJsonFeatures,
    KeyedRecords,
    NdjsonBody,
    RecordList,
    RowArrays,
    SingleRecord,
)
from tasks.pipeline.report import Report
from tasks.pipeline.resource import Resource
from tasks.pipeline.source import RateLimit, RestApi
from tasks.pipeline.table import Table
from tasks.pipeline.times import CutToMicroseconds, EpochMilliseconds, EpochSeconds, Rfc2822

__all__ = [
    "ApiKey",
    "Basic",
    "Bearer",
    "BodyError",
    "ColumnArrays",
    "CsvBody",
    "Cursor",
    "CustomPages",
    "CutToMicroseconds",
    "EpochMilliseconds",
    "EpochSeconds",
    "Frames",
    "GeoJsonFeatures",
    "Header",
    "Incremental",
    "KeyedRecords",
    "LastRecord",
    "LinkHeader",
    "NdjsonBody",
    "NextLink",
    "OAuth2",
    "Offset",
    "PageInfo",
    "PageNumber",
    "Parent",
    "Pipeline",
    "RateLimit",
    "RecordList",
    "Report",
    "Resource",
    "RestApi",
    "Rfc2822",
    "RowArrays",
    "SecretHeaders",
    "Signature",
    "Signed",
    "SinglePage",
    "SingleRecord",
    "SyncToken",
    "Table",
    "Transform",
    "Unsigned",
]
