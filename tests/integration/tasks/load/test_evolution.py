"""Columns that change: followed, or refused with the statement that would resolve it."""

import threading
import uuid
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from tasks.errors import ConfigurationError, RetriableError
from tasks.handover import LoadReport
from tests.integration.tasks.load.builders import Shop, make_pipeline, make_table, with_reason

TYPES = (
    "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
    "WHERE attrelid = 'items'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)


def shop_of(dsn: str, folder: Path, **options: Any) -> Shop:
    return Shop(dsn, folder, make_pipeline(make_table(**options)))


def row(dtype: Any, value: Any, *, key: int = 1) -> pl.DataFrame:
    return pl.DataFrame({"id": [key], "value": pl.Series([value], dtype=dtype)})


def told(report: LoadReport) -> list[tuple[Any, ...]]:
    return [(c.kind, c.column, c.before, c.after) for c in report.schema_changes]


@pytest.mark.parametrize(
    ("old", "new", "after", "widen_to"),
    [
        ((pl.Int16, 1), (pl.Int32, 2**31 - 1), "integer", ()),
        ((pl.Int32, 1), (pl.Int64, 2**63 - 1), "bigint", ()),
        ((pl.Int64, -1), (pl.UInt64, 2**64 - 1), "numeric(20,0)", ()),
        ((pl.Int64, 2**63 - 1), (pl.Decimal(10, 2), "1.25"), "numeric(21,2)", ()),
        ((pl.Decimal(10, 2), "1.25"), (pl.Decimal(12, 4), "1.0625"), "numeric(12,4)", ()),
        ((pl.Float32, 1.5), (pl.Float64, 0.1), "double precision", ()),
        ((pl.Int64, 3), (pl.Float64, 0.5), "double precision", ("float",)),
        ((pl.Boolean, True), (pl.String, "maybe"), "text", ("text",)),
    ],
)
def test_a_wider_type_is_followed_without_loss(
    dsn: str, tmp_path: Path, old: Any, new: Any, after: str, widen_to: Any
) -> None:
    shop = shop_of(dsn, tmp_path, widen_to=widen_to)
    shop.load(row(*old))
    before = dict(shop.query(TYPES))["value"]
    later = row(new[0], new[1], key=2)
    report = shop.load(later)
    assert dict(shop.query(TYPES))["value"] == after
    assert told(report) == [("column widened", "value", before, after)]
    expected = [str(row(*value).get_column("value")[0]) for value in (old, new)]
    stored = [str(value) for (value,) in shop.query("SELECT value FROM items ORDER BY id")]
    assert [s.lower().rstrip("0").rstrip(".") for s in stored] == [
        e.lower().rstrip("0").rstrip(".") for e in expected
    ]
    assert shop.load(later).tables[0].unchanged == 1


def test_narrower_data_fits_and_changes_nothing(dsn: str, tmp_path: Path) -> None:
    shop = shop_of(dsn, tmp_path, columns="freeze")
    shop.load(row(pl.Int64, 2**40))
    report = shop.load(row(pl.Int16, 7))
    assert (shop.rows(), told(report)) == ([(1, 7)], [])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            (pl.Int64, 1),
            (pl.Float64, 0.5),
            (
                r'value is bigint, the data has double precision.*declare widen_to=\("float",\), or change '
                r'the table: ALTER TABLE "public"."items" ALTER COLUMN "value" TYPE double precision'
            ),
        ),
        ((pl.Int64, 1), (pl.String, "x"), r'widen_to=\("text",\).*ALTER COLUMN "value" TYPE text'),
        ((pl.String, "x"), (pl.Int64, 1), "value is text, the data has bigint"),
        ((pl.Float64, 1.0), (pl.Int64, 1), "value is double precision, the data has bigint"),
    ],
)
def test_a_change_that_may_lose_something_is_refused_unless_declared(
    dsn: str, tmp_path: Path, old: Any, new: Any, message: str
) -> None:
    shop = shop_of(dsn, tmp_path)
    shop.load(row(*old))
    with pytest.raises(ConfigurationError, match=message):
        shop.load(row(*new))
    assert len(shop.rows()) == 1


