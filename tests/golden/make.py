"""Makes the golden export: a ledger with every type of entry that this version records.

`python -m tests.golden.make NUMBER` writes `export-NUMBER` beside this file, once and never again:
what it holds was made by the version of that day, and every later version has to verify it.
"""

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from documents.export_folder import write_export
from domain.administration import BoardCommand
from domain.board_commands import (
    Appoint,
    ChangeTerms,
    DeclareInterest,
    Establish,
    RecordMeeting,
    SetTerms,
    StandDown,
)
from domain.commands import (
    ChangeOwners,
    Close,
    Command,
    Delay,
    NoteProgress,
    PlaceUnderReview,
    Rate,
    Resume,
    ReviseTimescale,
    Reword,
)
from domain.evidence_commands import Lodge
from domain.importing import PlannedAction, PlannedMilestone
from domain.issue_commands import (
    Agree,
    Decline,
    Propose,
    Raise,
    Refer,
    Resolve,
    Respond,
    Withdraw,
)
from domain.person_commands import Administrate, ChangeRole, Enrol, ReplaceKey
from domain.signing_commands import Confirm
from domain.signoff_commands import Grant, Recommend, Return, Revoke
from ledger.entry import Decision, Note
from ledger.service import Ledger
from projections.upkeep import create_ledger
from tests.conftest import Clock
from tests.fixed import ADMIN, everything_fixed, log_key, ssh_key, ssh_sign, vote

CODE = "P"
BEGAN, EARLY, SET_UP = date(2025, 1, 6), date(2025, 3, 3), date(2025, 9, 1)
MEETING, NEXT = date(2025, 10, 9), date(2025, 11, 13)
PEOPLE = {"chair": "Chair", "dcs": "Director", "lead": "Lead", "clerk": "Clerk"}


def full(path: Path) -> Ledger:
    """The ledger, made within `everything_fixed`."""
    clock = Clock(datetime(2025, 10, 9, 18, tzinfo=UTC))
    ledger = create_ledger(path, "Golden", ADMIN, clock)
    ledger.create_plan(CODE, "Improvement plan", Note(BEGAN, ADMIN))
    planned = [
        PlannedAction(
            ref,
            line,
            "Front door",
            "Edge of care",
            f"Action {ref}",
            "Head",
            "March 2026",
            "On track",
            (PlannedMilestone(1, 2, "July 2026"),) if ref == "C4" else (),
        )
        for line, ref in enumerate(("C1", "C2", "C3", "C4", "C5"), 2)
    ]
    ledger.import_plan(CODE, planned, Note(BEGAN, ADMIN, source="Council, 6 January 2025"))
    _before_boards(ledger)
    _boards(ledger)
    _decisions(ledger)
    clock.instant = datetime(2025, 11, 13, 18, tzinfo=UTC)
    _later(ledger, clock)
    return ledger


def _before_boards(ledger: Ledger) -> None:
    """What anyone may record while the plan has no bodies."""
    decided = Decision(body="Board", meeting=EARLY, minute="4")
    commands: tuple[Command, ...] = (
        ReviseTimescale("C2", "TBC"),
        Delay("C2"),
        PlaceUnderReview("C3"),
        Resume("C3"),
        Reword("C4", "Panel for entries"),
        ChangeOwners("C4", "Head of Panel"),
        Close("C5", "C4"),
        NoteProgress("C1", "Families were asked."),
        Rate("C4", "Red"),
    )
    for command in commands:
        ledger.act(CODE, command, Note(EARLY, ADMIN, reason="Agreed.", decided_by=decided))
    ledger.void(ledger.size(), Note(EARLY, ADMIN, reason="Typed for another action."))
    ledger.rate_impact(CODE, "1", "Impact sustained", Note(EARLY, ADMIN, reason="Seen."))


def _by(
    ledger: Ledger, who: str, command: BoardCommand, on: date = SET_UP, reason: str | None = None
) -> None:
    ledger.govern(CODE, command, Note(on, who, reason=reason))


def _boards(ledger: Ledger) -> None:
    for person, role in PEOPLE.items():
        _by(ledger, ADMIN, Enrol(person, f"The {role.lower()}", role, ssh_key(person)[1]))
    commands: tuple[BoardCommand, ...] = (
        Establish("ws", "Workstream", 1, 1, ("recommend",)),
        Establish("iib", "Improvement Board", 2, 2, ("phase_1", "phase_2", "amend")),
        Establish("cfc", "Committee", 3, 2),
        Appoint("ws", "lead", "chair"),
        Appoint("iib", "chair", "chair"),
        Appoint("iib", "dcs"),
        Appoint("iib", "clerk", "secretary"),
        Appoint("cfc", "clerk", "secretary"),
        ChangeTerms("iib", 1),
        SetTerms(most_revisions=3),
        Administrate("clerk"),
        Administrate("chair"),
    )
    for command in commands:
        _by(ledger, ADMIN, command)


