"""The read model of the plan: one row for every value that an entry asserted.

Every answer about a plan is the latest assertion of each attribute at (D, K). A *slot* is one
attribute of one subject (`action/CEIP/S7`, part `milestone/2`, attribute `timescale`); its
assertions are kept in the order of the fold, so the latest is one index seek away however long
the history is. Texts are not copied here: they are read from the vault by position and field,
so that a text which is withheld there is withheld everywhere.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    exc,
    func,
    insert,
    select,
    update,
)

from domain.event import REGISTRY
from ledger.entry import StoredEntry

VERSION = 1
"""Version of the read models; a ledger whose models are older needs `rebuild`."""

metadata = MetaData()

slots = Table(
    "slots",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("plan", String, nullable=False, index=True),
    Column("stream_id", String, nullable=False),
    Column("part", String, nullable=False),
    Column("attribute", String, nullable=False),
    UniqueConstraint("stream_id", "part", "attribute", name="one_slot"),
)


assertions = Table(
    "assertions",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    # Sorts as the fold does: effective date, then position.
    Column("at", String, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("voided_by", Integer),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

voids = Table(
    "voids",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("voided_by", Integer, nullable=False),
)

projection = Table(
    "projection",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False),
)

Slot = tuple[str, str, str]
"""(stream, part, attribute)."""


def order_key(effective_on: str, position: int) -> str:
    """Sorts as text in the order of the fold."""
    return f"{effective_on}/{position:012d}"


def day_end_key(day: str) -> str:
    """Sorts after every assertion that is effective on that day or before."""
    return f"{day}/~"


def asserted(stored: StoredEntry) -> Iterator[tuple[Slot, str]]:
    """What an entry asserts: each field of its payload, as a value of a slot."""
    kind = REGISTRY.get(stored.topic)
    if kind is None or stored.topic == "entry.voided/1":
        return
    stream = str(stored.originator_id)
    payload = orjson.loads(stored.state)
    number = payload.get(kind.part) if kind.part else None
    part = "" if number is None else f"{kind.part}/{number}"
    for attribute, value in payload.items():
        yield (stream, part, attribute), orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


_SLOTS_OF = select(slots).where(slots.c.stream_id.in_(bindparam("streams", expanding=True)))
_INSERT_SLOT = insert(slots)
_INSERT_ASSERTION = insert(assertions)
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

    def apply(self, connection: Connection, appended: Sequence[StoredEntry]) -> None:
        """Take in entries that are being appended."""
        streams = sorted({str(stored.originator_id) for stored in appended})
        known: dict[Slot, int] = {}
        for i in range(0, len(streams), 500):
            for row in connection.execute(_SLOTS_OF, {"streams": streams[i : i + 500]}):
                known[row.stream_id, row.part, row.attribute] = row.id
        self._take_in(connection, appended, known)

    def rebuild(
        self,
        connection: Connection,
        read: Iterable[StoredEntry],
        *,
        batch: int = 5_000,
        tick: Callable[[int], None] = lambda _done: None,
    ) -> int:
        """Drop the read models and make them again from all the entries.

        Args:
            read: every entry of the ledger in order.
            tick: told after each batch how many entries are done.

        Returns:
            The number of entries read.
        """
        metadata.drop_all(connection)
        self.create(connection)
        known: dict[Slot, int] = {}
        done = 0
        for group in batches(read, batch):
            self._take_in(connection, group, known)
            done += len(group)
            tick(done)
        return done

    def _take_in(
        self, connection: Connection, group: Sequence[StoredEntry], known: dict[Slot, int]
    ) -> None:
        fresh: list[dict[str, Any]] = []
        rows: list[dict[str, Any]] = []
        voided: list[dict[str, Any]] = []
        next_slot: int | None = None
        for stored in group:
            if stored.topic == "entry.voided/1":
                target = orjson.loads(stored.state)["voids"]
                stream = str(stored.originator_id)
                voided.append({"stream": stream, "p": target, "by": stored.position})
                continue
            at = order_key(stored.envelope["effective_on"], stored.position)
            for slot, value in asserted(stored):
                number = known.get(slot)
                if number is None:
                    if next_slot is None:
                        next_slot = connection.execute(_LAST_SLOT).scalar_one()
                    next_slot += 1
                    number = known[slot] = next_slot
                    fresh.append(_slot_row(number, slot))
                rows.append(
                    {
                        "slot": number,
                        "at": at,
                        "position": stored.position,
                        "voided_by": None,
                        "value": value,
                    }
                )
        if fresh:
            connection.execute(_INSERT_SLOT, fresh)
        if rows:
            rows.sort(key=lambda row: (row["slot"], row["at"]))
            connection.execute(_INSERT_ASSERTION, rows)
        for void in voided:
            connection.execute(_VOID, void)
            connection.execute(insert(voids).values(position=void["p"], voided_by=void["by"]))
        if group:
            connection.execute(_MOVE, {"position": group[-1].position})

    def position(self, connection: Connection) -> tuple[int, int] | None:
        """(version, position) up to which the read models have taken in the entries."""
        try:
            row = connection.execute(select(projection.c.version, projection.c.position)).first()
        except exc.OperationalError:
            return None  # somebody has dropped the tables
        return (row.version, row.position) if row else None


def batches(read: Iterable[StoredEntry], size: int) -> Iterator[list[StoredEntry]]:
    """The entries in lists of at most `size`."""
    group: list[StoredEntry] = []
    for stored in read:
        group.append(stored)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def _slot_row(number: int, slot: Slot) -> dict[str, Any]:
    stream, part, attribute = slot
    plan = stream.split("/")[1] if "/" in stream else ""
    return {"id": number, "plan": plan, "stream_id": stream, "part": part, "attribute": attribute}
