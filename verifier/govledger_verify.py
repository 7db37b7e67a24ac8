"""Checks an exported governance ledger, without a database and without govledger.

    python3 verify.py DIR [--checkpoint FILE]... [--log-key KEY]...

Needs Python 3.11 and the package 'cryptography'; changes nothing. Ends with 0 where all is as it was recorded,
5 where something is not, 2 for words, keys or checkpoints of no use, 1 where it cannot read. KEY is the key's line,
or a file with it. An entry is a line of entries.jsonl. With its payload replaced by the SHA-256 of the payload it is
a leaf of a Merkle tree (RFC 9162), whose root stands for all. An entry commits to each text by SHA-256(salt + text).
"""
import argparse, base64, datetime, hashlib, json, pathlib, re, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, utils

TYPES = """ledger: opened text_withheld text_exempted exemption_lifted; entry: voided; evidence: lodged; plan: created
section_added impact_rated terms_set report_issued; amendment: proposed agreed declined; action: added milestone_set
rated progress_noted timescale_revised marked_delayed reworded resumed closed placed_under_review owners_changed;
signoff: recommended voted granted declined revoked confirmed; escalation: raised referred responded resolved
withdrawn; person: enrolled role_changed key_replaced key_withdrawn administrator_appointed administrator_stood_down;
body: established terms_changed member_appointed member_stood_down meeting_recorded interest_declared"""
TYPES = {f"{noun}.{verb}/1" for noun, verbs in re.findall(r"(\w+): ([^;]+)", TYPES) for verb in verbs.split()}
ENTRY = """position stream_id stream_version type recorded_at entry_id effective_on recorded_by
reason decided_by source correction payload"""
TEXTS = set(re.findall(r"\w+", """title owners timescale progress issue outcome response called reference file name role shown
statement"""))  # fields of a payload that are texts, in every type but that which names a body
CLAIMS = "Ledger,Plan,Action,Phase,Round,Decision,Meaning,Body,Meeting,Person,Signed at,Content SHA-256"
MEANING = {"approve": ", and I approve", "decline": ", and I decline to approve", "confirm": " now, and I confirm"}
PHASES = {1: "the activity is complete", 2: "its impact is evidenced"}

def sha256(data): return hashlib.sha256(data).digest()
def canonical(value):  # JSON as RFC 8785 writes it, for what entries hold: no fractions, no odd names of members
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
def read_file(path):  # its lines; none where it is not there
    if path and path.is_file():
        with open(path, "rb") as file: yield from file
def read_line(line, names):  # the object on a line; raises unless it is in canonical form and has these members
    value = json.loads(line.decode(), parse_float=int, parse_constant=int)
    if canonical(value) + b"\n" != line: raise ValueError("it is not canonical JSON")
    if set(value) != set(names.split()) or type(value.get("position", 0)) is not int: raise KeyError(names)
    return value
def need(pattern, written):  # what is written; raises unless it has just that form
    if not re.fullmatch(pattern, written): raise ValueError(f"{written!r:.99} is not of its form")
    return written
def statement(ledger_id, stream, who, vote, digest):  # the lines that a member has to have signed, word for word
    said, at = vote.get("vote", "confirm"), datetime.datetime.fromisoformat(vote["signed_at"]).isoformat()
    meaning = f"I have read what is shown{MEANING[said]} that {PHASES[vote['phase']]}."
    values = ledger_id, *stream.split("/")[1:], vote["phase"], vote["round"], said, meaning, vote["body"], vote["meeting"]
    lines = (f"{name}: {value}\n" for name, value in zip(CLAIMS.split(","), (*values, who, at, digest), strict=True))
    return "govledger sign-off statement 1\n" + "".join(lines)
def field(blob):  # the first field of an OpenSSH blob, which stands after its length, and what follows it
    end = 4 + int.from_bytes(blob[:4], "big")
    if not 4 <= end <= len(blob): raise ValueError("it breaks off")
    return blob[4:end], blob[end:]
