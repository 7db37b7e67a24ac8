"""The plan as at D, known at K, read from the assertions.

Holds the same states as the fold in `domain.timeline`, found by one index seek for each slot.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, and_, or_, select

from domain.action import Action, Milestone
from domain.dates import london_day
from domain.errors import Refusal
from domain.plan import Plan, Report, Section
from domain.scale import OPEN, Scale
from domain.timeline import action_stream
from domain.timescale import Timescale
from ledger.entry import WITHOUT_TEXT
from ledger.store import Moment
from ledger.tables import texts
from projections.assertions import assertions, day_end_key, slots

Place = tuple[str, str]
"""(part, attribute) within one subject."""


@dataclass(frozen=True)
class PlanState:
    """A plan and its actions at one moment.

    Attributes:
        plan: the plan itself.
        actions: by reference, in the order in which they joined.
        set_by: for each subject (stream) the entry that set each value: position by (part,
            attribute).
    """

    plan: Plan
    actions: Mapping[str, Action] = field(default_factory=dict)
    set_by: Mapping[str, Mapping[Place, int]] = field(default_factory=dict)

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
    for stream, part, attribute, position, value, text in connection.execute(query):
        parts = found.setdefault(stream, {})
        parts.setdefault(part, {})[attribute] = _revealed(orjson.loads(value), text)
        set_by.setdefault(stream, {})[part, attribute] = position
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
    return PlanState(_plan(plan_values), {ref: actions[ref] for ref in joined}, set_by)


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


def _action(parts: Mapping[str, Mapping[str, Any]]) -> Action:
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
    )


def _plan(parts: Mapping[str, Mapping[str, Any]]) -> Plan:
    own = parts[""]
    plan = Plan(
        code=own["code"],
        title=own["title"],
        begins_on=date.fromisoformat(own["begins_on"]),
        scale=Scale.model_validate(own["scale"]),
        impact_scale=Scale.model_validate(own["impact_scale"]),
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
            )
    return replace(plan, sections=sections, reports=reports)
