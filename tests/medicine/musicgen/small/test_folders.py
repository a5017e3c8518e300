"""One checkpoint, and the folders that transformers and peft load."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from affectgen.errors import CheckpointError
from affectgen.medicine.musicgen.folder import find_musicgen
from affectgen.medicine.musicgen.small.folders import _wide, pack, sizes, unpack
from affectgen.nn.checkpoint import load_checkpoint, save_checkpoint


@pytest.fixture
def adapter(tmp_path):
    home = tmp_path / "adapter"
    home.mkdir()
    (home / "adapter_config.json").write_text(json.dumps({"r": 2, "peft_type": "LORA"}))
    (home / "affectgen.json").write_text(json.dumps({"base": {"name": "base"}}))
    save_file({"base_model.model.a.lora_A.weight": torch.randn(2, 3)}, home / "adapter_model.safetensors")
    return home


def test_transformers_loads_what_is_published_and_hears_the_same(model, base):
    from transformers import AutoFeatureExtractor, AutoTokenizer, MusicgenForConditionalGeneration

    again = MusicgenForConditionalGeneration.from_pretrained(base).eval()
    tokens = AutoTokenizer.from_pretrained(base)(["happy, solo piano"], return_tensors="pt")
    start = torch.randint(0, 16, (2, 5))
    model.load_state_dict({name: weight.half().float() for name, weight in model.state_dict().items()})
    with torch.no_grad():
        one, other = (m(**tokens, decoder_input_ids=start).logits for m in (model, again))
    assert torch.allclose(one, other, atol=1e-5)
    assert again.dtype == torch.float32
    assert AutoFeatureExtractor.from_pretrained(base).sampling_rate == 16000
    assert find_musicgen(str(base)).kind == "transformers"


def test_transformers_own_generate_writes_as_many_frames_as_it_is_asked(base):
    from transformers import AutoTokenizer, MusicgenForConditionalGeneration

    again = MusicgenForConditionalGeneration.from_pretrained(base)
    tokens = AutoTokenizer.from_pretrained(base)(["solo piano"], return_tensors="pt")
    sound = again.generate(**tokens, max_new_tokens=12)
    assert sound.shape == (1, 1, (12 - 1) * 160)  # two books: the last frame of the second is written one later


def test_what_was_packed_comes_out_byte_for_byte(base, adapter, tmp_path):
    pack(base, adapter, tmp_path / "packed", {"training": {"steps": 3}}, "# card\n")
    found = unpack(tmp_path / "packed", tmp_path / "out")
    for before, after in ((base, found.base), (adapter, found.adapter)):
        for path in before.glob("*.safetensors"):
            if before is base:
                assert (after / path.name).read_bytes() == path.read_bytes()
            for name, weight in load_file(path).items():
                assert torch.equal(load_file(after / path.name)[name], weight.half().float())
        for path in before.glob("*.json"):
            assert json.loads((after / path.name).read_text()) == json.loads(path.read_text())
    again = unpack(tmp_path / "packed", tmp_path / "twice")
    assert (again.base / "model.safetensors").read_bytes() == (found.base / "model.safetensors").read_bytes()


def test_the_checkpoint_is_one_of_the_projects(base, tmp_path):
    pack(base, None, tmp_path / "packed", {"training": {}}, "# card\n")
    held = load_checkpoint(tmp_path / "packed")
    assert held.config["licence"] == "CC-BY-NC-SA-4.0"
    assert (tmp_path / "packed" / "card.md").read_text() == "# card\n"
    assert unpack(tmp_path / "packed").adapter is None
    half = (tmp_path / "packed" / "weights.safetensors").stat().st_size
    assert half < 0.6 * (base / "model.safetensors").stat().st_size + 20000


def test_other_checkpoints_and_folders_are_refused(base, tmp_path):
    save_checkpoint(tmp_path / "other", {"a": torch.zeros(2)}, {"kind": "muser"})
    with pytest.raises(CheckpointError, match="holds no MusicGen"):
        unpack(tmp_path / "other", tmp_path / "out")
    (base / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"has no tokenizer\.json"):
        pack(base, None, tmp_path / "packed", {}, "")


def test_sizes_count_every_weight(model, base):
    assert sum(sizes(base).values()) == sum(weight.numel() for weight in model.state_dict().values())


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-60000, 60000, width=16), min_size=1))
def test_widening_keeps_what_halves_hold(values):
    half = torch.tensor(values, dtype=torch.float16)
    assert torch.equal(_wide(half).half(), half)
    assert _wide(torch.arange(3)).dtype == torch.int64
