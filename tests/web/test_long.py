"""What takes minutes: `make test-page`. Bad networks, a device killed in each state of a turn, sample rates, many tabs,
five hundred turns, and Firefox.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soxr
from playwright.sync_api import Browser, Page, sync_playwright

from appliance.audio.pcm import RATE, floats, s16le, write_wav
from tests.support.browser import chromium, hold_and_speak, open_page
from tests.support.firefox import firefox
from tests.support.server import RunningServer, running_server
from tests.support.slow_link import free_port, slow_link
from tests.support.sound_card import sound_card
from tests.support.speech import spoken_now
from tests.web.visit import ask

pytestmark = pytest.mark.skipif(not os.environ.get("STIMME_LONG"), reason="takes minutes: make test-page")

QUESTION, HEARD, ANSWER = "what is seven times eight", "what is seven times eight", "56"
TURNS = int(os.environ.get("PAGE_TURNS", "500"))


@pytest.fixture(scope="module")
def pcm() -> bytes:
    return b"".join(spoken_now([QUESTION]))


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory, pcm: bytes) -> Path:
    """Somebody who holds the button for a while longer than they speak."""
    path = tmp_path_factory.mktemp("speech") / "question.wav"
    write_wav(path, s16le(soxr.resample(floats(pcm + bytes(4 * RATE)), RATE, 48_000)), 48_000)
    return path


@pytest.fixture(scope="module")
def here() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(here: int) -> Iterator[RunningServer]:
    with running_server({"STIMME_LONG": None, "STIMME_ORIGINS": f"http://localhost:{here}"}) as server:
        yield server


@pytest.mark.parametrize(
    ("delay_s", "bytes_per_s", "stalls"),
    [(0.3, 1e6, 0.0), (1.0, 1e6, 0.0), (0.0, 40_000, 0.0), (0.0, 12_000, 0.0), (0.0, 4_000, 0.0), (0.05, 1e6, 0.05)],
)
def test_the_first_press_is_heard_from_its_first_word_however_bad_the_network(
    server: RunningServer, here: int, speech: Path, delay_s: float, bytes_per_s: float, stalls: float
) -> None:
    with (
        slow_link(here, server.page_port, delay_s=delay_s, bytes_per_s=1e6) as link,
        open_page(replace(server, page_port=here), speech, locale="en-GB") as page,
    ):
        page.wait_for_timeout(1000 + 6000 * delay_s)  # the page is read before it is used
        link.delay_s, link.bytes_per_s, link.stalls = delay_s, bytes_per_s, stalls
        page.evaluate("voiceAssistant.config.speakReplies = false")
        page.locator("#voiceBtn").hover()
        page.mouse.down()
        page.wait_for_timeout(3500)
        page.mouse.up()
        page.wait_for_selector(".entry[data-outcome=answered]", timeout=90_000)
        assert page.inner_text(".heard").lower() == HEARD
        assert ANSWER in page.inner_text(".entry .reply")
        assert page.locator(".entry").count() == 1, "one turn, never a loop"


@pytest.mark.parametrize("state", ["listening", "thinking", "speaking"])
def test_a_device_killed_in_the_middle_of_a_turn_comes_back_and_answers(state: str, speech: Path) -> None:
    ports: dict[str, str | None] = {"STIMME_LONG": None, "STIMME_PAGE_PORT": str(free_port())}
    with ExitStack() as stack:
        server = stack.enter_context(running_server(ports))
        page = stack.enter_context(open_page(server, speech, locale="en-GB"))
        page.locator("#voiceBtn").hover()
        page.mouse.down()
        page.wait_for_timeout(1500 if state == "listening" else 3000)
        if state != "listening":
            page.mouse.up()
        if state == "speaking":
            page.wait_for_function("() => voiceAssistant.state === 'speaking'")
        server.process.kill()
        server.process.wait()
        with running_server(ports):
            page.wait_for_timeout(1500)
            page.mouse.up()
            page.wait_for_selector(".entry[data-outcome=answered]", timeout=60_000)
            assert ANSWER in page.inner_text(".entry .reply")
            ask(page, "what is two plus two")
            page.wait_for_function("() => document.querySelectorAll('.entry[data-outcome=answered]').length === 2")


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000, 96_000])
def test_the_transcript_is_the_same_at_every_sample_rate(server: RunningServer, speech: Path, rate_hz: int) -> None:
    at_this_rate = f"""const Context = AudioContext;
        globalThis.AudioContext = class extends Context {{
            constructor(options) {{ super({{...options, sampleRate: {rate_hz}}}); }} }};"""

    def prepare(page: Page) -> None:
        page.add_init_script(at_this_rate)

    with open_page(server, speech, prepare=prepare) as page:
        hold_and_speak(page, 2.6)
        assert page.inner_text(".heard").lower() == HEARD


def test_a_headset_that_changes_its_rate_in_mid_turn_loses_no_word(
    server: RunningServer, pcm: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "late.wav"  # it begins again when the microphone is opened again
    write_wav(file, s16le(soxr.resample(floats(bytes(3 * RATE) + pcm + bytes(4 * RATE)), RATE, 48_000)), 48_000)
    changing = """
        const Context = AudioContext, rates = [48000, 48000, 16000];
        globalThis.AudioContext = class extends Context {
            constructor(options) { super({...options, sampleRate: rates.shift() ?? 48000}); } };
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => (globalThis.stream = await open(wanted));"""

    def prepare(page: Page) -> None:
        page.add_init_script(changing)

    with open_page(server, file, prepare=prepare, locale="en-GB") as page:
        page.locator("#voiceBtn").hover()
        page.mouse.down()
        page.wait_for_function("() => voiceAssistant.state === 'listening'")
        page.wait_for_timeout(500)
        page.evaluate("globalThis.first = stream, stream.getAudioTracks()[0].dispatchEvent(new Event('ended'))")
        page.wait_for_function("() => stream !== first && voiceAssistant.microphoneIsOpen")
        page.wait_for_timeout(4500)
        page.mouse.up()
        page.wait_for_selector(".entry[data-outcome=answered]")
        assert page.inner_text(".heard").lower() == HEARD
        assert page.locator(".entry").count() == 1


def test_twenty_tabs_share_one_device(server: RunningServer) -> None:
    with sync_playwright() as playwright, chromium(playwright) as browser:
        pages = [tab(browser, server) for _ in range(20)]
        for number, page in enumerate(pages):
            page.evaluate(f"voiceAssistant.sendText('what is {number} plus {number}')")
        for number, page in enumerate(pages):
            page.wait_for_selector(".entry[data-outcome=answered] .reply")
            replies = page.locator(".entry .reply").all_inner_texts()
            assert len(replies) == 1 and replies[0].rstrip(".").endswith(f" {2 * number}"), "another tab's answer"


def test_many_turns_leave_nothing_behind(server: RunningServer) -> None:
    with sync_playwright() as playwright, chromium(playwright) as browser:
        page = tab(browser, server)
        devtools = page.context.new_cdp_session(page)
        page.evaluate("voiceAssistant.config.speakReplies = false")

        def counted(turns: int) -> dict[str, float]:
            for _ in range(turns):
                page.evaluate("""async () => {
                    await voiceAssistant.sendText("what is two plus two");
                    while (voiceAssistant.state !== "idle") await new Promise((resolve) => setTimeout(resolve, 5));
                }""")
            devtools.send("HeapProfiler.collectGarbage")
            metrics = devtools.send("Performance.getMetrics")["metrics"]
            return {one["name"]: one["value"] for one in metrics}

        devtools.send("Performance.enable")
        before, after = counted(110), counted(TURNS)
        for name in ("JSEventListeners", "Nodes"):
            assert after[name] <= 1.1 * before[name] + 20, name
        assert after["JSHeapUsedSize"] <= before["JSHeapUsedSize"] + 2e6


def test_firefox_connects_answers_shows_timers_and_says_why_it_cannot_listen_without_a_sound_output(
    server: RunningServer,
) -> None:
    with firefox(server.page) as page:
        page.wait_for("window.voiceAssistant?.getMetrics().connected")
        page.evaluate("voiceAssistant.config.language = 'en'")
        page.evaluate("voiceAssistant.sendText('set a rice timer for ten minutes')")
        page.wait_for("document.querySelector('.timer .name')?.textContent === 'rice'")
        assert "ten minutes" in page.evaluate("document.querySelector('.reply').textContent")
        page.wait_for("voiceAssistant.state === 'idle'")  # and does not wait for a sound that never comes
        assert "only shown" in page.evaluate("document.getElementById('statusText').textContent")
        page.press("#voiceBtn")
        page.wait_for("document.getElementById('statusText').textContent.includes('audio does not start')")


REAL_SOUND = {"media.navigator.streams.fake": False, "media.cubeb.backend": "pulse"}
"""Firefox's other way to PulseAudio, in Rust, locks itself up now and then."""


