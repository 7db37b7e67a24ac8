"""The peer: the same plan of actions as an ordinary application of the eventsourcing package.

With aggregates whose events carry the same fields. It keeps the events and nothing else: no
hashes, no read model, no text apart. Imports nothing but that package, so that it runs on other
recorders in an environment of its own.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from benchmarks.apart import serve
from benchmarks.changes import ACTIONS, BEGINS_ON, Change, changes

_REASON = "Discussed at the monthly meeting of the board"
_today: list[datetime] = []  # what the events' clock says; the real one where it is empty


class PeerAction(Aggregate):
    """An action as an aggregate; `envelope` is of the last change."""

    class Event(Aggregate.Event):
        """Its clock can be set, so that a history of years can be made in seconds."""

        @staticmethod
        def create_timestamp() -> datetime:
            """Now."""
            return _today[0] if _today else datetime.now(UTC)

    @staticmethod
    def create_id(ref: str) -> UUID:
        """The reference, as an identifier."""
        return uuid5(NAMESPACE_URL, f"/{ref}")

    @event("Added")
    def __init__(
        self,
        ref: str,
        title: str,
        section: str,
        owners: str,
        timescale: str,
        envelope: dict[str, Any],
    ) -> None:
        self.ref = ref
        self.title = title
        self.section = section
        self.owners = owners
        self.timescale = timescale
        self.envelope = envelope
        self.rating: str | None = None
        self.progress: str | None = None

    @event("Rated")
    def rate(self, rating: str, envelope: dict[str, Any]) -> None:
        """Give it a rating."""
        self.rating, self.envelope = rating, envelope

    @event("ProgressNoted")
    def note(self, progress: str, envelope: dict[str, Any]) -> None:
        """Note what has been done."""
        self.progress, self.envelope = progress, envelope

    @event("TimescaleRevised")
    def revise(self, timescale: str, envelope: dict[str, Any]) -> None:
        """Change the due date."""
        self.timescale, self.envelope = timescale, envelope


class Peer(Application[UUID]):
    """The application.

    Args:
        path: of a SQLite file.
        cached: so many aggregates are kept in memory; by default the package keeps none.
    """

    def __init__(self, path: Path, *, cached: int = 0) -> None:
        env = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path)}
        if cached:
            env["AGGREGATE_CACHE_MAXSIZE"] = str(cached)
        super().__init__(env=env)


def peer_actions() -> dict[str, PeerAction]:
    """The actions of the plan, not saved yet."""
    return {
        ref: PeerAction(
            ref=ref,
            title=f"Make sure that the practice named in recommendation {ref} is followed",
            section="1.1",
            owners="Head of Service; Team managers",
            timescale="Sept 25",
            envelope=_envelope(BEGINS_ON.isoformat(), "A. Person", source="Plan as approved"),
        )
        for ref in ACTIONS
    }


def carry_out(action: PeerAction, change: Change) -> None:
    """Change an action; to be saved."""
    do = {"rating": action.rate, "progress": action.note, "timescale": action.revise}[change.kind]
    envelope = _envelope(change.effective_on.isoformat(), change.person, reason=change.reason)
    do(change.value, envelope=envelope)


def carry_out_all(actions: dict[str, PeerAction], wanted: Iterable[Change]) -> None:
    """Change many actions; to be saved together."""
    for change in wanted:
        carry_out(actions[change.ref], change)


def _envelope(
    effective_on: str, recorded_by: str, reason: str | None = None, source: str | None = None
) -> dict[str, Any]:
    return {
        "effective_on": effective_on,
        "recorded_by": recorded_by,
        "reason": reason,
        "source": source,
        "decided_by": None,
        "correction": False,
    }


class Apart:
    """The application in a process of its own, on whatever recorder the environment names."""

    def __init__(self) -> None:
        self.app: Application[UUID] = Application()

    def fill(self, count: int) -> None:
        """Record the plan and so many changes, day by day."""
        _today[:] = [datetime.combine(BEGINS_ON, time(12), UTC)]
        actions = peer_actions()
        self.app.save(*actions.values())
        for day, on_that_day in groupby(changes(count), key=lambda change: change.recorded_on):
            _today[:] = [datetime.combine(day, time(12), UTC)]
            carry_out_all(actions, on_that_day)
            self.app.save(*actions.values())
        _today.clear()

    def append(self, ref: str, rating: str) -> None:
        """Load an action, rate it, and save."""
        action: PeerAction = self.app.repository.get(PeerAction.create_id(ref))
        today = date.today()
        carry_out(action, Change(ref, "rating", rating, today, today, reason=_REASON))
        self.app.save(action)

    def as_at(self, day: date) -> int:
        """How many actions are red by what was recorded by the end of a day: a fold of events."""
        end = datetime.combine(day, time.max, UTC)
        red = 0
        for ref in ACTIONS:
            action: Any = None
            for recorded in self.app.events.get(PeerAction.create_id(ref)):
                if recorded.timestamp > end:  # type: ignore[attr-defined]
                    break
                action = recorded.mutate(action)  # type: ignore[attr-defined]
            red += action.rating == "red"
        return red


if __name__ == "__main__":
    serve(Apart())
