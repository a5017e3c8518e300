"""The gallery: whole in itself, harmless whatever the names, and (external) alive in a real browser."""

from __future__ import annotations

import base64
import html
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affectgen.audio.formats import Encoding, format_named
from affectgen.audio.write import write_sound
from affectgen.errors import AffectgenError
from affectgen.report.gallery import Card, write_gallery
from affectgen.report.gallery_plane import points_of
from affectgen.report.gallery_roll import read_roll
from affectgen.score.midi import write_notes
from affectgen.score.notes import NoteArray

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATH = {"unit": "fraction", "interpolation": "linear", "keys": [[0, -0.5, -0.5], [1, 0.5, 0.5]]}


class Page(HTMLParser):
    """The elements of a page, and what stands between them."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.found, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    def of(self, tag, **having):
        return [attrs for name, attrs in self.found if name == tag and having.items() <= attrs.items()]


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


def test_every_job_has_a_card_and_a_mark(tmp_path):
    cards = [card(tmp_path, "one"), card(tmp_path, "two", asked=PATH),
             Card("lost", "muser generate", "failed", message="No such affect.")]  # fmt: skip
    text, page = written(cards, tmp_path / "index.html")
    articles = page.of("article")
    assert [each["data-name"] for each in articles] == ["one", "two", "lost"]
    assert [each["data-status"] for each in articles] == ["done", "done", "failed"]
    assert float(articles[0]["data-distance"]) == pytest.approx(np.hypot(0.1, 0.2), abs=1e-4)
    assert "data-distance" not in articles[1]
    assert [each["data-card"] for each in page.of("a") if "data-card" in each] == ["p0", "p1"]
    assert len(page.of("circle", **{"class": "ring"})) == 3
    assert len(page.of("circle", **{"class": "dot"})) == 2
    assert "No such affect." in page.words
    assert "2 pieces, 1 failed" in text
    assert len(page.of("div", **{"class": "player"})) == 2


def test_it_asks_for_nothing_from_anywhere(tmp_path):
    text, page = written([card(tmp_path, "one")], tmp_path / "index.html")
    assert not re.findall(r"https?:|//[a-z]+\.|@import|url\(", text)
    assert page.of("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"].startswith("default-src 'none'")
    links = [attrs[key] for _, attrs in page.found for key in ("src", "href") if key in attrs]
    assert all(link.startswith(("data:", "#")) for link in links)


def test_notes_come_back_from_the_page(tmp_path):
    one = card(tmp_path, "one")
    _, page = written([one], tmp_path / "index.html")
    flat = json.loads(page.of("div", **{"class": "player"})[0]["data-notes"])
    rows = np.array(flat).reshape(-1, 4)
    assert [tuple(row) for row in rows.tolist()] == list(read_roll(one.piece).rows)
    assert rows[1].tolist() == [250, 200, 61, 80]


def test_sounds_lie_in_the_page_up_to_a_limit_and_are_linked_beyond(tmp_path):
    (tmp_path / "out").mkdir()
    sounds = [tmp_path / "out" / f"s {n}.mp3" for n in range(3)]
    for sound in sounds:
        sound.write_bytes(b"x" * 1000)
    cards = [card(tmp_path, f"c{n}", sound=sound) for n, sound in enumerate(sounds)]
    _, page = written(cards, tmp_path / "index.html", limit=2000)
    found = [each["src"] for each in page.of("audio")]
    assert base64.b64decode(found[0].removeprefix("data:audio/mpeg;base64,")) == b"x" * 1000
    assert found[1].startswith("data:")
    assert found[2] == "out/s%202.mp3"


def test_the_same_cards_give_the_same_bytes_and_one_page_replaces_the_other(tmp_path):
    cards = [card(tmp_path, "one"), card(tmp_path, "two")]
    first, _ = written(cards, tmp_path / "index.html")
    again, _ = written(cards, tmp_path / "index.html")
    assert first == again
    with pytest.raises(AffectgenError, match="does not exist"):
        write_gallery(cards, "x", tmp_path / "none" / "index.html")


def test_a_piece_that_cannot_be_read_is_told_on_its_card(tmp_path):
    one = card(tmp_path, "one")
    one.piece.write_bytes(b"no MIDI")
    gone = card(tmp_path, "two")
    gone.piece.unlink()
    _, page = written([one, gone], tmp_path / "index.html")
    assert len(page.of("p", **{"class": "fault"})) == 1
    assert not page.of("div", **{"class": "player"})


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(min_size=1), st.text(), st.sampled_from(["<script>alert(1)</script>", '"><img src=x>', "\ud800"]))
def test_whatever_the_names_the_page_has_the_same_elements(tmp_path, name, message, nasty):
    plain = [Card("a", "b", "failed", "c", message="d", line="e")]
    wild = [Card(name + nasty, nasty + "b", "failed", nasty + name, message=message + nasty, line=nasty)]
    _, expected = written(plain, tmp_path / "plain.html")
    _, found = written(wild, tmp_path / "wild.html")
    assert [tag for tag, _ in found.found] == [tag for tag, _ in expected.found]
    shown = (name + nasty).encode("utf-8", "backslashreplace").decode()
    assert len(found.of("article")) == 1
    if "\r" not in shown and "\0" not in shown:  # which HTML itself changes
        assert found.of("article")[0]["data-name"] == shown


def test_500_pieces_stay_small(tmp_path):
    shared = piece(tmp_path, notes=300)
    cards = [Card(f"n{n}", "emogen generate", "done", piece=shared) for n in range(500)]
    text, page = written(cards, tmp_path / "index.html")
    assert len(page.of("article")) == 500
    assert len(text) < 15e6


def test_points_are_read_from_affects_and_paths():
    assert points_of({"valence": 0.1, "arousal": -1}) == [(0.1, -1.0)]
    assert points_of(PATH) == [(-0.5, -0.5), (0.5, 0.5)]
    assert points_of(None) == points_of({}) == points_of({"valence": None, "arousal": 1}) == []


PROBE = """<script>
  window.addEventListener("error", e => { document.body.dataset.error = e.message; });
  const set = (id, value) => { by(id).value = value; by(id).dispatchEvent(new Event("input", {bubbles: true})); };
  const there = () => [...document.querySelectorAll("main article")].filter(a => !a.hidden).map(a => a.dataset.name);
  const found = { all: there() };
  set("sort", "valence"); found.sorted = there(); set("sort", "order");
  set("preset", "sleep"); found.preset = there();
  found.marks = [...document.querySelectorAll("#plane a")].filter(a => !a.hasAttribute("hidden")).length;
  set("preset", ""); set("search", "two"); found.search = there(); found.count = by("count").textContent;
  set("search", "");
  document.querySelector('#plane a[data-card="p1"]').dispatchEvent(new MouseEvent("click", {bubbles: true}));
  found.chosen = document.querySelector("article.chosen").dataset.name;
  players[0].button.click(); found.first = [players[0].timer !== null, players[1].timer !== null];
  players[1].button.click(); found.second = [players[0].timer !== null, players[1].timer !== null];
  const sound = document.querySelector("audio");
  setTimeout(() => { found.place = players[1].at; players[1].seek(2); found.sought = players[1].at;
    sound.play(); }, 1500);
  setTimeout(() => { found.third = [players[1].timer !== null, !sound.paused, sound.duration];
    document.body.dataset.found = JSON.stringify(found); }, 3500);
