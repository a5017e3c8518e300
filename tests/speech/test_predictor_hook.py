"""The predictor as a method of conversion: a recording without a transcript comes back as a recipe."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.affect.space import Affect
from affectgen.speech.converting.transfer import Source, applied, read_source
from affectgen.speech.predictor.hook import FAINT, learned_recipe, phones_of
from affectgen.speech.predictor.phones import ENERGY, measure
from affectgen.speech.target import Target

RATE = 16000


@pytest.fixture(scope="module")
def source() -> Source:
    """Four vowels of a made voice with faint noise before and behind them."""
    rng = np.random.default_rng(0)
    time = np.arange(round(0.25 * RATE)) / RATE
    parts = [0.001 * rng.normal(size=RATE // 2)]
    for formants in ((700, 1200), (300, 2300), (450, 900), (500, 1900)):
        tone = np.zeros(len(time))
        for k in range(1, 40):
            hertz = 130.0 * k
            strength = sum(np.exp(-(((hertz - formant) / 150) ** 2)) + 0.02 / k for formant in formants)
            tone += strength * np.sin(2 * np.pi * hertz * time)
        parts += [0.1 * tone * np.hanning(len(time)) ** 0.3]
    parts.append(0.001 * rng.normal(size=RATE // 2))
    return read_source(np.concatenate(parts), RATE)


def test_sounds_are_found_where_somebody_speaks(source: Source) -> None:
    heard = phones_of(source)
    assert heard.phones
    spoken = [phone for word in heard.words for phone in word.phones]
    assert spoken[0].end > 0.4
    assert spoken[-1].start < 1.6
    level = measure(source.samples.astype(np.float32), RATE, heard).values[:, ENERGY]
    assert (level[1:-1] > FAINT).any()
    assert [word.index for word in heard.words] == list(range(len(heard.words)))


def test_a_recipe_moves_the_voice_and_leaves_the_ends_and_none_does_nothing(source: Source) -> None:
    angry = Target(Affect(-0.5, 0.7), "anger")
    recipe = learned_recipe(source, angry)
    assert recipe.gains.shape == (len(source.voice.hertz), 26)
    assert np.median(recipe.change.pitch[source.voice.hertz > 0]) > 1.05
    assert not recipe.gains[:20].any()
    assert (recipe.change.time[:20] == 1).all()
    sound = applied(recipe, source.voice, source.samples)
    assert np.isfinite(sound).all()
    still = learned_recipe(source, angry, strength=0.0)
    assert still.change.is_nothing
    assert not still.gains.any()
