"""The peer: the same plan of actions as an ordinary application of the eventsourcing package.

On `eventsourcing.sqlite` in a file, with aggregates whose events carry the same fields. It keeps
the events and nothing else: no hashes, no read model, no text apart.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from benchmarks.histories import ACTIONS, BEGINS_ON, Change


class PeerAction(Aggregate):
    """An action as an aggregate; `envelope` is of the last change."""

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
    """The application, in one file.

    Args:
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
