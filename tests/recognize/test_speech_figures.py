"""Figures of speech by hand: recall, rounds of baselines, speakers that are left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from affectgen.recognize import speech_figures
from affectgen.recognize.speech_corpus import LABELS, Table, baselines, label_points
from affectgen.recognize.speech_expert import Settings
from affectgen.recognize.speech_figures import across, by_corpus, figures_of, joined, leave_speakers_out, read_all, uar
from affectgen.recognize.speech_model import Heard, SpeechModel, Verdict, fit_model, fit_reader

SETTINGS = Settings(family="kernel", ridge=0.1, folds=3)


class Oracle:
    """In place of a model: reads a clip's label from its statistics' highest place; notes the baselines it is given."""

    def __init__(self) -> None:
        self.given: list[np.ndarray] = []

    def read(self, heard: Heard, baseline: Heard | None = None, only: str | None = None) -> Verdict:
        if baseline is not None:
            self.given.append(baseline.features)
        shares = np.eye(len(LABELS))[heard.features[:, :7].argmax(axis=1)]
        points = shares @ label_points()
        return Verdict(shares, points, points - 0.1, points + 0.1)


def exact(voices: Callable[..., Table], corpus: str) -> Table:
    """Clips whose statistics say their label for certain."""
    table = voices(corpora=(corpus,))
    features = np.concatenate([table.shares, np.arange(len(table))[:, None]], axis=1)
    return Table(table.clips, features, table.frames)


def test_uar_by_hand() -> None:
    wanted = np.array([0, 0, 0, 0, 1, 1])
    assert uar(np.array([0, 0, 0, 1, 1, 0]), wanted) == pytest.approx((0.75 + 0.5) / 2)
    assert uar(np.full(6, 3), wanted) == 0.0


def test_a_faultless_reader_has_faultless_figures(voices: Callable[..., Table]) -> None:
    figures = figures_of(read_all(Oracle(), exact(voices, "emo_db"), rounds=2))  # type: ignore[arg-type]
    for name in ("uar", "uar_acted", "uar_baseline", "valence_r", "arousal_r", "valence_coverage"):
        assert figures[name] == pytest.approx(1.0), name
    assert figures["clips"] == len(exact(voices, "emo_db"))


def test_the_baseline_is_the_speakers_own_in_turn_and_not_scored(voices: Callable[..., Table]) -> None:
    table, oracle = exact(voices, "emo_db"), Oracle()
    read = read_all(oracle, table, rounds=4)  # type: ignore[arg-type]
    own = baselines(table)
    speaker = table.array("speaker")
    for number, (given, (_, counts)) in enumerate(zip(oracle.given, read.beside, strict=True)):
        place = given[:, -1].astype(int)
        assert (speaker[place] == speaker).all()
        assert set(place) == {int(places[number % len(places)]) for places in own.values()}
        np.testing.assert_array_equal(np.flatnonzero(~counts), sorted(set(place)))


def test_only_clips_whose_listeners_agreed_count_for_recall(voices: Callable[..., Table]) -> None:
    table = exact(voices, "crema_d")
    torn = [clip.shares.copy() for clip in table.clips]
    torn[0][:] = [0.5, 0, 0.5, 0, 0, 0, 0]
    wrong = table.features.copy()
    wrong[0, :7] = np.eye(7)[5]  # the torn clip is read wrong
    clips = (replace(table.clips[0], shares=torn[0]), *table.clips[1:])
    figures = figures_of(read_all(Oracle(), Table(clips, wrong, table.frames), rounds=0))  # type: ignore[arg-type]
    assert figures["uar"] == 1.0
    assert figures["uar_acted"] < 1.0
    assert "uar_baseline" not in figures


def test_labels_that_were_not_offered_are_no_answer(voices: Callable[..., Table]) -> None:
    class Bored(Oracle):
        def read(self, heard: Heard, baseline: Heard | None = None, only: str | None = None) -> Verdict:
            found = super().read(heard, baseline, only)
            shares = 0.4 * found.shares
            shares[:, LABELS.index("boredom")] += 0.6
            return Verdict(shares, found.points, found.low, found.high)

    figures = figures_of(read_all(Bored(), exact(voices, "crema_d"), rounds=0))  # type: ignore[arg-type]
    assert figures["uar"] == 1.0


def test_joined_tables_keep_rows_together(voices: Callable[..., Table]) -> None:
    table, oracle = exact(voices, "emo_db"), Oracle()
    speaker = table.array("speaker")
    parts = [read_all(oracle, table.pick(speaker == name), 2) for name in np.unique(speaker)]  # type: ignore[arg-type]
    whole = joined(parts)
    assert len(whole.table) == len(table)
    assert figures_of(whole)["uar_baseline"] == pytest.approx(1.0)
    np.testing.assert_array_equal(whole.alone.shares, whole.table.shares)


def test_no_model_has_heard_the_speaker_that_it_reads(
    voices: Callable[..., Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[set[str]] = []

    def fit(table: Table, *rest: Any) -> SpeechModel:
        heard.append(set(table.array("speaker").tolist()))
        return fit_model(table, *rest)

    read: list[set[str]] = []

    def note(model: SpeechModel, table: Table, *rest: Any) -> Any:
        read.append(set(table.array("speaker").tolist()))
        return read_all(model, table, *rest)

    monkeypatch.setattr(speech_figures, "fit_model", fit)
    monkeypatch.setattr(speech_figures, "read_all", note)
    table = voices(takes=2)
    ready: Sequence[Any] = [fit_reader(table.pick(table.array("corpus") == "crema_d"), SETTINGS)]
    figures = leave_speakers_out(table, "emo_db", SETTINGS, ready)
    assert len(read) == len(heard) == 7
    assert all(not own & known for own, known in zip(read, heard, strict=True))
    assert figures["uar"] > 0.4
    assert figures["clips"] == (table.array("corpus") == "emo_db").sum()


def test_both_corpora_and_both_directions_are_named(voices: Callable[..., Table]) -> None:
    table = voices(takes=2)
    model = fit_model(table, SETTINGS)
    assert set(by_corpus(model, table, 1)) == {"crema_d", "emo_db"}
    found = across(model, table)
    assert {"emo_db_on_crema_d_uar", "crema_d_on_emo_db_uar"} <= set(found)
    assert all(-1 <= value <= 1 for value in found.values())
