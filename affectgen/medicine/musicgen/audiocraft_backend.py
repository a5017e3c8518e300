"""MusicGen by audiocraft 1.3.0 itself, behind the interface that transformers' has as well.

Words are read by audiocraft's T5 conditioner; the emotion is added to its projected states (AffectSum, a hook on
`output_proj`), before the mask; guidance doubles the batch. All of it is where transformers has it.

One thing is changed. In a batch of prompts of different lengths audiocraft pads the shorter ones with zero states and
attends to these: each counts as a key of score 0 and adds nothing, so that a piece depends on how long the prompts
beside it are. transformers masks them. Here they are masked too (`_attend`): a piece is the same in every batch, and
the same weights give the same logits in both backends. For the longest prompt of a batch, and for the half without
words, whose states are all zero, the mask changes nothing: these are audiocraft's own logits.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear, scaled_dot_product_attention

from affectgen.audio.files import Frames
from affectgen.manifest import file_hash
from affectgen.medicine.musicgen.adapter_files import WEIGHTS as ADAPTER
from affectgen.medicine.musicgen.adapter_files import read_adapter
from affectgen.medicine.musicgen.adapters import check_base, merge, turned
from affectgen.medicine.musicgen.affect import AffectSum, affect_tensors
from affectgen.medicine.musicgen.folder import Found
from affectgen.medicine.musicgen.foreign import as_audiocraft, part
from affectgen.medicine.musicgen.interface import Row, Shape
from affectgen.medicine.musicgen.transformers_backend import prepared, weights_hash


def load_audiocraft(found: Found, device: str = "cpu") -> AudiocraftMusicGen:
    """The model of a folder of either format, by audiocraft. AffectgenError where it is not installed, CheckpointError
    where the folder lacks something."""
    return AudiocraftMusicGen(found, as_audiocraft(found, device))


class AudiocraftMusicGen:
    """audiocraft's models.MusicGen behind the interface `MusicGen`. music: theirs; affect: added to words' states."""

    backend = "audiocraft"

    def __init__(self, found: Found, music: Any) -> None:
        self.music = music
        self.lm = music.lm
        self.lm.affect_sum = self.affect = AffectSum(self.lm.dim).to(music.device).eval()
        self._warnings: list[str] = []
        self._identity = {"name": found.name, "sha256": weights_hash(found)}
        self._asked: tuple[Tensor, Tensor] | None = None  # of the rows whose words are being read
        self._running: weakref.ref[AudiocraftStepper] | None = None
        self.mask: Tensor | None = None  # bool [B, 1, 1, S], of the batch that is being read
        for layer in self.lm.transformer.layers:
            layer.cross_attention.forward = partial(self._attend, layer.cross_attention)
        self.lm.condition_provider.conditioners["description"].output_proj.register_forward_hook(self._moved)

    @property
    def shape(self) -> Shape:
        """Its sizes."""
        codec, lm = self.music.compression_model, self.lm
        rate = float(codec.frame_rate)
        most = int(self.music.max_duration * rate)
        return Shape(int(codec.sample_rate), rate, int(lm.n_q), int(lm.card), int(codec.channels), int(lm.dim), most)

    @property
    def identity(self) -> dict[str, str]:
        """Names and hashes of what was read."""
        return dict(self._identity)

    @property
    def warnings(self) -> Sequence[str]:
        """What whoever loaded it should say."""
        return tuple(self._warnings)

    def begin(self, rows: Sequence[Row], guidance: float, length: int) -> AudiocraftStepper:
        """Read prompts and affects. length: audiocraft's memory grows as it goes, so it is not used."""
        return AudiocraftStepper(self, self.conditions(rows, guidance != 1), guidance)

    def conditions(self, rows: Sequence[Row], guided: bool) -> dict[str, tuple[Tensor, Tensor]]:
        """The states that the language model attends to, [B, S, D] and their mask; guided: [2B, S, D], the second half
        without words and without affect."""
        attributes = part("modules.conditioners").ConditioningAttributes
        words: list[str | None] = [row.prompt if row.prompt.strip() else None for row in rows]
        affects = [row.affect for row in rows]
        if guided:
            words, affects = words + [None] * len(rows), affects + [None] * len(rows)
        provider = self.lm.condition_provider
        self._asked = affect_tensors(affects, self.music.device)
        try:
            with torch.inference_mode(), self.music.autocast:
                tokens = provider.tokenize([attributes(text={"description": text}) for text in words])
                return provider(tokens)
        finally:
            self._asked = None

    def _moved(self, _: Any, __: Any, states: Tensor) -> Tensor:
        """Hook of the projection: its states with the affect added."""
        if self._asked is None:
            return states
        moved: Tensor = self.affect(states, *self._asked)
        return moved

    def _attend(self, attention: Any, query: Tensor, key: Tensor, *_: Any, **__: Any) -> tuple[Tensor, None]:
        """audiocraft's cross-attention, [B, T, D] and [B, S, D] -> [B, T, D], without the places of padding."""
        own = attention if attention.custom else attention.mha
        matrices = own.in_proj_weight.chunk(3)
        queries, keys, values = (
            linear(states, matrix).unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)  # [B, H, T or S, D / H]
            for states, matrix in zip((query, key, key), matrices, strict=True)
        )
        found = scaled_dot_product_attention(queries, keys, values, attn_mask=self.mask)
        return own.out_proj(found.transpose(1, 2).flatten(-2)), None

    def decode(self, codes: Tensor) -> list[Frames]:
        """codes [B, K, T] -> B sounds, float32 [N, C]; one after the other, for the decoder needs much memory."""
        with torch.inference_mode():
            rows = (self.music.compression_model.decode(row[None].to(self.music.device), None) for row in codes)
            return [np.ascontiguousarray(row[0].float().cpu().numpy().T) for row in rows]

    def encode(self, sound: Frames, rate: int) -> Tensor:
        """A sound, float32 [N, C], at any rate -> codes [K, T] on the CPU. AudioError for one of no samples."""
        fitting = prepared(sound, rate, self.shape)
        with torch.inference_mode():
            codes, _ = self.music.compression_model.encode(torch.from_numpy(fitting).to(self.music.device))
        return codes[0].cpu()

    def add_adapter(self, folder: Path) -> None:
        """Merge a LoRA adapter made for either backend, and take its affect conditioner. CheckpointError where it is
        none, or was trained on a model of another shape."""
        adapter = read_adapter(folder)
        warnings = check_base(adapter, self._sizes(), self._identity, folder)
        merge(self.lm, turned(adapter, "audiocraft"), self.affect, folder)
        self._warnings += warnings
        self._identity |= {"adapter": folder.resolve().name, "adapter_sha256": file_hash(folder / ADAPTER)}

    def _sizes(self) -> dict[str, int]:
        """What must agree between an adapter and its base."""
        layers = self.lm.transformer.layers
        return {
            "dim": self.lm.dim, "layers": len(layers), "heads": layers[0].self_attn.num_heads,
            "ffn": layers[0].linear1.out_features, "books": self.lm.n_q, "card": self.lm.card,
        }  # fmt: skip

    def take(self, stepper: AudiocraftStepper) -> None:
        """Let a stepper go on where it was: audiocraft keeps what it has read in its own modules."""
        last = None if self._running is None else self._running()
        if last is stepper:
            return
        if last is not None:
            last.kept = self.lm.get_streaming_state()
        self.lm._set_streaming(True)
        self.lm.set_streaming_state({} if stepper.kept is None else stepper.kept)
        stepper.kept = None
        self._running = weakref.ref(stepper)


