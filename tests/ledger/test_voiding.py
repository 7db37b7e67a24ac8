"""What rests on what: a mistake that is voided, or set right with an earlier date, re-opens it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from domain.administration import STANDING, BoardCommand
from domain.authority import GOVERNED
from domain.board_commands import (
    Appoint,
    ChangeTerms,
    DeclareInterest,
    RecordMeeting,
    SetTerms,
    StandDown,
)
from domain.commands import PlaceUnderReview, Reword
from domain.content import is_stale
from domain.errors import Conflict, GovledgerError, NotAuthorised, Refusal
from domain.event import EntryVoided
from domain.evidence_commands import Lodge
from domain.issue_commands import Agree, Propose, Raise, Refer, Respond
from domain.person_commands import Administrate, ChangeRole, Enrol, ReplaceKey
from domain.signing_commands import CastVote, Confirm
from domain.signoff_commands import Recommend, Revoke
from domain.timeline import fold
from ledger.entry import Entry, Note
from ledger.lawfulness import check_lawfulness
from ledger.writing import Receipt
from projections.state import PlanState, read_state
from projections.upkeep import open_ledger
from tests.boards import ADMIN, CODE, MEETING, Boards, public_key
from tests.conftest import Clock

TODAY = date(2025, 11, 12)
"""What the clock of these tests says, all day."""
BEFORE = date(2025, 9, 15)
SINCE = date(2025, 11, 1)
"""After the meeting, and before what it decided was recorded."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """C1 is signed off in both phases, by the chair and the lead member; C3 in phase 1, by the
    chair and the director. Copied for each test, because to sign takes its time."""
    path = tmp_path_factory.mktemp("voiding") / "template.sqlite"
    found = Boards(path, Clock())
    found.signed_off("C1")
    found.ready("C3")
    for who in ("iib-chair", "dcs"):
        found.vote(who, "C3")
    found.grant("C3")
    found.signed_off("C1", 2)
    found.ledger.close()
    return path


@pytest.fixture
def boards(template: Path, tmp_path: Path) -> Iterator[Boards]:
    """A copy of the ledger above, later on the same day."""
    found = Boards.__new__(Boards)
    path = shutil.copy(template, tmp_path / "boards.sqlite")
    found.ledger = open_ledger(path, Clock(datetime(2025, 11, 12, 15, tzinfo=UTC)))
    yield found
    found.ledger.close()


def entries(boards: Boards) -> list[Entry]:
    return [boards.ledger.entry_at(n) for n in range(1, boards.ledger.size() + 1)]


def find(boards: Boards, tag: str, stream: str = "", **said: Any) -> int:
    """The position of the first entry of that type which says so."""
    for entry in entries(boards):
        alike = entry.event.tag == f"{tag}/1" and entry.stream_id.endswith(stream)
        if alike and said.items() <= entry.event.model_dump().items():
            return entry.position
    raise AssertionError(tag)


def state(boards: Boards, known_at: int | None = None) -> PlanState:
    with boards.ledger.database.reading() as connection:
        return read_state(connection, CODE, boards.ledger.moment(known_at=known_at))


def said(receipt: Receipt) -> list[tuple[Any, ...]]:
    """What a receipt says was recorded, but for the instants."""
    return [(e.position, e.stream_id, e.event, e.note) for e in receipt.entries]


def reopened(receipt: Receipt) -> dict[str, list[str]]:
    """What the write voided beside its own first entries: types by stream, in order."""
    found: dict[str, list[str]] = {}
    for entry in receipt.entries:
        reason = entry.note.reason or ""
        if isinstance(entry.event, EntryVoided) and reason.startswith("No longer supported"):
            tag = receipt.voided[entry.event.voids].tag.removesuffix("/1")
            phase = getattr(receipt.voided[entry.event.voids], "phase", "")
            name = entry.stream_id.rpartition("/")[2]
            found.setdefault(name, []).append(f"{tag.partition('.')[2]} {phase}".strip())
    return found


@dataclass(frozen=True)
class Case:
    """A write on a ledger with boards.

    Attributes:
        change: a command with its effective date; or the type of entry that is voided, and what
            the entry says.
        reopens: what is voided beside it, by action.
        ratings: of C1 and C3 afterwards.
        who: records it.
    """

    change: tuple[BoardCommand, date] | tuple[str, dict[str, Any]]
    reopens: dict[str, list[str]]
    ratings: tuple[str, str] = ("amber", "amber_e")
    who: str = ADMIN

    def write(self, boards: Boards, *, correction: bool = False, dry_run: bool = False) -> Receipt:
        first, second = self.change
        if isinstance(first, str):
            assert isinstance(second, dict)
            position = find(boards, first, **second)
            note = Note(TODAY, self.who, reason="A mistake.", correction=correction)
            return boards.ledger.void(position, note, dry_run=dry_run)
        assert isinstance(second, date)
        note = Note(second, self.who, reason="Set right.", correction=correction)
        return boards.ledger.govern(CODE, first, note, dry_run=dry_run)


PHASE_2 = ["recommended 2", "voted 2", "voted 2", "granted 2"]
BOTH = ["voted 1", "granted 1", *PHASE_2]
ALL = ["voted 1", "voted 1", "granted 1"]
WITHOUT = ("iib-chair", "dcs", "clerk")
CASES: dict[str, Case] = {
    "a vote was a mistake": Case(
        ("signoff.voted", {"person": "lead-member", "phase": 1}),
        {"C1": ["granted 1", *PHASE_2]},
    ),
    "a vote of phase 2 was a mistake": Case(
        ("signoff.voted", {"person": "lead-member", "phase": 2}),
        {"C1": ["granted 2"]},
        ("amber_e", "amber_e"),
    ),
    "a membership was a mistake": Case(
        ("body.member_appointed", {"person": "lead-member"}), {"C1": BOTH}
    ),
    "a person was a mistake": Case(("person.enrolled", {"person": "lead-member"}), {"C1": BOTH}),
    "a meeting was a mistake": Case(
        ("body.meeting_recorded", {}), {"C1": [*ALL, *PHASE_2], "C3": ALL}, ("amber", "amber")
    ),
    "a recommendation was a mistake": Case(
        ("signoff.recommended", {"phase": 1, "stream": "C1"}), {"C1": [*ALL, *PHASE_2]}
    ),
    "evidence was a mistake": Case(
        ("evidence.lodged", {"phase": 1, "stream": "C1"}),
        {"C1": ["recommended 1", *ALL, *PHASE_2]},
    ),
    "evidence of phase 2 was one too many": Case(
        ("evidence.lodged", {"kind": "staff_feedback", "stream": "C1"}),
        {},
        ("green", "amber_e"),
    ),
    "the grant of phase 1 was a mistake": Case(
        ("signoff.granted", {"phase": 1, "stream": "C1"}), {"C1": PHASE_2}
    ),
    "the grant of phase 2 was a mistake": Case(
        ("signoff.granted", {"phase": 2, "stream": "C1"}), {}, ("amber_e", "amber_e")
    ),
    "the body was given its powers by mistake": Case(
        (ChangeTerms("iib", powers=("amend",)), BEFORE),
        {"C1": [*ALL, *PHASE_2], "C3": ALL},
        ("amber", "amber"),
    ),
    "the body had lost its power over phase 2": Case(
        (ChangeTerms("iib", powers=("phase_1",)), BEFORE),
        {"C1": ["voted 2", "voted 2", "granted 2"]},
        ("amber_e", "amber_e"),
    ),
    "a higher quorum, as from before": Case(
        (ChangeTerms("iib", 3), BEFORE),
        {"C1": ["granted 1", *PHASE_2], "C3": ["granted 1"]},
        ("amber", "amber"),
    ),
    "a higher quorum, as from now": Case((ChangeTerms("iib", 3), TODAY), {}, ("green", "amber_e")),
    "a lower quorum, as from before": Case(
        (ChangeTerms("iib", 1), BEFORE), {}, ("green", "amber_e")
    ),
    "stood down before the meeting": Case((StandDown("iib", "lead-member"), BEFORE), {"C1": BOTH}),
    "stood down on the day": Case((StandDown("iib", "lead-member"), MEETING), {"C1": BOTH}),
    "stood down the day after": Case(
        (StandDown("iib", "lead-member"), date(2025, 10, 10)), {}, ("green", "amber_e")
    ),
    "appointed only up to the day before": Case(
        (Appoint("iib", "lead-member", until=date(2025, 10, 8)), BEFORE), {"C1": BOTH}
    ),
    "appointed up to the day": Case(
        (Appoint("iib", "lead-member", until=MEETING), BEFORE), {}, ("green", "amber_e")
    ),
    "the secretary had no seat": Case(
        (StandDown("iib", "clerk"), BEFORE),
        {"C1": ["granted 1", *PHASE_2], "C3": ["granted 1"]},
        ("amber", "amber"),
    ),
    "whoever recommended had no seat": Case(
        (StandDown("pog", "workstream-lead"), BEFORE),
        {"C1": ["recommended 1", *ALL, *PHASE_2], "C3": ["recommended 1", *ALL]},
        ("amber", "amber"),
    ),
    "a key withdrawn before it signed": Case(
        (ReplaceKey("lead-member", None), BEFORE), {"C1": BOTH}
    ),
    "a key withdrawn after the meeting, before it signed": Case(
        (ReplaceKey("lead-member", None), SINCE), {"C1": BOTH}
    ),
    "a key withdrawn later on the day it signed": Case(
        (ReplaceKey("lead-member", None), TODAY), {}, ("green", "amber_e")
    ),
    "a key replaced before it signed": Case(
        (ReplaceKey("lead-member", public_key("other")), SINCE), {"C1": BOTH}
    ),
    "a key replaced on the day it signed": Case(
        (ReplaceKey("lead-member", public_key("other")), TODAY), {}, ("green", "amber_e")
    ),
    "a role that owns the action": Case(
        (ChangeRole("lead-member", "Lead member; Head of Edge of Care"), BEFORE), {"C1": BOTH}
    ),
    "an interest declared after the vote": Case(
        (DeclareInterest("iib", MEETING, "lead-member", "C1"), MEETING),
        {"C1": BOTH},
        who="clerk",
    ),
    "an interest in another action": Case(
        (DeclareInterest("iib", MEETING, "lead-member", "C2"), MEETING),
        {},
        ("green", "amber_e"),
        "lead-member",
    ),
    "a voter was not there": Case(
        (RecordMeeting("iib", MEETING, WITHOUT), MEETING), {"C1": BOTH}, who="clerk"
    ),
    "the meeting was not quorate": Case(
        (RecordMeeting("iib", MEETING, ("iib-chair", "clerk")), MEETING),
        {"C1": ["voted 1", "granted 1", *PHASE_2], "C3": ["voted 1", "granted 1"]},
        ("amber", "amber"),
        "clerk",
    ),
    "the minutes came later": Case(
        (
            RecordMeeting(
                "iib", MEETING, ("iib-chair", "dcs", "lead-member", "clerk"), (), "IIB/10"
            ),
            MEETING,
        ),
        {},
        ("green", "amber_e"),
        "clerk",
    ),
    "impact needed more sources": Case((SetTerms(4), BEFORE), {"C1": PHASE_2}, ("amber_e",) * 2),
}


@pytest.mark.parametrize("name", CASES)
def test_what_it_re_opens(boards: Boards, name: str) -> None:
    """Just what rested on it is void, and asked as known before it still stands.

    A dry run says the same, and what is left keeps to every rule.
    """
    case, size = CASES[name], boards.ledger.size()
    before = state(boards)
    rehearsed = case.write(boards, dry_run=True)
    assert boards.ledger.size() == size
    receipt = case.write(boards)
    assert said(rehearsed) == said(receipt)
    assert reopened(receipt) == case.reopens
    now = state(boards)
    assert (now.actions["C1"].rating, now.actions["C3"].rating) == case.ratings
    assert state(boards, size) == before
    for entry in receipt.entries[1:]:
        assert entry.note.effective_on == TODAY
        assert entry.note.recorded_by == case.who
        assert entry.note.decided_by is None
    assert now.actions == {
        key.rpartition("/")[2]: found
        for key, found in fold(entries(boards), TODAY, boards.ledger.size()).items()
        if key.startswith("action/")
    }
    assert check_lawfulness(boards.ledger).findings == ()


CLOSED = date(2025, 10, 31)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.reopens])
def test_in_a_closed_period_it_is_a_correction(boards: Boards, name: str) -> None:
    """A decision of a reported period is not re-opened unless somebody says that it was wrong."""
    case = CASES[name]
    boards.ledger.issue_report(
        CODE, "CF/1", "Committee", TODAY, CLOSED, Note(date(2025, 11, 3), ADMIN)
    )
    size = boards.ledger.size()
    for dry_run in (True, False):
        with pytest.raises(Refusal) as refused:
            case.write(boards, dry_run=dry_run)
        assert refused.value.rule == "period-closed"
    assert boards.ledger.size() == size
    assert state(boards).actions["C1"].rating == "green"
    receipt = case.write(boards, correction=True)
    assert reopened(receipt) == case.reopens
    assert all(entry.note.correction for entry in receipt.entries[1:])
    assert state(boards).actions["C1"].rating == case.ratings[0]


def test_each_says_why(boards: Boards) -> None:
    """A void that follows names what it follows, and what the decision lacks now, in words."""
    receipt = CASES["a vote was a mistake"].write(boards)
    reasons = [entry.note.reason or "" for entry in receipt.entries]
    cause = (
        f"No longer supported, since entry {find(boards, 'signoff.voted', person='lead-member')} "
    )
    assert reasons[0] == "A mistake."
    assert all(reason.startswith(f"{cause}was voided: ") for reason in reasons[1:])
    assert reasons[1].endswith("the quorum is not reached: 1 of 2")
    assert reasons[2].endswith("its sign-off of phase 1 is not granted on that date")
    receipt = boards.by(ADMIN, StandDown("iib", "dcs"), BEFORE, "Left.")
    assert (receipt.entries[1].note.reason or "").startswith(
        "No longer supported, since body iib was changed as from 2025-09-15: The director of "
        "children's services (dcs) was not a member"
    )


def test_what_was_re_opened_can_be_decided_again(boards: Boards) -> None:
    """With a member who may vote in place of the one who could not, it is granted again."""
    CASES["a voter was not there"].write(boards)
    found = state(boards).actions["C1"].signoffs[1]
    assert (found.status, found.votes("approve", "iib")) == ("recommended", ["iib-chair"])
    boards.vote("dcs", "C1")
    boards.grant("C1")
    assert state(boards).actions["C1"].rating == "amber_e"


def test_a_voided_vote_cannot_be_entered_again_by_others(boards: Boards) -> None:
    """The signature of a vote that was voided counts no more; the member has to sign anew."""
    position = find(boards, "signoff.voted", person="lead-member", phase=1)
    vote: Any = boards.ledger.entry_at(position).event
    boards.ledger.void(position, Note(TODAY, ADMIN, reason="Not what she meant."))
    again = CastVote("C1", 1, "approve", MEETING, vote.signed_at, signature=vote.signature)
    with pytest.raises(Refusal) as refused:
        boards.ledger.govern(CODE, again, Note(MEETING, "lead-member"))
    assert refused.value.rule == "signed-before"
    boards.vote("lead-member", "C1")
    boards.grant("C1")


def test_a_person_enrolled_anew_does_not_take_over_the_votes(boards: Boards) -> None:
    """Where the enrolment is replaced by one with another key, the old key's votes fall."""
    position = find(boards, "person.enrolled", person="lead-member")
    command = Enrol("lead-member", "Another person", "Lead member", public_key("other"))
    note = Note(date(2025, 9, 1), ADMIN, reason="The key was another's.")
    receipt = boards.ledger.govern(CODE, command, note, replaces=position)
    assert reopened(receipt) == {"C1": BOTH}
    assert "is not signed with the key" in (receipt.entries[2].note.reason or "")


