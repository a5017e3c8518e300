"""Serial numbers of Ogg streams: libsndfile draws them at random, so the same sound would never give the same file.

They are replaced by a number drawn from the sound itself, and each page's checksum follows (RFC 3533). The checksum is
linear: a change of the serial changes it by an amount that depends only on the number of bytes that follow in the page.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from affectgen.errors import AudioError

HEAD = 27  # bytes of a page before its table of segments
SERIAL, CHECK = 14, 22  # where they are in a page
POLYNOMIAL = 0x04C11DB7


@dataclass(frozen=True)
class Page:
    """start: its place in the file; size: in bytes; serial; check: its checksum; body: what it carries."""

    start: int
    size: int
    serial: int
    check: int
    body: bytes


def settle_serial(file: BinaryIO) -> None:
    """Give the one stream in the open file (read and write) a serial number that only its contents decide.

    AudioError where it is no Ogg file, or one of several streams.
    """
    serial, old = 0, None
    for page in _pages(file):
        if old is not None and page.serial != old:
            raise AudioError("The Ogg file holds several streams; one was expected.", "Write them apart.")
        old = page.serial
        serial = zlib.crc32(page.body, serial)
    if old is None or old == serial:
        return
    changes = _Changes(old ^ serial)
    for page in _pages(file):
        file.seek(page.start + SERIAL)
        file.write(struct.pack("<I", serial))
        file.seek(page.start + CHECK)
        file.write(struct.pack("<I", page.check ^ changes.after(page.size - SERIAL - 4)))


def _pages(file: BinaryIO) -> Iterator[Page]:
    """The pages, one after the other."""
    start = 0
    while True:
        file.seek(start)
        head = file.read(HEAD)
        if not head:
            return
        if len(head) < HEAD or head[:4] != b"OggS":
            raise AudioError(f"No Ogg page is at byte {start}.", "Write the file anew.")
        table = file.read(head[26])
        body = file.read(sum(table))
        size = HEAD + len(table) + len(body)
        serial, _, check = struct.unpack_from("<III", head, SERIAL)
        yield Page(start, size, serial, check, body)
        start += size


class _Changes:
    """By how much a checksum changes with the serial number, for any number of bytes after it."""

    def __init__(self, difference: int) -> None:
        """difference: the old serial number xor the new one."""
        state = 0
        for byte in struct.pack("<I", difference):
            state = _shifted(state ^ byte << 24)
        self._after = [state]  # by how many bytes of 0 follow

    def after(self, count: int) -> int:
        """With so many bytes after the serial number."""
        while len(self._after) <= count:
            self._after.append(_shifted(self._after[-1]))
        return self._after[count]


def _shifted(state: int) -> int:
    """The register of the checksum after eight more bits of 0."""
    for _ in range(8):
        state = (state << 1 ^ (POLYNOMIAL if state & 0x80000000 else 0)) & 0xFFFFFFFF
    return state
