"""A cosigner: what it signs, what it refuses, and a memory that never goes backwards."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.errors import BadInput, Failed, GovledgerError, IntegrityBroken, Refusal
from ledger.checkpoint import Checkpoint, Held, read_checkpoint, sign_checkpoint
from ledger.cosigner import Memory, cosign
from ledger.keyfile import write_key
from ledger.note import COSIGNATURE, Note, new_signer
from ledger.proof import ConsistencyProof
from tests.ledger.cosigning import LOG, ORIGIN, SIZES, a_log, checkpoint, since
from tests.ledger.processes import ROOT

KEPT, FORK = a_log(), a_log("other")
COSIGNER = new_signer("scrutiny.example", COSIGNATURE)
NOW = 1_790_000_000


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "cosigner.key")


def sign(
    memory: Memory, held: Held, proof: ConsistencyProof | None = None, key: Any = LOG.verifier
) -> Note:
    return cosign(memory, COSIGNER, held, NOW, proof, key)


def rule_of(call: Callable[[], object], kind: type[GovledgerError]) -> str:
    with pytest.raises(kind) as refused:
        call()
    assert refused.value.hint
    return refused.value.rule


def test_a_cosignature_is_added_and_holds(memory: Memory) -> None:
    """The first checkpoint is cosigned on the key given, with the time, and is remembered."""
    note = sign(memory, checkpoint(5, KEPT))
    found = note.check([LOG.verifier, COSIGNER.verifier])
    assert [(one.verifier.name, one.seconds) for one in found] == [
        (ORIGIN, None),
        (COSIGNER.name, NOW),
    ]
    seen = memory.read()[ORIGIN]
    assert (seen.size, seen.log_key) == (5, LOG.verifier.text)
    assert read_checkpoint(seen.checkpoint.encode()).checkpoint.size == 5
    assert memory.path.stat().st_mode & 0o077 == 0


def test_what_continues_is_cosigned(memory: Memory) -> None:
    """A larger checkpoint with its proof is cosigned, and so is the same one again."""
    sign(memory, checkpoint(5, KEPT))
    for old, size in ((5, 9), (9, 9), (9, 40)):
        sign(memory, checkpoint(size, KEPT), since(old, size, KEPT), None)
        assert memory.read()[ORIGIN].size == size


def test_what_does_not_continue_is_refused(memory: Memory) -> None:
    """Rolled back, forked, unproven, wrongly proven, or of another key: nothing is signed."""
    sign(memory, checkpoint(9, KEPT))
    before = memory.path.read_bytes()
    other = new_signer(ORIGIN)
    forked, grown = checkpoint(9, FORK), checkpoint(20, KEPT)
    impostor = read_checkpoint(sign_checkpoint(grown.checkpoint, other).encode())
    path = since(9, 20, KEPT).path
    bent = ConsistencyProof(9, (*path[:-1], path[0]), grown)
    cases: list[tuple[str, type[GovledgerError], Held, ConsistencyProof | None, Any]] = [
        ("rolled-back", IntegrityBroken, checkpoint(8, KEPT), None, None),
        ("rolled-back", IntegrityBroken, checkpoint(0, KEPT), None, None),
        ("other-history", IntegrityBroken, forked, None, None),
        ("other-history", IntegrityBroken, forked, since(9, 9, FORK), None),
        ("needs-proof", Refusal, grown, None, None),
        ("stale-proof", Refusal, grown, since(8, 20, KEPT), None),
        ("stale-proof", Refusal, grown, since(0, 20, KEPT), None),
        ("proof-fails", IntegrityBroken, checkpoint(20, FORK), since(9, 20, FORK), None),
        ("proof-fails", IntegrityBroken, grown, bent, None),
        ("other-checkpoint", BadInput, grown, since(9, 21, KEPT), None),
        ("not-signed", Refusal, impostor, since(9, 20, KEPT), None),
        ("other-log-key", Refusal, impostor, since(9, 20, KEPT), other.verifier),
    ]
    for rule, kind, held, proof, key in cases:
        assert rule_of(lambda: sign(memory, held, proof, key), kind) == rule  # noqa: B023
        assert memory.path.read_bytes() == before


def test_a_bad_signature_of_the_ledger_is_refused(memory: Memory) -> None:
    """A checkpoint whose text was changed after it was signed is not cosigned."""
    held = checkpoint(5, KEPT)
    text = held.note.full.replace(f"\n{5}\n", f"\n{6}\n")
    bent = read_checkpoint(text.encode())
    assert rule_of(lambda: sign(memory, bent), IntegrityBroken) == "bad-signature"
    assert memory.read() == {}


def test_the_first_time_needs_a_key(memory: Memory) -> None:
    """Nothing is trusted because it came first, and a ledger's own key cosigns nothing."""
    held = checkpoint(5, KEPT)
    assert rule_of(lambda: sign(memory, held, None, None), BadInput) == "needs-log-key"
    plain = new_signer("scrutiny.example")
    call = lambda: cosign(memory, plain, held, NOW, None, LOG.verifier)  # noqa: E731
    assert rule_of(call, BadInput) == "not-a-cosigner"


