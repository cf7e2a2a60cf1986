"""Every way to enter an API, against a server that looks for it; and that a secret is nowhere else."""

import base64
import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tasks.errors import ConfigurationError, PipelineError, RetriableError
from tasks.extract import oauth
from tasks.extract.masking import Mask
from tasks.extract.oauth import OAuthToken
from tasks.pipeline import (
    ApiKey,
    Basic,
    Bearer,
    OAuth2,
    Resource,
    SecretHeaders,
    Signature,
    Signed,
    SinglePage,
    Unsigned,
)
from tasks.pipeline.auth import Auth
from tests.integration.tasks.extract.serving import (
    ITEMS,
    PAGES,
    Handler,
    extract,
    make_page,
    read_ids,
    serving,
)

SECRET = "s3cret/with+odd chars"
SECRETS = {"key": SECRET, "user": "us3r-name", "plain": "s3cret-plain-t0ken"}


def sign(request: Unsigned, secrets: Mapping[str, str]) -> Signature:
    digest = hashlib.sha256(f"{request.method} {request.url} {secrets['key']}".encode()).hexdigest()
    return Signature(headers={"X-Signature": digest})


def is_signed(handler: Handler) -> bool:
    url = f"http://{handler.headers['Host']}{handler.path}"
    return handler.headers["X-Signature"] == hashlib.sha256(f"GET {url} {SECRET}".encode()).hexdigest()


WAYS: dict[str, tuple[Auth, Callable[[Handler], bool]]] = {
    "bearer": (Bearer(secret="key"), lambda h: h.headers["Authorization"] == f"Bearer {SECRET}"),
    "basic": (
        Basic(username_secret="user", secret="key"),
        lambda h: (
            h.headers["Authorization"] == f"Basic {base64.b64encode(f'us3r-name:{SECRET}'.encode()).decode()}"
        ),
    ),
    "header": (
        ApiKey(name="X-Key", secret="key", prefix="Key "),
        lambda h: h.headers["X-Key"] == f"Key {SECRET}",
    ),
    "query": (ApiKey(name="api_key", secret="key", place="query"), lambda h: h.query["api_key"] == SECRET),
    "headers": (
        SecretHeaders(secrets={"X-Id": "user", "X-Key": "key"}),
        lambda h: (h.headers["X-Id"], h.headers["X-Key"]) == ("us3r-name", SECRET),
    ),
    "signed": (Signed(sign=sign, secrets=("key",)), is_signed),
}


