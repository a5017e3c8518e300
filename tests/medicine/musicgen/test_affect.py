"""AffectSum: nothing before training, one emotion for each row after it."""

from __future__ import annotations

import torch
from torch import Tensor

from affectgen.medicine.musicgen.affect import AffectSum, affect_tensors

CPU = torch.device("cpu")


def some(dim: int = 12) -> tuple[Tensor, Tensor, Tensor]:
    """States, affects and which are known."""
    torch.manual_seed(0)
    return torch.randn(3, 5, dim), *affect_tensors([(0.5, -0.2), None, (-0.9, 0.9)], CPU)


def trained(dim: int = 12) -> AffectSum:
    """One whose last layer is off its zeros, without dropout."""
    torch.manual_seed(1)
    affect = AffectSum(dim).eval()
    torch.nn.init.normal_(affect.out.weight)
    return affect


def test_affects_become_tensors_and_unknown_ones_zero():
    points, known = affect_tensors([(0.5, -0.2), None], CPU)
    assert torch.equal(points, torch.tensor([[0.5, -0.2], [0.0, 0.0]]))
    assert known.tolist() == [True, False]


def test_before_training_it_is_the_identity_bit_for_bit():
    states, points, known = some()
    for affect in (AffectSum(12), AffectSum(12).eval()):
        assert torch.equal(affect(states, points, known), states)
        assert torch.equal(affect(states.bfloat16(), points, known), states.bfloat16())


def test_every_state_of_a_row_moves_alike_and_rows_by_their_own_emotion():
    states, points, known = some()
    moved = trained()(states, points, known) - states  # [3, 5, 12]
    assert (moved - moved[:, :1]).abs().max() < 1e-5
    assert min((moved[a, 0] - moved[b, 0]).abs().max() for a, b in ((0, 1), (0, 2), (1, 2))) > 0.1


def test_an_unknown_emotion_is_not_read():
    states, points, known = some()
    other = points.clone()
    other[1] = torch.nan
    assert torch.equal(trained()(states, other, known), trained()(states, points, known))


def test_its_first_step_moves_the_last_layer_alone_and_then_all_learn():
    states, points, known = some()
    affect = AffectSum(12, dropout=0.0)
    affect(states, points, known).square().sum().backward()
    assert affect.out.weight.grad.abs().max() > 0
    assert all(value.grad.abs().max() == 0 for value in affect.conditioner.parameters())
    affect = trained()
    affect(states, points, known).square().sum().backward()
    assert all(value.grad.abs().max() > 0 for value in affect.parameters())


def test_states_keep_their_precision():
    states, points, known = some()
    assert trained()(states.bfloat16(), points, known).dtype == torch.bfloat16
