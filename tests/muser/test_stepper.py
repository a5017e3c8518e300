"""One word at a time gives what the whole prefix gives: states, words, and words that no neighbour changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from affectgen.muser.compose import WIDTH, Composer, Request, Sampling
from affectgen.muser.config import MuserConfig
from affectgen.muser.model import Muser
from affectgen.muser.prior import Prior
from affectgen.score.words import SIZES
from affectgen.writing import stepper
from affectgen.writing.sampler import Decoding
from affectgen.writing.stepper import Stepper, Writing

CONFIG = MuserConfig(
    dim=32, layers=2, heads=2, condition=16, encoder_dim=8, prior_dim=20, prior_layers=1, prior_heads=2
)


@pytest.fixture(scope="module")
def composer():
    """An untrained composer whose conditions act: FiLM starts as the identity."""
    torch.manual_seed(0)
    model, prior = Muser(CONFIG), Prior(CONFIG)
    for module in (model, prior):
        for name, parameter in module.named_parameters():
            if "film" in name or "plan" in name:
                torch.nn.init.normal_(parameter, std=0.5)
    return Composer(model.eval(), prior.eval(), CONFIG)


class Plain(Decoding):
    """The same without a memory: the whole prefix through the decoder at every word, slices projected at every draw."""

    def _advance(self, word):
        state = super()._advance(word)
        table = np.zeros((self.rows, 13), dtype=np.int64)
        table[:, :8], table[:, 9:12], table[:, 8] = word, self.in_force, self.bar
        self.tables = [*getattr(self, "tables", []), table]
        whole = torch.from_numpy(np.stack(self.tables, axis=1))
        plain = self.writing.model.globally(torch.cat([whole] * self.request.sides), self.request.condition)[:, -1]
        live = self._live()
        np.testing.assert_allclose(state[:live], plain[:live], atol=1e-4)
        return plain

    def _logits(self, element, state):
        rows = torch.arange(self.rows)
        plan = self.request.plan[rows, torch.from_numpy(self.bar)][:, element]
        both = torch.cat([plan] * self.request.sides)
        return self.writing.model.elements(element, state, both, torch.zeros_like(both))


def requests(guidance=1.7):
    """Three pieces of unlike lengths, one of which ends early."""
    happy, sad = np.full((5, 2), 0.6), np.full((2, 2), -0.6)
    made = [Request(happy, 5, (1,)), Request(sad, 2, (2,)), Request(None, 3, (3,), ending=False)]
    return [Request(**{**vars(one), "sampling": Sampling(guidance=guidance)}) for one in made]


@pytest.mark.parametrize("sides", [1, 2])
def test_states_are_those_of_the_whole_prefix(composer, monkeypatch, sides):
    monkeypatch.setattr(stepper, "FIRST_ROOM", 3)  # so that the store has to grow
    rng = np.random.default_rng(0)
    sizes = [SIZES[name] for name in ("family", "beat", "tempo", "chord", "pitch", "duration", "velocity", "key")]
    tables = np.zeros((8, 3, 13), dtype=np.int64)
    for column, size in [*enumerate(sizes), (9, SIZES["beat"]), (10, SIZES["tempo"]), (11, SIZES["chord"])]:
        tables[..., column] = rng.integers(size, size=(8, 3))
    tables[..., 8] = np.sort(rng.integers(4, size=(8, 3)), axis=0)  # rows enter their bars at different words
    condition = torch.randn(3 * sides, 4, CONFIG.condition)
    with torch.no_grad():
        steps = Stepper(Writing.of(composer.model), condition, live=2, sides=sides)
        states = [steps.step(table, table[:, 8], 2 if number < 6 else 1) for number, table in enumerate(tables)]
        whole = torch.from_numpy(np.concatenate([tables] * sides, axis=1)).transpose(0, 1)
        expected = composer.model.globally(whole, condition)
    for number, state in enumerate(states):
        live = [row + 3 * side for side in range(sides) for row in ((0, 1) if number < 6 else (0,))]
        np.testing.assert_allclose(state[live], expected[live, number], atol=1e-5)


@pytest.mark.parametrize("guidance", [1.0, 1.7])
def test_words_are_those_of_the_whole_prefix(composer, monkeypatch, guidance):
    fast = composer.compose(requests(guidance))
    monkeypatch.setattr("affectgen.writing.sampler.Decoding", Plain)
    plain = composer.compose(requests(guidance))
    assert sum(len(piece.words) for piece in fast) > 60
    for ours, theirs in zip(fast, plain, strict=True):
        np.testing.assert_array_equal(ours.words, theirs.words)


def test_guidance_of_one_is_the_affect_alone(composer, monkeypatch):
    """Hardly more than 1 takes rows without the affect as well, and must draw the same words."""
    seen = []
    step = Stepper.step
    monkeypatch.setattr(Stepper, "step", lambda self, *args: seen.append(self.sides) or step(self, *args))
    one = composer.compose(requests(1.0))
    more = composer.compose(requests(1.0 + 1e-9))
    assert set(seen) == {1, 2}
    for ours, theirs in zip(one, more, strict=True):
        np.testing.assert_array_equal(ours.words, theirs.words)


def test_logits_are_computed_for_the_whole_batch(composer, monkeypatch):
    """Products of few rows may round otherwise than products of many; so how many draw an element must not matter."""
    seen = []
    logits = Decoding._logits

    def spy(self, element, state):
        found = logits(self, element, state)
        seen.append(found)
        return found

    monkeypatch.setattr(Decoding, "_logits", spy)
    alone = composer.compose(requests()[:1])[0]
    other = Request(np.zeros((5, 2)), 5, (9,), sampling=Sampling(guidance=1.7))
    among = composer.compose([requests()[0], *[other] * 4])[0]
    np.testing.assert_array_equal(alone.words, among.words)
    assert {len(found) for found in seen} == {2 * WIDTH}
