"""Canonical bytes: RFC 8785, or refused."""

import hashlib
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import Failed
from ledger.canonical import LARGEST, SALT_BYTES, canonical, commitment, new_salt

# What entries are made of. A lone surrogate is no text: it cannot be written as UTF-8.
texts = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(max_codepoint=127))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=20,
)


@given(values)
@example({"b": 1, "a": [None, True, '\u2028\x7f\x00\x1f/\\"é€😀'], "A": {"": -0}})
@example({"aa": 1, "a": 2, "a\x00": 3, "Z": 4, "~": 5})
@example([LARGEST, -LARGEST])
def test_same_bytes_as_rfc8785(value: Any) -> None:
    """Whatever an entry can hold is written byte for byte as the `rfc8785` package writes it."""
    assert canonical(value) == rfc8785.dumps(value)


@given(st.dictionaries(keys, values, max_size=6))
def test_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    """Two objects that say the same have the same bytes, in whatever order they were made."""
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        float("inf"),
        LARGEST + 1,
        -LARGEST - 1,
        b"bytes",
        (1, 2),
        {"é": 1},
        {1: 1},
        {"a": [{"b": 0.5}]},
        "\ud800",
        {"a": "\udfff"},
    ],
    ids=repr,
)
def test_what_has_no_one_form_is_refused(value: Any) -> None:
    """A float, a huge integer, a key that is not ASCII, half a character: refused by name."""
    with pytest.raises(Failed) as refused:
        canonical(value)
    assert refused.value.rule == "not-canonical"


def test_commitment_is_the_one_of_the_design() -> None:
    """A commitment is SHA-256 over the salt and then the text in UTF-8."""
    salt = bytes(range(16))
    expected = hashlib.sha256(salt + "Zoë".encode()).hexdigest()
    assert commitment(salt, "Zoë") == expected


def test_salts_are_long_and_never_the_same() -> None:
    """A thousand salts of 128 bits are a thousand different ones."""
    salts = {new_salt() for _ in range(1000)}
    assert len(salts) == 1000
    assert {len(salt) for salt in salts} == {SALT_BYTES}
    assert SALT_BYTES == 16