def check_ssh(text, armoured, public_key):  # raises unless the key signed the text (OpenSSH's PROTOCOL.sshsig)
    armour = "-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----\n?"
    blob = base64.b64decode(re.fullmatch(armour, armoured)[1].replace("\n", ""), validate=True)
    key, about = field(blob.removeprefix(b"SSHSIG\0\0\0\1"))
    purpose, (name, rest) = field(about)[0], field(field(field(about)[1])[1])
    if (key, purpose) != (base64.b64decode(public_key.split()[1]), b"govledger"): raise ValueError("not this key")
    digest = hashlib.new({b"sha256": "sha256", b"sha512": "sha512"}[name], text).digest()
    signed = b"SSHSIG" + about[: -len(rest)] + len(digest).to_bytes(4, "big") + digest
    (sort, part), (kind, rest) = field(key), field(field(rest)[0])
    signature, flags = field(rest)
    if kind != sort and sort != b"ssh-rsa": raise ValueError("it is of another kind than the key")
    while part: application, part = field(part)
    if sort.startswith(b"sk-"): signed = sha256(application) + flags + sha256(signed)  # of a hardware key
    public = serialization.load_ssh_public_key(public_key.encode())
    if b"ed25519" in sort: public.verify(signature, signed)
    elif b"ecdsa" in sort:
        digest = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[public.key_size]
        r, s = (int.from_bytes(x, "big") for x in (field(signature)[0], field(signature)[1][4:]))
        public.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(digest))
    else:
        digest = {b"rsa-sha2-256": hashes.SHA256(), b"rsa-sha2-512": hashes.SHA512()}[kind]
        public.verify(signature, signed, padding.PKCS1v15(), digest)

def read_key(written):  # (name, identifier, kind and key) of a verifier key, which may stand in a file (C2SP)
    if "+" not in written: written = pathlib.Path(written).read_text("utf-8")
    name, number, key = written.strip().split("+", 2)
    key = base64.b64decode(key, validate=True)
    fits = len(key) == 33 and key[0] in (1, 4) and sha256(f"{name}\n".encode() + key)[:4].hex() == number
    if not fits: raise ValueError("its parts do not fit together")
    return name, number, key
def read_checkpoint(note, keys=()):  # (origin, size, root, who of these keys signed it); raises where it is bad (C2SP)
    text, _, lines = note.rpartition("\n\n")
    origin, size, root = f"{text}\n".split("\n")[:3]
    need("0|[1-9][0-9]{0,14}", size), need("(— [^ +\n]+ [A-Za-z0-9+/]+=*\n)+", lines)
    signed, root = [], base64.b64decode(root, validate=True).hex()
    for _dash, name, encoded in (line.split(" ") for line in lines[:-1].split("\n")):
        data, message = base64.b64decode(encoded, validate=True), f"{text}\n".encode()
        for key in (k[2] for k in keys if k[:2] == (name, data[:4].hex()) and (k[2][0] == 4 or name == origin)):
            if key[0] == 4:  # a cosignature, with its time
                message = f"cosignature/v1\ntime {int.from_bytes(data[4:12], 'big')}\n".encode() + message
            ed25519.Ed25519PublicKey.from_public_bytes(key[1:]).verify(data[12 if key[0] == 4 else 4:], message)
            signed.append(name)
    return origin, int(size), root, signed

