"""The language model: captions without words, causes before effects, learning."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tiny_sizes import CODEC, LANGUAGE

from affectgen.errors import AffectgenError
from affectgen.medicine.musicgen.small.codec import build_codec
from affectgen.medicine.musicgen.small.data import Clip
from affectgen.medicine.musicgen.small.language import code_logits, code_loss, text_states
from affectgen.medicine.musicgen.small.language_train import (
    CODES,
    CodeCrops,
    LanguageTraining,
    train_language,
    trained_language,
)
from affectgen.medicine.musicgen.small.words import make_tokenizer

PLAIN = LanguageTraining()


def test_a_caption_without_words_says_nothing(model):
    states, mask = text_states(model, make_tokenizer(), ["", "solo piano, C major"])
    assert float(states[0].detach().abs().max()) == 0
    assert float(states[1].detach().abs().max()) > 0
    assert mask.bool().any(dim=1).all()


def test_a_code_changes_only_what_comes_after_it(model):
    states, mask = text_states(model, make_tokenizer(), ["solo piano"])
    codes = torch.randint(0, CODEC.codes, (1, CODEC.books, 12))
    changed = codes.clone()
    changed[0, 0, 5] = (codes[0, 0, 5] + 1) % CODEC.codes
    with torch.no_grad():
        one, other = (code_logits(model, given, states, mask) for given in (codes, changed))
    assert one.shape == (1, CODEC.books, 12, CODEC.codes)
    moved = (one - other).abs().amax(-1)[0] > 1e-6  # [K, T]
    assert not moved[0, :6].any()
    assert moved[0, 6:].any()
    assert not moved[1, :5].any()  # the second book is a frame later, so it may hear the first of its own frame


def test_loss_of_knowing_nothing_is_the_logarithm_of_the_codes():
    codes = torch.randint(0, 16, (2, 3, 5))
    assert float(code_loss(torch.zeros(2, 3, 5, 16), codes)) == pytest.approx(math.log(16))


def test_crops_follow_the_clips_and_their_captions():
    clips = [(Clip(f"c{n}", "s", "train", "Q1", f"{'CD'[n]} major"), np.full((2, 9), n)) for n in (0, 1)]
    options = LanguageTraining(plain=0.3, silent=0.2)
    codes, captions = CodeCrops(clips, 4, options, 0).draw(200)
    assert codes.shape == (200, 2, 4)
    for row, said in zip(codes, captions, strict=True):
        assert said in ("", "solo piano", f"solo piano, {'CD'[int(row[0, 0])]} major")
    assert 0.1 < captions.count("") / 200 < 0.3
    assert 0.2 < captions.count("solo piano") / 200 < 0.4
    with pytest.raises(AffectgenError, match="10 frames long"):
        CodeCrops(clips, 10, options, 0)


def test_training_lowers_the_loss_leaves_the_codec_alone_and_goes_on(sounds, tmp_path):
    torch.manual_seed(0)
    codec = build_codec(CODEC).eval()
    for layer in codec.quantizer.layers:
        layer.codebook.embed.normal_()
    options = LanguageTraining(steps=12, batch=2, validate_every=6)
    model, _ = train_language(sounds, tmp_path, codec, LANGUAGE, options, lambda text: None)
    lines = np.genfromtxt(tmp_path / "log.csv", delimiter=",", names=True)
    assert lines["loss"][-1] < lines["loss"][0]
    assert {path.name for path in tmp_path.iterdir()} >= {CODES, "best.pt", "log.csv"}
    for name, weight in codec.state_dict().items():
        assert torch.equal(model.audio_encoder.state_dict()[name], weight)
    again = trained_language(tmp_path, codec, LANGUAGE)
    assert torch.equal(again.decoder.lm_heads[0].weight, model.decoder.lm_heads[0].weight)
