"""Looking things up in an index of voices: which clips sound like a text, an emotion or another recording feels."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.affect.space import Affect
from affectgen.audio.files import Samples, audio_info, read_mono
from affectgen.errors import AffectgenError
from affectgen.recognize.speech_corpus import LABELS
from affectgen.speech.converting.prosody import BANDS, COURSE, PLACES
from affectgen.speech.index.voices import Voices
from affectgen.speech.target import Target, target_of_text

Floats = NDArray[np.float64]

REACH = 0.25  # of the plane: how far from a point a clip's likeness falls to .6
LOW, HIGH = slice(2, 9), slice(14, 23)  # mel bands whose difference is told as brightness
LEAST_RATE = 0.5  # syllables a second


@dataclass(frozen=True)
class Asked:
    """What is looked for: one of text, target, like. like: a recording; without: speakers that are not wanted;
    licences: those allowed, empty for all."""

    text: str | None = None
    target: Target | None = None
    like: Path | bytes | None = None
    without: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.text, self.target, self.like)) != 1:
            raise ValueError("one of text, target and like must be given")


@dataclass(frozen=True)
class Hit:
    """A clip that was found. likeness: at most 1; point: valence and arousal; shift: what the emotion does to this
    voice, in words, "" where the speaker's neutral voice is not known."""

    name: str
    speaker: str
    label: str
    point: tuple[float, float]
    likeness: float
    shift: str
    text: str
    licence: str
    source: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        named = ("name", "speaker", "label", "shift", "text", "licence", "source")
        numbers = {"likeness": round(self.likeness, 4), "valence": self.point[0], "arousal": self.point[1]}
        return {name: getattr(self, name) for name in named} | numbers


def looked_up(voices: Voices, asked: Asked, count: int) -> list[Hit]:
    """The `count` clips that are most alike, best first; fewer where the index holds fewer that are allowed.

    By the emotion space, or in an index without its vectors by point and label. AffectgenError for an empty text,
    AudioError for a recording without a voice.
    """
    allowed = voices.pick(_allowed(voices, asked))
    if not len(allowed):
        return []
    likeness = _by_space(allowed.heard, asked) if allowed.heard is not None else _by_point(allowed, asked)
    best = np.argsort(-likeness, kind="stable")[:count]
    return [_hit(allowed, int(place), float(likeness[place])) for place in best]


def told(shift: Floats, neutral: Floats) -> str:
    """A shift [P] in words, beside the neutral prosody [P] that it starts from: "pitch +4.2 st, rate -10 %"."""
    spread, rate = (neutral[PLACES[name]] for name in ("spread", "rate"))
    wider = max(spread + shift[PLACES["spread"]], 0.0) / max(spread, 0.1)
    faster = (max(rate, LEAST_RATE) + shift[PLACES["rate"]]) / max(rate, LEAST_RATE) - 1
    bands = shift[BANDS["voiced_mean"]]
    parts = (
        f"pitch {shift[PLACES['pitch']]:+.1f} st",
        f"range x{wider:.1f}",
        f"rate {100 * faster:+.0f} %",
        f"pauses {100 * shift[PLACES['pauses']]:+.0f} %",
        f"brightness {bands[HIGH].mean() - bands[LOW].mean():+.1f} dB",
    )
    return ", ".join(parts)


def _allowed(voices: Voices, asked: Asked) -> NDArray[np.bool_]:
    """Which clips may be found, [N]; AffectgenError for a licence that none has: it is most likely misspelled."""
    kept = np.isfinite(voices.prosody[:, : len(COURSE)]).all(axis=1)
    _check_known("speaker", asked.without, voices.speakers.tolist())
    _check_known("licence", asked.licences, voices.licences.tolist())
    if asked.without:
        kept &= ~np.isin(voices.speakers, asked.without)
    if asked.licences:
        kept &= np.isin(voices.licences, asked.licences)
    return np.asarray(kept)


def _check_known(what: str, names: Collection[str], known: Collection[str]) -> None:
    there = sorted(set(known))
    for name in names:
        if name not in there:
            shown = ", ".join(there[:8]) + (", ..." if len(there) > 8 else "")
            hint = f"It holds {shown}." if there else "It is empty."
            raise AffectgenError(f"The index holds no {what} {name!r}.", hint)


def _by_space(heard: Floats, asked: Asked) -> Floats:
    """Cosines in the emotion space with what was heard of clips [N, F], [N]."""
    from affectgen.speech.space.model import load_space

    space = load_space()
    if asked.text is not None:
        wanted = space.of_text([asked.text])[0]
    elif asked.target is not None:
        wanted = space.of_target(asked.target.affect, asked.target.label)
    else:
        samples, rate = _recording(asked)
        wanted = space.of_speech([samples], rate)[0]
    return np.asarray(space.of_described(heard) @ wanted)


def _by_point(voices: Voices, asked: Asked) -> Floats:
    """How near a clip's point is, halved with its share of the label where one is asked for, [N]."""
    target = asked.target
    if asked.text is not None:
        target = target_of_text(asked.text)
    elif target is None:
        from affectgen.speech.index.build import heard_feeling

        feeling = heard_feeling(*_recording(asked))
        target = Target(Affect(float(feeling.point[0]), float(feeling.point[1])), feeling.label)
    away = voices.points - [target.affect.valence, target.affect.arousal]
    near = np.exp(-(away**2).sum(axis=1) / (2 * REACH**2))
    if target.label is None:
        return np.asarray(near)
    return np.asarray((near + voices.shares[:, LABELS.index(target.label)]) / 2)


def _recording(asked: Asked) -> tuple[Samples, int]:
    if asked.like is None:
        raise ValueError("no recording was given")
    rate = audio_info(asked.like).rate
    return read_mono(asked.like, rate), rate


def _hit(voices: Voices, place: int, likeness: float) -> Hit:
    valence, arousal = (round(float(value), 3) for value in voices.points[place])
    neutral = voices.neutral[place]
    shift = told(voices.shifts[place], neutral) if np.isfinite(neutral).all() else ""
    words = (voices.names, voices.speakers, voices.labels)
    name, speaker, label = (str(one[place]) for one in words)
    rest = (str(one[place]) for one in (voices.texts, voices.licences, voices.sources))
    return Hit(name, speaker, label, (valence, arousal), likeness, shift, *rest)
