"""SVOX Pico, a small voice that comes with Stimme: a recorded woman's voice by statistics, 200 times real time.

Pico reads numbers and marks its own way, and some texts break it: a word of 300 letters, a control character, what
looks like a tag (docs/decisions.md). So it gets letters and plain punctuation, numbers as our words, and runs in a
process of its own (pico_process.py) that can be ended. A clause that it cannot say is said by espeak-ng.
"""

from __future__ import annotations

import importlib.util
import logging
import re
import select
import signal
import struct
import subprocess
import sys
import threading
import time
import unicodedata
import weakref
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import soxr

from appliance.audio.pcm import floats
from appliance.errors import ModelError
from appliance.language import Language
from appliance.speaking.readout import read_out
from appliance.speaking.vits import Samples
from appliance.speaking.voices import Voice

log = logging.getLogger(__name__)

RATE = 16_000
LONGEST_WORD = 40
TIMEOUT_S = 10.0
"""Nothing of a clause for so long, and the process is ended; it ends itself after 4 s of processor time."""

_PLAIN = re.compile(r"[^A-Za-zÄÖÜäöüßÀ-ÖØ-öø-ÿ ,.;:!?'-]")
_FOREIGN = re.compile(r"[^\W\d_A-Za-zÀ-ÖØ-öø-ÿ]")


class PicoVoice:
    """One of Pico's voices. Clauses of several threads take turns; one that was begun is finished first.

    path: Pico's text analysis as models.find_voice gives it, `…/de-DE_ta.bin`. other: says what Pico cannot; None:
    such a clause raises ModelError.
    """

    rate = RATE

    def __init__(self, path: Path, language: Language, other: Voice | None) -> None:
        self.name = f"pico-{path.name.removesuffix('_ta.bin')}"
        self._language = language
        self._other = other
        self._process = _Process(path)

    def synthesize(self, clause: str, speed: float = 1.0) -> Iterator[Samples]:
        text = plain(clause, self._language)
        said = False
        if text is not None:
            try:
                for pcm in self._process.speak(text, speed):
                    said = True
                    yield floats(pcm)
                return
            except PicoError as error:
                log.warning("%s could not say a clause of %d characters: %s", self.name, len(clause), error)
        if said:
            return  # saying it all again would be worse than its missing end
        if self._other is None:
            raise ModelError(f"{self.name} cannot say this clause; with the package espeak-ng, espeak-ng would")
        yield from _resampled(self._other, clause, speed)


class PicoError(Exception):
    """This clause cannot be said; the next one can."""


def plain(clause: str, language: Language) -> str | None:
    """The clause with nothing in it that Pico stumbles over; None if that would leave something out."""
    text = read_out(unicodedata.normalize("NFC", clause), language)
    if _FOREIGN.search(text):
        return None  # letters that Pico does not have
    text = " ".join(_PLAIN.sub(" ", text).split())
    if any(len(word) >= LONGEST_WORD for word in text.split()):
        return None
    return text


class _Utterance:
    """One text's sound as far as it was made."""

    def __init__(self) -> None:
        self.pieces: deque[bytes] = deque()
        self.ended = False
        self.error: PicoError | None = None


class _Process:
    """The process that speaks: started when needed, ended when it misbehaves. One text at a time, for any thread."""

    def __init__(self, path: Path) -> None:
        spec = importlib.util.find_spec("py_nanotts")
        library = next(Path(spec.origin).parent.glob("_nanotts*.so"), None) if spec and spec.origin else None
        other_half = next(path.parent.glob(f"{path.name.removesuffix('ta.bin')}*_sg.bin"), None)
        if library is None or other_half is None or not path.is_file():
            raise ModelError(f"{path}: Pico is not whole; install the Python package py-nanotts again")
        program = Path(__file__).with_name("pico_process.py")
        # -I -S: neither site-packages nor the user's directory, for 4 MB less and a start in 20 ms
        self._command = [sys.executable, "-I", "-S", str(program), str(library), str(path), str(other_half)]
        self._lock = threading.Lock()
        self._running: list[subprocess.Popen[bytes]] = []  # at most one
        self._current: _Utterance | None = None
        weakref.finalize(self, _end, self._running)

    def speak(self, text: str, speed: float = 1.0) -> Iterator[bytes]:
        """The text's sound, s16le at 16 kHz, in pieces. Raises PicoError; the next text can be spoken all the same."""
        utterance = _Utterance()
        with self._lock:
            while self._current is not None and not self._current.ended:
                self._read(self._current)  # its listener finds the pieces there
            self._begin(f"{round(100 * speed)} {text}", utterance)
        while True:
            with self._lock:
                if not utterance.pieces and not utterance.ended:
                    self._read(utterance)
            if not utterance.pieces:
                break
            yield utterance.pieces.popleft()
        if utterance.error is not None:
            raise utterance.error

    def _begin(self, line: str, utterance: _Utterance) -> None:
        if self._running and self._running[0].poll() is not None:
            _end(self._running)
        if not self._running:
            self._running.append(
                subprocess.Popen(
                    self._command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                )
            )
        self._current = utterance
        try:
            assert (stdin := self._running[0].stdin) is not None
            stdin.write(line.encode() + b"\n")
        except OSError as error:
            self._fail(utterance, f"its process takes no text ({error})")

    def _read(self, utterance: _Utterance) -> None:
        """Take the next piece, or the end."""
        deadline_s = time.monotonic() + TIMEOUT_S
        try:
            (size_bytes,) = struct.unpack("<H", self._exactly(2, deadline_s))
            if size_bytes:
                utterance.pieces.append(self._exactly(size_bytes, deadline_s))
            utterance.ended = not size_bytes
        except TimeoutError:
            self._fail(utterance, f"nothing came for {TIMEOUT_S:g} s")
        except EOFError:
            code = self._running[0].wait()
            reason = "used up its processor time" if code == -signal.SIGPROF else f"ended with code {code}"
            self._fail(utterance, f"its process {reason}")

    def _exactly(self, size_bytes: int, deadline_s: float) -> bytes:
        assert (stdout := self._running[0].stdout) is not None
        found = b""
        while len(found) < size_bytes:
            if not select.select([stdout], [], [], max(0.0, deadline_s - time.monotonic()))[0]:
                raise TimeoutError
            if not (more := stdout.read(size_bytes - len(found))):
                raise EOFError
            found += more
        return found

    def _fail(self, utterance: _Utterance, reason: str) -> None:
        utterance.error, utterance.ended = PicoError(reason), True
        _end(self._running)


def _end(running: list[subprocess.Popen[bytes]]) -> None:
    """End the process, whatever it is doing."""
    for process in running:
        process.kill()
        process.communicate()
    running.clear()


def _resampled(voice: Voice, clause: str, speed: float) -> Iterator[Samples]:
    for samples in voice.synthesize(clause, speed):
        yield soxr.resample(samples, voice.rate, RATE)
