"""The files of checkpoint keys: made once, readable by their owner only, never overwritten."""

import contextlib
import os
import secrets
from pathlib import Path

from domain.errors import BadInput, Failed, Refusal
from ledger.note import Signer, parse_signer

VARIABLE = "GOVLEDGER_CHECKPOINT_KEY"
LONGEST_FILE = 10_000


def default_path(ledger_id: str) -> Path:
    """Where the key of a ledger is kept on this computer: never beside the ledger.

    $GOVLEDGER_CHECKPOINT_KEY, else $XDG_CONFIG_HOME/govledger/ID.key, else
    ~/.config/govledger/ID.key.
    """
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    home = os.environ.get("XDG_CONFIG_HOME")
    # The specification (XDG Base Directory) says to pass over a path that is not absolute.
    folder = Path(home) if home and Path(home).is_absolute() else Path.home() / ".config"
    return folder / "govledger" / f"{ledger_id}.key"


def write_key(path: Path, signer: Signer) -> None:
    """Write a new key file, mode 0600, all or nothing.

    Raises:
        Failed: already-there.
        OSError: the folder cannot be made or written to.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    try:
        write_private(new, signer.text + "\n")
        # A link fails where the name is taken; a rename would put one key in another's place.
        os.link(new, path)
    except FileExistsError:
        raise Failed(
            "already-there",
            f"There is a key at {path} already, and a key is never overwritten.",
            "Use it as it is, or name another file with --key FILE.",
        ) from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
    sync_folder(path.parent)


def read_key(path: Path) -> Signer:
    """Read a key file.

    Raises:
        BadInput: no-key, unreadable-key.
        Refusal: open-key, where others on this computer can read it.
        OSError: it cannot be read.
    """
    if not path.is_file():
        raise BadInput(
            "no-key", f"There is no key at {path}.", "Check the path, or copy the key there."
        )
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise Refusal(
            "open-key",
            f"Other people on this computer can read the key {path}.",
            f"Close it to them: chmod 600 {path}. If they may have read it, make a new one.",
        )
    with path.open("rb") as file:
        found = file.read(LONGEST_FILE)
    return parse_signer(found.decode("utf-8", "replace").removesuffix("\n"))


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner can read, and wait until it is on the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until what was renamed in a folder is on the disk, where the system can say so."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
