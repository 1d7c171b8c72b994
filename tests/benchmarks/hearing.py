"""How well the recognizers hear, and what is made of it: words and intents wrong, by voice and by what disturbs.

    make bench-hearing [ARGS="--sentences 20"]      → bench/results/hearing.json (ten minutes)

What it does not measure: people. Every voice here is a synthesiser, and the German recognizer was trained on Pico and
espeak-ng, the English one on joe, flite and espeak-ng (their model cards); Pico's English voices are new to it. An
intent is wrong when what was heard means something else than what was said; a sentence is right if both mean the same.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from appliance.audio.pcm import RATE, Recording, floats, read_wav, s16le
from appliance.config import load as load_config
from appliance.dialogue.understanding import Understanding
from appliance.hearing.both import BothEars
from appliance.hearing.pool import RecognizerPool
from appliance.hearing.vosk import LoadedModel, Recognizer, load
from appliance.language import LANGUAGES, Language
from appliance.models.catalogue import of
from appliance.models.choose import find_recognizer, find_voice
from appliance.speaking.clauses import clauses
from appliance.speaking.synthesizer import _Leveled
from appliance.speaking.voices import EspeakVoice, load_voice
from appliance.workers import Workers
from tests.benchmarks.results import machine, save
from tests.support.said import QUIET
from tests.support.server import MODELS, ROOT
from tests.support.speech import commands, word_errors

Sound = NDArray[np.float32]
Say = Callable[[str], Sound]
"""Words to sound at 16 kHz."""
Disturb = Callable[[Sound], Sound]

SENTENCES = 80
MISHEARD = ("set timer four five minutes",)
"""Among the phrases because recognizers write it; nobody says it."""
CHUNK_BYTES = 2 * RATE
ESPEAK: dict[Language, tuple[str, ...]] = {"en": ("en-us", "en-gb+f3"), "de": ("de", "de+f3", "de+m7", "de+klatt4")}
FLITE = ("slt", "rms")
THREADS = 2


@dataclass(frozen=True)
class Heard:
    said: str
    text: str
    confidence: float
    lowest: float
    """Of the least certain word."""
    errors: int
    words: int
    intent_right: bool


# Voices


def voices(language: Language, folder: Path) -> dict[str, Say]:
    """Every voice of the language that is on this machine."""
    found: dict[str, Say] = {}
    program = shutil.which("espeak-ng")
    for name in ESPEAK[language] if program else ():
        found[f"espeak-ng {name}"] = _spoken_by(_Leveled(EspeakVoice(Path(str(program)), name), language), language)
    pico = find_voice(language, MODELS, "pico")
    assert pico is not None
    for lingware in sorted(pico.path.parent.glob(f"{language}-*_ta.bin")):
        voice = _Leveled(load_voice(lingware, language, folder), language)
        found[voice.voice.name] = _spoken_by(voice, language)
    best = find_voice(language, load_config().models_path())
    if best is not None and best.engine == "piper":
        found[f"piper {best.name}"] = _spoken_by(_Leveled(load_voice(best.path, language, folder), language), language)
    if language == "en" and shutil.which("flite"):
        found |= {f"flite {name}": _by_flite(name, folder) for name in FLITE}
    return found


def _spoken_by(voice: _Leveled, language: Language) -> Say:
    def say(text: str) -> Sound:
        return floats(b"".join(piece for clause in clauses(text, language) for piece in voice.synthesize(clause, RATE)))

    return say


def _by_flite(name: str, folder: Path) -> Say:
    def say(text: str) -> Sound:
        with tempfile.NamedTemporaryFile(suffix=".wav", dir=folder) as file:
            subprocess.run(["flite", "-voice", name, "-t", text, "-o", file.name], check=True, timeout=30)
            return floats(read_wav(file.name))

    return say


# What disturbs


def pink(seconds: float, dice: np.random.Generator) -> Sound:
    """Noise whose power falls by 3 dB an octave, at RMS 1."""
    count = int(seconds * RATE)
    spectrum = np.fft.rfft(dice.normal(size=count))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    noise = np.fft.irfft(spectrum, count)
    level = float(np.sqrt(np.mean(noise**2)))
    return np.asarray(noise / level, np.float32)


def noisy(ratio_db: float) -> Disturb:
    """With pink noise, so many dB below the speech (RMS where somebody speaks)."""

    def disturb(sound: Sound) -> Sound:
        noise = pink(len(sound) / RATE, np.random.default_rng(len(sound)))
        loud = sound[np.abs(sound) > 0.01]
        level = np.sqrt(np.mean(loud**2)) if len(loud) else 0.0
        return sound + noise[: len(sound)] * np.float32(level * 10 ** (-ratio_db / 20))

    return disturb


def reverberant(seconds: float) -> Disturb:
    """In a room whose sound decays by 60 dB in so many seconds; the direct sound 3 dB above the rest."""

    def disturb(sound: Sound) -> Sound:
        times = np.arange(int(seconds * RATE)) / RATE
        tail = np.random.default_rng(3).normal(size=len(times)) * 10 ** (-3 * times / seconds)
        tail *= 0.7 / np.sqrt(np.sum(tail**2))
        tail[0] = 1.0
        size = len(sound) + len(tail)
        return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)[: len(sound)].astype(np.float32)

    return disturb


def faster(factor: float) -> Disturb:
    """Faster at the same pitch (sox)."""
    return _sox("tempo", "-s", str(factor))


def higher(cents: int) -> Disturb:
    """Higher at the same speed (sox)."""
    return _sox("pitch", str(cents))


def _sox(*effect: str) -> Disturb:
    raw = ("-t", "raw", "-r", str(RATE), "-e", "signed", "-b", "16", "-c", "1", "-")

    def disturb(sound: Sound) -> Sound:
        done = subprocess.run(["sox", "-G", *raw, *raw, *effect], input=s16le(sound), capture_output=True, check=True)
        return floats(done.stdout)

    return disturb


CONDITIONS: dict[str, Disturb] = {
    "faster 1.25": faster(1.25),
    "slower 0.8": faster(0.8),
    "higher 3 semitones": higher(300),
    "lower 3 semitones": higher(-300),
    "noise 20 dB": noisy(20),
    "noise 10 dB": noisy(10),
    "noise 5 dB": noisy(5),
    "reverberation 0.5 s": reverberant(0.5),
    "reverberation 0.5 s, noise 10 dB": lambda sound: noisy(10)(reverberant(0.5)(sound)),
}


# Hearing


def sentences(language: Language, count: int, understanding: Understanding) -> list[str]:
    """Commands, then phrases without digits, evenly from all families; all of them understood when typed.

    Without what only a recognizer would write.
    """
    rows = (ROOT / "tests" / "dialogue" / f"phrases.{language}.tsv").read_text(encoding="utf-8").splitlines()
    phrases = [row.split("\t") for row in rows if row and not row.startswith("#")]
    plain = [row[0] for row in phrases if row[1] != "-" and row[0].replace(" ", "").isalpha() and row[0].islower()]
    found = [text for text in commands(language) if understanding.understand(text, language).name]
    more = [
        phrase
        for phrase in dict.fromkeys(plain)
        if phrase not in (*found, *MISHEARD) and understanding.understand(phrase, language).name
    ]
    wanted = max(0, count - len(found))
    return found[:count] + more[:: max(1, len(more) // wanted)][:wanted] if wanted else found[:count]


def hear(model: LoadedModel, language: Language, sounds: dict[str, Sound], understanding: Understanding) -> list[Heard]:
    """All of them, on two threads."""
    rows = list(sounds.items())

    def lane(part: list[tuple[str, Sound]]) -> list[Heard]:
        recognizer = Recognizer(model)
        return [_one(recognizer, language, said, sound, understanding) for said, sound in part]

    with ThreadPoolExecutor(THREADS) as pool:
        return [one for part in pool.map(lane, (rows[number::THREADS] for number in range(THREADS))) for one in part]


def _one(recognizer: Recognizer, language: Language, said: str, sound: Sound, understanding: Understanding) -> Heard:
    pcm = QUIET + s16le(np.clip(sound, -1, 1)) + QUIET
    text: str | None = ""
    confidences: list[float] = []
    for start in range(0, len(pcm), CHUNK_BYTES):
        last = start + CHUNK_BYTES >= len(pcm)
        _, text, words = recognizer.decode(pcm[start : start + CHUNK_BYTES], last, False)
        confidences = [word.confidence for word in words]
    meant, got = (understanding.understand(one, language) for one in (said, text or ""))
    errors, count = word_errors(said, text or "")
    right = bool(got.name) and (got.name, str(got.slots)) == (meant.name, str(meant.slots))
    mean = sum(confidences) / max(1, len(confidences))
    return Heard(said, text or "", mean, min(confidences, default=0.0), errors, count, right)


def summary(heard: list[Heard]) -> dict[str, Any]:
    words, count = sum(one.words for one in heard), len(heard)
    return {
        "word_error_percent": round(100 * sum(one.errors for one in heard) / words, 1),
        "intent_error_percent": round(100 * sum(not one.intent_right for one in heard) / count, 1),
        "sentences": count,
        "words": words,
    }


def recognizers(language: Language) -> Iterator[tuple[str, Path]]:
    """The embedded one, and the official ones that are on disk."""
    embedded = find_recognizer(language, MODELS, next(m.name for m in of("recognizer", language) if not m.source))
    assert embedded is not None
    yield embedded.name, embedded.path
    for model in of("recognizer", language):
        path = load_config().models_path() / model.name
        if model.source and path.is_dir():
            yield model.name, path


# Confidence


def threshold(heard: list[Heard], needless_percent: float) -> dict[str, Any]:
    """Where to ask instead of acting: tuned on every other sentence, judged on the others.

    The highest threshold at which at most needless_percent of what was heard right would be asked about.
    """
    order = {said: number for number, said in enumerate(dict.fromkeys(one.said for one in heard))}
    tuning = [one for one in heard if order[one.said] % 2 == 0]
    judged = [one for one in heard if order[one.said] % 2]
    right = sorted(one.confidence for one in tuning if one.intent_right)
    value = round(right[int(len(right) * needless_percent / 100)], 2) if right else 0.0

    def asked(right: bool) -> float:
        group = [one for one in judged if one.intent_right is right]
        return round(100 * sum(one.confidence < value for one in group) / max(1, len(group)), 1)

    return {
        "threshold": value,
        "asked_of_wrong_percent": asked(False),
        "asked_of_right_percent": asked(True),
        "judged": len(judged),
    }


# Both languages at once


async def both_at_once(
    paths: dict[Language, Path], spoken: dict[Language, dict[str, Sound]], understanding: Understanding
) -> dict[str, Any]:
    """Each sentence where the page is set to the other language: as STIMME_HEAR_BOTH hears it, and its cost."""
    workers = Workers(THREADS, "hear")
    pool = RecognizerPool(paths, workers, limit=2 * THREADS)
    await pool.open()

    async def understood(text: str, language: Language) -> bool:
        return bool(understanding.understand(text, language).name)

    ears, wrong_language, wrong_intent, count = BothEars(pool, understood), 0, 0, 0
    cost = {}
    for name, one in (("one", pool), ("both", ears)):
        begin, audio_s = time.process_time(), 0.0
        for language, sounds in spoken.items():
            for said, sound in sounds.items():
                pcm = QUIET + s16le(np.clip(sound, -1, 1)) + QUIET
                audio_s += len(pcm) / 2 / RATE
                wanted = language if one is pool else next(other for other in spoken if other != language)
                final = await one.transcribe(Recording(pcm, 1024), wanted, on_partial=lambda text: None)
                if one is ears:
                    found = final.language or wanted
                    meant, got = understanding.understand(said, language), understanding.understand(final.text, found)
                    wrong_language += found != language
                    wrong_intent += (meant.name, str(meant.slots)) != (got.name, str(got.slots))
                    count += 1
        cost[name] = round((time.process_time() - begin) / audio_s, 4)
    workers.close()
    return {
        "language_error_percent": round(100 * wrong_language / count, 1),
        "intent_error_percent": round(100 * wrong_intent / count, 1),
        "sentences": count,
        "cpu_per_heard_s": cost,
    }


# Cost

_COST = """
import json, resource, sys, time
from pathlib import Path
from appliance.hearing.both import BothEars
from appliance.hearing.pool import RecognizerPool
from appliance.hearing.vosk import load
def rss():
    return int(next(line.split()[1] for line in open("/proc/self/smaps_rollup") if line.startswith("Rss"))) / 1000
