"""Checks an exported governance ledger, without a database and without govledger.

    python3 verify.py DIR [--checkpoint FILE]... [--log-key KEY]...

Needs Python 3.11 and the package 'cryptography'; changes nothing. Ends with 0 where all is as it was recorded,
5 where something is not, 2 for words that it does not know, 1 where it cannot read. An entry is a line of
entries.jsonl. With its payload replaced by the SHA-256 of the payload it is a leaf of a Merkle tree (RFC 9162),
whose root stands for them all. Texts and names stand apart; an entry commits to each by SHA-256(salt + text).
"""
import argparse, base64, datetime, hashlib, json, pathlib, re, sys
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, utils

TYPES = """ledger: opened text_withheld text_exempted exemption_lifted; entry: voided; evidence: lodged;
plan: created section_added impact_rated terms_set report_issued; amendment: proposed agreed declined;
action: added milestone_set rated progress_noted timescale_revised marked_delayed reworded resumed closed
placed_under_review owners_changed; signoff: recommended voted granted declined revoked confirmed;
escalation: raised referred responded resolved withdrawn; person: enrolled role_changed key_replaced
key_withdrawn administrator_appointed administrator_stood_down; body: established terms_changed
member_appointed member_stood_down meeting_recorded interest_declared"""
TYPES = {f"{noun}.{verb}/1" for noun, verbs in re.findall(r"(\w+): ([^;]+)", TYPES) for verb in verbs.split()}
ENTRY = """position stream_id stream_version type recorded_at entry_id effective_on recorded_by
reason decided_by source correction payload"""
CLAIMS = ("govledger sign-off statement 1", "Ledger", "Plan", "Action", "Phase", "Round", "Decision", "Body",
          "Meeting", "Person")
BAD = (InvalidSignature, UnsupportedAlgorithm, ArithmeticError, AttributeError, LookupError, RecursionError,
       TypeError, ValueError)  # what odd values can come to

def sha256(data):
    return hashlib.sha256(data).digest()

