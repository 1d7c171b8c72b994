"""The device itself: press, talk, listen, interrupt, idle, and all cores busy → bench/results/device.json.

Not measured: a real sound card (two PulseAudio null sinks with real-time priority stand in for one), room and air, a
Raspberry Pi. The rest is real: PortAudio, the native callbacks, Vosk, understanding, Piper. The idle share includes the
virtual card's client library in our process: 1.1 % and 200 wake-ups a second of 1.5 %, where an ALSA card has none.

    python -m tests.benchmarks.device [--turns 12] [--busy-minutes 10]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvloop

from appliance import config, turns
from appliance.app import Assistant, awake
from tests.benchmarks.results import RESULTS, machine, percentiles, save
from tests.support.device import Person, at_the_device
from tests.support.server import MODELS
from tests.support.sound_card import SoundCard, sound_card
from tests.support.speech import QUIET, spoken_now

NUMBERS = ("two", "three", "four", "five")
QUESTIONS = [f"what is {a} plus {b}" for a, b in itertools.permutations(NUMBERS, 2)]
LONG = "what can you do"
IDLE_S = 20.0

PRIORITY = -10
"""The niceness that the appliance's systemd unit gives the process; needs root, and is left out without."""

BUSY = ("busy_minutes", "busy_turns", "overflows", "underflows", "of_these_the_voice_was_late", "callback_lateness_us")
"""The figures of the run with all cores busy."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=12, help="questions asked, and replies interrupted")
    parser.add_argument("--busy-minutes", type=float, default=10.0, help="length of the run with all cores busy")
    parser.add_argument("--only-busy", action="store_true", help="only that run; prints JSON and saves nothing")
    parser.add_argument("--keep-busy", action="store_true", help="all but that run, whose last figures stay")
    parser.add_argument("--idle", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with suppress(PermissionError):
        os.nice(PRIORITY - os.getpriority(os.PRIO_PROCESS, 0))
    if options.idle:
        uvloop.run(idle(Path(options.idle)))
        return 0
    figures: dict[str, Any] = {"machine": machine(), "process_nice": os.getpriority(os.PRIO_PROCESS, 0)}
    # No quiet at the end: the last sample is speech, and its time is known.
    *questions, long = [pcm[: -len(QUIET)] for pcm in spoken_now([*QUESTIONS, LONG])]
    with tempfile.TemporaryDirectory() as folder, sound_card(Path(folder)) as card:
        if options.only_busy:
            print(json.dumps(uvloop.run(only_busy(card, Path(folder), [*questions, long], 60 * options.busy_minutes))))
            return 0
        figures |= measure_idle(Path(folder))
        print(f"Idle: {figures['idle_cpu_percent']} % of one core", flush=True)
        busy_s = 0 if options.keep_busy else 60 * options.busy_minutes
        figures |= uvloop.run(measure(card, Path(folder), questions, long, options.turns, busy_s))
    if options.keep_busy:
        last = json.loads((RESULTS / "device.json").read_text(encoding="utf-8"))
        figures |= {key: last[key] for key in BUSY}
    path = save("device", figures)
    report(figures)
    print(f"\nWritten to {path}")
    return 0


async def measure(
    card: SoundCard, folder: Path, questions: list[bytes], long: bytes, count: int, busy_s: float
) -> dict[str, Any]:
    async with faculties(folder) as assistant:
        async with at_the_device(assistant, card, folder) as person:
            print("Asking …", flush=True)
            figures = await measure_turns(person, list(itertools.islice(itertools.cycle(questions), count)))
            print("Interrupting …", flush=True)
            figures |= await measure_barge_in(person, long, count)
        if not busy_s:
            return figures
        print(f"All cores busy for {busy_s / 60:g} minutes …", flush=True)
        return figures | await measure_busy(assistant, card, folder, [*questions, long], busy_s)


async def only_busy(card: SoundCard, folder: Path, questions: list[bytes], seconds: float) -> dict[str, Any]:
    async with faculties(folder) as assistant:
        return await measure_busy(assistant, card, folder, questions, seconds)


def faculties(folder: Path) -> Any:
    return awake(config.load(environment={"STIMME_STATE": str(folder / "state"), "STIMME_MODELS": str(MODELS)}))


async def measure_turns(person: Person, questions: list[bytes]) -> dict[str, Any]:
    """Hold, ask, let go as the last sample is spoken. Times are taken at the virtual card's own ends."""
    captured, final, first_audio = [], [], []
    for question in questions:
        await asyncio.sleep(0.5)
        with person.card.recording() as loudspeaker, person.card.overhearing() as spoken:
            pressed = time.monotonic()
            person.press()
            process = person.card.speak(question)
            await asyncio.to_thread(process.wait)
            person.release()
            released = time.monotonic()
            microphone = person.device.sound.microphone
            assert microphone is not None
            captured.append(1000 * (microphone.capture.first_block_ns / 1e9 - pressed))
            await person.event(turns.FinalHeard)
            heard = person.at[person._seen - 1]
            await person.event(turns.SpeechEnded)
            last = spoken.last_sound_between(pressed, heard, level=0)
            final.append(1000 * (heard - last))
            first_audio.append(1000 * (loudspeaker.first_sound_after(released, level=30) - last))
    return {
        "press_to_capture_ms": percentiles(captured),
        "final_ms": percentiles(final),
        "first_audio_ms": percentiles(first_audio),
    }


