"""What can be asked of EmoGen's task. A frozen dataclass that checks its own values; nothing heavy is imported."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from affectgen.errors import UsageError
from affectgen.writing.options import ComposeOptions

MAPPINGS = ("kernel", "paper")
GUIDANCE = 1.6  # chosen by control of attributes and likeness to real clips (docs/emogen.md)
SETTING = re.compile(
    r"\s*(?P<name>\w[\w -]*?)\s*=\s*(?P<natural>=)?\s*(?P<value>[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)\s*", re.ASCII
)


@dataclass(frozen=True)
class Override:
    """One `--set`: an attribute and its value, in standard deviations or in natural units."""

    name: str
    value: float
    natural: bool

    @classmethod
    def parse(cls, text: str) -> Override:
        """`note_density=+1.5` (a sign: standard deviations), `tempo=90` (none: natural units), `key_mode==-0.3` (two
        equals signs: natural units, whatever the sign). UsageError otherwise."""
        found = SETTING.fullmatch(text)
        try:
            value = float(found["value"]) if found is not None else math.nan
        except ValueError:
            value = math.nan
        if found is None or not math.isfinite(value):
            raise UsageError(
                f"--set got {text!r}; expected a name, = and a number.",
                "Write note_density=+1.5 (standard deviations) or tempo=90 (natural units).",
            )
        return cls(plain_name(found["name"]), value, found["natural"] is not None or found["value"][0] not in "+-")


def plain_name(text: str) -> str:
    """The name of an attribute as it is listed: `Note density` and `note-density` are `note_density`."""
    return re.sub(r"[\s-]+", "_", text.strip()).lower()


@dataclass(frozen=True)
class EmogenOptions(ComposeOptions):
    """One piece to compose. best_of candidates are made; every few bars, and at the end, the one whose attributes miss
    their targets least is kept; of finished ones the guide has a say, too.

    mapping: how the affect becomes attributes, one of MAPPINGS; set: attributes that are asked for in any case, as
    `Override.parse` reads them; free: attributes, or groups of them, that the affect does not decide. guidance None:
    GUIDANCE.
    """

    best_of: int = 4
    tries: int = 1
    mapping: str = "kernel"
    set: tuple[str, ...] = ()
    free: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mapping not in MAPPINGS:
            raise UsageError(f"--mapping got {self.mapping!r}.", f"Give one of: {', '.join(MAPPINGS)}.")
        if self.tempo is not None and any(override.name == "tempo" for override in self.overrides):
            raise UsageError("--tempo came with --set tempo; one was expected.", "Leave one of them out.")
        if self.set or self.free:
            from affectgen.emogen.vector import find_attributes  # numpy, which --help does without

            for override in self.overrides:
                find_attributes(override.name, "--set")
            for name in self.free:
                find_attributes(name, "--free")

    @property
    def overrides(self) -> list[Override]:
        """What --set asks for."""
        return [Override.parse(text) for text in self.set]


def pull(option: EmogenOptions) -> float:
    """The guidance an option stands for."""
    return GUIDANCE if option.guidance is None else option.guidance
