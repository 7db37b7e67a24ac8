"""A whole ledger as a folder that anybody can check, without a database and without us."""

import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from documents.signoff_folder import Proofs, collect, files_of
from domain.errors import Failed, IntegrityBroken, Refusal
from domain.plan import ReportIssued
from domain.signoff import SignOffConfirmed, SignOffVoted
from domain.withholding import Place
from ledger import exported
from ledger.canonical import canonical
from ledger.checking import EntryCheck
from ledger.entry import StoredEntry, VaultText
from ledger.exported import CHECKPOINT, CHECKPOINTS, ENTRIES, LEFT_OUT, MANIFEST, SIGNATURES, TEXTS
from ledger.fates import fates
from ledger.rows import stored_entry
from ledger.service import Ledger
from ledger.tables import head
from projections.record import Record

_SIGNED = (SignOffVoted.tag, SignOffConfirmed.tag)


def write_export(
    ledger: Ledger,
    folder: Path,
    *,
    public: bool = False,
    checkpoint: Callable[[int], str] | None = None,
    tick: Callable[[int], None] = lambda _done: None,
) -> dict[str, Any]:
    """Write a ledger, as it is at this moment, into a new folder: all of it or nothing.

    Every entry is verified as it is written.

    Args:
        folder: is made; one that is there has to be empty.
        public: leave out the texts that are marked exempt, and those that repeat one.
        checkpoint: makes the signed checkpoint of so many entries; None for an export without one.
        tick: told now and then how many entries are done.

    Returns:
        The manifest, and what was left out.

    Raises:
        Failed: folder-not-empty, not-a-folder, no-ssh-keygen.
        IntegrityBroken: not-whole, where the ledger does not hold what was recorded.
    """
    refuse_what_is_there(folder)
    with _made_at_once(folder) as temporary, ledger.database.reading() as connection:
        exporter = _Exporter(ledger, connection, temporary, public, checkpoint, tick)
        try:
            return exporter.run()
        finally:
            for out in exporter.out.values():
                out.end()


def refuse_what_is_there(folder: Path) -> None:
    """Refuse a folder that holds something.

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


@contextmanager
def _made_at_once(folder: Path) -> Iterator[Path]:
    """A folder beside it to write in, which becomes it at the end, or goes."""
    folder = folder.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.parent / f".{folder.name}.{uuid.uuid4().hex}"
    temporary.mkdir()
    try:
        yield temporary
        if folder.is_dir():
            folder.rmdir()
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


class _Out:
    """A file that is being written, with its digest."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True, parents=True)
        self._file = path.open("xb")
        self._digest = hashlib.sha256()
        self._bytes = self.lines = 0

    def line(self, line: bytes) -> None:
        self.write(line + b"\n")
        self.lines += 1

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self._bytes += len(data)

    def end(self) -> dict[str, Any]:
        self._file.close()
        return {"bytes": self._bytes, "sha256": self._digest.hexdigest()}


