"""The plan as at D, known at K, read from the assertions.

Holds the same states as the fold in `domain.timeline`, found by one index seek for each slot.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Connection, and_, or_, select

from domain.action import Action, Milestone
from domain.amendment import Amendment
from domain.body import Body, Meeting, Membership
from domain.dates import london_day
from domain.errors import Refusal
from domain.escalation import Escalation
from domain.evidence import Evidence
from domain.person import Person
from domain.plan import Plan, Report, Section
from domain.scale import OPEN, Scale
from domain.signoff import Ballot, Confirmation, SignOff
from domain.text import WITHOUT_TEXT, withheld_as
from domain.timeline import action_stream, stream_of
from domain.timescale import Timescale
from ledger.reading import bases
from ledger.store import Moment
from ledger.tables import texts
from projections.assertions import assertions, day_end_key, slots

Place = tuple[str, str]
"""(part, attribute) within one subject."""
Parts = Mapping[str, Mapping[str, Any]]
"""The values of one subject: for each part the value of each attribute."""
T = TypeVar("T")


@dataclass(frozen=True)
class PlanState:
    """A plan and its actions at one moment.

    Attributes:
        plan: the plan itself.
        actions: by reference, in the order in which they joined.
        set_by: for each subject (stream) the entry that set each value: position by (part,
            attribute).
        bodies, people, escalations, amendments: by code or number, in the order of beginning.
    """

    plan: Plan
    actions: Mapping[str, Action] = field(default_factory=dict)
    set_by: Mapping[str, Mapping[Place, int]] = field(default_factory=dict)
    bodies: Mapping[str, Body] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    escalations: Mapping[str, Escalation] = field(default_factory=dict)
    amendments: Mapping[str, Amendment] = field(default_factory=dict)

    def action(self, ref: str) -> Action:
        """The action with that reference.

        Raises:
            Refusal: unknown-reference.
        """
        if ref not in self.actions:
            from ledger.writing import unknown_reference

            raise unknown_reference(ref, self.plan.code, self.actions)
        return self.actions[ref]

    def setter(self, ref: str, attribute: str, part: str = "") -> int:
        """The position of the entry that set an attribute of an action; 0 where none did."""
        stream = action_stream(self.plan.code, ref)
        return self.set_by.get(stream, {}).get((part, attribute), 0)


def day_bound(moment: Moment) -> int:
    """The last day that matters: an entry is never effective after the day it was recorded on,
    so entries known by K are bounded by K's day, and those recorded since need not be passed over.
    """
    day = moment.as_at
    if moment.known_at is not None:
        day = min(day, london_day(moment.known_at))
    return day_end_key(day)


def live_at(moment: Moment, table: Any = assertions) -> Any:
    """The condition that an assertion is known and not voided at the moment's K."""
    known = moment.position
    return and_(
        table.c.position <= known, or_(table.c.voided_by.is_(None), table.c.voided_by > known)
    )


