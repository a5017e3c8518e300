"""The gallery (external) alive in a real browser."""

from __future__ import annotations

import base64
import html
import json
import re
import shutil
import subprocess
from hashlib import sha256

import numpy as np
import pytest
from gallery_pages import card, tone, written
from lacking import missing

from affectgen.audio.formats import Encoding, format_named
from affectgen.audio.write import write_sound
from affectgen.report.gallery_card import Card
from affectgen.report.gallery_roll import WIDE, read_roll

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PROBE = """
  window.addEventListener("error", e => { document.body.dataset.error = e.message; });
  document.addEventListener("securitypolicyviolation", e => { document.body.dataset.error = e.violatedDirective; });
  const set = (id, value) => { by(id).value = value; by(id).dispatchEvent(new Event("input", {bubbles: true})); };
  const there = () => [...document.querySelectorAll("main article")].filter(a => !a.hidden).map(a => a.dataset.name);
  const chosen = () => [...document.querySelectorAll("article.chosen")].map(a => a.dataset.name);
  const key = name => by("plane").dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true}));
  const seen = kind => [...document.querySelectorAll("#plane .dot." + kind)]
    .filter(dot => getComputedStyle(dot).display !== "none").length;
  const found = { all: there(), wide: document.documentElement.scrollWidth <= window.innerWidth };
  set("sort", "valence"); found.sorted = there();
  found.dots = [seen("by0"), seen("by1")];
  set("reader", "judge"); found.judged = there(); found.judgedDots = [seen("by0"), seen("by1")];
  set("reader", ""); set("sort", "order");
  set("preset", "sleep"); found.preset = there();
  found.marks = [...document.querySelectorAll("#plane a")].filter(a => !a.hasAttribute("hidden")).length;
  set("preset", ""); set("status", "failed"); found.failed = there(); set("status", "");
  set("search", "two"); found.search = there(); found.count = by("count").textContent;
  set("search", "");
  document.querySelector('#plane a[data-card="p1"]').dispatchEvent(new MouseEvent("click", {bubbles: true}));
  found.chosen = chosen(); found.told = by("told").textContent; found.focused = document.activeElement.id;
  document.querySelector("article").focus(); found.backMark = document.querySelector("#plane a.chosen").dataset.card;
  key("ArrowRight"); found.right = chosen(); key("ArrowLeft"); key("ArrowLeft"); found.around = chosen();
  key("Enter"); found.entered = document.activeElement.id;
  players[0].button.click(); found.first = [players[0].timer !== null, players[1].timer !== null];
  players[1].button.click(); found.second = [players[0].timer !== null, players[1].timer !== null];
  found.label = players[1].button.getAttribute("aria-label");
  const sounds = document.querySelectorAll("audio");
  sounds[1].preload = "auto";
  setTimeout(() => { found.place = players[1].at; players[1].seek(2); found.sought = players[1].at;
    found.line = Number(document.querySelectorAll(".roll .now")[1].getAttribute("x1"));
    sounds[0].play().catch(() => {}); }, 1500);  // another may begin before it has
  setTimeout(() => { found.third = [players[1].timer !== null, !sounds[0].paused, sounds[0].duration];
    sounds[1].play().catch(() => {}); }, 3500);
  setTimeout(() => { found.linked = [!sounds[0].paused, !sounds[1].paused, sounds[1].duration];
    document.body.dataset.found = JSON.stringify(found); }, 5500);
"""


def browse(page, folder):
    """What the probe finds in a real browser that may reach nothing but files."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name)) is not None), None)
    if browser is None:
        missing("no Chromium is installed")
    allowed = base64.b64encode(sha256(PROBE.encode()).digest()).decode()
    probed = page.replace("script-src ", f"script-src 'sha256-{allowed}' ", 1)
    (folder / "probe.html").write_text(probed.replace("</body>", f"<script>{PROBE}</script></body>"))
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required",
             "--enable-logging=stderr", "--virtual-time-budget=10000", f"--user-data-dir={folder / 'user'}",
             "--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom", f"file://{folder / 'probe.html'}"]  # fmt: skip
    done = subprocess.run([browser, *words], capture_output=True, text=True, timeout=180, check=True)
    assert "data-error" not in done.stdout
    assert "CONSOLE" not in done.stderr
    return json.loads(html.unescape(re.findall(r'data-found="([^"]*)"', done.stdout)[0]))


@pytest.mark.external
def test_a_browser_filters_chooses_and_plays_one_thing_at_a_time(tmp_path):
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (30 * 44_100, 2)).astype(np.float32)
    write_sound(tmp_path / "s.mp3", [noise], Encoding(format_named("mp3"), quality="low"))
    linked = tone(tmp_path / "beside it.wav", 20)
    judged = {"valence": 0.9, "arousal": 0.4, "judge": {"valence": -0.9, "arousal": 0.0}}
    cards = [card(tmp_path, "one", measured=judged), card(tmp_path, "two", 0.1, preset="sleep"),
             card(tmp_path, "three", 0.5, sound=tmp_path / "s.mp3"), Card("lost", "x", "failed", message="gone"),
             Card("four", "render", "done", piece=linked, sound=linked),
             card(tmp_path, "<img src=x onerror=alert(1)>", 0.3)]  # fmt: skip
    text, page = written(cards, tmp_path / "index.html", limit=(tmp_path / "s.mp3").stat().st_size)
    assert page.of("audio")[1]["src"] == "beside%20it.wav"
    found = browse(text, tmp_path)
    last = cards[-1].name
    assert found["all"] == ["one", "two", "three", "lost", "four", last]
    assert found["wide"], "nothing sticks out to the side"
    assert found["sorted"] == ["two", last, "three", "one", "lost", "four"]
    assert found["judged"][0] == "one"
    assert (found["dots"], found["judgedDots"]) == ([4, 0], [0, 1])
    assert (found["preset"], found["marks"], found["failed"]) == (["two"], 1, ["lost"])
    assert (found["search"], found["count"]) == (["two"], "1 of 6")
    assert (found["chosen"], found["told"], found["focused"], found["backMark"]) == (["two"], "two", "p1", "p0")
    assert (found["right"], found["around"], found["entered"]) == (["two"], [last], "p5")
    assert (found["first"], found["second"]) == ([True, False], [False, True])
    assert found["label"] == "Pause two"
    assert 0 < found["place"] < 3  # the sound's clock runs in real time, the page's may not
    assert found["sought"] == pytest.approx(2, abs=0.1)
    assert found["line"] == pytest.approx(WIDE * 2 / read_roll(cards[1].piece).seconds, abs=WIDE * 0.1)
    assert found["third"][:2] == [False, True]
    assert found["third"][2] == pytest.approx(30, abs=0.2)
    assert found["linked"][:2] == [False, True]
    assert found["linked"][2] == pytest.approx(20, abs=0.1)
