"""Proofs: of one entry, and that the ledger continues what somebody holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.held import (
    check_signatures,
    cosigner_option,
    counted,
    envelope_of,
    file_argument,
    give,
    key_option,
    log_key_option,
    out_option,
    read_file,
    read_held,
    signed_data,
    signed_words,
)
from cli.output import day, envelope, instant, print_json, show_text
from cli.session import Session, pass_session

if TYPE_CHECKING:
    from ledger.proof import ConsistencyProof, InclusionProof


@click.group()
def prove() -> None:
    """Prove an entry, or that the ledger was only added to."""


@prove.command()
@click.argument("position", metavar="N", type=click.IntRange(1, 1_000_000_000_000))
@click.option("--without-texts", is_flag=True, help="Leave out the texts and names of the entry.")
@click.option("--with-exempt", is_flag=True, help="Put in the texts that are not to be public too.")
@click.option(
    "--checkpoint",
    "checkpoint_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Prove it under this checkpoint, such as a cosigned one. Default: one of now.",
)
@key_option
@out_option
@pass_session
def entry(
    session: Session,
    position: int,
    without_texts: bool,
    with_exempt: bool,
    checkpoint_file: Path | None,
    key: Path | None,
    out: Path | None,
) -> None:
    """Prove that entry N is in the ledger, in a file that can be checked without it.

    The file holds the entry with its texts and names, the proof (C2SP tlog-proof) and a
    checkpoint. Whoever gets it reads what was recorded. Texts that are exempt from what is made
    public are left out, and the proof holds all the same.

    Example: govledger prove entry 326 --out entry.tlog-proof
    """
    from ledger.log_key import signed_now
    from ledger.proving import continued, prove_entry, public_fields

    with session.ledger(any_models=True) as ledger:
        if checkpoint_file is None:
            note = signed_now(ledger, key)
        else:
            held = read_held(checkpoint_file)
            continued(ledger, held.checkpoint)
            note = held.note.full
        told, exempt = public_fields(ledger, position)
        fields = set() if without_texts else told | exempt if with_exempt else told
        proof = prove_entry(ledger, position, note, fields)
        found = proof.held.checkpoint
        data = {"proof": proof.text, "entry": position, "size": found.size}
        answer = envelope(ledger, ledger.moment(known_at=found.size), data)
    if exempt - fields and not without_texts and not session.json:
        names = ", ".join(sorted(exempt))
        click.echo(f"Note: left out, as exempt from what is made public: {names}.", err=True)
    give(session, proof.text, f"the proof of entry {position} of {found.size}", out, answer)


@prove.command()
@file_argument
@key_option
@out_option
@pass_session
def since(session: Session, file: Path, key: Path | None, out: Path | None) -> None:
    """Prove that the ledger only added to what the checkpoint in FILE was made of.

    What it writes is what a cosigner asks for (the body of C2SP add-checkpoint): the proof, and
    a checkpoint of now.

    Example: govledger prove since checkpoint.txt --out since.txt
    """
    from ledger.log_key import signed_now
    from ledger.proving import continued, prove_since

    held = read_held(file)
    with session.ledger(any_models=True) as ledger:
        continued(ledger, held.checkpoint)
        proof = prove_since(ledger, held, signed_now(ledger, key))
        found = proof.held.checkpoint
        data = {"proof": proof.text, "old": proof.old, "size": found.size}
        answer = envelope(ledger, ledger.moment(known_at=found.size), data)
    said = f"the proof that {counted(found.size)} continue {proof.old}"
    give(session, proof.text, said, out, answer)


@prove.command()
@file_argument
@log_key_option
@cosigner_option
@click.option(
    "--since",
    "earlier_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The earlier checkpoint that you hold, for what 'prove since' wrote.",
)
@pass_session
def check(
    session: Session,
    file: Path,
    log_key: str | None,
    cosigners: tuple[str, ...],
    earlier_file: Path | None,
) -> None:
    """Check a proof, and say what is proven. Needs no ledger.

    Example: govledger prove check entry.tlog-proof
    """
    from ledger.proof import InclusionProof, parse_proof

    proof = parse_proof(read_file(file))
    if isinstance(proof, InclusionProof):
        if earlier_file is not None:
            raise click.UsageError("--since goes with what 'prove since' wrote.")
        lines, data = _entry_shown(proof)
    else:
        lines, data = _continued(proof, earlier_file, log_key)
    found = check_signatures(proof.held, log_key, cosigners)
    data["signatures"] = signed_data(found)
    if session.json:
        print_json(envelope_of(proof.held.checkpoint, data))
        return
    checkpoint = proof.held.checkpoint
    lines += [f"Checkpoint of {counted(checkpoint.size)}, root {checkpoint.root.hex()}."]
    show_text(_printable("\n".join(lines + signed_words(found, log_key))))


def _printable(text: str) -> str:
    """The text without what could move the cursor: the file may be anybody's."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _entry_shown(proof: InclusionProof) -> tuple[list[str], dict[str, Any]]:
    from ledger.proven import shown_by

    shown = shown_by(proof)
    entry, checkpoint = shown.entry, proof.held.checkpoint
    name = f"ledger {checkpoint.ledger_id}" if checkpoint.ledger_id else checkpoint.origin
    decided = entry.get("decided_by")
    facts = {
        "Type": entry.get("type"),
        "About": entry.get("stream_id"),
        "Effective": _told(day, entry.get("effective_on")),
        "Recorded": _told(instant, entry.get("recorded_at")),
        "Decided by": ", ".join(map(str, decided.values())) if isinstance(decided, dict) else None,
        "Source": entry.get("source"),
        "Payload": _plain(entry.get("payload")),
    }
    where = f"entry {proof.index + 1} of {name}"
    lines = [f"Proven: {where} stands under the checkpoint below, and says:", ""]
    lines += [f"  {title:<11} {value}" for title, value in facts.items() if value]
    lines += [
        f"  {field:<11} " + text.replace("\n", "\n" + " " * 14)
        for field, text in shown.texts.items()
    ]
    lines += [f"  {field:<11} (text not in this file)" for field in shown.untold]
    data = {"entry": entry, "texts": shown.texts, "texts_left_out": list(shown.untold)}
    return [*lines, ""], data


