"""The gallery: whole in itself, and harmless whatever the names."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest
from gallery_pages import PATH, card, piece, tone, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affectgen.errors import AffectgenError
from affectgen.report.gallery import write_gallery
from affectgen.report.gallery_card import Card, clock
from affectgen.report.gallery_roll import read_roll


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
    assert len(page.of("circle", **{"class": "dot by0"})) == 2
    assert not page.of("circle", **{"class": "dot by1"}), "no judge was asked"
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
    sounds = [tone(tmp_path / "out" / f"s {n}.wav") for n in range(3)]
    size = sounds[0].stat().st_size
    cards = [card(tmp_path, f"c{n}", sound=sound) for n, sound in enumerate(sounds)]
    _, page = written(cards, tmp_path / "index.html", limit=2 * size)
    found = [each["src"] for each in page.of("audio")]
    assert base64.b64decode(found[0].removeprefix("data:audio/wav;base64,")) == sounds[0].read_bytes()
    assert found[1].startswith("data:")
    assert found[2] == "out/s%202.wav"
    assert "1 sound is too large for the page" in page.text_of("header")
    _, page = written(cards, tmp_path / "index.html", limit=3 * size)
    assert all(each["src"].startswith("data:") for each in page.of("audio"))
    assert "too large" not in page.text_of("header")


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="file names are text there")
def test_a_sound_whose_name_is_not_utf_8_is_linked_by_its_bytes(tmp_path):
    sound = tone(Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff:?#b.wav")))
    _, page = written([Card("x", "y", "done", piece=sound, sound=sound)], tmp_path / "index.html", limit=0)
    link = page.of("audio")[0]["src"]
    assert unquote_to_bytes(link) == b"a\xff:?#b.wav"
    assert not set(":?#") & set(link)


def test_the_policy_lets_only_this_pages_script_and_style_run(tmp_path):
    text, page = written([card(tmp_path, "one")], tmp_path / "index.html")
    policy = page.of("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    for tag in ("script", "style"):
        (held,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert rules[f"{tag}-src"] == f"'sha256-{base64.b64encode(sha256(held.encode()).digest()).decode()}'"
    assert (rules["default-src"], rules["form-action"], rules["base-uri"]) == ("'none'",) * 3
    assert not [name for _, attrs in page.found for name in attrs if name.startswith("on")]


def test_the_judge_is_beside_the_guide_where_it_was_asked(tmp_path):
    told = {"valence": 0.5, "arousal": 0.4, "recogniser": "guide",
            "judge": {"valence": -0.2, "arousal": 0.0, "recogniser": "judge"}}  # fmt: skip
    _, page = written([card(tmp_path, "one", measured=told), card(tmp_path, "two")], tmp_path / "index.html")
    first, second = page.of("article")
    assert (first["data-valence"], first["data-valence-judge"]) == ("0.5000", "-0.2000")
    assert float(first["data-distance-judge"]) == pytest.approx(1.0, abs=1e-4)
    assert "data-valence-judge" not in second
    assert len(page.of("circle", **{"class": "dot by1"})) == 1
    assert page.of("select", id="reader")
    _, page = written([card(tmp_path, "two")], tmp_path / "index.html")
    assert not page.of("select", id="reader")


def test_the_summary_counts_lengths_times_and_versions(tmp_path):
    cards = [card(tmp_path, "one", version="9.8.7"), card(tmp_path, "two", version="9.8.7"), Card("l", "x", "failed")]
    for one in cards[:2]:
        os.utime(one.piece, (86_400 * 365, 86_400 * 365))
    _, page = written(cards, tmp_path / "index.html")
    seconds = 2 * read_roll(cards[0].piece).seconds
    assert page.text_of("header").split("\n")[1] == (
        f"2 pieces, 1 failed · {clock(seconds)} in all · made until 1971-01-01 00:00 UTC · affectgen 9.8.7"
    )


def test_a_long_path_is_shown_by_its_ends(tmp_path):
    keys = [[n, n / 30, n / 30] for n in range(30)]
    _, page = written([card(tmp_path, "one", asked={"unit": "seconds", "keys": keys})], tmp_path / "index.html")
    assert "28 steps" in page.words
    assert len(page.of("circle", **{"class": "ring"})) == 30


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
    (tmp_path / "s.wav").write_bytes(b"no sound")
    mute = card(tmp_path, "three", sound=tmp_path / "s.wav")
    lost = card(tmp_path, "four", sound=tmp_path / "none.wav")
    _, page = written([mute, lost], tmp_path / "index.html")
    assert len(page.of("p", **{"class": "fault"})) == 1
    assert not page.of("audio")
    assert len(page.of("div", **{"class": "player"})) == 2, "the notes are still there to be heard"


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


def test_500_pieces_are_quick_and_stay_small(tmp_path):
    first = card(tmp_path, "n", piece=piece(tmp_path, notes=600))
    cards = [replace(first, name=f"n{n}") for n in range(500)]
    start = time.process_time()
    write_gallery(cards, "many", tmp_path / "index.html")
    assert time.process_time() - start < 20
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert text.count("<article") == 500
    assert len(text) < 15e6
