import io
from pathlib import Path

import pytest
import requests
from urllib3 import HTTPResponse

from tasks.errors import ConfigurationError, FatalError
from tasks.extract.auth import Anonymous, BearerToken, SameOriginSession, authenticate, origin_of
from tasks.pipeline import Bearer

BEARER = Bearer(secret="flights-token")


def redirect(location: str, url: str = "https://api.example.test/flights?since=1") -> requests.Response:
    response = requests.Response()
    response.status_code, response.url = 302, url
    response.headers["Location"] = location
    response.raw = HTTPResponse(io.BytesIO())
    return response


def test_a_token_is_sent_as_bearer() -> None:
    session = SameOriginSession("https://api.example.test", authenticate(BEARER, lambda _: "s3cret"))
    request = session.prepare_request(requests.Request("GET", "https://api.example.test/flights"))
    assert request.headers["Authorization"] == "Bearer s3cret"


def test_a_line_break_at_the_end_of_a_secret_is_not_sent() -> None:
    auth = authenticate(BEARER, lambda _: "s3cret\n")
    assert auth(requests.PreparedRequest.__new__(_Headers)).headers["Authorization"] == "Bearer s3cret"


class _Headers(requests.PreparedRequest):
    headers = requests.structures.CaseInsensitiveDict()


@pytest.mark.parametrize("value", ["", " \n", "s3\ncret", "s3cr€t", "s3\x7fcret"])
def test_a_secret_that_cannot_be_sent_is_refused_without_its_value(value: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        authenticate(BEARER, lambda _: value)
    assert "ASSAY_SECRET_FLIGHTS_TOKEN" in str(error.value)
    assert "s3" not in str(error.value)


def test_a_token_does_not_show_in_its_repr() -> None:
    assert repr(BearerToken("flights-token", "s3cret")) == "BearerToken('flights-token')"


def test_credentials_of_a_netrc_file_are_never_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine api.example.test login me password found-in-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    session = SameOriginSession("https://api.example.test", Anonymous())
    request = session.prepare_request(requests.Request("GET", "https://api.example.test/flights"))
    assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    "location",
    [
        "https://other.example.test/flights",
        "http://api.example.test/flights",
        "https://api.example.test:8443/flights",
        "//other.example.test/flights",
        "https://user:pw@other.example.test/",
    ],
)
def test_a_redirect_to_another_origin_is_refused(location: str) -> None:
    session = SameOriginSession("https://api.example.test", Anonymous())
    with pytest.raises(FatalError, match="another origin") as error:
        session.get_redirect_target(redirect(location))
    assert "pw" not in str(error.value)


@pytest.mark.parametrize("location", ["/v2/flights", "https://api.example.test:443/v2/flights"])
def test_a_redirect_within_the_origin_is_followed(location: str) -> None:
    session = SameOriginSession("https://api.example.test", Anonymous())
    assert session.get_redirect_target(redirect(location)) == location


def test_a_default_port_is_the_same_origin_as_none() -> None:
    assert origin_of("https://a.test") == origin_of("https://A.test:443/path")
    assert origin_of("http://a.test") != origin_of("https://a.test")


def test_a_secret_in_a_body_is_masked() -> None:
    token = BearerToken("flights-token", "s3cret-token")
    assert token.mask(b'{"you": "s3cret-token"}') == b'{"you": "************"}'


def test_a_body_without_the_secret_is_untouched() -> None:
    body = b'{"you": "me"}'
    assert BearerToken("flights-token", "s3cret-token").mask(body) is body
