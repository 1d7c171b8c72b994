"""What the image must do, one function a scenario. Boots last minutes in emulation, so each asks as much as it can."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr

from tests.image.emulation import checks, disk, updates
from tests.image.emulation.checks import READY
from tests.image.emulation.client import RATE, Client
from tests.image.emulation.machine import Machine
from tests.image.emulation.root import PROJECT, WORK

if TYPE_CHECKING:
    from tests.image.emulation.run import Run

BOOT_S = 3600
"""Patience for one boot on a busy machine, in this machine's time; the guest's own time is its own (machine.py)."""


STARTED = rb"(Started|Failed to start) \x1b\[[\d;]*mstimme\.service"
"""On the console, in systemd's colours."""


def ready(run: Run, machine: Machine) -> float:
    """Wait until the service is; seconds of the guest's time since its kernel began."""
    machine.wait_for_console(STARTED, timeout_s=BOOT_S)
    assert machine.try_run(READY)[0] == 0, machine.run("journalctl -b -u stimme --no-pager -n 40")
    guest_s = int(machine.run("systemctl show -P ActiveEnterTimestampMonotonic stimme.service")) / 1e6
    run.say(f"ready after {guest_s:.0f} s of the guest's time ({time.monotonic() - machine.began:.0f} s here)")
    return guest_s


def first_boot(run: Run) -> None:
    """A fresh card: everything that can be asked of it."""
    with run.boot(run.layer("first-boot", run.image), "first-boot") as machine:
        run.figures |= {"ready_s": round(ready(run, machine), 1), "ready_cpu_s": round(machine.cpu_s)}
        run.figures["rss_mb"] = checks.memory_mb(machine)
        client = run.client(machine)
        with run.looking() as look:
            look(checks.strangers_see_only_the_way_in, client)
            look(checks.screen_shows_the_way, machine)
            look(client.pair, lambda: checks.screen(machine))
            run.keep(client)
            look(checks.page_over_https, client)
            look(checks.websocket_answers, client)
            look(checks.sysctl_as_written, machine)
            look(checks.guides_commands, machine)
            look(checks.firewall, machine)
            look(checks.journal_is_volatile, machine)
            look(checks.named_once, machine)
            look(checks.no_accounts, machine)
            look(checks.may_restart_the_device, machine)
            run.figures["security"] = look(checks.is_hardened, machine)
            look(_timer_is_set, client)
            look(checks.settled, machine, BOOT_S)
            look(checks.cloud_init_is_done, machine)
            run.say(machine.run("systemd-analyze --no-pager; systemd-analyze critical-chain stimme.service --no-pager"))
        machine.shut_down(900)


def _timer_is_set(client: Client) -> None:
    assert client.ask("set a timer for 30 hours called bread").understood


def second_boot(run: Run) -> None:
    """The same disk again: everything is kept, a whole spoken turn, nothing is written idly, updates."""
    with run.boot(run.layer("second-boot"), "second-boot") as machine:
        run.figures["second_ready_s"] = round(ready(run, machine), 1)
        client = run.client(machine)
        with run.looking() as look:
            look(_kept, machine, client)
            look(_spoken_turn, run, machine, client)
            look(checks.settled, machine, BOOT_S)
            run.say(machine.run("systemd-analyze --no-pager; systemd-analyze critical-chain stimme.service --no-pager"))
            look(_idle_writes, run, machine)
            look(updates.update, run, machine, client)


def _kept(machine: Machine, client: Client) -> None:
    """Timers and the paired browser; what is done once is not done again."""
    said = client.ask("how long is left on the bread timer").text
    assert "bread" in said.lower(), said
    assert machine.run("systemctl show -P ConditionResult stimme-first-boot.service") == "no"


def _spoken_turn(run: Run, machine: Machine, client: Client) -> None:
    """Over the WebSocket: a voice asks, it hears, answers, and is understood."""
    begin = checks.uptime_s(machine)
    answer = client.speak(_spoken("what time is it"))
    run.say(
        f"heard {answer.heard!r}, answered {answer.text!r} with {len(answer.pcm) / 2 / RATE:.1f} s of sound "
        f"after {checks.uptime_s(machine) - begin:.0f} s of the guest's time"
    )
    assert answer.heard == "what time is it" and answer.intent == "HassGetCurrentTime", answer
    run.figures["rss_after_turn_mb"] = checks.memory_mb(machine)
    again = _transcribed(answer.pcm)
    run.say(f"the reply, transcribed again: {again!r}")
    assert set(again.split()) & set(re.findall(r"[a-z]+", answer.text.lower())), "the reply is not speech"