def test_firefox_with_a_sound_card_hears_and_is_heard(server: RunningServer, pcm: bytes, tmp_path: Path) -> None:
    with (
        sound_card(tmp_path) as card,
        card.for_a_browser() as played,
        firefox(server.page, {"PULSE_SERVER": f"unix:{tmp_path}/microphone.socket"}, REAL_SOUND) as page,
    ):
        page.wait_for("window.voiceAssistant?.getMetrics().connected")
        page.evaluate("voiceAssistant.config.language = 'en'")
        page.hold("#voiceBtn")
        page.wait_for("voiceAssistant.state === 'listening'")
        card.speak(pcm).wait(20)
        page.release("#voiceBtn")
        page.wait_for("document.querySelector('.entry')?.dataset.outcome === 'answered'")
        assert page.evaluate("document.querySelector('.heard').textContent").lower() == HEARD
        page.wait_for("voiceAssistant.getMetrics().lastTurn?.stages.synthesis_ms && voiceAssistant.state === 'idle'")
        assert np.abs(played.samples()).max() > 1000, "the reply came out of its loudspeaker"


def tab(browser: Browser, server: RunningServer) -> Page:
    page = browser.new_context(locale="en-GB").new_page()
    page.goto(server.page)
    page.wait_for_function("() => window.voiceAssistant?.getMetrics().connected")
    return page
