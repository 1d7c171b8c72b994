"""One Vosk model and one Vosk recognizer. The only file that knows Vosk.

The same samples give the same transcript, whatever chunks they arrive in and whatever was heard before. Measured with
Vosk 0.3.45 on 63 sentences, four things are needed for that (docs/decisions.md):
* Kaldi's dither draws from the C library's shared rand(), so models are loaded with it switched off, and the same
  noise is added here instead, one fixed sequence from the start of every utterance (without any, quiet speech
  suffers: 41 instead of 54 of 63 sentences at -30 dB).
* Reset() keeps the feature frames of an unfinished utterance. Only FinalResult() makes Vosk begin afresh.
* Vosk looks for pauses at the end of each call, wherever that falls. The person says when the utterance is over (the
  button), so Vosk's endpoints are ignored and the whole utterance is one piece.
* A model with ivectors adapts to the speaker once in each call and again every 0.2 s of it, so it is fed whole steps
  of 0.2 s (3 of 24 transcripts differed otherwise).
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.errors import ModelError
from appliance.hearing.mapped import load_mapped
from appliance.hearing.transcript import Word
from appliance.models.whole import check_recognizer

SLICE_SAMPLES = RATE
"""The most that one call may be given."""
IVECTOR_STEP_SAMPLES = RATE // 5
RETIRE_AFTER_S = 3600.0  # Vosk counts an hour of samples exactly; its int32 overflows after 37 hours
RETIRE_COMPOSING_AFTER_S = 300.0
"""Most models come with their decoding graph in two pieces, and each recognizer keeps what it composes of them: 90 MB
after 50 s of speech with a stock model, but real-time factor 0.07 instead of 0.25. A new one after five minutes of
speech bounds that. The embedded model's graph is in one piece, so its recognizers stay at 2 MB (expand_graph.cc)."""

_NOISE_PERIOD = 4 * RATE
_NOISE = np.clip(np.rint(np.random.default_rng(1).normal(0.0, 1.0, _NOISE_PERIOD)), -4, 4).astype(np.int16)
_NOISE = np.concatenate((_NOISE, _NOISE[:SLICE_SAMPLES]))  # a slice may begin anywhere in the period
_importing = threading.Lock()
_LOUDEST = 32767 - 4  # leaves room for the noise


@dataclass(frozen=True)
class LoadedModel:
    vosk: Any
    step_samples: int
    """What arrives is decoded in multiples of this."""
    retire_after_s: float
    """How much speech a recognizer hears before it is replaced."""


class Recognizer:
    """One Vosk recognizer and its count of samples. Used by one thread at a time."""

    def __init__(self, model: LoadedModel) -> None:
        self.abandoned = False
        """True when the last utterance was not decoded to its end."""
        self._model = model
        self._make()

    def _make(self) -> None:
        self._vosk = package().KaldiRecognizer(self._model.vosk, RATE)
        self._vosk.SetWords(True)
        self.samples = 0  # of this utterance
        self._rest = b""  # those of them that do not make a step yet
        self._samples_accepted = 0  # since it was made
        self._samples_before = 0  # of them, those before this utterance: Vosk's word times do not begin anew

    def decode(self, pcm: bytes, last: bool, wants_partial: bool) -> tuple[float, str | None, tuple[Word, ...]]:
        """Hear whole samples of s16le, at most a slice. Returns (seconds it took, text, words).

        text: of the whole utterance if this was the last call, else the partial one if wanted, else None.
        """
        begin = time.perf_counter()
        if self.abandoned:
            self._rest = b""
            self._final()
            self.abandoned = False
        if not self.samples and self._samples_before > self._model.retire_after_s * RATE:
            self._make()  # here, where nobody is waiting for a transcript yet: it takes up to 0.1 s
        text: str | None = None
        words: tuple[Word, ...] = ()
        self._accept(np.frombuffer(pcm, dtype="<i2"), last)
        if last:
            text, words = self._final()
        elif wants_partial:
            text = json.loads(self._vosk.PartialResult())["partial"]
        return time.perf_counter() - begin, text, words

    def _accept(self, samples: NDArray[np.int16], last: bool) -> None:
        begin = self.samples % _NOISE_PERIOD
        noisy = np.clip(samples, -_LOUDEST, _LOUDEST) + _NOISE[begin : begin + len(samples)]
        self.samples += len(samples)
        pcm = self._rest + noisy.tobytes()
        size = len(pcm) if last else len(pcm) - len(pcm) % (self._model.step_samples * SAMPLE_BYTES)
        if size:
            self._vosk.AcceptWaveform(pcm[:size])
            self._samples_accepted += size // SAMPLE_BYTES
        self._rest = pcm[size:]

    def _final(self) -> tuple[str, tuple[Word, ...]]:
        """End the utterance; the recognizer is as new afterwards."""
        result = json.loads(self._vosk.FinalResult())
        before_s = self._samples_before / RATE
        words = tuple(
            Word(word["word"], round(word["start"] - before_s, 2), round(word["end"] - before_s, 2), word["conf"])
            for word in result.get("result", ())
        )
        self._samples_before = self._samples_accepted
        self.samples = 0
        return result["text"], words


