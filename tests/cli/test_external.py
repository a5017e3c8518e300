"""Other programs read what the command line writes (pytest -m external; .ci/run installs them)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.external
TOP = Path(__file__).resolve().parents[2]


def program(name):
    """Its path; skips where it is missing, and fails where nothing may be skipped."""
    found = shutil.which(name)
    return found if found is not None else missing(f"{name} is not installed")


def missing(what):
    """Skip, or fail where nothing may be skipped (.ci/run)."""
    (pytest.fail if "AFFECTGEN_NO_SKIP" in os.environ else pytest.skip)(what)


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
