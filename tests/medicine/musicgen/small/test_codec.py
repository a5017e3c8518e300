"""The codec: its learning quantiser against transformers' own, and the distance that it learns by."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_sizes import CODEC

from affectgen.medicine.musicgen.small.codec import CodecConfig, Coder, SpectralLoss
from affectgen.medicine.musicgen.small.codec_train import CodecTraining, train_codec, trained_codec
from affectgen.medicine.musicgen.small.data import RATE


def tones(*hertz, seconds=0.5):
    time = torch.arange(round(seconds * RATE)) / RATE
    return torch.stack([0.1 * torch.sin(2 * torch.pi * one * time) for one in hertz])[:, None]


def test_the_finished_codec_codes_as_the_learning_one():
    torch.manual_seed(0)
    coder = Coder(CODEC).train()
    sound = torch.randn(8, 1, 20 * CODEC.frame) * 0.1
    for _ in range(3):
        coder(sound)
    heard, _ = coder.eval()(sound)
    codec = coder.finished()
    codes = codec.encode(sound).audio_codes
    assert codes.shape == (1, 8, CODEC.books, 20)
    assert len(codes.unique()) > 4
    assert torch.allclose(codec.decode(codes, [None]).audio_values, heard, atol=1e-5)


def test_gradients_pass_through_the_quantiser_to_the_encoder():
    torch.manual_seed(0)
    coder = Coder(CODEC).train()
    sound = torch.randn(2, 1, 20 * CODEC.frame) * 0.1
    heard, commitment = coder(sound)
    (heard.square().mean() + commitment).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in coder.model.encoder.parameters())


def test_a_frame_holds_the_samples_that_its_ratios_say():
    assert CodecConfig().frame == 640
    assert CODEC.frame == 160


def test_spectral_distance_is_none_to_itself_and_grows_with_the_interval():
    loss = SpectralLoss(0.0)
    note, semitone, fifth = tones(440.0), tones(466.2), tones(659.3)
    assert float(loss(note, note)) == pytest.approx(0, abs=1e-7)
    assert 0 < float(loss(semitone, note)) < float(loss(fifth, note))


def test_spectral_distance_does_not_hear_phases():
    loss, time = SpectralLoss(0.0), torch.arange(RATE) / RATE
    moved = 0.1 * torch.cos(2 * torch.pi * 440 * time)[None, None]
    note = tones(440.0, seconds=1)
    assert float(loss(moved, note)) < 0.5 * float(loss(tones(466.2, seconds=1), note))
    assert float(SpectralLoss(1.0)(moved, note)) > 0.5


def test_training_lowers_the_distance_and_starts_the_books(sounds, tmp_path):
    options = CodecTraining(steps=30, batch=4, frames=32, before=10, validate_every=10)
    told = []
    train_codec(sounds, tmp_path / "run", CODEC, options, told.append)
    lines = np.genfromtxt(tmp_path / "run" / "log.csv", delimiter=",", names=True)
    assert lines["loss"][-1] < lines["loss"][0]
    codec = trained_codec(tmp_path / "run", CODEC)
    assert all(float(layer.codebook.embed.abs().sum()) > 0 for layer in codec.quantizer.layers)
    assert "clips" in told[0]
