"""One write: read what the decision rests on, decide, append all of it or nothing.

Nothing is locked while a decision is made. The append names the version of every stream that
was read; if one has moved meanwhile, the ledger is as before and the person is told.
"""

import difflib
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import IntegrityError

from domain.action import Action
from domain.administration import BoardCommand
from domain.amendment import AmendmentAgreed
from domain.authority import check
from domain.commands import Command
from domain.errors import BadInput, Conflict, Refusal
from domain.event import Event
from domain.issue_commands import within_cap
from domain.plan import Plan
from domain.text import free_text, one_line
from domain.timeline import PENDING, Timeline, action_stream, plan_stream, stream_of
from ledger.entry import Decision, Entry, Note
from ledger.scene import LineScene
from ledger.voiding import reopen, unless, void, void_entry

if TYPE_CHECKING:
    from ledger.store import Store

FAR_FUTURE = date.max


@dataclass(frozen=True)
class Receipt:
    """What a write recorded, or would have recorded.

    Attributes:
        entries: with their positions; in a dry run the positions that they would have had.
        plan: the plan as it then is, for its labels.
        voided: what each entry that was voided had said, by position.
        dry_run: nothing was recorded.
    """

    entries: tuple[Entry, ...]
    plan: Plan
    voided: Mapping[int, Event]
    dry_run: bool = False


