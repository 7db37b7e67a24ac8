"""What the commands on checkpoints and proofs share: files in, files out, and how they are told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import instant, print_json
from cli.session import Session

if TYPE_CHECKING:
    from ledger.checkpoint import Checkpoint, Held
    from ledger.note import Verified, Verifier

file_argument = click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
key_option = click.option(
    "--key",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The ledger's key. Default: $GOVLEDGER_CHECKPOINT_KEY, else in your own settings.",
)
log_key_option = click.option(
    "--log-key",
    metavar="KEY",
    help="The ledger's verifier key, as its keeper gave it out, or the file that holds it.",
)
cosigner_option = click.option(
    "--cosigner",
    "cosigners",
    metavar="KEY",
    multiple=True,
    help="A cosigner's verifier key, or its file: its cosignature has to be there. Repeatable.",
)
out_option = click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write it to this file. Default: print it.",
)


def read_file(path: Path) -> bytes:
    """The bytes of a file, up to the most that anything here may have.

    Raises:
        OSError: it cannot be read.
    """
    from ledger.proof import LONGEST_PROOF

    with path.open("rb") as file:
        return file.read(LONGEST_PROOF + 1)


def read_held(path: Path) -> Held:
    """The checkpoint in a file.

    Raises:
        BadInput: unreadable-note, unreadable-checkpoint.
    """
    from ledger.checkpoint import read_checkpoint

    return read_checkpoint(read_file(path))


def key_of(written: str) -> Verifier:
    """A verifier key as given on the command line: itself, or a file that holds it.

    Raises:
        BadInput: unreadable-key.
        OSError: the file cannot be read.
    """
    from ledger.note import parse_verifier

    if "+" not in written:  # every key has two, and few files have any
        written = read_file(Path(written)).decode("utf-8", "replace")
    return parse_verifier(written.strip())


def write_out(path: Path, text: str) -> None:
    """Write a checkpoint, a proof or a verifier key; only such a file is written over.

    The file is there whole or as before.

    Raises:
        Failed: already-there.
        OSError: it cannot be written.
    """
    import os

    from domain.errors import BadInput, Failed

    if path.exists():
        try:
            _readable(read_file(path))
        except BadInput:
            raise Failed(
                "already-there",
                f"{path} exists, and is something else than what is to be written there.",
                "Name another file with --out.",
            ) from None
    new = path.with_name(path.name + ".new")
    new.write_text(text, encoding="utf-8")
    os.replace(new, path)


def _readable(data: bytes) -> None:
    """Raises BadInput: it is neither a checkpoint, nor a proof, nor a verifier key."""
    from domain.errors import BadInput
    from ledger.checkpoint import read_checkpoint
    from ledger.note import parse_verifier
    from ledger.proof import parse_proof

    for read in (read_checkpoint, parse_proof):
        try:
            read(data)
        except BadInput:
            continue
        return
    parse_verifier(data.decode("utf-8", "replace").strip())


def give(session: Session, text: str, said: str, out: Path | None, answer: dict[str, Any]) -> None:
    """Print a checkpoint or a proof, or write it to a file and say so."""
    if out is not None:
        write_out(out, text)
        answer["data"]["file"] = str(out)
    if session.json:
        print_json(answer)
    elif out is not None:
        click.echo(f"Wrote {said} to {out}.")
    else:
        click.echo(text, nl=False)


def envelope_of(checkpoint: Checkpoint, data: Any) -> dict[str, Any]:
    """The form of an answer in JSON, where there is no ledger to ask."""
    return {
        "ledger": checkpoint.ledger_id or checkpoint.origin,
        "as_at": None,
        "known_at": None,
        "position": checkpoint.size,
        "root": checkpoint.root.hex(),
        "data": data,
    }


def check_signatures(
    held: Held, log_key: str | None, cosigners: tuple[str, ...]
) -> tuple[Verified, ...]:
    """The signatures of a checkpoint that were checked, and hold; none where no key was given.

    Raises:
        Refusal: other-log-key, not-signed, not-cosigned.
        IntegrityBroken: bad-signature.
        BadInput: unreadable-key, not-a-cosigner.
    """
    from domain.errors import BadInput, Refusal

    others = [key_of(one) for one in cosigners]
    own = key_of(log_key) if log_key is not None else None
    for other in others:
        if not other.is_cosigner or (own and other.public == own.public):
            raise BadInput(
                "not-a-cosigner",
                f"The key of {other.name} is a ledger's own, and its signature is no cosignature.",
                "Give the ledger's key with --log-key, and a cosigner's with --cosigner.",
            )
    found = held.opened_with(own, others) if own else held.note.check(others)
    for other in others:
        if not any(one.verifier == other for one in found):
            raise Refusal(
                "not-cosigned",
                f"The checkpoint is not cosigned by {other.name}.",
                "Ask that cosigner for its copy of the checkpoint.",
            )
    return found


def signed_words(found: tuple[Verified, ...], log_key: str | None) -> list[str]:
    """What the signatures come to, a line each."""
    lines = [
        f"Cosigned by {one.verifier.name} on {instant(datetime.fromtimestamp(one.seconds, UTC))}."
        if one.seconds is not None and one.seconds < 2**33
        else f"Signed by {one.verifier.name}."
        for one in found
    ]
    if log_key is None:
        lines.append(
            "NOT checked: whether the ledger's own key signed the checkpoint. Give it with "
            "--log-key KEY."
        )
    return lines


def signed_data(found: tuple[Verified, ...]) -> list[dict[str, Any]]:
    """The signatures that were checked, for JSON."""
    return [{"key": one.verifier.text, "seconds": one.seconds} for one in found]


def counted(size: int) -> str:
    """A number of entries in words."""
    return f"{size} {'entry' if size == 1 else 'entries'}"
