"""What errors tell of a DSN, and the keys of locks."""

from urllib.parse import quote

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import ConfigurationError, PipelineError
from tasks.load import connection
from tasks.load.connection import connect, describe_dsn, lock_key

PASSWORDS = st.text(st.characters(codec="ascii", exclude_characters="\x00"), min_size=1, max_size=6).map(
    lambda text: f"Secret{text}Secret"
)


@pytest.mark.parametrize(
    ("dsn", "described"),
    [
        ("postgresql://me:secret@db.example:5433/shop", "db.example:5433/shop"),
        ("postgresql://me:secret@db.example/shop", "db.example:5432/shop"),
        ("host=db.example user=me password=secret dbname=shop", "db.example:5432/shop"),
        ("postgresql:///shop?host=/run/postgresql", "/run/postgresql:5432/shop"),
    ],
)
def test_a_dsn_is_described_by_its_server_and_database(dsn: str, described: str) -> None:
    assert describe_dsn(dsn) == described


@given(password=PASSWORDS, is_quoted=st.booleans())
def test_no_part_of_a_password_is_ever_told(password: str, is_quoted: bool) -> None:
    """Also where it is not quoted as it should be, so that libpq reads a part of it as something else."""
    written = quote(password, safe="") if is_quoted else password
    dsn = f"postgresql://me:{written}@127.0.0.1:1/shop?connect_timeout=2"
    with pytest.raises(PipelineError) as refused:
        connect(dsn)
    assert "Secret" not in str(refused.value)
    assert "ASSAY_DATABASE_URL" in str(refused.value)


@pytest.mark.parametrize(
    "dsn", ["nonsense", "host=db password=a secret", "postgresql://me:100%secret@db/shop"]
)
def test_a_malformed_dsn_is_told_with_an_example(dsn: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"is not a DSN: .*It looks like postgresql://user"
    ) as refused:
        connect(dsn)
    assert "secret" not in str(refused.value)


def test_a_server_s_message_that_quotes_the_password_does_not_pass_it_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("odd pooler: no user me with password secret\nDETAIL: more")

    monkeypatch.setattr(connection.psycopg, "connect", refuse)  # type: ignore[attr-defined]
    with pytest.raises(PipelineError) as refused:
        connect("host=db user=me password=secret")
    assert "secret" not in str(refused.value)


def test_lock_keys_are_the_same_everywhere_and_tell_names_apart() -> None:
    assert lock_key("pipeline", "shop") == 5443263537230645857
    assert lock_key("a", "bc") != lock_key("ab", "c")
    assert all(-(2**63) <= lock_key(str(number)) < 2**63 for number in range(100))
