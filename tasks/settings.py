"""Settings: the one place where the environment is read."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from tasks.errors import ConfigurationError

PROJECT = Path(__file__).resolve().parent.parent
SUITES = PROJECT / "expectations" / "suites"

# Not below the working directory: a worker's run has one of its own, which goes with the run.
ProjectPath = Annotated[Path, AfterValidator(lambda path: PROJECT / path)]


class Settings(BaseSettings):
    """What differs between machines; every field is `ASSAY_<NAME>` in the environment.

    Attributes:
        home: Everything assay keeps on this machine: the embedded Postgres, landing zone, reports. A
            relative path, here and in the URLs below, is below the project.
        database_url: DSN of the target; the embedded Postgres in `home` when unset.
        landing_url: Where raw responses go: `s3://bucket/prefix`, another URL that fsspec knows, or a folder;
            `home/landing` when unset.
        landing_keep_days: Age in days after which a load's raw responses may be deleted; never when unset.
        landing_keep_loads: How many of a pipeline's published loads keep theirs; all when unset. With both,
            what one of them keeps is kept.
        reports_url: Where reports go: `s3://bucket/prefix`, or a folder; `home/reports` when unset.
        resume_within_s: How old an interrupted load may be to be resumed, in seconds; an older one is
            extracted afresh, because page-numbered sources shift.
        statement_timeout_s: Bound on every statement in the target, in seconds.
    """

    model_config = SettingsConfigDict(env_prefix="ASSAY_", extra="ignore")

    home: ProjectPath = Field(default=PROJECT / ".assay")
    database_url: SecretStr | None = None
    landing_url: str | None = None
    landing_keep_days: float | None = Field(default=None, ge=0)
    landing_keep_loads: int | None = Field(default=None, ge=1)
    reports_url: str | None = None
    resume_within_s: float = 3600.0
    statement_timeout_s: float = 600.0

    @property
    def landing(self) -> str:
        """The landing zone: a folder, or a URL."""
        if self.landing_url and "://" in self.landing_url:
            return self.landing_url
        return str(PROJECT / self.landing_url if self.landing_url else self.home / "landing")

    @property
    def work(self) -> Path:
        """Folder of the typed files that the steps of an attempt hand each other, gone when it is over."""
        return self.home / "work"

    @property
    def reports(self) -> Path:
        """Folder of the reports when they stay on this machine."""
        return PROJECT / self.reports_url if self.reports_url else self.home / "reports"


def read_settings() -> Settings:
    """Settings from the environment, checked.

    Raises:
        ConfigurationError: A variable does not hold what its field needs.
    """
    try:
        return Settings()
    except ValidationError as exc:
        wrong = "; ".join(f"ASSAY_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in exc.errors())
        raise ConfigurationError(f"Settings: {wrong}") from exc


def secret_from_environment(name: str) -> str | None:
    """The secret `ASSAY_SECRET_<NAME>`, or None when it is not set."""
    return os.environ.get(secret_variable(name))


def secret_variable(name: str) -> str:
    """Name of the environment variable that holds the secret of this name."""
    return f"ASSAY_SECRET_{name.upper().replace('-', '_')}"


def base_url_override(pipeline: str) -> str | None:
    """Another address for this pipeline's API, `ASSAY_BASE_URL_<PIPELINE>`: a sandbox, a test server."""
    return os.environ.get(f"ASSAY_BASE_URL_{pipeline.upper()}")
