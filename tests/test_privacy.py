"""Nothing leaves the device: what its libraries carry, and which files and sockets a running assistant has."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import onnxruntime

from tests.support.caller import caller
from tests.support.server import running_server

LISTENING = "0A"
"""TCP_LISTEN in /proc/net/tcp (proc(5))."""


def test_the_neural_network_library_carries_no_telemetry_client() -> None:
    libraries = list(Path(onnxruntime.__file__).parent.glob("capi/*.so*"))
    assert libraries
    for library in libraries:
        assert b"telemetry_1ds" not in library.read_bytes(), f"{library.name} can report home; see docs/decisions.md"


def test_a_running_assistant_writes_only_its_own_files_and_connects_nowhere(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    settings = {"HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "STIMME_STATE": str(home / "state")}
    with running_server(settings) as server:
        asyncio.run(_one_turn(server.url))
        remote = [row for row in _sockets(server.process.pid) if row[3] != LISTENING and not _is_loopback(row[2])]
        files = {path.relative_to(home).parts[0] for path in home.rglob("*") if path.is_file()}
    assert remote == []
    assert files <= {"cache", "state"}
    assert {path.name for path in (home / "cache").iterdir()} <= {"stimme"}


def test_a_running_assistant_has_no_library_for_neural_networks_but_its_own(tmp_path: Path) -> None:
    with running_server({"STIMME_STATE": str(tmp_path)}) as server:
        mapped = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "native/vits" in mapped and "onnxruntime" not in mapped


async def _one_turn(url: str) -> None:
    async with caller(url) as person:
        assert (await person.type("what time is it")).audio


def _sockets(pid: int) -> list[list[str]]:
    """The rows of /proc/net/tcp and tcp6 that belong to a process."""
    own = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            own.add(os.readlink(descriptor))
        except FileNotFoundError:
            continue  # closed meanwhile
    rows = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if f"socket:[{fields[9]}]" in own:
                rows.append(fields)
    return rows


def _is_loopback(address: str) -> bool:
    """An address of /proc/net/tcp, in host byte order: 127.0.0.0/8 ends in 7F on a little-endian machine."""
    host = address.partition(":")[0]
    return host.endswith("7F") or host in ("0" * 24 + "01000000", "0" * 16 + "FFFF0000" + "0100007F")
