"""Lawfulness: what was forced in is found and named, and nothing else is."""

import json
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from domain.action import (
    ActionAdded,
    ActionRated,
    ActionResumed,
    ActionReworded,
    MarkedDelayed,
    TimescaleRevised,
)
from domain.amendment import AmendmentAgreed
from domain.board_commands import (
    Appoint,
    ChangeTerms,
    DeclareInterest,
    RecordMeeting,
    SetTerms,
    StandDown,
)
from domain.body import InterestDeclared, MeetingRecorded, MemberAppointed
from domain.commands import (
    Add,
    ChangeOwners,
    Close,
    Command,
    Delay,
    PlaceUnderReview,
    Rate,
    Resume,
    ReviseTimescale,
    Reword,
)
from domain.errors import GovledgerError
from domain.escalation import EscalationReferred
from domain.event import EntryVoided, Event, LedgerOpened
from domain.evidence_commands import Lodge
from domain.importing import PlannedAction
from domain.issue_commands import (
    Agree,
    Decline,
    Propose,
    Raise,
    Refer,
    Resolve,
    Respond,
    Withdraw,
)
from domain.person import AdministratorAppointed, KeyWithdrawn
from domain.person_commands import Administrate, ChangeRole, Enrol, ReplaceKey
from domain.signing_commands import Confirm
from domain.signoff import SignOffConfirmed, SignOffGranted, SignOffRecommended, SignOffVoted
from domain.signoff_commands import Recommend, Return, Revoke
from domain.timescale import Timescale
from ledger import signatures
from ledger.entry import Decision, Entry, Note
from ledger.lawfulness import check_lawfulness
from ledger.service import Ledger
from tests.boards import ADMIN, CODE, MEETING, SET_UP, Boards, key_folder, public_key
from tests.ledger.behind import opened, plain, tamper, unguarded
from tests.ledger.forging import (
    ballot,
    force,
    judged,
    judged_at,
    named,
    note,
    on,
    rewritten,
    rules,
    saying,
)

DECIDED = Decision(body="Improvement and Impact Board", meeting=MEETING, minute="7.1")
LATER = date(2025, 11, 13)
"""A second meeting."""


@pytest.fixture
def boards(tmp_path: Path) -> Boards:
    """A plan with boards, a first meeting, and nothing decided yet."""
    return Boards(tmp_path / "boards.sqlite")


def signed_by(key: str, text: str) -> str:
    """A good signature over a text."""
    return signatures.sign(text, public_key(key), key_folder() / key)


def positions(boards: Boards, *what: type[Event] | str) -> list[int]:
    """Where the entries of these types stand, of a person where one is named."""
    people = [word for word in what if isinstance(word, str)]
    kinds = tuple(kind for kind in what if not isinstance(kind, str))
    found = (boards.ledger.entry_at(at) for at in range(1, boards.ledger.size() + 1))
    return [
        entry.position
        for entry in found
        if isinstance(entry.event, kinds)
        and (not people or getattr(entry.event, "person", "") in people)
    ]


# --- nothing is found where nothing is wrong ----------------------------------------------


def test_the_example(example_path: Path) -> None:
    """The example ledger, with its history taken over, keeps to every rule."""
    found = judged_at(example_path)
    assert found.findings == ()
    assert found.signatures_checked == 0


def second_meeting(boards: Boards) -> None:
    there = ("iib-chair", "dcs", "lead-member", "clerk")
    boards.by("clerk", RecordMeeting("iib", LATER, there, minutes="Minutes of November"), LATER)


def signed_off_twice(boards: Boards) -> None:
    """Both phases granted."""
    boards.signed_off("C1")
    boards.signed_off("C1", 2)


def declined_and_recommended_again(boards: Boards) -> None:
    """A decline, a second round, a recommendation anew after a change."""
    boards.ready("C1")
    boards.vote("iib-chair", "C1", vote="decline")
    boards.vote("dcs", "C1")
    boards.by("clerk", Return("C1", 1, MEETING, "7.1"), MEETING, "Too early.")
    boards.by("workstream-lead", Recommend("C1", 1), MEETING, "Now it is done.")
    boards.vote("iib-chair", "C1")
    boards.by("dcs", Lodge("C1", "qualitative", "An audit", MEETING, "R-2"), MEETING)
    boards.by("workstream-lead", Recommend("C1", 1), MEETING, "With the audit.")
    boards.vote("iib-chair", "C1")
    boards.vote("lead-member", "C1")
    boards.grant("C1")


def stale_and_confirmed(boards: Boards) -> None:
    """A change after the grant, confirmed; then all of it revoked."""
    signed_off_twice(boards)
    boards.by("dcs", Lodge("C1", "performance", "More", MEETING, "R-2", phase=1), MEETING)
    second_meeting(boards)
    for phase in (1, 2):
        boards.confirm("C1", phase, LATER)
    boards.by("clerk", Revoke("C1", 2, LATER, "10"), LATER, "The figures were wrong.")
    boards.by("clerk", Revoke("C1", 1, LATER, "10"), LATER, "The figures were wrong.")


def escalated(boards: Boards) -> None:
    """Escalations of every course."""
    needed, lead = date(2025, 12, 1), "workstream-lead"
    for _ in range(2):
        boards.by(lead, Raise(("C1", "C2"), "No staff", "pog", "iib", needed), MEETING)
    boards.by("dcs", Refer("E1", "ofsted", needed), MEETING)
    boards.by("dcs", Respond("E1", "They will visit."), MEETING)
    boards.by("dcs", Refer("E1", "cfc", needed), MEETING)
    boards.by(ADMIN, Enrol("cfc-chair", "The chair", "Chair", public_key("other")))
    boards.by(ADMIN, Appoint("cfc", "cfc-chair", "chair"))
    boards.by("cfc-chair", Resolve("E1", "Money was found."), MEETING)
    boards.by(lead, Withdraw("E2"), MEETING, "Not needed.")


