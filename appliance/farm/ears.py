"""A web node's ears: what people say goes to Redis, piece by piece, and a transcript comes back, exactly one.

All of an utterance is kept here until its transcript has come (a megabyte at most), so whatever Redis forgets when it
dies is sent again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

from appliance.audio.pcm import RATE, SAMPLE_BYTES, Source
from appliance.errors import FacultyError, ModelError
from appliance.farm import keys
from appliance.farm.link import BLOCK_MS, Full, Link, Lost, each, unless_lost
from appliance.farm.members import FULL, Members
from appliance.hearing.transcript import Final, PoolStats, Word
from appliance.language import LANGUAGES, Language

log = logging.getLogger(__name__)

PIECE_BYTES = RATE // 10 * SAMPLE_BYTES
"""The least that is sent, but for the end: a tenth of a second. Each piece costs Redis and two processes a round."""

RENEWED_EVERY = 100
"""Pieces, after which the sound's time to live begins anew."""

GIVEN_UP_S = 30.0
"""So long Redis may be gone before a turn fails."""

PLACES_S = 0.5
"""How often those who wait for a worker are told their place."""


@dataclass(eq=False)
class _Utterance:
    turn: str
    language: Language
    on_partial: Callable[[str], None]
    on_place: Callable[[int], None] | None
    attempt: int = 0
    entry: bytes = b""
    pieces: list[bytes] = field(default_factory=list)
    """All that was said so far, and is to be in Redis."""
    is_whole: bool = False
    """Nothing comes after the last piece."""
    sent: int = 0
    """How many of the pieces Redis has."""
    times_taken: int = 0
    answer: asyncio.Future[bytes] | None = None
    place: int = 0


