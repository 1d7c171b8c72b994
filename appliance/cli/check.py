"""`stimme check`: every setting with its value and source, the models in use, and this machine."""

from __future__ import annotations

import argparse
import json
import os
import platform
from dataclasses import asdict
from typing import Any, Literal

from appliance.app import awake, choose
from appliance.cli.capacity import capacity
from appliance.cli.doors import doors
from appliance.config import Config, settings
from appliance.device.selftest import self_test
from appliance.helpers.summary import helper_rows
from appliance.language import LANGUAGES
from appliance.models.choose import how_to_get


async def check(config: Config, options: argparse.Namespace) -> int:
    """Print what is in force. Exit code 1 if the self-test of the sound finds something."""
    if options.audio:
        return await _check_audio(config, options.json)
    report: dict[str, Any] = {
        "settings": _settings(config),
        "models": _models(config),
        "machine": _machine(),
        "programs": [asdict(door) for door in doors(config)],
    }
    report["helpers"] = [asdict(row) for row in helper_rows(config.helpers)]
    report["capacity"] = await _capacity(config, measuring=options.capacity)
    if options.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        _print(report)
    return 0


async def _check_audio(config: Config, as_json: bool) -> int:
    """Chirp, listen, and say aloud and in writing what is wrong."""
    async with awake(config, ears=False) as assistant:
        result = await self_test(config.device, config.language, assistant.mouth)
    if as_json:
        print(json.dumps(asdict(result), ensure_ascii=False, indent=2))
    else:
        print("\n".join(result.lines()))
        print(result.summary(config.language))
    return 1 if result.findings else 0


def _settings(config: Config) -> list[dict[str, Any]]:
    rows = []
    for path, one in settings():
        section, _, name = path.rpartition(".")
        value = getattr(getattr(config, section) if section else config, name)
        if value and one.metadata["secret"]:
            value = "(set)"
        rows.append(
            {
                "setting": path,
                "environment": one.metadata["env"],
                "value": value,
                "unit": one.metadata["unit"],
                "source": config.sources.get(path, "default"),
                "help": one.metadata["help"],
            }
        )
    return rows


def _models(config: Config) -> list[dict[str, Any]]:
    rows = []
    kinds: tuple[Literal["recognizer", "voice"], ...] = ("recognizer", "voice")
    for kind in kinds:
        chosen = choose(config, kind, config.models_path(), unpack=False)
        for language in LANGUAGES:
            choice = chosen.get(language)
            rows.append(
                {
                    "kind": kind,
                    "language": language,
                    "name": choice.name if choice else "",
                    "why": choice.why if choice else how_to_get(kind, language),
                }
            )
    return rows


def _machine() -> dict[str, Any]:
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000
    return {
        "cores": os.cpu_count(),
        "memory_mb": memory_mb,
        "architecture": platform.machine(),
        "python": platform.python_version(),
    }


async def _capacity(config: Config, *, measuring: bool) -> dict[str, Any] | None:
    found = await capacity(config, measuring=measuring)
    return (
        None
        if found is None
        else asdict(found)
        | {
            "speakers": found.speakers,
            "listeners": found.listeners,
            "stt_workers": config.streaming.workers(),
            "tts_workers": config.streaming.tts_workers,
        }
    )


def _print(report: dict[str, Any]) -> None:
    print("Settings (name in .env and environment, value, where it comes from)")
    for row in report["settings"]:
        value = f"{row['value']!s} {row['unit']}".strip() or "—"
        print(f"  {row['environment']:22} {value:22} {row['source']:22} {row['help']}")
    print("\nOther people's programs come in")
    for row in report["programs"]:
        print(f"  {row['where']:40} {row['protocol']}: {row['to_whom']}")
    if not report["programs"]:
        print("  nowhere; docs/clients says how they can")
    print("\nModels")
    for row in report["models"]:
        print(f"  {row['language']} {row['kind']:11} {row['name'] or 'none':28} {row['why']}")
    print("\nHelpers (docs/helpers.md)")
    for row in report["helpers"]:
        print(f"  {row['name']:16} {row['where'] or 'off':36} {row['sends']}")
    machine = report["machine"]
    print(
        f"\nMachine: {machine['cores']} cores, {machine['memory_mb']} MB, {machine['architecture']}, "
        f"Python {machine['python']}"
    )
    if report["capacity"] is None:
        print("\nHow many people it can hear and speak to at once: `stimme check --capacity` measures it.")
    else:
        _print_capacity(**report["capacity"])


def _print_capacity(
    speakers: int, listeners: int, hears_x_realtime: float, speaks_x_realtime: float, stt_workers: int, tts_workers: int
) -> None:
    print("\nAt once (others wait a moment; nobody's words are lost)")
    print(
        f"  speaking   about {speakers} people: recognition does {hears_x_realtime:g} s of speech a second, "
        f"with STT_WORKERS={stt_workers} (0 takes a thread for each core, 4 at most)"
    )
    print(
        f"  listening  about {listeners} people: synthesis does {speaks_x_realtime:g} s, with TTS_WORKERS={tts_workers}"
    )
