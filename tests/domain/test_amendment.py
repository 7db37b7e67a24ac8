"""What an amendment may do to an action, and what an agreement rests on; by the front door."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from domain.administration import BoardCommand
from domain.amendment import Amendment
from domain.board_commands import Appoint, ChangeTerms, RecordMeeting, SetTerms, StandDown
from domain.commands import (
    Add,
    ChangeOwners,
    Close,
    Command,
    Delay,
    PlaceUnderReview,
    Resume,
    ReviseTimescale,
    Reword,
)
from domain.errors import GovledgerError, NotAuthorised, Refusal
from domain.event import EntryVoided
from domain.issue_commands import Agree, Decline, Propose, Raise
from ledger.entry import Decision, Note
from ledger.writing import Receipt
from projections.state import PlanState, read_state
from tests.boards import ADMIN, CODE, MEETING, Boards

BEFORE = date(2025, 10, 1)
AFTER = MEETING + timedelta(days=10)
REASON = "Procurement is late."


@pytest.fixture
def boards(tmp_path: Path) -> Iterator[Boards]:
    made = Boards(tmp_path / "ledger.sqlite")
    yield made
    made.ledger.close()


def propose(boards: Boards, command: Command, on: date = BEFORE) -> Receipt:
    return boards.by("workstream-lead", Propose(command), on, REASON)


def agree(boards: Boards, number: str = "A1", meeting: date = MEETING) -> Receipt:
    return boards.by("clerk", Agree(number, meeting, "7.1"), meeting)


def state(boards: Boards, on: date | None = None) -> PlanState:
    with boards.ledger.database.reading() as connection:
        return read_state(connection, CODE, boards.ledger.moment(on))


def refused(boards: Boards, who: str, command: BoardCommand, on: date) -> GovledgerError:
    """The refusal; nothing is recorded."""
    size = boards.ledger.size()
    with pytest.raises(GovledgerError) as caught:
        boards.by(who, command, on, REASON)
    assert boards.ledger.size() == size
    return caught.value


# --- the table: what makes no sense for an action that is … ------------------------------

ASKED: dict[str, Command] = {
    "timescale": ReviseTimescale("C1", "July 2026"),
    "delay": Delay("C1"),
    "review": PlaceUnderReview("C1"),
    "resume": Resume("C1"),
    "close": Close("C1"),
    "close for C2": Close("C1", "C2"),
    "add": Add("C1", "Again", "Edge of care"),
    "reword": Reword("C1", "Other words"),
    "owner": ChangeOwners("C1", "Lead"),
}
STANDINGS: dict[str, tuple[Command, ...]] = {
    "on track": (),
    "delayed": (Delay("C1"),),
    "under review": (PlaceUnderReview("C1"),),
    "delayed, under review": (Delay("C1"), PlaceUnderReview("C1")),
    "closed": (Close("C1"),),
}
REFUSED: dict[str, dict[str, str]] = {
    "on track": {"resume": "not-delayed"},
    "delayed": {"delay": "no-change"},
    "under review": {"delay": "under-review", "review": "under-review"},
    "delayed, under review": {"delay": "under-review", "review": "under-review"},
    "closed": dict.fromkeys(ASKED, "action-closed"),
}
"""For each standing what is refused, by its rule; anything else is agreed. Nothing is added twice.

