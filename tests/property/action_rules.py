"""Random commands on the actions of a plan, as rules of a hypothesis state machine."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from domain.action import Action, is_delayed
from domain.commands import (
    Add,
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
from domain.scale import FIVE_STEPS, OPEN, UNDER_REVIEW
from domain.timeline import action_stream
from ledger.writing import Receipt
from tests.property import strategies as some
from tests.property.bench import Bench
from tests.property.strategies import CODE, MORE_REFS, REFS, Wording


class ActionRules(RuleBasedStateMachine):
    """One rule for each kind of command on an action."""

    bench: Bench

    def act(self, kind: str, command: Command, wording: Wording) -> None:
        bench, note = self.bench, self.bench.note(wording)
        replaces = bench.replaced(wording, action_stream(CODE, command.ref))
        late = note.effective_on < bench.today

        def give(dry_run: bool) -> Receipt:
            return bench.ledger.act(CODE, command, note, replaces=replaces, dry_run=dry_run)

        if bench.attempt(kind, give, rehearse=wording.rehearse):
            recorded = bench.entries[-1].note
            marks = {
                "replacement": replaces is not None,
                "correction": recorded.correction,
                "backdated": late,
            }
            for mark in (name for name, holds in marks.items() if holds):
                bench.count(mark)

    def aimed(self, ref: str, aim: bool, wanted: Callable[[Action], bool]) -> str:
        """The action given or, where it is aimed, the first after it that stands as wanted."""
        if not aim:
            return ref
        fit = [r for r, state in sorted(self.bench.actions().items()) if wanted(state)]
        return next((r for r in fit if r >= ref), fit[0] if fit else ref)

    def open_one(self, ref: str, aim: bool) -> str:
        return self.aimed(ref, aim, lambda state: state.standing == OPEN)

    @rule(
        ref=some.refs,
        aim=some.likely,
        label=some.ratings,
        milestone=some.milestones,
        wording=some.wordings,
    )
    def rate(
        self, ref: str, aim: bool, label: str, milestone: int | None, wording: Wording
    ) -> None:
        ref = self.open_one("A1" if milestone else ref, aim)
        kind = "rate a milestone" if milestone else "rate"
        self.act(kind, Rate(ref, label, milestone), wording)

    @rule(ref=some.refs, text=some.notes, wording=some.wordings)
    def note_progress(self, ref: str, text: str, wording: Wording) -> None:
        self.act("note progress", NoteProgress(ref, text), wording)

    @rule(ref=some.refs, written=some.timescales, milestone=some.milestones, wording=some.wordings)
    def revise_timescale(
        self, ref: str, written: str, milestone: int | None, wording: Wording
    ) -> None:
        kind = "revise a milestone" if milestone else "revise a timescale"
        ref = "A1" if milestone else ref
        self.act(kind, ReviseTimescale(ref, written, milestone), wording)

    @rule(ref=some.refs, aim=some.likely, wording=some.wordings)
    def delay(self, ref: str, aim: bool, wording: Wording) -> None:
        late = ("grey", "amber", None)
        ref = self.aimed(ref, aim, lambda s: s.standing == OPEN and s.rating in late)
        self.act("delay", Delay(ref), wording)

    @rule(ref=some.refs, aim=some.likely, wording=some.wordings)
    def place_under_review(self, ref: str, aim: bool, wording: Wording) -> None:
        self.act("place under review", PlaceUnderReview(self.open_one(ref, aim)), wording)

    @rule(ref=some.refs, aim=some.likely, wording=some.wordings)
    def resume(self, ref: str, aim: bool, wording: Wording) -> None:
        ref = self.aimed(
            ref, aim, lambda s: s.standing == UNDER_REVIEW or is_delayed(s, FIVE_STEPS)
        )
        self.act("resume", Resume(ref), wording)

    @rule(ref=some.refs, instead=st.none() | some.refs, wording=some.wordings)
    def close(self, ref: str, instead: str | None, wording: Wording) -> None:
        self.act("close", Close(ref, instead), wording)

    @rule(
        ref=st.sampled_from((*MORE_REFS, *MORE_REFS, *REFS[:2], "No good")),
        title=some.titles,
        section=some.sections,
        owners=st.none() | some.owners,
        timescale=st.none() | some.timescales,
        wording=some.wordings,
    )
    def add(
        self,
        ref: str,
        title: str,
        section: str,
        owners: str | None,
        timescale: str | None,
        wording: Wording,
    ) -> None:
        self.act("add", Add(ref, title, section, owners, timescale), wording)

    @rule(ref=st.sampled_from(MORE_REFS), section=some.sections, wording=some.wordings)
    def correct_how_it_joined(self, ref: str, section: str, wording: Wording) -> None:
        """The entry that added an action is replaced; what came later stays as it is."""
        bench = self.bench
        stream = action_stream(CODE, ref)
        first = bench.replaced(replace(wording, replaces="first"), stream)
        if first is None or bench.entries[first - 1].stream_id != stream:
            return
        note = bench.note(replace(wording, reason="It says here."))
        note = replace(note, effective_on=bench.entries[first - 1].effective_on, correction=True)
        command = Add(ref, "As it should have been", section)
        bench.attempt(
            "correct how it joined",
            lambda dry_run: bench.ledger.act(CODE, command, note, replaces=first, dry_run=dry_run),
            rehearse=wording.rehearse,
        )

    @rule(ref=some.refs, title=some.titles, wording=some.wordings)
    def reword(self, ref: str, title: str, wording: Wording) -> None:
        self.act("reword", Reword(ref, title), wording)

    @rule(ref=some.refs, owners=some.owners, wording=some.wordings)
    def change_owners(self, ref: str, owners: str, wording: Wording) -> None:
        self.act("change owners", ChangeOwners(ref, owners), wording)
