"""Laws that hold for every value: canonical bytes, the mapper, and what the events assert."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from domain import action, amendment, body, escalation, person, plan, signoff, withholding
from domain.dates import read_instant, write_instant
from domain.errors import Failed
from domain.event import EntryVoided, Event, LedgerOpened
from domain.scale import FIVE_STEPS, IMPACT_STEPS
from domain.timeline import EVOLVE, OBJECTION
from ledger.canonical import LARGEST, canonical
from ledger.entry import EntryMapper, leaf_bytes
from tests.property.events import EVENTS, MARK, REGISTERED, entries_of

PATIENT = settings(deadline=None)
PER_TYPE = settings(max_examples=25, deadline=None)

# --- canonical bytes -----------------------------------------------------------------------

ASCII = st.text(st.characters(max_codepoint=127), max_size=6)
SCALARS = st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(ASCII, inner, max_size=5),
    max_leaves=20,
)
STRANGE = st.one_of(
    st.floats(),
    st.integers(min_value=LARGEST + 1) | st.integers(max_value=-LARGEST - 1),
    st.dictionaries(st.text(st.characters(min_codepoint=128), min_size=1), SCALARS, min_size=1),
    st.dictionaries(st.integers(), SCALARS, min_size=1),
    st.tuples(SCALARS),
    st.binary(),
    st.dates(),
    st.characters(categories=["Cs"]),
)


@PATIENT
@given(VALUES)
def test_canonical_bytes_are_those_of_rfc_8785(value: Any) -> None:
    """What the ledger hashes is, byte for byte, what the `rfc8785` package writes."""
    assert canonical(value) == rfc8785.dumps(value)


@PATIENT
@given(st.dictionaries(ASCII, VALUES, max_size=3), ASCII, STRANGE)
def test_what_has_no_canonical_form_is_refused(
    around: dict[str, Any], key: str, strange: Any
) -> None:
    """A float, a huge integer, a key that is not ASCII: refused wherever in a value it stands."""
    for value in (strange, [strange], {**around, key: [[], strange]}):
        with pytest.raises(Failed) as refused:
            canonical(value)
        assert refused.value.rule == "not-canonical"


@PATIENT
@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)))
def test_instants_come_back_and_sort_as_they_are_written(naive: datetime) -> None:
    """An instant is read as written, and the next microsecond is written so that it sorts after."""
    instant = naive.replace(tzinfo=UTC)
    later = instant.replace(microsecond=(naive.microsecond + 1) % 10**6)
    assert read_instant(write_instant(instant)) == instant
    assert (write_instant(instant) < write_instant(later)) == (instant < later)


# --- the registry --------------------------------------------------------------------------


def test_every_registered_type_has_a_strategy() -> None:
    """No type of event can be added without the laws below being held against it."""
    assert set(EVENTS) == set(REGISTERED)


def types_within(annotation: Any) -> Iterator[Any]:
    """Every plain type that an annotation is made of, nested models included."""
    origin = get_origin(annotation)
    if origin is Literal:
        yield from (type(value) for value in get_args(annotation))
    elif origin is Annotated:
        yield from types_within(get_args(annotation)[0])
    elif origin is not None:
        for part in get_args(annotation):
            yield from types_within(part)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for field in annotation.model_fields.values():
            yield from types_within(field.annotation)
    else:
        yield annotation


@pytest.mark.parametrize("kind", REGISTERED, ids=lambda kind: kind.tag)
def test_payloads_hold_nothing_but_exact_values(kind: type[Event]) -> None:
    """No payload has a field of a type that JSON writes inexactly, or of no known type."""
    exact = {str, int, bool, date, datetime, type(None), Ellipsis}
    assert set(types_within(kind)) - exact == set()


@pytest.mark.parametrize("kind", REGISTERED, ids=lambda kind: kind.tag)
def test_texts_of_an_event_keep_clear_of_those_of_the_envelope(kind: type[Event]) -> None:
    """No text field of an event takes the place in the vault of the reason or the person."""
    assert not {"reason", "recorded_by"} & set(kind.vault)


# --- the mapper ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", REGISTERED, ids=lambda kind: kind.tag)
@PER_TYPE
@given(st.data())
def test_an_entry_comes_back_from_its_stored_form(kind: type[Event], data: st.DataObject) -> None:
    """What the mapper stored is what it gives back, whatever the type and its values."""
    entry = data.draw(entries_of(kind))
    instant = datetime(2025, 9, 30, 23, 59, 59, 999999, UTC)
    stored = EntryMapper().to_stored_event(entry)
    kept = replace(stored, position=7, recorded_at=write_instant(instant))
    assert EntryMapper().to_domain_event(kept) == replace(entry, position=7, recorded_at=instant)


@pytest.mark.parametrize("kind", REGISTERED, ids=lambda kind: kind.tag)
@PER_TYPE
@given(st.data())
def test_no_text_stands_in_what_is_hashed(kind: type[Event], data: st.DataObject) -> None:
    """Texts stand in the vault only, each bound by SHA-256(salt || text) to the hashed bytes."""
    entry = data.draw(entries_of(kind))
    stored = EntryMapper().to_stored_event(entry)
    hashed = stored.state + leaf_bytes(stored)
    assert MARK.encode() not in hashed
    said = json.dumps([entry.event.model_dump(mode="json"), entry.note.recorded_by])
    said += entry.note.reason or ""
    assert len(stored.texts) == said.count(MARK)
    for kept in stored.texts.values():
        commitment = hashlib.sha256(kept.salt + kept.text.encode()).hexdigest()
        assert commitment.encode() in hashed
    again = EntryMapper().to_stored_event(entry)
    assert all(again.texts[name].salt != kept.salt for name, kept in stored.texts.items())


# --- what events do to a state ---------------------------------------------------------------

PLAN = plan.Plan(
    code="P",
    title="A plan",
    begins_on=date(2024, 7, 17),
    scale=FIVE_STEPS,
    impact_scale=IMPACT_STEPS,
)
DAY = date(2025, 10, 9)
BEFORE: dict[str, Any] = {
    "plan": PLAN,
    "action": action.Action(ref="A1", title="Visit", section="1"),
    "body": body.Body("iib", "Board", 3, 2),
    "person": person.Person("chair", "The chair", "Chair", "key"),
    "escalation": escalation.Escalation("E1", "Staff", ("A1",), "ws", "iib", 3, DAY, "chair"),
    "amendment": amendment.Amendment("A1", "reword", "A1", "chair", title="Visits"),
    "ledger": withholding.Texts(),
}
"""A state of each kind of stream."""
ELSEWHERE = {"signoff": "action", "evidence": "action", "withholding": "ledger"}
"""The modules whose events stand in the streams of another."""


def stream_kind(kind: type[Event]) -> str:
    """The kind of stream that an event stands in."""
    if kind is LedgerOpened:
        return "ledger"
    module = kind.__module__.removeprefix("domain.")
    return ELSEWHERE.get(module, module)


def test_every_kind_of_stream_has_its_laws() -> None:
    """No kind of stream has events and no fold, or no law, or no state here."""
    kinds = {stream_kind(kind) for kind in REGISTERED} - {"event"}
    assert kinds == set(EVOLVE) == set(OBJECTION) == set(BEFORE)


@pytest.mark.parametrize("kind", REGISTERED, ids=lambda kind: kind.tag)
@pytest.mark.parametrize("stream", EVOLVE)
@PER_TYPE
@given(st.data())
def test_evolve_is_total_over_its_stream(
    stream: str, kind: type[Event], data: st.DataObject
) -> None:
    """Every event has its case in the stream that it belongs to, and none in the others."""
    evolve, state = EVOLVE[stream], BEFORE[stream]
    event = data.draw(EVENTS[kind])
    if kind is EntryVoided:
        assert evolve(state, event) is state
    elif stream_kind(kind) == stream:
        assert type(evolve(state, event)) is type(state)
    else:
        with pytest.raises(TypeError):
            evolve(state, event)


@pytest.mark.parametrize("kind", REGISTERED, ids=lambda kind: kind.tag)
@PER_TYPE
@given(st.data())
def test_the_law_of_a_stream_has_an_answer_for_each_of_its_events(
    kind: type[Event], data: st.DataObject
) -> None:
    """Whatever an event of the stream says, the law gives None, or a rule and a sentence."""
    event = data.draw(EVENTS[kind])
    streams = EVOLVE if kind is EntryVoided else (stream_kind(kind),)
    for stream in streams:
        for state in (None, BEFORE[stream], EVOLVE[stream](BEFORE[stream], event)):
            said = OBJECTION[stream](state, event, FIVE_STEPS)
            assert said is None or (all(said) and len(said) == 2)


HELD: dict[tuple[str, ...], Callable[[Any, Any], Any]] = {
    (): lambda state, _event: state,
    ("milestone",): lambda state, event: state.milestones[event.milestone],
    ("section",): lambda state, event: state.sections[event.section],
    ("report",): lambda state, event: state.reports[event.report],
    ("evidence",): lambda state, event: state.evidence[event.evidence],
    ("phase",): lambda state, event: state.signoffs[event.phase],
    ("phase", "person"): lambda state, event: state.signoffs[event.phase].ballots[event.person],
    ("phase", "confirmation"): lambda state, event: state.signoffs[event.phase].confirmations[
        event.confirmation
    ],
    ("person",): lambda state, event: state.members[event.person],
    ("meeting",): lambda state, event: state.meetings[event.meeting],
}
"""Where the state holds the part that an event is about."""
UNDER = {"section": "key", "report": "ref"}
"""What the state calls the field that names a part, where it calls it otherwise."""
UNSAID: dict[type[Event], set[str]] = {
    signoff.SignOffVoted: {"signed_at", "statement", "signature"},
    signoff.SignOffGranted: {"person"},
    signoff.SignOffDeclined: {"person"},
    signoff.SignOffRevoked: {"person"},
    signoff.SignOffConfirmed: {"signed_at", "statement", "signature"},
}
"""Fields that are kept for those who check the entry, and change nothing in the state."""


NOT_BY_FIELD = (EntryVoided, LedgerOpened, body.InterestDeclared, *withholding.WITHHOLDING)
"""What is kept in the state otherwise than field by field; each has a test of its own."""


@pytest.mark.parametrize(
    "kind",
    [kind for kind in REGISTERED if kind not in NOT_BY_FIELD],
    ids=lambda kind: kind.tag,
)
@PER_TYPE
@given(st.data())
def test_a_state_holds_what_the_event_asserted(kind: type[Event], data: st.DataObject) -> None:
    """Each field of an event is the attribute of that name, and a None changes nothing.

    The read model of assertions rests on this: it knows no event, only their fields.
    """
    stream = stream_kind(kind)
    event = data.draw(EVENTS[kind])
    state: Any = EVOLVE[stream](BEFORE[stream], event)
    part = kind.part if event.part_name() else ()
    found = HELD[part](state, event)
    for name in part:  # where the map alone names a part, finding it there is the proof
        value = getattr(event, name)
        assert getattr(found, UNDER.get(name, name), value) == value
    for name, value in event.asserted().items():
        if name not in part and name not in UNSAID.get(kind, ()):
            assert getattr(state if name in kind.whole else found, name) == value


@PER_TYPE
@given(EVENTS[body.InterestDeclared])
def test_a_body_holds_the_interests_that_were_declared(event: Event) -> None:
    """An interest is kept whole, under its meeting, person and item together."""
    after = body.evolve(BEFORE["body"], event)
    assert after is not None
    assert after.interests == {tuple(event.asserted().values())}


@PER_TYPE
@given(EVENTS[withholding.TextWithheld], EVENTS[withholding.TextExempted])
def test_a_ledger_holds_what_was_said_of_its_texts(withheld: Any, exempt: Any) -> None:
    """Each text has its basis; what is withheld is exempt no more, and what is lifted neither."""
    kept = withholding.evolve(None, exempt)
    place = (exempt.position, exempt.field)
    assert kept == withholding.Texts(exempt={place: exempt.basis})
    lifted = withholding.ExemptionLifted(position=exempt.position, field=exempt.field)
    assert withholding.evolve(kept, lifted) == withholding.Texts()
    gone = withholding.TextWithheld(position=exempt.position, field=exempt.field, basis="A law")
    assert withholding.evolve(kept, gone) == withholding.Texts(withheld={place: "A law"})
    after = withholding.evolve(kept, withheld)
    assert after is not None
    assert after.withheld == {(withheld.position, withheld.field): withheld.basis}
    for event in (withheld, exempt, lifted):
        again = replace(after, withheld={(event.position, event.field): "A law"})
        assert withholding.objection(again, event, FIVE_STEPS) is not None


@pytest.mark.parametrize("kind", REGISTERED, ids=lambda kind: kind.tag)
@PER_TYPE
@given(st.data())
def test_an_event_names_its_part_and_what_it_asserts(
    kind: type[Event], data: st.DataObject
) -> None:
    """A part is named by fields of the event, and so is what belongs to the whole subject."""
    event = data.draw(EVENTS[kind])
    assert {*kind.part, *kind.whole} <= set(kind.model_fields)
    assert not set(kind.part) & set(kind.whole)
    assert event.asserted() == {k: v for k, v in event if v is not None}
    values = [getattr(event, name) for name in kind.part]
    assert bool(event.part_name()) == (bool(values) and None not in values)
    if len(values) > 1:  # a name alone may hold a stroke, as that of a report does
        assert event.part_name().split("/")[::2] == list(kind.part)
