"""What a board member signs: shown in full, confirmed by typing the reference, then signed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.options import Day, note_options
from cli.output import print_receipt
from cli.session import Session, choose_plan, pass_session, said
from cli.signoff_words import screen

if TYPE_CHECKING:
    from domain.signing_commands import CastVote, Confirm, ToSign

F = TypeVar("F", bound=Callable[..., Any])


def at_meeting(*, minute: bool) -> Callable[[F], F]:
    """The words of a decision on a sign-off: of which action and phase, at which meeting."""
    options = [
        click.argument("ref"),
        phase_option,
        # Not `meeting` and `minute`, which a note would take for itself.
        click.option("--meeting", "day", type=Day(), required=True, help="The date of it."),
        click.option("--body", metavar="CODE", help="The body, where several have that power."),
    ]
    if minute:
        help_ = "The minute that records the decision."
        options.append(click.option("--minute", "under", metavar="REF", required=True, help=help_))

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


phase_option = click.option(
    "--phase",
    type=click.IntRange(1, 2),
    required=True,
    help="1: the activity is complete; 2: its impact is evidenced.",
)


def signing_options(function: F) -> F:
    """The words of a signature: with which key, on which files, and that it is meant."""
    for option in (
        note_options(decision=False, effective=False, source=False, replaces=False),
        click.option(
            "--confirm", metavar="REF", help="The reference again, where nobody can type it."
        ),
        click.option(
            "--evidence",
            metavar="DIR",
            type=click.Path(path_type=Path),
            envvar="GOVLEDGER_EVIDENCE",
            help="The folder with the files of evidence, to check. Default: $GOVLEDGER_EVIDENCE.",
        ),
        click.option(
            "--key",
            metavar="FILE",
            type=click.Path(path_type=Path),
            envvar="GOVLEDGER_KEY",
            help="Your private key. Default: $GOVLEDGER_KEY, else the ssh-agent.",
        ),
    ):
        function = option(function)
    return function


@click.command()
@at_meeting(minute=False)
@signing_options
@pass_session
def approve(
    session: Session, ref: str, phase: int, day: date, body: str | None, **given: Any
) -> None:
    """Approve a recommended sign-off, with your signature.

    Shows what you are asked to sign, and asks for the reference to be typed. --dry-run shows the
    same and signs nothing.

    Example: govledger signoff approve P9 --phase 1 --meeting 2025-11-20 --key ~/.ssh/id_ed25519
    """
    _vote(session, "approve", ref, phase, day, body, given)


@click.command()
@at_meeting(minute=False)
@signing_options
@pass_session
def decline(
    session: Session, ref: str, phase: int, day: date, body: str | None, **given: Any
) -> None:
    """Vote against a recommended sign-off, with your signature and a --reason.

    That is one member's vote. That the body as a whole sends it back is: signoff return.

    Example: govledger signoff decline P9 --phase 1 --meeting 2025-11-20 --reason "No audit yet"
    """
    _vote(session, "decline", ref, phase, day, body, given)


@click.command()
@at_meeting(minute=True)
@signing_options
@pass_session
def confirm(
    session: Session,
    ref: str,
    phase: int,
    day: date,
    under: str,
    body: str | None,
    **given: Any,
) -> None:
    """Confirm a stale sign-off for what the action says now, with your signature.

    Shows what has changed since it was signed off. It is renewed once as many members have
    confirmed it as its grant needed approvals.

    Example: govledger signoff confirm SL5 --phase 2 --meeting 2025-11-20 --minute 3.6
    """
    from domain.dates import now
    from domain.signing_commands import Confirm

    _sign(session, Confirm(ref, phase, day, under, now(), body), given)


def _vote(
    session: Session,
    vote: str,
    ref: str,
    phase: int,
    meeting: date,
    body: str | None,
    given: dict[str, Any],
) -> None:
    from domain.dates import now
    from domain.signing_commands import CastVote

    _sign(session, CastVote(ref, phase, vote, meeting, now(), body), given)


def _sign(session: Session, command: CastVote | Confirm, given: dict[str, Any]) -> None:
    """Show it, ask, sign and record; whatever can be refused is refused before anybody signs."""
    from ledger import signatures
    from projections.record import Record
    from projections.signoffs import sheet

    note = replace(given["note"], effective_on=command.meeting)
    with session.ledger() as ledger:
        code = choose_plan(ledger, given["plan"])
        command = replace(command, signed_at=ledger.standing().instant)
        receipt = ledger.govern(code, command, note, dry_run=True)
        ready = ledger.to_sign(code, command, note)
        with ledger.database.reading() as connection:
            record = Record(ledger, connection, code, ledger.moment(command.meeting))
            data = sheet(record, record.state.actions[command.ref], command.phase)
        files = _files(data["evidence"], given["evidence"])
        if not given["dry_run"]:
            _may_ask(session, command.ref, given["confirm"])
        if not session.json:
            click.echo("\n".join(screen(command, ready, data, files)))
        if not given["dry_run"]:
            if given["confirm"] is None:
                ask = f"Type {command.ref} to sign, or press Enter to stop"
                typed = click.prompt(ask, default="", show_default=False)
                _must_be(command.ref, typed)
            signature = signatures.sign(ready.text, ready.key, given["key"])
            receipt = ledger.govern(code, replace(command, signature=signature), note)
        extra = {"statement": ready.text, "content": ready.content, "files": files}
        print_receipt(session, ledger, receipt, _next(command, ready, data), extra)


def _files(items: list[dict[str, Any]], folder: Path | None) -> list[dict[str, Any]]:
    """What became of each file of the evidence; `status` is None where that was not checked.

    Raises:
        BadInput: no-folder.
        Refusal: evidence-changed, evidence-missing, evidence-unreadable.
    """
    from domain.errors import BadInput, Refusal

    lodged = [item for item in items if item["sha256"]]
    if folder is None:
        return [{"file": item["file"], "status": None} for item in lodged]
    if not folder.is_dir():
        raise BadInput("no-folder", f"There is no folder {folder}.", "Check it after --evidence.")
    from documents.evidence_files import Folder

    files = Folder(folder)
    found = [{**item, **files.look_for(item, lodged)} for item in lodged]
    wrong = {
        "changed": "is not as it was lodged: its content has changed since",
        "missing": f"is not in {folder}",
        "unreadable": "cannot be read",
    }
    for status, words in wrong.items():
        for item in found:
            if item["status"] == status:
                raise Refusal(
                    f"evidence-{status}",
                    f"The file '{item['file']}' (evidence {item['evidence']}) {words}. Nothing "
                    "was signed.",
                    "Put the file back as it was lodged. If the new one is to count, it is lodged "
                    "as evidence, and the sign-off recommended again."
                    if status == "changed"
                    else "Name the folder that holds the files: --evidence DIR",
                )
    return [{"file": item["file"], "status": item["status"]} for item in found]


def _may_ask(session: Session, ref: str, typed: str | None) -> None:
    """Raises BadInput needs-confirm: there is nobody to ask; Refusal not-confirmed."""
    from domain.errors import BadInput

    if typed is not None:
        _must_be(ref, typed)
    elif session.json or not sys.stdin.isatty():
        raise BadInput(
            "needs-confirm",
            "To sign asks for the reference to be typed, and there is no terminal to ask on.",
            f"Read what you would sign with --dry-run, then give --confirm {ref}",
        )


def _must_be(ref: str, typed: str) -> None:
    from domain.errors import Refusal
    from domain.scale import folded

    if folded(typed) != folded(ref):
        was = f"'{typed.strip()}' is not {ref}" if said(typed) else f"{ref} was not typed"
        raise Refusal(
            "not-confirmed",
            f"{was}, so nothing was signed and nothing recorded.",
            "Give the command again once you are sure.",
        )


def _next(command: CastVote | Confirm, ready: ToSign, data: dict[str, Any]) -> str:
    vote = getattr(command, "vote", None)
    approved = len(ready.signoff.votes("approve", ready.body.code)) + 1
    if vote == "approve" and approved >= ready.body.quorum:
        return (
            f"govledger signoff grant {data['ref']} --phase {command.phase} "
            f"--meeting {command.meeting} --minute REF"
        )
    return f"govledger signoff show {data['ref']}"
