"""Amendments through the command line: proposed, agreed or declined, or recorded directly."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest

from cli.amend import amend, propose
from domain import commands
from domain.amendment import AmendmentProposed
from domain.board_commands import SetTerms
from ledger.entry import Note
from ledger.store import Store
from projections.upkeep import open_ledger
from tests.boards import ADMIN, CODE, SET_UP, Boards
from tests.cli.conftest import Process
from tests.cli.driving import BOARD, LATER, WHY, Answer, Cli

PROPOSED = ("--effective-on", "2025-10-01")
LATE = ("--reason", "Procurement is late.")
MEETING = ("--meeting", "2025-10-09", "--minute", "7.1")
DECISION = {"body": "Improvement and Impact Board", "meeting": "2025-10-09", "minute": "7.1"}


@pytest.fixture
def board(
    own_place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """Commands on a plan with boards."""
    path = own_place / "boards.sqlite"
    Boards(path).ledger.close()
    monkeypatch.setenv("GOVLEDGER_LEDGER", str(path))
    monkeypatch.setenv("GOVLEDGER_PERSON", ADMIN)
    return Cli(path, capsys, monkeypatch)


def _propose(board: Cli, *words: str, on: str = "2025-10-01") -> Answer:
    more = ("--effective-on", on, *LATE)
    return board.done("--as", "workstream-lead", "amend", "propose", *words, *more)


def _agree(board: Cli, number: str = "A1", *more: str) -> Answer:
    return board.done("--as", "clerk", "amend", "agree", number, *MEETING, *more)


def _refused(board: Cli, person: str, *words: str) -> Answer:
    return board.refused("--as", person, "amend", *words)


def _revised(board: Cli, *more: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = board.data("changes", "--since", "2025-10-01", *more)[
        "timescales_revised"
    ]
    return rows


# --- agreed -----------------------------------------------------------------------------


def test_an_agreed_timescale_reaches_the_change_log(board: Cli) -> None:
    """Original, revised, first agreed, count, the reason of the proposal, and the minute."""
    _propose(board, "timescale", "C1", "July 2026")
    assert _revised(board) == []
    receipt = _agree(board)
    assert receipt.out.splitlines() == [
        f"Recorded as entry {receipt.position}: A1 agreed by iib, effective 9 October 2025.",
        f"Recorded as entry {receipt.position + 1}: C1 timescale revised to July 2026, "
        "effective 9 October 2025.",
        "Next: govledger show C1",
    ]
    (row,) = _revised(board)
    assert (row["original"], row["revised"], row["first_agreed"]) == (
        "March 2026", "July 2026", "March 2026",
    )  # fmt: skip
    assert (row["times_revised"], row["reason"]) == (1, LATE[1])
    assert (row["decided_by"], row["effective_on"]) == (DECISION, "2025-10-09")
    assert row["position"] == receipt.position + 1


def test_the_board_can_give_a_reason_of_its_own(board: Cli) -> None:
    """A reason given with the agreement is that of the change; the proposal keeps its own."""
    _propose(board, "timescale", "C1", "July 2026")
    _agree(board, "A1", "--reason", "One last time.")
    assert _revised(board)[0]["reason"] == "One last time."
    sheet = board.data("amend", "show", "A1")
    assert (sheet["proposed"]["reason"], sheet["decided"]["reason"]) == (LATE[1], "One last time.")


def test_each_revision_is_counted_from_the_first_date_agreed(board: Cli) -> None:
    """After two agreed revisions the first agreed date is still the first, and the count two."""
    _propose(board, "timescale", "C1", "July 2026")
    _propose(board, "timescale", "C1", "December 2026")
    _agree(board, "A1")
    _agree(board, "A2")
    (row,) = _revised(board)
    assert (row["first_agreed"], row["revised"]) == ("March 2026", "December 2026")
    assert row["times_revised"] == 2


KINDS: list[tuple[tuple[str, ...], str, Any]] = [
    (("timescale", "C1", "TBC"), "timescale", "TBC"),
    (("delay", "C1"), "rating", "Delayed"),
    (("review", "C1"), "rating", "Reviewing"),
    (("close", "C1", "--replaced-by", "C2"), "replaced_by", "C2"),
    (("reword", "C1", "Offer for all"), "title", "Offer for all"),
    (("owner", "C1", "Lead; Head"), "owners", ["Lead", "Head"]),
]


@pytest.mark.parametrize(("words", "field", "value"), KINDS, ids=lambda w: str(w))
def test_every_kind_changes_the_plan_once_agreed(
    board: Cli, words: tuple[str, ...], field: str, value: Any
) -> None:
    """A proposal changes nothing that is shown of the plan; its agreement does what it said."""
    before = board.data("show", "C1", "--as-at", "2025-10-05")
    _propose(board, *words)
    after = board.data("show", "C1", "--as-at", "2025-10-05")
    assert after[field] == before[field] != value
    _agree(board)
    assert board.data("show", "C1")[field] == value
    assert board.data("show", "C1", "--as-at", "2025-10-08")[field] == before[field]


def test_a_delayed_action_goes_on(board: Cli) -> None:
    """Delay and resumption are agreed one after the other."""
    _propose(board, "delay", "C1")
    _agree(board)
    _propose(board, "resume", "C1", on="2025-10-09")
    _agree(board, "A2")
    assert board.data("show", "C1")["rating"] == "On track"


def test_an_action_is_added_once_agreed(board: Cli) -> None:
    """A proposed action is nowhere in the plan; the agreed one stands in the section named."""
    words = ("add", "C5", "--section", "edge of CARE", "--title", "New offer", "--owner", "Head")
    _propose(board, *words, "--timescale", "March 2026")
    sheet = board.data("amend", "show", "A1")
    assert (sheet["what"], sheet["title"], sheet["section"]) == ("add C5: New offer", None, "1.1")
    assert board.data("overview")["summary"]["total"] == 3
    _agree(board)
    shown = board.data("show", "C5")
    assert (shown["section"], shown["owners"], shown["due"]) == (
        "Edge of care", ["Head"], "2026-03-31",
    )  # fmt: skip
    assert [row["reason"] for row in board.data("changes")["added"]] == [LATE[1]]


def test_the_reason_of_the_proposal_is_told_by_why(board: Cli) -> None:
    """`why` gives the reason of the proposal, the body and the minute for the changed field."""
    _propose(board, "owner", "C1", "Lead")
    _agree(board)
    row = board.data("why", "C1", "owners")["fields"][0]
    assert (row["reason"], row["decided_by"]) == (LATE[1], DECISION)


# --- declined, voided -------------------------------------------------------------------


def test_a_declined_one_changes_nothing(board: Cli) -> None:
    """Declining takes a reason, leaves the plan as it is, and cannot be followed by agreeing."""
    _propose(board, "timescale", "C1", "July 2026")
    answer = _refused(board, "clerk", "decline", "A1", *MEETING)
    assert answer.error["rule"] == "needs-reason"
    receipt = board.done("--as", "clerk", "amend", "decline", "A1", *MEETING, *WHY)
    assert receipt.out.count("Recorded as") == 1
    assert _revised(board) == []
    sheet = board.data("amend", "show", "A1")
    assert (sheet["status"], sheet["decided"]["reason"]) == ("declined", WHY[1])
    assert (sheet["decided"]["decided_by"], sheet["decided"]["change"]) == (DECISION, None)
    assert "declined by Improvement and Impact Board, 9 October 2025, minute 7.1" in (
        board.done("amend", "show", "A1").out
    )
    assert _refused(board, "clerk", "agree", "A1", *MEETING).error["rule"] == "decided-already"


def test_it_is_agreed_once(board: Cli) -> None:
    """A second agreement is refused, with what was decided."""
    _propose(board, "timescale", "C1", "July 2026")
    _agree(board)
    answer = _refused(board, "clerk", "agree", "A1", *MEETING)
    assert (answer.code, answer.error["rule"]) == (3, "decided-already")
    assert "agreed already" in answer.error["message"]


@pytest.mark.parametrize("voided", [0, 1], ids=["the agreement", "the change"])
def test_agreement_and_change_are_voided_together(board: Cli, voided: int) -> None:
    """Whichever of the two is voided takes the other with it; the proposal waits again."""
    _propose(board, "timescale", "C1", "July 2026")
    agreed = _agree(board).position
    answer = board.refused("--as", "clerk", "void", str(agreed + voided), *WHY)
    assert (answer.code, answer.error["rule"]) == (4, "not-administrator")
    receipt = board.data("void", str(agreed + voided), *WHY)["recorded"]
    assert sorted(row["ref"] for row in receipt) == ["A1", "C1"]
    assert board.data("show", "C1")["timescale"] == "March 2026"
    sheet = board.data("amend", "show", "A1")
    assert (sheet["status"], sheet["decided"]) == ("proposed", None)
    known = ("--known-at", f"#{agreed + 1}")
    assert board.data("amend", "show", "A1", *known)["status"] == "agreed"
    assert board.data("show", "C1", *known)["timescale"] == "July 2026"
    _agree(board)
    assert board.data("show", "C1")["timescale"] == "July 2026"


def test_voiding_the_proposal_voids_what_was_agreed(board: Cli) -> None:
    """An agreement rests on its proposal: without that neither it nor the change counts."""
    proposed = _propose(board, "timescale", "C1", "July 2026").position
    _agree(board)
    assert len(board.data("void", str(proposed), *WHY)["recorded"]) == 3
    assert board.data("show", "C1")["timescale"] == "March 2026"
    assert board.data("amend", "list")["amendments"] == []
    assert "A2 proposed" in _propose(board, "timescale", "C1", "July 2026").out


# --- refused ----------------------------------------------------------------------------


def test_agreeing_what_was_closed_meanwhile(board: Cli) -> None:
    """What was sensible when it was proposed is refused once the action is closed."""
    _propose(board, "timescale", "C1", "July 2026")
    _propose(board, "close", "C1")
    _agree(board, "A2")
    answer = _refused(board, "clerk", "agree", "A1", *MEETING)
    assert (answer.code, answer.error["rule"]) == (3, "action-closed")
    board.done("--as", "clerk", "amend", "decline", "A1", *MEETING, "--reason", "It is closed.")


def test_a_body_decides_on_what_is_before_it(board: Cli) -> None:
    """An amendment proposed after the meeting cannot have been agreed there."""
    _propose(board, "timescale", "C1", "July 2026", on="2025-10-10")
    answer = _refused(board, "clerk", "agree", "A1", *MEETING)
    assert (answer.code, answer.error["rule"]) == (3, "not-proposed-yet")
    assert "--effective-on" in answer.error["hint"]


def _terms(board: Cli, **terms: int) -> None:
    ledger = open_ledger(str(board.path))
    ledger.govern(CODE, SetTerms(**terms), Note(SET_UP, ADMIN))
    ledger.close()


def test_beyond_the_cap_an_open_escalation_is_needed(board: Cli) -> None:
    """At the plan's cap a revision is refused, proposed or agreed, until an escalation is open."""
    _terms(board, most_revisions=1)
    _propose(board, "timescale", "C1", "July 2026")
    _propose(board, "timescale", "C1", "October 2026")
    _agree(board, "A1")
    answer = _refused(board, "clerk", "agree", "A2", *MEETING)
    assert (answer.code, answer.error["rule"]) == (3, "revisions-capped")
    assert "escalate raise C1" in answer.error["hint"]
    later = ("propose", "timescale", "C1", "TBC", *LATE, *LATER)
    assert _refused(board, "workstream-lead", *later).error["rule"] == "revisions-capped"
    raising = ("escalate", "raise", "C1", "--body", "pog", "--to", "iib", "--issue", "Again late.")
    board.done(
        "--as", "workstream-lead", *raising, "--needed-by", "2025-11-01", "--effective-on",
        "2025-10-02",
    )  # fmt: skip
    _agree(board, "A2")
    assert _revised(board)[0]["times_revised"] == 2
    board.done(
        "--as", "clerk", "escalate", "resolve", "E1", "Agreed for once.", "--effective-on",
        "2025-10-10",
    )  # fmt: skip
    assert _refused(board, "workstream-lead", *later).error["rule"] == "revisions-capped"


