"""The exported folder: stock ssh-keygen accepts what was signed, and nothing else."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.main import run
from documents.signoff_folder import Proofs, collect, write_folder
from domain.board_commands import RecordMeeting
from domain.commands import ReviseTimescale
from domain.errors import Failed, Refusal
from domain.person_commands import ReplaceKey
from domain.signing_commands import Confirm
from ledger.entry import Note
from projections.record import Record
from tests.boards import ADMIN, CODE, Boards, public_key
from tests.conftest import Clock

LATER = date(2025, 11, 13)


@pytest.fixture(scope="module")
def signed_plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed ledger: C1 signed off in both phases, changed, and confirmed by a new key."""
    path = tmp_path_factory.mktemp("signed") / "ledger.sqlite"
    clock = Clock(datetime(2025, 10, 9, 19, tzinfo=UTC))
    boards = Boards(path, clock)
    for phase in (1, 2):
        boards.signed_off("C1", phase)
    clock.instant = datetime(2025, 10, 21, 9, tzinfo=UTC)
    boards.by(ADMIN, ReplaceKey("lead-member", public_key("other")), date(2025, 10, 21))
    note = Note(date(2025, 10, 21), ADMIN, reason="Later.", source="A paper")
    boards.ledger.act(CODE, ReviseTimescale("C1", "June 2026"), note)
    clock.instant = datetime(2025, 11, 13, 19, tzinfo=UTC)
    there = ("iib-chair", "dcs", "lead-member")
    boards.by("clerk", RecordMeeting("iib", LATER, there), LATER)
    boards.sign("lead-member", Confirm("C1", 1, LATER, "6.2", clock()), key="other")
    boards.ledger.close()
    return path


@pytest.fixture
def boards(signed_plan: Path, tmp_path: Path) -> Boards:
    """The same, open; a copy that a test may do anything to."""
    from projections.upkeep import open_ledger

    found = Boards.__new__(Boards)
    found.ledger = open_ledger(Path(shutil.copy(signed_plan, tmp_path / "ledger.sqlite")))
    return found


def _proofs(boards: Boards, *refs: str) -> Proofs:
    with boards.ledger.database.reading() as connection:
        record = Record(boards.ledger, connection, CODE, boards.ledger.moment())
        return collect(record, refs or ("C1",))


def _write(boards: Boards, folder: Path, *refs: str) -> dict[str, Any]:
    with boards.ledger.database.reading() as connection:
        record = Record(boards.ledger, connection, CODE, boards.ledger.moment())
        return write_folder(collect(record, refs or ("C1",)), folder)


def _shell(command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)


def test_stock_ssh_keygen_accepts_each(boards: Boards, tmp_path: Path) -> None:
    """Each vote and the confirmation verify with the command that is printed for it."""
    folder = tmp_path / "proofs"
    data = _write(boards, folder)
    found = [(one["phase"], one["person"], one["decision"]) for one in data["statements"]]
    assert found == [
        (1, "iib-chair", "approve"),
        (1, "lead-member", "approve"),
        (2, "iib-chair", "approve"),
        (2, "lead-member", "approve"),
        (1, "lead-member", "confirm"),
    ]
    readme = (folder / "README.txt").read_text()
    for one in data["statements"]:
        assert one["trouble"] is None
        ran = _shell(one["command"], folder)
        assert ran.returncode == 0, ran
        assert ran.stdout.startswith(f'Good "govledger" signature for {one["person"]} with')
        assert one["key"] in ran.stdout
        assert one["command"] in readme


def test_both_keys_of_a_person_are_there(boards: Boards, tmp_path: Path) -> None:
    """The key that was replaced stands beside the new one; who did not sign is left out."""
    _write(boards, tmp_path / "proofs")
    lines = (tmp_path / "proofs" / "allowed_signers").read_text().splitlines()
    options = 'namespaces="govledger"'
    assert set(lines) == {
        f"{person} {options} {public_key(key)}"
        for person, key in (
            ("iib-chair", "iib-chair"),
            ("lead-member", "lead-member"),
            ("lead-member", "other"),
        )
    }
    assert len(lines) == 3


