"""The boards on a bench: a plan with bodies, people and their keys, and every check there is."""

import functools
import shutil
import subprocess
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from domain.action import Action, ActionRated
from domain.administration import BoardCommand
from domain.board_commands import Appoint, ChangeTerms, RecordMeeting
from domain.body import Body
from domain.content import changed_since, is_stale
from domain.errors import GovledgerError
from domain.escalation import Escalation
from domain.event import EntryVoided
from domain.person import Person
from domain.signing_commands import CastVote, Confirm
from domain.signoff import SignOffGranted, SignOffRecommended
from domain.timeline import fold, stream_of
from ledger import signatures
from ledger.entry import Entry, Note
from ledger.lawfulness import check_lawfulness
from ledger.store import Moment
from projections.state import PlanState
from projections.upkeep import open_ledger
from tests import boards
from tests.property import oracle
from tests.property.bench import Bench
from tests.property.board_oracle import Known, reopened

DONE = {"amber_e": {1}, "green": {1, 2}}
"""The phases on which a rating has to rest."""
SPARE = ("spare-1", "spare-2", "spare-3")
BEFORE = datetime(2025, 10, 9, 18, 0, tzinfo=UTC)


@functools.cache
def template() -> Path:
    """A closed ledger as `tests.boards` makes it, with a second body that may sign off."""
    path = Path(tempfile.mkdtemp(prefix="boards-")) / "template.sqlite"
    made = boards.Boards(path, lambda: BEFORE)
    made.by(boards.ADMIN, ChangeTerms("cfc", 2, ("phase_1", "phase_2")))
    for person in ("dcs", "iib-chair", "clerk"):
        capacity = "secretary" if person == "clerk" else "member"
        made.by(boards.ADMIN, Appoint("cfc", person, capacity))
    there = ("dcs", "iib-chair", "clerk")
    made.by("clerk", RecordMeeting("cfc", boards.MEETING, there), boards.MEETING)
    made.ledger.close()
    return path


@functools.cache
def key_files() -> dict[str, Path]:
    """The private key of each public one: everybody's, `other`'s, and some to change to."""
    folder = boards.key_folder()
    for name in SPARE:
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name]
        subprocess.run([*words, "-f", str(folder / name)], check=True)
    return {boards.public_key(file.stem): folder / file.stem for file in folder.glob("*.pub")}


@functools.cache
def signed(text: str, key: str) -> str:
    return signatures.sign(text, key, key_files()[key])