def test_replacing_a_revision_does_not_count_as_one_more(board: Cli) -> None:
    """A mistake at the cap is put right: what is replaced counts no more."""
    _terms(board, most_revisions=1)
    board.done("body", "terms", "iib", "--power", "phase_1", "--effective-on", "2025-09-01")
    direct = (*BOARD, *LATE)
    wrong = board.done("amend", "timescale", "C1", "July 2062", *direct).position
    more = ("--replaces", str(wrong))
    board.done("amend", "timescale", "C1", "July 2026", *direct, *more)
    assert _revised(board)[0]["revised"] == "July 2026"


BAD: list[tuple[str, tuple[str, ...], str, int]] = [
    ("clerk", ("agree", "A9", *MEETING), "unknown-amendment", 3),
    ("clerk", ("agree", "A1"), "usage", 2),
    ("clerk", ("agree", "A1", "--meeting", "2025-10-09"), "usage", 2),
    ("clerk", ("agree", "A1", "--meeting", "2025-10-09", "--minute", " "), "empty-text", 2),
    ("clerk", ("agree", "A1", "--meeting", "2025-10-08", "--minute", "1"), "no-such-meeting", 3),
    ("clerk", ("agree", "A1", *MEETING, "--body", "pog"), "no-power", 4),
    ("clerk", ("agree", "A1", *MEETING, "--body", "nobody"), "unknown-body", 3),
    ("dcs", ("agree", "A1", *MEETING), "not-chair-or-secretary", 4),
    ("workstream-lead", ("agree", "A1", *MEETING), "not-a-member", 4),
    (ADMIN, ("agree", "A1", *MEETING), "unknown-person", 4),
    ("dcs", ("decline", "A1", *MEETING, *WHY), "not-chair-or-secretary", 4),
    (ADMIN, ("propose", "delay", "C1", *LATE), "unknown-person", 4),
    ("dcs", ("propose", "delay", "C1"), "needs-reason", 2),
    ("dcs", ("propose", "delay", "C9", *LATE), "not-there-yet", 3),
    ("dcs", ("propose", "timescale", "C1", "March 2026", *LATE), "no-change", 3),
    ("dcs", ("propose", "timescale", "C1", " ", *LATE), "empty-timescale", 2),
    ("dcs", ("propose", "timescale", "C1", "TBC", "--milestone", "2", *LATE),
     "no-such-milestone", 3),
    ("dcs", ("propose", "resume", "C1", *LATE), "not-delayed", 3),
    ("dcs", ("propose", "close", "C1", "--replaced-by", "C1", *LATE), "replaced-by-itself", 3),
    ("dcs", ("propose", "close", "C1", "--replaced-by", "C9", *LATE), "not-there-yet", 3),
    ("dcs", ("propose", "add", "C1", "--section", "1.1", "--title", "T", *LATE),
     "already-there", 3),
    ("dcs", ("propose", "add", "c1", "--section", "1.1", "--title", "T", *LATE),
     "already-there", 3),
    ("dcs", ("propose", "add", "C7", "--section", "9", "--title", "T", *LATE),
     "unknown-section", 3),
]  # fmt: skip


