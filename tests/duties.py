"""Who may do what: every role against every command, tried on a real ledger.

`python -m tests.duties` writes the page `docs/duties.md`; a test holds the page to the truth.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from domain import board_commands as b
from domain import evidence_commands as e
from domain import issue_commands as i
from domain import person_commands as n
from domain import signing_commands as g
from domain import signoff_commands as s
from domain.administration import BoardCommand
from domain.commands import Add, Command, Delay, NoteProgress, Rate, Reword
from domain.errors import GovledgerError
from ledger.entry import Decision, Note
from tests.boards import ADMIN, BEGAN, CODE, MEETING, Boards, public_key
from tests.conftest import Clock

PAGE = Path(__file__).parents[1] / "docs" / "duties.md"
ALLOWED = "yes"

ROLES = {
    "administrator": ADMIN,
    "chair": "iib-chair",
    "member": "dcs",
    "secretary": "clerk",
    "member who owns the action": "head-edge",
    "chair of the lead body": "workstream-lead",
    "enrolled, no seat": "observer",
    "not enrolled": "visitor",
}
"""The columns: a role, and who plays it."""

Try = Callable[["Stage", str], Any]


@dataclass(frozen=True)
class Rule:
    """A refusal as it was met: its rule, what it said and the exit code."""

    rule: str
    message: str
    exit_code: int


class Stage:
    """A plan on which every command is possible for whoever may give it.

    C1 waits for votes on phase 1, and is owned by a member. C2 is signed off in phase 1, and has
    its votes for phase 2. C3 is signed off in phase 1, and stale. C4 is ready to be recommended.
    A1 is proposed, and E1 is with the board.
    """

    def __init__(self, folder: Path) -> None:
        self.boards = Boards(folder / "ledger.sqlite", Clock())
        self.ledger = self.boards.ledger
        by, lead = self.boards.by, "workstream-lead"
        by(ADMIN, n.Enrol("observer", "The observer", "Observer", public_key("other")))
        there = ("iib-chair", "dcs", "lead-member", "head-edge", "clerk")
        by("clerk", b.RecordMeeting("iib", MEETING, there), MEETING)
        rated = Note(MEETING, ADMIN, reason="Seen.")
        self.rating = self.ledger.act(CODE, Rate("C1", "Delayed"), rated).entries[0]
        self.boards.ready("C1")
        for ref in ("C2", "C3"):
            self.boards.signed_off(ref)
        self.boards.ready("C2", 2)
        for who in ("iib-chair", "lead-member"):
            self.vote = self.boards.vote(who, "C2", 2).entries[0]
        by(lead, e.Lodge("C3", "performance", "Later figures", MEETING, "R-9", phase=1), MEETING)
        by(lead, e.Lodge("C3", "staff_feedback", "Survey", MEETING, "R-10", phase=2), MEETING)
        added = Note(MEETING, ADMIN, reason="Added.", source="Council, 9 October 2025")
        for ref in ("C4", "C5"):
            add = Add(ref, "New offer", "Edge of care")
            self.taken_over = self.ledger.act(CODE, add, added).entries[0]
        by(lead, e.Lodge("C4", "performance", "Figures", MEETING, "R-11"), MEETING)
        by(lead, i.Propose(Reword("C3", "Thresholds")), MEETING, "Shorter.")
        by(lead, i.Raise(("C1",), "No budget.", "pog", "iib", date(2025, 12, 1)), MEETING)

    def govern(self, who: str, command: BoardCommand) -> None:
        note = Note(MEETING, who, reason="Because.")
        self.ledger.govern(CODE, command, note, dry_run=True)

    def act(self, who: str, command: Command, *, decided: bool = False) -> None:
        decision = Decision(body="Board", meeting=MEETING, minute="1") if decided else None
        note = Note(MEETING, who, reason="Because.", decided_by=decision)
        self.ledger.act(CODE, command, note, dry_run=True)

    def report(self, who: str) -> None:
        note = Note(self.ledger.today(), who)
        self.ledger.issue_report(CODE, "R", "Committee", MEETING, BEGAN, note, dry_run=True)

    def take_over(self, who: str) -> None:
        note = Note(MEETING, who, source="A paper")
        self.ledger.act(CODE, Rate("C1", "Complete"), note, dry_run=True)

    def void(self, who: str, position: int) -> None:
        self.ledger.void(position, Note(MEETING, who, reason="A mistake."), dry_run=True)


SIGNED_AT = datetime(2025, 10, 9, 19, tzinfo=UTC)


def _govern(command: Callable[[], BoardCommand]) -> Try:
    return lambda stage, who: stage.govern(who, command())


COMMANDS: dict[str, Try] = {
    "person enrol": _govern(lambda: n.Enrol("new", "New", "New role", "ssh-ed25519 AAAA")),
    "person role": _govern(lambda: n.ChangeRole("dcs", "Another role")),
    "person key": _govern(lambda: n.ReplaceKey("dcs", "ssh-ed25519 AAAA")),
    "person withdraw-key": _govern(lambda: n.ReplaceKey("dcs", None)),
    "person administrator": _govern(lambda: n.Administrate("dcs")),
    "body establish": _govern(lambda: b.Establish("new", "New body", 5, 1)),
    "body terms": _govern(lambda: b.ChangeTerms("iib", quorum=1)),
    "body appoint": _govern(lambda: b.Appoint("iib", "observer")),
    "body stand-down": _govern(lambda: b.StandDown("iib", "dcs")),
    "meeting record": _govern(lambda: b.RecordMeeting("iib", MEETING, ("dcs", "clerk"))),
    "meeting interest (of somebody else)": _govern(
        lambda: b.DeclareInterest("iib", MEETING, "lead-member", "C1")
    ),
    "plan terms": _govern(lambda: b.SetTerms(impact_kinds=3)),
    "rate": lambda stage, who: stage.act(who, Rate("C1", "On track")),
    "progress": lambda stage, who: stage.act(who, NoteProgress("C1", "Begun.")),
    "evidence lodge": _govern(lambda: e.Lodge("C1", "performance", "More", MEETING, "R-8")),
    "signoff recommend": _govern(lambda: s.Recommend("C4", 1)),
    "signoff approve": _govern(lambda: g.CastVote("C1", 1, "approve", MEETING, SIGNED_AT)),
    "signoff decline": _govern(lambda: g.CastVote("C1", 1, "decline", MEETING, SIGNED_AT)),
    "signoff grant": _govern(lambda: s.Grant("C2", 2, MEETING, "7")),
    "signoff return": _govern(lambda: s.Return("C1", 1, MEETING, "7")),
    "signoff revoke": _govern(lambda: s.Revoke("C2", 1, MEETING, "7")),
    "signoff confirm": _govern(lambda: g.Confirm("C3", 1, MEETING, "7", SIGNED_AT)),
    "amend (direct)": lambda stage, who: stage.act(who, Delay("C1"), decided=True),
    "amend propose": _govern(lambda: i.Propose(Reword("C1", "Other words"))),
    "amend agree": _govern(lambda: i.Agree("A1", MEETING, "8")),
    "amend decline": _govern(lambda: i.Decline("A1", MEETING, "8")),
    "escalate raise": _govern(
        lambda: i.Raise(("C2",), "No staff.", "pog", "iib", date(2025, 12, 1))
    ),
    "escalate refer": _govern(lambda: i.Refer("E1", "cfc", date(2025, 12, 1))),
    "escalate respond": _govern(lambda: i.Respond("E1", "Noted.")),
    "escalate resolve": _govern(lambda: i.Resolve("E1", "Settled.")),
    "escalate withdraw": _govern(lambda: i.Withdraw("E1")),
    "report issue": lambda stage, who: stage.report(who),
    "rate (with a document)": lambda stage, who: stage.take_over(who),
    "void (of history taken over)": lambda stage, who: stage.void(who, stage.taken_over.position),
    "void (of a rating)": lambda stage, who: stage.void(who, stage.rating.position),
    "void (of a vote)": lambda stage, who: stage.void(who, stage.vote.position),
}
"""The rows: a command, and how it is tried."""


def table(folder: Path) -> dict[str, dict[str, Rule | None]]:
    """What each command says to each role; None where it is allowed."""
    stage = Stage(folder)
    try:
        return {
            name: {role: _tried(attempt, stage, who) for role, who in ROLES.items()}
            for name, attempt in COMMANDS.items()
        }
    finally:
        stage.ledger.close()


def _tried(attempt: Try, stage: Stage, who: str) -> Rule | None:
    try:
        attempt(stage, who)
    except GovledgerError as error:
        return Rule(error.rule, error.message, error.exit_code)
    return None


INTRODUCTION = """# Who may do what

