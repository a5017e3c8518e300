"""MusicGen's weights under audiocraft's and under transformers' names: nothing lost, nothing changed."""

from __future__ import annotations

import pytest
import torch

from affectgen.errors import CheckpointError
from affectgen.medicine.musicgen.convert import to_audiocraft, to_transformers

DIM, LAYERS, BOOKS = 8, 2, 4


def audiocraft_weights():
    """The names and shapes of audiocraft's LMModel, with random numbers."""
    torch.manual_seed(0)
    shapes = {f"emb.{k}.weight": (17, DIM) for k in range(BOOKS)}
    shapes |= {f"linears.{k}.weight": (16, DIM) for k in range(BOOKS)}
    for layer in range(LAYERS):
        home = f"transformer.layers.{layer}"
        for attention in ("self_attn", "cross_attention"):
            shapes[f"{home}.{attention}.in_proj_weight"] = (3 * DIM, DIM)
            shapes[f"{home}.{attention}.out_proj.weight"] = (DIM, DIM)
        shapes |= {f"{home}.linear1.weight": (32, DIM), f"{home}.linear2.weight": (DIM, 32)}
        for norm in ("norm1", "norm2", "norm_cross"):
            shapes |= {f"{home}.{norm}.weight": (DIM,), f"{home}.{norm}.bias": (DIM,)}
    shapes |= {"out_norm.weight": (DIM,), "out_norm.bias": (DIM,)}
    text = "condition_provider.conditioners.description.output_proj"
    shapes |= {f"{text}.weight": (DIM, 12), f"{text}.bias": (DIM,)}
    return {name: torch.randn(shape) for name, shape in shapes.items()}


def test_there_and_back_is_the_same():
    weights = audiocraft_weights()
    back = to_audiocraft(to_transformers(weights))
    assert set(back) == set(weights)
    assert all(torch.equal(back[name], weights[name]) for name in weights)


def test_queries_keys_and_values_come_apart_in_their_order():
    weights = audiocraft_weights()
    found = to_transformers(weights)
    packed = weights["transformer.layers.1.cross_attention.in_proj_weight"]
    for place, part in enumerate(("q_proj", "k_proj", "v_proj")):
        name = f"decoder.model.decoder.layers.1.encoder_attn.{part}.weight"
        assert torch.equal(found[name], packed[place * DIM : (place + 1) * DIM])


def test_names_that_are_not_musicgens_are_told():
    with pytest.raises(CheckpointError, match=r"rnn\.weight"):
        to_transformers({"rnn.weight": torch.zeros(1)})
    weights = to_transformers(audiocraft_weights())
    del weights["decoder.model.decoder.layers.0.self_attn.k_proj.weight"]
    with pytest.raises(CheckpointError, match=r"self_attn\.in_proj_weight lacks k_proj"):
        to_audiocraft(weights)


def test_text_encoder_and_codec_stay_out_of_audiocrafts_weights():
    weights = to_transformers(audiocraft_weights())
    more = {"text_encoder.shared.weight": torch.zeros(2), "audio_encoder.encoder.x": torch.zeros(2)}
    assert set(to_audiocraft({**weights, **more})) == set(to_audiocraft(weights))
