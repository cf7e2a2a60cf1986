"""Commands about rows that are kept out: look at them, let them in, or let them go."""

import datetime as dt
import sys
from typing import TYPE_CHECKING, Any

from cyclopts import App
from rich.table import Table
from rich.text import Text

from flows.cli.app import app, err, out, print_last, show_progress

if TYPE_CHECKING:
    from tasks.load.entries import Entry

quarantine = App(name="quarantine", help="Rows that are kept out of the tables: list, show, release, drop.")
app.command(quarantine)


@quarantine.command(name="list")
def list_entries(
    pipeline: str | None = None, *, table: str | None = None, last: int = 50, json: bool = False
) -> None:
    """List the rows in quarantine with their reasons, those seen last first.

    Args:
        pipeline: Only this pipeline's.
        table: Only this table's.
        last: How many.
        json: One JSON object a line, for machines.
    """
    from flows.deciding import read_open  # noqa: PLC0415  commands import what they need

    entries = read_open(pipeline, table, last=last)
    if json:
        _print_json(entries)
    elif entries:
        _print_table(entries)
    else:
        out.print("No row is in quarantine.")


@quarantine.command
def show(entry: int, *, json: bool = False) -> None:
    """Show one entry whole: the row, why it is kept out, and what was decided.

    Args:
        entry: Its number, as `assay quarantine list` shows it.
        json: As one JSON object, for machines.
    """
    from flows.deciding import read_entry  # noqa: PLC0415

    found = read_entry(entry)
    if json:
        _print_json([found])
        return
    for name, value in _describe(found):
        out.print(Text(f"{name:<11}"), Text(value), soft_wrap=True)


@quarantine.command
def release(*entries: int, reason: str = "") -> int:
    """Load rows that pass today's suite, once the suite or the transform is mended, and close their entries.

    The row goes through the gate again. A newer row of the table is never overwritten. Exits 1 when a row is
    still wrong; it stays in quarantine.

    Args:
        entries: Their numbers, of one table.
        reason: Why, for the record.
    """
    from flows.catalog import find_pipeline  # noqa: PLC0415
    from flows.deciding import name_person  # noqa: PLC0415
    from flows.releasing import release as release_entries  # noqa: PLC0415
    from flows.wiring import person_ports  # noqa: PLC0415

    _refuse_none(entries)
    show_progress()
    words = f"released by {name_person()}" + (f": {reason}" if reason else "")
    released = release_entries(find_pipeline, entries, words, person_ports())
    if released.report:
        print_last(released.report.pipeline)
    for number, why in released.still_wrong.items():
        err.print(Text(f"Entry {number} is still wrong and stays in quarantine: {why}"), soft_wrap=True)
    return 1 if released.still_wrong else 0


@quarantine.command
def drop(*entries: int, reason: str) -> None:
    """Close entries for good; their rows reach no table. Your name and the reason are recorded.

    Args:
        entries: Their numbers.
        reason: Why these rows are not wanted.
    """
    from flows.deciding import drop as drop_entries  # noqa: PLC0415

    _refuse_none(entries)
    for entry in drop_entries(entries, reason):
        out.print(Text(f"dropped {entry.quarantine_id}: {_key(entry)} of {entry.table_name}"), soft_wrap=True)


def _refuse_none(entries: tuple[int, ...]) -> None:
    from tasks.errors import ConfigurationError  # noqa: PLC0415

    if not entries:
        raise ConfigurationError("Which entries? `assay quarantine list` shows their numbers.")


def _print_json(entries: "list[Entry]") -> None:
    import msgspec  # noqa: PLC0415

    for entry in entries:
        sys.stdout.write(msgspec.json.encode(entry).decode() + "\n")


def _print_table(entries: "list[Entry]") -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("entry", "table", "key", "age", "reason"):
        table.add_column(name, justify="right" if name == "entry" else "left")
    for entry in entries:
        cells = (
            str(entry.quarantine_id), f"{entry.pipeline}.{entry.table_name}", _key(entry),
            _age(entry.first_seen_at), "; ".join(entry.reasons),
        )  # fmt: skip
        table.add_row(*map(Text, cells))
    out.print(table)


def _describe(entry: "Entry") -> list[tuple[str, str]]:
    import msgspec  # noqa: PLC0415

    seen = f"{entry.first_seen_at:%Y-%m-%d %H:%M} in {entry.load_id}"
    again = f"{entry.last_seen_at:%Y-%m-%d %H:%M} in {entry.last_load_id}"
    lines: list[tuple[str, Any]] = [
        ("entry", entry.quarantine_id),
        ("table", f"{entry.pipeline}.{entry.table_name}"),
        ("key", _key(entry)),
        *(("reason", reason) for reason in entry.reasons),
        ("first seen", seen),
        ("last seen", again),
        ("closed", f"{entry.closed_at:%Y-%m-%d %H:%M} by {entry.closed_by}" if entry.closed_at else None),
        ("because", entry.close_reason),
        ("row", msgspec.json.format(msgspec.json.encode(entry.row)).decode()),
    ]
    return [(name, str(value)) for name, value in lines if value is not None]


def _key(entry: "Entry") -> str:
    return ", ".join(f"{name}={value}" for name, value in (entry.key or {}).items()) or "-"


def _age(since: dt.datetime) -> str:
    seconds = (dt.datetime.now(dt.UTC) - since).total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return "now"
