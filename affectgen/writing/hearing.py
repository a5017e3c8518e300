"""From options to pieces: candidates are composed, heard and compared; the best is kept. What both generators share.

A generator says what is asked of the composer, how a piece is heard and when it is good; tries, lengths in seconds and
candidates are the same for all.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Generator, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from affectgen.affect import Affect, AffectPath, parse_affect
from affectgen.recognize.guide import load_guide, measure_path
from affectgen.score.expression import load_performer
from affectgen.score.grid import GridScore, Timing
from affectgen.writing.given import BEATS, composed_notes, composed_part, finish, given_piece, tempo_of
from affectgen.writing.heard import Candidate, Piece
from affectgen.writing.options import ComposeOptions
from affectgen.writing.pieces import WIDTH, Composed, Finished, in_rounds

Floats = NDArray[np.float64]
BAR_SECONDS = 2.1  # mean length of a bar in EMOPIA's clips: the first guess for a length in seconds
LENGTH_TRIES = 4  # numbers of bars, each with its own tries


Option = TypeVar("Option", bound=ComposeOptions)
Heard = TypeVar("Heard", bound=Piece)


@dataclass(frozen=True)
class Draft:
    """A candidate to be composed: its number and which take of that number it is, which seed it; its bars; and the
    tempo that it keeps near, None for any."""

    number: int
    bars: int
    take: int = 0
    tempo: float | None = None

    def after(self, piece: Piece, seen: Collection[Draft], seconds: float) -> Draft:
        """The draft that follows one which became an unfit piece: of a better length for the seconds asked, and so in
        about the same tempo; if it has been seen, as it has if the length was right, another take of it.
        """
        draft = self
        if piece.stretch > 0:
            bars = max(1, round(self.bars / piece.length))
            draft = replace(self, bars=bars, tempo=tempo_of(bars, seconds))
        while draft in seen:
            draft = replace(draft, take=draft.take + 1)
        return draft


@dataclass
class Hearing(Generic[Option, Heard]):
    """How the hearing of one options object's drafts stands; each best_of of them are a try, judged in turn.

    owner: its number among the options; given: the piece that it continues or keeps; kept: the best piece so far;
    finished: pieces by the place of their draft; heard: those of the tries judged so far, in the order of drafts.
    """

    owner: int
    option: Option
    given: GridScore | None
    drafts: tuple[Draft, ...]
    kept: Heard | None = None
    finished: dict[int, Composed] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether the tries that are left are needless: one has left a good piece."""
        return self.kept is not None and self.kept.good

    @property
    def result(self) -> Heard:
        """The best piece, once every try is judged or needless."""
        if self.kept is None:
            raise ValueError("a hearing without drafts")
        return self.kept

    def next_try(self) -> range | None:
        """The places of the first try that is not judged yet, if all its pieces are finished; None otherwise."""
        places = range(len(self.heard), min(len(self.heard) + self.option.best_of, len(self.drafts)))
        return places if len(places) and all(place in self.finished for place in places) else None

    def judge(self, pieces: Sequence[Heard]) -> None:
        """Take the pieces of a try in, and keep the best of all so far."""
        self.heard += pieces
        before = [] if self.kept is None else [self.kept]
        best = min([*pieces, *before], key=lambda piece: piece.rank)
        told = [Candidate(piece.candidate, piece.measured, not piece.rank[0], piece.rank[1]) for piece in pieces]
        heard = (*(one for piece in before for one in piece.heard), *told)
        attempts = self.drafts[len(self.heard) - 1].number // self.option.best_of + 1
        self.kept = replace(best, attempts=attempts, heard=heard)


class Writer(Protocol):
    """What composes requests."""

    def compose_until(self, requests: Sequence[Any], finished: Finished) -> None:
        """Compose requests, each told to `finished` when it ends, but for those that are needless by then."""
        ...


