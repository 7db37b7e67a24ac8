"""Reading entries as they are stored: in order, by stream, by position, and at an instant."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, select

from domain.dates import read_instant
from domain.errors import Failed
from ledger.database import Database, not_a_ledger
from ledger.entry import StoredEntry, VaultText
from ledger.rows import Fact, committed_texts, stored_entry
from ledger.tables import FORMAT, entries, head, texts, withheld
from ledger.tree import root_at

BATCH = 5_000
"""How many entries are held at once when a whole ledger is read."""

HeldTexts = Mapping[str, Row[Any]]
"""Of one entry the rows of `texts` by field: position, field, salt, text."""

SELECT_HEAD = select(head.c.format, head.c.size, head.c.frontier, head.c.recorded_at)


_FACTS = (
    select(*(entries.c[field] for field in Fact._fields))
    .where(entries.c.position > bindparam("after"))
    .order_by(entries.c.position)
    .limit(bindparam("batch"))
)


def begins_with(column: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    """Whether a stream's name begins so. (LIKE would take capitals and small letters for one.)"""
    return (column >= prefix) & (column <= prefix + "\U0010ffff")


def bases(connection: Connection, positions: Sequence[int]) -> dict[int, dict[str, str]]:
    """On what basis texts of these entries are withheld, by position and field."""
    found: dict[int, dict[str, str]] = {}
    for i in range(0, len(positions), 500):
        query = select(withheld).where(withheld.c.position.in_(positions[i : i + 500]))
        for row in connection.execute(query):
            found.setdefault(row.position, {})[row.field] = row.basis
    return found


class EntryReader:
    """Reads the entries of one database.

    Args:
        database: where.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    def check_format(self) -> None:
        """Say clearly when the database is no ledger, or one of a newer format.

        Raises:
            Failed: not-a-ledger, newer-format.
        """
        with self.database.reading() as connection:
            self.head(connection)

    def head(self, connection: Connection) -> Any:
        """The size, frontier and clock of the ledger.

        Raises:
            Failed: not-a-ledger, newer-format.
        """
        row = connection.execute(SELECT_HEAD).first()
        if row is None:
            raise not_a_ledger(self.database)
        if not isinstance(row.format, int) or row.format < 1:
            raise not_a_ledger(self.database)
        if row.format > FORMAT:
            raise Failed(
                "newer-format",
                f"The ledger {self.database.location} is of format {row.format}; this version of "
                f"govledger reads up to format {FORMAT}.",
                "Install a newer govledger. Nothing was changed.",
            )
        return row

    def read(
        self,
        connection: Connection,
        after: int = 0,
        until: int | None = None,
    ) -> Iterator[StoredEntry]:
        """All entries after a position in order, a batch at a time."""
        for rows, held in self.rows(connection, after, until):
            yield from _stored(connection, rows, held)

    def rows(
        self, connection: Connection, after: int = 0, until: int | None = None
    ) -> Iterator[tuple[Sequence[Row[Any]], Mapping[int, HeldTexts]]]:
        """The rows that `read` makes its entries from, a batch at a time, with their texts."""
        while True:
            query = select(entries).where(entries.c.position > after)
            if until is not None:
                query = query.where(entries.c.position <= until)
            rows = connection.execute(query.order_by(entries.c.position).limit(BATCH)).all()
            yield rows, _texts_of(connection, rows)
            if len(rows) < BATCH:
                return
            after = rows[-1].position

    def facts(self, connection: Connection) -> Iterator[list[Fact]]:
        """What the read models are made from, of every entry in order, a batch at a time."""
        after = 0
        while True:
            rows = connection.execute(_FACTS, {"after": after, "batch": BATCH}).all()
            if rows:
                yield rows  # type: ignore[misc]  # rows have the fields of a Fact
                after = rows[-1].position
            if len(rows) < BATCH:
                return

    def streams(self, stream_ids: Sequence[str]) -> Iterator[StoredEntry]:
        """The entries of several streams in order of position."""
        for i in range(0, len(stream_ids), 500):
            wanted = entries.c.stream_id.in_(stream_ids[i : i + 500])
            query = select(entries).where(wanted).order_by(entries.c.position)
            with self.database.reading() as connection:
                yield from self.with_texts(connection, connection.execute(query).all())

    def at_positions(
        self, connection: Connection, positions: Iterable[int]
    ) -> dict[int, StoredEntry]:
        """The entries at these positions."""
        found: dict[int, StoredEntry] = {}
        wanted = sorted(set(positions))
        for i in range(0, len(wanted), 500):
            query = select(entries).where(entries.c.position.in_(wanted[i : i + 500]))
            for stored in self.with_texts(connection, connection.execute(query).all()):
                found[stored.position] = stored
        return found

    @staticmethod
    def with_texts(connection: Connection, rows: Sequence[Row[Any]]) -> list[StoredEntry]:
        """The entries of these rows, with their texts."""
        return list(_stored(connection, rows, _texts_of(connection, rows)))

    # --- the two clocks and the tree ---------------------------------------------------------

    def size(self, connection: Connection) -> int:
        """The last position according to the head."""
        return int(self.head(connection).size)

    def recorded_at(self, connection: Connection, position: int) -> datetime | None:
        """The instant at which the ledger took that entry; None where there is none."""
        query = select(entries.c.recorded_at).where(entries.c.position == position)
        written = connection.execute(query).scalar()
        return read_instant(written) if written else None

    def position_at(self, connection: Connection, instant: datetime) -> int:
        """The last entry recorded by that instant; 0 where there is none.

        The instants never run backwards, so a search by halves finds it without an index.
        """
        low, high = 0, self.size(connection)
        while low < high:
            middle = (low + high + 1) // 2
            recorded_at = self.recorded_at(connection, middle)
            if recorded_at is not None and recorded_at <= instant:
                low = middle
            else:
                high = middle - 1
        return low

    def root(self, connection: Connection, size: int) -> bytes:
        """The root of the tree over the first `size` entries."""

        def subtrees_at(position: int) -> bytes:
            query = select(entries.c.subtrees).where(entries.c.position == position)
            return connection.execute(query).scalar() or b""

        return root_at(size, subtrees_at)


def _texts_of(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, dict[str, Row[Any]]]:
    """The texts of these entries, by position and field."""
    held: dict[int, dict[str, Row[Any]]] = {}
    if not rows:
        return held
    positions = sorted(row[0] for row in rows)
    if positions[-1] - positions[0] < 2 * len(positions):
        found = texts.c.position.between(positions[0], positions[-1])
        queries = [select(texts).where(found)]
    else:
        queries = [
            select(texts).where(texts.c.position.in_(positions[i : i + 500]))
            for i in range(0, len(positions), 500)
        ]
    for query in queries:
        for row in connection.execute(query).all():
            position, field, _, _ = row
            held.setdefault(position, {})[field] = row
    return held


def _stored(
    connection: Connection, rows: Sequence[Row[Any]], held: Mapping[int, HeldTexts]
) -> Iterator[StoredEntry]:
    lacking = [row[0] for row in rows if len(held.get(row[0], ())) < committed_texts(row)]
    why = bases(connection, lacking)  # seldom any
    for row in rows:
        kept = held.get(row[0], {})
        vault = {name: VaultText(text.salt, text.text) for name, text in kept.items()}
        yield stored_entry(row, vault, why.get(row[0]))
