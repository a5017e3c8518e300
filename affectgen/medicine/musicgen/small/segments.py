"""What the adapter learns from: the rendered clips cut to pieces, each with the emotion that the guide reads in it.

A clip's quadrant is one label for half a minute; the guide of MIDI reads valence and arousal of the notes of every
piece. The guide may steer; the judge, which measures the outcome, takes no part (`affectgen/recognize/guide.py`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from affectgen.audio.files import Samples, is_silent
from affectgen.medicine.musicgen.small.data import LEAD, RATE, TABLE, Clip, Say, load_part, whole_numbers
from affectgen.recognize.guide import Guide
from affectgen.score.midi import read_notes
from affectgen.score.notes import NoteArray

SECONDS = 10.24  # as long as the rows that the base model learned from
SPLITS = {"train": "train", "dev": "valid"}
CAPTION = "solo piano"
LEAST_NOTES = 5  # a piece with fewer says nothing
COLUMNS = ("file", "valence", "arousal", "split", "caption")


def pieces(data: Path, home: Path, part: str, seconds: float = SECONDS) -> Iterator[tuple[str, Samples, NoteArray]]:
    """(name, float32 [N], the notes that begin in it) of every whole piece with some notes, of the clips of one part.

    data: the folder with emopia/; home: what `render` left.
    """
    size = round(seconds * RATE)
    for clip, sound in load_part(home, part):
        notes = read_notes(_performance(data, clip))
        begins = float(notes.onset[0]) - LEAD
        for number, first in enumerate(range(0, len(sound) - size + 1, size)):
            heard = notes.between(begins + first / RATE, begins + (first + size) / RATE)
            if len(heard) >= LEAST_NOTES and not is_silent(sound[first : first + size]):
                yield f"{clip.name}-{number}.wav", sound[first : first + size], heard


def _performance(data: Path, clip: Clip) -> Path:
    return data / "emopia" / "raw" / f"{clip.name}.mid"


def write_segments(
    data: Path, home: Path, out: Path, guide: Guide, say: Say, seconds: float = SECONDS
) -> int:
    """Write the pieces of the clips in `home` to `out` as WAV, with a table for `affectgen medicine train`. Returns how
    many there are."""
    import soundfile

    out.mkdir(parents=True, exist_ok=True)
    rows: list[tuple[str, float, float, str, str]] = []
    for part, split in SPLITS.items():
        names, heard = [], []
        for name, sound, notes in pieces(data, home, part, seconds):
            soundfile.write(out / name, whole_numbers(sound), RATE, subtype="PCM_16")
            names.append(name)
            heard.append(notes)
        read = guide.rate(heard).round(4).tolist() if heard else []
        rows += [(name, *point, split, CAPTION) for name, point in zip(names, read, strict=True)]
    with (out / TABLE).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    spread = np.array([row[1:3] for row in rows]).reshape(-1, 2).std(axis=0)
    say(f"{len(rows)} pieces; standard deviation of valence {spread[0]:.2f}, of arousal {spread[1]:.2f}")
    return len(rows)
