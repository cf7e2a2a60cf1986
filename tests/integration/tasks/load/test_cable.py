"""A network or a server that goes silent under a load: no FIN, no RST, only no answer any more."""

import math
import re
import time

import polars as pl
import pytest
from psycopg.conninfo import conninfo_to_dict

from tasks.errors import RetriableError
from tasks.load import connection
from tasks.load.connection import PipelineBusyError, hold_pipeline, limit_transaction, open_connection
from tasks.load.patience import KEEPALIVES, PatientConnection
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
    monkeypatch.setattr(connection, "END_S", 0.2)
    monkeypatch.setattr(connection, "KEEPALIVES", re.sub(r"\d+", "1", KEEPALIVES))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("death", Death, ids=[death.name for death in Death])
def test_a_load_ends_when_its_server_is_silent_and_the_next_brings_all(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, moment: str, death: Death
) -> None:
    shop.load(OLD)
    before, load = shop.snapshot(), shop.begin()
    with lay_cable(shop.dsn, death, *MOMENTS[moment]) as cable, monkeypatch.context() as patched:
        patience = property(lambda _: 0.3 if cable.is_dead.is_set() else 60, lambda *_: None)
        patched.setattr(PatientConnection, "patience_s", patience)
        far = Shop(cable.dsn, shop.folder, shop.pipeline)
        with pytest.raises(RetriableError, match="by half; run the pipeline again"):
            far.publish(far.stage(MANY, load=load))
        assert cable.is_dead.is_set()
        assert shop.snapshot() == before
    assert shop.publish(shop.stage(NEW, load=load)) == "published"


def test_a_statement_is_waited_for_longer_than_the_server_lets_it_take(dsn: str) -> None:
    with open_connection(dsn) as conn, conn.transaction():
        for bound, patience in ((1, 300), (600, 660), (0, math.inf)):
            limit_transaction(conn, statement_timeout_s=bound)
            assert conn.patience_s == patience


@pytest.mark.usefixtures("impatient")
def test_a_server_lets_a_pipeline_go_whose_run_it_cannot_reach(dsn: str) -> None:
    if str(conninfo_to_dict(dsn)["host"]).startswith("/"):
        pytest.skip("a Unix socket cannot lose its other end: ASSAY_TEST_DSN must name a server on TCP")
    with lay_cable(dsn, Death.CUT, (b"'other'",)) as cable, hold_pipeline(cable.dsn, "shop"):
        cable.die()
        with pytest.raises(PipelineBusyError), hold_pipeline(dsn, "shop"):
            pass
        deadline = time.monotonic() + 20
        while not _is_free(dsn):
            assert time.monotonic() < deadline
            time.sleep(0.2)


def _is_free(dsn: str) -> bool:
    try:
        with hold_pipeline(dsn, "shop"):
            return True
    except PipelineBusyError:
        return False