</script></body>"""


@pytest.mark.external
def test_a_browser_filters_chooses_and_plays_one_thing_at_a_time(tmp_path):
    browser = next((found for name in BROWSERS if (found := shutil.which(name)) is not None), None)
    if browser is None:
        (pytest.fail if "AFFECTGEN_NO_SKIP" in os.environ else pytest.skip)("no Chromium is installed")
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (30 * 44_100, 2)).astype(np.float32)
    write_sound(tmp_path / "s.mp3", [noise], Encoding(format_named("mp3"), quality="low"))
    sounding = card(tmp_path, "three", 0.5, sound=tmp_path / "s.mp3")
    lost = Card("lost", "x", "failed", message="gone")
    cards = [card(tmp_path, "one", 0.9), card(tmp_path, "two", 0.1, preset="sleep"), sounding, lost]
    text, _ = written(cards, tmp_path / "index.html")
    (tmp_path / "probe.html").write_text(text.replace("</body>", PROBE))
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required",
             "--enable-logging=stderr", "--virtual-time-budget=8000", f"--user-data-dir={tmp_path / 'user'}",
             "--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom", f"file://{tmp_path / 'probe.html'}"]  # fmt: skip
    done = subprocess.run([browser, *words], capture_output=True, text=True, timeout=180, check=True)
    assert "data-error" not in done.stdout
    assert "CONSOLE" not in done.stderr
    found = json.loads(html.unescape(re.findall(r'data-found="([^"]*)"', done.stdout)[0]))
    assert found["all"] == ["one", "two", "three", "lost"]
    assert found["sorted"] == ["two", "three", "one", "lost"]
    assert (found["preset"], found["marks"]) == (["two"], 1)
    assert (found["search"], found["count"]) == (["two"], "1 of 4")
    assert found["chosen"] == "two"
    assert (found["first"], found["second"]) == ([True, False], [False, True])
    assert 0 < found["place"] < 3  # the sound's clock runs in real time, the page's may not
    assert found["sought"] == pytest.approx(2, abs=0.1)
    assert found["third"][:2] == [False, True]
    assert found["third"][2] == pytest.approx(30, abs=0.2)
