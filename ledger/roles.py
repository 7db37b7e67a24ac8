"""Rights in a PostgreSQL database: exactly what recording needs, or reading, and no more."""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from domain.errors import Failed
from ledger.database import Database
from ledger.postgres import PostgreSQL
from ledger.postgres_guards import DELETE_WITHHELD
from ledger.tables import KEYS

_ROLE = text(
    "SELECT r.rolsuper OR pg_has_role(r.rolname, c.relowner, 'MEMBER') AS may_all, "
    "pg_has_role(c.relowner, 'USAGE') AS ours, pg_get_userbyid(c.relowner) AS owner "
    "FROM pg_class c LEFT JOIN pg_roles r ON r.rolname = :role WHERE c.oid = 'entries'::regclass"
)
_HAS_ON_TABLE = text(
    "SELECT has_table_privilege(:role, :what, :right) OR CASE WHEN :right IN ('INSERT', 'UPDATE') "
    "THEN has_any_column_privilege(:role, :what, :right) ELSE false END"
)
_HAS_ON_COLUMN = text("SELECT has_column_privilege(:role, 'head', :what, :right)")
_HAS_ON_FUNCTION = text("SELECT has_function_privilege(:role, CAST(:what AS text), :right)")
_HAS_ON_SCHEMA = text("SELECT has_schema_privilege(:role, current_schema()::text, :right)")
_FUNCTION = f"{DELETE_WITHHELD}(bigint, text)"
_MOVES = ("size", "root", "frontier", "recorded_at")
"""The columns of the head that recording moves."""
_NEVER = ("DELETE", "TRUNCATE", "TRIGGER")


def grant(
    database: Database,
    role: str,
    models: Iterable[str],
    *,
    read_only: bool = False,
    dry_run: bool = False,
) -> list[str]:
    """Give a role what recording needs (or only reading), and take from it everything else.

    Args:
        role: that exists; not the owner of the tables, whom no right holds.
        models: the tables of the read models.
        read_only: it may only read.
        dry_run: give nothing.

    Returns:
        The statements.

    Raises:
        Failed: no-roles for a file; no-role, owner-may-all, no-rights, too-many-rights.
    """
    if not isinstance(database, PostgreSQL):
        raise Failed(
            "no-roles",
            f"The ledger {database.location} is a file, which knows no roles.",
            "Give the right to write to the file and its folder with your system's own means.",
        )
    with database.writing() as connection:
        _check(connection, database, role)
        statements = _statements(connection, role, list(models), read_only=read_only)
        if not dry_run:
            for statement in statements:
                connection.exec_driver_sql(statement.replace("%", "%%"))
            _check_no_more(connection, role, list(models), read_only=read_only)
    return statements


def _check(connection: Connection, database: PostgreSQL, role: str) -> None:
    row = connection.execute(_ROLE, {"role": role}).one()
    if row.may_all is None:
        raise Failed(
            "no-role",
            f"The server of {database.location} has no role {role}.",
            f"Make it first: CREATE ROLE {_quoted(connection, role)} LOGIN",
        )
    if row.may_all:
        raise Failed(
            "owner-may-all",
            f"The role {role} owns the ledger's tables or is a superuser, so no right holds it "
            "back.",
            "Let people record with a role of their own: CREATE ROLE name LOGIN",
        )
    if not row.ours:
        raise Failed(
            "no-rights",
            f"Only the owner of the ledger's tables ({row.owner}) can grant rights.",
            "Give the command as that role.",
        )


def _check_no_more(
    connection: Connection, role: str, models: list[str], *, read_only: bool
) -> None:
    """That no other right reaches the role: through PUBLIC, or a role that it belongs to."""
    asked = [(_HAS_ON_TABLE, table, right) for table in KEYS for right in ("UPDATE", *_NEVER)]
    asked += [(_HAS_ON_TABLE, "head", right) for right in ("INSERT", *_NEVER)]
    asked += [(_HAS_ON_COLUMN, column, "UPDATE") for column in ("id", "format")]
    asked += [
        (_HAS_ON_TABLE, table, right) for table in models for right in ("TRUNCATE", "TRIGGER")
    ]
    asked += [(_HAS_ON_SCHEMA, "the schema", "CREATE")]
    if read_only:
        asked += [(_HAS_ON_TABLE, table, "INSERT") for table in KEYS]
        asked += [(_HAS_ON_TABLE, "head", "UPDATE"), (_HAS_ON_FUNCTION, _FUNCTION, "EXECUTE")]
        writes = ("INSERT", "UPDATE", "DELETE")
        asked += [(_HAS_ON_TABLE, table, right) for table in models for right in writes]
    for query, what, right in asked:
        given = {"role": role, "what": what, "right": right}
        if connection.execute(query, {k: given[k] for k in query.compile().params}).scalar():
            where = f"{what} of the head" if query is _HAS_ON_COLUMN else what
            raise Failed(
                "too-many-rights",
                f"The role {role} would still have the right of {right} on {where}: through "
                "PUBLIC, or through another role that it belongs to.",
                "Nothing was granted. Take that right away first: REVOKE it from PUBLIC, or the "
                "other role from this one.",
            )


def _quoted(connection: Connection, name: str) -> str:
    return str(connection.execute(text("SELECT quote_ident(:name)"), {"name": name}).scalar_one())


def _statements(
    connection: Connection, role: str, models: list[str], *, read_only: bool
) -> list[str]:
    to = _quoted(connection, role)
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    store, kept = ", ".join([*KEYS, "head", *models]), ", ".join(KEYS)
    found = [
        f"REVOKE ALL ON {store} FROM {to}",
        f"REVOKE ALL ON FUNCTION {_FUNCTION} FROM {to}",
        f"GRANT USAGE ON SCHEMA {schema} TO {to}",
        f"GRANT SELECT ON {store} TO {to}",
    ]
    if not read_only:
        found += [
            f"GRANT INSERT ON {kept} TO {to}",
            f"GRANT UPDATE ({', '.join(_MOVES)}) ON head TO {to}",
            f"GRANT EXECUTE ON FUNCTION {_FUNCTION} TO {to}",
        ]
        if models:
            found.append(f"GRANT INSERT, UPDATE, DELETE ON {', '.join(models)} TO {to}")
    return found
