"""The command `govledger`: its groups, its global options, and how errors become exit codes."""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import Any

import click

from cli.session import DEFAULT_LEDGER, Session

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("cli.ledger:init", "Begin a new ledger."),
    "demo": ("cli.demo:demo", "Load the example plan into a new ledger, and show it."),
    "status": ("cli.ledger:status", "Show the ledger's size, root and last report."),
    "plan": ("cli.plan:plan", "Take a plan in, and set its terms."),
    "overview": ("cli.views:overview", "Show the rating overview (Appendix 1)."),
    "show": ("cli.views:show", "Show the plan, or one action of it (Appendix 2)."),
    "changes": ("cli.views:changes", "Show what was changed and why (Appendix 3)."),
    "log": ("cli.audit:log", "Show every entry, of the plan or of one subject of it."),
    "why": ("cli.audit:why", "Show which entry set each field of an action, and why."),
    "diff": ("cli.audit:diff", "Compare the plan at two dates."),
    "review": ("cli.review:review", "Ask the questions of a governance review."),
    "person": ("cli.people:person", "Enrol people, with their roles and keys."),
    "body": ("cli.bodies:body", "Establish bodies, and appoint their members."),
    "meeting": ("cli.meetings:meeting", "Record meetings, attendance and interests."),
    "rate": ("cli.actions:rate", "Rate an action."),
    "progress": ("cli.actions:progress", "Note what has been done on an action."),
    "impact": ("cli.actions:impact", "Rate the impact of a section."),
    "evidence": ("cli.evidence:evidence", "Lodge evidence, and check its files."),
    "signoff": ("cli.signoff:signoff", "Recommend, approve and grant sign-offs."),
    "escalate": ("cli.escalate:escalate", "Carry an issue up the ladder of bodies."),
    "amend": ("cli.amend:amend", "Propose and agree amendments of the plan."),
    "report": ("cli.report:report", "Record papers issued to a committee."),
    "void": ("cli.ledger:void", "Say that an entry was a mistake."),
    "withhold": ("cli.withhold:withhold", "Delete a text by law; its entry and hashes stay."),
    "exempt": ("cli.withhold:exempt", "Leave a text out of what is made public."),
    "verify": ("cli.verify:verify", "Prove that the history is whole."),
    "checkpoint": (
        "cli.checkpoint:checkpoint",
        "Print a signed checkpoint of the ledger, for others to hold.",
    ),
    "prove": ("cli.prove:prove", "Prove an entry, or that the ledger was only added to."),
    "export": (
        "cli.export:export",
        "Write the whole ledger into a new folder that anybody can check.",
    ),
    "import-ledger": (
        "cli.export:import_ledger",
        "Make a ledger again from a folder that 'export' wrote.",
    ),
    "rebuild": ("cli.ledger:rebuild", "Make the read models anew from the entries."),
    "ledger": ("cli.databases:ledger", "Copy and back up a ledger, and grant rights to it."),
    "completion": ("cli.completion:completion", "Print the completion script of a shell."),
}
"""Every command: where it stands, and its line of help, so that help imports none of them."""

OUTLINE = (
    ("Begin", ("init", "demo", "plan")),
    ("Read", ("overview", "show", "changes", "log", "why", "diff", "review", "status")),
    ("Record", ("rate", "progress", "impact", "evidence", "report", "void")),
    ("Decide", ("signoff", "amend", "escalate")),
    ("Boards", ("person", "body", "meeting")),
    ("Withhold", ("withhold", "exempt")),
    ("Prove", ("verify", "checkpoint", "prove", "export")),
    ("Keep", ("ledger", "import-ledger", "rebuild")),
    ("Shell", ("completion",)),
)


