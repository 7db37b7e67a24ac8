"""Escalations through the command line: who may carry what where, and what is read of it."""

from pathlib import Path

import pytest

from ledger.store import Store
from tests.boards import ADMIN, Boards
from tests.cli.conftest import Process
from tests.cli.driving import Answer, Cli

RAISED = ("--effective-on", "2025-10-01")
LATER = ("--effective-on", "2025-10-06")
NEEDED = ("--needed-by", "2025-10-20")
ISSUE = "The second home waits for its registration visit."


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


@pytest.fixture
def raised(board: Cli) -> Cli:
    """The same, with E1 raised on two actions by the oversight group to the board."""
    _raise(board, "C1", "C2")
    return board


def _raise(board: Cli, *refs: str, to: str = "iib", more: tuple[str, ...] = NEEDED) -> Answer:
    words = ("escalate", "raise", *refs, "--body", "pog", "--to", to, "--issue", ISSUE)
    return board.done("--as", "workstream-lead", *words, *more, *RAISED)


def _by(board: Cli, person: str, *words: str) -> Answer:
    return board.done("--as", person, "escalate", *words, *LATER)


def _refused(board: Cli, person: str, *words: str, on: tuple[str, ...] = LATER) -> Answer:
    return board.refused("--as", person, "escalate", *words, *on)


def test_an_issue_is_raised_on_several_actions(board: Cli) -> None:
    """Raising is one entry; its receipt names the number, and the command that shows it."""
    answer = _raise(board, "C1", "C2", "C1")
    assert answer.out.startswith(f"Recorded as entry {answer.position}: E1 raised by pog to iib")
    assert answer.out.endswith("Next: govledger escalate show E1\n")
    sheet = board.data("escalate", "show", "e1")
    assert [a["ref"] for a in sheet["actions"]] == ["C1", "C2"]
    assert (sheet["issue"], sheet["status"], sheet["raised_on"]) == (ISSUE, "open", "2025-10-01")
    assert (sheet["raised_by"]["code"], sheet["with"]["code"]) == ("pog", "iib")


def test_the_path_is_told_from_the_entries(raised: Cli) -> None:
    """`show` gives every step: what, when, for which body, by whom, under which entry."""
    _by(raised, "dcs", "respond", "E1", "Asked the inspectorate.")
    _by(raised, "clerk", "refer", "E1", "--to", "Ofsted", "--needed-by", "2025-11-20")
    _by(raised, "iib-chair", "respond", "E1", "The visit is in January.")
    _by(raised, "clerk", "refer", "E1", "--to", "cfc", "--needed-by", "2025-12-01")
    sheet = raised.data("escalate", "show", "E1")
    told = [
        (s["step"], s["body"]["code"], s["to"] and s["to"]["code"], s["person"]["code"], s["text"])
        for s in sheet["path"]
    ]
    assert told == [
        ("raised", "pog", "iib", "workstream-lead", ISSUE),
        ("responded", "iib", None, "dcs", "Asked the inspectorate."),
        ("referred", "iib", "ofsted", "clerk", None),
        ("responded", "ofsted", None, "iib-chair", "The visit is in January."),
        ("referred", "iib", "cfc", "clerk", None),
    ]
    assert [s["effective_on"] for s in sheet["path"]] == ["2025-10-01"] + ["2025-10-06"] * 4
    first = sheet["path"][0]["position"]
    assert [s["position"] for s in sheet["path"]] == list(range(first, first + 5))
    text = raised.done("--plain", "escalate", "show", "E1").out
    assert "With       Children and Families Committee (cfc); passed on by Improvement" in text
    assert "responded: Asked the inspectorate." in text
    assert "The director of children's services (dcs)" in text
    assert [s["through"] and s["through"]["code"] for s in sheet["path"]] == [
        *(None, None, None),
        "iib",
        None,
    ]
    rows = text.split("When ")[1].splitlines()
    column = slice(rows[0].index("Body") + 5, rows[0].index("Recorded by") + 5)
    told_of = " ".join(" ".join(row[column].split()) for row in rows[1:])
    assert "by Improvement and Impact Board, for Ofsted" in told_of


def test_a_body_outside_stands_outside_the_ladder(board: Cli) -> None:
    """An inspectorate has no rung, and the list and the sheet say that it is outside."""
    _raise(board, "C1", to="ofsted")
    sheet = board.data("escalate", "show", "E1")
    assert (sheet["with"]["rung"], sheet["with"]["outside"]) == (0, True)
    for words in (("list",), ("show", "E1")):
        assert "outside the ladder" in " ".join(board.done("escalate", *words).out.split())