def german(run: Run) -> None:
    """A fresh card with `language = "de"` on its boot partition: says hello aloud, in German, and only once."""
    image = run.flat("german", run.image)
    settings = WORK / "stimme.toml"
    settings.write_text('language = "de"\n')
    disk.put(image, settings, "stimme.toml")
    sound = WORK / "welcome.wav"
    sound.unlink(missing_ok=True)
    try:
        with run.boot(image, "german", sound=f"wav,id=snd,path={sound}", welcome=True) as machine:
            ready(run, machine)
            machine.wait_for("test -e /var/lib/stimme-system/welcomed", timeout_s=BOOT_S, every_s=10)
            machine.wait_for("grep -q 'bin Stimme' /dev/vcs1", timeout_s=900)
            machine.screenshot(WORK / "welcome.png")
            _wait_for_silence(machine)
            machine.shut_down(900)
    finally:
        image.unlink(missing_ok=True)
    heard = _transcribed(_recorded(sound), "de")
    run.say(f"said at the first start: {heard!r}")
    assert {"bereit", "taste"} <= set(heard.split()), heard


def _wait_for_silence(machine: Machine) -> None:
    """Until no sound card plays any more."""
    machine.wait_for("! cat /proc/asound/card*/pcm*p/sub*/status | grep -q RUNNING", timeout_s=1800, every_s=10)


def _recorded(file: Path) -> bytes:
    """What the machine's loudspeaker played, as QEMU wrote it, at RATE. The header of an unfinished file is ignored."""
    pcm = np.frombuffer(file.read_bytes()[44:], "<i2").reshape(-1, 2).mean(axis=1)
    return bytes(soxr.resample(pcm, 44_100, RATE).astype("<i2").tobytes())


def no_network(run: Run) -> None:
    """Without any network at all it starts as well."""
    with run.boot(run.layer("no-network"), "no-network", network=False) as machine:
        ready(run, machine)
        machine.run(
            'python3 -c "import urllib.request as u; '
            "assert u.urlopen('http://127.0.0.1/readyz', timeout=60).status == 200\""
        )
        checks.settled(machine, BOOT_S)


def boot_partition_destroyed(run: Run) -> None:
    """The FAT is gone: the appliance's own settings are enough."""
    image = run.flat("destroyed")
    disk.destroy_boot(image)
    try:
        with run.boot(image, "destroyed") as machine:
            ready(run, machine)
            machine.run("! mountpoint -q /boot/firmware")
            checks.websocket_answers(run.client(machine))
    finally:
        image.unlink(missing_ok=True)


def wrong_settings(run: Run) -> None:
    """A mistake in stimme.toml: not restarted, shown on the screen, said aloud."""
    image = run.flat("wrong")
    mistake = WORK / "stimme.toml"
    mistake.write_text('langauge = "de"\n')
    disk.put(image, mistake, "stimme.toml")
    sound = WORK / "wrong-settings.wav"
    sound.unlink(missing_ok=True)
    try:
        with run.boot(image, "wrong", sound=f"wav,id=snd,path={sound}") as machine:
            machine.wait_for("systemctl is-failed --quiet stimme.service", timeout_s=BOOT_S)
            assert machine.run("systemctl show -P ExecMainStatus stimme.service") == "2"
            assert machine.run("systemctl show -P NRestarts stimme.service") == "0"
            trouble = "systemctl show -P ActiveState stimme-trouble.service"
            machine.wait_for(f'test "$({trouble})" = inactive', timeout_s=900)
            said = machine.run("journalctl -b -u stimme-trouble -o cat --no-pager")
            assert "did you mean 'language'" in said, said
            machine.wait_for("grep -q 'did you mean' /dev/vcs1", timeout_s=900)
            machine.screenshot(WORK / "wrong-settings.png")
    finally:
        image.unlink(missing_ok=True)
    run.say(f"the complaint is {sound.stat().st_size / 176400:.0f} s of sound")
    assert sound.stat().st_size > 200_000, "nothing was said"


