"""A finished result that lies in a temporary file, for what is too large to be held in memory.

It has no name of its own yet: `Outputs.add` and `write_stdout` give it one, or send it on. The file goes with its
owner.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path

from affectgen.interrupts import held_back

PREFIX = "affectgen-"  # of the names of temporary files
CHUNK = 1 << 20  # bytes that are held at a time


class Spooled:
    """Owns the file at `path`: deleted by `close`, on leaving a `with` block, or when nothing refers to this any more.

    Nothing is written through this class: fill the file, then hand it over. It can be read as often as one likes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._remove = weakref.finalize(self, _unlink, str(path))

    @classmethod
    def empty(cls, suffix: str = "") -> Spooled:
        """A new empty file in the system's folder for temporary ones ($TMPDIR), readable by its user alone."""
        with held_back():
            handle, name = tempfile.mkstemp(suffix=suffix, prefix=PREFIX)
            os.close(handle)
            made = cls(Path(name))
        return made

    def __enter__(self) -> Spooled:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.path.stat().st_size

    def sha256(self) -> str:
        """SHA-256 of the bytes, 64 hexadecimal digits."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()

    def chunks(self) -> Iterator[bytes]:
        """The bytes in pieces of at most 1 MiB."""
        with open(self.path, "rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk

    def read(self) -> bytes:
        """All bytes at once."""
        return self.path.read_bytes()

    def close(self) -> None:
        """Delete the file; a second time does nothing."""
        with held_back():
            self._remove()


def _unlink(name: str) -> None:
    Path(name).unlink(missing_ok=True)
