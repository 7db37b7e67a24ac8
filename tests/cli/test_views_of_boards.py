"""What boards decided, where a plan is read: overview, sheet, log, and the story of a rating."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from domain.board_commands import DeclareInterest, RecordMeeting, StandDown
from domain.commands import ChangeOwners, Close, ReviseTimescale
from domain.importing import PlannedAction
from domain.issue_commands import Agree, Propose, Raise, Respond
from domain.signoff_commands import Return, Revoke
from ledger.entry import Note
from projections.upkeep import open_ledger
from tests.boards import ADMIN, CODE, MEETING, Boards
from tests.cli.driving import Cli, refs

NEXT = date(2025, 11, 13)
ASKED = date(2025, 11, 3)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two meetings of a board, in a file."""
    path = tmp_path_factory.mktemp("boards") / "ledger.sqlite"
    two_meetings(path)
    return path


def two_meetings(place: Path | str) -> None:
    """Two meetings of a board.

    C1 is signed off and then revised, C2 declined, C3 closed in favour of C1; one escalation is
    overdue, and one amendment waits.
    """
    boards = Boards(place)
    boards.signed_off("C1")
    boards.ready("C2")
    boards.vote("iib-chair", "C2", vote="decline")
    boards.by("clerk", Return("C2", 1, MEETING, "7.2"), MEETING, "One month is too little.")
    there = ("iib-chair", "dcs", "lead-member", "clerk")
    boards.by("clerk", RecordMeeting("iib", NEXT, there), NEXT)
    revise, close = ReviseTimescale("C1", "July 2026"), Close("C3", "C1")
    boards.by("workstream-lead", Propose(revise), ASKED, "Recruitment is late.")
    boards.by("clerk", Agree("A1", NEXT, "4.1"), NEXT)
    boards.by("dcs", Propose(close), ASKED, "One place for it.")
    boards.by("clerk", Agree("A2", NEXT, "4.2"), NEXT)
    boards.by("dcs", Propose(ChangeOwners("C2", "Panel chair")), NEXT, "A new post.")
    raised = Raise(("C2", "C1"), "No premises.", "pog", "iib", date(2025, 12, 1))
    boards.by("workstream-lead", raised, ASKED)
    boards.by("iib-chair", Respond("E1", "Rooms are asked for."), NEXT)
    boards.ledger.close()


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


# --- overview ---------------------------------------------------------------------------


def test_the_overview_marks_a_stale_sign_off(cli: Cli) -> None:
    """A rating whose sign-off was given for something else since is marked, as at that day."""
    lines = {line["ref"]: line for line in cli.data("overview")["actions"]}
    assert {ref: line["stale"] for ref, line in lines.items()} == {
        "C1": True,
        "C2": False,
        "C3": False,
    }
    (row,) = [line for line in cli.done("overview").out.splitlines() if line.startswith("C1 ")]
    assert row.split()[-1] == "stale"
    before = cli.data("overview", "--as-at", "2025-11-12")["actions"]
    assert [line["stale"] for line in before] == [False, False, False]


def test_a_revoked_sign_off_is_not_stale(cli: Cli) -> None:
    """Once a stale sign-off is revoked the mark goes, and the action falls due again."""
    ledger = open_ledger(cli.path)
    revoke = Revoke("C1", 1, NEXT, "9")
    ledger.govern(CODE, revoke, Note(NEXT, "clerk", reason="Figures were wrong."))
    ledger.close()
    line = cli.data("overview")["actions"][0]
    assert (line["overdue"], line["stale"], line["signed_off"]) == (True, False, False)
    steps = cli.data("why", "C1", "rating")["story"]
    assert (steps[-1]["type"], steps[-1]["reason"]) == ("signoff.revoked/1", "Figures were wrong.")


def test_the_overview_tells_a_sign_off_from_history(cli: Cli) -> None:
    """A rating says whether it was signed off in this ledger; one taken over was not."""
    taken = ("--source", "Report of March", "--effective-on", "2025-10-01")
    cli.done("--as", ADMIN, "rate", "C2", "Green", *taken)
    lines = {line["ref"]: line for line in cli.data("overview")["actions"]}
    assert (lines["C1"]["rating"], lines["C1"]["signed_off"]) == ("Amber E", True)
    assert (lines["C2"]["rating"], lines["C2"]["signed_off"]) == ("Complete", False)
    assert lines["C3"]["signed_off"] is False


