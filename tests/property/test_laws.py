"""Laws that hold for every value: canonical bytes, the mapper, and what the events assert."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from domain import action, plan
from domain.dates import read_instant, write_instant
from domain.errors import Failed
from domain.event import EntryVoided, Event, LedgerOpened
from domain.scale import FIVE_STEPS, IMPACT_STEPS
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
    exact = {str, int, bool, date, type(None), Ellipsis}
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
ACTION = action.Action(ref="A1", title="Visit", section="1")
EVOLVE = {"domain.plan": (plan.evolve, PLAN), "domain.action": (action.evolve, ACTION)}


@pytest.mark.parametrize("kind", REGISTERED, ids=lambda kind: kind.tag)
@pytest.mark.parametrize("stream", EVOLVE)
@PER_TYPE
@given(st.data())
def test_evolve_is_total_over_its_stream(
    stream: str, kind: type[Event], data: st.DataObject
) -> None:
    """Every event has its case in the stream that it belongs to, and none in the other."""
    evolve, state = EVOLVE[stream]
    event = data.draw(EVENTS[kind])
    if kind is EntryVoided:
        assert evolve(state, event) is state  # type: ignore[operator]
    elif kind.__module__ == stream:
        assert type(evolve(state, event)) is type(state)  # type: ignore[operator]
    else:
        with pytest.raises(TypeError):
            evolve(state, event)  # type: ignore[operator]


@pytest.mark.parametrize(
    "kind",
    [kind for kind in REGISTERED if kind not in (EntryVoided, LedgerOpened)],
    ids=lambda kind: kind.tag,
)
@PER_TYPE
@given(st.data())
def test_a_state_holds_what_the_event_asserted(kind: type[Event], data: st.DataObject) -> None:
    """Each field of an event is the attribute of that name, and a None changes nothing.

    The read model of assertions rests on this: it knows no event, only their fields.
    """
    evolve, before = EVOLVE[kind.__module__]
    event = data.draw(EVENTS[kind])
    after: Any = evolve(before, event)  # type: ignore[operator]
    names = {"section": "key", "report": "ref"}
    part = getattr(event, kind.part) if kind.part else None
    if part is not None:
        after, where = getattr(after, f"{kind.part}s")[part], kind.part
    else:
        where = None
    for name, value in event.model_dump(exclude_none=True, exclude={"milestone"}).items():
        attribute = names.get(name, name) if name == where else name
        held = getattr(after, attribute)
        assert (
            held.model_dump(exclude_none=True) if isinstance(held, BaseModel) else held
        ) == value
