"""From options to pieces: what is asked becomes requests; length in seconds, tempo and best-of are settled here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import Affect, AffectPath, parse_affect
from affectgen.muser.compose import Composed, Composer, Request, Sampling, bar_codes, open_words
from affectgen.muser.options import ELEMENTS, GenerateOptions
from affectgen.muser.transfer import forced_words
from affectgen.recognize.guide import Guide, load_guide
from affectgen.score.expression import load_performer
from affectgen.score.grid import BAR, GridScore, Timing
from affectgen.score.keys import Key
from affectgen.score.midi import write_midi
from affectgen.score.notes import NoteArray
from affectgen.score.beats import read_score
from affectgen.score.words import encode

BAR_SECONDS = 2.1  # mean length of a bar in EMOPIA's clips: the first guess for a length in seconds
STRETCH = 0.08  # a length in seconds may be met by changing the tempo by this much
LENGTH_TRIES = 4
CONTEXT_BARS = 8  # bars of a continued piece that the model hears
WINDOW_BARS = 4  # a path is measured in windows of this many bars


@dataclass(frozen=True)
class Piece:
    """A finished piece: score; how it is played, None for as written; asked and measured affect; candidates tried."""

    score: GridScore
    played: Timing | None
    asked: Affect | AffectPath | None
    measured: NDArray[np.float64]
    measured_path: NDArray[np.float64] | None
    candidate: int
    attempts: int

    @property
    def notes(self) -> NoteArray:
        """The notes in seconds as they sound."""
        return self.score.to_notes(self.played)

    @property
    def midi(self) -> bytes:
        """The file."""
        return write_midi(self.score, self.played)


class Generator:
    """Composes for options; the guide picks among candidates and measures what comes out."""

    def __init__(self, composer: Composer) -> None:
        self.composer = composer
        self.guide = load_guide()
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
        """Compose bars until they come near the seconds asked, then bring the tempo the rest of the way."""
        seconds = option.seconds if option.seconds is not None else 0.0
        bar = 240.0 / option.tempo if option.tempo is not None else BAR_SECONDS
        bars = max(1, round(seconds / bar))
        piece = self._make([option], [bars], 0)[0]
        for attempt in range(1, LENGTH_TRIES):
            ratio = piece.score.seconds / seconds
            if abs(ratio - 1) <= STRETCH:
                break
            bars = max(1, round(bars / ratio))
            piece = replace(self._make([option], [bars], attempt)[0], attempts=attempt + 1)
        score = replace(piece.score, tempo=piece.score.tempo * (piece.score.seconds / seconds))
        return replace(piece, score=score, played=self._play(option, score))

    def _make(self, options: Sequence[GenerateOptions], bars: Sequence[int], attempt: int) -> list[Piece]:
        """Compose all candidates of all options and keep the best of each."""
        requests: list[Request] = []
        owners: list[int] = []
        for owner, (option, count) in enumerate(zip(options, bars, strict=True)):
            for candidate in range(option.best_of):
                requests.append(request_of(self.composer, option, count, (option.seed, attempt, candidate)))
                owners.append(owner)
        composed = self.composer.compose(requests)
        pieces = []
        for owner, option in enumerate(options):
            mine = [piece for piece, whose in zip(composed, owners, strict=True) if whose == owner]
            pieces.append(self._best(option, mine))
        return pieces

    def _best(self, option: GenerateOptions, candidates: Sequence[Composed]) -> Piece:
        """The candidate that the guide hears nearest to what was asked."""
        asked = parse_affect(option.affect) if option.affect is not None else None
        scores = [finish(option, candidate.score) for candidate in candidates]
        played = [self._play(option, score) for score in scores]
        points = self.guide.rate([score.to_notes(timing) for score, timing in zip(scores, played, strict=True)])
        paths = [measure_path(self.guide, score) if isinstance(asked, AffectPath) else None for score in scores]
        misses = [miss(asked, point, path) for point, path in zip(points, paths, strict=True)]
        best = int(np.argmin(misses))
        return Piece(scores[best], played[best], asked, points[best], paths[best], best, 1)

    def _play(self, option: GenerateOptions, score: GridScore) -> Timing | None:
        """The piece with expressive timing, unless it is to stay on the grid."""
        return self.performer.perform(score, option.seed) if option.expressive else None


def sampling_of(option: GenerateOptions) -> Sampling:
    """How the words of a piece are drawn."""
    return Sampling(
        guidance=option.guidance, plan_guidance=option.guidance, temperature=option.temperature, top_p=option.top_p
    )


def affect_by_bar(affect: str | None, bars: int) -> NDArray[np.float64] | None:
    """The asked valence-arousal of each bar, [bars, 2]; a path in seconds is spread over the whole piece."""
    if affect is None:
        return None
    asked = parse_affect(affect)
    points = asked.sample(bars) if isinstance(asked, AffectPath) else [asked] * bars
    return np.array([[point.valence, point.arousal] for point in points])


def request_of(composer: Composer, option: GenerateOptions, bars: int, seed: tuple[int, ...]) -> Request:
    """The request for one candidate."""
    key = Key.parse(option.key) if option.key is not None else None
    if option.source is not None:
        return _keeping(composer, option, read_score(option.source), seed)
    request = Request(affect_by_bar(option.affect, bars), bars, seed, key=key, sampling=sampling_of(option))
    return request if option.continue_from is None else _continuing(composer, request, _context(option.continue_from))


def _keeping(composer: Composer, option: GenerateOptions, score: GridScore, seed: tuple[int, ...]) -> Request:
    """Recompose a source around its kept elements: its structure of onsets stays, and the kept elements' plan."""
    words = encode(score)
    clamped = np.full((score.bars, 7), -1, dtype=np.int64)
    kept = [ELEMENTS.index(name) for name in (*option.keep, "family", "beat")]
    clamped[:, kept] = bar_codes(composer.model, words)[:, kept]
    affect = affect_by_bar(option.affect, score.bars)
    return Request(
        affect, score.bars, seed, key=score.key, forced=forced_words(words, option.keep), clamped=clamped, ending=False,
        sampling=sampling_of(option),
    )  # fmt: skip


