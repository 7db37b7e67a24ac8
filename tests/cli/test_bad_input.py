"""Wrong words on the command line: a clear message, the right exit code, nothing recorded."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Process
from tests.cli.driving import BOARD, LATER, WHY, Cli

RATE = ("rate", "P5", "amber", *WHY)
ISSUE = ("report", "issue", "--committee", "C", "--meeting", "2025-11-11", "--ref", "R")
ADD = ("amend", "add", "X1", "--section", "1.1")

REFUSED: list[tuple[str, tuple[str, ...], str, str]] = [
    ("reference", ("rate", "P55", "amber", *WHY), "unknown-reference", "no action 'P55'"),
    ("reference in another case", ("show", "cld9"), "unknown-reference", "no action 'cld9'"),
    ("no reference", ("show", ""), "unknown-reference", "no action ''"),
    ("reference in log", ("log", "ZZ"), "unknown-reference", "no action 'ZZ'"),
    (
        "reference that replaces",
        ("amend", "close", "P5", "--replaced-by", "P55", *LATER, *BOARD, *WHY),
        "unknown-reference",
        "no action 'P55'",
    ),
    ("rating", ("rate", "P5", "Purple", *WHY), "unknown-rating", "'Purple'"),
    ("no rating", ("rate", "P5", "", *WHY), "unknown-rating", "''"),
    ("a standing as rating", ("rate", "P5", "Closed", *WHY), "not-a-rating", "'Closed'"),
    ("future", (*RATE, "--effective-on", "2199-01-01"), "future-date", "2199-01-01"),
    ("before the plan", (*RATE, "--effective-on", "2024-07-16"), "before-plan", "2024-07-16"),
    (
        "closed period",
        (*RATE, "--effective-on", "2025-09-30"),
        "period-closed",
        "Report CF/23/25-26 closed the period up to 2025-09-30",
    ),
    ("void in a closed period", ("void", "238", *WHY), "period-closed", "entry 238"),
    ("void of the first entry", ("void", "1", *WHY), "cannot-be-void", "Entry 1"),
    ("plan", ("overview", "--plan", "NONE"), "unknown-plan", "'NONE'"),
    ("plan in log", ("log", "--plan", "NONE"), "unknown-plan", "'NONE'"),
    ("section", ("impact", "9.9", "No impact seen", *WHY), "unknown-section", "'9.9'"),
    (
        "milestone",
        (*RATE, "--milestone", "3", *LATER),
        "no-such-milestone",
        "no milestone 3",
    ),
    ("before the plan began", ("overview", "--as-at", "2024-07-16"), "not-there-yet", "2024-07-16"),
    ("report of the future", (*ISSUE, "--as-at", "2199-01-01"), "future-date", "2199-01-01"),
    (
        "meeting before its report",
        (*ISSUE[:4], "--meeting", "2025-10-01", "--ref", "R", "--as-at", "2025-10-31"),
        "meeting-before-as-at",
        "2025-10-01",
    ),
    ("no authority", ("amend", "review", "P5", *LATER, *WHY), "needs-authority", "which body"),
    ("delayed twice", ("amend", "delay", "P7", *LATER, *BOARD, *WHY), "no-change", "P7"),
    ("not delayed", ("amend", "resume", "P5", *LATER, *BOARD, *WHY), "not-delayed", "P5"),
    ("complete", ("amend", "delay", "SL1", *LATER, *BOARD, *WHY), "already-complete", "SL1"),
    (
        "same timescale",
        ("amend", "timescale", "P5", "November 2025", *LATER, *BOARD, *WHY),
        "no-change",
        "'November 2025' already",
    ),
    ("closed", ("progress", "C3", "More.", *LATER), "action-closed", "C3"),
    (
        "there already",
        ("amend", "add", "P5", "--section", "1.1", "--title", "T", *LATER, *BOARD, *WHY),
        "already-there",
        "P5",
    ),
]

MISTYPED: list[tuple[str, tuple[str, ...], str, str]] = [
    ("date", ("overview", "--as-at", "2025-02-30"), "no-such-date", "'2025-02-30'"),
    ("effective date", (*RATE, "--effective-on", "31/09/2025"), "no-such-date", "'31/09/2025'"),
    ("no date", ("overview", "--as-at", ""), "no-such-date", "''"),
    ("date in words", ("diff", "yesterday", "2025-09-30"), "no-such-date", "'yesterday'"),
    ("year 1", ("log", "--since", "0001-01-01"), "no-such-date", "'0001-01-01'"),
    ("year 9999", ("log", "--until", "9999-12-31"), "no-such-date", "'9999-12-31'"),
    ("known in year 9999", ("show", "--known-at", "9999-12-31"), "no-such-date", "9999"),
    ("known in year 1", ("show", "--known-at", "0001-01-01T00:00Z"), "no-such-date", "0001"),
    ("instant", ("show", "--known-at", "2025-09-30T25:00"), "no-such-date", "T25:00"),
    ("entry", ("show", "--known-at", "#327"), "no-such-entry", "no entry 327"),
    ("entry in words", ("show", "--known-at", "#last"), "no-such-entry", "'#last'"),
    ("entry beyond all", ("show", "--known-at", "#" + "9" * 5000), "no-such-entry", "999"),
    ("entry to void", ("void", "327", *WHY), "no-such-entry", "no entry 327"),
    ("entry to void beyond all", ("void", "9" * 30, *WHY), "usage", "999"),
    ("limit beyond all", ("log", "--limit", "9" * 30), "usage", "999"),
    (
        "since after as-at",
        ("changes", "--since", "2025-09-30", "--as-at", "2025-09-29"),
        "since-after-as-at",
        "2025-09-30",
    ),
    ("type", ("log", "--type", "rated"), "unknown-type", "'rated'"),
    ("field", ("why", "P5", "due"), "unknown-field", "'due'"),
    ("no reason", ("rate", "P5", "amber"), "needs-reason", "reason"),
    ("blank reason", ("rate", "P5", "amber", "--reason", "  "), "needs-reason", "reason"),
    ("blank reason to void", ("void", "238", "--reason", " "), "needs-reason", "reason"),
    (
        "correction without a reason",
        ("progress", "P5", "Done.", "--effective-on", "2025-09-01", "--correction"),
        "needs-reason",
        "reason",
    ),
    ("half a decision", ("amend", "delay", "P5", *WHY, *BOARD[2:]), "half-a-decision", "a body"),
    (
        "blank body",
        ("amend", "delay", "P5", *WHY, "--decided-by", " ", *BOARD[2:]),
        "half-a-decision",
        "a body",
    ),
    ("blank progress", ("progress", "P5", " \n "), "empty-text", "progress note"),
    ("blank timescale", ("amend", "timescale", "P5", "", *BOARD, *WHY), "empty-timescale", "empty"),
    ("blank title", ("amend", "reword", "P5", " ", *BOARD, *WHY), "empty-text", "wording"),
    ("blank owner", ("amend", "owner", "P5", " ; ", *BOARD, *WHY), "empty-text", "owner"),
    ("new action without title", (*ADD, "--title", "", *BOARD, *WHY), "empty-text", "wording"),
    (
        "new action without owner",
        (*ADD, "--title", "T", "--owner", "", *BOARD, *WHY),
        "empty-text",
        "owner",
    ),
    (
        "bad reference",
        ("amend", "add", "X/1", "--section", "1.1", "--title", "T", *BOARD, *WHY),
        "bad-reference",
        "'X/1'",
    ),
    (
        "blank replacement",
        ("amend", "close", "P5", "--replaced-by", "", *BOARD, *WHY),
        "bad-reference",
        "''",
    ),
    ("blank report", (*ISSUE[:-1], " ", "--as-at", "2025-10-31"), "empty-text", "report"),
    ("milestone 0", (*RATE, "--milestone", "0"), "usage", "--milestone"),
    ("missing word", ("rate", "P5"), "usage", "RATING"),
    ("too many words", ("show", "P5", "P6"), "usage", "P6"),
    ("unknown option", ("show", "--colour"), "usage", "--colour"),
    ("unknown command", ("frobnicate",), "usage", "'frobnicate'"),
    ("unknown amendment", ("amend", "frobnicate"), "usage", "'frobnicate'"),
    ("a choice that is none", ("log", "--clock", "wall"), "usage", "'wall'"),
]


@pytest.mark.parametrize(
    ("words", "rule", "said"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_rule_refuses(cli: Cli, words: tuple[str, ...], rule: str, said: str) -> None:
    """What a rule refuses ends with 3, names the rule and what was wrong, and records nothing."""
    answer = cli.refused(*words)
    assert (answer.code, answer.error["code"], answer.error["rule"]) == (3, "refused", rule)
    assert said in answer.error["message"]
    assert answer.err.startswith("Refused (")


@pytest.mark.parametrize(
    ("words", "rule", "said"), [case[1:] for case in MISTYPED], ids=[case[0] for case in MISTYPED]
)
def test_words_are_not_understood(cli: Cli, words: tuple[str, ...], rule: str, said: str) -> None:
    """What cannot be read ends with 2, says which word it was, and records nothing."""
    answer = cli.refused(*words)
    assert (answer.code, answer.error["code"], answer.error["rule"]) == (2, "usage", rule)
    assert said in answer.error["message"]
    assert answer.err.startswith("Not understood (")


ONE_LINE: dict[str, tuple[str, ...]] = {
    "body": ("amend", "delay", "P5", *WHY, *BOARD[2:], "--decided-by"),
    "minute": ("amend", "delay", "P5", *WHY, *BOARD[:4], "--minute"),
    "source": ("rate", "P5", "Green", "--source"),
    "committee": (*ISSUE[:2], *ISSUE[4:], "--as-at", "2025-10-31", "--committee"),
    "report": (*ISSUE[:-2], "--as-at", "2025-10-31", "--ref"),
}
ODD = {
    "line break": ("Board\nof two", "control-character", "a line break"),
    "return": ("Board\rof two", "control-character", "a line break"),
    "escape code": ("\x1b[31mBoard", "control-character", "U+001B"),
    "line separator": ("Board\u2028two", "control-character", "U+2028"),
    "too long": ("x" * 201, "text-too-long", "201"),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("name", ONE_LINE)
def test_names_and_references_are_one_line(cli: Cli, name: str, odd: str) -> None:
    """A body, minute, source, committee or report is one printable line of 200 characters."""
    written, rule, said = ODD[odd]
    answer = cli.refused(*ONE_LINE[name], written)
    assert (answer.code, answer.error["rule"]) == (2, rule)
    assert said in answer.error["message"]


@pytest.mark.parametrize("odd", ODD)
def test_a_person_is_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch, odd: str) -> None:
    """A person's name is one printable line, from --as and from the environment."""
    written, rule, _said = ODD[odd]
    assert cli.refused("--as", written, "progress", "P5", "Done.").error["rule"] == rule
    monkeypatch.setenv("GOVLEDGER_PERSON", written)
    assert cli.refused("progress", "P5", "Done.").error["rule"] == rule


