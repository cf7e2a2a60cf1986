"""Quarantine in the ledger: one entry a row, closed when a good version is loaded."""

import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import polars as pl
from psycopg.conninfo import make_conninfo

from tests.integration.tasks.load.builders import Shop, make_outcome, make_pipeline, make_table, with_reason

GOOD = pl.DataFrame({"id": [1], "value": ["good"]})
BAD = pl.DataFrame({"id": [2], "value": ["bad"]})
NONE = GOOD.clear()


def entries(shop: Shop, columns: str) -> list[tuple[Any, ...]]:
    return shop.query(f"SELECT {columns} FROM assay.quarantine ORDER BY quarantine_id")


def new_entries(shop: Shop, *args: Any, **details: Any) -> int:
    return shop.load(*args, **details).tables[0].newly_quarantined


def test_a_quarantined_row_is_kept_whole_with_its_reasons(shop: Shop) -> None:
    assert new_entries(shop, GOOD, quarantine=with_reason(BAD, "value: expected good")) == 1
    assert entries(shop, "key, row, reasons") == [
        ({"id": 2}, {"id": 2, "value": "bad"}, ["value: expected good"])
    ]


def test_a_row_seen_again_stays_one_entry(shop: Shop) -> None:
    first = shop.load(GOOD, quarantine=with_reason(BAD, "one reason"))
    assert new_entries(shop, GOOD, quarantine=with_reason(BAD, "another")) == 0
    [(load_id, last_load_id, reasons, is_later)] = entries(
        shop, "load_id, last_load_id, reasons, last_seen_at > first_seen_at"
    )
    assert load_id == first.load_id != last_load_id
    assert (reasons, is_later) == (["another"], True)


def test_another_content_of_the_same_key_is_another_entry(shop: Shop) -> None:
    shop.load(GOOD, quarantine=with_reason(BAD))
    assert new_entries(shop, GOOD, quarantine=with_reason(BAD.with_columns(value=pl.lit("worse")))) == 1


def test_a_good_version_closes_all_entries_of_its_key(shop: Shop) -> None:
    rows = pl.DataFrame({"id": [2, 2, 3], "value": ["bad", "worse", "bad"]})
    shop.load(GOOD, quarantine=with_reason(rows))
    mended = shop.load(BAD.with_columns(value=pl.lit("good")))
    assert entries(shop, "(key->>'id')::int, closed_by") == [
        (2, mended.load_id),
        (2, mended.load_id),
        (3, None),
    ]


def test_a_row_that_turns_bad_again_is_a_new_entry(shop: Shop) -> None:
    shop.load(GOOD, quarantine=with_reason(BAD))
    shop.load(BAD)
    assert new_entries(shop, NONE, quarantine=with_reason(BAD)) == 1
    assert entries(shop, "closed_at IS NULL") == [(False,), (True,)]


def test_entries_of_other_tables_and_pipelines_stay_open(dsn: str, tmp_path: Path) -> None:
    shop = Shop(dsn, tmp_path, make_pipeline(make_table(), make_table("boxes")))
    shop.load({"items": GOOD, "boxes": GOOD}, quarantine=with_reason(BAD))
    shop.load({"items": BAD, "boxes": NONE})
    other = Shop(dsn, tmp_path, make_pipeline(make_table("boxes"), name="other", target_schema="other"))
    other.load(BAD)
    assert entries(shop, "table_name, closed_at IS NULL") == [("items", False), ("boxes", True)]


KEY_VALUES = [
    7,
    2**64 - 1,
    "text",
    "a'\"\\b%s{}",
    "",
    "\\u0000",
    True,
    1.5,
    1e300,
    dt.date(2013, 1, 1),
    dt.datetime(2013, 1, 1, 12, 30, 15, 123456),  # noqa: DTZ001
    dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC),
    dt.datetime(2013, 7, 1, 12, 0, 0, 500, tzinfo=dt.timezone(dt.timedelta(hours=5))),
    dt.time(12, 30, 0, 1),
    decimal.Decimal("1.50"),
    decimal.Decimal("-12345678901234567890.10"),
]


