"""A ledger from an export: the same entries, texts and root, with its read models made anew."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from domain.errors import IntegrityBroken, Refusal
from ledger.address import check_free, is_url, open_database
from ledger.copying import copy_into
from ledger.database import Database
from ledger.export_check import ExportCheck, verify_export
from ledger.service import Ledger
from ledger.verification import Finding, Verified
from projections.assertions import PlanProjector
from projections.upkeep import open_ledger


def check_restorable(folder: Path, tick: Callable[[int], None] = lambda _done: None) -> Verified:
    """Verify an export from which a ledger is to be restored.

    Args:
        tick: told now and then how many entries are done.

    Raises:
        IntegrityBroken: not-whole, where the export does not verify.
        Refusal: texts-left-out, for a public export that lacks texts.
        Failed: no-export.
    """
    found = verify_export(folder, tick)
    if found.findings:
        raise IntegrityBroken(
            "not-whole",
            "This export is not what was exported, so nothing was made of it. "
            f"{found.findings[0].message}",
            f"See everything that is found: govledger verify {folder}",
        )
    left_out = len(_opened(folder).left_out)
    if left_out:
        raise Refusal(
            "texts-left-out",
            f"This is a public export: {left_out} texts were left out of it, so the ledger cannot "
            "be restored from it.",
            "Use an export that was made without --public.",
        )
    return found


def restore(folder: Path, address: str, tick: Callable[[int], None] = lambda _done: None) -> None:
    """Make a ledger from an export that is restorable; all of it or nothing.

    Args:
        address: path or URL of the new ledger.
        tick: told now and then how many entries are done.

    Raises:
        IntegrityBroken: not-whole.
        Failed: already-there, already-a-ledger, not-empty, no-folder.
    """
    if is_url(address):
        with closing(open_database(address, create=True)) as database:
            _copy(_opened(folder), database, tick)
        return
    check_free(address)
    # Made beside it, so that at no moment anything half-made bears its name.
    temporary = Path(f"{address}.{uuid.uuid4().hex}")
    try:
        with closing(open_database(temporary, create=True)) as database:
            _copy(_opened(folder), database, tick)
        check_free(address)
        temporary.rename(address)
    finally:
        for ending in ("", "-wal", "-shm"):
            Path(f"{temporary}{ending}").unlink(missing_ok=True)


@contextmanager
def scratch_ledger(folder: Path) -> Iterator[Ledger]:
    """A ledger in a temporary file made from an export that verifies, also from a public one."""
    with TemporaryDirectory(prefix="govledger-") as place:
        path = Path(place, "scratch.sqlite")
        with closing(open_database(path, create=True)) as database:
            _copy(_opened(folder), database)
        ledger = open_ledger(path)
        try:
            yield ledger
        finally:
            ledger.close()


def _opened(folder: Path) -> ExportCheck:
    export = ExportCheck(folder)
    export.prepare()
    return export


def _copy(
    export: ExportCheck, target: Database, tick: Callable[[int], None] = lambda _done: None
) -> None:
    def left_out(finding: Finding) -> bool:
        return finding.kind == "text-missing" and bool(export.left_out)

    copy_into(
        target,
        export.stored(),
        (export.manifest["size"], export.manifest["root"]),
        [(*place, said.by, said.basis) for place, said in export.fates.withheld.items()],
        projector=PlanProjector(),
        overlook=left_out,
        tick=tick,
    )
