"""What the device is called in its network: names that others have are left to them, and the certificate follows."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest

from appliance.server import avahi
from appliance.server.names import ALIAS, Naming
from tests.support.two_hosts import TwoHosts, can_be_made, two_hosts

NAME = "stimme-ab12.local"
SECOND = "stimme-ab12-2.local"

needs_namespaces = pytest.mark.skipif(not can_be_made(), reason="network namespaces need root")

DEVICE = """
import asyncio, json, signal, sys
from pathlib import Path
from appliance.household import keep_certified
from appliance.server.announce import Service, keep_announced
from appliance.server.certificates import Certificates
from appliance.server.names import Naming, own_addresses

async def run(call):
    return call()

async def main():
    naming, renamed = Naming(permanent="stimme-ab12.local"), asyncio.Event()
    certificates = Certificates(Path(sys.argv[1]), naming.now, own_addresses, ever=naming.ever())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_certified(certificates, renamed, run))
        services = lambda name: [Service("_https._tcp", 8443, {"path": "/"})]
        tasks.create_task(keep_announced(naming, services, renamed.set, look_again_s=float(sys.argv[2])))
        while True:
            print(json.dumps([naming.name, naming.has_alias, certificates.names]), flush=True)
            await asyncio.sleep(0.1)

signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may inherit that it is ignored
try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
"""

ASKING = """
import asyncio, json, sys
from zeroconf import AddressResolver, IPVersion
from zeroconf.asyncio import AsyncZeroconf, AsyncServiceBrowser

async def main():
    async with AsyncZeroconf(interfaces=[sys.argv[1]], ip_version=IPVersion.V4Only) as asking:
        found = {}
        for name in sys.argv[2:]:
            one = AddressResolver(f"{name}.")
            await one.async_request(asking.zeroconf, 2000)
            found[name] = one.parsed_addresses()
        print(json.dumps(found))

