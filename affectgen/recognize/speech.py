"""The emotion of speech: how listeners would label it, and where it lies on the plane.

A clip is read whole; a longer recording in windows of a few seconds, cut where it is quietest, whose readings are
averaged by how long they are voiced. What does not sound like speech is read with wide intervals.
Needs neither torch nor scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Samples
from affectgen.errors import AudioError
from affectgen.recognize.reading import Reading, mean_reading, readings
from affectgen.recognize.speech_corpus import LABELS
from affectgen.recognize.speech_features import LEAST_SECONDS, Described, describe
from affectgen.recognize.speech_model import Heard, SpeechModel, Verdict
from affectgen.recognize.speech_store import load
from affectgen.recognize.speechness import is_speech

Floats = NDArray[np.float64]

RECOGNISER, GUIDE, JUDGE = "speech-recogniser", "speech-guide", "speech-judge"
WHOLE = 6.0  # seconds: up to here a clip is one window
SHORTEST, LONGEST = 2.0, 5.0  # seconds of a window of a longer recording
QUIET = 0.05  # seconds: the length of the stretch by which the quietest place is found
SNIFFED = 6  # windows that are asked whether they are speech
MUSIC = 0.5  # probability of speech: below, the intervals widen, at 0 to everything


@dataclass(frozen=True)
class SpeechRecogniser:
    """model; figures: its own accuracy on unseen speakers."""

    model: SpeechModel
    figures: dict[str, Any]

    def read(self, clips: Sequence[Samples], rate: int, baseline: Samples | Heard | None = None) -> list[Reading]:
        """Read mono clips [N], float32 in [-1, 1] at `rate`; baseline: the speaker's own neutral voice, if given, as
        samples or, for many calls, as `hear` gives it.

        AudioError for one that is shorter than 0.25 s, silent, not mono, without a voice or with what is no number.
        """
        beside = hear(baseline, rate) if isinstance(baseline, np.ndarray) else baseline
        return [self._read([clip], rate, beside) for clip in clips]

    def read_blocks(self, pieces: Iterable[Samples], rate: int, baseline: Samples | Heard | None = None) -> Reading:
        """Read one recording of any length that comes in pieces (`affectgen.audio.files.blocks`), in bounded memory."""
        return self._read(pieces, rate, hear(baseline, rate) if isinstance(baseline, np.ndarray) else baseline)

    def _read(self, pieces: Iterable[Samples], rate: int, beside: Heard | None) -> Reading:
        """One recording."""
        found: list[Reading] = []
        seconds: list[float] = []
        speech: list[float] = []
        for window, described in _voiced(pieces, rate):
            if len(speech) < SNIFFED:
                speech.append(is_speech(window, rate))
            found += self.verdict_readings(self.model.read(_heard([described]), beside))
            seconds.append(described.voiced)
        reading = mean_reading(found, seconds)
        return widened(reading, float(np.mean(speech)))

    @staticmethod
    def verdict_readings(verdict: Verdict) -> list[Reading]:
        """A verdict as readings with label distributions."""
        plain = readings(*(rows.tolist() for rows in (verdict.points, verdict.quadrants, verdict.low, verdict.high)))
        return [
            replace(reading, labels=dict(zip(LABELS, map(float, row), strict=True)))
            for reading, row in zip(plain, verdict.shares, strict=True)
        ]


def load_speech_recogniser(name: str | Path = RECOGNISER) -> SpeechRecogniser:
    """The shipped recogniser, guide or judge of speech, or the one in the folder `name`. CheckpointError where it is
    missing, damaged or reads other statistics than this version computes.
    """
    model, config = load(name)
    return SpeechRecogniser(model, config["figures"])


def widened(reading: Reading, speech: float) -> Reading:
    """The reading with intervals towards the whole plane where the probability that it is speech is below MUSIC."""
    share = min(1.0, max(0.0, speech / MUSIC))
    low = tuple(share * end - (1 - share) for end in reading.low)
    high = tuple(share * end + (1 - share) for end in reading.high)
    one, two, three, four = (share * each + (1 - share) / 4 for each in reading.quadrants)
    return replace(reading, low=(low[0], low[1]), high=(high[0], high[1]), quadrants=(one, two, three, four))


def windows(pieces: Iterable[Samples], rate: int) -> Iterator[Samples]:
    """A recording in windows: whole up to WHOLE seconds, else SHORTEST to LONGEST long, cut at the quietest place."""
    rest = np.zeros(0, dtype=np.float32)
    for piece in pieces:
        if piece.ndim != 1:
            raise AudioError(f"A clip must be mono, not of shape {piece.shape}.", "Average its channels.")
        rest = np.concatenate([rest, piece])
        start = 0
        while len(rest) - start > WHOLE * rate:
            cut = start + _quietest(rest[start : start + round(LONGEST * rate)], rate)
            yield rest[start:cut]
            start = cut
        rest = rest[start:]
    yield rest


def _quietest(samples: Samples, rate: int) -> int:
    """The middle of the quietest stretch between SHORTEST seconds and the end."""
    size = max(1, round(QUIET * rate))
    first = round(SHORTEST * rate)
    count = (len(samples) - first) // size
    power = (samples[first : first + count * size].astype(np.float64).reshape(count, size) ** 2).mean(axis=1)
    return first + int(power.argmin()) * size + size // 2


def _voiced(pieces: Iterable[Samples], rate: int) -> Iterator[tuple[Samples, Described]]:
    """The windows in which a voice is heard, and what is read of them. AudioError where there is none, by the first
    window's fault, or where samples are no numbers.
    """
    fault: AudioError | None = None
    heard = False
    for window in windows(pieces, rate):
        if not np.isfinite(window).all():
            raise AudioError("The recording holds samples that are no numbers.", "Write it anew.")
        if heard and len(window) < LEAST_SECONDS * rate:
            continue
        try:
            described = describe(window, rate)
        except AudioError as error:
            fault = error if fault is None else fault
            continue
        heard = True
        yield window, described
    if not heard and fault is not None:
        raise fault


def hear(clip: Samples, rate: int) -> Heard:
    """What is read of every voiced window of a clip. AudioError as `SpeechRecogniser.read`."""
    return _heard([described for _, described in _voiced([clip], rate)])


def _heard(described: Sequence[Described]) -> Heard:
    """Windows as the model takes them."""
    frames = [np.asarray(one.frames, dtype=np.float64) for one in described]
    return Heard(np.stack([one.features for one in described]), frames)
