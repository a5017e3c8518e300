"""Clips by a model of codes: batches, second draws, going on after an interrupt, clips that go on from each other."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from affectgen.errors import AffectgenError
from affectgen.medicine.clips import Clips
from affectgen.medicine.drawer import CONTEXT_SECONDS
from affectgen.medicine.drawn import draw_clips
from affectgen.medicine.musicgen.interface import Shape
from affectgen.medicine.options import STRIDE
from affectgen.medicine.plan import make_plan
from affectgen.medicine.render_options import MedicineOptions
from affectgen.medicine.sounds import decode_joined, stereo

SHAPE = Shape(rate=8000, frame_rate=25.0, books=2, card=16, channels=1, dim=8, most_frames=750)
HOP = 320
OPTIONS = MedicineOptions(
    "anxious", "calm", minutes=0.5, clip=8, bound=2.0, overlap=1.0, seed=5, engine="musicgen", tries=1, batch=2
)


class Stepper:
    """Prefers the code that follows the last one, so that a stream shows where it was cut."""

    def __init__(self, rows, most):
        self.rows, self.most, self.read = rows, most, 0

    def step(self, tokens):
        self.read += tokens.shape[-1]
        if self.read > self.most:
            raise KeyboardInterrupt
        logits = torch.zeros(len(self.rows), SHAPE.books, SHAPE.card)
        last = tokens[:, :, -1:] % SHAPE.card
        return logits.scatter(2, (last + 1) % SHAPE.card, 30.0) if int(last.max()) >= 0 else logits


class Model:
    """A model whose codes count up and whose sound is a tone for each code. most: rows that its memory holds."""

    backend, shape, warnings = "transformers", SHAPE, ()

    def __init__(self, most=100, fail_after=None, positions=10_000):
        self.most, self.fail_after, self.positions = most, fail_after, positions
        self.identity = {"name": "fake", "sha256": "0"}
        self.begun, self.decoded = [], []

    def begin(self, rows, guidance, length):
        if self.fail_after is not None and len(self.begun) == self.fail_after:
            raise KeyboardInterrupt
        if len(rows) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.begun.append(list(rows))
        return Stepper(rows, self.positions)

    def decode(self, codes):
        self.decoded.append(codes.shape)
        time = np.arange(HOP) / SHAPE.rate
        tones = np.stack([np.sin(2 * np.pi * 200 * (1 + n) * time) * 0.3 for n in range(SHAPE.card)])
        return [tones[row[0].numpy()].reshape(-1, 1).astype(np.float32) for row in codes]


@pytest.fixture
def plan():
    return make_plan(OPTIONS)


def drawn(tmp_path, plan, model, options=OPTIONS):
    told = []
    made = draw_clips(options, plan, tmp_path / "c", model, lambda done, total: told.append((done, total)))
    return made, told


def test_every_clip_is_kept_in_its_length_and_progress_never_goes_back(tmp_path, plan):
    made, told = drawn(tmp_path, plan, Model())
    assert [one.number for one in made] == list(range(1, len(plan.clips) + 1))
    assert {len(Clips(tmp_path / "c", {}).load(one.number, 44_100)) for one in made} <= {
        round(plan.clip_seconds * 44_100) + extra for extra in (-1, 0, 1)
    }
    assert told[-1] == (len(plan.clips), len(plan.clips))
    assert all(a[0] <= b[0] for a, b in pairwise(told))


def test_clips_are_asked_for_by_their_own_words_emotions_and_seeds(tmp_path, plan):
    model = Model()
    drawn(tmp_path, plan, model)
    assert [len(rows) for rows in model.begun] == [2, 2, 1][: len(model.begun)]
    rows = [row for group in model.begun for row in group]
    assert [row.prompt for row in rows] == [clip.prompt for clip in plan.clips]
    assert [row.affect for row in rows] == [(clip.affect.valence, clip.affect.arousal) for clip in plan.clips]
    assert len({row.seed for row in rows}) == len(rows)


def test_a_clip_that_misses_is_drawn_again_and_the_nearest_is_kept(tmp_path, plan, monkeypatch):
    heard = iter([(0.9, 0.9), (0.0, 0.0), (0.1, 0.0), (0.9, -0.9)] * 20)

    def hear(sound, rate):
        valence, arousal = next(heard)
        return {"recogniser": "guide", "valence": valence, "arousal": arousal, "quadrant": "Q1"}

    monkeypatch.setattr("affectgen.medicine.drawer.heard", hear)
    model = Model()
    made, _ = drawn(tmp_path, plan, model, replace(OPTIONS, tries=3, near=0.05, batch=1))
    seeds = [row.seed for group in model.begun for row in group]
    assert len(seeds) == 3 * len(plan.clips)
    first = plan.clips[0]
    own = [seed for seed in seeds if (seed - seeds[0]) % STRIDE == 0 and abs(seed - seeds[0]) <= 2 * STRIDE]
    assert len(own) == 3
    assert first.affect.distance(type(first.affect)(made[0].measured["valence"], made[0].measured["arousal"])) < 1.2


def test_finished_clips_are_not_drawn_again(tmp_path, plan):
    broken = Model(fail_after=1)
    with pytest.raises(KeyboardInterrupt):
        drawn(tmp_path, plan, broken)
    model = Model()
    made, _ = drawn(tmp_path, plan, model)
    assert sum(len(rows) for rows in model.begun) == len(plan.clips) - 2
    (tmp_path / "other").mkdir()
    whole, _ = drawn(tmp_path / "other", plan, Model())
    for one in made:
        first, second = (Clips(home / "c", {}).load(one.number, 44_100) for home in (tmp_path, tmp_path / "other"))
        assert np.array_equal(first, second)
    assert [one.measured for one in made] == [one.measured for one in whole]


@pytest.mark.parametrize("options", ["OPTIONS", "CONTINUED"])
def test_an_interrupt_in_the_midst_of_a_clip_loses_little(tmp_path, monkeypatch, options):
    options = globals()[options]
    plan = make_plan(options)
    monkeypatch.setattr("affectgen.medicine.drawer.SAVE_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        drawn(tmp_path, plan, Model(positions=150), options)
    model = Model()
    drawn(tmp_path, plan, model, options)
    assert [row.start.shape for row in model.begun[0]] == [(2, 140)] * len(model.begun[0])
    (tmp_path / "other").mkdir()
    made, _ = drawn(tmp_path / "other", plan, Model(), options)
    for one in made:
        first, second = (Clips(home / "c", {}).load(one.number, 44_100) for home in (tmp_path, tmp_path / "other"))
        assert np.array_equal(first, second)
    assert not list((tmp_path / "c").glob("*.begun"))


def test_other_weights_make_other_clips(tmp_path, plan):
    drawn(tmp_path, plan, Model())
    model = Model()
    model.identity = {"name": "fake", "sha256": "1"}
    drawn(tmp_path, plan, model)
    assert sum(len(rows) for rows in model.begun) == len(plan.clips)


def test_a_batch_that_memory_does_not_hold_is_halved(tmp_path, plan):
    model = Model(most=1)
    made, _ = drawn(tmp_path, plan, model, replace(OPTIONS, batch=4))
    assert len(made) == len(plan.clips)
    assert {len(rows) for rows in model.begun} == {1}
    assert {one.details["batch"] for one in made} == {1}


def test_memory_that_holds_no_clip_is_told(tmp_path, plan):
    with pytest.raises(AffectgenError, match="does not hold one clip"):
        drawn(tmp_path, plan, Model(most=0))


def test_a_clip_longer_than_the_model_writes_is_refused(tmp_path):
    options = replace(OPTIONS, clip=40, minutes=2)
    with pytest.raises(AffectgenError, match="longer than this model writes"):
        drawn(tmp_path, make_plan(options), Model(), options)


CONTINUED = replace(OPTIONS, transition="continue", overlap=0.0)


def test_a_clip_goes_on_from_the_last_ones_codes_and_all_are_decoded_as_one(tmp_path):
    plan, model = make_plan(CONTINUED), Model()
    made, _ = drawn(tmp_path, plan, model, CONTINUED)
    starts = [row.start for group in model.begun for row in group]
    assert starts[0] is None
    assert all(start.shape == (2, 125) for start in starts[1:]), "the last five seconds"
    codes = [Clips(tmp_path / "c", {})._path(one.number, ".npz") for one in made]
    stream = np.concatenate([np.load(path)["codes"] for path in codes], axis=1)
    assert (np.diff(stream[0]) % 16 == 1).all(), "every code follows the one before, across clips as well"
    sound = np.concatenate([Clips(tmp_path / "c", {}).load(one.number, 44_100) for one in made])
    whole = stereo(Model().decode(torch.as_tensor(stream)[None])[0], 8000, 44_100)[: len(sound)]
    assert len(sound) == 30 * 44_100
    # a clip's end is faded only at the end of all
    assert np.allclose(sound[: len(whole) - 4410], whole[: len(sound) - 4410], atol=2e-3)


def test_an_interrupted_stream_goes_on_to_the_same_codes(tmp_path):
    plan = make_plan(CONTINUED)
    with pytest.raises(KeyboardInterrupt):
        drawn(tmp_path, plan, Model(fail_after=2), CONTINUED)
    model = Model()
    drawn(tmp_path, plan, model, CONTINUED)
    assert len(model.begun) == len(plan.clips) - 2
    (tmp_path / "other").mkdir()
    made, _ = drawn(tmp_path / "other", plan, Model(), CONTINUED)
    for one in made:
        paths = [Clips(home / "c", {})._path(one.number, ".npz") for home in (tmp_path, tmp_path / "other")]
        first, second = (np.load(path)["codes"] for path in paths)
        assert np.array_equal(first, second)


def test_context_and_clip_together_must_fit(tmp_path):
    options = replace(CONTINUED, clip=30, minutes=2)
    with pytest.raises(AffectgenError, match=f"--clip {30 - CONTEXT_SECONDS:g}"):
        drawn(tmp_path, make_plan(options), Model(), options)


@pytest.mark.parametrize("frames", [1, 749, 750, 751, 2000])
def test_long_codes_are_decoded_in_windows_to_the_same_sound(frames):
    codes = torch.arange(frames)[None].repeat(2, 1) % 16
    model = Model()
    found = decode_joined(model, codes)
    assert np.array_equal(found, Model().decode(codes[None])[0])
    assert max(shape[-1] for shape in model.decoded) <= 850


@pytest.mark.parametrize("options", [replace(OPTIONS, batch=1), CONTINUED], ids=["side by side", "in turn"])
def test_draws_that_missed_are_kept_and_not_made_again(tmp_path, monkeypatch, options):
    """Every clip misses; an interrupt after three draws costs none of them, and the end is the same."""
    far = iter(range(1000))

    def hear(sound, rate):
        return {"recogniser": "guide", "valence": -1.0 + next(far) % 7 / 5, "arousal": 1.0, "quadrant": "Q2"}

    options = replace(options, tries=2, near=0.0)
    plan = make_plan(options)
    monkeypatch.setattr("affectgen.medicine.drawer.heard", hear)
    with pytest.raises(KeyboardInterrupt):
        drawn(tmp_path, plan, Model(fail_after=3), options)
    model = Model()
    made, told = drawn(tmp_path, plan, model, options)
    assert sum(len(rows) for rows in model.begun) == 2 * len(plan.clips) - 3
    far = iter(range(1000))
    (tmp_path / "other").mkdir()
    whole, _ = drawn(tmp_path / "other", plan, Model(), options)
    assert made == whole
    assert all(one[0] <= two[0] for one, two in pairwise(told))
    for one in made:
        first, second = (Clips(home / "c", {}).load(one.number, 44_100) for home in (tmp_path, tmp_path / "other"))
        assert np.array_equal(first, second)


def test_a_clip_is_drawn_again_before_the_next_ones_are_begun(tmp_path, plan, monkeypatch):
    monkeypatch.setattr("affectgen.medicine.drawer.heard", lambda sound, rate: {"valence": 1.0, "arousal": 1.0})
    model = Model()
    drawn(tmp_path, plan, model, replace(OPTIONS, tries=2, near=0.0, batch=1))
    prompts = [row.prompt for rows in model.begun for row in rows]
    assert prompts == [clip.prompt for clip in plan.clips for _ in range(2)]
