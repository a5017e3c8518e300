"""Drawing codes: what is drawn and what is kept, rows that stand alone, memory that does not hold a batch."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from affectgen.errors import AffectgenError, UsageError
from affectgen.medicine.musicgen.decoding import draw, generate, generate_in_batches, within_memory
from affectgen.medicine.musicgen.delay import delayed
from affectgen.medicine.musicgen.interface import Row, Sampling, Shape

BOOKS, CARD = 3, 17
SHAPE = Shape(3200, 50.0, BOOKS, CARD, 1, 8, 1500)
GREEDY, RANDOM = Sampling(temperature=0.0), Sampling(top_k=5)


class Listener:
    """A stepper whose logits depend on the row's prompt and on all that it has read, and that writes down what it
    reads."""

    def __init__(self, model: Model, rows: Sequence[Row], guidance: float, length: int) -> None:
        self.model, self.rows, self.guidance, self.length = model, rows, guidance, length
        self.read = torch.zeros(len(rows), BOOKS, 0, dtype=torch.long)
        self.calls: list[int] = []
        self.held = torch.zeros(1000)

    def step(self, tokens: Tensor) -> Tensor:
        if len(self.rows) > self.model.holds and self.read.shape[-1] >= self.model.late:
            raise self.model.error
        self.calls.append(tokens.shape[-1])
        self.read = torch.cat([self.read, tokens], dim=-1)
        assert self.read.min() >= 0
        assert self.read.max() <= CARD
        weights = torch.arange(1, self.read.shape[-1] + 1)
        sums = (self.read * weights).sum(dim=-1)  # [B, K]
        for number, row in enumerate(self.rows):
            sums[number] += len(row.prompt) * 7
        return ((sums[..., None] * 31 + torch.arange(CARD) ** 2 * 13) % 97).float() / 20  # [B, K, card]


@dataclass
class Model:
    """A model of no weights. holds: rows that its memory holds; late: positions read before it runs out; error: that it
    raises then."""

    holds: int = 99
    late: int = 0
    error: Exception = field(default_factory=lambda: torch.OutOfMemoryError("no more"))
    shape: Shape = SHAPE
    begun: list[Listener] = field(default_factory=list)

    def begin(self, rows: Sequence[Row], guidance: float, length: int) -> Listener:
        self.begun.append(Listener(self, rows, guidance, length))
        return self.begun[-1]


def rows_of(count: int, start: Tensor | None = None) -> list[Row]:
    return [Row("x" * number, None, 100 + number, start) for number in range(count)]


def drawn(model: Model, rows: Sequence[Row], frames: int = 9, sampling: Sampling = RANDOM) -> Tensor:
    return generate(model, rows, frames, sampling)


def test_the_model_reads_the_delay_pattern_of_what_it_gives():
    model = Model()
    codes = drawn(model, rows_of(2))
    assert codes.shape == (2, BOOKS, 9)
    assert codes.dtype == torch.long
    assert codes.min() >= 0
    assert codes.max() < CARD
    assert len(codes.unique()) > CARD // 2
    (stepper,) = model.begun
    assert torch.equal(stepper.read, delayed(codes, CARD)[..., :-1])
    assert stepper.calls == [1] * (9 + BOOKS - 1)
    assert (stepper.length, stepper.guidance) == (9 + BOOKS, 3.0)


def test_greedy_codes_are_the_likeliest():
    model = Model()
    codes = drawn(model, rows_of(1), 4, GREEDY)
    other = Listener(model, rows_of(1), 3.0, 9)
    positions = delayed(codes, CARD)
    for place in range(positions.shape[-1] - 1):
        best = other.step(positions[..., place : place + 1]).argmax(dim=-1)
        for book in range(BOOKS):
            if book <= place < book + 4:
                assert best[0, book] == codes[0, book, place - book]


@settings(deadline=None, max_examples=25)
@given(started=st.integers(0, 6), more=st.integers(1, 5), seed=st.integers(0, 99))
def test_starts_are_kept_exactly_and_gone_on_from(started: int, more: int, seed: int):
    """All positions known are read at once; and going on from one's own beginning is as if there had been no break."""
    whole = drawn(Model(), rows_of(2), started + more, GREEDY)
    model = Model()
    rows = [Row(row.prompt, None, seed, whole[n, :, :started]) for n, row in enumerate(rows_of(2))]
    found = drawn(model, rows, started + more, GREEDY)
    assert torch.equal(found, whole)
    assert model.begun[0].calls == [started + 1] + [1] * (more + BOOKS - 2)
    foreign = torch.randint(0, CARD, (2, BOOKS, started), generator=torch.Generator().manual_seed(seed))
    rows = [Row("", None, seed, start) for start in foreign]
    assert torch.equal(drawn(Model(), rows, started + more)[:, :, :started], foreign)


@pytest.mark.parametrize(
    ("starts", "frames", "said"),
    [
        ([torch.zeros(3, 2), torch.zeros(3, 1)], 9, r"start from \[1, 2\] frames"),
        ([None, torch.zeros(3, 1)], 9, r"start from \[0, 1\] frames"),
        ([torch.zeros(3, 4)], 4, "4 frames were asked for, and 4 are given"),
        ([torch.zeros(1, 4)], 9, r"codes of shape \[1, 4\]; \[3, frames\] were expected"),
        ([torch.full((3, 2), 17)], 9, "codes 17 to 17; 0 to 16 exist"),
        ([torch.full((3, 2), -1)], 9, "codes -1 to -1"),
    ],
)
def test_starts_that_cannot_be_gone_on_from_are_refused(starts: list[Tensor | None], frames: int, said: str):
    rows = [Row("", None, 0, None if start is None else start.long()) for start in starts]
    with pytest.raises(UsageError, match=said):
        drawn(Model(), rows, frames)


