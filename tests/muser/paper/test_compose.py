import dataclasses

import numpy as np
import pytest
import torch

from affectgen.errors import AffectgenError
from affectgen.muser.compose import Request
from affectgen.muser.data import collate, cut_window
from affectgen.muser.paper.compose import PaperComposer
from affectgen.muser.paper.config import GREEDY, Draw
from affectgen.muser.paper.sample import Codes, sample_codes, sample_words
from affectgen.muser.paper.stream import paper_batch
from affectgen.muser.transfer import note_f1
from affectgen.score.keys import Key
from affectgen.score.words import BAR_LINE, Family, decode

HAPPY = np.array([[0.6, 0.6]])


@pytest.fixture
def composer(model, prior):
    with torch.no_grad():  # untrained, but its pieces have bars, beats and notes, and end rarely
        model.elements.out[0].bias.copy_(torch.tensor([-9.0, -3.0, -9.0, 1.0, 1.5]))
        prior.out.bias[-1] = -1.0
    return PaperComposer(model, prior, model.config)


def request(seed, bars=4, **more):
    return Request(np.repeat(HAPPY, bars, axis=0), bars, (seed,), **more)


def same(one, other):
    return one.words.shape == other.words.shape and bool((one.words == other.words).all())


def test_pieces_can_be_read_and_are_no_longer_than_asked(composer):
    made = composer.compose([request(seed, bars) for seed, bars in enumerate((1, 2, 3, 4))])
    for bars, piece in zip((1, 2, 3, 4), made, strict=True):
        assert 1 <= piece.score.bars <= bars
        assert len(piece.score) > 0
        assert piece.codes.shape == (0, 7)
        back = decode(piece.words)
        assert (back.pitch == piece.score.pitch).all()
        assert (back.start == piece.score.start).all()


def test_a_piece_depends_on_its_own_seed_only(composer):
    alone = composer.compose([request(7)])[0]
    among = composer.compose([request(seed, 2 + seed % 3) for seed in range(6)] + [request(7)] + [request(9)] * 4)
    assert same(alone, among[6])
    assert same(among[7], among[10])
    assert not same(alone, among[7])


def test_the_quadrant_reaches_prior_and_decoder(composer):
    asked = [Request(np.array(point)[None], 4, (5,)) for point in ((0.6, 0.6), (-0.6, -0.6), (0.3, 0.1))]
    happy, sad, mild = composer.compose(asked)
    assert not same(happy, sad)
    assert same(happy, mild)  # the same quadrant


def test_no_affect_is_a_random_quadrant(composer):
    free = [composer.compose([dataclasses.replace(request(seed), affect=None)])[0] for seed in (0, 0, 1)]
    assert same(free[0], free[1])
    assert not same(free[0], free[2])


@pytest.mark.parametrize(
    "what",
    [{"key": Key(2, 0)}, {"prefix": np.zeros((1, 8), dtype=np.int64)}, {"clamped": np.zeros((4, 7), dtype=np.int64)}],
)
def test_what_the_paper_cannot_do_is_refused(composer, what):
    with pytest.raises(AffectgenError, match=next(iter(what))) as caught:
        composer.compose([request(0, **what)])
    assert "quadrant" in caught.value.message


def test_a_model_that_writes_nothing_is_told_of(composer):
    with torch.no_grad():
        composer.model.elements.out[0].bias.copy_(torch.tensor([0.0, 60.0, 0.0, 0.0, 0.0]))
    with pytest.raises(AffectgenError, match="no playable note"):
        composer.compose([request(0)])


def test_codes_stop_and_idle_rows_have_none(prior):
    rngs = [np.random.default_rng(n) for n in range(4)]
    with torch.no_grad():
        prior.out.bias[-1] = 3.0
    found = sample_codes(prior, torch.tensor([0, 1, 2, 3]), 3, 20, Draw(), rngs)
    assert found.codes.shape == (4, 20)
    assert found.length[3] == 0
    assert (found.length[:3] < 20).all()
    for row in range(4):
        assert (found.codes[row, found.length[row] :] == 0).all()


def test_a_piece_ends_with_its_codes_its_bars_or_its_end(composer):
    codes = Codes(torch.arange(24).repeat(3, 1), torch.tensor([5, 24, 24]))
    rngs = [np.random.default_rng(n) for n in range(3)]
    told = torch.zeros(3, dtype=torch.long)
    with torch.no_grad():
        composer.model.elements.out[1].bias[BAR_LINE] = 9.0  # every metrical word opens a bar
    words = sample_words(composer.model, told, codes, [99, 2, 99], (Draw(),) * 7, rngs)
    assert len(words[0]) <= 5
    lines = (words[1][:, 0] == Family.METRICAL) & (words[1][:, 1] == BAR_LINE)
    assert lines.sum() == 2
    ends = words[2][:, 0] == Family.END
    assert len(words[2]) == 24 or (ends[-1] and ends.sum() == 1)


def test_cached_sampling_follows_the_whole_model(composer, model):
    """Greedy words, one by one with caches, are the argmax of the model when it reads them all at once."""
    codes = Codes(torch.randint(0, 24, (1, 12), generator=torch.Generator().manual_seed(1)), torch.tensor([12]))
    told = torch.tensor([1])
    words = sample_words(model, told, codes, [99], GREEDY, [np.random.default_rng(0)])[0]
    assert words.shape == (12, 7)  # it did not end before its codes
    logits = model.decode(torch.from_numpy(words)[None], told, model.latents(codes.codes))
    for element, values in enumerate(logits):
        assert values[0].argmax(-1).tolist() == words[:, element].tolist()


def test_a_trained_model_reconstructs_what_it_learned(model, prior, songs):
    torch.manual_seed(0)
    model.train()
    batch = paper_batch(collate([cut_window(song, 0, 97) for song in songs[:2]]))
    optimiser = torch.optim.Adam(model.parameters(), 4e-3)
    for _ in range(160):
        optimiser.zero_grad()
        model(batch).total.backward()
        optimiser.step()
    score = decode(songs[1].table[:, :8].astype(np.int64))
    rebuilt = PaperComposer(model, prior, model.config).reconstruct(score)
    assert note_f1(score, rebuilt) > 0.8
    assert rebuilt.key == score.key
