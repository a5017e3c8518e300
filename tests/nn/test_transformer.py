"""The transformer: what a word may see, the cache, the condition."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from affectgen.errors import UsageError
from affectgen.nn.transformer import Cache, Transformer, TransformerConfig, check_sizes, modulate, rotary_tables, rotate

SIZES = {"dim": 32, "layers": 2, "heads": 2, "dropout": 0.1}


def make(condition=0, causal=True):
    torch.manual_seed(0)
    stack = Transformer(TransformerConfig(**SIZES, condition=condition, causal=causal)).eval()
    for name, parameter in stack.named_parameters():
        if "film" in name or name.endswith((".weight", ".bias")):
            torch.nn.init.normal_(parameter, std=0.3)  # away from the identity that FiLM and the norms start as
    return stack


@torch.no_grad()
@pytest.mark.parametrize("parts", [(1,) * 9, (4, 1, 1, 3), (9,), (2, 7)])
def test_pieces_with_a_cache_give_what_one_pass_gives(parts):
    stack, x = make(), torch.randn(3, 9, 32)
    cache = stack.new_cache(3, 9, torch.device("cpu"))
    found = torch.cat([stack(piece, cache=cache) for piece in x.split(parts, dim=1)], dim=1)
    torch.testing.assert_close(found, stack(x), atol=1e-5, rtol=1e-4)
    assert cache.length == 9


@torch.no_grad()
def test_a_cache_that_is_too_small_says_so():
    stack = make()
    cache = stack.new_cache(1, 2, torch.device("cpu"))
    stack(torch.randn(1, 2, 32), cache=cache)
    with pytest.raises(ValueError, match="holds 2 words and 3 are needed"):
        stack(torch.randn(1, 1, 32), cache=cache)


@torch.no_grad()
def test_a_change_reaches_later_words_only():
    stack, x = make(), torch.randn(2, 10, 32)
    changed = x.clone()
    changed[:, 6] = torch.randn(2, 32)
    before, after = stack(x), stack(changed)
    assert torch.equal(before[:, :6], after[:, :6])
    assert ((before[:, 6:] - after[:, 6:]).abs().amax(-1) > 1e-3).all()


@torch.no_grad()
def test_without_causality_every_word_sees_every_other():
    stack, x = make(causal=False), torch.randn(1, 5, 32)
    changed = x.clone()
    changed[:, 4] = torch.randn(1, 32)
    assert ((stack(x) - stack(changed)).abs().amax(-1) > 1e-4).all()


@torch.no_grad()
def test_the_mask_hides_what_it_says():
    stack, x = make(causal=False), torch.randn(2, 6, 32)
    mask = torch.ones(2, 1, 6, 6, dtype=torch.bool)
    mask[1, :, :, 4:] = False  # the second row is padded from its fifth word on
    changed = x.clone()
    changed[:, 4:] = torch.randn(2, 2, 32)
    before, after = stack(x, mask=mask), stack(changed, mask=mask)
    torch.testing.assert_close(before[1, :4], after[1, :4])
    assert ((before[0, :4] - after[0, :4]).abs().amax(-1) > 1e-4).all()
    torch.testing.assert_close(before[1, :4], stack(x[1:, :4])[0], atol=1e-5, rtol=1e-4)  # as if cut off


@torch.no_grad()
def test_a_causal_mask_is_the_default_of_a_causal_stack():
    stack, x = make(), torch.randn(2, 6, 32)
    mask = torch.ones(6, 6, dtype=torch.bool).tril()[None, None]
    torch.testing.assert_close(stack(x, mask=mask), stack(x), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_a_condition_by_place_is_the_same_condition_by_step():
    stack, x = make(condition=8), torch.randn(2, 7, 32)
    table = torch.randn(2, 3, 8)
    place = torch.tensor([[0, 0, 1, 1, 1, 2, 2], [0, 1, 2, 2, 2, 2, 2]])
    by_step = table[torch.arange(2)[:, None], place]
    torch.testing.assert_close(stack(x, table, place=place), stack(x, by_step), atol=1e-5, rtol=1e-4)
    whole = stack(x, table[:, 0])  # one condition for all steps
    torch.testing.assert_close(whole, stack(x, table[:, :1].expand(-1, 7, -1)), atol=1e-5, rtol=1e-4)
    assert (whole - stack(x, by_step)).abs().max() > 1e-3


def test_modulate_by_hand():
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    table = torch.tensor([[[1.0, 0.0, 10.0, 0.0], [0.0, -1.0, 0.0, 5.0]]])  # scale, then shift, of two places
    found = modulate(hidden, table, torch.tensor([[1, 0]]))
    assert torch.equal(found, torch.tensor([[[1.0, 5.0], [16.0, 4.0]]]))
    assert torch.equal(modulate(hidden, table[:, 0], None), torch.tensor([[[12.0, 2.0], [16.0, 4.0]]]))


def test_rotation_keeps_lengths_and_depends_on_distance_alone():
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 1, 1, 16)
    products = []
    for first, second in ((0, 3), (40, 43), (700, 703), (0, 4)):
        turned = [rotate(x, *rotary_tables(torch.tensor([at]), 16, 1e4)) for x, at in ((query, first), (key, second))]
        torch.testing.assert_close(turned[0].norm(), query.norm())
        products.append(float((turned[0] * turned[1]).sum()))
    assert products[1] == pytest.approx(products[0], abs=1e-3)
    assert products[2] == pytest.approx(products[0], abs=1e-3)
    assert products[3] != pytest.approx(products[0], abs=1e-3)


def test_every_parameter_learns():
    stack = make(condition=8).train()
    loss = F.mse_loss(stack(torch.randn(2, 5, 32), torch.randn(2, 5, 8)), torch.randn(2, 5, 32))
    loss.backward()
    assert not [name for name, p in stack.named_parameters() if p.grad is None or not p.grad.abs().sum()]


def test_a_new_cache_is_empty_and_of_the_stack_s_shape():
    cache = Cache(TransformerConfig(**SIZES), 3, 11, torch.device("cpu"))
    assert cache.store.shape == (2, 2, 3, 2, 11, 16)
    assert (cache.length, float(cache.store.abs().sum())) == (0, 0.0)


@pytest.mark.parametrize(("dim", "heads", "times"), [(32, 2, 2), (34, 17, 2), (24, 3, 4), (8, 4, 2), (7, 7, 1)])
def test_a_width_that_heads_can_share(dim, heads, times):
    check_sizes(dim, heads, times)
    if times == 2:
        torch.manual_seed(0)
        stack = Transformer(TransformerConfig(dim=dim, layers=1, heads=heads)).eval()
        assert stack(torch.randn(1, 3, dim)).shape == (1, 3, dim), "and the stack of that width runs"


@pytest.mark.parametrize(("dim", "heads", "times", "hint"), [
    (34, 4, 2, "Give a multiple of 8, twice the heads."),
    (12, 4, 2, "Give a multiple of 8, twice the heads."),
    (34, 3, 4, "Give a multiple of 12, 4 times the heads."),
])  # fmt: skip
def test_a_width_that_they_cannot(dim, heads, times, hint):
    with pytest.raises(UsageError) as caught:
        check_sizes(dim, heads, times)
    assert caught.value.message == f"--dim {dim} cannot be shared by {heads} heads."
    assert caught.value.hint == hint
    assert caught.value.exit_code == 2