@pytest.mark.parametrize("to", ["ws", "pog", "iib"])
def test_it_never_goes_down(raised: Cli, to: str) -> None:
    """What has reached the board's rung goes to no body on it or under it."""
    answer = _refused(raised, "clerk", "refer", "E1", "--to", to, *NEEDED)
    assert (answer.code, answer.error["rule"]) == (3, "not-up")
    assert "Children and Families Committee (cfc)" in answer.error["hint"]


def test_outside_and_back_up_but_not_down(raised: Cli) -> None:
    """An outside body does not lower the rung that it had reached; it comes back further up."""
    _by(raised, "clerk", "refer", "E1", "--to", "ofsted", *NEEDED)
    for to in ("pog", "iib", "ofsted"):
        answer = _refused(raised, "clerk", "refer", "E1", "--to", to, *NEEDED)
        assert answer.error["rule"] == "not-up"
    _by(raised, "clerk", "refer", "E1", "--to", "cfc", *NEEDED)
    assert raised.data("escalate", "show", "E1")["with"]["code"] == "cfc"


@pytest.mark.parametrize("words", [("respond", "E1", "No."), ("resolve", "E1", "Done.")])
def test_the_body_that_has_it_answers(raised: Cli, words: tuple[str, ...]) -> None:
    """Members of the body that has it answer or settle it, and nobody else; not even those of
    the body that raised it."""
    for person in ("workstream-lead", ADMIN):
        answer = _refused(raised, person, *words)
        assert answer.code == 4
        assert answer.error["rule"] in ("not-a-member", "unknown-person")
    _by(raised, "dcs", *words)


def test_for_a_body_outside_those_answer_who_passed_it_on(raised: Cli) -> None:
    """While the inspectorate has it, the board that asked records what it answers."""
    _by(raised, "clerk", "refer", "E1", "--to", "ofsted", *NEEDED)
    answer = _refused(raised, "workstream-lead", "respond", "E1", "Soon.")
    assert (answer.code, answer.error["rule"]) == (4, "not-a-member")
    _by(raised, "lead-member", "respond", "E1", "Soon.")
    assert raised.data("escalate", "show", "E1")["response"] == "Soon."


def test_only_a_member_raises_for_a_body(board: Cli) -> None:
    """Somebody who does not sit on the body cannot raise in its name."""
    words = ("raise", "C1", "--body", "pog", "--to", "iib", "--issue", ISSUE, *NEEDED)
    answer = _refused(board, "dcs", *words)
    assert (answer.code, answer.error["rule"]) == (4, "not-a-member")


def test_withdrawing_is_for_the_body_that_raised_it(raised: Cli) -> None:
    """It takes a reason and a member of the body that raised it, wherever it has gone since."""
    _by(raised, "clerk", "refer", "E1", "--to", "cfc", *NEEDED)
    assert _refused(raised, "workstream-lead", "withdraw", "E1").error["rule"] == "needs-reason"
    why = ("--reason", "The post is filled.")
    assert _refused(raised, "dcs", "withdraw", "E1", *why).error["rule"] == "not-a-member"
    _by(raised, "workstream-lead", "withdraw", "E1", *why)
    sheet = raised.data("escalate", "show", "E1")
    assert (sheet["status"], sheet["closed_on"]) == ("withdrawn", "2025-10-06")
    assert sheet["path"][-1]["body"]["code"] == "pog"
    assert sheet["path"][-1]["reason"] == "The post is filled."


@pytest.mark.parametrize(
    "words",
    [
        ("respond", "E1", "More."),
        ("resolve", "E1", "Again."),
        ("refer", "E1", "--to", "cfc", *NEEDED),
    ],
    ids=lambda words: words[0],
)
def test_a_closed_one_takes_no_step(raised: Cli, words: tuple[str, ...]) -> None:
    """What is resolved is not answered, settled or referred again."""
    _by(raised, "clerk", "resolve", "E1", "The home is open.")
    answer = _refused(raised, "clerk", *words)
    assert (answer.code, answer.error["rule"]) == (3, "not-open")
    assert "resolved" in answer.error["message"]


