"""A web node's mouth: clauses go to Redis as work, their sound comes back as a stream of pieces while it is made.

Whoever wants to hear the same clause in the same voice, rate and speed shares it, and it is kept for a while. Workers
speak alike (speaking/vits.py), so one goes on in mid-word where another has died.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, suppress

from appliance.audio.pcm import SAMPLE_BYTES
from appliance.errors import FacultyError
from appliance.farm import keys
from appliance.farm.link import BLOCK_MS, Full, Link, Lost
from appliance.farm.members import Members
from appliance.hearing.transcript import PoolStats
from appliance.language import Language
from appliance.speaking.script import Script, refuse_unless_spoken
from appliance.speaking.synthesizer import LONGEST_SPEECH_S, PAUSE_S

KEPT_S = 3600
"""A clause that nobody wanted to hear for so long is forgotten."""

SILENT_S = 30.0
"""Nobody has spoken a piece for so long: nobody will."""


class FarmMouth:
    """The voices of all workers (conversation.Mouth). Belongs to one event loop."""

    def __init__(self, link: Link, members: Members) -> None:
        self._link, self._members = link, members

    @property
    def languages(self) -> tuple[Language, ...]:
        return tuple(self._members.models("speak"))

    @property
    def names(self) -> Mapping[Language, str]:
        return self._members.models("speak")

    @property
    def stats(self) -> PoolStats:
        return self._members.pool(lambda worker: worker.speaking)

    async def speak(
        self,
        text: str | AsyncIterator[str],
        language: Language,
        *,
        rate: int,
        speed: float = 1.0,
        voice: str = "",
        longest_s: float = LONGEST_SPEECH_S,
    ) -> AsyncGenerator[bytes, None]:
        """As Synthesizer.speak. Raises FacultyError where Redis is full, or gone for too long."""
        refuse_unless_spoken(language, self.languages, rate)
        script = Script(text, language)
        spoken_s, pause = 0.0, b""
        clause: _Clause | None = None
        ahead: _Clause | None = None
        try:
            async with aclosing(_one_ahead(script, isinstance(text, str))) as waiting:
                async for words, following in waiting:
                    if script.is_cut and words != script.last:
                        continue
                    if ahead is not None and ahead.words != words:
                        ahead.leave()
                        ahead = None
                    clause = ahead or _Clause(self._link, words, language, rate, speed, voice)
                    ahead = _Clause(self._link, following, language, rate, speed, voice) if following else None
                    is_first = True
                    async with aclosing(clause.pieces()) as pieces:
                        async for pcm in pieces:
                            if spoken_s > longest_s and not script.is_cut:
                                script.is_cut = True
                                break
                            if ahead is not None and is_first:
                                with suppress(Lost, Full):
                                    await ahead.ask()
                            is_first = False
                            spoken_s += len(pcm) / SAMPLE_BYTES / rate
                            yield pause + pcm
                            pause = b""
                    clause.leave()
                    pause = bytes(round(PAUSE_S / speed * rate) * SAMPLE_BYTES)
        finally:
            for one in (clause, ahead):
                if one is not None:
                    one.leave()


class _Clause:
    """A clause as one listener hears it."""

    def __init__(self, link: Link, words: str, language: Language, rate: int, speed: float, voice: str) -> None:
        self._link, self.words, self._language = link, words, language
        self._fields = ("text", words, "rate", rate, "speed", speed, "voice", voice)
        self.name = f"c{keys.turn_name(json.dumps([language, *self._fields]))}"
        self._pieces = keys.sound(self.name, keys.CLAUSE_ATTEMPT)
        self._is_wanted = False

    async def ask(self) -> None:
        """Have it spoken, unless it is or was."""
        if not self._is_wanted:
            answer = await self._link.script(
                "say",
                [keys.owner(self.name), self._pieces, keys.clauses(self._language), keys.SAID],
                self.name,
                keys.GROUP,
                keys.UTTERANCE_S,
                KEPT_S,
                *self._fields,
            )
            self._is_wanted = answer != b"said"

    def leave(self) -> None:
        """Do not listen any more; it is not spoken any further if nobody else does."""
        if self._is_wanted:
            self._is_wanted = False
            self._link.post_script(
                "quiet",
                [keys.owner(self.name), self._pieces, keys.clauses(self._language)],
                self.name,
                keys.GROUP,
                keys.STOP,
            )

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Its sound as it is made."""
        last, clock = b"0", asyncio.get_running_loop().time
        came_at = clock()
        while True:
            try:
                await self.ask()
                reply = await self._link.read("XREAD", "COUNT", 50, "BLOCK", BLOCK_MS, "STREAMS", self._pieces, last)
            except Full:
                raise FacultyError(
                    "overloaded", "Too many replies are being spoken.", hint="The answer is there as text."
                ) from None
            except Lost:
                self._is_wanted = False
                if not self._link.is_up and clock() - came_at > SILENT_S:
                    raise FacultyError("farm_gone", "What speaks cannot be reached.") from None
                await asyncio.sleep(0.1)
                continue
            for _, entries in reply or ():
                came_at = clock()
                for id, fields in entries:
                    last = id
                    if fields[b"pcm"]:
                        yield fields[b"pcm"]
                    if b"end" in fields:
                        self._is_wanted = False
                        return
            if clock() - came_at > SILENT_S:
                raise FacultyError("farm_gone", "Nobody speaks this at present.")


async def _one_ahead(script: Script, is_whole: bool) -> AsyncGenerator[tuple[str, str], None]:
    """Each clause, and the one after it if that is known already. is_whole: nobody is still writing the text."""
    async with aclosing(script.clauses()) as clauses:
        if not is_whole:
            async for clause in clauses:
                yield clause, ""
            return
        before = ""
        async for clause in clauses:
            if before:
                yield before, clause
            before = clause
        if before:
            yield before, ""
