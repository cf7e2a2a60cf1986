import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import ValidationError

from tasks.errors import ConfigurationError
from tasks.extract.auth import Anonymous, authenticate
from tasks.pipeline import ApiKey, Basic, Bearer, OAuth2, SecretHeaders, Signature, Signed, Unsigned
from tasks.pipeline.auth import Auth

URL = "https://api.example.test/flights?page=2"
SECRETS = {"token": "s3cret-t0ken", "key": "k/1 +&é=", "user": "me", "password": "pä:ss"}


def find_secret(name: str) -> str:
    if name not in SECRETS:
        raise ConfigurationError(f"no secret {name!r}")
    return SECRETS[name]


def send(auth: Auth | None, url: str = URL, **request: Any) -> requests.PreparedRequest:
    prepared = requests.Request(url=url, **({"method": "GET"} | request)).prepare()
    return authenticate(auth, find_secret)(prepared)


def test_a_token_is_sent_as_bearer() -> None:
    assert send(Bearer(secret="token")).headers["Authorization"] == "Bearer s3cret-t0ken"


def test_user_name_and_password_are_sent_as_utf8() -> None:
    sent = send(Basic(username="jö", secret="password")).headers["Authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")).decode() == "jö:pä:ss"


def test_a_key_as_user_name_has_no_password() -> None:
    sent = send(Basic(username_secret="token")).headers["Authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")) == b"s3cret-t0ken:"


def test_a_key_is_sent_in_the_declared_header_after_its_prefix() -> None:
    sent = send(ApiKey(name="X-Api-Key", secret="token", prefix="Token "))
    assert sent.headers["X-Api-Key"] == "Token s3cret-t0ken"
    assert sent.url == URL


def test_a_key_in_the_query_is_quoted_and_replaces_one_of_its_name() -> None:
    auth = ApiKey(name="api key", secret="key", place="query")
    quoted = "api+key=k%2F1+%2B%26%C3%A9%3D"
    assert send(auth).url == f"{URL}&{quoted}"
    assert send(auth, "https://a.test/?api%20key=***&page=2").url == f"https://a.test/?page=2&{quoted}"
    assert send(auth, "https://a.test/").url == f"https://a.test/?{quoted}"


def test_each_header_has_its_own_secret() -> None:
    sent = send(SecretHeaders(secrets={"X-Id": "user", "X-Key": "token"})).headers
    assert (sent["X-Id"], sent["X-Key"]) == ("me", "s3cret-t0ken")


def sign(request: Unsigned, secrets: Mapping[str, str]) -> Signature:
    facts = f"{request.method} {request.url} {request.body.decode()}"
    return Signature(headers={"X-Signature": f"{facts} {len(secrets['token'])}"}, params={"nonce": "1"})


def test_a_function_of_the_pipeline_signs_each_request() -> None:
    sent = send(Signed(sign=sign, secrets=("token",)), method="POST", data=b"{}")
    assert sent.headers["X-Signature"] == f"POST {URL} {{}} 12"
    assert sent.url == f"{URL}&nonce=1"


def test_a_signing_function_that_fails_does_not_tell_the_secret() -> None:
    def fail(_request: Unsigned, secrets: Mapping[str, str]) -> Signature:
        raise KeyError(secrets["token"])

    with pytest.raises(ConfigurationError, match="fail, which signs requests, failed: KeyError") as error:
        send(Signed(sign=fail, secrets=("token",)))
    assert "s3cret" not in str(error.value)
    assert error.value.__context__ is None


def test_without_auth_nothing_is_sent() -> None:
    assert dict(send(None).headers) == {}


def test_an_optional_token_may_be_missing_and_another_may_not() -> None:
    assert dict(send(Bearer(secret="missing", optional=True)).headers) == {}
    assert "Authorization" in send(Bearer(secret="token", optional=True)).headers
    with pytest.raises(ConfigurationError, match="missing"):
        send(Bearer(secret="missing"))


@pytest.mark.parametrize("value", ["", " \n", "s3\ncret", "s3cr€t", "s3\x7fcret"])
@pytest.mark.parametrize(
    "auth",
    [
        Bearer(secret="shop-token"),
        ApiKey(name="X-Key", secret="shop-token"),
        SecretHeaders(secrets={"X-Key": "shop-token"}),
    ],
)
def test_a_secret_that_cannot_be_sent_is_refused_without_its_value(auth: Auth, value: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        authenticate(auth, lambda _: value)
    assert "ASSAY_SECRET_SHOP_TOKEN" in str(error.value)
    assert "s3" not in str(error.value)


def test_a_line_break_at_the_end_of_a_secret_is_not_sent() -> None:
    request = requests.Request("GET", URL).prepare()
    authenticate(Bearer(secret="token"), lambda _: "s3cret\n")(request)
    assert request.headers["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    "auth",
    [
        Bearer(secret="token"),
        Basic(username="me", secret="token"),
        ApiKey(name="X-Key", secret="token"),
        ApiKey(name="key", secret="token", place="query"),
        SecretHeaders(secrets={"X-Key": "token"}),
        Signed(sign=sign, secrets=("token",)),
        OAuth2(token_url="https://a.test/token", client_id="me", client_secret="token"),
    ],
)
def test_no_secret_shows_in_a_repr(auth: Auth) -> None:
    sender = authenticate(auth, find_secret)
    assert "s3cret" not in repr(sender) + repr(auth) + auth.model_dump_json()
    assert sender.mask.text("a s3cret-t0ken") == "a ***"


@pytest.mark.parametrize("declared", [{}, {"username": "me", "username_secret": "user"}])
def test_basic_auth_without_a_secret_or_with_two_users_is_refused(declared: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Basic(**declared)


def test_oauth_without_a_secret_is_refused() -> None:
    with pytest.raises(ValidationError, match="name a secret"):
        OAuth2(token_url="https://a.test/token", client_id="me")


def test_credentials_of_a_netrc_file_are_never_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.example.test login me password found-in-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    request = requests.Session().prepare_request(requests.Request("GET", URL, auth=Anonymous()))
    assert "Authorization" not in request.headers
