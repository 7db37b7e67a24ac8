"""Ways round the boards: each was open once, and is refused, or undone, or has no effect."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from domain.board_commands import Appoint, DeclareInterest, RecordMeeting, StandDown
from domain.commands import ChangeOwners, Rate, Reword
from domain.content import changed_since, is_stale
from domain.errors import NotAuthorised, Refusal
from domain.evidence_commands import Lodge
from domain.issue_commands import Agree, Propose
from domain.person_commands import Administrate
from domain.signoff_commands import Grant, Recommend, Return
from ledger.entry import Note
from ledger.lawfulness import check_lawfulness
from projections.state import PlanState, read_state
from projections.upkeep import open_ledger
from tests.boards import ADMIN, CODE, MEETING, Boards

NEXT = date(2025, 11, 13)
THERE = ("iib-chair", "dcs", "lead-member", "clerk")


@pytest.fixture
def boards(tmp_path: Path) -> Iterator[Boards]:
    found = Boards(tmp_path / "ledger.sqlite")
    yield found
    found.ledger.close()


def state(boards: Boards) -> PlanState:
    with boards.ledger.database.reading() as connection:
        return read_state(connection, CODE, boards.ledger.moment())


def rating(boards: Boards, ref: str = "C1") -> str | None:
    return state(boards).actions[ref].rating


def amended(boards: Boards, ref: str, words: str, number: str, on: date) -> None:
    boards.by("dcs", Propose(Reword(ref, words)), on, "Clearer.")
    boards.by("clerk", Agree(number, on, "3"), on)


def test_history_taken_over_is_not_voided_by_whoever_it_hinders(boards: Boards) -> None:
    """A member cannot void the document's owner of an action so as to vote on it."""
    source = Note(MEETING, ADMIN, reason="Printed so.", source="Council, 9 October 2025")
    writing_at = boards.ledger.size() + 1
    boards.ledger.act(CODE, ChangeOwners("C2", "Lead member"), source)
    for who in ("lead-member", "clerk", "a stranger"):
        with pytest.raises(NotAuthorised) as refused:
            boards.ledger.void(writing_at, Note(MEETING, who, reason="No."))
        assert refused.value.rule == "not-administrator"
    boards.ledger.void(writing_at, Note(MEETING, ADMIN, reason="A slip."))


def test_a_rating_taken_over_is_not_moved_by_a_stranger(boards: Boards) -> None:
    """Green from a document is rated down by an administrator, and by nobody else."""
    source = Note(MEETING, ADMIN, source="Council, 9 October 2025")
    boards.ledger.act(CODE, Rate("C2", "Complete"), source)
    with pytest.raises(NotAuthorised):
        boards.ledger.act(CODE, Rate("C2", "On track"), Note(MEETING, "dcs", reason="No."))
    assert rating(boards, "C2") == "green"


def test_a_phase_is_not_granted_below_what_was_taken_over(boards: Boards) -> None:
    """A round that waited does not lower a rating that a document has given meanwhile."""
    boards.ready("C1")
    for who in ("iib-chair", "lead-member"):
        boards.vote(who, "C1")
    source = Note(MEETING, ADMIN, source="Council, 9 October 2025")
    boards.ledger.act(CODE, Rate("C1", "Complete"), source)
    with pytest.raises(Refusal) as refused:
        boards.grant("C1")
    assert refused.value.rule == "already-granted"
    assert rating(boards) == "green"


def test_a_late_interest_undoes_nothing_for_the_member_alone(boards: Boards) -> None:
    """A member who declares an interest afterwards needs those who keep the record."""
    boards.signed_off("C1")
    declared = DeclareInterest("iib", MEETING, "lead-member", "C1")
    with pytest.raises(NotAuthorised):
        boards.by("lead-member", declared, MEETING)
    assert rating(boards) == "amber_e"
    boards.by("clerk", declared, MEETING)
    assert rating(boards) == "amber"


def test_there_is_always_an_administrator(boards: Boards) -> None:
    """Neither standing down nor a void leaves a plan without one."""
    made = boards.by(ADMIN, Administrate("dcs"), reason="Deputy.").entries[0]
    boards.by(ADMIN, Administrate("clerk"), reason="Deputy.")
    boards.by("dcs", Administrate("clerk", appoint=False), reason="No more.")
    boards.ledger.void(made.position, Note(MEETING, ADMIN, reason="By mistake."))
    boards.by(ADMIN, Administrate("dcs"), reason="Deputy.")  # the opener is still one


def test_whoever_has_left_does_not_grant(boards: Boards) -> None:
    """An approval counts at a later meeting only while its member still sits on the body."""
    boards.ready("C1")
    for who in ("iib-chair", "lead-member"):
        boards.vote(who, "C1")
    boards.by(ADMIN, StandDown("iib", "lead-member"), date(2025, 10, 20), "Left.")
    there = ("iib-chair", "dcs", "clerk")
    boards.by("clerk", RecordMeeting("iib", NEXT, there), NEXT)
    with pytest.raises(Refusal) as refused:
        boards.by("clerk", Grant("C1", 1, NEXT, "4"), NEXT)
    assert refused.value.rule == "quorum-not-reached"
    boards.vote("dcs", "C1", meeting=NEXT)
    boards.by("clerk", Grant("C1", 1, NEXT, "4"), NEXT)
    assert rating(boards) == "amber_e"


