"""transformers behind the interface: conditions, training's forward pass, adapters in training, the codec."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from affectgen.errors import AudioError, CheckpointError
from affectgen.medicine.musicgen import transformers_backend
from affectgen.medicine.musicgen.affect import affect_tensors
from affectgen.medicine.musicgen.decoding import generate
from affectgen.medicine.musicgen.delay import delayed, undelayed_logits
from affectgen.medicine.musicgen.folder import Found, find_musicgen
from affectgen.medicine.musicgen.interface import Row, Sampling, Shape
from affectgen.medicine.musicgen.transformers_backend import (
    TransformersMusicGen,
    adapter_note,
    load_transformers,
    weights_hash,
)

ROWS = [Row("calm solo piano music", (0.6, -0.4), 1), Row("happy", None, 2), Row("", (0.3, 0.3), 3)]
CODES = torch.randint(0, 64, (3, 4, 7), generator=torch.Generator().manual_seed(0))
GREEDY = Sampling(temperature=0.0)


def fresh(folder: Path) -> TransformersMusicGen:
    return load_transformers(find_musicgen(str(folder)), "cpu", "float32")


@pytest.fixture(scope="module")
def music(transformers_folder: Path) -> TransformersMusicGen:
    """One that no test changes."""
    return fresh(transformers_folder)


@pytest.fixture
def own(transformers_folder: Path) -> TransformersMusicGen:
    """One that a test may change."""
    return fresh(transformers_folder)


def conditions(music: TransformersMusicGen, rows: list[Row]) -> tuple[Tensor, Tensor]:
    return music.states([row.prompt for row in rows], *affect_tensors([row.affect for row in rows], music.device))


def written(music: TransformersMusicGen, rows: list[Row] = ROWS, codes: Tensor = CODES) -> Tensor:
    """Logits of codes by the decoder for writing, [B, K, T, card]."""
    positions = delayed(codes, 64)[..., :-1]
    stepper = music.begin(rows, 1.0, positions.shape[-1])
    return undelayed_logits(torch.stack([stepper.step(one) for one in positions.split(1, dim=2)], dim=2))


def adapted(music: TransformersMusicGen) -> Any:
    """peft's model with a LoRA that does something, in training mode."""
    from peft import LoraConfig, get_peft_model

    settings = LoraConfig(r=3, target_modules=["q_proj", "v_proj", "fc2"], modules_to_save=["affect_sum"])
    model = get_peft_model(music.model, settings)
    torch.manual_seed(0)
    for name, value in model.named_parameters():
        if "lora_B" in name or ("modules_to_save" in name and "out.weight" in name):
            torch.nn.init.normal_(value, std=0.3)
    return model


def test_what_it_says_of_itself(music: TransformersMusicGen, transformers_folder: Path):
    assert music.backend == "transformers"
    assert music.shape == Shape(3200, 50.0, 4, 64, 1, 32, 1500)
    digest = sha256((transformers_folder / "model.safetensors").read_bytes()).hexdigest()
    assert music.identity == {"name": "tiny", "sha256": digest}
    assert music.warnings == []
    assert not music.model.training
    assert not any(value.requires_grad for value in music.model.parameters())
    sizes = {"dim": 32, "layers": 2, "heads": 4, "ffn": 64, "books": 4, "card": 64}
    assert adapter_note(music) == {"base": {"name": "tiny", "sha256": digest, "shape": sizes}}


def test_weights_in_several_files_have_one_hash(tmp_path: Path):
    found = Found("transformers", tmp_path, "x")
    parts = [tmp_path / f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    for part in parts:
        part.write_bytes(part.name.encode())
    before = weights_hash(found)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"not the model's")
    assert weights_hash(found) == before
    parts[1].write_bytes(b"other")
    assert weights_hash(found) != before


def test_bfloat16_where_it_pays(transformers_folder: Path, monkeypatch: pytest.MonkeyPatch):
    found = find_musicgen(str(transformers_folder))
    for pays, asked, wanted in ((True, "auto", torch.bfloat16), (False, "auto", torch.float32)):
        monkeypatch.setattr(transformers_backend, "halves_pay", lambda device, pays=pays: pays)
        music = load_transformers(found, "cpu", asked)
        assert music.begin(ROWS, 3.0, 4).keys.dtype == wanted
        assert next(music.model.parameters()).dtype == torch.float32
    assert load_transformers(found, "cpu", "bfloat16").dtype == torch.bfloat16


def test_loading_says_nothing(transformers_folder: Path, capfd: pytest.CaptureFixture[str]):
    generate(fresh(transformers_folder), ROWS[:1], 3, Sampling())
    assert capfd.readouterr() == ("", "")


