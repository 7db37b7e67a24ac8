"""Makes the catalogue of broken ledgers: one small ledger, and one defect of it in each file.

`python -m tests.broken.make` writes it anew into this folder; a test makes it elsewhere and finds
no difference. Whoever made a defect went about it well: digests, counts and the root are put right
again, so that nothing but the defect itself can be found.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from documents.export_folder import write_export
from ledger import exported
from ledger.canonical import canonical, sha256_hex
from ledger.checkpoint import Checkpoint, sign_checkpoint
from ledger.entry import VaultText
from ledger.note import sign_note
from ledger.tree import Tree
from tests.fixed import everything_fixed, log_key, small, ssh_sign

HERE = Path(__file__).parent
BASE = "whole"
HELD = "held.checkpoint"
WITHHELD = (14, "reason")
LEFT = ("README.txt", "verify.py")
"""Not kept here: they say nothing of the ledger, and change with every version."""


@dataclass
class Draft:
    """An export that is being spoilt.

    Attributes:
        entries, texts: by line, as values; or as bytes where the line is to stand so.
        others: the other files.
        manifest: as it was.
        left_out: lines of that file; None for an export that is not public.
        own: what the checkpoint in the folder says instead of what is so: origin, size, root.
    """

    entries: list[Any]
    texts: list[Any]
    others: dict[str, bytes]
    manifest: dict[str, Any]
    left_out: list[Any] | None = None
    sealed: dict[str, Any] = field(default_factory=dict)
    keeps_report: bool = False
    own: tuple[str, int, bytes] | None = None

    @classmethod
    def of(cls, folder: Path) -> "Draft":
        """What a folder holds."""
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        manifest = json.loads(files.pop(exported.MANIFEST))
        lines = {
            name: [json.loads(line) for line in files.pop(name).splitlines()]
            for name in (exported.ENTRIES, exported.TEXTS)
        }
        others = {name: data for name, data in files.items() if name not in LEFT}
        return cls(lines[exported.ENTRIES], lines[exported.TEXTS], others, manifest)

    def entry(self, position: int) -> dict[str, Any]:
        """The entry at a position."""
        found: dict[str, Any] = self.entries[position - 1]
        return found

    def text(self, position: int, name: str) -> dict[str, Any]:
        """A text."""
        return next(t for t in self.texts if (t["position"], t["field"]) == (position, name))

    def _report(self) -> None:
        """Put right what the report recorded, by somebody who has the ledger's key."""
        position = (
            next(
                (e["position"] for e in self.entries if e.get("type") == "plan.report_issued/1"), 0
            )
            if all(isinstance(e, dict) for e in self.entries)
            else 0
        )
        if not position or self.keeps_report:
            return
        payload = next(e for e in self.entries if e.get("position") == position)["payload"]
        tree, size = Tree(), payload["known_at"]
        for leaf in self._leaves()[:size]:
            tree.append(leaf)
        key = log_key(self.manifest["ledger_id"])
        found = Checkpoint(key.name, size, tree.root)
        payload["root"], payload["checkpoint"] = tree.root.hex(), sign_checkpoint(found, key)
        name = f"checkpoints/entry-{position}.checkpoint"
        self.others = self.others | {name: payload["checkpoint"].encode()}

    def _leaves(self) -> list[bytes]:
        leaves = []
        for entry in self.entries:
            if isinstance(entry, dict) and "payload" in entry:
                rest = {name: said for name, said in entry.items() if name != "payload"}
                digest = sha256_hex(canonical(entry["payload"]))
                leaves.append(canonical(rest | {"payload_sha256": digest}))
        return leaves

    def root(self) -> Tree:
        """The tree over the entries as they are now."""
        tree = Tree()
        for leaf in self._leaves():
            tree.append(leaf)
        return tree

    def files(self) -> dict[str, bytes]:
        """Every file, with a manifest that is right about them but for what was `sealed`."""
        self._report()
        found = dict(self.others)
        if exported.CHECKPOINT in found:
            key, tree = log_key(self.manifest["ledger_id"]), self.root()
            said = Checkpoint(*(self.own or (key.name, tree.size, tree.root)))
            note = sign_note(said.text, key)
            found[exported.CHECKPOINT] = note.encode()
        lines = {exported.ENTRIES: self.entries, exported.TEXTS: self.texts}
        if self.left_out is not None:
            lines[exported.LEFT_OUT] = self.left_out
        for name, values in lines.items():
            found[name] = b"".join(
                (v if isinstance(v, bytes) else canonical(v)) + b"\n" for v in values
            )
        entries = [entry for entry in self.entries if isinstance(entry, dict)]
        signed = ("signoff.voted/1", "signoff.confirmed/1")
        counts = {
            "entries": len(entries),
            "texts": len(self.texts),
            "withheld": sum(e.get("type") == "ledger.text_withheld/1" for e in entries),
            "left_out": len(self.left_out or ()),
            "checkpoints": self.manifest["counts"]["checkpoints"],
            "signatures": sum(e.get("type") in signed for e in entries),
        }
        manifest = self.manifest | {
            "size": len(self.entries),
            "root": self.root().root.hex(),
            "recorded_at": entries[-1].get("recorded_at", ""),
            "public": self.left_out is not None,
            "counts": counts,
            "files": {
                name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                for name, data in found.items()
            },
        }
        found[exported.MANIFEST] = canonical(manifest | self.sealed) + b"\n"
        return found


