"""The recorder: appends entries, and gives them back as they were stored.

Entries, texts, head and projections move in one transaction, behind one lock, so positions are
1, 2, 3 … whoever writes and a crash leaves the ledger as before or after.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)
from sqlalchemy import Connection, Row, bindparam, exc, func, insert, select, update

from domain.dates import now, read_instant, write_instant
from domain.errors import Failed, IntegrityBroken
from ledger.database import Database, not_a_ledger
from ledger.entry import StoredEntry, VaultText, leaf_bytes, plain_envelope
from ledger.tables import FORMAT, create_tables, entries, head, texts
from ledger.tree import EMPTY_ROOT, Tree, root_at

BATCH = 5_000
"""How many entries are held at once when a whole ledger is read."""


class Projector(Protocol):
    """What keeps the read models in step; called inside the transaction of every append."""

    def create(self, connection: Connection) -> None:
        """Create the tables of the read models, where they are missing."""

    def apply(self, connection: Connection, appended: Sequence[StoredEntry]) -> None:
        """Take in entries that are being appended."""


_INSERT_ENTRY = insert(entries)
_INSERT_TEXT = insert(texts)
_SELECT_HEAD = select(head.c.format, head.c.size, head.c.frontier, head.c.recorded_at)
_MOVE_HEAD = update(head).where(head.c.id == 1)
_VERSION = select(func.max(entries.c.stream_version)).where(
    entries.c.stream_id == bindparam("stream")
)


class Recorder(ApplicationRecorder):
    """Append-only store of entries in one database.

    Args:
        database: where.
        projector: the read models to keep in step.
        clock: gives the instant; the ledger never lets it run backwards.
    """

    def __init__(
        self,
        database: Database,
        projector: Projector | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.database = database
        self.projector = projector
        self.clock = clock
        self._one_writer = threading.Lock()

    # --- set-up --------------------------------------------------------------------------

    def create(self) -> None:
        """Make the tables of a new ledger.

        Raises:
            Failed: there is a ledger already.
        """
        with self.database.writing() as connection:
            create_tables(connection)
            if connection.execute(_SELECT_HEAD).first() is not None:
                raise Failed(
                    "already-a-ledger",
                    f"{self.database.path} is a ledger already.",
                    "Use it as it is, or name another file with --ledger PATH.",
                )
            connection.execute(
                insert(head).values(
                    id=1, format=FORMAT, size=0, root=EMPTY_ROOT, frontier=b"", recorded_at=""
                )
            )
            if self.projector:
                self.projector.create(connection)

    def check_format(self) -> None:
        """Say clearly when the database is no ledger, or one of a newer format.

        Raises:
            Failed: not-a-ledger, newer-format.
        """
        with self.database.reading() as connection:
            self._head(connection)

    def _head(self, connection: Connection) -> Any:
        row = connection.execute(_SELECT_HEAD).first()
        if row is None:
            raise not_a_ledger(self.database.path)
        if not isinstance(row.format, int) or row.format < 1:
            raise not_a_ledger(self.database.path)
        if row.format > FORMAT:
            raise Failed(
                "newer-format",
                f"The ledger {self.database.path} is of format {row.format}; this version of "
                f"govledger reads up to format {FORMAT}.",
                "Install a newer govledger. Nothing was changed.",
            )
        return row

    # --- appending -----------------------------------------------------------------------

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        guards: Mapping[str, int] | None = None,
        **_kwargs: Any,
    ) -> Sequence[int]:
        """Append, all or nothing.

        Args:
            stored_events: in the order in which they get their positions.
            guards: version of other streams on which the decision rested; if one has moved, the
                append is refused as a conflict.

        Returns:
            The positions.

        Raises:
            IntegrityError: a stream has moved since it was read.
        """
        return [stored.position for stored in self.append(stored_events, guards=guards)]

    def append(
        self, stored_events: Sequence[StoredEvent], *, guards: Mapping[str, int] | None = None
    ) -> list[StoredEntry]:
        """Append and return what was stored; see `insert_events`."""
        if not stored_events:
            return []
        with self._one_writer, self.database.writing() as connection:
            before = self._head(connection)
            for stream, version in (guards or {}).items():
                found = connection.execute(_VERSION, {"stream": stream}).scalar() or 0
                if found != version:
                    raise IntegrityError(f"{stream} is at version {found}, not {version}")
            tree = _tree(before)
            recorded_at = max(write_instant(self.clock()), before.recorded_at)
            stored = list(self._seal(stored_events, tree, recorded_at))
            try:
                connection.execute(_INSERT_ENTRY, [_entry_row(entry) for entry in stored])
            except exc.IntegrityError as error:
                raise IntegrityError(str(error.orig)) from error
            rows = [row for entry in stored for row in _text_rows(entry)]
            if rows:
                connection.execute(_INSERT_TEXT, rows)
            connection.execute(
                _MOVE_HEAD,
                {
                    "size": tree.size,
                    "root": tree.root,
                    "frontier": tree.frontier,
                    "recorded_at": recorded_at,
                },
            )
            if self.projector:
                self.projector.apply(connection, stored)
        return stored

    def _seal(
        self, stored_events: Iterable[StoredEvent], tree: Tree, recorded_at: str
    ) -> Iterator[StoredEntry]:
        instant = read_instant(recorded_at)
        for event in stored_events:
            given = event if isinstance(event, StoredEntry) else None
            sealed = StoredEntry(
                originator_id=str(event.originator_id),
                originator_version=event.originator_version,
                topic=event.topic,
                state=event.state,
                position=tree.size + 1,
                recorded_at=recorded_at,
                envelope=given.envelope if given else plain_envelope(instant),
                texts=given.texts if given else {},
            )
            yield replace(sealed, subtrees=tree.append(leaf_bytes(sealed)))

    # --- reading, as the eventsourcing package asks ---------------------------------------

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEntry]:
        """The entries of one stream in order of version, with their texts."""
        query = select(entries).where(entries.c.stream_id == str(originator_id))
        if gt is not None:
            query = query.where(entries.c.stream_version > gt)
        if lte is not None:
            query = query.where(entries.c.stream_version <= lte)
        version = entries.c.stream_version
        query = query.order_by(version.desc() if desc else version)
        if limit is not None:
            query = query.limit(limit)
        with self.database.reading() as connection:
            return self._with_texts(connection, connection.execute(query).all())

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """The entries in order of position, in the package's own form."""
        position = entries.c.position
        query = select(entries).order_by(position).limit(limit)
        if start is not None:
            query = query.where(position >= start if inclusive_of_start else position > start)
        if stop is not None:
            query = query.where(position <= stop)
        if topics:
            query = query.where(entries.c.type.in_(topics))
        with self.database.reading() as connection:
            return [
                Notification(
                    id=row.position,
                    originator_id=row.stream_id,
                    originator_version=row.stream_version,
                    topic=row.type,
                    state=row.payload,
                )
                for row in connection.execute(query)
            ]

    def max_notification_id(self) -> int | None:
        """The last position, or None for an empty ledger."""
        with self.database.reading() as connection:
            return connection.execute(select(func.max(entries.c.position))).scalar()

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Not offered: read models are kept in step inside the transaction of the append."""
        raise NotImplementedError("the ledger keeps its read models in the same transaction")

    # --- reading whole entries --------------------------------------------------------------

    def read(
        self,
        connection: Connection,
        after: int = 0,
        until: int | None = None,
        *,
        with_texts: bool = True,
    ) -> Iterator[StoredEntry]:
        """All entries after a position in order, a batch at a time."""
        while True:
            query = select(entries).where(entries.c.position > after)
            if until is not None:
                query = query.where(entries.c.position <= until)
            rows = connection.execute(query.order_by(entries.c.position).limit(BATCH)).all()
            if with_texts:
                yield from self._with_texts(connection, rows)
            else:
                yield from (stored_entry(row, {}) for row in rows)
            if len(rows) < BATCH:
                return
            after = rows[-1].position

    def streams(self, stream_ids: Sequence[str]) -> Iterator[StoredEntry]:
        """The entries of several streams in order of position."""
        for i in range(0, len(stream_ids), 500):
            wanted = entries.c.stream_id.in_(stream_ids[i : i + 500])
            query = select(entries).where(wanted).order_by(entries.c.position)
            with self.database.reading() as connection:
                yield from self._with_texts(connection, connection.execute(query).all())

    def at_positions(
        self, connection: Connection, positions: Iterable[int]
    ) -> dict[int, StoredEntry]:
        """The entries at these positions."""
        found: dict[int, StoredEntry] = {}
        wanted = sorted(set(positions))
        for i in range(0, len(wanted), 500):
            query = select(entries).where(entries.c.position.in_(wanted[i : i + 500]))
            for stored in self._with_texts(connection, connection.execute(query).all()):
                found[stored.position] = stored
        return found

    @staticmethod
    def _with_texts(connection: Connection, rows: Sequence[Row[Any]]) -> list[StoredEntry]:
        held: dict[int, dict[str, VaultText]] = {}
        positions = sorted(row.position for row in rows)
        if positions and positions[-1] - positions[0] < 2 * len(positions):
            found = texts.c.position.between(positions[0], positions[-1])
            queries = [select(texts).where(found)]
        else:
            queries = [
                select(texts).where(texts.c.position.in_(positions[i : i + 500]))
                for i in range(0, len(positions), 500)
            ]
        for query in queries:
            for row in connection.execute(query):
                held.setdefault(row.position, {})[row.field] = VaultText(row.salt, row.text)
        return [stored_entry(row, held.get(row.position, {})) for row in rows]

    # --- the two clocks and the tree ---------------------------------------------------------

    def size(self, connection: Connection) -> int:
        """The last position according to the head."""
        return int(self._head(connection).size)

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


def stored_entry(row: Row[Any], held: Mapping[str, VaultText]) -> StoredEntry:
    """A row of `entries` with its texts."""
    return StoredEntry(
        originator_id=row.stream_id,
        originator_version=row.stream_version,
        topic=row.type,
        state=row.payload,
        position=row.position,
        recorded_at=row.recorded_at,
        envelope={
            "entry_id": row.entry_id,
            "effective_on": row.effective_on,
            "recorded_by": row.recorded_by,
            "reason": row.reason,
            "decided_by": _decision(row.decided_by),
            "source": row.source,
            "correction": bool(row.correction) if row.correction in (0, 1) else row.correction,
        },
        texts=held,
        subtrees=row.subtrees,
    )


def _decision(written: Any) -> Any:
    """What the column holds; as it stands, where it is not what this module writes there."""
    if written is None:
        return None
    try:
        found = json.loads(written)
        return found if json.dumps(found) == written else written
    except (TypeError, ValueError, RecursionError):
        return written


def _tree(before: Row[Any]) -> Tree:
    try:
        return Tree(before.size, before.frontier)
    except (TypeError, ValueError, AttributeError):
        raise IntegrityBroken(
            "head-changed",
            "The ledger's head is not what was recorded, so nothing can be added to it.",
            "Run: govledger verify",
        ) from None


def _entry_row(stored: StoredEntry) -> dict[str, Any]:
    envelope = stored.envelope
    decided_by = envelope["decided_by"]
    return {
        "position": stored.position,
        "stream_id": stored.originator_id,
        "stream_version": stored.originator_version,
        "type": stored.topic,
        "recorded_at": stored.recorded_at,
        "entry_id": envelope["entry_id"],
        "effective_on": envelope["effective_on"],
        "recorded_by": envelope["recorded_by"],
        "reason": envelope["reason"],
        "decided_by": json.dumps(decided_by) if decided_by else None,
        "source": envelope["source"],
        "correction": int(envelope["correction"]),
        "payload": stored.state,
        "subtrees": stored.subtrees,
    }


def _text_rows(stored: StoredEntry) -> Iterator[dict[str, Any]]:
    for field, kept in stored.texts.items():
        yield {
            "position": stored.position,
            "field": field,
            "salt": kept.salt,
            "text": kept.text,
        }
