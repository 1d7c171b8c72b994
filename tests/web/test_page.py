"""The page in a real Chromium, talking to a device that only pretends: quick, and without models."""

from __future__ import annotations

import time

import pytest

from tests.web.conftest import Open, Running
from tests.web.visit import ask, hold_until_heard, wait_for_state


def test_holding_the_button_shows_the_words_while_they_are_spoken_and_then_the_reply(open_page: Open) -> None:
    page = open_page()
    hold_until_heard(page)
    page.wait_for_function("() => document.querySelector('.reply').textContent === \"It's seven minutes past three.\"")
    assert page.inner_text("#response") == "It's seven minutes past three."
    assert page.evaluate("voiceAssistant.getMetrics().lastTurn.stages.recognition_ms") == 31.4


def test_the_space_bar_is_tapped_to_begin_and_to_end(open_page: Open, running: Running) -> None:
    page = open_page()
    page.keyboard.press("Space")
    wait_for_state(page, "listening")
    page.keyboard.press("Space")
    page.wait_for_selector(".entry[data-outcome=answered]")
    assert (running.device.types.count("start"), running.device.types.count("stop")) == (1, 1)
    assert page.evaluate("voiceAssistant.isRecording") is False


def test_the_space_bar_writes_a_space_while_one_types(open_page: Open) -> None:
    page = open_page()
    page.click("#textInput")
    page.keyboard.type("a b")
    assert page.input_value("#textInput") == "a b"
    assert page.evaluate("voiceAssistant.isRecording") is False


def test_the_utterance_arrives_whole_at_16_khz(open_page: Open, running: Running) -> None:
    page = open_page()
    hold_until_heard(page)
    page.wait_for_selector(".entry[data-outcome=answered]")
    audio = page.evaluate("voiceAssistant.getMetrics().audio")
    (received,) = running.device.audio.values()
    assert received == audio["totalBytes"]
    spoken_ms = audio["recentChunks"][-1]["lastSampleMs"] - audio["recentChunks"][0]["firstSampleMs"]
    assert received / 32 == pytest.approx(spoken_ms, abs=150)


def test_pressing_during_a_reply_silences_it_and_listens(open_page: Open, running: Running) -> None:
    page = open_page()
    ask(page, "long")
    wait_for_state(page, "speaking")
    page.locator("#voiceBtn").hover()
    page.mouse.down()
    wait_for_state(page, "listening")
    deadline = time.monotonic() + 20  # the pretending device reads only after it has said its piece
    while "interrupt" not in running.device.types and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    assert "interrupt" in running.device.types
    page.mouse.up()


def test_an_utterance_survives_a_drop_of_the_connection(open_page: Open, running: Running) -> None:
    page = open_page()
    page.locator("#voiceBtn").hover()
    page.mouse.down()
    page.wait_for_function("() => document.querySelector('.heard')?.textContent.includes('what time')")
    running.drop()
    page.wait_for_function("() => voiceAssistant.connectionState === 'reconnecting'")
    page.wait_for_function("() => voiceAssistant.connectionState === 'connected'")
    page.mouse.up()
    page.wait_for_selector(".entry[data-outcome=answered]")
    assert page.locator(".entry").count() == 1
    assert running.device.types.count("start") == 2
    (received,) = running.device.audio.values()
    assert received > 32000 * 2, "two seconds of waiting were spoken, too"


def test_presets_change_the_chunks_in_the_middle_of_an_utterance(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("Space")
    chunks = "voiceAssistant.getMetrics().audio.recentChunks.filter(chunk => !chunk.preRoll).map(chunk => chunk.bytes)"
    page.wait_for_function(f"() => {chunks}.includes(1024)")
    page.evaluate("Object.assign(voiceAssistant.config, OPTIMIZATION_CONFIGS.ultraLow)")
    page.wait_for_function(f"() => {chunks}.at(-1) === 512")
    page.keyboard.press("Space")
    sizes = page.evaluate(chunks)
    assert 1024 not in sizes[sizes.index(512) :]


def test_without_a_secure_context_the_page_says_why_and_typing_works(open_page: Open, running: Running) -> None:
    page = open_page(host="stimme.local")
    page.click("#voiceBtn")
    page.wait_for_function("() => document.getElementById('statusText').textContent.includes('https://')")
    ask(page, "hello")
    page.wait_for_selector(".entry[data-outcome=answered]")
    assert running.device.typed_texts == ["hello"] and running.device.audio == {}


def test_a_refused_microphone_is_explained(open_page: Open) -> None:
    page = open_page()
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError')) }"
    )
    page.click("#voiceBtn")
    page.wait_for_function("() => document.getElementById('statusText').textContent.includes('blocked')")
    assert "blocked" in page.inner_text("#trouble")


