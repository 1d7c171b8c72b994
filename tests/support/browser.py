"""The page in the system's Chromium, its microphone fed from a file."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.support.server import RunningServer

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


@contextmanager
def open_page(
    server: RunningServer,
    speech: Path | None = None,
    prepare: Callable[[Page], None] = lambda page: None,
    **context: Any,
) -> Iterator[Page]:
    """The page, connected. speech: a WAV file that plays once into the microphone when that is opened.

    prepare: called with the page before it is loaded. context: further options of Playwright's browser context.
    """
    with sync_playwright() as playwright, chromium(playwright, speech) as browser:
        page = browser.new_context(permissions=["microphone"], **context).new_page()
        prepare(page)
        page.goto(server.page)
        page.wait_for_function("() => window.voiceAssistant && voiceAssistant.getMetrics().connected")
        yield page


@contextmanager
def chromium(playwright: Playwright, speech: Path | None = None) -> Iterator[Browser]:
    """The browser, its microphone fed from a WAV file that plays once when it is opened."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "Chromium is missing; `make setup-test` installs it"
    flags = FLAGS + ([f"--use-file-for-fake-audio-capture={speech}%noloop"] if speech else [])
    browser = playwright.chromium.launch(executable_path=program, args=flags)
    yield browser
    browser.close()


def hold_and_speak(page: Page, seconds: float) -> None:
    """Hold the talk button while the microphone's file plays, release, wait for the spoken reply's end."""
    button = page.locator("#voiceBtn")
    button.hover()
    page.mouse.down()
    page.wait_for_timeout(1000 * seconds + 400)
    page.mouse.up()
    page.wait_for_function("() => voiceAssistant.getMetrics().lastTurn?.stages?.synthesis_ms !== undefined")
