"""The read model of the plan: one row for every value that an entry asserted.

Every answer about a plan is the latest assertion of each attribute at (D, K). A *slot* is one
attribute of one subject (`action/CEIP/S7`, part `milestone/2`, attribute `timescale`); its
assertions are kept in the order of the fold, so the latest is one index seek away however long
the history is. Texts are not copied here: they are read from the vault by position and field,
so that a text which is withheld there is withheld everywhere.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    Table,
    UniqueConstraint,
    bindparam,
    exc,
    func,
    insert,
    select,
    update,
)

from domain.event import REGISTRY, EntryVoided
from domain.withholding import WITHHOLDING
from ledger.database import insert_rows
from ledger.rows import Fact
from ledger.tables import NUMBER, PROSE, WORDS

VERSION = 1
"""Version of the read models; a ledger whose models are older needs `rebuild`."""

metadata = MetaData()

slots = Table(
    "slots",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=False),
    Column("plan", WORDS, nullable=False, index=True),
    Column("stream_id", WORDS, nullable=False),
    Column("part", WORDS, nullable=False),
    Column("attribute", WORDS, nullable=False),
    UniqueConstraint("stream_id", "part", "attribute", name="one_slot"),
)


assertions = Table(
    "assertions",
    metadata,
    Column("slot", NUMBER, primary_key=True, autoincrement=False),
    # Sorts as the fold does: see order_key.
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("position", NUMBER, nullable=False),
    Column("voided_by", NUMBER),
    Column("value", PROSE, nullable=False),
    sqlite_with_rowid=False,
)

voids = Table(
    "voids",
    metadata,
    Column("position", NUMBER, primary_key=True, autoincrement=False),
    Column("voided_by", NUMBER, nullable=False),
)

projection = Table(
    "projection",
    metadata,
    Column("version", NUMBER, primary_key=True, autoincrement=False),
    Column("position", NUMBER, nullable=False),
)

Slot = tuple[str, str, str]
"""(stream, part, attribute)."""


PARTS = {
    tag: kind.part
    for tag, kind in REGISTRY.items()
    if kind is not EntryVoided and kind not in WITHHOLDING
}
"""For every type that asserts something, the fields that name the part it is about."""
WHOLE = {tag: frozenset(kind.whole) for tag, kind in REGISTRY.items() if kind.whole}
"""For a type that is about a part, the attributes that it asserts of the whole subject."""
SORTED = orjson.OPT_SORT_KEYS

ROOM = 10**10
"""Room for positions beside the day in the key that sorts as the fold does."""


def order_key(effective_on: str, position: int) -> int:
    """Sorts in the order of the fold: the day as yyyymmdd, then the position."""
    return int(effective_on.replace("-", "")) * ROOM + position


def day_end_key(day: date) -> int:
    """Sorts after every assertion that is effective on that day or before."""
    return order_key(day.isoformat(), ROOM - 1)


def day_of(key: int) -> date:
    """The effective date in a key."""
    return date.fromisoformat(str(key // ROOM))


_SLOTS_OF = select(slots).where(slots.c.stream_id.in_(bindparam("streams", expanding=True)))
_POSITION = select(projection.c.version, projection.c.position)
_LAST_SLOT = select(func.coalesce(func.max(slots.c.id), 0))
_MOVE = update(projection).where(projection.c.version == VERSION)
_VOID = (
    update(assertions)
    .where(
        assertions.c.slot.in_(select(slots.c.id).where(slots.c.stream_id == bindparam("stream"))),
        assertions.c.position == bindparam("p"),
    )
    .values(voided_by=bindparam("by"))
)


class PlanProjector:
    """Keeps the read models in step with the entries, inside the transaction of every append."""

    def create(self, connection: Connection) -> None:
        """Create the tables, where they are missing."""
        metadata.create_all(connection)
        if connection.execute(select(projection.c.position)).first() is None:
            connection.execute(insert(projection).values(version=VERSION, position=0))

    def apply(self, connection: Connection, appended: Sequence[Fact]) -> None:
        """Take in entries that are being appended."""
        streams = sorted({fact.stream_id for fact in appended})
        known: dict[Slot, int] = {}
        for i in range(0, len(streams), 500):
            for row in connection.execute(_SLOTS_OF, {"streams": streams[i : i + 500]}):
                known[row.stream_id, row.part, row.attribute] = row.id
        self._take_in(connection, appended, known)

    def rebuild(
        self,
        connection: Connection,
        batches: Iterable[Sequence[Fact]],
        *,
        tick: Callable[[int], None] = lambda _done: None,
    ) -> int:
        """Make the read models again from all the entries, in place of those there are.

        Args:
            batches: every entry of the ledger in order.
            tick: told after each batch how many entries are done.

        Returns:
            The number of entries read.
        """
        self._empty(connection)
        known: dict[Slot, int] = {}
        done = 0
        for batch in batches:
            self._take_in(connection, batch, known)
            done += len(batch)
            tick(done)
        return done

    def _empty(self, connection: Connection) -> None:
        found = self.position(connection)
        if connection.dialect.name == "sqlite" or found is None or found[0] != VERSION:
            metadata.drop_all(connection)
            self.create(connection)
            return
        # On a server only the owner may drop a table, and would have to wait for every reader;
        # rows that are deleted stay there for those who read at the time.
        for table in (assertions, slots, voids):
            connection.execute(table.delete())
        connection.execute(_MOVE, {"position": 0})

    def _take_in(
        self, connection: Connection, batch: Sequence[Fact], known: dict[Slot, int]
    ) -> None:
        """Add the assertions of a batch; `known` holds the slots there are, and gains new ones."""
        fresh: list[tuple[Any, ...]] = []
        rows: list[tuple[Any, ...]] = []
        voided: list[dict[str, Any]] = []
        days: dict[str, int] = {}
        next_slot: int | None = None
        # Rebuilding a million entries is this loop: it calls as little as it can.
        for position, stream, tag, effective_on, payload in batch:
            kind = PARTS.get(tag)
            if kind is None:
                if tag == EntryVoided.tag:
                    target = orjson.loads(payload)["voids"]
                    voided.append({"stream": stream, "p": target, "by": position})
                continue
            fields = orjson.loads(payload)
            part = ""
            if kind and kind[0] in fields:
                part = "/".join([f"{name}/{fields[name]}" for name in kind])
            whole = WHOLE.get(tag, ())
            day = days.get(effective_on)
            if day is None:
                day = days[effective_on] = order_key(effective_on, 0)
            at = day + position
            for attribute, value in fields.items():
                slot = stream, "" if attribute in whole else part, attribute
                number = known.get(slot)
                if number is None:
                    if next_slot is None:
                        next_slot = connection.execute(_LAST_SLOT).scalar_one()
                    next_slot += 1
                    number = known[slot] = next_slot
                    fresh.append((number, _plan_of(stream), *slot))
                rows.append(
                    (number, at, position, None, orjson.dumps(value, None, SORTED).decode())
                )
        insert_rows(connection, slots, fresh)
        rows.sort()  # in the order of the key, so that each page is written once
        insert_rows(connection, assertions, rows)
        for void in voided:
            connection.execute(_VOID, void)
        insert_rows(connection, voids, [(void["p"], void["by"]) for void in voided])
        if batch:
            connection.execute(_MOVE, {"position": batch[-1].position})

    def position(self, connection: Connection) -> tuple[int, int] | None:
        """(version, position) up to which the read models have taken in the entries."""
        try:
            with connection.begin_nested():  # a server gives up the transaction on an error
                row = connection.execute(_POSITION).first()
        except (exc.OperationalError, exc.ProgrammingError) as error:
            missing = isinstance(error, exc.ProgrammingError) or "no such" in str(error.orig)
            if error.connection_invalidated or not missing:
                raise
            return None  # somebody has dropped the tables
        return (row.version, row.position) if row else None


def _plan_of(stream_id: str) -> str:
    return stream_id.split("/")[1] if "/" in stream_id else ""
