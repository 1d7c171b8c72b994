"""Buttons: a key or foot switch (evdev), a button or switch on GPIO (gpiozero), a key in the terminal.

Each reports edges, True for down; push_to_talk.py says what they mean. Everything here runs on the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.errors import ConfigError

log = logging.getLogger(__name__)

Edge = Callable[[bool], None]

MEDIA_KEYS = ("KEY_VOICECOMMAND", "KEY_PLAYPAUSE", "KEY_PLAY", "KEY_MEDIA")
"""What the button of a headset, a speakerphone or a media remote sends (linux/input-event-codes.h)."""

MUTE_KEY = "KEY_MICMUTE"

INPUT_FOLDER = Path("/dev/input")
RESCAN_S = 2.0
_KEY_EVENT = 1  # EV_KEY


def keys(key: str, on_edge: Edge, on_mute: Callable[[], None]) -> Keys | None:
    """See Keys; None, with a line in the log, where the kernel's input devices cannot be read."""
    try:
        return Keys(key, on_edge, on_mute)
    except ImportError as error:
        log.warning("keys cannot be used as the button (%s): pip install evdev", error)
        return None


class Keys:
    """Push-to-talk and mute keys of all keyboards, foot switches and headsets, plugged in whenever.

    key: a kernel name, "" for the media keys. on_mute: called each time the microphone mute key goes down.
    Raises ConfigError for a key that the kernel does not know.
    """

    def __init__(self, key: str, on_edge: Edge, on_mute: Callable[[], None]) -> None:
        from evdev import ecodes

        names = (key,) if key else MEDIA_KEYS
        if key and key not in ecodes.ecodes:
            raise ConfigError(f"STIMME_KEY: {key!r}: the kernel has no such key; expected a name like KEY_SPACE")
        self._talk_keys = {ecodes.ecodes[name] for name in names}
        self._mute_key = ecodes.ecodes[MUTE_KEY]
        self._on_edge, self._on_mute = on_edge, on_mute
        self._open: dict[str, Any] = {}
        self._down: set[str] = set()

    async def watch(self, folder: Path = INPUT_FOLDER) -> None:
        """Attach to every fitting device under `folder`, now and later. Runs until cancelled."""
        seen = 0
        try:
            while True:
                changed, devices = await asyncio.to_thread(self._new_devices, folder, seen)
                seen = changed
                for device in devices:
                    self.attach(device)
                await asyncio.sleep(RESCAN_S)
        finally:
            for path in tuple(self._open):
                self.detach(path)

    def _new_devices(self, folder: Path, seen: int) -> tuple[int, list[Any]]:
        """When the folder last changed (ns), and what has appeared in it since `seen`."""
        from evdev import InputDevice

        try:
            changed = folder.stat().st_mtime_ns
        except OSError:  # a machine without input devices, so far
            return 0, []
        found = []
        for path in sorted(folder.glob("event*")) if changed != seen else ():
            if str(path) in self._open:
                continue
            try:
                device = InputDevice(str(path))
                has_key = (self._talk_keys | {self._mute_key}) & set(device.capabilities().get(_KEY_EVENT, []))
            except OSError as error:
                log.info("input device %s cannot be read (%s); is the user in group input?", path, error.strerror)
                continue
            if has_key:
                found.append(device)
            else:
                device.close()
        return changed, found

    def attach(self, device: Any) -> None:
        """Read an evdev.InputDevice from now on."""
        log.info("push-to-talk key on %s", device.name)
        self._open[device.path] = device
        asyncio.get_running_loop().add_reader(device.fd, self._read, device)

    def detach(self, path: str) -> None:
        """Close a device; a key that was held on it counts as released."""
        device = self._open.pop(path)
        asyncio.get_running_loop().remove_reader(device.fd)
        device.close()
        if path in self._down:
            self._down.discard(path)
            self._on_edge(False)

    def _read(self, device: Any) -> None:
        try:
            for event in device.read():
                self._event(device.path, event)
        except BlockingIOError:
            return
        except OSError:
            log.info("%s was unplugged", device.name)
            self.detach(device.path)

    def _event(self, path: str, event: Any) -> None:
        """One struct input_event: value 1 is down, 0 up, 2 a repetition of a held key (linux/input.h)."""
        if event.type != _KEY_EVENT or event.value not in (0, 1):
            return
        if event.code in self._talk_keys:
            (self._down.add if event.value else self._down.discard)(path)
            self._on_edge(event.value == 1)
        elif event.code == self._mute_key and event.value == 1:
            self._on_mute()


