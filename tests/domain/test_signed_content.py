"""What a sign-off is bound to: the content that is shown, and the statement that is signed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import action as a
from domain.action import Action, Milestone
from domain.content import (
    MEANING,
    changed_since,
    claims_in,
    claims_of,
    digest,
    is_stale,
    shown,
    statement,
)
from domain.errors import BadInput
from domain.event import Event
from domain.evidence import KINDS, Evidence
from domain.scale import FIVE_STEPS
from domain.signoff import SignOff, SignOffVoted
from domain.text import free_text, one_line
from domain.timescale import Timescale
from tests.domain.steps import (
    MET,
    OPEN,
    SIGNED,
    after,
    confirmed,
    lodged,
)

# --- content ------------------------------------------------------------------------------------


FULL = after(
    a.OwnersChanged(owners="Head of Visits; Clerk"),
    a.TimescaleRevised(timescale=Timescale.parse("July 2026")),
    a.MilestoneSet(milestone=1, timescale=Timescale.parse("May 2026")),
    a.MilestoneSet(milestone=2),
    a.ActionRated(rating="amber", milestone=1),
    lodged(1),
    lodged(2, phase=2, called="Survey", file="s.pdf", sha256="ab" * 32, size=7),
)


def test_what_is_shown() -> None:
    """One line for each thing that the decision rests on; a phase shows no later evidence."""
    lines = [
        "govledger sign-off content 1",
        "Action: A1",
        "Wording: Visits",
        "Owners: Head of Visits; Clerk",
        "Timescale: July 2026",
        "Milestone 1: May 2026, On track",
        "Milestone 2: no timescale, not rated",
        'Evidence 1: performance figures: "Audit", dated 2025-10-09; reference "7"',
    ]
    assert shown(FULL, 1, FIVE_STEPS).splitlines() == lines
    survey = (
        f'"Survey", dated 2025-10-09; reference "7"; file "s.pdf", 7 bytes, SHA-256 {"ab" * 32}'
    )
    assert shown(FULL, 2, FIVE_STEPS).splitlines() == [
        *lines,
        f"Evidence 2: performance figures: {survey}",
    ]
    assert "Owners: not recorded\nTimescale: not recorded\n" in shown(OPEN, 1, FIVE_STEPS)


def pinned(text: str, phase: int = 1, quorum: int = 2) -> SignOff:
    """A sign-off that was granted for that text."""
    return SignOff(phase, "granted", 1, shown=text, body="iib", quorum=quorum)


CHANGES: dict[str, tuple[Event, tuple[int, ...], str]] = {
    "wording": (a.ActionReworded(title="Other words"), (1, 2), "Wording"),
    "owners": (a.OwnersChanged(owners="Clerk"), (1, 2), "Owners"),
    "timescale": (
        a.TimescaleRevised(timescale=Timescale.parse("August 2026")),
        (1, 2),
        "Timescale",
    ),
    "a milestone's timescale": (
        a.TimescaleRevised(milestone=2, timescale=Timescale.parse("August 2026")),
        (1, 2),
        "Milestone 2",
    ),
    "a milestone's rating": (a.ActionRated(milestone=2, rating="red"), (1, 2), "Milestone 2"),
    "another milestone": (a.MilestoneSet(milestone=3), (1, 2), "Milestone 3"),
    "evidence for phase 1": (lodged(3), (1, 2), "Evidence 3"),
    "evidence for phase 2": (lodged(3, phase=2), (2,), "Evidence 3"),
    "progress": (a.ProgressNoted(progress="More was done."), (), ""),
    "under review": (a.PlacedUnderReview(), (), ""),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_makes_a_sign_off_stale(name: str) -> None:
    """A change of what was shown does, and is named; a note of progress does not."""
    event, phases, what = CHANGES[name]
    for phase in (1, 2):
        kept = pinned(shown(FULL, phase, FIVE_STEPS), phase)
        signed = replace(FULL, signoffs={phase: kept})
        assert not is_stale(signed, phase, FIVE_STEPS)
        assert changed_since(signed, phase, FIVE_STEPS) == []
        changed = after(event, of=signed)
        assert is_stale(changed, phase, FIVE_STEPS) == (phase in phases)
        names = [name for name, _then, _now in changed_since(changed, phase, FIVE_STEPS)]
        assert names == ([what] if phase in phases else [])
        renewed = replace(kept, shown=shown(changed, phase, FIVE_STEPS))
        assert not is_stale(replace(changed, signoffs={phase: renewed}), phase, FIVE_STEPS)


def test_a_sign_off_is_renewed_once_a_quorum_has_confirmed_the_same_text() -> None:
    """As many have to confirm what is shown now as approved it; for another text nobody counts."""
    text, other = shown(FULL, 1, FIVE_STEPS), "Action: A1\n"
    signed = replace(FULL, rating="amber_e", signoffs={1: pinned(other)})
    steps = (
        (confirmed(who="x", text=text), True),
        (confirmed(who="y", text="Action: A2\n"), True),
        (confirmed(who="z", text=text), False),
        (confirmed(who="z", text=other), False),
        (confirmed(who="y", text=text), False),
    )
    for event, stale in steps:
        signed = after(event, of=signed)
        assert is_stale(signed, 1, FIVE_STEPS) == stale
        assert bool(changed_since(signed, 1, FIVE_STEPS)) == stale
    for body, round_ in (("cfc", 1), ("iib", 2)):
        moved = replace(signed.signoffs[1], body=body, round=round_)
        assert is_stale(replace(signed, signoffs={1: moved}), 1, FIVE_STEPS)


def test_back_to_what_was_granted_it_is_not_stale() -> None:
    """The text that was granted stands, whatever was confirmed meanwhile; so do all confirmed."""
    first, second = shown(OPEN, 1, FIVE_STEPS), replace(OPEN, title="Other words")
    text = shown(second, 1, FIVE_STEPS)
    granted_for = replace(OPEN, rating="amber_e", signoffs={1: pinned(first, quorum=1)})
    twice = after(confirmed(text=text), confirmed(who="y", text="Action: A3\n"), of=granted_for)
    for title in ("Visits", "Other words"):
        now = replace(twice, title=title)
        assert not is_stale(now, 1, FIVE_STEPS)
        assert changed_since(now, 1, FIVE_STEPS) == []


@pytest.mark.parametrize("status", ["", "recommended", "declined", "revoked"])
def test_only_what_is_granted_can_be_stale(status: str) -> None:
    """A sign-off that is not in force has nothing to be stale."""
    signed = replace(FULL, signoffs={1: SignOff(1, status, shown="Action: A1\n")})
    assert not is_stale(signed, 1, FIVE_STEPS)
    assert not is_stale(FULL, 1, FIVE_STEPS)


def test_evidence_that_is_gone_is_named() -> None:
    """What was shown and is no more is among the changes, with what it said."""
    signed = replace(FULL, signoffs={1: pinned(shown(FULL, 1, FIVE_STEPS))})
    gone = replace(signed, evidence={})
    then = 'performance figures: "Audit", dated 2025-10-09; reference "7"'
    assert changed_since(gone, 1, FIVE_STEPS) == [("Evidence 1", then, "nothing")]


def test_a_change_of_layout_alone_is_named_too() -> None:
    """Where a sign-off is stale, there is always something to be named that changed."""
    before = replace(FULL, title="One\n  Two")
    kept = pinned(shown(before, 1, FIVE_STEPS))
    now = replace(before, title="One\nTwo", signoffs={1: kept})
    assert is_stale(now, 1, FIVE_STEPS)
    assert changed_since(now, 1, FIVE_STEPS) == [("Wording", "One\n  Two", "One\nTwo")]


NASTY = st.sampled_from(
    (
        "Visits\nEvidence 9: external review",
        "Visits\n    Owners: nobody",
        "Visits\r\nTimescale: May",
        "Visits; reference 7",
        'A", dated 2025-10-09; reference "Z',
        "Audit, dated 2025-10-09; reference Z",
        f"Z; file s.pdf, 7 bytes, SHA-256 {'ab' * 32}",
        "a\n\nb",
        "\t",
        '"',
    )
)


PRINTABLE = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])


def _recordable(read: Callable[[str, str], str]) -> st.SearchStrategy[str]:
    """Texts as people can have them recorded."""

    def kept(text: str) -> str | None:
        try:
            return read(text, "It")
        except BadInput:
            return None

    texts = (NASTY | st.text(PRINTABLE | st.sampled_from("\n\r\t"), min_size=1)).map(kept)
    return texts.filter(lambda text: text is not None).map(str)


texts, lines = _recordable(free_text), _recordable(one_line)
few_days = st.sampled_from((MET, date(2025, 1, 1)))
items = st.builds(
    Evidence,
    evidence=st.just(1),
    phase=st.just(1),
    kind=st.sampled_from(tuple(KINDS)),
    called=texts,
    dated=few_days,
    reference=st.none() | lines,
    file=st.none() | lines,
    sha256=st.none() | st.just("ab" * 32),
    size=st.none() | st.just(7),
)
milestones = st.builds(
    Milestone,
    timescale=st.none() | texts.map(Timescale.parse),
    rating=st.none() | st.sampled_from([step.key for step in FIVE_STEPS.steps]),
)
actions = st.builds(
    Action,
    ref=st.just("A1"),
    title=texts,
    section=st.just("1"),
    owners=st.none() | texts,
    timescale=st.none() | texts.map(Timescale.parse),
    milestones=st.lists(milestones, max_size=2).map(lambda found: dict(enumerate(found, 1))),
    evidence=st.lists(items, max_size=2).map(
        lambda found: {n: replace(item, evidence=n) for n, item in enumerate(found, 1)}
    ),
)


def _read(text: str | None) -> str:
    """A text as it reads: the kinds of line break do not differ, and nothing is 'not recorded'."""
    return "\n".join((text or "not recorded").splitlines())


def _content(action: Action) -> list[Any]:
    """Everything that a sign-off is bound to, as values."""
    return [
        _read(action.title),
        _read(action.owners),
        _read(action.timescale.written if action.timescale else None),
        [
            (n, _read(m.timescale.written) if m.timescale else "no timescale", m.rating)
            for n, m in action.milestones.items()
        ],
        [
            (
                *(e.evidence, e.kind, _read(e.called), e.dated, e.reference),
                *((e.file, e.sha256, e.size) if e.file or e.sha256 else ()),
            )
            for e in action.evidence.values()
        ],
    ]


@given(actions, actions)
def test_two_contents_never_read_alike(one: Action, other: Action) -> None:
    """What is shown says all of it: whoever signs one content has signed no other."""
    alike = shown(one, 1, FIVE_STEPS) == shown(other, 1, FIVE_STEPS)
    assert alike == (_content(one) == _content(other))


@given(actions, st.data())
def test_a_change_of_one_thing_reads_otherwise(action: Action, data: st.DataObject) -> None:
    """However small a change is, and whatever stands around it, the text is another."""
    other = data.draw(actions)
    field = data.draw(st.sampled_from(("title", "owners", "timescale", "milestones", "evidence")))
    changed = replace(action, **{field: getattr(other, field)})
    kept = pinned(shown(action, 1, FIVE_STEPS))
    changed = replace(changed, signoffs={1: kept})
    different = _content(action) != _content(changed)
    assert is_stale(changed, 1, FIVE_STEPS) == different
    assert bool(changed_since(changed, 1, FIVE_STEPS)) == different


@given(actions)
def test_no_wording_can_pass_for_another_line(action: Action) -> None:
    """The lines that begin with a name are those of the action, and of nothing typed into it."""
    text = shown(action, 1, FIVE_STEPS)
    names = [line.partition(": ")[0] for line in text.split("\n") if line[:4].strip()]
    expected = ["Action", "Wording", "Owners", "Timescale"]
    expected += [f"Milestone {n}" for n in action.milestones]
    expected += [f"Evidence {n}" for n in action.evidence]
    assert [name for name in names if name] == ["govledger sign-off content 1", *expected]
    assert text.splitlines() == text.split("\n")[:-1]


# --- the statement ------------------------------------------------------------------------------

FORGED = "A. Member\nDecision: decline"


@given(st.dictionaries(st.text("NameRole 2-", min_size=1), lines))
def test_a_statement_claims_what_was_put_into_it(claims: dict[str, str]) -> None:
    """Claims of one line come back as they went in, whatever they say."""
    assert claims_in(statement(claims)) == claims


@given(lines, lines, lines)
def test_no_name_role_or_body_can_forge_a_claim(name: str, role: str, body: str) -> None:
    """Whatever can be recorded as a name, a role or a body's name stays in its own line."""
    event = SignOffVoted(phase=1, round=1, person="x", vote="approve", **SIGNED)
    claims = claims_of("00ff", "P", "A1", event, "content")
    printed = {"Name": name, "Role": role, "Seat": f"member of {body}"}
    text = statement({**claims, **printed})
    assert claims_in(text) == {**claims, **printed}
    assert {k: v for k, v in claims_in(text).items() if k in claims} == claims


