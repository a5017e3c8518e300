"""Writing sound to a file, block by block: WAV by hand, the other formats through libsndfile.

The same sound gives the same bytes, and whatever goes wrong with the disk is noticed. libsndfile says little of a full
disk, and python-soundfile less; so it writes into memory, and what it wrote there goes to the file from here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from affectgen.audio.files import Frames
from affectgen.audio.formats import Encoding
from affectgen.audio.id3 import id3_tag
from affectgen.audio.ogg import settle_serial
from affectgen.audio.pcm import Rounder, checked, packed, regular
from affectgen.audio.wav import WIDTHS, stream_wav, wav_header
from affectgen.errors import AffectgenError, AudioError
from affectgen.output import explain, shown

__all__ = ["stream_wav", "wav_header", "write_sound"]

LEFT = {"16": 16, "24": 8}  # bits by which libsndfile wants stored samples shifted


def write_sound(path: Path, blocks: Iterable[Frames], encoding: Encoding) -> int:
    """Write the sound to `path`, over what is there, and return the number of frames.

    blocks: float32 [N, C] of any lengths, full scale 1; what lies beyond is cut off there, except in WAV of floats.
    16 bits are dithered with noise of a fixed seed. `path` must be a real file, for example one from `Outputs.stage`,
    which removes it when this raises. Errors of the disk: AffectgenError; sound that is none, or empty: AudioError;
    more channels than the format holds: UsageError.
    """
    sound = regular(checked(blocks))
    first = next(sound, None)
    if first is None:
        raise AudioError(f"There is no sound to write to {shown(path)}.", "Look at what made it.")
    encoding.check_channels(first.shape[1])
    write = _write_wav if encoding.format.name == "wav" else _write_encoded
    with _Target(path) as target:
        frames = write(target, _chain(first, sound), first.shape[1], encoding)
        if encoding.format.container == "OGG":
            target.settle_serial()
    _verify(path, frames, target.size)
    return frames


def _chain(first: Frames, rest: Iterator[Frames]) -> Iterator[Frames]:
    yield first
    yield from rest


class _Target:
    """The file that is written. What fails on the disk is an AffectgenError from here on, and what fails elsewhere is
    not taken for it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = 0
        try:  # unbuffered, so that errors come from the write that met them
            self._file = open(path, "w+b", buffering=0)  # noqa: SIM115  # closed by __exit__
        except OSError as error:
            raise explain(error, path) from error

    def __enter__(self) -> _Target:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._file.close()
        except OSError as error:
            raise explain(error, self._path) from error

    def put(self, place: int, data: bytes) -> None:
        """Write all of `data` at that byte."""
        try:
            self._file.seek(place)
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise explain(error, self._path) from error
        self.size = max(self.size, place + len(data))

    def settle_serial(self) -> None:
        """Make the bytes depend on the sound alone."""
        try:
            settle_serial(self._file)
        except OSError as error:
            raise explain(error, self._path) from error


def _write_wav(target: _Target, sound: Iterator[Frames], channels: int, encoding: Encoding) -> int:
    """The samples after a header of zeros, then the header: a file cut short is no WAV at all."""
    bits, rounder, frames = encoding.depth, Rounder(encoding.depth), 0
    head = len(wav_header(encoding.rate, channels, bits, 0, encoding.tags, room=True))
    block = WIDTHS[bits] * channels
    target.put(0, bytes(head))
    for one in sound:
        target.put(head + frames * block, packed(rounder(one), bits))
        frames += len(one)
    if frames * block % 2:
        target.put(head + frames * block, b"\0")
    target.put(0, wav_header(encoding.rate, channels, bits, frames, encoding.tags, room=True))
    return frames


class _Memory:
    """A file object for libsndfile that keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._place = self._size = 0
        self._written: list[tuple[int, bytes]] = []

    def write(self, data: bytes) -> int:
        self._written.append((self._place, data))
        self._place += len(data)
        self._size = max(self._size, self._place)
        return len(data)

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        self._place = place + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        return self._place

    def tell(self) -> int:
        return self._place

    def move(self, target: _Target, start: int) -> None:
        """Write it where it belongs, in order, and forget it. start: the byte of the target that is its first."""
        for place, data in self._written:
            target.put(start + place, data)
        self._written.clear()


def _write_encoded(target: _Target, sound: Iterator[Frames], channels: int, encoding: Encoding) -> int:
    """Through libsndfile, block by block (one large write of Vorbis crashes it: python-soundfile, issue 426).

    It works in a thread of its own. Ctrl-C reaches the main thread only; in the calls that libsndfile makes back into
    Python it would be swallowed, and a piece of the file with it.
    """
    import soundfile

    memory, rounder, frames = _Memory(), Rounder(encoding.depth), 0
    shift = LEFT.get(encoding.depth, 0)
    level = encoding.format.levels.get(encoding.quality, {})
    settings: dict[str, Any] = {"format": encoding.format.container, "subtype": encoding.subtype, **level}
    own = id3_tag(encoding.tags) if encoding.format.name == "mp3" else b""
    if own:
        target.put(0, own)
    try:
        with ThreadPoolExecutor(1) as worker:
            file = worker.submit(soundfile.SoundFile, memory, "w", encoding.rate, channels, **settings).result()
            try:
                for name, text in () if own else encoding.tags.given():
                    setattr(file, name, text)
                for one in sound:
                    stored = rounder(one)
                    worker.submit(file.write, stored << shift if shift else np.clip(stored, -1.0, 1.0)).result()
                    frames += len(one)
                    memory.move(target, len(own))
            finally:
                worker.submit(file.close).result()
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{encoding.format.name} could not be written: {error}", "Choose another format.") from error
    memory.move(target, len(own))
    return frames


def _verify(path: Path, frames: int, size: int) -> None:
    """AffectgenError where the finished file is not as long as what was written, in bytes or by its own account."""
    import soundfile

    try:
        found = path.stat().st_size
        claimed = soundfile.info(str(path)).frames
    except OSError as error:
        raise explain(error, path) from error
    except soundfile.LibsndfileError as error:
        raise AffectgenError(f"{shown(path)} was not written well: {error}", "Try another disk.") from error
    if found != size or claimed != frames:
        text = f"{shown(path)} came out as {found} bytes and {claimed} frames, not {size} and {frames}."
        raise AffectgenError(text, "Try another disk.")
