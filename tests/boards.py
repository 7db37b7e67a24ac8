"""A plan with boards, made of roles: people with keys, bodies on a ladder, a meeting, two actions.

The keys are made anew for every run of the tests; none is kept.
"""

import functools
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from domain.administration import BoardCommand
from domain.board_commands import Appoint, Establish, RecordMeeting
from domain.dates import now
from domain.evidence_commands import Lodge
from domain.importing import PlannedAction
from domain.person_commands import Enrol
from domain.signing_commands import CastVote, Confirm
from domain.signoff_commands import Grant, Recommend
from ledger import signatures
from ledger.entry import Note
from ledger.keys import read_public_key
from ledger.service import Ledger
from ledger.writing import Receipt
from projections.upkeep import create_ledger

CODE = "CEIP"
ADMIN = "A. Registrar"
BEGAN = date(2025, 1, 6)
SET_UP = date(2025, 9, 1)
MEETING = date(2025, 10, 9)

PEOPLE = {
    "iib-chair": "Independent chair",
    "dcs": "Director of Children's Services",
    "lead-member": "Lead member",
    "head-edge": "Head of Edge of Care",
    "clerk": "Clerk to the board",
    "workstream-lead": "Workstream lead",
}
SEATS = (
    ("iib", "iib-chair", "chair"),
    ("iib", "dcs", "member"),
    ("iib", "lead-member", "member"),
    ("iib", "head-edge", "member"),
    ("iib", "clerk", "secretary"),
    ("pog", "workstream-lead", "chair"),
    ("pog", "head-edge", "member"),
)
BODIES = (
    Establish("ws", "Edge of Care workstream", 1, 1),
    Establish("pog", "Partnership Oversight Group", 2, 1, ("recommend",)),
    Establish("iib", "Improvement and Impact Board", 3, 2, ("phase_1", "phase_2", "amend")),
    Establish("cfc", "Children and Families Committee", 4, 3),
    Establish("ofsted", "Ofsted", 0, 1),
)


@functools.cache
def key_folder() -> Path:
    """A folder with a private key for each person, and `other`, that nobody is enrolled with."""
    folder = Path(tempfile.mkdtemp(prefix="keys-"))
    for name in (*PEOPLE, "other", "third"):
        target = str(folder / name)
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", target]
        subprocess.run(words, check=True)
    return folder


def public_key(person: str) -> str:
    return read_public_key((key_folder() / f"{person}.pub").read_text())


class Boards:
    """The ledger, and what people do on it."""

    def __init__(self, path: Path | str, clock: Callable[[], datetime] = now) -> None:
        self.ledger: Ledger = create_ledger(path, "Boards", ADMIN, clock)
        self.ledger.create_plan(CODE, "Improvement plan", Note(BEGAN, ADMIN))
        planned = [
            PlannedAction(
                ref, line, "Front door", "Edge of care", title, owners, "March 2026", "On track"
            )
            for line, (ref, title, owners) in enumerate(
                (
                    ("C1", "Edge of care offer", "Head of Edge of Care"),
                    ("C2", "Panel for entries to care", "Director of Children's Services"),
                    ("C3", "Review of thresholds", "Head of Front Door; Head of Edge of Care"),
                ),
                2,
            )
        ]
        self.ledger.import_plan(CODE, planned, Note(BEGAN, ADMIN, source="Council, 6 January 2025"))
        for person, role in PEOPLE.items():
            self.by(ADMIN, Enrol(person, f"The {role.lower()}", role, public_key(person)))
        for body in BODIES:
            self.by(ADMIN, body)
        for code, person, capacity in SEATS:
            self.by(ADMIN, Appoint(code, person, capacity))
        there = ("iib-chair", "dcs", "lead-member", "clerk")
        self.by("clerk", RecordMeeting("iib", MEETING, there, ("head-edge",)), MEETING)

    def by(
        self,
        who: str,
        command: BoardCommand,
        on: date = SET_UP,
        reason: str | None = None,
        *,
        dry_run: bool = False,
    ) -> Receipt:
        """Carry out a command of a person, effective on a day."""
        return self.ledger.govern(CODE, command, Note(on, who, reason=reason), dry_run=dry_run)

    def ready(self, ref: str, phase: int = 1, on: date | None = None) -> Receipt:
        """Lodge what a phase needs, and recommend it; phase 2 at the meeting that granted 1."""
        on = on or (MEETING if phase == 2 else date(2025, 10, 1))
        kinds = ("performance",) if phase == 1 else ("family_feedback", "staff_feedback")
        for kind in kinds:
            self.by("workstream-lead", Lodge(ref, kind, f"{kind} of {ref}", on, f"R-{kind}"), on)
        return self.by("workstream-lead", Recommend(ref, phase), on, "The work is done.")

    def sign(
        self, who: str, command: CastVote | Confirm, key: str | None = None, reason: str = "Read."
    ) -> Receipt:
        """Sign a vote or a confirmation with the person's key (or another's), and record it."""
        note = Note(command.meeting, who, reason=reason)
        ready = self.ledger.to_sign(CODE, command, note)
        name = key or who
        signature = signatures.sign(ready.text, public_key(name), key_folder() / name)
        return self.ledger.govern(CODE, replace(command, signature=signature), note)

    def vote(
        self,
        who: str,
        ref: str,
        phase: int = 1,
        vote: str = "approve",
        meeting: date = MEETING,
        key: str | None = None,
    ) -> Receipt:
        """A member's signed vote."""
        command = CastVote(ref, phase, vote, meeting, self.ledger.recorder.clock())
        return self.sign(who, command, key)

    def confirm(self, ref: str, phase: int = 1, meeting: date = MEETING) -> Receipt:
        """As many members as the quorum confirm it for what the action says now."""
        for who in ("iib-chair", "lead-member"):
            command = Confirm(ref, phase, meeting, "7.2", self.ledger.recorder.clock())
            receipt = self.sign(who, command)
        return receipt

    def grant(self, ref: str, phase: int = 1, meeting: date = MEETING) -> Receipt:
        """The clerk records that it is granted."""
        return self.by("clerk", Grant(ref, phase, meeting, "7.1"), meeting)

    def signed_off(self, ref: str, phase: int = 1) -> Receipt:
        """From lodging to granting, with two approvals."""
        self.ready(ref, phase)
        for who in ("iib-chair", "lead-member"):
            self.vote(who, ref, phase)
        return self.grant(ref, phase)