def _continuing(composer: Composer, request: Request, score: GridScore) -> Request:
    """Open the piece with the last bars of another; its own bars come after them."""
    key, words = open_words(score)
    clamped = np.full((score.bars + request.bars, 7), -1, dtype=np.int64)
    clamped[: score.bars] = bar_codes(composer.model, encode(score))
    affect = request.affect
    if affect is not None:
        affect = np.concatenate([np.repeat(affect[:1], score.bars, axis=0), affect])
    return replace(
        request, affect=affect, bars=score.bars + request.bars, key=key, prefix=words, clamped=clamped
    )


def _context(source: Path | bytes) -> GridScore:
    """The last bars of a piece."""
    score = read_score(source)
    return score.take_bars(max(0, score.bars - CONTEXT_BARS), score.bars)


def finish(option: GenerateOptions, score: GridScore) -> GridScore:
    """Put the piece that was continued before its continuation, and bring the median tempo to what was asked."""
    if option.continue_from is not None:
        whole = read_score(option.continue_from)
        score = join(whole.take_bars(0, max(0, whole.bars - CONTEXT_BARS)), score) if whole.bars > CONTEXT_BARS else score
    if option.tempo is not None:
        score = replace(score, tempo=score.tempo * (option.tempo / float(np.median(score.tempo))))
    return score


def join(first: GridScore, second: GridScore) -> GridScore:
    """Two pieces one after the other, in the second one's key."""
    shift = first.bars * BAR
    return GridScore(
        np.concatenate([first.start, second.start + shift]), np.concatenate([first.length, second.length]),
        np.concatenate([first.pitch, second.pitch]), np.concatenate([first.velocity, second.velocity]),
        np.concatenate([first.tempo, second.tempo]), first.chords + second.chords, second.key,
        first.bars + second.bars,
    )  # fmt: skip


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
