"""Events: what an entry says happened, and the registry of their types.

An event asserts values of attributes of one subject: each field is an attribute, named as in
the state that it changes. A field that is None says nothing. The subject is the stream, or the
part of it that the class names (a milestone of an action, a section of a plan).
"""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from domain.text import Text, vault_paths

REGISTRY: dict[str, type["Event"]] = {}
"""Every event type by its tag. Tags are stable for ever; a changed payload gets a new version."""


class Event(BaseModel):
    """Base of all events. Subclasses give `tag`, such as `action.rated/1`.

    Class attributes:
        tag: type and version, as stored; never a Python path.
        part: the field that names the part of the stream which the event is about, or None.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    tag: ClassVar[str]
    part: ClassVar[str | None] = None
    vault: ClassVar[dict[str, tuple[str, ...]]]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "tag" in cls.__dict__:
            if cls.tag in REGISTRY:
                raise TypeError(f"two event types are tagged {cls.tag}")
            cls.vault = vault_paths(cls)
            REGISTRY[cls.tag] = cls

    def part_name(self) -> str:
        """The part of the stream that this is about, such as `milestone/2`; empty for all of it."""
        value = getattr(self, self.part) if self.part else None
        return "" if value is None else f"{self.part}/{value}"


class LedgerOpened(Event):
    """The first entry of every ledger: it gives the ledger its identity.

    Fields:
        ledger_id: random identifier, so that entries cannot be passed off as another ledger's.
        name: what people call it.
        format: version of the stored form that the ledger began with.
    """

    tag = "ledger.opened/1"
    ledger_id: str
    name: Text
    format: int


class EntryVoided(Event):
    """An earlier entry of the same stream was a mistake, and counts no more from now on.

    Fields:
        voids: position of the entry that is voided.
    """

    tag = "entry.voided/1"
    voids: int
