"""What became of texts, as the entries on the stream `ledger` say, and whether they may."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select

from domain.event import REGISTRY
from domain.scale import FIVE_STEPS, folded
from domain.scene import Scene
from domain.text import is_held
from domain.withholding import (
    WITHHOLDING,
    ExemptionLifted,
    Place,
    TextExempted,
    TextWithheld,
    evolve,
    objection,
)
from ledger.canonical import is_commitment
from ledger.entry import StoredEntry, vault_places
from ledger.store import LEDGER_STREAM, Store
from ledger.tables import entries


@dataclass(frozen=True)
class Said:
    """That a text is withheld or exempt: by which entry, and on what basis."""

    by: int
    basis: str


@dataclass(frozen=True)
class Fates:
    """What became of texts, according to the entries, by (position, field).

    Attributes:
        withheld: deleted.
        exempt: kept, and left out of what is made public.
    """

    withheld: dict[Place, Said] = field(default_factory=dict)
    exempt: dict[Place, Said] = field(default_factory=dict)

    def take(self, by: int, event: Any) -> None:
        """Take in the next event about a text, in the order of the entries.

        Args:
            by: the position of its entry; of a text that is not recorded yet it says nothing.
        """
        place = event.position, event.field
        if isinstance(event, TextWithheld) and event.position < by:
            self.withheld.setdefault(place, Said(by, event.basis))
            self.exempt.pop(place, None)
        elif isinstance(event, TextExempted) and place not in self.withheld:
            self.exempt[place] = Said(by, event.basis)
        elif isinstance(event, ExemptionLifted):
            self.exempt.pop(place, None)


def fates(connection: Connection, known_at: int | None = None) -> Fates:
    """What the entries on the stream `ledger` say of texts, in their order.

    Args:
        known_at: by the entries up to this position; None for all.

    An entry that cannot be read says nothing; verification names it.
    """
    query = select(entries.c.position, entries.c.type, entries.c.payload).where(
        entries.c.stream_id == LEDGER_STREAM, entries.c.type.in_([k.tag for k in WITHHOLDING])
    )
    if known_at is not None:
        query = query.where(entries.c.position <= known_at)
    found = Fates()
    for by, tag, payload in connection.execute(query.order_by(entries.c.position)):
        try:
            event: Any = REGISTRY[tag].model_validate(json.loads(payload))
        except (ValueError, TypeError, RecursionError):
            continue
        found.take(by, event)
    return found


def committed(stored: StoredEntry) -> dict[str, str]:
    """The commitment of every text that an entry was recorded with, by the name of the field."""
    found: dict[str, str] = {}
    for name in ("recorded_by", "reason"):
        if is_commitment(stored.envelope.get(name)):
            found[name] = stored.envelope[name]
    kind = REGISTRY.get(stored.topic)
    payload = json.loads(stored.state)
    for name, _, _, said in vault_places(kind, payload) if kind else ():
        if said is not None:
            found[name] = said
    return found


def unlawful(store: Store, connection: Connection) -> Iterator[tuple[int, str, str]]:
    """(position, rule, sentence) of what no command would have recorded about texts.

    Who recorded it is another matter: see `ledger.replaying`.
    """
    columns = entries.c.position, entries.c.stream_id
    query = select(*columns).where(entries.c.type.in_([kind.tag for kind in WITHHOLDING]))
    found = {row.position: row.stream_id for row in connection.execute(query)}
    state = None
    for position, stored in sorted(store.recorder.at_positions(connection, found).items()):
        try:
            entry = store.mapper.to_domain_event(stored)
        except Exception:  # whatever an edit has left; verification names it
            continue
        event: Any = entry.event
        if found[position] != LEDGER_STREAM:
            yield position, "other-stream", "that is no event of a plan"
            continue
        target = store.recorder.at_positions(connection, [event.position]).get(event.position)
        against = objection(state, event, FIVE_STEPS)
        if event.position >= position or target is None:
            yield position, "no-such-entry", f"there was no entry {event.position} before it"
        elif event.field not in committed(target):
            said = f"entry {event.position} was recorded with no text '{event.field}'"
            yield position, "no-such-text", said
        elif against:
            yield position, *against
        if entry.note.decided_by is None:
            yield position, "needs-authority", "it names no body that decided so"
        state = evolve(state, event)


def may_on_ledger(opened_by: str, who: str, scenes: Sequence[Scene]) -> bool:
    """Whether a person is the first administrator; one of any plan, where that name is withheld."""
    governed = [scene for scene in scenes if scene.bodies()]
    if not is_held(opened_by):
        return not governed or any(scene.is_administrator(who) for scene in governed)
    names = {folded(who)}
    for scene in scenes:
        person = scene.known_person(who)
        if person is not None:
            if person.administrator is False:
                return False
            names |= {folded(person.person), folded(person.name)}
    return folded(opened_by) in names


def plan_of(connection: Connection, position: int) -> str | None:
    """The code of the plan to which an entry belongs; None for the ledger's own.

    An entry about a text belongs where that text belongs.
    """
    columns = select(entries.c.stream_id, entries.c.type, entries.c.payload)
    while True:
        row = connection.execute(columns.where(entries.c.position == position)).first()
        if row is None:
            return None
        if row.stream_id != LEDGER_STREAM:
            return str(row.stream_id).split("/")[1] if "/" in row.stream_id else None
        if row.type not in {kind.tag for kind in WITHHOLDING}:
            return None
        try:
            target = json.loads(row.payload)["position"]
        except (TypeError, ValueError, KeyError):
            return None
        if not isinstance(target, int) or not 0 < target < position:
            return None
        position = target
