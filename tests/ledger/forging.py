"""What somebody can do who may write to the file and knows its form: every hash comes out right.

An entry is forced in through the store, which seals whatever it is given, past the commands that
would have refused it; or a whole ledger is written anew with something in it changed.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from domain.content import claims_of, statement
from domain.dates import now
from domain.event import Event
from domain.signoff import SignOff, SignOffVoted
from ledger import signatures
from ledger.address import open_database
from ledger.entry import Entry, Note
from ledger.lawfulness import Lawful, check_lawfulness
from ledger.service import Ledger
from ledger.verification import verify
from projections.assertions import PlanProjector
from projections.upkeep import check_read_models, open_ledger
from tests.boards import ADMIN, CODE, MEETING, PEOPLE, SEATS, Boards, key_folder, public_key

Named = tuple[str, int | None]
"""(kind, position) of a finding."""


def force(ledger: Ledger, *entries: tuple[str, Event, Note]) -> list[int]:
    """Store entries, each (stream, event, note), that nobody has decided; their positions."""
    made: list[Entry] = []
    for stream, event, note in entries:
        beside = sum(1 for entry in made if entry.stream_id == stream)
        version = len(list(ledger.events.get(stream))) + beside + 1
        made.append(Entry(stream, version, event, note))
    return [entry.position for entry in ledger.append(made)]


def on(ref: str) -> str:
    """The stream of an action of the plan with boards."""
    return f"action/{CODE}/{ref}"


def note(who: str = ADMIN, day: date = MEETING, **more: Any) -> Note:
    """What a forged entry says of itself."""
    return Note(day, who, **more)


def ballot(
    boards: Boards, who: str, ref: str, key: str | None = None, phase: int = 1, **said: Any
) -> SignOffVoted:
    """An approval with a good signature of a key (else the person's own), that nobody judged."""
    ledger = boards.ledger
    opened: Any = ledger.opened().event
    action: Any = ledger.timeline(on(ref)).state_at(MEETING)
    signoff = action.signoffs.get(phase, SignOff(phase))
    fields = {
        "phase": phase,
        "person": who,
        "round": signoff.round,
        "body": "iib",
        "meeting": MEETING,
        "vote": "approve",
        "signed_at": datetime.now(UTC),
        "statement": "",
        "signature": "",
    }
    event = SignOffVoted(**{**fields, **said})
    role = PEOPLE[who]
    printed = {
        "Name": f"The {role.lower()}",
        "Role": role,
        "Seat": f"{seat_of(who)} of Improvement and Impact Board",
    }
    claims = claims_of(opened.ledger_id, CODE, ref, event, signoff.shown)
    text = statement(claims | printed)
    name = key or who
    signature = signatures.sign(text, public_key(name), key_folder() / name)
    return event.model_copy(update={"statement": text, "signature": signature})


def seat_of(who: str) -> str:
    """In which capacity a person sits on the board that decides."""
    return next((seat for body, person, seat in SEATS if (body, person) == ("iib", who)), "none")


Change = Callable[[Entry], Entry | None]
"""What becomes of an entry; None to leave it out."""


def rewritten(path: Path, target: Path, change: Change) -> Path:
    """The whole ledger written anew, at the same instants, with every entry as changed."""
    instants: list[datetime] = []
    source = open_ledger(path)
    with source.database.reading() as connection:
        kept = [source.mapper.to_domain_event(s) for s in source.recorder.read(connection)]
    source.close()
    changed = [(old, new) for old in kept if (new := change(old)) is not None]
    copy = Ledger(
        open_database(target, create=True),
        PlanProjector(),
        lambda: instants[-1] if instants else now(),
    )
    versions: dict[str, int] = {}
    for old, new in changed:
        assert old.recorded_at is not None
        instants.append(old.recorded_at)
        versions[new.stream_id] = versions.get(new.stream_id, 0) + 1
        sealed = replace(new, stream_version=versions[new.stream_id])
        if len(instants) == 1:
            copy.recorder.create([copy.mapper.to_stored_event(sealed)])
        else:
            copy.append([sealed])
    copy.close()
    return target


def saying(position: int, **fields: Any) -> Change:
    """A change of what the event at a position says."""

    def change(entry: Entry) -> Entry:
        if entry.position != position:
            return entry
        return replace(entry, event=entry.event.model_copy(update=fields))

    return change


def whole(ledger: Ledger) -> bool:
    """Whether nothing but the rules can tell: every hash and every read model is right."""
    return not verify(ledger).findings and not check_read_models(ledger)


def judged(ledger: Ledger) -> Lawful:
    """What is found in a ledger that is whole; each message has to name its position."""
    assert whole(ledger)
    lawful = check_lawfulness(ledger)
    for finding in lawful.findings:
        assert str(finding.position) in finding.message
        assert finding.message.endswith(".")
    return lawful


def judged_at(path: Path) -> Lawful:
    """What is found in the ledger there."""
    ledger = open_ledger(path)
    try:
        return judged(ledger)
    finally:
        ledger.close()


def named(lawful: Lawful) -> list[Named]:
    """The kinds and positions of what was found."""
    return [(finding.kind, finding.position) for finding in lawful.findings]


def rules(lawful: Lawful) -> Sequence[tuple[int | None, str]]:
    """The position and the rule of every rule that was broken."""
    return [
        (finding.position, finding.message.split("breaks the rule '")[1].split("'")[0])
        for finding in lawful.findings
        if finding.kind == "rule-broken"
    ]