# --- show -------------------------------------------------------------------------------


def test_the_sheet_of_a_signed_off_action(cli: Cli) -> None:
    """`show` gives the sign-off and what changed since, evidence, escalation, and timescale."""
    sheet = cli.data("show", "C1")
    (signoff,) = sheet["signoffs"]
    assert (signoff["phase"], signoff["status"], signoff["stale"]) == (1, "granted", True)
    assert signoff["words"] == "granted by Improvement and Impact Board, 9 October 2025"
    (changed,) = signoff["changed"]
    assert [changed[k] for k in ("what", "then", "now")] == ["Timescale", "March 2026", "July 2026"]
    assert changed["position"] == cli.data("why", "C1", "timescale")["fields"][0]["position"]
    assert [e["kind"] for e in sheet["evidence"]] == ["performance figures"]
    (escalation,) = sheet["escalations"]
    assert (escalation["escalation"], escalation["overdue"]) == ("E1", True)
    assert (sheet["first_agreed"], sheet["times_revised"]) == ("March 2026", 1)
    text = cli.done("show", "C1").out
    for words in (
        "first agreed March 2026, revised once",
        "Sign-off, phase 1: granted by Improvement and Impact Board, 9 October 2025. STALE",
        "Timescale was: March 2026; is now: July 2026",
        "performance of C1",
        "1 December 2025, OVERDUE",
    ):
        assert words in text


def test_the_sheet_keeps_what_was_escalated(cli: Cli) -> None:
    """An escalation that is resolved or withdrawn stays on the sheet, in one line."""
    assert cli.data("show", "C1")["closed_escalations"] == []
    raised = ("--body", "pog", "--to", "iib", "--needed-by", "2026-12-01", "--issue", "No post.")
    on = ("--effective-on", "2025-11-20")
    cli.done("--as", "workstream-lead", "escalate", "raise", "C1", *raised, *on)
    cli.done("--as", "iib-chair", "escalate", "resolve", "E1", "Rooms were found.", *on)
    why = ("--reason", "It is filled.")
    cli.done("--as", "workstream-lead", "escalate", "withdraw", "E2", *why, *on)
    sheet = cli.data("show", "C1")
    assert sheet["escalations"] == []
    told = [(e["escalation"], e["status"], e["closed_on"]) for e in sheet["closed_escalations"]]
    assert told == [("E1", "resolved", "2025-11-20"), ("E2", "withdrawn", "2025-11-20")]
    text = cli.done("show", "C1").out
    assert "E1 resolved on 20 November 2025: Rooms were found.\n" in text
    assert "E2 withdrawn on 20 November 2025: It is filled.\n" in text
    assert cli.data("show", "C3")["closed_escalations"] == []


def test_the_sheet_of_an_action_that_waits(cli: Cli) -> None:
    """`show` gives a declined sign-off, and the amendment that waits for a decision."""
    sheet = cli.data("show", "C2")
    assert sheet["signoffs"][0]["words"].startswith("declined by Improvement and Impact Board")
    assert [(a["amendment"], a["what"]) for a in sheet["amendments"]] == [
        ("A3", "give C2 to Panel chair")
    ]
    assert sheet["times_revised"] == 0
    text = cli.done("show", "C2").out
    assert "A3" in text
    assert "STALE" not in text
    before = cli.data("show", "C2", "--as-at", "2025-11-12")
    assert (before["amendments"], len(before["escalations"])) == ([], 1)


def test_a_replacement_links_both_ways(cli: Cli) -> None:
    """An action that was closed names the one in its place, and that one names it."""
    assert cli.data("show", "C3")["replaced_by"] == "C1"
    assert cli.data("show", "C1")["replaces"] == ["C3"]
    assert "Replaces   C3" in cli.done("show", "C1").out
    assert cli.data("show", "C1", "--as-at", "2025-11-12")["replaces"] == []


