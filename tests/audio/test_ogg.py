"""Serial numbers of Ogg streams follow from the sound, and the checksums with them."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile

from affectgen.audio.ogg import settle_serial
from affectgen.errors import AudioError


def vorbis(subtype: str = "VORBIS") -> bytes:
    """A second of noise; another serial number each time."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, 0.1, (48_000, 2)).astype(np.float32)
    soundfile.write(buffer, noise, 48_000, format="OGG", subtype=subtype)
    return buffer.getvalue()


def settled(data: bytes) -> bytes:
    file = io.BytesIO(data)
    settle_serial(file)
    return file.getvalue()


def checksum(page: bytes) -> int:
    """RFC 3533's, bit by bit, with its own field as 0."""
    state = 0
    for byte in page[:22] + bytes(4) + page[26:]:
        state ^= byte << 24
        for _ in range(8):
            state = (state << 1 ^ (0x04C11DB7 if state >> 31 else 0)) & 0xFFFFFFFF
    return state


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_the_same_sound_gives_the_same_bytes_and_still_plays(subtype: str) -> None:
    first, second = vorbis(subtype), vorbis(subtype)
    assert settled(first) == settled(second) == settled(settled(first))
    before, after = (soundfile.read(io.BytesIO(data))[0] for data in (first, settled(first)))
    assert np.array_equal(before, after)
    assert len(after) == 48_000


def test_every_page_has_the_checksum_of_the_standard() -> None:
    data, start, pages = settled(vorbis()), 0, 0
    while start < len(data):
        table = data[start + 27 : start + 27 + data[start + 26]]
        page = data[start : start + 27 + len(table) + sum(table)]
        assert struct.unpack_from("<I", page, 22)[0] == checksum(page)
        start += len(page)
        pages += 1
    assert pages > 3


def test_what_is_no_single_ogg_stream_is_refused() -> None:
    with pytest.raises(AudioError, match="No Ogg page is at byte 0"):
        settled(b"RIFF" * 20)
    with pytest.raises(AudioError, match="several streams"):
        first = vorbis()
        settled(first + first[:14] + b"\1\2\3\4" + first[18:])
