"""What S3 refuses, in words for people; the same for reports and for the landing zone.

Importing this module does not load boto3, which takes a second.
"""

from typing import Any, Final

from tasks.errors import ConfigurationError, PipelineError, RetriableError

CONNECT_TIMEOUT_S: Final = 5
READ_TIMEOUT_S: Final = 30
TRIES: Final = 3
_CAUSES: Final = 3
# What S3 says when it is busy, beside the statuses of 500 and above.
_PASSING_CODES: Final = frozenset({"SlowDown", "RequestTimeout", "TooManyRequests", "Throttling"})
_KNOWN_CODES: Final = {
    "NoSuchBucket": "the bucket does not exist. Create it, or correct {setting}.",
    "AccessDenied": "access is denied. The credentials need {rights} on it.",
    "InvalidAccessKeyId": "the access key is not known there.",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key.",
    "ExpiredToken": "the session token has expired.",
    "PermanentRedirect": "the bucket is in another region. Set AWS_DEFAULT_REGION to its region.",
    "AuthorizationHeaderMalformed": "the bucket is in another region. Set AWS_DEFAULT_REGION to its region.",
}


def client_options() -> dict[str, Any]:
    """Options of botocore's `Config`: bounded waits, and nothing that only Amazon's own servers know."""
    return {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "read_timeout": READ_TIMEOUT_S,
        "retries": {"total_max_attempts": TRIES, "mode": "standard"},
        # Servers that only speak S3 do not all know the newer checksum headers.
        "request_checksum_calculation": "when_required",
    }


def explain(exc: BaseException, where: str, *, setting: str, rights: str) -> PipelineError:
    """What a failed request to S3 means for whoever reads of it; to be raised `from None`.

    Not from `exc`: a server's message may quote what it was sent. `setting` is the variable that names the
    bucket, `rights` what its credentials need.
    """
    from botocore import exceptions  # noqa: PLC0415 - see the module

    if response := _find_response(exc):
        return _explain_response(response, where, setting, rights)
    if isinstance(exc, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return ConfigurationError(
            f"{where}: no AWS credentials found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or AWS_PROFILE."
        )
    is_connection = isinstance(
        exc, exceptions.HTTPClientError | exceptions.ConnectionError | TimeoutError | ConnectionError
    )
    if is_connection and not isinstance(exc, exceptions.SSLError):
        endpoint = getattr(exc, "kwargs", {}).get("endpoint_url") or "the server"
        return RetriableError(f"{where}: {endpoint} does not answer ({type(exc).__name__}).")
    if isinstance(exc, exceptions.ResponseStreamingError | exceptions.IncompleteReadError):
        return RetriableError(f"{where}: the answer broke off ({type(exc).__name__}).")
    return ConfigurationError(f"{where}: {type(exc).__name__}: {exc}")


def _find_response(exc: BaseException) -> dict[str, Any] | None:
    """The server's answer: of botocore's error, which s3fs wraps in an OSError."""
    cause: BaseException | None = exc
    for _ in range(_CAUSES):
        response = getattr(cause, "response", None)
        if isinstance(response, dict):
            return response
        cause = getattr(cause, "__cause__", None)
    return None


def _explain_response(response: dict[str, Any], where: str, setting: str, rights: str) -> PipelineError:
    code = str(response.get("Error", {}).get("Code", "unknown"))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if status >= 500 or status == 429 or code in _PASSING_CODES:
        return RetriableError(f"{where}: the server answers {status} {code}.")
    told = _KNOWN_CODES.get(code, "the server answers {status} {code}.")
    return ConfigurationError(
        f"{where}: {told.format(setting=setting, rights=rights, status=status, code=code)}"
    )
