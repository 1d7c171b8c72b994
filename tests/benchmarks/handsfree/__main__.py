"""See the package."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from appliance.audio.pcm import RATE
from appliance.config import EndpointConfig
from appliance.waking.micro import Spotter
from appliance.waking.words import THRESHOLD
from tests.benchmarks.handsfree import __doc__ as about
from tests.benchmarks.handsfree import endings, wakes
from tests.benchmarks.handsfree.said import said, said_now
from tests.benchmarks.handsfree.turns import Spoken, turns
from tests.benchmarks.results import RESULTS, machine, percentiles, save

KINDS = {
    "complete": ("complete_s",),
    "open": ("continuable_s", "text_s", "open_s", "hesitation_s"),
    "unknown": ("unknown_s",),
}
"""What the rule took a sentence for, by whose value it waited for."""
PARTS = ("endings", "turns", "wakes")


def main() -> int:
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--whole", action="store_true", help="every command, ten hours of sound without the word")
    parser.add_argument("--every", type=int, help="every so many-th command")
    parser.add_argument("--hours", type=float, help="so much sound without the word")
    parser.add_argument("--only", choices=PARTS, help="one part; the others' figures stay as they are")
    options = parser.parse_args()
    file = RESULTS / "handsfree.json"
    before = json.loads(file.read_text()) if options.only and file.exists() else {}
    figures: dict[str, Any] = {**before, "machine": machine()}
    if options.only in (None, "endings"):
        figures |= measure_endings(options.every or (1 if options.whole else 6))
    if options.only in (None, "turns"):
        figures |= measure_turns(options.every or (2 if options.whole else 6))
    if options.only in (None, "wakes"):
        figures |= measure_wakes(options.hours or (10 if options.whole else 1 / 6), options.whole)
    path = save("handsfree", figures)
    print(json.dumps({name: value for name, value in figures.items() if name != "machine"}, indent=1))
    print(f"\nWritten to {path}")
    return 0


def measure_endings(every: int) -> dict[str, Any]:
    """Cut-offs and silences, in sound time."""
    figures: dict[str, Any] = {}
    for name, harsh in (("as people pause", False), ("every pause may be long", True)):
        print(f"Saying commands, {name} …", flush=True)
        found, lost = asyncio.run(_endings(every, harsh))
        kept = [one for one in found if not one.is_cut]
        figures[name] = {
            "commands": len(found),
            "cut_off_percent": percent([one.is_cut for one in found]),
            "cut_off_for_good_percent": percent(lost),
            "silence_ms": {
                kind: percentiles([1000 * one.wait_s for one in kept if is_kind(one, kind)]) for kind in KINDS
            },
            "silence_rule": {
                "seconds": endings.SILENCE_RULE_S,
                "cut_off_percent": percent([one.by_silence_s < 0 for one in found]),
                "silence_ms": percentiles([1000 * one.by_silence_s for one in found if one.by_silence_s >= 0]),
            },
        }
    return {"cut_off_percent": figures["as people pause"]["cut_off_percent"], "endings": figures}


async def _endings(every: int, harsh: bool) -> tuple[list[endings.Ending], list[bool]]:
    """Where each command is ended, and which of them are not answered as a whole after all."""
    commands = await said(every, harsh=harsh)
    found, lost = [], []
    with endings.Bench({one.language for one in commands}) as bench:
        for one in commands:
            trace = await bench.trace(one)
            ending = endings.ended(trace, EndpointConfig())
            is_right = not ending.is_cut or await bench.is_put_right(ending, trace.text)
            found.append(ending)
            lost.append(not is_right)
            if ending.is_cut:
                print(
                    f"  {'put right' if is_right else 'cut off'} {-ending.wait_s:.1f} s early: {one.text!r}"
                    f" ({one.voice}) after {ending.heard!r} by {ending.end.setting}",
                    flush=True,
                )
    return found, lost


def is_kind(ending: endings.Ending, kind: str) -> bool:
    return ending.end.setting.removeprefix("endpoint.") in KINDS[kind]


def measure_turns(every: int) -> dict[str, Any]:
    """Real time, real server: what somebody waits."""
    print("Speaking with the server …", flush=True)
    found = turns(said_now(every))
    kept = [one for one in found.spoken if not one.is_cut and "audio" in one.at]

    def waits(settings: tuple[str, ...]) -> dict[str, float]:
        return percentiles([1000 * one.at["audio"] for one in kept if _setting(one) in settings])

    return {
        "wait_ms": {kind: waits(settings) for kind, settings in KINDS.items()},
        "commit_to_sound_ms": percentiles([1000 * one.commit_to_sound_s for one in kept]),
        "wasted_cpu_percent": round(found.wasted_percent, 2),
        "turns": {
            "turns": len(found.spoken),
            "guesses": found.guesses,
            "wait_by_setting_ms": {setting: waits((setting,)) for setting in sorted({_setting(one) for one in kept})},
            "endpoint_to_final_ms": percentiles([1000 * (one.at["final"] - one.at["endpoint"]) for one in kept]),
        },
    }


def _setting(turn: Spoken) -> str:
    return turn.setting.removeprefix("endpoint.")


def measure_wakes(hours: float, whole: bool) -> dict[str, Any]:
    """The word missed, and heard where it was not said."""
    print("Saying the word …", flush=True)
    tried = wakes.tried(whole)
    missed = {
        how: {
            str(threshold): percent([one.score < threshold for one in tried if one.disturbed == how])
            for threshold in wakes.THRESHOLDS
        }
        for how in dict.fromkeys(one.disturbed for one in tried)
    }
    late = [1000 * one.late_s for one in tried if not np.isnan(one.late_s)]
    print(f"Listening to {hours:.1f} hours without it …", flush=True)
    seconds: Counter[str] = Counter()
    peaks: list[float] = []
    spotter = Spotter([wakes.WORD])
    with tempfile.TemporaryDirectory() as folder:
        for kind, sound in wakes.without_it(3600 * hours, Path(folder)):
            seconds[kind] += round(len(sound) / RATE)
            peaks += wakes.peaks(spotter, sound)
    heard_hours = sum(seconds.values()) / 3600
    in_error = {
        str(threshold): round(sum(peak >= threshold for peak in peaks) / heard_hours, 2)
        for threshold in wakes.THRESHOLDS
    }
    return {
        "false_wakes_per_hour": in_error[str(THRESHOLD)],
        "missed_wakes_percent": missed["quiet"][str(THRESHOLD)],
        "idle_cpu_percent": round(wakes.idle_cpu_percent(), 2),
        "wakes": {
            "word": wakes.WORD,
            "threshold": THRESHOLD,
            "missed_percent": missed,
            "late_ms": percentiles(late),
            "false_per_hour": in_error,
            "heard_s": dict(seconds),
            "tries": len(tried),
        },
    }


def percent(of: list[bool]) -> float:
    return round(100 * float(np.mean(of)), 1) if of else float("nan")


if __name__ == "__main__":
    sys.exit(main())
