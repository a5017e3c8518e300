"""The fast decoder against transformers' own: its logits step by step, its greedy codes, the way of the CUDA graph."""

from __future__ import annotations

import gc
import math
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from affectgen.errors import AffectgenError
from affectgen.medicine.musicgen import decoder as fast
from affectgen.medicine.musicgen.decoder import FastStepper, attention, sinusoids
from affectgen.medicine.musicgen.decoding import generate, generate_in_batches
from affectgen.medicine.musicgen.delay import delayed
from affectgen.medicine.musicgen.folder import find_musicgen
from affectgen.medicine.musicgen.interface import Row, Sampling
from affectgen.medicine.musicgen.matrices import Decoder
from affectgen.medicine.musicgen.transformers_backend import TransformersMusicGen, load_transformers

BOOKS, CARD, DIM, WORDS = 4, 64, 32, 6
TOLERANCE = 1e-4
DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
GREEDY = Sampling(temperature=0.0)


@pytest.fixture(scope="module")
def music(transformers_folder: Path) -> TransformersMusicGen:
    return load_transformers(find_musicgen(str(transformers_folder)), "cpu", "float32")


@pytest.fixture(scope="module")
def decoder(music: TransformersMusicGen) -> Decoder:
    return Decoder.of(music.model.decoder, torch.float32)


def words(lengths: list[int], seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random states of so many words each, zero in the padding, and their mask."""
    draw = torch.Generator().manual_seed(seed)
    mask = torch.arange(WORDS) < torch.tensor(lengths)[:, None]
    return torch.randn(len(lengths), WORDS, DIM, generator=draw) * mask[..., None], mask


def positions_of(rows: int, count: int, seed: int = 0) -> Tensor:
    """Random numbers of all that a model may read, [R, K, S], the start's among them."""
    read = torch.randint(0, CARD + 1, (rows, BOOKS, count), generator=torch.Generator().manual_seed(seed))
    read[..., 0] = CARD
    return read


def theirs(music: TransformersMusicGen, states: Tensor, mask: Tensor, read: Tensor) -> Tensor:
    """transformers' logits at every position, [R, K, S, card], all at once and without a cache."""
    some = mask.any(dim=1, keepdim=True)
    with torch.no_grad():
        found = music.model.decoder(
            input_ids=read.flatten(0, 1), encoder_hidden_states=states, use_cache=False,
            encoder_attention_mask=torch.where(some, mask, torch.ones_like(mask)).long(),
        ).logits  # fmt: skip
    return found.unflatten(0, (-1, BOOKS))


def ours(stepper: FastStepper, read: Tensor, pieces: list[int]) -> dict[int, Tensor]:
    """The fast decoder's logits after each piece, by its last position."""
    found, end = {}, 0
    for piece in read.split(pieces, dim=2):
        end += piece.shape[-1]
        found[end - 1] = stepper.step(piece)
    return found


PIECES = {
    "one by one": [1] * 12,
    "all at once": [12],
    "some codes given": [5, 1, 1, 1, 1, 1, 1, 1],
    "mixed": [1, 4, 1, 6],
}
LENGTHS = {"full": [6, 6, 6], "padded": [6, 2, 4], "one without words": [3, 0, 6], "none at all": [0, 0, 0]}


@pytest.mark.parametrize("pieces", list(PIECES))
@pytest.mark.parametrize("lengths", list(LENGTHS))
@pytest.mark.parametrize("fixed", [False, True])
def test_logits_are_transformers(music: Any, decoder: Decoder, pieces: str, lengths: str, fixed: bool):
    """Scale of the logits: 2 to 3."""
    states, mask = words(LENGTHS[lengths])
    read = positions_of(3, 12)
    expected = theirs(music, states, mask, read)
    assert 1.5 < expected.abs().max() < 10
    found = ours(FastStepper(decoder, states, mask, 1.0, 12, fixed=fixed), read, PIECES[pieces])
    assert sum(PIECES[pieces]) == 12
    assert all((logits - expected[:, :, end]).abs().max() < TOLERANCE for end, logits in found.items())
    assert all(logits.dtype == torch.float32 for logits in found.values())


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("scale", [3.0, 1.5, 0.0])
def test_guidance_goes_beyond_the_logits_without_words(music: Any, decoder: Decoder, scale: float, fixed: bool):
    states, mask = words([6, 3])
    read = positions_of(2, 9)
    asked, free = theirs(music, states, mask, read), theirs(music, torch.zeros_like(states), mask, read)
    assert (asked - free).abs().max() > 0.5
    both, masks = torch.cat([states, torch.zeros_like(states)]), torch.cat([mask, mask])
    found = ours(FastStepper(decoder, both, masks, scale, 9, fixed=fixed), read, [1] * 9)
    for end, logits in found.items():
        wanted = free[:, :, end] + scale * (asked[:, :, end] - free[:, :, end])
        assert (logits - wanted).abs().max() < TOLERANCE * max(1.0, scale)


@settings(deadline=None, max_examples=20)
@given(lengths=st.lists(st.integers(0, WORDS), min_size=1, max_size=4), seed=st.integers(0, 99), data=st.data())
def test_however_it_is_read_the_logits_are_the_same(
    decoder: Decoder, lengths: list[int], seed: int, data: st.DataObject
):
    """In any pieces, by any way, alone or beside others."""
    pieces = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=6))
    states, mask = words(lengths, seed)
    read = positions_of(len(lengths), sum(pieces), seed)
    whole = FastStepper(decoder, states, mask, 1.0, sum(pieces)).step(read)
    for fixed in (False, True):
        stepper = FastStepper(decoder, states, mask, 1.0, sum(pieces) + data.draw(st.integers(0, 9)), fixed=fixed)
        assert (ours(stepper, read, pieces)[sum(pieces) - 1] - whole).abs().max() < TOLERANCE
    row = data.draw(st.integers(0, len(lengths) - 1))
    alone = FastStepper(decoder, states[row : row + 1], mask[row : row + 1], 1.0, sum(pieces))
    assert (alone.step(read[row : row + 1]) - whole[row]).abs().max() < TOLERANCE


