"""Where each mood/theme tag of MTG-Jamendo stands in the plane, and how the tags without an emotion got their place.

Three kinds of source, from sure to unsure:

- NAMED: the tag names an emotion of `words.py`, which cites its sources. Counts fully.
- NEAR: the tag is no word of the table, and we read it as one (fun as light-hearted). The reading is ours; counts half.
- COMPANY: the tag names a use (film), an occasion (christmas) or a sound (deep). It stands where the named emotions
  stand that artists write beside it in the corpus's own list (`company` below). Counts a quarter, since company tells
  about a quarter of the variance in where the NAMED and NEAR tags stand (Spearman's rho of .5 on both axes).

    python -m affectgen.affect.jamendo autotagging_moodtheme.tsv

prints COMPANY as it stands here, from the list that the authors publish (Bogdanov et al., 2019).
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from affectgen.affect.space import Affect, mean
from affectgen.errors import AffectgenError

HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS"
TAGS_FROM = HEADER.count("\t")  # all fields from here on are tags
WEIGHTS = {"named": 1.0, "near": 0.5, "company": 0.25}
SHRINK = 20  # so many neutral artists are added to a tag's own: few witnesses move it little

NAMED = {
    "calm": "calm",
    "energetic": "vigorous",
    "funny": "amused",
    "happy": "happy",
    "hopeful": "hopeful",
    "inspiring": "inspired",
    "love": "in love",
    "meditative": "contemplative",
    "melancholic": "melancholy",
    "powerful": "powerful",
    "relaxing": "relaxed",
    "romantic": "affectionate",
    "sad": "sad",
}
NEAR = {
    "dark": "gloomy",
    "fun": "light-hearted",
    "horror": "terrified",
    "mellow": "at ease",
    "motivational": "determined",
    "positive": "pleased",
    "sexy": "passionate",
    "upbeat": "joyful",
    "uplifting": "elated",
}
COMPANY: dict[str, tuple[float, float]] = {
    "action": (0.34, 0.29),
    "adventure": (0.41, 0.26),
    "advertising": (0.5, 0.29),
    "ambiental": (0.22, -0.09),
    "background": (0.34, 0.04),
    "ballad": (0.3, 0.16),
    "children": (0.5, 0.18),
    "christmas": (0.41, 0.11),
    "commercial": (0.48, 0.31),
    "cool": (0.29, 0.07),
    "corporate": (0.45, 0.28),
    "deep": (0.25, -0.04),
    "documentary": (0.3, 0.03),
    "drama": (0.05, -0.01),
    "dramatic": (0.15, 0.08),
    "dream": (0.42, -0.08),
    "emotional": (0.22, 0.04),
    "epic": (0.3, 0.23),
    "fast": (0.34, 0.27),
    "film": (0.3, 0.04),
    "game": (0.24, 0.09),
    "groovy": (0.28, 0.2),
    "heavy": (0.07, 0.08),
    "holiday": (0.35, 0.13),
    "melodic": (0.29, -0.03),
    "movie": (0.22, 0.06),
    "nature": (0.41, -0.19),
    "party": (0.44, 0.33),
    "retro": (0.18, 0.07),
    "slow": (0.14, -0.19),
    "soft": (0.36, -0.05),
    "soundscape": (0.27, -0.17),
    "space": (0.31, -0.12),
    "sport": (0.35, 0.33),
    "summer": (0.51, 0.28),
    "trailer": (0.27, 0.19),
    "travel": (0.4, 0.09),
}


def plain(tag: str) -> str:
    """The tag without "mood/theme---" in front."""
    return tag.rpartition("---")[2]


def source(tag: str) -> str | None:
    """What kind of source a tag's place has: "named", "near" or "company"; None for no tag of the list."""
    tables: dict[str, Mapping[str, object]] = {"named": NAMED, "near": NEAR, "company": COMPANY}
    return next((name for name, tags in tables.items() if tag in tags), None)


def place(tag: str) -> tuple[Affect, float] | None:
    """Where a tag (without its prefix) stands and how much it counts, 0 to 1; None for no tag of the list."""
    found = source(tag)
    if found is None:
        return None
    point = Affect(*COMPANY[tag]) if found == "company" else Affect.parse({**NAMED, **NEAR}[tag])
    return point, WEIGHTS[found]


def read_list(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    """(artist, tags without prefix) of each track in one of MTG-Jamendo's lists. AffectgenError where it is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise AffectgenError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise AffectgenError(f"{path} is no text in UTF-8.", "Take the list as its authors publish it.") from error
    if not lines or lines[0] != HEADER:
        came = lines[0][:60] if lines else ""
        raise AffectgenError(f"{path} begins with {came!r}.", f"A list begins with {HEADER!r}.")
    tracks = []
    for number, line in enumerate(lines[1:], start=2):
        fields = line.split("\t")
        if len(fields) <= TAGS_FROM:
            raise AffectgenError(f"{path}, line {number} has no tags.", "Take the list as its authors publish it.")
        tracks.append((fields[1], tuple(plain(tag) for tag in fields[TAGS_FROM:] if tag)))
    return tracks


def company(tracks: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, Affect]:
    """Where the NAMED emotions stand that are written beside each tag, for every tag of the tracks, by name.

    A track gives a tag the centre of its other NAMED tags; an artist gives the centre of the artist's tracks, because
    some tag hundreds alike; a tag takes the centre of its artists and of SHRINK neutral ones.
    """
    heard: dict[str, dict[str, list[Affect]]] = defaultdict(lambda: defaultdict(list))
    points = {tag: Affect.parse(word) for tag, word in NAMED.items()}
    for artist, tags in tracks:
        for tag in dict.fromkeys(tags):
            artists = heard[tag]
            beside = [points[other] for other in dict.fromkeys(tags) if other in points and other != tag]
            if beside:
                artists[artist].append(mean(beside))
    centres = {tag: [mean(each) for each in artists.values()] for tag, artists in sorted(heard.items())}
    return {tag: mean([*found, *[Affect(0.0, 0.0)] * SHRINK]) for tag, found in centres.items()}


def table(tracks: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, tuple[float, float]]:
    """COMPANY anew: the tags that are neither NAMED nor NEAR, to 0.01."""
    return {
        tag: (round(point.valence, 2), round(point.arousal, 2))
        for tag, point in company(tracks).items()
        if tag not in NAMED and tag not in NEAR
    }


def main(arguments: list[str] | None = None) -> int:
    """Print COMPANY of a list as Python."""
    parser = argparse.ArgumentParser(prog="python -m affectgen.affect.jamendo", description="Print the table COMPANY.")
    parser.add_argument("list", type=Path, help="autotagging_moodtheme.tsv")
    try:
        rows = table(read_list(parser.parse_args(arguments).list))
    except AffectgenError as error:
        sys.stderr.write(f"Error: {error.message}\n{error.hint}\n")
        return error.exit_code
    for tag, (valence, arousal) in rows.items():
        sys.stdout.write(f'    "{tag}": ({valence}, {arousal}),\n')
    return 0


if __name__ == "__main__":
    sys.exit(main())
