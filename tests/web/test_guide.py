"""The migration guide's own page, unchanged but for the address, against the real device: typed, spoken, measured."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import soxr
from playwright.sync_api import sync_playwright

from appliance.audio.pcm import RATE, floats, s16le, write_wav
from tests.support.browser import chromium
from tests.support.server import ROOT, running_server
from tests.support.speech import spoken_now

EXAMPLES = ROOT / "examples"
ADDRESS = "ws://localhost:8123"


class Handler(SimpleHTTPRequestHandler):
    """`python3 -m http.server`, with the device's address in the page."""

    device = ADDRESS

    def do_GET(self) -> None:
        if urlsplit(self.path).path != "/guide.html":
            super().do_GET()
            return
        page = (EXAMPLES / "guide.html").read_text(encoding="utf-8").replace(ADDRESS, self.device).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


@contextmanager
def serving() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(EXAMPLES))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_guides_page_asks_is_answered_and_shows_what_it_measures(tmp_path: Path) -> None:
    speech = tmp_path / "question.wav"
    sound = floats(spoken_now(["what is seven times eight"])[0])
    write_wav(speech, s16le(soxr.resample(sound, RATE, 48_000)), 48_000)
    said: list[str] = []
    with serving() as pages, sync_playwright() as playwright:
        home = f"http://localhost:{pages.server_port}"
        with running_server({"STIMME_ORIGINS": home}) as device, chromium(playwright, speech) as browser:
            Handler.device = f"ws://localhost:{device.port}"
            page = browser.new_context(permissions=["microphone"]).new_page()
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(f"error: {error}"))
            page.goto(f"{home}/guide.html")
            page.wait_for_function("() => voiceAssistant?.getMetrics().connected")
            page.fill("#textInput", "what is two plus two")
            page.keyboard.press("Enter")
            page.wait_for_function("() => document.getElementById('response').textContent.includes('4')")
            page.evaluate("voiceAssistant.config = Object.assign(voiceAssistant.config, OPTIMIZATION_CONFIGS.ultraLow)")
            page.click("#voiceBtn")
            page.wait_for_timeout(1000 * len(sound) / RATE + 400)
            page.click("#voiceBtn")
            page.wait_for_function("() => document.getElementById('response').textContent.includes('56')")
            page.dblclick("#statusText")
            page.wait_for_function("() => document.getElementById('perfStatus').textContent === 'Connected'")
            assert page.inner_text("#perfBytes").endswith("KB") and page.inner_text("#perfBytes") != "0KB"
    assert said == ["✅ Optimized Voice Assistant ready"]
