"""Random commands on people, bodies, meetings, sign-offs, amendments and escalations, as rules."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from domain.administration import BoardCommand
from domain.board_commands import (
    Appoint,
    ChangeTerms,
    DeclareInterest,
    Establish,
    RecordMeeting,
    SetTerms,
    StandDown,
)
from domain.body import NO_END
from domain.evidence import KINDS
from domain.evidence_commands import Lodge
from domain.person_commands import Administrate, ChangeRole, Enrol, ReplaceKey
from domain.signing_commands import CastVote, Confirm
from domain.signoff_commands import Grant, Recommend, Return, Revoke
from tests import boards
from tests.boards import ADMIN
from tests.property.board_bench import SPARE, BoardBench
from tests.property.strategies import likely

DayKind = Literal["meeting", "today", "recent", "any", "future"]


@dataclass(frozen=True)
class Style:
    """When and how a command is given.

    Attributes:
        kind, days: the day, said so that it can be found in any ledger: see `BoardRules.day`.
        careless: does not say that it is a correction.
        astray: given by, or for, somebody or something else than would make sense.
        rehearse: as a dry run first.
        replaces: the last entry of its kind of stream is voided in the same append.
    """

    kind: DayKind
    days: int
    careless: bool
    astray: bool
    rehearse: bool
    replaces: bool


def _rarely(times: int) -> st.SearchStrategy[bool]:
    return st.sampled_from((False,) * times + (True,))


_kinds: tuple[DayKind, ...] = ("meeting", "meeting", "meeting", "today", "today", "recent", "any")
_odd: tuple[DayKind, ...] = ("recent", "future")
styles = st.builds(
    Style,
    st.sampled_from(_kinds + _kinds + _odd),
    st.integers(0, 45),
    careless=_rarely(9),
    astray=_rarely(6),
    rehearse=_rarely(7),
    replaces=_rarely(14),
)
refs = st.sampled_from(("C1", "C1", "C1", "C2", "C2", "C3"))
phases = st.sampled_from((1, 1, 2, 2, 2))
people = st.sampled_from((*boards.PEOPLE, *boards.PEOPLE, "newcomer"))
bodies = st.sampled_from(("iib",) * 7 + ("pog", "pog", "cfc", "ws", "ofsted"))
minutes = st.sampled_from(("7.1", "8"))
flaws = st.sampled_from(("",) * 9 + ("other key", "replayed", "garbled"))
names = st.sampled_from(sorted((*boards.PEOPLE, "other", *SPARE)))
VOTERS = ("iib-chair", "dcs", "lead-member")
PRACTICE = ("performance", "staff_feedback", "family_feedback")


class BoardRules(RuleBasedStateMachine):
    """One rule for each kind of command; most are aimed so that they could be accepted."""

    bench: BoardBench

    # --- aiming ----------------------------------------------------------------------------------

    def last_meeting(self, body: str = "iib", days: int = 0) -> date:
        """The last meeting of a body, or one before it; the first of all where there is none."""
        found = sorted(self.bench.body(body).meetings) or [boards.MEETING]
        return found[-1 - days % min(len(found), 2 + days % 2)]

    def day(self, style: Style, body: str = "iib") -> date:
        today = self.bench.today
        match style.kind:
            case "meeting":
                return self.last_meeting(body, 0 if style.days < 30 else 1)
            case "recent":
                return today - timedelta(style.days // 3)
            case "any":
                return max(boards.SET_UP, today - timedelta(2 * style.days))
            case "future":
                return today + timedelta(1 + style.days)
        return today

    def recorder(self, style: Style, body: str, who: str) -> str:
        """Who records for a body: its chair or secretary, or whoever it is."""
        seats = {c: p for p, m in self.bench.body(body).members.items() for c in [m.capacity]}
        return who if style.astray else seats.get("secretary") or seats.get("chair") or who

    def govern(self, kind: str, command: BoardCommand, who: str, day: date, style: Style) -> bool:
        bench = self.bench
        replaces = None
        if style.replaces:
            # What the person may wish to have said otherwise: the last live entry of that type.
            tags = [e for e in bench.known_now().live if e.position > 3]
            replaces = tags[-1 - style.days % min(len(tags), 9)].position
        note = bench.decision_note(who, day, careless=style.careless)
        accepted = bench.govern(kind, command, note, replaces=replaces, rehearse=style.rehearse)
        if accepted and replaces:
            bench.count("replacement")
        if accepted and day < bench.today:
            bench.count("backdated")
        return accepted

    def meet(self, body: str = "iib") -> None:
        """The body meets today, unless it has."""
        bench = self.bench
        if self.last_meeting(body) < bench.today:
            note = bench.decision_note(ADMIN, bench.today)
            there = tuple(bench.body(body).members)
            bench.govern("record a meeting", RecordMeeting(body, bench.today, there), note)

    # --- people and bodies -----------------------------------------------------------------------

    @rule(person=people, body=bodies, style=styles, what=st.integers(0, 11), extra=names)
    def change_who_decides(
        self, person: str, body: str, style: Style, what: int, extra: str
    ) -> None:
        """Appointed, stood down, another role, another key, none; other terms; a newcomer."""
        who, day = (person if style.astray else ADMIN), self.day(style, body)
        powers = ("recommend", "phase_1", "phase_2", "amend")
        capacity = ("member", "chair", "member", "secretary")[style.days % 4]
        until = NO_END if style.days % 3 else day + timedelta(style.days)
        key = self.bench.public_key(extra)
        choices: list[tuple[str, BoardCommand]] = [
            ("appoint", Appoint(body, person, capacity, until)),
            ("appoint", Appoint(body, person, capacity, until)),
            ("stand down", StandDown(body, person)),
            (
                "change a role",
                ChangeRole(person, ("Head of Edge of Care", "Adviser")[style.days % 2]),
            ),
            ("replace a key", ReplaceKey(person, key)),
            ("replace a key", ReplaceKey(person, key)),
            ("withdraw a key", ReplaceKey(person, None)),
            ("change terms", ChangeTerms(body, style.days % 4)),
            ("change terms", ChangeTerms(body, None, powers[style.days % 3 :])),
            ("enrol", Enrol("newcomer", "A newcomer", "Adviser", key)),
            ("administrate", Administrate(person, bool(style.days % 3))),
            ("set terms", SetTerms(2 + style.days % 3, style.days % 4)),
        ]
        kind, command = choices[what]
        self.govern(kind, command, who, day, style)

    @rule(voter=st.sampled_from(VOTERS), extra=st.sampled_from((*SPARE, "other")), style=styles)
    def change_a_voters_key(self, voter: str, extra: str, style: Style) -> None:
        """As from a day before or after something was signed with it."""
        key = self.bench.public_key(extra) if style.days % 4 else None
        kind = "replace a key" if key else "withdraw a key"
        self.govern(kind, ReplaceKey(voter, key), ADMIN, self.day(style), style)

    @rule(style=styles, rung=st.integers(0, 5))
    def establish(self, style: Style, rung: int) -> None:
        powers = ("phase_1",) if style.days % 2 and rung else ()
        self.govern(
            "establish",
            Establish(f"b{rung}", f"Body {rung}", rung, style.days % 3, powers),
            ADMIN,
            self.day(style),
            style,
        )

    @rule(body=bodies, away=st.lists(people, max_size=2), who=people, style=styles)
    def record_a_meeting(self, body: str, away: list[str], who: str, style: Style) -> None:
        """Of today or another day, perhaps one that is recorded already."""
        day = self.day(style, body)
        there = tuple(p for p in self.bench.body(body).members if p not in away)
        command = RecordMeeting(body, day, there, tuple(set(away) - set(there))[:1])
        effective = day if style.days % 8 else self.bench.today
        self.govern("record a meeting", command, self.recorder(style, body, who), effective, style)

    @rule(person=people, ref=refs, style=styles)
    def declare_an_interest(self, person: str, ref: str, style: Style) -> None:
        meeting = self.last_meeting("iib", style.days)
        if not style.astray:
            there = self.bench.body("iib").present(meeting)
            person = next((p for p in there if p >= person), (there or [person])[0])
        day = self.day(style) if style.astray else meeting
        command = DeclareInterest("iib", meeting, person, ref)
        self.govern("declare an interest", command, person, day, style)

    # --- sign-offs -------------------------------------------------------------------------------

    @initialize(steps=st.integers(0, 11), more=st.integers(0, 11))
    def some_of_it_is_done(self, steps: int, more: int) -> None:
        """A ledger that is begun with nothing signed off, one phase, or both."""
        for ref, count in (("C1", steps), ("C2", more)):
            for _ in range(count):
                self._go_on(ref, boards.MEETING)

    @rule(ref=refs, steps=st.integers(1, 12), style=styles)
    def go_on(self, ref: str, steps: int, style: Style) -> None:
        """What the plan office would do next for an action, several times."""
        days = 0 if style.days < 38 else 1
        if style.days % 3 == 2:
            self.meet()
        for _ in range(steps):
            if not self._go_on(ref, self.last_meeting("iib", days)):
                return

    def _go_on(self, ref: str, day: date) -> bool:
        bench = self.bench
        action = bench.action(ref, day)
        if action is None or action.standing != "open" or action.rating == "green":
            return False
        phase = 2 if action.rating == "amber_e" else 1
        signoff, note = action.signoffs.get(phase), bench.decision_note
        kinds = PRACTICE[:1] if phase == 1 else PRACTICE
        there = {item.kind for item in action.evidence.values()}
        lacking = [kind for kind in kinds if kind not in there]
        if lacking:
            lodge = Lodge(ref, lacking[0], "What was seen", day, "R-1")
            return bench.govern("lodge", lodge, note("workstream-lead", day))
        recommended = signoff is not None and signoff.status == "recommended"
        if recommended and bench.known_now().unlike(f"action/{bench.code}/{ref}", phase, day):
            recommended = False
        if not recommended:
            recommend = Recommend(ref, phase, "pog")
            return bench.govern("recommend", recommend, note("workstream-lead", day))
        assert signoff is not None
        body = bench.body("iib", day)
        approved = signoff.votes("approve", "iib")
        grant = Grant(ref, phase, day, "7.1", "iib")
        if len(approved) < body.quorum <= len(approved + signoff.votes("approve", "cfc")):
            # Somebody may take the votes of another body for those of this one.
            bench.govern(f"grant phase {phase}", grant, note("clerk", day))
        left = [p for p in body.present(day) if p not in signoff.ballots or p not in approved]
        if len(approved) < body.quorum:
            for person in left:
                vote = CastVote(ref, phase, "approve", day, bench.instant, "iib")
                if bench.sign("vote", vote, note(person, day), rehearse=False):
                    return True
            return False
        return bench.govern(f"grant phase {phase}", grant, note("clerk", day))

    @rule(ref=refs, kind=st.sampled_from(sorted(KINDS)), phase=st.none() | phases, style=styles)
    def lodge(self, ref: str, kind: str, phase: int | None, style: Style) -> None:
        if style.days % 2:  # later evidence, by which what was signed off goes stale
            ref, phase = self.wanting(ref, phase or 1, "granted", style)
        day = self.day(style)
        dated = day + timedelta(1) if style.astray else day - timedelta(style.days)
        command = Lodge(ref, kind, "What was heard", dated, "R-2", phase=phase)
        self.govern("lodge", command, "workstream-lead", day, style)

    @rule(ref=refs, phase=phases, who=people, style=styles)
    def recommend(self, ref: str, phase: int, who: str, style: Style) -> None:
        who = who if style.astray else ("workstream-lead", "head-edge")[style.days % 2]
        self.govern("recommend", Recommend(ref, phase, "pog"), who, self.day(style), style)

    @rule(
        ref=refs,
        phase=phases,
        who=people,
        vote=st.sampled_from(("approve", "approve", "approve", "decline")),
        body=bodies,
        flaw=flaws,
        style=styles,
    )
    def vote(
        self, ref: str, phase: int, who: str, vote: str, body: str, flaw: str, style: Style
    ) -> None:
        bench = self.bench
        body = body if style.astray else "iib" if style.days % 4 else "cfc"
        meeting = self.last_meeting(body, style.days)
        ref, phase = self.wanting(ref, phase, "recommended", style)
        if not style.astray:
            if not self.waits(ref, phase):
                self._go_on(ref, meeting)
            who = self.free_to_vote(ref, phase, who, body, meeting)
        day = self.day(style, body) if style.astray else meeting
        command = CastVote(ref, phase, vote, meeting, bench.instant, body)
        note = bench.decision_note(who, day, careless=style.careless)
        bench.sign("vote", command, note, flaw, rehearse=style.rehearse)

    def waits(self, ref: str, phase: int) -> bool:
        action = self.bench.action(ref)
        return bool(
            action and phase in action.signoffs and action.signoffs[phase].status == "recommended"
        )

    def free_to_vote(self, ref: str, phase: int, who: str, body: str, meeting: date) -> str:
        """Who was at the meeting and has not voted yet; whoever it is where nobody is left."""
        action = self.bench.action(ref, meeting)
        signoff = action.signoffs.get(phase) if action else None
        voted = (
            {b.person for b in signoff.ballots.values() if b.round == signoff.round}
            if signoff
            else set()
        )
        left = [p for p in self.bench.body(body, meeting).present(meeting) if p not in voted]
        return next((p for p in left if p >= who), (left or [who])[0])

    def wanting(self, ref: str, phase: int, status: str, style: Style) -> tuple[str, int]:
        """A sign-off of that status where there is one, the one asked for at best."""
        if style.astray:
            return ref, phase
        found = [
            (r, p)
            for r in ("C1", "C2", "C3")
            for p in (2, 1)
            if (a := self.bench.action(r)) and p in a.signoffs and a.signoffs[p].status == status
        ]
        return (
            (ref, phase) if (ref, phase) in found or not found else found[style.days % len(found)]
        )

    @rule(
        ref=refs,
        phase=phases,
        who=people,
        body=bodies,
        minute=minutes,
        what=st.sampled_from((Grant, Grant, Grant, Return, Revoke)),
        style=styles,
    )
    def decide(
        self,
        ref: str,
        phase: int,
        who: str,
        body: str,
        minute: str,
        what: type[Grant | Return | Revoke],
        style: Style,
    ) -> None:
        """Granted, returned or revoked."""
        ref, phase = self.wanting(ref, phase, "granted" if what is Revoke else "recommended", style)
        body = body if style.astray else "iib"
        meeting = self.last_meeting(body, style.days // 30)
        if what is Return and not style.astray and not self.waits(ref, phase):
            self._go_on(ref, meeting)
        kinds = {Grant: f"grant phase {phase}", Return: "return", Revoke: "revoke"}
        command = what(ref, phase, meeting, minute, body)
        day = self.day(style, body) if style.astray else meeting
        self.govern(kinds[what], command, self.recorder(style, body, who), day, style)

    @rule(ref=refs, phase=phases, who=people, flaw=flaws, style=styles, aim=likely)
    def confirm(self, ref: str, phase: int, who: str, flaw: str, style: Style, aim: bool) -> None:
        bench = self.bench
        if aim:
            known, plan = bench.known_now(), f"action/{bench.code}/"
            pairs = [(r, p) for r in ("C1", "C2", "C3") for p in (1, 2)]
            stale = [(r, p) for r, p in pairs if known.stale(plan + r, p, bench.today)]
            ref, phase = stale[style.days % len(stale)] if stale else (ref, phase)
        if aim:
            self.meet()
            there = self.bench.body("iib").present(self.last_meeting())
            action = bench.action(ref)
            if action and phase in action.signoffs:
                # Whoever has confirmed something leaves it to the others.
                said = action.signoffs[phase].confirmations.values()
                done = {confirmation.confirmed_by for confirmation in said}
                there = [p for p in there if p not in done] or there
            who = next((p for p in there if p >= who), (there or [who])[0])
        meeting = self.last_meeting("iib")
        command = Confirm(ref, phase, meeting, "9", bench.instant, "iib")
        note = bench.decision_note(who, meeting, careless=style.careless)
        bench.sign("confirm", command, note, flaw, rehearse=style.rehearse)
