"""What each change of columns does to a table, and what `freeze` says of it.

    python -m tests.benchmarks.load.evolving

On an embedded Postgres, through the functions that a run calls, under `columns="evolve"` and `"freeze"`.
Printed are the table with its rows before and after, the events, the ledger's lines, and each refusal as it
stands; what a refusal says is then done, and the load comes again. Exits 1 if a table is not as it should
be, a refused load changed anything, a row was lost, or doing what a refusal says does not let the load pass.
"""

import json
import logging
import re
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl
import psycopg
from psycopg.conninfo import make_conninfo

from tasks.errors import ConfigurationError
from tasks.load import ledger
from tasks.load.connection import open_connection
from tasks.load.embedded import start_postgres
from tasks.load.staging import prepare_staging
from tasks.publish.events import events_of
from tests.integration.tasks.load.builders import Shop, make_pipeline, make_table

TYPES = (
    "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
    "WHERE attrelid = 'items'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
)
LEDGER = (
    "SELECT kind, column_name, type_before, type_after, statement FROM assay.schema_changes "
    "WHERE kind <> 'table created' ORDER BY change_id"
)
LONGEST = "x" * 63


@dataclass(frozen=True)
class Case:
    """A column `value`, what is loaded next, and the columns then; None where that is refused."""

    what: str
    old: pl.Series
    new: dict[str, pl.Series]
    after: dict[str, str] | None
    options: dict[str, Any] = field(default_factory=dict)
    key: tuple[str, ...] = ("id",)


def value(dtype: Any, number: object) -> pl.Series:
    """A column of one value."""
    return pl.Series("value", [number], dtype=dtype)


def typed(
    what: str, old: tuple[Any, object], new: tuple[Any, object], after: str | None, **options: Any
) -> Case:
    """A change of the column's type."""
    return Case(what, value(*old), {"value": value(*new)}, {"value": after} if after else None, options)


DOUBLE = "double precision"
SMALL = (pl.Int32, 1)
TEXT = value(pl.String, "a")
CASES = (
    Case("a new column", TEXT, {"value": TEXT, "new": value(*SMALL)}, {"value": "text", "new": "integer"}),
    typed("integer → bigint", SMALL, (pl.Int64, 2**40), "bigint"),
    typed("bigint → numeric", (pl.Int64, 2**63 - 1), (pl.UInt64, 2**64 - 1), "numeric(20,0)"),
    typed("bigint → numeric with places", (pl.Int64, 1), (pl.Decimal(10, 2), "1.25"), "numeric(21,2)"),
    typed("bigint → float, not declared", (pl.Int64, 1), (pl.Float64, 0.5), None),
    typed("bigint → float, declared", (pl.Int64, 1), (pl.Float64, 0.5), DOUBLE, widen_to=("float",)),
    typed("integer → text, not declared", SMALL, (pl.String, "x"), None),
    typed("integer → text, declared", SMALL, (pl.String, "x"), "text", widen_to=("text",)),
    typed("boolean → text, declared", (pl.Boolean, True), (pl.String, "x"), "text", widen_to=("text",)),
    Case("a column that vanished", TEXT, {}, {"value": "text"}),
    Case("another key", TEXT, {"value": TEXT}, None, key=("id", "value")),
    Case("a name that differs in case", TEXT, {"Value": TEXT}, None),
    Case("two names that are one", TEXT, {"value": TEXT, "new": TEXT, "NEW": TEXT}, None),
    Case("keywords as names", TEXT, {"value": TEXT, "select": TEXT, "user": TEXT},
         {"value": "text", "select": "text", "user": "text"}),
    Case("a name of 63 bytes", TEXT, {"value": TEXT, LONGEST: TEXT}, {"value": "text", LONGEST: "text"}),
    Case("names of 64 and 66 bytes", TEXT, {"value": TEXT, "x" * 64: TEXT, "ä" * 33: TEXT}, None),
)  # fmt: skip


