"""Verification: of a ledger or of an exported folder, and against what others hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.held import key_of, log_key_option, read_held
from cli.output import print_json, progress_bar, show_text, table
from cli.session import Session, pass_session

if TYPE_CHECKING:
    from ledger.checkpoint import Held
    from ledger.export_check import VerifiedExport
    from ledger.lawfulness import Lawful
    from ledger.note import Verifier
    from ledger.verification import Verified


def held_root(expect: str | None) -> tuple[int, str] | None:
    """The position and root in `326:50596f…`.

    Raises:
        BadInput: bad-root.
    """
    if expect is None:
        return None
    from domain.errors import BadInput

    position, _, root = expect.strip().removeprefix("#").partition(":")
    root = root.strip().lower()
    hexadecimal = len(root) == 64 and set(root) <= set("0123456789abcdef")
    if not (position.isascii() and position.isdigit() and len(position) < 20 and hexadecimal):
        raise BadInput(
            "bad-root",
            f"'{expect}' is not an entry number and a root.",
            "Write them as an answer prints them, such as 326:50596f… with all 64 characters.",
        )
    return int(position), root


def _verdict(kinds: set[str], about_rules: set[str], what: str) -> str:
    """What the kinds of finding come to, in a sentence.

    Args:
        what: is to be kept: the file, or the folder.
    """
    if kinds <= {"read-model-changed"}:
        return "the entries are as recorded, the read models made from them are not."
    if kinds <= {"read-model-changed"} | about_rules:
        return (
            "every hash is right, but an entry breaks a rule or carries a signature that does not "
            "hold, so somebody has gone round the commands. Keep the "
            f"{what} as it is and compare it with a copy."
        )
    return (
        f"this is not the history that was recorded. Keep the {what} as it is and compare it with "
        "a copy."
    )


def _texts(found: Verified, lawful: Lawful, public: VerifiedExport | None) -> str:
    """How many texts are withheld and left out, in lines of their own; nothing where none is."""
    lines, count, unsigned = [], found.withheld, lawful.unsigned
    if count:
        texts = "1 text is withheld, by an entry that says" if count == 1 else ""
        said = texts or f"{count} texts are withheld, each by an entry that says"
        lines.append(f"{said} on what basis.")
    left_out = public.left_out if public else frozenset()
    if left_out and public:
        lines.append(
            f"{len(left_out)} {'text is' if len(left_out) == 1 else 'texts are'} left out of this "
            "public export; left_out.jsonl gives the basis of each."
        )
        for (at, name), (of, its) in sorted(public.copies.items()):
            lines.append(
                f"Left out only as a copy, which nobody can see here: '{name}' of entry {at}, said "
                f"to repeat '{its}' of entry {of}."
            )
    without = sum(name == "statement" for _, name in left_out)
    for number, why in ((unsigned - without, "withheld"), (without, "left out")):
        if number:
            said = f"Signatures that nobody can check, as the statement is {why}:"
            lines.append(f"{said} {number}.")
    return "".join(f"\n{line}" for line in lines)


def _held_against(
    expect: tuple[int, str] | None, name: Path | None, given: Held | None, key: Verifier | None
) -> list[str]:
    """What the history agrees with that somebody holds, a line each."""
    from cli.held import counted

    lines = []
    if expect:
        lines.append(f"Agrees with the root that you hold, over the first {counted(expect[0])}.")
    if given:
        signed = (
            "signed by the key that you gave."
            if key
            else "its signature was not checked: give --log-key."
        )
        said = f"Agrees with the checkpoint {name} ({counted(given.checkpoint.size)})"
        lines.append(f"{said}{',' if key else ';'} {signed}")
    return lines


def _own(found: VerifiedExport) -> list[str]:
    """What the checkpoint in the folder comes to."""
    said = {
        "good": "Agrees with the checkpoint in the folder, signed by the key that you gave.",
        "unchecked": "Agrees with the checkpoint in the folder; its signature was not checked.",
    }
    return [said[found.own_signature]] if found.own_signature else []


@click.command()
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--expect",
    metavar="N:ROOT",
    help="A position and root that you hold, from an earlier answer or a paper.",
)
@click.option(
    "--checkpoint",
    "checkpoint_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A checkpoint that you hold.",
)
@log_key_option
@pass_session
def verify(
    session: Session,
    folder: Path | None,
    expect: str | None,
    checkpoint_file: Path | None,
    log_key: str | None,
) -> None:
    """Prove that the history is whole.

    Recomputes every hash, commitment, position and clock, holds each entry to the rules, checks
    each signature with ssh-keygen, and holds the read models to the entries. Reports everything
    that it finds, and ends with exit code 5 if there is anything.

    A ledger alone cannot show that its end was left off, or that all of it was written anew with
    its hashes. A root that you hold shows both: every answer prints one with its entry number. So
    does a checkpoint; with --log-key its signature is checked too.

    With DIR it is the folder that is verified, which 'export' wrote: first its files as they are,
    without any database; then, if they hold, the rules and the signatures, in a temporary ledger
    made of them. The ledger that --ledger names is not looked at. With --log-key and without
    --checkpoint it is the checkpoint in the folder whose signature is checked.

    Example: govledger verify
    """
    from dataclasses import replace

    from ledger.lawfulness import check_lawfulness
    from ledger.proving import checkpoint_findings
    from ledger.verification import verify as verify_store
    from projections.upkeep import check_read_models

    if log_key is not None and checkpoint_file is None and folder is None:
        raise click.UsageError("--log-key goes with --checkpoint FILE.")
    given = read_held(checkpoint_file) if checkpoint_file is not None else None
    key = key_of(log_key) if log_key is not None else None
    root = held_root(expect)
    against = _held_against(root, checkpoint_file, given, key)
    if folder is not None:
        _verify_folder(session, folder, root, given, key, against)
        return
    with session.ledger(any_models=True) as ledger:
        with progress_bar("Verifying", ledger.size()) as tick:
            found = verify_store(ledger, tick, root)
        lawful = check_lawfulness(ledger)
        every = (*found.findings, *lawful.findings, *check_read_models(ledger))
        if given is not None:
            every += tuple(checkpoint_findings(ledger, given, key))
        found = replace(found, findings=every)
        _tell(session, found, lawful, lambda: str(_ledger_id(ledger)), against)


def _verify_folder(
    session: Session,
    folder: Path,
    held: tuple[int, str] | None,
    checkpoint: Held | None,
    log_key: Verifier | None,
    against: list[str],
) -> None:
    """Verify an export, and print what is found; ends with exit code 5 if there is anything."""
    from dataclasses import replace

    from documents.export_folder import changed_copies
    from ledger.export_check import verify_export
    from ledger.lawfulness import Lawful, check_lawfulness
    from ledger.verification import Finding
    from projections.restoring import scratch_ledger

    with progress_bar("Verifying", 0) as tick:
        found = verify_export(folder, tick, held, checkpoint, log_key)
    lawful, copies = Lawful(()), []
    if not found.findings:
        with scratch_ledger(folder) as ledger:
            lawful = check_lawfulness(ledger, found.left_out)
            if not lawful.findings and not lawful.failure:
                copies = changed_copies(ledger, folder)
    said = "is not what the entries say, which hold what it is a copy of"
    changed = [Finding("file-changed", None, f"The file {name} {said}.") for name in copies]
    every = (*found.findings, *lawful.findings, *changed)
    against = [*against, *_own(found)]
    _tell(session, replace(found, findings=every), lawful, lambda: found.ledger_id, against)


def _ledger_id(ledger: Any) -> str:
    return str(ledger.opened().event.ledger_id)


def _tell(
    session: Session,
    found: Verified,
    lawful: Lawful,
    ledger_id: Callable[[], str],
    against: list[str],
) -> None:
    """Print what a verification found; ends with exit code 5 if there is anything.

    Args:
        found: with the findings of `lawful` too.
        ledger_id: gives the identity of the ledger, where it can be read.
        against: what else it agrees with, if nothing was found.

    Raises:
        Failed: no-ssh-keygen, where nothing else is wrong.
    """
    from dataclasses import asdict, replace

    from domain.dates import london_day, now
    from ledger.export_check import VerifiedExport
    from ledger.lawfulness import KINDS
    from ledger.verification import Finding

    export = found if isinstance(found, VerifiedExport) else None
    if lawful.failure and found.findings:
        # What was found comes first; without ssh-keygen alone this is a failure, see below.
        unchecked = Finding("signature-unchecked", None, lawful.failure.message)
        found = replace(found, findings=(*found.findings, unchecked))
    agrees = "".join(f"\n{line}" for line in against)
    if session.json:
        if lawful.failure and not found.findings:
            raise lawful.failure
        data = {
            "size": found.size,
            "signatures_checked": lawful.signatures_checked,
            "signatures_withheld": lawful.unsigned,
            "withheld": found.withheld,
            "left_out": len(export.left_out) if export else 0,
            "left_out_as_copies": [
                {"position": at, "field": name, "copy_of": list(of)}
                for (at, name), of in (sorted(export.copies.items()) if export else ())
            ],
            "agrees_with": [] if found.findings else against,
            "findings": [asdict(finding) for finding in found.findings],
        }
        print_json(
            {
                "ledger": ledger_id(),
                "as_at": london_day(now()).isoformat(),
                "known_at": None,
                "position": found.size,
                "root": found.root,
                "data": data,
            }
        )
    elif found.findings:
        rows = [
            (finding.position or "", finding.kind, finding.message) for finding in found.findings
        ]
        show_text(table(session, ("Entry", "Finding", "What is wrong"), rows))
        kept = "folder" if export else "file"
        verdict = _verdict({finding.kind for finding in found.findings}, set(KINDS), kept)
        click.echo(f"{len(rows)} finding(s) in {found.size} entries: {verdict}", err=True)
        bad = {one.position for one in found.findings if one.kind == "bad-signature"}
        if len(bad) > 2 and len(bad) == lawful.signatures_checked:
            click.echo(
                "Every signature fails. If this seems impossible, check that ssh-keygen works: "
                "GOVLEDGER_SSH_KEYGEN",
                err=True,
            )
    elif lawful.failure:
        click.echo(
            f"In {found.size} entries every hash, text, position and clock is as recorded, "
            f"and every entry keeps to the rules.\nThe signatures could not be checked.\n"
            f"Root {found.root}{agrees}"
        )
        raise lawful.failure
    else:
        signed = lawful.signatures_checked
        click.echo(
            f"Verified: {found.size} entries, every hash, text, position and clock is as "
            f"recorded.\nEvery entry keeps to the rules. Signatures checked: {signed}"
            f"{', and each holds' if signed else ''}."
            f"{_texts(found, lawful, export)}\nRoot {found.root}"
            f"{agrees}"
        )
    if found.findings:
        click.get_current_context().exit(5)
