"""What every generator is measured by, figure by figure, on generators whose answers are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from affectgen.affect import AffectPath, parse_affect
from affectgen.evaluate import pieces
from affectgen.evaluate.copying import index_pieces
from affectgen.evaluate.muspy import NAMES, mean_statistics
from affectgen.evaluate.pieces import PATHS, QUADRANTS, Bars, Plan
from affectgen.evaluate.reference import Reference
from affectgen.muser.generate import Piece
from affectgen.recognize.corpus import Labelled
from affectgen.recognize.judge import Verdict
from affectgen.score.grid import BAR, make_grid
from affectgen.score.keys import Key
from affectgen.score.midi import read_notes
from affectgen.writing.given import affect_by_bar
from affectgen.writing.options import ComposeOptions

BARS = Bars({"quadrants": 0.75, "arousal": 0.96, "valence": 0.78}, {"arousal": 0.88, "valence": 0.62}, 1.7, 0.7)
PLAN = Plan(6, 1, 6, 5, lambda affect, seed, bars: ComposeOptions(affect, seed, bars=bars), BARS)


def compose(affect, bars, seed, closing=True):
    """A piece in C whose bars rise with valence and grow louder with arousal, and that ends on a held chord."""
    rng = np.random.default_rng(seed)
    rows = []
    for bar, (valence, arousal) in enumerate(affect_by_bar(affect, bars)):
        for step in range(8 if bar < bars - 1 else 4):
            pitch, loud = 60 + 20 * valence + rng.integers(-3, 4), 70 + 50 * arousal + rng.integers(-4, 5)
            rows.append((BAR * bar + 2 * step, 2, int(pitch), int(loud)))
    if closing:
        rows += [(BAR * bars - 8, 8, pitch, 70) for pitch in (48, 52, 55)]
    return make_grid(np.array(rows), np.full(4 * bars, 100.0), (None,) * (4 * bars), Key(0, 0))


class Composing:
    """Stands for a generator: does what is asked, or, if deaf, always the same."""

    def __init__(self, deaf=False, closing=True):
        self.deaf, self.closing, self.asked = deaf, closing, []

    def run(self, options):
        self.asked.extend(options)
        return [self._piece(option) for option in options]

    def _piece(self, option):
        affect = "0.5,0.5" if self.deaf else option.affect
        score = compose(affect, option.bars, option.seed, self.closing)
        return Piece(score, score.bars, None, parse_affect(option.affect), np.zeros(2), None)


class Reading:
    """Stands for a Judge: reads valence off the pitch and arousal off the velocity."""

    figures = {"quadrants": 0.6, "arousal": 0.87, "valence": 0.69}  # noqa: RUF012

    def judge(self, pieces):
        points = np.array([[np.median(piece.pitch) - 60, np.median(piece.velocity) - 70] for piece in pieces])
        high, pleasant = points[:, 1] > 0, points[:, 0] > 0
        quadrant = np.where(high, np.where(pleasant, 0, 1), np.where(pleasant, 3, 2))
        return Verdict(np.tanh(points / 20), np.eye(4)[quadrant])


def by_name(figures):
    return {figure.name: figure for figure in figures}


def labelled(number, quadrant):
    notes = compose(QUADRANTS[quadrant], 8, 900 + number).to_notes()
    return Labelled(f"clip{number}", f"song{number}", "train", quadrant, (0.0, 0.0), True, notes)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Forty training and twenty validation clips."""
    train, val = [labelled(n, n % 4) for n in range(40)], [labelled(n, n % 4) for n in range(100, 120)]
    return Reference(train, val, tmp_path_factory.mktemp("data"))


def test_pieces_are_read_back_from_their_files():
    generator = Composing()
    (made,) = pieces.make(generator, [PLAN.ask("Q1", 3, 4)])
    assert made.piece.score.bars == 4
    assert made.notes.pitch.tolist() == read_notes(made.piece.midi).pitch.tolist()
    assert pieces.make(generator, []) == []


