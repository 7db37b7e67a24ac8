"""The questions of a review on the command line: what is printed, and the form of the answers."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from domain.board_commands import DeclareInterest, RecordMeeting, StandDown
from domain.commands import ReviseTimescale, Reword
from domain.issue_commands import Agree, Decline, Propose, Raise, Resolve
from domain.signoff_commands import Return
from ledger.entry import Note
from projections.upkeep import open_ledger
from tests.boards import ADMIN, CODE, MEETING, SET_UP, Boards
from tests.cli.driving import Cli, refs

NEXT = date(2025, 11, 13)
QUESTIONS: list[tuple[str, ...]] = [
    ("person", "iib-chair"),
    ("person", "A. Registrar"),
    ("meeting", "iib", "2025-10-09"),
    ("meeting", "iib", "13/11/2025"),
    ("embedding", "--months", "3"),
    ("late", "--days", "14"),
    ("evidence", "--kinds", "4", "--items", "3"),
    ("authority",),
    ("authority", "--on", "2025-10-09"),
    ("reopened",),
    ("stale",),
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board evening and the next: C1 granted and then revised, C2 declined, C3 left open."""
    path = tmp_path_factory.mktemp("boards") / "ledger.sqlite"
    boards = Boards(path)
    declared = DeclareInterest("iib", MEETING, "lead-member", "C2")
    boards.by("lead-member", declared, MEETING, "Family business.")
    boards.signed_off("C1")
    boards.ready("C2")
    boards.vote("iib-chair", "C2", vote="decline")
    boards.by("clerk", Return("C2", 1, MEETING, "7.2"), MEETING, "One month is too little.")
    boards.ready("C3")
    boards.vote("dcs", "C3")
    boards.by("workstream-lead", Propose(Reword("C2", "Panel")), SET_UP, "Clearer.")
    boards.by("clerk", Decline("A1", MEETING, "8"), MEETING, "Clear enough.")
    raised = Raise(("C2",), "No premises.", "pog", "iib", date(2025, 12, 1))
    boards.by("workstream-lead", raised, SET_UP)
    boards.by("iib-chair", Resolve("E1", "Rooms were found."), MEETING)
    there = ("iib-chair", "dcs", "lead-member", "clerk")
    boards.by("clerk", RecordMeeting("iib", NEXT, there, (), "IIB/11"), NEXT)
    revise = ReviseTimescale("C1", "July 2026")
    boards.by("workstream-lead", Propose(revise), MEETING, "Recruitment is late.")
    boards.by("clerk", Agree("A2", NEXT, "4.1"), NEXT)
    boards.ledger.close()
    return path