@contextmanager
def gpio_button(pin: int, on_edge: Edge, *, report_now: bool = False) -> Iterator[None]:
    """A button between a GPIO pin (BCM number) and ground; 0 is none. report_now: it is a switch, tell its position.

    Without GPIO it says so and goes on: the other buttons still work.
    """
    if not pin:
        yield
        return
    loop = asyncio.get_running_loop()
    try:
        from gpiozero import Button

        button = Button(pin)
    except Exception as error:  # gpiozero raises whatever its pin library does
        log.warning("the button on GPIO %d cannot be used (%s); Raspberry Pi: pip install gpiozero lgpio", pin, error)
        yield
        return
    with button:
        button.when_pressed = lambda: loop.call_soon_threadsafe(on_edge, True)
        button.when_released = lambda: loop.call_soon_threadsafe(on_edge, False)
        if report_now:
            on_edge(bool(button.is_pressed))
        yield


REPEAT_DELAY_S = 0.7
"""A held key begins to repeat within so long (desktops: 0.25 to 0.66 s) …"""

REPEAT_GAP_S = 0.15
"""… and then follows itself within so long."""


class TerminalKey:
    """A terminal tells when a key is typed, not when it is released: a held key is known by its repetitions.

    The first character is a tap, which begins; when repetitions followed and stop, a second tap ends.
    """

    def __init__(
        self,
        on_edge: Edge,
        is_listening: Callable[[], bool],
        clock: Callable[[], float],
        later: Callable[[float, Callable[[], None]], asyncio.TimerHandle],
    ) -> None:
        self._on_edge, self._is_listening, self._clock, self._later = on_edge, is_listening, clock, later
        self._typed_at = float("-inf")
        self._began = self._repeats = False
        self._released: asyncio.TimerHandle | None = None

    def typed(self) -> None:
        now, since_s = self._clock(), self._clock() - self._typed_at
        self._typed_at = now
        if since_s < (REPEAT_GAP_S if self._repeats else REPEAT_DELAY_S):
            self._repeats = True
            if self._released is not None:
                self._released.cancel()
            self._released = self._later(REPEAT_GAP_S, self._stopped)
        else:
            self._tap()
            self._began = self._is_listening()

    def _stopped(self) -> None:
        self._repeats, self._typed_at = False, float("-inf")
        if self._began and self._is_listening():
            self._tap()

    def _tap(self) -> None:
        self._on_edge(True)
        self._on_edge(False)


@contextmanager
def terminal(
    is_wanted: bool, on_edge: Edge, is_listening: Callable[[], bool], on_mute: Callable[[], None]
) -> Iterator[None]:
    """The space bar of this terminal as the button, "m" as mute. The terminal is as before at exit."""
    if not is_wanted:
        yield
        return
    if not sys.stdin.isatty():
        log.warning("STIMME_TERMINAL_KEY is set, but standard input is no terminal; use another button")
        yield
        return
    loop, fd = asyncio.get_running_loop(), sys.stdin.fileno()
    key = TerminalKey(on_edge, is_listening, loop.time, loop.call_later)

    def read() -> None:
        for character in os.read(fd, 64):
            if character == ord(" "):
                key.typed()
            elif character == ord("m"):
                on_mute()

    before = termios.tcgetattr(fd)
    tty.setcbreak(fd)
    loop.add_reader(fd, read)
    try:
        log.info("space bar: hold it and talk, or tap to begin and to end; m: mute")
        yield
    finally:
        loop.remove_reader(fd)
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
