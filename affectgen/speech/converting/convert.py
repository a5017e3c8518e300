"""A whole recording with another emotion: what is said and who says it stay.

The voice is moved by the shift that exemplars of the emotion show (`affectgen.speech.converting.shifts`), by what a
predictor has learned, or by rules. A shift is tried gently first and then with more of it, until the emotion space
hears what was asked for: so a voice is changed no more than it takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AudioError
from affectgen.speech.target import Target

if TYPE_CHECKING:
    from affectgen.speech.converting.transfer import Recipe, Source
    from affectgen.speech.index.voices import Voices
    from affectgen.speech.space.model import EmotionSpace

Floats = NDArray[np.float64]

METHODS = ("retrieved", "learned", "rules")
LONGEST = 20.0  # seconds of a piece that is read and changed as one
SHORTEST = 6.0  # seconds of such a piece where a recording is longer
QUIET = 0.05  # seconds: the stretch by which the quietest place is found
MOST_TRIES = 5  # grades of a shift, see `_grades`
SURE = 2.5  # times the share of the next label that the target's must have, as the emotion space hears it, to be met
NEAR = 0.35  # of the plane: a point so far from the one asked for, as the emotion space hears it, is met


@dataclass(frozen=True)
class ConvertSettings:
    """method: of METHODS: by exemplars retrieved, by the learned predictor, by rules; strength: 0 is an exact copy, 1
    what the emotion's typical speakers do; tries: grades, from gentle to strong, up to MOST_TRIES, of which the first
    is kept that the emotion space hears as what was asked for, else the nearest; index: a database of voices, None for
    the shipped one; without: speakers whose voices are not taken."""

    method: str = "retrieved"
    strength: float = 1.0
    tries: int = MOST_TRIES
    index: Path | None = None
    without: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Converted:
    """samples: float64 [M] or [M, C], as the recording; facts: JSON-able, for manifests."""

    samples: Floats
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Tools:
    """What conversion by exemplars reads once, None for other methods. vectors: of the voices in the emotion space,
    [N, D], None where they are not known."""

    voices: Voices | None
    space: EmotionSpace | None
    vectors: Floats | None

    def alike(self, target: Target) -> Floats:
        """How near each voice is to a target in the emotion space, -1 to 1, [N]; 0 where that is not known."""
        if self.space is None or self.vectors is None:
            return np.zeros(0 if self.voices is None else len(self.voices))
        return np.asarray(self.vectors @ self.space.of_target(target.affect, target.label))


@lru_cache(maxsize=2)
def tools_for(index: Path | None, method: str, without: frozenset[str]) -> Tools:
    """The index and the emotion space. CheckpointError or AffectgenError where one is missing or damaged."""
    if method != "retrieved":
        return Tools(None, None, None)
    from affectgen.speech.index.voices import load_voices
    from affectgen.speech.space.model import load_space

    voices, space = load_voices(index), load_space()
    voices = voices.without_speakers(without) if without else voices
    return Tools(voices, space, voices.space_of(space))


def converted(
    samples: Floats, rate: int, target: Target, how: ConvertSettings, baseline: Floats | None = None
) -> Converted:
    """A recording [N] or [N, C], full scale 1, at `rate` with the emotion `target`. baseline: the speaker's neutral
    voice, mono, at the same rate; without one the recording is taken for neutral.

    AudioError for what is too short, silent, without a voice or no numbers.
    """
    from affectgen.speech.converting.prosody import measure
    from affectgen.speech.converting.transfer import applied

    sound = np.asarray(samples, dtype=np.float64)
    channels = sound if sound.ndim == 2 else sound[:, None]
    if how.strength == 0:
        return Converted(sound.copy(), {"method": how.method, "strength": 0.0})
    tools = tools_for(how.index, how.method, how.without)
    neutral = None if baseline is None else measure(baseline, rate)
    parts, facts, faults = [], [], []
    for start, end in pieces(channels.mean(axis=1), rate):
        piece = channels[start:end]
        try:
            source, recipe, told = _piece(piece.mean(axis=1), rate, target, how, tools, neutral)
        except AudioError as error:  # a pause between pieces with a voice stays as it is
            faults.append(error)
            parts.append(piece)
            continue
        parts.append(applied(recipe, source.voice, piece))
        facts.append(told)
    if not facts:
        raise faults[0]
    whole = np.concatenate(parts)
    return Converted(whole if sound.ndim == 2 else whole[:, 0], {"method": how.method, "pieces": facts})


def _piece(
    sound: Floats, rate: int, target: Target, how: ConvertSettings, tools: Tools, neutral: Floats | None
) -> tuple[Source, Recipe, dict[str, Any]]:
    """How one piece is changed, and what a manifest says of it."""
    from affectgen.speech.converting.transfer import ROUNDS, read_source, transferred

    source = read_source(sound, rate)
    if how.method == "learned":
        from affectgen.speech.predictor.hook import learned_recipe

        return source, learned_recipe(source, target, how.strength), {"strength": how.strength}
    home = source.own if neutral is None else neutral
    shift, names = _shift(target, home, tools)
    best: tuple[float, int, Floats, Recipe] | None = None
    for grade, moved in enumerate(_grades(shift, how, tools)):
        sound, recipe = transferred(source, how.strength * moved + home - source.own, ROUNDS)
        near, met = _nearness(sound, rate, target, tools.space)
        if best is None or near > best[0]:
            best = near, grade, moved, recipe
        if met:
            break
    if best is None:
        raise ValueError("one try at least is needed")
    told = _told(how.strength * best[2])
    return source, best[3], {"grade": best[1] + 1, "exemplars": list(names[:5]), "shift": told}


def _grades(shift: Floats, how: ConvertSettings, tools: Tools) -> list[Floats]:
    """The shift from gentle to strong, [P] each. Gentle is with less of what tells who speaks; rules have one grade."""
    from affectgen.speech.converting.shifts import Taken

    if tools.voices is None:
        return [shift]
    gentle = Taken(pitch=0.7, course=0.5, voiced=1.2, unvoiced=0.3, voiced_movement=0.2, unvoiced_movement=0.0)
    full = Taken()
    steps = ((0.6, gentle), (0.8, gentle), (1.0, gentle), (1.0, full), (1.3, full))
    return [factor * taken.of(shift) for factor, taken in steps[: how.tries]]


def _shift(target: Target, home: Floats, tools: Tools) -> tuple[Floats, Sequence[str]]:
    """The shift [P] for a voice whose neutral prosody is `home`, and the exemplars' names."""
    if tools.voices is None:
        from affectgen.speech.converting.rules import shift_by_rules

        return shift_by_rules(target, home), ()
    from affectgen.speech.converting.shifts import Retrieval, find_shift

    found = find_shift(target, tools.voices, home, Retrieval(), tools.alike)
    return found.shift, [str(name) for name in tools.voices.names[found.exemplars]]


