"""The lamp: what the device is doing, as light. The only file that knows gpiozero's lamps."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

log = logging.getLogger(__name__)

LampState = Literal["idle", "listening", "thinking", "speaking", "error", "muted", "waking"]


WAKING_LEVEL = 0.06
"""Dim but plain to see: a wake word is being listened for."""


class Lamp:
    """No lamp at all; remembers what it would show."""

    state: LampState = "idle"

    def show(self, state: LampState) -> None:
        """Show a state until the next. Never waits."""
        self.state = state


class GpioLamp(Lamp):
    """A light-emitting diode on a GPIO pin: steady, dim, blinking, pulsing, flickering, or a flash now and then."""

    def __init__(self, led: Any) -> None:
        self._led = led

    def show(self, state: LampState) -> None:
        if state == self.state:
            return
        self.state = state
        match state:
            case "idle":
                self._led.off()
            case "waking":
                self._led.value = WAKING_LEVEL
            case "listening":
                self._led.on()
            case "thinking":
                self._led.blink(on_time=0.25, off_time=0.25)
            case "speaking":
                self._led.pulse(fade_in_time=0.5, fade_out_time=0.5)
            case "error":
                self._led.blink(on_time=0.08, off_time=0.08)
            case "muted":
                self._led.blink(on_time=0.05, off_time=2.95)


@contextmanager
def lamp(pin: int) -> Iterator[Lamp]:
    """The lamp on a GPIO pin (BCM number), dark again at exit; 0 is none. Without GPIO it says so and goes on."""
    if not pin:
        yield Lamp()
        return
    try:
        from gpiozero import PWMLED

        led = PWMLED(pin)
    except Exception as error:  # gpiozero raises whatever its pin library does
        log.warning("the lamp on GPIO %d cannot be used (%s); Raspberry Pi: pip install gpiozero lgpio", pin, error)
        yield Lamp()
        return
    with led:
        yield GpioLamp(led)
