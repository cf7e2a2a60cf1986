"""The learned schemas of a pipeline, for people: looked at, and forgotten."""

from tasks.errors import ConfigurationError
from tasks.load import ledger
from tasks.load.connection import hold_pipeline, open_connection, resolve_dsn
from tasks.load.schemas import forget_schema, read_schemas
from tasks.schema import LearnedSchema
from tasks.settings import read_settings


def read_learned(pipeline: str) -> dict[str, LearnedSchema]:
    """The latest schema of each resource of which something was learned."""
    with open_connection(resolve_dsn(read_settings())) as conn:
        ledger.migrate(conn)
        return read_schemas(conn, pipeline)


def relearn(pipeline: str, resource: str) -> None:
    """Forget what was learned of a resource: the next load, or a replay, learns it from its own records.

    Raises:
        ConfigurationError: Nothing was learned of it.
        PipelineBusyError: The pipeline is being run.
    """
    dsn = resolve_dsn(read_settings())
    known = read_learned(pipeline)
    if resource not in known:
        raise ConfigurationError(
            f"{pipeline}: nothing was learned of {resource!r}, only of: {', '.join(known) or 'no resource'}."
        )
    with hold_pipeline(dsn, pipeline), open_connection(dsn) as conn:
        forget_schema(conn, pipeline, resource)
