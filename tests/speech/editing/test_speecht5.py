"""New words by SpeechT5: tiny random weights of the published format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_speecht5 import DIM, write_weights

from affectgen.errors import AffectgenError, CheckpointError
from affectgen.speech.editing import speecht5
from affectgen.speech.editing.engines import load_engine

pytest.importorskip("transformers")
pytest.importorskip("sentencepiece")
torch = pytest.importorskip("torch")

@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("speecht5")
    write_weights(folder)
    return folder


@pytest.fixture
def named(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weights, named in the environment."""
    monkeypatch.setenv(speecht5.MODEL, str(weights / "tts"))
    monkeypatch.setenv(speecht5.VOCODER, str(weights / "vocoder"))
    monkeypatch.setenv(speecht5.VOICE, str(weights / "voice.npy"))
    return weights


def test_it_speaks_and_repeats_itself(named: Path) -> None:
    engine = speecht5.load()
    assert engine.name == load_engine("speecht5").name == "speecht5, tts"
    voices = [speecht5.SpeechT5Voice(**engine.parts, voice=engine.voice, seed=seed) for seed in (3, 3, 4)]
    said = [voice.say("the quick fox", 120.0) for voice in voices]
    assert said[0].rate == 16_000
    assert len(said[0].samples) > 1000
    assert np.array_equal(said[0].samples, said[1].samples)
    assert len(said[0].samples) != len(said[2].samples) or not np.array_equal(said[0].samples, said[2].samples)


def test_a_long_text_is_said_or_refused_in_a_sentence(named: Path) -> None:
    engine = speecht5.load()
    voice = speecht5.SpeechT5Voice(**engine.parts, voice=engine.voice, seed=3)
    most, frames = engine.parts["model"].config.max_text_positions, engine.parts["model"].config.max_speech_positions
    with torch.no_grad():
        engine.parts["model"].speech_decoder_postnet.prob_out.bias.fill_(-99.0)  # it never stops by itself
    said = voice.say("a" * (most - 10), 120.0)
    assert len(said.samples) <= 2 * 256 * frames
    with pytest.raises(AffectgenError, match=rf"letters are to be said; SpeechT5 takes {most} at once"):
        voice.say("a" * (most + 10), 120.0)


def test_it_fills_an_edit(named: Path) -> None:
    from affectgen.speech.aligning.align import Aligner
    from affectgen.speech.editing.differ import edits_between
    from affectgen.speech.editing.engines import Request, checked_fillings
    from affectgen.speech.editing.espeak import library_there, synthesise

    if not library_there():
        pytest.skip("espeakng-loader is not installed")
    old, new = "The quick fox is over there.", "The lazy fox is over there."
    spoken = synthesise(old, "en-us+f2")
    aligned = Aligner().unchecked().align(spoken.samples, spoken.rate, old)
    edits = tuple(edits_between(aligned, old, new))
    request = Request(spoken.samples, spoken.rate, aligned, old, new, edits, seed=5)
    engine = load_engine("speecht5")
    first, second = (checked_fillings(engine.fill(request), request)[0] for _ in range(2))
    assert np.array_equal(first.samples, second.samples)
    assert [word.text for word in first.words] == ["lazy"]


def test_a_draw_elsewhere_is_not_disturbed(named: Path) -> None:
    engine = speecht5.load()
    torch.manual_seed(7)
    first = torch.rand(3)
    torch.manual_seed(7)
    speecht5.SpeechT5Voice(**engine.parts, voice=engine.voice, seed=3).say("a dog", 120.0)
    assert torch.equal(torch.rand(3), first)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (speecht5.VOICE, None, "whose voice"),
        (speecht5.VOICE, "nothing.npy", "cannot be read as a voice"),
        (speecht5.MODEL, "no/such-weights", "is not here"),
        (speecht5.MODEL, "vocoder", "holds no SpeechT5"),
        (speecht5.VOCODER, "empty", "holds no SpeechT5HifiGan"),
    ],
)
def test_what_is_missing_is_said(
    named: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str | None, said: str
) -> None:
    (named / "empty").mkdir(exist_ok=True)
    if value is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, value if value.startswith("no/") else str(named / value))
    with pytest.raises(CheckpointError, match=said):
        speecht5.load()


@pytest.mark.parametrize("voice", [np.zeros(DIM + 1), np.full(DIM, np.nan), np.array(["a"] * DIM)])
def test_another_voice_is_refused(named: Path, monkeypatch: pytest.MonkeyPatch, voice: np.ndarray) -> None:
    np.save(named / "other.npy", voice)
    monkeypatch.setenv(speecht5.VOICE, str(named / "other.npy"))
    with pytest.raises(CheckpointError, match=r"numbers|holds no voice"):
        speecht5.load()
