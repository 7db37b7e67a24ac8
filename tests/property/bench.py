"""The ledger on a bench: a real file, a clock that the test sets, and every check that there is."""

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import hypothesis
import pytest
from sqlalchemy import Connection

from domain.action import Action
from domain.dates import london_day
from domain.errors import GovledgerError, Refusal
from domain.timeline import action_stream, fold, plan_stream, stream_of
from ledger import withholding
from ledger.entry import Decision, Entry, EntryMapper, Note
from ledger.store import Moment
from ledger.verification import verify
from ledger.writing import Receipt
from projections.audit import difference
from projections.changes import changes
from projections.overview import overview
from projections.state import PlanState, read_state
from projections.upkeep import check_read_models, create_ledger, open_ledger, rebuild
from tests.property import oracle, papers
from tests.property.strategies import BEGINS, CODE, FIRST_SNAPSHOT, When, Wording

START = datetime(2025, 3, 29, 10, 0, tzinfo=UTC)
"""The day before the clocks in London go forward."""

NOT_ACCEPTED = "not accepted"
"""Counts commands of which nothing came: refused, or nothing to record."""

Recorded = Receipt | withholding.Outcome
Outcome = Recorded | GovledgerError


class Bench:
    """One ledger with what is known of it.

    Two processes have it open; each command is given to the one whose turn it is.

    Args:
        place: the address of an empty database; default a new file.

    Attributes:
        code, begins, start: of the plan, its first day, and the instant at which the test begins.
        outcomes: how often each kind of command was accepted, or refused by which rule.
        entries: all of them, as read back.
        ends: the last position of every append.
        meanwhile: what is to happen while the next command is being decided.
    """

    code, begins, start = CODE, BEGINS, START

    def __init__(self, outcomes: Counter[str], place: str | None = None) -> None:
        self.outcomes = outcomes
        self.instant = self.start
        self.entries: list[Entry] = []
        self.ends: set[int] = set()
        self.meanwhile: Callable[[], object] | None = None
        self._armed: Callable[[], object] | None = None
        self._latest = self.start
        self._before: oracle.Dump = {}
        self._open = ExitStack()
        self.path: Path | str = place or (
            Path(self._open.enter_context(TemporaryDirectory())) / "ledger.sqlite"
        )
        self.steps = 0
        self._judged = 0
        self.begin()

    def begin(self) -> None:
        """The ledger as the test finds it."""
        self.ledger = create_ledger(self.path, "Bench", "Ada Clerk", self.clock)
        self.other = open_ledger(self.path, self.clock)
        note = Note(self.begins, "Ada Clerk", source="CF/01/24-25")
        self._take_in()
        self.ledger.import_plan(self.code, FIRST_SNAPSHOT, note)
        self._take_in()

    def close(self) -> None:
        self.ledger.close()
        self.other.close()
        self._open.close()

    def clock(self) -> datetime:
        """The instant; a command asks for it first when it has begun to read."""
        instant, armed, self._armed = self.instant, self._armed, None
        if armed is not None:
            armed()
            self._take_in()
            self._before = oracle.dump(self.path)
        return instant

    def reopen(self) -> None:
        self.ledger.close()
        self.ledger = open_ledger(self.path, self.clock)

    def change_turns(self) -> None:
        self.ledger, self.other = self.other, self.ledger

    # --- aiming ------------------------------------------------------------------------------

    @property
    def today(self) -> date:
        last = self.entries[-1].recorded_at
        assert last is not None
        return oracle.day_in_london(max(self.instant, last))

    @property
    def closed_until(self) -> date | None:
        return oracle.closed_until(self.entries, self.code, len(self.entries))

    def day(self, when: When) -> date:
        """A day of the kind that is asked for, as far as the ledger has one."""
        closed, days = self.closed_until, when.days
        match when.kind:
            case "today":
                return self.today
            case "closed" if closed is not None:
                return max(self.begins, closed - timedelta(days))
            case "future":
                return self.today + timedelta(1 + days)
            case "before":
                return self.begins - timedelta(1 + days)
        opens = self.begins if closed is None else closed + timedelta(1)
        if when.kind == "recent" and opens <= self.today:
            return self.today - timedelta(days % (1 + (self.today - opens).days))
        return opens + timedelta(days % 3)

    def note(self, wording: Wording) -> Note:
        day = self.day(wording.when)
        decision = Decision(body="Improvement Board", meeting=day, minute="7.2")
        return Note(
            effective_on=day,
            recorded_by="Ada Clerk",
            reason=wording.reason,
            decided_by=decision if wording.authority else None,
            source=wording.source,
            correction=wording.correction,
        )

    def replaced(self, wording: Wording, stream: str) -> int | None:
        """The position to replace; that of the opening entry where the stream has none."""
        if wording.replaces is None or isinstance(wording.replaces, int):
            return wording.replaces
        live = oracle.live(self.entries, len(self.entries))
        found = sorted(entry.position for entry in live if entry.stream_id == stream) or [1]
        return found[0] if wording.replaces == "first" else found[-1]

    def actions(self) -> dict[str, Action]:
        """The actions of the plan as at today, by the fold."""
        states = fold(self.entries, self.today, len(self.entries))
        return {s.ref: s for s in states.values() if isinstance(s, Action)}

    # --- giving commands -----------------------------------------------------------------------

    def attempt(self, kind: str, give: Callable[[bool], Recorded], *, rehearse: bool) -> bool:
        """Give a command; whatever comes of it must be all that it says, and nothing else.

        Args:
            give: carries it out; told whether as a dry run.
            rehearse: try it as a dry run first, which must foretell what then happens.

        Returns:
            Whether it was accepted.
        """
        self._before = oracle.dump(self.path)
        foretold = None
        if rehearse and self.meanwhile is None:
            foretold = self._outcome(give, dry_run=True)
            assert oracle.dump(self.path) == self._before, "a dry run recorded something"
        self._latest = self.instant
        self._armed, self.meanwhile = self.meanwhile, None
        came = self._outcome(give, dry_run=False)
        self._armed = None
        if foretold is not None:
            assert _gist(foretold) == _gist(came), "a dry run foretold something else"
        if isinstance(came, GovledgerError) or not came.entries:
            assert oracle.dump(self.path) == self._before, "what was not accepted was recorded"
            self.count(NOT_ACCEPTED)
            if isinstance(came, GovledgerError):
                self.count(f"rule {came.rule}")
            return False
        old = len(self.entries)
        self._take_in()
        assert self.entries[old:] == list(came.entries), "the receipt says something else"
        before = self.entries[old - 1].recorded_at
        (recorded_at,) = {entry.recorded_at for entry in came.entries}
        assert before is not None
        assert recorded_at is not None
        assert max(self.instant, before) <= recorded_at <= max(self._latest, before)
        self.count(kind)
        return True

    def _outcome(self, give: Callable[[bool], Recorded], *, dry_run: bool) -> Outcome:
        try:
            return give(dry_run)
        except GovledgerError as error:
            return error

    def count(self, what: str) -> None:
        self.outcomes[what] += 1
        if hypothesis.currently_in_test_context():
            hypothesis.event(what)

    def _take_in(self) -> None:
        """Read everything back, with the eyes of the other process."""
        with self.other.database.reading() as connection:
            read = list(self.other.recorder.read(connection))
        self.entries = [EntryMapper().to_domain_event(stored) for stored in read]
        self.ends.add(len(self.entries))

    # --- checks --------------------------------------------------------------------------------

    def check_new_entries(self) -> None:
        """The entries since the last check obey the design, and so do the timelines with them.

        Not held to the law is what was known between a void and its replacement: `replaces`
        records both in one append, but `--known-at '#N'` can ask in between.
        """
        for position in range(self._judged + 1, len(self.entries) + 1):
            assert list(oracle.faults(self.entries, position)) == []
        for stream in {entry.stream_id for entry in self.entries[self._judged :]}:
            for known_at in (end for end in self.ends if end > self._judged):
                assert list(oracle.objections(self.entries, stream, known_at)) == []
        self._judged = len(self.entries)
        assert self.ledger.today() == self.today

    def check_tree(self, random: Random) -> None:
        """The root now and at an earlier size is the naive one over the rows as stored."""
        leaves = oracle.naive_leaves(self.path)
        earlier = random.randint(1, len(leaves))
        for size in (len(leaves), earlier):
            moment = self.ledger.moment(known_at=size)
            assert moment.root == oracle.naive_root(leaves[:size])
        last = self.entries[earlier - 1].recorded_at
        assert last is not None
        for known_at in (last, last - timedelta(microseconds=1), london_day(last)):
            known = [e for e in self.entries if e.recorded_at and _by(e.recorded_at, known_at)]
            assert self.ledger.moment(known_at=known_at).position == len(known)

    def check_states(self, random: Random, times: int) -> None:
        """Now and at random (D, K) the plan as read is the plan as folded, entry for entry."""
        size = len(self.entries)
        asked = [(self._some_day(random), random.randint(1, size)) for _ in range(times)]
        for day, position in [(self.today, size), *asked]:
            moment = self.ledger.moment(as_at=day, known_at=position)
            for code in self.ledger.plan_codes():
                self.check_state(code, moment)

    def _some_day(self, random: Random) -> date:
        if random.random() < 0.5:
            near = random.choice(self.entries).effective_on
            return near + timedelta(random.choice((-1, 0, 0, 0, 1)))
        return self.begins + timedelta(random.randint(-3, (self.today - self.begins).days + 3))

    def check_state(self, code: str, moment: Moment) -> None:
        states = fold(self.entries, moment.as_at, moment.position)
        with self.ledger.database.reading() as connection:
            if plan_stream(code) not in states:
                with pytest.raises(Refusal) as refused:
                    read_state(connection, code, moment)
                assert refused.value.rule == "not-there-yet"
                return
            read = read_state(connection, code, moment)
            if (moment.position + moment.as_at.day) % 3 == 0:  # they take their time
                self._check_papers(connection, code, moment, read)
        prefix = action_stream(code, "")
        actions = {s.removeprefix(prefix): a for s, a in states.items() if s.startswith(prefix)}
        assert read.plan == states[plan_stream(code)]
        assert dict(read.actions) == actions
        for kind, found in (
            ("body", read.bodies),
            ("person", read.people),
            ("escalation", read.escalations),
            ("amendment", read.amendments),
        ):
            prefix = stream_of(kind, code, "")
            folded = {s: state for s, state in states.items() if s.startswith(prefix)}
            assert {prefix + key: state for key, state in found.items()} == folded
        joined = [read.setter(ref, "ref") for ref in read.actions]
        assert all(one < two for one, two in pairwise(joined))
        set_by = oracle.set_by(self.entries, code, moment.as_at, moment.position)
        assert {s: dict(found) for s, found in read.set_by.items()} == set_by
        self.check_ratings(read, moment)

    def _check_papers(
        self, connection: Connection, code: str, moment: Moment, read: PlanState
    ) -> None:
        """The overview, the change log and the comparison of two dates, as worked out slowly."""
        since = moment.as_at - timedelta(days=moment.position % 40)
        shown = overview(read, moment.as_at)["summary"]["by_rating"]
        assert {k: n for k, n in shown.items() if n} == papers.counts(read.plan, read.actions)
        said = changes(self.ledger, connection, code, moment, since)
        for name, refs in papers.standing_lists(read.plan, read.actions).items():
            assert {row["ref"] for row in said[name]} == refs
        due = papers.period(self.entries, code, read.actions, since, moment.as_at, moment.position)
        for name in ("added", "closed"):
            assert {row["ref"] for row in said[name]} == due[name]
        keys = ("original", "revised", "first_agreed", "times_revised")
        assert {
            (row["ref"], row["milestone"]): tuple(row[key] for key in keys)
            for row in said["timescales_revised"]
        } == due["timescales_revised"]
        earlier = replace(moment, as_at=since)
        if since >= read.plan.begins_on:
            before = read_state(connection, code, earlier)
            found = difference(connection, code, earlier, moment)
            assert {
                "changed": {
                    (row["ref"], row["field"], row["before"], row["after"])
                    for row in found["changed"]
                },
                "added": {(row["ref"],) for row in found["added"]},
                "removed": {(row["ref"],) for row in found["removed"]},
            } == papers.differences((before.plan, before.actions), (read.plan, read.actions))

    def check_ratings(self, read: PlanState, moment: Moment) -> None:
        """No Amber E and no Green without a source, as long as there are no sign-offs."""
        for ref, action in read.actions.items():
            shown = [("", action.rating)]
            shown += [(f"milestone/{n}", m.rating) for n, m in action.milestones.items()]
            for part, rating in shown:
                step = read.plan.scale.step(rating)
                if step is not None and step.meaning in oracle.DONE:
                    setter = read.setter(ref, "rating", part)
                    assert self.entries[setter - 1].note.source, f"{ref} {part} {rating}"

    def check_lists(self) -> None:
        """The codes of the plans and the references of their actions are those of the streams."""
        streams = list(dict.fromkeys(entry.stream_id for entry in self.entries))
        codes = [s.split("/")[1] for s in streams if s.startswith("plan/")]
        assert self.ledger.plan_codes() == codes
        for code in codes:
            prefix = f"action/{code}/"
            refs = [s.removeprefix(prefix) for s in streams if s.startswith(prefix)]
            assert self.ledger.references(code) == refs

    def check_whole(self) -> None:
        """Nothing is found against the ledger, and its read models rebuilt are what they were."""
        verified = verify(self.ledger)
        assert verified.findings == ()
        assert verified.size == len(self.entries)
        assert verified.root == self.ledger.moment().root
        assert check_read_models(self.ledger) == []
        before = oracle.dump_read_models(self.path)
        assert rebuild(self.ledger) == len(self.entries)
        assert oracle.dump_read_models(self.path) == before


def _by(recorded_at: datetime, known_at: date) -> bool:
    """Whether that was recorded by then; a day counts to its end."""
    if isinstance(known_at, datetime):
        return recorded_at <= known_at
    return oracle.day_in_london(recorded_at) <= known_at


def _gist(outcome: Outcome) -> object:
    """What a dry run can foretell of an outcome: all but the ids and the instant."""
    if isinstance(outcome, GovledgerError):
        return type(outcome), outcome.rule, outcome.message, outcome.hint
    return [
        (entry.position, entry.stream_id, entry.stream_version, entry.event, entry.note)
        for entry in outcome.entries
    ]
