"""CREMA-D and EMO-DB as clips: labels, votes, the speakers that the judge keeps, and the cache of what is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from affectgen.affect import labels
from affectgen.errors import AffectgenError
from affectgen.recognize import speech_corpus
from affectgen.recognize.speech_corpus import JUDGE_SPEAKERS, LABELS, Clip, baselines, read_clips, read_table, worse

CREMA_D = """file,speaker,sex,emotion,intensity,text_id,text,dur_s,voice_vote,voice_level,flag
a.wav,1001,m,anger,XX,DFA,Words.,1.0,A,40,
b.wav,1003,f,fear,HI,DFA,Words.,1.0,F:N,80:20,
c.wav,1001,m,neutral,XX,DFA,Words.,1.0,,,
d.wav,1001,m,sadness,LO,DFA,Words.,1.0,,,
e.wav,1001,m,sadness,LO,DFA,Words.,1.0,S,50,silent
"""
EMO_DB = """file,speaker,sex,emotion,intensity,text_id,take,text,lang,orig_sr,sr,dur_s,rms,flag
f.wav,09,f,boredom,,a01,a,Worte.,de,22050,16000,1.0,0.1,
g.wav,03,m,neutral,,a01,a,Worte.,de,22050,16000,1.0,0.1,
"""


def buzz(hertz: float, rate: int = 16000) -> np.ndarray:
    """A second of a voice-like sound."""
    time = np.arange(rate) / rate
    return 0.2 * np.sum([np.sin(2 * np.pi * k * hertz * time) / k for k in range(1, 15)], axis=0)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both corpora in small; d.wav is silent."""
    home = tmp_path_factory.mktemp("data")
    for corpus, table, files in (("crema_d", CREMA_D, "abcde"), ("emo_db", EMO_DB, "fg")):
        (home / corpus).mkdir()
        (home / corpus / "manifest.csv").write_text(table, encoding="utf-8")
        for number, name in enumerate(files):
            sound = np.zeros(16000) if name == "d" else buzz(120.0 + 20 * number)
            soundfile.write(home / corpus / f"{name}.wav", sound, 16000)
    return home


def of(clips: list[Clip], name: str) -> Clip:
    return next(clip for clip in clips if clip.name.endswith(f"/{name}.wav"))


def test_votes_become_shares_and_points(data: Path) -> None:
    clips = read_clips(data)
    assert of(clips, "a").shares[LABELS.index("anger")] == 1.0
    tie = of(clips, "b")
    assert tie.acted == "fear"
    assert {label: share for label, share in zip(LABELS, tie.shares, strict=True) if share} == {
        "fear": 0.5,
        "neutral": 0.5,
    }
    half = labels.crema_d("anger", "XX").scaled(0.5)  # level 40 of 80
    np.testing.assert_allclose(of(clips, "a").point, [half.valence, half.arousal])
    unvoted = labels.crema_d("sadness", "LO")
    np.testing.assert_allclose(of(clips, "d").point, [unvoted.valence, unvoted.arousal])
    bored = labels.emo_db("boredom")
    np.testing.assert_allclose(of(clips, "f").point, [bored.valence, bored.arousal])


def test_flagged_clips_are_left_out(data: Path) -> None:
    assert not any(clip.name.endswith("e.wav") for clip in read_clips(data))


def test_a_missing_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(AffectgenError, match=r"manifest\.csv is not there"):
        read_clips(tmp_path)


def test_the_judges_speakers_are_kept_apart(data: Path) -> None:
    clips = read_clips(data)
    assert {clip.name for clip in clips if clip.judges} == {"crema_d/b.wav", "emo_db/f.wav"}


def test_the_judge_has_a_quarter_of_the_actors_of_each_sex() -> None:
    assert len([name for name in JUDGE_SPEAKERS if name.startswith("crema_d/")]) == 20
    assert len([name for name in JUDGE_SPEAKERS if name.startswith("emo_db/")]) == 3


