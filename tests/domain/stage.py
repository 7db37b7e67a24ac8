"""A plan made of events alone, for the rules that look at several streams."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from domain.action import ActionAdded
from domain.body import BodyEstablished, MeetingRecorded, MemberAppointed
from domain.event import Event
from domain.evidence import EvidenceLodged, Kind
from domain.person import PersonEnrolled
from domain.plan import PlanCreated
from domain.timeline import Timeline, plan_stream, stream_of
from ledger.scene import LineScene

BEGAN, SET_UP, MET = date(2025, 1, 6), date(2025, 9, 1), date(2025, 10, 9)
RECORDED = date(2025, 10, 20)
"""The day on which what was decided at the meeting is recorded."""


class Stage:
    """Timelines by stream; `add` needs no ledger, and asks nobody's leave."""

    code, ledger_id, opened_by = "P", "00ff", "A. Registrar"

    def __init__(self) -> None:
        self.lines: dict[str, Timeline[Any]] = {}
        self.position = 0
        self.add("plan", "", PlanCreated(code="P", title="Plan", begins_on=BEGAN), BEGAN)
        for ref in ("A1", "A2"):
            added = ActionAdded(
                ref=ref, title="Visits", section="1", owners="Head of Visits; Clerk"
            )
            self.add("action", ref, added, BEGAN)
        for person in ("chair", "member", "owner", "clerk", "lead", "visitor"):
            role = "Head of visits" if person == "owner" else f"The {person}'s role"
            enrolled = PersonEnrolled(
                person=person, name=f"A. {person.title()}", role=role, key=f"key of {person}"
            )
            self.add("person", person, enrolled)
        self.body("board", 3, 2, ("phase_1", "phase_2", "amend"))
        self.body("group", 2, 1, ("recommend",))
        self.body("committee", 4, 3)
        self.body("outside", 0, 1)
        for person in ("member", "owner"):
            self.seat("board", person)
        self.seat("board", "chair", "chair")
        self.seat("board", "clerk", "secretary")
        self.seat("group", "lead")
        self.met("chair", "member", "owner", "clerk")
        kinds: tuple[Kind, ...] = ("performance", "staff_feedback")
        for number, kind in enumerate(kinds, 1):
            item = EvidenceLodged(
                evidence=number,
                phase=number,
                kind=kind,
                called="Audit",
                dated=BEGAN,
                reference="File 7",
            )
            self.add("action", "A1", item)

    def body(self, code: str, rung: int, quorum: int, powers: Sequence[Any] = ()) -> None:
        established = BodyEstablished(
            code=code, name=f"The {code}", rung=rung, quorum=quorum, powers=tuple(powers)
        )
        self.add("body", code, established)

    def seat(self, body: str, person: str, capacity: Any = "member", **said: Any) -> None:
        on = said.pop("on", SET_UP)
        self.add("body", body, MemberAppointed(person=person, capacity=capacity, **said), on)

    def met(self, *present: str) -> None:
        self.add("body", "board", MeetingRecorded(meeting=MET, present=present), MET)

    def add(self, kind: str, key: str, event: Event, on: date = SET_UP) -> None:
        """An event of a stream, effective on a day."""
        self.position += 1
        stream = plan_stream(self.code) if kind == "plan" else stream_of(kind, self.code, key)
        self.lines.setdefault(stream, Timeline(stream)).add(event, on, self.position)

    def state(self, kind: str, key: str, day: date = MET) -> Any:
        """The state of a stream at the end of a day."""
        return self.scene(day).look(kind, key, day)

    def scene(self, day: date = MET, who: str = "clerk") -> LineScene:
        """The plan as at a day."""
        return LineScene(self, day, who)

    # --- the lines of a scene -------------------------------------------------------------------

    def line(self, stream: str) -> Timeline[Any]:
        """The timeline of a stream; empty for one that has not begun."""
        return self.lines.get(stream) or Timeline(stream)

    def keys(self, kind: str) -> list[str]:
        """The keys of the streams of a kind."""
        prefix = stream_of(kind, self.code, "")
        return [s.removeprefix(prefix) for s, line in self.lines.items() if s.startswith(prefix)]

    def load_streams(self, streams: Sequence[str]) -> None:
        """Nothing is left to load."""
