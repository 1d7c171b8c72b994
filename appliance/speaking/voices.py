"""The kinds of voice: Piper's and the espeak-ng program, which only this file knows, and Pico's (pico.py).

A voice turns a clause into float32 samples, piece by piece. Every step of `synthesize` may take long and runs in a
worker thread; several threads may use one voice at once.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from appliance.errors import ModelError
from appliance.language import Language
from appliance.models.whole import check_published, check_voice
from appliance.speaking import vits
from appliance.speaking.vits import Samples

ESPEAK_WORDS_PER_MINUTE = 150
ESPEAK_TIMEOUT_S = 20


class Voice(Protocol):
    name: str
    rate: int
    """Samples per second."""

    def synthesize(self, clause: str) -> Iterator[Samples]:
        """The clause's samples in [-1, 1], in pieces; none if there is nothing to say."""


class PiperVoice:
    """A Piper voice, streamed if its network can be cut (vits.py)."""

    def __init__(self, path: Path, cache: Path) -> None:
        from piper.config import PiperConfig
        from piper.voice import PiperVoice as Phonemizer

        check_voice(path)
        if not vits.is_cut(path, cache):
            check_published(path)  # once, because it reads all 63 MB
        settings = path.with_name(path.name + ".json")
        try:
            config = PiperConfig.from_dict(json.loads(settings.read_text(encoding="utf-8")))
            self._vits = vits.load(path, cache, config.hop_length)
        except Exception as error:  # json, piper and onnxruntime each raise their own
            raise ModelError(f"{path}: Piper cannot load this voice ({error}); fetch it again") from error
        self.name = path.stem
        self.rate = config.sample_rate
        # Only its text half is used. Its own session would hold the network a second time.
        self._phonemizer = Phonemizer(session=cast(Any, None), config=config)
        self._scales = (config.noise_scale, config.length_scale, config.noise_w_scale)
        self._speaker = config.default_speaker_id if config.num_speakers > 1 else None

    def synthesize(self, clause: str) -> Iterator[Samples]:
        for phonemes in self._phonemizer.phonemize(clause):
            if phonemes:
                ids = self._phonemizer.phonemes_to_ids(phonemes)
                yield from self._vits.synthesize(ids, self._scales, self._speaker)


class EspeakVoice:
    """The espeak-ng program: robotic, but it speaks a hundred languages in 4 MB."""

    rate = 22_050

    def __init__(self, program: Path, language: Language) -> None:
        self.name = f"espeak-ng {language}"
        # -b 1: the text is UTF-8, whatever the locale
        self._command = [
            str(program), "-v", language, "-s", str(ESPEAK_WORDS_PER_MINUTE), "-b", "1", "--stdin", "--stdout"]

    def synthesize(self, clause: str) -> Iterator[Samples]:
        try:
            done = subprocess.run(
                self._command, input=clause.encode(), capture_output=True, timeout=ESPEAK_TIMEOUT_S, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ModelError(f"{self._command[0]} failed ({error}); install the package espeak-ng again") from error
        with wave.open(io.BytesIO(done.stdout), "rb") as file:
            # Its header promises 2 GB, because it is written before the sound is known.
            pcm = file.readframes(file.getnframes())
        if pcm:
            yield np.frombuffer(pcm[: len(pcm) & ~1], dtype="<i2").astype(np.float32) / np.float32(32768)


def load_voice(path: Path, language: Language, cache: Path) -> Voice:
    """The voice at a path as models.find_voice gives it: a Piper voice, one of Pico's, or espeak-ng. Blocks."""
    if path.suffix == ".onnx":
        return PiperVoice(path, cache)
    if path.suffix == ".bin":
        from appliance.speaking.pico import PicoVoice  # here, because it needs this file

        program = shutil.which("espeak-ng")
        return PicoVoice(path, language, EspeakVoice(Path(program), language) if program else None)
    return EspeakVoice(path, language)
