"""Several who write at once: positions stay 1, 2, 3 …, nothing is lost, a conflict is told."""

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from documents.plan_csv import read_plan_csv
from domain.action import ActionAdded, ProgressNoted
from domain.commands import Add, NoteProgress, Rate
from domain.errors import Conflict, Refusal
from domain.plan import ReportIssued
from domain.timeline import fold
from ledger.entry import Entry, Note, leaf_bytes
from ledger.service import Ledger
from ledger.tree import Tree
from ledger.verification import verify
from ledger.writing import Writing
from projections.state import read_state
from projections.upkeep import check_read_models, create_ledger, open_ledger
from tests.conftest import EXAMPLE
from tests.ledger.processes import Writer

CODE = "R1"
DAY = date(2025, 9, 30)
NOTE = Note(DAY, "A. Clerk", source="the paper")
EACH = 20
"""How many entries each writer records."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with the example's first plan."""
    ledger = create_ledger(tmp_path / "shared.sqlite", "Shared", "A. Clerk")
    plan = read_plan_csv(EXAMPLE / "2024-07-17-approved.csv")
    ledger.import_plan(CODE, plan, Note(date(2024, 7, 17), "A. Clerk", source="the paper"))
    yield ledger
    ledger.close()


@pytest.fixture
def other(ledger: Ledger) -> Iterator[Ledger]:
    """The same ledger, opened by somebody else."""
    other = open_ledger(ledger.database.path)
    yield other
    other.close()


def entries_of(ledger: Ledger, ref: str) -> list[Entry]:
    """The entries on one action in order."""
    with ledger.database.reading() as connection:
        read = list(ledger.recorder.read(connection))
    stream = f"action/{CODE}/{ref}"
    return [ledger.mapper.to_domain_event(s) for s in read if s.originator_id == stream]


def notes_in(ledger: Ledger, ref: str) -> dict[str, int]:
    """The position of every progress note on an action."""
    return {
        entry.event.progress: entry.position
        for entry in entries_of(ledger, ref)
        if isinstance(entry.event, ProgressNoted)
    }


def check_whole(ledger: Ledger, size: int) -> None:
    """Positions are 1 to `size`; entries, tree and read models hold."""
    with ledger.database.reading() as connection:
        read = list(ledger.recorder.read(connection))
    assert [stored.position for stored in read] == list(range(1, size + 1))
    versions = Counter(stored.originator_id for stored in read)
    for stream, count in versions.items():
        held = [s.originator_version for s in read if s.originator_id == stream]
        assert held == list(range(1, count + 1))
    verified = verify(ledger)
    assert verified.findings == ()
    assert verified.size == size
    assert check_read_models(ledger) == []


# --- several processes ---


@pytest.mark.parametrize("count", [2, 4])
def test_on_different_actions(ledger: Ledger, count: int) -> None:
    """Processes that write on actions of their own never conflict, and nothing is lost."""
    refs = ledger.references(CODE)[:count]
    before = ledger.size()
    writers = [Writer("note", ledger.database.path, f"W{ref}", EACH, ref) for ref in refs]
    for writer in writers:
        writer.go()
    assert [writer.end() for writer in writers] == [0] * count
    for writer, ref in zip(writers, refs, strict=True):
        assert writer.all_said("lost") == []
        acknowledged = dict(
            zip(writer.all_said("recorded"), writer.all_said("position"), strict=True)
        )
        assert list(acknowledged) == [f"W{ref} {number}" for number in range(EACH)]
        assert acknowledged == notes_in(ledger, ref)
    check_whole(ledger, before + count * EACH)


