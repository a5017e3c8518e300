"""A finished piece, with what was heard of it and of the candidates that it was chosen from."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import Affect, AffectPath
from affectgen.score.grid import GridScore, Timing
from affectgen.score.midi import write_midi
from affectgen.score.notes import NoteArray
from affectgen.writing.grammar import NEAR_TEMPO

STRETCH = NEAR_TEMPO  # a length in seconds may be met by changing the tempo by this much


@dataclass(frozen=True)
class Candidate:
    """What was heard of a candidate. number: which it is; measured: the guide's valence and arousal [2]; good and cost:
    what it was chosen by."""

    number: int
    measured: NDArray[np.float64]
    good: bool
    cost: float


@dataclass(frozen=True)
class Piece(ABC):
    """A finished piece: score, of which the last `bars` bars were composed; how it is played, None for as written;
    asked and measured affect.

    length: seconds composed over those asked, 1 where none were; candidate: which of those composed it is; attempts:
    how often candidates were composed; heard: all that were, in their order.
    """

    score: GridScore
    bars: int
    played: Timing | None
    asked: Affect | AffectPath | None
    measured: NDArray[np.float64]
    measured_path: NDArray[np.float64] | None
    length: float = field(default=1.0, kw_only=True)
    candidate: int = field(default=0, kw_only=True)
    attempts: int = field(default=1, kw_only=True)
    heard: tuple[Candidate, ...] = field(default=(), kw_only=True)

    @property
    def stretch(self) -> float:
        """By how much the tempo would have to change beyond what it may, for the seconds asked; 0 for nothing."""
        return max(0.0, abs(math.log(self.length)) - STRETCH)

    @property
    @abstractmethod
    def good(self) -> bool:
        """Whether the piece is near enough to what was asked not to try again."""

    @property
    @abstractmethod
    def rank(self) -> tuple[bool, float]:
        """Of several candidates the one with the least rank is kept."""

    @property
    def notes(self) -> NoteArray:
        """The notes in seconds as they sound."""
        return self.score.to_notes(self.played)

    @property
    def midi(self) -> bytes:
        """The file."""
        return write_midi(self.score, self.played)
