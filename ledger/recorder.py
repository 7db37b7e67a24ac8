"""The recorder: appends entries, and gives them back as they were stored.

Entries, texts, head and projections move in one transaction, behind one lock, so positions are
1, 2, 3 … whoever writes and a crash leaves the ledger as before or after.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    StoredEvent,
    Subscription,
)
from sqlalchemy import Connection, bindparam, exc, func, insert, or_, select, update

from domain.dates import now, read_instant, write_instant
from domain.errors import Failed, IntegrityBroken
from domain.withholding import TextWithheld
from ledger.database import ConnectionLost, Database, insert_rows
from ledger.entry import StoredEntry, leaf_bytes, plain_envelope
from ledger.reading import EntryReader, begins_with
from ledger.rows import Fact, entry_row, fact, text_rows
from ledger.tables import FORMAT, create_tables, entries, head, texts, withheld
from ledger.tree import EMPTY_ROOT, Tree

MOST = 2**62
"""Stands for 'no limit'."""


class Unless(NamedTuple):
    """Entries that a decision would have had to look at: of these types, on streams named so."""

    tags: Sequence[str]
    streams: Sequence[str]


class Projector(Protocol):
    """What keeps the read models in step; called inside the transaction of every append."""

    def create(self, connection: Connection) -> None:
        """Create the tables of the read models, where they are missing."""

    def apply(self, connection: Connection, appended: Sequence[Fact]) -> None:
        """Take in entries that are being appended."""


_MOVE_HEAD = update(head).where(head.c.id == 1)
_STREAM = select(entries).where(
    entries.c.stream_id == bindparam("stream"),
    entries.c.stream_version > bindparam("gt"),
    entries.c.stream_version <= bindparam("lte"),
)
# Built once: making a query anew costs more than asking it.
_STREAM_UP = _STREAM.order_by(entries.c.stream_version).limit(bindparam("limit"))
_STREAM_DOWN = _STREAM.order_by(entries.c.stream_version.desc()).limit(bindparam("limit"))
_ENTRY_ID = select(entries.c.entry_id).where(entries.c.position == bindparam("position"))
_VERSION = select(func.max(entries.c.stream_version)).where(
    entries.c.stream_id == bindparam("stream")
)


class Recorder(EntryReader, ApplicationRecorder):
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
        super().__init__(database)
        self.projector = projector
        self.clock = clock
        self._one_writer = threading.Lock()

    # --- set-up --------------------------------------------------------------------------

    def create(self, first: Sequence[StoredEvent] = ()) -> None:
        """Make the tables of a new ledger, with its first entries.

        Raises:
            Failed: there is a ledger already, or another program's database.
        """
        with self._one_writer, self.database.writing(new=True) as connection:
            self.database.check_empty(connection)
            create_tables(connection)
            self.database.make_guards(connection)
            connection.execute(
                insert(head).values(
                    id=1, format=FORMAT, size=0, root=EMPTY_ROOT, frontier=b"", recorded_at=""
                )
            )
            if self.projector:
                self.projector.create(connection)
            self._append(connection, first, {})

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
        self,
        stored_events: Sequence[StoredEvent],
        *,
        guards: Mapping[str, int] | None = None,
        not_before: datetime | None = None,
        read_at: int = -1,
        unless: Unless | None = None,
    ) -> list[StoredEntry]:
        """Append and return what was stored; see `insert_events`.

        Args:
            not_before: they are recorded at this instant or later, whatever the clock says now.
            read_at: the size of the ledger when the decision was made; if it is still that, the
                guards need not be looked at.
            unless: entries of which none may have been recorded since.
        """
        rest = guards or {}, not_before, read_at, unless
        try:
            with self._one_writer, self.database.writing() as connection:
                return self._append(connection, stored_events, *rest)
        except ConnectionLost as lost:
            try:
                # Its lock is free only once what was under way is committed or undone.
                with self._one_writer, self.database.writing() as connection:
                    return self._recorded(connection, stored_events, lost) or self._append(
                        connection, stored_events, *rest
                    )
            except Failed as error:
                raise ConnectionLost(
                    lost.rule,
                    f"{lost.message} Whether it was recorded is not known.",
                    "When the server is back, look with 'govledger log' before you record it "
                    "again.",
                ) from error

    def _recorded(
        self, connection: Connection, given: Sequence[StoredEvent], lost: ConnectionLost
    ) -> list[StoredEntry]:
        """These entries as they were stored after all; empty where they were not."""
        first = given[0]
        if not isinstance(first, StoredEntry):
            raise lost  # an event without an identifier would not be known again
        query = select(entries.c.position, entries.c.entry_id).where(
            entries.c.stream_id == first.originator_id,
            entries.c.stream_version == first.originator_version,
        )
        row = connection.execute(query).first()
        if row is None or row.entry_id != first.envelope["entry_id"]:
            return []
        found = self.at_positions(connection, range(row.position, row.position + len(given)))
        return [found[position] for position in sorted(found)]

    def _append(
        self,
        connection: Connection,
        stored_events: Sequence[StoredEvent],
        guards: Mapping[str, int],
        not_before: datetime | None = None,
        read_at: int = -1,
        unless: Unless | None = None,
    ) -> list[StoredEntry]:
        if not stored_events:
            return []
        before = self.head(connection)
        if unless and before.size != read_at:
            meanwhile = select(entries.c.position).where(
                entries.c.position > read_at,
                entries.c.type.in_(unless.tags),
                or_(*(begins_with(entries.c.stream_id, prefix) for prefix in unless.streams)),
            )
            position = connection.execute(meanwhile.limit(1)).scalar()
            if position is not None:
                raise IntegrityError(f"entry {position} was recorded since this was decided")
        for stream, version in guards.items() if before.size != read_at else ():
            found = connection.execute(_VERSION, {"stream": stream}).scalar() or 0
            if found != version:
                raise IntegrityError(f"{stream} is at version {found}, not {version}")
        tree = _tree(before)
        instant = self.clock()
        if not_before is not None:
            # The clock may have been set back since the dates of these were checked.
            instant = max(instant, not_before)
        recorded_at = max(write_instant(instant), before.recorded_at)
        stored = list(self._seal(stored_events, tree, recorded_at))
        try:
            insert_rows(connection, entries, [entry_row(entry) for entry in stored])
        except exc.IntegrityError as error:
            # By another connection: after an error a server takes no question on this one, and
            # has let the next writer in, who may have moved both.
            with self.database.reading() as beside:
                there = beside.execute(_ENTRY_ID, {"position": before.size + 1}).scalar()
                if there and self.size(beside) <= before.size:
                    raise _head_changed() from error
            raise IntegrityError(str(error.orig)) from error
        insert_rows(connection, texts, [row for entry in stored for row in text_rows(entry)])
        for entry in stored:
            if entry.topic == TextWithheld.tag:
                self._withhold(connection, entry)
        moved = {"root": tree.root, "frontier": tree.frontier, "recorded_at": recorded_at}
        connection.execute(_MOVE_HEAD, {"size": tree.size, **moved})
        if self.projector:
            self.projector.apply(connection, [fact(entry) for entry in stored])
        return stored

    def _withhold(self, connection: Connection, entry: StoredEntry) -> None:
        """Delete the text that an entry withholds; the entry goes in with it, or neither."""
        said = json.loads(entry.state)
        row = said["position"], said["field"], entry.position, said["basis"]
        try:
            insert_rows(connection, withheld, [row])
        except exc.IntegrityError as error:
            raise IntegrityError("that text is withheld already") from error
        self.database.delete_withheld(connection, said["position"], said["field"])

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
        query = _STREAM_DOWN if desc else _STREAM_UP
        asked = {
            "stream": str(originator_id),
            "gt": -1 if gt is None else gt,
            "lte": MOST if lte is None else lte,
            "limit": MOST if limit is None else limit,
        }
        with self.database.reading() as connection:
            return self.with_texts(connection, connection.execute(query, asked).all())

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


def _tree(before: Any) -> Tree:
    try:
        return Tree(before.size, before.frontier)
    except (TypeError, ValueError, AttributeError):
        raise _head_changed() from None


def _head_changed() -> IntegrityBroken:
    return IntegrityBroken(
        "head-changed",
        "The ledger's head is not what was recorded, so nothing can be added to it.",
        "Run: govledger verify",
    )
