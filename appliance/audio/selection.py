"""Which microphone and loudspeaker: PortAudio's list as data, and the order in which devices are tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from appliance.errors import AudioDeviceError

Direction = Literal["microphone", "loudspeaker"]

_NOT_A_CARD = (
    "surround",
    "iec958",
    "spdif",
    "front",
    "rear",
    "center_lfe",
    "side",
    "dmix",
    "dsnoop",
    "null",
    "modem",
    "lavrate",
    "samplerate",
    "speexrate",
    "upmix",
    "vdownmix",
    "usbstream",
    "oss",
    "jack",
    "monitor",
)
"""ALSA's building blocks, which PortAudio lists like devices; nobody's microphone. "monitor": a loudspeaker's echo."""

_ONBOARD = ("hdmi", "vc4", "bcm2835")
"""The Pi's own outputs: a card that somebody plugged in or put on is meant before them."""


@dataclass(frozen=True)
class AudioDevice:
    """A device as PortAudio lists it."""

    index: int
    name: str
    inputs: int
    outputs: int
    rate: int
    """Its own rate, in samples per second."""
    is_default: bool = False
    """The system's choice for one direction or both."""
    rates: tuple[int, ...] = ()
    """Rates it was tried with and accepts; only filled by list_devices."""
    problems: tuple[str, ...] = ()
    """What is wrong with it, each a sentence; only filled by list_devices."""

    def channels(self, direction: Direction) -> int:
        return self.inputs if direction == "microphone" else self.outputs

    @property
    def is_card(self) -> bool:
        """True for a sound card itself, which has the channels it says; a sound server offers any number."""
        return "(hw:" in self.name


def candidates(devices: Sequence[AudioDevice], direction: Direction, wanted: str = "") -> list[AudioDevice]:
    """The devices to try, best first. wanted: part of the name, upper or lower case.

    Raises AudioDeviceError naming what there is instead.
    """
    usable = [device for device in devices if device.channels(direction)]
    if wanted:
        found = [device for device in usable if wanted.casefold() in device.name.casefold()]
        if not found:
            raise AudioDeviceError(f"no {direction} has {wanted!r} in its name; there are: {_names(usable)}")
        return sorted(found, key=lambda device: device.name.casefold() != wanted.casefold())
    has_server = any(device.name.casefold() in ("pulse", "pipewire") for device in devices)
    ranked = [(_rank(device, has_server), device) for device in usable]
    chosen = [device for rank, device in sorted(ranked, key=lambda pair: pair[0]) if rank < _NEVER]
    if not chosen:
        raise AudioDeviceError(f"no {direction} is connected; there are: {_names(devices)}")
    return chosen


_NEVER = 9


def _rank(device: AudioDevice, has_server: bool) -> int:
    """Lower is tried first: a sound server's choice, a plugged-in card, the system's default, the Pi's own outputs."""
    name = device.name.casefold()
    if has_server and name in ("default", "pulse", "pipewire"):
        return 0
    if device.is_card:
        if not any(word in name for word in _ONBOARD):
            return 1
        return 3 if "headphones" in name else 4
    if device.is_default or name in ("default", "sysdefault"):
        return 2
    return _NEVER if any(word in name for word in _NOT_A_CARD) else 5


def _names(devices: Iterable[AudioDevice]) -> str:
    return ", ".join(repr(device.name) for device in devices) or "none"


def capture_channels(device: AudioDevice, channel: int) -> tuple[int, int | None]:
    """(channels to open, the one to keep or None for their mean). channel: as configured, from 1; 0 chooses.

    Chosen: both channels of a stereo card, mixed; the first of an array, whose others may be raw microphones or the
    loudspeaker's echo; one channel from a sound server, which mixes by itself.
    Raises AudioDeviceError when the device has fewer channels.
    """
    if channel > device.inputs:
        raise AudioDeviceError(
            f"microphone {device.name!r} has {device.inputs} channels, so channel {channel} cannot be used; "
            f"set STIMME_CHANNEL to 0 (automatic) or 1 to {device.inputs}"
        )
    if channel:
        return channel, channel - 1
    if device.is_card and device.inputs == 2:
        return 2, None
    return 1, 0