Spoil = Callable[[Draft], dict[str, bytes] | None]


@dataclass(frozen=True)
class Defect:
    """One way in which a ledger can be broken.

    Attributes:
        name: of its file.
        kind, position: of the finding that names it.
        what: a line on it.
        spoil: makes it of an export; may return the files themselves. None where an export
            cannot be so.
        sql: makes it of a ledger in a file; none where a ledger cannot be so.
        held: it is found only by a checkpoint that somebody holds.
    """

    name: str
    kind: str
    position: int | None
    what: str
    spoil: Spoil | None = None
    sql: tuple[str, ...] = ()
    held: bool = False


def _set(position: int, **members: Any) -> Spoil:
    return lambda draft: draft.entry(position).update(members)


def _pay(position: int, **members: Any) -> Spoil:
    return lambda draft: draft.entry(position)["payload"].update(members)


def _drop(lines: str, at: int) -> Spoil:
    return lambda draft: getattr(draft, lines).pop(at)


def _seal(**members: Any) -> Spoil:
    return lambda draft: draft.sealed.update(members)


def _cut(draft: Draft) -> None:
    last = draft.entries.pop()["position"]
    draft.texts = [text for text in draft.texts if text["position"] != last]


def _tail(draft: Draft) -> None:
    size = len(draft.entries)
    _cut(draft)
    draft.sealed["size"] = size


def _gap(draft: Draft) -> None:
    draft.entries.pop(3)
    draft.texts = [text for text in draft.texts if text["position"] != 4]


def _changed_file(draft: Draft) -> dict[str, bytes]:
    files = draft.files()
    name = next(name for name in files if name.endswith("content.txt"))
    return files | {name: files[name].replace(b"March 2026", b"March 2027")}


def _sealed_late(draft: Draft) -> dict[str, bytes]:
    """An entry changed, and every digest of a file put right, but not the root."""
    draft.sealed["root"] = draft.root().root.hex()
    draft.entry(19)["effective_on"] = "2025-10-08"
    return draft.files()


def _spaced(draft: Draft) -> None:
    entry = draft.entries[4]
    draft.sealed["root"] = draft.root().root.hex()
    draft.sealed["counts"] = json.loads(draft.files()[exported.MANIFEST])["counts"]
    draft.entries[4] = json.dumps(entry, sort_keys=True).encode()


def _signed_by_another(draft: Draft) -> None:
    statement = draft.text(15, "statement")["text"]
    draft.entry(15)["payload"]["signature"] = ssh_sign("somebody else", statement)


def _checkpoint_of_another(draft: Draft) -> None:
    draft.keeps_report = True
    payload = draft.entry(17)["payload"]
    key = log_key(draft.manifest["ledger_id"])
    other = Checkpoint(key.name, payload["known_at"], hashlib.sha256(b"another").digest())
    payload["checkpoint"] = sign_checkpoint(other, key)
    name = "checkpoints/entry-17.checkpoint"
    draft.others[name] = payload["checkpoint"].encode()


def _rewritten(draft: Draft) -> None:
    """The last entry gives another day, and every hash is right again."""
    draft.entry(19)["effective_on"] = "2025-10-08"


