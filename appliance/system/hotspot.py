"""A Wi-Fi of the device's own, when it has no network: to give it the house's Wi-Fi without a screen or a keyboard.

    python -m appliance.system.hotspot          as root, once after each start of the device

60 s after the start without any link: a hotspot named after the device, with a password that is said aloud and shown on
the screen, and on its port 80 one form, "join Wi-Fi". Back to client mode when it is filled in; if that network does
not take the password, the hotspot comes again. After ten minutes without anybody the device gives up until the next
start, and goes on looking for the networks it knows. NetworkManager does all the work (nmcli(1)).
"""

from __future__ import annotations

import html
import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from appliance import neighbours

log = logging.getLogger(__name__)

GRACE_S = 60.0
"""So long a known network, or a cable, has time to appear."""

OPEN_S = 600.0
"""So long the hotspot waits for somebody."""

CONNECTION = "stimme-hotspot"
ADDRESS = "10.42.0.1"
"""NetworkManager's own for shared connections."""

FORM_PORT = 8090
"""The page has port 80; the firewall sends the hotspot's guests from there to this form (etc/nftables.conf)."""

STATE = Path("/run/stimme-system/hotspot")
LARGEST_FORM_BYTES = 2048

Run = Callable[[Sequence[str]], tuple[int, str]]
"""Runs a command: its exit code and output."""


def run(command: Sequence[str]) -> tuple[int, str]:
    """As subprocess, with a limit."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    return done.returncode, done.stdout + done.stderr


@dataclass(frozen=True)
class Wish:
    """What somebody typed into the form."""

    ssid: str
    password: str


def has_link(run: Run) -> bool:
    """Whether any wired or wireless device is connected, or about to be."""
    _, text = run(["nmcli", "--terse", "--fields", "TYPE,STATE", "device"])
    states = [line.split(":", 1) for line in text.splitlines() if ":" in line]
    return any(kind in ("ethernet", "wifi") and state.startswith("connect") for kind, state in states)


def wifi_device(run: Run) -> str | None:
    """The first Wi-Fi device."""
    _, text = run(["nmcli", "--terse", "--fields", "DEVICE,TYPE", "device"])
    return next((line.split(":")[0] for line in text.splitlines() if line.endswith(":wifi")), None)


def networks(run: Run) -> list[str]:
    """Names of the networks around, the strongest first. Must be asked before the hotspot opens: then it is deaf."""
    _, text = run(
        ["nmcli", "--terse", "--escape", "no", "--fields", "SIGNAL,SSID", "device", "wifi", "list", "--rescan", "yes"]
    )
    found = [line.partition(":") for line in text.splitlines()]
    strongest = sorted((int(signal), ssid) for signal, _, ssid in found if signal.isdecimal() and ssid)[::-1]
    return list(dict.fromkeys(ssid for _, ssid in strongest))


def open_hotspot(run: Run, device: str, ssid: str, password: str) -> bool:
    """Make the hotspot; False if the device cannot."""
    code, text = run(
        [
            "nmcli",
            "device",
            "wifi",
            "hotspot",
            "ifname",
            device,
            "con-name",
            CONNECTION,
            "ssid",
            ssid,
            "password",
            password,
        ]
    )
    if code:
        log.warning("the hotspot cannot be opened: %s", text.strip())
    return code == 0


def close_hotspot(run: Run) -> None:
    """Back to client mode. The connection is deleted, so that its password is of no use later."""
    run(["nmcli", "connection", "delete", CONNECTION])


def join(run: Run, device: str, wish: Wish) -> bool:
    """Join a network and keep it; False, and nothing kept, if it does not take us."""
    # For a moment the password is among nmcli's arguments; the service cannot see other programs' (ProtectProc).
    secret = ["password", wish.password] if wish.password else []
    code, text = run(["nmcli", "--wait", "60", "device", "wifi", "connect", wish.ssid, *secret, "ifname", device])
    if code:
        log.warning("%r could not be joined: %s", wish.ssid, text.strip().replace(wish.password or "\0", "…"))
        run(["nmcli", "connection", "delete", wish.ssid])
    return code == 0


def page(names: Sequence[str], failed: str = "") -> str:
    """The form, in both languages, without scripts."""
    options = "".join(f'<option value="{html.escape(name)}">' for name in names)
    sorry = (
        (
            f"<p><b>“{html.escape(failed)}” did not take the password. / „{html.escape(failed)}“ hat das Passwort "
            "nicht angenommen.</b></p>"
        )
        if failed
        else ""
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>Stimme: Wi-Fi</title><style>body{font:1.1em sans-serif;margin:2em auto;max-width:24em}"
        "input,button{font:inherit;width:100%;padding:.6em;margin:.3em 0 1em;box-sizing:border-box}</style>"
        f"<h1>Join Wi-Fi / WLAN wählen</h1>{sorry}<form method=post>"
        f"<label>Name<input name=ssid list=names required maxlength=32 autocomplete=off><datalist id=names>{options}"
        "</datalist></label><label>Password / Passwort<input name=password type=password maxlength=63></label>"
        "<button>Join / Verbinden</button></form>"
    )


DONE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Stimme: Wi-Fi</title><p>Stimme joins your Wi-Fi now and says so. If this network appears again, the "
    "password was wrong.<p>Stimme verbindet sich jetzt und sagt Bescheid. Erscheint dieses Netz wieder, war das "
    "Passwort falsch."
)


def wished(body: bytes) -> Wish | None:
    """What a form holds; None if it cannot be a network's name and password (IEEE 802.11: 32 bytes; WPA: 8 to 63)."""
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    ssid, password = fields.get("ssid", [""])[0].strip(), fields.get("password", [""])[0]
    if not 1 <= len(ssid.encode()) <= 32 or ssid.startswith("-") or (password and not 8 <= len(password) <= 63):
        return None
    return Wish(ssid, password)


