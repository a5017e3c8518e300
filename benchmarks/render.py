"""How fast MIDI becomes sound, how alike the built-in piano and FluidSynth are, and whether the right notes are heard.

    python benchmarks/render.py            prints the figures
    python benchmarks/render.py --write    also puts them into docs/results.md, between the render marks
    python benchmarks/render.py --midi a.mid --midi b.mid    compares on these pieces as well

Speed and memory: a dense piece of three minutes, with the pedal down in every bar, rendered by each renderer in a
process of its own, on one core; nothing is kept of the sound. Likeness: the same font that the built-in piano's tones
come from, played by FluidSynth without reverberation (MuseScore_General; where only a smaller edition of it is
installed, that one), at equal loudness. Notes heard: correlation of the chroma of the sound with that of the notes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that a checkout needs no installation

from affectgen.audio.files import Frames, is_silent
from affectgen.report.blocks import write_block
from affectgen.score.notes import NoteArray

RESULTS = Path(__file__).resolve().parent.parent / "docs" / "results.md"
RATE = 44100
MINUTES = 3.0
NOTES_A_SECOND = 26.5  # about 4,770 notes in three minutes
SEEDS = (1, 2, 3)
SAME = ("MuseScore_General_Full.sf2", "MuseScore_General.sf3", "MuseScore_General_Lite.sf3")
OTHERS = ("FluidR3_GM.sf2", "TimGM6mb.sf2")
FASTEST, MOST_MEMORY, LIKENESS, CONTOUR, CENTS, CHROMA = 60.0, 500.0, 2.5, 0.93, 5.0, 0.9  # the bars


@dataclass(frozen=True)
class Speed:
    """Of one renderer. load: seconds until it can play; cpu: seconds of CPU for the piece; memory: MB at most."""

    name: str
    load: float
    cpu: float
    memory: float
    seconds: float

    @property
    def times(self) -> float:
        """How much faster than the music, loading included."""
        return self.seconds / (self.load + self.cpu)


def dense_piece(seed: int, seconds: float = MINUTES * 60, density: float = NOTES_A_SECOND) -> bytes:
    """A MIDI file of broken chords over all registers, random in time and force, the pedal changed at every bar."""
    import symusic

    chance = np.random.default_rng(seed)
    count, bar = round(seconds * density), 2.0
    onset = np.sort(chance.uniform(0, seconds - 1, count))
    root = chance.integers(0, 12, int(seconds / bar) + 1)[(onset / bar).astype(int)]
    step = chance.choice([0, 4, 7, 10, 14], count)
    pitch = np.clip(24 + root + step + 12 * chance.integers(0, 6, count), 21, 108)
    force = np.clip(chance.normal(70, 18, count), 15, 120).astype(int)
    length = chance.gamma(2.0, 0.15, count) + 0.05
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, 120.0))
    track = symusic.Track("piano", 0, False)
    for row in zip(onset, length, pitch, force, strict=True):
        track.notes.append(symusic.Note(round(row[0] * 960), max(1, round(row[1] * 960)), int(row[2]), int(row[3])))
    for begun in np.arange(0, seconds, bar):
        track.controls.append(symusic.ControlChange(round((begun + 0.05) * 960), 64, 127))
        track.controls.append(symusic.ControlChange(round((begun + bar - 0.05) * 960), 64, 0))
    score.tracks.append(track)
    return bytes(score.dumps_midi())


def song(seed: int, seconds: float = 30.0) -> bytes:
    """A MIDI file of music that a listener could follow: a bass, chords and a melody, a chord a second, no pedal."""
    from affectgen.score.midi import write_notes

    chance = np.random.default_rng(seed)
    rows: list[tuple[float, float, int, int]] = []
    for begun in np.arange(0.0, seconds):
        root = int(chance.choice([0, 2, 4, 5, 7, 9]))
        third = 3 if root in (2, 4, 9) else 4
        rows.append((begun, 0.95, 36 + root, 75))
        rows += [(begun + 0.01 * n, 0.9, 60 + (root + step) % 12, 60) for n, step in enumerate((0, third, 7))]
        steps = chance.choice([0, third, 7, 12], int(chance.integers(2, 5)))
        rows += [(begun + n / len(steps), 0.9 / len(steps), 72 + root + int(step), 85) for n, step in enumerate(steps)]
    return write_notes(NoteArray.of(*zip(*rows, strict=True)))


def rendered(midi: bytes, renderer: str) -> Iterator[Frames]:
    """The sound of a file; renderer: "piano", or the path of a font for FluidSynth."""
    from affectgen.audio.fluid import play_fluid
    from affectgen.audio.piano import play_piano
    from affectgen.audio.strikes import strikes_of
    from affectgen.score.messages import read_timeline

    timeline = read_timeline(midi)
    return play_piano(strikes_of(timeline), RATE) if renderer == "piano" else play_fluid(timeline, Path(renderer), RATE)


def whole(midi: bytes, renderer: str) -> Frames:
    """The same in one piece, float32 [N, 2]."""
    return np.concatenate(list(rendered(midi, renderer)))


def one(renderer: str) -> None:
    """In a process of its own: render the dense piece and print what it took as JSON."""
    midi = dense_piece(SEEDS[0])
    list(rendered(dense_piece(SEEDS[0], 3.0, 1.0), renderer))  # imports, and the font in the disk's cache
    began = time.process_time()
    blocks = rendered(midi, renderer)
    frames = len(next(blocks))
    load = time.process_time() - began
    for block in blocks:
        frames += len(block)
    cpu = time.process_time() - began - load
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024.0 if sys.platform != "darwin" else 1024.0**2)
    print(json.dumps({"load": load, "cpu": cpu, "memory": memory, "seconds": frames / RATE}))


def speed(renderer: str) -> Speed:
    """The median of three processes."""
    env = {**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")}
    line = [sys.executable, __file__, "--one", renderer]
    runs = [json.loads(subprocess.run(line, env=env, capture_output=True, check=True).stdout) for _ in range(3)]
    middle = sorted(runs, key=lambda run: run["load"] + run["cpu"])[1]
    return Speed(Path(renderer).name, **middle)


def font(names: Sequence[str]) -> Path | None:
    """The first of some fonts that is installed."""
    from affectgen.audio.fonts import FOLDERS

    found = [folder / name for name in names for folder in FOLDERS if (folder / name).is_file()]
    return found[0] if found else None


def likeness(midi: bytes, same: Path) -> dict[str, float]:
    """How alike the two renderings of a piece are."""
    from affectgen.audio.compare import contour_correlation, mel_distance

    ours, theirs = whole(midi, "piano"), whole(midi, str(same))
    return {"log-mel, dB": mel_distance(theirs, ours, RATE), "contour": contour_correlation(theirs, ours, RATE)}


def note(key: int, velocity: int = 80, seconds: float = 1.5) -> bytes:
    """A MIDI file of one note."""
    from affectgen.score.midi import write_notes

    return write_notes(NoteArray.of([0.0], [seconds], [key], [velocity]))


def tuning(same: Path | None, keys: Sequence[int]) -> dict[int, float]:
    """For each key how many cents the built-in piano is off FluidSynth's."""
    from affectgen.audio.compare import cents_between

    if same is None:
        return {}
    pairs = {key: (whole(note(key), "piano"), whole(note(key), str(same))) for key in keys}
    return {key: cents_between(*pair, key, RATE) for key, pair in pairs.items()}


