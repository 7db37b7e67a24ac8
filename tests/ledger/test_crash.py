"""A process that is killed in the middle of its work leaves the ledger as before or as after."""

import itertools
import random
import shutil
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ledger.entry import Note
from ledger.recorder import Recorder
from ledger.verification import verify
from projections.upkeep import check_read_models, create_ledger
from tests.ledger.behind import opened
from tests.ledger.processes import Writer

LONG = 2_000
SHORT = 200
ROUNDS = 6
CHANCE = random.Random(20250930)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with nothing but its opening entry."""
    path = tmp_path_factory.mktemp("crash") / "begun.sqlite"
    create_ledger(path, "Crash", "A. Clerk").close()
    return path


def importers(begun: Path, folder: Path, *words: int) -> Iterator[tuple[Writer, Path]]:
    """Writers on ledgers of their own without end; the next starts while one is looked at."""
    ahead: list[tuple[Writer, Path]] = []
    try:
        for number in itertools.count():
            path = Path(shutil.copy(begun, folder / f"{number}.sqlite"))
            ahead.append((Writer("import", path, *words), path))
            if len(ahead) > 1:
                yield ahead.pop(0)
    finally:
        for writer, _path in ahead:
            writer.kill()


def check_after(path: Path, actions: int, acknowledged: list[int]) -> int:
    """The ledger opens, is whole, holds whole imports only, and takes a new entry.

    Returns:
        How many imports it holds.
    """
    with opened(path) as ledger:
        verified = verify(ledger)
        assert verified.findings == ()
        assert verified.root == ledger.moment().root
        assert check_read_models(ledger) == []
        codes = ledger.plan_codes()
        assert codes == [f"R{number}" for number in range(1, len(codes) + 1)]
        assert len(acknowledged) <= len(codes) <= len(acknowledged) + 1
        with ledger.database.reading() as connection:
            streams = connection.exec_driver_sql("SELECT stream_id FROM entries").scalars().all()
        assert len(streams) == verified.size == ledger.size()
        for code in codes:
            assert len(ledger.references(code)) == actions
        # Each import is as many entries as the next, and there are no others.
        of_each = {sum(s.split("/")[1:2] == [code] for s in streams) for code in codes}
        assert len(of_each) <= 1
        assert len(streams) == 1 + sum(of_each) * len(codes)
        receipt = ledger.create_plan("AFTER", "After", Note(date(2025, 1, 1), "A. Clerk"))
        assert receipt.entries[0].position == verified.size + 1
    return len(codes)


def test_killed_during_a_long_import(begun: Path, tmp_path: Path) -> None:
    """SIGKILL at ten random moments of one long import: all of it is there, or nothing.

    Some of the kills wait until the child says that it is in the middle of the transaction.
    """
    writers = importers(begun, tmp_path, LONG, 1)
    writer, path = next(writers)
    writer.go()
    writer.hear("start")
    start = time.monotonic()
    writer.hear("inside")
    inside = time.monotonic()
    writer.hear("done")
    done = time.monotonic()
    assert writer.end() == 0
    assert check_after(path, LONG, [1]) == 1

    held: list[int] = []
    within = 0
    for wait_for, longest in [("start", done - start), ("inside", done - inside)] * 5:
        writer, path = next(writers)
        writer.go()
        writer.hear(wait_for)
        time.sleep(CHANCE.uniform(0, longest))
        writer.kill()
        within += bool(writer.all_said("inside")) and not writer.all_said("done")
        held.append(check_after(path, LONG, writer.all_said("done")))
    writers.close()  # type: ignore[attr-defined]
    assert set(held) <= {0, 1}
    assert within
    assert 0 in held


def test_killed_during_many_imports(begun: Path, tmp_path: Path) -> None:
    """SIGKILL at twelve random moments of a series of imports: those acknowledged are whole."""
    writers = importers(begun, tmp_path, SHORT, ROUNDS)
    writer, path = next(writers)
    writer.go()
    start = time.monotonic()
    assert writer.end() == 0
    length = time.monotonic() - start
    assert check_after(path, SHORT, writer.all_said("done")) == ROUNDS

    held: list[int] = []
    for part in range(12):
        writer, path = next(writers)
        writer.go()
        writer.hear("start")
        # Spread over the whole series, and random within each part of it.
        time.sleep((part + CHANCE.random()) / 12 * length)
        writer.kill()
        held.append(check_after(path, SHORT, writer.all_said("done")))
    writers.close()  # type: ignore[attr-defined]
    assert max(held) > 0


def test_killed_before_each_statement(begun: Path, tmp_path: Path) -> None:
    """SIGKILL before each statement of the transaction, from BEGIN to COMMIT: nothing of it."""
    for statement in itertools.count(1):
        path = Path(shutil.copy(begun, tmp_path / f"{statement}.sqlite"))
        writer = Writer("import", path, 20, 2, statement)
        writer.go()
        code = writer.end()
        held = check_after(path, 20, writer.all_said("done"))
        if code == 0:
            assert held == 2
            break
        assert (code, held) == (-9, 1)
    # BEGIN, the head, entries, texts, head, slots, assertions, position, COMMIT at the least.
    assert statement > 9


def test_killed_while_a_ledger_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger whose beginning was broken off is none yet: it can be begun again."""
    path = tmp_path / "new.sqlite"
    with monkeypatch.context() as dying:
        dying.setattr(Recorder, "_seal", _die)
        with pytest.raises(KeyboardInterrupt):
            create_ledger(path, "New", "A. Clerk")
    create_ledger(path, "New", "A. Clerk").close()
    with opened(path) as ledger:
        assert verify(ledger).size == 1


def _die(*_args: object) -> None:
    raise KeyboardInterrupt
