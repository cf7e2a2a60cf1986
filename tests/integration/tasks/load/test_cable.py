"""A network or a server that goes silent under a load: no FIN, no RST, only no answer any more."""

import re
import time

import polars as pl
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tasks.errors import RetriableError
from tasks.load import connection
from tasks.load.connection import PipelineBusyError, hold_pipeline, limit_transaction, open_connection
from tasks.load.patience import KEEPALIVES
from tests.integration.tasks.load.builders import Shop
from tests.integration.tasks.load.cable import Death, lay_cable

MANY = pl.DataFrame({"id": range(100_000)}).with_columns(value=pl.lit("some text that fills buffers " * 4))
OLD, NEW = MANY.tail(2), MANY.head(3)
CLAIM = b"INSERT INTO assay.publications"
MOMENTS = {
    "in the middle of COPY": ((b"COPY ",), 1_000_000),
    "before the tables are compared": ((CLAIM, b"'work_mem'"), 0),
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "PATIENCE_S", 0.2)
    monkeypatch.setattr(connection, "GRACE_S", 0.2)
    monkeypatch.setattr(connection, "END_S", 0.2)
    monkeypatch.setattr(connection, "KEEPALIVES", re.sub(r"\d+", "1", KEEPALIVES))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("death", Death, ids=[death.name for death in Death])
def test_a_load_ends_when_its_server_is_silent_and_the_next_brings_all(
    shop: Shop, moment: str, death: Death
) -> None:
    shop.load(OLD)
    before, load = shop.snapshot(), shop.begin()
    with lay_cable(shop.dsn, death, *MOMENTS[moment]) as cable:
        far = Shop(cable.dsn, shop.folder, shop.pipeline, statement_timeout_s=0.5)
        with pytest.raises(RetriableError, match="by half; run the pipeline again"):
            far.publish(far.stage(MANY, load=load))
        assert cable.is_dead.is_set()
        assert shop.snapshot() == before
    assert shop.publish(shop.stage(NEW, load=load)) == "published"


@pytest.mark.usefixtures("impatient")
def test_a_statement_without_a_bound_is_waited_for(dsn: str) -> None:
    with open_connection(dsn) as conn, conn.transaction():
        limit_transaction(conn, statement_timeout_s=0)
        conn.execute("SELECT pg_sleep(0.6)")
        limit_transaction(conn, statement_timeout_s=0.01)
        with pytest.raises(psycopg.OperationalError, match="canceling statement"):
            conn.execute("SELECT pg_sleep(0.1)")


@pytest.mark.usefixtures("impatient")
def test_a_server_lets_a_pipeline_go_whose_run_it_cannot_reach(dsn: str) -> None:
    if str(conninfo_to_dict(dsn)["host"]).startswith("/"):
        pytest.skip("a Unix socket cannot lose its other end: ASSAY_TEST_DSN must name a server on TCP")
    with lay_cable(dsn, Death.CUT, (b"'other'",)) as cable, hold_pipeline(cable.dsn, "shop"):
        cable.die()
        with pytest.raises(PipelineBusyError), hold_pipeline(dsn, "shop"):
            pass
        time.sleep(5)
        with hold_pipeline(dsn, "shop"):
            pass
