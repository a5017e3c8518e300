"""MusicGen by transformers and peft: reading, conditions, training's forward pass, writing, the codec, adapters."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from affectgen.audio.files import Frames, resampled
from affectgen.errors import AudioError, CheckpointError
from affectgen.manifest import file_hash
from affectgen.medicine.musicgen.adapter_files import WEIGHTS as ADAPTER
from affectgen.medicine.musicgen.adapter_files import read_adapter
from affectgen.medicine.musicgen.adapters import check_base, merge, turned
from affectgen.medicine.musicgen.affect import AffectSum, affect_tensors
from affectgen.medicine.musicgen.decoder import FastStepper
from affectgen.medicine.musicgen.delay import delayed, undelayed_logits
from affectgen.medicine.musicgen.folder import Found
from affectgen.medicine.musicgen.foreign import as_transformers, trained_frames
from affectgen.medicine.musicgen.hub import LANGUAGE
from affectgen.medicine.musicgen.interface import Row, Shape
from affectgen.medicine.musicgen.matrices import Decoder
from affectgen.nn.training import halves_pay

AFFECT = "affect_sum"
WEIGHTS = "model*.safetensors"


def load_transformers(found: Found, device: str, dtype: str = "auto") -> TransformersMusicGen:
    """The MusicGen in a folder of either format, in eval mode. dtype: of writing, "float32", "bfloat16" or "auto", by
    what is fast on the device; weights are kept in float32 elsewhere than on CUDA.

    CheckpointError where the folder cannot be read, or holds a stereo model.
    """
    model, tokenizer = as_transformers(found)
    if model.config.decoder.audio_channels != 1:
        raise CheckpointError(f"{found.folder} holds a stereo model.", "Use a mono one, such as musicgen-small.")
    place = torch.device(device)
    halves = dtype == "bfloat16" or (dtype == "auto" and halves_pay(place))
    model.add_module(AFFECT, AffectSum(model.decoder.config.hidden_size))
    model.to(place).eval().requires_grad_(False)
    return TransformersMusicGen(model, tokenizer, found, torch.bfloat16 if halves else torch.float32)


class TransformersMusicGen:
    """A loaded model. model: MusicgenForConditionalGeneration, with an AffectSum as `affect_sum`; warnings: what should
    be said to the user."""

    backend = "transformers"

    def __init__(self, model: Any, tokenizer: Any, found: Found, dtype: torch.dtype) -> None:
        self.model, self.tokenizer, self.found, self.dtype = model, tokenizer, found, dtype
        self.warnings: list[str] = []
        self.identity = {"name": found.name, "sha256": weights_hash(found)}
        codec, decoder = model.config.audio_encoder, model.config.decoder
        self.shape = Shape(
            codec.sampling_rate, codec.sampling_rate / int(np.prod(codec.upsampling_ratios)), decoder.num_codebooks,
            decoder.vocab_size, codec.audio_channels, decoder.hidden_size, trained_frames(model),
        )  # fmt: skip
        self._made: tuple[object, Decoder] | None = None  # the weights that it was made of, and the decoder

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return next(self.model.parameters()).device

    def states(self, prompts: Sequence[str], affect: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        """What the decoder attends to. affect: [B, 2], known: bool [B]. Returns (states [B, S, D], mask [B, S]); a row
        with an empty prompt has states of zero, and a whole mask, so that there is something to attend to."""
        tokens = self.tokenizer(list(prompts), padding=True, return_tensors="pt").to(self.device)
        ids, mask = tokens["input_ids"], tokens["attention_mask"]
        text = self.model.text_encoder(ids, attention_mask=mask).last_hidden_state
        if hasattr(self.model, "enc_to_dec_proj"):
            text = self.model.enc_to_dec_proj(text)
        some = torch.tensor([bool(prompt.strip()) for prompt in prompts], device=self.device)
        kept = mask * some[:, None]
        states = getattr(self.model, AFFECT)(text, affect, known) * kept[..., None]
        return states, torch.where(some[:, None], mask, torch.ones_like(mask))

    def forward_codes(
        self, codes: Tensor, states: Tensor, mask: Tensor, hidden: bool = False
    ) -> Tensor | tuple[Tensor, Tensor]:
        """codes [B, K, T] -> logits of each, [B, K, T, card]; with `hidden` also the last hidden states of all
        positions, [B, T + K - 1, D]. Differentiable."""
        tokens = delayed(codes, self.shape.card)[..., :-1]  # [B, K, T + K - 1]
        last = self.model.decoder.model.decoder(
            input_ids=tokens.flatten(0, 1), encoder_hidden_states=states, encoder_attention_mask=mask, use_cache=False
        ).last_hidden_state
        logits = torch.stack([head(last) for head in self.model.decoder.lm_heads], dim=1)
        found = undelayed_logits(logits)
        return (found, last) if hidden else found

    @torch.inference_mode()
    def begin(self, rows: Sequence[Row], guidance: float, length: int) -> FastStepper:
        """As `MusicGen.begin`. The stepper holds weights as they are now."""
        affect, known = affect_tensors([row.affect for row in rows], self.device)
        states, mask = self.states([row.prompt for row in rows], affect, known)
        if guidance != 1:
            states, mask = torch.cat([states, torch.zeros_like(states)]), torch.cat([mask, mask])
        return FastStepper(self._for_writing(), states, mask.bool(), guidance, length)

    def _for_writing(self) -> Decoder:
        """The decoder's weights side by side; made anew where they have changed since, as in training."""
        weights = tuple((value.data_ptr(), value._version) for value in self.model.decoder.parameters())
        adapted = any("lora_" in name for name, _ in self.model.decoder.named_parameters())
        if self._made is not None and self._made[0] == weights:
            return self._made[1]
        self._made = None  # before the new one takes its memory
        made = Decoder.of(self.model.decoder, self.dtype)
        if not adapted:  # else switching adapters off or merging them would go unseen
            self._made = weights, made
        return made

    def decode(self, codes: Tensor) -> list[Frames]:
        """As `MusicGen.decode`; one row at a time, for a clip of 30 s takes the memory of a batch of codes."""
        found = []
        with torch.inference_mode():
            for row in codes:
                made = self.model.audio_encoder.decode(row[None, None].to(self.device), [None])
                found.append(made.audio_values[0].float().cpu().numpy().T.astype(np.float32))
        return found

    def encode(self, sound: Frames, rate: int) -> Tensor:
        """As `MusicGen.encode`. AudioError for one of no samples."""
        given = torch.from_numpy(prepared(sound, rate, self.shape)).to(self.device)
        with torch.inference_mode():
            codes: Tensor = self.model.audio_encoder.encode(given).audio_codes[0, 0]  # [K, T]
        return codes.cpu()

    def add_adapter(self, folder: Path) -> None:
        """As `MusicGen.add_adapter`. An adapter of a base with other weights but the same shape only warns."""
        adapter = turned(read_adapter(folder), "transformers")
        warnings = check_base(adapter, _sizes(self), self.identity, folder)
        merge(self.model, adapter, getattr(self.model, AFFECT), folder)
        self.warnings += warnings
        held = file_hash(folder / ADAPTER)
        self.identity = {**self.identity, "adapter": folder.resolve().name, "adapter_sha256": held}


