"""Opening a ledger together with its read models, and rebuilding or checking those."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, create_engine, exc, select

from domain.dates import now
from domain.errors import Failed, GovledgerError, IntegrityBroken
from ledger.service import Ledger
from ledger.verification import Finding
from projections.assertions import VERSION, PlanProjector, assertions, slots, voids


def create_ledger(
    path: str | Path, name: str, recorded_by: str, clock: Callable[[], datetime] = now
) -> Ledger:
    """Begin a new ledger; see `Store.create`."""
    return Ledger.create(path, name, recorded_by, PlanProjector(), clock)


def open_ledger(path: str | Path, clock: Callable[[], datetime] = now) -> Ledger:
    """Open a ledger that exists; see `Store.open`."""
    return Ledger.open(path, PlanProjector(), clock)


def check_in_step(ledger: Ledger) -> None:
    """Say clearly when the read models are another version's, or lag behind the entries.

    Raises:
        Failed: rebuild-needed.
    """
    with ledger.database.reading() as connection:
        found = PlanProjector().position(connection)
        if found != (VERSION, ledger.recorder.size(connection)):
            raise Failed(
                "rebuild-needed",
                "The read models are not in step with the entries, so nothing can be read from "
                "them.",
                "Make them anew: govledger rebuild",
            )


def rebuild(ledger: Ledger, tick: Callable[[int], None] = lambda _done: None) -> int:
    """Drop the read models and make them again from the entries; returns how many there are.

    Readers see the old ones until the new ones are complete.

    Raises:
        IntegrityBroken: unreadable-payload.
    """
    try:
        with ledger.database.writing() as connection:
            facts = ledger.recorder.facts(connection)
            return PlanProjector().rebuild(connection, facts, tick=tick)
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityBroken(
            "unreadable-payload",
            "An entry cannot be read, so the read models stay as they were.",
            "Find it with: govledger verify",
        ) from error


def check_read_models(ledger: Ledger) -> list[Finding]:
    """Hold the read models to what the entries say; somebody may have edited them.

    Makes them anew in a scratch database, with the code that made them first, and compares the
    two row by row.
    """
    with TemporaryDirectory() as folder:
        scratch = create_engine(f"sqlite+pysqlite:///{folder}/scratch.sqlite")
        try:
            with ledger.database.reading() as kept, scratch.begin() as made:
                done = PlanProjector().rebuild(made, ledger.recorder.facts(kept))
                if PlanProjector().position(kept) != (VERSION, done):
                    return [_finding("they are not in step with the entries")]
                for ours, theirs in zip_longest(_rows(made), _rows(kept)):
                    if ours != theirs:
                        first = min(
                            (r for r in (ours, theirs) if r), key=lambda r: [str(c) for c in r]
                        )
                        place = "/".join(str(part) for part in first[:3] if part)
                        return [_finding(f"the first difference is at {place}")]
        except (exc.DatabaseError, GovledgerError, ValueError, KeyError, TypeError) as error:
            return [_finding(f"they cannot be read: {error}")]
        finally:
            scratch.dispose()
    return []


def _finding(what: str) -> Finding:
    return Finding(
        "read-model-changed",
        None,
        f"The read models do not say what the entries say: {what}. "
        "'govledger rebuild' makes them anew.",
    )


def _rows(connection: Connection) -> Iterator[tuple[Any, ...]]:
    names = (slots.c.stream_id, slots.c.part, slots.c.attribute)
    query = (
        select(
            *names,
            assertions.c.at,
            assertions.c.position,
            assertions.c.voided_by,
            assertions.c.value,
            slots.c.plan,
        )
        .select_from(assertions.outerjoin(slots, slots.c.id == assertions.c.slot))
        .order_by(*names, assertions.c.at)
    )
    for row in connection.execute(query):
        yield tuple(row)
    for row in connection.execute(select(voids).order_by(voids.c.position)):
        yield ("void", "", str(row.position), row.voided_by)