def test_overdue_ones_come_first_and_are_said_in_words(raised: Cli) -> None:
    """The list begins with the most overdue, and says by how many days."""
    _raise(raised, "C3", more=("--needed-by", "2025-10-31"))
    _raise(raised, "C2", more=("--needed-by", "2025-10-08"))
    _raise(raised, "C1", more=("--needed-by", "2025-10-02"))
    _by(raised, "clerk", "resolve", "E4", "Settled, but late.")
    at = ("--as-at", "2025-10-21")
    found = raised.data("escalate", "list", *at)["escalations"]
    assert [(e["escalation"], e["days_overdue"]) for e in found] == [
        ("E3", 13), ("E1", 1), ("E2", 0), ("E4", 0),
    ]  # fmt: skip
    assert "path" not in found[0]
    lines = raised.done("--plain", "escalate", "list", *at).out.splitlines()
    assert lines[2].startswith("E3  OVERDUE by 13 days")
    assert "E1  OVERDUE by 1 day " in "\n".join(lines)
    assert "resolved on 6 October 2025" in "\n".join(lines)


@pytest.mark.parametrize(
    ("day", "days"), [("2025-10-20", 0), ("2025-10-21", 1), ("2025-11-01", 12)]
)
def test_overdue_is_as_at_a_date(raised: Cli, day: str, days: int) -> None:
    """The day by which an answer is needed is the last on which it is not overdue."""
    sheet = raised.data("escalate", "show", "E1", "--as-at", day)
    assert (sheet["days_overdue"], sheet["overdue"]) == (days, days > 0)


def test_both_clocks_are_answered(raised: Cli) -> None:
    """As at a day before a step, or as known before its entry, the step is not there."""
    settled = _by(raised, "clerk", "resolve", "E1", "The home is open.").position
    assert raised.data("escalate", "show", "E1")["status"] == "resolved"
    for words in (("--as-at", "2025-10-05"), ("--known-at", f"#{settled - 1}")):
        sheet = raised.data("escalate", "show", "E1", *words)
        assert (sheet["status"], len(sheet["path"])) == ("open", 1)
    raised.done("--as", ADMIN, "void", str(settled), "--reason", "Entered too early.")
    assert raised.data("escalate", "show", "E1")["status"] == "open"
    assert raised.data("escalate", "show", "E1", "--known-at", f"#{settled}")["outcome"]
    before = raised("escalate", "show", "E1", "--as-at", "2025-09-30")
    assert (before.code, "unknown-escalation" in before.err) == (3, True)
    assert raised.data("escalate", "list", "--as-at", "2025-09-30") == {"escalations": []}


def test_the_list_is_narrowed(raised: Cli) -> None:
    """--open, --overdue, --body and --action each leave out what they do not ask for."""
    _raise(raised, "C3", to="cfc", more=("--needed-by", "2025-12-31"))
    _by(raised, "clerk", "resolve", "E1", "Settled.")
    _raise(raised, "C3")
    at = ("--as-at", "2025-11-30")

    def listed(*words: str) -> list[str]:
        rows = raised.data("escalate", "list", *words, *at)["escalations"]
        return sorted(row["escalation"] for row in rows)

    assert listed() == ["E1", "E2", "E3"]
    assert listed("--open") == ["E2", "E3"]
    assert listed("--overdue") == ["E3"]
    assert listed("--body", "IIB") == ["E1", "E3"]
    assert listed("--body", "children and families committee") == ["E2"]
    assert listed("--action", "C2") == ["E1"]
    assert "No escalations." in raised.done("escalate", "list", "--action", "C2", "--open").out


def test_one_action_can_have_several(raised: Cli) -> None:
    """A second issue on the same action is an escalation of its own."""
    again = _raise(raised, "C1")
    assert "E2 raised" in again.out
    assert len(raised.data("escalate", "list", "--action", "C1")["escalations"]) == 2


def test_an_action_that_left_the_plan_is_still_named(board: Cli) -> None:
    """An escalation on an action whose joining was voided since still says which it was."""
    new = ("add", "C9", "--section", "1.1", "--title", "New", "--source", "Council, October 2025")
    added = board.done("amend", *new, "--effective-on", "2025-09-20").position
    _raise(board, "C1", "C9")
    board.done("void", str(added), "--reason", "Of another plan.")
    assert board.data("escalate", "show", "E1")["actions"][1] == {"ref": "C9", "title": None}
    assert "C9  not in the plan" in board.done("escalate", "show", "E1").out


