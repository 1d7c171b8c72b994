"""One user, from sample spoken to reply heard → bench/results/voice.json.

Not measured: the sound card on either side (the browser's fake microphone hands sound over in 10 ms pieces), a network
(everything is on loopback), a Raspberry Pi. Everything else is real: Chromium with the page's own worklet, the server
in its own process, Vosk and Piper.

    python -m tests.benchmarks.voice [--rounds 3] [--no-browser]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from appliance.audio.pcm import RATE, write_wav
from tests.benchmarks.results import machine, percentiles, save
from tests.support.browser import hold_and_speak, open_page
from tests.support.caller import Turn, caller
from tests.support.server import running_server
from tests.support.speech import spoken_now

NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
QUESTIONS = [f"what is {a} plus {b}" for a, b in itertools.islice(itertools.combinations(NUMBERS, 2), 0, 48, 4)]
"""One-clause replies that differ, so that none comes from the reply cache."""

REPEATED = "what is one plus one"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2, help="how often each question is asked (new server each)")
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    figures: dict[str, Any] = {"machine": machine()}
    print("Speaking the questions …", flush=True)
    speech = spoken_now([*QUESTIONS, REPEATED])
    figures |= measure_start(3)
    figures |= asyncio.run(measure_turns(speech, options.rounds))
    if not options.no_browser:
        figures |= measure_browser(speech[:6])
    figures.setdefault("audio_latency_ms", figures["audio_latency_wire_ms"])
    path = save("voice", figures)
    report(figures)
    print(f"\nWritten to {path}")
    return 0


def measure_start(times: int) -> dict[str, Any]:
    """Start of the process to its "ready" line, models unpacked already; the median."""
    ready = []
    for _ in range(times):
        with running_server() as server:
            ready.append(server.ready_s)
            idle_rss_mb = server.rss_mb()
    return {"ready_s": round(statistics.median(ready), 2), "idle_rss_mb": round(idle_rss_mb, 1)}


async def measure_turns(speech: list[bytes], rounds: int) -> dict[str, Any]:
    """Turns of a client in this process that sends 1024-byte chunks as they would be spoken."""
    turns: list[Turn] = []
    repeated: list[Turn] = []
    latencies: list[float] = []
    rss = []
    for _ in range(rounds):
        with probed_server() as (server, log):
            async with caller(server.url) as person:
                await person.hello(reply_rate=48_000)
                await person.say(speech[-1])  # a first turn warms nothing that "ready" has not; it fills the cache
                for pcm in speech[:-1]:
                    log.write_text("")
                    begin = time.time()
                    turns.append(await person.say(pcm))
                    latencies += sample_latencies(begin, len(pcm) // 2, log)
                    repeated.append(await person.say(speech[-1], pace=0))
            rss.append(server.rss_mb())
    return {
        "audio_latency_wire_ms": percentiles(latencies),
        "final_ms": percentiles([turn.ms("final") for turn in turns]),
        "first_audio_ms": percentiles([turn.ms("audio") for turn in turns]),
        "first_audio_repeated_ms": percentiles(
            [
                1000 * (turn.at["audio"] - turn.at["final"]) + turn.first("final")["processing_time_ms"]
                for turn in repeated
            ]
        ),
        "complete_ms": percentiles([turn.ms("speech_end") for turn in turns]),
        "stages_ms": {
            stage: percentiles([turn.first("speech_end")["timings"][stage] for turn in turns])
            for stage in turns[0].first("speech_end")["timings"]
        },
        "transcripts_right": sum(
            turn.first("final")["text"] == QUESTIONS[i % len(QUESTIONS)] for i, turn in enumerate(turns)
        ),
        "turns": len(turns),
        "rss_mb": round(max(rss), 1),
    }


def probed_server() -> Any:
    """The server with tests/benchmarks/probe.py, and the file the probe writes."""
    from contextlib import contextmanager

    @contextmanager
    def start() -> Any:
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "decoded.txt"
            log.touch()
            with running_server({"PROBE_FILE": str(log)}, module="tests.benchmarks.probe") as server:
                yield server, log

    return start()


def decoded(log: Path) -> tuple[np.ndarray, np.ndarray]:
    """(seconds since 1970, samples so far) of every call to the recognizer."""
    rows = np.array([line.split() for line in log.read_text().splitlines()], dtype=float).reshape(-1, 2)
    return rows[:, 0], rows[:, 1]


def sample_latencies(begin: float, samples: int, log: Path) -> list[float]:
    """Milliseconds from when each sample was spoken until a recognizer had it, for every 16th sample.

    begin: when sample 0 was spoken, in seconds since 1970; the following ones come at RATE.
    """
    at, so_far = decoded(log)
    wanted = np.arange(0, min(samples, int(so_far.max(initial=0))), 16)
    had_at = at[np.searchsorted(so_far, wanted, side="right")]
    return list(1000 * (had_at - (begin + wanted / RATE)))


def measure_browser(speech: list[bytes]) -> dict[str, Any]:
    """The same in Chromium with a microphone that plays a file, at the page's presets."""
    figures = {}
    for preset in ("balanced", "ultraLow"):
        latencies: list[float] = []
        to_send: list[float] = []
        for pcm in speech:
            one, sent = browser_turn(pcm, preset)
            latencies += one
            to_send += sent
        name = "audio_latency_ms" if preset == "balanced" else "audio_latency_ultra_low_ms"
        figures[name] = percentiles(latencies)
        figures[name.replace("audio_latency", "page_share")] = percentiles(to_send)
    return figures


