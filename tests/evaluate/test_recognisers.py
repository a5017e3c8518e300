"""The recognisers' table: every figure is there, from the shipped models, with its bar."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from affectgen.cli.evaluate import KINDS
from affectgen.errors import AffectgenError
from affectgen.evaluate import recognisers
from affectgen.evaluate.figures import Report
from affectgen.nn.checkpoint import load_checkpoint
from affectgen.recognize import text_evaluate


def test_every_row_stands_in_a_shipped_model() -> None:
    report = stored()
    assert len({figure.name for figure in report.figures}) == len(recognisers.rows()) == len(report.figures)
    assert all(math.isfinite(figure.value) for figure in report.figures)
    for kind in ("MIDI", "music", "speech", "text"):
        assert any(figure.name.startswith(kind) and figure.at_least is not None for figure in report.figures)


def test_the_bars_are_those_of_the_issue() -> None:
    bars = {figure.name: figure.at_least for figure in stored().figures if figure.at_most is None}
    assert bars["MIDI: arousal"] == 0.90
    assert bars["speech, EMO-DB: UAR with a neutral clip"] == 0.80
    assert bars["text, EmoBank test: r valence"] == 0.66
    plain = {figure.name: figure.baseline for figure in stored().figures if figure.baseline is not None}
    assert plain["speech, EMO-DB: UAR of 7 from one file"] == 0.693
    assert all(plain[name] < bars[name] for name in plain), "the bars are above plain methods"


def test_a_figure_is_the_one_in_the_config() -> None:
    wanted = load_checkpoint("speech-recogniser").config["figures"]["emo_db"]["uar"]
    found = {figure.name: figure.value for figure in stored().figures}
    assert found["speech, EMO-DB: UAR of 7 from one file"] == wanted


def test_a_row_that_no_fit_left_is_an_error() -> None:
    with pytest.raises(KeyError):
        recognisers._found({"a": {"b": 1}}, recognisers.Row("x", "y", ("a", "c")))


def test_the_command_prints_and_writes_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Results\n\n<!-- recognisers:begin -->\n<!-- recognisers:end -->\n")
    told = command("--write", str(page))
    assert len(json.loads(told.stdout)["figures"]) == len(recognisers.rows())
    assert "| MIDI: arousal" in told.stderr
    assert "speech, EMO-DB" in page.read_text()


def test_a_kind_is_measured_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "emobank.csv").write_text("")
    figures = {**load_checkpoint("text-recogniser").config["figures"], "emobank_r_valence": 0.125}
    monkeypatch.setattr(text_evaluate, "measure", lambda data: figures)
    said: list[str] = []
    report = recognisers.run(tmp_path, ("text",), None, False, said.append)
    assert {figure.name.partition(",")[0] for figure in report.figures} == {"text"}
    assert {figure.name: figure.value for figure in report.figures}["text, EmoBank test: r valence"] == 0.125
    assert report.settings["measured"] == "text-recogniser"
    assert said == ["measuring the recogniser of text"]
    del figures["goemotions_macro_f1"]
    assert len(recognisers.run(tmp_path, ("text",), None, True, said.append).figures) == len(report.figures) - 1
    with pytest.raises(KeyError):
        recognisers.run(tmp_path, ("text",), None, False, said.append)
    with pytest.raises(AffectgenError, match=r"has no emo_db/manifest\.csv"):
        recognisers.run(tmp_path, ("speech",), None, False, said.append)


def stored() -> Report:
    """The table from the figures in the shipped checkpoints."""
    return recognisers.run(None, KINDS, None, False, str)


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """`affectgen evaluate recognisers`, in a process of its own."""
    line = [sys.executable, "-m", "affectgen", "evaluate", "recognisers", *words]
    return subprocess.run(line, capture_output=True, text=True, check=True, timeout=60)
