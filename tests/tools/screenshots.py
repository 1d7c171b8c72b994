"""Pictures of the page for the README, of a device that is running.

    python -m tests.tools.screenshots [--url http://localhost:8080] [--speech FILE.wav] [--to docs/pictures]

Desktop and phone, light and dark: a short conversation, and the page while it listens to the WAV file (English speech;
a beep without one).
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize, sync_playwright

SIZES: dict[str, ViewportSize] = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")
QUESTIONS = (
    "Set a pizza timer for ten minutes",
    "Put milk, bread and olive oil on the shopping list",
    "How many feet are in two meters?",
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


def main() -> None:
    parser = argparse.ArgumentParser(description="Take the README's pictures of the page.")
    parser.add_argument("--url", default="http://localhost:8080")
    parser.add_argument("--speech", type=Path, help="a WAV file spoken while the listening page is photographed")
    parser.add_argument("--to", type=Path, default=Path("docs/pictures"))
    wishes = parser.parse_args()
    flags = FLAGS + ([f"--use-file-for-fake-audio-capture={wishes.speech}%noloop"] if wishes.speech else [])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        for size, viewport in SIZES.items():
            for scheme in SCHEMES:
                context: dict[str, Any] = {
                    "viewport": viewport,
                    "color_scheme": scheme,
                    "locale": "en-GB",
                    "device_scale_factor": 2,
                    "permissions": ["microphone"],
                    "has_touch": size == "phone",
                    "is_mobile": size == "phone",
                }
                page = browser.new_context(**context).new_page()
                page.goto(wishes.url)
                page.wait_for_function("() => window.voiceAssistant?.getMetrics().connected")
                photograph(page, wishes.to / f"page-{size}-{scheme}")
                page.evaluate(
                    "document.querySelectorAll('.timer .sign:last-child, .items input').forEach("
                    "(control) => control.click())"
                )
                page.wait_for_selector(".timer", state="detached")
                page.context.close()
        browser.close()


def photograph(page: Page, path: Path) -> None:
    for question in QUESTIONS:
        page.fill("#textInput", question)
        page.keyboard.press("Enter")
        page.wait_for_function("() => voiceAssistant.state === 'speaking'")
        page.wait_for_function("() => voiceAssistant.state === 'idle'")
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=path.with_suffix(".png"))
    page.evaluate("voiceAssistant.startRecording()")
    page.wait_for_timeout(1500)
    page.screenshot(path=path.with_name(f"{path.name}-listening.png"))
    page.evaluate("voiceAssistant.cancelRecording()")


if __name__ == "__main__":
    main()
