"""One client of Vosk's WebSocket: sound in, after each message of it exactly one reply. Many clients wait for each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from appliance.audio.formats import Inbound
from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.errors import ProtocolError
from appliance.guests import Dictation, Guests
from appliance.hearing.transcript import Final
from appliance.language import LANGUAGES, Language
from appliance.pauses import Pauses
from appliance.server.access import Visitor
from appliance.server.seats import Seats
from appliance.server.vosk.protocol import End, Reset, Settings, parse, partial, result

log = logging.getLogger(__name__)

MOST_MESSAGE_BYTES = 256 * 1024
"""1.3 s at 96 kHz; clients send 0.2 s."""
STALL_S = 10.0
"""A client that takes no reply for so long has stopped reading."""


class Vosk:
    """Everybody who speaks this protocol."""

    def __init__(self, guests: Guests, dropped: Callable[[str], None]) -> None:
        self._guests, self._dropped = guests, dropped
        self.seats = Seats(dropped)

    async def talk(self, socket: ServerConnection, visitor: Visitor) -> None:
        """Serve one client until its WebSocket closes."""
        client = _Client(socket, self._guests)
        async with self.seats.taken(socket, client, visitor) as seated:
            if not seated:
                return
            try:
                await client.run()
            except ConnectionClosed as error:
                log.debug("a client of Vosk's WebSocket has gone: %s", error)
            except TimeoutError:
                self._dropped("stalled")
                socket.transport.abort()
            except ProtocolError as error:
                await socket.close(CloseCode.INVALID_DATA, str(error).encode()[:120].decode("utf-8", "ignore"))
            finally:
                client.forget()


class _Client:
    def __init__(self, socket: ServerConnection, guests: Guests) -> None:
        self._socket, self._guests = socket, guests
        self._clock = asyncio.get_running_loop().time
        self.idle_since: float | None = self._clock()
        self._settings = Settings()
        self._language = _language(socket, guests.language)
        self._inbound: Inbound | None = None
        self._dictation: Dictation | None = None
        self._pauses = Pauses(guests.attention)
        self._offset_s = 0.0
        """What was said before this utterance."""

    async def run(self) -> None:
        """Until the client says that it is over, or goes."""
        while True:
            message = await self._socket.recv()
            self.idle_since = None
            if isinstance(message, bytes):
                reply = await self._heard(message)
            else:
                match parse(message, self._settings):
                    case Settings() as settings:
                        self._configure(settings)
                        continue
                    case None:
                        continue
                    case End():
                        await self._send(await self._rest())
                        await self._socket.close()
                        return
                    case Reset():
                        reply = await self._rest()
            await self._send(reply)
            self.idle_since = self._clock()

    def forget(self) -> None:
        if self._dictation is not None:
            self._dictation.forget()

    def _configure(self, settings: Settings) -> None:
        self._settings = settings
        self._inbound = Inbound(settings.rate)
        names = self._guests.faculties.ears.names
        self._language = next((one for one, name in names.items() if name == settings.model), self._language)

    async def _heard(self, data: bytes) -> str:
        if self._inbound is None:
            self._inbound = Inbound(self._settings.rate)
        pcm = self._inbound.feed(data)
        is_pause = await self._pauses.after(pcm)
        finished: Final | None = None
        offset_s = self._offset_s
        if self._dictation is not None and self._is_full(self._dictation, pcm):
            finished = await self._finish()
        if self._dictation is None:
            self._dictation = self._guests.hear(self._language)
        await self._dictation.audio(pcm)
        if finished is None and is_pause:
            finished = await self._finish()
        if finished is not None:
            return result(finished, self._settings, offset_s)
        return partial((self._dictation.partial if self._dictation else "") or "")

    def _is_full(self, dictation: Dictation, pcm: bytes) -> bool:
        """It cannot take this too, or has ended because for long nothing came."""
        longest_s = self._guests.max_audio_duration_s
        return dictation.ended is not None or dictation.audio_s + len(pcm) / SAMPLE_BYTES / RATE > longest_s

    async def _finish(self) -> Final:
        assert self._dictation is not None
        dictation, self._dictation = self._dictation, None
        final = await dictation.final()
        self._offset_s += dictation.audio_s
        return final

    async def _rest(self) -> str:
        offset_s = self._offset_s
        if self._dictation is not None and self._inbound is not None:
            await self._dictation.audio(self._inbound.end())
            self._inbound = Inbound(self._settings.rate)
        final = await self._finish() if self._dictation is not None else Final("")
        return result(final, self._settings, offset_s)

    async def _send(self, reply: str) -> None:
        async with asyncio.timeout(STALL_S):
            await self._socket.send(reply)


def _language(socket: ServerConnection, default: Language) -> Language:
    """Of ws://…:2700/de; Vosk's own server has one language."""
    path = socket.request.path.partition("?")[0].strip("/") if socket.request else ""
    return next((language for language in LANGUAGES if language == path), default)
