"""The index that is shipped: of the right speakers, the same bytes however it came about, with its card."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import soundfile
from talking import RATE, talk

from affectgen.nn.checkpoint import load_checkpoint, verify_sums, write_sums
from affectgen.speech.index.ship import main
from affectgen.speech.index.voices import load_voices

COLUMNS = ("file", "speaker", "sex", "emotion", "intensity", "text", "voice_vote", "voice_level", "flag")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CREMA-D's and EMO-DB's layout with one training, one development, one test and one judge's speaker of the first,
    one training speaker of the second."""
    home = tmp_path_factory.mktemp("data")
    rows: dict[str, list[dict[str, str]]] = {"crema_d": [], "emo_db": []}
    people = [("crema_d", name) for name in ("1001", "1010", "1006", "1003")] + [("emo_db", "11")]
    for number, (corpus, speaker) in enumerate(people):
        for emotion, vote, level in (("neutral", "N", "60"), ("anger", "A:D", "50:40")):
            name = f"{speaker}_{emotion}.wav"
            (home / corpus).mkdir(exist_ok=True)
            sound = talk(pitch=100 + 10 * number + 20 * (emotion == "anger"))
            soundfile.write(home / corpus / name, sound, RATE)
            votes = {"voice_vote": vote, "voice_level": level} if corpus == "crema_d" else {}
            rows[corpus].append({"file": name, "speaker": speaker, "sex": "f", "emotion": emotion, "intensity": "XX",
                                 "text": "Don't.", **votes})  # fmt: skip
    for corpus, table in rows.items():
        with (home / corpus / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(table)
    return home


def ship(data: Path, home: Path, name: str) -> Path:
    folder = home / name / "voices"
    assert main(["--data", str(data), "--out", str(folder), "--part", str(home / f"{name}.db"), "--jobs", "1"]) == 0
    return folder


def test_only_speakers_that_nothing_is_measured_on_are_in_it(data: Path, tmp_path: Path) -> None:
    folder = ship(data, tmp_path, "a")
    voices = load_voices(folder / "voices.db")
    assert set(voices.speakers.tolist()) == {"crema_d/1001", "crema_d/1010", "emo_db/11"}
    anger = voices.pick((voices.speakers == "crema_d/1001") & (voices.labels == "anger"))
    assert anger.shares[0, :3] == pytest.approx([0.5, 0, 0.5])  # as it was heard
    config = json.loads((folder / "config.json").read_text())
    assert (config["clips"], config["speakers"], config["licence"]) == (6, 3, "ODbL-1.0")
    card = (folder / "card.md").read_text()
    assert "| crema_d | 4 | 2 | ODbL-1.0 |" in card
    assert "| emo_db | 2 | 1 | CC0-1.0 |" in card


def test_going_on_makes_the_same_file(data: Path, tmp_path: Path) -> None:
    from affectgen.speech.index.build import fill
    from affectgen.speech.index.listing import listed

    first = ship(data, tmp_path, "a")
    some = [one for one in listed(data) if one.speaker in ("emo_db/11", "crema_d/1010")]
    fill(tmp_path / "b.db", some, jobs=1, added="")
    second = ship(data, tmp_path, "b")
    assert (first / "voices.db").read_bytes() == (second / "voices.db").read_bytes()
    assert sorted(path.name for path in second.iterdir()) == ["card.md", "config.json", "voices.db"]


def test_it_is_a_checkpoint_like_others(data: Path, tmp_path: Path) -> None:
    folder = ship(data, tmp_path, "a")
    write_sums(folder.parent)
    assert verify_sums(folder.parent) == {"voices/config.json": "ok", "voices/voices.db": "ok"}
    found = load_checkpoint(folder)
    assert found.weights_path == folder / "voices.db"
    (folder / "voices.db").write_bytes(b"")
    assert verify_sums(folder.parent)["voices/voices.db"] == "changed"
