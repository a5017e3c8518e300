"""Valence and arousal of music as sound: judge, guide and the recogniser behind `affectgen rate`, with one interface.

A recording becomes a picture (`affectgen/audio/mel.py`); from it come statistics of its sound and, by a small
transcriber, of its notes (the statistics by which MIDI is read); perceptrons (guide, recogniser) or trees (judge) turn
both into valence, arousal and quadrants, as for MIDI. A recording in which hardly any tones are
heard (noise, one steady tone) reads neutral, all quadrants alike, with intervals as wide as the plane.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.affect.labels import LABELS_VERSION
from affectgen.audio.files import Samples, is_silent, resampled
from affectgen.audio.mel import RATE, Picture, picture
from affectgen.errors import AudioError, CheckpointError
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.recognize.features import feature_names, feature_table
from affectgen.recognize.intensity import Intensity
from affectgen.recognize.interval import Intervals
from affectgen.recognize.judge import FORESTS, Judge, Verdict
from affectgen.recognize.mlp import Perceptrons, affect_of
from affectgen.recognize.music_notes import Transcriber
from affectgen.recognize.music_statistics import statistic_names, statistics_of, tones_heard
from affectgen.recognize.reading import Reading, mean_reading, readings
from affectgen.recognize.trees import Forest
from affectgen.score.notes import CLIP_SECONDS, NoteArray

Floats = NDArray[np.float64]
KINDS = ("judge", "guide", "recogniser")
LEAST_SECONDS = 0.5
LEAST_TONES = 6  # that stand out in a window, below which it is no music that can be read: a sine has five at most
LEAST_LAST = 5.0  # seconds that a last window must have; a shorter one is left out, unless it is alone
FIT_AGAIN = "Fit it again: python -m affectgen.recognize.music_fit"


def music_names() -> list[str]:
    """The names of the columns of `music_statistics`: of the notes heard, then of the sound."""
    return [*(f"note_{name}" for name in feature_names()), *statistic_names()]


def music_statistics(seen: Picture, notes: NoteArray) -> Floats:
    """The statistics of one window: its picture and the notes heard in it. float64 [F]."""
    return np.concatenate([feature_table([notes])[0], statistics_of(seen)])


@dataclass(frozen=True)
class Ensemble:
    """The guide's and the recogniser's perceptrons."""

    model: Perceptrons

    def judge_statistics(self, statistics: Floats) -> Verdict:
        """As `Judge.judge_statistics`, of statistics [N, F]."""
        return Verdict(*affect_of(self.model.logits(statistics, np.ones(len(statistics), dtype=bool))))


@dataclass(frozen=True)
class MusicRecogniser:
    """transcriber: notes from sound; model: statistics to how sure it is; intensity: that to intensities; intervals:
    around these; figures: its accuracy on songs it had not heard.
    """

    transcriber: Transcriber
    model: Judge | Ensemble
    intensity: Intensity
    intervals: Intervals
    figures: dict[str, float] = field(default_factory=dict)

    def read(self, clips: Sequence[Samples], rate: int) -> list[Reading]:
        """Readings of mono recordings [N] at `rate` samples a second; one longer than 30 s by the mean of its windows.

        AudioError for a recording that is silent, shorter than half a second, or holds what is no number.
        """
        return [mean_reading(*self._windows(checked(clip, rate))) for clip in clips]

    def see(self, seen: Sequence[Picture]) -> list[Reading]:
        """Readings of pictures [N] of at most 30 s."""
        if not seen:
            return []
        found = self.judge_statistics(np.stack([self.statistics(one) for one in seen]))
        return [one if tones_heard(window) >= LEAST_TONES else UNREAD for one, window in zip(found, seen, strict=True)]

    def statistics(self, seen: Picture) -> Floats:
        """What the model reads of one picture, float64 [F]."""
        return music_statistics(seen, self.transcriber.notes(seen))

    def judge_statistics(self, statistics: Floats) -> list[Reading]:
        """Readings of windows given by their statistics [N, F], as `music_statistics` makes them."""
        verdict = self.model.judge_statistics(statistics)
        points = self.intensity(verdict.points)
        return readings(points, verdict.quadrants, *self.intervals(points))

    def _windows(self, samples: Samples) -> tuple[list[Reading], list[float]]:
        """Readings of consecutive windows of samples at RATE, and their seconds; silent ones are left out."""
        size = round(CLIP_SECONDS * RATE)
        parts = [samples[first : first + size] for first in range(0, len(samples), size)]
        kept = [part for part in parts if len(part) >= LEAST_LAST * RATE or len(parts) == 1]
        sounding = [part for part in kept if not is_silent(part)] or [samples[:size]]
        return self.see([picture(part) for part in sounding]), [len(part) / RATE for part in sounding]


UNREAD = readings([(0.0, 0.0)], [(0.25,) * 4], [(-1.0, -1.0)], [(1.0, 1.0)])[0]


def checked(samples: Samples, rate: int) -> Samples:
    """Samples at RATE, if they can be read. AudioError as `MusicRecogniser.read` says."""
    found = np.asarray(samples, dtype=np.float32)
    if found.ndim != 1:
        raise AudioError(f"Music must be given as mono samples, not of shape {found.shape}.", "Average the channels.")
    if len(found) < LEAST_SECONDS * rate:
        raise AudioError(
            f"{len(found) / rate:.2f} s of music is too short to read.", f"Give at least {LEAST_SECONDS:g} s."
        )
    if not np.isfinite(found).all():
        raise AudioError("The recording holds samples that are no numbers.", "Write it anew.")
    if is_silent(found):
        raise AudioError("The recording is silent.", "Give one in which something sounds.")
    return resampled(found, rate, RATE)


def load_music_recogniser(name: str | Path = "music-recogniser") -> MusicRecogniser:
    """The shipped recogniser, or that in the folder `name`. CheckpointError if it is missing, damaged or another."""
    return _loaded(name, "recogniser")


def load_music_guide(name: str | Path = "music-guide") -> MusicRecogniser:
    """The shipped guide, or that in the folder `name`. CheckpointError as above."""
    return _loaded(name, "guide")


def load_music_judge(name: str | Path = "music-judge") -> MusicRecogniser:
    """The shipped judge, or that in the folder `name`. CheckpointError as above."""
    return _loaded(name, "judge")


def stored(recogniser: MusicRecogniser) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """(arrays, part of the config) of what a checkpoint stores."""
    arrays: dict[str, NDArray[Any]] = dict(recogniser.transcriber.arrays())
    if isinstance(recogniser.model, Judge):
        for name in FORESTS:
            arrays |= getattr(recogniser.model, name).arrays(name)
    else:
        arrays |= {f"model.{name}": array for name, array in recogniser.model.model.arrays().items()}
    config = {
        "modality": "music",
        "statistics": music_names(),
        "labels_version": LABELS_VERSION,
        "intensity": recogniser.intensity.knots.tolist(),
        "intervals": recogniser.intervals.half.tolist(),
    }
    return arrays, config


def _loaded(name: str | Path, kind: str) -> MusicRecogniser:
    found = load_checkpoint(name)
    config = found.config
    if (config.get("modality"), config.get("kind")) != ("music", kind):
        raise CheckpointError(f"{name} is no {kind} of music.", "Name another.")
    if config.get("statistics") != music_names():
        raise CheckpointError(f"{name} reads other statistics than this version computes.", FIT_AGAIN)
    arrays = {n: a.astype(np.float64) if a.dtype == np.float32 else a for n, a in found.arrays().items()}
    build: Callable[[dict[str, NDArray[Any]]], Judge | Ensemble] = _judge if kind == "judge" else _ensemble
    return MusicRecogniser(
        Transcriber.of_arrays(arrays),
        build(arrays),
        Intensity(np.array(config["intensity"], dtype=np.float64)),
        Intervals(np.array(config["intervals"], dtype=np.float64)),
        config["figures"],
    )


def _judge(arrays: dict[str, NDArray[Any]]) -> Judge:
    return Judge(**{name: Forest.of_arrays(arrays, name) for name in FORESTS}, figures={})


def _ensemble(arrays: dict[str, NDArray[Any]]) -> Ensemble:
    return Ensemble(Perceptrons(**{n.removeprefix("model."): a for n, a in arrays.items() if n.startswith("model.")}))
