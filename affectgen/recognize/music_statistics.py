"""Some eighty statistics of a picture of sound, without any learned part: the judge's whole view, and timbre and
loudness for the others, who also read notes.

Mode and key come from pitch-class profiles of whitened semitone bands (Gomez 2006) by Krumhansl's correlation; onsets
from the rises of mel bands; all of them are finite for any picture, and none depends on the recording's level or key.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.mel import HOP, LOWEST, RATE, Picture, decibels
from affectgen.score.harmony import key_of

Floats = NDArray[np.float64]
Values = dict[str, float]
SECONDS = HOP / RATE
KEYS = slice(36 - LOWEST, 97 - LOWEST)  # semitone bands whose fundamentals tell harmony
NEIGHBOURS = 4  # bands to either side that a band must stand out of
CHORD_FRAMES = 20  # one triad a second
LAGS = slice(4, 41)  # frames: pulses of 0.2 to 2 s
TONE_FRAMES, TONE = 10, 14.0  # frames, and dB, that a tone stands out of its neighbours
QUIET = -50.0  # dB below the loudest at which a frame counts as silent


def statistic_names() -> tuple[str, ...]:
    """Names of the columns of `statistics_of`."""
    blank = np.zeros((8, 1), dtype=np.uint8)
    return tuple(_described(Picture(blank.repeat(98, axis=1), blank.repeat(40, axis=1))))


def statistics_of(seen: Picture) -> Floats:
    """The statistics of one picture of at least 8 frames, float64 [F]."""
    return np.array(list(_described(seen).values()), dtype=np.float64)


def _described(seen: Picture) -> Values:
    salience = salience_of(seen)
    return _loudness(seen) | _timbre(seen) | _onsets(seen) | _register(salience) | _key(salience)


def _moments(name: str, values: Floats, points: tuple[int, ...] = (10, 50, 90)) -> Values:
    found = {f"{name}_mean": float(values.mean()), f"{name}_sd": float(values.std())}
    return found | {f"{name}_p{p}": float(v) for p, v in zip(points, np.percentile(values, points), strict=True)}


def _mel(seen: Picture) -> Floats:
    return decibels(seen.mel).astype(np.float64)


def _loudness(seen: Picture) -> Values:
    """The course of the level: spread, peaks, silence, trend."""
    level = 10 * np.log10((10 ** (_mel(seen) / 10)).sum(axis=1))
    found = _moments("level", level - level.max())
    change = np.diff(level)
    found["level_change"] = float(np.abs(change).mean())
    found["level_rise"] = float(np.percentile(change, 95))
    found["silence"] = float((level - level.max() < QUIET).mean())
    slow = np.convolve(level, np.full(min(20, len(level)), 1 / min(20, len(level))), mode="valid")
    found["level_slow_sd"] = float(slow.std())
    place = np.linspace(-1, 1, len(level))
    found["level_trend"] = float((level - level.mean()) @ place / len(level))
    return found


def _timbre(seen: Picture) -> Values:
    """Shape of the mean spectrum, and of the loud moments' spectrum, in mel cepstra; the centroid's spread."""
    mel = _mel(seen)
    level = mel.mean(axis=1)
    loud = level >= np.percentile(level, 70)
    bands = mel.shape[1]
    basis = np.cos(np.arange(1, 7)[:, None] * (np.arange(bands) + 0.5) * np.pi / bands) * np.sqrt(2 / bands)
    found = {f"shape_{k + 1}": float(v) for k, v in enumerate(basis @ mel.mean(axis=0))}
    found |= {f"loud_shape_{k + 1}": float(v) for k, v in enumerate(basis @ mel[loud].mean(axis=0))}
    power = 10 ** (mel / 20)
    centroid = power @ np.arange(bands) / power.sum(axis=1)
    found |= _moments("centroid", centroid)
    height = centroid - centroid.mean()
    louder = level - level.mean()
    spread = float(height.std() * louder.std())
    found["brighter_when_louder"] = float((height * louder).mean() / spread) if spread > 1e-9 else 0.0
    return found


def _onsets(seen: Picture) -> Values:
    """How often and how sharply something is struck; how clear a pulse there is."""
    rise = onset_curve(seen)
    found = _moments("rise", rise, (50, 75, 90, 97))
    for name, least in (("soft", 0.25), ("middle", 0.5), ("hard", 1.0)):
        peaks = _peaks(rise, least * rise.std() + rise.mean())
        found[f"onsets_{name}"] = len(peaks) / (len(rise) * SECONDS)
    peaks = _peaks(rise, 0.5 * rise.std() + rise.mean())
    gaps = np.log(np.diff(peaks) * SECONDS) if len(peaks) > 2 else np.zeros(1)
    found |= _moments("gap", gaps)
    centred = rise - rise.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    lags = np.fft.irfft(power)[: len(centred)]
    chosen = lags[LAGS] / max(float(lags[0]), 1e-9)
    found["pulse_clarity"] = float(chosen.max()) if len(chosen) else 0.0
    found["pulse_period"] = float((LAGS.start + chosen.argmax()) * SECONDS) if len(chosen) else 0.0
    found["pulse_spread"] = float(chosen.std()) if len(chosen) else 0.0
    return found


def _register(salience: Floats) -> Values:
    """Where the fundamentals lie, by whitened bands [T, 61]."""
    weight = salience.sum(axis=0) + 1e-9
    key = np.arange(KEYS.start, KEYS.stop) + float(LOWEST)
    share = weight / weight.sum()
    mean = float(share @ key)
    found = {"register_mean": mean, "register_sd": float(np.sqrt(share @ (key - mean) ** 2))}
    for name, low, high in (("bass", 36, 48), ("tenor", 48, 60), ("alto", 60, 72), ("treble", 72, 97)):
        found[f"register_{name}"] = float(share[(key >= low) & (key < high)].sum())
    active = (salience > 6.0).sum(axis=1).astype(np.float64)
    found["voices_mean"], found["voices_sd"] = float(active.mean()), float(active.std())
    found["colour_change"] = float(np.abs(np.diff(salience, axis=0)).mean())
    top = np.where(active > 0, KEYS.stop + LOWEST - 1 - (salience[:, ::-1] > 6.0).argmax(axis=1), mean)
    found["top_mean"], found["top_sd"] = float(top.mean()), float(top.std())
    return found


def _key(salience: Floats) -> Values:
    """Mode, certainty of the key, degrees of the scale, major and minor triads second by second."""
    chroma = _folded(salience)  # [T, 12]
    weights = chroma.sum(axis=0)
    key = key_of(weights)
    profile = np.roll(weights, -key.tonic) / max(float(weights.sum()), 1e-9)
    found = {f"degree_{step}": float(value) for step, value in enumerate(profile)}
    found |= {"major_score": key.major_score, "minor_key": float(key.minor), "key_fit": key.fit}
    found["pitch_class_entropy"] = float(-(profile * np.log(profile + 1e-9)).sum())
    rows = len(chroma) // CHORD_FRAMES
    seconds = chroma[: rows * CHORD_FRAMES].reshape(rows, CHORD_FRAMES, 12).sum(axis=1) if rows else weights[None]
    seconds = seconds / (np.linalg.norm(seconds, axis=1, keepdims=True) + 1e-9)
    scores = seconds @ _triads().T  # [rows, 24]
    best = scores.argmax(axis=1)
    found["triads_minor"] = float((best >= 12).mean())
    found["triads_major_over_minor"] = float((scores[:, :12].max(axis=1) - scores[:, 12:].max(axis=1)).mean())
    found["triads_fit"] = float(scores.max(axis=1).mean())
    root = (best % 12 - key.tonic) % 12
    for name, degree in (("tonic", 0), ("fourth", 5), ("fifth", 7), ("sixth", 9)):
        found[f"triads_{name}"] = float((root == degree).mean())
    found["triads_flat"] = float(np.isin(root, (3, 8, 10)).mean())
    found["triad_changes"] = float((np.diff(best) != 0).mean()) if len(best) > 1 else 0.0
    intervals = [float((seconds * np.roll(seconds, step, axis=1)).sum(axis=1).mean()) for step in range(1, 7)]
    return found | {f"interval_{step}": value for step, value in enumerate(intervals, start=1)}


def tones_heard(seen: Picture) -> int:
    """How many semitone bands stand out clearly for half a second: many in music, none in noise, one in a sine."""
    salience = salience_of(seen)
    rows = max(1, len(salience) // TONE_FRAMES)
    slow = salience[: rows * TONE_FRAMES].reshape(rows, -1, salience.shape[1]).mean(axis=1)
    return int((slow.max(axis=0) >= TONE).sum())


def onset_curve(seen: Picture) -> Floats:
    """Mean rise of the mel bands from frame to frame, dB [T], falls not counted, silence below QUIET ignored."""
    mel = np.maximum(_mel(seen), QUIET)
    return np.r_[0.0, np.maximum(np.diff(mel, axis=0), 0.0).mean(axis=1)]


def salience_of(seen: Picture) -> Floats:
    """How far semitone bands stand out of their neighbours, and their overtones do likewise, dB [T, 61], at least 0."""
    levels = np.maximum(decibels(seen.semitones).astype(np.float64), QUIET - 10)
    width = 2 * NEIGHBOURS + 1
    padded = np.pad(levels, ((0, 0), (NEIGHBOURS, NEIGHBOURS)), mode="edge")
    sums = np.cumsum(np.pad(padded, ((0, 0), (1, 0))), axis=1)
    out = np.maximum(levels - (sums[:, width:] - sums[:, :-width]) / width, 0.0)
    beyond = np.pad(out, ((0, 0), (0, 24)))
    count = out.shape[1]
    octave, twelfth = beyond[:, 12 : 12 + count], beyond[:, 19 : 19 + count]
    below = np.pad(out, ((0, 0), (12, 0)))[:, :count]  # strong an octave below: perhaps only its overtone
    return np.maximum(out + 0.4 * octave + 0.3 * twelfth - 0.4 * below, 0.0)[:, KEYS]


def _folded(salience: Floats) -> Floats:
    """Bands of one pitch class added, from C, [T, 12]."""
    chroma = np.zeros((len(salience), 12))
    for band in range(salience.shape[1]):
        chroma[:, (LOWEST + KEYS.start + band) % 12] += salience[:, band]
    return chroma


def _triads() -> Floats:
    """Unit-length templates, twelve major, then twelve minor, [24, 12]."""
    table = np.zeros((24, 12))
    for root in range(12):
        table[root, [root, (root + 4) % 12, (root + 7) % 12]] = 1.0
        table[12 + root, [root, (root + 3) % 12, (root + 7) % 12]] = 1.0
    return table / np.sqrt(3.0)


def _peaks(curve: Floats, least: float) -> NDArray[np.int64]:
    """Frames where the curve has a peak of at least `least`, and of something."""
    inside = curve[1:-1]
    return 1 + np.flatnonzero((inside > curve[:-2]) & (inside >= curve[2:]) & (inside >= max(least, 1e-6)))

