"""The learned predictor as a method of `affectgen.speech.converting.convert`: recording and target in, recipe out."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from affectgen.errors import AudioError
from affectgen.speech.aligning.alignment import Alignment, Word
from affectgen.speech.converting.transfer import Recipe, Source
from affectgen.speech.predictor.apply import learned_change
from affectgen.speech.predictor.phones import ENERGY, measure
from affectgen.speech.target import Target

if TYPE_CHECKING:
    from affectgen.speech.aligning.align import Aligner

# Times what is predicted, which is the mean of many speakers and so less than any one does. On development speakers the
# emotion space and the guide heard the target more often at 1.5 than at 1, and at 2 or 2.5 hardly more often still.
USUAL = 1.5
FAINT = -15.0  # dB under the loud frames: what is fainter at either end is no speech, but for its first and last sound


def learned_recipe(source: Source, target: Target, strength: float = 1.0, alignment: Alignment | None = None) -> Recipe:
    """How a neutral recording is brought to `target` by what the predictor has learned, USUAL and `strength` times.

    alignment: of its words; without one its phones are those that a loop of phones hears, in any language. AudioError
    or AffectgenError where nobody speaks; CheckpointError where the predictor or pocketsphinx's model is missing.
    """
    heard = phones_of(source) if alignment is None else alignment
    asked = target.affect, target.label, None, USUAL * strength
    change, gains = learned_change(source.samples, source.rate, heard, *asked)
    return Recipe(gains, change)


def phones_of(source: Source) -> Alignment:
    """The phones that are heard in a recording of unknown words, without those that are put into its silent ends.
    AudioError where there are none.
    """
    samples = np.asarray(source.samples, dtype=np.float32)
    heard = _aligner().heard(samples, source.rate)
    phones = [phone for word in heard.words for phone in word.phones]
    level = measure(samples, source.rate, heard).values[:, ENERGY]
    loud = np.flatnonzero(level > FAINT)
    if not len(loud):
        raise AudioError("No speech is heard in the recording.", "Give one in which somebody speaks.")
    kept = set(phones[max(loud[0] - 1, 0) : loud[-1] + 2])
    words = [(word, tuple(phone for phone in word.phones if phone in kept)) for word in heard.words]
    spoken = [
        Word(word.text, place, mine[0].start, mine[-1].end, mine)
        for place, (word, mine) in enumerate((word, mine) for word, mine in words if mine)
    ]
    return Alignment(tuple(spoken), heard.seconds)


@cache
def _aligner() -> Aligner:
    from affectgen.speech.aligning.align import Aligner

    return Aligner()