asyncio.run(main())
"""


class Announced:
    """A device that announces itself, in a process and a network of its own."""

    def __init__(self, process: subprocess.Popen[bytes], file: Path) -> None:
        self.process, self._file = process, file

    def becomes(self, name: str, *, alias: bool) -> list[str]:
        """Wait until it has the name, and the alias or not; the names and addresses of its certificate by then."""
        wanted, end, last = [name, alias], time.monotonic() + 20, ""
        while time.monotonic() < end:
            lines = self._file.read_text().splitlines()[-2:-1]
            last = lines[0] if lines else ""
            if last:
                *now, names = json.loads(last)
                if now == wanted and (name in names, ALIAS in names) == (True, alias):
                    return list(names)
            time.sleep(0.05)
        raise AssertionError(f"{last}, expected {wanted}")


@contextmanager
def device(command: list[str], folder: Path, look_again_s: float = 60.0) -> Iterator[Announced]:
    folder.mkdir()
    file = folder / "names.jsonl"
    with file.open("w") as out:
        arguments = [*command, sys.executable, "-c", DEVICE, str(folder / "tls"), str(look_again_s)]
        process = subprocess.Popen(arguments, stdout=out)
    try:
        yield Announced(process, file)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def hosts() -> Iterator[TwoHosts]:
    with two_hosts() as hosts:
        yield hosts


def is_told(hosts: TwoHosts, expected: dict[str, list[str]]) -> None:
    """Who asks in the network for these names gets these addresses, soon."""
    end, told = time.monotonic() + 20, ""
    while time.monotonic() < end:
        command = hosts.at_other(sys.executable, "-c", ASKING, hosts.others_address, *expected)
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        if json.loads(told) == expected:
            return
    raise AssertionError(f"{told}, expected {expected}")


@needs_namespaces
def test_the_second_device_of_a_name_takes_another_one_and_its_certificate_follows(
    hosts: TwoHosts, tmp_path: Path
) -> None:
    with device(hosts.at_device(), tmp_path / "first") as first:
        assert {NAME, ALIAS, hosts.address} <= set(first.becomes(NAME, alias=True))
        is_told(hosts, {NAME: [hosts.address], ALIAS: [hosts.address]})
        with device(hosts.at_other(), tmp_path / "second", look_again_s=1.0) as second:
            names = second.becomes(SECOND, alias=False)
            assert NAME not in names and hosts.others_address in names
            first.becomes(NAME, alias=True)
            is_told(hosts, {NAME: [hosts.address], SECOND: [hosts.others_address], ALIAS: [hosts.address]})
            done = subprocess.run(
                ["openssl", "verify", "-CAfile", str(tmp_path / "second" / "tls" / "authority.crt"),
                 "-verify_hostname", SECOND, str(tmp_path / "second" / "tls" / "server.crt")],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert "OK" in done.stdout, done.stderr
            first.process.send_signal(signal.SIGINT)  # it says goodbye; its alias goes to who is left
            second.becomes(SECOND, alias=True)


@needs_namespaces
def test_of_two_that_begin_together_one_gives_way(hosts: TwoHosts, tmp_path: Path) -> None:
    with device(hosts.at_device(), tmp_path / "one") as lower, device(hosts.at_other(), tmp_path / "other") as higher:
        higher.becomes(NAME, alias=True)
        lower.becomes(SECOND, alias=False)
        is_told(hosts, {NAME: [hosts.others_address], SECOND: [hosts.address], ALIAS: [hosts.others_address]})


@needs_namespaces
def test_it_is_announced_as_soon_as_there_is_a_network(hosts: TwoHosts, tmp_path: Path) -> None:
    def address(what: str) -> None:
        subprocess.run(
            ["ip", "-n", hosts.device, "addr", what, f"{hosts.address}/24", "dev", hosts.ends[0]], check=True
        )

    address("del")
    try:
        with device(hosts.at_device(), tmp_path / "device", look_again_s=0.5) as one:
            assert hosts.address not in one.becomes(NAME, alias=True)
            address("add")
            is_told(hosts, {NAME: [hosts.address]})
    finally:
        subprocess.run(
            ["ip", "-n", hosts.device, "addr", "replace", f"{hosts.address}/24", "dev", hosts.ends[0]], check=True
        )


def test_a_device_may_be_called_nine_ways_and_answers_to_all_of_them() -> None:
    naming = Naming(["panel.home.arpa"], permanent=NAME)
    assert naming.candidates[:2] == (NAME, SECOND) and len(naming.candidates) == 9
    assert set(naming.now()) < set(naming.ever())
    naming.name, naming.has_alias = SECOND, False
    assert naming.now()[0] == SECOND and "panel.home.arpa" in naming.now()
    assert ALIAS not in naming.now() and NAME not in naming.now()


async def test_avahi_is_asked_what_it_calls_this_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lines as avahi-daemon 0.8 writes them, tried with two of them that had the same name."""
    answers = {"10.0.0.1": b"+ 2 0 stimme-ab12-2.local\n", "10.0.0.2": b"-15 Timeout reached\n"}

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        command, address = (await reader.readline()).decode().split()
        assert command == "RESOLVE-ADDRESS"
        writer.write(answers.get(address, b""))
        writer.close()

    monkeypatch.setattr(avahi, "SOCKET", tmp_path / "socket")
    assert await avahi.called(ip_address("10.0.0.1")) == "", "it does not run"
    async with await asyncio.start_unix_server(answer, tmp_path / "socket"):
        assert await avahi.called(ip_address("10.0.0.1")) == "stimme-ab12-2.local"
        assert await avahi.called(ip_address("10.0.0.2")) == ""
        assert await avahi.called(ip_address("10.0.0.3")) == ""
    monkeypatch.setattr("socket.gethostname", lambda: "stimme-ab12")
    assert avahi.answers_for(NAME) and not avahi.answers_for(SECOND)
