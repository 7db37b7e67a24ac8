"""The scene of a decision, read from timelines."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol, Self

from domain.event import Event
from domain.scene import Scene
from domain.timeline import Timeline, plan_stream, stream_of


class Lines(Protocol):
    """The timelines of one plan."""

    code: str

    @property
    def ledger_id(self) -> str:
        """Identity of the ledger."""

    @property
    def opened_by(self) -> str:
        """Who began the ledger."""

    def line(self, stream: str) -> Timeline[Any]:
        """The timeline of a stream; empty for one that has not begun."""

    def keys(self, kind: str) -> list[str]:
        """The keys of the plan's streams of a kind."""

    def load_streams(self, streams: Sequence[str]) -> None:
        """Read many timelines at once."""


class LineScene(Scene):
    """One plan as at a day.

    Args:
        lines: its timelines.
        day: as at the end of it.
        who: is recording.
    """

    def __init__(self, lines: Lines, day: date, who: str) -> None:
        self._lines = lines
        self.code, self.ledger_id, self.opened_by = lines.code, lines.ledger_id, lines.opened_by
        self.day, self.who = day, who

    def look(self, kind: str, key: str, day: date) -> Any:
        """The state of a stream as at a day; None where it had not begun."""
        return self._lines.line(self._stream(kind, key)).state_at(day)

    def look_by(self, kind: str, key: str, day: date, position: int) -> Any:
        """The same by an order of the fold: of that day only what was recorded by the position."""
        return self._lines.line(self._stream(kind, key)).state_by(day, position)

    def _stream(self, kind: str, key: str) -> str:
        return plan_stream(self.code) if kind == "plan" else stream_of(kind, self.code, key)

    def keys(self, kind: str) -> Sequence[str]:
        """The keys of all streams of a kind, which are then read at once."""
        found = self._lines.keys(kind)
        if kind != "action":
            self._lines.load_streams([stream_of(kind, self.code, key) for key in found])
        return found

    def events(self, kind: str, key: str) -> Sequence[Event]:
        """The events of a stream that are effective by the day, in order of the fold."""
        items = self._lines.line(self._stream(kind, key)).items()
        return [item.event for item in items if item.effective_on <= self.day]

    def ever(self, kind: str, key: str) -> Sequence[Event]:
        """Every event that a stream ever had, voided ones included: no number is given twice."""
        return self._lines.line(self._stream(kind, key)).ever()

    def on(self, day: date) -> Self:
        """The same as at another day."""
        return type(self)(self._lines, day, self.who)