def test_a_headset_that_changes_over_in_mid_sentence_goes_on_in_the_same_turn(
    open_page: Open, running: Running
) -> None:
    page = open_page()
    page.evaluate("""() => {
        const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => (globalThis.stream = await open(wanted));
    }""")
    page.locator("#voiceBtn").hover()
    page.mouse.down()
    page.wait_for_function("() => document.querySelector('.heard')?.textContent.includes('what time')")
    page.evaluate("globalThis.first = stream, stream.getAudioTracks()[0].dispatchEvent(new Event('ended'))")
    page.wait_for_function("() => stream !== first && voiceAssistant.microphoneIsOpen")
    assert page.evaluate("first.getAudioTracks()[0].readyState") == "ended"
    page.wait_for_function("() => document.querySelector('.heard').textContent.includes('in the kitchen')")
    page.mouse.up()
    page.wait_for_selector(".entry[data-outcome=answered]")
    assert running.device.types.count("start") == 1


def test_the_microphone_closes_when_asked(open_page: Open) -> None:
    page = open_page()
    hold_until_heard(page)
    page.click("#closeMicrophone")
    assert page.evaluate("voiceAssistant.microphoneIsOpen") is False


def test_the_language_is_switched_and_remembered(open_page: Open) -> None:
    page = open_page()
    page.click("[data-language=de]")
    assert page.inner_text("#welcome h2") == "Frag mich etwas."
    page.reload()
    page.wait_for_function("() => document.documentElement.lang === 'de'")
    assert page.get_attribute("#textInput", "placeholder") == "Frage eintippen"


def test_the_language_follows_what_was_said_and_is_remembered(open_page: Open) -> None:
    page = open_page()
    ask(page, "sprich deutsch")
    page.wait_for_function("() => document.documentElement.lang === 'de'")
    page.reload()
    page.wait_for_function("() => document.documentElement.lang === 'de'")
    assert page.get_attribute("#textInput", "placeholder") == "Frage eintippen"


def test_an_answer_that_is_still_coming_grows(open_page: Open) -> None:
    page = open_page()
    ask(page, "go on")
    page.wait_for_selector(".entry[data-outcome=answered] >> text=And more.")
    assert page.locator(".entry").count() == 1, "it grew and was not told twice"


def test_a_double_click_shows_the_measurements_but_not_on_a_control(open_page: Open) -> None:
    page = open_page()
    page.dblclick("#openSettings")
    page.keyboard.press("Escape")
    assert page.locator("#performanceMetrics").is_hidden()
    ask(page, "hello")
    page.wait_for_selector(".entry[data-outcome=answered]")
    page.mouse.dblclick(40, 300)
    assert page.inner_text("#perfStatus") == "Connected"
    assert page.inner_text("#perfChunk") == "Balanced (1024 B, 50 ms)"
    page.wait_for_function("() => document.getElementById('perfStages').textContent.includes('recognize')")


def test_settings_take_effect_and_the_latency_button_measures(open_page: Open) -> None:
    page = open_page()
    page.click("#openSettings")
    page.check("input[value=stable]")
    assert page.evaluate("voiceAssistant.getMetrics().audio.chunkSize") == 2048
    page.click("#benchmark")
    page.wait_for_function("() => document.getElementById('benchmarkResult').textContent.includes('10 round trips')")


def test_a_sentence_is_taught_in_the_settings_and_forgotten_again(open_page: Open, running: Running) -> None:
    page = open_page()
    page.click("#openSettings")
    page.fill("#teachPhrase", "time for bed")
    page.fill("#teachReply", "Sleep well.")
    page.keyboard.press("Enter")
    page.wait_for_selector("#taught:has-text('something else until now')")
    assert page.locator("#settings").is_visible(), "Enter closes nothing"
    page.click("#teach:has-text('all the same')")
    page.wait_for_selector("#taught:has-text('Tried, and kept')")
    assert page.input_value("#teachPhrase") == ""
    page.click("[aria-label='Forget: time for bed']")
    page.wait_for_selector("[aria-label='Forget: time for bed']", state="detached")
    assert "stimme skills check" in page.inner_text("#skillList"), "one that was written by hand stays"


def test_who_may_only_talk_is_shown_nothing_that_concerns_everybody(open_page: Open, running: Running) -> None:
    running.device.role = "talk"
    page = open_page()
    page.click("#openSettings")
    page.wait_for_selector("#version:not(:empty)", state="attached")
    for part in ("#quietRow", "#teachRow", "#helperRow", "#modelList", "#pairedRow"):
        assert page.locator(part).is_hidden(), part
    assert page.locator("#volume").is_visible()


