"""The vocabulary in which a pipeline is declared.

Every model is frozen and forbids unknown fields, so that a mistyped word is an error at import and not a
silent default. A pipeline file in `flows/pipelines/` holds one `pipeline = Pipeline(...)`.
"""

from tasks.pipeline.incremental import Incremental
from tasks.pipeline.paging import Header, PageNumber
from tasks.pipeline.pipeline import Frames, Pipeline, Transform
from tasks.pipeline.report import Report
from tasks.pipeline.resource import Resource
from tasks.pipeline.source import Bearer, RateLimit, RestApi
from tasks.pipeline.table import Table

__all__ = [
    "Bearer",
    "Frames",
    "Header",
    "Incremental",
    "PageNumber",
    "Pipeline",
    "RateLimit",
    "Report",
    "Resource",
    "RestApi",
    "Table",
    "Transform",
]
