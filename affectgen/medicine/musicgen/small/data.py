"""Sound to learn from: EMOPIA's training clips on the built-in piano, as WAV files with a table of labels.

Only songs of EMOPIA's training split are rendered; the songs that the project holds out of it for development
(`affectgen/score/split.py`) stay apart as "dev". The validation split belongs to the judge and is never touched.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from affectgen.affect.labels import quadrant
from affectgen.audio.files import Samples, read_mono
from affectgen.audio.strikes import Strikes, strikes_of
from affectgen.errors import AffectgenError
from affectgen.score.corpora import read_rows

RATE = 16000
GAIN = 6.0  # one for all clips, so that soft music stays softer; the loudest moment of all comes near full scale
LEAD = 0.04  # seconds kept before the first note: a frame of the codec
LOUDNESS_STEP = 8  # of MIDI velocity, to which those on the grid are rounded
TABLE = "labels.csv"  # as `affectgen medicine train` reads it
PARTS = ("train", "dev")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Clip:
    """One rendered clip. name: of its file, without suffix; song; part: "train" or "dev"; quadrant: "Q1" to "Q4"; key:
    as a caption has it ("C# minor")."""

    name: str
    song: str
    part: str
    quadrant: str
    key: str


@dataclass(frozen=True)
class Playing:
    """How clips are played. grid: seconds to whose multiples onsets and ends of the upper voice are rounded; None plays
    all voices as they were played; longest: seconds that are kept of a clip, None for all.

    One voice on a grid of the codec's frames sounds the same in every frame for which the same key has been down as
    long: a small language model can learn what follows. The phases of many tones begun anywhere it cannot.
    """

    grid: float | None = 0.04
    longest: float | None = 20.48


def render(data: Path, home: Path, playing: Playing, say: Say) -> list[Clip]:
    """Play every training clip of EMOPIA (`data`/emopia) to `home`/NAME.wav, mono 16 bits at RATE, and write its table.
    Files that are there already stay. AffectgenError where the data is not laid out as docs/training.md shows."""
    import soundfile  # the project's own writer holds to the rates that players know

    from affectgen.audio.bank import Bank

    home.mkdir(parents=True, exist_ok=True)
    bank, clips = Bank(), []
    for part in PARTS:
        for row in read_rows(data / "emopia", part):
            midi = data / "emopia" / "raw" / f"{row['clip']}.mid"
            if not midi.is_file():
                continue
            clips.append(Clip(row["clip"], row["song"], part, row["quadrant"], f"{row['key']} {row['mode']}"))
            path = home / f"{row['clip']}.wav"
            if not path.is_file():
                stage = path.with_suffix(".part")
                soundfile.write(stage, _played(midi, playing, bank), RATE, subtype="PCM_16", format="WAV")
                stage.replace(path)
            if len(clips) % 100 == 0:
                say(f"{len(clips)} clips rendered")
    if not clips:
        raise AffectgenError(f"{data}/emopia/raw holds no clip of clips.csv.", "docs/training.md shows the layout.")
    write_table(home, clips)
    return clips


def _played(midi: Path, playing: Playing, bank: object) -> NDArray[np.float32]:
    """One clip from just before its first note until the last has died away, or what is kept of it, float32 [N, 1]."""
    from affectgen.audio.piano import play_piano
    from affectgen.score.messages import read_timeline

    strikes = from_first_note(strikes_of(read_timeline(midi.read_bytes())), playing)
    sound = np.concatenate(list(play_piano(strikes, RATE, bank)))  # type: ignore[arg-type]
    kept = None if playing.longest is None else round(playing.longest * RATE)
    mono = sound[:kept].mean(axis=1, keepdims=True, dtype=np.float32)
    return np.clip(GAIN * mono, -1.0, 1.0)


def from_first_note(strikes: Strikes, playing: Playing) -> Strikes:
    """The strikes from LEAD before the first one on; their upper voice where there is a grid; no more than is kept."""
    first = float(strikes.onset[0]) - LEAD
    onset, stop = strikes.onset - first, strikes.stop - first
    moved = replace(strikes, onset=onset, stop=stop)
    if playing.grid is not None:
        moved = upper_voice(moved, playing.grid)
    return moved if playing.longest is None else picked(moved, np.flatnonzero(moved.onset < playing.longest))


def upper_voice(strikes: Strikes, grid: float) -> Strikes:
    """The highest of the keys struck at each point of a grid, each until it is let go or the next one is struck."""
    places = np.round(strikes.onset / grid).astype(np.int64)
    order = np.lexsort((-strikes.pitch, places))
    highest = order[np.r_[True, np.diff(places[order]) > 0]]
    chosen, place = picked(strikes, highest), places[highest]
    held = np.maximum(np.round(chosen.stop / grid).astype(np.int64), place + 1)
    until = np.minimum(held, np.r_[place[1:], held[-1:]])
    velocity = np.clip(np.round(chosen.velocity / LOUDNESS_STEP) * LOUDNESS_STEP, LOUDNESS_STEP, 127)
    onset, stop = np.float64(grid) * place, np.float64(grid) * until
    return replace(chosen, onset=onset, stop=stop, velocity=velocity.astype(np.int64))


def picked(strikes: Strikes, which: NDArray[np.int64]) -> Strikes:
    """Some of the strikes."""
    columns = {name: getattr(strikes, name)[which] for name in ("onset", "stop", "pitch", "velocity", "gain")}
    return replace(strikes, **columns)


def write_table(home: Path, clips: Sequence[Clip]) -> None:
    """`home`/labels.csv: file, valence and arousal (centres of quadrants), split, caption; and what else a clip has."""
    with (home / TABLE).open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(("file", "valence", "arousal", "split", "caption", "song", "quadrant", "key"))
        for clip in clips:
            at = quadrant(clip.quadrant)
            split = "train" if clip.part == "train" else "valid"
            rows.writerow((f"{clip.name}.wav", at.valence, at.arousal, split, caption(clip),
                           clip.song, clip.quadrant, clip.key))  # fmt: skip


def caption(clip: Clip) -> str:
    """What the base model is told of a clip: nothing that says how it feels or how fast it is."""
    return f"solo piano, {clip.key}"


def read_table(home: Path) -> list[Clip]:
    """The clips that `render` left in a folder. AffectgenError where there is no table, or one of another kind."""
    path = home / TABLE
    if not path.is_file():
        raise AffectgenError(f"{path} is not there.", "Render first: docs/musicgen_tiny.md.")
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    try:
        return [
            Clip(row["file"].removesuffix(".wav"), row["song"], "train" if row["split"] == "train" else "dev",
                 row["quadrant"], row["key"])
            for row in rows
        ]  # fmt: skip
    except KeyError as error:
        raise AffectgenError(f"{path} has no column {error}.", "Render anew into another folder.") from error


def sound_of(home: Path, clip: Clip) -> Samples:
    """A clip's samples, float32 [N] at RATE."""
    return read_mono(home / f"{clip.name}.wav", RATE)


