"""Pieces written before and after a training, with the same seeds: what a person listens to."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from affectgen.affect import Affect
from affectgen.audio.files import Frames
from affectgen.errors import AudioError
from affectgen.medicine.musicgen.interface import Row, Sampling
from affectgen.medicine.plan import prompt_for

RADIUS = 0.85  # of the circle the asked emotions lie on: four of them are the middles of the quadrants
TABLE = "samples.csv"
COLUMNS = ("file", "when", "seed", "valence", "arousal", "heard_valence", "heard_arousal", "prompt")


@dataclass(frozen=True)
class Samples:
    """count pieces of `seconds`, asked around the plane. style: words each prompt ends with; seed: of the first."""

    count: int
    seconds: float
    style: str
    seed: int

    def rows(self) -> list[Row]:
        """What is asked for."""
        found = []
        for number in range(self.count):
            angle = math.pi / 4 + 2 * math.pi * number / self.count
            affect = Affect(RADIUS * math.cos(angle), RADIUS * math.sin(angle))
            point = (affect.valence, affect.arousal)
            found.append(Row(prompt_for(affect, self.style), point, self.seed + number))
        return found


def write_samples(music: Any, samples: Samples, folder: Path, when: str) -> list[dict[str, str]]:
    """Write `WHEN-1.wav` and so on (16 bit) into a folder, and return a row of TABLE for each, with the valence and
    arousal that the shipped recogniser of music hears."""
    from affectgen.medicine.musicgen.decoding import generate

    rows = samples.rows()
    if not rows:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    shape = music.shape
    frames = min(shape.frames(samples.seconds), shape.most_frames)
    sounds = music.decode(generate(music, rows, frames, Sampling(), None))
    heard = listened(sounds, shape.rate)
    found = []
    for number, (row, sound, reading) in enumerate(zip(rows, sounds, heard, strict=True), start=1):
        name = f"{when}-{number}.wav"
        _write_wav(folder / name, sound, shape.rate)
        asked = (0.0, 0.0) if row.affect is None else row.affect
        points = [f"{value:.3f}" for value in asked] + (["", ""] if reading is None else [f"{v:.3f}" for v in reading])
        found.append(dict(zip(COLUMNS, (name, when, str(row.seed), *points, row.prompt), strict=True)))
    return found


def listened(sounds: Sequence[Frames], rate: int) -> list[tuple[float, float] | None]:
    """Valence and arousal of each sound as the recogniser hears it; None where it is silent or too short."""
    from affectgen.recognize.music import load_music_recogniser

    recogniser = load_music_recogniser()
    found: list[tuple[float, float] | None] = []
    for sound in sounds:
        try:
            reading = recogniser.read([sound.mean(axis=1)], rate)[0]
        except AudioError:  # nothing to hear is an answer, too
            found.append(None)
            continue
        found.append((reading.affect.valence, reading.affect.arousal))
    return found


def write_table(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """The table of samples."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of such a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write_wav(path: Path, sound: Frames, rate: int) -> None:
    """16-bit WAV, whole or not at all."""
    import soundfile

    part = path.with_name(f".{path.name}.part")
    soundfile.write(part, np.clip(sound, -1.0, 1.0), rate, format="WAV", subtype="PCM_16")
    part.replace(path)