@pytest.fixture
def cli(
    template: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Cli:
    """Commands on a copy of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOVLEDGER_LEDGER", str(shutil.copy(template, tmp_path / "l.sqlite")))
    monkeypatch.setenv("GOVLEDGER_PERSON", "clerk")
    return Cli(tmp_path / "l.sqlite", capsys, monkeypatch)


def _stand_down(path: Path) -> None:
    """The lead member turns out to have left before the first meeting."""
    ledger = open_ledger(path)
    note = Note(date(2025, 10, 1), ADMIN, reason="Left the council.")
    ledger.govern(CODE, StandDown("iib", "lead-member"), note)
    ledger.close()


FIRST_MEETING = """\
Improvement and Impact Board
Meeting of 9 October 2025

Present
  The independent chair, Independent chair (chair)
  The director of children's services, Director of Children's Services (member)
  The lead member, Lead member (member)
  The clerk to the board, Clerk to the board (secretary)

Apologies
  The head of edge of care, Head of Edge of Care (member)

Quorum 2; present with a vote 3: quorate.

Interests declared
  The lead member, Lead member: C2 (Family business.)

Sign-offs
1. C1 Edge of care offer: sign-off of phase 1 (the activity is complete)
   Recommended by Partnership Oversight Group, The workstream lead (workstream-lead), \
1 October 2025: The work is done.
   For: 2
     The independent chair, Independent chair: Read.
     The lead member, Lead member: Read.
   Against: none
   Granted, minute 7.1. The action is now rated Amber E.
2. C2 Panel for entries to care: sign-off of phase 1 (the activity is complete)
   Recommended by Partnership Oversight Group, The workstream lead (workstream-lead), \
1 October 2025: The work is done.
   The lead member, Lead member had declared an interest and took no part.
   For: none
   Against: 1
     The independent chair, Independent chair: Read.
   Declined, minute 7.2. One month is too little.
3. C3 Review of thresholds: sign-off of phase 1 (the activity is complete)
   Recommended by Partnership Oversight Group, The workstream lead (workstream-lead), \
1 October 2025: The work is done.
   For: 1
     The director of children's services, Director of Children's Services: Read.
   Against: none
   No decision is recorded.

Amendments agreed: none

Amendments declined
1. A1: to reword C2: Panel. Declined, minute 8.
   Proposed by The workstream lead (workstream-lead), 1 September 2025: Clearer.
   Reason: Clear enough.

Escalations dealt with that day
1. E1 on C2: resolved: Rooms were found.; recorded by The independent chair (iib-chair).

Ledger: Boards

As at """


def test_the_minutes_of_a_meeting(cli: Cli) -> None:
    """`review meeting` prints the text of the minutes, and under it the question as resolved."""
    text = cli.done("review", "meeting", "iib", "2025-10-09").out
    assert text.startswith(FIRST_MEETING)
    second = cli.done("review", "meeting", "iib", "2025-11-13").out
    assert "Meeting of 13 November 2025 (minutes: IIB/11)" in second
    assert "Absent without apologies\n  The head of edge of care" in second
    assert "1. A2: to revise the timescale of C1 to July 2026. Agreed, minute 4.1." in second
    assert "Sign-offs: none" in second


def test_the_minutes_of_a_confirmation(cli: Cli) -> None:
    """Each confirmation says how many of those needed there are; only a quorum renews it."""
    boards = _open(cli.path)
    boards.confirm("C1", 1, NEXT)
    boards.ledger.close()
    text = cli.done("review", "meeting", "iib", "2025-11-13").out
    title = "C1 Edge of care offer: sign-off of phase 1 (the activity is complete)\n   "
    chair, member = "The independent chair, Independent chair", "The lead member, Lead member"
    said = "Confirmed as it is now by"
    assert f"{title}{said} {chair}, minute 7.2 (1 of 2 needed; still stale): Read.\n" in text
    assert f"{title}{said} {member}, minute 7.2 (2 of 2: renewed): Read.\n" in text
    assert "voted on" not in text, "the votes of October are not those of November"
    shown = cli.data("show", "C1")["signoffs"][0]
    assert shown["words"].endswith("Board, 9 October 2025, and confirmed since")


def test_who_has_no_seat_is_no_member(cli: Cli) -> None:
    """Somebody who was there without a seat is named as such in the minutes."""
    boards = _open(cli.path)
    there = ("iib-chair", "dcs", "workstream-lead")
    boards.by("clerk", RecordMeeting("iib", NEXT, there, (), "IIB/11"), NEXT)
    boards.ledger.close()
    text = cli.done("review", "meeting", "iib", "2025-11-13").out
    assert "  The workstream lead, Workstream lead (not a member)\n" in text


def _open(path: Path) -> Boards:
    """The same ledger from within."""
    found = Boards.__new__(Boards)
    found.ledger = open_ledger(path)
    return found


def test_the_minutes_show_what_was_voided(cli: Cli) -> None:
    """A decision that is open again is named under the minutes, with the reason."""
    _stand_down(cli.path)
    text = cli.done("review", "meeting", "iib", "2025-10-09").out
    assert "Recorded of this meeting and voided since\n- C1: phase 1 approved by" in text
    assert "Granted" not in text


def test_a_meeting_that_is_not_recorded(cli: Cli) -> None:
    """A body or a meeting that is not there is refused, with those that are."""
    assert cli.refused("review", "meeting", "iib", "2025-10-10").error["rule"] == "no-such-meeting"
    answer = cli.refused("review", "meeting", "board", "2025-10-09")
    assert answer.error["rule"] == "unknown-body"
    assert "Improvement and Impact Board (iib)" in answer.error["hint"]
    assert cli("review", "meeting", "iib", "yesterday").code == 2


def test_a_person_in_words(cli: Cli) -> None:
    """`review person` prints seats, keys, meetings, interests, and what they decided and typed."""
    text = cli.done("review", "person", "the lead member").out
    assert text.startswith("The lead member (lead-member), Lead member\n")
    for words in ("Seats (1)", "Keys (1)", "Meetings (2)", "Interests declared (1)", "SHA256:"):
        assert words in text
    assert "Decided, recommended or proposed (1)" in text
    assert "Recorded besides (1)" in text
    other = cli.done("review", "person", "A. Registrar").out
    assert other.startswith("A. Registrar, not enrolled\n")
    assert cli.refused("review", "person", "Nobody").error["rule"] == "unknown-person"


def test_authority_in_words(cli: Cli) -> None:
    """`review authority` names for each power the body, the quorum, who votes and who records."""
    text = cli.done("review", "authority", "--on", "2025-10-09").out
    assert text.startswith("Authority on 9 October 2025\n")
    assert "To agree amendments: Improvement and Impact Board\n  May vote (quorum 2): " in text
    assert "May record: The independent chair, Independent chair (chair); The clerk" in text
    assert "Administrators: A. Registrar" in text
    before = cli.done("review", "authority", "--as-at", "2025-08-01").out
    assert "To agree amendments: no body of the plan" in before


def test_the_lists_in_words(cli: Cli) -> None:
    """Each list says what it lists, and says so too when there is nothing in it."""
    assert "At Amber E for longer than 1 month (1)" in _said(cli, "embedding", "--months", "1")
    assert "At Amber E for longer than 1200 months: none" in _said(
        cli, "embedding", "--months", "1200"
    )
    assert "Decisions recorded more than 1 day after they were taken (" in _said(
        cli, "late", "--days", "1"
    )
    assert "one item of evidence only" in _said(cli, "evidence")
    assert "Sign-offs on thin evidence: none" in _said(cli, "evidence", "--items", "1")
    assert "Decisions re-opened: none" in _said(cli, "reopened")
    stale = _said(cli, "stale")
    assert "Stale sign-offs (1)\n\nC1  Edge of care offer: Amber E\n" in stale
    assert "Timescale was: March 2026; is now: July 2026 (entry " in stale
    _stand_down(cli.path)
    reopened = " ".join(_said(cli, "reopened").split())
    assert "Decisions re-opened (2)" in reopened
    assert "rated On track; phase 1 recommended" in reopened
    assert "Stale sign-offs: none" in _said(cli, "stale")


def _said(cli: Cli, *words: str) -> str:
    return cli.done("review", *words).out


def test_the_lists_in_json(cli: Cli) -> None:
    """Each list is a list of rows under a name of its own, with the threshold that was asked."""
    waiting = cli.data("review", "embedding", "--months", "1")
    assert (waiting["months"], refs(waiting["actions"])) == (1, ["C1"])
    late = cli.data("review", "late", "--days", "14")
    assert late["days"] == 14
    assert all(row["days"] > 14 for row in late["decisions"])
    thin = cli.data("review", "evidence", "--items", "2")
    assert (thin["items"], thin["kinds"], refs(thin["signoffs"])) == (2, 3, ["C1"])
    assert refs(cli.data("review", "stale")["signoffs"]) == ["C1"]
    assert cli.data("review", "reopened") == {"decisions": []}
    assert {row["power"] for row in cli.data("review", "authority")["powers"]} == {
        "recommend",
        "phase_1",
        "phase_2",
        "amend",
    }


@pytest.mark.parametrize("form", [(), ("--json",), ("--plain",)])
def test_a_review_can_be_had_again(cli: Cli, form: tuple[str, ...]) -> None:
    """The same question with --known-at '#N' gives the same bytes after more is decided."""
    size = cli.done("--json", "review", "stale").json["position"]
    asked = [(*form, "review", *words, "--known-at", f"#{size}") for words in QUESTIONS]
    before = [cli.done(*question).out for question in asked]
    _stand_down(cli.path)
    assert [cli.done(*question).out for question in asked] == before
    assert cli.done(*form, "review", *QUESTIONS[2]).out != before[2]


@pytest.mark.parametrize("words", QUESTIONS, ids=" ".join)
def test_every_review_ends_with_its_moment(cli: Cli, words: tuple[str, ...]) -> None:
    """Every answer ends with both clocks, the entry and the root, and records nothing."""
    with cli.unchanged():
        last, root = cli.done("review", *words).out.splitlines()[-2:]
        answer = cli.done("--json", "review", *words).json
    assert last.startswith("As at ")
    assert f"(entry #{answer['position']})." in last
    assert root == f"Root {answer['root']}"


def test_a_review_before_the_boards(cli: Cli) -> None:
    """As at a day before there were boards every list is empty, and nothing fails."""
    early = ("--as-at", "2025-02-01")
    assert cli.data("review", "late", *early)["decisions"] == []
    assert cli.data("review", "embedding", "--months", "0", *early)["actions"] == []
    assert cli.data("review", "evidence", *early)["signoffs"] == []
    assert cli.data("review", "stale", *early)["signoffs"] == []
    assert cli.data("review", "reopened", *early)["decisions"] == []
    assert cli.refused("review", "person", "iib-chair", *early).error["rule"] == "unknown-person"
    assert cli.refused("review", "stale", "--as-at", "2024-01-01").error["rule"] == "not-there-yet"
