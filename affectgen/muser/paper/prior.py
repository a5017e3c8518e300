"""The paper's prior: an autoregressive model of one code a word, opened by the quadrant."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from affectgen.muser.paper.config import QUADRANTS, PaperConfig
from affectgen.nn.transformer import Cache, Transformer, TransformerConfig


class PaperPrior(nn.Module):
    """Codes of a piece, one a word, given its quadrant as the first token and nothing else.

    The paper draws 1024 codes whatever the length, those of the padding included; here a piece ends by a STOP of its
    own, one value above the codes. Published logits are divided by .3 in training and sampling alike: that is a matter
    of scale and is left out. The paper numbers only the codes in use; an unused one here just stays unlikely.
    """

    def __init__(self, config: PaperConfig) -> None:
        super().__init__()
        self.stop = config.codes
        self.emotion = nn.Embedding(len(QUADRANTS) + 1, config.prior_dim)
        self.codes = nn.Embedding(config.codes, config.prior_dim)
        self.stack = Transformer(
            TransformerConfig(config.prior_dim, config.prior_layers, config.prior_heads, dropout=config.dropout)
        )
        self.out = nn.Linear(config.prior_dim, config.codes + 1)

    def first(self, quadrant: Tensor, cache: Cache | None = None) -> Tensor:
        """Logits [B, codes + 1] of the first code."""
        return self.out(self.stack(self.emotion(quadrant)[:, None], cache=cache)[:, 0])

    def after(self, code: Tensor, cache: Cache) -> Tensor:
        """Logits [B, codes + 1] of the code after `code` [B]."""
        return self.out(self.stack(self.codes(code)[:, None], cache=cache)[:, 0])

    def forward(self, codes: Tensor, inside: Tensor, quadrant: Tensor) -> Tensor:
        """Negative log likelihood of codes [B, T] where inside [B, T], and of their end: nats per code, a scalar."""
        x = torch.cat([self.emotion(quadrant)[:, None], self.codes(codes)], dim=1)  # [B, T + 1, D]
        logits = self.out(self.stack(x))
        length = inside.sum(1)  # [B]
        place = torch.arange(x.shape[1], device=codes.device)
        target = F.pad(codes, (0, 1)).masked_fill(place == length[:, None], self.stop)  # [B, T + 1]
        counted = place <= length[:, None]
        return F.cross_entropy(logits.float()[counted], target[counted])
