"""How well the emotion space retrieves: by text, voice and request, on speakers and texts it was not fitted on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from affectgen.affect.space import Affect
from affectgen.recognize.speech_corpus import LABELS, label_points
from affectgen.recognize.speech_model import correlation
from affectgen.speech.space.material import Material, Rows
from affectgen.speech.space.model import EmotionSpace

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
FIVE = 5


def retrieval(space: EmotionSpace, part: Material) -> dict[str, float]:
    """Figures of one part. "X_top1": the share of queries whose nearest clip has their emotion; "X_top5": the share of
    such clips among the five nearest; both as means over emotions. Clips and queries are those of one label: of a
    corpus, those that its listeners agreed on.

    Queries: "text"; "speech" (a clip, among clips of other speakers); "request" (a label and its point); "point" (the
    point alone, with the clips' distance from it in the plane). Also "valence_r", "arousal_r" of clips and the same of
    texts, and "chance".
    """
    clips = part.clips.pick(part.clips.agreed & _of(part.clips, "crema_d"))
    vectors, labels = space.of_described(clips.rows), clips.labels
    texts = part.texts.pick(part.texts.agreed)
    found = _scores("text", space.text(texts.rows) @ vectors.T, texts.labels, labels)
    other = clips.groups[:, None] != clips.groups[None]
    found |= _scores("speech", np.where(other, vectors @ vectors.T, -2.0), labels, labels)
    kinds = np.unique(labels)
    asked = [space.of_target(_point(kind), LABELS[kind]) for kind in kinds]
    found |= _scores("request", np.stack(asked) @ vectors.T, kinds, labels)
    bare = [space.of_affect(_point(kind)) for kind in kinds]
    found |= _scores("point", np.stack(bare) @ vectors.T, kinds, labels)
    found["chance"] = float(np.mean([(labels == kind).mean() for kind in kinds]))
    return found | _points(space, part)


def recall(space: EmotionSpace, clips: Rows) -> float:
    """Unweighted average recall of the labels that the space gives to clips of one label."""
    clips = clips.pick(clips.agreed)
    guess = space.shares_of(space.of_described(clips.rows))
    allowed = np.unique(clips.labels)
    named = allowed[guess[:, allowed].argmax(axis=1)]
    return float(np.mean([(named[clips.labels == kind] == kind).mean() for kind in allowed]))


def _scores(name: str, alike: Floats, asked: Places, labels: Places) -> dict[str, float]:
    """Of queries [Q] with their likeness to clips [Q, N]."""
    nearest = np.argsort(-alike, axis=1, kind="stable")[:, :FIVE]
    hit = labels[nearest] == asked[:, None]  # [Q, 5]
    kinds = [kind for kind in np.unique(asked) if (labels == kind).any()]
    one = np.mean([hit[asked == kind, 0].mean() for kind in kinds])
    five = np.mean([hit[asked == kind].mean() for kind in kinds])
    return {f"{name}_top1": float(one), f"{name}_top5": float(five)}


def _points(space: EmotionSpace, part: Material) -> dict[str, float]:
    """How well valence and arousal are read."""
    rated = part.texts.pick(part.texts.shares.sum(axis=1) == 0)
    sides = {"": (space.of_described(part.clips.rows), part.clips), "text_": (space.text(rated.rows), rated)}
    found = {}
    for name, (vectors, rows) in sides.items():
        guess = space.points_of(vectors)
        for axis, word in enumerate(("valence", "arousal")):
            found[f"{name}{word}_r"] = correlation(guess[:, axis], rows.points[:, axis])
    return found


def _of(rows: Rows, corpus: str) -> NDArray[np.bool_]:
    return np.char.startswith(rows.groups, f"{corpus}/")


def _point(kind: int) -> Affect:
    return Affect(*label_points()[kind].tolist())
