"""How far speech is still read from worse recordings: noise, a telephone's band, clipping; none was trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affectgen.audio.files import Samples, read_mono
from affectgen.audio.spectrum import RATE
from affectgen.errors import AudioError
from affectgen.recognize.speech_corpus import Clip, Table, read_clips
from affectgen.recognize.speech_features import describe
from affectgen.recognize.speech_figures import figures_of, read_all
from affectgen.recognize.speech_model import SpeechModel

TELEPHONE = (300.0, 3400.0)  # Hz
CLIPPED = 0.3  # of the peak
SHOWN = ("uar", "valence_r", "arousal_r", "valence_coverage", "arousal_coverage")


def with_noise(samples: Samples, ratio: float, seed: int) -> Samples:
    """White noise added, `ratio` dB below the mean power of the recording."""
    noise = np.random.default_rng(seed).normal(size=len(samples))
    return (samples + noise * np.sqrt((samples**2).mean()) * 10 ** (-ratio / 20)).astype(np.float32)


def by_telephone(samples: Samples) -> Samples:
    """What is left of a recording at RATE between 300 and 3400 Hz."""
    from scipy.signal import butter, sosfilt

    return np.asarray(sosfilt(butter(4, TELEPHONE, "band", fs=RATE, output="sos"), samples), dtype=np.float32)


def clipped(samples: Samples) -> Samples:
    """Cut off at CLIPPED of the peak."""
    peak = CLIPPED * float(np.abs(samples).max())
    return np.clip(samples, -peak, peak)


@dataclass(frozen=True)
class Damage:
    """name; make: a recording at RATE made worse."""

    name: str
    make: Callable[[Samples], Samples]


def damages(seed: int = 0) -> tuple[Damage, ...]:
    """What is tried, the recording as it is first."""
    return (
        Damage("as recorded", lambda samples: samples),
        Damage("noise at 30 dB", lambda samples: with_noise(samples, 30, seed)),
        Damage("noise at 20 dB", lambda samples: with_noise(samples, 20, seed)),
        Damage("telephone", by_telephone),
        Damage("clipped", clipped),
    )


def evaluate_degraded(data: Path, seed: int = 0, every: int = 5) -> list[tuple[str, float, int]]:
    """(name, value, clips): the shipped guide on the judge's speakers: EMO-DB whole, of CREMA-D one clip in `every`."""
    from affectgen.recognize.speech_store import load

    model = load("speech-guide")[0]
    clips = [clip for clip in read_clips(data) if clip.judges]
    parts = {
        "emo_db": [clip for clip in clips if clip.corpus == "emo_db"],
        "crema_d": [clip for clip in clips if clip.corpus == "crema_d"][::every],
    }
    rows: list[tuple[str, float, int]] = []
    for damage in damages(seed):
        for corpus, some in parts.items():
            rows += _rows(f"guide, {damage.name}: {corpus}", model, some, damage)
    return rows


def _rows(title: str, model: SpeechModel, clips: list[Clip], damage: Damage) -> list[tuple[str, float, int]]:
    """The figures of clips under one damage; clips in which no voice is heard any more are left out."""
    kept, found = [], []
    for clip in clips:
        try:
            found.append(describe(damage.make(read_mono(clip.file, RATE)), RATE))
        except AudioError:
            continue
        kept.append(clip)
    table = Table(tuple(kept), np.stack([one.features for one in found]), tuple(one.frames for one in found))
    figures = figures_of(read_all(model, table, 0))
    return [(f"{title}: {name}", figures[name], len(kept)) for name in SHOWN]
