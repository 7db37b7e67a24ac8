"""Text that may later have to be withheld.

Free text and people's names are marked `Text`. The store keeps such a text beside the
entry, under a salted commitment, and never in the hashed payload: so the text can be
withheld by law while every hash still verifies.

What people type is checked here too, before it can become part of an entry that stays.
"""

import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import BaseModel

from domain.errors import BadInput

WITHOUT_TEXT = "[text not held]"
"""Stands in place of a text that the vault no longer has; it is equal to nothing."""
WITHHELD = "[withheld:"
"""Begins what stands in place of a text that an entry withholds: `[withheld: BASIS]`."""
LONGEST_LINE = 200
"""Characters in a name or a reference: of a person, a body, a minute, a paper."""
LONGEST_TEXT = 100_000
"""Characters in a free text; what is longer is a document, and belongs in one."""


@dataclass(frozen=True)
class InVault:
    """Marks a field whose value stands in the text vault, not in the payload."""


Text = Annotated[str, InVault()]
"""A string kept in the text vault."""


def withheld_as(basis: str) -> str:
    """What is read in place of a text that was withheld on this basis."""
    return f"{WITHHELD} {basis}]"


def is_held(*said: object) -> bool:
    """Whether all of it can still be read: no part is a text that is gone or withheld.

    What is not held is neither equal to anything nor different from it, so whoever compares texts
    asks this first. A longer text, such as what was shown to members, may hold a part that is not.
    """
    return not any(mark in f"{text}" for text in said for mark in (WITHOUT_TEXT, WITHHELD))


def _is_text(annotation: Any, metadata: list[Any]) -> bool:
    return any(isinstance(mark, InVault) for mark in metadata) or any(
        _is_text(part, list(getattr(part, "__metadata__", ()))) for part in get_args(annotation)
    )


def vault_paths(model: type[BaseModel]) -> dict[str, tuple[str, ...]]:
    """For each field of `model` that holds a text: where in the dumped field it stands.

    `()` says that the field itself is the text, `("written",)` that it is the `written` of a
    nested model. A field holds one text at most; that is what lets the vault be keyed by field.

    Raises:
        TypeError: a field holds more than one text.
    """
    paths: dict[str, tuple[str, ...]] = {}
    for name, field in model.model_fields.items():
        found: list[tuple[str, ...]] = []
        if _is_text(field.annotation, field.metadata):
            found.append(())
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                found.extend((inner, *path) for inner, path in vault_paths(part).items())
        if len(found) > 1:
            raise TypeError(f"{model.__name__}.{name} holds more than one text")
        if found:
            paths[name] = found[0]
    return paths


def free_text(written: str, what: str) -> str:
    """A text as it may be recorded: stripped, and every character of it printable.

    Args:
        written: as typed; it may have several lines.
        what: it is, to begin a message: 'A reason'.

    Raises:
        BadInput: empty-text, text-too-long, control-character, reserved-words.
    """
    return _checked(written, what, LONGEST_TEXT, allowed="\n\r\t")


def one_line(written: str, what: str) -> str:
    """A name or a reference as it may be recorded: one line of at most 200 characters.

    Raises:
        BadInput: empty-text, text-too-long, control-character, reserved-words.
    """
    return _checked(written, what, LONGEST_LINE)


def _checked(written: str, what: str, longest: int, allowed: str = "") -> str:
    text = written.strip()
    if not text:
        raise BadInput("empty-text", f"{what} cannot be empty.", "Say it in words.")
    if len(text) > longest:
        raise BadInput(
            "text-too-long",
            f"{what} has {len(text):,} characters; it can have {longest:,} at most.",
            "Shorten it, and refer to a document for the rest.",
        )
    if not is_held(text):
        # Else a text could pass for one that the law took away.
        raise BadInput(
            "reserved-words",
            f"{what} cannot hold '{WITHOUT_TEXT}' or '{WITHHELD}': these words stand where a text "
            "is not held any more.",
            "Say it in other words.",
        )
    odd = odd_character(text, allowed)
    if odd is not None:
        form = "printable text" if allowed else "one line of printable text"
        raise BadInput(
            "control-character", f"{what} holds {odd}; it has to be {form}.", "Take that out."
        )
    return text


def odd_character(text: str, allowed: str = "") -> str | None:
    """The first character that cannot be printed, as 'U+001B'; None where there is none."""
    for character in text:
        kind = unicodedata.category(character)
        if kind in ("Cc", "Cs", "Zl", "Zp") and character not in allowed:
            return "a line break" if character in "\n\r" else f"U+{ord(character):04X}"
    return None