def canonical(value):
    """JSON as RFC 8785 writes it, for what entries hold: no fractions, no odd names of members."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

def read_file(path):
    """Its lines; none where it is not there."""
    if path and path.is_file():
        with open(path, "rb") as file: yield from file

def read_line(line, names):
    """The object on a line; raises unless it is in canonical form and has these members."""
    value = json.loads(line.decode(), parse_float=int, parse_constant=int)
    if canonical(value) + b"\n" != line: raise ValueError("it is not canonical JSON")
    if set(value) != set(names.split()) or type(value.get("position", 0)) is not int: raise KeyError(names)
    return value

def field(blob):
    """The first field of an OpenSSH blob, which stands after its length, and what follows it."""
    end = 4 + int.from_bytes(blob[:4], "big")
    if not 4 <= end <= len(blob): raise ValueError("it breaks off")
    return blob[4:end], blob[end:]

def check_ssh(text, armoured, public_key):
    """Raises unless this is the key's signature over the text (OpenSSH's PROTOCOL.sshsig)."""
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

def read_checkpoint(note, keys=()):
    """(origin, size, root, who of these keys signed it); raises where it is bad (C2SP)."""
    text, _, lines = note.rpartition("\n\n")
    origin, size, root = f"{text}\n".split("\n")[:3]
    if not (lines.endswith("\n") and re.fullmatch("[0-9]{1,15}", size)): raise ValueError("no note")
    known = {tuple(key.split("+")[:2]): base64.b64decode(key.split("+", 2)[2]) for key in keys}
    signed = []
    for _dash, name, encoded in (line.split(" ") for line in lines.splitlines()):
        signature, message = base64.b64decode(encoded, validate=True), f"{text}\n".encode()
        key, signature = known.get((name, signature[:4].hex())), signature[4:]
        if key and key[0] == 4:  # a cosignature, with its time
            message = f"cosignature/v1\ntime {int.from_bytes(signature[:8], 'big')}\n".encode() + message
            signature = signature[8:]
        if key: ed25519.Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, message)
        if key: signed.append(name)
    if keys and not signed: raise InvalidSignature("none of these keys signed it")
    return origin, int(size), base64.b64decode(root, validate=True).hex(), signed

class Verifier:
    """One reading of an export, from its first line to its last. What is wrong is printed at once."""
    def __init__(self, folder):
        self.folder, self.found, self.manifest = pathlib.Path(folder), 0, {"files": {}}
        self.counts = dict.fromkeys(("entries", "texts", "withheld", "left_out", "checkpoints", "signatures"), 0)
        self.peaks, self.wanted, self.roots, self.last, self.before, self.versions = [], set(), {}, 0, "", {}
        self.missing, self.withheld, self.exempt, self.broken = {}, {}, {}, False
        self.ledger_id, self.keys, self.shown = "", [], {}

    def find(self, kind, where, sentence):
        self.found += 1
        print(kind, f"(entry {where})" if where is not None else "", sentence)

    def root(self):
        root = self.peaks[-1] if self.peaks else sha256(b"")
        for left in reversed(self.peaks[:-1]): root = sha256(b"\1" + left + root)
        return root.hex()

    def check_files(self):
        """The manifest, and the size and digest of each file that it lists."""
        try:
            names = "format ledger_id size root recorded_at public counts files"
            said = read_line(pathlib.Path(self.folder, "manifest.json").read_bytes(), names)
            if (said["format"], type(said["files"])) != ("govledger export 1", dict): raise ValueError("its format")
            self.manifest = said
        except (FileNotFoundError, *BAD) as error:
            self.find("manifest-changed", None, f"manifest.json cannot be read: {error}.")
        listed, every = self.manifest["files"], self.folder.rglob("*")
        there = {p.relative_to(self.folder).as_posix(): p for p in every if not p.is_dir()}
        for name in sorted((there.keys() | listed.keys()) - {"manifest.json"}):
            digest, size = hashlib.sha256(), there[name].stat().st_size if name in there else None
            for line in read_file(there.get(name)):
                digest.update(line)
                if b'"plan.report_issued/1"' in line:  # the roots that will be asked for
                    self.wanted.update(map(int, re.findall(rb'"known_at":(\d{1,15})', line)))
            self.counts["checkpoints"] += name.startswith("checkpoints/")
            same = not listed or listed.get(name) == {"bytes": size, "sha256": digest.hexdigest()}
            if not same: self.find("file-changed", None, f"The file {name} is not as it was exported.")

    def lines(self, name, names):
        """The object on each line that can be read."""
        for place, line in enumerate(read_file(self.folder / name), 1):
            try:
                yield read_line(line, names)
            except BAD as error:
                kind = "bad-value" if isinstance(error, (KeyError, TypeError)) else "not-canonical"
                where = self.last + 1 if names == ENTRY else None
                self.find(kind, where, f"Line {place} of {name} cannot be read: {error}.")
                self.last, self.broken = where or self.last, True

    def texts_of(self, where):
        """The texts of an entry, by field; those that are passed over belong to no entry."""
        found = {}
        while self.text is not None and self.text["position"] <= where:
            at, name = self.text["position"], str(self.text["field"])
            if at == where and name > max(found, default=""): found[name] = self.text
            else: self.find("text-unknown", at, f"A text '{name}' is out of its place.")
            self.counts["texts"], self.text = self.counts["texts"] + 1, next(self.texts, None)
        return found

    def check_entries(self):
        """Every entry, and its place after the one before."""
        self.texts = self.lines("texts.jsonl", "position field salt text")
        self.text = next(self.texts, None)
        for entry in self.lines("entries.jsonl", ENTRY):
            where, due = entry["position"], self.last + 1
            self.broken = self.broken or where != due
            if where > due: self.find("entry-missing", due, f"Entries before {where} are gone.")
            if where < due: self.find("entry-unknown", where, "It stands where it does not belong.")
            if where < due: continue
            self.last, payload, texts = where, entry.pop("payload"), self.texts_of(where)
            leaf = canonical(entry | {"payload_sha256": sha256(canonical(payload)).hex()})
            size, node = self.counts["entries"] + 1, sha256(b"\0" + leaf)
            self.counts["entries"] = size
            while size % 2 == 0:  # two perfect trees of one height become one
                node, size = sha256(b"\1" + self.peaks.pop() + node), size // 2
            self.peaks.append(node)
            if where in self.wanted: self.roots[where] = self.root()
            checks = {"bad-date": self.check_envelope, "bad-value": self.check_texts,
                      "unreadable-payload": self.check_facts}
            for kind, check in checks.items():
                try: check(where, entry, payload, texts)
                except BAD as error: self.find(kind, where, f"Something in it is lacking or wrong: {error}.")
        self.texts_of(float("inf"))

    def check_envelope(self, where, entry, _payload, _texts):
        at, stream, version = entry["recorded_at"], entry["stream_id"], entry["stream_version"]
        if at < self.before: self.find("clock-backwards", where, "Recorded before the one before.")
        due = self.versions.get(stream, 0) + 1
        if version != due: self.find("version-gap", where, f"It is version {version} of {stream}; {due} was due.")
        self.before, self.versions[stream], hour = at, version, datetime.timedelta(hours=1)
        self.day = str((datetime.datetime.fromisoformat(at) + hour).date())  # in London at the latest
        since = str(datetime.date.fromisoformat(entry["effective_on"]))
        if since > self.day: self.find("future-date", where, f"It is effective on {since}, after it was recorded.")

    def check_texts(self, where, entry, payload, texts):
        committed = {name: entry[name] for name in ("recorded_by", "reason") if entry[name]}
        for name, said in payload.items() if entry["type"] in TYPES else ():
            for part in (said, said.get("written")) if type(said) is dict else ():
                if type(part) is dict and "commitment" in part: committed[name] = part["commitment"]
        for name in sorted(committed.keys() | texts.keys()):
            if name not in texts: self.missing[where, name] = True
            elif name not in committed: self.find("text-unknown", where, f"It has a text '{name}' too many.")
            elif sha256(bytes.fromhex(texts[name]["salt"]) + texts[name]["text"].encode()).hex() != committed[name]:
                self.find("text-changed", where, f"Its text '{name}' is not the one recorded.")

    def check_facts(self, where, entry, payload, texts):
        """What an entry says, as far as it bears on others or carries a proof of its own."""
        kind, stream = entry["type"], entry["stream_id"]
        texts = {name: kept["text"] for name, kept in texts.items()}
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
            if "statement" in texts: self.check_vote(where, stream, payload, texts)
        elif kind == "plan.report_issued/1" and not self.broken:
            size, note, origin = payload["known_at"], payload.get("checkpoint"), f"govledger/{self.ledger_id}"
            try:
                said = read_checkpoint(note, [payload["checkpoint_key"]])[:3] if note else (origin, size, payload["root"])
                if said != (origin, size, self.roots.get(size)): raise ValueError(said)
            except BAD as error: self.find("bad-checkpoint", where, f"Its report recorded otherwise: {error}.")

    def check_vote(self, where, stream, vote, texts):
        """That a member signed what the entry says, with the key of the day."""
        (_, plan, action), who = stream.split("/"), vote.get("person") or vote["confirmed_by"]
        said = dict(line.partition(": ")[::2] for line in texts["statement"].splitlines())
        due = "", self.ledger_id, plan, action, vote["phase"], vote["round"], vote.get("vote", "confirm")
        due = dict(zip(CLAIMS, map(str, (*due, vote["body"], vote["meeting"], who)), strict=True))
        due["Signed at"] = datetime.datetime.fromisoformat(vote["signed_at"]).isoformat()
        if texts["shown"] is not None: due["Content SHA-256"] = sha256(texts["shown"].encode()).hex()
        wrong = [name for name, words in due.items() if said.get(name) != words]
        if wrong: self.find("statement-mismatch", where, f"What was signed says otherwise: {wrong}.")
        keys = [k[1:] for k in self.keys if k[0] == f"person/{plan}/{who}" and k[1] <= self.day]
        try: check_ssh(texts["statement"].encode(), vote["signature"], max(keys, default=[""])[-1] or "no key")
        except BAD as error: self.find("bad-signature", where, f"Not signed by {who}: {error!r}.")

    def check_end(self):
        """What can be said only now: of the texts that are lacking, and of the whole."""
        said, root = self.manifest, self.root()
        for line in self.lines("left_out.jsonl", "position field basis copy_of"):
            text, of = (line["position"], str(line["field"])), line["copy_of"]
            exempt = [list(at) for at, why in self.exempt.items() if why == line["basis"]]
            exempt = exempt if said.get("public") is True and self.missing.pop(text, None) else ()
            if (of or list(text)) not in exempt: self.find("left-out-changed", text[0], f"No entry exempts '{text[1]}'.")
            self.counts["left_out"] += 1
        for where, name in self.missing: self.find("text-missing", where, f"The text '{name}' is gone.")
        self.counts["withheld"], size = len(self.withheld), said.get("size", self.last)
        if type(size) is int and size > self.last: self.find("tail-missing", self.last + 1, f"There were {size} entries.")
        elif "size" in said and not self.broken:
            if said["root"] != root: self.find("root-changed", None, f"The root is {root}.")
            due = self.last, self.before, self.ledger_id, self.counts
            if (size, said["recorded_at"], said["ledger_id"], said["counts"]) != due:
                self.find("manifest-changed", None, f"It counts otherwise; here are {self.counts}.")

    def hold(self, name, note, keys):
        """The history against a checkpoint, which one of the keys has to have signed."""
        try: origin, size, root, signed = read_checkpoint(note, keys)
        except BAD as error: self.find("bad-checkpoint", None, f"{name} does not hold: {error!r}.")
        else:
            if size > self.last: self.find("rolled-back", size, f"{name} counts more entries.")
            elif (origin, self.roots.get(size)) == (f"govledger/{self.ledger_id}", root):
                print(f"{name} agrees with the first {size} entries. Signed by: {signed}")
            else: self.find("other-history", size, f"{name} is of another history: root {root}.")

def main():
    parser = argparse.ArgumentParser(description="Checks an exported governance ledger.")
    parser.add_argument("folder", metavar="DIR")
    parser.add_argument("--checkpoint", metavar="FILE", action="append", default=[])
    parser.add_argument("--log-key", metavar="KEY", action="append", default=[])
    given = parser.parse_args()
    own, verifier = pathlib.Path(given.folder, "checkpoint"), Verifier(given.folder)
    files = [*given.checkpoint, *([str(own)] if own.is_file() else [])]
    try:
        there = [name for name in ("manifest.json", "entries.jsonl") if own.with_name(name).is_file()]
        if not there: raise FileNotFoundError(f"there is no export in {given.folder}")
        notes = [pathlib.Path(name).read_bytes().decode("utf-8", "replace") for name in files]
        verifier.wanted.update(int(n) for note in notes for n in re.findall(r"(?m)^\d{1,15}$", note))
        verifier.check_files()
        verifier.check_entries()
        verifier.check_end()
    except OSError as error: sys.exit(f"This cannot be read: {error}")
    for name, note in zip(files, notes): verifier.hold(name, note, given.log_key if name in given.checkpoint else ())
    for (where, name), why in verifier.withheld.items(): print(f"Withheld: '{name}' of entry {where}, {why}")
    print(f"{verifier.counts}\nRoot {verifier.root()} over {verifier.last} entries")
    if verifier.found: sys.exit(print(f"NOT as it was recorded: {verifier.found} findings.") or 5)
    print("Verified: everything here is as it was recorded.")

main()
