"""People who act on a plan: enrolled with a role and a key, and made administrators."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.options import moment_options, note_options
from cli.output import day, envelope, print_json, resolved, show_text, table
from cli.recording import Following, record
from cli.session import Session, pass_session

if TYPE_CHECKING:
    from domain.administration import BoardCommand
    from projections.state import PlanState

Known = date | datetime | int | None

LARGEST_KEY = 64 * 1024
"""Bytes in a public key file; one has some hundred."""


def read_key(path: Path) -> str:
    """The public key in a file.

    Raises:
        BadInput: cannot-read-file, bad-key, unsupported-key.
    """
    from domain.errors import BadInput
    from ledger.keys import read_public_key

    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_KEY + 1)
    except OSError as error:
        raise BadInput(
            "cannot-read-file",
            f"{path} cannot be read: {error.strerror}.",
            "Give the person's public key file, such as ~/.ssh/id_ed25519.pub. A new pair of keys "
            "is made with: ssh-keygen -t ed25519",
        ) from None
    if len(data) > LARGEST_KEY:
        raise BadInput(
            "bad-key",
            f"{path} is too large for a public key.",
            "Give the file that ends in .pub, for example ~/.ssh/id_ed25519.pub.",
        )
    return read_public_key(data.decode("utf-8", "replace"))


@click.group()
def person() -> None:
    """Enrol people, with their roles and keys.

    A person is a short code in every command, such as iib-chair. The name is kept apart, so that
    it can be withheld. An administrator gives each of these.
    """


@person.command()
@click.argument("code")
@click.option("--name", required=True, help="The name as printed under what they sign.")
@click.option("--role", required=True, help="The role; whoever owns an action goes by roles.")
@click.option(
    "--key",
    "key_file",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Their public key: the file that ends in .pub.",
)
@note_options(decision=False, source=False)
@pass_session
def enrol(session: Session, code: str, name: str, role: str, key_file: Path, **given: Any) -> None:
    """Enrol a person, with the key that signs for them.

    The key is an OpenSSH public key, which each person makes for themselves with
    'ssh-keygen -t ed25519'. The private half stays with them.

    Example: govledger person enrol adviser --name "R. Lee" --role "Improvement adviser"
    --key adviser.pub
    """
    from domain.person_commands import Enrol
    from ledger.keys import fingerprint

    key = read_key(key_file)

    def following(state: PlanState) -> str:
        lacking = [body for body in state.bodies.values() if not body.outside]
        if not lacking:
            return "govledger body establish CODE --name NAME --rung 1 --quorum N --power POWER"
        return f"govledger body appoint {lacking[-1].code} {code}"

    _with_key(session, Enrol(code, name, role, key), given, following, fingerprint(key))


def _with_key(
    session: Session,
    command: BoardCommand,
    given: dict[str, Any],
    following: Following | str,
    fingerprint: str,
) -> None:
    """Record a command that brings a key, and show the key so that it can be compared."""
    remark = f"the key is {fingerprint}. Compare it with what the person sees: ssh-keygen -lf FILE"
    record(
        session,
        command,
        given,
        following,
        remarks=lambda _state: [remark],
        extra={"fingerprint": fingerprint},
    )


@person.command()
@click.argument("code")
@click.argument("new", metavar="ROLE")
@note_options(decision=False, source=False)
@pass_session
def role(session: Session, code: str, new: str, **given: Any) -> None:
    """Give a person another role.

    Example: govledger person role dcs "Interim director"
    """
    from domain.person_commands import ChangeRole

    record(session, ChangeRole(code, new), given, f"govledger person show {code}")


@person.command("key")
@click.argument("code")
@click.option(
    "--key",
    "key_file",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The new public key: the file that ends in .pub.",
)
@note_options(decision=False, source=False)
@pass_session
def replace_key(session: Session, code: str, key_file: Path, **given: Any) -> None:
    """Replace a person's key.

    What the old key signed while it was in force stays signed.

    Example: govledger person key iib-chair --key new.pub --reason "New computer"
    """
    from domain.person_commands import ReplaceKey
    from ledger.keys import fingerprint

    key = read_key(key_file)
    following = f"govledger person show {code}"
    _with_key(session, ReplaceKey(code, key), given, following, fingerprint(key))


@person.command("withdraw-key")
@click.argument("code")
@note_options(decision=False, source=False)
@pass_session
def withdraw_key(session: Session, code: str, **given: Any) -> None:
    """Withdraw a person's key, so that it signs nothing more.

    On the day as from which it is withdrawn, it has still signed what was recorded earlier that
    day. Whatever was recorded with it after that is open again. A key that was stolen last month
    is withdrawn with --effective-on the day before; --dry-run shows what that re-opens.

    Example: govledger person withdraw-key iib-chair --reason "Laptop stolen"
    """
    from domain.errors import BadInput
    from domain.person_commands import ReplaceKey

    if not given["note"].reason:
        raise BadInput("needs-reason", "To withdraw a key needs a reason.", "Give --reason TEXT.")
    following = f"govledger person key {code} --key FILE.pub"
    record(session, ReplaceKey(code, None), given, following)
    if not session.json:
        _still_signed(session, code, given)


def _still_signed(session: Session, code: str, given: dict[str, Any]) -> None:
    """Say what a key that is withdrawn as from a day has signed earlier on that very day."""
    from datetime import timedelta

    from domain.dates import london_day, now
    from domain.signoff import SignOffConfirmed, SignOffVoted
    from projections.boards import person_named
    from projections.record import Record

    since = given["note"].effective_on
    with session.question(None, None, given["plan"]) as asked:
        record_ = Record(asked.ledger, asked.connection, asked.code, asked.moment)
        found = person_named(record_.state, code)
        signed = [
            one
            for one in record_.kept(SignOffVoted, SignOffConfirmed)
            if found and one.event.person == found.person and one.recorded_on == since
        ]
    if signed and found:
        count = "1 statement" if len(signed) == 1 else f"{len(signed)} statements"
        when = "today" if since == london_day(now()) else f"on {day(since.isoformat())}"
        doubt = "it is" if len(signed) == 1 else "those are"
        click.echo(
            f"Note: {found.person} signed {count} {when} before this. If {doubt} in doubt too, "
            f"give --effective-on {since - timedelta(days=1)}.",
            err=True,
        )


@person.command()
@click.argument("code")
@click.option("--end", is_flag=True, help="The person is no administrator any more.")
@note_options(decision=False, source=False)
@pass_session
def administrator(session: Session, code: str, end: bool, **given: Any) -> None:
    """Make a person an administrator, or end that.

    An administrator enrols people, establishes bodies and appoints their members. The first one
    is whoever began the ledger.

    Example: govledger person administrator clerk --reason "Clerk to the board"
    """
    from domain.person_commands import Administrate

    record(session, Administrate(code, not end), given, "govledger person list")


@person.command("list")
@moment_options
@pass_session
def list_people(session: Session, as_at: date | None, known_at: Known, plan: str | None) -> None:
    """Show everybody who is enrolled.

    Example: govledger person list --as-at 2025-10-16
    """
    from projections.boards import person_line
    from projections.state import read_state

    with session.question(as_at, known_at, plan) as asked:
        state = read_state(asked.connection, asked.code, asked.moment)
        opened_by = asked.ledger.opened().note.recorded_by
        people = [
            person_line(state, person, asked.moment.as_at, opened_by)
            for person in state.people.values()
        ]
        if session.json:
            data = {"people": people, "first_administrator": opened_by}
            print_json(envelope(asked.ledger, asked.moment, data))
            return
        rows = [
            (
                line["person"],
                line["name"],
                line["role"],
                ", ".join(f"{seat['body']} ({seat['capacity']})" for seat in line["seats"]),
                "in force" if line["key"] else "NONE in force",
                "yes" if line["administrator"] else "",
            )
            for line in people
        ]
        headings = ("Code", "Name", "Role", "Seats", "Key", "Administrator")
        text = table(session, headings, rows) if rows else "Nobody is enrolled."
        first = f"{opened_by} began the ledger, and is its first administrator."
        show_text(f"{text}\n\n{first}\n{resolved(asked.moment)}")


@person.command("show")
@click.argument("code")
@moment_options
@pass_session
def show_person(
    session: Session, code: str, as_at: date | None, known_at: Known, plan: str | None
) -> None:
    """Show a person: role, seats, key, and what went before.

    Example: govledger person show iib-chair
    """
    from projections.boards import find_person, person_sheet
    from projections.state import read_state

    with session.question(as_at, known_at, plan) as asked:
        state = read_state(asked.connection, asked.code, asked.moment)
        found = find_person(state, code, asked.moment)
        data = person_sheet(asked.ledger, state, found, asked.moment)
        if session.json:
            print_json(envelope(asked.ledger, asked.moment, data))
            return
        show_text(f"{_sheet(session, data)}\n\n{resolved(asked.moment)}")


def _sheet(session: Session, data: dict[str, Any]) -> str:
    *before, last = data["keys"] or [None]
    in_force = last is not None and last["ended_on"] is None
    lines = [
        f"{data['person']}  {data['name']}",
        f"  Role           {data['role']}",
        f"  Administrator  {'yes' if data['administrator'] else 'no'}",
        f"  Key            {last['fingerprint']}, since {day(last['since'])}"
        if in_force
        else "  Key            NONE in force",
    ]
    ended = before if in_force else [key for key in data["keys"] if key]
    for key in ended:
        how = f"{key['ended']} from {day(key['ended_on'])}"
        lines.append(f"  Key of before  {key['fingerprint']}, since {day(key['since'])}, {how}")
    if data["seats"]:
        rows = [
            (
                f"{seat['name']} ({seat['body']})",
                seat["capacity"],
                day(seat["since"]),
                day(seat["until"]) if seat["until"] else "no end set",
                "now" if seat["sitting"] else "ended",
            )
            for seat in data["seats"]
        ]
        lines += ["", table(session, ("Body", "Seat", "Since", "Until", ""), rows)]
    else:
        lines.append("  Seats          none")
    return "\n".join(lines)
