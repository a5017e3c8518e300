"""Learns how letters sound: `python -m affectgen.speech.aligning.letters_fit`, from pocketsphinx's dictionary.

Each letter of a word is matched with none, one or two of its phones (Viterbi training of the chances of such pairs);
then the tree keeps, for each surrounding of a letter, the most usual sounds where they differ from what less of it
says. A twentieth of the words is kept for the figures.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from time import process_time

from affectgen.nn.checkpoint import save_arrays
from affectgen.speech.aligning.letters import ALPHABET, CHECKPOINT, EDGE, KIND, ORDER, Letters, surroundings
from affectgen.speech.aligning.pronounce import dictionary

Pairs = list[tuple[str, ...]]  # the sounds of each letter
MOST = 2  # phones of one letter
ROUNDS = 6
SAMPLE = 15000  # words that the first rounds look at
HELD_OUT = 20  # one word in so many
UNSEEN = math.log(1e-6)


def fit(words: Mapping[str, Sequence[tuple[str, ...]]]) -> Letters:
    """The tree of words and their pronunciations."""
    rows = [(word, phones) for word, all_phones in words.items() for phones in all_phones[:1]]
    chances: dict[tuple[str, tuple[str, ...]], float] = {}
    few = rows[:: max(1, len(rows) // SAMPLE)]
    for number in range(ROUNDS):
        matched = [(word, match(word, phones, chances)) for word, phones in (rows if number == ROUNDS - 1 else few)]
        chances = _counted(matched)
    return grow([(word, pairs) for word, pairs in matched if pairs is not None])


def match(word: str, phones: tuple[str, ...], chances: Mapping[tuple[str, tuple[str, ...]], float]) -> Pairs | None:
    """Which phones each letter stands for, most probably; None where there are too many phones."""
    best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    for letter in word:
        row: dict[int, tuple[float, int]] = {}
        for reached, (total, _) in best[-1].items():
            for size in range(MOST + 1):
                if reached + size > len(phones):
                    break
                pair = (letter, phones[reached : reached + size])
                value = total + (chances.get(pair, UNSEEN) if chances else -abs(size - 1) - 0.1 * size)
                if reached + size not in row or value > row[reached + size][0]:
                    row[reached + size] = (value, reached)
        best.append(row)
    if len(phones) not in best[-1]:
        return None
    pairs, reached = [], len(phones)
    for row in best[:0:-1]:
        before = row[reached][1]
        pairs.append(phones[before:reached])
        reached = before
    return pairs[::-1]


def _counted(matched: Iterable[tuple[str, Pairs | None]]) -> dict[tuple[str, tuple[str, ...]], float]:
    """Log chances of each letter's sounds."""
    counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for word, pairs in matched:
        counts.update(zip(word, pairs or [], strict=False))
    totals: Counter[str] = Counter()
    for (letter, _), count in counts.items():
        totals[letter] += count
    return {pair: math.log(count / totals[pair[0]]) for pair, count in counts.items()}


def grow(rows: Sequence[tuple[str, Pairs]]) -> Letters:
    """The tree: the most usual sounds of every surrounding seen that says more than its own larger part."""
    counts: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    for word, pairs in rows:
        for place, sounds in enumerate(pairs):
            key = surroundings(word, place)
            for size in range(1, len(ORDER) + 1):
                counts[key[:size]][sounds] += 1
    usual = {key: max(sorted(counter), key=lambda s: counter[s]) for key, counter in counts.items()}
    numbers: dict[tuple[str, ...], int] = {(): 0}
    nodes: dict[str, int] = {}
    said: dict[str, tuple[str, ...]] = {"": ()}
    for key in sorted(usual, key=lambda k: (len(k), k)):
        said[key] = usual[key]
        if usual[key] != said[key[:-1]]:
            nodes[key] = numbers.setdefault(usual[key], len(numbers))
    return Letters(tuple(numbers), nodes)


def figures(letters: Letters, words: Mapping[str, Sequence[tuple[str, ...]]]) -> dict[str, float]:
    """Of words not learnt from: phone errors over phones, against the nearest of their pronunciations, and the share
    of words without error."""
    wrong = total = exact = 0
    for word, known in words.items():
        said = letters.pronounce(word)
        errors, length = min((distance(said, phones), len(phones)) for phones in known)
        wrong, total, exact = wrong + errors, total + length, exact + (errors == 0)
    return {"words": len(words), "phone_error": round(wrong / total, 4), "words_right": round(exact / len(words), 4)}


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein's distance."""
    row = list(range(len(other) + 1))
    for place, item in enumerate(one, start=1):
        last, row[0] = row[0], place
        for i, wanted in enumerate(other, start=1):
            last, row[i] = row[i], min(row[i] + 1, row[i - 1] + 1, last + (item != wanted))
    return row[-1]


def held_out(word: str) -> bool:
    """Whether a word is kept for the figures."""
    return int(sha256(word.encode()).hexdigest()[:8], 16) % HELD_OUT == 0


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, measure and write the checkpoint."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("-o", "--output", type=Path, default=Path("checkpoints") / CHECKPOINT)
    folder = parser.parse_args(arguments).output
    start = process_time()
    letters = set(ALPHABET) - {EDGE}
    words = {word: known for word, known in dictionary().items() if set(word) <= letters and word[0].isalpha()}
    kept = {word: known for word, known in words.items() if held_out(word)}
    tree = fit({word: known for word, known in words.items() if word not in kept})
    found = figures(tree, kept)
    seconds = process_time() - start
    command = "python -m affectgen.speech.aligning.letters_fit"
    config = {
        "kind": KIND, "about": "letters to sounds of US English, for words that the dictionary does not hold",
        "licence": "BSD-2-Clause", "source": "the CMU pronouncing dictionary, as pocketsphinx carries it",
        "command": command, "nodes": len(tree.nodes), "words": len(words) - len(kept), "figures": found,
    }  # fmt: skip
    save_arrays(folder, tree.arrays(), config, _card(config, found, seconds))
    sys.stderr.write(f"{folder}: {len(tree.nodes)} nodes; {found}; {seconds:.0f} s\n")


def _card(config: Mapping[str, object], found: Mapping[str, float], seconds: float) -> str:
    return f"""# {CHECKPOINT}

How letters sound in US English, for words that the dictionary does not hold (`affectgen speech`). A tree of letters in
context (IGTree) with {config["nodes"]} nodes, learnt from {config["words"]} words of the CMU pronouncing dictionary
that pocketsphinx carries (Copyright Carnegie Mellon University; its licence is of the BSD kind).

- made by: `{config["command"]}`, {seconds:.0f} s on one core; nothing in it is random
- on {found["words"]} words of the same dictionary that it was not learnt from (one in {HELD_OUT}, by a hash of the
  spelling): {found["phone_error"]:.1%} phone errors, {found["words_right"]:.1%} of words without any
- licence: {config["licence"]}

Stress is not predicted. Names and foreign words are as wrong as their spelling is irregular.
"""


if __name__ == "__main__":
    main()
