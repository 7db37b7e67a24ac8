"""Where a ledger is kept: copies, backups, and the rights that a server gives."""

from __future__ import annotations

import shlex
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.output import envelope, print_json, progress_bar
from cli.session import Session, pass_session

if TYPE_CHECKING:
    from ledger.service import Ledger


@click.group()
def ledger() -> None:
    """Copy and back up a ledger, and grant rights to it."""


def _answer(session: Session, found: Ledger, data: dict[str, Any], *lines: str) -> None:
    if session.json:
        print_json(envelope(found, found.moment(), data))
        return
    for line in lines:
        click.echo(line)


@ledger.command()
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@click.option("--dry-run", is_flag=True, help="Say what would be copied, and copy nothing.")
@pass_session
def copy(session: Session, source: str, target: str, dry_run: bool) -> None:
    """Copy a whole ledger to another place, also from SQLite to PostgreSQL or back.

    FROM and TO are paths or addresses. TO must be empty. The copy holds the same entries with the
    same root; it is verified before it stands. A backup is restored in the same way.

    Example: govledger ledger copy govledger.sqlite postgresql://owner@db.example/plan
    """
    from ledger.address import check_free, location_of, open_database
    from ledger.copying import copy_ledger
    from projections.assertions import PlanProjector
    from projections.upkeep import open_ledger

    to = location_of(target)
    with open_ledger(source) as old:
        moment = old.moment()
        data = {"from": old.database.location, "to": to, "dry_run": dry_run}
        check_free(target)
        if dry_run:
            _answer(
                session,
                old,
                data | {"entries": moment.position},
                f"Would copy {moment.position} entries from {data['from']} to {to}. Nothing was "
                "done.",
            )
            return
        with (
            closing(open_database(target, create=True)) as database,
            progress_bar("Copying", moment.position) as tick,
        ):
            size, root = copy_ledger(old, database, PlanProjector(), tick)
        with open_ledger(target) as new:
            _answer(
                session,
                new,
                data | {"entries": size, "root": root},
                f"Copied {size} entries from {data['from']} to {to}, and verified them there.",
                f"Root there  {root}",
                f"Root here   {new.moment(known_at=size).root}",
                f"Next: govledger --ledger {shlex.quote(to)} status",
            )


@ledger.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@pass_session
def backup(session: Session, file: Path, dry_run: bool) -> None:
    """Write the ledger into a new file, while others go on recording.

    The file is a ledger itself, whole as at one moment, and verified; none is overwritten. Keep
    it on another computer. To restore it, copy it back: govledger ledger copy FILE NEW.

    Example: govledger ledger backup 2025-11-12.sqlite
    """
    from ledger.address import check_free
    from ledger.backup import back_up
    from projections.assertions import PlanProjector

    with session.ledger(any_models=True) as found:
        size = found.size()
        data = {"from": session.location, "to": str(file), "dry_run": dry_run}
        if dry_run:
            check_free(str(file))
            said = f"Would back up {size} entries into {file}. Nothing was done."
            _answer(session, found, data | {"entries": size}, said)
            return
        with progress_bar("Backing up", size) as tick:
            size, root = back_up(found, file, PlanProjector(), tick)
        _answer(
            session,
            found,
            data | {"entries": size, "root": root},
            f"Backed up {size} entries into {file}, and verified them there.",
            f"Root {root}",
            "Next: keep the file on another computer.",
        )


@ledger.command()
@click.argument("role")
@click.option("--read-only", is_flag=True, help="The role may only read.")
@click.option("--dry-run", is_flag=True, help="Print the statements, and give none.")
@pass_session
def grant(session: Session, role: str, read_only: bool, dry_run: bool) -> None:
    """Give a PostgreSQL role the rights that recording needs, and no others.

    The role can add entries. Whatever program it uses, it can change and delete none, and no text
    but one that an entry withholds. Refused where it would keep other rights, through PUBLIC or
    another role. Give the command as the owner of the ledger; let everybody else use such a role.

    Example: govledger ledger grant clerks
    """
    from ledger.roles import grant as grant_rights
    from projections.assertions import metadata

    with session.ledger(any_models=True) as found:
        statements = grant_rights(
            found.database, role, list(metadata.tables), read_only=read_only, dry_run=dry_run
        )
        data = {"role": role, "read_only": read_only, "dry_run": dry_run, "statements": statements}
        if dry_run:
            _answer(session, found, data, *(f"{statement};" for statement in statements))
            return
        may = (
            "read, and record nothing"
            if read_only
            else "read and record; it can change no entry, and delete only a text that an entry "
            "withholds"
        )
        _answer(
            session,
            found,
            data,
            f"The role {role} may {may}.",
            f"Next: connect as {role}, and ask: govledger status",
        )
