"""What the image must do, one function a scenario. Boots last minutes in emulation, so each asks as much as it can."""

from __future__ import annotations

import json
import re
import socket
import time
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from websockets.sync.client import connect

from tests.image.emulation import disk
from tests.image.emulation.machine import Machine
from tests.image.emulation.root import PROJECT, WORK

if TYPE_CHECKING:
    from tests.image.emulation.run import Run

BOOT_S = 1500
"""Patience for one boot on a busy machine; nothing in the guest is timed."""

READY = "systemctl is-active --quiet stimme.service"


def first_boot(run: Run) -> None:
    """A fresh card: everything that can be asked of it."""
    with run.boot(run.layer("first-boot", run.image), "first-boot") as machine:
        ready_s = machine.wait_for(READY, timeout_s=BOOT_S)
        run.figures |= {"ready_s": round(ready_s, 1), "ready_cpu_s": round(machine.cpu_s, 1)}
        run.say(f"ready after {ready_s:.0f} s ({machine.cpu_s:.0f} s of processor time)")
        run.figures["rss_mb"] = _rss_mb(machine)
        _page_answers(machine)
        _websocket_answers(machine)
        _sysctl_as_written(machine)
        _guides_commands(machine)
        _firewall(machine)
        _journal_volatile(machine)
        _named_once(machine)
        _unit_is_hardened(run, machine)
        _no_accounts(machine)
        _settled(run, machine)
        _ask(machine, "set a timer for 3 hours called bread")
        run.say("figures: " + json.dumps(run.figures))
        machine.run("systemctl is-active stimme-first-boot.service && test -e /var/lib/stimme-system/first-boot-done")
        machine.shut_down()


def second_boot(run: Run) -> None:
    """The same disk again: timers and name are kept, first-boot steps are not done again, nothing is written idly."""
    with run.boot(run.layer("second-boot"), "second-boot") as machine:
        machine.wait_for(READY, timeout_s=BOOT_S)
        run.figures["second_ready_s"] = round(time.monotonic() - machine.began, 1)
        assert "bread" in _ask(machine, "how long is left on the bread timer").lower()
        assert machine.run("systemctl show -P ConditionResult stimme-first-boot.service") == "no"
        chain = machine.run("systemd-analyze critical-chain stimme.service --no-pager | head -20")
        run.say(f"critical chain:\n{chain}")
        _no_failed_units(machine)
        _idle_writes(run, machine)


def spoken_turn(run: Run) -> None:
    """One whole spoken turn over the WebSocket: the device's own voice asks, it hears, answers, and is understood."""
    with run.boot(run.layer("spoken-turn"), "spoken-turn") as machine:
        machine.wait_for(READY, timeout_s=BOOT_S)
        pcm = _spoken("what time is it")
        begin = time.monotonic()
        with connect(_url(machine), open_timeout=60, ping_timeout=None, max_size=None) as server:
            server.send(json.dumps({"type": "start", "id": "turn-0001", "language": "en"}))
            for at in range(0, len(pcm), 2048):
                server.send(pcm[at : at + 2048])
                time.sleep(0.064)
            server.send(json.dumps({"type": "stop", "id": "turn-0001"}))
            heard, answer, sound = "", {}, bytearray()
            while True:
                message = server.recv(timeout=900)
                if isinstance(message, bytes):
                    sound += message
                    continue
                content = json.loads(message)
                if content["type"] == "final":
                    heard = content["text"]
                if content["type"] == "answer":
                    answer = content
                if content["type"] == "speech_end":
                    break
                assert content["type"] != "error", content
        run.say(f"heard {heard!r}, answered {answer['text']!r} with {len(sound) / 32000:.1f} s of sound "
                f"after {time.monotonic() - begin:.0f} s")
        assert heard == "what time is it" and answer["intent"] == "HassGetCurrentTime"
        run.figures["rss_after_turn_mb"] = _rss_mb(machine)
        again = _transcribed(bytes(sound))
        run.say(f"the reply, transcribed again: {again!r}")
        assert set(again.split()) & set(re.findall(r"[a-z]+", answer["text"].lower())), "the reply is not speech"


