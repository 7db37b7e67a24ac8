"""What a sign-off is bound to: the text that is shown, and the statement that is signed over it.

Both texts are stored and signed, so they are for ever as they are: another form of one is another
version of it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from domain.evidence import Evidence
from domain.scale import Scale
from domain.signoff import PHASES, SignOffConfirmed, SignOffVoted
from domain.text import is_held

if TYPE_CHECKING:
    from domain.action import Action


CONTENT = "govledger sign-off content 1"
"""The first line of what is shown: the form of the lines after it, and of their words."""
INDENT = "    "


def shown(action: "Action", phase: int, scale: Scale) -> str:
    """What a sign-off of this phase is bound to, as text: one line for each thing, `Name: value`.

    Wording, owners, timescale, milestones, and the evidence for this phase or an earlier one.
    Lines of a longer text after its first are indented, so that no text can pass for a line.
    """
    lines = [
        ("Action", action.ref),
        ("Wording", action.title),
        ("Owners", action.owners or "not recorded"),
        ("Timescale", action.timescale.written if action.timescale else "not recorded"),
    ]
    # In order of number: the order in which they came to be known differs with backdating.
    for number, milestone in sorted(action.milestones.items()):
        due = milestone.timescale.written if milestone.timescale else "no timescale"
        step = scale.step(milestone.rating)
        lines.append((f"Milestone {number}", f"{due}, {step.label if step else 'not rated'}"))
    for item in evidence_for(action, phase):
        lines.append((f"Evidence {item.evidence}", str(item)))
    return "".join([f"{CONTENT}\n", *(f"{name}: {_indented(value)}\n" for name, value in lines)])


def evidence_for(action: "Action", phase: int) -> list[Evidence]:
    """The evidence lodged for this phase or an earlier one."""
    return [item for _number, item in sorted(action.evidence.items()) if item.phase <= phase]


def _indented(value: str) -> str:
    return f"\n{INDENT}".join(value.splitlines())


def digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def staleness(action: "Action", phase: int, scale: Scale) -> bool | None:
    """Whether a granted sign-off was given for content that has changed since.

    None where nobody can tell any more: what can still be compared is the same, and a part of it,
    then or now, is not held. That counts as current nowhere: see `domain.signoff_commands`.
    """
    found = action.signoffs.get(phase)
    if found is None or found.status != "granted":
        return False
    now, then = shown(action, phase, scale), found.in_effect()
    if is_held(now) and found.stands_for(now):
        return False
    if not alike(then, now):
        # A confirmation that is not held any more may have been for just this.
        return True if found.confirmations_held() else None
    return False if is_held(then, now) else None


def is_stale(action: "Action", phase: int, scale: Scale) -> bool:
    """Whether a granted sign-off was given for content that has surely changed since."""
    return staleness(action, phase, scale) is True


def in_doubt(action: "Action", phase: int, scale: Scale) -> bool:
    """Whether nobody can tell if what a sign-off is bound to is what the action says."""
    found = action.signoffs.get(phase)
    if found is not None and found.status == "recommended":
        return not is_held(found.shown, shown(action, phase, scale))
    return staleness(action, phase, scale) is None


def changed_since(action: "Action", phase: int, scale: Scale) -> list[tuple[str, str, str]]:
    """(name, then, now) of everything that reads otherwise than when it was signed off."""
    found, text = action.signoffs.get(phase), shown(action, phase, scale)
    if found is not None and (found.stands_for(text) or alike(found.in_effect(), text)):
        return []
    then, now = _parsed(found.in_effect() if found else ""), _parsed(text)
    names = [*then, *(name for name in now if name not in then)]
    return [
        (name, then.get(name, "nothing"), now.get(name, "nothing"))
        for name in names
        if then.get(name) != now.get(name) and is_held(then.get(name), now.get(name))
    ]


def is_gone(text: str) -> bool:
    """Whether of a text that was shown nothing is held any more."""
    return not is_held(text) and not text.startswith(CONTENT)


def alike(then: str, now: str) -> bool:
    """Whether two texts say the same, as far as what they say is still held."""
    if is_gone(then):
        return True
    if is_held(then, now):
        return then == now
    old, new = _parsed(then), _parsed(now)
    return old.keys() == new.keys() and all(
        old[name] == new[name] or not is_held(old[name], new[name]) for name in old
    )


def evidence_in(text: str) -> set[int]:
    """The numbers of the items of evidence that a text shows."""
    words = (name.split() for name in _parsed(text))
    return {int(found[1]) for found in words if len(found) == 2 and found[0] == "Evidence"}


def _parsed(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in text.removeprefix(f"{CONTENT}\n").splitlines():
        if line.startswith(INDENT):
            found[name] += f"\n{line.removeprefix(INDENT)}"
        else:
            name, _, found[name] = line.partition(": ")
    return found


TITLE = "govledger sign-off statement 1"


MEANING = {
    "approve": "I have read what is shown, and I approve that {phase}.",
    "decline": "I have read what is shown, and I decline to approve that {phase}.",
    "confirm": "I have read what is shown now, and I confirm that {phase}.",
}


def statement(claims: Mapping[str, str]) -> str:
    """The text to sign: a title and a line for each claim, `Name: value`."""
    return "".join(
        f"{line}\n" for line in (TITLE, *(f"{name}: {said}" for name, said in claims.items()))
    )


def claims_of(
    ledger: str,
    plan: str,
    action: str,
    event: "SignOffVoted | SignOffConfirmed",
    content: str,
) -> dict[str, str]:
    """What the statement of a vote or a confirmation claims, by codes alone.

    Args:
        ledger: its identity, so that the statement holds in no other ledger.
        content: the text shown.
    """
    said = event.vote if isinstance(event, SignOffVoted) else "confirm"
    return {
        "Ledger": ledger,
        "Plan": plan,
        "Action": action,
        "Phase": f"{event.phase}",
        "Round": f"{event.round}",
        "Decision": said,
        "Meaning": MEANING[said].format(phase=PHASES.get(event.phase, "")),
        "Body": event.body,
        "Meeting": event.meeting.isoformat(),
        "Person": event.person,
        "Signed at": event.signed_at.isoformat(),
        "Content SHA-256": digest(content),
    }


def claims_in(text: str) -> dict[str, str]:
    """The claims that a statement makes; empty where it is none."""
    title, *lines = text.splitlines() or [""]
    pairs: Iterable[tuple[str, str, str]] = (line.partition(": ") for line in lines)
    return {name: said for name, _, said in pairs} if title == TITLE else {}
