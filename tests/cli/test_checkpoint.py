"""`checkpoint`, its keys and cosigning, and the checkpoints that reports record."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ledger.checkpoint import read_checkpoint
from ledger.note import parse_verifier
from tests.cli.driving import LATER, WHY, Cli
from tests.ledger.behind import tamper

PAPER = ("report", "issue", "--committee", "C", "--meeting", "2025-11-11", "--ref")
NEXT = ("--as-at", "2025-10-31")


def log_key(cli: Cli) -> str:
    return cli.done("checkpoint", "key", "show").out.strip()


def grow(cli: Cli) -> None:
    cli.done("rate", "P5", "Red", *LATER, *WHY)


@pytest.fixture
def cosigner(cli: Cli) -> tuple[str, ...]:
    """A cosigner that has cosigned the ledger once; the words that cosign with its key."""
    cli.done("checkpoint", "key", "new", "--cosigner", "scrutiny", "--key", "c.key")
    cli.done("checkpoint", "--out", "c0.txt")
    words = ("--key", "c.key")
    cli.done("checkpoint", "cosign", "c0.txt", *words, "--log-key", log_key(cli), "--out", "c1.txt")
    return words


def test_a_checkpoint_is_of_the_entries_asked_for(cli: Cli) -> None:
    """Now, earlier, or as a report recorded it; each opens by the key that `key show` prints."""
    verifier = parse_verifier(log_key(cli))
    report = cli.data("log", "--type", "plan.report_issued")["entries"][0]["position"]
    for words, size in (
        ((), cli.data("status")["size"]),
        (("--known-at", "#100"), 100),
        (("--report", "CF/23/25-26"), report - 1),
    ):
        held = read_checkpoint(cli.done("checkpoint", *words).out.encode())
        held.opened_with(verifier)
        asked = cli.done("--json", "overview", "--known-at", f"#{size}").json
        assert (held.checkpoint.size, held.checkpoint.root.hex()) == (size, asked["root"])
        assert held.checkpoint.ledger_id == asked["ledger"]


def test_a_checkpoint_goes_into_a_file(cli: Cli) -> None:
    """--out writes the same note; it writes over a checkpoint, and over nothing else."""
    Path("letter.txt").write_text("Dear all\n")
    printed = cli.done("checkpoint").out
    for _twice in range(2):
        assert "Wrote the checkpoint" in cli.done("checkpoint", "--out", "c.txt").out
        assert Path("c.txt").read_text(encoding="utf-8") == printed
    assert cli.refused("checkpoint", "--out", "letter.txt").error["rule"] == "already-there"
    ledger = str(cli.path)
    assert cli.refused("checkpoint", "--out", ledger).error["rule"] == "already-there"
    assert Path("letter.txt").read_text() == "Dear all\n"


@pytest.mark.parametrize(
    "words",
    [
        ("checkpoint", "--report", "R", "--known-at", "#3"),
        ("checkpoint", "--plan", "CSIP"),
        ("checkpoint", "--known-at", "#3", "key", "show"),
        ("checkpoint", "key", "new", "--cosigner", "x"),
        ("verify", "--log-key", "x"),
    ],
)
def test_words_that_do_not_go_together(cli: Cli, words: tuple[str, ...]) -> None:
    """What makes no sense together is a mistake of usage."""
    assert cli(*words).code == 2


def test_reports_and_keys_that_are_not_there(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown report, and a key that is missing, open to others, or of another ledger."""
    assert cli.refused("checkpoint", "--report", "X").error["rule"] == "unknown-report"
    cli.done("--ledger", "other.sqlite", "init")
    cli.done("--ledger", "other.sqlite", "checkpoint", "key", "new", "--key", "other.key")
    refused = cli.refused("checkpoint", "--key", "other.key")
    assert (refused.code, refused.error["rule"]) == (3, "other-log-key")
    Path("other.key").chmod(0o644)
    assert cli.refused("checkpoint", "--key", "other.key").error["rule"] == "open-key"
    monkeypatch.setenv("GOVLEDGER_CHECKPOINT_KEY", "missing.key")
    for words in (("checkpoint",), ("prove", "entry", "3"), ("checkpoint", "key", "show")):
        assert cli.refused(*words).error["rule"] == "needs-checkpoint-key"


