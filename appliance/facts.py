"""What the device knows of itself when somebody asks: addresses, temperature, memory, voices, who else is there."""

from __future__ import annotations

import fcntl
import shutil
import socket
import struct
import time
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path

from appliance import __version__
from appliance.config import PlaceConfig
from appliance.dialogue.things import Device
from appliance.dialogue.types import Memory
from appliance.language import Language
from appliance.models.catalogue import by_name
from appliance.models.choose import Choice, called
from appliance.server.names import own_addresses, unique_name

Voices = Mapping[Language, Mapping[str, Choice]]
"""By what people call them, the usual one first."""

_SIOCGIWESSID = 0x8B1B
"""The name of the wireless network that an interface is in (linux/wireless.h)."""
_ESSID_BYTES = 32


class Facts:
    """Called with who asks and in which language; any thread may, as it reads files. What has a docstring is set later.

    state: the directory whose disk counts. system: where /sys and /proc are.
    """

    def __init__(self, place: PlaceConfig, voices: Voices, state: Path, system: Path = Path("/")) -> None:
        self.fingerprint: tuple[str, ...] = ()
        """Four words."""
        self.rooms: Callable[[Memory], tuple[str, ...]] = lambda memory: ()
        """The other places that could say something."""
        self.host: Callable[[], str] = unique_name
        """What this device is called in the network."""
        self._place, self.voices, self._state, self._system = place, voices, state, system
        self._begun_s = time.monotonic()

    def __call__(self, memory: Memory, language: Language) -> Device:
        voices = self.voices.get(language, {})
        times = {stage: took for stage, took in memory.last_turn_ms.items() if stage != "synthesis_ms"}
        chosen = memory.speech.voice or ""
        return Device(
            addresses=tuple(str(address) for address in own_addresses() if address.version == 4),
            host=self.host(),
            network=self._network(),
            temperature_c=self._temperature_c(),
            memory_free_mb=self._memory_free_mb(),
            disk_free_mb=self._disk_free_mb(),
            version=__version__,
            uptime_s=time.monotonic() - self._begun_s,
            fingerprint=self.fingerprint,
            rooms=self.rooms(memory),
            voices=tuple(voices),
            speakers={name: _speaker(choice) for name, choice in voices.items()},
            voice=chosen if chosen in voices else next(iter(voices), ""),
            last_turn_ms=times,
            place=(self._place.latitude, self._place.longitude),
            region=self._place.region,
            speed=memory.speech.speed or 1.0,
        )

    def _temperature_c(self) -> float | None:
        try:
            return int((self._system / "sys/class/thermal/thermal_zone0/temp").read_text()) / 1000
        except (OSError, ValueError):
            return None

    def _memory_free_mb(self) -> float | None:
        try:
            lines = (self._system / "proc/meminfo").read_text().splitlines()
            return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("MemAvailable:"))
        except (OSError, ValueError, IndexError, StopIteration):
            return None

    def _disk_free_mb(self) -> float | None:
        try:
            return shutil.disk_usage(self._state).free / 1e6
        except OSError:
            return None

    def _network(self) -> str:
        """The wireless network's name; "" by cable."""
        for wireless in (self._system / "sys/class/net").glob("*/wireless"):
            if name := _wireless_name(wireless.parent.name):
                return name
        return ""


def _wireless_name(interface: str) -> str:
    """What an interface's wireless network is called; "" if it is in none, or the driver does not tell."""
    name = array("B", bytes(_ESSID_BYTES))
    address, _ = name.buffer_info()
    request = struct.pack("16sPHH", interface.encode()[:15], address, _ESSID_BYTES, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            fcntl.ioctl(asked.fileno(), _SIOCGIWESSID, request)
        except OSError:
            return ""
    return name.tobytes().rstrip(b"\0").decode(errors="replace")


def usual_first(voices: Mapping[str, Choice], usual: Choice | None) -> dict[str, Choice]:
    """All voices of a language, and before them the one that speaks if nobody chose another."""
    return ({called(usual.name): usual} if usual is not None else {}) | {
        name: choice for name, choice in voices.items() if usual is None or choice.path != usual.path
    }


def _speaker(choice: Choice) -> str:
    model = by_name(choice.name)
    return model.speaker if model is not None else ""
