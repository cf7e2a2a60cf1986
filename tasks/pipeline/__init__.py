"""The vocabulary in which a pipeline is declared.

Every model is frozen and forbids unknown fields, so that a mistyped word is an error at import and not a
silent default. A pipeline file in `flows/pipelines/` holds one `pipeline = Pipeline(...)`.
"""

from tasks.pipeline.incremental import Incremental
from tasks.pipeline.paging import Header, PageNumber
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
from tasks.pipeline.source import Bearer, RateLimit, RestApi
from tasks.pipeline.table import Table

__all__ = [
    "Bearer",
    "BodyError",
    "ColumnArrays",
    "CsvBody",
    "Frames",
    "GeoJsonFeatures",
    "Header",
    "Incremental",
    "KeyedRecords",
    "NdjsonBody",
    "PageNumber",
    "Pipeline",
    "RateLimit",
    "RecordList",
    "Report",
    "Resource",
    "RestApi",
    "RowArrays",
    "SingleRecord",
    "Table",
    "Transform",
]