def ask(
    names: Sequence[str], failed: str, seconds: float, address: str = ADDRESS, port: int = FORM_PORT
) -> Wish | None:
    """Show the form until somebody fills it in; None if nobody does in time. Blocks."""
    wishes: list[Wish] = []

    class Form(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            self._answer(page(names, failed))

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            wish = wished(self.rfile.read(min(max(0, length), LARGEST_FORM_BYTES)))
            if wish is not None:
                wishes.append(wish)
            self._answer(DONE if wish else page(names, failed))

        def _answer(self, text: str) -> None:
            content = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header(
                "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"
            )
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Nothing: what people type is nobody's business."""

    deadline = time.monotonic() + seconds
    with HTTPServer((address, port), Form) as server:
        server.timeout = 1.0
        while not wishes and time.monotonic() < deadline:
            server.handle_request()
    return wishes[-1] if wishes else None


def say(ssid: str, password: str) -> None:
    """Say the hotspot's password at the device, digit by digit, twice."""
    digits = ", ".join(password)
    neighbours.send(
        neighbours.SAY,
        en=f"I have no network. Join the Wi-Fi {ssid}. The password is {digits}. Once more: {digits}. "
        "Then open the address ten dot forty-two dot zero dot one.",
        de=f"Ich habe kein Netz. Verbinde dich mit dem WLAN {ssid}. Das Passwort ist {digits}. Noch einmal: {digits}. "
        "Öffne dann die Adresse zehn Punkt zweiundvierzig Punkt null Punkt eins.",
    )


def help_out(run: Run, ask: Callable[[Sequence[str], str, float], Wish | None], name: str) -> bool:
    """Open the hotspot, take a wish, join; again while the password is wrong. True once the device has a network."""
    device = wifi_device(run)
    if device is None:
        log.info("no network, and no Wi-Fi to make one with")
        return False
    password, failed = "".join(secrets.choice("0123456789") for _ in range(8)), ""
    deadline = time.monotonic() + OPEN_S
    names = networks(run)
    while time.monotonic() < deadline:
        if not open_hotspot(run, device, name, password):
            return False
        STATE.parent.mkdir(parents=True, exist_ok=True)
        STATE.write_text(json.dumps({"ssid": name, "password": password}), encoding="utf-8")
        os.chmod(STATE, 0o644)
        try:
            say(name, password)
            wish = ask(names, failed, deadline - time.monotonic())
            time.sleep(1)  # the answer must reach the phone before its network goes away
        finally:
            STATE.unlink(missing_ok=True)
            close_hotspot(run)
        if wish is None:
            return False
        if join(run, device, wish):
            neighbours.send(
                neighbours.SAY, en=f"I am in the Wi-Fi {wish.ssid} now.", de=f"Ich bin jetzt im WLAN {wish.ssid}."
            )
            return True
        failed = wish.ssid
    return False


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    deadline = time.monotonic() + GRACE_S
    while time.monotonic() < deadline:
        if has_link(run):
            return 0
        time.sleep(5)
    help_out(run, ask, socket.gethostname())
    return 0


if __name__ == "__main__":
    sys.exit(main())
