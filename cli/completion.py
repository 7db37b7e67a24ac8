"""Completion of commands and options, for the shells that people use."""

from __future__ import annotations

from typing import ClassVar

import click
from click.shell_completion import CompletionItem, ShellComplete, add_completion_class

POWERSHELL = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($word, $line, $position)
    $env:COMP_WORDS = $line.ToString()
    $env:COMP_WORD = $word
    $env:%(complete_var)s = "powershell_complete"
    try {
        %(prog_name)s | ForEach-Object {
            $value, $help = $_ -split "`t", 2
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new(
                $value, $value, 'ParameterValue', $help)
        }
    } finally {
        Remove-Item Env:COMP_WORDS, Env:COMP_WORD, Env:%(complete_var)s
    }
}
"""


class PowerShellComplete(ShellComplete):
    """Completion for PowerShell, which click does not bring."""

    name: ClassVar[str] = "powershell"
    source_template: ClassVar[str] = POWERSHELL

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one being typed, and that one."""
        import os

        words = click.shell_completion.split_arg_string(os.environ["COMP_WORDS"])[1:]
        incomplete = os.environ["COMP_WORD"]
        if incomplete and words and words[-1] == incomplete:
            words.pop()
        return words, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """The value and its help, a tab between."""
        return f"{item.value}\t{item.help or ''}"


add_completion_class(PowerShellComplete)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    Example: govledger completion bash >> ~/.bashrc
    """
    from cli.main import cli

    kind = click.shell_completion.get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "govledger", "_GOVLEDGER_COMPLETE").source())
