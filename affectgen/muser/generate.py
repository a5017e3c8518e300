"""From options to pieces: what is asked becomes requests; length in seconds, tempo and best-of are settled here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import Affect, AffectPath, parse_affect
from affectgen.errors import UsageError
from affectgen.muser.compose import Composed, Composer, Request, Sampling, Writer, bar_codes, open_words
from affectgen.muser.options import ELEMENTS, GenerateOptions, pull
from affectgen.muser.transfer import forced_words
from affectgen.recognize.guide import Guide, load_guide
from affectgen.score.beats import read_score
from affectgen.score.expression import load_performer
from affectgen.score.grid import BAR, BEAT, GridScore, Timing
from affectgen.score.keys import Key
from affectgen.score.midi import write_midi
from affectgen.score.notes import NoteArray
from affectgen.score.words import decode, encode

PLAN_SHARE = 0.6  # of the guidance beyond 1 goes into the plan: more of it makes pieces alike
BAR_SECONDS = 2.1  # mean length of a bar in EMOPIA's clips: the first guess for a length in seconds
STRETCH = 0.08  # a length in seconds may be met by changing the tempo by this much
LENGTH_TRIES = 4
CONTEXT_BARS = 8  # bars of a continued piece that the model hears
NEAR = 0.5  # a piece heard within this distance of what was asked is good enough not to try again
WINDOW_BARS = 4  # a path is measured in windows of this many bars
BEATS = BAR // BEAT  # in a bar


@dataclass(frozen=True)
class Piece:
    """A finished piece: score; how it is played, None for as written; asked and measured affect.

    candidate: which of those composed it is; attempts: how often candidates were composed.
    """

    score: GridScore
    played: Timing | None
    asked: Affect | AffectPath | None
    measured: NDArray[np.float64]
    measured_path: NDArray[np.float64] | None
    candidate: int
    attempts: int

    @property
    def miss(self) -> float:
        """How far the guide hears the piece from what was asked, on the plane; 0 if nothing was."""
        return miss(self.asked, self.measured, self.measured_path)

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

    def __init__(self, composer: Writer) -> None:
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
        """Compose bars until they come near the seconds asked, then bring the tempo the rest of the way.

        Of a continued piece only what is composed counts.
        """
        seconds = option.seconds if option.seconds is not None else 0.0
        bar = 240.0 / option.tempo if option.tempo is not None else BAR_SECONDS
        bars = max(1, round(seconds / bar))
        tried: list[tuple[float, Piece, int]] = []
        while len(tried) < LENGTH_TRIES:
            piece = self._make([option], [bars], len(tried))[0]
            ratio = _tail_seconds(piece.score, bars) / seconds
            tried.append((ratio, piece, bars))
            if abs(ratio - 1) <= STRETCH:
                break
            bars = max(1, round(bars / ratio))
        ratio, piece, bars = min(tried, key=lambda one: abs(np.log(one[0])))
        tempo = piece.score.tempo.copy()
        tempo[-BEATS * bars :] *= ratio
        made = self._heard(option, piece.asked, [replace(piece.score, tempo=tempo)])[0]
        return replace(made, candidate=piece.candidate, attempts=sum(one.attempts for _, one, _ in tried))

    def _make(self, options: Sequence[GenerateOptions], bars: Sequence[int], attempt: int) -> list[Piece]:
        """Compose candidates of all options, keep the best of each, and try again where that is far from the asked."""
        given = [given_piece(option) for option in options]
        best: dict[int, Piece] = {}
        pending, tried = list(range(len(options))), 0
        while pending:
            for owner, fresh in self._try([(n, options[n], bars[n], given[n]) for n in pending], attempt, tried):
                known = [best[owner]] if owner in best else []
                kept = min([*known, *fresh], key=lambda piece: piece.miss)  # of equal ones the first
                best[owner] = replace(kept, attempts=tried + 1)
            tried += 1
            pending = [owner for owner in pending if tried < options[owner].tries and best[owner].miss > NEAR]
        return [best[owner] for owner in range(len(options))]

    def _try(
        self, orders: Sequence[tuple[int, GenerateOptions, int, GridScore | None]], attempt: int, tried: int
    ) -> Iterator[tuple[int, list[Piece]]]:
        """The next candidates of orders (number, option, bars, given piece), all in one call of the composer."""
        numbers = [[tried * option.best_of + n for n in range(option.best_of)] for _, option, _, _ in orders]
        requests = [
            request_of(self.composer, option, bars, (option.seed, attempt, number), given)
            for (_, option, bars, given), mine in zip(orders, numbers, strict=True)
            for number in mine
        ]
        composed = iter(self.composer.compose(requests))
        for (owner, option, _, given), mine in zip(orders, numbers, strict=True):
            pieces = self._pieces(option, [next(composed) for _ in mine], given)
            yield owner, [replace(piece, candidate=number) for piece, number in zip(pieces, mine, strict=True)]

    def _pieces(self, option: GenerateOptions, candidates: Sequence[Composed], given: GridScore | None) -> list[Piece]:
        """Candidates as finished pieces."""
        asked = parse_affect(option.affect) if option.affect is not None else None
        return self._heard(option, asked, [finish(option, candidate.score, given) for candidate in candidates])

    def _heard(
        self, option: GenerateOptions, asked: Affect | AffectPath | None, scores: Sequence[GridScore]
    ) -> list[Piece]:
        """Scores as they are played, with what the guide hears in each."""
        played = [self._play(option, score) for score in scores]
        points = self.guide.rate([score.to_notes(timing) for score, timing in zip(scores, played, strict=True)])
        paths = [measure_path(self.guide, score) if isinstance(asked, AffectPath) else None for score in scores]
        return [
            Piece(score, timing, asked, point, path, 0, 1)
            for score, timing, point, path in zip(scores, played, points, paths, strict=True)
        ]

    def _play(self, option: GenerateOptions, score: GridScore) -> Timing | None:
        """The piece with expressive timing, unless it is to stay on the grid."""
        return self.performer.perform(score, option.seed) if option.expressive else None


def sampling_of(option: GenerateOptions) -> Sampling:
    """How the words of a piece are drawn."""
    return Sampling(
        guidance=pull(option), plan_guidance=1 + PLAN_SHARE * (pull(option) - 1),
        temperature=option.temperature, top_p=option.top_p,
    )  # fmt: skip


def affect_by_bar(affect: str | None, bars: int) -> NDArray[np.float64] | None:
    """The asked valence-arousal of each bar, [bars, 2]; a path in seconds is spread over the whole piece."""
    if affect is None:
        return None
    asked = parse_affect(affect)
    points = asked.sample(bars) if isinstance(asked, AffectPath) else [asked] * bars
    return np.array([[point.valence, point.arousal] for point in points])


def given_piece(option: GenerateOptions) -> GridScore | None:
    """The piece of which elements are kept or that is continued, None for neither. MidiError if it cannot be read."""
    source = option.source if option.source is not None else option.continue_from
    return None if source is None else read_score(source)


def request_of(
    composer: Writer, option: GenerateOptions, bars: int, seed: tuple[int, ...], given: GridScore | None
) -> Request:
    """The request for one candidate; `given` is the option's `given_piece`."""
    key = Key.parse(option.key) if option.key is not None else None
    if given is not None and option.source is not None:
        return _keeping(_ours(composer), option, given, seed)
    request = Request(affect_by_bar(option.affect, bars), bars, seed, key=key, sampling=sampling_of(option))
    return request if given is None else _continuing(_ours(composer), request, _context(given))