def test_the_content_is_the_one_signed_for(boards: Boards, tmp_path: Path) -> None:
    """Each statement holds the SHA-256 of the content beside it, and the content is readable."""
    folder = tmp_path / "proofs"
    for one in _write(boards, folder)["statements"]:
        content = (folder / one["content"]).read_bytes()
        statement = (folder / one["statement"]).read_text()
        assert f"Content SHA-256: {hashlib.sha256(content).hexdigest()}\n" in statement
        due = "June 2026" if one["decision"] == "confirm" else "March 2026"
        assert f"Timescale: {due}\n" in content.decode()


def _append(name: str, text: str = "x") -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = next(folder.glob(name))
        path.write_text(path.read_text() + text)

    return change


def _replace(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = next(folder.glob(name))
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


def _swap_signatures(folder: Path) -> None:
    first, second, *_rest = sorted(folder.glob("*.sig"))
    kept = first.read_text()
    first.write_text(second.read_text())
    second.write_text(kept)


def _flip_signature(folder: Path) -> None:
    path = next(folder.glob(f"{STATEMENT}.sig"))
    lines = path.read_text().split("\n")
    lines[-4] = lines[-4].swapcase()
    path.write_text("\n".join(lines))


def _other_key(folder: Path) -> None:
    path = folder / "allowed_signers"
    path.write_text(path.read_text().replace(public_key("iib-chair"), public_key("dcs")))


STATEMENT = "*phase-1-approve-iib-chair.statement.txt"
MUTATIONS: dict[str, Callable[[Path], None]] = {
    "statement added to": _append(STATEMENT),
    "statement of another action": _replace(STATEMENT, "Action: C1", "Action: C2"),
    "statement of another phase": _replace(STATEMENT, "Phase: 1", "Phase: 2"),
    "statement of another body": _replace(STATEMENT, "Body: iib", "Body: cfc"),
    "statement of another person": _replace(STATEMENT, "Person: iib-chair", "Person: lead-member"),
    "statement of another content": _replace(STATEMENT, "Content SHA-256: ", "Content SHA-256: 0"),
    "signature changed": _flip_signature,
    "signatures swapped": _swap_signatures,
    "signature cut": _replace(f"{STATEMENT}.sig", "-----END SSH SIGNATURE-----", ""),
    "another key": _other_key,
    "no key": _replace("allowed_signers", "iib-chair ", "somebody "),
    "another namespace": _replace("allowed_signers", "govledger", "git"),
    "another content": _append("*phase-1-approve-iib-chair.content.txt"),
}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_what_was_changed_is_not_accepted(boards: Boards, tmp_path: Path, mutation: str) -> None:
    """A change of statement, signature, key, namespace or content is found by the script."""
    folder = tmp_path / "proofs"
    data = _write(boards, folder)
    assert _shell(data["check_all"]).returncode == 0
    MUTATIONS[mutation](folder)
    ran = _shell(data["check_all"])
    assert ran.returncode == 1
    assert "NOT everything is good." in ran.stdout
    if mutation != "another content":
        assert _shell(data["check_one"]).returncode != 0


def test_a_signature_made_for_something_else_is_not_accepted(
    boards: Boards, tmp_path: Path
) -> None:
    """Asked in another namespace, such as Git's, ssh-keygen refuses the same signature."""
    folder = tmp_path / "proofs"
    for one in _write(boards, folder)["statements"]:
        command = one["command"].replace("-n govledger", "-n git")
        assert _shell(command, folder).returncode != 0


def test_voided_votes_are_left_out(boards: Boards, tmp_path: Path) -> None:
    """A vote that was voided is not exported; the folder says so."""
    entry = _proofs(boards).signed[0].entry
    boards.ledger.void(entry, Note(boards.ledger.today(), ADMIN, reason="A slip."))
    data = _write(boards, tmp_path / "proofs")
    assert entry not in [one["entry"] for one in data["statements"]]
    assert any(f"entry {entry}: voided by entry" in line for line in data["left_out"])
    assert f"entry {entry}: voided by" in (tmp_path / "proofs" / "README.txt").read_text()
    assert _shell(data["check_all"]).returncode == 0


def test_what_is_withheld_is_listed_as_not_held(boards: Boards, tmp_path: Path) -> None:
    """A statement or a content whose text is gone is said not to be held; the others verify."""
    first, second = _proofs(boards).signed[:2]
    recommended = next(
        entry.position
        for entry in (boards.ledger.entry_at(n) for n in range(1, first.entry))
        if entry.event.tag == "signoff.recommended/1"
    )
    with boards.ledger.database.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER texts_refuse_delete")
        for position, name in ((second.entry, "statement"), (recommended, "shown")):
            connection.exec_driver_sql(
                f"DELETE FROM texts WHERE position = {position} AND field = '{name}'"
            )
    data = _write(boards, tmp_path / "proofs")
    assert data["statements"][0]["content"] is None
    assert any("statement is not held" in line for line in data["left_out"])
    ran = _shell(data["check_all"])
    assert ran.returncode == 0
    assert "The content is not held by the ledger any more." in ran.stdout


def test_a_signature_that_does_not_hold_is_said_not_to(boards: Boards, tmp_path: Path) -> None:
    """A statement that somebody changed in the database is exported as not good, and so checked."""
    entry = _proofs(boards).signed[0].entry
    with boards.ledger.database.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER texts_refuse_update")
        connection.exec_driver_sql(
            "UPDATE texts SET text = replace(text, 'Decision: approve', 'Decision: decline') "
            f"WHERE position = {entry} AND field = 'statement'"
        )
    data = _write(boards, tmp_path / "proofs")
    assert "made over another text" in data["statements"][0]["trouble"]
    assert "NOT GOOD: these signatures do not hold." in (tmp_path / "proofs/README.txt").read_text()
    assert _shell(data["check_one"]).returncode == 0, "the command shown is of a good one"
    assert _shell(data["check_all"]).returncode == 1


def test_only_a_new_folder_is_written_to(boards: Boards, tmp_path: Path) -> None:
    """A folder that holds anything, or a file, is left as it is; an empty folder will do."""
    folder = tmp_path / "proofs"
    folder.mkdir()
    (folder / "mine").write_text("mine")
    with pytest.raises(Failed) as failed:
        _write(boards, folder)
    assert failed.value.rule == "folder-not-empty"
    assert [path.name for path in folder.iterdir()] == ["mine"]
    with pytest.raises(Failed) as failed:
        _write(boards, folder / "mine")
    assert failed.value.rule == "not-a-folder"
    (folder / "mine").unlink()
    _write(boards, folder)


def test_without_a_signature_there_is_nothing_to_export(boards: Boards, tmp_path: Path) -> None:
    """Where nobody has signed anything no folder is made."""
    with pytest.raises(Refusal) as refused:
        _write(boards, tmp_path / "proofs", "C2")
    assert refused.value.rule == "nothing-signed"
    assert not (tmp_path / "proofs").exists()


def test_the_command_prints_what_to_type(
    boards: Boards, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`signoff export` prints a command that, copied, checks one; also in a folder with a space."""
    boards.ledger.close()
    ledger, folder = ("--ledger", str(tmp_path / "ledger.sqlite")), str(tmp_path / "the proofs")
    assert run([*ledger, "signoff", "export", folder]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Wrote 5 signed statements to {folder}."
    for after in ("Check one:", "Check all:"):
        ran = _shell(lines[lines.index(after) + 1])
        assert ran.returncode == 0
        assert 'Good "govledger" signature' in ran.stdout
    assert run([*ledger, "--json", "signoff", "export", str(tmp_path / "again"), "C1"]) == 0
    assert run([*ledger, "signoff", "export", folder]) == 1
    assert run([*ledger, "signoff", "export", str(tmp_path / "none"), "C9"]) == 3
