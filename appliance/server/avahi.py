"""What avahi says, where it runs and answers for this host: through its socket, one line each way."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from appliance.server.names import Address

SOCKET = Path("/run/avahi-daemon/socket")
PATIENCE_S = 6.0
"""avahi asks the network for five seconds before it says that nobody knows."""


def answers_for(name: str) -> bool:
    """Whether avahi runs here and this host is called so, as on the image; else it answers for another name only."""
    return SOCKET.exists() and f"{socket.gethostname().lower().removesuffix('.local')}.local" == name


async def called(address: Address) -> str:
    """The name of an address of this host, after avahi has given way to others; "" if it says none."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_unix_connection(SOCKET)
            try:
                writer.write(f"RESOLVE-ADDRESS {address}\n".encode())
                answer = (await reader.readline()).decode(errors="replace").split()
            finally:
                writer.close()
    except (OSError, ValueError):  # includes its own time-out, and a line without an end
        return ""
    return answer[-1].lower() if len(answer) >= 4 and answer[0] == "+" else ""
