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
        part: the fields that name the part of the stream which the event is about; none for
            all of it.
        whole: attributes that belong to the whole subject, although the event is about a part.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
    tag: ClassVar[str]
    part: ClassVar[tuple[str, ...]] = ()
    whole: ClassVar[tuple[str, ...]] = ()
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
        values = [getattr(self, name) for name in self.part]
        if None in values:
            return ""
        pairs = zip(self.part, values, strict=True)
        return "/".join(f"{name}/{value}" for name, value in pairs)

    def asserted(self) -> dict[str, Any]:
        """The attributes that the event gives a value, for states whose fields are named alike."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in values.items() if value is not None}


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
        cause_before: how many entries before this one stands what took away its support; None for
            a void that somebody gave.
    """

    tag = "entry.voided/1"
    voids: int
    cause_before: int | None = None
