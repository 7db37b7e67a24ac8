"""Ways to change a ledger behind its back, and to hear what it says of it."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from ledger.service import Ledger
from ledger.verification import Finding, verify
from projections.upkeep import check_read_models, open_ledger

Named = tuple[str, int | None]
"""(kind, position) of a finding."""


@contextmanager
def plain(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as anybody can open it; every statement stands at once."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Nobody pulls the plug on a test, so it need not wait for the disk.
        connection.execute("PRAGMA synchronous = OFF")
        yield connection


@contextmanager
def unguarded(path: Path) -> Iterator[sqlite3.Connection]:
    """The file without its triggers; afterwards they stand there again as before."""
    with plain(path) as connection:
        guards = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _statement in guards:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _name, statement in guards:
            connection.execute(statement)


def tamper(path: Path, *statements: str) -> None:
    """Change the ledger by these statements, each of which must change something."""
    with unguarded(path) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, statement


@contextmanager
def opened(path: Path) -> Iterator[Ledger]:
    """The ledger, opened as everybody opens it."""
    ledger = open_ledger(path)
    try:
        yield ledger
    finally:
        ledger.close()


def findings(path: Path) -> list[Named]:
    """What `verify` finds, in its order."""
    with opened(path) as ledger:
        return named(verify(ledger).findings)


def read_model_findings(path: Path) -> list[Finding]:
    """What the check of the read models finds."""
    with opened(path) as ledger:
        return check_read_models(ledger)


def named(found: Sequence[Finding]) -> list[Named]:
    """The kinds and positions; each message must name its position."""
    for finding in found:
        assert finding.position is None or str(finding.position) in finding.message
    return [(finding.kind, finding.position) for finding in found]


def one(path: Path, query: str) -> int:
    """The one number that a query gives."""
    with plain(path) as connection:
        ((number,),) = connection.execute(query).fetchall()
    return int(number)


def rewrite(connection: sqlite3.Connection, select: str, change: Callable[[bytes], bytes]) -> None:
    """Change the one blob that `SELECT column FROM table WHERE …` gives."""
    ((blob,),) = connection.execute(select).fetchall()
    column, rest = select.removeprefix("SELECT ").split(" FROM ")
    table, where = rest.split(" WHERE ")
    connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", [change(blob)])
