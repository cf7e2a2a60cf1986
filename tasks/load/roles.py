"""Least privilege: the roles under which a ledger is changed, pipelines run, and tables are read."""

from collections.abc import Sequence

from psycopg import sql

from tasks.load.connection import named_query

ROLES = ("owner", "loader", "reader")


def write_roles(schemas: Sequence[str], *, prefix: str = "assay") -> str:
    """SQL that creates the three roles, `<prefix>_owner` and so on, and what they may do.

    It can be run any number of times; it gives nobody a password.

    Args:
        schemas: The target schemas of the pipelines.
        prefix: What the roles' names begin with.
    """
    names = {role: f"{prefix}_{role}" for role in ROLES}
    roles: dict[str, sql.Composable] = {role: sql.Identifier(name) for role, name in names.items()}
    # As to_regrole reads a name: quoted.
    quoted = {f"{role}_name": sql.Literal(sql.Identifier(name).as_string()) for role, name in names.items()}
    parts = [
        named_query("roles").format(**roles, **quoted),
        *(named_query("roles_schema").format(**roles, schema=sql.Identifier(schema)) for schema in schemas),
    ]
    return "".join(part.as_string() for part in parts)
