"""The page without its device: it is there, says so, and comes back by itself; and the clock on the wall."""

from __future__ import annotations

from tests.web.conftest import Open, Running
from tests.web.visit import KEEPS_ITSELF, ask


def test_the_page_opens_without_the_device_and_connects_as_soon_as_it_is_back(
    open_page: Open, running: Running
) -> None:
    page = open_page()
    page.wait_for_function(KEEPS_ITSELF)
    running.down(True)
    page.reload()
    page.wait_for_function("() => document.getElementById('statusText').textContent.startsWith('The device is away')")
    assert page.inner_text("#welcome h2") == "Ask me something."
    running.down(False)
    page.wait_for_function("() => voiceAssistant.connectionState === 'connected'")
    ask(page, "hello")
    page.wait_for_selector(".entry[data-outcome=answered]")


def test_the_clock_shows_when_nobody_is_there_and_a_touch_brings_the_page_back(open_page: Open) -> None:
    page = open_page()
    page.click("#openSettings")
    page.check("#clock")
    page.clock.install()
    page.keyboard.press("Escape")
    page.clock.run_for(61_000)
    assert page.locator("#clockFace").is_visible()
    assert page.inner_text("#clockFace .time")[2] == ":"
    page.mouse.click(200, 200)
    assert page.locator("#clockFace").is_hidden()
    assert page.evaluate("voiceAssistant.state") == "idle", "the touch only woke the page"
