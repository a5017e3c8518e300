"""What `affectgen render` takes of a machine: a process of its own, asked at its end."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from affectgen.score.midi import write_notes
from affectgen.score.notes import NoteArray

SCRIPT = """
import json, resource, sys
from affectgen.cli.program import run
codes = [run(words) for words in json.loads(sys.argv[1])]
print(json.dumps([codes, "torch" in sys.modules, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def asked(shell, *lines):
    """Exit codes, whether torch was imported, and kB of memory, of some command lines in one process."""
    words = [sys.executable, "-c", SCRIPT, json.dumps([[*line, "--force"] for line in lines])]
    done = subprocess.run(words, capture_output=True, text=True, cwd=shell.folder, env=shell.environment(), check=True)
    return json.loads(done.stdout)


def music(notes, seconds):
    chance = np.random.default_rng(0)
    onset = np.sort(chance.uniform(0, seconds, notes))
    rows = (onset, np.full(notes, 0.25), chance.integers(21, 109, notes), chance.integers(1, 128, notes))
    return write_notes(NoteArray.of(*rows))


def test_rendering_leaves_torch_alone(shell):
    """It has no model, and torch takes time and memory."""
    (shell.folder / "a.mid").write_bytes(music(20, 4))
    line = ("render", "a.mid", "-o", "x.wav", "--renderer", "piano")
    assert asked(shell, line, ("replay", "x.wav.json"))[:2] == [[0, 0], False]


@pytest.mark.slow
def test_a_hundred_thousand_notes_are_rendered_within_the_memory_of_a_laptop(shell):
    (shell.folder / "many.mid").write_bytes(music(100_000, 600))
    codes, _, memory = asked(shell, ("render", "many.mid", "-o", "x.flac", "--renderer", "piano"))
    assert codes == [0]
    assert memory < 500 * 1024
    assert soundfile.info(shell.folder / "x.flac").duration > 600