class BoardBench(Bench):
    """What people do on the boards, and what must then be so."""

    code, begins, start = boards.CODE, boards.BEGAN, BEFORE + timedelta(hours=15)

    def __init__(self, outcomes: Counter[str]) -> None:
        super().__init__(outcomes)
        self._signatures: list[tuple[str, str]] = []

    def begin(self) -> None:
        shutil.copy(template(), self.path)
        self.ledger = open_ledger(self.path, self.clock)
        self.other = open_ledger(self.path, self.clock)
        self._take_in()
        self._judged = len(self.entries)

    @staticmethod
    def public_key(name: str) -> str:
        """The public key of somebody, or a spare one."""
        key_files()
        return boards.public_key(name)

    # --- aiming ------------------------------------------------------------------------------

    def states(self, kind: str, day: date | None = None) -> dict[str, object]:
        """The states of the streams of a kind, by key, as at a day (today) by the fold."""
        prefix = stream_of(kind, self.code, "")
        found = fold(self.entries, day or self.today, len(self.entries))
        return {s.removeprefix(prefix): state for s, state in found.items() if s.startswith(prefix)}

    def body(self, code: str, day: date | None = None) -> Body:
        found = self.states("body", day).get(code, Body(code, code, 0, 1))
        assert isinstance(found, Body)
        return found

    def person(self, code: str, day: date | None = None) -> Person | None:
        found = self.states("person", day).get(code)
        assert found is None or isinstance(found, Person)
        return found

    def action(self, ref: str, day: date | None = None) -> Action | None:
        found = self.states("action", day).get(ref)
        assert found is None or isinstance(found, Action)
        return found

    def escalations(self) -> dict[str, Escalation]:
        return {k: e for k, e in self.states("escalation").items() if isinstance(e, Escalation)}

    # --- giving commands -----------------------------------------------------------------------

    def decision_note(self, who: str, day: date, *, careless: bool = False) -> Note:
        """A note with a reason, and that says where it corrects a closed period; or not."""
        closed = self.closed_until
        late = closed is not None and day <= closed and not careless
        return Note(day, who, reason="As minuted.", correction=late)

    def govern(
        self,
        kind: str,
        command: BoardCommand,
        note: Note,
        *,
        replaces: int | None = None,
        rehearse: bool = False,
    ) -> bool:
        """Carry out a command on the boards."""
        return self.attempt(
            kind,
            lambda dry_run: self.ledger.govern(
                self.code, command, note, replaces=replaces, dry_run=dry_run
            ),
            rehearse=rehearse,
        )

    def sign(
        self, kind: str, command: CastVote | Confirm, note: Note, flaw: str = "", *, rehearse: bool
    ) -> bool:
        """Sign and record a vote or a confirmation; with a flaw it must be refused.

        Args:
            flaw: 'other key', 'replayed' (a signature given before, for another statement) or
                'garbled'.
        """
        old = list(self._signatures)
        try:
            ready = self.ledger.to_sign(self.code, command, note)
        except GovledgerError:
            for _statement, signature in [*old[-1:], ("", "")]:
                unsigned = replace(command, signature=signature)
                assert not self.govern(kind, unsigned, note), "recorded, but not to be signed"
            return False
        key = boards.public_key("other") if flaw == "other key" else ready.key
        signature = signed(ready.text, key)
        if flaw == "replayed":
            others = [given for text, given in old if text != ready.text]
            signature = others[len(self.entries) % len(others)] if others else ""
        if flaw == "garbled":
            middle = len(signature) // 2
            other = "A" if signature[middle] != "A" else "B"
            signature = signature[:middle] + other + signature[middle + 1 :]
        command = replace(command, signature=signature)
        accepted = self.govern(kind, command, note, rehearse=rehearse and not flaw)
        assert not (accepted and flaw), f"recorded although {flaw}"
        if accepted:
            self._signatures.append((ready.text, signature))
        elif flaw:
            self.count(f"refused: {flaw}")
        return accepted

    # --- checks --------------------------------------------------------------------------------

    def check_new_entries(self) -> None:
        """Besides: every live decision has what it needs, and only what lost it is re-opened."""
        new = self.entries[self._judged :]
        super().check_new_entries()
        known = self.known_now()
        assert list(known.faults()) == []
        assert list(known.amendment_faults()) == []
        assert list(known.numbers_given_twice()) == []
        assert known.is_led(self.today)
        self._check_rights(new)
        assert all(entry.note.reason for entry in new if isinstance(entry.event, EntryVoided))
        again = reopened(new)
        for position in again.values():
            self.count(f"re-opened {self.entries[position - 1].event.tag}")
        if again and len([end for end in self.ends if end >= new[0].position]) == 1:
            lost = known.left_without(set(again))
            assert lost == set(again.values()), self._says(lost ^ set(again.values()))

    def _check_rights(self, new: list[Entry]) -> None:
        """Whoever recorded what is new had the right to, and phase 2 was built on a fresh phase 1.

        These are asked of the command alone: what is known later makes no difference.
        """
        asked = (EntryVoided, ActionRated, SignOffRecommended, SignOffGranted, *oracle.DECISIONS)
        for entry in new:
            if not isinstance(entry.event, asked):
                continue
            assert entry.recorded_at is not None
            before = self.known(entry.position - 1)
            day = oracle.day_in_london(entry.recorded_at)
            assert list(before.rights_faults(entry, day)) == [], self._says({entry.position})
            event = entry.event
            if isinstance(event, SignOffRecommended | SignOffGranted) and event.phase == 2:
                stale = before.stale(entry.stream_id, 1, entry.effective_on)
                assert not stale, f"entry {entry.position} rests on a stale phase 1"

    def check_whole(self) -> None:
        """Besides: every entry, asked again by itself, keeps to the rules, and is well signed."""
        super().check_whole()
        lawful = check_lawfulness(self.ledger)
        assert lawful.findings == ()
        assert lawful.failure is None

    def _says(self, positions: set[int]) -> list[str]:
        """Some entries in words, and what voided them."""
        why = {
            e.event.voids: e.note.reason for e in self.entries if isinstance(e.event, EntryVoided)
        }
        found = [self.entries[position - 1] for position in sorted(positions)]
        return [f"{e.position} {e.stream_id} {e.event!r}: {why.get(e.position)}" for e in found]

    def known(self, known_at: int) -> Known:
        return Known(self.entries, self.code, known_at)

    def known_now(self) -> Known:
        return self.known(len(self.entries))

    def check_ratings(self, read: PlanState, moment: Moment) -> None:
        """Amber E and Green rest on sign-offs or a source; stale is what reads otherwise.

        Not held to it is what was known in the middle of an append.
        """
        if moment.position not in self.ends:
            return
        known = self.known(moment.position)
        for ref, action in read.actions.items():
            stream = stream_of("action", self.code, ref)
            rests_on = known.basis(stream, moment.as_at)
            assert DONE.get(action.rating or "", set()) <= rests_on, (ref, action.rating)
            for phase in (1, 2):
                stale = known.stale(stream, phase, moment.as_at)
                assert is_stale(action, phase, read.plan.scale) == stale, (ref, phase)
                if stale:
                    assert changed_since(action, phase, read.plan.scale)
                granted = phase in action.signoffs and action.signoffs[phase].status == "granted"
                if moment.position == len(self.entries) and moment.as_at == self.today:
                    self._tell(phase, granted, stale)

    def _tell(self, phase: int, granted: bool, stale: bool) -> None:
        for what, so in ((f"stands: phase {phase} granted", granted), ("stands: stale", stale)):
            if so:
                self.count(what)
