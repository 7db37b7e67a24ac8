"""Voiding: an entry was a mistake, and so is what rested on it.

A membership that is voided, a key withdrawn as from last month, an approval that was a mistake:
what was decided on it is open again. Each such decision is voided in the same append, by an entry
that says why; so nothing re-opens in silence, and whoever asks as known before still sees it as
it was.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from domain.action import ActionRated
from domain.administration import CHANGES, STANDING, administrators_only, may_void
from domain.amendment import AmendmentAgreed
from domain.authority import GOVERNED, check, in_force
from domain.board_commands import records_for
from domain.body import BodyEstablished, InterestDeclared, TermsChanged
from domain.dates import london_day
from domain.errors import OBJECTIONS, Refusal
from domain.event import EntryVoided
from domain.plan import ReportIssued
from domain.signoff import SignOffConfirmed, SignOffVoted
from domain.text import is_held
from domain.timeline import PENDING, Item, Timeline, stream_of
from ledger.entry import Entry, Note
from ledger.keys import fingerprint, signer_of
from ledger.recorder import Unless

if TYPE_CHECKING:
    from ledger.writing import Writing


def void_entry(writing: Writing, position: int, note: Note) -> None:
    """Add the entry that voids an earlier one of this plan, wherever it stands.

    Raises:
        Refusal: not-on-this, already-void, cannot-be-void, period-closed.
        NotAuthorised: not-administrator.
    """
    stream = writing.ledger.stream_at(position)
    if stream is None or stream.split("/")[1:2] != [writing.code]:
        raise Refusal(
            "not-on-this",
            f"Entry {position} is not on the plan {writing.code}.",
            "Find the entry to void with: govledger log",
        )
    void(writing, writing.line(stream), position, note)


def void(writing: Writing, line: Timeline[Any], position: int, note: Note) -> None:
    """Add the entry that voids an earlier one of this timeline.

    Raises:
        Refusal: already-void, cannot-be-void, period-closed.
    """
    item = line.item(position)
    if item is None:
        by = line.voided_by(position)
        if by is None:
            raise Refusal(
                "not-on-this",
                f"Entry {position} is not on {line.name}.",
                f"Find the entry to void with: govledger log {line.name}",
            )
        raise Refusal(
            "already-void", f"Entry {position} was voided by entry {by}.", "Nothing to do."
        )
    if item.event.tag.startswith(("plan.created", "plan.section_added")):
        raise Refusal(
            "cannot-be-void",
            f"Entry {position} ({item.event.tag}) holds up the plan and cannot be voided.",
            "Begin the plan anew in a new ledger if its foundations are wrong.",
        )
    _may_void(writing, item, note)
    void_item(writing, line, item, note)


def void_item(
    writing: Writing, line: Timeline[Any], item: Item, note: Note, *, fell: bool = False
) -> None:
    """Add the entry that voids an item, and with an agreed amendment the change it made.

    Args:
        fell: it is voided because of the first entry of this write, which took its support away.

    Raises:
        Refusal: period-closed.
    """
    position = item.position
    writing.voided[position], writing.effective[position] = item.event, item.effective_on
    # A report touches the whole period that it closed; voiding it opens that again.
    day = item.event.as_at if isinstance(item.event, ReportIssued) else item.effective_on
    correction = writing.corrects(day, note, f"entry {position}")
    event = EntryVoided(voids=position, cause_before=len(writing.entries) if fell else None)
    writing.append(line, event, replace(note, correction=correction))
    other = _other_half(writing, item)
    if other is not None:
        void_item(writing, *other, note, fell=fell)


def _other_half(writing: Writing, item: Item) -> tuple[Timeline[Any], Item] | None:
    """An agreed amendment is two entries side by side: the agreement, and the change."""
    agreed = isinstance(item.event, AmendmentAgreed)
    beside = item.position + (1 if agreed else -1)
    stream = writing.ledger.stream_at(beside) or ""
    if beside in writing.effective or not stream.startswith(
        stream_of("action" if agreed else "amendment", writing.code, "")
    ):
        return None
    other = writing.line(stream)
    found = other.item(beside)
    if found is None or agreed == isinstance(found.event, AmendmentAgreed):
        return None
    return other, found


def _may_void(writing: Writing, item: Item, note: Note) -> None:
    kept = writing.ledger.entry_at(item.position).note
    scene = writing.scene(writing.today, note.recorded_by)
    decided, taken_over = kept.decided_by is not None, bool(kept.source)
    may_void(scene, item.event, decided=decided, taken_over=taken_over)


# --- what rests on what -----------------------------------------------------------------


def reopen(writing: Writing) -> None:
    """Void every decision that this write has left without support, and what rested on that.

    Raises:
        Refusal: period-closed, where such a decision lies in a closed period.
    """
    done = 0
    while done < len(writing.entries) and _may_matter(writing):
        done = len(writing.entries)
        cause = _cause(writing.entries[0])
        # A decision looks at its effective date, and at the key of the day it was recorded on,
        # which is never earlier: so what was recorded before that day rests on none of this.
        since = min(_touches(writing, entry) for entry in writing.entries)
        first = writing.ledger.known_by(since - timedelta(days=1)) + 1
        for line in _resting(writing, first):
            for item in line.items():
                if first <= item.position < PENDING and isinstance(item.event, GOVERNED):
                    lost = _lost(writing, line, item)
                    if lost:
                        # Words that stand for a withheld name cannot be recorded as a reason.
                        why = f": {lost}" if is_held(lost) else ""
                        _void(writing, line, item, f"No longer supported, since {cause}{why}")


def _may_matter(writing: Writing) -> bool:
    """Whether there is anything here that a decision can rest on, or that is one."""
    touched = {entry.stream_id for entry in writing.entries}
    return any(_is_foundation(writing, entry) for entry in writing.entries) or any(
        writing.lines[stream].had(GOVERNED) for stream in touched if stream in writing.lines
    )


def _resting(writing: Writing, first: int) -> list[Timeline[Any]]:
    """The timelines whose decisions, at that position or later, this write may have touched."""
    resting = {entry.stream_id for entry in writing.entries}
    if any(_is_foundation(writing, entry) for entry in writing.entries):
        tags = [kind.tag for kind in GOVERNED]
        streams = writing.ledger.streams_with(writing.code, tags, first)
        writing.load_streams(streams)
        resting |= set(streams)
    return [line for stream, line in writing.lines.items() if stream in resting]


def _is_foundation(writing: Writing, entry: Entry) -> bool:
    """Whether decisions on other streams rest on what this entry says, or on what it voids."""
    event = entry.event
    if isinstance(event, EntryVoided):
        event = writing.voided[event.voids]
    return isinstance(event, STANDING)


def unless(writing: Writing) -> Unless | None:
    """The entries that this write would have had to look at, had they been there.

    A vote that is recorded while its voter is being stood down rests on what is no longer so; a
    rating or a change of the plan goes by its bodies from the moment that there are any.
    """
    tags: set[str] = set()
    kinds: tuple[str, ...] = ("action", "escalation", "amendment")
    if any(_is_foundation(writing, entry) for entry in writing.entries):
        tags |= {kind.tag for kind in GOVERNED}
    if any(isinstance(entry.event, (ActionRated, *CHANGES)) for entry in writing.entries):
        tags |= {BodyEstablished.tag, TermsChanged.tag}
        kinds = (*kinds, "body")
    prefixes = [stream_of(kind, writing.code, "") for kind in kinds]
    return Unless(sorted(tags), prefixes) if tags else None


def _touches(writing: Writing, entry: Entry) -> date:
    """The day from which an entry of this write changes what is so."""
    if isinstance(entry.event, EntryVoided):
        return writing.effective[entry.event.voids]
    return entry.effective_on


def _lost(writing: Writing, line: Timeline[Any], item: Item) -> str | None:
    """What a decision lacks now, in a sentence; None where nothing."""
    if line.item(item.position) is None:
        return None  # voided a moment ago
    found = line.objection_to(item, writing.plan_now.scale)
    if found:
        return found[1]
    entry = writing.ledger.entry_at(item.position)
    assert entry.recorded_at is not None
    scene = writing.scene(item.effective_on, entry.note.recorded_by)
    taken = london_day(entry.recorded_at), item.position
    event = item.event
    try:
        check(scene, line.state_before(item.position), event, taken)
        if isinstance(event, SignOffVoted | SignOffConfirmed):
            key = in_force(scene, event.person, taken)
            if signer_of(event.signature) != fingerprint(key):
                return f"it is not signed with the key that {event.person} had on {taken[0]}"
    except OBJECTIONS as error:
        return error.message.rstrip(".")
    return None


def line_key(entry: Entry) -> str:
    """The key of an entry's stream, such as the code of its body."""
    return entry.stream_id.rpartition("/")[2]


def _cause(entry: Entry) -> str:
    if isinstance(entry.event, EntryVoided):
        return f"entry {entry.event.voids} was voided"
    kind, _, rest = entry.stream_id.partition("/")
    return f"{kind} {rest.partition('/')[2] or rest} was changed as from {entry.effective_on}"


def _void(writing: Writing, line: Timeline[Any], item: Item, reason: str) -> None:
    cause = writing.entries[0]
    scene = writing.scene(writing.today, cause.note.recorded_by)
    if isinstance(cause.event, InterestDeclared):
        # Late, it is for those who keep the record: or any member could undo what was decided.
        records_for(scene, line_key(cause), f"undo entry {item.position} by an interest")
    elif not isinstance(cause.event, STANDING):
        # Who may say who sat where may undo what rests on it; nobody else undoes a decision.
        administrators_only(scene, f"undo entry {item.position}, which would lose its support,")
    note = replace(
        cause.note,
        effective_on=writing.today,
        reason=reason,
        decided_by=None,
        source=None,
        correction=writing.correction,
    )
    void_item(writing, line, item, note, fell=True)
