"""Talk without words for the tests of voices: syllables of a buzz; folders of it, and a small emotion space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE = 11_025
TAKES = {"neutral": (0.0, 1.0), "anger": (5.0, 1.4), "sadness": (-2.0, 0.8)}  # semitones, brightness
MORE_TAKES = {**TAKES, "fear": (7.0, 1.1), "happiness": (4.0, 1.2)}


def talk(seconds: float = 1.2, pitch: float = 130.0, rise: float = 2.0, bright: float = 1.0, rate: int = RATE):
    """Syllables, four a second, of a buzz that rises by `rise` semitones, mono float32; bright: less fall of the
    harmonics."""
    time = np.arange(int(seconds * rate)) / rate
    hertz = pitch * 2 ** (rise / 12 * time / seconds)
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    top = int(0.43 * min(rate, 44_100) / hertz.max())
    sound = np.sum([np.sin(k * phase) * k ** -(2.0 - bright) for k in range(1, top + 1)], axis=0)
    sound = sound * np.maximum(np.sin(2 * np.pi * 4 * time), 0.0) ** 0.5
    sound = sound + 0.002 * np.random.default_rng(0).normal(size=len(time))
    return (0.3 * sound / np.abs(sound).max()).astype(np.float32)


def write_takes(folder: Path, speakers: dict[str, float], takes: int = 1, emotions=TAKES) -> None:
    """A folder of speakers, by name with their pitch in Hz, each with `takes` of each emotion, and a manifest.csv."""
    rows = ["file,speaker,emotion,text,sex,licence"]
    folder.mkdir(parents=True, exist_ok=True)
    for speaker, pitch in speakers.items():
        for emotion, (tones, bright) in emotions.items():
            for take in range(takes):
                name = f"{speaker}_{emotion}_{take}.wav"
                sound = talk(pitch=pitch * 2 ** ((tones + 0.2 * take) / 12), bright=bright)
                soundfile.write(folder / name, sound, RATE)
                rows.append(f"{name},{speaker},{emotion},What is said.,f,CC0-1.0")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def write_space(folder: Path) -> None:
    """An emotion space of numbers drawn at random, as a checkpoint."""
    from affectgen.recognize.speech_corpus import LABELS
    from affectgen.recognize.speech_features import feature_names
    from affectgen.speech.space.model import EmotionSpace, save_space
    from affectgen.speech.space.tower import Tower

    rng = np.random.default_rng(1)

    def tower(size: int) -> Tower:
        return Tower(np.zeros(size), np.full(size, 10.0), ((rng.normal(size=(size, 4)), rng.normal(size=4)),))

    parts = (tower(31), tower(len(feature_names())), tower(2 + len(LABELS)))
    space = EmotionSpace(*parts, rng.normal(size=(5, 2)), rng.normal(size=(5, len(LABELS))))
    save_space(folder, space, {"licence": "CC0-1.0"}, "")