@contextmanager
def _some_home() -> Iterator[None]:
    """vosk asks for a home directory when it is imported, which a system service need not have. It is not used."""
    homeless = os.path.expanduser("~") == "~"
    if homeless:
        os.environ["HOME"] = "/"
    try:
        yield
    finally:
        if homeless:
            del os.environ["HOME"]


def load(path: Path) -> tuple[LoadedModel, Recognizer]:
    """Load a model, and warm a recognizer of it. Blocks. Raises ModelError naming the path and the remedy."""
    check_recognizer(path)
    with _some_home():
        vosk = package()
    vosk.SetLogLevel(-1)
    with tempfile.TemporaryDirectory(prefix="stimme-") as folder:
        view = Path(folder)
        _link_without_dither(path.resolve(), view)
        try:
            model = LoadedModel(
                load_mapped(_library(vosk), path / "graph" / "HCLG.fst", view, lambda: vosk.Model(str(view))),
                step_samples=IVECTOR_STEP_SAMPLES if has_ivectors(path) else 1,
                retire_after_s=RETIRE_COMPOSING_AFTER_S if is_composed_lazily(path) else RETIRE_AFTER_S,
            )
        except Exception as error:  # Vosk raises nothing narrower
            raise ModelError(f"{path}: Vosk cannot load this model ({error}); fetch it again") from error
    recognizer = Recognizer(model)
    recognizer.decode(bytes(SLICE_SAMPLES * SAMPLE_BYTES), True, False)
    return model, recognizer


def package() -> Any:
    """Vosk, without the modules that it needs only to download models and to write subtitles: 7 MB and 0.1 s less."""
    with _importing:
        absent = {name: ModuleType(name) for name in ("requests", "srt", "tqdm") if name not in sys.modules}
        for name, module in absent.items():
            setattr(module, name, None)  # for "from tqdm import tqdm"
        if "vosk" not in sys.modules:
            sys.modules.update(absent)
        try:
            import vosk
        finally:
            for name in absent:
                sys.modules.pop(name, None)
        return vosk


def _library(vosk: Any) -> Path:
    return Path(vosk.__file__).with_name("libvosk.so")


def _link_without_dither(model: Path, view: Path) -> None:
    """Make `view` look like the model, with Kaldi's random dither switched off (see the top of this file)."""
    for entry in model.iterdir():
        if entry.name == "conf":
            (view / "conf").mkdir()
            for file in entry.iterdir():
                (view / "conf" / file.name).symlink_to(file)
        else:
            (view / entry.name).symlink_to(entry)
    settings = next(file for file in (view / "conf" / "mfcc.conf", view / "mfcc.conf") if file.exists())
    text = settings.read_text()
    settings.unlink()
    settings.write_text(f"{text}\n--dither=0.0\n")


def has_ivectors(model: Path) -> bool:
    return (model / "ivector").exists()


def is_composed_lazily(model: Path) -> bool:
    """Whether the model's decoding graph is in two pieces."""
    return not any((folder / "HCLG.fst").exists() for folder in (model / "graph", model))
