"""Machines that pass: in a container, what a run writes to its own disk is gone with it."""

from tasks.errors import ConfigurationError
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
