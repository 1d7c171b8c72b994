"""The voice beside onnxruntime's and stock Piper's, in one run → bench/results/speaking.json.

Not measured: a Raspberry Pi, an ear. Every row is a process of its own, all in turns; CPU is that of the process,
medians of the rounds. "quarter_of_a_core" holds the process to that (a stand-in for a small board); there `turn` is the
whole assistant: from the last sample spoken to the first sample of the reply.

    python -m tests.benchmarks.speaking [--quick] [--peer PYTHON]

PYTHON: of an environment of its own in which wyoming-piper is installed; it says the same with the same voice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from appliance.language import Language
from appliance.memory import share_heaps
from appliance.speaking.published import PublishedVits
from appliance.speaking.synthesizer import Synthesizer
from appliance.speaking.voices import PiperVoice
from appliance.workers import Workers
from tests.benchmarks.device import PRIORITY
from tests.benchmarks.load import percentile
from tests.benchmarks.protocols import Spoken, synthesized, wyoming_piper
from tests.benchmarks.results import RESULTS, machine, save
from tests.support import quota
from tests.support.caller import caller
from tests.support.kit import phrases, synthesizer_paths, voice_path
from tests.support.server import running_server
from tests.support.speech import spoken_now

SENTENCES = {
    "1": "It is a quarter to nine.",
    "3": "I have set a timer for five minutes, and I will tell you when it is done.",
    "6": "Tomorrow it will be mostly sunny in the morning, with some clouds coming up in the afternoon and a little "
    "rain towards the evening.",
}
"""Seconds of sound, about → what is said."""
QUESTIONS = ("what is two plus three", "what is four plus five", "what is six plus seven")
ROWS = ("native", "onnxruntime", "piper")
AGAIN = ("idle", "crowd", "crowd_pico", "wyoming_piper")
KEYS = {"idle": "idle_rss_mb", "wyoming_piper": "beside_wyoming_piper"}
QUARTERED = (*ROWS, "turn")
QUARTER = 0.25
REPLIES, REPLIES_WITHIN_S, WORKERS = 100, 10, 2

Json = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one round")
    parser.add_argument("--peer", default="", metavar="PYTHON", help="of an environment with wyoming-piper")
    parser.add_argument("--again", choices=AGAIN, nargs="+", help="only these; the others' last figures stay")
    parser.add_argument("--one", choices=(*ROWS, *AGAIN, "turn"), help="only this, as JSON")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_one(options.one, options.peer)))
        return 0
    rounds = 1 if options.quick else 3
    if options.again:
        return _measure_again(options.again, rounds, options.peer)
    medians = _measured((*ROWS, *AGAIN[: None if options.peer else -1]), rounds, peer=options.peer)
    try:
        with quota.group(QUARTER) as processes:
            quartered = _measured(QUARTERED, rounds, processes)
    except quota.NoQuota as error:
        quartered = {"not measured": str(error)}
    figures: Json = {
        "machine": machine(),
        "rounds": rounds,
        "cpu_per_spoken_s": {row: medians[row]["cpu_per_spoken_s"] for row in ROWS},
        "first_sound_ms": {row: medians[row]["first_sound_ms"] for row in ROWS},
        "whole_ms": {row: medians[row]["whole_ms"] for row in ROWS},
        "load_cpu_s": {row: medians[row]["load_cpu_s"] for row in ROWS},
        **{KEYS.get(row, row): medians[row] for row in AGAIN if row in medians},
        "quarter_of_a_core": quartered,
    }
    print(json.dumps(figures, indent=2))
    print(f"Written to {save('speaking', figures)}")
    return 0


def _measure_again(rows: Sequence[str], rounds: int, peer: str) -> int:
    """Measure rows that later work has changed, beside the others' figures of an earlier, quiet run."""
    figures: Json = json.loads((RESULTS / "speaking.json").read_text(encoding="utf-8"))
    figures |= {KEYS.get(row, row): found for row, found in _measured(rows, rounds, peer=peer).items()}
    figures["measured_again"] = {"rows": list(rows), "rounds": rounds, "load_before": machine()["load_before"]}
    print(f"Written to {save('speaking', figures)}")
    return 0


def _measured(rows: Sequence[str], rounds: int, processes: Path | None = None, peer: str = "") -> Json:
    """Medians by row. processes: the list of the control group that each row's process enters."""
    found: dict[str, list[Json]] = {row: [] for row in rows}
    for number in range(rounds):
        for row in rows:
            where = " on a quarter of a core" if processes else ""
            print(f"==> {row}{where}, round {number + 1} of {rounds}", flush=True)
            done = subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.speaking", "--one", row, "--peer", peer],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
                preexec_fn=(lambda: processes.write_text("0") and None) if processes else None,
            )
            found[row].append(json.loads(done.stdout.splitlines()[-1]))
    return {row: _medians(each) for row, each in found.items()}


def _medians(found: list[Json]) -> Json:
    return {
        key: _medians([one[key] for one in found])
        if isinstance(found[0][key], dict)
        else round(median(one[key] for one in found), 3)
        for key in found[0]
    }


