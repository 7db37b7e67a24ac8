"""Everything that one person did or decided."""

from typing import Any

from sqlalchemy import select

from domain.authority import GOVERNED
from domain.errors import Refusal
from domain.event import LedgerOpened
from ledger.store import LEDGER_STREAM
from ledger.tables import entries, texts
from projections.boards import find_person, person_sheet
from projections.record import Kept, Record, actor, spellings


def person(record: Record, word: str) -> dict[str, Any]:
    """Everything that one person did or decided: seats, keys, interests, decisions, entries.

    Args:
        word: code or name; or the name under which somebody recorded who is not enrolled.

    Raises:
        Refusal: unknown-person.
    """
    state, moment = record.state, record.moment
    names: tuple[str, ...] = (word,)
    decided: list[Kept] = []
    about: dict[str, Any] = {"person": None, "name": word, "role": None, "administrator": None}
    about |= {"seats": [], "keys": []}
    try:
        found = find_person(state, word, moment)
        names = (found.person, found.name)
        about |= person_sheet(record.ledger, state, found, moment)
        decided = record.kept(*GOVERNED, voided=True)
        decided = [one for one in decided if actor(one.event) == found.person]
    except Refusal:
        if not spellings(record.connection, word):
            raise
    typed = select(texts.c.position).where(
        texts.c.field == "recorded_by", texts.c.text.in_(spellings(record.connection, *names))
    )
    where = entries.c.position.in_(typed)
    recorded = record.kept(LedgerOpened, stream=LEDGER_STREAM, where=where)
    recorded += record.kept(where=where, voided=True)
    if about["person"] is None and not recorded:
        find_person(state, word, moment)  # known later, but not at this moment
    positions = {one.entry.position for one in decided}
    return {
        **{name: about[name] for name in ("person", "name", "role", "administrator")},
        **{name: about[name] for name in ("seats", "keys")},
        "meetings": _attended(record, about["person"]),
        "interests": [
            {"body": body.code, "name": body.name, "meeting": day.isoformat(), "item": item}
            for body in state.bodies.values()
            for day, who, item in sorted(body.interests)
            if who == about["person"]
        ],
        "decisions": [record.row(one) for one in decided],
        "recorded": [record.row(one) for one in recorded if one.entry.position not in positions],
    }


def _attended(record: Record, code: str | None) -> list[dict[str, Any]]:
    return [
        {
            "body": body.code,
            "name": body.name,
            "meeting": day.isoformat(),
            "attendance": "present" if code in met.present else "apologies",
        }
        for body in record.state.bodies.values()
        for day, met in sorted(body.meetings.items())
        if code in (*met.present, *met.apologies)
    ]
