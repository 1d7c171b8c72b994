"""How long understanding and its loading take, and what owners' sentences add → bench/results/dialogue.json.

    python -m tests.benchmarks.dialogue [--each 400] [--sizes 0 10 100 1000]

Times of understanding are processor time, whoever else uses the machine; all others are by the clock. What is not
measured: recognition, skills, the disk of a Raspberry Pi. Each size runs in a process of its own, one after the other,
so memory is that size's alone. Utterances are those of tests/utterances, single turns, the same for all sizes. Also
tried: a grammar for the recognizer at run time against free decoding (grammars.py).
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from appliance.dialogue.families import FAMILIES
from appliance.dialogue.owners.listening import OWNERS, WithOwners, protected
from appliance.dialogue.owners.registry import Folder
from appliance.dialogue.understanding import Understanding
from appliance.language import LANGUAGES, Language
from tests.benchmarks.grammars import grammars
from tests.benchmarks.results import machine, save
from tests.utterances.load import utterances

A_FILE = 10
"""Sentences of one skill."""
_VERBS: dict[Language, tuple[str, ...]] = {
    "en": ("start", "open", "water", "feed", "check", "ring", "call", "warm", "polish", "count"),
    "de": ("starte", "öffne", "gieße", "füttere", "prüfe", "läute", "rufe", "wärme", "poliere", "zähle"),
}
_THINGS = ("robot", "gate", "palm", "cat", "cellar", "bell", "butler", "teapot", "lantern", "drone")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=400, help="utterances of each language")
    parser.add_argument("--sizes", type=int, nargs="+", default=[0, 10, 100, 1000], help="owners' sentences a language")
    parser.add_argument("--spoken", type=int, default=40, help="sentences to try a recognizer's grammar with; 0: none")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(json.dumps(measured(options.one, options.each)))
        return
    figures: dict[str, Any] = {"machine": machine(), "utterances": {}, "owners_sentences": {}}
    for size in options.sizes:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.dialogue", "--one", str(size), "--each", str(options.each)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        figures["owners_sentences"][str(size)] = found = json.loads(done.stdout)
        figures["utterances"] = found.pop("utterances")
        print(f"{size:5} owners' sentences: " + ", ".join(f"{name} {value}" for name, value in found.items()))
    if options.spoken:
        figures["grammar_at_run_time"] = grammars(options.spoken)
        print(json.dumps(figures["grammar_at_run_time"], indent=2))
    print(save("dialogue", figures))


def measured(size: int, each: int) -> dict[str, Any]:
    """With so many owners' sentences in each language."""
    texts = {language: _utterances(language, each) for language in LANGUAGES}
    before_mb, begin = _rss_mb(), time.perf_counter()
    base = Understanding(FAMILIES)
    warm_up_ms, base_mb = 1000 * (time.perf_counter() - begin), _rss_mb() - before_mb
    with tempfile.TemporaryDirectory() as directory:
        own = _write(Path(directory), size)
        before_mb, begin = _rss_mb(), time.perf_counter()
        folder = Folder(Path(directory), protected)
        folder.look()
        read_ms, owners_mb = 1000 * (time.perf_counter() - begin), _rss_mb() - before_mb
        begin = time.perf_counter()
        for _ in range(100):
            folder.look()
        look_ms = 10 * (time.perf_counter() - begin)
    assert not folder.registry.problems and len(folder.registry.skills) == -(-size // A_FILE), folder.registry.problems
    understanding = WithOwners(base, lambda: folder.registry)
    gc.collect()
    gc.freeze()
    took = {language: _timed(understanding, texts[language], language) for language in LANGUAGES}
    mine = [spent for language in LANGUAGES for spent in _timed(understanding, own[language], language, OWNERS)]
    return {
        "utterances": {language: len(texts[language]) for language in LANGUAGES},
        **{f"{language}_ms": _spread(took[language]) for language in LANGUAGES},
        "owners_ms": _spread(mine) if mine else None,
        "warm_up_ms": round(warm_up_ms),
        "memory_mb": round(base_mb, 1),
        "reading_the_files_ms": round(read_ms, 1),
        "owners_memory_mb": round(owners_mb, 1),
        "looking_for_changes_ms": round(look_ms, 3),
    }


def _timed(understanding: WithOwners, texts: Sequence[str], language: Language, must_be: str = "") -> list[float]:
    """Milliseconds of processor time of each; the second time, as the first fills caches of words."""
    took = []
    for text in texts:
        understanding.understand(text, language)
        begin = time.thread_time()
        intent = understanding.understand(text, language)
        took.append(1000 * (time.thread_time() - begin))
        assert not must_be or intent.name == must_be, (text, intent)
    return took


def _utterances(language: Language, most: int) -> list[str]:
    """Evenly out of all files, so that every family is in it."""
    found = [one.turns[0].text for one in utterances(language) if len(one.turns) == 1]
    return found[:: max(1, len(found) // most)][:most]


def _write(directory: Path, size: int) -> dict[Language, list[str]]:
    """Files of ten sentences each; returns something to say for up to two hundred of the sentences."""
    said: dict[Language, list[str]] = {language: [] for language in LANGUAGES}
    for first in range(0, size, A_FILE):
        content: dict[str, Any] = {"lists": {"who": ["Anna", "Ben", "Oma"]}}
        for language in LANGUAGES:
            numbers = range(first, min(size, first + A_FILE))
            content[language] = {
                "sentences": [_sentence(number, language) + " [for {who}]" for number in numbers],
                "replies": ["Okay {who}."],
            }
            said[language] += [_sentence(number, language) + " for Anna" for number in numbers]
        (directory / f"skill-{first:04}.yaml").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return {language: texts[:200] for language, texts in said.items()}


def _sentence(number: int, language: Language) -> str:
    verb = _VERBS[language][number % 10]
    return f"{verb} the {_THINGS[number // 10 % 10]} {_THINGS[number // 100 % 10]} now and then {_THINGS[number % 10]}"


def _spread(values: Sequence[float]) -> dict[str, float]:
    p50, p95, p99, most = np.percentile(np.asarray(values), [50, 95, 99, 100])
    return {
        "p50": round(float(p50), 3),
        "p95": round(float(p95), 3),
        "p99": round(float(p99), 3),
        "max": round(float(most), 3),
    }


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
