"""The record of one plan as known at a moment: its entries by type, in the order of the fold."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from domain.amendment import AmendmentAgreed
from domain.authority import GOVERNED
from domain.dates import london_day, write_instant
from domain.event import EntryVoided, Event
from domain.evidence import KINDS, EvidenceLodged
from domain.scale import folded
from domain.signoff import SignOffVoted
from domain.timeline import OF_A_PLAN, plan_stream, stream_of
from ledger.entry import Entry
from ledger.reading import begins_with
from ledger.service import Ledger
from ledger.store import Moment
from ledger.tables import entries, texts
from projections.assertions import voids
from projections.state import PlanState, read_state
from projections.wording import decision_data, describe, voided_event

ACTORS = ("recommended_by", "recorder", "confirmed_by", "person")
"""The fields in which the entry of a decision names the person who took or recorded it."""
BODIES = ("body", "lead", "raised_by", "at", "referred_by")
"""The fields in which the entry of a decision names a body."""


def in_words(day: date | str) -> str:
    """A date as people write it: 30 September 2025."""
    found = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{found.day} {found:%B %Y}"


def on_plan(code: str) -> ColumnElement[bool]:
    """The condition that an entry is on any stream of the plan."""
    prefixes = [stream_of(kind, code, "") for kind in OF_A_PLAN if kind != "plan"]
    return or_(
        entries.c.stream_id == plan_stream(code),
        *(begins_with(entries.c.stream_id, prefix) for prefix in prefixes),
    )


def spellings(connection: Connection, *names: str) -> list[str]:
    """The names as they were typed, in whatever case; a database folds only English letters."""
    wanted = {folded(name) for name in names}
    typed = select(texts.c.text).where(texts.c.field == "recorded_by").distinct()
    return [name for name in connection.execute(typed).scalars() if folded(name) in wanted]


@dataclass(frozen=True)
class Kept:
    """An entry, and the position of the entry that voided it by then."""

    entry: Entry
    voided_by: int | None = None

    @property
    def event(self) -> Any:
        """What happened."""
        return self.entry.event

    @property
    def key(self) -> str:
        """The key of its stream: the reference of the action, the code of the body, …"""
        return self.entry.stream_id.partition("/")[2].partition("/")[2]

    @property
    def decided_on(self) -> date:
        """The day on which it was decided: at its meeting, else when it became true."""
        meeting = getattr(self.event, "meeting", None)
        if meeting is None and self.entry.note.decided_by is not None:
            meeting = self.entry.note.decided_by.meeting
        return meeting or self.entry.effective_on

    @property
    def recorded_on(self) -> date:
        """The day in London on which the ledger took it."""
        assert self.entry.recorded_at is not None
        return london_day(self.entry.recorded_at)


class Record:
    """One plan at one moment, with the entries that tell how it came about.

    Attributes:
        state: the plan at the moment.
        code: of the plan.
    """

    def __init__(self, ledger: Ledger, connection: Connection, code: str, moment: Moment) -> None:
        self.ledger, self.connection, self.moment = ledger, connection, moment
        self.code = code
        self.state: PlanState = read_state(connection, code, moment)

    def kept(
        self,
        *kinds: type[Event],
        stream: str | None = None,
        where: Any = None,
        voided: bool = False,
    ) -> list[Kept]:
        """The entries that count at the moment, in order of (effective_on, position).

        Args:
            kinds: of these types; all where none is named.
            stream: on this stream only.
            where: another condition on the table of entries.
            voided: those that were voided by then too.
        """
        known = self.moment.position
        query = (
            select(entries.c.position, voids.c.voided_by)
            .outerjoin(
                voids, and_(voids.c.position == entries.c.position, voids.c.voided_by <= known)
            )
            .where(
                entries.c.position <= known,
                entries.c.effective_on <= self.moment.as_at.isoformat(),
            )
        )
        query = query.where(on_plan(self.code) if stream is None else entries.c.stream_id == stream)
        if kinds:
            query = query.where(entries.c.type.in_([kind.tag for kind in kinds]))
        if where is not None:
            query = query.where(where)
        if not voided:
            query = query.where(voids.c.voided_by.is_(None))
        found = {row.position: row.voided_by for row in self.connection.execute(query)}
        kept = [Kept(entry, found[entry.position]) for entry in self.at(found)]
        return sorted(kept, key=lambda one: (one.entry.effective_on, one.entry.position))

    def at(self, positions: Iterable[int]) -> list[Entry]:
        """The entries at these positions, as far as there are any."""
        found = self.ledger.recorder.at_positions(self.connection, positions)
        return [self.ledger.mapper.to_domain_event(found[position]) for position in sorted(found)]

    @cached_property
    def opened_by(self) -> str:
        """Who began the ledger: its first administrator."""
        return self.ledger.opened().note.recorded_by

    # --- words ---------------------------------------------------------------------------

    def who(self, word: str) -> str:
        """A person by name and code; as it stands, for one who is not enrolled."""
        found = self.state.people.get(word) or next(
            (p for p in self.state.people.values() if folded(p.name) == folded(word)), None
        )
        return str(found) if found else word

    def printed(self, code: str) -> str:
        """A person as printed under a decision: name and role."""
        found = self.state.people.get(code)
        return f"{found.name}, {found.role}" if found else code

    def body(self, code: str | None) -> str:
        """The name of a body; its code, where it is not known."""
        found = self.state.bodies.get(code or "")
        return found.name if found else code or ""

    def what(self, kept: Kept, said: Event | None = None) -> str:
        """What an entry says, in words.

        Args:
            said: what the entry that it voids said, where it voids one.
        """
        event = kept.event
        if said is None and isinstance(event, EntryVoided):
            said = voided_event(
                event, {entry.position: entry.event for entry in self.at([event.voids])}
            )
        words = describe(self._named(event), self.state.plan, self._named(said) if said else None)
        if isinstance(event, EvidenceLodged):
            words += f" ({KINDS.get(event.kind, event.kind)}, dated {in_words(event.dated)})"
        return words

    def _named(self, event: Event) -> Event:
        """The event of a decision with names in place of the codes of bodies and people."""
        if not isinstance(event, GOVERNED):
            return event
        names = dict.fromkeys(BODIES, self.body) | dict.fromkeys(ACTORS, self.who)
        held = {
            name: getattr(event, name, None) for name in names if name in event.model_fields_set
        }
        return event.model_copy(update={n: names[n](code) for n, code in held.items() if code})

    def row(self, kept: Kept) -> dict[str, Any]:
        """An entry as answered: what it says, both clocks, who, why, and on what authority."""
        entry, note = kept.entry, kept.entry.note
        decided_by = decision_data(note.decided_by)
        voted: bool = isinstance(kept.event, SignOffVoted)  # at a meeting, before its minute
        meeting = kept.decided_on.isoformat() if voted or decided_by else None
        return {
            "position": entry.position,
            "stream": entry.stream_id,
            "ref": kept.key or None,
            "what": self.what(kept),
            "type": entry.event.tag,
            "effective_on": entry.effective_on.isoformat(),
            "recorded_at": write_instant(entry.recorded_at) if entry.recorded_at else None,
            "by": self.who(actor(entry.event) or note.recorded_by),
            "reason": note.reason,
            "decided_by": decided_by,
            "meeting": meeting,
            "minute": decided_by["minute"] if decided_by else None,
            "source": note.source,
            "voided_by": kept.voided_by,
        }

    def agreed_before(self, entry: Entry) -> tuple[str, Entry] | None:
        """The amendment that an entry carries out, and the entry that agreed it.

        An agreed amendment is two entries side by side: the agreement, and the change.
        """
        beside = self.at([entry.position - 1])
        if not beside or not isinstance(beside[0].event, AmendmentAgreed):
            return None
        agreed = beside[0]
        return agreed.stream_id.rpartition("/")[2], agreed


def actor(event: Event) -> str | None:
    """The code of the person whom the entry of a decision names; None where it names none."""
    if not isinstance(event, GOVERNED):
        return None
    return next((getattr(event, name) for name in ACTORS if hasattr(event, name)), None)


def subject(stream: str) -> str:
    """What a stream is about: `C1`, `body iib`, `person clerk`, `E1`; empty for the plan itself."""
    kind, _, rest = stream.partition("/")
    key = rest.partition("/")[2]
    return f"{kind} {key}" if kind in ("body", "person") else key


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, or the last day of that month."""
    count = day.year * 12 + day.month - 1 - months
    if count < 12:
        return date.min
    year, month = divmod(count, 12)
    first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last = (first_of_next - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


def whole_months(since: date, until: date) -> int:
    """How many whole months lie between two days."""
    return (until.year - since.year) * 12 + until.month - since.month - (until.day < since.day)


def carried_out(kept: Iterable[Kept]) -> set[int]:
    """The positions of the changes that agreed amendments made: each stands beside its own."""
    return {one.entry.position + 1 for one in kept if isinstance(one.event, AmendmentAgreed)}
