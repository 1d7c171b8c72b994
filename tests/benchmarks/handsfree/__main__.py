"""See the package."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from appliance.audio.pcm import RATE
from appliance.config import EndpointConfig
from appliance.waking.micro import Spotter
from appliance.waking.words import THRESHOLD
from tests.benchmarks.handsfree import __doc__ as about
from tests.benchmarks.handsfree import bargein, endings, wakes
from tests.benchmarks.handsfree.said import said, said_now
from tests.benchmarks.handsfree.turns import Spoken, turns
from tests.benchmarks.results import RESULTS, machine, percentiles, save

KINDS = {
    "complete": ("complete_s",),
    "open": ("continuable_s", "text_s", "open_s", "hesitation_s"),
    "unknown": ("unknown_s",),
}
"""What the rule took a sentence for, by whose value it waited for."""
PARTS = ("endings", "turns", "wakes", "bargein")


def main() -> int:
    parser = argparse.ArgumentParser(description=(about or "").splitlines()[0])
    parser.add_argument("--every", type=int, default=1, help="every so many-th command")
    parser.add_argument("--hours", type=float, default=10.0, help="so much sound without the word")
    parser.add_argument("--only", choices=PARTS, help="one part; the others' figures stay as they are")
    options = parser.parse_args()
    file = RESULTS / "handsfree.json"
    before = json.loads(file.read_text()) if options.only and file.exists() else {}
    figures: dict[str, Any] = {**before, "machine": machine()}
    if options.only in (None, "endings"):
        figures |= measure_endings(options.every)
    if options.only in (None, "turns"):
        figures |= measure_turns(8 * options.every)
    if options.only in (None, "wakes"):
        figures |= measure_wakes(options.hours)
    if options.only in (None, "bargein"):
        figures |= measure_bargein()
    path = save("handsfree", figures)
    print(json.dumps({name: value for name, value in figures.items() if name != "machine"}, indent=1))
    print(f"\nWritten to {path}")
    return 0


def measure_endings(every: int) -> dict[str, Any]:
    """Cut-offs and silences, in sound time."""
    figures: dict[str, Any] = {}
    for name, harsh in (("as people pause", False), ("every pause may be long", True)):
        print(f"Saying commands, {name} …", flush=True)
        found, lost = asyncio.run(_endings(4 * every if harsh else every, harsh))
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


def measure_wakes(hours: float) -> dict[str, Any]:
    """The word missed, and heard where it was not said; each by the first stage alone and with the second look."""
    print("Saying the word …", flush=True)
    looks = wakes.Looks()
    tried = wakes.tried(looks)
    hows = list(dict.fromkeys(one.disturbed for one in tried))

    def missed(with_look: bool) -> dict[str, dict[str, float]]:
        return {
            how: {
                str(threshold): percent(
                    [
                        one.score < threshold or (with_look and one.is_contradicted)
                        for one in tried
                        if one.disturbed == how
                    ]
                )
                for threshold in wakes.THRESHOLDS
            }
            for how in hows
        }

    print(f"Listening to {hours:.1f} hours without it …", flush=True)
    seconds: Counter[str] = Counter()
    peaks: list[wakes.Peak] = []
    spotter = Spotter([wakes.WORD])
    with tempfile.TemporaryDirectory() as folder:
        for kind, sound, language in wakes.without_it(3600 * hours, Path(folder)):
            seconds[kind] += round(len(sound) / RATE)
            peaks += wakes.peaks(spotter, kind, sound, language, looks)
    spotter.close()
    heard_hours = sum(seconds.values()) / 3600

    def in_error(with_look: bool) -> dict[str, float]:
        counted = [one for one in peaks if not (with_look and one.is_contradicted)]
        return {
            str(threshold): round(sum(one.score >= threshold for one in counted) / heard_hours, 2)
            for threshold in wakes.THRESHOLDS
        }

    return {
        "false_wakes_per_hour": in_error(True)[str(THRESHOLD)],
        "missed_wakes_percent": missed(True)["quiet"][str(THRESHOLD)],
        "idle_cpu_percent": round(wakes.idle_cpu_percent(), 2),
        "wakes": {
            "word": wakes.WORD,
            "threshold": THRESHOLD,
            "tries": len(tried),
            "missed_percent": missed(True),
            "missed_percent_by_first_stage": missed(False),
            "late_ms": percentiles([1000 * one.late_s for one in tried if not np.isnan(one.late_s)]),
            "heard_s": dict(seconds),
            "false_per_hour": in_error(True),
            "false_per_hour_by_first_stage": in_error(False),
        },
    }


def measure_bargein() -> dict[str, Any]:
    """Talking over a reply, by how much louder the device is than the person at its microphone."""
    print("Talking over replies …", flush=True)
    said, own = bargein.measure()

    def by_echo(missed: Callable[[bargein.Over], bool]) -> dict[str, float]:
        return {
            f"{echo_db} dB": percent([missed(one) for one in said if one.echo_db == echo_db])
            for echo_db in bargein.ECHOES_DB
        }

    return {
        "barge_in": {
            "threshold": bargein.WHILE_SPEAKING,
            "word_missed_percent": by_echo(lambda one: not one.is_woken),
            "stop_missed_percent": by_echo(lambda one: not one.is_stopped),
            "replies_alone": len(own),
            "woken_by_itself": sum(woken for woken, _ in own),
            "stopped_by_itself": sum(stopped for _, stopped in own),
        }
    }


def percent(of: list[bool]) -> float:
    return round(100 * float(np.mean(of)), 1) if of else float("nan")


if __name__ == "__main__":
    sys.exit(main())