The timescale of an action under review may be revised: that is what a review is for.
"""


@pytest.mark.parametrize("standing", STANDINGS)
def test_what_makes_no_sense_is_refused_at_once(boards: Boards, standing: str) -> None:
    """A proposal is refused by the rule that would refuse its agreement, in every standing."""
    _bring_to(boards, standing)
    for name, command in ASKED.items():
        rule = "already-there" if name == "add" else REFUSED[standing].get(name)
        if rule is None:
            dry = boards.by("workstream-lead", Propose(command), MEETING, REASON, dry_run=True)
            assert len(dry.entries) == 1, name
            continue
        error = refused(boards, "workstream-lead", Propose(command), MEETING)
        assert error.rule == rule, name
        assert error.hint, name


@pytest.mark.parametrize("name", [name for name in ASKED if name not in ("add", "resume")])
@pytest.mark.parametrize("standing", STANDINGS)
def test_what_makes_no_sense_any_more_is_not_agreed(
    boards: Boards, standing: str, name: str
) -> None:
    """What was proposed while it made sense is refused by the same rule at the meeting."""
    propose(boards, ASKED[name])
    _bring_to(boards, standing)
    number = "A1"
    rule = REFUSED[standing].get(name)
    if rule is None:
        agree(boards, number)
        assert state(boards).amendments[number].status == "agreed"
    else:
        error = refused(boards, "clerk", Agree(number, MEETING, "7.1"), MEETING)
        assert error.rule == rule
        boards.by("clerk", Decline(number, MEETING, "7.1"), MEETING, "It makes no sense now.")


def _bring_to(boards: Boards, standing: str) -> None:
    for command in STANDINGS[standing]:
        number = propose(boards, command, MEETING).entries[0].stream_id.rpartition("/")[2]
        agree(boards, number)


def test_a_signed_off_action_is_neither_delayed_nor_resumed(boards: Boards) -> None:
    """What a granted sign-off says of the rating only a revocation takes back."""
    boards.signed_off("C2")
    for command, rule in ((Delay("C2"), "already-complete"), (Resume("C2"), "signed-off")):
        assert refused(boards, "dcs", Propose(command), MEETING).rule == rule


# --- what is recorded -------------------------------------------------------------------

EVERY = (
    ReviseTimescale("C1", "July 2026"),
    Delay("C1"),
    PlaceUnderReview("C1"),
    Close("C1", "C2"),
    Add("C9", "New offer", "1.1", "Lead; Head", "March 2026"),
    Reword("C1", "Other words"),
    ChangeOwners("C1", "Lead; Head"),
)


@pytest.mark.parametrize("command", EVERY, ids=lambda command: type(command).__name__)
def test_a_proposal_holds_all_that_its_command_said(boards: Boards, command: Command) -> None:
    """The command made from a proposal is the command that was proposed."""
    propose(boards, command)
    assert state(boards).amendments["A1"].command() == command


def test_what_is_proposed_is_recorded_as_it_would_be_agreed(boards: Boards) -> None:
    """Words are trimmed, and a section's name, which is text, does not stand in the payload."""
    propose(boards, Add("C9", "  New offer ", "edge of CARE", timescale=" July 2026 "))
    found: Amendment = state(boards).amendments["A1"]
    assert (found.title, found.section, found.timescale) == ("New offer", "1.1", "July 2026")


def test_the_change_carries_the_reason_of_the_proposal(boards: Boards) -> None:
    """The agreement has the reason that the body gave, and none where it gave none."""
    propose(boards, Delay("C1"))
    agreed, change = agree(boards).entries
    assert (agreed.note.reason, change.note.reason) == (None, REASON)
    decision = Decision(body="Improvement and Impact Board", meeting=MEETING, minute="7.1")
    assert agreed.note.decided_by == change.note.decided_by == decision
    propose(boards, Resume("C1"), MEETING)
    given = boards.by("clerk", Agree("A2", MEETING, "7.2"), MEETING, "Staff are in post.")
    assert {entry.note.reason for entry in given.entries} == {"Staff are in post."}


def test_an_added_reference_can_be_added_again_once_that_was_voided(boards: Boards) -> None:
    """An action whose joining was a mistake leaves its reference free, in the same capitals."""
    propose(boards, Add("C9", "New offer", "Edge of care"))
    joined = agree(boards).entries[1].position
    note = Note(MEETING, ADMIN, reason="On the wrong plan.")
    boards.ledger.void(joined, note)
    error = refused(boards, "dcs", Propose(Add("c9", "New offer", "Edge of care")), MEETING)
    assert (error.rule, "capitals" in error.message) == ("already-there", True)
    boards.by("clerk", Decline("A1", MEETING, "7.1"), MEETING, "Withdrawn.")
    propose(boards, Add("C9", "Another offer", "Edge of care"))
    agree(boards, "A2")
    assert state(boards).actions["C9"].title == "Another offer"


