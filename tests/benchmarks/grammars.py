"""A grammar at run time against free decoding, for the embedded recognizers; a part of tests.benchmarks.dialogue.

Vosk takes a grammar only where the graph is put together at run time (HCLr, Gr). Ours have that beside their graph made
at build time (HCLG), which Vosk prefers; a directory without it makes the same model dynamic. Spoken by the embedded
voices, with white noise, so that something is misheard. A half of the sentences is in the grammar, the other half is
what people say besides.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import vosk

from appliance.dialogue.understanding import Understanding
from appliance.hearing.score import word_errors
from appliance.language import LANGUAGES, Language
from appliance.models.choose import find_recognizer
from tests.support.server import MODELS
from tests.support.speech import commands, spoken_now

SNR_DB = 5.0
BLOCK_BYTES = 8_000


def grammars(most: int) -> dict[str, Any]:
    """By language and way: words and intents wrong, processor time for a second of sound, and what was forced."""
    vosk.SetLogLevel(-1)
    understanding = Understanding()
    return {language: _language(language, most, understanding) for language in LANGUAGES}


def _language(language: Language, most: int, understanding: Understanding) -> dict[str, Any]:
    choice = find_recognizer(language, MODELS)
    assert choice is not None
    said = commands(language)[:most]
    known, others = said[::2], said[1::2]
    sounds = dict(zip(said, map(_noisy, spoken_now(said, language)), strict=True))
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as directory:
        dynamic = _without_graph(choice.path, Path(directory))
        for way, path, grammar in (
            ("free", choice.path, None),
            ("free, dynamic graph", dynamic, None),
            ("grammar", dynamic, [*known, "[unk]"]),
        ):
            begin = time.process_time()
            model = vosk.Model(str(path))
            load_s = time.process_time() - begin
            begin = time.process_time()
            heard = {text: _heard(model, sound, grammar) for text, sound in sounds.items()}
            took_s = time.process_time() - begin
            found[way] = {
                **_wrong("known", known, heard, understanding, language),
                **_wrong("others", others, heard, understanding, language),
                "others_forced": sum(heard[text] in known for text in others),
                "load_cpu_s": round(load_s, 2),
                "cpu_per_second": round(took_s / (sum(map(len, sounds.values())) / 32_000), 4),
            }
    return {"sentences": {"known": len(known), "others": len(others)}, **found}


def _wrong(
    name: str, texts: Sequence[str], heard: dict[str, str], understanding: Understanding, language: Language
) -> dict[str, float]:
    errors, words, intents = 0, 0, 0
    for text in texts:
        said = heard[text].replace("[unk]", "").strip()
        wrong, of = word_errors(text, said)
        errors, words = errors + wrong, words + of
        intents += understanding.understand(text, language).name != understanding.understand(said, language).name
    return {f"{name}_words_wrong": round(errors / words, 3), f"{name}_intents_wrong": round(intents / len(texts), 3)}


def _heard(model: Any, sound: bytes, grammar: list[str] | None) -> str:
    recognizer = vosk.KaldiRecognizer(model, 16_000, *([json.dumps(grammar, ensure_ascii=False)] if grammar else []))
    for at in range(0, len(sound), BLOCK_BYTES):
        recognizer.AcceptWaveform(sound[at : at + BLOCK_BYTES])
    return str(json.loads(recognizer.FinalResult())["text"])


def _noisy(sound: bytes) -> bytes:
    samples = np.frombuffer(sound, "<i2").astype(np.float64)
    loud = np.sqrt(np.mean(samples[np.abs(samples) > 300] ** 2))
    noise = np.random.default_rng(len(samples)).normal(0, loud / 10 ** (SNR_DB / 20), len(samples))
    return np.clip(samples + noise, -32768, 32767).astype("<i2").tobytes()


def _without_graph(model: Path, directory: Path) -> Path:
    """The same model without the graph made at build time, by links."""
    for file in model.rglob("*"):
        place = directory / file.relative_to(model)
        if file.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif file.name != "HCLG.fst":
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(file)
    return directory
