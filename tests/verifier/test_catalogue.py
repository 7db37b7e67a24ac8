"""The catalogue of broken ledgers: each defect is found, and named, by both verifiers."""

import filecmp
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.canonical import canonical
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.note import new_signer
from projections.restoring import restore
from tests.broken.make import BASE, HELD, HERE, edited, make
from tests.fixed import log_key
from tests.ledger.behind import unguarded
from tests.verifier.driving import ours, single

DEFECTS = sorted(path.stem for path in HERE.glob("*.json"))
CHECKPOINT = ("--checkpoint", str(HERE / HELD))
LOG_KEY = ("--log-key", (HERE / "held.key").read_text("utf-8").strip())
WORDS = """entry-changed tree-changed entry-missing entry-unknown clock-backwards bad-date
future-date version-gap text-changed text-missing text-unknown unknown-type unreadable-payload
bad-value tail-missing root-changed other-history rolled-back bad-checkpoint bad-signature
statement-mismatch text-still-held withheld-changed not-canonical manifest-changed file-changed"""


def _defect(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / f"{name}.json").read_text("utf-8"))
    return found


def spoilt(name: str, target: Path) -> Path:
    """The export with the defect."""
    shutil.copytree(HERE / BASE, target)
    for file, changes in _defect(name)["export"].items():
        path = target / file
        path.write_bytes(edited(path.read_bytes() if path.exists() else b"", changes))
    return target


