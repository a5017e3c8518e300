"""A tiny MusicGen with random weights, and clips played from the hand-made corpus."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("transformers", reason="pip install 'affectgen[musicgen]'")

import torch
from tiny_sizes import CODEC, LANGUAGE

from affectgen.medicine.musicgen.small.codec import build_codec
from affectgen.medicine.musicgen.small.data import Playing, render
from affectgen.medicine.musicgen.small.folders import publish
from affectgen.medicine.musicgen.small.language import build_language
from affectgen.medicine.musicgen.small.words import make_tokenizer


@pytest.fixture(scope="session")
def played(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of twelve of the hand-made clips, four of them held out, with performances."""
    home = tmp_path_factory.mktemp("few") / "emopia"
    lines = (corpus / "emopia" / "clips.csv").read_text().splitlines()
    (home / "raw").mkdir(parents=True)
    (home / "clips.csv").write_text("\n".join([lines[0], *lines[1 + 12 : 1 + 28]]) + "\n")  # songs s03 to s06
    for midi in (corpus / "emopia" / "beat").glob("*.mid"):
        shutil.copy(midi, home / "raw")
    return home.parent


@pytest.fixture(scope="session")
def sounds(played: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `render` makes of it."""
    home = tmp_path_factory.mktemp("sounds")
    render(played, home, Playing(), lambda text: None)
    return home


@pytest.fixture
def model() -> Any:
    """A MusicGen with random weights whose codec's books are not all zero."""
    torch.manual_seed(0)
    codec = build_codec(CODEC)
    for layer in codec.quantizer.layers:
        layer.codebook.embed.normal_()
    return build_language(LANGUAGE, codec, len(make_tokenizer())).eval()


@pytest.fixture
def base(model: Any, tmp_path: Path) -> Path:
    """Its published folder."""
    publish(model, make_tokenizer(), tmp_path / "base")
    return tmp_path / "base"
