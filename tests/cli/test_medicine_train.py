"""`affectgen medicine train`: what is refused before anything long begins."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import pytest
import soundfile

from affectgen.cli.medicine_train import train
from affectgen.medicine.musicgen.training.options import Corpus, Lora, LoraOptions, Schedule


@pytest.fixture
def sounds(shell) -> Path:
    """Three recordings and their labels in the shell's folder."""
    (shell.folder / "audio").mkdir()
    rows = ["file,affect"]
    for number in range(3):
        tone = 0.3 * np.sin(np.arange(8000) * (0.1 + 0.05 * number))
        soundfile.write(shell.folder / "audio" / f"{number}.wav", tone, 8000)
        rows.append(f"{number}.wav,happy")
    (shell.folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return shell.folder


def words(*more: str) -> tuple[str, ...]:
    return ("medicine", "train", "--audio", "audio", "--base", "nowhere/base", "-o", "out", *more)


def test_the_defaults_are_those_of_the_options():
    context = click.Context(train, help_option_names=["-h", "--help"])  # as affectgen's: the command keeps the first
    train.parse_args(context, ["--audio", "a", "--base", "b", "-o", "c"])
    defaults = context.params
    for kind, own in ((Corpus, {}), (Lora, {"dropout": "lora_dropout"}), (Schedule, {})):
        for name, value in kind.__dataclass_fields__.items():
            if name not in ("audio", "labels", "tags"):
                assert defaults[own.get(name, name)] == value.default, name
    assert (defaults["samples"], defaults["seed"]) == (LoraOptions.samples, LoraOptions.seed)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "Neither --labels nor --tags was given"),
        (("--labels", "labels.csv", "--rank", "0"), "0 is not in the range"),
        (("--labels", "labels.csv", "--rate", "nan"), "nan is not a number between"),
        (("--labels", "labels.csv", "--targets", "some"), "'some' is not one of"),
        (("--labels", "labels.csv", "--seconds", "0"), "0 is not a number between 0.5 and 120"),
    ],
)
def test_bad_words(fails, sounds, more, said):
    assert said in fails(2, *words(*more))


def test_missing_things_are_named(fails, sounds):
    assert "none.csv cannot be read" in fails(1, *words("--labels", "none.csv"))
    assert "The MusicGen folder nowhere/base is not there" in fails(1, *words("--labels", "labels.csv"))
    said = fails(1, *words("--labels", "labels.csv", "--audio", "none"))
    assert "The folder of audio none is not there" in said
    (sounds / "labels.csv").write_text("file,affect\n0.wav,happy\n7.wav,sad\n")
    said = fails(1, *words("--labels", "labels.csv"))
    assert "1 of 2 files are not in audio: 7.wav." in said
    assert "--skip-missing" in said


def test_a_bad_row_is_named(fails, sounds):
    (sounds / "labels.csv").write_text("file,valence,arousal\n0.wav,0.5,0.5\n1.wav,0.5,7\n")
    said = fails(1, *words("--labels", "labels.csv"))
    assert "labels.csv, line 3 (1.wav)" in said
    assert "7" in said


def test_a_base_that_is_none(fails, sounds):
    (sounds / "base").mkdir()
    given = ("medicine", "train", "--audio", "audio", "--labels", "labels.csv", "--base", "./base", "-o", "out")
    assert "holds no MusicGen: config.json, model.safetensors and a tokenizer" in fails(1, *given)
    (sounds / "base" / "config.json").write_text('{"model_type": "llama"}')
    assert "a model of type 'llama'; MusicGen was expected" in fails(1, *given)


def test_what_is_there_is_not_replaced_unasked(fails, sounds):
    (sounds / "out").mkdir()
    (sounds / "out" / "adapter_config.json").touch()
    assert "out holds an adapter already" in fails(1, *words("--labels", "labels.csv"))
    (sounds / "out" / "adapter_config.json").rename(sounds / "out" / "letter.txt")
    assert "holds something that is no adapter" in fails(1, *words("--labels", "labels.csv", "--force"))
