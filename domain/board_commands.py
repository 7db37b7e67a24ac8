"""What can be asked about people, bodies and meetings: who may decide, and where.

Each command decides on a scene and returns what is to be recorded. Administrators give every
grant; a meeting may be recorded by the chair or the secretary of its body too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast, get_args

from domain.administration import Recorded, administrators_only
from domain.authority import seated
from domain.body import (
    NO_END,
    POWERS,
    RECORDING,
    BodyEstablished,
    Capacity,
    InterestDeclared,
    MeetingRecorded,
    MemberAppointed,
    MemberStoodDown,
    Power,
    TermsChanged,
)
from domain.commands import no_change
from domain.errors import BadInput, NotAuthorised, Refusal
from domain.evidence import INNER_KINDS
from domain.plan import TermsSet, check_code
from domain.scene import Scene
from domain.text import one_line


@dataclass(frozen=True)
class Establish:
    """Establish a body with its place on the ladder (0: outside it), quorum and powers."""

    code: str
    name: str
    rung: int
    quorum: int
    powers: tuple[str, ...] = ()

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises NotAuthorised: not-administrator; Refusal: already-there, outside-decides;
        BadInput: bad-reference, unknown-power, out-of-range."""
        administrators_only(scene, "establish a body")
        _in_range(self.quorum, "A quorum", 1)
        _in_range(self.rung, "A rung of the ladder", 0)
        code = check_code(self.code, "the code of a body")
        name = one_line(self.name, "The name of a body")
        for known in scene.keys("body"):
            if known.casefold() == code.casefold() and known != code:
                raise Refusal(
                    "already-there",
                    f"{code} differs from {known} only in its capitals.",
                    "Give the new body another code.",
                )
        for body in scene.bodies():
            if body.name.casefold() == name.casefold() or body.code.casefold() == code.casefold():
                raise Refusal(
                    "already-there",
                    f"{body} is established already.",
                    "Give it other terms with: govledger body terms; or take another code.",
                )
        powers = read_powers(self.powers)
        if self.rung == 0 and powers:
            raise Refusal(
                "outside-decides",
                f"{name} stands outside the ladder, so it decides nothing in the plan.",
                "Give it a rung (--rung N) or no powers.",
            )
        event = BodyEstablished(
            code=code, name=name, rung=self.rung, quorum=self.quorum, powers=powers
        )
        return [("body", code, event)]


def _in_range(number: int | None, what: str, least: int) -> None:
    """Refuse a number that makes no sense: with a quorum of none, nobody would have to approve.

    Raises:
        BadInput: out-of-range.
    """
    if number is not None and not least <= number <= 100:
        raise BadInput(
            "out-of-range",
            f"{what} is a number from {least} to 100, not {number}.",
            f"Give a number from {least} to 100.",
        )


def read_powers(words: Sequence[str]) -> tuple[Power, ...]:
    """The powers that are named, each once, in the order of the list of all.

    Raises:
        BadInput: unknown-power.
    """
    for word in words:
        if word not in POWERS:
            raise BadInput(
                "unknown-power", f"'{word}' is no power.", f"Powers: {', '.join(POWERS)}."
            )
    return tuple(power for power in get_args(Power) if power in words)


@dataclass(frozen=True)
class ChangeTerms:
    """Give a body another quorum or other powers; None leaves what there is."""

    body: str
    quorum: int | None = None
    powers: tuple[str, ...] | None = None

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises NotAuthorised: not-administrator; Refusal: unknown-body, no-change;
        BadInput: unknown-power, out-of-range."""
        administrators_only(scene, "change the terms of a body")
        _in_range(self.quorum, "A quorum", 1)
        body = scene.body(self.body)
        powers = None if self.powers is None else read_powers(self.powers)
        quorum = None if self.quorum == body.quorum else self.quorum
        powers = None if powers == body.powers else powers
        if quorum is None and powers is None:
            raise no_change(f"Those are the terms of {body} already.")
        if body.outside and powers:
            raise Refusal(
                "outside-decides",
                f"{body} stands outside the ladder, so it decides nothing in the plan.",
                "Give it no powers.",
            )
        return [("body", body.code, TermsChanged(quorum=quorum, powers=powers))]


@dataclass(frozen=True)
class Appoint:
    """Appoint a person to a body, up to a last day."""

    body: str
    person: str
    capacity: str = "member"
    until: date = NO_END

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises NotAuthorised: not-administrator, unknown-person; Refusal: unknown-body,
        no-change, ends-before-it-begins; BadInput: no-such-capacity."""
        administrators_only(scene, "appoint a member")
        if self.capacity not in get_args(Capacity):
            raise BadInput(
                "no-such-capacity",
                f"'{self.capacity}' is no seat on a body.",
                f"Seats: {', '.join(get_args(Capacity))}.",
            )
        body, person = scene.body(self.body), scene.person(self.person)
        if self.until < scene.day:
            raise Refusal(
                "ends-before-it-begins",
                f"A membership from {scene.day} cannot end on {self.until}.",
                "Give a later --until.",
            )
        kept = body.members.get(person.person)
        if kept and (kept.capacity, kept.until) == (self.capacity, self.until):
            raise no_change(f"{person} is {self.capacity} of {body} already.")
        event = MemberAppointed(
            person=person.person, capacity=cast(Capacity, self.capacity), until=self.until
        )
        return [("body", body.code, event)]


