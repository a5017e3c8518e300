"""Captions as the decoder reads them: the frozen text encoder's projected states, computed once for each caption."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

MOST_KEPT = 100_000_000  # numbers (400 MB); of musicgen-small 1024 for each token: the oldest make room


class TextStates:
    """encode: captions -> (states [B, S, D] after the projection to the decoder, mask [B, S]), without the affect."""

    def __init__(self, encode: Callable[[Sequence[str]], tuple[Tensor, Tensor]], most: int = MOST_KEPT) -> None:
        self.encode, self.most = encode, most
        self.kept: OrderedDict[str, Tensor] = OrderedDict()
        self.count = 0  # of numbers that are kept

    def __call__(self, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
        """States [B, S, D], zero beyond a caption's end and all along where it is empty, and the mask [B, S] (long)."""
        new = [text for text in dict.fromkeys(captions) if text and text not in self.kept]
        if new:
            with torch.no_grad():
                states, mask = self.encode(new)
            for text, row, length in zip(new, states, mask.sum(dim=1).tolist(), strict=True):
                self.kept[text] = row[: int(length)].clone()
                self.count += self.kept[text].numel()
        rows = [self.kept[text] if text else None for text in captions]
        for text in captions:
            if text:
                self.kept.move_to_end(text)
        while self.count > self.most and len(self.kept) > 1:
            self.count -= self.kept.popitem(last=False)[1].numel()
        return self._padded(rows)

    def _padded(self, rows: Sequence[Tensor | None]) -> tuple[Tensor, Tensor]:
        some = next((row for row in rows if row is not None), None)
        if some is None:
            some = self._any()
        longest = max([1, *(len(row) for row in rows if row is not None)])
        states = some.new_zeros(len(rows), longest, some.shape[1])
        mask = torch.zeros(len(rows), longest, dtype=torch.long, device=some.device)
        for index, row in enumerate(rows):
            if row is not None:
                states[index, : len(row)] = row
                mask[index, : len(row)] = 1
        return states, mask

    def _any(self) -> Tensor:
        """Some states, for their width and device, where no row of a batch has a caption."""
        if not self.kept:
            with torch.no_grad():
                return self.encode(["music"])[0][0]
        return next(iter(self.kept.values()))
