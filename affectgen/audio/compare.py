"""How alike two renderings of the same music are, and whether a rendering holds the notes it should: for benchmarks,
tests and the fitting of the piano's bank.

Distances are taken on log-mel spectrograms, the first thing a listener's ear and every recogniser here make of a sound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Frames, Samples
from affectgen.audio.strikes import Strikes

Floats = NDArray[np.float64]
BANDS, LOWEST, HIGHEST = 80, 30.0, 16000.0  # mel bands, Hz
WINDOW, HOP = 2048, 512  # samples
FLOOR = 80.0  # dB below the loudest band, under which nothing is compared
CONTOUR_HOP = 0.05  # seconds
CONTOUR_FLOOR = 60.0
DIES, MIDDLE = 0.7, 48  # seconds in which a note at that key falls to 1/e of its amplitude, as chroma hears it
PITCH_WINDOW = 1 << 18  # samples of the padded spectrum in which partials are sought: 0.17 Hz at 44.1 kHz


def mono(sound: Frames) -> Samples:
    """The mean of the channels, float32 [N]."""
    return sound.mean(axis=1, dtype=np.float32) if sound.ndim == 2 else sound


def log_mel(sound: Frames, rate: int) -> Floats:
    """Energy in mel bands, dB, [80, T]."""
    import librosa

    power = librosa.feature.melspectrogram(
        y=mono(sound), sr=rate, n_fft=WINDOW, hop_length=HOP, n_mels=BANDS, fmin=LOWEST, fmax=HIGHEST
    )
    return 10 * np.log10(power + 1e-12)


def mel_distance(first: Frames, second: Frames, rate: int) -> float:
    """Mean distance in dB of two log-mel spectrograms, after their levels were made equal, over the cells in which
    either is less than 80 dB below the loudest."""
    length = min(len(first), len(second))
    one, two = log_mel(first[:length], rate), log_mel(second[:length], rate)
    two = two + 10 * np.log10(np.sum(10 ** (one / 10)) / np.sum(10 ** (two / 10)))
    floor = max(one.max(), two.max()) - FLOOR
    heard = (one > floor) | (two > floor)
    return float(np.abs(np.maximum(one, floor) - np.maximum(two, floor))[heard].mean())


def loudness_contour(sound: Frames, rate: int) -> Floats:
    """Level in dB every 50 ms, at most 60 dB below the loudest, [T]."""
    step = int(CONTOUR_HOP * rate)
    samples = mono(sound)[: len(sound) // step * step].astype(np.float64)
    level = 10 * np.log10((samples.reshape(-1, step) ** 2).mean(axis=1) + 1e-12)
    return np.maximum(level, level.max() - CONTOUR_FLOOR)


def contour_correlation(first: Frames, second: Frames, rate: int) -> float:
    """Pearson's correlation of two loudness contours."""
    length = min(len(first), len(second))
    return float(np.corrcoef(loudness_contour(first[:length], rate), loudness_contour(second[:length], rate))[0, 1])


def chroma_correlation(sound: Frames, strikes: Strikes, rate: int) -> float:
    """Pearson's correlation of the chroma of a sound with that of the notes it should hold, by seconds: the
    roots of the shares of the twelve pitch classes in the energy. NaN where either never changes, as in silence.

    A written note has the energy of its velocity squared and dies away, sooner the higher it is.
    """
    import librosa

    hop = HOP * 4
    heard = librosa.feature.chroma_cqt(y=mono(sound), sr=rate, hop_length=hop, norm=None).astype(np.float64) ** 2
    times = np.arange(heard.shape[1]) * hop / rate
    written = np.zeros_like(heard)
    for onset, stop, pitch, velocity in zip(strikes.onset, strikes.stop, strikes.pitch, strikes.velocity, strict=True):
        inside = slice(*np.searchsorted(times, (onset, max(stop, onset + 0.1))))
        lasts = DIES * 2.0 ** ((MIDDLE - pitch) / 24)
        written[pitch % 12, inside] += (velocity / 127) ** 2 * np.exp(-2 * (times[inside] - onset) / lasts)
    one, two = (_shares(chroma, max(1, round(rate / hop))) for chroma in (heard, written))
    if one.std() == 0 or two.std() == 0:
        return float("nan")
    return float(np.corrcoef(one.ravel(), two.ravel())[0, 1])


def _shares(chroma: Floats, columns: int) -> Floats:
    """Means over so many columns, as roots of shares; what is silent is nearly 0."""
    count = max(1, chroma.shape[1] // columns)
    means = chroma[:, : count * columns].reshape(12, count, -1).mean(axis=2)
    total = means.sum(axis=0)
    return np.sqrt(means / (total + 1e-6 * max(float(total.max()), 1e-12)))


def partials(sound: Frames, key: int, rate: int, count: int = 4) -> tuple[Floats, Floats]:
    """Hz and power of the first partials of a note at a MIDI key, each the strongest within 40 cents of where it should
    be."""
    samples = mono(sound).astype(np.float64)
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), PITCH_WINDOW)) ** 2
    found = []
    for rank in range(1, count + 1):
        hertz = 440.0 * 2 ** ((key - 69) / 12) * rank
        low, high = (int(hertz * 2 ** (cents / 1200) * PITCH_WINDOW / rate) for cents in (-40, 40))
        if high + 1 < len(power):
            peak = low + int(np.argmax(power[low : high + 1]))
            before, at, after = np.log(power[peak - 1 : peak + 2] + 1e-30)
            bend = before - 2 * at + after
            place = peak + (0.5 * (before - after) / bend if bend < 0 else 0.0)
            found.append((place * rate / PITCH_WINDOW, float(power[peak])))
    return np.array([hertz for hertz, _ in found]), np.array([strength for _, strength in found])


def cents_between(first: Frames, second: Frames, key: int, rate: int) -> float:
    """Median distance in cents of the partials of two renderings of a note, of those within 20 dB of the strongest."""
    (one, strength), (two, other) = partials(first, key, rate), partials(second, key, rate)
    clear = (strength > strength.max() / 100) & (other > other.max() / 100)
    return float(np.median(np.abs(1200 * np.log2(one[clear] / two[clear]))))
