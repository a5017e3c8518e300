"""The gallery as a batch writes it: real jobs, their files and manifests on one page."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
from gallery_pages import Page

from affectgen import __version__
from affectgen.score.midi import write_notes
from affectgen.score.notes import NoteArray


def test_a_batch_shows_its_sounds_and_its_failures_and_goes_on_to_do_so(tmp_path):
    onset = np.arange(8) * 0.25
    notes = NoteArray.of(onset, np.full(8, 0.2), 60 + np.arange(8), np.full(8, 80))
    (tmp_path / "a.mid").write_bytes(write_notes(notes))
    lines = [{"command": "render", "files": ["a.mid"], "format": "wav", "renderer": "piano", "name": "a <b>"},
             {"command": "render", "files": ["none.mid"], "name": "lost"}]  # fmt: skip
    words = [sys.executable, "-m", "affectgen", "batch", "-", "-o", "out", "--jobs", "1", "--report", "out/index.html"]
    given = "".join(json.dumps(line) + "\n" for line in lines).encode()
    pages = []
    for status in ("done", "kept"):
        done = subprocess.run(words, cwd=tmp_path, input=given, capture_output=True, timeout=120, check=False)
        assert done.returncode == 3, done.stderr
        page = Page((tmp_path / "out/index.html").read_text(encoding="utf-8"))
        held = {each["data-name"]: each["data-status"] for each in page.of("article")}
        assert held == {"a <b>": status, "lost": "failed"}
        (sound,) = page.of("audio")
        assert sound["src"].startswith("data:audio/wav;base64,")
        assert f"affectgen {__version__}" in page.text_of("header")
        assert any("none.mid" in word for word in page.words)
        assert any("affectgen render" in word for word in page.words), "the command that makes it again"
        pages.append(page)
    assert [page.of("audio") for page in pages] == [pages[0].of("audio")] * 2
