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
            relative path, here and in `reports_url`, is below the project.
        database_url: DSN of the target; the embedded Postgres in `home` when unset.
        reports_url: Where reports go: `s3://bucket/prefix`, or a folder; `home/reports` when unset.
        resume_within_s: How old an interrupted load may be to be resumed, in seconds; an older one is
            extracted afresh, because page-numbered sources shift.
        statement_timeout_s: Bound on every statement in the target, in seconds.
    """

    model_config = SettingsConfigDict(env_prefix="ASSAY_", extra="ignore")

    home: ProjectPath = Field(default=PROJECT / ".assay")
    database_url: SecretStr | None = None
    reports_url: str | None = None
    resume_within_s: float = 3600.0
    statement_timeout_s: float = 600.0

    @property
    def landing(self) -> Path:
        """Folder of the landing zone."""
        return self.home / "landing"

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
