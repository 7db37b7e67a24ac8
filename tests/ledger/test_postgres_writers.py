"""Many who write to a ledger on a server, and lines to it that break."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from domain.action import ProgressNoted
from domain.commands import NoteProgress
from domain.errors import Conflict, Failed
from ledger import postgres as engine
from ledger.database import ConnectionLost
from ledger.entry import Note
from ledger.service import Ledger
from ledger.writing import Writing
from projections.upkeep import open_ledger
from tests.conftest import PLAN
from tests.ledger.test_concurrency import check_whole
from tests.servers import Server

NOTE = Note(date(2025, 11, 11), "A. Clerk")
WRITERS, EACH = 16, 8


@pytest.fixture
def ledger(example_database: str) -> Iterator[Ledger]:
    """The example ledger on a server, open."""
    found = open_ledger(example_database)
    yield found
    found.close()


def note(ledger: Ledger, text: str, ref: str = "P7") -> int:
    """Record a note of progress; returns its position."""
    return ledger.act(PLAN, NoteProgress(ref, text), NOTE).entries[0].position


def notes(ledger: Ledger) -> list[str]:
    """Every note of progress since the example, in order."""
    with ledger.database.reading() as connection:
        read = list(ledger.recorder.read(connection))
    found = [ledger.mapper.to_domain_event(stored) for stored in read]
    return [e.event.progress for e in found if isinstance(e.event, ProgressNoted)]


# --- many at once ---


def test_sixteen_writers_at_once(ledger: Ledger) -> None:
    """Sixteen, each with a connection of its own: no gap, no deadlock, nothing lost or twice.

    Half write on actions of their own, half on one action and try again after a conflict. A
    reader meanwhile sees whole states only: a root that is that of its position for ever.
    """
    before, address = ledger.size(), ledger.database.address
    own = ledger.references(PLAN)[: WRITERS // 2]
    recorded: dict[str, int] = {}
    errors: list[BaseException] = []
    seen: dict[int, str] = {}
    done = threading.Event()

    def write(number: int) -> None:
        ref = own[number] if number < len(own) else "P7"
        try:
            with open_ledger(address) as mine:
                for turn in range(EACH):
                    text = f"W{number} {turn}"
                    while text not in recorded:
                        try:
                            recorded[text] = note(mine, text, ref)
                        except Conflict:
                            assert ref == "P7"
        except BaseException as error:
            errors.append(error)

    def look() -> None:
        with open_ledger(address) as mine:
            while not done.is_set():
                moment = mine.moment()
                assert seen.setdefault(moment.position, moment.root) == moment.root

    threads = [threading.Thread(target=write, args=[number]) for number in range(WRITERS)]
    reader = threading.Thread(target=look)
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join()
    assert errors == []
    assert sorted(recorded.values()) == list(range(before + 1, before + WRITERS * EACH + 1))
    assert sorted(set(notes(ledger)) & set(recorded)) == sorted(recorded)
    for position, root in seen.items():
        assert ledger.moment(known_at=position).root == root
    check_whole(ledger, before + WRITERS * EACH)


def test_who_waits_too_long_is_told(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that another keeps waiting gives up with nothing recorded, and says so."""
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.1)
    before = ledger.size()
    with (
        open_ledger(ledger.database.address) as other,
        other.database.writing(),
        pytest.raises(Failed) as no,
    ):
        note(ledger, "Too late.")
    assert no.value.rule == "busy"
    assert ledger.size() == before


