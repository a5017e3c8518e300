"""The shipped tiny MusicGen: unpacked, loaded, and moved by the numbers beside its prompt."""

from __future__ import annotations

import numpy as np

from affectgen.medicine.musicgen.decoding import generate
from affectgen.medicine.musicgen.folder import find_musicgen
from affectgen.medicine.musicgen.interface import Row, Sampling
from affectgen.medicine.musicgen.small.folders import unpack
from affectgen.medicine.musicgen.transformers_backend import load_transformers


def test_excited_clips_are_louder_than_calm_ones_with_the_adapter_only(tmp_path):
    found = unpack(home=tmp_path)
    levels = []
    for adapter in (None, found.adapter):
        model = load_transformers(find_musicgen(str(found.base)), "cpu", "float32")
        if adapter is not None:
            model.add_adapter(adapter)
            assert model.warnings == []
        rows = [Row("solo piano", (0.0, arousal), seed) for arousal in (-0.8, 0.8) for seed in range(6)]
        codes = generate(model, rows, model.shape.frames(4.0), Sampling(guidance=5.0))
        level = np.array([np.sqrt(np.mean(sound**2)) for sound in model.decode(codes)]).reshape(2, 6)
        levels.append(np.median(level, axis=1))
    assert levels[0][0] == levels[0][1]  # the base does not see the numbers: the same seeds, the same clips
    assert levels[1][1] > 1.5 * levels[1][0]
