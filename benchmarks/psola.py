"""How well pitch and length of real voices are changed, beside Praat's own PSOLA (through parselmouth, a dev extra).

    python benchmarks/psola.py            prints the figures; 2 minutes on one core
    python benchmarks/psola.py --write    also puts them into docs/results.md, between the psola marks
    python benchmarks/psola.py --quick    two clips: that it runs, not how well it does

Clips of CREMA-D, EMO-DB and LJSpeech in ../shared/data, every speaker who is neither a judge's nor kept for tests once.
There and back: changed by a factor and back, against the clip itself. One way: against what Praat measures of the clip.
"""

from __future__ import annotations

import argparse
import csv
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that a checkout needs no installation

from affectgen.audio.envelope import envelopes
from affectgen.audio.psola import HOP, Change, analyse, changed
from affectgen.audio.spectrum import mel_triangles
from affectgen.report.blocks import write_block
from affectgen.speech.split import part_of

TOP = Path(__file__).resolve().parent.parent
RESULTS, DATA, BLOCK = TOP / "docs" / "results.md", TOP.parent / "shared" / "data", "psola"
BACK = (("pitch", 1.1), ("pitch", 1.25), ("time", 1.2))
WAYS = (0.6, 0.8, 1.25, 1.6, 2.0)
LOWEST, HIGHEST = 65.0, 550.0  # Hz that Praat looks for a pitch in
GROSS = 300.0  # cents: a larger error is another pitch
CEPSTRA = 24
RULE = "|---" * 6 + "|"
BARS = (10.0, 0.04, 0.04)  # of pitch in cents, of gross errors of it, of formants in octaves
USED = ("training", "development")  # parts of the split: neither a judge's speakers nor those of the tests

Floats = NDArray[np.float64]
Changer = Callable[[Floats, int, str, float], Floats]


@dataclass(frozen=True)
class Clip:
    """A recording: samples [N] at rate."""

    samples: Floats
    rate: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / self.rate


