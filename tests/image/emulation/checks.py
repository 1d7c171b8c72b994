"""What the running image must be like, asked in its root shell and from outside. Each raises AssertionError."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.image.emulation.client import Client
from tests.image.emulation.machine import Machine
from tests.image.emulation.root import STAGE, WORK

if TYPE_CHECKING:
    from tests.image.emulation.run import Run

FILES = STAGE / "00-stimme" / "files"
READY = "systemctl is-active --quiet stimme.service"
STARTED = rb"(Started|Failed to start) \x1b\[[\d;]*mstimme\.service"
"""On the console, in systemd's colours."""

BOOT_S = 3600
"""Patience for one boot on a busy machine, in this machine's time."""


def ready(run: Run, machine: Machine) -> float:
    """Wait until the service is; seconds of the guest's time since its kernel began."""
    machine.wait_for_console(STARTED, timeout_s=BOOT_S)
    assert machine.try_run(READY)[0] == 0, machine.run("journalctl -b -u stimme --no-pager -n 40")
    guest_s = int(machine.run("systemctl show -P ActiveEnterTimestampMonotonic stimme.service")) / 1e6
    run.say(f"ready after {guest_s:.0f} s of the guest's time ({time.monotonic() - machine.began:.0f} s here)")
    return guest_s


def strangers_see_only_the_way_in(client: Client) -> None:
    """Port 80 and the guide's 8080 show how to trust the device; nothing else without pairing."""
    for port in (80, 8080):
        status, page = client.get("/", port)
        assert status == 200 and b"<html" in page, (port, status, page[:200])
        assert client.get("/trust.json", port)[0] == 200
    status, text = client.get("/metrics")
    assert status == 401, (status, text)


def page_over_https(client: Client) -> None:
    """With the device's own authority trusted, and paired: page and WebSocket at 443."""
    with client.connected_securely() as server:
        client.ping(server)


def websocket_answers(client: Client) -> None:
    """The migration guide's ping at 8123, and a typed question."""
    with client.connected() as server:
        client.ping(server)
    answer = client.ask("what is six times seven")
    assert answer.understood and answer.text.rstrip(".").endswith("42"), answer
    answer = client.ask("was ist sechs mal sieben", "de")
    assert answer.understood and answer.text.rstrip(".").endswith("42"), answer


def sysctl_as_written(machine: Machine) -> None:
    wanted = dict(re.findall(r"^([\w.-]+) = (.+)$", (FILES / "etc/sysctl.d/60-stimme.conf").read_text("utf-8"), re.M))
    assert wanted["net.core.rmem_max"] == "134217728"
    found = machine.run(f"sysctl {' '.join(wanted)}")
    for line in found.splitlines():
        name, _, value = line.partition(" = ")
        assert value.split() == wanted[name].split(), f"{line}, expected {wanted[name]}"


def guides_commands(machine: Machine) -> None:
    assert "Stimme" in machine.run("systemctl --no-pager status ws-server.service | head -3")
    assert machine.run("systemctl show -P Id ws-server.service") == "stimme.service"
    said = machine.run("journalctl -u ws-server.service -o cat --no-pager")
    assert "ready: http://" in said, said


def firewall(machine: Machine) -> None:
    """What nobody opened does not answer, though something listens there."""
    machine.run("nft list chain inet stimme input | grep -q 'policy drop'")
    machine.run("systemd-run --quiet --unit=listener python3 -m http.server 9999")
    machine.wait_for("ss -tln | grep -q :9999", timeout_s=300)
    try:
        with socket.create_connection(("127.0.0.1", machine.ports[9999]), timeout=20) as one:
            one.sendall(b"GET / HTTP/1.0\r\n\r\n")
            one.settimeout(20)
            assert not one.recv(100), "a port that nobody opened answers"
    except (TimeoutError, ConnectionError):
        pass
    finally:
        machine.run("systemctl stop listener.service")


def journal_is_volatile(machine: Machine) -> None:
    machine.run("test -d /run/log/journal && ! ls /var/log/journal/*/* 2>/dev/null | grep -q .")
    assert machine.run("cat /proc/sys/kernel/core_pattern") == "|/bin/false"
    assert "zram" in machine.run("swapon --show=NAME --noheadings; true"), "no compressed swap"
    assert "noatime" in machine.run("findmnt -no OPTIONS /")