def test_the_padding_is_not_read(decoder: Decoder):
    states, mask = words([2, 6])
    read = positions_of(2, 3)
    other = torch.where(mask[..., None], states, torch.full_like(states, 50.0))
    one, two = (FastStepper(decoder, given, mask, 1.0, 3).step(read) for given in (states, other))
    assert (one - two).abs().max() < TOLERANCE
    assert (FastStepper(decoder, other, torch.ones_like(mask), 1.0, 3).step(read) - one)[0].abs().max() > 0.1


def test_more_than_was_told_is_refused(decoder: Decoder):
    states, mask = words([1])
    stepper = FastStepper(decoder, states, mask, 1.0, 2)
    stepper.step(positions_of(1, 2))
    with pytest.raises(ValueError, match="3 positions were read, of 2"):
        stepper.step(positions_of(1, 1))


def test_a_batch_that_the_computer_does_not_hold_is_halved(music: Any, monkeypatch: pytest.MonkeyPatch):
    """Before its cache is filled: 2 layers of 32 numbers, keys and values, two rows a clip for guidance."""
    rows = [Row("calm", None, seed) for seed in range(4)]
    whole = generate(music, rows, 8, Sampling())
    clip = 2 * 32 * 2 * 2 * (8 + BOOKS) * 4
    monkeypatch.setattr(fast, "available_memory", lambda: 2 * clip)
    codes, batch = generate_in_batches(music, rows, 8, Sampling(), 4)
    assert batch == 2
    assert torch.equal(codes, whole)
    monkeypatch.setattr(fast, "available_memory", lambda: clip - 1)
    with pytest.raises(AffectgenError, match="does not hold one clip"):
        generate_in_batches(music, rows, 8, Sampling(), 4)
    monkeypatch.setattr(fast, "available_memory", lambda: None)
    assert generate_in_batches(music, rows, 8, Sampling(), 4)[1] == 4


def test_the_memory_that_is_left_is_known_on_linux():
    free = fast.available_memory()
    assert (free is None) == (not Path("/proc/meminfo").is_file())
    assert free is None or 10**7 < free < 10**14


def test_positions_are_transformers(music: Any):
    table = music.model.decoder.model.decoder.embed_positions
    assert torch.equal(sinusoids(40, DIM), table.weights[:40])
    assert sinusoids(3, 7).shape == (3, 7)
    assert sinusoids(3, 7)[:, -1].abs().max() == 0


def test_half_precision_is_near(music: Any, decoder: Decoder):
    """Scale of the logits: 2 to 3, of which bfloat16 keeps two to three digits."""
    states, mask = words([6, 2, 0])
    read = positions_of(3, 12)
    halves = FastStepper(Decoder.of(music.model.decoder, torch.bfloat16), states, mask, 1.0, 12)
    found = ours(halves, read, [5, 1, 1, 5])
    whole = ours(FastStepper(decoder, states, mask, 1.0, 12), read, [5, 1, 1, 5])
    for end, logits in whole.items():
        apart = (found[end] - logits).abs()
        assert apart.mean() < 0.02
        assert apart.max() < 0.15
    assert found[11].dtype == torch.float32


