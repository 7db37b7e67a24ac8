"""What people record month by month, and what the ledger says back."""

from pathlib import Path

import pytest

from tests.cli.driving import BOARD, LATER, PUBLISHED, WHY, Cli, refs

DECISION = {"body": "Improvement Board", "meeting": "2025-10-09", "minute": "7.2"}
WRITES: list[tuple[tuple[str, ...], str, str, str]] = [
    (("rate", "P5", "delayed"), "action.rated/1", "rating", "Delayed"),
    (("rate", "P5", "RED"), "action.rated/1", "rating", "Delayed"),
    (("rate", "P5", "not on  track"), "action.rated/1", "rating", "Delayed"),
    (("progress", "P5", "Drafted."), "action.progress_noted/1", "progress", "Drafted."),
    (
        ("amend", "timescale", "P5", "July 2026"),
        "action.timescale_revised/1",
        "timescale",
        "July 2026",
    ),
    (("amend", "delay", "P5"), "action.marked_delayed/1", "rating", "Delayed"),
    (("amend", "review", "P5"), "action.placed_under_review/1", "rating", "Reviewing"),
    (("amend", "resume", "P7"), "action.resumed/1", "rating", "On track"),
    (("amend", "resume", "S5"), "action.resumed/1", "rating", "On track"),
    (("amend", "close", "P5"), "action.closed/1", "rating", "Closed"),
    (
        ("amend", "close", "P5", "--replaced-by", "P9"),
        "action.closed/1",
        "replaced_by",
        "P9",
    ),
    (("amend", "reword", "P5", "Plan for all"), "action.reworded/1", "title", "Plan for all"),
    (("amend", "owner", "P5", "Head; Lead"), "action.owners_changed/1", "owners", "Head; Lead"),
]


@pytest.mark.parametrize(
    ("words", "kind", "field", "value"), WRITES, ids=[" ".join(w) for w, *_ in WRITES]
)
def test_a_write_is_recorded_and_explained(
    cli: Cli, words: tuple[str, ...], kind: str, field: str, value: str
) -> None:
    """Each write is an entry of its own type; `why` then gives its reason and the decision."""
    by = () if words[0] == "progress" else BOARD
    receipt = cli.done(*words, *LATER, *by, *WHY)
    assert receipt.position == 327
    assert receipt.out.count("\n") == 2
    assert receipt.out.endswith(f"Next: govledger show {_ref(words)}\n")
    row = cli.data("why", _ref(words), field)["fields"][0]
    assert row["value"] == value
    assert (row["position"], row["effective_on"]) == (327, "2025-10-10")
    assert (row["recorded_by"], row["reason"]) == ("A. Clerk", WHY[1])
    assert row["decided_by"] == (DECISION if by else None)
    entry = cli.data("log", _ref(words))["entries"][-1]
    assert (entry["type"], entry["position"]) == (kind, 327)


def _ref(words: tuple[str, ...]) -> str:
    return words[2] if words[0] == "amend" else words[1]


@pytest.mark.parametrize("words", [w for w, *_ in WRITES], ids=" ".join)
def test_a_dry_run_tells_and_records_nothing(cli: Cli, words: tuple[str, ...]) -> None:
    """--dry-run says what would be recorded, at which position, and leaves the file as it is."""
    by = () if words[0] == "progress" else BOARD
    with cli.unchanged():
        told = cli.done(*words, *LATER, *by, *WHY, "--dry-run")
        data = cli.data(*words, *LATER, *by, *WHY, "--dry-run")
    assert told.out.startswith("Would be recorded as entry 327: ")
    assert "Nothing was recorded" in told.err
    assert data["dry_run"]
    recorded = cli.done(*words, *LATER, *by, *WHY)
    assert told.out == recorded.out.splitlines(True)[0].replace("Recorded", "Would be recorded")


def test_an_action_is_added(cli: Cli) -> None:
    """`amend add` puts an action into a section, named or numbered, with owner and timescale."""
    more = ("--owner", "Head; Lead", "--timescale", "March 2026", *LATER, *BOARD, *WHY)
    cli.done("amend", "add", "C5", "--section", "entries to care", "--title", "New offer", *more)
    cli.done("amend", "add", "C6", "--section", "3.1", "--title", "Another", *LATER, *BOARD, *WHY)
    shown = cli.data("show", "C5")
    assert (shown["chapter"], shown["section"]) == ("Chapter 3", "Entries to Care")
    assert (shown["owners"], shown["due"]) == (["Head", "Lead"], "2026-03-31")
    assert shown["rating"] == "Not rated"
    order = refs(cli.data("overview")["actions"])
    assert order.index("C6") == order.index("C5") + 1 == order.index("C4") + 2
    assert refs(cli.data("changes", "--as-at", "2025-11-01")["added"]) == ["C5", "C6"]
    assert cli.data("overview", "--as-at", "2025-10-09")["summary"]["total"] == 143