@dataclass(frozen=True)
class StandDown:
    """End a membership."""

    body: str
    person: str

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises NotAuthorised: not-administrator, unknown-person; Refusal: unknown-body."""
        administrators_only(scene, "stand a member down")
        body, person = scene.body(self.body), scene.person(self.person)
        return [("body", body.code, MemberStoodDown(person=person.person))]


@dataclass(frozen=True)
class RecordMeeting:
    """Record a meeting of a body: who was there, apologies, where its minutes are."""

    body: str
    meeting: date
    present: tuple[str, ...]
    apologies: tuple[str, ...] = ()
    minutes: str | None = None

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises NotAuthorised: unknown-person, not-chair-or-secretary; Refusal: unknown-body,
        present-and-absent."""
        body = scene.body(self.body)
        records_for(scene, body.code, "record a meeting")
        present = tuple(dict.fromkeys(scene.person(word).person for word in self.present))
        apologies = tuple(dict.fromkeys(scene.person(word).person for word in self.apologies))
        both = set(present) & set(apologies)
        if both:
            raise Refusal(
                "present-and-absent",
                f"{', '.join(sorted(both))} cannot be present and send apologies.",
                "Name each person once.",
            )
        minutes = None if self.minutes is None else one_line(self.minutes, "A minute reference")
        event = MeetingRecorded(
            meeting=self.meeting, present=present, apologies=apologies, minutes=minutes
        )
        return [("body", body.code, event)]


def records_for(scene: Scene, body: str, what: str) -> None:
    """Refuse whoever keeps no record of the body: its chair, its secretary, an administrator.

    Raises:
        NotAuthorised: not-a-member, not-chair-or-secretary, unknown-person.
    """
    if not scene.is_administrator(scene.who):
        try:
            seated(scene, scene.body(body), scene.who, RECORDING)
        except NotAuthorised as error:
            raise NotAuthorised(
                error.rule,
                f"To {what} is for the chair, the secretary or an administrator. {error.message}",
                error.hint,
            ) from None


@dataclass(frozen=True)
class DeclareInterest:
    """Declare a member's interest in an item, the reference of an action, at a meeting."""

    body: str
    meeting: date
    person: str
    item: str

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises NotAuthorised: unknown-person; Refusal: unknown-body, unknown-reference."""
        body, person = scene.body(self.body), scene.person(self.person)
        if scene.known_person(scene.who) != person:  # everybody declares for themselves
            records_for(scene, body.code, "declare an interest for somebody else")
        event = InterestDeclared(
            meeting=self.meeting, person=person.person, item=scene.action(self.item).ref
        )
        return [("body", body.code, event)]


@dataclass(frozen=True)
class SetTerms:
    """Set the plan's terms for decisions; None leaves what there is."""

    impact_kinds: int | None = None
    most_revisions: int | None = None

    def decide(self, scene: Scene) -> Sequence[Recorded]:
        """Raises NotAuthorised: not-administrator; Refusal: no-change, too-few-sources;
        BadInput: out-of-range."""
        administrators_only(scene, "set the terms of the plan")
        _in_range(self.most_revisions, "The most revisions of a timescale", 0)
        if self.impact_kinds is not None and not 2 <= self.impact_kinds <= len(INNER_KINDS):
            raise Refusal(
                "too-few-sources",
                f"Impact cannot rest on {self.impact_kinds} of the {len(INNER_KINDS)} sources.",
                f"Give 2, 3 or {len(INNER_KINDS)}: several sources together are the point.",
            )
        plan = scene.plan
        kinds = None if self.impact_kinds == plan.impact_kinds else self.impact_kinds
        most = None if self.most_revisions == plan.most_revisions else self.most_revisions
        if kinds is None and most is None:
            raise no_change("Those are the terms of the plan already.")
        return [("plan", "", TermsSet(impact_kinds=kinds, most_revisions=most))]
