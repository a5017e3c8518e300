"""The search: on features drawn from the model itself, whose path is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from affectgen.speech.aligning.acoustic import HOP, RATE, USUAL, Fits, Heard, listen, score, usual_fit
from affectgen.speech.aligning.acoustic_files import BEGIN, INSIDE, AcousticModel, load_model
from affectgen.speech.aligning.aligned import fitted, rows_of, words_at
from affectgen.speech.aligning.lattice import build, search
from affectgen.speech.aligning.phone_loop import loop

FRAMES = 10  # of each state


@pytest.fixture(scope="module")
def model() -> AcousticModel:
    return load_model()


def drawn(model: AcousticModel, phones: list[str]) -> Heard:
    """What these phones would give, each alone: the likeliest Gaussian of each state, FRAMES frames long."""
    rows = []
    for name in phones:
        number = model.number(name)
        for state in model.states[model.sequence[number]]:
            best = model.weight[:, :, state].argmin(axis=1)  # [3], the heaviest of each stream
            row = np.stack([model.mean[number, stream, best[stream]] for stream in range(3)])
            rows += [row] * FRAMES
    features = np.stack(rows).astype(np.float32)
    loud = np.where([name == "SIL" for name in phones for _ in range(3 * FRAMES)], -70.0, -20.0).astype(np.float32)
    return Heard(features, loud)


def test_the_model_is_the_one_expected(model: AcousticModel) -> None:
    assert len(model.names) == 42
    assert model.names[model.silence] == "SIL"
    assert model.weight.shape == (3, 128, 5126)
    assert ((model.stay > 0) & (model.stay < 1)).all()
    ae, k, t = (model.number(name) for name in ("AE", "K", "T"))
    assert set(model.codebook[list(model.states_of(ae, k, t, INSIDE))]) == {ae}
    assert model.states_of(ae, k, t, INSIDE) != model.states_of(ae, t, k, BEGIN)


def test_a_known_path_is_found(model: AcousticModel) -> None:
    phones = ["SIL", "S", "IY", "SIL", "M", "UW", "N", "SIL"]
    heard = drawn(model, phones)
    rows = rows_of(["see", "moon"])
    stretch = fitted(model, heard, rows, 0.0)
    assert stretch is not None
    assert [model.names[step.phone] for step in stretch.steps] == phones
    wanted = [3 * FRAMES * place for place in range(len(phones) + 1)]
    assert np.abs(np.array([step.start for step in stretch.steps]) - wanted[:-1]).max() <= FRAMES  # contexts differ
    assert stretch.steps[-1].end == wanted[-1]
    words = words_at([stretch], rows, heard.frames * HOP / RATE)
    assert [word.text for word in words] == ["see", "moon"]
    assert words[0].end == pytest.approx(0.45, abs=0.03)


def test_the_pronunciation_that_is_heard_is_chosen(model: AcousticModel) -> None:
    for vowel in ("EH", "IY"):
        stretch = fitted(model, drawn(model, ["SIL", "R", vowel, "D", "SIL"]), rows_of(["read"]), 0.0)
        assert stretch is not None
        assert [model.names[step.phone] for step in stretch.steps if step.word == 0] == ["R", vowel, "D"]


def test_an_open_end_takes_only_what_is_said(model: AcousticModel) -> None:
    heard = drawn(model, ["SIL", "S", "IY", "SIL", "M", "UW", "N", "SIL"])
    graph = build(model, [row.variants for row in rows_of(["see", "moon", "chalk"])], open_end=True)
    found = search(model, Fits(model, heard), graph)
    assert found is not None
    assert {step.word for step in found[0]} == {-1, 0, 1}


def test_no_room_is_none(model: AcousticModel) -> None:
    heard = drawn(model, ["S"])
    assert fitted(model, heard, rows_of(["extraordinarily", "unconstitutional"]), 0.0) is None
    assert fitted(model, heard, rows_of(["see"]), 0.0) is not None


def test_the_path_is_the_best_one(model: AcousticModel) -> None:
    """Against every path of a two-phone word with all boundaries tried."""
    heard = drawn(model, ["AA", "S"])
    heard = Heard(heard.features[::5], heard.loud[::5])  # 12 frames
    aa, s = model.number("AA"), model.number("S")
    found = search(model, Fits(model, heard), build(model, [((aa, s),)]))
    assert found is not None
    first, last = model.states_of(aa, model.silence, s, BEGIN), model.states_of(s, aa, model.silence, 2)
    fit: NDArray[np.float64] = 0.5 * score(model, heard, [*first, *last]).astype(float)
    moves = 1 / (1 - model.stay[[aa, s]].reshape(-1).astype(float)) * USUAL / HOP
    best = -np.inf
    table = np.full((13, 6), -np.inf)
    table[0, 0] = fit[0, 0]
    for frame in range(1, 12):
        for state in range(6):
            stay = table[frame - 1, state] + np.log(1 - 1 / moves[state])
            come = table[frame - 1, state - 1] + np.log(1 / moves[state - 1]) if state else -np.inf
            table[frame, state] = max(stay, come) + fit[frame, state]
    best = table[11, 5] + np.log(1 / moves[5])
    assert found[1] >= best - 1e-2  # with silence about it, it may be better still


def test_the_loop_hears_the_phones(model: AcousticModel) -> None:
    phones = ["SIL", "M", "AA", "S", "IY", "SIL"]
    assert [model.names[step.phone] for step in loop(model, drawn(model, phones))] == phones


def test_features_do_not_depend_on_level_or_offset() -> None:
    rng = np.random.default_rng(0)
    wave = (np.sin(np.arange(RATE) * 0.05) * rng.uniform(0.2, 1, RATE) * 0.2).astype(np.float32)
    one, other = listen(wave), listen(0.25 * wave)
    np.testing.assert_allclose(one.features, other.features, atol=0.02)
    assert one.loud.mean() - other.loud.mean() == pytest.approx(12.04, abs=0.1)
    assert one.frames == RATE // HOP


def test_every_sound_is_fitted_by_something(model: AcousticModel) -> None:
    top, contrast = usual_fit(model, drawn(model, ["AA", "S", "SIL"]))
    assert len(top) == 9 * FRAMES
    assert contrast > 5
