"""A ledger that comes out the same, byte for byte, whenever and wherever it is made.

Its clock, salts, identifiers and keys are fixed. The keys are made of words that everybody can read
here, so nothing that they sign is worth anything; the signatures are ssh-keygen's own.
"""

import hashlib
import itertools
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from domain.board_commands import Appoint, Establish, RecordMeeting
from domain.commands import NoteProgress
from domain.evidence_commands import Lodge
from domain.importing import PlannedAction
from domain.person_commands import Enrol
from domain.signing_commands import CastVote
from domain.signoff_commands import Grant, Recommend
from ledger import signatures
from ledger.checkpoint import origin_of
from ledger.entry import Decision, Note, VaultText
from ledger.note import ED25519, Signer
from ledger.service import Ledger
from projections.upkeep import create_ledger
from tests.conftest import Clock

ADMIN = "A. Registrar"
BEGAN, SET_UP, MEETING = date(2025, 1, 6), date(2025, 9, 1), date(2025, 10, 9)


def seed(word: str) -> bytes:
    """Thirty-two bytes that everybody can work out."""
    return hashlib.sha256(f"govledger test {word}".encode()).digest()


def ssh_key(word: str) -> tuple[bytes, str]:
    """(private key file, public key) of a person."""
    private = Ed25519PrivateKey.from_private_bytes(seed(word))
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return (
        private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()),
        public.decode(),
    )


def ssh_sign(word: str, text: str) -> str:
    """The signature of a person's key, by ssh-keygen."""
    private, public = ssh_key(word)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "key")
        path.write_bytes(private)
        path.chmod(0o600)
        return signatures.sign(text, public, path)


def log_key(ledger_id: str) -> Signer:
    """The key of the ledger's checkpoints."""
    return Signer(origin_of(ledger_id), ED25519, seed("log"))


@contextmanager
def everything_fixed() -> Iterator[None]:
    """Salts and identifiers come in a fixed order."""
    numbers = itertools.count(1)

    def salt() -> bytes:
        return seed(f"salt {next(numbers)}")[:16]

    def identifier() -> uuid.UUID:
        return uuid.UUID(bytes=seed(f"id {next(numbers)}")[:16])

    with (
        mock.patch("ledger.entry.new_salt", salt),
        mock.patch("uuid.uuid4", identifier),
    ):
        yield


def vote(ledger: Ledger, code: str, who: str, ref: str, phase: int = 1) -> None:
    """A member's signed approval."""
    command = CastVote(ref, phase, "approve", MEETING, ledger.recorder.clock())
    note = Note(MEETING, who, reason="Read.")
    ready = ledger.to_sign(code, command, note)
    signed = CastVote(**{**vars(command), "signature": ssh_sign(who, ready.text)})
    ledger.govern(code, signed, note)


def small(path: Path, withheld: dict[str, VaultText] | None = None) -> Ledger:
    """A ledger of some twenty entries: a sign-off, a report with a checkpoint, a text withheld.

    Made within `everything_fixed`.

    Args:
        withheld: is given the text that is withheld, as it was before, by the name of its field.
    """
    clock = Clock(datetime(2025, 10, 9, 19, tzinfo=UTC))
    ledger = create_ledger(path, "Small", ADMIN, clock)
    ledger.create_plan("P", "Improvement plan", Note(BEGAN, ADMIN))
    action = PlannedAction("C1", 2, "Front door", "Edge of care", "Offer", "Head", "March 2026")
    ledger.import_plan("P", [action], Note(BEGAN, ADMIN, source="Council, 6 January 2025"))

    def by(who: str, command: object, on: date = SET_UP, reason: str | None = None) -> None:
        ledger.govern("P", command, Note(on, who, reason=reason))  # type: ignore[arg-type]

    for person, role in (("chair", "Chair"), ("lead", "Lead")):
        by(ADMIN, Enrol(person, f"The {role.lower()}", role, ssh_key(person)[1]))
    by(ADMIN, Establish("ws", "Workstream", 1, 1, ("recommend",)))
    by(ADMIN, Establish("iib", "Improvement Board", 2, 1, ("phase_1", "phase_2", "amend")))
    by(ADMIN, Appoint("ws", "lead", "chair"))
    by(ADMIN, Appoint("iib", "chair", "chair"))
    by("chair", RecordMeeting("iib", MEETING, ("chair",)), MEETING)
    by("lead", Lodge("C1", "performance", "Figures", MEETING, "R-1"), MEETING)
    by("lead", Recommend("C1", 1), MEETING, "The work is done.")
    vote(ledger, "P", "chair", "C1")
    by("chair", Grant("C1", 1, MEETING, "7.1"), MEETING)
    signer = log_key(ledger.opened().event.ledger_id)  # type: ignore[attr-defined]
    ledger.issue_report(
        "P", "R1", "Committee", MEETING, BEGAN, Note(MEETING, "chair"), signer=signer
    )
    decided = Decision(body="Improvement Board", meeting=MEETING, minute="8")
    with ledger.database.reading() as connection:
        if withheld is not None:
            withheld.update(ledger.recorder.at_positions(connection, [14])[14].texts)
    ledger.withhold(
        14, "reason", "Data Protection Act 2018", Note(MEETING, ADMIN, decided_by=decided)
    )
    note = Note(MEETING, "lead", reason="Heard at the panel.")
    ledger.act("P", NoteProgress("C1", "Families were asked."), note)
    return ledger
