"""The machine a run works on: in a container nothing is kept there, and a full disk is said so."""

import pytest

from flows.machines import find_full_disk, refuse_passing_places
from tasks.errors import ConfigurationError, DiskFullError, FatalError
from tasks.settings import Settings

LASTING = {
    "landing_url": "s3://bucket/zone",
    "database_url": "postgresql://db/assay",
    "reports_url": "s3://bucket/reports",
}


@pytest.mark.parametrize("pool", ["docker", "kubernetes", "ecs", "ecs:push"])
@pytest.mark.parametrize("missing", LASTING)
def test_container_without_a_lasting_place_is_refused(pool: str, missing: str) -> None:
    settings = Settings(**{**LASTING, missing: None})  # type: ignore[arg-type]  # pydantic makes them so
    with pytest.raises(ConfigurationError, match=f"of type {pool}.*Set ASSAY_{missing.upper()} to"):
        refuse_passing_places(settings, pool)


def test_local_path_is_refused_in_a_container_but_not_a_mounted_volume() -> None:
    settings = Settings(**LASTING)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="ASSAY_LANDING_URL"):
        refuse_passing_places(settings.model_copy(update={"landing_url": "/data/zone"}), "docker")
    refuse_passing_places(settings.model_copy(update={"landing_url": "file:///data/zone"}), "docker")
    refuse_passing_places(settings, "docker")


@pytest.mark.parametrize("pool", [None, "process"])
def test_machine_that_lasts_may_keep_everything(pool: str | None) -> None:
    refuse_passing_places(Settings(), pool)


def test_only_a_full_disk_of_our_own_is_said_to_be_one() -> None:
    wrapped = FatalError("the transform fails")
    wrapped.__cause__ = OSError(28, "No space left on device")
    assert find_full_disk(wrapped, Settings()) is not None
    assert find_full_disk(FatalError("Postgres: No space left on device (os error 28)"), Settings()) is None
    assert find_full_disk(DiskFullError("said already"), Settings()) is None