def adapter_note(music: TransformersMusicGen) -> dict[str, Any]:
    """What an adapter's affectgen.json says of its base."""
    return {"base": {"name": music.identity["name"], "sha256": music.identity["sha256"], "shape": _sizes(music)}}


def _sizes(music: TransformersMusicGen) -> dict[str, int]:
    """What must agree between an adapter and its base."""
    decoder = music.model.config.decoder
    return {
        "dim": decoder.hidden_size, "layers": decoder.num_hidden_layers, "heads": decoder.num_attention_heads,
        "ffn": decoder.ffn_dim, "books": decoder.num_codebooks, "card": decoder.vocab_size,
    }  # fmt: skip


def weights_hash(found: Found) -> str:
    """SHA-256 of the language model's file; of several, of their hashes in order."""
    if found.kind == "audiocraft":
        return file_hash(found.folder / LANGUAGE)
    files = sorted(found.folder.glob(WEIGHTS))
    if len(files) == 1:
        return file_hash(files[0])
    return sha256("".join(file_hash(path) for path in files).encode()).hexdigest()


def prepared(sound: Frames, rate: int, shape: Shape) -> Frames:
    """A sound [N, C] at a codec's rate and in its channels, float32 [1, C, N]: averaged for one, the outer for two.
    AudioError for one of no samples."""
    if not len(sound):
        raise AudioError("A sound of no samples cannot be encoded.", "Give a longer one.")
    last = sound.shape[1] - 1
    mixed = sound.mean(axis=1, keepdims=True) if shape.channels == 1 else sound[:, [0, last]]
    sides = [resampled(np.ascontiguousarray(side, dtype=np.float32), rate, shape.rate) for side in mixed.T]
    return np.stack(sides)[None]
