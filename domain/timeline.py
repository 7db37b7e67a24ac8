"""One stream in order of the world's time, and the definition of a state at (D, K).

The state as at D, known at K is the fold of the entries recorded by K, effective by D and not
voided by an entry recorded by K, in order of (effective_on, position). `fold` says just that,
slowly; every faster reading of a plan is held to it.
"""

from bisect import bisect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, Protocol, TypeVar

from domain import action, amendment, body, escalation, person, plan, withholding
from domain.errors import Refusal
from domain.event import EntryVoided, Event
from domain.scale import FIVE_STEPS, Scale

State = TypeVar("State")


class Recorded(Protocol):
    """What the fold needs to know of an entry."""

    @property
    def position(self) -> int:
        """1, 2, 3 … in the ledger."""

    @property
    def stream_id(self) -> str:
        """What it is about."""

    @property
    def effective_on(self) -> date:
        """From when it is true."""

    @property
    def event(self) -> Event:
        """What happened."""


def plan_stream(code: str) -> str:
    """The stream of a plan itself."""
    return f"plan/{code}"


def action_stream(code: str, ref: str) -> str:
    """The stream of one action of a plan."""
    return f"action/{code}/{ref}"


def stream_of(kind: str, code: str, key: str) -> str:
    """The stream of a body, a person, an escalation or an amendment of a plan."""
    return f"{kind}/{code}/{key}"


EVOLVE: dict[str, Callable[[Any, Event], Any]] = {
    "plan": plan.evolve,
    "action": action.evolve,
    "body": body.evolve,
    "person": person.evolve,
    "escalation": escalation.evolve,
    "amendment": amendment.evolve,
    "ledger": withholding.evolve,
}
OBJECTION: dict[str, Callable[[Any, Event, Scale], tuple[str, str] | None]] = {
    "plan": plan.objection,
    "action": action.objection,
    "body": body.objection,
    "person": person.objection,
    "escalation": escalation.objection,
    "amendment": amendment.objection,
    "ledger": withholding.objection,
}
OF_A_PLAN = tuple(kind for kind in EVOLVE if kind != "ledger")
"""The kinds of stream that a plan has."""


def fold(entries: Iterable[Recorded], as_at: date, known_at: int) -> dict[str, Any]:
    """The state of every stream as at `as_at`, known after entry `known_at`; the oracle.

    Args:
        entries: the whole ledger, in any order.
        as_at: the end of this day in Europe/London.
        known_at: a position.

    Returns:
        The state by stream id; streams that had not begun are left out.
    """
    known = [entry for entry in entries if entry.position <= known_at]
    voided = {(e.stream_id, e.event.voids) for e in known if isinstance(e.event, EntryVoided)}
    live = [
        entry
        for entry in known
        if entry.effective_on <= as_at and (entry.stream_id, entry.position) not in voided
    ]
    states: dict[str, Any] = {}
    for entry in sorted(live, key=lambda entry: (entry.effective_on, entry.position)):
        evolve = EVOLVE.get(entry.stream_id.split("/", 1)[0])
        if evolve is not None:
            states[entry.stream_id] = evolve(states.get(entry.stream_id), entry.event)
    return {stream: state for stream, state in states.items() if state is not None}


@dataclass(frozen=True)
class Item:
    """An event at its place in the timeline."""

    effective_on: date
    position: int
    event: Event

    @property
    def order(self) -> tuple[date, int]:
        """Sorts as the fold does."""
        return self.effective_on, self.position

    @property
    def pending(self) -> bool:
        """Whether it is about to be recorded, and its position provisional."""
        return self.position > PENDING


NEXT = {
    "under-review": "It is resumed first: govledger amend propose resume {key} --reason TEXT",
    "phase-1-first": "Phase 1 comes first: govledger signoff recommend {key} --phase 1",
    "phase-2-first": "Revoke that one first: govledger signoff revoke {key} --phase 2",
    "voted-already": "A vote that was a mistake is voided by an administrator: "
    "govledger signoff show {key}",
    "not-granted": "See how it stands: govledger signoff show {key}",
    "not-recommended": "It is recommended first: govledger signoff recommend {key} --phase {phase}",
    "action-closed": "See when and why it was closed: govledger why {key} rating",
    "decided-already": "See what was decided: govledger amend show {key}",
    "not-open": "See what became of it: govledger escalate show {key}",
    "signed-off": "The body that granted it revokes it: govledger signoff revoke {key} --phase N",
}
"""What a person can do next, by the rule of the law that refused."""
PENDING = 10**12
"""Provisional positions lie beyond this, after every entry that anyone records meanwhile."""


