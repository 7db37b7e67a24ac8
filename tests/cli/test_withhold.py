"""`withhold` and `exempt` as typed: what is asked and shown, and what every view says after."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ledger import sqlite
from tests.boards import CODE, Boards
from tests.cli.driving import BOARD, Cli

BASIS = ("--basis", "Data Protection Act 2018")
GONE = "[withheld: Data Protection Act 2018]"
DECIDED = (*BASIS, *BOARD)


@pytest.fixture
def boards(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """A ledger with a signed-off action, driven as its administrator."""
    made = Boards(tmp_path / "boards.sqlite")
    made.signed_off("C1")
    made.ledger.close()
    monkeypatch.setenv("GOVLEDGER_LEDGER", str(tmp_path / "boards.sqlite"))
    monkeypatch.setenv("GOVLEDGER_PERSON", "A. Registrar")
    monkeypatch.chdir(tmp_path)
    return Cli(tmp_path / "boards.sqlite", capsys, monkeypatch)


def find(cli: Cli, kind: str) -> int:
    """The position of the first entry of that type."""
    return int(cli.data("log", "--type", kind)["entries"][0]["position"])


def test_it_is_confirmed_by_the_number(boards: Cli) -> None:
    """Without a terminal nothing is asked: the number is given, and another one is refused."""
    added = find(boards, "action.added")
    words = ("withhold", str(added), "title", *DECIDED)
    assert boards.refused(*words).error["rule"] == "needs-confirm"
    assert boards.refused(*words, "--confirm", "7").error["rule"] == "not-confirmed"
    answer = boards.done(*words, "--confirm", str(added))
    assert answer.position
    assert "docs/withholding.md" in answer.err
    again = boards.done(*words)
    assert again.out.startswith(
        f"The text 'title' of entry {added} is already withheld by entry {answer.position}."
    )


def test_on_a_terminal_the_text_is_shown_and_the_number_asked(boards: Cli) -> None:
    """Whoever is asked sees what will be gone, and pressing Enter stops."""
    added = find(boards, "action.added")
    program = Path(sys.executable).parent / "govledger"
    for typed, code in (("\n", 3), (f"{added}\n", 0)):
        ours, theirs = pty.openpty()
        words = [str(program), "withhold", str(added), "title", *DECIDED]
        with subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs) as running:
            os.close(theirs)
            os.write(ours, typed.encode())
            said = b""
            while True:
                try:
                    part = os.read(ours, 65536)
                except OSError:
                    break
                if not part:
                    break
                said += part
        os.close(ours)
        assert running.returncode == code, said
        assert b"Edge of care offer" in said
        assert f"Type {added} to delete it".encode() in said


def test_a_dry_run_tells_where_and_not_what(boards: Cli) -> None:
    """A dry run lists the other places with their commands, and prints no word of the text."""
    added = find(boards, "action.added")
    with boards.unchanged():
        answer = boards.done("withhold", str(added), "title", *DECIDED, "--dry-run")
        data = boards.data("withhold", str(added), "title", *DECIDED, "--dry-run")
    recommended = find(boards, "signoff.recommended")
    assert f"entry {recommended}, shown: govledger withhold {recommended} shown" in answer.out
    assert "Edge of care offer" not in answer.out + answer.err
    assert data["copies"] == [{"position": recommended, "field": "shown", "whole": False}]
    assert (data["dry_run"], data["left_to_do"], data["in_clear"]) == (True, None, [])


def test_what_stands_outside_the_texts_is_named(boards: Cli) -> None:
    """A role that is the name of a body too stands where nothing can be deleted: that is said."""
    person = boards.data("log", "person/clerk")["entries"][0]["position"]
    words = ("person", "role", "clerk", "Partnership Oversight Group")
    role = boards.done(*words, "--effective-on", "2025-10-01").position
    answer = boards.done("withhold", str(role), "role", *DECIDED, "--dry-run")
    assert role > person
    assert re.search(r"nothing can be deleted: in entry \d+", answer.out)


def test_the_options_that_are_needed(boards: Cli) -> None:
    """No basis, no decision, half a decision, another plan, no such text: said, and unchanged."""
    n = str(find(boards, "action.added"))
    assert boards.refused("withhold", n, "title", *BOARD).error["rule"] == "needs-basis"
    assert boards.refused("withhold", n, "title", *BASIS).error["rule"] == "needs-authority"
    half = boards.refused("withhold", n, "title", *BASIS, "--decided-by", "B")
    assert half.error["rule"] == "half-a-decision"
    other = boards.refused("withhold", n, "title", *DECIDED, "--plan", "OTHER")
    assert other.error["rule"] == "unknown-plan"
    first = boards.refused("withhold", "1", "name", *DECIDED, "--plan", CODE)
    assert first.error["rule"] == "not-on-this"
    unknown = boards.refused("exempt", n, "shown", *DECIDED)
    assert unknown.error["hint"] == "Its texts: recorded_by, title, owners, timescale."
    clerk = boards.refused("--as", "clerk", "withhold", n, "title", *DECIDED)
    assert (clerk.code, clerk.error["rule"]) == (4, "not-administrator")


VIEWS = (
    ("overview",),
    ("show",),
    ("show", "C1"),
    ("changes", "--since", "2025-01-01"),
    ("log",),
    ("log", "C1"),
    ("why", "C1"),
    ("diff", "2025-01-06", "2025-10-09"),
    ("signoff", "list"),
    ("signoff", "list", "--stale"),
    ("signoff", "show", "C1"),
    ("evidence", "list", "C1"),
    ("person", "list"),
    ("review", "stale"),
    ("review", "meeting", "iib", "2025-10-09"),
    ("status",),
    ("verify",),
)


def test_every_view_answers_and_none_shows_what_is_withheld(boards: Cli) -> None:
    """In words and in JSON no view shows a withheld text; most show on what basis it is gone."""
    secrets = {
        ("action.added", "title"): "Edge of care offer",
        ("person.enrolled", "name"): "The independent chair",
        ("evidence.lodged", "called"): "performance of C1",
        ("signoff.recommended", "reason"): "The work is done.",
    }
    asked = {words: boards("--json", *words) for words in VIEWS}
    for words, answer in asked.items():
        assert answer.code == 0, (words, answer)
    shown = "".join(answer.out for answer in asked.values())
    for (kind, field), text in secrets.items():
        assert text in shown, text
        n = str(find(boards, kind))
        boards.done("withhold", n, field, *DECIDED, "--copies", "--confirm", n)
    told = 0
    for words in VIEWS:
        for form in ((), ("--json",)):
            answer = boards(*form, *words)
            assert answer.code == 0, (words, answer)
            # A column of words may be broken anywhere between them.
            plain = " ".join(answer.out.split())
            assert not [text for text in secrets.values() if text in plain], words
            told += "[withheld:" in plain
    assert told > len(VIEWS)
    # The four, what was shown with the wording in it, and the statement with the name in it.
    assert boards.data("status")["texts"] == {"withheld": 6, "exempt": 0}


def test_verify_counts_what_is_withheld(boards: Cli) -> None:
    """`verify` says how many texts are withheld, and which signatures nobody can check any more."""
    n = str(find(boards, "signoff.voted"))
    boards.done("withhold", n, "statement", *DECIDED, "--confirm", n)
    said = boards.done("verify").out
    assert "1 text is withheld, by an entry that says on what basis." in said
    assert "Signatures that nobody can check, as the statement is withheld: 1." in said
    data = boards.data("verify")
    assert (data["withheld"], data["signatures_withheld"], data["signatures_checked"]) == (1, 1, 1)
    boards.done("signoff", "export", "proofs", "C1")
    readme = Path("proofs", "README.txt").read_text(encoding="utf-8")
    assert "its statement is withheld: Data Protection Act 2018" in readme


def test_a_file_that_could_not_be_cleaned(boards: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is recorded, and the exit code says that something is left; given again, it is done."""
    n = str(find(boards, "action.added"))
    words = ("withhold", n, "title", *DECIDED)
    with monkeypatch.context() as patched:
        patched.setattr(sqlite.SQLite, "scrub", lambda _self: "Somebody is reading.")
        first = boards(*words, "--confirm", n)
    assert first.code == 1
    assert first.position
    assert "Somebody is reading.\n" in first.err
    assert boards(*words).code == 0


def test_exempt_and_back(boards: Cli) -> None:
    """An exempt text is still shown; lifted, it is exempt no more."""
    n = str(find(boards, "action.added"))
    boards.done("exempt", n, "title", *DECIDED)
    assert "Edge of care offer" in boards.done("show", "C1").out
    assert boards.data("status")["texts"] == {"withheld": 0, "exempt": 1}
    boards.done("exempt", n, "title", *BOARD, "--lift")
    assert boards.data("status")["texts"] == {"withheld": 0, "exempt": 0}
    assert boards.refused("exempt", n, "title", *BOARD, "--lift").error["rule"] == "not-exempt"
