"""Sizes and speeds on both engines, for docs/databases.md: `python -m benchmarks.databases`."""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

from domain.commands import NoteProgress
from ledger.address import open_database
from ledger.copying import copy_ledger
from ledger.entry import Note
from ledger.service import Ledger
from ledger.verification import verify
from ledger.writing import Writing
from projections.assertions import PlanProjector
from projections.upkeep import create_ledger, open_ledger
from tests.ledger.processes import Writer
from tests.ledger.writer import generated_plan
from tests.servers import Server, running

CODE, ENTRIES, WRITERS = "R1", 20_000, 16
NOTE = Note(date(2025, 9, 30), "A. Clerk", source="the long plan")
WORDS = "Note {}: the action was reviewed with its owner, and what was agreed was begun."


def begun(place: str | Path) -> Ledger:
    """A ledger with a plan of 200 actions."""
    ledger = create_ledger(place, "Bench", "A. Clerk")
    ledger.import_plan(CODE, generated_plan(200), NOTE, title="A long plan")
    return ledger


def rate(count: int, work: Callable[[], object]) -> int:
    """How many a second."""
    start = time.perf_counter()
    work()
    return round(count / (time.perf_counter() - start))


def appends(place: str | Path) -> tuple[int, int]:
    """Entries a second with one writer, and with sixteen processes together."""
    with begun(place) as ledger:
        refs = ledger.references(CODE)

        def one() -> None:
            for number in range(400):
                ledger.act(CODE, NoteProgress(refs[number % 200], WORDS.format(number)), NOTE)

        alone = rate(400, one)
    each = 40
    writers = [
        Writer("note", place, f"W{k}", each, *refs[k * 10 : k * 10 + 10]) for k in range(WRITERS)
    ]
    for writer in writers:
        writer.hear("ready")

    def all_of_them() -> None:
        for writer in writers:
            writer.release()
        assert [writer.end() for writer in writers] == [0] * WRITERS

    return alone, rate(WRITERS * each, all_of_them)


def sizes(server: Server, file: Path) -> None:
    """A long history on both engines: bytes an entry, and what it takes to copy and verify it."""
    with begun(file) as ledger:
        number = 0
        while ledger.size() < ENTRIES:
            writing = Writing(ledger, CODE)
            for ref in ledger.references(CODE):
                number += 1
                writing.carry_out(NoteProgress(ref, WORDS.format(number)), NOTE)
            writing.commit()
        size = ledger.size()
        print(f"SQLite: verify {rate(size, lambda: verify(ledger))}/s")
        address = server.new()
        with closing(open_database(address)) as target:
            copied = rate(size, lambda: copy_ledger(ledger, target, PlanProjector()))
    with open_ledger(address) as ledger:
        print(f"PostgreSQL: copy into {copied}/s, verify {rate(size, lambda: verify(ledger))}/s")
        with closing(open_database(file.with_name("back.sqlite"), create=True)) as target:
            copied = rate(size, lambda: copy_ledger(ledger, target, PlanProjector()))
    print(f"SQLite: copy into {copied}/s")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("VACUUM")
        query = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name"
        for name, taken in connection.execute(query):
            print(f"SQLite: {name} {taken / size:.0f} bytes an entry")
    server.sql("VACUUM FULL", at=address)
    query = "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' "
    for name, taken in server.sql(query + "AND relname !~ '^(pg_|sql_)'", at=address):
        print(f"PostgreSQL: {name} {taken / size:.0f} bytes an entry")
    query = "SELECT pg_database_size(current_database())"
    print(f"PostgreSQL: an empty database {server.sql(query, at=server.new())[0][0]} bytes")


def main() -> None:
    """Measure and print."""
    with running() as server, tempfile.TemporaryDirectory() as folder:
        server.sql("ALTER SYSTEM SET fsync = on", "SELECT pg_reload_conf()")
        time.sleep(0.5)
        for name, place in (("SQLite", Path(folder) / "a.sqlite"), ("PostgreSQL", server.new())):
            alone, together = appends(place)
            print(f"{name}: one writer {alone}/s, sixteen processes {together}/s", flush=True)
        sizes(server, Path(folder) / "long.sqlite")


if __name__ == "__main__":
    main()
