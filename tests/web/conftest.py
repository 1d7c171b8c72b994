"""A device that only pretends, and pages in a real Chromium that talk to it."""

from __future__ import annotations

import asyncio
import math
import shutil
import struct
import threading
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from websockets.asyncio.server import serve

from tests.web.fake_device import FakeDevice

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--host-resolver-rules=MAP stimme.local 127.0.0.1",
]
Open = Callable[..., Page]


class Running:
    """The fake device in a thread of its own."""

    def __init__(self) -> None:
        self.device = FakeDevice()
        self.loop = asyncio.new_event_loop()
        self.port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self.loop.run_until_complete, args=(self._run(),))
        self._thread.start()
        self._ready.wait()

    async def _run(self) -> None:
        self._stop = asyncio.Event()
        device = self.device
        async with serve(device.converse, "127.0.0.1", 0, process_request=device.answer_http) as server:
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._stop.wait()

    def drop(self) -> None:
        self.loop.call_soon_threadsafe(self.device.drop)

    def down(self, is_down: bool) -> None:
        """Refuse everything from now on, or nothing any more."""
        self.loop.call_soon_threadsafe(self.device.drop, math.inf if is_down else 0.0)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def running() -> Iterator[Running]:
    running = Running()
    yield running
    running.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "Chromium is missing; `make setup-test` installs it"
    sound = tmp_path_factory.mktemp("sound") / "tone.wav"
    write_tone(sound, seconds=10)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=[*FLAGS, f"--use-file-for-fake-audio-capture={sound}%noloop"]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, running: Running) -> Iterator[Open]:
    """Open the page; any error in its console fails the test."""
    contexts, errors = [], []

    def open_page(host: str = "localhost", **settings: Any) -> Page:
        context = browser.new_context(permissions=["microphone"], **{"locale": "en-GB", **settings})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if is_trouble(message.text) else None)
        page.goto(f"http://{host}:{running.port}/")
        page.wait_for_function("() => window.voiceAssistant?.getMetrics().connected")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def is_trouble(line: str) -> bool:
    """Whether a console line is one of ours to prevent: a refused inline script, a missing file, a wrong message."""
    return any(word in line for word in ("Content Security Policy", "Failed to load", "ignored a message"))


def write_tone(path: Path, seconds: int, rate_hz: int = 48000) -> None:
    samples = (int(8000 * math.sin(2 * math.pi * 300 * n / rate_hz)) for n in range(rate_hz * seconds))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
