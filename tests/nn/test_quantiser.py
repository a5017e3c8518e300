"""The quantiser: nearest codes, moving books, dead codes, smaller books, gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.nn.quantiser import Quantiser, QuantiserConfig

CENTRES = torch.tensor([[-4.0, 0.0], [4.0, 0.0], [0.0, 4.0], [0.0, -4.0]])


def make(**settings):
    torch.manual_seed(0)
    return Quantiser(QuantiserConfig(**{"books": 2, "codes": 4, "dim": 2} | settings))


def clusters(count=200, seed=0, spread=0.05):
    """Slices [count, 2, 2] around four centres, both books alike."""
    generator = torch.Generator().manual_seed(seed)
    which = torch.arange(count) % 4
    return (CENTRES[which] + spread * torch.randn(count, 2, generator=generator))[:, None].repeat(1, 2, 1), which


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 9))
def test_nearest_is_nearest(seed, count):
    torch.manual_seed(seed)
    quantiser = Quantiser(QuantiserConfig(books=3, codes=7, dim=4, sizes=(7, 2, 5)))
    quantiser.books.copy_(torch.randn(3, 7, 4))
    slices = torch.randn(count, 3, 4)
    found = quantiser.nearest(slices)
    for group, size in enumerate((7, 2, 5)):
        distances = (slices[:, group, None] - quantiser.books[group, :size]).norm(dim=-1)
        chosen = distances[torch.arange(count), found[:, group]]
        torch.testing.assert_close(chosen, distances.amin(-1), atol=1e-4, rtol=1e-4)


def test_lookup_gives_the_vectors_of_each_book():
    quantiser = make()
    codes = torch.tensor([[[0, 3], [2, 1]]])
    found = quantiser.lookup(codes)
    assert found.shape == (1, 2, 2, 2)
    assert torch.equal(found[0, 0, 0], quantiser.books[0, 0])
    assert torch.equal(found[0, 0, 1], quantiser.books[1, 3])
    assert torch.equal(found[0, 1, 1], quantiser.books[1, 1])


def test_the_first_batch_starts_the_books_by_k_means():
    quantiser = make(codes=16).train()
    slices, _ = clusters()
    assert not quantiser.started
    found = quantiser(slices)
    assert quantiser.started
    error = (found.vectors - slices).pow(2).mean()
    assert error < 0.01, "16 codes over four tight clusters"
    books = quantiser.books.clone()
    quantiser.eval()(slices + 1.0)
    assert torch.equal(books, quantiser.books), "books move in training only"


def test_frozen_books_stay_in_training():
    quantiser = make().train()
    slices, _ = clusters()
    quantiser(slices)
    quantiser.freeze()
    before = {name: value.clone() for name, value in quantiser.state_dict().items()}
    found = quantiser(slices + 3.0)
    assert all(torch.equal(before[name], value) for name, value in quantiser.state_dict().items())
    assert found.loss > 0


def test_books_follow_a_moving_average():
    quantiser = make(books=1, codes=2, decay=0.9, restart_below=0.0).train()
    quantiser.books.copy_(torch.tensor([[[0.0, 0.0], [10.0, 0.0]]]))
    quantiser.counts.copy_(torch.tensor([[4.0, 4.0]]))
    quantiser.sums.copy_(quantiser.books * 4.0)
    quantiser.started.fill_(1.0)
    slices = torch.tensor([[1.0, 0.0], [1.0, 2.0], [10.0, 0.0]])[:, None]
    quantiser(slices)
    # code 0: count .9 * 4 + .1 * 2 = 3.8, sum .1 * (2, 2); code 1: count 3.7, sum .9 * 40 + .1 * 10
    torch.testing.assert_close(quantiser.counts, torch.tensor([[3.8, 3.7]]))
    torch.testing.assert_close(quantiser.books, torch.tensor([[[0.2 / 3.8, 0.2 / 3.8], [37.0 / 3.7, 0.0]]]))


def test_slices_that_do_not_count_move_nothing():
    quantiser = make().train()
    slices, _ = clusters()
    quantiser(slices)
    books = quantiser.books.clone()
    far = torch.cat([slices, torch.full((50, 2, 2), 90.0)])
    weight = torch.cat([torch.ones(200, 2), torch.zeros(50, 2)])
    found = quantiser(far, weight)
    torch.testing.assert_close(quantiser.books, books, atol=0.05, rtol=0)
    assert found.loss < 0.01


def test_gradients_pass_straight_through():
    quantiser = make().eval()
    slices, _ = clusters(8)
    slices.requires_grad_(True)
    found = quantiser(slices)
    factor = torch.randn(8, 2, 2)
    (found.vectors * factor).sum().backward()
    torch.testing.assert_close(slices.grad, factor)
    torch.testing.assert_close(found.vectors, quantiser.lookup(found.codes), atol=1e-5, rtol=1e-5)
    assert not quantiser.books.requires_grad


def test_commitment_is_the_mean_squared_distance_of_what_counts():
    quantiser = make(books=1, codes=2, commitment=0.25).eval()
    quantiser.books.copy_(torch.tensor([[[0.0, 0.0], [10.0, 0.0]]]))
    slices = torch.tensor([[[1.0, 1.0]], [[10.0, 2.0]], [[77.0, 77.0]]]).requires_grad_(True)
    loss = quantiser(slices, torch.tensor([[1.0], [1.0], [0.0]])).loss
    assert loss.item() == pytest.approx(0.25 * (1.0 + 2.0) / 2)  # mean over the two numbers of a slice: 1 and 2
    loss.backward()
    assert slices.grad[:2].abs().sum() > 0
    assert slices.grad[2].abs().sum() == 0


def test_dead_codes_restart_where_slices_are():
    quantiser = make(books=1, decay=0.5).train()
    slices, _ = clusters()
    quantiser.books.copy_(torch.tensor([[[-4.0, 0.0], [4.0, 0.0], [500.0, 0.0], [900.0, 0.0]]]))
    quantiser.sums.copy_(quantiser.books)
    quantiser.started.fill_(1.0)
    for _ in range(12):
        quantiser(slices[:, :1])
    assert quantiser.books.abs().max() < 6
    assert sorted(set(quantiser.nearest(slices[:, :1]).flatten().tolist())) == [0, 1, 2, 3]
    assert quantiser.usage().tolist() == [1.0]


def test_smaller_books_never_use_the_codes_they_lack():
    quantiser = make(codes=8, sizes=(8, 3)).train()
    slices, _ = clusters()
    for seed in range(6):
        found = quantiser(clusters(seed=seed)[0])
        assert found.codes[:, 1].max() < 3
    assert len(found.codes[:, 0].unique()) > 3
    quantiser.books[1, 3:] = slices[0, 1]  # even where a missing code would lie nearest
    assert quantiser.eval()(slices).codes[:, 1].max() < 3


def test_usage_counts_codes_above_the_restart_threshold():
    quantiser = make(codes=4, sizes=(4, 2))
    quantiser.counts.copy_(torch.tensor([[10.0, 10.0, 0.1, 10.0], [1.0, 1.0, 0.0, 0.0]]))
    assert quantiser.usage().tolist() == [0.75, 1.0]


def test_a_book_that_the_first_batch_does_not_reach_starts_later():
    quantiser = make(codes=16).train()
    slices, _ = clusters()
    weight = torch.ones(200, 2)
    weight[:, 1] = 0
    quantiser(slices, weight)
    assert torch.isfinite(quantiser.books).all()
    for _ in range(30):
        quantiser(slices)
    assert (quantiser(slices).vectors - slices)[:, 1].pow(2).mean() < 0.5
