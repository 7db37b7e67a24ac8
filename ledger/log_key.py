"""The ledger's own key on this computer: found, asked for, and made for a first report."""

from pathlib import Path

from domain.errors import Failed, Refusal
from ledger.checkpoint import origin_of
from ledger.keyfile import default_path, read_key, write_key
from ledger.note import Signer, new_signer
from ledger.proving import ledger_id
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


def key_for_report(store: Store, given: Path | None = None) -> tuple[Signer, bool]:
    """The key to sign a report's checkpoint with, and whether it was made just now.

    Raises:
        As `check_report_key`.
    """
    if check_report_key(store, given):
        try:
            return make_key(store, given), True
        except Failed as error:
            if error.rule != "already-there":  # somebody else issued a report at this moment
                raise
    return need_key(store, given), False