def test_a_milestone_has_a_timescale_and_a_rating_of_its_own(cli: Cli) -> None:
    """--milestone N rates or revises that milestone, and leaves the action as it is."""
    cli.done("rate", "S7", "amber", "--milestone", "2", *LATER, *WHY)
    cli.done("amend", "timescale", "S7", "TBC", "--milestone", "2", *LATER, *BOARD, *WHY)
    shown = cli.data("show", "S7")
    assert shown["rating"] == "Complete"
    milestone = shown["milestones"][1]
    assert (milestone["timescale"], milestone["rating"]) == ("TBC", "On track")
    assert milestone["times_revised"] == 1
    assert cli.data("why", "S7", "milestone 2 rating")["fields"][0]["position"] == 327
    row = cli.data("changes", "--as-at", "2025-11-01")["timescales_revised"][0]
    assert (row["ref"], row["milestone"], row["revised"]) == ("S7", 2, "TBC")


def test_the_impact_of_a_section_is_rated_on_its_own_key(cli: Cli) -> None:
    """`impact` takes the labels of the key for impact; those of the key for actions it refuses."""
    cli.done("impact", "quality of plans", "some impact seen", *LATER, *WHY)
    sections = {s["name"]: s["impact"] for s in cli.data("overview")["sections"]}
    assert sections["Quality of Plans"] == "Some impact seen"
    answer = cli.refused("impact", "1.7", "Complete", *WHY)
    assert (answer.code, answer.error["rule"]) == (3, "unknown-rating")
    assert "it is not the key for actions" in answer.error["message"]


@pytest.mark.parametrize("label", ["Green", "complete", "Amber E", "amber-e"])
def test_done_is_given_by_a_sign_off_only(cli: Cli, label: str) -> None:
    """Amber E and Green are refused with what to do instead, for milestones too."""
    for more in ((), ("--milestone", "1")):
        answer = cli.refused("rate", "S7", label, *LATER, *BOARD, *WHY, *more)
        assert (answer.code, answer.error["rule"]) == (3, "needs-sign-off")
        assert "--source" in answer.error["hint"]


def test_done_may_be_history_with_its_source(cli: Cli) -> None:
    """A rating taken over from a published document is recorded, and shows its source."""
    cli.done("rate", "P5", "Green", *LATER, "--source", "CF/31/25-26")
    assert "Complete (Green), taken over from CF/31/25-26" in cli.done("show", "P5").out
    assert cli.data("why", "P5", "rating")["fields"][0]["source"] == "CF/31/25-26"
    assert "authority: taken over from CF/31/25-26" in cli.done("why", "P5", "rating").out
    assert "taken over from CF/31/25-26" in cli.done("log", "P5").out


def test_a_decision_needs_a_body_a_meeting_and_a_minute(cli: Cli) -> None:
    """An amendment that names no decision, half a decision, or a meeting to come is refused."""
    words = ("amend", "delay", "P5", *LATER, *WHY)
    assert cli.refused(*words).error["rule"] == "needs-authority"
    half = cli.refused(*words, *BOARD[:4])
    assert (half.code, half.error["rule"]) == (2, "half-a-decision")
    late = ("--decided-by", "Board", "--meeting", "2199-01-01", "--minute", "1")
    assert cli.refused(*words, *late).error["rule"] == "future-date"


def test_a_report_closes_its_period(cli: Cli) -> None:
    """`report issue` closes the period; only a correction with a reason then touches it."""
    paper = ("--committee", "Children and Families Committee", "--ref", "CF/31/25-26")
    days = ("--meeting", "2025-11-11", "--as-at", "2025-10-31")
    with cli.unchanged():
        assert "Would be recorded" in cli.done("report", "issue", *paper, *days, "--dry-run").out
    receipt = cli.done("report", "issue", *paper, *days)
    assert "Next: govledger changes --as-at 2025-10-31" in receipt.out
    assert cli.data("status")["plans"][0]["last_report"] == "CF/31/25-26"
    words = ("rate", "P5", "Red", "--effective-on", "2025-10-31")
    answer = cli.refused(*words, *WHY)
    assert (answer.code, answer.error["rule"]) == (3, "period-closed")
    assert "CF/31/25-26" in answer.error["message"]
    assert "--correction" in answer.error["hint"]
    assert cli.refused(*words, "--correction").error["rule"] == "needs-reason"
    receipt = cli.done(*words, "--correction", *WHY)
    assert "(correction of a closed period)" in receipt.out
    found = cli.data("changes", "--as-at", "2025-11-11")["corrections"]
    assert [(row["ref"], row["what"], row["reason"]) for row in found] == [
        ("P5", "rated Delayed", WHY[1])
    ]
    assert cli.data("changes", "--as-at", "2025-10-31")["corrections"] == []
    again = cli.refused("report", "issue", *paper, *days)
    assert again.error["rule"] == "period-closed"


