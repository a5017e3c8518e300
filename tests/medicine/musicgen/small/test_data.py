"""Rendering EMOPIA's training clips, the table beside them, and stretches drawn from sounds."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from affectgen.audio.strikes import Strikes
from affectgen.errors import AffectgenError
from affectgen.medicine.musicgen.small.data import (
    LEAD,
    RATE,
    Crops,
    Playing,
    from_first_note,
    read_table,
    render,
    sound_of,
    upper_voice,
    whole_numbers,
)
from affectgen.medicine.musicgen.training.table import read_labels


def test_validation_clips_are_not_rendered_and_held_out_songs_stay_apart(sounds):
    clips = read_table(sounds)
    assert {(clip.song, clip.part) for clip in clips} == {("s04", "dev"), ("s05", "train"), ("s06", "train")}
    assert sorted(path.stem for path in sounds.glob("*.wav")) == sorted(clip.name for clip in clips)
    assert clips[0].key in ("C major", "C minor")


def test_clips_are_mono_at_the_rate_and_soft_music_stays_softer(sounds):
    clips = read_table(sounds)
    assert soundfile.info(sounds / f"{clips[0].name}.wav").samplerate == RATE
    level = {clip.name: float(np.sqrt(np.mean(sound_of(sounds, clip) ** 2))) for clip in clips}
    loud = [level[clip.name] for clip in clips if clip.quadrant in ("Q1", "Q2")]
    soft = [level[clip.name] for clip in clips if clip.quadrant in ("Q3", "Q4")]
    assert min(loud) > 1.5 * max(soft) > 0


def test_the_training_command_reads_the_table(sounds):
    tracks = {track.name: track for track in read_labels(sounds / "labels.csv")}
    clip = read_table(sounds)[0]
    track = tracks[f"{clip.name}.wav"]
    assert (track.affect.quadrant, track.split) == (clip.quadrant, "train")
    assert "solo piano" in track.caption


def test_what_is_rendered_stays(sounds, played, tmp_path):
    first = sorted(sounds.glob("*.wav"))[0]
    before = first.stat().st_mtime_ns
    render(played, sounds, Playing(), lambda text: None)
    assert first.stat().st_mtime_ns == before


def test_a_folder_without_table_or_clips_is_refused(tmp_path, played):
    with pytest.raises(AffectgenError, match=r"labels\.csv is not there"):
        read_table(tmp_path)
    (tmp_path / "emopia").mkdir()
    (tmp_path / "emopia" / "clips.csv").write_text((played / "emopia" / "clips.csv").read_text())
    with pytest.raises(AffectgenError, match="holds no clip"):
        render(tmp_path, tmp_path / "out", Playing(), lambda text: None)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=5), st.integers(1, 12), st.integers(0, 9))
def test_crops_are_stretches_of_the_sounds_and_the_seed_tells_which(lengths, size, seed):
    ramps = [np.arange(100 * number, 100 * number + length, dtype=np.int16) for number, length in enumerate(lengths)]
    if max(lengths) < size:
        with pytest.raises(AffectgenError, match="samples long"):
            Crops(ramps, size, seed)
        return
    drawn = Crops(ramps, size, seed).draw(6)
    assert drawn.shape == (6, 1, size)
    for row in (drawn[:, 0] * 32768).round().int().tolist():
        number, start = divmod(row[0], 100)
        assert row == list(range(row[0], row[0] + size))
        assert start + size <= lengths[number]
    assert drawn.equal(Crops(ramps, size, seed).draw(6))


NOTE = st.tuples(st.integers(0, 60), st.integers(1, 40), st.integers(30, 90), st.integers(1, 127))


def strikes_from(notes):
    columns = np.array(sorted(notes), dtype=np.float64).T
    onset = 3.0 + columns[0] * 0.03
    pitch, velocity = columns[2:].astype(int)
    return Strikes(onset, onset + columns[1] * 0.02, pitch, velocity, np.ones(len(onset)))


@settings(max_examples=60, deadline=None)
@given(st.lists(NOTE, min_size=1, max_size=25))
def test_the_upper_voice_is_one_voice_on_the_grid_and_the_highest(notes):
    given_ = strikes_from(notes)
    found = upper_voice(given_, 0.04)
    places, ends = found.onset / 0.04, found.stop / 0.04
    assert np.allclose(places, places.round())
    assert np.allclose(ends, ends.round())
    assert (np.diff(places) > 0.5).all()
    assert (ends[:-1] <= places[1:] + 1e-6).all()
    assert (ends - places > 0.5).all()
    for place, pitch in zip(places.round(), found.pitch, strict=True):
        assert pitch == given_.pitch[np.round(given_.onset / 0.04) == place].max()
    assert len(found) == len(np.unique(np.round(given_.onset / 0.04)))
    assert (found.velocity % 8 == 0)[found.velocity < 127].all()


@settings(max_examples=30, deadline=None)
@given(st.lists(NOTE, min_size=1, max_size=25), st.floats(0.1, 2))
def test_clips_begin_just_before_their_first_note_and_keep_all_voices_off_the_grid(notes, longest):
    given_ = strikes_from(notes)
    whole = from_first_note(given_, Playing(None, None))
    assert whole.onset[0] == pytest.approx(LEAD)
    assert np.allclose(np.diff(whole.onset), np.diff(given_.onset))
    assert np.array_equal(whole.pitch, given_.pitch)
    part = from_first_note(given_, Playing(None, longest))
    assert np.array_equal(part.onset, whole.onset[whole.onset < longest])


def test_whole_numbers_keep_within_their_range():
    assert whole_numbers(np.array([-2.0, 0.0, 0.5, 2.0], dtype=np.float32)).tolist() == [-32767, 0, 16384, 32767]