def amended(boards: Boards) -> None:
    """Each kind of amendment agreed, one declined, a capped timescale, one voided."""
    boards.by(ADMIN, SetTerms(most_revisions=1))
    kinds: tuple[Command, ...] = (
        ReviseTimescale("C1", "June 2026"),
        Delay("C1"),
        Resume("C1"),
        PlaceUnderReview("C1"),
        Reword("C1", "Another wording"),
        ChangeOwners("C1", "Head of Front Door"),
        Add("C9", "A new action", "1.1", "Head of Front Door", "Sept 26"),
        Close("C2", "C9"),
    )
    for number, command in enumerate(kinds, 1):
        boards.by("workstream-lead", Propose(command), MEETING, "It has to be.")
        boards.by("clerk", Agree(f"A{number}", MEETING, "8"), MEETING)
    boards.by("workstream-lead", Propose(Delay("C3")), MEETING, "It has to be.")
    boards.by("clerk", Decline("A9", MEETING, "8"), MEETING, "No.")
    boards.by("workstream-lead", Raise(("C3",), "x", "pog", "iib", LATER), MEETING)
    for number, when in ((10, "June 2026"), (11, "July 2026")):
        boards.by("workstream-lead", Propose(ReviseTimescale("C3", when)), MEETING, "Late.")
        agreed = boards.by("clerk", Agree(f"A{number}", MEETING, "8"), MEETING)
    boards.ledger.void(agreed.entries[1].position, Note(MEETING, ADMIN, reason="Wrong."))


def taken_over(boards: Boards) -> None:
    """History with a source beside decisions: ratings up to Green, direct amendments, a report."""
    say = Note(MEETING, ADMIN, reason="As published.", source="Council, 9 October 2025")
    boards.ledger.act(CODE, Rate("C1", "Green"), say)
    boards.ledger.act(CODE, ReviseTimescale("C2", "July 2026"), say)
    boards.ledger.act(CODE, Rate("C3", "Red"), replace(say, source=None))
    rows = [PlannedAction("C2", 2, rating="Amber E"), PlannedAction("C3", 3, rating="Delayed")]
    boards.ledger.import_plan(CODE, rows, replace(say, effective_on=LATER), whole=False)
    on_issue = Note(LATER, ADMIN)
    boards.ledger.issue_report(CODE, "R1", "CFC", LATER, MEETING, on_issue)
    late = Note(MEETING, "clerk", reason="Left out.", correction=True)
    boards.ledger.act(CODE, Rate("C3", "Amber"), late)


def reopened_by_a_membership(boards: Boards) -> None:
    """A member stands down as from before the vote: what rested on it is open again."""
    signed_off_twice(boards)
    receipt = boards.by(ADMIN, StandDown("iib", "lead-member"), date(2025, 10, 1), "Left.")
    assert any(isinstance(entry.event, EntryVoided) for entry in receipt.entries)


def reopened_by_the_clerk(boards: Boards) -> None:
    """The secretary, who may void nothing, corrects the attendance: a vote falls with it."""
    boards.signed_off("C1")
    there = ("iib-chair", "dcs", "clerk")
    receipt = boards.by("clerk", RecordMeeting("iib", MEETING, there), MEETING)
    assert any(isinstance(entry.event, EntryVoided) for entry in receipt.entries)


def reopened_by_an_interest(boards: Boards) -> None:
    """A member declares an interest afterwards, and the vote falls with it."""
    boards.signed_off("C1")
    boards.by("clerk", DeclareInterest("iib", MEETING, "lead-member", "C1"), MEETING)


def reopened_agreement(boards: Boards) -> None:
    """An agreement loses its quorum by a write of the secretary; the change goes with it."""
    boards.by("workstream-lead", Propose(Delay("C1")), MEETING, "It has to be.")
    boards.by("clerk", Agree("A1", MEETING, "8"), MEETING)
    receipt = boards.by("clerk", RecordMeeting("iib", MEETING, ("dcs", "clerk")), MEETING)
    assert sum(isinstance(entry.event, EntryVoided) for entry in receipt.entries) == 2


def voided_one_by_one(boards: Boards) -> None:
    """An administrator voids an approval, a recommendation and an appointment."""
    boards.signed_off("C1")
    mistaken = positions(boards, SignOffVoted, SignOffRecommended, MemberAppointed)
    for position in reversed(mistaken):
        with suppress(GovledgerError):  # some are void already, with what they rested on
            boards.ledger.void(position, Note(MEETING, ADMIN, reason="A mistake."))
    boards.by(ADMIN, Appoint("iib", "iib-chair", "chair"))


def other_administrators(boards: Boards) -> None:
    """The administrators change, and one records with an earlier date than his appointment."""
    boards.by(ADMIN, Administrate("dcs"), date(2025, 9, 10))
    boards.by("dcs", ChangeTerms("iib", 3), date(2025, 10, 20))
    with pytest.raises(GovledgerError):
        boards.by("dcs", ChangeTerms("iib", 2), date(2025, 9, 5))
    boards.by("dcs", Administrate("iib-chair"), date(2025, 10, 20))
    boards.by("iib-chair", Administrate("dcs", appoint=False), date(2025, 10, 25))
    boards.by("The clerk to the board", RecordMeeting("iib", LATER, ("dcs", "clerk")), LATER)
    boards.by("iib-chair", ChangeRole("dcs", "Director"), LATER)


