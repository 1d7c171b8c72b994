"""A hundred different sentences as a crowd would say them, spoken once by the embedded voice and kept under build/."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path

from tests.support.server import ROOT
from tests.support.speech import commands, spoken

PEOPLE = 100
_NUMBERS = (
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "twelve",
    "fifteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
)


def sentences(count: int = PEOPLE) -> list[str]:
    """Different English sentences: the commands, and timers and sums with different numbers."""
    timers = [f"set a timer for {number} minutes" for number in _NUMBERS]
    sums = [f"what is {one} plus {other}" for one in _NUMBERS for other in _NUMBERS if one < other]
    found = list(dict.fromkeys(commands() + timers + sums))
    if count > len(found):
        raise ValueError(f"{count} different sentences, expected at most {len(found)}")
    return found[:count]


def crowd(count: int = PEOPLE) -> list[Path]:
    """One file of mono s16le at 16 kHz for each sentence, 0.2 s of silence before and after."""
    folder = ROOT / "build" / "crowd"
    folder.mkdir(parents=True, exist_ok=True)
    files = {text: folder / f"{sha256(text.encode()).hexdigest()[:16]}.pcm" for text in sentences(count)}
    missing = [text for text, file in files.items() if not file.exists()]
    for text, pcm in zip(missing, asyncio.run(spoken(missing)) if missing else (), strict=True):
        files[text].write_bytes(pcm)
    return list(files.values())