def test_the_plan_marks_stale_ratings_too(cli: Cli) -> None:
    """`show` without a reference marks a stale rating beside its word."""
    assert "Amber E, stale" in cli.done("show").out


# --- log --------------------------------------------------------------------------------


def test_the_log_of_a_plan_has_every_stream(cli: Cli) -> None:
    """With --plan the log shows bodies, people, escalations and amendments, and leaves out none."""
    every = cli.data("log")["entries"]
    plan = cli.data("log", "--plan", CODE)["entries"]
    assert [row["position"] for row in plan] == [row["position"] for row in every][1:]
    kinds = {row["stream"].partition("/")[0] for row in plan}
    assert kinds == {"plan", "action", "person", "body", "escalation", "amendment"}


@pytest.mark.parametrize(
    ("word", "kind", "key", "first"),
    [
        ("iib", "body", "iib", "Improvement and Impact Board established"),
        ("IIB", "body", "iib", "Improvement and Impact Board established"),
        ("iib-chair", "person", "iib-chair", "The independent chair enrolled"),
        ("E1", "escalation", "E1", "raised by"),
        ("a1", "amendment", "A1", "proposed by"),
        ("C1", "action", "C1", "added: Edge of care offer"),
        ("body/iib", "body", "iib", "Improvement and Impact Board established"),
    ],
)
def test_the_log_of_one_subject(cli: Cli, word: str, kind: str, key: str, first: str) -> None:
    """`log` takes a body, a person, an escalation, an amendment or an action, and says which."""
    data = cli.data("log", word)
    assert data["subject"] == {"kind": kind, "key": key}
    assert {row["stream"] for row in data["entries"]} == {f"{kind}/{CODE}/{key}"}
    assert data["entries"][0]["what"].startswith(first)
    assert cli.done("log", word).out.startswith(f"Entries on {kind} {key}\n")


def test_where_names_clash_the_action_is_shown(cli: Cli) -> None:
    """An action called as an escalation comes first, and the log says how to see the other."""
    ledger = open_ledger(cli.path)
    also = PlannedAction("E1", 2, "Front door", "Edge of care", "Another", "Head", None, None)
    ledger.import_plan(CODE, [also], Note(MEETING, ADMIN, source="Paper"), whole=False)
    ledger.close()
    assert cli.data("log", "E1")["subject"]["kind"] == "action"
    assert "for escalation E1: govledger log escalation/E1" in cli.done("log", "E1").out
    assert cli.data("log", "escalation/E1")["subject"]["kind"] == "escalation"
    then = cli.data("log", "--plan", CODE)["entries"][-1]["position"] - 1
    assert cli.data("log", "E1", "--known-at", f"#{then}")["subject"]["kind"] == "escalation"


def test_the_log_by_the_new_types(cli: Cli) -> None:
    """--type takes the types of board decisions, and a family of types."""
    granted = cli.data("log", "--type", "signoff.granted")["entries"]
    assert refs(granted) == ["C1"]
    family = cli.data("log", "--type", "signoff")["entries"]
    assert {row["type"].partition(".")[0] for row in family} == {"signoff"}
    assert len(family) == 7
    assert cli("log", "--type", "sign").code == 2
    assert cli.refused("log", "E9").error["rule"] == "unknown-reference"


# --- why --------------------------------------------------------------------------------


