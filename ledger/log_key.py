"""The ledger's own key on this computer: found, asked for, and made for a first report."""

from pathlib import Path

from domain.errors import Failed, IntegrityBroken, Refusal
from ledger.checkpoint import Checkpoint, origin_of
from ledger.cosigner import Memory, Seen
from ledger.keyfile import default_path, read_key, write_key
from ledger.note import Signer, new_signer
from ledger.proving import checkpoint_at, continued, ledger_id, signed_checkpoint
from ledger.reported import last_report_key
from ledger.store import Store


def key_path(store: Store, given: Path | None = None) -> Path:
    """Where the key of this ledger is kept on this computer, whether or not it is there."""
    return given or default_path(ledger_id(store))


def find_key(store: Store, given: Path | None = None) -> Signer | None:
    """The ledger's key; None where there is none at that place.

    Raises:
        Refusal: other-log-key, where it is the key of something else; open-key.
        BadInput: unreadable-key.
    """
    path, origin = key_path(store, given), origin_of(ledger_id(store))
    if not path.exists():
        return None
    found = read_key(path)
    if found.name != origin or found.verifier.is_cosigner:
        raise Refusal(
            "other-log-key",
            f"The key {path} is that of {found.name}, not of this ledger ({origin}).",
            "Name this ledger's key with --key FILE or GOVLEDGER_CHECKPOINT_KEY.",
        )
    return found


def need_key(store: Store, given: Path | None = None) -> Signer:
    """The ledger's key.

    Raises:
        Refusal: needs-checkpoint-key, other-log-key, open-key.
        BadInput: unreadable-key.
    """
    found = find_key(store, given)
    if found is None:
        raise Refusal(
            "needs-checkpoint-key",
            f"The key that signs this ledger's checkpoints is not at {key_path(store, given)}.",
            "Copy it there, or name it with --key FILE. If there never was one, make it: govledger "
            "checkpoint key new",
        )
    return found


def vouch(store: Store, path: Path, signer: Signer, position: int) -> None:
    """Before the ledger's key signs: does the ledger continue what that key signed last?

    What it signs now is remembered beside the key (C2SP tlog-checkpoint, "Signatures": a log
    never signs what is inconsistent with what it signed before). So a ledger that was put back
    to an older copy, or rewritten, is found by its own keeper first.

    Args:
        position: how many entries are to be signed for.

    Raises:
        IntegrityBroken: rolled-back, other-history.
        Failed: memory-damaged.
    """
    memory, now = Memory(path), checkpoint_at(store, position)
    try:
        with memory.alone():
            seen = memory.read()
            last = seen.get(now.origin)
            if last is not None:
                root = bytes.fromhex(last.root)
                try:
                    continued(store, Checkpoint(now.origin, last.size, root))
                except IntegrityBroken as error:
                    raise IntegrityBroken(
                        error.rule,
                        f"This ledger does not continue what its key has signed. {error.message}",
                        "Put a later copy of the ledger back. If there is none, make a new key "
                        "(govledger checkpoint key new --key FILE), and say in public why.",
                    ) from None
            if last is None or last.size < now.size:
                key = signer.verifier.text
                seen[now.origin] = Seen(key, now.size, now.root.hex(), now.text)
                memory.write(seen)
    except Failed as error:
        if error.rule != "no-locks":  # there the key has no memory; cosigners have theirs
            raise


def signed_now(store: Store, given: Path | None = None, position: int | None = None) -> str:
    """The signed checkpoint of the ledger now, or at an earlier size, by its own key.

    Raises:
        As `need_key` and `vouch`; BadInput: no-such-entry.
    """
    signer = need_key(store, given)
    size = checkpoint_at(store, position).size
    vouch(store, key_path(store, given), signer, size)
    return signed_checkpoint(store, signer, size)


def check_report_key(store: Store, given: Path | None = None) -> bool:
    """Whether a first key has to be made before a report can be issued.

    Raises:
        Refusal: needs-checkpoint-key, where earlier reports were signed with a key that is not
            here; other-log-key, open-key.
        BadInput: unreadable-key.
    """
    if find_key(store, given) is not None:
        return False
    earlier = last_report_key(store)
    if earlier is None:
        return True
    raise Refusal(
        "needs-checkpoint-key",
        f"The last report's checkpoint was signed with {earlier}, and that key is not at "
        f"{key_path(store, given)}.",
        "Copy the key there, or name it with --key FILE. If it is lost: govledger checkpoint key "
        "new, and give out the new verifier key.",
    )


def make_key(store: Store, given: Path | None = None) -> Signer:
    """Make the ledger's key, in a file that is not there yet.

    Raises:
        Failed: already-there.
    """
    signer = new_signer(origin_of(ledger_id(store)))
    write_key(key_path(store, given), signer)
    return signer


def key_for_report(store: Store, given: Path | None, position: int) -> tuple[Signer, bool]:
    """The key to sign a report's checkpoint with, and whether it was made just now.

    Args:
        position: how many entries the report was made from.

    Raises:
        As `check_report_key` and `vouch`.
    """
    made = check_report_key(store, given)
    if made:
        try:
            make_key(store, given)
        except Failed as error:
            if error.rule != "already-there":  # somebody else issued a report at this moment
                raise
            made = False
    signer = need_key(store, given)
    vouch(store, key_path(store, given), signer, position)
    return signer, made