class Writing:
    """Entries of one plan that are recorded together.

    Args:
        ledger: where.
        code: the plan's code.
        plan: the plan's timeline, where the plan is being created in this write.

    Raises:
        Refusal: unknown-plan.
    """

    def __init__(self, ledger: "Store", code: str, plan: Timeline[Plan] | None = None) -> None:
        self.ledger = ledger
        self.code = code
        self._decided = ledger.standing()
        self.today = self._decided.today
        self.plan: Timeline[Plan] = plan or ledger.timeline(plan_stream(code), self._decided.size)
        if plan is None and self.plan.version == 0:
            known = ", ".join(ledger.plan_codes()) or "none yet"
            raise Refusal(
                "unknown-plan",
                f"The ledger holds no plan '{code}'.",
                f"Plans in it: {known}. Take one in with: govledger plan import FILE",
            )
        self.lines: dict[str, Timeline[Any]] = {self.plan.stream_id: self.plan}
        self._read: dict[str, int] = {self.plan.stream_id: self.plan.version}
        self.entries: list[Entry] = []
        self.voided: dict[int, Event] = {}
        self.effective: dict[int, date] = {}  # of what was voided
        self.correction = False  # whether a note said that this corrects a closed period

    @functools.cached_property
    def _opened(self) -> Entry:
        return self.ledger.opened()

    @property
    def ledger_id(self) -> str:
        """Identity of the ledger."""
        opened: Any = self._opened.event
        return str(opened.ledger_id)

    @property
    def opened_by(self) -> str:
        """Who began the ledger: its first administrator."""
        return self._opened.note.recorded_by

    def plan_at(self, day: date) -> Plan:
        """The plan as at that day, with what this write adds.

        Raises:
            Refusal: before-plan.
        """
        if day < self.plan_now.begins_on:
            raise Refusal(
                "before-plan",
                f"The plan {self.code} began on {self.plan_now.begins_on}; {day} is earlier.",
                "Give a later date.",
            )
        plan = self.plan.state_at(day)
        assert plan is not None
        return plan

    @property
    def plan_now(self) -> Plan:
        """The plan with everything known of it, whatever its date."""
        plan = self.plan.state_at(FAR_FUTURE)
        assert plan is not None
        return plan

    def line(self, stream: str) -> Timeline[Any]:
        """The timeline of a stream; empty for one that has not begun."""
        if stream not in self.lines:
            line = self.ledger.timeline(stream, self._decided.size)
            self.lines[stream] = line
            self._read[stream] = line.version
        return self.lines[stream]

    def action_line(self, ref: str) -> Timeline[Action]:
        """The timeline of an action; empty for one that is not in the plan."""
        return self.line(action_stream(self.code, ref))

    def known_action(self, ref: str) -> Timeline[Action]:
        """The timeline of an action that is or was in the plan.

        Raises:
            Refusal: unknown-reference.
        """
        line = self.action_line(ref)
        if line.version == 0:
            raise unknown_reference(ref, self.code, self.ledger.references(self.code))
        return line

    def load(self, refs: Iterable[str]) -> None:
        """Read the timelines of many actions at once."""
        self.load_streams(action_stream(self.code, ref) for ref in refs)

    def load_streams(self, streams: Iterable[str]) -> None:
        """Read the timelines of many streams at once."""
        missing = [stream for stream in streams if stream not in self.lines]
        for stream, line in self.ledger.timelines(missing).items():
            self.lines[stream] = line
            self._read[stream] = line.version

    def keys(self, kind: str) -> list[str]:
        """The keys of the plan's streams of a kind, those that begin in this write included."""
        known = self.ledger.keys(kind, self.code)
        prefix = stream_of(kind, self.code, "")
        begun = [s.removeprefix(prefix) for s in self.lines if s.startswith(prefix)]
        return [*known, *(k for k in begun if k not in known and self.lines[prefix + k].version)]

    def scene(self, day: date, who: str) -> LineScene:
        """What a decision looks at, as at a day, with what this write adds."""
        return LineScene(self, day, who)

    def record_on_plan(self, event: Event, note: Note, *, replaces: int | None = None) -> None:
        """Add an event of the plan itself."""
        if replaces is not None:
            void(self, self.plan, replaces, replace(note, effective_on=self.today))
        self._record(self.plan, event, note)

    def carry_out(
        self, command: Command, note: Note, *, replaces: int | None = None, joins: bool = False
    ) -> None:
        """Let a command decide as at the note's effective date, and add its event.

        Args:
            joins: the command puts its action into the plan, so it need not be known yet.

        Raises:
            Refusal: whatever the command or the dates refuse.
        """
        line = self.action_line(command.ref) if joins else self.known_action(command.ref)
        if joins and line.version == 0:
            self._check_spelling(command.ref)
        if replaces is not None:
            void(self, line, replaces, replace(note, effective_on=self.today))
        self._check_dates(note)
        plan = self.plan_at(note.effective_on)
        if not note.source:  # after the void, or what is replaced would count too
            within_cap(self.scene(note.effective_on, note.recorded_by), command)
        state = line.state_at(note.effective_on)
        self._record(line, command.decide(state, plan, taken_over=bool(note.source)), note)

    def _check_spelling(self, ref: str) -> None:
        for known in self.ledger.references(self.code):
            if known.casefold() == ref.casefold():
                raise Refusal(
                    "already-there",
                    f"{ref} differs from {known} only in its capitals.",
                    "Give the new action another reference.",
                )

    def proceed(self, command: BoardCommand, note: Note, *, replaces: int | None = None) -> None:
        """Let a command that concerns the boards decide, and add what it has recorded.

        Raises:
            Refusal, NotAuthorised: whatever the command, the dates or the authority refuse.
        """
        self._check_dates(note)
        if replaces is not None:
            void_entry(self, replaces, replace(note, effective_on=self.today))
        scene = self.scene(note.effective_on, note.recorded_by)
        minute = getattr(command, "minute", None)
        decided = command.decide(scene)
        if minute is not None:
            # Every entry that the decision made carries it, the change to the plan included.
            first: Any = decided[0][2]
            body = scene.body(first.body).name
            note = replace(
                note, decided_by=Decision(body=body, meeting=first.meeting, minute=minute)
            )
        for kind, key, event in decided:
            stream = plan_stream(self.code) if kind == "plan" else stream_of(kind, self.code, key)
            line = self.line(stream)
            before = line.state_at(note.effective_on)
            check(scene, before, event, (self.today, PENDING))
            if not note.reason and kind == "action" and isinstance(decided[0][2], AmendmentAgreed):
                # The change log gives a reason: where the body added none, that of the proposal.
                note = replace(note, reason=self._reason_of(decided[0][1]))
            self._record(line, event, note)

    def _reason_of(self, amendment: str) -> str | None:
        """Why the amendment was proposed."""
        proposal = self.line(stream_of("amendment", self.code, amendment)).items()[0]
        entry = self.ledger.entry_at(proposal.position)
        return None if "reason" in entry.withheld else entry.note.reason

    def record_on_action(self, ref: str, event: Event, note: Note, *, joins: bool) -> None:
        """Add an event of an action that has been decided already."""
        line = self.action_line(ref) if joins else self.known_action(ref)
        self._record(line, event, note)

    def _record(self, line: Timeline[Any], event: Event, note: Note) -> None:
        self.append(line, event, replace(note, correction=self._check_dates(note)))

    def append(self, line: Timeline[Any], event: Event, note: Note) -> None:
        """Add an entry to a timeline and to what will be recorded."""
        line.add(event, note.effective_on, PENDING + len(self.entries) + 1)
        self.entries.append(Entry(line.stream_id, line.version, event, clean(note)))

    def _check_dates(self, note: Note) -> bool:
        """Whether an entry with this note corrects a closed period.

        Raises:
            Refusal: future-date, before-plan, period-closed.
        """
        self.check_not_future(note)
        if self.plan.version == 0:
            return False
        self.plan_at(note.effective_on)
        return self.corrects(note.effective_on, note, str(note.effective_on))

    def check_not_future(self, note: Note) -> None:
        """Refuse what has not happened yet.

        Raises:
            Refusal: future-date.
        """
        if note.effective_on > self.today:
            raise Refusal(
                "future-date",
                f"{note.effective_on} is in the future: today is {self.today}.",
                "An entry says what is true already. Give today or an earlier date.",
            )
        if note.decided_by is not None and note.decided_by.meeting > self.today:
            raise Refusal(
                "future-date",
                f"A meeting on {note.decided_by.meeting} has not decided yet: today is "
                f"{self.today}.",
                "Record the decision once it is taken.",
            )

    def corrects(self, day: date, note: Note, what: str) -> bool:
        """Whether what is effective on a day lies in a closed period.

        Raises:
            Refusal: period-closed, where the note does not say that it is a correction.
            BadInput: needs-reason.
        """
        self.correction = self.correction or note.correction
        reports = self.plan_now.reports.values()
        report = max(reports, key=lambda report: report.as_at, default=None)
        if report is None or day > report.as_at:
            return False
        if not note.correction:
            raise Refusal(
                "period-closed",
                f"Report {report.ref} closed the period up to {report.as_at}, and {what} "
                "lies in it.",
                "If the reported past was wrong, say so with --correction and a --reason; it is "
                "then listed as a correction in the next change log.",
            )
        if not note.reason:
            raise BadInput("needs-reason", "A correction needs a reason.", "Give --reason TEXT.")
        return True

    def _check_administrators(self) -> None:
        """Somebody has to remain who may say who decides, or nobody ever could again.

        Raises:
            Refusal: last-administrator.
        """
        if not any(entry.stream_id.startswith("person/") for entry in self.entries):
            return
        for day in (self.today, FAR_FUTURE):
            scene = self.scene(day, "")
            names = [self.opened_by, *(person.person for person in scene.people())]
            if not any(map(scene.is_administrator, names)):
                raise Refusal(
                    "last-administrator",
                    "With this the plan would have no administrator any more.",
                    "Appoint another one first: govledger person administrator CODE",
                )

    def rests_on(self) -> dict[str, int]:
        """The streams that were read so far, with the version that each had."""
        return dict(self._read)

    def commit(self, *, dry_run: bool = False) -> Receipt:
        """Check every timeline that was added to, and append.

        Raises:
            Refusal: an event, or one recorded before, would break the law of its stream.
            Conflict: somebody recorded something on the same matter meanwhile.
        """
        reopen(self)
        self._check_administrators()
        scale = self.plan_now.scale
        touched = {entry.stream_id for entry in self.entries}
        lines = [line for line in self.lines.values() if line.stream_id in touched]
        for line in lines:
            line.check(scale)
        if dry_run or not self.entries:
            due = (
                replace(entry, position=position)
                for position, entry in enumerate(self.entries, self._decided.size + 1)
            )
            return Receipt(tuple(due), self.plan_now, self.voided, dry_run)
        guards = {s: v for s, v in self._read.items() if s not in touched}
        try:
            recorded = self.ledger.append(self.entries, guards, self._decided, unless(self), lines)
        except IntegrityError as error:
            raise Conflict(
                "changed-meanwhile",
                "Somebody else recorded something on the same action or plan while this was "
                "being decided; nothing of yours was recorded.",
                "Look at what is new (govledger log), and give your command again if it still "
                "holds.",
            ) from error
        return Receipt(tuple(recorded), self.plan_now, self.voided)


@functools.lru_cache(maxsize=16)
def clean(note: Note) -> Note:
    """The note as it may be recorded, its words checked and stripped.

    Raises:
        BadInput: empty-text, text-too-long, control-character.
    """
    decided_by = note.decided_by
    if decided_by is not None:
        decided_by = Decision(
            body=one_line(decided_by.body, "A body"),
            meeting=decided_by.meeting,
            minute=one_line(decided_by.minute, "A minute reference"),
        )
    return replace(
        note,
        recorded_by=one_line(note.recorded_by, "A person's name"),
        reason=None if note.reason is None else free_text(note.reason, "A reason"),
        decided_by=decided_by,
        source=None if note.source is None else one_line(note.source, "A source"),
    )


def unknown_reference(ref: str, code: str, known: Iterable[str]) -> Refusal:
    """The refusal for an action that the plan never had, with the nearest references."""
    by_fold = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(ref.casefold(), by_fold, n=3, cutoff=0.6)
    meant = ", ".join(by_fold[name] for name in close)
    return Refusal(
        "unknown-reference",
        f"The plan {code} has no action '{ref}'.",
        f"Did you mean {meant}?" if meant else "See all references with: govledger show",
    )
