"""What the `stimme` command's subcommands do. Each takes the settings and its options and returns an exit code."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from appliance.app import Assistant, awake, choose
from appliance.audio.loudspeaker import open_loudspeaker
from appliance.audio.pcm import SAMPLE_BYTES, Recording, Tape, WavError, read_wav, write_wav
from appliance.audio.portaudio import list_devices
from appliance.config import Config
from appliance.dialogue.types import Memory
from appliance.errors import ModelError
from appliance.models.catalogue import CATALOGUE, by_name
from appliance.models.choose import find_recognizer, find_voice
from appliance.models.embedded import prepared_directory, voices_within
from appliance.models.fetch import fetch
from appliance.speaking.synthesizer import prepare
from appliance.speech import say as spoken

HEAR_BLOCK = 4_000
"""Samples between two looks at the partial transcript: a quarter of a second."""


async def ask(config: Config, options: argparse.Namespace) -> int:
    """Answer a typed question."""
    text = " ".join(options.text)
    async with awake(config, ears=False, mouth=options.speak) as assistant:
        answer = await assistant.mind.answer(text, config.language, Memory())
        if options.json:
            _print_json(
                text=answer.reply.text,
                language=answer.reply.language,
                understood=answer.reply.understood,
                intent=answer.intent.name,
                slots=dict(answer.intent.slots),
                understanding_ms=round(answer.understanding_ms, 1),
                skill_ms=round(answer.skill_ms, 1),
            )
        else:
            print(answer.reply.text)
        if options.speak:
            await _play(assistant, answer.reply.text, config)
    return 0 if answer.reply.understood else 1


async def say(config: Config, options: argparse.Namespace) -> int:
    """Speak a text, or write it to a WAV file."""
    text = " ".join(options.text)
    async with awake(config, ears=False) as assistant:
        if options.output is None:
            await _play(assistant, text, config)
            return 0
        await spoken(assistant.mouth, text, config.language, tape := Tape(options.rate))
        write_wav(options.output, tape.pcm, options.rate)
        print(f"{options.output}: {len(tape.pcm) / SAMPLE_BYTES / options.rate:.1f} s")
    return 0


async def hear(config: Config, options: argparse.Namespace) -> int:
    """Recognize WAV files. A file that cannot be read does not keep the others from being heard."""
    failed = 0
    async with awake(config, mouth=False, partial_interval_s=0) as assistant:
        for name in options.files:
            try:
                pcm = read_wav(name)
            except WavError as error:
                failed = 1
                if options.json:
                    _print_json(file=name, text="", error=str(error))
                else:
                    print(f"stimme: {error}", file=sys.stderr)
                continue
            await _hear_one(assistant, config, name, pcm, options.json)
    return failed


async def _hear_one(assistant: Assistant, config: Config, name: str, pcm: bytes, as_json: bool) -> None:
    recording = Recording(pcm, HEAR_BLOCK)
    partials: list[dict[str, Any]] = []

    def on_partial(text: str) -> None:
        if not text or (partials and partials[-1]["text"] == text):
            return
        partials.append({"at_s": round(recording.position_s, 2), "text": text})
        if not as_json:
            print(f"  {recording.position_s:6.2f} s  {text} …")

    if not as_json:
        print(name)
    begin = time.perf_counter()
    final = await assistant.ears.transcribe(recording, config.language, on_partial=on_partial)
    took_s = time.perf_counter() - begin
    if as_json:
        _print_json(
            file=name,
            text=final.text,
            confidence=round(final.confidence, 3),
            audio_s=round(final.audio_s, 3),
            took_s=round(took_s, 3),
            final_ms=round(final.final_ms, 1),
            partials=partials,
            words=[
                {
                    "word": w.text,
                    "start_s": round(w.start_s, 2),
                    "end_s": round(w.end_s, 2),
                    "confidence": round(w.confidence, 3),
                }
                for w in final.words
            ],
        )
    else:
        print(
            f"  {final.audio_s:6.2f} s  {final.text or '(nothing was heard)'}   "
            f"[{took_s:.2f} s for all, {final.final_ms:.0f} ms after the last sample]"
        )


async def _play(assistant: Assistant, text: str, config: Config) -> None:
    """Say it at this machine's loudspeaker, beginning with the first clause. Raises AudioDeviceError."""
    loudspeaker = await asyncio.to_thread(open_loudspeaker, config.device.loudspeaker, lambda: None)
    try:
        await spoken(assistant.mouth, text, config.language, loudspeaker)
    finally:
        await asyncio.to_thread(loudspeaker.close)


