"""A plan in, as CSV: one row for an action, further rows for its milestones.

Columns, in any order and any case: `ref`, and of `chapter`, `section`, `title`, `owners`,
`milestone`, `timescale`, `rating` as many as the file has. An action with several milestones
has a row for each, with its number under `milestone`; a row of it without a number, if there is
one, is about the action itself.
"""

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from domain.errors import BadInput
from domain.importing import PlannedAction, PlannedMilestone
from domain.scale import Scale
from domain.text import odd_character

LARGEST_BYTES = 10 * 1024 * 1024
"""A plan of some hundred actions is a tenth of a megabyte; what is larger is something else."""

COLUMNS = {
    "ref": ("ref", "reference", "action ref", "no"),
    "chapter": ("chapter", "priority", "area"),
    "section": ("section",),
    "title": ("title", "action", "wording"),
    "owners": ("owners", "owner", "action owner", "lead"),
    "milestone": ("milestone",),
    "timescale": ("timescale", "due by", "due date", "due"),
    "rating": ("rating", "rag", "action rating", "rag rating"),
}
"""The names under which each column is known; `_` and spaces are the same."""


@dataclass(frozen=True)
class _Row:
    line: int
    cells: dict[str, str]

    def get(self, column: str) -> str | None:
        return self.cells.get(column) or None


def read_plan_csv(path: Path) -> list[PlannedAction]:
    """The snapshot of a plan that a CSV file holds, in its order.

    Raises:
        BadInput: the file is missing, empty, too large, not UTF-8, lacks a column, or a row is
            wrong; the message names the line and column.
    """
    rows = _rows(_text(path), path.name)
    by_ref: dict[str, list[_Row]] = {}
    for row in rows:
        ref = row.get("ref")
        if ref is None:
            raise BadInput(
                "missing-reference",
                f"Line {row.line} of {path.name} has no reference.",
                "Give every row the reference of its action, in the column 'ref'.",
            )
        by_ref.setdefault(ref, []).append(row)
    return [_action(ref, group, path.name) for ref, group in by_ref.items()]


def _text(path: Path) -> str:
    try:
        # What has no size of its own (a pipe, a device) is not read without end either.
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
            size = max(path.stat().st_size, len(data))
        if size > LARGEST_BYTES:
            raise BadInput(
                "file-too-large",
                f"{path.name} has {size / 1024 / 1024:.0f} MB; a plan has at most "
                f"{LARGEST_BYTES // 1024 // 1024} MB.",
                "Check that it is the plan, and save it as CSV without other sheets.",
            )
    except OSError as error:
        raise BadInput(
            "cannot-read-file", f"{path} cannot be read: {error.strerror}.", "Check the path."
        ) from None
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise BadInput(
            "not-csv", f"{path.name} is an Office file, not CSV.", "Save it as CSV UTF-8 first."
        )
    try:
        # utf-8-sig: Excel puts a byte-order mark before 'CSV UTF-8'.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadInput(
            "wrong-encoding",
            f"Line {line} of {path.name} is not UTF-8 text.",
            "Save the file as 'CSV UTF-8 (comma delimited)'.",
        ) from None
    if "\x00" in text:
        raise BadInput("not-csv", f"{path.name} is not a text file.", "Save the plan as CSV UTF-8.")
    if not text.strip():
        raise BadInput("empty-file", f"{path.name} is empty.", "Check that the plan was saved.")
    return text


