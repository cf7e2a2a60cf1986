"""The Prefect task of the publish step."""

from tasks.handover import LoadLine, LoadReport
from tasks.ports import Audience, Helper
from tasks.publish.reports import tell_people
from tasks.retrying import retried_task


@retried_task("publish {report.status}")
def publish(report: LoadReport, lines: list[LoadLine], audience: Audience, helper: Helper) -> dict[str, str]:
    """Write the report pages, post the artifact, send the events."""
    return tell_people(report, lines, audience, helper)
