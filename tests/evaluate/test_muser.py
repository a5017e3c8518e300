"""The table of what MusER shows, figure by figure, on composers whose answers are known."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

from affectgen.affect import parse_affect
from affectgen.evaluate import muser, muser_latents
from affectgen.evaluate.copying import index_pieces
from affectgen.evaluate.muser import Settings
from affectgen.evaluate.muspy import NAMES
from affectgen.evaluate.pieces import QUADRANTS
from affectgen.evaluate.reference import Reference
from affectgen.muser.compose import Composer
from affectgen.muser.config import MuserConfig
from affectgen.muser.generate import Piece
from affectgen.muser.model import Muser
from affectgen.muser.prior import Prior
from affectgen.recognize.corpus import Labelled
from affectgen.recognize.judge import Verdict
from affectgen.score.grid import BAR, make_grid
from affectgen.score.keys import Key
from affectgen.score.midi import write_midi
from affectgen.writing.given import affect_by_bar
from affectgen.writing.options import ELEMENTS

SETTINGS = Settings(clips=6, grid=1, paths=6, pairs=7, reconstructions=2, seed=5)
CONFIG = MuserConfig(
    dim=16, layers=1, heads=2, condition=16, slice_dim=4, bar_codes=8, word_codes=(4, 8, 8, 8, 8, 8, 8), encoder_dim=8,
    prior_dim=16, prior_layers=1, prior_heads=2,
)  # fmt: skip


def compose(affect, bars, seed):
    """A piece in C whose bars rise with valence and grow louder with arousal, and that ends on a held chord."""
    rng = np.random.default_rng(seed)
    rows = [(BAR * bars - 8, 8, pitch, 70) for pitch in (48, 52, 55)]
    for bar, (valence, arousal) in enumerate(affect_by_bar(affect, bars)):
        for step in range(8 if bar < bars - 1 else 4):
            pitch, loud = 60 + 20 * valence + rng.integers(-3, 4), 70 + 50 * arousal + rng.integers(-4, 5)
            rows.append((BAR * bar + 2 * step, 2, int(pitch), int(loud)))
    return make_grid(np.array(rows), np.full(4 * bars, 100.0), (None,) * (4 * bars), Key(0, 0))


class Composing:
    """Stands for a Generator: does what is asked, and notes it."""

    def __init__(self):
        self.asked = []

    def run(self, options):
        self.asked.extend(options)
        return [Piece(compose(option.affect, option.bars, option.seed), option.bars, None, parse_affect(option.affect),
                      np.zeros(2), None) for option in options]  # fmt: skip


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


def test_the_report_holds_every_figure(reference, composer, monkeypatch):
    said = []
    monkeypatch.setattr(muser, "load_reference", lambda data: reference)
    monkeypatch.setattr(muser, "load_judge", Reading)
    monkeypatch.setattr(muser, "load_writer", lambda checkpoint, device: composer)
    generator = Composing()
    monkeypatch.setattr(muser, "Generator", lambda composer: generator)
    monkeypatch.setattr(muser_latents, "figures", lambda *args: [])
    monkeypatch.setattr(Reference, "patterns", lambda self, corpora: index_pieces([clip.notes for clip in self.train]))
    report = muser.run(None, 5, None, 40, "cpu", said.append, SETTINGS)
    assert len(report.figures) == 3 + 4 + len(NAMES) + 2 + 1 + 2 + 2
    assert report.settings["clips a quadrant"] == 5
    assert report.settings["seeds from"] == 40
    assert report.to_table().count("\n| ") == 2 + len(report.figures)
    assert len(json.loads(json.dumps(report.to_json(), allow_nan=False))["figures"]) == len(report.figures)
    assert said
    assert len(generator.asked) == 4 * 5 + 81 + 6
    assert [option.seed for option in generator.asked[:20]] == list(range(40, 60))
    judged = [figure for figure in report.figures if figure.name.startswith("judge")]
    assert {figure.name.split()[1]: figure.at_least for figure in judged} == muser.BARS.judge


def test_settings_reach_the_options():
    plain = muser.options(SETTINGS, "Q1", 3, 16)
    assert (plain.affect, plain.seed, plain.bars, plain.best_of) == ("Q1", 3, 16, 1)
    other = muser.options(dataclasses.replace(SETTINGS, guidance=3.5, best_of=4), "Q1", 3, 16)
    assert (other.guidance, other.best_of) == (3.5, 4)
    assert plain.guidance != 3.5
    assert SETTINGS.plan.ask("Q1", 3, 16) == plain
    assert (SETTINGS.plan.clips, SETTINGS.plan.seed, SETTINGS.plan.bars) == (6, 5, muser.BARS)


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