def _plain(payload: Any) -> str:
    """The fields of a payload that are no texts, in a line."""
    if not isinstance(payload, dict):
        return ""
    plain = {name: value for name, value in payload.items() if not isinstance(value, dict | list)}
    return ", ".join(f"{name} {value}" for name, value in plain.items() if "\n" not in str(value))


def _told(words: Callable[[Any], str], value: Any) -> str | None:
    """A date or an instant in words; as it stands, where it is none."""
    try:
        return words(value) if value else None
    except (TypeError, ValueError):
        return str(value)


def _continued(
    proof: ConsistencyProof, earlier_file: Path | None, log_key: str | None
) -> tuple[list[str], dict[str, Any]]:
    from domain.errors import BadInput, IntegrityBroken

    if earlier_file is None:
        raise BadInput(
            "needs-earlier",
            f"This proves that a checkpoint continues an earlier one, of {counted(proof.old)}.",
            "Give the earlier checkpoint that you hold: --since FILE",
        )
    earlier = read_held(earlier_file)
    old, new = earlier.checkpoint, proof.held.checkpoint
    if old.origin != new.origin:
        raise IntegrityBroken(
            "other-ledger",
            f"The checkpoint that you hold is of {old.origin}, the other of {new.origin}.",
            "Check that both files are of the same ledger.",
        )
    for held in (earlier, proof.held):  # what follows from a difference rests on both
        check_signatures(held, log_key, ())
    if old.size == new.size and old.root != new.root:
        raise IntegrityBroken(
            "other-history",
            f"Both checkpoints count {counted(new.size)}, and their roots differ: that of yours is "
            f"{old.root.hex()}, the other {new.root.hex()}.",
            "Keep both checkpoints: the ledger's key signed both, so together they prove that the "
            "ledger was rewritten."
            if log_key is not None
            else "Keep both checkpoints, and check with --log-key KEY who signed them: if the "
            "ledger's key signed both, they prove that the ledger was rewritten.",
        )
    if old.size != proof.old or not proof.continues(old.root):
        raise IntegrityBroken(
            "proof-fails",
            f"It is not proven that these {counted(new.size)} continue the {counted(old.size)} of "
            "the checkpoint that you hold.",
            f"Ask for: govledger prove since {earlier_file}. A ledger that was only added to can "
            "always give that proof: if none comes that holds, keep both checkpoints"
            + (
                ", which the ledger's key signed."
                if log_key is not None
                else ", and check with --log-key KEY that the ledger's key signed them."
            ),
        )
    name = f"ledger {new.ledger_id}" if new.ledger_id else new.origin
    words = f"the first {counted(old.size)} of {name} are those of the checkpoint that you hold"
    lines = [
        f"Proven: {words};",
        f"since then it only grew, by {counted(new.size - old.size)}: nothing was changed or "
        "taken away.",
        "",
    ]
    return lines, {"old": proof.old, "size": new.size}