def test_a_key_is_made_once(cli: Cli) -> None:
    """`key new` never writes over a key, and the file is its owner's alone."""
    cli.done("checkpoint", "key", "new", "--key", "new.key")
    before = Path("new.key").read_bytes()
    assert os.stat("new.key").st_mode & 0o777 == 0o600
    assert cli.refused("checkpoint", "key", "new", "--key", "new.key").error["rule"] == (
        "already-there"
    )
    assert Path("new.key").read_bytes() == before


# --- reports ------------------------------------------------------------------------------


def test_the_first_report_makes_the_key(
    empty: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no report has a checkpoint the key is made, said, and outside the ledger's folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    Path("plan.csv").write_text("ref,section,title\nA1,1,Do\n", encoding="utf-8")
    day = ("--as-at", "2025-06-01", "--source", "S")
    empty.done("plan", "import", "plan.csv", "--plan", "P", *day)
    words = (*PAPER, "R1", "--as-at", "2025-06-30")
    tried = empty.done(*words, "--dry-run")
    assert "A key would be made" in tried.err
    assert not (tmp_path / "settings").exists(), "a dry run made a key"
    assert empty(*PAPER, "R1", "--as-at", "2031-01-01").code == 3
    assert not (tmp_path / "settings").exists(), "a refused report made a key"
    answer = empty.done(*words)
    assert "Made the key that signs this in" in answer.err
    assert "govledger checkpoint --report R1" in answer.out
    assert log_key(empty) in answer.err
    assert len(list((tmp_path / "settings").rglob("*.key"))) == 1
    again = empty.done(*PAPER, "R2", "--as-at", "2025-07-31")
    assert again.err == ""
    assert empty.done("verify").code == 0


def test_a_later_report_needs_the_same_key_or_a_new_one_on_purpose(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the key of earlier reports is not here, no report is issued without a choice."""
    monkeypatch.delenv("GOVLEDGER_CHECKPOINT_KEY")
    for dry_run in ((), ("--dry-run",)):
        refused = cli.refused(*PAPER, "R2", *NEXT, *dry_run)
        assert (refused.code, refused.error["rule"]) == (3, "needs-checkpoint-key")
        assert "checkpoint key new" in refused.error["hint"]
    cli.done("checkpoint", "key", "new", "--key", "new.key")
    answer = cli.done(*PAPER, "R2", *NEXT, "--key", "new.key")
    assert "another key than the last report" in answer.err
    assert cli.done("verify").code == 0


def test_the_key_signs_nothing_that_does_not_continue_what_it_signed(cli: Cli) -> None:
    """A ledger put back to an older copy, or rewritten, gets no checkpoint, report or proof."""
    older = cli.path.read_bytes()
    grow(cli)
    cli.done("checkpoint")
    cli.done("checkpoint", "--known-at", "#5")
    cli.path.write_bytes(older)
    asked = (("checkpoint",), ("prove", "entry", "3"), (*PAPER, "R2", *NEXT))
    for words in asked:
        refused = cli.refused(*words)
        assert (refused.code, refused.error["rule"]) == (5, "rolled-back")
    cli.done("rate", "P7", "Red", *LATER, *WHY)
    for words in asked:
        refused = cli.refused(*words)
        assert (refused.code, refused.error["rule"]) == (5, "other-history")
    cli.done("checkpoint", "key", "show")


# --- cosigning ----------------------------------------------------------------------------


def test_an_evening_with_a_cosigner(cli: Cli, cosigner: tuple[str, ...]) -> None:
    """Cosigned, grown, proven, cosigned again: the note then carries both signatures."""
    grow(cli)
    cli.done("prove", "since", "c1.txt", "--out", "since.txt")
    cli.done("checkpoint", "cosign", "since.txt", *cosigner, "--out", "c2.txt")
    held = read_checkpoint(Path("c2.txt").read_bytes())
    own = parse_verifier(log_key(cli))
    theirs = parse_verifier(cli.done("checkpoint", "key", "show", *cosigner).out.strip())
    found = held.opened_with(own, [theirs])
    assert [one.verifier for one in found] == [own, theirs]
    assert found[1].seconds is not None
    cli.done("checkpoint", "--out", "c3.txt")
    proof = ("--proof", "since.txt")
    assert cli.refused("checkpoint", "cosign", "c1.txt", *cosigner).error["rule"] == "rolled-back"
    cli.done("checkpoint", "cosign", "c3.txt", *cosigner, *proof)


def test_a_cosigner_needs_no_ledger(cli: Cli, cosigner: tuple[str, ...]) -> None:
    """With the ledger gone the cosigner still cosigns, refuses and shows its key."""
    cli.path.unlink()
    answer = cli.done("--json", "checkpoint", "cosign", "c0.txt", *cosigner)
    assert answer.json["position"] == read_checkpoint(Path("c0.txt").read_bytes()).checkpoint.size
    cli.done("checkpoint", "key", "show", *cosigner)


def test_a_cosigner_refuses_a_ledger_that_was_rewritten(
    cli: Cli, cosigner: tuple[str, ...]
) -> None:
    """A ledger put back to an older copy, then grown another way, cannot prove that it goes on."""
    older = cli.path.read_bytes()
    grow(cli)
    cli.done("prove", "since", "c1.txt", "--out", "since.txt")
    cli.done("checkpoint", "cosign", "since.txt", *cosigner, "--out", "c2.txt")
    cli.path.write_bytes(older)
    refused = cli.refused("prove", "since", "c2.txt")
    assert (refused.code, refused.error["rule"]) == (5, "rolled-back")
    cli.done("rate", "P7", "Red", *LATER, *WHY)
    refused = cli.refused("prove", "since", "c2.txt")
    assert (refused.code, refused.error["rule"]) == (5, "other-history")
    Path("checkpoint.key.seen").unlink()  # whoever rewrites may have a copy of the key alone
    cli.done("checkpoint", "--out", "fork.txt")
    refused = cli.refused("checkpoint", "cosign", "fork.txt", *cosigner)
    assert (refused.code, refused.error["rule"]) == (5, "other-history")
    cli.done("rate", "P7", "Amber", *LATER, *WHY)
    cli.done("prove", "since", "c1.txt", "--out", "other.txt")
    refused = cli.refused("checkpoint", "cosign", "other.txt", *cosigner)
    assert refused.error["rule"] == "stale-proof"
    cli.done("checkpoint", "--out", "later.txt")
    refused = cli.refused("checkpoint", "cosign", "later.txt", *cosigner)
    assert refused.error["rule"] == "needs-proof"
    forged = Path("other.txt").read_text(encoding="utf-8").partition("\n")[2]
    size = read_checkpoint(Path("c2.txt").read_bytes()).checkpoint.size
    Path("forged.txt").write_text(f"old {size}\n{forged}", encoding="utf-8")
    refused = cli.refused("checkpoint", "cosign", "forged.txt", *cosigner)
    assert refused.error["rule"] == "proof-fails"


def test_what_cannot_be_cosigned(cli: Cli, cosigner: tuple[str, ...]) -> None:
    """A proof of an entry, a file that is neither, the ledger's own key, an unknown ledger."""
    cli.done("prove", "entry", "3", "--out", "e.txt")
    Path("letter.txt").write_text("Dear all\n")
    own = os.environ["GOVLEDGER_CHECKPOINT_KEY"]
    cli.done("checkpoint", "key", "new", "--cosigner", "other", "--key", "o.key")
    for words, rule in (
        (("c0.txt", *cosigner, "--proof", "e.txt"), "other-proof"),
        (("letter.txt", *cosigner), "unreadable-note"),
        (("e.txt", *cosigner), "unreadable-checkpoint"),
        (("c0.txt", "--key", own), "not-a-cosigner"),
        (("c0.txt", "--key", "o.key"), "needs-log-key"),
        (("c0.txt", *cosigner, "--log-key", "x+y+z"), "unreadable-key"),
        (("missing.txt", *cosigner), "cannot-open"),
    ):
        assert cli.refused("checkpoint", "cosign", *words).error["rule"] == rule


# --- verify -------------------------------------------------------------------------------


def kinds(cli: Cli, *words: str) -> list[str]:
    answer = cli("--json", "verify", *words)
    assert answer.code == (5 if answer.data["findings"] else 0)
    return [finding["kind"] for finding in answer.data["findings"]]


def test_verify_holds_a_ledger_to_a_checkpoint(cli: Cli) -> None:
    """Rolled back, rewritten, or with a signature bent: each is found, and nothing where whole."""
    older = cli.path.read_bytes()
    grow(cli)
    cli.done("checkpoint", "--out", "c.txt")
    held = ("--checkpoint", "c.txt", "--log-key", log_key(cli))
    assert kinds(cli, *held) == []
    grown = cli.path.read_bytes()
    cli.path.write_bytes(older)
    assert kinds(cli, *held) == ["rolled-back"]
    cli.done("rate", "P7", "Red", *LATER, *WHY)
    assert kinds(cli, *held) == ["other-history"]
    cli.path.write_bytes(grown)
    line = Path("c.txt").read_text(encoding="utf-8")
    Path("c.txt").write_text(line.replace("327\n", "326\n", 1), encoding="utf-8")
    assert kinds(cli, *held) == ["bad-signature", "other-history"]
    other = cli.refused("verify", "--checkpoint", "c.txt", "--log-key", "x+y+z")
    assert other.error["rule"] == "unreadable-key"


def test_a_checkpoint_of_another_ledger_holds_nothing(cli: Cli) -> None:
    """That the wrong file was given is said, and is no finding."""
    cli.done("--ledger", "o.sqlite", "init")
    cli.done("--ledger", "o.sqlite", "checkpoint", "key", "new", "--key", "o.key")
    cli.done("--ledger", "o.sqlite", "checkpoint", "--key", "o.key", "--out", "o.txt")
    for words in (("verify", "--checkpoint"), ("prove", "since")):
        refused = cli.refused(*words, "o.txt")
        assert (refused.code, refused.error["rule"]) == (3, "other-ledger")


def test_a_rewrite_of_everything_shows_in_the_reports_checkpoint(cli: Cli) -> None:
    """Whoever changes a report's checkpoint in the file is found, hashes or none."""
    at = cli.data("log", "--type", "plan.report_issued")["entries"][0]["position"]
    with closing(sqlite3.connect(cli.path)) as connection:
        query = "SELECT payload FROM entries WHERE position = ?"
        ((payload,),) = connection.execute(query, [at])
    said = json.loads(payload)
    size = said["known_at"]
    bent = payload.replace(b'"known_at":%d' % size, b'"known_at":%d' % (size - 1))
    tamper(cli.path, f"UPDATE entries SET payload = x'{bent.hex()}' WHERE position = {at}")
    assert {"entry-changed", "bad-checkpoint"} <= set(kinds(cli))


def test_start_up_loads_no_cryptography(cli: Cli) -> None:
    """What reads and records does not pay for the library that signs."""
    given = [["status"], ["overview"], ["rate", "P5", "Red", *LATER, *WHY], ["log"]]
    code = (
        "import sys, cli.main\n"
        f"assert not any([cli.main.run(words) for words in {given!r}])\n"
        "print('cryptography' in sys.modules, file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stderr == "False\n"
