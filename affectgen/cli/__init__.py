"""The command line: one Click module a command group, no logic of its own."""

from affectgen.cli.main import main

__all__ = ["main"]
