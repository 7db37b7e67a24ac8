"""The ledger: commands in, entries out. The front door of everything that writes."""

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from domain.action import Action, ActionAdded, is_done
from domain.administration import BoardCommand, may_close, may_take_over
from domain.authority import in_force
from domain.board_commands import StandDown
from domain.commands import Add, Close, Command, NoteProgress, Rate
from domain.errors import BadInput, Conflict, Refusal
from domain.event import EntryVoided
from domain.importing import Findings, PlannedAction, compare
from domain.issue_commands import Decline, Propose, Withdraw, replaceable
from domain.person_commands import ReplaceKey
from domain.plan import check_code, decide_impact, decide_plan, decide_report
from domain.scale import FIVE_STEPS, IMPACT_STEPS, Scale
from domain.scene import Scene
from domain.signing_commands import CastVote, Confirm, ToSign
from domain.signoff_commands import Recommend, Return, Revoke
from domain.timeline import PENDING, Timeline, plan_stream
from ledger import withholding
from ledger.entry import Note
from ledger.signing import check_signature, check_unused
from ledger.store import LEDGER_STREAM, Store
from ledger.voiding import void_entry
from ledger.withholding import Outcome
from ledger.writing import Receipt, Writing

if TYPE_CHECKING:
    from ledger.note import Signer