@pytest.mark.parametrize("masked", [False, True])
def test_attention_to_one_position_in_half_precision_is_torchs(masked: bool):
    torch.manual_seed(0)
    query, keys, values = torch.randn(2, 3, 1, 8), torch.randn(2, 3, 20, 8), torch.randn(2, 3, 20, 8)
    mask = torch.zeros(2, 1, 1, 20)
    if masked:
        mask[0, ..., 7:] = -math.inf
    whole = attention(query, keys, values, mask)
    halves = attention(*(value.bfloat16() for value in (query, keys, values, mask)))
    assert whole.shape == halves.shape == (2, 1, 24)
    assert (halves - whole).abs().max() < 0.03


def padded(music: TransformersMusicGen, prompts: list[str]) -> Any:
    return music.tokenizer(prompts, padding=True, return_tensors="pt")


def transformers_codes(music: TransformersMusicGen, prompts: list[str], frames: int, **more: Any) -> Tensor:
    """The codes that transformers' generate hands to its codec, [B, K, T]."""
    caught: list[Tensor] = []
    codec = music.model.audio_encoder
    original = codec.decode
    codec.decode = lambda codes, **named: (caught.append(codes), original(codes, **named))[1]
    try:
        music.model.generate(
            **padded(music, prompts), do_sample=False, guidance_scale=3.0, max_new_tokens=frames + BOOKS - 1, **more
        )
    finally:
        del codec.decode
    return caught[0][0]


@pytest.mark.parametrize("prompts", [["calm piano"], ["happy fast strings music", "sad"]])
def test_greedy_codes_are_those_of_transformers_generate(music: TransformersMusicGen, prompts: list[str]):
    expected = transformers_codes(music, prompts, 30)
    rows = [Row(prompt, None, 0) for prompt in prompts]
    assert expected.shape == (len(prompts), BOOKS, 30)
    assert len(expected.unique()) > 10
    assert torch.equal(generate(music, rows, 30, GREEDY), expected)


def test_going_on_is_that_of_transformers_generate(music: TransformersMusicGen):
    """From several codes; transformers takes them with the start position before them."""
    start = torch.randint(0, CARD, (2, BOOKS, 7), generator=torch.Generator().manual_seed(1))
    prompts = ["calm piano", "sad slow strings"]
    expected = transformers_codes(music, prompts, 13, decoder_input_ids=start.flatten(0, 1))
    rows = [Row(prompt, None, 0, codes) for prompt, codes in zip(prompts, start, strict=True)]
    found = generate(music, rows, expected.shape[-1], GREEDY)
    assert torch.equal(found[..., :7], start)
    assert torch.equal(found, expected)


@pytest.mark.parametrize("device", DEVICES)
def test_the_way_of_the_graph_reads_the_same(transformers_folder: Path, device: str):
    """Greedily, at a length that is no multiple of anything; on CUDA by the recorded graph, elsewhere without one."""
    music = load_transformers(find_musicgen(str(transformers_folder)), device, "float32")
    decoder = Decoder.of(music.model.decoder, torch.float32)
    states, mask = words([6, 2])
    eager = FastStepper(decoder, states, mask, 1.0, 43, graph=False)
    fixed = FastStepper(decoder, states, mask, 1.0, 43, fixed=True)
    assert fixed.graph == (device == "cuda")
    tokens = torch.full((2, BOOKS, 1), CARD)
    seen = set()
    for _ in range(43):
        one, two = eager.step(tokens), fixed.step(tokens)
        assert (one - two).abs().max() < TOLERANCE
        tokens = one.argmax(dim=-1, keepdim=True)
        seen |= set(tokens.flatten().tolist())
    assert len(seen) > 10


def test_a_stepper_that_is_gone_leaves_no_memory(music: TransformersMusicGen):
    codes = delayed(torch.randint(0, CARD, (1, BOOKS, 3)), CARD)
    music.begin([Row("sad", None, 0)], 3.0, 8).step(codes)
    gc.collect()
    before = sum(1 for held in gc.get_objects() if issubclass(type(held), Tensor))
    for _ in range(3):
        stepper = music.begin([Row("sad", None, 0)], 3.0, 8)
        stepper.step(codes)
        gone = weakref.ref(stepper.keys)
    del stepper
    assert gone() is None
    gc.collect()
    assert sum(1 for held in gc.get_objects() if issubclass(type(held), Tensor)) <= before