def _one(row: str, peer: str = "") -> Json:
    if row == "wyoming_piper":
        return asyncio.run(_wyoming_piper(peer))
    if row == "idle":
        return asyncio.run(_idle())
    if row.startswith("crowd"):
        return asyncio.run(_crowd("de" if row == "crowd_pico" else "en"))
    if row == "turn":
        return asyncio.run(_turn(spoken_now(QUESTIONS)))
    begin = time.process_time()
    speak = {"native": _native, "onnxruntime": _published, "piper": _piper}[row]()
    figures: Json = {"load_cpu_s": time.process_time() - begin, "first_sound_ms": {}, "whole_ms": {}}
    list(speak("One warms up."))
    cpu_s = spoken_s = 0.0
    for name, text in SENTENCES.items():
        times = []
        for _ in range(5):
            begin, cpu, first = time.perf_counter(), time.process_time(), 0.0
            samples = 0
            for piece in speak(text):
                first = first or time.perf_counter() - begin
                samples += piece
            times.append((first, time.perf_counter() - begin))
            cpu_s += time.process_time() - cpu
            spoken_s += samples / 22_050
        figures["first_sound_ms"][name] = 1000 * median(first for first, _ in times)
        figures["whole_ms"][name] = 1000 * median(whole for _, whole in times)
    return figures | {"cpu_per_spoken_s": cpu_s / spoken_s}


def _native() -> Callable[[str], Iterator[int]]:
    voice = PiperVoice(voice_path(), Path(tempfile.gettempdir()) / "stimme-bench-voices")
    return lambda text: map(len, voice.synthesize(text))


def _published() -> Callable[[str], Iterator[int]]:
    """The same voice through onnxruntime: one thread, one piece."""
    voice = PiperVoice(voice_path(), Path(tempfile.gettempdir()) / "stimme-bench-voices")
    voice._network = PublishedVits(voice_path())
    return lambda text: map(len, voice.synthesize(text))


def _piper() -> Callable[[str], Iterator[int]]:
    """As anyone would use it."""
    from piper import PiperVoice as StockVoice

    voice = StockVoice.load(voice_path())
    return lambda text: (len(chunk.audio_float_array) for chunk in voice.synthesize(text))


async def _idle() -> Json:
    """RSS in MB of the whole assistant in a process of its own, both languages: loaded, and after some speech."""
    with running_server() as server:
        loaded = server.rss_mb()
        async with caller(server.url) as person:
            await person.hello()
            for text in phrases("en")[:5]:
                await person.type(text)
        await asyncio.sleep(2)
        return {"loaded": loaded, "after_speech": server.rss_mb()}


async def _turn(questions: Sequence[bytes]) -> Json:
    """Spoken questions to the whole assistant in a process of its own, which has this one's share of the processor."""
    with running_server() as server:
        async with caller(server.url) as person:
            await person.hello(reply_rate=48_000)
            await person.say(questions[0])
            turns = [await person.say(question) for question in questions[1:]]
    return {
        "first_sound_ms": median(turn.ms("audio") for turn in turns),
        "whole_ms": median(turn.ms("speech_end") for turn in turns),
    }


async def _wyoming_piper(python: str) -> Json:
    """The sentences over its protocol, which is on loopback, in turns with ours."""
    speak = _native()

    async def ours(text: str) -> tuple[float, float]:
        begin = time.perf_counter()
        times = [1000 * (time.perf_counter() - begin) for _ in speak(text)]
        return times[0], times[-1]

    with wyoming_piper(python) as port:
        ways: dict[str, Spoken] = {"wyoming_piper": lambda text: synthesized(port, text), "native": ours}
        figures: Json = {name: {"first_sound_ms": {}, "whole_ms": {}} for name in ways}
        for way in ways.values():
            await way("One warms up.")
        for length, text in SENTENCES.items():
            times = {name: [await way(text) for _ in range(5)] for name, way in ways.items()}
            for name, each in times.items():
                figures[name]["first_sound_ms"][length] = median(first for first, _ in each)
                figures[name]["whole_ms"][length] = median(whole for _, whole in each)
    return figures


async def _crowd(language: Language) -> Json:
    """A hundred replies begin at random within ten seconds; a gap is 50 ms of silence inside a reply.

    English is Piper's voice on our own network, German is Pico. cores_had: of the processor, what other programs left.
    Like the appliance, it runs before other programs (where that is allowed), with its voice behind its ears.
    """
    with suppress(PermissionError):
        os.nice(PRIORITY - os.getpriority(os.PRIO_PROCESS, 0))
    share_heaps()
    workers = Workers(WORKERS, "speak", nice=10)
    kept = Path(tempfile.gettempdir()) / "stimme-bench-voices"
    mouth = Synthesizer({language: synthesizer_paths()[language]}, workers, kept)
    await mouth.open()
    chance = random.Random(1)
    firsts: list[float] = []
    gaps: list[float] = []

    async def listen(text: str) -> None:
        await asyncio.sleep(chance.uniform(0, REPLIES_WITHIN_S))
        asked, worst = time.perf_counter(), 0.0
        silent_at = 0.0
        async with aclosing(mouth.speak(text, language, rate=16_000)) as chunks:
            async for chunk in chunks:
                now = time.perf_counter()
                if not silent_at:
                    firsts.append(1000 * (now - asked))
                    silent_at = now
                worst = max(worst, now - silent_at)
                silent_at = max(silent_at, now) + len(chunk) / 32_000
        gaps.append(worst)

    cpu, began = time.process_time(), time.perf_counter()
    texts = [f"{number}: {text}" for number, text in zip(range(REPLIES), phrases(language) * 2, strict=False)]
    await asyncio.gather(*map(listen, texts))
    cpu_s = time.process_time() - cpu
    lasted_s = time.perf_counter() - began
    workers.close()
    return {
        "first_sound_ms": {"p50": percentile(firsts, 50), "p95": percentile(firsts, 95)},
        "gaps_percent": 100 * float(np.mean(np.array(gaps) > 0.05)),
        "gap_ms": {"p50": 1000 * percentile(gaps, 50), "p95": 1000 * percentile(gaps, 95)},
        "cpu_s": cpu_s,
        "cores_had": cpu_s / lasted_s,
        "process_nice": os.getpriority(os.PRIO_PROCESS, 0),
    }


if __name__ == "__main__":
    sys.exit(main())
