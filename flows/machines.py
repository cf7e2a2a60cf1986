"""The machine a run works on: whether its disk outlives the run, and what is said when it is full."""

import re
from collections.abc import Iterator

from polars.exceptions import PanicException, PolarsError

from tasks.errors import ConfigurationError, DiskFullError
from tasks.extract.landing.local import FULL, measure_free
from tasks.settings import Settings

LASTING = frozenset({"process"})
"""Types of work pools whose runs share the worker's disk."""


def refuse_passing_places(settings: Settings, pool_type: str | None) -> None:
    """Refuse to keep on this machine what must outlive the run, when the machine does not.

    Raises:
        ConfigurationError: The run is a container's, and a setting is missing that would keep it elsewhere.
    """
    if pool_type is None or pool_type in LASTING:
        return
    missing = [
        f"{name} to {value}"
        for name, value, is_set in (
            (
                "ASSAY_LANDING_URL",
                "s3://bucket/prefix (or file:///… for a volume that all runs share)",
                settings.landing_url is not None and "://" in settings.landing_url,
            ),
            ("ASSAY_DATABASE_URL", "your Postgres", settings.database_url is not None),
            ("ASSAY_REPORTS_URL", "s3://bucket/prefix", settings.reports_url is not None),
        )
        if not is_set
    ]
    if missing:
        raise ConfigurationError(
            f"The run is in a work pool of type {pool_type}: what it writes to its own disk is gone with it. "
            f"Set {'; '.join(missing)}, in the pool's job variables (env)."
        )


def find_full_disk(failure: BaseException, settings: Settings) -> DiskFullError | None:
    """What to say instead of a failure that comes from a full disk under `ASSAY_HOME`; None for others.

    The landing zone's own failures say it already.
    """
    if isinstance(failure, DiskFullError) or not any(map(_is_full_disk, _causes(failure))):
        return None
    return DiskFullError(
        f"{settings.work} cannot be written, the disk is full{measure_free(settings.home)}. Nothing is "
        "published. Make room, or set ASSAY_HOME to a larger disk, then run again: what is landed is kept."
    )


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    while failure is not None:
        yield failure
        failure = failure.__cause__


def _is_full_disk(exc: BaseException) -> bool:
    if isinstance(exc, OSError):
        return exc.errno in FULL
    found = re.search(r"os error (\d+)", str(exc)) if isinstance(exc, PolarsError | PanicException) else None
    return found is not None and int(found[1]) in FULL
