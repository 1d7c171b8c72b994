"""Keys through a recorded event stream, GPIO through gpiozero's mock pins, and a terminal that is a pseudo-terminal."""

from __future__ import annotations

import asyncio
import os
import pty
import struct
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from evdev import InputDevice, ecodes
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPin

from appliance.device.button import Keys, TerminalKey, gpio_button, keys, terminal
from appliance.errors import ConfigError
from tests.device.test_push_to_talk import Clock
from tests.support.patience import until


class RecordedDevice(InputDevice[str]):
    """evdev's own reader over a pipe: what a node in /dev/input would give, without the kernel's uinput."""

    def __init__(self, descriptor: int) -> None:
        self.fd, self.path, self.name = descriptor, "/dev/input/event7", "a foot switch"

    def __del__(self) -> None:
        """The pipe is closed by whoever opened it, or by detach."""


def recorded(*events: tuple[int, int, int]) -> bytes:
    """struct input_event as the kernel writes it (linux/input.h): time, type, code, value; each with its SYN_REPORT."""
    return b"".join(
        struct.pack("llHHi", 1_700_000_000, 1000 * number, *event) + struct.pack("llHHi", 1_700_000_000, 0, 0, 0, 0)
        for number, event in enumerate(events)
    )


def scan(code: int) -> tuple[int, int, int]:
    return ecodes.EV_MSC, ecodes.MSC_SCAN, code


def key(name: str, value: int) -> tuple[int, int, int]:
    return ecodes.EV_KEY, ecodes.ecodes[name], value


class Heard:
    def __init__(self) -> None:
        self.edges: list[bool] = []
        self.mutes = 0

    def mute(self) -> None:
        self.mutes += 1


@pytest.fixture
def heard() -> Heard:
    return Heard()


async def rounds() -> None:
    """Let the loop see what has come already."""
    for _ in range(5):
        await asyncio.sleep(0)


async def play(keys: Keys, stream: bytes) -> None:
    """Give the stream to a device, and then unplug it."""
    reader, writer = os.pipe2(os.O_NONBLOCK)
    keys.attach(RecordedDevice(reader))
    os.write(writer, stream)
    await rounds()
    keys.detach("/dev/input/event7")
    os.close(writer)


async def test_a_foot_switch_reports_its_edges_but_not_the_repetitions_of_a_held_key(heard: Heard) -> None:
    stream = recorded(
        scan(0x70005), key("KEY_F13", 1), key("KEY_F13", 2), key("KEY_F13", 2), scan(0x70005), key("KEY_F13", 0)
    )
    await play(Keys("KEY_F13", heard.edges.append, heard.mute), stream)
    assert heard.edges == [True, False]


async def test_other_keys_do_nothing(heard: Heard) -> None:
    await play(Keys("KEY_F13", heard.edges.append, heard.mute), recorded(key("KEY_A", 1), key("KEY_A", 0)))
    assert heard.edges == []


async def test_without_a_configured_key_the_media_keys_talk(heard: Heard) -> None:
    stream = recorded(key("KEY_PLAYPAUSE", 1), key("KEY_PLAYPAUSE", 0), key("KEY_VOICECOMMAND", 1))
    await play(Keys("", heard.edges.append, heard.mute), stream)
    assert heard.edges == [True, False, True, False]


async def test_the_microphone_mute_key_mutes_once_a_press(heard: Heard) -> None:
    stream = recorded(key("KEY_MICMUTE", 1), key("KEY_MICMUTE", 2), key("KEY_MICMUTE", 0))
    await play(Keys("KEY_F13", heard.edges.append, heard.mute), stream)
    assert (heard.edges, heard.mutes) == ([], 1)


async def test_unplugging_releases_a_held_key(heard: Heard) -> None:
    await play(Keys("KEY_F13", heard.edges.append, heard.mute), recorded(key("KEY_F13", 1)))
    assert heard.edges == [True, False]


async def test_a_folder_without_devices_is_watched_in_peace(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "event0").write_bytes(b"not a device")
    watching = asyncio.create_task(Keys("KEY_F13", heard.edges.append, heard.mute).watch(tmp_path))
    await asyncio.sleep(0.1)
    assert not watching.done()
    watching.cancel()


