"""`stimme run --processes N`: several web processes on the same ports; the kernel deals connections out to them.

They share what they must know through Redis. The first one alone has the device and what only one may offer.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from appliance.config import Config
from appliance.errors import ConfigError
from appliance.systemd import notify

log = logging.getLogger(__name__)

MOST = 64
STOP_S = 15.0
"""So long they may take to finish what is under way."""
AGAIN_S = 1.0
"""Before one that ended is started anew."""
ONLY_ONE = {"STIMME_DEVICE": "off", "STIMME_WYOMING": "off", "STIMME_VOSK": "off", "STIMME_MQTT": ""}
"""Settings of all but the first."""


def run_several(config: Config, count: int, arguments: Sequence[str]) -> int:
    """Run until SIGINT or SIGTERM; one that ends is started anew. Returns the exit code. Raises ConfigError."""
    if not 1 <= count <= MOST:
        raise ConfigError(f"--processes {count}: expected 1 to {MOST}")
    if not config.farm.redis:
        raise ConfigError(
            "--processes needs STIMME_REDIS, through which the processes share timers, sessions and tokens, and "
            "workers that hear and speak (docs/farm.md)"
        )
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with _ports(config) as ports:
        started = [_start(index, arguments, ports) for index in range(count)]
        notify("READY=1")
        while not stopping:
            time.sleep(0.1)
            for index, process in enumerate(started):
                code = process.poll()
                if code is not None and not stopping:
                    if code in (2, 3):  # settings or models: it would fail again
                        stopping = True
                        _stop(started)
                        return code
                    log.error("web process %d ended with exit code %d; it is started again", index + 1, code)
                    time.sleep(AGAIN_S)
                    started[index] = _start(index, arguments, ports)
        notify("STOPPING=1")
        return _stop(started)


def _start(index: int, arguments: Sequence[str], ports: Mapping[str, str]) -> subprocess.Popen[bytes]:
    kept = list(arguments)
    at = next(number for number, one in enumerate(kept) if one.startswith("--processes"))
    del kept[at : at + (1 if "=" in kept[at] else 2)]
    if index:
        kept = [one for one in kept if one not in ("--device", "--wyoming", "--vosk")]
    return subprocess.Popen([sys.executable, "-m", "appliance", *kept], env=_environment(index, ports))


def _environment(index: int, ports: Mapping[str, str]) -> dict[str, str]:
    """Of one process. What only one may offer is off in all but the first, wherever it was switched on."""
    environment = {**os.environ, **ports, "STIMME_SHARES_PORTS": "on", **(ONLY_ONE if index else {})}
    environment.pop("NOTIFY_SOCKET", None)  # this process speaks with systemd
    return environment


def _stop(started: Sequence[subprocess.Popen[bytes]]) -> int:
    for process in started:
        process.terminate()
    deadline = time.monotonic() + STOP_S
    for process in started:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, deadline - time.monotonic()))
        if process.poll() is None:
            process.kill()
            process.wait()
    return max(abs(int(process.returncode)) for process in started)


@contextmanager
def _ports(config: Config) -> Iterator[dict[str, str]]:
    """The ports that all share. A free one is chosen here, and kept bound but not listened to, so it stays theirs."""
    held: list[socket.socket] = []
    chosen: dict[str, str] = {}
    for name, port in (
        ("STIMME_PAGE_PORT", config.server.page_port),
        ("STIMME_PORT", config.server.port),
        ("STIMME_SECURE_PORT", config.server.secure_port),
    ):
        if port == 0:
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(("127.0.0.1" if not config.server.lan else "0.0.0.0", 0))
            held.append(one)
            port = one.getsockname()[1]
        chosen[name] = str(port)
    try:
        yield chosen
    finally:
        for one in held:
            one.close()