def _nearness(sound: Floats, rate: int, target: Target, space: EmotionSpace | None) -> tuple[float, bool]:
    """How near a sound comes to the target, as the emotion space hears it (the larger, the nearer), and whether that is
    what was asked for."""
    from affectgen.recognize.speech_corpus import LABELS

    if space is None:
        return 0.0, True
    vector = space.of_speech([sound.astype(np.float32)], rate)
    if target.label is not None:
        shares, place = space.shares_of(vector)[0], LABELS.index(target.label)
        return float(shares[place]), bool(shares[place] >= SURE * np.delete(shares, place).max())
    away = float(np.hypot(*(space.points_of(vector)[0] - [target.affect.valence, target.affect.arousal])))
    return -away, away <= NEAR


def _told(shift: Floats) -> dict[str, float]:
    """A shift in figures that a person reads."""
    from affectgen.speech.converting.prosody import COURSE

    return {name: round(float(value), 3) for name, value in zip(COURSE, shift, strict=False)}


def pieces(sound: Floats, rate: int) -> Iterator[tuple[int, int]]:
    """[start, end) of the pieces of a recording [N] that are changed one by one, cut where it is quietest."""
    start, most, least = 0, round(LONGEST * rate), round(SHORTEST * rate)
    while len(sound) - start > most:
        size = max(1, round(QUIET * rate))
        part = sound[start + least : start + most]
        count = len(part) // size
        power = np.square(part[: count * size]).reshape(count, size).mean(axis=1)
        cut = start + least + int(power.argmin()) * size + size // 2
        yield start, cut
        start = cut
    yield start, len(sound)