import vosk, numpy
before, models = rss(), []
cpu = time.process_time()
for path in sys.argv[1:]:
    models.append(load(Path(path)))
print(json.dumps({"rss_mb": round(rss() - before, 1), "load_cpu_s": round(time.process_time() - cpu, 2)}))
"""


def cost(paths: list[Path]) -> dict[str, float]:
    """Memory and processor time of loading recognizers, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _COST, *map(str, paths)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=SENTENCES)
    options = parser.parse_args()
    understanding = Understanding()
    figures: dict[str, Any] = {"machine": machine(), "not_measured": "people: every voice here is a synthesiser"}
    embedded: list[Path] = []
    first_voices: dict[Language, dict[str, Sound]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for language in LANGUAGES:
            said = sentences(language, options.sentences, understanding)
            spoken = {name: {text: say(text) for text in said} for name, say in voices(language, Path(folder)).items()}
            figures[language] = {}
            first_voices[language] = next(sounds for name, sounds in spoken.items() if name.startswith("pico"))
            for number, (name, path) in enumerate(recognizers(language)):
                model, _ = load(path)
                figures[language][name] = measured = _measure(model, language, spoken, understanding)
                print(f"{language} {name}\n{json.dumps(measured, indent=2, ensure_ascii=False)}", flush=True)
                if number == 0:
                    embedded.append(path)
    figures["both_at_once"] = asyncio.run(
        both_at_once(dict(zip(LANGUAGES, embedded, strict=True)), first_voices, understanding)
    )
    one, other = (cost([path]) for path in embedded)
    both = cost(embedded)
    figures["memory"] = {
        **{language: figure for language, figure in zip(LANGUAGES, (one, other), strict=True)},
        "both": both,
        "second_language_mb": round(both["rss_mb"] - one["rss_mb"], 1),
    }
    print(json.dumps(figures["memory"], indent=2))
    print(save("hearing", figures))


def _measure(
    model: LoadedModel, language: Language, spoken: dict[str, dict[str, Sound]], understanding: Understanding
) -> dict[str, Any]:
    clean = {name: hear(model, language, sounds, understanding) for name, sounds in spoken.items()}
    everything = [one for heard in clean.values() for one in heard]
    measured: dict[str, Any] = {
        "clean": summary(everything),
        "voices": {name: summary(heard) for name, heard in clean.items()},
        "conditions": {},
    }
    first = sorted(spoken, key=lambda name: not name.startswith("pico"))[0]
    for name, disturb in CONDITIONS.items():
        disturbed = {said: disturb(sound) for said, sound in spoken[first].items()}
        heard = hear(model, language, disturbed, understanding)
        measured["conditions"][name] = summary(heard)
        everything += heard
    measured["conditions_by"] = first
    measured["confidence"] = threshold(everything, 2.0)
    begin = time.process_time()
    hear(model, language, spoken[first], understanding)
    measured["cpu_per_heard_s"] = round(
        (time.process_time() - begin) / (sum(map(len, spoken[first].values())) / RATE), 4
    )
    return measured


if __name__ == "__main__":
    main()
