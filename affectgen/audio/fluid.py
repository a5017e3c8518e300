"""FluidSynth: a timeline as sound, through the library that pyfluidsynth finds (both LGPL, neither is required).

The library is called directly: pyfluidsynth's own rendering has 16 bits and would clip. FluidSynth works in blocks of
64 samples, so messages are sent at the nearest border of two blocks, at most 32 samples away from their time.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import io
import os
from collections.abc import Iterator
from ctypes import c_char_p, c_double, c_int, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Frames
from affectgen.audio.fonts import REMEDY, check_font
from affectgen.errors import AffectgenError
from affectgen.score.messages import Timeline

GRID = 64  # samples that FluidSynth renders at a time
BLOCK = 1 << 16  # frames that are handed over at once
TAIL_BLOCK = 1 << 12  # frames after which the tail is measured again
TAIL_SECONDS, TAIL_FADE = 10.0, 1.0  # the tail's greatest length, and how long it is faded out where that is reached
SILENT = 1e-4  # -80 dB of full scale
OWN_RATES = (22050, 96000)  # at which FluidSynth renders; other rates are resampled
USUAL_RATE = 44100
GAIN = 0.3  # a piano's loudest note reaches about -20 dB of full scale, a dense piece about -12 dB
LOG_LEVELS = range(5)
SETTINGS = {
    "synth.polyphony": 512,  # voices: what a dense piece under the pedal loses lies 55 dB below it
    "synth.reverb.active": 0,
    "synth.chorus.active": 0,
    "synth.cpu-cores": 1,
    "synth.threadsafe-api": 0,
    "synth.dynamic-sample-loading": 1,  # memory for the presets used only, not for the whole font
}
MISSING = "Install it: apt install fluidsynth (or brew, choco), and pip install pyfluidsynth."
# what the functions take, the synthesiser or the settings aside; each returns an int but those of NEW and GONE
TAKES: dict[str, tuple[Any, ...]] = {
    "fluid_settings_setint": (c_char_p, c_int),
    "fluid_settings_setnum": (c_char_p, c_double),
    "fluid_synth_sfload": (c_char_p, c_int),
    "fluid_synth_noteon": (c_int, c_int, c_int),
    "fluid_synth_noteoff": (c_int, c_int),
    "fluid_synth_cc": (c_int, c_int, c_int),
    "fluid_synth_program_change": (c_int, c_int),
    "fluid_synth_pitch_bend": (c_int, c_int),
    "fluid_synth_channel_pressure": (c_int, c_int),
    "fluid_synth_key_pressure": (c_int, c_int, c_int),
    "fluid_synth_write_float": (c_int, c_void_p, c_int, c_int, c_void_p, c_int, c_int),
}
NEW = {"new_fluid_settings": (), "new_fluid_synth": (c_void_p,)}
GONE = ("delete_fluid_settings", "delete_fluid_synth")
SUSTAIN, SOSTENUTO, NOTES_OFF = 64, 66, 123


def fluid_available() -> bool:
    """Whether pyfluidsynth and the library are there; loads no font."""
    try:
        _library()
    except AffectgenError:
        return False
    return True


def fluid_version() -> str:
    """FluidSynth's version, such as "2.3.1". AffectgenError where it is missing."""
    numbers = [c_int() for _ in range(3)]
    _library().fluid_version(*(ctypes.byref(number) for number in numbers))
    return ".".join(str(number.value) for number in numbers)


def play_fluid(timeline: Timeline, font: Path, rate: int) -> Iterator[Frames]:
    """The timeline as sound at `rate`, blocks of float32 [N, 2] from 0 s on, dry, not limited to full scale.

    At the timeline's end all keys and pedals go up; the sound ends where it falls below -80 dB, after 10 s at most.
    The same timeline, font and rate give the same bytes. AffectgenError where FluidSynth is missing or refuses the
    font, before anything is rendered.
    """
    library = _library()
    check_font(font)
    if OWN_RATES[0] <= rate <= OWN_RATES[1]:
        return _rendered(library, timeline, font, rate)
    return _resampled(_rendered(library, timeline, font, USUAL_RATE), rate)


def _resampled(blocks: Iterator[Frames], rate: int) -> Iterator[Frames]:
    import soxr

    resampler = soxr.ResampleStream(USUAL_RATE, rate, 2, dtype="float32")
    for block in blocks:
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.zeros((0, 2), dtype=np.float32), last=True)


def _rendered(library: ctypes.CDLL, timeline: Timeline, font: Path, rate: int) -> Iterator[Frames]:
    with _Synth(library, font, rate) as synth:
        grid = np.round(timeline.seconds * rate / GRID).astype(np.int64) * GRID
        borders = np.flatnonzero(np.diff(grid, prepend=-1))
        columns = (timeline.status, timeline.channel, timeline.first, timeline.second)
        messages = np.stack(columns, axis=1).astype(np.int64)
        at = 0
        for begin, stop in zip(borders, [*borders[1:], len(grid)], strict=True):
            yield from synth.render(int(grid[begin]) - at)
            at = int(grid[begin])
            for message in messages[begin:stop].tolist():
                synth.send(*message)
        yield from synth.render(round(timeline.end * rate / GRID) * GRID - at)
        synth.let_go()
        yield from synth.tail()


