"""Evidence lodged on an action: what it is, where it comes from, and the digest of its file.

The file itself stays outside the ledger.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from domain.event import Event
from domain.text import Text

Kind = Literal["performance", "family_feedback", "qualitative", "staff_feedback", "external_review"]
KINDS: dict[str, str] = {
    "performance": "performance figures",
    "family_feedback": "feedback from children, young people, parents and carers",
    "qualitative": "qualitative information, such as audits",
    "staff_feedback": "feedback from staff",
    "external_review": "external review",
}
"""The kinds of source, in words."""
INNER_KINDS = ("performance", "family_feedback", "qualitative", "staff_feedback")
"""The four sources of which impact needs several together."""


class EvidenceLodged(Event):
    """An item of evidence is lodged on the action.

    Fields: evidence (its number on this action), phase (of the sign-off that it is for), kind,
    called (its title), dated, reference (where to find it), file (its name), sha256 and size
    (bytes) of the file.
    """

    tag = "evidence.lodged/1"
    part = ("evidence",)
    evidence: int
    phase: int
    kind: Kind
    called: Text
    dated: date
    reference: Text | None = None
    file: Text | None = None
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True)
class Evidence:
    """An item of evidence."""

    evidence: int
    phase: int
    kind: str
    called: str
    dated: date
    reference: str | None = None
    file: str | None = None
    sha256: str | None = None
    size: int | None = None

    def __str__(self) -> str:
        # What people type is quoted, so that a title cannot read as a date or a file.
        parts = [f"{KINDS[self.kind]}: {_quoted(self.called)}, dated {self.dated}"]
        if self.reference is not None:
            parts.append(f"reference {_quoted(self.reference)}")
        if self.file is not None or self.sha256 is not None:
            name = "" if self.file is None else f" {_quoted(self.file)}"
            parts.append(f"file{name}, {self.size} bytes, SHA-256 {self.sha256}")
        return "; ".join(parts)


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
