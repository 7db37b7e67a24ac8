"""Texts as they may be recorded, and where they stand in an event."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from domain.errors import BadInput
from domain.text import LONGEST_LINE, LONGEST_TEXT, Text, free_text, one_line, vault_paths
from domain.timescale import Timescale


@given(st.text(st.characters(codec=None), max_size=60))
def test_what_is_accepted_can_be_stored_and_printed(written: str) -> None:
    """Whatever passes is UTF-8, holds no control character but the ends of lines, and stays."""
    try:
        text = free_text(written, "A note")
    except BadInput:
        return
    text.encode()
    assert text == written.strip() == free_text(text, "A note")
    assert not any(ord(c) < 32 and c not in "\n\r\t" for c in text)


@given(st.text(st.characters(codec=None), max_size=60))
def test_a_line_is_one_line(written: str) -> None:
    """Whatever passes as one line is one line wherever it is printed."""
    try:
        line = one_line(written, "A name")
    except BadInput:
        return
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize(
    ("check", "longest"), [(one_line, LONGEST_LINE), (free_text, LONGEST_TEXT)]
)
def test_the_longest_that_is_accepted(check: object, longest: int) -> None:
    """Length counts without the spaces around; one character more is refused."""
    assert callable(check)
    assert check(f" {'x' * longest} ", "A word") == "x" * longest
    with pytest.raises(BadInput, match="at most"):
        check("x" * (longest + 1), "A word")


def test_where_texts_stand() -> None:
    """A field that is a text, may be one, or is a model with one in it, is found with its path."""

    class Sample(BaseModel):
        plain: str
        text: Text
        perhaps: Text | None = None
        due: Timescale | None = None

    assert vault_paths(Sample) == {"text": (), "perhaps": (), "due": ("written",)}


def test_two_texts_in_one_field_are_refused() -> None:
    """The vault is keyed by field, so a field with two texts is an error of ours."""

    class Two(BaseModel):
        first: Text
        second: Text

    class Holder(BaseModel):
        both: Two

    with pytest.raises(TypeError, match="more than one text"):
        vault_paths(Holder)
