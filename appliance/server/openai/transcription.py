"""POST /v1/audio/transcriptions: a file comes, what is said in it goes back. WAV is heard while it arrives."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from appliance.audio.containers import container, unpacked_container
from appliance.audio.files import WavStream, is_wav, unpacked
from appliance.errors import ProtocolError
from appliance.guests import Guests
from appliance.language import Language
from appliance.longhand import Passage, passages
from appliance.server.access import Visitor
from appliance.server.http import TEXT, HttpError, Request, Response, respond
from appliance.server.openai.refusals import JSON, Refused, refusal, refused
from appliance.server.openai.subtitles import srt, text_of, verbose, vtt
from appliance.server.openai.upload import FILE, MOST_BYTES, Upload

Run = Callable[..., Awaitable[Any]]

FORMATS = ("json", "text", "srt", "vtt", "verbose_json")
MOST_KEPT_BYTES = 2 * MOST_BYTES
"""Of all files together that have to be whole before they can be heard."""
HEAD_BYTES = 12


class Transcription:
    """run: for what takes long, in a thread of its own."""

    def __init__(self, guests: Guests, run: Run) -> None:
        self._guests, self._run = guests, run
        self._kept_bytes = 0

    async def answer(self, request: Request, visitor: Visitor) -> Response:
        """See Route."""
        try:
            upload = Upload(request)
            await upload.to_file()
            _refuse_format(upload)
            if upload.one("stream").lower() == "true":
                return Response(200, self._told(request, upload), "text/event-stream")
            found = [passage async for passage in self._heard(request, upload)]
            _refuse_format(upload)  # it may have come behind the file
            return _shown(found, upload, self._language(upload))
        except HttpError as error:
            return refusal(error.status, str(error))
        except ProtocolError as error:
            return refused(error)

    async def _told(self, request: Request, upload: Upload) -> AsyncGenerator[bytes, None]:
        """Server-sent events, a delta a passage."""
        text = ""
        try:
            async with aclosing(self._heard(request, upload)) as heard:
                async for passage in heard:
                    if passage.text:
                        delta = f"{' ' if text else ''}{passage.text}"
                        text += delta
                        yield _event({"type": "transcript.text.delta", "delta": delta})
            yield _event({"type": "transcript.text.done", "text": text})
        except ConnectionError:
            return
        except (ProtocolError, HttpError) as error:
            yield _event(
                {
                    "type": "error",
                    "error": {
                        "message": str(error),
                        "type": "invalid_request_error",
                        "code": getattr(error, "code", None),
                    },
                }
            )

    async def _heard(self, request: Request, upload: Upload) -> AsyncGenerator[Passage, None]:
        async with aclosing(upload.file()) as file:
            head = b""
            async for piece in file:
                head += piece
                if len(head) >= HEAD_BYTES:
                    break
            # A form that begins with its file says later in which language it is.
            sound = _streamed(head, file) if is_wav(head) and upload.fields else self._whole(head, file)
            async with aclosing(sound):
                begun = await anext(sound, b"")
                language = self._language(upload)
                async with aclosing(passages(self._guests, _together(begun, sound), language)) as found:
                    async for passage in found:
                        yield passage
                        if request.body.is_lost:
                            return
        if self._language(upload) != language:
            raise Refused("late_field", "The language came behind the file. Send it before.", "language")

    async def _whole(self, head: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """A file that has to be there before it can be heard, as s16le at 16 kHz."""
        file = bytearray()
        try:
            async for piece in _together(head, rest):
                file += piece
                self._kept_bytes += len(piece)
                if self._kept_bytes > MOST_KEPT_BYTES:
                    raise Refused("busy", "Too many files are being heard; try again in a moment.")
            if is_wav(bytes(file[:HEAD_BYTES])):
                wav = WavStream()
                yield wav.feed(bytes(file)) + wav.end()
                return
            if len(file) < HEAD_BYTES:
                raise Refused("bad_file", f"The file has {len(file)} bytes, which is no sound.", FILE)
            kept = bytes(file)
            blocks = unpacked_container(kept) if container(kept) else unpacked(kept)
            while (pcm := await self._run(_next, blocks)) is not None:
                yield pcm
        finally:
            self._kept_bytes -= len(file)

    def _language(self, upload: Upload) -> Language:
        """As the form says; else that of the recognizer it names."""
        if wanted := upload.one("language"):
            return self._guests.language_of(wanted)
        names = self._guests.faculties.ears.names
        return next((one for one, name in names.items() if name == upload.one("model")), self._guests.language)


async def _streamed(head: bytes, rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """A WAV file as it arrives, as s16le at 16 kHz."""
    wav = WavStream()
    async for piece in _together(head, rest):
        yield wav.feed(piece)
    yield wav.end()


async def _together(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _next(blocks: Iterator[bytes]) -> bytes | None:
    return next(blocks, None)


def _refuse_format(upload: Upload) -> None:
    wanted = upload.one("response_format", "json")
    if wanted not in FORMATS:
        raise Refused(
            "bad_field", f"response_format is {wanted!r:.40}, expected one of {', '.join(FORMATS)}", "response_format"
        )


def _shown(found: Sequence[Passage], upload: Upload, language: Language) -> Response:
    match upload.one("response_format", "json"):
        case "json" | "":
            told = {"text": text_of(found), "usage": {"type": "duration", "seconds": _seconds(found)}}
            return respond(200, json.dumps(told, ensure_ascii=False) + "\n", JSON)
        case "text":
            return respond(200, text_of(found) + "\n", TEXT)
        case "srt":
            return respond(200, srt(found), "application/x-subrip; charset=utf-8")
        case "vtt":
            return respond(200, vtt(found), "text/vtt; charset=utf-8")
        case _:
            granularities = upload.fields.get("timestamp_granularities", [])
            told = verbose(found, language, granularities)
            return respond(200, json.dumps(told, ensure_ascii=False) + "\n", JSON)


def _seconds(found: Sequence[Passage]) -> int:
    return math.ceil(found[-1].end_s) if found else 0


def _event(fields: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(fields, ensure_ascii=False)}\n\n".encode()
