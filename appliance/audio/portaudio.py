"""PortAudio: which devices there are, and streams with native callbacks. The only file that knows sounddevice.

The audio thread runs native/stream.pyx and never takes the GIL. Opening, closing and rescanning block for up to a few
hundred milliseconds: they belong into a thread, one at a time. Starting and stopping take about a millisecond.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from appliance.audio.pcm import RATE
from appliance.audio.selection import AudioDevice, Direction, candidates
from appliance.errors import AudioDeviceError
from native.stream import Capture, Playback

T = TypeVar("T")

AUDIO_PRIORITY = 10
"""Among real-time threads, 1 to 99: before nothing the kernel needs."""

_FINISHED = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
"""A PaStreamFinishedCallback."""


def list_devices() -> list[AudioDevice]:
    """Every device with what is wrong with it. Opens each for a moment. Raises AudioDeviceError without PortAudio."""
    return [_examined(device) for device in _devices()]


def first_that_opens(direction: Direction, wanted: str, opened: Callable[[AudioDevice], T]) -> T:
    """Open the wanted device, or the best that works. Raises AudioDeviceError with every device's reason."""
    errors = []
    for device in candidates(_devices(), direction, wanted):
        try:
            return opened(device)
        except AudioDeviceError as error:
            errors.append(str(error))
    raise AudioDeviceError("; ".join(errors))


def rescan() -> None:
    """Look for devices again; PortAudio lists them once. All streams must be closed. Raises AudioDeviceError."""
    sounddevice = _sounddevice()
    try:
        if sounddevice._initialized:
            sounddevice._terminate()
        sounddevice._initialize()
    except sounddevice.PortAudioError as error:
        raise AudioDeviceError(f"PortAudio cannot be started again: {_reason(error)}") from error


class Stream:
    """A PortAudio stream with a native callback. on_end: told when it ends by itself, from the audio thread."""

    def __init__(
        self,
        kind: str,
        device: AudioDevice,
        channels: int,
        block_s: float,
        latency_s: float,
        native: Capture | Playback,
        on_end: Callable[[], None],
    ) -> None:
        sounddevice = _sounddevice()
        self._error: type[Exception] = sounddevice.PortAudioError
        self._name, self._on_end = device.name, on_end
        self._is_running = False
        self._native = native  # the callback's memory: kept as long as the stream
        pointer = sounddevice._ffi.cast
        # By ctypes: a callback by cffi needs memory that is writable and executable, which a hardened service has not.
        self._end = _FINISHED(lambda userdata: self._finished())
        try:
            # The base class is what sounddevice offers for callbacks in C (its docstring, and python-rtmixer).
            with _urgent():
                self._stream = sounddevice._StreamBase(
                    kind,
                    device=device.index,
                    samplerate=native.rate,
                    channels=channels,
                    dtype="int16",
                    blocksize=round(block_s * native.rate),
                    latency=latency_s,
                    callback=pointer("PaStreamCallback*", native.callback_address),
                    userdata=pointer("void*", native.userdata_address),
                    finished_callback=pointer("PaStreamFinishedCallback*", _address(self._end)),
                )
        except (self._error, ValueError) as error:
            raise AudioDeviceError(f"{device.name!r} cannot be opened: {_reason(error)}") from error
        self.latency_s = float(self._stream.latency)

    @property
    def is_closed(self) -> bool:
        return bool(self._stream.closed)

    def start(self) -> None:
        """Harmless while running. Raises AudioDeviceError."""
        if self._is_running or self.is_closed:
            return
        try:
            with _urgent():
                self._native.mark_start()
                self._stream.start()
        except self._error as error:
            raise AudioDeviceError(f"{self._name!r} cannot be started: {_reason(error)}") from error
        self._is_running = True

    def stop(self) -> None:
        """At once, without playing what the device still buffers."""
        self._is_running = False
        self._stream.abort(ignore_errors=True)

    def close(self) -> None:
        """Harmless when repeated."""
        if not self.is_closed:
            self.stop()
            self._stream.close(ignore_errors=True)

    def _finished(self) -> None:
        if self._is_running:
            self._is_running = False
            self._on_end()


def _address(function: Any) -> int:
    """Of a C function that ctypes made."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0


@contextmanager
def _urgent() -> Iterator[None]:
    """Threads started meanwhile, PortAudio's and the driver's, inherit real-time priority where that is allowed.

    Allowed is root, and whom RLIMIT_RTPRIO lets (sched(7)); the others rely on the scheduler's favour for sleepers.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(AUDIO_PRIORITY))
    except OSError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def _devices() -> list[AudioDevice]:
    sounddevice = _sounddevice()
    if not sounddevice._initialized:
        rescan()
    defaults = {
        host[key] for host in sounddevice.query_hostapis() for key in ("default_input_device", "default_output_device")
    }
    return [
        AudioDevice(
            entry["index"],
            entry["name"],
            entry["max_input_channels"],
            entry["max_output_channels"],
            round(entry["default_samplerate"]),
            entry["index"] in defaults,
        )
        for entry in sounddevice.query_devices()
    ]


def _examined(device: AudioDevice) -> AudioDevice:
    """The device with the rates it accepts and what is wrong with it."""
    rates, problems = set(), []
    directions: tuple[Direction, ...] = ("microphone", "loudspeaker")
    for direction in directions:
        if not device.channels(direction):
            continue
        wanted = (RATE if direction == "microphone" else 48_000, device.rate)
        refusals = {rate: refusal(device, direction, rate) for rate in wanted}
        rates |= {rate for rate, refusal in refusals.items() if refusal is None}
        if all(refusals.values()):
            problems.append(f"cannot be opened as a {direction}: {refusals[device.rate]}")
    return replace(device, rates=tuple(sorted(rates)), problems=tuple(problems))


def refusal(device: AudioDevice, direction: Direction, rate: int) -> str | None:
    """None if the device can be opened at `rate`, else why not."""
    sounddevice = _sounddevice()
    check = sounddevice.check_input_settings if direction == "microphone" else sounddevice.check_output_settings
    try:
        check(device=device.index, channels=1, dtype="int16", samplerate=rate)
    except (sounddevice.PortAudioError, ValueError) as error:
        return _reason(error)
    return None


def _reason(error: Exception) -> str:
    """The driver's words if there are any, else PortAudio's, without sounddevice's wrapping."""
    if len(error.args) > 2 and error.args[2][2]:
        return str(error.args[2][2])
    return str(error.args[0]).rpartition(": ")[2]


def _sounddevice() -> Any:
    """Imported late: importing it loads PortAudio, which a server without sound need not have."""
    try:
        import sounddevice
    except OSError as error:
        raise AudioDeviceError(
            f"PortAudio cannot be loaded ({error}); on Debian: sudo apt install libportaudio2"
        ) from error
    return sounddevice
