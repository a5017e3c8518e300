"""The core attributes: some forty cues of emotion in music, for control, in units that a person can name.

EmoGen's hundred lack the strongest cues: loudness tells arousal better than any of them, and how major or minor a
piece sounds tells valence (docs/emogen.md has the figures). Every value here is a mean, a share or a rate, so that four
bars and a whole piece can be asked for the same; all are computed on notes in seconds, so one time base holds for every
corpus, whatever its files call a beat. Only `tempo` needs the beats and is given from outside.

Cues after Juslin & Laukka (Journal of New Music Research 33, 2004) and Eerola, Friberg & Bresin (Frontiers in
Psychology 4:487, 2013): loudness, rate, register, mode, articulation and their variability.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.score import harmony
from affectgen.score.cues import grid_steps, onset_pulse, top_line
from affectgen.score.notes import GRID_SECONDS, NoteArray

Floats = NDArray[np.float64]
Values = dict[str, float]

LONGEST_RATIO = 20.0  # of a note's length to the next onset: beyond, it is a pedal
LOW, HIGH = 48, 72  # C3 and C5: bass below, treble from here
DENSITY_SECONDS = 2.0  # windows in which density varies
MAJOR, MINOR, SEVENTHS = (0,), (1,), (4, 5, 6)  # places in harmony.CHORD_SHAPES
DEGREES = (
    "tonic", "flat second", "second", "minor third", "major third", "fourth", "tritone", "fifth", "minor sixth",
    "sixth", "minor seventh", "major seventh",
)  # fmt: skip


@dataclass(frozen=True)
class CoreAttribute:
    """A cue: its name, its unit, and what it says."""

    name: str
    unit: str
    meaning: str


def _share_of(name: str, meaning: str) -> CoreAttribute:
    return CoreAttribute(name, "share", meaning)


CORE: tuple[CoreAttribute, ...] = (
    CoreAttribute("velocity_mean", "MIDI velocity", "how loud"),
    CoreAttribute("velocity_sd", "MIDI velocity", "how unevenly loud"),
    CoreAttribute("velocity_low", "MIDI velocity", "its softest tenth"),
    CoreAttribute("velocity_high", "MIDI velocity", "its loudest tenth"),
    CoreAttribute("onset_density", "onsets a second", "how often something is struck"),
    CoreAttribute("note_density", "notes a second", "how many notes"),
    CoreAttribute("density_sd", "onsets a second", "how unevenly, in windows of two seconds"),
    CoreAttribute("chord_size", "notes an onset", "how thick"),
    CoreAttribute("gap", "seconds", "from onset to onset, geometric mean"),
    CoreAttribute("gap_spread", "octaves", "spread of its logarithm: how irregular"),
    CoreAttribute("length", "seconds", "of a note, geometric mean"),
    CoreAttribute("length_spread", "octaves", "spread of its logarithm"),
    CoreAttribute("articulation", "ratio", "length over the gap to the next onset: 1 legato, less detached"),
    CoreAttribute("pitch_mean", "MIDI pitch", "register"),
    CoreAttribute("pitch_sd", "semitones", "how spread over the keyboard"),
    CoreAttribute("pitch_low", "MIDI pitch", "its lowest twentieth"),
    CoreAttribute("pitch_high", "MIDI pitch", "its highest twentieth"),
    CoreAttribute("melody_pitch", "MIDI pitch", "mean of the top line"),
    _share_of("bass_share", "notes below C3"),
    _share_of("treble_share", "notes from C5 up"),
    CoreAttribute("polyphony", "notes", "sounding at once, where any does"),
    CoreAttribute("key_mode", "correlation", "best major key over best minor key: above 0 major"),
    CoreAttribute("key_clarity", "correlation", "of the best key"),
    *(_share_of(f"degree_{step}", f"sounding time of the {name}") for step, name in enumerate(DEGREES)),
    _share_of("chords_major", "time of chords that is plain major"),
    _share_of("chords_minor", "time of chords that is plain minor"),
    _share_of("chords_seventh", "time of chords that are sevenths"),
    CoreAttribute("dissonance", "share", "seconds (half counted) and tritones among intervals that sound"),
    _share_of("minor_windows", "seconds whose best triad is minor"),
    _share_of("triad_changes", "seconds at which the best triad changes"),
    _share_of("melody_steps", "moves of the top line by a second"),
    _share_of("melody_leaps", "moves by more than a major third"),
    _share_of("melody_repeats", "moves that stay"),
    CoreAttribute("pulse_clarity", "correlation", "how clear a pulse is"),
    CoreAttribute("tempo", "beats a minute", "median"),
)


def core_attributes(notes: NoteArray, tempo: float = np.nan) -> Floats:
    """The values of CORE [46] of a piece of any length; nan for a tempo that is not given, zeros for an empty piece.

    tempo: median beats per minute. Notes are read on the grid of 50 ms, whether they were quantised or played.
    """
    form = notes.from_zero().on_grid()
    if not len(form):
        return np.zeros(len(CORE))
    found: Values = {}
    for group in _GROUPS:
        found |= group(form)
    found["tempo"] = tempo
    return np.array([found[one.name] for one in CORE])


def _share(mask: NDArray[np.bool_]) -> float:
    return float(mask.mean()) if len(mask) else 0.0


def _loudness(notes: NoteArray) -> Values:
    force = notes.velocity.astype(np.float64)
    low, high = np.percentile(force, (10, 90))
    return {
        "velocity_mean": float(force.mean()), "velocity_sd": float(force.std()), "velocity_low": float(low),
        "velocity_high": float(high),
    }  # fmt: skip


def _rate(notes: NoteArray) -> Values:
    places = grid_steps(notes)
    steps = np.unique(places)
    length = max(notes.end, 1.0)
    gaps = np.diff(steps) * GRID_SECONDS if len(steps) > 1 else np.array([length])
    counts = np.bincount((steps * GRID_SECONDS // DENSITY_SECONDS).astype(np.int64)) / DENSITY_SECONDS
    after = np.append(gaps, gaps[-1])[np.searchsorted(steps, places)]  # of each note: to the onset after its own
    ratio = np.clip(notes.duration / after, 1 / LONGEST_RATIO, LONGEST_RATIO)
    return {
        "onset_density": len(steps) / length, "note_density": len(notes) / length,
        "density_sd": float(counts.std()), "chord_size": len(notes) / len(steps),
        "gap": float(np.exp(np.log(gaps).mean())), "gap_spread": float(np.log2(gaps).std()),
        "length": float(np.exp(np.log(notes.duration).mean())), "length_spread": float(np.log2(notes.duration).std()),
        "articulation": float(np.exp(np.log(ratio).mean())),
    }  # fmt: skip


def _register(notes: NoteArray) -> Values:
    pitch = notes.pitch.astype(np.float64)
    low, high = np.percentile(pitch, (5, 95))
    return {
        "pitch_mean": float(pitch.mean()), "pitch_sd": float(pitch.std()), "pitch_low": float(low),
        "pitch_high": float(high), "bass_share": _share(pitch < LOW), "treble_share": _share(pitch >= HIGH),
    }  # fmt: skip


def _texture(notes: NoteArray) -> Values:
    roll = harmony.sounding_roll(notes)
    sounding = roll.sum(axis=1)
    sets = harmony.pitch_class_sets(roll)
    chords, intervals = harmony.chord_shares(sets), harmony.interval_shares(sets)
    return {
        "polyphony": float(sounding[sounding > 0].mean()),
        "chords_major": float(chords[list(MAJOR)].sum()), "chords_minor": float(chords[list(MINOR)].sum()),
        "chords_seventh": float(chords[list(SEVENTHS)].sum()),
        "dissonance": float(intervals[0] + intervals[5] + 0.5 * intervals[1]),
    }  # fmt: skip


def _key(notes: NoteArray) -> Values:
    weights = harmony.pitch_class_weights(notes)
    key = harmony.key_of(weights)
    profile = np.roll(weights, -key.tonic) / weights.sum()  # [12], from the tonic up
    triads = harmony.window_triads(notes, key.tonic)
    return {
        "key_mode": key.major_score, "key_clarity": key.fit,
        **{f"degree_{step}": float(value) for step, value in enumerate(profile)},
        "minor_windows": _share(triads >= 12), "triad_changes": _share(np.diff(triads) != 0),
    }  # fmt: skip


def _melody(notes: NoteArray) -> Values:
    line = top_line(notes)
    size = np.abs(np.diff(line.pitch))
    return {
        "melody_pitch": float(line.pitch.mean()), "melody_steps": _share((size > 0) & (size <= 2)),
        "melody_leaps": _share(size > 4), "melody_repeats": _share(size == 0),
    }  # fmt: skip


def _pulse(notes: NoteArray) -> Values:
    return {"pulse_clarity": onset_pulse(notes)[0]}


_GROUPS: tuple[Callable[[NoteArray], Values], ...] = (_loudness, _rate, _register, _texture, _key, _melody, _pulse)