def test_no_entries_with_a_root_is_refused(memory: Memory) -> None:
    """What counts no entries has one root; another would keep every later checkpoint out."""
    bent = Checkpoint(ORIGIN, 0, bytes(32))
    held = read_checkpoint(sign_checkpoint(bent, LOG).encode())
    assert rule_of(lambda: sign(memory, held), IntegrityBroken) == "bad-checkpoint"
    assert memory.read() == {}
    sign(memory, checkpoint(0, KEPT))
    sign(memory, checkpoint(5, KEPT), since(0, 5, KEPT))
    assert memory.read()[ORIGIN].size == 5


def test_an_older_paper_is_called_older(memory: Memory) -> None:
    """Whoever took an older checkpoint by mistake reads so first."""
    sign(memory, checkpoint(9, KEPT))
    with pytest.raises(IntegrityBroken) as refused:
        sign(memory, checkpoint(8, KEPT))
    assert refused.value.message.startswith("This is older than what you cosigned last (9 entries)")


def test_ledgers_are_remembered_apart(memory: Memory) -> None:
    """What was seen of one ledger says nothing of another."""
    other = new_signer("govledger/xyz")
    sign(memory, checkpoint(9, KEPT))
    small = sign_checkpoint(Checkpoint("govledger/xyz", 3, bytes(32)), other)
    sign(memory, read_checkpoint(small.encode()), None, other.verifier)
    assert {origin: seen.size for origin, seen in memory.read().items()} == {
        ORIGIN: 9,
        "govledger/xyz": 3,
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{", ""),
        ("}", ""),
        ("cosigner 1", "cosigner 2"),
        ('"size": 9', '"size": "9"'),
        ('"size": 9', '"size": -9'),
        ('"size": 9', '"count": 9'),
        ('"root": "', '"root": "zz'),
        ('"log_key": "', '"log_key": "x'),
        ("{", "[" * 100_000),
    ],
)
def test_a_damaged_memory_is_not_an_empty_one(memory: Memory, old: str, new: str) -> None:
    """Where the memory cannot be read nothing is cosigned, rather than anything."""
    sign(memory, checkpoint(9, KEPT))
    memory.path.write_text(memory.path.read_text().replace(old, new, 1), encoding="utf-8")
    assert rule_of(lambda: sign(memory, checkpoint(9, KEPT)), Failed) == "memory-damaged"
    memory.path.write_bytes(b"")
    assert rule_of(lambda: sign(memory, checkpoint(9, KEPT)), Failed) == "memory-damaged"


def test_one_key_by_two_names_has_one_memory(tmp_path: Path) -> None:
    """A link to the key does not begin a second memory."""
    write_key(tmp_path / "real.key", COSIGNER)
    (tmp_path / "link.key").symlink_to("real.key")
    assert Memory(tmp_path / "link.key").path == Memory(tmp_path / "real.key").path


def test_what_a_stopped_process_left_is_no_hindrance(memory: Memory) -> None:
    """Half a memory, left where a process was stopped, is not taken for the memory."""
    sign(memory, checkpoint(5, KEPT))
    memory.path.with_name(memory.path.name + ".new").write_text("{half")
    sign(memory, checkpoint(9, KEPT), since(5, 9, KEPT))
    assert memory.read()[ORIGIN].size == 9


def test_the_memory_moves_before_the_cosignature_is_given(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the memory cannot be kept there is no cosignature."""
    monkeypatch.setattr("ledger.cosigner.sync_folder", lambda _folder: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sign(memory, checkpoint(5, KEPT))
    assert memory.read()[ORIGIN].size == 5


def test_cosigners_at_once_never_go_backwards(tmp_path: Path) -> None:
    """Four processes with one key: the memory only grows, and nobody cosigns what is behind it."""
    key = tmp_path / "cosigner.key"
    write_key(key, COSIGNER)
    words = [sys.executable, "-m", "tests.ledger.cosigning", str(key)]
    running = [
        subprocess.Popen([*words, str(seed)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for seed in range(1, 5)
    ]
    seen = [0]
    memory = Memory(key)
    while any(process.poll() is None for process in running):
        if memory.path.exists():
            found = json.loads(memory.path.read_text())["seen"][ORIGIN]["size"]
            if found != seen[-1]:
                seen.append(found)
        time.sleep(0.001)
    assert seen == sorted(seen), "the memory went backwards"
    given = []
    for process in running:
        out, _ = process.communicate()
        assert process.returncode == 0
        mine = [int(line) for line in out.split()]
        assert mine == sorted(mine), "a process cosigned what it was past"
        given += mine
    assert max(given) == memory.read()[ORIGIN].size == SIZES
    assert len(given) > 20
