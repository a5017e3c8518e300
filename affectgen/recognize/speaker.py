"""Who speaks: a vector of each recording that lies near those of the same voice and away from others'.

Fisher vectors of cepstra over a mixture of Gaussians, projected to where speakers differ most for how much one speaker
varies between emotions, and compared by the cosine (Dehak et al., "Front-end factor analysis for speaker verification",
2011, whose mixture statistics, discriminant analysis and cosine these are). It hears 60-5000 Hz and no pitch. It only
measures: nothing is steered or chosen by it. Needs neither torch nor scikit-learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.audio import spectrum
from affectgen.audio.files import Samples, is_silent, resampled
from affectgen.errors import AudioError, CheckpointError
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.recognize.speech_fisher import Mixture

Floats = NDArray[np.float64]

SPEAKER, KIND, VERSION = "speaker", "speaker", "1"
COEFFICIENTS = 19  # cepstra 1 to 19 of 26 mel bands; the level, number 0, counts by its movement only
DESCRIPTORS = 2 * COEFFICIENTS + 1
RANGE = 30.0  # dB under a clip's loud frames: what is softer is no voice
REACH = 3  # frames on either side that a movement is measured over
LEAST_SECONDS = 0.25


@dataclass(frozen=True)
class SpeakerVerifier:
    """mixture: of DESCRIPTORS; mean: float64 [F], usual Fisher vector; axes: float64 [F, D], to where speakers differ;
    figures: error rates on speakers that it was not fitted on."""

    mixture: Mixture
    mean: Floats
    axes: Floats
    figures: dict[str, Any]

    def embed(self, clips: Sequence[Samples], rate: int) -> Floats:
        """A vector of length 1 of each mono clip, float64 [N, D]. AudioError for what is silent, shorter than 0.25 s or
        holds no numbers."""
        return self.embed_frames([descriptors(clip, rate) for clip in clips])

    def embed_frames(self, clips: Sequence[NDArray[np.floating[Any]]]) -> Floats:
        """The same from `descriptors` [T, DESCRIPTORS] of each clip."""
        return unit((self.mixture.vectors(clips) - self.mean) @ self.axes)

    def enrol(self, vectors: Floats) -> Floats:
        """The voice of several clips' vectors [N, D], float64 [D], of length 1."""
        voice: Floats = unit(vectors.mean(axis=0)[None])[0]
        return voice


def nearest(vectors: Floats, voices: Floats) -> NDArray[np.int64]:
    """Which of the voices [S, D] is the nearest to each vector [N, D], int64 [N]."""
    return np.asarray((vectors @ voices.T).argmax(axis=1), dtype=np.int64)


def unit(rows: Floats) -> Floats:
    """Rows [N, D] at length 1; zeros stay."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def descriptors(clip: Samples, rate: int) -> NDArray[np.float16]:
    """What is heard of a mono clip where a voice is, float16 [T, DESCRIPTORS]: cepstra and how they and the level move.

    AudioError for what is silent, shorter than 0.25 s, not mono or holds no numbers.
    """
    if clip.ndim != 1:
        raise AudioError(f"A clip must be mono, not of shape {clip.shape}.", "Average its channels.")
    if not np.isfinite(clip).all():
        raise AudioError("The recording holds samples that are no numbers.", "Write it anew.")
    if len(clip) < LEAST_SECONDS * rate or is_silent(clip):
        raise AudioError(f"{len(clip) / rate:.2f} s of sound hold no voice.", "Give at least 0.25 s of speech.")
    samples = resampled(np.asarray(clip, dtype=np.float32), rate, spectrum.RATE)
    mel = spectrum.decibels(spectrum.power_spectra(samples) @ spectrum.mel_filters().T)  # [T, 26]
    mel = np.maximum(mel, mel.max() - 80.0)
    found = mel @ _basis()  # [T, 20]
    level = found[:, 0] / np.sqrt(spectrum.MEL_BANDS)
    heard = level > np.percentile(level, 95) - RANGE
    moved = movement(found)
    return np.concatenate([found[:, 1:], moved], axis=1)[heard].astype(np.float16)


def movement(rows: Floats) -> Floats:
    """The slope of each column over REACH frames on either side, a frame, [T, D] (Furui 1986)."""
    padded = np.pad(rows, ((REACH, REACH), (0, 0)), mode="edge")
    steps = np.arange(1, REACH + 1)
    count = len(rows)
    total = sum(
        step * (padded[REACH + step : REACH + step + count] - padded[REACH - step : REACH - step + count])
        for step in steps
    )
    return np.asarray(total / (2 * (steps**2).sum()))


def _basis() -> Floats:
    """The orthonormal cosine transform from mel bands to coefficients 0 to COEFFICIENTS, [26, 20]."""
    places = (np.arange(spectrum.MEL_BANDS) + 0.5) * np.pi / spectrum.MEL_BANDS
    basis = np.cos(places[:, None] * np.arange(COEFFICIENTS + 1)) * np.sqrt(2 / spectrum.MEL_BANDS)
    basis[:, 0] *= np.sqrt(0.5)
    return np.asarray(basis)


def pack(verifier: SpeakerVerifier) -> dict[str, NDArray[Any]]:
    """What a checkpoint stores; `load_speaker_verifier` is the way back."""
    mixture = {name: np.asarray(getattr(verifier.mixture, name), np.float32) for name in Mixture.__dataclass_fields__}
    named = {f"mixture.{name}": value for name, value in mixture.items()}
    return named | {"mean": verifier.mean.astype(np.float16), "axes": verifier.axes.astype(np.float16)}


def load_speaker_verifier(name: str | Path = SPEAKER) -> SpeakerVerifier:
    """The shipped verifier, or the one in the folder `name`. CheckpointError if it is missing, damaged or another."""
    found = load_checkpoint(name)
    kind, version = found.config.get("kind"), found.config.get("version")
    if kind != KIND or version != VERSION:
        raise CheckpointError(
            f"{name} is a {kind!r} of version {version}; a {KIND!r} of version {VERSION} was expected.",
            "Fit it again: python -m affectgen.evaluate.speaker_fit",
        )
    arrays = {key: value.astype(np.float64) for key, value in found.arrays().items()}
    try:
        mixture = Mixture(*(arrays[f"mixture.{name}"] for name in Mixture.__dataclass_fields__))
        return SpeakerVerifier(mixture, arrays["mean"], arrays["axes"], found.config["figures"])
    except KeyError as error:
        raise CheckpointError(f"{name} is incomplete: it has no {error}.", "Install affectgen again.") from error