# --- what an agreement rests on ---------------------------------------------------------


def test_anybody_enrolled_proposes_and_nobody_else(boards: Boards) -> None:
    """A proposal changes nothing, so it takes no seat on a body; but a person who is known."""
    boards.by("head-edge", Propose(Delay("C1")), BEFORE, REASON)
    error = refused(boards, "somebody", Propose(Delay("C2")), BEFORE)
    assert isinstance(error, NotAuthorised)


@pytest.mark.parametrize(
    "undo",
    [
        ("the seat of who recorded it", StandDown("iib", "clerk"), date(2025, 10, 8)),
        ("the power of the body", ChangeTerms("iib", powers=("phase_1",)), date(2025, 10, 8)),
        ("the quorum", ChangeTerms("iib", quorum=4), date(2025, 10, 8)),
        ("the attendance", RecordMeeting("iib", MEETING, ("clerk",)), MEETING),
    ],
    ids=lambda undo: undo[0],
)
def test_without_its_support_an_agreement_is_open_again(
    boards: Boards, undo: tuple[str, BoardCommand, date]
) -> None:
    """What takes away an agreement's support voids it and its change, and says why."""
    propose(boards, ReviseTimescale("C1", "July 2026"))
    entries = agree(boards).entries
    _name, command, on = undo
    receipt = boards.by(ADMIN, command, on, "It was recorded wrongly.")
    voids = [entry for entry in receipt.entries if isinstance(entry.event, EntryVoided)]
    assert {e.event.voids for e in voids if isinstance(e.event, EntryVoided)} == {
        entry.position for entry in entries
    }
    assert all((entry.note.reason or "").startswith("No longer supported") for entry in voids)
    found = state(boards)
    assert found.amendments["A1"].status == "proposed"
    timescale = found.actions["C1"].timescale
    assert timescale is not None
    assert timescale.written == "March 2026"


@pytest.mark.parametrize("command", [Agree("A1", date(2025, 10, 2), "1"),
                                     Decline("A1", date(2025, 10, 2), "1")])  # fmt: skip
def test_a_decision_is_not_undone_by_an_earlier_one(boards: Boards, command: BoardCommand) -> None:
    """Nobody but an administrator takes back an agreement by recording an earlier decision."""
    earlier = date(2025, 10, 2)
    boards.by("clerk", RecordMeeting("iib", earlier, ("iib-chair", "dcs", "clerk")), earlier)
    propose(boards, Delay("C1"))
    agree(boards)
    assert isinstance(refused(boards, "clerk", command, earlier), NotAuthorised | Refusal)
    assert state(boards).amendments["A1"].status == "agreed"


def test_a_change_that_others_rest_on_is_not_voided(boards: Boards) -> None:
    """The agreement to delay stands while its resumption does; that is voided first."""
    propose(boards, Delay("C1"))
    delayed = agree(boards).entries
    propose(boards, Resume("C1"), MEETING)
    resumed = agree(boards, "A2").entries
    note = Note(MEETING, ADMIN, reason="A mistake.")
    for entry in delayed:
        with pytest.raises(Refusal) as caught:
            boards.ledger.void(entry.position, note)
        assert caught.value.rule == "contradicts-later-entry"
    boards.ledger.void(resumed[0].position, note)
    boards.ledger.void(delayed[1].position, note)
    assert [a.status for a in state(boards).amendments.values()] == ["proposed", "proposed"]


