"""What the speech recognisers read of a clip: some three hundred statistics of how a voice sounds over time.

Descriptors of every 10 ms (pitch, level, cepstra, resonances, balance of harmonics, spectral shape) summed up over the
frames they are meant for, in the manner of openSMILE's sets (Eyben et al. 2010), and of time (syllables, pauses,
rhythm). Nothing depends on the level of a recording, on its length or on what lies above 5 kHz.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from affectgen.audio import f0, spectrum, voice
from affectgen.audio.files import Samples, is_silent, resampled
from affectgen.audio.spectrum import CEPSTRA, MEL_BANDS, RATE
from affectgen.errors import AudioError
from affectgen.recognize.speech_timing import SECOND, TIMING, timing

Floats = NDArray[np.float64]

FEATURES_VERSION = "1"
LEAST_SECONDS = 0.25
LEAST_VOICED = 3  # frames
DESCRIPTORS = 3 * CEPSTRA - 1
ACTIVE = -35.0  # dB under the loud frames: below, a frame is a pause

SHAPE = ("mean", "sd", "p10", "p50", "p90")
COURSE = ("p5", "p95", "slope", "bend", "step", "rise", "fall", "rising", "skew", "end")


def voice_frames(clip: Floats) -> tuple[dict[str, Floats], f0.Pitch, Floats]:
    """(descriptors of each frame by name, pitch, mel bands in dB); nan where a descriptor has no meaning; level in dB
    over the clip's own loud frames.
    """
    pitch = f0.track(clip)
    power = spectrum.power_spectra(clip)
    mel = spectrum.decibels(power @ spectrum.mel_filters().T)
    level = spectrum.decibels(spectrum.band_power(power, *spectrum.BAND))
    level = level - np.percentile(level, 95)
    active, voiced = level > ACTIVE, pitch.voiced
    silent, unvoiced = np.where(active, 0.0, np.nan), np.where(active & ~voiced, 0.0, np.nan)
    spoken = np.where(voiced, 0.0, np.nan)
    ceps = spectrum.cepstra(mel)
    shape = mel - mel.mean(axis=1, keepdims=True)
    found = {"pitch": pitch.semitones, "level": level + silent}
    strength = pitch.strength.clip(0.01, 0.99)
    found["harmonicity"] = 10 * np.log10(strength / (1 - strength)) + spoken
    at = np.flatnonzero(voiced)
    hertz, width = (np.full((len(level), voice.FORMANTS), np.nan) for _ in range(2))
    hertz[at], width[at] = voice.formants(clip, at)
    for number in range(voice.FORMANTS):
        found[f"formant{number + 1}"] = np.log(hertz[:, number])
        found[f"width{number + 1}"] = np.log(np.maximum(width[:, number], 10.0))
    found["h1h2"], found["h1a3"] = voice.harmonic_balance(power, pitch, hertz[:, 2])
    balance: dict[str, Floats] = {
        "alpha": spectrum.alpha_ratio(power),
        "hammarberg": spectrum.hammarberg(power),
        "low_slope": spectrum.slope(power, 60, 500),
        "mid_slope": spectrum.slope(power, 500, 1500),
        "high_slope": spectrum.slope(power, 1500, 5000),
        "centroid": np.log(spectrum.centroid(power)),
    }
    for name, values in balance.items():
        found[name], found[f"{name}_unvoiced"] = values + spoken, values + unvoiced
    found["flux"] = spectrum.flux(mel) + silent
    for number in range(1, CEPSTRA):
        found[f"cepstrum{number}"] = ceps[:, number] + spoken
        found[f"change{number}"] = _change(ceps[:, number]) + silent
    for number in range(MEL_BANDS):
        found[f"band{number}"] = shape[:, number] + silent
    return found, pitch, mel


def _change(values: Floats) -> Floats:
    """The slope over five frames, a frame."""
    padded = np.pad(values, 2, mode="edge")
    return (padded[3:-1] - padded[1:-3] + 2 * (padded[4:] - padded[:-4])) / 10


@dataclass(frozen=True)
class Described:
    """What is read of one clip. features: float64 [F] in the order of `feature_names`, nan where one has no meaning;
    frames: float16 [T, 38], cepstra of the frames that are no pauses and their first and second changes; voiced: s.
    """

    features: Floats
    frames: NDArray[np.float16]
    voiced: float


def describe(samples: Samples, rate: int) -> Described:
    """Read one clip, mono. AudioError for a clip that is too short, silent, without a voiced frame or with samples that
    are no numbers.
    """
    clip = checked(samples, rate)
    found, pitch, mel = voice_frames(clip)
    if pitch.voiced.sum() < LEAST_VOICED:
        raise AudioError("No voice is heard in the recording.", "Give one in which somebody speaks.")
    values: list[float] = []
    for name, series in found.items():
        values += _summary(series, _kind(name))
    rough = voice.roughness(clip, pitch)
    values += [np.log(rough.jitter + 1e-3), np.log(rough.jitter_sd + 1e-3), rough.shimmer]
    values += timing(found["level"], pitch, mel)
    frames = _cepstral(mel)[np.isfinite(found["level"])]
    return Described(np.array(values), frames.astype(np.float16), float(pitch.voiced.sum() / SECOND))


def _cepstral(mel: Floats) -> Floats:
    """Cepstra without the level, and the first and second changes of all, float64 [T, 38]."""
    ceps = spectrum.cepstra(mel)
    change = np.gradient(ceps, axis=0)
    return np.concatenate([ceps[:, 1:], change, np.gradient(change, axis=0)], axis=1)


def checked(samples: Samples, rate: int) -> Floats:
    """The clip at RATE with its loudest sample at 1. AudioError as above, but for what has no voiced frame."""
    if samples.ndim != 1:
        raise AudioError(f"A clip must be mono, not of shape {samples.shape}.", "Average its channels.")
    if len(samples) < LEAST_SECONDS * rate:
        raise AudioError(
            f"The recording lasts {len(samples) / rate:.2f} s; a voice is read from {LEAST_SECONDS} s on.",
            "Give a longer one.",
        )
    if not np.isfinite(samples).all():
        raise AudioError("The recording holds samples that are no numbers.", "Write it anew.")
    if is_silent(samples):
        raise AudioError("The recording is silent.", "Give one with a voice.")
    clip = np.asarray(resampled(samples, rate, RATE), dtype=np.float64)
    clip = clip - clip.mean()
    return clip / max(float(np.abs(clip).max()), 1e-9)


@lru_cache(maxsize=1)
def feature_names() -> tuple[str, ...]:
    """The statistics' names, [F]."""
    rng = np.random.default_rng(0)
    time = np.arange(RATE) / RATE
    clip = np.sin(2 * np.pi * 150 * time) + 0.01 * rng.normal(size=RATE)
    names: list[str] = []
    for name in voice_frames(clip)[0]:
        names += [f"{name}_{part}" for part in _PARTS[_kind(name)]]
    return (*names, "jitter", "jitter_sd", "shimmer", *TIMING)


