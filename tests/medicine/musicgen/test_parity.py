"""The same tiny random model through both backends: the same logits, the same codes, the same sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from affectgen.medicine.musicgen.audiocraft_backend import load_audiocraft
from affectgen.medicine.musicgen.decoding import generate
from affectgen.medicine.musicgen.folder import find_musicgen
from affectgen.medicine.musicgen.interface import MusicGen, Row, Sampling
from affectgen.medicine.musicgen.transformers_backend import load_transformers

TOLERANCE = 1e-4
ROWS = [Row("calm solo piano music", (0.6, -0.4), 1), Row("happy strings", None, 2), Row("", (0.1, 0.2), 3)]


@pytest.fixture(scope="module", params=["transformers", "audiocraft"])
def both(request, transformers_folder: Path, audiocraft_folder: Path) -> list[MusicGen]:
    """One folder through both backends; their AffectSums move the states, alike."""
    folder = {"transformers": transformers_folder, "audiocraft": audiocraft_folder}[request.param]
    found = find_musicgen(str(folder))
    models = [load_transformers(found, "cpu", "float32"), load_audiocraft(found, "cpu")]
    torch.manual_seed(0)
    affect = models[1].affect
    for value in affect.parameters():
        torch.nn.init.normal_(value, std=0.3)
    models[0].model.affect_sum.load_state_dict(affect.state_dict())
    return models


def read(model: MusicGen, rows: Sequence[Row], guidance: float, pieces: Sequence[Tensor]) -> list[Tensor]:
    """Logits after each piece of positions."""
    stepper = model.begin(rows, guidance, sum(piece.shape[-1] for piece in pieces))
    return [stepper.step(piece) for piece in pieces]


def test_shapes_and_hashes_are_the_same(both: list[MusicGen]):
    assert both[0].shape == both[1].shape
    assert both[0].identity == both[1].identity
    assert [model.backend for model in both] == ["transformers", "audiocraft"]


@pytest.mark.parametrize("guidance", [3.0, 1.0])
def test_logits_are_the_same(both: list[MusicGen], guidance: float):
    """Prompts of different lengths in one batch, one of no words at all, read in pieces."""
    torch.manual_seed(1)
    codes = torch.randint(0, 65, (3, 4, 14))
    pieces = codes.split([1, 1, 5, 1, 6], dim=2)
    for whole in (codes.split([9, 1, 4], dim=2), pieces):
        one, two = (read(model, ROWS, guidance, whole) for model in both)
        assert max(logits.abs().max() for logits in one) > 2
        assert max((a - b).abs().max() for a, b in zip(one, two, strict=True)) < TOLERANCE


def test_the_emotion_moves_rows_with_words_alone_and_each_its_own(both: list[MusicGen]):
    torch.manual_seed(2)
    codes = torch.randint(0, 64, (3, 4, 6))
    turned = [Row(row.prompt, (-0.6, 0.4) if number != 1 else None, row.seed) for number, row in enumerate(ROWS)]
    for model in both:
        (one,), (two,) = (read(model, rows, 3.0, [codes]) for rows in (ROWS, turned))
        moved = (one - two).abs().amax(dim=(1, 2))
        assert moved[0] > 0.05
        assert moved[1:].max() < 1e-5


def test_greedy_codes_are_the_same_and_known_beginnings_stay(both: list[MusicGen]):
    start = torch.randint(0, 64, (4, 5), generator=torch.Generator().manual_seed(3))
    rows = [Row(row.prompt, row.affect, row.seed, start) for row in ROWS]
    one, two = (generate(model, rows, 24, Sampling(temperature=0.0)) for model in both)
    assert torch.equal(one, two)
    assert torch.equal(one[1, :, :5], start)
    assert len(one[:, :, 5:].unique()) > 10


def test_drawn_codes_are_the_same(both: list[MusicGen]):
    one, two = (generate(model, ROWS, 20, Sampling(top_k=20)) for model in both)
    assert torch.equal(one, two)


def test_sound_and_its_codes_are_the_same(both: list[MusicGen]):
    codes = torch.randint(0, 64, (2, 4, 40), generator=torch.Generator().manual_seed(4))
    one, two = (model.decode(codes) for model in both)
    assert one[0].shape == two[0].shape == (40 * 64, 1)
    assert one[0].dtype == two[0].dtype == np.float32
    assert np.abs(one[1]).max() > 0.03
    assert max(np.abs(a - b).max() for a, b in zip(one, two, strict=True)) < TOLERANCE
    sound = np.random.default_rng(5).normal(0, 0.2, (9000, 2)).astype(np.float32)
    codes, others = (model.encode(sound, 4410) for model in both)
    assert torch.equal(codes, others)
    assert codes.shape == (4, -(-round(9000 * 3200 / 4410) // 64))
