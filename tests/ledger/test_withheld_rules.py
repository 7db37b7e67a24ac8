"""What withholding must not open: no rule passes because a text that it compares is gone."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.board_commands import RecordMeeting
from domain.commands import Reword
from domain.content import in_doubt, is_stale
from domain.errors import BadInput, GovledgerError, NotAuthorised, Refusal
from domain.importing import PlannedAction
from domain.issue_commands import Agree, Propose
from domain.person_commands import Administrate, ChangeRole, Enrol
from domain.signing_commands import CastVote
from domain.signoff_commands import Grant, Recommend
from ledger.entry import Decision, Note
from ledger.lawfulness import check_lawfulness
from ledger.verification import verify
from projections.audit import difference
from projections.state import PlanState, read_state
from projections.upkeep import open_ledger
from tests.boards import ADMIN, BEGAN, CODE, MEETING, SET_UP, Boards, public_key

BASIS = "Data Protection Act 2018"
DECIDED = Decision(body="Information Governance Board", meeting=MEETING, minute="4.1")
NOTE = Note(MEETING, ADMIN, decided_by=DECIDED)


@pytest.fixture
def boards(tmp_path: Path) -> Boards:
    return Boards(tmp_path / "boards.sqlite")


def state(boards: Boards) -> PlanState:
    ledger = boards.ledger
    with ledger.database.reading() as connection:
        return read_state(connection, CODE, ledger.moment())


def latest(boards: Boards, tag: str, nth: int = -1) -> int:
    size = boards.ledger.size()
    tags = [boards.ledger.entry_at(n).event.tag for n in range(1, size + 1)]
    return [n for n, found in enumerate(tags, 1) if found.startswith(tag)][nth]


def withhold(boards: Boards, position: int, field: str, **more: Any) -> None:
    """Withhold it; verification finds nothing afterwards."""
    boards.ledger.withhold(position, field, BASIS, NOTE, **more)
    assert verify(boards.ledger).findings == ()
    assert check_lawfulness(boards.ledger).findings == ()


def reword(boards: Boards, words: str) -> None:
    boards.by("workstream-lead", Propose(Reword("C1", words)), MEETING, "Clearer.")
    number = f"A{sum(1 for _ in state(boards).amendments)}"
    boards.by("clerk", Agree(number, MEETING, "8.1", "iib"), MEETING)


def test_a_stale_sign_off_does_not_become_current(boards: Boards) -> None:
    """With the new wording withheld nobody can compare it: in doubt, and phase 2 cannot rest on it.

    Nor can anybody confirm it until the action can be read again.
    """
    boards.signed_off("C1")
    reword(boards, "Something quite different")
    scale = state(boards).plan.scale
    assert is_stale(state(boards).actions["C1"], 1, scale)
    withhold(boards, latest(boards, "action.reworded"), "title", copies=True)
    action = state(boards).actions["C1"]
    assert action.title == f"[withheld: {BASIS}]"
    assert not is_stale(action, 1, scale)
    assert in_doubt(action, 1, scale)
    with pytest.raises(Refusal) as phase_2:
        boards.ready("C1", 2)
    assert phase_2.value.rule == "phase-1-stale"
    with pytest.raises(Refusal) as confirmed:
        boards.confirm("C1")
    assert confirmed.value.rule == "cannot-be-read"
    reword(boards, "It reads so now")
    boards.confirm("C1")
    assert not in_doubt(state(boards).actions["C1"], 1, scale)
    boards.ready("C1", 2)


def test_what_was_signed_off_is_withheld(boards: Boards) -> None:
    """Without the text that was granted nobody can say that the action still reads so."""
    boards.signed_off("C1")
    withhold(boards, latest(boards, "signoff.recommended"), "shown")
    action, scale = state(boards).actions["C1"], state(boards).plan.scale
    assert in_doubt(action, 1, scale)
    boards.confirm("C1")  # for what it says now, which can be read
    action = state(boards).actions["C1"]
    assert not in_doubt(action, 1, scale)
    assert not is_stale(action, 1, scale)
    assert check_lawfulness(boards.ledger).findings == ()


def test_the_same_basis_is_not_the_same_text(boards: Boards) -> None:
    """Two wordings withheld on one basis read alike, and are still told apart."""
    boards.signed_off("C1")
    first = latest(boards, "action.added", 0)
    before = boards.ledger.moment(MEETING, boards.ledger.size())
    reword(boards, "Something quite different")
    for position in (first, latest(boards, "action.reworded")):
        withhold(boards, position, "title", copies=True)
    assert in_doubt(state(boards).actions["C1"], 1, state(boards).plan.scale)
    with boards.ledger.database.reading() as connection:
        now = boards.ledger.moment(MEETING)
        (row,) = difference(connection, CODE, before, now)["changed"][:1]
    assert (row["field"], row["before"]) == ("title", row["after"])


def test_nobody_votes_on_what_cannot_be_read(boards: Boards) -> None:
    """A recommendation that waits is not voted on once a part of it is withheld."""
    boards.ready("C1")
    withhold(boards, latest(boards, "evidence.lodged"), "called")
    with pytest.raises(Refusal) as refused:
        boards.vote("iib-chair", "C1")
    assert refused.value.rule == "cannot-be-read"
    with pytest.raises(Refusal) as again:
        boards.by("workstream-lead", Recommend("C1", 1), MEETING, "As it is.")
    assert again.value.rule == "cannot-be-read"


def test_an_owner_does_not_sign_their_own_action(boards: Boards) -> None:
    """With their role withheld nobody can tell that they own it: refused until it is known again.

    What they signed before is not undone.
    """
    boards.signed_off("C1")
    boards.ready("C2")
    enrolled = {boards.ledger.entry_at(n).stream_id: n for n in range(1, 18)}
    for who, rule in (("dcs", "own-action"), ("lead-member", None)):
        command = CastVote("C2", 1, "approve", MEETING, boards.ledger.recorder.clock())
        if rule:
            with pytest.raises(Refusal) as refused:
                boards.sign(who, command)
            assert refused.value.rule == rule
        withhold(boards, enrolled[f"person/{CODE}/{who}"], "role")
        with pytest.raises(Refusal) as refused:
            boards.sign(who, command)
        assert refused.value.rule == "cannot-be-read"
    boards.by(ADMIN, ChangeRole("lead-member", "Lead member"))
    boards.vote("lead-member", "C2")
    assert check_lawfulness(boards.ledger).findings == ()


def test_a_withheld_name_is_nobody(boards: Boards) -> None:
    """Nobody becomes the first administrator because both their names read alike now.

    And nobody can type such a name.
    """
    boards.by(ADMIN, Enrol("second", "A. Second", "Registrar", public_key("other")))
    boards.by(ADMIN, Administrate("second"))
    boards.by(ADMIN, Enrol("registrar", ADMIN, "Registrar", public_key("third")))
    enrolled = latest(boards, "person.enrolled", 0)
    who = boards.ledger.entry_at(enrolled).event.model_dump()["person"]
    withhold(boards, enrolled, "name")
    boards.ledger.withhold(1, "recorded_by", BASIS, replace(NOTE, recorded_by="registrar"))
    assert check_lawfulness(boards.ledger).findings == ()
    for name in (who, ADMIN):
        with pytest.raises(NotAuthorised):
            boards.by(name, ChangeRole("clerk", "Nobody"))
    with pytest.raises((BadInput, NotAuthorised)):
        boards.by(f"[withheld: {BASIS}]", ChangeRole("clerk", "Nobody"))
    boards.by("second", ChangeRole("clerk", "Clerk"))
    note = replace(NOTE, recorded_by="second")
    assert boards.ledger.withhold(1, "name", BASIS, note).entries


def test_who_recorded_by_name_is_no_finding_later(boards: Boards) -> None:
    """What somebody recorded under a name that is withheld since still keeps to the rules."""
    boards.ready("C1")
    boards.vote("iib-chair", "C1")
    boards.vote("lead-member", "C1")
    boards.by("The clerk to the board", Grant("C1", 1, MEETING, "7.1"), MEETING)
    enrolled = {boards.ledger.entry_at(n).stream_id: n for n in range(1, 18)}
    withhold(boards, enrolled[f"person/{CODE}/clerk"], "name")
    day = date(2025, 10, 10)
    with pytest.raises(NotAuthorised):
        boards.by("The clerk to the board", RecordMeeting("iib", day, ("iib-chair",)), day)


def test_a_proposal_that_cannot_be_read_is_not_agreed(boards: Boards) -> None:
    """Its words would not be the ones that were proposed; one agreed before stays agreed."""
    reword(boards, "Agreed before")
    withhold(boards, latest(boards, "amendment.proposed"), "title")
    boards.by("workstream-lead", Propose(Reword("C1", "Later")), MEETING, "Clearer.")
    withhold(boards, latest(boards, "amendment.proposed"), "title")
    with pytest.raises(Refusal) as refused:
        boards.by("clerk", Agree("A2", MEETING, "8.2", "iib"), MEETING)
    assert refused.value.rule == "cannot-be-read"
    assert state(boards).actions["C1"].title == "Agreed before"


def test_a_document_does_not_put_back_what_was_withheld(boards: Boards) -> None:
    """An import leaves a withheld wording, owner or timescale as it is, and says so."""
    for field in ("title", "owners", "timescale"):
        withhold(boards, latest(boards, "action.added", 0), field)
    row = PlannedAction(
        "C1", 2, "Front door", "Edge of care", "Edge of care offer", "Head", "March 2026"
    )
    note = Note(SET_UP, ADMIN, source="Council, 6 January 2025")
    receipt, found = boards.ledger.import_plan(CODE, [row], note, whole=False)
    assert receipt.entries == ()
    assert len(found.remarks) == 3


@pytest.mark.parametrize("words", ["[text not held]", "So it was [withheld: by law]."])
def test_nobody_types_what_stands_for_a_text_that_is_gone(boards: Boards, words: str) -> None:
    """A text that would pass for one that is not held is refused, wherever people write one."""
    with pytest.raises(BadInput) as refused:
        reword(boards, words)
    assert refused.value.rule == "reserved-words"
    for note in (Note(BEGAN, words), Note(MEETING, ADMIN, reason=words)):
        with pytest.raises(GovledgerError):
            boards.ledger.create_plan("P", "Plan", note)
    with pytest.raises(BadInput):
        boards.ledger.create_plan("P", words, Note(date(2025, 1, 1), ADMIN))


def test_another_process_reads_it_as_withheld(boards: Boards) -> None:
    """Whoever opens the ledger afterwards reads the basis in the text's place, at every date."""
    first = latest(boards, "action.added", 0)
    withhold(boards, first, "owners")
    other = open_ledger(boards.ledger.database.path)
    with other.database.reading() as connection:
        for day in (BEGAN, MEETING):
            read = read_state(connection, CODE, other.moment(day, first))
            assert read.actions["C1"].owners == f"[withheld: {BASIS}]"
    other.close()


def test_what_rested_on_somebody_whose_name_is_withheld_still_falls(boards: Boards) -> None:
    """A void that would quote a withheld name is recorded without it, and nothing is refused."""
    boards.signed_off("C1")
    ledger = boards.ledger
    enrolled = {ledger.entry_at(n).stream_id: n for n in range(1, 18)}
    for who in ("lead-member", "iib-chair"):
        withhold(boards, enrolled[f"person/{CODE}/{who}"], "name", copies=True)
    seats = [
        n
        for n in range(1, ledger.size() + 1)
        if ledger.entry_at(n).event.tag.startswith("body.member_appointed")
        and getattr(ledger.entry_at(n).event, "person", "") in ("lead-member", "iib-chair")
    ]
    assert seats
    for seat in seats:
        receipt = ledger.void(seat, Note(MEETING, ADMIN, reason="Never appointed."))
        reasons = [entry.note.reason for entry in receipt.entries[1:]]
        assert all(str(reason).startswith("No longer supported, since") for reason in reasons)
    assert state(boards).actions["C1"].rating != "amber-e"
    assert check_lawfulness(ledger).findings == ()
