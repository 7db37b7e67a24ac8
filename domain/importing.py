"""Taking a plan over from a document: what a snapshot says, against what the ledger holds.

A snapshot never overwrites. Each difference becomes the entry that a person would have recorded:
a rating changed, a timescale revised, an action added. What a snapshot leaves out says nothing:
an empty cell, a column that is not there. An action that has gone missing is reported and left
as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from domain.action import (
    Action,
    ActionAdded,
    ActionClosed,
    ActionRated,
    ActionResumed,
    ActionReworded,
    MilestoneSet,
    OwnersChanged,
    PlacedUnderReview,
    TimescaleRevised,
)
from domain.errors import BadInput, GovledgerError
from domain.event import Event
from domain.plan import Plan, SectionAdded, check_code
from domain.scale import CLOSED, NOT_RATED, STANDING_ALSO, UNDER_REVIEW, folded
from domain.text import free_text, is_held
from domain.timescale import Timescale


@dataclass(frozen=True)
class PlannedMilestone:
    """A milestone as a snapshot gives it; None where it says nothing."""

    number: int
    line: int
    timescale: str | None = None
    rating: str | None = None


@dataclass(frozen=True)
class PlannedAction:
    """An action as a snapshot gives it; None where it says nothing.

    Attributes:
        line: of the file, for messages.
        owners: roles, `; ` between.
        numbered: the one row of this action carries that milestone number; it is the milestone
            where the action has one of that number, and the action itself where it has none.
    """

    ref: str
    line: int
    chapter: str | None = None
    section: str | None = None
    title: str | None = None
    owners: str | None = None
    timescale: str | None = None
    rating: str | None = None
    milestones: tuple[PlannedMilestone, ...] = ()
    numbered: int | None = None


@dataclass
class Findings:
    """What a snapshot amounts to.

    Attributes:
        sections: events of the plan itself, first.
        changes: (reference, event) in the order of the snapshot.
        missing: references of open actions that the snapshot leaves out.
        remarks: differences that are not recorded, in words.
    """

    sections: list[SectionAdded] = field(default_factory=list)
    changes: list[tuple[str, Event]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def compare(
    plan: Plan, actions: Mapping[str, Action], snapshot: list[PlannedAction], *, whole: bool
) -> Findings:
    """What the snapshot changes.

    Args:
        plan: as at the snapshot's date.
        actions: as at the snapshot's date, by reference.
        whole: the snapshot holds the whole plan, so what it leaves out has gone missing.

    Raises:
        BadInput: a new action lacks a title or section; a rating is not on the scale; a closed
            action is given something else. Every message names the line.
    """
    found = Findings()
    sections = _Sections(plan, found)
    spelled = {ref.casefold(): ref for ref in actions}
    for row in snapshot:
        known = spelled.setdefault(row.ref.casefold(), row.ref)
        if known != row.ref and row.ref not in actions:
            raise BadInput(
                "duplicate-reference",
                f"Line {row.line}: {row.ref} differs from {known} only in its capitals.",
                f"Write it {known}, or give a new action another reference.",
            )
        try:
            _check_texts(row)
            row = _as_milestone(row, actions.get(row.ref))
            if row.ref in actions:
                _changed(plan, actions[row.ref], row, sections, found)
            else:
                _added(plan, row, sections, found)
        except GovledgerError as error:
            where = f"Line {row.line}"
            if error.message.startswith(where):
                raise
            message = f"{where} ({row.ref}): {error.message}"
            raise BadInput(error.rule, message, error.hint) from error
    if whole:
        given = {row.ref for row in snapshot}
        found.missing = [
            ref for ref, action in actions.items() if ref not in given and action.standing != CLOSED
        ]
    return found


def _as_milestone(row: PlannedAction, now: Action | None) -> PlannedAction:
    if row.numbered is None or now is None or row.numbered not in now.milestones:
        return row
    milestone = PlannedMilestone(row.numbered, row.line, row.timescale, row.rating)
    return replace(row, timescale=None, rating=None, milestones=(milestone,))


def _check_texts(row: PlannedAction) -> None:
    for name in ("chapter", "section", "title", "owners", "timescale"):
        written = getattr(row, name)
        if written is not None:
            free_text(written, f"The {name}")
    for planned in row.milestones:
        if planned.timescale is not None:
            free_text(planned.timescale, f"The timescale of milestone {planned.number}")


def _added(plan: Plan, row: PlannedAction, sections: "_Sections", found: Findings) -> None:
    check_code(row.ref, "the reference of an action")
    if not row.title or not row.section:
        lacks = "title" if not row.title else "section"
        raise BadInput(
            "incomplete-row",
            f"Line {row.line}: {row.ref} is new to the plan and has no {lacks}.",
            f"Give the {lacks} of every new action.",
        )
    event = ActionAdded(
        ref=row.ref,
        title=row.title,
        section=sections.key(row),
        owners=row.owners,
        timescale=Timescale.parse(row.timescale) if row.timescale else None,
    )
    found.changes.append((row.ref, event))
    _milestones(plan, {}, row, found)
    fresh = Action(row.ref, row.title, event.section)
    _rated(plan, fresh, row, found)


def _changed(
    plan: Plan, now: Action, row: PlannedAction, sections: "_Sections", found: Findings
) -> None:
    before = len(found.changes)

    def add(event: Event) -> None:
        found.changes.append((row.ref, event))

    def comparable(what: str, given: str | None, kept: str | None) -> bool:
        """Whether a text is given that can be compared; one that was withheld is not put back."""
        if given and not is_held(kept):
            found.remarks.append(
                f"Line {row.line}: the {what} of {row.ref} is not held in the ledger any more, "
                "and is not taken from the file; if it is to be recorded anew, amend it."
            )
        return bool(given) and is_held(kept)

    if comparable("wording", row.title, now.title) and _flat(row.title or "") != _flat(now.title):
        add(ActionReworded(title=row.title or ""))
    if comparable("owner", row.owners, now.owners) and _roles(row.owners or "") != _roles(
        now.owners or ""
    ):
        add(OwnersChanged(owners=row.owners or ""))
    kept = now.timescale.written if now.timescale else None
    if row.timescale and comparable("timescale", row.timescale, kept):
        revised = Timescale.parse(row.timescale)
        if now.timescale is None or not revised.same_as(now.timescale):
            add(TimescaleRevised(timescale=revised))
    if row.section and sections.differs(row, now.section):
        found.remarks.append(
            f"Line {row.line}: {row.ref} stands in another section "
            f"({row.section}) than in the ledger; moving an action is not recorded."
        )
    if now.standing == UNDER_REVIEW:
        # It has to be taken up again before anything of it can be rated.
        _rated(plan, now, row, found)
    _milestones(plan, now.milestones, row, found)
    if now.standing == CLOSED and (
        len(found.changes) > before or not _says(row.rating, (CLOSED, None))
    ):
        raise BadInput(
            "action-closed",
            f"Line {row.line}: {row.ref} is closed in the ledger, and the file changes it.",
            f"Void the closing if it was wrong (govledger why {row.ref} rating), or correct "
            "the file.",
        )
    if now.standing != UNDER_REVIEW:
        _rated(plan, now, row, found)


def _says(label: str | None, standings: tuple[str | None, ...]) -> bool:
    return (STANDING_ALSO.get(folded(label)) if label else None) in standings


def _rated(plan: Plan, now: Action, row: PlannedAction, found: Findings) -> None:
    if not row.rating or folded(row.rating) == folded(NOT_RATED):
        return
    standing = STANDING_ALSO.get(folded(row.rating))
    event: Event | None = None
    if standing == CLOSED:
        if now.standing != CLOSED:
            event = ActionClosed()
    elif standing == UNDER_REVIEW:
        event = PlacedUnderReview() if now.standing != UNDER_REVIEW else None
    else:
        step = plan.scale.find(row.rating, of="actions")
        if now.standing == CLOSED:
            raise BadInput(
                "action-closed",
                f"Line {row.line}: {row.ref} is closed in the ledger; the file rates it "
                f"{row.rating}.",
                f"Void the closing if it was wrong (govledger why {row.ref} rating), or "
                "correct the file.",
            )
        if now.standing == UNDER_REVIEW:
            event = ActionResumed(rating=step.key)
        elif now.rating != step.key:
            event = ActionRated(rating=step.key)
    if event is not None:
        found.changes.append((row.ref, event))


def _milestones(plan: Plan, now: Mapping[int, object], row: PlannedAction, found: Findings) -> None:
    for planned in row.milestones:
        timescale = Timescale.parse(planned.timescale) if planned.timescale else None
        there = now.get(planned.number)
        if there is None:
            event: Event = MilestoneSet(milestone=planned.number, timescale=timescale)
            found.changes.append((row.ref, event))
        elif timescale is not None:
            present = getattr(there, "timescale", None)
            if present is not None and not is_held(present.written):
                found.remarks.append(
                    f"Line {planned.line}: the timescale of milestone {planned.number} of "
                    f"{row.ref} is not held in the ledger any more, and is not taken from the file."
                )
            elif present is None or not timescale.same_as(present):
                event = TimescaleRevised(milestone=planned.number, timescale=timescale)
                found.changes.append((row.ref, event))
        if _says(planned.rating, (CLOSED, UNDER_REVIEW)):
            if _says(row.rating, (CLOSED, UNDER_REVIEW)):
                continue
            found.remarks.append(
                f"Line {planned.line}: milestone {planned.number} of {row.ref} is "
                f"'{planned.rating}' in the file; only a whole action can be, so that is not "
                "recorded."
            )
        elif planned.rating and folded(planned.rating) != folded(NOT_RATED):
            step = plan.scale.find(planned.rating, of="actions")
            if getattr(there, "rating", None) != step.key:
                event = ActionRated(milestone=planned.number, rating=step.key)
                found.changes.append((row.ref, event))


def _flat(text: str) -> str:
    return " ".join(text.split())


def _roles(owners: str) -> list[str]:
    return [_flat(role) for role in owners.split(";") if role.strip()]


class _Sections:
    """The sections of the plan, to which a snapshot may add."""

    def __init__(self, plan: Plan, found: Findings) -> None:
        self._found = found
        self._keys = {(s.parent, folded(s.name)): s.key for s in plan.sections.values()}

    def key(self, row: PlannedAction) -> str:
        """The key of the row's section, which is added where the plan lacks it."""
        parent = self._one(None, row.chapter) if row.chapter else None
        return self._one(parent, row.section or "")

    def differs(self, row: PlannedAction, key: str) -> bool:
        """Whether the row names another section than the one with this key."""
        named = {
            k for (_parent, name), k in self._keys.items() if name == folded(row.section or "")
        }
        return key not in named

    def _one(self, parent: str | None, name: str) -> str:
        place = (parent, folded(name))
        if place not in self._keys:
            if any(other == parent and not is_held(said) for other, said in self._keys):
                raise BadInput(
                    "cannot-be-read",
                    f"No section is called '{name}', and the name of one beside it is not held "
                    "any more, so nobody can tell whether it is that one.",
                    "Leave the section out of the file for actions that are in the plan already.",
                )
            beside = sum(1 for other, _name in self._keys if other == parent)
            key = f"{parent}.{beside + 1}" if parent else str(beside + 1)
            self._keys[place] = key
            self._found.sections.append(SectionAdded(section=key, name=name, parent=parent))
        return self._keys[place]
