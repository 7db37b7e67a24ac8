"""The minutes of a meeting as text, ready to be pasted."""

from typing import Any

from projections.record import in_words


def minutes(data: dict[str, Any]) -> list[str]:
    """The paragraphs of a meeting's minutes.

    Args:
        data: see `projections.review_meeting`.
    """
    held = data["attendance"]
    minutes = f" (minutes: {held['minutes']})" if held and held["minutes"] else ""
    parts = [f"{data['name']}\nMeeting of {in_words(data['meeting'])}{minutes}"]
    if held is None:
        parts.append("Attendance: not recorded")
    else:
        parts += _attendance(held)
    for title, lines in (
        ("Recommended that day", [f"{r['ref']}: {_said(r)}" for r in data["recommended"]]),
        ("Sign-offs", [_signoff(item, data["meeting"]) for item in data["signoffs"]]),
        ("Amendments agreed", [_amendment(a) for a in data["amendments"] if _agreed(a)]),
        ("Amendments declined", [_amendment(a) for a in data["amendments"] if not _agreed(a)]),
        (
            "Escalations dealt with that day",
            [
                f"{e['escalation']} on {', '.join(e['refs'])}: {_said(e)}"
                for e in data["escalations"]
            ],
        ),
        ("Other decisions", [f"{o['ref'] or 'Plan'}: {_said(o)}" for o in data["other"]]),
    ):
        if lines:
            numbered = [f"{number}. {line}" for number, line in enumerate(lines, 1)]
            parts.append("\n".join([title, *numbered]))
        elif title in ("Sign-offs", "Amendments agreed"):
            parts.append(f"{title}: none")
    if data["voided"]:
        lines = [
            f"- {v['ref']}: {v['what']} (entry {v['position']}), voided by entry {v['voided_by']}: "
            f"{v['void_reason'] or 'no reason recorded'}"
            for v in data["voided"]
        ]
        parts.append("\n".join(["Recorded of this meeting and voided since", *lines]))
    return [*parts, f"Ledger: {data['ledger']}"]


def _attendance(held: dict[str, Any]) -> list[str]:
    def named(people: list[dict[str, Any]]) -> list[str]:
        seats = (f" ({p['seat'] or 'not a member'})" for p in people)
        return [f"  {p['printed']}{seat}" for p, seat in zip(people, seats, strict=True)]

    quorate = "quorate" if held["quorate"] else "NOT QUORATE"
    parts = ["\n".join(["Present", *(named(held["present"]) or ["  nobody"])])]
    for title, key in (("Apologies", "apologies"), ("Absent without apologies", "not_heard_of")):
        if held[key]:
            parts.append("\n".join([title, *named(held[key])]))
        elif key == "apologies":
            parts.append("Apologies: none")
    parts.append(
        f"Quorum {held['quorum']}; present with a vote {held['voting_present']}: {quorate}."
    )
    declared = [
        f"  {i['printed']}: {i['item']}" + (f" ({i['reason']})" if i["reason"] else "")
        for i in held["interests"]
    ]
    title = "Interests declared"
    parts.append("\n".join([title, *declared]) if declared else f"{title}: none")
    return parts


def _agreed(amendment: dict[str, Any]) -> bool:
    return bool(amendment["decision"] == "agreed")


def _said(row: dict[str, Any]) -> str:
    """What an entry says, by whom, why, and under which minute."""
    minute = f", minute {row['minute']}" if row["minute"] else ""
    reason = f" {row['reason']}" if row["reason"] else ""
    return f"{row['what']}{minute}; recorded by {row['by']}.{reason}"


def _signoff(item: dict[str, Any], meeting: str) -> str:
    """A sign-off as an item of the minutes."""
    phase = f"phase {item['phase']} ({item['phase_words']})"
    lines = [f"{item['ref']} {item['title']}: sign-off of {phase}"]
    asked = item["recommended"]
    if asked:
        reason = f": {asked['reason']}" if asked["reason"] else "."
        lead, on = item["lead"], in_words(asked["effective_on"])
        lines.append(f"   Recommended by {lead}, {asked['by']}, {on}{reason}")
    for person in item["interests"]:
        lines.append(f"   {person} had declared an interest and took no part.")
    for title, votes in (("For", item["for"]), ("Against", item["against"])):
        if asked:
            lines.append(f"   {title}: {len(votes) or 'none'}")
            lines += [f"     {_vote(vote, meeting)}" for vote in votes]
    if item["confirmation"]:
        decided = _confirmed(item)
    elif item["decision"]:
        minute = f", minute {item['minute']}" if item["minute"] else ""
        rated = f" The action is now rated {item['rating']}." if item["rating"] else ""
        reason = f" {item['reason']}" if item["reason"] else ""
        decided = f"{item['decision'].capitalize()}{minute}.{rated}{reason}"
    elif item["decided_elsewhere"]:
        decided = f"Decided on {in_words(item['decided_elsewhere'])}."
    else:
        decided = "No decision is recorded."
    return "\n".join([*lines, f"   {decided}"])


def _confirmed(item: dict[str, Any]) -> str:
    """A member's confirmation, and whether the sign-off is renewed with it."""
    one = item["confirmation"]
    minute = f", minute {item['minute']}" if item["minute"] else ""
    reason = f": {item['reason']}" if item["reason"] else ""
    count = f"{one['confirmed']} of {one['needed']}"
    stands = f"{count}: renewed" if one["renewed"] else f"{count} needed; still stale"
    return f"Confirmed as it is now by {one['by']}{minute} ({stands}){reason or '.'}"


def _vote(vote: dict[str, Any], meeting: str) -> str:
    """A vote: printed name and role, when it was given at another meeting, and the reason."""
    on = f" (voted on {in_words(vote['meeting'])})" if vote["meeting"] != meeting else ""
    reason = f": {vote['reason']}" if vote["reason"] else ""
    return f"{vote['printed']}{on}{reason}"


def _amendment(row: dict[str, Any]) -> str:
    minute = f", minute {row['minute']}" if row["minute"] else ""
    lines = [f"{row['amendment']}: to {row['change']}. {row['decision'].capitalize()}{minute}."]
    asked = row["proposed"]
    if asked:
        reason = f": {asked['reason']}" if asked["reason"] else "."
        lines.append(f"   Proposed by {asked['by']}, {in_words(asked['effective_on'])}{reason}")
    if row["reason"] and not (asked and asked["reason"] == row["reason"]):
        lines.append(f"   Reason: {row['reason']}")
    return "\n".join(lines)
