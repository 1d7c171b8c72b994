"""What a visitor of the page does in more than one test."""

from playwright.sync_api import Page

KEEPS_ITSELF = """async () => {
    await navigator.serviceWorker.ready;
    const names = await caches.keys();
    return names.length === 1 && Boolean(await (await caches.open(names[0])).match("/"));
}"""
"""Whether the browser has all that it needs for the times when the device is away."""


def wait_for_state(page: Page, state: str) -> None:
    page.wait_for_function("state => voiceAssistant.state === state", arg=state)


def ask(page: Page, text: str) -> None:
    page.fill("#textInput", text)
    page.keyboard.press("Enter")


def hold_until_heard(page: Page) -> None:
    page.locator("#voiceBtn").hover()
    page.mouse.down()
    page.wait_for_function("() => document.querySelector('.heard')?.textContent.includes('what time is')")
    page.mouse.up()
