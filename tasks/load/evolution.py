"""How a table must change to hold a load: what differs, what is refused, and the statements."""

from collections.abc import Mapping, Sequence
from typing import Literal

from psycopg import sql

from tasks.errors import ConfigurationError
from tasks.handover import SchemaChange
from tasks.load.connection import Connection
from tasks.load.ddl import (
    comma,
    identifiers,
    qualified,
    read_columns,
    read_key,
    read_key_name,
    set_type,
    type_sql,
)
from tasks.load.names import describe_collisions, find_collisions
from tasks.load.shape import target_columns, target_key
from tasks.load.widening import widen
from tasks.pipeline import Table

Kind = Literal["column added", "column widened", "column absent", "column present"]


def plan_changes(
    conn: Connection, schema: str, table: Table, types: Mapping[str, str], known: Mapping[str, str]
) -> list[SchemaChange]:
    """What an existing table lacks for a frame of these columns; nothing for a table that does not exist.

    `known` are the columns that the table's latest load brought: those that this one lacks are absent now,
    which changes nothing in the table. Columns that no load ever brought are somebody else's and no matter.

    Raises:
        ConfigurationError: The key or a type cannot be followed, or the table is declared frozen.
    """
    there = read_columns(conn, schema, table.name)
    if not there:
        return []
    wanted = target_columns(table, types)
    _refuse_other_writing(conn, schema, table, there, wanted)
    _refuse_other_key(conn, schema, table)
    wider = {name: widen(there[name], kind, table.widen_to) for name, kind in wanted.items() if name in there}
    other = [name for name, kind in wider.items() if kind is None]
    if other and table.columns != "freeze":
        _refuse_other_types(conn, schema, table, there, wanted, other)
    new = [name for name in wanted if name not in there]
    absent = [name for name in known if name in there and name not in wanted]
    present = [name for name in wanted if known and name in there and name not in known]

    def change(kind: Kind, column: str, before: str | None, after: str | None) -> SchemaChange:
        action = _action(kind, column, after)
        statement = None if action is None else _alter(conn, schema, table, action)
        return SchemaChange(
            table=table.name, kind=kind, column=column, before=before, after=after, statement=statement
        )

    changes = [
        *(change("column widened", name, there[name], kind) for name, kind in wider.items() if kind),
        *(change("column added", name, None, wanted[name]) for name in new),
        *(change("column absent", name, there[name], None) for name in absent),
        *(change("column present", name, None, there[name]) for name in present),
    ]
    needed = [change for change in changes if change.before != change.after]
    if table.columns == "freeze":
        refused = {name: (there[name], wanted[name]) for name in other}
        _refuse_changes(conn, schema, table, needed, refused, len(wanted))
    return needed


def _action(kind: str, column: str, after: str | None) -> sql.Composable | None:
    """What the change's statement does; that of an absent column is for a person who does not need it."""
    name = sql.Identifier(column)
    match kind:
        case "column added":
            return sql.SQL("ADD COLUMN {} {}").format(name, type_sql(str(after)))
        case "column widened":
            return set_type(column, str(after))
        case "column absent":
            return sql.SQL("DROP COLUMN {}").format(name)
    return None


def _alter(conn: Connection, schema: str, table: Table, action: sql.Composable) -> str:
    return sql.SQL("ALTER TABLE {} {}").format(qualified(schema, table.name), action).as_string(conn)


def _refuse_other_types(
    conn: Connection,
    schema: str,
    table: Table,
    there: Mapping[str, str],
    wanted: Mapping[str, str],
    other: Sequence[str],
) -> None:
    differences = "; ".join(f"{name} is {there[name]}, the data has {wanted[name]}" for name in other)
    changes = comma([set_type(name, wanted[name], before=there[name]) for name in other])
    raise ConfigurationError(
        f"{schema}.{table.name}: {len(other)} of {len(wanted)} columns have another type: {differences}. "
        f"Cast them in the transform, {_hint(there, wanted, other)}or change the table: "
        f"{_alter(conn, schema, table, changes)}"
    )


def _hint(there: Mapping[str, str], wanted: Mapping[str, str], other: Sequence[str]) -> str:
    """The declaration that would let the column follow, where there is one."""
    for target in ("float", "text"):
        if all(widen(there[name], wanted[name], {target}) for name in other):
            return f'or declare widen_to=("{target}",), '
    return ""


def _refuse_other_writing(
    conn: Connection, schema: str, table: Table, there: Mapping[str, str], wanted: Mapping[str, str]
) -> None:
    """Refuse columns that the table has by a name which differs only in case or Unicode form."""
    pairs = find_collisions([*there, *(name for name in wanted if name not in there)])
    if not pairs:
        return
    rename = sql.SQL("RENAME COLUMN {} TO {}")
    statements = [
        _alter(conn, schema, table, rename.format(sql.Identifier(other), sql.Identifier(name)))
        for other, name in pairs
        if name not in there and other not in wanted
    ]
    also = f", or in the table: {'; '.join(statements)}" if statements else ", or drop one of them."
    raise ConfigurationError(
        f"{schema}.{table.name} has one writing of a name, the data another: {describe_collisions(pairs)}. "
        f"Rename in the transform{also}"
    )


def _refuse_other_key(conn: Connection, schema: str, table: Table) -> None:
    key, declared = read_key(conn, schema, table.name), sorted(target_key(table))
    if key == declared:
        return
    actions = []
    if name := read_key_name(conn, schema, table.name):
        actions.append(sql.SQL("DROP CONSTRAINT {}").format(sql.Identifier(name)))
    if declared:
        actions.append(sql.SQL("ADD PRIMARY KEY ({})").format(identifiers(target_key(table))))
    raise ConfigurationError(
        f"{schema}.{table.name} has the primary key {key or 'none'}, the declaration says "
        f"{declared or 'none'}. Change the declaration, or the table: "
        f"{_alter(conn, schema, table, comma(actions))}"
    )


def _refuse_changes(
    conn: Connection,
    schema: str,
    table: Table,
    changes: Sequence[SchemaChange],
    other: Mapping[str, tuple[str, str]],
    columns: int,
) -> None:
    """Refuse all differences at once, each with its statement; `other` are types that none would follow."""
    lines = [f"{describe_change(change)}: {change.statement};" for change in changes if change.statement]
    for name, (before, after) in other.items():
        statement = _alter(conn, schema, table, set_type(name, after, before=before))
        lines.append(f"column {name!r} is {before} there, the data has {after}: {statement};")
    if lines:
        text = "".join(f"\n  {line}" for line in lines)
        raise ConfigurationError(
            f"{table.name} is declared columns='freeze', and {len(lines)} of its {columns} columns differ "
            f"from {schema}.{table.name}:{text}\n"
            "If the change is right, run these statements and then the pipeline; else correct the transform."
        )


def describe_change(change: SchemaChange) -> str:
    """A change in words, without the table."""
    name = repr(change.column)
    match change.kind:
        case "column added":
            return f"column {name} is new, {change.after}"
        case "column widened":
            return f"column {name} is {change.before} there, {change.after} holds the data too"
        case "column absent":
            return f"column {name}, {change.before}, is absent from the data"
        case "column present":
            return f"column {name}, {change.after}, is in the data, and was not in the load before"
        case "table created":
            return "the table is new"
