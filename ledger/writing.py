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
from domain.commands import Command
from domain.errors import BadInput, Conflict, Refusal
from domain.event import EntryVoided, Event
from domain.plan import Plan, ReportIssued
from domain.text import free_text, one_line
from domain.timeline import PENDING, Timeline, action_stream, plan_stream
from ledger.entry import Decision, Entry, Note

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
        self._ledger = ledger
        self._code = code
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
        self._timelines: dict[str, Timeline[Action]] = {}
        self._read: dict[str, int] = {self.plan.stream_id: self.plan.version}
        self._entries: list[Entry] = []
        self._voided: dict[int, Event] = {}

    def plan_at(self, day: date) -> Plan:
        """The plan as at that day, with what this write adds.

        Raises:
            Refusal: before-plan.
        """
        if day < self.plan_now.begins_on:
            raise Refusal(
                "before-plan",
                f"The plan {self._code} began on {self.plan_now.begins_on}; {day} is earlier.",
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

    def action_line(self, ref: str) -> Timeline[Action]:
        """The timeline of an action; empty for one that is not in the plan."""
        if ref not in self._timelines:
            line: Timeline[Action] = self._ledger.timeline(
                action_stream(self._code, ref), self._decided.size
            )
            self._timelines[ref] = line
            self._read[line.stream_id] = line.version
        return self._timelines[ref]

    def known_action(self, ref: str) -> Timeline[Action]:
        """The timeline of an action that is or was in the plan.

        Raises:
            Refusal: unknown-reference.
        """
        line = self.action_line(ref)
        if line.version == 0:
            raise unknown_reference(ref, self._code, self._ledger.references(self._code))
        return line

    def load(self, refs: Iterable[str]) -> None:
        """Read the timelines of many actions at once."""
        missing = {action_stream(self._code, r): r for r in refs if r not in self._timelines}
        for stream, line in self._ledger.timelines(missing).items():
            self._timelines[missing[stream]] = line
            self._read[stream] = line.version

    def record_on_plan(self, event: Event, note: Note, *, replaces: int | None = None) -> None:
        """Add an event of the plan itself."""
        if replaces is not None:
            self.void(self.plan, replaces, replace(note, effective_on=self.today))
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
            self.void(line, replaces, replace(note, effective_on=self.today))
        self._check_dates(note)
        plan = self.plan_at(note.effective_on)
        state = line.state_at(note.effective_on)
        self._record(line, command.decide(state, plan, taken_over=bool(note.source)), note)

    def _check_spelling(self, ref: str) -> None:
        for known in self._ledger.references(self._code):
            if known.casefold() == ref.casefold():
                raise Refusal(
                    "already-there",
                    f"{ref} differs from {known} only in its capitals.",
                    "Give the new action another reference.",
                )

    def record_on_action(self, ref: str, event: Event, note: Note, *, joins: bool) -> None:
        """Add an event of an action that has been decided already."""
        line = self.action_line(ref) if joins else self.known_action(ref)
        self._record(line, event, note)

    def void(self, line: Timeline[Any], position: int, note: Note) -> None:
        """Add the entry that voids an earlier one of this timeline.

        Raises:
            Refusal: already-void, cannot-be-void, period-closed.
        """
        item = line.item(position)
        if item is None:
            by = line.voided_by(position)
            if by is None:
                raise Refusal(
                    "not-on-this",
                    f"Entry {position} is not on {line.name}.",
                    f"Find the entry to void with: govledger log {line.name}",
                )
            raise Refusal(
                "already-void", f"Entry {position} was voided by entry {by}.", "Nothing to do."
            )
        if item.event.tag.startswith(("plan.created", "plan.section_added")):
            raise Refusal(
                "cannot-be-void",
                f"Entry {position} ({item.event.tag}) holds up the plan and cannot be voided.",
                "Begin the plan anew in a new ledger if its foundations are wrong.",
            )
        self._voided[position] = item.event
        # A report touches the whole period that it closed; voiding it opens that again.
        day = item.event.as_at if isinstance(item.event, ReportIssued) else item.effective_on
        correction = self._corrects(day, note, f"entry {position}")
        self._append(line, EntryVoided(voids=position), replace(note, correction=correction))

    def _record(self, line: Timeline[Any], event: Event, note: Note) -> None:
        self._append(line, event, replace(note, correction=self._check_dates(note)))

    def _append(self, line: Timeline[Any], event: Event, note: Note) -> None:
        line.add(event, note.effective_on, PENDING + len(self._entries) + 1)
        self._entries.append(Entry(line.stream_id, line.version, event, clean(note)))

    def _check_dates(self, note: Note) -> bool:
        """Whether an entry with this note corrects a closed period.

        Raises:
            Refusal: future-date, before-plan, period-closed.
        """
        self.check_not_future(note)
        if self.plan.version == 0:
            return False
        self.plan_at(note.effective_on)
        return self._corrects(note.effective_on, note, str(note.effective_on))

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

    def _corrects(self, day: date, note: Note, what: str) -> bool:
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

    def commit(self, *, dry_run: bool = False) -> Receipt:
        """Check every timeline that was added to, and append.

        Raises:
            Refusal: an event, or one recorded before, would break the law of its stream.
            Conflict: somebody recorded something on the same matter meanwhile.
        """
        scale = self.plan_now.scale
        lines: tuple[Timeline[Any], ...] = (self.plan, *self._timelines.values())
        touched = {entry.stream_id for entry in self._entries}
        for line in lines:
            if line.stream_id in touched:
                line.check(scale)
        if dry_run or not self._entries:
            due = (
                replace(entry, position=position)
                for position, entry in enumerate(self._entries, self._decided.size + 1)
            )
            return Receipt(tuple(due), self.plan_now, self._voided, dry_run)
        guards = {s: v for s, v in self._read.items() if s not in touched}
        try:
            recorded = self._ledger.append(self._entries, guards, self._decided)
        except IntegrityError as error:
            raise Conflict(
                "changed-meanwhile",
                "Somebody else recorded something on the same action or plan while this was "
                "being decided; nothing of yours was recorded.",
                "Look at what is new (govledger log), and give your command again if it still "
                "holds.",
            ) from error
        return Receipt(tuple(recorded), self.plan_now, self._voided)


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