ATTEMPTS = 20
"""How often a signed vote is decided again when somebody else votes at the same moment."""


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
        if not note.reason and not note.source and not isinstance(command, NoteProgress):
            raise BadInput(
                "needs-reason", f"To {command.asks_for} needs a reason.", "Give --reason TEXT."
            )
        with self.database.reading():
            writing = Writing(self, code)
            scene = writing.scene(note.effective_on, note.recorded_by)
            if note.source or _moves_history(scene, command):
                may_take_over(scene.on(writing.today))
            if command.is_decision and not note.source:
                self._check_form(scene, command, note, writing.today)
            if isinstance(command, Close) and command.replaced_by:
                writing.known_action(command.replaced_by)
                replaceable(scene, command)
            writing.carry_out(command, note, replaces=replaces, joins=isinstance(command, Add))
        return writing.commit(dry_run=dry_run)

    @staticmethod
    def _check_form(scene: Scene, command: Command, note: Note, today: date) -> None:
        """A decision names its body; where a body of the plan has that power, it agrees a proposal.

        Raises:
            Refusal: needs-agreement, needs-authority.
        """
        # An early date is no way round the body that has the power by now.
        able = scene.empowered("amend") or scene.on(today).empowered("amend")
        if able:
            raise Refusal(
                "needs-agreement",
                f"To {command.asks_for} in this plan is first proposed, then agreed by "
                f"{' or '.join(str(body) for body in able)}.",
                "Use: govledger amend propose …, and then with the number that it gets: govledger "
                "amend agree NUMBER --meeting DATE --minute REF. The direct form is for history "
                "taken over from a published document (--source REF).",
            )
        if note.decided_by is None:
            raise Refusal(
                "needs-authority",
                f"To {command.asks_for} is a decision: say which body took it.",
                "Give --decided-by BODY --meeting DATE --minute REF (or, for history taken from "
                "a published document, --source REF).",
            )

    def govern(
        self,
        code: str,
        command: BoardCommand,
        note: Note,
        *,
        replaces: int | None = None,
        dry_run: bool = False,
    ) -> Receipt:
        """Carry out a command on people, bodies, meetings, evidence, sign-offs, escalations or
        proposed amendments.

        Args:
            code: the plan.
            command: see `domain.board_commands`, `signoff_commands` and `issue_commands`.
            replaces: position of an entry of the plan that is voided in the same append.

        Raises:
            NotAuthorised, Refusal: what the command itself and `domain.authority` refuse;
                bad-signature.
        """
        if not note.reason and _needs_reason(command):
            raise BadInput("needs-reason", "This needs a reason.", "Give --reason TEXT.")
        # Members vote at the same time on the same action. What they signed binds the content, so
        # a vote that came second is decided again by itself, and refused if that has changed.
        attempts = ATTEMPTS if isinstance(command, CastVote | Confirm) else 1
        for attempt in range(1, attempts + 1):
            with self.database.reading():
                writing = Writing(self, code)
                writing.proceed(command, note, replaces=replaces)
                if not dry_run:
                    check_signature(writing)
                check_unused(writing)
            try:
                return writing.commit(dry_run=dry_run)
            except Conflict:
                if attempt == attempts:
                    raise
        raise AssertionError("an attempt returns or raises")

    def to_sign(self, code: str, command: CastVote | Confirm, note: Note) -> ToSign:
        """What a member has to sign for a vote or a confirmation; records nothing.

        Raises:
            NotAuthorised, Refusal: what would refuse the signed command too.
        """
        with self.database.reading():
            writing = Writing(self, code)
            writing.proceed(command, note)
            writing.commit(dry_run=True)
            scene = Writing(self, code).scene(note.effective_on, note.recorded_by)
            ready = command.to_sign(scene)
            key = in_force(scene, ready.signer.person, (writing.today, PENDING))
            return replace(ready, key=key)

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
            may_take_over(writing.scene(writing.today, note.recorded_by))
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
        if note.source:
            may_take_over(writing.scene(writing.today, note.recorded_by))
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
        signer: "Signer | None" = None,
        dry_run: bool = False,
    ) -> Receipt:
        """Record that a paper was issued; it closes the period up to its as-at date.

        Args:
            known_at: the last entry known when the paper was made; default the last there is.
            signer: the ledger's key: signs a checkpoint of what the paper was made from, which
                is recorded with it.

        Raises:
            Refusal: meeting-before-as-at, issued-before-as-at; other-log-key, where the key is
                another ledger's.
            NotAuthorised: not-chair-or-secretary, where the plan has bodies.
        """
        writing = Writing(self, code)
        may_close(writing.scene(writing.today, note.recorded_by))
        shown = self.moment(as_at, known_at)
        signed = None
        if signer:
            from ledger.proving import signed_checkpoint

            signed = signed_checkpoint(self, signer, shown.position)
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
            checkpoint=signed,
            checkpoint_key=signer.verifier.text if signer else None,
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
        entry = self.entry_at(position)
        stream = entry.stream_id
        if isinstance(entry.event, EntryVoided) or stream == LEDGER_STREAM:
            raise Refusal(
                "cannot-be-void",
                f"Entry {position} ({entry.event.tag}) cannot be voided.",
                "The opening entry says which ledger this is."
                if stream == LEDGER_STREAM
                else "To take back a void, record again what it voided.",
            )
        with self.database.reading():
            writing = Writing(self, stream.split("/")[1])
            void_entry(writing, position, replace(note, effective_on=writing.today))
        return writing.commit(dry_run=dry_run)

    def withhold(
        self,
        position: int,
        field: str,
        basis: str,
        note: Note,
        *,
        copies: bool = False,
        dry_run: bool = False,
    ) -> Outcome:
        """Delete a text by law; see `ledger.withholding.withhold`."""
        place = position, field
        return withholding.withhold(self, place, basis, note, copies=copies, dry_run=dry_run)

    def exempt(
        self, position: int, field: str, basis: str, note: Note, *, dry_run: bool = False
    ) -> Outcome:
        """Leave a text out of what is made public; see `ledger.withholding.exempt`."""
        return withholding.exempt(self, (position, field), basis, note, dry_run=dry_run)

    def lift_exemption(
        self, position: int, field: str, note: Note, *, dry_run: bool = False
    ) -> Outcome:
        """Say that a text is exempt no more; see `ledger.withholding.lift`."""
        return withholding.lift(self, (position, field), note, dry_run=dry_run)


def _moves_history(scene: Scene, command: Command) -> bool:
    """Whether it moves a rating of complete work that was taken over, which no body gave."""
    if not isinstance(command, Rate) or command.milestone is not None:
        return False
    state: Action | None = scene.look("action", command.ref, scene.day)
    return state is not None and is_done(state.rating, scene.plan.scale)


def _needs_reason(command: BoardCommand) -> bool:
    """Whether somebody will ask why: of whatever takes back, declines or asks for a change."""
    if isinstance(command, CastVote):
        return command.vote == "decline"
    if isinstance(command, ReplaceKey):
        return command.key is None
    return isinstance(
        command, Propose | Decline | Withdraw | Recommend | Return | Revoke | StandDown
    )
