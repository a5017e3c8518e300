"""The benchmarks: what they count, on tiny models and short pieces, and the pages they write."""

from __future__ import annotations

import importlib.util
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from affectgen.speech.aligning.alignment import Word

TOP = Path(__file__).resolve().parent.parent


def loaded(name):
    """The module benchmarks/<name>.py."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", TOP / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def compose():
    """The module benchmarks/compose.py."""
    return loaded("compose")


@pytest.fixture(scope="module")
def render():
    """The module benchmarks/render.py."""
    return loaded("render")


@pytest.fixture(params=["muser", "emogen"])
def subject(request, compose):
    """A tiny model of each generator."""
    folder = request.getfixturevalue(f"tiny_{request.param}")
    return compose.SUBJECTS[request.param](str(folder), "cpu")


def test_notes_are_those_of_the_pieces(compose, subject):
    heard, took = compose.notes_per_second(subject, 3, 2, 1)
    pieces = subject.composer.compose(subject.requests(3, 2))
    assert heard == sum(len(piece.score) for piece in pieces) > 0
    assert took.wall > 0


def test_a_piece_is_stopped_at_its_notes_and_the_sampler_is_put_back(compose, subject):
    from affectgen.writing import sampler

    before = sampler.Decoding
    decoding, whole, steps = compose.compose_notes(subject, 9, 30)
    words = np.stack(decoding.words[0])
    assert compose.count_notes(words) == 9
    assert 0 < steps < whole
    assert sampler.Decoding is before


def test_speed_up_counts_the_drawing_on_both_sides(compose):
    found = compose.Prefixes(512, 800, whole=8.0, steps=6.0, recomputed={2: 78.0, 16: 318.0})
    assert found.speedup(2) == pytest.approx(10.0)  # (2 + 78) / 8
    assert found.speedup(16) == pytest.approx(40.0)


def test_every_prefix_is_counted(compose, subject, monkeypatch):
    """With a clock that moves by the length of each prefix, the sum is that of all lengths, whichever are timed."""
    composer = subject.composer
    decoding, _, _ = compose.compose_notes(subject, 12, 30)
    words, condition = np.stack(decoding.words[0]), decoding.request.condition

    def forward(table, condition):
        clock[0] += table.shape[1]
        return table

    clock = [0.0]
    monkeypatch.setattr(compose.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(type(composer.model.globally), "forward", lambda self, *words: forward(*words))
    lengths = len(words) - 1
    for every in (1, 5, 64):
        assert compose.recompute(composer, words, condition, every) == pytest.approx(lengths * (lengths + 1) / 2)


def test_clips_are_told_by_median_range_and_how_many_are_in_time(compose):
    found = [compose.Took(wall, wall / 2) for wall in (3.0, 4.0, 7.5)]
    assert compose.clip_text(found, 321.4) == "4.00 s (3.00 to 7.50; 2 of 3 under 5 s), 2.00 s of CPU, at most 321 MB"


def test_the_page_is_a_table_of_its_rows(compose):
    assert "| a | 1 s |" in compose.page("emogen", [("a", "1 s")], "a machine", 7)


@pytest.mark.parametrize("name", ["muser", "emogen"])
def test_the_whole_benchmark(compose, request, name, tmp_path, capsys):
    results = tmp_path / "results.md"
    words = [name, "--checkpoint", str(request.getfixturevalue(f"tiny_{name}"))]
    words += ["--bars", "2", "--notes", "12", "--every", "8"]
    words += ["--repeats", "1", "--clips", "2", "--seconds", "4"]
    assert compose.main([*words, "--results", str(results), "--write"]) == 0
    text = results.read_text()
    assert capsys.readouterr().out.strip() in text
    assert " cores" in text
    megabytes = re.search(r"at most (\d+) MB", text)
    assert megabytes is not None
    assert 50 < int(megabytes[1]) < 1000
    assert len(re.findall(r"[012] of 2 under 5 s", text)) == 3
    assert f"<!-- {compose.BLOCKS[name]}:begin -->" in text
    assert f"`affectgen {name} generate --seconds 4` of Q1, Q2, Q3, Q4, start to exit" in text
    assert len(re.findall(r"\d+ notes/s", text)) >= 2
    assert "times longer" in text


@pytest.mark.parametrize("name", ["muser", "emogen"])
def test_composing_imports_nothing_it_does_not_need(request, name, tmp_path):
    """Start-up is part of the five seconds: no plotting, no fitting, no audio."""
    folder = str(request.getfixturevalue(f"tiny_{name}"))
    words = [name, "generate", "-a", "happy", "--bars", "1", "-q", "-o", "x.mid", "--checkpoint", folder]
    script = f"import json, sys; from affectgen.cli.program import run; print(run({words}), *sys.modules)"
    env = {**os.environ, "PYTHONPATH": str(TOP)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env, check=True)
    code, *modules = done.stdout.split()
    assert code == "0", done.stderr
    heavy = ("miditok", "sklearn", "scipy", "librosa", "pandas", "matplotlib", "transformers", "pydantic", "numba")
    assert [name for name in heavy if name in modules] == []


def test_attributes_are_timed_beside_music21(corpus, tmp_path, capsys):
    """On two hand-made clips; that music21 takes ten times as long is what the page says of real ones."""
    pytest.importorskip("music21")
    raw = tmp_path / "emopia" / "raw"
    raw.mkdir(parents=True)
    for path in sorted((corpus / "emopia" / "beat").glob("*.mid"))[:2]:
        (raw / path.name).write_bytes(path.read_bytes())
    command = [sys.executable, str(TOP / "benchmarks" / "attributes.py"), "--data", str(tmp_path)]
    results = tmp_path / "results.md"
    done = subprocess.run([*command, "--results", str(results), "--write"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in results.read_text()
    assert "on 2 performances" in done.stdout
    times = re.search(r"music21 takes longer by \(bar: 10; met: (yes|no)\) \| (\d+) times", done.stdout)
    assert times is not None
    assert times[1] == ("yes" if int(times[2]) > 10 else "no") or times[2] == "10", "which may stand for a little less"


def test_dense_pieces_are_as_dense_as_they_say_and_pedalled(render):
    from affectgen.audio.strikes import strikes_of
    from affectgen.score.messages import read_timeline

    midi = render.dense_piece(1, 20.0)
    assert midi == render.dense_piece(1, 20.0)
    assert midi != render.dense_piece(2, 20.0)
    timeline = read_timeline(midi)
    strikes = strikes_of(timeline)
    assert 0.9 * 20 * render.NOTES_A_SECOND < len(strikes) <= 20 * render.NOTES_A_SECOND
    assert (timeline.first[timeline.status == 0xB0] == 64).sum() == 20  # down and up in each of ten bars
    assert 21 <= strikes.pitch.min() < 36
    assert 96 < strikes.pitch.max() <= 108
    assert strikes.velocity.std() > 10


def test_the_piano_passes_what_is_asked_of_any_renderer(render):
    midi = render.dense_piece(3, 10.0, 4.0)
    assert render.chroma(midi, "piano") > 0.8
    assert render.silence("piano")
    blocks = list(render.rendered(midi, "piano"))
    assert render.whole(midi, "piano").shape == (sum(len(block) for block in blocks), 2)


def test_silence_between_notes_is_heard_when_it_is_none(render, monkeypatch):
    hum = np.full((41 * render.RATE, 2), 0.001, dtype=np.float32)
    monkeypatch.setattr(render, "whole", lambda midi, renderer: hum)
    assert not render.silence("piano")


def test_the_speed_counts_loading(render):
    assert render.Speed("piano", load=1.0, cpu=2.0, memory=100.0, seconds=180.0).times == pytest.approx(60)


def test_one_process_prints_what_it_took(render, monkeypatch, capsys):
    monkeypatch.setattr(render, "MINUTES", 0.1)
    monkeypatch.setattr(render, "dense_piece", lambda seed, seconds=6.0, density=4.0: render.note(60, seconds=2.0))
    render.one("piano")
    found = render.json.loads(capsys.readouterr().out)
    assert 2 < found["seconds"] < 4
    assert found["load"] + found["cpu"] > 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # of this process, whatever ran in it before
    assert 0.9 * most <= found["memory"] <= most


def test_a_font_is_found_where_fonts_are(render, tmp_path, monkeypatch):
    monkeypatch.setattr("affectgen.audio.fonts.FOLDERS", (tmp_path / "none", tmp_path))
    assert render.font(render.SAME) is None
    (tmp_path / render.SAME[2]).write_bytes(b"")
    assert render.font(render.SAME) == tmp_path / render.SAME[2]


def test_without_fluidsynth_the_piano_is_measured_alone(render, tmp_path, monkeypatch, capsys):
    results = tmp_path / "results.md"
    monkeypatch.setattr(render, "RESULTS", results)
    monkeypatch.setattr(render, "fluid", lambda: False)
    monkeypatch.setattr(render, "speed", lambda renderer: render.Speed(renderer, 1.0, 1.0, 99.0, 180.0))
    monkeypatch.setattr(render, "chroma", lambda midi, renderer: 0.91)
    monkeypatch.setattr(render, "silence", lambda renderer: True)
    render.main(["--write"])
    printed = capsys.readouterr().out.strip()
    assert "| built-in piano | 90 | 1.00 | 99 | 0.910 | yes |" in printed
    assert "FluidSynth" not in printed
    assert printed in results.read_text()
    assert "<!-- render:begin -->" in results.read_text()


def test_likeness_and_tuning_of_a_renderer_with_itself(render, monkeypatch):
    own = render.whole
    monkeypatch.setattr(render, "whole", lambda midi, renderer: own(midi, "piano"))
    lines = render._likeness_table({"a piece": render.dense_piece(5, 4.0, 5.0)}, Path("x/Font.sf2"))
    assert "Font.sf2" in lines[0]
    assert lines[2].startswith("| a piece | 0.00 | 1.000 |")
    assert "at most 0.0 cents off" in lines[-1]
    assert render.tuning(None, [60]) == {}


@pytest.fixture(scope="module")
def musicgen():
    """The module benchmarks/musicgen.py."""
    pytest.importorskip("transformers")
    return loaded("musicgen")


def test_all_that_write_musicgens_codes_write_the_same(musicgen):
    """So that what is timed is the same work: greedy codes of the same weights, in one batch and alone."""
    import torch

    subject = musicgen.Subject(musicgen.TINY, "cpu")
    for batch in (1, 3):
        codes = [write(batch, 12, True) for write in subject.write.values()]
        assert codes[0].shape == (batch, 4, 12)
        assert all(torch.equal(one, codes[0]) for one in codes)
        assert len(codes[0].unique()) > 5


def test_musicgens_contenders_take_turns_and_medians_count(musicgen, monkeypatch):
    clock, calls = [0.0], []

    def writer(name, takes):
        def write(batch, frames, greedy):
            calls.append((name, frames))
            clock[0] += next(takes)

        return write

    subject = musicgen.Subject.__new__(musicgen.Subject)
    subject.device = musicgen.torch.device("cpu")
    subject.write = {"a": writer("a", iter([99.0, 1.0, 5.0, 2.0])), "b": writer("b", iter([99.0, 4.0, 3.0, 9.0]))}
    monkeypatch.setattr(musicgen.time, "process_time", lambda: clock[0])
    assert musicgen.seconds(subject, 1, 24, 3) == {"a": 2.0, "b": 4.0}
    assert calls == [("a", 4), ("b", 4), *[("a", 24), ("b", 24)] * 3]  # the first ones warm up


def test_musicgens_ratios_are_marked_where_they_miss_their_bar(musicgen):
    took = {"affectgen": 2.0, "transformers": 3.0, "audiocraft": 1.0}
    assert musicgen.row("CPU", "cpu", 8, 24, took, 4) == "| CPU | 8 | 96.0 (384) | 64.0 | 1.50 | 192.0 | 0.50* |"
    assert musicgen.row("CUDA", "cuda", 8, 24, took, 4) == "| CUDA | 8 | 96.0 (384) | 64.0 | 1.50* | 192.0 | 0.50 |"
    del took["audiocraft"]
    assert musicgen.row("CPU", "cpu", 8, 24, took, 4).endswith("| 64.0 | 1.50 | not installed |  |")


def test_the_whole_benchmark_of_musicgen(musicgen, tmp_path, monkeypatch, capsys):
    results = tmp_path / "results.md"
    monkeypatch.setattr(musicgen, "RESULTS", results)
    threads = musicgen.torch.get_num_threads()
    try:
        musicgen.main(["--quick", "--write"])
    finally:
        musicgen.torch.set_num_threads(threads)
    printed = capsys.readouterr().out.strip()
    assert printed in results.read_text()
    assert "<!-- musicgen:begin -->" in results.read_text()
    assert "2 layers, 32 wide, 4 heads" in printed
    rates = [float(found) for found in re.findall(r"^\| CPU, float32 \| [18] \| ([\d.]+) \(", printed, re.MULTILINE)]
    assert len(rates) == 2
    assert min(rates) > 1


@pytest.fixture(scope="module")
def medicine():
    """The module benchmarks/medicine.py."""
    return loaded("medicine")


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="needs Linux's /proc")
def test_the_memory_of_all_processes_is_counted(medicine):
    script = (
        "import subprocess, sys, time; held = bytearray(60 << 20); "
        "subprocess.Popen([sys.executable, '-c', 'import time; held = bytearray(80 << 20); time.sleep(30)']); "
        "time.sleep(30)"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as process:
        since, found = time.monotonic(), 0.0
        while found < 140 and time.monotonic() - since < 20:
            found = sum(medicine.own_memory(one) for one in medicine.family(process.pid))
            time.sleep(0.05)
        for one in reversed(medicine.family(process.pid)):
            os.kill(one, signal.SIGKILL)
    assert 140 <= found < 200
    assert medicine.own_memory(process.pid) == 0


def test_a_session_that_misses_a_bar_is_marked(medicine):
    runs = [medicine.Run("a to b", 100.0, 190.0, 1000.0), medicine.Run("b to c", 130.0, 250.0, 1600.0)]
    text = medicine.page(runs, 15.0, 2, 0.5)
    assert "| a to b | 100 | 190 | 1000 | 9.0 |" in text
    assert "| b to c | 130* | 250 | 1600* | 6.9 |" in text


@pytest.fixture
def align():
    return loaded("align")


def test_an_hour_is_joined_with_its_words_in_place(align, tmp_path):
    words = (Word("one", 0, 0.25, 0.5, ()), Word("two", 1, 0.5, 0.75, ()))
    chosen = [align.Sentence(np.full(8000, 0.1 * n), 8000, f"one two {n}", words) for n in (1, 2, 3)]
    seconds, starts = align.joined(chosen, 4.0, tmp_path)
    samples, rate = soundfile.read(tmp_path / "long.flac")
    assert len(samples) / rate == pytest.approx(seconds) == 4.5
    assert starts == [0.25, 0.5, 1.75, 2.0, 3.25, 3.5]
    assert len((tmp_path / "long.txt").read_text().split("\n")) == 3
    levels = [samples[round(start * rate)] for start in starts[::2]]
    assert sorted(levels) == pytest.approx([0.1, 0.2, 0.3], abs=1e-3)
    page = align.page(align.Hour(3600.0, 180.0, 300.0, np.array([0.0, 0.01, 0.03, 0.2]), 3, 1))
    near = "50.00% within 20 ms, 75.00% within 50 ms"
    assert f"| 0.050 | 300 MiB | median 20.0 ms apart, {near}, at most 0.20 s |" in page


@pytest.fixture
def batch():
    return loaded("batch")


def test_jobs_of_the_batch_benchmark_are_spread_over_emotions(batch):
    found = batch.jobs(200)
    assert len({(each["affect"], each["seed"]) for each in found}) == 200
    assert {each["affect"] for each in found} == set(batch.AFFECTS)
    assert {each["bars"] for each in found} == {16}
    few = batch.spread(found, 16)
    assert [each["affect"] for each in few].count("calm") == 2


def test_the_page_of_the_batch_benchmark_scales_the_single_commands(batch):
    timed = {1: batch.Timed(400.0, 500.0), 2: batch.Timed(220.0, 520.0)}
    page = batch.page(200, [5.0, 6.0, 4.0], timed, same=3)
    assert "| single commands | 5.00 | 12.0 | 1.0 | |" in page
    assert "| batch, 2 workers | 1.10 | 54.5 | 4.5 | 520 |" in page
    assert "3 of 3" in page
    assert "4.5 times as fast (bar 8: missed)" in page


@pytest.mark.slow
def test_the_whole_batch_benchmark(batch, tmp_path):
    page = batch.measure(4, 1, bars=2, best_of=1)
    assert "batch, 2 workers" in page


@pytest.fixture(scope="module")
def guidance():
    """The module benchmarks/guidance.py."""
    return loaded("guidance")


@pytest.fixture
def told(guidance, tiny_emogen, corpus, tmp_path):
    """The tiny model and a batch of windows."""
    from affectgen.emogen.checkpoint import load_emogen

    composer = load_emogen(str(tiny_emogen))
    songs = guidance.read_corpora(corpus, tmp_path)["dev"]
    windows = guidance.Windows(songs, composer.scale, {"emopia": 1.0}, 4, 120, 1)
    return composer.model.eval(), guidance.half_told_of_others(windows.draw())


def test_logits_of_the_guidance_benchmark_are_those_that_training_learns(guidance, told):
    from affectgen.writing.decoder import applicable

    model, batch = told
    with torch.no_grad():
        condition = model.condition(batch.targets, batch.bars_left, batch.style, batch.ending)
        found = guidance.logits(model, batch, condition)
        expected = model(batch)
    words = batch.table[:, 1:, :8].flatten(0, 1)
    for element, mask in enumerate(applicable(words)):
        loss = torch.nn.functional.cross_entropy(found[element], words[mask, element], reduction="sum")
        assert float(loss) / len(found[0]) == pytest.approx(float(expected[element]), rel=1e-4)


def test_every_second_row_is_told_of_the_one_before(guidance, told):
    _, batch = told
    rows = batch.targets
    for row in (1, 3):
        np.testing.assert_array_equal(rows[row], rows[row - 1, :1].expand_as(rows[row]))


def test_a_condition_that_is_not_moved_is_nearest_to_logits_that_are_not_guided(guidance, told, monkeypatch):
    model, batch = told
    monkeypatch.setattr(guidance, "WEIGHTS", (0.0, 1.0, 2.0))
    monkeypatch.setattr(guidance, "FACTORS", (0.0, 1.0, 1.5, 2.0))
    found = guidance.divergences(model, [batch])
    assert found.shape == (3, 4)
    assert found.argmin(axis=1).tolist()[:2] == [0, 1]
    assert found[0, 0] == pytest.approx(0, abs=1e-5)
    assert found[1, 1] == pytest.approx(0, abs=1e-5)
    assert (found[0, 1:] > 1e-4).all()
    page = guidance.page(found)
    assert "| 1 | " in page
    assert page.splitlines()[-2].endswith("| 1 |")


def test_the_whole_guidance_benchmark(guidance, corpus, monkeypatch, tmp_path, capsys):
    for name, value in (("ROWS", 2), ("WORDS", 60), ("BATCHES", 1), ("RESULTS", tmp_path / "results.md")):
        monkeypatch.setattr(guidance, name, value)
    monkeypatch.setattr(sys, "argv", ["guidance.py", "--data", str(corpus), "--write"])
    guidance.main()
    body = capsys.readouterr().out.strip()
    assert body in (tmp_path / "results.md").read_text()
    row = next(line for line in body.splitlines() if line.startswith("| 1.5 |"))
    assert 1.2 <= float(row.split("|")[-2]) <= 1.8, "the shipped model, whatever the windows"
