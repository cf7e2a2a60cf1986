"""Errors, sorted by what the caller does next."""


class PipelineError(Exception):
    """Anything a run of a pipeline can fail with."""


class ConfigurationError(PipelineError):
    """The declaration, a setting or a suite is wrong: fix it, then run again."""


class RetriableError(PipelineError):
    """The other side failed in a way that passes: try again.

    Attributes:
        retry_after_s: How long the other side asked to be left alone, in seconds, if it did.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class FatalError(PipelineError):
    """Trying again will not help: stop, and read the message."""


class DiskFullError(FatalError):
    """There is no room: make some, then run again."""


class DataQualityError(PipelineError):
    """The data did not pass the gate: look at the report."""


def is_retriable(_task: object, _run: object, state: object) -> bool:
    """Whether a failed task run is worth another try; the shape is that of Prefect's `retry_condition_fn`."""
    try:
        state.result()  # type: ignore[attr-defined]  # Prefect's State, which this module must not import
    except RetriableError:
        return True
    except Exception:  # noqa: BLE001  every other reason is one that does not pass by itself
        return False
    return False
