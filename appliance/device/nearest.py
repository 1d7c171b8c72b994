"""Several devices hear the same wake word: the one that hears it best answers.

Each tells its peers, which its owner has named, how far the word stood out of its own room's noise, waits for the rest
of a short window whether somebody heard it better, and else answers. One datagram each way: the word, the figure, the
time, a chance number, and a code that only who has the shared key can make. No sound, nothing to anybody else.
Whoever does not come through, is late, or has the wrong time is not counted; then both answer.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.audio.quiet import signal_db
from appliance.errors import ConfigError

log = logging.getLogger(__name__)

WINDOW_S = 0.3
"""From hearing the word to answering; what is said meanwhile is kept."""

LEAST_S = 0.06
"""At least so long after telling the others; a network in one house takes a few milliseconds."""

SAME_S = 1.0
"""What was heard so long ago elsewhere was the same word."""

FRESH_S = 30.0
"""By so much clocks may differ; older datagrams are somebody's recording."""

KEY_BYTES = 16
"""The shortest key."""

_MOST_BYTES = 512


@dataclass(frozen=True)
class Claim:
    """Somebody heard a word."""

    word: str
    db: float
    chance: str
    """Decides where two hear it alike, and tells two claims apart."""
    at: float
    """Seconds since 1970, by the clock of whoever heard it."""

    def sealed(self, key: bytes) -> bytes:
        """As it is sent."""
        body = json.dumps([self.word, round(self.db, 2), self.chance, self.at])
        return f"{hmac.digest(key, body.encode(), 'sha256').hex()} {body}".encode()

    @classmethod
    def opened(cls, datagram: bytes, key: bytes) -> Claim | None:
        """What was sent; None if it is none, or from somebody without the key."""
        code, _, body = datagram[:_MOST_BYTES].partition(b" ")
        if not hmac.compare_digest(code, hmac.digest(key, body, "sha256").hex().encode()):
            return None
        word, db, chance, at = json.loads(body)  # its sender has the key, and is one of us
        return cls(str(word), float(db), str(chance), float(at))

    @property
    def rank(self) -> tuple[float, str]:
        return round(self.db, 2), self.chance


def read_key(path: str) -> bytes:
    """The shared key. Raises ConfigError."""
    try:
        key = Path(path).read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"device.peers_key: {path!r} cannot be read ({error.strerror})") from error
    if len(key) < KEY_BYTES:
        raise ConfigError(f"device.peers_key: {path!r} holds {len(key)} bytes, expected {KEY_BYTES} or more")
    return key


def _place(peer: str) -> tuple[str, int]:
    """Host and port of a peer; port 0 for the one that all use. Raises ConfigError."""
    host, _, port = peer.partition(":")
    if not host or port and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ConfigError(f"device.peers: {peer!r}, expected a host name or address, or HOST:PORT (IPv4)")
    return host, int(port or 0)


class Nearest(asyncio.DatagramProtocol):
    """Belongs to one event loop. peers: hosts that listen at `port` too, or "HOST:PORT"; by IPv4. now: seconds since
    1970. Raises ConfigError for a peer that is neither.
    """

    def __init__(
        self,
        peers: Sequence[str],
        port: int,
        key: bytes,
        *,
        host: str = "0.0.0.0",  # noqa: S104 - its owner has named peers; whatever has no key is thrown away
        now: Callable[[], float] = time.time,
    ) -> None:
        self.know(peers)
        self._host, self.port, self._key, self._now = host, port, key, now
        self._transport: asyncio.DatagramTransport | None = None
        self._heard: dict[str, tuple[Claim, float]] = {}
        """By chance number; with when it came, by this device's clock."""

    def know(self, peers: Sequence[str]) -> None:
        """These are the others, from now on. Raises ConfigError."""
        self._peers = [_place(peer) for peer in peers]

    async def run(self) -> None:
        """Be reachable, until cancelled. Without that, or where the port is taken, this device answers by itself."""
        loop = asyncio.get_running_loop()
        try:
            transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self._host, self.port))
        except OSError as error:
            log.warning("other rooms cannot be heard at UDP port %d: %s", self.port, error.strerror)
            return
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]
        try:
            await loop.create_future()
        finally:
            self._transport = None
            transport.close()

    async def is_here(self, word: str, pcm: bytes, passed_s: float) -> bool:
        """Whether this device is to answer the word, which it heard passed_s ago. pcm: the sound with it."""
        transport = self._transport
        if transport is None or not self._peers:
            return True
        mine = Claim(word, signal_db(pcm), secrets.token_hex(8), self._now())
        datagram = mine.sealed(self._key)
        for host, port in self._peers:
            try:
                found = await asyncio.get_running_loop().getaddrinfo(host, port or self.port, family=socket.AF_INET)
            except OSError as error:
                log.debug("%s is not in the network: %s", host, error)
                continue
            transport.sendto(datagram, found[0][4])
        await asyncio.sleep(max(LEAST_S, WINDOW_S - passed_s))
        now = self._now()
        others = [claim for claim, came in self._heard.values() if claim.word == word and now - came <= SAME_S]
        return all(claim.rank < mine.rank for claim in others)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """See asyncio.DatagramProtocol."""
        claim, now = Claim.opened(data, self._key), self._now()
        if claim is None or abs(claim.at - now) > FRESH_S or claim.chance in self._heard:
            return
        self._heard = {chance: one for chance, one in self._heard.items() if now - one[1] <= FRESH_S}
        self._heard[claim.chance] = claim, now