class _Exporter:
    """One export, of one state of the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        connection: Connection,
        folder: Path,
        public: bool,
        checkpoint: Callable[[int], str] | None,
        tick: Callable[[int], None],
    ) -> None:
        self.ledger, self.connection, self.folder = ledger, connection, folder
        self.public, self.checkpoint, self.tick = public, checkpoint, tick
        self.fates = fates(connection)
        self.check = EntryCheck(fates=self.fates)
        self.out: dict[str, _Out] = {}
        self.counts = dict.fromkeys(exported.COUNTS, 0)
        said = self.fates.exempt.items() if public else ()
        self.exempt = {place: text.basis for place, text in said}
        self.repeats = self._pattern()
        self.hidden: set[str] = set()  # statements and contents that are left out

    def run(self) -> dict[str, Any]:
        """Write it all, the manifest last."""
        left_out: list[dict[str, Any]] = []
        self._open(ENTRIES)
        self._open(TEXTS)
        for rows, held in self.ledger.recorder.rows(self.connection):
            for row in rows:
                texts = held.get(row.position, {})
                self.check.entry(row, texts)
                if self.check.findings:
                    break
                kept = {name: VaultText(text.salt, text.text) for name, text in texts.items()}
                stored = stored_entry(row, kept)
                self.out[ENTRIES].line(exported.entry_line(stored))
                left_out += self._write_texts(stored)
                self._count(stored)
            self.tick(self.check.expected - 1)
        self._refuse_what_is_not_whole()
        self.counts["texts"] = self.out[TEXTS].lines
        self.counts["left_out"] = len(left_out)
        self.counts["withheld"] = len(self.fates.withheld)
        if self.public:
            self._open(LEFT_OUT)
            for line in left_out:
                self.out[LEFT_OUT].line(canonical(line))
        if self.checkpoint:
            note = self.checkpoint(self.check.tree.size)
            self._write(CHECKPOINT, note)
        files = {name: out.end() for name, out in self.out.items()}
        files |= self._signatures() if self.counts["signatures"] else {}
        opened: Any = self.ledger.opened().event
        manifest = {
            "format": exported.FORMAT,
            "ledger_id": opened.ledger_id,
            "size": self.check.tree.size,
            "root": self.check.tree.root.hex(),
            "recorded_at": self.check.recorded_at,
            "public": self.public,
            "counts": self.counts,
        }
        verifier = resources.files("verifier").joinpath("govledger_verify.py").read_text("utf-8")
        for name, text in (("verify.py", verifier), ("README.txt", readme(manifest))):
            self._write(name, text)
            files[name] = self.out[name].end()
        manifest["files"] = files
        Path(self.folder, MANIFEST).write_bytes(canonical(manifest) + b"\n")
        return manifest | {"left_out": left_out}

    def _open(self, name: str) -> _Out:
        self.out[name] = _Out(Path(self.folder, name))
        return self.out[name]

    def _write(self, name: str, text: str) -> None:
        self._open(name).write(text.encode())

    def _refuse_what_is_not_whole(self) -> None:
        """A ledger that cannot be vouched for is not exported."""
        said = next((finding.message for finding in self.check.findings), None)
        row = self.connection.execute(select(head.c.size, head.c.root)).one()
        if said is None and tuple(row) != (self.check.tree.size, self.check.tree.root):
            said = "Its head counts other entries than there are, or gives another root."
        if said is not None:
            raise IntegrityBroken(
                "not-whole",
                f"This ledger is not what was recorded, so it was not exported. {said}",
                "See everything that is found: govledger verify",
            )

    # --- texts ----------------------------------------------------------------------------

    def _write_texts(self, stored: StoredEntry) -> list[dict[str, Any]]:
        """Write its texts; returns a line for each that is left out."""
        kept, left_out = dict(stored.texts), []
        for field in sorted(stored.texts) if self.exempt else ():
            line = self._left_out((stored.position, field), stored.texts[field].text)
            if line is not None:
                left_out.append(line)
                self.hidden.add(kept.pop(field).text)
        for text in exported.text_lines(stored.position, kept):
            self.out[TEXTS].line(text)
        return left_out

    def _left_out(self, place: Place, text: str) -> dict[str, Any] | None:
        line: dict[str, Any] = {"position": place[0], "field": place[1]}
        if place in self.exempt:
            return line | {"basis": self.exempt[place], "copy_of": None}
        found = self.repeats.search(plain(text)) if self.repeats else None
        if found is None:
            return None
        of = self.repeated[found[0]]
        return line | {"basis": self.exempt[of], "copy_of": list(of)}

    def _pattern(self) -> re.Pattern[str] | None:
        """Finds an exempt text within another one, word for word."""
        self.repeated: dict[str, Place] = {}
        there = self.ledger.recorder.at_positions(self.connection, [at for at, _ in self.exempt])
        for at, field in sorted(self.exempt, reverse=True):
            kept: VaultText | None = there[at].texts.get(field) if at in there else None
            if kept is not None and plain(kept.text):
                self.repeated[plain(kept.text)] = at, field
        if not self.repeated:
            return None
        longest_first = sorted(self.repeated, key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")

    # --- what stands in files of its own --------------------------------------------------

    def _count(self, stored: StoredEntry) -> None:
        if stored.topic in _SIGNED:
            self.counts["signatures"] += 1
        self.counts["entries"] += 1
        if stored.topic == ReportIssued.tag:
            note = json.loads(stored.state).get("checkpoint")
            if note:
                self._write(f"{CHECKPOINTS}/entry-{stored.position}.checkpoint", note)
                self.counts["checkpoints"] += 1

    def _signatures(self) -> dict[str, Any]:
        """The statements of each plan, for stock ssh-keygen."""
        written: dict[str, Any] = {}
        for proofs in _proofs(self.ledger, self.connection):
            for name, data in _copies(self._without_hidden(proofs)):
                path = Path(self.folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                if path.suffix == ".sh":
                    path.chmod(0o755)
                written[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        return written

    def _without_hidden(self, proofs: Proofs) -> Proofs:
        """Without the statements that are left out, and what would reveal an exempt text."""
        plan = proofs.record.state.plan
        if self.repeats and self.repeats.search(plain(plan.title)):
            untitled = replace(plan, title="title left out")
            proofs.record.state = replace(proofs.record.state, plan=untitled)
        gone = [one for one in proofs.signed if one.statement in self.hidden]
        signed = [
            replace(one, content=None) if one.content in self.hidden else one
            for one in proofs.signed
            if one.statement not in self.hidden
        ]
        said = [
            f"{one.ref} phase {one.phase}, entry {one.entry}: its statement is exempt from public "
            "exports."
            for one in gone
        ]
        return replace(proofs, signed=signed, left_out=[*proofs.left_out, *said])


def _proofs(ledger: Ledger, connection: Connection) -> Iterator[Proofs]:
    """What was signed on each plan."""
    moment = ledger.moment()
    for code in ledger.plan_codes():
        try:
            yield collect(Record(ledger, connection, code, moment), ledger.references(code))
        except Refusal:  # nothing is signed on this plan
            continue


def _copies(proofs: Proofs) -> Iterator[tuple[str, bytes]]:
    """(name in the export, content) of each file about the signatures of a plan."""
    for name, text in sorted(files_of(proofs).items()) if proofs.signed else ():
        yield f"{SIGNATURES}/{proofs.record.code}/{name}", text.encode()


def changed_copies(ledger: Ledger, folder: Path) -> list[str]:
    """The files under `signatures` that are not what the entries say.

    They are copies for ssh-keygen, so they are made anew and compared byte for byte; but for each
    README.txt, which proves nothing.

    Args:
        ledger: made of the entries of the export.
        folder: the export.

    Returns:
        Their names in the export, in order.

    Raises:
        Failed: no-ssh-keygen.
    """
    with ledger.database.reading() as connection:
        due = {name: data for one in _proofs(ledger, connection) for name, data in _copies(one)}
    there = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in Path(folder, SIGNATURES).rglob("*")
        if not path.is_dir()
    }
    changed = {name for name in due.keys() | there.keys() if due.get(name) != there.get(name)}
    told = {name for name in due.keys() & there.keys() if Path(name).name == "README.txt"}
    return sorted(changed - told)


def plain(text: str) -> str:
    """A text on one line, as compared: in what is signed the lines of a value are indented."""
    return " ".join(text.split())


README = """\
A governance ledger, exported
=============================

