"""The screen on HDMI: name, addresses and a QR code, how loud it is, the last words heard. No keyboard needed.

    python -m appliance.system.console          draws on this terminal until it is told to stop

It knows nothing of the assistant but the datagrams it gets (neighbours.py) and what systemd says of it.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, field, replace
from math import log10
from pathlib import Path
from typing import Any

import segno

from appliance import neighbours

LOOK_S = 5.0
"""How often addresses and the service's state are looked at."""

FORGET_S = 60.0
"""What was heard does not stay on the screen for everybody who comes by."""

METER = 40
"""Characters of the level meter, -60 … 0 dB."""

HOTSPOT = Path("/run/stimme-system/hotspot")


@dataclass(frozen=True)
class View:
    """What there is to show."""

    name: str = "stimme"
    addresses: tuple[str, ...] = ()
    state: str = "starting"
    """starting, idle, listening, speaking, failed"""
    problem: str = ""
    level: float | None = None
    heard: str = ""
    answer: str = ""
    hotspot: dict[str, str] = field(default_factory=dict)
    """ssid and password while the device makes its own Wi-Fi."""

    @property
    def url(self) -> str:
        """What the QR code opens. The address, because older phones do not find .local names."""
        return f"http://{self.addresses[0]}/" if self.addresses else ""


STATES = {
    "starting": "starting ... / startet ...",
    "idle": "ready / bereit",
    "listening": "listening / hört zu",
    "speaking": "speaking / spricht",
    "failed": "cannot start / kann nicht starten",
}


def picture(view: View, columns: int, rows: int) -> list[str]:
    """The screen's lines, at most so many and so wide."""
    lines = ["", f"  Stimme  ·  {STATES.get(view.state, view.state)}", ""]
    if view.hotspot:
        ssid, password = view.hotspot.get("ssid", ""), view.hotspot.get("password", "")
        lines += [
            f"  Wi-Fi / WLAN:         {ssid}",
            f"  Password / Passwort:  {password}",
            "  then open / dann öffnen: http://10.42.0.1/",
            "",
        ]
        code = _qr(f"WIFI:T:WPA;S:{ssid};P:{password};;")
    else:
        lines += [f"  http://{view.name}.local/", *(f"  http://{address}/" for address in view.addresses)]
        if not view.addresses:
            lines.append("  no network yet / noch kein Netz")
        lines.append("")
        code = _qr(view.url.upper()) if view.url else []  # capitals make a smaller code
    if view.problem:
        lines += [f"  {line}" for line in textwrap.wrap(view.problem, max(20, columns - 4))] + [""]
    lines += [f"  {_meter(view.level)}", ""]
    for sign, text in ((">", view.heard), ("<", view.answer)):
        lines += [f"  {sign} {line}" for line in textwrap.wrap(text, max(20, columns - 6))[:3]]
    if code and len(lines) + len(code) + 1 <= rows:
        lines += ["", *(f"  {line}" for line in code)]
    return [line[:columns] for line in lines[:rows]]


def _qr(content: str) -> list[str]:
    """A QR code, two characters a module. Light is drawn, dark left out, for a terminal is dark; with a margin of two.

    In full blocks: Debian's console fonts have no half ones.
    """
    return [
        "".join("  " if dark else "██" for dark in row)
        for row in segno.make(content, error="l", micro=False).matrix_iter(border=2)
    ]


def _meter(level: float | None) -> str:
    if level is None:
        return "no microphone / kein Mikrofon"
    loud = max(0.0, min(1.0, 1 + 20 * log10(max(level, 1e-4)) / 60))
    filled = round(loud * METER)
    return f"[{'█' * filled}{'·' * (METER - filled)}]"


def told(view: View, message: dict[str, Any]) -> View:
    """The view after a message from the assistant."""
    known = {key: value for key, value in message.items() if key in ("state", "level", "heard", "answer")}
    return replace(view, **known)


def look(view: View) -> View:
    """The view with what the system says now."""
    state, problem = view.state, ""
    service = _output("systemctl", "show", "--property=ActiveState", "--value", "stimme.service").strip()
    if service == "failed":
        state, problem = "failed", _last_complaint()
    elif service != "active":
        state = "starting"
    elif state in ("starting", "failed"):
        state = "idle"
    try:
        hotspot = json.loads(HOTSPOT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        hotspot = {}
    return replace(
        view, name=socket.gethostname(), addresses=_addresses(), state=state, problem=problem, hotspot=hotspot
    )


def _addresses() -> tuple[str, ...]:
    try:
        links = json.loads(_output("ip", "-json", "-4", "address", "show", "up", "scope", "global") or "[]")
    except ValueError:
        return ()
    return tuple(one["local"] for link in links for one in link.get("addr_info", ()) if "local" in one)


def _last_complaint() -> str:
    """What the assistant said before it gave up: its one line on standard error."""
    lines = _output("journalctl", "--unit=stimme.service", "--boot", "--output=cat", "--lines=30", "--no-pager")
    complaints = [line.removeprefix("stimme: ") for line in lines.splitlines() if line.startswith("stimme: ")]
    return complaints[-1] if complaints else "see / siehe: journalctl -u stimme"


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def main() -> int:
    """Draw until stopped; only what changed is written, so that an idle screen costs nothing."""
    out = io.TextIOWrapper(os.fdopen(os.dup(sys.stdout.fileno()), "wb"), encoding="utf-8", errors="replace")
    out.write("\x1b[2J\x1b[?25l\x1b[9;0]")  # clear, no cursor, no blanking
    view, shown, looked_at, words_at = View(), [""], 0.0, 0.0
    with neighbours.Inbox(neighbours.SCREEN) as inbox:
        while True:
            now = time.monotonic()
            if now - looked_at >= LOOK_S:
                view, looked_at = look(view), now
            if view.heard + view.answer and now - words_at > FORGET_S:
                view = replace(view, heard="", answer="")
            size = shutil.get_terminal_size((80, 25))
            lines = picture(view, size.columns, size.lines - 1)
            if lines != shown:
                out.write("\x1b[H" + "".join(f"{line}\x1b[K\r\n" for line in lines) + "\x1b[J")
                out.flush()
                shown = lines
            message = inbox.receive(LOOK_S)
            if message:
                view = told(view, message)
                if message.get("heard") or message.get("answer"):
                    words_at = time.monotonic()


if __name__ == "__main__":
    sys.exit(main())
