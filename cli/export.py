"""The whole ledger as a folder that anybody can check; and back from such a folder."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.held import key_option
from cli.output import ENVELOPE, envelope, in_full, print_json, progress_bar
from cli.session import Session, pass_session

if TYPE_CHECKING:
    from ledger.note import Signer


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--public", is_flag=True, help="Leave out the texts that are marked exempt.")
@key_option
@pass_session
def export(session: Session, folder: Path, public: bool, key: Path | None) -> None:
    """Write the whole ledger into a new folder that anybody can check.

    The folder holds every entry and text, what members signed, a manifest, and a program of one
    file, verify.py, that checks all of it with nothing but Python; README.txt says how. Every entry
    is verified as it is written: a ledger that is not whole is not exported.

    With --public the texts that are marked exempt are left out, and those that repeat one word for
    word; every hash still verifies. What says the same in other words is for you to find.

    Where the ledger's key is at hand, the folder holds a signed checkpoint too.

    Example: govledger export evidence
    """
    from documents.export_folder import write_export
    from domain.errors import Refusal
    from ledger.log_key import need_key, signed_now

    with session.ledger(any_models=True) as ledger:
        lacking = ""
        try:
            held: Signer | None = need_key(ledger, key)
        except Refusal as error:
            if key is not None:
                raise
            held, lacking = None, error.message

        def signed(size: int) -> str:
            return signed_now(ledger, key, size)

        with progress_bar("Exporting", ledger.size()) as tick:
            manifest = write_export(
                ledger, folder, public=public, checkpoint=signed if held else None, tick=tick
            )
        left_out: list[dict[str, Any]] = manifest["left_out"]
        if session.json:
            data = {"folder": str(folder), "manifest": manifest}
            print_json(envelope(ledger, ledger.moment(known_at=manifest["size"]), data))
            return
        counts = manifest["counts"]
        click.echo(
            f"Exported {counts['entries']} entries and {counts['texts']} texts to {folder}.\n"
            f"Root {manifest['root']}"
        )
        if lacking:
            click.echo(f"It holds no checkpoint. {lacking}", err=True)
        copies = [line for line in left_out if line["copy_of"]]
        if public:
            click.echo(
                f"Left out: {len(left_out) - len(copies)} texts that are exempt, and {len(copies)} "
                f"that repeat one. Each is listed in {folder}/left_out.jsonl."
            )
        click.echo(f"Next: {in_full(session, f'govledger verify {folder}')}")


@click.command("import-ledger")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--ledger", "address", metavar="TO", help="The new ledger. Default: as before the command."
)
@click.option("--dry-run", is_flag=True, help="Check the export, and make nothing.")
@pass_session
def import_ledger(session: Session, folder: Path, address: str | None, dry_run: bool) -> None:
    """Make a ledger again from a folder that 'export' wrote.

    The new ledger holds the same entries with the same root, on SQLite or PostgreSQL. The folder is
    verified first, and the ledger after; where anything does not hold, nothing is made. A public
    export that lacks texts cannot be restored from.

    Example: govledger import-ledger evidence --ledger restored.sqlite
    """
    from ledger.address import check_free, location_of
    from projections.restoring import check_restorable, restore
    from projections.upkeep import open_ledger

    address = address or session.path
    place = location_of(address)
    check_free(address)
    with progress_bar("Verifying", 0) as tick:
        found = check_restorable(folder, tick)
    data = {"folder": str(folder), "to": place, "entries": found.size, "dry_run": dry_run}
    if dry_run:
        if session.json:
            print_json(dict.fromkeys(ENVELOPE) | {"root": found.root, "data": data})
        else:
            click.echo(f"Would make a ledger of {found.size} entries in {place}. Nothing was done.")
        return
    with progress_bar("Importing", found.size) as tick:
        restore(folder, address, tick)
    with open_ledger(address) as ledger:
        moment = ledger.moment()
        if session.json:
            print_json(envelope(ledger, moment, data))
            return
        click.echo(
            f"Restored {moment.position} entries to {place}, and verified them there.\n"
            f"Root in the export  {found.root}\nRoot of the ledger  {moment.root}"
        )
        click.echo(f"Next: govledger --ledger {shlex.quote(place)} status")
