"""A picture of every state of the page, side by side, to be looked at → docs/pictures/states-SIZE-SCHEME-LANGUAGE.png

The device only pretends (tests/web/fake_device.py), so each state is the same every time.

    python -m tests.tools.states [--to docs/pictures] [--all]

Without --all: phone and desktop, light and dark, English and German, each once; with it, all eight combinations.
"""

from __future__ import annotations

import argparse
import base64
import itertools
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.support.browser import chromium
from tests.web.conftest import Running
from tests.web.visit import ask, wait_for_state

SIZES: dict[str, ViewportSize] = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 800}}
FEW = (("phone", "light", "de"), ("phone", "dark", "en"), ("desktop", "light", "en"), ("desktop", "dark", "de"))
ALL = tuple(itertools.product(SIZES, ("light", "dark"), ("en", "de")))
LOCALES = {"en": "en-GB", "de": "de-DE"}


def start(page: Page) -> None:
    """As it is first seen."""


def conversation(page: Page) -> None:
    ask(page, "what time is it")
    page.wait_for_selector(".meant")
    ask(page, "change")
    page.wait_for_function("() => document.querySelectorAll('.entry[data-outcome=answered]').length === 2")
    page.evaluate("voiceAssistant.silence(), document.activeElement.blur()")


def correcting(page: Page) -> None:
    conversation(page)
    page.click(".entry:last-child .meant button")


def board(page: Page) -> None:
    ask(page, "board")
    page.wait_for_selector("#ringing .stop")
    page.evaluate("voiceAssistant.silence(), document.activeElement.blur()")


def lists(page: Page) -> None:
    board(page)
    for summary in page.query_selector_all(".list:not([open]) summary"):
        summary.click()
    page.locator(".items input").first.check()


def listening(page: Page) -> None:
    conversation(page)
    page.evaluate("voiceAssistant.startRecording()")
    page.wait_for_function("() => document.querySelector('.entry:last-child .heard').textContent.includes('what time')")


def pausing(page: Page) -> None:
    listening(page)
    page.evaluate("voiceAssistant.endBySilence()")
    page.wait_for_selector("body[data-wait]")


def queued(page: Page) -> None:
    page.evaluate("document.activeElement.blur()")
    ask(page, "queue")
    page.wait_for_function("() => voiceAssistant.waitingPlace === 2")


def speaking(page: Page) -> None:
    ask(page, "long")
    wait_for_state(page, "speaking")
    page.evaluate("document.activeElement.blur()")


def refused(page: Page) -> None:
    page.evaluate("""() => { navigator.mediaDevices.getUserMedia =
        () => Promise.reject(new DOMException('', 'NotAllowedError')) }""")
    page.click("#voiceBtn")
    page.wait_for_selector(".status.trouble")


def settings(page: Page) -> None:
    page.click("#openSettings")
    page.wait_for_selector("#version:not(:empty)")


def device_settings(page: Page) -> None:
    settings(page)
    page.evaluate("document.getElementById('deviceChoices').scrollIntoView({block: 'center'})")


def teaching(page: Page) -> None:
    settings(page)
    page.fill("#teachPhrase", "time for bed")
    page.fill("#teachReply", "Sleep well.")
    page.click("#teach")
    page.wait_for_selector("#taught:not(:empty)")
    page.evaluate("document.getElementById('teachRow').scrollIntoView()")


def measurements(page: Page) -> None:
    conversation(page)
    page.wait_for_timeout(300)
    page.evaluate("document.body.dispatchEvent(new MouseEvent('dblclick', {bubbles: true}))")


def clock(page: Page) -> None:
    ask(page, "board")
    page.wait_for_selector("#ringing .stop")
    page.evaluate("voiceAssistant.silence()")
    ask(page, "hush")
    page.wait_for_selector("#ringing", state="hidden")
    page.evaluate("voiceAssistant.silence(), document.activeElement.blur()")
    page.evaluate("localStorage.setItem('stimme.wall', '{\"clock\": true}')")
    page.clock.install()
    page.reload()
    page.wait_for_function("() => window.voiceAssistant?.getMetrics().connected")
    ask(page, "board")
    ask(page, "hush")
    page.clock.run_for(1000)
    page.wait_for_selector("#ringing", state="hidden")
    page.evaluate("voiceAssistant.silence()")
    page.clock.run_for(62_000)
    page.wait_for_selector("#clockFace .time:not(:empty)")


def away(page: Page) -> None:
    conversation(page)
    ask(page, "drop")
    page.wait_for_function("() => voiceAssistant.connectionState === 'reconnecting'")


STATES: tuple[Callable[[Page], None], ...] = (
    start,
    conversation,
    correcting,
    listening,
    pausing,
    queued,
    speaking,
    board,
    lists,
    settings,
    device_settings,
    teaching,
    measurements,
    refused,
    away,
    clock,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--all", action="store_true")
    wishes = parser.parse_args()
    running = Running()
    with closing(running), sync_playwright() as playwright, chromium(playwright) as browser:
        for size, scheme, language in ALL if wishes.all else FEW:
            pictures = {state.__name__: picture(browser, running, state, size, scheme, language) for state in STATES}
            path = wishes.to / f"states-{size}-{scheme}-{language}.png"
            sheet(browser, pictures, path, columns=7 if size == "phone" else 4)


def picture(
    browser: Browser, running: Running, state: Callable[[Page], None], size: str, scheme: str, language: str
) -> bytes:
    context = browser.new_context(
        viewport=SIZES[size],
        color_scheme=scheme,  # type: ignore[arg-type]
        locale=LOCALES[language],
        permissions=["microphone"],
        reduced_motion="reduce",
        is_mobile=size == "phone",
        has_touch=size == "phone",
        service_workers="block",
    )
    page = context.new_page()
    page.goto(f"http://localhost:{running.port}/")
    page.wait_for_function("() => window.voiceAssistant?.getMetrics().connected")
    state(page)
    picture = page.screenshot()
    context.close()
    running.down(False)  # for the next, if this one was about a device that is away
    return picture


def sheet(browser: Browser, pictures: dict[str, bytes], path: Path, columns: int) -> None:
    """All of them beside each other, each under its name."""
    page = browser.new_page(viewport={"width": 1900, "height": 100})
    figures = "".join(
        f'<figure><figcaption>{name.replace("_", " ")}</figcaption><img src="data:image/png;base64,'
        f'{base64.b64encode(data).decode()}"></figure>'
        for name, data in pictures.items()
    )
    page.set_content(f"""<style>
        body {{ display: grid; grid-template-columns: repeat({columns}, 1fr); gap: 14px; margin: 14px; background: #888;
               font: 16px sans-serif; }}
        figure {{ margin: 0 }} img {{ width: 100%; display: block }} figcaption {{ padding: 2px 0 }}
        </style>{figures}""")
    page.wait_for_function("() => [...document.images].every((image) => image.complete)")
    page.screenshot(path=path, full_page=True)
    page.close()
    print(path)


if __name__ == "__main__":
    main()