def test_absent_and_new_columns_are_followed_told_once_and_kept_in_the_ledger(
    dsn: str, tmp_path: Path
) -> None:
    shop = shop_of(dsn, tmp_path)
    shop.load(pl.DataFrame({"id": [1], "old": ["a"]}))
    changed = pl.DataFrame({"id": [2], "new": [True]})
    assert told(shop.load(changed)) == [
        ("column added", "new", None, "boolean"),
        ("column absent", "old", "text", None),
    ]
    assert told(shop.load(changed)) == []
    both = changed.with_columns(old=pl.lit("b"))
    assert told(shop.load(both)) == [("column present", "old", None, "text")]
    assert shop.rows() == [(1, "a", None), (2, "b", True)]
    assert shop.query("SELECT kind, statement FROM assay.schema_changes ORDER BY change_id") == [
        ("table created", None),
        ("column added", 'ALTER TABLE "public"."items" ADD COLUMN "new" boolean'),
        ("column absent", 'ALTER TABLE "public"."items" DROP COLUMN "old"'),
        ("column present", None),
    ]


def test_a_frozen_table_names_every_difference_with_its_statement_and_fits_once_they_are_run(
    dsn: str, tmp_path: Path
) -> None:
    shop = shop_of(dsn, tmp_path, columns="freeze")
    shop.load(pl.DataFrame({"id": [1], "count": pl.Series([1], dtype=pl.Int32), "old": ["a"]}))
    changed = pl.DataFrame({"id": [1], "count": [2**40], "new": ["b"]})
    before = shop.snapshot()
    with pytest.raises(ConfigurationError) as caught:
        shop.load(changed)
    assert str(caught.value) == (
        "items is declared columns='freeze', and 3 of its 3 columns differ from public.items:\n"
        "  column 'count' is integer there, bigint holds the data too: "
        'ALTER TABLE "public"."items" ALTER COLUMN "count" TYPE bigint USING "count"::bigint;\n'
        '  column \'new\' is new, text: ALTER TABLE "public"."items" ADD COLUMN "new" text;\n'
        '  column \'old\', text, is absent from the data: ALTER TABLE "public"."items" DROP COLUMN "old";\n'
        "If the change is right, run these statements and then the pipeline; else correct the transform."
    )
    assert shop.snapshot() == before
    for line in str(caught.value).splitlines()[1:4]:
        shop.execute(line[line.index("ALTER") :])
    shop.load(changed)
    assert shop.rows() == [(1, 2**40, "b")]


def test_another_key_is_refused_with_the_statement(dsn: str, tmp_path: Path) -> None:
    shop_of(dsn, tmp_path).load(pl.DataFrame({"id": [1], "other": [1]}))
    shop = Shop(dsn, tmp_path, make_pipeline(make_table("items", "id", "other")))
    with pytest.raises(ConfigurationError) as caught:
        shop.load(pl.DataFrame({"id": [1], "other": [1]}))
    statement = str(caught.value).rpartition("the table: ")[2]
    assert statement == (
        'ALTER TABLE "public"."items" DROP CONSTRAINT "items_pkey", ADD PRIMARY KEY ("id", "other")'
    )
    shop.execute(statement)
    assert shop.load(pl.DataFrame({"id": [1], "other": [2]})).tables[0].inserted == 1


