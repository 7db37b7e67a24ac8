"""Lawfulness: does each entry keep to the rules, and does each signature hold?

`ledger.verification` shows that the entries are the ones that were stored. Whoever can write to
the file, and knows its form, can store an entry whose hashes are all right and that no command
would have recorded: an approval of another action, a grant without a quorum, a rating of Green
out of nothing. Those are found here.

What no rule can find is a lie about who typed an entry that carries no signature: `recorded_by`
is a name, and only votes and confirmations are bound to a key.
"""

import functools
import json
import os
from collections.abc import Callable, Container, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, exc, func, or_, select

from domain.action import is_done
from domain.administration import CHANGES, STANDING
from domain.authority import GOVERNED
from domain.dates import london_day
from domain.errors import Failed
from domain.event import EntryVoided
from domain.plan import PlanCreated, SectionAdded
from domain.scale import FIVE_STEPS, Scale
from domain.text import is_held
from domain.withholding import WITHHOLDING, Place
from ledger import signatures
from ledger.entry import Decision, Entry
from ledger.fates import may_on_ledger, plan_of, unlawful
from ledger.reading import begins_with
from ledger.replaying import Replay, Signed
from ledger.rules import RATING
from ledger.scene import LineScene
from ledger.store import LEDGER_STREAM, Store
from ledger.tables import entries
from ledger.verification import Finding

KINDS = ("bad-signature", "statement-mismatch", "signature-unchecked", "rule-broken")
"""The kinds of finding that are about rules and signatures, not about what is stored."""


@dataclass(frozen=True)
class Lawful:
    """What was found.

    Attributes:
        findings: empty where every rule is kept and every signature holds.
        signatures_checked: how many signatures were checked, good ones and bad ones.
        failure: why some could not be checked; None where all were.
        unsigned: how many can be checked no more, because the statement is withheld.
    """

    findings: tuple[Finding, ...]
    signatures_checked: int = 0
    failure: Failed | None = None
    unsigned: int = 0


Add = Callable[[str, int, str], None]


def check_lawfulness(store: Store, left_out: Container[Place] = ()) -> Lawful:
    """Hold every entry to the rules, and check every signature that was ever recorded.

    Args:
        left_out: the texts that a public export rightly leaves out; they are gone by law here, as
            those that an entry withholds.

    Never raises for what a damaged or forged entry holds: what cannot be read is left out here,
    because `ledger.verification.verify` names it.
    """
    found: list[Finding] = []
    signed: list[Signed] = []
    unsigned = 0

    def add(kind: str, position: int, sentence: str) -> None:
        found.append(Finding(kind, position, sentence))

    with store.database.reading(as_is=True) as connection:
        try:
            for position, rule, sentence in unlawful(store, connection):
                add("rule-broken", position, f"Entry {position} breaks '{rule}': {sentence}.")
            for replay in _replayed(store, connection, _look(connection, add), left_out, add):
                signed += replay.signed
                unsigned += replay.unsigned
        except exc.DatabaseError as error:
            said = f"The rules cannot be checked to the end: {error.orig}."
            found.append(Finding("database-damaged", None, said))
    failure = _check_signatures(signed, found)
    found.sort(key=lambda finding: finding.position or 0)
    return Lawful(tuple(found), 0 if failure else len(signed), failure, unsigned)


# --- what one query shows of any ledger -------------------------------------------------

_CHANGING = {kind.tag for kind in CHANGES}
_RATING = {kind.tag for kind in RATING}
_GOVERNING = {kind.tag for kind in (*GOVERNED, *STANDING)}
_UNSOURCED = func.trim(func.coalesce(entries.c.source, "")) == ""
_LOOK = (
    select(*(entries.c[n] for n in ("position", "stream_id", "type", "decided_by", "payload")))
    .where(
        or_(
            entries.c.type.in_([*sorted(_GOVERNING), EntryVoided.tag]),
            and_(entries.c.type.in_(sorted(_CHANGING | _RATING)), _UNSOURCED),
        )
    )
    .order_by(entries.c.position)
)
"""Whatever a rule speaks of: in a ledger of published history that is next to nothing."""


def _look(connection: Connection, add: Add) -> set[str]:
    """Find what can be found entry by entry; returns the codes of the plans with boards."""
    governed: set[str] = set()
    voids: dict[int, tuple[str, Any]] = {}
    scales = _scales(connection)
    for position, stream, tag, decided_by, payload in connection.execute(_LOOK):
        code = _code(stream)
        where = f"Entry {position} ({tag} on {stream})"
        if tag in _GOVERNING:
            governed.add(code)
        elif tag == EntryVoided.tag:
            voids[position] = stream, _field(payload, "voids")
        if tag in _CHANGING and not _is_decision(decided_by):
            said = "breaks the rule 'needs-authority': it changes the plan, and names neither the"
            add("rule-broken", position, f"{where} {said} body that decided so nor a document.")
        if tag in _RATING and is_done(_field(payload, "rating"), scales.get(code, FIVE_STEPS)):
            said = "breaks the rule 'needs-sign-off': such a rating comes from a granted sign-off,"
            add("rule-broken", position, f"{where} {said} or from a document that it names.")
    for position, wrong in _misplaced(connection, voids):
        add("rule-broken", position, f"Entry {position} ({EntryVoided.tag}) {wrong}.")
    return governed


def _code(stream: Any) -> str:
    """The code of the plan that a stream belongs to; empty for the ledger's own."""
    return f"{stream}/".split("/")[1]