def test_a_composer_that_does_what_is_asked_has_every_accuracy():
    generator = Composing()
    made = pieces.compose_quadrants(generator, PLAN)
    assert [option.affect for option in generator.asked[:5]] == ["Q1", "Q2", "Q3", "Q4", "Q1"]
    assert [option.seed for option in generator.asked] == list(range(5, 29))
    assert {option.bars for option in generator.asked} == {16}
    assert pieces.wanted_quadrants(made).tolist() == [0, 1, 2, 3] * 6
    found = by_name(pieces.accuracy(made, Reading(), PLAN))
    assert [found[f"judge: {name}"].value for name in ("quadrants", "arousal", "valence")] == [1.0, 1.0, 1.0]
    assert [figure.real for figure in found.values()] == [0.6, 0.87, 0.69]
    assert [figure.at_least for figure in found.values()] == [0.75, 0.96, 0.78]
    assert all(figure.met for figure in found.values())


def test_a_deaf_composer_has_a_quarter():
    found = by_name(pieces.accuracy(pieces.compose_quadrants(Composing(deaf=True), PLAN), Reading(), PLAN))
    assert [found[f"judge: {name}"].value for name in ("quadrants", "arousal", "valence")] == [0.25, 0.5, 0.5]
    assert not any(figure.met for figure in found.values())


def test_accuracies_are_those_the_plan_has_bars_for():
    plan = dataclasses.replace(PLAN, bars=dataclasses.replace(BARS, judge={"arousal": 0.5}))
    made = pieces.compose_quadrants(Composing(), plan)
    (figure,) = pieces.accuracy(made, Reading(), plan)
    assert (figure.name, figure.at_least, figure.value) == ("judge: arousal", 0.5, 1.0)
    assert figure.shuffled < 0.9, "asked of others, half would be right by chance"


def test_correlations_over_the_grid():
    found = by_name(pieces.grid_correlations(Composing(), Reading(), PLAN))
    assert len(found) == 2
    for name in ("valence", "arousal"):
        assert found[f"grid: {name}, Spearman"].value > 0.95
        assert abs(found[f"grid: {name}, Spearman"].shuffled) < 0.35
        assert found[f"grid: {name}, Spearman"].at_least == BARS.grid[name]
    deaf = by_name(pieces.grid_correlations(Composing(deaf=True), Reading(), PLAN))
    assert abs(deaf["grid: arousal, Spearman"].value) < 0.35


def test_the_grid_is_asked_evenly():
    generator = Composing()
    pieces.grid_correlations(generator, Reading(), dataclasses.replace(PLAN, grid=2))
    points = [parse_affect(option.affect) for option in generator.asked]
    assert len(points) == 162
    assert len({(point.valence, point.arousal) for point in points}) == 81
    assert max(abs(point.valence) for point in points) == pytest.approx(0.8)
    assert len({option.seed for option in generator.asked}) == 162


def test_correlation_along_paths():
    generator = Composing()
    found = by_name(pieces.path_correlation(generator, Reading(), PLAN))
    assert found["path: arousal, correlation"].value > 0.9
    assert found["path: valence, correlation"].value > 0.9
    assert found["path: arousal, correlation"].at_least == 0.7
    assert found["path: valence, correlation"].met is None
    assert {option.bars for option in generator.asked} == {32}
    assert all(isinstance(parse_affect(option.affect), AffectPath) for option in generator.asked)
    deaf = by_name(pieces.path_correlation(Composing(deaf=True), Reading(), PLAN))
    assert abs(deaf["path: arousal, correlation"].value) < 0.5


def test_more_paths_than_there_are_take_turns_and_need_no_bar():
    generator = Composing()
    plan = dataclasses.replace(PLAN, paths=7, bars=dataclasses.replace(BARS, path=None))
    assert all(figure.met is None for figure in pieces.path_correlation(generator, Reading(), plan))
    assert [option.affect for option in generator.asked] == [*PATHS, PATHS[0]]
    assert len({option.seed for option in generator.asked}) == 7


