"""The whole ledger as a folder that anybody can check; and back from such a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.ledger import progress_bar
from cli.output import envelope, in_full, print_json
from cli.session import Session, pass_session


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--public", is_flag=True, help="Leave out the texts that are marked exempt.")
@pass_session
def export(session: Session, folder: Path, public: bool) -> None:
    """Write the whole ledger into a new folder that anybody can check.

    The folder holds every entry and text, what members signed, a manifest, and a program of one
    file, verify.py, that checks all of it with nothing but Python; README.txt says how. Every entry
    is verified as it is written: a ledger that is not whole is not exported.

    With --public the texts that are marked exempt are left out, and those that repeat one word for
    word; every hash still verifies. What says the same in other words is for you to find.

    Example: govledger export evidence
    """
    from documents.export_folder import write_export

    with session.ledger(any_models=True) as ledger:
        with progress_bar("Exporting", ledger.size()) as tick:
            manifest = write_export(ledger, folder, public=public, tick=tick)
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
        copies = [line for line in left_out if line["copy_of"]]
        if public:
            click.echo(
                f"Left out: {len(left_out) - len(copies)} texts that are exempt, and {len(copies)} "
                f"that repeat one. Each is listed in {folder}/left_out.jsonl."
            )
        click.echo(f"Next: {in_full(session, f'govledger verify {folder}')}")
