"""Learned schemas in the ledger: read when a load is opened, grown when it is published."""

from collections.abc import Iterable

import msgspec
from psycopg.types.json import Json

from tasks.errors import FatalError
from tasks.handover import Extracted, Load
from tasks.load.connection import Connection
from tasks.schema import Kind, LearnedSchema

_LATEST = (
    "SELECT DISTINCT ON (resource) resource, version, fields::text FROM assay.schemas "
    "WHERE pipeline = %s ORDER BY resource, version DESC"
)
_KEEP = "INSERT INTO assay.schemas (pipeline, resource, version, fields, load_id) VALUES (%s, %s, %s, %s, %s)"
_FORGET = "DELETE FROM assay.schemas WHERE pipeline = %s AND resource = %s"


def read_schemas(conn: Connection, pipeline: str) -> dict[str, LearnedSchema]:
    """The schema learned of each resource so far; a resource of which nothing was is absent."""
    return {
        str(resource): LearnedSchema(int(str(version)), msgspec.json.decode(str(fields), type=Kind))
        for resource, version, fields in conn.execute(_LATEST, (pipeline,))
    }


def keep_schemas(conn: Connection, load: Load, extracted: Iterable[Extracted]) -> None:
    """Write what this load has learned, in the transaction that publishes it.

    Raises:
        FatalError: Another load has learned something meanwhile, by which this one would have decoded
            its records differently.
    """
    now = read_schemas(conn, load.pipeline)
    if now != load.schemas:
        raise FatalError(
            f"{load.load_id} was decoded by schemas that another load has replaced since. Run the pipeline "
            "again."
        )
    for each in extracted:
        if each.learned is None:
            continue
        version = now[each.resource].version + 1 if each.resource in now else 1
        fields = Json(each.learned, dumps=msgspec.json.encode)
        conn.execute(_KEEP, (load.pipeline, each.resource, version, fields, load.load_id))


def forget_schema(conn: Connection, pipeline: str, resource: str) -> None:
    """Delete what was learned of a resource; a load that was decoded by it is refused from now on."""
    conn.execute(_FORGET, (pipeline, resource))
