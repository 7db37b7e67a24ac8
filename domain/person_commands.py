"""What can be asked about people: who they are, what signs for them, who administers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.administration import Recorded, administrators_only
from domain.commands import no_change
from domain.errors import Refusal
from domain.person import (
    AdministratorAppointed,
    AdministratorStoodDown,
    KeyReplaced,
    KeyWithdrawn,
    PersonEnrolled,
    RoleChanged,
)
from domain.plan import check_code
from domain.scene import Scene
from domain.text import one_line


@dataclass(frozen=True)
class Enrol:
    """Enrol a person under a code, with the public key that signs for them."""

    person: str
    name: str
    role: str
    key: str

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises NotAuthorised: not-administrator; BadInput: bad-reference; Refusal: key-taken,
        already-there."""
        administrators_only(scene, "enrol a person")
        code = check_code(self.person, "the code of a person")
        for known in scene.keys("person"):
            if known.casefold() == code.casefold() and known != code:
                raise Refusal(
                    "already-there",
                    f"{code} differs from {known} only in its capitals.",
                    "Take another code.",
                )
        _free(scene, self.key, code)
        event = PersonEnrolled(
            person=code,
            name=one_line(self.name, "A name"),
            role=one_line(self.role, "A role"),
            key=self.key,
        )
        return [("person", code, event)]


def _free(scene: Scene, key: str, code: str) -> None:
    """One key signs for one person, at whatever time, or nobody could say who signed."""
    for other in scene.keys("person"):
        held = scene.on(date.max).events("person", other)
        if other != code and any(getattr(event, "key", None) == key for event in held):
            raise Refusal(
                "key-taken",
                f"That key signs, or signed, for {other}.",
                "Each person signs with a key of their own.",
            )


@dataclass(frozen=True)
class ChangeRole:
    """Give a person another role."""

    person: str
    role: str

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises NotAuthorised: not-administrator, unknown-person."""
        administrators_only(scene, "change a person's role")
        event = RoleChanged(role=one_line(self.role, "A role"))
        return [("person", scene.person(self.person).person, event)]


@dataclass(frozen=True)
class ReplaceKey:
    """Replace a person's key, or withdraw it (`key` is None)."""

    person: str
    key: str | None

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises NotAuthorised: not-administrator, unknown-person; Refusal: key-taken,
        no-change."""
        administrators_only(scene, "change a person's key")
        person = scene.person(self.person)
        if self.key is None:
            return [("person", person.person, KeyWithdrawn())]
        if self.key == person.key:
            raise no_change(f"That is the key of {person} already.")
        _free(scene, self.key, person.person)
        return [("person", person.person, KeyReplaced(key=self.key))]


@dataclass(frozen=True)
class Administrate:
    """Make a person an administrator, or end that."""

    person: str
    appoint: bool = True

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises NotAuthorised: not-administrator, unknown-person; Refusal: last-administrator."""
        administrators_only(scene, "appoint an administrator")
        person = scene.person(self.person)
        if self.appoint:
            return [("person", person.person, AdministratorAppointed())]
        if not scene.is_administrator(person.person):
            raise no_change(f"{person} is no administrator on {scene.day}.")
        others = (p.person for p in scene.people() if p.person != person.person)
        if not any(map(scene.is_administrator, others)):
            raise Refusal(
                "last-administrator",
                f"{person} is the only administrator who is enrolled.",
                "Appoint another one first: govledger person administrator CODE",
            )
        return [("person", person.person, AdministratorStoodDown())]
