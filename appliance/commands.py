"""What the `stimme` command's subcommands do. Each takes the settings and its options and returns an exit code."""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import aclosing
from typing import Any

from appliance.app import Assistant, awake
from appliance.audio.pcm import SAMPLE_BYTES, Recording, WavError, read_wav, write_wav
from appliance.config import Config
from appliance.dialogue.types import Memory

HEAR_BLOCK = 4_000
"""Samples between two looks at the partial transcript: a quarter of a second."""


async def ask(config: Config, options: argparse.Namespace) -> int:
    """Answer a typed question."""
    text = " ".join(options.text)
    async with awake(config, ears=False, mouth=options.speak) as assistant:
        answer = await assistant.faculties.mind.answer(text, config.language, Memory())
        if options.json:
            _print_json(
                text=answer.reply.text, language=answer.reply.language, understood=answer.reply.understood,
                intent=answer.intent.name, slots=dict(answer.intent.slots),
                understanding_ms=round(answer.understanding_ms, 1), skill_ms=round(answer.skill_ms, 1))
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
        pcm = await _synthesized(assistant, text, config, options.rate)
        write_wav(options.output, pcm, options.rate)
        print(f"{options.output}: {len(pcm) / SAMPLE_BYTES / options.rate:.1f} s")
    return 0


async def hear(config: Config, options: argparse.Namespace) -> int:
    """Recognize WAV files. A file that cannot be read does not keep the others from being heard."""
    failed = 0
    async with awake(config, mouth=False) as assistant:
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
            file=name, text=final.text, confidence=round(final.confidence, 3), audio_s=round(final.audio_s, 3),
            took_s=round(took_s, 3), final_ms=round(final.final_ms, 1), partials=partials,
            words=[{"word": w.text, "start_s": round(w.start_s, 2), "end_s": round(w.end_s, 2),
                    "confidence": round(w.confidence, 3)} for w in final.words])
    else:
        print(f"  {final.audio_s:6.2f} s  {final.text or '(nothing was heard)'}   "
              f"[{took_s:.2f} s for all, {final.final_ms:.0f} ms after the last sample]")


async def _synthesized(assistant: Assistant, text: str, config: Config, rate: int) -> bytes:
    pieces = []
    async with aclosing(assistant.mouth.speak(text, config.language, rate=rate)) as chunks:
        async for chunk in chunks:
            pieces.append(chunk)
    return b"".join(pieces)


def _print_json(**fields: Any) -> None:
    print(json.dumps(fields, ensure_ascii=False, default=str), flush=True)
