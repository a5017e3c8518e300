"""What can be asked of MusER's tasks. Frozen dataclasses that check their own values; nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from affectgen.affect import AffectPath, parse_affect
from affectgen.errors import UsageError
from affectgen.task import LARGEST_SEED
from affectgen.writing.options import ELEMENTS, ComposeOptions, check_elements, whole, within

POINT_GUIDANCE = 1.0
PATH_GUIDANCE = 3.0  # labelled clips hold one emotion throughout, so a change has to be asked for louder


@dataclass(frozen=True)
class GenerateOptions(ComposeOptions):
    """One piece to compose. The guide picks the nearest of best_of candidates; another try is made while it hears
    something far from what was asked, or the critic does not take the piece for real. guidance None: see `pull`."""


@dataclass(frozen=True)
class TransferOptions:
    """A source piece that borrows `elements` from a donor; no affect is asked, so the elements alone do the work."""

    source: Path | bytes
    donor: Path | bytes
    elements: tuple[str, ...]
    seed: int = 0
    temperature: float = 0.8

    def __post_init__(self) -> None:
        check_elements(self.elements, "--elements")
        if not self.elements:
            raise UsageError("--elements names no element.", f"Name some of: {', '.join(ELEMENTS)}.")
        whole("--seed", self.seed, 0, LARGEST_SEED)
        within("--temperature", self.temperature, 0.0, 5.0)


@dataclass(frozen=True)
class ReconstructOptions:
    """A piece to pass through the latents and back."""

    source: Path | bytes


def pull(option: GenerateOptions) -> float:
    """The guidance an option stands for."""
    if option.guidance is not None:
        return option.guidance
    along = option.affect is not None and isinstance(parse_affect(option.affect), AffectPath)
    return PATH_GUIDANCE if along else POINT_GUIDANCE
