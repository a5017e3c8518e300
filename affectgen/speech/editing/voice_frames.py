"""A recording of a voice as short frames: the spectral envelope of each, the sound it belongs to, and where in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.envelope import envelopes
from affectgen.audio.f0 import Floats
from affectgen.audio.spectrum import mel_triangles
from affectgen.audio.timemap import HOP
from affectgen.speech.aligning.alignment import FRICATIVES, PHONES, SILENCE, SONORANTS, STOPS, VOWELS, Alignment

STEP = 0.005  # seconds between frames
BANDS = 32  # mel bands that frames are compared in
CEPSTRA = 16  # coefficients of them, without the level
TOP = 7000.0  # Hz that are compared
NAMES = (SILENCE, *sorted(PHONES))
VOICELESS = frozenset(["CH", "F", "HH", "K", "P", "S", "SH", "T", "TH"])
NASALS = frozenset(["M", "N", "NG"])


@dataclass(frozen=True)
class VoiceFrames:
    """Frames each STEP. envelopes: dB [K, bins], level included; cepstra [K, CEPSTRA]; level: dB [K]; phone: index into
    NAMES, int [K]; place: 0 to 1, where in its phone, [K]; left, right: the phones around, int [K]; hertz: pitch, 0
    where unvoiced, [K]."""

    envelopes: Floats
    cepstra: Floats
    level: Floats
    phone: NDArray[np.int64]
    place: Floats
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    hertz: Floats

    def only(self, chosen: NDArray[np.bool_]) -> VoiceFrames:
        """The chosen frames, [K] bool."""
        return VoiceFrames(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def voice_frames(
    samples: Floats, rate: int, hertz: Floats, alignment: Alignment, start: float, end: float
) -> VoiceFrames:
    """The frames between two moments. samples: mono [N]; hertz: pitch each HOP of all the recording."""
    at = np.arange(start, end, STEP)
    pitch = pitch_at(hertz, at)
    found = envelopes(samples, rate, at, pitch)
    phone, place, left, right = labels_at(alignment, at)
    level, cepstra = cepstra_of(found, rate)
    return VoiceFrames(found, cepstra, level, phone, place, left, right, pitch)


def pitch_at(hertz: Floats, at: Floats) -> Floats:
    """The pitch of the nearest frame, Hz [K], 0 where unvoiced."""
    return np.asarray(hertz[np.clip(np.rint(at / HOP).astype(int), 0, len(hertz) - 1)], dtype=np.float64)


def labels_at(
    alignment: Alignment, at: Floats
) -> tuple[NDArray[np.int64], Floats, NDArray[np.int64], NDArray[np.int64]]:
    """(phone, place, left, right) at moments [K]; see `VoiceFrames`."""
    phones = alignment.phones
    ids = np.array([NAMES.index(one.name) if one.name in NAMES else 0 for one in phones], dtype=np.int64)
    starts, ends = np.array([one.start for one in phones]), np.array([one.end for one in phones])
    which = np.clip(np.searchsorted(starts, at, side="right") - 1, 0, len(phones) - 1)
    place = np.clip((at - starts[which]) / np.maximum(ends - starts, 1e-3)[which], 0.0, 1.0)
    around = np.r_[0, ids, 0]
    return ids[which], place, around[which], around[which + 2]


def cepstra_of(found: Floats, rate: int) -> tuple[Floats, Floats]:
    """(level in dB [K], mel cepstra [K, CEPSTRA]) of envelopes in dB [K, bins]."""
    hertz = np.linspace(0, rate / 2, found.shape[1])
    filters = mel_triangles((0.0, min(TOP, 0.48 * rate)), BANDS, hertz)  # [bands, bins]
    filters = filters / np.maximum(filters.sum(axis=1, keepdims=True), 1e-9)
    bands = 10 * np.log10(10 ** (found / 10) @ filters.T + 1e-12)  # [K, bands]
    order = np.arange(1, CEPSTRA + 1)[:, None]
    cosines = np.cos(np.pi * order * (np.arange(BANDS) + 0.5) / BANDS) * np.sqrt(2 / BANDS)
    return bands.mean(axis=1), bands @ cosines.T


def kind_of(name: str) -> int:
    """A number for what sort of sound it is: sounds of one sort can stand in for each other."""
    if name in VOWELS:
        return 1
    if name in NASALS:
        return 2
    if name in SONORANTS:
        return 3
    if name in FRICATIVES:
        return 4 if name in VOICELESS else 5
    if name in STOPS:
        return 6 if name in VOICELESS else 7
    return 0


KINDS = np.array([kind_of(name) for name in NAMES])
