"""The plan of a session: what each clip shall carry, when, and in which words it is asked for.

The default shape is the iso principle (Altshuler, 1948): meet the listener's state, lead in small steps, dwell at the
goal (`affectgen.affect.isoprinciple`). A plan is a JSON file that can be edited by hand: points, prompts, rows added or
taken away; times follow from the length of the clips and their overlap.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectgen.affect import Affect, AffectPath, Keyframe, iso
from affectgen.errors import AffectError, AffectgenError, UsageError
from affectgen.medicine.options import LEAST_CLIP, MOST_CLIP, MOST_CLIPS, PlanOptions

FORMAT = 1
COLUMNS = ("clip", "start", "valence", "arousal", "word", "prompt")  # of a clip; three of them follow from the others
REMEDY = "Make one with `affectgen medicine plan --json`."
# arousal up to which the words are true: tempo, force
PACES = ((-0.6, "very slow", "very soft"), (-0.2, "slow", "soft"), (0.2, "moderate tempo", "gentle"),
         (0.6, "lively tempo", "firm"), (1.0, "fast", "energetic"))  # fmt: skip
# states of a person toward something, which no music is said to have, and no listener should read of themselves
UNFIT = ("aroused", "astonished", "alarmed", "startled", "impressed", "contemptuous", "defiant", "disgusted",
         "embarrassed", "enraged", "guilty", "hateful", "hostile", "suspicious", "droopy")  # fmt: skip
TURNS = ((-0.3, "minor key"), (0.3, "open harmony"), (1.0, "major key"))  # valence up to which they are true


@dataclass(frozen=True)
class Clip:
    """One clip. number: from 1; start: seconds into the session; affect: what it shall carry; prompt: in words."""

    number: int
    start: float
    affect: Affect
    prompt: str

    @property
    def word(self) -> str:
        """The nearest word."""
        return moods(self.affect, 1)[0]


@dataclass(frozen=True)
class Plan:
    """All clips of a session, each clip_seconds long, neighbours sharing overlap seconds."""

    clips: tuple[Clip, ...]
    clip_seconds: float
    overlap: float

    @property
    def seconds(self) -> float:
        """Length of the session."""
        return self.clip_seconds * len(self.clips) - self.overlap * (len(self.clips) - 1)

    def path(self) -> AffectPath:
        """What is asked over time, in seconds: each clip's emotion at its middle."""
        points = [(clip.start + self.clip_seconds / 2, clip.affect) for clip in self.clips]
        return AffectPath(tuple(Keyframe(time, affect) for time, affect in points), "seconds")

    def to_json(self) -> dict[str, Any]:
        """The plan file's content."""
        rows = [
            {"clip": c.number, "start": round(c.start, 3), "valence": round(c.affect.valence, 4),
             "arousal": round(c.affect.arousal, 4), "word": c.word, "prompt": c.prompt}
            for c in self.clips
        ]  # fmt: skip
        return {
            "plan": FORMAT, "seconds": round(self.seconds, 6), "clip_seconds": self.clip_seconds,
            "overlap": self.overlap, "clips": rows,
        }  # fmt: skip


def make_plan(options: PlanOptions) -> Plan:
    """The plan that options ask for. AffectError where the session is too short for the steps' bound."""
    path = _path(options)
    if options.dynamics != "none":
        order = 1 if options.dynamics == "first" else 2
        path = path.with_inertia(options.inertia * path.duration, order, count=max(64, 4 * options.count))
    points = _sampled(path, options)
    step = options.clip_seconds - options.overlap
    clips = [Clip(n + 1, n * step, point, prompt_for(point, options.style)) for n, point in enumerate(points)]
    return Plan(tuple(clips), options.clip_seconds, options.overlap)


def _sampled(path: AffectPath, options: PlanOptions) -> Sequence[Affect]:
    """What each clip carries: along a path given in fractions the first clip its start and the last its end; of one by
    the clock, what it says at each clip's middle."""
    if options.path is None or path.unit == "seconds":
        return path.sample(options.count, options.seconds)
    return [path.at(n / (options.count - 1) * path.duration) for n in range(options.count)]


def _path(options: PlanOptions) -> AffectPath:
    """The state over the session, in fractions unless a path gives seconds."""
    if options.path is not None:
        path = AffectPath.parse(options.path)
        if path.unit == "seconds" and path.duration > options.seconds:
            told = f"The path ends at {path.duration:g} s, and the session at {options.seconds:g} s."
            raise UsageError(told, f"Take --minutes {path.duration / 60:.3g}, or an earlier end.")
        return path
    try:
        return _iso(options, options.count)
    except AffectError as error:
        longer = next((n for n in range(options.count + 1, MOST_CLIPS + 1) if _leads(options, n)), None)
        if longer is None:  # whatever is wrong, time does not mend it
            raise
        step = options.bound if options.bound is not None else math.inf
        told = f"{options.count} clips do not lead from {options.start} to {options.goal} in steps of {step:g} or less."
        minutes = math.ceil(((longer - 1) * (options.clip - options.overlap) + options.overlap) / 6 + 1e-9) / 10
        raise AffectError(told, f"Take --minutes {minutes:g}, shorter clips (--clip), or a longer --bound.") from error


