"""From options to pieces: candidates are composed, heard by the guide, doubted by the critic; the best is kept."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import Affect, AffectPath, parse_affect
from affectgen.muser.compose import WIDTH, Composed, Request, Sampling, Writer
from affectgen.muser.options import GenerateOptions
from affectgen.muser.requests import BEATS, finish, given_piece, request_of, sampling_of, tail_seconds
from affectgen.recognize.critic import load_critic
from affectgen.recognize.guide import Guide, load_guide
from affectgen.score.expression import load_performer
from affectgen.score.grid import BAR, GridScore, Timing
from affectgen.score.midi import write_midi
from affectgen.score.notes import NoteArray

BAR_SECONDS = 2.1  # mean length of a bar in EMOPIA's clips: the first guess for a length in seconds
STRETCH = 0.08  # a length in seconds may be met by changing the tempo by this much
LENGTH_TRIES = 4  # numbers of bars, each with its own tries
NEAR = 0.5  # a piece heard within this distance of what was asked is near enough not to try again
HASTE = 8.0  # what a unit of stretch (of the logarithm of the tempo) weighs against distance on the plane
DOUBT = 0.25  # what a unit of the critic's log odds below its level weighs against distance on the plane
EARLY = 0.1  # seconds by which a performer may come in before the bar line
WINDOW_BARS = 4  # a path is measured in windows of this many bars


@dataclass(frozen=True)
class Piece:
    """A finished piece: score, of which the last `bars` bars were composed; how it is played, None for as written;
    asked and measured affect.

    belief: how far above its level the critic takes the piece for real, None where it was not asked; length: seconds
    composed over those asked, 1 where none were; candidate: which of those composed it is; attempts: how often
    candidates were composed.
    """

    score: GridScore
    bars: int
    played: Timing | None
    asked: Affect | AffectPath | None
    measured: NDArray[np.float64]
    measured_path: NDArray[np.float64] | None
    belief: float | None
    length: float
    candidate: int
    attempts: int

    @property
    def miss(self) -> float:
        """How far the guide hears the piece from what was asked, on the plane; 0 if nothing was."""
        return miss(self.asked, self.measured, self.measured_path)

    @property
    def doubt(self) -> float:
        """How far below its level the critic finds the piece, 0 if it is not."""
        return 0.0 if self.belief is None else max(0.0, -self.belief)

    @property
    def stretch(self) -> float:
        """By how much the tempo would have to change beyond what it may, for the seconds asked; 0 for nothing."""
        return max(0.0, abs(math.log(self.length)) - STRETCH)

    @property
    def good(self) -> bool:
        """Whether the piece is near enough to what was asked, passes for real, and has about the length asked."""
        return self.miss <= NEAR and self.doubt == 0 and self.stretch == 0

    @property
    def rank(self) -> tuple[bool, float]:
        """Of several candidates the one with the least rank is kept."""
        return not self.good, self.miss + DOUBT * self.doubt + HASTE * self.stretch

    @property
    def notes(self) -> NoteArray:
        """The notes in seconds as they sound."""
        return self.score.to_notes(self.played)

    @property
    def midi(self) -> bytes:
        """The file."""
        return write_midi(self.score, self.played)


@dataclass(frozen=True)
class Draft:
    """A candidate to be composed: its number, its bars, and which take of that number it is; all but bars seed it."""

    number: int
    bars: int
    take: int = 0

    def after(self, piece: Piece, seen: Collection[Draft]) -> Draft:
        """The draft that follows one which became an unfit piece: of a better length by the same random numbers, and so
        in about the same tempo; if it has been seen, as it has if the length was right, another take of it.
        """
        draft = self if piece.stretch == 0 else replace(self, bars=max(1, round(self.bars / piece.length)))
        while draft in seen:
            draft = replace(draft, take=draft.take + 1)
        return draft


@dataclass
class Hearing:
    """How the hearing of one options object's drafts stands; each best_of of them are a try, judged in turn.

    owner: its number among the options; given: the piece that it continues or keeps; kept: the best piece so far;
    finished: pieces by the place of their draft; heard: those of the tries judged so far, in the order of drafts.
    """

    owner: int
    option: GenerateOptions
    given: GridScore | None
    drafts: tuple[Draft, ...]
    kept: Piece | None = None
    finished: dict[int, Composed] = field(default_factory=dict)
    heard: list[Piece] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether the tries that are left are needless: one has left a good piece."""
        return self.kept is not None and self.kept.good

    @property
    def result(self) -> Piece:
        """The best piece, once every try is judged or needless."""
        if self.kept is None:
            raise ValueError("a hearing without drafts")
        return self.kept

    def next_try(self) -> range | None:
        """The places of the first try that is not judged yet, if all its pieces are finished; None otherwise."""
        places = range(len(self.heard), min(len(self.heard) + self.option.best_of, len(self.drafts)))
        return places if len(places) and all(place in self.finished for place in places) else None

    def judge(self, pieces: Sequence[Piece]) -> None:
        """Take the pieces of a try in, and keep the best of all so far."""
        self.heard += pieces
        best = min([*pieces, *([] if self.kept is None else [self.kept])], key=lambda piece: piece.rank)
        self.kept = replace(best, attempts=self.drafts[len(self.heard) - 1].number // self.option.best_of + 1)


class Generator:
    """Composes for options; guide and critic choose among candidates, and the guide measures what comes out."""

    def __init__(self, composer: Writer, criticised: bool = True) -> None:
        self.composer = composer
        self.guide = load_guide()
        self.critic = load_critic() if criticised else None
        self.performer = load_performer()

    def run(self, options: Sequence[GenerateOptions]) -> list[Piece]:
        """One piece for each options object; alike samplings share batches."""
        pieces: dict[int, Piece] = {}
        groups: dict[Sampling, list[int]] = {}
        for index, option in enumerate(options):
            if option.seconds is not None:
                pieces[index] = self._to_length(option, option.seconds)
            else:
                groups.setdefault(sampling_of(option), []).append(index)
        for indices in groups.values():
            made = self._make([options[index] for index in indices])
            pieces |= dict(zip(indices, made, strict=True))
        return [pieces[index] for index in range(len(options))]

    def _to_length(self, option: GenerateOptions, seconds: float) -> Piece:
        """Compose bars until a good piece comes near the seconds asked, then bring its tempo the rest of the way.

        Of a continued piece only what is composed counts.
        """
        bar = 240.0 / option.tempo if option.tempo is not None else BAR_SECONDS
        bars, given = max(1, round(seconds / bar)), given_piece(option)
        drafts = tuple(Draft(number, bars) for number in range(option.tries * option.best_of))
        hearing = self._compose([Hearing(0, option, given, drafts)])[0]
        attempts, seen = hearing.result.attempts, set(drafts)
        for _ in range(LENGTH_TRIES - 1):
            if hearing.over:
                break
            drafts = tuple(draft.after(piece, seen) for draft, piece in zip(hearing.drafts, hearing.heard, strict=True))
            hearing = self._compose([Hearing(0, option, given, drafts, hearing.kept)])[0]
            attempts, seen = attempts + hearing.result.attempts, seen | set(drafts)
        best = hearing.result
        tempo = best.score.tempo.copy()
        tempo[-BEATS * best.bars :] *= best.length
        made = self._heard(option, replace(best.score, tempo=tempo), best.bars)
        return replace(made, candidate=best.candidate, attempts=attempts)

    def _make(self, options: Sequence[GenerateOptions]) -> list[Piece]:
        """Compose candidates of all options, keep the best of each, and try again where that is not good.

        Rows that would only fill a batch hold the next tries of a piece. They are heard in turn, and those after a good
        one are not written to their end, so that what is kept does not depend on how many were composed at once.
        """
        given = [given_piece(option) for option in options]
        best: dict[int, Piece] = {}
        pending, tried = list(range(len(options))), 0
        while pending:
            ahead = max(1, WIDTH // sum(options[owner].best_of for owner in pending))
            hearings = []
            for owner in pending:
                option = options[owner]
                numbers = range(tried * option.best_of, min(tried + ahead, option.tries) * option.best_of)
                drafts = tuple(Draft(number, option.bars) for number in numbers)
                hearings.append(Hearing(owner, option, given[owner], drafts, best.get(owner)))
            best |= {hearing.owner: hearing.result for hearing in self._compose(hearings)}
            tried += ahead
            pending = [owner for owner in pending if tried < options[owner].tries and not best[owner].good]
        return [best[owner] for owner in range(len(options))]

    def _compose(self, hearings: Sequence[Hearing]) -> Sequence[Hearing]:
        """Compose the drafts of some hearings in one call, and judge them as they come in; the same hearings."""
        places = [(hearing, place) for hearing in hearings for place in range(len(hearing.drafts))]  # of each request

        def finished(number: int, composed: Composed) -> Collection[int]:
            hearing, place = places[number]
            hearing.finished[place] = composed
            self._hear(hearing)
            return [other for other, (owner, _) in enumerate(places) if owner.over]

        requests = [self._request(hearing, hearing.drafts[place]) for hearing, place in places]
        self.composer.compose_until(requests, finished)
        return hearings

    def _request(self, hearing: Hearing, draft: Draft) -> Request:
        """What the composer is asked for a draft, which has a seed of its own."""
        seed = (hearing.option.seed, draft.take, draft.number)
        return request_of(self.composer, hearing.option, draft.bars, seed, hearing.given)

    def _hear(self, hearing: Hearing) -> None:
        """Judge the tries that are complete, in turn, up to the first that leaves a good piece."""
        while not hearing.over and (places := hearing.next_try()) is not None:
            pieces = []
            for place in places:
                draft = hearing.drafts[place]
                score = finish(hearing.option, hearing.finished[place].score, hearing.given)
                pieces.append(replace(self._heard(hearing.option, score, draft.bars), candidate=draft.number))
            hearing.judge(pieces)

    def _heard(self, option: GenerateOptions, score: GridScore, bars: int) -> Piece:
        """A score as it is played, with what guide and critic hear in it; its last `bars` bars are what was composed.

        Of a continued piece the guide hears only those: it reads no more than the beginning of what it is given. The
        critic knows pieces as played only, so it hears those that stay on the grid as they would be played; of pieces
        that hold somebody else's notes it is not asked.
        """
        asked = parse_affect(option.affect) if option.affect is not None else None
        performed = self.performer.perform(score, option.seed)
        played = performed if option.expressive else None
        own = option.source is None and option.continue_from is None
        heard = self.critic.belief([score.to_notes(performed)]) if own and self.critic is not None else None
        belief = None if heard is None else float(heard[0])
        composed, notes = score, score.to_notes(played)
        if option.continue_from is not None:
            composed = score.take_bars(score.bars - bars, score.bars)
            notes = notes.between(float(score.line_seconds()[-1 - BAR * bars]) - EARLY, np.inf)
        path = measure_path(self.guide, composed) if isinstance(asked, AffectPath) else None
        measured = self.guide.rate([notes])[0]
        length = 1.0 if option.seconds is None else tail_seconds(score, bars) / option.seconds
        return Piece(score, bars, played, asked, measured, path, belief, length, 0, 1)


def measure_path(guide: Guide, score: GridScore, window: int = WINDOW_BARS) -> NDArray[np.float64]:
    """The guide's valence-arousal in windows of bars, [W, 2]; a window without notes reads 0."""
    parts = [score.take_bars(first, first + window).to_notes() for first in range(0, score.bars, window)]
    heard = [index for index, part in enumerate(parts) if len(part)]
    points = np.zeros((len(parts), 2))
    if heard:
        points[heard] = guide.rate([parts[index] for index in heard])
    return points


def miss(asked: Affect | AffectPath | None, point: NDArray[np.float64], path: NDArray[np.float64] | None) -> float:
    """How far a candidate is from what was asked, on the plane; 0 if nothing was."""
    if asked is None:
        return 0.0
    if isinstance(asked, AffectPath) and path is not None:
        wanted = np.array([[p.valence, p.arousal] for p in asked.sample(len(path))])
        return float(np.sqrt(((path - wanted) ** 2).sum(1)).mean())
    aim = asked.at_fraction(0.5) if isinstance(asked, AffectPath) else asked
    return float(np.hypot(point[0] - aim.valence, point[1] - aim.arousal))
