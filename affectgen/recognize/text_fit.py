"""Fit a recogniser of text and write its checkpoint folder: weights, config with the figures, card.

python -m affectgen.recognize.text_fit --data ../shared/data --what judge|guide|recogniser \
    --lexicon vader_lexicon.txt --encoder all-MiniLM-L6-v2

--lexicon is the file of the package vaderSentiment (MIT); --encoder the folder of the model (Apache-2.0), which the
judge does not need. Vectors of texts are kept in --cache, if given, since they take minutes, and so is the state of the
transformer's training, which takes half an hour and goes on from there if it was cut off.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectgen.affect.labels import LABELS_VERSION
from affectgen.errors import AffectgenError
from affectgen.nn.checkpoint import save_arrays
from affectgen.recognize import text_blend, text_calibrate, text_linear, text_net, text_teacher, text_tune
from affectgen.recognize.text import Model, TextRecogniser, pack
from affectgen.recognize.text_calibrate import Material
from affectgen.recognize.text_card import LICENCE, PURPOSE, TRAINED_ON, card
from affectgen.recognize.text_corpus import read_emobank, read_goemotions
from affectgen.recognize.text_deep import TextDeep
from affectgen.recognize.text_encoder import Encoder
from affectgen.recognize.text_evaluate import figures_of
from affectgen.recognize.text_features import Table
from affectgen.recognize.text_start import start
from affectgen.recognize.text_transformer import Transformer

Floats = NDArray[np.float64]
HELD = 10  # every tenth text of a training split is not trained on: it anchors and calibrates
FOLDS = 5  # of the judge, which has too few texts to hold any back
WORD_TEXTS = 3  # texts that a word of the networks' table must stand in
DIMENSIONS = 96  # of a word vector
VECTOR_SIZE = 0.5  # standard deviation of a word vector's numbers to begin with
EMOBANK_TIMES = 2  # how often a rated sentence is seen in an epoch
NETS = {  # not searched: what one core fits in minutes
    "guide": text_net.Settings(members=1, epochs=4, seed=100),
    "recogniser": text_net.Settings(members=2, epochs=4),
}
TUNE = text_tune.Settings()
EASE = 0.5  # chosen on the dev splits: so the intervals of both corpora, of unlike scatter, hold their labels alike
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Tune = Callable[[Material], tuple[Transformer, float]]


@dataclass(frozen=True)
class Fitted:
    """A reader without figures yet, and the settings that its config holds."""

    reader: TextRecogniser
    settings: dict[str, Any]


def read_lexicon(path: Path) -> dict[str, float]:
    """Words and emoticons with their mean ratings, -4 to 4. AffectgenError where it is not VADER's lexicon."""
    try:
        rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return {row[0].lower(): float(row[1]) for row in rows}
    except (OSError, IndexError, ValueError) as error:
        raise AffectgenError(f"{path} is not VADER's lexicon: {error}.", "Name its vader_lexicon.txt.") from error


def fit_judge(data: Path, valence: dict[str, float]) -> Fitted:
    """The judge: linear, from the dev splits alone; anchored and calibrated out of fold."""
    material = Material.read(data, ("dev",), Table({}, valence))
    words = sorted({t for s in material.sentences for t in s.tokens if t.isalpha() or "'" in t})
    settings = text_linear.Settings()

    def fit(part: Material) -> text_linear.TextLinear:
        return text_linear.fit(*part.commented, *part.rated, settings)

    scores = text_calibrate.out_of_fold(material, fit, FOLDS)
    table = Table({word: row + 1 for row, word in enumerate(words)}, valence)
    return Fitted(text_calibrate.assemble(table, fit(material), material, scores), asdict(settings))


