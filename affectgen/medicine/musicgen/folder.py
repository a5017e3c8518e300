"""Where MusicGen's weights are: a folder in one of the two formats they are published in, or a name to look up.

The format of transformers: config.json, model.safetensors and a tokenizer; nothing else is needed. That of audiocraft:
state_dict.bin and compression_state_dict.bin, and a T5 text encoder from elsewhere (see text_encoder.py). A folder that
holds both is read in the first. Weights are never part of this package: their licence forbids commercial use.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from affectgen.errors import CheckpointError
from affectgen.medicine.musicgen.hub import CODEC, LANGUAGE, MODELS, cached, fetched, is_offline

VARIABLE = "AFFECTGEN_MUSICGEN"
DEFAULT = "musicgen-small"
OWNER = "facebook/"
CONFIG, WEIGHTS, SHARDS = "config.json", "model.safetensors", "model.safetensors.index.json"
TOKENIZERS = ("tokenizer.json", "spiece.model")
OTHERS = {
    "melody": "a melody model, which wants a melody beside the words",
    "style": "a style model, which wants a recording beside the words",
    "stereo": "a stereo model, whose codebooks are delayed in pairs",
}


@dataclass(frozen=True)
class Found:
    """A MusicGen on disk. kind: whose format its files have; folder: where they are; name: to call it by."""

    kind: Literal["transformers", "audiocraft"]
    folder: Path
    name: str


def find_musicgen(name: str | None, tell: Callable[[str], None] | None = None) -> Found:
    """The model of a folder, or of a published name ("musicgen-small", "facebook/musicgen-small").

    A name is looked up in $AFFECTGEN_MUSICGEN (a model's folder, or a folder of such), in the cache of Hugging Face,
    and then on the network, unless HF_HUB_OFFLINE is set; what is fetched, and its licence, is said to `tell` first
    (standard error without one). None takes $AFFECTGEN_MUSICGEN, else musicgen-small from the cache. CheckpointError
    where nothing is found, saying what to download and where to put it, or where a folder lacks something.
    """
    if name is None:
        found = known_musicgen()
        if found is None:
            raise CheckpointError(f"No MusicGen weights are on this machine. {_where(DEFAULT)}", _remedy(DEFAULT))
        return found
    path = Path(name).expanduser()
    if name and path.is_dir():
        return check_folder(path)
    short = name.removeprefix(OWNER)
    if "/" in short or os.sep in short:
        raise CheckpointError(f"The MusicGen folder {name} is not there.", "Check the name.")
    return _by_name(short, tell)


def known_musicgen() -> Found | None:
    """What `find_musicgen(None)` finds, None where there is nothing. Never touches the network, imports nothing heavy.
    CheckpointError where $AFFECTGEN_MUSICGEN is set to something that is no model."""
    home = _home()
    return _in_cache(DEFAULT) if home is None else _only(home)


def check_folder(folder: Path, name: str | None = None) -> Found:
    """The model in a folder, called `name`, else as the folder is. CheckpointError that names what is missing."""
    name = folder.resolve().name if name is None else name
    has_language, has_codec = (folder / LANGUAGE).is_file(), (folder / CODEC).is_file()
    if (folder / CONFIG).is_file() and (_has_weights(folder) or not (has_language and has_codec)):
        _check_transformers(folder)
        return Found("transformers", folder, name)
    if has_language and has_codec:
        return Found("audiocraft", folder, name)
    if has_language or has_codec:
        missing = CODEC if has_language else LANGUAGE
        raise CheckpointError(f"The MusicGen folder {folder} lacks {missing}.", "Put it beside the other one.")
    if (folder / "adapter_config.json").is_file():
        raise CheckpointError(f"{folder} holds an adapter, no model.", "Give it with --adapter, a model with --model.")
    wanted = f"{CONFIG}, {WEIGHTS} and a tokenizer, or {LANGUAGE} and {CODEC}"
    raise CheckpointError(f"The folder {folder} holds no MusicGen: {wanted} were expected.", _remedy(DEFAULT))


def _has_weights(folder: Path) -> bool:
    return (folder / WEIGHTS).is_file() or (folder / SHARDS).is_file()


def _check_transformers(folder: Path) -> None:
    """CheckpointError where a folder with a config.json is not a whole MusicGen in the format of transformers."""
    _check_kind(folder, _read_json(folder / CONFIG))
    if not _has_weights(folder):
        pickled = " (pytorch_model.bin is a pickle and is not read)" if (folder / "pytorch_model.bin").is_file() else ""
        raise CheckpointError(f"The MusicGen folder {folder} lacks {WEIGHTS}{pickled}.", f"Download {WEIGHTS} into it.")
    if not (folder / WEIGHTS).is_file():
        shards = _read_json(folder / SHARDS).get("weight_map", {})
        missing = sorted({str(shard) for shard in shards.values() if not (folder / str(shard)).is_file()})
        if missing or not shards:
            what = ", ".join(missing) if missing else "the names of its parts"
            raise CheckpointError(f"The MusicGen folder {folder} lacks {what}.", "Download all of its files.")
    if not any((folder / file).is_file() for file in TOKENIZERS):
        hint = "Download tokenizer.json and tokenizer_config.json into it."
        raise CheckpointError(f"The MusicGen folder {folder} lacks a tokenizer: {' or '.join(TOKENIZERS)}.", hint)


def _check_kind(folder: Path, config: dict[str, Any]) -> None:
    """CheckpointError for the config of anything but a MusicGen that words alone condition, in mono."""
    kind, decoder = config.get("model_type"), config.get("decoder")
    what = f"a model of type {kind!r}"
    if kind == "musicgen_melody":
        what = OTHERS["melody"]
    elif kind == "musicgen":
        if not isinstance(decoder, dict) or decoder.get("audio_channels", 1) == 1:
            return
        what = OTHERS["stereo"]
    hint = "Give musicgen-small, -medium or -large, or a model of their kind."
    raise CheckpointError(f"{folder} holds {what}; MusicGen was expected.", hint)


def _read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}", "Download it again.") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds a {type(value).__name__}; an object was expected.", "Download it again.")
    return value


def _home() -> Path | None:
    """$AFFECTGEN_MUSICGEN. CheckpointError where it names no folder."""
    named = os.environ.get(VARIABLE, "")
    if not named:
        return None
    home = Path(named).expanduser()
    if not home.is_dir():
        raise CheckpointError(f"{VARIABLE} is {named}, which is no folder.", "Set it to a MusicGen folder.")
    return home


def _is_model(folder: Path) -> bool:
    return any((folder / mark).is_file() for mark in (CONFIG, LANGUAGE, CODEC))


def _only(home: Path) -> Found:
    """The model of $AFFECTGEN_MUSICGEN; of several in it musicgen-small."""
    models = [] if _is_model(home) else sorted(path for path in home.iterdir() if path.is_dir() and _is_model(path))
    if not models:
        return check_folder(home)
    if len(models) == 1:
        return check_folder(models[0])
    if (home / DEFAULT) in models:
        return check_folder(home / DEFAULT)
    names = ", ".join(model.name for model in models)
    raise CheckpointError(f"{VARIABLE} holds several models: {names}.", "Name one of them with --model.")


def _by_name(name: str, tell: Callable[[str], None] | None) -> Found:
    """A published model, or one of $AFFECTGEN_MUSICGEN's."""
    home = _home()
    if home is not None and name:
        near = home if _is_model(home) and home.resolve().name == name else home / name
        if near.is_dir():
            return check_folder(near, name)
    for mark, what in OTHERS.items():
        if name.startswith(f"musicgen-{mark}"):
            raise CheckpointError(f"{name} is {what}; that is not supported.", f"Names are: {', '.join(MODELS)}.")
    if name not in MODELS:
        raise CheckpointError(f"No MusicGen is called {name!r}.", f"Give a folder, or one of: {', '.join(MODELS)}.")
    found = _in_cache(name)
    if found is not None:
        return found
    if is_offline():
        raise CheckpointError(f"{name} is not here, and HF_HUB_OFFLINE is set. {_where(name)}", _remedy(name))
    return _from_network(name, _say if tell is None else tell)


def _in_cache(name: str) -> Found | None:
    """A published model from the cache of Hugging Face; None where it is not whole, for a download goes on there."""
    folder = cached(OWNER + name)
    if folder is None:
        return None
    try:
        return check_folder(folder, name)
    except CheckpointError:
        return None


def _from_network(name: str, tell: Callable[[str], None]) -> Found:
    """A published model and what it wants, fetched into the cache."""
    model = MODELS[name]
    wanted = [model] if model.wants is None else [model.wants, model]
    for one in wanted:
        tell(f"Downloading {one.repository}, {one.size}. Its licence is {one.licence}.")
        try:
            folder = fetched(one.repository, one.files)
        except CheckpointError as error:
            raise CheckpointError(f"{error.message} {_where(name)}", _remedy(name)) from error
    return check_folder(folder, name)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _where(name: str) -> str:
    """What to download, in a sentence."""
    model = MODELS[name]
    beside = "" if model.wants is None else f", and {model.wants.what}, {model.wants.repository}"
    return f"They are {model.repository} on huggingface.co ({model.size}: {model.what}; {model.licence}){beside}."


def _remedy(name: str) -> str:
    """What to do about missing weights."""
    fetch = MODELS[name].command("DIR")
    return (
        f"Download them: {fetch}; then give --model DIR, or set {VARIABLE}=DIR. Without any weights: --engine symbolic."
    )
