"""The codec: transformers' EnCodec, small, trained from scratch for piano by spectral losses, without adversaries.

After Defossez et al., "High Fidelity Neural Audio Compression" (2022). transformers' quantiser does not learn, so the
project's does in its place (`affectgen/nn/quantiser.py`), one book after another on what the ones before left over; at
the end its books are put into transformers' layers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from affectgen.audio.spectrum import mel_triangles
from affectgen.medicine.musicgen.small.data import RATE
from affectgen.nn.quantiser import Quantiser, QuantiserConfig

WINDOWS = (256, 1024, 4096)  # samples, of the spectra that are compared; hops are a quarter
MELS = {256: 32, 1024: 80}  # bands that a spectrum is summed to; of the longest window all bins up to TONES count
TONES = 4200.0  # Hz: above the highest key of a piano
MEL_BAND = (30.0, 7900.0)  # Hz
POWER = 0.3  # that magnitudes are raised to, about as loudness is (Stevens)
QUIET = 1e-6  # squared magnitude below which differences are not heard
ABOVE = 1e-4  # kbit/s that the stated rate is above the true one: transformers rounds down to whole books


@dataclass(frozen=True)
class CodecConfig:
    """ratios: of each upsampling, whose product is the samples of a frame; filters: channels at the full rate, doubled
    at every stage; dim: of a frame's vector; books, codes: of the residual quantiser; lstm: layers."""

    ratios: tuple[int, ...] = (1, 5, 8, 16)
    filters: int = 16
    dim: int = 64
    books: int = 4
    codes: int = 512
    lstm: int = 1

    @property
    def frame(self) -> int:
        """Samples of a frame."""
        return math.prod(self.ratios)


def build_codec(config: CodecConfig) -> Any:
    """transformers' EncodecModel of these sizes, with random weights."""
    from transformers import EncodecConfig, EncodecModel

    kbps = config.books * math.log2(config.codes) * RATE / config.frame / 1000
    made = EncodecConfig(
        target_bandwidths=[round(kbps + ABOVE, 4)], sampling_rate=RATE, audio_channels=1, normalize=False,
        hidden_size=config.dim, num_filters=config.filters, num_residual_layers=1, num_lstm_layers=config.lstm,
        upsampling_ratios=list(config.ratios), codebook_size=config.codes, codebook_dim=config.dim, kernel_size=7,
        last_kernel_size=7, use_causal_conv=False, use_conv_shortcut=False, norm_type="weight_norm",
    )  # fmt: skip
    return EncodecModel(made)


class Coder(nn.Module):
    """An EncodecModel whose quantiser learns."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.config = config
        self.model = build_codec(config)
        with torch.no_grad():  # music is far softer than full scale
            for conv, times in ((self.model.encoder.layers[0].conv, 10.0), (self.model.decoder.layers[-1].conv, 0.2)):
                conv.parametrizations.weight.original0.mul_(times)
        one = QuantiserConfig(1, config.codes, config.dim, commitment=1.0, restart_below=0.02)
        self.books = nn.ModuleList([Quantiser(one) for _ in range(config.books)])

    def forward(self, sound: Tensor, quantised: bool = True) -> tuple[Tensor, Tensor]:
        """sound [B, 1, N], N a number of whole frames -> (what is heard of it [B, 1, N], the commitment loss)."""
        vectors = self.model.encoder(sound)  # [B, D, T]
        loss = vectors.new_zeros(())
        if quantised:
            vectors, loss = self.quantise(vectors)
        return self.model.decoder(vectors)[..., : sound.shape[-1]], loss

    def quantise(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """vectors [B, D, T] -> (their nearest sums of book vectors, straight through; the commitment loss)."""
        flat = vectors.transpose(1, 2).reshape(-1, 1, vectors.shape[1])
        left, total, loss = flat, torch.zeros_like(flat), flat.new_zeros(())
        for book in self.books:
            found = book(left)
            chosen = found.vectors.detach()
            left, total, loss = left - chosen, total + chosen, loss + found.loss
        near = flat + (total - flat).detach()
        return near.reshape(vectors.shape[0], -1, vectors.shape[1]).transpose(1, 2), loss

    def finished(self) -> Any:
        """The EncodecModel with the learned books in its own layers."""
        with torch.no_grad():
            for layer, book in zip(self.model.quantizer.layers, self.books, strict=True):
                layer.codebook.embed.copy_(book.books[0])  # type: ignore[index]
                layer.codebook.embed_avg.copy_(book.sums[0])  # type: ignore[index]
                layer.codebook.cluster_size.copy_(book.counts[0])  # type: ignore[index]
        return self.model.eval()

    def usage(self) -> list[float]:
        """Share of codes in use, of each book."""
        return [float(book.usage()[0]) for book in self.books]  # type: ignore[operator]


class SpectralLoss(nn.Module):
    """Distance of two sounds: their spectra over three lengths of time, as loudness goes, and a little of the waveform.
    """

    def __init__(self, waveform: float = 0.2) -> None:
        """waveform: weight of the waveform's mean absolute error, relative to that of silence."""
        super().__init__()
        self.waveform = waveform
        for size in WINDOWS:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)
        for size, bands in MELS.items():
            hertz = np.arange(size // 2 + 1) * (RATE / size)
            triangles = torch.from_numpy(mel_triangles(MEL_BAND, bands, hertz).T.copy()).float()  # [bins, bands]
            self.register_buffer(f"mel_{size}", triangles, persistent=False)

    def forward(self, heard: Tensor, wanted: Tensor) -> Tensor:
        """heard, wanted [B, 1, N] -> scalar."""
        pairs = zip(self.spectra(heard), self.spectra(wanted), strict=True)
        spectral = torch.stack([(one - other).abs().mean() for one, other in pairs]).mean()
        wave = (heard - wanted).abs().mean() / (wanted.abs().mean() + 1e-3)
        return spectral + self.waveform * wave

    def spectra(self, sound: Tensor) -> Iterator[Tensor]:
        """Loudness-like spectra [B, T, F] over each length of time."""
        for size in WINDOWS:
            window = getattr(self, f"window_{size}")
            found = torch.stft(sound[:, 0], size, size // 4, window=window, return_complex=True)
            power = (found.real.square() + found.imag.square()).transpose(1, 2) * (4 / size)  # [B, T, F]
            power = power @ getattr(self, f"mel_{size}") if size in MELS else power[..., : int(TONES * size / RATE)]
            yield (power + QUIET).pow(POWER / 2)
