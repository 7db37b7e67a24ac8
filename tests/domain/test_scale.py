"""The keys: no label names two steps, and no label stands on both keys."""

import pytest
from pydantic import ValidationError

from domain.errors import Refusal
from domain.scale import FIVE_STEPS, IMPACT_STEPS, STANDING_ALSO, Scale, Step


def step(key: str, label: str, colour: str = "", *also: str) -> Step:
    return Step(key=key, label=label, colour=colour or key, also=also, meaning="complete")


def test_the_two_keys_share_no_label() -> None:
    """No label of the key for actions stands on the key for impact, so none can be mistaken."""
    assert FIVE_STEPS.shares_a_label_with(IMPACT_STEPS) is None
    keys = {found.key for found in FIVE_STEPS.steps} & {found.key for found in IMPACT_STEPS.steps}
    assert keys == set()


@pytest.mark.parametrize(
    ("mine", "other", "shared"),
    [
        (step("a", "Done"), step("b", "done "), "done"),
        (step("a", "Done"), step("b", "Fine", "blue", "DONE"), "done"),
        (step("a", "Done", "blue", "All  done"), step("b", "all done"), "all done"),
        (step("a", "Done", "Green"), step("b", "Fine", "Green"), None),
    ],
    ids=["label", "other label", "spacing", "colour only"],
)
def test_a_shared_label_is_found(mine: Step, other: Step, shared: str | None) -> None:
    """Case and spacing do not hide a label that both have; a colour may stand on both."""
    one, two = Scale(steps=(mine,)), Scale(steps=(other,))
    assert one.shares_a_label_with(two) == two.shares_a_label_with(one) == shared


@pytest.mark.parametrize("label", ["Amber E", " amber  e ", "AMBER_E", "Amber-E", "amberE"])
def test_any_label_in_any_case_names_its_step(label: str) -> None:
    """A step is found by its label, key, colour or other label, in any case and spacing."""
    assert FIVE_STEPS.find(label, of="actions").key == "amber_e"


def test_an_unknown_label_is_refused_with_the_scale() -> None:
    """What is on no step is refused, and the refusal shows the labels that there are."""
    with pytest.raises(Refusal) as refused:
        FIVE_STEPS.find("Greenish", of="actions")
    assert refused.value.hint.startswith("The scale is: Not started (Grey), Delayed (Red), ")


@pytest.mark.parametrize("label", [*STANDING_ALSO, "Not Rated"])
def test_the_ledgers_own_words_are_on_no_scale(label: str) -> None:
    """'Closed', 'Reviewing' and 'Not rated' are decisions or gaps, so no step can be called so."""
    with pytest.raises(ValidationError, match="kept for the ledger itself"):
        Scale(steps=(step("a", label),))
