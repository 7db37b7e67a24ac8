"""The ledger against random commands, through its front door and on a real file."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from domain.commands import NoteProgress
from domain.errors import GovledgerError
from domain.importing import PlannedAction
from domain.timeline import plan_stream
from ledger.entry import Note
from tests.property import strategies as some
from tests.property.action_rules import ActionRules
from tests.property.bench import NOT_ACCEPTED, Bench
from tests.property.strategies import CODE, When, Wording
from tests.servers import Server

OUTCOMES: Counter[str] = Counter()


class LedgerMachine(ActionRules):
    """Random commands, each followed by every check that can be afforded."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(OUTCOMES, self.place())
        self.checked = 0

    def place(self) -> str | None:
        """Where the ledger is to be; None for a new file."""
        return None

    def teardown(self) -> None:
        self.bench.close()

    # --- the clock and the file ----------------------------------------------------------------

    @rule(hours=st.sampled_from((1, 9, 24, 24 * 7, 24 * 20)), odd=st.integers(0, 10**9))
    def time_passes(self, hours: int, odd: int) -> None:
        self.bench.instant += timedelta(hours=hours, microseconds=odd)

    @rule()
    def it_gets_late(self) -> None:
        """In London it is tomorrow already, for half of the year."""
        self.bench.instant = self.bench.instant.replace(hour=23, minute=30)

    @rule(hours=st.sampled_from((1, 30, 24 * 40)))
    def the_clock_is_set_back(self, hours: int) -> None:
        self.bench.instant -= timedelta(hours=hours)
        self.bench.count("clock set back")

    @rule(anew=st.booleans())
    def the_other_process_goes_on(self, anew: bool) -> None:
        self.bench.change_turns()
        if anew:
            self.bench.reopen()

    @rule(ref=some.refs, as_at=some.whens, number=st.integers(0, 9) | st.none())
    def somebody_will_be_faster(self, ref: str, as_at: When, number: int | None) -> None:
        """The other process records something while the next command is being decided."""
        bench = self.bench

        def meanwhile() -> None:
            note, day = Note(bench.today, "Ben Clerk"), bench.day(as_at)
            try:
                if number is None:
                    bench.other.act(CODE, NoteProgress(ref, "Faster."), note)
                else:
                    bench.other.issue_report(CODE, f"CF/{number}", "Scrutiny", day, day, note)
                bench.count("somebody was faster")
            except GovledgerError:
                bench.count("somebody was faster, but refused")

        bench.meanwhile = meanwhile

    @rule(days=st.sampled_from((1, 3)))
    def the_clock_will_be_set_back(self, days: int) -> None:
        """Some days pass, and are taken back while the next command is being decided."""
        bench = self.bench
        bench.instant += timedelta(days)

        def meanwhile() -> None:
            bench.instant -= timedelta(days)
            bench.count("clock set back meanwhile")

        bench.meanwhile = meanwhile

    # --- commands on the plan ------------------------------------------------------------------

    @rule(
        section=some.sections,
        label=st.sampled_from(
            ("No impact seen", "some impact SEEN", "Impact sustained", "Green", "Delayed")
        ),
        wording=some.wordings,
    )
    def rate_impact(self, section: str, label: str, wording: Wording) -> None:
        bench, note = self.bench, self.bench.note(wording)
        replaces = bench.replaced(wording, plan_stream(CODE))
        bench.attempt(
            "rate impact",
            lambda dry_run: bench.ledger.rate_impact(
                CODE, section, label, note, replaces=replaces, dry_run=dry_run
            ),
            rehearse=wording.rehearse,
        )

    @rule(
        number=st.integers(1, 9),
        as_at=some.whens,
        days=st.sampled_from((0, 0, 7, 21, -1)),
        wording=some.wordings,
    )
    def issue_report(self, number: int, as_at: When, days: int, wording: Wording) -> None:
        bench, note = self.bench, self.bench.note(wording)
        day = bench.day(as_at)
        if days != 21:  # at times it is out before the day that it is as at
            note = replace(note, effective_on=max(note.effective_on, day))
        bench.attempt(
            "issue a report",
            lambda dry_run: bench.ledger.issue_report(
                CODE, f"CF/0{number}", "Scrutiny", day + timedelta(days), day, note, dry_run=dry_run
            ),
            rehearse=wording.rehearse,
        )

    @rule(position=st.integers(-1, 120), recent=st.booleans(), wording=some.wordings)
    def void(self, position: int, recent: bool, wording: Wording) -> None:
        bench, note = self.bench, self.bench.note(wording)
        if recent:
            position = len(bench.entries) - position % 12
        bench.attempt(
            "void",
            lambda dry_run: bench.ledger.void(position, note, dry_run=dry_run),
            rehearse=wording.rehearse,
        )

    @rule(position=st.integers(1, 120), odd=st.integers(0, 11), wording=some.wordings)
    def withhold(self, position: int, odd: int, wording: Wording) -> None:
        """One text in a few: each time the file is written anew."""
        bench, note = self.bench, self.bench.note(wording)
        position = 1 + position % len(bench.entries)
        event = bench.entries[position - 1].event
        names = (*event.vault, "recorded_by")
        if odd % 4:
            return
        bench.attempt(
            "withhold",
            lambda dry_run: bench.ledger.withhold(
                position, names[odd % len(names)], f"Law {position}", note, dry_run=dry_run
            ),
            rehearse=wording.rehearse,
        )

    @rule(snapshot=some.snapshots, whole=st.booleans(), wording=some.wordings)
    def import_snapshot(
        self, snapshot: Sequence[PlannedAction], whole: bool, wording: Wording
    ) -> None:
        bench, note = self.bench, self.bench.note(wording)
        if wording.authority:
            note = replace(note, source=note.source or "CF/30/25-26")
        bench.attempt(
            "import",
            lambda dry_run: bench.ledger.import_plan(
                CODE, list(snapshot), note, whole=whole, dry_run=dry_run
            )[0],
            rehearse=wording.rehearse,
        )

    @rule(code=st.sampled_from((CODE, CODE.lower(), "Plan_1", "P/1")), wording=some.wordings)
    def create_plan(self, code: str, wording: Wording) -> None:
        bench, note = self.bench, self.bench.note(wording)
        bench.attempt(
            "create a plan",
            lambda dry_run: bench.ledger.create_plan(code, "Another", note, dry_run=dry_run),
            rehearse=wording.rehearse,
        )

    # --- checks ----------------------------------------------------------------------------------

    @rule()
    def look_at_all_of_it(self) -> None:
        self.bench.check_whole()

    @invariant()
    def holds(self) -> None:
        """What is new is sound; at random moments the fast answers are the slow ones."""
        bench = self.bench
        bench.steps += 1
        random = Random(bench.steps)
        if self.checked != len(bench.entries):
            self.checked = len(bench.entries)
            bench.check_new_entries()
            bench.check_tree(random)
            bench.check_lists()
            bench.check_states(random, 2)
        bench.check_states(random, 1)


