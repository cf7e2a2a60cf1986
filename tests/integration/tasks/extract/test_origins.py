"""A redirect, or a link to the next page, that leads elsewhere: a listener there looks for the secret."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tasks.errors import ConfigurationError, FatalError
from tasks.extract.origins import keep_encrypted
from tasks.pipeline import ApiKey, Bearer, NextLink, Resource, SecretHeaders
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

SECRET = "s3cret-t0ken-of-this-origin"
SECRETS = {"token": SECRET}
LINKED = Resource(**(dict(ITEMS) | {"paginator": NextLink(next="next")}))
WAYS = [
    Bearer(secret="token"),
    SecretHeaders(secrets={"X-Key": "token"}),
    ApiKey(name="key", secret="token", place="query"),
]


class Listener:
    """Another origin: serves pages, and keeps all that it is sent."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def respond(self, handler: Handler, _asked: int) -> None:
        self.heard.append(f"{handler.path}\n{handler.headers}\n{handler.body!r}")
        handler.send_json(make_page(handler) | {"next": None})


def lead_by_redirect(handler: Handler, elsewhere: str) -> None:
    handler.send(b"", 307, Location=elsewhere + handler.path, Set_Cookie=f"session={SECRET}")


def lead_by_link(handler: Handler, elsewhere: str) -> None:
    page = make_page(handler) | {"next": f"{elsewhere}/items?page=2&key={SECRET}"}
    handler.send_json(page, Set_Cookie=f"session={SECRET}")


@pytest.mark.parametrize("auth", WAYS)
@pytest.mark.parametrize(
    ("lead", "resource"), [(lead_by_redirect, ITEMS), (lead_by_link, LINKED)], ids=["redirect", "link"]
)
def test_another_origin_is_refused_and_hears_nothing(
    tmp_path: Path, lead: Callable[[Handler, str], None], resource: Resource, auth: Auth
) -> None:
    listener = Listener()
    with (
        serving(listener.respond) as (elsewhere, _),
        serving(lambda handler, _: lead(handler, elsewhere)) as (url, _seen),
        pytest.raises(FatalError, match=f"leads to another origin, {elsewhere}, where a secret") as error,
    ):
        extract(url, tmp_path, resource, secrets=SECRETS, auth=auth)
    assert listener.heard == []
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("auth", WAYS)
@pytest.mark.parametrize(
    ("lead", "resource"), [(lead_by_redirect, ITEMS), (lead_by_link, LINKED)], ids=["redirect", "link"]
)
def test_another_origin_is_followed_without_secret_or_cookie_as_declared(
    tmp_path: Path, lead: Callable[[Handler, str], None], resource: Resource, auth: Auth
) -> None:
    listener = Listener()
    with (
        serving(listener.respond) as (elsewhere, _),
        serving(lambda handler, _: lead(handler, elsewhere)) as (url, _seen),
    ):
        extracted = extract(url, tmp_path, resource, secrets=SECRETS, auth=auth, other_origins="anonymous")
    assert extracted.received in (20, 120)
    assert listener.heard
    assert SECRET not in "".join(listener.heard)


def test_a_redirect_within_the_origin_keeps_the_secret(tmp_path: Path) -> None:
    def respond(handler: Handler, _asked: int) -> None:
        if handler.route == "/items":
            handler.send(b"", 302, Location=f"/v2{handler.path.partition('key=')[0]}")
        else:
            assert handler.query["key"] == SECRET
            handler.send_json(make_page(handler))

    with serving(respond) as (url, _):
        auth = ApiKey(name="key", secret="token", place="query")
        assert read_ids(extract(url, tmp_path, secrets=SECRETS, auth=auth)) == list(range(120))


def test_a_cookie_goes_back_to_its_origin_until_it_is_taken_away(tmp_path: Path) -> None:
    set_by_page = {"2": "session=abc; Path=/", "4": "session=; Path=/; Max-Age=0"}
    cookies = []

    def respond(handler: Handler, _asked: int) -> None:
        cookies.append(handler.headers["Cookie"])
        setting = set_by_page.get(handler.query["page"])
        handler.send_json(make_page(handler), 200, **({"Set_Cookie": setting} if setting else {}))

    with serving(respond) as (url, _):
        extract(url, tmp_path, connections=1)
    assert cookies == [None, None, "session=abc", "session=abc", *[None] * (PAGES - 4)]


def test_a_circle_of_redirects_ends(tmp_path: Path) -> None:
    with (
        serving(lambda handler, _: handler.send(b"", 302, Location=handler.path)) as (url, seen),
        pytest.raises(ConfigurationError, match="is redirected more than 10 times"),
    ):
        extract(url, tmp_path, connections=1)
    assert len(seen) == 10


def test_the_body_of_a_redirect_is_not_read(tmp_path: Path) -> None:
    megabytes = 64
    sent = []

    def respond(handler: Handler, _asked: int) -> None:
        if handler.route != "/items":
            handler.send_json(make_page(handler))
            return
        handler.close_connection = True
        handler.send_response(302)
        handler.send_header("Location", f"/v2?{urlsplit(handler.path).query}")
        handler.send_header("Content-Length", str(megabytes * 1_000_000))
        handler.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(megabytes):
                handler.wfile.write(b"x" * 1_000_000)
                sent.append(1)

    with serving(respond) as (url, _):
        assert read_ids(extract(url, tmp_path, connections=1)) == list(range(120))
    # What fits the sockets' buffers is sent.
    assert len(sent) < PAGES * megabytes // 2


def test_a_posted_body_follows_a_redirect_that_keeps_the_method_and_no_other(tmp_path: Path) -> None:
    posted: list[tuple[str, str, bytes]] = []

    def respond(handler: Handler, asked: int) -> None:
        posted.append((handler.command, handler.route, handler.body))
        if asked < 3:
            handler.send(b"", 307 if asked == 1 else 303, Location=f"/{asked}?page=1")
        else:
            handler.send_json({"data": [{"id": 1}], "pages": 1, "total": 1})

    searched = Resource(**(dict(ITEMS) | {"method": "POST", "json_body": {"q": "all"}}))
    with serving(respond) as (url, _):
        extract(url, tmp_path, searched)
    assert posted == [("POST", "/items", b'{"q":"all"}'), ("POST", "/1", b'{"q":"all"}'), ("GET", "/2", b"")]


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://api.test/items?page=2", "https://api.test/items?page=2"),
        ("http://API.test:80/items", "https://api.test/items"),
        ("http://api.test:8080/items", "http://api.test:8080/items"),
        ("http://www.api.test/items", "http://www.api.test/items"),
        ("http://me@api.test/items", "http://me@api.test/items"),
        ("https://api.test/items", "https://api.test/items"),
    ],
)
def test_a_link_that_forgot_its_encryption_is_asked_by_https(url: str, asked: str) -> None:
    assert keep_encrypted(url, "https://api.test/v2") == asked
    assert keep_encrypted(url, "http://api.test/v2") == url