def test_a_mistake_is_voided(cli: Cli) -> None:
    """A voided entry counts no more; `log` still shows it, with the entry that voided it."""
    wrong = cli.done("rate", "P5", "Red", *LATER, *WHY).position
    assert cli.data("show", "P5")["rating"] == "Delayed"
    with cli.unchanged():
        cli.done("void", str(wrong), "--reason", "Meant P9.", "--dry-run")
    receipt = cli.done("void", str(wrong), "--reason", "Meant P9.", "--plan", "CSIP")
    assert "Next: govledger log P5" in receipt.out
    assert "rated Delayed" in receipt.out, "it says what it was that is void"
    assert cli.data("show", "P5")["rating"] == "On track"
    assert cli.data("show", "P5", "--known-at", f"#{wrong}")["rating"] == "Delayed"
    entries = {row["position"]: row for row in cli.data("log", "P5")["entries"]}
    assert entries[wrong]["voided_by"] == wrong + 1
    assert entries[wrong + 1]["reason"] == "Meant P9."
    assert f"[voided by entry {wrong + 1}]" in cli.done("log", "P5").out
    assert cli.refused("void", str(wrong), *WHY).error["rule"] == "already-void"
    assert cli.refused("void", str(wrong + 1), *WHY).error["rule"] == "cannot-be-void"
    assert cli.refused("void", "2", *WHY).error["rule"] == "cannot-be-void"


def test_a_mistake_is_replaced_in_one_step(cli: Cli) -> None:
    """--replaces N voids N and records the right entry with it, both or neither."""
    wrong = cli.done("rate", "P5", "Red", *LATER, *WHY).position
    refused = cli.refused("rate", "P9", "Red", *LATER, *WHY, "--replaces", str(wrong))
    assert refused.error["rule"] == "not-on-this"
    cli.done("rate", "P5", "Grey", *LATER, *WHY, "--replaces", str(wrong))
    entries = cli.data("log", "P5")["entries"][-2:]
    assert [row["type"] for row in entries] == ["entry.voided/1", "action.rated/1"]
    assert cli.data("why", "P5", "rating")["fields"][0]["value"] == "Not started"


def test_who_recorded_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """--as says who; else GOVLEDGER_PERSON; else the user of this computer."""
    cli.done("--as", "B. Chair", "progress", "P5", "One.", *LATER)
    cli.done("progress", "P5", "Two.", *LATER)
    monkeypatch.delenv("GOVLEDGER_PERSON")
    monkeypatch.setenv("LOGNAME", "clerk7")
    cli.done("progress", "P5", "Three.", *LATER)
    by = [row["recorded_by"] for row in cli.data("log", "P5")["entries"][-3:]]
    assert by == ["B. Chair", "A. Clerk", "clerk7"]


