"""Short messages between the assistant and the programs beside it: one JSON object a datagram on a Unix socket.

Nobody waits for anybody: without a listener a message is lost, and that is no error. Who may send is decided by the
permissions of the socket's directory.
"""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

SAY = Path("/run/stimme/say")
"""The assistant listens: {"en": "…", "de": "…"} is said aloud at the device."""

SCREEN = Path("/run/stimme-console/screen")
"""The screen listens: what the device hears and says, and how loud it is."""

LARGEST_BYTES = 8192


def send(address: Path, **message: object) -> bool:
    """Send without waiting; False if nobody listens."""
    data = json.dumps(message, ensure_ascii=False).encode()[:LARGEST_BYTES]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as channel:
        try:
            channel.sendto(data, str(address))
        except OSError:  # not there, not ours, or too slow
            return False
    return True


class Inbox:
    """A socket that messages come to. Closed and removed at exit. Raises OSError if the directory is missing."""

    def __init__(self, address: Path) -> None:
        self._address = address
        address.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            self._socket.bind(str(address))
            os.chmod(address, 0o660)
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, *exception: object) -> None:
        self._socket.close()
        self._address.unlink(missing_ok=True)

    def fileno(self) -> int:
        """For loop.add_reader."""
        return self._socket.fileno()

    def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """The next message; None if none came in time or it was no JSON object."""
        self._socket.settimeout(timeout_s)
        try:
            message = json.loads(self._socket.recv(LARGEST_BYTES))
        except (TimeoutError, BlockingIOError, ValueError):
            return None
        return message if isinstance(message, dict) else None
