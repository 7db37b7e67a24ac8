"""The page on who may do what is what the ledger does, and covers every command."""

import pytest

from cli.main import cli
from tests.duties import COMMANDS, PAGE, ROLES, Rule, page, table

Found = dict[str, dict[str, Rule | None]]

READS = {"list", "show", "check", "export"}
"""Commands of the groups below that record nothing."""
GROUPS = ("person", "body", "meeting", "evidence", "signoff", "escalate", "amend")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return table(tmp_path_factory.mktemp("duties"))


def test_the_page_says_what_the_ledger_does(found: Found) -> None:
    """docs/duties.md is what trying every command by every role gives now."""
    assert PAGE.read_text("utf-8") == page(found), "make it anew: python -m tests.duties"


def test_every_writing_command_of_the_boards_is_tried() -> None:
    """No command that decides something is left out of the table."""
    tried = {name.partition(" (")[0] for name in COMMANDS}
    for group in GROUPS:
        command = cli.get_command(None, group)  # type: ignore[arg-type]
        names = set(command.commands) - READS  # type: ignore[union-attr]
        if group == "amend":  # the direct forms are one row
            names = {"propose", "agree", "decline"}
        assert {f"{group} {name}" for name in names} <= tried


def test_a_refusal_for_want_of_authority_has_its_own_exit_code(found: Found) -> None:
    """Who you are is exit code 4; what a rule of the plan refuses is 3."""
    codes = {rule.rule: rule.exit_code for said in found.values() for rule in said.values() if rule}
    assert codes.pop("own-action") == codes.pop("needs-agreement") == 3
    assert set(codes.values()) == {4}


def test_nobody_holds_two_duties_that_are_to_be_apart(found: Found) -> None:
    """Whoever recommends has no vote here, who owns has none, and who enrols decides nothing."""
    for vote in ("signoff approve", "signoff decline", "signoff confirm"):
        able = {role for role in ROLES if found[vote][role] is None}
        assert able == {"chair", "member"}
    for decision in ("signoff grant", "signoff revoke", "amend agree"):
        able = {role for role in ROLES if found[decision][role] is None}
        assert able == {"chair", "secretary"}
    for standing in (
        "person enrol",
        "person key",
        "body terms",
        "body appoint",
        "void (of a vote)",
    ):
        assert [role for role in ROLES if found[standing][role] is None] == ["administrator"]
