"""The conditioner: shapes, the null embedding, seeds, gradients, and FiLM."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.affect.conditioner import AffectConditioner, ConditionerConfig, FiLM, fourier_frequencies


def make(dropout: float = 0.15, **sizes: int) -> AffectConditioner:
    torch.manual_seed(0)
    return AffectConditioner(ConditionerConfig(dim=8, hidden=12, dropout=dropout, **sizes))


def points(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, 2, generator=torch.Generator().manual_seed(1)) * 2 - 1


def is_null(model: AffectConditioner, embedded: torch.Tensor) -> torch.Tensor:
    return (embedded == model.null).all(-1)


def test_shapes_of_points_and_paths() -> None:
    model = make().eval()
    assert model(points(3)).shape == (3, 8)
    assert model(points(3, 5)).shape == (3, 5, 8)


def test_a_constant_path_is_its_point_at_every_step() -> None:
    model = make().eval()
    affect = points(3)
    path = model(affect[:, None].expand(3, 4, 2))
    assert torch.allclose(path, model(affect)[:, None].expand(3, 4, 8), atol=1e-6)


def test_different_points_differ() -> None:
    embedded = make().eval()(torch.tensor([[0.6, 0.6], [0.6, -0.6], [-0.6, 0.6], [-0.6, -0.6]]))
    assert torch.pdist(embedded).min() > 1e-3


def test_unknown_rows_and_steps_get_the_null_embedding() -> None:
    model = make().eval()
    known = torch.tensor([True, False, True])
    assert is_null(model, model(points(3), known)).tolist() == [False, True, False]
    assert is_null(model, model(points(3, 4), known)).tolist() == [[False] * 4, [True] * 4, [False] * 4]
    by_step = torch.tensor([[True, False], [False, True]])
    assert torch.equal(is_null(model, model(points(2, 2), by_step)), ~by_step)


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_known_by_row_is_read_by_row_even_when_steps_equal_rows(batch: int) -> None:
    model = make().eval()
    known = torch.arange(batch) % 2 == 0
    assert torch.equal(is_null(model, model(points(batch, batch), known)), ~known[:, None].expand(batch, batch))


def test_nan_where_unknown_reaches_neither_output_nor_gradient() -> None:
    model = make(dropout=0.0).train()
    affect = torch.tensor([[0.5, 0.5], [float("nan"), float("nan")]])
    model(affect, torch.tensor([True, False])).sum().backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in gradients)
    assert model.null.grad is not None
    assert model.null.grad.abs().sum() > 0


def test_training_drops_whole_paths_at_the_rate_and_evaluation_none() -> None:
    model = make(dropout=0.3).train()
    torch.manual_seed(3)
    nulls = is_null(model, model(points(2000, 3)))
    assert torch.equal(nulls.all(1), nulls.any(1))  # a path is dropped as a whole
    assert abs(nulls.float().mean().item() - 0.3) < 0.04
    assert not is_null(model, model.eval()(points(2000, 3))).any()


def test_the_global_seed_repeats_the_dropped_rows() -> None:
    model = make(dropout=0.5).train()
    torch.manual_seed(7)
    first = model(points(64))
    second = model(points(64))
    torch.manual_seed(7)
    assert torch.equal(model(points(64)), first)
    assert not torch.equal(first, second)


def test_no_draw_is_taken_in_evaluation() -> None:
    model = make(dropout=0.5).eval()
    before = torch.get_rng_state()
    model(points(4))
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_of_one_drops_all_and_of_zero_none() -> None:
    for rate, dropped in ((1.0, True), (0.0, False)):
        model = make(dropout=rate).train()
        assert is_null(model, model(points(16))).eq(dropped).all()


def test_frequencies_are_fixed_and_not_in_the_checkpoint() -> None:
    one, other = make(), make()
    torch.manual_seed(99)
    assert torch.equal(one.frequencies, AffectConditioner(one.config).frequencies)
    assert torch.equal(one.frequencies, fourier_frequencies(16))
    assert len(one.frequencies) == 16
    assert "frequencies" not in one.state_dict()
    other.load_state_dict(one.state_dict())
    assert torch.equal(one.eval()(points(4)), other.eval()(points(4)))


def test_one_frequency_is_allowed() -> None:
    assert make(features=1).eval()(points(2)).shape == (2, 8)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_gives_its_own_type(dtype: torch.dtype) -> None:
    model = make().eval()
    near = model(points(4))
    embedded = model.to(dtype)(points(4), torch.tensor([True, False, True, True]))
    assert embedded.dtype == dtype
    assert torch.allclose(embedded[0].float(), near[0], atol=0.05)


def test_wrong_shapes_and_sizes_are_refused() -> None:
    model = make()
    with pytest.raises(ValueError, match=r"\[B, 2\]"):
        model(torch.zeros(3, 3))
    with pytest.raises(ValueError, match="known"):
        model(points(3), torch.ones(2, dtype=torch.bool))
    with pytest.raises(ValueError, match="at least 1"):
        ConditionerConfig(dim=0, hidden=4)
    with pytest.raises(ValueError, match="dropout"):
        ConditionerConfig(dim=4, hidden=4, dropout=1.5)


def test_film_is_the_identity_before_training() -> None:
    film = FiLM(8, 6)
    hidden = torch.randn(2, 5, 6)
    assert torch.equal(film(hidden, torch.randn(2, 8)), hidden)
    assert torch.equal(film(hidden, torch.randn(2, 5, 8)), hidden)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), steps=st.integers(1, 6))
def test_film_scales_and_shifts(seed: int, steps: int) -> None:
    torch.manual_seed(seed)
    film = FiLM(8, 6)
    torch.nn.init.normal_(film.head.weight)
    condition, hidden = torch.randn(2, 8), torch.randn(2, steps, 6)
    scale, shift = film.modulation(condition).chunk(2, dim=-1)
    expected = hidden * (1 + scale[:, None]) + shift[:, None]
    assert torch.allclose(film(hidden, condition), expected)
    assert torch.allclose(film(hidden, condition[:, None].expand(-1, steps, -1)), expected, atol=1e-5)


def test_film_learns_from_the_zero_start() -> None:
    conditioner, film = make(dropout=0.0), FiLM(8, 6)
    steps = torch.optim.Adam([*conditioner.parameters(), *film.parameters()], lr=0.02)
    affect = points(32)
    losses = []
    for _ in range(60):
        loss = (film(torch.ones(32, 1, 6), conditioner(affect))[:, 0, :2] - affect).pow(2).mean()
        steps.zero_grad()
        loss.backward()
        steps.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]