def test_a_writer_that_says_nothing_is_shown_out(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that holds the lock and falls silent loses it; the next gets through."""
    monkeypatch.setattr(engine, "SILENT_SECONDS", 0.1)

    def hold(other: Ledger) -> None:
        with other.database.writing() as connection:
            assert note(ledger, "Seen.")
            connection.exec_driver_sql("SELECT 1")

    with open_ledger(ledger.database.address) as other, pytest.raises(ConnectionLost):
        hold(other)
    check_whole(ledger, ledger.size())


def test_a_reader_keeps_its_state_while_others_write(ledger: Ledger) -> None:
    """Within one reading nothing moves, whatever is recorded meanwhile; and it cannot write."""
    with open_ledger(ledger.database.address) as other, other.database.reading() as connection:
        before = other.size()
        note(ledger, "Meanwhile.")
        assert other.size() == before
        assert other.moment().position == before
        with pytest.raises(Exception, match="read-only transaction"):
            connection.exec_driver_sql("UPDATE head SET size = 0")
        connection.rollback()
    assert ledger.size() == before + 1


# --- lines that break ---


def kill(server: Server, driver: psycopg.Connection[Any]) -> None:
    """The server ends that session, as when it is restarted."""
    server.sql(f"SELECT pg_terminate_backend({driver.info.backend_pid}, 5000)")


def before_insert(ledger: Ledger, server: Server, times: int) -> Callable[[], int]:
    """Each of the first appends loses its line before the entries are sent."""
    left = [times]

    def on_execute(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO entries") and left[0]:
            left[0] -= 1
            kill(server, connection.connection.driver_connection)

    event.listen(ledger.database.engine, "before_cursor_execute", on_execute)
    return lambda: left[0]


def before_commit(ledger: Ledger, server: Server, times: int) -> Callable[[], int]:
    """Each of the first appends loses its line when all is sent but the commit."""
    left = [times]

    def on_commit(connection: Any) -> None:
        if connection.get_execution_options().get("writes") and left[0]:
            left[0] -= 1
            kill(server, connection.connection.driver_connection)

    event.listen(ledger.database.engine, "commit", on_commit)
    return lambda: left[0]


def after_commit(ledger: Ledger, server: Server, times: int) -> Callable[[], int]:
    """Each of the first appends is committed, and loses its line before it hears so."""
    left = [times]
    dialect = ledger.database.engine.dialect
    commit = dialect.do_commit

    def do_commit(driver: Any) -> None:
        commit(driver)
        line = driver.driver_connection
        if left[0] and not line.read_only:
            left[0] -= 1
            kill(server, line)
            line.execute("SELECT 1")  # raises what a commit raises whose answer is lost

    dialect.do_commit = do_commit  # type: ignore[method-assign,assignment]
    return lambda: left[0]


MOMENTS = [before_insert, before_commit, after_commit]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_lost_line_is_made_good(
    ledger: Ledger, postgres: Server, moment: Callable[..., Callable[[], int]]
) -> None:
    """A line lost before, within or after the commit: the entry is recorded once, as answered."""
    before = ledger.size()
    left = moment(ledger, postgres, 1)
    assert note(ledger, "Once.") == before + 1
    assert left() == 0
    assert note(ledger, "Next.") == before + 2
    assert notes(ledger)[-2:] == ["Once.", "Next."]
    check_whole(ledger, before + 2)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_line_lost_twice_is_told(
    ledger: Ledger, postgres: Server, moment: Callable[..., Callable[[], int]]
) -> None:
    """Lost again while it is made good: it says that nobody knows, and that is the truth.

    What is there afterwards is the whole entry or none of it.
    """
    before = ledger.size()
    moment(ledger, postgres, 2)
    with pytest.raises(ConnectionLost, match="is not known") as lost:
        note(ledger, "Perhaps.")
    assert "govledger log" in lost.value.hint
    there = ledger.size() - before
    assert there == (moment is after_commit)
    assert notes(ledger).count("Perhaps.") == there
    check_whole(ledger, before + there)


def test_guards_are_looked_at_again(ledger: Ledger, postgres: Server) -> None:
    """What another records between the loss and the second try is a conflict as ever."""
    before = ledger.size()
    late = Writing(ledger, PLAN)
    late.carry_out(NoteProgress("P7", "Late."), NOTE)
    before_insert(ledger, postgres, 1)
    with _just_before_the_second_try(ledger) as other:
        with pytest.raises(Conflict):
            late.commit()
        assert notes(other)[-1] == "First."
    check_whole(ledger, before + 1)


@contextmanager
def _just_before_the_second_try(ledger: Ledger) -> Iterator[Ledger]:
    turns = [0]
    with open_ledger(ledger.database.address) as other:
        queue = ledger.database._queue

        def on_queue(connection: Any, new: bool) -> None:
            turns[0] += 1
            if turns[0] == 2:
                note(other, "First.")
            queue(connection, new)

        ledger.database._queue = on_queue  # type: ignore[method-assign]
        yield other
        assert turns[0] == 2


def test_a_line_that_has_gone_stale_is_no_trouble(ledger: Ledger, postgres: Server) -> None:
    """A connection that the server closed while nobody used it is replaced before it is used."""
    before = ledger.size()
    with ledger.database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
    kill(postgres, driver)
    assert note(ledger, "Later.") == before + 1


def test_a_line_lost_while_reading(ledger: Ledger, postgres: Server) -> None:
    """A question whose line is lost in the middle is not asked again by itself: it says so."""

    def ask() -> None:
        with ledger.database.reading() as connection:
            kill(postgres, connection.connection.driver_connection)  # type: ignore[arg-type]
            ledger.size()

    with pytest.raises(ConnectionLost) as lost:
        ask()
    assert lost.value.rule == "connection-lost"
    assert "Ask again" in lost.value.hint
    assert ledger.size()
