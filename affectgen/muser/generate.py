"""MusER's pieces: candidates are heard by the guide and doubted by the critic; the best is kept."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

from affectgen.muser.compose import Request, Writer
from affectgen.muser.options import GenerateOptions
from affectgen.muser.requests import request_of, sampling_of
from affectgen.recognize.critic import load_critic
from affectgen.score.grid import GridScore
from affectgen.writing import heard
from affectgen.writing.aim import miss
from affectgen.writing.given import length_of
from affectgen.writing.hearing import Auditions, Draft, Hearing

NEAR = 0.5  # a piece heard within this distance of what was asked is near enough not to try again
HASTE = 8.0  # what a unit of stretch (of the logarithm of the tempo) weighs against distance on the plane
DOUBT = 0.25  # what a unit of the critic's log odds below its level weighs against distance on the plane


@dataclass(frozen=True)
class Piece(heard.Piece):
    """A finished piece. belief: how far above its level the critic takes it for real, None where it was not asked."""

    belief: float | None = None

    @property
    def miss(self) -> float:
        """How far the guide hears the piece from what was asked, on the plane; 0 if nothing was."""
        return miss(self.asked, self.measured, self.measured_path)

    @property
    def doubt(self) -> float:
        """How far below its level the critic finds the piece, 0 if it is not."""
        return 0.0 if self.belief is None else max(0.0, -self.belief)

    @property
    def good(self) -> bool:
        """Whether the piece is near enough to what was asked, passes for real, and has about the length asked."""
        return self.miss <= NEAR and self.doubt == 0 and self.stretch == 0

    @property
    def rank(self) -> tuple[bool, float]:
        """Of several candidates the one with the least rank is kept."""
        return not self.good, self.miss + DOUBT * self.doubt + HASTE * self.stretch


class Generator(Auditions[GenerateOptions, Piece]):
    """Composes for options; guide and critic choose among candidates, and the guide measures what comes out."""

    composer: Writer

    def __init__(self, composer: Writer, criticised: bool = True) -> None:
        super().__init__(composer)
        self.critic = load_critic() if criticised else None

    def _alike(self, option: GenerateOptions) -> Hashable:
        return sampling_of(option)

    def request(self, hearing: Hearing[GenerateOptions, Piece], draft: Draft) -> Request:
        """What the options ask for, in the draft's bars and near its tempo."""
        seed = (hearing.option.seed, draft.take, draft.number)
        request = request_of(self.composer, hearing.option, draft.bars, seed, hearing.given)
        return replace(request, tempo=draft.tempo)

    def _heard(self, option: GenerateOptions, score: GridScore, bars: int) -> Piece:
        """The critic knows pieces as played only, so it hears those that stay on the grid as they would be played; of
        pieces that hold somebody else's notes it is not asked."""
        performed = self.performer.perform(score, option.seed)
        own = option.source is None and option.continue_from is None
        heard = self.critic.belief([score.to_notes(performed)]) if own and self.critic is not None else None
        belief = None if heard is None else float(heard[0])
        return Piece(*self._measured(option, score, bars, performed), belief, length=length_of(option, score, bars))