def test_the_same_person_enrolled_anew_keeps_the_votes(boards: Boards) -> None:
    """A name that was typed wrong is set right in one write, and nothing is re-opened."""
    position = find(boards, "person.enrolled", person="lead-member")
    command = Enrol("lead-member", "The Lead Member", "Lead member", public_key("lead-member"))
    receipt = boards.ledger.govern(
        CODE, command, Note(date(2025, 9, 1), ADMIN, reason="Typing."), replaces=position
    )
    assert reopened(receipt) == {}
    assert state(boards).actions["C1"].rating == "green"


# --- amendments and escalations -----------------------------------------------------------------


def test_an_amendment_falls_with_its_authority_and_the_change_with_it(boards: Boards) -> None:
    """The agreement and the change to the plan are one decision: neither stays alone."""
    boards.by("workstream-lead", Propose(Reword("C2", "Panel")), MEETING, "Shorter.")
    boards.by("clerk", Agree("A1", MEETING, "8"), MEETING)
    assert state(boards).actions["C2"].title == "Panel"
    for case in ("the secretary had no seat", "the body was given its powers by mistake"):
        rehearsed = CASES[case].write(boards, dry_run=True)
        assert ("agreed" in reopened(rehearsed).get("A1", [])) == (case.startswith("the secretary"))
    receipt = CASES["the secretary had no seat"].write(boards)
    assert reopened(receipt)["C2"] == ["reworded"]
    found = state(boards)
    assert found.actions["C2"].title == "Panel for entries to care"
    assert found.amendments["A1"].status == "proposed"


