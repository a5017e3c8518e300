"""The bank of the built-in piano: recorded tones of a grand piano, and what they become at each key and velocity.

The bank is a folder with samples.flac (the tones one after the other, stereo) and index.json (`affectgen.audio.repack`
writes both). A tone is recorded at the top velocity of its layer. Softer notes are the same tone through a low-pass
filter of second order (Butterworth), for a softly struck string lacks treble. Each tone is filtered for a few
velocities, the nodes; notes between two nodes are a mixture of both, whose phases hardly differ.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from affectgen.audio.files import Frames
from affectgen.errors import AudioError

HOME = Path(__file__).resolve().parent / "grand_piano"
REMEDY = "Install the package again."
SAMPLES, INDEX = "samples.flac", "index.json"
LISTS = ("cutoffs", "levels", "release")
LEVEL_SECONDS = 1.0  # of a tone from its start, over which its level is taken
MOST_BYTES = 32 << 20  # of tones that are kept at hand
GRAIN_SECONDS = 1.0  # the end of a tone that is repeated, ever softer, where a note outlasts the recording
GONE = -75.0  # dB from the start of a tone, below which it counts as over


@dataclass(frozen=True)
class Recorded:
    """A tone of the bank. low, high: keys that it plays; key: its own; start, frames: where it lies in samples.flac;
    scale: what its samples are multiplied by; fall: dB a second at its end; last: dB of its end over its first second;
    cutoffs: Hz of the filter for each node but the last; levels: dB over the velocities of the layer; release: dB a
    second by which the damper stops it, for each node.
    """

    low: int
    high: int
    key: int
    start: int
    frames: int
    scale: float
    fall: float
    last: float
    cutoffs: tuple[float, ...]
    levels: tuple[float, ...]
    release: tuple[float, ...]


@dataclass(frozen=True)
class Layer:
    """Tones of one force. top: its highest velocity; nodes: velocities at which tones are made, rising, the last is the
    recorded one; velocities: where levels and places are given; places: of each velocity among the nodes, 1.3 for a
    mixture of 0.7 of the second and 0.3 of the third.
    """

    top: int
    nodes: tuple[int, ...]
    velocities: tuple[int, ...]
    places: tuple[float, ...]
    tones: tuple[Recorded, ...]

    def recorded(self, key: int) -> Recorded:
        """The tone that plays a key; beyond the piano's ends the outermost."""
        inside = min(max(key, self.tones[0].low), self.tones[-1].high)
        return next(tone for tone in self.tones if tone.low <= inside <= tone.high)

    def mixture(self, velocity: int) -> dict[int, float]:
        """Node indices with their weights for a velocity; a weight below 0 is duller than the first node."""
        place = float(np.interp(velocity, self.velocities, self.places))
        lower = min(max(int(place), 0), max(len(self.nodes) - 2, 0))
        parts = {lower: 1.0 - (place - lower), lower + 1: place - lower}
        return {node: weight for node, weight in parts.items() if weight != 0.0}


