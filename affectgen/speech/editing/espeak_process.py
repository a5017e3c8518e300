"""espeak-ng in a process of its own: `python -m affectgen.speech.editing.espeak_process`, JSON lines in and out.

The library (GPL-3.0) is the one of the package espeakng-loader; it is loaded here, by ctypes, and nowhere else. Each
line of standard input is a request, {"text", "voice", "rate", "pitch"} (words a minute; 0 to 100) or {"phones",
"voice"} for a pronunciation alone; each gives one line: {"rate", "samples" (base64, 16 bits, little-endian), "words":
[[start, length of the text in letters, seconds]], "phones": [[name, seconds]]}, {"phones"} (IPA, a tie in sounds of
several letters) or {"error"}. What was said before changes what is said next by a few samples, so who wants the same
sound again asks a new process.
"""

from __future__ import annotations

import base64
import ctypes
import json
import sys
from collections.abc import Callable
from typing import Any

RETRIEVAL, PHONEME_EVENTS, PHONEME_IPA, EXIT_NEVER = 1, 1 << 0, 1 << 1, 1 << 15  # speak_lib.h
UTF8, END_PAUSE = 1, 0x1000
RATE_PARAMETER, PITCH_PARAMETER = 1, 3
LIST_END, WORD, PHONEME = 0, 1, 7
IPA, TIE = 0x02, 0x80  # of espeak_TextToPhonemes


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", _Id),
    )  # fmt: skip


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """The library, made ready once. OSError or RuntimeError where it cannot be."""

    def __init__(self, library: str, data: str) -> None:
        self._lib = ctypes.CDLL(library)
        self.rate = self._lib.espeak_Initialize(RETRIEVAL, 0, data.encode(), PHONEME_EVENTS | PHONEME_IPA | EXIT_NEVER)
        if self.rate <= 0:
            raise RuntimeError(f"espeak-ng found no data in {data}")
        if hasattr(self._lib, "espeak_ng_SetRandSeed"):  # since 1.52; else the time of day is in the sound
            self._lib.espeak_ng_SetRandSeed(ctypes.c_long(1))
        self._lib.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._parts: list[bytes] = []
        self._words: list[tuple[int, int, float]] = []
        self._phones: list[tuple[str, float]] = []
        self._call = _CALLBACK(self._take)
        self._lib.espeak_SetSynthCallback(self._call)

    def _take(self, samples: Any, count: int, events: Any) -> int:
        """What espeak calls with each piece of sound; 0 for more."""
        if samples and count > 0:
            self._parts.append(ctypes.string_at(samples, 2 * count))
        place = 0
        while (event := events[place]).type != LIST_END:
            seconds = event.sample / self.rate
            if event.type == WORD:
                self._words.append((event.text_position - 1, event.length, seconds))
            elif event.type == PHONEME:
                self._phones.append((event.id.string.decode("utf-8", "replace"), seconds))
            place += 1
        return 0

    def _voice(self, name: str) -> None:
        if self._lib.espeak_SetVoiceByName(name.encode()):
            raise RuntimeError(f"espeak-ng has no voice {name!r}")

    def speak(self, text: str, voice: str, rate: int, pitch: int) -> dict[str, Any]:
        """Say the text."""
        self._voice(voice)
        self._lib.espeak_SetParameter(RATE_PARAMETER, rate, 0)
        self._lib.espeak_SetParameter(PITCH_PARAMETER, pitch, 0)
        self._parts, self._words, self._phones = [], [], []
        data = text.encode()
        status = self._lib.espeak_Synth(data, ctypes.c_size_t(len(data) + 1), 0, 1, 0, UTF8 | END_PAUSE, None, None)
        if status or self._lib.espeak_Synchronize():
            raise RuntimeError(f"espeak-ng gave up with status {status}")
        sound = base64.b64encode(b"".join(self._parts)).decode()
        return {"rate": self.rate, "samples": sound, "words": self._words, "phones": self._phones}

    def phones(self, text: str, voice: str) -> dict[str, Any]:
        """How the text is read, in IPA."""
        self._voice(voice)
        rest, said = ctypes.c_char_p(text.encode()), []
        while rest.value:
            before = rest.value
            found = self._lib.espeak_TextToPhonemes(ctypes.byref(rest), UTF8, IPA | TIE | 0x361 << 8)
            said.append(found.decode("utf-8", "replace") if found else "")
            if rest.value == before:
                break
        return {"phones": " ".join(said)}


def answer(espeak: Espeak, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request."""
    voice = request.get("voice", "en-us")
    if "phones" in request:
        return espeak.phones(request["phones"], voice)
    return espeak.speak(request["text"], voice, int(request.get("rate", 160)), int(request.get("pitch", 50)))


def serve(lines: Any, write: Callable[[str], object]) -> None:
    """Answer each line. The first line written says that the library is ready, or why it is not."""
    try:
        import espeakng_loader

        espeak = Espeak(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())
    except (ImportError, OSError, RuntimeError) as error:
        write(json.dumps({"error": str(error)}) + "\n")
        return
    write(json.dumps({"ready": espeak.rate}) + "\n")
    for line in lines:
        try:
            given = answer(espeak, json.loads(line))
        except (RuntimeError, ValueError, KeyError) as error:  # the other requests must still be answered
            given = {"error": str(error)}
        write(json.dumps(given) + "\n")


def main() -> None:
    """Serve standard input until it ends."""

    def write(line: str) -> None:
        sys.stdout.write(line)
        sys.stdout.flush()

    serve(sys.stdin, write)


if __name__ == "__main__":
    main()