def _iso(options: PlanOptions, count: int) -> AffectPath:
    start, goal = (Affect.parse(str(text)) for text in (options.start, options.goal))
    route = "circle" if options.route == "circle" else "plane"
    return iso(start, goal, count, options.dwell, options.bound, route, options.match)  # type: ignore[arg-type]


def _leads(options: PlanOptions, count: int) -> bool:
    """Whether so many clips would do."""
    try:
        _iso(options, count)
    except AffectError:
        return False
    return True


def moods(affect: Affect, count: int) -> list[str]:
    """The nearest words that name a mood of music."""
    nearest = affect.nearest_words(count + len(UNFIT))
    return [word for word in nearest if word not in UNFIT][:count]


def prompt_for(affect: Affect, style: str) -> str:
    """An emotion in the words that text-to-music models know: mood, tempo, force, harmony, style."""
    mood = ", ".join(moods(affect, 2))
    tempo, force = next((tempo, force) for top, tempo, force in PACES if affect.arousal <= top)
    turn = next(turn for top, turn in TURNS if affect.valence <= top)
    return ", ".join(part for part in (mood, tempo, force, turn, style) if part)


def read_plan(source: Path | bytes) -> Plan:
    """A plan file. AffectgenError that names the row where it is no plan; prompts that are missing are made anew."""
    name = str(source) if isinstance(source, Path) else "The plan"
    try:
        data = source.read_bytes() if isinstance(source, Path) else source
        held = json.loads(data)
    except OSError as error:
        raise AffectgenError(f"{name} cannot be read: {error.strerror}.", "Check the path.") from error
    except (ValueError, RecursionError) as error:
        raise AffectgenError(f"{name} is no JSON: {error}.", REMEDY) from error
    return plan_from(held, name)


def check_stream(plan: Plan, transition: str) -> None:
    """UsageError where clips shall go on from each other, which the plan has overlap."""
    if transition == "continue" and plan.overlap > 0:
        told = f"--transition continue came with a plan whose clips overlap by {plan.overlap:g} s."
        raise UsageError(told, "Make the plan without: `affectgen medicine plan --overlap 0`.")


def plan_from(held: object, name: str = "The plan") -> Plan:
    """A plan from what its file holds. Errors as above, in which it is called `name`."""
    if not isinstance(held, Mapping) or held.get("plan") != FORMAT or not isinstance(held.get("clips"), list):
        raise AffectgenError(f"{name} is no plan of a session.", REMEDY)
    length = _number(held, "clip_seconds", LEAST_CLIP / 2, MOST_CLIP, name)
    overlap = _number(held, "overlap", 0.0, length / 2, name)
    rows = held["clips"]
    if not 1 <= len(rows) <= MOST_CLIPS:
        raise AffectgenError(f"{name} holds {len(rows)} clips; expected 1 to {MOST_CLIPS}.", "Give it some rows.")
    clips = [_clip(row, number, number * (length - overlap), name) for number, row in enumerate(rows)]
    return Plan(tuple(clips), length, overlap)


def _number(held: Mapping[str, Any], key: str, low: float, high: float, name: str) -> float:
    value = held.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise AffectgenError(f"{name} gives {key} as {value!r}.", f"Give a number from {low:g} to {high:g}.")
    if not low <= value <= high:
        raise AffectgenError(f"{name} gives {key} as {value:g}.", f"Give a number from {low:g} to {high:g}.")
    return float(value)


def _clip(row: object, number: int, start: float, name: str) -> Clip:
    where = f"{name}, clip {number + 1}"
    if not isinstance(row, Mapping):
        raise AffectgenError(f"{where} is {row!r}, not an object.", 'Write {"valence": -0.5, "arousal": 0.4}.')
    unknown = [key for key in row if key not in COLUMNS]
    if unknown:
        raise AffectgenError(f"{where} has {unknown[0]!r}, which no clip has.", f"It can have {', '.join(COLUMNS)}.")
    lacking = [axis for axis in ("valence", "arousal") if axis not in row]
    if lacking:
        raise AffectgenError(f"{where} has no {lacking[0]!r}.", "Give it valence and arousal, each from -1 to 1.")
    affect = Affect(*(_number(row, axis, -1.0, 1.0, where) for axis in ("valence", "arousal")))
    prompt = row.get("prompt", "")
    if not isinstance(prompt, str):
        raise AffectgenError(f"{where} has {prompt!r} as its prompt.", "Give it words.")
    return Clip(number + 1, start, affect, prompt if prompt.strip() else prompt_for(affect, PlanOptions.style))
