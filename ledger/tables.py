"""The tables of a ledger, and what the database itself refuses to do to them.

`entries`, `texts` and `withheld` are append-only: triggers refuse UPDATE and DELETE whoever asks.
The one exception is a text that is on record as withheld, which can be deleted. `head` is the
tree's size, root and frontier, moved in the same transaction as every append.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

FORMAT = 1
"""Version of the stored form. A newer ledger is refused, never guessed at."""

metadata = MetaData()

entries = Table(
    "entries",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("stream_id", String, nullable=False),
    Column("stream_version", Integer, nullable=False),
    Column("type", String, nullable=False),
    Column("recorded_at", String, nullable=False),
    Column("entry_id", String, nullable=False),
    Column("effective_on", String, nullable=False),
    Column("recorded_by", String, nullable=False),
    Column("reason", String),
    Column("decided_by", Text),
    Column("source", Text),
    Column("correction", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("subtrees", LargeBinary, nullable=False),
    UniqueConstraint("stream_id", "stream_version", name="one_version_once"),
)

texts = Table(
    "texts",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("field", String, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("text", Text, nullable=False),
    sqlite_with_rowid=False,
)

withheld = Table(
    "withheld",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("field", String, primary_key=True),
    Column("by", Integer, nullable=False),
    Column("basis", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""The texts that an entry has withheld: which entry, and on what basis. Only such a text can be
deleted from `texts`, and nothing from here."""

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("format", Integer, nullable=False),
    Column("size", Integer, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("recorded_at", String, nullable=False),
    CheckConstraint("id = 1", name="one_head"),
)

KEYS = {
    "entries": (("position",), ("stream_id", "stream_version")),
    "texts": (("position", "field"),),
    "withheld": (("position", "field"),),
}
"""What is append-only, and the keys by which a row could be put in another's place."""


_WITHHELD = "EXISTS (SELECT 1 FROM withheld WHERE position = OLD.position AND field = OLD.field)"


def triggers() -> dict[str, str]:
    """The SQLite statement of every trigger by its name.

    A third refuses rows that are there already: INSERT OR REPLACE deletes the old row without
    asking the one that refuses DELETE.
    """
    found = {}
    for table, keys in KEYS.items():
        taken = " OR ".join(
            f"EXISTS (SELECT 1 FROM {table} WHERE "
            + " AND ".join(f"{column} = NEW.{column}" for column in key)
            + ")"
            for key in keys
        )
        for verb, when in (
            ("UPDATE", "BEFORE UPDATE"),
            ("DELETE", "BEFORE DELETE"),
            ("REPLACE", "BEFORE INSERT"),
        ):
            name, only = f"{table}_refuse_{verb.lower()}", ""
            if verb == "REPLACE":
                only = f"WHEN {taken} "
            elif (table, verb) == ("texts", "DELETE"):
                only = f"WHEN NOT {_WITHHELD} "
            found[name] = (
                f"CREATE TRIGGER {name} {when} ON {table} "
                + only
                + "BEGIN SELECT RAISE(ABORT, "
                + f"'the ledger is append-only: {verb} on {table} refused'); END"
            )
    return found


def create_tables(connection: Connection) -> None:
    """Create the tables of the store, and what guards them."""
    metadata.create_all(connection)
    for statement in triggers().values():
        connection.exec_driver_sql(statement)


def triggers_present(connection: Connection) -> dict[str, str]:
    """The statements of the triggers that the database has, by name."""
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {row.name: row.sql for row in rows}
