"""What a job may say: the commands that make pieces, and their options, as presets and job lines spell them.

The command line is where options are declared; it hands them up as these plain records, and carries a job out by
reading it as its own words. So a job means what the command means.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from affectgen.errors import UsageError

TEXT, INTEGER, NUMBER, FLAG, CHOICE, FILE, ENDING = "text", "integer", "number", "flag", "choice", "file", "ending"
KINDS = (TEXT, INTEGER, NUMBER, FLAG, CHOICE, FILE, ENDING)
SEED, SOURCE = "seed", "source"


@dataclass(frozen=True)
class OptionSpec:
    """One option, named as its long form without dashes ("best-of"), or one argument ("source").

    kind: of KINDS: FILE is an input file's path, ENDING the ending of a further file (".wav") that gets the job's name;
    choices: of a CHOICE; low, high: bounds of a number, None for none; several: takes a list; argument: it has no
    dashes on the command line; variable: the environment variable that stands above a preset.
    """

    name: str
    kind: str
    about: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    several: bool = False
    argument: bool = False
    required: bool = False
    variable: str | None = None
    default: Any = None


@dataclass(frozen=True)
class CommandSpec:
    """One command that makes pieces. command: "emogen generate"; about: one line; suffix: of the file it writes where
    no format is asked for; options: all that a job may set."""

    command: str
    about: str
    suffix: str
    options: Mapping[str, OptionSpec] = field(default_factory=dict)

    @property
    def seeded(self) -> bool:
        """Whether it draws at random."""
        return SEED in self.options

    def check(self, values: Mapping[str, Any]) -> None:
        """UsageError for the first key that is no option, with the nearest one that is."""
        for name in values:
            if name not in self.options:
                raise UsageError(f"`{self.command}` has no option {name!r}.", nearest(name, self.options))


Specs = Mapping[str, CommandSpec]  # by command


def find_spec(specs: Specs, command: str) -> CommandSpec:
    """UsageError for a command that makes no pieces, with the nearest one that does."""
    if command not in specs:
        raise UsageError(f"{command!r} is no command that makes a piece.", nearest(command, specs))
    return specs[command]


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint: the known name that looks most like one that is not known, else all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name.replace("_", "-").lower(), names, n=1, cutoff=0.6)
    return f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(names)}."
