"""An audit of every view by axe-core, in light and dark, in both languages: no finding at all (WCAG 2.2 AA)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.web.conftest import Open
from tests.web.visit import ask, wait_for_state

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def start(page: Page) -> None:
    """As it is first seen."""


def conversation(page: Page) -> None:
    ask(page, "hello")
    ask(page, "ring")
    page.wait_for_selector(".announcement .reply")


def board(page: Page) -> None:
    ask(page, "board")
    page.wait_for_selector("#ringing .stop")
    page.locator(".list:not([open]) summary").evaluate_all("summaries => summaries.forEach(one => one.click())")


def settings(page: Page) -> None:
    page.click("#openSettings")


def teaching(page: Page) -> None:
    page.fill("#teachPhrase", "time for bed")
    page.fill("#teachReply", "Sleep well.")
    page.click("#teach")
    page.wait_for_selector("#taught:not(:empty)")


def measurements(page: Page) -> None:
    page.keyboard.press("Escape")
    page.evaluate("document.body.dispatchEvent(new MouseEvent('dblclick', {bubbles: true}))")


def clock(page: Page) -> None:
    page.evaluate("document.getElementById('clockFace').showModal()")


def listening(page: Page) -> None:
    page.evaluate("document.getElementById('clockFace').close()")
    page.evaluate("voiceAssistant.startRecording()")
    wait_for_state(page, "listening")


def away(page: Page) -> None:
    page.evaluate("voiceAssistant.cancelRecording()")
    ask(page, "drop")
    page.wait_for_function("() => voiceAssistant.connectionState === 'reconnecting'")


VIEWS: tuple[Callable[[Page], None], ...] = (
    start,
    conversation,
    board,
    settings,
    teaching,
    measurements,
    clock,
    listening,
    away,
)


@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_has_an_accessibility_finding(open_page: Open, scheme: str, language: str) -> None:
    found: dict[str, str] = {}
    page = open_page(locale=language, color_scheme=scheme, reduced_motion="reduce")
    for view in VIEWS:
        view(page)
        result = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
        if result.violations_count:
            found[view.__name__] = result.generate_report()
    assert not found, "\n".join(f"{name}:\n{report}" for name, report in found.items())


STICKS_OUT = """() => [...document.querySelectorAll("body *")].filter((one) => {
    const {left, right, width} = one.getBoundingClientRect();
    const scrolls = one.closest(".timers, .unseen, .skip") || getComputedStyle(one).clipPath !== "none";
    return width > 0 && !scrolls && (left < -1 || right > innerWidth + 1);
}).map((one) => one.id || one.className || one.localName)"""


def test_every_view_fits_at_twice_the_size_in_high_contrast_and_has_no_finding(open_page: Open) -> None:
    page = open_page(
        locale="de-DE", viewport={"width": 640, "height": 400}, device_scale_factor=2, forced_colors="active"
    )
    found = {}
    for view in VIEWS:
        view(page)
        result = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
        if result.violations_count or page.evaluate(STICKS_OUT):
            found[view.__name__] = [page.evaluate(STICKS_OUT), result.generate_report()]
    assert not found


CONTROLS = """() => {
    const within = document.querySelector("dialog[open]") ?? document;
    const seen = (one) => one.checkVisibility({visibilityProperty: true}) && !one.disabled;
    const all = [...within.querySelectorAll("button, input, select, a[href], summary, [tabindex='0']")].filter(seen);
    globalThis.controls = all.filter((one) => one.type !== "radio" || one.checked);
    return controls.length;
}"""
FOCUSED = """() => {
    const one = document.activeElement, ring = (node) => {
        const {outlineStyle, boxShadow} = getComputedStyle(node);
        return outlineStyle !== "none" || boxShadow.includes("3px");
    };
    return [controls.indexOf(one), ring(one) || ring(one.parentElement)];
}"""


@pytest.mark.parametrize("view", [start, conversation, board, settings, measurements])
def test_the_keyboard_alone_reaches_every_control_and_shows_where_it_is(
    open_page: Open, view: Callable[[Page], None]
) -> None:
    page = open_page(reduced_motion="reduce")
    page.evaluate("voiceAssistant.config.speakReplies = false")
    view(page)
    page.evaluate("document.activeElement.blur()")
    count, reached = page.evaluate(CONTROLS), set()
    for _ in range(2 * count):
        page.keyboard.press("Tab")
        place, is_shown = page.evaluate(FOCUSED)
        assert place < 0 or is_shown, page.evaluate("document.activeElement.outerHTML")
        reached.add(place)
    missed = set(range(count)) - reached
    assert not missed, page.evaluate("missed => missed.map((place) => controls[place].outerHTML)", list(missed))
