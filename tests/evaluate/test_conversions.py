"""What is counted of conversions: hits, what is left when requests are exchanged, speakers kept; what is measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affectgen.evaluate import conversions
from affectgen.evaluate.conversions import NATURAL, TARGETS, UNTOUCHED, Conversions, Item, Outcome, Settings
from affectgen.recognize.speech_corpus import CORPORA, LABELS, Clip, read_clips
from affectgen.speech.converting.convert import METHODS

SPEAKERS = ("crema_d/1006", "crema_d/1014", "crema_d/1018", "crema_d/1026", "crema_d/1029", "emo_db/03", "emo_db/13")


def clip(speaker, acted="neutral", number=0, file=Path()):
    corpus = speaker.split("/")[0]
    return Clip(f"{speaker}{acted}{number}", corpus, speaker, "f", acted, np.zeros(7), np.zeros(2), file)


def outcome(speaker, target, heard, voice=0, method="retrieved", relative=None):
    item = Item(clip(speaker), method, target, Path())
    shares = np.eye(7)[[LABELS.index(heard), LABELS.index(relative if relative else heard)]]
    return Outcome(item, *shares, np.eye(3)[voice])


def found_of(outcomes):
    voices = {corpus: ((f"{corpus}/x", f"{corpus}/y", f"{corpus}/z"), np.eye(3)) for corpus in CORPORA}
    return Conversions(tuple(outcomes), voices, {"retrieved": 0.1}, {})


def test_each_corpus_and_emotion_counts_alike():
    outcomes = [outcome("crema_d/x", "anger", "anger") for _ in range(9)]
    outcomes += [outcome("crema_d/x", "fear", "neutral"), outcome("emo_db/x", "anger", "sadness")]
    found = found_of(outcomes)
    assert found.hits("retrieved") == pytest.approx(1 / 3)
    assert found.hits("retrieved", "anger") == pytest.approx(0.5)
    assert found.hits("retrieved", "anger", "crema_d") == 1
    assert found.hits("retrieved", corpus="emo_db") == 0
    assert np.isnan(found.hits("rules"))


def test_what_the_judge_hears_beside_a_neutral_recording_is_counted_apart():
    found = found_of([outcome("crema_d/x", "anger", "neutral", relative="anger")])
    assert (found.hits("retrieved"), found.hits("retrieved", relative=True)) == (0, 1)
    assert not found.outcomes[0].hit


def test_perfect_hits_fall_to_chance_when_requests_are_exchanged():
    outcomes = [outcome(f"{corpus}/x", target, target) for corpus in CORPORA for target in TARGETS for _ in range(50)]
    found = found_of(outcomes)
    assert found.hits("retrieved") == 1
    assert found.shuffled("retrieved") == pytest.approx(0.25, abs=0.07)
    assert found.shuffled("retrieved") == found.shuffled("retrieved")


def test_natural_speech_that_listeners_heard_otherwise_is_told_apart():
    heard = outcome("crema_d/x", "anger", "anger", method=NATURAL)
    missed = outcome("crema_d/x", "anger", "neutral", method=NATURAL)
    votes = {name: np.eye(7)[LABELS.index(name)] for name in ("anger", "sadness")}
    for one, name in ((heard, "anger"), (missed, "sadness")):
        object.__setattr__(one.item.clip, "shares", votes[name])
    found = found_of([heard, missed])
    assert found.hits(NATURAL) == 0.5
    assert found.agreed() == (1.0, 1)


def test_speakers_that_are_kept():
    found = found_of([outcome("crema_d/x", "anger", "anger", 0), outcome("crema_d/x", "anger", "anger", 1),
                      outcome("emo_db/y", "fear", "anger", 1)])  # fmt: skip
    assert found.speaker_kept("retrieved", corpus="crema_d") == 0.5
    assert found.speaker_kept("retrieved", corpus="emo_db") == 1
    assert found.speaker_kept("retrieved") == 0.75


def test_what_could_not_be_converted_is_a_miss(monkeypatch, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 8000)
    item = Item(clip("crema_d/x", file=tmp_path / "a.wav"), "rules", "anger", tmp_path / "a.wav")
    failed = conversions.measure(item)
    assert failed.failed
    assert not failed.hit
    found = found_of([failed, outcome("crema_d/x", "anger", "anger", method="rules")])
    vectors = Conversions((replace(failed, vector=np.zeros(3)), found.outcomes[1]), found.voices, {}, {})
    assert vectors.hits("rules") == 0.5
    assert vectors.speaker_kept("rules") == 0.5


def test_items_are_of_the_part_alone_and_sources_do_not_enrol():
    clips = [clip(one, acted, n) for one in SPEAKERS for acted, many in (("neutral", 6), ("anger", 4), ("boredom", 2))
             for n in range(many)]  # fmt: skip
    german = conversions.rivals([one for one in clips if one.corpus == "emo_db"], "test")
    assert {one.speaker for one in german} == {"emo_db/03", "emo_db/13"}  # few, so that others are voices as well
    english = conversions.rivals([one for one in clips if one.corpus == "crema_d"], "test")
    settings = Settings(sources=2, natural=3)
    sources, enrolled = conversions.split_neutral(german, settings.sources, 0)
    items = conversions.items_of(german, sources, enrolled, ["retrieved"], settings)
    assert {item.clip.speaker for item in items} == {"emo_db/03"}
    assert sum(item.method == "retrieved" for item in items) == 2 * len(TARGETS)
    assert sum(item.method == UNTOUCHED for item in items) == 2 * len(TARGETS)
    natural = [item for item in items if item.method == NATURAL]
    assert [item.target for item in natural] == ["anger"] * 3
    assert all(item.clip.acted == item.target for item in natural)
    assert {one.speaker for one in english} == set(SPEAKERS[:5])


def test_a_method_that_is_not_there_is_named():
    known, missing = conversions.available([*METHODS, "telepathy"])
    assert known == list(METHODS)
    assert list(missing) == ["telepathy"]


def test_time_is_taken_without_the_first(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 8000)
    now = [0.0]

    def made(item):
        now[0] += {"first": 100.0, "anger": 0.5, "fear": 0.7}[item.target]

    monkeypatch.setattr(conversions.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(conversions, "made", made)
    item = Item(clip("crema_d/x", file=tmp_path / "a.wav"), "rules", "anger", Path())
    first = Item(item.clip, "rules", "first", Path())
    assert conversions.timed([first, item, replace(item, target="fear")]) == pytest.approx(0.6)
    assert np.isnan(conversions.timed([first]))
    assert np.isnan(conversions.timed([]))


def test_real_recordings_are_measured(real_data):
    clips = [one for one in read_clips(real_data) if one.speaker == "emo_db/03"]
    neutral = [one for one in clips if one.acted == "neutral"]
    angry = next(one for one in clips if one.acted == "anger")
    found = conversions.measure(Item(angry, NATURAL, "anger", neutral[0].file))
    assert found.shares.sum() == pytest.approx(1, abs=1e-6)
    assert found.hit
    assert np.linalg.norm(found.vector) == pytest.approx(1)
    calm = conversions.measure(Item(neutral[1], UNTOUCHED, "anger", neutral[0].file))
    assert not calm.hit
