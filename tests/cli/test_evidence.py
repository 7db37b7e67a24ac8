"""Evidence by the command line: lodged with the digest of its file, and its files checked."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.boards import ADMIN, MEETING, Boards
from tests.cli.driving import Answer, Cli, today

LODGE = ("evidence", "lodge")
ABOUT = ("--kind", "performance", "--title", "Timeliness", "--dated", "2025-09-30")
FILES = {"audit.txt": b"Audit of May\n", "survey.csv": b"q,a\n1,yes\n", "empty.txt": b""}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed ledger of a plan with boards; copy it, never change it."""
    path = tmp_path_factory.mktemp("boards") / "template.sqlite"
    Boards(path).ledger.close()
    return path


@pytest.fixture
def cli(
    own_place: Path,
    template: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Cli:
    """Commands of a workstream's lead on a plan with boards, in a folder of their own."""
    path = Path(shutil.copy(template, own_place / "govledger.sqlite"))
    monkeypatch.setenv("GOVLEDGER_PERSON", "workstream-lead")
    return Cli(path, capsys, monkeypatch)


@pytest.fixture
def folder(cli: Cli) -> Path:
    """A folder with three files, each lodged on C1."""
    place = Path("kept")
    place.mkdir()
    for name, content in FILES.items():
        (place / name).write_bytes(content)
        cli.done(*LODGE, "C1", *ABOUT, "--file", str(place / name))
    return place


def _checked(cli: Cli, folder: Path, *words: str, code: int = 0) -> dict[str, tuple[str, Any]]:
    """What `evidence check` says of each file: its status, and as what it was found."""
    answer: Answer = cli("--json", "evidence", "check", str(folder), *words)
    assert answer.code == code, answer
    return {file["file"]: (file["status"], file["at"]) for file in answer.data["files"]}


# --- lodge and list ---------------------------------------------------------------------


def test_a_file_is_recorded_by_name_size_and_digest_only(cli: Cli) -> None:
    """Nothing of the file but its name, size and SHA-256 enters the ledger; not its folder."""
    place = Path("a folder of secrets")
    place.mkdir()
    content = os.urandom(3_000_000)
    (place / "figures.xlsx").write_bytes(content)
    answer = cli.done("--json", *LODGE, "C1", *ABOUT, "--file", str(place / "figures.xlsx"))
    expected = hashlib.sha256(content).hexdigest()
    assert answer.data["sha256"] == expected
    (item,) = cli.data("evidence", "list", "C1")["evidence"]
    assert (item["file"], item["size"], item["sha256"]) == ("figures.xlsx", 3_000_000, expected)
    assert (item["phase"], item["kind"], item["dated"]) == (1, "performance", "2025-09-30")
    assert item["entry"] == answer.data["recorded"][0]["position"]
    stored = cli.path.read_bytes()
    assert b"a folder of secrets" not in stored
    assert content[:64] not in stored


def test_the_list_can_be_given_to_sha256sum(cli: Cli, folder: Path) -> None:
    """The digests that `evidence list` prints are in the form that `sha256sum -c` checks."""
    text = cli.done("evidence", "list", "C1").out
    lines = [line for line in text.splitlines() if line.endswith(tuple(FILES))]
    sums = "\n".join(line for line in lines if len(line.split()[0]) == 64)
    words = ["sha256sum", "-c"]
    stock = subprocess.run(words, input=sums, cwd=folder, capture_output=True, text=True)
    assert stock.returncode == 0, stock
    assert stock.stdout.count(": OK") == len(FILES)


def test_evidence_may_be_a_reference_or_both(cli: Cli) -> None:
    """A reference to where it is kept will do; a file can have one too."""
    Path("audit.txt").write_bytes(b"x")
    cli.done(*LODGE, "C1", *ABOUT, "--reference", "Board paper 7, page 3")
    cli.done(*LODGE, "C1", *ABOUT, "--reference", "Shared drive", "--file", "audit.txt")
    first, second = cli.data("evidence", "list", "C1")["evidence"]
    assert (first["reference"], first["file"]) == ("Board paper 7, page 3", None)
    assert (second["reference"], second["file"]) == ("Shared drive", "audit.txt")
    shown = cli.done("evidence", "list", "C1").out
    assert "Shared drive; audit.txt" in shown


def test_the_kind_may_be_written_as_words(cli: Cli) -> None:
    """A kind is understood with hyphens or spaces and in any case; a date is taken from the day."""
    for word in ("staff-feedback", "Staff Feedback", "STAFF_FEEDBACK"):
        cli.done(*LODGE, "C1", "--kind", word, "--title", "T", "--reference", "R")
    items = cli.data("evidence", "list", "C1")["evidence"]
    assert {item["kind"] for item in items} == {"staff_feedback"}
    assert {item["dated"] for item in items} == {today().isoformat()}


def test_the_next_command_follows_from_what_is_lacking(cli: Cli) -> None:
    """Phase 1 is recommended next; phase 2 only once enough inner sources are there."""

    def following(kind: str, phase: str) -> str:
        words = ("--kind", kind, "--title", "T", "--reference", "R", "--phase", phase)
        return cli.done(*LODGE, "C1", *words).out.partition("Next: govledger ")[2].strip()

    assert following("external_review", "1") == "signoff recommend C1 --phase 1"
    assert following("family_feedback", "2").startswith("evidence lodge C1 --kind performance")
    assert following("performance", "2") == "signoff recommend C1 --phase 2"
    shown = cli.data("evidence", "list", "C1")["inner_sources"]
    assert shown == {
        "there": ["performance", "family_feedback"],
        "lacking": ["qualitative", "staff_feedback"],
        "needed": 2,
    }
    text = cli.done("evidence", "list", "C1").out
    assert "From 2 of the four inner sources; phase 2 needs 2." in text


def test_evidence_is_listed_as_at_a_day_and_as_known(cli: Cli) -> None:
    """`evidence list` answers as at any date, as known after any entry."""
    on = ("--effective-on", "2025-10-05")
    at = cli.done(*LODGE, "C1", *ABOUT, "--reference", "R1", *on).position
    cli.done(*LODGE, "C1", *ABOUT, "--reference", "R2", "--effective-on", "2025-10-01")

    def listed(*words: str) -> list[str]:
        items = cli.data("evidence", "list", "C1", *words)["evidence"]
        return [item["reference"] for item in items]

    assert sorted(listed()) == ["R1", "R2"]
    assert listed("--as-at", "2025-10-04") == ["R2"]
    assert listed("--known-at", f"#{at}") == ["R1"]
    assert "No evidence is lodged on it." in cli.done("evidence", "list", "C2").out


def test_evidence_that_was_a_mistake_is_replaced(cli: Cli) -> None:
    """--replaces voids the wrong item in the same step; its number is not given again."""
    wrong = cli.done(*LODGE, "C1", *ABOUT, "--reference", "Wrong").position
    cli.done(*LODGE, "C1", *ABOUT, "--reference", "Right", "--replaces", str(wrong))
    items = cli.data("evidence", "list", "C1")["evidence"]
    assert [item["reference"] for item in items] == ["Right"]


REFUSED: list[tuple[tuple[str, ...], str, int]] = [
    (("C1", "--kind", "gossip", "--title", "T", "--reference", "R"), "unknown-kind", 2),
    (("C1", "--kind", "performance", "--title", " ", "--reference", "R"), "empty-text", 2),
    (("C1", *ABOUT), "needs-reference", 2),
    (("C1", *ABOUT, "--reference", " "), "empty-text", 2),
    (("C1", *ABOUT, "--file", "nowhere.txt"), "cannot-read-file", 2),
    (("C1", *ABOUT, "--file", "."), "cannot-read-file", 2),
    (("C1", *ABOUT, "--file", "pipe"), "cannot-read-file", 2),
    (("C1", *ABOUT, "--file", "loop"), "cannot-read-file", 2),
    (("C1", *ABOUT, "--file", "x" * 210 + ".txt"), "text-too-long", 2),
    (("C9", *ABOUT, "--reference", "R"), "not-there-yet", 3),
    (("C1", *ABOUT[:4], "--dated", "2099-01-01", "--reference", "R"), "future-date", 3),
    (("C1", *ABOUT, "--reference", "R", "--phase", "3"), "usage", 2),
    (("C1", *ABOUT, "--reference", "R", "--effective-on", "2025-09-01"), "future-date", 3),
]


@pytest.mark.parametrize(
    ("words", "rule", "code"), REFUSED, ids=[f"{r}: {' '.join(w)[-30:]}" for w, r, _ in REFUSED]
)
def test_what_is_no_evidence_is_refused(
    cli: Cli, words: tuple[str, ...], rule: str, code: int
) -> None:
    """Each refusal names its rule and what to do; a pipe or a circle of links hangs nothing."""
    os.mkfifo("pipe")
    os.symlink("loop", "loop")
    Path("x" * 210 + ".txt").write_bytes(b"x")
    answer = cli.refused(*LODGE, *words)
    assert (answer.error["rule"], answer.code) == (rule, code)


# --- check ------------------------------------------------------------------------------


def test_files_that_are_as_lodged_are_present(cli: Cli, folder: Path) -> None:
    """Every file by its name, an empty one included; exit code 0."""
    assert _checked(cli, folder) == {name: ("present", name) for name in FILES}
    assert "Files of evidence: 3 present." in cli.done("evidence", "check", str(folder)).out


def test_a_changed_file_is_found_out(cli: Cli, folder: Path) -> None:
    """A file of the same name and size but other content is changed; exit code 1."""
    (folder / "audit.txt").write_bytes(b"Audit of June"[: len(FILES["audit.txt"])])
    (folder / "survey.csv").write_bytes(b"longer than it was before\n")
    found = _checked(cli, folder, code=1)
    assert found["audit.txt"] == ("changed", "audit.txt")
    assert found["survey.csv"] == ("changed", "survey.csv")
    answer = cli("evidence", "check", str(folder))
    assert (answer.code, answer.out.count("CHANGED")) == (1, 3)


def test_a_missing_file_is_found_out(cli: Cli, folder: Path) -> None:
    """A file that is nowhere in the folder is missing; exit code 1."""
    (folder / "audit.txt").unlink()
    assert _checked(cli, folder, code=1)["audit.txt"] == ("missing", None)
    answer = cli("evidence", "check", str(folder))
    assert (answer.code, "1 MISSING" in answer.out) == (1, True)


def test_a_renamed_or_moved_file_is_recognised(cli: Cli, folder: Path) -> None:
    """A file is found by its content under another name, and in a folder within the folder."""
    (folder / "2025" / "May").mkdir(parents=True)
    (folder / "audit.txt").rename(folder / "audit (final).txt")
    (folder / "survey.csv").rename(folder / "2025" / "May" / "survey.csv")
    found = _checked(cli, folder)
    assert found["audit.txt"] == ("renamed", "audit (final).txt")
    assert found["survey.csv"] == ("present", str(Path("2025", "May", "survey.csv")))
    assert "under another name" in cli.done("evidence", "check", str(folder)).out


def test_a_file_renamed_and_its_name_taken_is_recognised(cli: Cli, folder: Path) -> None:
    """Where another file has taken the name, the one that was lodged is still found."""
    (folder / "audit.txt").rename(folder / "old.txt")
    (folder / "audit.txt").write_bytes(b"A new audit\n")
    assert _checked(cli, folder)["audit.txt"] == ("renamed", "old.txt")


def test_two_items_with_one_name_are_told_apart(cli: Cli) -> None:
    """Two files of one name on two actions are each found; the one is no change of the other."""
    for sub, ref in (("a", "C1"), ("b", "C2")):
        Path("kept", sub).mkdir(parents=True)
        Path("kept", sub, "report.pdf").write_bytes(f"of {ref}".encode())
        cli.done(*LODGE, ref, *ABOUT, "--file", f"kept/{sub}/report.pdf")

    def found(code: int) -> dict[str, tuple[str, Any]]:
        answer = cli("--json", "evidence", "check", "kept")
        assert answer.code == code
        return {file["ref"]: (file["status"], file["at"]) for file in answer.data["files"]}

    assert found(0) == {"C1": ("present", "a/report.pdf"), "C2": ("present", "b/report.pdf")}
    Path("kept", "b", "report.pdf").unlink()
    assert found(1) == {"C1": ("present", "a/report.pdf"), "C2": ("missing", None)}
    Path("kept", "b", "report.pdf").write_bytes(b"another")
    assert found(1)["C2"] == ("changed", "b/report.pdf")


def test_links_that_lead_round_hang_nothing(cli: Cli, folder: Path) -> None:
    """Links to the folder itself, to each other, to nothing, and pipes are passed over."""
    os.symlink(".", folder / "round")
    os.symlink("two", folder / "one")
    os.symlink("one", folder / "two")
    os.symlink("nowhere", folder / "broken")
    os.mkfifo(folder / "pipe")
    assert _checked(cli, folder) == {name: ("present", name) for name in FILES}
    assert cli.done("evidence", "check", str(folder)).err == ""


def test_a_file_that_cannot_be_read_is_not_called_changed(cli: Cli, folder: Path) -> None:
    """In the place of a file a link that leads nowhere, or a pipe, cannot be read: exit code 1."""
    for name in ("audit.txt", "survey.csv"):
        (folder / name).unlink()
    os.symlink("audit.txt", folder / "audit.txt")
    os.mkfifo(folder / "survey.csv")
    found = _checked(cli, folder, code=1)
    assert found["audit.txt"] == ("unreadable", "audit.txt")
    assert found["survey.csv"] == ("unreadable", "survey.csv")
    answer = cli("evidence", "check", str(folder))
    assert "2 CANNOT BE READ" in answer.out
    assert "Note: audit.txt could not be read: Too many levels of symbolic links." in answer.err
    assert "Note: survey.csv could not be read: it is not an ordinary file." in answer.err


def test_a_folder_in_the_place_of_a_file_is_not_the_file(cli: Cli, folder: Path) -> None:
    """A folder that has the name of a file is looked into, and is no file."""
    (folder / "audit.txt").unlink()
    (folder / "audit.txt").mkdir()
    assert _checked(cli, folder, code=1)["audit.txt"] == ("missing", None)


def test_only_one_action_can_be_checked_and_as_at_a_day(cli: Cli, folder: Path) -> None:
    """REF narrows it to one action; items lodged later or without a file are not looked for."""
    cli.done(*LODGE, "C2", *ABOUT, "--reference", "Only a reference")
    Path("gone.txt").write_bytes(b"gone")
    cli.done(*LODGE, "C2", *ABOUT, "--file", "gone.txt")
    assert set(_checked(cli, folder, "C1")) == set(FILES)
    assert _checked(cli, folder, "C2", code=1) == {"gone.txt": ("missing", None)}
    assert _checked(cli, folder, "--as-at", str(MEETING)) == {}
    answer = cli("evidence", "check", str(folder), "C2")
    assert "Items without a file, not checked: 1." in answer.out
    assert "none lodged" in cli.done("evidence", "check", ".", "C3").out


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("nowhere",), "no-folder"),
        (("govledger.sqlite",), "no-folder"),
        ((".", "C9"), "unknown-reference"),
    ],
)
def test_what_cannot_be_checked_is_said(cli: Cli, words: tuple[str, ...], rule: str) -> None:
    """A folder that is none and an unknown action are refused with what to do."""
    assert cli.refused("evidence", "check", *words).error["rule"] == rule


def test_a_name_with_accents_is_one_name(cli: Cli) -> None:
    """A file whose name a system has written with its accents apart is found by its name."""
    Path("kept").mkdir()
    Path("résumé.txt").write_bytes(b"short")
    cli.done(*LODGE, "C1", *ABOUT, "--file", "résumé.txt")
    Path("kept", "résumé.txt").write_bytes(b"other")
    Path("kept", "re\u0301sume\u0301.txt").write_bytes(b"short")
    assert _checked(cli, Path("kept"))["résumé.txt"] == ("present", "re\u0301sume\u0301.txt")


def test_the_administrator_needs_no_seat_to_lodge(cli: Cli) -> None:
    """Evidence is no decision: an administrator may lodge it, and the log says who did."""
    cli.done("--as", ADMIN, *LODGE, "C1", *ABOUT, "--reference", "R")
    entry = cli.data("log", "C1")["entries"][-1]
    assert (entry["type"], entry["recorded_by"]) == ("evidence.lodged/1", ADMIN)
