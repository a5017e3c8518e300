"""Indexes of made voices."""

from __future__ import annotations

from pathlib import Path

import pytest
from talking import write_takes

from affectgen.speech.index.build import fill
from affectgen.speech.index.listing import listed


@pytest.fixture(scope="session")
def takes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three emotions of two speakers, two takes each."""
    folder = tmp_path_factory.mktemp("takes")
    write_takes(folder, {"anna": 210.0, "bert": 110.0}, takes=2)
    return folder


@pytest.fixture(scope="session")
def filled(takes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index of that folder; not to be written to."""
    path = tmp_path_factory.mktemp("index") / "voices.db"
    fill(path, listed(takes, language="en"), jobs=1, added="2020-02-02")
    return path
