"""From MIDI files to a checkpoint and back, by the commands."""

from __future__ import annotations

import json

import pytest
import torch
from tiny_sizes import CODEC, LANGUAGE

from affectgen.errors import AffectgenError
from affectgen.medicine.musicgen.small import produce
from affectgen.medicine.musicgen.small.__main__ import main
from affectgen.medicine.musicgen.small.card import card_text
from affectgen.medicine.musicgen.small.codec_train import CodecTraining
from affectgen.medicine.musicgen.small.data import Playing
from affectgen.medicine.musicgen.small.language_train import LanguageTraining
from affectgen.medicine.musicgen.small.produce import Production

TINY = Production(
    CODEC, CodecTraining(steps=4, batch=2, before=2, validate_every=2),
    CodecTraining(steps=2, batch=2, before=0, aligned=True, validate_every=2), Playing(), LANGUAGE,
    LanguageTraining(steps=4, batch=2, validate_every=2),
)  # fmt: skip


def test_a_run_goes_from_midi_to_a_checkpoint_and_back(played, tmp_path, monkeypatch):
    monkeypatch.setattr(produce, "CEILING_CLIPS", 6)
    run, base = tmp_path / "run", tmp_path / "run" / "base"
    produce.train(played, run, base, TINY, lambda text: None)
    first = (base / "model.safetensors").read_bytes()
    produce.train(played, run, base, TINY, lambda text: None)  # all is there: the same once more
    assert (base / "model.safetensors").read_bytes() == first
    adapter = run / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    (adapter / "affectgen.json").write_text(json.dumps({"command": "affectgen medicine train", "figures": {"loss": 2}}))
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, adapter / "adapter_model.safetensors")
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"figures": [{"name": "base model: arousal", "value": 0.5}]}))
    assert main(["pack", "--run", str(run), "--report", str(report), "-o", str(tmp_path / "tiny")]) == 0
    card = (tmp_path / "tiny" / "card.md").read_text()
    stages = ("| codec-free | 4 | 4 |", "| codec | 2 | 2 |")
    for text in ("CC BY-NC-SA 4.0", "A toy", *stages, "base model: arousal | 0.5", "8 clips, and 4"):
        assert text in card
    assert (tmp_path / "tiny" / "curves.csv").read_text().count("language") == 2
    assert main(["unpack", str(tmp_path / "tiny"), "-o", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "base" / "model.safetensors").read_bytes() == first


def test_mistakes_end_with_a_sentence(tmp_path, capsys):
    assert main(["segments", "--data", str(tmp_path), "--run", str(tmp_path)]) == 1
    assert "labels.csv is not there" in capsys.readouterr().err
    (tmp_path / produce.FACTS).write_text("{")
    with pytest.raises(AffectgenError, match="is no JSON"):
        produce.read_facts(tmp_path)


def test_a_card_without_figures_says_so_by_their_absence():
    training = {"parameters": {"decoder": 1200}, "command": "x", "machine": "y", "clips": {"train": 1, "dev": 1},
                "stages": {}, "adapter": {}, "adapter_log": []}  # fmt: skip
    text = card_text("tiny", {"training": training})
    assert "decoder 1,200" in text
    assert "## Figures" not in text
