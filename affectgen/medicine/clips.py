"""Finished clips of a session on disk, so that an interrupt or a crash loses at most the ones in hand.

A folder holds for each clip its sound (NNN.wav, floats) and what is known of it (NNN.json), which names the settings
that it was made with: a clip of other settings does not count. The JSON appears last, so a clip is whole or not there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from affectgen.audio.files import Frames, frames_of
from affectgen.audio.formats import Encoding, format_named
from affectgen.audio.write import write_sound
from affectgen.errors import AffectgenError
from affectgen.output import explain

SUFFIX, FACTS, MIDI = ".wav", ".json", ".mid"


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
        try:
            held = json.loads(self._path(number, FACTS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if held.get("key") != key or not self._path(number, SUFFIX).is_file():
            return None
        return Made(number, held["measured"], held["details"])

    def keep(self, made: Made, key: str, sound: Frames, rate: int, midi: bytes | None) -> None:
        """Put a clip there. AffectgenError where the disk is full."""
        path = self._path(made.number, SUFFIX)
        write_sound(path, [sound], Encoding(format_named("wav"), "float", rate))
        try:
            if midi is not None:
                self._path(made.number, MIDI).write_bytes(midi)
            part = self._path(made.number, ".part")
            facts = {"key": key, "measured": made.measured, "details": made.details}
            part.write_text(json.dumps(facts, indent=1), encoding="utf-8")
            os.replace(part, self._path(made.number, FACTS))
        except OSError as error:
            raise explain(error, path) from error

    def load(self, number: int, rate: int) -> Frames:
        """A clip's sound, float32 [N, 2]. AffectgenError where it has gone or is damaged."""
        parts = list(frames_of(self._path(number, SUFFIX), rate))
        if not parts:
            raise AffectgenError(f"Clip {number} in {self.home} is empty.", "Delete it and run the command again.")
        return np.concatenate(parts)

    def remove(self) -> None:
        """Delete the clips, and the folder if nothing else is in it."""
        for path in sorted(self.home.glob("[0-9][0-9][0-9].*")):
            path.unlink(missing_ok=True)
        if self.home.is_dir() and not any(self.home.iterdir()):
            self.home.rmdir()

    def _path(self, number: int, suffix: str) -> Path:
        return self.home / f"{number:03d}{suffix}"
