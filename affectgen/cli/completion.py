"""`affectgen completion`: the script that makes a shell complete affectgen's commands."""

from __future__ import annotations

import click

from affectgen.output import standard_output

SHELLS = ("bash", "zsh", "fish")
PROGRAM, VARIABLE = "affectgen", "_AFFECTGEN_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that makes SHELL complete commands, options, emotions, models, presets and files.

    \b
    affectgen completion bash > ~/.local/share/bash-completion/completions/affectgen
    affectgen completion zsh > ~/.zfunc/_affectgen
    affectgen completion fish > ~/.config/fish/completions/affectgen.fish
    """
    from affectgen.cli import completing

    command = click.get_current_context().find_root().command
    script = completing.SHELLS[shell](command, {}, PROGRAM, VARIABLE).source()
    with standard_output():
        click.echo(script, nl=False)
