"""Sign-offs in words: what a member reads before signing, and what anyone reads afterwards."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cli.output import day, in_full, table
from cli.session import Session

if TYPE_CHECKING:
    from domain.signing_commands import CastVote, Confirm, ToSign


# --- before signing ---------------------------------------------------------------------

TITLES = {
    "approve": "{ref}: you are asked to approve, in phase {phase}, that {means}",
    "decline": "{ref}: you are about to vote against phase {phase}, that {means}",
    "confirm": "{ref}: you are asked to confirm the sign-off of phase {phase}, that {means}",
}
CHECKED = {
    None: "not checked",
    "present": "present, and as it was lodged",
    "renamed": "present under another name, and as it was lodged",
}


def screen(
    command: CastVote | Confirm,
    ready: ToSign,
    data: dict[str, Any],
    files: list[dict[str, Any]],
) -> Iterator[str]:
    """Everything that the person should have read before signing."""
    from domain.content import claims_in
    from ledger.keys import fingerprint

    claims = claims_in(ready.text)
    decision = claims["Decision"]
    yield TITLES[decision].format(**data)
    if decision == "confirm":
        changed = _changed(data["changed"]) or ["What it was is withheld."]
        yield from _block("Changed since it was signed off", changed)
    yield from _block("What is shown" if decision != "confirm" else "What is shown now")
    for line in ready.content.splitlines():
        yield from _wrapped(line.strip(), 4 if line.startswith("    ") else 2)
    checked = [f"{file['file']}: {CHECKED[file['status']]}" for file in files]
    if any(file["status"] is None for file in files):
        checked.append("To have the files checked, name their folder with --evidence DIR.")
    yield from _block("The files of evidence", checked or ["None: all of it is by reference."])
    recommended = data["recommendation"]
    if recommended:
        by = f"By {recommended['name']}, for {recommended['lead_name']}"
        on = f"on {day(recommended['on'])} (entry {recommended['entry']})"
        why = f"Reason: {recommended['reason'] or 'none given'}"
        yield from _block("Recommended", [f"{by}, {on}", why])
    if decision == "confirm":
        done, quorum = len(data["confirmed_by"]), data["quorum"]
        confirmed = [f"{done} of the {quorum} confirmations needed"]
        yield from _block("Confirmed so far, as it is shown now", confirmed)
    else:
        approved, needed = len(data["approvals"]), ready.body.quorum
        votes = [_vote(vote) for vote in data["signed"] if vote["counts"]]
        yield from _block(f"Votes so far: {approved} of the {needed} approvals needed", votes)
    signer, meeting = ready.signer, day(command.meeting)
    yield from _block(
        "You sign as",
        [
            f"{signer.name}, {signer.role}",
            f"{claims['Seat']}, at its meeting of {meeting}",
            f"With the key {fingerprint(ready.key)}",
        ],
    )
    yield from _block("Your signature means", [claims["Meaning"]])
    if decision == "approve":
        yield from _wrapped(
            f"Once {ready.body.quorum} members have approved, the board can grant it; the rating "
            f"then goes from {data['rating']} to {data['moves_to']}. To vote against it instead: "
            "govledger signoff decline",
            2,
        )
    yield from _block("The statement that is signed, word for word")
    yield from (f"  {line}" for line in ready.text.splitlines())
    yield ""
    yield from _wrapped(
        "The Content SHA-256 in it is the fingerprint of what is shown above: should any of that "
        "change later, the sign-off shows as stale.",
        2,
    )
    yield ""


def _block(title: str, lines: list[str] | None = None) -> Iterator[str]:
    yield ""
    yield title
    for line in lines or ():
        yield from _wrapped(line, 2)


def _wrapped(line: str, indent: int) -> list[str]:
    """The line as it fits the screen, indented."""
    width = max(40, min(100, shutil.get_terminal_size().columns))
    return textwrap.wrap(
        line,
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _changed(changed: list[dict[str, str]]) -> list[str]:
    """What reads otherwise than when it was signed off."""
    return [f"{one['what']}: was {one['then']}; now {one['now']}" for one in changed]


DECISIONS = {"approve": "approved", "decline": "voted against", "confirm": "confirmed it"}


def _vote(vote: dict[str, Any]) -> str:
    """A signed vote or confirmation in one line, and why, where that was said."""
    role = f", {vote['role']}" if vote["role"] else ""
    why = f": {vote['reason']}" if vote["reason"] else ""
    said = f"{DECISIONS[vote['decision']]} on {day(vote['meeting'])} (entry {vote['entry']})"
    gone = f"; statement {vote['statement']}" if vote["statement"] else ""
    return f"{vote['name']}{role}: {said}{gone}{why}"


# --- lists ------------------------------------------------------------------------------


def all_lines(session: Session, data: dict[str, Any], stale: bool) -> list[str]:
    """Every sign-off in a table, and how many ratings were taken over."""
    rows = [
        (line["ref"], line["title"], line["phase"], _status(line), line["body_name"], _when(line))
        for line in data["signoffs"]
    ]
    headings = ("Ref", "Action", "Phase", "Status", "Body", "Decided")
    title = "Stale sign-offs" if stale else "Sign-offs"
    parts = [table(session, headings, rows, f"{title} ({len(rows)})") if rows else f"{title}: none"]
    over = data["taken_over"]
    if over and not stale:
        refs = len({line["ref"] for line in over})
        actions = "1 action has" if refs == 1 else f"{refs} actions have"
        parts.append(
            f"{actions} a rating taken over from a document, which nobody signed off here."
        )
    return parts


def _status(line: dict[str, Any]) -> str:
    """How it stands in a few words; staleness and votes always with it."""
    if line["status"] == "recommended":
        changed = "; CHANGED since, to be recommended again" if line["changed"] else ""
        unread = "; a part of it is NOT HELD any more, to be recommended again"
        changed = changed or (unread if line["in_doubt"] else "")
        return f"recommended, {_votes(line)}{changed}"
    if line["in_doubt"]:
        return f"{line['status']}, IN DOUBT: a part of it is not held any more"
    if not line["stale"]:
        return str(line["status"])
    # What changed is not told where the text of it is withheld.
    names = ", ".join(one["what"] for one in line["changed"])
    return f"{line['status']}, STALE" + (f": changed since: {names}" if names else "")


def _votes(line: dict[str, Any]) -> str:
    against = f", {len(line['against'])} against" if line["against"] else ""
    return f"{len(line['approvals'])} of {line['quorum'] or '?'} approvals{against}"


def _when(line: dict[str, Any]) -> str:
    if not line["meeting"]:
        return f"recommended {day(line['since'])}"
    return f"{day(line['meeting'])}, minute {line['minute']}"


def pending_lines(session: Session, waiting: list[dict[str, Any]]) -> str:
    """What waits for a decision, and for whose votes."""
    if not waiting:
        return "Waiting for a decision: none"
    rows = [
        (
            line["ref"],
            line["title"],
            line["phase"],
            f"{line['lead']}, {day(line['since'])}",
            line["body_name"],
            _votes(line),
            _waits_for(line),
        )
        for line in waiting
    ]
    headings = ("Ref", "Action", "Phase", "Recommended", "Body", "Votes", "Waits for")
    return table(session, headings, rows, f"Waiting for a decision ({len(rows)})")


def _waits_for(line: dict[str, Any]) -> str:
    """What a recommendation waits for: the votes of whom, as of which meeting."""
    if line["undecidable"]:
        return f"cannot be decided: {line['undecidable']}"
    if line["changed"]:
        return "to be recommended again: it has changed"
    parts = ["ready to grant"] if line["ready"] else []
    if line["waits_for"] or not line["ready"]:
        who = ", ".join(one["person"] for one in line["waits_for"]) or "nobody can vote"
        at = f"at the meeting of {day(line['judged_at'])}" if line["judged_at"] else ""
        parts.append(f"{who}, {at or 'at a meeting to come'}")
    return "; ".join(parts)


def lines_for(session: Session, data: dict[str, Any]) -> list[str]:
    """What waits for one person's vote, and what is not for them to vote on."""
    name = f"{data['person']['name']} ({data['person']['person']})"
    mine = [line for line in data["signoffs"] if line["can_vote"]]
    rest = [line for line in data["signoffs"] if not line["can_vote"]]
    title, parts = f"Waiting for the vote of {name}", []
    rows: list[tuple[Any, ...]] = [
        (line["ref"], line["title"], line["phase"], line["body_name"], _votes(line))
        for line in mine
    ]
    headings = ("Ref", "Action", "Phase", "Body", "Votes")
    parts.append(
        table(session, headings, rows, f"{title} ({len(rows)})") if rows else f"{title}: none"
    )
    if rest:
        rows = [(line["ref"], line["title"], line["phase"], line["because"]) for line in rest]
        headings_2 = ("Ref", "Action", "Phase", "Because")
        parts.append(table(session, headings_2, rows, f"Not for {name} to vote on ({len(rows)})"))
    if mine:
        first = mine[0]
        act = f"govledger signoff approve {first['ref']} --phase {first['phase']} --meeting DATE"
        parts.append(f"Next: {in_full(session, act)}")
    return parts


