"""The fit of the verifier: axes along which speakers differ, worse copies that are the same again, who is left out."""

from __future__ import annotations

import numpy as np
import pytest

from affectgen.evaluate import speaker_fit
from affectgen.evaluate.speaker_fit import Settings, discriminant, training_clips, worn
from affectgen.recognize.speaker import DESCRIPTORS, descriptors, nearest, unit
from affectgen.recognize.speech_corpus import read_clips
from affectgen.speech.split import part_of

RATE = 11_025


def sound(seed=0):
    rng = np.random.default_rng(seed)
    time = np.arange(RATE) / RATE
    return (sum(np.sin(2 * np.pi * 130 * k * time) / k for k in range(1, 20)) * 0.1
            + 0.01 * rng.normal(size=RATE)).astype(np.float32)  # fmt: skip


def test_the_first_axis_is_that_of_the_speakers_and_not_the_widest():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 30)
    rows = np.stack([rng.normal(size=300) * 20, (labels - 4.5) + 0.3 * rng.normal(size=300), rng.normal(size=300)], 1)
    axes = discriminant(rows, labels, Settings(dimensions=2, shrinkage=0.0))
    assert axes.shape == (3, 2)
    assert abs(np.corrcoef(rows @ axes[:, 0], labels)[0, 1]) > 0.98
    assert abs(axes[0, 0] * 20) < 0.2 * abs(axes[1, 0])


def test_a_fitted_verifier_knows_its_speakers_again():
    rng = np.random.default_rng(1)
    homes = rng.normal(size=(6, DESCRIPTORS))

    def frames(speaker):
        return (homes[speaker] + rng.normal(size=(60, DESCRIPTORS))).astype(np.float16)

    speakers = [n % 6 for n in range(48)]
    clean, copies = ([frames(one) for one in speakers] for _ in range(2))
    made = speaker_fit.fit(clean, copies, [str(one) for one in speakers], Settings(gaussians=2, kept=20, dimensions=40))
    voices = unit(np.stack([made.embed_frames([frames(n) for _ in range(3)]).mean(axis=0) for n in range(6)]))
    tried = made.embed_frames([frames(n) for n in range(6)])
    assert nearest(tried, voices).tolist() == list(range(6))
    assert tried.shape == (6, 5)  # no more axes than speakers less one


def test_a_worse_copy_is_the_same_each_time_and_other_by_name():
    one, again, other = worn(sound(), "a"), worn(sound(), "a"), worn(sound(), "b")
    assert np.array_equal(one, again)
    assert one.shape[1] == DESCRIPTORS
    assert not np.array_equal(one[:50], other[:50])
    assert np.abs(one[:80].astype(float).mean(0) - descriptors(sound(), RATE)[:80].astype(float).mean(0)).max() > 1


def test_nobody_who_is_tested_is_fitted_on(real_data):
    clips = read_clips(real_data)
    fitted = training_clips(clips)
    assert {clip.corpus for clip in fitted} == {"crema_d"}
    assert {part_of(clip.speaker) for clip in fitted} == {"judge", "development", "training"}
    assert {part_of(clip.speaker) for clip in training_clips(clips, development=False)} == {"judge", "training"}


def test_the_command_needs_data(capsys):
    with pytest.raises(SystemExit) as stopped:
        speaker_fit.main([])
    assert stopped.value.code == 2
    assert "--data" in capsys.readouterr().err
