"""One virtual machine: QEMU, its serial console as a log, a root shell in the guest, and its power button.

The shell is systemd's own debug shell, asked for on the kernel's command line: the image is not changed for the tests.

The guest's clock counts instructions, not seconds (QEMU's icount): however busy this machine is, the guest believes to
run on one Cortex-A72 of 500 million instructions a second, and its timeouts and watchdogs hold as they are shipped.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.image.emulation.root import WORKSHOP
from tests.image.emulation.wire import Wire

APPEND = (
    "root=LABEL=rootfs rw console=ttyAMA0 loglevel=4 mitigations=off systemd.show_status=1 systemd.debug_shell=hvc0 "
    "systemd.getty_auto=0"
)
GUEST_PORTS = (80, 443, 8080, 8123, 9999)
"""Forwarded from the host; nothing listens at 9999, which the firewall tests use."""


class Machine:
    """A running machine. disk: changed in place. network: False leaves it without any. wire: its sound; None: silence.

    append: what the kernel's command line says besides. cache: of the disk; "writeback" for power cuts, as only then
    what the guest flushes is flushed. waits: False lets the guest's clock jump over idle time instead of waiting for
    the host's, for machines that nobody talks to from outside.
    """

    def __init__(
        self,
        disk: Path,
        kernel: Path,
        initrd: Path,
        log: Path,
        *,
        network: bool = True,
        memory_mib: int = 1024,
        wire: Wire | None = None,
        cache: str = "unsafe",
        append: str = "",
        waits: bool = True,
    ) -> None:
        self.log = log
        log.unlink(missing_ok=True)
        self._sockets = {name: log.with_suffix(f".{name}") for name in ("shell", "monitor")}
        for path in self._sockets.values():
            path.unlink(missing_ok=True)
        self.ports = {port: _free_port() for port in GUEST_PORTS}
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{here}-:{there}" for there, here in self.ports.items())
        nic = ["-netdev", f"user,id=n0{forwards}", "-device", "virtio-net-pci,netdev=n0,romfile="] if network else []
        command = [
            *_qemu(),
            "-M",
            "virt",
            "-cpu",
            "cortex-a72",
            "-accel",
            "tcg,thread=single,tb-size=512",
            "-icount",
            f"shift=1,sleep={'on' if waits else 'off'}",
            "-rtc",
            "clock=vm",
            "-smp",
            "1",
            "-m",
            str(memory_mib),
            "-no-reboot",
            "-nodefaults",
            "-display",
            "none",
            "-serial",
            f"file:{log}",
            "-kernel",
            str(kernel),
            "-initrd",
            str(initrd),
            "-append",
            f"{APPEND} {append}",
            "-drive",
            f"file={disk},format={'qcow2' if disk.suffix == '.qcow2' else 'raw'},if=none,id=d0,cache={cache}",
            "-device",
            "virtio-blk-pci,drive=d0",
            *(nic or ["-nic", "none"]),
            "-device",
            "virtio-rng-pci",
            "-device",
            "virtio-gpu-pci,romfile=",
            "-device",
            "virtio-keyboard-pci",
            "-audiodev",
            wire.audiodev if wire else "none,id=snd",
            "-device",
            "virtio-sound-pci,audiodev=snd,streams=2",
            "-device",
            "virtio-serial-pci",
            "-chardev",
            f"socket,id=shell,path={self._sockets['shell']},server=on,wait=off",
            "-device",
            "virtconsole,chardev=shell",
            "-qmp",
            f"unix:{self._sockets['monitor']},server=on,wait=off",
        ]
        environment = {
            **os.environ,
            "QEMU_MODULE_DIR": str(_libraries() / "qemu"),
            **(wire.environment if wire else {}),
        }
        self.began = time.monotonic()
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
        self._shell: socket.socket | None = None
        self._monitor: socket.socket | None = None
        self._unread = b""

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        if kind is not None and self._process.poll() is None:
            try:
                self.log.with_suffix(".journal").write_text(
                    self.try_run("journalctl -b -o short-monotonic --no-pager")[1], encoding="utf-8"
                )
            except (AssertionError, OSError) as error:
                print(f"no journal could be had: {error}")
        self.cut_power()

    @property
    def pid(self) -> int:
        """QEMU's process."""
        return self._process.pid

    @property
    def cpu_s(self) -> float:
        """Processor time that the machine has used so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def run(self, command: str, *, timeout_s: float = 600) -> str:
        """Run a command in the guest's root shell; its output. Raises AssertionError if it fails."""
        code, output = self.try_run(command, timeout_s=timeout_s)
        assert code == 0, f"in the guest, {command!r} ended with {code}:\n{output}"
        return output

    def try_run(self, command: str, *, timeout_s: float = 600) -> tuple[int, str]:
        """Run a command in the guest's root shell; its exit code and output (both streams)."""
        shell = self._connected_shell(timeout_s)
        mark = secrets.token_hex(6)
        shell.sendall(f'{{ {command}\n}} </dev/null 2>&1; echo "{mark[:6]}""{mark[6:]} $?"\n'.encode())
        text = self._read_until(rb"%s (\d+)\r?\n" % mark.encode(), timeout_s)
        output, code = re.split(rb"%s (\d+)\r?\n" % mark.encode(), text, maxsplit=1)[:2]
        return int(code), output.decode(errors="replace").replace("\r\n", "\n").strip("\n")

    def wait_for(self, command: str, *, timeout_s: float, every_s: float = 3.0) -> float:
        """Try a command in the guest until it succeeds; seconds since power-on."""
        deadline = time.monotonic() + timeout_s
        output = ""
        while time.monotonic() < deadline:
            code, output = self.try_run(command, timeout_s=timeout_s)
            if code == 0:
                return time.monotonic() - self.began
            time.sleep(every_s)
        raise AssertionError(f"in the guest, {command!r} did not succeed within {timeout_s:.0f} s: {output[-2000:]}")

    def wait_until(self, is_so: Callable[[], bool], *, timeout_s: float, what: str) -> None:
        """Wait for something on this side, while the machine runs on."""
        deadline = time.monotonic() + timeout_s
        while not is_so():
            assert self._process.poll() is None, f"the machine stopped; {self.log} says why"
            assert time.monotonic() < deadline, f"no {what} within {timeout_s:.0f} s"
            time.sleep(2)

    def wait_for_console(self, pattern: bytes, *, timeout_s: float) -> float:
        """Wait until the serial console has said something; seconds since power-on. Costs the guest nothing."""
        deadline = time.monotonic() + timeout_s
        while not (self.log.exists() and re.search(pattern, self.log.read_bytes())):
            assert self._process.poll() is None, f"the machine stopped; {self.log} says why"
            assert time.monotonic() < deadline, f"{self.log} does not say {pattern!r} within {timeout_s:.0f} s"
            time.sleep(1)
        return time.monotonic() - self.began

    def monitor(self, command: str, **arguments: Any) -> Any:
        """A QMP command; its answer."""
        if self._monitor is None:
            self._monitor = _connect(self._sockets["monitor"], 60)
            self._monitor_file = self._monitor.makefile("r", encoding="utf-8")
            json.loads(self._monitor_file.readline())
            self.monitor("qmp_capabilities")
        request = {"execute": command} | ({"arguments": arguments} if arguments else {})
        self._monitor.sendall(json.dumps(request).encode())
        while True:
            answer = json.loads(self._monitor_file.readline())
            if "error" in answer:
                raise AssertionError(f"QEMU: {command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def key(self, name: str, *, down: bool) -> None:
        """Press or release a key of the keyboard (QEMU's names: spc, f9 …)."""
        self.monitor(
            "input-send-event", events=[{"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": name}}}]
        )

    def screenshot(self, file: Path) -> None:
        """What the screen shows, as PNG."""
        self.monitor("screendump", filename=str(file), format="png")

    def shut_down(self, timeout_s: float = 300) -> None:
        """Let the guest stop by itself."""
        if self._shell is None:
            self._connected_shell(timeout_s)
        assert self._shell is not None
        self._shell.sendall(b"systemctl poweroff --no-block\n")
        self._process.wait(timeout_s)

    def cut_power(self) -> None:
        """As pulling the plug."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        for one in (self._shell, self._monitor):
            if one is not None:
                one.close()

    def _connected_shell(self, timeout_s: float) -> socket.socket:
        """Wait for the shell's prompt, then make it quiet."""
        if self._shell is None:
            self._shell = _connect(self._sockets["shell"], 60)
            deadline = time.monotonic() + timeout_s
            while True:  # what is typed before the shell is there is lost
                assert self._process.poll() is None, f"the machine stopped; {self.log} says why"
                assert time.monotonic() < deadline, f"no shell within {timeout_s:.0f} s; {self.log} says more"
                self._shell.sendall(
                    b"stty -echo cols 500; PS1= PS2= TERM=dumb; bind 'set enable-bracketed-paste off'; echo he''re\n"
                )
                try:
                    self._read_until(rb"here\r?\n", 5)
                    break
                except TimeoutError:
                    continue
            try:
                self._read_until(rb"\0\0never\0\0", 2)
            except TimeoutError:
                self._unread = b""
        return self._shell

    def _read_until(self, pattern: bytes, timeout_s: float) -> bytes:
        assert self._shell is not None
        deadline = time.monotonic() + timeout_s
        while not (found := re.search(pattern, self._unread)):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"nothing like {pattern!r} within {timeout_s:.0f} s: {self._unread[-2000:]!r}")
            self._shell.settimeout(left)
            data = self._shell.recv(65536)
            assert data, f"the machine stopped; {self.log} says why"
            self._unread += data
        text, self._unread = self._unread[: found.end()], self._unread[found.end() :]
        return text


def _qemu() -> list[str]:
    """QEMU of the workshop, with the workshop's libraries and data."""
    loader = next(_libraries().glob("ld-linux*.so.*"))
    return [
        str(loader),
        "--library-path",
        f"{_libraries()}:{_libraries()}/pulseaudio",
        str(WORKSHOP / "usr/bin/qemu-system-aarch64"),
        "-L",
        str(WORKSHOP / "usr/share/qemu"),
    ]


def _libraries() -> Path:
    return WORKSHOP / "usr" / "lib" / f"{os.uname().machine}-linux-gnu"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _connect(path: Path, timeout_s: float) -> socket.socket:
    deadline = time.monotonic() + timeout_s
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
            return connection
        except OSError:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