def chroma(midi: bytes, renderer: str) -> float:
    """Correlation of the chroma of the sound with that of the notes."""
    from affectgen.audio.compare import chroma_correlation
    from affectgen.audio.strikes import strikes_of
    from affectgen.score.messages import read_timeline

    return chroma_correlation(whole(midi, renderer), strikes_of(read_timeline(midi)), RATE)


def silence(renderer: str) -> bool:
    """Whether the seconds between two notes far apart hold nothing."""
    from affectgen.score.midi import write_notes

    sound = whole(write_notes(NoteArray.of([0.0, 40.0], [0.5, 0.5], [60, 64], [80, 80])), renderer)
    return is_silent(sound[10 * RATE : 39 * RATE].ravel())


def page(pieces: dict[str, bytes]) -> str:
    """All figures as Markdown."""
    same = font(SAME)
    fonts = [path for path in (same, *(font([name]) for name in OTHERS)) if path is not None and fluid()]
    speeds = [speed("piano"), *(speed(str(path)) for path in fonts)]
    lines = [
        f"`python benchmarks/render.py`, Python {platform.python_version()}, one core. Bars: at least {FASTEST:g} "
        f"times as fast as the music, under {MOST_MEMORY:g} MB; distance at most {LIKENESS} dB, contour at least "
        f"{CONTOUR}, every key within {CENTS:g} cents; chroma at least {CHROMA}. A figure that misses its bar has a *; "
        "the bars of speed, memory and likeness are the built-in piano's.",
        "",
        "| renderer | times real time | seconds to the first block | MB at most | chroma | silence stays silent |",
        "|---|---|---|---|---|---|",
    ]
    played = song(SEEDS[0])
    for row, renderer in zip(speeds, ["piano", *map(str, fonts)], strict=True):
        name = "built-in piano" if renderer == "piano" else f"FluidSynth, {row.name}"
        heard, quiet = chroma(played, renderer), "yes" if silence(renderer) else "no*"
        ours = renderer == "piano"
        cells = (
            marked(row.times, "3.0f", not ours or row.times >= FASTEST), f"{row.load:.2f}",
            marked(row.memory, ".0f", not ours or row.memory < MOST_MEMORY), marked(heard, ".3f", heard >= CHROMA),
            quiet,
        )  # fmt: skip
        lines.append(f"| {name} | {' | '.join(cells)} |")
    wall, memory, seconds = command()
    lines.append(f"| `affectgen render`, whole, WAV at -16 LUFS | {seconds / wall:.0f} | | {memory:.0f} | | |")
    if same is not None and fluid():
        lines += ["", *_likeness_table(pieces, same)]
    return "\n".join(lines)


