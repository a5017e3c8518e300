"""The table of speech: every bar is in it, measured or not, and each figure comes from where it should."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import AffectgenError
from affectgen.evaluate import speech, speech_rows
from affectgen.evaluate.conversions import TARGETS, Conversions, Item, Outcome
from affectgen.evaluate.corrections import CorrectionFigures, CorrectionRow
from affectgen.evaluate.edits import EditFigures
from affectgen.evaluate.figures import Report
from affectgen.evaluate.speech_rows import BARS
from affectgen.evaluate.word_times import WordTimes
from affectgen.recognize.speech_corpus import CORPORA, LABELS, Clip

VERIFIER = {
    corpus: {"equal error, clip against voice": 0.08, "the same, neutral clips": 0.02} for corpus in CORPORA
}  # fmt: skip


def named(figures):
    return {figure.name: figure for figure in figures}


def made_conversions():
    outcomes = []
    for corpus in CORPORA:
        clip = Clip("one", corpus, f"{corpus}/x", "f", "neutral", np.zeros(7), np.zeros(2), Path())
        for target in TARGETS:
            heard = {"retrieved": target, "dreamt": "fear", "rules": "anger", "natural": target, "untouched": "neutral"}
            for method, label in heard.items():
                shares = np.eye(7)[LABELS.index(label)]
                voice = np.eye(2)[int(method == "retrieved" and target == "fear")]
                outcomes.append(Outcome(Item(clip, method, target, Path()), shares, shares, voice))
    voices = {corpus: ((f"{corpus}/x", f"{corpus}/y"), np.eye(2)) for corpus in CORPORA}
    factor = {"retrieved": 0.2, "rules": 0.1, "dreamt": 0.3}
    return Conversions(tuple(outcomes), voices, factor, {"learned": "no such method here"})


def test_conversions_stand_beside_rules_and_natural_speech():
    found = named(speech_rows.convert_rows(made_conversions(), "retrieved", VERIFIER))
    hits = found[speech_rows.HITS]
    assert (hits.value, hits.baseline, hits.real, hits.met) == (1.0, 0.25, 1.0, True)
    assert hits.shuffled is not None
    assert hits.shuffled < 1
    assert "retrieved, 8 recordings" in hits.note
    assert found[f"{speech_rows.HITS}, untouched"].value == 0
    assert found[speech_rows.KEPT].value == 0.75
    assert found[speech_rows.KEPT].real == 1
    assert found[speech_rows.KEPT].met is False
    assert found[speech_rows.ERROR].value == 0.08
    assert found[speech_rows.CONVERT_TIME].value == 0.2
    assert found[f"{speech_rows.HITS}, dreamt"].value == 0.25
    assert found[f"{speech_rows.JOY}, dreamt"].value == 0
    assert found[f"{speech_rows.KEPT}, dreamt"].value == 1
    missing = found[f"{speech_rows.HITS}, learned"]
    assert math.isnan(missing.value)
    assert "no such method" in missing.note


def test_edits_and_corrections_and_alignment():
    edits = EditFigures(
        30, 28, 12, distance=5.5, repetition=5.0, step=1.2, natural=0.9, picked=0.97, outside=3, factor=0.4
    )
    found = named(speech_rows.edit_rows(edits, "a voice"))
    assert found[speech_rows.RATIO].value == pytest.approx(1.1)
    assert found[speech_rows.STEP].value == pytest.approx(0.3)
    assert found[speech_rows.OUTSIDE].met is False
    row, before, rules = (
        CorrectionRow(error=error, rms=error + 1, every=error + 2, step=1.0, distance=6.0) for error in (2.5, 6.3, 5.0)
    )
    rows = {"both": row, "uncorrected": before, "rules": rules, "context": row}
    found = named(speech_rows.correct_rows(CorrectionFigures(40, 12, rows, 2.6)))
    pitch = found[speech_rows.PITCH]
    assert (pitch.value, pitch.baseline, pitch.met) == (2.5, 5, True)
    assert found[f"{speech_rows.PITCH}, uncorrected"].value == 6.3
    assert found[f"{speech_rows.PITCH}, with such frames, uncorrected"].value == 8.3
    found = named(speech_rows.align_rows(WordTimes(0.012, 0.96, {"flite slt": (0.011, 0.97)}, 300)))
    assert (found[speech_rows.MEDIAN].value, found[speech_rows.MEDIAN].met) == (12, True)
    assert found[f"{speech_rows.NEAR}, flite slt"].value == 0.97


@pytest.mark.parametrize("error", [AffectgenError("Nothing says words.", "Install it."), ImportError("no module x")])
def test_what_cannot_be_measured_keeps_its_bars(tmp_path, monkeypatch, error):
    def fails(*words, **more):
        raise error

    for name in ("aligned", "edited", "converted", "corrected"):
        monkeypatch.setattr(speech_rows, name, fails)
    told = []
    report = speech.run(tmp_path, speech.Settings(quick=True), 1, told.append)
    wanted = [bar.name for part in speech.PARTS for bar in BARS[part]]
    assert [figure.name for figure in report.figures] == wanted
    assert all(figure.met is False for figure in report.figures)
    assert all(figure.note.startswith("not measured: ") for figure in report.figures)
    assert "not measured" in report.to_table()
    assert any("edit: not measured" in line for line in told)


def test_parts_that_were_not_asked_for_are_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(speech_rows, "aligned", lambda quick: list(BARS["align"]))
    report = speech.run(tmp_path, speech.Settings(parts=("align",)), 1, lambda line: None)
    assert [figure.name for figure in report.figures] == [bar.name for bar in BARS["align"]]


def test_the_heads_survive_the_report_file():
    report = Report("Speech", {"seed": 0}, speech_rows.convert_rows(made_conversions(), "retrieved", VERIFIER),
                    heads=speech.HEADS)  # fmt: skip
    again = Report.from_json(report.to_json())
    head = "| figure | Speech | bar | met | affects shuffled | MARY's rules | natural speech |"
    assert again.to_table().splitlines()[4] == report.to_table().splitlines()[4] == head


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(AffectgenError, match="is not there"):
        speech.run(tmp_path / "no", speech.Settings(), 1, lambda line: None)
