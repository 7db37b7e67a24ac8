"""Canonical bytes: JSON as RFC 8785 (JSON Canonicalization Scheme) writes it.

`orjson` writes the same bytes as long as a value keeps to what entries are made of: strings,
booleans, None, lists, integers below 2^53 and objects with ASCII keys. `check` holds a value to
that; the tests hold the bytes to the `rfc8785` package.
"""

import hashlib
import re
import secrets
from typing import Any

import orjson

from domain.errors import Failed

LARGEST = 2**53 - 1
SALT_BYTES = 16
_digest = re.compile("[0-9a-f]{64}").fullmatch


def canonical(value: Any) -> bytes:
    """The canonical bytes of a value.

    Raises:
        Failed: not-canonical, where it holds a float, a huge integer or a key that is not ASCII.
    """
    check(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError) as error:
        raise Failed("not-canonical", f"A value cannot be written as JSON: {error}.") from None


def check(value: Any) -> None:
    """Refuse what `orjson` and RFC 8785 would write differently; see `canonical`."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is dict:
        for key, inner in value.items():
            if type(key) is not str or not key.isascii():
                raise Failed("not-canonical", f"The key {key!r} is not ASCII text.")
            check(inner)
    elif kind is list:
        for inner in value:
            check(inner)
    elif kind is not int or abs(value) > LARGEST:
        raise Failed("not-canonical", f"{value!r} has no canonical form in an entry.")


def read_canonical(data: bytes) -> Any:
    """The value that these canonical bytes say.

    Raises:
        ValueError: they are no JSON, or there is another way to write the same that is canonical.
    """
    try:
        value = orjson.loads(data)
        if canonical(value) == data:
            return value
    except (Failed, RecursionError) as error:
        raise ValueError(str(error)) from None
    raise ValueError("it is not written as RFC 8785 says")


def sha256_hex(data: bytes) -> str:
    """SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def new_salt() -> bytes:
    """A random salt: without it a short text could be guessed from its commitment."""
    return secrets.token_bytes(SALT_BYTES)


def commitment(salt: bytes, text: str) -> str:
    """SHA-256(salt || text in UTF-8), in hexadecimal: binds the text and does not reveal it.

    The salt has one length only, or the beginning of a text could be moved into it, where nobody
    reads it and the commitment is the same.

    Raises:
        ValueError: the salt is not 16 bytes, or the text cannot be written in UTF-8.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt is {SALT_BYTES} bytes")
    return hashlib.sha256(salt + text.encode()).hexdigest()


def is_commitment(value: Any) -> bool:
    """Whether a value has the form of a commitment: 64 lower-case hexadecimal digits."""
    return type(value) is str and _digest(value) is not None


def binds(committed: Any, salt: Any, text: Any) -> bool:
    """Whether that is the commitment to this text under this salt, whatever the values are."""
    try:
        return bool(commitment(salt, text) == committed)
    except (AttributeError, TypeError, ValueError):  # not a salt, or not a text
        return False
