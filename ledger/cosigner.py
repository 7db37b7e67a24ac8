"""Cosigning: a second party's signature on checkpoints, given only to what continues the last one.

A cosigner remembers, for each ledger, the last checkpoint that it cosigned. The memory stands
beside its key and is moved on, on the disk, before a cosignature is given out; one process at a
time (C2SP tlog-witness, "add-checkpoint": checking and keeping must be one step).
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from domain.errors import BadInput, Failed, GovledgerError, IntegrityBroken, Refusal
from ledger.checkpoint import LARGEST, Held
from ledger.keyfile import sync_folder, write_private
from ledger.note import COSIGNATURE, Note, Signer, Verifier, parse_verifier
from ledger.proof import ConsistencyProof
from ledger.tree import EMPTY_ROOT

FORMAT = "govledger cosigner 1"


@dataclass(frozen=True)
class Seen:
    """The last checkpoint of one ledger that was cosigned.

    Attributes:
        log_key: the ledger's verifier key, as it was trusted.
        size: how many entries.
        root: over them, in hexadecimal.
        checkpoint: the signed note as it came.
    """

    log_key: str
    size: int
    root: str
    checkpoint: str


class Memory:
    """What a cosigner has seen, in a file beside its key.

    Args:
        key: the file of the key; two names of one file have one memory.
    """

    def __init__(self, key: Path) -> None:
        real = key.resolve()
        self.path = real.with_name(real.name + ".seen")

    def read(self) -> dict[str, Seen]:
        """The last checkpoint of each ledger, by its origin; empty before the first.

        Raises:
            Failed: memory-damaged; it is never taken for an empty one.
        """
        try:
            written = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            value = json.loads(written)
            if value["format"] != FORMAT:
                raise ValueError
            found = {origin: Seen(**seen) for origin, seen in value["seen"].items()}
            for seen in found.values():
                parse_verifier(seen.log_key)
                if not 0 <= seen.size <= LARGEST or len(bytes.fromhex(seen.root)) != 32:
                    raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, GovledgerError):
            raise Failed(
                "memory-damaged",
                f"{self.path} cannot be read, so it is not known which checkpoints this key has "
                "cosigned.",
                "Put it back from a copy. Without it, cosign with a new key.",
            ) from None
        return found

    def write(self, seen: dict[str, Seen]) -> None:
        """Put another memory in place of this one, all or nothing, and on the disk."""
        value = {"format": FORMAT, "seen": {origin: asdict(one) for origin, one in seen.items()}}
        new = self.path.with_name(f"{self.path.name}.new")
        with contextlib.suppress(FileNotFoundError):
            new.unlink()  # left by a process that was stopped; the lock is ours now
        write_private(new, json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n")
        os.replace(new, self.path)
        sync_folder(self.path.parent)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """While this lasts no other process moves the memory; another waits.

        Raises:
            Failed: no-locks, on a system that has none of the kind needed.
        """
        try:
            import fcntl
        except ImportError:
            raise Failed(
                "no-locks",
                "Cosigning needs file locks of a kind that this system does not have.",
                "Cosign on Linux or macOS.",
            ) from None
        lock = self.path.with_name(self.path.name + ".lock")
        with open(os.open(lock, os.O_RDWR | os.O_CREAT, 0o600), "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def cosign(
    memory: Memory,
    signer: Signer,
    held: Held,
    seconds: int,
    proof: ConsistencyProof | None = None,
    log_key: Verifier | None = None,
) -> Note:
    """Add a cosignature to a checkpoint that continues the last one seen of its ledger.

    Args:
        memory: of this cosigner.
        signer: its key.
        held: the checkpoint.
        seconds: the time now, since 1970 (UTC).
        proof: that it continues the last one; needed once the ledger has grown since.
        log_key: the ledger's verifier key; needed the first time.

    Returns:
        The note with the cosignature; the memory has been moved on before.

    Raises:
        BadInput: not-a-cosigner, needs-log-key, other-checkpoint.
        Refusal: other-log-key, not-signed, needs-proof, stale-proof.
        IntegrityBroken: bad-signature, bad-checkpoint, rolled-back, other-history, proof-fails.
        Failed: memory-damaged, no-locks.
    """
    if signer.algorithm != COSIGNATURE:
        raise BadInput(
            "not-a-cosigner",
            f"{signer.name} is a ledger's own key, not a cosigner's.",
            "Make one with: govledger checkpoint key new --cosigner NAME --key FILE",
        )
    found = held.checkpoint
    with memory.alone():
        seen = memory.read()
        last = seen.get(found.origin)
        key = _trusted(found.origin, last, log_key)
        held.opened_with(key)
        if proof and proof.held.checkpoint != found:
            raise BadInput(
                "other-checkpoint",
                "The proof is for another checkpoint than the one to cosign.",
                "Ask for both anew: govledger prove since FILE",
            )
        if found.size == 0 and found.root != EMPTY_ROOT:
            raise IntegrityBroken(
                "bad-checkpoint",
                "The checkpoint counts no entries, and its root is not the one over none: no "
                "ledger could ever be proven to continue it.",
                "Keep it, and ask the ledger's keeper for a checkpoint of now.",
            )
        if last:
            _continues(last, held, proof)
        seen[found.origin] = Seen(key.text, found.size, found.root.hex(), held.note.full)
        memory.write(seen)
    return held.note.signed(signer.sign(held.note.text, seconds))


def _trusted(origin: str, last: Seen | None, given: Verifier | None) -> Verifier:
    """The key that the ledger has to have signed with: the one known, never another."""
    if last is None:
        if given is None:
            raise BadInput(
                "needs-log-key",
                f"You have not cosigned anything of {origin} before.",
                "Give the verifier key that its keeper gave you by another way: --log-key KEY",
            )
        return given
    known = parse_verifier(last.log_key)
    if given is not None and given != known:
        raise Refusal(
            "other-log-key",
            f"You know {origin} by another key ({known.text}).",
            "If its keeper has changed the key, make sure of it, and cosign with a new key of "
            "your own, which begins anew.",
        )
    return known


def _continues(last: Seen, held: Held, proof: ConsistencyProof | None) -> None:
    """Refuse what does not continue the last checkpoint seen."""
    found = held.checkpoint
    if found.size < last.size:
        raise IntegrityBroken(
            "rolled-back",
            f"This is older than what you cosigned last ({last.size} entries): it has only "
            f"{found.size}.",
            "If you took an older paper by mistake, take the last one. If it was given to you as "
            "the ledger of now, keep it: the ledger lost entries.",
        )
    if found.size == last.size:
        if found.root.hex() != last.root:
            raise IntegrityBroken(
                "other-history",
                f"You have cosigned another root over {found.size} entries ({last.root}). This is "
                "not the history that you were shown.",
                "Keep both checkpoints: together they prove that the ledger was rewritten.",
            )
        return
    if proof is None:
        raise Refusal(
            "needs-proof",
            f"You have cosigned {last.size} entries, and this checkpoint has {found.size}: it has "
            "to be proven that the one continues the other.",
            "Ask the ledger's keeper for: govledger prove since FILE, where FILE is the checkpoint "
            f"of {last.size} entries; then give what it wrote.",
        )
    if proof.old != last.size:
        raise Refusal(
            "stale-proof",
            f"The proof begins at {proof.old} entries, and you have cosigned {last.size}.",
            f"Ask for one that begins there: govledger prove since FILE, where FILE is the "
            f"checkpoint of {last.size} entries.",
        )
    if not proof.continues(bytes.fromhex(last.root)):
        raise IntegrityBroken(
            "proof-fails",
            f"The proof does not show that these {found.size} entries continue the {last.size} "
            "that you have cosigned.",
            "Keep both checkpoints, and ask the ledger's keeper for the proof again.",
        )
