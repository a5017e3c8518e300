"""Composing with an untrained model: seeds, neighbours, lengths, keys, endings, guidance, openings and kept words."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from affectgen.emogen.compose import BRANCH_BARS, Request, Sampling, Verdict, branches, lineages
from affectgen.emogen.vector import NAMES
from affectgen.score.grid import BAR
from affectgen.score.keys import Key
from affectgen.score.words import Family, Field, decode, encode
from affectgen.writing.pieces import WIDTH, key_word, open_words
from affectgen.writing.sampler import FREE

C = Key(0, 0)


def told(bars=3, **values):
    """Targets of which some have a value throughout, or one a bar."""
    targets = np.full((bars, len(NAMES)), np.nan)
    for name, value in values.items():
        targets[:, NAMES.index(name)] = value
    return targets


LOUD, SOFT = {"velocity_mean": 1.5, "tempo": 1.0}, {"velocity_mean": -1.5, "tempo": -1.0}


def ask(seed=0, bars=3, values=LOUD, key=C, **settings):
    return Request(told(bars, **values), bars, (seed,), key, **settings)


def rngs():
    return [np.random.default_rng(0)] * WIDTH


def same(one, other):
    return np.array_equal(one.words, other.words)


def first(tiny, *words, **values):
    return tiny.compose([ask(*words, **values)])[0]


def test_a_seed_is_a_piece_wherever_it_stands(tiny):
    alone = first(tiny, 3, 4)
    assert same(alone, first(tiny, 3, 4))
    neighbours = [ask(10 + number, 2 + number, SOFT if number % 2 else {}) for number in range(WIDTH + 2)]
    for place in (0, 2, WIDTH - 1, WIDTH, WIDTH + 2):
        among = tiny.compose([*neighbours[:place], ask(3, 4), *neighbours[place:]])
        assert len(among) == WIDTH + 3
        assert same(alone, among[place]), f"place {place}"


def test_other_seeds_are_other_pieces(tiny):
    assert len({piece.words.tobytes() for piece in tiny.compose([ask(seed) for seed in range(6)])}) == 6


@pytest.mark.parametrize("ending", [True, False])
def test_a_piece_has_the_bars_asked_for(tiny, ending):
    made = tiny.compose([ask(seed, 1 + seed, ending=ending, key=Key(seed, seed % 2)) for seed in range(5)])
    for seed, piece in enumerate(made):
        assert piece.score.bars == decode(piece.words).bars == 1 + seed
        assert piece.words[-1, 0] == Family.END
        assert len(piece.score) > 0
        if ending:
            final = piece.score.start == piece.score.start.max()
            assert piece.score.pitch[final].min() % 12 == seed
            assert (piece.score.start + piece.score.length).max() == BAR * (1 + seed)
    if not ending:
        open_ends = [piece.score.pitch[piece.score.start == piece.score.start.max()].min() % 12 for piece in made]
        assert open_ends != list(range(5))


def test_the_key_asked_for_is_the_key(tiny):
    keys = [Key(seed, seed % 2) for seed in range(12)]
    made = tiny.compose([ask(seed, 1, key=key) for seed, key in enumerate(keys)])
    assert [piece.score.key for piece in made] == keys
    assert np.array_equal(made[0].words[:1], key_word(C))


def test_the_first_onset_states_its_tempo_and_chord(tiny):
    for piece in tiny.compose([ask(seed) for seed in range(4)]):
        onset = np.flatnonzero((piece.words[:, 0] == Family.METRICAL) & (piece.words[:, 1] > 1))[0]
        assert piece.words[onset, Field.TEMPO] > 0
        assert piece.words[onset, Field.CHORD] > 0


def test_targets_and_how_hard_they_pull_change_a_piece(tiny):
    one, two, four = (Sampling(guidance=value) for value in (1.0, 2.0, 4.0))
    plain = first(tiny, sampling=one)
    assert not same(plain, first(tiny, sampling=two))
    assert not same(first(tiny, sampling=two), first(tiny, sampling=four))
    assert not same(plain, first(tiny, values=SOFT, sampling=one))
    free = first(tiny, values={}, sampling=one)
    assert not same(plain, free)
    assert same(free, first(tiny, values={}, sampling=four)), "guidance toward nothing goes nowhere"
    assert same(free, first(tiny, sampling=Sampling(guidance=0.0))), "no guidance at all hears nothing"


@torch.no_grad()
@pytest.mark.parametrize("guidance", [0.0, 0.5, 1.0, 2.5])
def test_guidance_moves_the_condition_from_that_of_nothing_beyond_that_of_the_targets(tiny, guidance):
    how = Sampling(guidance=guidance)
    request = tiny._decode_request([ask(1, 2, sampling=how), ask(2, 4, SOFT, sampling=how)], rngs())
    assert (request.sides, request.plan, request.guidance) == (1, None, 1.0)
    assert request.condition.shape[:2] == (WIDTH, 4)
    style, ending = torch.tensor([0]), torch.tensor([0])
    for row, (bars, values) in enumerate(((2, LOUD), (4, SOFT))):
        left = torch.arange(bars - 1, -1, -1)[None]
        told_, free = (tiny.model.condition(torch.from_numpy(targets).float()[None], left, style, ending)[0]
                       for targets in (told(bars, **values), told(bars)))  # fmt: skip
        assert not torch.allclose(told_, free)
        torch.testing.assert_close(request.condition[row, :bars], free + guidance * (told_ - free))
        assert (request.condition[row, bars:] == 0).all()


@torch.no_grad()
def test_what_is_asked_for_on_the_way_is_guided_as_well(tiny):
    asked = dataclasses.replace(ask(1, 4, sampling=Sampling(guidance=3.0)), choose=lambda bars, words: verdict)
    verdict = Verdict(0, told(4, **SOFT))
    found = tiny._choosing(asked)(2, [])
    expected = tiny._decode_request([ask(2, 4, SOFT, sampling=Sampling(guidance=3.0))], rngs()).condition[0]
    torch.testing.assert_close(found.condition, expected)


def test_targets_are_heard_bar_by_bar(tiny):
    still = first(tiny, bars=4)
    changed = told(4, **LOUD)
    changed[2:] = told(2, **SOFT)
    moved = tiny.compose([dataclasses.replace(ask(bars=4), targets=changed)])[0]
    bar = np.cumsum((moved.words[:, 0] == Family.METRICAL) & (moved.words[:, 1] == 1))
    opening = moved.words[bar <= 2]
    assert np.array_equal(opening, still.words[: len(opening)]), "what comes later is not known yet"
    assert not same(moved, still)


def test_what_opens_a_piece_stays(tiny, score):
    key, opening = open_words(score(3, 2, key=Key(5, 1)))
    made = tiny.compose([ask(seed, 5, key=key, prefix=opening) for seed in range(3)])
    for piece in made:
        assert np.array_equal(piece.words[1 : 1 + len(opening)], opening)
        assert (piece.score.bars, piece.score.key) == (5, Key(5, 1))
        assert piece.score.start.max() >= 4 * BAR
    assert len({piece.words.tobytes() for piece in made}) == 3


@pytest.mark.parametrize("column", [Field.TEMPO, Field.CHORD, Field.PITCH, Field.DURATION, Field.VELOCITY])
def test_kept_words_are_kept_and_no_note_is_lost(tiny, score, column):
    source = score(7, 3, dense=True)
    words = encode(source)
    kept = [Field.FAMILY, Field.BEAT, column]
    forced = np.full_like(words, FREE)
    forced[:, kept] = words[:, kept]
    asked = [ask(seed, 3, key=source.key, forced=forced, ending=False) for seed in range(3)]
    made = tiny.compose(asked)
    for piece in made:
        assert np.array_equal(piece.words[:, kept], words[:, kept])
        assert np.array_equal(piece.score.start, source.start), "an onset keeps its number of notes"
        drawn = [number for number in range(2, 7) if number not in kept]
        assert not np.array_equal(piece.words[:, drawn], words[:, drawn])


def test_sampling_is_passed_on(tiny):
    cold = Sampling(temperature=0.0)
    assert same(*(first(tiny, 1, sampling=one) for one in (cold, dataclasses.replace(cold, guidance=1.0))))
    assert not same(first(tiny, 1, sampling=cold), first(tiny, 1))
    narrow = dataclasses.replace(Sampling(), top_p=0.01)
    words = [first(tiny, seed, sampling=narrow).words[1:30] for seed in (1, 1)]
    assert np.array_equal(*words)
    assert not same(first(tiny, 1, sampling=narrow), first(tiny, 1))


def test_requests_of_one_call_are_sampled_alike(tiny):
    with pytest.raises(ValueError, match="alike"):
        tiny.compose([ask(), ask(sampling=Sampling(temperature=0.5))])
    assert tiny.compose([]) == []


def test_what_is_needless_is_not_written(tiny):
    """Of six pieces, the second makes the first and the last three needless, as soon as it ends."""
    asked = [ask(seed, 12 if seed == 0 else 2) for seed in range(6)]
    expected, seen = tiny.compose(asked), {}

    def finished(number, piece):
        seen[number] = piece
        return (0, 3, 4, 5) if number == 1 else ()

    tiny.compose_until(asked, finished)
    assert 0 not in seen
    assert {1, 2} <= set(seen) <= {1, 2, 3}, "the fourth may have ended before the second"
    assert all(same(piece, expected[number]) for number, piece in seen.items())


class First:
    """Chooses one place whatever is written, asks for `targets` (nothing) from then on, and notes what it was asked."""

    def __init__(self, place, bars, targets=None):
        self.place, self.asked = place, []
        self.targets = np.full((bars, len(NAMES)), np.nan) if targets is None else targets

    def __call__(self, bars, written):
        self.asked.append((bars, [words.copy() for words in written]))
        return Verdict(self.place, self.targets)


def opening(words, bars):
    """The words of the first bars of a piece."""
    lines = np.flatnonzero((words[:, 0] == Family.METRICAL) & (words[:, 1] == 1))
    return words[: lines[bars]]


def test_candidates_of_one_piece_go_on_from_the_one_that_is_chosen(tiny):
    bars = 2 * BRANCH_BARS + 1
    plain = tiny.compose([ask(seed, bars) for seed in range(3)])
    choose = First(2, bars, told(bars, **LOUD))
    made = tiny.compose([ask(seed, bars, choose=choose) for seed in range(3)])
    assert [asked for asked, _ in choose.asked] == [BRANCH_BARS, 2 * BRANCH_BARS]
    first, second = (written for _, written in choose.asked)
    for piece, words in zip(plain, first, strict=True):
        np.testing.assert_array_equal(words, opening(piece.words, BRANCH_BARS), err_msg="until then nothing is shared")
    for piece in made:
        np.testing.assert_array_equal(opening(piece.words, BRANCH_BARS), first[2])
        np.testing.assert_array_equal(opening(piece.words, 2 * BRANCH_BARS), second[2])
        assert piece.score.bars == bars
    assert len({piece.words.tobytes() for piece in made}) == 3, "each by its own chance"
    assert same(made[2], plain[2]), "the chosen one goes on as it would have"


def test_candidates_go_on_with_the_targets_that_the_choice_leaves(tiny):
    bars = BRANCH_BARS + 2
    same_targets, others = (First(1, bars, told(bars, **values)) for values in (LOUD, SOFT))
    plain = tiny.compose([ask(seed, bars, choose=same_targets) for seed in range(2)])[1]
    changed = tiny.compose([ask(seed, bars, choose=others) for seed in range(2)])[1]
    np.testing.assert_array_equal(opening(plain.words, BRANCH_BARS), opening(changed.words, BRANCH_BARS))
    assert not same(plain, changed)


def test_candidates_of_one_piece_do_not_mix_with_others(tiny):
    bars = BRANCH_BARS + 1
    one, two = First(0, bars), First(1, bars)
    alone = tiny.compose([ask(seed, bars, choose=one) for seed in range(2)])
    plain = tiny.compose([ask(9, bars)])[0]
    mixed = [ask(0, bars, choose=one), ask(7, bars, choose=two), ask(9, bars), ask(1, bars, choose=one),
             ask(8, bars, choose=two)]  # fmt: skip
    assert lineages(mixed) == [[0, 3], [1, 4], [2]]
    among = tiny.compose(mixed)
    assert same(among[0], alone[0])
    assert same(among[3], alone[1])
    assert same(among[2], plain)


def test_pieces_are_compared_every_few_bars_of_what_is_composed(score):
    assert branches(ask(bars=16)) == [2, 4, 6, 8, 10, 12, 14]
    assert branches(ask(bars=2)) == []
    assert branches(ask(bars=3)) == [2]
    _, words = open_words(score(3, 6))
    assert branches(ask(bars=6 + 5, prefix=words)) == [8, 10]


def test_further_tries_of_a_piece_wait_for_the_first(tiny):
    """The first of two tries makes the second needless, which is then not begun; another's pieces do not wait."""
    bars = BRANCH_BARS + 1
    chooses = [First(0, bars) for _ in range(3)]
    asked = [ask(10 * number + row, bars, choose=choose, owner=number // 2)
             for number, choose in enumerate(chooses) for row in range(2)]  # fmt: skip
    told = []
    tiny.compose_until(asked, lambda number, piece: told.append(number) or ((2, 3) if number in (0, 1) else ()))
    assert sorted(told) == [0, 1, 4, 5]
    assert [len(choose.asked) for choose in chooses] == [1, 0, 1]
    everything = tiny.compose(asked)
    assert len(chooses[1].asked) == 1
    assert same(everything[5], tiny.compose(asked[4:])[1])


def test_candidates_of_two_make_batches_of_their_own(tiny):
    """Six candidates are more than rows: four are compared with each other, and so are the other two."""
    bars = BRANCH_BARS + 1
    choose = First(1, bars)
    made = tiny.compose([ask(seed, bars, choose=choose) for seed in range(WIDTH + 2)])
    assert [len(written) for _, written in choose.asked] == [WIDTH, 2]
    opened = [opening(piece.words, BRANCH_BARS).tolist() for piece in made]
    assert opened[:WIDTH] == [opened[0]] * WIDTH
    assert opened[WIDTH] == opened[WIDTH + 1] != opened[0]