class FarmEars:
    """The recognizers of all workers (conversation.Ears). Belongs to one event loop; `run` must be running."""

    def __init__(self, link: Link, members: Members) -> None:
        self._link, self._members = link, members
        self._open: dict[str, _Utterance] = {}
        link.when_lost(self._lost)

    @property
    def languages(self) -> tuple[Language, ...]:
        return tuple(self._members.models("hear"))

    @property
    def names(self) -> Mapping[Language, str]:
        return self._members.models("hear")

    @property
    def stats(self) -> PoolStats:
        return self._members.pool(lambda worker: worker.hearing)

    async def run(self) -> None:
        """Take in what workers answer, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(unless_lost(self._link, self._read_inbox))
            tasks.create_task(
                unless_lost(self._link, lambda: each(self._link.listen(keys.news(self._link.name)), self._heard_news))
            )
            tasks.create_task(unless_lost(self._link, self._tell_places))

    async def transcribe(
        self,
        source: Source,
        language: Language,
        *,
        on_partial: Callable[[str], None],
        on_place: Callable[[int], None] | None = None,
        turn: str = "",
    ) -> Final:
        """As RecognizerPool.transcribe. turn: names the utterance for ever; once heard, it is not heard again.

        Raises FacultyError when Redis is full, or gone for too long; ModelError for a language nobody hears.
        """
        if language not in self.languages:
            raise ModelError(f"no worker hears language '{language}', only: {', '.join(self.languages) or 'none'}")
        load = self._members.load
        if load.memory >= FULL:
            raise _full(load.lag)
        name = keys.turn_name(turn) if turn else secrets.token_hex(12)
        if name in self._open:
            name = secrets.token_hex(12)  # a client that gives two turns one id
        utterance = self._open[name] = _Utterance(name, language, on_partial, on_place)
        try:
            return _decoded(await self._hear(utterance, source))
        except BaseException:
            if utterance.attempt and self._link.is_up:
                self._link.post_script(
                    "forget",
                    [keys.owner(name), keys.work(language), keys.sound(name, utterance.attempt)],
                    utterance.attempt,
                    keys.GROUP,
                )
            raise
        finally:
            del self._open[name]

    async def _hear(self, utterance: _Utterance, source: Source) -> bytes:
        while True:
            try:
                return await self._attempt(utterance, source)
            except Full:
                raise _full(self._members.load.lag) from None
            except Lost:
                if utterance.on_place is not None:
                    utterance.on_place(0)
                await self._back()

    async def _back(self) -> None:
        try:
            async with asyncio.timeout(GIVEN_UP_S):
                await self._link.up()
        except TimeoutError:
            raise FacultyError(
                "farm_gone",
                "What hears and speaks cannot be reached.",
                hint="Redis does not answer; typed text works. It comes back by itself.",
            ) from None

    async def _attempt(self, utterance: _Utterance, source: Source) -> bytes:
        """Send, and wait for the transcript. Raises Lost; then it is known again what arrived once Redis is back."""
        times_lost = self._link.times_lost
        utterance.answer = asyncio.get_running_loop().create_future()
        final = await self._begin(utterance)
        if final is not None:
            return final
        while True:
            await self._send(utterance)
            if utterance.is_whole:
                return await utterance.answer
            piece, utterance.is_whole = await _next_piece(source)
            utterance.pieces.append(piece)
            if self._link.times_lost != times_lost:
                raise Lost("Redis was gone meanwhile")

    async def _begin(self, utterance: _Utterance) -> bytes | None:
        """Be in Redis, for the first time or again. Returns the final if there is one already."""
        turn, work = utterance.turn, keys.work(utterance.language)
        own, fin = keys.owner(turn), keys.final(turn)
        if utterance.attempt:
            kind, *rest = await self._link.script(
                "look",
                [own, fin, work, keys.sound(turn, utterance.attempt)],
                utterance.attempt,
                self._link.name,
                keys.UTTERANCE_S,
            )
            if kind == b"open":
                utterance.sent = int(rest[0])
                return None
            if kind == b"done":
                return bytes(rest[0])
        kind, *rest = await self._link.script(
            "open", [own, fin, work], turn, self._link.name, keys.sound(turn, 0)[:-1], keys.UTTERANCE_S, keys.GROUP
        )
        if kind == b"done":
            return bytes(rest[0])
        utterance.attempt, utterance.entry = int(rest[0]), rest[1]
        utterance.sent = utterance.times_taken = 0
        return None

    async def _send(self, utterance: _Utterance) -> None:
        name = keys.sound(utterance.turn, utterance.attempt)
        commands = []
        for number in range(utterance.sent + 1, len(utterance.pieces) + 1):
            is_last = utterance.is_whole and number == len(utterance.pieces)
            commands.append(
                self._link.call(
                    "XADD", name, f"{number}-0", "pcm", utterance.pieces[number - 1], *(("end", 1) if is_last else ())
                )
            )
            if number % RENEWED_EVERY == 1:
                commands.append(self._link.call("EXPIRE", name, keys.UTTERANCE_S))
        await asyncio.gather(*commands)
        utterance.sent = len(utterance.pieces)

    # What comes back

    async def _read_inbox(self) -> None:
        inbox, last = keys.inbox(self._link.name), b"0"
        while True:
            reply = await self._link.read("XREAD", "COUNT", 100, "BLOCK", BLOCK_MS, "STREAMS", inbox, last)
            for _, entries in reply or ():
                for id, fields in entries:
                    last = id
                    self._answered(fields[b"turn"].decode(), fields[b"final"])
                self._link.post("XDEL", inbox, *(id for id, _ in entries))

    def _answered(self, turn: str, final: bytes) -> None:
        utterance = self._open.get(turn)
        if utterance is None or utterance.answer is None or utterance.answer.done():
            self._link.post("HINCRBY", keys.COUNTS, "duplicates", 1)
        else:
            utterance.answer.set_result(final)

    def _heard_news(self, _: str, message: bytes) -> None:
        """A worker has taken an utterance, or has heard a part of it. News of one that was overtaken are old."""
        turn, times, text = json.loads(message)
        utterance = self._open.get(turn)
        if utterance is not None and times >= utterance.times_taken:
            utterance.times_taken = times
            if text is not None:
                utterance.on_partial(text)

    def _lost(self) -> None:
        for utterance in self._open.values():
            if utterance.answer is not None and not utterance.answer.done():
                utterance.answer.set_exception(Lost("Redis does not answer"))
                utterance.answer.exception()

    async def _tell_places(self) -> None:
        while True:
            await asyncio.sleep(PLACES_S)
            waiting = {one.entry: one for one in self._open.values() if not one.times_taken and one.attempt}
            for language in LANGUAGES:
                if any(one.language == language for one in waiting.values()):
                    entries = await self._link.script("line", [keys.work(language)], keys.GROUP)
                    for place, entry in enumerate(entries, 1):
                        if (one := waiting.get(entry)) is not None and one.on_place and one.place != place:
                            one.place = place
                            one.on_place(place)


async def _next_piece(source: Source) -> tuple[bytes, bool]:
    """At least PIECE_BYTES, or the rest; and whether it is the rest."""
    found = b""
    while len(found) < PIECE_BYTES or source.ended:
        pcm = await source.read()
        if not pcm:
            return found, True
        found += pcm
    return found, False


def _full(waiting: int) -> FacultyError:
    return FacultyError(
        "overloaded",
        f"Too many people are speaking; {waiting} wait before you.",
        hint="Try again in a moment; typed text works. Redis' memory is used up to four fifths.",
    )


NOT_HEARD = "null"
"""Instead of a final: nobody will hear this one."""


def encoded(final: Final) -> str:
    """A final as JSON."""
    return json.dumps(asdict(final))


def _decoded(text: bytes) -> Final:
    fields = json.loads(text)
    if fields is None:
        raise FacultyError("internal", "Every worker that heard this failed.")
    known = {name: fields[name] for name in Final.__dataclass_fields__ if name in fields}
    return Final(**known | {"words": tuple(Word(**word) for word in fields["words"])})