def no_network(run: Run) -> None:
    """Without any network at all it starts as well."""
    with run.boot(run.layer("no-network"), "no-network", network=False) as machine:
        ready_s = machine.wait_for(READY, timeout_s=BOOT_S)
        run.say(f"ready after {ready_s:.0f} s without a network")
        machine.run("curl --version >/dev/null 2>&1; python3 -c \"import urllib.request as u; "
                    "assert u.urlopen('http://127.0.0.1/readyz', timeout=60).status == 200\"")
        _no_failed_units(machine)


def boot_partition_destroyed(run: Run) -> None:
    """The FAT is gone: the appliance's own settings are enough."""
    image = WORK / "destroyed.img"
    disk.run("qemu-img", "convert", "-O", "raw", str(WORK / "first-boot.qcow2"), str(image))
    disk.destroy_boot(image)
    try:
        with run.boot(image, "destroyed") as machine:
            machine.wait_for(READY, timeout_s=BOOT_S)
            machine.run("! mountpoint -q /boot/firmware")
            _page_answers(machine)
    finally:
        image.unlink(missing_ok=True)


def wrong_settings(run: Run) -> None:
    """A mistake in stimme.toml: not restarted, shown on the screen, said aloud."""
    image = WORK / "wrong.img"
    disk.run("qemu-img", "convert", "-O", "raw", str(WORK / "first-boot.qcow2"), str(image))
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
            machine.wait_for(f'test "$({trouble})" = inactive', timeout_s=300)
            said = machine.run("journalctl -b -u stimme-trouble -o cat --no-pager")
            assert "did you mean 'language'" in said, said
            machine.wait_for("grep -q 'did you mean' /dev/vcs1", timeout_s=300)
            machine.screenshot(WORK / "wrong-settings.png")
    finally:
        image.unlink(missing_ok=True)
    run.say(f"the complaint is {sound.stat().st_size / 176400:.0f} s of sound")
    assert sound.stat().st_size > 200_000, "nothing was said"


def power_cuts(run: Run, times: int = 10) -> None:
    """Pull the plug in the middle of writing timers, again and again: what was confirmed is there at the next boot."""
    layer = run.layer("power-cuts")
    confirmed: list[str] = []
    lost = 0
    for cut in range(times + 1):
        with run.boot(layer, "power-cuts") as machine:
            machine.wait_for(READY, timeout_s=BOOT_S)
            there = machine.run(
                "python3 -c \"import sqlite3; print('\\n'.join(str(row) for row in sqlite3.connect("
                "'file:/var/lib/stimme/stimme.sqlite3?mode=ro', uri=True).execute('select * from timers')))\"")
            missing = [name for name in confirmed if name not in there]
            lost += len(missing)
            if cut == times:
                break
            with connect(_url(machine), open_timeout=60, ping_timeout=None) as server:
                server.send(json.dumps({"type": "hello", "speak": False}))
                deadline = time.monotonic() + 6 + cut
                number = 0
                while time.monotonic() < deadline:
                    name = f"cut{cut}x{number}"
                    text = f"remind me to fetch parcel {cut} {number} in {4 + number} hours"
                    server.send(json.dumps({"type": "text", "id": name, "text": text, "language": "en"}))
                    while True:
                        message = json.loads(server.recv(timeout=120))
                        if message["type"] == "answer":
                            if message["understood"]:
                                confirmed.append(f"parcel {cut} {number}")
                            break
                    number += 1
                server.send(json.dumps(
                    {"type": "text", "id": "last", "text": "set a timer for 5 hours", "language": "en"}))
            machine.cut_power()
        run.say(f"power cut {cut + 1}: {len(confirmed)} confirmed so far, {lost} lost")
        run.figures |= {"power_cuts": cut + 1, "power_cuts_confirmed": len(confirmed), "power_cuts_lost": lost}
    run.figures["power_cuts_lost"] = lost
    assert confirmed, "no timer was confirmed at all"
    assert not lost, f"{lost} confirmed timers were lost"