def _rows(text: str, name: str) -> list[_Row]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = _header(next(reader), name)
        rows = []
        # A cell may hold new lines, so a row is named by the line on which it begins.
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) > len(header) and any(c.strip() for c in cells[len(header) :]):
                    raise BadInput(
                        "too-many-cells",
                        f"Line {line} of {name} has {len(cells)} cells under {len(header)} "
                        "column headings.",
                        "Put cells that hold commas between double quotes.",
                    )
                named = zip(header, cells, strict=False)
                found = {column: cell.strip() for column, cell in named if column}
                rows.append(_Row(line, _printable(found, line, name)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadInput(
            "not-csv",
            f"Line {reader.line_num} of {name} cannot be read as CSV: {error}.",
            "Look for a double quote that is not closed.",
        ) from None
    if not rows:
        raise BadInput("empty-file", f"{name} has headings and no actions.", "Check the file.")
    return rows


def _printable(cells: dict[str, str], line: int, name: str) -> dict[str, str]:
    for column, cell in cells.items():
        odd = odd_character(cell, allowed="\n\r\t")
        if odd:
            raise BadInput(
                "control-character",
                f"Line {line} of {name}, column '{column}': holds {odd}; it has to be printable "
                "text.",
                "Take that out.",
            )
    return cells


def _header(cells: list[str], name: str) -> list[str]:
    known = {alias: column for column, aliases in COLUMNS.items() for alias in aliases}
    header = [known.get(" ".join(c.replace("_", " ").split()).casefold(), "") for c in cells]
    for column in COLUMNS:
        if header.count(column) > 1:
            raise BadInput(
                "duplicate-column",
                f"Line 1 of {name} has two columns for '{column}'.",
                "Rename or remove one of them.",
            )
    if "ref" not in header:
        raise BadInput(
            "missing-column",
            f"Line 1 of {name} has no column 'ref'. Its columns are: {', '.join(cells)}.",
            "Add a column 'ref' with the reference of each action.",
        )
    if len(set(header) - {"", "ref"}) == 0:
        raise BadInput(
            "missing-column",
            f"Line 1 of {name} has no column beside 'ref' that the ledger knows.",
            f"Known columns: {', '.join(COLUMNS)}.",
        )
    return header


def _action(ref: str, rows: list[_Row], name: str) -> PlannedAction:
    whole = [row for row in rows if row.get("milestone") is None]
    numbered = [row for row in rows if row.get("milestone") is not None]
    if len(whole) > 1:
        raise BadInput(
            "duplicate-reference",
            f"Line {whole[1].line} of {name}: {ref} stands on line {whole[0].line} already.",
            "Give each action one row, and number the rows of its milestones under 'milestone'.",
        )
    numbers: dict[int, _Row] = {}
    for row in numbered:
        written = row.get("milestone") or ""
        if not written.isascii() or not written.isdigit() or not 0 < int(written) < 1000:
            raise BadInput(
                "bad-milestone",
                f"Line {row.line} of {name}: milestone '{written}' is not a number from 1 to 999.",
                "Number the milestones of an action 1, 2, 3 …",
            )
        if int(written) in numbers:
            raise BadInput(
                "duplicate-reference",
                f"Line {row.line} of {name}: milestone {written} of {ref} stands on line "
                f"{numbers[int(written)].line} already.",
                "Give each milestone one row.",
            )
        numbers[int(written)] = row
    only: int | None = None
    if not whole and len(numbered) == 1:
        # A plan that numbers every row: a single milestone may be the action itself.
        whole, numbers, only = numbered, {}, next(iter(numbers))
    own = whole[0] if whole else None
    first = own or numbered[0]
    return PlannedAction(
        ref=ref,
        line=first.line,
        chapter=first.get("chapter"),
        section=first.get("section"),
        title=first.get("title"),
        owners=first.get("owners"),
        timescale=own.get("timescale") if own else None,
        rating=own.get("rating") if own else None,
        milestones=tuple(
            PlannedMilestone(number, row.line, row.get("timescale"), row.get("rating"))
            for number, row in sorted(numbers.items())
        ),
        numbered=only,
    )


def read_scale(path: Path) -> Scale:
    """A plan's own key for actions, from a JSON file: a list of steps from the worst to the best.

    Each step has key, label, colour, meaning (not_started, off_track, on_track,
    activity_complete or complete), and perhaps also (other labels).

    Raises:
        BadInput: cannot-read-file, bad-scale.
    """
    try:
        return Scale.model_validate({"steps": json.loads(_text(path))})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadInput(
            "bad-scale", f"{path.name} is not a scale: {place}: {first['msg']}.", "See the docs."
        ) from None
    except (ValueError, RecursionError) as error:
        raise BadInput("bad-scale", f"{path.name} is not JSON: {error}.", "See the docs.") from None
