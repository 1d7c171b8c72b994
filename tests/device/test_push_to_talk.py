"""What edges mean, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from appliance.device.push_to_talk import DEBOUNCE_S, HOLD_S, PushToTalk


class Clock:
    """Time that stands still until told; calls what is due on the way."""

    def __init__(self) -> None:
        self.now = 100.0
        self._due: list[tuple[float, Callable[[], None], asyncio.TimerHandle]] = []

    def __call__(self) -> float:
        return self.now

    def later(self, delay_s: float, function: Callable[[], None]) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        handle = asyncio.TimerHandle(self.now + delay_s, function, (), loop)
        self._due.append((self.now + delay_s, function, handle))
        return handle

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [entry for entry in self._due if entry[0] <= end + 1e-9 and not entry[2].cancelled()]:
            entry = min(due, key=lambda one: one[0])
            self._due.remove(entry)
            self.now = entry[0]
            entry[1]()
        self.now = end


class Talk:
    def __init__(self) -> None:
        self.done: list[str] = []
        self.can_listen = self.listens_on = True

    def begin(self) -> bool:
        self.done.append("begin")
        return self.can_listen

    def tapped(self) -> bool:
        self.done.append("tapped")
        return self.listens_on

    def end(self) -> None:
        self.done.append("end")


class Button:
    def __init__(self) -> None:
        self.clock, self.talk = Clock(), Talk()
        self.meaning = PushToTalk(self.talk, self.clock, self.clock.later)

    def down(self, then_s: float = 0.0) -> None:
        self.meaning.edge(True)
        self.clock.wait(then_s)

    def up(self, then_s: float = 0.0) -> None:
        self.meaning.edge(False)
        self.clock.wait(then_s)


@pytest.fixture
async def button() -> Button:
    return Button()


async def test_a_press_begins_at_once_and_a_long_hold_ends_on_release(button: Button) -> None:
    button.down()
    assert button.talk.done == ["begin"]
    button.clock.wait(HOLD_S + 0.001)
    button.up()
    assert button.talk.done == ["begin", "end"]


async def test_a_tap_listens_until_the_next_press(button: Button) -> None:
    button.down(0.1)
    button.up(5.0)
    assert button.talk.done == ["begin", "tapped"]
    assert button.meaning.is_listening()
    button.down()
    assert button.talk.done == ["begin", "tapped", "end"]
    button.clock.wait(1.0)
    button.up()
    assert button.talk.done == ["begin", "tapped", "end"]
    assert not button.meaning.is_listening()


async def test_a_bouncing_contact_is_one_press(button: Button) -> None:
    for _ in range(4):
        button.down(0.002)
        button.up(0.002)
    button.down(1.0)
    assert button.talk.done == ["begin"]
    for _ in range(4):
        button.up(0.002)
        button.down(0.002)
    button.up(1.0)
    assert button.talk.done == ["begin", "end"]


async def test_a_release_during_bouncing_is_believed_afterwards(button: Button) -> None:
    button.down(0.01)
    button.up()
    assert button.talk.done == ["begin"]
    button.clock.wait(DEBOUNCE_S)
    assert button.talk.done == ["begin", "tapped"]


async def test_a_repeated_edge_changes_nothing(button: Button) -> None:
    button.down(0.5)
    button.down(0.5)
    button.up(0.5)
    button.up(0.5)
    assert button.talk.done == ["begin", "end"]


async def test_what_could_not_begin_does_not_end(button: Button) -> None:
    button.talk.can_listen = False
    button.down(1.0)
    button.up(1.0)
    assert button.talk.done == ["begin"]


async def test_a_tap_that_does_not_listen_on_leaves_the_next_press_to_begin(button: Button) -> None:
    button.talk.listens_on = False
    button.down(0.1)
    button.up(1.0)
    button.down(1.0)
    assert button.talk.done == ["begin", "tapped", "begin"]


async def test_after_listening_ended_by_itself_the_next_press_begins(button: Button) -> None:
    button.down(1.0)
    button.meaning.stopped()
    button.up(1.0)
    button.down()
    assert button.talk.done == ["begin", "begin"]
