"""Finished clips of a session on disk, so that an interrupt or a crash loses at most the ones in hand.

A folder holds for each clip its sound (NNN.wav, floats) and what is known of it (NNN.json), which names the settings
that it was made with: a clip of other settings does not count. The JSON appears last, so a clip is whole or not there.
Its notes (NNN.mid) or codes (NNN.npz) lie beside it where the engine has such; codes of a clip that is being drawn are
in NNN.begun.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.files import Frames, frames_of
from affectgen.audio.formats import Encoding, format_named
from affectgen.audio.write import write_sound
from affectgen.errors import AffectgenError
from affectgen.output import explain

SUFFIX, FACTS, MIDI, CODES, PART = ".wav", ".json", ".mid", ".npz", ".part"
SEED = "seed"  # a file with the session's
BEGUN = ".begun"  # codes of a clip that is being drawn


@dataclass(frozen=True)
class Made:
    """A clip that is there. number: from 1; measured: valence and arousal by recogniser; details: of the engine."""

    number: int
    measured: Mapping[str, Any]
    details: Mapping[str, Any]


class Clips:
    """The folder of a session's clips."""

    def __init__(self, home: Path, settings: Mapping[str, Any]) -> None:
        """settings: whatever a clip depends on, but for what `key` is given. AffectgenError where the folder cannot be
        made."""
        self.home = home
        self._settings = json.dumps(settings, sort_keys=True)
        try:
            home.mkdir(exist_ok=True)
        except OSError as error:
            raise explain(error, home) from error

    def key(self, wanted: Any) -> str:
        """What identifies a clip: a hash of the session's settings and of what is wanted, a dataclass."""
        return sha256(f"{self._settings} {json.dumps(asdict(wanted), sort_keys=True)}".encode()).hexdigest()

    def find(self, number: int, key: str) -> Made | None:
        """The clip if it is there, whole, and was made with the same settings."""
        return self._facts(number, key, SUFFIX)

    def find_codes(self, number: int, key: str) -> tuple[Made, NDArray[np.int64]] | None:
        """The codes [K, T] of a clip, likewise."""
        made, found = self._facts(number, key, CODES), _unpacked(self._path(number, CODES))
        return None if made is None or found is None else (made, found[0])

    def keep(self, made: Made, key: str, sound: Frames, rate: int, midi: bytes | None) -> None:
        """Put a clip there. AffectgenError where the disk is full."""
        self.keep_sound(made.number, sound, rate)
        if midi is not None:
            self._write(self._path(made.number, MIDI), midi)
        self._keep_facts(made, key, SUFFIX)

    def keep_sound(self, number: int, sound: Frames, rate: int) -> None:
        """Put a clip's sound there, float32 [N, 2]. AffectgenError where the disk is full."""
        encoding = Encoding(format_named("wav"), "float", rate)
        self._place(self._path(number, SUFFIX), lambda part: write_sound(part, [sound], encoding))

    def mark(self, made: Made, key: str) -> None:
        """Say what the sound that is there is. AffectgenError where the disk is full."""
        self._keep_facts(made, key, SUFFIX)

    def keep_codes(self, made: Made, key: str, codes: NDArray[np.int64]) -> None:
        """Put the codes [K, T] of a clip there, which has no sound yet. AffectgenError where the disk is full."""
        self._write(self._path(made.number, CODES), _packed(codes, key))
        self._keep_facts(made, key, CODES)

    def keep_begun(self, number: int, key: str, codes: NDArray[np.int64]) -> None:
        """Put the first codes [K, T] of a clip there that is not done. AffectgenError where the disk is full."""
        self._write(self._path(number, BEGUN), _packed(codes, key))

    def find_begun(self, number: int, key: str) -> NDArray[np.int64] | None:
        """The first codes [K, T] of a clip that was begun with the same settings, None where there are none."""
        found = _unpacked(self._path(number, BEGUN))
        return None if found is None or found[1] != key else found[0]

    def _facts(self, number: int, key: str, suffix: str) -> Made | None:
        """What is known of a clip if its file has the size that it was written with; None for whatever else is there,
        so that the clip is made anew."""
        try:
            held = json.loads(self._path(number, FACTS).read_text(encoding="utf-8"))
            size = self._path(number, suffix).stat().st_size
            if held["key"] != key or held["bytes"] != size:
                return None
            return Made(number, dict(held["measured"]), dict(held["details"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _keep_facts(self, made: Made, key: str, suffix: str) -> None:
        """What makes the clip done."""
        size = self._path(made.number, suffix).stat().st_size
        facts = {"key": key, "bytes": size, "measured": made.measured, "details": made.details}
        self._write(self._path(made.number, FACTS), json.dumps(facts, indent=1).encode())
        self._path(made.number, BEGUN).unlink(missing_ok=True)

    def _write(self, path: Path, data: bytes) -> None:
        """A file, whole or not at all."""
        self._place(path, lambda part: part.write_bytes(data))

    def _place(self, path: Path, fill: Callable[[Path], object]) -> None:
        """A file that `fill` writes, whole or not at all. AffectgenError where that fails."""
        part = path.with_name(path.name + PART)
        try:
            fill(part)
            os.replace(part, path)
        except OSError as error:
            raise explain(error, path) from error
        finally:
            part.unlink(missing_ok=True)

    def load(self, number: int, rate: int) -> Frames:
        """A clip's sound, float32 [N, 2]. AffectgenError where it has gone or is damaged."""
        parts = list(frames_of(self._path(number, SUFFIX), rate))
        if not parts:
            raise AffectgenError(f"Clip {number} in {self.home} is empty.", "Delete it and run the command again.")
        return np.concatenate(parts)

    def remove(self, count: int) -> None:
        """Delete the first `count` clips, whatever other clips are finished there, and the folder if nothing else is in
        it."""
        others = [int(path.stem) for path in self.home.glob(f"*{FACTS}") if path.stem.isdecimal()]
        for number in {*range(1, count + 1), *others}:
            for suffix in (SUFFIX, FACTS, MIDI, CODES, BEGUN):
                self._path(number, suffix).unlink(missing_ok=True)
        (self.home / SEED).unlink(missing_ok=True)
        if self.home.is_dir() and not any(self.home.iterdir()):
            self.home.rmdir()

    def _path(self, number: int, suffix: str) -> Path:
        return self.home / f"{number:03d}{suffix}"


def _packed(codes: NDArray[np.int64], key: str) -> bytes:
    """Codes [K, T] and what they belong to, as a file."""
    held = io.BytesIO()
    np.savez_compressed(held, codes=codes.astype(np.int32), key=np.array(key))
    return held.getvalue()


def _unpacked(path: Path) -> tuple[NDArray[np.int64], str] | None:
    """The way back; None for what is not there, or is no such file."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            return held["codes"].astype(np.int64), str(held["key"])
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def kept_seed(home: Path) -> int | None:
    """The seed of the session whose clips are in a folder, None where there is none."""
    try:
        return int((home / SEED).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