def test_states_are_the_projected_text_zero_where_there_are_no_words(music: TransformersMusicGen):
    states, mask = conditions(music, ROWS)
    tokens = music.tokenizer(ROWS[1].prompt, return_tensors="pt")
    text = music.model.enc_to_dec_proj(music.model.text_encoder(**tokens).last_hidden_state)
    count = text.shape[1]
    assert count == 2
    assert mask[1].tolist() == [1, 1, 0, 0, 0]
    assert (states[1, :count] - text[0]).abs().max() < 1e-5
    assert states[1, count:].abs().max() == states[2].abs().max() == 0
    assert mask[0].all()
    assert mask[2].all()  # something to attend to


def test_before_training_the_emotion_changes_nothing(music: TransformersMusicGen):
    plain = [Row(row.prompt, None, row.seed) for row in ROWS]
    assert torch.equal(written(music), written(music, plain))


def test_the_emotion_moves_the_row_that_has_words_and_not_the_unguided_half(own: TransformersMusicGen):
    before, plain = written(own), own.begin(ROWS, 0.0, 2).step(CODES[..., :1])
    torch.nn.init.normal_(own.model.affect_sum.out.weight, std=0.3)
    moved = (written(own) - before).abs().amax(dim=(1, 2, 3))
    assert moved[0] > 0.1
    assert moved[1] > 0.1  # by the null embedding, for it is known to be unknown
    assert moved[2] == 0
    assert torch.equal(own.begin(ROWS, 0.0, 2).step(CODES[..., :1]), plain)  # guidance 0: the half without words alone


def test_trainings_logits_are_those_of_writing(music: TransformersMusicGen):
    states, mask = conditions(music, ROWS)
    with torch.no_grad():
        logits, hidden = music.forward_codes(CODES, states, mask, hidden=True)
    assert logits.shape == (3, 4, 7, 64)
    assert hidden.shape == (3, 10, 32)
    assert logits.abs().max() > 1.5
    assert (logits - written(music)).abs().max() < 1e-4
    heads = music.model.decoder.lm_heads
    again = undelayed_logits(torch.stack([head(hidden) for head in heads], dim=1))
    assert torch.equal(again, logits)


def test_a_codes_logits_do_not_know_it_or_what_follows(music: TransformersMusicGen):
    """Frame t of codebook k is guessed from what the delay pattern puts before it."""
    states, mask = conditions(music, ROWS)
    other = CODES.clone()
    other[:, 1, 4] = (other[:, 1, 4] + 1) % 64
    with torch.no_grad():
        one, two = (music.forward_codes(codes, states, mask) for codes in (CODES, other))
    moved = (one - two).abs().amax(dim=(0, 3)) > 1e-4  # [K, T]
    expected = torch.tensor([[t + k >= 6 for t in range(7)] for k in range(4)])  # it stands at position 1 + 1 + 4
    assert torch.equal(moved, expected)


def test_gradients_reach_adapters_and_the_emotion(own: TransformersMusicGen):
    adapted(own).train()
    logits = own.forward_codes(CODES, *conditions(own, ROWS))
    torch.nn.functional.cross_entropy(logits.flatten(0, 2), CODES.flatten()).backward()
    learning = {name: value for name, value in own.model.named_parameters() if value.requires_grad}
    assert any("affect_sum" in name for name in learning)
    assert any("lora_A" in name for name in learning)
    assert all(value.grad is not None and value.grad.abs().max() > 0 for value in learning.values())


def test_an_adapter_in_training_is_written_with_and_as_it_is_now(own: TransformersMusicGen):
    """Before, with adapters, after a step of training, with them off, merged, and without them again."""
    plain = written(own)
    model = adapted(own).eval()

    def through() -> Tensor:
        with torch.no_grad():
            return own.forward_codes(CODES, *conditions(own, ROWS))

    first = through()
    assert (first - plain).abs().max() > 0.3
    assert (written(own) - first).abs().max() < 1e-4
    with torch.no_grad():
        for name, value in model.named_parameters():
            if "lora_A" in name:
                value.mul_(2)
    second = through()
    assert (second - first).abs().max() > 0.3
    assert (written(own) - second).abs().max() < 1e-4
    with model.disable_adapter():
        assert (written(own) - plain).abs().max() < 1e-4
    model.merge_adapter()
    assert (written(own) - second).abs().max() < 1e-4
    model.unmerge_adapter()
    assert (written(own) - second).abs().max() < 1e-4
    model.merge_and_unload()
    assert (written(own) - second).abs().max() < 1e-4


def test_the_decoder_is_made_once_and_anew_after_a_change(own: TransformersMusicGen):
    first = own.begin(ROWS, 3.0, 4).decoder
    assert own.begin(ROWS, 3.0, 4).decoder is first
    before = written(own)
    with torch.no_grad():
        own.model.decoder.model.decoder.layers[0].self_attn.k_proj.weight.mul_(1.5)
    assert own.begin(ROWS, 3.0, 4).decoder is not first
    states, mask = conditions(own, ROWS)
    with torch.no_grad():
        expected = own.forward_codes(CODES, states, mask)
    assert (expected - before).abs().max() > 0.01
    assert (written(own) - expected).abs().max() < 1e-4


