"""The element encoder: slices that know their own element only, and the losses that order and separate them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.muser.data import collate, cut_window
from affectgen.muser.encoder import (
    VALUES,
    ElementEncoder,
    WordLatents,
    cross_covariance,
    element_items,
    regularise,
)
from affectgen.score.stream import AT_ONCE, CHORD, TEMPO
from affectgen.score.words import BAR_LINE, ELEMENTS, Family, Field

COLUMNS = (AT_ONCE, Field.BEAT, TEMPO, CHORD, Field.PITCH, Field.DURATION, Field.VELOCITY)  # in the order of ELEMENTS


@pytest.fixture
def batch(song):
    return collate([cut_window(song(seed, 4), 0, 10_000) for seed in range(3)])


@pytest.fixture
def encoder(config):
    torch.manual_seed(0)
    return ElementEncoder(config).eval()


def test_items_are_where_an_element_has_values(batch):
    values, applies = element_items(batch.table)
    family, beat = batch.table[..., Field.FAMILY], batch.table[..., Field.BEAT]
    onset, note = (family == Family.METRICAL) & (beat > BAR_LINE), family == Family.NOTE
    for element, column in enumerate(COLUMNS):
        assert torch.equal(applies[..., element], onset if element < 4 else note)
        assert torch.equal(values[..., element], batch.table[..., column] * applies[..., element])
        assert (values[..., element][applies[..., element]] > 0).all()


@torch.no_grad()
@pytest.mark.parametrize("element", range(7))
def test_a_slice_changes_with_its_own_element_alone(encoder, batch, element):
    before, _ = encoder(batch.table, 4)
    changed = batch.table.clone()
    _, applies = element_items(changed)
    column = changed[..., COLUMNS[element]]
    other = 1 + (column + 2) % (VALUES[element] - 1)
    if element == 1:
        other = other.clamp_min(BAR_LINE + 1)  # a beat may not become a bar line; positions stay where they were
    changed[..., COLUMNS[element]] = torch.where(applies[..., element], other, column)
    assert not torch.equal(changed, batch.table)
    after, _ = encoder(changed, 4)
    moved = (before - after).abs().amax(-1)  # [B, 4, 7]
    rest = [number for number in range(7) if number != element]
    assert moved[..., rest].max() == 0
    assert (moved[..., element] > 1e-4).all()


@torch.no_grad()
def test_a_slice_changes_with_its_own_bar_alone(encoder, batch):
    before, _ = encoder(batch.table, 4)
    changed = batch.table.clone()
    inside = (changed[..., 8] == 2) & (changed[..., 0] == Family.NOTE)
    changed[..., Field.PITCH] = torch.where(inside, 50, changed[..., Field.PITCH])
    after, _ = encoder(changed, 4)
    moved = (before - after).abs().amax(-1)[..., 4]
    assert (moved[:, 2] > 1e-4).all()
    assert moved[:, [0, 1, 3]].max() == 0


@torch.no_grad()
def test_padding_and_empty_bars_count_for_nothing(encoder, batch):
    before, filled = encoder(batch.table, 4)
    assert filled.all()
    longer = torch.cat([batch.table, torch.zeros(3, 9, 13, dtype=torch.long)], dim=1)
    after, wider = encoder(longer, 6)
    torch.testing.assert_close(after[:, :4], before)
    assert not wider[:, 4:].any()
    assert after[:, 4:].abs().max() == 0


@torch.no_grad()
def test_the_order_of_notes_in_a_bar_does_not_matter(encoder, batch):
    table = batch.table[:1]
    inside = torch.arange(table.shape[1])
    bar = inside[table[0, :, 8] == 1]
    shuffled = table.clone()
    shuffled[0, bar] = table[0, bar.flip(0)]
    torch.testing.assert_close(encoder(shuffled, 4)[0], encoder(table, 4)[0], atol=1e-5, rtol=1e-4)


def test_regulariser_of_perfect_order_is_nothing():
    attributes = torch.rand(20, 7)
    assert regularise(100.0 * attributes, attributes, 50.0, 256) < 1e-2
    assert regularise(-100.0 * attributes, attributes, 50.0, 256) == pytest.approx(2.0, abs=1e-2)
    assert regularise(torch.zeros(20, 7), attributes, 50.0, 256) == pytest.approx(1.0)


def test_regulariser_by_hand():
    codes = torch.zeros(3, 7)
    codes[:, 0] = torch.tensor([0.0, 1.0, 0.5])
    attributes = torch.full((3, 7), torch.nan)
    attributes[:, 0] = torch.tensor([1.0, 2.0, 3.0])
    # pairs (1, 0) and (2, 0) are in order, (2, 1) is not; every pair stands for two
    gaps = [1 - np.tanh(2.0), 1 - np.tanh(1.0), 1 + np.tanh(1.0)]
    assert regularise(codes, attributes, 2.0, 256) == pytest.approx(np.mean(gaps), rel=1e-5)


def test_ties_and_missing_values_do_not_count():
    codes = torch.randn(6, 7)
    attributes = torch.full((6, 7), 3.0)
    assert regularise(codes, attributes, 5.0, 256) == 0
    attributes[:, 4] = torch.nan
    assert regularise(codes, attributes, 5.0, 256) == 0
    attributes[0, 2] = 9.0
    codes[:, 2] = torch.tensor([50.0, 0, 0, 0, 0, 0])
    assert regularise(codes, attributes, 5.0, 256) == pytest.approx(0.0, abs=1e-6)
    attributes[1, 4] = 1.0  # one value among nan has nothing to be compared with
    assert regularise(codes, attributes, 5.0, 256) == pytest.approx(0.0, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 12))
def test_regulariser_is_between_nothing_and_two_and_learns(seed, count):
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randn(count, 7, generator=generator).requires_grad_(True)
    attributes = torch.randint(0, 4, (count, 7), generator=generator).float()
    attributes[torch.rand(count, 7, generator=generator) < 0.2] = torch.nan
    loss = regularise(codes, attributes, 3.0, 256)
    assert 0 <= float(loss.detach()) <= 2
    loss.backward()
    assert torch.isfinite(codes.grad).all()


def test_regulariser_compares_at_most_so_many():
    codes, attributes = torch.randn(50, 7), torch.randn(50, 7)
    few = [float(regularise(codes, attributes, 3.0, 8, torch.Generator().manual_seed(seed))) for seed in range(5)]
    assert len(set(few)) > 1
    assert regularise(codes, attributes, 3.0, 8, torch.Generator().manual_seed(0)) == pytest.approx(few[0])
    assert np.mean(few) == pytest.approx(float(regularise(codes, attributes, 3.0, 50)), abs=0.3)


def test_covariance_is_between_slices_only():
    torch.manual_seed(0)
    own = torch.zeros(400, 7, 4)
    own[:, 3] = torch.randn(400, 1)  # one slice's own dimensions move together: that is free
    assert cross_covariance(own) == 0
    shared = own.clone()
    shared[:, 5, 0] = own[:, 3, 0]
    expected = 2 * 4 * float(own[:, 3, 0].var()) ** 2 / 28**2
    assert float(cross_covariance(shared)) == pytest.approx(expected, rel=1e-4)
    assert cross_covariance(torch.randn(4000, 7, 4)) < 1e-3


def test_word_slices_follow_their_values(config, batch):
    torch.manual_seed(0)
    latents = WordLatents(config)
    words = batch.table[..., :8]
    found = latents(words)
    assert found.shape == (*words.shape[:2], 7, config.slice_dim)
    for element in range(7):
        assert torch.equal(found[..., element, :], latents.tables[element].weight[words[..., element]])


def test_word_tables_are_ordered_where_values_have_an_order(config):
    torch.manual_seed(0)
    latents = WordLatents(config)
    with torch.no_grad():
        for name, table in zip(ELEMENTS, latents.tables, strict=True):
            if name not in ("family", "chord"):
                table.weight[:, 0] = torch.arange(len(table.weight)).float()
    assert latents.order(20.0) < 1e-5
    with torch.no_grad():
        latents.tables[4].weight[1:, 0] *= -1
    assert latents.order(20.0).item() == pytest.approx(2 / 5, rel=1e-4)