def _decisions(ledger: Ledger) -> None:
    present = ("chair", "dcs", "clerk")
    _by(ledger, "clerk", RecordMeeting("iib", MEETING, present), MEETING)
    _by(ledger, "dcs", DeclareInterest("iib", MEETING, "dcs", "C2"), MEETING)
    for ref in ("C1", "C2"):
        _by(ledger, "lead", Lodge(ref, "performance", f"Figures {ref}", MEETING, "R-1"), MEETING)
        _by(ledger, "lead", Recommend(ref, 1), MEETING, "The work is done.")
    vote(ledger, CODE, "chair", "C1")
    _by(ledger, "clerk", Grant("C1", 1, MEETING, "7.1"), MEETING)
    _by(ledger, "clerk", Return("C2", 1, MEETING, "7.2"), MEETING, "Too early.")
    _by(ledger, "lead", Propose(ReviseTimescale("C2", "June 2026")), MEETING, "Panels wait.")
    _by(ledger, "lead", Propose(Reword("C3", "Review of thresholds")), MEETING, "Clearer.")
    _by(ledger, "clerk", Agree("A1", MEETING, "8.1"), MEETING)
    _by(ledger, "clerk", Decline("A2", MEETING, "8.2"), MEETING, "It is clear as it is.")
    for issue in ("The home cannot open.", "A slip."):
        _by(ledger, "lead", Raise(("C2",), issue, "ws", "iib", NEXT), MEETING)
    _by(ledger, "clerk", Refer("E1", "cfc", NEXT), MEETING)
    _by(ledger, "clerk", Respond("E1", "The visit is booked."), MEETING)
    _by(ledger, "clerk", Resolve("E1", "It opened."), MEETING)
    _by(ledger, "lead", Withdraw("E2"), MEETING, "Raised twice.")
    signer = log_key(ledger.opened().event.ledger_id)  # type: ignore[attr-defined]
    note = Note(MEETING, "clerk")
    ledger.issue_report(CODE, "R1", "Committee", MEETING, SET_UP, note, signer=signer)


def _later(ledger: Ledger, clock: Clock) -> None:
    _by(ledger, ADMIN, ChangeRole("lead", "Head of workstream"), NEXT)
    _by(ledger, ADMIN, ReplaceKey("chair", ssh_key("chair, later")[1]), NEXT)
    _by(ledger, ADMIN, ReplaceKey("lead", None), NEXT, "Left.")
    _by(ledger, ADMIN, StandDown("iib", "dcs"), NEXT, "Left.")
    _by(ledger, ADMIN, Administrate("clerk", appoint=False), NEXT)
    _by(ledger, "clerk", RecordMeeting("iib", NEXT, ("chair", "clerk")), NEXT)
    change = Note(NEXT, ADMIN, reason="As published.", source="A paper")
    ledger.act(CODE, Reword("C1", "Edge of care offer"), change)
    command = Confirm("C1", 1, NEXT, "6.2", clock())
    note = Note(NEXT, "chair", reason="Read.")
    ready = ledger.to_sign(CODE, command, note)
    signature = ssh_sign("chair, later", ready.text)
    ledger.govern(CODE, Confirm(**{**vars(command), "signature": signature}), note)
    _by(ledger, "clerk", Revoke("C1", 1, NEXT, "6.3"), NEXT, "Undone.")
    decided = Decision(body="Improvement Board", meeting=NEXT, minute="9")
    said = Note(NEXT, ADMIN, reason="Asked for.", decided_by=decided)
    lodged = [
        n for n in range(1, ledger.size()) if ledger.entry_at(n).event.tag == "evidence.lodged/1"
    ]
    ledger.exempt(lodged[0], "called", "Schedule 12A, paragraph 1", said)
    ledger.exempt(lodged[1], "called", "Schedule 12A, paragraph 3", said)
    ledger.lift_exemption(lodged[1], "called", said)
    ledger.withhold(lodged[1], "reference", "Data Protection Act 2018", said)


def make(folder: Path) -> str:
    """Write the export into a new folder; returns the root."""
    with TemporaryDirectory() as place, everything_fixed():
        ledger = full(Path(place, "ledger.sqlite"))
        key = log_key(ledger.opened().event.ledger_id)  # type: ignore[attr-defined]
        from ledger.proving import signed_checkpoint

        manifest = write_export(
            ledger, folder, checkpoint=lambda size: signed_checkpoint(ledger, key, size)
        )
        ledger.close()
    return str(manifest["root"])


if __name__ == "__main__":
    sys.stdout.write(make(Path(__file__).parent / f"export-{sys.argv[1]}") + "\n")
