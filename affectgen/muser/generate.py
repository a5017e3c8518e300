"""From options to pieces: candidates are composed, heard by the guide, doubted by the critic; the best is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
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
from affectgen.score.grid import GridScore, Timing
from affectgen.score.midi import write_midi
from affectgen.score.notes import NoteArray

BAR_SECONDS = 2.1  # mean length of a bar in EMOPIA's clips: the first guess for a length in seconds
STRETCH = 0.08  # a length in seconds may be met by changing the tempo by this much
LENGTH_TRIES = 4
NEAR = 0.5  # a piece heard within this distance of what was asked is near enough not to try again
DOUBT = 0.25  # what a unit of the critic's log odds below its level weighs against distance on the plane
WINDOW_BARS = 4  # a path is measured in windows of this many bars


@dataclass(frozen=True)
class Piece:
    """A finished piece: score; how it is played, None for as written; asked and measured affect.

    belief: how far above its level the critic takes the piece for real, None where it was not asked; candidate: which
    of those composed it is; attempts: how often candidates were composed.
    """

    score: GridScore
    played: Timing | None
    asked: Affect | AffectPath | None
    measured: NDArray[np.float64]
    measured_path: NDArray[np.float64] | None
    belief: float | None
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
    def good(self) -> bool:
        """Whether the piece is near enough to what was asked, and passes for real."""
        return self.miss <= NEAR and self.doubt == 0

    @property
    def rank(self) -> tuple[bool, float]:
        """Of several candidates the one with the least rank is kept."""
        return not self.good, self.miss + DOUBT * self.doubt

    @property
    def notes(self) -> NoteArray:
        """The notes in seconds as they sound."""
        return self.score.to_notes(self.played)

    @property
    def midi(self) -> bytes:
        """The file."""
        return write_midi(self.score, self.played)


@dataclass(frozen=True)
class Order:
    """What is to be composed for one options object: its number among them, bars, the given piece, and which tries."""

    owner: int
    option: GenerateOptions
    bars: int
    given: GridScore | None
    tries: range

    @property
    def candidates(self) -> list[int]:
        """The numbers of its candidates, best_of for each try."""
        return [attempt * self.option.best_of + n for attempt in self.tries for n in range(self.option.best_of)]


@dataclass
class Hearing:
    """How the hearing of an order stands: pieces finished so far, by place, and the best of the tries judged so far.

    first: the number of its first request.
    """

    order: Order
    first: int
    kept: Piece | None
    finished: dict[int, Composed] = field(default_factory=dict)
    judged: int = 0

    @property
    def over(self) -> bool:
        """Whether the tries that are left are needless: one has left a good piece."""
        return self.kept is not None and self.kept.good

    @property
    def requests(self) -> range:
        """The numbers of its requests."""
        return range(self.first, self.first + len(self.order.candidates))

    @property
    def result(self) -> Piece:
        """The best piece, once every try is judged or needless."""
        if self.kept is None:
            raise ValueError("an order without tries")
        return self.kept

    def next_try(self) -> list[Composed] | None:
        """The pieces of the first try that is not judged yet, if all of them are finished."""
        best_of = self.order.option.best_of
        places = range(self.judged * best_of, (self.judged + 1) * best_of)
        if self.judged == len(self.order.tries) or not all(place in self.finished for place in places):
            return None
        return [self.finished[place] for place in places]


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
                pieces[index] = self._to_length(option)
            else:
                groups.setdefault(sampling_of(option), []).append(index)
        for indices in groups.values():
            made = self._make([options[index] for index in indices], [options[index].bars for index in indices], 0)
            pieces |= dict(zip(indices, made, strict=True))
        return [pieces[index] for index in range(len(options))]

    def _to_length(self, option: GenerateOptions) -> Piece:
        """Compose bars until they come near the seconds asked, then bring the tempo the rest of the way.

        Of a continued piece only what is composed counts.
        """
        seconds = option.seconds if option.seconds is not None else 0.0
        bar = 240.0 / option.tempo if option.tempo is not None else BAR_SECONDS
        bars = max(1, round(seconds / bar))
        tried: list[tuple[float, Piece, int]] = []
        while len(tried) < LENGTH_TRIES:
            piece = self._make([option], [bars], len(tried))[0]
            ratio = tail_seconds(piece.score, bars) / seconds
            tried.append((ratio, piece, bars))
            if abs(ratio - 1) <= STRETCH:
                break
            bars = max(1, round(bars / ratio))
        ratio, piece, bars = min(tried, key=lambda one: abs(np.log(one[0])))
        tempo = piece.score.tempo.copy()
        tempo[-BEATS * bars :] *= ratio
        made = self._heard(option, piece.asked, replace(piece.score, tempo=tempo))
        return replace(made, candidate=piece.candidate, attempts=sum(one.attempts for _, one, _ in tried))

    def _make(self, options: Sequence[GenerateOptions], bars: Sequence[int], attempt: int) -> list[Piece]:
        """Compose candidates of all options, keep the best of each, and try again where that is not good.

        Rows that would only fill a batch hold the next tries of a piece. They are heard in turn, and those after a good
        one are not written to their end, so that what is kept does not depend on how many were composed at once.
        """
        given = [given_piece(option) for option in options]
        best: dict[int, Piece] = {}
        pending, tried = list(range(len(options))), 0
        while pending:
            ahead = max(1, WIDTH // sum(options[owner].best_of for owner in pending))
            orders = [
                Order(n, options[n], bars[n], given[n], range(tried, min(tried + ahead, options[n].tries)))
                for n in pending
            ]
            best |= self._fill(orders, best, attempt)
            tried += ahead
            pending = [owner for owner in pending if tried < options[owner].tries and not best[owner].good]
        return [best[owner] for owner in range(len(options))]

    def _fill(self, orders: Sequence[Order], best: Mapping[int, Piece], attempt: int) -> dict[int, Piece]:
        """Compose orders in one call; for each owner the best of what was kept before and of the order's tries."""
        places: list[tuple[Hearing, int]] = []  # of each request: whose it is, and which of its candidates
        for order in orders:
            hearing = Hearing(order, len(places), best.get(order.owner))
            places += [(hearing, place) for place in range(len(order.candidates))]

        def finished(number: int, composed: Composed) -> Collection[int]:
            hearing, place = places[number]
            hearing.finished[place] = composed
            self._hear(hearing)
            return hearing.requests if hearing.over else ()

        self.composer.compose_until(list(self._requests(orders, attempt)), finished)
        return {hearing.order.owner: hearing.result for hearing, _ in places}

    def _requests(self, orders: Sequence[Order], attempt: int) -> Iterator[Request]:
        """What the composer is asked for, candidate by candidate, each with a seed of its own."""
        for order in orders:
            for number in order.candidates:
                seed = (order.option.seed, attempt, number)
                yield request_of(self.composer, order.option, order.bars, seed, order.given)

    def _hear(self, hearing: Hearing) -> None:
        """Judge the tries that are complete, in turn, up to the first that leaves a good piece."""
        order, option = hearing.order, hearing.order.option
        asked = parse_affect(option.affect) if option.affect is not None else None
        while not hearing.over and (composed := hearing.next_try()) is not None:
            attempt = order.tries[hearing.judged]
            scores = [finish(option, one.score, order.given) for one in composed]
            fresh = [
                replace(self._heard(option, asked, score), candidate=attempt * option.best_of + n)
                for n, score in enumerate(scores)
            ]
            best = min([*fresh, *([] if hearing.kept is None else [hearing.kept])], key=lambda piece: piece.rank)
            hearing.kept = replace(best, attempts=attempt + 1)
            hearing.judged += 1

    def _heard(self, option: GenerateOptions, asked: Affect | AffectPath | None, score: GridScore) -> Piece:
        """A score as it is played, with what guide and critic hear in it.

        The critic knows pieces as played only, so it hears those that stay on the grid as they would be played; of
        pieces that hold somebody else's notes it is not asked.
        """
        performed = self.performer.perform(score, option.seed)
        played = performed if option.expressive else None
        own = option.source is None and option.continue_from is None
        heard = self.critic.belief([score.to_notes(performed)]) if own and self.critic is not None else None
        belief = None if heard is None else float(heard[0])
        path = measure_path(self.guide, score) if isinstance(asked, AffectPath) else None
        return Piece(score, played, asked, self.guide.rate([score.to_notes(played)])[0], path, belief, 0, 1)


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
