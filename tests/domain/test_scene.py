"""What a decision looks at: people and bodies by their words, administrators, numbers in range."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from domain.administration import BoardCommand
from domain.board_commands import Appoint, ChangeTerms, Establish, SetTerms
from domain.errors import GovledgerError, NotAuthorised
from domain.evidence_commands import Lodge
from domain.person import (
    AdministratorAppointed,
    AdministratorStoodDown,
    KeyReplaced,
    PersonEnrolled,
)
from domain.person_commands import Enrol, ReplaceKey
from tests.domain.stage import MET, SET_UP, Stage

DAY = timedelta(days=1)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_people_and_bodies_are_found_by_code_or_name(stage: Stage) -> None:
    """A code comes before a name, and either is found in any case."""
    scene = stage.scene()
    for word in ("member", "MEMBER", "a.  member", "A. Member"):
        assert scene.person(word).person == "member"
    for word in ("board", "Board", "the BOARD"):
        assert scene.body(word).code == "board"
    namesake = PersonEnrolled(person="other", name="member", role="Other", key="other key")
    stage.add("person", "other", namesake)
    assert stage.scene().person("member").person == "member"
    assert stage.scene().person("Member").person == "member"


def test_a_name_that_several_have_is_nobodys(stage: Stage) -> None:
    """Where two people share a name it names neither: the code has to be given."""
    stage.add(
        "person",
        "other",
        PersonEnrolled(person="other", name="A. Member", role="Other", key="other key"),
        MET,
    )
    with pytest.raises(NotAuthorised) as found:
        stage.scene().person("A. Member")
    assert found.value.rule == "which-person"
    assert "member, other" in found.value.hint
    assert stage.scene(MET - DAY).person("A. Member").person == "member"


def test_who_is_an_administrator(stage: Stage) -> None:
    """Whoever opened the ledger, until that ends, and whoever was appointed since."""
    scene = stage.scene()
    assert scene.is_administrator("a. registrar")
    assert not scene.is_administrator("member")
    stage.add("person", "member", AdministratorAppointed(), MET)
    assert [stage.scene(MET + n * DAY).is_administrator("A. Member") for n in (-1, 0)] == [
        False,
        True,
    ]
    registrar = PersonEnrolled(person="reg", name="A. Registrar", role="Registrar", key="k")
    stage.add("person", "reg", registrar)
    stage.add("person", "reg", AdministratorStoodDown(), MET)
    for word in ("reg", "A. Registrar", "a. REGISTRAR"):
        assert stage.scene(MET - DAY).is_administrator(word)
        assert not stage.scene(MET).is_administrator(word)


def test_what_is_not_there_is_said_with_what_is(stage: Stage) -> None:
    """An unknown plan day, action, body, person, escalation or amendment is refused by its rule."""
    scene = stage.scene()
    asked: list[tuple[Callable[[], object], str]] = [
        (lambda: stage.scene(date(2024, 1, 1)).plan, "not-there-yet"),
        (lambda: scene.action("A9"), "not-there-yet"),
        (lambda: scene.body("senate"), "unknown-body"),
        (lambda: scene.person("nobody"), "unknown-person"),
        (lambda: scene.escalation("E9"), "unknown-escalation"),
        (lambda: scene.amendment("A9"), "unknown-amendment"),
    ]
    for ask, rule in asked:
        with pytest.raises(GovledgerError) as found:
            ask()
        assert found.value.rule == rule


ODD: dict[str, tuple[BoardCommand, str]] = {
    "a quorum of nobody": (Establish("x", "X", 1, 0), "out-of-range"),
    "a quorum below nobody": (ChangeTerms("board", -1), "out-of-range"),
    "a rung below the ground": (Establish("x", "X", -1, 1), "out-of-range"),
    "a power that is none": (ChangeTerms("board", powers=("veto",)), "unknown-power"),
    "a body outside that decides": (ChangeTerms("outside", powers=("amend",)), "outside-decides"),
    "a body of another's name": (Establish("x", "THE BOARD", 1, 1), "already-there"),
    "a capacity that is none": (Appoint("board", "visitor", "emperor"), "no-such-capacity"),
    "an end before the beginning": (
        Appoint("board", "visitor", until=MET - DAY),
        "ends-before-it-begins",
    ),
    "one source of impact": (SetTerms(1), "too-few-sources"),
    "five sources of four": (SetTerms(5), "too-few-sources"),
    "a code in other capitals": (Enrol("MEMBER", "M", "R", "k"), "already-there"),
    "the key of another": (Enrol("x", "X", "R", "key of member"), "key-taken"),
    "a key that another had once": (ReplaceKey("chair", "old key"), "key-taken"),
    "a key that another will have": (Enrol("x", "X", "R", "new key"), "key-taken"),
    "a name of two lines": (Enrol("x", "X\nDecision: decline", "R", "k"), "control-character"),
    "a role of two lines": (Enrol("x", "X", "R\u2028Vote: no", "k"), "control-character"),
    "a body's name of two lines": (Establish("x", "X\x85Vote: no", 1, 1), "control-character"),
    "evidence for a third phase": (
        Lodge("A1", "performance", "Audit", MET, "7", phase=3),
        "no-such-phase",
    ),
    "evidence of no kind": (Lodge("A1", "gossip", "Audit", MET, "7"), "unknown-kind"),
    "evidence that is nowhere": (Lodge("A1", "performance", "Audit", MET), "needs-reference"),
    "evidence of tomorrow": (
        Lodge("A1", "performance", "Audit", MET + DAY, "7"),
        "future-date",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_what_makes_no_sense_is_refused(stage: Stage, name: str) -> None:
    """Whoever asks, and whatever front door they come by, the rules of the domain hold."""
    stage.add("person", "member", KeyReplaced(key="old key"), SET_UP)
    stage.add("person", "member", KeyReplaced(key="key of member"), SET_UP)
    stage.add("person", "member", KeyReplaced(key="new key"), MET + DAY)
    command, rule = ODD[name]
    with pytest.raises(GovledgerError) as refused:
        command.decide(stage.scene(who="A. Registrar"))
    assert refused.value.rule == rule
    assert refused.value.hint


GRANTS: tuple[BoardCommand, ...] = (
    Enrol("x", "X", "R", "k"),
    ReplaceKey("member", None),
    Establish("x", "X", 1, 1),
    ChangeTerms("board", 3),
    Appoint("board", "visitor"),
    SetTerms(3),
)


@pytest.mark.parametrize("command", GRANTS, ids=lambda command: type(command).__name__)
def test_grants_are_for_those_who_were_administrators_then_and_are_now(
    stage: Stage, command: BoardCommand
) -> None:
    """Whoever was one once cannot go back to that day, and nobody grants before they may."""
    for who, since in (("member", MET), ("owner", SET_UP)):
        stage.add("person", who, AdministratorAppointed(), since)
    stage.add("person", "owner", AdministratorStoodDown(), MET + DAY)
    assert command.decide(stage.scene(MET, "member"))
    for who, day in (("member", MET - DAY), ("owner", MET), ("visitor", MET), ("nobody", MET)):
        with pytest.raises(NotAuthorised) as refused:
            command.decide(stage.scene(day, who))
        assert refused.value.rule == "not-administrator"