@pytest.mark.parametrize("columns", ["evolve", "freeze"])
def test_columns_that_differ_in_writing_only_are_no_new_columns(
    dsn: str, tmp_path: Path, columns: str
) -> None:
    shop = shop_of(dsn, tmp_path, columns=columns)
    shop.load(pl.DataFrame({"id": [1], "name": ["a"], "a_b": [1]}))
    changed = pl.DataFrame({"id": [2], "Name": ["b"], "A_B": [2]})
    with pytest.raises(ConfigurationError) as caught:
        shop.load(changed)
    message, _, statements = str(caught.value).partition(", or in the table: ")
    assert message == (
        "public.items has one writing of a name, the data another: Columns 'name' and 'Name'; 'a_b' and "
        "'A_B' are one name to whoever writes it without quotes. Rename in the transform"
    )
    assert statements == (
        'ALTER TABLE "public"."items" RENAME COLUMN "name" TO "Name"; '
        'ALTER TABLE "public"."items" RENAME COLUMN "a_b" TO "A_B"'
    )
    for statement in statements.split("; "):
        shop.execute(statement)
    shop.load(changed)
    assert shop.rows() == [(1, "a", 1), (2, "b", 2)]


def test_no_statement_is_offered_that_would_not_help(dsn: str, tmp_path: Path) -> None:
    shop = shop_of(dsn, tmp_path)
    shop.load(pl.DataFrame({"id": [1], "name": ["a"]}))
    shop.execute('ALTER TABLE items ADD COLUMN "Name" text')
    with pytest.raises(ConfigurationError, match=r"Rename in the transform, or drop one of them\.$"):
        shop.load(pl.DataFrame({"id": [1], "Name": ["a"]}))


def test_a_column_that_a_view_reads_is_named_when_it_cannot_be_widened(dsn: str, tmp_path: Path) -> None:
    shop = shop_of(dsn, tmp_path)
    shop.load(row(pl.Int32, 1))
    shop.execute("CREATE VIEW goods AS SELECT value FROM items")
    with pytest.raises(ConfigurationError, match=r"view goods depends on column .*yourself: ALTER TABLE"):
        shop.load(row(pl.Int64, 2**40))


