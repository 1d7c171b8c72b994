"""A person's browser and a program of theirs, outside the machine: certificate, pairing, typed and spoken questions."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.image.emulation.machine import Machine

PATIENCE_S = 900.0
"""For anything the guest is asked; it may be a hundred times slower than a Raspberry Pi."""

CHUNK_BYTES = 2048
RATE = 16_000


@dataclass(frozen=True)
class Answer:
    """What came back of one question."""

    heard: str
    text: str
    intent: str
    understood: bool
    pcm: bytes
    """The spoken reply, s16le at RATE."""


class Client:
    """name: the device's, for TLS. token: of a place that was paired."""

    def __init__(self, machine: Machine, name: str, token: str = "") -> None:
        self.machine, self.name, self.token = machine, name, token

    def get(self, path: str, port: int = 80) -> tuple[int, bytes]:
        """A plain GET as a stranger on the network."""
        url = f"http://127.0.0.1:{self.machine.ports[port]}{path}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def trust(self) -> ssl.SSLContext:
        """Trust the device's own authority and nobody else, as somebody does who installs it."""
        status, certificate = self.get("/ca.crt")
        assert status == 200, certificate
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(certificate))
        return context

    def post(self, context: ssl.SSLContext, path: str, fields: dict[str, str]) -> tuple[int, dict[str, Any], str]:
        """POST over HTTPS; status, what came back, and its cookie."""
        with socket.create_connection(("127.0.0.1", self.machine.ports[443]), timeout=PATIENCE_S) as plain:
            connection = http.client.HTTPConnection(self.name, timeout=PATIENCE_S)
            connection.sock = context.wrap_socket(plain, server_hostname=self.name)
            connection.request(
                "POST", path, json.dumps(fields), {"Content-Type": "application/json", "Origin": f"https://{self.name}"}
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.headers.get("Set-Cookie", "")

    def pair(self, shown: Callable[[], str]) -> None:
        """As at a first visit: ask for a code, read it where it is shown, type it in. Keeps the token."""
        context = self.trust()
        status, answer, _ = self.post(context, "/pair/request", {})
        assert (status, answer) == (200, {"code": True}), (status, answer)
        deadline = time.monotonic() + PATIENCE_S
        while not (code := re.search(r"(?:code is|code ist): ([\d, ]{16})", text := shown())):
            assert time.monotonic() < deadline, f"no code was shown, but {text!r}"
            time.sleep(2)
        digits = code[1].replace(", ", "")
        wrong = f"{(int(digits) + 1) % 1_000_000:06}"
        status, answer, _ = self.post(context, "/pair", {"code": wrong, "name": "wrong"})
        assert status == 403, "a wrong code was taken"
        status, answer, cookie = self.post(context, "/pair", {"code": digits, "name": "test"})
        assert status == 200, answer
        self.token = cookie.partition("=")[2].partition(";")[0]

    def connected(self) -> ClientConnection:
        """The guide's plain WebSocket, with our token."""
        return connect(
            f"ws://127.0.0.1:{self.machine.ports[8123]}/",
            open_timeout=PATIENCE_S,
            ping_timeout=None,
            max_size=None,
            additional_headers={"Authorization": f"Bearer {self.token}"} if self.token else None,
        )

    def connected_securely(self) -> ClientConnection:
        """The page's WebSocket at port 443, with our cookie, as the browser opens it."""
        plain = socket.create_connection(("127.0.0.1", self.machine.ports[443]), timeout=PATIENCE_S)
        return connect(
            f"wss://{self.name}/",
            sock=plain,
            ssl=self.trust(),
            server_hostname=self.name,
            open_timeout=PATIENCE_S,
            ping_timeout=None,
            additional_headers={"Cookie": f"__Host-stimme={self.token}"},
            origin=Origin(f"https://{self.name}"),
        )

    def ping(self, connection: ClientConnection) -> None:
        """The migration guide's."""
        connection.send('{"type":"ping","timestamp":1732270000}')
        assert _next(connection, "pong")["timestamp"] == 1732270000

    def ask(self, text: str, language: str = "en") -> Answer:
        """A typed question."""
        with self.connected() as server:
            server.send(json.dumps({"type": "hello", "speak": False, "language": language}))
            server.send(json.dumps({"type": "text", "id": "question-1", "text": text, "language": language}))
            answer = _next(server, "answer")
            return Answer("", answer["text"], answer["intent"], answer["understood"], b"")

    def speak(self, pcm: bytes, language: str = "en") -> Answer:
        """One whole spoken turn."""
        with self.connected() as server:
            server.send(json.dumps({"type": "hello", "speak": True, "reply_rate": RATE, "language": language}))
            server.send(json.dumps({"type": "start", "id": "turn-0001", "language": language}))
            for at in range(0, len(pcm), CHUNK_BYTES):
                server.send(pcm[at : at + CHUNK_BYTES])
            server.send(json.dumps({"type": "stop", "id": "turn-0001"}))
            sound = bytearray()
            heard = _next(server, "final", sound)["text"]
            answer = _next(server, "answer", sound)
            _next(server, "speech_end", sound)
            return Answer(heard, answer["text"], answer["intent"], answer["understood"], bytes(sound))


def _next(server: ClientConnection, kind: str, sound: bytearray | None = None) -> dict[str, Any]:
    """The next message of a kind; sound is collected on the way, an error ends it."""
    while True:
        message = server.recv(timeout=PATIENCE_S)
        if isinstance(message, bytes):
            if sound is not None:
                sound += message
            continue
        content: dict[str, Any] = json.loads(message)
        if content["type"] == kind:
            return content
        assert content["type"] != "error", content
