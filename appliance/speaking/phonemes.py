"""Text → the phonemes that Piper's voices were trained on, from the system's espeak-ng library.

Why not piper-tts, which brings espeak-ng along: it requires onnxruntime, it holds the GIL, and the espeak-ng in it is
newer than the voices. The system's says what the voices learnt (docs/decisions.md). Loaded with ctypes, which lets go
of the GIL; the library can do one thing at a time, so calls take turns.
"""

from __future__ import annotations

import ctypes
import re
import threading
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from appliance.errors import ModelError

LIBRARY = "libespeak-ng.so.1"
REMEDY = "install the package libespeak-ng1"

MARKS = BEGIN, PAD, END = "^", "_", "$"
"""What a voice reads before a sentence, between all phonemes, and after it."""

_SYNCHRONOUS, _DO_NOT_EXIT = 2, 0x8000  # speak_lib.h: no sound card is opened, and a fault is an answer
_UTF8, _IPA = 1, 2

_TERMINATORS = ".,:;!?"
_PAUSING = ",:;"
_DASHES = "–—"
_LANGUAGE_SWITCH = re.compile(r"\([^)]+\)")
_AFTER_THE_LAST_WORD = re.compile(r"[^\w]*$")

Sentence = list[str]

MOST_PHONEMES = 300
"""Of a sentence in one piece, some 20 seconds: a longer one is cut between words. A network's time before its first
sound, and its memory, grow with the square of it."""


class Espeak:
    """The library, opened once in a process."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise ModelError(f"{LIBRARY} cannot be loaded ({error}); {REMEDY}") from error
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._lock = threading.Lock()
        if self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _DO_NOT_EXIT) < 0:
            raise ModelError(f"{LIBRARY} finds no data; {REMEDY} and espeak-ng-data again")

    def sentences(self, text: str, voice: str) -> list[Sentence]:
        """The text's phonemes, sentence by sentence, with the punctuation that voices know. voice: as "en-us".

        Raises ModelError for a voice that espeak-ng does not have.
        """
        found: list[Sentence] = []
        sentence: Sentence = []
        for phonemes, terminator in self._clauses(text, voice):
            pause = " " if terminator and terminator in _PAUSING else ""
            sentence += unicodedata.normalize("NFD", _LANGUAGE_SWITCH.sub("", phonemes) + terminator + pause)
            if terminator and terminator not in _PAUSING:
                found.append(sentence)
                sentence = []
        return [*found, sentence] if sentence else found

    def _clauses(self, text: str, voice: str) -> list[tuple[str, str]]:
        """espeak-ng's own clauses: phonemes, and the punctuation mark at the end or nothing."""
        content = text.replace("\0", " ").encode()
        buffer = ctypes.create_string_buffer(content)
        begin = ctypes.addressof(buffer)
        at = ctypes.c_void_p(begin)
        found = []
        with self._lock:
            if self._library.espeak_SetVoiceByName(voice.encode()):
                raise ModelError(f"espeak-ng has no voice '{voice}'; {REMEDY} and espeak-ng-data again")
            read = 0
            while at.value is not None:
                phonemes = self._library.espeak_TextToPhonemes(ctypes.byref(at), _UTF8, _IPA)
                end = len(content) if at.value is None else at.value - begin
                found.append((phonemes.decode(), content[read:end].decode("utf-8", "ignore"), at.value is None))
                read = end
        return [(phonemes, _terminator(part if is_last else part[:-1])) for phonemes, part, is_last in found]


def _terminator(part: str) -> str:
    """The mark that ends a clause's text (without the character behind it, which espeak-ng has looked at)."""
    end = _AFTER_THE_LAST_WORD.search(part)
    marks = end[0].replace(" ", "") if end else ""
    if "..." in marks or "…" in marks:
        return ""
    return next((";" if mark in _DASHES else mark for mark in marks if mark in _TERMINATORS + _DASHES), "")


@cache
def espeak() -> Espeak:
    """The library. Raises ModelError if it is not installed."""
    return Espeak()


def phoneme_ids(text: str, voice: str, ids: Mapping[str, Sequence[int]]) -> tuple[tuple[int, ...], ...]:
    """The text as a Piper voice reads it, sentence by sentence. ids: the voice's map; what it lacks is left out."""
    return tuple(
        (
            *ids[BEGIN],
            *ids[PAD],
            *(one for phoneme in part if phoneme in ids for one in (*ids[phoneme], *ids[PAD])),
            *ids[END],
        )
        for sentence in espeak().sentences(text, voice)
        for part in parts(sentence)
    )


def parts(sentence: Sentence, most: int = MOST_PHONEMES) -> Iterator[Sentence]:
    """A sentence's phonemes in runs of at most `most`, cut after the last space that allows it."""
    while len(sentence) > most:
        space = next((at for at in range(most - 1, 0, -1) if sentence[at] == " "), most - 1)
        yield sentence[: space + 1]
        sentence = sentence[space + 1 :]
    if sentence:
        yield sentence