class AudiocraftStepper:
    """A batch being written by audiocraft's streaming language model. kept: what it had read when another one took its
    place."""

    def __init__(
        self, model: AudiocraftMusicGen, conditions: dict[str, tuple[Tensor, Tensor]], guidance: float
    ) -> None:
        self.model = model
        self.conditions = conditions
        self.guidance = guidance
        counts = conditions["description"][1].bool()  # [B, S]
        self.mask = (counts | ~counts.any(dim=1, keepdim=True))[:, None, None]  # no states at all: all, for they are 0
        self.kept: dict[str, Tensor] | None = None
        self._started = False

    def step(self, tokens: Tensor) -> Tensor:
        """Read tokens [B, K, S] and return the guided logits of what comes next, [B, K, card]."""
        self.model.take(self)
        tokens = tokens.to(self.model.music.device)
        # after the first call audiocraft takes one position at a time
        pieces = tokens.split(1, dim=2) if self._started else (tokens,)
        self._started = True
        with torch.inference_mode(), self.model.music.autocast:
            for piece in pieces:
                self.model.mask = self.mask
                logits = self._read(piece)
        return logits

    def _read(self, tokens: Tensor) -> Tensor:
        """Logits [B, K, card], float32."""
        guided = self.guidance != 1
        batch = torch.cat([tokens, tokens]) if guided else tokens
        logits: Tensor = self.model.lm(batch, conditions=[], condition_tensors=self.conditions)[:, :, -1].float()
        if not guided:
            return logits
        with_words, without = logits.chunk(2)
        return without + (with_words - without) * self.guidance
