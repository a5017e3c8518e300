"""The sizes of a MusicGen that trains in a second. Its own module: `tests` may be another package's name, too."""

from __future__ import annotations

from affectgen.medicine.musicgen.small.codec import CodecConfig
from affectgen.medicine.musicgen.small.language import LanguageConfig

CODEC = CodecConfig(ratios=(8, 20), filters=4, dim=8, books=2, codes=16)
LANGUAGE = LanguageConfig(dim=16, layers=1, heads=2, inner=32, text_dim=8, text_layers=1, frames=24)
