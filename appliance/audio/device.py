"""The device's own microphone and loudspeaker, through PortAudio. The only file that knows sounddevice.

The audio thread runs native/stream.pyx and never takes the GIL. Opening, closing and rescanning block for up to a few
hundred milliseconds: they belong into a thread, one at a time. Everything else here never waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import soxr

from appliance.audio.pcm import RATE, SAMPLE_BYTES
from appliance.audio.selection import AudioDevice, Direction, candidates, capture_channels
from appliance.errors import AudioDeviceError
from native.ring import Ring
from native.stream import Capture, Playback

T = TypeVar("T")

BLOCK_S = 0.010
"""Length of one callback. A reply falls silent within one block."""

CAPTURE_LATENCY_S = 0.10
"""How long the device keeps sound for a late callback. It delays nothing: each block is handed on when it is full."""

PLAYBACK_LATENCY_S = 0.03
"""How far ahead of the loudspeaker the callback writes; this much of a reply is still heard after an interruption."""

REST_AFTER_S = 10.0
"""A loudspeaker that has nothing to say for so long is stopped: an idle stream costs as much as the microphone's."""

PREROLL_S = 0.3
"""Sound kept from before the press, so that no first syllable is cut."""

RING_S = 4.0
"""Captured sound that may wait for the event loop."""

REPLY_S = 40.0
"""Reply sound that may wait for the loudspeaker; pages are committed only as it fills."""


def list_devices() -> list[AudioDevice]:
    """Every device with what is wrong with it. Opens each for a moment. Raises AudioDeviceError without PortAudio."""
    return [_examined(device) for device in _devices()]


def open_microphone(wanted: str, channel: int, on_end: Callable[[], None]) -> Microphone:
    """Open and start the wanted microphone, or the first that works. Blocks. Raises AudioDeviceError.

    on_end: called from the audio thread, once, when the stream ends without having been closed.
    """
    return _first_that_opens("microphone", wanted, lambda device: Microphone(device, channel, on_end))


def open_loudspeaker(wanted: str, on_end: Callable[[], None]) -> Loudspeaker:
    """Open and start the wanted loudspeaker, or the first that works. Blocks. Raises AudioDeviceError."""
    return _first_that_opens("loudspeaker", wanted, lambda device: Loudspeaker(device, on_end))


def rescan() -> None:
    """Look for devices again; PortAudio lists them once. All streams must be closed. Blocks."""
    sounddevice = _sounddevice()
    sounddevice._terminate()
    sounddevice._initialize()


class Microphone:
    """A running microphone. Keeps the last 300 ms to itself; hands on sound only while armed, as 16 kHz s16le."""

    def __init__(self, device: AudioDevice, channel: int, on_end: Callable[[], None]) -> None:
        self.name = device.name
        self.rate = RATE if _accepts(device, "microphone", RATE) is None else device.rate
        """What the card runs at; 16 kHz if it can."""
        channels, index = capture_channels(device, channel)
        self._ring = Ring(round(RING_S * self.rate), notify=True)
        self.capture = Capture(self._ring, channels, index, rate=self.rate, preroll=round(PREROLL_S * self.rate))
        self._resampler = soxr.ResampleStream(self.rate, RATE, 1, dtype="int16") if self.rate != RATE else None
        self._skip_samples = 0
        self._stream = _Stream("input", device, self.rate, channels, CAPTURE_LATENCY_S, self.capture, on_end)
        self._stream.start()

    def fileno(self) -> int:
        """Readable when sound has come, for loop.add_reader."""
        return self._ring.fileno()

    def arm(self, *, preroll: bool) -> None:
        """Hand on sound from now, and from before now unless the loudspeaker was what was heard then."""
        self._skip_samples = 0 if preroll else round(PREROLL_S * self.rate)
        if self._resampler is not None:
            self._resampler.clear()
        self.capture.arm()

    def read(self, *, last: bool = False) -> bytes:
        """All sound that has come since. last: the utterance is over; no more is handed on until armed again."""
        if last:
            self.capture.disarm()
        self._ring.clear_wakeup()
        pcm = self._ring.read()
        if self._skip_samples:
            skipped = min(self._skip_samples, len(pcm) // SAMPLE_BYTES)
            self._skip_samples -= skipped
            pcm = pcm[skipped * SAMPLE_BYTES :]
        if self._resampler is None:
            return pcm
        resampled: bytes = self._resampler.resample_chunk(np.frombuffer(pcm, "<i2"), last=last).tobytes()
        return resampled

    def close(self) -> None:
        """Stop capture and wipe every sample that was kept. Blocks for a moment; harmless when repeated."""
        if not self._stream.is_closed:
            self._stream.close()
            self.capture.wipe()
            self.capture.close()
            self._ring.wipe()
            self._ring.close()


class Loudspeaker:
    """A loudspeaker: a Sink. Its stream runs while there is something to say and for a while after it."""

    def __init__(self, device: AudioDevice, on_end: Callable[[], None]) -> None:
        self.name = device.name
        self.rate = 48_000 if _accepts(device, "loudspeaker", 48_000) is None else device.rate
        channels = min(2, device.outputs)
        self._ring = Ring(round(REPLY_S * self.rate))
        self.playback = Playback(self._ring, channels, rate=self.rate)
        self._on_end = on_end
        self._rest: asyncio.TimerHandle | None = None
        self._stream = _Stream("output", device, self.rate, channels, PLAYBACK_LATENCY_S, self.playback, on_end)
        self.latency_s = self._stream.latency_s

    @property
    def is_heard(self) -> bool:
        """True while something is being said or waits to be."""
        return not self.playback.drained

    async def write(self, pcm: bytes) -> None:
        """See Sink.write. Begins a reply; drain() or flush() ends it."""
        if not self.playback.speaking:
            self.playback.begin()
        self._wake()
        while pcm := pcm[self._ring.write(pcm) * SAMPLE_BYTES :]:  # noqa: ASYNC110 - 40 s wait already: no hurry
            await asyncio.sleep(0.1)

    async def drain(self) -> None:
        """See Sink.drain."""
        self.playback.finish()
        loop, left = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self.playback.fileno(), left.set)
        try:
            while self.is_heard:
                left.clear()
                self.playback.clear_wakeup()
                if self.is_heard:
                    await left.wait()
        finally:
            loop.remove_reader(self.playback.fileno())
        await asyncio.sleep(self.latency_s)

    def flush(self) -> None:
        """See Sink.flush."""
        self.playback.flush()

    def play(self, pcm: bytes) -> None:
        """A short sound of the device itself, at once; left out while something is being said."""
        self._wake()
        if not self.is_heard:
            self._ring.write(pcm)

    def set_gain(self, gain: float) -> None:
        """gain: 0 to 1, reached within one block."""
        self.playback.volume = gain

    def close(self) -> None:
        """Blocks for a moment; harmless when repeated. Whoever is still writing must be cancelled, and sees nothing."""
        self._stream.close()

    def _wake(self) -> None:
        """Starting takes less than a millisecond. A loudspeaker that went away while it rested is noticed here."""
        try:
            self._stream.start()
        except AudioDeviceError:
            self._on_end()
        if self._rest is None:
            self._rest = asyncio.get_running_loop().call_later(REST_AFTER_S, self._fall_asleep)

    def _fall_asleep(self) -> None:
        self._rest = None
        if not self._stream.is_closed:
            if self.is_heard:
                self._wake()
            else:
                self._stream.stop()


