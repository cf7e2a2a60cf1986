"""What an API says about its quota: how long to leave it alone.

`Retry-After` (RFC 9110, 10.2.3), `RateLimit` in the IETF draft's old and new forms (draft-ietf-httpapi-
ratelimit-headers-02 to -10), and the `X-RateLimit-*` headers that came before it, whose reset is a delay
with some APIs and a time with others.
"""

import datetime as dt
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

_REMAINING = ("X-RateLimit-Remaining", "X-Rate-Limit-Remaining", "RateLimit-Remaining")
_RESET = ("X-RateLimit-Reset", "X-Rate-Limit-Reset", "RateLimit-Reset", "X-RateLimit-Reset-After")
_PART = re.compile(r"(?:^|[;,\s])(remaining|reset|r|t)\s*=\s*(\d+)")
_EPOCH_S = 1e9
"""A reset beyond is a time, in seconds since 1970, and beyond a thousand times that in milliseconds."""


def read_pause(headers: Mapping[str, str], now: float, *, refused: bool = False) -> float | None:
    """Seconds until the API wants to be asked again, None where it does not say so.

    Args:
        headers: Of a response, looked up without regard to case by the mapping itself.
        now: Seconds since 1970.
        refused: The API answered that too much was asked: the quota is used up whatever remains of it.
    """
    retry_after = read_moment(headers.get("Retry-After"), now)
    if retry_after is not None:
        return retry_after
    if "RateLimit" in headers:
        return _read_draft(headers["RateLimit"], refused=refused)
    if refused or _is_zero(_first(headers, _REMAINING)):
        return read_moment(_first(headers, _RESET), now)
    return None


def read_moment(text: str | None, now: float) -> float | None:
    """Seconds from now: of a delay, a time since 1970, an HTTP date or an ISO 8601 time; None of no such."""
    if text is None:
        return None
    text = text.strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        number = float(text)
        if number >= _EPOCH_S:
            moment = number / 1000 if number >= 1000 * _EPOCH_S else number
            return max(0.0, moment - now)
        return number
    for parse in (parsedate_to_datetime, dt.datetime.fromisoformat):
        try:
            moment_at = parse(text)
        except ValueError:
            continue
        return max(0.0, moment_at.replace(tzinfo=moment_at.tzinfo or dt.UTC).timestamp() - now)
    return None


def _read_draft(header: str, *, refused: bool) -> float | None:
    """The longest wait for a quota that is used up; None when all have something left.

    The old form is one quota, `limit=100, remaining=0, reset=50`; the new one lists them, `"hour";r=0;t=50`.
    """
    quotas = [header] if "remaining" in header else header.split(",")
    waits = []
    for quota in quotas:
        parts = {name: float(number) for name, number in _PART.findall(quota)}
        remaining, reset = parts.get("remaining", parts.get("r")), parts.get("reset", parts.get("t"))
        if reset is not None and (refused or remaining == 0):
            waits.append(reset)
    return max(waits, default=None)


def _first(headers: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((headers[name] for name in names if name in headers), None)


def _is_zero(text: str | None) -> bool:
    """Of several quotas in one header, the first counts: it is the narrowest."""
    try:
        return text is not None and float(text.split(",", maxsplit=1)[0]) <= 0
    except ValueError:
        return False
