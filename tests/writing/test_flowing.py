"""Pieces for options that come one by one: the same as all at once, given as soon as they are there."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hearing_by_rule import Generator, Rule, ask, same

from affectgen.writing.flowing import Flow
from affectgen.writing.options import ComposeOptions
from affectgen.writing.pieces import Composed


class Streaming(Rule):
    """Has so many requests in hand as it can get, up to `width` tries, and ends the last first. `most`: most tries at a
    time; `lost`: numbers whose end it tells."""

    def __init__(self, width):
        super().__init__()
        self.width, self.most = width, 0

    def compose_flow(self, more, finished):
        tries = deque()
        while True:
            while len(tries) < self.width and (found := more()):
                tries.append(dict(found))
            self.most = max(self.most, len(tries))
            if not tries:
                return
            number, request = tries[-1].popitem()
            if not tries[-1]:
                tries.pop()
            self.ended.append(number)
            assert finished(number, self._piece(*request)) == ()


def flow(generator, options, come=None):
    """What comes of options, by number in the order in which it comes; come: what each `take` answers with."""
    waiting, given = deque(enumerate(options)), {}
    answers = iter(come if come is not None else [])

    def take():
        return waiting.popleft() if waiting and next(answers, True) else None

    def give(number, option, piece):
        assert option is options[number]
        given[number] = piece

    made = Flow(generator, take, give)
    made.run(generator.composer)
    assert made.places == {}, "nothing is kept of what is done"
    return given


@pytest.mark.parametrize("width", [1, 3, 20])
@pytest.mark.parametrize(("near", "attempts"), [(9.0, {1}), (0.2, {1, 2}), (-1.0, {1, 2, 3, 4})])
def test_pieces_are_those_of_a_call_for_all(plain_ears, width, near, attempts):
    """Whether the first try is good, a later one, or none."""
    affects = ("happy", "sad", "calm", "angry", "tense", "bored", "0.1,0.2")
    options = [ask(affect, seed=n, best_of=2 + n % 3, tries=1 + n % 4) for n, affect in enumerate(affects)]
    generator = Generator(Streaming(width))
    generator.near = near
    given = flow(generator, options)
    assert sorted(given) == list(range(len(options)))
    for number, piece in enumerate(generator.run(options)):
        assert same(given[number], piece)
        assert (given[number].candidate, given[number].attempts) == (piece.candidate, piece.attempts)
        assert [one.number for one in given[number].heard] == [one.number for one in piece.heard]
        np.testing.assert_array_equal(given[number].measured, piece.measured)
    assert {piece.attempts for piece in given.values()} == attempts
    assert generator.composer.most == min(width, len(options))


def test_a_piece_is_given_before_the_next_is_taken_where_one_is_written_at_a_time(plain_ears):
    generator, told = Generator(Streaming(1)), []
    options = deque(enumerate([ask(seed=seed, best_of=2) for seed in range(3)]))

    def take():
        if options:
            told.append(("taken", options[0][0]))
        return options.popleft() if options else None

    Flow(generator, take, lambda number, option, piece: told.append(("given", number))).run(generator.composer)
    assert told == [(what, number) for number in range(3) for what in ("taken", "given")]


def test_what_comes_later_is_written_beside_what_is_there(plain_ears):
    generator = Generator(Streaming(4))
    options = [ask(seed=seed, best_of=2) for seed in range(5)]
    given = flow(generator, options, come=[True, False, False, True, True, False])
    assert sorted(given) == list(range(5))
    assert 1 < generator.composer.most <= 4


def test_nothing_to_take_is_nothing_to_do(plain_ears):
    generator = Generator(Streaming(4))
    assert flow(generator, []) == {}
    assert generator.composer.ended == []


def test_options_are_let_go_of_once_each(plain_ears):
    class Noting(Generator):
        """Notes what it is to forget."""

        def forget(self, option: ComposeOptions) -> None:
            self.forgotten = [*getattr(self, "forgotten", []), option]

    generator = Noting(Streaming(2))
    options = [ask(seed=seed, best_of=2, tries=2) for seed in range(4)]
    generator.near = -1.0
    flow(generator, options)
    assert sorted(option.seed for option in generator.forgotten) == [0, 1, 2, 3]


def test_composed_pieces_are_what_it_is_told(plain_ears):
    """`finished` is told of the composed piece that belongs to the number."""
    generator = Generator(Streaming(1))
    made = Flow(generator, lambda: None, lambda *_: None)
    made.again.append(work := _work(ask(seed=3, best_of=2)))
    requests = dict(made.more())
    assert list(requests) == [0, 1]
    made.finished(1, Composed(np.zeros((0, 8), dtype=np.int64), Rule._piece(*requests[1]).score))
    assert work.kept is None
    made.finished(0, Rule._piece(*requests[0]))
    assert work.kept is not None
    assert work.over


def _work(option):
    from affectgen.writing.flowing import Work

    return Work(0, 0, option, None)