def _hidden(draft: Draft) -> None:
    draft.left_out = [{"position": 13, "field": "called", "basis": "Schedule 12A", "copy_of": None}]
    draft.texts.remove(draft.text(13, "called"))


def _back(withheld: VaultText) -> Spoil:
    def spoil(draft: Draft) -> None:
        at, name = WITHHELD
        line = {"position": at, "field": name, "salt": withheld.salt.hex(), "text": withheld.text}
        draft.texts.append(line)
        draft.texts.sort(key=lambda text: (text["position"], text["field"]))

    return spoil


def _extra(draft: Draft) -> None:
    draft.texts.append({"position": 20, "field": "reason", "salt": "00" * 16, "text": "Why not."})


def _own(**other: Any) -> Spoil:
    """The folder's checkpoint says something else, and is signed by the ledger's own key."""

    def spoil(draft: Draft) -> None:
        tree, name = draft.root(), log_key(draft.manifest["ledger_id"]).name
        said: dict[str, Any] = {"origin": name, "size": tree.size, "root": tree.root} | other
        draft.own = said["origin"], said["size"], said["root"]

    return spoil


def _other_file(name: str, data: bytes) -> Spoil:
    """A copy is not what its entry says, and the manifest is right about it."""

    def spoil(draft: Draft) -> None:
        draft.others = draft.others | {name: data}
        draft.keeps_report = True

    return spoil


def _unsigned(draft: Draft) -> None:
    """What a member signed is put in place of the commitment to it, and is no such thing."""
    draft.entry(15)["payload"]["statement"] = "I never said that"
    draft.texts.remove(draft.text(15, "statement"))


def _shifted(draft: Draft) -> None:
    """The first word of a text is counted to its salt, so that the commitment is still right."""
    text = draft.text(13, "called")
    text["salt"], text["text"] = text["salt"] + text["text"][:4].encode().hex(), text["text"][4:]


def _swapped(draft: Draft) -> None:
    draft.texts[3:5] = draft.texts[4], draft.texts[3]


def _twice(draft: Draft) -> None:
    draft.sealed["size"] = len(draft.entries)
    draft.entries.insert(7, draft.entry(7))


NOTHING = "UPDATE entries SET {} WHERE position = {}"