def test_a_number_is_never_used_again(raised: Cli) -> None:
    """An escalation that was voided keeps its number."""
    first = raised.data("escalate", "show", "E1")["path"][0]["position"]
    raised.done("--as", ADMIN, "void", str(first), "--reason", "On the wrong action.")
    assert "E2 raised" in _raise(raised, "C3").out


UNKNOWN = [
    (("show", "E9"), "unknown-escalation", 3),
    (("list", "--body", "nobody"), "unknown-body", 3),
    (("list", "--action", "C9"), "unknown-reference", 3),
    (("list", "--plan", "NONE"), "unknown-plan", 3),
]


@pytest.mark.parametrize(("words", "rule", "code"), UNKNOWN, ids=lambda w: str(w))
def test_unknown_names_are_refused_when_asked(
    raised: Cli, words: tuple[str, ...], rule: str, code: int
) -> None:
    """A question about what is not there is refused with what there is."""
    answer = raised.refused("escalate", *words)
    assert (answer.code, answer.error["rule"]) == (code, rule)


def _raising(*words: str) -> tuple[str, ...]:
    return ("raise", *words, "--issue", ISSUE)


BAD = [
    (("respond", "E9", "What?"), "unknown-escalation", 3),
    (("respond", "E1", "  "), "empty-text", 2),
    (("refer", "E1", "--to", "nobody", *NEEDED), "unknown-body", 3),
    (("refer", "E1", "--to", "cfc", "--needed-by", "2025-10-05"), "needed-before", 3),
    (("refer", "E1", "--to", "cfc", "--needed-by", "2025-02-30"), "no-such-date", 2),
    (_raising("C9", "--body", "iib", "--to", "cfc", *NEEDED), "not-there-yet", 3),
    (_raising("C1", "--body", "iib", "--to", "iib", *NEEDED), "not-up", 3),
    (_raising("C1", "--body", "iib", "--to", "pog", *NEEDED), "not-up", 3),
    (_raising("C1", "--body", "iib", "--to", "cfc"), "usage", 2),
    (_raising("--body", "iib", "--to", "cfc", *NEEDED), "usage", 2),
]


@pytest.mark.parametrize(("words", "rule", "code"), BAD, ids=lambda w: str(w))
def test_bad_input_records_nothing(
    raised: Cli, words: tuple[str, ...], rule: str, code: int
) -> None:
    """What cannot be is refused with its rule, and the ledger's file stays as it is."""
    answer = _refused(raised, "clerk", *words)
    assert answer.code == code
    assert answer.error["rule"] == rule


def test_a_closed_period_needs_a_correction(raised: Cli) -> None:
    """A step in a period that a report has closed says that it is a correction, and why."""
    issued = ("--committee", "CFC", "--ref", "CF/1", "--meeting", "2025-11-10")
    raised.done("report", "issue", *issued, "--as-at", "2025-10-31")
    answer = _refused(raised, "clerk", "respond", "E1", "In June.")
    assert answer.error["rule"] == "period-closed"
    _by(raised, "clerk", "respond", "E1", "In June.", "--correction", "--reason", "Left out.")


def test_every_step_can_be_tried(raised: Cli) -> None:
    """--dry-run tells what would be recorded, and records nothing."""
    with raised.unchanged():
        told = _by(raised, "clerk", "resolve", "E1", "Open.", "--dry-run")
    assert told.out.startswith("Would be recorded as entry ")
    assert "E1 resolved: Open." in told.out


def test_of_two_at_the_same_time_one_is_told(
    raised: Cli, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that another process records while this one decides makes this one start anew."""
    append = Store.append
    once: list[bool] = []

    def overtaken(*given: object, **named: object) -> object:
        if not once:
            once.append(True)
            done = process("--as", "dcs", "escalate", "resolve", "E1", "Settled.", *LATER)
            assert not done.returncode, done.stderr
        return append(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "append", overtaken)
    words = ("--as", "clerk", "--json", "escalate", "refer", "E1", "--to", "cfc", *NEEDED, *LATER)
    answer = raised(*words)
    assert (answer.code, answer.error["rule"]) == (3, "changed-meanwhile")
    assert raised(*words).error["rule"] == "not-open"
    assert [s["step"] for s in raised.data("escalate", "show", "E1")["path"]] == [
        "raised", "resolved",
    ]  # fmt: skip
