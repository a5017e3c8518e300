"""A generator whose pieces are made by rule from their seeds: it has no model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from affectgen.affect import Affect
from affectgen.score.grid import make_grid
from affectgen.score.keys import Key
from affectgen.score.words import decode, encode
from affectgen.writing.given import context_of, length_of
from affectgen.writing.heard import Piece
from affectgen.writing.hearing import Auditions
from affectgen.writing.options import ComposeOptions
from affectgen.writing.pieces import Composed, in_batches

HASTE = 8.0


def by_rule(seed, bars, key):
    """Quavers about a pitch, a loudness and a tempo that the seed draws."""
    rng = np.random.default_rng(seed)
    pitch, loud, tempo = int(rng.integers(55, 70)), int(rng.integers(50, 80)), rng.uniform(70.0, 150.0)
    rows = [(2 * step, 2, pitch + int(rng.integers(-4, 5)), loud) for step in range(8 * bars)]
    return make_grid(np.array(rows), np.full(4 * bars, tempo), (None,) * (4 * bars), key)


class Rule:
    """Composes requests (seed, bars, context) and notes what was asked of it and what ended."""

    name, sha256 = "rule", "0" * 64

    def __init__(self):
        self.calls, self.begun, self.ended = [], [], []

    def compose_until(self, requests, finished):
        self.calls.append(list(requests))

        def write(numbered, tell):
            self.begun.append(list(numbered))
            needless = set()
            for number, request in numbered.items():
                if number not in needless:
                    self.ended.append(number)
                    needless |= set(tell(number, self._piece(*request)))

        in_batches(requests, write, finished)

    @staticmethod
    def _piece(seed, bars, context):
        score = by_rule(seed, bars, Key(0, 0) if context is None else context.key)
        if context is not None:
            score = decode(np.concatenate([encode(context)[:-1], encode(score)[1:]]))
        return Composed(np.zeros((0, 8), dtype=np.int64), score)


@dataclass(frozen=True)
class Take(Piece):
    """Good within `near` of what was asked, and of about its length."""

    near: float = 9.0

    @property
    def miss(self):
        return 0.0 if not isinstance(self.asked, Affect) else float(abs(self.measured[0] - self.asked.valence))

    @property
    def good(self):
        return self.miss <= self.near and self.stretch == 0

    @property
    def rank(self):
        return not self.good, self.miss + HASTE * self.stretch


class Generator(Auditions):
    """What a generator adds: a seed a draft, and what is good. Options of one temperature are alike."""

    near = 9.0

    def _alike(self, option):
        return option.temperature

    def request(self, hearing, draft):
        context = None if hearing.option.continue_from is None else context_of(hearing.given)
        return (hearing.option.seed, draft.take, draft.number), draft.bars, context

    def _heard(self, option, score, bars):
        performed = self.performer.perform(score, option.seed)
        measured = self._measured(option, score, bars, performed)
        return Take(*measured, length=length_of(option, score, bars), near=self.near)


def ask(affect="happy", seed=1, **values):
    return ComposeOptions(affect, seed, **{"bars": 4, "expressive": False, "tries": 1} | values)


def one(generator, *args, **values):
    return generator.run([ask(*args, **values)])[0]


def same(first, second):
    names = ("start", "length", "pitch", "velocity", "tempo")
    return all(np.array_equal(getattr(first.score, name), getattr(second.score, name)) for name in names)