def test_a_row_does_not_depend_on_its_neighbours_and_a_seed_repeats_it(music: TransformersMusicGen):
    codes = generate(music, ROWS, 20, Sampling(top_k=20))
    assert torch.equal(generate(music, ROWS, 20, Sampling(top_k=20)), codes)
    for number, row in enumerate(ROWS):
        assert torch.equal(generate(music, [row], 20, Sampling(top_k=20))[0], codes[number])
    others = [Row(row.prompt, row.affect, row.seed + 1) for row in ROWS]
    assert (generate(music, others, 20, Sampling(top_k=20)) != codes).float().mean() > 0.3


def test_codes_become_sound_and_sound_codes(music: TransformersMusicGen):
    codes = torch.randint(0, 64, (2, 4, 30), generator=torch.Generator().manual_seed(0))
    sounds = music.decode(codes)
    assert [sound.shape for sound in sounds] == [(30 * 64, 1)] * 2
    assert sounds[0].dtype == np.float32
    assert np.isfinite(sounds[0]).all()
    assert not np.allclose(sounds[0], sounds[1])
    assert np.array_equal(music.decode(codes[1:])[0], sounds[1])
    back = music.encode(sounds[0], 3200)
    assert back.shape == (4, 30)
    assert back.dtype == torch.long
    assert back.device.type == "cpu"
    assert back.min() >= 0
    assert back.max() < 64


@pytest.mark.parametrize(("rate", "channels", "count"), [(3200, 1, 640), (6400, 2, 1280), (44100, 2, 8820)])
def test_sounds_of_any_rate_and_channels_are_encoded(music: TransformersMusicGen, rate: int, channels: int, count: int):
    """A fifth of a second: ten frames; the mean of both sides is what counts."""
    rng = np.random.default_rng(0)
    sound = (rng.normal(0, (rate / 3200) ** 0.5, (count, channels))).astype(np.float32)  # alike below 1600 Hz
    codes = music.encode(sound, rate)
    assert codes.shape == (4, 10)
    assert torch.equal(music.encode(sound[:, ::-1], rate), codes)
    assert torch.equal(music.encode(sound.mean(axis=1, keepdims=True), rate), codes)
    assert not torch.equal(music.encode(-sound, rate), codes)


def test_a_sound_of_no_samples_is_refused(music: TransformersMusicGen):
    with pytest.raises(AudioError, match="no samples"):
        music.encode(np.zeros((0, 2), np.float32), 44100)


def test_a_stereo_model_is_refused(transformers_folder: Path, monkeypatch: pytest.MonkeyPatch):
    from affectgen.medicine.musicgen.foreign import as_transformers

    model, tokenizer = as_transformers(find_musicgen(str(transformers_folder)))
    model.config.decoder.audio_channels = 2
    monkeypatch.setattr(transformers_backend, "as_transformers", lambda found: (model, tokenizer))
    with pytest.raises(CheckpointError, match="holds a stereo model"):
        fresh(transformers_folder)


def test_a_folder_without_an_adapter_is_refused(own: TransformersMusicGen, tmp_path: Path):
    before = written(own)
    with pytest.raises(CheckpointError, match="holds no adapter"):
        own.add_adapter(tmp_path)
    assert torch.equal(written(own), before)


def test_an_adapter_is_added_named_and_written_with(
    own: TransformersMusicGen, transformers_folder: Path, tmp_path: Path
):
    """A note of the same base says nothing; one of other weights is warned of."""
    plain = written(own)
    model = adapted(own).eval()
    with torch.no_grad():
        expected = own.forward_codes(CODES, *conditions(own, ROWS))
    model.save_pretrained(tmp_path / "mine")
    other = fresh(transformers_folder)
    assert torch.equal(written(other), plain)  # its decoder is made, and has to be made anew
    note = adapter_note(other)
    (tmp_path / "mine" / "affectgen.json").write_text(json.dumps(note))
    other.add_adapter(tmp_path / "mine")
    assert (written(other) - expected).abs().max() < 1e-4
    assert other.warnings == []
    digest = sha256((tmp_path / "mine" / "adapter_model.safetensors").read_bytes()).hexdigest()
    base = {name: note["base"][name] for name in ("name", "sha256")}
    assert other.identity == {**base, "adapter": "mine", "adapter_sha256": digest}
    note["base"]["sha256"] = "0" * 64
    (tmp_path / "mine" / "affectgen.json").write_text(json.dumps(note))
    third = fresh(transformers_folder)
    third.add_adapter(tmp_path / "mine")
    assert len(third.warnings) == 1
    assert "whose weights are others" in third.warnings[0]