class _Stream:
    """A PortAudio stream with a native callback. on_end: told when it ends by itself, from the audio thread."""

    def __init__(
        self, kind: str, device: AudioDevice, rate: int, channels: int, latency_s: float, native: Capture | Playback,
        on_end: Callable[[], None],
    ) -> None:
        sounddevice = _sounddevice()
        self._error: type[Exception] = sounddevice.PortAudioError
        self._name, self._on_end = device.name, on_end
        self._is_running = False
        self._native = native  # the callback's memory: kept as long as the stream
        pointer = sounddevice._ffi.cast
        try:
            # The base class is what sounddevice offers for callbacks in C (its docstring, and python-rtmixer).
            self._stream = sounddevice._StreamBase(
                kind, samplerate=rate, blocksize=round(BLOCK_S * rate), device=device.index, channels=channels,
                dtype="int16", latency=latency_s, callback=pointer("PaStreamCallback*", native.callback_address),
                userdata=pointer("void*", native.userdata_address), finished_callback=self._finished)
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


def _first_that_opens(direction: Direction, wanted: str, opened: Callable[[AudioDevice], T]) -> T:
    errors = []
    for device in candidates(_devices(), direction, wanted):
        try:
            return opened(device)
        except AudioDeviceError as error:
            errors.append(str(error))
    raise AudioDeviceError("; ".join(errors))


def _devices() -> list[AudioDevice]:
    sounddevice = _sounddevice()
    defaults = {host[key] for host in sounddevice.query_hostapis()
                for key in ("default_input_device", "default_output_device")}
    return [
        AudioDevice(
            entry["index"], entry["name"], entry["max_input_channels"], entry["max_output_channels"],
            round(entry["default_samplerate"]), entry["index"] in defaults)
        for entry in sounddevice.query_devices()]


def _examined(device: AudioDevice) -> AudioDevice:
    """The device with the rates it accepts and what is wrong with it."""
    rates, problems = set(), []
    directions: tuple[Direction, ...] = ("microphone", "loudspeaker")
    for direction in directions:
        if not device.channels(direction):
            continue
        wanted = (RATE if direction == "microphone" else 48_000, device.rate)
        refusals = {rate: _accepts(device, direction, rate) for rate in wanted}
        rates |= {rate for rate, refusal in refusals.items() if refusal is None}
        if all(refusals.values()):
            problems.append(f"cannot be opened as a {direction}: {refusals[device.rate]}")
    return replace(device, rates=tuple(sorted(rates)), problems=tuple(problems))


def _accepts(device: AudioDevice, direction: Direction, rate: int) -> str | None:
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
            f"PortAudio cannot be loaded ({error}); on Debian: sudo apt install libportaudio2") from error
    return sounddevice
