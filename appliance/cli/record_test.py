"""`stimme record-test`: a person reads thirty commands, and learns how well Stimme hears *them*.

The recordings stay in a directory of the person's own, readable by nobody else, and are sent nowhere. --again hears
the kept ones once more, for instance with another recognizer.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from appliance.app import awake
from appliance.audio.microphone import Microphone, open_microphone
from appliance.audio.pcm import RATE, Recording, read_wav, write_wav
from appliance.config import Config
from appliance.dialogue.understanding import Understanding
from appliance.errors import StimmeError
from appliance.faculties import Ears
from appliance.hearing.score import word_errors
from appliance.language import Language

SENTENCES: dict[Language, tuple[str, ...]] = {
    "en": tuple(
        """
what time is it
set a timer for five minutes
set a pizza timer for twelve minutes
how much time is left on the pizza timer
cancel all timers
wake me up at half past six tomorrow morning
set an alarm for seven fifteen
remind me to water the plants at eight in the evening
what day is the third of october
how many days until christmas
what is seven times eight
what is three hundred and forty five divided by five
what is fifteen percent of sixty
how many feet are in two meters
convert ten miles to kilometers
how many grams are in a pound
turn it up
turn the volume down a little
set the volume to forty percent
add milk and bread to the shopping list
what is on the shopping list
turn on the kitchen light
roll a dice
flip a coin
tell me a joke
what can you do
what did you hear
say that again
never mind
good night
""".strip().splitlines()
    ),
    "de": tuple(
        """
wie spät ist es
stelle einen timer auf fünf minuten
stelle einen pizza timer auf zwölf minuten
wie lange läuft der pizza timer noch
lösche alle timer
weck mich morgen früh um halb sieben
stelle einen wecker auf sieben uhr fünfzehn
erinnere mich um zwanzig uhr an die blumen
welcher tag ist der dritte oktober
wie viele tage sind es noch bis weihnachten
was ist sieben mal acht
was ist dreihundert fünfundvierzig geteilt durch fünf
wie viel sind fünfzehn prozent von sechzig
wie viel fuß sind zwei meter
rechne zehn meilen in kilometer um
wie viel gramm hat ein pfund
lauter
mach es ein bisschen leiser
stell die lautstärke auf vierzig prozent
setze milch und brot auf die einkaufsliste
was steht auf der einkaufsliste
mach das licht in der küche an
wirf einen würfel
wirf eine münze
erzähl mir einen witz
was kannst du
was hast du verstanden
sag das noch einmal
vergiss es
gute nacht
""".strip().splitlines()
    ),
}

READ: dict[Language, str] = {
    "en": "\n{number} of {all}: read aloud, as you would say it in the kitchen. Enter begins, Enter ends.\n\n"
          "    {text}\n",
    "de": "\n{number} von {all}: laut lesen, wie du es in der Küche sagen würdest. Enter beginnt, Enter beendet.\n\n"
          "    {text}\n",
}  # fmt: skip
KEPT: dict[Language, str] = {
    "en": "The recordings are in {folder}, for your eyes only; `--again` hears them once more, deleting the directory "
          "forgets them.",
    "de": "Die Aufnahmen liegen in {folder}, nur für dich lesbar; `--again` hört sie noch einmal, und wer das "
          "Verzeichnis löscht, löscht sie.",
}  # fmt: skip
SUM: dict[Language, str] = {
    "en": "{recognizer}: {errors} of {words} words wrong ({percent:.1f} %); {right} of {all} sentences understood as "
          "meant.",
    "de": "{recognizer}: {errors} von {words} Wörtern falsch ({percent:.1f} %); {right} von {all} Sätzen wie gemeint "
          "verstanden.",
}  # fmt: skip

Enter = Callable[[], Awaitable[bool]]
"""Waits until the person presses Enter; False when no more will come."""


@dataclass(frozen=True)
class Result:
    errors: int
    words: int
    right: int
    """Sentences that were understood as they were meant."""
    sentences: int

    @property
    def percent(self) -> float:
        return 100 * self.errors / max(1, self.words)


async def record_test(config: Config, options: argparse.Namespace) -> int:
    """Record what is missing, then hear all of it."""
    language = config.language
    folder = options.directory or config.state_path() / "recordings" / language
    async with awake(config, mouth=False) as assistant:
        if language not in assistant.ears.languages:
            raise StimmeError(f"no recognizer for {language!r}; `stimme models list` names those that can be fetched")
        if not options.again:
            microphone = await asyncio.to_thread(
                open_microphone, config.device.microphone, config.device.channel, lambda: None
            )
            try:
                await record(SENTENCES[language][: options.sentences], language, folder, microphone, _enter)
            finally:
                await asyncio.to_thread(microphone.close)
        result = await hear_again(folder, language, assistant.ears)
    if not result.sentences:
        raise StimmeError(f"{folder}: no recordings; `stimme record-test` without --again makes some")
    print(
        "\n"
        + SUM[language].format(
            recognizer=assistant.ears.names[language],
            errors=result.errors,
            words=result.words,
            percent=result.percent,
            right=result.right,
            all=result.sentences,
        )
    )
    print(KEPT[language].format(folder=folder))
    return 0


async def _enter() -> bool:
    return bool(await asyncio.to_thread(sys.stdin.readline))


async def record(
    sentences: tuple[str, ...], language: Language, folder: Path, microphone: Microphone, enter: Enter
) -> None:
    """Let the person read the sentences; what they read is kept as NN.wav beside its words, NN.txt."""
    _make_private(folder)
    for number, text in enumerate(sentences, 1):
        print(READ[language].format(number=number, all=len(sentences), text=text), flush=True)
        if not await enter():
            return
        _keep(folder / f"{number:02}", text, await _until_enter(microphone, enter))


def _make_private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def _keep(stem: Path, text: str, pcm: bytes) -> None:
    write_wav(stem.with_suffix(".wav"), pcm, RATE)
    stem.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
    for suffix in (".wav", ".txt"):
        stem.with_suffix(suffix).chmod(0o600)


def _kept(folder: Path) -> list[tuple[str, bytes]]:
    """[(what was read, its sound)]."""
    files = sorted(folder.glob("*.wav"))
    return [(file.with_suffix(".txt").read_text(encoding="utf-8").strip(), read_wav(file)) for file in files]


async def _until_enter(microphone: Microphone, enter: Enter) -> bytes:
    """What is said from now until the next Enter, with what came just before."""
    pieces: list[bytes] = []
    loop = asyncio.get_running_loop()
    microphone.arm(preroll=True)
    loop.add_reader(microphone.fileno(), lambda: pieces.append(microphone.read()))
    try:
        await enter()
    finally:
        loop.remove_reader(microphone.fileno())
        pieces.append(microphone.read(last=True))
    return b"".join(pieces)


async def hear_again(folder: Path, language: Language, ears: Ears) -> Result:
    """Hear the recordings in a folder, and print what came of each."""
    understanding = Understanding()
    errors = words = right = count = 0
    for said, pcm in _kept(folder):
        final = await ears.transcribe(Recording(pcm, RATE // 4), language, on_partial=lambda text: None)
        wrong, of = word_errors(said, final.text)
        meant, got = (understanding.understand(text, language) for text in (said, final.text))
        as_meant = (meant.name, str(meant.slots)) == (got.name, str(got.slots))
        errors, words, right, count = errors + wrong, words + of, right + as_meant, count + 1
        mark = "=" if not wrong else "~" if as_meant else "x"
        print(f"{mark} {said}" + (f"\n  {final.text or '–'}" if wrong else ""), flush=True)
    return Result(errors, words, right, count)