@pytest.mark.parametrize("count", [2, 4])
def test_on_the_same_action(ledger: Ledger, count: int) -> None:
    """Processes that write on one action record what is acknowledged and nothing of what is not.

    Whoever loses a conflict is told what to do; whoever does it gets through.
    """
    (ref,) = ledger.references(CODE)[:1]
    before = ledger.size()
    names = [f"W{number}" for number in range(count)]
    writers = [Writer("note", ledger.database.path, name, EACH, ref) for name in names]
    for writer in writers:
        writer.go()
    assert [writer.end() for writer in writers] == [0] * count
    acknowledged: dict[str, int] = {}
    for writer, name in zip(writers, names, strict=True):
        texts = writer.all_said("recorded")
        assert texts == [f"{name} {number}" for number in range(EACH)]
        acknowledged |= zip(texts, writer.all_said("position"), strict=True)
        assert set(writer.all_said("rule")) <= {"changed-meanwhile"}
        assert all("again" in hint for hint in writer.all_said("hint"))
        assert all("nothing of yours was recorded" in said for said in writer.all_said("message"))
    assert acknowledged == notes_in(ledger, ref)
    assert len(set(acknowledged.values())) == count * EACH
    check_whole(ledger, before + count * EACH)


def test_readers_see_one_state(ledger: Ledger) -> None:
    """Whoever reads while others write sees whole states: what the entries up to there say.

    The moment's root is the one over the entries up to its position, and the state read at the
    moment is the fold of just those entries.
    """
    refs = ledger.references(CODE)[:2]
    before = ledger.size()
    writers = [Writer("note", ledger.database.path, f"W{ref}", EACH, ref) for ref in refs]
    done = threading.Event()

    def let_them_write() -> None:
        for writer in writers:
            writer.go()
        for writer in writers:
            writer.end()
        done.set()

    thread = threading.Thread(target=let_them_write)
    thread.start()
    seen = {}
    last = False
    positions = []
    while not last:
        last = done.is_set()
        moment = ledger.moment()
        with ledger.database.reading() as connection:
            state = read_state(connection, CODE, moment)
        positions.append(moment.position)
        seen[moment.position] = (moment, state)
    thread.join()

    assert positions == sorted(positions)
    assert positions[-1] == before + 2 * EACH
    with ledger.database.reading() as connection:
        stored = list(ledger.recorder.read(connection))
    entries = [ledger.mapper.to_domain_event(entry) for entry in stored]
    tree, roots = Tree(), {}
    for entry in stored:
        tree.append(leaf_bytes(entry))
        roots[tree.size] = tree.root.hex()
    for position, (moment, state) in seen.items():
        assert moment.root == roots[position]
        folded = fold(entries, moment.as_at, position)
        assert state.plan == folded[f"plan/{CODE}"]
        assert state.actions == {ref: folded[f"action/{CODE}/{ref}"] for ref in state.actions}


# --- one after the other, so that it happens every time ---


def test_second_of_two_decisions_is_a_conflict(ledger: Ledger, other: Ledger) -> None:
    """Of two who have both read an action, the second to record gets a conflict and a hint."""
    first, second = Writing(ledger, CODE), Writing(other, CODE)
    first.carry_out(Rate("SL1", "On track"), NOTE)
    second.carry_out(Rate("SL1", "Delayed"), NOTE)
    (recorded,) = first.commit().entries
    with pytest.raises(Conflict, match="nothing of yours was recorded") as lost:
        second.commit()
    assert lost.value.rule == "changed-meanwhile"
    assert "govledger log" in lost.value.hint
    assert "again" in lost.value.hint
    assert lost.value.exit_code == Refusal.exit_code
    assert other.size() == recorded.position
    check_whole(ledger, recorded.position)


def test_a_conflict_on_one_action_undoes_all_of_the_write(ledger: Ledger, other: Ledger) -> None:
    """Of a write on several actions nothing is recorded when one of them has moved."""
    before = ledger.size()
    several = Writing(other, CODE)
    for ref in ("SL1", "SL3", "P7"):
        several.carry_out(Rate(ref, "On track"), NOTE)
    ledger.act(CODE, NoteProgress("P7", "Seen."), NOTE)
    with pytest.raises(Conflict):
        several.commit()
    assert notes_in(ledger, "P7") == {"Seen.": before + 1}
    check_whole(ledger, before + 1)