def other_keys(boards: Boards) -> None:
    """Keys are replaced and withdrawn, from then on and from earlier on; names change roles."""
    boards.ready("C1")
    boards.ready("C2")
    boards.vote("iib-chair", "C1")
    boards.by(ADMIN, ReplaceKey("iib-chair", public_key("other")), date.today())
    boards.vote("iib-chair", "C2", key="other")
    boards.by(ADMIN, ReplaceKey("iib-chair", public_key("other")), date(2025, 9, 2))
    boards.vote("iib-chair", "C1", key="other")
    boards.vote("lead-member", "C1")
    boards.grant("C1")
    boards.by(ADMIN, ReplaceKey("lead-member", None), date(2025, 10, 20), "Lost.")
    boards.by(ADMIN, ChangeRole("iib-chair", "Head of Edge of Care"), date(2025, 9, 2))


FRONT_DOOR = (
    signed_off_twice,
    declined_and_recommended_again,
    stale_and_confirmed,
    escalated,
    amended,
    taken_over,
    reopened_by_a_membership,
    reopened_by_the_clerk,
    reopened_by_an_interest,
    reopened_agreement,
    voided_one_by_one,
    other_administrators,
    other_keys,
)


@pytest.mark.parametrize("course", FRONT_DOOR, ids=lambda course: course.__name__)
def test_by_the_front_door(boards: Boards, course: Callable[[Boards], None]) -> None:
    """Whatever the commands have recorded keeps to the rules, and every signature holds."""
    course(boards)
    found = judged(boards.ledger)
    assert found.findings == ()
    assert found.signatures_checked == len(positions(boards, SignOffVoted, SignOffConfirmed))


# --- signatures ---------------------------------------------------------------------------


def test_an_approval_as_the_commands_make_it(boards: Boards) -> None:
    """The forger's approval differs from a real one in nothing: so what it is found by is real."""
    boards.ready("C1")
    force(boards.ledger, (on("C1"), ballot(boards, "iib-chair", "C1"), note("iib-chair")))
    found = judged(boards.ledger)
    assert (found.findings, found.signatures_checked) == ((), 1)


def test_signed_by_another_key(boards: Boards) -> None:
    """An approval in a member's name, signed by somebody else's key, is found."""
    boards.ready("C1")
    event = ballot(boards, "iib-chair", "C1", key="other")
    (forged,) = force(boards.ledger, (on("C1"), event, note("iib-chair")))
    found = judged(boards.ledger)
    assert named(found) == [("bad-signature", forged)]
    assert "The independent chair (iib-chair)" in found.findings[0].message
    assert found.signatures_checked == 1


def test_signed_by_a_key_that_was_replaced(boards: Boards) -> None:
    """What the old key signs after it was replaced is found; what it signed before is not."""
    boards.ready("C1")
    boards.vote("dcs", "C1")
    day = boards.ledger.today()
    boards.by(ADMIN, ReplaceKey("iib-chair", public_key("other")), day)
    event = ballot(boards, "iib-chair", "C1")
    (forged,) = force(boards.ledger, (on("C1"), event, note("iib-chair")))
    assert named(judged(boards.ledger)) == [("bad-signature", forged)]


def test_signed_by_a_key_that_was_withdrawn(boards: Boards) -> None:
    """An approval that was forced in under a withdrawn key is found, and found once more as now."""
    boards.ready("C1")
    boards.by(ADMIN, ReplaceKey("iib-chair", None), date(2025, 10, 20), "Lost.")
    event = ballot(boards, "iib-chair", "C1")
    (forged,) = force(boards.ledger, (on("C1"), event, note("iib-chair")))
    found = judged(boards.ledger)
    assert named(found) == [("bad-signature", forged), ("rule-broken", forged)]
    assert rules(found) == [(forged, "no-key")]


def test_a_withdrawal_that_re_opened_nothing(boards: Boards) -> None:
    """A key withdrawn by force, without what rests on it: the approvals that still count."""
    signed_off_twice(boards)
    withdrawn = (f"person/{CODE}/lead-member", KeyWithdrawn(), note(day=SET_UP))
    force(boards.ledger, withdrawn)
    votes = positions(boards, SignOffVoted, "lead-member")
    assert rules(judged(boards.ledger)) == [(position, "no-key") for position in votes]


def test_moved_to_another_action(boards: Boards) -> None:
    """A good approval of one action, copied to another, is found there."""
    boards.ready("C1")
    boards.ready("C2")
    real = boards.vote("iib-chair", "C1").entries[0]
    (forged,) = force(boards.ledger, (on("C2"), real.event, real.note))
    found = judged(boards.ledger)
    assert named(found) == [("statement-mismatch", forged)]
    assert "its Action is 'C1', here it is 'C2'" in found.findings[0].message
    assert "Content SHA-256" in found.findings[0].message


def test_entered_again(boards: Boards) -> None:
    """An approval that was voided, and entered again from what it had said, is found."""
    boards.ready("C1")
    real = boards.vote("iib-chair", "C1").entries[0]
    boards.ledger.void(real.position, Note(MEETING, ADMIN, reason="A mistake."))
    (forged,) = force(boards.ledger, (on("C1"), real.event, real.note))
    assert rules(judged(boards.ledger)) == [(forged, "signed-before")]


