"""Timers and lists on two open pages of the real device: what one sets, the other sees, changes and stops."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.support.browser import open_page
from tests.support.server import RunningServer, running_server
from tests.web.visit import ask


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


def test_timers_and_lists_are_the_same_on_every_page_and_changed_from_any(server: RunningServer) -> None:
    with open_page(server, locale="en-GB") as kitchen:
        hall = another(kitchen, server)
        ask(kitchen, "set a pizza timer for ten minutes")
        hall.wait_for_selector(".timer .name:text-is('pizza')")
        assert hall.inner_text(".timer small") == "at the device"
        hall.click("[aria-label='Pause: pizza']")
        kitchen.wait_for_selector(".timer.paused")
        hall.click("[aria-label='One minute more: pizza']")
        kitchen.wait_for_selector(".ring[aria-label^='1']")

        ask(kitchen, "put milk and bread on the shopping list")
        hall.wait_for_selector(".items li:nth-child(2)", state="attached")
        hall.click(".items li:first-child input")  # check() would look for it again when it has gone, and tick the next
        kitchen.wait_for_selector(".count:text-is('1')")
        hall.click(".back button")
        kitchen.wait_for_selector(".count:text-is('2')")

        ask(kitchen, "set an egg timer for one second")
        for page in (kitchen, hall):
            page.wait_for_selector("#ringing b:has-text('egg')")
        hall.click("#ringing .stop")
        kitchen.wait_for_selector("#ringing", state="hidden")
        assert "egg" in kitchen.inner_text(".announcement .reply")

        hall.click("[aria-label='Cancel: pizza']")
        kitchen.wait_for_selector(".timer", state="detached")


def another(page: Page, server: RunningServer) -> Page:
    context = page.context.browser
    assert context is not None
    other = context.new_context(locale="en-GB", viewport={"width": 1280, "height": 800}).new_page()
    other.goto(server.page)
    other.wait_for_function("() => window.voiceAssistant?.getMetrics().connected")
    return other
