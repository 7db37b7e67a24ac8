"""Checks an exported governance ledger, without a database and without govledger.

    python3 verify.py DIR [--checkpoint FILE]... [--log-key KEY]...

Needs Python 3.11 and the package 'cryptography'; changes nothing. Exit code: 0 where all is as it
was recorded, 5 where something is not, 2 for words that it does not know, 1 where it cannot read.

An entry is a line of entries.jsonl. With its payload replaced by the SHA-256 of the payload it is a
leaf of a Merkle tree (RFC 9162), whose root stands for them all. Texts and names stand apart; an
entry commits to each by SHA-256(salt + text), so that a text can be withheld and all else verified.
"""

import argparse
import base64
import datetime
import hashlib
import json
import pathlib
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

NOUNS = """ledger: opened text_withheld text_exempted exemption_lifted; entry: voided;
plan: created section_added impact_rated terms_set report_issued; evidence: lodged;
action: added milestone_set rated progress_noted timescale_revised marked_delayed reworded
placed_under_review resumed closed owners_changed; amendment: proposed agreed declined;
signoff: recommended voted granted declined revoked confirmed; body: established terms_changed
member_appointed member_stood_down meeting_recorded interest_declared;
escalation: raised referred responded resolved withdrawn; person: enrolled role_changed
key_replaced key_withdrawn administrator_appointed administrator_stood_down"""
NOUNS = [noun.split(":") for noun in NOUNS.split(";")]
TYPES = {f"{noun.strip()}.{verb}/1" for noun, verbs in NOUNS for verb in verbs.split()}
ENTRY = """position stream_id stream_version type recorded_at entry_id effective_on recorded_by
reason decided_by source correction payload"""
MANIFEST = "format ledger_id size root recorded_at public counts files"
CLAIMS = ("Ledger", "Plan", "Action", "Phase", "Round", "Decision", "Body", "Meeting", "Person")
BAD = (InvalidSignature, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def sha256(data):
    return hashlib.sha256(data).digest()


def canonical(value):
    """JSON as RFC 8785 writes it, for what entries hold: no fractions, no odd names of members."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_line(line, names):
    """The object on a line; raises unless it is in canonical form and has these members."""
    value = json.loads(line.decode(), parse_float=int, parse_constant=int)
    if canonical(value) + b"\n" != line:
        raise ValueError("it is not canonical JSON")
    if set(value) != set(names.split()) or type(value.get("position", 0)) is not int:
        raise KeyError("it has other members")
    return value


def root_of(peaks):
    """The root of the tree (RFC 9162, section 2.1) that has these peaks, the largest first."""
    root = peaks[-1] if peaks else sha256(b"")
    for left in reversed(peaks[:-1]):
        root = sha256(b"\1" + left + root)
    return root.hex()


def field(blob):
    """The first field of an OpenSSH blob, which stands after its length, and what follows it."""
    end = 4 + int.from_bytes(blob[:4], "big")
    if not 4 <= end <= len(blob):
        raise ValueError("it breaks off")
    return blob[4:end], blob[end:]


def number(blob):
    return int.from_bytes(field(blob)[0], "big")


def check_ssh(text, armoured, public_key):
    """Raises unless this is the key's signature over the text (OpenSSH's PROTOCOL.sshsig)."""
    armour = "-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----\n?"
    blob = base64.b64decode(re.fullmatch(armour, armoured)[1].replace("\n", ""), validate=True)
    key, about = field(blob.removeprefix(b"SSHSIG\0\0\0\1"))
    purpose, (name, rest) = field(about)[0], field(field(field(about)[1])[1])
    if key != base64.b64decode(public_key.split()[1]) or purpose != b"govledger":
        raise ValueError("it was made with another key, or for another purpose")
    (sort, key), (kind, signature) = field(key), field(field(rest)[0])
    if kind != sort and sort != b"ssh-rsa":
        raise ValueError("it is of another kind than the key")
    digest = hashlib.new({b"sha256": "sha256", b"sha512": "sha512"}[name], text).digest()
    signed = b"SSHSIG" + about[: -len(rest)] + len(digest).to_bytes(4, "big") + digest
    (signature, flags), (first, more) = field(signature), field(key)
    if sort.startswith(b"sk-"):  # a hardware key signs digests, its flags and its counter
        application = field(more if b"ecdsa" not in sort else field(more)[1])[0]
        signed = sha256(application) + flags + sha256(signed)
    if b"ed25519" in sort:
        ed25519.Ed25519PublicKey.from_public_bytes(first).verify(signature, signed)
    elif b"ecdsa" in sort:
        bits = int(first[-3:])
        curve = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}[bits]
        digest = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[bits]
        point = ec.EllipticCurvePublicKey.from_encoded_point(curve, field(more)[0])
        signature = utils.encode_dss_signature(number(signature), number(field(signature)[1]))
        point.verify(signature, signed, ec.ECDSA(digest))
    else:
        digest = {b"rsa-sha2-256": hashes.SHA256(), b"rsa-sha2-512": hashes.SHA512()}[kind]
        public = rsa.RSAPublicNumbers(int.from_bytes(first, "big"), number(more)).public_key()
        public.verify(signature, signed, padding.PKCS1v15(), digest)


def read_checkpoint(note, keys=()):
    """(origin, size, root, who of these keys signed it); raises where it is bad (C2SP)."""
    text, between, lines = note.rpartition("\n\n")
    origin, size, root = f"{text}\n".split("\n")[:3]
    if not (between and lines.endswith("\n") and size.isascii() and size.isdigit()):
        raise ValueError("it is no checkpoint")
    known = {tuple(key.split("+")[:2]): base64.b64decode(key.split("+", 2)[2]) for key in keys}
    signed = []
    for line in lines.splitlines():
        _dash, name, encoded = line.split(" ")
        signature, message = base64.b64decode(encoded, validate=True), f"{text}\n".encode()
        key, signature = known.get((name, signature[:4].hex())), signature[4:]
        if key and key[0] == 4:  # a cosignature, with its time
            time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            message = f"cosignature/v1\ntime {time}\n".encode() + message
        if key:
            ed25519.Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, message)
            signed.append(name)
    return origin, int(size), base64.b64decode(root, validate=True).hex(), signed


class Verifier:
    """One reading of an export, from its first line to its last; `find` prints what is wrong."""

    def __init__(self, folder):
        self.folder, self.found, self.last, self.gap = pathlib.Path(folder), 0, 0, False
        self.manifest = {"files": {}, "public": False, "size": None}
        self.counts = dict.fromkeys(("entries", "texts", "withheld", "left_out", "signatures"), 0)
        self.peaks, self.wanted, self.roots = [], set(), {0: root_of([])}
        self.before, self.versions, self.missing, self.withheld, self.exempt = "", {}, {}, {}, {}
        self.ledger_id, self.keys, self.shown = "", {}, {}

    def find(self, kind, position, sentence):
        self.found += 1
        print(f"{kind}{f' (entry {position})' if position is not None else ''}: {sentence}")

    def files(self):
        """The manifest, and the size and digest of each file that it lists."""
        try:
            said = read_line(pathlib.Path(self.folder, "manifest.json").read_bytes(), MANIFEST)
            if said["format"] != "govledger export 1" or type(said["files"]) is not dict:
                raise ValueError("it is not the manifest of a 'govledger export 1'")
            self.manifest = said
        except (FileNotFoundError, RecursionError, *BAD) as error:
            self.find("manifest-changed", None, f"manifest.json cannot be read: {error}.")
        listed, every = self.manifest["files"], self.folder.rglob("*")
        there = {p.relative_to(self.folder).as_posix(): p for p in every if not p.is_dir()}
        for name in sorted((there.keys() | listed.keys()) - {"manifest.json"}):
            digest, size = hashlib.sha256(), 0
            for line in open(there[name], "rb") if name in there else ():
                digest.update(line)
                size += len(line)
                if b'"plan.report_issued/1"' in line:  # the roots that will be asked for
                    self.wanted.update(map(int, re.findall(rb'"known_at":(\d{1,15})', line)))
            if listed and name not in listed:
                self.find("file-unknown", None, f"The file {name} is not one of the export's.")
            elif name not in there or listed[name] != {"bytes": size, "sha256": digest.hexdigest()}:
                self.find("file-changed", None, f"The file {name} is not as it was exported.")

    def lines(self, name, names):
        """The object on each line that can be read."""
        path = self.folder / name
        for place, line in enumerate(open(path, "rb") if path.is_file() else (), 1):
            try:
                yield read_line(line, names)
            except (LookupError, TypeError, ValueError, RecursionError) as error:
                kind = "bad-value" if isinstance(error, (KeyError, TypeError)) else "not-canonical"
                where = self.last + 1 if names == ENTRY else None
                self.find(kind, where, f"Line {place} of {name} cannot be read: {error}.")
                self.last, self.gap = where or self.last, self.gap or names == ENTRY

    def texts_of(self, where):
        """The texts of an entry, by field; those that are passed over belong to no entry."""
        found = {}
        while self.text is not None and self.text["position"] <= where:
            place = self.text["position"], str(self.text["field"])
            if place[0] < where or place <= self.place:
                self.find("text-unknown", place[0], f"A text '{place[1]}' stands out of its place.")
            else:
                found[place[1]] = self.text
            self.counts["texts"], self.place = self.counts["texts"] + 1, max(place, self.place)
            self.text = next(self.texts, None)
        return found

    def entries(self):
        """Every entry, and its place after the one before."""
        self.texts, self.place = self.lines("texts.jsonl", "position field salt text"), (0, "")
        self.text = next(self.texts, None)
        for entry in self.lines("entries.jsonl", ENTRY):
            where, due = entry["position"], self.last + 1
            self.gap = self.gap or where != due
            if where < due:
                self.find("entry-unknown", where, "It stands where it does not belong.")
                continue
            if where > due:
                self.find("entry-missing", due, f"What stood before entry {where} is gone.")
            self.last, payload, texts = where, entry.pop("payload"), self.texts_of(where)
            leaf = entry | {"payload_sha256": sha256(canonical(payload)).hex()}
            self.counts["entries"] = size = self.counts["entries"] + 1
            node = sha256(b"\0" + canonical(leaf))
            while size % 2 == 0:  # two perfect trees of one height become one
                node, size = sha256(b"\1" + self.peaks.pop() + node), size // 2
            self.peaks.append(node)
            if where in self.wanted:
                self.roots[where] = root_of(self.peaks)
            for check in (self.check_envelope, self.check_texts, self.check_facts):
                try:
                    check(where, entry, payload, texts)
                except KeyError as error:
                    self.find("unreadable-payload", where, f"Its payload lacks {error}.")
                except BAD as error:
                    self.find("bad-value", where, f"It holds a value of the wrong kind: {error}.")
        self.texts_of(float("inf"))

    def check_envelope(self, where, entry, _payload, _texts):
        at, stream, version = entry["recorded_at"], entry["stream_id"], entry["stream_version"]
        if at < self.before:
            self.find("clock-backwards", where, f"Recorded at {at}, before the entry before it.")
        if version != self.versions.get(stream, 0) + 1:
            self.find("version-gap", where, f"It is version {version} of {stream}, out of turn.")
        self.before, self.versions[stream] = at, version
        try:
            since = datetime.date.fromisoformat(entry["effective_on"])
            instant = datetime.datetime.fromisoformat(at)  # London is at most an hour ahead
            self.day = str((instant + datetime.timedelta(hours=1)).date())
        except BAD:
            return self.find("bad-date", where, "It has a date that cannot be read.")
        if str(since) > self.day:
            self.find("future-date", where, "It is effective after the day of its recording.")

    def check_texts(self, where, entry, payload, texts):
        committed = {name: entry[name] for name in ("recorded_by", "reason") if entry[name]}
        for name, said in payload.items() if entry["type"] in TYPES else ():
            for part in (said, said.get("written")) if type(said) is dict else ():
                if type(part) is dict and "commitment" in part:
                    committed[name] = part["commitment"]
        for name in sorted(committed.keys() | texts.keys()):
            if name not in texts:
                self.missing[where, name] = True
            elif name not in committed:
                self.find("text-unknown", where, f"It has a text '{name}' too many.")
            else:
                salt, text = bytes.fromhex(texts[name]["salt"]), texts[name]["text"]
                if sha256(salt + text.encode()).hex() != committed[name]:
                    self.find("text-changed", where, f"Its text '{name}' is not the one recorded.")

    def check_facts(self, where, entry, payload, texts):
        """What an entry says, as far as it bears on others or carries a proof of its own."""
        kind, stream, said = entry["type"], entry["stream_id"], entry["effective_on"]
        texts = {name: text["text"] for name, text in texts.items()}
        if kind not in TYPES:
            self.find("unknown-type", where, f"Entries of type '{kind}' are not known here.")
        elif kind == "ledger.opened/1":
            self.ledger_id = self.ledger_id or payload["ledger_id"]
        elif kind == "ledger.text_exempted/1":
            self.exempt[payload["position"], payload["field"]] = payload["basis"]
        elif kind == "ledger.exemption_lifted/1":
            self.exempt.pop((payload["position"], payload["field"]), None)
        elif kind == "ledger.text_withheld/1":
            place = payload["position"], payload["field"]
            if self.missing.pop(place, None):
                self.withheld[place] = f"by entry {where}, on the basis of: {payload['basis']}"
            elif not self.gap and place not in self.withheld:
                self.find("text-still-held", place[0], f"Entry {where} withheld its '{place[1]}'.")
        elif kind == "entry.voided/1":
            keys = self.keys.get(stream, ())
            self.keys[stream] = [key for key in keys if key[1] != payload["voids"]]
        elif kind in ("person.enrolled/1", "person.key_replaced/1", "person.key_withdrawn/1"):
            self.keys.setdefault(stream, []).append((said, where, payload.get("key")))
        elif kind == "signoff.recommended/1":
            self.shown[stream, payload["phase"], payload["round"]] = texts.get("shown")
        elif kind in ("signoff.voted/1", "signoff.confirmed/1"):
            shown = self.shown.get((stream, payload["phase"], payload["round"]))
            texts.setdefault("shown", None if "shown" in payload else shown)
            self.check_vote(where, stream.split("/"), payload, texts)
        elif kind == "plan.report_issued/1" and not self.gap:
            self.check_report(where, payload)

    def check_vote(self, where, stream, vote, texts):
        """That a member signed what the entry says, with the key of the day."""
        self.counts["signatures"] += 1
        if "statement" not in texts:
            return
        who = vote.get("person") or vote["confirmed_by"]
        title, *lines = texts["statement"].splitlines()
        said = dict(line.partition(": ")[::2] for line in lines)
        due = self.ledger_id, *stream[1:], vote["phase"], vote["round"], vote.get("vote", "confirm")
        due = dict(zip(CLAIMS, map(str, (*due, vote["body"], vote["meeting"], who)), strict=True))
        due["Signed at"] = datetime.datetime.fromisoformat(vote["signed_at"]).isoformat()
        if texts["shown"] is not None:
            due["Content SHA-256"] = sha256(texts["shown"].encode()).hex()
        wrong = [name for name, words in due.items() if said.get(name) != words]
        if wrong or title != "govledger sign-off statement 1":
            wrong = ", ".join(wrong) or "its title"
            self.find("statement-mismatch", where, f"What was signed says otherwise: {wrong}.")
        keys = sorted(self.keys.get(f"person/{stream[1]}/{who}", ()))
        keys = [key for since, _, key in keys if since <= self.day]
        try:
            if not keys or not keys[-1]:
                raise ValueError("no key was in force")
            check_ssh(texts["statement"].encode(), vote["signature"], keys[-1])
        except BAD as error:
            wrong = f"It is not signed by {who}: {error or 'the signature is of another text'}."
            self.find("bad-signature", where, wrong)

    def check_report(self, where, report):
        try:
            size, root, note = report["known_at"], report["root"], report.get("checkpoint")
            if self.roots.get(size) != root:
                raise ValueError("another root")
            if note is not None:
                found = read_checkpoint(note, [report["checkpoint_key"]])
                if found[:3] != (f"govledger/{self.ledger_id}", size, root) or not found[3]:
                    raise ValueError("a checkpoint of something else, or not signed")
        except BAD as error:
            wrong = f"The report does not belong to these entries: {error or 'a bad signature'}."
            self.find("bad-checkpoint", where, wrong)

    def end(self):
        """What can be said only now: of the texts that are lacking, and of the whole."""
        for line in self.lines("left_out.jsonl", "position field basis copy_of"):
            text, of = (line["position"], str(line["field"])), line["copy_of"]
            of = text if of is None else tuple(of) if type(of) is list else of
            self.counts["left_out"] += 1
            exempt = [place for place, basis in self.exempt.items() if basis == line["basis"]]
            if not self.manifest["public"] or of not in exempt or text not in self.missing:
                said = f"The text '{text[1]}' is said to be left out, and no entry bears it out."
                self.find("left-out-changed", text[0], said)
            self.missing.pop(text, None)
        for where, name in self.missing:
            self.find("text-missing", where, f"The text '{name}' is gone, and nobody withheld it.")
        self.counts["withheld"], said = len(self.withheld), self.manifest
        self.counts["checkpoints"] = sum(name.startswith("checkpoints/") for name in said["files"])
        size, root = said["size"], root_of(self.peaks)
        if type(size) is int and size > self.last:
            self.find("tail-missing", self.last + 1, f"The end is gone: there were {size} entries.")
        elif size is not None and not self.gap:
            if said["root"] != root:
                self.find("root-changed", None, f"The root is {root}, not {said['root']}.")
            due = self.last, self.before, self.ledger_id, self.counts
            if (size, said["recorded_at"], said["ledger_id"], said["counts"]) != due:
                self.find("manifest-changed", None, f"It counts otherwise; here are {self.counts}.")

    def hold(self, name, note, keys, given):
        """The history against a checkpoint."""
        try:
            origin, size, root, signed = read_checkpoint(note, keys)
            if given and keys and not signed:
                raise ValueError("none of the keys that you gave signed it")
        except BAD as error:
            return self.find("bad-checkpoint", None, f"{name}: {error or 'a signature is bad'}.")
        if size > self.last:
            said = f"{name} is of {size} entries, and there are {self.last}: the end is gone."
            self.find("rolled-back", None, said)
        elif (origin, self.roots.get(size)) != (f"govledger/{self.ledger_id}", root):
            said = f"{name} is of another history: the root over {size} entries was {root}."
            self.find("other-history", size, said)
        else:
            print(
                f"{name} agrees: {size} entries, signed by {', '.join(signed) or '(not checked)'}."
            )


def main():
    parser = argparse.ArgumentParser(description="Checks an exported governance ledger.")
    parser.add_argument("folder", metavar="DIR")
    parser.add_argument("--checkpoint", metavar="FILE", action="append", default=[])
    parser.add_argument("--log-key", metavar="KEY", action="append", default=[])
    given = parser.parse_args()
    verifier = Verifier(given.folder)
    try:
        notes = [
            (name, pathlib.Path(name).read_bytes().decode(errors="replace"))
            for name in given.checkpoint
        ]
        own = pathlib.Path(given.folder, "checkpoint")
        own = (
            [("The folder's checkpoint", own.read_bytes().decode(errors="replace"))]
            if own.is_file()
            else []
        )
        for _, note in notes + own:
            verifier.wanted.update(map(int, re.findall(r"\A.*\n(\d{1,15})\n", note)))
        if not any(
            pathlib.Path(given.folder, name).is_file()
            for name in ("manifest.json", "entries.jsonl")
        ):
            raise FileNotFoundError(f"there is no export in {given.folder}")
        verifier.files()
        verifier.entries()
        verifier.end()
    except OSError as error:
        print(f"This cannot be read: {error}", file=sys.stderr)
        return 1
    for number, (name, note) in enumerate(notes + own):
        verifier.hold(name, note, given.log_key, number < len(notes))
    for (where, name), why in verifier.withheld.items():
        print(f"Withheld: the text '{name}' of entry {where}, {why}")
    print(f"{verifier.counts}\nRoot {root_of(verifier.peaks)} over {verifier.last} entries")
    if verifier.found:
        print(f"NOT as it was recorded: {verifier.found} findings.")
        return 5
    print("Verified: everything here is as it was recorded.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