def test_which_ledger(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """--ledger says which; else GOVLEDGER_LEDGER; else ./govledger.sqlite."""
    cli.done("--ledger", "own plan #1? 5%41.sqlite", "init", "--name", "Own")
    assert cli.data("status")["name"] == "Example"
    assert cli.data("--ledger", "own plan #1? 5%41.sqlite", "status")["name"] == "Own"
    assert Path("own plan #1? 5%41.sqlite").exists()
    monkeypatch.delenv("GOVLEDGER_LEDGER")
    assert cli("status").code == 1
    cli.done("init")
    assert Path("govledger.sqlite").exists()
    assert cli.data("status")["name"] == "govledger"


def test_the_next_command_finds_the_ledger_and_the_plan(cli: Cli) -> None:
    """The next command that a receipt names works as it stands, for a named ledger too."""
    _second_plan(cli)
    named = ("--ledger", str(cli.path))
    receipt = cli.done(*named, "progress", "P5", "Drafted.", *LATER, "--plan", "OTHER")
    following = receipt.out.splitlines()[-1].removeprefix("Next: govledger ")
    assert following == f"--ledger {cli.path} show P5 --plan OTHER"
    assert "Drafted." in cli.done(*following.split()).out


def _second_plan(cli: Cli) -> None:
    file = str(PUBLISHED / "2024-07-17-approved.csv")
    cli.done(
        *("plan", "import", file, "--plan", "OTHER", "--title", "Another"),
        *("--as-at", "2024-07-17", "--source", "Paper"),
    )


def test_two_plans_in_one_ledger(cli: Cli) -> None:
    """With two plans a command must say which; each then has its own actions and history."""
    _second_plan(cli)
    for words in (("overview",), ("rate", "P5", "Red", *LATER, *WHY), ("changes",), ("why", "P5")):
        answer = cli.refused(*words)
        assert (answer.code, answer.error["rule"]) == (2, "which-plan")
        assert "CSIP, OTHER" in answer.error["hint"]
    cli.done("rate", "P5", "Red", *LATER, *WHY, "--plan", "OTHER")
    assert cli.data("show", "P5", "--plan", "OTHER")["rating"] == "Delayed"
    assert cli.data("show", "P5", "--plan", "CSIP")["rating"] == "On track"
    own = cli.data("log", "--plan", "OTHER")["entries"]
    assert {row["plan"] for row in own} == {"OTHER"}
    assert len(cli.data("log")["entries"]) == 326 + len(own)
    wrong = cli.refused("void", str(own[-1]["position"]), "--plan", "CSIP", *WHY)
    assert wrong.error["rule"] == "not-on-this"
    assert cli.refused("show", "P5", "--plan", "NONE").error["rule"] == "unknown-plan"


def test_a_correction_of_the_past_says_so_in_the_log(cli: Cli) -> None:
    """`log` marks a correction, with the date that it is about and the day it was recorded."""
    cli.done("progress", "P5", "Old.", "--effective-on", "2025-09-01", "--correction", *WHY)
    assert "progress: Old. [correction]" in cli.done("log", "P5").out
    row = cli.data("log", "P5")["entries"][-1]
    assert (row["correction"], row["effective_on"]) == (True, "2025-09-01")
    assert row["recorded_at"] > "2025-11-10"


def test_a_reference_that_differs_only_in_capitals(cli: Cli) -> None:
    """Nobody can add c1 beside C1 and have two actions taken for one."""
    words = ("amend", "add", "c1", "--section", "Entries to Care", "--title", "Again")
    answer = cli.refused(*words, *BOARD, *WHY)
    assert (answer.code, answer.error["rule"]) == (3, "already-there")
    assert "C1" in answer.error["message"]


def test_a_report_is_not_voided_in_passing(cli: Cli) -> None:
    """Voiding a report opens a period that was reported, so it is a correction and is listed."""
    report = str(cli.data("log", "--type", "plan.report_issued")["entries"][0]["position"])
    assert cli.refused("void", report, *WHY).error["rule"] == "period-closed"
    cli.done("void", report, *WHY, "--correction")
    (row,) = cli.data("changes")["corrections"]
    assert "CF/23/25-26" in row["what"]


def test_what_slipped_in_while_a_paper_was_made(cli: Cli) -> None:
    """An entry between the making of a paper and its issue is in the next change log."""
    made = cli.data("log")["entries"][-1]["position"]
    late = ("--effective-on", "2025-10-25", *WHY)
    cli.done("rate", "P5", "Delayed", *late)
    issue = ("report", "issue", "--committee", "Board", "--meeting", "2025-11-20", "--ref", "R2")
    cli.done(*issue, "--as-at", "2025-10-31", "--known-at", f"#{made}")
    data = cli.data("changes", "--as-at", "2025-11-20")
    assert [(row["ref"], row["what"]) for row in data["corrections"]] == [("P5", "rated Delayed")]


def test_a_decision_is_true_from_its_meeting(cli: Cli) -> None:
    """Where no date is given, a decision is effective on the day of the meeting that took it."""
    cli.done("amend", "delay", "P5", *BOARD, *WHY)
    assert cli.data("why", "P5", "rating")["fields"][0]["effective_on"] == "2025-10-09"


def test_a_due_date_that_cannot_be_read(cli: Cli) -> None:
    """A slip in a due date is recorded as written, and said to be no date."""
    answer = cli.done("amend", "timescale", "P7", "Jnauary 2026", *BOARD, *WHY)
    assert "no due date could be read from 'Jnauary 2026'" in answer.err
    answer = cli.done("amend", "timescale", "P7", "January 2026", *BOARD, *WHY)
    assert "no due date" not in answer.err


def test_a_first_owner_is_a_change(cli: Cli) -> None:
    """An owner where none was recorded before is in the change log, with nothing before it."""
    cli.done("amend", "owner", "CLD1", "Head of Housing", *BOARD, *WHY)
    (row,) = cli.data("changes")["owner_changed"]
    assert (row["ref"], row["before"], row["after"]) == ("CLD1", None, "Head of Housing")


def test_the_root_of_a_paper(cli: Cli) -> None:
    """A root that somebody holds is checked; a wrong one breaks, and half of one is no root."""
    shown = cli.done("--json", "overview").json
    cli.done("verify", "--expect", f"{shown['position']}:{shown['root']}")
    wrong = cli("verify", "--expect", f"#300:{shown['root']}")
    assert (wrong.code, "other-history" in wrong.out) == (5, True)
    assert cli("verify", "--expect", "300:abc").code == 2