CHANGED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("vote", {"vote": "decline"}, "Decision"),
    ("phase", {"phase": 2}, "Phase"),
    ("round", {"round": 2}, "Round"),
    ("body", {"body": "pog"}, "Body"),
    ("meeting", {"meeting": LATER}, "Meeting"),
    ("person", {"person": "dcs"}, "Person"),
    ("instant", {"signed_at": datetime(2025, 10, 9, tzinfo=UTC)}, "Signed at"),
)


@pytest.mark.parametrize("case", CHANGED, ids=lambda case: case[0])
def test_a_vote_that_says_something_else(
    boards: Boards, tmp_path: Path, case: tuple[str, dict[str, Any], str]
) -> None:
    """A vote whose entry was changed, in a ledger written anew, does not say what was signed."""
    boards.ready("C1")
    vote = boards.vote("iib-chair", "C1").entries[0].position
    boards.ledger.close()
    path = rewritten(boards.ledger.database.path, tmp_path / "new", saying(vote, **case[1]))
    found = [f for f in judged_at(path).findings if f.kind == "statement-mismatch"]
    assert [finding.position for finding in found] == [vote]
    assert f"its {case[2]} is " in found[0].message


def test_a_statement_that_says_something_else(boards: Boards, tmp_path: Path) -> None:
    """Any line of a statement that was changed breaks the signature, and is named where known."""
    boards.ready("C1")
    entry: Any = boards.vote("iib-chair", "C1").entries[0]
    boards.ledger.close()
    text: str = entry.event.statement
    for number, line in enumerate(text.splitlines()):
        name = line.partition(": ")[0]
        target = tmp_path / f"line-{number}"
        changed = saying(entry.position, statement=text.replace(line, f"{line}x"))
        found = judged_at(rewritten(boards.ledger.database.path, target, changed))
        assert named(found) == [
            ("statement-mismatch", entry.position),
            ("bad-signature", entry.position),
        ]
        assert number == 0 or f"its {name} is " in found.findings[0].message


@pytest.mark.parametrize("more", ["Note: I approve of C2 too.\n", "\n", "Action: C1\n"])
def test_a_statement_with_more_lines(boards: Boards, more: str) -> None:
    """A statement that a member did sign, with lines that no statement has, is found."""
    boards.ready("C1")
    event = ballot(boards, "iib-chair", "C1")
    text = event.statement + more
    signature = signed_by("iib-chair", text)
    event = event.model_copy(update={"statement": text, "signature": signature})
    (forged,) = force(boards.ledger, (on("C1"), event, note("iib-chair")))
    found = judged(boards.ledger)
    assert named(found) == [("statement-mismatch", forged)]
    assert "other lines" in found.findings[0].message


def test_the_signature_of_another_vote(boards: Boards, tmp_path: Path) -> None:
    """Two members' signatures changed about are both found."""
    boards.ready("C1")
    one: Any = boards.vote("iib-chair", "C1").entries[0]
    two: Any = boards.vote("dcs", "C1").entries[0]
    boards.ledger.close()
    swapped = {one.position: two.event.signature, two.position: one.event.signature}

    def change(entry: Entry) -> Entry:
        signature = swapped.get(entry.position)
        return saying(entry.position, signature=signature)(entry) if signature else entry  # type: ignore[return-value]

    found = judged_at(rewritten(boards.ledger.database.path, tmp_path / "new", change))
    assert named(found) == [("bad-signature", one.position), ("bad-signature", two.position)]


def test_replayed_from_another_ledger(boards: Boards, tmp_path: Path) -> None:
    """Sign-offs taken out of another ledger, all of it alike, name the ledger that they are of."""
    boards.signed_off("C1")
    boards.ledger.close()

    def change(entry: Entry) -> Entry:
        if isinstance(entry.event, LedgerOpened):
            return replace(entry, event=entry.event.model_copy(update={"ledger_id": "f" * 32}))
        return entry

    found = judged_at(rewritten(boards.ledger.database.path, tmp_path / "new", change))
    assert {kind for kind, _position in named(found)} == {"statement-mismatch"}
    assert len(found.findings) == 2
    assert all("its Ledger is " in finding.message for finding in found.findings)


def test_other_content_than_was_recommended(boards: Boards, tmp_path: Path) -> None:
    """A recommendation that shows something else is found, and the votes on it with it."""
    ready = boards.ready("C1").entries[0]
    votes = [boards.vote(who, "C1").entries[0].position for who in ("iib-chair", "dcs")]
    boards.ledger.close()
    changed = saying(ready.position, shown="Action: C1\nWording: Something else\n")
    found = judged_at(rewritten(boards.ledger.database.path, tmp_path / "new", changed))
    assert rules(found) == [(at, "changed-since") for at in (ready.position, *votes)]
    assert [f.position for f in found.findings if f.kind == "statement-mismatch"] == votes


def test_a_confirmation_that_says_something_else(boards: Boards, tmp_path: Path) -> None:
    """A confirmation is held to its signature as a vote is."""
    boards.signed_off("C1")
    boards.by("dcs", Lodge("C1", "performance", "More", MEETING, "R-2", phase=1), MEETING)
    second_meeting(boards)
    command = Confirm("C1", 1, LATER, "9", datetime.now(UTC))
    at = boards.sign("iib-chair", command).entries[0].position
    boards.ledger.close()
    path = boards.ledger.database.path
    for number, fields in enumerate(
        ({"shown": "Nothing"}, {"body": "cfc"}, {"confirmed_by": "dcs"})
    ):
        changed = rewritten(path, tmp_path / f"{number}", saying(at, **fields))
        assert ("statement-mismatch", at) in named(judged_at(changed))


