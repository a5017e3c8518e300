"""The table of what MusER shows, figure by figure, on composers whose answers are known."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from affectgen.affect import AffectPath, parse_affect
from affectgen.errors import AffectgenError
from affectgen.evaluate import muser, muser_latents
from affectgen.evaluate.copying import index_pieces
from affectgen.evaluate.muser import QUADRANTS, Settings
from affectgen.evaluate.reference import Reference, load_reference
from affectgen.muser.compose import Composer
from affectgen.muser.config import MuserConfig
from affectgen.muser.generate import Piece
from affectgen.muser.model import Muser
from affectgen.muser.options import ELEMENTS
from affectgen.muser.prior import Prior
from affectgen.muser.requests import affect_by_bar
from affectgen.recognize.corpus import Labelled
from affectgen.recognize.judge import Verdict
from affectgen.score.grid import BAR, make_grid
from affectgen.score.keys import Key
from affectgen.score.midi import write_midi

SETTINGS = Settings(clips=6, grid=1, paths=6, pairs=7, reconstructions=2, seed=5)
CONFIG = MuserConfig(
    dim=16, layers=1, heads=2, condition=16, slice_dim=4, bar_codes=8, word_codes=(4, 8, 8, 8, 8, 8, 8), encoder_dim=8,
    prior_dim=16, prior_layers=1, prior_heads=2,
)  # fmt: skip


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
    """Stands for a Generator: does what is asked, or, if deaf, always the same."""

    def __init__(self, deaf=False, closing=True):
        self.deaf, self.closing, self.asked = deaf, closing, []

    def run(self, options):
        self.asked.extend(options)
        return [self._piece(option) for option in options]

    def _piece(self, option):
        affect = "0.5,0.5" if self.deaf else option.affect
        score = compose(affect, option.bars, option.seed, self.closing)
        return Piece(score, score.bars, None, parse_affect(option.affect), np.zeros(2), None, None, 1.0, 0, 1)


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
    """Forty training and twenty validation clips, some of the latter with beat files."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "emopia" / "beat").mkdir(parents=True)
    train, val = [labelled(n, n % 4) for n in range(40)], [labelled(n, n % 4) for n in range(100, 120)]
    for number, clip in enumerate(val[:16]):
        path = folder / "emopia" / "beat" / f"{clip.name}.mid"
        path.write_bytes(write_midi(compose(QUADRANTS[number % 4], 4, number)))
    return Reference(train, val, folder)


@pytest.fixture(scope="module")
def composer():
    torch.manual_seed(0)
    return Composer(Muser(CONFIG).eval(), Prior(CONFIG).eval(), CONFIG, "tiny", "0" * 64)


def test_a_composer_that_does_what_is_asked_has_every_accuracy():
    generator = Composing()
    made = muser.compose_quadrants(generator, SETTINGS)
    assert [option.affect for option in generator.asked[:5]] == ["Q1", "Q2", "Q3", "Q4", "Q1"]
    assert [option.seed for option in generator.asked] == list(range(5, 29))
    assert {option.bars for option in generator.asked} == {16}
    found = by_name(muser.accuracy(made, Reading(), SETTINGS))
    assert [found[f"judge: {name}"].value for name in ("quadrants", "arousal", "valence")] == [1.0, 1.0, 1.0]
    assert [figure.real for figure in found.values()] == [0.6, 0.87, 0.69]


def test_a_deaf_composer_has_a_quarter():
    found = by_name(muser.accuracy(muser.compose_quadrants(Composing(deaf=True), SETTINGS), Reading(), SETTINGS))
    assert [found[f"judge: {name}"].value for name in ("quadrants", "arousal", "valence")] == [0.25, 0.5, 0.5]
    assert not any(figure.met for figure in found.values())


def test_correlations_over_the_grid():
    found = by_name(muser.grid_correlations(Composing(), Reading(), SETTINGS))
    assert len(found) == 2
    for name in ("valence", "arousal"):
        assert found[f"grid: {name}, Spearman"].value > 0.95
        assert abs(found[f"grid: {name}, Spearman"].shuffled) < 0.35
    deaf = by_name(muser.grid_correlations(Composing(deaf=True), Reading(), SETTINGS))
    assert abs(deaf["grid: arousal, Spearman"].value) < 0.35


def test_the_grid_is_asked_evenly():
    generator = Composing()
    muser.grid_correlations(generator, Reading(), dataclasses.replace(SETTINGS, grid=2))
    points = [parse_affect(option.affect) for option in generator.asked]
    assert len(points) == 162
    assert len({(point.valence, point.arousal) for point in points}) == 81
    assert max(abs(point.valence) for point in points) == pytest.approx(0.8)
    assert len({option.seed for option in generator.asked}) == 162


def test_correlation_along_paths():
    generator = Composing()
    found = by_name(muser.path_correlation(generator, Reading(), SETTINGS))
    assert found["path: arousal, correlation"].value > 0.9
    assert found["path: valence, correlation"].value > 0.9
    assert {option.bars for option in generator.asked} == {32}
    assert all(isinstance(parse_affect(option.affect), AffectPath) for option in generator.asked)
    deaf = by_name(muser.path_correlation(Composing(deaf=True), Reading(), SETTINGS))
    assert abs(deaf["path: arousal, correlation"].value) < 0.5


