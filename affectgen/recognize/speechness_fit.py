"""Fit the model that tells speech from music, and write its checkpoint folder: weights, config with figures, card.

python -m affectgen.recognize.speechness_fit --data ../shared/data

Music is rendered by the program fluidsynth: FluidR3 in training, another SoundFont and other songs in the test. Speech
of the test is that of other speakers; one of them (LJSpeech) is of a corpus that is not trained on.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import symusic
from numpy.typing import NDArray

from affectgen.audio.files import Samples, is_silent, read_mono, resampled
from affectgen.audio.spectrum import RATE
from affectgen.errors import AffectgenError
from affectgen.nn.checkpoint import save_arrays
from affectgen.recognize import speechness
from affectgen.recognize.corpus import read_emopia
from affectgen.recognize.speech_corpus import Clip, read_clips
from affectgen.recognize.speechness import NAMES, Speechness
from affectgen.score.midi import TICKS, write_notes
from affectgen.score.notes import NoteArray

Floats = NDArray[np.float64]

FONTS = Path("/usr/share/sounds/sf2")
TRAINING_FONT, TEST_FONT = "FluidR3_GM.sf2", "TimGM6mb.sf2"
PROGRAMS = (*range(0, 12), *range(16, 34), *range(40, 54), *range(56, 80))  # of General MIDI: what plays tunes
DRUMS = 0.3  # share of songs with a drum kit
BASS_DRUM, SNARE, HAT = 36, 38, 42  # keys of General MIDI's drum kit
DETUNED = 0.5  # semitones that a recording is played too high or too low, at most
SONGS = {"training": 90, "test": 45}
CLIPS = {"crema_d": 300, "emo_db": 120, "ljspeech": 60}
MUSIC_SECONDS = 12.0
NOISE = (10.0, 40.0)  # dB under the sound, in half of the windows
SHORT_NOISE = 15.0  # dB under a second of sound in the test
PENALTY = 0.003  # of the squared weights, per unit of the mean loss; set beforehand, not tuned
LICENCE = "CC-BY-NC-SA-4.0"  # EMOPIA's


def render(notes: NoteArray, program: int, font: Path, drums: symusic.Track | None = None) -> Samples:
    """The first MUSIC_SECONDS of notes as a program of General MIDI, mono at RATE. AffectgenError if not played."""
    score = symusic.Score.from_midi(write_notes(notes))
    score.tracks[0].program = program
    if drums is not None:
        score.tracks.append(drums)
    with tempfile.TemporaryDirectory() as folder:
        played, sound = Path(folder) / "a.mid", Path(folder) / "a.wav"
        score.dump_midi(played)
        line = ["fluidsynth", "-ni", "-q", "-r", "22050", "-F", str(sound), str(font), str(played)]
        try:
            subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            raise AffectgenError(f"fluidsynth did not play {font}.", "Install fluidsynth and its fonts.") from error
        return read_mono(sound, RATE, seconds=MUSIC_SECONDS)


def drum_track(rng: np.random.Generator) -> symusic.Track:
    """A plain beat of random tempo and loudness in ticks of `write_notes`, MUSIC_SECONDS long."""
    track = symusic.Track("drums", 0, True)
    half = round(2 * TICKS * rng.uniform(0.2, 0.4))  # ticks of half a beat; a second has two quarters
    loud = rng.uniform(0.4, 1.0)
    for step in range(int(MUSIC_SECONDS * 2 * TICKS) // half):
        keys = [HAT] if step % 2 else [HAT, BASS_DRUM if step % 4 == 0 else SNARE]
        for key in keys:
            track.notes.append(symusic.Note(step * half, half, key, int(loud * rng.integers(80, 120))))
    return track


def music(data: Path, part: str, rng: np.random.Generator) -> Iterator[Samples]:
    """Songs of EMOPIA's training split played by the training font, or of its validation split by the test font; some
    with drums, none in exact concert pitch.
    """
    clips = read_emopia(data / "emopia", "train" if part == "training" else "val")
    font = FONTS / (TRAINING_FONT if part == "training" else TEST_FONT)
    first = {clip.song: clip for clip in clips}  # one clip a song
    songs = sorted(first)
    for at in rng.choice(len(songs), size=min(SONGS[part], len(songs)), replace=False):
        program = 0 if rng.random() < 0.25 else int(rng.choice(PROGRAMS))
        played = render(first[songs[at]].notes, program, font, drum_track(rng) if rng.random() < DRUMS else None)
        speed = 2 ** (rng.uniform(-DETUNED, DETUNED) / 12)
        yield resampled(played, RATE, RATE * speed)


def speech(data: Path, part: str, rng: np.random.Generator) -> Iterator[tuple[str, Samples]]:
    """(corpus, samples): clips of the speakers that the judge of speech does not keep, or of those that it keeps."""
    clips = [clip for clip in read_clips(data) if clip.judges == (part == "test")]
    for corpus in ("crema_d", "emo_db"):
        own: list[Clip] = [clip for clip in clips if clip.corpus == corpus]
        for at in rng.choice(len(own), size=min(CLIPS[corpus], len(own)), replace=False):
            yield corpus, read_mono(own[at].file, RATE)
    if part == "test":
        with (data / "ljspeech" / "manifest.csv").open(newline="", encoding="utf-8") as file:
            for row in list(csv.DictReader(file))[: CLIPS["ljspeech"]]:
                yield "ljspeech", read_mono(data / "ljspeech" / row["file"], RATE)


def rows_of(samples: Samples, rng: np.random.Generator | None) -> Floats:
    """Statistics [N, F] of a recording's windows; with a generator, noise is added to half of them."""
    found = []
    for window in speechness.windows(samples, RATE):
        if rng is not None and rng.random() < 0.5:
            size = float(np.std(window)) * 10 ** (-rng.uniform(*NOISE) / 20)
            window = (window + size * rng.normal(size=len(window))).astype(np.float32)
        found.append(speechness.statistics(window))
    return np.stack(found)


