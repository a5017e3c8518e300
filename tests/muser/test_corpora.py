"""Corpora in small folders of the documented layout, and what a run leaves as a checkpoint."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import torch

from affectgen.muser.checkpoint import load_composer
from affectgen.muser.corpora import rate_bars, read_emopia, read_folder, read_vgmidi
from affectgen.muser.export import attribute_spread, export, passes
from affectgen.muser.model import Muser
from affectgen.muser.prior import Prior
from affectgen.muser.train import STAGES, TrainOptions
from affectgen.score.midi import write_midi
from affectgen.score.split import is_dev_song
from affectgen.score.words import Field, key_of


def table(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def emopia(tmp_path, score):
    """Five clips: two to train on, one for development, one for validation, one whose file is missing."""
    names = iter(range(1000))
    dev = next(f"song{n}" for n in names if is_dev_song(f"song{n}"))
    train = next(f"song{n}" for n in names if not is_dev_song(f"song{n}"))
    (tmp_path / "beat").mkdir()
    rows = []
    songs = [(train, "train"), (dev, "train"), (train, "train"), ("v", "val"), ("m", "val")]
    for number, (song, split) in enumerate(songs):
        name = f"Q{number % 4 + 1}_{number}"
        rows.append({"clip": name, "song": song, "quadrant": name[:2], "split": split, "key": "D", "mode": "minor",
                     "beat": f"{name}.mid"})  # fmt: skip
        if song != "m":
            (tmp_path / "beat" / f"{name}.mid").write_bytes(write_midi(score(number, 3)))
    table(tmp_path / "clips.csv", rows)
    return tmp_path


def test_emopia_by_split(emopia):
    found = {split: read_emopia(emopia, split) for split in ("train", "dev", "val")}
    assert {split: [song.name for song in songs] for split, songs in found.items()} == {
        "train": ["Q1_0", "Q3_2"], "dev": ["Q2_1"], "val": ["Q4_3"],
    }  # fmt: skip
    np.testing.assert_allclose(found["train"][1].affect, [[-0.6, -0.6]] * 3)
    assert str(key_of(int(found["val"][0].table[0, Field.KEY]))) == "D minor"
    assert not found["val"][0].ending
    pointed = read_emopia(emopia, "train", {"Q1_0": (0.9, 0.1)})
    np.testing.assert_allclose(pointed[0].affect[0], [0.9, 0.1])
    np.testing.assert_allclose(pointed[1].affect[0], [-0.6, -0.6])


def test_a_folder_of_files_leaves_out_what_cannot_be_read(tmp_path, score):
    (tmp_path / "b.mid").write_bytes(write_midi(score(1, 6)))
    (tmp_path / "a.mid").write_bytes(b"no MIDI at all")
    (tmp_path / "c.mid").write_bytes(write_midi(score(2, 1)))  # too short
    (tmp_path / "notes.txt").write_text("no music")
    found = list(read_folder(tmp_path, "pop"))
    assert [song.name for song in found] == ["b"]
    assert np.isnan(found[0].affect).all()
    assert (found[0].style, found[0].ending) == (1, True)
    rated = list(read_folder(tmp_path, "pop", lambda windows: np.full((len(windows), 2), 0.25)))
    np.testing.assert_allclose(rated[0].affect, np.full((rated[0].bars, 2), 0.25))


def test_ratings_are_spread_over_the_bars(score):
    source = score(3, 20)

    def rate(windows):
        return np.stack([np.linspace(-1, 1, len(windows)), np.zeros(len(windows))], axis=1)

    found = rate_bars(source, rate)
    assert found.shape == (20, 2)
    assert (np.diff(found[:17, 0]) > 0).all()
    assert found[0, 0] == -1
    assert found[16:, 0].tolist() == [1.0] * 4
    silent = source.take_bars(0, 1)
    few = type(silent)(silent.start[:3], silent.length[:3], silent.pitch[:3], silent.velocity[:3], silent.tempo,
                       silent.chords, silent.key, 1)  # fmt: skip
    assert np.isnan(rate_bars(few, rate)).all()


def test_vgmidi_with_its_ratings(tmp_path, score):
    (tmp_path / "midi").mkdir()
    flat = score(2, 6)
    flat = type(flat)(flat.start, flat.length, flat.pitch, np.full(len(flat), 64), flat.tempo, flat.chords, flat.key, 6)
    for name, piece in (("x", score(1, 6)), ("flat", flat)):
        (tmp_path / "midi" / f"{name}.mid").write_bytes(write_midi(piece))
    table(tmp_path / "pieces.csv", [
        {"piece_id": name, "midi": f"{name}.mid", "valence_mean": "0.5", "arousal_mean": "-0.25"}
        for name in ("x", "flat", "gone")
    ])  # fmt: skip
    found = list(read_vgmidi(tmp_path))
    assert [song.name for song in found] == ["x"], "one velocity throughout says nothing"
    np.testing.assert_allclose(found[0].affect, [[0.5, -0.25]] * found[0].bars)


def test_a_finished_run_becomes_a_checkpoint(tmp_path, config, song):
    options = TrainOptions(data=tmp_path, folder=tmp_path / "run", model=config, finetune=40, rows=4, words=50)
    songs = {"train": [song(seed, 3 + seed) for seed in range(3)], "dev": [song(9, 3)], "pop": [], "game": []}
    torch.manual_seed(0)
    for stage in STAGES:
        (options.folder / stage).mkdir(parents=True)
        model = Prior(config) if stage == "prior" else Muser(config)
        torch.save(model.state_dict(), options.folder / stage / "best.pt")
        table(options.folder / stage / "log.csv", [
            {"step": step, "rate": 0.1, "train": 2.0, "seconds": 60.0, "loss": loss}
            for step, loss in ((10, 3.0), (20, 1.5), (30, 2.0))
        ])  # fmt: skip
    out = tmp_path / "made"
    export(options, songs, out, "affectgen muser train --data DATA")
    composer = load_composer(str(out))
    for part, stage in ((composer.prior, "prior"), (composer.model, "finetune")):
        best = torch.load(options.folder / stage / "best.pt", weights_only=True)
        for name, parameter in part.named_parameters():
            assert torch.equal(parameter, best[name].half().float()), f"{stage} {name}"
    assert composer.attribute_spread == pytest.approx(attribute_spread(songs["train"]))
    with (out / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["stage"] for row in rows] == [stage for stage in STAGES for _ in range(3)]
    card = (out / "card.md").read_text()
    for text in ("affectgen muser train --data DATA", "CC-BY-NC-SA-4.0", "| prior | 30 | 20 | 1.500 | 3.0 |",
                 "| finetune | 30 | 30 | 2.000 | 3.0 |"):  # fmt: skip
        assert text in card


def test_passes_count_words_that_were_seen(song, tmp_path, config):
    songs = [song(seed, 4) for seed in range(3)]
    options = TrainOptions(data=tmp_path, folder=tmp_path, model=config, rows=10, words=10_000)
    share = options.stage("finetune").share["emopia"]
    sizes = np.array([len(one.table) for one in songs])
    whole = passes(options, songs, 100)
    assert whole == pytest.approx(100 * 10 * share * (sizes**2).sum() / sizes.sum() ** 2)
    assert passes(options, songs, 200) == pytest.approx(2 * whole)
    cut = TrainOptions(data=tmp_path, folder=tmp_path, model=config, rows=10, words=20)
    assert passes(cut, songs, 100) == pytest.approx(100 * 10 * share * 20 / sizes.sum())
