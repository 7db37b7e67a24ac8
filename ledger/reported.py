"""The checkpoints that reports recorded, and whether each is one of this ledger."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from domain.errors import GovledgerError, Refusal
from domain.plan import ReportIssued
from ledger.checkpoint import origin_of, read_checkpoint
from ledger.note import parse_verifier
from ledger.reading import EntryReader
from ledger.store import Store
from ledger.tables import entries


@dataclass(frozen=True)
class Reported:
    """A report as it was recorded, whether or not it was voided since.

    Attributes:
        position: of the entry.
        payload: its fields.
    """

    position: int
    payload: dict[str, Any]

    def text(self, name: str) -> str:
        """The text of one field; empty where it has none."""
        found = self.payload.get(name)
        return found if isinstance(found, str) else ""


def reports(connection: Connection) -> Iterator[Reported]:
    """Every report on record in order; one whose payload cannot be read is passed over."""
    query = (
        select(entries.c.position, entries.c.payload)
        .where(entries.c.type == ReportIssued.tag)
        .order_by(entries.c.position)
    )
    for position, payload in connection.execute(query):
        try:
            found = json.loads(payload)
        except (TypeError, ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield Reported(position, found)


def last_report_key(store: Store) -> str | None:
    """The verifier key that signed the last checkpoint that a report recorded."""
    with store.database.reading() as connection:
        found = [one.text("checkpoint_key") for one in reports(connection)]
    return next((key for key in reversed(found) if key), None)


def report_checkpoint(store: Store, plan: str, ref: str) -> str:
    """The checkpoint that a report recorded, as a signed note.

    Raises:
        Refusal: unknown-report, no-checkpoint.
    """
    known = store.timeline(f"plan/{plan}").items()
    mine = [item.event for item in known if isinstance(item.event, ReportIssued)]
    found = [event for event in mine if event.report == ref]
    if not found:
        raise Refusal(
            "unknown-report",
            f"The plan has no report '{ref}'.",
            f"Its reports: {', '.join(event.report for event in mine) or 'none yet'}.",
        )
    if found[-1].checkpoint is None:
        raise Refusal(
            "no-checkpoint",
            f"Report '{ref}' was recorded without a checkpoint.",
            f"Make one of the same entries now: govledger checkpoint --known-at '#"
            f"{found[-1].known_at}'",
        )
    return found[-1].checkpoint


def bad_checkpoints(connection: Connection, recorder: EntryReader) -> Iterator[tuple[int, str]]:
    """(position, sentence) of each report whose checkpoint or root is not one of this ledger.

    Held are the root that it names to the tree; of its checkpoint the origin to the ledger, the
    size and root to the report, and the signature to the key on record with it.
    """
    query = select(entries.c.payload).where(entries.c.position == 1)
    try:
        origin = origin_of(json.loads(connection.execute(query).scalar() or b"")["ledger_id"])
    except (TypeError, ValueError, KeyError, RecursionError):
        return  # the opening entry cannot be read, which is a finding of its own
    for report in reports(connection):
        why = why_bad(report, origin, lambda size: root_there(connection, recorder, size))
        if why:
            yield report.position, why


def why_bad(report: Reported, origin: str, root_at: Callable[[int], bytes | None]) -> str | None:
    """A sentence that says why the root or checkpoint of a report is none of this ledger.

    Args:
        origin: of the ledger's checkpoints.
        root_at: gives the root over so many entries; None where it has not so many.
    """
    where = f"that entry {report.position} recorded"
    why = _why_root(report, root_at)
    if why:
        return f"The root {where} {why}."
    why = _why_checkpoint(report, origin)
    return f"The checkpoint {where} {why}." if why else None


def _why_root(report: Reported, root_at: Callable[[int], bytes | None]) -> str | None:
    """What is wrong with the root over what the report was made from."""
    size = report.payload.get("known_at")
    if type(size) is not int or not 0 <= size < report.position:
        return f"is of {size} entries, which were not there yet"
    root = root_at(size)
    if root is None or root.hex() != report.payload.get("root"):
        return f"is not the ledger's over its first {size} entries"
    return None


def _why_checkpoint(report: Reported, origin: str) -> str | None:
    """What is wrong with the checkpoint, where there is one."""
    written, key = report.text("checkpoint"), report.text("checkpoint_key")
    if not written and not key:
        return None
    try:
        held = read_checkpoint(written.encode())
        if held.checkpoint.origin != origin:
            return f"is of another ledger ({held.checkpoint.origin})"
        held.opened_with(parse_verifier(key))
    except GovledgerError as error:
        return f"does not hold: {error.message.rstrip('.')}"
    except UnicodeEncodeError:
        return "does not hold: it is not text"
    said = (held.checkpoint.size, held.checkpoint.root.hex())
    if said != (report.payload.get("known_at"), report.payload.get("root")):
        return "is not of the entries that its report was made from"
    return None


def root_there(connection: Connection, recorder: EntryReader, size: int) -> bytes | None:
    """The root at a size; None where an edit has left something there that is no hash."""
    try:
        return recorder.root(connection, size)
    except TypeError:
        return None