def browser_turn(pcm: bytes, preset: str) -> tuple[list[float], list[float]]:
    """One spoken turn in the browser: (sample latencies, page share of them), in milliseconds."""
    with probed_server() as (server, log), tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        write_wav(wav, pcm, RATE)
        with open_page(server, wav) as page:
            page.evaluate(
                "name => Object.assign(voiceAssistant.config, OPTIMIZATION_CONFIGS[name], {adaptiveQuality: false})",
                preset,
            )
            hold_and_speak(page, len(pcm) / 2 / RATE)
            chunks = page.evaluate(
                "() => ({origin: performance.timeOrigin, chunks: voiceAssistant.getMetrics().audio.recentChunks})"
            )
        return chunk_latencies(chunks["origin"], chunks["chunks"], log)


def chunk_latencies(origin_ms: float, chunks: list[dict[str, Any]], log: Path) -> tuple[list[float], list[float]]:
    """Latency of samples spread evenly over every chunk: page clock at capture → recognizer call."""
    at, so_far = decoded(log)
    latencies, to_send, count = [], [], 0
    for chunk in chunks:
        samples = chunk["bytes"] // 2
        count += samples
        index = int(np.searchsorted(so_far, count))
        if chunk["preRoll"] or index >= len(at):
            continue
        spoken_ms = np.linspace(chunk["firstSampleMs"], chunk["lastSampleMs"], 16)
        latencies += list(1000 * at[index] - (origin_ms + spoken_ms))
        to_send += list(chunk["sentAtMs"] - spoken_ms)
    return latencies, to_send


def report(figures: dict[str, Any]) -> None:
    about = figures["machine"]
    print(
        f"\n{about['processor']}, {about['cores']} cores, Python {about['python']}, load before {about['load_before']}"
    )
    print(f"{'':34}{'p50':>9}{'p95':>9}{'max':>9}")
    rows = {
        "sample spoken → recognizer, browser": "audio_latency_ms",
        "  … ultraLow": "audio_latency_ultra_low_ms",
        "  … from a plain client": "audio_latency_wire_ms",
        "end of speech → final transcript": "final_ms",
        "  → first sound of the reply": "first_audio_ms",
        "  → first sound, repeated reply": "first_audio_repeated_ms",
        "  → reply complete": "complete_ms",
    }
    for words, key in rows.items():
        if key in figures:
            row = figures[key]
            print(f"{words:36}{row['p50']:>7.1f}{row['p95']:>9.1f}{row['max']:>9.1f} ms")
    print(
        f"start → ready {figures['ready_s']:.2f} s; memory {figures['rss_mb']:.0f} MB; "
        f"{figures['transcripts_right']} of {figures['turns']} transcripts right"
    )


if __name__ == "__main__":
    sys.exit(main())
