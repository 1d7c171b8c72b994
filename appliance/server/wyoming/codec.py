"""Wyoming's events as bytes: a line of JSON, then `data_length` bytes of JSON, then `payload_length` bytes.

https://github.com/OHF-Voice/wyoming. The reference reads whatever lengths a header names; here each has a limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.errors import ProtocolError
from appliance.server.json_object import json_object

VERSION = "1.10.2"
"""Of the protocol's reference, by which this was written."""

MOST_HEADER_BYTES = 64 * 1024
MOST_DATA_BYTES = 256 * 1024
MOST_PAYLOAD_BYTES = 1024 * 1024
"""33 s of 16 kHz sound; clients send tens of milliseconds at a time."""


@dataclass(frozen=True)
class Event:
    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes = b""

    def text(self, name: str) -> str:
        """A text of its data; "" if there is none. Raises ProtocolError for anything else."""
        value = self.data.get(name)
        if value is not None and not isinstance(value, str):
            raise ProtocolError("bad_field", f"{self.type}: {name} is {value!r:.60}, expected text")
        return value or ""

    def number(self, name: str) -> int:
        """A whole number of its data. Raises ProtocolError."""
        value = self.data.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ProtocolError("bad_field", f"{self.type}: {name} is {value!r:.60}, expected a whole number")
        return value

    def table(self, name: str) -> Mapping[str, Any]:
        """A JSON object of its data; empty if there is none. Raises ProtocolError for anything else."""
        value = self.data.get(name)
        if value is not None and not isinstance(value, dict):
            raise ProtocolError("bad_field", f"{self.type}: {name} is {value!r:.60}, expected an object")
        return value or {}


def encode(type: str, data: Mapping[str, Any] | None = None, payload: bytes = b"") -> bytes:
    """One event as the reference writes it."""
    header: dict[str, Any] = {"type": type, "version": VERSION}
    content = json.dumps(data, ensure_ascii=False).encode() if data else b""
    if content:
        header["data_length"] = len(content)
    if payload:
        header["payload_length"] = len(payload)
    return json.dumps(header).encode() + b"\n" + content + payload


class Decoder:
    """Bytes as they come → events. Keeps no more than one event."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._header: dict[str, Any] | None = None
        self._data_bytes = self._payload_bytes = 0

    @property
    def is_inside(self) -> bool:
        """A part of an event has come."""
        return bool(self._bytes) or self._header is not None

    def feed(self, data: bytes) -> Iterator[Event]:
        """More has come; gives the events that are whole. Raises ProtocolError, after which nothing can be read."""
        self._bytes += data
        while (event := self._next()) is not None:
            yield event

    def _next(self) -> Event | None:
        if self._header is None and not self._read_header():
            return None
        header, end = self._header, self._data_bytes + self._payload_bytes
        if header is None or len(self._bytes) < end:
            return None
        data = _object(self._bytes[: self._data_bytes], "data") if self._data_bytes else {}
        payload = bytes(self._bytes[self._data_bytes : end])
        del self._bytes[:end]
        self._header = None
        inline = header.get("data")
        return Event(header["type"], (inline if isinstance(inline, dict) else {}) | data, payload)

    def _read_header(self) -> bool:
        end = self._bytes.find(b"\n", 0, MOST_HEADER_BYTES + 1)
        if end < 0:
            if len(self._bytes) > MOST_HEADER_BYTES:
                raise ProtocolError("too_long", f"a header of more than {MOST_HEADER_BYTES} bytes, which is the limit")
            return False
        header = _object(self._bytes[:end], "header")
        del self._bytes[: end + 1]
        if not isinstance(header.get("type"), str):
            raise ProtocolError("bad_header", f"type is {header.get('type')!r:.60}, expected text")
        self._data_bytes = _length(header, "data_length", MOST_DATA_BYTES)
        self._payload_bytes = _length(header, "payload_length", MOST_PAYLOAD_BYTES)
        self._header = header
        return True


def _object(content: bytearray, what: str) -> dict[str, Any]:
    try:
        return json_object(bytes(content))
    except ValueError as error:
        raise ProtocolError("bad_json", f"an event's {what} is {error}: {bytes(content[:60])!r}") from None


def _length(header: Mapping[str, Any], name: str, most: int) -> int:
    value = header.get(name) or 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise ProtocolError("bad_length", f"{name} is {value!r:.40}, expected 0 to {most}")
    return value