def _library() -> ctypes.CDLL:
    """The library, silent, its functions declared. AffectgenError where it or pyfluidsynth is missing.

    soundfile comes first: FluidSynth decodes the Vorbis samples of an .sf3 font with the libsndfile that the process
    has already, else with the system's, and the two may differ in the last bit.
    """
    try:
        importlib.import_module("soundfile")
        with contextlib.redirect_stdout(io.StringIO()):  # where $CI is set, pyfluidsynth prints what it found
            found: Any = importlib.import_module("fluidsynth")
        # an instance of our own, so that declaring functions changes none of pyfluidsynth's
        library = ctypes.CDLL(found._fl._name)
        for level in LOG_LEVELS:
            library.fluid_set_log_function(c_int(level), None, None)
        for name, takes in TAKES.items():
            getattr(library, name).argtypes = (c_void_p, *takes)
        for name, takes in NEW.items():
            getattr(library, name).argtypes = takes
            getattr(library, name).restype = c_void_p
        for name in GONE:
            getattr(library, name).argtypes = (c_void_p,)
            getattr(library, name).restype = None
    except (ImportError, OSError, AttributeError) as error:
        raise AffectgenError(f"FluidSynth cannot be used: {error}.", MISSING) from error
    return library


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Nothing of what C code prints to standard error: a library behind FluidSynth's loaders has its own log."""
    try:
        kept = os.dup(2)
    except OSError:  # standard error is closed
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class _Synth:
    """A synthesiser with one font and a buffer that it fills. Leaving the block frees it."""

    def __init__(self, library: ctypes.CDLL, font: Path, rate: int) -> None:
        self._library, self._rate = library, rate
        self._buffer: NDArray[np.float32] = np.zeros((BLOCK, 2), dtype=np.float32)
        self._filled = 0
        self._settings = library.new_fluid_settings()
        for name, value in SETTINGS.items():
            library.fluid_settings_setint(self._settings, name.encode(), value)
        library.fluid_settings_setnum(self._settings, b"synth.sample-rate", rate)
        library.fluid_settings_setnum(self._settings, b"synth.gain", GAIN)
        self._synth = library.new_fluid_synth(self._settings)
        with _silent():
            loaded = bool(self._synth) and library.fluid_synth_sfload(self._synth, os.fsencode(font), 1) >= 0
        if not loaded:
            self.__exit__()
            raise AffectgenError(f"FluidSynth cannot load the SoundFont {font}.", REMEDY)

    def __enter__(self) -> _Synth:
        return self

    def __exit__(self, *_: object) -> None:
        if self._synth:
            self._library.delete_fluid_synth(self._synth)
        self._library.delete_fluid_settings(self._settings)

    def send(self, status: int, channel: int, first: int, second: int) -> None:
        """One channel message."""
        library, synth = self._library, self._synth
        if status == 0x90 and second:
            library.fluid_synth_noteon(synth, channel, first, second)
        elif status in (0x80, 0x90):
            library.fluid_synth_noteoff(synth, channel, first)
        elif status == 0xA0:
            library.fluid_synth_key_pressure(synth, channel, first, second)
        elif status == 0xB0:
            # mode messages end notes; the modes themselves would take channels away
            library.fluid_synth_cc(synth, channel, min(first, NOTES_OFF), second)
        elif status == 0xC0:
            library.fluid_synth_program_change(synth, channel, first)
        elif status == 0xD0:
            library.fluid_synth_channel_pressure(synth, channel, first)
        elif status == 0xE0:
            library.fluid_synth_pitch_bend(synth, channel, second << 7 | first)

    def let_go(self) -> None:
        """All keys and pedals up."""
        for channel in range(16):
            for number in (SUSTAIN, SOSTENUTO, NOTES_OFF):
                self._library.fluid_synth_cc(self._synth, channel, number, 0)

    def render(self, frames: int) -> Iterator[Frames]:
        """Render so many frames, a multiple of GRID; whole blocks are handed over, the rest stays in the buffer."""
        while frames > 0:
            count = min(frames, BLOCK - self._filled)
            self._fill(count)
            frames -= count
            if self._filled == BLOCK:
                yield self.taken()

    def _fill(self, count: int) -> None:
        """Render into the buffer, which has room for so many frames."""
        left, right = 2 * self._filled, 2 * self._filled + 1
        place = self._buffer.ctypes.data
        self._library.fluid_synth_write_float(self._synth, count, place, left, 2, place, right, 2)
        self._filled += count

    def taken(self) -> Frames:
        """What the buffer holds; it is empty then."""
        found = self._buffer[: self._filled].copy()
        self._filled = 0
        return found

    def tail(self) -> Iterator[Frames]:
        """What the buffer holds, and what is still heard after it."""
        if self._filled:
            yield self.taken()
        limit = int(TAIL_SECONDS * self._rate) // TAIL_BLOCK * TAIL_BLOCK
        for at in range(0, limit, TAIL_BLOCK):
            self._fill(TAIL_BLOCK)
            piece = self.taken()
            left = (limit - at - np.arange(TAIL_BLOCK)) / (TAIL_FADE * self._rate)
            piece *= np.clip(left, 0.0, 1.0).astype(np.float32)[:, None]
            yield piece
            if float(np.abs(piece).max()) < SILENT:
                return
