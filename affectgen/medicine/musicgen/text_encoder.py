"""The text encoder of a model in audiocraft's format, which does not hold one: T5, found by name on this machine."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from affectgen.errors import AffectgenError, CheckpointError
from affectgen.medicine.musicgen.hub import T5_BASE, cached
from affectgen.medicine.musicgen.standins import mend_torchaudio

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
TOKENIZERS = ("tokenizer.json", "spiece.model")
NEEDS = "pip install 'affectgen[musicgen]'"


def transformers() -> Any:
    """The package. AffectgenError where it is not installed."""
    mend_torchaudio()
    try:
        return import_module("transformers")
    except ImportError as error:
        raise AffectgenError("MusicGen needs transformers, which is not installed.", NEEDS) from error


@contextmanager
def quietly() -> Iterator[None]:
    """transformers without its warnings and progress bars, torch without its advice to audiocraft."""
    talk = transformers().utils.logging
    level, bars = talk.get_verbosity(), talk.is_progress_bar_enabled()
    talk.set_verbosity_error()
    talk.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        talk.set_verbosity(level)
        if bars:
            talk.enable_progress_bar()


def find_t5(name: str, folder: Path) -> Path:
    """The folder of a T5 (config.json, model.safetensors, a tokenizer): in or beside a model's folder under its last
    name, else in the cache of Hugging Face. CheckpointError that says what to download where there is none."""
    short = name.rpartition("/")[2]
    places = [folder / short, folder.parent / short]
    repository = name if "/" in name else f"google-t5/{name}"
    places += [place for place in (cached(repository), cached(name)) if place is not None]
    for place in places:
        if _is_whole(place):
            return place
    files = " ".join(T5_BASE.files)
    message = f"The model in {folder} reads words with {name}, which is not on this machine; it is published apart."
    raise CheckpointError(message, f"hf download {repository} {files} --local-dir {folder / short}")


def _is_whole(folder: Path) -> bool:
    """Whether a folder holds what transformers reads."""
    have = [(folder / file).is_file() for file in (CONFIG, *WEIGHTS, *TOKENIZERS)]
    return have[0] and any(have[1:3]) and any(have[3:])


def load_t5(folder: Path) -> tuple[Any, Any]:
    """T5's encoder, float32, in eval mode, and its tokenizer."""
    package = transformers()
    with quietly():
        try:
            encoder = package.T5EncoderModel.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, RuntimeError) as error:
            raise CheckpointError(f"The T5 of {folder} cannot be read: {error}", "Download it again.") from error
    return encoder.float().eval(), load_tokenizer(folder)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a folder, which gives input_ids and attention_mask. CheckpointError where it cannot be read."""
    with quietly():
        try:
            tokenizer = transformers().AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, RuntimeError, ImportError, KeyError, TypeError) as error:
            message = f"The tokenizer of {folder} cannot be read: {error}"
            raise CheckpointError(message, "Download tokenizer.json and tokenizer_config.json into it.") from error
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    return tokenizer
