"""What a governance review asks, on ledgers made for each question."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.board_commands import (
    Appoint,
    ChangeTerms,
    DeclareInterest,
    RecordMeeting,
    SetTerms,
    StandDown,
)
from domain.commands import Rate, ReviseTimescale, Reword
from domain.errors import Refusal
from domain.evidence_commands import Lodge
from domain.issue_commands import Agree, Decline, Propose, Raise, Refer, Resolve
from domain.person_commands import ReplaceKey
from domain.signoff_commands import Grant, Recommend, Return, Revoke
from ledger.entry import Decision, Note
from projections.record import Record, months_before, whole_months
from projections.review import authority, embedding, late, stale, thin
from projections.review_meeting import meeting
from projections.review_person import person
from projections.review_reopened import reopened
from tests.boards import ADMIN, CODE, MEETING, SET_UP, Boards, public_key

NEXT = date(2025, 11, 13)
THERE = ("iib-chair", "dcs", "lead-member", "clerk")


class Clock:
    """A clock that stands where it is put, and moves on by a second at every look."""

    def __init__(self) -> None:
        self.instant = datetime(2025, 12, 1, 9, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.instant += timedelta(seconds=1)
        return self.instant


@dataclass
class Asking:
    """A plan with boards, and questions asked of it."""

    boards: Boards
    clock: Clock

    def __call__(
        self,
        question: Any,
        *words: Any,
        as_at: date | None = None,
        known_at: int | None = None,
    ) -> Any:
        ledger = self.boards.ledger
        with ledger.database.reading() as connection:
            record = Record(ledger, connection, CODE, ledger.moment(as_at, known_at))
            return question(record, *words)

    @property
    def size(self) -> int:
        return self.boards.ledger.size()


@pytest.fixture
def ask(tmp_path: Path) -> Iterator[Asking]:
    clock = Clock()
    asking = Asking(Boards(tmp_path / "l.sqlite", clock), clock)
    yield asking
    asking.boards.ledger.close()


def _met(boards: Boards, day: date = NEXT) -> None:
    boards.by("clerk", RecordMeeting("iib", day, THERE, (), "IIB/11"), day)


# --- one person -------------------------------------------------------------------------


def test_everything_that_a_person_decided(ask: Asking) -> None:
    """Seats with their dates, keys old and new, interests, meetings, votes, what they recorded."""
    boards = ask.boards
    boards.signed_off("C1")
    boards.by("lead-member", DeclareInterest("iib", MEETING, "lead-member", "C2"), MEETING)
    boards.by(ADMIN, ReplaceKey("lead-member", public_key("other")), NEXT)
    boards.by(ADMIN, StandDown("iib", "lead-member"), NEXT, "Left the council.")
    data = ask(person, "LEAD-member")
    assert (data["name"], data["role"]) == ("The lead member", "Lead member")
    (seat,) = data["seats"]
    assert (seat["since"], seat["until"]) == ("2025-09-01", "2025-11-12")
    assert [key["ended"] for key in data["keys"]] == ["replaced", None]
    assert [(m["meeting"], m["attendance"]) for m in data["meetings"]] == [
        ("2025-10-09", "present")
    ]
    assert [i["item"] for i in data["interests"]] == ["C2"]
    assert [row["type"] for row in data["decisions"]] == ["signoff.voted/1"]
    assert [row["type"] for row in data["recorded"]] == ["body.interest_declared/1"]
    assert ask(person, "The lead member") == data


def test_a_person_by_the_name_that_they_typed(ask: Asking) -> None:
    """Who recorded under a name without being enrolled is found by it, the opening included."""
    data = ask(person, "a. registrar")
    assert data["person"] is None
    assert data["decisions"] == []
    types = {row["type"] for row in data["recorded"]}
    assert {"ledger.opened/1", "person.enrolled/1", "body.established/1"} <= types
    with pytest.raises(Refusal, match="'Nobody' is not enrolled"):
        ask(person, "Nobody")


def test_both_spellings_of_a_person_are_one(ask: Asking) -> None:
    """What somebody recorded under their name and under their code is told together."""
    boards = ask.boards
    for who in ("workstream-lead", "The workstream lead"):
        boards.by(who, Lodge("C1", "qualitative", who, SET_UP, "R"), SET_UP)
    titles = [row["what"] for row in ask(person, "workstream-lead")["recorded"]]
    assert len(titles) == 2
    assert "The workstream lead" in titles[1]


def test_a_person_as_at_a_day_and_as_known(ask: Asking) -> None:
    """A vote that is effective later, or was recorded later, is not told of the person."""
    boards = ask.boards
    boards.ready("C1")
    before = ask.size
    boards.vote("iib-chair", "C1")
    assert len(ask(person, "iib-chair")["decisions"]) == 1
    assert ask(person, "iib-chair", as_at=date(2025, 10, 8))["decisions"] == []
    assert ask(person, "iib-chair", known_at=before)["decisions"] == []


# --- one meeting ------------------------------------------------------------------------


def test_everything_decided_at_a_meeting(ask: Asking) -> None:
    """Sign-offs with each vote by printed name and role, amendments, escalations, and minutes."""
    boards = ask.boards
    boards.signed_off("C1")
    boards.by("lead-member", DeclareInterest("iib", MEETING, "lead-member", "C2"), MEETING)
    boards.ready("C2")
    boards.vote("iib-chair", "C2", vote="decline")
    boards.by("clerk", Return("C2", 1, MEETING, "7.2"), MEETING, "Too little.")
    boards.ready("C3")
    boards.vote("dcs", "C3")
    for ref, verdict in (("C2", Agree("A1", MEETING, "8")), ("C3", Decline("A2", MEETING, "9"))):
        boards.by("dcs", Propose(Reword(ref, "Clearer")), SET_UP, "Unclear.")
        boards.by("clerk", verdict, MEETING, "Discussed.")
    raised = Raise(("C2",), "No premises.", "pog", "iib", date(2025, 12, 1))
    boards.by("workstream-lead", raised, SET_UP)
    boards.by("iib-chair", Refer("E1", "ofsted", date(2025, 12, 9)), MEETING)
    data = ask(meeting, "improvement and impact board", MEETING)
    held = data["attendance"]
    assert held["present"][0]["printed"] == "The independent chair, Independent chair"
    assert [p["person"] for p in held["apologies"]] == ["head-edge"]
    assert (held["quorum"], held["voting_present"], held["quorate"]) == (2, 3, True)
    assert [(i["person"], i["item"]) for i in held["interests"]] == [("lead-member", "C2")]
    told = [
        (s["ref"], s["decision"], s["minute"], len(s["for"]), len(s["against"]), s["rating"])
        for s in data["signoffs"]
    ]
    assert told == [
        ("C1", "granted", "7.1", 2, 0, "Amber E"),
        ("C2", "declined", "7.2", 0, 1, None),
        ("C3", None, None, 1, 0, None),
    ]
    assert data["signoffs"][1]["interests"] == ["The lead member, Lead member"]
    assert data["signoffs"][0]["lead"] == "Partnership Oversight Group"
    assert [(a["amendment"], a["decision"], a["minute"]) for a in data["amendments"]] == [
        ("A1", "agreed", "8"),
        ("A2", "declined", "9"),
    ]
    assert [(e["escalation"], e["type"]) for e in data["escalations"]] == [
        ("E1", "escalation.referred/1")
    ]
    assert data["other"] == []
    assert data["voided"] == []


def test_a_meeting_is_told_as_it_was(ask: Asking) -> None:
    """Seats count as on the day of the meeting, whoever has stood down since."""
    boards = ask.boards
    boards.signed_off("C1")
    before = ask.size
    boards.by(ADMIN, StandDown("iib", "lead-member"), NEXT, "Left.")
    data = ask(meeting, "iib", MEETING)
    assert data["signoffs"][0]["decision"] == "granted"
    assert [p["seat"] for p in data["attendance"]["present"]] == [
        "chair",
        "member",
        "member",
        "secretary",
    ]
    early = ask(meeting, "iib", MEETING, known_at=before - 1)
    assert early["signoffs"][0]["decision"] is None
    with pytest.raises(Refusal, match="on 2025-10-09 is recorded"):
        ask(meeting, "iib", MEETING, as_at=date(2025, 10, 8))
    with pytest.raises(Refusal, match="no body 'board'"):
        ask(meeting, "board", MEETING)


def test_a_vote_of_one_meeting_decided_at_the_next(ask: Asking) -> None:
    """A vote keeps its meeting; where it was decided later, the first meeting says so."""
    boards = ask.boards
    boards.ready("C1")
    boards.vote("iib-chair", "C1")
    _met(boards)
    boards.vote("lead-member", "C1", meeting=NEXT)
    boards.by("clerk", Grant("C1", 1, NEXT, "3"), NEXT)
    (first,) = ask(meeting, "iib", MEETING)["signoffs"]
    assert (first["decision"], first["decided_elsewhere"]) == (None, "2025-11-13")
    (second,) = ask(meeting, "iib", NEXT)["signoffs"]
    assert second["decision"] == "granted"
    assert [vote["meeting"] for vote in second["for"]] == ["2025-10-09", "2025-11-13"]


def test_a_meeting_says_what_was_voided_since(ask: Asking) -> None:
    """A decision that was re-opened is no decision of the meeting any more, and is not hidden."""
    boards = ask.boards
    boards.signed_off("C1")
    boards.by(ADMIN, StandDown("iib", "lead-member"), date(2025, 10, 1), "Left before.")
    data = ask(meeting, "iib", MEETING)
    assert data["signoffs"][0]["decision"] is None
    assert [v["type"] for v in data["voided"]] == ["signoff.voted/1", "signoff.granted/1"]
    assert all(v["void_reason"].startswith("No longer supported") for v in data["voided"])


def test_confirmed_and_revoked_at_a_meeting(ask: Asking) -> None:
    """A confirmation is the board's decision once a quorum gave it; a revocation tells the rating.

    The votes on the grant, of the meeting before, are not told under a confirmation.
    """
    boards = ask.boards
    boards.signed_off("C1")
    boards.signed_off("C2")
    _met(boards)
    boards.by("dcs", Propose(ReviseTimescale("C1", "May 2026")), MEETING, "Late.")
    boards.by("clerk", Agree("A1", NEXT, "2"), NEXT)
    boards.confirm("C1", 1, NEXT)
    boards.by("clerk", Revoke("C2", 1, NEXT, "4"), NEXT, "Figures were wrong.")
    told = ask(meeting, "iib", NEXT)["signoffs"]
    revoked = next(s for s in told if s["ref"] == "C2")
    assert (revoked["decision"], revoked["rating"]) == ("revoked", "On track")
    assert revoked["reason"] == "Figures were wrong."
    first, second = (s for s in told if s["ref"] == "C1")
    assert (first["decision"], second["decision"]) == (None, "confirmed")
    chair, member = "The independent chair, Independent chair", "The lead member, Lead member"
    words = ("by", "confirmed", "needed", "renewed")
    assert first["confirmation"] == dict(zip(words, (chair, 1, 2, False), strict=True))
    assert second["confirmation"] == dict(zip(words, (member, 2, 2, True), strict=True))
    assert [s[votes] for s in (first, second) for votes in ("for", "against")] == [[]] * 4


def test_decisions_recorded_before_there_were_bodies(tmp_path: Path) -> None:
    """A decision on the word of a body that was never established is told under its name."""
    boards = Boards(tmp_path / "l.sqlite")
    told = Decision(body="Old Board", meeting=MEETING, minute="5")
    rated = Note(MEETING, "clerk", reason="Seen.", decided_by=told)
    boards.ledger.act(CODE, Rate("C1", "Red"), rated)
    asking = Asking(boards, Clock())
    data = asking(meeting, "old board", MEETING)
    assert (data["body"], data["attendance"]) == (None, None)
    assert [(row["ref"], row["minute"]) for row in data["other"]] == [("C1", "5")]
    with pytest.raises(Refusal):
        asking(meeting, "old board", NEXT)
    boards.ledger.close()


# --- the whole plan ---------------------------------------------------------------------


def test_at_amber_e_for_long(ask: Asking) -> None:
    """An action is listed when it has been at Amber E for longer than so many months."""
    boards = ask.boards
    boards.signed_off("C1")
    taken = Note(date(2025, 3, 31), ADMIN, source="Report of March")
    boards.ledger.act(CODE, Rate("C2", "Amber E"), taken)
    rows = ask(embedding, 0)
    assert [(r["ref"], r["since"], r["months"]) for r in rows] == [
        ("C2", "2025-03-31", 8),
        ("C1", "2025-10-09", 1),
    ]
    assert [(r["signed_off"], r["taken_over_from"]) for r in rows] == [
        (False, "Report of March"),
        (True, None),
    ]
    assert [r["ref"] for r in ask(embedding, 7)] == ["C2"]
    assert ask(embedding, 6, as_at=date(2025, 9, 30)) == []
    assert [r["ref"] for r in ask(embedding, 6, as_at=date(2025, 10, 1))] == ["C2"]


def test_green_or_revoked_is_not_waiting(ask: Asking) -> None:
    """At Green nothing waits; after a revocation the time at Amber E begins anew."""
    boards = ask.boards
    boards.signed_off("C1")
    boards.signed_off("C1", 2)
    assert ask(embedding, 0) == []
    _met(boards)
    boards.by("clerk", Revoke("C1", 2, NEXT, "4"), NEXT, "No impact seen.")
    (row,) = ask(embedding, 0)
    assert row["since"] == "2025-11-13"


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2025, 9, 30), 6, date(2025, 3, 30)),
        (date(2025, 8, 31), 6, date(2025, 2, 28)),
        (date(2024, 8, 31), 6, date(2024, 2, 29)),
        (date(2025, 12, 31), 0, date(2025, 12, 31)),
        (date(2025, 12, 31), 12, date(2024, 12, 31)),
        (date(2025, 1, 15), 1, date(2024, 12, 15)),
        (date(2025, 1, 15), 99_999, date.min),
    ],
)
def test_months_back(day: date, months: int, expected: date) -> None:
    """So many months before a day is the same day of that month, or its last."""
    assert months_before(day, months) == expected
    if expected > date.min:
        assert whole_months(expected, day) == months


def test_recorded_late(ask: Asking) -> None:
    """A decision counts from its meeting to the day in London on which it was recorded."""
    boards = ask.boards
    ask.clock.instant = datetime(2025, 12, 1, 23, 59, tzinfo=UTC)
    boards.signed_off("C1")  # 53 days after the meeting, and 61 after it was recommended
    rows = ask(late, 53)
    assert [(r["type"], r["days"]) for r in rows] == [("signoff.recommended/1", 61)]
    rows = ask(late, 52)
    assert [r["days"] for r in rows] == [61, 53, 53, 53]
    assert {r["decided_on"] for r in rows[1:]} == {"2025-10-09"}
    assert ask(late, 0, as_at=date(2025, 9, 30)) == []


def test_history_taken_over_is_not_late(ask: Asking) -> None:
    """An agreed amendment is told once, and history taken over is no late decision."""
    boards = ask.boards
    boards.by("dcs", Propose(Reword("C1", "New")), NEXT, "Unclear.")
    _met(boards)
    boards.by("clerk", Agree("A1", NEXT, "2"), NEXT)
    board = Decision(body="Board", meeting=MEETING, minute="1")
    history = Note(MEETING, ADMIN, "Seen.", board, "Report of March")
    boards.ledger.act(CODE, ReviseTimescale("C2", "May 2026"), history)
    assert [r["type"] for r in ask(late, 1)] == ["amendment.proposed/1", "amendment.agreed/1"]


def test_thin_evidence(ask: Asking) -> None:
    """Phase 1 on one item and phase 2 on the least that the plan asks are thin, in words."""
    boards = ask.boards
    boards.signed_off("C1")
    data = ask(thin, 3, 2)
    assert [(r["ref"], r["phase"], r["thin"]) for r in data["signoffs"]] == [
        ("C1", 1, "one item of evidence only")
    ]
    boards.signed_off("C1", 2)
    assert [r["thin"] for r in ask(thin, 3, 2)["signoffs"]] == ["one item of evidence only"]
    boards.by(ADMIN, SetTerms(impact_kinds=3), SET_UP)
    for kind in ("performance", "qualitative"):
        boards.by("workstream-lead", Lodge("C2", kind, kind, SET_UP, "R"), SET_UP)
    boards.by("workstream-lead", Recommend("C2", 1), SET_UP, "Done.")
    for who in ("iib-chair", "lead-member"):
        boards.vote(who, "C2")
    boards.grant("C2")
    boards.by("workstream-lead", Lodge("C2", "staff_feedback", "Staff", MEETING, "R"), MEETING)
    boards.by("workstream-lead", Recommend("C2", 2), MEETING, "Seen.")
    for who in ("iib-chair", "lead-member"):
        boards.vote(who, "C2", 2)
    boards.grant("C2", 2)
    rows = {(r["ref"], r["phase"]): r for r in ask(thin, 3, 2)["signoffs"]}
    assert rows["C2", 2]["thin"] == "no more than the 3 that the plan asks for"
    assert ("C2", 1) not in rows
    more = {(r["ref"], r["phase"]): r for r in ask(thin, 4, 3)["signoffs"]}
    assert more["C2", 1]["thin"] == "2 items of evidence only"
    assert more["C2", 2]["thin"].startswith("evidence from 3 of the four inner sources only")


def test_evidence_lodged_after_the_decision_does_not_help(ask: Asking) -> None:
    """What was lodged after a decision, with whatever date, is not what it rested on."""
    boards = ask.boards
    boards.signed_off("C1")
    late_item = Lodge("C1", "qualitative", "Audit", SET_UP, "R", phase=1)
    boards.by("workstream-lead", late_item, SET_UP)
    (row,) = ask(thin, 3, 2)["signoffs"]
    assert row["items"] == 1
    _met(boards)
    boards.confirm("C1", 1, NEXT)
    assert ask(thin, 3, 2)["signoffs"] == []


def test_ratings_taken_over_rest_on_no_evidence_here(ask: Asking) -> None:
    """Ratings of complete work from a document are counted, as nothing here supports them."""
    taken = Note(date(2025, 3, 31), ADMIN, source="Report of March")
    ask.boards.ledger.act(CODE, Rate("C2", "Green"), taken)
    assert ask(thin, 3, 2)["taken_over"] == 1


def test_who_had_authority(ask: Asking) -> None:
    """For each power the body, who could vote and record on that day, and whether it was enough."""
    boards = ask.boards
    boards.by(ADMIN, Appoint("iib", "workstream-lead", "member"), NEXT)
    boards.by(ADMIN, StandDown("iib", "iib-chair"), NEXT, "Left.")
    boards.by(ADMIN, ReplaceKey("dcs", None), NEXT, "Lost.")
    boards.by(ADMIN, ChangeTerms("iib", quorum=5), NEXT)
    before = {row["power"]: row for row in ask(authority, as_at=MEETING)["powers"]}
    assert [p["person"] for p in before["phase_2"]["may_vote"]] == [
        "iib-chair",
        "dcs",
        "lead-member",
        "head-edge",
    ]
    assert [p["person"] for p in before["phase_2"]["may_record"]] == ["iib-chair", "clerk"]
    assert before["recommend"]["body"] == "pog"
    assert before["recommend"]["may_record"] == []
    assert before["amend"]["can_be_quorate"] is True
    after = {row["power"]: row for row in ask(authority, as_at=NEXT)["powers"]}
    assert [(p["person"], p["key"]) for p in after["phase_1"]["may_vote"]] == [
        ("dcs", False),
        ("lead-member", True),
        ("head-edge", True),
        ("workstream-lead", True),
    ]
    assert (after["amend"]["quorum"], after["amend"]["can_be_quorate"]) == (5, False)
    none = ask(authority, as_at=date(2025, 8, 1))
    assert {row["body"] for row in none["powers"]} == {None}
    assert none["administrators"] == [ADMIN]


def test_re_opened_decisions(ask: Asking) -> None:
    """What fell with a membership is listed with its cause; what a person voided is not."""
    boards = ask.boards
    boards.signed_off("C1")
    boards.by("dcs", Propose(Reword("C2", "New")), MEETING, "Unclear.")
    agreed = boards.by("clerk", Agree("A1", MEETING, "8"), MEETING).entries[0].position
    own = boards.ready("C2").entries[0].position
    before = ask.size
    reason = "Typed for another action."
    boards.ledger.void(own, Note(MEETING, ADMIN, reason=reason))
    boards.ledger.void(agreed, Note(MEETING, ADMIN, reason=reason))
    assert ask(reopened) == []
    boards.by(ADMIN, StandDown("iib", "lead-member"), date(2025, 10, 1), "Left before.")
    rows = ask(reopened)
    assert [r["type"] for r in rows] == ["signoff.voted/1", "signoff.granted/1"]
    assert {r["cause"]["type"] for r in rows} == {"body.member_stood_down/1"}
    assert {r["now"] for r in rows} == {"rated On track; phase 1 recommended"}
    assert ask(reopened, known_at=before) == []
    assert ask(reopened, as_at=date(2025, 10, 8)) == []


def test_re_opened_by_a_void(ask: Asking) -> None:
    """Where a vote is voided by an administrator, the grant that rested on it is re-opened."""
    boards = ask.boards
    boards.ready("C1")
    vote = boards.vote("iib-chair", "C1").entries[0].position
    boards.vote("lead-member", "C1")
    boards.grant("C1")
    boards.ledger.void(vote, Note(MEETING, ADMIN, reason="Signed in error."))
    (row,) = ask(reopened)
    assert row["type"] == "signoff.granted/1"
    assert row["cause"]["what"].startswith(f"entry {vote} voided")


def test_stale_and_confirmed(ask: Asking) -> None:
    """A stale sign-off is listed with what changed and the entry, until it is confirmed."""
    boards = ask.boards
    boards.signed_off("C1")
    assert ask(stale) == []
    boards.by("dcs", Propose(ReviseTimescale("C1", "May 2026")), MEETING, "Late.")
    _met(boards)
    change = boards.by("clerk", Agree("A1", NEXT, "2"), NEXT).entries[1].position
    (row,) = ask(stale)
    assert [(c["what"], c["now"], c["position"]) for c in row["changed"]] == [
        ("Timescale", "May 2026", change)
    ]
    assert ask(stale, as_at=MEETING) == []
    boards.confirm("C1", 1, NEXT)
    assert ask(stale) == []
    assert len(ask(stale, known_at=change)) == 1


def test_a_vote_names_its_meeting(ask: Asking) -> None:
    """A vote's row has the meeting at which it was given, though no minute yet."""
    boards = ask.boards
    boards.ready("C1")
    boards.vote("dcs", "C1")
    (row,) = ask(person, "dcs")["decisions"]
    assert (row["meeting"], row["minute"]) == ("2025-10-09", None)


def test_an_escalation_resolved_at_a_meeting(ask: Asking) -> None:
    """An escalation shows at the meetings of the bodies that it concerns, on the day of a step."""
    boards = ask.boards
    raised = Raise(("C2",), "No premises.", "pog", "iib", date(2025, 12, 1))
    boards.by("workstream-lead", raised, SET_UP)
    boards.by("iib-chair", Resolve("E1", "Rooms were found."), MEETING)
    (row,) = ask(meeting, "iib", MEETING)["escalations"]
    assert (row["what"], row["refs"]) == ("resolved: Rooms were found.", ["C2"])
