"""Connections that cannot be had or used, and the hold on a pipeline."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import polars as pl
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tasks.errors import ConfigurationError, FatalError, PipelineError, RetriableError
from tasks.load import ledger
from tasks.load.connection import connect, hold_pipeline, open_connection
from tasks.load.staging import prepare_staging
from tests.integration.tasks.load.builders import Shop, make_pipeline
from tests.integration.tasks.load.proxy import Lost, lose_commit

SECRET = "s3cret/@:%?"


@pytest.fixture
def guest(dsn: str) -> Iterator[str]:
    """DSN of a role with a password and no rights, in a database whose schemas are there."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
        conn.execute("REVOKE CREATE ON SCHEMA public FROM public")
        yield make_conninfo(dsn, user="guest", password=SECRET)
        conn.execute("DROP OWNED BY guest")
        conn.execute("DROP ROLE guest")


@pytest.fixture
def asks_for_passwords(dsn: str) -> Iterator[None]:
    """The server wants the password of `guest`, and of nobody else."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        [(name,)] = conn.execute("SHOW hba_file").fetchall()
        rules = Path(name)
        before = rules.read_text()
        rules.write_text(f"local all guest scram-sha-256\nhost all guest samehost scram-sha-256\n{before}")
        conn.execute("SELECT pg_reload_conf()")
        yield
        rules.write_text(before)
        conn.execute("SELECT pg_reload_conf()")


def refusal(dsn: str) -> PipelineError:
    with pytest.raises(PipelineError) as refused:
        connect(dsn).close()
    told = str(refused.value)
    assert SECRET not in told
    assert "ASSAY_DATABASE_URL" in told
    return refused.value


@pytest.mark.usefixtures("asks_for_passwords")
def test_a_wrong_password_is_told_without_it(guest: str) -> None:
    error = refusal(guest)
    assert isinstance(error, ConfigurationError)
    assert "password authentication failed" in str(error)


@pytest.mark.usefixtures("asks_for_passwords")
def test_a_missing_password_is_told(guest: str) -> None:
    error = refusal(make_conninfo(guest, password=""))
    assert isinstance(error, ConfigurationError)
    assert "no password supplied" in str(error)


def test_an_unknown_database_is_told(dsn: str) -> None:
    error = refusal(make_conninfo(dsn, dbname="nowhere", password=SECRET))
    assert isinstance(error, ConfigurationError)
    assert 'database "nowhere" does not exist' in str(error)


def test_an_unknown_role_is_told(dsn: str) -> None:
    assert isinstance(refusal(make_conninfo(dsn, user="nobody")), ConfigurationError)


def test_a_database_one_may_not_enter_is_told(dsn: str, guest: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(f"REVOKE CONNECT ON DATABASE {conn.info.dbname} FROM public".encode())
    assert isinstance(refusal(guest), ConfigurationError)


@pytest.mark.parametrize(
    "where",
    ["host=127.0.0.1 port=1", "host=/nowhere", "host=nowhere.invalid"],
    ids=["port", "socket", "host"],
)
def test_an_unreachable_server_may_come_back(where: str) -> None:
    error = refusal(make_conninfo(where, password=SECRET, connect_timeout=2))
    assert isinstance(error, RetriableError)
    assert "is not reachable" in str(error)


def test_a_server_that_is_full_may_be_free_later(dsn: str, guest: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("ALTER ROLE guest CONNECTION LIMIT 0")
    assert isinstance(refusal(guest), RetriableError)


def test_a_server_that_is_gone_without_a_word_is_noticed_within_minutes(dsn: str) -> None:
    with (
        lose_commit(dsn, Lost.ANSWER) as through,
        closing(connect(through)) as conn,
        socket.socket(fileno=os.dup(conn.fileno())) as wire,
    ):
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if sys.platform == "linux":
            tcp = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
            found = [wire.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in tcp]
            assert found == [30, 10, 3, 300_000]


def test_a_dsn_sets_otherwise_how_long_it_waits(dsn: str) -> None:
    with closing(connect(make_conninfo(dsn, connect_timeout=7, tcp_user_timeout=9000))) as conn:
        known = conn.info.get_parameters()
    assert (known["connect_timeout"], known["tcp_user_timeout"]) == ("7", "9000")
    assert known["keepalives_idle"] == "30"


def test_missing_rights_are_told_with_what_is_needed(guest: str) -> None:
    with (
        pytest.raises(ConfigurationError, match=r"must be able to write the ledger.*assay roles"),
        open_connection(guest) as conn,
    ):
        conn.execute("CREATE TABLE items ()")


def test_no_right_to_create_schemas_is_needed_where_they_exist(dsn: str, guest: str, tmp_path: Path) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA store AUTHORIZATION guest")
        conn.execute("GRANT ALL ON SCHEMA assay_staging TO guest")
        conn.execute("GRANT USAGE ON SCHEMA assay TO guest")
        conn.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA assay TO guest")
    with open_connection(guest) as conn_of_guest:
        ledger.migrate(conn_of_guest)
        prepare_staging(conn_of_guest)
    shop = Shop(guest, tmp_path, make_pipeline(target_schema="store"))
    assert shop.load(pl.DataFrame({"id": [1]})).status == "published"


def test_a_read_only_server_is_told(dsn: str, tmp_path: Path) -> None:
    standby = Shop(make_conninfo(dsn, options="-c default_transaction_read_only=on"), tmp_path)
    with pytest.raises(ConfigurationError, match="must name a server that can be written to"):
        standby.begin()


def test_a_statement_that_takes_too_long_is_told_with_the_setting(shop: Shop) -> None:
    shop.execute("CREATE TABLE items (id bigint PRIMARY KEY)")
    shop.execute(
        "CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_sleep(9); END$$"
    )
    shop.execute("CREATE TRIGGER nap BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION nap()")
    staged = shop.stage(pl.DataFrame({"id": [1]}))
    shop_in_a_hurry = Shop(shop.dsn, shop.folder, shop.pipeline, statement_timeout_s=0.2)
    with pytest.raises(RetriableError, match="ASSAY_STATEMENT_TIMEOUT_S"):
        shop_in_a_hurry.publish(staged)


def test_a_second_run_of_a_pipeline_is_refused(dsn: str) -> None:
    with (
        hold_pipeline(dsn, "shop"),
        pytest.raises(FatalError, match=r"shop: another run of this pipeline is under way.*`assay status`"),
        hold_pipeline(dsn, "shop"),
    ):
        pass


def test_another_pipeline_may_run(dsn: str) -> None:
    with hold_pipeline(dsn, "shop"), hold_pipeline(dsn, "other"):
        pass


def test_a_pipeline_is_free_after_a_run(dsn: str) -> None:
    for _ in range(2):
        with hold_pipeline(dsn, "shop"):
            pass


def test_a_pipeline_is_free_after_a_failure(dsn: str) -> None:
    with pytest.raises(ZeroDivisionError), hold_pipeline(dsn, "shop"):
        raise ZeroDivisionError
    with hold_pipeline(dsn, "shop"):
        pass


def test_a_hold_keeps_no_snapshot_from_vacuum(dsn: str) -> None:
    with hold_pipeline(dsn, "shop"), psycopg.connect(dsn) as conn:
        held = conn.execute(
            "SELECT state, backend_xmin, backend_xid FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'assay'"
        ).fetchall()
    assert held == [("idle in transaction", None, None)]


def test_a_hold_outlasts_the_server_s_patience_with_idle_transactions(dsn: str) -> None:
    """Also where the server ends idle transactions, and long ones, after a while."""
    options = "-c idle_in_transaction_session_timeout=100"
    with psycopg.connect(dsn) as conn:
        if conn.info.server_version >= 170000:
            options += " -c transaction_timeout=100"
    impatient = make_conninfo(dsn, options=options)
    with hold_pipeline(impatient, "shop"):
        time.sleep(0.3)
        with pytest.raises(FatalError), hold_pipeline(dsn, "shop"):
            pass


def test_a_killed_holder_frees_its_pipeline_at_once(dsn: str) -> None:
    program = (
        "import sys, time\nfrom tasks.load.connection import hold_pipeline\n"
        "with hold_pipeline(sys.argv[1], 'shop'):\n    print('held', flush=True)\n    time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, dsn], stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(FatalError), hold_pipeline(dsn, "shop"):
            pass
        holder.send_signal(signal.SIGKILL)
    _take_within(dsn, 2)


def _take_within(dsn: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with hold_pipeline(dsn, "shop"):
                return
        except FatalError:
            assert time.monotonic() < deadline