def _url(machine: Machine) -> str:
    return f"ws://127.0.0.1:{machine.ports[8123]}/"


def _ask(machine: Machine, text: str) -> str:
    """A typed question; the answer's text."""
    with connect(_url(machine), open_timeout=120, ping_timeout=None) as server:
        server.send(json.dumps({"type": "hello", "speak": False, "language": "en"}))
        server.send(json.dumps({"type": "text", "id": "question-1", "text": text, "language": "en"}))
        while True:
            message = json.loads(server.recv(timeout=300))
            assert message["type"] != "error", message
            if message["type"] == "answer":
                assert message["understood"], message
                return str(message["text"])


def _page_answers(machine: Machine) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{machine.ports[80]}/", timeout=120) as answer:
        assert answer.status == 200 and b"<html" in answer.read()


def _websocket_answers(machine: Machine) -> None:
    with connect(_url(machine), open_timeout=120, ping_timeout=None) as server:
        server.send('{"type":"ping","timestamp":1732270000}')
        while (message := json.loads(server.recv(timeout=120)))["type"] != "pong":
            pass
        assert message["timestamp"] == 1732270000
    assert _ask(machine, "what is six times seven").rstrip(".").endswith("42")


def _sysctl_as_written(machine: Machine) -> None:
    file = PROJECT / "image/stage-stimme/00-stimme/files/etc/sysctl.d/60-stimme.conf"
    wanted = dict(re.findall(r"^([\w.-]+) = (.+)$", file.read_text(encoding="utf-8"), re.M))
    assert wanted["net.core.rmem_max"] == "134217728"
    found = machine.run(f"sysctl {' '.join(wanted)}")
    for line in found.splitlines():
        name, _, value = line.partition(" = ")
        assert value.split() == wanted[name].split(), f"{line}, expected {wanted[name]}"


def _guides_commands(machine: Machine) -> None:
    assert "Stimme" in machine.run("systemctl --no-pager status ws-server.service | head -3")
    assert machine.run("systemctl show -P Id ws-server.service") == "stimme.service"
    assert "ready: http://" in machine.run("journalctl -u ws-server.service -o cat --no-pager")


def _firewall(machine: Machine) -> None:
    machine.run("nft list chain inet stimme input | grep -q 'policy drop'")
    machine.run("python3 -m http.server 9999 >/dev/null 2>&1 & sleep 8; ss -tln | grep -q :9999")
    try:
        with socket.create_connection(("127.0.0.1", machine.ports[9999]), timeout=20) as one:
            one.sendall(b"GET / HTTP/1.0\r\n\r\n")
            one.settimeout(20)
            assert not one.recv(100), "a port that nobody opened answers"
    except (TimeoutError, ConnectionError):
        pass
    machine.run("kill $(pgrep -f 'http.server 9999')")


def _journal_volatile(machine: Machine) -> None:
    machine.run("test -d /run/log/journal && ! ls /var/log/journal/*/* 2>/dev/null | grep -q .")
    assert machine.run("cat /proc/sys/kernel/core_pattern") == "|/bin/false"
    assert "zram" in machine.run("swapon --show=NAME --noheadings; true")


def _named_once(machine: Machine) -> None:
    name = machine.run("hostname")
    assert re.fullmatch(r"stimme-[0-9a-f]{4}", name), name
    assert name in machine.run("cat /etc/hosts")


def _unit_is_hardened(run: Run, machine: Machine) -> None:
    text = machine.run("systemd-analyze security stimme.service --no-pager | tail -1")
    found = re.search(r"(\d+\.\d+)", text)
    assert found, text
    run.figures["security"] = float(found[1])
    assert run.figures["security"] <= 2.0, text
    assert machine.run("systemctl show -P User stimme.service") == "stimme"


