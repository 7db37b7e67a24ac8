"""The questions that a governance review asks of a whole plan and its decisions."""

from datetime import date
from itertools import groupby
from typing import Any

import orjson

from domain.authority import GOVERNED
from domain.body import POWERS, RECORDING, VOTING, Body
from domain.content import evidence_for, evidence_in, in_doubt, is_stale, staleness
from domain.evidence import INNER_KINDS, KINDS
from domain.plan import TermsSet
from domain.scale import STANDING_LABELS, folded
from domain.signoff import MEANINGS
from ledger.entry import Entry
from ledger.tables import entries
from projections.assertions import assertions, day_of
from projections.changes import asserted
from projections.overview import in_plan_order, is_signed_off
from projections.record import (
    Kept,
    Record,
    carried_out,
    months_before,
    whole_months,
)
from projections.sheet import signoff_row
from projections.wording import fields

# --- all actions ------------------------------------------------------------------------


def embedding(record: Record, months: int) -> list[dict[str, Any]]:
    """The actions whose activity is complete but whose impact was not evidenced for so long.

    Those rated Amber E for longer than so many months, the longest first.
    """
    state, as_at = record.state, record.moment.as_at
    begun = _rated_since(record)
    limit, rows = months_before(as_at, months), []
    for action in in_plan_order(state):
        step = state.plan.scale.step(action.rating)
        if step is None or step.meaning != MEANINGS[1] or action.standing in STANDING_LABELS:
            continue
        since, position = begun[action.ref]
        if since >= limit:
            continue
        (entry,) = record.at([position])
        rows.append(
            {
                "ref": action.ref,
                "title": action.title,
                "owners": action.owners,
                "rating": step.label,
                "since": since.isoformat(),
                "months": whole_months(since, as_at),
                "signed_off": is_signed_off(action, state.plan.scale),
                "taken_over_from": entry.note.source,
                "stale": is_stale(action, 1, state.plan.scale),
                "in_doubt": in_doubt(action, 1, state.plan.scale),
                "position": position,
            }
        )
    return sorted(rows, key=lambda row: str(row["since"]))


def _rated_since(record: Record) -> dict[str, tuple[date, int]]:
    """For each action since when it has the rating that it has, and the entry that gave it."""
    query = asserted(record.code, record.moment, "rating").add_columns(assertions.c.value)
    found = {}
    rows = (row for row in record.connection.execute(query) if not row.part)
    for stream, group in groupby(rows, key=lambda row: row.stream_id):
        history = list(group)
        first = history[-1]
        for row in reversed(history):
            if orjson.loads(row.value) != orjson.loads(history[-1].value):
                break
            first = row
        found[stream.split("/")[2]] = (day_of(first.at), first.position)
    return found


def stale(record: Record) -> list[dict[str, Any]]:
    """The sign-offs that were given for what has changed since, with what changed.

    And those of which nobody can tell, because a part of it is not held any more.
    """
    state = record.state
    return [
        {
            "ref": action.ref,
            "title": action.title,
            "rating": fields(action, state.plan)["rating"],
            **signoff_row(state, action, phase),
        }
        for action in in_plan_order(state)
        for phase in sorted(action.signoffs)
        if staleness(action, phase, state.plan.scale) is not False
    ]


def thin(record: Record, kinds: int, items: int) -> dict[str, Any]:
    """The sign-offs in force that rest on thin evidence, and how many ratings rest on none here.

    Args:
        kinds: a phase 2 on fewer of the four inner sources is thin; so is one on no more than
            the plan asks.
        items: a phase 1 on fewer items is thin.
    """
    state, terms = record.state, record.kept(TermsSet)
    rows, taken_over = [], 0
    for action in in_plan_order(state):
        step = state.plan.scale.step(action.rating)
        rated = step is not None and step.meaning in MEANINGS.values()
        if rated and action.standing not in STANDING_LABELS:
            taken_over += not is_signed_off(action, state.plan.scale)
        for phase, signoff in sorted(action.signoffs.items()):
            if signoff.status != "granted":
                continue
            (decision,) = record.at([state.setter(action.ref, "meeting", f"phase/{phase}")])
            # It rests on what was shown when it was granted, or confirmed last.
            shown = evidence_in(signoff.in_effect())
            there = [i for i in evidence_for(action, phase) if i.evidence in shown]
            found = [kind for kind in INNER_KINDS if kind in {item.kind for item in there}]
            needed = _impact_kinds(terms, decision)
            why = _thin(phase, len(there), len(found), needed, kinds, items)
            if why:
                rows.append(
                    {
                        "ref": action.ref,
                        "title": action.title,
                        "phase": phase,
                        "body": record.body(signoff.body),
                        "meeting": signoff.meeting.isoformat() if signoff.meeting else None,
                        "items": len(there),
                        "kinds": [KINDS[kind] for kind in found],
                        "thin": why,
                        "position": decision.position,
                    }
                )
    return {"kinds": kinds, "items": items, "signoffs": rows, "taken_over": taken_over}


