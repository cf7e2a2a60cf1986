"""Commands for who may do what in the target database, and for its ledger."""

from flows.cli.app import app, out


@app.command
def roles(*, prefix: str = "assay") -> None:
    """Print SQL for three roles: an owner of the ledger, a loader that runs pipelines, a reader of tables.

    Args:
        prefix: What the roles' names begin with: `assay` gives `assay_owner`, `assay_loader`, `assay_reader`.
    """
    from flows.catalog import find_pipeline, pipeline_names  # noqa: PLC0415  commands import what they need
    from tasks.load.roles import write_roles  # noqa: PLC0415

    schemas = sorted({find_pipeline(name).target_schema for name in pipeline_names()})
    out.print(write_roles(schemas, prefix=prefix), markup=False, soft_wrap=True, end="")


@app.command
def migrate() -> None:
    """Bring the ledger up to date, as its owner; runs do so themselves where their role may."""
    from tasks.load import ledger  # noqa: PLC0415
    from tasks.load.connection import open_connection, resolve_dsn  # noqa: PLC0415
    from tasks.load.staging import prepare_staging  # noqa: PLC0415
    from tasks.settings import Settings  # noqa: PLC0415

    with open_connection(resolve_dsn(Settings())) as conn:
        ledger.migrate(conn)
        prepare_staging(conn)
    out.print("The ledger is up to date.")
