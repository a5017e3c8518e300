"""Where the keys of a TOML file stand: `tomllib` reads values and tells no lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

KeyPath = tuple[str, ...]
BARE = re.compile(r"[A-Za-z0-9_-]+")
ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line, from 1, of every key and every table's header, by its whole path. Keys of inline tables are left out:
    they stand on the line of the key that holds them.

    text: TOML that `tomllib` reads; what is none gives some lines, and raises nothing.
    """
    return _Scanner(text).scan()


def line_of(lines: dict[KeyPath, int], path: Sequence[str]) -> int:
    """The line of a key, else of the nearest thing around it that has one; 1 for what stands nowhere."""
    for length in range(len(path), 0, -1):
        if tuple(path[:length]) in lines:
            return lines[tuple(path[:length])]
    return 1


class _Scanner:
    """Goes through a text statement by statement."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._lines: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, int]:
        """The line, from 1, on which each key and each table first stands."""
        table: KeyPath = ()
        while self._at < len(self._text):
            here = self._text[self._at]
            if here in " \t\r\n\ufeff":
                self._at += 1
            elif here == "#":
                self._skip_line()
            elif here == "[":
                self._at += 2 if self._text.startswith("[[", self._at) else 1
                table = self._key(())
                self._skip_line()
            else:
                self._key(table)
                self._skip_value()
        return self._lines

    def _note(self, path: KeyPath, at: int) -> None:
        self._lines.setdefault(path, self._text.count("\n", 0, at) + 1)

    def _key(self, table: KeyPath) -> KeyPath:
        """A key, its parts joined by dots, and all that it leads through."""
        path, begin = table, self._at
        while True:
            self._skip_blank()
            part = self._part()
            if part is None:
                break
            path = (*path, part)
            self._note(path, begin)
            self._skip_blank()
            if not self._text.startswith(".", self._at):
                break
            self._at += 1
        return path

    def _part(self) -> str | None:
        """One part of a key, bare or in quotes."""
        quote = self._text[self._at : self._at + 1]
        if quote in ('"', "'"):
            begin = self._at
            self._skip_string()
            inner = self._text[begin + 1 : self._at - 1]
            return _unescaped(inner) if quote == '"' else inner
        found = BARE.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        return found.group()

    def _skip_blank(self) -> None:
        while self._text[self._at : self._at + 1] in (" ", "\t"):
            self._at += 1

    def _skip_line(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end + 1

    def _skip_value(self) -> None:
        """To the end of a statement: the end of the line on which all brackets are closed."""
        depth = 0
        while self._at < len(self._text):
            here = self._text[self._at]
            if here in "\"'":
                self._skip_string()
                continue
            if here == "#":
                self._skip_line()
                self._at -= self._text[self._at - 1] == "\n"
                continue
            depth += (here in "[{") - (here in "]}")
            self._at += 1
            if here == "\n" and depth <= 0:
                return

    def _skip_string(self) -> None:
        """Past a string of any of the four kinds."""
        quote = self._text[self._at]
        mark = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._at += len(mark)
        while self._at < len(self._text):
            if quote == '"' and self._text[self._at] == "\\":
                self._at += 2
            elif self._text.startswith(mark, self._at):
                self._at += len(mark)
                while len(mark) == 3 and self._text.startswith(quote, self._at):  # """a"" ends in five
                    self._at += 1
                return
            elif len(mark) == 1 and self._text[self._at] == "\n":
                return
            else:
                self._at += 1


def _unescaped(text: str) -> str:
    """A quoted key's text."""

    def one(found: re.Match[str]) -> str:
        kind, digits = found.group(1)[0], found.group(1)[1:]
        return chr(int(digits, 16)) if digits else ESCAPES.get(kind, kind)

    return re.sub(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|.)", one, text)
