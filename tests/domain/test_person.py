"""The law of a person's stream, and whose role an owner's is."""

import pytest

from domain.event import REGISTRY, EntryVoided, Event
from domain.person import (
    AdministratorAppointed,
    AdministratorStoodDown,
    KeyReplaced,
    KeyWithdrawn,
    Person,
    PersonEnrolled,
    RoleChanged,
    evolve,
    objection,
)
from domain.scale import FIVE_STEPS

KEYED = Person("dcs", "A. Director", "Director", "key 1")
STATES: dict[str, Person | None] = {
    "absent": None,
    "with a key": KEYED,
    "without a key": Person("dcs", "A. Director", "Director"),
    "administrator": Person("dcs", "A. Director", "Director", "key 1", administrator=True),
    "administrator no more": Person("dcs", "A. Director", "Director", "", administrator=False),
}
THERE, ABSENT, KEYLESS = "already-there", "not-there-yet", "no-key"
ENROLLED = PersonEnrolled(person="dcs", name="A. Director", role="Director", key="key 1")
LAW: list[tuple[Event, tuple[str | None, ...]]] = [
    (ENROLLED, (None, *(THERE,) * 4)),
    (RoleChanged(role="Lead"), (ABSENT, None, None, None, None)),
    (KeyReplaced(key="key 2"), (ABSENT, None, None, None, None)),
    (KeyWithdrawn(), (ABSENT, None, KEYLESS, None, KEYLESS)),
    (AdministratorAppointed(), (ABSENT, None, None, THERE, None)),
    (AdministratorStoodDown(), (ABSENT, None, None, None, None)),
    (EntryVoided(voids=1), (None,) * 5),
]


@pytest.mark.parametrize(("event", "rules"), LAW, ids=[event.tag for event, _rules in LAW])
def test_the_law_of_the_stream(event: Event, rules: tuple[str | None, ...]) -> None:
    """Each event is accepted in the states in which it makes sense, and refused in the others."""
    found = [objection(state, event, FIVE_STEPS) for state in STATES.values()]
    assert [said[0] if said else None for said in found] == list(rules)
    for state in STATES.values():
        assert (evolve(state, event) is None) == (state is None and event is not ENROLLED)


def test_the_table_holds_every_event_of_a_person() -> None:
    """The table above leaves out no event type of a person."""
    tags = {event.tag for event, _rules in LAW}
    assert {tag for tag in REGISTRY if tag.startswith("person.")} | {"entry.voided/1"} == tags


def test_a_key_has_an_end_and_a_new_beginning() -> None:
    """A withdrawn key is none at all, and one that replaces it is in force again."""
    withdrawn = evolve(KEYED, KeyWithdrawn())
    assert withdrawn is not None
    assert withdrawn.key == ""
    again = evolve(withdrawn, KeyReplaced(key="key 2"))
    assert again is not None
    assert again.key == "key 2"


@pytest.mark.parametrize(
    ("role", "owners", "as_owner"),
    [
        ("Director", "Director", "Director"),
        ("director", "Head of Visits; DIRECTOR ; Clerk", "DIRECTOR"),
        ("Lead member; Director", "Head of Visits; Director", "Director"),
        ("Director of Children's Services", "Director of Children\u2019s Services", "\u2019"),
        ("Head \u2013 edge of care", "Head - edge  of care", "Head"),
        ("Director", "Deputy Director; Director of Health", None),
        ("Director", None, None),
        ("Director", "", None),
        ("", "Director; ", None),
        (";", "Director;;", None),
    ],
)
def test_whether_a_role_owns(role: str, owners: str | None, as_owner: str | None) -> None:
    """A person owns what one of the owner roles names, however it was typed; no role, nothing."""
    found = Person("x", "X", role).has_role_in(owners)
    assert (found is None) == (as_owner is None)
    assert (as_owner or "") in (found or "")