MARKS = ("replacement", "correction", "backdated")
KINDS = (
    "rate",
    "rate a milestone",
    "note progress",
    "revise a timescale",
    "revise a milestone",
    "delay",
    "place under review",
    "resume",
    "close",
    "add",
    "correct how it joined",
    "reword",
    "change owners",
    "rate impact",
    "issue a report",
    "void",
    "withhold",
    "import",
    "create a plan",
)


def test_whatever_is_asked_of_it_the_ledger_stays_true_to_its_entries() -> None:
    """Under random commands every fast answer is the slow one, and a refusal records nothing.

    Of the random commands at least one in eight is accepted, and of nearly every kind some are.
    """
    OUTCOMES.clear()
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(max_examples=30, stateful_step_count=50, deadline=None),
    )
    accepted = [OUTCOMES[kind] for kind in KINDS]
    assert sum(accepted) * 7 > OUTCOMES[NOT_ACCEPTED]
    assert len([times for times in accepted if times]) >= len(KINDS) - 3


def test_a_ledger_on_a_server_stays_true_too(postgres: Server) -> None:
    """The same on PostgreSQL, with a smaller budget: every check, after random commands."""

    class OnServer(LedgerMachine):
        def place(self) -> str:
            return postgres.new()

    OUTCOMES.clear()
    run_state_machine_as_test(
        OnServer, settings=settings(max_examples=2, stateful_step_count=25, deadline=None)
    )
    assert OUTCOMES[NOT_ACCEPTED] < sum(OUTCOMES.values())


def test_the_machine_can_have_a_command_of_every_kind_accepted() -> None:
    """Each rule of the machine is accepted, given good values, and every check holds after it."""
    OUTCOMES.clear()
    machine = LedgerMachine()
    said = Wording(When("recent", 3), "Agreed.", True, None, False, None, True)
    late = replace(said, when=When("closed", 0), correction=True)
    snapshot = [PlannedAction("A2", 2, title="Another wording", rating="Green")]
    steps: list[Callable[[], object]] = [
        lambda: machine.time_passes(24 * 7, 1),
        lambda: machine.it_gets_late(),
        lambda: machine.rate("B2", False, "Amber", None, said),
        lambda: machine.rate("A1", False, "Amber", 2, said),
        lambda: machine.note_progress("A1", "Done.", said),
        lambda: machine.revise_timescale("A1", "May 2026", None, said),
        lambda: machine.revise_timescale("A1", "June 2026", 1, said),
        lambda: machine.delay("B2", False, said),
        lambda: machine.place_under_review("A3", False, said),
        lambda: machine.resume("A3", False, said),
        lambda: machine.close("B1", "A1", said),
        lambda: machine.add("C2", "Begin", "Quality", None, "TBC", said),
        lambda: machine.note_progress("C2", "Begun.", replace(said, when=When("today", 0))),
        lambda: machine.correct_how_it_joined("C2", "Practice", said),
        lambda: machine.reword("A1", "Other words", said),
        lambda: machine.change_owners("A1", "Others", said),
        lambda: machine.change_owners("A1", "Others again", replace(said, replaces="last")),
        lambda: machine.rate_impact("Quality", "No impact seen", said),
        lambda: machine.void(0, True, said),
        lambda: machine.withhold(1, 0, said),
        lambda: machine.import_snapshot(snapshot, False, said),
        lambda: machine.create_plan("Plan_1", said),
        lambda: machine.issue_report(1, When("today", 0), 7, said),
        lambda: machine.rate("B3", False, "Red", None, late),
    ]
    try:
        for step in steps:
            step()
            assert OUTCOMES[NOT_ACCEPTED] == 0, OUTCOMES
            machine.holds()
        machine.look_at_all_of_it()
    finally:
        machine.teardown()
    assert [kind for kind in (*KINDS, *MARKS) if not OUTCOMES[kind]] == []
