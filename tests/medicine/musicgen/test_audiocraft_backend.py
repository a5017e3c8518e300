"""audiocraft behind the interface: its own logits, steppers that do not disturb each other, rows that stand alone."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
import torch

from affectgen.errors import AffectgenError, AudioError, CheckpointError
from affectgen.medicine.musicgen import backend as door
from affectgen.medicine.musicgen.audiocraft_backend import AudiocraftMusicGen, load_audiocraft
from affectgen.medicine.musicgen.backend import BACKENDS, check_backend, load_musicgen
from affectgen.medicine.musicgen.decoding import generate
from affectgen.medicine.musicgen.folder import find_musicgen
from affectgen.medicine.musicgen.foreign import as_audiocraft
from affectgen.medicine.musicgen.interface import Row, Sampling, Shape

ROWS = [Row("calm solo piano music", (0.6, -0.4), 1), Row("happy", (0.1, 0.9), 2)]


@pytest.fixture(scope="module")
def model(audiocraft_folder: Path) -> AudiocraftMusicGen:
    return load_audiocraft(find_musicgen(str(audiocraft_folder)))


@pytest.fixture(scope="module")
def codes() -> torch.Tensor:
    return torch.randint(0, 64, (2, 4, 9), generator=torch.Generator().manual_seed(0))


def test_its_shape_is_the_models(model: AudiocraftMusicGen):
    assert model.shape == Shape(3200, 50.0, 4, 64, 1, 32, 1500)
    assert model.identity["name"] == "tiny"
    assert len(model.identity["sha256"]) == 64


def test_codes_are_audiocrafts_own(model: AudiocraftMusicGen, audiocraft_folder: Path):
    """Against audiocraft's generate, without this package's loop, mask or affect."""
    music = as_audiocraft(find_musicgen(str(audiocraft_folder)))
    music.set_generation_params(use_sampling=False, duration=0.5, cfg_coef=3.0)
    rows = [Row("calm solo piano music", None, 0), Row("happy fast strings music", None, 0)]
    for some in (rows, rows[1:]):
        attributes, _ = music._prepare_tokens_and_attributes([row.prompt for row in some], None)
        for attribute in attributes:
            attribute.wav.clear()
        theirs = music._generate_tokens(attributes, None)
        ours = generate(model, some, 25, Sampling(temperature=0.0))
        assert torch.equal(ours, theirs)


def test_a_row_does_not_depend_on_the_prompts_beside_it(model: AudiocraftMusicGen, codes: torch.Tensor):
    both = model.begin(ROWS, 3.0, 9).step(codes)
    alone = [model.begin([row], 3.0, 9).step(codes[n : n + 1]) for n, row in enumerate(ROWS)]
    assert (both - torch.cat(alone)).abs().max() < 1e-5


def test_audiocraft_itself_attends_to_padding(audiocraft_folder: Path, codes: torch.Tensor):
    """What the mask is there for: without it the shorter prompt hears the longer one's length."""
    music = as_audiocraft(find_musicgen(str(audiocraft_folder)))
    from audiocraft.modules.conditioners import ConditioningAttributes

    def logits(prompts: list[str], given: torch.Tensor) -> torch.Tensor:
        provider = music.lm.condition_provider
        with torch.no_grad():
            asked = [ConditioningAttributes(text={"description": prompt}) for prompt in prompts]
            return music.lm(given, [], provider(provider.tokenize(asked)))

    both = logits([row.prompt for row in ROWS], codes)
    assert (both[:1] - logits([ROWS[0].prompt], codes[:1])).abs().max() < 1e-5
    assert (both[1:] - logits([ROWS[1].prompt], codes[1:])).abs().max() > 0.01


def test_before_training_the_emotion_changes_nothing(model: AudiocraftMusicGen, codes: torch.Tensor):
    plain = [Row(row.prompt, None, row.seed) for row in ROWS]
    assert torch.equal(model.begin(ROWS, 3.0, 9).step(codes), model.begin(plain, 3.0, 9).step(codes))


def test_steppers_do_not_disturb_each_other(model: AudiocraftMusicGen, codes: torch.Tensor):
    expected = [model.begin([row], guidance, 9).step(codes[:1]) for row, guidance in zip(ROWS, (3.0, 1.0), strict=True)]
    one, two = model.begin(ROWS[:1], 3.0, 9), model.begin(ROWS[1:], 1.0, 9)
    for place in range(9):
        found = [stepper.step(codes[:1, :, place : place + 1]) for stepper in (one, two)]
    assert all((a - b).abs().max() < 1e-5 for a, b in zip(found, expected, strict=True))


def test_a_stepper_that_is_gone_leaves_nothing_behind(model: AudiocraftMusicGen, codes: torch.Tensor):
    stepper = model.begin(ROWS, 3.0, 9)
    first = stepper.step(codes)
    del stepper
    gc.collect()
    assert torch.equal(model.begin(ROWS, 3.0, 9).step(codes), first)


def test_decoding_a_batch_is_decoding_its_rows(model: AudiocraftMusicGen, codes: torch.Tensor):
    sounds = model.decode(codes)
    assert [sound.shape for sound in sounds] == [(9 * 64, 1)] * 2
    assert np.array_equal(sounds[1], model.decode(codes[1:])[0])
    with pytest.raises(AudioError, match="no samples"):
        model.encode(np.zeros((0, 1), np.float32), 3200)


def test_the_door_refuses_what_is_unknown_or_not_installed(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(AffectgenError, match=r"No backend is called 'jax'.*transformers, audiocraft"):
        load_musicgen(None, "jax", "cpu", None)
    monkeypatch.setattr(door, "find_spec", lambda name: None if name == "audiocraft" else object())
    check_backend("transformers")
    with pytest.raises(AffectgenError, match=r"pip install --no-deps audiocraft==1\.3\.0"):
        load_musicgen(None, "audiocraft", "cpu", None)
    monkeypatch.setattr(door, "find_spec", lambda name: None)
    for name in BACKENDS:
        with pytest.raises(AffectgenError, match="needs transformers, which is not installed"):
            check_backend(name)


@pytest.mark.parametrize("name", BACKENDS)
def test_the_door_opens_both(name: str, audiocraft_folder: Path, tmp_path: Path):
    model = load_musicgen(str(audiocraft_folder), name, "cpu")
    assert model.backend == name
    with pytest.raises(CheckpointError, match="holds no adapter"):
        load_musicgen(str(audiocraft_folder), name, "cpu", tmp_path)
