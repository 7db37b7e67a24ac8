"""Where else the words of a text stand: to withhold one text and leave its copies is no use."""

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from domain.withholding import Place
from ledger.tables import entries, texts


@dataclass(frozen=True)
class Copied:
    """Another text that holds the words of the one that is withheld.

    Attributes:
        whole: it is that text and nothing more.
    """

    position: int
    field: str
    whole: bool


def flat(text: str) -> str:
    """A text as compared: capitals, spaces and line breaks make no difference."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def stands_in(words: str, text: str) -> bool:
    """Whether the words stand in a text, both as `flat` gives them, not within a longer word."""
    start = text.find(words)
    while start >= 0:
        end = start + len(words)
        before = text[start - 1 : start].isalnum() and words[:1].isalnum()
        after = text[end : end + 1].isalnum() and words[-1:].isalnum()
        if not before and not after:
            return True
        start = text.find(words, start + 1)
    return False


def copies_of(connection: Connection, place: Place, text: str) -> Iterator[Copied]:
    """Every other text that holds the same words."""
    words = flat(text)
    columns = select(texts.c.position, texts.c.field, texts.c.text)
    for position, name, other in connection.execute(
        columns.order_by(texts.c.position, texts.c.field)
    ):
        if (position, name) != place:
            said = flat(other)
            if stands_in(words, said):
                yield Copied(position, name, said == words)


def in_clear(connection: Connection, text: str) -> Iterator[int]:
    """The entries that hold the words outside their texts: in a body's name, a source, a minute."""
    words = flat(text)
    columns = select(
        entries.c.position, entries.c.decided_by, entries.c.source, entries.c.payload
    ).order_by(entries.c.position)
    for position, decided_by, source, payload in connection.execute(columns):
        said = [source or ""]
        for written in (decided_by, payload):
            try:
                said += _strings(json.loads(written)) if written else []
            except (TypeError, ValueError):
                continue
        if any(stands_in(words, flat(one)) for one in said):
            yield position


def _strings(value: Any) -> list[str]:
    """Every string within a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [said for one in inner for said in _strings(one)]