def read_state(connection: Connection, code: str, moment: Moment) -> PlanState:
    """The plan with that code at a moment.

    Raises:
        Refusal: not-there-yet, where the plan had not begun or was not known.
    """
    older = assertions.alias("older")
    latest = (
        select(older.c.at)
        .where(older.c.slot == slots.c.id, older.c.at <= day_bound(moment), live_at(moment, older))
        .order_by(older.c.at.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(
            slots.c.stream_id,
            slots.c.part,
            slots.c.attribute,
            assertions.c.position,
            assertions.c.value,
            texts.c.text,
        )
        .select_from(slots)
        .join(assertions, and_(assertions.c.slot == slots.c.id, assertions.c.at == latest))
        .outerjoin(
            texts,
            and_(texts.c.position == assertions.c.position, texts.c.field == slots.c.attribute),
        )
        .where(slots.c.plan == code)
        .order_by(slots.c.id)
    )
    found: dict[str, dict[str, dict[str, Any]]] = {}
    set_by: dict[str, dict[Place, int]] = {}
    lacking: list[tuple[str, str, str, int, Any]] = []  # texts that the vault does not hold
    for stream, part, attribute, position, value, text in connection.execute(query):
        parts = found.setdefault(stream, {})
        said = orjson.loads(value)
        if text is None and "commitment" in value:
            lacking.append((stream, part, attribute, position, said))
        parts.setdefault(part, {})[attribute] = _revealed(said, text)
        set_by.setdefault(stream, {})[part, attribute] = position
    why = bases(connection, [position for *_place, position, _said in lacking])
    for stream, part, attribute, position, said in lacking:
        basis = why.get(position, {}).get(attribute)
        if basis is not None:
            found[stream][part][attribute] = _revealed(said, withheld_as(basis))
    plan_values = found.get(f"plan/{code}", {})
    if "code" not in plan_values.get("", {}):
        raise Refusal(
            "not-there-yet",
            f"The plan {code} had not begun on {moment.as_at}, or was not known after entry "
            f"{moment.position}.",
            "Ask for a later --as-at or --known-at.",
        )
    actions = {
        parts[""]["ref"]: _action(parts)
        for stream, parts in found.items()
        if stream.startswith("action/") and "ref" in parts.get("", {})
    }
    joined = sorted(actions, key=lambda ref: set_by[action_stream(code, ref)]["", "ref"])

    def every(kind: str, names: str) -> dict[str, Any]:
        """The state of each stream of a kind, where the attribute that names it is known."""
        there = {s: p for s, p in found.items() if s.startswith(stream_of(kind, code, ""))}
        begun = [s for s in there if names in there[s].get("", {})]
        begun.sort(key=lambda stream: set_by[stream]["", names])
        return {there[s][""][names]: OTHERS[kind](there[s]) for s in begun}

    return PlanState(
        _plan(plan_values),
        {ref: actions[ref] for ref in joined},
        set_by,
        bodies=every("body", "code"),
        people=every("person", "person"),
        escalations=every("escalation", "escalation"),
        amendments=every("amendment", "amendment"),
    )


def _revealed(value: Any, text: str | None) -> Any:
    """The value with its text in place of the commitment."""
    if isinstance(value, dict):
        if value.keys() == {"commitment"}:
            return WITHOUT_TEXT if text is None else text
        return {key: _revealed(inner, text) for key, inner in value.items()}
    return value


def _timescale(values: Mapping[str, Any]) -> Timescale | None:
    found = values.get("timescale")
    return Timescale.model_validate(found) if found else None


def _action(parts: Parts) -> Action:
    own = parts[""]
    milestones = {
        values["milestone"]: Milestone(_timescale(values), values.get("rating"))
        for part, values in parts.items()
        if part.startswith("milestone/")
    }
    return Action(
        ref=own["ref"],
        title=own["title"],
        section=own["section"],
        owners=own.get("owners"),
        timescale=_timescale(own),
        rating=own.get("rating"),
        standing=own.get("standing", OPEN),
        progress=own.get("progress"),
        replaced_by=own.get("replaced_by"),
        milestones=dict(sorted(milestones.items())),
        evidence={item.evidence: item for item in _built(Evidence, parts, "evidence")},
        signoffs=_signoffs(parts),
    )


_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def _read(kind: type[T], values: Mapping[str, Any]) -> T:
    """The values as a state whose fields are named alike."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)  # making one takes longer than reading an action
    found: T = _ADAPTERS[kind].validate_python(values)
    return found


def _built(kind: type[T], parts: Parts, *names: str) -> list[T]:
    """The parts that these fields name, each as a state whose fields are named alike."""
    found = []
    for part, values in parts.items():
        if tuple(part.split("/")[::2]) == names:
            found.append(_read(kind, values))
    return found


def _signoffs(parts: Parts) -> dict[int, SignOff]:
    found = {signoff.phase: signoff for signoff in _built(SignOff, parts, "phase")}
    for part, values in parts.items():
        if part.split("/")[::2] == ["phase", "person"]:
            phase = values["phase"]
            before = found.get(phase, SignOff(phase))
            ballot = _read(Ballot, values)
            found[phase] = replace(before, ballots={**before.ballots, ballot.person: ballot})
        if part.split("/")[::2] == ["phase", "confirmation"]:
            phase = values["phase"]
            before = found.get(phase, SignOff(phase))
            said = _read(Confirmation, values)
            after = {**before.confirmations, said.confirmation: said}
            found[phase] = replace(before, confirmations=after)
    return found


def _body(parts: Parts) -> Body:
    body = _read(Body, parts[""])
    members = {v["person"]: v for p, v in parts.items() if p.startswith("person/")}
    return replace(
        body,
        members={person: _read(Membership, values) for person, values in members.items()},
        meetings={found.meeting: found for found in _built(Meeting, parts, "meeting")},
        interests=frozenset(
            (date.fromisoformat(values["meeting"]), values["person"], values["item"])
            for part, values in parts.items()
            if part.endswith(f"/item/{values.get('item')}")
        ),
    )


OTHERS: dict[str, Callable[[Parts], Any]] = {
    "body": _body,
    "person": lambda parts: _read(Person, parts[""]),
    "escalation": lambda parts: _read(Escalation, parts[""]),
    "amendment": lambda parts: _read(Amendment, parts[""]),
}
"""How the state of each other kind of stream is made from its values."""


def _plan(parts: Parts) -> Plan:
    own = parts[""]
    plan = Plan(
        code=own["code"],
        title=own["title"],
        begins_on=date.fromisoformat(own["begins_on"]),
        scale=Scale.model_validate(own["scale"]),
        impact_scale=Scale.model_validate(own["impact_scale"]),
        impact_kinds=own.get("impact_kinds", 2),
        most_revisions=own.get("most_revisions"),
    )
    sections, reports = {}, {}
    for part, values in parts.items():
        kind, _, key = part.partition("/")
        if kind == "section":
            name = values.get("name", key)
            sections[key] = Section(key, name, values.get("parent"), values.get("impact"))
        elif kind == "report":
            reports[key] = Report(
                values["report"],
                values["committee"],
                date.fromisoformat(values["meeting"]),
                date.fromisoformat(values["as_at"]),
                values["known_at"],
                values["root"],
                values.get("checkpoint"),
                values.get("checkpoint_key"),
            )
    return replace(plan, sections=sections, reports=reports)
