"""About a hundred statistics of a piece's notes, by which judge, guide, recogniser and distance read music.

Every statistic is computed on the judging form of the piece (from the first note, 30 s, 50 ms grid), is finite for
any piece down to an empty one, and takes its name from `FEATURES`. Which ones matter for emotion is known from EMOPIA
(Hung et al., ISMIR 2021) and from jSymbolic's catalogue (McKay et al., ISMIR 2018): loudness and density for arousal,
mode and harmony for valence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from affectgen.score import harmony
from affectgen.score.cues import grid_steps, onset_pulse, top_line
from affectgen.score.notes import GRID_SECONDS, NoteArray

Floats = NDArray[np.float64]
Values = dict[str, float]

VELOCITY_PREFIX = "velocity_"  # statistics without meaning where every note has one velocity


def _moments(name: str, values: Floats, points: Sequence[int] = ()) -> Values:
    """Mean, standard deviation and percentiles; zeros when there are no values."""
    if not len(values):
        values = np.zeros(1)
    found = {f"{name}_mean": float(values.mean()), f"{name}_sd": float(values.std())}
    for point, value in zip(points, np.percentile(values, points) if points else (), strict=True):
        found[f"{name}_p{point}"] = float(value)
    return found


def _share(mask: NDArray[np.bool_]) -> float:
    return float(mask.mean()) if len(mask) else 0.0


def _correlation(first: Floats, second: Floats) -> float:
    spread = float(first.std() * second.std()) if len(first) > 1 else 0.0
    return float(((first - first.mean()) * (second - second.mean())).mean() / spread) if spread > 1e-9 else 0.0


def _velocity(notes: NoteArray) -> Values:
    force = notes.velocity.astype(np.float64)
    found = _moments("velocity", force, (10, 50, 90))
    change = np.abs(np.diff(force))
    found |= _moments("velocity_change", change)
    line = top_line(notes)
    found["velocity_top_accent"] = float(line.velocity.mean() - force.mean()) if len(notes) else 0.0
    found["velocity_by_pitch"] = _correlation(force, notes.pitch.astype(np.float64))
    found["velocity_trend"] = _correlation(force, notes.onset)
    return found


def _time(notes: NoteArray) -> Values:
    steps, sizes = np.unique(grid_steps(notes), return_counts=True)
    length = max(notes.end, 1.0)
    gaps = np.log(np.clip(np.diff(steps) * GRID_SECONDS, GRID_SECONDS, None))  # log seconds
    found = {"onsets_per_second": len(steps) / length, "notes_per_second": len(notes) / length}
    found |= _moments("notes_per_onset", sizes.astype(np.float64))
    found["single_onsets"] = _share(sizes == 1)
    found["thick_onsets"] = _share(sizes >= 4)
    found |= _moments("gap", gaps, (10, 50, 90))
    found["gap_change"] = float(np.abs(np.diff(gaps)).mean()) if len(gaps) > 1 else 0.0
    found["short_gaps"] = _share(gaps < np.log(0.18))
    found["long_gaps"] = _share(gaps > np.log(0.6))
    found |= _moments("length", np.log(np.clip(notes.duration, GRID_SECONDS, None)), (10, 50, 90))
    counts = np.bincount((steps * GRID_SECONDS // 2).astype(np.int64)) if len(steps) else np.zeros(1)
    found["density_sd"] = float(np.std(counts / 2.0))  # onsets per second in windows of two seconds
    if len(steps) > 1:
        next_gap = np.append(np.diff(steps), steps[-1] - steps[-2]) * GRID_SECONDS
        ratio = notes.duration / next_gap[np.searchsorted(steps, grid_steps(notes))]
        found |= _moments("legato", np.log(np.clip(ratio, 0.1, 20.0)))
    else:
        found |= _moments("legato", np.zeros(0))
    return found


def _register(notes: NoteArray) -> Values:
    pitch = notes.pitch.astype(np.float64)
    found = _moments("pitch", pitch, (5, 50, 95))
    found["pitch_range"] = float(np.ptp(pitch)) if len(pitch) else 0.0
    found["pitch_skew"] = float(3 * (pitch.mean() - np.median(pitch)) / (pitch.std() + 1.0)) if len(pitch) else 0.0
    for name, low, high in (("low", 0, 48), ("tenor", 48, 60), ("alto", 60, 72), ("high", 72, 128)):
        found[f"register_{name}"] = _share((pitch >= low) & (pitch < high))
    found["pitches_used"] = float(len(np.unique(pitch)))
    found["pitch_classes_used"] = float(len(np.unique(notes.pitch % 12)))
    return found


def _texture(notes: NoteArray) -> Values:
    roll = harmony.sounding_roll(notes)
    sounding = roll.sum(axis=1).astype(np.float64)
    found = _moments("polyphony", sounding[sounding > 0])
    found["silence"] = _share(sounding == 0)
    sets = harmony.pitch_class_sets(roll)
    found |= {f"chord_{n}": float(v) for n, v in zip(harmony.CHORD_SHAPES, harmony.chord_shares(sets), strict=True)}
    intervals = harmony.interval_shares(sets)
    found |= {f"interval_{size}": float(value) for size, value in enumerate(intervals, start=1)}
    found["dissonance"] = float(intervals[0] + intervals[5] + 0.5 * intervals[1])
    return found


def _key(notes: NoteArray) -> Values:
    weights = harmony.pitch_class_weights(notes)
    key = harmony.key_of(weights)
    profile = np.roll(weights, -key.tonic) / max(float(weights.sum()), 1e-9)  # [12], from the tonic up
    found = {f"degree_{step}": float(value) for step, value in enumerate(profile)}
    found["major_score"] = key.major_score
    found["minor_key"] = float(key.minor)
    found["key_fit"] = key.fit
    found["pitch_class_entropy"] = float(-(profile * np.log(profile + 1e-9)).sum()) if len(notes) else 0.0
    triads = harmony.window_triads(notes, key.tonic)
    minor, root = triads >= 12, triads % 12
    found["triads_minor"] = _share(minor)
    for name, degree in (("tonic", 0), ("second", 2), ("fourth", 5), ("fifth", 7), ("sixth", 9)):
        found[f"triads_{name}"] = _share(root == degree)
    found["triads_flat"] = _share((root == 3) | (root == 8) | (root == 10))  # the minor mode's own major chords
    found["triad_changes"] = _share(np.diff(triads) != 0)
    first_minor = minor[0] if len(minor) else False
    found["opening_minor"] = float(first_minor)
    return found


def _melody(notes: NoteArray) -> Values:
    line = top_line(notes)
    pitch = line.pitch.astype(np.float64)
    found = _moments("melody_pitch", pitch)
    found["melody_range"] = float(np.ptp(pitch)) if len(pitch) else 0.0
    moves = np.diff(pitch)
    size = np.abs(moves)
    found |= _moments("melody_interval", size)
    found["melody_repeats"] = _share(size == 0)
    found["melody_steps"] = _share((size > 0) & (size <= 2))
    found["melody_thirds"] = _share((size > 2) & (size <= 4))
    found["melody_octaves"] = _share(size == 12)
    found["melody_rises"] = _share(moves > 0)
    found["melody_turns"] = _share(np.diff(np.sign(moves)) != 0)
    found["melody_share"] = len(line) / max(1, len(notes))
    return found


def _pulse(notes: NoteArray) -> Values:
    clarity, period, spread = onset_pulse(notes)
    return {"pulse_clarity": clarity, "pulse_period": period, "pulse_spread": spread}


_GROUPS: tuple[Callable[[NoteArray], Values], ...] = (_velocity, _time, _register, _texture, _key, _melody, _pulse)


def describe(notes: NoteArray) -> Values:
    """All statistics of one piece by name. The piece may be in any form; it is brought to the judging form first."""
    form = notes.for_judging()
    found: Values = {}
    for group in _GROUPS:
        found |= group(form)
    return found


def feature_names() -> tuple[str, ...]:
    """The names of the columns that `feature_table` gives, in their order."""
    return tuple(describe(NoteArray.of([], [], [], [])))


def feature_table(pieces: Sequence[NoteArray]) -> Floats:
    """Statistics of several pieces, float64 [pieces, features], columns as in `feature_names`."""
    if not len(pieces):
        return np.zeros((0, len(feature_names())))
    return np.asarray([list(describe(piece).values()) for piece in pieces], dtype=np.float64)


def has_dynamics(notes: NoteArray) -> bool:
    """Whether velocities differ at all; where they do not, the statistics named `velocity_*` say nothing."""
    return bool(len(notes) and np.ptp(notes.velocity) > 0)