def test_a_statement_that_is_not_held(boards: Boards) -> None:
    """A signature whose statement the vault has lost is said to be unchecked."""
    boards.ready("C1")
    at = boards.vote("iib-chair", "C1").entries[0].position
    path = boards.ledger.database.path
    boards.ledger.close()
    tamper(path, f"DELETE FROM texts WHERE position = {at} AND field = 'statement'")
    with opened(path) as ledger:
        assert named(check_lawfulness(ledger)) == [("signature-unchecked", at)]


def test_without_ssh_keygen(boards: Boards, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ssh-keygen everything else is found, and it is said that the signatures are not."""
    boards.signed_off("C1")
    (forged,) = force(boards.ledger, (on("C2"), ActionRated(rating="green"), note()))
    monkeypatch.setenv("GOVLEDGER_SSH_KEYGEN", "no-such-program")
    found = judged(boards.ledger)
    assert rules(found) == [(forged, "needs-sign-off")]
    assert found.failure is not None
    assert found.failure.rule == "no-ssh-keygen"
    assert "None of the 2 signatures could be checked" in found.failure.message
    assert found.signatures_checked == 0


def test_without_signatures_nothing_is_asked(
    boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger without a signature needs no ssh-keygen."""
    boards.ready("C1")
    monkeypatch.setenv("GOVLEDGER_SSH_KEYGEN", "no-such-program")
    assert judged(boards.ledger).failure is None


# --- rules --------------------------------------------------------------------------------


def granted(**said: Any) -> SignOffGranted:
    """A grant of phase 1 in the form in which the secretary records one."""
    fields = {
        "phase": 1,
        "round": 1,
        "body": "iib",
        "person": "clerk",
        "meeting": MEETING,
        "quorum": 2,
        "rating": "amber_e",
    }
    return SignOffGranted(**{**fields, **said})


GRANTS: tuple[tuple[str, dict[str, Any], dict[str, Any], set[str]], ...] = (
    ("as it should be", {}, {}, set()),
    ("another quorum", {"quorum": 1}, {}, {"quorum-not-reached"}),
    ("too high a rating", {"rating": "green"}, {}, {"other-rating"}),
    ("another round", {"round": 2}, {}, {"other-round"}),
    ("phase 2 before 1", {"phase": 2, "rating": "green"}, {}, {"not-recommended"}),
    ("no phase at all", {"phase": 3, "rating": "green"}, {}, {"no-such-phase"}),
    ("a body without the power", {"body": "pog"}, {}, {"no-power", "quorum-not-reached"}),
    ("no such body", {"body": "xyz"}, {}, {"unknown-body", "quorum-not-reached"}),
    ("by a member", {"person": "dcs"}, {"recorded_by": "dcs"}, {"not-chair-or-secretary"}),
    ("by nobody known", {"person": "nobody"}, {"recorded_by": "nobody"}, {"unknown-person"}),
    ("in another's name", {}, {"recorded_by": "dcs"}, {"other-person"}),
    ("without a minute", {}, {"decided_by": None}, {"needs-authority"}),
    ("at another meeting", {"meeting": LATER}, {}, {"not-that-day"}),
    (
        "at no meeting",
        {"meeting": LATER},
        {"effective_on": LATER, "decided_by": DECIDED.model_copy(update={"meeting": LATER})},
        {"no-such-meeting"},
    ),
)


@pytest.mark.parametrize("case", GRANTS, ids=lambda case: case[0])
def test_a_grant(
    boards: Boards, case: tuple[str, dict[str, Any], dict[str, Any], set[str]]
) -> None:
    """A grant that the commands would have refused is found, with the rule."""
    _name, fields, noted, expected = case
    boards.ready("C1")
    boards.vote("iib-chair", "C1")
    boards.vote("dcs", "C1")
    by = replace(note("clerk", decided_by=DECIDED), **noted)
    (forged,) = force(boards.ledger, (on("C1"), granted(**fields), by))
    found = judged(boards.ledger)
    assert {rule for _position, rule in rules(found)} == expected
    assert {position for _kind, position in named(found)} <= {forged}


def test_a_grant_without_votes(boards: Boards) -> None:
    """A grant with no vote, or too few, is found, although it is made good afterwards."""
    boards.ready("C1")
    boards.vote("iib-chair", "C1")
    by = note("clerk", decided_by=DECIDED)
    (forged,) = force(boards.ledger, (on("C1"), granted(), by))
    found = rules(judged(boards.ledger))
    assert found == [(forged, "quorum-not-reached")]


VOTES: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("by the secretary", "clerk", {}, "no-vote"),
    ("by who was not there", "head-edge", {}, "not-present"),
    ("by who is no member", "workstream-lead", {}, "not-a-member"),
    ("in a body without the power", "workstream-lead", {"body": "pog"}, "no-power"),
    ("on another round", "dcs", {"round": 2}, "other-round"),
)


@pytest.mark.parametrize("case", VOTES, ids=lambda case: case[0])
def test_a_vote(boards: Boards, case: tuple[str, str, dict[str, Any], str]) -> None:
    """A vote that its member did sign, and that the commands would have refused, is found."""
    _name, who, said, rule = case
    boards.ready("C1")
    event = ballot(boards, who, "C1", **said)
    (forged,) = force(boards.ledger, (on("C1"), event, note(who)))
    assert (forged, rule) in rules(judged(boards.ledger))


