"""Text that may later have to be withheld.

Free text and people's names are marked `Text`. The store keeps such a text beside the
entry, under a salted commitment, and never in the hashed payload: so the text can be
withheld by law while every hash still verifies.
"""

from dataclasses import dataclass
from typing import Annotated, Any, get_args

from pydantic import BaseModel


@dataclass(frozen=True)
class InVault:
    """Marks a field whose value stands in the text vault, not in the payload."""


Text = Annotated[str, InVault()]
"""A string kept in the text vault."""


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