class Verifier:
    """One reading of an export, from its first line to its last. What is wrong is printed at once."""
    def __init__(self, folder):
        self.folder, self.found, self.manifest = pathlib.Path(folder), 0, {}
        self.counts = dict.fromkeys(("entries", "texts", "withheld", "left_out", "checkpoints", "signatures"), 0)
        self.peaks, self.wanted, self.roots, self.last, self.before = [], set(), {0: sha256(b"").hex()}, 0, ""
        self.versions, self.missing, self.withheld, self.exempt, self.broken = {}, {}, {}, {}, False
        self.ledger_id, self.keys, self.shown, self.copies, self.unsigned = "", [], {}, {}, []
    def find(self, kind, where, sentence):
        self.found += 1
        if self.found <= 1000: print(kind, f"(entry {where})" if where is not None else "", sentence)
    def attempt(self, kind, where, check, *given):  # what a check returns; values that are too odd for it are found
        try: return check(*given)
        except Exception as error: self.find(kind, where, f"Something is lacking or wrong: {error!r}.")
    def root(self):
        root = self.peaks[-1] if self.peaks else sha256(b"")
        for left in reversed(self.peaks[:-1]): root = sha256(b"\1" + left + root)
        return root.hex()
    def read_manifest(self):
        said = read_line((self.folder / "manifest.json").read_bytes(), "format ledger_id size root recorded_at public counts files")
        if (said["format"], type(said["files"])) != ("govledger export 1", dict): raise ValueError("its format")
        return said
    def check_files(self):  # the manifest, and the size and digest of each file that it lists
        self.manifest = self.attempt("manifest-changed", None, self.read_manifest) or {}
        listed, every = self.manifest.get("files", {}), self.folder.rglob("*")
        there = {p.relative_to(self.folder).as_posix(): p for p in every if p.is_symlink() or not p.is_dir()}
        for name in sorted((there.keys() | listed.keys()) - {"manifest.json"}):
            path, digest = there.get(name), hashlib.sha256()
            size = path.stat().st_size if path and not path.is_symlink() else None
            for line in read_file(path):
                digest.update(line)
                if b"plan.report_issued/1" in line: self.wanted.update(map(int, re.findall(rb'"known_at":(\d{1,15})', line)))
            if name.startswith("checkpoints/"): self.copies[name] = digest.hexdigest()
            if self.manifest and listed.get(name) != {"bytes": size, "sha256": digest.hexdigest()}:
                why = "is gone" if not path else "is not as it was exported" if name in listed else "was added"
                self.find("file-changed", None, f"The file {name} {why}.")
    def lines(self, name, names):  # the object on each line that can be read
        for place, line in enumerate(read_file(self.folder / name), 1):
            try: yield read_line(line, names)
            except Exception as error:
                kind = "bad-value" if isinstance(error, (KeyError, TypeError)) else "not-canonical"
                where = self.last + 1 if names == ENTRY else None
                self.find(kind, where, f"Line {place} of {name} cannot be read: {error}.")
                self.last, self.broken = where or self.last, self.broken or names == ENTRY
    def texts_of(self, where):  # the texts of an entry, by field; those that are passed over belong to no entry
        found = {}
        while self.text is not None and self.text["position"] <= where:
            at, name = self.text["position"], str(self.text["field"])
            if at == where and name > max(found, default=""): found[name] = self.text
            else: self.find("text-unknown", at, f"A text '{name}' is out of its place.")
            self.counts["texts"], self.text = self.counts["texts"] + 1, next(self.texts, None)
        return found
    def check_entries(self):  # every entry, and its place after the one before
        self.texts = self.lines("texts.jsonl", "position field salt text")
        self.text = next(self.texts, None)
        for entry in self.lines("entries.jsonl", ENTRY):
            where, due = entry["position"], self.last + 1
            self.broken = self.broken or where != due
            if where > due: self.find("entry-missing", due, f"Entries before {where} are gone.")
            if where < due: self.find("entry-unknown", where, "It stands where it does not belong.")
            if where < due: continue
            self.last, payload, texts, self.committed = where, entry.pop("payload"), self.texts_of(where), {}
            node = sha256(b"\0" + canonical(entry | {"payload_sha256": sha256(canonical(payload)).hex()}))
            self.counts["entries"] = size = self.counts["entries"] + 1
            while size % 2 == 0:  # two perfect trees of one height become one
                node, size = sha256(b"\1" + self.peaks.pop() + node), size // 2
            self.peaks.append(node)
            if where in self.wanted and not self.broken: self.roots[where] = self.root()
            for kind, check in (("bad-date", self.check_envelope), ("unreadable-payload", self.check_payload),
                                ("bad-value", self.check_texts), ("unreadable-payload", self.check_facts)):
                self.attempt(kind, where, check, where, entry, payload, texts)
        self.texts_of(float("inf"))
    def check_envelope(self, where, entry, _payload, _texts):
        at, stream, version = entry["recorded_at"], entry["stream_id"], entry["stream_version"]
        due, before, since = self.versions.get(stream, 0) + 1, self.before, entry["effective_on"]
        self.versions[stream], self.before, self.day = version, at, ""
        if version != due: self.find("version-gap", where, f"It is version {version} of {stream}; {due} was due.")
        if at < before: self.find("clock-backwards", where, "Recorded before the one before.")
        instant = datetime.datetime.fromisoformat(need(r"[-0-9]{10}T[:0-9]{8}\.[0-9]{6}Z", at))
        self.day = str((instant + datetime.timedelta(hours=1)).date())  # in London at the latest
        datetime.date.fromisoformat(need("[0-9]{4}-[0-9]{2}-[0-9]{2}", since))
        if since > self.day: self.find("future-date", where, f"It is effective on {since}, after it was recorded.")
    def check_payload(self, _where, entry, payload, _texts):  # instead of a text its commitment stands, alone
        for name, said in payload.items() if entry["type"] in TYPES else ():
            if name == "timescale" and type(said) is dict: said = said.get("written", said)
            text = name in TEXTS and said is not None and (name, entry["type"]) != ("name", "body.established/1")
            if text or (type(said) is dict and "commitment" in said):
                if set(said) != {"commitment"}: raise ValueError(f"'{name}' is no mere commitment")
                self.committed[name] = need("[0-9a-f]{64}", said["commitment"])
    def check_texts(self, where, entry, _payload, texts):
        for name in ("recorded_by", "reason") if entry["reason"] is not None else ("recorded_by",):
            self.committed[name] = need("[0-9a-f]{64}", entry[name])
        for name in sorted(self.committed.keys() | texts.keys()):
            if name not in texts: self.missing[where, name] = True
            elif name not in self.committed: self.find("text-unknown", where, f"It has a text '{name}' too many.")
            else:
                salt, text = texts[name]["salt"], texts[name]["text"].encode()
                same = re.fullmatch("[0-9a-f]{32}", salt) and sha256(bytes.fromhex(salt) + text).hex()
                if same != self.committed[name]: self.find("text-changed", where, f"Its text '{name}' is another one.")
    def check_facts(self, where, entry, payload, texts):  # what bears on other entries, or proves something
        kind, stream, texts = entry["type"], entry["stream_id"], {name: kept["text"] for name, kept in texts.items()}
        if kind not in TYPES: self.find("unknown-type", where, f"Entries of type '{kind}' are not known here.")
        elif kind == "ledger.opened/1": self.ledger_id = self.ledger_id or payload["ledger_id"]
        elif kind.startswith("ledger."):
            place = payload["position"], payload["field"]
            self.exempt.pop(place, None)
            if kind == "ledger.text_exempted/1": self.exempt[place] = payload["basis"]
            elif kind == "ledger.text_withheld/1" and self.missing.pop(place, None):
                self.withheld[place] = f"by entry {where}, on the basis of: {payload['basis']}"
            elif kind == "ledger.text_withheld/1" and place not in self.withheld:
                self.find("text-still-held", place[0], f"Entry {where} withheld its '{place[1]}'.")
        elif kind == "entry.voided/1": self.keys = [k for k in self.keys if (k[0], k[2]) != (stream, payload["voids"])]
        elif kind in ("person.enrolled/1", "person.key_replaced/1", "person.key_withdrawn/1"):
            self.keys.append((stream, entry["effective_on"], where, payload.get("key")))
        elif kind == "signoff.recommended/1":
            self.shown[stream, payload["phase"], payload["round"]] = texts.get("shown")
        elif kind in ("signoff.voted/1", "signoff.confirmed/1"):
            shown = self.shown.get((stream, payload["phase"], payload["round"]))
            texts.setdefault("shown", None if "shown" in payload else shown)
            self.counts["signatures"] += 1
            self.check_vote(where, stream, payload, texts) if "statement" in texts else self.unsigned.append(where)
        elif kind == "plan.report_issued/1": self.attempt("bad-checkpoint", where, self.check_report, where, payload)
    def check_report(self, where, report):  # that the root and the checkpoint which it recorded are of this ledger
        size, note, key = report["known_at"], report.get("checkpoint"), report.get("checkpoint_key")
        due = f"govledger/{self.ledger_id}", size, report["root"]
        if not self.broken and self.roots.get(size) != due[2]: raise ValueError(f"its root is {due[2]}")
        if not (note or key): return
        name, self.counts["checkpoints"] = f"checkpoints/entry-{where}.checkpoint", self.counts["checkpoints"] + 1
        if self.copies.pop(name, 0) != sha256(note.encode()).hex(): self.find("file-changed", None, f"{name} is no copy.")
        key = read_key(need("[^+]+[+].+", key))
        *said, signed = read_checkpoint(note, [key])
        if (*said, key[2][0]) != (*due, 1) or not signed: raise ValueError(f"its checkpoint says {said}")
    def check_vote(self, where, stream, vote, texts):  # that a member signed what the entry says, with the key of the day
        who, text, shown = vote.get("person") or vote["confirmed_by"], texts["statement"], texts["shown"]
        said = text.partition("\nContent SHA-256: ")[2][:64]
        due = statement(self.ledger_id, stream, who, vote, said if shown is None else sha256(shown.encode()).hex())
        if not (text.startswith(due) and re.fullmatch("(Name: .*\nRole: .*\n(Seat: .*\n)?)?", text[len(due):])):
            wrong = [line for line in due.split("\n") if line not in text.split("\n")]
            self.find("statement-mismatch", where, f"What was signed should say, in this order: {wrong or due}.")
        keys = [k[1:] for k in self.keys if k[0] == f"person/{stream.split('/')[1]}/{who}" and k[1] <= self.day]
        key = max(keys, default=[""])[-1] or "no key"
        self.attempt("bad-signature", where, check_ssh, text.encode(), vote["signature"], key)
    def check_end(self):  # what can be said only now: of the texts that are lacking, and of the whole
        said, root, gone = self.manifest, self.root(), set(self.withheld)
        still = self.exempt.keys() - self.missing.keys() - self.withheld.keys() if said.get("public") is True else ()
        for where, name in still: self.find("text-still-held", where, f"Exempt, and here: '{name}'.")
        for line in self.lines("left_out.jsonl", "position field basis copy_of"):
            text, of = (line["position"], str(line["field"])), line["copy_of"]
            exempt = [list(at) for at, why in self.exempt.items() if why == line["basis"]]
            exempt = exempt if said.get("public") is True and self.missing.pop(text, None) else ()
            if (of or list(text)) in exempt: gone.add(text)
            else: self.find("left-out-changed", text[0], f"No entry exempts '{text[1]}'.")
            self.counts["left_out"] += 1
        for where, name in self.missing: self.find("text-missing", where, f"The text '{name}' is gone.")
        for where, _ in {(at, "statement") for at in self.unsigned} - gone: self.find("bad-signature", where, "What was signed is not here.")
        for name in () if self.broken else self.copies: self.find("file-changed", None, f"No entry recorded {name}.")
        self.counts["withheld"], size = len(self.withheld), said.get("size", self.last)
        if type(size) is int and size > self.last: self.find("tail-missing", self.last + 1, f"There were {size}.")
        elif "size" in said and not self.broken:
            if said["root"] != root: self.find("root-changed", None, f"The root is {root}.")
            due = self.last, self.before, self.ledger_id, self.counts
            if (size, said["recorded_at"], said["ledger_id"], said["counts"]) != due:
                self.find("manifest-changed", None, f"It counts otherwise; here are {self.counts}.")
    def hold(self, name, note):  # the history against a checkpoint
        (origin, size, root, signed), here = note, self.roots.get(note[1])
        by = f"signed by {', '.join(signed)}" if signed else "signature not checked: no key given"
        if self.broken and not (here and self.ledger_id): print(f"{name} cannot be compared: lines are lacking.")
        elif origin != f"govledger/{self.ledger_id}": self.find("other-history", size, f"{name} is of {origin}.")
        elif here is None: self.find("rolled-back", size, f"{name} counts more entries.")
        elif here != root: self.find("other-history", size, f"{name} is of another history: root {root}.")
        else: print(f"{name} agrees with the history up to entry {size}; {by}.")

