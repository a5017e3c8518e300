"""The page of a session: whole in itself, and (external) alive in a real browser."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
import soundfile
from lacking import missing

from affectgen.audio.formats import Encoding, format_named
from affectgen.audio.write import write_sound
from affectgen.medicine.options import PlanOptions
from affectgen.medicine.plan import make_plan
from affectgen.report.session_page import STATEMENT, page_of, session_page
from affectgen.task import Result

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def details(minutes=3):
    plan = make_plan(PlanOptions("anxious", "calm", minutes=minutes, bound=None)).to_json()
    clips = [{"measured": {"valence": c["valence"] * 0.9, "arousal": c["arousal"]}} for c in plan["clips"]]
    return {"plan": plan, "clips": clips}


def test_the_page_holds_its_sound_and_asks_for_nothing_else():
    page = session_page(details(), b"sound \0\xff", "audio/mpeg", 'From <anxious> to "calm"').decode()
    assert base64.b64decode(page.split("audio/mpeg;base64,")[1].split('"')[0]) == b"sound \0\xff"
    assert not re.findall(r"https?:|//[a-z]|@import|url\(", page)
    assert all(link.startswith("data:") for link in re.findall(r'(?:src|href)="([^"]*)"', page))
    assert "<title>From &lt;anxious&gt; to &quot;calm&quot;</title>" in page
    assert STATEMENT in html.unescape(page)


def test_every_clip_is_in_the_list_and_in_both_paths():
    held = details(10)
    page = session_page(held, b"", "audio/mpeg", "t").decode()
    starts = [float(start) for start in re.findall(r'data-start="([^"]*)"', page)]
    assert starts == [clip["start"] for clip in held["plan"]["clips"]]
    asked, heard = (re.findall(rf'class="{kind}" cx="([^"]*)" cy="([^"]*)"', page) for kind in ("dot", "cross"))
    assert len(asked) == len(heard) == len(starts)
    assert float(asked[0][1]) < 180 < float(asked[-1][1]), "excited is above, calm below"
    assert float(asked[0][0]) < 180 < float(asked[-1][0]), "unpleasant is left, pleasant right"


def test_clips_that_were_not_measured_have_no_second_path():
    held = details()
    held["clips"] = [{"measured": {}} for _ in held["clips"]]
    page = session_page(held, b"", "audio/mpeg", "t").decode()
    assert 'class="cross" ' not in page


@pytest.mark.external
def test_a_browser_plays_it_and_a_click_on_a_clip_seeks(tmp_path):
    browser = next((found for name in BROWSERS if (found := shutil.which(name)) is not None), None)
    if browser is None:
        missing("no Chromium is installed")
    held = details()
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (180 * 44_100, 2)).astype(np.float32)
    write_sound(tmp_path / "s.mp3", [noise], Encoding(format_named("mp3"), quality="low"))
    page = session_page(held, (tmp_path / "s.mp3").read_bytes(), "audio/mpeg", "t").decode()
    probe = """<script>
      window.addEventListener("error", e => { document.body.dataset.error = e.message; });
      setTimeout(() => buttons[3].click(), 1500);
      setTimeout(() => { document.body.dataset.found = JSON.stringify({
        time: player.currentTime, length: player.duration, paused: player.paused,
        current: buttons.findIndex(b => b.getAttribute("aria-current") === "true") }); }, 3500);
    </script></body>"""
    (tmp_path / "page.html").write_text(page.replace("</body>", probe))
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required",
             "--enable-logging=stderr", "--virtual-time-budget=8000", f"--user-data-dir={tmp_path / 'user'}",
             "--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom", f"file://{tmp_path / 'page.html'}"]  # fmt: skip
    done = subprocess.run([browser, *words], capture_output=True, text=True, timeout=180, check=True)
    assert "data-error" not in done.stdout
    assert "CONSOLE" not in done.stderr
    found = json.loads(html.unescape(re.findall(r'data-found="([^"]*)"', done.stdout)[0]))
    start = held["plan"]["clips"][3]["start"]
    assert start - 0.1 <= found["time"] <= start + 3
    assert found["length"] == pytest.approx(180, abs=0.2)
    assert (found["paused"], found["current"]) == (False, 3)


@pytest.mark.parametrize("kind", ["flac", "mp3"])
def test_the_page_of_a_session_plays_mp3_whatever_the_session_is(tmp_path, kind):
    rate = 44_100
    tone = (0.3 * np.sin(np.arange(3 * rate) * 0.05))[:, None].repeat(2, axis=1).astype(np.float32)
    path = tmp_path / f"s.{kind}"
    write_sound(path, [tone], Encoding(format_named(kind), rate=rate))
    result = Result(path.read_bytes(), f".{kind}", None, {}, details(), {})
    page = page_of(result, path.name).decode()
    assert "<title>From anxious to calm</title>" in page
    held = base64.b64decode(page.split("audio/mpeg;base64,")[1].split('"')[0])
    heard, found = soundfile.read(io.BytesIO(held))
    assert found == rate
    assert len(heard) == pytest.approx(3 * rate, abs=2400), "MP3 pads its ends"
    assert np.abs(np.fft.rfft(heard[rate : 2 * rate, 0])).argmax() == pytest.approx(0.05 * rate / 2 / np.pi, abs=2)
