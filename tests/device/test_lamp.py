"""The lamp on gpiozero's mock pins."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory, MockPWMPin

from appliance.device.lamp import GpioLamp, LampState, lamp
from tests.support.patience import until_now


@pytest.fixture
def pin() -> Iterator[MockPWMPin]:
    Device.pin_factory = MockFactory(pin_class=MockPWMPin)
    yield Device.pin_factory.pin(18)
    Device.pin_factory.close()
    Device.pin_factory = None


def test_listening_is_steady_light_and_idle_is_dark(pin: MockPWMPin) -> None:
    with lamp(18) as light:
        light.show("listening")
        assert pin.state == 1
        light.show("idle")
        assert pin.state == 0


class Led:
    """gpiozero's PWMLED as the lamp uses it."""

    def __init__(self) -> None:
        self.last: tuple[str, dict[str, float]] = ("", {})

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda **times: setattr(self, "last", (name, times))


@pytest.mark.parametrize(
    ("state", "pattern"),
    [
        ("listening", ("on", {})),
        ("thinking", ("blink", {"on_time": 0.25, "off_time": 0.25})),
        ("speaking", ("pulse", {"fade_in_time": 0.5, "fade_out_time": 0.5})),
        ("error", ("blink", {"on_time": 0.08, "off_time": 0.08})),
        ("muted", ("blink", {"on_time": 0.05, "off_time": 2.95})),
    ],
)
def test_every_state_has_a_light_of_its_own(state: LampState, pattern: tuple[str, dict[str, float]]) -> None:
    led = Led()
    light = GpioLamp(led)
    light.show(state)
    assert led.last == pattern
    led.last = ("", {})
    light.show(state)
    assert led.last == ("", {}), "shown already"
    light.show("idle")
    assert led.last == ("off", {})


@pytest.mark.parametrize(("state", "levels"), [("thinking", 2), ("error", 2), ("speaking", 5)])
def test_other_states_move(pin: MockPWMPin, state: LampState, levels: int) -> None:
    with lamp(18) as light:
        pin.clear_states()
        light.show(state)
        until_now(lambda: len({change.state for change in pin.states}) >= levels)
        light.show("idle")
    assert len({change.state for change in pin.states}) >= levels


def test_muted_flashes_now_and_then(pin: MockPWMPin) -> None:
    with lamp(18) as light:
        light.show("muted")
        until_now(lambda: [change.state for change in pin.states][-2:] == [1, 0])
    assert pin.state == 0


def test_the_lamp_is_dark_at_the_end(pin: MockPWMPin) -> None:
    with lamp(18) as light:
        light.show("listening")
    assert pin.state == 0


def test_without_gpio_the_device_works_without_a_lamp(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with lamp(18) as light:
        light.show("listening")
        assert light.state == "listening"
    assert "the lamp on GPIO 18 cannot be used" in caplog.text
