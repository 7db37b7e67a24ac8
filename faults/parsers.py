"""Every parser of bytes from outside, as a target: what it may raise, and true examples to vary.

A target takes bytes and either returns or raises `GovledgerError`; anything else is a finding.
Where a parser accepts, what it read is written again and read again, and has to be the same.
"""

import base64
import contextlib
import functools
import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cli.options import Day, KnownAt
from cli.verify import held_root
from documents.export_folder import write_export
from documents.plan_csv import read_plan_csv, read_scale
from domain.errors import BadInput, GovledgerError
from domain.timescale import Timescale
from ledger.address import open_database
from ledger.checkpoint import Checkpoint, read_checkpoint, sign_checkpoint
from ledger.cosigner import FORMAT, Memory
from ledger.entry import Note
from ledger.export_check import verify_export
from ledger.keys import fingerprint, read_public_key, signer_of
from ledger.note import COSIGNATURE, Signer, open_note, parse_note, parse_signer, parse_verifier
from ledger.proof import ConsistencyProof, InclusionProof, parse_proof
from projections.restoring import check_restorable
from projections.upkeep import create_ledger

KEY = Signer("govledger/0a1b", 1, bytes(range(32)))
WITNESS = Signer("scrutiny.example/2025", COSIGNATURE, bytes(32))
ROOT = bytes.fromhex("ab" * 32)
CHECKPOINT = Checkpoint(KEY.name, 7, ROOT)
SIGNED = sign_checkpoint(CHECKPOINT, KEY)
NOTE = parse_note(SIGNED.encode())
COSIGNED = NOTE.signed(WITNESS.sign(CHECKPOINT.text, 1_700_000_000)).full
HELD = read_checkpoint(SIGNED.encode())
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
PLAN = (
    b"ref,section,title,owners,milestone,timescale,rating\n"
    b'C1,Edge of care,"Offer, new",Head,1,March 2026,On track\nC1,,,,2,TBC,\n'
)
SCALE = b"""[{"key": "red", "label": "Red", "colour": "red", "meaning": "off_track"},
{"key": "green", "label": "Green", "colour": "green", "meaning": "complete", "also": ["Done"]}]"""


@dataclass(frozen=True)
class Target:
    """One parser.

    Attributes:
        name: what the table calls it.
        parse: gives it the bytes.
        seeds: true inputs, to vary.
        may: what it may raise besides `GovledgerError`, as its docstring says.
    """

    name: str
    parse: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    may: tuple[type[Exception], ...] = ()

    def feed(self, data: bytes) -> None:
        """Give it the bytes; raises what it should not have raised."""
        try:
            self.parse(data)
        except GovledgerError:
            return
        except self.may:
            return


def as_text(data: bytes) -> str:
    """The bytes as words of a command line, where what is no UTF-8 is refused before."""
    return data.decode("utf-8", "ignore")


def _armoured() -> str:
    """A signature as ssh-keygen writes one; by nobody."""
    key = base64.b64decode(PUBLIC.split()[1])
    fields = (key, b"govledger", b"", b"sha512", b"signature")
    blob = b"SSHSIG" + (1).to_bytes(4, "big")
    blob += b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    written = base64.encodebytes(blob).decode()
    return f"-----BEGIN SSH SIGNATURE-----\n{written}-----END SSH SIGNATURE-----\n"


def _same(found: object, again: object) -> None:
    if found != again:
        raise AssertionError(f"written and read again it is another: {found!r}, {again!r}")


def _note(data: bytes) -> None:
    note = parse_note(data)
    _same(note, parse_note(note.full.encode()))
    _same(note.full.encode(), data)
    open_note(data, [KEY.verifier, WITNESS.verifier])


def _checkpoint(data: bytes) -> None:
    held = read_checkpoint(data)
    _same(held, read_checkpoint(held.note.full.encode()))
    _same(held.checkpoint.text, held.note.text)
    held.opened_with(KEY.verifier, [WITNESS.verifier])


def _proof(data: bytes) -> None:
    proof = parse_proof(data)
    _same(proof, parse_proof(proof.text.encode()))
    if isinstance(proof, InclusionProof):
        proof.shows(ROOT)
    else:
        proof.continues(ROOT)


def _verifier(data: bytes) -> None:
    found = parse_verifier(as_text(data))
    _same(found, parse_verifier(found.text))


def _signer(data: bytes) -> None:
    found = parse_signer(as_text(data))
    _same(found, parse_signer(found.text))


def _public_key(data: bytes) -> None:
    key = read_public_key(as_text(data))
    _same(key, read_public_key(key))
    fingerprint(key)


@functools.cache
def _folder() -> Path:
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    return Path(tempfile.mkdtemp(prefix="govledger-fuzz-", dir=memory))


def _in_file(read: Callable[[Path], Any], data: bytes) -> Any:
    path = _folder() / "given"
    path.write_bytes(data)
    return read(path)


@functools.cache
def _ledger() -> Any:
    return create_ledger(_folder() / "plan.sqlite", "Fuzz", "A. Clerk")


def _plan(data: bytes) -> None:
    rows = _in_file(read_plan_csv, data)
    note = Note(date(2025, 9, 30), "A. Clerk", source="Paper")
    _ledger().import_plan("P", rows, note, title="Plan", dry_run=True)


