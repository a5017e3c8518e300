"""The model: what targets may reach, what padding and neighbours may not do, and that it learns."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from affectgen.emogen.config import EmogenConfig
from affectgen.emogen.data import Batch, collate, cut_window
from affectgen.emogen.model import Emogen
from affectgen.emogen.vector import NAMES
from affectgen.score.words import Family
from affectgen.writing.decoder import MOST_BARS_LEFT

NEVER_READ = ("elements.chosen.3.weight", "elements.chosen.6.weight")  # chord and velocity: no element comes after them


@pytest.fixture
def batch(song):
    windows = [cut_window(one, 0, 10_000) for one in (song(0, 4), song(1, 6), song(2, 5, "pop1k7"))]
    rng = np.random.default_rng(0)
    targets = [np.where(rng.random((1, len(NAMES))) < 0.5, rng.normal(size=(window.bars, len(NAMES))), np.nan)
               for window in windows]  # fmt: skip
    return collate(windows, targets)


def make(config, **changes):
    """A model whose conditions act."""
    torch.manual_seed(0)
    model = Emogen(dataclasses.replace(config, **changes)).eval()
    for name, parameter in model.named_parameters():
        if "film" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    return model


def pick(batch, *rows):
    return Batch(*(getattr(batch, name)[list(rows)] for name in batch.__dataclass_fields__))


def with_targets(batch, change):
    targets = batch.targets.clone()
    change(targets)
    return dataclasses.replace(batch, targets=targets)


def words_of(batch):
    return float((batch.table[:, 1:, 0] > 0).sum())


@torch.no_grad()
def test_every_element_has_its_likelihood(config, batch):
    model = make(config)
    losses = model(batch)
    assert losses.shape == (7,)
    assert torch.isfinite(losses).all()
    assert (losses > 0).all()
    assert torch.equal(losses, model(batch)), "nothing is drawn outside training"


def test_noise_is_added_to_targets_in_training_only(config, batch):
    model = make(config, dropout=0.0).train()
    assert not torch.equal(model(batch), model(batch))
    still = make(config, dropout=0.0, noise=0.0).train()
    assert torch.equal(still(batch), still(batch))
    torch.testing.assert_close(still(batch), make(config)(batch))


@torch.no_grad()
def test_what_is_asked_for_changes_what_is_likely(config, batch):
    model, before = make(config), make(config)(batch)
    for name in ("velocity_mean", "tempo", NAMES[-1]):
        place = NAMES.index(name)
        for value in (-1.5, 0.0, 1.5):
            free = with_targets(batch, lambda t, place=place: t[..., place].fill_(np.nan))
            asked = with_targets(batch, lambda t, place=place, value=value: t[..., place].fill_(value))
            assert not torch.allclose(model(free), model(asked), atol=1e-6), f"{name} {value}"
    assert not torch.allclose(before, model(dataclasses.replace(batch, style=1 - batch.style.clamp(max=1))), atol=1e-6)
    assert not torch.allclose(before, model(dataclasses.replace(batch, ending=1 - batch.ending)), atol=1e-6)
    later = (batch.bars_left + 1).clamp(max=MOST_BARS_LEFT)
    assert not torch.allclose(before, model(dataclasses.replace(batch, bars_left=later)), atol=1e-6)


@torch.no_grad()
def test_what_is_free_has_no_value(config):
    """Free is told by the mask: a value of zero is another thing, and nothing of nan gets through."""
    condition = make(config).condition
    left, style, ending = torch.zeros(1, 2, dtype=torch.long), torch.zeros(1).long(), torch.zeros(1).long()
    free = torch.full((1, 2, len(NAMES)), float("nan"))
    zero = torch.zeros(1, 2, len(NAMES))
    found = condition(free, left, style, ending)
    assert torch.isfinite(found).all()
    assert not torch.allclose(found, condition(zero, left, style, ending))
    weight, bias = condition.embed[0].weight, condition.embed[0].bias
    plain = condition.embed[2](F.silu(bias)) + condition.left.weight[0] + condition.style.weight[0]
    expected = F.silu(plain + condition.ending.weight[0])
    torch.testing.assert_close(found[0, 0], expected)
    assert weight.shape[1] == 3 * len(NAMES)


def test_free_targets_send_no_nan_back(config, batch):
    model = make(config).train()
    model(with_targets(batch, lambda t: t.fill_(np.nan))).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@torch.no_grad()
def test_padding_does_not_matter(config, batch):
    model = make(config)
    padded = Batch(
        F.pad(batch.table, (0, 0, 0, 17)), F.pad(batch.targets, (0, 0, 0, 3), value=float("nan")),
        F.pad(batch.bars_left, (0, 3), value=33), batch.style, batch.ending,
    )  # fmt: skip
    torch.testing.assert_close(model(padded), model(batch), atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_rows_do_not_mix_and_their_order_does_not_matter(config, batch):
    model = make(config)
    parts = [pick(batch, row) for row in range(3)]
    total = sum(model(part) * words_of(part) for part in parts)
    torch.testing.assert_close(total / words_of(batch), model(batch), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(model(pick(batch, 2, 0, 1)), model(batch), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_a_bars_targets_act_from_that_bar_on(config, batch):
    model, one = make(config), pick(batch, 0)

    def states(some):
        condition = model.condition(some.targets, some.bars_left, some.style, some.ending)
        return model.globally(some.table[:, :-1], condition)[0]

    before, after = states(one), states(with_targets(one, lambda t: t[:, 2:].fill_(1.7)))
    there, bar = one.table[0, :-1, 0] > 0, one.table[0, :-1, 8]
    torch.testing.assert_close(after[there & (bar < 2)], before[there & (bar < 2)])
    assert not torch.allclose(after[there & (bar >= 2)], before[there & (bar >= 2)], atol=1e-3)


def test_every_parameter_learns(config, batch):
    model = make(config, dropout=0.0).train()
    model(batch).sum().backward()
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert sorted(idle) == sorted(NEVER_READ)


def test_it_learns_a_toy_batch(config, batch):
    torch.manual_seed(0)
    model = Emogen(dataclasses.replace(config, dropout=0.0)).train()
    optimiser = torch.optim.Adam(model.parameters(), 5e-3)
    losses = []
    for _ in range(60):
        loss = model(batch).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_it_learns_what_a_target_means(config, song):
    """Two pieces that differ in their target alone, one loud and one soft: the target tells which velocities come."""
    windows = [cut_window(song(0, 3), 0, 10_000) for _ in range(2)]
    for window, velocity in zip(windows, (5, 35), strict=True):
        notes = window.table[:, 0] == Family.NOTE
        window.table[notes, 6] = velocity
    targets = [np.full((3, len(NAMES)), np.nan) for _ in range(2)]
    for target, value in zip(targets, (-1.0, 1.0), strict=True):
        target[:, NAMES.index("velocity_mean")] = value
    right, wrong = collate(windows, targets), collate(windows, targets[::-1])
    torch.manual_seed(0)
    model = Emogen(dataclasses.replace(config, dropout=0.0, layers=1)).train()
    optimiser = torch.optim.Adam(model.parameters(), 5e-3)
    for _ in range(60):
        optimiser.zero_grad()
        model(right).sum().backward()
        optimiser.step()
    model.eval()
    with torch.no_grad():
        assert model(right)[6] < 0.7 * model(wrong)[6]


def test_a_config_is_written_and_read_back(config):
    assert EmogenConfig.from_dict(config.to_dict()) == config
    with pytest.raises(TypeError):
        EmogenConfig.from_dict({"colour": 3})
