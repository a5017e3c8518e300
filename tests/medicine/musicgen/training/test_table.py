"""Tables of labels and tags: what they say, and what is said of bad rows."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.affect import Affect
from affectgen.affect.labels import jamendo
from affectgen.errors import AffectgenError, UsageError
from affectgen.medicine.musicgen.training.options import Corpus
from affectgen.medicine.musicgen.training.table import Track, read_jamendo, read_labels, read_tracks, split_tracks

HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"


def table(folder: Path, text: str, name: str = "labels.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def sounds(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / "audio" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "audio" / name).touch()
    return folder / "audio"


def test_numbers_words_and_quadrants(tmp_path: Path):
    text = "\ufeffPath, Valence,arousal,affect,quadrant,caption,tags,split\n"
    text += 'a/b.mp3,-0.5,.25,,,"a tune, slow",piano; strings;,train\n'
    text += "c.wav,,,happy,,,,valid\n"
    text += 'd.wav,,,"0.7,-0.2",,,,\n'
    text += "e.wav,,,,3,,,test\n"
    text += "f.wav,,,,q4,,,\n"
    text += "g.wav,,,,,only words,,\n"
    assert read_labels(table(tmp_path, text)) == [
        Track("a/b.mp3", Affect(-0.5, 0.25), "a tune, slow", ("piano", "strings"), "train"),
        Track("c.wav", Affect.parse("happy"), split="valid"),
        Track("d.wav", Affect(0.7, -0.2)),
        Track("e.wav", Affect.parse("Q3"), split="test"),
        Track("f.wav", Affect.parse("Q4")),
        Track("g.wav", None, "only words"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"has the columns none, but no file"),
        ("name,valence,arousal\n", r"has the columns name, valence, arousal, but no file"),
        ("file,valence\n", r"has the columns file, valence, but no emotion"),
        ("file,affect\n", r"a header and no rows"),
        ("file,valence,arousal\nx.wav,0,0\ny.wav,2,0\n", r"line 3 \(y.wav\):.*2"),
        ("file,valence,arousal\nx.wav,nan,0\n", r"line 2 \(x.wav\):.*nan"),
        ("file,valence,arousal\nx.wav,much,0\n", r"line 2 \(x.wav\): valence is 'much'; a number from -1 to 1 was"),
        ("file,valence,arousal\nx.wav,0.5,\n", r"line 2 \(x.wav\): arousal is ''"),
        ("file,affect\nx.wav,gloomyish\n", r"line 2 \(x.wav\):.*gloomyish"),
        ("file,quadrant\nx.wav,5\n", r"line 2 \(x.wav\): .* not 5"),
        ("file,affect\nx.wav,\n", r"line 2 \(x.wav\) has no emotion, no caption and no tags"),
        ("file,affect\n,happy\n", r"line 2 names the file ''"),
        ("file,affect\n/etc/x.wav,happy\n", r"line 2 names the file '/etc/x.wav'"),
        ("file,affect\n../x.wav,happy\n", r"line 2 names the file '../x.wav'"),
        ("file,affect\nx.wav,happy\nx.wav,sad\n", r"line 3 names x.wav, as line 2 does"),
        ("file,affect\nx.wav,happy,more\n", r"line 2 has not as many fields as the header's 2"),
        ("file,valence,arousal\nx.wav,0\n", r"line 2 has not as many fields as the header's 3"),
        ("file,affect,split\nx.wav,happy,dev\n", r"line 2 \(x.wav\) has the split 'dev'"),
    ],
)
def test_a_bad_table_is_named_with_its_line(tmp_path: Path, text: str, said: str):
    with pytest.raises(AffectgenError, match=said) as caught:
        read_labels(table(tmp_path, text))
    assert caught.value.hint


def test_what_is_no_text(tmp_path: Path):
    (tmp_path / "x.csv").write_bytes(b"file,affect\n\xff\xfe.wav,happy\n")
    with pytest.raises(AffectgenError, match="no text in UTF-8"):
        read_labels(tmp_path / "x.csv")
    with pytest.raises(AffectgenError, match="cannot be read"):
        read_labels(tmp_path / "none.csv")


def test_a_list_of_jamendo(tmp_path: Path):
    lines = "track_1\tartist_1\talbum_1\t48/948.mp3\t212.7\tmood/theme---happy\tmood/theme---film\n"
    lines += "track_2\tartist_1\talbum_1\t50/950.mp3\t2.5\tgenre---rock\n"
    one, two = read_jamendo(table(tmp_path, HEADER + lines, "x.tsv"))
    assert one == Track("48/948.mp3", jamendo(["happy", "film"]), tags=("happy", "film"))
    assert one.affect is not None
    assert two == Track("50/950.mp3", None, tags=("rock",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begins with ''"),
        ("TRACK_ID,PATH\n", "begins with 'TRACK_ID,PATH'"),
        (HEADER + "track_1\ta\tb\tc.mp3\n", "line 2 has 4 fields; at least 6 were expected"),
    ],
)
def test_what_is_no_list_of_jamendo(tmp_path: Path, text: str, said: str):
    with pytest.raises(AffectgenError, match=said):
        read_jamendo(table(tmp_path, text, "x.tsv"))


def test_the_published_list(real_data: Path):
    path = real_data / "mtg_jamendo" / "autotagging_moodtheme.tsv"
    if not path.is_file():
        pytest.skip("the list is not here")
    tracks = read_jamendo(path)
    assert len(tracks) == path.read_text().count("\n") - 1 > 18_000
    first = tracks[0]
    assert (first.name, first.tags) == ("48/948.mp3", ("background",))
    assert len({tag for track in tracks for tag in track.tags}) == 59
    assert sum(track.affect is not None for track in tracks) > 5000


def test_labels_win_and_tags_join(tmp_path: Path):
    audio = sounds(tmp_path, "48/948.low.mp3", "b.wav", "c.wav")
    labels = table(tmp_path, "file,affect,tags,split\n48/948.mp3,calm,piano,\nb.wav,sad,,valid\n")
    line = "track_1\ta\tb\t48/948.mp3\t9.0\tmood/theme---happy\n"
    tags = table(tmp_path, HEADER + line + "track_2\ta\tb\tc.wav\t9.0\tmood/theme---sad\n", "x.tsv")
    found, missing = read_tracks(Corpus(audio, labels, tags), seed=0)
    assert found == [
        Track("48/948.low.mp3", Affect.parse("calm"), tags=("piano", "happy"), split="train"),
        Track("b.wav", Affect.parse("sad"), split="valid"),
    ]
    assert missing == []


def test_missing_files_are_named_or_skipped(tmp_path: Path):
    audio = sounds(tmp_path, "a.wav", "b.wav")
    labels = table(tmp_path, "file,affect\n" + "".join(f"{name}.wav,calm\n" for name in "abcdefgh"))
    with pytest.raises(AffectgenError, match=r"6 of 8 files are not in .*: c.wav, d.wav, .* and 1 more") as caught:
        read_tracks(Corpus(audio, labels), seed=0)
    assert "--skip-missing" in caught.value.hint
    found, missing = read_tracks(Corpus(audio, labels, skip_missing=True), seed=0)
    assert sorted(track.name for track in found) == ["a.wav", "b.wav"]
    assert missing == [f"{name}.wav" for name in "cdefgh"]


@given(st.integers(2, 200), st.integers(0, 5))
def test_a_tenth_of_the_files_is_held_out(count: int, seed: int):
    tracks = [Track(f"{number}.wav") for number in range(count)]
    split = split_tracks(tracks, seed)
    assert [track.name for track in split] == [track.name for track in tracks]
    assert Counter(track.split for track in split)["valid"] == max(1, round(count / 10))
    again = split_tracks(tracks[::-1], seed)
    assert {track.name: track.split for track in again} == {track.name: track.split for track in split}


def test_a_split_that_is_given_stands(tmp_path: Path):
    given_ = [Track("a", split="valid"), Track("b"), Track("c", split="test"), Track("d", split="train")]
    assert [(t.name, t.split) for t in split_tracks(given_, 0)] == [("a", "valid"), ("b", "train"), ("d", "train")]


def test_too_few_files(tmp_path: Path):
    with pytest.raises(AffectgenError, match="Of 1 files none is left for training"):
        split_tracks([Track("a")], 0)
    with pytest.raises(AffectgenError, match="Of 1 files none is left for validation"):
        split_tracks([Track("a", split="train")], 0)


def test_one_table_is_needed(tmp_path: Path):
    with pytest.raises(UsageError, match="Neither --labels nor --tags"):
        Corpus(tmp_path)
