"""Expressive timing: what is read of the notes, what may be drawn, and what the shipped model does to real music."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.score import expression
from affectgen.score.beats import has_beat_grid, read_score
from affectgen.score.expression import (
    LENGTHS,
    SHIFTS,
    WITHIN,
    Expression,
    ExpressionConfig,
    Performer,
    context,
    load_performer,
    nearest_bins,
    style_of,
    traits_of,
)
from affectgen.score.expression_fit import Performance, loss_of, stack
from affectgen.score.grid import GridScore, make_grid
from affectgen.score.keys import Key
from affectgen.score.midi import open_midi, write_midi
from affectgen.score.playing import pick_rows


def piece(seed: int = 0, tempo: float = 100.0) -> GridScore:
    """Four bars of chords and single notes."""
    rng = np.random.default_rng(seed)
    rows = [[start, int(rng.integers(1, 9)), pitch, int(rng.integers(30, 100))]
            for start in range(0, 64, 2) for pitch in rng.choice(np.arange(40, 85), rng.integers(1, 4), replace=False)]
    return make_grid(np.array(rows), np.full(16, tempo), (None,) * 16, Key(0, 0))  # fmt: skip


@pytest.fixture(scope="module")
def performer() -> Performer:
    torch.manual_seed(0)
    styles = np.array([[0.5, 0.0], [1.0, 0.3]], dtype=np.float32)
    model = Expression(ExpressionConfig(hidden=8, layers=1, dropout=0.0))
    return Performer(model, styles, np.zeros((2, 3), dtype=np.float32))


def test_bins_are_sorted_and_nearest() -> None:
    assert (np.diff(SHIFTS) > 0).all()
    assert (np.diff(LENGTHS) > 0).all()
    assert nearest_bins(SHIFTS, SHIFTS).tolist() == list(range(len(SHIFTS)))
    assert SHIFTS[nearest_bins(np.array([0.0]), SHIFTS)[0]] == 0.0


def test_context_names_rank_top_and_position() -> None:
    rows = np.array([[0, 4, 60, 64], [0, 4, 64, 64], [6, 2, 67, 64]])
    known = context(make_grid(rows, np.full(4, 110.0), (None,) * 4, Key(0, 0)))
    assert known.shape == (3, 28)
    assert known[:, 2].tolist() == [1, 0, 1]  # lowest of its onset
    assert known[:, 3].tolist() == [0, 1, 1]  # highest
    assert known[:, 12:].argmax(1).tolist() == [0, 0, 6]


def test_same_seed_same_performance_and_another_differs(performer: Performer) -> None:
    score = piece()
    one, two, other = performer.perform(score, 1), performer.perform(score, 1), performer.perform(score, 2)
    assert np.array_equal(one.onset, two.onset)
    assert np.array_equal(one.duration, two.duration)
    assert not np.array_equal(one.onset, other.onset)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.floats(30, 220))
def test_no_note_leaves_its_sixteenth(performer: Performer, seed: int, tempo: float) -> None:
    score = piece(seed, tempo)
    timing = performer.perform(score, seed)
    written = score.seconds_at(score.start)
    assert (np.abs(timing.onset - written) <= WITHIN * 15 / tempo + 1e-9).all()
    assert (timing.duration > 0).all()
    assert (timing.onset >= 0).all()


def test_a_performed_file_is_read_back_on_its_grid(performer: Performer) -> None:
    score = piece(3, 140.0)
    data = write_midi(score, performer.perform(score, 5))
    assert has_beat_grid(open_midi(data))
    back = read_score(data)
    assert back.start.tolist() == score.start.tolist()
    assert back.pitch.tolist() == score.pitch.tolist()
    assert back.velocity.tolist() == score.velocity.tolist()


def test_an_empty_piece_has_an_empty_performance(performer: Performer) -> None:
    empty = make_grid(np.zeros((0, 4), dtype=np.int64), np.array([120.0]), (None,), Key(0, 0))
    assert len(performer.perform(empty, 0).onset) == 0


def test_the_loss_falls_on_one_performance() -> None:
    torch.manual_seed(0)
    score = piece()
    rng = np.random.default_rng(0)
    known = context(score)
    part = Performance(known, np.zeros(2, np.float32), np.zeros(3, np.float32),
                       rng.integers(0, 35, len(known)), rng.integers(0, 24, len(known)))  # fmt: skip
    model = Expression(ExpressionConfig(hidden=32, layers=1, dropout=0.0))
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    batch = stack([(part, 0)])
    first = float(loss_of(model, batch).detach())
    for _ in range(60):
        optimiser.zero_grad()
        loss = loss_of(model, batch)
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.6 * first


def drawn_plainly(
    model: Expression, known: torch.Tensor, style: torch.Tensor, uniform: np.ndarray
) -> tuple[list[int], list[int]]:
    """Bins of one piece, note by note, each by the network's answer to the whole of what came before it."""
    shifts, lengths = (torch.zeros(1, len(known), dtype=torch.int64) for _ in range(2))
    for note in range(len(known)):
        for values, part, place in ((shifts, 0, 0), (lengths, 1, 1)):
            with torch.no_grad():
                logits = model(known[None], style[None], shifts, lengths)[part][0, note].double()
            shares = logits.softmax(-1).cumsum(-1)
            values[0, note] = int((shares < uniform[note, place] * shares[-1]).sum())
    return shifts[0].tolist(), lengths[0].tolist()


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_drawing_one_by_one_is_drawing_from_the_whole(layers: int) -> None:
    torch.manual_seed(layers)
    model = Expression(ExpressionConfig(hidden=8, layers=layers, dropout=0.0)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    known, style = context(piece().take_bars(0, 2)), np.array([0.5, -0.2], dtype=np.float32)
    uniform = np.random.default_rng(1).random((2, len(known), 2))
    both = model.player().play(np.stack([known] * 2), np.stack([style] * 2), uniform)
    for row in range(2):
        expected = drawn_plainly(model, torch.from_numpy(known), torch.from_numpy(style), uniform[row])
        assert (both[0][row].tolist(), both[1][row].tolist()) == expected
    assert len(np.unique(both[0])) > 5


def test_the_last_value_is_the_last_that_is_drawn() -> None:
    logits = np.array([[0.0, 1.0, -700.0], [0.0, 0.0, 0.0], [900.0, 0.0, 900.0]], dtype=np.float32)
    assert pick_rows(logits, np.array([1.0, 1.0, 0.0])).tolist() == [1, 2, 0]
    assert pick_rows(logits, np.array([0.2, 0.5, 0.7])).tolist() == [0, 1, 2]


def test_styles_and_traits_are_finite() -> None:
    assert np.isfinite(style_of(np.zeros(5), np.ones(5))).all()
    assert np.isfinite(traits_of(piece())).all()


def test_the_shipped_model_loosens_chords_as_pianists_do() -> None:
    shipped = load_performer()
    score = piece(1, 90.0)
    timing = shipped.perform(score, 3)
    shift = timing.onset - score.seconds_at(score.start)
    assert 0.002 < np.std(shift) < 0.05  # real performances: about 0.02 s
    same = np.diff(score.start) == 0
    assert np.abs(np.diff(shift)[same]).mean() < 0.05


PIECES = [piece(0).take_bars(0, 1), piece(1), piece(2).take_bars(0, 2), piece(3).take_bars(0, 1), piece(4)]


def test_many_are_played_as_each_is_drawn_alone(performer: Performer) -> None:
    """The same style and random numbers without neighbours."""
    together = performer.perform_many(PIECES, 7)
    assert [one.shape for one in together] == [(len(score), 2) for score in PIECES]
    for place, score in enumerate(PIECES):
        rng = np.random.default_rng((7, place))
        alike = np.argsort(((performer.traits - traits_of(score)) ** 2).sum(1))
        style = performer.styles[rng.choice(alike)]
        shift, length = performer.player.play(context(score)[None], style[None], rng.random((1, len(score), 2)))
        np.testing.assert_array_equal(together[place][:, 0], SHIFTS[shift[0]])
        np.testing.assert_array_equal(together[place][:, 1], LENGTHS[length[0]])


@pytest.mark.parametrize("width", [1, 2, 128])
def test_what_stands_beside_a_piece_does_not_change_how_it_is_played(
    performer: Performer, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    expected = performer.perform_many(PIECES, 3)
    monkeypatch.setattr(expression, "TOGETHER", width)
    others = [piece(20), PIECES[1], piece(21).take_bars(1, 2), PIECES[3], piece(22).take_bars(0, 3), piece(23)]
    for place, other in ((1, performer.perform_many(others, 3)), (3, performer.perform_many(others, 3))):
        np.testing.assert_array_equal(other[place], expected[place])


def test_a_seed_is_a_way_of_playing_and_so_is_a_place(performer: Performer) -> None:
    first, again, other = (performer.perform_many([PIECES[1]] * 2, seed) for seed in (1, 1, 2))
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[0], first[1]), "the same piece twice is not played twice alike"


@given(st.integers(0, 2**31 - 1))
@settings(max_examples=8, deadline=None)
def test_many_are_played_within_what_was_learned(performer: Performer, seed: int) -> None:
    for played in performer.perform_many([PIECES[0], PIECES[3]], seed):
        assert np.isin(played[:, 0], SHIFTS).all()
        assert np.isin(played[:, 1], LENGTHS).all()
        assert len(np.unique(played[:, 0])) > 1


def test_no_pieces_have_no_performances(performer: Performer) -> None:
    assert performer.perform_many([], 0) == []