def _timescale(data: bytes) -> None:
    # What the ledger takes as one is a line of text; the reader itself takes any text.
    found = Timescale.parse(as_text(data))
    _same(found, Timescale.parse(found.written))


def _address(data: bytes) -> None:
    # The address is taken apart; nothing is asked of any server.
    open_database("postgresql://" + as_text(data)).close()


def _memory(data: bytes) -> None:
    (_folder() / "key.seen").write_bytes(data)
    Memory(_folder() / "key").read()


MEMORY = json.dumps(
    {
        "format": FORMAT,
        "seen": {
            KEY.name: {
                "log_key": KEY.verifier.text,
                "size": 7,
                "root": ROOT.hex(),
                "checkpoint": SIGNED,
            }
        },
    }
)


@functools.cache
def _export() -> tuple[Path, list[str]]:
    """A small export, and its files."""
    folder = _folder() / "export"
    with contextlib.closing(create_ledger(_folder() / "small.sqlite", "Small", "A. Clerk")) as made:
        note = Note(date(2025, 9, 30), "A. Clerk", source="Paper", reason="As published.")
        made.create_plan("P", "Plan", note)
        made.issue_report("P", "R1", "Committee", note.effective_on, note.effective_on, note)
        write_export(made, folder)
    return folder, sorted(path.name for path in folder.iterdir() if path.is_file())


def _in_export(check: Callable[[Path], object], data: bytes) -> None:
    """Check the export with one file of it replaced: the first byte says which."""
    folder, names = _export()
    path = folder / names[data[0] % len(names) if data else 0]
    kept = path.read_bytes()
    path.write_bytes(data[1:])
    try:
        check(folder)
    finally:
        path.write_bytes(kept)


@functools.cache
def _verifier_main() -> Callable[[], object]:
    """The `main` of the single-file verifier, which the file itself would start at once."""
    path = Path(__file__).parent.parent / "verifier" / "govledger_verify.py"
    source = path.read_text("utf-8").rstrip().removesuffix("main()")
    names: dict[str, Any] = {"__name__": "verify", "__file__": str(path)}
    exec(compile(source, str(path), "exec"), names)
    found: Callable[[], object] = names["main"]
    return found


def _by_single_file(folder: Path) -> None:
    words = sys.argv
    sys.argv = ["verify.py", str(folder)]
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            _verifier_main()()
    except SystemExit:
        return
    finally:
        sys.argv = words


def _files() -> tuple[bytes, ...]:
    folder, names = _export()
    return tuple(bytes([n]) + (folder / name).read_bytes() for n, name in enumerate(names))


def _words(*texts: str) -> tuple[bytes, ...]:
    return tuple(text.encode() for text in texts)


TARGETS = (
    Target("signed note", _note, _words(SIGNED, COSIGNED)),
    Target("checkpoint", _checkpoint, _words(SIGNED, COSIGNED)),
    Target(
        "proof",
        _proof,
        _words(
            InclusionProof(3, (ROOT, ROOT, ROOT), HELD).text,
            InclusionProof(3, (ROOT, ROOT, ROOT), HELD, b"extra").text,
            ConsistencyProof(3, (ROOT, ROOT), HELD).text,
        ),
    ),
    Target("verifier key", _verifier, _words(KEY.verifier.text, WITNESS.verifier.text)),
    Target("private key", _signer, _words(KEY.text, WITNESS.text)),
    Target("public key (ssh)", _public_key, _words(PUBLIC, f"{PUBLIC} a comment\n")),
    Target(
        "signature (ssh)",
        lambda data: signer_of(as_text(data)),
        _words(_armoured()),
        (ValueError,),
    ),
    Target("plan as CSV", _plan, (PLAN, b"\xef\xbb\xbf" + PLAN.replace(b"\n", b"\r\n"))),
    Target("scale", lambda data: _in_file(read_scale, data), (SCALE,)),
    Target(
        "timescale",
        _timescale,
        _words("July 2026", "Q3 2025/26", "by 31/03/2026", "Monthly from June 2024", "TBC"),
        (ValueError,),
    ),
    Target(
        "date",
        lambda data: Day().convert(as_text(data), None, None),
        _words("2025-09-30", "30/09/2025"),
    ),
    Target(
        "known-at",
        lambda data: KnownAt().convert(as_text(data), None, None),
        _words("#120", "2025-11-10T14:30:00Z", "2025-11-10", "2025-W10-2T10"),
    ),
    Target("root held", lambda data: held_root(as_text(data)), _words(f"#326:{'ab' * 32}")),
    Target("cosigner memory", _memory, _words(MEMORY)),
    Target("export", lambda data: _in_export(verify_export, data), _files()),
    Target("export, by one file", lambda data: _in_export(_by_single_file, data), _files()),
    Target("import-ledger", lambda data: _in_export(check_restorable, data), _files()),
    Target("ledger address", _address, _words("user:pw@host:5432/db?sslmode=require", "/db")),
)
"""Every parser; a target is added with the parser."""


def find(names: Iterable[str]) -> list[Target]:
    """The targets with one of these words in their name; all, where there are none."""
    wanted = list(names)
    found = [t for t in TARGETS if not wanted or any(word in t.name for word in wanted)]
    if not found:
        raise BadInput("no-such-target", f"No target has {wanted} in its name.")
    return found
