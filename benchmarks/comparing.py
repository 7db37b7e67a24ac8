"""Appends and questions as at a date, on SQLite and PostgreSQL, against peers of four kinds.

Every peer runs in a process of its own and says itself how long it took. Peers have one clock:
they can say what was recorded by a day, and not what held on one day as known on another.
"""

import os
import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from benchmarks.apart import Peer, environment
from benchmarks.appending import act
from benchmarks.asking import ask
from benchmarks.changes import ACTIONS, BEGINS_ON, DAYS
from benchmarks.histories import PREPARED, history
from benchmarks.measure import Prepare, Prepared, Row, in_turn
from benchmarks.servers import database
from ledger.service import Ledger


class Ours:
    """A ledger, asked as the peers are."""

    def __init__(self, address: str | Path, count: int) -> None:
        self.ledger: Ledger = history(address, count)
        self.count = count
        self.today = self.ledger.today()

    def append(self, ref: str, rating: str) -> Prepared:
        """One rating."""
        return act(self.ledger, ref, rating, self.today)

    def as_at(self, day: date) -> Prepared:
        """The plan as at that day, as known when that share of the history was recorded."""
        share = (day - BEGINS_ON).days / DAYS
        position = PREPARED + round(share * self.count)
        return lambda: ask(self.ledger, day, position)[1]

    def close(self) -> None:
        """Give back the database."""
        self.ledger.close()


class Theirs:
    """A peer with as long a history."""

    def __init__(self, peer: Peer, count: int) -> None:
        self.peer = peer
        peer.ask("fill", count)

    def append(self, ref: str, rating: str) -> Prepared:
        """The same rating."""
        return lambda: self.peer.ask("append", ref, rating)[0]

    def as_at(self, day: date) -> Prepared:
        """All actions, by what was recorded by that day."""
        return lambda: self.peer.ask("as_at", day.isoformat())[0]

    def close(self) -> None:
        """End it."""
        self.peer.close()


Subject = Ours | Theirs
OURS = "govledger"


def comparing(
    folder: Path, server: str, mariadb: str | None, counts: Sequence[int], rounds: int, asked: int
) -> tuple[list[Row], list[Row], list[Row]]:
    """Appends, questions, and how both grow, with a history of so many changes behind each.

    Args:
        counts: lengths of the history; peers are measured at each.
        rounds: appends.
        asked: questions.
    """
    appends: list[Row] = []
    questions: list[Row] = []
    took: dict[tuple[str, str, str], list[float]] = {}
    python = environment()
    for count in counts:
        for place in ("SQLite", "PostgreSQL"):
            with ExitStack() as stack:
                if place == "SQLite":
                    subjects = _on_sqlite(folder, count, python)
                else:
                    subjects = _on_server(server, mariadb, count, python)
                for subject in subjects.values():
                    stack.callback(subject.close)
                _agree(subjects)
                title = f"{place}, {count:,} changes: govledger / "
                for what, found, kind, times, warm_up in (
                    ("append", appends, _appends, rounds, 12),
                    ("as at a date", questions, _questions, asked, 1),
                ):
                    medians = in_turn(times, *map(kind, subjects.values()), warm_up=warm_up)
                    for name, median in zip(subjects, medians, strict=True):
                        took.setdefault((what, place, name), []).append(median)
                    found += [
                        Row(title + name, medians[0], theirs)
                        for name, theirs in zip(list(subjects)[1:], medians[1:], strict=True)
                    ]
    growth = [
        Row(f"{what}, {place}, {name}: {counts[-1]:,} / {counts[0]:,}", found[-1], found[0])
        for (what, place, name), found in took.items()
    ]
    return appends, questions, growth


def _agree(subjects: Mapping[str, Subject]) -> None:
    """All peers give the same answer, or the comparison is of different things."""
    day = (BEGINS_ON + timedelta(days=DAYS // 2)).isoformat()
    said = {s.peer.ask("as_at", day)[1] for s in subjects.values() if isinstance(s, Theirs)}
    assert len(said) == 1, said


def _appends(subject: Subject) -> Prepare:
    wanted = _ratings()
    return lambda: subject.append(*next(wanted))


def _ratings() -> Iterator[tuple[str, str]]:
    for rating in cycle(("red", "amber")):
        for ref in ACTIONS[:10]:
            yield ref, rating


def _questions(subject: Subject) -> Prepare:
    pick = random.Random(7)
    return lambda: subject.as_at(BEGINS_ON + timedelta(days=pick.randrange(1, DAYS)))


def _on_sqlite(folder: Path, count: int, python: Path) -> dict[str, Subject]:
    def file(name: str) -> str:
        path = folder / f"{name}-{count}.sqlite"
        # The file keeps the mode, so that every peer has the one that ours has.
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
        return str(path)

    module = {"PERSISTENCE_MODULE": "eventsourcing.sqlite"}
    other = {"PERSISTENCE_MODULE": "eventsourcing_sqlalchemy"}
    return {
        OURS: Ours(folder / f"compared-{count}.sqlite", count),
        "eventsourcing": _eventsourcing({**module, "SQLITE_DBNAME": file("es")}, count),
        "eventsourcing-sqlalchemy": _eventsourcing(
            {**other, "SQLALCHEMY_URL": f"sqlite:///{file('es-sqlalchemy')}"}, count, python
        ),
        "SQLAlchemy-Continuum": _continuum(f"sqlite:///{file('continuum')}", count),
    }


def _on_server(server: str, mariadb: str | None, count: int, python: Path) -> dict[str, Subject]:
    def new(name: str) -> URL:
        return database(server, f"{name}_{count}")

    def address(url: URL) -> str:
        return url.render_as_string(hide_password=False)

    own: Any = new("eventsourcing")
    module = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": own.database,
        "POSTGRES_HOST": own.host or own.query["host"],
        "POSTGRES_PORT": str(own.port or own.query.get("port", "5432")),
        "POSTGRES_USER": own.username,
        "POSTGRES_PASSWORD": own.password or "none",
    }
    other = {"PERSISTENCE_MODULE": "eventsourcing_sqlalchemy"}
    found: dict[str, Subject] = {
        OURS: Ours(address(new("govledger").set(drivername="postgresql")), count),
        "eventsourcing": _eventsourcing(module, count),
        "eventsourcing-sqlalchemy": _eventsourcing(
            {**other, "SQLALCHEMY_URL": address(new("es_sqlalchemy"))}, count, python
        ),
        "SQLAlchemy-Continuum": _continuum(address(new("continuum")), count),
    }
    if mariadb:
        peer = Peer("benchmarks.temporal", mariadb, f"temporal_{count}")
        found["MariaDB, system-versioned"] = Theirs(peer, count)
    return found


def _eventsourcing(env: Mapping[str, str], count: int, python: Path | None = None) -> Theirs:
    clean = {key: "" for key in os.environ if key.startswith(("POSTGRES_", "SQLITE_"))}
    return Theirs(Peer("benchmarks.peer", python=python, env={**clean, **env}), count)


def _continuum(address: str, count: int) -> Theirs:
    return Theirs(Peer("benchmarks.continuum", address), count)