def _files(folder: Path) -> Iterator[str]:
    return (p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")) if p.is_file())


def test_the_catalogue_is_what_its_script_makes(tmp_path: Path) -> None:
    """The script makes the same files again, byte for byte, and none is there that it lacks."""
    make(tmp_path)
    made = list(_files(tmp_path))
    kept = [name for name in _files(HERE) if not name.endswith((".py", ".pyc"))]
    assert made == kept
    _same, differ, errors = filecmp.cmpfiles(tmp_path, HERE, made, shallow=False)
    assert (differ, errors) == ([], [])


def test_nothing_is_found_in_the_whole_one() -> None:
    """In the ledger of the catalogue nothing is wrong, also by the checkpoint that is held."""
    assert ours(HERE / BASE, *CHECKPOINT, *LOG_KEY)[:2] == (0, set())
    code, found, said = single(HERE / BASE, *CHECKPOINT, *LOG_KEY)
    assert (code, found) == (0, set())
    assert "held.checkpoint agrees with the history up to entry 19; signed by govledger/" in said
    assert "Withheld: 'reason' of entry 14, by entry 18, on the basis of: Data Pro" in said


def test_every_word_has_its_defect() -> None:
    """Each finding that there is a word for is in the catalogue."""
    assert {_defect(name)["kind"] for name in DEFECTS} >= set(WORDS.split())


@pytest.mark.parametrize("name", [name for name in DEFECTS if "export" in _defect(name)])
def test_each_is_found_in_an_export(name: str, tmp_path: Path) -> None:
    """Both verifiers name it, at its entry; one that only a checkpoint shows, by that alone."""
    defect, folder = _defect(name), spoilt(name, tmp_path / "export")
    expected = (defect["kind"], defect["position"])
    held = CHECKPOINT if defect["held"] else ()
    for ask in (ours, single):
        code, found, answer = ask(folder, *held)
        if name == "copied-signature" and ask is single:  # which leaves these copies to govledger
            assert code == 0
            continue
        assert code == 5
        assert expected in found, answer
        if defect["held"]:
            assert found == {expected}
            assert ask(folder)[:2] == (0, set())


@pytest.mark.parametrize("name", [name for name in DEFECTS if "ledger" in _defect(name)])
def test_each_is_found_in_a_ledger(name: str, tmp_path: Path) -> None:
    """`govledger verify` names it, at its entry."""
    defect, path = _defect(name), tmp_path / "ledger.sqlite"
    restore(HERE / BASE, str(path))
    assert ours(None, before=("--ledger", str(path)))[:2] == (0, set())
    with unguarded(path) as connection:
        for statement in defect["ledger"]:
            assert connection.execute(statement).rowcount != 0
    code, found, answer = ours(None, before=("--ledger", str(path)))
    assert code == 5
    assert (defect["kind"], defect["position"]) in found, answer


def test_a_checkpoint_with_a_bad_signature_is_found(tmp_path: Path) -> None:
    """With --log-key a checkpoint that somebody changed is none; without it nobody can tell."""
    note = (HERE / HELD).read_text("utf-8")
    place = note.rindex("=") - 8
    bad = tmp_path / "bad.checkpoint"
    bad.write_text(note[:place] + ("A" if note[place] != "A" else "B") + note[place + 1 :], "utf-8")
    for ask in (ours, single):
        code, found, _ = ask(HERE / BASE, "--checkpoint", str(bad), *LOG_KEY)
        assert (code, {kind for kind, _ in found}) == (5, {"bad-checkpoint"})
        assert ask(HERE / BASE, "--checkpoint", str(bad))[0] == 0


@pytest.mark.parametrize("cut", [b"\xef\xbb\xbf", b""])
def test_nothing_is_said_of_history_where_the_reading_broke_off(tmp_path: Path, cut: bytes) -> None:
    """A mark before the first line, or a last line without its end, is no other history."""
    folder = Path(shutil.copytree(HERE / BASE, tmp_path / "export"))
    lines = (folder / "entries.jsonl").read_bytes()
    (folder / "entries.jsonl").write_bytes(cut + lines if cut else lines[:-1])
    for ask in (ours, single):
        code, found, _ = ask(folder, *CHECKPOINT)
        assert code == 5
        assert not {kind for kind, _at in found} & {"rolled-back", "other-history"}


def test_what_the_inspector_gives_wrongly_is_no_finding(tmp_path: Path) -> None:
    """A key or a checkpoint that is of no use says nothing against the export."""
    (tmp_path / "nothing").write_text("nothing", "utf-8")
    other = new_signer("govledger/other").verifier.text
    for words in (
        ("--checkpoint", str(tmp_path / "nothing")),
        ("--checkpoint", str(tmp_path / "gone")),
        (*CHECKPOINT, "--log-key", "no+key+at all"),
        (*CHECKPOINT, "--log-key", str(tmp_path / "nothing")),
        (*CHECKPOINT, "--log-key", other),
        ("--log-key", other),
    ):
        for ask in (ours, single):
            code, found, _ = ask(HERE / BASE, *words)
            assert code in (1, 2, 3)
            assert not found


def test_a_key_checks_the_checkpoint_in_the_folder(tmp_path: Path) -> None:
    """As a line or as a file it checks that signature; where none is, it is of no use."""
    for key in (LOG_KEY[1], str(HERE / "held.key")):
        assert ours(HERE / BASE, "--log-key", key)[:2] == (0, set())
        code, _, said = single(HERE / BASE, "--log-key", key)
        assert (code, "whole/checkpoint agrees" in said, "; signed by" in said) == (0, True, True)
    assert "signature not checked: no key given" in single(HERE / BASE)[2]
    folder = Path(shutil.copytree(HERE / BASE, tmp_path / "export"))
    note = (folder / "checkpoint").read_text("utf-8")
    place = note.rindex("=") - 8
    (folder / "checkpoint").write_text(
        f"{note[:place]}{'AB'[note[place] == 'A']}{note[place + 1 :]}"
    )
    for ask in (ours, single):
        assert "bad-checkpoint" in {kind for kind, _ in ask(folder, *LOG_KEY)[1]}
        assert "bad-checkpoint" not in {kind for kind, _ in ask(folder)[1]}
    (folder / "checkpoint").unlink()
    for ask in (ours, single):
        assert ask(folder, *LOG_KEY)[0] == 2


def test_an_empty_history_is_the_begin_of_every_one(tmp_path: Path) -> None:
    """A checkpoint of no entries agrees with its ledger."""
    key = log_key(json.loads((HERE / BASE / "manifest.json").read_text())["ledger_id"])
    empty = Checkpoint(key.name, 0, hashlib.sha256().digest())
    (tmp_path / "empty").write_text(sign_checkpoint(empty, key), "utf-8")
    for ask in (ours, single):
        assert ask(HERE / BASE, "--checkpoint", str(tmp_path / "empty"), *LOG_KEY)[0] == 0


def test_no_file_is_added_and_none_is_a_link(tmp_path: Path) -> None:
    """Also where the manifest lists no files at all."""
    folder = Path(shutil.copytree(HERE / BASE, tmp_path / "export"))
    path = folder / "manifest.json"
    said = json.loads(path.read_text("utf-8"))
    (folder / "elsewhere").symlink_to("/etc")
    for ask in (ours, single):
        assert ask(folder)[:2] == (5, {("file-changed", None)})
    path.write_bytes(canonical(said | {"files": {}}) + b"\n")
    (folder / "elsewhere").unlink()
    for ask in (ours, single):
        assert ("file-changed", None) in ask(folder)[1]


def test_a_file_of_nothing_but_dirt(tmp_path: Path) -> None:
    """The first thousand findings are listed, and how many there are is said."""
    folder = Path(shutil.copytree(HERE / BASE, tmp_path / "export"))
    (folder / "entries.jsonl").write_bytes(b"\n" * 1500)
    code, _, answer = ours(folder)
    found = answer["data"]["findings"]
    assert (code, len(found)) == (5, 1001)
    assert found[-1]["message"].startswith("Further findings, not listed: 5")
    code, _, said = single(folder)
    assert (code, said.count("not-canonical (entry")) == (5, 999)
    assert "(1000 at most are listed)" in said
