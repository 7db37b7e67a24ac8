"""The ledger: commands in, entries out. The front door of everything that writes."""

from dataclasses import replace
from datetime import date
from typing import Any

from domain.action import Action, ActionAdded
from domain.commands import Add, Close, Command, NoteProgress
from domain.errors import BadInput, Refusal
from domain.importing import Findings, PlannedAction, compare
from domain.plan import check_code, decide_impact, decide_plan, decide_report
from domain.scale import FIVE_STEPS, IMPACT_STEPS, Scale
from domain.timeline import Timeline, plan_stream
from ledger.entry import Note
from ledger.store import LEDGER_STREAM, Store
from ledger.writing import Receipt, Writing


class Ledger(Store):
    """An open ledger and its commands.

    Every command takes a `Note` (who, since when, why, on whose authority) and `dry_run`, and
    returns a receipt. A refused command records nothing. All of them raise:

        Refusal: future-date, before-plan, period-closed, unknown-plan, and what the law of the
            stream refuses (see `domain.action.objection`).
        Conflict: somebody recorded something on the same matter meanwhile.
    """

    def act(
        self,
        code: str,
        command: Command,
        note: Note,
        *,
        replaces: int | None = None,
        dry_run: bool = False,
    ) -> Receipt:
        """Carry out a command on one action of a plan.

        Args:
            code: the plan.
            command: see `domain.commands`.
            replaces: position of an entry on the same action that is voided in the same append.

        Raises:
            Refusal: unknown-reference, needs-authority, and what the command itself refuses.
            BadInput: needs-reason.
        """
        if command.is_decision and note.decided_by is None and not note.source:
            raise Refusal(
                "needs-authority",
                f"To {command.asks_for} is a decision: say which body took it.",
                "Give --decided-by BODY --meeting DATE --minute REF (or, for history taken from "
                "a published document, --source REF).",
            )
        if not note.reason and not note.source and not isinstance(command, NoteProgress):
            raise BadInput(
                "needs-reason", f"To {command.asks_for} needs a reason.", "Give --reason TEXT."
            )
        with self.database.reading():
            writing = Writing(self, code)
            if isinstance(command, Close) and command.replaced_by:
                writing.known_action(command.replaced_by)
            writing.carry_out(command, note, replaces=replaces, joins=isinstance(command, Add))
        return writing.commit(dry_run=dry_run)

    def create_plan(
        self,
        code: str,
        title: str,
        note: Note,
        *,
        scale: Scale = FIVE_STEPS,
        impact_scale: Scale = IMPACT_STEPS,
        dry_run: bool = False,
    ) -> Receipt:
        """Begin a plan on the note's effective date.

        Raises:
            Refusal: already-there, scales-mixed.
        """
        return self._new_plan(code, title, note, scale, impact_scale).commit(dry_run=dry_run)

    def _new_plan(
        self, code: str, title: str, note: Note, scale: Scale, impact_scale: Scale
    ) -> Writing:
        created = decide_plan(code, title, note.effective_on, scale, impact_scale)
        for known in self.plan_codes():
            if known.casefold() == code.casefold():
                raise Refusal(
                    "already-there",
                    f"The ledger has a plan '{known}' already.",
                    "Use another code.",
                )
        writing = Writing(self, code, Timeline(plan_stream(code)))
        writing.record_on_plan(created, note)
        return writing

    def import_plan(
        self,
        code: str,
        snapshot: list[PlannedAction],
        note: Note,
        *,
        title: str | None = None,
        scale: Scale = FIVE_STEPS,
        impact_scale: Scale = IMPACT_STEPS,
        whole: bool = True,
        dry_run: bool = False,
    ) -> tuple[Receipt, Findings]:
        """Take over a snapshot of a plan: the first makes the plan, a later one what changed.

        Args:
            snapshot: as read from a document.
            note: its effective date is the snapshot's; its source is the document.
            title: of the plan, when the snapshot makes it; a second plan needs one.
            whole: the snapshot holds the whole plan, so what it leaves out has gone missing.

        Raises:
            BadInput: a row cannot be taken over (its line is named), or needs-source.
        """
        if not note.source:
            raise BadInput(
                "needs-source",
                "An import needs the document that it is from.",
                "Give --source REF.",
            )
        known: dict[str, Action] = {}
        if code in self.plan_codes():
            writing = Writing(self, code)
            refs = self.references(code)
            writing.load(refs)
            for ref in refs:
                state = writing.action_line(ref).state_at(note.effective_on)
                if state is not None:
                    known[ref] = state
        else:
            plans = self.plan_codes()
            check_code(code, "the code of a plan")
            if plans and not title:
                raise Refusal(
                    "unknown-plan",
                    f"The ledger holds no plan '{code}'.",
                    f"Plans in it: {', '.join(plans)}. To begin another give its title (--title).",
                )
            writing = self._new_plan(code, title or code, note, scale, impact_scale)
        writing.check_not_future(note)
        plan = writing.plan_at(note.effective_on)
        found = compare(plan, known, snapshot, whole=whole)
        for section in found.sections:
            writing.record_on_plan(section, note)
        writing.load({ref for ref, _event in found.changes})
        joining = {ref for ref, event in found.changes if isinstance(event, ActionAdded)}
        for ref, event in found.changes:
            writing.record_on_action(ref, event, note, joins=ref in joining)
        return writing.commit(dry_run=dry_run), found

    def rate_impact(
        self,
        code: str,
        section: str,
        label: str,
        note: Note,
        *,
        replaces: int | None = None,
        dry_run: bool = False,
    ) -> Receipt:
        """Rate a section for its impact, on the key for impact.

        Raises:
            Refusal: unknown-section, unknown-rating.
            BadInput: needs-reason.
        """
        if not note.reason and not note.source:
            raise BadInput("needs-reason", "An impact rating needs a reason.", "Give --reason.")
        writing = Writing(self, code)
        event = decide_impact(writing.plan_at(note.effective_on), section, label)
        writing.record_on_plan(event, note, replaces=replaces)
        return writing.commit(dry_run=dry_run)

    def issue_report(
        self,
        code: str,
        ref: str,
        committee: str,
        meeting: date,
        as_at: date,
        note: Note,
        *,
        known_at: int | None = None,
        dry_run: bool = False,
    ) -> Receipt:
        """Record that a paper was issued; it closes the period up to its as-at date.

        Args:
            known_at: the last entry known when the paper was made; default the last there is.

        Raises:
            Refusal: meeting-before-as-at, issued-before-as-at.
        """
        writing = Writing(self, code)
        shown = self.moment(as_at, known_at)
        event = decide_report(
            writing.plan_now,
            ref,
            committee,
            meeting,
            as_at,
            known_at=shown.position,
            root=shown.root,
            issued_on=note.effective_on,
            today=writing.today,
        )
        writing.record_on_plan(event, note)
        return writing.commit(dry_run=dry_run)

    def void(self, position: int, note: Note, *, dry_run: bool = False) -> Receipt:
        """Say that an earlier entry was a mistake.

        Raises:
            BadInput: no-such-entry, needs-reason.
            Refusal: cannot-be-void, already-void, contradicts-later-entry.
        """
        if not note.reason:
            raise BadInput("needs-reason", "A void needs a reason.", "Give --reason TEXT.")
        with self.database.reading() as connection:
            stored = self.recorder.at_positions(connection, [position]).get(position)
        if stored is None:
            raise BadInput(
                "no-such-entry", f"There is no entry {position}.", f"The last is {self.size()}."
            )
        stream = str(stored.originator_id)
        if stored.topic == "entry.voided/1" or stream == LEDGER_STREAM:
            raise Refusal(
                "cannot-be-void",
                f"Entry {position} ({stored.topic}) cannot be voided.",
                "The opening entry says which ledger this is."
                if stream == LEDGER_STREAM
                else "To take back a void, record again what it voided.",
            )
        kind, code, *rest = stream.split("/")
        writing = Writing(self, code)
        line: Timeline[Any] = writing.action_line(rest[0]) if kind == "action" else writing.plan
        writing.void(line, position, replace(note, effective_on=writing.today))
        return writing.commit(dry_run=dry_run)