def named_once(machine: Machine) -> None:
    name = machine.run("hostname")
    assert re.fullmatch(r"stimme-[0-9a-f]{4}", name), name
    assert name in machine.run("cat /etc/hosts")
    machine.run("systemctl is-active stimme-first-boot.service && test -e /var/lib/stimme-system/first-boot-done")


def is_hardened(machine: Machine) -> float:
    """systemd-analyze's score of the unit as it runs."""
    text = machine.run("systemd-analyze security stimme.service --no-pager | tail -1")
    found = re.search(r"(\d+\.\d+)", text)
    assert found and float(found[1]) <= 2.0, text
    assert machine.run("systemctl show -P User stimme.service") == "stimme"
    assert machine.run("systemctl show -P MemoryDenyWriteExecute stimme.service") == "yes"
    return float(found[1])


def no_accounts(machine: Machine) -> None:
    shadow = machine.run("cut -d: -f1,2 /etc/shadow")
    can = [line for line in shadow.splitlines() if not re.search(r":(!|\*)", line)]
    assert not can, f"these can log in with a password: {can}"
    machine.run("! systemctl is-active --quiet ssh.service && ! ss -tln | grep -q ':22 '")


def may_restart_the_device(machine: Machine) -> None:
    """The assistant's user may ask logind to restart and switch off, and nothing else; other users may not."""
    ask = "busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager"
    for what, user, wanted in (
        ("CanReboot", "stimme", "yes"),
        ("CanPowerOff", "stimme", "yes"),
        ("CanHalt", "stimme", "no"),
        ("CanReboot", "nobody", "no"),
    ):
        said = machine.run(f"runuser -u {user} -- {ask} {what}")
        assert (said == 's "yes"') == (wanted == "yes"), f"{user} {what}: {said}, expected {wanted}"


def settled(machine: Machine, patience_s: float) -> None:
    """The boot is over, and nothing of it went wrong."""
    machine.wait_for("systemctl is-system-running | grep -qE 'running|degraded'", timeout_s=patience_s, every_s=10)
    no_failed_units(machine)
    cycles = machine.run("journalctl -b --no-pager | grep -i 'ordering cycle' || true")
    assert not cycles, cycles


def cloud_init_is_done(machine: Machine) -> None:
    """It has carried out Imager's settings, and is not asked again."""
    machine.wait_for("test -e /etc/cloud/cloud-init.disabled", timeout_s=1800, every_s=10)


def screen(machine: Machine) -> str:
    """What stands on the first console."""
    return machine.run("tr -s ' ' ' ' </dev/vcs1")


def screen_shows_the_way(machine: Machine, picture: Path = WORK / "screen.png") -> None:
    """Name, address, QR code."""
    name = machine.run("hostname")
    machine.wait_for(f"grep -q {name}.local /dev/vcs1", timeout_s=600)
    shown = screen(machine)
    assert "10.0.2.15" in shown, shown
    machine.screenshot(picture)


def no_failed_units(machine: Machine) -> None:
    failed = machine.run("systemctl --failed --no-legend --plain --no-pager")
    if failed:
        names = " ".join(line.split()[0] for line in failed.splitlines())
        failed += "\n" + machine.run(f"journalctl -b --no-pager -n 40 -o short-monotonic $(printf -- '-u %s ' {names})")
    assert not failed, f"failed units:\n{failed}"


def memory_mb(machine: Machine) -> int:
    """The service's memory: its processes' proportional share (Pss, proc_pid_smaps(5)), in MiB."""
    pids = machine.run("cat /sys/fs/cgroup$(systemctl show -P ControlGroup stimme.service)/cgroup.procs").split()
    files = " ".join(f"/proc/{pid}/smaps_rollup" for pid in pids)
    kilobytes = machine.run(f"cat {files} | awk '/^Pss:/ {{s+=$2}} END {{print s}}'")
    return round(int(kilobytes) / 1024)


def uptime_s(machine: Machine) -> float:
    """The guest's own time since power-on."""
    return float(machine.run("cut -d' ' -f1 /proc/uptime"))