@pytest.mark.parametrize(("person", "words", "rule", "code"), BAD, ids=lambda w: str(w))
def test_what_cannot_be_is_refused(
    board: Cli, person: str, words: tuple[str, ...], rule: str, code: int
) -> None:
    """Each is refused with its rule at once, and the ledger's file stays as it is."""
    _propose(board, "timescale", "C1", "July 2026")
    answer = _refused(board, person, *words)
    assert (answer.error["rule"], answer.code) == (rule, code)


def test_a_closed_period_needs_a_correction(board: Cli) -> None:
    """A decision in a reported period is a correction, and the next change log lists it so."""
    _propose(board, "timescale", "C1", "July 2026")
    issued = ("--committee", "CFC", "--ref", "CF/1", "--meeting", "2025-11-10")
    board.done("report", "issue", *issued, "--as-at", "2025-10-31")
    assert _refused(board, "clerk", "agree", "A1", *MEETING).error["rule"] == "period-closed"
    _agree(board, "A1", "--correction", "--reason", "The minutes came late.")
    listed = board.data("changes", "--since", "2025-10-31")["corrections"]
    assert [row["ref"] for row in listed if row["ref"] == "C1"] == ["C1"]


# --- two at a time ----------------------------------------------------------------------


def _overtaken(monkeypatch: pytest.MonkeyPatch, other: Callable[[], None]) -> None:
    """Between deciding and recording, the first time, something else is done."""
    append = Store.append
    once: list[bool] = []

    def late(*given: Any, **named: Any) -> Any:
        if not once:
            once.append(True)
            other()
        return append(*given, **named)

    monkeypatch.setattr(Store, "append", late)


