"""The proof's figures, and the whole of it in little."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="pip install 'affectgen[musicgen]'")
pytest.importorskip("peft", reason="pip install 'affectgen[musicgen]'")

from affectgen.evaluate.musicgen_small import figures, interval, main, write_untrained
from affectgen.medicine.musicgen.small.codec import CodecConfig, build_codec
from affectgen.medicine.musicgen.small.folders import pack, publish
from affectgen.medicine.musicgen.small.hearing import Heard, Settings, requests
from affectgen.medicine.musicgen.small.language import LanguageConfig, build_language
from affectgen.medicine.musicgen.small.words import make_tokenizer

CODEC = CodecConfig(ratios=(8, 20), filters=4, dim=8, books=2, codes=16)
LANGUAGE = LanguageConfig(dim=16, layers=1, heads=2, inner=32, text_dim=8, text_layers=1, frames=24)


@pytest.fixture
def packed(tmp_path):
    """A checkpoint of a random model and an adapter that has not learned."""
    torch.manual_seed(0)
    codec = build_codec(CODEC)
    for layer in codec.quantizer.layers:
        layer.codebook.embed.normal_()
    model = build_language(LANGUAGE, codec, len(make_tokenizer())).eval()
    publish(model, make_tokenizer(), tmp_path / "base")
    write_untrained(tmp_path / "base", tmp_path / "adapter")
    pack(tmp_path / "base", tmp_path / "adapter", tmp_path / "packed", {"training": {}}, "")
    return tmp_path / "packed"


def test_the_interval_holds_the_correlation_and_narrows_with_more_clips():
    chance = np.random.default_rng(0)
    widths = []
    for count in (20, 200):
        asked = np.linspace(-1, 1, count)
        low, high = interval(asked, asked + chance.normal(0, 0.5, count), 0)
        assert low < 0.76 < high
        widths.append(high - low)
    assert widths[1] < 0.5 * widths[0]


def test_figures_meet_their_bars_where_arousal_follows():
    asked = requests(Settings(requests=40))
    read = np.stack([np.random.default_rng(1).permutation(asked[:, 0]), asked[:, 1] ** 3], axis=1)
    heard = Heard(read, 0, torch.zeros(40, 2, 3))
    adapted = {figure.name: figure for figure in figures("with", asked, heard, True, 0)}
    assert adapted["with: arousal, Spearman"].value == pytest.approx(1)
    assert adapted["with: arousal, Spearman"].met is True
    assert abs(adapted["with: arousal, Spearman"].shuffled) < 0.5
    assert abs(adapted["with: valence, Spearman"].value) < 0.5
    before = {figure.name: figure for figure in figures("base", asked, heard, False, 0)}
    assert before["base: arousal, Spearman"].met is False
    assert before["base: clips in which no music is heard"].value == 0
    heard.read[3:5] = 0.0
    quiet = {figure.name: figure for figure in figures("base", asked, heard, False, 0)}
    assert quiet["base: clips in which no music is heard"].value == 2


def test_the_whole_proof_runs_in_little_and_an_untrained_adapter_changes_nothing(packed, tmp_path, capsys):
    words = ["--checkpoint", str(packed), "--quick", "-o", str(tmp_path / "report.json")]
    assert main(words) == 0
    held = json.loads((tmp_path / "report.json").read_text())
    rows = {row["name"]: row for row in held["figures"]}
    assert rows["codes that an adapter which has not learned leaves as they were"]["value"] == 1
    assert len(rows) == 13
    sets = [name for name in held["readings"] if name != "asked"]
    assert len(sets) == 4
    assert held["readings"][sets[0]] == held["readings"][sets[2]]  # the packed adapter has not learned either
    assert "Spearman" in capsys.readouterr().out


def test_a_checkpoint_without_adapter_is_refused(packed, tmp_path, capsys):
    pack(tmp_path / "base", None, tmp_path / "bare", {}, "")
    assert main(["--checkpoint", str(tmp_path / "bare"), "--quick"]) == 1
    assert "holds no adapter" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--quick", "--write", str(tmp_path / "results.md")])
