"""Power cuts while timers are written: what was confirmed is there at the next boot."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.image.emulation import checks, disk
from tests.image.emulation.client import Client
from tests.image.emulation.root import WORK

if TYPE_CHECKING:
    from tests.image.emulation.run import Run

STATE = WORK / "power-cuts.json"
"""{"cuts": 3, "confirmed": ["parcel 0 0", …], "lost": 0}: what the disk of power-cuts.qcow2 has gone through."""

UNNEEDED = ("stimme-console", "stimme-hotspot", "stimme-alias", "avahi-daemon", "unattended-upgrades", "ssh")
"""Not started where only the timers matter; half the emulated boot."""

DATABASE = "file:/var/lib/stimme/stimme.sqlite3?mode=ro"


def power_cuts(run: Run, times: int) -> None:
    """Boot, see that everything confirmed is there, write more, pull the plug; so often, and boot once more.

    Goes on with the disk of an earlier run that was cut off.
    """
    layer = WORK / "power-cuts.qcow2"
    if not STATE.exists() or not layer.exists() or run.figures.get("power_cuts", 0) >= times:
        run.layer("power-cuts")
        _keep(run, {"cuts": 0, "confirmed": [], "lost": 0})
    state = json.loads(STATE.read_text(encoding="utf-8"))
    while True:
        _boot_and_write(run, layer, state, write=state["cuts"] < times)
        if state["cuts"] >= times and state["seen"]:
            break
    assert state["confirmed"], "no timer was confirmed at all"
    assert not state["lost"], f"{state['lost']} confirmed timers were lost"


def _boot_and_write(run: Run, layer: Path, state: dict, *, write: bool) -> None:  # type: ignore[type-arg]  # see STATE
    masks = " ".join(f"systemd.mask={name}.service" for name in UNNEEDED)
    with run.boot(layer, "power-cuts", cache="writeback", append=masks) as machine:
        ready_s = checks.ready(run, machine)
        if not state["cuts"]:
            run.note(second_ready_s=round(ready_s, 1))
        query = f"import sqlite3; print(*sqlite3.connect('{DATABASE}', uri=True).execute('select * from timers'))"
        there = machine.run(f'python3 -c "{query}"')
        lost = [name for name in state["confirmed"] if name not in there]
        state |= {"lost": len(lost), "seen": True}
        recovered = machine.run("journalctl -b -k -o cat --no-pager | grep -c 'EXT4-fs.*recovery complete' || true")
        run.say(
            f"after {state['cuts']} cuts: {len(state['confirmed'])} confirmed, lost {lost}; "
            f"the file system recovered from its journal: {recovered != '0'}"
        )
        if write:
            fresh = _until_the_plug_is_pulled(run.client(machine), state["cuts"])
            machine.cut_power()
            state |= {"cuts": state["cuts"] + 1, "confirmed": state["confirmed"] + fresh, "seen": False}
            run.say(f"power cut {state['cuts']}")
        else:
            machine.shut_down(900)
    if not write:
        run.say(disk.run("qemu-img", "check", str(layer)).splitlines()[0])
    _keep(run, state)


def _keep(run: Run, state: dict) -> None:  # type: ignore[type-arg]
    STATE.write_text(json.dumps(state), encoding="utf-8")
    survived = state["cuts"] if state.get("seen") else max(0, state["cuts"] - 1)
    run.note(power_cuts=survived, power_cuts_confirmed=len(state["confirmed"]), power_cuts_lost=state["lost"])


def _until_the_plug_is_pulled(client: Client, cut: int) -> list[str]:
    """Names of reminders that were confirmed; when it returns the next one is being written."""
    confirmed = []
    with client.connected() as server:
        server.send(json.dumps({"type": "hello", "speak": False, "language": "en"}))
        for number in range(3 + cut % 3):
            text = f"remind me in {24 + number} hours to fetch parcel {cut} {number}"
            server.send(json.dumps({"type": "text", "id": f"cut{cut}x{number}", "text": text, "language": "en"}))
            while (message := json.loads(server.recv(timeout=900)))["type"] != "answer":
                pass
            assert f"parcel {cut} {number}" in message["text"], f"{text!r} was not confirmed: {message['text']!r}"
            confirmed.append(f"parcel {cut} {number}")
        server.send(json.dumps({"type": "text", "id": "last", "text": "set a timer for 25 hours", "language": "en"}))
        time.sleep(0.2 * cut)  # another moment of the writing each time
    return confirmed
