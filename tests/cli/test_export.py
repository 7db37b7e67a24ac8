"""Exports by the front door: made at once or not at all, verified, and restored from."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cli.main import run
from domain.errors import Failed
from ledger import exported
from ledger.checkpoint import origin_of
from projections import restoring
from tests.cli.driving import Answer, Cli
from tests.fixed import everything_fixed, small
from tests.ledger.behind import tamper
from tests.servers import Server
from tests.verifier.driving import ours, single

DECIDED = ("--decided-by", "Improvement Board", "--meeting", "2025-10-09", "--minute", "8")


def _root(answer: Answer) -> str:
    return answer.out.split("Root ")[1].split()[-1]


def test_the_example_there_and_back(cli: Cli) -> None:
    """Both verifiers pass its export, and import-ledger makes the same ledger of it."""
    said = cli.done("export", "evidence").out
    assert said.startswith("Exported 326 entries and 1106 texts to evidence.\nRoot ")
    assert said.endswith("Next: govledger verify evidence\n")
    key = cli.done("checkpoint", "key", "show").out.strip()
    held = ("--checkpoint", "evidence/checkpoint", "--log-key", key)
    assert "Verified: 326 entries" in cli.done("verify", "evidence", *held).out
    code, found, printed = single(Path("evidence"), *held, program=Path("evidence/verify.py"))
    assert (code, found) == (0, set())
    assert "agrees with the history up to entry 326; signed by govledger/" in printed
    said = cli.done("import-ledger", "evidence", "--ledger", "restored.sqlite").out
    assert said.startswith("Restored 326 entries to restored.sqlite, and verified them there.")
    restored = cli.done("--ledger", "restored.sqlite", "verify").out
    assert restored == cli.done("verify").out
    for words in (("overview", "--as-at", "2025-09-30"), ("log",)):
        assert cli.done("--ledger", "restored.sqlite", *words).out == cli.done(*words).out
    refused = cli("import-ledger", "evidence", "--ledger", "restored.sqlite")
    assert refused.code == 1
    assert "(already-there)" in refused.err


def test_onto_a_server(cli: Cli, postgres: Server) -> None:
    """An export is restored into an empty database on a server, once."""
    address = postgres.new()
    cli.done("export", "evidence")
    said = cli.done("import-ledger", "evidence", "--ledger", address)
    assert _root(said) == _root(cli.done("verify"))
    assert cli("import-ledger", "evidence", "--ledger", address).code == 1


def test_the_governance_example(own_place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What boards decided verifies with both, restores, and stock ssh-keygen checks the votes."""
    assert run(["demo", "--governance", "demo"]) == 0
    assert run(["--ledger", "demo/govledger.sqlite", "export", "evidence"]) == 0
    capsys.readouterr()
    code, _, answer = ours(Path("evidence"))
    assert (code, answer["data"]["signatures_checked"]) == (0, 22)
    code, _, printed = single(Path("evidence"))
    assert code == 0
    assert "signatures: 22" in printed
    scripts = list(Path("evidence", "signatures").glob("*/verify.sh"))
    assert len(scripts) == 1
    ran = subprocess.run(["sh", str(scripts[0])], capture_output=True, text=True)
    assert ran.returncode == 0
    assert ran.stdout.endswith("Everything is good.\n")
    assert run(["--ledger", "again.sqlite", "import-ledger", "evidence"]) == 0
    assert answer["root"] in capsys.readouterr().out
    assert ours(None, before=("--ledger", "again.sqlite"))[2]["root"] == answer["root"]


