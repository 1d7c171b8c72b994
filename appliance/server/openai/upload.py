"""A form with a file in it (multipart/form-data, RFC 7578), read while it arrives. python-multipart takes it apart."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from appliance.server.http import Request
from appliance.server.openai.refusals import Refused

logging.getLogger("python_multipart").setLevel(logging.ERROR)
"""It warns of every byte that a stranger gets wrong; the stranger is told."""

MOST_BYTES = 25_000_000
"""OpenAI's own limit of a file."""
MOST_FIELDS = 40
MOST_FIELD_BYTES = 20_000
FILE = "file"


@dataclass
class _Part:
    name: str = ""
    file_name: str | None = None
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    is_disposition: bool = False


class Upload:
    """One request's form. fields: those that have come so far, a list for each name."""

    def __init__(self, request: Request) -> None:
        """Raises Refused for a body that is no form."""
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise Refused("bad_form", "Send the file as multipart/form-data.")
        self.fields: dict[str, list[str]] = {}
        self.file_name = ""
        self.is_whole = False
        """All of the form has come."""
        self._body = request.body
        self._file = bytearray()
        self._in_file = self._had_file = False
        self._part = _Part()
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                },
            )
        except FormParserError as error:
            raise Refused("bad_form", f"This form cannot be read: {error}") from None

    def one(self, name: str, default: str = "") -> str:
        """The last value of a field."""
        return self.fields.get(name, [default])[-1]

    async def to_file(self) -> None:
        """Read until the file begins; the fields before it are known then. Raises Refused if there is none."""
        while not self._had_file:
            if not await self._read():
                raise Refused("no_file", "There is no file in this form.", FILE)

    async def file(self) -> AsyncGenerator[bytes, None]:
        """The file, piece by piece; after it the fields behind it are known too."""
        size = 0
        while True:
            piece, self._file = bytes(self._file), bytearray()
            size += len(piece)
            if size > MOST_BYTES:
                raise Refused("too_large", f"The file has more than {MOST_BYTES} bytes, which is the limit.", FILE)
            if piece:
                yield piece
            elif self.is_whole or not await self._read():
                return

    async def _read(self) -> bool:
        data = await self._body.read()
        try:
            if data:
                self._parser.write(data)
            else:
                self._parser.finalize()
                self.is_whole = True
        except FormParserError as error:
            raise Refused("bad_form", f"This form cannot be read: {error}") from None
        return bool(data)

    def _begin(self) -> None:
        self._part = _Part()

    def _header_name(self, data: bytes, begin: int, end: int) -> None:
        self._part.header += data[begin:end].lower()

    def _header_value(self, data: bytes, begin: int, end: int) -> None:
        if self._part.header == b"content-disposition":
            self._part.value += data[begin:end]

    def _header_end(self) -> None:
        part = self._part
        if part.header == b"content-disposition":
            _, options = parse_options_header(bytes(part.value))
            part.name = options.get(b"name", b"").decode("utf-8", "replace")
            file_name = options.get(b"filename")
            part.file_name = None if file_name is None else file_name.decode("utf-8", "replace")
            part.value.clear()
            if part.name == FILE:
                if self._had_file:
                    raise FormParserError("two files, expected one")
                self._in_file = self._had_file = True
                self.file_name = part.file_name or ""
        part.header.clear()

    def _data(self, data: bytes, begin: int, end: int) -> None:
        if self._in_file:
            self._file += data[begin:end]
            return
        self._part.value += data[begin:end]
        if len(self._part.value) > MOST_FIELD_BYTES:
            raise FormParserError(f"the field {self._part.name!r:.40} has more than {MOST_FIELD_BYTES} bytes")

    def _end(self) -> None:
        if self._in_file:
            self._in_file = False
            return
        values = self.fields.setdefault(self._part.name.removesuffix("[]"), [])
        values.append(self._part.value.decode("utf-8", "replace"))
        if sum(map(len, self.fields.values())) > MOST_FIELDS:
            raise FormParserError(f"more than {MOST_FIELDS} fields")
