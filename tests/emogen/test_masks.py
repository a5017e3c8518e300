"""Which attributes a window is told."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.emogen.masks import MaskRates, draw_mask, draw_targets
from affectgen.emogen.vector import CORE_NAMES, NAMES

CORE = np.arange(len(NAMES)) < len(CORE_NAMES)


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(0)
    return np.stack([draw_mask(MaskRates(), rng) for _ in range(6000)])


def share(rows):
    return pytest.approx(rows, abs=0.02)


def test_the_kinds_have_their_shares(drawn):
    core, hundred = drawn[:, CORE], drawn[:, ~CORE]
    assert (~drawn.any(axis=1)).mean() == share(0.1), "nothing, for guidance"
    assert drawn.all(axis=1).mean() == share(0.15), "everything"
    assert (~core.any(axis=1) & hundred.all(axis=1)).mean() == share(0.1), "EmoGen's hundred"
    only_core = core.any(axis=1) & ~hundred.any(axis=1)
    assert only_core.mean() == share(0.25), "core attributes only"
    assert (only_core & core.all(axis=1)).sum() / only_core.sum() == pytest.approx(0.6, abs=0.05), "mostly all of them"


def test_the_others_are_any_share(drawn):
    core, hundred = drawn[:, CORE], drawn[:, ~CORE]
    mixed = drawn[core.any(axis=1) & hundred.any(axis=1) & ~drawn.all(axis=1)]
    assert len(mixed) / len(drawn) == share(0.4)
    kept = mixed.mean(axis=1)
    np.testing.assert_allclose(np.quantile(kept, (0.1, 0.5, 0.9)), (0.1, 0.5, 0.9), atol=0.05)
    np.testing.assert_allclose(mixed.mean(axis=0), 0.5, atol=0.06, err_msg="no attribute is told more than others")


@pytest.mark.parametrize(("rates", "expected"), [
    (MaskRates(1, 0, 0, 0), np.zeros(len(NAMES), dtype=bool)),
    (MaskRates(0, 1, 0, 0), np.ones(len(NAMES), dtype=bool)),
    (MaskRates(0, 0, 0, 1), ~CORE),
])  # fmt: skip
def test_one_kind_alone(rates, expected):
    for seed in range(20):
        np.testing.assert_array_equal(draw_mask(rates, np.random.default_rng(seed)), expected)


def test_one_mask_holds_for_all_segments_and_changes_no_value():
    parts = np.random.default_rng(0).normal(size=(5, len(NAMES)))
    parts[2, 3] = np.nan
    told = 0
    for seed in range(40):
        found = draw_targets(parts, False, MaskRates(0, 0, 0, 0), np.random.default_rng(seed))
        there = np.isfinite(found)
        assert np.isnan(found[2, 3])
        rows = there[[0, 1, 3, 4]]
        assert (rows == rows[0]).all()
        np.testing.assert_array_equal(found[there], parts[there])
        told += rows[0].sum()
    assert 0 < told < 40 * len(NAMES)


def test_segments_are_told_core_attributes_only():
    parts = np.ones((3, len(NAMES)))
    everything, hundred = MaskRates(0, 1, 0, 0), MaskRates(0, 0, 0, 1)
    rng = np.random.default_rng(0)
    assert np.isfinite(draw_targets(parts, False, everything, rng)).all()
    np.testing.assert_array_equal(np.isfinite(draw_targets(parts, True, everything, rng)), np.tile(CORE, (3, 1)))
    assert not np.isfinite(draw_targets(parts, True, hundred, rng)).any()