def _field(payload: Any, name: str) -> Any:
    """A field of a payload; None where there is none, or the payload cannot be read."""
    try:
        found = json.loads(payload)[name]
    except (TypeError, ValueError, KeyError, RecursionError):
        return None
    return found if isinstance(found, str | int) else None


@functools.lru_cache(maxsize=256)
def _is_decision(written: Any) -> bool:
    try:
        return bool(Decision.model_validate_json(written).minute)
    except (TypeError, ValueError):
        return False


def _scales(connection: Connection) -> dict[str, Scale]:
    """The scale of each plan, by code."""
    query = select(entries.c.stream_id, entries.c.payload).where(
        entries.c.stream_version == 1, begins_with(entries.c.stream_id, "plan/")
    )
    found = {}
    for stream, payload in connection.execute(query):
        try:
            found[stream.split("/")[1]] = Scale.model_validate(json.loads(payload)["scale"])
        except (TypeError, ValueError, KeyError, RecursionError):
            continue
    return found


def _misplaced(
    connection: Connection, voids: dict[int, tuple[str, Any]]
) -> Iterator[tuple[int, str]]:
    """(position, what is wrong) of every void that no command would have recorded."""
    wanted = sorted({n for _, n in voids.values() if isinstance(n, int) and abs(n) < 2**62})
    there: dict[int, tuple[str, str]] = {}
    columns = select(entries.c.position, entries.c.stream_id, entries.c.type)
    for i in range(0, len(wanted), 500):
        query = columns.where(entries.c.position.in_(wanted[i : i + 500]))
        there |= {position: (stream, tag) for position, stream, tag in connection.execute(query)}
    before: dict[Any, int] = {}
    fixed = (EntryVoided.tag, PlanCreated.tag, SectionAdded.tag)
    for position, (stream, target) in voids.items():
        other, tag = there.get(target, ("", ""))
        if not isinstance(target, int) or other != stream or target >= position:
            yield position, f"voids entry {target}, which is no earlier entry of {stream}"
        elif tag in fixed:
            yield position, f"voids entry {target} ({tag}), which cannot be voided"
        elif target in before:
            yield position, f"voids entry {target}, which entry {before[target]} voided already"
        before.setdefault(target, position)


# --- plans with boards ------------------------------------------------------------------


def _replayed(
    store: Store, connection: Connection, codes: set[str], left_out: Container[Place], add: Add
) -> list[Replay]:
    """Read every plan again that has boards, in one pass over the ledger."""
    replays: dict[str, Replay] = {}
    opened: Any = None
    for stored in store.recorder.read(connection) if codes else ():
        stream = str(stored.originator_id)
        code = _code(stream)
        if code not in codes and stream != LEDGER_STREAM:
            continue
        try:
            entry = store.mapper.to_domain_event(stored)
            by_right = {name for name in entry.withheld if (entry.position, name) in left_out}
            entry = replace(entry, by_law=entry.by_law | by_right) if by_right else entry
        except Exception:  # an edit can leave any value behind
            entry = None
        if stream == LEDGER_STREAM:
            opened = opened or entry
            if entry is not None and isinstance(entry.event, WITHHOLDING):
                _on_text(connection, entry, opened, replays, add)
            continue
        if opened is None:
            break  # which ledger this is nobody can say, so neither what was signed in it
        if code not in replays:
            first = "" if "recorded_by" in opened.withheld else opened.note.recorded_by
            replays[code] = Replay(code, opened.event.ledger_id, first, add)
        if entry is None:
            replays[code].unreadable(stream)
        else:
            replays[code].take(entry)
    for replay in replays.values():
        replay.finish()
    return list(replays.values())


def _on_text(
    connection: Connection, entry: Entry, opened: Entry, replays: dict[str, Replay], add: Add
) -> None:
    """Hold what was decided about a text to who may, as known then."""
    event: Any = entry.event
    code = plan_of(connection, event.position)
    if code is not None:
        if code in replays:
            replays[code].on_text(entry)
        return
    who, day = entry.note.recorded_by, london_day(entry.recorded_at or datetime.max)
    scenes = [LineScene(replay, day, who) for replay in replays.values()]
    if "recorded_by" in opened.withheld or "recorded_by" in entry.by_law:
        return
    if not may_on_ledger(opened.note.recorded_by, who, scenes):
        said = "breaks the rule 'not-administrator': it decides on a text of the ledger's own"
        add("rule-broken", entry.position, f"Entry {entry.position} ({event.tag}) {said}.")


# --- signatures -------------------------------------------------------------------------


def _check_signatures(signed: list[Signed], found: list[Finding]) -> Failed | None:
    """Ask ssh-keygen of each signature; returns why it could not be asked, where it could not.

    That is no fault of the ledger, so it is no finding by itself; and it is not raised here,
    because an inspector without ssh-keygen has to see everything that can be found without it.
    """

    def ask(one: Signed) -> str | None:
        return signatures.check(one.statement, one.signature, one.signer.person, one.signer.key)

    try:
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for one, wrong in zip(signed, pool.map(ask, signed), strict=True):
                if wrong:
                    # A full disk, or a program that does not answer, says nothing against it.
                    unsure = wrong.startswith("The signature could not be checked")
                    kind = "signature-unchecked" if unsure else "bad-signature"
                    said = f"{one.where}: this is not signed by {_name(one)}. {wrong}"
                    found.append(Finding(kind, one.position, said))
    except Failed as failure:
        return Failed(
            failure.rule,
            f"None of the {len(signed)} signatures could be checked. {failure.message}",
            failure.hint,
        )
    return None


def _name(one: Signed) -> str:
    name = one.signer.name
    return one.signer.person if not is_held(name) else f"{name} ({one.signer.person})"