# --- one action -------------------------------------------------------------------------


def phase_lines(data: dict[str, Any]) -> Iterator[str]:
    """One phase of an action: how it stands, and everything that led there."""
    yield f"Phase {data['phase']}, that {data['means']}: {_stands(data)}"
    if data["reason"] and data["status"] in ("granted", "declined", "revoked"):
        yield from _wrapped(f"Reason: {data['reason']}", 2)
    if data["status"] == "recommended":
        yield from _wrapped(f"Votes: {_votes(data)}", 2)
    if data["stale"]:
        yield "  STALE: what was signed off has changed since"
        done = len(data["confirmed_by"])
        yield f"    Confirmed as it is now by {done} of the {data['quorum']} members needed"
    elif data["in_doubt"]:
        yield "  IN DOUBT: a part of what is signed off, or of the action now, is not held any more"
    elif data["changed"]:
        yield "  CHANGED since it was recommended, so it has to be recommended again"
    for line in _changed(data["changed"]):
        yield from _wrapped(line, 4)
    if data["changed"]:
        act = "confirm" if data["stale"] else "recommend"
        more = " --meeting DATE --minute REF" if data["stale"] else " --reason TEXT"
        yield f"    Next: govledger signoff {act} {data['ref']} --phase {data['phase']}{more}"
    asked = data["recommendation"]
    if asked:
        by = f"Recommended by {asked['name']}, for {asked['lead_name']}, {day(asked['on'])}"
        yield from _wrapped(f"{by} (entry {asked['entry']}): {asked['reason']}", 2)
    for item in data["evidence"]:
        kept = "; ".join(filter(None, (item["reference"], item["file"])))
        what = f"{item['kind_in_words']}: {item['title']}, dated {day(item['dated'])}; {kept}"
        yield from _wrapped(f"Evidence {item['evidence']}: {what}", 2)
        if item["sha256"]:
            yield f"      SHA-256 {item['sha256']}"
    for vote in data["signed"]:
        if vote["counts"]:
            yield from _wrapped(_vote(vote), 2)
    if data["history"]:
        yield "  Every entry"
    for row in data["history"]:
        minute = f", minute {row['minute']}" if row["minute"] else ""
        gone = (
            f" [VOIDED by entry {row['voided_by']}: {row['void_reason']}]"
            if row["voided_by"]
            else ""
        )
        yield from _wrapped(f"{row['entry']}  {day(row['on'])}: {row['what']}{minute}{gone}", 4)


def _stands(data: dict[str, Any]) -> str:
    """Where the phase stands, in words; and what re-opened it, where a decision fell."""
    again = f"; re-opened by entry {data['reopened_by']}" if data["reopened_by"] else ""
    return f"{_standing(data)}{again}"


def _standing(data: dict[str, Any]) -> str:
    if data["status"] is None:
        return "not recommended yet"
    if data["status"] == "recommended":
        return f"recommended, and waits for {data['body_name'] or 'a body with that power'}"
    if data["status"] == "taken over":
        source = data["taken_over_from"] or "no document that was named"
        return f"taken over from {source}; nobody signed it off here"
    by = f"{data['body_name']}, {day(data['meeting'])}, minute {data['minute']}"
    return f"{data['status']} by {by} (entry {data['entry']})"
