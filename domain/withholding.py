"""Texts that are withheld by law, or exempt from what is made public.

A text that is withheld is deleted for good; its entry, and every hash, stay. A text that is exempt
is kept, and left out of a public export. Both are said by an entry on the stream `ledger`, with the
basis in the clear and the decision that it rests on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from domain.errors import BadInput
from domain.event import EntryVoided, Event, LedgerOpened
from domain.scale import Scale
from domain.text import one_line

Place = tuple[int, str]
"""(position of the entry, name of its field): where a text belongs."""

# --- events -----------------------------------------------------------------------------


class TextWithheld(Event):
    """A text of an earlier entry was deleted, and with it its salt.

    Fields: position (of that entry), field (the name of the text in it), basis (the law, or the
    rule, in the clear; never a person).
    """

    tag = "ledger.text_withheld/1"
    position: int
    field: str
    basis: str


class TextExempted(Event):
    """A text of an earlier entry is kept, and left out of what is made public.

    Fields: as for one that is withheld.
    """

    tag = "ledger.text_exempted/1"
    position: int
    field: str
    basis: str


class ExemptionLifted(Event):
    """A text that was exempt may be made public again."""

    tag = "ledger.exemption_lifted/1"
    position: int
    field: str


WITHHOLDING = (TextWithheld, TextExempted, ExemptionLifted)
"""The events that say what becomes of a text; they assert nothing about a plan."""

# --- state ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Texts:
    """What was said of the texts of a ledger, as at one date.

    Attributes:
        withheld, exempt: the basis of each, by (position, field).
    """

    withheld: Mapping[Place, str] = field(default_factory=dict)
    exempt: Mapping[Place, str] = field(default_factory=dict)


def evolve(state: Texts | None, event: Event) -> Texts | None:
    """The state after the event. Total over the events of this stream.

    Raises:
        TypeError: the event is of another stream.
    """
    if isinstance(event, EntryVoided):
        return state
    known = state or Texts()
    match event:
        case LedgerOpened():
            return known
        case TextWithheld(position=position, field=name, basis=basis):
            left = {place: why for place, why in known.exempt.items() if place != (position, name)}
            return Texts({**known.withheld, (position, name): basis}, left)
        case TextExempted(position=position, field=name, basis=basis):
            return replace(known, exempt={**known.exempt, (position, name): basis})
        case ExemptionLifted(position=position, field=name):
            left = {place: why for place, why in known.exempt.items() if place != (position, name)}
            return replace(known, exempt=left)
    raise TypeError(f"{event.tag} is not an event of a ledger")


def objection(state: Texts | None, event: Event, _scale: Scale) -> tuple[str, str] | None:
    """Why the event makes no sense in this state; see `domain.action.objection`."""
    if not isinstance(event, WITHHOLDING):
        return None
    known, place = state or Texts(), (event.position, event.field)
    if place in known.withheld:
        return "already-withheld", "that text is withheld already"
    if isinstance(event, TextExempted) and place in known.exempt:
        return "already-exempt", "that text is exempt already"
    if isinstance(event, ExemptionLifted) and place not in known.exempt:
        return "not-exempt", "that text is not exempt"
    return None


def check_basis(basis: str) -> str:
    """The basis as it may be recorded: one line of plain text, without square brackets.

    Raises:
        BadInput: empty-text, text-too-long, control-character, reserved-words, bad-basis.
    """
    said = one_line(basis, "A basis")
    if "[" in said or "]" in said:
        raise BadInput(
            "bad-basis",
            "A basis cannot hold square brackets: it is shown in them.",
            "Name the law or the rule, such as 'Data Protection Act 2018'.",
        )
    return said