class Outline(click.Group):
    """The top group: lists commands by purpose, and imports one only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands in the order of the outline."""
        del ctx
        return [name for _title, names in OUTLINE for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command with that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        found: click.Command = getattr(importlib.import_module(module), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands under their purposes."""
        del ctx
        for title, names in OUTLINE:
            with formatter.section(title):
                formatter.write_dl([(name, COMMANDS[name][1]) for name in names])


@click.group(cls=Outline, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--ledger",
    "path",
    metavar="PATH_OR_URL",
    help=f"The ledger: a file, or postgresql://USER@HOST/DATABASE. "
    f"Default: $GOVLEDGER_LEDGER, else ./{DEFAULT_LEDGER}.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.option("--plain", is_flag=True, help="Answer in plain columns, without lines or colour.")
@click.option(
    "--as",
    "person",
    metavar="NAME",
    help="Who is recording. Default: $GOVLEDGER_PERSON, else the user of this computer.",
)
@click.version_option(package_name="govledger")
@click.pass_context
def cli(
    ctx: click.Context, path: str | None, as_json: bool, plain: bool, person: str | None
) -> None:
    """A ledger for improvement plans in which nothing is overwritten.

    Every change is an entry that stays. What you read is rebuilt from the entries, as at any
    date, as known on any date.

    Example: govledger overview --as-at 2025-09-30
    """
    ctx.obj = Session(
        path=path or os.environ.get("GOVLEDGER_LEDGER") or DEFAULT_LEDGER,
        named=bool(path),
        json=as_json,
        plain=plain,
        person=person or os.environ.get("GOVLEDGER_PERSON") or "",
    )


def run(arguments: list[str]) -> int:
    """Carry out one command line and return its exit code.

    0 done, 1 failed, 2 usage, 3 refused by a rule, 4 not authorised, 5 integrity broken.
    """
    as_json = "--json" in arguments
    given = (
        *arguments,
        *(os.environ.get(name, "") for name in ("GOVLEDGER_LEDGER", "GOVLEDGER_PERSON")),
    )
    if not all(_is_text(word) for word in given):
        message = "A word of the command, or GOVLEDGER_LEDGER or GOVLEDGER_PERSON, is not UTF-8."
        return _failed(as_json, "usage", "not-text", message, "Type it again.", 2)
    try:
        code: Any = cli.main(arguments, prog_name="govledger", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.Abort:
        return _failed(as_json, "stopped", "stopped", "Stopped; nothing more was recorded.", "", 1)
    except click.ClickException as error:
        hint = ""
        if isinstance(error, click.UsageError) and error.ctx is not None:
            hint = f"Help: {error.ctx.command_path} --help"
        message = error.format_message()
        return _failed(as_json, "usage", "usage", message, hint, error.exit_code)
    except BrokenPipeError:
        # The reader has gone; say nothing more to it, not even at exit.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - lives until the process ends
        return 1
    except Exception as error:
        from domain.errors import GovledgerError

        if isinstance(error, OSError) and error.strerror:
            message = f"{error.filename or 'The system'}: {error.strerror}."
            return _failed(as_json, "failed", "cannot-open", message, "Check the path.", 1)
        if not isinstance(error, GovledgerError):
            raise
        return _failed(as_json, error.code, error.rule, error.message, error.hint, error.exit_code)


def _is_text(word: str) -> bool:
    """Whether it can be stored: bytes that were no UTF-8 arrive as lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in word)


HEADLINES = {
    "refused": "Refused",
    "usage": "Not understood",
    "not_authorised": "Not authorised",
    "integrity": "Integrity broken",
}


def _failed(as_json: bool, code: str, rule: str, message: str, hint: str, exit_code: int) -> int:
    if as_json:
        from cli.output import print_json

        print_json({"error": {"code": code, "rule": rule, "message": message, "hint": hint}})
    else:
        click.echo(f"{HEADLINES.get(code, 'Failed')} ({rule}): {message}", err=True)
        if hint:
            click.echo(f"  {hint}", err=True)
    return exit_code


def main() -> None:
    """The entry point of the program."""
    for stream in (sys.stdout, sys.stderr):
        # A screen that lacks a character shows another in its place; it does not stop us.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))
