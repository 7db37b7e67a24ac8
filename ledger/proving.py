"""What a ledger says of itself to others: checkpoints, and proofs of its entries.

Everything is made from the hashes that the store keeps; `ledger.proof` checks it from nothing.
"""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection, select

from domain.errors import BadInput, IntegrityBroken, Refusal
from ledger.checkpoint import Checkpoint, Held, origin_of, read_checkpoint, sign_checkpoint
from ledger.copies import flat
from ledger.entry import StoredEntry
from ledger.fates import fates
from ledger.note import Signer, Verifier
from ledger.proof import (
    ConsistencyProof,
    InclusionProof,
    SubtreesAt,
    consistency_path,
    inclusion_path,
)
from ledger.proven import extra_of
from ledger.reported import root_there
from ledger.store import Store
from ledger.tables import entries
from ledger.tree import HASH_BYTES
from ledger.verification import Finding


def ledger_id(store: Store) -> str:
    """The identity of the ledger, from its opening entry."""
    opened: Any = store.opened().event
    return str(opened.ledger_id)


def checkpoint_at(store: Store, position: int | None = None) -> Checkpoint:
    """The checkpoint of the ledger now, or at an earlier size.

    Raises:
        BadInput: no-such-entry.
    """
    moment = store.moment(known_at=position)
    root = bytes.fromhex(moment.root)
    return Checkpoint(origin_of(ledger_id(store)), moment.position, root)


def signed_checkpoint(store: Store, signer: Signer, position: int | None = None) -> str:
    """The signed note of the checkpoint now, or at an earlier size.

    Raises:
        BadInput: no-such-entry.
        Refusal: other-log-key.
    """
    return sign_checkpoint(checkpoint_at(store, position), signer)


def _subtrees(connection: Connection) -> SubtreesAt:
    kept: dict[int, bytes] = {}

    def subtrees_at(position: int) -> bytes:
        if position not in kept:
            query = select(entries.c.subtrees).where(entries.c.position == position)
            kept[position] = connection.execute(query).scalar() or b""
        return kept[position]

    return subtrees_at


def prove_entry(
    store: Store, position: int, note: str, fields: Collection[str] | None = None
) -> InclusionProof:
    """That an entry is in the tree of a checkpoint of this ledger, with the entry itself.

    Args:
        note: the signed checkpoint.
        fields: of the texts that go with it, so that the file alone shows what was recorded;
            None for all that are held.

    Raises:
        BadInput: no-such-entry, beyond-checkpoint.
        IntegrityBroken: proof-fails, where the ledger's hashes do not fit together.
    """
    held = read_checkpoint(note.encode())
    size = held.checkpoint.size
    with store.database.reading() as connection:
        stored = _stored(store, connection, position, size)
        path = tuple(inclusion_path(position - 1, size, _subtrees(connection)))
    told = [name for name in stored.texts if fields is None or name in fields]
    proof = InclusionProof(position - 1, path, held, extra_of(stored, told))
    if not proof.shows(stored.subtrees[:HASH_BYTES]):
        raise _broken()
    return proof


def public_fields(store: Store, position: int) -> tuple[set[str], set[str]]:
    """The texts of an entry that may be made public, and those that are exempt from it.

    One that holds the words of an exempt text is exempt as well.

    Raises:
        BadInput: no-such-entry.
    """
    with store.database.reading() as connection:
        stored = _stored(store, connection, position, store.recorder.size(connection))
        found = fates(connection).exempt
        there = store.recorder.at_positions(connection, {place[0] for place in found})
    kept = [there[at].texts.get(name) for at, name in found if at in there]
    words = [flat(one.text) for one in kept if one is not None]
    exempt = {
        name
        for name, one in stored.texts.items()
        if (position, name) in found or any(said in flat(one.text) for said in words)
    }
    return set(stored.texts) - exempt, exempt


def _stored(store: Store, connection: Connection, position: int, size: int) -> StoredEntry:
    stored = store.recorder.at_positions(connection, [position]).get(position)
    if stored is not None and position > size:
        raise BadInput(
            "beyond-checkpoint",
            f"Entry {position} was recorded after the checkpoint, which counts {size}.",
            "Use a later checkpoint: govledger checkpoint, or leave --checkpoint out.",
        )
    if stored is None:
        size = store.size()
        raise BadInput("no-such-entry", f"There is no entry {position}.", f"The last is {size}.")
    return stored


def prove_since(store: Store, earlier: Held, note: str) -> ConsistencyProof:
    """That this ledger continues the one that an earlier checkpoint was made of.

    Args:
        earlier: what somebody holds.
        note: the signed checkpoint of this ledger now.

    Raises:
        Refusal: other-ledger.
        IntegrityBroken: rolled-back, other-history, proof-fails.
    """
    later = read_checkpoint(note.encode())
    continued(store, earlier.checkpoint)
    old = earlier.checkpoint.size
    with store.database.reading() as connection:
        path = tuple(consistency_path(old, later.checkpoint.size, _subtrees(connection)))
    proof = ConsistencyProof(old, path, later)
    if not proof.continues(earlier.checkpoint.root):
        raise _broken()
    return proof


def continued(store: Store, earlier: Checkpoint) -> None:
    """Refuse unless this ledger still begins with what the checkpoint was made of.

    Raises:
        Refusal: other-ledger.
        IntegrityBroken: rolled-back, other-history.
    """
    if earlier.origin != origin_of(ledger_id(store)):
        raise Refusal(
            "other-ledger",
            f"The checkpoint is of {earlier.origin}; this ledger is {origin_of(ledger_id(store))}.",
            "Name the ledger that it was made of with --ledger PATH.",
        )
    with store.database.reading() as connection:
        size = store.recorder.size(connection)
        if earlier.size > size:
            raise IntegrityBroken(
                "rolled-back",
                f"The checkpoint counts {earlier.size} entries; this ledger has only {size}. Its "
                "end was left off, or it is an older copy.",
                "Keep the file as it is and compare it with a copy.",
            )
        root = root_there(connection, store.recorder, earlier.size) or b""
    if root != earlier.root:
        raise IntegrityBroken(
            "other-history",
            f"The checkpoint's root over {earlier.size} entries is {earlier.root.hex()}; here it "
            f"is {root.hex()}. This ledger does not continue that history.",
            "Keep the file as it is and compare it with a copy.",
        )


def _broken() -> IntegrityBroken:
    return IntegrityBroken(
        "proof-fails", "The ledger's hashes do not fit together.", "Run: govledger verify"
    )


def checkpoint_findings(
    store: Store, held: Held, log_key: Verifier | None = None
) -> Iterator[Finding]:
    """What is wrong with a ledger by a checkpoint that somebody holds.

    Rests on the hashes kept with the entries, which `ledger.verification.verify` recomputes.

    Args:
        log_key: the ledger's verifier key; without it the signature is not checked.

    Raises:
        Refusal: other-ledger; other-log-key, not-signed.
    """
    size = held.checkpoint.size
    try:
        if log_key:
            held.opened_with(log_key)
    except IntegrityBroken as error:
        yield Finding("bad-signature", size, f"Of the checkpoint that you hold: {error.message}")
    try:
        continued(store, held.checkpoint)
    except IntegrityBroken as error:
        yield Finding(error.rule, size, error.message)