def test_the_split_of_the_real_corpora(real_data: Path) -> None:
    clips = read_clips(real_data)
    speakers = {clip.speaker: clip.sex for clip in clips}
    assert set(speakers) >= JUDGE_SPEAKERS
    own = [speakers[name] for name in JUDGE_SPEAKERS if name.startswith("crema_d/")]
    assert own.count("f") == own.count("m") == 10
    assert 0.2 < np.mean([clip.judges for clip in clips]) < 0.3
    for clip in clips:
        assert clip.shares.sum() == pytest.approx(1.0)
        assert (np.abs(clip.point) <= 1).all()


def test_boredom_was_not_offered_in_crema_d(data: Path) -> None:
    table = read_table(read_clips(data))
    open_ = table.answers[:, LABELS.index("boredom")]
    np.testing.assert_array_equal(open_, table.array("corpus") == "emo_db")
    assert table.answers.sum(axis=1).min() == len(LABELS) - 1


def test_clips_without_a_voice_are_left_out(data: Path) -> None:
    table = read_table(read_clips(data))
    assert [clip.name[-5] for clip in table.clips] == ["a", "b", "c", "f", "g"]
    assert len(table) == len(table.features) == len(table.frames) == 5


def test_picking_keeps_rows_together(data: Path) -> None:
    table = read_table(read_clips(data))
    part = table.pick(table.array("corpus") == "emo_db")
    assert [clip.corpus for clip in part.clips] == ["emo_db", "emo_db"]
    np.testing.assert_array_equal(part.features, table.features[3:])
    np.testing.assert_array_equal(part.frames[0], table.frames[3])


def test_a_neutral_clip_is_its_speakers_baseline(data: Path) -> None:
    table = read_table(read_clips(data))
    found = baselines(table)
    assert {speaker: places.tolist() for speaker, places in found.items()} == {
        "crema_d/1001": [2],
        "crema_d/1003": [],
        "emo_db/03": [4],
        "emo_db/09": [],
    }


def test_a_cache_gives_the_same_and_is_used(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clips, cache = read_clips(data), tmp_path / "deep" / "cache.npz"
    first = read_table(clips, cache)

    def never(clip: Clip) -> None:
        raise AssertionError(f"{clip.name} was read again")

    monkeypatch.setattr(speech_corpus, "_read", never)
    again = read_table(clips, cache)
    np.testing.assert_array_equal(first.features, again.features)
    assert all(np.array_equal(one, other) for one, other in zip(first.frames, again.frames, strict=True))
    monkeypatch.setattr(speech_corpus, "FEATURES_VERSION", "another")
    with pytest.raises(AssertionError, match="read again"):
        read_table(clips, cache)


def test_worse_copies_have_names_of_their_own_and_all_kinds() -> None:
    def clip(corpus: str, n: int) -> Clip:
        return Clip(f"{corpus}/{n}", corpus, f"{corpus}/1", "f", "anger", np.eye(7)[0], np.zeros(2), Path(f"{n}.wav"))

    clips = [clip("emo_db", n) for n in range(2)] + [clip("crema_d", n) for n in range(6)]
    copies = worse(clips)
    assert len({one.name for one in copies}) == len(copies) == 2 * 6 + 6
    assert sorted(one.copy for one in copies if one.corpus == "crema_d") == [1, 1, 2, 2, 3, 3]
    assert all(one.name == f"{one.corpus}/{one.file.stem}~{one.copy}" for one in copies)


def test_a_copy_is_read_as_it_is_worn(tmp_path: Path) -> None:
    time = np.arange(16000) / 16000
    buzz = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 20)) * (0.3 + 0.2 * np.sin(20 * time))
    soundfile.write(tmp_path / "a.wav", 0.3 * buzz, 16000)
    clip = Clip("emo_db/a", "emo_db", "emo_db/03", "m", "anger", np.eye(7)[0], np.zeros(2), tmp_path / "a.wav")
    first, second = (read_table([clip, *worse([clip])]) for _ in range(2))
    np.testing.assert_array_equal(first.features, second.features)
    assert len(first) == 7
    rows = np.nan_to_num(first.features)
    assert all(not np.allclose(rows[a], rows[b]) for a in range(7) for b in range(a))
