"""Writes docs/cli.md from the commands' own help: `python -m affectgen.cli.docs > docs/cli.md`; a test compares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from affectgen.cli.program import affectgen

WIDTH = 100
HEAD = "# The command line\n\nWritten by `python -m affectgen.cli.docs > docs/cli.md` from the commands' own help.\n"


def page() -> str:
    """The whole page: the help of every command, groups first."""
    helps = _helps(affectgen, "affectgen", None)
    return HEAD + "".join(f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in helps)


def _helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[tuple[str, str]]:
    """Every command below `command` with its help text."""
    settings: dict[str, Any] = {"terminal_width": WIDTH, **command.context_settings}
    with click.Context(command, info_name=name.split()[-1], parent=parent, **settings) as ctx:
        lines = command.get_help(ctx).splitlines()
        yield name, "\n".join(line.rstrip() for line in lines)
        if isinstance(command, click.Group):
            for word in command.list_commands(ctx):
                inner = command.get_command(ctx, word)
                if inner is not None:
                    yield from _helps(inner, f"{name} {word}", ctx)


if __name__ == "__main__":
    sys.stdout.write(page())
