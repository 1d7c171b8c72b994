"""The real page and the real device over networks that delay and throttle: the words arrive, one turn, no reconnect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import soxr
from playwright.sync_api import Page

from appliance.audio.pcm import RATE, floats, s16le, write_wav
from tests.support.browser import open_page
from tests.support.server import RunningServer, running_server
from tests.support.slow_link import free_port, slow_link
from tests.support.speech import spoken_now


@pytest.fixture(scope="module")
def here() -> int:
    """The port at this end of the link."""
    return free_port()


@pytest.fixture(scope="module")
def server(here: int) -> Iterator[RunningServer]:
    with running_server(
        {"PING_INTERVAL": "2", "PING_TIMEOUT": "2", "STIMME_ORIGINS": f"http://localhost:{here}"}
    ) as server:
        yield server


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody who holds the button for two seconds longer than they speak, at 48 kHz."""
    path = tmp_path_factory.mktemp("speech") / "question.wav"
    sound = b"".join(spoken_now(["what is seven times eight"])) + bytes(2 * RATE)
    write_wav(path, s16le(soxr.resample(floats(sound), RATE, 48_000)), 48_000)
    return path


@pytest.mark.parametrize(("delay_s", "bytes_per_s", "is_thin"), [(0.3, 40_000, False), (0.0, 12_000, True)])
def test_the_words_arrive_however_thin_the_link(
    server: RunningServer, here: int, speech: Path, delay_s: float, bytes_per_s: float, is_thin: bool
) -> None:
    with (
        slow_link(here, server.page_port, delay_s=delay_s, bytes_per_s=bytes_per_s),
        open_page(replace(server, page_port=here), speech, locale="en-GB") as page,
    ):
        page.evaluate("voiceAssistant.config.speakReplies = false")
        watch_status(page)
        page.locator("#voiceBtn").hover()
        page.mouse.down()
        page.wait_for_timeout(4500)
        page.mouse.up()
        page.wait_for_selector(".entry[data-outcome=answered]", timeout=30_000)
        assert page.inner_text(".heard").lower() == "what is seven times eight"
        assert "56" in page.inner_text(".reply")
        assert page.locator(".entry").count() == 1
        assert page.evaluate("voiceAssistant.getMetrics().reconnects") == 0
        assert not is_thin or any("sending what you said" in line for line in page.evaluate("seen"))


def watch_status(page: Page) -> None:
    page.evaluate("""() => {
        globalThis.seen = [];
        const status = document.getElementById("statusText");
        new MutationObserver(() => seen.push(status.textContent)).observe(status, {childList: true});
    }""")
