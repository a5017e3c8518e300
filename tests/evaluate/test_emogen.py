"""The table of what EmoGen shows: control of attributes and sweeps on generators whose answers are known."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from affectgen.affect import parse_affect
from affectgen.cli.evaluate import EMOGEN_DEFAULTS
from affectgen.emogen.checkpoint import load_emogen, map_of
from affectgen.emogen.generate import Piece
from affectgen.emogen.options import GUIDANCE, EmogenOptions, Override
from affectgen.emogen.vector import CORE_NAMES, FIRST_EMOGEN, NAMES
from affectgen.evaluate import emogen
from affectgen.evaluate.copying import index_pieces
from affectgen.evaluate.emogen import (
    LEVELS,
    SWEEP_BARS,
    Settings,
    ablation,
    asked_and_found,
    control,
    real_bits,
    sweeps,
)
from affectgen.evaluate.figures import Figure, Report
from affectgen.evaluate.muspy import NAMES as MUSPY
from affectgen.evaluate.pieces import QUADRANTS, Made, compose_quadrants
from affectgen.evaluate.reference import Reference
from affectgen.recognize.corpus import Labelled
from affectgen.recognize.judge import Verdict
from affectgen.score.attributes import ATTRIBUTES, VALENCE_ONLY
from affectgen.score.grid import BAR, make_grid
from affectgen.score.keys import Key
from affectgen.writing.given import affect_by_bar

K = len(NAMES)
SETTINGS = Settings(clips=2, grid=1, paths=2, sweep=2, seed=5)
THRESHOLDS = np.array([one.threshold for one in ATTRIBUTES])
MEAN = "control accuracy, mean over EmoGen's attributes"
NINE = "control accuracy, the nine that tell valence only"


def by_name(figures):
    return {figure.name: figure for figure in figures}


def made(wanted, found):
    """A piece of which only the hundred are told: whether each is above its threshold, None where not asked for."""
    rows = []
    for bits in (wanted, found):
        values = np.full((1, K), np.nan)
        for place, bit in enumerate(bits):
            if bit is not None:
                values[0, FIRST_EMOGEN + place] = THRESHOLDS[place] + (0.01 if bit else -0.01)
        rows.append(values)
    return Made(SimpleNamespace(wanted=rows[0], values=rows[1]), None)


HIGH, LOW = [True] * 100, [False] * 100


def test_bits_are_seen_where_they_were_asked_for():
    asked, found = asked_and_found([made([True, False, None, True] + [None] * 96, [True, True, None, False, *LOW[4:]])])
    assert asked.shape == found.shape == (1, 100)
    np.testing.assert_array_equal(asked[0, :4], [1, 0, np.nan, 1])
    np.testing.assert_array_equal(found[0, :4], [1, 1, np.nan, 0])
    assert (found[0, 4:] == 0).all()


def test_a_value_on_its_threshold_is_not_above_it():
    values = np.full((1, K), np.nan)
    values[0, FIRST_EMOGEN:] = THRESHOLDS
    asked, found = asked_and_found([Made(SimpleNamespace(wanted=values, values=values), None)])
    assert (asked == 0).all()
    assert (found == 0).all()


def test_control_is_the_mean_over_attributes_of_how_often_they_come():
    obedient = by_name(control([made(HIGH, HIGH), made(LOW, LOW)]))
    assert obedient[MEAN].value == obedient[NINE].value == 1.0
    assert obedient[MEAN].met
    assert obedient[MEAN].note == "100 asked for, 100% of the time; published: all, always"
    contrary = by_name(control([made(HIGH, LOW), made(LOW, HIGH)]))
    assert contrary[MEAN].value == contrary[NINE].value == 0.0
    assert not contrary[MEAN].met
    deaf = by_name(control([made(HIGH, HIGH), made(LOW, HIGH)]))
    assert deaf[MEAN].value == 0.5


def test_attributes_count_alike_however_often_they_were_asked_for():
    """The fourth comes in one of four pieces, the second in the only one that asks for it: (.25 + 1) / 2."""
    rare = [None, True, None, True, *[None] * 96]
    often = [None, None, None, True, *[None] * 96]
    pieces = [made(rare, HIGH), *[made(often, LOW)] * 3]
    figures = by_name(control(pieces))
    found = figures[MEAN]
    assert found.value == pytest.approx(0.625)
    assert figures[NINE].value == pytest.approx(0.25), "of the two the fourth alone tells valence only"
    assert found.note == f"2 asked for, {5 / 400:.0%} of the time; published: all, always"


def test_the_nine_that_tell_valence_have_their_own_figure():
    nine = [place in VALENCE_ONLY for place in range(100)]
    found = by_name(control([made(HIGH, nine)]))
    assert len(VALENCE_ONLY) == 9
    assert found[NINE].value == 1.0
    assert found[MEAN].value == pytest.approx(0.09)
    assert found[NINE].note == "9 asked for"
    published = [one.published for one in ATTRIBUTES]
    assert found[MEAN].published == pytest.approx(sum(published) / 100)
    assert found[NINE].published == pytest.approx(sum(published[place] for place in VALENCE_ONLY) / 9)


def test_what_was_never_asked_for_has_no_figure_and_no_warning():
    found = by_name(control([made([True, *[None] * 99], HIGH)]))
    assert found[MEAN].value == 1.0
    assert np.isnan(found[NINE].value)
    assert not found[NINE].met


def test_control_stands_beside_real_clips_and_exchanged_requests():
    pieces = [made(HIGH, HIGH), made(LOW, LOW)] * 10
    near = np.tile([[1.0], [1.0], [0.0], [0.0]], (5, 100))
    found = by_name(control(pieces, near, seed=3))[MEAN]
    assert (found.value, found.real) == (1.0, 0.5)
    asked = np.array([True, False] * 10)
    assert found.shuffled == np.mean(asked[np.random.default_rng(3).permutation(20)] == asked)
    assert by_name(control(pieces))[MEAN].real is None


def test_real_clips_are_drawn_near_what_was_asked(tiny_emogen):
    scaled = map_of(str(tiny_emogen)).on(load_emogen(str(tiny_emogen)).scale)
    asked = [Made(SimpleNamespace(asked=parse_affect("sad")), None)] * 40
    bits = real_bits(scaled, asked, 1)
    weight = scaled.at(parse_affect("sad")).weight
    assert bits.shape == (40, 100)
    assert set(np.unique(bits)) <= {0, 1}
    known = {row.tobytes() for row in scaled.above[weight > 1e-3].astype(float)}
    assert np.mean([row.tobytes() in known for row in bits]) > 0.9
    np.testing.assert_array_equal(bits, real_bits(scaled, asked, 1))


def test_a_piece_too_poor_to_be_measured_has_no_control():
    """Nothing of it was heard, so nothing of it came as asked: it may not count as a hit."""
    found = by_name(control([made(HIGH, HIGH), made(HIGH, [None] * 100), made(LOW, [None] * 100)]))
    assert found[MEAN].value == pytest.approx(1 / 3)


class Sweeping:
    """Stands for a Generator: measures what --set asks for, its opposite, or what chance brings."""

    def __init__(self, answer):
        self.answer, self.asked, self.rng = answer, [], np.random.default_rng(0)

    def run(self, options):
        self.asked.extend(options)
        pieces = []
        for option in options:
            override = Override.parse(option.set[0])
            achieved = self.rng.normal(size=(1, K))
            if self.answer:
                achieved[0, NAMES.index(override.name)] = self.answer * override.value
            pieces.append(SimpleNamespace(achieved=achieved))
        return pieces


def test_sweeps_of_an_obedient_generator_are_perfect():
    generator = Sweeping(1)
    median, share = sweeps(generator, SETTINGS)
    assert (median.value, share.value) == (pytest.approx(1.0), 1.0)
    assert median.met
    median, share = sweeps(Sweeping(-1), SETTINGS)
    assert (median.value, share.value) == (pytest.approx(-1.0), 0.0)


def test_sweeps_of_a_deaf_generator_are_nothing():
    median, share = sweeps(Sweeping(0), dataclasses.replace(SETTINGS, sweep=6))
    assert abs(median.value) < 0.12
    assert share.value < 0.1
    assert not median.met


def test_a_generator_that_always_does_the_same_has_no_correlation():
    class Same(Sweeping):
        def run(self, options):
            return [SimpleNamespace(achieved=np.zeros((1, K))) for _ in options]

    median, share = sweeps(Same(0), SETTINGS)
    assert (median.value, share.value) == (0, 0)


def test_the_least_obedient_attributes_are_named():
    class Partly(Sweeping):
        def run(self, options):
            pieces = []
            for option in options:
                self.answer = -1 if Override.parse(option.set[0]).name == "key_mode" else 1
                pieces += super().run([option])
            return pieces

    median, share = sweeps(Partly(1), SETTINGS)
    assert median.note.startswith("least: key_mode -1.00, ")
    assert median.value == pytest.approx(1.0)
    assert share.value == pytest.approx(1 - 1 / len(CORE_NAMES))


def test_a_sweep_asks_for_one_attribute_at_all_levels_and_no_affect():
    generator = Sweeping(1)
    sweeps(generator, SETTINGS)
    each = len(LEVELS) * SETTINGS.sweep
    assert len(generator.asked) == each * len(CORE_NAMES)
    assert {option.affect for option in generator.asked} == {None}
    assert {option.bars for option in generator.asked} == {SWEEP_BARS}
    assert len({option.seed for option in generator.asked}) == len(generator.asked)
    for number, name in enumerate(CORE_NAMES):
        own = [option.overrides[0] for option in generator.asked[each * number : each * (number + 1)]]
        assert {one.name for one in own} == {name}
        assert {one.natural for one in own} == {False}, "a level of zero has a sign too"
        assert sorted({one.value for one in own}) == sorted(LEVELS)


def test_ablations_are_named():
    assert ablation(SETTINGS) == ""
    assert ablation(dataclasses.replace(SETTINGS, guidance=GUIDANCE)) == ""
    assert ablation(dataclasses.replace(SETTINGS, mapping="paper")) == "paper mapping"
    assert ablation(dataclasses.replace(SETTINGS, guidance=1.0)) == "no guidance"
    assert ablation(dataclasses.replace(SETTINGS, best_of=1)) == "no reranking"
    assert ablation(dataclasses.replace(SETTINGS, criticised=False)) == "no critic"
    every = dataclasses.replace(SETTINGS, best_of=1, guidance=1.0, mapping="paper")
    assert ablation(every) == "paper mapping, no guidance, no reranking"
    report = Report("EmoGen", {"checkpoint": "emogen", "ablation": ablation(every)}, [Figure("a", 1.0)])
    assert report.label == "emogen, paper mapping, no guidance, no reranking"


def test_the_command_line_has_the_defaults_of_the_settings():
    assert {name: getattr(Settings(), name) for name in EMOGEN_DEFAULTS} == EMOGEN_DEFAULTS
    others = {field.name for field in dataclasses.fields(Settings)} - set(EMOGEN_DEFAULTS)
    assert others == {"best_of", "mapping", "guidance", "criticised", "quick"}
    assert Settings().criticised
    assert Settings().best_of == EmogenOptions.best_of
    assert Settings().mapping == EmogenOptions.mapping


def test_settings_reach_the_options():
    plain = emogen.options(SETTINGS, "Q1", 3, 16)
    assert plain == EmogenOptions("Q1", 3, bars=16), "all else as generate has it"
    other = emogen.options(Settings(best_of=2, mapping="paper", guidance=0.0), "Q1", 3, 8)
    assert (other.best_of, other.mapping, other.guidance, other.bars) == (2, "paper", 0.0, 8)
    assert SETTINGS.plan.ask("Q2", 7, 16) == EmogenOptions("Q2", 7, bars=16)
    assert (SETTINGS.plan.clips, SETTINGS.plan.grid, SETTINGS.plan.paths, SETTINGS.plan.seed) == (2, 1, 2, 5)


def compose(affect, bars, seed):
    """A piece in C whose bars rise with valence and grow louder with arousal, and that ends on a held chord."""
    rng = np.random.default_rng(seed)
    rows = []
    for bar, (valence, arousal) in enumerate(affect_by_bar(affect if affect is not None else "0,0", bars)):
        for step in range(8 if bar < bars - 1 else 4):
            pitch, loud = 60 + 20 * valence + rng.integers(-3, 4), 70 + 50 * arousal + rng.integers(-4, 5)
            rows.append((BAR * bar + 2 * step, 2, int(pitch), int(loud)))
    rows += [(BAR * bars - 8, 8, pitch, 70) for pitch in (48, 52, 55)]
    return make_grid(np.array(rows), np.full(4 * bars, 100.0), (None,) * (4 * bars), Key(0, 0))


class Obedient:
    """Stands for a Generator: does what is asked, affect or attribute; of the hundred it hits the lower half."""

    def run(self, options):
        return [self._piece(option) for option in options]

    def _piece(self, option):
        score = compose(option.affect, option.bars, option.seed)
        wanted, values, achieved = np.full((1, K), np.nan), np.full((1, K), np.nan), np.zeros((1, K))
        wanted[0, FIRST_EMOGEN:] = THRESHOLDS + 1
        values[0, FIRST_EMOGEN:] = THRESHOLDS + np.where(np.arange(100) < 50, 1, -1)
        for override in option.overrides:
            achieved[0, NAMES.index(override.name)] = override.value
        asked = None if option.affect is None else parse_affect(option.affect)
        return Piece(score, score.bars, None, asked, np.zeros(2), None, achieved=achieved, wanted=wanted, values=values)


class Reading:
    """Stands for a Judge: reads valence off the pitch and arousal off the velocity."""

    figures = {"quadrants": 0.6, "arousal": 0.87, "valence": 0.69}  # noqa: RUF012

    def judge(self, pieces):
        points = np.array([[np.median(piece.pitch) - 60, np.median(piece.velocity) - 70] for piece in pieces])
        high, pleasant = points[:, 1] > 0, points[:, 0] > 0
        quadrant = np.where(high, np.where(pleasant, 0, 1), np.where(pleasant, 3, 2))
        return Verdict(np.tanh(points / 20), np.eye(4)[quadrant])


@pytest.fixture
def measured(monkeypatch, tiny_emogen, tmp_path):
    """run(settings): the whole report, with stand-ins for generator, judge and real music."""

    def clip(number):
        notes = compose(QUADRANTS[number % 4], 8, 900 + number).to_notes()
        return Labelled(f"clip{number}", f"song{number}", "train", number % 4, (0.0, 0.0), True, notes)

    reference = Reference([clip(n) for n in range(40)], [clip(n) for n in range(100, 120)], tmp_path)
    looked = []

    def patterns(self, corpora):
        looked.append(corpora)
        return index_pieces([one.notes for one in self.train])

    monkeypatch.setattr(emogen, "load_reference", lambda data: reference)
    monkeypatch.setattr(emogen, "load_judge", Reading)
    monkeypatch.setattr("affectgen.emogen.build.Generator", lambda composer, emotions, critic: Obedient())
    monkeypatch.setattr(Reference, "patterns", patterns)

    def run(settings):
        said = []
        report = emogen.run(str(tiny_emogen), None, "cpu", said.append, settings)
        return report, said, looked

    return run


def test_the_report_holds_every_figure(measured):
    report, said, looked = measured(dataclasses.replace(SETTINGS, clips=5))
    found = by_name(report.figures)
    assert found[MEAN].value == pytest.approx(0.5)
    assert found["judge: quadrants"].value == 1.0
    assert found["grid: arousal, Spearman"].value > 0.95
    assert found["path: arousal, correlation"].value > 0.9
    assert found["endings that close"].value == 1.0
    assert found["sweeps: core attributes with at least .5"].value == 1.0
    assert {"distance over floor", "12-step patterns copied", "polyphony", NINE} <= set(found)
    assert len(found) == 2 + 3 + 4 + len(MUSPY) + 2 + 2 + 2 + 2 + 2
    assert looked == [("pop1k7",), ("pop1k7", "pop909")], "of all that it learned from, nothing may be copied"
    assert report.settings["checkpoint"] == "tiny"
    assert report.settings["guidance"] == GUIDANCE
    assert "ablation" not in report.settings
    assert report.training["model"]["dim"] == 16
    assert len(said) == 4
    assert "| affects shuffled | real music | published |" in report.to_table()
    assert len(json.loads(json.dumps(report.to_json(), allow_nan=False))["figures"]) == len(found)


def test_parts_can_be_left_out_and_ablations_are_labelled(measured):
    settings = Settings(clips=5, grid=0, paths=0, sweep=0, guidance=1.0, best_of=1, mapping="paper")
    report, said, _ = measured(settings)
    assert report.label == "tiny, paper mapping, no guidance, no reranking"
    assert not [figure.name for figure in report.figures if figure.name.startswith(("grid", "path", "sweep"))]
    assert len(said) == 1
    assert (report.settings["best of"], report.settings["mapping"], report.settings["guidance"]) == (1, "paper", 1.0)


def test_clips_are_composed_of_each_quadrant_in_turn():
    asked = []

    class Noting(Obedient):
        def run(self, options):
            asked.extend(options)
            return super().run(options)

    pieces = compose_quadrants(Noting(), SETTINGS.plan)
    assert [option.affect for option in asked] == ["Q1", "Q2", "Q3", "Q4"] * 2
    assert [option.seed for option in asked] == list(range(5, 13))
    assert control(pieces)[0].value == pytest.approx(0.5)
