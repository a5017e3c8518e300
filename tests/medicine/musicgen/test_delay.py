"""The delay pattern: where codes stand, and the way back."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from affectgen.medicine.musicgen.delay import delayed, undelayed, undelayed_logits


def test_codes_stand_where_the_paper_puts_them():
    codes = torch.tensor([[[1, 2], [3, 4], [5, 6]]])
    assert delayed(codes, 9).tolist() == [[[9, 1, 2, 9, 9], [9, 9, 3, 4, 9], [9, 9, 9, 5, 6]]]


@given(batch=st.integers(1, 3), books=st.integers(1, 5), frames=st.integers(0, 7), seed=st.integers(0, 99))
def test_the_way_back_gives_the_codes(batch: int, books: int, frames: int, seed: int):
    codes = torch.randint(0, 50, (batch, books, frames), generator=torch.Generator().manual_seed(seed))
    positions = delayed(codes, 50)
    assert positions.shape == (batch, books, frames + books)
    assert torch.equal(undelayed(positions), codes)
    assert (positions == 50).sum() == batch * books * books


@given(books=st.integers(1, 5), frames=st.integers(1, 7))
def test_logits_are_of_the_codes_that_come_next(books: int, frames: int):
    """A model that knows the next position: its logits, undelayed, name the codes."""
    codes = torch.randint(0, 11, (2, books, frames), generator=torch.Generator().manual_seed(books))
    ahead = delayed(codes, 11)[..., 1:]
    found = undelayed_logits(torch.nn.functional.one_hot(ahead, 12))
    assert found.shape == (2, books, frames, 12)
    assert torch.equal(found.argmax(dim=-1), codes)
