"""Vector quantiser with moving-average codebooks, a k-means start and dead-code restart; several codebooks at once.

After van den Oord et al. (2017) and Razavi et al. (2019); restarts as in Jukebox (Dhariwal et al., 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from affectgen.nn.distributed import share_first, sum_over_workers


@dataclass(frozen=True)
class QuantiserConfig:
    """`books` codebooks of `codes` vectors of width `dim`; `sizes` gives some books fewer codes than that."""

    books: int
    codes: int
    dim: int
    decay: float = 0.99
    commitment: float = 0.25
    restart_below: float = 0.05  # a code used less often than this share of the average one is moved
    kmeans_steps: int = 10
    sizes: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Quantised:
    """vectors: straight-through values as given in; codes: int64 [..., G]; loss: commitment, a scalar."""

    vectors: Tensor
    codes: Tensor
    loss: Tensor


class Quantiser(nn.Module):
    """Product quantiser: book g quantises slice g of [..., G, dim] on its own.

    Counts and sums are buffers, updated in training by `forward`; gradients pass straight through.
    """

    books: Tensor
    counts: Tensor
    sums: Tensor
    started: Tensor
    missing: Tensor

    def __init__(self, config: QuantiserConfig) -> None:
        super().__init__()
        self.config = config
        self.learning = True
        shape = (config.books, config.codes, config.dim)
        self.register_buffer("books", torch.randn(shape) * 0.1)
        self.register_buffer("counts", torch.ones(config.books, config.codes))
        self.register_buffer("sums", self.books.clone())
        self.register_buffer("started", torch.zeros(()))
        sizes = torch.tensor(config.sizes if config.sizes is not None else (config.codes,) * config.books)
        missing = torch.arange(config.codes) >= sizes[:, None]  # [G, codes]: places that a smaller book lacks
        self.register_buffer("missing", missing, persistent=False)

    def freeze(self) -> None:
        """Keep the books as they are from now on, in training too."""
        self.learning = False

    def nearest(self, slices: Tensor) -> Tensor:
        """Codes int64 [N, G] of the book vectors nearest to slices [N, G, dim]."""
        x = slices.transpose(0, 1)  # [G, N, dim]
        with torch.autocast(x.device.type, enabled=False):  # bfloat16 would confuse near codes
            distance = self.books.pow(2).sum(-1)[:, None] - 2 * x.float() @ self.books.transpose(1, 2)
        return distance.masked_fill(self.missing[:, None], torch.inf).argmin(-1).transpose(0, 1)

    def lookup(self, codes: Tensor) -> Tensor:
        """Vectors [..., G, dim] of codes int64 [..., G]."""
        group = torch.arange(self.config.books, device=codes.device)
        return self.books[group, codes]

    def forward(self, slices: Tensor, weight: Tensor | None = None) -> Quantised:
        """Quantise slices [N, G, dim]; weight [N, G] says how often each counts (0: not at all)."""
        x = slices.float()
        counted = torch.ones(x.shape[:2], device=x.device) if weight is None else weight.float()
        if self.training and self.learning:
            if not self.started:
                self._start(x.detach(), counted)
            codes = self.nearest(x.detach())
            self._update(x.detach(), codes, counted)
        else:
            codes = self.nearest(x.detach())
        chosen = self.lookup(codes)  # [N, G, dim]
        error = ((x - chosen.detach()).pow(2).mean(-1) * counted).sum() / counted.sum().clamp_min(1e-6)
        return Quantised(x + (chosen - x).detach(), codes, self.config.commitment * error)

    @torch.no_grad()
    def _start(self, x: Tensor, counted: Tensor) -> None:
        """k-means on the first batch, from randomly drawn slices."""
        self._draw(x, counted, torch.ones_like(self.counts, dtype=torch.bool))
        for _ in range(self.config.kmeans_steps):
            counts, sums = self._totals(x, self.nearest(x), counted)
            self.books.copy_(torch.where(counts[..., None] > 0, sums / counts.clamp_min(1e-6)[..., None], self.books))
        self.counts.copy_(counts)
        self.sums.copy_(self.books * counts[..., None])
        self.started.fill_(1.0)

    @torch.no_grad()
    def _update(self, x: Tensor, codes: Tensor, counted: Tensor) -> None:
        """Move the books toward the slices they stand for, and dead codes onto slices drawn from the batch."""
        counts, sums = self._totals(x, codes, counted)
        self.counts.lerp_(counts, 1 - self.config.decay)
        self.sums.lerp_(sums, 1 - self.config.decay)
        self.books.copy_(self.sums / self.counts.clamp_min(1e-6)[..., None])
        dead = self._dead()
        if dead.any():
            error = (x - self.lookup(codes)).pow(2).sum(-1)  # [N, G]: restart where the book fits worst
            self._draw(x, counted * (error + 1e-8), dead)

    def _dead(self) -> Tensor:
        """Codes [G, codes] used less often than the restart threshold, the places of smaller books left out."""
        real = (~self.missing).float()
        average = (self.counts * real).sum(-1, keepdim=True) / real.sum(-1, keepdim=True)
        return (self.counts < self.config.restart_below * average) & ~self.missing

    def _totals(self, x: Tensor, codes: Tensor, counted: Tensor) -> tuple[Tensor, Tensor]:
        """How often each code was chosen [G, codes] and the sum of its slices [G, codes, dim]."""
        flat = codes + torch.arange(self.config.books, device=codes.device) * self.config.codes  # [N, G]
        counts = torch.zeros(self.config.books * self.config.codes, device=x.device)
        counts.index_add_(0, flat.reshape(-1), counted.reshape(-1))
        sums = torch.zeros(len(counts), self.config.dim, device=x.device)
        sums.index_add_(0, flat.reshape(-1), (x * counted[..., None]).reshape(-1, self.config.dim))
        sum_over_workers(counts, sums)
        return counts.view_as(self.counts), sums.view_as(self.books)

    def _draw(self, x: Tensor, weights: Tensor, where: Tensor) -> None:
        """Replace the book vectors `where` [G, codes] by slices drawn from the batch by weights [N, G]."""
        for group in where.any(-1).nonzero().flatten().tolist():
            weight = weights[:, group]
            drawable = (weight.sum() > 0).float()
            share_first(drawable)  # the first process's slices are taken by all, so all must agree that it has some
            if not drawable:
                continue
            lost = where[group].nonzero().flatten()
            if weight.sum() > 0:
                pick = torch.multinomial(weight, len(lost), replacement=True)
                fresh = x[pick, group] + 1e-3 * torch.randn(len(lost), x.shape[-1], device=x.device)
            else:
                fresh = torch.zeros(len(lost), x.shape[-1], device=x.device)
            typical = self.counts[group].mean().clamp_min(1e-3)
            share_first(fresh)
            self.books[group, lost] = fresh
            self.counts[group, lost] = typical
            self.sums[group, lost] = fresh * typical

    def usage(self) -> Tensor:
        """Share [G] of codes in use: those above the restart threshold."""
        real = ~self.missing
        return (real & ~self._dead()).sum(-1) / real.sum(-1)
