"""The ledger as a whole: begin it, look at it, prove it, mend its read models, void an entry."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from cli.held import key_of, log_key_option, read_held
from cli.options import note_options
from cli.output import (
    ENVELOPE,
    day,
    envelope,
    in_full,
    instant,
    print_json,
    print_receipt,
    show_text,
    table,
)
from cli.session import Session, choose_plan, pass_session


@click.command()
@click.option("--name", help="What people call it. Default: the name of the file or database.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@pass_session
def init(session: Session, name: str | None, dry_run: bool) -> None:
    """Begin a new ledger.

    Whoever begins it is its first administrator, who enrols people and establishes bodies. Say
    who you are with --as NAME.

    Example: govledger --ledger plan.sqlite init --name "Improvement plan"
    """
    from domain.text import one_line
    from ledger.database import check_free, default_name
    from projections.upkeep import create_ledger

    called = one_line(name or default_name(session.path), "The name of a ledger")
    administrator = session.recorded_by
    data = {
        "name": called,
        "path": session.location,
        "administrator": administrator,
        "dry_run": dry_run,
    }
    if dry_run:
        check_free(session.path)
        if session.json:
            print_json(dict.fromkeys(ENVELOPE) | {"data": data})
        else:
            click.echo(
                f"Would begin the ledger '{called}' in {session.location}, with {administrator} as "
                "its first administrator. Nothing was done."
            )
        return
    ledger = create_ledger(session.path, called, administrator)
    moment = ledger.moment()
    if session.json:
        print_json(envelope(ledger, moment, data))
    else:
        click.echo(
            f"Began the ledger '{called}' in {session.location}, with entry 1. {administrator} is "
            "its first administrator."
        )
        following = "govledger plan import FILE --plan CODE --as-at DATE --source REF"
        click.echo(f"Next: {in_full(session, following)}")
    ledger.close()


@click.command()
@pass_session
def status(session: Session) -> None:
    """Show the ledger's size, root and last report.

    Example: govledger status
    """
    from ledger.fates import fates
    from projections.assertions import VERSION, PlanProjector
    from projections.state import read_state

    with session.ledger(any_models=True) as ledger:
        moment = ledger.moment()
        plans: list[dict[str, Any]] = []
        with ledger.database.reading() as connection:
            model = PlanProjector().position(connection)
            in_step = model == (VERSION, moment.position)
            for code in ledger.plan_codes() if in_step else ():
                state = read_state(connection, code, moment)
                last = max(state.plan.reports.values(), key=lambda r: r.as_at, default=None)
                plans.append(
                    {
                        "code": code,
                        "title": state.plan.title,
                        "actions": len(state.actions),
                        "last_report": last.ref if last else None,
                        "closed_until": last.as_at.isoformat() if last else None,
                    }
                )
            said = fates(connection)
        opened: Any = ledger.opened().event
        data = {
            "name": opened.name,
            "size": moment.position,
            "last_recorded_at": instant(moment.known_at),
            "plans": plans,
            "texts": {"withheld": len(said.withheld), "exempt": len(said.exempt)},
            "read_models": {
                "in_step": in_step,
                "version": model[0] if model else None,
                "position": model[1] if model else None,
            },
        }
        if session.json:
            print_json(envelope(ledger, moment, data))
            return
        lines = [
            f"Ledger      {opened.name} ({session.location})",
            f"Identity    {opened.ledger_id}",
            f"Entries     {moment.position}, the last recorded {instant(moment.known_at)}",
            f"Root        {moment.root}",
            f"Read models {'in step' if in_step else 'NOT in step: run govledger rebuild'}",
        ]
        if said.withheld or said.exempt:
            lines.append(f"Texts       {len(said.withheld)} withheld, {len(said.exempt)} exempt")
        for plan in plans:
            lines.append(f"Plan        {plan['code']}: {plan['title']}, {plan['actions']} actions")
            report = (
                f"{plan['last_report']}, period closed up to {day(plan['closed_until'])}"
                if plan["last_report"]
                else "none yet"
            )
            lines.append(f"Last report {report}")
        show_text("\n".join(lines))


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, drawn on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.update(task, completed=done)


@click.command()
@pass_session
def rebuild(session: Session) -> None:
    """Make the read models anew from the entries.

    The entries are not touched, and what you read afterwards is what you read before.

    Example: govledger rebuild
    """
    from projections.upkeep import rebuild as rebuild_models

    with session.ledger(any_models=True) as ledger:
        with progress_bar("Rebuilding", ledger.size()) as tick:
            done = rebuild_models(ledger, tick)
        if session.json:
            print_json(envelope(ledger, ledger.moment(), {"entries": done}))
        else:
            click.echo(f"Rebuilt the read models from {done} entries. Next: govledger verify")


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


def _held_against(ledger: Any, file: Path | None, log_key: str | None) -> tuple[Any, ...]:
    """What is wrong by a checkpoint that the person holds."""
    if file is None:
        if log_key is not None:
            raise click.UsageError("--log-key goes with --checkpoint FILE.")
        return ()
    from ledger.proving import checkpoint_findings

    key = key_of(log_key) if log_key is not None else None
    return tuple(checkpoint_findings(ledger, read_held(file), key))


def _verdict(kinds: set[str], about_rules: set[str]) -> str:
    """What the kinds of finding come to, in a sentence."""
    if kinds <= {"read-model-changed"}:
        return "the entries are as recorded, the read models made from them are not."
    if kinds <= {"read-model-changed"} | about_rules:
        return (
            "every hash is right, but an entry breaks a rule or carries a signature that does not "
            "hold, so somebody has gone round the commands. Keep the file as it is and compare it "
            "with a copy."
        )
    return (
        "this is not the history that was recorded. Keep the file as it is and compare it with "
        "a copy."
    )


def _withheld(count: int, unsigned: int) -> str:
    """How many texts are withheld, in lines of their own; nothing where none is."""
    if not count:
        return ""
    texts = "1 text is withheld, by an entry that says" if count == 1 else ""
    said = f"\n{texts or f'{count} texts are withheld, each by an entry that says'} on what basis."
    if unsigned:
        said += f"\nSignatures that nobody can check, as the statement is withheld: {unsigned}."
    return said


@click.command()
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
    session: Session, expect: str | None, checkpoint_file: Path | None, log_key: str | None
) -> None:
    """Prove that the history is whole.

    Recomputes every hash, commitment, position and clock, holds each entry to the rules, checks
    each signature with ssh-keygen, and holds the read models to the entries. Reports everything
    that it finds, and ends with exit code 5 if there is anything.

    A ledger alone cannot show that its end was left off, or that all of it was written anew with
    its hashes. A root that you hold shows both: every answer prints one with its entry number. So
    does a checkpoint; with --log-key its signature is checked too.

    Example: govledger verify
    """
    from dataclasses import asdict, replace

    from domain.dates import london_day, now
    from ledger.lawfulness import KINDS, check_lawfulness
    from ledger.store import Moment
    from ledger.verification import Finding
    from ledger.verification import verify as verify_store
    from projections.upkeep import check_read_models

    with session.ledger(any_models=True) as ledger:
        with progress_bar("Verifying", ledger.size()) as tick:
            found = verify_store(ledger, tick, held_root(expect))
        lawful = check_lawfulness(ledger)
        every = (*found.findings, *lawful.findings, *check_read_models(ledger))
        every += _held_against(ledger, checkpoint_file, log_key)
        if lawful.failure and every:
            # What was found comes first; without ssh-keygen alone this is a failure, see below.
            unchecked = Finding("signature-unchecked", None, lawful.failure.message)
            every = (*every, unchecked)
        found = replace(found, findings=every)
        if session.json:
            moment = Moment(london_day(now()), found.size, None, found.root)
            findings = [asdict(finding) for finding in found.findings]
            data = {
                "size": found.size,
                "signatures_checked": lawful.signatures_checked,
                "signatures_withheld": lawful.unsigned,
                "withheld": found.withheld,
                "findings": findings,
            }
            if lawful.failure and not findings:
                raise lawful.failure
            print_json(envelope(ledger, moment, data))
        elif found.findings:
            rows = [
                (finding.position or "", finding.kind, finding.message)
                for finding in found.findings
            ]
            show_text(table(session, ("Entry", "Finding", "What is wrong"), rows))
            verdict = _verdict({finding.kind for finding in found.findings}, set(KINDS))
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
                f"Root {found.root}"
            )
            raise lawful.failure
        else:
            signed = lawful.signatures_checked
            click.echo(
                f"Verified: {found.size} entries, every hash, text, position and clock is as "
                f"recorded.\nEvery entry keeps to the rules. Signatures checked: {signed}"
                f"{', and each holds' if signed else ''}."
                f"{_withheld(found.withheld, lawful.unsigned)}\nRoot {found.root}"
            )
    if found.findings:
        click.get_current_context().exit(5)


@click.command()
@click.argument("position", metavar="N", type=click.IntRange(1, 1_000_000_000_000))
@note_options(decision=True, effective=False, replaces=False, source=False)
@pass_session
def void(session: Session, position: int, note: Any, plan: str | None, dry_run: bool) -> None:
    """Say that an entry was a mistake.

    The entry stays in the ledger, and whoever asks what was known before still sees it. To put
    the right entry in its place in the same step, record that with --replaces N instead.

    Example: govledger void 331 --reason "Entered for the wrong action"
    """
    from domain.errors import Refusal

    with session.ledger() as ledger:
        if plan is not None:
            choose_plan(ledger, plan)
            of = ledger.void(position, note, dry_run=True).plan.code
            if of != plan:
                raise Refusal(
                    "not-on-this",
                    f"Entry {position} is not on plan {plan} but on {of}.",
                    f"Find the entry to void with: govledger log --plan {plan}",
                )
        receipt = ledger.void(position, note, dry_run=dry_run)
        ref = receipt.entries[0].stream_id.partition("/")[2].partition("/")[2]
        print_receipt(session, ledger, receipt, f"govledger log {ref}".rstrip())
