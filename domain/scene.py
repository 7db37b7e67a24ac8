"""What a decision looks at: every stream of one plan as at a date, as known now.

Authority is judged as at the decision's effective date, so the same scene serves the command that
is being recorded, the entries that rest on something which was backdated or voided, and the
verification of all of them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Self

from domain.action import Action
from domain.amendment import Amendment
from domain.body import Body, Power
from domain.errors import NotAuthorised, Refusal
from domain.escalation import Escalation
from domain.event import Event
from domain.person import Person
from domain.plan import Plan
from domain.scale import folded
from domain.text import is_held


class Scene(ABC):
    """One plan as at a day.

    Attributes:
        ledger_id: identity of the ledger.
        code: of the plan.
        day: as at the end of which everything is looked at.
        opened_by: the person who began the ledger, its first administrator.
        who: the person who is recording, by name or code.
    """

    ledger_id: str
    code: str
    day: date
    opened_by: str
    who: str

    @abstractmethod
    def look(self, kind: str, key: str, day: date) -> Any:
        """The state of a stream as at a day; None where it had not begun."""

    @abstractmethod
    def look_by(self, kind: str, key: str, day: date, position: int) -> Any:
        """The same by an order of the fold: of that day only what was recorded by the position."""

    @abstractmethod
    def keys(self, kind: str) -> Sequence[str]:
        """The keys of all streams of a kind that the plan has or had, in order of beginning."""

    @abstractmethod
    def events(self, kind: str, key: str) -> Sequence[Event]:
        """The events of a stream that are effective by the day, in order of the fold."""

    @abstractmethod
    def ever(self, kind: str, key: str) -> Sequence[Event]:
        """Every event that a stream ever had, voided ones included: no number is given twice."""

    @abstractmethod
    def on(self, day: date) -> Self:
        """The same as at another day."""

    @property
    def plan(self) -> Plan:
        """The plan.

        Raises:
            Refusal: not-there-yet.
        """
        found: Plan | None = self.look("plan", "", self.day)
        if found is None:
            raise Refusal("not-there-yet", f"The plan {self.code} had not begun on {self.day}.")
        return found

    def action(self, ref: str) -> Action:
        """An action.

        Raises:
            Refusal: not-there-yet.
        """
        found: Action | None = self.look("action", ref, self.day)
        if found is None:
            raise Refusal(
                "not-there-yet",
                f"{ref} was not in the plan on {self.day}.",
                "See all references with: govledger show",
            )
        return found

    def bodies(self) -> list[Body]:
        """Every body established by then."""
        found = (self.look("body", key, self.day) for key in self.keys("body"))
        return [body for body in found if body is not None]

    def body(self, word: str) -> Body:
        """The body with that code or name, in any case.

        Raises:
            Refusal: unknown-body.
        """
        exact: Body | None = (
            self.look("body", word, self.day) if word in self.keys("body") else None
        )
        if exact is not None:
            return exact
        bodies = self.bodies()
        for body in bodies:
            if folded(word) in (folded(body.code), folded(body.name)):
                return body
        known = ", ".join(str(body) for body in bodies) or "none yet"
        raise Refusal(
            "unknown-body",
            f"The plan has no body '{word}' on {self.day}.",
            self._only_later("body", word)
            or f"Bodies: {known}. Establish one with: govledger body establish CODE --name NAME …",
        )

    def _only_later(self, kind: str, word: str) -> str:
        """What to do where it is there on a later day only; a set-up is often typed afterwards."""
        if word not in self.keys(kind) or self.look(kind, word, date.max) is None:
            return ""
        verb = {"body": "established", "person": "enrolled"}[kind]
        return (
            f"{word} is {verb} from a later day only. If that day is wrong, give the command that "
            f"{verb} it again, with --effective-on DATE --replaces N (N: govledger log)."
        )

    def empowered(self, power: Power) -> list[Body]:
        """The bodies that may take decisions of that kind."""
        return [body for body in self.bodies() if power in body.powers]

    def people(self) -> Iterator[Person]:
        """Everybody enrolled by then."""
        found = (self.look("person", key, self.day) for key in self.keys("person"))
        return (person for person in found if person is not None)

    def person(self, word: str) -> Person:
        """The person with that code or name, in any case.

        Raises:
            NotAuthorised: unknown-person.
        """
        found = self.known_person(word)
        if found is None:
            raise NotAuthorised(
                "unknown-person",
                f"'{word}' is not enrolled on the plan {self.code} on {self.day}.",
                self._only_later("person", word)
                or ("Say who you are with --as CODE. " if word == self.who else "")
                + "See who is with: govledger person list. An administrator enrols a person with: "
                "govledger person enrol CODE --name NAME --role ROLE --key FILE.pub",
            )
        return found

    def known_person(self, word: str) -> Person | None:
        """The person with that code or name, in any case; None where nobody has it.

        Raises:
            NotAuthorised: which-person, where several have that name.
        """
        exact: Person | None = (
            self.look("person", word, self.day) if word in self.keys("person") else None
        )
        if exact is not None:
            return exact
        people = list(self.people())
        same = [p for p in people if folded(word) == folded(p.person)]
        if is_held(word):  # names that are withheld are not one name
            same = same or [p for p in people if folded(word) == folded(p.name)]
        if len(same) > 1:
            raise NotAuthorised(
                "which-person",
                f"Several people are called '{word}' on {self.day}.",
                f"Say which one by code: {', '.join(p.person for p in same)}.",
            )
        return same[0] if same else None

    def is_administrator(self, who: str) -> bool:
        """Whether the person may enrol, appoint and establish."""
        person = self.known_person(who)
        if person is not None and person.administrator is not None:
            return person.administrator
        if not is_held(who, self.opened_by):
            return False
        if person is None and any(
            not is_held(other.name) and other.administrator is False for other in self.people()
        ):
            return False  # it may be this name that is withheld, of one who was stood down
        names = {folded(who)} | ({folded(person.person), folded(person.name)} if person else set())
        return folded(self.opened_by) in names

    def escalation(self, word: str) -> Escalation:
        """An escalation.

        Raises:
            Refusal: unknown-escalation.
        """
        found: Escalation | None = self.look("escalation", word.upper(), self.day)
        if found is None:
            raise Refusal(
                "unknown-escalation",
                f"The plan has no escalation '{word}' on {self.day}.",
                "See them with: govledger escalate list",
            )
        return found

    def escalations(self) -> list[Escalation]:
        """Every escalation raised by then."""
        found = (self.look("escalation", key, self.day) for key in self.keys("escalation"))
        return [escalation for escalation in found if escalation is not None]

    def amendment(self, word: str) -> Amendment:
        """A proposed amendment.

        Raises:
            Refusal: unknown-amendment, not-proposed-yet.
        """
        found: Amendment | None = self.look("amendment", word.upper(), self.day)
        if found is None and word.upper() in self.keys("amendment"):
            raise Refusal(
                "not-proposed-yet",
                f"On {self.day} {word.upper()} was not proposed yet, or its proposal was voided.",
                f"Look at it with: govledger amend show {word.upper()}. A body decides on what "
                "is before it; if it was proposed by then, the proposal needs that date "
                "(--effective-on).",
            )
        if found is None:
            raise Refusal(
                "unknown-amendment",
                f"No amendment '{word}' is proposed on {self.day}.",
                "See them with: govledger amend list",
            )
        return found
