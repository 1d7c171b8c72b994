"""Talking to systemd, if it listens: readiness and watchdog. Nothing happens elsewhere."""

from __future__ import annotations

import asyncio
import os
import socket


def notify(state: str) -> None:
    """Tell systemd, if it listens (sd_notify(3): one datagram to $NOTIFY_SOCKET; a leading @ is an abstract name)."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(state.encode(), address.replace("@", "\0", 1) if address[0] == "@" else address)


async def feed_watchdog() -> None:
    """Tell systemd twice a period that the event loop turns (sd_watchdog_enabled(3): $WATCHDOG_USEC)."""
    period_s = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
    while period_s:
        notify("WATCHDOG=1")
        await asyncio.sleep(period_s / 2)
