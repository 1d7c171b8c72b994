"""The whole path with nothing left out: Chromium, the page, the server, Vosk, Piper; speech in, speech back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import soxr
from playwright.sync_api import Page

from appliance.audio.pcm import RATE, Recording, floats, s16le, write_wav
from appliance.hearing.pool import RecognizerPool
from appliance.language import Language
from appliance.models.choose import find_recognizer
from appliance.workers import Workers
from tests.support.browser import hold_and_speak, open_page
from tests.support.server import MODELS, RunningServer, running_server
from tests.support.speech import spoken_now


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return question(tmp_path_factory, "what is seven times eight", "en")


@pytest.fixture(scope="module")
def german_speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return question(tmp_path_factory, "was ist sieben mal acht", "de")


def question(tmp_path_factory: pytest.TempPathFactory, text: str, language: Language) -> Path:
    """A WAV file of someone asking it, at a sound card's rate of 48 kHz."""
    path = tmp_path_factory.mktemp("speech") / "question.wav"
    speech = floats(spoken_now([text], language)[0])
    write_wav(path, s16le(soxr.resample(speech, RATE, 48_000)), 48_000)
    return path


class ReceivedSound:
    """What the page's WebSockets receive: the latest reply's sound and its rate."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.rate = 0

    def attach(self, page: Page) -> None:
        page.on("websocket", lambda socket: socket.on("framereceived", self._take))

    def _take(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            self.pieces.append(frame)
        elif '"speech_start"' in frame:
            self.rate = json.loads(frame)["sample_rate"]
            self.pieces.clear()

    def heard(self, language: Language = "en") -> str:
        """What the embedded recognizer hears in it."""
        mono = s16le(soxr.resample(floats(b"".join(self.pieces)), self.rate, RATE))
        with ThreadPoolExecutor(1) as other:  # Playwright has an event loop of its own in this thread
            return other.submit(asyncio.run, transcribed(mono, language)).result()


async def transcribed(pcm: bytes, language: Language) -> str:
    choice = find_recognizer(language, MODELS)
    assert choice is not None
    workers = Workers(1, "test")
    try:
        pool = RecognizerPool({language: choice.path}, workers)
        await pool.open()
        final = await pool.transcribe(Recording(pcm + bytes(16_000), 4000), language, on_partial=lambda text: None)
        return final.text
    finally:
        workers.close()


def history(page: Page) -> str:
    return page.locator("#history").inner_text()


def type_question(page: Page, text: str) -> None:
    page.locator("#textInput").fill(text)
    page.locator("#textInput").press("Enter")
    page.wait_for_function("() => voiceAssistant.getMetrics().lastTurn?.stages?.synthesis_ms !== undefined")


def test_press_speak_release_gives_transcript_reply_and_the_spoken_answer(server: RunningServer, speech: Path) -> None:
    sound = ReceivedSound()
    with open_page(server, speech, prepare=sound.attach) as page:
        hold_and_speak(page, 2.2)
        shown = history(page).lower()
        metrics = page.evaluate("() => voiceAssistant.getMetrics()")
    assert "what is seven times eight" in shown
    assert "56" in shown
    assert "fifty six" in sound.heard()
    assert {"recognition_ms", "understanding_ms", "skill_ms", "first_audio_ms", "synthesis_ms"} <= set(
        metrics["lastTurn"]["stages"]
    )
    assert metrics["audio"]["chunksSent"] > 30


def test_a_tap_and_a_pause_are_enough(server: RunningServer, speech: Path) -> None:
    with open_page(server, speech) as page:
        page.locator("#voiceBtn").click()
        page.wait_for_function("() => voiceAssistant.getMetrics().lastTurn?.stages?.synthesis_ms !== undefined")
        assert page.evaluate("() => voiceAssistant.isRecording") is False
        assert "what is seven times eight" in history(page).lower()


def test_a_page_set_to_german_hears_german_and_answers_in_german(server: RunningServer, german_speech: Path) -> None:
    sound = ReceivedSound()
    with open_page(server, german_speech, prepare=sound.attach) as page:
        page.get_by_role("button", name="Deutsch").click()
        hold_and_speak(page, 2.2)
        shown = history(page).lower()
    assert "was ist sieben mal acht" in shown
    assert "56" in shown
    assert "sechsundfünfzig" in sound.heard("de")


def test_better_recognizers_are_offered_in_the_settings_of_whoever_may_fetch_them(server: RunningServer) -> None:
    with open_page(server) as page:
        page.click("#openSettings")
        page.wait_for_selector("#modelList .choice")
        offered = page.inner_text("#modelList")
        assert "Hearing English" in offered
        assert "vosk-model-small-en-us-0.15" in offered
        assert "vosk-model-small-de-0.15" in offered


def test_a_german_browser_opens_the_page_in_german(server: RunningServer, german_speech: Path) -> None:
    with open_page(server, german_speech, locale="de-DE") as page:
        hold_and_speak(page, 2.2)
        assert "sieben mal acht" in history(page).lower()


def test_typed_german_is_answered_in_german(server: RunningServer) -> None:
    sound = ReceivedSound()
    with open_page(server, prepare=sound.attach) as page:
        page.get_by_role("button", name="Deutsch").click()
        type_question(page, "Was ist sieben mal acht?")
        shown = history(page)
        language = page.evaluate("() => document.documentElement.lang")
    assert language == "de"
    assert "sieben mal acht" in shown.lower() and "56" in shown
    assert sum(map(len, sound.pieces)) > 16_000


def test_a_double_click_opens_the_overlay_with_real_figures(server: RunningServer) -> None:
    with open_page(server) as page:
        type_question(page, "what time is it")
        page.mouse.dblclick(5, 300)
        page.wait_for_function("() => document.getElementById('perfLatency').textContent.trim() !== '–'")
        overlay = page.locator("#performanceMetrics").inner_text()
        benchmark = page.evaluate("() => benchmarkLatency(5)")
    assert "1024" in overlay
    assert len(benchmark["results"]) == 5
    assert 0 < benchmark["min"] <= benchmark["avg"] <= benchmark["max"] < 1000


def test_presets_take_effect_while_running(server: RunningServer) -> None:
    with open_page(server) as page:
        sizes = [
            page.evaluate(
                "name => { Object.assign(voiceAssistant.config, OPTIMIZATION_CONFIGS[name], {adaptiveQuality: false});"
                " return voiceAssistant.getMetrics().audio.chunkSize }",
                name,
            )
            for name in ("ultraLow", "balanced", "stable")
        ]
    assert sizes == [512, 1024, 2048]


def test_the_page_reports_no_error_to_the_console(server: RunningServer) -> None:
    errors: list[str] = []

    def watch(page: Page) -> None:
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))

    with open_page(server, prepare=watch) as page:
        type_question(page, "hello")
    assert errors == []
