"""Who speaks how in a folder: by a manifest, by subfolders, by the corpora's own lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from affectgen.errors import AffectError, AffectgenError
from affectgen.recognize.speech_corpus import LABELS
from affectgen.speech.index.listing import feeling_of, listed


def test_a_manifest_says_who_speaks_how(tmp_path: Path) -> None:
    rows = (
        "file, speaker,emotion,text,sex,licence\n"
        'a.wav,anna,angry,"One, two.",female,CC-BY-4.0\n'
        "b.wav,anna,,,,\n"
        'c/d.flac,bert,"-0.5,0.25",,m,\n'
        "e.wav,bert,surprised,,,\n"
    )
    (tmp_path / "manifest.csv").write_text("\ufeff" + rows, encoding="utf-8")
    first, unsaid, point, word = listed(tmp_path, licence="CC0-1.0", language="de")
    assert (first.path, first.name, first.speaker) == (tmp_path / "a.wav", "a.wav", "anna")
    assert (first.sex, first.text, first.licence, first.language) == ("f", "One, two.", "CC-BY-4.0", "de")
    assert first.feeling is not None
    assert first.feeling.label == "anger"
    assert first.feeling.shares.tolist() == [float(label == "anger") for label in LABELS]
    assert unsaid.feeling is None
    assert (unsaid.sex, unsaid.licence) == ("", "CC0-1.0")
    assert point.feeling is not None
    assert (point.feeling.label, point.feeling.point.tolist()) == ("", [-0.5, 0.25])
    assert not point.feeling.shares.any()
    assert word.feeling is not None
    assert word.feeling.label == ""


def test_subfolders_are_speakers_where_nothing_is_said(tmp_path: Path) -> None:
    for name in ("bert/2.wav", "bert/deep/1.flac", "anna/1.ogg", "anna/notes.txt", "anna/.hidden.wav", "0.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = listed(tmp_path)
    assert [(one.name, one.speaker) for one in found] == [
        ("0.wav", tmp_path.name), ("anna/1.ogg", "anna"), ("bert/2.wav", "bert"), ("bert/deep/1.flac", "bert"),
    ]  # fmt: skip
    assert {one.feeling for one in found} == {None}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("file,emotion\na.wav,anger\n", "no column speaker"),
        ("name\na.wav\n", "no column file and no column speaker"),
        ("file,speaker\na.wav,\n", "Line 2 of .* names no file or no speaker"),
        ("file,speaker,emotion\na.wav,anna,anger\nb.wav,anna,wroth as can be\n", "Line 3 .* is no emotion"),
        ("file,speaker\n", "no recording"),
    ],
)
def test_faults_of_a_manifest_are_named(tmp_path: Path, rows: str, said: str) -> None:
    (tmp_path / "manifest.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(AffectgenError, match=said):
        listed(tmp_path)


def test_a_manifest_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes("file,speaker\nä.wav,Jürgen\n".encode("latin-1"))
    with pytest.raises(AffectgenError, match="UTF-8"):
        listed(tmp_path)


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(AffectgenError, match="is no folder"):
        listed(tmp_path / "missing")
    with pytest.raises(AffectgenError, match="no recording"):
        listed(tmp_path)


def test_feelings_are_labels_words_or_points() -> None:
    assert feeling_of("boredom").label == "boredom"
    assert feeling_of(" Furious ").label == "anger"
    weaker = feeling_of("happy:0.5")
    assert weaker.label == "happiness"
    assert np.hypot(*weaker.point) == pytest.approx(np.hypot(*feeling_of("happy").point) / 2)
    with pytest.raises(AffectError):
        feeling_of("wroth as can be")


def test_a_folder_named_as_a_corpus_need_not_be_it(tmp_path: Path) -> None:
    home = tmp_path / "crema_d"
    home.mkdir()
    (home / "manifest.csv").write_text("file,speaker,emotion\na.wav,anna,sad\n", encoding="utf-8")
    assert [one.speaker for one in listed(home)] == ["anna"]


def test_the_corpora_are_known_by_their_own_lists(real_data: Path) -> None:
    both, one = listed(real_data), listed(real_data / "emo_db")
    assert len(both) > 6000
    assert len(one) > 500
    german = {item.name: item for item in both if item.name.startswith("emo_db/")}
    assert {item.name for item in one} == set(german)
    clip = next(item for item in one if item.name.endswith("03a01Fa.flac"))
    assert (clip.speaker, clip.sex, clip.language, clip.licence) == ("emo_db/03", "m", "de", "CC0-1.0")
    assert clip.text == "Der Lappen liegt auf dem Eisschrank."
    heard = [item for item in both if item.feeling is not None and item.feeling.source.endswith("heard it")]
    assert len(heard) > 5000
    assert all(item.name.startswith("crema_d/") and item.licence == "ODbL-1.0" for item in heard)