class Trial:
    """A case under one declaration, in a database of its own."""

    def __init__(self, case: Case, columns: Literal["evolve", "freeze"], server: str, folder: Path) -> None:
        self.wrong: list[str] = []
        self._frame = pl.DataFrame({"id": [2]} | case.new)
        self.shop = Shop(create_database(server, folder.name), folder)
        self.shop.load(pl.DataFrame({"id": [1], "value": case.old}))
        declared = make_table("items", *case.key, columns=columns, **case.options)
        self.shop.pipeline = make_pipeline(declared)

    def follow(self, after: dict[str, str]) -> None:
        """Load; the columns follow, and no row is lost."""
        (first,) = self.shop.rows()
        self.expect("the load passes", self._load() is None)
        self.expect("the columns are as wanted", self._types() == {"id": "bigint"} | after)
        kept, _ = self.shop.rows()
        self.expect("the row is kept", all(map(is_same, first, kept)))
        self.expect("the change stands in the ledger", bool(self.shop.query(LEDGER)))

    def refuse(self) -> None:
        """Load; that is refused and changes nothing, until all is done that the refusals say."""
        refusals, before = 0, self.shop.snapshot()
        while (refusal := self._load()) and refusals < 3:
            refusals += 1
            self.expect("nothing changed", self.shop.snapshot() == before)
            self._resolve(refusal)
            before = self.shop.snapshot()
        self.expect("the load is refused at first", refusals > 0)
        self.expect("the load passes then", refusal is None)
        self.expect("both rows are there", [row[0] for row in self.shop.rows()] == [1, 2])

    def _resolve(self, refusal: str) -> None:
        """Print a refusal, and do what it says."""
        print(*(f"    | {line}" for line in refusal.splitlines()), sep="\n")
        for statement in re.findall(r"ALTER TABLE .*?(?=;|$)", refusal, re.MULTILINE):
            self.shop.execute(statement)
            print(f"    done    {statement}")
        for names in re.findall(r"\.rename\(({.*?})\)", refusal):
            self._frame = self._frame.rename(json.loads(names))
            print(f"    done    .rename({names}) in the transform")

    def describe(self) -> str:
        """The table."""
        columns = ", ".join(f"{name} {kind}" for name, kind in self._types().items())
        return f"items({columns}): {', '.join(map(str, self.shop.rows()))}"

    def expect(self, what: str, holds: bool) -> None:
        """Say so if something is not as it should be."""
        if not holds:
            self.wrong.append(what)
            print(f"    WRONG   not so: {what}")

    def _load(self) -> str | None:
        """Load, and print what is told of it; or the refusal."""
        try:
            report = self.shop.load(self._frame)
        except ConfigurationError as exc:
            return str(exc)
        for event in events_of(report, {}):
            if event.name == "assay.schema.changed":
                print(f"    event   {event.name}: {event.payload['text']}")
        for line in self.shop.query(LEDGER):
            print(f"    ledger  {' | '.join(str(cell) for cell in line)}")
        print(f"    after   {self.describe()}")
        return None

    def _types(self) -> dict[str, str]:
        return dict(self.shop.query(TYPES))


def is_same(before: object, after: object) -> bool:
    """Whether a value is what it was, maybe in another type."""
    return before == after or str(before).lower() == str(after).lower()


def create_database(server: str, name: str) -> str:
    """The DSN of a new database with a ledger."""
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}".encode())
    dsn = make_conninfo(server, dbname=name)
    with open_connection(dsn) as conn:
        ledger.migrate(conn)
        prepare_staging(conn)
    return dsn


def main() -> int:
    """Every case, followed or refused, and frozen; 1 if anything was wrong."""
    logging.basicConfig(format="    log     %(message)s", stream=sys.stdout, level=logging.WARNING)
    wrong = []
    with tempfile.TemporaryDirectory(prefix="assay-evolving-") as home:
        server = start_postgres(Path(home))
        for number, case in enumerate(CASES):
            print(f"\n{case.what}")
            evolving = Trial(case, "evolve", server, Path(home, f"evolve_{number}"))
            print(f"    before  {evolving.describe()}")
            print("  evolve" + "".join(f", {name}={given!r}" for name, given in case.options.items()))
            if case.after is None:
                evolving.refuse()
            else:
                evolving.follow(case.after)
            print("  freeze")
            frozen = Trial(case, "freeze", server, Path(home, f"freeze_{number}"))
            frozen.refuse()
            wrong += [f"{case.what}: {what}" for what in evolving.wrong + frozen.wrong]
    print(f"\n{len(CASES)} changes, {len(wrong)} wrong", *wrong, sep="\n  ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
