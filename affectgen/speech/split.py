"""Which speakers the figures of speech are measured on: nothing of `affectgen.speech` that is fitted has heard them.

The judge's speakers (`affectgen.recognize.speech_corpus.JUDGE_SPEAKERS`) are the judge's alone. Of the others some are
kept for tests and some for choosing settings; everything is fitted on the rest.
"""

from __future__ import annotations

from affectgen.recognize.speech_corpus import JUDGE_SPEAKERS

SPEECH_SPLIT_VERSION = "1"
# Every fifth actor of either sex, in order of their numbers, of those that are not the judge's, up to six; two of
# EMO-DB's seven.
TEST_SPEAKERS = frozenset(
    [f"crema_d/{actor}" for actor in (1006, 1018, 1029, 1052, 1061, 1076)]  # women
    + [f"crema_d/{actor}" for actor in (1014, 1026, 1035, 1044, 1062, 1069)]  # men
    + ["emo_db/03", "emo_db/08"]
)
# Every eighth of the rest, up to three of either sex; another of EMO-DB's.
DEVELOPMENT_SPEAKERS = frozenset(
    [f"crema_d/{actor}" for actor in (1010, 1046, 1074)]  # women
    + [f"crema_d/{actor}" for actor in (1019, 1040, 1067)]  # men
    + ["emo_db/10"]
)


def part_of(speaker: str) -> str:
    """"judge", "test", "development" or "training", for a speaker such as "crema_d/1003"."""
    if speaker in JUDGE_SPEAKERS:
        return "judge"
    if speaker in TEST_SPEAKERS:
        return "test"
    return "development" if speaker in DEVELOPMENT_SPEAKERS else "training"
