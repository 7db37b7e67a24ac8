"""The peer SQLAlchemy-Continuum: a table of actions whose every change is kept as a version.

In a process of its own, as it listens to every engine and session of the process that it is in.
One clock: a version holds when it was recorded, and not from when it is true.
"""

import sys
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import (
    Column,
    Date,
    Index,
    String,
    Text,
    create_engine,
    event,
    insert,
    or_,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Session, configure_mappers
from sqlalchemy_continuum import make_versioned, version_class, versioning_manager

from benchmarks.apart import serve
from benchmarks.changes import ACTIONS, BEGINS_ON, changes

make_versioned(user_cls=None)


class Base(DeclarativeBase):
    """Of the one table."""


class Action(Base):
    """An action, with who changed it last, why, and from when that is true."""

    __tablename__ = "action"
    __versioned__: dict[str, Any] = {}  # noqa: RUF012 - Continuum's own form
    ref = Column(String(10), primary_key=True)
    title = Column(Text)
    section = Column(String(10))
    owners = Column(Text)
    timescale = Column(Text)
    rating = Column(String(10))
    progress = Column(Text)
    effective_on = Column(Date)
    recorded_by = Column(Text)
    reason = Column(Text)


configure_mappers()
VERSION: Any = version_class(Action).__table__
TRANSACTION: Any = versioning_manager.transaction_cls.__table__
# Not made by Continuum; without it each question would read all transactions.
Index("bench_issued_at", TRANSACTION.c.issued_at)


def added(ref: str) -> dict[str, Any]:
    """An action as it joins the plan."""
    return {
        "ref": ref,
        "title": f"Make sure that the practice named in recommendation {ref} is followed",
        "section": "1.1",
        "owners": "Head of Service; Team managers",
        "timescale": "Sept 25",
        "rating": None,
        "progress": None,
        "effective_on": BEGINS_ON,
        "recorded_by": "A. Person",
        "reason": None,
    }


def versions(count: int) -> list[tuple[int, datetime, dict[str, Any]]]:
    """(transaction, instant, row) of the plan and of so many changes, one in each transaction."""
    rows = {ref: added(ref) for ref in ACTIONS}
    begun = datetime.combine(BEGINS_ON, time(12))
    made = [(1, begun, dict(row)) for row in rows.values()]
    number = 1
    for day, on_that_day in groupby(changes(count), key=lambda change: change.recorded_on):
        for second, change in enumerate(on_that_day):
            number += 1
            row = rows[change.ref]
            row[change.kind] = change.value
            row.update(effective_on=change.effective_on, reason=change.reason)
            at = datetime.combine(day, time(12)) + timedelta(milliseconds=second)
            made.append((number, at, dict(row)))
    return made


def ended(made: list[tuple[int, datetime, dict[str, Any]]]) -> list[int | None]:
    """For each version the index of the one that followed it."""
    follows: dict[str, int] = {}
    found: list[int | None] = [None] * len(made)
    for index in range(len(made) - 1, -1, -1):
        ref = made[index][2]["ref"]
        found[index] = follows.get(ref)
        follows[ref] = index
    return found


class Continuum:
    """The peer, on the database of that address."""

    def __init__(self, address: str) -> None:
        self.engine = create_engine(address)
        if self.engine.dialect.name == "sqlite":

            @event.listens_for(self.engine, "connect")
            def _as_ours(connection: Any, _record: object) -> None:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")

        Base.metadata.create_all(self.engine)

    def fill(self, count: int) -> None:
        """Write the rows that Continuum would have written for these changes."""
        made = versions(count)
        follows = ended(made)
        instants = {number: at for number, at, _ in made}
        with self.engine.begin() as connection:
            connection.execute(
                insert(TRANSACTION),
                [{"id": number, "issued_at": at} for number, at in instants.items()],
            )
            connection.execute(
                insert(VERSION),
                [
                    {
                        **row,
                        "transaction_id": number,
                        "end_transaction_id": None if after is None else made[after][0],
                        "operation_type": 0 if number == 1 else 1,
                    }
                    for (number, _, row), after in zip(made, follows, strict=True)
                ],
            )
            last = [row for (_, _, row), after in zip(made, follows, strict=True) if after is None]
            connection.execute(insert(Action), last)
            if self.engine.dialect.name == "postgresql":
                connection.exec_driver_sql(
                    "SELECT setval('transaction_id_seq', (SELECT max(id) FROM transaction))"
                )

    def append(self, ref: str, rating: str) -> None:
        """Load an action, change it, commit."""
        with Session(self.engine) as session:
            action: Any = session.get(Action, ref)
            action.rating = rating
            action.effective_on = date.today()
            action.reason = "Discussed at the monthly meeting of the board"
            session.commit()

    def as_at(self, day: date) -> int:
        """How many actions are red, by the versions that were current at the end of that day."""
        at = TRANSACTION.c.issued_at
        end = datetime.combine(day, time.max)
        last = select(TRANSACTION.c.id).where(at <= end).order_by(at.desc()).limit(1)
        with self.engine.connect() as connection:
            known = connection.execute(last).scalar_one()
            until = VERSION.c.end_transaction_id
            current = select(VERSION).where(
                VERSION.c.transaction_id <= known, or_(until.is_(None), until > known)
            )
            rows = connection.execute(current).all()
        assert len(rows) == len(ACTIONS)
        return sum(row.rating == "red" for row in rows)


if __name__ == "__main__":
    serve(Continuum(sys.argv[1]))