def test_a_piece_that_ends_too_soon_tells_nothing_of_its_path():
    class Short(Composing):
        def run(self, options):
            return super().run([dataclasses.replace(option, bars=3) for option in options])

    class Sometimes(Composing):
        def run(self, options):
            return [*Short().run(options[:1]), *super().run(options[1:])]

    for figure in pieces.path_correlation(Short(), Reading(), PLAN):
        assert np.isnan(figure.value)
        assert not figure.met
    found = by_name(pieces.path_correlation(Sometimes(), Reading(), PLAN))
    assert found["path: arousal, correlation"].value > 0.9


def test_endings_and_broken_files():
    made = pieces.compose_quadrants(Composing(), PLAN)
    found = by_name(pieces.closings(made))
    assert found["endings that close"].value == 1.0
    assert found["files broken, empty or short"].value == 0
    assert found["files broken, empty or short"].met
    short = [dataclasses.replace(one, piece=dataclasses.replace(one.piece, score=one.piece.score.take_bars(0, 15)))
             for one in made[:3]]  # fmt: skip
    found = by_name(pieces.closings([*short, *made[3:]]))
    assert found["files broken, empty or short"].value == 3
    assert not found["files broken, empty or short"].met
    lost = dataclasses.replace(made[0], notes=made[0].notes.pick(np.arange(len(made[0].notes)) > 0))
    silent = dataclasses.replace(made[1], notes=made[1].notes.pick(np.zeros(len(made[1].notes), dtype=bool)))
    assert by_name(pieces.closings([lost, silent, *made[2:]]))["files broken, empty or short"].value == 2
    open_ends = by_name(pieces.closings(pieces.compose_quadrants(Composing(closing=False), PLAN)))
    assert open_ends["endings that close"].value < 0.5


def test_likeness(reference):
    made = pieces.compose_quadrants(Composing(), PLAN)
    found = by_name(pieces.likeness(made, reference, PLAN))
    more = {f"MusPy: {name.replace('_', ' ')}" for name in NAMES}
    assert set(found) == {"distance over floor", "pitch range", "pitch classes", "polyphony"} | more
    told = mean_statistics([one.piece.score for one in made])
    assert found["MusPy: groove consistency"].value == pytest.approx(told["groove_consistency"])
    assert found["MusPy: groove consistency"].real is None, "there are no real clips on the grid"
    over = found["distance over floor"]
    assert (over.note, over.real, over.at_most) == ("n 20", 1.0, 1.7)
    far = pieces.over_floor([compose("Q1", 16, n).to_notes() for n in range(24)], reference)
    assert far.ratio > over.value, "music of one quadrant is farther from music of all"
    ranges = [np.ptp(one.notes.pitch) for one in made]
    assert found["pitch range"].value == pytest.approx(np.mean(ranges))
    for name in ("pitch range", "pitch classes", "polyphony"):
        figure = found[name]
        assert (figure.at_least, figure.at_most) == pytest.approx((0.88 * figure.real, 1.12 * figure.real))


def test_copying(reference, monkeypatch):
    made, named = pieces.compose_quadrants(Composing(), PLAN), []

    def patterns(self, corpora):
        named.append(corpora)
        return index_pieces([made[0].notes])

    monkeypatch.setattr(Reference, "patterns", patterns)
    copied = pieces.copying(made, reference, PLAN)[0]
    assert 0 < copied.value < 0.5, "of all pieces one is copied"
    assert copied.at_most == copied.real
    assert named == [("pop1k7",)]
    both = pieces.copying(made, reference, dataclasses.replace(PLAN, more=("pop909",)))
    assert named[1:] == [("pop1k7",), ("pop1k7", "pop909")]
    assert [one.name for one in both] == [copied.name, "12-step patterns copied, pop909 looked through too"]
    assert both[0] == copied
