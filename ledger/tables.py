"""The tables of a ledger, and what the database itself refuses to do to them.

`entries`, `texts` and `withheld` are append-only: triggers refuse UPDATE and DELETE whoever asks.
The one exception is a text that is on record as withheld, which can be deleted. `head` is the
tree's size, root and frontier, moved in the same transaction as every append.
"""

from sqlalchemy import (
    BigInteger,
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

from domain.withholding import TextWithheld

WORDS = String().with_variant(String(collation="C"), "postgresql")
"""Text that sorts by its bytes on every engine: `begins_with` and the order of rows rest on it."""
PROSE = Text().with_variant(Text(collation="C"), "postgresql")
"""The same, where it may be long."""
NUMBER = Integer().with_variant(BigInteger(), "postgresql")
"""A whole number of up to eight bytes on every engine."""

LEDGER_STREAM = "ledger"
"""The stream of what concerns the ledger as a whole."""
FORMAT = 1
"""Version of the stored form. A newer ledger is refused, never guessed at."""

metadata = MetaData()

entries = Table(
    "entries",
    metadata,
    Column("position", NUMBER, primary_key=True, autoincrement=False),
    Column("stream_id", WORDS, nullable=False),
    Column("stream_version", NUMBER, nullable=False),
    Column("type", WORDS, nullable=False),
    Column("recorded_at", WORDS, nullable=False),
    Column("entry_id", WORDS, nullable=False),
    Column("effective_on", WORDS, nullable=False),
    Column("recorded_by", WORDS, nullable=False),
    Column("reason", WORDS),
    Column("decided_by", PROSE),
    Column("source", PROSE),
    Column("correction", NUMBER, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("subtrees", LargeBinary, nullable=False),
    UniqueConstraint("stream_id", "stream_version", name="one_version_once"),
)

texts = Table(
    "texts",
    metadata,
    Column("position", NUMBER, primary_key=True, autoincrement=False),
    Column("field", WORDS, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("text", PROSE, nullable=False),
    sqlite_with_rowid=False,
)

withheld = Table(
    "withheld",
    metadata,
    Column("position", NUMBER, primary_key=True, autoincrement=False),
    Column("field", WORDS, primary_key=True),
    Column("by", NUMBER, nullable=False),
    Column("basis", PROSE, nullable=False),
    sqlite_with_rowid=False,
)
"""The texts that an entry has withheld: which entry, and on what basis. Only such a text can be
deleted from `texts`, and nothing from here. A row goes in only where that entry says the same."""

head = Table(
    "head",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=False),
    Column("format", NUMBER, nullable=False),
    Column("size", NUMBER, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("recorded_at", WORDS, nullable=False),
    CheckConstraint("id = 1", name="one_head"),
)

KEYS = {
    "entries": (("position",), ("stream_id", "stream_version")),
    "texts": (("position", "field"),),
    "withheld": (("position", "field"),),
}
"""What is append-only, and the keys by which a row could be put in another's place."""


_NO_ENTRY_SAYS_SO = (
    'NOT EXISTS (SELECT 1 FROM entries e WHERE e.position = NEW."by" '
    f"AND NEW.position < NEW.\"by\" AND e.stream_id = '{LEDGER_STREAM}' "
    f"AND CASE WHEN e.type = '{TextWithheld.tag}' AND json_valid(CAST(e.payload AS TEXT)) THEN "
    + " AND ".join(
        f"json_extract(CAST(e.payload AS TEXT), '$.{name}') = NEW.{name}"
        for name in ("position", "field", "basis")
    )
    + " ELSE 0 END)"
)
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
    found["withheld_by_entry"] = (
        f"CREATE TRIGGER withheld_by_entry BEFORE INSERT ON withheld WHEN {_NO_ENTRY_SAYS_SO} "
        "BEGIN SELECT RAISE(ABORT, "
        "'the ledger is append-only: no entry withholds this text'); END"
    )
    return found


def create_tables(connection: Connection) -> None:
    """Create the tables of the store; what guards them is the engine's to make."""
    metadata.create_all(connection)


def triggers_present(connection: Connection) -> dict[str, str]:
    """The statements of the triggers that the database has, by name."""
    rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {row.name: row.sql for row in rows}
