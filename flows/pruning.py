"""Deleting raw responses by hand, of all pipelines that the ledger knows."""

from collections.abc import Iterator

from flows.tidying import Pruned, prune
from tasks.errors import ConfigurationError
from tasks.load import ledger
from tasks.load.connection import PipelineBusyError, hold_pipeline, open_connection, resolve_dsn
from tasks.load.retention import Keep, list_pipelines
from tasks.settings import read_settings


def prune_all(
    pipeline: str | None, *, keep_days: float | None, keep_loads: int | None, dry_run: bool
) -> Iterator[Pruned | str]:
    """What is deleted, or would be, pipeline by pipeline; just the name of one that is being run.

    Raises:
        ConfigurationError: Nobody has said what is to be kept, or there is no such pipeline.
    """
    settings = read_settings()
    keep = Keep(keep_days, keep_loads)
    if keep.is_everything:
        keep = Keep(settings.landing_keep_days, settings.landing_keep_loads)
    if keep.is_everything:
        raise ConfigurationError(
            "Nothing says what is to be kept: give --keep-days or --keep-loads, or set "
            "ASSAY_LANDING_KEEP_DAYS or ASSAY_LANDING_KEEP_LOADS, by which every run tidies up after itself."
        )
    dsn = resolve_dsn(settings)
    with open_connection(dsn) as conn:
        ledger.migrate(conn)
        known = list_pipelines(conn)
        if pipeline is not None and pipeline not in known:
            raise ConfigurationError(f"{pipeline!r} was never run. There are: {', '.join(known) or 'none'}.")
        for name in [pipeline] if pipeline else known:
            try:
                with hold_pipeline(dsn, name):
                    yield from prune(settings, conn, name, keep, dry_run=dry_run)
            except PipelineBusyError:
                yield name