@pytest.mark.parametrize(
    "line_break",
    ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"],
)
def test_a_name_has_no_line_break_of_any_kind(line_break: str) -> None:
    """Whatever Python or an editor takes for the end of a line is refused in a name."""
    with pytest.raises(BadInput) as found:
        one_line(FORGED.replace("\n", line_break), "A name")
    assert found.value.rule == "control-character"


def test_what_is_no_statement_claims_nothing() -> None:
    """A text without the title of a statement claims nothing at all."""
    for text in ("", "\n", "Decision: approve\n", "govledger sign-off statement 2\nDecision: x\n"):
        assert claims_in(text) == {}


def test_every_claim_is_bound() -> None:
    """Another ledger, plan, action, phase, round, person, body, meeting, content: other claims."""
    event = SignOffVoted(phase=1, round=1, person="x", vote="approve", **SIGNED)
    base = claims_of("00ff", "P", "A1", event, "content")
    others = [
        claims_of("00fe", "P", "A1", event, "content"),
        claims_of("00ff", "Q", "A1", event, "content"),
        claims_of("00ff", "P", "A2", event, "content"),
        claims_of("00ff", "P", "A1", event, "content\n"),
        *(
            claims_of("00ff", "P", "A1", event.model_copy(update=change), "content")
            for change in (
                {"phase": 2},
                {"round": 2},
                {"person": "y"},
                {"vote": "decline"},
                {"body": "cfc"},
                {"meeting": date(2025, 10, 10)},
                {"signed_at": datetime(2025, 10, 9, 18, 4, 0, 1, tzinfo=UTC)},
            )
        ),
    ]
    assert all(other != base for other in others)
    assert base["Content SHA-256"] == digest("content")


def test_each_decision_says_what_it_means() -> None:
    """To approve, to decline and to confirm are three sentences, and each names the phase."""
    vote = SignOffVoted(phase=2, round=1, person="x", vote="approve", **SIGNED)
    found = [
        claims_of("00ff", "P", "A1", event, "")
        for event in (vote, vote.model_copy(update={"vote": "decline"}), confirmed(2))
    ]
    assert [claims["Decision"] for claims in found] == list(MEANING)
    assert len({claims["Meaning"] for claims in found}) == 3
    assert all("impact is evidenced" in claims["Meaning"] for claims in found)
