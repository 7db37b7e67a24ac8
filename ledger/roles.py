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
_TOO_MUCH = text(
    "SELECT has_any_column_privilege(:role, :table, 'UPDATE') "
    "OR has_table_privilege(:role, :table, 'DELETE') "
    "OR has_table_privilege(:role, :table, 'TRUNCATE') "
    "OR has_table_privilege(:role, :table, 'TRIGGER')"
)


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
            for table in KEYS:
                if connection.execute(_TOO_MUCH, {"role": role, "table": table}).scalar():
                    raise Failed(
                        "too-many-rights",
                        f"The role {role} would still have the right to change {table}: through "
                        "PUBLIC, or through another role that it belongs to.",
                        "Nothing was granted. Take that right away first.",
                    )
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


def _quoted(connection: Connection, name: str) -> str:
    return str(connection.execute(text("SELECT quote_ident(:name)"), {"name": name}).scalar_one())


def _statements(
    connection: Connection, role: str, models: list[str], *, read_only: bool
) -> list[str]:
    to = _quoted(connection, role)
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    store, kept = ", ".join([*KEYS, "head", *models]), ", ".join(KEYS)
    function = f"{DELETE_WITHHELD}(bigint, text)"
    found = [
        f"REVOKE ALL ON {store} FROM {to}",
        f"REVOKE ALL ON FUNCTION {function} FROM {to}",
        f"GRANT USAGE ON SCHEMA {schema} TO {to}",
        f"GRANT SELECT ON {store} TO {to}",
    ]
    if not read_only:
        found += [
            f"GRANT INSERT ON {kept} TO {to}",
            f"GRANT UPDATE (size, root, frontier, recorded_at) ON head TO {to}",
            f"GRANT EXECUTE ON FUNCTION {function} TO {to}",
        ]
        if models:
            found.append(f"GRANT INSERT, UPDATE, DELETE ON {', '.join(models)} TO {to}")
    return found