def test_the_whole_story_of_a_rating(cli: Cli) -> None:
    """Evidence, recommendation, each vote with its person, and the decision with its minute."""
    data = cli.data("why", "C1", "rating")
    assert data["fields"][0]["value"] == "Amber E"
    told = [(step["type"].partition("/")[0], step["by"], step["minute"]) for step in data["story"]]
    lead = "The workstream lead (workstream-lead)"
    assert told == [
        ("action.rated", ADMIN, None),
        ("evidence.lodged", lead, None),
        ("signoff.recommended", lead, None),
        ("signoff.voted", "The independent chair (iib-chair)", None),
        ("signoff.voted", "The lead member (lead-member)", None),
        ("signoff.granted", "The clerk to the board (clerk)", "7.1"),
    ]
    steps = {step["type"]: step for step in data["story"]}
    assert steps["signoff.recommended/1"]["reason"] == "The work is done."
    assert steps["signoff.voted/1"]["meeting"] == MEETING.isoformat()
    assert steps["action.rated/1"]["source"] == "Council, 6 January 2025"
    positions = [step["position"] for step in data["story"]]
    assert positions == sorted(positions)
    assert data["signoffs"][0]["stale"] is True
    text = cli.done("why", "C1", "rating").out
    assert "by The lead member (lead-member), recorded" in text
    assert "authority: Improvement and Impact Board, 9 October 2025, minute 7.1" in text
    assert "authority: taken over from Council, 6 January 2025" in text
    assert "STALE" in text


def test_the_story_obeys_the_two_clocks(cli: Cli) -> None:
    """A step that is effective later, or was recorded later, is not told."""
    whole = cli.data("why", "C1", "rating")["story"]
    before = cli.data("why", "C1", "rating", "--as-at", "2025-10-08")
    assert [s["position"] for s in before["story"]] == [s["position"] for s in whole[:3]]
    assert before["fields"][0]["value"] == "On track"
    known = cli.data("why", "C1", "rating", "--known-at", f"#{whole[3]['position']}")
    assert len(known["story"]) == 4


def test_the_story_tells_what_was_taken_back(cli: Cli) -> None:
    """A decision that was re-opened stays in the story, with the entry that voided it and why."""
    ledger = open_ledger(cli.path)
    note = Note(date(2025, 10, 1), ADMIN, reason="Stood down before the meeting.")
    ledger.govern(CODE, StandDown("iib", "lead-member"), note)
    ledger.close()
    data = cli.data("why", "C1", "rating")
    assert data["fields"][0]["value"] == "On track"
    voided = {step["position"]: step["voided_by"] for step in data["story"] if step["voided_by"]}
    voids = {step["position"]: step for step in data["story"] if step.get("voids")}
    assert sorted(voided.values()) == sorted(voids)
    assert len(voided) == 2
    assert all("not a member" in s["reason"] or "quorum" in s["reason"] for s in voids.values())


def test_why_of_an_agreed_amendment(cli: Cli) -> None:
    """A timescale that a body agreed says who proposed it, and the minute."""
    (row,) = cli.data("why", "C1", "timescale")["fields"]
    assert row["amendment"]["amendment"] == "A1"
    assert row["amendment"]["proposed_by"] == "The workstream lead (workstream-lead)"
    assert row["decided_by"]["minute"] == "4.1"
    text = cli.done("why", "C1", "timescale").out
    assert "proposed by The workstream lead (workstream-lead) as A1" in text
    assert "minute 4.1" in text
    (plain,) = cli.data("why", "C2", "timescale")["fields"]
    assert plain["amendment"] is None
    assert "story" not in cli.data("why", "C1")


def test_an_answer_about_boards_can_be_had_again(cli: Cli) -> None:
    """The same question with --known-at '#N' gives the same bytes after more is decided."""
    size = cli.done("--json", "overview").json["position"]
    words = [
        ("overview",),
        ("show", "C1"),
        ("show", "C2"),
        ("log", "iib"),
        ("log", "E1"),
        ("log", "--plan", CODE),
        ("why", "C1", "rating"),
        ("why", "C1", "timescale"),
    ]
    at = ("--known-at", f"#{size}")
    before = [cli.done(*question, *at).out for question in words]
    ledger = open_ledger(cli.path)
    clerk = Note(NEXT, "clerk", reason="Seen.")
    ledger.govern(CODE, Agree("A3", NEXT, "4.3"), clerk)
    ledger.govern(CODE, DeclareInterest("iib", MEETING, "dcs", "C2"), Note(MEETING, "dcs"))
    down = Note(date(2025, 10, 1), ADMIN, reason="Never sat.")
    ledger.govern(CODE, StandDown("iib", "lead-member"), down)
    ledger.close()
    assert [cli.done(*question, *at).out for question in words] == before
    assert cli.done("show", "C1").out != before[1]
