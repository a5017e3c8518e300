"""The outline of a sound, small enough for a page of hundreds: its peaks in columns, as one path."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectgen.report.gallery_roll import HIGH, WIDE

COLUMNS = 240


def peaks(sound: Path) -> NDArray[np.float64]:
    """The largest magnitude of each of COLUMNS equal parts of a sound, over its channels; 0 where a part is empty.

    The sound is read in blocks, so that any length will do. AudioError where it is no sound.
    """
    from affectgen.audio.files import audio_info, frames_of

    info = audio_info(sound)
    total = max(round(info.seconds * info.rate), 1)
    found = np.zeros(COLUMNS)
    at = 0
    for block in frames_of(sound, info.rate):
        columns = np.minimum((at + np.arange(len(block))) * COLUMNS // total, COLUMNS - 1)
        np.maximum.at(found, columns, np.abs(block).max(axis=1))
        at += len(block)
    return found


def wave_svg(sound: Path, seconds: float) -> str:
    """The outline, the loudest place as high as the picture. AudioError where it is no sound."""
    found = peaks(sound)
    scale = HIGH / 2 / max(float(found.max()), 1e-6)
    step = WIDE / COLUMNS
    marks = "".join(f"M{(n + 0.5) * step:g} {HIGH / 2 - peak * scale:.1f}V{HIGH / 2 + peak * scale:.1f}"
                    for n, peak in enumerate(found) if peak > 0)  # fmt: skip
    return "\n".join((
        f'<svg class="roll" viewBox="0 0 {WIDE} {HIGH}" preserveAspectRatio="none" role="img" '
        f'data-seconds="{seconds:.2f}" aria-label="Outline of the sound">',
        f'<path class="v3" stroke-width="{step * 0.7:g}" d="{marks}"/>',
        f'<line class="now" x1="0" x2="0" y1="0" y2="{HIGH}"/>', "</svg>",
    ))  # fmt: skip
