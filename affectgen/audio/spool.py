"""Sound kept aside so that it can be read again: in memory while it is short, then in an unnamed temporary file.

Levelling has to know the loudness of the whole before it can write the first sample. A spool holds that whole in 32 MB
of memory at most, whatever the length, and leaves nothing behind.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType

import numpy as np

from affectgen.audio.files import BLOCK, Frames
from affectgen.errors import FULL, AffectgenError, AudioError

IN_MEMORY = 32 << 20  # bytes: 95 s of stereo at 44.1 kHz
SAMPLE = 4  # bytes of one


class Spool:
    """Float32 blocks of `channels` at `rate` samples a second, written once and read as often as wanted.

    A context manager: the sound is gone on leaving it, by whatever way. `frames` counts what was written.
    """

    def __init__(self, rate: int, channels: int) -> None:
        """rate: samples a second, from 1; channels: from 1. AudioError for less."""
        if rate < 1 or channels < 1:
            raise AudioError(f"A rate of {rate} with {channels} channels came, and both start at 1.", "Give both.")
        self.rate = rate
        self.channels = channels
        self.frames = 0
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (closed by __exit__)

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        with suppress(OSError):  # what a full disk did not take is tried once more on closing, and nobody wants it
            self._file.close()

    def write(self, block: Frames) -> None:
        """Append a block, float32 [N, channels]. AudioError for another shape or a sample that is no number;
        AffectgenError when the temporary folder is full or cannot be written.
        """
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise AudioError(f"A block of shape {block.shape} came, and [N, {self.channels}] was expected.", "")
        if not np.isfinite(block).all():
            raise AudioError("The sound holds samples that are no numbers.", "Make it anew.")
        data = np.ascontiguousarray(block, dtype=np.float32)
        try:
            self._file.seek(self.frames * self.channels * SAMPLE)
            self._file.write(data.data if data.size else b"")
            self._file.flush()  # so that a full disk shows here
        except OSError as error:
            raise _explained(error) from error
        self.frames += len(block)

    def blocks(self, size: int = BLOCK) -> Iterator[Frames]:
        """All of it from the start, float32 [<= size, channels], each block the caller's own. Several readers may take
        turns. AffectgenError when the temporary file cannot be read.
        """
        start = 0
        while start < self.frames:
            block = np.empty((min(size, self.frames - start), self.channels), dtype=np.float32)
            self._fill(block, start)
            start += len(block)
            yield block

    def _fill(self, block: Frames, start: int) -> None:
        """Read the frames from `start` on into the block, in as many reads as it takes."""
        rest = block.data.cast("B")
        try:
            self._file.seek(start * self.channels * SAMPLE)
            while rest:
                taken = self._file.readinto(rest)
                if not taken:
                    raise OSError(errno.EIO, "it ends early")
                rest = rest[taken:]
        except OSError as error:
            raise _explained(error) from error


def _explained(error: OSError) -> AffectgenError:
    """The sentence and hint for a failure of the temporary folder."""
    hint = "Free some space there, or set TMPDIR to another folder."
    try:
        folder = tempfile.gettempdir()
    except OSError:  # none of the usual folders can be written
        return AffectgenError("There is no temporary folder that can be written.", "Set TMPDIR to one.")
    if error.errno in FULL:
        return AffectgenError(f"No space is left in the temporary folder {folder}.", hint)
    return AffectgenError(f"The temporary folder {folder} failed: {error.strerror or error}.", hint)