def _no_accounts(machine: Machine) -> None:
    shadow = machine.run("cut -d: -f1,2 /etc/shadow")
    can = [line for line in shadow.splitlines() if not re.search(r":(!|\*)", line)]
    assert not can, f"these can log in with a password: {can}"
    machine.run("! systemctl is-active --quiet ssh.service && ! ss -tln | grep -q ':22 '")


def _settled(run: Run, machine: Machine) -> None:
    """The boot is over, and nothing of it went wrong."""
    machine.wait_for("systemctl is-system-running | grep -qE 'running|degraded'", timeout_s=BOOT_S)
    _no_failed_units(machine)
    cycles = machine.run("journalctl -b --no-pager | grep -i 'ordering cycle' || true")
    assert not cycles, cycles
    machine.wait_for("test -e /var/lib/stimme-system/welcomed", timeout_s=300)
    machine.wait_for("test -e /etc/cloud/cloud-init.disabled", timeout_s=600)
    shown = machine.run("cat /dev/vcs1 | tr -s ' ' ' '")
    assert machine.run("hostname") in shown, f"the screen shows {shown!r}"
    machine.screenshot(WORK / "screen.png")


def _no_failed_units(machine: Machine) -> None:
    failed = machine.run("systemctl --failed --no-legend --plain --no-pager")
    if failed:
        names = " ".join(line.split()[0] for line in failed.splitlines())
        failed += "\n" + machine.run(f"journalctl -b --no-pager -n 30 -o cat $(printf -- '-u %s ' {names})")
    assert not failed, f"failed units:\n{failed}"


def _rss_mb(machine: Machine) -> int:
    pids = machine.run("cat /sys/fs/cgroup$(systemctl show -P ControlGroup stimme.service)/cgroup.procs").split()
    files = " ".join(f"/proc/{pid}/smaps_rollup" for pid in pids)
    kilobytes = machine.run(f"cat {files} | awk '/^Pss:/ {{s+=$2}} END {{print s}}'")
    return round(int(kilobytes) / 1024)


def _idle_writes(run: Run, machine: Machine, minutes: int = 10) -> None:
    written = "awk '$3 == \"vda2\" {print $10}' /proc/diskstats"
    machine.run("sync")
    time.sleep(30)
    before = int(machine.run(f"sync; {written}"))
    time.sleep(minutes * 60)
    after = int(machine.run(f"sync; {written}"))
    per_hour = (after - before) * 512 / 1e6 * 60 / minutes
    run.figures["idle_writes_mb_per_hour"] = round(per_hour, 3)
    run.say(f"{per_hour:.2f} MB an hour written while idle")
    assert per_hour < 2, "an idle device writes to its card"


def _spoken(text: str) -> bytes:
    """A question in the voice that comes with Stimme, made on this machine."""
    return _stimme_wav("say", text) + bytes(16_000)


def _stimme_wav(command: str, text: str) -> bytes:
    import subprocess
    import sys
    import wave

    file = WORK / "question.wav"
    subprocess.run([sys.executable, "-m", "appliance", command, "--language", "en", "--rate", "16000", "--output",
                    str(file), text], cwd=PROJECT, check=True)
    with wave.open(str(file)) as recording:
        pcm: bytes = recording.readframes(recording.getnframes())
    return pcm


def _transcribed(pcm: bytes) -> str:
    """What the recognizer on this machine hears in a reply."""
    import subprocess
    import sys
    import wave

    file = WORK / "reply.wav"
    with wave.open(str(file), "wb") as recording:
        recording.setparams((1, 2, 16_000, 0, "NONE", ""))
        recording.writeframes(pcm)
    done = subprocess.run([sys.executable, "-m", "appliance", "hear", "--json", "--language", "en", str(file)],
                          cwd=PROJECT, capture_output=True, text=True, check=True)
    text: str = json.loads(done.stdout)["text"]
    return text


SCENARIOS: dict[str, Callable[[Any], None]] = {
    "first-boot": first_boot, "second-boot": second_boot, "spoken-turn": spoken_turn, "no-network": no_network,
    "destroyed": boot_partition_destroyed, "wrong-settings": wrong_settings, "power-cuts": power_cuts,
}
