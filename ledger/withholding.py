"""Withholding a text by law: deleted for good, by an entry that says on what basis.

Everything that can be refused is refused before anything is deleted, because nothing brings a text
back: who may, on whose decision, and whether the text is the one that was recorded. What
verification finds against an entry comes first, or withholding would be a way to hide it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import IntegrityError
from sqlalchemy import Connection, select

from domain.administration import administrators_only
from domain.errors import BadInput, Conflict, IntegrityBroken, NotAuthorised, Refusal
from domain.person import PersonEnrolled
from domain.scale import FIVE_STEPS, folded
from domain.scene import Scene
from domain.text import is_held
from domain.timeline import PENDING
from domain.withholding import (
    ExemptionLifted,
    Place,
    TextExempted,
    TextWithheld,
    check_basis,
    objection,
)
from ledger.canonical import binds
from ledger.copies import Copied, copies_of, flat, in_clear, stands_in
from ledger.entry import Entry, Note, StoredEntry
from ledger.fates import committed, fates, may_on_ledger, plan_of
from ledger.store import LEDGER_STREAM, Store
from ledger.tables import texts
from ledger.writing import FAR_FUTURE, Writing, clean

if TYPE_CHECKING:
    from ledger.service import Ledger


@dataclass(frozen=True)
class Outcome:
    """What was recorded about texts, or would have been.

    Attributes:
        entries: with their positions; in a dry run those that they would have had.
        copies: where else the same words stand in a text that is held.
        in_clear: the entries that hold the words outside their texts, where nobody can delete them.
        already_by: the entry that withheld the text before; nothing was recorded.
        left: what is left to do until the words are gone from the disk; None where nothing.
        length: of the text, in characters.
        dry_run: nothing was recorded.
    """

    entries: tuple[Entry, ...] = ()
    copies: tuple[Copied, ...] = ()
    in_clear: tuple[int, ...] = ()
    already_by: int | None = None
    left: str | None = None
    length: int = 0
    dry_run: bool = False


def withhold(
    ledger: "Ledger",
    place: Place,
    basis: str,
    note: Note,
    *,
    copies: bool = False,
    dry_run: bool = False,
) -> Outcome:
    """Withhold a text: delete it and its salt, by an entry that says so.

    Args:
        place: (position of the entry, name of the field).
        basis: the law or the rule, in the clear.
        note: who, on whose decision, and why; it is effective today whatever it says.
        copies: withhold every other text too that holds the same words.

    Given again for a text that is withheld already, it records nothing and cleans the disk again.

    Raises:
        BadInput: no-such-entry, no-such-text, bad-basis, tells-the-text, own-name.
        Refusal: needs-authority, text-missing, last-administrator.
        NotAuthorised: not-administrator.
        IntegrityBroken: text-changed, found-wrong.
    """
    with ledger.database.reading() as connection:
        _known(ledger, connection, place)
        before = fates(connection).withheld.get(place)
        work = _Work(ledger, connection, note)
        if before is None:
            text = work.held_text(place)
            found = tuple(copies_of(connection, place, text))
            places = [place, *((one.position, one.field) for one in found if copies)]
            said = check_basis(basis)
            work.check_silent(text, said)
            for one in places:
                work.may(one[0])
                work.held_text(one)
                work.add(TextWithheld(position=one[0], field=one[1], basis=said))
            work.check_administrator(places)
            work.check_recorder(text)
            work.check_sound(places)
            clear = tuple(in_clear(connection, text))
        else:
            work.may(place[0])
    if before is not None:
        left = None if dry_run else _clean_again(ledger, place)
        return Outcome(already_by=before.by, left=left, dry_run=dry_run)
    recorded = work.append(dry_run=dry_run)
    left = None if dry_run else ledger.database.scrub()
    return Outcome(recorded, found, clear, None, left, len(text), dry_run)


def exempt(
    ledger: "Ledger", place: Place, basis: str, note: Note, *, dry_run: bool = False
) -> Outcome:
    """Leave a text out of what is made public; it is kept.

    Raises:
        as `withhold`; Refusal: already-withheld, already-exempt.
    """
    with ledger.database.reading() as connection:
        _known(ledger, connection, place)
        work = _Work(ledger, connection, note)
        work.may(place[0])
        said = check_basis(basis)
        work.add(TextExempted(position=place[0], field=place[1], basis=said))
        text = work.held_text(place)
        work.check_silent(text, said)
        found = tuple(copies_of(connection, place, text))
        clear = tuple(in_clear(connection, text))
    return Outcome(work.append(dry_run=dry_run), found, clear, length=len(text), dry_run=dry_run)


def lift(ledger: "Ledger", place: Place, note: Note, *, dry_run: bool = False) -> Outcome:
    """Say that a text is exempt no more.

    Raises:
        as `exempt`; Refusal: not-exempt.
    """
    with ledger.database.reading() as connection:
        _known(ledger, connection, place)
        work = _Work(ledger, connection, note)
        work.may(place[0])
        work.add(ExemptionLifted(position=place[0], field=place[1]))
    return Outcome(work.append(dry_run=dry_run), dry_run=dry_run)


def _known(ledger: Store, connection: Connection, place: Place) -> None:
    """Raises BadInput: no-such-entry, no-such-text."""
    position, name = place
    stored = ledger.recorder.at_positions(connection, [position]).get(position)
    if stored is None:
        raise BadInput(
            "no-such-entry", f"There is no entry {position}.", f"The last is {ledger.size()}."
        )
    names = committed(stored)
    if name not in names:
        raise BadInput(
            "no-such-text",
            f"Entry {position} ({stored.topic}) has no text '{name}'.",
            f"Its texts: {', '.join(names)}.",
        )


def _clean_again(ledger: Store, place: Place) -> str | None:
    """Delete what somebody put back, and clean the disk as after the first time."""
    position, name = place
    there = select(texts.c.position).where(texts.c.position == position, texts.c.field == name)
    with ledger.database.reading() as connection:
        back = connection.execute(there).first() is not None
    if back:
        with ledger.database.writing() as connection:
            ledger.database.delete_withheld(connection, position, name)
    return ledger.database.scrub()


class _Work:
    """One write about texts: what it rests on, what it adds, and the append."""

    def __init__(self, ledger: "Ledger", connection: Connection, note: Note) -> None:
        self.ledger, self.connection = ledger, connection
        self._decided = ledger.standing()
        self.today = self._decided.today
        self.line = ledger.timeline(LEDGER_STREAM, self._decided.size)
        self.note = clean(replace(note, effective_on=self.today))
        self._writings: dict[str, Writing] = {}
        self._new: list[Entry] = []
        self._stored: dict[int, StoredEntry] = {}
        if note.decided_by is None:
            raise Refusal(
                "needs-authority",
                "What becomes of a text is a decision: say which body, or which officer's "
                "decision record, it rests on.",
                "Give --decided-by BODY --meeting DATE --minute REF.",
            )
        if note.decided_by.meeting > self.today:
            raise Refusal(
                "future-date",
                f"A meeting on {note.decided_by.meeting} has not decided yet: today is "
                f"{self.today}.",
                "Record the decision once it is taken.",
            )

    # --- who may -------------------------------------------------------------------------

    def may(self, position: int) -> None:
        """Raises NotAuthorised: not-administrator, where the plan of that entry has bodies."""
        stream = plan_of(self.connection, position)
        if stream is None:
            self._may_on_ledger()
        else:
            scene = self._scene(stream)
            if scene.bodies():
                administrators_only(scene, "decide what becomes of a text")

    def _scene(self, code: str, day: date | None = None) -> Scene:
        if code not in self._writings:
            self._writings[code] = Writing(self.ledger, code)
        return self._writings[code].scene(day or self.today, self.note.recorded_by)

    def _scenes(self) -> list[Scene]:
        return [self._scene(code) for code in self.ledger.plan_codes()]

    def _may_on_ledger(self) -> None:
        opened_by, who = self.ledger.opened().note.recorded_by, self.note.recorded_by
        if may_on_ledger(opened_by, who, self._scenes()):
            return
        raise NotAuthorised(
            "not-administrator",
            "This entry belongs to the ledger as a whole and not to a plan, so what becomes of its "
            f"texts is for the first administrator, and {who} is not that.",
            "Say who you are with --as.",
        )

    def check_administrator(self, places: Sequence[Place]) -> None:
        """Who began the ledger is known by name: without it somebody else has to be appointed.

        Raises:
            Refusal: last-administrator.
        """
        for position, name in places:
            stored = self.ledger.entry_at(position)
            code = plan_of(self.connection, position)
            first = (position, name) == (1, "recorded_by")
            if not first and not (isinstance(stored.event, PersonEnrolled) and name == "name"):
                continue
            for each in [code] if code else self.ledger.plan_codes() or [""]:
                days = (self.today, FAR_FUTURE)
                if each and all(
                    any(person.administrator for person in self._scene(each, day).people())
                    for day in days
                ):
                    continue
                if not first and not _by_name_only(stored, self._scene(each)):
                    continue
                raise Refusal(
                    "last-administrator",
                    f"The administrator of {each or 'this ledger'} is known by that name alone, so "
                    "without it there would be none.",
                    "Appoint one by code first: govledger person administrator CODE",
                )

    # --- the texts -----------------------------------------------------------------------

    def held_text(self, place: Place) -> str:
        """The text, which must be held, and be the one that was recorded.

        Raises:
            Refusal: text-missing.
            IntegrityBroken: text-changed.
        """
        position, name = place
        if position not in self._stored:
            self._stored |= self.ledger.recorder.at_positions(self.connection, [position])
        stored = self._stored[position]
        kept = stored.texts.get(name)
        if kept is None:
            raise Refusal(
                "text-missing",
                f"The text '{name}' of entry {position} is not held any more.",
                "See what verification says of it: govledger verify",
            )
        if not binds(committed(stored).get(name), kept.salt, kept.text):
            raise IntegrityBroken(
                "text-changed",
                f"The text '{name}' of entry {position} is not the one that was recorded; to "
                "delete it would hide that.",
                "Keep the file as it is and run: govledger verify",
            )
        return kept.text

    def check_silent(self, text: str, basis: str) -> None:
        """What is said about a text that goes must not repeat it.

        Raises:
            BadInput: tells-the-text.
        """
        decided = self.note.decided_by
        for what, said in (
            ("basis", basis),
            ("reason", self.note.reason),
            ("decision", f"{decided.body} {decided.minute}" if decided else ""),
        ):
            if said and flat(text) in flat(said):
                raise BadInput(
                    "tells-the-text",
                    f"The {what} repeats the text that it is about, so the text would stay.",
                    "Say it in other words.",
                )

    def check_recorder(self, text: str) -> None:
        """The new entries hold the name of whoever records them, which nothing would take away.

        Raises:
            BadInput: own-name.
        """
        if stands_in(flat(text), flat(self.note.recorded_by)):
            raise BadInput(
                "own-name",
                "The words that are to go stand in the name under which this would be recorded, so "
                "its own entry would hold them.",
                "Give your code in place of your name (--as CODE; enrol first where you have "
                "none), or let another administrator do it.",
            )

    def check_sound(self, places: Sequence[Place]) -> None:
        """What is found against these entries now could not be found any more afterwards.

        Raises:
            IntegrityBroken: found-wrong.
            Failed: no-ssh-keygen, where a statement goes and its signature cannot be checked.
        """
        from ledger.lawfulness import check_lawfulness
        from ledger.verification import verify

        lawful = check_lawfulness(self.ledger)
        if lawful.failure and any(name == "statement" for _position, name in places):
            raise lawful.failure
        concerned = {position for position, _name in places}
        for finding in (*verify(self.ledger).findings, *lawful.findings):
            if finding.position in concerned:
                raise IntegrityBroken(
                    "found-wrong",
                    f"Verification finds something against entry {finding.position} "
                    f"({finding.kind}), which could not be found any more without its text.",
                    "See what it is, and keep a copy of the file: govledger verify",
                )

    # --- the append ----------------------------------------------------------------------

    def add(self, event: TextWithheld | TextExempted | ExemptionLifted) -> None:
        """Add an entry, if the law of texts allows it.

        Raises:
            Refusal: already-withheld, already-exempt, not-exempt.
        """
        state: Any = self.line.state_at(FAR_FUTURE)
        against = objection(state, event, FIVE_STEPS)
        if against:
            rule, sentence = against
            place = f"The text '{event.field}' of entry {event.position}"
            raise Refusal(rule, f"{place}: {sentence}.", "See: govledger log --type ledger")
        self.line.add(event, self.today, PENDING + len(self._new) + 1)
        self._new.append(Entry(LEDGER_STREAM, self.line.version, event, self.note))

    def append(self, *, dry_run: bool) -> tuple[Entry, ...]:
        """Record it, with what it deletes, or nothing.

        Raises:
            Conflict: somebody recorded something meanwhile on which this rests.
        """
        if dry_run:
            due = enumerate(self._new, self._decided.size + 1)
            return tuple(replace(entry, position=position) for position, entry in due)
        guards: dict[str, int] = {}
        for writing in self._writings.values():
            guards |= writing.rests_on()
        guards.pop(LEDGER_STREAM, None)
        try:
            recorded = self.ledger.append(self._new, guards, self._decided)
        except IntegrityError as error:
            raise Conflict(
                "changed-meanwhile",
                "Somebody else recorded something that this rests on while it was being decided; "
                "nothing of yours was recorded, and no text was deleted.",
                "Look at what is new (govledger log), and give your command again.",
            ) from error
        finally:
            self.ledger.forget()
        return tuple(recorded)


def _by_name_only(entry: Entry, scene: Scene) -> bool:
    """Whether the person who is enrolled is an administrator, or none any more, by that name."""
    name = getattr(entry.event, "name", "")
    return is_held(name) and folded(name) == folded(scene.opened_by)
