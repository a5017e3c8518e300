"""Labelled pieces as sound: rendered by several synthesisers, degraded at random, kept as pictures in a cache folder.

A rendering is settled by (clip, renderer, draw): the same three give the same sound. Renderers: "synth", the project's
own; "timgm" and "fluidr3", those SoundFonts played by tinysoundfont; "musescore", the grand piano of MuseScore General
played by the program FluidSynth with its own reverberation. Where a program or font is missing, AffectgenError.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.degrade import Fate, degrade, tilted
from affectgen.audio.files import Samples, read_mono
from affectgen.audio.mel import RATE, Picture, picture
from affectgen.audio.rooms import Room
from affectgen.audio.synth import Voice, render
from affectgen.errors import AffectgenError
from affectgen.recognize.corpus import Labelled
from affectgen.score.midi import write_notes
from affectgen.score.notes import CLIP_SECONDS, NoteArray

FONTS = Path("/usr/share/sounds/sf2")
TINY = {"timgm": "TimGM6mb.sf2", "fluidr3": "FluidR3_GM.sf2"}
MUSESCORE = "MuseScore_General_Full.sf2"
RENDERERS = ("synth", *TINY, "musescore")
PIANOS = (0, 0, 0, 1, 2, 3)  # programs of General MIDI, drawn in 55 % of renderings
OTHERS = (4, 5, 6, 8, 10, 11, 19, 24, 25, 46, 48)  # electric pianos, bells, organ, guitars, harp, strings
PIANO_SHARE = 0.55
LAYERS = (45, 65, 85)  # velocities between which notes have one colour
MOST_TILT = 4.0  # dB an octave by which notes of velocity 110 are brighter than those of 70
LEAD = 0.3  # seconds of silence, at most, before the first note
PLAIN = "plain"  # the draw without any degradation, on a grand piano
MEASURED = (PLAIN, "mp3", "noise", "room")  # draws that are measured: what befalls one and the same plain rendering

# notes -> samples at RATE, with a random generator and a program of General MIDI
_Player = Callable[[NoteArray, np.random.Generator, int], Samples]


@dataclass(frozen=True)
class Rendering:
    """clip: what was played and its labels; lead: seconds before the first note; picture: what is seen of it."""

    clip: Labelled
    lead: float
    picture: Picture


def renderings(clips: Sequence[Labelled], renderer: str, draw: str, cache: Path) -> list[Rendering]:
    """Each clip as `renderer` plays it: draw "plain", "mp3", "noise", "room", or a number for a random instrument and a
    random fate, with "bright" before it for pianos alone, whose soft notes are duller. Pictures are kept in
    cache/renderer/draw, a file a clip.
    """
    home = cache / renderer / draw
    home.mkdir(parents=True, exist_ok=True)
    player = _player(renderer)
    return [_rendering(clip, player, draw, home) for clip in _told(clips, f"{renderer} {draw}")]


def play(notes: NoteArray, renderer: str, seed: int = 0, program: int = 0) -> Samples:
    """Notes from their first on, 30 s, as mono samples at RATE: with a drawn voice where the renderer is "synth"."""
    return _player(renderer)(notes.from_zero().cut(), np.random.default_rng(seed), program)


def _rendering(clip: Labelled, player: _Player, draw: str, home: Path) -> Rendering:
    """From the cache, else played and put there."""
    kept = home / f"{clip.name}.npz"
    if not kept.is_file():
        if draw in MEASURED:
            _play_measured(clip, player, home.parent)
        else:
            _play_drawn(clip, player, draw, home)
    with np.load(kept, allow_pickle=False) as found:
        return Rendering(clip, float(found["lead"]), Picture(found["semitones"], found["mel"]))


def _play_drawn(clip: Labelled, player: _Player, draw: str, home: Path) -> None:
    """Play with a random instrument (draw "bright0" and the like: a piano whose soft notes are duller, by a random
    amount), after a random silence, degrade at random, and keep the picture."""
    chance = np.random.default_rng(crc32(f"{clip.name} {home.parent.name} {draw}".encode()))
    layered = draw.startswith("bright")
    program = int(chance.choice(PIANOS if layered or chance.random() < PIANO_SHARE else OTHERS))
    notes = clip.notes.from_zero().cut()
    sound = in_layers(notes, player, chance, program) if layered else player(notes, chance, program)
    lead = float(chance.uniform(0, LEAD))
    _keep(home, clip, np.pad(sound, (round(lead * RATE), 0)), Fate.drawn(chance), lead)


def _play_measured(clip: Labelled, player: _Player, home: Path) -> None:
    """Play on a grand piano, and keep the pictures of all MEASURED fates of the one sound."""
    seed = crc32(f"{clip.name} {home.name} {PLAIN}".encode())
    sound = player(clip.notes.from_zero().cut(), np.random.default_rng(seed), 0)
    fates = (Fate(), Fate(codec="mp3", kbits=64), Fate(noise=20.0, seed=seed), Fate(room=Room(0.8, -3.0, seed=seed)))
    for draw, fate in zip(MEASURED, fates, strict=True):
        (home / draw).mkdir(parents=True, exist_ok=True)
        _keep(home / draw, clip, sound, fate, 0.0)


def _keep(home: Path, clip: Labelled, sound: Samples, fate: Fate, lead: float) -> None:
    """The picture of what the fate leaves of a sound, as a file that appears whole or not at all."""
    seen = picture(degrade(sound[: round((CLIP_SECONDS + 0.5) * RATE)], fate, RATE))
    part = home / f".{clip.name}.{os.getpid()}.npz"
    np.savez_compressed(part, lead=lead, semitones=seen.semitones, mel=seen.mel)
    os.replace(part, home / f"{clip.name}.npz")


def in_layers(notes: NoteArray, player: _Player, chance: np.random.Generator, program: int) -> Samples:
    """Notes played in layers of force, the soft ones duller and the loud ones brighter, as on a piano of wood; fonts
    with one sample for all forces only make them softer and louder."""
    tilt = float(chance.uniform(0.0, MOST_TILT))
    layer = np.digitize(notes.velocity, LAYERS)
    parts = []
    for index in np.unique(layer):
        part = notes.pick(layer == index)
        sound = player(part, chance, program)
        parts.append(tilted(sound, tilt * (float(part.velocity.mean()) - 70.0) / 40.0, RATE))
    longest = max(len(part) for part in parts)
    return np.sum([np.pad(part, (0, longest - len(part))) for part in parts], axis=0, dtype=np.float32)


class _Synth:
    """The project's own synthesiser; a new voice each time."""

    def __call__(self, notes: NoteArray, chance: np.random.Generator, program: int) -> Samples:
        return render(notes, Voice.drawn(chance), RATE, int(chance.integers(1 << 31)))