Ledger   {ledger_id}
Entries  {size}, the last recorded at {recorded_at}
Root     {root}

This folder holds {what}. Nothing in it
was summarised: each line of entries.jsonl is one entry as it was recorded.

  manifest.json    counts, the root, and the size and SHA-256 of every other file
  entries.jsonl    the entries, one on each line, in the order in which they were recorded
  texts.jsonl      the free texts and names that entries commit to, each with its salt
{more}  verify.py        a program of one file that checks all of this

How to check it
---------------

1. With the one file. It needs Python 3.11 or newer and the package 'cryptography', and neither
   a database nor govledger. In this folder:

     python3 verify.py .

   It can be read in half an hour. Whoever changed the folder could have changed verify.py too,
   so take it from a place that you trust if you can, or compare it with one that somebody else
   has.

2. With govledger, which also holds every entry to the rules:

     govledger verify .
{stock}
What checking shows, and what it cannot
---------------------------------------

It shows that the folder is whole and agrees with itself: no entry was changed, left out, put in
or moved, every text is the one that was recorded, every signature is good.

It cannot show by itself that this is the same ledger that others were shown: somebody who may
write to a ledger can write all of it anew. Compare it with a checkpoint that you hold from
elsewhere: from the paper of a committee, an earlier answer, or another organisation.

     python3 verify.py . --checkpoint FILE --log-key KEY

FILE is that checkpoint, and KEY the key with which the ledger signs them, as its keeper gave it
out: the line itself, or a file that holds it.

It cannot show that what was recorded was true, nor who sat at the keyboard. Votes and
confirmations are bound to a person's key; ask each person whether the key is theirs.
{left_out}"""

STOCK = """
3. The signatures alone, with the ssh-keygen that most computers have. For each plan:

     sh signatures/PLAN/verify.sh
"""
PUBLIC = """
Left out
--------

This is a public export: {left_out} texts were left out, each of them listed in left_out.jsonl with
the basis on which it is exempt. The entries that they belong to are here, and every hash is right
without them. References, and the names of bodies and papers, stand in entries and stay.
"""


def readme(manifest: dict[str, Any]) -> str:
    """What the folder is, and how to check it, in plain words."""
    counts = manifest["counts"]
    more = ""
    if manifest["public"]:
        more += "  left_out.jsonl   which texts were left out, and on what basis\n"
    if counts["checkpoints"]:
        more += "  checkpoints/     the signed checkpoints that reports recorded\n"
    if counts["signatures"]:
        more += "  signatures/      what members signed, for stock ssh-keygen\n"
    whole = "a whole ledger: every entry that it has, with its texts"
    public = "a whole ledger: every entry that it has; some texts were left out"
    return README.format(
        **manifest,
        what=public if manifest["public"] else whole,
        more=more,
        stock=STOCK if counts["signatures"] else "",
        left_out=PUBLIC.format(**counts) if manifest["public"] else "",
    )