async def test_an_unknown_key_is_an_error_that_shows_what_is_expected(heard: Heard) -> None:
    with pytest.raises(ConfigError, match="STIMME_KEY: 'SPACEBAR': the kernel has no such key; expected .* KEY_SPACE"):
        keys("SPACEBAR", heard.edges.append, heard.mute)


async def test_without_evdev_there_are_no_keys_and_the_log_says_so(
    heard: Heard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "evdev", None)
    assert keys("", heard.edges.append, heard.mute) is None
    assert "pip install evdev" in caplog.text


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    Device.pin_factory = MockFactory()
    yield Device.pin_factory
    Device.pin_factory.close()
    Device.pin_factory = None


async def test_a_gpio_button_reports_its_edges(heard: Heard, pins: MockFactory) -> None:
    with gpio_button(17, heard.edges.append):
        pins.pin(17).drive_low()
        await rounds()
        pins.pin(17).drive_high()
        await rounds()
    assert heard.edges == [True, False]


class ClosedSwitch(MockPin):  # type: ignore[misc]  # gpiozero has no types
    """Connected to ground, whatever the pull-up resistor wants."""

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        self.drive_low()


async def test_a_gpio_switch_tells_its_position_at_the_start(heard: Heard, pins: MockFactory) -> None:
    pins.pin_class = ClosedSwitch
    with gpio_button(22, heard.edges.append, report_now=True):
        assert heard.edges == [True]


async def test_no_gpio_button_is_wanted_by_number_0(heard: Heard) -> None:
    with gpio_button(0, heard.edges.append, report_now=True):
        assert heard.edges == []


async def test_without_gpio_the_other_buttons_still_work(
    heard: Heard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with gpio_button(17, heard.edges.append):
        assert "the button on GPIO 17 cannot be used" in caplog.text


class Terminal:
    """A key in a terminal and what it works on: every press toggles."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.listening = False
        self.key = TerminalKey(self._edge, lambda: self.listening, self.clock, self.clock.later)

    def _edge(self, is_down: bool) -> None:
        if is_down:
            self.listening = not self.listening

    def type(self, *after_s: float) -> list[bool]:
        """Type at these intervals; what was listened to after each, and a second later."""
        states = []
        for interval_s in after_s:
            self.clock.wait(interval_s)
            self.key.typed()
            states.append(self.listening)
        self.clock.wait(1.0)
        return [*states, self.listening]


async def test_a_typed_space_begins_and_another_ends() -> None:
    assert Terminal().type(0.0, 3.0) == [True, False, False]


async def test_a_held_space_talks_until_it_is_released() -> None:
    assert Terminal().type(0.0, 0.5, *[0.03] * 20) == [True, *[True] * 21, False]


async def test_two_quick_spaces_end_as_well() -> None:
    assert Terminal().type(0.0, 0.4) == [True, True, False]


async def test_a_held_space_that_ended_does_not_begin_again() -> None:
    assert Terminal().type(0.0, 3.0, 0.5, 0.03, 0.03) == [True, False, False, False, False, False]


async def test_the_terminal_sends_keys_and_is_as_before_afterwards(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller, side = pty.openpty()
    with os.fdopen(side) as stdin, os.fdopen(controller, "wb", buffering=0) as keyboard:
        monkeypatch.setattr(sys, "stdin", stdin)
        before = termios.tcgetattr(side)
        with terminal(True, heard.edges.append, lambda: False, heard.mute):
            keyboard.write(b" xm")
            await until(lambda: heard.mutes)
        assert termios.tcgetattr(side) == before
    assert (heard.edges, heard.mutes) == ([True, False], 1)


async def test_without_a_terminal_the_space_bar_is_given_up_with_a_line_in_the_log(
    heard: Heard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with open(os.devnull) as stdin:  # noqa: ASYNC230 - nothing to wait for
        monkeypatch.setattr(sys, "stdin", stdin)
        with terminal(True, heard.edges.append, lambda: False, heard.mute):
            assert "standard input is no terminal" in caplog.text
