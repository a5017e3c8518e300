import numpy as np
import pytest
import torch

from affectgen.muser.data import collate, cut_window
from affectgen.muser.paper.model import regularise
from affectgen.muser.paper.stream import PaperBatch, paper_batch


@pytest.fixture
def batch(songs):
    return paper_batch(collate([cut_window(song, 0, 97) for song in songs]))


def padded(batch, more=5):
    words = torch.nn.functional.pad(batch.words, (0, 0, 0, more))
    return PaperBatch(words, batch.quadrant)


def test_one_code_a_word_from_one_book(model, batch):
    found = model.encode(batch.words)
    assert found.codes.shape == batch.words.shape[:2]
    assert found.vectors.shape == (*batch.words.shape[:2], 112)
    assert model.book.books.shape == (1, 24, 112)
    assert torch.allclose(found.vectors, model.latents(found.codes), atol=1e-5)


def test_the_book_starts_as_published_and_no_code_is_restarted(model, batch):
    model.train()
    codes = model.encode(batch.words).codes[batch.inside]
    hidden = model.encoder(model.encoder_in(model.embed(batch.words)), mask=batch.inside[:, None, None])
    latents = model.to_latent(hidden)[batch.inside]
    used = torch.bincount(codes, minlength=24) > 0
    assert 1 < used.sum() < 24
    for code in range(24):
        mean = latents[codes == code].mean(0) if used[code] else torch.zeros(112)
        assert torch.allclose(model.book.books[0, code], mean, atol=1e-4)


def test_padding_changes_nothing(model, batch):
    plain, more = model(batch), model(padded(batch))
    assert torch.allclose(plain.total, more.total, atol=1e-5)
    assert torch.allclose(plain.elements, more.elements, atol=1e-5)


def test_a_word_is_not_seen_before_it_is_written(model, batch):
    latents = model.encode(batch.words).vectors
    changed = batch.words.clone()
    changed[:, 7, 4] = (changed[:, 7, 4] + 5) % 100
    before = model.decode(batch.words, batch.quadrant, latents)
    after = model.decode(changed, batch.quadrant, latents)
    for one, other in zip(before, after, strict=True):
        assert torch.allclose(one[:, :8], other[:, :8], atol=1e-5)
    assert not torch.allclose(before[4][:, 8:], after[4][:, 8:], atol=1e-5)


def test_every_word_attends_to_all_latents(model, batch):
    latents = model.encode(batch.words).vectors.clone()
    before = model.decode(batch.words, batch.quadrant, latents)
    latents[:, 9] += 3.0  # a latent that comes later
    after = model.decode(batch.words, batch.quadrant, latents)
    assert not torch.allclose(before[4][:, 0], after[4][:, 0], atol=1e-6)


def test_an_element_decoder_reads_its_own_slice_only(model):
    torch.manual_seed(0)
    states, latents = torch.randn(2, 6, 32), torch.randn(2, 6, 112)
    changed = latents.clone()
    changed[..., 16 * 4 : 16 * 5] += 1.0
    before, after = model.elements(states, latents), model.elements(states, changed)
    same = [torch.equal(one, other) for one, other in zip(before, after, strict=True)]
    assert same == [True] * 4 + [False] + [True] * 2


def test_six_elements_read_the_family(model):
    hidden, table = torch.randn(1, 16), model.tables[0].weight
    same = [
        torch.equal(model.elements.logits(e, hidden, table[3:4]), model.elements.logits(e, hidden, table[4:5]))
        for e in range(7)
    ]
    assert same == [True] + [False] * 6


def test_the_emotion_is_the_first_input_and_no_other(model, batch):
    other = (batch.quadrant + 1) % 4
    one, two = model.inputs(batch.words, batch.quadrant), model.inputs(batch.words, other)
    assert not torch.equal(one[:, 0], two[:, 0])
    assert torch.equal(one[:, 1:], two[:, 1:])
    found = model.encode(batch.words).vectors
    before, after = (model.decode(batch.words, told, found) for told in (batch.quadrant, other))
    assert not any(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def by_pairs(latents, words, inside, slice_dim):
    """The published loop over ordered pairs, in plain Python."""
    total, places = 0.0, 0
    for j in range(len(words)):
        for k in range(len(words)):
            for t in range(words.shape[1]):
                if not (inside[j, t] and inside[k, t]):
                    continue
                places += 1
                for e in range(7):
                    part = slice(e * slice_dim, (e + 1) * slice_dim)
                    gap = latents[j, t, part].mean() - latents[k, t, part].mean()
                    total += abs(np.tanh(gap) - np.sign(words[j, t, e] - words[k, t, e]))
    return total / places


def test_the_regulariser_is_the_published_sum_over_pairs():
    rng = np.random.default_rng(0)
    latents, words = rng.normal(size=(3, 4, 14)), rng.integers(0, 5, (3, 4, 7))
    inside = np.arange(4) < np.array([4, 3, 2])[:, None]
    found = regularise(torch.tensor(latents), torch.tensor(words), torch.tensor(inside), 2)
    assert float(found) == pytest.approx(by_pairs(latents, words, inside, 2), rel=1e-5)


def test_slices_in_the_order_of_the_indices_cost_least():
    words = torch.arange(4)[:, None, None].expand(4, 1, 7)
    inside = torch.ones(4, 1, dtype=torch.bool)
    ordered = (10.0 * words).repeat_interleave(2, dim=-1)
    assert float(regularise(ordered, words, inside, 2)) < 1e-3
    assert float(regularise(-ordered, words, inside, 2)) > 10


def test_usage_counts_the_codes_that_are_drawn_on(model):
    model.book.counts.fill_(0.0)
    model.book.counts[0, :6] = 5.0
    assert float(model.usage()) == pytest.approx(6 / 24)


def test_learning_lowers_the_loss(batch, model):
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), 3e-3)
    losses = []
    for _ in range(30):
        found = model(batch)
        optimiser.zero_grad()
        found.total.backward()
        optimiser.step()
        losses.append(float(found.elements.detach().sum()))
    assert losses[-1] < 0.5 * losses[0]
    assert not [name for name, value in model.named_parameters() if value.grad is None]


def test_the_likeliest_quadrant_has_the_least_loss(model, batch):
    words = batch.words[2:3, :25]
    found = model.encode(words)
    losses = []
    for quadrant in range(4):
        logits = model.decode(words, torch.tensor([quadrant]), found.vectors)
        losses.append(sum(
            float(torch.nn.functional.cross_entropy(values[0], words[0, :, e]).detach())
            for e, values in enumerate(logits)
        ))  # fmt: skip
    assert model.likeliest_quadrant(words[0], found.vectors[0]) == int(np.argmin(losses))
    assert len(set(losses)) == 4


def test_the_prior_counts_codes_and_their_end(prior):
    codes = torch.randint(0, 24, (2, 5))
    inside = torch.arange(5) < torch.tensor([[5], [3]])
    quadrant = torch.tensor([0, 2])
    cache = prior.stack.new_cache(1, 6, torch.device("cpu"))
    expected = []
    for row, length in enumerate([5, 3]):
        cache.length = 0
        logits = prior.first(quadrant[row : row + 1], cache)
        for code in [*codes[row, :length].tolist(), prior.stop]:
            expected.append(-float(logits.log_softmax(-1)[0, code].detach()))
            if code != prior.stop:
                logits = prior.after(torch.tensor([code]), cache)
    assert float(prior(codes, inside, quadrant).detach()) == pytest.approx(np.mean(expected), abs=1e-4)
