"""Two hosts on one machine: network namespaces joined by a veth pair (ip-netns(8)). Needs root, as CI has."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TwoHosts:
    device: str
    other: str
    """Names of the namespaces."""
    ends: tuple[str, str]
    """What the pair's ends are called in them."""
    address: str = "10.77.0.1"
    """The device's."""
    others_address: str = "10.77.0.2"

    def at_device(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self.device, *command]

    def at_other(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self.other, *command]

    @contextmanager
    def cable_pulled(self) -> Iterator[None]:
        """Nothing goes between them."""
        _ip("-n", self.device, "link", "set", self.ends[0], "down")
        try:
            yield
        finally:
            _ip("-n", self.device, "link", "set", self.ends[0], "up")
            _ip("-n", self.device, "route", "replace", "224.0.0.0/4", "dev", self.ends[0])


def can_be_made() -> bool:
    return os.geteuid() == 0 and shutil.which("ip") is not None


@contextmanager
def two_hosts() -> Iterator[TwoHosts]:
    ends = (f"sd{os.getpid()}", f"so{os.getpid()}")
    hosts = TwoHosts(f"stimme-d{os.getpid()}", f"stimme-o{os.getpid()}", ends)
    try:
        for name in (hosts.device, hosts.other):
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip(
            "link", "add", ends[0], "netns", hosts.device, "type", "veth", "peer", "name", ends[1], "netns", hosts.other
        )
        addresses = (hosts.address, hosts.others_address)
        for name, end, address in zip((hosts.device, hosts.other), ends, addresses, strict=True):
            _ip("-n", name, "addr", "add", f"{address}/24", "dev", end)
            _ip("-n", name, "link", "set", end, "up")
            _ip("-n", name, "route", "add", "224.0.0.0/4", "dev", end)
        yield hosts
    finally:
        for name in (hosts.device, hosts.other):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def trusting_home(folder: Path, authority: Path | None) -> Path:
    """A home directory whose browser trusts `authority` and no other that is not built in."""
    store = folder / ".pki" / "nssdb"
    store.mkdir(parents=True)
    subprocess.run(["certutil", "-d", f"sql:{store}", "-N", "--empty-password"], check=True)
    if authority is not None:
        subprocess.run(
            ["certutil", "-d", f"sql:{store}", "-A", "-t", "C,,", "-n", "stimme", "-i", str(authority)], check=True
        )
    return folder


def wrapper(folder: Path, hosts: TwoHosts, program: str) -> Path:
    """A program that runs another one at the other host, for launchers that take a path."""
    script = folder / "there"
    script.write_text(f'#!/bin/sh\nexec ip netns exec {hosts.other} {program} "$@"\n')
    script.chmod(0o755)
    return script
