"""Refresh tokens that change with each use: good for one run, and the next says why it is refused."""

import logging
from pathlib import Path

import pytest

from tasks.errors import ConfigurationError
from tasks.pipeline import OAuth2
from tests.integration.tasks.extract.serving import PAGES, Handler, extract, make_page, read_ids, serving

FIRST = "r3fresh-t0ken-0"
TOKEN_USES = 5
"""Requests that an access token is good for."""


def test_a_rotated_refresh_token_serves_the_run_and_is_told_to_the_next(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refresh = [FIRST]
    uses: dict[str, int] = {}

    def respond(handler: Handler, _asked: int) -> None:
        if handler.route == "/token":
            if handler.form["refresh_token"] != refresh[-1]:
                handler.send_json({"error": "invalid_grant"}, 400)
                return
            refresh.append(f"r3fresh-t0ken-{len(refresh)}")
            uses[f"Bearer access-{len(refresh)}"] = 0
            handler.send_json({"access_token": f"access-{len(refresh)}", "refresh_token": refresh[-1]}, 201)
            return
        token = str(handler.headers["Authorization"])
        uses[token] = uses.get(token, TOKEN_USES) + 1
        if uses[token] > TOKEN_USES:
            handler.send(b"", 401)
        else:
            handler.send_json(make_page(handler))

    with serving(respond) as (url, _), caplog.at_level(logging.WARNING):
        auth = OAuth2(token_url=f"{url}/token", client_id="me", refresh_secret="shop-refresh")
        secrets = {"shop-refresh": FIRST}
        extracted = extract(url, tmp_path / "1", secrets=secrets, auth=auth, connections=1)
        with pytest.raises(
            ConfigurationError, match=r"invalid_grant.*'shop-refresh' may be void.*rotate"
        ) as e:
            extract(url, tmp_path / "2", secrets=secrets, auth=auth, connections=1)
    assert read_ids(extracted) == list(range(10 * PAGES))
    assert len(refresh) > 2
    assert "gave a new refresh token" in caplog.text
    assert not any(token in caplog.text + str(e.value) for token in refresh)