def _ours(composer: Writer) -> Composer:
    """The composer, if it has bar latents; UsageError for the paper's structure."""
    if isinstance(composer, Composer):
        return composer
    raise UsageError(
        f"{composer.name} has the paper's structure, which can neither continue a piece nor keep its elements.",
        "Leave --checkpoint out, or --source and --continue.",
    )


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


def _context(score: GridScore) -> GridScore:
    """The last bars of a piece."""
    return score.take_bars(max(0, score.bars - CONTEXT_BARS), score.bars)


def _tail_seconds(score: GridScore, bars: int) -> float:
    """Seconds of the last bars of a piece."""
    lines = score.line_seconds()
    return float(lines[-1] - lines[-1 - BAR * bars])


def finish(option: GenerateOptions, score: GridScore, given: GridScore | None) -> GridScore:
    """Put the piece that was continued before its continuation, and bring the median tempo to what was asked."""
    if given is not None and option.continue_from is not None:
        score = append(given, score)
    if option.tempo is not None:
        score = replace(score, tempo=score.tempo * (option.tempo / float(np.median(score.tempo))))
    return score


def append(given: GridScore, composed: GridScore) -> GridScore:
    """A piece as it was, then what was composed after it. `composed` opens with the piece's context as words say it."""
    context = _context(given)
    spoken = decode(encode(context))
    opening = set(zip(spoken.start.tolist(), spoken.pitch.tolist(), strict=True))
    pairs = zip(composed.start.tolist(), composed.pitch.tolist(), strict=True)
    new = np.array([pair not in opening for pair in pairs], dtype=bool)
    shift = (given.bars - context.bars) * BAR
    return GridScore(
        np.concatenate([given.start, composed.start[new] + shift]),
        np.concatenate([given.length, composed.length[new]]),
        np.concatenate([given.pitch, composed.pitch[new]]),
        np.concatenate([given.velocity, composed.velocity[new]]),
        np.concatenate([given.tempo, composed.tempo[BEATS * context.bars :]]),
        given.chords + composed.chords[BEATS * context.bars :], composed.key,
        given.bars + composed.bars - context.bars,
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