def _kind(name: str) -> str:
    """How a descriptor is summed up."""
    if name in ("pitch", "level"):
        return "course"
    if name.startswith(("band", "change")) or name.endswith("_unvoiced"):
        return "spread"
    return "shape"


_PARTS = {"course": SHAPE + COURSE, "shape": SHAPE, "spread": ("mean", "sd")}


def _summary(series: Floats, kind: str) -> list[float]:
    """The statistics of one descriptor over the frames where it is known; nan for fewer than three."""
    values = series[np.isfinite(series)]
    if len(values) < LEAST_VOICED:
        return [float("nan")] * len(_PARTS[kind])
    found = [float(values.mean()), float(values.std())]
    if kind == "spread":
        return found
    found += np.percentile(values, (10, 50, 90)).tolist()
    return found if kind == "shape" else found + _course(series, values)


def _course(series: Floats, values: Floats) -> list[float]:
    """How a descriptor moves: COURSE, in its unit and a second."""
    time = np.flatnonzero(np.isfinite(series)) / SECOND
    centred = (time - time.mean()) / max(float(time.std()), 1e-6)
    bend = centred**2 - (centred**2).mean()
    step = np.diff(series)
    step = step[np.isfinite(step)] * SECOND
    step = step if len(step) else np.zeros(1)
    up, down = step[step > 0], step[step < 0]
    low, high = np.percentile(values, (5, 95))
    third = max(1, len(values) // 3)
    spread = max(float(values.std()), 1e-6)
    return [
        float(low),
        float(high),
        float((values * centred).mean() / max(float(time.std()), 0.05)),
        float((values * bend).mean()),
        float(np.abs(step).mean()),
        float(up.mean()) if len(up) else 0.0,
        float(down.mean()) if len(down) else 0.0,
        len(up) / len(step),
        float((((values - values.mean()) / spread) ** 3).mean()),
        float(values[-third:].mean() - values[:third].mean()),
    ]