@pytest.mark.parametrize("tag", ["amendment.agreed", "action.reworded", "amendment.proposed"])
def test_either_half_of_an_amendment_takes_the_other_with_it(boards: Boards, tag: str) -> None:
    """Whichever is voided, the agreement, the change or the proposal: the plan reads as before."""
    boards.by("workstream-lead", Propose(Reword("C2", "Panel")), MEETING, "Shorter.")
    boards.by("clerk", Agree("A1", MEETING, "8"), MEETING)
    boards.ledger.void(find(boards, tag), Note(TODAY, ADMIN, reason="A mistake."))
    found = state(boards)
    assert found.actions["C2"].title == "Panel for entries to care"
    statuses = [amendment.status for amendment in found.amendments.values()]
    assert statuses == ([] if tag == "amendment.proposed" else ["proposed"])


def test_an_escalation_falls_step_by_step(boards: Boards) -> None:
    """Without the seat of whoever answered only the answer goes; without that of whoever raised
    it, all of it."""
    due = date(2025, 12, 1)
    boards.by("workstream-lead", Raise(("C1",), "No budget.", "pog", "iib", due), MEETING)
    boards.by("clerk", Refer("E1", "cfc", due), MEETING)
    boards.by(ADMIN, Appoint("cfc", "dcs", "secretary"))
    boards.by("dcs", Respond("E1", "In the new year."), MEETING)
    rehearsed = boards.by(ADMIN, StandDown("pog", "workstream-lead"), BEFORE, "No.", dry_run=True)
    assert reopened(rehearsed)["E1"] == ["raised", "referred", "responded"]
    receipt = boards.by(ADMIN, StandDown("cfc", "dcs"), BEFORE, "Never sat there.")
    assert reopened(receipt) == {"E1": ["responded"]}
    found = state(boards).escalations["E1"]
    assert (found.status, found.at, found.response) == ("open", "cfc", None)