def fit(rows: Floats, spoken: NDArray[np.bool_]) -> Speechness:
    """A logistic regression on statistics [N, F] in which both kinds count alike."""
    from scipy.optimize import minimize

    mean, sd = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    scaled = np.clip((rows - mean) / sd, -speechness.OUTLIER, speechness.OUTLIER)
    sign = np.where(spoken, 1.0, -1.0)
    share = np.where(spoken, 0.5 / spoken.sum(), 0.5 / (~spoken).sum())

    def loss(flat: Floats) -> tuple[float, Floats]:
        odds = sign * (scaled @ flat[:-1] + flat[-1])
        pull = -share * sign / (1 + np.exp(np.clip(odds, -500, 500)))
        slope = np.append(scaled.T @ pull + PENALTY * flat[:-1], pull.sum())
        return float((share * np.logaddexp(0, -odds)).sum() + 0.5 * PENALTY * (flat[:-1] ** 2).sum()), slope

    found = minimize(loss, np.zeros(rows.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return Speechness(mean, sd, found[:-1], float(found[-1]))


def training_rows(data: Path, rng: np.random.Generator) -> tuple[Floats, NDArray[np.bool_]]:
    """(statistics [N, F], whether spoken [N])."""
    spoken = [rows_of(samples, rng) for _, samples in speech(data, "training", rng)]
    played = [rows_of(samples, rng) for samples in music(data, "training", rng) if not is_silent(samples)]
    count = [sum(len(part) for part in parts) for parts in (spoken, played)]
    return np.concatenate([*spoken, *played]), np.repeat([True, False], count)


def evaluate(model: Speechness, data: Path, rng: np.random.Generator) -> list[tuple[str, float, int]]:
    """(what, share told rightly, how many there are) of unseen speakers, and of unseen songs played by an unseen font:
    whole recordings as they are, and a second of each under noise.
    """
    right: dict[str, list[bool]] = {}
    for name, samples in (*speech(data, "test", rng), *(("music", played) for played in music(data, "test", rng))):
        if is_silent(samples):
            continue
        wanted = name != "music"
        right.setdefault(name, []).append(_spoken(model, samples) == wanted)
        start = int(rng.integers(max(1, len(samples) - RATE)))
        part = samples[start : start + RATE]
        if not is_silent(part):
            noise = rng.normal(size=len(part)) * float(np.std(part)) * 10 ** (-SHORT_NOISE / 20)
            short = (part + noise).astype(np.float32)
            right.setdefault(f"{name}_second_in_noise", []).append(_spoken(model, short) == wanted)
    return [(name, float(np.mean(told)), len(told)) for name, told in right.items()]


def _spoken(model: Speechness, samples: Samples) -> bool:
    """Whether a recording is more likely speech."""
    return float(model.log_odds(rows_of(samples, None)).mean()) > 0


def card(figures: dict[str, float], seed: int, seconds: float) -> str:
    """The checkpoint's card in Markdown."""
    rows = "\n".join(f"| {name} | {value:g} |" for name, value in figures.items())
    return f"""# speechness

Tells speech from music (`affectgen/recognize/speechness.py`), so that `affectgen rate` can ask the right recogniser.

- Fitted on CREMA-D and EMO-DB (the speakers that the judge of speech does not keep) and on songs of EMOPIA's training
  split played by fluidsynth with {TRAINING_FONT} and one of {len(PROGRAMS)} programs of General MIDI, out of tune, some
  with drums; noise in half.
- Command: `python -m affectgen.recognize.speechness_fit --data ../shared/data --seed {seed}`
- {seconds:.0f} s on {os.cpu_count()} CPU cores.
- Licence of the weights: {LICENCE} (EMOPIA's); not for commercial use.

Share told rightly: speech of other speakers (ljspeech: a corpus that is not trained on); validation songs of EMOPIA
played with {TEST_FONT}. Beside whole recordings, one second of each with white noise {SHORT_NOISE:g} dB under it.

| figure | value |
|---|---|
{rows}

Weak points: no singing and no speech over music in training; rendered music only, never a real band.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, fit, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with crema_d/, emo_db/, ljspeech/, emopia/")
    parser.add_argument("--output", type=Path, default=Path("checkpoints") / speechness.SPEECHNESS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    model = fit(*training_rows(options.data, np.random.default_rng(options.seed)))
    figures: dict[str, float] = {}
    for name, share, count in evaluate(model, options.data, np.random.default_rng(options.seed + 1)):
        figures |= {name: round(share, 3), f"{name}_clips": count}
    seconds = time.perf_counter() - started
    arrays = {name: np.asarray(getattr(model, name), dtype=np.float32) for name in Speechness.__dataclass_fields__}
    config = {"kind": "speechness", "features": list(NAMES), "figures": figures, "licence": LICENCE}
    config |= {"version": speechness.VERSION, "trained_on": "CREMA-D, EMO-DB; EMOPIA played by fluidsynth"}
    save_arrays(options.output, arrays, config, card(figures, options.seed, seconds))
    sys.stderr.write(f"{options.output}: {figures}, {seconds:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
