"""What happens to music before a listener gets it: noise, hum, tone controls, a level, lossy files.

For fitting and for measuring how far readings stand it. Every change keeps the length and gives float32.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from affectgen.audio.files import Samples
from affectgen.audio.rooms import Room, in_room

BLOCK = 1 << 16  # frames a write: libsndfile fails on one large write of Vorbis
MP3_RATES = (64, 96, 128, 192)  # kbit/s
LIMIT = 1.0


@dataclass(frozen=True)
class Fate:
    """What befalls one recording, in this order. room: None for none; tilt: dB an octave about 700 Hz; noise: dB of
    signal over noise, None for none; pink: whether the noise falls 3 dB an octave; codec: "", "mp3" or "vorbis";
    kbits: of MP3; level: of the peak, dB of full scale; seed: of the noise.
    """

    room: Room | None = None
    tilt: float = 0.0
    noise: float | None = None
    pink: bool = True
    codec: str = ""
    kbits: int = 128
    level: float = -3.0
    seed: int = 0

    @classmethod
    def drawn(cls, chance: np.random.Generator) -> Fate:
        """Each of them in about half of all recordings, a codec in a third."""
        return cls(
            room=Room.drawn(chance) if chance.random() < 0.6 else None,
            tilt=float(chance.normal(0, 1.5)),
            noise=float(chance.uniform(15.0, 50.0)) if chance.random() < 0.5 else None,
            pink=bool(chance.random() < 0.7),
            codec=str(chance.choice(["", "", "", "", "mp3", "vorbis"])),
            kbits=int(chance.choice(MP3_RATES)),
            level=float(chance.uniform(-24.0, 0.0)),
            seed=int(chance.integers(1 << 31)),
        )


def degrade(samples: Samples, fate: Fate, rate: int) -> Samples:
    """The recording after its fate, float32 [N]."""
    sound = samples if fate.room is None else in_room(samples, fate.room, rate)
    if fate.tilt:
        sound = tilted(sound, fate.tilt, rate)
    if fate.noise is not None:
        sound = noisy(sound, fate.noise, fate.pink, fate.seed)
    sound = levelled(sound, fate.level)
    return through_codec(sound, rate, fate.codec, fate.kbits) if fate.codec else sound


def levelled(samples: Samples, level: float) -> Samples:
    """With its peak at so many dB of full scale; silence stays."""
    peak = float(np.abs(samples).max()) if len(samples) else 0.0
    return samples * np.float32(10 ** (level / 20) / peak) if peak > 0 else samples


def noisy(samples: Samples, over: float, pink: bool = True, seed: int = 0) -> Samples:
    """With noise `over` dB below the mean power of the samples."""
    from scipy.fft import irfft, next_fast_len, rfft

    if not len(samples):
        return samples
    noise = np.random.default_rng(seed).standard_normal(len(samples), dtype=np.float32)
    if pink:
        size = next_fast_len(len(noise), real=True)
        spectrum = rfft(noise, size)
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 20.0)).astype(np.float32)
        noise = irfft(spectrum, size)[: len(noise)]
    power, theirs = float((samples**2).mean()), float((noise**2).mean())
    return (samples + noise * np.float32(np.sqrt(power / theirs) * 10 ** (-over / 20))).astype(np.float32)


def tilted(samples: Samples, tilt: float, rate: int) -> Samples:
    """Brighter (tilt > 0) or duller by so many dB an octave about 700 Hz, from 60 Hz to 7 kHz."""
    from scipy.fft import irfft, next_fast_len, rfft

    if not len(samples):
        return samples
    size = next_fast_len(len(samples), real=True)
    spectrum = rfft(samples, size)
    hertz = np.clip(np.fft.rfftfreq(size, 1 / rate), 60.0, 7000.0)
    return irfft(spectrum * (10 ** (tilt * np.log2(hertz / 700.0) / 20)).astype(np.float32), size)[: len(samples)]


def through_codec(samples: Samples, rate: int, codec: str, kbits: int = 128) -> Samples:
    """Written as MP3 ("mp3", constant `kbits`) or Ogg Vorbis ("vorbis") and read again; peaks above 1 are clipped."""
    import soundfile

    form, subtype = {"mp3": ("MP3", "MPEG_LAYER_III"), "vorbis": ("OGG", "VORBIS")}[codec]
    more = {"bitrate_mode": "CONSTANT", "compression_level": mp3_level(kbits, rate)} if codec == "mp3" else {}
    store = io.BytesIO()
    with soundfile.SoundFile(store, "w", rate, 1, format=form, subtype=subtype, **more) as file:
        for first in range(0, len(samples), BLOCK):
            file.write(np.clip(samples[first : first + BLOCK], -LIMIT, LIMIT))
    store.seek(0)
    heard = soundfile.read(store, dtype="float32", always_2d=True)[0][:, 0]
    return np.pad(heard, (0, max(0, len(samples) - len(heard))))[: len(samples)]


def mp3_level(kbits: int, rate: int) -> float:
    """libsndfile's compression level, 0 to 1, for a constant bit rate: the highest rate at 0, the lowest at 1."""
    low, high = (32.0, 320.0) if rate >= 32000 else (8.0, 160.0)
    return float(np.clip((high - kbits) / (high - low), 0.0, 1.0))
