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


class DataQualityError(PipelineError):
    """The data did not pass the gate: look at the report."""
