"""Make the bank of the built-in piano from a SoundFont's grand piano: `python -m affectgen.audio.repack --help`.

The font is played by FluidSynth, dry: each of its samples once, at the key it was recorded at and at the top velocity
of its layer, and cut off after some seconds. How loud and how bright softer notes are, and how fast the damper stops
them, is measured on further notes and kept in the index, so that the built-in piano plays as FluidSynth does.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.audio.bank import HOME, INDEX, LEVEL_SECONDS, SAMPLES, dulled
from affectgen.audio.compare import mel_distance, mono
from affectgen.audio.files import Frames, resampled
from affectgen.audio.fluid import play_fluid
from affectgen.audio.fonts import font_digest
from affectgen.audio.soundfont import Zone, zones
from affectgen.score.messages import Timeline

RATE = 44100  # at which the font is recorded
BANK_RATE = 32000  # of the bank: nothing of these recordings lies above 16 kHz
GRID = 64  # FluidSynth starts notes at multiples of so many samples
QUIET = -60.0  # dB from the loudest tenth of a second, under which a tone is cut
HEADROOM = 0.98
MEASURED = (3, 8, 15, 25, 35, 45, 55, 65, 74, 75, 85, 91, 97, 102, 107, 108, 113, 118, 122, 127)  # velocities
CUTOFFS = np.geomspace(180, 14000, 48)  # Hz, tried
WEIGHTS = np.arange(-0.2, 1.21, 0.1)  # of the higher node, tried
AFTER = 8.0  # seconds beyond the end of what is kept of a tone, in which its further fall is measured
FALLS = ((48, 72, 108), (2.0, 3.5, 7.0), (20.0, 30.0, 60.0))  # keys, and over them least and greatest fall, dB a second
AUDIBLE = -75.0  # dB from the start of a tone
LEAST_RELEASE = 6.0  # dB a second; the highest strings have no dampers
SMOOTHED = 5  # neighbouring tones over which cutoffs are smoothed


@dataclass(frozen=True)
class Plan:
    """Of one layer. top: its highest velocity; nodes: velocities at which tones are made; seconds: longest tone; bits:
    of its samples; step: every so manieth sample of the font is kept."""

    top: int
    nodes: tuple[int, ...]
    seconds: float
    bits: int
    step: int


PLANS = (
    Plan(107, (25, 45, 65, 85, 97, 107), 4.2, 14, 1),
    Plan(127, (108, 113, 118, 127), 3.6, 13, 1),
)


def main(words: Sequence[str] | None = None) -> None:
    """Record, measure, write."""
    parser = argparse.ArgumentParser(prog="python -m affectgen.audio.repack", description=__doc__)
    parser.add_argument("--soundfont", type=Path, required=True, help="MuseScore_General_Full.sf2, or one like it.")
    parser.add_argument("-o", "--output", type=Path, default=HOME, help="The bank's folder.")
    parser.add_argument("--origin", default="", help="Of the samples, with their licence: kept in the index.")
    given = parser.parse_args(words)
    layers, sounds, at = [], [], 0
    for below, plan in zip((0, *(p.top for p in PLANS)), PLANS, strict=False):
        layer, recorded = _layer(given.soundfont, plan, below, at)
        layers.append(layer)
        sounds += recorded
        at += sum(len(sound) for sound in recorded)
    for lower, upper in pairwise(layers):
        _join(lower, upper)
    about = {
        "origin": given.origin, "font": given.soundfont.name, "font_sha256": font_digest(given.soundfont),
        "rate": BANK_RATE, "layers": layers,
    }  # fmt: skip
    _write(given.output, about, np.concatenate(sounds))


def _write(home: Path, index: dict[str, Any], sound: NDArray[np.int16]) -> None:
    import soundfile

    home.mkdir(exist_ok=True)
    soundfile.write(home / SAMPLES, sound, BANK_RATE, subtype="PCM_16", compression_level=1.0)
    (home / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def _layer(font: Path, plan: Plan, below: int, at: int) -> tuple[dict[str, Any], list[NDArray[np.int16]]]:
    """A layer for the index, and its tones; at: where the first of them will lie in the bank."""
    velocities = tuple(v for v in MEASURED if below < v <= plan.top)
    tones: list[dict[str, Any]] = []
    sounds, places = [], []
    for zone in _thinned(zones(font, 0, plan.top), plan.step):
        notes = _notes(font, zone.root, velocities, plan)
        top = notes[plan.top]
        kept, scale = _packed(top[: round(plan.seconds * RATE)], plan)
        seconds = len(kept) / BANK_RATE
        cutoffs = [_cutoff(top, notes[node]) for node in plan.nodes[:-1]]
        places.append(_places(notes, plan, cutoffs, velocities))
        tones.append({
            "low": zone.low, "high": zone.high, "key": zone.root, "start": at, "frames": len(kept), "scale": scale,
            "fall": _fall(top, seconds, zone.root), "last": _last(top[: round(seconds * RATE)]), "cutoffs": cutoffs,
            "levels": [round(_level(notes[v]), 2) for v in velocities],
            "release": [round(_release(font, zone.root, node, notes[node]), 1) for node in plan.nodes],
        })  # fmt: skip
        sounds.append(kept)
        at += len(kept)
        print(f"velocity {plan.top}, key {zone.root}: {seconds:.1f} s")  # noqa: T201 - a script
    for node in range(len(plan.nodes) - 1):
        for tone, cutoff in zip(tones, _smooth([tone["cutoffs"][node] for tone in tones]), strict=True):
            tone["cutoffs"][node] = round(cutoff, 1)
    middle = np.median(np.array(places), axis=0)
    held = {"nodes": plan.nodes, "velocities": velocities, "places": [round(float(place), 3) for place in middle]}
    return {"top": plan.top, **held, "tones": tones}, sounds


def _join(lower: dict[str, Any], upper: dict[str, Any]) -> None:
    """Change the levels of a layer so that it begins where the one below it ends; the loudest stay as they are."""
    velocities = np.array(upper["velocities"])
    share = (upper["top"] - velocities) / (upper["top"] - lower["top"])
    for tone in upper["tones"]:
        below = next(one for one in lower["tones"] if one["low"] <= tone["key"] <= one["high"])
        slope = (tone["levels"][-1] - below["levels"][-1]) / (upper["top"] - lower["top"])
        wanted = below["levels"][-1] + slope * (velocities - lower["top"])
        step = wanted[0] - tone["levels"][0]
        tone["levels"] = [round(float(one), 2) for one in np.array(tone["levels"]) + step * share / share[0]]


def _thinned(found: list[Zone], step: int) -> list[Zone]:
    """Every so manieth zone, with the last; keys go to the nearest of those that stay."""
    kept = [*found[:-1:step], found[-1]]
    middle = [(a.root + b.root) // 2 for a, b in pairwise(kept)]
    if step == 1:
        return found
    low, high = [found[0].low, *(m + 1 for m in middle)], [*middle, found[-1].high]
    return [Zone(a, b, zone.root) for a, b, zone in zip(low, high, kept, strict=True)]


def _notes(font: Path, key: int, velocities: Sequence[int], plan: Plan) -> dict[int, Frames]:
    """The key at each velocity, held; the top one for longer than it is kept."""
    found = {}
    for velocity in velocities:
        seconds = plan.seconds + AFTER if velocity == plan.top else 2.0
        found[velocity] = _played(font, key, velocity, seconds, seconds)
    return found


def _played(font: Path, key: int, velocity: int, held: float, seconds: float) -> Frames:
    """One note as FluidSynth plays it, float32 [seconds * RATE, 2]."""
    stop = round(held * RATE) // GRID * GRID / RATE
    events = [(0.0, 0x90, key, velocity), (stop, 0x80, key, 0)]
    times, status, first, second = (np.array(column) for column in zip(*events, strict=True))
    timeline = Timeline(times, status, np.zeros(2, dtype=np.int64), first, second, max(seconds, held))
    sound = np.concatenate(list(play_fluid(timeline, font, RATE)))[: round(seconds * RATE)]
    return np.pad(sound, ((0, max(round(seconds * RATE) - len(sound), 0)), (0, 0)))


def _packed(sound: Frames, plan: Plan) -> tuple[NDArray[np.int16], float]:
    """The tone as it is kept, int16 [N, 2] at BANK_RATE, and what its samples must be multiplied by."""
    step = RATE // 10
    power = (sound[: len(sound) // step * step].astype(np.float64) ** 2).reshape(-1, step * 2).mean(axis=1)
    loud = np.flatnonzero(10 * np.log10(power / power.max() + 1e-12) > QUIET)
    slow = resampled(sound[: (int(loud[-1]) + 1) * step], RATE, BANK_RATE)
    peak = float(np.abs(slow).max()) / HEADROOM
    whole = np.round(slow / peak * (1 << (plan.bits - 1)))
    return (whole.astype(np.int32) << (16 - plan.bits)).astype(np.int16), peak


def _level(sound: Frames) -> float:
    """Of the first second, both channels together, dB."""
    return float(10 * np.log10((sound[: int(LEVEL_SECONDS * RATE)].astype(np.float64) ** 2).sum(axis=1).mean() + 1e-15))


def _fall(held: Frames, kept: float, key: int) -> float:
    """dB a second by which a note, held on, falls beyond the seconds that are kept of it; never so few that it would
    ring for minutes."""
    step = RATE // 20
    power = (held[: len(held) // step * step].astype(np.float64) ** 2).reshape(-1, step * 2).mean(axis=1)
    level = 10 * np.log10(power / (power[: RATE // step].mean() + 1e-15) + 1e-15)
    time = (np.arange(len(power)) + 0.5) * step / RATE - kept
    end = 10 * np.log10(np.mean(10 ** (level[(time > -0.5) & (time < 0)] / 10)))
    heard = (time > 0) & (level > AUDIBLE)
    keys, least, most = FALLS
    if not heard.any():
        return round(float(np.interp(key, keys, most)), 3)
    slope = float(time[heard] @ (end - level[heard]) / (time[heard] @ time[heard]))  # of a line through the end
    return round(float(np.clip(slope, np.interp(key, keys, least), np.interp(key, keys, most))), 3)


def _last(sound: Frames) -> float:
    """How much softer a tone's last fifth of a second is than its first second, dB."""
    end = float((sound[-RATE // 5 :].astype(np.float64) ** 2).sum(axis=1).mean())
    return round(10 * np.log10(end + 1e-15) - _level(sound), 2)


def _cutoff(bright: Frames, soft: Frames) -> float:
    """The filter's frequency that makes the bright note most like the soft one, Hz."""
    bright = bright[: len(soft)]
    distances = [mel_distance(soft, dulled(bright, hertz, RATE), RATE) for hertz in CUTOFFS]
    return float(CUTOFFS[int(np.argmin(distances))])


def _places(notes: dict[int, Frames], plan: Plan, cutoffs: Sequence[float], velocities: Sequence[int]) -> list[float]:
    """For each velocity the place among the nodes whose mixture is most like the note."""
    bright = notes[plan.top][: 2 * RATE]
    made = [*(dulled(bright, hertz, RATE) for hertz in cutoffs), bright]
    found = []
    for velocity in velocities:
        if velocity in plan.nodes or len(made) == 1:
            found.append(float(plan.nodes.index(velocity)) if velocity in plan.nodes else 0.0)
            continue
        lower = min(max(int(np.searchsorted(plan.nodes, velocity)) - 1, 0), len(made) - 2)
        mixtures = [made[lower] * (1 - w) + made[lower + 1] * w for w in WEIGHTS]
        distances = [mel_distance(notes[velocity][: 2 * RATE], one, RATE) for one in mixtures]
        found.append(lower + float(WEIGHTS[int(np.argmin(distances))]))
    return found


def _release(font: Path, key: int, velocity: int, ringing: Frames) -> float:
    """dB a second by which a note fades once its key is up, beyond what it loses when held; ringing: held."""
    held, step = 0.5, RATE // 50
    levels = []
    for sound in (_played(font, key, velocity, held, 1.2), ringing[: round(1.2 * RATE)]):
        after = mono(sound)[round(held * RATE) :].astype(np.float64)
        power = (after[: len(after) // step * step].reshape(-1, step) ** 2).mean(axis=1)
        levels.append(10 * np.log10(power + 1e-15))
    heard = levels[0] > max(levels[0][0] - 40.0, -110.0)
    count = max(min(int(np.argmin(heard)) if not heard.all() else len(heard), 20), 4)
    slope = np.polyfit(np.arange(count) * step / RATE, (levels[0] - levels[1])[:count], 1)[0]
    return float(max(-slope, LEAST_RELEASE))


def _smooth(values: Sequence[float]) -> list[float]:
    """Running median over neighbours."""
    wide = np.pad(np.array(values), SMOOTHED // 2, mode="edge")
    return [float(np.median(wide[k : k + SMOOTHED])) for k in range(len(values))]


if __name__ == "__main__":
    main()