def power_cuts(run: Run, times: int = 3) -> None:
    """Pull the plug in the middle of writing timers, again and again: what was confirmed is there at the next boot."""
    layer = run.layer("power-cuts")
    confirmed: list[str] = []
    lost = 0
    for cut in range(times + 1):
        with run.boot(layer, f"power-cut-{cut}", cache="writeback") as machine:
            ready(run, machine)
            there = machine.run(
                "python3 -c \"import sqlite3; print('\\n'.join(str(row) for row in sqlite3.connect("
                "'file:/var/lib/stimme/stimme.sqlite3?mode=ro', uri=True).execute('select * from timers')))\""
            )
            missing = [name for name in confirmed if name not in there]
            lost += len(missing)
            if missing:
                run.say(f"lost: {missing}")
            if cut < times:
                confirmed += _until_the_plug_is_pulled(run.client(machine), cut)
            machine.cut_power()
        if cut < times:
            run.say(f"power cut {cut + 1}: {len(confirmed)} confirmed so far, {lost} lost")
            run.figures |= {"power_cuts": cut + 1, "power_cuts_confirmed": len(confirmed)}
    run.figures["power_cuts_lost"] = lost
    assert confirmed, "no timer was confirmed at all"
    assert not lost, f"{lost} confirmed timers were lost"


def _until_the_plug_is_pulled(client: Client, cut: int) -> list[str]:
    """Names of reminders that were confirmed; when it returns the next one is being written."""
    confirmed = []
    with client.connected() as server:
        server.send(json.dumps({"type": "hello", "speak": False}))
        for number in range(3 + cut):
            text = f"remind me to fetch parcel {cut} {number} in {24 + number} hours"
            server.send(json.dumps({"type": "text", "id": f"cut{cut}x{number}", "text": text, "language": "en"}))
            while (message := json.loads(server.recv(timeout=900)))["type"] != "answer":
                pass
            if message["understood"]:
                confirmed.append(f"parcel {cut} {number}")
        server.send(json.dumps({"type": "text", "id": "last", "text": "set a timer for 25 hours", "language": "en"}))
        time.sleep(0.3 * cut)  # another moment of the writing each time
    return confirmed


def _idle_writes(run: Run, machine: Machine, guest_s: float = 60) -> None:
    written = "sync; awk '$3 == \"vda2\" {print $10}' /proc/diskstats"
    machine.run("sync; sleep 5")
    before, begin = int(machine.run(written)), checks.uptime_s(machine)
    machine.run(f"sleep {guest_s}", timeout_s=guest_s * 20)
    sectors, seconds = int(machine.run(written)) - before, checks.uptime_s(machine) - begin
    per_hour = sectors * 512 / 1e6 * 3600 / seconds
    run.figures["idle_writes_mb_per_hour"] = round(per_hour, 3)
    run.say(f"{per_hour:.2f} MB an hour written while idle (over {seconds:.0f} s)")
    assert per_hour < 2, "an idle device writes to its card"


def _spoken(text: str) -> bytes:
    """A question in the voice that comes with Stimme, made on this machine."""
    file = WORK / "question.wav"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "appliance",
            "say",
            "--language",
            "en",
            "--rate",
            str(RATE),
            "--output",
            str(file),
            text,
        ],
        cwd=PROJECT,
        check=True,
    )
    with wave.open(str(file)) as recording:
        pcm: bytes = recording.readframes(recording.getnframes())
    return bytes(RATE) + pcm + bytes(RATE)


def _transcribed(pcm: bytes, language: str = "en") -> str:
    """What the recognizer on this machine hears in a reply."""
    file = WORK / "reply.wav"
    with wave.open(str(file), "wb") as recording:
        recording.setparams((1, 2, RATE, 0, "NONE", ""))
        recording.writeframes(pcm)
    done = subprocess.run(
        [sys.executable, "-m", "appliance", "hear", "--json", "--language", language, str(file)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    text: str = json.loads(done.stdout)["text"]
    return text


SCENARIOS: dict[str, Callable[[Any], None]] = {
    "first-boot": first_boot,
    "second-boot": second_boot,
    "german": german,
    "no-network": no_network,
    "destroyed": boot_partition_destroyed,
    "wrong-settings": wrong_settings,
    "power-cuts": power_cuts,
}