def test_texts_may_have_lines_but_no_codes(cli: Cli) -> None:
    """A note may have several lines, in any writing; an escape code in it is refused."""
    written = "Fyrsta lína þ\n\t二三 🙂 e\u0301 \u202e"
    cli.done("progress", "P5", written, *LATER, "--reason", written)
    assert cli.data("show", "P5")["progress"] == written
    assert cli.data("log", "P5")["entries"][-1]["reason"] == written
    for words in (("progress", "P5", "a\x1b[2Jb"), (*RATE[:3], "--reason", "a\x00b")):
        assert cli.refused(*words, *LATER).error["rule"] == "control-character"


def test_a_megabyte_of_reason(cli: Cli) -> None:
    """A text of a megabyte is refused; one of a hundred thousand characters is not."""
    long = "why " * 250_000
    assert cli.refused(*RATE[:3], *LATER, "--reason", long).error["rule"] == "text-too-long"
    cli.done(*RATE[:3], *LATER, "--reason", "why " * 25_000)
    assert len(cli.data("log", "P5")["entries"][-1]["reason"]) == 99_999


def test_bytes_that_are_no_text(process: Process, cli: Cli) -> None:
    """Bytes that are not UTF-8 are refused wherever they stand, without a traceback."""
    bad = b"bad\xff".decode("utf-8", "surrogateescape")
    cases: list[tuple[tuple[str, ...], dict[str, str]]] = [
        ((*RATE[:3], "--reason", bad), {}),
        (("--as", bad, *RATE), {}),
        (("--ledger", bad, "overview"), {}),
        (("show", bad), {}),
        (("plan", "import", bad, "--as-at", "2025-10-31", "--source", "S"), {}),
        (RATE, {"GOVLEDGER_PERSON": bad}),
        (("overview",), {"GOVLEDGER_LEDGER": bad}),
    ]
    with cli.unchanged():
        for words, env in cases:
            answer = process(*words, env=env)
            assert answer.returncode == 2, answer
            assert answer.stderr.startswith("Not understood (not-text): ")
            assert "Traceback" not in answer.stderr
        said = process("--json", "show", bad)
        assert json.loads(said.stdout)["error"]["rule"] == "not-text"


def test_a_screen_that_lacks_a_character(process: Process, cli: Cli) -> None:
    """A screen that cannot show a character shows another; JSON is escaped for it."""
    cli.done("progress", "P5", "Þriðja 三", *LATER)
    env = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    shown = process("show", "P5", env=env, encoding="latin-1")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Progress   Þriðja ?" in shown.stdout
    answer: Any = json.loads(process("--json", "show", "P5", env=env).stdout)
    assert answer["data"]["progress"] == "Þriðja 三"


def test_demo_where_it_cannot_be(cli: Cli) -> None:
    """A demo in a place that is a file is refused and not attempted."""
    Path("file").write_text("something", encoding="utf-8")
    for where in ("file", "file/below"):
        answer = cli.refused("demo", where)
        assert answer.code == 1
        assert "file" in answer.error["message"]
