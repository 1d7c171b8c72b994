"""Once in a card's life: the device says aloud that it is ready, and where its page is.

python -m appliance.system.welcome          as root, after the assistant is ready
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

from appliance import neighbours

DONE = Path("/var/lib/stimme-system/welcomed")
NETWORK_S = 30.0
"""So long the network may take, before the welcome leaves out the address."""


def texts(name: str, address: str) -> dict[str, str]:
    """What is said, by language. address: "" without a network."""
    if not address:
        return {
            "en": "Hello, I am Stimme, and ready. Hold the button and talk to me. I have no network yet.",
            "de": "Hallo, ich bin Stimme und bereit. Halte die Taste und sprich mit mir. Ein Netz habe ich noch nicht.",
        }
    letters = ", ".join(name.rpartition("-")[2].upper())
    return {
        "en": "Hello, I am Stimme, and ready. Hold the button and talk to me. "
        f"My page is at stimme dash {letters} dot local, or at {_spoken(address, 'dot')}.",
        "de": "Hallo, ich bin Stimme und bereit. Halte die Taste und sprich mit mir. "
        f"Meine Seite ist unter stimme Strich {letters} Punkt local, oder unter {_spoken(address, 'Punkt')}.",
    }


def _spoken(address: str, dot: str) -> str:
    """An IPv4 address number by number: "192 dot 168 …"."""
    return f" {dot} ".join(address.split("."))


def _address() -> str:
    out = subprocess.run(
        ["ip", "-json", "-4", "address", "show", "up", "scope", "global"], capture_output=True, text=True, check=False
    )
    links = json.loads(out.stdout or "[]")
    return next((str(one["local"]) for link in links for one in link.get("addr_info", ()) if "local" in one), "")


def main() -> int:
    deadline = time.monotonic() + NETWORK_S
    while not (address := _address()) and time.monotonic() < deadline:
        time.sleep(2)
    if neighbours.send(neighbours.SAY, **texts(socket.gethostname(), address)):
        DONE.parent.mkdir(parents=True, exist_ok=True)
        DONE.touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
