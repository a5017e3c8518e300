"""How an outside converter is plugged in: `affectgen speech convert --engine NAME`.

A package declares it as an entry point of the group `affectgen.speech_converters`:

    [project.entry-points."affectgen.speech_converters"]
    mine = "my_package.converter:load"

`load(device)` returns a `Converter`; whatever is heavy is imported there. The converter gets the recording as one
channel and gives it back with another emotion; the file's rate, channels, bits and tags are this project's, and what
comes back is looked at before it is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AffectgenError, AudioError
from affectgen.speech.converting.convert import Converted
from affectgen.speech.plugins import Socket, faults_of
from affectgen.speech.target import Target

Floats = NDArray[np.float64]

SOCKET = Socket("affectgen.speech_converters", "converter", "convert")
SHORTEST, LONGEST = 0.25, 4.0  # times as long as the recording: outside of it, words are missing or added
FAINTEST = 1e-3  # of the recording's level: less is silence
LOUDEST = 8.0  # times full scale: more are numbers of another scale
APART = 0.01  # share of a channel's power that the mean of channels lacks, from which a person is told
REPORT = "Report it to its authors."


@dataclass(frozen=True)
class ConvertRequest:
    """One recording, and what is to be heard in it.

    samples: the mean of its channels, float64 [N], full scale 1; rate: samples a second, whatever the file has; target:
    its `affect` is a point with `valence` and `arousal` in [-1, 1], its `label` a word of
    `affectgen.recognize.speech_corpus.LABELS` ("anger", "sadness", ...), None where a bare point was asked for;
    strength: above 0, up to 2; 1 is what the emotion's typical speakers do; baseline: the speaker's neutral voice,
    float64 [M] at the same rate, None where the recording is to be taken for neutral.
    """

    samples: Floats
    rate: int
    target: Target
    strength: float = 1.0
    baseline: Floats | None = None


class Converter(Protocol):
    """A converter that is ready."""

    @property
    def name(self) -> str:
        """For the manifest: its name and version, and that of its weights."""
        ...

    def convert(self, request: ConvertRequest) -> NDArray[Any]:
        """The recording with the emotion: floats [M] at the request's rate, full scale 1, the same for the same
        request. AudioError for a recording that it can do nothing with."""
        ...


def converter_names() -> list[str]:
    """The converters that installed packages declare, sorted."""
    return SOCKET.names()


def load_converter(name: str, device: str = "cpu") -> Converter:
    """The converter of that name. UsageError where no package declares it; AffectgenError where it does not load."""
    return cast(Converter, SOCKET.load(name, device))


def converted_by(converter: Converter, channels: Floats, request: ConvertRequest) -> tuple[Converted, list[str]]:
    """The recording `channels` [N, C] as the converter changes it, [M, C], and what a person should know of it.

    request: with their mean. Each channel gets what came in the proportion in which it holds that mean, so one voice
    at several levels keeps them. AudioError where there is nothing to convert; AffectgenError where what came back
    cannot be used.
    """
    from affectgen.audio.files import is_silent

    if is_silent(request.samples.astype(np.float32)):
        raise AudioError("The recording is silent, or its channels cancel each other.", "Give one of a voice.")
    with faults_of(f"The converter {converter.name}"):
        came = np.asarray(converter.convert(replace(request, samples=request.samples.copy())))  # it may write there
    sound, told = checked_sound(came, request, converter.name), list[str]()
    gains, alike = _held(channels, request.samples)
    if not alike:
        told.append("The channels differ, and a converter hears and gives one: all have its sound now, at their level.")
    whole = sound[:, None] * gains
    peak = float(np.abs(whole).max())
    if peak > 1:
        whole = whole / peak
        told.append(f"The converter's sound was {20 * np.log10(peak):.1f} dB above full scale; it was turned down.")
    return Converted(whole, {"engine": converter.name, "strength": request.strength}), told


def checked_sound(came: Any, request: ConvertRequest, name: str) -> Floats:
    """What a converter gave, float64 [M]. AffectgenError where it is no array of one channel, holds what is no number,
    is silent, far too short or long, or on another scale."""
    who = f"The converter {name} gave"
    sound = np.asarray(came)
    if sound.ndim != 1 or sound.dtype.kind != "f" or not len(sound):
        text = f"{who} {sound.dtype} of shape {sound.shape}; floats of one channel were expected."
        raise AffectgenError(text, REPORT)
    if not np.isfinite(sound).all():
        raise AffectgenError(f"{who} samples that are no numbers.", REPORT)
    sound = sound.astype(np.float64)
    ratio = len(sound) / len(request.samples)
    if not SHORTEST <= ratio <= LONGEST:
        lasts = f"{len(sound) / request.rate:.2f} s of sound for {len(request.samples) / request.rate:.2f} s"
        raise AffectgenError(f"{who} {lasts}; {SHORTEST:g} to {LONGEST:g} times as long was expected.", REPORT)
    if np.abs(sound).max() > LOUDEST:
        text = f"{who} samples of up to {np.abs(sound).max():.3g}; 1 is full scale."
        raise AffectgenError(text, REPORT)
    if _level(sound) < FAINTEST * _level(request.samples):
        raise AffectgenError(f"{who} silence.", f"Try another --strength, or leave --engine out. {REPORT}")
    return sound


def _held(channels: Floats, mean: Floats) -> tuple[Floats, bool]:
    """How much of the mean [N] each of the channels [N, C] holds, [C], and whether they hold nothing else."""
    gains = channels.T @ mean / (mean @ mean)  # [C], least squares
    alike = True
    for channel, gain in zip(channels.T, gains, strict=True):
        alike &= bool(np.square(channel - gain * mean).sum() <= APART * np.square(channel).sum())
    return gains, alike


def _level(sound: Floats) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.square(sound).mean()))
