"""Rows that were staged before the gate judged them: staging ends with the clean ones, whatever was taken."""

import threading
from pathlib import Path

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from tasks.handover import Load, TableVerdict, Transformed
from tasks.load.connection import limit_transaction, open_connection
from tasks.load.load import stage_table
from tasks.load.settling import settle_staged
from tasks.load.staging import staging_name
from tasks.load.streaming import StagingStream
from tests.integration.tasks.load.builders import Shop, make_pipeline, make_table

ROWS = pl.DataFrame({"id": list(range(100)), "value": [f"v{n}" for n in range(100)]})


def stream(shop: Shop, load: Load, rows: pl.DataFrame) -> Transformed:
    """Rows as they are when the API has been read: in staging, and in Parquet parts."""
    table = shop.pipeline.tables[0]
    folder = Path(load.work, "streamed")
    folder.mkdir(exist_ok=True)
    staging = StagingStream(shop.target, shop.pipeline, table, load)
    for number, batch in enumerate(rows.iter_slices(40)):
        batch.write_parquet(folder / f"part-{number}.parquet")
        staging.copy(batch)
    staging.finish()
    staging.close()
    return Transformed(table=table.name, rows=str(folder), row_count=rows.height, is_staged=True)


def judged(shop: Shop, load: Load, transformed: Transformed, clean: pl.DataFrame) -> TableVerdict:
    verdict = shop.judge(load, clean).verdicts[0]
    whole = transformed.rows if clean.height == transformed.row_count else verdict.clean
    return TableVerdict(
        table=verdict.table,
        resource=verdict.resource,
        verdict="passed",
        transformed=transformed.row_count,
        superseded=0,
        quarantined=transformed.row_count - clean.height,
        clean_count=clean.height,
        clean=whole,
    )


def settle(shop: Shop, load: Load, transformed: Transformed, verdict: TableVerdict) -> bool:
    with open_connection(shop.dsn) as conn:
        return settle_staged(
            conn, load.load_id, shop.pipeline.tables[0], transformed, verdict, statement_timeout_s=30
        )


def staged_rows(shop: Shop, load: Load) -> list[tuple[object, ...]]:
    name = staging_name(load.load_id, shop.pipeline.tables[0].name)
    return sorted(shop.query(f'SELECT * FROM assay_staging."{name}"'), key=str)


def test_what_the_gate_lets_pass_whole_stays_as_it_is(shop: Shop) -> None:
    load = shop.begin()
    transformed = stream(shop, load, ROWS)
    assert settle(shop, load, transformed, judged(shop, load, transformed, ROWS))
    assert staged_rows(shop, load) == sorted(ROWS.rows(), key=str)


def test_copies_older_versions_and_rows_without_a_key_are_taken_out(shop: Shop) -> None:
    load = shop.begin()
    more = pl.DataFrame({"id": [7, 7, None, 50], "value": ["v7", "newer", "no key", "older"]})
    transformed = stream(shop, load, pl.concat([ROWS, more]))
    clean = ROWS.with_columns(value=pl.when(pl.col("id") == 7).then(pl.lit("newer")).otherwise("value"))
    assert settle(shop, load, transformed, judged(shop, load, transformed, clean))
    assert staged_rows(shop, load) == sorted(clean.rows(), key=str)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_staging_ends_with_the_clean_rows_whatever_was_taken_out(shop: Shop, data: st.DataObject) -> None:
    keys = data.draw(st.lists(st.integers(0, 30), min_size=1, max_size=60))
    rows = pl.DataFrame({"id": keys, "value": [f"v{n}" for n in range(len(keys))]})
    newest = rows.unique("id", keep="last", maintain_order=True)
    clean = newest.filter(~pl.col("id").is_in(data.draw(st.sets(st.sampled_from(keys)))))
    load = shop.begin(full_refresh=True)
    transformed = stream(shop, load, rows)
    verdict = judged(shop, load, transformed, clean)

    table = shop.pipeline.tables[0]
    stage_table(shop.target, shop.pipeline, table, load, {table.name: transformed}, verdict)

    assert staged_rows(shop, load) == sorted(clean.rows(), key=str)


def test_without_a_key_rows_are_staged_afresh(shop: Shop) -> None:
    shop.pipeline = make_pipeline(make_table(primary_key=(), disposition="replace"), incremental=False)
    load = shop.begin()
    transformed = stream(shop, load, ROWS)
    verdict = judged(shop, load, transformed, ROWS.tail(90))
    assert not settle(shop, load, transformed, verdict)


@pytest.mark.parametrize("harm", ["TRUNCATE", "DROP TABLE"])
def test_staging_that_was_emptied_is_filled_afresh(shop: Shop, harm: str) -> None:
    """As after a crash of the server, which empties unlogged tables."""
    load, table = shop.begin(), shop.pipeline.tables[0]
    transformed = stream(shop, load, ROWS)
    shop.execute(f'{harm} assay_staging."{staging_name(load.load_id, "items")}"')
    verdict = judged(shop, load, transformed, ROWS)
    stage_table(shop.target, shop.pipeline, table, load, {table.name: transformed}, verdict)
    assert staged_rows(shop, load) == sorted(ROWS.rows(), key=str)


@pytest.mark.parametrize("taken", [1, 60], ids=["one row taken out", "most rows taken out"])
def test_an_index_that_takes_its_time_is_waited_for(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    monkeypatch.setitem(limit_transaction.__kwdefaults__ or {}, "lock_timeout_s", 0.1)
    load, table = shop.begin(), shop.pipeline.tables[0]
    transformed = stream(shop, load, ROWS)
    clean = ROWS.tail(-taken)
    verdict = judged(shop, load, transformed, clean)
    with psycopg.connect(shop.dsn) as indexing:
        name = sql.Identifier("assay_staging", staging_name(load.load_id, "items"))
        indexing.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(name))
        threading.Timer(0.4, indexing.commit).start()
        stage_table(shop.target, shop.pipeline, table, load, {table.name: transformed}, verdict)
    assert staged_rows(shop, load) == sorted(clean.rows(), key=str)