@pytest.mark.parametrize(
    "words",
    [
        ("agree", "A1", *MEETING),
        ("decline", "A1", *MEETING, *WHY),
        ("agree", "A2", *MEETING),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_of_two_decisions_at_once_one_is_told(
    board: Cli, process: Process, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """While the clerk's agreement is on its way the chair, in a process of his own, decides the
    same amendment, or another on the same action: the clerk's is a conflict, and not recorded."""
    _propose(board, "timescale", "C1", "July 2026")
    _propose(board, "timescale", "C1", "December 2026")

    def chair() -> None:
        done = process("--as", "iib-chair", "amend", *words)
        assert done.returncode == 0, done.stderr

    _overtaken(monkeypatch, chair)
    answer = board("--json", "--as", "clerk", "amend", "agree", "A1", *MEETING)
    assert (answer.code, answer.error["rule"]) == (3, "changed-meanwhile")
    recorders = {
        row["decided"]["person"]["code"]
        for row in board.data("amend", "list")["amendments"]
        if row["decided"]
    }
    assert recorders == {"iib-chair"}


def test_two_proposals_at_once_do_not_share_a_number(
    board: Cli, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two that would both be A1 one is a conflict, and is A2 when it is given again."""

    def other() -> None:
        words = ("amend", "propose", "delay", "C2", *LATE, *PROPOSED)
        assert process("--as", "dcs", *words).returncode == 0

    _overtaken(monkeypatch, other)
    words = ("--as", "workstream-lead", "amend", "propose", "delay", "C1", *LATE, *PROPOSED)
    assert board("--json", *words).error["rule"] == "changed-meanwhile"
    assert "A2 proposed" in board.done(*words).out


def test_an_escalation_closed_meanwhile_no_longer_lifts_the_cap(
    board: Cli, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The escalation that a revision beyond the cap rests on is watched while that is recorded."""
    _terms(board, most_revisions=0)
    raising = ("escalate", "raise", "C1", "--body", "pog", "--to", "iib", "--issue", "Late.")
    board.done("--as", "workstream-lead", *raising, "--needed-by", "2025-11-01", *PROPOSED)
    _propose(board, "timescale", "C1", "July 2026")

    def other() -> None:
        words = ("escalate", "resolve", "E1", "No.", "--effective-on", "2025-10-09")
        assert process("--as", "dcs", *words).returncode == 0

    _overtaken(monkeypatch, other)
    words = ("--json", "--as", "clerk", "amend", "agree", "A1", *MEETING)
    assert board(*words).error["rule"] == "changed-meanwhile"
    assert board(*words).error["rule"] == "revisions-capped"


# --- read -------------------------------------------------------------------------------


def test_the_list_shows_what_waits_first(board: Cli) -> None:
    """Those that wait come first, --open leaves out the others, and both clocks are answered."""
    _propose(board, "timescale", "C1", "July 2026")
    _propose(board, "delay", "C2")
    _propose(board, "reword", "C3", "New words")
    agreed = _agree(board, "A1").position

    def listed(*words: str) -> list[tuple[str, str]]:
        rows = board.data("amend", "list", *words)["amendments"]
        return [(row["amendment"], row["status"]) for row in rows]

    waiting = [("A2", "proposed"), ("A3", "proposed")]
    assert listed() == [*waiting, ("A1", "agreed")]
    assert listed("--open") == waiting
    everything = [("A1", "proposed"), *waiting]
    assert listed("--as-at", "2025-10-08") == listed("--known-at", f"#{agreed - 1}") == everything
    assert listed("--as-at", "2025-09-30") == []
    text = board.done("--plain", "amend", "list").out
    assert text.index("A2  waits for a decision") < text.index("A1  agreed by")
    assert "No amendments." in board.done("amend", "list", "--as-at", "2025-09-30").out


def test_a_proposal_is_shown_beside_what_is_so_now(board: Cli) -> None:
    """What a board decides on: the change, how it stands at present, by whom, and why."""
    _propose(board, "timescale", "C1", "July 2026")
    text = board.done("--plain", "amend", "show", "a1").out
    for words in (
        "A1  revise the timescale of C1 to July 2026",
        "Action     C1  Edge of care offer",
        "At present March 2026",
        "Proposed   1 October 2025 by The workstream lead (workstream-lead), entry 30",
        "Reason     Procurement is late.",
        "Standing   waits for a decision",
    ):
        assert words in text
    change = _agree(board).position + 1
    text = board.done("--plain", "amend", "show", "A1").out
    assert "At present" not in text
    assert f"Change     timescale revised to July 2026 (entry {change})" in text
    assert board.data("amend", "show", "A1")["decided"]["change"]["position"] == change


def test_unknown_amendments_are_refused(board: Cli) -> None:
    """A number that the plan does not have, or not yet, is refused with where to look."""
    _propose(board, "delay", "C1")
    for words in (("A9",), ("A1", "--as-at", "2025-09-30")):
        answer = board.refused("amend", "show", *words)
        assert (answer.code, answer.error["rule"]) == (3, "unknown-amendment")
        assert "amend list" in answer.error["hint"]


@pytest.mark.parametrize("words", [("propose", "delay", "C1", *LATE), ("agree", "A1", *MEETING)])
def test_a_dry_run_records_nothing(board: Cli, words: tuple[str, ...]) -> None:
    """--dry-run tells all that would be recorded, the change to the plan included."""
    _propose(board, "timescale", "C1", "July 2026")
    with board.unchanged():
        told = board.done("--as", "clerk", "amend", *words, "--dry-run").out
    assert told.startswith("Would be recorded as entry 31: A")
    assert words[0] == "propose" or "entry 32: C1 timescale revised to July 2026" in told


# --- recorded directly ------------------------------------------------------------------


def test_where_a_body_has_the_power_it_is_asked(board: Cli) -> None:
    """A direct form is refused with the two commands to use; history with a source is taken."""
    answer = _refused(board, "clerk", "timescale", "C1", "TBC", *BOARD, *LATE)
    assert (answer.code, answer.error["rule"]) == (3, "needs-agreement")
    for words in ("amend propose", "amend agree"):
        assert words in answer.error["hint"]
    receipt = board.done("amend", "timescale", "C1", "TBC", "--source", "Council, 1 March 2026")
    assert receipt.err == (
        "Recorded directly, taken over from Council, 1 March 2026: no body of the plan was asked.\n"
    )
    data = board.data("amend", "delay", "C1", "--source", "Council, 1 March 2026")
    assert data["directly"] == receipt.err.strip()


def test_where_none_has_it_the_receipt_says_on_whose_word(cli: Cli) -> None:
    """In a plan without boards the direct form stays, and says that nobody was asked."""
    words = ("amend", "timescale", "P5", "TBC", *LATER, *BOARD, *WHY)
    told = cli.done(*words, "--dry-run")
    assert "Recorded directly" not in told.err
    assert cli.done(*words).err == (
        "Recorded directly, on the word of Improvement Board, 9 October 2025, minute 7.2: no body "
        "of the plan was asked.\n"
    )


def test_the_direct_forms_say_so() -> None:
    """The group's help and that of every direct form say what they are for."""
    said = " ".join((amend.help or "").split())
    assert "history taken over from a published document" in said
    for name in propose.commands:
        text = " ".join((amend.commands[name].help or "").split())
        assert "Recorded directly: for history taken over with --source" in text
        assert f"govledger amend propose {name}" in text


CLASSES = {
    "timescale": commands.ReviseTimescale,
    "delay": commands.Delay,
    "review": commands.PlaceUnderReview,
    "resume": commands.Resume,
    "close": commands.Close,
    "add": commands.Add,
    "reword": commands.Reword,
    "owner": commands.ChangeOwners,
}
NOTES = {
    "effective_on", "reason", "decided_by", "meeting", "minute", "source", "correction",
    "replaces", "plan", "dry_run",
}  # fmt: skip


def test_every_kind_is_proposed_and_recorded_directly_alike() -> None:
    """Each kind of amendment that there is has both forms, which take what its command needs."""
    assert list(propose.commands) == list(CLASSES)
    kinds = AmendmentProposed.model_fields["kind"].annotation
    assert set(CLASSES) == set(getattr(kinds, "__args__", ()))
    for name, asked in CLASSES.items():
        for form in (amend.commands[name], propose.commands[name]):
            given = [p.name for p in form.params if p.name not in NOTES]
            assert set(given) == {field.name for field in fields(asked)}, form
        required = {p.name for p in propose.commands[name].params if _is_required(p)}
        assert required <= set(given)


def _is_required(parameter: click.Parameter) -> bool:
    return parameter.required
