"""Entries: there and back, texts out of the hashed part, and a leaf that covers all the rest."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.action import (
    ActionAdded,
    ActionClosed,
    ActionRated,
    ActionResumed,
    ActionReworded,
    MarkedDelayed,
    MilestoneSet,
    OwnersChanged,
    PlacedUnderReview,
    ProgressNoted,
    TimescaleRevised,
)
from domain.amendment import AmendmentAgreed, AmendmentDeclined, AmendmentProposed
from domain.body import (
    BodyEstablished,
    InterestDeclared,
    MeetingRecorded,
    MemberAppointed,
    MemberStoodDown,
    TermsChanged,
)
from domain.errors import IntegrityBroken
from domain.escalation import (
    EscalationRaised,
    EscalationReferred,
    EscalationResolved,
    EscalationResponded,
    EscalationWithdrawn,
)
from domain.event import REGISTRY, EntryVoided, Event, LedgerOpened
from domain.evidence import EvidenceLodged
from domain.person import (
    AdministratorAppointed,
    AdministratorStoodDown,
    KeyReplaced,
    KeyWithdrawn,
    PersonEnrolled,
    RoleChanged,
)
from domain.plan import ImpactRated, PlanCreated, ReportIssued, SectionAdded, TermsSet
from domain.signoff import (
    SignOffConfirmed,
    SignOffDeclined,
    SignOffGranted,
    SignOffRecommended,
    SignOffRevoked,
    SignOffVoted,
)
from domain.text import WITHOUT_TEXT
from domain.timescale import Timescale
from domain.withholding import ExemptionLifted, TextExempted, TextWithheld
from ledger.address import open_database
from ledger.canonical import commitment
from ledger.entry import (
    ENVELOPE_FIELDS,
    Decision,
    Entry,
    EntryMapper,
    Note,
    StoredEntry,
    leaf_bytes,
)
from ledger.store import Store
from ledger.tables import entries

SECRET = "zebra"
"""Stands in every text below, and in nothing else."""

NOTE = Note(
    effective_on=date(2025, 9, 30),
    recorded_by=f"{SECRET} the clerk",
    reason=f"Because of the {SECRET}",
    decided_by=Decision(body="Board", meeting=date(2025, 9, 29), minute="7.2"),
    source="CF/23/25-26",
    correction=True,
)
ADDED = ActionAdded(
    ref="S1",
    title=f"{SECRET} action",
    section="1.2",
    owners=f"{SECRET} keeper",
    timescale=Timescale.parse(f"{SECRET} home to open by July 2026"),
)
MET = date(2025, 9, 29)
SIGNED: dict[str, Any] = {
    "phase": 1,
    "body": "iib",
    "meeting": MET,
    "signed_at": datetime(2025, 9, 29, 18, 4, 5, 67, UTC),
    "statement": f"{SECRET} statement\n",
    "signature": "-----BEGIN SSH SIGNATURE-----",
}
EVENTS: list[Event] = [
    LedgerOpened(ledger_id="00ff", name=f"{SECRET} ledger", format=1),
    EntryVoided(voids=3),
    TextWithheld(position=999, field="reason", basis="Data Protection Act 2018"),
    TextExempted(position=3, field="reason", basis="Schedule 12A"),
    ExemptionLifted(position=3, field="reason"),
    PlanCreated(code="P", title=f"{SECRET} plan", begins_on=date(2024, 7, 17)),
    SectionAdded(section="1.2", name=f"{SECRET} section", parent="1"),
    ImpactRated(section="1.2", impact="impact_green"),
    ReportIssued(
        report="R1",
        committee="C",
        meeting=date(2025, 2, 2),
        as_at=date(2025, 2, 1),
        known_at=7,
        root="ab" * 32,
    ),
    ADDED,
    MilestoneSet(milestone=2, timescale=Timescale.parse(f"{SECRET} by May 2025")),
    ActionRated(milestone=2, rating="red"),
    ProgressNoted(progress=f"{SECRET} seen"),
    TimescaleRevised(timescale=Timescale.parse(f"{SECRET} by June 2025")),
    MarkedDelayed(rating="red"),
    PlacedUnderReview(),
    ActionResumed(rating="amber"),
    ActionClosed(replaced_by="S2"),
    ActionReworded(title=f"{SECRET} reworded"),
    OwnersChanged(owners=f"{SECRET} keepers; others"),
    TermsSet(impact_kinds=3),
    PersonEnrolled(
        person="chair", name=f"{SECRET} chair", role=f"{SECRET} role", key="ssh-ed25519 AAAA"
    ),
    RoleChanged(role=f"{SECRET} lead"),
    KeyReplaced(key="ssh-ed25519 BBBB"),
    KeyWithdrawn(),
    AdministratorAppointed(),
    AdministratorStoodDown(),
    BodyEstablished(code="iib", name="Board", rung=3, quorum=2, powers=("phase_1", "amend")),
    TermsChanged(powers=()),
    MemberAppointed(person="chair", capacity="chair", until=date(2026, 3, 31)),
    MemberStoodDown(person="chair"),
    MeetingRecorded(meeting=MET, present=("chair", "lead"), apologies=("dcs",), minutes="M1"),
    InterestDeclared(meeting=MET, person="lead", item="S1"),
    EvidenceLodged(
        evidence=1,
        phase=2,
        kind="staff_feedback",
        called=f"{SECRET} survey",
        dated=MET,
        reference=f"{SECRET} drive",
        file=f"{SECRET}.pdf",
        sha256="ab" * 32,
        size=7,
    ),
    SignOffRecommended(
        phase=1, round=1, lead="pog", recommended_by="lead", shown=f"Action: {SECRET}\n"
    ),
    SignOffVoted(
        person="chair",
        round=1,
        vote="approve",
        **SIGNED,
    ),
    SignOffGranted(
        phase=1, round=1, body="iib", person="clerk", meeting=MET, quorum=2, rating="amber_e"
    ),
    SignOffDeclined(phase=1, round=1, body="iib", person="clerk", meeting=MET),
    SignOffRevoked(phase=1, body="iib", person="clerk", meeting=MET, rating="amber"),
    SignOffConfirmed(
        confirmation=1,
        confirmed_by="chair",
        round=1,
        shown=f"Action: {SECRET}, reworded\n",
        **SIGNED,
    ),
    EscalationRaised(
        escalation="E1",
        issue=f"{SECRET} is short of staff",
        refs=("S1", "S2"),
        raised_by="ws",
        at="iib",
        rung=3,
        needed_by=date(2025, 11, 1),
        person="lead",
    ),
    EscalationReferred(
        referred_by="iib", at="cfc", rung=4, needed_by=date(2025, 12, 1), person="clerk"
    ),
    EscalationResponded(response=f"{SECRET} is being advertised", person="clerk"),
    EscalationResolved(outcome=f"{SECRET} was hired", person="clerk"),
    EscalationWithdrawn(person="lead"),
    AmendmentProposed(
        amendment="A1",
        kind="add",
        ref="S9",
        person="lead",
        timescale=f"{SECRET} by May 2026",
        title=f"{SECRET} new action",
        section="1.2",
        owners=f"{SECRET} keeper",
    ),
    AmendmentAgreed(body="iib", meeting=MET, recorder="clerk"),
    AmendmentDeclined(body="iib", meeting=MET, recorder="clerk"),
]


def entry_of(event: Event, note: Note = NOTE) -> Entry:
    return Entry(f"case/{event.tag}", 1, event, note)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(open_database(tmp_path / "store.sqlite", create=True))
    store.recorder.create()
    with store.database.writing() as connection:
        # The examples stand on streams of their own, so nothing is withheld where it should be.
        connection.exec_driver_sql("DROP TRIGGER withheld_by_entry")
    yield store
    store.close()


def test_every_type_is_here() -> None:
    """The examples of this file cover the whole registry of types."""
    assert {event.tag for event in EVENTS} == set(REGISTRY)


def test_there_and_back(store: Store) -> None:
    """Every type of entry comes back from the file as it was recorded, with its whole envelope."""
    recorded = store.append([entry_of(event) for event in EVENTS])
    for entry in recorded:
        (found,) = store.events.get(entry.stream_id)
        assert found == entry
    assert [entry.position for entry in recorded] == list(range(1, len(EVENTS) + 1))


def test_bare_envelope_there_and_back(store: Store) -> None:
    """An entry of which nobody said why, on whose authority or from where comes back without."""
    bare = Note(date(2025, 1, 1), "A. Clerk")
    (recorded,) = store.append([entry_of(ActionRated(rating="red"), bare)])
    assert list(store.events.get(recorded.stream_id)) == [recorded]


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_there_and_back(text: str) -> None:
    """A text comes back to the letter, whatever its characters are."""
    mapper = EntryMapper()
    note = Note(date(2025, 1, 1), recorded_by=text, reason=text)
    entry = entry_of(ProgressNoted(progress=text), note)
    stored = replace(mapper.to_stored_event(entry), recorded_at="2025-01-01T12:00:00.000000Z")
    back = mapper.to_domain_event(stored)
    assert back.event == entry.event
    assert (back.note.recorded_by, back.note.reason) == (text, text)
    assert back.withheld == frozenset()


@pytest.mark.parametrize(
    "text", ["\x00", "a\x00b", "\ufeff", "é\u0301", "😀" * 500, "'; --", "\r\n"]
)
def test_awkward_texts_survive_the_file(store: Store, text: str) -> None:
    """What SQLite could cut short or rewrite is kept to the letter."""
    (recorded,) = store.append([entry_of(ProgressNoted(progress=text))])
    assert list(store.events.get(recorded.stream_id)) == [recorded]


def test_no_text_in_clear_beside_the_vault(store: Store) -> None:
    """Free text and names stand in the vault only: in no column of an entry, nor in its payload."""
    store.append([entry_of(event) for event in EVENTS])
    with closing(sqlite3.connect(store.database.path)) as plain:
        rows = plain.execute("SELECT * FROM entries").fetchall()
        held = plain.execute("SELECT position, field FROM texts").fetchall()
        in_clear = plain.execute("SELECT count(*) FROM texts WHERE text LIKE ?", [f"%{SECRET}%"])
        assert in_clear.fetchone() == (len(held),)
    assert len(rows) == len(EVENTS)
    assert SECRET not in repr(rows)
    assert {field for _position, field in held} == {
        "recorded_by",
        "reason",
        *(name for kind in REGISTRY.values() for name in kind.vault),
    }


def test_no_text_in_clear_in_the_leaf() -> None:
    """What is hashed holds no text either, so it can be shown to an outsider."""
    for event in EVENTS:
        assert SECRET.encode() not in leaf_bytes(EntryMapper().to_stored_event(entry_of(event)))


def test_commitments_bind_the_texts() -> None:
    """Each commitment in payload and envelope is the one over its text and salt in the vault."""
    stored = EntryMapper().to_stored_event(entry_of(ADDED))
    payload = json.loads(stored.state)
    vault = {name: commitment(kept.salt, kept.text) for name, kept in stored.texts.items()}
    assert payload["title"] == {"commitment": vault["title"]}
    assert payload["owners"] == {"commitment": vault["owners"]}
    assert payload["timescale"]["written"] == {"commitment": vault["timescale"]}
    assert stored.envelope["recorded_by"] == vault["recorded_by"]
    assert stored.envelope["reason"] == vault["reason"]


def test_equal_texts_have_different_salts() -> None:
    """The same text twice, in one entry or in two, gives commitments that do not tell so."""
    note = Note(date(2025, 1, 1), recorded_by="same", reason="same")
    event = ActionAdded(ref="S1", title="same", section="1", owners="same")
    found = [EntryMapper().to_stored_event(entry_of(event, note)) for _ in range(2)]
    salts = [kept.salt for stored in found for kept in stored.texts.values()]
    assert len(salts) == len(set(salts)) == 8
    assert found[0].state != found[1].state


# --- the leaf -----------------------------------------------------------------------------

SEALED = StoredEntry(
    originator_id="action/P/S1",
    originator_version=4,
    topic="action.rated/1",
    state=b'{"rating":"red"}',
    position=7,
    recorded_at="2025-11-12T09:01:00.000000Z",
    envelope={
        "entry_id": "0" * 32,
        "effective_on": "2025-11-11",
        "recorded_by": "ab" * 32,
        "reason": None,
        "decided_by": {"body": "Board", "meeting": "2025-11-10", "minute": "7.2"},
        "source": "CF/23/25-26",
        "correction": False,
    },
)
OTHERWISE: dict[str, StoredEntry] = {
    "position": replace(SEALED, position=8),
    "stream_id": replace(SEALED, originator_id="action/P/S2"),
    "stream_version": replace(SEALED, originator_version=5),
    "type": replace(SEALED, topic="action.rated/2"),
    "recorded_at": replace(SEALED, recorded_at="2025-11-12T09:01:00.000001Z"),
    "payload": replace(SEALED, state=b'{"rating":"red" }'),
    **{
        name: replace(SEALED, envelope={**SEALED.envelope, name: value})
        for name, value in {
            "entry_id": "1" + "0" * 31,
            "effective_on": "2025-11-10",
            "recorded_by": "ab" * 31 + "ac",
            "reason": "",
            "decided_by": {"body": "Board", "meeting": "2025-11-10", "minute": "7.3"},
            "source": None,
            "correction": True,
        }.items()
    },
}


def test_leaf_bytes_are_fixed_for_ever() -> None:
    """What a leaf hash covers, byte for byte: a ledger cannot be hashed anew, so neither may this.

    The digest of the payload is `printf '{"rating":"red"}' | sha256sum`.
    """
    assert leaf_bytes(SEALED).decode() == (
        '{"correction":false,'
        '"decided_by":{"body":"Board","meeting":"2025-11-10","minute":"7.2"},'
        '"effective_on":"2025-11-11",'
        '"entry_id":"00000000000000000000000000000000",'
        '"payload_sha256":"4a2b415c0eae1fdb6982d955f005fed8221cad66424dff88c7c7776cf2a8f631",'
        '"position":7,'
        '"reason":null,'
        '"recorded_at":"2025-11-12T09:01:00.000000Z",'
        '"recorded_by":"abababababababababababababababababababababababababababababababab",'
        '"source":"CF/23/25-26",'
        '"stream_id":"action/P/S1",'
        '"stream_version":4,'
        '"type":"action.rated/1"}'
    )


def test_every_column_has_its_mutation() -> None:
    """The mutations of this file cover every column of an entry but the hashes themselves."""
    assert set(OTHERWISE) == set(entries.c.keys()) - {"subtrees"}
    assert set(ENVELOPE_FIELDS) == set(SEALED.envelope)


@pytest.mark.parametrize("column", OTHERWISE)
def test_leaf_covers(column: str) -> None:
    """A change of any one field of the envelope, or of the payload, gives another leaf."""
    assert leaf_bytes(OTHERWISE[column]) != leaf_bytes(SEALED)


# --- what is not as it should be ------------------------------------------------------------


def stored_at(event: Event, **changes: Any) -> StoredEntry:
    stored = EntryMapper().to_stored_event(entry_of(event))
    sealed = replace(stored, position=3, recorded_at="2025-11-12T09:01:00.000000Z")
    return replace(sealed, **changes)


def test_text_that_is_not_held() -> None:
    """A text that the vault lacks is shown as such, and the entry says which it is."""
    kept = stored_at(ADDED)
    texts = {name: text for name, text in kept.texts.items() if name not in ("owners", "reason")}
    found = EntryMapper().to_domain_event(replace(kept, texts=texts))
    assert isinstance(found.event, ActionAdded)
    assert found.event.owners == WITHOUT_TEXT
    assert found.note.reason == WITHOUT_TEXT
    assert found.withheld == {"owners", "reason"}
    assert found.event.title == f"{SECRET} action"


def test_type_of_a_newer_version() -> None:
    """An entry of an unknown type is named with its position, and never guessed at."""
    with pytest.raises(IntegrityBroken, match=r"Entry 3 .*action\.rated/9") as refused:
        EntryMapper().to_domain_event(stored_at(ActionRated(rating="red"), topic="action.rated/9"))
    assert refused.value.rule == "unknown-type"
    assert refused.value.hint


@pytest.mark.parametrize(
    "state",
    [b"", b"{", b"null", b"[]", b"5", b'"x"', b"\xff", b'{"rating":5}', b'{"rated":"red"}', b"{}"],
)
def test_payload_that_cannot_be_read(state: bytes) -> None:
    """A payload that is not one of its type is named with its position; no other error leaks."""
    with pytest.raises(IntegrityBroken, match="Entry 3") as refused:
        EntryMapper().to_domain_event(stored_at(ActionRated(rating="red"), state=state))
    assert refused.value.rule == "unreadable-payload"
