"""The evaluation set: nobody and no sentence in two parts, names, what is edited, and what lies in the folder."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectgen.errors import AffectgenError, UsageError
from affectgen.speech.dataset.dataset_files import check_place, read_folder, write_set
from affectgen.speech.dataset.dataset_words import Variant
from affectgen.speech.dataset.sentences import LEFT_OUT, SPLITS, Division, Spoken, items_of, parts, plain, relatives

EMOTIONS = ("anger", "happiness")


def make(text, chance):
    if "nothing" in text:
        return {}
    return {e: Variant(f"{e} {text}", e, "old", e, 0, 0.5) for e in EMOTIONS}


def spoken_of(speakers=12, sentences=10, emotions=("neutral",)):
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    return [
        Spoken(Path(f"{speaker}-{number}-{emotion}.wav"), f"s{speaker}", f"{words[number]} {words[-1 - number]} here",
               emotion)
        for speaker in range(speakers) for number in range(sentences) for emotion in emotions
    ]  # fmt: skip


@given(st.integers(2, 20), st.integers(2, 10), st.integers(0, 1000))
def test_no_speaker_and_no_sentence_is_in_two_parts(speakers, sentences, seed):
    items = items_of(spoken_of(speakers, sentences), make, Division(seed=seed))
    assert len(items) == speakers * sentences * len(EMOTIONS)
    used = [item for item in items if item.split != LEFT_OUT]
    for of in (lambda item: item.speaker, lambda item: item.number):
        homes = {split: {of(item) for item in used if item.split == split} for split in SPLITS}
        assert not homes["train"] & homes["test"]
        assert not homes["train"] & homes["valid"]
        assert not homes["valid"] & homes["test"]
    assert len({item.name for item in items}) == len(items)


@given(st.integers(0, 200), st.lists(st.integers(0, 10), min_size=3, max_size=3), st.integers(0, 99))
def test_parts_are_as_large_as_their_shares(count, weights, seed):
    if not sum(weights):
        return
    first, second, _ = (weight / sum(weights) for weight in weights)
    division = Division((first, second, max(0.0, 1 - first - second)), seed)
    found = parts(count, division, 0)
    assert len(found) == count
    for split, share in zip(SPLITS, division.shares, strict=True):
        assert abs(found.count(split) - share * count) < 3
        if count >= 6 and share > 1e-9:
            assert split in found
    assert found == parts(count, division, 0)


def test_one_speaker_alone_is_tested():
    assert parts(1, Division(), 0) == ["test"]
    items = items_of(spoken_of(1, 10), make, Division())
    assert {item.split for item in items} == {"test", LEFT_OUT}


def test_sentences_that_differ_by_a_word_stay_together():
    found = relatives(["a red car", "a sad day", "a red day", "two birds", "a red cat"])
    assert found[0] == found[1] == found[2] == found[4]
    assert found[3] == 3
    assert relatives([]) == []
    assert plain("Don’t STOP, Mr. 42!") == "don't stop mr 42"


def test_the_neutral_recording_is_edited_and_the_acted_one_stands_beside():
    items = items_of(spoken_of(2, 3, ("anger", "neutral", "sadness")), make, Division())
    assert {item.recording.emotion for item in items} == {"neutral"}
    for item in items:
        assert (item.acted is not None) == (item.variant.emotion == "anger")
        assert item.acted is None or (item.acted.emotion, item.acted.speaker) == ("anger", item.recording.speaker)
    assert items[0].name == "000_A_000000"
    assert items[0].folder == "000/angry"


def test_without_a_neutral_recording_the_seed_draws():
    drawn = [
        [item.recording.emotion for item in items_of(spoken_of(3, 9, ("anger", "fear")), make, Division(seed=seed))]
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert set(drawn[0]) == {"anger", "fear"}


def test_a_sentence_without_a_place_gives_no_item():
    assert items_of([Spoken(Path("a.wav"), "x", "nothing here")], make, Division()) == []


@pytest.mark.parametrize("shares", [(0.5, 0.2, 0.2), (1.2, -0.1, -0.1)])
def test_shares_that_are_no_parts_of_a_whole(shares):
    with pytest.raises(UsageError, match="no parts of a whole"):
        Division(shares)


def folder_of(home, rows, columns=("file", "speaker", "text", "emotion", "lang", "flag")):
    home.mkdir(exist_ok=True)
    with (home / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        (home / row["file"]).write_bytes(row["file"].encode())
    return home


def test_a_list_is_read_and_what_cannot_be_used_is_counted(tmp_path):
    rows = [{"file": "a.wav", "speaker": "x", "text": "One here.", "emotion": "anger", "lang": "en"},
            {"file": "b.wav", "text": "Two."}, {"file": "c.wav", "text": "Drei.", "lang": "de"},
            {"file": "d.wav", "text": "Four.", "flag": "bad"}, {"file": "e.wav", "text": " "}]  # fmt: skip
    found = read_folder(folder_of(tmp_path / "in", rows))
    assert [(one.file.name, one.speaker, one.emotion) for one in found.spoken] == [
        ("a.wav", "x", "anger"), ("b.wav", "speaker", ""),
    ]  # fmt: skip
    assert found.skipped == {"not English": 1, "flagged as bad": 1, "without a text": 1}


def test_texts_beside_recordings_are_read(tmp_path):
    for name, text in (("ann/a", "A b  c.\n"), ("ann/b", ""), ("bob/c", "D e f."), ("d", "G h.")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.wav").write_bytes(b"")
        (tmp_path / name).with_suffix(".lab" if name == "d" else ".txt").write_text(text)
    (tmp_path / "e.wav").write_bytes(b"")
    found = read_folder(tmp_path)
    assert [(one.speaker, one.text) for one in found.spoken] == [
        ("ann", "A b c."), ("bob", "D e f."), ("speaker", "G h."),
    ]  # fmt: skip
    assert found.skipped == {"without a text": 2}


def test_folders_that_cannot_be_used(tmp_path):
    with pytest.raises(AffectgenError, match="no folder"):
        read_folder(tmp_path / "no")
    with pytest.raises(AffectgenError, match="no audio file"):
        read_folder(tmp_path)
    home = folder_of(tmp_path / "in", [{"file": "a.wav", "text": "x"}], ("file", "speaker"))
    with pytest.raises(AffectgenError, match="no column 'text'"):
        read_folder(home)
    home = folder_of(tmp_path / "in", [{"file": "a.wav", "text": "x"}])
    (home / "a.wav").unlink()
    with pytest.raises(AffectgenError, match=r"a\.wav, which is not there"):
        read_folder(home)
    home = folder_of(tmp_path / "in", [{"file": "a.wav", "text": "x", "lang": "de"}])
    with pytest.raises(AffectgenError, match="1 not English"):
        read_folder(home)


@pytest.fixture
def items(tmp_path):
    rows = [{"file": f"{s}{e}.wav", "speaker": s, "text": "Say it here.", "emotion": e}
            for s in "xy" for e in ("neutral", "anger")]  # fmt: skip
    return items_of(read_folder(folder_of(tmp_path / "in", rows)).spoken, make, Division())


@pytest.mark.parametrize("link", [False, True])
def test_what_lies_in_the_set(tmp_path, items, link):
    write_set(tmp_path / "set", items, {"seed": 0}, link, force=False)
    home = tmp_path / "set"
    lines = [json.loads(line) for line in (home / "items.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == [item.name for item in items]
    for line, item in zip(lines, items, strict=True):
        raw = home / line["audio"]
        assert raw == home / item.folder / "raw" / f"{item.name}.wav"
        assert raw.is_symlink() == link
        assert raw.read_bytes() == item.recording.file.read_bytes()
        assert (home / item.folder / "text" / f"{item.name}.txt").read_text() == f"{line['text']}\n"
        assert (line["acted"] is None) == (line["emotion"] != "anger")
    listed = [name for split in (*SPLITS, LEFT_OUT) for name in (home / f"{split}.txt").read_text().split()]
    assert sorted(listed) == sorted(item.name for item in items)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_set_is_replaced_under_force_only_and_nothing_else_is(tmp_path, items):
    write_set(tmp_path / "set", items, {"seed": 0}, True, force=False)
    with pytest.raises(AffectgenError, match="a set already"):
        check_place(tmp_path / "set", force=False)
    write_set(tmp_path / "set", items[:1], {"seed": 1}, True, force=True)
    assert len((tmp_path / "set" / "items.jsonl").read_text().splitlines()) == 1
    with pytest.raises(AffectgenError, match="something else"):
        write_set(tmp_path / "in", items, {}, True, force=True)
    assert (tmp_path / "in" / "manifest.csv").is_file()


def test_a_write_that_fails_leaves_nothing(tmp_path, items):
    items[-1].recording.file.unlink()
    with pytest.raises(AffectgenError):
        write_set(tmp_path / "set", items, {}, False, force=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_too_many_speakers_for_the_names():
    many = [Spoken(Path("a.wav"), str(n), "Say it.") for n in range(1001)]
    with pytest.raises(AffectgenError, match="1001 speakers"):
        items_of(many, make, Division())
    assert np.all([len(item.name) == 12 for item in items_of(many[:1000], make, Division())])