def test_different_actions_do_not_conflict(ledger: Ledger, other: Ledger) -> None:
    """Two who have both read the plan, and write on different actions, both get through."""
    before = ledger.size()
    first, second = Writing(ledger, CODE), Writing(other, CODE)
    first.carry_out(Rate("SL1", "On track"), NOTE)
    second.carry_out(Rate("SL3", "Delayed"), NOTE)
    positions = [writing.commit().entries[0].position for writing in (first, second)]
    assert positions == [before + 1, before + 2]
    check_whole(ledger, before + 2)


def test_report_between_reading_and_recording(ledger: Ledger, other: Ledger) -> None:
    """A report that closes the period between another's reading and recording is a conflict.

    The other decided that the period was open; nothing of the action itself has moved.
    """
    before = ledger.size()
    late = Writing(other, CODE)
    late.carry_out(Rate("SL1", "Delayed"), NOTE)
    ledger.issue_report(CODE, "Q3", "Committee", DAY, DAY, Note(DAY, "A. Clerk"))
    with pytest.raises(Conflict):
        late.commit()
    check_whole(ledger, before + 1)
    again = Writing(other, CODE)
    with pytest.raises(Refusal) as refused:
        again.carry_out(Rate("SL1", "Delayed"), NOTE)
    assert refused.value.rule == "period-closed"


def test_two_reports_at_once(ledger: Ledger, other: Ledger) -> None:
    """Of two reports on the same plan at once, the second is a conflict."""
    before = ledger.size()
    late = Writing(other, CODE)
    ledger.issue_report(CODE, "Q3", "Committee", DAY, DAY, Note(DAY, "A. Clerk"))
    event = ReportIssued(
        report="Q3b", committee="Board", meeting=DAY, as_at=DAY, known_at=before, root="ab" * 32
    )
    late.record_on_plan(event, Note(DAY, "B. Clerk"))
    with pytest.raises(Conflict):
        late.commit()
    check_whole(ledger, before + 1)


def test_same_action_added_twice(ledger: Ledger, other: Ledger) -> None:
    """Of two who add an action under the same new reference, the second is a conflict."""
    before = ledger.size()
    section = next(iter(Writing(ledger, CODE).plan_now.sections))
    writings = [Writing(ledger, CODE), Writing(other, CODE)]
    for number, writing in enumerate(writings):
        writing.carry_out(Add("NEW1", f"Title {number}", section), NOTE, joins=True)
    writings[0].commit()
    with pytest.raises(Conflict):
        writings[1].commit()
    (entry,) = entries_of(ledger, "NEW1")
    assert isinstance(entry.event, ActionAdded)
    assert entry.event.title == "Title 0"
    check_whole(ledger, before + 1)


def test_same_plan_created_twice(
    ledger: Ledger, other: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two who begin a plan under the same new code, the second is a conflict."""
    before = ledger.size()
    note = Note(date(2025, 2, 4), "A. Clerk")
    with monkeypatch.context() as earlier:
        # The other has looked for the code before the first recorded it.
        earlier.setattr(other, "plan_codes", list)
        ledger.create_plan("NEW", "New", note)
        with pytest.raises(Conflict):
            other.create_plan("NEW", "New", note)
    assert other.plan_codes() == [CODE, "NEW"]
    check_whole(ledger, before + 1)


def test_threads_on_one_ledger(ledger: Ledger) -> None:
    """Four threads that share an open ledger record all that is acknowledged, without a gap."""
    before = ledger.size()
    refs = ledger.references(CODE)[:4]
    errors: list[BaseException] = []

    def write(ref: str) -> None:
        try:
            for number in range(EACH):
                ledger.act(CODE, NoteProgress(ref, f"Note {number}"), NOTE)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=[ref]) for ref in refs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for ref in refs:
        assert set(notes_in(ledger, ref)) == {f"Note {number}" for number in range(EACH)}
    check_whole(ledger, before + 4 * EACH)
