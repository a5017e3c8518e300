"""A piece's notes, small enough for a page of hundreds: whole numbers, and a picture of one path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from affectgen.score.midi import read_notes

WIDE, HIGH = 480, 90  # of the picture, in its own units
MARGIN = 2  # pitches above and below


@dataclass(frozen=True)
class Roll:
    """rows: of each note onset and duration in milliseconds, pitch, velocity; seconds: to the end of the last one."""

    rows: tuple[tuple[int, int, int, int], ...]
    seconds: float


def read_roll(path: Path) -> Roll:
    """The notes of a MIDI file. MidiError where it is none."""
    notes = read_notes(path)
    columns = zip(notes.onset, notes.duration, notes.pitch, notes.velocity, strict=True)
    rows = sorted((round(1000 * float(o)), max(1, round(1000 * float(d))), int(p), int(v)) for o, d, p, v in columns)
    return Roll(tuple(rows), max((o + d for o, d, _, _ in rows), default=0) / 1000)


def roll_svg(roll: Roll) -> str:
    """Pitch over time; louder notes are darker."""
    if not roll.rows:
        return '<p class="facts">no notes</p>'
    low = min(row[2] for row in roll.rows) - MARGIN
    high = max(row[2] for row in roll.rows) + MARGIN
    step = HIGH / (high - low + 1)
    scale = WIDE / (1000 * roll.seconds)
    levels: dict[int, list[str]] = {}
    for onset, duration, pitch, velocity in roll.rows:
        y = (high - pitch + 0.5) * step
        levels.setdefault(min(velocity // 32, 3), []).append(
            f"M{onset * scale:.1f} {y:.1f}h{max(duration * scale, 1):.1f}"
        )
    paths = [f'<path class="v{level}" stroke-width="{max(step * 0.8, 1):.1f}" d="{"".join(marks)}"/>'
             for level, marks in sorted(levels.items())]  # fmt: skip
    return "\n".join((
        f'<svg class="roll" viewBox="0 0 {WIDE} {HIGH}" preserveAspectRatio="none" role="img" '
        f'data-seconds="{roll.seconds:.2f}" '
        f'aria-label="Piano roll, {len(roll.rows)} notes">', *paths,
        f'<line class="now" x1="0" x2="0" y1="0" y2="{HIGH}"/>', "</svg>",
    ))  # fmt: skip