def test_never_half_an_export(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where something fails on the way, nothing is left behind; nothing is written over."""
    before = set(Path().iterdir())
    calls = iter(range(100))

    def full(*_: object) -> bytes:
        if next(calls) == 50:
            raise OSError(28, "No space left on device")
        return b"{}"

    with monkeypatch.context() as patch:
        patch.setattr(exported, "entry_line", full)
        assert cli("export", "evidence").code == 1
    assert set(Path().iterdir()) == before
    Path("evidence").mkdir()
    Path("evidence", "mine.txt").write_text("Mine.")
    assert "(folder-not-empty)" in cli.refused("export", "evidence").err
    assert [path.name for path in Path("evidence").iterdir()] == ["mine.txt"]


def test_a_ledger_that_is_not_whole_is_not_exported(cli: Cli) -> None:
    """It is refused as broken, and no folder is made."""
    tamper(cli.path, "UPDATE entries SET effective_on = '2025-01-01' WHERE position = 200")
    answer = cli("export", "evidence")
    assert answer.code == 5
    assert "(not-whole)" in answer.err
    assert not Path("evidence").exists()


def test_never_half_a_ledger(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export that was changed makes no ledger, and nothing is left behind by one that fails."""
    cli.done("export", "evidence")
    before = set(Path().iterdir())
    with monkeypatch.context() as patch:

        def fails(*_: object, **__: object) -> None:
            raise Failed("disk-full", "The disk is full.")

        patch.setattr(restoring, "copy_into", fails)
        assert cli("import-ledger", "evidence", "--ledger", "new.sqlite").code == 1
    assert set(Path().iterdir()) == before
    path = Path("evidence", "texts.jsonl")
    path.write_bytes(path.read_bytes().replace(b"Practice", b"practice", 1))
    answer = cli("import-ledger", "evidence", "--ledger", "new.sqlite")
    assert (answer.code, "(not-whole)" in answer.err) == (5, True)
    assert set(Path().iterdir()) == before


@pytest.fixture
def private(own_place: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A ledger with two texts that are exempt: a title that was signed for, and a person's name."""
    with everything_fixed():
        small(own_place / "small.sqlite").close()
    for at, field in (("5", "title"), ("6", "name")):
        words = ["exempt", at, field, "--basis", "Schedule 12A", *DECIDED, "--reason", "Asked."]
        assert run(["--ledger", "small.sqlite", "--as", "A. Registrar", *words]) == 0
    capsys.readouterr()
    return own_place


def test_a_public_export_does_not_tell(private: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exempt texts, and those that repeat them, are nowhere in its files; it still verifies."""
    assert run(["--ledger", "small.sqlite", "export", "public", "--public"]) == 0
    said = capsys.readouterr().out
    assert "Left out: 2 texts that are exempt, and 2 that repeat one." in said
    left_out = Path("public", "left_out.jsonl").read_text("utf-8")
    for place in ('"field":"title","position":5', '"field":"name","position":6'):
        assert place in left_out
    for place in ('"field":"shown","position":14', '"field":"statement","position":15'):
        assert place in left_out
    for path in Path("public").rglob("*"):
        if path.is_file() and path.name != "README.txt":
            assert b"The chair" not in path.read_bytes()
            assert b"Wording: Offer" not in path.read_bytes()
    assert not Path("public", "signatures").exists()
    assert ours(Path("public"))[:2] == (0, set())
    assert single(Path("public"))[:2] == (0, set())
    assert run(["--ledger", "new.sqlite", "import-ledger", "public"]) == 3
    assert not Path("new.sqlite").exists()
    assert run(["--ledger", "small.sqlite", "export", "all"]) == 0
    assert b"The chair" in Path("all", "texts.jsonl").read_bytes()
    assert run(["--ledger", "new.sqlite", "import-ledger", "all"]) == 0


def test_what_was_put_back_into_a_public_export_is_found(private: Path) -> None:
    """An exempt text that somebody put into it is found by both, by its words."""
    assert run(["--ledger", "small.sqlite", "export", "public", "--public"]) == 0
    assert run(["--ledger", "small.sqlite", "export", "all"]) == 0
    shutil.copy("all/texts.jsonl", "public/texts.jsonl")
    for ask in (ours, single):
        assert ("text-still-held", 6) in ask(Path("public"))[1]


def test_a_checkpoint_of_another_ledger(cli: Cli, private: Path) -> None:
    """It is the checkpoint of another history, as both say."""
    cli.done("export", "one")
    assert run(["--ledger", "small.sqlite", "export", "other"]) == 0
    for ask in (ours, single):
        code, found, _ = ask(Path("other"), "--checkpoint", "one/checkpoint")
        assert code == 5
        assert {kind for kind, _at in found} <= {"other-history", "rolled-back"}
    assert origin_of("x") == "govledger/x"
