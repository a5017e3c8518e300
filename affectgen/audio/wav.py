"""WAV of our own, for files and for pipes: libsndfile cannot write to a pipe, and stamps float files with the time.

After Microsoft's "Multiple Channel Audio Data and WAVE Files" (WAVE_FORMAT_EXTENSIBLE above 16 bits or 2 channels) and
EBU Tech 3306 (RF64, for what 32-bit sizes do not hold).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Protocol

from affectgen.audio.files import Frames
from affectgen.audio.formats import Tags
from affectgen.audio.pcm import Rounder, checked, packed
from affectgen.errors import AffectgenError

MOST = 0xFFFFFFFF  # the largest 32-bit size, and the one that says "until the stream ends"
FIRST = 4096  # frames that go out together with the header of a stream, if so many come
WIDTHS = {"16": 2, "24": 3, "float": 4}  # bytes a sample
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
SUBFORMAT = bytes.fromhex("000000001000800000aa00389b71")  # the rest of a media type's GUID
SPEAKERS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x13F, 8: 0x63F}  # which there are, by channels
INFO = {"title": b"INAM", "artist": b"IART", "comment": b"ICMT"}


class Sink(Protocol):
    """What bytes are written to: a binary file, standard output's buffer."""

    def write(self, data: memoryview, /) -> int: ...
    def flush(self) -> None: ...


def wav_header(
    rate: int, channels: int, bits: str, frames: int | None, tags: Tags | None = None, room: bool = False
) -> bytes:
    """All that comes before the samples of a WAV file: 44 bytes for 16 bits in mono or stereo without tags.

    rate: samples a second; bits: "16", "24" or "float"; frames: how many follow, None for a stream of unknown length,
    whose sizes are 0xFFFFFFFF as sox, ffmpeg and soundfile expect. More than 4 GiB becomes RF64. room: keep the 36
    bytes free that RF64 needs, so that a header written over this one later has the same length.
    """
    block = WIDTHS[bits] * channels
    parts = [_format_chunk(rate, channels, bits, block)]
    if bits == "float":
        parts.append(_chunk(b"fact", struct.pack("<I", MOST if frames is None else min(frames, MOST))))
    parts.append(_tag_chunk(tags if tags is not None else Tags()))
    body = b"".join(parts)
    if frames is None:
        return b"RIFF" + struct.pack("<I", MOST) + b"WAVE" + body + b"data" + struct.pack("<I", MOST)
    data = frames * block
    total = 4 + 36 * room + len(body) + 8 + data + data % 2  # after the eight bytes of RIFF and its size
    if total > MOST:
        total += 36 * (not room)
        ds64 = _chunk(b"ds64", struct.pack("<QQQI", total, data, frames, 0))
        return b"RF64" + struct.pack("<I", MOST) + b"WAVE" + ds64 + body + b"data" + struct.pack("<I", MOST)
    junk = _chunk(b"JUNK", bytes(28)) if room else b""
    return b"RIFF" + struct.pack("<I", total) + b"WAVE" + junk + body + b"data" + struct.pack("<I", data)


def stream_wav(
    file: Sink, blocks: Iterable[Frames], rate: int, channels: int, bits: str = "16", frames: int | None = None
) -> int:
    """Write a WAV to a pipe as its sound comes, flushing each block; returns the frames written. The header goes with
    the first sound, for sox wants to see more than a header at its first look into a pipe.

    frames: how many will come, where that is known, for a header with true sizes; AffectgenError where other came.
    Nothing is sought, so `file` may be a pipe; BrokenPipeError passes through. Samples as `write_sound` stores them.
    """
    waiting = wav_header(rate, channels, bits, frames)
    rounder, written = Rounder(bits), 0
    for block in checked(blocks):
        if block.shape[1] != channels:
            raise AffectgenError(f"{block.shape[1]} channels came where {channels} were announced.", "Announce those.")
        waiting += packed(rounder(block), bits)
        written += len(block)
        if written > FIRST:
            _send(file, waiting)
            waiting = b""
    _send(file, waiting)
    if frames is not None and frames != written:
        raise AffectgenError(f"{written} frames came where {frames} were announced.", "Announce those, or none.")
    if frames is not None and frames * channels * WIDTHS[bits] % 2:
        _send(file, b"\0")
    return written


def _send(file: Sink, data: bytes) -> None:
    """Write all of it and flush."""
    rest = memoryview(data)
    while rest:  # a raw file may take a part only
        rest = rest[file.write(rest) :]
    file.flush()


def _chunk(name: bytes, data: bytes) -> bytes:
    """A RIFF chunk, padded to an even length."""
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def _format_chunk(rate: int, channels: int, bits: str, block: int) -> bytes:
    """What the samples are like."""
    tag = FLOAT if bits == "float" else PCM
    width = WIDTHS[bits] * 8
    wide = channels > 2 or bits == "24"
    data = struct.pack("<HHIIHH", EXTENSIBLE if wide else tag, channels, rate, rate * block, block, width)
    if wide:
        data += struct.pack("<HHIH", 22, width, SPEAKERS.get(channels, 0), tag) + SUBFORMAT
    elif tag == FLOAT:
        data += struct.pack("<H", 0)
    return _chunk(b"fmt ", data)


def _tag_chunk(tags: Tags) -> bytes:
    """The tags as a LIST of INFO chunks, UTF-8 as everybody writes it; nothing without tags."""
    entries = [_chunk(INFO[name], text.encode() + b"\0") for name, text in tags.given()]
    return _chunk(b"LIST", b"INFO" + b"".join(entries)) if entries else b""
