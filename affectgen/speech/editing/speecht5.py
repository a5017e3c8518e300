"""New words by SpeechT5 instead of a small synthesiser: `affectgen speech edit --engine speecht5`.

SpeechT5 (Ao et al., ACL 2022; weights microsoft/speecht5_tts and their vocoder microsoft/speecht5_hifigan, MIT License)
says the sentence in a voice given as 512 numbers. The words wanted are then cut out, matched to the speaker and fitted
as those of any other voice (`affectgen.speech.editing.builtin`). Weights are read from folders or from the cache;
nothing is fetched by itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.errors import AffectgenError, CheckpointError
from affectgen.speech.editing.engines import Filling, Request
from affectgen.speech.editing.espeak import Spoken

MODEL, VOCODER, VOICE = "AFFECTGEN_SPEECHT5", "AFFECTGEN_SPEECHT5_VOCODER", "AFFECTGEN_SPEECHT5_VOICE"
PUBLISHED = {MODEL: "microsoft/speecht5_tts", VOCODER: "microsoft/speecht5_hifigan"}
INSTALL = "pip install 'affectgen[speecht5]'"
RATE = 16_000
LONGEST = 20.0  # frames a letter at most, as transformers has it: no voice is so slow
QUIETEST = 1e-4  # of full scale: less is silence


@dataclass(frozen=True)
class SpeechT5Voice:
    """What says a text. tokenizer, model, vocoder: of transformers; voice: float32 [512]; seed: of the dropout before
    its decoder, which is part of how it speaks; name: for the manifest."""

    tokenizer: Any
    model: Any
    vocoder: Any
    voice: NDArray[np.float32]
    seed: int
    name: str = "SpeechT5"

    def say(self, text: str, hertz: float) -> Spoken:
        """Say it; its voice has a pitch of its own. AffectgenError where nothing comes, or the text is too long."""
        import torch

        device, config = self.model.device, self.model.config
        tokens = self.tokenizer(text=text, return_tensors="pt").input_ids.to(device)  # [1, T]
        count = tokens.shape[1]
        if count > config.max_text_positions:
            most = f"{count} letters are to be said; SpeechT5 takes {config.max_text_positions} at once."
            raise AffectgenError(most, "Edit a shorter part of the recording.")
        frames = min(LONGEST, config.reduction_factor * config.max_speech_positions / count)  # a letter
        with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.inference_mode():
            torch.manual_seed(self.seed)
            speaker = torch.from_numpy(self.voice)[None].to(device)  # [1, 512]
            sound = self.model.generate_speech(tokens, speaker, maxlenratio=frames, vocoder=self.vocoder)
        samples = sound.float().cpu().numpy().reshape(-1)
        if not np.isfinite(samples).all() or np.abs(samples).max(initial=0.0) < QUIETEST:
            raise AffectgenError(f"SpeechT5 said nothing for {text[:60]!r}.", "Try another --seed, or other words.")
        return Spoken(samples.astype(np.float32), RATE)


@dataclass(frozen=True)
class SpeechT5Engine:
    """The engine. parts: tokenizer, model and vocoder by those names; voice: float32 [512]; source: of the weights."""

    parts: Mapping[str, Any]
    voice: NDArray[np.float32]
    source: str

    @property
    def name(self) -> str:
        """For the manifest."""
        return f"speecht5, {self.source}"

    def fill(self, request: Request) -> Sequence[Filling]:
        """One filling for each edit, the same for the same seed. AffectgenError for what it cannot say."""
        from affectgen.speech.aligning.align import Aligner
        from affectgen.speech.editing.builtin import BuiltIn

        return BuiltIn(Aligner(), SpeechT5Voice(**self.parts, voice=self.voice, seed=request.seed)).fill(request)


def load(device: str = "cpu") -> SpeechT5Engine:
    """The engine with its weights: of the folders, or published names, that $AFFECTGEN_SPEECHT5 and its likes hold.

    CheckpointError where a package, weights or the voice are missing, or are not of this format.
    """
    try:
        import sentencepiece  # noqa: F401  # the tokenizer needs it, and says so late
        from transformers import SpeechT5ForTextToSpeech, SpeechT5HifiGan, SpeechT5Tokenizer
        from transformers.utils import logging
    except ImportError as error:
        raise CheckpointError(f"The engine speecht5 needs the package {error.name}.", INSTALL) from error
    logging.set_verbosity_error()  # what is wrong is said below, in a sentence
    logging.disable_progress_bar()
    voice = read_voice(os.environ.get(VOICE))
    model = _read(SpeechT5ForTextToSpeech, MODEL).to(device).eval()
    if model.config.speaker_embedding_dim != len(voice):
        text = f"The voice holds {len(voice)} numbers; this model wants {model.config.speaker_embedding_dim}."
        raise CheckpointError(text, f"Name another: {VOICE}=voice.npy")
    vocoder = _read(SpeechT5HifiGan, VOCODER).to(device).eval()
    if vocoder.config.model_in_dim != model.config.num_mel_bins:
        text = f"The vocoder takes {vocoder.config.model_in_dim} bands; the model gives {model.config.num_mel_bins}."
        raise CheckpointError(text, "Name one that belongs to it: microsoft/speecht5_hifigan")
    parts = {"tokenizer": _read(SpeechT5Tokenizer, MODEL), "model": model, "vocoder": vocoder}
    return SpeechT5Engine(parts, voice, Path(_named(MODEL)).name)


def read_voice(path: str | None) -> NDArray[np.float32]:
    """The numbers of a voice [512] from a .npy file. CheckpointError where there is none or it holds something else."""
    remedy = f"Name a file with an x-vector of the voice (speechbrain/spkrec-xvect-voxceleb): {VOICE}=voice.npy"
    if path is None:
        raise CheckpointError("SpeechT5 was not told whose voice to speak in.", remedy)
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise CheckpointError(f"{path} cannot be read as a voice.", remedy) from error
    voice = np.asarray(found).reshape(-1)
    if voice.dtype.kind not in "fiu" or not len(voice) or not np.isfinite(voice).all():
        raise CheckpointError(f"{path} holds no voice: {found.dtype} of shape {found.shape}.", remedy)
    return voice.astype(np.float32)


def _named(variable: str) -> str:
    """The folder, or the published name, of one part."""
    return os.environ.get(variable, PUBLISHED[variable])


def _read(kind: Any, variable: str) -> Any:
    """One part of the engine. CheckpointError where it is not there or not of this format."""
    where = _named(variable)
    name, folder = PUBLISHED[variable], PUBLISHED[variable].partition("/")[2]
    what = "holds no" if Path(where).is_dir() else "is not here as a"
    wrong = CheckpointError(
        f"{where} {what} {kind.__name__}.", f"hf download {name} --local-dir {folder}, then {variable}={folder}"
    )
    told = {} if kind.__name__.endswith("Tokenizer") else {"output_loading_info": True}
    try:
        found = kind.from_pretrained(where, local_files_only=True, **told)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise wrong from error
    if told and found[1]["missing_keys"]:  # transformers would fill them with random numbers
        raise wrong
    return found[0] if told else found