def test_a_vote_on_an_own_action(boards: Boards) -> None:
    """The owner's own approval, signed well, is found."""
    boards.ready("C2")
    event = ballot(boards, "dcs", "C2")
    (forged,) = force(boards.ledger, (on("C2"), event, note("dcs")))
    assert rules(judged(boards.ledger)) == [(forged, "own-action")]


def test_two_votes_of_one_member(boards: Boards) -> None:
    """A second approval of the same member is found, and so is the grant that counts it."""
    boards.ready("C1")
    boards.vote("iib-chair", "C1")
    event = ballot(boards, "iib-chair", "C1")
    by = note("clerk", decided_by=DECIDED)
    forged = force(boards.ledger, (on("C1"), event, note("iib-chair")), (on("C1"), granted(), by))
    expected = [(forged[0], "voted-already"), (forged[1], "quorum-not-reached")]
    assert rules(judged(boards.ledger)) == expected


def test_a_membership_voided_by_force(boards: Boards) -> None:
    """A membership voided without what rests on it: the votes that still count are found."""
    boards.signed_off("C1")
    stream = f"body/{CODE}/iib"
    (appointed,) = positions(boards, MemberAppointed, "lead-member")
    force(boards.ledger, (stream, EntryVoided(voids=appointed), note(reason="A mistake.")))
    found = judged(boards.ledger)
    assert [rule for _position, rule in rules(found)] == ["not-a-member", "quorum-not-reached"]
    assert "As known now: " in found.findings[0].message


def test_ratings_without_a_sign_off(boards: Boards) -> None:
    """Amber E and Green given directly are found, however they are dressed."""
    events = (
        ActionRated(rating="green"),
        ActionRated(rating="amber_e"),
        ActionRated(milestone=1, rating="green"),
        ActionResumed(rating="green"),
        MarkedDelayed(rating="green"),
    )
    forged = force(boards.ledger, *((on("C3"), event, note(source=" ")) for event in events))
    found = rules(judged(boards.ledger))
    assert [position for position, rule in found if rule == "needs-sign-off"] == forged
    force(boards.ledger, (on("C2"), ActionRated(rating="green"), note(source="Council")))
    assert rules(judged(boards.ledger)) == found


def test_ratings_in_a_plan_without_boards(example_path: Path) -> None:
    """A rating of Green out of nothing, and a change without a decision, are found in any plan."""
    decided = Decision(body="A board", meeting=date(2025, 11, 12), minute="1")
    with opened(example_path) as ledger:
        forged = force(
            ledger,
            ("action/CEIP/P7", ActionRated(rating="green"), note("A. Clerk", date(2025, 11, 12))),
            ("action/CEIP/P7", ActionReworded(title="X"), note("A. Clerk", date(2025, 11, 12))),
            (
                "action/CEIP/P7",
                ActionReworded(title="Y"),
                note("A. Clerk", date(2025, 11, 12), decided_by=decided),
            ),
        )
        expected = [(forged[0], "needs-sign-off"), (forged[1], "needs-authority")]
        assert rules(judged(ledger)) == expected


def test_a_rating_against_the_law_of_its_stream(boards: Boards) -> None:
    """A rating that moves a signed-off action is found, also when it is honest of itself."""
    boards.signed_off("C1")
    (forged,) = force(boards.ledger, (on("C1"), ActionRated(rating="red"), note()))
    assert rules(judged(boards.ledger)) == [(forged, "signed-off")]


def test_a_change_that_nobody_agreed(boards: Boards) -> None:
    """Where a board agrees changes, a change without its agreement beside it is found."""
    revised = TimescaleRevised(timescale=Timescale.parse("June 2027"))
    by = note(decided_by=DECIDED, reason="Agreed, they say.")
    (forged,) = force(boards.ledger, (on("C1"), revised, by))
    found = judged(boards.ledger)
    assert rules(found) == [(forged, "needs-agreement")]
    assert "Improvement and Impact Board" in found.findings[0].message


def agreed(body: str = "iib", recorder: str = "clerk") -> AmendmentAgreed:
    return AmendmentAgreed(body=body, meeting=MEETING, recorder=recorder)


def test_another_change_than_was_agreed(boards: Boards) -> None:
    """An agreement with another change beside it, with none, or with it elsewhere, is found."""
    for ref in ("C1", "C2", "C3"):
        boards.by("dcs", Propose(ReviseTimescale(ref, "June 2026")), MEETING, "It has to be.")
    by = note("clerk", decided_by=DECIDED)
    right = TimescaleRevised(timescale=Timescale.parse("June 2026"))
    wrong = TimescaleRevised(timescale=Timescale.parse("June 2027"))
    stream = f"amendment/{CODE}/A"
    forged = force(
        boards.ledger,
        (f"{stream}1", agreed(), by),
        (on("C1"), wrong, by),
        (f"{stream}2", agreed(), by),
        (on("C3"), right, by),
        (f"{stream}3", agreed(), by),
    )
    assert rules(judged(boards.ledger)) == [
        (forged[1], "not-as-agreed"),
        (forged[2], "not-carried-out"),
        (forged[3], "needs-agreement"),
        (forged[4], "not-carried-out"),
    ]


def test_agreed_by_who_may_not(boards: Boards) -> None:
    """An amendment agreed by a body without the power, or recorded by a member, is found."""
    for ref in ("C1", "C2"):
        boards.by("dcs", Propose(Delay(ref)), MEETING, "It has to be.")
    delayed, stream = MarkedDelayed(rating="red"), f"amendment/{CODE}/A"
    other = Decision(body="Partnership Oversight Group", meeting=MEETING, minute="1")
    forged = force(
        boards.ledger,
        (f"{stream}1", agreed("pog", "workstream-lead"), note("workstream-lead", decided_by=other)),
        (on("C1"), delayed, note("workstream-lead", decided_by=other)),
        (f"{stream}2", agreed(recorder="dcs"), note("dcs", decided_by=DECIDED)),
        (on("C2"), delayed, note("dcs", decided_by=DECIDED)),
    )
    expected = [(forged[0], "no-power"), (forged[2], "not-chair-or-secretary")]
    assert rules(judged(boards.ledger)) == expected