def main():
    parser = argparse.ArgumentParser(description="Checks an exported governance ledger.")
    parser.add_argument("folder", metavar="DIR")
    for option, what in (("--checkpoint", "FILE"), ("--log-key", "KEY")):
        parser.add_argument(option, metavar=what, action="append", default=[])
    given = parser.parse_args()
    own, verifier, notes = pathlib.Path(given.folder, "checkpoint"), Verifier(given.folder), {}
    if not any(own.with_name(name).is_file() for name in ("manifest.json", "entries.jsonl")):
        sys.exit(f"This cannot be read: there is no export in {given.folder}")
    try: keys = [read_key(key) for key in given.log_key]
    except Exception as error: parser.error(f"this --log-key is no key: {error}")
    if keys and not (given.checkpoint or own.is_file()): parser.error("--log-key needs a --checkpoint FILE")
    for name in [*given.checkpoint, *([own] if own.is_file() else [])]:
        try: notes[name] = read_checkpoint(pathlib.Path(name).read_bytes().decode(), keys)
        except Exception as error:
            if not (name is own or isinstance(error, InvalidSignature)): parser.error(f"{name} cannot be read: {error}")
            verifier.find("bad-checkpoint", None, f"{name} is not what was signed: {error!r}.")
        if keys and name in notes and not notes[name][3] and not (name is own and given.checkpoint):
            parser.error(f"{name} is signed by none of the keys that you gave")
    verifier.wanted.update(note[1] for note in notes.values())
    try: verifier.check_files(), verifier.check_entries(), verifier.check_end()
    except OSError as error: sys.exit(f"This cannot be read: {error}")
    for name, note in notes.items(): verifier.hold(name, note)
    for (where, name), why in verifier.withheld.items(): print(f"Withheld: '{name}' of entry {where}, {why}")
    print(", ".join(f"{name.replace('_', ' ')}: {number}" for name, number in verifier.counts.items()).capitalize())
    print(f"Root {verifier.root()} over {verifier.last} entries")
    if verifier.found: sys.exit(print(f"NOT as it was recorded. Findings: {verifier.found} (1000 at most are listed)") or 5)
    print("Verified: everything here is as it was recorded.")

main()