def test_what_a_quorum_has_signed_is_not_declined(boards: Boards) -> None:
    """The clerk cannot return what enough members approved."""
    boards.ready("C1")
    boards.vote("iib-chair", "C1")
    boards.by("clerk", Return("C1", 1, MEETING, "4"), MEETING, "Not yet.")
    boards.by("workstream-lead", Recommend("C1", 1), MEETING, "Again.")
    for who in ("iib-chair", "lead-member"):
        boards.vote(who, "C1")
    with pytest.raises(Refusal) as refused:
        boards.by("clerk", Return("C1", 1, MEETING, "4"), MEETING, "No.")
    assert refused.value.rule == "quorum-approved"


def test_a_fallen_first_round_leaves_the_second_as_it_is(boards: Boards) -> None:
    """A later round rests on its own votes: that the first was wrongly returned changes nothing."""
    boards.ready("C1")
    returned = boards.by("clerk", Return("C1", 1, MEETING, "4"), MEETING, "Not yet.").entries[0]
    boards.by("workstream-lead", Recommend("C1", 1), MEETING, "Again.")
    for who in ("iib-chair", "lead-member"):
        boards.vote(who, "C1")
    boards.grant("C1")
    voided = boards.ledger.void(returned.position, Note(MEETING, ADMIN, reason="Not minuted."))
    assert len(voided.entries) == 1
    assert rating(boards) == "amber_e"


def test_numbers_are_not_given_twice(boards: Boards) -> None:
    """After a void the next evidence and the next round have numbers that none ever had."""
    first = boards.ready("C1").entries[0]
    lodged = first.position - 1
    for position in (first.position, lodged):
        boards.ledger.void(position, Note(MEETING, ADMIN, reason="Wrong action."))
    boards.ready("C1")
    action = state(boards).actions["C1"]
    assert list(action.evidence) == [2]
    assert action.signoffs[1].round == 2


def test_every_confirmation_counts(boards: Boards) -> None:
    """One member confirming a later text takes nothing from the text that a quorum confirmed."""
    boards.signed_off("C1")
    amended(boards, "C1", "First new words", "A1", MEETING)
    boards.confirm("C1")
    scale = state(boards).plan.scale
    assert not is_stale(state(boards).actions["C1"], 1, scale)
    boards.by("clerk", RecordMeeting("iib", NEXT, THERE), NEXT)
    amended(boards, "C1", "Second new words", "A2", NEXT)
    (change,) = changed_since(state(boards).actions["C1"], 1, scale)
    assert change == ("Wording", "First new words", "Second new words")


def test_text_that_is_not_held_undoes_nothing(boards: Boards, tmp_path: Path) -> None:
    """When owners, roles or titles are withheld, no vote falls and no sign-off looks stale."""
    boards.signed_off("C2")
    boards.ledger.close()
    path = tmp_path / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        guard = "texts_refuse_delete"
        (made,) = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = ?", (guard,)
        ).fetchone()
        connection.execute(f"DROP TRIGGER {guard}")
        connection.execute("DELETE FROM texts WHERE field IN ('owners', 'role', 'called')")
        connection.execute(made)
        connection.commit()
    boards.ledger = open_ledger(path)
    found = check_lawfulness(boards.ledger).findings
    assert not [one for one in found if "own-action" in one.message]
    boards.by(ADMIN, Appoint("iib", "workstream-lead"), MEETING)
    assert rating(boards, "C2") == "amber_e"
    now = state(boards)
    assert not is_stale(now.actions["C2"], 1, now.plan.scale)


def test_a_stranger_makes_nothing_stale(boards: Boards) -> None:
    """Evidence is lodged by those who are enrolled, once a plan has its bodies."""
    boards.signed_off("C1")
    lodge = Lodge("C1", "performance", "More", MEETING, "R", phase=1)
    with pytest.raises(NotAuthorised) as refused:
        boards.by("a stranger", lodge, MEETING)
    assert refused.value.rule == "unknown-person"


def test_nobody_agrees_their_own_proposal(boards: Boards) -> None:
    """The clerk who proposed an amendment does not record that it was agreed."""
    boards.by("clerk", Propose(Reword("C1", "New words")), MEETING, "Clearer.")
    with pytest.raises(Refusal) as refused:
        boards.by("clerk", Agree("A1", MEETING, "3"), MEETING)
    assert refused.value.rule == "own-proposal"
    boards.by("iib-chair", Agree("A1", MEETING, "3"), MEETING)


def test_members_with_an_interest_make_no_quorum(boards: Boards) -> None:
    """An amendment is not agreed by members who declared an interest in its action."""
    boards.by("dcs", Propose(Reword("C1", "New words")), MEETING, "Clearer.")
    for who in ("lead-member", "dcs"):
        boards.by("clerk", DeclareInterest("iib", MEETING, who, "C1"), MEETING)
    with pytest.raises(Refusal) as refused:
        boards.by("clerk", Agree("A1", MEETING, "3"), MEETING)
    assert refused.value.rule == "not-quorate"
