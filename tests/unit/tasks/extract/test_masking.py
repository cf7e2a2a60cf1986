import logging

import pytest

from tasks.extract.masking import Mask, QuietLibraries


def test_a_secret_in_a_body_is_masked() -> None:
    assert Mask(["s3cret-token"]).body(b'{"you": "s3cret-token"}') == b'{"you": "************"}'


def test_a_body_without_the_secret_is_untouched() -> None:
    body = b'{"you": "me"}'
    assert Mask(["s3cret-token"]).body(body) is body


@pytest.mark.parametrize("form", ["a/b+c d?e", "a%2Fb%2Bc%20d%3Fe", "a%2Fb%2Bc+d%3Fe", "a\\/b+c d?e"])
def test_a_secret_is_masked_in_each_form_it_may_come_back_in(form: str) -> None:
    mask = Mask(["a/b+c d?e"])
    assert mask.text(f"<{form}>") == "<***>"
    assert mask.body(f"<{form}>".encode()) == b"<" + b"*" * len(form) + b">"


def test_a_short_secret_is_not_looked_for_in_data() -> None:
    assert Mask(["abc"]).text("abc") == "abc"
    assert Mask(["abcdef"]).body(b"abcdef") == b"abcdef"
    assert Mask(["abcdef"]).text("abcdef") == "***"


def test_a_token_received_later_is_masked_too() -> None:
    mask = Mask()
    mask.add("s3cret-token")
    assert mask.text("s3cret-token") == "***"


def test_what_a_library_logs_is_masked_while_the_client_is_open(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with QuietLibraries(Mask(["s3cret-token"])):
        logging.getLogger("urllib3.connectionpool").debug('%s "GET %s"', "http://a", "/?key=s3cret-token")
    assert '"GET /?key=***"' in caplog.text
    assert "s3cret" not in caplog.text
