"""Verification of an export: the folder that an outsider holds, without any database.

Each entry is held to the same checks as in a ledger (`ledger.verification`); what is different is
where the hashes come from. A folder keeps no hash of each entry, so a change of one is seen in the
root, which the manifest gives, and every checkpoint that somebody holds.
"""

import hashlib
import json
import re
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain.errors import BadInput, Failed, IntegrityBroken, Refusal
from domain.event import REGISTRY, LedgerOpened
from domain.plan import ReportIssued
from domain.signoff import SignOffConfirmed, SignOffVoted
from domain.withholding import WITHHOLDING, Place
from ledger import exported
from ledger.canonical import read_canonical
from ledger.checking import EntryCheck, Finding
from ledger.checkpoint import Checkpoint, Held, origin_of, read_checkpoint
from ledger.entry import StoredEntry, VaultText
from ledger.exported import ENTRIES, LEFT_OUT, MANIFEST, TEXTS
from ledger.fates import Fates
from ledger.note import LONGEST_NOTE, Verifier
from ledger.reported import Reported, why_bad
from ledger.rows import entry_row, row_leaf_bytes
from ledger.tables import entries
from ledger.tree import leaf_hash
from ledger.verification import Verified

_Row = namedtuple("_Row", entries.columns.keys())  # type: ignore[misc]
_KNOWN_AT = re.compile(rb'"known_at":(\d{1,15})')
_SALT = re.compile(r"[0-9a-f]{32}")
_SIGNED = (SignOffVoted.tag, SignOffConfirmed.tag)


@dataclass(frozen=True)
class VerifiedExport(Verified):
    """What a verification of an export found.

    Attributes:
        ledger_id: identity of the ledger, from its opening entry; empty where it cannot be read.
        left_out: the texts that a public export leaves out, each on the basis that an entry gives.
        copies: those of them that are left out only because they are said to repeat an exempt one,
            which nobody can see here; each with the one that it is said to repeat.
        own_signature: what the given key says of the checkpoint in the folder: `good`; `unchecked`
            where no key was given or another signed it; empty where there is no checkpoint.
    """

    ledger_id: str = ""
    left_out: frozenset[Place] = frozenset()
    copies: Mapping[Place, Place] = field(default_factory=dict)
    own_signature: str = ""


def verify_export(
    folder: Path,
    tick: Callable[[int], None] = lambda _done: None,
    held: tuple[int, str] | None = None,
    checkpoint: Held | None = None,
    log_key: Verifier | None = None,
) -> VerifiedExport:
    """Recompute every digest, leaf, commitment and clock of an export, and its root.

    Args:
        folder: the export.
        tick: told now and then how many entries are done.
        held: (position, root in hexadecimal) that somebody holds.
        checkpoint: that somebody holds.
        log_key: the ledger's verifier key; without it the checkpoint's signature is not checked.

    Raises:
        Refusal: other-log-key, not-signed, of the checkpoint; or of the one in the folder, where
            none is given.
        BadInput: no-checkpoint, where a key is given and there is no checkpoint at all.
        Failed: no-export, where the folder is none; cannot-open comes as OSError.
    """
    check = ExportCheck(folder, tick, held, [checkpoint] if checkpoint else [])
    if log_key and not checkpoint and not Path(folder, exported.CHECKPOINT).is_file():
        raise BadInput(
            "no-checkpoint",
            f"There is no checkpoint in {folder} whose signature this key could check.",
            "Give the checkpoint that you hold with --checkpoint FILE.",
        )
    check.run()
    own = check.own_checkpoint(log_key, alone=checkpoint is None)
    if checkpoint:
        check.against(checkpoint, log_key)
    kind, number = check.unlisted
    if number:
        check.findings.append(Finding(kind, None, f"Further findings, not listed: {number}."))
    return VerifiedExport(
        check.tree.size,
        check.tree.root.hex(),
        tuple(check.findings),
        len(check.fates.withheld),
        check.ledger_id,
        check.lawfully_left_out,
        check.copies,
        own,
    )


