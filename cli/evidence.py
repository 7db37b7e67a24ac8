"""Evidence: lodged on an action, its files known by their digest and kept outside the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import Day, moment_options, note_options
from cli.output import day, envelope, print_json, resolved, show_text, table
from cli.recording import record
from cli.session import Session, pass_session

if TYPE_CHECKING:
    from projections.state import PlanState

Known = date | datetime | int | None


@click.group()
def evidence() -> None:
    """Lodge evidence, and check its files.

    Files stay where they are kept. The ledger holds the name, the size and the SHA-256 of each,
    so that anyone can see later whether a file is the one that a board was shown.
    """


@evidence.command()
@click.argument("ref")
@click.option(
    "--kind",
    required=True,
    metavar="KIND",
    help="performance, family_feedback, qualitative, staff_feedback or external_review.",
)
@click.option("--title", required=True, help="What it is. Never write anything about a child.")
@click.option("--dated", type=Day(), help="The date of the evidence. Default: --effective-on.")
@click.option(
    "--file",
    "path",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="A file; its name, size and SHA-256 are recorded, and nothing else of it.",
)
@click.option("--reference", metavar="TEXT", help="Where it is kept.")
@click.option(
    "--phase",
    type=click.IntRange(1, 2),
    help="Of the sign-off that it is for. Default: the next that is not granted.",
)
@note_options(decision=False, source=False)
@pass_session
def lodge(
    session: Session,
    ref: str,
    kind: str,
    title: str,
    dated: date | None,
    path: Path | None,
    reference: str | None,
    phase: int | None,
    **given: Any,
) -> None:
    """Lodge evidence on an action.

    Give a file, or a reference to where it is kept, or both.

    Example: govledger evidence lodge SL17 --kind performance --title "Timeliness of assessments"
    --dated 2025-09-30 --reference "Performance report, September 2025, page 4"
    """
    from documents.evidence_files import digest
    from domain.errors import BadInput
    from domain.evidence_commands import Lodge

    name = sha256 = size = None
    if path is not None:
        try:
            sha256, size = digest(path)
        except OSError as error:
            raise BadInput(
                "cannot-read-file",
                f"{path} cannot be read: {error.strerror}.",
                "Check the path after --file; it has to be one file. Several files are several "
                "items of evidence.",
            ) from None
        name = path.name
    kind = kind.strip().casefold().replace("-", "_").replace(" ", "_")
    on = dated or given["note"].effective_on
    command = Lodge(ref, kind, title, on, reference, name, sha256, size, phase)
    extra = {"file": name, "sha256": sha256, "size": size} if name else None

    def remarks(_state: PlanState) -> list[str]:
        return [f"{name}: {size:,} bytes, SHA-256 {sha256}. Keep it as it is."] if name else []

    record(
        session,
        command,
        given,
        lambda state: _after_lodging(state, ref),
        remarks=remarks,
        extra=extra,
    )


def _after_lodging(state: PlanState, ref: str) -> str:
    """Recommend it, or lodge evidence from another source where phase 2 needs more."""
    from projections.boards import sources

    action = state.actions.get(ref)
    if action is None or not action.evidence:
        return f"govledger evidence list {ref}"
    phase = max(action.evidence.items())[1].phase
    found = sources(state, action)
    if phase == 2 and len(found["there"]) < found["needed"]:
        return f"govledger evidence lodge {ref} --kind {found['lacking'][0]} --title TITLE …"
    return f"govledger signoff recommend {ref} --phase {phase}"


@evidence.command("list")
@click.argument("ref")
@moment_options
@pass_session
def list_evidence(
    session: Session, ref: str, as_at: date | None, known_at: Known, plan: str | None
) -> None:
    """Show the evidence that is lodged on an action.

    Example: govledger evidence list SL17
    """
    from projections.boards import evidence_lines, sources
    from projections.state import read_state

    with session.question(as_at, known_at, plan) as asked:
        state = read_state(asked.connection, asked.code, asked.moment)
        action = asked.action(state, ref)
        data = {
            "ref": ref,
            "title": action.title,
            "evidence": evidence_lines(state, action),
            "inner_sources": sources(state, action),
        }
        if session.json:
            print_json(envelope(asked.ledger, asked.moment, data))
            return
        show_text(f"{_sheet(session, data)}\n\n{resolved(asked.moment)}")


def _sheet(session: Session, data: dict[str, Any]) -> str:
    lines = [f"{data['ref']}  {data['title']}", ""]
    items = data["evidence"]
    if not items:
        return "\n".join([*lines, "No evidence is lodged on it."])
    rows = [
        (
            item["evidence"],
            item["phase"],
            item["kind_in_words"],
            item["title"],
            day(item["dated"]),
            "; ".join(filter(None, (item["reference"], item["file"]))),
        )
        for item in items
    ]
    lines.append(table(session, ("No.", "Phase", "Source", "Title", "Dated", "Kept as"), rows))
    there = data["inner_sources"]
    lines += [
        "",
        f"From {len(there['there'])} of the four inner sources; phase 2 needs {there['needed']}.",
    ]
    files = [item for item in items if item["sha256"]]
    if files:
        # The form that sha256sum prints and checks.
        lines += ["", "SHA-256 of the files, as sha256sum prints them:"]
        lines += [f"{item['sha256']}  {item['file']}" for item in files]
    return "\n".join(lines)


# --- check ------------------------------------------------------------------------------


@evidence.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("ref", required=False)
@moment_options
@pass_session
def check(
    session: Session,
    folder: Path,
    ref: str | None,
    as_at: date | None,
    known_at: Known,
    plan: str | None,
) -> None:
    """Say which files of the evidence are present, missing or changed.

    Looks in a folder and the folders in it for each file that was lodged: by its name, and where
    that is not there or has changed, by its SHA-256, so that a file which was renamed is found.
    Ends with exit code 1 if any file is missing, changed or cannot be read.

    Example: govledger evidence check . SL17
    """
    from documents.evidence_files import Folder
    from domain.errors import BadInput
    from projections.boards import evidence_lines
    from projections.state import read_state

    if not folder.is_dir():
        raise BadInput(
            "no-folder",
            f"{folder} is not a folder." if folder.exists() else f"There is no folder {folder}.",
            "Give the folder in which the files of the evidence are kept.",
        )
    with session.question(as_at, known_at, plan) as asked:
        state = read_state(asked.connection, asked.code, asked.moment)
        actions = [asked.action(state, ref)] if ref else list(state.actions.values())
        items = [line for action in actions for line in evidence_lines(state, action)]
        files = Folder(folder)
        held = [item for item in items if item["sha256"]]
        lodged = [{**item, **files.look_for(item, held)} for item in held]
        counts = _counts(lodged)
        unread = {files.shown(path): why for path, why in files.unread.items()}
        data = {
            "folder": str(folder),
            "files": lodged,
            "counts": counts,
            "without_a_file": len(items) - len(held),
            "unread": unread,
        }
        wrong = any(counts[status] for status in ("missing", "changed", "unreadable"))
        if session.json:
            print_json(envelope(asked.ledger, asked.moment, data))
        else:
            show_text(f"{_report(session, data)}\n\n{resolved(asked.moment)}")
            # What could not be read matters where something was not found.
            for path, why in unread.items() if wrong else ():
                click.echo(f"Note: {path} could not be read: {why}.", err=True)
    if wrong:
        click.get_current_context().exit(1)


def _counts(lodged: Iterable[dict[str, Any]]) -> dict[str, int]:
    counts = dict.fromkeys(("present", "renamed", "missing", "changed", "unreadable"), 0)
    for item in lodged:
        counts[item["status"]] += 1
    return counts


def _report(session: Session, data: dict[str, Any]) -> str:
    words = {
        "present": "present",
        "renamed": "present, under another name",
        "missing": "MISSING",
        "changed": "CHANGED",
        "unreadable": "CANNOT BE READ",
    }
    rows = [
        (f["ref"], f["evidence"], f["file"], words[f["status"]], f["at"] or "")
        for f in data["files"]
    ]
    counts = ", ".join(f"{n} {words[status]}" for status, n in data["counts"].items() if n)
    lines = [table(session, ("Ref", "No.", "File", "Is", "Found as"), rows), ""] if rows else []
    lines.append(f"Files of evidence: {counts or 'none lodged'}.")
    if data["without_a_file"]:
        lines.append(f"Items without a file, not checked: {data['without_a_file']}.")
    return "\n".join(lines)
