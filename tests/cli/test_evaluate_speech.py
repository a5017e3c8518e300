"""`affectgen evaluate speech`: what it passes on, and what it refuses. The measurements have their own tests."""

from __future__ import annotations

import json

import pytest

from affectgen.cli import evaluate_speech
from affectgen.evaluate import speech
from affectgen.evaluate.figures import Figure, Report


@pytest.fixture
def asked(monkeypatch):
    """What `run` is called with, in place of the measurements."""
    calls = []

    def run(data, settings, jobs, say):
        calls.append((data, settings, jobs))
        figures = [Figure("convert: hits", 0.6, at_least=0.55, real=0.5)]
        return Report("Speech", {"seed": 1000}, figures, heads=speech.HEADS)

    monkeypatch.setattr(speech, "run", run)
    return calls


def test_the_defaults_are_those_of_the_settings(shell, asked):
    done = shell("evaluate", "speech", "--data", "d")
    assert done.returncode == 0, done.stderr
    data, settings, _ = asked[0]
    assert str(data) == "d"
    assert settings == speech.Settings()
    assert all(getattr(settings, name) == value for name, value in evaluate_speech.SPEECH_DEFAULTS.items())
    assert evaluate_speech.PARTS == speech.PARTS
    assert b"| figure | Speech | bar | met | natural speech |" in done.stderr
    assert json.loads(done.stdout)["figures"][0]["met"] is True


def test_options_are_passed_on_and_quick_takes_few(shell, asked):
    done = shell("evaluate", "speech", "--data", "d", "--quick", "--words", "7", "--only", "edit,align", "--jobs", "3")
    assert done.returncode == 0, done.stderr
    _, settings, jobs = asked[0]
    assert (settings.words, settings.sources, settings.parts) == (7, 1, ("edit", "align"))
    assert (jobs, settings.quick) == (3, True)


def test_a_report_is_shown_again_and_written_into_a_page(shell, asked):
    assert shell("evaluate", "speech", "--data", "d", "-o", "report.json").returncode == 0
    done = shell("evaluate", "speech", "--saved", "report.json", "--write", "page.md")
    assert done.returncode == 0, done.stderr
    assert len(asked) == 1
    page = (shell.folder / "page.md").read_text()
    assert "<!-- speech:begin -->" in page
    assert "| convert: hits | 0.600 | >= 0.55 | yes | 0.500 |" in page


@pytest.mark.parametrize(("words", "told"), [
    ((), b"without recordings"),
    (("--data", "d", "--only", "sing"), b"'sing'"),
    (("--data", "d", "--quick", "--write", "page.md"), b"--quick"),
])  # fmt: skip
def test_what_cannot_be_asked(shell, asked, words, told):
    done = shell("evaluate", "speech", *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert not asked


def test_a_folder_that_is_not_there(shell):
    done = shell.alone("evaluate", "speech", "--data", "no", "--only", "correct")
    assert done.returncode == 1
    assert b"no is not there" in done.stderr
    assert b"Traceback" not in done.stderr
