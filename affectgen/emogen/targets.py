"""From options to targets: the map's draw for each stretch of the affect, then what was set and freed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import Affect, AffectPath, parse_affect
from affectgen.emogen.mapping import ScaledMap, quadrant_index
from affectgen.emogen.options import EmogenOptions, Override
from affectgen.emogen.scale import FARTHEST, Scale
from affectgen.emogen.vector import FIRST_EMOGEN, NAMES, find_attributes
from affectgen.errors import UsageError
from affectgen.score.attributes.core import CORE

Floats = NDArray[np.float64]
SEGMENT_BARS = 4  # along a path targets change so often
LIKE_A_CLIP = (12, 24)  # bars; EMOPIA's clips have about 16
LENGTHY = tuple(
    NAMES.index(name)
    for name in ("number_of_pitches", "range", "total_number_of_notes", "duration_in_seconds",
                 "relative_note_density_of_highest_line")
)  # fmt: skip  # they grow with the length of a piece
SAME = 0.5  # how much of what the first segment's draw deviates from the mean all segments share
PATH_SEED = 11  # keeps what a target draws apart from what words draw


@dataclass(frozen=True)
class Targets:
    """What a piece is asked for: sd [segments, K], nan where free; edges: the first bar of each segment, then the end;
    by_hand [K]: what --set asked for."""

    sd: Floats
    edges: tuple[int, ...]
    by_hand: NDArray[np.bool_]

    @property
    def by_bar(self) -> Floats:
        """The targets of each bar [bars, K]."""
        return np.repeat(self.sd, np.diff(self.edges), axis=0)


def make_targets(option: EmogenOptions, bars: int, emotions: ScaledMap, scale: Scale) -> Targets:
    """The targets of a piece of some bars. UsageError for an attribute that there is not, or one that nothing has."""
    asked = parse_affect(option.affect) if option.affect is not None else None
    rng = np.random.default_rng((option.seed, PATH_SEED))
    if isinstance(asked, AffectPath):
        edges: tuple[int, ...] = (*range(0, max(bars - SEGMENT_BARS // 2, 1), SEGMENT_BARS), bars)
        points = asked.sample(len(edges) - 1)
        if option.mapping == "paper":
            sd = np.stack([emotions.paper(quadrant_index(point)) for point in points])
        else:
            sd = _along(points, emotions, rng)
    else:
        edges = (0, bars)
        sd = _whole(option, asked, bars, emotions, rng)[None]
    by_hand = np.zeros(len(NAMES), dtype=bool)
    wanted = {}
    for override in with_tempo(option):
        place = one_attribute(override)
        wanted[place] = value_in_sd(override, place, scale, emotions)
    if wanted:
        sd = emotions.following(sd, list(wanted), np.array(list(wanted.values())))
        by_hand[list(wanted)] = True
    for name in option.free:
        freed = [place for place in find_attributes(name, "--free") if place not in wanted]
        sd[:, freed] = np.nan
    return Targets(sd, edges, by_hand)


def with_tempo(option: EmogenOptions) -> list[Override]:
    """What is set by hand; --tempo is a target too, so that the music fits the tempo that it will have."""
    own = option.overrides
    return own if option.tempo is None else [*own, Override("tempo", option.tempo, natural=True)]


def _whole(
    option: EmogenOptions, asked: Affect | None, bars: int, emotions: ScaledMap, rng: np.random.Generator
) -> Floats:
    """Targets for one affect throughout, [K]."""
    if asked is None:
        return np.full(len(NAMES), np.nan)
    if option.mapping == "paper":
        return emotions.paper(quadrant_index(asked))
    target = emotions.draw(asked, rng)
    if not LIKE_A_CLIP[0] <= bars <= LIKE_A_CLIP[1]:
        target[list(LENGTHY)] = np.nan
    return target


def _along(points: Sequence[Affect], emotions: ScaledMap, rng: np.random.Generator) -> Floats:
    """Core targets of each segment of a path, [segments, K]. The same standing among neighbours is kept along it, so
    that the piece stays one piece: the draw of the first segment leaves a deviation that the others share."""
    rows, deviation = [], None
    for point in points:
        tendency = emotions.at(point)
        if deviation is None:
            deviation = np.nan_to_num(emotions.draw(point, rng) - tendency.mean)
        told = emotions.telling(tendency.mean + SAME * deviation, point, tendency)
        rows.append(np.where(tendency.open, np.nan, told))
    sd = np.stack(rows)
    sd[:, FIRST_EMOGEN:] = np.nan
    return sd


def one_attribute(override: Override) -> int:
    """The place of the attribute that --set names; UsageError for a group, which has no one value."""
    places = find_attributes(override.name, "--set")
    if len(places) > 1:
        names = ", ".join(NAMES[place] for place in places)
        raise UsageError(f"--set {override.name} names several attributes.", f"Set one of: {names}.")
    return places[0]


def value_in_sd(override: Override, place: int, scale: Scale, emotions: ScaledMap) -> float:
    """The value asked for in standard deviations. UsageError where it is out of range or the attribute not computed."""
    if emotions.missing[place]:
        raise UsageError(f"--set {override.name}: this attribute is not computed.", "docs/emogen.md says which are.")
    if not override.natural:
        if abs(override.value) > FARTHEST:
            raise UsageError(
                f"--set {override.name} got {override.value:+g} standard deviations; expected {-FARTHEST:+g} to "
                f"{FARTHEST:+g}.", "Give a value in that range.",
            )  # fmt: skip
        return override.value
    if place < len(CORE) and not CORE[place].least <= override.value <= CORE[place].most:
        core = CORE[place]
        raise UsageError(
            f"--set {override.name} got {override.value:g}; expected {core.least:g} to {core.most:g} ({core.unit}).",
            "Give a value in that range, or standard deviations with a sign, as in +1.5.",
        )
    natural = np.full(len(NAMES), np.nan)
    natural[place] = override.value
    return float(scale.to_sd(natural)[place])