Every command tried by every role, on a ledger where each is possible for whoever may give it.
This page is made by trying them (`python -m tests.duties`), and a test holds it to the truth.

**yes** is allowed; otherwise the rule that refuses, explained below the tables. A person is whoever
`--as` names: a claim, which the ledger does not prove. What proves a vote is its signature.
"""


def page(found: dict[str, dict[str, Rule | None]]) -> str:
    """The page, in Markdown."""
    rows = [
        "| command | " + " | ".join(ROLES) + " |",
        "| --- " * (len(ROLES) + 1) + "|",
        *(
            f"| `{name}` | "
            + " | ".join(rule.rule if rule else f"**{ALLOWED}**" for rule in said.values())
            + " |"
            for name, said in found.items()
        ),
    ]
    rules = {r.rule: r for said in found.values() for r in said.values() if r}
    explained = [
        "| rule | exit code | for example |",
        "| --- | --- | --- |",
        *(
            f"| {name} | {rule.exit_code} | {rule.message} |"
            for name, rule in sorted(rules.items())
        ),
    ]
    return "\n".join((INTRODUCTION, *rows, "", *explained)) + "\n"


def main() -> None:
    """Write the page anew."""
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(page(table(Path(folder))), "utf-8")


if __name__ == "__main__":
    main()
