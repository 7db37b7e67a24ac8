"""One plan, read again in the order in which it was recorded, and held to its rules.

Each entry is held to what was known just before it, as the command that recorded it was; what was
recorded together, to the law of its stream afterwards; and at the end every decision that counts
to what is known now. Whatever the commands of this program recorded passes all three.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from domain.action import (
    SIGN_OFF,
    TimescaleRevised,
)
from domain.administration import CHANGES, STANDING, administrators_only, may_take_over, may_void
from domain.amendment import Amendment, AmendmentAgreed, AmendmentProposed
from domain.authority import GOVERNED, Taken, check, in_force, seated
from domain.body import RECORDING, InterestDeclared, MeetingRecorded
from domain.commands import ReviseTimescale
from domain.content import is_gone
from domain.dates import london_day
from domain.errors import GovledgerError, NotAuthorised, Refusal
from domain.escalation import EscalationRaised
from domain.event import EntryVoided
from domain.issue_commands import within_cap
from domain.person import Person
from domain.plan import Plan
from domain.scale import Scale
from domain.signoff import (
    SignOffConfirmed,
    SignOffVoted,
)
from domain.text import is_held
from domain.timeline import Item, Timeline, plan_stream, stream_of
from ledger.entry import Entry
from ledger.rules import (
    DECISIONS,
    FOUNDATION,
    RATING,
    actor_of,
    agreed_by_nobody,
    at_home,
    due_statement,
    mismatches,
    says_otherwise,
    sign_off_kept,
    subject,
)
from ledger.scene import LineScene


@dataclass(frozen=True)
class Signed:
    """A signature that is still to be checked.

    Attributes:
        where: the entry in words.
        signer: with the key in force on the day on which the ledger took it, as known then.
    """

    position: int
    where: str
    statement: str
    signature: str
    signer: Person


class Replay:
    """A plan as known at one point of its record; `take` moves on to the next entry.

    It is the `Lines` of a scene: what it answers is what was known just before the entry.

    Args:
        code: of the plan.
        ledger_id: identity of the ledger.
        opened_by: who began it; empty where that cannot be read.
        add: is told (kind, position, sentence) of whatever is found.
    """

    def __init__(
        self, code: str, ledger_id: str, opened_by: str, add: Callable[[str, int, str], None]
    ) -> None:
        self.code, self.ledger_id, self.opened_by = code, ledger_id, opened_by
        self.signed: list[Signed] = []
        self.unsigned = 0  # votes whose statement is withheld, so that none can be checked
        self._add = add
        self._named: set[tuple[int, str]] = set()
        self._lines: dict[str, Timeline[Any]] = {}
        self._keys: dict[str, list[str]] = {}
        self._authority: dict[int, tuple[bool, bool]] = {}  # (decided by a body, with a source)
        self._entries: dict[int, Entry] = {}  # those that rest on somebody's authority
        self._decided: set[str] = set()  # streams on which somebody decided
        self._touched: set[str] = set()
        self._incomplete: set[str] = set()  # streams with an entry that cannot be read
        self._keys_then: dict[int, str] = {}  # of each vote: the key in force when it was taken
        self._signed_at: dict[tuple[str, str], int] = {}
        self._instant: datetime | None = None
        self._agreed: Entry | None = None  # the entry before, where it agreed an amendment
        self._just_voided: int | None = None  # what the entry before voided

    # --- what was known ------------------------------------------------------------------

    def line(self, stream: str) -> Timeline[Any]:
        """The timeline of a stream; empty for one that has not begun."""
        return self._lines.get(stream) or Timeline(stream)

    def keys(self, kind: str) -> list[str]:
        """The keys of the plan's streams of a kind."""
        return self._keys.get(kind, [])

    def load_streams(self, streams: Sequence[str]) -> None:
        """Nothing is left to load."""

    def _scene(self, day: date, entry: Entry) -> LineScene:
        return LineScene(self, day, entry.note.recorded_by)

    @property
    def _scale(self) -> Scale | None:
        plan: Plan | None = self.line(plan_stream(self.code)).state_at(date.max)
        return plan.scale if plan else None

    @property
    def _judges(self) -> bool:
        """Whether all is there on which authority rests: else each decision would be found."""
        return not any(stream.split("/")[0] in FOUNDATION for stream in self._incomplete)

    # --- the entries in order ------------------------------------------------------------

    def unreadable(self, stream: str) -> None:
        """An entry of the stream cannot be read: of what rests on it nothing can be said."""
        self._incomplete.add(stream)
        self._agreed = None

    def take(self, entry: Entry) -> None:
        """Hold the next entry to what is known so far, and take it in."""
        if entry.recorded_at != self._instant:
            # A stream on which nobody decided is held to its law once, as known at the end.
            self._settle(self._touched & self._decided)
        self._instant = entry.recorded_at
        agreed, self._agreed = self._agreed, None
        voided, self._just_voided = self._just_voided, None
        kind, _, rest = entry.stream_id.partition("/")
        key = rest.partition("/")[2] or self.code
        if not at_home(entry.event, kind):
            self._broken(entry, entry.stream_id, "other-stream", f"that is no event of a {kind}")
            return
        about = subject(entry.event) or key
        if about != key:
            said = f"it is about {about} and stands on {key}"
            self._broken(entry, entry.stream_id, "other-stream", said)
        if entry.stream_id not in self._lines:
            self._lines[entry.stream_id] = Timeline(entry.stream_id)
            self._keys.setdefault(kind, []).append(key)
        line = self._lines[entry.stream_id]
        if isinstance(entry.event, SignOffVoted | SignOffConfirmed):
            self._signature(entry, entry.event)
            self._signed_once(entry, entry.event)
        if self._judges and entry.stream_id not in self._incomplete:
            with self._named_where_broken(entry):
                self._hold(entry, line, key, agreed, voided)
        line.add(entry.event, entry.effective_on, entry.position)
        self._touched.add(entry.stream_id)
        if isinstance(entry.event, GOVERNED):
            self._decided.add(entry.stream_id)
        if isinstance(entry.event, (*GOVERNED, *STANDING)) or entry.note.decided_by:
            self._entries[entry.position] = entry
        if entry.note.decided_by or entry.note.source:
            self._authority[entry.position] = bool(entry.note.decided_by), bool(entry.note.source)

    def _hold(
        self,
        entry: Entry,
        line: Timeline[Any],
        key: str,
        agreed: Entry | None,
        voided: int | None,
    ) -> None:
        event = entry.event
        if agreed is not None and self._beside(agreed, entry):
            self._as_agreed(agreed, entry, line)
        elif agreed is not None:
            self._not_beside(agreed)
            agreed = None
        if isinstance(event, EntryVoided):
            self._just_voided = event.voids
            self._may_void(entry, line, voided)
        elif isinstance(event, STANDING):
            self._may_say(entry, key)
        elif isinstance(event, GOVERNED):
            self._govern(entry, line, key)
        elif isinstance(event, (*CHANGES, *RATING)) and entry.note.source:
            scene = self._scene(_day(entry), entry)
            if self._tells_who(entry, scene):
                may_take_over(scene)
        elif isinstance(event, CHANGES) and agreed is None:
            scene = self._scene(entry.effective_on, entry)
            agreed_by_nobody(scene)
            agreed_by_nobody(scene.on(_day(entry)))  # an early date is no way round the body
            if isinstance(event, TimescaleRevised):
                within_cap(scene, ReviseTimescale(key, "", event.milestone))

    def on_text(self, entry: Entry) -> None:
        """Hold what was decided about a text of this plan to who may."""
        scene = self._scene(_day(entry), entry)
        if scene.bodies() and self._judges and self.opened_by and self._tells_who(entry, scene):
            with self._named_where_broken(entry):
                administrators_only(scene, "decide what becomes of a text")

    def finish(self) -> None:
        """Hold what counts to what is known now."""
        self._settle(set(self._touched))
        if self._agreed is not None:
            self._not_beside(self._agreed)
        if not self._judges:
            return
        for stream, line in self._lines.items():
            for item in line.items() if stream not in self._incomplete else ():
                if isinstance(item.event, GOVERNED):
                    entry = self._entries[item.position]
                    with self._named_where_broken(entry, "As known now: "):
                        self._check(entry, line.state_before(item.position))
                        self._check_key(entry)

    # --- findings ------------------------------------------------------------------------

    def _broken(self, entry: Item | Entry, stream: str, rule: str, sentence: str) -> None:
        if (entry.position, rule) not in self._named:
            self._named.add((entry.position, rule))
            said = f"breaks the rule '{rule}': {sentence.rstrip('.')}."
            where = f"Entry {entry.position} ({entry.event.tag} on {stream})"
            self._add("rule-broken", entry.position, f"{where} {said}")

    @contextmanager
    def _named_where_broken(self, entry: Entry, when: str = "") -> Iterator[None]:
        try:
            yield
        except GovledgerError as error:
            if when or error.rule != "no-key":  # that a key was lacking then the signature says
                self._broken(entry, entry.stream_id, error.rule, when + error.message)
        except Exception as error:  # whoever forges an entry may put any value into it
            self._broken(
                entry, entry.stream_id, "no-sense", f"{when}it cannot be judged ({error!r})"
            )

    def _settle(self, streams: set[str]) -> None:
        """Hold streams to their law, once all is taken in that was recorded together."""
        self._touched -= streams
        scale = self._scale
        for stream in sorted(streams - self._incomplete):
            line = self._lines[stream]
            if scale is None or not line.broken(scale):
                continue
            for item in line.items():
                found = line.objection_to(item, scale)
                if found:
                    self._broken(item, stream, *found)

    # --- who may -------------------------------------------------------------------------

    @staticmethod
    def _tells_who(entry: Entry, scene: LineScene) -> bool:
        """Whether it can still be said who recorded an entry.

        Not where that name was taken away by an entry; nor where nobody is known by it and the name
        of somebody, who may be the one, is not held. A name that is only gone, or was never there,
        is nobody's: else whoever leaves it out could do what they like.
        """
        if "recorded_by" in entry.withheld:
            return "recorded_by" not in entry.by_law
        return scene.known_person(scene.who) is not None or all(
            is_held(person.name) for person in scene.people()
        )

    def _check(self, entry: Entry, before: Any) -> None:
        """What `domain.authority` says, of what makes sense on its stream."""
        begins = isinstance(entry.event, AmendmentProposed | EscalationRaised)
        if before is not None or begins:
            check(self._scene(entry.effective_on, entry), before, entry.event, _taken(entry))

    def _check_key(self, entry: Entry) -> None:
        """A key that was replaced as from an earlier day has signed nothing since then."""
        event = entry.event
        then = self._keys_then.get(entry.position)
        if not isinstance(event, SignOffVoted | SignOffConfirmed) or then is None:
            return
        taken = _taken(entry)
        if then != in_force(self._scene(entry.effective_on, entry), event.person, taken):
            raise NotAuthorised(
                "other-key", f"it is not signed with the key that {event.person} had on {taken[0]}"
            )

    def _govern(self, entry: Entry, line: Timeline[Any], key: str) -> None:
        event: Any = entry.event
        scene, before = self._scene(entry.effective_on, entry), line.state_at(entry.effective_on)
        if "shown" not in entry.withheld and is_gone(getattr(event, "shown", "")):
            raise Refusal("changed-since", "what it shows is no content of an action")
        if isinstance(event, SignOffVoted | SignOffConfirmed) and "statement" not in entry.withheld:
            self._statement(entry, due_statement(scene, event, before, key))
        if isinstance(event, AmendmentAgreed) and before and before.status == "proposed":
            self._agreed = entry
        self._check(entry, before)
        actor = actor_of(event)
        if self._tells_who(entry, scene) and scene.person(scene.who).person != actor:
            raise NotAuthorised(
                "other-person", f"{entry.note.recorded_by} recorded it in the name of {actor}"
            )
        if isinstance(event, DECISIONS):
            decided, body = entry.note.decided_by, scene.body(event.body)
            if decided is None or (decided.meeting, decided.body) != (event.meeting, body.name):
                raise Refusal("needs-authority", f"it names no minute of {body} on {event.meeting}")
        if isinstance(event, SIGN_OFF) and before is not None:
            sign_off_kept(event, before, scene.plan.scale)

    def _may_say(self, entry: Entry, key: str) -> None:
        """Who may decide is said by administrators; of meetings and interests by some others."""
        event, scene = entry.event, self._scene(entry.effective_on, entry)
        check(scene, None, event, _taken(entry))
        if not self._tells_who(entry, scene) or not self.opened_by:
            return  # nobody can say any more who it was
        try:
            administrators_only(scene, "say who may decide")
        except NotAuthorised:
            if not isinstance(event, MeetingRecorded | InterestDeclared):
                raise
            person = scene.known_person(scene.who)
            own = isinstance(event, InterestDeclared) and person and person.person == event.person
            if not own:
                seated(scene, scene.body(key), scene.who, RECORDING)

    def _may_void(self, entry: Entry, line: Timeline[Any], voided_before: int | None) -> None:
        """A void of what rests on authority: by an administrator, or of what had lost support."""
        event: Any = entry.event
        item = line.item(event.voids)
        scene = self._scene(_day(entry), entry)
        if item is None or not self._tells_who(entry, scene) or not self.opened_by:
            return
        decided, taken_over = self._authority.get(event.voids, (False, False))
        agreement = self._entries.get(event.voids - 1)
        beside = voided_before == event.voids - 1 and agreement is not None
        if beside and agreement and isinstance(agreement.event, AmendmentAgreed):
            return  # the change goes with the agreement that it stands beside
        if not self._has_lost(line, item):
            may_void(scene, item.event, decided=decided, taken_over=taken_over)

    def _has_lost(self, line: Timeline[Any], item: Item) -> bool:
        if not isinstance(item.event, GOVERNED):
            return False
        scale = self._scale
        if scale is not None and line.objection_to(item, scale):
            return True
        try:
            self._check(self._entries[item.position], line.state_before(item.position))
            self._check_key(self._entries[item.position])
        except GovledgerError:
            return True
        return False

    # --- an amendment and its change ------------------------------------------------------

    def _proposal(self, agreed: Entry) -> Amendment:
        found: Amendment | None = self.line(agreed.stream_id).state_at(agreed.effective_on)
        assert found is not None  # else it would not have been kept as agreed
        return found

    def _beside(self, agreed: Entry, entry: Entry) -> bool:
        """Whether the entry is where the change has to be that was agreed."""
        stream = stream_of("action", self.code, self._proposal(agreed).ref)
        return (entry.position, entry.stream_id) == (agreed.position + 1, stream)

    def _as_agreed(self, agreed: Entry, entry: Entry, line: Timeline[Any]) -> None:
        """The entry beside an agreement has to be the change that was proposed."""
        scene = self._scene(agreed.effective_on, agreed)
        wanted = self._proposal(agreed)
        gone = [n for n in ("title", "owners", "timescale") if not is_held(getattr(wanted, n))]
        # No command takes a text that is not held; what stands in its place here is not compared.
        stand_in: Any = dict.fromkeys(gone, "TBC")
        command = replace(wanted, **stand_in).command()
        due = command.decide(line.state_at(agreed.effective_on), scene.plan, taken_over=False)
        if says_otherwise(due, entry.event, gone):
            raise Refusal(
                "not-as-agreed", f"it is not what entry {agreed.position} beside it agreed"
            )
        if entry.note.decided_by != agreed.note.decided_by:
            raise Refusal(
                "needs-authority", f"it does not name the minute of entry {agreed.position}"
            )

    def _not_beside(self, agreed: Entry) -> None:
        self._broken(
            agreed,
            agreed.stream_id,
            "not-carried-out",
            "the change that it agreed does not follow it",
        )

    # --- signatures -----------------------------------------------------------------------

    def _signature(self, entry: Entry, event: SignOffVoted | SignOffConfirmed) -> None:
        """Keep the signature for checking, with the key that was in force when it was taken."""
        stream, day = stream_of("person", self.code, event.person), _day(entry)
        if stream in self._incomplete:
            return
        where = f"Entry {entry.position} ({event.tag} on {entry.stream_id})"
        signer = self.line(stream).state_at(day)
        if signer is None or not signer.key:
            said = f"no key of {event.person} was in force on {day}, when it was recorded"
            self._add("bad-signature", entry.position, f"{where}: {said}.")
        elif "statement" in entry.by_law:
            self.unsigned += 1
        elif "statement" in entry.withheld:
            said = "the statement is not held, so nobody can check its signature"
            self._add("signature-unchecked", entry.position, f"{where}: {said}.")
        else:
            self._keys_then[entry.position] = signer.key
            self.signed.append(
                Signed(entry.position, where, event.statement, event.signature, signer)
            )

    def _signed_once(self, entry: Entry, event: SignOffVoted | SignOffConfirmed) -> None:
        """A signature counts once: one whose vote was voided is not entered again by others."""
        said = {event.signature}
        if "statement" not in entry.withheld:
            said.add(event.statement)
        for token in said:
            first = self._signed_at.setdefault((entry.stream_id, token), entry.position)
            if first != entry.position:
                words = f"its signature was entered before, as entry {first}"
                self._broken(entry, entry.stream_id, "signed-before", words)

    def _statement(self, entry: Entry, due: dict[str, str]) -> None:
        """Hold what was signed to what the entry says."""
        event: Any = entry.event
        wrong = mismatches(event.statement, due)
        if wrong:
            self._add(
                "statement-mismatch",
                entry.position,
                f"Entry {entry.position} ({event.tag} on {entry.stream_id}): what was signed is "
                f"not what the entry says: {'; '.join(wrong)}.",
            )


def _taken(entry: Entry) -> Taken:
    return _day(entry), entry.position


def _day(entry: Entry) -> date:
    """The day in London on which the ledger took it."""
    assert entry.recorded_at is not None
    return london_day(entry.recorded_at)
