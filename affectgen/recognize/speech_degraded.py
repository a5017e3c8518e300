"""How far speech is still read from worse recordings: noise, telephones, a room, lossy files, clipping.

None of these recordings was learnt from, and noises, rooms and filters are drawn from other seeds than those of
`affectgen.recognize.speech_wear`. Of kinds that a model has never heard are babble, GSM's codec, Opus and clipping.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from affectgen.audio.degrade import noisy, through_codec
from affectgen.audio.files import Samples, read_mono, resampled
from affectgen.audio.rooms import Room, in_room
from affectgen.audio.spectrum import RATE
from affectgen.errors import AffectgenError
from affectgen.recognize.speech_corpus import Clip, Table, read_table, tried
from affectgen.recognize.speech_features import Described
from affectgen.recognize.speech_wear import LINE, companded, mixed, same_length, through_file

TELEPHONE = (300.0, 3400.0)  # Hz
CLIPPED = 0.3  # of the peak
VOICES, SPREAD = 6, (0.75, 1.1)  # of babble: how many, and how much higher or lower each is
ROOM = Room(decay=0.45, wet=-5.0, dull=0.4)
SEED = 7919  # of all that is drawn here, beside the clip's name
UNHEARD = ("babble at 20 dB", "babble at 10 dB", "mobile telephone", "Opus at 12 kHz", "clipped")  # not learnt from
Make = Callable[[Samples, int], Samples]


def with_noise(samples: Samples, ratio: float, seed: int, pink: bool = False) -> Samples:
    """White or pink noise added, `ratio` dB below the mean power of the recording."""
    return noisy(samples, ratio, pink, seed)


def with_babble(samples: Samples, ratio: float, seed: int, voices: Sequence[Samples]) -> Samples:
    """Other people talking, `ratio` dB below: VOICES of the voices [N] at RATE, each from a place of its own."""
    chance = np.random.default_rng(seed)
    babble = np.zeros(len(samples))
    for choice in chance.choice(len(voices), VOICES):
        voice = resampled(voices[choice], RATE, RATE * float(chance.uniform(*SPREAD)))
        turned = np.roll(voice, int(chance.integers(len(voice))))
        babble += np.resize(turned, len(samples)) / max(float(np.sqrt((turned**2).mean())), 1e-9)
    return mixed(samples, babble, ratio)


def by_telephone(samples: Samples) -> Samples:
    """What is left of a recording at RATE by a fixed line: 300 to 3400 Hz, 8000 samples a second, mu law."""
    from scipy.signal import ellip, sosfilt

    narrow = resampled(samples, RATE, LINE)
    line = sosfilt(ellip(5, 0.5, 40, TELEPHONE, "band", fs=LINE, output="sos"), narrow)
    return same_length(resampled(companded(np.asarray(line, dtype=np.float64)), LINE, RATE), len(samples))


def by_mobile(samples: Samples) -> Samples:
    """What is left of a recording at RATE by GSM 06.10, 13 kbit/s."""
    return through_file(samples, RATE, "WAV", "GSM610", LINE)


def clipped(samples: Samples) -> Samples:
    """Cut off at CLIPPED of the peak."""
    peak = CLIPPED * float(np.abs(samples).max())
    return np.clip(samples, -peak, peak)


@dataclass(frozen=True)
class Damage:
    """name; make: a recording at RATE made worse, with a seed."""

    name: str
    make: Make


def damages(voices: Sequence[Samples]) -> tuple[Damage, ...]:
    """What is tried; voices [N] at RATE of people who babble."""
    return (
        Damage("white noise at 30 dB", lambda samples, seed: with_noise(samples, 30, seed)),
        Damage("white noise at 20 dB", lambda samples, seed: with_noise(samples, 20, seed)),
        Damage("pink noise at 10 dB", lambda samples, seed: with_noise(samples, 10, seed, pink=True)),
        Damage("babble at 20 dB", lambda samples, seed: with_babble(samples, 20, seed, voices)),
        Damage("babble at 10 dB", lambda samples, seed: with_babble(samples, 10, seed, voices)),
        Damage("telephone", lambda samples, seed: by_telephone(samples)),
        Damage("mobile telephone", lambda samples, seed: by_mobile(samples)),
        Damage("room", lambda samples, seed: in_room(samples, replace(ROOM, seed=seed), RATE)),
        Damage("MP3 at 24 kbit/s", lambda samples, seed: through_codec(samples, RATE, "mp3", 24)),
        Damage("Opus at 12 kHz", lambda samples, seed: through_file(samples, RATE, "OGG", "OPUS", 12000)),
        Damage("clipped", lambda samples, seed: clipped(samples)),
    )


def babblers(data: Path, count: int = 24) -> tuple[Samples, ...]:
    """Voices that babble: the first clips of LJ Speech, of which no model learns emotion. AffectgenError without it."""
    files = sorted((data / "ljspeech" / "flac").glob("*.flac"))[:count]
    if not files:
        raise AffectgenError(f"{data / 'ljspeech'} holds no clips.", "Give the folder that holds ljspeech/flac/.")
    return tuple(read_mono(file, RATE) for file in files)


def damaged(clips: Sequence[Clip], data: Path, cache: Path | None = None) -> dict[str, Table]:
    """The clips under each damage, by its name; those in which no voice is heard any more are left out."""
    kinds = {damage.name: damage for damage in damages(babblers(data))}
    marked = [replace(clip, name=f"{clip.name}~{name}") for name in kinds for clip in clips]

    def read(clip: Clip) -> Described:
        name, kind = clip.name.rsplit("~", 1)
        seed = zlib.crc32(name.encode()) + SEED
        return tried(kinds[kind].make(read_mono(clip.file, RATE), seed), RATE)

    table = read_table(marked, cache, read)
    which = np.array([clip.name.rsplit("~", 1)[1] for clip in table.clips])
    return {name: table.pick(which == name) for name in kinds}


def some_of(clips: Sequence[Clip], every: int) -> list[Clip]:
    """EMO-DB's whole, and of CREMA-D's those of the judge's speakers, one in `every`."""
    whole = [clip for clip in clips if clip.corpus == "emo_db"]
    return whole + [clip for clip in clips if clip.corpus == "crema_d" and clip.judges][::every]
