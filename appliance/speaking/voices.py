"""The kinds of voice: Piper's, the espeak-ng program, and Pico's (pico.py).

A voice turns a clause into float32 samples, piece by piece. Every step of `synthesize` may take long and runs in a
worker thread; several threads may use one voice at once.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import wave
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from appliance.audio.pcm import floats
from appliance.errors import ModelError
from appliance.language import Language
from appliance.models.whole import check_voice
from appliance.speaking.phonemes import MARKS, phoneme_ids
from appliance.speaking.prepare import load_network
from appliance.speaking.vits import Samples

CLAUSES_KEPT = 256
"""Of which the phonemes are remembered."""

ESPEAK_WORDS_PER_MINUTE = 150
ESPEAK_TIMEOUT_S = 20


class Voice(Protocol):
    name: str
    rate: int
    """Samples per second."""

    def synthesize(self, clause: str, speed: float = 1.0) -> Iterator[Samples]:
        """The clause's samples in [-1, 1], in pieces; none if there is nothing to say. speed: 2 is twice as fast."""


class PiperVoice:
    """A Piper voice: espeak-ng's phonemes through its network."""

    def __init__(self, path: Path, cache: Path, prepared: Iterable[Path] = ()) -> None:
        check_voice(path)
        settings = path.with_name(path.name + ".json")
        try:
            content = json.loads(settings.read_text(encoding="utf-8"))
            self.rate = int(content["audio"]["sample_rate"])
            self._espeak_voice = str(content["espeak"]["voice"])
            self._ids: dict[str, list[int]] = content["phoneme_id_map"]
            inference = content["inference"]
            self._scales = (
                float(inference["noise_scale"]),
                float(inference["length_scale"]),
                float(inference["noise_w"]),
            )
            self._speaker = 0 if content.get("num_speakers", 1) > 1 else None
            kind = content.get("phoneme_type", "espeak")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{settings}: not a Piper voice's settings ({error!r}); fetch it again") from error
        if kind != "espeak" or any(mark not in self._ids for mark in MARKS):
            raise ModelError(f"{path}: its phonemes are not espeak-ng's ('{kind}'), which are all that is known here")
        self.name = path.stem
        self._network = load_network(path, cache, prepared)
        # Cheap, but only one thread can ask espeak-ng at a time.
        self._sentences = lru_cache(CLAUSES_KEPT)(self._read)

    def synthesize(self, clause: str, speed: float = 1.0) -> Iterator[Samples]:
        noise, length, length_noise = self._scales
        for ids in self._sentences(clause):
            yield from self._network.synthesize(ids, (noise, length / speed, length_noise), self._speaker)

    def _read(self, clause: str) -> tuple[tuple[int, ...], ...]:
        return phoneme_ids(clause, self._espeak_voice, self._ids)


class EspeakVoice:
    """The espeak-ng program: robotic, but it speaks a hundred languages in 4 MB."""

    rate = 22_050

    def __init__(self, program: Path, language: Language) -> None:
        self.name = f"espeak-ng {language}"
        # -b 1: the text is UTF-8, whatever the locale
        self._command = [str(program), "-v", language, "-b", "1", "--stdin", "--stdout"]

    def synthesize(self, clause: str, speed: float = 1.0) -> Iterator[Samples]:
        command = [*self._command, "-s", str(round(ESPEAK_WORDS_PER_MINUTE * speed))]
        try:
            done = subprocess.run(
                command, input=clause.encode(), capture_output=True, timeout=ESPEAK_TIMEOUT_S, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ModelError(f"{self._command[0]} failed ({error}); install the package espeak-ng again") from error
        with wave.open(io.BytesIO(done.stdout), "rb") as file:
            # Its header promises 2 GB, because it is written before the sound is known.
            pcm = file.readframes(file.getnframes())
        if pcm:
            yield floats(pcm[: len(pcm) & ~1])


def load_voice(path: Path, language: Language, cache: Path, prepared: Iterable[Path] = ()) -> Voice:
    """The voice at a path as models.find_voice gives it: a Piper voice, one of Pico's, or espeak-ng. Blocks.

    cache, prepared: see prepare.prepare_voice.
    """
    if path.suffix == ".onnx":
        return PiperVoice(path, cache, prepared)
    if path.suffix == ".bin":
        from appliance.speaking.pico import PicoVoice  # here, because it needs this file

        program = shutil.which("espeak-ng")
        return PicoVoice(path, language, EspeakVoice(Path(program), language) if program else None)
    return EspeakVoice(path, language)
