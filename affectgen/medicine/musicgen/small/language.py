"""The language model: transformers' MusicGen with a tiny T5, over the codes of the small codec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from affectgen.medicine.musicgen.delay import delayed, undelayed_logits


@dataclass(frozen=True)
class LanguageConfig:
    """dim, layers, heads, inner: of the decoder; text_dim, text_layers: of the text encoder; frames: of codes that it
    learns to write at once."""

    dim: int = 192
    layers: int = 4
    heads: int = 4
    inner: int = 768
    text_dim: int = 64
    text_layers: int = 2
    frames: int = 256


def build_language(config: LanguageConfig, codec: Any, words: int) -> Any:
    """transformers' MusicgenForConditionalGeneration around a codec, its language model and text encoder random.

    words: of the tokenizer. No code is `card`, as published models have it: start, padding and end alike.
    """
    from transformers import MusicgenConfig, MusicgenDecoderConfig, MusicgenForConditionalGeneration, T5Config

    card = codec.config.codebook_size
    text = T5Config(
        vocab_size=words, d_model=config.text_dim, d_kv=config.text_dim // 4, d_ff=2 * config.text_dim, num_heads=4,
        num_layers=config.text_layers, dropout_rate=0.0, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0,
    )  # fmt: skip
    decoder = MusicgenDecoderConfig(
        vocab_size=card, hidden_size=config.dim, num_hidden_layers=config.layers, num_attention_heads=config.heads,
        ffn_dim=config.inner, num_codebooks=codec.config.num_quantizers, audio_channels=1, dropout=0.0,
        attention_dropout=0.0, activation_dropout=0.0, pad_token_id=card, bos_token_id=card,
    )  # fmt: skip
    both = MusicgenConfig(
        text_encoder=text.to_dict(), audio_encoder=codec.config.to_dict(), decoder=decoder.to_dict()
    )
    model = MusicgenForConditionalGeneration(both)
    model.audio_encoder.load_state_dict(codec.state_dict())
    model.audio_encoder.requires_grad_(False)
    for held in (model.generation_config, model.decoder.generation_config):
        held.pad_token_id = held.bos_token_id = held.decoder_start_token_id = card
    model.generation_config.do_sample = True
    model.generation_config.guidance_scale = 3.0
    model.generation_config.max_length = config.frames
    return model


def text_states(model: Any, tokenizer: Any, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
    """(states [B, S, D] after the projection, mask [B, S]); an empty caption has states of zero."""
    read = tokenizer(list(captions), return_tensors="pt", padding=True)
    said = torch.tensor([bool(caption) for caption in captions])
    kept = read.attention_mask * said[:, None]
    states = model.enc_to_dec_proj(model.text_encoder(read.input_ids, read.attention_mask).last_hidden_state)
    return states * kept[..., None], torch.where(said[:, None], read.attention_mask, 1)


def code_logits(model: Any, codes: Tensor, states: Tensor, mask: Tensor) -> Tensor:
    """codes [B, K, T] with the text's states -> the logits of each code, given those before it, [B, K, T, card]."""
    batch, books, _ = codes.shape
    positions = delayed(codes, model.config.decoder.vocab_size)[..., :-1]
    logits = model.decoder(
        input_ids=positions.reshape(batch * books, -1), encoder_hidden_states=states, encoder_attention_mask=mask,
        use_cache=False,
    ).logits  # fmt: skip
    return undelayed_logits(logits.reshape(batch, books, logits.shape[-2], logits.shape[-1]))


def code_loss(logits: Tensor, codes: Tensor) -> Tensor:
    """Nats a code, mean over codebooks."""
    return cross_entropy(logits.float().flatten(0, 2), codes.flatten())