# --- who may ------------------------------------------------------------------------------------


def test_only_an_administrator_voids_what_rests_on_authority(boards: Boards) -> None:
    """No decision, and nothing that says who may decide, is voided by anybody else."""
    boards.by(ADMIN, Administrate("dcs"))
    tried = set()
    for entry in entries(boards):
        if isinstance(entry.event, (*GOVERNED, *STANDING)):
            tried.add(entry.event.tag)
            for who in ("clerk", "iib-chair", "lead-member", "nobody"):
                with pytest.raises(NotAuthorised) as refused:
                    boards.ledger.void(entry.position, Note(TODAY, who, reason="No."))
                assert refused.value.rule == "not-administrator"
    assert len(tried) == 8
    position = find(boards, "signoff.granted", "C1", phase=2)
    boards.ledger.void(position, Note(TODAY, "dcs", reason="A mistake."), dry_run=True)


UNDONE: dict[str, Callable[[Boards, str], object]] = {
    "by voiding evidence": lambda boards, who: boards.ledger.void(
        find(boards, "evidence.lodged", "C1", phase=1), Note(TODAY, who, reason="No.")
    ),
    "by a document with an earlier date": lambda boards, who: boards.ledger.act(
        CODE, PlaceUnderReview("C1"), Note(BEFORE, who, reason="No.", source="A paper")
    ),
    "by a document on another action": lambda boards, who: boards.ledger.act(
        CODE, PlaceUnderReview("C3"), Note(date(2025, 10, 5), who, source="A paper")
    ),
}


