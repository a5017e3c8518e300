"""How well speakers are told apart: trials of a recording against a voice, and where the two kinds of error are equal.

A speaker's voice is the mean of some neutral recordings; a trial compares another recording, of any emotion, with the
voice of its own speaker or of another of the same corpus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affectgen.recognize.speaker import nearest, unit
from affectgen.recognize.speech_corpus import Clip

Floats = NDArray[np.float64]
NEUTRAL = "neutral"


@dataclass(frozen=True)
class Trials:
    """Recordings against voices. scores: float64 [N, S], the cosines; own: bool [N, S], which voice is the recording's
    own speaker's; alike: bool [N, S], whether they are of the same sex; acted: emotion of each recording."""

    scores: Floats
    own: NDArray[np.bool_]
    alike: NDArray[np.bool_]
    acted: tuple[str, ...]

    def pick(self, mask: NDArray[np.bool_]) -> Trials:
        """The recordings where the mask [N] is true."""
        acted = tuple(emotion for emotion, kept in zip(self.acted, mask, strict=True) if kept)
        return Trials(self.scores[mask], self.own[mask], self.alike[mask], acted)

    @property
    def error(self) -> float:
        """The equal error rate."""
        return equal_error(self.scores[self.own], self.scores[~self.own])

    @property
    def error_alike(self) -> float:
        """The same where other speakers are of the same sex."""
        return equal_error(self.scores[self.own], self.scores[~self.own & self.alike])

    @property
    def found(self) -> float:
        """The share of recordings whose nearest voice is their speaker's."""
        return float((self.scores.argmax(axis=1) == self.own.argmax(axis=1)).mean())


def equal_error(own: Floats, others: Floats) -> float:
    """The error rate at the threshold at which as large a share of own pairs [N] is refused as of others [M] accepted;
    nan where either is empty."""
    if not len(own) or not len(others):
        return float("nan")
    at = np.unique(np.concatenate([own, others]))
    refused = np.searchsorted(np.sort(own), at, side="left") / len(own)
    accepted = 1 - np.searchsorted(np.sort(others), at, side="left") / len(others)
    best = int(np.abs(refused - accepted).argmin())
    return float((refused[best] + accepted[best]) / 2)


def split_neutral(clips: Sequence[Clip], most: int, seed: int) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """(places of clips to convert, places to enrol) by speaker: of each speaker's neutral clips up to `most`, at most
    half, are drawn for the first, and the others are the second."""
    sources: dict[str, list[int]] = {}
    enrolled: dict[str, list[int]] = {}
    for number, speaker in enumerate(sorted({clip.speaker for clip in clips})):
        own = [place for place, clip in enumerate(clips) if clip.speaker == speaker and clip.acted == NEUTRAL]
        own.sort(key=lambda place: clips[place].name)
        drawn = np.random.default_rng([seed, number]).permutation(len(own))[: min(most, len(own) // 2)].tolist()
        sources[speaker] = [own[n] for n in sorted(drawn)]
        enrolled[speaker] = [place for n, place in enumerate(own) if n not in drawn]
    return sources, enrolled


def voices_of(vectors: Floats, enrolled: Mapping[str, Sequence[int]]) -> tuple[tuple[str, ...], Floats]:
    """(speakers, their voices [S, D]) from clips' vectors [N, D] and the places of those that enrol."""
    names = tuple(sorted(enrolled))
    return names, unit(np.stack([vectors[list(enrolled[name])].mean(axis=0) for name in names]))


def trials(
    clips: Sequence[Clip], vectors: Floats, enrolled: Mapping[str, Sequence[int]], tested: frozenset[str] | None = None
) -> Trials:
    """All clips that enrol nobody against all voices; tested: speakers whose clips are tried, None for all."""
    names, voices = voices_of(vectors, enrolled)
    used = {place for places in enrolled.values() for place in places}
    kept = [
        place for place, clip in enumerate(clips)
        if place not in used and clip.speaker in enrolled and (tested is None or clip.speaker in tested)
    ]  # fmt: skip
    sexes = {clip.speaker: clip.sex for clip in clips}
    own = np.array([[clips[place].speaker == name for name in names] for place in kept])
    alike = np.array([[clips[place].sex == sexes[name] for name in names] for place in kept])
    return Trials(vectors[kept] @ voices.T, own, alike, tuple(clips[place].acted for place in kept))


def pair_error(clips: Sequence[Clip], vectors: Floats, seed: int, most: int = 200_000) -> float:
    """The equal error rate of one clip against another, over all pairs of a corpus or `most` drawn ones."""
    first, second = np.triu_indices(len(clips), 1)
    if len(first) > most:
        drawn = np.random.default_rng(seed).choice(len(first), most, replace=False)
        first, second = first[drawn], second[drawn]
    speakers = np.array([clip.speaker for clip in clips])
    scores = (vectors[first] * vectors[second]).sum(axis=1)
    own = speakers[first] == speakers[second]
    return equal_error(scores[own], scores[~own])


def kept(vectors: Floats, speakers: Sequence[str], names: Sequence[str], voices: Floats) -> NDArray[np.bool_]:
    """Whether the nearest voice to each vector [N, D] is its own speaker's, bool [N]."""
    found = nearest(vectors, voices)
    return np.array([names[place] == speaker for place, speaker in zip(found.tolist(), speakers, strict=True)])