def fit_networks(
    what: str, data: Path, valence: dict[str, float], embed: Embed, seed: int, tune: Tune | None = None
) -> Fitted:
    """Guide or recogniser, from nine tenths of the train splits, calibrated on the rest.

    The guide is a network alone, so that it shares no model family with the judge; the recogniser adds a regression
    and, where `tune` gives one, a transformer.
    """
    settings = replace(NETS[what], seed=NETS[what].seed + seed)
    plain = Material.read(data, ("train",), Table({}, valence))
    held = plain.every(HELD)
    count = Counter(token for sentence in plain.pick(~held).sentences for token in set(sentence.tokens))
    words = sorted({token for token, texts in count.items() if texts >= WORD_TEXTS} | _plain_words(valence))
    table = Table({word: row + 1 for row, word in enumerate(words)}, valence)
    material = Material.read(data, ("train",), table)
    trained, rest = material.pick(~held), material.pick(held)
    vectors = embed(material.texts)[~held]
    rated = trained.is_rated
    sentences = trained.sentences
    ratings = trained.ratings.copy()
    known, others = ([s for s, yes in zip(sentences, rated == side, strict=True) if yes] for side in (True, False))
    ratings[~rated] = text_teacher.teach(
        vectors[rated], known, ratings[rated], vectors[~rated], others, text_teacher.Settings()
    )
    times = np.where(rated, EMOBANK_TIMES, 1)
    net = text_net.fit(start_vectors(embed(words)), sentences, trained.labels, ratings, times, settings)
    stored = text_net.TextNet.of_arrays(net.arrays())  # as it will be
    model: Model = stored
    chosen, ease = asdict(settings), None
    if what == "recogniser":
        model = blend = text_blend.fit(stored, known, ratings[rated])
        if tune is not None:
            transformer, seconds = tune(trained)
            model, ease = TextDeep(blend, transformer), EASE
            chosen |= {f"tune_{name}": value for name, value in asdict(TUNE).items()} | {"tune_seconds": round(seconds)}
    reader = text_calibrate.assemble(table, model, rest, model.scores(rest.sentences), ease)
    return Fitted(reader, chosen)


def tuned(encoder: Path, material: Material, seed: int, cache: Path | None) -> tuple[Transformer, float]:
    """The transformer, and the seconds of its training: the encoder of a folder, trained further on `material`."""
    texts = [sentence.text for sentence in material.sentences]
    settings = replace(TUNE, seed=TUNE.seed + seed)
    begun = start(encoder, texts, settings.least, settings.layers)
    return text_tune.tune(begun, texts, material.labels, material.ratings, settings, cache)


def start_vectors(embedded: NDArray[np.float32], dimensions: int = DIMENSIONS) -> NDArray[np.float32]:
    """Vectors [1 + W, D] to begin with: the principal components of embedded words [W, E] after a row of zeros."""
    apart = embedded - embedded.mean(axis=0)
    _, directions = np.linalg.eigh(apart.T @ apart)
    found = apart @ directions[:, ::-1][:, :dimensions]
    found *= VECTOR_SIZE / found.std()
    return np.concatenate([np.zeros((1, found.shape[1])), found]).astype(np.float32)


def cached(embed: Embed, folder: Path | None) -> Embed:
    """`embed`, keeping what it gave for a list of texts in a file of `folder`."""
    if folder is None:
        return embed

    def kept(texts: Sequence[str]) -> NDArray[np.float32]:
        path = folder / f"{sha256(chr(0).join(texts).encode()).hexdigest()[:16]}.npy"
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            np.save(path, embed(texts))
        return np.load(path, allow_pickle=False)

    return kept


def _plain_words(valence: dict[str, float]) -> set[str]:
    return {word for word in valence if word.isalpha()}


def _embedding(options: argparse.Namespace) -> Embed:
    if options.encoder is None:
        raise AffectgenError("Guide and recogniser need --encoder.", "Name the folder of all-MiniLM-L6-v2.")
    return cached(lambda texts: Encoder.load(options.encoder).embed(texts), options.cache)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, fit, measure on the test splits, write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds text/")
    parser.add_argument("--what", choices=tuple(PURPOSE), required=True)
    parser.add_argument("--lexicon", type=Path, required=True, help="vader_lexicon.txt of vaderSentiment")
    parser.add_argument("--encoder", type=Path, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--cache", type=Path, help="folder to keep the encoder's vectors in")
    parser.add_argument("--output", type=Path, help="folder to write; default checkpoints/text-WHAT")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    what, started = options.what, time.perf_counter()
    valence = read_lexicon(options.lexicon)
    if what == "judge":
        fitted = fit_judge(options.data, valence)
    else:
        embed = _embedding(options)
        tune = partial(tuned, options.encoder, seed=options.seed, cache=options.cache)
        fitted = fit_networks(what, options.data, valence, embed, options.seed, tune)
    test = (read_emobank(options.data, "test"), read_goemotions(options.data, "test"))
    figures = {name: round(value, 3) for name, value in figures_of(fitted.reader, *test).items()}
    seconds = time.perf_counter() - started
    config = {"kind": f"text-{what}", "trained_on": TRAINED_ON[what], "settings": fitted.settings, "figures": figures}
    config |= {"licence": LICENCE, "labels_version": LABELS_VERSION}
    folder = options.output if options.output is not None else Path("checkpoints") / f"text-{what}"
    training = fitted.settings.get("tune_seconds")
    words = card(what, options.seed, figures, seconds, os.cpu_count(), training)
    save_arrays(folder, pack(fitted.reader), config, words)
    sys.stderr.write(f"{folder}: {figures}, {seconds:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