def _impact_kinds(terms: list[Kept], decision: Entry) -> int:
    """How many inner sources the plan asked for when that decision was taken."""
    then = [
        one.event.impact_kinds
        for one in terms
        if one.event.impact_kinds is not None
        and one.entry.effective_on <= decision.effective_on
        and one.entry.position < decision.position
    ]
    return then[-1] if then else 2


def _thin(phase: int, items: int, found: int, needed: int, kinds: int, fewest: int) -> str:
    """What is thin about the evidence, in words; empty where nothing is."""
    if phase == 1:
        count = {0: "no evidence", 1: "one item of evidence only"}
        return count.get(items, f"{items} items of evidence only") if items < fewest else ""
    said = []
    if found < kinds:
        said.append(f"evidence from {found} of the four inner sources only")
    if found <= needed:
        said.append(f"no more than the {needed} that the plan asks for")
    return ", ".join(said)


# --- all decisions ----------------------------------------------------------------------


def late(record: Record, days: int) -> list[dict[str, Any]]:
    """The decisions recorded more than so many days after they were taken, the latest first.

    A decision is taken at its meeting; a recommendation, a proposal or an escalation on the day
    from which it is true. History taken over from a document is none.
    """
    kept = record.kept(*GOVERNED)
    stated = record.kept(where=entries.c.decided_by.is_not(None) & entries.c.source.is_(None))
    changes = carried_out(kept)
    found = {
        one.entry.position: one
        for one in (*kept, *stated)
        if one.entry.position not in changes and (one.recorded_on - one.decided_on).days > days
    }
    rows = [
        {
            **record.row(one),
            "decided_on": one.decided_on.isoformat(),
            "recorded_on": one.recorded_on.isoformat(),
            "days": (one.recorded_on - one.decided_on).days,
        }
        for _position, one in sorted(found.items())
    ]
    return sorted(rows, key=lambda row: -int(row["days"]))


def authority(record: Record) -> dict[str, Any]:
    """Who had authority for what on the day: who could vote, who could record, who administers."""
    state, day = record.state, record.moment.as_at

    def seated(body: Body, capacities: tuple[str, ...] | None) -> list[dict[str, Any]]:
        seats = {code: body.seat(code, day) for code in body.members}
        return [
            {
                "person": code,
                "printed": record.printed(code),
                "seat": seat,
                "key": bool(state.people[code].key) if code in state.people else False,
            }
            for code, seat in seats.items()
            if seat and (capacities is None or seat in capacities)
        ]

    powers = []
    for power, words in POWERS.items():
        able = [body for body in state.bodies.values() if power in body.powers]
        for body in able:
            voting = seated(body, VOTING)
            alone = power == "recommend"  # any one of them does it by themselves
            powers.append(
                {
                    "power": power,
                    "words": words,
                    "body": body.code,
                    "name": body.name,
                    "quorum": None if alone else body.quorum,
                    "may_vote": voting,
                    "may_record": [] if alone else seated(body, RECORDING),
                    "can_be_quorate": bool(voting) if alone else len(voting) >= body.quorum,
                }
            )
        if not able:
            nobody = {"body": None, "name": None, "quorum": None, "can_be_quorate": False}
            powers.append(
                {"power": power, "words": words, **nobody, "may_vote": [], "may_record": []}
            )
    ladder = sorted(state.bodies.values(), key=lambda body: (body.outside, body.rung))
    opened = folded(record.opened_by)
    first = [p for p in state.people.values() if opened in (folded(p.person), folded(p.name))]
    administrators = [
        str(p)
        for p in state.people.values()
        if p.administrator or (p.administrator is None and p in first)
    ]
    return {
        "on": day.isoformat(),
        "powers": powers,
        "ladder": [
            {
                "body": body.code,
                "name": body.name,
                "rung": body.rung or None,
                "seats": seated(body, None),
            }
            for body in ladder
        ],
        "administrators": administrators if first else [record.opened_by, *administrators],
    }
