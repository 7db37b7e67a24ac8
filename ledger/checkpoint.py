"""Checkpoints (C2SP tlog-checkpoint): which ledger, how many entries, and the root over them.

Signed by the ledger's own key and held by others, a checkpoint is what a rewritten ledger cannot
be brought to agree with. Imports nothing but the standard library, `cryptography` (through
`ledger.note`) and the errors, so that an outsider can run it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.errors import BadInput, Refusal
from ledger.note import (
    Note,
    Signer,
    Verified,
    Verifier,
    from_base64,
    parse_note,
    sign_note,
    to_base64,
)
from ledger.tree import HASH_BYTES

PREFIX = "govledger/"
LARGEST = 2**63 - 1
"""The most leaves that a tree is taken to have."""


def origin_of(ledger_id: str) -> str:
    """The origin of a ledger's checkpoints, which is the name of its key too."""
    return PREFIX + ledger_id


@dataclass(frozen=True)
class Checkpoint:
    """What a ledger said of itself at one size.

    Attributes:
        origin: which ledger; see `origin_of`.
        size: how many entries.
        root: of the tree over them, 32 bytes.
        extensions: further lines, which mean nothing here and are kept as they are.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text of the note, with its last line feed."""
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        return "\n".join(lines) + "\n"

    @property
    def ledger_id(self) -> str | None:
        """The identity of the ledger; None for a log of another kind."""
        found = self.origin.removeprefix(PREFIX)
        return found if found != self.origin else None


@dataclass(frozen=True)
class Held:
    """A checkpoint with the note that it stands in; its signatures are checked by `opened_with`.

    Attributes:
        checkpoint: what it says.
        note: with the signatures.
    """

    checkpoint: Checkpoint
    note: Note

    def opened_with(
        self, log_key: Verifier, others: Iterable[Verifier] = ()
    ) -> tuple[Verified, ...]:
        """Check that the ledger itself signed it.

        Args:
            log_key: the ledger's verifier key, from its publisher.
            others: keys of cosigners; a cosignature of theirs is checked where it is there.

        Returns:
            Every signature that was checked, the ledger's own among them.

        Raises:
            Refusal: other-log-key, not-signed.
            IntegrityBroken: bad-signature.
            BadInput: ambiguous-key.
        """
        if log_key.name != self.checkpoint.origin or log_key.is_cosigner:
            raise Refusal(
                "other-log-key",
                f"The key is that of {log_key.name}{' (a cosigner)' if log_key.is_cosigner else ''}"
                f", and the checkpoint is of {self.checkpoint.origin}.",
                "Use the verifier key that this ledger's keeper gave out.",
            )
        found = self.note.check((log_key, *others))
        if not any(one.verifier == log_key for one in found):
            raise Refusal(
                "not-signed",
                f"The checkpoint is not signed by the key that you hold ({log_key.text}).",
                "Ask the ledger's keeper whether the key was changed, and from when.",
            )
        return found


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint, without its signatures.

    Raises:
        BadInput: unreadable-checkpoint.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or "" in lines:
        raise unreadable("it needs three lines: a ledger, a size and a root")
    size = parse_size(lines[1])
    if size is None:
        raise unreadable("its second line is not a number of entries")
    root = from_base64(lines[2])
    if root is None or len(root) != HASH_BYTES:
        raise unreadable("its third line is not a root")
    if not lines[0].isprintable() or any(character < " " for character in "".join(lines)):
        raise unreadable("it holds a character that cannot be printed")
    return Checkpoint(lines[0], size, root, tuple(lines[3:]))


def read_checkpoint(data: bytes) -> Held:
    """Read a signed checkpoint; its signatures are not checked yet.

    Raises:
        BadInput: unreadable-note, unreadable-checkpoint.
    """
    note = parse_note(data)
    return Held(parse_checkpoint(note.text), note)


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> str:
    """The signed note of a checkpoint, by the ledger's own key.

    Raises:
        Refusal: other-log-key, for a key of another ledger, or a cosigner's.
    """
    signed = sign_note(checkpoint.text, signer)
    read_checkpoint(signed.encode()).opened_with(signer.verifier)
    return signed


def parse_size(written: str) -> int | None:
    """A size as decimal digits without a leading zero; None for anything else."""
    digits = written.isascii() and written.isdigit() and len(written) <= 19
    if not digits or (written[0] == "0" and written != "0"):
        return None
    size = int(written)
    return size if size <= LARGEST else None


def unreadable(why: str) -> BadInput:
    """What says that something is no checkpoint."""
    return BadInput(
        "unreadable-checkpoint",
        f"This is not a checkpoint: {why}.",
        "A checkpoint is what 'govledger checkpoint' prints, or what a report recorded.",
    )