def test_a_timescale_beyond_the_cap(boards: Boards) -> None:
    """A revision beyond the plan's cap, without an open escalation, is found."""
    boards.by(ADMIN, ChangeTerms("iib", powers=("phase_1", "phase_2")))
    boards.by(ADMIN, SetTerms(most_revisions=1))
    by = Note(MEETING, "clerk", reason="Late.", decided_by=DECIDED)
    boards.ledger.act(CODE, ReviseTimescale("C1", "June 2026"), by)
    revised = TimescaleRevised(timescale=Timescale.parse("June 2027"))
    (forged,) = force(boards.ledger, (on("C1"), revised, by))
    assert rules(judged(boards.ledger)) == [(forged, "revisions-capped")]


def test_who_may_say_who_decides(boards: Boards) -> None:
    """An appointment, a key or an administrator that no administrator entered is found."""
    person, body = f"person/{CODE}", f"body/{CODE}/iib"
    appointed = MemberAppointed(person="workstream-lead", capacity="member")
    met = MeetingRecorded(meeting=LATER, present=("dcs",))
    declared = InterestDeclared(meeting=MEETING, person="lead-member", item="C1")
    forged = force(
        boards.ledger,
        (body, appointed, note("workstream-lead")),
        (f"{person}/dcs", KeyWithdrawn(), note("clerk")),
        (body, met, note("dcs", LATER)),
        (body, declared, note("dcs")),
        (f"{person}/dcs", AdministratorAppointed(), note("dcs")),
    )
    rule = [rule for _position, rule in rules(judged(boards.ledger))]
    assert [position for position, _rule in rules(judged(boards.ledger))] == forged
    assert rule[0] == rule[1] == rule[4] == "not-administrator"
    assert rule[2] == rule[3] == "not-chair-or-secretary"
    # What the forged administrator does then is found through what made him one.
    force(boards.ledger, (body, appointed, note("dcs")))
    assert len(rules(judged(boards.ledger))) == len(forged)


def test_voids_by_force(boards: Boards) -> None:
    """A void by who may not, of another stream's entry, of what is void, or of a void."""
    boards.signed_off("C1")
    (rated,) = force(boards.ledger, (on("C2"), ActionRated(rating="red"), note(reason="Seen.")))
    vote = positions(boards, SignOffVoted)[0]
    (first,) = force(boards.ledger, (on("C1"), EntryVoided(voids=vote), note("workstream-lead")))
    assert (first, "not-administrator") in rules(judged(boards.ledger))
    boards.ledger.close()
    bare = Ledger.open(boards.ledger.database.path)  # the read models would take no second one
    others = force(
        bare,
        (on("C1"), EntryVoided(voids=vote), note()),
        (on("C1"), EntryVoided(voids=first), note()),
        (on("C3"), EntryVoided(voids=rated), note()),
        (on("C3"), EntryVoided(voids=10**6), note()),
        (f"plan/{CODE}", EntryVoided(voids=2), note()),
    )
    said = [
        finding.message.partition(" voids ")[2]
        for finding in check_lawfulness(bare).findings
        if finding.position in others
    ]
    bare.close()
    assert said == [
        f"entry {vote}, which entry {first} voided already.",
        f"entry {first} (entry.voided/1), which cannot be voided.",
        f"entry {rated}, which is no earlier entry of action/CEIP/C3.",
        "entry 1000000, which is no earlier entry of action/CEIP/C3.",
        "entry 2 (plan.created/1), which cannot be voided.",
    ]


def test_an_escalation_that_goes_down(boards: Boards) -> None:
    """An escalation passed down the ladder, or by who does not have it, is found."""
    needed = date(2025, 12, 1)
    boards.by("workstream-lead", Raise(("C1",), "No staff", "pog", "iib", needed), MEETING)
    stream = f"escalation/{CODE}/E1"
    down = EscalationReferred(referred_by="iib", at="ws", rung=1, needed_by=needed, person="dcs")
    (forged,) = force(boards.ledger, (stream, down, note("dcs")))
    assert {rule for _position, rule in rules(judged(boards.ledger))} == {"not-up"}
    assert {position for position, _rule in rules(judged(boards.ledger))} == {forged}


def test_on_a_stream_where_it_does_not_belong(boards: Boards) -> None:
    """An event of another kind of stream, or about another subject, is found."""
    (forged,) = force(
        boards.ledger,
        (on("C9"), ActionAdded(ref="C8", title="X", section="1.1"), note(source="Council")),
    )
    assert rules(judged(boards.ledger)) == [(forged, "other-stream")]
    strange = force(boards.ledger, (f"body/{CODE}/iib", ActionReworded(title="X"), note()))
    assert (strange[0], "other-stream") in rules(check_lawfulness(boards.ledger))


# --- whatever is there ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def decided_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed ledger with sign-offs, escalations and amendments; copy it, never change it."""
    made = Boards(tmp_path_factory.mktemp("decided") / "boards.sqlite")
    signed_off_twice(made)
    escalated(made)
    boards_path = made.ledger.database.path
    made.ledger.close()
    return boards_path


