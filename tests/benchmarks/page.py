"""The page: how soon it can be used, what it costs to load, how fast it reacts → bench/results/page.json.

Not measured: a network (all is on loopback), a phone; a processor slowed six times by Chromium stands for an old
tablet. The browser and the device share this machine's cores, so what other work there is slows both; therefore a
page with one button and one line of script is loaded in turn with ours: less than that no page can take.

    python -m tests.benchmarks.page [--rounds 5]
"""

from __future__ import annotations

import argparse
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from appliance.audio.pcm import s16le, write_wav
from tests.benchmarks.results import machine, percentiles, save
from tests.support.browser import chromium
from tests.support.server import RunningServer, running_server

SLOWED = 6
QUESTIONS = ("what is two plus three", "what is four plus nine", "what time is it", "how many feet are in two meters")
TONES, TONE_EVERY_S = 8, 1.0
LOUD = 0.02
SETTLE_MS = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    figures: dict[str, Any] = {"machine": machine(), "rounds": rounds}
    with tempfile.TemporaryDirectory() as folder, running_server() as server, sync_playwright() as playwright:
        tones = Path(folder) / "tones.wav"
        write_wav(tones, beeping(), 48_000)
        with chromium(playwright, tones) as browser:
            with bare_page(Path(folder) / "bare") as bare:
                figures |= loading(browser, server.page, bare, rounds)
            figures |= use(browser, server, rounds)
    for name, value in figures.items():
        if name != "machine":
            print(f"{name:28} {value}")
    print(save("page", figures))


def beeping() -> bytes:
    """A tone of half a second each second."""
    time_s = np.arange(int(48_000 * TONES * TONE_EVERY_S)) / 48_000
    tone = 0.3 * np.sin(2 * np.pi * 440 * time_s) * (time_s % TONE_EVERY_S >= TONE_EVERY_S / 2)
    return s16le(tone.astype(np.float32))


@contextmanager
def bare_page(folder: Path) -> Iterator[str]:
    """The address of a page with one button and one line of script."""
    folder.mkdir()
    (folder / "index.html").write_text(
        '<!doctype html><title>bare</title><script type="module" src="app.js"></script><button>Talk</button>'
    )
    (folder / "app.js").write_text(
        'performance.mark("interactive"); performance.mark("connected");'
        "globalThis.voiceAssistant = { getMetrics: () => ({ connected: true }) };"
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def loading(browser: Browser, page: str, bare: str, rounds: int) -> dict[str, float]:
    """Medians of first visits, ours and the bare page's in turn."""
    pairs = [(load(browser, bare, SLOWED), load(browser, page, SLOWED)) for _ in range(rounds)]
    slowed, least = [ours for _, ours in pairs], [bare for bare, _ in pairs]
    usual = [load(browser, page, 1) for _ in range(rounds)]

    def middle(loads: list[dict[str, float]], name: str) -> float:
        return round(median(one[name] for one in loads), 1)

    return {
        "interactive_ms_slowed_6": middle(slowed, "interactive_ms"),
        "bare_page_ms_slowed_6": middle(least, "interactive_ms"),
        "first_paint_ms_slowed_6": middle(slowed, "first_paint_ms"),
        "connected_ms_slowed_6": middle(slowed, "connected_ms"),
        "interactive_ms": middle(usual, "interactive_ms"),
        "transferred_kb": round(slowed[0]["bytes"] / 1000, 1),
        "requests": slowed[0]["requests"],
    }


def load(browser: Browser, url: str, slowed: float) -> dict[str, float]:
    """A first visit: nothing is cached. The page is interactive once everything that can be pressed answers."""
    context = browser.new_context(permissions=["microphone"], service_workers="block")
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    sizes: list[float] = []
    devtools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    devtools.send("Network.enable")
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    page.goto(url)
    page.wait_for_function("() => window.voiceAssistant?.getMetrics().connected")
    page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length > 0")
    page.wait_for_timeout(SETTLE_MS)  # what comes after it counts among the bytes
    found = {
        "interactive_ms": page.evaluate("performance.getEntriesByName('interactive')[0].startTime"),
        "first_paint_ms": page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"),
        "connected_ms": page.evaluate("performance.getEntriesByName('connected')[0].startTime"),
        "bytes": sum(sizes),
        "requests": len(sizes),
    }
    context.close()
    return found


def use(browser: Browser, server: RunningServer, rounds: int) -> dict[str, Any]:
    """Typed questions, the meter, and presses."""
    context = browser.new_context(permissions=["microphone"], service_workers="block")
    page = context.new_page()
    page.goto(server.page)
    page.wait_for_function("() => window.voiceAssistant?.getMetrics().connected")
    watch_interactions(page)
    page.click("#openSettings")
    page.keyboard.press("Escape")
    page.click("[data-language=de]")
    page.click("[data-language=en]")
    to_sound, total = [], []
    for question in QUESTIONS * rounds:
        page.fill("#textInput", question)
        page.keyboard.press("Enter")
        page.wait_for_function("() => voiceAssistant.state === 'speaking'")
        page.wait_for_function("() => voiceAssistant.state === 'idle'")
        waits = page.evaluate("voiceAssistant.getMetrics().lastTurn.waits")
        parts = {part["name"]: part["ms"] for part in waits["parts"]}
        to_sound.append(parts["hold"])
        total.append(waits["totalMs"])
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    figures = {
        "reply_first_byte_to_sound_ms": percentiles(to_sound),
        "typed_to_sound_ms": percentiles(total),
        "meter_reacts_ms": percentiles(meter(page)),
        "interactions_ms": percentiles(page.evaluate("interactions")),
    }
    context.close()
    return figures


def watch_interactions(page: Page) -> None:
    """From the press to the next picture, as browsers report it (Event Timing), in steps of 8 ms."""
    page.evaluate("""() => {
        globalThis.interactions = [];
        new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) if (entry.interactionId) interactions.push(entry.duration);
        }).observe({type: "event", durationThreshold: 16});
    }""")


def meter(page: Page) -> list[float]:
    """From the first loud sample's entry into the audio thread to the frame in which the meter shows it."""
    page.evaluate(
        """async (loud) => {
        globalThis.shown = [];
        globalThis.spoken = [];
        const {microphone} = voiceAssistant.streamer;
        const hear = microphone.onchunk;
        let wasLoud = true;
        microphone.onchunk = (chunk) => {
            if (chunk.rms > loud && !wasLoud) spoken.push(chunk.firstSampleMs);
            wasLoud = chunk.rms > loud;
            hear(chunk);
        };
        await voiceAssistant.startRecording();
        let was = true;
        const look = () => {
            const now = Number(document.getElementById("voiceBtn").style.getPropertyValue("--level")) > 6 * loud;
            if (now && !was) shown.push(performance.now());
            was = now;
            if (voiceAssistant.isRecording) requestAnimationFrame(look);
        };
        look();
    }""",
        LOUD,
    )
    page.wait_for_timeout(1000 * TONES * TONE_EVERY_S)
    page.evaluate("voiceAssistant.cancelRecording()")
    shown, spoken = page.evaluate("[shown, spoken]")
    found = []
    for at in shown:
        before = [begin for begin in spoken if at - 300 < begin <= at + 40]
        found += [max(0.0, at - before[-1])] if before else []
    return found


if __name__ == "__main__":
    main()