def defects(withheld: VaultText) -> list[Defect]:
    """Every defect there is.

    Args:
        withheld: the text that the ledger withheld, as it was before.
    """
    back = withheld.salt.hex(), withheld.text.replace("'", "''")
    return [
        Defect("file-changed", "file-changed", None, "A file beside the entries was changed.",
               _changed_file),
        Defect("manifest-changed", "manifest-changed", None,
               "The manifest counts other entries, texts and signatures than there are.",
               _seal(counts=dict.fromkeys(exported.COUNTS, 3))),
        Defect("root-changed", "root-changed", None,
               "An entry was changed, and the manifest (or the head) gives the root from before.",
               _sealed_late, ("UPDATE head SET root = zeroblob(32)",)),
        Defect("entry-changed", "entry-changed", 5, "An entry of the database was changed.",
               None, (NOTHING.format("effective_on = '2025-01-07'", 5),)),
        Defect("tree-changed", "tree-changed", 8, "A hash kept for the tree was changed.", None,
               (NOTHING.format("subtrees = substr(subtrees, 1, 96) || zeroblob(32)", 8),)),
        Defect("head-changed", "head-changed", None, "The head gives another last instant.", None,
               ("UPDATE head SET recorded_at = '2025-10-09T19:00:00.000000Z'",)),
        Defect("tail-missing", "tail-missing", 19, "The last entry was left off.", _tail,
               ("DELETE FROM texts WHERE position = 19",
                "DELETE FROM entries WHERE position = 19")),
        Defect("entry-missing", "entry-missing", 4, "An entry in the middle is gone.", _gap,
               ("DELETE FROM texts WHERE position = 4", "DELETE FROM entries WHERE position = 4")),
        Defect("entry-unknown", "entry-unknown", 7, "An entry stands there twice.", _twice),
        Defect("clock-backwards", "clock-backwards", 9, "An entry was recorded before the last.",
               _set(9, recorded_at="2025-10-09T19:01:00.000000Z"),
               (NOTHING.format("recorded_at = '2025-10-09T19:01:00.000000Z'", 9),)),
        Defect("bad-date", "bad-date", 5, "An entry is effective on 30 February.",
               _set(5, effective_on="2025-02-30"),
               (NOTHING.format("effective_on = '2025-02-30'", 5),)),
        Defect("future-date", "future-date", 13, "An entry is effective after it was recorded.",
               _set(13, effective_on="2026-10-09"),
               (NOTHING.format("effective_on = '2026-10-09'", 13),)),
        Defect("version-gap", "version-gap", 4, "A stream leaves out a version.",
               _set(4, stream_version=9), (NOTHING.format("stream_version = 9", 4),)),
        Defect("unknown-type", "unknown-type", 13, "An entry is of a type that nobody knows.",
               _set(13, type="evidence.invented/1"),
               (NOTHING.format("type = 'evidence.invented/1'", 13),)),
        Defect("unreadable-payload", "unreadable-payload", 15, "A vote does not say its round.",
               lambda draft: draft.entry(15)["payload"].pop("round"),
               (NOTHING.format("payload = CAST('{}' AS BLOB)", 15),)),
        Defect("bad-value", "bad-value", 5, "An entry lacks one of its members.",
               lambda draft: draft.entry(5).pop("source"),
               (NOTHING.format("recorded_at = x'05'", 5),)),
        Defect("not-canonical", "not-canonical", 5, "An entry is written with spaces in it.",
               _spaced),
        Defect("text-changed", "text-changed", 13, "A text was changed.",
               lambda draft: draft.text(13, "called").update(text="Other figures"),
               ("UPDATE texts SET text = 'Other' WHERE position = 13 AND field = 'called'",)),
        Defect("text-missing", "text-missing", 13, "A text is gone, and no entry withheld it.",
               lambda draft: draft.texts.remove(draft.text(13, "called")),
               ("DELETE FROM texts WHERE position = 13 AND field = 'called'",)),
        Defect("text-unknown", "text-unknown", 20, "A text belongs to no entry.", _extra,
               ("INSERT INTO texts VALUES (20, 'reason', zeroblob(16), 'Why not.')",)),
        Defect("text-still-held", "text-still-held", 14, "A text that was withheld is there again.",
               _back(withheld),
               (f"INSERT INTO texts VALUES (14, 'reason', x'{back[0]}', '{back[1]}')",)),
        Defect("withheld-changed", "withheld-changed", 13,
               "A text stands on record as withheld, and no entry withheld it.", None,
               ("INSERT INTO withheld VALUES (13, 'called', 18, 'No law')",)),
        Defect("left-out-changed", "left-out-changed", 13,
               "A public export leaves out a text that no entry exempts.", _hidden),
        Defect("bad-signature", "bad-signature", 15, "A vote was signed by somebody else.",
               _signed_by_another),
        Defect("statement-mismatch", "statement-mismatch", 15,
               "A vote says that a member declined, and what was signed says that they approved.",
               _pay(15, vote="decline")),
        Defect("bad-checkpoint", "bad-checkpoint", 17,
               "The checkpoint that a report recorded is of another history.",
               _checkpoint_of_another),
        Defect("own-checkpoint-longer", "rolled-back", 25,
               "The checkpoint in the folder counts more entries.", _own(size=25)),
        Defect("own-checkpoint-other", "other-history", 19,
               "The checkpoint in the folder gives another root.",
               _own(root=hashlib.sha256(b"another").digest())),
        Defect("own-checkpoint-origin", "other-history", 19,
               "The checkpoint in the folder is of another ledger.", _own(origin="govledger/b")),
        Defect("copied-signature", "file-changed", None,
               "The list of keys beside the copies of the votes is another one.",
               _other_file("signatures/P/allowed_signers", b"chair ssh-ed25519 AAAA\n")),
        Defect("copied-checkpoint", "file-changed", None,
               "The copy of a report's checkpoint is another file.",
               _other_file("checkpoints/entry-17.checkpoint", b"nonsense")),
        Defect("unsigned-vote", "unreadable-payload", 15,
               "What a member signed stands in the entry itself, and is no such thing.", _unsigned),
        Defect("text-beside", "unreadable-payload", 19,
               "A text stands in the entry, beside its commitment.",
               lambda draft: draft.entry(19)["payload"]["progress"].update(also="Jo Bloggs")),
        Defect("no-recorder", "bad-value", 19, "An entry says nothing of who recorded it.",
               _set(19, recorded_by="")),
        Defect("salt-too-long", "text-changed", 13,
               "The first word of a text was counted to its salt.", _shifted),
        Defect("text-order", "text-unknown", 2, "Two texts changed places.", _swapped),
        Defect("clock-form", "bad-date", 19, "A clock is written in another form.",
               _set(19, recorded_at="2025-10-09T19:39:00.000000-12:00")),
        Defect("other-ledger", "manifest-changed", None, "The manifest is of another ledger.",
               _seal(ledger_id="0" * 32)),
        Defect("rolled-back", "rolled-back", 19,
               "The last entry was left off, with every count and digest put right.", _cut,
               held=True),
        Defect("other-history", "other-history", 19,
               "The last entry was written anew, with every hash put right.", _rewritten,
               held=True),
    ]  # fmt: skip


