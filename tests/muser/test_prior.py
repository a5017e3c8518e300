"""The prior and the planner."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from affectgen.muser.planner import PlanRequest, sample_plan
from affectgen.muser.prior import Prior, PriorBatch, PriorContext
from affectgen.muser.prior_data import PriorWindows, cut, encode_songs, join, prior_batches


def rngs(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


def make_batch(rows=3, bars=5, seed=0):
    torch.manual_seed(seed)
    lengths = [bars, *range(bars - 1, 0, -1)][:rows]
    inside = torch.arange(bars) < torch.tensor(lengths)[:, None]
    left = (torch.tensor(lengths)[:, None] - 1 - torch.arange(bars)).clamp(0, 33)
    return PriorBatch(
        torch.randint(0, 8, (rows, bars, 7)) * inside[..., None], inside, torch.arange(rows) % 2,
        torch.rand(rows, 1, 2).expand(-1, bars, -1) - 0.5, torch.tensor([True, False, True])[:rows], left,
        torch.zeros(rows, dtype=torch.long), torch.zeros(rows, dtype=torch.long),
    )  # fmt: skip


def request(bars, clamped=None, mode=None, guidance=1.0, affect=0.5, temperature=1.0):
    """A plan for pieces of the given lengths."""
    rows, most = len(bars), max(bars)
    left = torch.stack([(count - 1 - torch.arange(most)).clamp_min(0) for count in bars])
    same = torch.zeros(rows, dtype=torch.long)
    context = PriorContext(torch.full((rows, most, 2), affect), torch.ones(rows, dtype=torch.bool), left, same, same)
    free = torch.full((rows, most, 7), -1) if clamped is None else clamped
    modes = torch.full((rows,), -1) if mode is None else mode
    return PlanRequest(context, bars, guidance, 0.95, temperature, modes, free)


def test_the_loss_is_one_number_that_reaches_every_parameter(config):
    torch.manual_seed(0)
    prior = Prior(config).train()
    for name, parameter in prior.named_parameters():
        if "film" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    for seed in range(6):
        loss = prior(make_batch(seed=seed))
        assert torch.isfinite(loss)
        loss.backward()
    assert not [name for name, p in prior.named_parameters() if p.grad is None or not p.grad.abs().sum()]


@torch.no_grad()
def test_an_untrained_prior_is_about_as_good_as_chance(config):
    torch.manual_seed(0)
    batch = make_batch(rows=3, bars=40)
    expected = 7 * np.log(config.bar_codes) + 3 * np.log(2) / float(batch.inside.sum())
    assert float(Prior(config).eval()(batch)) == pytest.approx(expected, rel=0.2)


def test_it_learns_codes_and_mode(config):
    torch.manual_seed(0)
    prior, batch = Prior(config).eval(), make_batch()
    optimiser = torch.optim.AdamW(prior.parameters(), lr=1e-2)
    for _ in range(80):
        optimiser.zero_grad()
        loss = prior(batch)
        loss.backward()
        optimiser.step()
    assert loss.item() < 1.5
    condition = prior.condition(PriorContext(batch.affect, batch.known, batch.bars_left, batch.style, batch.ending))
    assert torch.equal(prior.mode_logits(condition).argmax(-1), batch.mode)


@torch.no_grad()
def test_bar_by_bar_gives_what_one_pass_gives(config, tiny):
    prior, batch = tiny.prior, make_batch(bars=6)
    context = PriorContext(batch.affect, batch.known, batch.bars_left, batch.style, batch.ending)
    condition = prior.condition(context)
    whole = prior.state(batch.codes[:, :-1], batch.mode, condition, None)
    cache = prior.stack.new_cache(3, 6, torch.device("cpu"))
    for bar in range(6):
        previous = batch.codes[:, bar - 1 : bar] if bar else None
        state = prior.state(previous, batch.mode, condition[:, bar : bar + 1], cache)
        torch.testing.assert_close(state[:, 0], whole[:, bar], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_a_code_reaches_later_bars_only(tiny):
    prior, batch = tiny.prior, make_batch(bars=6)
    condition = prior.condition(PriorContext(batch.affect, batch.known, batch.bars_left, batch.style, batch.ending))
    changed = batch.codes.clone()
    changed[:, 3, 2] = (changed[:, 3, 2] + 1) % 8
    before = prior.state(batch.codes[:, :-1], batch.mode, condition, None)
    after = prior.state(changed[:, :-1], batch.mode, condition, None)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.equal(before[:, 4:], after[:, 4:])


def test_clamped_codes_and_the_mode_asked_stay(tiny):
    clamped = torch.full((2, 4, 7), -1)
    clamped[0, :, 4] = torch.tensor([1, 2, 3, 4])
    clamped[1, 2] = 5
    mode, codes = sample_plan(tiny.prior, request([4, 4], clamped, torch.tensor([1, 0])), rngs(0, 1))
    assert mode.tolist() == [1, 0]
    assert torch.equal(codes[clamped >= 0], clamped[clamped >= 0])
    assert codes.min() >= 0
    assert len(codes[clamped < 0].unique()) > 3


def test_a_plan_does_not_depend_on_its_neighbours(tiny):
    mode, codes = sample_plan(tiny.prior, request([3, 0]), rngs(5, 0))
    longer, among = sample_plan(tiny.prior, request([9, 3, 6]), rngs(1, 5, 2))
    assert mode[0] == longer[1]
    assert torch.equal(codes[0, :3], among[1, :3])
    assert (among[1, 3:] == 0).all()


def test_seeds_affect_and_guidance_change_a_plan(tiny):
    plain = sample_plan(tiny.prior, request([6]), rngs(0))[1]
    assert torch.equal(plain, sample_plan(tiny.prior, request([6]), rngs(0))[1])
    assert not torch.equal(plain, sample_plan(tiny.prior, request([6]), rngs(1))[1])
    assert not torch.equal(plain, sample_plan(tiny.prior, request([6], affect=-0.9), rngs(0))[1])
    assert not torch.equal(plain, sample_plan(tiny.prior, request([6], guidance=4.0), rngs(0))[1])


def test_training_data_are_the_codes_of_songs(tiny, song):
    songs = [song(0, 3), song(1, 12, style="pop"), song(2, 5, (np.nan, np.nan), "pop")]
    coded = encode_songs(tiny.model, songs, torch.device("cpu"))
    assert [one.codes.shape for one in coded] == [(3, 7), (12, 7), (5, 7)]
    assert [one.mode for one in coded] == [0, 1, 0]
    batches = prior_batches(coded, 2)
    assert sum(int(batch.inside.sum()) for batch in batches) == 20
    assert [batch.known.tolist() for batch in batches] == [[True, False], [True]]
    drawn = PriorWindows(coded, {"emopia": 0.5, "pop": 0.5}, rows=12, bars=4, seed=0).draw()
    assert drawn.codes.shape == (12, 4, 7)
    assert drawn.bars_left.max() <= 33
    assert {tuple(row) for row in drawn.codes[drawn.inside].tolist()} <= {
        tuple(row) for one in coded for row in one.codes.tolist()
    }
    assert torch.isfinite(tiny.prior(drawn))


def test_a_medley_of_codes_moves_the_affect_at_a_bar(tiny, song):
    songs = [song(0, 6, (0.9, 0.1)), song(2, 8, (-0.9, 0.1)), song(1, 5, (0.3, 0.3))]
    coded = encode_songs(tiny.model, songs, torch.device("cpu"))
    both = join(cut(coded[0], 2, 5), cut(coded[1], 1, 8))
    assert np.array_equal(both.codes, np.concatenate([coded[0].codes[2:5], coded[1].codes[1:8]]))
    assert both.affect[:, 0].tolist() == pytest.approx([0.9] * 3 + [-0.9] * 7)
    assert both.left.tolist() == list(range(9, -1, -1))
    windows = PriorWindows(coded, {"emopia": 1.0}, rows=80, bars=8, seed=0, noise=0.0, medley=1.0)
    batch = windows.draw()
    assert batch.codes.shape[1] <= 8
    seen = [
        {round(float(v), 1) for v in row[inside]}
        for row, inside in zip(batch.affect[..., 0], batch.inside, strict=True)
    ]
    assert {0.9, -0.9} in seen
    assert not any(0.3 in values and len(values) > 1 for values in seen), "the only piece in minor stays alone"