@pytest.mark.parametrize("name", UNDONE)
def test_nobody_undoes_a_decision_through_what_it_rests_on(boards: Boards, name: str) -> None:
    """Whoever may not void a decision may not have it voided by a write of another kind either."""
    size = boards.ledger.size()
    for who in ("nobody", "workstream-lead", "clerk"):
        with pytest.raises(NotAuthorised) as refused:
            UNDONE[name](boards, who)
        assert refused.value.rule in ("not-administrator", "unknown-person")
    assert boards.ledger.size() == size
    UNDONE[name](boards, ADMIN)
    assert boards.ledger.size() > size + 1


def test_evidence_that_nothing_rests_on_is_voided_by_anybody(boards: Boards) -> None:
    """A slip of whoever lodges evidence needs no administrator."""
    day = date(2025, 10, 1)
    lodged = boards.by("workstream-lead", Lodge("C2", "performance", "Figures", day, "R"), day)
    position = lodged.entries[0].position
    boards.ledger.void(position, Note(TODAY, "workstream-lead", reason="Wrong action."))
    assert state(boards).actions["C2"].evidence == {}


def test_an_interest_stands_in_the_way_of_voiding_its_meeting(boards: Boards) -> None:
    """A meeting at which an interest was declared is voided after the interest, never around it."""
    CASES["an interest in another action"].write(boards)
    size = boards.ledger.size()
    with pytest.raises(Refusal) as refused:
        CASES["a meeting was a mistake"].write(boards)
    assert refused.value.rule == "contradicts-later-entry"
    assert boards.ledger.size() == size


