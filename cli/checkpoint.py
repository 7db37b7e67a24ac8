"""Checkpoints of the ledger, the keys that sign them, and cosigning somebody else's."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from cli.held import (
    counted,
    envelope_of,
    file_argument,
    give,
    key_of,
    key_option,
    log_key_option,
    out_option,
    read_file,
)
from cli.options import known_at_option, plan_option
from cli.output import ENVELOPE, envelope, in_full, print_json
from cli.session import Session, choose_plan, pass_session


@click.group(invoke_without_command=True)
@known_at_option
@click.option("--report", "ref", metavar="REF", help="The one that this report recorded.")
@plan_option
@key_option
@out_option
@click.pass_context
def checkpoint(
    ctx: click.Context,
    known_at: date | datetime | int | None,
    ref: str | None,
    plan: str | None,
    key: Path | None,
    out: Path | None,
) -> None:
    """Print a signed checkpoint of the ledger, for others to hold.

    It says which ledger, how many entries, and the root over them, signed by the ledger's key.
    Publish it: a ledger that was rewritten or cut off cannot be brought to agree with it.

    Example: govledger checkpoint --out checkpoint.txt
    """
    if ctx.invoked_subcommand is not None:
        given = (known_at, ref, plan, key, out)
        if any(one is not None for one in given):
            raise click.UsageError(f"Put the options after 'checkpoint {ctx.invoked_subcommand}'.")
        return
    session: Session = ctx.obj
    if ref is not None and known_at is not None:
        raise click.UsageError("Give --report or --known-at, not both.")
    if plan is not None and ref is None:
        raise click.UsageError("--plan goes with --report: a checkpoint is of the whole ledger.")
    from ledger.checkpoint import read_checkpoint
    from ledger.log_key import signed_now
    from ledger.reported import report_checkpoint

    with session.ledger(any_models=True) as ledger:
        if ref is not None:
            text = report_checkpoint(ledger, choose_plan(ledger, plan), ref)
        else:
            moment = ledger.moment(known_at=known_at)
            text = signed_now(ledger, key, moment.position)
        found = read_checkpoint(text.encode()).checkpoint
        data = {"checkpoint": text, "size": found.size, "origin": found.origin}
        answer = envelope(ledger, ledger.moment(known_at=found.size), data)
    give(session, text, f"the checkpoint of {counted(found.size)}", out, answer)


@checkpoint.group()
def key() -> None:
    """Make the key that signs checkpoints, and show its public half."""


@key.command()
@click.option("--cosigner", "name", metavar="NAME", help="Make a cosigner's key, of this name.")
@key_option
@pass_session
def new(session: Session, name: str | None, key: Path | None) -> None:
    """Make a key: the ledger's own, or with --cosigner one to cosign with.

    The file is yours alone to read, and is never overwritten. Keep a copy of it where the
    ledger's folder does not go. A cosigner's key needs no ledger.

    Example: govledger checkpoint key new
    """
    from ledger.keyfile import write_key
    from ledger.log_key import key_path, make_key
    from ledger.note import COSIGNATURE, new_signer

    answer: dict[str, Any] = dict.fromkeys(ENVELOPE)
    if name is not None:
        if key is None:
            raise click.UsageError("A cosigner's key needs its file: --key FILE")
        path, signer = key, new_signer(name, COSIGNATURE)
        write_key(path, signer)
        following = f"govledger checkpoint cosign FILE --key {path} --log-key KEY"
        said = "a cosigner's key"
    else:
        with session.ledger(any_models=True) as ledger:
            path = key_path(ledger, key)
            signer = make_key(ledger, key)
            answer = envelope(ledger, ledger.moment(), None)
        following = in_full(session, "govledger checkpoint")
        said = "the key of this ledger"
    data = {"key_file": str(path), "verifier": signer.verifier.text}
    if session.json:
        print_json(answer | {"data": data})
        return
    click.echo(f"Made {said} in {path}. Keep a copy of it, and give nobody the file.")
    click.echo(f"Its verifier key, to give to everybody: {signer.verifier.text}")
    click.echo(f"Next: {following}")


@key.command()
@key_option
@out_option
@pass_session
def show(session: Session, key: Path | None, out: Path | None) -> None:
    """Print the verifier key, which everybody may have.

    With --key of any key, and then it needs no ledger.

    Example: govledger checkpoint key show
    """
    from ledger.keyfile import read_key
    from ledger.log_key import key_path, need_key

    answer: dict[str, Any] = dict.fromkeys(ENVELOPE)
    if key is not None:
        path, signer = key, read_key(key)
    else:
        with session.ledger(any_models=True) as ledger:
            path, signer = key_path(ledger), need_key(ledger)
            answer = envelope(ledger, ledger.moment(), None)
    data = {"key_file": str(path), "verifier": signer.verifier.text, "name": signer.name}
    said = f"the verifier key of {signer.name}"
    give(session, signer.verifier.text + "\n", said, out, answer | {"data": data})


@checkpoint.command()
@file_argument
@click.option(
    "--key",
    metavar="FILE",
    type=click.Path(path_type=Path),
    required=True,
    help="Your cosigner's key. What you cosigned last is kept beside it.",
)
@click.option(
    "--proof",
    "proof_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="What 'prove since' wrote, where FILE is a checkpoint alone.",
)
@log_key_option
@out_option
@pass_session
def cosign(
    session: Session,
    file: Path,
    key: Path,
    proof_file: Path | None,
    log_key: str | None,
    out: Path | None,
) -> None:
    """Cosign a checkpoint that continues the last one you cosigned.

    FILE is a checkpoint, or what 'govledger prove since' wrote. The first time give the ledger's
    verifier key, which its keeper gave you by another way than this file. Needs no ledger.

    Example: govledger checkpoint cosign since.txt --key cosigner.key --out cosigned.txt
    """
    from domain.dates import now
    from domain.errors import BadInput
    from ledger.checkpoint import read_checkpoint
    from ledger.cosigner import Memory
    from ledger.cosigner import cosign as add_cosignature
    from ledger.keyfile import read_key
    from ledger.proof import ConsistencyProof, parse_proof

    data, proof = read_file(file), None
    if proof_file is not None or data.startswith(b"old "):
        found = parse_proof(read_file(proof_file) if proof_file else data)
        if not isinstance(found, ConsistencyProof):
            raise BadInput(
                "other-proof",
                "This proves one entry, not that a checkpoint continues another.",
                "Ask the ledger's keeper for: govledger prove since FILE",
            )
        proof = found
    held = proof.held if proof and not proof_file else read_checkpoint(data)
    signer, trusted = read_key(key), key_of(log_key) if log_key is not None else None
    note = add_cosignature(Memory(key), signer, held, int(now().timestamp()), proof, trusted)
    said = f"the checkpoint of {counted(held.checkpoint.size)}, cosigned by {signer.name},"
    answer = envelope_of(
        held.checkpoint, {"checkpoint": note.full, "cosigner": signer.verifier.text}
    )
    give(session, note.full, said, out, answer)
