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
from affectgen.score.keys import Key

Floats = NDArray[np.float64]
SEGMENT_BARS = 4  # along a path targets change so often,
SHORT, SHORT_SEGMENT_BARS = 16, 2  # in pieces of fewer bars more often
TEMPO, KEY_MODE = NAMES.index("tempo"), NAMES.index("key_mode")
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
    """What a piece is asked for: sd [segments, K], nan where free; expected [segments, K]: the same, with what the
    affect leaves open as it goes along with the rest, nan where nothing is known of it; edges: the first bar of each
    segment, then the end; by_hand [K]: what --set asked for.

    An attribute that is left open by itself tells little, but all of them together would tell any emotion.
    """

    sd: Floats
    expected: Floats
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
    points: Sequence[Affect]
    if isinstance(asked, AffectPath):
        edges = segment_edges(bars)
        points = asked.sample(len(edges) - 1)
        expected = _along(option, points, emotions, rng)
    else:
        edges, points = (0, bars), [] if asked is None else [asked]
        expected = _whole(option, asked, bars, emotions, rng)[None]
    wanted = by_hand(option, scale, emotions)
    if option.key is not None and KEY_MODE not in wanted:
        expected = in_the_key(expected, Key.parse(option.key), emotions, scale)
    if wanted:
        expected = emotions.following(expected, list(wanted), np.array(list(wanted.values())))
    for name in option.free:
        freed = [place for place in find_attributes(name, "--free") if place not in wanted]
        expected[:, freed] = np.nan
    hand = np.isin(np.arange(len(NAMES)), list(wanted))
    return Targets(np.where(left_open(option, points, emotions) & ~hand, np.nan, expected), expected, edges, hand)


def left_open(option: EmogenOptions, points: Sequence[Affect], emotions: ScaledMap) -> NDArray[np.bool_]:
    """What the affect leaves open at each of some points [segments, K]; nothing in the published mapping."""
    if option.mapping == "paper" or not points:
        return np.zeros((1, len(NAMES)), dtype=bool)
    return np.stack([emotions.at(point).open for point in points])


def segment_edges(bars: int) -> tuple[int, ...]:
    """The first bars of the segments of a path, then its end: of a short piece the segments are shorter."""
    size = SEGMENT_BARS if bars >= SHORT else SHORT_SEGMENT_BARS
    return (*range(0, max(bars - size // 2, 1), size), bars)


def by_hand(option: EmogenOptions, scale: Scale, emotions: ScaledMap) -> dict[int, float]:
    """What is set by hand, in standard deviations by place; --tempo is a target too, so that the music fits the tempo
    that it will have."""
    wanted = {}
    for override in option.overrides:
        place = one_attribute(override)
        wanted[place] = value_in_sd(override, place, scale, emotions)
    if option.tempo is not None:
        wanted[TEMPO] = _in_sd(option.tempo, TEMPO, scale)
    return wanted


def in_the_key(sd: Floats, key: Key, emotions: ScaledMap, scale: Scale) -> Floats:
    """Targets [S, K] of a piece whose key is given: those of the other mode become those of this one, and what goes
    with the mode follows."""
    mode = scale.to_natural(sd)[:, KEY_MODE]
    turned = sd.copy()
    for row in np.flatnonzero(np.isfinite(mode) & ((mode < 0) != bool(key.mode))).tolist():
        value = np.array([_in_sd(-float(mode[row]), KEY_MODE, scale)])
        turned[row] = emotions.following(sd[row : row + 1], [KEY_MODE], value)[0]
    return turned


def _whole(
    option: EmogenOptions, asked: Affect | None, bars: int, emotions: ScaledMap, rng: np.random.Generator
) -> Floats:
    """What to expect of a piece of one affect throughout, [K]."""
    if asked is None:
        return np.full(len(NAMES), np.nan)
    paper = option.mapping == "paper"
    target = emotions.paper(quadrant_index(asked)) if paper else emotions.draw(asked, rng)
    if not LIKE_A_CLIP[0] <= bars <= LIKE_A_CLIP[1]:
        target[list(LENGTHY)] = np.nan
    return target


def _along(
    option: EmogenOptions, points: Sequence[Affect], emotions: ScaledMap, rng: np.random.Generator
) -> Floats:
    """What to expect of each segment of a path [segments, K]: by the published mapping its hundred, else core
    attributes only. The same standing among neighbours is kept along it, so that the piece stays one piece: the draw of
    the first segment leaves a deviation that the others share."""
    if option.mapping == "paper":
        expected = np.stack([emotions.paper(quadrant_index(point)) for point in points])
        expected[:, list(LENGTHY)] = np.nan
        return expected
    rows, deviation = [], None
    for point in points:
        tendency = emotions.at(point)
        if deviation is None:
            deviation = np.where(tendency.open, 0.0, emotions.draw(point, rng) - tendency.mean)
        rows.append(emotions.telling(tendency.mean + SAME * deviation, point, tendency))
    expected = np.where(emotions.missing, np.nan, np.stack(rows))
    expected[:, FIRST_EMOGEN:] = np.nan
    return expected


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
    low, high = scale.quantiles[place, [0, -1]]
    if not low <= override.value <= high:
        unit = f" ({CORE[place].unit})" if place < len(CORE) else ""
        raise UsageError(
            f"--set {override.name} got {override.value:g}; real pieces have {low:.4g} to {high:.4g}{unit}.",
            "Give a value in that range, or standard deviations with a sign, as in +1.5.",
        )
    return _in_sd(override.value, place, scale)


def _in_sd(value: float, place: int, scale: Scale) -> float:
    """A natural value of the attribute at a place in standard deviations."""
    natural = np.full(len(NAMES), np.nan)
    natural[place] = value
    return float(scale.to_sd(natural)[place])
