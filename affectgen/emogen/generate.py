"""EmoGen's pieces: every candidate is measured, and the one whose attributes miss their targets least is kept.

What is asked stands in the targets alone. A critic that knows nothing of emotions doubts attributes that together are
unlike real music's, and among finished candidates the guide has a say.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from affectgen.emogen.choosing import Chooser
from affectgen.emogen.compose import Composer, Request, Sampling
from affectgen.emogen.data import as_written, describe_bars, play
from affectgen.emogen.mapping import EmotionMap
from affectgen.emogen.options import EmogenOptions, pull
from affectgen.emogen.scale import FARTHEST
from affectgen.emogen.targets import LIKE_A_CLIP, TEMPO, Targets, make_targets
from affectgen.emogen.vector import FIRST_EMOGEN, NAMES
from affectgen.recognize.critic import Critic
from affectgen.score.grid import GridScore, Timing
from affectgen.score.keys import Key
from affectgen.score.words import encode
from affectgen.writing import heard
from affectgen.writing.aim import miss
from affectgen.writing.flowing import Flow
from affectgen.writing.given import context_of, forced_words, length_of
from affectgen.writing.hearing import Auditions, Draft, Hearing
from affectgen.writing.pieces import open_words

Floats = NDArray[np.float64]
HASTE = 8.0  # what a unit of stretch (of the logarithm of the tempo) weighs against attribute error
TELLING = 3.0  # what a unit of the plane weighs against a standard deviation, root mean square over attributes
ASTRAY = 2.0  # what it weighs that all of the hundred lie on the wrong side of their thresholds
MISSED = 1.0  # what a unit of the plane weighs by which the guide hears a finished piece elsewhere
DOUBT = 0.4  # what a unit of the critic's log odds below its level weighs against attribute error,
MOST_DOUBT = 6.0  # and how many units count
BY_HAND = 10.0  # how much more an attribute that was set by hand weighs
KEY_SEED = 12  # keeps the draw of the key apart from what words draw
KEY_MODE = NAMES.index("key_mode")


@dataclass(frozen=True)
class Piece(heard.Piece):
    """A finished piece: what it was asked for, its attributes [segments, K] in standard deviations, and its error.

    wanted, values: targets and attributes in natural units [segments, K], nan where free. doubt: how far below its
    level the critic finds the piece, 0 if it is not or was not asked.
    """

    targets: Targets | None = None
    achieved: NDArray[np.float64] | None = None
    error: float = 0.0
    wanted: NDArray[np.float64] | None = None
    values: NDArray[np.float64] | None = None
    doubt: float = 0.0

    @property
    def miss(self) -> float:
        """How far the guide hears the piece from what was asked, on the plane; 0 if nothing was."""
        return miss(self.asked, self.measured, self.measured_path)

    @property
    def good(self) -> bool:
        """Whether it has about the length asked: of candidates the best is kept, but none is too far to keep."""
        return self.stretch == 0

    @property
    def rank(self) -> tuple[bool, float]:
        """Attribute error, what the guide hears, doubt, and the length."""
        return not self.good, self.error + MISSED * self.miss + DOUBT * self.doubt + HASTE * self.stretch


class Generator(Auditions[EmogenOptions, Piece]):
    """Composes for options; attribute errors, the guide and, where there is one, a critic choose among candidates."""

    composer: Composer

    def __init__(self, composer: Composer, emotions: EmotionMap, critic: Critic | None = None) -> None:
        super().__init__(composer)
        self.emotions = emotions.on(composer.scale)
        self.critic = critic
        self._targets: dict[tuple[EmogenOptions, int], Targets] = {}

    def targets(self, option: EmogenOptions, bars: int) -> Targets:
        """What a piece of some bars is asked for; the same for every candidate."""
        if (option, bars) not in self._targets:
            self._targets[option, bars] = make_targets(option, bars, self.emotions, self.composer.scale)
        return self._targets[option, bars]

    def flow(
        self, take: Callable[[], tuple[int, EmogenOptions] | None], give: Callable[[int, EmogenOptions, Piece], None]
    ) -> None:
        """A piece for each numbered options object that `take` has, to `give` as soon as it is there; what `run` makes
        of them. They must be alike in sampling, and be asked for bars, by candidates, of notes of our own."""
        Flow(self, take, give).run(self.composer)

    def forget(self, option: EmogenOptions) -> None:
        """Let go of the option's targets."""
        self._targets = {key: targets for key, targets in self._targets.items() if key[0] != option}

    def _alike(self, option: EmogenOptions) -> Hashable:
        return sampling_of(option)

    def request(self, hearing: Hearing[EmogenOptions, Piece], draft: Draft) -> Request:
        """Targets, key and tempo of a draft; its choice among candidates, or the words that somebody's piece keeps."""
        option, given = hearing.option, hearing.given
        seed = (option.seed, draft.take, draft.number)
        sampling = sampling_of(option)
        if given is not None and option.source is not None:
            targets = self.targets(option, given.bars).by_bar
            forced = forced_words(encode(given), option.keep)
            return Request(targets, given.bars, seed, given.key, forced=forced, ending=False, sampling=sampling)
        targets = self.targets(option, draft.bars).by_bar
        before = 0 if given is None else context_of(given).bars
        attempt = (hearing.owner, draft.take, draft.number // option.best_of)
        choose = Chooser(attempt, draft.bars, before, option, self) if option.best_of > 1 else None
        key = Key.parse(option.key) if option.key is not None else self._key(option, targets, seed)
        request = Request(
            targets, draft.bars, seed, key, choose=choose, tempo=draft.tempo, owner=hearing.owner, sampling=sampling
        )
        return request if given is None else _continuing(request, context_of(given))

    def _bar_seconds(self, option: EmogenOptions, bars: int) -> float | None:
        """By the tempo that is asked for, by hand or by the emotion."""
        tempo = self.composer.scale.to_natural(self.targets(option, bars).by_bar)[:, TEMPO]  # [bars]
        if option.tempo is not None or not np.isfinite(tempo).all():
            return super()._bar_seconds(option, bars)
        return float((240.0 / tempo).mean())

    def _key(self, option: EmogenOptions, targets: NDArray[np.float64], seed: tuple[int, ...]) -> Key:
        """Any tonic; the mode that the target asks for, or any if it is free."""
        rng = np.random.default_rng((*seed, KEY_SEED))
        tonic, minor = int(rng.integers(12)), bool(rng.random() < 0.5)
        asked = targets[:, KEY_MODE]
        if np.isfinite(asked).any():
            sd = np.full((1, len(NAMES)), np.nan)
            sd[0, KEY_MODE] = np.nanmean(asked)
            minor = self.composer.scale.to_natural(sd)[0, KEY_MODE] < 0
        return Key(tonic, int(minor))

    def _heard(self, option: EmogenOptions, score: GridScore, bars: int) -> Piece:
        played = self.performer.perform(score, option.seed) if option.expressive else as_written(score)
        piece = Piece(*self._measured(option, score, bars, played), length=length_of(option, score, bars))
        targets, scale = self._targets_heard(option, score, bars), self.composer.scale
        values = describe_segments(score, played, targets.edges)
        achieved = scale.to_sd(values)
        return replace(
            piece, targets=targets, achieved=achieved, error=self.error_of(targets, achieved),
            wanted=scale.to_natural(targets.sd), values=values, doubt=self.doubt_of(option, targets, achieved),
        )  # fmt: skip

    def _heard_together(self, option: EmogenOptions, scores: Sequence[GridScore], bars: Sequence[int]) -> list[Piece]:
        """Candidates are performed side by side, which is quick and nearly what each will be; then the best is
        performed as it will be kept. The others keep their order behind it."""
        if len(scores) == 1:
            return [self._heard(option, scores[0], bars[0])]
        targets = {count: self._targets_heard(option, scores[0], count) for count in set(bars)}
        edges = [targets[count].edges for count in bars]
        played = self._played(option, scores)
        achieved = self._achieved(scores, played, edges)
        pieces = [
            Piece(*self._measured(option, score, count, timing), error=self.error_of(targets[count], found),
                  doubt=self.doubt_of(option, targets[count], found), length=length_of(option, score, count))
            for score, count, timing, found in zip(scores, bars, played, achieved, strict=True)
        ]  # fmt: skip
        best = min(range(len(pieces)), key=lambda place: pieces[place].rank)
        kept = self._heard(option, scores[best], bars[best])
        behind = max(0.0, kept.rank[1] - pieces[best].rank[1])
        pieces = [replace(piece, error=piece.error + behind) for piece in pieces]
        return [*pieces[:best], kept, *pieces[best + 1 :]]

    def _targets_heard(self, option: EmogenOptions, score: GridScore, bars: int) -> Targets:
        """What a finished piece was asked for; `bars` of it were composed."""
        return self.targets(option, score.bars if option.source is not None else bars)

    def choose(
        self, option: EmogenOptions, scores: Sequence[GridScore], targets: Targets, bars: int | None
    ) -> tuple[int, NDArray[np.float64]]:
        """The place of the best of some pieces that end with what the targets are for, and its attributes in standard
        deviations [segments, K]; where they are the beginnings of pieces of `bars` bars, those to be expected of them.
        """
        achieved = self._achieved(scores, self._played(option, scores), [targets.edges] * len(scores))
        parts = self.composer.parts
        if bars is not None and parts is not None:
            usual = np.nan_to_num(targets.expected)  # what nothing is known of will be about as everywhere
            achieved = [usual + parts.whole_gap(found - usual, targets.edges[-1], bars) for found in achieved]
        whole = targets if bars is None else replace(targets, edges=(0, bars))
        costs = [
            self.error_of(targets, found) + DOUBT * self.doubt_of(option, whole, found) for found in achieved
        ]
        best = int(np.argmin(costs))
        return best, achieved[best]

    def _played(self, option: EmogenOptions, scores: Sequence[GridScore]) -> list[Timing]:
        """Pieces performed side by side, or left on the grid if that is asked for: what is measured is what the file
        will hold."""
        if not option.expressive:
            return [as_written(score) for score in scores]
        hands = self.performer.perform_many(scores, option.seed)
        return [play(score, hand[:, 0], hand[:, 1]) for score, hand in zip(scores, hands, strict=True)]

    def _achieved(
        self, scores: Sequence[GridScore], played: Sequence[Timing], edges: Sequence[tuple[int, ...]]
    ) -> list[Floats]:
        """The attributes of pieces in standard deviations, [segments, K] each."""
        described = (describe_segments(*each) for each in zip(scores, played, edges, strict=True))
        return [self.composer.scale.to_sd(values) for values in described]

    def doubt_of(self, option: EmogenOptions, targets: Targets, achieved: Floats) -> float:
        """How far below its level the critic finds a piece by its attributes [1, K]; 0 without a critic, and for what
        no clip that it knows is like: a path, another length, an attribute set by hand, somebody else's notes, notes on
        the grid."""
        like_a_clip = len(achieved) == 1 and LIKE_A_CLIP[0] <= targets.edges[-1] <= LIKE_A_CLIP[1]
        own = option.expressive and option.source is None and option.continue_from is None
        if self.critic is None or not like_a_clip or not own or targets.by_hand.any():
            return 0.0
        belief = self.critic.log_odds(np.nan_to_num(achieved)) - self.critic.level
        return float(np.clip(-belief[0], 0.0, MOST_DOUBT))

    def miss(self, targets: Targets, achieved: Floats) -> Floats:
        """By how much a piece has more of each attribute than it was asked for [segments, K], nan for what is open.

        What is left open cannot be asked for: what it tells of another emotion counts as missed by all the others, but
        not by what was set by hand.
        """
        left_open = np.isfinite(targets.expected) & ~np.isfinite(targets.sd)
        astray = np.where(left_open & np.isfinite(achieved), achieved - targets.expected, 0.0)
        told = astray @ self.emotions.reading @ self.emotions.leaning  # [segments, K]
        missed: Floats = achieved - targets.sd + np.where(targets.by_hand, 0.0, told)
        return missed

    def error_of(self, targets: Targets, achieved: NDArray[np.float64]) -> float:
        """How far a piece is from its targets: the root mean square over attributes, those set by hand weighing more;
        the distance on the plane that the difference means to the map's linear reading, which reads what is left open,
        too; and the share of the hundred that lie on the wrong side of their thresholds."""
        there = np.isfinite(targets.sd)
        if not there.any():
            return 0.0
        unknown = np.where(there, FARTHEST, 0.0)  # too few notes to measure miss what is asked
        gap = np.where(np.isfinite(achieved), achieved - targets.expected, unknown)
        gap = np.where(np.isfinite(targets.expected), gap, 0.0)  # [segments, K]
        weight = there * np.where(targets.by_hand, BY_HAND, 1.0)
        size = np.sqrt((weight * gap**2).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9))
        told = np.hypot(*(gap @ self.emotions.reading).T)  # [segments]
        above, wanted = (sd[:, FIRST_EMOGEN:] > self.emotions.thresholds for sd in (achieved, targets.sd))
        hundred = there[:, FIRST_EMOGEN:]
        astray = (hundred & (above != wanted)).sum(axis=1) / np.maximum(hundred.sum(axis=1), 1)  # [segments]
        return float((size + TELLING * told + ASTRAY * astray).mean())


def describe_segments(score: GridScore, played: Timing, edges: Sequence[int]) -> NDArray[np.float64]:
    """The attributes in natural units [segments, K] of the last bars of a piece, which edges divide; those before them
    are of a piece that was gone on from."""
    before = score.bars - edges[-1]
    return np.stack([describe_bars(score, played, before + a, before + b) for a, b in pairwise(edges)])


def _continuing(request: Request, score: GridScore) -> Request:
    """Open the piece with the last bars of another; its own bars come after them, and those bars are told nothing."""
    key, words = open_words(score)
    before = np.full((score.bars, len(NAMES)), np.nan)
    return replace(
        request, targets=np.concatenate([before, request.targets]), bars=score.bars + request.bars, key=key,
        prefix=words,
    )  # fmt: skip


def sampling_of(option: EmogenOptions) -> Sampling:
    """How the words of a piece are drawn."""
    return Sampling(guidance=pull(option), temperature=option.temperature, top_p=option.top_p)
