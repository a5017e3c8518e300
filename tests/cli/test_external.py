"""Other programs read what the command line writes (pytest -m external; .ci/run installs them)."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lacking import missing

pytestmark = pytest.mark.external
TOP = Path(__file__).resolve().parents[2]


def program(name):
    """Its path; skips where it is missing, and fails where nothing may be skipped."""
    found = shutil.which(name)
    return found if found is not None else missing(f"{name} is not installed")


@pytest.fixture(scope="module")
def piece(tmp_path_factory):
    """A piece of eight bars by the shipped model, through the command line as a user runs it."""
    path = tmp_path_factory.mktemp("external") / "happy.mid"
    words = ("muser", "generate", "-a", "happy", "--seed", "1", "--bars", "8", "-o", str(path))
    subprocess.run([sys.executable, "-m", "affectgen", *words], cwd=TOP, check=True, timeout=300)
    return path


def test_midicsv_reads_the_same_notes(piece):
    done = subprocess.run([program("midicsv"), str(piece)], capture_output=True, text=True, check=True)
    rows = [[cell.strip() for cell in line.split(",")] for line in done.stdout.splitlines()]
    assert done.stderr == ""
    begun = [row for row in rows if row[2] == "Note_on_c" and row[5] != "0"]
    ended = [row for row in rows if row[2] == "Note_off_c" or (row[2] == "Note_on_c" and row[5] == "0")]
    assert len(begun) == len(ended) > 8
    assert {row[2] for row in rows} >= {"Header", "Tempo", "Time_signature", "End_track", "End_of_file"}
    from affectgen.score.midi import read_notes

    assert sorted(int(row[4]) for row in begun) == sorted(read_notes(piece).pitch.tolist())


def test_fluidsynth_plays_it(piece, tmp_path):
    name = program("fluidsynth")
    fonts = sorted(Path("/usr/share/sounds").rglob("*.sf[23]"))
    if not fonts:
        missing("there is no sound font under /usr/share/sounds")
    out = tmp_path / "happy.wav"
    subprocess.run([name, "-ni", "-F", str(out), "-r", "22050", str(fonts[0]), str(piece)], check=True, timeout=300)
    import soundfile

    sound, rate = soundfile.read(out)
    from affectgen.score.midi import read_notes

    assert len(sound) / rate >= read_notes(piece).end
    assert abs(sound).max() > 0.01


def affectgen(*words, stdin=None):
    """The command line, its sound by the built-in piano."""
    env = {**os.environ, "AFFECTGEN_RENDERER": "piano"}
    done = subprocess.run(
        [sys.executable, "-m", "affectgen", *map(str, words)], cwd=TOP, env=env, input=stdin, capture_output=True,
        timeout=300, check=True,
    )  # fmt: skip
    return done.stdout


def filtered(name, *words, stdin):
    """What another program makes of its standard input."""
    done = subprocess.run([program(name), *words], input=stdin, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


FFMPEG = ("-v", "error", "-i", "-")
RAW = ("-f", "s16le", "-ac", "2", "-ar", "44100", "-")


def frames_of(data):
    return soundfile.info(io.BytesIO(data)).frames


@pytest.fixture(scope="module")
def frames(piece):
    """How many the sound of the piece has."""
    return frames_of(affectgen("render", piece, "-o", "-"))


def test_the_pipe_of_the_readme_into_sox(tmp_path):
    """emogen generate | render | sox, each a process of its own."""
    out = tmp_path / "out.mp3"
    base = f"{sys.executable} -m affectgen"
    pipe = f"{base} emogen generate -a calm --bars 2 -q -o - | {base} render - -o - --format wav -q | sox - {out}"
    env = {**os.environ, "AFFECTGEN_RENDERER": "piano"}
    program("sox")
    done = subprocess.run(["bash", "-o", "pipefail", "-c", pipe], cwd=TOP, env=env, capture_output=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, b"")
    assert soundfile.info(out).duration > 3


@pytest.mark.parametrize("bits", ["16", "24", "float"])
def test_sox_and_ffmpeg_read_a_finished_wav_to_the_last_frame(piece, frames, bits):
    data = affectgen("render", piece, "-o", "-", "--bits", bits)
    assert frames_of(data) == frames
    assert len(filtered("sox", "-", "-t", "raw", "-b", "16", "-e", "signed", "-D", "-", stdin=data)) == 4 * frames
    assert len(filtered("ffmpeg", *FFMPEG, *RAW, stdin=data)) == 4 * frames


@pytest.mark.parametrize("bits", ["16", "24", "float"])
def test_sox_and_ffmpeg_read_a_stream_to_the_last_frame(piece, frames, bits):
    data = affectgen("render", piece, "-o", "-", "--stream", "--bits", bits)
    assert len(filtered("sox", "-", "-t", "raw", "-b", "16", "-e", "signed", "-D", "-", stdin=data)) == 4 * frames
    assert len(filtered("ffmpeg", *FFMPEG, *RAW, stdin=data)) == 4 * frames


@pytest.mark.parametrize("kind", ["mp3", "flac", "ogg", "opus"])
def test_ffmpeg_reads_the_other_formats_from_a_pipe(piece, frames, kind):
    data = affectgen("render", piece, "-o", "-", "--format", kind, "--title", "Happy", "--comment", "by affectgen")
    heard = len(filtered("ffmpeg", *FFMPEG, *RAW, stdin=data)) // 4
    assert abs(heard - frames) <= (0 if kind == "flac" else 2400)
    tags = filtered("ffprobe", "-v", "error", "-show_entries", "format_tags:stream_tags", "-", stdin=data)
    assert b"title=Happy" in tags.replace(b"TITLE", b"title")
    assert b"by affectgen" in tags


@pytest.mark.parametrize(("name", "words"), [
    ("ffmpeg", (*FFMPEG, "-f", "wav", "-")), ("sox", ("-t", "wav", "-", "-t", "wav", "-")),
    ("ffmpeg", (*FFMPEG, "-f", "wav", "-c:a", "pcm_f32le", "-")), ("ffmpeg", (*FFMPEG, "-f", "flac", "-")),
    ("sox", ("-t", "wav", "-", "-t", "flac", "-")), ("ffmpeg", (*FFMPEG, "-f", "w64", "-")),
    ("sox", ("-t", "wav", "-", "-t", "aiff", "-")), ("ffmpeg", (*FFMPEG, "-f", "au", "-")),
])  # fmt: skip
def test_streams_of_other_programs_are_read_to_the_last_frame(name, words):
    """Their headers do not know the length: 0xFFFFFFFF, 0x7FFFFFFF, or none at all."""
    file = io.BytesIO()
    draw = np.random.default_rng(0)
    soundfile.write(file, draw.normal(size=(100_001, 2)) * 0.1, 44_100, "PCM_16", format="WAV")
    stream = filtered(name, *words, stdin=file.getvalue())
    made = affectgen("render", "-", "-o", "-", "--loudness", "off", "--bits", "24", stdin=stream)
    sound, _ = soundfile.read(io.BytesIO(made), dtype="int32")
    given, _ = soundfile.read(io.BytesIO(file.getvalue()), dtype="int32")
    assert np.array_equal(sound, given)


def test_a_player_that_stops_early_ends_the_stream_quietly(piece):
    program("sox")
    pipe = f"{sys.executable} -m affectgen render {piece} -o - --stream -q | sox - -n trim 0 0.5"
    words = ["bash", "-c", f'{pipe}; exit "${{PIPESTATUS[0]}}"']
    done = subprocess.run(words, cwd=TOP, capture_output=True, timeout=120, check=False)
    assert done.returncode in (0, 141)
    assert b"Error" not in done.stderr
