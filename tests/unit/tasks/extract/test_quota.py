import datetime as dt
from email.utils import format_datetime

import pytest
from requests.structures import CaseInsensitiveDict

from tasks.extract.quota import read_pause
from tests.unit.tasks.extract.fake_api import NOW

EPOCH = NOW.timestamp()


def read(refused: bool = False, **headers: str) -> float | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_pause(CaseInsensitiveDict(named), EPOCH, refused=refused)


@pytest.mark.parametrize(
    "header",
    [
        "7",
        " 7 ",
        "7.0",
        format_datetime(NOW + dt.timedelta(seconds=7)),
        (NOW + dt.timedelta(seconds=7)).isoformat(),
        str(int(EPOCH + 7)),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(header: str) -> None:
    assert read(Retry_After=header) == pytest.approx(7, abs=1)


@pytest.mark.parametrize("header", ["", "soon", "-5", "1.5e9x", "NaN"])
def test_a_retry_after_that_says_nothing_is_none(header: str) -> None:
    assert read(Retry_After=header) is None


def test_a_retry_after_in_the_past_is_no_wait() -> None:
    assert read(Retry_After="Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(EPOCH + 30))},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(1000 * (EPOCH + 30)))},
        {"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "30"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": (NOW + dt.timedelta(seconds=30)).isoformat()},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "30.0"},
        {"RateLimit-Limit": "100", "RateLimit-Remaining": "0", "RateLimit-Reset": "30"},
        {"X-RateLimit-Remaining": "0, 14500", "X-RateLimit-Reset": "30"},
        {"RateLimit": "limit=100, remaining=0, reset=30"},
        {"RateLimit": "reset=30,remaining=0, limit=100"},
        {"RateLimit": '"burst";r=0;t=30'},
        {"RateLimit": '"burst";r=0;t=12, "day";r=0;t=30', "RateLimit-Policy": '"burst";q=100;w=60'},
    ],
)
def test_a_quota_that_is_used_up_says_when_it_is_new(headers: dict[str, str]) -> None:
    assert read_pause(CaseInsensitiveDict(headers), EPOCH) == pytest.approx(30, abs=1.1)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "30"},
        {"X-RateLimit-Remaining": "none", "X-RateLimit-Reset": "30"},
        {"X-RateLimit-Remaining": "0"},
        {"RateLimit": '"day";r=5;t=30'},
        {"RateLimit": "limit=100, remaining=5, reset=30"},
        {"RateLimit": '"default"'},
    ],
)
def test_a_quota_with_something_left_is_no_pause(headers: dict[str, str]) -> None:
    assert read_pause(CaseInsensitiveDict(headers), EPOCH) is None


def test_a_refusal_uses_up_the_quota_whatever_remains() -> None:
    assert read(refused=True, X_RateLimit_Remaining="5", X_RateLimit_Reset="30") == 30
    assert read(refused=True, RateLimit='"day";r=5;t=30') == 30