def clips(data: Path, most: int) -> list[Clip]:
    """One clip of each speaker who may be looked at, of an emotion that changes from speaker to speaker."""
    import soundfile

    found: list[Clip] = []
    for corpus, share in (("crema_d", 0.5), ("emo_db", 0.25), ("ljspeech", 0.25)):
        with (data / corpus / "manifest.csv").open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if not row["flag"]]
        speakers = sorted({row["speaker"] for row in rows if part_of(f"{corpus}/{row['speaker']}") in USED})
        wanted = max(round(most * share), 1)
        if len(speakers) < wanted:
            speakers = speakers * wanted
        for number, speaker in enumerate(speakers[:: max(len(speakers) // wanted, 1)][:wanted]):
            own = [row for row in rows if row["speaker"] == speaker and 1.5 < float(row["dur_s"]) < 9]
            samples, rate = soundfile.read(data / corpus / own[number * 17 % len(own)]["file"], dtype="float64")
            found.append(Clip(samples if samples.ndim == 1 else samples.mean(axis=1), rate))
    return found


def ours(samples: Floats, rate: int, what: str, factor: float) -> Floats:
    """The pitch or the length times a factor."""
    voice = analyse(samples, rate)
    return changed(voice, Change.even(len(voice.hertz), **{what: factor}))


def praats(samples: Floats, rate: int, what: str, factor: float) -> Floats:
    """The same by Praat's manipulation (overlap-add)."""
    from parselmouth import Sound
    from parselmouth.praat import call

    sound = Sound(samples, rate)
    manipulation = call(sound, "To Manipulation", HOP, LOWEST, HIGHEST)
    if what == "pitch":
        tier = call(manipulation, "Extract pitch tier")
        if not call(tier, "Get number of points"):
            return samples
        call(tier, "Multiply frequencies", 0, len(samples) / rate, factor)
    else:
        tier = call("Create DurationTier", "d", 0, len(samples) / rate)
        call(tier, "Add point", 0.0, factor)
    call([manipulation, tier], "Replace pitch tier" if what == "pitch" else "Replace duration tier")
    return np.asarray(call(manipulation, "Get resynthesis (overlap-add)").values[0], dtype=np.float64)


def frames(seconds: float) -> Floats:
    """The moments of frames in so many seconds."""
    return np.asarray(np.arange(int(seconds / HOP)) * HOP, dtype=np.float64)


def loud(samples: Floats, rate: int, moments: Floats) -> NDArray[np.bool_]:
    """Whether 40 ms about moments in seconds are within 20 dB of the loudest: some rooms hum."""
    size = int(0.02 * rate)
    pieces = np.lib.stride_tricks.sliding_window_view(np.pad(samples, size), 2 * size)
    power = (pieces[np.minimum((moments * rate).astype(int), len(pieces) - 1)] ** 2).mean(axis=1)
    return np.asarray(power > power.max() / 100)


def pitch(samples: Floats, rate: int, moments: Floats, low: float = LOWEST, high: float = HIGHEST) -> Floats:
    """Hz as Praat measures it at moments in seconds, nan where unvoiced."""
    from parselmouth import Sound

    found = Sound(samples, rate).to_pitch_ac(time_step=HOP, pitch_floor=low, pitch_ceiling=high)
    return np.array([found.get_value_at_time(moment) for moment in moments])


def formants(samples: Floats, rate: int, moments: Floats) -> Floats:
    """The lowest three resonances in Hz as Praat measures them at moments in seconds, [K, 3], nan where none is."""
    from parselmouth import Sound

    found = Sound(samples, rate).to_formant_burg(time_step=HOP, maximum_formant=5200)
    return np.array([[found.get_value_at_time(number, moment) for number in (1, 2, 3)] for moment in moments])


def cepstral(samples: Floats, rate: int) -> tuple[Floats, Floats]:
    """(level in dB [T], mel cepstra in dB [T, CEPSTRA]) of 25 ms each 5 ms."""
    size, hop = int(0.025 * rate), int(0.005 * rate)
    pieces = np.lib.stride_tricks.sliding_window_view(np.pad(samples, size), size)[::hop] * np.hanning(size)
    power = np.abs(np.fft.rfft(pieces, 2 * size, axis=1)) ** 2
    hertz = np.fft.rfftfreq(2 * size, 1 / rate)
    bands = 10 * np.log10(power @ mel_triangles((50.0, min(rate / 2, 8000.0)), 40, hertz).T + 1e-9)
    basis = np.cos(np.arange(1, CEPSTRA + 1)[:, None] * (np.arange(40) + 0.5) * np.pi / 40) * (2 / 40)
    return 10 * np.log10(power.sum(axis=1) + 1e-9), bands @ basis.T


def distortion(one: Clip, other: Floats) -> tuple[float, float]:
    """(mel-cepstral, log-spectral) distance in dB of frames within 40 dB of the loudest."""
    count = min(len(one.samples), len(other))
    level, first = cepstral(one.samples[:count], one.rate)
    _, second = cepstral(other[:count], one.rate)
    loud = level > level.max() - 40
    mel = float(np.sqrt(0.5 * ((first - second)[loud] ** 2).sum(axis=1)).mean())
    at = frames(count / one.rate)
    hertz = np.nan_to_num(pitch(one.samples, one.rate, at))
    before, after = (envelopes(sound[:count], one.rate, at, hertz) for sound in (one.samples, other))
    kept = before.max(axis=1) > before.max() - 40
    band = slice(0, int(before.shape[1] * min(1.0, 8000 / (one.rate / 2))))
    spectral = np.sqrt((np.maximum(before, -80) - np.maximum(after, -80))[kept, band] ** 2).mean(axis=1).mean()
    return mel, float(spectral)


def back_and_forth(clip: Clip, change: Changer, what: str, factor: float) -> tuple[float, float]:
    """`distortion` of a clip changed by a factor and back."""
    return distortion(clip, change(change(clip.samples, clip.rate, what, factor), clip.rate, what, 1 / factor))


def one_way(clip: Clip, change: Changer, factor: float) -> tuple[float, float, float, float, float]:
    """(median error of pitch in cents, share of gross ones, median drift of formants in octaves, distance of spectral
    envelopes in dB, change of level in dB) of a clip with its pitch times a factor."""
    result = change(clip.samples, clip.rate, "pitch", factor)
    at = frames(clip.seconds)
    before = pitch(clip.samples, clip.rate, at)
    after = pitch(result, clip.rate, at, LOWEST * min(factor, 1), HIGHEST * max(factor, 1))
    both = np.isfinite(before) & np.isfinite(after) & loud(clip.samples, clip.rate, at)
    cents = np.abs(1200 * np.log2(after[both] / before[both] / factor))
    moved = np.abs(np.log2(formants(result, clip.rate, at[both]) / formants(clip.samples, clip.rate, at[both])))
    own = envelopes(clip.samples, clip.rate, at[both], before[both])
    new = envelopes(result, clip.rate, at[both], after[both])
    far = np.abs((own - own.mean(axis=1, keepdims=True)) - (new - new.mean(axis=1, keepdims=True))).mean()
    level = 10 * np.log10((result**2).sum() / (clip.samples**2).sum())
    fine = cents[cents <= GROSS]
    return float(np.median(fine)), float((cents > GROSS).mean()), float(np.nanmedian(moved)), float(far), float(level)


def speed(sounds: list[Clip], change: Changer) -> float:
    """Seconds of one processor a second of sound, of a change of pitch, analysis included."""
    began = time.process_time()
    for clip in sounds:
        change(clip.samples, clip.rate, "pitch", 1.1)
    return (time.process_time() - began) / sum(clip.seconds for clip in sounds)


def page(sounds: list[Clip]) -> str:
    """The block in docs/results.md."""
    makers: dict[str, Changer] = {"ours": ours, "Praat": praats}
    lines = [
        "## Pitch and length of a voice", "",
        f"`python benchmarks/psola.py --write`, Python {platform.python_version()}: {len(sounds)} clips, "
        f"{sum(clip.seconds for clip in sounds):.0f} s, of CREMA-D, EMO-DB and LJSpeech, of speakers kept for neither "
        "judge nor tests, means. There and back: mel-cepstral (MCD) and log-spectral distance (LSD) to the clip, dB. "
        "One way, voiced frames within 20 dB of the loudest: pitch as Praat measures it, median error and share off by "
        "more than 3 semitones; formants, median drift; spectral envelopes without level, distance; and the level of "
        "the whole. Praat's own changes rest on the pitch they are measured by. Bars: there and back no worse than "
        f"Praat; one way {BARS[0]:g} cents, {BARS[1]:.0%} gross, {BARS[2]:g} octaves; ours that miss have a *.", "",
        "| there and back | " + " | ".join(f"{name}: MCD | LSD" for name in makers) + " |",
        "|---" + "|---|---" * len(makers) + "|",
    ]  # fmt: skip
    for what, factor in BACK:
        row = [f"{what} x {factor:g}"]
        for change in makers.values():
            found = np.mean([back_and_forth(clip, change, what, factor) for clip in sounds], axis=0)
            row += [f"{value:.2f}" for value in found]
        lines.append("| " + " | ".join(row) + " |")
    lines += ["", "| one way | pitch, cents | gross | formants, octaves | envelopes, dB | level, dB |", RULE]
    for factor in WAYS:
        for name, change in makers.items():
            found = np.mean([one_way(clip, change, factor) for clip in sounds], axis=0)
            missed = ["*" if name == "ours" and one > bar else "" for one, bar in zip(found, BARS, strict=False)]
            lines.append(
                f"| {name} x {factor:g} | {found[0]:.1f}{missed[0]} | {found[1]:.1%}{missed[1]} "
                f"| {found[2]:.3f}{missed[2]} | {found[3]:.2f} | {found[4]:+.1f} |"
            )
    times = ", ".join(f"{name} {speed(sounds, change):.3f}" for name, change in makers.items())
    return "\n".join([*lines, "", f"Processor time over length of sound, analysis included: {times}."])


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/results.md")
    parser.add_argument("--quick", action="store_true", help="a few clips")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of crema_d, emo_db and ljspeech")
    chosen = parser.parse_args()
    text = page(clips(chosen.data, 4 if chosen.quick else 20))
    print(text)
    if chosen.write:
        write_block(RESULTS, BLOCK, text)


if __name__ == "__main__":
    main()