class Timeline(Generic[State]):
    """The live events of one stream as known now, to decide against.

    Keeps the state after each item, so that deciding at the end of a long stream costs no more
    than at the end of a short one; a change in the middle forgets the states after it.

    Attributes:
        stream_id: the stream.
        version: of the last event read or added.
    """

    def __init__(self, stream_id: str, recorded: Iterable[Recorded] = ()) -> None:
        self.stream_id = stream_id
        self.kind, _, self._subject = stream_id.partition("/")
        self.version = 0
        self._items: list[Item] = []  # in order of (effective_on, position)
        self._states: list[Any] = [None]  # before the first item, after the first, …
        self._lawful = 0  # so many items from the first have been held to the law
        self._voided: dict[int, int] = {}
        self._ever: list[Event] = []
        self._kinds: set[type[Event]] = set()
        self.extend(recorded)

    def copy(self) -> "Timeline[State]":
        """A timeline that can be added to without changing this one."""
        twin: Timeline[State] = Timeline(self.stream_id)
        twin.version, twin._lawful = self.version, self._lawful
        twin._items, twin._states = list(self._items), list(self._states)
        twin._voided, twin._ever = dict(self._voided), list(self._ever)
        twin._kinds = set(self._kinds)
        return twin

    @property
    def name(self) -> str:
        """What people call the stream's subject: the reference of the action, or the plan."""
        code, _, key = self._subject.partition("/")
        if self.kind in ("body", "person"):
            return f"{self.kind} {key}"
        return key or f"plan {code}"

    def extend(self, recorded: Iterable[Recorded]) -> None:
        """Take in entries that were recorded since, in order of version."""
        for entry in recorded:
            self.add(entry.event, entry.effective_on, entry.position)

    def add(self, event: Event, effective_on: date, position: int) -> None:
        """Add an event; for one that is about to be recorded `check` says whether it may be.

        Args:
            position: for one about to be recorded beyond `PENDING`, in the order of adding.
        """
        self.version += 1
        if isinstance(event, EntryVoided):
            self._voided[event.voids] = position
            for index, item in enumerate(self._items):
                if item.position == event.voids:
                    del self._items[index]
                    self._forget_after(index)
                    break
            return
        self._ever.append(event)
        self._kinds.add(type(event))
        item = Item(effective_on, position, event)
        index = bisect(self._items, item.order, key=lambda other: other.order)
        self._items.insert(index, item)
        self._forget_after(index)

    def _forget_after(self, index: int) -> None:
        del self._states[index + 1 :]
        self._lawful = min(self._lawful, index)

    def _state_after(self, count: int) -> Any:
        evolve = EVOLVE[self.kind]
        while len(self._states) <= count:
            item = self._items[len(self._states) - 1]
            self._states.append(evolve(self._states[-1], item.event))
        return self._states[count]

    def state_at(self, as_at: date) -> State | None:
        """The state at the end of that day, as known now with what is being added."""
        count = bisect(self._items, as_at, key=lambda item: item.effective_on)
        return self._state_after(count)  # type: ignore[no-any-return]

    def state_by(self, day: date, position: int) -> State | None:
        """The state by an order of the fold: of that day only what was recorded by the position."""
        count = bisect(self._items, (day, position), key=lambda item: item.order)
        return self._state_after(count)  # type: ignore[no-any-return]

    def item(self, position: int) -> Item | None:
        """The live item recorded at that position."""
        return next((item for item in self._items if item.position == position), None)

    def voided_by(self, position: int) -> int | None:
        """The position of the entry that voided that one, where one did."""
        return self._voided.get(position)

    def items(self, since: date = date.min) -> tuple[Item, ...]:
        """The live items effective on that day or later, in order of the fold."""
        first = bisect(self._items, (since, 0), key=lambda item: item.order)
        return tuple(self._items[first:])

    def had(self, kinds: Iterable[type[Event]]) -> bool:
        """Whether an event of one of these types was ever added."""
        return not self._kinds.isdisjoint(kinds)

    def ever(self) -> tuple[Event, ...]:
        """Every event that was ever added, those that were voided since included."""
        return tuple(self._ever)

    def state_before(self, position: int) -> State | None:
        """The state just before the live item recorded at that position."""
        index = next(i for i, item in enumerate(self._items) if item.position == position)
        return self._state_after(index)  # type: ignore[no-any-return]

    def objection_to(self, item: Item, scale: Scale = FIVE_STEPS) -> tuple[str, str] | None:
        """What the law of the stream says against a live item where it stands."""
        return OBJECTION[self.kind](self.state_before(item.position), item.event, scale)

    def broken(self, scale: Scale = FIVE_STEPS) -> tuple[Item, str, str] | None:
        """The first item that the law of the stream speaks against: (item, rule, sentence)."""
        for index in range(self._lawful, len(self._items)):
            item = self._items[index]
            found = OBJECTION[self.kind](self._state_after(index), item.event, scale)
            if found:
                return item, *found
            self._lawful = index + 1
        return None

    def held_like(self, twin: "Timeline[State]") -> None:
        """Take over how far a timeline of the same entries was found lawful."""
        self._lawful = twin._lawful

    def check(self, scale: Scale = FIVE_STEPS) -> None:
        """Hold the timeline, with what was added, to the law of the stream.

        Raises:
            Refusal: the new event makes no sense where it stands, or an entry that is already
                recorded would make none after it.
        """
        found = self.broken(scale)
        if found:
            self._refuse(*found)

    def _next(self, rule: str, event: Event) -> str:
        """What a person can do about a refusal of the law."""
        key = self._subject.partition("/")[2]
        say = NEXT.get(rule, "Look at its history: govledger log {key}")
        return say.format(key=key, phase=getattr(event, "phase", "N")).rstrip()

    def _refuse(self, item: Item, rule: str, sentence: str) -> None:
        if item.pending:
            raise Refusal(
                rule,
                f"{self.name} on {item.effective_on}: {sentence}.",
                self._next(rule, item.event),
            )
        raise Refusal(
            "contradicts-later-entry",
            f"With this, entry {item.position} on {self.name} (effective {item.effective_on}) "
            f"would make no sense: {sentence}.",
            f"If entry {item.position} is wrong too, void it first: govledger void "
            f"{item.position} --reason …",
        )
