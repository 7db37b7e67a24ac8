"""Events of a sign-off, as short as the tests want them."""

import itertools
from datetime import UTC, date, datetime
from typing import Any

from domain.action import Action, evolve
from domain.event import Event
from domain.evidence import EvidenceLodged, Kind
from domain.signoff import (
    SignOffConfirmed,
    SignOffDeclined,
    SignOffGranted,
    SignOffRecommended,
    SignOffRevoked,
    SignOffVoted,
)

MET = date(2025, 10, 9)
SIGNED: dict[str, Any] = {
    "body": "iib",
    "meeting": MET,
    "signed_at": datetime(2025, 10, 9, 18, 4, tzinfo=UTC),
    "statement": "",
    "signature": "",
}
RECORD: dict[str, Any] = {"body": "iib", "person": "clerk", "meeting": MET}


def recommended(phase: int = 1, round_: int = 1, text: str = "now") -> SignOffRecommended:
    return SignOffRecommended(phase=phase, round=round_, lead="pog", recommended_by="l", shown=text)


def voted(phase: int = 1, round_: int = 1, who: str = "x") -> SignOffVoted:
    return SignOffVoted(phase=phase, round=round_, person=who, vote="approve", **SIGNED)


def granted(phase: int = 1, round_: int = 1, quorum: int = 2, body: str = "iib") -> SignOffGranted:
    rating = {1: "amber_e", 2: "green"}.get(phase, "green")
    return SignOffGranted(
        phase=phase, round=round_, quorum=quorum, rating=rating, **{**RECORD, "body": body}
    )


def declined(phase: int = 1, round_: int = 1) -> SignOffDeclined:
    return SignOffDeclined(phase=phase, round=round_, **RECORD)


def revoked(phase: int = 1) -> SignOffRevoked:
    rating = {1: "amber", 2: "amber_e"}.get(phase, "amber")
    return SignOffRevoked(phase=phase, rating=rating, **RECORD)


def confirmed(
    phase: int = 1, who: str = "x", text: str = "now", round_: int = 1
) -> SignOffConfirmed:
    said = {"confirmed_by": who, "round": round_, "shown": text, **SIGNED}
    return SignOffConfirmed(phase=phase, confirmation=next(NUMBERS), **said)


NUMBERS = itertools.count(1)
"""Each confirmation has a number of its own."""


def after(*events: Event, of: Action | None = None) -> Action:
    state = of or OPEN
    for event in events:
        found = evolve(state, event)
        assert found is not None
        state = found
    return state


OPEN = Action("A1", "Visits", "1", rating="amber")


def lodged(number: int = 1, phase: int = 1, **said: Any) -> EvidenceLodged:
    kind: Kind = "performance"
    item: dict[str, Any] = {"kind": kind, "called": "Audit", "dated": MET, "reference": "7", **said}
    return EvidenceLodged(evidence=number, phase=phase, **item)