def test_an_earlier_meeting_recorded_later_keeps_the_order_of_the_world(boards: Boards) -> None:
    """The date agreed last is the one that counts, whichever was recorded first."""
    boards.by("clerk", RecordMeeting("iib", AFTER, ("iib-chair", "dcs", "clerk")), AFTER)
    propose(boards, ReviseTimescale("C1", "July 2026"))
    propose(boards, ReviseTimescale("C1", "December 2026"))
    agree(boards, "A2", AFTER)
    agree(boards, "A1", MEETING)
    wanted = {MEETING: "July 2026", AFTER: "December 2026"}
    for day, written in wanted.items():
        timescale = state(boards, day).actions["C1"].timescale
        assert timescale is not None
        assert timescale.written == written


def test_an_action_closed_after_the_meeting_was_open_at_it(boards: Boards) -> None:
    """What a board agreed before an action was closed is recorded, though it is closed now."""
    boards.by("clerk", RecordMeeting("iib", AFTER, ("iib-chair", "dcs", "clerk")), AFTER)
    propose(boards, Reword("C1", "Other words"))
    propose(boards, Close("C1"))
    agree(boards, "A2", AFTER)
    agree(boards, "A1", MEETING)
    found = state(boards).actions["C1"]
    assert (found.standing, found.title) == ("closed", "Other words")


# --- the cap ----------------------------------------------------------------------------


def test_the_cap_counts_each_timescale_by_itself(boards: Boards) -> None:
    """What was revised of one action, or taken over, counts for that timescale only."""
    boards.by(ADMIN, SetTerms(most_revisions=1))
    source = Note(BEFORE, ADMIN, source="Council, 1 October 2025")
    boards.ledger.act(CODE, ReviseTimescale("C1", "May 2026"), source)
    error = refused(boards, "dcs", Propose(ReviseTimescale("C1", "July 2026")), BEFORE)
    assert (error.rule, "1 time," in error.message) == ("revisions-capped", True)
    propose(boards, ReviseTimescale("C2", "July 2026"))
    agree(boards)


@pytest.mark.parametrize(
    ("refs", "on", "enough"),
    [(("C1",), BEFORE, True), (("C2",), BEFORE, False), (("C1",), MEETING, True)],
    ids=["on the action", "on another", "on the day of the meeting"],
)
def test_the_escalation_is_on_the_action_and_open_at_the_meeting(
    boards: Boards, refs: tuple[str, ...], on: date, enough: bool
) -> None:
    """Only an open escalation on the same action lets a board revise beyond the cap."""
    propose(boards, ReviseTimescale("C1", "July 2026"))
    boards.by(ADMIN, SetTerms(most_revisions=0))
    boards.by("workstream-lead", Raise(refs, "Late again.", "pog", "iib", AFTER), on)
    if enough:
        assert len(agree(boards).entries) == 2
    else:
        error = refused(boards, "clerk", Agree("A1", MEETING, "7.1"), MEETING)
        assert error.rule == "revisions-capped"


def test_the_cap_is_asked_of_history_too_unless_it_has_a_source(boards: Boards) -> None:
    """Where no body has the power, a direct revision is capped, and one with a source is not."""
    boards.by(ADMIN, ChangeTerms("iib", powers=("phase_1",)))
    boards.by(ADMIN, SetTerms(most_revisions=0))
    decision = Decision(body="The board", meeting=BEFORE, minute="1")
    note = Note(BEFORE, ADMIN, reason=REASON, decided_by=decision)
    with pytest.raises(Refusal) as caught:
        boards.ledger.act(CODE, ReviseTimescale("C1", "May 2026"), note)
    assert caught.value.rule == "revisions-capped"
    sourced = replace(note, decided_by=None, source="Council, 1 October 2025")
    boards.ledger.act(CODE, ReviseTimescale("C1", "May 2026"), sourced)


def test_membership_counts_as_at_the_meeting(boards: Boards) -> None:
    """A secretary appointed after the meeting did not sit on it, and records nothing of it."""
    propose(boards, Delay("C1"))
    boards.by(ADMIN, Appoint("iib", "workstream-lead", "secretary"), AFTER)
    error = refused(boards, "workstream-lead", Agree("A1", MEETING, "7.1"), MEETING)
    assert error.rule == "not-a-member"