class Auditions(ABC, Generic[Option, Heard]):
    """Composes for options, hears every candidate and keeps the best."""

    def __init__(self, composer: Writer) -> None:
        self.composer = composer
        self.guide = load_guide()
        self.performer = load_performer()

    @abstractmethod
    def _alike(self, option: Option) -> Hashable:
        """Options for which this is equal may share batches."""

    @abstractmethod
    def request(self, hearing: Hearing[Option, Heard], draft: Draft) -> Any:
        """What the composer is asked for a draft, which has a seed of its own."""

    @abstractmethod
    def _heard(self, option: Option, score: GridScore, bars: int) -> Heard:
        """A score as it is played and heard; its last `bars` bars are what was composed."""

    def forget(self, option: Option) -> None:
        """Let go of what is kept of an option, no more of whose drafts will be composed."""

    def _heard_together(self, option: Option, scores: Sequence[GridScore], bars: Sequence[int]) -> list[Heard]:
        """The candidates of a try, whose last `bars` bars were composed; a generator that can tell the best sooner may
        hear the others less closely."""
        return [self._heard(option, score, count) for score, count in zip(scores, bars, strict=True)]

    def _measured(
        self, option: Option, score: GridScore, bars: int, performed: Timing
    ) -> tuple[GridScore, int, Timing | None, Affect | AffectPath | None, Floats, Floats | None]:
        """The first fields of a Piece for a score: how it is played, what was asked, what the guide hears.

        Of a continued piece the guide hears only what was composed: it reads no more than the beginning of what it is
        given.
        """
        asked = parse_affect(option.affect) if option.affect is not None else None
        played = performed if option.expressive else None
        path = measure_path(self.guide, composed_part(option, score, bars)) if isinstance(asked, AffectPath) else None
        measured = self.guide.rate([composed_notes(option, score, bars, played)])[0]
        return score, bars, played, asked, measured, path

    def run(self, options: Sequence[Option]) -> list[Heard]:
        """One piece for each options object; alike samplings share batches."""
        pieces: dict[int, Heard] = {}
        groups: dict[Hashable, list[int]] = {}
        for index, option in enumerate(options):
            groups.setdefault((option.seconds is None, self._alike(option)), []).append(index)
        for indices in groups.values():
            share = [options[index] for index in indices]
            made = self._make(share) if share[0].seconds is None else self._to_lengths(share)
            pieces |= dict(zip(indices, made, strict=True))
        return [pieces[index] for index in range(len(options))]

    def _bar_seconds(self, option: Option, bars: int) -> float | None:
        """How long a bar of a piece of about so many should be, in seconds; None where no tempo is asked for."""
        return 240.0 / option.tempo if option.tempo is not None else None

    def _to_lengths(self, options: Sequence[Option]) -> list[Heard]:
        """Compose for seconds: each option's next drafts in one call with those of the others."""
        return in_rounds([self._to_length(owner, option) for owner, option in enumerate(options)], self._compose)

    def _to_length(self, owner: int, option: Option) -> Generator[Hearing[Option, Heard], None, Heard]:
        """Let bars be composed until a good piece comes near the seconds asked, then bring its tempo the whole way.

        Where no tempo is asked for, a first draft chooses its own; drafts that follow keep near the one that their bars
        fill the seconds in. Of a continued piece only what is composed counts.
        """
        seconds = 0.0 if option.seconds is None else option.seconds
        bar = self._bar_seconds(option, max(1, round(seconds / BAR_SECONDS)))
        bars, given = max(1, round(seconds / (BAR_SECONDS if bar is None else bar))), given_piece(option)
        tempo_asked = None if bar is None else tempo_of(bars, seconds)
        drafts = tuple(Draft(number, bars, tempo=tempo_asked) for number in range(option.tries * option.best_of))
        hearing: Hearing[Option, Heard] = Hearing(owner, option, given, drafts)
        yield hearing
        attempts, seen = hearing.result.attempts, set(drafts)
        for _ in range(LENGTH_TRIES - 1):
            if hearing.over:
                break
            pairs = zip(hearing.drafts, hearing.heard, strict=True)
            drafts = tuple(draft.after(piece, seen, seconds) for draft, piece in pairs)
            hearing = Hearing(owner, option, given, drafts, hearing.kept)
            yield hearing
            attempts, seen = attempts + hearing.result.attempts, seen | set(drafts)
        best = hearing.result
        tempo = best.score.tempo.copy()
        tempo[-BEATS * best.bars :] *= best.length
        made = self._heard(option, replace(best.score, tempo=tempo), best.bars)
        return replace(made, candidate=best.candidate, attempts=attempts, heard=best.heard)

    def _make(self, options: Sequence[Option]) -> list[Heard]:
        """Compose candidates of all options, keep the best of each, and try again where that is not good.

        Rows that would only fill a batch hold the next tries of a piece. They are heard in turn, and those after a good
        one are not written to their end, so that what is kept does not depend on how many were composed at once.
        """
        given = [given_piece(option) for option in options]
        best: dict[int, Heard] = {}
        pending, tried = list(range(len(options))), 0
        while pending:
            ahead = max(1, WIDTH // sum(options[owner].best_of for owner in pending))
            hearings = []
            for owner in pending:
                option = options[owner]
                numbers = range(tried * option.best_of, min(tried + ahead, option.tries) * option.best_of)
                drafts = tuple(Draft(number, option.bars) for number in numbers)
                hearings.append(Hearing(owner, option, given[owner], drafts, best.get(owner)))
            best |= {hearing.owner: hearing.result for hearing in self._compose(hearings)}
            tried += ahead
            pending = [owner for owner in pending if tried < options[owner].tries and not best[owner].good]
        return [best[owner] for owner in range(len(options))]

    def _compose(self, hearings: Sequence[Hearing[Option, Heard]]) -> Sequence[Hearing[Option, Heard]]:
        """Compose the drafts of some hearings in one call, and judge them as they come in; the same hearings."""
        places = [(hearing, place) for hearing in hearings for place in range(len(hearing.drafts))]  # of each request

        def finished(number: int, composed: Composed) -> Collection[int]:
            hearing, place = places[number]
            hearing.finished[place] = composed
            self.hear(hearing)
            return [other for other, (owner, _) in enumerate(places) if owner.over]

        requests = [self.request(hearing, hearing.drafts[place]) for hearing, place in places]
        self.composer.compose_until(requests, finished)
        return hearings

    def hear(self, hearing: Hearing[Option, Heard]) -> None:
        """Judge the tries that are complete, in turn, up to the first that leaves a good piece."""
        while not hearing.over and (places := hearing.next_try()) is not None:
            drafts = [hearing.drafts[place] for place in places]
            scores = [finish(hearing.option, hearing.finished[place].score, hearing.given) for place in places]
            pieces = self._heard_together(hearing.option, scores, [draft.bars for draft in drafts])
            numbered = zip(pieces, drafts, strict=True)
            hearing.judge([replace(piece, candidate=draft.number) for piece, draft in numbered])