async def measure_barge_in(person: Person, long: bytes, count: int) -> dict[str, Any]:
    """Press in the middle of a long reply; the last sound at the loudspeaker's end."""
    silent = []
    for number in range(count):
        with person.card.recording() as loudspeaker:
            await person.ask(long)
            await person.event(turns.SpeechStarted)
            await asyncio.sleep(1.0 + 0.037 * number)
            pressed = time.monotonic()
            person.press()
            await asyncio.sleep(0.3)
            silent.append(1000 * (loudspeaker.last_sound_between(pressed, time.monotonic()) - pressed))
            person.device._forget()
            person.release()
            await person.event(turns.Cancelled)
    return {"barge_in_ms": percentiles(silent)}


async def measure_busy(
    assistant: Assistant, card: SoundCard, folder: Path, questions: list[bytes], seconds: float
) -> dict[str, Any]:
    """Turn after turn while every core has something else to do."""
    count = 0
    async with at_the_device(assistant, card, folder) as person:
        microphone, loudspeaker = person.device.sound.microphone, person.device.sound.loudspeaker
        assert microphone is not None and loudspeaker is not None
        deadline = time.monotonic() + seconds
        with all_cores_busy():
            microphone.capture.reset_lateness()
            for question in itertools.cycle(questions):
                await person.ask(question)
                await person.event(turns.SpeechEnded, 60)
                count += 1
                if time.monotonic() > deadline:
                    break
        assert person.device.sound.microphone is microphone, "the microphone was reopened during the run"
        return {
            "busy_minutes": round(seconds / 60, 2),
            "busy_turns": count,
            "overflows": microphone.capture.overflows + microphone.capture.ring.dropped,
            "underflows": loudspeaker.playback.underflows + loudspeaker.playback.device_underflows,
            "of_these_the_voice_was_late": loudspeaker.playback.underflows,
            "callback_lateness_us": {
                "microphone": {"p99": microphone.capture.lateness_p99_us, "max": microphone.capture.lateness_max_us},
                "loudspeaker": {
                    "p99": loudspeaker.playback.lateness_p99_us,
                    "max": loudspeaker.playback.lateness_max_us,
                },
            },
        }


@contextmanager
def all_cores_busy() -> Iterator[None]:
    back = str(-os.getpriority(os.PRIO_PROCESS, 0))  # they are ordinary programs, with nice 0
    command = ["nice", "-n", back, sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure_idle(folder: Path) -> dict[str, Any]:
    """A process of its own that only waits for a press: its share of one core, and how often its loop woke up."""
    command = [sys.executable, "-m", "tests.benchmarks.device", "--idle", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()  # it is ready, and its loudspeaker has gone to rest
        cpu_s, switches = _cpu_s(child.pid), _switches(child.pid)
        time.sleep(IDLE_S)
        cpu_s, switches = _cpu_s(child.pid) - cpu_s, _switches(child.pid) - switches
        child.terminate()
    return {"idle_cpu_percent": round(100 * cpu_s / IDLE_S, 2), "idle_loop_wakeups_per_s": round(switches / IDLE_S, 1)}


async def idle(folder: Path) -> None:
    async with faculties(folder) as assistant, at_the_device(assistant, SoundCard(folder), folder):
        print("ready", flush=True)
        await asyncio.sleep(10 * IDLE_S)


def _cpu_s(pid: int) -> float:
    """User and system time of all threads, in seconds (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _switches(pid: int) -> int:
    """How often the main thread went to sleep."""
    lines = Path(f"/proc/{pid}/task/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))


def report(figures: dict[str, Any]) -> None:
    rows = (
        ("press_to_capture_ms", "press → first sample captured"),
        ("final_ms", "last sample → final transcript"),
        ("first_audio_ms", "last sample → first sound at the loudspeaker"),
        ("barge_in_ms", "press → silence"),
    )
    print(f"\n{'':46}{'p50':>8}{'p95':>8}{'max':>8}  ms")
    for key, label in rows:
        print(f"{label:46}" + "".join(f"{figures[key][name]:8.1f}" for name in ("p50", "p95", "max")))
    late = figures["callback_lateness_us"]
    print(f"idle: {figures['idle_cpu_percent']} % of one core, {figures['idle_loop_wakeups_per_s']} wake-ups a second")
    print(
        f"{figures['busy_minutes']:g} minutes with all cores busy, {figures['busy_turns']} turns: "
        f"{figures['overflows']} overflows, {figures['underflows']} underflows"
    )
    print(
        f"callback lateness p99/max: microphone {late['microphone']['p99']}/{late['microphone']['max']} µs, "
        f"loudspeaker {late['loudspeaker']['p99']}/{late['loudspeaker']['max']} µs"
    )


if __name__ == "__main__":
    sys.exit(main())
