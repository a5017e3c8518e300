"""The whole model: its losses, what may reach what, and what padding may not do."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn import functional as F

from affectgen.muser.config import MuserConfig
from affectgen.muser.data import Batch, collate, cut_window
from affectgen.muser.model import Muser
from affectgen.score.words import Family, Field

NEVER_READ = ("elements.chosen.3.weight", "elements.chosen.6.weight")  # chord and velocity: no element comes after them


@pytest.fixture
def batch(song):
    songs = [song(0, 4), song(1, 6, (-0.9, 0.3)), song(2, 5, (float("nan"), 0.0), "pop")]
    return collate([cut_window(one, 0, 10_000) for one in songs])


def started(config, batch, **changes):
    """A model whose books have seen the batch."""
    torch.manual_seed(0)
    model = Muser(dataclasses.replace(config, **changes)).train()
    model(batch)
    return model


def padded(batch, words, bars):
    """The same batch with more padding."""
    return Batch(
        F.pad(batch.table, (0, 0, 0, words)), F.pad(batch.attributes, (0, 0, 0, bars), value=float("nan")),
        F.pad(batch.affect, (0, 0, 0, bars)), batch.known, F.pad(batch.bars_left, (0, bars), value=33), batch.style,
        batch.ending,
    )  # fmt: skip


def test_the_loss_is_the_sum_of_its_parts(config, batch):
    losses = started(config, batch)(batch)
    assert torch.isfinite(losses.total)
    assert losses.elements.shape == (7,)
    assert (losses.elements > 0).all()
    torch.testing.assert_close(losses.likelihood, losses.elements.sum())
    assert set(losses.parts) == {"order", "covariance", "probe", "commitment"}
    torch.testing.assert_close(losses.total, losses.likelihood + sum(losses.parts.values()))


def test_every_parameter_learns(config, batch):
    model = started(config, batch, plan_dropout=0.6, detail_rate=0.8, affect_dropout=0.5, dropout=0.0)
    for name, parameter in model.named_parameters():
        if "film" in name:
            torch.nn.init.normal_(parameter, std=0.3)  # FiLM starts at zero, and lets no gradient past it
    for _ in range(8):  # drop-outs are drawn: every path is taken in one pass or another
        model(batch).total.backward()
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    assert sorted(idle) == sorted(NEVER_READ)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


@torch.no_grad()
def test_padding_does_not_matter(config, batch):
    model = started(config, batch).eval()
    before, after = model(batch), model(padded(batch, words=17, bars=3))
    torch.testing.assert_close(after.elements, before.elements, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(after.parts["commitment"], before.parts["commitment"], atol=1e-6, rtol=1e-4)


@torch.no_grad()
def test_rows_do_not_mix(config, batch):
    model = started(config, batch).eval()
    one = Batch(*(getattr(batch, name)[:1] for name in batch.__dataclass_fields__))
    two = Batch(*(getattr(batch, name)[:2] for name in batch.__dataclass_fields__))
    other = Batch(*(getattr(batch, name)[1:2] for name in batch.__dataclass_fields__))
    words = [float((part.table[:, 1:, 0] > 0).sum()) for part in (one, other, two)]
    total = [model(part).elements * count for part, count in zip((one, other, two), words, strict=True)]
    torch.testing.assert_close(total[0] + total[1], total[2], atol=1e-3, rtol=1e-4)


@torch.no_grad()
def test_no_word_sees_itself_or_what_follows(config, batch):
    model = started(config, batch).eval()
    latents = model.encode_bars(batch.table, 6)
    condition = model.condition(
        batch.affect, batch.known, latents.quantised, batch.bars_left, batch.style, batch.ending
    )
    changed = batch.table.clone()
    changed[:, 20:, Field.PITCH] = torch.where(changed[:, 20:, 0] == Family.NOTE, 60, changed[:, 20:, Field.PITCH])
    before, after = model.globally(batch.table, condition), model.globally(changed, condition)
    assert torch.equal(before[:, :20], after[:, :20])
    assert not torch.equal(before[:, 20:], after[:, 20:])


@torch.no_grad()
def test_the_plan_and_the_affect_are_heard(config, tiny, batch):
    model = tiny.model
    latents = model.encode_bars(batch.table, 6)
    asked = (batch.affect, batch.known, latents.quantised, batch.bars_left, batch.style, batch.ending)
    condition = model.condition(*asked)
    sadder = model.condition(-batch.affect, *asked[1:])
    assert (condition[:2, :4] - sadder[:2, :4]).abs().amax(-1).min() > 1e-4
    assert torch.equal(condition[2], sadder[2]), "a row without an affect does not hear its value"
    replanned = model.condition(*asked[:2], latents.quantised + 1.0, *asked[3:])
    assert (condition - replanned).abs().amax(-1).min() > 1e-4


def test_a_switched_off_regulariser_takes_no_part(config, batch):
    parts = started(config, batch, regulariser=0.0)(batch).parts
    assert set(parts) == {"covariance", "probe", "commitment"}


def test_without_any_known_affect_nothing_is_probed(config, batch):
    model = started(config, batch)
    unknown = dataclasses.replace(batch, known=torch.zeros(3, dtype=torch.bool))
    assert "probe" not in model(unknown).parts


def test_a_bar_without_notes_is_no_trouble(config, batch):
    table = batch.table.clone()
    table[:, 2:] = 0
    losses = started(config, batch)(dataclasses.replace(batch, table=table))
    assert torch.isfinite(losses.total)
    assert set(losses.parts) == {"commitment"}


def test_frozen_latents_keep_codes_while_the_decoder_learns(config, batch):
    model = started(config, batch)
    model.freeze_latents()
    codes = model.encode_bars(batch.table, 6).codes
    kept = [name for name in model.state_dict() if name.startswith(("encoder", "bar_books", "word_"))]
    frozen = {name: model.state_dict()[name].clone() for name in kept}
    optimiser = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    before = float(model.eval()(batch).likelihood.detach())
    for _ in range(10):
        optimiser.zero_grad()
        model.train()(batch).total.backward()
        optimiser.step()
    assert float(model.eval()(batch).likelihood.detach()) < before
    state = model.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in frozen.items())
    assert torch.equal(model.encode_bars(batch.table, 6).codes, codes)


def test_it_learns_a_few_pieces(config, batch):
    model = started(config, batch, dropout=0.0, plan_dropout=0.0, affect_dropout=0.0)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    first = float(model(batch).likelihood.detach())
    for _ in range(60):
        optimiser.zero_grad()
        loss = model(batch)
        loss.total.backward()
        optimiser.step()
    assert float(loss.likelihood.detach()) < 0.7 * first


def test_the_config_comes_back_from_json(config):
    import json

    assert MuserConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(TypeError):
        MuserConfig.from_dict(config.to_dict() | {"unknown": 1})
