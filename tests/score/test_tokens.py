from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import symusic

from affectgen.errors import MidiError
from affectgen.score.beats import read_score
from affectgen.score.midi import write_midi, write_notes
from affectgen.score.words import FIELDS, SIZES, TEMPI, Field, WordError, encode

miditok = pytest.importorskip("miditok")
tokens = pytest.importorskip("affectgen.score.tokens")


@pytest.fixture(scope="module")
def tokenizer():
    return tokens.CompoundWords()


@pytest.fixture
def song(piece, tmp_path: Path) -> Path:
    path = tmp_path / "song.mid"
    path.write_bytes(write_midi(piece(tempo=93.0)))
    return path


def test_vocabularies_are_those_of_the_words_in_numeric_order(tokenizer) -> None:
    assert tokenizer.len == [SIZES[field] for field in FIELDS]
    assert tokenizer.io_format == ("T", "C")
    for column, kind in ((Field.TEMPO, "Tempo"), (Field.PITCH, "Pitch"), (Field.DURATION, "Duration"),
                         (Field.VELOCITY, "Velocity")):  # fmt: skip
        values = [float(token.split("_")[1]) for token in list(tokenizer.vocab[column])[1:]]
        assert all(token.startswith(f"{kind}_") for token in list(tokenizer.vocab[column])[1:])
        assert values == sorted(values)
    assert [vocabulary["PAD_None"] for vocabulary in tokenizer.vocab] == [0] * len(FIELDS)
    assert tokenizer.vocab[Field.TEMPO][f"Tempo_{TEMPI[0]:.2f}"] == 1
    assert tokenizer.pad_token_id == 0


def test_ids_are_the_rows_of_words(tokenizer, song: Path, piece) -> None:
    expected = encode(read_score(song))
    for source in (song, str(song), symusic.Score(str(song))):
        found = tokenizer(source)
        assert isinstance(found, miditok.TokSequence)
        np.testing.assert_array_equal(np.array(found.ids), expected)
        assert tokenizer.tokens_errors(found) == 0
    assert len(found.tokens) == len(found.ids)


def test_a_performance_is_tracked_first(tokenizer, piece) -> None:
    data = write_notes(piece(tempo=117.0).to_notes())
    np.testing.assert_array_equal(np.array(tokenizer(symusic.Score.from_midi(data)).ids), encode(read_score(data)))


def test_every_way_of_decoding_gives_the_same_score(tokenizer, song: Path) -> None:
    found = tokenizer(song)
    score = tokenizer.decode(found)
    assert isinstance(score, symusic.core.ScoreTick)
    assert score.ticks_per_quarter == tokenizer.time_division
    for form in (found.ids, np.array(found.ids), found.tokens):
        assert tokenizer(form) == score
    np.testing.assert_array_equal(tokenizer(score).ids, found.ids)


def test_the_configuration_saves_and_loads(tokenizer, song: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    tokenizer.save(tmp_path / "tokens")
    tokenizer.save(tmp_path / "tokens.json")
    for again in (
        tokens.CompoundWords.from_pretrained(tmp_path / "tokens"),
        tokens.CompoundWords(params=tmp_path / "tokens.json"),
    ):
        assert again == tokenizer
        assert again.io_format == tokenizer.io_format
        assert again(song).ids == tokenizer(song).ids


def test_another_configuration_does_not_change_the_stream(tokenizer, song: Path) -> None:
    config = miditok.TokenizerConfig(use_tempos=False, use_programs=True, num_velocities=4, use_key_signatures=False)
    assert tokens.CompoundWords(config)(song).ids == tokenizer(song).ids


def test_errors_are_counted(tokenizer, song: Path) -> None:
    ids = np.array(tokenizer(song).ids)
    count = len(ids)
    kinds = [tokens.kind_of(word) for word in tokenizer(song).tokens]
    position, note = kinds.index("Position"), kinds.index("Pitch")
    for broken, least in [
        (np.insert(ids, note + 1, ids[note], axis=0), 1),  # the same pitch twice in an onset
        (np.delete(ids, position, axis=0), 1),  # a note without its position
        (np.insert(ids, note, ids[position], axis=0), 1),  # time stands still, and a position without notes
        (np.where((np.arange(count) == note)[:, None] & (np.arange(8) == Field.VELOCITY), 0, ids), 1),
        (np.where((np.arange(count) == note)[:, None] & (np.arange(8) == Field.TEMPO), 3, ids), 1),
        (np.zeros_like(ids[:4]), 1),
        (ids[::-1], count // 4),
    ]:
        assert tokenizer.tokens_errors(broken) >= least / len(broken) - 1e-9
    assert tokenizer.tokens_errors(np.concatenate([ids, np.zeros_like(ids[:4])])) == 0  # a padded batch
    with pytest.raises(WordError):
        tokenizer.decode(np.delete(ids, position, axis=0)[1:])


def test_bad_files_are_named(tokenizer, tmp_path: Path) -> None:
    (tmp_path / "no.mid").write_text("no music")
    with pytest.raises(MidiError, match="no MIDI file"):
        tokenizer(tmp_path / "no.mid")
    with pytest.raises(MidiError, match="no notes"):
        tokenizer(symusic.Score(480))


def test_real_clips(tokenizer, emopia: Path) -> None:
    for path in [*sorted((emopia / "beat").glob("*.mid"))[::100], *sorted((emopia / "raw").glob("*.mid"))[::200]]:
        found = tokenizer(path)
        np.testing.assert_array_equal(np.array(found.ids), encode(read_score(path)))
        assert tokenizer.tokens_errors(found) == 0


def test_only_this_module_imports_miditok() -> None:
    code = (
        "import sys, affectgen.score.beats, affectgen.score.words, affectgen.score.roundtrip;"
        "sys.exit('miditok' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