def test_a_large_table_is_not_written_anew_while_its_readers_wait(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.load.fitting.REWRITE_LIMIT_BYTES", 8000)
    shop = shop_of(dsn, tmp_path)
    shop.load(row(pl.Int32, 1))
    with pytest.raises(ConfigurationError, match=r"GiB anew while its readers wait.*ALTER TABLE"):
        shop.load(row(pl.Int64, 2**40))
    shop.load(pl.DataFrame({"id": [1], "value": pl.Series([1], dtype=pl.Int32), "new": [1]}))


def test_a_reader_that_stays_is_named_and_does_not_keep_others_waiting(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.load.fitting.PATIENCE_S", 0.05)
    shop = shop_of(dsn, tmp_path)
    shop.load(pl.DataFrame({"id": [1]}))
    changed = pl.DataFrame({"id": [1], "new": [1]})
    with psycopg.connect(dsn, application_name="dashboard") as reader:
        reader.execute("SELECT FROM items")
        with pytest.raises(RetriableError, match=r"did not leave it.*\(dashboard\)"):
            shop.load(changed)
        monkeypatch.setattr("tasks.load.fitting.PATIENCE_S", 0.3)
        release = threading.Timer(0.4, reader.rollback)
        release.start()
        shop.load(changed)
        release.join()
    assert shop.rows() == [(1, 1)]


@pytest.mark.parametrize(
    ("frame", "difference"),
    [
        ({"new": ["a"]}, 'column \'new\' is new, text: ALTER TABLE "public"."items" ADD COLUMN "new" text;'),
        (
            {"number": [2**40]},
            (
                "column 'number' is integer there, bigint holds the data too: "
                'ALTER TABLE "public"."items" ALTER COLUMN "number" TYPE bigint USING "number"::bigint;'
            ),
        ),
        (
            {"list": [[2**40]]},
            (
                "column 'list' is integer[] there, bigint[] holds the data too: "
                'ALTER TABLE "public"."items" ALTER COLUMN "list" TYPE bigint[] USING "list"::bigint[];'
            ),
        ),
        (
            {"number": None},
            (
                "column 'number', integer, is absent from the data: "
                'ALTER TABLE "public"."items" DROP COLUMN "number";'
            ),
        ),
        (
            {"number": ["x"]},
            (
                "column 'number' is integer there, the data has text: "
                'ALTER TABLE "public"."items" ALTER COLUMN "number" TYPE text USING "number"::text;'
            ),
        ),
        (
            {"list": [[{"a": 1}]]},
            (
                "column 'list' is integer[] there, the data has jsonb: "
                'ALTER TABLE "public"."items" ALTER COLUMN "list" TYPE jsonb USING to_jsonb("list");'
            ),
        ),
        ({"Number": [1]}, "Columns 'number' and 'Number' are one name"),
        ({"x" * 64: [1]}, "Postgres takes names of 1 to 63 bytes"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_frozen_table_prints_the_difference_and_what_resolves_it(
    dsn: str, tmp_path: Path, frame: dict[str, Any], difference: str
) -> None:
    shop = shop_of(dsn, tmp_path, columns="freeze")
    types = {"number": pl.Int32(), "list": pl.List(pl.Int32())}
    first: dict[str, Any] = {"id": [1], "number": [1], "list": [[1]]}
    shop.load(pl.DataFrame(first, schema_overrides=types))
    kept = {name: kind for name, kind in types.items() if name not in frame}
    changed = {name: values for name, values in (first | frame).items() if values is not None}
    before = shop.snapshot()
    with pytest.raises(ConfigurationError) as caught:
        shop.load(pl.DataFrame(changed, schema_overrides=kept))
    assert difference in str(caught.value)
    assert shop.snapshot() == before


def test_a_frozen_table_names_a_type_that_cannot_be_followed_beside_all_else(
    dsn: str, tmp_path: Path
) -> None:
    """And not how to declare that it may be followed: frozen, it may not."""
    shop = shop_of(dsn, tmp_path, columns="freeze")
    shop.load(pl.DataFrame({"id": [1], "count": [1]}))
    changed = pl.DataFrame({"id": [1], "count": [0.5], "new": ["b"]})
    with pytest.raises(ConfigurationError) as caught:
        shop.load(changed)
    assert str(caught.value).splitlines()[1:3] == [
        '  column \'new\' is new, text: ALTER TABLE "public"."items" ADD COLUMN "new" text;',
        (
            "  column 'count' is bigint there, the data has double precision: "
            'ALTER TABLE "public"."items" ALTER COLUMN "count" TYPE double precision '
            'USING "count"::double precision;'
        ),
    ]
    for line in str(caught.value).splitlines()[1:3]:
        shop.execute(line[line.index("ALTER") :])
    shop.load(changed)
    assert shop.rows() == [(1, 0.5, "b")]


def test_text_becomes_a_uuid_where_that_is_declared(dsn: str, tmp_path: Path) -> None:
    upper = "0190163D-8694-739B-AEA5-966C26F8AD90"
    frame = pl.DataFrame({"id": [upper], "payload": ['{"b": 1.50, "a": null}']})
    shop = shop_of(dsn, tmp_path, types={"id": "uuid", "payload": "jsonb"})
    shop.load(frame, quarantine=with_reason(frame.with_columns(id=pl.lit("no uuid"))))
    assert shop.query("SELECT * FROM items") == [(uuid.UUID(upper), {"a": None, "b": 1.5})]
    assert shop.query("SELECT key FROM assay.quarantine") == [(None,)]
    again = shop.load(frame.with_columns(pl.col("id").str.to_lowercase()))
    assert again.tables[0].unchanged == 1
    with pytest.raises(ConfigurationError, match=r'not of the declared type.*uuid: "no uuid"'):
        shop.load(frame.with_columns(id=pl.lit("no uuid")))
    with pytest.raises(ConfigurationError, match="types declares 'id' as uuid, and the data has bigint"):
        shop.load(frame.with_columns(id=pl.lit(1, pl.Int64)))