MOST_FINDINGS = 1000
"""Whoever has read so many has seen enough, and a file of nothing but dirt has a million."""


class ExportCheck(EntryCheck):
    """One pass over the files of an export, after a quick one that takes their digests.

    Attributes:
        manifest: as far as it can be read; empty where it cannot.
        left_out: what the export says that it leaves out.
    """

    def __init__(
        self,
        folder: Path,
        tick: Callable[[int], None] = lambda _done: None,
        held: tuple[int, str] | None = None,
        checkpoints: Sequence[Held] = (),
    ) -> None:
        super().__init__(held)
        if not (Path(folder, MANIFEST).exists() or Path(folder, ENTRIES).exists()):
            raise Failed(
                "no-export",
                f"There is no export in {folder}: neither {MANIFEST} nor {ENTRIES} is there.",
                "Name the folder that 'govledger export' wrote.",
            )
        self.folder, self.tick = folder, tick
        self.manifest: dict[str, Any] = {}
        self.fates = Fates()
        self.unlisted = "", 0
        self.left_out: dict[Place, str] = {}
        self.copies: dict[Place, Place] = {}
        self.ledger_id = ""
        self._wanted = {held.checkpoint.size for held in checkpoints}
        self._roots: dict[int, bytes] = {0: self.tree.root}
        self._copied: dict[str, bytes] = {}
        self.counts = dict.fromkeys(exported.COUNTS, 0)
        self._text_line: dict[str, Any] | None = None

    def add(self, kind: str, position: int | None, message: str) -> None:
        """Note a finding; more than so many are only counted."""
        if len(self.findings) < MOST_FINDINGS:
            super().add(kind, position, message)
        else:
            self.unlisted = kind, self.unlisted[1] + 1

    def run(self) -> None:
        """Everything, in order."""
        self.prepare()
        for stored in self.stored():
            texts = {
                name: (stored.position, name, kept.salt, kept.text)
                for name, kept in stored.texts.items()
            }
            self.entry(_Row(*entry_row(stored)), texts)
            if stored.position % 5_000 == 0:
                self.tick(stored.position)
        self._end()
        self.held_root()

    def against(self, held: Held, log_key: Verifier | None = None) -> None:
        """Hold the history to a checkpoint, whose size was named beforehand.

        Args:
            log_key: the ledger's verifier key; without it the signature is not checked.

        Raises:
            Refusal: other-log-key, not-signed.
        """
        found = held.checkpoint
        if log_key:
            try:
                held.opened_with(log_key)
            except IntegrityBroken as error:
                said = f"The checkpoint that you hold: {error.message}"
                self.add("bad-checkpoint", found.size, said)
        self._hold("The checkpoint that you hold", found)

    def own_checkpoint(self, log_key: Verifier | None = None, alone: bool = True) -> str:
        """Hold the history to the checkpoint in the folder; comes after `run`.

        Args:
            log_key: the ledger's verifier key; without it the signature is not checked.
            alone: no other checkpoint is given, so the key has to be that of this one.

        Returns:
            See `VerifiedExport.own_signature`.

        Raises:
            Refusal: other-log-key, not-signed, where it is alone.
        """
        path, signed = Path(self.folder, exported.CHECKPOINT), "unchecked"
        if not path.is_file():
            return ""
        try:
            with path.open("rb") as file:
                held = read_checkpoint(file.read(LONGEST_NOTE + 1))
            self._hold("The folder's checkpoint", held.checkpoint)
            if log_key:
                held.opened_with(log_key)
                signed = "good"
        except (BadInput, IntegrityBroken) as error:
            self.add("bad-checkpoint", None, f"The folder's checkpoint: {error.message}")
        except Refusal:
            if alone:
                raise
        return signed

    def _hold(self, what: str, found: Checkpoint) -> None:
        """The history against what a checkpoint says; nothing where the reading broke off."""
        there = self._roots.get(found.size)
        if self.gap and (there is None or not self.ledger_id):
            return  # nobody can tell, and what broke it off is a finding
        if found.origin != origin_of(self.ledger_id):
            said = f"{what}, of {found.size} entries, is of {found.origin}"
            self.add("other-history", found.size, f"{said}, and this is another ledger.")
        elif there is None:
            said = f"{what} counts {found.size} entries; here are only {self.expected - 1}."
            self.add("rolled-back", found.size, said)
        elif there != found.root:
            said = f"{what} gives the root {found.root.hex()} over {found.size} entries;"
            self.add("other-history", found.size, f"{said} here it is {there.hex()}.")

    # --- the manifest and the files -------------------------------------------------------

    def prepare(self) -> None:
        """Read the manifest, the digests, and what is said of texts; `stored` comes after."""
        self._manifest()
        self._files()
        self._want_own()
        self._read_left_out()
        self.lawfully_left_out = frozenset(self.left_out)

    def _manifest(self) -> None:
        try:
            data = Path(self.folder, MANIFEST).read_bytes()
            value = read_canonical(data.removesuffix(b"\n"))
            fitting = exported.has_members(value, exported.MANIFEST_MEMBERS) and (
                exported.has_members(value["counts"], dict.fromkeys(exported.COUNTS, (int,)))
                and all(
                    exported.has_members(said, {"bytes": (int,), "sha256": (str,)})
                    for said in value["files"].values()
                )
            )
            if not data.endswith(b"\n") or not fitting or value["format"] != exported.FORMAT:
                raise ValueError(f"it is not the manifest of a '{exported.FORMAT}'")
        except (OSError, ValueError) as error:
            self.add("manifest-changed", None, f"{MANIFEST} cannot be read: {error}.")
            return
        self.manifest = value

    def _files(self) -> None:
        """Digests and sizes; and what later entries say of earlier texts."""
        there = {
            path.relative_to(self.folder).as_posix(): path
            for path in self.folder.rglob("*")
            if path.is_symlink() or not path.is_dir()
        }
        there.pop(MANIFEST, None)
        listed = self.manifest.get("files", {})
        for name in sorted(there.keys() | listed.keys()):
            if name not in there:
                self._changed(name, "is gone")
            elif there[name].is_symlink() or not there[name].is_file():
                self._changed(name, "is only a link to another place, or no file at all")
            elif name not in listed and self.manifest:
                self._changed(name, "was added: it is not one of the export's")
            else:
                digest, size = self._digest(name)
                if self.manifest and listed[name] != {"bytes": size, "sha256": digest}:
                    self._changed(name, "is not as it was exported")

    def _changed(self, name: str, what: str) -> None:
        self.add("file-changed", None, f"The file {name} {what}.")

    def _digest(self, name: str) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        with Path(self.folder, name).open("rb") as file:
            if name != ENTRIES:
                while part := file.read(1 << 20):
                    digest.update(part)
                    size += len(part)
                return digest.hexdigest(), size
            for line in file:
                digest.update(line)
                size += len(line)
                self._look_ahead(line)
        return digest.hexdigest(), size

    def _want_own(self) -> None:
        """Of how many entries the checkpoint in the folder is."""
        try:
            data = Path(self.folder, exported.CHECKPOINT).read_bytes()
            self._wanted.add(read_checkpoint(data).checkpoint.size)
        except (OSError, BadInput):
            return  # there is none, or it is named at the end

    def _look_ahead(self, line: bytes) -> None:
        """What an entry says of a text before it."""
        if f'"{ReportIssued.tag}"'.encode() in line:
            self._wanted.update(map(int, _KNOWN_AT.findall(line)))
        if b'"ledger.' not in line:
            return
        try:
            value = read_canonical(line.removesuffix(b"\n"))
            by, tag, said = value["position"], value["type"], value["payload"]
            event: Any = REGISTRY[tag].model_validate(said)
        except (LookupError, TypeError, ValueError):
            return  # whatever it is, the pass over the entries names it
        if isinstance(event, WITHHOLDING) and type(by) is int:
            self.fates.take(by, event)

    # --- lines ----------------------------------------------------------------------------

    def _lines(self, name: str) -> Iterator[tuple[int, Any]]:
        """(number, value) of each line; the value is None where it is not canonical JSON."""
        try:
            with Path(self.folder, name).open("rb") as file:
                for number, line in enumerate(file, 1):
                    try:
                        if not line.endswith(b"\n"):
                            raise ValueError("it breaks off")
                        yield number, read_canonical(line[:-1])
                    except ValueError:
                        yield number, None
        except FileNotFoundError:
            return  # said already

    def stored(self) -> Iterator[StoredEntry]:
        """Each entry that can be read, with its texts."""
        texts = self._texts_in_order()
        self._text_line = next(texts, None)
        for number, value in self._lines(ENTRIES):
            if not exported.has_members(value, exported.MEMBERS):
                kind = "not-canonical" if value is None else "bad-value"
                said = f"Line {number} of {ENTRIES} cannot be read as entry {self.expected}."
                self.add(kind, self.expected, said)
                self.expected += 1
                self.gap = True
                continue
            where = value["position"]
            if where < self.expected:
                said = f"Entry {where} stands on line {number} of {ENTRIES}, where it does not"
                self.add("entry-unknown", where, f"{said} belong.")
                self.gap = True
                continue
            found: dict[str, VaultText] = {}
            while self._text_line is not None and self._text_line["position"] <= where:
                line = self._text_line
                if line["position"] < where:
                    self._loose(line)
                else:
                    found[line["field"]] = VaultText(_salt(line["salt"]), line["text"])
                self._text_line = next(texts, None)
            yield exported.stored_entry(value, found)
        while self._text_line is not None:
            self._loose(self._text_line)
            self._text_line = next(texts, None)

    def _loose(self, line: dict[str, Any]) -> None:
        where = line["position"]
        self.add("text-unknown", where, f"A text '{line['field']}' belongs to no entry ({where}).")

    def _texts_in_order(self) -> Iterator[dict[str, Any]]:
        last: Place = (0, "")
        for number, value in self._lines(TEXTS):
            self.counts["texts"] += 1
            if not exported.has_members(value, exported.TEXT_MEMBERS):
                kind = "not-canonical" if value is None else "bad-value"
                self.add(kind, None, f"Line {number} of {TEXTS} cannot be read as a text.")
                continue
            place = value["position"], value["field"]
            if place <= last:
                said = f"A text '{place[1]}' of entry {place[0]} stands on line {number} of {TEXTS}"
                self.add("text-unknown", place[0], f"{said}, where it does not belong.")
                continue
            last = place
            yield value

    def _read_left_out(self) -> None:
        for number, value in self._lines(LEFT_OUT):
            self.counts["left_out"] += 1
            if not exported.has_members(value, exported.LEFT_OUT_MEMBERS):
                kind = "not-canonical" if value is None else "bad-value"
                self.add(kind, None, f"Line {number} of {LEFT_OUT} cannot be read.")
                continue
            place = value["position"], value["field"]
            of = place if value["copy_of"] is None else value["copy_of"]
            bases = [said.basis for at, said in self.fates.exempt.items() if list(at) == list(of)]
            if bases != [value["basis"]] or place in self.left_out:
                where = place[0]
                said = f"The text '{place[1]}' of entry {where} is left out, and no entry says so"
                self.add("left-out-changed", where, f"{said} on that basis.")
                continue
            self.left_out[place] = value["basis"]
            if value["copy_of"] is not None:
                self.copies[place] = of[0], of[1]

    # --- of one entry -----------------------------------------------------------------------

    def entry(self, row: Any, held: Mapping[str, Any]) -> None:
        """Everything that can be said of one entry and its place after the one before."""
        self.counts["entries"] += 1
        self.counts["signatures"] += row[3] in _SIGNED
        super().entry(row, held)
        if row[0] in self._wanted and not self.gap:
            self._roots[row[0]] = self.tree.root
        if row[3] == LedgerOpened.tag and not self.ledger_id:
            said = json.loads(row[12]).get("ledger_id")
            self.ledger_id = said if isinstance(said, str) else ""
        if row[3] == ReportIssued.tag:
            report = Reported(row[0], json.loads(row[12]))
            note = report.text("checkpoint")
            if note:
                name = f"{exported.CHECKPOINTS}/entry-{row[0]}.checkpoint"
                self._copied[name] = note.encode("utf-8", "replace")
            if self.gap:
                return
            why = why_bad(report, origin_of(self.ledger_id), self._roots.get)
            if why:
                self.add("bad-checkpoint", row[0], why)

    def _hashes(self, row: Any, _held: Mapping[str, Any]) -> None:
        self.tree.append_hash(leaf_hash(row_leaf_bytes(row)))

    def _texts(self, where: int, committed: dict[str, str], held: Mapping[str, Any]) -> None:
        if self.manifest.get("public"):
            for name in sorted(committed):
                place = where, name
                if name not in held and self.left_out.pop(place, None) is not None:
                    del committed[name]
                elif name in held and place in self.fates.exempt:
                    said = f"The text '{name}' of entry {where} is exempt, and yet it is here."
                    self.add("text-still-held", where, said)
        super()._texts(where, committed, held)

    # --- at the end -------------------------------------------------------------------------

    def _end(self) -> None:
        for where, name in sorted(self.left_out):
            said = f"The text '{name}' of entry {where} is said to be left out, and is not."
            self.add("left-out-changed", where, said)
        if not self.manifest:
            return
        last, size = self.expected - 1, self.manifest["size"]
        if size > last:
            said = f"The end of the ledger, from entry {last + 1} on, is gone: {MANIFEST} counts"
            self.add("tail-missing", last + 1, f"{said} {size} entries.")
        elif size < last:
            said = f"{MANIFEST} counts {size} entries and there are {last}."
            self.add("manifest-changed", None, said)
        elif not self.gap and self.manifest["root"] != self.tree.root.hex():
            said = f"The root over all entries is {self.tree.root.hex()}; {MANIFEST} says"
            self.add("root-changed", None, f"{said} {self.manifest['root']}.")
        if self.gap or size != last:
            return
        listed = self.manifest["files"]
        prefix = f"{exported.CHECKPOINTS}/"
        self.counts["withheld"] = len(self.fates.withheld)
        self.counts["checkpoints"] = len(self._copied)
        for name in sorted(self._copied.keys() | {n for n in listed if n.startswith(prefix)}):
            path = Path(self.folder, name)
            if not path.is_file() or path.read_bytes() != self._copied.get(name):
                self._changed(name, "is not the checkpoint that its entry recorded")
        if self.manifest["recorded_at"] != self.recorded_at:
            self.add("manifest-changed", None, f"{MANIFEST} gives another last instant.")
        if self.manifest["ledger_id"] != self.ledger_id:
            self.add("manifest-changed", None, f"{MANIFEST} gives another ledger's identity.")
        for name, count in self.counts.items():
            if self.manifest["counts"][name] != count:
                said = f"{MANIFEST} counts {self.manifest['counts'][name]} {name.replace('_', ' ')}"
                self.add("manifest-changed", None, f"{said}, and there are {count}.")


def _salt(written: str) -> bytes:
    """The salt; none of the right length, where it is not written as it should be."""
    return bytes.fromhex(written) if _SALT.fullmatch(written) else b""