def _likeness_table(pieces: dict[str, bytes], same: Path) -> list[str]:
    title = f"built-in piano against FluidSynth on {same.name}"
    lines = [f"| {title} | log-mel, dB | contour | chroma |", "|---|---|---|---|"]
    for name, midi in pieces.items():
        found = likeness(midi, same)
        heard, apart, contour = chroma(midi, "piano"), found["log-mel, dB"], found["contour"]
        cells = (
            marked(apart, ".2f", apart <= LIKENESS), marked(contour, ".3f", contour >= CONTOUR),
            marked(heard, ".3f", heard >= CHROMA),
        )  # fmt: skip
        lines.append(f"| {name} | {' | '.join(cells)} |")
    off = tuning(same, range(21, 109))
    worst = max(off, key=lambda key: off[key])
    return [*lines, "", f"Keys 21 to 108: at most {off[worst]:.1f} cents off FluidSynth (key {worst})."]


def marked(value: float, form: str, met: bool) -> str:
    """A figure, with a * where it misses its bar."""
    return f"{value:{form}}".strip() + ("" if met else "*")


def command() -> tuple[float, float, float]:
    """Seconds of CPU and MB of memory of the whole command for the dense piece, and the seconds of its sound."""
    with tempfile.TemporaryDirectory() as folder:
        piece = Path(folder) / "a.mid"
        piece.write_bytes(dense_piece(SEEDS[0]))
        words = ["render", str(piece), "-o", str(piece.with_suffix(".wav")), "--renderer", "piano", "-q"]
        script = (
            "import json, resource, sys; from affectgen.cli.program import run; code = run(sys.argv[1:]); "
            "used = resource.getrusage(resource.RUSAGE_SELF); "
            "print(json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss]))"
        )
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        env = {**os.environ, "PYTHONPATH": str(RESULTS.parent.parent), **threads}
        done = subprocess.run([sys.executable, "-c", script, *words], env=env, capture_output=True, check=True)
        code, cpu, memory = json.loads(done.stdout)
        if code != 0:
            raise RuntimeError(done.stderr.decode())
        from affectgen.audio.files import audio_info

        seconds = audio_info(piece.with_suffix(".wav")).seconds
    return cpu, memory / (1024.0 if sys.platform != "darwin" else 1024.0**2), seconds


def fluid() -> bool:
    """Whether FluidSynth can be used."""
    from affectgen.audio.fluid import fluid_available

    return fluid_available()


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="Put the figures into docs/results.md.")
    parser.add_argument("--midi", type=Path, action="append", default=[], help="A piece to compare on, too.")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if given.one is not None:
        one(given.one)
        return
    pieces: dict[str, Any] = {f"song, 30 s, seed {seed}": song(seed) for seed in SEEDS}
    pieces |= {f"dense, 60 s, seed {seed}": dense_piece(seed, 60.0) for seed in SEEDS}
    pieces |= {f"8 notes a second, 60 s, seed {seed}": dense_piece(seed, 60.0, 8.0) for seed in SEEDS}
    pieces |= {path.name: path.read_bytes() for path in given.midi}
    told = page(pieces)
    print(told)
    if given.write:
        write_block(RESULTS, "render", "## Sound\n\n" + told)


if __name__ == "__main__":
    main()
