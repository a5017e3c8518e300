"""The MusicGen that is adapted: loaded on its device, its codec for the cache, and its adapter."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from affectgen.audio.files import Frames
from affectgen.errors import AffectgenError, CheckpointError
from affectgen.medicine.musicgen.affect import AffectSum
from affectgen.medicine.musicgen.training.cache import codec_name
from affectgen.medicine.musicgen.training.options import Lora

AFFECT = "affect_sum"  # the part that is trained beside the adapter and saved with it
LAYERS = r".*\bdecoder\.model\.decoder\.layers\.\d+\."
ATTENTION = r"(self_attn|encoder_attn)\.(q_proj|k_proj|v_proj|out_proj)"
TARGETS = {"attention": LAYERS + ATTENTION, "all": LAYERS + f"({ATTENTION}|fc1|fc2)"}
NEEDS = "pip install 'affectgen[musicgen]', or transformers and peft."


class BaseCodec:
    """A model's codec, as the cache wants it."""

    def __init__(self, music: Any) -> None:
        self.music, self.rate, self.channels = music, music.shape.rate, music.shape.channels
        self.name = codec_name(music.model.audio_encoder)

    def encode(self, sound: Frames) -> Tensor:
        """sound [N, C] -> codes [K, T] on the CPU. CheckpointError where the decoder reads more or fewer codebooks."""
        with torch.no_grad():
            codes: Tensor = self.music.encode(sound, self.rate)
        books = self.music.shape.books
        if len(codes) != books:
            message = f"The base's codec writes {len(codes)} codebooks, and its decoder reads {books}."
            raise CheckpointError(message, "Give a MusicGen whose parts belong together.")
        return codes.cpu()


def load_base(name: str, device: str) -> Any:
    """The MusicGen of a folder or name, in float32: its backend of transformers. CheckpointError where there is none,
    AffectgenError where a package is missing."""
    from affectgen.medicine.musicgen.folder import find_musicgen
    from affectgen.medicine.musicgen.transformers_backend import load_transformers

    return load_transformers(find_musicgen(name), device, dtype="float32")


def encode_text(music: Any, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Captions -> (states [B, S, D] as the decoder reads them, but for the affect; mask [B, S])."""
    model = music.model
    tokens = music.tokenizer(list(captions), padding=True, return_tensors="pt").to(model.device)
    with torch.autocast(model.device.type, enabled=False):
        states = model.text_encoder(tokens["input_ids"], attention_mask=tokens["attention_mask"]).last_hidden_state
        if hasattr(model, "enc_to_dec_proj"):
            states = model.enc_to_dec_proj(states)
    return states, tokens["attention_mask"]


def add_lora(music: Any, lora: Lora, affect_dropout: float, checkpointing: bool, seed: int = 1) -> Any:
    """Put a new adapter and a new part for the affect into the model, which change nothing yet, and return peft's model
    around it. Only these two learn. seed: of their weights. AffectgenError where peft is not installed.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise AffectgenError("Training an adapter needs peft, which is not installed.", NEEDS) from error

    torch.manual_seed(seed)
    affect = AffectSum(music.shape.dim, affect_dropout).to(music.model.device)
    setattr(music.model, AFFECT, affect.eval())
    music.model.requires_grad_(False)
    config = LoraConfig(
        r=lora.rank, lora_alpha=lora.rank if lora.alpha is None else lora.alpha, lora_dropout=lora.dropout,
        target_modules=TARGETS[lora.targets], modules_to_save=[AFFECT],
    )  # fmt: skip
    with warnings.catch_warnings():  # transformers' of names that it changes in version 6
        warnings.simplefilter("ignore", FutureWarning)
        adapted = get_peft_model(music.model, config)
        if checkpointing:
            music.model.decoder.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return adapted


class Learner(nn.Module):
    """What the trainer sees: the whole model, of whose weights only those that learn are kept and saved."""

    def __init__(self, music: Any, alignment: nn.Module | None = None) -> None:
        super().__init__()
        self.model: Any = music.model
        self.alignment = alignment

    def train(self, mode: bool = True) -> Learner:
        """As every module, but text encoder and codec never train."""
        super().train(mode)
        self.model.text_encoder.eval()
        self.model.audio_encoder.eval()
        return self

    def state_dict(self, *_: Any, **__: Any) -> dict[str, Any]:  # type: ignore[override]
        """The weights that learn, by name."""
        return {name: value.detach() for name, value in self.named_parameters() if value.requires_grad}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Take them over. AffectgenError unless exactly these are given."""
        own = {name: value for name, value in self.named_parameters() if value.requires_grad}
        if set(own) != set(state_dict):
            raise AffectgenError("The run's weights are those of another adapter.", "Give another --run folder.")
        with torch.no_grad():
            for name, value in own.items():
                value.copy_(state_dict[name])
        return None
