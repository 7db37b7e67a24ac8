"""The signature of a vote that is about to be recorded: good, the voter's own, and new."""

from typing import Any

from domain.authority import in_force
from domain.errors import Refusal
from domain.signoff import SignOffConfirmed, SignOffVoted
from domain.timeline import PENDING
from ledger import signatures
from ledger.writing import Writing


def check_signature(writing: Writing) -> None:
    """A vote's signature must be the person's own, over just the statement that is recorded.

    Raises:
        Refusal: bad-signature.
    """
    entry = writing.entries[-1]
    event = entry.event
    if not isinstance(event, SignOffVoted | SignOffConfirmed):
        return
    scene = writing.scene(entry.effective_on, event.person)
    key = in_force(scene, event.person, (writing.today, PENDING))
    wrong = signatures.check(event.statement, event.signature, event.person, key)
    if wrong:
        raise Refusal(
            "bad-signature",
            "The signature does not sign this statement with the key of "
            f"{scene.person(event.person)}: {wrong}",
            "Look at what is to be signed and sign it again.",
        )


def check_unused(writing: Writing) -> None:
    """A signature counts once: one whose vote was voided cannot be entered again by others.

    Raises:
        Refusal: signed-before.
    """
    entry = writing.entries[-1]
    event = entry.event
    if not isinstance(event, SignOffVoted | SignOffConfirmed):
        return
    earlier: Any
    for earlier in writing.ledger.events.get(entry.stream_id):
        if not isinstance(earlier.event, SignOffVoted | SignOffConfirmed):
            continue
        # One and the same statement can have several signatures of the same key.
        if event.statement == earlier.event.statement or (
            event.signature and event.signature == earlier.event.signature
        ):
            raise Refusal(
                "signed-before",
                f"This signature was entered before, as entry {earlier.position}.",
                "Look at what is to be signed and sign it again.",
            )
