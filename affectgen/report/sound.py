"""A sound, or the notes of a piece, over the emotion that is heard in it: one picture, whatever the length."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from affectgen.audio.files import PEAK, audio_info, blocks
from affectgen.errors import AudioError
from affectgen.recognize.curves import Window
from affectgen.recognize.reading import Reading, mean_reading
from affectgen.report import pianoroll
from affectgen.report.curve import IN_SECONDS, add_curve, clock, draw_curve, picture_bytes, shown_name, time_axis
from affectgen.report.spectrogram import LOWEST, OCTAVE, Sound, Spectrogram, colour_range, spectrogram
from affectgen.score.midi import read_notes
from affectgen.score.notes import NoteArray

if TYPE_CHECKING:
    from affectgen.recognize.rate import Rated

RATES = (8000, 48_000)  # samples a second at which files are read: their own, if it lies between
WIDTH = 11.0  # inches
TICKS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000)  # Hz
WIDE = 0.006  # of the roll's width: notes of that length have white edges and can still be seen
NARROWEST = 0.0012  # of the roll's width, so that a short note of a long piece can be seen at all


def draw_rated(rated: Rated, source: Path | bytes | str, kind: str = "png") -> bytes:
    """The picture of what `affectgen rate` says of one item with a curve: under the spectrogram of sound, under the
    piano roll of MIDI, else alone. source: what was rated; kind: "png", "svg" or "pdf". Errors as for reading it.
    """
    title = f"{rated.name} ({rated.kind})"
    if rated.kind == "text" or isinstance(source, str):
        return draw_curve(title, rated.curve, kind)
    if rated.kind == "midi":
        notes = read_notes(source).from_zero()
        return draw_sound(title, None, 0, rated.curve, kind=kind, roll=notes, overall=rated.reading)
    rate = int(np.clip(audio_info(source).rate, *RATES))
    return draw_sound(title, blocks(source, rate), rate, rated.curve, kind=kind, overall=rated.reading)


def draw_sound(
    title: str, sound: Sound | None, rate: int, curve: Sequence[Window], asked: Any = None, kind: str = "png",
    roll: NoteArray | None = None, overall: Reading | None = None,
) -> bytes:  # fmt: skip
    """One picture as bytes: the sound's envelope and spectrogram, the notes' piano roll, the emotion's curve below.

    sound: samples [N], frames [N, C] or blocks of either at `rate` a second, None for none; curve: windows, may be
    empty; asked: as `add_curve` takes it; kind: "png", "svg" or "pdf"; roll: notes in the sound's seconds, None for
    none; overall: the reading of the whole for the title, else the mean of the windows'. What is None or empty has no
    place in the picture. AudioError for no sample, one that is no number, or nothing at all to draw.
    """
    shown = None if sound is None else spectrogram(sound, rate)
    heights = ([0.45, 3.3] if shown else []) + ([2.7] if roll is not None else []) + ([2.5] if curve else [])
    if not heights:
        raise AudioError("There is nothing to draw: no sound, no notes, no curve.", "Give one of them.")
    seconds = max(shown.seconds if shown else 0.0, roll.end if roll is not None else 0.0, curve[-1].end if curve else 0)
    figure = Figure(figsize=(WIDTH, 1.0 + sum(heights)), layout="constrained")
    panels = iter(figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0])
    last: Axes | None = None
    if shown is not None:
        _draw_envelope(next(panels), shown)
        last = next(panels)
        _draw_levels(last, shown)
    if roll is not None:
        last = next(panels)
        _draw_roll(last, roll, seconds)
    if curve:
        add_curve(next(panels), curve, seconds, asked)
    elif last is not None:
        time_axis(last, seconds)
    figure.suptitle(_headline(title, seconds, curve, overall), fontsize=11, parse_math=False)
    return picture_bytes(figure, kind)


def _draw_envelope(axes: Axes, shown: Spectrogram) -> None:
    """The least and greatest samples over time, as high as the strip; a line where there is silence."""
    time = (np.arange(len(shown.low)) + 0.5) * shown.step
    axes.fill_between(time, shown.low, shown.high, color="0.45", lw=0.5)
    high = max(shown.peak, PEAK)
    axes.set(ylim=(-1.05 * high, 1.05 * high), yticks=[])
    axes.tick_params(bottom=False)
    axes.spines[:].set_visible(False)
    label = f"mono peak\n{round(20 * np.log10(shown.peak), 1) + 0.0:.1f} dB" if shown.peak > 0 else "no signal"
    axes.set_ylabel(label, fontsize=8, rotation=0, ha="right", va="center", color="0.35")


def _draw_levels(axes: Axes, shown: Spectrogram) -> None:
    """The bands as colours over the frequencies in Hz, and the notes C at the right."""
    bottom, top = colour_range(shown.levels)
    bands, columns = shown.levels.shape
    image = axes.imshow(
        shown.levels, origin="lower", aspect="auto", cmap="magma", vmin=bottom, vmax=top,
        extent=(0, columns * shown.step, -0.5, bands - 0.5),
    )  # fmt: skip
    ticks = [hertz for hertz in TICKS if hertz <= shown.hertz[-1]]
    axes.set_yticks(_rows(ticks), [f"{hertz // 1000}k" if hertz >= 1000 else str(hertz) for hertz in ticks])
    axes.set_ylabel("Hz")
    notes = [(f"C{octave}", 440 * 2 ** (octave - 4 - 9 / 12)) for octave in range(2, 8)]
    heard = [(name, hertz) for name, hertz in notes if hertz <= shown.hertz[-1]]
    right = axes.secondary_yaxis("right")
    right.set_yticks(_rows([hertz for _, hertz in heard]), [name for name, _ in heard])
    right.tick_params(labelsize=7, colors="0.55", length=2, pad=1.5)
    axes.figure.colorbar(image, ax=axes, label="dB of full scale", pad=0.012, fraction=0.03, aspect=28)
    if shown.peak < PEAK:
        axes.text(0.5, 0.5, "silence", transform=axes.transAxes, color="0.8", ha="center", va="center", fontsize=14)


def _rows(hertz: Sequence[float]) -> list[float]:
    """Where frequencies lie among the bands."""
    return (OCTAVE * np.log2(np.asarray(hertz, dtype=np.float64) / LOWEST)).tolist()


def _draw_roll(axes: Axes, notes: NoteArray, seconds: float) -> None:
    """The notes as boxes over seconds, louder is darker."""
    rows = np.stack([notes.onset, notes.onset + notes.duration, notes.pitch, notes.velocity], axis=1, dtype=np.float64)
    wide = bool(len(rows)) and float(np.median(notes.duration)) > WIDE * seconds
    pianoroll.add_notes(axes, rows, narrowest=NARROWEST * seconds, edge=0.3 if wide else 0.0)
    axes.set_ylabel("pitch")
    loudness = ScalarMappable(Normalize(pianoroll.SOFT, pianoroll.LOUD), pianoroll.COLOURS)
    axes.figure.colorbar(loudness, ax=axes, label="velocity", pad=0.012, fraction=0.03, aspect=28)


def _headline(title: str, seconds: float, curve: Sequence[Window], overall: Reading | None) -> str:
    """Two lines: the name; how long it is and what is heard in all of it."""
    heard = [(window.reading, window.end - window.start) for window in curve if window.reading is not None]
    reading, what = overall, "overall"
    if reading is None and heard:
        reading, what = mean_reading([one for one, _ in heard], [length for _, length in heard]), "mean"
    parts = [f"{seconds:.1f} s" if seconds < IN_SECONDS else clock(seconds)]
    if reading is not None:
        affect = reading.affect
        parts += [f"{what} valence {affect.valence:+.2f}, arousal {affect.arousal:+.2f}"]
        parts += [f"{', '.join(affect.nearest_words(3))} ({reading.quadrant})"]
    elif curve:
        parts += ["nothing to read"]
    return f"{shown_name(title)}\n{'   ·   '.join(parts)}"