def load_part(home: Path, part: str) -> Iterator[tuple[Clip, Samples]]:
    """The clips of one part, with their sound."""
    for clip in read_table(home):
        if clip.part == part:
            yield clip, sound_of(home, clip)


class Crops:
    """Random stretches of a set of sounds, drawn by their length, from one seed."""

    def __init__(self, sounds: Sequence[NDArray[np.int16]], size: int, seed: int, step: int = 1) -> None:
        """sounds: int16 [N] each; those shorter than `size` samples are left out. Stretches begin at whole steps."""
        self._sounds = [sound for sound in sounds if len(sound) >= size]
        if not self._sounds:
            raise AffectgenError(f"No clip is {size} samples long.", "Give longer clips.")
        room = np.array([len(sound) - size + 1 for sound in self._sounds], dtype=np.float64)
        self._shares, self._size, self._step = room / room.sum(), size, step
        self._chance = np.random.default_rng(seed)

    def draw(self, count: int) -> Tensor:
        """float32 [count, 1, size], full scale 1."""
        picked = self._chance.choice(len(self._sounds), size=count, p=self._shares)
        rows = []
        for index in picked:
            sound = self._sounds[index]
            start = self._step * int(self._chance.integers((len(sound) - self._size) // self._step + 1))
            rows.append(sound[start : start + self._size])
        return torch.from_numpy(np.stack(rows).astype(np.float32) / 32768)[:, None]


def whole_numbers(sound: Samples) -> NDArray[np.int16]:
    """Samples in 16 bits, for keeping hours of them in memory."""
    return np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)