def _print_json(**fields: Any) -> None:
    print(json.dumps(fields, ensure_ascii=False, default=str), flush=True)


def models(config: Config, options: argparse.Namespace) -> int:
    """List the models, fetch some, or say where they are."""
    directory = config.models_path()
    if options.action == "path":
        print(_model_path(options.name, directory) if options.name else directory)
        return 0
    if options.action == "fetch":
        return _fetch(options.names, directory)
    if options.action == "prepare":
        return _prepare(config, options.directory or prepared_directory())
    chosen = (choose(config, "recognizer", directory, unpack=False), choose(config, "voice", directory))
    in_use = {choice.name for by_language in chosen for choice in by_language.values()}
    for model in CATALOGUE:
        row = {
            "name": model.name,
            "kind": model.kind,
            "language": model.language,
            "licence": model.licence,
            "size_mb": round(model.size_bytes / 1e6, 1),
            "embedded": not model.source,
            "in_use": model.name in in_use,
            "on_disk": not model.source or (directory / model.name).exists(),
            "note": model.note,
            "files": [
                {
                    "url": f"{model.source}/{file.name}" if model.source else "",
                    "sha256": file.sha256,
                    "size_bytes": file.size_bytes,
                }
                for file in model.files
            ],
        }
        if options.json:
            _print_json(**row)
            continue
        state = "in use" if row["in_use"] else "on disk" if row["on_disk"] else f"{row['size_mb']:.0f} MB to fetch"
        print(f"{model.name:28} {model.kind:10} {model.language}  {model.licence:16} {state}\n    {model.note}")
    if not options.json:
        print(f"\nKept in {directory}. `stimme models fetch NAME` gets one.")
    return 0


def _prepare(config: Config, directory: Path) -> int:
    """Do once, at build time, what would otherwise be done at the first start."""
    for kind in ("recognizer", "voice"):
        for language, choice in choose(config, kind, directory).items():
            if choice.engine == "piper":
                prepare(choice.path, language, voices_within(directory))
            print(f"{language} {kind:10} {choice.name}: {choice.path}")
    return 0


def _fetch(names: list[str], directory: Path) -> int:
    """Fetch all that can be had; one failure does not keep the others from coming."""
    failed = 0
    for name in names:
        try:
            print(f"\r{name}: {fetch(name, directory, _Progress(name))}")
        except ModelError as error:
            print(f"stimme: {name}: {error}", file=sys.stderr)
            failed = 3
    return failed


def _model_path(name: str, directory: Path) -> Path:
    model = by_name(name)
    if model is None:
        raise ModelError(f"no model called {name!r}; `stimme models list` names them")
    find = partial(find_recognizer, unpack=False) if model.kind == "recognizer" else find_voice
    choice = find(model.language, directory, name)
    assert choice is not None, "a configured model is found or raises"
    return choice.path


class _Progress:
    """A progress bar on a terminal, nothing elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._shown = -1

    def __call__(self, here_bytes: int, all_bytes: int) -> None:
        percent = 100 * here_bytes // max(1, all_bytes)
        if percent != self._shown and sys.stderr.isatty():
            self._shown = percent
            bar, size = "█" * (percent // 4), f"{here_bytes / 1e6:.0f} of {all_bytes / 1e6:.0f} MB"
            sys.stderr.write(f"\r{self._name}  {bar:25} {percent:3} %  {size}")
            sys.stderr.flush()


def devices(config: Config, options: argparse.Namespace) -> int:
    """List microphones and loudspeakers with what is wrong with each."""
    found = list_devices()
    for device in found:
        if options.json:
            _print_json(**dataclasses.asdict(device))
            continue
        roles = [f"{count} {name}" for count, name in ((device.inputs, "in"), (device.outputs, "out")) if count]
        rates = ", ".join(f"{rate}" for rate in device.rates) or "no rate"
        print(f"{device.index:3}  {device.name}  ({', '.join(roles)}; {rates} Hz){'  *' if device.is_default else ''}")
        for problem in device.problems:
            print(f"       {problem}")
    if not found and not options.json:
        print("No sound card was found. Plug one in, or start the sound server; then try again.")
    return 0 if found else 1


def check(config: Config, options: argparse.Namespace) -> Any:
    """What is in force, from where, and what this machine can do."""
    from appliance.cli.check import check as checked

    return checked(config, options)


def record_test(config: Config, options: argparse.Namespace) -> Any:
    """Read commands aloud, and see how well one is heard."""
    from appliance.cli.record_test import record_test as recorded

    return recorded(config, options)
