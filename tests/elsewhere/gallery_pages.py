"""Galleries for tests: small pieces and sounds, cards, and what stands in a page."""

from __future__ import annotations

import io
from html.parser import HTMLParser

import numpy as np
import soundfile

from affectgen.report.gallery import write_gallery
from affectgen.report.gallery_card import Card
from affectgen.score.midi import write_notes
from affectgen.score.notes import NoteArray

PATH = {"unit": "fraction", "interpolation": "linear", "keys": [[0, -0.5, -0.5], [1, 0.5, 0.5]]}


class Page(HTMLParser):
    """The elements of a page, and what stands between them."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.found, self.words, self.inside = [], [], {}
        self.open = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, "elements are closed in order"

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)
        for tag in set(self.open):
            self.inside[tag] = self.inside.get(tag, "") + data

    def text_of(self, tag):
        return self.inside.get(tag, "")

    def of(self, tag, **having):
        return [attrs for name, attrs in self.found if name == tag and having.items() <= attrs.items()]


def tone(path, seconds=0.5):
    """A quiet WAV file."""
    held = io.BytesIO()
    soundfile.write(held, 0.1 * np.sin(np.arange(int(8000 * seconds)) * 0.3), 8000, format="WAV")
    path.write_bytes(held.getvalue())
    return path


def piece(folder, name="a", notes=20):
    path = folder / f"{name}.mid"
    onset = np.arange(notes) * 0.25
    path.write_bytes(write_notes(NoteArray.of(onset, np.full(notes, 0.2), 60 + np.arange(notes) % 12,
                                              np.full(notes, 80))))  # fmt: skip
    return path


def card(folder, name, valence=0.5, **more):
    asked, measured = {"valence": 0.6, "arousal": 0.6}, {"valence": valence, "arousal": 0.4, "recogniser": "guide"}
    given_ = {"preset": "study", "seed": 3, "seconds": 1.5, "line": f"affectgen x -o {name}", "asked": asked,
              "measured": measured, "piece": piece(folder, name), **more}  # fmt: skip
    return Card(name, "emogen generate", "done", **given_)


def written(cards, place, **how):
    write_gallery(cards, "a batch", place, **how)
    text = place.read_text(encoding="utf-8")
    return text, Page(text)