def edits(before: bytes, after: bytes) -> list[list[Any]]:
    """What turns one file into another: [first line, line after the last, the lines instead]."""
    old, new = (data.decode().split("\n") for data in (before, after))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [[i, j, new[k:m]] for tag, i, j, k, m in matcher.get_opcodes() if tag != "equal"]


def edited(before: bytes, changes: list[list[Any]]) -> bytes:
    """The other file again."""
    lines = before.decode().split("\n")
    for start, end, instead in reversed(changes):
        lines[start:end] = instead
    return "\n".join(lines).encode()


README = """\
# A catalogue of broken ledgers

Made by `python -m tests.broken.make`; a test makes it again and finds no difference. `whole/` is
the export of a small ledger in which nothing is wrong, and `held.checkpoint` a checkpoint of it
that somebody holds (its key is in `held.key`). Each other file is one defect: what it changes of
the export, line by line, and what it does to the ledger's own database. Every one is found, and
named, by `govledger verify` and by the verifier of one file.

| defect | finding | what was done |
| --- | --- | --- |
"""


def make(target: Path) -> None:
    """Write the catalogue into an empty folder."""
    withheld: dict[str, VaultText] = {}
    with TemporaryDirectory() as place, everything_fixed():
        ledger = small(Path(place, "ledger.sqlite"), withheld)
        key = log_key(ledger.opened().event.ledger_id)  # type: ignore[attr-defined]
        moment = ledger.moment()
        now = Checkpoint(key.name, moment.position, bytes.fromhex(moment.root))
        held = sign_checkpoint(now, key)
        write_export(ledger, Path(place, "export"), checkpoint=lambda _size: held)
        (target / HELD).write_text(held, "utf-8")
        (target / "held.key").write_text(f"{key.verifier.text}\n", "utf-8")
        ledger.close()
        whole = Draft.of(Path(place, "export")).files()
        for name, data in whole.items():
            path = target / BASE / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        readme = README
        for defect in defects(withheld["reason"]):
            said: dict[str, Any] = {
                "kind": defect.kind,
                "position": defect.position,
                "what": defect.what,
                "held": defect.held,
            }
            if defect.spoil is not None:
                draft = Draft.of(Path(place, "export"))
                made = defect.spoil(draft)
                files = made if isinstance(made, dict) and exported.MANIFEST in made else None
                files = files or draft.files()
                said["export"] = {
                    name: edits(whole.get(name, b""), data)
                    for name, data in sorted(files.items())
                    if whole.get(name) != data
                }
            if defect.sql:
                said["ledger"] = list(defect.sql)
            written = json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False)
            (target / f"{defect.name}.json").write_text(f"{written}\n", "utf-8")
            readme += f"| `{defect.name}.json` | {defect.kind} | {defect.what} |\n"
    (target / "README.md").write_text(readme, "utf-8")


def main() -> None:
    """Write it anew into this folder."""
    for path in HERE.iterdir():
        if path.suffix in (".json", ".md", ".checkpoint", ".key"):
            path.unlink()
    shutil.rmtree(HERE / BASE, ignore_errors=True)
    make(HERE)
    sys.stdout.write(f"Wrote {sum(1 for _ in HERE.glob('*.json'))} defects.\n")


if __name__ == "__main__":
    main()