def test_after_a_tap_the_wait_is_shown_while_it_lasts(open_page: Open) -> None:
    page = open_page()
    page.click("#voiceBtn")
    page.wait_for_selector("body[data-wait]")
    assert page.inner_text("#statusText") == "Go on, or wait: I am about to answer."
    assert page.evaluate("getComputedStyle(voiceBtn, '::after').animationName") == "run-out"
    page.keyboard.press("Escape")
    page.wait_for_selector("body:not([data-wait])")


def test_an_announcement_is_shown_with_its_kind(open_page: Open) -> None:
    page = open_page()
    ask(page, "ring")
    page.wait_for_selector(".announcement")
    assert page.inner_text(".announcement").splitlines()[0] == "Timer"


def test_what_was_understood_is_shown_and_a_wrong_one_is_taken_back_and_asked_anew(
    open_page: Open, running: Running
) -> None:
    page = open_page()
    ask(page, "change")
    page.wait_for_selector(".meant")
    assert page.inner_text(".meant").startswith("Understood: set a pizza timer for ten minutes")
    page.click(".meant button")
    assert page.input_value(".correction input") == "change"
    page.keyboard.type("a pasta timer")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.entry[data-outcome=answered]').length === 3")
    assert running.device.typed_texts == ["change", "undo", "a pasta timer"]


def test_the_meter_follows_the_microphone_whatever_the_chunks(open_page: Open) -> None:
    page = open_page()
    page.evaluate("voiceAssistant.config.chunkSize = 16384, voiceAssistant.config.chunkIntervalMs = 1000")
    page.keyboard.press("Space")
    page.wait_for_function(
        "() => voiceAssistant.state === 'listening' && parseFloat(voiceBtn.style.getPropertyValue('--level')) > 0.1"
    )
    assert page.evaluate("voiceAssistant.getMetrics().audio.chunksSent") <= 1, "only what was kept before the press"
    page.keyboard.press("Space")


def test_a_page_that_goes_out_of_sight_says_that_it_stopped_listening(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("Space")
    wait_for_state(page, "listening")
    page.evaluate("voiceAssistant.outOfSight()")
    page.wait_for_function("() => document.getElementById('statusText').textContent.includes('out of sight')")
    assert page.evaluate("voiceAssistant.microphoneIsOpen") is False


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_nothing_is_cut_off_at_320_pixels(open_page: Open, locale: str) -> None:
    page = open_page(locale=locale, viewport={"width": 320, "height": 568})
    ask(page, "Donaudampfschifffahrtsgesellschaftskapitänsmützenständer")
    wait_for_state(page, "speaking")
    right_edges = "[...document.querySelectorAll('body *')].map(element => element.getBoundingClientRect().right)"
    assert max(page.evaluate(right_edges)) <= 320
    typed = page.locator("#typed").bounding_box()
    assert typed is not None
    assert typed["x"] == 320 - typed["x"] - typed["width"], "the margins are equal"


def test_the_first_press_waits_for_no_network(open_page: Open) -> None:
    page = open_page()
    workers = "performance.getEntriesByType('resource').filter(entry => entry.name.includes('/workers/'))"
    page.wait_for_function(f"() => {workers}.length >= 3")
    before = page.evaluate(f"() => {workers}.length")
    page.click("#voiceBtn")
    wait_for_state(page, "listening")
    later = page.evaluate(f"before => {workers}.slice(before).map(entry => entry.transferSize)", before)
    assert not any(later), "a worklet came over the network only when it was needed"


def test_a_page_older_than_the_device_loads_itself_anew_but_never_in_a_turn(open_page: Open, running: Running) -> None:
    page = open_page()
    page.evaluate("globalThis.old = true")
    page.keyboard.press("Space")
    wait_for_state(page, "listening")
    running.device.page_version = "0123456789ab"
    running.drop()
    page.wait_for_function("() => voiceAssistant.connectionState === 'reconnecting'")
    page.wait_for_function("() => voiceAssistant.welcome.page_version === '0123456789ab'")
    assert page.evaluate("old"), "the person is still talking (renewal.test.mjs waits for longer)"
    page.keyboard.press("Space")
    page.wait_for_selector(".entry[data-outcome=answered]")
    page.wait_for_function("() => globalThis.old === undefined && window.voiceAssistant?.getMetrics().connected")
    assert page.inner_text(".entry .reply") == "It's seven minutes past three.", "what was said stays in sight"
