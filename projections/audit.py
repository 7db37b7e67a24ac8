"""The audit trail: every entry in order, which entry set each field, and two states compared."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlalchemy import Connection, Select, and_, select

from domain.action import Action
from domain.dates import end_of_day, write_instant
from domain.errors import BadInput
from domain.event import REGISTRY, EntryVoided, Event
from domain.plan import Plan, PlanCreated, evolve
from domain.text import is_held
from domain.timeline import OF_A_PLAN, action_stream, stream_of
from ledger.entry import Entry
from ledger.service import Ledger
from ledger.store import Moment
from ledger.tables import entries, texts
from ledger.writing import unknown_reference
from projections.assertions import assertions, slots, voids
from projections.record import Record, on_plan, spellings, subject
from projections.state import PlanState, day_bound, live_at, read_state
from projections.story import proposal_of
from projections.wording import decision_data, describe, fields, set_by, voided_event


@dataclass(frozen=True)
class Asked:
    """Which entries are asked for; None asks for all.

    Attributes:
        stream: on one stream only, such as that of an action.
        by: the person who recorded them, in any case.
        since, until: days, both included, on `clock`.
        clock: `recorded` (when the ledger took them) or `effective` (when they became true).
        type: an event type such as `action.rated`, with or without its version, or a family of
            types such as `signoff`.
        limit: the latest so many.
    """

    stream: str | None = None
    by: str | None = None
    since: date | None = None
    until: date | None = None
    clock: Literal["recorded", "effective"] = "recorded"
    type: str | None = None
    limit: int | None = None


def log(
    ledger: Ledger, connection: Connection, code: str | None, moment: Moment, asked: Asked
) -> list[dict[str, Any]]:
    """The entries in order of position, as known at the moment.

    Args:
        code: of one plan, or None for the whole ledger.

    Raises:
        BadInput: unknown-type.
    """
    query = _filtered(connection, code, moment, asked)
    positions = list(connection.execute(query).scalars())
    found = ledger.recorder.at_positions(connection, positions)
    plans = _plans(ledger, connection, moment)
    voided = {
        row.position: row.voided_by
        for row in connection.execute(select(voids).where(voids.c.voided_by <= moment.position))
    }
    shown = [ledger.mapper.to_domain_event(found[position]) for position in sorted(found)]
    targets = [e.event.voids for e in shown if isinstance(e.event, EntryVoided)]
    void = ledger.recorder.at_positions(connection, targets)
    said = {position: ledger.mapper.to_domain_event(kept).event for position, kept in void.items()}
    return [_line(entry, plans, voided.get(entry.position), said) for entry in shown]


def _filtered(
    connection: Connection, code: str | None, moment: Moment, asked: Asked
) -> Select[Any]:
    query = select(entries.c.position).where(entries.c.position <= moment.position)
    if asked.stream:
        query = query.where(entries.c.stream_id == asked.stream)
    elif code is not None:
        query = query.where(on_plan(code))
    if asked.by:
        person = and_(texts.c.position == entries.c.position, texts.c.field == "recorded_by")
        query = query.join(texts, person).where(texts.c.text.in_(spellings(connection, asked.by)))
    if asked.type:
        tags = [t for t in REGISTRY if asked.type in (t, t.partition("/")[0], t.partition(".")[0])]
        if not tags:
            raise BadInput(
                "unknown-type",
                f"There is no type of entry '{asked.type}'.",
                f"Types: {', '.join(sorted({tag.partition('/')[0] for tag in REGISTRY}))}.",
            )
        query = query.where(entries.c.type.in_(tags))
    recorded = asked.clock == "recorded"
    if asked.since:
        first = write_instant(end_of_day(date.fromordinal(asked.since.toordinal() - 1)))
        query = query.where(
            entries.c.recorded_at > first
            if recorded
            else entries.c.effective_on >= asked.since.isoformat()
        )
    if asked.until:
        last = write_instant(end_of_day(asked.until))
        query = query.where(
            entries.c.recorded_at <= last
            if recorded
            else entries.c.effective_on <= asked.until.isoformat()
        )
    return query.order_by(entries.c.position.desc()).limit(asked.limit)


def find_stream(
    connection: Connection, code: str, moment: Moment, word: str
) -> tuple[str, list[str]]:
    """The stream that a word means, and the others that it could mean.

    An action's reference comes first; then bodies and people by their codes, escalations and
    amendments by their numbers. `body/iib` means that one and no other.

    Raises:
        Refusal: unknown-reference.
    """
    begun = select(entries.c.stream_id, entries.c.position).where(
        on_plan(code), entries.c.stream_version == 1
    )
    rows = list(connection.execute(begun.order_by(entries.c.position)))
    streams = [row.stream_id for row in rows if row.position <= moment.position]
    kinds = [kind for kind in ("action", *OF_A_PLAN) if kind != "plan"]
    named, _, key = word.partition("/")
    if key and named in kinds:
        kinds, word = [named], key
    # What was not known yet is looked for last, so that an answer stays as it was.
    for known in (streams, [row.stream_id for row in rows]):
        wanted = [stream_of(kind, code, word) for kind in dict.fromkeys(kinds)]
        found = [stream for stream in wanted if stream in known]
        if not found:
            folds = {stream.casefold() for stream in wanted if not stream.startswith("action/")}
            found = [stream for stream in known if stream.casefold() in folds]
        if found:
            return found[0], found[1:]
    raise unknown_reference(
        word, code, [stream.split("/")[2] for stream in streams if stream.count("/") > 1]
    )


def _plans(ledger: Ledger, connection: Connection, moment: Moment) -> dict[str, Plan]:
    """The plans by code, as they began: that is where the labels of their scales stand."""
    query = select(entries.c.position).where(
        entries.c.type == PlanCreated.tag, entries.c.position <= moment.position
    )
    found = ledger.recorder.at_positions(connection, connection.execute(query).scalars())
    began = (evolve(None, ledger.mapper.to_domain_event(kept).event) for kept in found.values())
    return {plan.code: plan for plan in began if plan}


def _line(
    entry: Entry, plans: dict[str, Plan], voided_by: int | None, said: dict[int, Event]
) -> dict[str, Any]:
    kind, _, rest = entry.stream_id.partition("/")
    code, _, ref = rest.partition("/")
    return {
        "position": entry.position,
        "plan": code or None,
        "ref": ref or None,
        "subject": subject(entry.stream_id) or None,
        "what": describe(entry.event, plans.get(code), voided_event(entry.event, said)),
        "type": entry.event.tag,
        **_provenance(entry),
        "correction": entry.note.correction,
        "voided_by": voided_by,
        "entry_id": entry.entry_id,
        "stream": entry.stream_id if kind != "ledger" else kind,
        "version": entry.stream_version,
    }


PROVENANCE = ("effective_on", "recorded_at", "recorded_by", "decided_by", "reason", "source")


def _provenance(entry: Entry) -> dict[str, Any]:
    return {
        "effective_on": entry.effective_on.isoformat(),
        "recorded_at": write_instant(entry.recorded_at) if entry.recorded_at else None,
        "recorded_by": entry.note.recorded_by,
        "decided_by": decision_data(entry.note.decided_by),
        "reason": entry.note.reason,
        "source": entry.note.source,
    }


def why(record: Record, ref: str, field: str | None) -> list[dict[str, Any]]:
    """For each field of an action that has a value: the entry that set it.

    Raises:
        Refusal: unknown-reference.
        BadInput: unknown-field.
    """
    state = record.state
    action = state.action(ref)
    shown = fields(action, state.plan)
    if field is not None and field not in shown:
        raise BadInput("unknown-field", f"{ref} has no field '{field}'.", _known(shown))
    stream = state.set_by[action_stream(state.plan.code, ref)]
    wanted = {
        name: set_by(name, action, stream)
        for name, value in shown.items()
        if field in (None, name) and (value is not None or field == name)
    }
    found = {entry.position: entry for entry in record.at(p for p in wanted.values() if p)}
    answer = []
    for name, position in wanted.items():
        row: dict[str, Any] = {"field": name, "value": shown[name], "position": position or None}
        if position:
            entry = found[position]
            row |= {"what": describe(entry.event, state.plan), **_provenance(entry)}
            row["amendment"] = proposal_of(record, entry)
        answer.append({**dict.fromkeys(("what", *PROVENANCE, "amendment")), **row})
    return answer


def _known(shown: dict[str, str | None]) -> str:
    return f"Fields: {', '.join(shown)}."


def difference(
    connection: Connection, code: str, first: Moment, second: Moment
) -> dict[str, list[Any]]:
    """Two states of a plan side by side.

    Returns:
        changed: {ref, field, before, after, positions}, where positions are the entries that
        count in one of the two states and not in the other; added and removed: {ref, title}.
    """
    before, after = (read_state(connection, code, moment) for moment in (first, second))
    both = [ref for ref in after.actions if ref in before.actions]
    changed = []
    for ref in both:
        old = fields(before.actions[ref], before.plan)
        new = fields(after.actions[ref], after.plan)
        for name in {**old, **new}:
            apart = old.get(name) != new.get(name)
            if not is_held(old.get(name), new.get(name)):
                # What is not held is neither equal nor different; the entries that set it are.
                apart = len({_setter(state, ref, name) for state in (before, after)}) > 1
            if apart:
                changed.append(
                    {
                        "ref": ref,
                        "field": name,
                        "before": old.get(name),
                        "after": new.get(name),
                        "positions": _between(connection, code, ref, name, first, second),
                    }
                )
    return {
        "changed": changed,
        "added": _named(a for ref, a in after.actions.items() if ref not in before.actions),
        "removed": _named(a for ref, a in before.actions.items() if ref not in after.actions),
    }


def _setter(state: PlanState, ref: str, name: str) -> int:
    stream = state.set_by[action_stream(state.plan.code, ref)]
    return set_by(name, state.actions[ref], stream)


def _named(actions: Iterator[Action]) -> list[dict[str, str]]:
    return [{"ref": action.ref, "title": action.title} for action in actions]


def _between(
    connection: Connection, code: str, ref: str, name: str, first: Moment, second: Moment
) -> list[int]:
    part, attributes = "", [name]
    if name.startswith("milestone "):
        _word, number, attribute = name.split()
        part, attributes = f"milestone/{number}", [attribute]
    elif name == "rating":
        attributes = ["rating", "standing"]
    counted = []
    for moment in (first, second):
        query = (
            select(assertions.c.position)
            .join(slots, slots.c.id == assertions.c.slot)
            .where(
                slots.c.stream_id == action_stream(code, ref),
                slots.c.part == part,
                slots.c.attribute.in_(attributes),
                assertions.c.at <= day_bound(moment),
                live_at(moment),
            )
        )
        counted.append(set(connection.execute(query).scalars()))
    apart = counted[0] ^ counted[1]
    voiding = select(voids.c.voided_by).where(
        voids.c.position.in_(apart),
        voids.c.voided_by <= max(first.position, second.position),
    )
    return sorted(apart | set(connection.execute(voiding).scalars()))
