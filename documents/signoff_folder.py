"""A folder that proves sign-offs to whoever has OpenSSH: statements, signatures, keys."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.dates import write_instant
from domain.errors import Failed, Refusal
from domain.event import LedgerOpened
from domain.signoff import PHASES, SignOffConfirmed, SignOffRecommended, SignOffVoted
from domain.text import WITHOUT_TEXT
from domain.timeline import action_stream
from ledger import signatures
from ledger.keys import fingerprint
from projections.boards import known_line
from projections.record import Kept, Record

ALLOWED = "allowed_signers"
VOTED = {"approve": "approved", "decline": "voted against", "confirm": "confirmed"}


@dataclass(frozen=True)
class Signed:
    """A signed statement and what belongs to it.

    Attributes:
        name: of its files, without an ending.
        content: the text that was shown; None where the ledger does not hold it any more.
        key: the public key that signed; None where no key of the person did.
        trouble: what is wrong with the signature; None where it is good.
        gone: what stands in place of a content that is withheld or not held.
    """

    name: str
    entry: int
    ref: str
    phase: int
    person: str
    decision: str
    meeting: str
    statement: str
    signature: str
    content: str | None
    key: str | None
    trouble: str | None
    gone: str | None = None

    @property
    def files(self) -> dict[str, str]:
        """The text of each file by its name."""
        found = {self.statement_file: self.statement, self.signature_file: self.signature}
        if self.content is not None:
            found[f"{self.name}.content.txt"] = self.content
        return found

    @property
    def statement_file(self) -> str:
        """The name of the file that was signed."""
        return f"{self.name}.statement.txt"

    @property
    def signature_file(self) -> str:
        """The name of the file with the signature, where ssh-keygen would put it."""
        return f"{self.statement_file}.sig"

    @property
    def command(self) -> str:
        """What anyone types in the folder to check the signature."""
        return signatures.verify_command(self.person, self.statement_file, self.signature_file)

    def __str__(self) -> str:
        return (
            f"{self.ref} phase {self.phase}: {self.person} {VOTED[self.decision]} at the meeting "
            f"of {self.meeting} (entry {self.entry})"
        )


@dataclass(frozen=True)
class Proofs:
    """What there is to write of one plan, or of one action of it.

    Attributes:
        left_out: a sentence for each vote that is voided, and each text that is not held.
    """

    record: Record
    signed: Sequence[Signed]
    left_out: Sequence[str]


def collect(record: Record, refs: Sequence[str]) -> Proofs:
    """Every vote and confirmation on these actions that counts at the moment.

    Raises:
        Refusal: nothing-signed.
        Failed: no-ssh-keygen.
    """
    signed: list[Signed] = []
    left_out: list[str] = []
    for ref in refs:
        stream = action_stream(record.code, ref)
        kept = record.kept(
            SignOffRecommended, SignOffVoted, SignOffConfirmed, stream=stream, voided=True
        )
        asked = {
            (one.event.phase, one.event.round): one
            for one in kept
            if isinstance(one.event, SignOffRecommended) and not one.voided_by
        }
        for one in kept:
            if isinstance(one.event, SignOffRecommended):
                continue
            what = f"{ref} phase {one.event.phase}, entry {one.entry.position}"
            if one.voided_by:
                left_out.append(f"{what}: voided by entry {one.voided_by}.")
            elif "statement" in one.entry.withheld:
                left_out.append(f"{what}: its statement is {_gone(one.event.statement)}.")
            else:
                signed.append(_signed(record, ref, one, asked))
                if signed[-1].gone:
                    left_out.append(f"{what}: what was shown is {_gone(signed[-1].gone)}.")
    if not signed:
        raise Refusal(
            "nothing-signed",
            "There is no signed statement to export.",
            "See the sign-offs with: govledger signoff list",
        )
    return Proofs(record, signed, left_out)


def _gone(text: str) -> str:
    """What became of a text that is not held, without the brackets in which it is shown."""
    return "not held" if text == WITHOUT_TEXT else text.removeprefix("[").removesuffix("]")


def _signed(record: Record, ref: str, one: Kept, asked: Mapping[tuple[int, int], Kept]) -> Signed:
    event, position = one.event, one.entry.position
    decision = event.vote if isinstance(event, SignOffVoted) else "confirm"
    key, trouble = _key_of(record, one)
    # With a confirmation what was shown is in its own entry, with a vote in the recommendation.
    source = one if isinstance(event, SignOffConfirmed) else asked.get((event.phase, event.round))
    held = source is not None and "shown" not in source.entry.withheld
    return Signed(
        name=f"entry-{position}-{ref}-phase-{event.phase}-{decision}-{event.person}",
        entry=position,
        ref=ref,
        phase=event.phase,
        person=event.person,
        decision=decision,
        meeting=event.meeting.isoformat(),
        statement=event.statement,
        signature=event.signature,
        content=source.event.shown if source and held else None,
        gone=source.event.shown if source and not held else None,
        key=key,
        trouble=trouble,
    )


def _key_of(record: Record, one: Kept) -> tuple[str | None, str | None]:
    """Which of the person's keys made the signature; else what is wrong with it."""
    event = one.event
    line = known_line(record.ledger, record.code, "person", event.person, record.moment)
    keys = [getattr(item.event, "key", "") for item in line.items()]
    trouble: str | None = f"No key of {event.person} is on record."
    for key in filter(None, dict.fromkeys(reversed(keys))):
        trouble = signatures.check(event.statement, event.signature, event.person, key)
        if trouble is None:
            return key, None
    return None, trouble


# --- writing ----------------------------------------------------------------------------


