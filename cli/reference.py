"""The command reference, written from the commands themselves.

`python -m cli.reference` writes docs/reference.md; with --check it fails where that is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli.main import OUTLINE, cli

PAGE = Path(__file__).parent.parent / "docs" / "reference.md"
START = """\
# Command reference

Written from the commands themselves by `make docs`; do not edit.

Exit codes: 0 done, 1 failed, 2 not understood, 3 refused by a rule, 4 not authorised,
5 integrity broken. `diff --exit-code` ends with 1 where there is a difference.
"""


def reference() -> str:
    """The whole page."""
    top = click.Context(cli, info_name="govledger", **cli.context_settings)
    parts = [START, "## govledger\n", _help(cli, top)]
    for title, names in OUTLINE:
        parts.append(f"## {title}\n")
        for name in names:
            command = cli.get_command(top, name)
            assert command is not None
            parts += _command(command, click.Context(command, info_name=name, parent=top))
    return "\n".join(parts)


def _command(command: click.Command, ctx: click.Context) -> list[str]:
    parts = [f"### {ctx.command_path}\n", _help(command, ctx)]
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            parts += _command(found, click.Context(found, info_name=name, parent=ctx))
    return parts


def _help(command: click.Command, ctx: click.Context) -> str:
    # A fixed width, so that the page does not depend on who writes it.
    ctx.max_content_width = ctx.terminal_width = 90
    return f"```text\n{command.get_help(ctx)}\n```\n"


def main(arguments: list[str]) -> int:
    """Write the page, or with --check compare it."""
    page = reference()
    if arguments == ["--check"]:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page:
            return 0
        print(f"{PAGE.name} is stale: run 'make docs'.", file=sys.stderr)
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