def test_a_row_does_not_depend_on_its_neighbours_and_a_seed_repeats_it():
    rows = rows_of(4)
    codes = drawn(Model(), rows)
    assert torch.equal(drawn(Model(), rows), codes)
    for number, row in enumerate(rows):
        assert torch.equal(drawn(Model(), [row])[0], codes[number])
    assert torch.equal(drawn(Model(), rows[::-1]), codes.flip(0))
    assert not torch.equal(drawn(Model(), [Row(rows[0].prompt, None, 5)])[0], codes[0])


def test_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    drawn(Model(), rows_of(2))
    assert torch.equal(torch.get_rng_state(), before)


def test_draws_follow_the_softmax_of_the_likeliest():
    """Frequencies of 20,000 draws against the probabilities, within four standard errors."""
    logits = torch.tensor([2.0, -1.0, 0.5, 1.5, -0.2])
    count = 20000
    uniform = torch.rand(count, generator=torch.Generator().manual_seed(0))
    for temperature, top_k, kept in ((1.0, 0, 5), (0.5, 3, 3), (2.0, 2, 2), (1.0, 250, 5)):
        found = draw(logits.expand(count, 5), uniform, Sampling(temperature, top_k))
        scores = logits / temperature
        scores[scores < scores.sort(descending=True).values[kept - 1]] = -torch.inf
        wanted = scores.softmax(dim=-1)
        often = torch.bincount(found, minlength=5) / count
        assert ((often - wanted).abs() <= 4 * (wanted * (1 - wanted) / count).sqrt()).all()


def test_the_ends_of_the_uniform_numbers_draw_the_first_and_the_last_code():
    logits = torch.tensor([0.0, 3.0, 1.0, -torch.inf])
    ends = torch.tensor([0.0, float(np.nextafter(np.float32(1), np.float32(0)))])
    assert draw(logits.expand(2, 4), ends, Sampling(1.0, 0)).tolist() == [0, 2]  # never the impossible one
    assert draw(logits.expand(2, 4), ends, Sampling(0.0, 1)).tolist() == [1, 1]


def test_rounding_that_changes_the_order_of_likelihood_hardly_changes_draws():
    chance = torch.Generator().manual_seed(1)
    logits = torch.randn(2000, 512, generator=chance)
    noise = 1e-5 * torch.randn(2000, 512, generator=chance)
    uniform = torch.rand(2000, generator=chance)
    one, two = (draw(each, uniform, Sampling(1.0, 0)) for each in (logits, logits + noise))
    assert (one != two).float().mean() < 0.005


def test_progress_is_told_frame_by_frame_over_all_rows():
    told: list[tuple[int, int]] = []
    generate(Model(), rows_of(2), 4, Sampling(), lambda done, of: told.append((done, of)))
    assert told == [(0, 4), (0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    told.clear()
    _, batch = generate_in_batches(Model(), rows_of(5), 4, Sampling(), 2, lambda done, of: told.append((done, of)))
    assert batch == 2
    assert told == sorted(told)
    assert {of for _, of in told} == {20}
    assert told[-1] == (20, 20)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("no more"), RuntimeError("CUDA error: out of memory"), MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)  # fmt: skip
def test_the_batch_is_halved_until_memory_holds_it(error: Exception):
    rows = rows_of(7)
    model = Model(holds=2, error=error)
    codes, batch = generate_in_batches(model, rows, 9, RANDOM, 6)
    assert batch == 1  # of six, three and one
    assert torch.equal(codes, drawn(Model(), rows))
    assert [len(stepper.rows) for stepper in model.begun] == [6, 3] + [1] * 7
    model = Model(holds=2, error=error)
    codes, batch = generate_in_batches(model, rows, 9, RANDOM, 8)
    assert batch == 1  # seven rows, of which half are three
    assert len(codes) == 7


def test_rows_that_are_written_stay_written():
    """Memory that becomes too small between two batches: the first is not written again."""
    rows = rows_of(8)
    model = Model(holds=4)
    begin = model.begin

    def shrinking(some: Sequence[Row], guidance: float, length: int) -> Listener:
        model.holds = 4 if len(model.begun) < 1 else 2
        return begin(some, guidance, length)

    model.begin = shrinking  # type: ignore[method-assign]
    codes, batch = generate_in_batches(model, rows, 9, RANDOM, 4)
    assert batch == 2
    assert [len(stepper.rows) for stepper in model.begun] == [4, 4, 2, 2]
    assert torch.equal(codes, drawn(Model(), rows))


def test_memory_that_does_not_hold_one_says_what_to_do():
    with pytest.raises(AffectgenError, match="does not hold one clip of 9 frames") as told:
        generate_in_batches(Model(holds=0), rows_of(3), 9, Sampling(), 4)
    assert "--device cpu" in told.value.hint
    with pytest.raises(RuntimeError, match="something else"):
        generate_in_batches(Model(holds=0, error=RuntimeError("something else")), rows_of(1), 9, Sampling(), 4)


def test_what_a_failed_batch_held_is_free_before_the_next():
    """Neither the error nor its frames keep the tensors, which would be in the way of the smaller batch."""
    alive: list[weakref.ref[Tensor]] = []

    def fails() -> Tensor:
        held = torch.zeros(1000)
        alive.append(weakref.ref(held))
        raise torch.OutOfMemoryError(f"after {len(held)}")

    gc.disable()
    try:
        assert within_memory(fails) is None
        assert alive[0]() is None
    finally:
        gc.enable()
    assert within_memory(lambda: torch.ones(2)).tolist() == [1, 1]