class _Tiny:
    """A SoundFont played by tinysoundfont, without reverberation."""

    def __init__(self, font: Path) -> None:
        try:
            import tinysoundfont  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError as error:
            raise AffectgenError("tinysoundfont is missing.", "pip install --no-deps tinysoundfont") from error
        self.synth = tinysoundfont.Synth(samplerate=RATE, gain=0)
        self.font = self.synth.sfload(str(_there(font)))

    def __call__(self, notes: NoteArray, chance: np.random.Generator, program: int) -> Samples:
        self.synth.program_select(0, self.font, 0, program)
        starts = [(onset, 1, pitch, force) for onset, pitch, force in _columns(notes, notes.onset)]
        ends = [(end, 0, pitch, 0) for end, pitch, _ in _columns(notes, notes.onset + notes.duration)]
        parts, now = [], 0
        for time, starting, pitch, force in sorted([*starts, *ends]):
            wanted = int(time * RATE) - now
            if wanted > 0:
                parts.append(self._sound(wanted))
                now += wanted
            if starting:
                self.synth.noteon(0, pitch, force)
            else:
                self.synth.noteoff(0, pitch)
        parts.append(self._sound(RATE))
        self.synth.sounds_off()
        return np.concatenate(parts)

    def _sound(self, count: int) -> Samples:
        """The next samples, mono; copied, because the synthesiser uses the buffer again."""
        return np.frombuffer(bytes(self.synth.generate(count)), dtype=np.float32).reshape(-1, 2).mean(axis=1)


class _FluidSynth:
    """MuseScore General by the program FluidSynth."""

    def __init__(self, font: Path) -> None:
        if shutil.which("fluidsynth") is None:
            raise AffectgenError("The program fluidsynth is missing.", "Install it with the system's packages.")
        self.font = _there(font)

    def __call__(self, notes: NoteArray, chance: np.random.Generator, program: int) -> Samples:
        with tempfile.TemporaryDirectory() as folder:
            score, sound = Path(folder) / "a.mid", Path(folder) / "a.wav"
            score.write_bytes(write_notes(notes))
            options = ["-ni", "-q", "-g", "1", "-o", "synth.dynamic-sample-loading=1", "-r", str(RATE), "-O", "float"]
            line = ["fluidsynth", *options, "-T", "wav", "-F", str(sound), str(self.font), str(score)]
            subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            return read_mono(sound, RATE)


def _player(renderer: str) -> _Player:
    if renderer == "synth":
        return _Synth()
    if renderer in TINY:
        return _Tiny(FONTS / TINY[renderer])
    if renderer == "musescore":
        return _FluidSynth(FONTS / MUSESCORE)
    raise AffectgenError(f"There is no renderer {renderer!r}.", f"There are {', '.join(RENDERERS)}.")


def _there(font: Path) -> Path:
    if not font.is_file():
        raise AffectgenError(f"The SoundFont {font} is not there.", "Install it with the system's packages.")
    return font


def _columns(notes: NoteArray, times: NDArray[np.float64]) -> Iterator[tuple[float, int, int]]:
    return zip(times.tolist(), notes.pitch.tolist(), notes.velocity.tolist(), strict=True)


def _told(clips: Sequence[Labelled], what: str) -> Iterator[Labelled]:
    """The clips, with a count on standard error where that is a terminal."""
    for index, clip in enumerate(clips):
        if sys.stderr.isatty() and index % 50 == 0:
            sys.stderr.write(f"{what}: {index} of {len(clips)}\n")
        yield clip