def test_keys_of_all_types_find_their_entry(dsn: str, tmp_path: Path) -> None:
    """Whatever the session's settings are."""
    key = [
        pl.Series(f"k{position}", [value], pl.UInt64 if value == 2**64 - 1 else None)
        for position, value in enumerate(KEY_VALUES)
    ]
    table = make_table("items", *(column.name for column in key))
    elsewhere = make_conninfo(dsn, options="-c timezone=Asia/Kolkata")
    shop = Shop(elsewhere, tmp_path, make_pipeline(table))
    frame = pl.DataFrame([*key, pl.Series("value", ["bad"])])
    shop.load(frame.clear(), quarantine=with_reason(frame))
    shop.load(frame)
    assert entries(shop, "closed_at IS NOT NULL") == [(True,)]


def test_a_zoned_key_finds_its_entry_from_another_zone(dsn: str, tmp_path: Path) -> None:
    shop = Shop(dsn, tmp_path)
    frame = pl.DataFrame({"id": [dt.datetime(2013, 7, 1, 12, tzinfo=dt.UTC)]})
    shop.load(frame.clear(), quarantine=with_reason(frame))
    shop.load(frame.with_columns(pl.col("id").dt.convert_time_zone("America/New_York")))
    assert entries(shop, "closed_at IS NOT NULL") == [(True,)]


def test_a_row_without_a_key_is_kept_and_stays_open(shop: Shop) -> None:
    bad = BAD.with_columns(id=pl.lit(None, pl.Int64))
    shop.load(GOOD, quarantine=with_reason(bad))
    shop.load(GOOD)
    assert entries(shop, "key, closed_at") == [({"id": None}, None)]


def test_a_rejected_record_is_kept_as_its_text(shop: Shop) -> None:
    record = '{"id": "no number"}'
    assert new_entries(shop, GOOD, rejected=[("$.id", "Expected int", record)]) == 1
    assert entries(shop, "key, row, reasons") == [(None, {"record": record}, ["$.id: Expected int"])]
    assert new_entries(shop, GOOD, rejected=[("$.id", "Expected int", record)]) == 0


def test_records_that_jsonb_cannot_hold_are_kept_legibly(shop: Shop) -> None:
    records = ['{"id": "\\u0000"}', '{"id": "\\ud800"}', "a\x00b", "{not json", "\\u0000", ""]
    shop.load(GOOD, rejected=[("$.a\x00b", "odd\x00", record) for record in records])
    reasons = ["$.a\\u0000b: odd\\u0000"]
    assert entries(shop, "row, reasons") == [({"record": legible(record)}, reasons) for record in records]


ODD_TEXTS = ["a\x00b", "\\u0000", "\\\\u0000", "\\\x00", "\\", "naïve 👩", '"']


def legible(text: str) -> str:
    return text.replace("\x00", "\\u0000")


def test_rows_that_jsonb_cannot_hold_are_kept_legibly(shop: Shop) -> None:
    rows = pl.DataFrame({"id": range(2, 2 + len(ODD_TEXTS)), "value": ODD_TEXTS})
    shop.load(GOOD, quarantine=with_reason(rows, "value: a\x00b"))
    expected = [(legible(text), ["value: a\\u0000b"]) for text in ODD_TEXTS]
    assert entries(shop, "row->>'value', reasons") == expected


def test_outcomes_that_jsonb_cannot_hold_are_kept_legibly(shop: Shop) -> None:
    outcomes = [
        make_outcome(
            str(number), examples=(text,), message=text, result={"observed": text, "share": float("nan")}
        )
        for number, text in enumerate(ODD_TEXTS)
    ]
    kept = shop.load(GOOD, outcomes=tuple(outcomes)).outcomes
    assert [(o.examples, o.message, o.result) for o in kept] == [
        ((legible(text),), legible(text), {"observed": legible(text), "share": None}) for text in ODD_TEXTS
    ]