@pytest.mark.parametrize("way", WAYS)
def test_all_pages_are_entered_and_the_secret_is_nowhere_else(
    way: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    auth, is_right = WAYS[way]
    caplog.set_level("DEBUG")
    broken = {"left": 1}

    def respond(handler: Handler, _asked: int) -> None:
        if not is_right(handler):
            handler.send(f"who are you, {handler.path}?".encode(), 401)
        elif handler.query["page"] == "5" and broken["left"]:
            broken["left"] -= 1
            handler.send(f"oops at {handler.path} {handler.headers}".encode(), 500)
        else:
            handler.send_json(make_page(handler) | {"you_asked": handler.path, "for": SECRET})

    with serving(respond) as (url, _):
        extracted = extract(url, tmp_path, secrets=SECRETS, auth=auth)
        assert read_ids(extracted) == list(range(10 * PAGES))
        with pytest.raises(ConfigurationError, match="ASSAY_SECRET_") as refused:
            extract(url, tmp_path / "wrong", secrets=dict.fromkeys(SECRETS, "wr0ng-s3cret"), auth=auth)
    with pytest.raises(RetriableError) as silent:
        extract(url, tmp_path / "silent", secrets=SECRETS, auth=auth, attempts=2)
    shown = [caplog.text, repr(extracted), *describe(refused.value), *describe(silent.value)]
    shown += [str(pl.read_parquet(file).to_dicts()) for file in tmp_path.rglob("*.parquet")]
    shown += [file.read_text() for file in tmp_path.rglob("_*") if file.is_file()]
    for hidden in (SECRET, "s3cret%2Fwith", "wr0ng", base64.b64encode(SECRET.encode()).decode()):
        assert hidden not in "\n".join(shown)


def describe(error: BaseException | None) -> list[str]:
    """All that a traceback, a log or a debugger may show of an exception and of those behind it."""
    shown = []
    while error is not None:
        shown += [repr(error), str(error), repr(error.args), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return shown


class TokenServer:
    """An API whose tokens live for a number of requests, or for a time."""

    def __init__(self, *, requests: int = 1000, expires_in: float | None = None) -> None:
        self.granted: list[dict[str, str]] = []
        self.authorizations: list[str | None] = []
        self.refused = 0
        self.status = 200
        self._requests = requests
        self._expires_in = expires_in
        self._used: dict[str, int] = {}
        self._made_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def respond(self, handler: Handler, _asked: int) -> None:
        with self._lock:
            if handler.route == "/token":
                self._grant(handler)
            elif self._knows(handler.headers.get("Authorization", "").removeprefix("Bearer ")):
                handler.send_json(make_page(handler))
            else:
                self.refused += 1
                handler.send_json({"error": "token expired"}, 401)

    def _grant(self, handler: Handler) -> None:
        self.granted.append(handler.form)
        self.authorizations.append(handler.headers.get("Authorization"))
        token = f"t0ken-number-{len(self.granted)}"
        self._used[token], self._made_at[token] = 0, time.monotonic()
        answer: dict[str, Any] = {"access_token": token, "token_type": "Bearer"}
        if self._expires_in is not None:
            answer["expires_in"] = self._expires_in
        error = {"error": "invalid_client", "error_description": f"no client with {SECRETS['plain']}"}
        handler.send_json(answer if self.status == 200 else error, self.status)

    def _knows(self, token: str) -> bool:
        if token not in self._used:
            return False
        self._used[token] += 1
        age = time.monotonic() - self._made_at[token]
        return self._used[token] <= self._requests and (self._expires_in is None or age < self._expires_in)


def make_oauth(url: str, **declared: Any) -> OAuth2:
    return OAuth2(**({"token_url": f"{url}/token", "client_id": "me", "client_secret": "plain"} | declared))


def test_a_token_that_is_refused_in_mid_run_is_renewed_once_for_all_threads(tmp_path: Path) -> None:
    api = TokenServer(requests=5)
    with serving(api.respond) as (url, _):
        extracted = extract(url, tmp_path, secrets=SECRETS, auth=make_oauth(url), connections=4)
    assert read_ids(extracted) == list(range(10 * PAGES))
    # 12 pages at 5 a token; each renewal is asked for once, whatever the number of threads refused.
    assert 3 <= len(api.granted) <= 4
    assert api.granted[0] == {"grant_type": "client_credentials"}
    assert api.authorizations[0] == f"Basic {base64.b64encode(b'me:s3cret-plain-t0ken').decode()}"


def test_a_new_token_that_others_used_up_is_renewed_again(tmp_path: Path) -> None:
    api = TokenServer()

    def respond(handler: Handler, asked: int) -> None:
        if handler.route != "/token" and handler.headers["Authorization"] != "Bearer t0ken-number-3":
            return handler.send_json({"error": "token expired"}, 401)
        return api.respond(handler, asked)

    with serving(respond) as (url, _):
        extracted = extract(url, tmp_path, secrets=SECRETS, auth=make_oauth(url), connections=1)
    assert read_ids(extracted) == list(range(10 * PAGES))
    assert len(api.granted) == 3


def test_a_token_is_renewed_before_it_expires(tmp_path: Path) -> None:
    api = TokenServer(expires_in=0.3)
    original = api.respond

    def respond(handler: Handler, asked: int) -> None:
        time.sleep(0.04)
        original(handler, asked)

    with serving(respond) as (url, _):
        extracted = extract(url, tmp_path, secrets=SECRETS, auth=make_oauth(url), connections=1)
    assert read_ids(extracted) == list(range(10 * PAGES))
    assert len(api.granted) >= 2
    assert api.refused == 0


def test_a_refresh_token_is_exchanged_and_the_client_named_in_the_form(tmp_path: Path) -> None:
    api = TokenServer()
    with serving(api.respond) as (url, _):
        auth = make_oauth(
            url, refresh_secret="key", client_auth="form", scope="read", params={"audience": "shop"}
        )
        extract(url, tmp_path, secrets=SECRETS, auth=auth)
    assert api.granted == [
        {
            "audience": "shop",
            "grant_type": "refresh_token",
            "refresh_token": SECRET,
            "scope": "read",
            "client_id": "me",
            "client_secret": "s3cret-plain-t0ken",
        }
    ]
    assert api.authorizations == [None]


def test_refused_credentials_end_the_run_and_are_not_shown(tmp_path: Path) -> None:
    api = TokenServer()
    api.status = 401
    with (
        serving(api.respond) as (url, _),
        pytest.raises(
            ConfigurationError, match=r"/token answered 401: invalid_client no client with \*\*\*"
        ) as e,
    ):
        extract(url, tmp_path, secrets=SECRETS, auth=make_oauth(url))
    assert SECRETS["plain"] not in "".join(describe(e.value))


def test_a_token_that_cannot_be_had_now_is_asked_for_again(tmp_path: Path) -> None:
    api = TokenServer()
    statuses = iter([503, 500, 200])

    def respond(handler: Handler, asked: int) -> None:
        if handler.route == "/token":
            api.status = next(statuses, 200)
        api.respond(handler, asked)

    with serving(respond) as (url, _):
        extracted = extract(url, tmp_path, secrets=SECRETS, auth=make_oauth(url), connections=1)
    assert extracted.received == 10 * PAGES
    assert len(api.granted) == 3


def test_a_token_endpoint_that_names_a_pause_is_left_alone_for_so_long(tmp_path: Path) -> None:
    api = TokenServer()
    asked_at: list[float] = []

    def respond(handler: Handler, asked: int) -> None:
        if handler.route == "/token":
            asked_at.append(time.monotonic())
            if len(asked_at) == 1:
                return handler.send_json({"error": "slow_down"}, 429, Retry_After="0.6")
        return api.respond(handler, asked)

    with serving(respond) as (url, _):
        extracted = extract(url, tmp_path, secrets=SECRETS, auth=make_oauth(url), connections=1)
    assert extracted.received == 10 * PAGES
    assert asked_at[1] - asked_at[0] >= 0.6


@pytest.mark.parametrize("status", [200, 302])
def test_a_token_that_trickles_in_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(oauth, "_TIMEOUT_S", 0.2)

    def trickle(handler: Handler, _asked: int) -> None:
        handler.close_connection = True
        handler.send_response(status)
        handler.send_header("Location", "/elsewhere")
        handler.send_header("Content-Length", "40")
        handler.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(40):
                handler.wfile.write(b" ")
                time.sleep(0.05)

    with (
        serving(trickle) as (url, seen),
        pytest.raises(RetriableError, match=r"items page 1: .*No token .*: the body did not end within"),
    ):
        extract(url, tmp_path, secrets=SECRETS, auth=make_oauth(url), attempts=1)
    assert len(seen) == 1


def test_threads_that_wait_for_a_token_share_the_failure_of_the_one_that_asks() -> None:
    def respond(handler: Handler, _asked: int) -> None:
        time.sleep(0.2)
        handler.send(b"", 503)

    with serving(respond) as (url, seen), ThreadPoolExecutor(8) as pool:
        token = OAuthToken(make_oauth(url), SECRETS, Mask())
        errors = [future.exception() for future in [pool.submit(token.current) for _ in range(8)]]
    assert {str(error) for error in errors} == {f"{url}/token answered 503"}
    assert len({id(error) for error in errors}) == 8
    assert len(seen) == 1


@pytest.mark.parametrize("life", [0, "0", -1])
def test_a_life_of_no_time_is_none_that_is_known(tmp_path: Path, life: int | str) -> None:
    def respond(handler: Handler, _asked: int) -> None:
        is_token = handler.route == "/token"
        handler.send_json(
            {"access_token": "t0ken-number-1", "expires_in": life} if is_token else make_page(handler)
        )

    with serving(respond) as (url, seen):
        extract(url, tmp_path, secrets=SECRETS, auth=make_oauth(url))
    assert len(seen) == 1 + PAGES


def test_a_token_that_stays_refused_fails_with_where_to_look(tmp_path: Path) -> None:
    api = TokenServer(requests=0)
    with serving(api.respond) as (url, _), pytest.raises(ConfigurationError, match="ASSAY_SECRET_PLAIN"):
        extract(url, tmp_path, secrets=SECRETS, auth=make_oauth(url), connections=1)
    assert (len(api.granted), api.refused) == (4, 4)


def test_an_optional_token_may_be_missing(tmp_path: Path) -> None:
    with serving(lambda handler, _: handler.send_json(make_page(handler))) as (url, seen):
        extract(url, tmp_path, auth=Bearer(secret="missing", optional=True))
    assert all(line.endswith(" None") for line in seen)


def test_a_declared_header_is_sent_and_the_project_is_named(tmp_path: Path) -> None:
    sent: list[tuple[str, ...]] = []

    def respond(handler: Handler, _asked: int) -> None:
        sent.append(tuple(handler.headers[name] for name in ("X-Version", "User-Agent", "Accept-Encoding")))
        handler.send_json({"data": [{"id": 1}]})

    one = Resource(**(dict(ITEMS) | {"paginator": SinglePage()}))
    with serving(respond) as (url, _):
        extract(url, tmp_path, one, headers={"X-Version": "2026-01"})
    assert sent == [("2026-01", "assay/0.1.0 (pipeline shop)", "gzip, deflate")]


def test_a_missing_secret_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    with (
        serving(lambda handler, _: handler.send_json(make_page(handler))) as (url, seen),
        pytest.raises(PipelineError, match="'key' is not set"),
    ):
        extract(url, tmp_path, auth=ApiKey(name="key", secret="key", place="query"))
    assert seen == []
