"""Restarting and switching off the appliance, by way of systemd's logind on the system bus. Every call blocks.

The service may not become root (NoNewPrivileges), so it asks; polkit lets the user `stimme` have it (the image's
/etc/polkit-1/rules.d/60-stimme.rules). org.freedesktop.login1(5) names the methods.
"""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from appliance.config import APPLIANCE_FILE

log = logging.getLogger(__name__)

What = Literal["restart", "shutdown"]

TIMEOUT_S = 10.0
_LOGIND = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")
_METHODS: dict[What, str] = {"restart": "Reboot", "shutdown": "PowerOff"}

Bus = Callable[..., str]
"""Calls a method of logind by name and arguments; returns what busctl prints. Raises OSError."""


def is_appliance(file: Path = APPLIANCE_FILE) -> bool:
    """Whether this is the image's service: only there the whole device is the assistant's."""
    return file.is_file() and "INVOCATION_ID" in os.environ  # systemd.exec(5): of services only


def may(what: What, bus: Bus | None = None) -> bool:
    """Whether the system would do it now, without asking anybody."""
    try:
        return '"yes"' in (bus or _busctl)(f"Can{_METHODS[what]}")
    except OSError as error:
        log.error("cannot ask the system whether it would %s: %s", what, error)
        return False


def do(what: What, bus: Bus | None = None) -> None:
    """Do it. Logs what went wrong: by then nobody listens any more."""
    try:
        (bus or _busctl)(_METHODS[what], "b", "false")
    except OSError as error:
        log.error("the system does not %s: %s", what, error)


def _busctl(method: str, *arguments: str) -> str:
    command = ["busctl", "--system", "call", *_LOGIND, method, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"no answer for {TIMEOUT_S:g} s") from error
    if done.returncode:
        raise OSError(done.stderr.strip() or f"busctl ended with code {done.returncode}")
    return done.stdout