def write_folder(proofs: Proofs, folder: Path) -> dict[str, Any]:
    """Write the folder, which must not hold anything yet.

    Returns:
        What was written, as answered in JSON.

    Raises:
        Failed: folder-not-empty, not-a-folder.
    """
    if folder.exists() and not folder.is_dir():
        raise Failed("not-a-folder", f"{folder} is a file.", "Name another folder.")
    if folder.is_dir() and any(folder.iterdir()):
        raise Failed(
            "folder-not-empty",
            f"The folder {folder} is not empty, so nothing was written.",
            "Name a new folder, so that what it holds is this export and nothing else.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files_of(proofs).items():
        Path(folder, name).write_bytes(text.encode())
    Path(folder, "verify.sh").chmod(0o755)
    good = next((one for one in proofs.signed if one.trouble is None), proofs.signed[0])
    return {
        "folder": str(folder),
        "statements": [
            {
                "entry": one.entry,
                "ref": one.ref,
                "phase": one.phase,
                "person": one.person,
                "decision": one.decision,
                "meeting": one.meeting,
                "statement": one.statement_file,
                "signature": one.signature_file,
                "content": f"{one.name}.content.txt" if one.content is not None else None,
                "key": fingerprint(one.key) if one.key else None,
                "trouble": one.trouble,
                "command": one.command,
            }
            for one in proofs.signed
        ],
        "left_out": list(proofs.left_out),
        "check_one": f"cd {shlex.quote(str(folder))} && {good.command}",
        "check_all": f"sh {shlex.quote(str(folder / 'verify.sh'))}",
    }


def files_of(proofs: Proofs) -> dict[str, str]:
    """The text of each file of the folder, by its name."""
    files = {ALLOWED: _allowed(proofs.signed), "verify.sh": _script(proofs.signed)}
    files["README.txt"] = _readme(proofs)
    for one in proofs.signed:
        files |= one.files
    return files


def _keys(signed: Sequence[Signed]) -> list[tuple[str, str]]:
    """(person, public key) of everybody whose signature is here, each once."""
    return list(dict.fromkeys((one.person, one.key) for one in signed if one.key))


def _allowed(signed: Sequence[Signed]) -> str:
    return "".join(f"{signatures.allowed_signer(*pair)}\n" for pair in _keys(signed))


SCRIPT = """\
#!/bin/sh
# Checks every statement in this folder with the ssh-keygen of this computer: that the person whom
# the statement names signed it, and that the content beside it is the one that it was given for.
cd "$(dirname "$0")" || exit 1
failed=0
claim() { sed -n "s/^$2: //p" "$1.statement.txt"; }
digest() {
  if command -v sha256sum >/dev/null; then sha256sum <"$1"; else shasum -a 256 <"$1"; fi |
    cut -c 1-64
}
check() {
  echo "$1"
  ssh-keygen -Y verify -f %(allowed)s -I "$(claim "$1" Person)" -n %(namespace)s \\
    -s "$1.statement.txt.sig" <"$1.statement.txt" || failed=1
  if [ "$2" = not-held ]; then
    echo "The content is not held by the ledger any more."
  elif [ "$(digest "$1.content.txt")" = "$(claim "$1" "Content SHA-256")" ]; then
    echo "Good content"
  else
    echo "The content is NOT the one that was signed for."
    failed=1
  fi
}
"""


def _script(signed: Sequence[Signed]) -> str:
    calls = (
        f"check {shlex.quote(one.name)} {'held' if one.content is not None else 'not-held'}\n"
        for one in signed
    )
    begin = SCRIPT % {"allowed": ALLOWED, "namespace": signatures.NAMESPACE}
    end = 'if [ $failed -ne 0 ]; then echo "NOT everything is good."; exit 1; fi\n'
    return f'{begin}{"".join(calls)}{end}echo "Everything is good."\n'


README = """\
Signed sign-offs of the plan {title} ({code})

From the ledger {ledger}, as at {as_at},
as known after its entry {position} ({known_at}).
Root of the ledger there: {root}

Each vote and each confirmation is three files:
  ...statement.txt      what the person signed, word for word
  ...statement.txt.sig  their signature
  ...content.txt        what they were shown; the statement holds its SHA-256
{allowed} lists the keys that made the signatures, also those replaced since.

How to check, with OpenSSH 8.2 or newer and without the ledger. All of it:

  sh verify.sh

or one at a time, in this folder:

{commands}

A good signature says that the holder of the key signed the statement. Whose key it is, the ledger
says: ask each person whether this is the fingerprint of theirs.

{keys}
"""


def _readme(proofs: Proofs) -> str:
    record, plan = proofs.record, proofs.record.state.plan
    moment = record.moment
    opened = record.ledger.opened().event
    assert isinstance(opened, LedgerOpened)
    commands = "\n\n".join(f"  {one}\n    {one.command}" for one in proofs.signed)
    keys = "\n".join(f"  {person}: {fingerprint(key)}" for person, key in _keys(proofs.signed))
    text = README.format(
        title=plan.title,
        code=plan.code,
        ledger=opened.ledger_id,
        as_at=moment.as_at,
        position=moment.position,
        known_at=write_instant(moment.known_at) if moment.known_at else "nothing yet",
        root=moment.root,
        allowed=ALLOWED,
        commands=commands,
        keys=keys,
    )
    bad = [f"  {one}: {one.trouble}" for one in proofs.signed if one.trouble]
    if bad:
        text += "\n".join(["\nNOT GOOD: these signatures do not hold.", "", *bad, ""])
    if proofs.left_out:
        text += "\n".join(["\nLeft out:", "", *(f"  {one}" for one in proofs.left_out), ""])
    phases = "".join(f"  Phase {phase}: {meaning}.\n" for phase, meaning in PHASES.items())
    return f"{text}\n{phases}"