def test_a_piece_that_ends_too_soon_tells_nothing_of_its_path():
    class Short(Composing):
        def run(self, options):
            return super().run([dataclasses.replace(option, bars=3) for option in options])

    class Sometimes(Composing):
        def run(self, options):
            return [*Short().run(options[:1]), *super().run(options[1:])]

    for figure in muser.path_correlation(Short(), Reading(), SETTINGS):
        assert np.isnan(figure.value)
        assert not figure.met
    found = by_name(muser.path_correlation(Sometimes(), Reading(), SETTINGS))
    assert found["path: arousal, correlation"].value > 0.9


def test_endings_and_broken_files():
    made = muser.compose_quadrants(Composing(), SETTINGS)
    found = by_name(muser.closings(made))
    assert found["endings that close"].value == 1.0
    assert found["files broken, empty or short"].value == 0
    assert found["files broken, empty or short"].met
    short = [dataclasses.replace(one, piece=dataclasses.replace(one.piece, score=one.piece.score.take_bars(0, 15)))
             for one in made[:3]]  # fmt: skip
    found = by_name(muser.closings([*short, *made[3:]]))
    assert found["files broken, empty or short"].value == 3
    assert not found["files broken, empty or short"].met
    open_ends = by_name(muser.closings(muser.compose_quadrants(Composing(closing=False), SETTINGS)))
    assert open_ends["endings that close"].value < 0.5


def test_likeness_and_copying(reference, monkeypatch):
    made = muser.compose_quadrants(Composing(), SETTINGS)
    found = by_name(muser.likeness(made, reference))
    assert set(found) == {"distance over floor", "pitch range", "pitch classes", "polyphony"}
    over = found["distance over floor"]
    assert (over.note, over.real) == ("n 20", 1.0)
    far = muser.over_floor([compose("Q1", 16, n).to_notes() for n in range(24)], reference)
    assert far.ratio > over.value, "music of one quadrant is farther from music of all"
    ranges = [np.ptp(one.notes.pitch) for one in made]
    assert found["pitch range"].value == pytest.approx(np.mean(ranges))
    monkeypatch.setattr(Reference, "patterns", lambda self: index_pieces([made[0].notes]))
    copied = muser.copying(made, reference)[0]
    assert 0 < copied.value < 0.5, "of all pieces one is copied"
    assert copied.at_most == copied.real


def test_the_report_holds_every_figure(reference, composer, monkeypatch):
    said = []
    monkeypatch.setattr(muser, "load_reference", lambda data: reference)
    monkeypatch.setattr(muser, "load_judge", Reading)
    monkeypatch.setattr(muser, "load_writer", lambda checkpoint, device: composer)
    monkeypatch.setattr(muser, "Generator", lambda composer: Composing())
    monkeypatch.setattr(muser_latents, "figures", lambda *args: [])
    monkeypatch.setattr(Reference, "patterns", lambda self: index_pieces([clip.notes for clip in self.train]))
    report = muser.run(None, 5, None, 40, "cpu", said.append, SETTINGS)
    assert len(report.figures) == 3 + 4 + 2 + 1 + 2 + 2
    assert report.settings["clips a quadrant"] == 5
    assert report.settings["seeds from"] == 40
    assert report.to_table().count("\n| ") == 2 + 14
    assert len(json.loads(json.dumps(report.to_json(), allow_nan=False))["figures"]) == 14
    assert said


def test_settings_reach_the_options():
    plain = muser.options(SETTINGS, "Q1", 3, 16)
    assert (plain.affect, plain.seed, plain.bars, plain.best_of) == ("Q1", 3, 16, 1)
    other = muser.options(dataclasses.replace(SETTINGS, guidance=3.5, best_of=4), "Q1", 3, 16)
    assert (other.guidance, other.best_of) == (3.5, 4)
    assert plain.guidance != 3.5


def test_latents_are_measured_on_unseen_clips(reference, composer):
    scores = muser_latents.unseen(reference, 6)
    assert len(scores) == 6
    assert all(score.bars <= muser_latents.BARS for score in scores)
    moved = muser_latents.transfers(composer, scores, 7, seed=1)
    assert moved.pairs == 7
    assert set(moved.by_element) == set(ELEMENTS)
    assert 0 <= moved.right <= 1
    assert 0 <= moved.still <= 1
    assert moved == muser_latents.transfers(composer, scores, 7, seed=1)
    assert muser_latents.kept_identical(composer, scores[:2], 3) == 1.0


def test_latent_figures_are_figures(reference, composer, monkeypatch):
    monkeypatch.setattr(muser_latents, "kept_identical", lambda *args: 1.0)
    monkeypatch.setattr(muser_latents, "transfers",
                        lambda *args: muser_latents.Transfers(0.9, 0.7, 7, {"pitch": 1.0}))  # fmt: skip
    found = by_name(muser_latents.figures(composer, reference, 2, 7, 0))
    assert found["codebooks in use, bars"].value == pytest.approx(float(composer.model.bar_books.usage().mean()))
    assert found["transfer: moved element goes the right way"].met
    assert not found["transfer: other elements still (< 0.3 sd)"].met
    assert 0 <= found["reconstruction, note F1, unseen songs"].value <= 1


def test_pairs_differ_where_they_can():
    rng = np.random.default_rng(0)
    values = np.array([0.0, 0.1, 0.2, 3.0])
    for _ in range(20):
        source, donor = muser_latents._pair(values, rng)
        assert abs(values[source] - values[donor]) >= muser_latents.LEAST_GAP
    close = np.array([0.0, 0.1, 0.3])
    assert set(muser_latents._pair(close, rng)) == {0, 2}, "the two that differ most"


def test_real_music_that_is_not_there(tmp_path):
    with pytest.raises(AffectgenError, match=r"no emopia/clips\.csv") as caught:
        load_reference(tmp_path)
    assert caught.value.hint