class Bank:
    """A bank's tones; those used last stay at hand. rate: samples a second of all of them."""

    def __init__(self, home: Path = HOME) -> None:
        """AudioError where the folder holds no bank."""
        try:
            index = json.loads((home / INDEX).read_text(encoding="utf-8"))
            self.layers = tuple(_layer(layer) for layer in index["layers"])
            self.rate = int(index["rate"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AudioError(f"The piano in {home} cannot be read: {error}.", REMEDY) from error
        self._home = home
        self._tones: OrderedDict[tuple[int, int, int], Frames] = OrderedDict()
        self._bytes = 0

    def layer_of(self, velocity: int) -> int:
        """The index of the layer that plays a velocity."""
        return next(n for n, layer in enumerate(self.layers) if velocity <= layer.top or n == len(self.layers) - 1)

    def life(self, layer: int, key: int) -> int:
        """Samples after which nothing is left of a layer's tone at a key, held for ever."""
        recorded = self.layers[layer].recorded(key)
        whole = int(recorded.frames / 2.0 ** ((key - recorded.key) / 12))
        return whole + int(max(recorded.last - GONE, 0.0) / _fall(recorded, key) * self.rate)

    def tone(self, layer: int, key: int, node: int, length: int) -> Frames:
        """A layer's tone at a key and a node, at least its first `length` samples, float32 [N, 2]."""
        found = self._tones.pop((layer, key, node), None)
        if found is not None and len(found) < length:
            self._bytes -= found.nbytes
            found = None
        if found is None:
            found = self._make(layer, key, node, max(length, int(LEVEL_SECONDS * self.rate)))
            self._bytes += found.nbytes
        self._tones[layer, key, node] = found  # at the end: the first is the one not used for longest
        while self._bytes > MOST_BYTES and len(self._tones) > 1:
            self._bytes -= self._tones.popitem(last=False)[1].nbytes
        return found

    def _make(self, layer: int, key: int, node: int, length: int) -> Frames:
        recorded, last = self.layers[layer].recorded(key), len(self.layers[layer].nodes) - 1
        higher = 2.0 ** ((key - recorded.key) / 12)
        if node < last:
            return dulled(self.tone(layer, key, last, length), recorded.cutoffs[node] * higher, self.rate)
        whole = int(recorded.frames / higher)
        if length < whole:
            return self._at_key(recorded, higher, length + 1)
        return longer(self._at_key(recorded, higher, whole), length, _fall(recorded, key), self.rate)

    def _at_key(self, recorded: Recorded, higher: float, length: int) -> Frames:
        """About the first `length` samples of what is recorded, so many times higher in pitch, float32 [N, 2]."""
        import soundfile
        import soxr

        frames = min(int(length * higher) + 1, recorded.frames)
        try:
            with soundfile.SoundFile(str(self._home / SAMPLES)) as file:
                file.seek(recorded.start)
                samples = file.read(frames, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, OSError) as error:
            raise AudioError(f"The piano in {self._home} cannot be read: {error}", REMEDY) from error
        if samples.shape != (frames, 2):
            raise AudioError(f"The piano in {self._home} is damaged: {SAMPLES} is too short or not stereo.", REMEDY)
        sound = samples if higher == 1.0 else soxr.resample(samples, self.rate * higher, self.rate, quality="HQ")
        return np.asarray(sound, dtype=np.float32) * np.float32(recorded.scale)


def bank_digest(home: Path = HOME) -> str:
    """SHA-256 of the bank: of its samples, then its index."""
    found = sha256()
    for name in (SAMPLES, INDEX):
        found.update((home / name).read_bytes())
    return found.hexdigest()


def dulled(sound: Frames, cutoff: float, rate: int) -> Frames:
    """The sound through a Butterworth low-pass filter of second order, -3 dB at `cutoff` Hz, float32 [N, 2]."""
    from scipy.signal import butter, lfilter

    if cutoff >= 0.45 * rate:
        return sound
    ahead, back = butter(2, cutoff, fs=rate)
    return np.asarray(lfilter(ahead.astype(np.float32), back.astype(np.float32), sound, axis=0), dtype=np.float32)


def longer(sound: Frames, length: int, fall: float, rate: int) -> Frames:
    """A dying sound made as long as wanted, float32 [length, 2]: its last second comes again and again, made even in
    level, each time fading in as the one before ends, and goes on falling by `fall` dB a second.
    """
    grain = min(int(GRAIN_SECONDS * rate), len(sound) // 2)
    cross = grain * 2 // 5
    kept = len(sound) - cross
    last = sound[-grain:]
    early, late = (float((part.astype(np.float64) ** 2).mean()) + 1e-20 for part in np.array_split(last, 2))
    slope = 10 * np.log10(early / late) / (grain / 2)  # dB a sample: by how much it falls itself
    last = last * (10.0 ** ((np.arange(-grain, 0) + cross) * slope / 20)).astype(np.float32)[:, None]
    again = _looped(last, cross)
    place = np.arange(max(length - kept, 0))
    fading = (10.0 ** (place * (-fall / 20 / rate))).astype(np.float32)
    return np.concatenate([sound[:kept], again[place % len(again)] * fading[:, None]])


def _looped(last: Frames, cross: int) -> Frames:
    """What can follow all of `last` but its last `cross` samples, again and again: the end of it fading into its
    beginning, from where that is most like the end, so that tones do not cancel out; at one level throughout.
    """
    from scipy.signal import correlate

    end, begin = last[-cross:], last[:-cross]
    likeness = sum(correlate(begin[:, side], end[:, side], "valid", "fft") for side in range(last.shape[1]))
    first = int(np.argmax(likeness))
    begin = last[first : first + cross]
    alike = likeness[first] / (float(np.linalg.norm(begin)) * float(np.linalg.norm(end)) + 1e-20)
    angle = np.linspace(0, np.pi / 2, cross, dtype=np.float32)[:, None]
    joined = (end * np.cos(angle) + begin * np.sin(angle)) / np.sqrt(1 + alike * np.sin(2 * angle))
    return np.concatenate([joined, last[first + cross : len(last) - cross]]).astype(np.float32)


def _fall(recorded: Recorded, key: int) -> float:
    """dB a second by which a tone falls at its end; higher strings die away faster."""
    return recorded.fall * 2.0 ** ((key - recorded.key) / 24)


def _layer(held: dict[str, Any]) -> Layer:
    tones = [Recorded(**{**tone, **{name: tuple(tone[name]) for name in LISTS}}) for tone in held["tones"]]
    nodes, velocities, places = (tuple(held[name]) for name in ("nodes", "velocities", "places"))
    return Layer(held["top"], nodes, velocities, places, tuple(tones))
