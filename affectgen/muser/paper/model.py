"""The paper's VQ-VAE: one latent a word, one codebook, two-level decoder, element regulariser on vocabulary indices.

What stands for the published DR network: its MEAN variant, r = mean of a slice's 16 values (the DR network has 50 M
parameters and is not used once the model is trained).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.muser.paper.config import QUADRANTS, PaperConfig
from affectgen.muser.paper.decoder import ElementDecoders, GlobalDecoder
from affectgen.muser.paper.stream import PaperBatch
from affectgen.nn.quantiser import Quantised, Quantiser, QuantiserConfig
from affectgen.nn.transformer import Transformer, TransformerConfig
from affectgen.score.words import ELEMENTS, SIZES, Family, Field

IN_USE = 0.05  # a code counts as used above this share of the average one, as in nn.quantiser


@dataclass(frozen=True)
class PaperLosses:
    """total: what is minimised; elements: [7] nats per word; commitment and regulariser as they enter the total."""

    total: Tensor
    elements: Tensor
    commitment: Tensor
    regulariser: Tensor


class PaperModel(nn.Module):
    """Encoder, codebook and decoder as published, at the sizes of a PaperConfig.

    Departures, all of means and none of structure: softmax attention with rotary positions for linear attention;
    padding is masked everywhere; the vocabularies are the project's, in numeric order; no key event, as in the paper.
    """

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.config = config
        width = sum(config.embeddings)
        self.tables = nn.ModuleList(
            nn.Embedding(SIZES[name], size) for name, size in zip(ELEMENTS, config.embeddings, strict=True)
        )
        self.encoder_in = nn.Linear(width, config.dim)
        self.encoder = Transformer(
            TransformerConfig(config.dim, config.encoder_layers, config.heads, dropout=config.dropout, causal=False)
        )
        self.to_latent = nn.Linear(config.dim, config.latent)
        self.book = published_book(config)
        self.decoder_in = nn.Linear(width, config.dim)
        self.emotion = nn.Embedding(len(QUADRANTS) + 1, config.dim)
        self.globally = GlobalDecoder(config)
        self.elements = ElementDecoders(config)

    def embed(self, words: Tensor) -> Tensor:
        """Words [B, T, 7] -> their seven embeddings, scaled by the root of their widths, side by side [B, T, W]."""
        found = [
            table(words[..., column]) * width**0.5
            for column, (table, width) in enumerate(zip(self.tables, self.config.embeddings, strict=True))
        ]
        return torch.cat(found, dim=-1)

    def encode(self, words: Tensor) -> Quantised:
        """Words [B, T, 7] -> latents [B, T, 112] of the book, codes [B, T], commitment. Both ways, without emotion."""
        inside = words[..., Field.FAMILY] > Family.PAD  # [B, T]
        hidden = self.encoder(self.encoder_in(self.embed(words)), mask=inside[:, None, None])
        flat = self.to_latent(hidden).flatten(0, 1)[:, None]  # [B * T, 1, 112]
        found = self.book(flat, inside.flatten()[:, None].float())
        shape = words.shape[:2]
        return Quantised(found.vectors.view(*shape, -1), found.codes.view(shape), found.loss)

    def latents(self, codes: Tensor) -> Tensor:
        """The book's vectors [..., 112] of codes [...]."""
        return self.book.lookup(codes[..., None])[..., 0, :]

    def inputs(self, words: Tensor, quadrant: Tensor) -> Tensor:
        """What the global decoder reads to write words [B, T, 7]: the emotion, then all words but the last."""
        told = self.emotion(quadrant)[:, None]  # [B, 1, D]: emotion enters here and nowhere after
        return torch.cat([told, self.decoder_in(self.embed(words[:, :-1])).to(told.dtype)], dim=1)

    def decode(self, words: Tensor, quadrant: Tensor, latents: Tensor) -> list[Tensor]:
        """Logits of each element [B, T, V] with all words given (teacher forcing)."""
        mask = (words[..., Field.FAMILY] > Family.PAD)[:, None, None]
        states = self.globally(self.inputs(words, quadrant), self.globally.remember(latents), mask)
        family = self.tables[0](words[..., Field.FAMILY])
        hidden = self.elements(states, latents)
        return [self.elements.logits(element, hidden[element], family) for element in range(len(ELEMENTS))]

    def forward(self, batch: PaperBatch) -> PaperLosses:
        """Mean of the seven likelihoods + commitment + weighted regulariser."""
        words, inside = batch.words, batch.inside
        found = self.encode(words)
        logits = self.decode(words, batch.quadrant, found.vectors)
        targets = words[inside].unbind(-1)  # seven times [M]
        elements = torch.stack([
            F.cross_entropy(values.float()[inside], target) for values, target in zip(logits, targets, strict=True)
        ])  # fmt: skip
        order = self.config.regulariser * regularise(found.vectors, words, inside, self.config.slice_dim)
        return PaperLosses(elements.mean() + found.loss + order, elements, found.loss, order)

    @torch.no_grad()
    def likeliest_quadrant(self, words: Tensor, latents: Tensor) -> int:
        """The quadrant 0-3 under which the decoder finds words [T, 7] with latents [T, 112] most likely."""
        count = len(QUADRANTS)
        rows, memory = words.expand(count, -1, -1), latents.expand(count, -1, -1)
        quadrants = torch.arange(count, device=words.device)
        logits = self.decode(rows, quadrants, memory)
        scores = [
            values.float().log_softmax(-1).gather(-1, rows[..., element, None]).sum((1, 2))
            for element, values in enumerate(logits)
        ]
        return int(torch.stack(scores).sum(0).argmax())

    def usage(self) -> Tensor:
        """Share of the book's codes in use, a scalar, by the same threshold as the project's own books."""
        return (self.book.counts > IN_USE * self.book.counts.mean()).float().mean()


def published_book(config: PaperConfig) -> Quantiser:
    """The paper's codebook: small random vectors, no k-means, no restart, running totals that start empty.

    Because they start empty, the first batch puts each code that it uses on the mean of its words, and all others on
    the origin, from where only words that come near it can call them: the published book does the same. Early in
    training the codes in use fall to a few, and grow again as the regulariser drives the slices apart.
    """
    book = Quantiser(QuantiserConfig(1, config.codes, config.latent, restart_below=0.0, kmeans_steps=0))
    nn.init.xavier_uniform_(book.books[0])
    book.counts.zero_()
    book.sums.zero_()
    book.started.fill_(1.0)
    return book


def regularise(latents: Tensor, words: Tensor, inside: Tensor, slice_dim: int) -> Tensor:
    """The element regulariser as published: slices in the order of the vocabulary indices, place by place.

    Sum over elements e of the mean over ordered pairs of rows (j, k) and places t of
    |tanh(r_ejt - r_ekt) - sgn(x_ejt - x_ekt)|, r the mean of the slice, x the index. Latents [B, T, 7 * slice_dim]
    as quantised, words [B, T, 7], inside bool [B, T]: places that both rows have count (the paper counts padding too).
    """
    means = latents.float().unflatten(-1, (len(ELEMENTS), slice_dim)).mean(-1)  # [B, T, 7]
    gap = torch.tanh(means[:, None] - means) - torch.sign(words[:, None] - words).float()  # [B, B, T, 7]
    both = (inside[:, None] & inside).float()  # [B, B, T]
    return (gap.abs().sum(-1) * both).sum() / both.sum().clamp_min(1.0)