PAYLOADS = ("{}", "[]", "null", "nonsense", '{"voids": null}', '{"rating": {}}', '{"scale": 3}')


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_that_cannot_be_read(decided_path: Path, tmp_path: Path, payload: str) -> None:
    """Any entry with any payload, alone or all at once: nothing is raised."""
    for where in ("position % 7 = 3", "type LIKE 'body%'", "type LIKE 'plan%'", "true"):
        path = Path(shutil.copy(decided_path, tmp_path / "copy.sqlite"))
        tamper(path, f"UPDATE entries SET payload = CAST('{payload}' AS BLOB) WHERE {where}")
        with opened(path) as ledger:
            check_lawfulness(ledger)


def test_one_entry_that_cannot_be_read_is_not_many_findings(
    decided_path: Path, tmp_path: Path
) -> None:
    """What rests on an entry that cannot be read is left out: it is no breach of a rule."""
    path = Path(shutil.copy(decided_path, tmp_path / "copy.sqlite"))
    with plain(path) as connection:
        query = "SELECT position FROM entries WHERE type = 'body.established/1' LIMIT 1"
        ((at,),) = connection.execute(query).fetchall()
    tamper(path, f"UPDATE entries SET payload = CAST('[]' AS BLOB) WHERE position = {at}")
    with opened(path) as ledger:
        found = check_lawfulness(ledger)
    assert found.findings == ()
    assert found.signatures_checked == 4


EDITS = (
    "stream_id = 'action'",
    "stream_id = CAST('action/CEIP/C1' AS BLOB)",
    "stream_id = stream_id || '/x/y'",
    "type = 'action.rated/1'",
    "recorded_at = 'never'",
    "effective_on = '9999-12-31'",
    "recorded_by = ''",
    "decided_by = 'nobody'",
    "source = 7",
)


@pytest.mark.parametrize("edit", EDITS)
def test_values_of_any_kind(decided_path: Path, tmp_path: Path, edit: str) -> None:
    """Whatever stands in an entry's envelope: nothing is raised."""
    path = Path(shutil.copy(decided_path, tmp_path / "copy.sqlite"))
    with plain(path) as connection:
        ((size,),) = connection.execute("SELECT max(position) FROM entries").fetchall()
    for at in range(1, size + 1, 5):
        with unguarded(path) as connection:
            connection.execute(f"UPDATE OR IGNORE entries SET {edit} WHERE position = {at}")
    with opened(path) as ledger:
        check_lawfulness(ledger)


@pytest.mark.parametrize("seed", range(30))
def test_garbage_in_the_file(decided_path: Path, tmp_path: Path, seed: int) -> None:
    """Random bytes anywhere in the file: a finding or a clear refusal, never another error."""
    chance = random.Random(seed)
    data = bytearray(decided_path.read_bytes())
    length = chance.choice([1, 8, 100, 4096])
    at = chance.randrange(len(data))
    data[at : at + length] = chance.randbytes(len(data[at : at + length]))
    path = tmp_path / "garbage.sqlite"
    path.write_bytes(data)
    with suppress(GovledgerError), opened(path) as ledger:
        check_lawfulness(ledger)


# --- the command ---------------------------------------------------------------------------


def test_verify_says_what_it_checked(
    decided_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`verify` says how many signatures it checked, in words and in JSON."""
    assert run(["--ledger", str(decided_path), "verify"]) == 0
    said = capsys.readouterr().out
    assert "Every entry keeps to the rules. Signatures checked: 4, and each holds.\n" in said
    assert run(["--ledger", str(decided_path), "--json", "verify"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert data["signatures_checked"] == 4
    assert data["findings"] == []


def test_verify_names_what_was_forced_in(
    boards: Boards, capsys: pytest.CaptureFixture[str]
) -> None:
    """`verify` names the entry and the rule, ends with 5, and does not blame the hashes."""
    (forged,) = force(boards.ledger, (on("C1"), ActionRated(rating="green"), note()))
    path = str(boards.ledger.database.path)
    boards.ledger.close()
    assert run(["--ledger", path, "--plain", "verify"]) == 5
    said = capsys.readouterr()
    assert "rule-broken" in said.out
    assert "every hash is right" in said.err
    assert run(["--ledger", path, "--json", "verify"]) == 5
    data = json.loads(capsys.readouterr().out)["data"]
    assert [finding["position"] for finding in data["findings"]] == [forged]


def test_verify_without_ssh_keygen(
    decided_path: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without ssh-keygen `verify` says what holds, fails with 1, and says how to check the rest;
    what else is wrong is found all the same."""
    monkeypatch.setenv("GOVLEDGER_SSH_KEYGEN", "no-such-program")
    path = Path(shutil.copy(decided_path, tmp_path / "copy.sqlite"))
    assert run(["--ledger", str(path), "verify"]) == 1
    said = capsys.readouterr()
    assert "Verified" not in said.out
    assert "The signatures could not be checked." in said.out
    assert "None of the 4 signatures could be checked." in said.err
    assert "Install OpenSSH" in said.err
    assert run(["--ledger", str(path), "--json", "verify"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["rule"] == "no-ssh-keygen"
    with opened(path) as ledger:
        force(ledger, (on("C2"), ActionRated(rating="green"), note()))
    assert run(["--ledger", str(path), "--json", "verify"]) == 5
    data = json.loads(capsys.readouterr().out)["data"]
    assert data["signatures_checked"] == 0
    kinds = [finding["kind"] for finding in data["findings"]]
    assert kinds == ["rule-broken", "signature-unchecked"]