def test_phase_2_is_not_granted_once_phase_1_is_revoked(boards: Boards) -> None:
    """Votes on phase 2 reach no Green while phase 1 is not granted."""
    boards.ready("C3", 2)
    for who in ("iib-chair", "dcs"):
        boards.vote(who, "C3", 2)
    boards.by("clerk", Revoke("C3", 1, MEETING, "9"), MEETING, "The figures were wrong.")
    with pytest.raises(Refusal) as refused:
        boards.grant("C3", 2)
    assert refused.value.rule == "phase-1-first"
    assert state(boards).actions["C3"].rating == "amber"


def test_a_confirmation_falls_with_the_member_who_gave_it(boards: Boards) -> None:
    """A sign-off that a quorum confirmed is stale again when one of them had no seat."""
    lodge = Lodge("C3", "performance", "More", MEETING, "R-2", phase=1)
    boards.by("workstream-lead", lodge, MEETING)
    scale = state(boards).plan.scale
    for who in ("lead-member", "iib-chair"):
        assert is_stale(state(boards).actions["C3"], 1, scale)
        instant = boards.ledger.recorder.clock()
        boards.sign(who, Confirm("C3", 1, MEETING, "7.2", instant))
    assert not is_stale(state(boards).actions["C3"], 1, scale)
    receipt = CASES["a person was a mistake"].write(boards)
    assert reopened(receipt) == {"C1": BOTH, "C3": ["confirmed 1"]}
    found = state(boards).actions["C3"]
    assert found.signoffs[1].status == "granted"
    assert is_stale(found, 1, scale)


def test_the_replaced_attendance_is_one_write(boards: Boards) -> None:
    """A meeting replaced by one of the same attendance re-opens nothing."""
    position = find(boards, "body.meeting_recorded")
    note = Note(MEETING, ADMIN, reason="Apologies were missing.")
    there = ("iib-chair", "dcs", "lead-member", "clerk")
    command = RecordMeeting("iib", MEETING, there)
    receipt = boards.ledger.govern(CODE, command, note, replaces=position)
    assert reopened(receipt) == {}
    size = boards.ledger.size()
    with pytest.raises(GovledgerError):
        boards.ledger.govern(CODE, command, replace(note, recorded_by="dcs"), replaces=size)
    assert boards.ledger.size() == size


def test_a_vote_recorded_at_the_same_moment_is_not_passed_over(
    boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stands a member down while they vote is told that something was recorded."""
    lead, day = "workstream-lead", date(2025, 11, 20)
    boards.by(lead, Lodge("C2", "performance", "Figures", MEETING, "R"), MEETING)
    boards.by(lead, Recommend("C2", 1), MEETING, "Done.")
    at_that_moment = Boards.__new__(Boards)
    clock = Clock(datetime(2025, 11, 20, 9, tzinfo=UTC))
    at_that_moment.ledger = open_ledger(boards.ledger.database.path, clock)
    boards.ledger.recorder.clock = clock
    boards.by("clerk", RecordMeeting("iib", day, ("iib-chair", "dcs", "lead-member")), day)
    append = boards.ledger.append

    def late(*words: Any) -> list[Entry]:
        at_that_moment.vote("lead-member", "C2", meeting=day)
        return append(*words)

    stood_down = StandDown("iib", "lead-member"), day, "Left the council."
    monkeypatch.setattr(boards.ledger, "append", late)
    with pytest.raises(Conflict):
        boards.by(ADMIN, *stood_down)
    monkeypatch.undo()
    at_that_moment.ledger.close()
    assert reopened(boards.by(ADMIN, *stood_down)) == {"C2": ["voted 1"]}
    assert check_lawfulness(boards.ledger).findings == ()
