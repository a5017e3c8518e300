"""`affectgen evaluate GENERATOR --quick` from end to end, on models of little width and hand-made clips."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(("generator", "needed"), [
    ("muser", {"judge: valence", "reconstruction, note F1, unseen songs", "path: arousal, correlation"}),
    ("emogen", {"judge: valence", "control accuracy, mean over EmoGen's attributes", "path: arousal, correlation"}),
])  # fmt: skip
def test_quick(generator: str, needed: set[str], music: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    tiny = request.getfixturevalue(f"tiny_{generator}")
    words = ("evaluate", generator, "--quick", "--checkpoint", str(tiny), "--data", str(music), "--jobs", "1")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "affectgen", *words], cwd=tmp_path, env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    figures = {figure["name"]: figure for figure in report["figures"]}
    assert needed | {"distance over floor", "MusPy: groove consistency", "12-step patterns copied"} <= set(figures)
    assert not [name for name in figures if name.startswith("grid")]
    assert figures["MusPy: groove consistency"]["real"] > 0, "beside real clips"
    assert report["settings"]["quick"] is True
    assert report["settings"]["clips a quadrant"] == 5
    assert f"{report['settings']['checkpoint']}, quick" in done.stderr
    assert "| judge: valence |" in done.stderr
